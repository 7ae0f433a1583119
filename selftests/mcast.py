#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: uml-debug
"""Guests have the multicast frames of groups that they joined (O-46)."""

import time

from lib import (Raw, adapter, build, cmd, defer, ether, ethtool_stats,
                 fail_cmd, ksft_eq, ksft_ge, ksft_in, ksft_main, ksft_true,
                 pair, port, restore, save, vmqctl, wait_until)
from lib.mcast import (ALLOW, BLOCK, IS_EX, IS_IN, TO_EX, TO_IN, data, done6,
                       group_mac, igmp, leave, mld, query, query6, record,
                       report, report3, report6, report6v2)
from lib.tap import Guest, port_get

ONE, TWO, SAME_MAC = "239.1.2.3", "239.1.2.4", "238.129.2.3"
ONE6, TWO6 = "ff05::1:3", "ff05::1:4"
LOCAL = ("224.0.0.251", "ff02::1:ff12:3456", "ff02::fb")
INTERVAL = 60       # longer than any test here


class World:
    """Two guests, a wire and the host."""

    def __init__(self, guests=2, **options):
        pair()
        adapter("vmq0", uplink="up0")
        for number in range(1, guests + 1):
            port(f"vm{number}", number=number, **options)
        self.wire = Raw("wire0")
        defer(self.wire.close)
        self.guest = {f"vm{number}": Guest(f"vm{number}")
                      for number in range(1, guests + 1)}
        for number, guest in enumerate(self.guest.values(), 1):
            guest.send(ether(0xee, number))        # they are there
        self.mark = 0

    def hears(self, frame, sender=None):
        """The guests that have a copy of a frame from the wire, or from one of
        them. A broadcast behind it says that it would have come by now."""
        self.mark += 1
        end = ether(b"\xff" * 6, 0xfe, payload=b"end %d" % self.mark)
        out = self.guest[sender] if sender else self.wire
        out.send(frame, end)
        found = []
        for name, guest in self.guest.items():
            if name == sender:
                continue
            while (got := guest.recv(20)) is not None and got != end:
                if got[14:] == frame[14:]:
                    found.append(name)
            ksft_eq(got, end, f"{name} heard nothing")
        return found

    def narrowed(self, *names, count=1):
        """Waits until the answers to a query had their time."""
        for name in names:
            ksft_true(wait_until(
                lambda dev=name: port_get(dev)["mcast_narrowed"] == count, 20),
                f"{name}: {port_get(name)}")

    def narrow(self, **options):
        """A querier asks, for IPv4 and IPv6; nobody answers."""
        count = port_get("vm1")["mcast_narrowed"] + 2
        self.wire.send(query(interval=INTERVAL, **options),
                       query6(interval=INTERVAL, **options))
        self.narrowed(*self.guest, count=count)


def groups(dev=None):
    found = vmqctl(f"port groups dev {dev}" if dev else "port groups")
    return sorted(each["group"] for each in found if "router" not in each)


def left(dev, number, timeout=20):
    """Waits until the guest is in so many groups."""
    return wait_until(lambda: port_get(dev)["mcast_groups"] == number, timeout)


# -- what narrows, and what does not

def test_no_querier():
    """Without a querier guests have all, whatever they report."""
    world = World()
    world.guest["vm1"].send(report(ONE))
    ksft_eq(world.hears(data(ONE)), ["vm1", "vm2"])
    ksft_eq(world.hears(data(ONE6)), ["vm1", "vm2"])
    ksft_eq(groups(), [])
    ksft_eq(port_get()["mcast_narrowed"], 0)
    ksft_eq(world.hears(report(ONE, src=2), "vm2"), ["vm1"], "a report")


