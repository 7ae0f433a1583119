#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A guest migrates live, there and back, its port's state in QEMU's stream.

vmq-vmstate runs beside both QEMU processes. All the while the guest has TCP
connections, echoes datagrams, and is behind vmq_acl, vmq_guard and vmq_meter.
VMQ_E2E_ROUNDS says how often it moves, by default twice.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
# pylint: disable=wrong-import-position
import boot
import ktap
from ktap import check
from stage import (GUEST, HOST, MAC, STATION, Counter, Echo, Pulse,
                   adapter_commands, connects, host2_commands,
                   module_commands, sh, station_commands, wait_for)

if boot.inside():
    from nested import Guest, begin_migration, live_migrate, make_echo
    from qemu import GuestError
    from vmstate import Helper

ROUNDS = int(os.environ.get("VMQ_E2E_ROUNDS", "2"))
ALLOWED, DENIED, ECHO = 7000, 7001, 7002
PREFIX = {1: "", 2: "ip netns exec host2 "}
EXTENSIONS = ("acl", "guard", "meter")


def vmqctl(host, words):
    return json.loads(sh(f"{PREFIX[host]}vmqctl -j {words}"))


def port(host, name="vm1"):
    [shown] = vmqctl(host, f"port show dev {name}")
    return shown


def counted(host):
    """What is counted of the guest's frames: by its port, by vmq_meter, and by
    vmq_acl of one connection. It only grows, wherever the guest is."""
    shown = port(host)
    found = {key: shown[key] for key in
             ("rx-packets", "tx-packets", "rx-bytes", "tx-bytes")}
    [meter] = vmqctl(host, "meter show dev vm1")
    for way in ("rx", "tx"):
        for what in ("packets", "bytes"):
            key = f"{way}-passed-{what}"
            found[f"meter {key}"] = meter[key]
    own = world.into.pair()[0][1]
    [connection] = [each for each in vmqctl(host, "acl show dev vm1 connections")
                    if own in each.values()]
    for key in ("packets-in", "packets-out"):
        found[f"acl {key}"] = connection[key]
    return found


def bindings(host):
    """Addresses that vmq_guard lets the guest have."""
    return {each.get("ip") for each
            in vmqctl(host, "guard show dev vm1 bindings")}


class Prober(threading.Thread):
    """Tries what the policy forbids, over and over."""

    def __init__(self):
        super().__init__(daemon=True)
        self.tried, self.let_in = 0, 0
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.wait(0.1):
            self.let_in += connects("station", GUEST[1], DENIED, 0.3)
            self.tried += 1


class World:
    """What the tests share; they come in the order of TESTS."""
    host, number = 1, 0
    guest = helper = into = out = counter = pulses = prober = None
    rounds = []

    def make_port(self, host, gate="auto", acl=True):
        """vm1, ready for its guest, with its policy.

        Its gate is shut before it is up: then nothing of the host's own stack
        tells the network that the guest is here.
        """
        prefix = PREFIX[host]
        for command in (
                f"ip link add link vmq0 name vm1 address {MAC[1]} "
                "type vmqport",
                f"vmqctl port set dev vm1 gate {gate}",
                "ip link set vm1 up",
                "vmqctl acl add dev vm1 priority 1 direction in action allow "
                f"proto tcp dport {ALLOWED}",
                "vmqctl acl add dev vm1 priority 2 direction in action allow "
                f"proto udp dport {ECHO}",
                "vmqctl acl add dev vm1 priority 9 direction in action deny",
                f"vmqctl guard add dev vm1 ip {GUEST[1]}",
                "vmqctl guard set dev vm1 checks all",
                "vmqctl meter set dev vm1 rx-rate 400mbit tx-rate 400mbit"):
            if " acl " not in command or acl:
                sh(prefix + command)

    def make_guest(self, host, incoming, paused=False):
        self.number += 1
        helper = Helper(f"{host}-{self.number}", "vm1", prefix=PREFIX[host])
        guest = Guest(f"guest{self.number}", "vm1", MAC[1], f"{GUEST[1]}/24",
                      netns="host2" if host == 2 else None,
                      vhost=os.path.exists("/dev/vhost-net"),
                      incoming=incoming, paused=paused, vmstate=helper)
        return guest, helper

    def make_target(self, paused=False):
        """The other host is ready. -> it, the QEMU there, and its helper"""
        target = 3 - self.host
        self.make_port(target)
        guest, helper = self.make_guest(target, True, paused)
        guest.start()
        return target, guest, helper

    def clean(self, target, guest, helper):
        """No migration came of it: nothing is left there."""
        guest.kill()
        check(helper.end() == 0, helper.said())
        sh(f"{PREFIX[target]}ip link del vm1")

    def runs(self):
        """The guest does, or is told to, which QEMU refuses until it has let go of a
        migration that failed."""
        if self.guest.qmp("query-status")["status"] == "running":
            return True
        try:
            self.guest.qmp("cont")
        except GuestError as error:
            if "not finalized" not in str(error):
                raise
        return False

    def goes_on(self):
        """The guest does, at the source, and so does its port."""
        wait_for("it runs", self.runs)
        self.into.exchange(timeout=120)
        wait_for("the gate is open",
                 lambda: port(self.host)["gate"] == "open")
        check(not connects("station", GUEST[1], DENIED, 0.5), "let in")
        shown = port(self.host)
        check(not shown["waiting-frames"], shown)


