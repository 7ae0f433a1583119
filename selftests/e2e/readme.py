#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""README.md, "Migrate a VM", word for word.

The commands are taken out of README.md and run. Only what it leaves to the
reader is filled in: the guest's other options for "...", and the other host's
address for OTHER.
"""

import os
import pathlib
import re
import shlex
import shutil
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
# pylint: disable=wrong-import-position
import boot
import ktap
from ktap import check
from qemu import Qemu
from stage import (HOST, STATION, Echo, adapter_commands, host2_commands,
                   module_commands, sh, station_commands, wait_for)

if boot.inside():
    from nested import CLONE, UP, make_initramfs

ADDRESS, SERVICE = "192.0.2.11", 7000
# One file system for both hosts, and the same names on both: so a /run each.
RUN2 = ("ip netns exec host2 unshare -m sh -c "
        "'mount --make-rprivate / && mount -t tmpfs run /run && exec \"$@\"' sh")
PLACE = pathlib.Path("/tmp/readme")


def section(name):
    """The blocks of a section of README.md, in their order."""
    text = (CLONE / "README.md").read_text()
    [part] = re.findall(rf"^### {name}$(.*?)(?=^#)", text + "\n# ",
                        re.M | re.S)
    return [block.strip("\n") for block in
            re.findall(r"^```\w*\n(.*?)^```$", part, re.M | re.S)]


class ReadmeQemu(Qemu):
    """A block of README.md that ends in a QEMU."""

    def __init__(self, name, block, prefix=""):
        super().__init__(name, PLACE / name, [
            "-kernel", str(PLACE / "kernel"), "-initrd",
            str(PLACE / "initramfs"),
            "-append", f"console=ttyS0 quiet address={ADDRESS}/24"],
            prefix=shlex.split(prefix))
        others = self.command.split(maxsplit=1)[1]
        check(block.count("qemu-system-x86_64 ... ") == 1, block)
        block = block.replace("qemu-system-x86_64 ... ",
                              f"exec qemu-system-x86_64 {others} ")
        self.command = f"bash -c {shlex.quote(block)}"

    def boot(self):
        """Start it, and wait until its shell answers."""
        self.start()
        deadline = time.monotonic() + 480
        while self.shell.line(deadline) != UP:
            pass


class World:
    """What the tests share; they come in the order of TESTS."""
    first = other = connection = None
    blocks = []


world = World()


def test_first():
    """The first block: a guest beside its helper, on the port of the Quick start"""
    for command in (*module_commands(), *station_commands(),
                    *adapter_commands("eth0", HOST[1]), *host2_commands()):
        sh(command)
    sh("ip -n host2 link set eth1 name eth0")
    for command in adapter_commands("eth0", HOST[2]):
        sh(f"ip netns exec host2 {command}")
    for line in ("ip link add link vmq0 name vm1 address 52:54:00:00:00:01 "
                 "type vmqport", "ip link set vm1 up"):
        check(line in (CLONE / "README.md").read_text(), line)
        sh(line)
    PLACE.mkdir()
    shutil.copy(os.environ["VMQ_GUEST_KERNEL"], PLACE / "kernel")
    shutil.copy(make_initramfs(), PLACE / "initramfs")
    world.blocks = section("Migrate a VM")
    check(len(world.blocks) >= 5, world.blocks)
    world.first = ReadmeQemu("first", world.blocks[0])
    world.first.boot()
    world.first.run(f"nc -ll -p {SERVICE} -e tee &")
    world.connection = Echo("station", ADDRESS, SERVICE)
    world.connection.exchange()


def test_other():
    """The second makes the port on the other host, and a QEMU that waits"""
    world.other = ReadmeQemu("other", world.blocks[1], prefix=RUN2)
    world.other.start()
    shown = sh("ip netns exec host2 vmqctl port show dev vm1")
    check("auto" in shown, shown)


def test_monitor():
    """The lines for the monitor: the guest moves, its connection goes on"""
    migrate, info, leave = [line.replace("OTHER", HOST[2]) for line
                            in world.blocks[2].split("\n")]

    def monitor(line):
        return world.first.qmp("human-monitor-command",
                               **{"command-line": line})

    check(not monitor(migrate).strip())
    wait_for("the migration is completed",
             lambda: re.search(r"status:\s*completed", monitor(info),
                               re.I), 240)
    world.first.monitor.send('{"execute": "human-monitor-command", '
                             f'"arguments": {{"command-line": "{leave}"}}}}\n')
    world.first.process.wait(90)
    world.connection.exchange(timeout=120)
    check(STATION in world.other.run("netstat -tn"))


def test_after():
    """The port on the first host goes, the other one has the report"""
    sh(world.blocks[3])
    shown = sh(f"ip netns exec host2 {world.blocks[4]}")
    check(re.search(r"gate[: ]+open", shown), shown)
    for word in ("gap-usecs", "restore-usecs", "frames-restored"):
        check(word in shown, word, shown)
    world.connection.exchange()
    world.other.kill()


TESTS = [test_first, test_other, test_monitor, test_after]

if __name__ == "__main__":
    if not boot.inside():
        boot.boot(pathlib.Path(__file__).resolve())
    sys.exit(ktap.run(TESTS))
