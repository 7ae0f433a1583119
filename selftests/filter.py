#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Receive filters: ethtool -N and -n, and where frames go because of them."""

import errno
import itertools
import re

from lib import (NetNS, Raw, Rtnl, Rule, adapter, build, defer, ether, ethtool,
                 ethtool_refused, ethtool_stats, ksft_eq, ksft_ge, ksft_in,
                 ksft_main, ksft_not_in, ksft_raises, ksft_true, link_stats,
                 mac, pair, port, port_queue, rule_add, rule_del, rule_get,
                 rules, run, vmqctl, wait_until)
from lib.frames import pton
from lib.ioctl import (DISC, ETHER, IP4_USER, IP6_USER, LOC_FIRST, LOC_LAST,
                       SCTP_V4, SCTP_V6, TCP_V4, TCP_V6, UDP_V4, UDP_V6)

QUEUES = 8
A4, B4, C4 = "10.1.0.1", "10.1.0.2", "10.1.0.3"
A6, B6, C6 = "fd00::1", "fd00::2", "fd00::3"


class Counts:
    """Frames sent on the wire, and the queues they are counted on."""

    def __init__(self):
        self.wire = Raw("wire0")
        defer(self.wire.close)

    @staticmethod
    def read():
        stats = ethtool_stats("vmq0")
        found = {number: stats[f"rx_queue_{number}_packets"]
                 for number in range(QUEUES)}
        found["drop"] = stats["rx_drops_filter"]
        return found

    def send(self, *frames):
        """{queue: frames that it got more}, without zeros"""
        before = self.read()
        self.wire.send(*frames)

        def changed():
            now = self.read()
            delta = {key: now[key] - before[key] for key in now
                     if now[key] != before[key]}
            return delta if sum(delta.values()) >= len(frames) else None

        return wait_until(changed, 1, 0.005) or {
            key: value - before[key] for key, value in self.read().items()
            if value != before[key]}


def world(ports=()):
    pair()
    adapter("vmq0", uplink="up0", rxq=QUEUES)
    for number in ports:
        port(f"vm{number}", number=number)
    return Counts()


def refuses(number, call, *arguments, comment=""):
    with ksft_raises(OSError, comment) as caught:
        call(*arguments)
    if caught.exception:
        ksft_eq(errno.errorcode[caught.exception.errno],
                errno.errorcode[number], comment)


# -- F-22, row by row

VLAN_FRAMES = {
    "untagged": {}, "priority": {"vlan": 0, "prio": 5},
    "vlan 0": {"vlan": 0}, "vlan 10": {"vlan": 10},
    "vlan 10 prio 3": {"vlan": 10, "prio": 3}, "vlan 11": {"vlan": 11},
    "vlan 4094": {"vlan": 4094},
}
ALL = set(VLAN_FRAMES)
VLAN_RULES = (
    # what ethtool(8) is told, which frames it accepts
    ("vlan 0 m 0xf000", {"untagged", "priority", "vlan 0"}),
    ("", ALL),
    ("vlan 10 m 0xf000", {"vlan 10", "vlan 10 prio 3"}),
    ("vlan 10", {"vlan 10"}),
    ("vlan 0x600a", {"vlan 10 prio 3"}),
    ("vlan 4094 m 0xf000", {"vlan 4094"}),
)


def test_vlan_table():
    """F-22: the rows, with a rule of the administrator for the host's queue."""
    counts = world()
    for text, accepted in VLAN_RULES:
        ethtool(f"-N vmq0 flow-type ether dst 52:54:00:00:00:02 {text} "
                "action 5 loc 3")
        for name, options in VLAN_FRAMES.items():
            got = counts.send(ether(2, **options))
            ksft_eq(got, {5 if name in accepted else 0: 1},
                    f"F-22: rule '{text}', frame {name}")
        rule_del("vmq0", 3)


