#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The switch: between ports, to and from the host, and with the uplink."""

import contextlib
import socket
import struct
import threading

from lib import (NetNS, Raw, Rtnl, adapter, build, cmd, defer, ether, ethtool,
                 ethtool_stats, ksft_eq, ksft_ge, ksft_main, ksft_pr,
                 ksft_true, link_info, link_stats, mac, machine, pair, port,
                 port_queue, readable, wait_until)
from lib.frames import checksum, _pseudo
from lib.traffic import transfer

SLOW = machine() == "uml-debug"
ALL = b"\xff" * 6
GROUP = "01:00:5e:00:00:09"
OURS = b"\x88\xb5"


class World:
    """Raw sockets on everything: wire, vmq0 and the ports."""

    def __init__(self, ports=(1, 2, 3), uplink=True):
        if uplink:
            pair()
        adapter("vmq0", uplink="up0" if uplink else None, rxq=8)
        names = ["vmq0"] + (["wire0"] if uplink else [])
        for number in ports:
            port(f"vm{number}", number=number)
            names.append(f"vm{number}")
        self.raw = {name: Raw(name) for name in names}
        for each in self.raw.values():
            defer(each.close)
        self.number = 0

    def send(self, dev, dst, **options):
        """Who got the frame that `dev` sent, how often: {dev: [frames]}"""
        self.number += 1
        text = b"switch %d" % self.number
        for each in self.raw.values():
            each.drain()
        self.raw[dev].send(ether(dst, payload=text, **options))
        found = {}
        sockets = {each.sock: name for name, each in self.raw.items()}
        while ready := readable(list(sockets), 0.04 if SLOW else 0.02):
            for sock in ready:
                name = sockets[sock]
                frame = self.raw[name].recv(0)
                if frame is not None and text in frame:
                    found.setdefault(name, []).append(frame)
        return found

    def who(self, dev, dst, **options):
        return {name: len(frames) for name, frames
                in self.send(dev, dst, **options).items()}


def host_mac():
    return mac(link_info("vmq0")["address"])


def test_port_to_port():
    """Unicast between ports reaches that port alone."""
    world = World()
    ksft_eq(world.who("vm1", mac(2)), {"vm2": 1})
    ksft_eq(world.who("vm2", mac(1)), {"vm1": 1})
    ksft_eq(world.who("vm1", mac(1)), {}, "to itself: nowhere")
    ksft_eq(world.who("vm1", mac(0x55)), {"wire0": 1}, "unknown: outside")
    # a port does not get what its VLAN does not let in (M-04)
    ksft_eq(world.who("vm1", mac(2), vlan=20), {"wire0": 1})


def test_from_uplink():
    """From outside: to the port, to the host where nothing matches (Q-04)."""
    world = World()
    ksft_eq(world.who("wire0", mac(1)), {"vm1": 1})
    ksft_eq(world.who("wire0", mac(0x55)), {"vmq0": 1}, "Q-04")
    ksft_eq(world.who("wire0", host_mac()), {"vmq0": 1})
    ksft_eq(world.who("wire0", mac(1), vlan=20), {"vmq0": 1}, "M-04")


def test_flood():
    """Broadcast and multicast: once to all ports, host and uplink; not back.
    """
    world = World()
    for number in (1, 2, 3):
        cmd(f"ip link set vm{number} allmulticast on")
    for dst in (ALL, mac(GROUP), mac("33:33:00:00:00:01")):
        for sender in world.raw:
            want = {name: 1 for name in world.raw if name != sender}
            ksft_eq(world.who(sender, dst), want,
                    f"O-46: {dst.hex()} from {sender}")