def test_narrows():
    """With one, they have the groups that they joined, and what is for all."""
    world = World()
    world.wire.send(query(delay=5, interval=INTERVAL),
                    query6(delay=5, interval=INTERVAL))
    world.guest["vm1"].send(report(ONE), report6(ONE6))
    ksft_eq(world.hears(data(TWO)), ["vm1", "vm2"], "answers may still come")
    world.narrowed("vm1", "vm2", count=2)
    ksft_eq(world.hears(data(ONE)), ["vm1"])
    ksft_eq(world.hears(data(ONE6)), ["vm1"])
    ksft_eq(world.hears(data(ONE, src=2), "vm2"), ["vm1"], "from a guest")
    ksft_eq(world.hears(data(ONE, src=1), "vm1"), [], "from a guest")
    ksft_eq(world.hears(data(TWO)), [])
    ksft_eq(world.hears(data(TWO6)), [])
    for group in LOCAL:
        ksft_eq(world.hears(data(group)), ["vm1", "vm2"], group)
    ksft_eq(world.hears(ether(group_mac(TWO))), ["vm1", "vm2"], "not IP")
    ksft_eq(world.hears(data(TWO)[:30] + b"\x0a\1\2\3" + data(TWO)[34:]),
            ["vm1", "vm2"], "not a group: the address of a cluster")
    ksft_eq(world.hears(data(TWO, vlan=5)), [], "no filter for the VLAN")
    ksft_eq(groups(), [ONE, ONE6])
    ksft_eq(groups("vm2"), [])
    [first] = [each for each in vmqctl("port groups dev vm1")
               if each["group"] == ONE]
    ksft_eq((first["dev"], first["adapter"], first["vlan"]), ("vm1", "vmq0", 0))
    ksft_true(200000 < first["expires"] <= 260000, str(first))
    ksft_in(ONE, cmd("vmqctl port groups"))
    shown = vmqctl("adapter show dev vmq0")[0]
    ksft_eq((shown["mcast-snooping"], shown["mcast-queriers"],
             shown["mcast-groups"]), (True, 2, 2))


def test_join_later():
    """Who joins has the group at once; who shares its MAC address, has not."""
    world = World()
    world.narrow()
    world.guest["vm1"].send(report(ONE), report6(ONE6))
    world.guest["vm2"].send(report(SAME_MAC, version=1, src=2))
    ksft_eq(group_mac(ONE), group_mac(SAME_MAC))
    ksft_eq(world.hears(data(ONE)), ["vm1"])
    ksft_eq(world.hears(data(ONE6)), ["vm1"])
    ksft_eq(world.hears(data(SAME_MAC)), ["vm2"])


def test_versions():
    """IGMPv3 and MLDv2: every kind of record, with sources and without."""
    world = World()
    world.narrow()
    one = world.guest["vm1"]
    source = ["192.0.2.77"]
    for kind, sources, joins in ((IS_EX, [], 1), (TO_EX, [], 1),
                                 (IS_EX, source, 1), (IS_IN, source, 1),
                                 (TO_IN, source, 1), (ALLOW, source, 1),
                                 (IS_IN, [], 0), (TO_IN, [], 0),
                                 (ALLOW, [], 0), (BLOCK, source, 0),
                                 (9, source, 0)):
        one.send(report3(record(kind, ONE, sources)))
        ksft_eq(groups("vm1"), [ONE] * joins, f"{kind} {sources}")
        sources = ["2001:db8::1"] * len(sources)
        one.send(report6v2(record(kind, ONE6, sources)))
        ksft_eq(groups("vm1"), [ONE, ONE6] * joins, f"MLD {kind} {sources}")
        # another guest, as far as anybody knows
        one.close()
        one = Guest("vm1")
    one.send(report3(record(BLOCK, TWO, source, aux=b"1234"),
                     record(TO_EX, ONE, aux=b"12345678"),
                     record(IS_EX, "224.0.0.5"), record(IS_EX, "192.0.2.5")))
    one.send(report6v2(record(TO_IN, TWO6, aux=b"1234"), record(IS_EX, ONE6),
                       record(IS_EX, "ff02::1:ff00:1")))
    ksft_eq(groups("vm1"), [ONE, ONE6], "records behind others")


