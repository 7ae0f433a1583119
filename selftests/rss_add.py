#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Rules that name a context and a queue, which is added to what its table says."""

import errno

from lib import (Rule, channels, ethtool, ksft_eq, ksft_ge, ksft_in,
                 ksft_main, ksft_pr, link_stats, mac, port, rule_add, rule_del,
                 rule_get, rules, vmqctl, wait_until)
from lib.flood import Flood
from lib.ioctl import ETHER, TCP_V4
from lib.rss import (IP_SRC, NEW, SUITE_KEY, fields_set, rss_delete, rss_get,
                     rss_set, rule_add_context)
from rss import (HOST, QUEUES, World, delete, expected, flows, queue_states,
                 refuses)


def table_of(ids, add=0):
    """As ethtool -X writes it: a short one is repeated."""
    return [ids[i % len(ids)] + add for i in range(128)]


def send(world, many):
    return world.send([frame for frame, _ in many])


def spread(many, ids, add=0, key=SUITE_KEY, **options):
    return expected(many, table_of(ids, add), key, QUEUES, **options)


def test_added():
    """V-37: the rule's queue is added, and the rule follows its context."""
    world = World()
    one = rss_set("vmq0", [0, 1], SUITE_KEY, NEW)
    where = rule_add_context("vmq0", Rule(TCP_V4, 2).dst_port(80), one)
    many = flows()
    ksft_eq(send(world, many), spread(many, [0, 1], 2))
    # it shows
    ksft_eq(rule_get("vmq0", where)[5], 2)
    ksft_in(f"RSS Context ID: {one}", ethtool(f"-n vmq0 rule {where}"))
    shown = vmqctl("filter show dev vmq0")[0]
    ksft_eq((shown["context"], shown["context-queue"]), (one, 2))
    # another table, key, and other fields of the context
    rss_set("vmq0", [0, 3, 1], context=one)
    ksft_eq(send(world, many), spread(many, [0, 3, 1], 2))
    other = bytes(reversed(SUITE_KEY))
    rss_set("vmq0", key=other, context=one)
    ksft_eq(send(world, many), spread(many, [0, 3, 1], 2, other))
    fields_set("vmq0", TCP_V4, IP_SRC, one)
    ksft_eq(send(world, many),
            spread(many, [0, 3, 1], 2, other, fields=IP_SRC))
    # a second rule with the same, one with another, and one without
    second = rule_add_context("vmq0", Rule(ETHER, 2).dst(mac(1)), one)
    third = rule_add_context("vmq0", Rule(ETHER, 4).dst(mac(2)), one)
    plain = rule_add_context("vmq0", Rule(ETHER).dst(mac(3)), one)
    rule_del("vmq0", where)
    for number, add in ((1, 2), (2, 4), (3, 0)):
        each = flows(to=number)
        ksft_eq(send(world, each),
                spread(each, [0, 3, 1], add, other, fields=IP_SRC), add)
    for location in (second, third, plain):
        rule_del("vmq0", location)
    rss_delete("vmq0", one)
    ksft_eq([each for each in queue_states() if each], [])


def test_main():
    """With context 0 it is added to what the adapter's own table says."""
    world = World()
    rss_set("vmq0", [0, 1], SUITE_KEY)
    rule_add_context("vmq0", Rule(TCP_V4, 3).dst_port(80), 0)
    many = flows()
    ksft_eq(send(world, many), spread(many, [0, 1], 3))
    rss_set("vmq0", [0, 4])
    ksft_eq(send(world, many), spread(many, [0, 4], 3))


def test_replaced():
    """F-30: it becomes a rule of another kind in place, and comes back."""
    world = World()
    one = rss_set("vmq0", [0, 1], SUITE_KEY, NEW)
    many = flows()
    where = rule_add_context("vmq0", Rule(TCP_V4, 2).dst_port(80), one)
    for add in (4, 0, 1, 1):
        rule_add_context("vmq0", Rule(TCP_V4, add, loc=where).dst_port(80), one)
        ksft_eq(send(world, many), spread(many, [0, 1], add), add)
    rule_add("vmq0", Rule(TCP_V4, 7, loc=where).dst_port(80))
    ksft_eq(send(world, many)[7], len(many))
    rule_add_context("vmq0", Rule(TCP_V4, 6, loc=where).dst_port(80), one)
    ksft_eq(send(world, many), spread(many, [0, 1], 6))
    # it leaves the context for good
    vmqctl(f"filter move dev vmq0 id {where + 1} queue 0")
    ksft_eq(send(world, many)[0], len(many))
    rss_delete("vmq0", one)
    ksft_eq([each for each in queue_states() if each], [])


