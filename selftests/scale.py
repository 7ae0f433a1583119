#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: qemu
"""Many queues, rules and ports on one adapter, made and deleted under traffic.

The numbers are those of the specification on uml-plain, which runs kernel code
at native speed, and smaller where debugging or emulation makes it slow; the stock
kernel has all of them once, too (test_queues_and_rules). Times
are printed; what is asserted of them leaves a busy host room, and that a step
costs the same however many there are is asserted as a ratio within one run.
"""

import ctypes
import fcntl
import itertools
import json
import socket
import struct
import subprocess
import tempfile
import threading
import time

from lib import (Raw, Rtnl, Rule, adapter, defer, ether, ethtool_stats, ksft_eq,
                 ksft_lt, ksft_main, ksft_pr, ksft_true, link_info, machine,
                 pair, port, port_queue, rules, run, vmqctl, wait_until)
from lib.ioctl import (ETHER, SIOCETHTOOL, SRXCLSRLDEL, SRXCLSRLINS, TCP_V4,
                       _rxnfc)

# (uml-plain, uml-debug, qemu)
COLUMN = {"uml-plain": 0, "uml-debug": 1}.get(machine(), 2)
RULES = (10000, 2000, 2000)[COLUMN]
QUEUES = (4096, 512, 4096)[COLUMN]
BOTH = (10000, 2000, 10000)[COLUMN]
PORTS = (4000, 150, 250)[COLUMN]
SLOW = (1, 30, 30)[COLUMN]                 # than native speed, with a reserve
PARTS = 400                                # of a run that is looked at
WAITS = (25, 1, 1)[COLUMN]                 # as many at once: grace periods vary
ROUNDS, ENOUGH = 6, 40                     # and s, until one is not disturbed


def tell(what, count, seconds):
    ksft_pr(f"{what}: {count} in {seconds * 1000:.1f} ms, "
            f"{seconds / max(count, 1) * 1e6:.1f} us each")


class Rules:
    """ethtool -N's ioctl without its userspace, and without a socket each."""

    def __init__(self, dev="vmq0"):
        self.dev = dev.encode()
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        defer(self.sock.close)

    def call(self, data):
        buffer = ctypes.create_string_buffer(bytes(data), len(data))
        fcntl.ioctl(self.sock, SIOCETHTOOL, struct.pack(
            "16sP8x", self.dev, ctypes.addressof(buffer)))
        return buffer.raw

    def add(self, requests):
        """-> (locations, seconds of one in each part)"""
        return parts(requests, lambda raw: struct.unpack_from(
            "=I", self.call(raw), 16 + 160)[0])

    def delete(self, locations):
        """-> seconds of one in each part"""
        return parts([_rxnfc(SRXCLSRLDEL, bytes(160) + struct.pack(
            "=I4x", each)) for each in locations], self.call, WAITS)[1]