def test_vlan_table_port():
    """F-22: the same for the queue of a port; the tag is in the metadata."""
    counts = world([1])
    queue = port_queue("vm1")
    host = Raw("vmq0")
    guest = Raw("vm1")
    for text, accepted in VLAN_RULES:
        ethtool(f"-N vmq0 flow-type ether dst 52:54:00:00:00:02 {text} "
                f"action {queue} loc 3")
        for name, options in VLAN_FRAMES.items():
            comment = f"F-22: rule '{text}', frame {name}"
            guest.drain()
            host.drain()
            frame = ether(2, payload=b"F-22" + name.encode(), **options)
            counts.wire.send(frame)
            there, other = (guest, host) if name in accepted else (host, guest)
            got = there.expect(mac(2), 1)
            ksft_true(got is not None, comment)
            ksft_eq(other.all(0, lambda each: each[:6] == mac(2)), [],
                    f"{comment}, M-04")
            if got is None:
                continue
            # F-25: stripped from the data, priority and id kept
            want = ether(2, payload=b"F-22" + name.encode())
            ksft_eq(got[12:], want[12:len(got)], f"{comment}: data")
            if options:
                ksft_eq(got.tci, options.get("prio", 0) << 13
                        | options["vlan"], f"{comment}: metadata")
            else:
                ksft_eq(got.tci, None, f"{comment}: metadata")
        rule_del("vmq0", 3)
    host.close()
    guest.close()


def test_port_own_filter():
    """The filter that a port sets: untagged or VLAN 0, nothing else (F-24)."""
    counts = world([1])
    queue = port_queue("vm1")
    for name, options in VLAN_FRAMES.items():
        want = queue if name in VLAN_RULES[0][1] else 0
        ksft_eq(counts.send(ether(1, **options)), {want: 1}, f"F-24: {name}")
    ksft_eq(counts.send(ether(0x44)), {0: 1}, "Q-04: unmatched")
    ksft_eq(counts.send(ether(b"\xff" * 6))[0], 1, "O-46: broadcast")


def test_vlan_subdevice():
    """A VLAN device on a port gets its frames by the tag in the metadata."""
    counts = world([1])
    run("ip link add link vm1 name vm1.10 type vlan id 10")
    defer(Rtnl().delete, "vm1.10")
    Rtnl().up("vm1.10")
    ethtool("-N vmq0 flow-type ether dst 52:54:00:00:00:01 vlan 10 m 0xf000 "
            f"action {port_queue('vm1')}")
    with Raw("vm1.10") as inner:
        inner.drain()
        counts.wire.send(ether(1, vlan=10), ether(1, vlan=11))
        got = inner.all(match=lambda frame: frame[:6] == mac(1))
        ksft_eq(len(got), 1)
        inner.send(ether(0xfe, src=1))
        got = counts.wire.expect(mac(0xfe))
        ksft_true(got)
        ksft_eq(got and got.vid, 10, "T-09: the tag is inserted")


# -- set, list, delete

def test_list_exactly():
    """-n lists exactly what was set, for every kind of rule."""
    world()
    want = {}
    made = [
        Rule(ETHER, 1).dst(mac(2)),
        Rule(ETHER, 2).dst(mac(2)).src(mac(9)),
        Rule(ETHER, 3).dst(mac(3), b"\xff\xff\0\0\0\xff"),
        Rule(ETHER, 4).proto(0x0806),
        Rule(ETHER, 5).proto(0x8800, 0xff00),
        Rule(ETHER, 1).dst(mac(4)).vlan(10, 0xfff),
        Rule(ETHER, 2).dst(mac(5)).vlan(0x600a),
        Rule(ETHER, DISC).src(mac(7)),
        Rule(TCP_V4, 3).src_ip(pton(A4)).dst_port(80),
        Rule(UDP_V4, 4).dst_ip(pton(B4), b"\xff\xff\0\0").src_port(0x100,
                                                                  0xff00),
        Rule(SCTP_V4, 5).dst_port(99),
        Rule(TCP_V6, 3).src_ip(pton(A6)).dst_ip(pton(B6)).dst_port(443),
        Rule(UDP_V6, 4).dst_port(53).tos(0x20),
        Rule(SCTP_V6, 1).src_port(7),
        Rule(IP4_USER, 2).src_ip(pton(A4)).l4proto(47).tos(8),
        Rule(IP4_USER, 3).l4data(0x00500051),
        Rule(IP6_USER, 4).dst_ip(pton(C6)).l4proto(58),
        Rule(TCP_V4, 6).dst_ip(pton(C4)).dst_mac(mac(8)).vlan(20, 0xfff),
        Rule(ETHER, 7, LOC_FIRST).dst(mac(0x20)),
        Rule(ETHER, 7, LOC_LAST).dst(mac(0x21)),
        Rule(ETHER, 7, 1000).dst(mac(0x22)),
    ]
    for rule in made:
        location = rule_add("vmq0", rule)
        ksft_not_in(location, want)
        rule.loc = location
        want[location] = rule.pack()
    ksft_in(1000, want)
    ksft_eq(rules("vmq0"), sorted(want), "F-12")
    for location, packed in want.items():
        got = rule_get("vmq0", location)
        rule = next(each for each in made if each.loc == location)
        ksft_eq(got, (rule.flow, bytes(rule.key), bytes(rule.ext),
                      bytes(rule.mask), bytes(rule.ext_mask), rule.queue,
                      location), f"F-11: location {location}")
        ksft_eq(len(packed), 168)
    ids = [each["id"] for each in vmqctl("filter show dev vmq0")]
    ksft_eq(len(set(ids)), len(want), "F-01")
    ksft_not_in(0, ids, "F-02")
    for location in want:
        rule_del("vmq0", location)
    ksft_eq(rules("vmq0"), [])


