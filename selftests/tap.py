#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The character device of a port, /dev/tap<ifindex>."""

import contextlib
import errno
import fcntl
import glob
import os
import re
import select
import struct
import threading

from lib import (NetNS, Raw, Rtnl, adapter, arp, build, cmd, defer, ether,
                 ethtool, ethtool_stats, fail_cmd, ip, ksft_eq, ksft_ge,
                 ksft_in, ksft_lt, ksft_main, ksft_ne, ksft_not_in, ksft_raises,
                 ksft_true, link_info, link_stats, mac, pair, port, readable,
                 vmqctl, wait_until)
from lib.frames import _pseudo, checksum, ETH_P_ARP, ETH_P_IP
from lib.inside import MODULES, load
from switch import good_checksum

TUNSETIFF, TUNGETIFF, TUNSETOFFLOAD, TUNGETVNETHDRSZ, TUNSETVNETHDRSZ = \
    0x400454ca, 0x800454d2, 0x400454d0, 0x800454d7, 0x400454d8
SIOCSIFHWADDR = 0x8924
IFF_TAP, IFF_NO_PI = 2, 0x1000
TUN_F_CSUM, TUN_F_TSO4 = 1, 2
NO_HEADER = bytes(10)
NEEDS_CSUM, GSO_NONE, GSO_TCPV4 = 1, 0, 1
MSS = 1448
LARGE = bytes(range(200)) * 40
SEGMENTS = [54 + MSS] * 5 + [54 + len(LARGE) - 5 * MSS]
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

    def ioctl(self, number, value):
        return fcntl.ioctl(self.fd, number, value)

    def flags(self, flags):
        self.ioctl(TUNSETIFF, struct.pack("16sH22x", b"", flags))

    def recv(self, timeout=1.0, size=10):
        """(header, frame) or None"""
        if not readable(self.fd, timeout):
            return None
        data = os.read(self.fd, 70000)
        return data[:size], data[size:]

    def expect(self, start, timeout=10.0):
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
    for name in ("up0", "vm1"):       # before that, what it sends is lost
        wait_until(lambda: link_info(name)["operstate"] == 6)
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


def who_has(wire):
    """Does the host's own stack say that it has the guest's address?"""
    wire.drain()
    wire.send(ether(b"\xff" * 6, 9, ETH_P_ARP,
                    payload=arp(1, 9, "10.7.0.9", bytes(6), GUEST)))
    return wire.expect(ether(9, 1, ETH_P_ARP, payload=arp(
        2, 1, GUEST, 9, "10.7.0.9"))[:42], 0.7) is not None


def host_address():
    """vm1 has an address as a plain netdev of the host."""
    Rtnl().addr("vm1", GUEST, 24)
    Rtnl().neigh("vm1", "10.7.0.9", "52:54:00:00:00:09")


def unfinished(frame, gso=GSO_NONE, mss=0):
    """A TCP or UDP frame as a guest sends it that leaves the checksum, and the
    segments, to others: (frame, header)"""
    at = {6: 16, 17: 6}[frame[23]]
    size, = struct.unpack("!H", frame[16:18])
    partial = ~checksum(_pseudo(frame[26:30], frame[30:34], frame[23],
                                size - 20)) & 0xffff
    frame = frame[:34 + at] + struct.pack("!H", partial) + frame[36 + at:]
    return frame, struct.pack("<BBHHHH", NEEDS_CSUM, gso,
                              54 if gso else 0, mss, 34, at)


def large(dst=9, src=1):
    """A large TCP segment, as a guest with TSO sends it: (frame, header)"""
    return unfinished(build(dst, GUEST, "10.7.0.9", "tcp", src=src, flags=0x10,
                            payload=LARGE), GSO_TCPV4, MSS)


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
    host_address()
    with Raw("vm1") as seen:
        ksft_true(ping(wire))
        ksft_true(seen.expect(mac(1)), "AF_PACKET sees it")
    ksft_true(who_has(wire))
    [shown] = vmqctl("port show dev vm1")
    ksft_not_in("tap-claimed", {key for key in shown if shown[key]})
    ksft_eq(shown["tap-readers"], 0)
    ksft_eq(ethtool_stats("vm1")["rx_drops_no_reader"], 0)


