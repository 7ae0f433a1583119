#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Runs in the machine: sets up all contenders of a table, measures them in
slices that alternate, and prints medians."""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import contender as c
import ovs

# title, contenders (the first is what is subtracted, the second the yardstick)
TABLES = {
    "netdev": ("to a netdev, untagged",
               [c.Bare, c.Macvlan, c.Bridge, ovs.Ovs, c.Vmq]),
    "near": ("to a netdev, untagged; do frames wait for what they need?",
             [c.Bare, c.VmqNotNear, c.VmqNear]),
    "vlan": ("to a netdev, MAC and VLAN",
             [c.Bare, c.MacvlanVlan, c.BridgeVlan, c.VmqVlan]),
    "tap": ("to the ring of a tap with a reader",
            [c.Bare, c.Macvtap, c.BridgeTap, ovs.OvsTap, c.VmqTap]),
    "queued": ("queue with a CPU of its own",
               [c.Bare, c.Vmq, c.VmqQueued, c.VmqQueuedSoftirq]),
    "rules": ("with many rules",
              [c.Bare, c.Vmq, c.VmqRules, c.VmqMasked]),
    "rules-udp": ("UDP, with rules for other UDP", [c.VmqUdp, c.VmqUdpMasked]),
    "cpus": ("queues with a CPU each, two CPUs",
             [c.BareOne, c.BareTwo, c.VmqQueuedOne, c.VmqQueuedTwo]),
    # one after the other, as an enabled extension costs all ports of all adapters
    "disabled": ("UDP, extensions that are not enabled",
                 [c.VmqUnloaded, c.VmqDisabled]),
    "acl": ("UDP in 100,000 flows, vmq_acl knows them", [c.VmqUdp, c.VmqAcl]),
    "acl-some": ("UDP in 100,000 flows, vmq_acl knows them", [c.VmqUdp, c.VmqAclSome]),
    "acl-few": ("UDP in 100,000 flows, vmq_acl knows them", [c.VmqUdp, c.VmqAclFew]),
    "guard": ("UDP, vmq_guard", [c.VmqUdp, c.VmqGuard]),
    "meter": ("UDP, vmq_meter", [c.VmqUdp, c.VmqMeter]),
    "extensions": ("UDP, all bundled extensions", [c.VmqUdp, c.VmqAll]),
    "flood": ("broadcast, for each copy",
              [c.Bare, c.MacvlanFlood, c.BridgeFlood, c.VmqFlood]),
    "vm-to-vm": ("from a port to another",
                 [c.Bare, c.MacvlanTx, c.VmqTx]),
    "transmit": ("from a port to the wire",
                 [c.Bare, c.MacvlanOut, c.VmqOut]),
    "tcp": ("TCP between two ports, a KiB", [c.MacvlanTcp, c.BridgeTcp, c.VmqTcp]),
    "stalled": ("one more port, whose reader stops", [c.VmqRead, c.VmqStalled]),
}
# table, numbers of ports, bytes, trains
STANDARD = [
    ("netdev", (1, 64, 1024), 60, 1), ("netdev", (64,), 1514, 1), ("vlan", (64,), 60, 1),
    ("tap", (1, 64), 60, 1), ("queued", (64,), 60, 1), ("queued", (64,), 60, 8),
    ("rules", (64,), 60, 1), ("rules-udp", (64,), 60, 1), ("disabled", (64,), 60, 1),
    ("acl", (64,), 60, 1), ("acl-some", (64,), 60, 1), ("acl-few", (64,), 60, 1),
    ("guard", (64,), 60, 1), ("meter", (64,), 60, 1), ("extensions", (64,), 60, 1),
    ("flood", (64,), 60, 1), ("vm-to-vm", (64,), 60, 1), ("transmit", (1,), 60, 1),
    ("tcp", (2,), 60, 1), ("stalled", (16,), 60, 1),
]
EACH = (1, 16, 64, 256, 1024, 4096)
FULL = [(name, EACH, length, train) for name in TABLES
        if name not in ("tcp", "stalled", "cpus")
        for length in (60, 1514) for train in ((1, 8) if name == "queued" else (1,))
        ] + STANDARD[-2:]
# what the goals in performance.rst are about
GOALS = [
    ("netdev", EACH, 60, 1), ("near", (64, 256, 512, 1024), 60, 1),
    ("vlan", (64,), 60, 1), ("tap", (1, 16, 64, 1024), 60, 1),
    ("queued", (64,), 60, 1), ("queued", (64,), 60, 8), ("rules", (64,), 60, 1),
    ("rules-udp", (64,), 60, 1), ("disabled", (64,), 60, 1), ("acl", (64,), 60, 1),
    ("acl-some", (64,), 60, 1), ("acl-few", (64,), 60, 1), ("guard", (64,), 60, 1),
    ("meter", (64,), 60, 1), ("extensions", (64,), 60, 1), ("flood", (16, 64, 256), 60, 1),
    ("vm-to-vm", (64,), 60, 1), ("transmit", (1,), 60, 1),
    ("netdev", (64,), 1514, 1), ("tap", (64,), 1514, 1), *STANDARD[-2:],
]
SLICE = 2_000_000        # nanoseconds, about: short, so that few are disturbed


def prepare():
    # two files for each tap
    resource.setrlimit(resource.RLIMIT_NOFILE, (16384, 16384))
    # a thousand new netdevs would talk IPv6 all the while
    for group in ("all", "default"):
        pathlib.Path(f"/proc/sys/net/ipv6/conf/{group}/disable_ipv6").write_text("1")
    build = pathlib.Path(os.environ["VMQ_BUILD"])
    for name in ("tap", "tun", "bridge", "macvtap", "8021q"):
        subprocess.run(["modprobe", "-q", name], check=False)
    for name in ("drivers/net/vmq/vmq.ko", "tools/bench/vmq_bench.ko"):
        depends = subprocess.run(["modinfo", "-F", "depends", build / name], text=True,
                                 check=True, stdout=subprocess.PIPE).stdout.strip()
        for other in filter(None, depends.split(",")):
            subprocess.run(["modprobe", "-q", other], check=False)
        subprocess.run(["insmod", build / name], check=True)


def slices(contenders, rounds, length, train):
    """Measure all in turn; what one cannot do (it lost frames) is left out."""
    frames = {}
    for contender in list(contenders):
        try:
            nanoseconds = contender.measure(2000, length, train)
            frames[contender] = max(2000, int(SLICE / nanoseconds / contender.ends_per_frame))
            # an extension has to see every flow once
            contender.measure(max(frames[contender], contender.flows), length, train)
            contender.settled()
        except c.LostFrames as problem:
            print(f"# {problem}", file=sys.stderr)
            contenders.remove(contender)
    for _ in range(rounds):
        for contender in list(contenders):
            try:
                contender.samples.append(
                    contender.measure(frames[contender], length, train))
            except c.LostFrames as problem:
                print(f"# {problem}", file=sys.stderr)
                contenders.remove(contender)


def compared_with(contenders):
    """The yardstick of a table: what comes first, but for bare delivery."""
    return next((contender for contender in contenders
                 if not isinstance(contender, c.Bare)), contenders[0])


def report(name, ports, length, train, contenders):
    rows = []
    base = statistics.median(contenders[0].samples)
    yardstick = statistics.median(compared_with(contenders).samples)
    for contender in contenders:
        median = statistics.median(contender.samples)
        rows.append({"table": name, "title": TABLES[name][0], "ports": ports,
                     "length": length, "train": train,
                     "contender": contender.label, "median": median,
                     "low": min(contender.samples), "high": max(contender.samples),
                     "adds": median - base, "ratio": median / yardstick})
    for row in rows:
        print(f"{row['contender']:28} {row['median']:8.1f} "
              f"{row['low']:8.1f}-{row['high']:<8.1f} {row['adds']:8.1f} "
              f"{row['ratio']:7.2f}", flush=True)
    return rows


def table(name, ports, length, train, rounds):
    title, kinds = TABLES[name]
    contenders = [kind(f"{chr(97 + i)}", ports) for i, kind in enumerate(kinds)
                  if ports <= kind.most]
    begin = time.monotonic()
    for contender in contenders:
        contender.setup()
    made = time.monotonic() - begin
    slices(alive := list(contenders), rounds, length, train)
    print(f"\n{title}; {ports} ports, {length} bytes, trains of {train} "
          f"(set up in {made:.1f} s)")
    print(f"{'':28} {'ns/frame':>8} {'min-max':>17} {'adds':>8} "
          f"of {compared_with(alive).label}")
    rows = report(name, ports, length, train, alive)
    for contender in contenders:
        contender.remove()
    return rows


def profile(name, ports, length, train, seconds):
    """One contender for a while, watched from outside: see tools/bench/profile."""
    kind = next(kind for _, kinds in TABLES.values() for kind in kinds
                if kind.__name__.lower() == name.lower())
    contender = kind("a", ports)
    contender.setup()
    contender.measure(max(100_000, contender.flows), length, train)
    contender.settled()
    # the other side of a UML machine sees it at once where it is created
    out = pathlib.Path(os.environ["VMQ_OUT"])
    symbols = pathlib.Path("/proc/kallsyms").read_text()
    (out / "kallsyms.new").write_text(symbols)
    os.sync()
    (out / "kallsyms.new").rename(out / "kallsyms")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        contender.samples.append(contender.measure(100_000, length, train))
    print(f"{contender.label}: {statistics.median(contender.samples):.1f} ns/frame")
    contender.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*",
                        help=" ".join(TABLES) + "; none: a choice of all")
    parser.add_argument("--full", action="store_true", help="all of all")
    parser.add_argument("--goals", action="store_true", help="what goals are about")
    parser.add_argument("--ports", default="1,64,1024")
    parser.add_argument("--length", type=int, default=60)
    parser.add_argument("--train", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=301)
    parser.add_argument("--json", help="file for the figures")
    parser.add_argument("--profile", metavar="CONTENDER",
                        help="run this one alone for --seconds")
    parser.add_argument("--seconds", type=float, default=20)
    arguments = parser.parse_args()
    prepare()
    if arguments.profile:
        profile(arguments.profile, int(arguments.ports.split(",")[0]),
                arguments.length, arguments.train, arguments.seconds)
        return
    ports = tuple(map(int, arguments.ports.split(",")))
    jobs = [(name, ports, arguments.length, arguments.train) for name in arguments.tables]
    rows = []
    for name, numbers, length, train in jobs or (
            FULL if arguments.full else GOALS if arguments.goals else STANDARD):
        for number in numbers:
            # not where there is nothing to compare with
            if number <= sorted(kind.most for kind in TABLES[name][1])[-2] and not (
                    number == 1 and name == "vm-to-vm"):
                rows += table(name, number, length, train, arguments.rounds)
    if arguments.json:
        # a plain name is one in what stays of the machine
        path = pathlib.Path(os.environ["VMQ_OUT"]) / arguments.json
        path.write_text(json.dumps(rows, indent=1))
        os.sync()


if __name__ == "__main__":
    main()