def test_reports():
    """Reports go to the wire, and not to other guests, which would keep their
    own back."""
    world = World()
    world.narrow()
    frame = report(ONE)
    world.wire.drain()
    ksft_eq(world.hears(frame, "vm1"), [])
    ksft_true(world.wire.expect(frame), "not on the wire")
    world.guest["vm2"].send(report(ONE, src=2))
    ksft_eq(world.hears(frame, "vm1"), [], "to one that is in the group")
    ksft_eq(world.hears(report6(ONE6), "vm1"), [])
    ksft_eq(world.hears(report(ONE, src=0xfe)), [], "from the wire")
    ksft_eq(world.hears(query()), ["vm1", "vm2"], "a query")
    ksft_eq(world.hears(query(ONE)), ["vm1", "vm2"], "a query for a group")


def test_vlan():
    """Groups are those of a VLAN."""
    world = World()
    cmd("vmqctl port set dev vm1 trunk 0,5,6")
    cmd("vmqctl port set dev vm2 vlan 5")
    cmd("vmqctl filter add dev vmq0 queue "
        f"{port_get('vm1')['queues']} mac 52:54:00:00:00:01 vlan 5")
    cmd("vmqctl filter add dev vmq0 queue "
        f"{port_get('vm1')['queues']} mac 52:54:00:00:00:01 vlan 6")
    world.wire.send(query(interval=INTERVAL, vlan=5))
    world.narrowed("vm1", "vm2")
    world.guest["vm1"].send(report(ONE, vlan=5), report(TWO, vlan=6))
    world.guest["vm2"].send(report(TWO, src=2))
    ksft_eq(sorted((each["dev"], each["vlan"], each["group"])
                   for each in vmqctl("port groups")),
            [("vm1", 5, ONE), ("vm2", 5, TWO)])

    def gets(frame):
        world.wire.send(frame, ether(b"\xff" * 6, 0xfe, vlan=5, payload=b"end"))
        found = []
        for name, guest in world.guest.items():
            frames = []
            while (got := guest.recv(20)) is not None and b"end" not in got:
                frames.append(got)
            ksft_true(got, f"{name} heard nothing")
            if any(frame[-20:] in each for each in frames):
                found.append(name)
        return found

    ksft_eq(gets(data(ONE, vlan=5)), ["vm1"])
    ksft_eq(gets(data(TWO, vlan=5)), ["vm2"])
    ksft_eq(gets(data(ONE, vlan=6)), ["vm1"], "no querier there")
    ksft_eq(gets(data(TWO, vlan=6)), ["vm1"], "no querier there")


# -- leaving, and time

def test_leave():
    """Who leaves has the group until the querier asked, and nobody else loses
    it."""
    world = World()
    world.narrow()
    world.guest["vm1"].send(report(ONE), report(SAME_MAC), report6(ONE6))
    world.guest["vm2"].send(report(ONE, src=2), report6(ONE6, src=2))
    world.guest["vm1"].send(leave(ONE), done6(ONE6))
    ksft_eq(world.hears(data(ONE)), ["vm1", "vm2"])
    # two guests hear it, one of them answers
    world.wire.send(query(ONE, delay=2, interval=INTERVAL),
                    query6(ONE6, delay=2, interval=INTERVAL))
    world.guest["vm2"].send(report(ONE, src=2), report6(ONE6, src=2))
    ksft_true(left("vm1", 1), "not left")
    ksft_eq(groups("vm1"), [SAME_MAC])
    ksft_eq(world.hears(data(ONE)), ["vm2"])
    ksft_eq(world.hears(data(ONE6)), ["vm2"])
    ksft_eq(port_get("vm1")["mcast_leaves"], 2)


def test_not_asked():
    """A query about sources, or one that says so, takes no group away."""
    world = World()
    world.narrow()
    world.guest["vm1"].send(report(ONE), report(TWO))
    for frame in (query(ONE, sources=["192.0.2.7"]),
                  query(ONE, suppress=True)):
        world.wire.send(frame)
    world.wire.send(query(TWO))
    ksft_true(left("vm1", 1), "not left")
    ksft_eq(groups("vm1"), [ONE])


def test_querier_goes():
    """When the querier is silent for longer than it said, guests have all."""
    world = World()
    for _ in range(5):          # where it may take longer to look than it lasts
        world.wire.send(query(interval=3))
        world.narrowed("vm1", "vm2")
        heard = world.hears(data(TWO))
        narrow = port_get("vm1")["mcast_narrowed"]
        world.narrowed("vm1", "vm2", count=0)
        if narrow:
            break
    ksft_eq((heard, narrow), ([], 1))
    ksft_eq(world.hears(data(TWO)), ["vm1", "vm2"])
    ksft_eq(vmqctl("adapter show dev vmq0")[0]["mcast-queriers"], 0)