def test_ethtool_text():
    """The issue's first bullet, by ethtool(8) itself."""
    counts = world([1])
    answer = ethtool("-N vmq0 flow-type ether dst 52:54:00:00:00:02 vlan 10 "
                     "action 5")
    location = int(re.search(r"ID (\d+)", answer)[1])
    text = ethtool("-n vmq0")
    ksft_true(re.search(r"Total 2 rules", text), text)
    block = re.search(rf"Filter: {location}\n(.*?)\n\n", text, re.S)[1]
    for line in ("Flow Type: Raw Ethernet",
                 "Dest MAC addr: 52:54:00:00:00:02 mask: 00:00:00:00:00:00",
                 "Src MAC addr: 00:00:00:00:00:00 mask: FF:FF:FF:FF:FF:FF",
                 "VLAN: 0xa mask: 0x0", "Action: Direct to queue 5"):
        ksft_in(line, block)
    ksft_in("Dest MAC addr: 52:54:00:00:00:01", text, "the port's own")
    ksft_eq(counts.send(ether(2, vlan=10)), {5: 1})
    ethtool(f"-N vmq0 delete {location}")
    ksft_true("Total 1 rules" in ethtool("-n vmq0"))
    ksft_eq(counts.send(ether(2, vlan=10)), {0: 1}, "Q-36")
    ksft_in("No such file", ethtool_refused(f"-N vmq0 delete {location}"),
            "F-08")


def test_refusals():
    """What is no rule is refused, and nothing changes."""
    world([1])
    port_location = rules("vmq0")[0]
    rule_add("vmq0", Rule(ETHER, 5, 7).dst(mac(2)))
    before = rules("vmq0")
    refuses(errno.ENOENT, rule_del, "vmq0", 55, comment="F-08")
    refuses(errno.ENOENT, rule_del, "vmq0", 1 << 20, comment="F-08")
    refuses(errno.EPERM, rule_del, "vmq0", port_location, comment="F-05")
    refuses(errno.EEXIST, rule_add, "vmq0", Rule(ETHER, 4).dst(mac(2)),
            comment="O-11: an identical rule on another queue")
    refuses(errno.EEXIST, rule_add, "vmq0", Rule(ETHER, 5).dst(mac(2)),
            comment="O-11: twice")
    refuses(errno.EEXIST, rule_add, "vmq0",
            Rule(ETHER, 5).dst(mac(1)).vlan(0, 0xfff),
            comment="O-11: what a port has")
    refuses(errno.EPERM, rule_add, "vmq0",
            Rule(ETHER, 5, port_location).dst(mac(9)),
            comment="F-05: replacing a port's")
    refuses(errno.EINVAL, rule_add, "vmq0", Rule(ETHER, QUEUES).dst(mac(9)),
            comment="a queue that there is not")
    refuses(errno.EINVAL, rule_add, "vmq0", Rule(ETHER, 1 << 20).dst(mac(9)))
    refuses(errno.EINVAL, rule_add, "vmq0",
            Rule(ETHER, 2, 1 << 20).dst(mac(9)), comment="location")
    for text in ("flow-type ether dst 52:54:00:00:00:09 vf 1",
                 "flow-type ether dst 52:54:00:00:00:09 vf 0 queue 1",
                 "flow-type ether dst 52:54:00:00:00:09 context 1",
                 "flow-type ether dst 52:54:00:00:00:09 action -2",
                 "flow-type ether dst 52:54:00:00:00:09 user-def 1 action 2"):
        ksft_true(ethtool_refused("-N vmq0 " + text), text)
    ksft_eq(rules("vmq0"), before)
    ethtool("-L vmq0 combined 6")
    refuses(errno.EINVAL, rule_add, "vmq0", Rule(ETHER, 6).dst(mac(9)),
            comment="a queue that is switched off")
    ksft_eq(rules("vmq0"), before)