world = World()


def test_boot():
    """Two hosts, a tunnel between them, and a guest on host 1"""
    make_echo()
    for command in (*module_commands(), *station_commands(),
                    *adapter_commands("eth0", HOST[1]), *host2_commands()):
        sh(command)
    for command in adapter_commands("eth1", HOST[2]):
        sh(PREFIX[2] + command)
    sh("ip link add tunnel1 type veth peer name tunnel2 netns host2")
    for host, uplink in ((1, "eth0"), (2, "eth1")):
        for command in (
                f"sysctl -qw net.ipv6.conf.tunnel{host}.disable_ipv6=1",
                f"ip link set tunnel{host} up",
                f"tc qdisc add dev tunnel{host} clsact",
                f"tc filter add dev tunnel{host} ingress matchall action "
                f"mirred ingress redirect dev {uplink}",
                *(f"vmqctl ext enable dev vmq0 name {name}"
                  for name in EXTENSIONS)):
            sh(PREFIX[host] + command)
    world.make_port(1, "open")
    world.guest, world.helper = world.make_guest(1, False)
    world.guest.boot()
    world.guest.run(f"nc -ll -p {ALLOWED} -e tee &")
    world.guest.run(f"nc -ll -p {DENIED} -e tee &")
    world.guest.run(f"echo-udp {ECHO} /tmp/count &")


def test_traffic():
    """TCP into the guest and out of it, datagrams, and a probe that the policy
    refuses"""
    sh("ip netns exec station socat TCP-LISTEN:7003,fork,reuseaddr EXEC:cat "
       ">/dev/null 2>&1 &")
    wait_for("it listens", lambda: sh(
        "ip netns exec station ss -Hltn sport = :7003").strip())
    world.into = Echo("station", GUEST[1], ALLOWED)
    world.into.exchange()
    world.pulses = Pulse(world.into)
    world.pulses.start()
    world.guest.run("mkfifo /tmp/up")
    world.guest.run("(i=0; while :; do echo $((i=i+1)); sleep 0.1; done "
                    ">/tmp/up) &")
    world.guest.run(f"(nc {STATION} 7003 </tmp/up >/tmp/back; "
                    "echo broke >>/tmp/back) &")
    world.counter = Counter("station", GUEST[1], ECHO)
    world.counter.start()
    world.prober = Prober()
    world.prober.start()
    wait_for("datagrams come back", lambda: len(world.counter.got) > 20)
    wait_for("lines come back to the guest", lambda: int(
        world.guest.run("wc -l </tmp/back")) > 3)
    wait_for("the probe was refused", lambda: world.prober.tried > 2)
    check(not world.prober.let_in)
    check(not world.counter.lost(), "datagrams were lost before it moved")


def move(redirect):
    source, target = world.host, 3 - world.host
    world.make_port(target)
    if redirect:
        sh(f"{PREFIX[source]}vmqctl port set dev vm1 redirect tunnel{source}")
    before, own, tried = counted(source), port(source), world.prober.tried
    guest, helper = world.make_guest(target, True)
    guest.start()
    shown = live_migrate(world.guest, guest, bandwidth=1 << 30)
    wait_for("the gate opens", lambda: port(target)["gate"] == "open")
    wait_for("all was replayed", lambda: not port(target)["waiting-frames"])
    lost = world.counter.lost()
    left, after = port(source), port(target)
    check(left["gate"] == "auto" and left["migration"] == "saved", left)
    check(not after["frames-dropped"] and not left["frames-dropped"] and
          after["frames-replayed"] == after["frames-held"],
          "not all of what waited was delivered", left, after)
    now = counted(target)
    for key, value in before.items():
        check(now[key] >= value > 0, key, "was", value, "is", now[key])
    check(after["uuid"] == own["uuid"], "uuid")
    check(bindings(target) == {GUEST[1]}, bindings(target))
    # before it moved, while, and behind
    wait_for("it is probed", lambda: world.prober.tried >= tried + 5)
    check(not world.prober.let_in, "the probe was let in")
    check(world.helper.end() == 0 and "saved" in world.helper.said(),
          world.helper.said())
    check("restored" in helper.said(), helper.said())
    sh(f"{PREFIX[source]}ip link del vm1")
    world.host, world.guest, world.helper = target, guest, helper
    found = {"downtime": float(shown.get("downtime", 0)),
             "gap": after["gap-usecs"] / 1000,
             "save": left["save-usecs"] / 1000,
             "restore": after["restore-usecs"] / 1000,
             "bytes": after["state-bytes"], "records": after["records"],
             "moved": left["frames-saved"], "held": after["frames-held"],
             "redirected": left["frames-redirected"],
             "dropped": after["frames-dropped"], "lost": len(lost)}
    print(f"# to host {target}, " + ", ".join(
        f"{key} {value:.1f} ms" if isinstance(value, float) else
        f"{key} {value}" for key, value in found.items()), flush=True)
    return found


