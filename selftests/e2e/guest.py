#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A QEMU guest on a port's /dev/tapN: it talks to all, dies and comes back."""

import os
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
# pylint: disable=wrong-import-position
import boot
import ktap
from ktap import check
from stage import (GUEST, HOST, MAC, STATION, Server,
                   adapter_commands, counters, module_commands, pattern,
                   sh, station_commands, wait_for)

SIZE = 20 << 20

if boot.inside():
    from nested import Guest


class World:
    """What the tests share; they come in the order of TESTS."""

    def __init__(self):
        self.guest = None
        self.server = {}

    def prepare(self):
        for command in (*module_commands(), *station_commands(),
                        *adapter_commands("eth0", HOST[1])):
            sh(command)
        for number in (1, 2):
            sh(f"ip link add link vmq0 name vm{number} "
               f"address {MAC[number]} type vmqport")
        sh("ip netns add guest2")
        sh("ip link set vm2 netns guest2")
        sh(f"ip -n guest2 addr add {GUEST[2]}/24 dev vm2")
        sh("ip -n guest2 link set vm2 up")
        sh("ip link set vm1 up")
        data = pattern(SIZE)
        for name in ("station", "guest2"):
            self.server[name] = Server(name, data)

    def boot(self, vhost):
        self.guest = Guest("guest1", "vm1", MAC[1], f"{GUEST[1]}/24",
                           vhost=vhost)
        self.guest.boot()
        self.guest.run(f"dd if=/dev/urandom of=data bs=1M count={SIZE >> 20}")


world = World()


def answered(count, tries, once):
    """All but one of `count` pings are answered at one go. On a busy host QEMU's igb loses
    an interrupt now and then, with or without vmq, which its driver finds out two or
    three seconds later; so there are some tries."""
    shown = []
    for _ in range(tries):
        shown.append(once())
        found = re.search(r"(\d+) packets received", shown[-1])
        if found and int(found[1]) >= count - 1:
            return
    raise AssertionError("\n".join(shown))


def ping(address, *options):
    """From the guest."""
    answered(4, 5, lambda: world.guest.run(
        f"ping -c 4 -W 20 {' '.join(options)} {address}", check=False))


def ping_station(count, options="", wait=20):
    """From the station; -> what is said of it."""
    return sh("ip netns exec station busybox ping "
              f"-c {count} -W {wait} {options} {GUEST[1]}", check=False)


def ping_guest(count, options="", wait=20):
    """From the station; -> number of answers."""
    return int(re.search(r"(\d+) packets received",
                         ping_station(count, options, wait))[1])


def transfer(peer, address):
    """SIZE bytes to the peer, and SIZE other bytes from there."""
    server = world.server[peer]
    mine = world.guest.run("sha256sum data").split()[0]
    theirs = world.guest.run(f"nc {address} {server.SINK} <data", 240)
    check(mine == theirs.strip(), "sent", mine, "arrived", theirs)
    got = world.guest.run(
        f"nc {address} {server.SOURCE} </dev/null | sha256sum", 240)
    check(got.split()[0] == server.sha256, "sent", server.sha256, "got", got)


def test_boot():
    """Modules, adapter and ports are there, and a guest boots on vm1"""
    world.prepare()
    world.boot(vhost=False)


def test_ping():
    """ARP and ping: station, the other guest, the host itself"""
    for address in (STATION, GUEST[2], HOST[1]):
        ping(address)
    neighbours = world.guest.run("ip neigh")
    for address in (STATION, GUEST[2], HOST[1]):
        check(re.search(rf"^{address} .*lladdr", neighbours, re.M), neighbours)


def test_queues():
    """Its frames come by the queue of its port, and by that alone"""
    before = counters("vmq0")
    answered(5, 5, lambda: ping_station(5))
    after = counters("vmq0")
    grown = {queue: after[name] - before[name] for queue in range(10)
             for name in [f"rx_queue_{queue}_packets"]}
    check(grown.pop(1) >= 5, "queue 1", before, after)
    grown.pop(0)         # what went to all: neighbour discovery
    check(all(count < 3 for count in grown.values()), grown)


