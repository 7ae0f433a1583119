#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A guest migrates live, there and back, its port's state in QEMU's stream.

vmq-vmstate runs beside both QEMU processes. All the while the guest has TCP
connections, echoes datagrams, and is behind vmq_acl, vmq_guard and vmq_meter.
VMQ_E2E_ROUNDS says how often it moves, by default 3 times.
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
    from nested import Guest, live_migrate, make_echo
    from vmstate import Helper

ROUNDS = int(os.environ.get("VMQ_E2E_ROUNDS", "3"))
ALLOWED, DENIED, ECHO = 7000, 7001, 7002
# What QEMU may have read from the tap when it stopped the guest, and forgets.
QEMU_TAKES = 2
PREFIX = {1: "", 2: "ip netns exec host2 "}
EXTENSIONS = ("acl", "guard", "meter")


def port(host, name="vm1"):
    [shown] = json.loads(sh(f"{PREFIX[host]}vmqctl -j port show dev {name}"))
    return shown


class Prober(threading.Thread):
    """Tries what the policy forbids, over and over."""

    def __init__(self):
        super().__init__(daemon=True)
        self.tried, self.let_in = 0, 0
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.wait(0.2):
            self.let_in += connects("station", GUEST[1], DENIED, 0.5)
            self.tried += 1


class World:
    """What the tests share; they come in the order of TESTS."""
    host, number = 1, 0
    guest = helper = into = out = counter = pulses = prober = None
    rounds = []

    def make_port(self, host, gate="auto"):
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
            sh(prefix + command)

    def make_guest(self, host, incoming):
        self.number += 1
        helper = Helper(f"{host}-{self.number}", "vm1", prefix=PREFIX[host])
        guest = Guest(f"guest{self.number}", "vm1", MAC[1], f"{GUEST[1]}/24",
                      netns="host2" if host == 2 else None,
                      vhost=os.path.exists("/dev/vhost-net"),
                      incoming=incoming, vmstate=helper)
        return guest, helper


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
    before = port(source)
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
    for key in ("rx-packets", "tx-packets", "rx-bytes", "tx-bytes"):
        check(after[key] >= before[key] > 0, key, before[key], after[key])
    check(after["uuid"] == before["uuid"], "uuid")
    check(world.helper.end() == 0 and "saved" in world.helper.said(),
          world.helper.said())
    check("restored" in helper.said(), helper.said())
    sh(f"{PREFIX[source]}ip link del vm1")
    world.host, world.guest, world.helper = target, guest, helper
    found = {"downtime": shown.get("downtime", 0),
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
    """It moves, over and over; with a redirection no frame that came to a shut
    gate is lost, and what the policy forbids is never let in"""
    for _ in range(ROUNDS):
        world.rounds.append(move(True))
        check(not world.pulses.error, "connection", world.pulses.error)
        check(not world.prober.let_in, "the probe was let in")
    for key in ("gap", "held", "moved", "redirected", "dropped", "lost"):
        values = [each[key] for each in world.rounds]
        print(f"# {key}: median {statistics.median(values):.1f}, "
              f"maximum {max(values):.1f}")
    for each in world.rounds:
        check(each["held"] >= each["moved"] + each["redirected"] > 0, each)
        check(each["lost"] <= QEMU_TAKES, "datagrams lost", each)


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
    """A migration that is cancelled on the way: the guest goes on where it
    is, its gate open"""
    source, target = world.host, 3 - world.host
    world.make_port(target)
    guest, helper = world.make_guest(target, True)
    guest.start()
    guest.qmp("migrate-incoming", uri="unix:/run/guests/migration")
    world.guest.qmp("migrate-set-parameters", **{"max-bandwidth": 1 << 20})
    world.guest.qmp("migrate", uri="unix:/run/guests/migration")
    wait_for("it is on its way", lambda: world.guest.qmp(
        "query-migrate").get("status") == "active")
    world.guest.qmp("migrate_cancel")
    wait_for("it is cancelled", lambda: world.guest.qmp(
        "query-migrate").get("status") == "cancelled")
    check(port(source)["gate"] == "open")
    check(port(target)["gate"] == "auto")
    world.into.exchange()
    guest.kill()
    check(helper.end() == 0)
    sh(f"{PREFIX[target]}ip link del vm1")


def test_refused():
    """The destination refuses the state: the migration fails, the guest goes on
    at the source, and its first frame opens the gate again"""
    source, target = world.host, 3 - world.host
    world.make_port(target)
    # an address of another port there: the stream can't be applied
    sh(f"{PREFIX[target]}ip link set vm1 address 52:54:00:00:00:77")
    sh(f"{PREFIX[target]}ip link add link vmq0 name vm9 address {MAC[1]} "
       "type vmqport")
    sh(f"{PREFIX[target]}vmqctl port set dev vm9 gate closed")
    guest, helper = world.make_guest(target, True)
    guest.start()
    guest.qmp("migrate-incoming", uri="unix:/run/guests/migration")
    world.guest.qmp("migrate-set-parameters", **{"max-bandwidth": 1 << 30})
    world.guest.qmp("migrate", uri="unix:/run/guests/migration")
    wait_for("the destination has refused it",
             lambda: "restore:" in helper.said())
    guest.process.wait(20)
    wait_for("the source knows", lambda: world.guest.qmp("query-migrate")
             .get("status") in ("failed", "completed"))
    if world.guest.qmp("query-status")["status"] != "running":
        world.guest.qmp("cont")
    world.into.exchange(timeout=40)
    check(port(source)["gate"] == "open")
    helper.end()
    for name in ("vm1", "vm9"):
        sh(f"{PREFIX[target]}ip link del {name}")


def test_helper_killed():
    """vmq-vmstate killed beside a guest: the guest's port works on, and a new
    one refuses to start without what it needs"""
    world.helper.process.kill()
    world.helper.process.wait()
    world.into.exchange()
    check(port(world.host)["gate"] == "open")
    for words, status, said in (
            ("--private /run/vmstate/x nothing", 1, "No such device|no such"),
            ("--private /run/vmstate/x", 2, "which port"),
            ("vm1", 2, "--private or --bus"),
            ("--bus unix:path=/nowhere vm1", 1, "/nowhere")):
        result = subprocess.run(
            f"{PREFIX[world.host]}vmq-vmstate {words}".split(),
            capture_output=True, text=True, check=False, timeout=20)
        check(result.returncode == status and
              re.search(said, result.stderr), words, result)


def test_end():
    """All goes, and the modules unload"""
    world.guest.kill()
    for host in (1, 2):
        sh(f"{PREFIX[host]}ip link del vmq0")
    sh("rmmod vmq_acl vmq_guard vmq_meter vmq")


TESTS = [test_boot, test_traffic, test_rounds, test_without_redirect,
         test_connections, test_cancelled, test_refused, test_helper_killed,
         test_end]

if __name__ == "__main__":
    if not boot.inside():
        boot.boot(pathlib.Path(__file__).resolve())
    sys.exit(ktap.run(TESTS))
