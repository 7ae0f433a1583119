#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Failover between a port's own path and a VF of its adapter."""

import contextlib
import errno
import glob
import os
import re
import threading
import time

from lib import (UAPI, Genl, NetNS, Raw, Rtnl, Rule, Session, abort, adapter,
                 attr_str, attr_u32,
                 build, cmd, defer, ethtool, ethtool_stats, fail_cmd, ksft_eq,
                 ksft_ge, ksft_in, ksft_lt, ksft_main, ksft_pr, ksft_raises,
                 ksft_true, link_info, link_stats, mac, machine, monitor,
                 pair, port, rule_del, save, settle, vmqctl, wait_until)
from lib.env import quiet
from lib.ksft import KsftFailEx
from lib.ioctl import ETHER
from lib.netlink import NlError
from lib.pktgen import Pktgen
from lib.rss import NEW, rss_delete, rss_set, rule_add_context
from lib.vf import add_vfs, driver, set_numvfs, vf_info, vf_set

ALL = b"\xff" * 6
SLOW = machine() == "uml-debug"
TO_VF = ["vport-create", "filters-to-vf", "vf-expose", "vf-switch"]
TO_PORT = ["filters-to-port", "vport-delete", "vf-reset"]


def set_path(text, dev="vm1"):
    cmd(f"vmqctl port set dev {dev} path {text}")


def path(dev="vm1"):
    """(path, policy, VF or None)"""
    shown = vmqctl(f"port show dev {dev}")[0]
    return shown["path"], shown["path-policy"], shown.get("vf")


class Path:
    """port-set path without starting a program; fast enough for a storm"""

    def __init__(self, dev="vm1"):
        self.genl, self.dev = Genl(), dev
        defer(self.genl.close)

    def set(self, policy, vf=None):
        attrs = [attr_u32(UAPI["VMQ_A_PORT_PATH_POLICY"], policy)]
        if vf is not None:
            attrs.append(attr_u32(UAPI["VMQ_A_PORT_VF"], vf))
        self.genl.call(UAPI["VMQ_CMD_PORT_SET"],
                       attr_str(UAPI["VMQ_A_PORT_DEV"], self.dev), *attrs)


SYNTHETIC, VF, AUTO = range(3)


class World:
    """wire0 - up0 - vmq0 with ports and VFs; who got what."""

    def __init__(self, ports=(1,), vfs=1):
        pair()
        adapter("vmq0", uplink="up0", rxq=8)
        for number in ports:
            port(f"vm{number}", number=number)
        self.vfs = add_vfs(vfs)
        self.raw = {name: Raw(name) for name in
                    ["wire0", "vmq0", *self.vfs,
                     *(f"vm{each}" for each in ports)]}
        for each in self.raw.values():
            defer(each.close)
        self.number = 0

    def who(self, dev, dst, **options):
        self.number += 1
        text = b"failover %d;" % self.number
        for each in self.raw.values():
            each.drain()
        self.raw[dev].send(build(dst, "10.0.0.1", "10.0.0.2", payload=text,
                                 **options))
        settle(0.05 if SLOW else 0.02)
        return sorted(name for name, each in self.raw.items()
                      for _ in each.all(0, lambda got: text in got))


def steps(events, dev="vm1"):
    return [each["msg"]["path-step"] for each in events
            if each["name"] == "port-ntf" and each["msg"]["dev"] == dev
            and "path-step" in each["msg"]]


def test_order():
    """S-27, S-28, S-30, S-31: every step is announced, in its order, and the
    filters move before the VPort goes."""
    World()
    with monitor() as end:
        set_path("vf 0")
        ksft_eq(path(), ("vf", "vf", 0))
        set_path("synthetic")
        ksft_eq(path(), ("synthetic", "synthetic", None))
        events = end()
    ksft_eq(steps(events), ["vf-allocate", *TO_VF, *TO_PORT, "vf-free"])
    # F-30: the filter itself is announced as moved, between the two steps
    names = [each["msg"].get("path-step") or each["msg"].get("event")
             for each in events if each["name"] in ("port-ntf", "filter-ntf")]
    names = [each for each in names if each]
    ksft_eq(names[names.index("vport-create") + 1], "move")
    ksft_eq(names[names.index("filters-to-port") - 1], "move")
    ksft_eq([each["msg"]["path"] for each in events
             if each["msg"].get("path-step") == "filters-to-port"],
            ["synthetic"])


