#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: uml-plain
"""What the uplink does for filters: rules in its own n-tuple table, addresses.

The uplink is the network card of drivers/net/vmq/tests/fakenic.c, whose cable is
a veth pair: it filters by address and VLAN id, and spreads by its own table.
"""

import glob
import os
import struct

from lib import (KsftFailEx, KsftSkipEx, Raw, Rtnl, Rule, adapter, build, channels, cmd,
                 defer, ether, ethtool_stats, ksft_eq, ksft_in, ksft_lt,
                 ksft_main, ksft_ne, ksft_not_in, ksft_raises, ksft_true,
                 link_info, mac, machine, monitor, pair, port, port_queue,
                 rule_add, rule_del, rule_get, rules, run, vmqctl, wait_until)
from lib.env import quiet, read_file
from lib.ioctl import ETHER, TCP_V4, IP4_USER, UDP_V4
from lib.vf import add_vfs
from lib.frames import pton

KNOBS = "/sys/module/vmq_fakenic/parameters"
RULE, ADDRESS, SOFTWARE = "hardware-rule", "hardware-address", "software"
LONG = 60                      # the table is compared every 10 s


def knob(**values):
    for name, value in values.items():
        before = read_file(f"{KNOBS}/{name}")
        with open(f"{KNOBS}/{name}", "w", encoding="ascii") as stream:
            stream.write(str(value))
        defer(knob_back, name, before)


def knob_back(name, value):
    with open(f"{KNOBS}/{name}", "w", encoding="ascii") as stream:
        stream.write(value)


def card(name="nic0", lower="up0", peer="wire0", rings=8):
    """A network card; its cable ends in `peer`."""
    if not os.path.isdir(KNOBS):
        found = glob.glob(f"{os.environ['VMQ_BUILD']}/**/vmq_fakenic.ko",
                          recursive=True)
        done = run("insmod", *found)
        if done.returncode:
            raise KsftFailEx(f"insmod vmq_fakenic: {done.stderr}")
    pair(lower, peer)
    rtnl = Rtnl()
    rtnl.add(name, "vmqfakenic", link=lower, rxq=rings)
    defer(delete, name)
    quiet(name)
    rtnl.close()


def delete(name):
    rtnl = Rtnl()
    if rtnl.exists(name):
        rtnl.delete(name)
    rtnl.close()


def world(ports=2, rings=8, uplink="nic0", **options):
    card(rings=rings)
    adapter("vmq0", uplink=uplink, **options)
    for number in range(1, ports + 1):
        port(f"vm{number}", number=number)


def filters():
    """{destination address and VLAN: filter}"""
    return {(each.get("mac"), each.get("vlan")): each
            for each in vmqctl("filter show dev vmq0")}


def of_port(number):
    return filters()[(mac(number).hex(":"), None)]


def reaches(rung, number=1, timeout=20):
    """Waits until the filter of a port is on this rung; -> the filter

    A card that lost its rules is looked at a moment later.
    """
    def there():
        shown = of_port(number)
        return shown["rung"] == rung and (
            rung != RULE or shown["uplink-location"] in rules("nic0"))

    ksft_true(wait_until(there, timeout, 0.1), f"{rung} in the end")
    found = of_port(number)
    ksft_eq(found["rung"], rung, found.get("rung-reason", ""))
    return found


def changes(events):
    """The rungs of the events that tell of one."""
    return [each["msg"]["rung"] for each in events
            if each["name"] == "filter-ntf" and each["msg"]["event"] == "rung"]


def table(dev="nic0"):
    """The uplink's own rules: {location: (flow, key, ext, ..., queue, loc)}"""
    return {loc: rule_get(dev, loc) for loc in rules(dev)}