def test_replace():
    """A rule at a location that is taken replaces it, at once (F-30)."""
    counts = world()
    rule_add("vmq0", Rule(ETHER, 5, 7).dst(mac(2)))
    ksft_eq(counts.send(ether(2)), {5: 1})
    rule_add("vmq0", Rule(ETHER, 6, 7).dst(mac(2)))
    ksft_eq(counts.send(ether(2)), {6: 1})
    rule_add("vmq0", Rule(ETHER, 4, 7).dst(mac(3)))
    ksft_eq(counts.send(ether(2), ether(3)), {0: 1, 4: 1})
    rule_add("vmq0", Rule(ETHER, DISC, 7).dst(mac(3)))
    ksft_eq(counts.send(ether(3)), {"drop": 1})
    ksft_eq(rules("vmq0"), [7])


def test_replace_no_gap():
    """While a rule is moved to and fro no frame goes anywhere else (F-30)."""
    counts = world()
    rule_add("vmq0", Rule(ETHER, 5, 7).dst(mac(2)))
    total = {5: 0, 6: 0}
    for number in range(20):
        queue = 6 if number % 2 else 5
        counts.wire.send(ether(2))
        rule_add("vmq0", Rule(ETHER, queue, 7).dst(mac(2)))
        got = counts.send(ether(2))
        ksft_eq(got, {queue: 1}, "F-30")
        total[queue] += 1
    stats = ethtool_stats("vmq0")
    ksft_eq(stats["rx_queue_5_packets"] + stats["rx_queue_6_packets"], 40)


def test_drop():
    """action -1 drops and counts."""
    counts = world([1])
    ethtool("-N vmq0 flow-type udp4 dst-port 99 action -1")
    ksft_in("Action: Drop", ethtool("-n vmq0"))
    before = link_stats("vmq0")["rx_dropped"]
    with Raw("vm1") as guest:
        guest.drain()
        got = counts.send(*[build(1, A4, B4, dport=99)] * 3,
                          build(1, A4, B4, dport=98))
        ksft_eq(got, {"drop": 3, port_queue("vm1"): 1})
        ksft_eq(len(guest.all(match=lambda each: each[:6] == mac(1))), 1)
    ksft_eq(link_stats("vmq0")["rx_dropped"] - before, 3)
    [shown] = [each for each in vmqctl("filter show dev vmq0")
               if each.get("drop")]
    ksft_not_in("queue", shown)


# -- n-tuple

def test_ntuple_subsets():
    """Every subset of the fields, TCP and UDP, IPv4 and IPv6."""
    counts = world()
    for flow, kind, v6 in ((TCP_V4, "tcp", False), (UDP_V4, "udp", False),
                           (TCP_V6, "tcp", True), (UDP_V6, "udp", True)):
        src, dst, other = (A6, B6, C6) if v6 else (A4, B4, C4)
        good = {"src_ip": src, "dst_ip": dst, "sport": 1000, "dport": 2000}
        bad = {"src_ip": other, "dst_ip": other, "sport": 1001, "dport": 2001}

        def frame(kind=kind, **change):
            # pylint: disable=cell-var-from-loop
            return build(2, **{**good, **change}, kind=kind)

        for size in range(5):
            for subset in itertools.combinations(good, size):
                rule = Rule(flow, 5, 9)
                for field in subset:
                    value = good[field]
                    if field.endswith("ip"):
                        getattr(rule, field)(pton(value))
                    else:
                        getattr(rule, {"sport": "src_port",
                                       "dport": "dst_port"}[field])(value)
                rule_add("vmq0", rule)
                hits = [frame()] + [frame(**{field: bad[field]})
                                    for field in good if field not in subset]
                misses = [frame(**{field: bad[field]}) for field in subset]
                misses.append(frame("udp" if kind == "tcp" else "tcp"))
                comment = f"F-13, F-16: flow {flow}, fields {subset}"
                ksft_eq(counts.send(*hits), {5: len(hits)}, comment)
                ksft_eq(counts.send(*misses), {0: len(misses)}, comment)
        rule_del("vmq0", 9)