def test_tcp_outside():
    """20 MiB by TCP to and from the station, checksums are equal"""
    transfer("station", STATION)


def test_tcp_other():
    """20 MiB by TCP to and from the other guest, checksums are equal"""
    transfer("guest2", GUEST[2])


def test_mtu():
    """Frames of a larger MTU pass both ways"""
    sh("ip link set eth0 mtu 4000; ip link set vmq0 mtu 4000;"
       "ip link set vm1 mtu 4000; ip -n station link set eth2 mtu 4000")
    world.guest.run("ip link set eth0 mtu 4000")
    wait_for("the link is back", lambda: ping_guest(1))
    ping(STATION, "-s 3900")
    answered(3, 5, lambda: ping_station(3, "-s 3972"))
    sh("ip link set vm1 mtu 1500; ip link set vmq0 mtu 1500;"
       "ip link set eth0 mtu 1500; ip -n station link set eth2 mtu 1500")
    world.guest.run("ip link set eth0 mtu 1500")
    wait_for("the link is back", lambda: ping_guest(1))


def test_vlan():
    """A VLAN made inside of the guest reaches the same VLAN outside"""
    world.guest.run("ip link add link eth0 name eth0.7 type vlan id 7 &&"
                    "ip addr add 198.51.100.11/24 dev eth0.7 &&"
                    "ip link set eth0.7 up")
    sh("ip -n station link add link eth2 name eth2.7 type vlan id 7;"
       "ip -n station addr add 198.51.100.99/24 dev eth2.7;"
       "ip -n station link set eth2.7 up")
    # a port takes untagged frames, until it is given the VLAN
    sh(f"ethtool -N vmq0 flow-type ether dst {MAC[1]} vlan 7 m 0xf000 action 1")
    ping("198.51.100.99")
    world.guest.run("ip link del eth0.7")
    sh("ip -n station link del eth2.7")


def test_killed():
    """Without its reader frames are dropped and counted, none reach the host"""
    world.guest.kill()
    before, host = counters("vmq0"), counters("vm1")
    check(ping_guest(4, wait=2) == 0)
    after = counters("vmq0")
    grown = after["rx_drops_no_reader"] - before["rx_drops_no_reader"]
    check(grown >= 3, "dropped", grown, before, after)
    check(after["rx_queue_1_packets"] == before["rx_queue_1_packets"],
          "counted as received, too")
    check(counters("vm1")["rx_queue_0_packets"] ==
          host["rx_queue_0_packets"], "port")


def test_restarted():
    """A new QEMU on the same port works, with vhost-net"""
    if not os.path.exists("/dev/vhost-net"):
        raise ktap.Skip("no /dev/vhost-net")
    world.boot(vhost=True)
    threads = pathlib.Path(f"/proc/{world.guest.process.pid}/task")
    names = [path.read_text() for path in threads.glob("*/comm")]
    check(any(name.startswith("vhost-") for name in names), names)
    for address in (STATION, GUEST[2], HOST[1]):
        ping(address)


def test_vhost_outside():
    """vhost-net: 20 MiB to and from the station"""
    transfer("station", STATION)


def test_vhost_other():
    """vhost-net: 20 MiB to and from the other guest"""
    transfer("guest2", GUEST[2])


def test_end():
    """The port can be deleted under the guest, then the module unloaded"""
    sh("ip link del vm1")
    world.guest.kill()
    sh("ip link del vmq0")
    sh("rmmod vmq_acl vmq_guard vmq_meter vmq")


TESTS = [test_boot, test_ping, test_queues, test_tcp_outside, test_tcp_other,
         test_mtu, test_vlan, test_killed, test_restarted, test_vhost_outside,
         test_vhost_other, test_end]

if __name__ == "__main__":
    if not boot.inside():
        boot.boot(pathlib.Path(__file__).resolve())
    sys.exit(ktap.run(TESTS))
