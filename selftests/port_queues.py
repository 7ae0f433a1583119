#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""ethtool -L on ports: more queues, fewer queues, under traffic too."""

import errno

from lib import (Rule, Session, channels, ethtool, ethtool_stats, ksft_eq,
                 ksft_ge, ksft_main, ksft_pr, link_stats, mac, port, restore,
                 rule_add, rule_del, rules, save, vmqctl, wait_until)
from lib.flood import Flood
from lib.ioctl import ETHER, TCP_V4
from lib.rss import (NEW, SUITE_KEY, rss_delete, rss_get, rss_set,
                     rule_add_context)
from rss import World, delete, expected, flows, refuses


def queues(dev="vm1"):
    return vmqctl(f"port show dev {dev}")[0]["queues"]


def free(dev="vmq0"):
    """Queues that nobody has."""
    used = {each["id"] for each in vmqctl(f"queue show dev {dev}")}
    return [number for number in range(channels(dev)[1]) if number not in used]


def send(world, many, count):
    return world.send([frame for frame, _ in many], "vm1", count)


def test_more_and_fewer():
    """V-19, V-44, V-45, O-19: a table that nobody set is over what there is."""
    world = World()
    port("vm1", number=1, rxq=4, txq=4)
    many = flows(to=1)
    ksft_eq(channels("vm1"), (4, 4))
    for count in (2, 1, 3, 4, 1, 4):
        ethtool(f"-L vm1 combined {count}")
        ksft_eq(channels("vm1"), (4, count))
        ksft_eq(queues(), list(range(1, count + 1)))
        ksft_eq(free(), list(range(count + 1, 8)))
        table, key = rss_get("vm1")
        ksft_eq(table, [i % count for i in range(128)])
        ksft_eq(send(world, many, count),
                expected(many, table, key, count), count)
    ksft_eq(link_stats("vm1")["rx_packets"], 6 * len(many))
    ksft_eq(link_stats("vm1")["rx_dropped"], 0)


def test_given_back():
    """Q-08: a queue that a port gave back is another's, counted anew for it."""
    world = World(4)
    port("vm1", number=1, rxq=3)
    refuses(errno.ENOSPC, out_of_queues)
    many = flows(to=1)
    send(world, many, 3)
    channels("vm1", 1)
    # nothing goes backwards, with fewer queues to show
    ksft_eq(link_stats("vm1")["rx_packets"], len(many))
    ksft_ge(len(many), ethtool_stats("vm1")["rx_queue_0_packets"])
    port("vm2", number=2)
    ksft_eq(queues("vm2"), [2])
    ksft_eq(link_stats("vm2")["rx_packets"], 0)
    world.wire.send(*[frame for frame, _ in flows(8, to=2)])
    wait_until(lambda: link_stats("vm2")["rx_packets"] == 8)
    ksft_eq(link_stats("vm2")["rx_packets"], 8)
    # one is left, two are asked for: none is taken (V-46)
    refuses(errno.ENOSPC, channels, "vm1", 3)
    ksft_eq((queues(), channels("vm1")), ([1], (3, 1)))
    ksft_eq(free(), [3])
    channels("vm1", 2)
    ksft_eq(queues(), [1, 3])
    ksft_eq(link_stats("vm1")["rx_packets"], len(many))
    before = link_stats("vm1")["rx_packets"]
    ksft_eq(sum(send(world, many, 2)), len(many))
    ksft_eq(link_stats("vm1")["rx_packets"], before + len(many))
    delete("vm1")
    delete("vm2")
    ksft_eq(free(), [1, 2, 3])


def out_of_queues():
    """A port that got fewer than it asked for can't have more."""
    port("vm9", number=9, rxq=2)
    try:
        ksft_eq(channels("vm9"), (2, 1))
        ksft_eq(queues("vm9"), [0])
        refuses(errno.EBUSY, channels, "vm9", 2)
    finally:
        delete("vm9")
    raise OSError(errno.ENOSPC, "as it should be")


def test_some_are_left():
    """A port that got fewer queues than it was made for gets more later."""
    world = World(4)
    port("vm1", number=1, rxq=2)
    port("vm2", number=2, rxq=3)
    ksft_eq(queues("vm2"), [3])
    ksft_eq(channels("vm2"), (3, 1))
    delete("vm1")
    channels("vm2", 3)
    ksft_eq(queues("vm2"), [3, 1, 2])
    many = flows(to=2)
    ksft_eq(world.send([frame for frame, _ in many], "vm2", 3),
            expected(many, *rss_get("vm2"), 3))


