#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# machines: uml-debug
"""Out of memory at every place of what changes tables and numbers of queues: it
works or fails, and what fails has changed nothing (V-41, V-46)."""

import failslab
from failslab import Injection, every
from lib import Rule, adapter, channels, ksft_main, pair, port, rule_del
from lib.ioctl import TCP_V4
from lib.rss import (NEW, SUITE_KEY, rss_delete, rss_get, rss_set,
                     rule_add_context)

OTHER_KEY = bytes(reversed(SUITE_KEY))
plain_state = failslab.state


def world():
    """vm1 has 1 to 4, and of the context's queues 5 and 6 it has none."""
    injection = Injection()
    pair()
    adapter("vmq0", uplink="up0", rxq=10, txq=10)
    port("vm1", number=1, rxq=4)
    one = rss_set("vmq0", [5, 6], SUITE_KEY, NEW)

    def state():
        """Tables and keys, too."""
        return plain_state() | {
            "rss": [rss_get("vmq0"), rss_get("vmq0", one), rss_get("vm1")],
            "channels": [channels(each) for each in ("vmq0", "vm1")]}

    failslab.state = state
    return injection, one


def test_channels():
    """-L: of the port and of the adapter, up and down."""
    injection, _ = world()
    for dev, few, many in (("vm1", 1, 4), ("vm1", 3, 4), ("vmq0", 7, 10)):
        every(injection, lambda: channels(dev, few), lambda: channels(dev, many))
        channels(dev, few)
        every(injection, lambda: channels(dev, many), lambda: channels(dev, few))
        channels(dev, many)


def test_channels_follow():
    """-L of the adapter, whose table follows."""
    injection, one = world()
    rss_delete("vmq0", one)
    rss_set("vmq0", [])
    failslab.state = lambda: plain_state() | {
        "rss": rss_get("vmq0"), "channels": channels("vmq0")}
    every(injection, lambda: channels("vmq0", 7), lambda: channels("vmq0", 10))
    channels("vmq0", 7)
    every(injection, lambda: channels("vmq0", 10), lambda: channels("vmq0", 7))


def test_added_queue():
    """-N ... context C action N, and changes of the context under the rule."""
    injection, one = world()

    def rule():
        return Rule(TCP_V4, 2, 7).dst_port(80)

    every(injection, lambda: rule_add_context("vmq0", rule(), one),
          lambda: rule_del("vmq0", 7))
    rule_add_context("vmq0", rule(), one)
    every(injection, lambda: rss_set("vmq0", [6, 7], context=one),
          lambda: rss_set("vmq0", [5, 6], context=one))
    every(injection, lambda: rss_set("vmq0", key=OTHER_KEY, context=one),
          lambda: rss_set("vmq0", key=SUITE_KEY, context=one))
    # in place: another number, and none
    for add in (3, 0):
        every(injection, lambda: rule_add_context(
            "vmq0", Rule(TCP_V4, add, 7).dst_port(80), one),
              lambda: rule_add_context("vmq0", rule(), one))
    every(injection, lambda: rule_del("vmq0", 7),
          lambda: rule_add_context("vmq0", rule(), one), must_work=True)


if __name__ == "__main__":
    ksft_main(globals())
