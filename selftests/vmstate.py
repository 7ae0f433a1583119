#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: uml-plain
"""vmq-vmstate: what QEMU's dbus-vmstate asks of it, without QEMU.

vm1 of vmq0 is the source, vm1b of vmq1 the destination, each with a helper of
its own.
"""

import contextlib
import os
import pathlib
import shutil
import struct
import subprocess

from lib import (KsftSkipEx, Session, abort, cmd, defer, ether,
                 ksft_eq, ksft_in, ksft_lt, ksft_main, ksft_raises,
                 ksft_true, run, wait_until)
from lib.dbus import Bus, BusError
from lib.tap import gate, port_get, port_set
from gate import numbered, numbers, ours
from gate_move import settle, world

RUN = pathlib.Path("/run/vmstate-test")
HEADER = 32
MIB = 1 << 20


class Helper:
    def __init__(self, name, *words):
        if not shutil.which("vmq-vmstate") or not shutil.which("dbus-daemon"):
            raise KsftSkipEx("no vmq-vmstate or no dbus-daemon")
        RUN.mkdir(exist_ok=True)
        self.path = RUN / name
        self.log = open(RUN / f"{name}.log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            ["vmq-vmstate", "--private", self.path, *words], stdout=self.log,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        defer(self.end)
        ksft_true(wait_until(lambda: "ready" in self.said() or
                             self.process.poll() is not None, 30),
                  "it is ready")
        self.bus = Bus(self.path)
        defer(self.bus.close)

    def said(self):
        return (RUN / f"{self.path.name}.log").read_text(encoding="utf-8")

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.log.close()
        return self.process.wait(10)


def pair_of(*options):
    """Worlds and helpers: (wire, guest at the destination, source, target)"""
    wire, _, _, guest = world()
    source = Helper("source", *options, "vm1=port")
    target = Helper("target", *options, "vm1b=port")
    port_set("vm1b", gate="auto")
    return wire, guest, source, target


def migrate(source, target, order=lambda ids: ids):
    """What QEMU does, all at once; -> {Id: data}"""
    helpers = source.bus.helpers()
    saved = {ident: source.bus.save(helpers[ident])
             for ident in order(sorted(helpers))}
    helpers = target.bus.helpers()
    for ident in order(sorted(saved))[::-1]:
        target.bus.load(helpers[ident], saved[ident])
    return saved


def test_one_part():
    """The state is in the first part; the others are their headers alone,
    never empty, as QEMU takes that for a failure."""
    wire, guest, source, target = pair_of()
    port_set(gate="closed")
    wire.send(*numbered(5))
    ksft_true(settle("vm1", 5))
    port_set("vm1", gate="auto")
    ids = ["vmq/port", "vmq/port.1", "vmq/port.2", "vmq/port.3"]
    ksft_eq(sorted(source.bus.helpers()), ids)
    saved = migrate(source, target)
    ksft_lt(HEADER, len(saved[ids[0]]))
    ksft_eq([len(saved[each]) for each in ids[1:]], [HEADER] * 3)
    ksft_eq(gate(), "auto")
    ksft_eq(port_get()["migration"], 2, "saved")
    ksft_eq((gate("vm1b"), port_get("vm1b")["waiting_frames"]), ("auto", 5))
    guest.send(ether(9, 1))
    ksft_eq(numbers(guest.all(0.5, count=5)), list(range(5)))
    ksft_in("restored", target.said())
    ksft_eq((source.end(), target.end()), (0, 0))
    ksft_true(not source.path.exists(), "its socket is gone")


def test_many_parts():
    """More than QEMU's 1 MiB is split, and loaded in any order."""
    wire, guest, source, target = pair_of("--parts", "3")
    for dev in ("vm1", "vm1b"):
        port_set(dev, hold_bytes=64 << 20, gate="auto")
    frames = [ether(1, 9, payload=struct.pack("!I", n) + bytes(1400))
              for n in range(1600)]
    for at in range(0, len(frames), 100):
        wire.send(*frames[at:at + 100])
    ksft_true(settle("vm1", len(frames)))
    saved = migrate(source, target, lambda ids: ids[1:] + ids[:1])
    ksft_eq(len(saved["vmq/port"]), MIB)
    ksft_true(all(HEADER < len(data) <= MIB for data in saved.values()))
    ksft_eq(port_get("vm1b")["waiting_frames"], len(frames))
    guest.send(ether(9, 1))
    ksft_eq(guest.all(1, ours, len(frames)) == frames, True)


def test_too_large():
    """A state that does not fit is not sent: Save answers, Load takes it, the
    port is as it was, and the helper says why."""
    wire, _, source, target = pair_of("--parts", "1")
    port_set("vm1", hold_bytes=64 << 20, gate="auto")
    frames = [ether(1, 9, payload=bytes(1400)) for _ in range(900)]
    for at in range(0, len(frames), 100):
        wire.send(*frames[at:at + 100])
    ksft_true(settle("vm1", len(frames)))
    before = port_get("vm1b")
    ksft_eq([len(data) for data in migrate(source, target).values()], [HEADER])
    ksft_in("--parts", source.said())
    ksft_in("nothing", target.said())
    after = port_get("vm1b")
    ksft_eq((after["mac"], after["waiting_frames"]), (before["mac"], 0))


def test_save_fails():
    """Save never fails because of a port: one that is being saved already, or
    that was deleted, is a valid answer without data (section 6)."""
    _, _, source, target = pair_of()
    session = Session("vm1", False)
    saved = migrate(source, target)
    ksft_eq({len(data) for data in saved.values()}, {HEADER})
    ksft_in("a save of vm1 runs already", source.said())
    session.close()
    cmd("ip link del vm1")
    saved = migrate(source, target)
    ksft_eq({len(data) for data in saved.values()}, {HEADER})


def test_again():
    """A migration that fails after the save, and another: the second has a new
    state."""
    wire, _, source, target = pair_of()
    first = {ident: source.bus.save(owner) for ident, owner
             in sorted(source.bus.helpers().items())}
    wire.send(*numbered(3))
    ksft_true(settle("vm1", 3))
    abort("vm1")
    ksft_eq(gate(), "open")
    second = migrate(source, target)
    ksft_true(first["vmq/port"][16:24] != second["vmq/port"][16:24])
    ksft_eq(port_get("vm1b")["frames_restored"], 3)


def test_bad_load():
    """What no helper sent is refused with a reason, and changes nothing."""
    _, _, source, target = pair_of()
    good = source.bus.save(source.bus.helpers()["vmq/port"])
    helpers = target.bus.helpers()
    before = port_get("vm1b")
    for data, words in ((b"", "cut short"), (good[:20], "cut short"),
                        (good[:-1], "cut short"),
                        (b"X" + good[1:], "not from"),
                        (good[:8] + b"\2" + good[9:], "wrong place"),
                        (good[:12] + b"\7" + good[13:], "do not agree"),
                        (good[:24] + b"\xff" * 8 + good[32:], "do not agree"),
                        (good[:60] + b"\xff" + good[61:], "restore:")):
        with ksft_raises(BusError, words) as caught:
            target.bus.load(helpers["vmq/port"], data)
        ksft_in(words, str(caught.exception))
        after = port_get("vm1b")
        ksft_eq((after["mac"], after["uuid"], after["migration"]),
                (before["mac"], before["uuid"], 0))
    target.bus.load(helpers["vmq/port"], good)
    ksft_eq(port_get("vm1b")["uuid"], port_get("vm1")["uuid"])


def test_refuses_to_start():
    """Without kernel, permission, port or bus it says so, and does not
    start."""
    world()
    Helper("one", "vm1").end()
    for words, status, said in (
            ("--private /run/vmstate-test/x nothing", 1, "no such device"),
            ("--private /run/vmstate-test/x vmq0", 1, "not a port"),
            ("--private /no/where vm1", 1, "no bus"),
            ("--private /run/vmstate-test/x --user nobody-such vm1", 1,
             "no such user"),
            ("--bus unix:path=/no/where vm1", 1, "/no/where"),
            ("--private /run/vmstate-test/x", 2, "which port"),
            ("--private /run/vmstate-test/x --parts 65 vm1", 2, "1 to 64"),
            ("--private /run/vmstate-test/x vm1 vm1", 2, "twice"),
            ("vm1", 2, "--private or --bus")):
        done = run(f"vmq-vmstate {words}")
        ksft_eq(done.returncode, status, words)
        ksft_in(said, done.stderr)
    ksft_eq(run("vmq-vmstate --help").returncode, 0)


def children(parent):
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text(encoding="utf-8").rpartition(")")[2]
            if int(fields.split()[1]) == parent:
                found.append(int(path.parent.name))
    return found


def test_bus_gone():
    """It ends, and says why, when its bus does."""
    world()
    helper = Helper("one", "vm1")
    [daemon] = children(helper.process.pid)
    os.kill(daemon, 9)
    ksft_true(wait_until(lambda: helper.process.poll() is not None, 20))
    ksft_eq(helper.process.returncode, 1)
    ksft_in("bus", helper.said().split("ready")[1])


if __name__ == "__main__":
    ksft_main(globals())