# -- who may narrow

def test_guests_query():
    """A guest that asks is a router, has all, and narrows nobody."""
    world = World()
    world.guest["vm1"].send(query(src=1, source="192.0.2.3"))
    ksft_true(wait_until(lambda: "mcast_router" in port_get("vm1")))
    ksft_eq(vmqctl("adapter show dev vmq0")[0]["mcast-queriers"], 0)
    world.wire.send(query(interval=INTERVAL))
    world.narrowed("vm2")
    ksft_eq(world.hears(data(TWO)), ["vm1"])
    ksft_eq(world.hears(report(ONE, src=2), "vm2"), ["vm1"], "reports too")
    ksft_eq([(each["dev"], each["group"]) for each in vmqctl("port groups")
             if "router" in each], [("vm1", "0.0.0.0")])
    world.guest["vm1"].send(query(ONE, src=1, source="192.0.2.3"))
    time.sleep(1.5)
    ksft_eq(groups("vm2"), [ONE], "a guest took another's group away")


def test_routers():
    """PIM and multicast router discovery make a router, too."""
    world = World(guests=4)
    world.guest["vm1"].send(igmp("224.0.0.106", b"\x30\x14\0\0" + bytes(4)))
    world.guest["vm2"].send(mld("ff02::6a", b"\x97\x14\0\0" + bytes(20), src=2))
    world.guest["vm3"].send(build(group_mac("224.0.0.13"), "192.0.2.3",
                                  "224.0.0.13", 103, src=3,
                                  payload=b"\x20\0\0\0"))
    ksft_eq(sorted(each["dev"] for each in vmqctl("port groups")),
            ["vm1", "vm2", "vm3"])
    world.wire.send(query(interval=INTERVAL), query6(interval=INTERVAL))
    world.narrowed("vm4", count=2)
    ksft_eq(world.hears(data(ONE)), ["vm1", "vm3"])
    ksft_eq(world.hears(data(ONE6)), ["vm2"])


def test_ignored_queries():
    """What guests would not answer narrows nobody."""
    world = World()
    good = query(interval=INTERVAL)
    for comment, frame in (
            ("another TTL", query(ttl=2)),
            ("no router alert", query(options=b"")),
            ("another address", query(to="01:00:5e:00:00:05")),
            ("a wrong sum", query(broken=True)),
            ("sources", query(sources=["192.0.2.1"])),
            ("a fragment", good[:20] + b"\x20\0" + good[22:24] +
             bytes([good[24] - 0x20]) + good[25:]),
            ("another hop limit", query6(limit=64)),
            ("not of the link", query6(source="2001:db8::1")),
            ("no alert", query6(header=bytes.fromhex("3a00010400000000"))),
            ("another MAC address", query6(to="33:33:00:00:00:02"))):
        world.wire.send(frame)
        ksft_eq(vmqctl("adapter show dev vmq0")[0]["mcast-queriers"], 0, comment)
    for frame in (query(version=1), query(version=2), good):
        world.wire.send(frame)
        ksft_eq(vmqctl("adapter show dev vmq0")[0]["mcast-queriers"], 1)


def test_malformed():
    """Broken messages teach nothing; they are delivered as all is."""
    world = World()
    world.narrow()
    one = world.guest["vm1"]
    whole = report3(record(IS_EX, ONE))
    for frame in (report(ONE, broken=True), whole[:40],
                  report3(record(IS_EX, ONE), broken=True),
                  report3(record(IS_EX, TWO)[:7]),
                  report3(record(IS_EX, TWO, aux=b"12345678")[:8],
                          count=1).replace(b"\x02\0\0\0\xef", b"\x02\xff\xff\xff\xef"),
                  report("192.0.2.7"), report6("2001:db8::1"),
                  report6(ONE6)[:-4], report6v2(record(IS_EX, ONE6)[:-2])):
        one.send(frame)
    ksft_eq(groups(), [])
    # what is whole counts, what comes behind does not
    one.send(report3(record(IS_EX, ONE), record(IS_EX, TWO)[:6], count=2))
    ksft_eq(groups(), [ONE])
    ksft_eq(world.hears(report(TWO, src=2, broken=True), "vm2"), ["vm1"])


