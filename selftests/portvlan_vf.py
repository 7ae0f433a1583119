#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: uml-plain
"""A VF that is the path of a port has the VLANs, the isolation and the check of
source addresses of the port (X-20, X-43); the cases of portvlan.py, by a VF."""

import contextlib

from lib import (Raw, Rtnl, adapter, cmd, defer, ether, fail_cmd, ksft_eq,
                 ksft_in, ksft_main, ksft_true, link_stats, machine, pair, port,
                 restore, save, vmqctl)
from lib.vf import add_vfs, driver, vf_set

SLOW = machine() != "uml-plain"
ALL = b"\xff" * 6
sequence = iter(range(1, 1 << 30))


def world(ports=1, vfs=1):
    """-> raw sockets: outside, the ports, the VFs"""
    pair()
    adapter("vmq0", uplink="up0", rxq=8)
    names = [f"vm{number}" for number in range(1, ports + 1)]
    for number, name in enumerate(names, 1):
        port(name, number=number)
    made = [Raw(name) for name in ["wire0", *names, *add_vfs(vfs)]]
    for each in made:
        defer(each.close)
    return made


def set_port(text, dev="vm1"):
    cmd(f"vmqctl port set dev {dev} {text}")


def path(dev="vm1"):
    [shown] = vmqctl(f"port show dev {dev}")
    return shown["path"]


def cross(sender, receiver, dst, src, vlan=None, wait=0.12 if SLOW else 0.06):
    """How a frame arrives: "lost", "untagged", or its VLAN id."""
    payload = b"vmq" + next(sequence).to_bytes(4, "big")
    receiver.drain()
    sender.send(ether(dst, src, vlan=vlan, payload=payload))
    got = receiver.expect(lambda frame: frame[14:21] == payload, wait)
    if got is None:
        return "lost"
    return "untagged" if got.tci is None else got.tci & 0xfff


def comes(*arguments, **words):
    """The same of one that has to arrive, however busy the host is."""
    return cross(*arguments, wait=10, **words)


def access(wire, guest, vlan):
    """Is it an access port of this VLAN, by whichever path?"""
    for dst in (9, ALL):
        ksft_eq(comes(guest, wire, dst, 1), vlan, "out")
        ksft_eq(cross(guest, wire, dst, 1, vlan=vlan + 1), "lost", "another")
    for dst in (1, ALL):
        ksft_eq(comes(wire, guest, dst, 9, vlan=vlan), "untagged", "in")
        ksft_eq(cross(wire, guest, dst, 9), "lost", "in: untagged")
        ksft_eq(cross(wire, guest, dst, 9, vlan=vlan + 1), "lost", "in: other")


def test_access():
    """The VLAN goes with the port to the VF, changes there, and comes back."""
    wire, guest, vf = world()
    set_port("vlan 5")
    access(wire, guest, 5)
    set_port("path vf 0")
    ksft_eq(path(), "vf")
    access(wire, vf, 5)
    ksft_true(link_stats("vmq0v0")["tx_dropped"] >= 2, "counted")
    set_port("vlan 6")
    access(wire, vf, 6)
    set_port("path synthetic")
    access(wire, guest, 6)
    set_port("vlan none path vf 0")
    ksft_eq(comes(wire, vf, 1, 9), "untagged")
    ksft_eq(comes(vf, wire, 9, 1, vlan=7), 7, "no policy")
    set_port("vlan 5 path vf 0")
    access(wire, vf, 5)
    # a VF that is given up has none of it
    set_port("path synthetic")
    vf_set(0, "mac 52:54:00:00:01:00")
    ksft_eq(comes(vf, wire, 9, 0x100), "untagged")
    ksft_eq(comes(wire, vf, 0x100, 9, vlan=77), 77)


