#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Coming and going, under traffic, and at last of the module itself.

This runs last: it takes the modules away. What leaked then, the machine finds
(kmemleak, on uml-debug).
"""

import contextlib
import os
import random
import socket
import threading
import time

from lib import (NetNS, Raw, Rtnl, Rule, Session, adapter, build, cmd,
                 defer, ether, ethtool_stats, fail_cmd, ksft_eq, ksft_ge, ksft_in,
                 ksft_main,
                 ksft_pr, ksft_true, link_stats, mac, pair, port,
                 restore, rule_add, rule_del, rules, run, save, vmqctl, wait_until)
from lib.env import quiet
from lib.inside import load

SECONDS = 6


class Sender(threading.Thread):
    """Sends frames to all ports and rules until it is told to stop."""

    def __init__(self, dev, frames):
        super().__init__(daemon=True)
        self.raw, self.frames = Raw(dev), frames
        self.stop, self.count = threading.Event(), 0
        defer(self.end)
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while not self.stop.is_set():
                self.raw.send(*self.frames)
                self.count += len(self.frames)

    def end(self):
        self.stop.set()
        self.join()
        self.raw.close()


def traffic(dev="wire0", src=0xfe):
    frames = [build(number, "10.0.0.9", "10.0.0.1", src=src)
              for number in range(1, 10)]
    frames += [ether(b"\xff" * 6, src), ether(2, src, vlan=10),
               build(5, "fd00::1", "fd00::2", "tcp", src=src)]
    return Sender(dev, frames)


def test_churn_ports():
    """Ports come and go under traffic, with rules, saves and restores."""
    pair()
    adapter("vmq0", uplink="up0", rxq=8)
    port("vm1", number=1)
    sender, guest = traffic(), traffic("vm1", 1)
    rtnl = Rtnl()
    source = random.Random(1)
    alive = set()
    turns = 0
    limit = time.monotonic() + SECONDS
    while time.monotonic() < limit:
        turns += 1
        number = source.randrange(2, 8)
        name = f"vm{number}"
        if name not in alive:
            rtnl.add(name, "vmqport", link="vmq0",
                     address=f"52:54:00:00:00:{number:02x}",
                     rxq=source.choice((None, 2)))
            quiet(name)
            rtnl.up(name)
            alive.add(name)
            continue
        action = source.randrange(6)
        if action < 2:
            rtnl.delete(name)
            alive.remove(name)
        elif action == 2:
            rtnl.set(name, up=False)
            rtnl.set(name, up=True)
        elif action == 3:
            rtnl.set(name, address=f"52:54:00:00:01:{number:02x}")
            rtnl.set(name, address=f"52:54:00:00:00:{number:02x}")
        elif action == 4:
            restore(name, save(name))
        else:
            with Session(name, source.random() < 0.5):
                rtnl.delete(name)
                alive.remove(name)
    sender.end()
    guest.end()
    ksft_pr(f"{turns} turns, {sender.count + guest.count} frames")
    ksft_ge(turns, 10)
    with Raw("wire0") as wire, Raw("vm1") as inside:
        wire.send(ether(1, payload=b"still here"))
        ksft_true(inside.expect(lambda got: b"still here" in got))
    for name in alive:
        rtnl.delete(name)
    ksft_eq(len(rules("vmq0")), 1)


def test_churn_rules():
    """Rules come, move and go under traffic; no frame of others is lost."""
    pair()
    adapter("vmq0", uplink="up0", rxq=8)
    port("vm1", number=1)
    sender = traffic()
    source = random.Random(2)
    limit = time.monotonic() + SECONDS
    turns = 0
    while time.monotonic() < limit:
        turns += 1
        rule = source.choice((
            lambda: Rule(0x12).dst(mac(source.randrange(2, 12))),
            lambda: Rule(0x12).dst(mac(2)).vlan(10, 0xfff),
            lambda: Rule(2).dst_port(source.randrange(4)),
            lambda: Rule(5).src_port(source.randrange(4))))()
        rule.queue = source.choice((1, 5, 6, 7, (1 << 64) - 1))
        rule.loc = source.randrange(10)
        try:
            rule_add("vmq0", rule)
        except OSError:
            with contextlib.suppress(OSError):
                rule_del("vmq0", source.randrange(10))
    sender.end()
    ksft_pr(f"{turns} turns, {sender.count} frames")
    cmd("ethtool -K vmq0 ntuple off")
    ksft_eq(len(rules("vmq0")), 1)
    stats, link = ethtool_stats("vmq0"), link_stats("vmq0")
    ksft_eq(sum(value for name, value in stats.items()
                if name.startswith("rx_queue") and name.endswith("_packets")),
            link["rx_packets"])


def test_churn_uplink():
    """The uplink is taken and given back under traffic."""
    pair()
    adapter("vmq0", uplink="up0")
    port("vm1", number=1)
    sender, guest = traffic(), traffic("vm1", 1)
    rtnl = Rtnl()
    limit = time.monotonic() + SECONDS / 2
    turns = 0
    while time.monotonic() < limit:
        rtnl.set("up0", master="")
        rtnl.set("up0", master="vmq0")
        turns += 1
    sender.end()
    guest.end()
    ksft_pr(f"{turns} turns, {sender.count + guest.count} frames")


def test_churn_adapters():
    """Whole adapters come and go, with ports in other network namespaces."""
    pair()
    guest = NetNS()
    sender = traffic()
    rtnl = Rtnl()
    limit = time.monotonic() + SECONDS / 2
    turns = 0
    while time.monotonic() < limit:
        rtnl.add("vmq0", "vmq")
        rtnl.set("up0", master="vmq0")
        rtnl.up("vmq0")
        for number in (1, 2):
            rtnl.add(f"vm{number}", "vmqport", link="vmq0",
                     address=f"52:54:00:00:00:0{number}")
            rtnl.up(f"vm{number}")
        rtnl.set("vm2", netns_fd=guest.fd)
        if turns % 3 == 2:
            guest.close()
            guest = NetNS()
            wait_until(lambda: vmqctl("adapter show")[0]["ports"] == 1, 10)
        rtnl.delete("vmq0")
        turns += 1
    sender.end()
    ksft_pr(f"{turns} turns, {sender.count} frames")
    ksft_eq(vmqctl("adapter show"), [])


def test_tap_churn():
    """Nodes are opened, read and closed while their ports go."""
    pair()
    adapter("vmq0", uplink="up0")
    sender = traffic()
    rtnl = Rtnl()
    limit = time.monotonic() + SECONDS / 2
    turns = 0
    while time.monotonic() < limit:
        rtnl.add("vm1", "vmqport", link="vmq0", address="52:54:00:00:00:01")
        rtnl.up("vm1")
        path = f"/dev/tap{socket.if_nametoindex('vm1')}"
        fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        for _ in range(20):
            with contextlib.suppress(BlockingIOError):
                os.read(fd, 2000)
            os.write(fd, bytes(10) + ether(9, src=1))
        if turns % 2:
            os.close(fd)
            rtnl.delete("vm1")
        else:
            rtnl.delete("vm1")
            os.close(fd)
        turns += 1
    sender.end()
    ksft_pr(f"{turns} turns")


def loaded():
    with open("/proc/modules", encoding="ascii") as stream:
        return {line.split()[0] for line in stream
                if line.startswith("vmq")}


def test_unload_in_use():
    """rmmod takes adapters and ports along; nothing else uses the module."""
    pair()
    guest = NetNS()
    adapter("vmq0", uplink="up0")
    port("vm1", number=1)
    port("vm2", number=2, ns=guest)
    cmd("vmqctl ext enable dev vmq0 name acl")
    cmd("vmqctl acl add dev vm1 direction in action allow")
    rule_add("vmq0", Rule(0x12, 5).dst(mac(9)))
    sender = traffic()
    ksft_in("in use", fail_cmd("rmmod vmq")[1], "by vmq_acl")
    ksft_in("in use", fail_cmd("rmmod vmq_acl")[1], "it is enabled")
    cmd("vmqctl ext disable dev vmq0 name acl")
    cmd("rmmod vmq_acl")
    cmd("rmmod vmq")
    sender.end()
    ksft_eq(loaded(), set())
    ksft_true(not os.path.exists("/sys/bus/vmq"))
    ksft_true(not os.path.exists("/sys/class/net/vmq0"))
    with guest:
        ksft_true(not Rtnl().exists("vm2"))
    ksft_eq(load("vmq"), 0)
    ksft_eq(load("vmq_acl"), 0)


def test_reload():
    """The modules go and come three times, with something to do each time."""
    for turn in range(3):
        pair()
        adapter("vmq0", uplink="up0")
        port("vm1", number=1)
        with Raw("wire0") as wire, Raw("vm1") as inside:
            frame = ether(1, payload=b"turn %d" % turn)
            wire.send(frame)
            ksft_true(inside.expect(frame), turn)
        Rtnl().delete("vmq0")
        Rtnl().delete("up0")
        cmd("rmmod vmq_acl")
        cmd("rmmod vmq")
        ksft_eq(load("vmq"), 0, turn)
        ksft_eq(load("vmq_acl"), 0, turn)
    ksft_eq(loaded(), {"vmq", "vmq_acl"})


def test_open_descriptor():
    """A save's descriptor holds the module, not the port."""
    adapter("vmq0")
    port("vm1", number=1)
    session = Session("vm1", False)
    defer(session.close)
    Rtnl().delete("vmq0")
    cmd("rmmod vmq_acl")
    ksft_true(run("rmmod vmq").returncode, "in use by the descriptor")
    session.close()
    ksft_eq(run("rmmod vmq").returncode, 0)
    ksft_eq(loaded(), set())


def test_unload():
    """`rmmod vmq` after all of it (issue, third bullet)."""
    for name in sorted(loaded(), reverse=True):
        cmd(f"rmmod {name}")
    ksft_eq(loaded(), set())


if __name__ == "__main__":
    ksft_main(globals())