def test_frames():
    """Frames both ways, with the vnet header."""
    wire = world()
    tap = Tap(node())
    ksft_eq(tap.ioctl(TUNGETVNETHDRSZ, bytes(4)), struct.pack("i", 10))
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
    tap.ioctl(TUNSETVNETHDRSZ, struct.pack("i", 12))
    tap.send(reply, bytes(12))
    ksft_eq(wire.expect(mac(9)), reply, "a header of 12 bytes")
    wire.send(frame)
    ksft_eq(tap.recv(size=12)[1], frame)


def test_to_port():
    """Frames between two guests, and the counters of both ports."""
    world()
    port("vm2", number=2)
    port("vm3", number=3)
    one, two = Tap(node("vm1")), Tap(node("vm2"))
    third = Raw("vm3")
    defer(third.close)
    for each in (one, two):
        each.drain()
    third.drain()
    before = {name: link_stats(name) for name in ("vm1", "vm2", "vm3")}
    frame = build(2, GUEST, "10.7.0.2", src=1, payload=bytes(100))
    for _ in range(5):
        one.send(frame)
        ksft_eq(two.expect(mac(2)), frame)
    reply = build(1, "10.7.0.2", GUEST, src=2)
    two.send(reply)
    ksft_eq(one.expect(mac(1)), reply)
    one.send(ether(b"\xff" * 6, 1))
    ksft_true(two.expect(b"\xff" * 6), "O-46")
    ksft_true(third.expect(b"\xff" * 6), "O-46")
    ksft_eq(third.all(), [], "unicast to others is not its")
    ksft_eq(one.recv(0.1), None, "nothing comes back")
    after = {name: link_stats(name) for name in before}
    grew = {name: {key: after[name][key] - before[name][key]
                   for key in ("rx_packets", "rx_bytes", "tx_packets",
                               "tx_bytes", "rx_dropped", "tx_dropped")}
            for name in before}
    size = len(frame)
    ksft_eq(grew["vm1"], {"rx_packets": 1, "rx_bytes": 60, "tx_packets": 6,
                          "tx_bytes": 5 * size + 60, "rx_dropped": 0,
                          "tx_dropped": 0})
    ksft_eq(grew["vm2"], {"rx_packets": 6, "rx_bytes": 5 * size + 60,
                          "tx_packets": 1, "tx_bytes": 60, "rx_dropped": 0,
                          "tx_dropped": 0})
    ksft_eq(grew["vm3"]["rx_packets"], 1)
    stats = ethtool_stats("vm1")
    ksft_eq((stats["rx_queue_0_packets"], stats["tx_queue_0_packets"]),
            (after["vm1"]["rx_packets"], after["vm1"]["tx_packets"]))


def test_no_header():
    """A reader without IFF_VNET_HDR gets finished frames alone."""
    wire = world()
    port("vm2", number=2)
    tap, other = Tap(node()), Tap(node("vm2"))
    tap.flags(IFF_TAP | IFF_NO_PI)
    tap.drain()
    frame = build(1, "10.7.0.9", GUEST)
    wire.send(frame)
    ksft_eq(tap.recv(size=0), (b"", frame))
    os.write(tap.fd, build(9, GUEST, "10.7.0.9", src=1))
    ksft_true(wire.expect(mac(9)))
    # what the other guest left undone is done before
    good = build(1, "10.7.0.2", GUEST, src=2, payload=b"y" * 77)
    other.send(*unfinished(good))
    ksft_eq(tap.recv(size=0), (b"", good))
    other.send(*large(1, 2))
    got = [tap.recv(size=0)[1] for _ in SEGMENTS]
    ksft_eq([len(each) for each in got], SEGMENTS)
    ksft_true(all(good_checksum(each) for each in got))


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
    good = build(9, GUEST, "10.7.0.9", src=1, payload=b"x" * 99)
    tap.send(*unfinished(good))
    got = wire.expect(mac(9))
    ksft_eq(got, good)
    ksft_true(good_checksum(good))