def test_ntuple_masks():
    """Prefixes and masked ports."""
    counts = world()
    rule_add("vmq0", Rule(UDP_V4, 5, 1).src_ip(pton("10.2.0.0"),
                                               b"\xff\xff\0\0"))
    ksft_eq(counts.send(build(2, "10.2.3.4", B4)), {5: 1})
    ksft_eq(counts.send(build(2, "10.3.3.4", B4)), {0: 1})
    rule_add("vmq0", Rule(TCP_V4, 6, 2).dst_port(0x1000, 0xf000))
    ksft_eq(counts.send(build(2, A4, B4, "tcp", dport=0x1fff)), {6: 1})
    ksft_eq(counts.send(build(2, A4, B4, "tcp", dport=0x2000)), {0: 1})
    rule_add("vmq0", Rule(TCP_V6, 4, 3).dst_ip(pton("fd01::"),
                                               b"\xff\xff" + bytes(14)))
    ksft_eq(counts.send(build(2, A6, "fd01:5::9", "tcp")), {4: 1})
    ksft_eq(counts.send(build(2, A6, "fd02:5::9", "tcp")), {0: 1})
    ksft_eq(counts.send(build(2, A4, B4, "tcp", dport=0)), {0: 1},
            "port 0 is no missing port")


def test_ntuple_others():
    """SCTP, ip4, ip6 with protocol, tos and the first bytes of layer 4."""
    counts = world()
    for rule, hit, miss in (
            (Rule(SCTP_V4, 5).dst_port(9), build(2, A4, B4, "sctp", dport=9),
             build(2, A4, B4, "udp", dport=9)),
            (Rule(SCTP_V6, 5).src_port(9), build(2, A6, B6, "sctp", sport=9),
             build(2, A6, B6, "sctp", sport=8)),
            (Rule(IP4_USER, 5).l4proto(47),
             build(2, A4, B4, 47, payload=bytes(20)), build(2, A4, B4)),
            (Rule(IP4_USER, 5).tos(0x10), build(2, A4, B4, tos=0x10),
             build(2, A4, B4, tos=0x20)),
            (Rule(IP4_USER, 5).l4data(7 << 16 | 8),
             build(2, A4, B4, sport=7, dport=8),
             build(2, A4, B4, sport=7, dport=9)),
            (Rule(IP4_USER, 5).src_ip(pton(A4)), build(2, A4, C4, "icmp"),
             build(2, B4, C4, "icmp")),
            (Rule(IP6_USER, 5).l4proto(58), build(2, A6, B6, 58,
                                                  payload=bytes(8)),
             build(2, A6, B6)),
            (Rule(IP6_USER, 5).tos(0xb8), build(2, A6, B6, tos=0xb8),
             build(2, A6, B6)),
            (Rule(IP6_USER, 5).dst_ip(pton(B6)), build(2, A6, B6, "tcp"),
             build(2, A6, C6, "tcp"))):
        rule.loc = 4
        rule_add("vmq0", rule)
        ksft_eq(counts.send(hit), {5: 1}, f"flow {rule.flow}")
        ksft_eq(counts.send(miss), {0: 1}, f"flow {rule.flow}")
        rule_del("vmq0", 4)


def test_ntuple_ext():
    """n-tuple rules with dst-mac and vlan."""
    counts = world()
    ethtool("-N vmq0 flow-type udp4 dst-ip 10.1.0.2 dst-mac 52:54:00:00:00:02 "
            "vlan 10 m 0xf000 action 5")
    for name, want, frame in (
            ("all", 5, build(2, A4, B4, vlan=10)),
            ("priority", 5, build(2, A4, B4, vlan=10, prio=4)),
            ("other vlan", 0, build(2, A4, B4, vlan=11)),
            ("untagged", 0, build(2, A4, B4)),
            ("other mac", 0, build(3, A4, B4, vlan=10)),
            ("other ip", 0, build(2, A4, C4, vlan=10))):
        ksft_eq(counts.send(frame), {want: 1}, name)