def test_flood_vlan():
    """A port gets the floods of its own VLANs, no others (M-04)."""
    world = World()
    ethtool("-N vmq0 flow-type ether dst 52:54:00:00:00:01 vlan 10 m 0xf000 "
            f"action {port_queue('vm1')}")
    ethtool("-N vmq0 flow-type ether dst 52:54:00:00:00:33 "
            f"action {port_queue('vm3')}")
    ksft_eq(world.who("wire0", ALL, vlan=10), {"vmq0": 1, "vm1": 1, "vm3": 1})
    ksft_eq(world.who("wire0", ALL, vlan=11), {"vmq0": 1, "vm3": 1})
    ksft_eq(world.who("wire0", ALL, vlan=0, prio=3),
            {"vmq0": 1, "vm1": 1, "vm2": 1, "vm3": 1}, "priority-tagged")
    ksft_eq(world.who("vm1", ALL, vlan=10), {"vmq0": 1, "vm3": 1, "wire0": 1})
    ksft_eq(world.who("vm2", ALL, vlan=10),
            {"vmq0": 1, "vm1": 1, "vm3": 1, "wire0": 1})
    ethtool("-K vmq0 ntuple off")
    ksft_eq(world.who("wire0", ALL, vlan=10), {"vmq0": 1}, "rules gone")


def test_tagged():
    """Tagged frames of a port arrive with their tag (T-09)."""
    world = World()
    ethtool("-N vmq0 flow-type ether dst 52:54:00:00:00:02 vlan 10 m 0xf000 "
            f"action {port_queue('vm2')}")
    got = world.send("vm1", mac(2), vlan=10, prio=5)
    ksft_eq(list(got), ["vm2"])
    ksft_eq(got["vm2"][0].tci, 5 << 13 | 10)
    got = world.send("vm1", mac(0x55), vlan=12, prio=1)
    ksft_eq(list(got), ["wire0"])
    ksft_eq(got["wire0"][0].tci, 1 << 13 | 12, "T-09")


def test_host():
    """The host on vmq0: to ports, outside, and back."""
    world = World()
    ksft_eq(world.who("vmq0", mac(2)), {"vm2": 1})
    ksft_eq(world.who("vmq0", mac(0x55)), {"wire0": 1})
    ksft_eq(world.who("vm2", host_mac()), {"vmq0": 1})
    # a rule's queue without a port is the host's
    ethtool("-N vmq0 flow-type ether dst 52:54:00:00:00:44 action 7")
    before = ethtool_stats("vmq0")["rx_queue_7_packets"]
    ksft_eq(world.who("vm1", mac(0x44)), {"vmq0": 1})
    ksft_eq(ethtool_stats("vmq0")["rx_queue_7_packets"], before + 1)


def test_internal():
    """Without an uplink it is an internal switch (X-07)."""
    world = World(uplink=False)
    ksft_eq(world.who("vm1", mac(2)), {"vm2": 1})
    ksft_eq(world.who("vm1", ALL), {"vm2": 1, "vm3": 1, "vmq0": 1})
    ksft_eq(world.who("vmq0", mac(3)), {"vm3": 1})
    ksft_eq(world.who("vm3", host_mac()), {"vmq0": 1})
    before = link_stats("vm1")
    ksft_eq(world.who("vm1", mac(0x55)), {}, "nowhere to go")
    after = link_stats("vm1")
    ksft_eq(after["tx_dropped"] - before["tx_dropped"], 1, "and counted")


def test_down():
    """A port that is down gets nothing, one that is up again does."""
    world = World()
    rtnl = Rtnl()
    rtnl.set("vm2", up=False)
    ksft_eq(world.who("vm1", mac(2)), {})
    ksft_eq(world.who("vm1", ALL), {"vm3": 1, "vmq0": 1, "wire0": 1})
    rtnl.set("vm2", up=True)
    ksft_eq(world.who("vm1", mac(2)), {"vm2": 1})
    # the host's side down does not keep ports from working
    rtnl.set("vmq0", up=False)
    ksft_eq(world.who("vm1", mac(2)), {"vm2": 1})
    ksft_eq(world.who("wire0", mac(2)), {"vm2": 1})
    ksft_eq(world.who("vm1", ALL), {"vm2": 1, "vm3": 1, "wire0": 1})