def test_frames():
    """S-24 to S-26, F-30: frames take the path, and no frame takes both."""
    world = World(ports=(1, 2), vfs=1)
    ksft_eq(world.who("wire0", 1), ["vm1"])
    queue = vmqctl("port show dev vm1")[0]["queues"][0]
    set_path("vf 0")
    ksft_eq(link_info("vmq0v0")["address"], "52:54:00:00:00:01", "S-24")
    ksft_eq(world.who("wire0", 1), ["vmq0v0"])
    ksft_eq(world.who("vm2", 1, src=2), ["vmq0v0"], "S-25")
    ksft_eq(world.who("vmq0v0", 2, src=1), ["vm2"])
    ksft_eq(world.who("wire0", ALL), ["vm2", "vmq0", "vmq0v0"])
    ksft_eq(world.who("vmq0v0", ALL, src=1), ["vm2", "vmq0", "wire0"])
    ksft_eq(world.who("vm1", ALL, src=1), ["vm2", "vmq0", "wire0"],
            "what the guest sends by its other NIC does not come back")
    shown = vmqctl(f"filter show dev vmq0")
    ksft_eq([(each["queue"], each.get("vf")) for each in shown
             if each["owner"] == "port vm1"], [(queue, 0)])
    ksft_eq(vmqctl(f"queue show dev vmq0 queue {queue}")[0]["state"],
            "paused", "Q-33: without filters")
    # filters that come meanwhile go there too, and so does an address
    ethtool(f"-N vmq0 flow-type ether dst 52:54:00:00:00:77 action {queue} "
            "loc 3")
    ksft_eq(world.who("wire0", 0x77), ["vmq0v0"])
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.set("vm1", address="52:54:00:00:00:11")
    ksft_eq(link_info("vmq0v0")["address"], "52:54:00:00:00:11")
    ksft_eq(world.who("wire0", 0x11), ["vmq0v0"])
    ksft_eq(world.who("wire0", 1), ["vmq0"])
    set_path("synthetic")
    ksft_eq(world.who("wire0", 0x11), ["vm1"])
    ksft_eq(world.who("wire0", 0x77), ["vm1"])
    ksft_eq(world.who("wire0", ALL), ["vm1", "vm2", "vmq0"],
            "the VF is nobody's")
    ksft_eq(world.who("vmq0v0", ALL, src=0x11), [])
    ksft_eq(link_info("vmq0v0")["carrier"], 0)
    ksft_eq(vmqctl(f"queue show dev vmq0 queue {queue}")[0]["state"],
            "running")
    vf_set(0, "mac 52:54:00:00:01:00")
    ksft_eq(world.who("wire0", 0x100), ["vmq0v0"], "on its own again")


def test_context_away():
    """An RSS context stays while its rules are with the VF: they come back."""
    pair()
    adapter("vmq0", uplink="up0", rxq=8)
    port("vm1", number=1, rxq=3)                    # has 1, 2, 3
    add_vfs(1)
    one = rss_set("vmq0", [2, 3], context=NEW)
    location = rule_add_context("vmq0", Rule(ETHER).dst(mac(0x77)), one)
    set_path("vf 0")
    with ksft_raises(OSError) as caught:
        rss_delete("vmq0", one)
    ksft_eq(caught.exception.errno, errno.EBUSY, "the rule will need it")
    with ksft_raises(OSError) as caught:
        rss_set("vmq0", [5, 6], context=one)
    ksft_eq(caught.exception.errno, errno.EBUSY, "nor is it another port's")
    set_path("synthetic")
    wire = Raw("wire0")
    defer(wire.close)
    wire.send(build(0x77, "10.0.0.1", "10.0.0.2"))
    ksft_true(wait_until(lambda: link_stats("vm1")["rx_packets"], 10, 0.01),
              "frames take it again")
    rule_del("vmq0", location)
    rss_delete("vmq0", one)