def test_rounds():
    """It moves, over and over: with a redirection no datagram is lost, what the
    policy forbids is never let in, and all counters go on"""
    for _ in range(ROUNDS):
        world.rounds.append(move(True))
        check(not world.pulses.error, "connection", world.pulses.error)
    for key in world.rounds[0]:
        values = [each[key] for each in world.rounds]
        unit = " ms" if isinstance(values[0], float) else ""
        print(f"# {key}: median {statistics.median(values):.1f}{unit}, "
              f"maximum {max(values):.1f}{unit}")
    for each in world.rounds:
        check(each["held"] >= each["moved"] + each["redirected"] > 0, each)
        check(not each["lost"], "datagrams lost", each)


def test_without_redirect():
    """Without it, what arrives at the source after the save is lost"""
    found = move(False)
    check(not found["redirected"] and found["held"] >= found["moved"] > 0)
    print(f"# lost without a redirection: {found['lost']}")


def test_connections():
    """Neither connection broke, and no line is missing on either"""
    world.pulses.stop()
    world.into.exchange()
    world.prober.stopped.set()
    world.prober.join()
    world.counter.stop()
    lines = world.guest.run("cat /tmp/back").split("\n")
    check("broke" not in lines, "the guest's connection broke")
    check(lines == [str(n + 1) for n in range(len(lines))], lines[-5:])
    check(world.prober.tried > 5 and not world.prober.let_in)
    check(world.counter.twice == 0, f"{world.counter.twice} came twice")
    print(f"# {world.pulses.rounds} exchanges, the longest "
          f"{world.pulses.longest:.1f} s; {len(lines)} lines from the guest; "
          f"{world.counter.sent} datagrams, {world.counter.late} late; "
          f"{world.prober.tried} probes refused")


def test_cancelled():
    """Cancelled on the way, and when the guest has stopped already: it goes on
    where it is, its gate open"""
    for pause, status in ((False, "active"), (True, "pre-switchover")):
        target, guest, helper = world.make_target()
        begin_migration(world.guest, guest, pause,
                        bandwidth=1 << (30 if pause else 20))
        world.guest.wait_migration(status)
        world.guest.qmp("migrate_cancel")
        world.guest.wait_migration("cancelled")
        check(port(world.host)["gate"] == "open", status)
        check(port(target)["gate"] == "auto", status)
        world.goes_on()
        world.clean(target, guest, helper)


def test_killed_before_load():
    """The destination's QEMU is killed before it loads the state, which the
    source has saved: the guest goes on there, its first frame opens the gate"""
    target, guest, helper = world.make_target()
    begin_migration(world.guest, guest, True, bandwidth=1 << 30)
    world.guest.wait_migration("pre-switchover")
    guest.kill()
    world.guest.qmp("migrate-continue", state="pre-switchover")
    wait_for("the migration has failed", lambda: world.guest.qmp(
        "query-migrate")["status"] in ("failed", "cancelled"))
    check("restored" not in helper.said(), helper.said())
    world.goes_on()
    world.clean(target, guest, helper)


def test_killed_after_load():
    """It is killed when all was loaded, before the guest ran there: the guest
    goes on at the source, which the administrator has it do"""
    target, guest, helper = world.make_target(paused=True)
    begin_migration(world.guest, guest, bandwidth=1 << 30)
    world.guest.wait_migration("completed")
    guest.wait_migration("completed")
    check("restored" in helper.said(), helper.said())
    check(port(world.host)["migration"] == "saved")
    check(port(world.host)["gate"] == "auto")
    check(port(target)["gate"] == "auto", "the guest never spoke there")
    guest.kill()
    world.goes_on()
    world.clean(target, guest, helper)