# -- guests that come, go and move

def test_reopened():
    """A tap that is opened again has all until its guest was asked."""
    world = World()
    world.guest["vm1"].send(report(ONE))
    world.narrow()
    world.guest["vm1"].send(report(ONE))
    ksft_eq(world.hears(data(TWO)), [])
    world.guest["vm1"].close()
    world.guest["vm1"] = Guest("vm1")
    ksft_eq(groups(), [])
    ksft_eq(world.hears(data(TWO)), ["vm1"])
    # QEMU is there, its guest is not yet
    world.wire.send(query(interval=INTERVAL))
    ksft_true(wait_until(lambda: port_get("vm2")["mcast_queries"] == 3))
    time.sleep(1.5)
    ksft_eq(world.hears(data(TWO)), ["vm1"])
    world.guest["vm1"].send(ether(0xee, 1))
    world.wire.send(query(interval=INTERVAL))
    world.narrowed("vm1", count=1)
    ksft_eq(world.hears(data(TWO)), [])


def test_full():
    """A guest whose ring is full when it is asked has all from then on."""
    world = World()
    world.narrow()
    cmd("ip link set vm1 txqueuelen 4")
    world.guest["vm1"].all()
    world.wire.send(*[ether(1, 0xfe)] * 8)
    ksft_true(wait_until(lambda: port_get()["rx_drops"] > 0))
    world.wire.send(query(interval=INTERVAL))
    world.narrowed("vm1", count=1)
    world.guest["vm1"].all()
    ksft_eq(world.hears(data(TWO)), ["vm1"])
    ksft_eq(world.hears(data(TWO6)), [])


def test_migrated():
    """A port whose state was restored, or whose gate opened, has all."""
    world = World()
    world.narrow()
    world.guest["vm1"].send(report(ONE))
    stream = save("vm1")
    world.guest["vm1"].send(ether(0xee, 1))
    ksft_true(wait_until(lambda: port_get()["gate"] == 0))
    ksft_eq(groups(), [], "the gate opened")
    ksft_eq(port_get()["mcast_narrowed"], 0)
    ksft_eq(world.hears(data(TWO)), ["vm1"])
    world.wire.send(query(interval=INTERVAL))
    world.narrowed("vm1", count=1)
    restore("vm1", stream)
    ksft_eq(port_get()["mcast_narrowed"], 0, "restored")
    ksft_eq(port_get("vm2")["mcast_narrowed"], 2)


def test_deleted():
    """Groups go with their port, and with snooping."""
    world = World()
    world.narrow()
    world.guest["vm1"].send(report(ONE))
    world.guest["vm2"].send(report(ONE, src=2))
    ksft_eq(groups(), [ONE, ONE])
    cmd("ip link del vm1")
    ksft_eq(groups(), [ONE])
    del world.guest["vm1"]
    ksft_eq(world.hears(data(ONE)), ["vm2"])
    port("vm3", number=3)
    world.guest["vm3"] = Guest("vm3")
    ksft_eq(world.hears(data(ONE)), ["vm2", "vm3"], "it has the slot of vm1")


# -- settings, limits, counters

def test_allmulti():
    """What the administrator sets for the port wins, and is counted."""
    world = World()
    world.narrow()
    before = {key: port_get()[key] for key in
              ("mcast_withheld", "mcast_allmulti")}
    ksft_eq(world.hears(data(TWO)), [])
    for mode in ("allmulticast", "promisc"):
        cmd(f"ip link set vm1 {mode} on")
        ksft_eq(world.hears(data(TWO)), ["vm1"], mode)
        ksft_eq(world.hears(report(ONE, src=2), "vm2"), ["vm1"], mode)
        cmd(f"ip link set vm1 {mode} off")
        ksft_eq(world.hears(data(TWO)), [], mode)
    after = port_get()
    ksft_eq(after["mcast_withheld"] - before["mcast_withheld"], 3)
    ksft_eq(after["mcast_allmulti"] - before["mcast_allmulti"], 4)
    world.guest["vm1"].send(report(TWO))
    cmd("ip link set vm1 allmulticast on")
    ksft_eq(world.hears(data(TWO)), ["vm1"])
    ksft_eq(port_get()["mcast_allmulti"], after["mcast_allmulti"],
            "it is in the group")