def test_fall_back():
    """S-21, S-29: a VF that goes away, in whatever way, leaves the port working;
    `path auto` returns by itself, `path vf` does not."""
    world = World()
    with contextlib.closing(Rtnl()) as rtnl:
        ways = {
            "down": (lambda: rtnl.set("vmq0v0", up=False),
                     lambda: rtnl.up("vmq0v0")),
            "link": (lambda: vf_set(0, "state disable"),
                     lambda: vf_set(0, "state auto")),
        }
        for name, (leave, come) in ways.items():
            set_path("auto 0")
            ksft_eq(path(), ("vf", "auto", 0), name)
            with monitor() as end:
                leave()
                ksft_eq(path(), ("synthetic", "auto", 0), name)
                ksft_eq(world.who("wire0", 1), ["vm1"], name)
                come()
                ksft_eq(path(), ("vf", "auto", 0), name)
                events = end()
            ksft_eq(steps(events), [*TO_PORT, *TO_VF], name)
            ksft_eq(world.who("wire0", 1), ["vmq0v0"], name)
            set_path("vf 0")
            leave()
            ksft_eq(path(), ("synthetic", "synthetic", None), name)
            ksft_eq(world.who("wire0", 1), ["vm1"], name)
            come()
            ksft_eq(path(), ("synthetic", "synthetic", None), name)
        # the netdev itself comes and goes
        set_path("auto 0")
        del world.raw["vmq0v0"]
        driver("unbind", 0)
        ksft_eq(path(), ("synthetic", "auto", 0))
        ksft_eq(world.who("wire0", 1), ["vm1"])
        driver("bind", 0)
        ksft_eq(path()[0], "synthetic", "not before it is up (S-19)")
        rtnl.up("vmq0v0")
        ksft_eq(path(), ("vf", "auto", 0))
        ksft_eq(link_info("vmq0v0")["address"], "52:54:00:00:00:01")
        # to its guest's network namespace
        ns = NetNS()
        rtnl.set("vmq0v0", netns_fd=ns.fd)
        ksft_eq(path()[0], "synthetic")
        with ns, contextlib.closing(Rtnl()) as inside:
            inside.up("vmq0v0")
        ksft_eq(path(), ("vf", "auto", 0))
        rtnl.delete("vm1")
        with ns:
            ksft_eq(link_info("vmq0v0")["carrier"], 0, "freed with its port")


def forwarding_extension():
    """Loads it; -> where its parameters are"""
    found = glob.glob(f"{os.environ['VMQ_BUILD']}/**/vmq_fakefwd.ko",
                      recursive=True)
    cmd("insmod " + " ".join(found))
    defer(cmd, "rmmod vmq_fakefwd")
    return "/sys/module/vmq_fakefwd/parameters"


def test_allocating_refused():
    """X-47: an extension may refuse that a port gets a VF, not that it gives it
    back; what was refused changed nothing."""
    knobs = forwarding_extension()
    World()
    cmd("vmqctl ext enable dev vmq0 name fwd")
    set_path("vf 0")
    with open(f"{knobs}/refuse", "w", encoding="ascii") as stream:
        stream.write("1")
    ksft_in("fwd refused", fail_cmd("vmqctl port set dev vm1 path auto 0")[1])
    ksft_eq(path(), ("vf", "vf", 0))
    set_path("synthetic")
    ksft_eq(path(), ("synthetic", "synthetic", None))
    ksft_in("fwd refused", fail_cmd("vmqctl port set dev vm1 path vf 0")[1])
    ksft_eq(path(), ("synthetic", "synthetic", None))
    ksft_eq(vf_info(0).get("port"), None)


def test_forwarding_extension():
    """S-34: an extension that forwards takes a VM off its VF and lets it back; the
    steps are those of any failover, and the frames go through the switch."""
    knobs = forwarding_extension()

    def hold(value):
        with open(f"{knobs}/hold", "w", encoding="ascii") as stream:
            stream.write(value)

    def frames():
        with open(f"{knobs}/frames", encoding="ascii") as stream:
            return int(stream.read())

    world = World(ports=(1, 2), vfs=2)
    cmd("vmqctl ext enable dev vmq0 name fwd")
    for policy in ("vf 0", "auto 0"):
        kind = policy.split()[0]
        set_path(policy)
        ksft_eq(path(), ("vf", kind, 0))
        ksft_eq(world.who("wire0", 1), ["vmq0v0"])
        with monitor() as end:
            hold("1")
            wait_until(lambda: path()[0] == "synthetic")
            ksft_eq(path(), ("synthetic", kind, 0), "the VF stays the port's")
            seen = frames()
            ksft_eq(world.who("wire0", 1), ["vm1"])
            ksft_ge(frames(), seen + 1)
            # whatever is asked for, and whatever happens to the VF
            set_path(policy)
            set_path("auto 1", "vm2")
            ksft_eq((path()[0], path("vm2")), (
                "synthetic", ("synthetic", "auto", 1)))
            with contextlib.closing(Rtnl()) as rtnl:
                rtnl.set("vmq0v0", up=False)
                ksft_eq(path()[0], "synthetic")
                rtnl.up("vmq0v0")
            hold("0")
            if kind == "vf":        # it gave up when its VF went down, S-29
                set_path(policy)
            wait_until(lambda: path()[0] == path("vm2")[0] == "vf")
            events = end()
        ksft_eq(world.who("wire0", 1), ["vmq0v0"])
        ksft_in(",".join(TO_PORT), ",".join(steps(events)))
        ksft_in(",".join(TO_VF), ",".join(steps(events)))
        set_path("synthetic")
        set_path("synthetic", "vm2")
    # it goes, and what it wanted with it
    set_path("vf 0")
    hold("1")
    wait_until(lambda: path()[0] == "synthetic")
    cmd("vmqctl ext disable dev vmq0 name fwd")
    wait_until(lambda: path()[0] == "vf")
    cmd("vmqctl ext enable dev vmq0 name fwd")
    wait_until(lambda: path()[0] == "synthetic")
    Rtnl().delete("vm1")
    hold("0")
    cmd("vmqctl ext disable dev vmq0 name fwd")