def test_gso():
    """A large segment of the guest leaves in frames that fit."""
    wire = world()
    ethtool("-K up0 tx off tso off gso off")
    tap = Tap(node())
    tap.send(*large())
    got = wire.all(match=lambda each: each[:6] == mac(9))
    ksft_eq([len(each) for each in got], SEGMENTS)
    ksft_eq(b"".join(each[54:] for each in got), LARGE)
    ksft_true(all(good_checksum(each) for each in got))


def test_gso_guest():
    """Another guest gets it whole if it takes that, in segments if not."""
    world()
    port("vm2", number=2)
    one, two = Tap(node("vm1")), Tap(node("vm2"))
    two.ioctl(TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4)
    for each in (one, two):
        each.drain()
    frame, header = large(2)
    one.send(frame, header)
    got = two.recv()
    ksft_eq(got and got[1], frame, "whole, its checksum still open")
    if got:
        flags, gso, _, size, start, offset = struct.unpack("<BBHHHH", got[0])
        ksft_eq((flags, gso, size, start, offset),
                (NEEDS_CSUM, GSO_TCPV4, MSS, 34, 16))
    good = build(2, GUEST, "10.7.0.9", src=1)
    one.send(*unfinished(good))
    ksft_eq(two.recv(), unfinished(good)[::-1])
    two.ioctl(TUNSETOFFLOAD, 0)
    one.send(frame, header)
    got = []
    while each := two.recv(0.2):
        ksft_eq(each[0], NO_HEADER)
        got.append(each[1])
    ksft_eq([len(each) for each in got], SEGMENTS)
    ksft_eq(b"".join(each[54:] for each in got), LARGE)
    ksft_true(all(good_checksum(each) for each in got))
    one.send(*unfinished(good))
    ksft_eq(two.recv(), (NO_HEADER, good))


def test_gso_vlan():
    """A large segment in a VLAN: each frame has the tag."""
    wire = world()
    ethtool("-K up0 tx off tso off gso off")
    tap = Tap(node())
    frame, header = large()
    tag = b"\x81\0\x60\x0c"                    # priority 3, VLAN 12
    flags, gso, length, size, start, offset = struct.unpack("<BBHHHH", header)
    tap.send(frame[:12] + tag + frame[12:], struct.pack(
        "<BBHHHH", flags, gso, length + 4, size, start + 4, offset))
    got = wire.all(match=lambda each: each[:6] == mac(9))
    ksft_eq([each.tci for each in got], [0x600c] * len(SEGMENTS), "T-09")
    ksft_eq(b"".join(each[54:] for each in got), LARGE)
    ksft_true(all(good_checksum(each) for each in got))


def test_claimed():
    """Once opened it belongs to its guest: never the host's stack again."""
    wire = world()
    host_address()
    ksft_true(ping(wire), "before")
    tap = Tap(node())
    [shown] = vmqctl("port show dev vm1")
    ksft_true(shown["tap-claimed"])
    ksft_eq(shown["tap-readers"], 1)
    stack = Raw("vm1", ETH_P_IP)      # what gets to the host's protocols
    defer(stack.close)
    ksft_true(not ping(wire), "open: the guest's")
    ksft_true(tap.expect(mac(1)), "the guest reads it")
    ksft_true(not who_has(wire), "open: the guest's")
    ksft_true(tap.expect(b"\xff" * 6), "the guest reads it")
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


