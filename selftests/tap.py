#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The character device of a port, /dev/tap<ifindex>."""

import errno
import fcntl
import glob
import os
import select
import struct

from lib import (NetNS, Raw, Rtnl, adapter, build, cmd, defer, ether,
                 ethtool, ethtool_stats, fail_cmd, ksft_eq, ksft_ge, ksft_in,
                 ksft_main, ksft_ne, ksft_not_in, ksft_raises, ksft_true,
                 link_info, link_stats, mac, pair, port, vmqctl, wait_until)
from lib.frames import ETH_P_IP, _pseudo, checksum
from lib.inside import load
from switch import good_checksum

TUNSETVNETHDRSZ, TUNGETVNETHDRSZ, TUNGETIFF, TUNSETOFFLOAD = \
    0x400454d8, 0x800454d7, 0x800454d2, 0x400454d0
NO_HEADER = bytes(10)
NEEDS_CSUM = 1
GUEST = "10.7.0.1"


def node(dev="vm1"):
    return f"/dev/{vmqctl(f'port show dev {dev}')[0]['tap']}"


class Tap:
    """An open node: frames with struct virtio_net_hdr in front."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        defer(self.close)

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def send(self, frame, header=NO_HEADER):
        os.write(self.fd, header + frame)

    def recv(self, timeout=1.0, size=10):
        """(header, frame) or None"""
        if not select.select([self.fd], [], [], timeout)[0]:
            return None
        data = os.read(self.fd, 70000)
        return data[:size], data[size:]

    def expect(self, start, timeout=2.0):
        while got := self.recv(timeout):
            if got[1].startswith(start):
                return got[1]
        return None

    def drain(self):
        while self.recv(0.05):
            pass


def world(**options):
    pair()
    adapter("vmq0", uplink="up0")
    port("vm1", number=1, **options)
    wire = Raw("wire0")
    defer(wire.close)
    wire.drain()
    return wire


def ping(wire, number=1):
    """Does the host's own stack answer for the guest's address?"""
    wire.drain()
    wire.send(build(number, "10.7.0.9", GUEST, "icmp", src=9))
    reply = wire.expect(lambda got: got[:6] == mac(9)
                        and got[12:14] == b"\x08\0" and got[23] == 1
                        and got[34] == 0, 0.7)
    return reply is not None


def test_node():
    """The node has the name of the contract, and goes with the port."""
    world()
    index = link_info("vm1")["ifindex"]
    path = node()
    ksft_eq(path, f"/dev/tap{index}")
    ksft_true(os.path.exists(path))
    ksft_true(os.path.exists(f"/sys/class/net/vm1/tap{index}"))
    ksft_true(os.path.exists(f"/sys/class/vmqtap/tap{index}"))
    Rtnl().set("vm1", newname="vmnew")
    ksft_true(os.path.exists(path), "a new name changes nothing")
    Rtnl().delete("vmnew")
    ksft_true(not os.path.exists(path))
    ksft_true(not os.path.exists(f"/sys/class/vmqtap/tap{index}"))


def test_plain_netdev():
    """A port whose tap was never opened is a plain netdev."""
    wire = world()
    rtnl = Rtnl()
    rtnl.addr("vm1", GUEST, 24)
    rtnl.neigh("vm1", "10.7.0.9", "52:54:00:00:00:09")
    ksft_true(ping(wire))
    [shown] = vmqctl("port show dev vm1")
    ksft_not_in("tap-claimed", {key for key in shown if shown[key]})
    ksft_eq(shown["tap-readers"], 0)
    ksft_eq(ethtool_stats("vm1")["rx_drops_no_reader"], 0)


def test_frames():
    """Frames both ways, with the vnet header."""
    wire = world()
    tap = Tap(node())
    ksft_eq(fcntl.ioctl(tap.fd, TUNGETVNETHDRSZ, struct.pack("i", 0)),
            struct.pack("i", 10))
    tap.drain()
    frame = build(1, "10.7.0.9", GUEST)
    wire.send(frame)
    ksft_eq(tap.expect(mac(1)), frame)
    reply = build(9, GUEST, "10.7.0.9", src=1)
    tap.send(reply)
    ksft_eq(wire.expect(mac(9)), reply)
    broadcast = ether(b"\xff" * 6)
    wire.send(broadcast)
    ksft_eq(tap.expect(b"\xff" * 6), broadcast, "O-46")
    tagged = ether(9, src=1, vlan=12, prio=2)
    tap.send(tagged)
    got = wire.expect(mac(9))
    ksft_eq(got and got.tci, 2 << 13 | 12, "T-09")
    # a tag in the metadata is in the data that the guest reads
    ethtool("-N vmq0 flow-type ether dst 52:54:00:00:00:01 vlan 10 m 0xf000 "
            "action 1")
    tagged = ether(1, vlan=10, prio=3)
    wire.send(tagged)
    ksft_eq(tap.expect(mac(1)), tagged)
    fcntl.ioctl(tap.fd, TUNSETVNETHDRSZ, struct.pack("i", 12))
    tap.send(reply, bytes(12))
    ksft_eq(wire.expect(mac(9)), reply, "a header of 12 bytes")
    wire.send(frame)
    ksft_eq(tap.recv(size=12)[1], frame)


def test_refused_frames():
    """What is no frame is refused or dropped and counted."""
    wire = world()
    tap = Tap(node())
    before = link_stats("vm1")["tx_dropped"]
    for data in (b"", bytes(5), bytes(10), bytes(15), bytes(23)):
        with ksft_raises(OSError):
            os.write(tap.fd, data)
    # a header that promises more than there is
    for header in (struct.pack("<BBHHHH", 1, 0, 0, 0, 60000, 2),
                   struct.pack("<BBHHHH", 0, 1, 0, 1000, 0, 0),
                   struct.pack("<BBHHHH", 0, 77, 60000, 1, 0, 0)):
        try:
            tap.send(ether(9, src=1), header)
        except OSError as error:
            ksft_eq(error.errno, errno.EINVAL)
    ksft_ge(link_stats("vm1")["tx_dropped"], before)
    tap.send(ether(9, src=1))
    ksft_true(wire.expect(mac(9)), "still works")


def test_checksum():
    """A checksum that the guest left open is right when the frame leaves."""
    wire = world()
    ethtool("-K up0 tx off")
    tap = Tap(node())
    frame = bytearray(build(9, GUEST, "10.7.0.9", src=1, payload=b"x" * 99))
    good = bytes(frame)
    # the sum of the pseudo header alone, as a guest leaves it
    partial = ~checksum(_pseudo(GUEST, "10.7.0.9", 17, 107)) & 0xffff
    frame[40:42] = struct.pack("!H", partial)
    tap.send(bytes(frame), struct.pack("<BBHHHH", NEEDS_CSUM, 0, 0, 0, 34, 6))
    got = wire.expect(mac(9))
    ksft_eq(got, good)
    ksft_true(good_checksum(good))


def test_gso():
    """A large segment of the guest leaves in frames that fit."""
    wire = world()
    ethtool("-K up0 tx off tso off gso off")
    tap = Tap(node())
    frame = build(9, GUEST, "10.7.0.9", "tcp", src=1, flags=0x10,
                  payload=bytes(range(200)) * 40)
    frame = bytearray(frame)
    partial = ~checksum(_pseudo(GUEST, "10.7.0.9", 6, 8020)) & 0xffff
    frame[50:52] = struct.pack("!H", partial)
    # NEEDS_CSUM, GSO_TCPV4
    tap.send(bytes(frame), struct.pack("<BBHHHH", NEEDS_CSUM, 1, 54, 1448, 34, 16))
    got = wire.all(match=lambda each: each[:6] == mac(9))
    ksft_eq([len(each) for each in got], [1502] * 5 + [54 + 8000 - 5 * 1448])
    ksft_eq(b"".join(each[54:] for each in got), bytes(range(200)) * 40)
    ksft_true(all(good_checksum(each) for each in got))


def test_claimed():
    """Once opened it belongs to its guest: never the host's stack again."""
    wire = world()
    rtnl = Rtnl()
    rtnl.addr("vm1", GUEST, 24)
    rtnl.neigh("vm1", "10.7.0.9", "52:54:00:00:00:09")
    ksft_true(ping(wire), "before")
    tap = Tap(node())
    [shown] = vmqctl("port show dev vm1")
    ksft_true(shown["tap-claimed"])
    ksft_eq(shown["tap-readers"], 1)
    stack = Raw("vm1", ETH_P_IP)      # what gets to the host's protocols
    defer(stack.close)
    ksft_true(not ping(wire), "open: the guest's")
    ksft_true(tap.expect(mac(1)), "the guest reads it")
    tap.close()
    ksft_eq(vmqctl("port show dev vm1")[0]["tap-readers"], 0)
    before = ethtool_stats("vm1")["rx_drops_no_reader"]
    link = link_stats("vm1")
    ksft_true(not ping(wire), "closed: nobody's")
    wire.send(build(b"\xff" * 6, "10.7.0.9", GUEST))
    wait_until(lambda: ethtool_stats("vm1")["rx_drops_no_reader"]
               >= before + 2)
    ksft_eq(ethtool_stats("vm1")["rx_drops_no_reader"], before + 2,
            "counted")
    ksft_eq(link_stats("vm1")["rx_dropped"], link["rx_dropped"] + 2)
    ksft_eq(link_stats("vm1")["rx_packets"], link["rx_packets"])
    ksft_eq(stack.all(), [], "never the host's own stack")
    # the next reader gets what comes from then on
    tap = Tap(node())
    wire.send(build(1, "10.7.0.9", GUEST))
    ksft_true(tap.expect(mac(1)))