def test_trunk():
    """Tags of the list, and a VLAN for untagged frames."""
    wire, _, vf = world()
    set_port("path auto 0")
    set_port("vlan 5 trunk 10-12")
    for vlan, wanted in ((None, 5), (11, 11), (13, "lost")):
        for dst in (9, ALL):
            ksft_eq(cross(vf, wire, dst, 1, vlan=vlan), wanted, f"{vlan}")
    for vlan, wanted in ((5, "untagged"), (12, 12), (13, "lost"),
                         (None, "lost")):
        for dst in (1, ALL):
            ksft_eq(cross(wire, vf, dst, 9, vlan=vlan), wanted, f"{vlan}")


def test_spoofchk():
    """Addresses of the port, not those that the guest gives its VF."""
    wire, _, vf = world()
    vf_set(0, "spoofchk off")
    set_port("path vf 0")
    ksft_eq(comes(vf, wire, 9, 0x66), "untagged", "off")
    set_port("spoofchk on")
    ksft_eq(comes(vf, wire, 9, 1), "untagged")
    for dst in (9, ALL):
        ksft_eq(cross(vf, wire, dst, 0x66), "lost")
    cmd("ip link add link vmq0v0 name mac0 address 52:54:00:00:00:66 "
        "type macvlan")
    defer(cmd, "ip link del mac0")
    cmd("ip link set mac0 up")
    ksft_eq(cross(vf, wire, 9, 0x66), "lost", "the guest's own list")
    cmd("bridge fdb add 52:54:00:00:00:66 dev vm1")
    ksft_eq(comes(vf, wire, 9, 0x66), "untagged", "the port's")
    set_port("spoofchk off")
    ksft_eq(comes(vf, wire, 9, 0x77), "untagged")


def test_isolate():
    """Isolated ports do not reach each other, whoever of them has a VF."""
    wire, one, two, vf0, vf1 = world(ports=2, vfs=2)
    for dev in ("vm1", "vm2"):
        set_port("isolate on", dev)
    for first in (False, True):
        for second in (False, True):
            set_port("path vf 0" if first else "path synthetic")
            set_port("path vf 1" if second else "path synthetic", "vm2")
            a, b = vf0 if first else one, vf1 if second else two
            for here, there, dst, src in ((a, b, 2, 1), (b, a, 1, 2)):
                ksft_eq(cross(here, there, dst, src), "lost")
                ksft_eq(cross(here, there, ALL, src), "lost")
            ksft_eq(comes(a, wire, ALL, 1), "untagged")
            ksft_eq(comes(wire, b, 2, 9), "untagged")
    set_port("isolate off", "vm2")
    ksft_eq(comes(vf0, vf1, 2, 1), "untagged")
    ksft_eq(comes(vf1, vf0, ALL, 2), "untagged")


def test_rebind():
    """A driver that comes back finds it in place."""
    wire, _, _ = world()
    set_port("vlan 5 spoofchk on path auto 0")
    for _ in range(2):
        driver("unbind", 0)
        ksft_eq(path(), "synthetic")
        driver("bind", 0)
        with contextlib.closing(Rtnl()) as rtnl:
            rtnl.up("vmq0v0")
        ksft_eq(path(), "vf")
        with Raw("vmq0v0") as vf:
            access(wire, vf, 5)


def test_restore():
    """A stream brings it to a port that has a VF."""
    wire, _, _, vf = world(ports=2)
    set_port("vlan 5")
    stream = save("vm1")
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.delete("vm1")
    set_port("path auto 0", "vm2")
    restore("vm2", stream)
    set_port("gate open", "vm2")
    set_port("path auto 0", "vm2")
    ksft_eq(path("vm2"), "vf")
    access(wire, vf, 5)


def test_refused():
    """A change that can't be leaves the VF as it was."""
    wire, _, _, vf = world(ports=2)
    set_port("vlan 5 path vf 0")
    set_port("vlan 6", "vm2")
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.set("vm2", address="52:54:00:00:00:01")
    status, message = fail_cmd("vmqctl port set dev vm1 vlan 6 spoofchk on")
    ksft_eq(status, 1)
    ksft_in("already matches", message)
    access(wire, vf, 5)
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.delete("vm1")
    ksft_eq(cross(wire, vf, 1, 9, vlan=5), "lost", "freed with its port")


if __name__ == "__main__":
    ksft_main(globals())