def test_ether_fields():
    """Ethernet rules: source, EtherType, masks, any of them alone."""
    counts = world()
    cases = (
        ("src 52:54:00:00:00:31", ether(9, 0x31), ether(9, 0x32)),
        ("proto 0x88b5", ether(9), ether(9, proto=0x88b6)),
        ("proto 0x8800 m 0x00ff", ether(9), ether(9, proto=0x8900)),
        ("dst 52:54:00:00:00:00 m 00:00:00:00:00:ff", ether(0x77),
         ether(0x177)),
        ("dst 52:54:00:00:00:02 proto 0x88b5", ether(2),
         ether(2, proto=0x88b6)),
        ("src 52:54:00:00:00:31 vlan 7 m 0xf000", ether(9, 0x31, vlan=7),
         ether(9, 0x31)),
        ("vlan 7 m 0xf000", ether(9, vlan=7), ether(9, vlan=8)),
        ("dst 01:00:5e:00:00:05", ether("01:00:5e:00:00:05"),
         ether("01:00:5e:00:00:06")),
        ("dst ff:ff:ff:ff:ff:ff", ether(b"\xff" * 6),
         ether("01:00:5e:00:00:06")),
    )
    for text, hit, miss in cases:
        # a destination of all masked bits is "any"
        ethtool(f"-N vmq0 flow-type ether {text} action 5 loc 3")
        ksft_eq(counts.send(hit), {5: 1}, text)
        ksft_eq(counts.send(miss), {0: 1}, text)
        rule_del("vmq0", 3)


def test_fragments():
    """Fragments stay together: rules on ports match none of them, not even the
    first, which has ports; rules on addresses match all."""
    from lib.frames import ETH_P_IP, ip4, udp
    counts = world()
    data = udp(A4, B4, 1, 99, bytes(64))
    first = ether(2, proto=ETH_P_IP, payload=ip4(A4, B4, 17, data[:32],
                                                 frag=0x2000))
    later = ether(2, proto=ETH_P_IP, payload=ip4(A4, B4, 17, data[32:],
                                                 frag=4))
    rule_add("vmq0", Rule(UDP_V4, 5, 1).dst_port(99))
    ksft_eq(counts.send(first, later), {0: 2}, "ports of a fragment")
    rule_add("vmq0", Rule(UDP_V4, 5, 1).dst_port(0))
    ksft_eq(counts.send(first, later), {0: 2}, "ports that are not there")
    rule_add("vmq0", Rule(UDP_V4, 5, 1).dst_ip(pton(B4)))
    ksft_eq(counts.send(first, later), {5: 2})


def test_odd_frames():
    """Headers that are cut short or lie: no match, no crash, all counted."""
    from lib.frames import ETH_P_IP, ETH_P_IPV6
    counts = world()
    rule_add("vmq0", Rule(UDP_V4, 5, 1).dst_port(99))
    rule_add("vmq0", Rule(TCP_V6, 6, 2).dst_port(99))
    good = build(2, A4, B4, dport=99)[:45]
    good6 = build(2, A6, B6, "tcp", dport=99)[:74]
    frames = [good[:14 + size].ljust(14, b"\0") for size in range(0, 30)]
    frames += [good6[:14 + size] for size in range(0, 50, 3)]
    for byte in (0x40, 0x4f, 0x55, 0x65, 0xff):
        frames.append(good[:14] + bytes([byte]) + good[15:])
        frames.append(good6[:14] + bytes([byte]) + good6[15:])
    frames.append(ether(2, proto=ETH_P_IP, payload=b"\x45"))
    frames.append(ether(2, proto=ETH_P_IPV6, payload=b"\x60"))
    got = counts.send(*frames)
    ksft_eq(sum(got.values()), len(frames), got)


# -- precedence

