#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: qemu
"""A port on a VF moves to another host: off its VF before, on one behind.

vm1 of vmq0 is the source, vm1b of vmq1 the destination; a guest by hand has
the taps of both, and sees what comes by the VFs.
"""

from lib import (Raw, Session, abort, adapter, cmd, defer, ether, ksft_eq,
                 ksft_lt, ksft_main, ksft_true, monitor, pair, port, restore,
                 vmqctl, wait_until)
from lib.tap import Guest, gate, port_get, port_set
from lib.vf import add_vfs
from failover import TO_PORT, TO_VF, path, set_path, steps
from gate import numbered, numbers


class World:
    """Source on VF 0 of its adapter; the destination, with so many VFs, waits
    for its guest."""

    def __init__(self, vfs):
        for number, dev in ((0, "vm1"), (1, "vm1b")):
            pair(f"up{number}", f"wire{number}")
            adapter(f"vmq{number}", uplink=f"up{number}", rxq=8)
            port(dev, link=f"vmq{number}", number=1 if number == 0 else 0x99)
        add_vfs(1, "vmq0")
        if vfs:
            add_vfs(vfs, "vmq1")
        self.wire = [Raw(f"wire{number}") for number in (0, 1)]
        self.vf = Raw("vmq0v0")
        for each in (*self.wire, self.vf):
            defer(each.close)
        self.guest = [Guest("vm1"), Guest("vm1b")]
        set_path("auto")
        cmd("vmqctl port set dev vm1b gate auto")
        set_path("auto", "vm1b")
        ksft_eq(path(), ("vf", "auto", 0))

    def begin(self):
        """Five frames by the VF, and five that the save makes wait."""
        self.wire[0].send(*numbered(5))
        ksft_eq(numbers(self.vf.all(0.3)), list(range(5)))
        session = Session("vm1", False)
        self.wire[0].send(*numbered(5, first=5))
        ksft_true(wait_until(
            lambda: port_get()["waiting_frames"] == 5, 5), "they wait")
        ksft_eq(self.vf.all(0.05), [])
        return session


def test_there():
    """The path is synthetic before the gate shuts and anything is saved, and
    each step is announced; no frame goes to the VF from then on. At the
    destination the path returns to a VF when the guest speaks there, and what
    waited comes before (L-15, L-16, S-21)."""
    world = World(1)
    ksft_eq(path("vm1b"), ("synthetic", "auto", 0), "its guest is elsewhere")
    with monitor() as end:
        session = world.begin()
        stream = session.read(None)
        session.close()
        restore("vm1b", stream)
        ksft_eq(path("vm1b"), ("synthetic", "auto", 0))
        world.guest[1].send(ether(9, 1))
        ksft_eq(numbers(world.guest[1].all(0.5, count=5)), [5, 6, 7, 8, 9])
        ksft_true(wait_until(lambda: path("vm1b")[0] == "vf", 20))
        events = end()
    ksft_eq(steps(events), TO_PORT)
    ksft_eq(steps(events, "vm1b"), TO_VF)
    told = [each["msg"].get("path-step") or each["msg"]["migration"]
            for each in events if each["name"] == "port-ntf"
            and each["msg"]["dev"] == "vm1"]
    ksft_lt(told.index(TO_PORT[-1]), told.index("saving"))
    ksft_eq(path(), ("synthetic", "auto", 0), "at the source")
    there = Raw("vmq1v0")
    defer(there.close)
    world.wire[1].send(*numbered(3, first=10))
    ksft_eq(numbers(there.all(0.3)), [10, 11, 12])
    [shown] = vmqctl("port show dev vm1b")
    ksft_eq((shown["path-changes"], shown["frames-dropped"]), (1, 0))
    [shown] = vmqctl("port show dev vm1")
    ksft_eq((shown["path-changes"], shown["frames-dropped"]), (2, 0))


def test_no_vf_there():
    """A destination without a VF for it takes the port, which works by the
    switch; with a VF that comes later it uses that (S-22)."""
    world = World(0)
    session = world.begin()
    restore("vm1b", session.read(None))
    session.close()
    world.guest[1].send(ether(9, 1))
    ksft_eq(numbers(world.guest[1].all(0.5, count=5)), [5, 6, 7, 8, 9])
    ksft_eq(path("vm1b"), ("synthetic", "auto", None))
    world.wire[1].send(*numbered(3, first=10))
    ksft_eq(numbers(world.guest[1].all(0.5, count=3)), [10, 11, 12])
    add_vfs(1, "vmq1")
    ksft_true(wait_until(lambda: path("vm1b") == ("vf", "auto", 0), 20))


def test_taken_vf_there():
    """The same where another port has the only VF."""
    world = World(0)
    port("vm2", link="vmq1", number=2)
    add_vfs(1, "vmq1")
    ksft_eq(path("vm1b"), ("synthetic", "auto", 0), "it was here first")
    set_path("synthetic", "vm1b")
    set_path("auto", "vm2")
    set_path("auto", "vm1b")
    session = world.begin()
    restore("vm1b", session.read(None))
    session.close()
    world.guest[1].send(ether(9, 1))
    ksft_eq(len(numbers(world.guest[1].all(0.5, count=5))), 5)
    ksft_eq((path("vm1b"), path("vm2")),
            (("synthetic", "auto", None), ("vf", "auto", 0)))


def test_back_at_the_source():
    """A guest that goes on at the source, as the migration failed, has its VF
    back, behind what waited."""
    world = World(0)
    for how in ("speaks", "abort", "speaks while it is saved"):
        session = world.begin()
        if how != "speaks while it is saved":
            session.read(None)
        if how == "abort":
            abort("vm1")
        else:
            world.guest[0].send(ether(9, 1))
        ksft_eq(gate(), "open")
        ksft_eq(numbers(world.guest[0].all(0.5, count=5)), [5, 6, 7, 8, 9])
        session.close()
        ksft_true(wait_until(lambda: path()[0] == "vf", 20), how)
        world.vf.drain()


def test_open_gate():
    """Without a gate, a restore gives the VF back when it is over."""
    world = World(1)
    port_set("vm1b", gate="open")
    ksft_true(wait_until(lambda: path("vm1b")[0] == "vf", 20))
    session = world.begin()
    stream = session.read(None)
    session.close()
    restore("vm1b", stream)
    ksft_eq(numbers(world.guest[1].all(0.5, count=5)), [5, 6, 7, 8, 9])
    ksft_true(wait_until(lambda: path("vm1b")[0] == "vf", 20))


if __name__ == "__main__":
    ksft_main(globals())
