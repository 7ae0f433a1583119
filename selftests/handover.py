#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Filters that move between queues where frames wait: none is lost, and none
overtakes another one (F-30, R-24)."""

import os
import threading
import time

from lib import (UAPI, Client, Raw, Rule, adapter, attr_str, attr_u32, ether,
                 ethtool_stats, ksft_eq, ksft_ge, ksft_lt, ksft_main, ksft_pr,
                 ksft_true, mac, pair, rule_add, rule_del, wait_until)
from lib.flow import Flow, while_it_runs
from lib.ioctl import ETHER

LAST = os.cpu_count() - 1
SECONDS = 1.5


def queued(cpus="0", usecs=0):
    found = [attr_str(UAPI["VMQ_A_QUEUE_CPUS"], cpus)]
    if usecs:
        found.append(attr_u32(UAPI["VMQ_A_QUEUE_RX_USECS"], usecs))
    return found


def world(*parameters):
    """A client with a queue for each set of parameters, from 1 up."""
    pair()
    adapter("vmq0", uplink="up0", rxq=8)
    client = Client()
    client.complete(*[client.queue_new(*each) for each in parameters])
    return client


def packets(*queues):
    stats = ethtool_stats("vmq0")
    return [stats[f"rx_queue_{each}_packets"] for each in queues]


def drops():
    return sum(value for name, value in ethtool_stats("vmq0").items()
               if name.startswith("rx_drops_"))


def moves(client, move):
    """A flow while a filter moves; both queues get some of it, all arrive."""
    lost = drops()
    before = packets(1, 2)
    count = while_it_runs(Flow(target="vmq0"), SECONDS, move)
    ksft_ge(count, 4)
    got = [now - then for now, then in zip(packets(1, 2), before)]
    ksft_pr(f"{count} moves, {got} frames")
    ksft_ge(min(got), 1)
    ksft_eq(drops(), lost)
    ksft_eq(len(client.filters()), 1)


def to_and_fro(client):
    number = client.filter_new(1, mac(1))
    moves(client, lambda i: client.filter_move(number, 2 - i % 2))


def test_queued_to_direct():
    """The last filter leaves a queued queue for a direct one, and comes back
    (F-30)."""
    to_and_fro(world(queued(), []))


def test_waiting_to_direct():
    """The same while its frames wait for more of them (I-09)."""
    to_and_fro(world(queued(usecs=20000), []))


def test_queued_to_queued():
    """Between two queues with CPUs of their own."""
    to_and_fro(world(queued("0", usecs=5000), queued(str(LAST))))


def test_other_filters_stay():
    """A queue that keeps another filter, and its traffic, holds nobody up."""
    client = world(queued(usecs=1000000), [])
    stays = client.filter_new(1, mac(2))
    number = client.filter_new(1, mac(1))
    flow, other = Flow(target="vmq0"), Flow(target="vmq0", dst=2, src=0xfd)
    times = []
    for turn in range(20):
        flow.send(8)
        other.send(8)
        begin = time.monotonic()
        client.filter_move(number, 2 - turn % 2)
        times.append(time.monotonic() - begin)
    # a queue that keeps them waiting does so each time, a busy host now and then
    ksft_lt(sorted(times)[5], 0.9, times)
    ksft_eq(client.filters(), {stays: 1, number: 1})
    ksft_eq(drops(), 0)


def test_no_room():
    """A new queue that holds few frames drops none that come meanwhile."""
    few = [attr_u32(UAPI["VMQ_A_QUEUE_BUFFERS"], 4)]
    client = world(queued(usecs=20000), queued() + few)
    number = client.filter_new(1, mac(1))
    flow = Flow(target="vmq0")
    for _ in range(20):
        flow.send(64)
        client.filter_move(number, 2)
        flow.finish()
        client.filter_move(number, 1)
    ksft_eq(drops(), 0)


def test_ethtool():
    """The same where ethtool -N names another queue for a location."""
    client = world(queued(usecs=5000), [])

    def move(i):
        rule_add("vmq0", Rule(ETHER, 2 - i % 2, 3).dst(mac(1)))

    move(1)
    moves(client, move)


def test_cleared_under_load():
    """When the clear of the last filter is complete nothing is delivered on the
    queue any more, whatever still arrives or waits (Q-35, Q-36)."""
    client = world([], queued(), queued(str(LAST), usecs=3000))
    stop = threading.Event()

    def flood():
        with Raw("wire0") as wire:
            frames = [ether(1, payload=b"flood")] * 64
            while not stop.is_set():
                wire.send(*frames)

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        for turn in range(60):
            number = 1 + turn % 3
            before = packets(number)
            rule_add("vmq0", Rule(ETHER, number, 3).dst(mac(1)))
            ksft_true(wait_until(lambda: packets(number) > before, 10, 0.001),
                      f"queue {number} gets nothing")
            rule_del("vmq0", 3)
            cleared = packets(number)
            time.sleep(0.01)
            ksft_eq(packets(number), cleared, f"queue {number}, turn {turn}")
    finally:
        stop.set()
        thread.join()
    ksft_eq(client.filters(), {})


if __name__ == "__main__":
    ksft_main(globals())