def test_claimed_unused():
    """Opened and closed, without a frame in between: claimed all the same."""
    wire = world()
    host_address()
    Tap(node()).close()
    [shown] = vmqctl("port show dev vm1")
    ksft_true(shown["tap-claimed"])
    ksft_eq(shown["tap-readers"], 0)
    before = link_stats("vm1")
    ksft_true(not who_has(wire), "ARP of the host's own stack")
    ksft_true(not ping(wire))
    drops = int(re.search(r"rx_drops_no_reader: (\d+)",
                          ethtool("-S vm1"))[1])
    ksft_eq(drops, 2)
    ksft_eq(link_stats("vm1")["rx_dropped"] - before["rx_dropped"], 2)
    # the fourth number of ip(8), too
    shown = ip("-s link show vm1").partition("RX:")[2].splitlines()[1].split()
    ksft_eq(int(shown[3]), link_stats("vm1")["rx_dropped"])
    # another port has nothing to do with it
    port("vm2", number=2)
    with Raw("vm2") as other:
        wire.send(ether(2))
        ksft_true(other.expect(mac(2)))
    ksft_eq(ethtool_stats("vm2")["rx_drops_no_reader"], 0)


def test_claimed_netns():
    """A claimed port stays claimed when it moves."""
    wire = world()
    Tap(node()).close()
    guest = NetNS()
    Rtnl().set("vm1", netns_fd=guest.fd)
    with guest:
        Rtnl().up("vm1")
        host_address()
        before = ethtool_stats("vm1")["rx_drops_no_reader"]
        ksft_true(not ping(wire))
        ksft_eq(ethtool_stats("vm1")["rx_drops_no_reader"], before + 1)


def test_down():
    """A port that is down has no frames for its guest, and takes none."""
    wire = world()
    tap = Tap(node())
    tap.drain()
    Rtnl().set("vm1", up=False)
    wire.send(ether(1))
    ksft_eq(tap.recv(0.2), None)
    ksft_eq(ethtool_stats("vm1")["rx_drops_device_down"], 1)
    try:
        tap.send(ether(9, src=1))
    except OSError as error:
        ksft_eq(errno.errorcode[error.errno], "ENETDOWN")
    ksft_eq(wire.expect(mac(9), 0.2), None)
    Rtnl().up("vm1")
    wire.send(ether(1))
    ksft_true(tap.expect(mac(1)))
    tap.send(ether(9, src=1))
    ksft_true(wire.expect(mac(9)))


def test_address():
    """QEMU sets the guest's address through the descriptor."""
    wire = world()
    tap = Tap(node())

    def change(address):
        tap.ioctl(SIOCSIFHWADDR, struct.pack("16sH6s16x", b"", 1, address))

    change(mac(0x21))
    ksft_eq(link_info("vm1")["address"], mac(0x21).hex(":"))
    tap.drain()
    wire.send(ether(0x21))
    ksft_true(tap.expect(mac(0x21)))
    host = mac(link_info("vmq0")["address"])
    with ksft_raises(OSError):
        change(host)
    with ksft_raises(OSError):
        change(mac("01:00:5e:00:00:01"))
    wire.send(ether(1))
    ksft_eq(tap.recv(0.2), None, "not its address any more")


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


def test_resize():
    """txqueuelen is the size of the ring, of open ones, too."""
    wire = world(txqlen=10)
    tap = Tap(node())
    for size in (10, 50, 20):
        Rtnl().set("vm1", txqlen=size)
        tap.drain()
        before = ethtool_stats("vm1")["rx_drops_ring_full"]
        wire.send(*[ether(1)] * 100)
        wait_until(lambda: ethtool_stats("vm1")["rx_drops_ring_full"]
                   >= before + 100 - size)
        dropped = ethtool_stats("vm1")["rx_drops_ring_full"] - before
        ksft_ge(dropped, 100 - size, f"txqueuelen {size}")
        # a ring frees what was read 16 entries at a time
        ksft_lt(dropped, 100 - size + 16, f"txqueuelen {size}")