def test_precedence():
    """Overlapping rules: more than MAC and VLAN, MAC and VLAN, MAC, rest; then
    the lower id; those of the default queue last (O-11)."""
    counts = world()
    rule_add("vmq0", Rule(ETHER, 1, 1).dst(mac(2)))
    rule_add("vmq0", Rule(ETHER, 2, 2).dst(mac(2)).vlan(10, 0xfff))
    ksft_eq(counts.send(ether(2, vlan=10)), {2: 1}, "MAC+VLAN beats MAC-only")
    ksft_eq(counts.send(ether(2, vlan=11)), {1: 1})
    rule_add("vmq0", Rule(UDP_V4, 3, 3).dst_port(99))
    ksft_eq(counts.send(build(2, A4, B4, dport=99)), {3: 1})
    rule_add("vmq0", Rule(UDP_V4, 4, 4).src_ip(pton(A4)))
    ksft_eq(counts.send(build(2, A4, B4, dport=99)), {3: 1}, "lower id")
    ksft_eq(counts.send(build(2, A4, B4, dport=98)), {4: 1})
    rule_add("vmq0", Rule(UDP_V4, 5, 0).src_ip(pton(A4)).dst_port(99))
    ksft_eq(counts.send(build(2, A4, B4, dport=99)), {5: 1}, "lower id")
    for location in range(5):
        rule_del("vmq0", location)
    # the default queue's MAC filters come last, whatever their id
    rule_add("vmq0", Rule(ETHER, 0, 0).dst(mac(2)).vlan(10, 0xfff))
    rule_add("vmq0", Rule(ETHER, 6, 5).dst(mac(2)))
    ksft_eq(counts.send(ether(2, vlan=10)), {6: 1}, "default queue last")
    rule_del("vmq0", 5)
    ksft_eq(counts.send(ether(2, vlan=10)), {0: 1})


def test_multiple():
    """Several filters on one queue are ORed (F-14, F-21)."""
    counts = world()
    for number in range(2, 6):
        rule_add("vmq0", Rule(ETHER, 5).dst(mac(number)))
    rule_add("vmq0", Rule(ETHER, 5).dst(mac(9)).vlan(7, 0xfff))
    ksft_eq(counts.send(*[ether(number) for number in range(2, 7)],
                        ether(9, vlan=7)), {5: 5, 0: 1}, "F-14")
    [queue] = [each for each in vmqctl("queue show dev vmq0")
               if each["id"] == 5]
    ksft_eq(queue["filters"], 5, "Q-23")
    for location in rules("vmq0"):
        rule_del("vmq0", location)
    ksft_eq(counts.send(ether(2)), {0: 1}, "F-09")
    ksft_not_in(5, [each["id"] for each in vmqctl("queue show dev vmq0")
                    if each["state"] != "undefined"], "freed with its rule")


def test_many():
    """A thousand rules: all are found, listed and removed."""
    counts = world()
    number = 1000
    for each in range(number):
        rule_add("vmq0", Rule(ETHER, 1 + each % 7, each).dst(mac(each + 16)))
    ksft_eq(rules("vmq0"), list(range(number)))
    ksft_eq(len(vmqctl("filter show dev vmq0")), number, "F-12")
    sample = range(0, number, 50)
    want = {}
    for each in sample:
        want[1 + each % 7] = want.get(1 + each % 7, 0) + 1
    ksft_eq(counts.send(*[ether(each + 16) for each in sample]), want)
    ethtool("-K vmq0 ntuple off")
    ksft_eq(rules("vmq0"), [])
    ksft_eq(counts.send(ether(16)), {0: 1})


# -- metadata and agreement

def test_queue_metadata():
    """Each frame's metadata names its queue (R-05)."""
    counts = world()
    rule_add("vmq0", Rule(ETHER, 5).dst(mac(2)))
    with Raw("vmq0", queue=5) as five, Raw("vmq0", queue=0) as zero:
        counts.wire.send(ether(2), ether(3))
        ksft_eq([each[:6] for each in five.all()], [mac(2)], "R-05")
        ksft_eq([each[:6] for each in zero.all()
                 if each[12:14] == b"\x88\xb5"], [mac(3)], "R-05")


def test_order():
    """Arrival order within a queue is kept (R-24)."""
    counts = world([1])
    with Raw("vm1") as guest:
        guest.drain()
        counts.wire.send(*[ether(1, payload=number.to_bytes(4, "big"))
                           for number in range(200)])
        got = [int.from_bytes(each[14:18], "big") for each in guest.all()
               if each[:6] == mac(1)]
        ksft_eq(got, list(range(200)), "R-24")