def test_refused():
    """The destination refuses the state: the migration fails, the guest goes on
    at the source, and its first frame opens the gate again"""
    target = 3 - world.host
    world.make_port(target)
    # an address of another port there: the stream can't be applied
    sh(f"{PREFIX[target]}ip link set vm1 address 52:54:00:00:00:77")
    sh(f"{PREFIX[target]}ip link add link vmq0 name vm9 address {MAC[1]} "
       "type vmqport")
    sh(f"{PREFIX[target]}vmqctl port set dev vm9 gate closed")
    guest, helper = world.make_guest(target, True)
    guest.start()
    begin_migration(world.guest, guest, bandwidth=1 << 30)
    wait_for("the destination has refused it",
             lambda: "restore:" in helper.said())
    guest.process.wait(90)
    wait_for("the source knows", lambda: world.guest.qmp("query-migrate")
             .get("status") in ("failed", "completed"))
    world.goes_on()
    world.clean(target, guest, helper)
    sh(f"{PREFIX[target]}ip link del vm9")


def test_no_vmq_there():
    """A destination whose NIC is no port, and which knows of no state: the
    migration fails, the guest goes on"""
    target = 3 - world.host
    prefix = PREFIX[target]
    sh("modprobe -a dummy macvtap")
    sh(f"{prefix}ip link add plain0 type dummy")
    sh(f"{prefix}ip link add link plain0 name plain1 type macvtap")
    guest = Guest("plain", "plain1", MAC[1], f"{GUEST[1]}/24",
                  netns="host2" if target == 2 else None,
                  vhost=os.path.exists("/dev/vhost-net"), incoming=True)
    guest.start()
    begin_migration(world.guest, guest, bandwidth=1 << 30)
    guest.process.wait(90)
    wait_for("the source knows", lambda: world.guest.qmp("query-migrate")
             .get("status") in ("failed", "completed"))
    world.goes_on()
    sh(f"{prefix}ip link del plain0")


def test_helper_killed():
    """vmq-vmstate killed beside the destination, then beside the source: the
    migration fails, the guest and its port work on"""
    for side in ("destination", "source"):
        target, guest, helper = world.make_target()
        killed = helper if side == "destination" else world.helper
        killed.process.kill()
        killed.process.wait()
        begin_migration(world.guest, guest, bandwidth=1 << 30)
        # the destination may find out when the source has sent all
        ends = ("failed",) if side == "source" else ("failed", "completed")
        wait_for(f"the migration has failed, {side}", lambda: world.guest.qmp(
            "query-migrate").get("status") in ends)
        if side == "destination":
            guest.process.wait(90)
        world.goes_on()
        guest.kill()
        helper.end()
        sh(f"{PREFIX[target]}ip link del vm1")


def test_helper_refuses():
    """vmq-vmstate does not start without what it needs, and says what"""
    for words, status, said in (
            ("--private /run/vmstate/x nothing", 1, "No such device|no such"),
            ("--private /run/vmstate/x", 2, "which port"),
            ("vm1", 2, "--private or --bus"),
            ("--bus unix:path=/nowhere vm1", 1, "/nowhere")):
        result = subprocess.run(
            f"{PREFIX[world.host]}vmq-vmstate {words}".split(),
            capture_output=True, text=True, check=False, timeout=90)
        check(result.returncode == status and
              re.search(said, result.stderr), words, result)


def test_without_extension():
    """A destination without vmq_acl: the guest moves there, its state of
    vmq_acl is reported as nobody's, the connection goes on"""
    source, target = world.host, 3 - world.host
    # QEMU lost the bus of the helper that was killed
    world.guest.qmp("object-del", id="vmq")
    world.helper = Helper(f"{source}-again", "vm1", prefix=PREFIX[source])
    world.guest.qmp("object-add", **{"qom-type": "dbus-vmstate", "id": "vmq",
                                     "addr": f"unix:path={world.helper.path}"})
    sh(f"{PREFIX[target]}vmqctl ext disable dev vmq0 name acl")
    world.make_port(target, acl=False)
    guest, helper = world.make_guest(target, True)
    guest.start()
    live_migrate(world.guest, guest, bandwidth=1 << 30)
    world.helper.end()
    sh(f"{PREFIX[source]}ip link del vm1")
    world.host, world.guest, world.helper = target, guest, helper
    world.into.exchange(timeout=120)
    shown = port(target)
    check(shown["records-unclaimed"] >= 1, shown)
    check(shown["gate"] == "open" and not shown["waiting-frames"], shown)
    check(connects("station", GUEST[1], DENIED, 40), "nothing refuses it there")


def test_end():
    """All goes, and the modules unload"""
    world.guest.kill()
    for host in (1, 2):
        sh(f"{PREFIX[host]}ip link del vmq0")
    sh("rmmod vmq_acl vmq_guard vmq_meter vmq")


TESTS = [test_boot, test_traffic, test_rounds, test_without_redirect,
         test_connections, test_cancelled, test_killed_before_load,
         test_killed_after_load, test_refused, test_no_vmq_there,
         test_helper_killed, test_helper_refuses, test_without_extension,
         test_end]

if __name__ == "__main__":
    if not boot.inside():
        boot.boot(pathlib.Path(__file__).resolve())
    sys.exit(ktap.run(TESTS))