class Wire:
    """Sends; which ring of the card and which queue of the adapter had them."""

    def __init__(self, dev="wire0"):
        self.raw = Raw(dev)
        defer(self.raw.close)

    @staticmethod
    def counts():
        card_, vmq = ethtool_stats("nic0"), ethtool_stats("vmq0")
        found = {f"ring {number}": card_[f"rx_ring_{number}_packets"]
                 for number in range(8)}
        found.update({f"queue {number}": vmq[f"rx_queue_{number}_packets"]
                      for number in range(8)})
        found["filtered"] = card_["filtered"]
        return found

    def send(self, *frames):
        """{what: how many more}, without zeros"""
        before = self.counts()
        self.raw.send(*frames)

        def delta():
            now = self.counts()
            return {key: now[key] - before[key] for key in now
                    if now[key] != before[key]}

        def arrived():
            got = delta()
            return sum(number for key, number in got.items()
                       if key[:5] != "queue") >= len(frames) and (
                           "filtered" in got or sum(
                               number for key, number in got.items()
                               if key[:5] == "queue") >= len(frames))

        wait_until(arrived, 5, 0.01)
        return delta()


# -- the highest rung

def test_hardware_rule():
    """A port's filter is in the uplink's table, with a ring of its own."""
    world(ports=3)
    shown = [of_port(number) for number in (1, 2, 3)]
    ksft_eq([each["rung"] for each in shown], [RULE] * 3)
    ksft_eq({"rung-reason" in each for each in shown}, {False})
    rings = [each["uplink-queue"] for each in shown]
    ksft_eq(sorted(rings), [1, 2, 3], "one each, and none has ring 0")
    ksft_eq({each["uplink-location"] for each in shown}, set(rules("nic0")))
    ksft_eq(vmqctl("adapter show dev vmq0")[0]["uplink-rules"], 3)
    wire = Wire()
    for number, ring in zip((1, 2, 3), rings):
        ksft_eq(wire.send(ether(number)),
                {f"ring {ring}": 1, f"queue {port_queue(f'vm{number}')}": 1})
    ksft_eq(wire.send(ether(b"\xff" * 6)), {"ring 0": 1, "queue 0": 1})
    ksft_eq(wire.send(ether(0x77)), {"filtered": 1}, "an address of nobody")
    delete("vm2")
    ksft_eq(len(rules("nic0")), 2)
    ksft_eq(wire.send(ether(2)), {"filtered": 1}, "its address went too")


def test_rings_are_shared():
    """More queues than rings: those with the fewest are taken."""
    world(ports=6, rings=4)
    rings = sorted(of_port(number)["uplink-queue"] for number in range(1, 7))
    ksft_eq(rings, [1, 1, 2, 2, 3, 3])
    delete("vm1")
    port("vm9", number=9)
    rings = sorted(of_port(number)["uplink-queue"]
                   for number in (2, 3, 4, 5, 6, 9))
    ksft_eq(rings, [1, 1, 2, 2, 3, 3], "the place that was left is taken")


def test_kinds():
    """MAC+VLAN and n-tuple rules are offered as they are set (F-26)."""
    world(ports=1)
    rule_add("vmq0", Rule(ETHER, 4).dst(mac(4)).vlan(10, 0xfff))
    rule_add("vmq0", Rule(ETHER, 5).dst(mac(4)).vlan(11, 0xfff))
    rule_add("vmq0", Rule(TCP_V4, 6).dst_ip(pton("10.1.0.2")).dst_port(80)
             .dst_mac(mac(1)))
    rule_add("vmq0", Rule(UDP_V4, 7).src_port(53))
    shown = vmqctl("filter show dev vmq0")
    ksft_eq([each["rung"] for each in shown], [RULE] * 5)
    ring = {each["queue"]: each["uplink-queue"] for each in shown}
    ksft_eq(len(set(ring.values())), 5)
    wire = Wire()
    for queue, frame in ((4, ether(4, vlan=10)), (5, ether(4, vlan=11)),
                         (6, build(1, "10.1.0.9", "10.1.0.2", "tcp", dport=80)),
                         (7, build(1, "10.1.0.9", "10.1.0.2", "udp", sport=53))):
        ksft_eq(wire.send(frame), {f"ring {ring[queue]}": 1,
                                   f"queue {queue}": 1}, str(queue))
    ksft_eq(wire.send(ether(4, vlan=12)), {"filtered": 1}, "no such VLAN")