def test_refused():
    """V-46: what a table, a rule or a context names stays; nothing changed."""
    world = World()
    port("vm1", number=1, rxq=4)
    many = flows(to=1)

    def stays(count, number=errno.EBUSY):
        before = rss_get("vm1")
        refuses(number, channels, "vm1", count)
        ksft_eq((channels("vm1"), queues()), ((4, 4), [1, 2, 3, 4]))
        ksft_eq(rss_get("vm1"), before)
        ksft_eq(send(world, many, 4), expected(many, *before, 4))

    refuses(errno.EINVAL, channels, "vm1", 0)
    refuses(errno.EINVAL, channels, "vm1", 5)
    rss_set("vm1", [0, 2])
    stays(2, errno.EINVAL)                     # the core's own check
    stays(1, errno.EINVAL)
    rss_set("vm1", [])
    rule = rule_add("vmq0", Rule(TCP_V4, 4).dst_port(81))
    stays(3)
    rule_del("vmq0", rule)
    one = rss_set("vmq0", [1, 3], SUITE_KEY, NEW)
    stays(2)
    channels("vm1", 3)
    channels("vm1", 4)
    two = rule_add_context("vmq0", Rule(ETHER, 1).dst(mac(9)), one)
    stays(3)
    rule_del("vmq0", two)
    rss_delete("vmq0", one)
    channels("vm1", 1)
    ksft_eq(rules("vmq0"), [16383])


def test_set_table_stays():
    """V-45, V-47: a table that was set stays, until -X default."""
    world = World()
    port("vm1", number=1, rxq=4)
    many = flows(to=1)
    channels("vm1", 2)
    rss_set("vm1", [1, 0, 1])
    table, key = rss_get("vm1")
    channels("vm1", 4)
    ksft_eq(rss_get("vm1"), (table, key))
    ksft_eq(send(world, many, 4), expected(many, table, key, 4))
    channels("vm1", 2)
    ksft_eq(rss_get("vm1"), (table, key))
    ethtool("-X vm1 default")
    channels("vm1", 3)
    ksft_eq(rss_get("vm1")[0], [i % 3 for i in range(128)])


def test_while_saved():
    """A port keeps its queues while its state is saved or restored."""
    World()
    port("vm1", number=1, rxq=2)
    for restoring in (False, True):
        with Session("vm1", restoring):
            refuses(errno.EBUSY, channels, "vm1", 1)
    channels("vm1", 1)
    stream = save("vm1")
    channels("vm1", 2)
    restore("vm1", stream)
    ksft_eq(channels("vm1"), (2, 2))


def test_waiting():
    """V-44: frames that wait in a queue arrive before the port gives it back."""
    world = World()
    port("vm1", number=1, rxq=2)
    # vm1's second queue, which waits for longer than the test does
    vmqctl("queue set dev vmq0 queue 2 cpus 0 rx-usecs 1000000")
    rss_set("vm1", [1])
    frames = [frame for frame, _ in flows(10, to=1)]
    world.wire.send(*frames)
    ksft_eq(link_stats("vm1")["rx_packets"], 0)
    rss_set("vm1", [])
    ksft_eq(channels("vm1")[1], 2)
    world.wire.send(*[frame for frame, each in flows(32, to=1)
                      if each(rss_get("vm1")[1]) % 2])
    sent = len(frames) + sum(each(rss_get("vm1")[1]) % 2
                             for _, each in flows(32, to=1))
    channels("vm1", 1)
    ksft_eq(link_stats("vm1")["rx_packets"], sent)
    ksft_eq(link_stats("vm1")["rx_dropped"], 0)


def test_under_load():
    """V-41, V-44: frames are neither lost nor counted twice as queues change."""
    world = World()
    port("vm1", number=1, rxq=4)
    frames = [frame for frame, _ in flows(32, to=1)]
    changes, last = 0, 0
    with Flood(frames) as flood:
        while (flood.sent < 100 * len(frames) or changes < 50) and \
                changes < 300:
            channels("vm1", [1, 3, 2, 4][changes % 4])
            if not changes % 4:
                vmqctl("queue set dev vmq0 queue 1 cpus 0")
            if not changes % 8:
                vmqctl("queue set dev vmq0 queue 1 mode direct")
            now = link_stats("vm1")["rx_packets"]
            ksft_ge(now, last, "it goes backwards")
            last = now
            changes += 1
    sent = flood.sent
    ksft_pr(f"{changes} changes, {sent} frames")
    wait_until(lambda: link_stats("vm1")["rx_packets"] >= sent)
    ksft_eq(link_stats("vm1")["rx_packets"], sent)
    ksft_eq(link_stats("vm1")["rx_dropped"], 0)
    stats = ethtool_stats("vmq0")
    ksft_eq(sum(stats[f"rx_queue_{number}_packets"] for number in range(8)),
            link_stats("vmq0")["rx_packets"])
    ksft_eq(world.queues, 8)


if __name__ == "__main__":
    ksft_main(globals())