def parts(things, work, step=None):
    """-> ([work(each)], seconds of one in each part)

    A part is a few ms, so that some have the CPU for themselves even on a host that
    others use, too.
    """
    found, times = [], []
    step = step or max(len(things) // PARTS, 1)
    for at in range(0, len(things), step):
        begin = time.monotonic()
        for each in things[at:at + step]:
            found.append(work(each))
        times.append((time.monotonic() - begin) / len(things[at:at + step]))
    return found, times


def request(rule):
    return _rxnfc(SRXCLSRLINS, rule.pack())


def address(number):
    return b"\x52\x55" + struct.pack("!I", number)


class Profile:
    """Seconds of each step, from the first one to the last one, of which a host
    that others use as well takes nothing: the least of some rounds.

    Rounds end as soon as there is nothing to complain about.
    """

    def __init__(self, what, count, limit=None, growth=2.5):
        self.what, self.count = what, count
        self.limit, self.growth = limit, growth
        self.best = None

    def add(self, times):
        self.best = times if self.best is None else \
            [min(pair) for pair in zip(self.best, times)]
        tell(self.what, self.count, self.total(times))
        ksft_pr("us in its tenths, at best: " + self.tenths())

    def tenths(self):
        some = max(len(self.best) // 10, 1)
        return " ".join(f"{min(self.best[at:at + some]) * 1e6:.0f}"
                        for at in range(0, len(self.best), some))

    def total(self, times):
        return sum(times) * self.count / len(times)

    def ends(self):
        """A step's seconds among the first and among the last ones."""
        some = max(len(self.best) // 5, 1)
        return min(self.best[:some]), min(self.best[-some:])

    def good(self):
        return (self.limit is None or self.total(self.best) < self.limit) and \
            max(self.ends()) < self.growth * min(self.ends())

    def check(self):
        if self.limit is not None:
            ksft_lt(self.total(self.best), self.limit,
                    f"{self.what}: the goal is 1 s on an idle host")
        ksft_lt(max(self.ends()), self.growth * min(self.ends()),
                f"{self.what}: does it grow with their number? us: "
                + self.tenths())


def rounds(work, *profiles):
    """work() gives the times of each profile; again where they do not please."""
    limit = time.monotonic() + ENOUGH
    for _ in range(ROUNDS):
        for profile, times in zip(profiles, work()):
            profile.add(times)
        if all(profile.good() for profile in profiles) or \
                time.monotonic() > limit:
            break
    for profile in profiles:
        profile.check()


class Traffic:
    """Frames for one port all the time; none may get lost (F-30)."""

    def __init__(self, number=1):
        self.raw = Raw("wire0")
        self.frame = ether(number, payload=b"scale")
        self.queue = port_queue(f"vm{number}")
        self.before = self.count()
        self.sent, self.stop = 0, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        defer(self.raw.close)
        defer(self.stop.set)

    def count(self):
        return ethtool_stats("vmq0")[f"rx_queue_{self.queue}_packets"]

    def run(self):
        while not self.stop.is_set():
            self.raw.send(self.frame)
            self.sent += 1
            time.sleep(0.0005)

    def end(self):
        self.stop.set()
        self.thread.join()
        arrived = wait_until(lambda: self.count() - self.before == self.sent, 20)
        ksft_true(arrived, f"{self.sent} frames sent meanwhile, "
                  f"{self.count() - self.before} arrived")
        ksft_lt(10, self.sent)


def world(queues=64, ports=1):
    pair()
    adapter("vmq0", uplink="up0", rxq=queues)
    for number in range(1, ports + 1):
        port(f"vm{number}", number=number)


def exact(count, queues, first=0):
    """MAC+VLAN rules, spread over the queues that no port has."""
    return [request(Rule(ETHER, 2 + number % (queues - 2))
                    .dst(address(first + number)).vlan(number % 4094 + 1, 0xfff))
            for number in range(count)]


def masked(count, queues):
    return [request(Rule(TCP_V4, 2 + number % (queues - 2))
                    .src_ip(struct.pack("!I", 0x0a000000 + number))
                    .dst_port(number % 60000 + 1))
            for number in range(count)]


# -- rules

def many_rules(requests, what):
    world()
    table, traffic = Rules(), Traffic()

    def work():
        locations, added = table.add(requests)
        ksft_eq(len(set(locations)), len(requests))
        ksft_eq(len(rules("vmq0")), len(requests) + 1)
        deleted = table.delete(locations)
        ksft_eq(len(rules("vmq0")), 1)
        return added, deleted

    rounds(work, Profile(f"{what}, added", len(requests), 4 * SLOW),
           Profile(f"{what}, deleted", len(requests), 4 * SLOW))
    traffic.end()


def test_exact_rules():
    """Issue 3: 10,000 exact rules, added and deleted under traffic."""
    many_rules(exact(RULES, 64), "exact rules")


def test_masked_rules():
    """Issue 3: 10,000 n-tuple rules, added and deleted under traffic."""
    many_rules(masked(RULES, 64), "n-tuple rules")


def test_replaced_rules():
    """F-30: replacing a rule costs the same however many there are."""
    world()
    table, traffic = Rules(), Traffic()
    turn, few, requests = itertools.count(1), RULES // 10, exact(RULES, 64)

    def replaced(locations, first):
        other = next(turn)
        got, times = table.add([
            request(Rule(ETHER, 2 + (number + other) % 62, location)
                    .dst(address(number)).vlan(number % 4094 + 1, 0xfff))
            for number, location in enumerate(locations, first)])
        ksft_eq(got, locations)
        return times

    def work():
        locations, _ = table.add(requests[:few])
        among_few = replaced(locations, 0)
        locations += table.add(requests[few:])[0]
        among_many = replaced(locations[-few:], RULES - few)
        ksft_eq(len(rules("vmq0")), RULES + 1)
        table.delete(locations)
        return (among_few + among_many,)

    rounds(work, Profile("rules, replaced", 2 * few))
    traffic.end()


def test_rules_of_one_port():
    """Many rules for one port: its VLANs are not counted anew for each."""
    world()
    queue = port_queue("vm1")
    table, traffic = Rules(), Traffic()
    requests = [request(Rule(ETHER, queue).dst(address(number)).vlan(
        number % 4094 + 1, 0xfff)) for number in range(RULES)]

    def work():
        locations, added = table.add(requests)
        return added, table.delete(locations)

    rounds(work, Profile("rules of one port, added", RULES),
           # each is the last one of its VLAN, and a look at the others says so
           Profile("rules of one port, deleted", RULES, 8 * SLOW, 1e9))
    traffic.end()
    with Raw("vm1") as guest:
        guest.drain()
        with Raw("wire0") as wire:
            wire.send(ether(b"\xff" * 6, vlan=7, payload=b"gone"),
                      ether(b"\xff" * 6, payload=b"there"))
        ksft_true(guest.expect(lambda frame: b"there" in frame), "M-04: untagged floods")
        ksft_eq(guest.all(0.05, lambda frame: b"gone" in frame), [],
                "M-04: no floods of a VLAN that no filter has any more")


def test_rules_off():
    """-K ntuple off removes all of them behind one grace period."""
    world()
    Rules().add(masked(RULES, 64))
    begin = time.monotonic()
    ksft_eq(run("ethtool -K vmq0 ntuple off").returncode, 0)
    tell("-K ntuple off", RULES, time.monotonic() - begin)
    ksft_lt(time.monotonic() - begin, 4 * SLOW)
    ksft_eq(len(rules("vmq0")), 1)


# -- queues

def test_queues():
    """Issue 3: 4,095 VM queues, allocated and freed under traffic (Q-05)."""
    world(QUEUES)
    table, traffic = Rules(), Traffic()
    count = QUEUES - 2
    requests = [request(Rule(ETHER, 2 + number).dst(address(number)))
                for number in range(count)]
    wire = Raw("wire0")
    defer(wire.close)

    def work():
        locations, allocated = table.add(requests)
        ksft_eq(vmqctl("adapter show dev vmq0")[0]["vm-queues"], QUEUES - 1)
        # every one of them is there and takes frames
        before = ethtool_stats("vmq0")
        wire.send(*[ether(address(number)) for number in range(0, count, 100)])

        def arrived():
            stats = ethtool_stats("vmq0")
            return all(stats[f"rx_queue_{2 + number}_packets"] ==
                       before[f"rx_queue_{2 + number}_packets"] + 1
                       for number in range(0, count, 100))

        ksft_true(wait_until(arrived, 30, 0.2), "frames reach every hundredth")
        freed = table.delete(locations)
        ksft_eq(vmqctl("adapter show dev vmq0")[0]["vm-queues"], 1)
        return allocated, freed

    rounds(work, Profile("queues, allocated", count),
           Profile("queues, freed", count))
    traffic.end()


def test_queues_and_rules():
    """Issue 3: all queues and 10,000 rules on one adapter at once, added and
    deleted under traffic."""
    world(QUEUES)
    table, traffic = Rules(), Traffic()
    begin = time.monotonic()
    locations, _ = table.add(exact(BOTH, QUEUES))
    tell("rules over all queues, added", BOTH, time.monotonic() - begin)
    shown = vmqctl("adapter show dev vmq0")[0]
    ksft_eq((shown["vm-queues"], shown["filters"]),
            (min(QUEUES - 1, BOTH + 1), BOTH + 1))
    begin = time.monotonic()
    table.delete(locations)
    tell("rules over all queues, deleted", BOTH, time.monotonic() - begin)
    shown = vmqctl("adapter show dev vmq0")[0]
    ksft_eq((shown["vm-queues"], shown["filters"]), (1, 1))
    traffic.end()


# -- ports

def make_ports(count):
    """-> seconds of one in each part"""
    link = Rtnl()
    defer(link.close)
    return parts(range(count), lambda number: link.add(
        f"p{number}", "vmqport", link="vmq0",
        address=address(number).hex(":")))[1]


def test_ports():
    """Issue 7: many ports; they go with their adapter within seconds."""
    pair()
    adapter("vmq0", uplink="up0", rxq=QUEUES)
    # the core looks through the links above a device: 40 us more at 4,000
    profile = Profile("ports, made", PORTS, growth=4)
    profile.add(make_ports(PORTS))
    profile.check()
    shown = vmqctl("adapter show dev vmq0")[0]
    ksft_eq((shown["ports"], shown["vm-queues"]), (PORTS, PORTS))
    last = f"p{PORTS - 1}"
    Rtnl().up(last)
    with Raw(last) as guest:
        wait_until(lambda: link_info(last)["operstate"] == 6)
        with Raw("wire0") as wire:
            wire.send(ether(address(PORTS - 1), payload=b"last"))
        ksft_true(guest.expect(lambda frame: b"last" in frame))

    link = Rtnl()
    begin = time.monotonic()
    for number in range(0, PORTS, 10):
        link.delete(f"p{number}")
    tell("ports, deleted one by one", PORTS // 10, time.monotonic() - begin)
    begin = time.monotonic()
    link.delete("vmq0")
    seconds = time.monotonic() - begin
    tell("ports, deleted with their adapter", PORTS * 9 // 10, seconds)
    ksft_lt(seconds, 15 * SLOW)
    ksft_true(not link.exists(last))
    link.close()


# -- dumps

def dump_time(*arguments):
    """Seconds of `vmqctl ARGUMENTS > FILE`, and what it printed."""
    best = 1e9
    with tempfile.TemporaryFile("w+") as output:
        for _ in range(3):
            output.truncate(0)
            output.seek(0)
            begin = time.monotonic()
            subprocess.run(["vmqctl", "-j", *arguments], stdout=output,
                           check=True)
            best = min(best, time.monotonic() - begin)
        output.seek(0)
        return best, json.load(output)


def test_dumps():
    """Issue 7: vmqctl shows 10,000 filters in 50 ms, and 4,095 queues."""
    world(QUEUES)
    Rules().add(exact(RULES, QUEUES))
    empty, _ = dump_time("adapter", "show")
    for what in ("filter", "queue"):
        seconds, shown = dump_time(what, "show", "dev", "vmq0")
        tell(f"vmqctl {what} show, without starting it", len(shown),
             max(seconds - empty, 0))
        want = RULES + 1 if what == "filter" else min(QUEUES, RULES + 2)
        ksft_eq(len(shown), want, what)
        ksft_eq(len({each["id"] for each in shown}), want, what)
        ksft_lt(seconds - empty, 0.5 * SLOW, "the goal is 50 ms")


if __name__ == "__main__":
    ksft_main(globals())
