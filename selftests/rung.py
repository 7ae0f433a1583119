#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The rung "hardware address" on real NICs that take no rule: the card lets in
the addresses and VLAN ids of queues, and vmqctl explain says so."""
# machines: qemu

import contextlib
import os

from lib import (Client, defer, ether, ip, ksft_eq, ksft_in, ksft_main,
                 ksft_not_in, ksft_true, link_info, mac, read_file, run, vmqctl,
                 wait_until)
from wire import DRIVERS, NUMBERS, OTHER, SHOWN, Cable

WHY = "eth0 has no n-tuple rules"          # nor has the igb that QEMU is


def unicast(dev):
    """Addresses that the card lets in besides its own."""
    done = run(f"bridge fdb show dev {dev}")
    return {line.split()[0] for line in done.stdout.splitlines()
            if " self" in line and not int(line[1], 16) & 1}


def explained(dev="vm1"):
    """{(mac, vlan): (rung, reason)}"""
    [found] = vmqctl(f"explain dev {dev}")
    return {(each["mac"], each.get("vlan")): (each["rung"],
                                              each.get("rung-reason", ""))
            for each in found["filter"]}


def address_rung(kind):
    cable = Cable(kind, lines=SHOWN[:3])
    number = vmqctl("port show dev vm1")[0]["queues"][0]
    vmqctl(f"filter add dev vmq0 queue {number} mac {mac_text(0x22)} vlan 12")
    found = explained()
    ksft_eq({key: rung for key, (rung, _) in found.items()},
            {(mac_text(1), None): "hardware-address",
             (mac_text(0x22), 12): "hardware-address"})
    for _, reason in found.values():
        ksft_eq(reason, WHY)
    ksft_eq(unicast("eth0"), {mac_text(1), mac_text(0x22)})
    ksft_true(not int(read_file("/sys/class/net/eth0/flags"), 16) & 0x100,
              "promiscuous")
    # the card has them: frames for them come, for others they do not
    ksft_eq(cable.send(*[ether(1, OTHER)] * 2, ether(0x22, OTHER, vlan=12),
                       ether(0x23, OTHER)), {number: 3})
    # they follow what becomes of the filters, each address once however often
    # it is used (refcounts)
    with contextlib.closing(Client()) as client:
        queue = client.queue_new()
        client.complete(queue)
        client.filter_new(queue, mac(0x22), vlan=13)
        ksft_eq(unicast("eth0"), {mac_text(1), mac_text(0x22)})
        moved = client.filter_new(queue, mac(0x24))
        ksft_in(mac_text(0x24), unicast("eth0"))
        client.filter_move(moved, number)
        ksft_eq(explained()[(mac_text(0x24), None)][0], "hardware-address")
        ksft_eq(cable.send(ether(0x24, OTHER), ether(0x22, OTHER, vlan=13)),
                {number: 1, queue: 1})
    wait_until(lambda: mac_text(0x24) not in unicast("eth0"), 5)
    ksft_eq(unicast("eth0"), {mac_text(1), mac_text(0x22)})
    ip("link set vm1 address 52:54:00:00:00:0b")
    ksft_eq(unicast("eth0"), {mac_text(0x0b), mac_text(0x22)})
    ksft_eq(explained()[(mac_text(0x0b), None)][0], "hardware-address")
    # one that receives everything is on no rung
    ip("link set eth0 promisc on")
    ksft_eq({rung for rung, _ in explained().values()}, {"software"})
    ip("link set eth0 promisc off")
    ksft_eq({rung for rung, _ in explained().values()}, {"hardware-address"})
    ip("link set eth0 nomaster")
    ksft_eq(unicast("eth0"), set())
    ksft_eq({rung for rung, _ in explained().values()}, {"software"})


def mac_text(number):
    return f"52:54:00:00:00:{number:02x}"


def test_igb():
    """igb: unicast addresses and VLAN ids in its filters."""
    address_rung("igb")


def test_virtio():
    """virtio-net: unicast addresses in its table."""
    address_rung("virtio")


def test_bond():
    """Members of a bond follow, whenever they join."""
    names = {}
    for name in sorted(os.listdir("/sys/class/net")):
        path = f"/sys/class/net/{name}/device/driver"
        if os.path.exists(path):
            names[os.path.basename(os.readlink(path))] = name
    first, second = (names[DRIVERS[kind]] for kind in sorted(NUMBERS))
    run("modprobe bonding max_bonds=0")
    ip("link add bond0 type bond mode active-backup miimon 100")
    defer(run, "ip link delete bond0")
    for name in (first, second):
        ip(f"link set {name} down")
    ip(f"link set {first} master bond0")
    for line in ("ip link add vmq0 type vmq", "ip link set bond0 master vmq0",
                 "ip link add link vmq0 name vm1 address 52:54:00:00:00:01 "
                 "type vmqport"):
        ksft_eq(run(line).returncode, 0, line)
        if line.endswith("type vmq"):
            defer(run, "ip link delete vmq0")
    ip("link set bond0 up")
    ip("link set vmq0 up")
    ip("link set vm1 up")
    ksft_true(wait_until(lambda: link_info("vmq0")["operstate"] == 6, 20))
    number = vmqctl("port show dev vm1")[0]["queues"][0]
    vmqctl(f"filter add dev vmq0 queue {number} mac {mac_text(0x22)} vlan 12")
    ksft_in(mac_text(0x22), unicast(first))
    # one that joins later learns them, and those that come then
    ip(f"link set {second} master bond0")
    vmqctl(f"filter add dev vmq0 queue {number} mac {mac_text(0x25)}")

    def members():
        return [unicast(name) & {mac_text(each) for each in
                                 (1, 0x22, 0x25)} for name in (first, second)]

    # in a mode with one active member, it is the one that listens
    active = read_file("/sys/class/net/bond0/bonding/active_slave").strip()
    ksft_eq(active, first)
    ksft_eq(members()[0], {mac_text(each) for each in (1, 0x22, 0x25)})
    ksft_eq({rung for rung, _ in explained().values()}, {"hardware-address"})
    for _, reason in explained().values():
        ksft_in("bond0 has no n-tuple rules", reason)
    # the other one takes over: it has them now
    with open("/sys/class/net/bond0/bonding/active_slave", "w",
              encoding="ascii") as stream:
        stream.write(second)
    ksft_true(wait_until(lambda: members()[1] == {
        mac_text(each) for each in (1, 0x22, 0x25)}, 10), f"{members()}")
    filters = {each["mac"]: each["id"] for each in
               vmqctl("filter show dev vmq0")}
    vmqctl(f"filter del dev vmq0 id {filters[mac_text(0x25)]}")
    for name in (first, second):
        ksft_not_in(mac_text(0x25), unicast(name))


if __name__ == "__main__":
    ksft_main(globals())