def test_promisc():
    """A promiscuous port gets what no filter names, of its own VLANs."""
    world = World()
    rtnl = Rtnl()
    rtnl.set("vm2", promisc=True)
    ksft_eq(world.who("wire0", mac(0x55)), {"vmq0": 1, "vm2": 1})
    ksft_eq(world.who("wire0", mac(0x55), vlan=20), {"vmq0": 1}, "M-04")
    ksft_eq(world.who("wire0", mac(1)), {"vm1": 1}, "another VM's (M-03)")
    ksft_eq(world.who("wire0", mac(2)), {"vm2": 1}, "once")
    ksft_eq(world.who("vm1", mac(0x55)), {"wire0": 1, "vm2": 1})
    ksft_eq(world.who("vm1", mac(3)), {"vm3": 1})
    ksft_eq(world.who("wire0", ALL), {"vmq0": 1, "vm1": 1, "vm2": 1,
                                      "vm3": 1}, "once")
    rtnl.set("vm2", promisc=False)
    ksft_eq(world.who("wire0", mac(0x55)), {"vmq0": 1})
    rtnl.set("vm3", promisc=True)
    rtnl.delete("vm3")
    world.raw.pop("vm3").close()
    ksft_eq(world.who("wire0", mac(0x55)), {"vmq0": 1})


def test_link_local():
    """What is between neighbours (LLDP, LACP, STP) reaches no port."""
    world = World()
    for last in (0, 2, 3, 0xe):
        dst = mac(f"01:80:c2:00:00:{last:02x}")
        ksft_eq(world.who("wire0", dst), {"vmq0": 1}, dst.hex())
        got = world.who("vm1", dst)
        ksft_eq({name for name in got if name.startswith("vm")} - {"vmq0"},
                set(), dst.hex())


def test_multicast_rule():
    """A rule for a multicast address: its queue has the frame, others copies.
    """
    world = World()
    ethtool(f"-N vmq0 flow-type ether dst {GROUP} "
            f"action {port_queue('vm1')}")
    cmd(f"ip maddress add {GROUP} dev vm2")
    got = world.who("wire0", mac(GROUP))
    ksft_eq(got.get("vm1"), 1)
    ksft_eq((got.get("vm2"), got.get("vm3")), (1, None), "O-46")


def test_drop_rule():
    """A rule that drops keeps frames of ports away, too."""
    world = World()
    ethtool("-N vmq0 flow-type ether dst 52:54:00:00:00:66 action -1")
    ksft_eq(world.who("vm1", mac(0x66)), {})
    ksft_eq(world.who("wire0", mac(0x66)), {})


def test_counters():
    """What ports and queues count is what was sent and received."""
    world = World()
    before = {name: link_stats(name) for name in ("vm1", "vm2", "vmq0")}
    for _ in range(5):
        world.who("vm1", mac(2))
    world.who("vm1", ALL)
    after = {name: link_stats(name) for name in before}

    def grew(name, field):
        return after[name][field] - before[name][field]

    ksft_eq(grew("vm1", "tx_packets"), 6)
    ksft_eq(grew("vm1", "tx_bytes"), 360)
    ksft_eq(grew("vm2", "rx_packets"), 6)
    ksft_eq(grew("vm2", "rx_bytes"), 360)
    ksft_eq(grew("vm2", "multicast"), 1)


def guests(count=2, prefix="10.8.0."):
    """`count` guests in network namespaces, and one host outside."""
    pair()
    adapter("vmq0", uplink="up0", rxq=8)
    made = []
    for number in range(1, count + 1):
        guest = NetNS()
        port(f"vm{number}", number=number, ns=guest)
        with guest:
            Rtnl().addr(f"vm{number}", f"{prefix}{number}", 24)
        made.append(guest)
    outside = NetNS()
    Rtnl().set("wire0", netns_fd=outside.fd)
    with outside:
        Rtnl().up("wire0")
        Rtnl().addr("wire0", f"{prefix}100", 24)
    return made, outside


SIZE = (3 if SLOW else 30) << 20


