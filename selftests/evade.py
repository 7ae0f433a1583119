#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Ways around what guards a port: VLAN tags behind a frame's own (a guest takes off
those that name no VLAN, and its VLAN devices take theirs), frames that become several,
and streams that bring somebody's address."""

import contextlib
import errno
import socket
import struct

from lib import (NetNS, NlError, Raw, Rtnl, adapter, build, cmd, defer, ether,
                 ext_set, ksft_eq, ksft_in, ksft_main, ksft_raises, ksft_true,
                 machine, pair, port, readable, restore, save, vmqctl)
from lib.frames import BROADCAST, ip4, udp
from lib.guard import DISCOVER, dhcp4
from tap import Tap, node, unfinished

SLOW = machine() != "uml-plain"
GUEST, OUTSIDE = "10.9.0.1", "10.9.0.9"
IP, CTAG, STAG = 0x800, 0x8100, 0x88a8
WAIT = 0.3 if SLOW else 0.1
GSO_UDP_L4 = 5           # VIRTIO_NET_HDR_GSO_UDP_L4


def stacked(tags, dst=1, src=9, payload=b"vmq"):
    """A datagram behind tags of (protocol, TCI), the first one in front"""
    packet = ip4(OUTSIDE, GUEST, 17, udp(OUTSIDE, GUEST, 70, 700, payload))
    protocols = [protocol for protocol, _ in tags] + [IP]
    data = b"".join(struct.pack("!HH", tci, following)
                    for (_, tci), following in zip(tags, protocols[1:]))
    return ether(dst, src, protocols[0], payload=data + packet)


class Listener:
    """A guest's stack, maybe in a VLAN: does a datagram reach it?"""

    def __init__(self, number=1, vlan=None):
        self.net, self.dev, self.number = NetNS(), f"vm{number}", 0
        port(self.dev, number=number, ns=self.net)
        where = self.dev
        with self.net:
            if vlan:
                where = f"{self.dev}.{vlan}"
                cmd(f"ip link add link {self.dev} name {where} up "
                    f"type vlan id {vlan}")
            cmd(f"ip addr add {GUEST}/24 dev {where}")
            cmd(f"ip neigh replace {OUTSIDE} lladdr 52:54:00:00:00:09 "
                f"dev {where}")
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sock.bind((GUEST, 700))
        defer(self.sock.close)

    def hears(self, sender, way, **options):
        """`way` are the VLAN ids of its tags, or whole tags."""
        self.number += 1
        payload = b"stacked%d" % self.number
        sender.send(stacked([tag if isinstance(tag, tuple) else (CTAG, tag)
                             for tag in way], payload=payload, **options))
        while readable(self.sock, WAIT):
            if self.sock.recv(100) == payload:
                return True
        return False


def world():
    pair()
    adapter("vmq0", uplink="up0", rxq=8)
    wire = Raw("wire0")
    defer(wire.close)
    return wire


def test_acl():
    """acl: tags that name no VLAN are no way around a rule (X-03)."""
    wire = world()
    ext_set("vmq0", 1)
    guest = Listener()
    ways = ([], [0], [0, 0], [0, 0, 0], [(CTAG, 0), (STAG, 0)])
    for way in ways:
        ksft_true(guest.hears(wire, way), f"a guest takes {way}")
    with guest.net:
        cmd("vmqctl acl add dev vm1 direction in action deny proto udp")
    for way in ways:
        ksft_true(not guest.hears(wire, way), f"denied {way}")


def test_acl_vlan():
    """acl: the VLAN of a frame is that of its first tag that names one."""
    wire = world()
    ext_set("vmq0", 1)
    guest = Listener(vlan=7)
    cmd("vmqctl filter add dev vmq0 queue 1 mac 52:54:00:00:00:01 vlan 7")
    ways = ([7], [0, 7], [0, 0, 7], [7, 0])
    for way in ways:
        ksft_true(guest.hears(wire, way), f"a guest takes {way}")
    with guest.net:
        cmd("vmqctl acl add dev vm1 direction in action deny vlan 7")
    for way in ways:
        ksft_true(not guest.hears(wire, way), f"denied {way}")