def test_not_offered():
    """What the table can't help with stays off it, and says why."""
    world(ports=0)
    for what, rule in (
            ("counted", Rule(ETHER, 0xffffffffffffffff).dst(mac(2))),
            ("default queue", Rule(ETHER, 0).dst(mac(3))),
            ("mask", Rule(ETHER, 4).dst(mac(4), b"\xff\xff\xff\xff\0\0")),
            ("mask", Rule(TCP_V4, 4).dst_port(80, 0xff00)),
            ("EOPNOTSUPP", Rule(IP4_USER, 4).l4proto(47))):
        location = rule_add("vmq0", rule)
        shown = vmqctl("filter", "show", "dev", "vmq0", "id", location + 1)[0]
        ksft_ne(shown["rung"], RULE)
        ksft_in(what, shown["rung-reason"])
        rule_del("vmq0", location)
    ksft_eq(rules("nic0"), [])
    # a rule of exactly the same is there already: the administrator's
    rule_add("nic0", Rule(ETHER, 3, 5).dst(mac(6)))
    rule_add("vmq0", Rule(ETHER, 6).dst(mac(6)))
    shown = filters()[(mac(6).hex(":"), None)]
    ksft_eq(shown["rung"], ADDRESS)
    ksft_in("EEXIST", shown["rung-reason"])


# -- moves

def test_move():
    """F-30: a rule that moves keeps its place in the uplink's table."""
    world(ports=2)
    location = rule_add("vmq0", Rule(ETHER, 4).dst(mac(4)))
    before = filters()[(mac(4).hex(":"), None)]
    at, ring = before["uplink-location"], before["uplink-queue"]
    rule_add("vmq0", Rule(ETHER, 5, location).dst(mac(4)))
    after = filters()[(mac(4).hex(":"), None)]
    ksft_eq((after["rung"], after["uplink-location"]), (RULE, at))
    ksft_eq(after["uplink-queue"], table()[at][5])
    wire = Wire()
    ksft_eq(wire.send(ether(4)),
            {f"ring {after['uplink-queue']}": 1, "queue 5": 1})
    # to one that frames are not delivered from: the rule goes
    rule_add("vmq0", Rule(ETHER, 0, location).dst(mac(4)))
    ksft_eq(filters()[(mac(4).hex(":"), None)]["rung"], ADDRESS)
    ksft_eq(len(rules("nic0")), 2)
    # to another match at the same location
    rule_add("vmq0", Rule(ETHER, 5, location).dst(mac(5)))
    ksft_eq(filters()[(mac(5).hex(":"), None)]["rung"], RULE)
    ksft_eq(len(rules("nic0")), 3)
    ksft_lt(0, ring)


def test_move_is_refused():
    """A move that the uplink refuses leaves no rule for the old queue."""
    world(ports=1)
    location = rule_add("vmq0", Rule(ETHER, 4).dst(mac(4)))
    knob(refuse=16)
    with monitor() as events:
        rule_add("vmq0", Rule(ETHER, 5, location).dst(mac(4)))
        told = [each["msg"] for each in events()
                if each["msg"].get("mac") == mac(4).hex(":")]
    shown = filters()[(mac(4).hex(":"), None)]
    ksft_eq(shown["rung"], ADDRESS)
    ksft_in("EBUSY", shown["rung-reason"])
    ksft_eq([(each["event"], each["rung"]) for each in told],
            [("move", ADDRESS)])
    ksft_eq(len(rules("nic0")), 1)
    ksft_eq(Wire().send(ether(4)), {"ring 0": 1, "queue 5": 1})


