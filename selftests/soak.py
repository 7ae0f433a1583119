#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: uml-debug
"""A port moves between two adapters, over and over, under traffic.

VMQ_SOAK_ROUNDS says how often: 100 times unless given, `make soak` has 1000.
The machine looks for warnings and, where its kernel has kmemleak, for leaks.
"""

import contextlib
import os
import pathlib
import re
import struct
import threading

from lib import (Genl, Raw, adapter, build, cmd, defer, ksft_eq,
                 ksft_ge, ksft_lt, ksft_main, ksft_pr, pair, port,
                 restore, save, wait_until)
from lib.acl import ext_set
from lib.env import read_file
from lib.tap import Guest, port_get, port_set

ROUNDS = int(os.environ.get("VMQ_SOAK_ROUNDS", "100"))
PORTS = ("vm1", "vm1b")
FLOWS, MARK = 50, b"soak"
PAUSE = 0.004            # seconds between a sender's frames
# Bytes that the kernel may have more at the end: slabs that are partly in use.
SLACK = 1 << 20


def numbered(number):
    return build(1, "10.9.0.2", "10.9.0.1", sport=1000 + number % FLOWS,
                 dport=7, src=9, payload=MARK + struct.pack("!I", number))


def number_of(frame):
    at = frame.find(MARK)
    return struct.unpack_from("!I", frame, at + 4)[0] if at >= 0 else None


class Sender(threading.Thread):
    """Numbered frames to where the fabric has the guest: wire[side]."""

    def __init__(self):
        super().__init__(daemon=True)
        self.wire = [Raw("wire0"), Raw("wire1")]
        for each in self.wire:
            defer(each.close)
        self.side, self.sent = 0, 0
        self.paused = threading.Lock()
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.wait(PAUSE):
            with self.paused:
                self.wire[self.side].send(numbered(self.sent))
                self.sent += 1


def kernel_memory():
    """Bytes that the kernel has taken and can't give back."""
    # what is freed is in empty slabs, or in KASAN's quarantine, until this
    for cache in pathlib.Path("/sys/kernel/slab").glob("*/shrink"):
        with contextlib.suppress(OSError):
            cache.write_text("1")
    shown = dict(re.findall(r"^(\w+):\s+(\d+) kB$", read_file("/proc/meminfo"),
                            re.M))
    taken = 1024 * sum(int(shown.get(name, 0)) for name in
                       ("SUnreclaim", "VmallocUsed", "Percpu", "KernelStack"))
    # kmemleak's own notes: of all that came and went, given back late
    return taken - parts().get("kmemleak_object", 0)


def parts():
    """Where it is: {name: bytes}"""
    found = {name: int(kilobytes) * 1024 for name, kilobytes in re.findall(
        r"^(VmallocUsed|Percpu|KernelStack):\s+(\d+) kB$",
        read_file("/proc/meminfo"), re.M)}
    with contextlib.suppress(OSError):
        for line in read_file("/proc/slabinfo").splitlines()[2:]:
            name, _, count, size = line.split()[:4]
            found[name] = int(count) * int(size)
    return found


def world():
    """-> the guest on each host, each host's way to the other's uplink"""
    for number, dev in enumerate(PORTS):
        pair(f"up{number}", f"wire{number}")
        adapter(f"vmq{number}", uplink=f"up{number}")
        port(dev, link=f"vmq{number}", number=1)
        for name in ("acl", "guard", "meter"):
            ext_set(f"vmq{number}", 1, name)
        for words in ("acl add dev {} priority 1 direction in action allow "
                      "proto udp dport 7",
                      "acl add dev {} priority 9 direction in action deny",
                      "guard add dev {} ip 10.9.0.1",
                      "meter set dev {} rx-rate 1gbit tx-rate 1gbit"):
            cmd(f"vmqctl {words.format(dev)}")
        port_set(dev, announce_count=1)
    pair("tunnel0", "tunnel1")
    for number in (0, 1):
        cmd(f"tc qdisc add dev tunnel{number} clsact")
        cmd(f"tc filter add dev tunnel{number} ingress matchall action mirred "
            f"ingress redirect dev up{number}")
    return [Guest(dev) for dev in PORTS]


class Mover:
    """The guest, its frames, and the hosts that it goes to and fro between."""

    def __init__(self, guests, sender):
        self.guests, self.sender, self.got = guests, sender, []
        self.genl = Genl()
        defer(self.genl.close)

    def read(self, side):
        self.got += [number for frame in self.guests[side].all(0)
                     if (number := number_of(frame)) is not None]

    def move(self, source):
        target = 1 - source
        port_set(PORTS[target], redirect="", gate="auto")
        port_set(PORTS[source], redirect=f"tunnel{source}")
        restore(PORTS[target], save(PORTS[source], self.genl), self.genl)
        self.sender.side = target
        # it goes on there; the frame is the first that it sends
        self.guests[target].send(build(9, "10.9.0.1", "10.9.0.2", src=1))
        wait_until(lambda: not port_get(PORTS[target],
                                        self.genl)["waiting_frames"], 5)
        self.read(target)
        # what the guest and its announcements send would fill the sockets
        for each in self.sender.wire:
            each.drain()


def test_soak():
    """No frame is lost, none comes twice, whatever the number of rounds; the
    kernel's memory stays as it was; no warning, no leak (section 6)."""
    guests, sender = world(), Sender()
    mover = Mover(guests, sender)
    # until caches are as full as they get
    warm, first = max(ROUNDS // 5, 10), None
    sender.start()
    try:
        for turn in range(ROUNDS):
            if turn == warm:
                # it takes its time, in which the guest does not read
                with sender.paused:
                    first, before = kernel_memory(), parts()
            if turn % 100 == 0:
                ksft_pr(f"round {turn}: {sender.sent} sent, "
                        f"{len(mover.got)} came")
            mover.move(turn % 2)
    finally:
        sender.stopped.set()
        sender.join()
    here = ROUNDS % 2
    wait_until(lambda: mover.read(here) or len(mover.got) >= sender.sent, 5)
    last, after = kernel_memory(), parts()
    missing = set(range(sender.sent)) - set(mover.got)
    ksft_eq(sorted(missing)[:10], [], "lost")
    ksft_eq(len(mover.got) - len(set(mover.got)), 0, "came twice")
    ksft_ge(sender.sent, ROUNDS, "under traffic")
    for dev in PORTS:
        shown = port_get(dev)
        ksft_eq(shown["frames_dropped"], 0, dev)
    ksft_ge(port_get(PORTS[here])["rx_packets"], sender.sent, "counted on")
    if first:
        grown = sorted((after[name] - before.get(name, 0), name)
                       for name in after)[::-1]
        ksft_pr("grew most:", ", ".join(f"{name} {count}" for count, name
                                        in grown[:6]))
        ksft_lt(last - first, SLACK, "bytes more than after the first rounds")
    late = sum(a > b for a, b in zip(mover.got, mover.got[1:]))
    ksft_pr(f"{ROUNDS} rounds, {sender.sent} frames, {late} overtaken; "
            f"{(last - first) >> 10 if first else 0} KiB more than after "
            f"round {warm}")


if __name__ == "__main__":
    ksft_main(globals())
