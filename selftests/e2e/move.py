#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A QEMU guest moves between hosts, and vmq_acl's connections with its port.

Live migration between two QEMU processes, with vmq-vmstate beside each: the
port's state is in QEMU's own stream. Then back without it, by a file. live.py
has the guest move under traffic.
"""

import json
import pathlib
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
# pylint: disable=wrong-import-position
import boot
import ktap
from ktap import check
from stage import (GUEST, HOST, MAC, STATION, Echo, adapter_commands, connects,
                   counters, host2_commands, module_commands, sh,
                   station_commands, wait_for)

if boot.inside():
    from nested import Guest, live_migrate
    from vmstate import Helper

ALLOWED, DENIED = 7000, 7001         # TCP ports, by the policy of host 1
STATE = "/tmp/port.state"
ON_HOST2 = "ip netns exec host2 "


class World:
    """What the tests share; they come in the order of TESTS."""
    address = f"{GUEST[1]}/24"
    guest = connection = saved = helper = None


world = World()


def make_port(prefix, name, index, *rules, mac=None, gate="open"):
    """A port, on the host where `prefix` runs commands, with ACL rules."""
    address = f"address {mac}" if mac else ""
    sh(f"{prefix}ip link add link vmq0 name {name} {address} index {index} "
       "type vmqport")
    sh(f"{prefix}vmqctl port set dev {name} gate {gate}")
    sh(f"{prefix}ip link set {name} up")
    for rule in rules:
        sh(f"{prefix}vmqctl acl add dev {name} {rule}")


def connection(prefix, port):
    """vmq_acl's entry of our connection, or None."""
    shown = json.loads(sh(f"{prefix}vmqctl -j acl show dev {port} connections"))
    own = world.connection.pair()[0][1]
    found = [each for each in shown if own in each.values()]
    return found[0] if found else None


def test_boot():
    """Two hosts, and a guest on host 1 whose policy lets one TCP port in"""
    for command in (*module_commands(), *station_commands(),
                    *adapter_commands("eth0", HOST[1]), *host2_commands()):
        sh(command)
    for command in adapter_commands("eth1", HOST[2]):
        sh(ON_HOST2 + command)
    for prefix in ("", ON_HOST2):
        sh(f"{prefix}vmqctl ext enable dev vmq0 name acl")
    make_port("", "vm1", 101,
              f"priority 1 direction in action allow proto tcp dport {ALLOWED}",
              "priority 9 direction in action deny", mac=MAC[1])
    world.helper = Helper("source", "vm1")
    world.guest = Guest("source", "vm1", MAC[1], world.address,
                        vmstate=world.helper)
    world.guest.boot()
    for port in (ALLOWED, DENIED):
        world.guest.run(f"nc -ll -p {port} -e tee -a received-{port} &")


def test_policy():
    """Host 1 lets this connection in, and no other"""
    world.connection = Echo("station", GUEST[1], ALLOWED)
    world.connection.exchange()
    before = counters("vm1")["rx_drops_extension"]
    check(not connects("station", GUEST[1], DENIED), "not denied")
    check(counters("vm1")["rx_drops_extension"] > before, "no drop counted")
    world.saved = connection("", "vm1")
    check(world.saved, "no such connection in vmq_acl")


def test_move():
    """The guest moves to host 2, and its port's state in QEMU's stream"""
    make_port(ON_HOST2, "vm1b", 102, "priority 9 direction in action deny",
              mac=MAC[1], gate="auto")
    source = world.guest
    helper = Helper("destination", "vm1b", prefix=ON_HOST2)
    world.guest = Guest("destination", "vm1b", MAC[1], world.address,
                        netns="host2", incoming=True, vmstate=helper)
    world.guest.start()
    live_migrate(source, world.guest)
    check("saved" in world.helper.said(), world.helper.said())
    check("restored" in helper.said(), helper.said())
    check(world.helper.end() == 0)
    world.helper = helper
    sh("ip link del vm1")
    wait_for("the gate opens", lambda: json.loads(sh(
        f"{ON_HOST2}vmqctl -j port show dev vm1b"))[0]["gate"] == "open")


def test_carries_on():
    """The established connection carries on, both ways"""
    pair, before = world.connection.pair(), connection(ON_HOST2, "vm1b")
    check(before, "vmq_acl on host 2 does not know it")
    for _ in range(3):
        world.connection.exchange()
    check(world.connection.pair() == pair)
    after = connection(ON_HOST2, "vm1b")
    for direction in ("packets-in", "packets-out"):
        check(after[direction] > before[direction] >=
              world.saved[direction] > 0, direction, before, after)
    received = int(world.guest.run(f"wc -c <received-{ALLOWED}"))
    check(received == world.connection.sent == world.connection.received,
          received, world.connection.sent, world.connection.received)
    shown = world.guest.run("netstat -tn")
    check(f"{GUEST[1]}:{ALLOWED}" in shown and
          f"{STATION}:{pair[0][1]}" in shown, shown)


def test_refused():
    """A new connection of the same kind is refused by host 2"""
    before = counters("vm1b", "host2")["rx_drops_extension"]
    check(not connects("station", GUEST[1], ALLOWED), "not refused")
    check(counters("vm1b", "host2")["rx_drops_extension"] > before,
          "no drop counted")


def test_without_state():
    """Moved back without its state, the connection is cut"""
    make_port("", "vm1c", 103, "priority 9 direction in action deny",
              mac=MAC[1])
    source = world.guest
    world.guest = Guest("back", "vm1c", MAC[1], world.address,
                        incoming=True)
    world.guest.start()
    source.qmp("object-del", id="vmq")
    world.helper.end()
    live_migrate(source, world.guest,
                 lambda: sh(f"{ON_HOST2}vmqctl port save dev vm1b >{STATE}"))
    sh(ON_HOST2 + "ip link del vm1b")
    before = counters("vm1c")["rx_drops_extension"]
    try:
        world.connection.exchange(timeout=6)
    except TimeoutError:
        check(counters("vm1c")["rx_drops_extension"] > before,
              "no drop counted")
        return
    raise AssertionError("it carried on")


def test_late():
    """With the state restored late, it comes back to life"""
    sh(f"vmqctl port restore dev vm1c <{STATE}")
    begin = time.monotonic()
    before = world.connection.received
    missing = world.connection.sent - before
    while world.connection.received < world.connection.sent:
        world.connection.socket.settimeout(240)
        world.connection.received += len(
            world.connection.socket.recv(missing))
    world.connection.exchange()
    print(f"# {missing} bytes were waiting, "
          f"they came {time.monotonic() - begin:.1f} s later")


TESTS = [test_boot, test_policy, test_move, test_carries_on, test_refused,
         test_without_state, test_late]

if __name__ == "__main__":
    if not boot.inside():
        boot.boot(pathlib.Path(__file__).resolve())
    sys.exit(ktap.run(TESTS))