def test_trunk():
    """A VLAN that is not in a trunk's list is none behind a tag without one."""
    wire = world()
    outside, guest = wire, Listener(vlan=7)
    port("vm2", number=2)
    sender = Raw("vm2")
    defer(sender.close)
    for dev, trunk in (("vm1", "0,7"), ("vm2", "0,5")):
        with guest.net if dev == "vm1" else contextlib.nullcontext():
            cmd(f"vmqctl port set dev {dev} trunk {trunk}")
    ksft_true(guest.hears(outside, [7]), "its VLAN")
    for way in ([7], [0, 7], [0, 0, 7]):
        ksft_true(not guest.hears(sender, way, src=2), f"of another: {way}")
    with guest.net:
        cmd("vmqctl port set dev vm1 trunk 0,5")
    ksft_true(not guest.hears(outside, [0, 7]), "not from outside either")
    # nor behind that of the VLAN whose frames a guest has without a tag
    cmd("vmqctl port set dev vm2 trunk none vlan 5")
    with guest.net:
        cmd("vmqctl port set dev vm1 trunk 7 vlan 5")
    ksft_true(guest.hears(outside, [7]), "its VLAN")
    ksft_true(not guest.hears(sender, [0, 7], src=2), "the native VLAN")
    ksft_true(not guest.hears(outside, [5, 7]), "from outside")
    # between access ports it is nobody's business
    with guest.net:
        cmd("vmqctl port set dev vm1 trunk none")
    ksft_true(guest.hears(sender, [0, 7], src=2), "a VLAN within a VLAN")


def test_dhcp_batch():
    """guard: several DHCP messages in a frame for segmentation are none that it
    can have looked at."""
    wire = world()
    ext_set("vmq0", 1, "guard")
    port("vm1", number=1)
    tap = Tap(node())
    cmd("vmqctl guard set dev vm1 checks mac")
    own, other = dhcp4(DISCOVER, client=1), dhcp4(DISCOVER, client=2)
    ksft_eq(len(own), len(other))

    def send(*messages):
        wire.drain()
        tap.send(*unfinished(
            build(BROADCAST, "0.0.0.0", "255.255.255.255", "udp", 68, 67, src=1,
                  payload=b"".join(messages)),
            GSO_UDP_L4 if messages[1:] else 0, len(own)))
        return b"".join(wire.all(match=lambda got: got[:6] == BROADCAST))

    ksft_true(own in send(own), "its own")
    ksft_true(other not in send(other), "in another name")
    ksft_true(other not in send(own, other), "behind its own")
    ksft_eq(vmqctl("guard show dev vm1 summary")[0]["drops-malformed"], 1)


def test_restored_filter():
    """A stream does not bring a filter for an address of the host or of another
    port (SR-34)."""
    rtnl = Rtnl()
    for number in (0, 1):
        pair(f"up{number}", f"wire{number}")
        adapter(f"vmq{number}", uplink=f"up{number}", rxq=8)
    port("vm1", number=1)
    port("vm1b", link="vmq1", number=0x91)
    cmd("vmqctl filter add dev vmq0 queue 1 mac 52:54:00:00:00:44")
    stream = save("vm1")

    def refused(owner):
        before = vmqctl("filter show dev vmq1")
        with ksft_raises(NlError) as caught:
            restore("vm1b", stream)
        ksft_eq(caught.exception.errno, errno.EEXIST)
        ksft_in(owner, caught.exception.msg)
        ksft_eq(vmqctl("filter show dev vmq1"), before)

    rtnl.set("vmq1", address="52:54:00:00:00:44")
    refused("vmq1")
    rtnl.set("vmq1", address="52:54:00:00:00:45")
    port("vm2b", link="vmq1", number=0x44)
    refused("vm2b")
    rtnl.delete("vm2b")
    restore("vm1b", stream)
    ksft_in("52:54:00:00:00:44", [each.get("mac") for each in
                                  vmqctl("filter show dev vmq1")])


if __name__ == "__main__":
    ksft_main(globals())