def test_refused():
    """What can't be is refused, says why, and changes nothing."""
    world = World(ports=(1, 2), vfs=2)
    set_path("vf 0")
    for words, text in (("vf 0", "in use by port vm1"), ("vf 7", "no such VF"),
                        ("vf", "which VF"), ("auto 0", "in use by port vm1")):
        status, message = fail_cmd(f"vmqctl port set dev vm2 path {words}")
        ksft_eq(status, 1, words)
        ksft_in(text, message)
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.set("vmq0v1", up=False)
    ksft_in("not ready", fail_cmd("vmqctl port set dev vm2 path vf 1")[1])
    vf_set(1, "vlan 7")
    ksft_in("VLAN", fail_cmd("vmqctl port set dev vm2 path auto 1")[1])
    ksft_eq(fail_cmd("vmqctl port set dev vm2 path sideways")[0], 2)
    ksft_eq(path("vm2"), ("synthetic", "synthetic", None))
    wrong = Path("vm2")
    for policy, vf, number in ((SYNTHETIC, 1, errno.EINVAL),
                               (VF, 0xffffffff, errno.ENOENT),
                               (9, None, errno.ERANGE)):
        with ksft_raises(NlError) as caught:
            wrong.set(policy, vf)
        ksft_eq(caught.exception.errno, number)
    # a port's VF has the port's address, and does not go
    for text in ("mac 52:54:00:00:01:00", "vlan 5"):
        ksft_true(fail_cmd(f"ip link set vmq0 vf 0 {text}")[0], text)
    with ksft_raises(OSError) as caught:
        set_numvfs(0)
    ksft_eq(caught.exception.errno, errno.EBUSY)
    ksft_eq(world.who("wire0", 1), ["vmq0v0"])
    ksft_eq(world.who("wire0", 2), ["vm2"])


def test_no_uplink_vfs():
    """path ... uplink is refused over anything but a NIC with VFs, and says what
    is supported."""
    pair()
    adapter("vmq0", rxq=8)
    port("vm1", number=1)
    ksft_in("no uplink", fail_cmd("vmqctl port set dev vm1 path auto uplink")[1])
    cmd("ip link add bond1 type bond mode active-backup")
    defer(cmd, "ip link del bond1")
    cmd("ip link set bond1 master vmq0")
    for words in ("auto uplink", "vf uplink:0"):
        status, message = fail_cmd(f"vmqctl port set dev vm1 path {words}")
        ksft_eq(status, 1)
        ksft_in("PCI NIC that is the uplink itself", message)
    ksft_eq(path(), ("synthetic", "synthetic", None))