def test_full():
    """A guest that does not read: its ring fills, the rest is counted."""
    wire = world(txqlen=100)
    tap = Tap(node())
    tap.drain()
    before = link_stats("vm1")["rx_dropped"]
    wire.send(*[ether(1)] * 400)
    wait_until(lambda: ethtool_stats("vm1")["rx_drops_ring_full"] > 0)
    dropped = ethtool_stats("vm1")["rx_drops_ring_full"]
    count = 0
    while tap.recv(0.2):
        count += 1
    ksft_ge(dropped, 1)
    ksft_eq(count + dropped, 400)
    ksft_eq(link_stats("vm1")["rx_dropped"] - before, dropped)
    wire.send(ether(1))
    ksft_true(tap.expect(mac(1)), "and it goes on")


def test_port_deleted():
    """A port that goes while its node is open."""
    world()
    tap = Tap(node())
    Rtnl().delete("vm1")
    try:
        os.write(tap.fd, NO_HEADER + ether(9))     # to nowhere
    except OSError as error:
        ksft_in(error.errno, (errno.EIO, errno.ENXIO, errno.ENODEV))
    poll = select.poll()
    poll.register(tap.fd, select.POLLIN | select.POLLOUT)
    poll.poll(10)
    tap.close()
    # the name can be used again at once
    port("vm1", number=1)
    Tap(node())