def test_port_deleted():
    """A port that goes while its node is open: the descriptor stays."""
    wire = world()
    tap = Tap(node())
    tap.ioctl(TUNGETIFF, bytes(40))
    Rtnl().delete("vm1")
    with ksft_raises(OSError) as caught:
        tap.ioctl(TUNGETIFF, bytes(40))
    ksft_eq(errno.errorcode[caught.exception.errno], "ENOLINK")
    with ksft_raises(OSError):
        os.read(tap.fd, 2000)
    with contextlib.suppress(OSError):      # goes nowhere
        os.write(tap.fd, NO_HEADER + ether(9))
    poll = select.poll()
    poll.register(tap.fd, select.POLLIN | select.POLLOUT)
    poll.poll(10)
    ksft_eq(wire.expect(mac(9), 0.2), None)
    # the name can be used again at once, and it is another port
    port("vm1", number=1)
    other = Tap(node())
    other.drain()
    wire.send(ether(1))
    ksft_true(other.expect(mac(1)))
    with ksft_raises(OSError):
        os.read(tap.fd, 2000)
    tap.close()
    wire.send(ether(1))
    ksft_true(other.expect(mac(1)))


def test_deleted_unread():
    """A port that goes with frames in its ring, which nobody reads."""
    wire = world()
    tap = Tap(node())
    wire.send(*[ether(1)] * 200)
    wait_until(lambda: link_stats("vm1")["rx_packets"] >= 200)
    Rtnl().delete("vmq0")
    ksft_eq(glob.glob("/dev/tap*"), [])
    tap.close()


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
    ksft_true(tap.expect(mac(1)), "to the guest")
    tap.send(ether(9, src=1))
    ksft_true(wire.expect(mac(9)), "from the guest")
    # the new node is the same port
    with guest:
        path = node()
    tap.close()
    tap = Tap(path)
    wire.send(ether(1))
    ksft_true(tap.expect(mac(1)), "the new node")


def test_pair_of_queues():
    """A port with numrxqueues 2 and two readers, as QEMU with queues=2."""
    wire = world(rxq=2, txq=2)
    taps = [Tap(node()), Tap(node())]
    [shown] = vmqctl("port show dev vm1")
    ksft_eq((shown["queues"], shown["tap-readers"]), ([1, 2], 2))
    for each in taps:
        each.drain()
    wire.send(ether(b"\xff" * 6))
    ksft_eq(len([each for each in taps if each.recv(0.3)]), 1, "not twice")
    # a flow stays with one reader, in order
    for flow in range(1, 9):
        wire.send(*[build(1, "10.7.0.9", GUEST, sport=flow,
                          payload=bytes([number])) for number in range(10)])
    flows = []
    for each in taps:
        seen = {}
        while got := each.recv(0.2):
            seen.setdefault(got[1][34:36], []).append(got[1][42])
        for numbers in seen.values():
            ksft_eq(numbers, list(range(10)), "R-24")
        flows.append(len(seen))
    ksft_eq(sum(flows), 8, flows)
    stats = ethtool_stats("vm1")
    ksft_eq(stats["rx_queue_0_packets"] + stats["rx_queue_1_packets"],
            link_stats("vm1")["rx_packets"])


def test_busy():
    """Opening, closing and sending at once, while frames come."""
    wire = world(rxq=2, txq=2)
    path = node()
    stop = threading.Event()
    counts = {"opened": 0, "sent": 0}

    def open_close():
        while not stop.is_set():
            try:
                fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                continue
            counts["opened"] += 1
            try:
                os.write(fd, NO_HEADER + ether(9, src=1))
                os.read(fd, 2000)
            except BlockingIOError:
                pass
            os.close(fd)

    def send():
        while not stop.is_set():
            wire.send(*[ether(1)] * 20)
            counts["sent"] += 20

    threads = [threading.Thread(target=each)
               for each in (open_close, open_close, send)]
    for each in threads:
        each.start()
    stop.wait(2)
    stop.set()
    for each in threads:
        each.join()
    ksft_ge(counts["opened"], 20)
    ksft_eq(vmqctl("port show dev vm1")[0]["tap-readers"], 0)
    # a frame that was received when its reader went is in both numbers, as
    # the definition of rx_packets allows
    counted = link_stats("vm1")["rx_packets"] + \
        ethtool_stats("vm1")["rx_drops_no_reader"]
    ksft_ge(counted, counts["sent"])
    ksft_lt(counted, counts["sent"] + counts["opened"])


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
    for name in MODULES[1:]:
        cmd(f"rmmod {name}")
        defer(load, name)
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