def test_more_ports_than_vfs():
    """S-22, S-33: who finds no VF works without; a VF that is given up is the
    next one's."""
    world = World(ports=(1, 2, 3), vfs=2)
    for number in (1, 2, 3):
        set_path("auto", f"vm{number}")
    ksft_eq(path("vm1"), ("vf", "auto", 0))
    ksft_eq(path("vm2"), ("vf", "auto", 1))
    ksft_eq(path("vm3"), ("synthetic", "auto", None))
    ksft_eq(world.who("wire0", 3), ["vm3"])
    set_path("synthetic", "vm1")
    ksft_eq(path("vm3"), ("vf", "auto", 0))
    ksft_eq(world.who("wire0", 3), ["vmq0v0"])
    ksft_eq(world.who("wire0", 1), ["vm1"])
    set_path("auto", "vm1")
    ksft_eq(path("vm1"), ("synthetic", "auto", None))
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.delete("vm2")
    ksft_eq(path("vm1"), ("vf", "auto", 1))
    ksft_eq(world.who("wire0", 1), ["vmq0v1"])
    for number in (1, 3):
        set_path("synthetic", f"vm{number}")
    set_numvfs(0)
    set_path("auto", "vm3")
    add_vfs(1)
    ksft_eq(path("vm3"), ("vf", "auto", 0), "VFs that come later")


def test_save():
    """L-15: a save takes the port off its VF first; it returns when the port's
    gate is open again."""
    World()
    set_path("auto 0")
    ksft_true(save("vm1"))
    ksft_eq(path(), ("synthetic", "auto", 0))
    set_path("auto 0")
    ksft_eq(path(), ("synthetic", "auto", 0), "not while its gate is shut")
    cmd("vmqctl port set dev vm1 gate open")
    ksft_true(wait_until(lambda: path() == ("vf", "auto", 0), 20))
    for restore in (True, False):
        session = Session("vm1", restore)
        ksft_eq(path(), ("synthetic", "auto", 0))
        abort("vm1")
        ksft_true(wait_until(lambda: path() == ("vf", "auto", 0), 20),
                  "an aborted one is none")
        session.close()
        session = Session("vm1", restore)
        ksft_eq(path(), ("synthetic", "auto", 0))
        session.close()
        ksft_true(wait_until(lambda: path() == ("vf", "auto", 0), 20),
                  "nor is one that nobody reads or writes")


def test_gate():
    """L-15: a VF knows no gate, so that the path of a port whose gate is shut
    is synthetic, whoever asks for a VF."""
    world = World()
    set_path("auto 0")
    for mode in ("closed", "auto"):
        cmd(f"vmqctl port set dev vm1 gate {mode}")
        ksft_eq(path(), ("synthetic", "auto", 0), mode)
        ksft_eq(world.who("wire0", 1), [], "it waits")
        driver("unbind", 0)
        driver("bind", 0)
        with contextlib.closing(Rtnl()) as rtnl:
            rtnl.up("vmq0v0")
        ksft_eq(path()[0], "synthetic", "a VF that becomes ready")
        cmd("vmqctl port set dev vm1 gate open")
        ksft_true(wait_until(lambda: path()[0] == "vf", 20), mode)
    set_path("synthetic")
    cmd("vmqctl port set dev vm1 gate closed")
    set_path("vf 0")
    ksft_eq(path(), ("synthetic", "vf", 0))
    with contextlib.closing(Rtnl()) as rtnl:
        cmd("vmqctl port set dev vm1 gate open")
        rtnl.delete("vm1")
    ksft_eq(vmqctl("port show"), [], "it goes while it is about to return")


class Stream(threading.Thread):
    """Frames to a MAC address, from the wire: pktgen at a constant rate, or
    where the kernel has none, raw as fast as it goes."""

    RATE = 60000            # what arrives is 50000 and more a second

    def __init__(self, dst):
        super().__init__(daemon=True)
        self.dst, self.go = dst, True
        self.pktgen = Pktgen.there() and \
            Pktgen("wire0", "count 0", "pkt_size 100",
                   f"dst_mac 52:54:00:00:00:{dst:02x}", "dst 10.0.0.2",
                   f"ratep {self.RATE}")

    def run(self):
        if self.pktgen:
            self.pktgen.start()
            return
        frame = build(self.dst, "10.0.0.1", "10.0.0.2", payload=b"s" * 64)
        with Raw("wire0", 0) as raw:
            while self.go:
                raw.send(frame)

    def end(self):
        self.go = False
        if self.pktgen:
            self.pktgen.stop()
        self.join()


def came():
    """Frames that the adapter received."""
    return link_stats("up0")["rx_packets"]


