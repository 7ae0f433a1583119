#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Multicast frames: who has a copy."""

import os
import socket
import struct

from lib import (Raw, adapter, cmd, defer, ether, ksft_eq, ksft_main, ksft_true,
                 link_info, link_stats, mac, pair, port, vmqctl, wait_until)
from lib.vf import add_vfs
from switch import ALL, GROUP, World

OTHER = mac("01:00:5e:00:00:0a")


def hears(world, dst, sender="wire0"):
    """The ports that have a copy."""
    return sorted(name for name, n in world.who(sender, dst).items()
                  if name[:2] == "vm" and name != "vmq0" and n == 1)


def test_joined():
    """A netdev has the groups that it is in, and all broadcasts (O-46)."""
    world = World()
    ksft_eq(hears(world, mac(GROUP)), [])
    ksft_eq(hears(world, ALL), ["vm1", "vm2", "vm3"])
    cmd(f"ip maddress add {GROUP} dev vm1")
    ksft_eq(hears(world, mac(GROUP)), ["vm1"])
    ksft_eq(hears(world, mac(GROUP), "vm2"), ["vm1"], "from a port")
    ksft_eq(hears(world, mac(GROUP), "vmq0"), ["vm1"], "from the host")
    ksft_eq(hears(world, OTHER), [], "another group")
    cmd(f"ip maddress del {GROUP} dev vm1")
    ksft_eq(hears(world, mac(GROUP)), [])


def test_socket():
    """An application joins, and the port hears it as long as it runs (O-46)."""
    world = World()
    index = link_info("vm2")["ifindex"]
    group = struct.pack("4s4si", socket.inet_aton("224.0.0.9"), bytes(4), index)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        ksft_true(wait_until(lambda: hears(world, mac(GROUP)) == ["vm2"], 5))
    # leaving may take a moment
    ksft_true(wait_until(lambda: hears(world, mac(GROUP)) == [], 5))


def test_all():
    """In all-multicast and promiscuous mode a port has them all (O-46)."""
    world = World()
    for mode in ("allmulticast", "promisc"):
        cmd(f"ip link set vm3 {mode} on")
        ksft_eq(hears(world, OTHER), ["vm3"], mode)
        cmd(f"ip link set vm3 {mode} off")
        ksft_eq(hears(world, OTHER), [], mode)


def test_down():
    """What was joined while the port was down holds when it is up."""
    world = World()
    cmd("ip link set vm1 down")
    cmd(f"ip maddress add {GROUP} dev vm1")
    ksft_eq(hears(world, mac(GROUP)), [])
    cmd("ip link set vm1 up")
    ksft_eq(hears(world, mac(GROUP)), ["vm1"])


def test_vf():
    """A VF has the groups of its netdev, trusted or not (O-46)."""
    pair()
    adapter("vmq0", uplink="up0")
    one, two = add_vfs(2)
    wire = Raw("wire0")
    raw = {name: Raw(name) for name in (one, two)}
    for each in (wire, *raw.values()):
        defer(each.close)

    def gets(dst):
        for each in raw.values():
            each.drain()
        wire.send(ether(dst), ether(ALL, payload=b"end"))
        found = []
        for name, each in raw.items():
            frames = []
            while (got := each.recv(20)) is not None and b"end" not in got:
                frames.append(got)
            ksft_true(got, f"{name} heard nothing")
            found += [name] * sum(frame[:6] == dst for frame in frames)
        return found

    ksft_eq(gets(mac(GROUP)), [])
    cmd(f"ip maddress add {GROUP} dev {one}")
    ksft_eq(gets(mac(GROUP)), [one])
    ksft_eq(gets(OTHER), [])
    for mode in ("allmulticast", "promisc"):
        cmd(f"ip link set {two} {mode} on")
        ksft_eq(gets(OTHER), [two], mode)
        cmd(f"ip link set {two} {mode} off")
    cmd(f"ip maddress del {GROUP} dev {one}")
    ksft_eq(gets(mac(GROUP)), [])


def test_guest():
    """A guest has all, as long as nobody asked what groups it is in (O-46)."""
    adapter("vmq0")
    port("vm1", number=1)
    port("vm2", number=2)
    tap = os.open(f"/dev/{vmqctl('port show dev vm1')[0]['tap']}",
                  os.O_RDWR | os.O_NONBLOCK)
    defer(os.close, tap)
    before = link_stats("vm1")["multicast"]
    with Raw("vm2") as sender:
        sender.send(ether(OTHER))
    wait_until(lambda: link_stats("vm1")["multicast"] == before + 1)
    ksft_eq(len(os.read(tap, 2000)), 10 + 60)


if __name__ == "__main__":
    ksft_main(globals())
