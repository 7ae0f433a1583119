#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The libvirt hook, with sample XML and stand-ins for ip, vmqctl, systemctl."""

import os
import pathlib
import subprocess
import sys
import tempfile
import traceback

HERE = pathlib.Path(__file__).resolve().parent
HOOK = HERE.parent / "vmq"
XML = (HERE / "guest.xml").read_text(encoding="utf-8")
CONFIG = """[vm*]
adapter = vmq0
queues = 2
commands =
    vmqctl acl add dev {dev} priority 9 direction in action deny
    vmqctl port set dev {dev} hold-frames 100
"""
# says what it was called with; fails for what $FAIL begins
STAND_IN = """#!/bin/sh
echo "${0##*/} $*" >>"$LOG"
case "$FAIL" in "") ;; *) case "${0##*/} $*" in $FAIL*) echo no; exit 1;; esac;; esac
case "${0##*/} $*" in
"ip link show dev "*) test -e "$LINKS/$4" ;;
"ip link add link "*) touch "$LINKS/$6" ;;
"ip link del "*) rm "$LINKS/$3" ;;
esac
"""


class World:
    def __init__(self, directory, config=CONFIG):
        self.top = pathlib.Path(directory)
        for name in ("bin", "links", "run", "vmstate"):
            (self.top / name).mkdir()
        for name in ("ip", "vmqctl", "systemctl"):
            path = self.top / "bin" / name
            path.write_text(STAND_IN, encoding="utf-8")
            path.chmod(0o755)
        (self.top / "conf").write_text(config, encoding="utf-8")
        self.log = self.top / "log"

    def call(self, *words, xml=XML, fail=""):
        """-> (status, what was called, what it said)"""
        self.log.write_text("", encoding="utf-8")
        environment = dict(
            os.environ, PATH=f"{self.top}/bin:{os.environ['PATH']}",
            LOG=str(self.log), LINKS=str(self.top / "links"), FAIL=fail,
            VMQ_LIBVIRT_CONF=str(self.top / "conf"),
            VMQ_LIBVIRT_RUN=str(self.top / "run"),
            VMQ_VMSTATE_CONF=str(self.top / "vmstate"))
        result = subprocess.run([HOOK, *words], input=xml, text=True,
                                capture_output=True, check=False, timeout=20,
                                env=environment)
        assert not result.stdout, "libvirt takes it for a new XML"
        return (result.returncode,
                self.log.read_text(encoding="utf-8").splitlines(),
                result.stderr)

    def links(self):
        return sorted(os.listdir(self.top / "links"))

    def left(self):
        return os.listdir(self.top / "run") + \
            os.listdir(self.top / "vmstate") + self.links()


MAKE = ["ip link show dev vm1",
        "ip link add link vmq0 name vm1 address 52:54:00:00:00:11 "
        "numrxqueues 2 type vmqport",
        "ip link set vm1 up",
        "vmqctl acl add dev vm1 priority 9 direction in action deny",
        "vmqctl port set dev vm1 hold-frames 100"]
START = ["systemctl start vmq-vmstate@guest.service"]
WAIT = ["vmqctl port set dev vm1 gate auto"]


def test_start_and_stop(world):
    """A plain start: the port with its policy, the helper, and all gone at the
    end"""
    assert world.call("guest", "prepare", "begin", "-") == (0, MAKE + START, "")
    assert world.links() == ["vm1"]
    assert "PORTS=vm1\n" in (world.top / "vmstate/guest").read_text()
    for operation in ("start", "started"):
        assert world.call("guest", operation, "begin", "-")[:2] == (0, [])
    assert world.call("guest", "stopped", "end", "-")[:2] == (0, [])
    status, called, _ = world.call("guest", "release", "end", "-")
    assert (status, called) == (0, [
        "systemctl stop vmq-vmstate@guest.service", "ip link del vm1"])
    assert not world.left(), world.left()


def test_migration(world):
    """On the destination the gate waits, and is shut before the port is up"""
    assert world.call("guest", "migrate", "begin", "-") == (0, [], "")
    assert world.call("guest", "prepare", "begin", "-")[:2] == \
        (0, MAKE[:2] + WAIT + MAKE[2:] + START)
    world.call("guest", "started", "begin", "-")
    assert world.call("guest", "release", "end", "migrated")[0] == 0
    assert not world.left(), world.left()
    # a later start there is none by migration
    assert world.call("guest", "prepare", "begin", "-")[:2] == \
        (0, MAKE + START)