def test_agreement():
    """vmqctl and ethtool show the same table (F-11), queues count it (Q-23).
    """
    world([1, 2])
    ethtool("-N vmq0 flow-type ether dst 52:54:00:00:00:09 vlan 10 m 0xf000 "
            "action 1 loc 5")
    ethtool("-N vmq0 flow-type tcp4 src-ip 10.0.0.1 dst-port 80 action 4 loc 6")
    ethtool("-N vmq0 flow-type ether dst 52:54:00:00:00:0a action -1 loc 7")
    shown = {each["location"]: each for each in vmqctl("filter show dev vmq0")}
    ksft_eq(sorted(shown), rules("vmq0"))
    for location, each in shown.items():
        queue = rule_get("vmq0", location)[5]
        ksft_eq(each.get("queue", DISC), queue)
        ksft_true(each["id"] >= 1, "F-02")
        ksft_eq(each["owner"], "ethtool" if location in (5, 6, 7) else
                f"port vm{each['mac'][-1]}")
    ksft_eq((shown[5]["mac"], shown[5]["vlan"]), ("52:54:00:00:00:09", 10))
    ksft_not_in("untagged", shown[5])
    ksft_eq((shown[6]["src-ip"], shown[6]["dst-port"], shown[6]["ip-proto"]),
            ("10.0.0.1", 80, "tcp"))
    ksft_true(shown[7]["drop"])
    one = vmqctl(f"filter show dev vmq0 id {shown[6]['id']}")
    ksft_eq([each["location"] for each in one], [6])
    for queue in vmqctl("queue show dev vmq0"):
        ksft_eq(queue["filters"], sum(each.get("queue") == queue["id"]
                                      for each in shown.values()), "Q-23")
    names = {queue["id"]: queue.get("port") for queue
             in vmqctl("queue show dev vmq0")}
    ksft_eq((names[1], names[2], names.get(4)), ("vm1", "vm2", None))


def test_port_rules_go():
    """With a port go the administrator's rules for its queue (F-07)."""
    counts = world([1, 2])
    rule_add("vmq0", Rule(ETHER, 1, 3).dst(mac(9)))
    rule_add("vmq0", Rule(ETHER, 2, 4).dst(mac(10)))
    Rtnl().delete("vm1")
    ksft_in(4, rules("vmq0"))
    ksft_not_in(3, rules("vmq0"))
    ksft_eq(counts.send(ether(9), ether(10)), {0: 1, 2: 1})


def test_port_queue():
    """A rule for one queue of a port with several: that queue, no other."""
    pair()
    adapter("vmq0", uplink="up0", rxq=QUEUES)
    port("vm1", number=1, rxq=4, txq=4)
    counts = Counts()
    rule_add("vmq0", Rule(UDP_V4, 3, 1).dst_port(99))
    frames = [build(1, A4, B4, sport=each, dport=99) for each in range(1, 30)]
    ksft_eq(counts.send(*frames), {3: 29})
    # ports that differ in many bits, as a hash is linear in them
    frames = [build(1, A4, B4, sport=each * 1999, dport=98)
              for each in range(1, 30)]
    got = counts.send(*frames)
    ksft_ge(len(got), 3, "the port's own filter: spread")
    ksft_eq((sum(got.values()), set(got) - {1, 2, 3, 4}), (29, set()))
    [shown] = [each for each in vmqctl("queue show dev vmq0")
               if each["id"] == 2]
    ksft_eq(shown["filters"], 0, "Q-23: its own ones")


def test_uplink_filters():
    """Addresses and VLANs that rules need are given to the uplink."""
    world([1])

    def addresses():
        return run("ip", "-s", "maddress", "show", "dev", "up0").stdout + \
            run("bridge", "fdb", "show", "dev", "up0").stdout

    ksft_in("52:54:00:00:00:01", addresses())
    rule_add("vmq0", Rule(ETHER, 5, 3).dst(mac(2)).vlan(10, 0xfff))
    ksft_in("52:54:00:00:00:02", addresses())
    rule_del("vmq0", 3)
    ksft_not_in("52:54:00:00:00:02", addresses())
    Rtnl().set("up0", master="")
    ksft_not_in("52:54:00:00:00:01", addresses())
    Rtnl().set("up0", master="vmq0")
    ksft_in("52:54:00:00:00:01", addresses())
    ksft_ge(len(rules("vmq0")), 1)


def test_netns_name():
    """The list names the owner also where the port is in another netns."""
    world()
    guest = NetNS()
    port("vm1", number=1, ns=guest)
    [shown] = vmqctl("filter show dev vmq0")
    ksft_eq(shown["owner"], "port vm1")


if __name__ == "__main__":
    ksft_main(globals())