def test_refused():
    """Nothing is added that leads out of what the rule may have."""
    world = World()
    port("vm1", number=1)                           # has queue 1
    one = rss_set("vmq0", [2, 3], SUITE_KEY, NEW)
    where = rule_add_context("vmq0", Rule(TCP_V4, 3).dst_port(80), one)
    many = flows()
    refuses(errno.EINVAL, rule_add_context, "vmq0",
            Rule(TCP_V4, 5).dst_port(81), one, comment="queue 8")
    refuses(errno.EINVAL, rule_add_context, "vmq0",
            Rule(TCP_V4, QUEUES).dst_port(81), one)
    refuses(errno.EINVAL, rule_add_context, "vmq0",
            Rule(TCP_V4, 1).dst_port(81), one + 1)
    refuses(errno.EBUSY, rule_add_context, "vmq0",
            Rule(TCP_V4, 1).dst_port(81), 0, comment="vm1's")
    refuses(errno.EEXIST, rule_add_context, "vmq0",
            Rule(TCP_V4, 1).dst_port(80), one)
    ksft_eq(len(rules("vmq0")), 2)
    # the context with the rule, the queues that only the rule has
    refuses(errno.EINVAL, rss_set, "vmq0", [2, 5], context=one)
    refuses(errno.EBUSY, rss_delete, "vmq0", one)
    ksft_eq(rss_get("vmq0", one)[0], table_of([2, 3]))
    refuses(errno.EBUSY, channels, "vmq0", 5)
    ksft_eq(channels("vmq0")[1], QUEUES)
    for number in range(2, 6):
        port(f"vm{number}", number=number)
    ksft_eq(sorted(each["queues"][0] for each in vmqctl("port show")),
            [0, 0, 1, 4, 7])
    ksft_eq(send(world, many), spread(many, [2, 3], 3))
    rule_del("vmq0", where)
    rss_delete("vmq0", one)


def test_port():
    """V-37: over a port's queues it stays within them, and goes with the port."""
    world = World()
    port("vm1", number=1, rxq=4)                    # has 1 to 4
    one = rss_set("vmq0", [1, 2], SUITE_KEY, NEW)
    rule_add_context("vmq0", Rule(ETHER, 2).dst(mac(HOST)), one)
    refuses(errno.EBUSY, rule_add_context, "vmq0",
            Rule(ETHER, 3).dst(mac(9)), one)
    many = flows()
    ksft_eq(send(world, many), spread(many, [1, 2], 2))
    ksft_eq(link_stats("vm1")["rx_packets"], len(many))
    delete("vm1")
    ksft_eq(rules("vmq0"), [])
    refuses(errno.ENOENT, rss_get, "vmq0", one)


def test_port_with_several():
    """F-07: the rules of all contexts over a port go with it, whatever they add."""
    World()
    port("vm1", number=1, rxq=4)                    # has 1 to 4
    for number in range(3):
        one = rss_set("vmq0", [1, 2], SUITE_KEY, NEW)
        rule_add_context("vmq0", Rule(ETHER, number % 2).dst(mac(8 + number)), one)
        rule_add_context("vmq0", Rule(TCP_V4, 2).dst_port(80 + number), one)
    delete("vm1")
    ksft_eq(rules("vmq0"), [])


def test_adapter_goes():
    """A rule that adds goes with its adapter."""
    World()
    one = rss_set("vmq0", [0, 1], SUITE_KEY, NEW)
    rule_add_context("vmq0", Rule(TCP_V4, 2).dst_port(80), one)
    rule_add_context("vmq0", Rule(TCP_V4, 2).dst_port(81), 0)
    delete("vmq0")


def test_under_load():
    """F-30, V-41: rules and tables change under traffic, and nothing is lost."""
    world = World()
    one = rss_set("vmq0", [0, 1], SUITE_KEY, NEW)
    where = rule_add_context("vmq0", Rule(ETHER, 2).dst(mac(HOST)), one)
    frames = [frame for frame, _ in flows(32)]
    before, changes = sum(world.read()), 0
    with Flood(frames) as flood:
        limit = 100 * len(frames)
        while (flood.sent < limit or changes < 60) and changes < 400:
            rss_set("vmq0", [[0, 1], [2], [1, 0, 3]][changes % 3], context=one)
            rule_add_context("vmq0", Rule(ETHER, [2, 4, 0][changes % 3],
                                          loc=where).dst(mac(HOST)), one)
            changes += 1
    sent = flood.sent
    ksft_pr(f"{changes} changes, {sent} frames")
    ksft_ge(changes, 20)
    wait_until(lambda: sum(world.read()) - before >= sent)
    ksft_eq(sum(world.read()) - before, sent)
    ksft_eq(link_stats("vmq0")["rx_dropped"], 0)


if __name__ == "__main__":
    ksft_main(globals())