def test_port_address():
    """A port's new address moves its rule in the uplink's table too."""
    world(ports=1)
    rtnl = Rtnl()
    rtnl.set("vm1", address="52:54:00:00:00:42")
    rtnl.close()
    shown = reaches(RULE, 0x42)
    ksft_eq(rules("nic0"), [shown["uplink-location"]])
    queue = port_queue("vm1")
    wire = Wire()
    ksft_eq(wire.send(ether(0x42)),
            {f"ring {shown['uplink-queue']}": 1, f"queue {queue}": 1})
    ksft_eq(wire.send(ether(1)), {"filtered": 1})


# -- refused

def test_path():
    """While a VF has a port's frames no rule is there for it; it comes back."""
    world(ports=1)
    location = rule_add("vmq0", Rule(ETHER, port_queue("vm1")).dst(mac(7)))
    ksft_eq(len(rules("nic0")), 2)
    add_vfs(1)
    cmd("vmqctl port set dev vm1 path vf 0")
    ksft_eq(rules("nic0"), [])
    shown = of_port(1)
    ksft_in("a VF has its frames", shown["rung-reason"])
    rule_del("vmq0", location)
    cmd("vmqctl port set dev vm1 path synthetic")
    ksft_eq(reaches(RULE)["uplink-queue"], 1)
    # no ring is taken for one that has none any more
    port("vm2", number=2)
    ksft_eq(reaches(RULE, 2)["uplink-queue"], 2)
    delete("vm1")
    port("vm3", number=3)
    ksft_eq(reaches(RULE, 3)["uplink-queue"], 1)


def test_refused():
    """A card that refuses: the address is the next rung, and nothing is lost."""
    card()
    knob(refuse=95)
    adapter("vmq0", uplink="nic0")
    port("vm1", number=1)
    shown = of_port(1)
    ksft_eq(shown["rung"], ADDRESS)
    ksft_in("EOPNOTSUPP", shown["rung-reason"])
    ksft_not_in("uplink-queue", shown)
    wire = Wire()
    ksft_eq(wire.send(ether(1)),
            {"ring 0": 1, f"queue {port_queue('vm1')}": 1})
    ksft_eq(wire.send(ether(9)), {"filtered": 1}, "the address filter is real")
    with monitor() as events:
        knob(refuse=0)          # it may be asked again from here on
        run("ethtool -K nic0 ntuple off")
        run("ethtool -K nic0 ntuple on")
        reaches(RULE)
        told = changes(events())
    ksft_eq(told, [RULE], "no change of a rung is silent")


def test_full():
    """A full table: the rest are one rung down, and move up as room comes."""
    card()
    knob(slots=3)
    rule_add("nic0", Rule(ETHER, 1, 2).dst(mac(0x99)))
    adapter("vmq0", uplink="nic0")
    for number in range(1, 6):
        port(f"vm{number}", number=number)
    rungs = [of_port(number)["rung"] for number in range(1, 6)]
    ksft_eq(rungs, [RULE, RULE, ADDRESS, ADDRESS, ADDRESS])
    ksft_in("full", of_port(3)["rung-reason"])
    delete("vm1")
    ksft_true(wait_until(lambda: vmqctl("adapter show dev vmq0")[0][
        "uplink-rules"] == 2, 5, 0.1), "the room is used")
    rule_del("nic0", 2)
    ksft_true(wait_until(lambda: vmqctl("adapter show dev vmq0")[0][
        "uplink-rules"] == 3, LONG, 0.5), "and that of the administrator")


def test_blind():
    """A driver that does not show its rules could not be asked to remove one."""
    card()
    knob(blind=1)
    adapter("vmq0", uplink="nic0")
    port("vm1", number=1)
    ksft_eq(of_port(1)["rung"], ADDRESS)
    ksft_eq(rules("nic0"), [])
    Rtnl().set("nic0", master="")
    ksft_eq(rules("nic0"), [])