def test_failed_migration(world):
    """One that never came: nothing is left"""
    world.call("guest", "migrate", "begin", "-")
    world.call("guest", "prepare", "begin", "-")
    world.call("guest", "release", "end", "-")
    assert not world.left(), world.left()


def test_names(world):
    """A name that is none of a systemd unit is written as systemd-escape does,
    but for the -, which a unit's %i may have"""
    for name, unit in (("my-vm_1.x:y", "my-vm_1.x:y"),
                       ("Windows 10", r"Windows\x2010"),
                       (r"a\b@ü", r"a\x5cb\x40\xc3\xbc")):
        assert world.call(name, "prepare", "begin", "-") == \
            (0, MAKE + [f"systemctl start vmq-vmstate@{unit}.service"], ""), name
        assert (world.top / "vmstate" / unit).exists(), name
        assert world.call(name, "release", "end", "-")[1][0] == \
            f"systemctl stop vmq-vmstate@{unit}.service", name
        assert not world.left(), world.left()


def test_own_port(world):
    """A port that is there already is used, and not deleted"""
    (world.top / "links/vm1").touch()
    assert world.call("guest", "prepare", "begin", "-")[:2] == \
        (0, MAKE[:1] + START)
    world.call("guest", "release", "end", "-")
    assert world.links() == ["vm1"]


def test_failures(world):
    """What can't be done keeps the domain from starting, says why, and leaves
    nothing"""
    for fail in ("ip link add", "ip link set", "vmqctl acl", "systemctl start"):
        status, _, said = world.call("guest", "prepare", "begin", "-",
                                     fail=fail)
        assert status == 1 and fail in said and "no" in said, (fail, said)
        assert not world.links(), fail
        assert not (world.top / "run/guest").exists(), fail
    for bad in ("", "<domain", "not xml"):
        assert world.call("guest", "prepare", "begin", "-", xml=bad)[0] == 1
        assert world.call("guest", "migrate", "begin", "-", xml=bad)[0] == 1
    for name in ("../x", "a/b", "", ".x"):
        assert world.call(name, "prepare", "begin", "-")[0] == 1, name
    assert not world.links()


def test_reconnect(world):
    """Always succeeds, and does nothing, whatever it is given"""
    for xml in (XML, "", "<domain", "\0"):
        assert world.call("guest", "reconnect", "begin", "-", xml=xml,
                          fail="ip")[:2] == (0, []), xml
    assert world.call("../x", "reconnect", "begin", "-")[0] == 0


def test_release(world):
    """Always succeeds, without XML too, and twice"""
    world.call("guest", "prepare", "begin", "-")
    assert world.call("guest", "release", "end", "-", xml="", fail="ip")[0] == 0
    assert world.call("guest", "release", "end", "-", xml="")[0] == 0


def test_others(world):
    """Domains without a port of ours, and operations that are none of ours"""
    xml = XML.replace("vm1", "eth7")
    for operation in ("migrate", "prepare", "started", "attach"):
        assert world.call("guest", operation, "begin", "-", xml=xml)[:2] == \
            (0, []), operation
    (world.top / "conf").unlink()
    assert world.call("guest", "prepare", "begin", "-")[:2] == (0, [])
    assert world.call() [0] == 1


def test_without_vmstate(world):
    """Without a dbus-vmstate there is no helper; values may have an alias"""
    xml = XML.replace("dbus-vmstate", "rng-random")
    assert world.call("guest", "prepare", "begin", "-", xml=xml)[:2] == \
        (0, MAKE)


def main():
    tests = [(name, value) for name, value in globals().items()
             if name.startswith("test_")]
    print(f"TAP version 13\n1..{len(tests)}")
    bad = 0
    for number, (name, test) in enumerate(tests, 1):
        result = "ok"
        with tempfile.TemporaryDirectory() as directory:
            try:
                test(World(directory))
            except Exception:       # pylint: disable=broad-except
                print("# " + traceback.format_exc().replace("\n", "\n# "))
                result, bad = "not ok", bad + 1
        print(f"{result} {number} {name}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