def test_switch():
    """Snooping can be switched off: guests have all; and on again."""
    world = World()
    world.narrow()
    world.guest["vm1"].send(report(ONE))
    cmd("vmqctl adapter set dev vmq0 mcast-snooping off")
    shown = vmqctl("adapter show dev vmq0")[0]
    ksft_eq((shown["mcast-snooping"], shown["mcast-queriers"],
             shown["mcast-groups"]), (False, 0, 0))
    world.wire.send(query(interval=INTERVAL))
    ksft_eq(world.hears(data(TWO)), ["vm1", "vm2"])
    ksft_eq(world.hears(report(TWO), "vm1"), ["vm2"])
    ksft_eq(groups(), [])
    cmd("vmqctl adapter set dev vmq0 mcast-snooping on private off")
    world.wire.send(query(interval=INTERVAL))
    world.narrowed("vm1", "vm2")
    ksft_eq(world.hears(data(TWO)), [])
    for words in ("mcast-snooping 1", "mcast-snooping"):
        ksft_eq(fail_cmd(f"vmqctl adapter set dev vmq0 {words}")[0], 2, words)
    status, message = fail_cmd("vmqctl port groups dev vmq0")
    ksft_eq(status, 1)
    ksft_in("not a port", message)


def test_limit():
    """A guest with more groups than it may have, has all."""
    world = World()
    world.narrow()
    one = world.guest["vm1"]
    for high in range(9):
        one.send(report3(*(record(IS_EX, f"239.2.{high}.{low}")
                           for low in range(60))))
    shown = port_get()
    ksft_eq(shown["mcast_groups"], 512)
    ksft_ge(shown["mcast_overflows"], 1)
    ksft_eq(len(groups("vm1")), 512)
    ksft_eq(shown["mcast_narrowed"], 0)
    ksft_eq(world.hears(data(TWO)), ["vm1"])
    world.wire.send(query(interval=INTERVAL))
    ksft_true(wait_until(lambda: port_get("vm2")["mcast_queries"] == 3))
    time.sleep(1.5)
    ksft_eq(world.hears(data(TWO)), ["vm1"], "asked again")
    # as many records as fit no frame of a wire
    world.guest["vm2"].send(report3(*(record(BLOCK, ONE) for _ in range(600)),
                                    src=2))
    ksft_eq(port_get("vm2")["mcast_overflows"], 1)


def test_counters():
    """What port show and ethtool -S count."""
    world = World()
    world.narrow()
    world.guest["vm1"].send(report(ONE), report3(record(IS_EX, TWO)),
                            report6(ONE6), leave(ONE), done6(ONE6),
                            report3(record(TO_IN, TWO)))
    world.wire.send(query(TWO, delay=10))
    ksft_eq(world.hears(data("239.9.9.9")), [])
    shown = port_get()
    ksft_eq({key: value for key, value in shown.items() if "mcast" in key},
            {"mcast_groups": 3, "mcast_narrowed": 2, "mcast_reports": 3,
             "mcast_leaves": 3, "mcast_queries": 3, "mcast_withheld": 1,
             "mcast_allmulti": 0, "mcast_overflows": 0})
    counters = ethtool_stats("vm1")
    for name in ("reports", "leaves", "queries", "withheld", "allmulti",
                 "overflows"):
        ksft_eq(counters[f"mcast_{name}"], shown[f"mcast_{name}"], name)
    ksft_eq(port_get("vm2")["mcast_withheld"], 1 + 6, "and the reports")
    ksft_true("mcast_reports" not in ethtool_stats("vmq0"))


if __name__ == "__main__":
    ksft_main(globals())