def test_tcp_ports():
    """A large TCP transfer between two guests, in large segments (GSO)."""
    (one, two), _ = guests()
    equal, took = transfer(one, two, "10.8.0.2", SIZE)
    ksft_true(equal)
    with two:
        stats = link_stats("vm2")
    ksft_ge(stats["rx_bytes"], SIZE)
    ksft_pr(f"{SIZE >> 20} MiB in {took:.1f} s, "
            f"{stats['rx_bytes'] // stats['rx_packets']} bytes a frame")
    ksft_true(stats["rx_packets"] < SIZE / 1448, "segments stay large")
    ksft_true(transfer(two, one, "10.8.0.1", SIZE // 4)[0])


def test_tcp_uplink():
    """The same through the uplink, both ways."""
    (guest,), outside = guests(1)
    equal, took = transfer(guest, outside, "10.8.0.100", SIZE)
    ksft_true(equal)
    ksft_pr(f"{SIZE >> 20} MiB in {took:.1f} s")
    ksft_true(transfer(outside, guest, "10.8.0.1", SIZE)[0])


def test_tcp_no_offload():
    """With every offload off on one side after the other."""
    (one, two), outside = guests()
    with one:
        ethtool("-K vm1 tx off tso off gso off")
    ksft_true(transfer(one, two, "10.8.0.2", SIZE // 8)[0], "port")
    ksft_true(transfer(one, outside, "10.8.0.100", SIZE // 8)[0], "port")
    ethtool("-K up0 tx off tso off gso off gro off")
    ksft_true(transfer(two, outside, "10.8.0.100", SIZE // 8)[0], "uplink")
    ksft_true(transfer(outside, two, "10.8.0.2", SIZE // 8)[0], "uplink")


def good_checksum(frame):
    """Is the checksum of TCP or UDP in this IPv4 frame the right one?"""
    head = (frame[14] & 15) * 4
    size = struct.unpack("!H", frame[16:18])[0]
    data = frame[14 + head:14 + size]
    return checksum(_pseudo(bytes(frame[26:30]), bytes(frame[30:34]),
                            frame[23], len(data)) + data) == 0


def test_checksums():
    """What leaves by an uplink without offloads has right checksums and fits
    its MTU."""
    (guest,), outside = guests(1)
    ethtool("-K up0 tx off")
    with outside:
        wire = Raw("wire0")
    defer(wire.close)
    ksft_true(transfer(guest, outside, "10.8.0.100", 256 << 10)[0])
    with guest, contextlib.closing(socket.socket(
            socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        for size in (0, 1, 100, 1472):
            sock.sendto(bytes(size), ("10.8.0.100", 9))
    frames = wire.all(match=lambda got: got[12:14] == b"\x08\0"
                      and got[23] in (6, 17))
    ksft_ge(len(frames), 180)
    ksft_eq([len(each) for each in frames if len(each) > 1514], [])
    ksft_eq(len([each for each in frames if not good_checksum(each)]), 0)


def test_tcp_vlan():
    """TCP in a VLAN, between guests and with the outside."""
    (one, two), outside = guests()
    for number, guest, dev in ((1, one, "vm1"), (2, two, "vm2"),
                               (100, outside, "wire0")):
        with guest:
            cmd(f"ip link add link {dev} name v10 type vlan id 10")
            Rtnl().up("v10")
            Rtnl().addr("v10", f"10.10.0.{number}", 24)
    for number in (1, 2):
        ethtool(f"-N vmq0 flow-type ether dst 52:54:00:00:00:0{number} "
                f"vlan 10 m 0xf000 action {number}")
    ksft_true(transfer(one, two, "10.10.0.2", SIZE // 8)[0])
    ksft_true(transfer(one, outside, "10.10.0.100", SIZE // 8)[0])
    ksft_true(transfer(outside, two, "10.10.0.2", SIZE // 8)[0])


def test_ipv6():
    """IPv6 with neighbour discovery through the switch."""
    pair()
    adapter("vmq0", uplink="up0")
    made = [NetNS(), NetNS()]
    for number, guest in enumerate(made, 1):
        port(f"vm{number}", number=number, ns=guest)
        with guest:
            with open(f"/proc/sys/net/ipv6/conf/vm{number}/disable_ipv6", "w",
                      encoding="ascii") as stream:
                stream.write("0")
            Rtnl().addr(f"vm{number}", f"fd00:8::{number}", 64)
    ksft_true(transfer(made[0], made[1], "fd00:8::2", SIZE // 8)[0])


def test_mtu():
    """Jumbo frames where all devices have the MTU."""
    pair(mtu=9000)
    adapter("vmq0", uplink="up0")
    ksft_eq(link_info("vmq0")["mtu"], 9000)
    port("vm1", number=1)
    with Raw("vm1") as guest, Raw("wire0") as wire:
        guest.drain()
        frame = ether(1, payload=bytes(8000))
        wire.send(frame)
        ksft_eq(guest.expect(frame), frame)
        frame = ether(9, src=1, payload=bytes(8000))
        guest.send(frame)
        ksft_eq(wire.expect(frame), frame)


def test_multiqueue_port():
    """A port with several queues spreads flows, and each stays in order."""
    pair()
    adapter("vmq0", uplink="up0", rxq=8)
    port("vm1", number=1, rxq=4, txq=4)
    with Raw("wire0") as wire, Raw("vm1") as guest:
        guest.drain()
        for flow in range(32):
            # ports that differ in many bits, as a hash is linear in them
            wire.send(*[build(1, "10.0.0.9", "10.0.0.1", sport=flow * 1999 + 1,
                              payload=bytes([turn])) for turn in range(3)])
        wait_until(lambda: link_stats("vm1")["rx_packets"] >= 96)
        got = guest.all(match=lambda each: each[12:14] == b"\x08\0")
        ksft_eq(len(got), 96)
        last = {}
        for each in got:
            flow = each[34:36]
            ksft_eq(each[42], last.get(flow, -1) + 1, "R-24")
            last[flow] = each[42]
    stats = ethtool_stats("vm1")
    used = [number for number in range(4)
            if stats[f"rx_queue_{number}_packets"]]
    ksft_ge(len(used), 3, "spread over its queues")
    ksft_eq(sum(stats[f"rx_queue_{number}_packets"] for number in range(4)),
            link_stats("vm1")["rx_packets"])


def test_two_adapters():
    """Two adapters are two switches."""
    pair()
    pair("up1", "wire1")
    adapter("vmq0", uplink="up0")
    adapter("vmq1", uplink="up1")
    port("vm1", number=1)
    port("vm2", link="vmq1", number=1)
    with Raw("wire0") as wire, Raw("vm1") as one, Raw("vm2") as two:
        frame = ether(1, payload=b"two adapters")
        one.drain()
        two.drain()
        wire.send(frame)
        ksft_eq(one.expect(frame), frame)
        ksft_eq(two.all(match=lambda got: got == frame), [])


def test_stress():
    """Many senders at once: nothing is lost between ports, counters agree."""
    world = World()
    count = 300 if SLOW else 3000
    before = link_stats("vm3")
    seen = [0, 0]

    def send(which):
        frames = [build(3, "10.0.0.1", "10.0.0.3", src=which)] * 50
        raw = world.raw[f"vm{which}"]
        while seen[which - 1] < count:
            raw.send(*frames)
            seen[which - 1] += 50

    threads = [threading.Thread(target=send, args=(which,))
               for which in (1, 2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    wait_until(lambda: link_stats("vm3")["rx_packets"]
               - before["rx_packets"] >= 2 * count, 5)
    after = link_stats("vm3")
    got = after["rx_packets"] - before["rx_packets"]
    lost = after["rx_dropped"] - before["rx_dropped"]
    ksft_eq(got, 2 * count, f"dropped: {lost}")


if __name__ == "__main__":
    ksft_main(globals())