def test_special():
    """A card that chooses locations itself."""
    card()
    knob(special=1)
    adapter("vmq0", uplink="nic0")
    for number in (1, 2):
        port(f"vm{number}", number=number)
    ksft_eq(sorted(rules("nic0")), [0, 1])
    ksft_eq({of_port(number)["uplink-location"] for number in (1, 2)}, {0, 1})
    delete("vm1")
    ksft_eq(rules("nic0"), [of_port(2)["uplink-location"]])


# -- the table is the administrator's, too

def test_administrator():
    """His rules are neither replaced nor removed."""
    card()
    mine = {63: Rule(ETHER, 7, 63).dst(mac(0x91)),
            62: Rule(TCP_V4, 7, 62).dst_port(22),
            0: Rule(ETHER, 7, 0).dst(mac(0x92))}
    for rule in mine.values():
        rule_add("nic0", rule)
    before = table()
    adapter("vmq0", uplink="nic0")
    port("vm1", number=1)
    port("vm2", number=2)
    ksft_eq(len(rules("nic0")), 5)
    rtnl = Rtnl()
    rtnl.set("vm1", address="52:54:00:00:00:11")
    delete("vm2")
    rule_add("nic0", Rule(ETHER, 6, 59).dst(mac(0x93)))
    before[59] = rule_get("nic0", 59)
    for number in range(3, 9):
        port(f"vm{number}", number=number)
    now = table()
    ksft_eq({loc: now[loc] for loc in before}, before)
    rtnl.set("nic0", master="")
    ksft_eq(table(), before, "what is left is his")


def test_administrator_takes_our_place():
    """He writes over one of ours: it stays, ours finds another place."""
    world(ports=1)
    at = of_port(1)["uplink-location"]
    rule_add("nic0", Rule(ETHER, 7, at).dst(mac(0x91)))
    his = rule_get("nic0", at)
    ksft_true(wait_until(lambda: of_port(1).get("uplink-location", at) != at,
                         LONG, 0.5), "the loss is noticed")
    ksft_eq(of_port(1)["rung"], RULE)
    delete("vm1")
    ksft_eq(table(), {at: his})


def test_administrator_deletes_ours():
    """He deletes one of ours: it comes back, or the rung is told."""
    world(ports=1)
    at = of_port(1)["uplink-location"]
    knob(refuse=95)
    with monitor() as events:
        rule_del("nic0", at)
        reaches(ADDRESS, timeout=LONG)
        told = changes(events())
    ksft_eq(told, [ADDRESS])
    knob(refuse=0)
    run("ethtool -K nic0 ntuple off")
    run("ethtool -K nic0 ntuple on")
    reaches(RULE)


def test_delete_after_overwrite():
    """A rule in our place that is not ours survives the end of our filter."""
    world(ports=1)
    at = of_port(1)["uplink-location"]
    rule_add("nic0", Rule(ETHER, 7, at).dst(mac(0x91)))
    his = rule_get("nic0", at)
    delete("vm1")
    ksft_eq(table(), {at: his})


# -- replay

def test_replay():
    """A card that forgets its rules when it is down gets them again."""
    world(ports=2)
    knob(forget=1)
    rtnl = Rtnl()
    rtnl.set("nic0", up=False)
    ksft_eq(rules("nic0"), [])
    rtnl.set("nic0", up=True)
    ksft_true(wait_until(lambda: len(rules("nic0")) == 2, 20, 0.05))
    shown = reaches(RULE)
    ksft_eq(Wire().send(ether(1)), {f"ring {shown['uplink-queue']}": 1,
                                    f"queue {port_queue('vm1')}": 1})