def test_no_loss():
    """S-32: under a constant stream no frame is lost at any failover: what the
    uplink received is what the port and the VF did, and nothing was dropped. Each
    failover took its steps in their order (S-27, S-30)."""
    World()
    switch = Path()
    before = {dev: link_stats(dev)["rx_packets"]
              for dev in ("up0", "vm1", "vmq0v0")}
    turns = 20 if SLOW else 100
    with monitor() as end:
        stream = Stream(1)
        begin = time.monotonic()
        stream.start()
        for _ in range(turns):
            for policy, vf in ((VF, 0), (SYNTHETIC, None)):
                at = came()
                if not wait_until(lambda: came() > at + 20, 60, 0.002):
                    raise KsftFailEx("the stream does not flow")
                switch.set(policy, vf)
        stream.end()
        took = time.monotonic() - begin
        events = end()

    def got():
        return {dev: link_stats(dev)["rx_packets"] - before[dev]
                for dev in before}

    wait_until(lambda: got()["vm1"] + got()["vmq0v0"] >= got()["up0"])
    found = got()
    ksft_pr(f"{found['up0']} frames, {found['up0'] / took:.0f} a second, "
            f"{2 * turns} failovers; {found}")
    ksft_eq(found["vm1"] + found["vmq0v0"], found["up0"])
    for dev in ("vm1", "vmq0v0"):
        ksft_ge(found[dev], 20 * turns, dev)
        ksft_eq(link_stats(dev)["rx_dropped"], 0, dev)
    ksft_eq(link_stats("vmq0")["rx_dropped"], 0)
    ksft_eq(vf_info(0)["stats"]["rx"]["dropped"], 0)
    ksft_eq(vmqctl("port show dev vm1")[0]["path-changes"], 2 * turns)
    ksft_eq(steps(events), ["vf-allocate", *TO_VF, *TO_PORT, "vf-free"] * turns)


def bond(ns):
    """The guest: a bond of the port and of the VF, which is the better one."""
    with contextlib.closing(Rtnl()) as rtnl:
        for name in ("vm1", "vmq0v0"):
            rtnl.set(name, up=False)
            rtnl.set(name, netns_fd=ns.fd)
    with ns, contextlib.closing(Rtnl()) as rtnl:
        cmd("ip link add bond0 type bond mode active-backup miimon 10 "
            "all_slaves_active 1")
        quiet("bond0")
        for name in ("vm1", "vmq0v0"):
            rtnl.set(name, master="bond0")
            rtnl.up(name)
        cmd("ip link set bond0 type bond primary vmq0v0")
        rtnl.up("bond0")
        rtnl.addr("bond0", "10.0.0.1", 24)


def active(ns):
    with ns, open("/proc/thread-self/net/bonding/bond0",
                  encoding="ascii") as stream:
        return re.search(r"Currently Active Slave: (\S+)", stream.read())[1]


def test_tcp():
    """S-32: 200 failovers in both directions under TCP transfers, by a bond in
    the guest: every connection survives, and every byte arrives."""
    from lib.traffic import transfer
    pair()
    adapter("vmq0", uplink="up0", rxq=8)
    port("vm1", number=1)
    add_vfs(1)
    guest = NetNS()
    switch = Path()
    turns = 10 if SLOW else 100
    # the port is in the guest, but its path is the host's to choose
    bond_path = switch
    bond(guest)
    outside = NetNS()
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.set("wire0", netns_fd=outside.fd)
    with outside, contextlib.closing(Rtnl()) as rtnl:
        quiet("wire0")
        rtnl.up("wire0")
        rtnl.addr("wire0", "10.0.0.2", 24)
    with guest:
        bond_path = Path()
    results = []

    def run(number, client, server, address):
        while len(results) < 1000 and not done.is_set():
            results.append(transfer(client, server, address, 4 << 20,
                                    port=5000 + number)[0])

    done = threading.Event()
    threads = [threading.Thread(target=run, args=each, daemon=True)
               for each in ((1, guest, outside, "10.0.0.2"),
                            (2, outside, guest, "10.0.0.1"))]
    for each in threads:
        each.start()
    moved = 0
    for _ in range(turns):
        for policy, vf, want in ((VF, 0, "vmq0v0"), (SYNTHETIC, None, "vm1")):
            bond_path.set(policy, vf)
            moved += bool(wait_until(lambda: active(guest) == want, 60))
    done.set()
    for each in threads:
        each.join(90)
    ksft_eq(moved, 2 * turns, "the guest followed")
    ksft_pr(f"{len(results)} transfers of 4 MiB, {2 * turns} failovers")
    ksft_ge(len(results), 2)
    ksft_eq([each for each in results if not each], [])


if __name__ == "__main__":
    ksft_main(globals())