def test_netns():
    """The node moves with the port to another network namespace."""
    wire = world()
    guest = NetNS()
    old = node()
    Rtnl().set("vm1", netns_fd=guest.fd)
    with guest:
        Rtnl().up("vm1")
        path = node()
        index = link_info("vm1")["ifindex"]
    ksft_eq(path, f"/dev/tap{index}")
    ksft_true(os.path.exists(path), path)
    if path != old:
        ksft_true(not os.path.exists(old))
    tap = Tap(path)
    tap.drain()
    wire.send(ether(1))
    ksft_true(tap.expect(mac(1)))
    tap.send(ether(9, src=1))
    ksft_true(wire.expect(mac(9)))


def test_netns_open():
    """A port that moves while its node is open keeps working."""
    wire = world()
    guest = NetNS()
    tap = Tap(node())
    Rtnl().set("vm1", netns_fd=guest.fd)
    with guest:
        Rtnl().up("vm1")
    tap.drain()
    wire.send(ether(1))
    if not tap.expect(mac(1), 0.7):
        # then it must be cut off properly, not hang
        tap.close()
        with guest:
            tap = Tap(node())
        wire.send(ether(1))
        ksft_true(tap.expect(mac(1)))


def test_multiqueue():
    """Several queues, several readers."""
    wire = world(rxq=4, txq=4)
    taps = [Tap(node()) for _ in range(4)]
    ksft_eq(vmqctl("port show dev vm1")[0]["tap-readers"], 4)
    for each in taps:
        each.drain()
    wire.send(*[build(1, "10.7.0.9", GUEST, sport=flow) for flow
                in range(1, 65)])
    got = []
    for each in taps:
        count = 0
        while each.recv(0.2):
            count += 1
        got.append(count)
    ksft_eq(sum(got), 64, got)
    for each in taps:
        each.send(ether(9, src=1))
    ksft_eq(len(wire.all(match=lambda each: each[:6] == mac(9))), 4)
    taps[0].close()
    ksft_eq(vmqctl("port show dev vm1")[0]["tap-readers"], 3)
    wire.send(*[build(1, "10.7.0.9", GUEST, sport=flow) for flow
                in range(1, 65)])
    count = 0
    for each in taps[1:]:
        while each.recv(0.2):
            count += 1
    ksft_eq(count, 64, "the others take over")


def test_rmmod():
    """The module can't be unloaded while a guest has a port open."""
    world()
    tap = Tap(node())
    cmd("rmmod vmq_acl")
    defer(load, "vmq_acl")
    _, message = fail_cmd("rmmod vmq")
    ksft_in("in use", message)
    tap.send(ether(9, src=1))
    ksft_ne(link_info("vm1")["ifindex"], 0)


def test_many():
    """Many ports have as many nodes, and all go."""
    world()
    before = len(glob.glob("/dev/tap*"))
    for number in range(30):
        port(f"vmn{number}", number=0x100 + number, up=False)
    ksft_eq(len(glob.glob("/dev/tap*")), before + 30)
    Rtnl().delete("vmq0")
    ksft_eq(glob.glob("/dev/tap*"), [])


if __name__ == "__main__":
    ksft_main(globals())