def test_ntuple_off():
    """-K UPLINK ntuple off is the administrator's word: no rules."""
    world(ports=2)
    with monitor() as events:
        run("ethtool -K nic0 ntuple off")
        reaches(ADDRESS)
        reaches(ADDRESS, 2)
        told = changes(events())
    ksft_eq(told, [ADDRESS, ADDRESS])
    ksft_eq(rules("nic0"), [])
    ksft_in("ethtool -K nic0 ntuple on", of_port(1)["rung-reason"])
    port("vm3", number=3)
    ksft_eq(rules("nic0"), [])
    run("ethtool -K nic0 ntuple on")
    for number in (1, 2, 3):
        reaches(RULE, number)
    ksft_eq(len(rules("nic0")), 3)


def test_channels():
    """-L UPLINK: one ring has nothing to give; more are used when they come."""
    card()
    channels("nic0", 1)
    adapter("vmq0", uplink="nic0")
    port("vm1", number=1)
    ksft_eq(of_port(1)["rung"], ADDRESS)
    ksft_in("one receive queue", of_port(1)["rung-reason"])
    channels("nic0", 4)
    run("ethtool -K nic0 ntuple off")
    run("ethtool -K nic0 ntuple on")
    ksft_eq(reaches(RULE)["uplink-queue"], 1)
    with ksft_raises(OSError, "the core keeps rings that rules name"):
        channels("nic0", 1)
    ksft_eq(channels("nic0")[1], 4)


def test_promiscuous():
    """A promiscuous uplink filters nothing: that is the software rung."""
    card()
    knob(refuse=95)
    adapter("vmq0", uplink="nic0")
    port("vm1", number=1)
    ksft_eq(of_port(1)["rung"], ADDRESS)
    rtnl = Rtnl()
    with monitor() as events:
        rtnl.set("vm1", promisc=True)
        ksft_in("receives all", reaches(SOFTWARE)["rung-reason"])
        wait_until(lambda: False, 0.2)
        rtnl.set("vm1", promisc=False)
        reaches(ADDRESS)
        wait_until(lambda: False, 0.3)
        told = changes(events())
    ksft_eq(told, [SOFTWARE, ADDRESS])
    rtnl.set("nic0", promisc=True)         # nobody tells of this one
    reaches(SOFTWARE, timeout=LONG)


# -- attach and detach

def test_detach():
    """What was in the table is out of it; what is attached again, in."""
    world(ports=2)
    rtnl = Rtnl()
    with monitor() as events:
        rtnl.set("nic0", master="")
        ksft_eq(rules("nic0"), [])
        ksft_eq(of_port(1)["rung"], SOFTWARE)
        ksft_eq(of_port(1)["rung-reason"], "no uplink")
        rtnl.set("nic0", master="vmq0")
        ksft_eq(len(rules("nic0")), 2)
        ksft_eq(of_port(1)["rung"], RULE)
        told = changes(events())
    ksft_eq(told, [SOFTWARE] * 2 + [RULE] * 2)


def test_uplink_gone():
    """The uplink is deleted, or the adapter, with rules in the table."""
    world(ports=2)
    delete("nic0")
    ksft_eq(of_port(1)["rung"], SOFTWARE)
    card("nic1", "up1", "wire1")
    rtnl = Rtnl()
    rtnl.set("nic1", master="vmq0")
    ksft_eq(of_port(1)["rung"], RULE)
    delete("vmq0")
    ksft_eq(rules("nic1"), [])
    delete("nic1")


# -- other uplinks

def test_veth():
    """A device that does not filter is told as what it is."""
    pair()
    adapter("vmq0", uplink="up0")
    port("vm1", number=1)
    shown = of_port(1)
    ksft_eq(shown["rung"], SOFTWARE)
    ksft_eq(shown["rung-reason"],
            "up0 has no n-tuple rules; up0 receives all addresses")


def test_vlan_uplink():
    """A VLAN device has no table, and filters as the device below it does."""
    card()
    rtnl = Rtnl()
    run("ip link add link nic0 name nic0.5 type vlan id 5")
    defer(delete, "nic0.5")
    rtnl.up("nic0")
    adapter("vmq0", uplink="nic0.5")
    port("vm1", number=1)
    shown = of_port(1)
    ksft_eq(shown["rung"], ADDRESS)
    ksft_eq(shown["rung-reason"], "nic0.5 has no n-tuple rules")
    ksft_eq(rules("nic0"), [])
    wire = Wire()
    got = wire.send(ether(1, vlan=5))
    ksft_eq(got, {"ring 0": 1, f"queue {port_queue('vm1')}": 1})
    ksft_eq(wire.send(ether(9, vlan=5)), {"filtered": 1})


def test_bond_uplink():
    """Addresses follow from the bond to all its members, rules do not."""
    card()
    done = run("ip link add bond0 type bond mode active-backup")
    if done.returncode:
        raise KsftSkipEx(f"no bonding here: {done.stderr.strip()}")
    defer(delete, "bond0")
    quiet("bond0")
    rtnl = Rtnl()
    rtnl.set("nic0", master="bond0")
    adapter("vmq0", uplink="bond0")
    port("vm1", number=1)
    shown = reaches(ADDRESS)
    ksft_eq(shown["rung-reason"], "bond0 has no n-tuple rules")
    ksft_eq(rules("nic0"), [])
    wire = Wire()
    ksft_true(wait_until(lambda: link_info("bond0")["operstate"] == 6, 10))
    ksft_eq(wire.send(ether(1)),
            {"ring 0": 1, f"queue {port_queue('vm1')}": 1})
    ksft_eq(wire.send(ether(9)), {"filtered": 1})
    # a member that can't filter makes the bond one that does not
    knob(promisc=1)
    card("nic1", "up1", "wire1")
    with monitor() as events:
        rtnl.set("nic1", master="bond0")
        reaches(SOFTWARE, timeout=LONG)
        wait_until(lambda: False, 0.2)
        told = changes(events())
    ksft_eq(told, [SOFTWARE])


def test_ops_lock():
    """An uplink whose ethtool operations run under a lock of its own."""
    release = tuple(int(part) for part in os.uname().release.split(".")[:2])
    if release < (6, 16):
        raise KsftSkipEx("this kernel has no such devices")
    card_before = os.path.isdir(KNOBS)
    if not card_before:
        card("nic9", "up9", "wire9")
        delete("nic9")
    knob(ops_lock=1)
    world(ports=2)
    reaches(RULE)
    rtnl = Rtnl()
    knob(forget=1)
    rtnl.set("nic0", up=False)
    rtnl.set("nic0", up=True)
    ksft_true(wait_until(lambda: len(rules("nic0")) == 2, 20, 0.05))
    run("ethtool -K nic0 ntuple off")
    reaches(ADDRESS)
    run("ethtool -K nic0 ntuple on")
    reaches(RULE)
    rtnl.set("nic0", master="")
    ksft_eq(rules("nic0"), [])


def test_many():
    """1,000 ports: what fits is in the table, and it all goes again."""
    count = 100 if machine() != "uml-plain" else 1000
    card(rings=16)
    knob(slots=count // 2)
    adapter("vmq0", uplink="nic0", rxq=count + 24)
    rtnl = Rtnl()
    for number in range(1, count + 1):
        rtnl.add(f"p{number}", "vmqport", link="vmq0",
                 address="52:54:01:00:" + struct.pack("!H", number).hex(":"))
    ksft_eq(len(rules("nic0")), count // 2)
    shown = vmqctl("filter show dev vmq0")
    ksft_eq(sum(each["rung"] == RULE for each in shown), count // 2)
    rings = [each["uplink-queue"] for each in shown if each["rung"] == RULE]
    load = [rings.count(ring) for ring in range(1, 16)]
    ksft_lt(max(load) - min(load), 2, "the rings are used alike")
    rtnl.delete("vmq0")
    ksft_eq(rules("nic0"), [])


if __name__ == "__main__":
    ksft_main(globals())
