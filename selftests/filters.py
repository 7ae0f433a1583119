#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: uml-debug
"""Filters over netlink: set, moved, cleared, one by one and many at once."""

import contextlib
import errno
import functools
import os
import time

from lib import (UAPI, Client, Events, Raw, Rule, adapter, attr, attr_u32, cmd,
                 ether, ethtool, ethtool_stats, fail_cmd, ksft_eq, ksft_ge,
                 ksft_in, ksft_lt, ksft_main, ksft_ne, ksft_pr, ksft_raises,
                 mac, machine, pair, port, refused, rule_add, rule_del,
                 rule_get, rules, vmqctl, wait_until)
from lib.ioctl import DISC, ETHER

QUEUES = 8


def world(queues=2):
    """A client with so many queues, complete, from 1 up."""
    pair()
    adapter("vmq0", uplink="up0", rxq=QUEUES)
    client = Client()
    made = [client.queue_new() for _ in range(queues)]
    client.complete(*made)
    return client


def counts():
    """{queue: frames}, with the drops"""
    stats = ethtool_stats("vmq0")
    found = {number: stats[f"rx_queue_{number}_packets"]
             for number in range(QUEUES)}
    found["drops"] = sum(value for name, value in stats.items()
                         if name.startswith("rx_drops_"))
    return found


def went(*frames):
    """{queue: how many of the frames it got}"""
    before = counts()
    with contextlib.closing(Raw("wire0")) as wire:
        wire.send(*frames)

    def changed():
        now = counts()
        delta = {key: now[key] - before[key] for key in now
                 if now[key] != before[key]}
        return delta if sum(delta.values()) >= len(frames) else None

    return wait_until(changed, 2, 0.005)


# -- what a filter takes

def test_vlan_rows():
    """F-22 row by row: untagged-or-zero, any tag, one VLAN id, and what is
    invalid (O-06, O-07); F-21: all of them on one queue."""
    client = world()
    client.filter_new(1, mac(1), untagged=True)
    client.filter_new(1, mac(2))
    client.filter_new(1, mac(3), vlan=7)
    for number, what, tags in ((1, "untagged", (None, 0)),
                               (2, "any", (None, 0, 7, 9, 4094)),
                               (3, "vlan 7", (7,))):
        for tag in (None, 0, 7, 9, 4094):
            ksft_eq(went(ether(number, vlan=tag)), {int(tag in tags): 1},
                    f"F-22 {what}, frame with tag {tag}")
    for bad in ({"vlan": 7, "untagged": True}, {"vlan": 0}, {"vlan": 4095},
                {"vlan": 65535}):
        refused(errno.EINVAL, functools.partial(client.filter_new, **bad),
                1, mac(4), comment=bad)
    refused(errno.EINVAL, client.filter_new, 1, bytes(6), text="zero")
    ksft_eq(len(client.filters(1)), 3)
    ksft_eq([(each.get("vlan"), "untagged" in each) for each in
             sorted(vmqctl("filter show dev vmq0"), key=lambda x: x["mac"])],
            [(None, True), (None, False), (7, False)])


def test_ids():
    """Ids are the adapter's, unique over its queues (F-01), from 1 (F-02); the
    same table is ethtool's (F-11), with the same locations."""
    client = world()
    ids = [client.filter_new(1 + each % 2, mac(each)) for each in range(1, 5)]
    ksft_eq(ids, [1, 2, 3, 4])
    client.filter_del(2)
    ksft_eq(client.filter_new(1, mac(9)), 2)
    ksft_eq([each + 1 for each in rules("vmq0")], sorted(ids))
    for number, dest in ((1, mac(1)), (2, mac(9))):
        found = rule_get("vmq0", number - 1)
        ksft_eq(found[1][:6], dest)
    [shown] = [each for each in vmqctl("filter show dev vmq0")
               if each["id"] == 2]
    ksft_eq(shown["location"], 1)
    port("vm1", number=77)
    ids = [each["id"] for each in vmqctl("filter show dev vmq0")]
    ksft_eq(len(set(ids)), 5)
    ksft_eq(max(ids), vmqctl("adapter show")[0]["max-filters"], "F-02")
    refused(errno.EINVAL, client.ask, "FILTER_NEW",
            attr_u32(UAPI["VMQ_A_FILTER_ID"], 9),
            attr_u32(UAPI["VMQ_A_FILTER_QUEUE"], 1),
            attr(UAPI["VMQ_A_FILTER_MAC"], mac(20)), comment="F-02")


def test_errors():
    """F-08, O-11, O-13: unknown, duplicate, on another queue; each refusal
    leaves the table as it was."""
    client = world()
    number = client.filter_new(1, mac(1), vlan=7)
    before = vmqctl("filter show dev vmq0")
    for queue in (1, 2, 0):
        refused(errno.EEXIST, functools.partial(client.filter_new, vlan=7),
                queue, mac(1), text=f"filter {number}", comment="O-11")
    for unknown in (0, number + 1, 16384, 16385, 0xffffffff):
        refused(errno.ENOENT, client.filter_del, unknown, comment="F-08")
        refused(errno.ENOENT, client.filter_move, unknown, 2, comment="F-31")
        refused(errno.EINVAL, client.ask, "FILTER_GET",
                attr_u32(UAPI["VMQ_A_FILTER_ID"], unknown), comment="F-08")
    refused(errno.ENOENT, client.filter_del, number, 2, comment="O-13")
    refused(errno.ENOENT, client.filter_move, number, 2, 2, comment="F-31")
    for queue in (3, QUEUES, 65536):
        refused(errno.ENOENT, client.filter_new, queue, mac(2), comment="Q-03")
        refused(errno.ENOENT, client.filter_move, number, queue)
    refused(errno.EINVAL, functools.partial(client.filter_new, keep=True),
            1, mac(2), text="goes with its socket")
    for missing in ([], [attr_u32(UAPI["VMQ_A_FILTER_QUEUE"], 1)],
                    [attr(UAPI["VMQ_A_FILTER_MAC"], mac(1))]):
        refused(errno.EINVAL, client.ask, "FILTER_NEW", *missing,
                text="missing")
    ksft_eq(vmqctl("filter show dev vmq0"), before)


def test_overlap():
    """MAC and VLAN id before the MAC alone, the default queue's last (O-11);
    on one queue any of its filters is enough (F-14)."""
    client = world()
    client.filter_new(1, mac(1))
    client.filter_new(2, mac(1), vlan=7)
    client.filter_new(0, mac(1), vlan=8)
    ksft_eq(went(ether(1, vlan=7)), {2: 1})
    ksft_eq(went(ether(1, vlan=9)), {1: 1})
    ksft_eq(went(ether(1, vlan=8)), {1: 1}, "O-11: default queue last")
    client.filter_new(2, mac(2), vlan=9)
    ksft_eq(went(ether(2, vlan=9), ether(1, vlan=7)), {2: 2}, "F-14")
    ksft_eq(went(ether(2)), {0: 1}, "F-13, F-15")


def test_listing():
    """Filters are listed by queue, the default one too (F-12); an unknown
    queue, or one of no adapter, is an error."""
    client = world()
    first = client.filter_new(1, mac(1))
    second = client.filter_new(2, mac(2))
    third = client.filter_new(0, mac(3))
    ksft_eq(client.filters(1), {first: 1})
    ksft_eq(client.filters(2), {second: 2})
    ksft_eq(client.filters(0), {third: 0})
    ksft_eq(client.filters(), {first: 1, second: 2, third: 0})
    for unknown in (5, QUEUES, 0xffffffff):
        with ksft_raises(OSError, unknown) as caught:
            client.filters(unknown)
        ksft_eq(caught.exception.errno, errno.ENOENT, unknown)
    ksft_eq([each["id"] for each in vmqctl("filter show dev vmq0 queue 2")],
            [second])
    ksft_eq(fail_cmd("vmqctl filter show queue 2")[0], 2)


def test_default_queue():
    """Anybody may set filters on the default queue (F-04); they go with the
    socket (F-07)."""
    first = world()
    second = Client()
    mine = first.filter_new(0, mac(1))
    theirs = second.filter_new(0, mac(2))
    refused(errno.EPERM, first.filter_del, theirs, comment="F-05")
    second.close()
    wait_until(lambda: len(first.filters()) == 1, 5)
    ksft_eq(first.filters(), {mine: 0})


def test_owners():
    """What ethtool set and what was kept is the administrator's, over netlink
    and with ethtool alike; a port's filter is the port's (F-05)."""
    client = world()
    port("vm1", number=77)
    kept = client.queue_new(keep=True)
    own = client.filter_new(1, mac(1))
    admin = client.filter_new(kept, mac(2), keep=True)
    tool = rule_add("vmq0", Rule(ETHER, kept).dst(mac(3))) + 1
    drop = rule_add("vmq0", Rule(ETHER, DISC).dst(mac(4))) + 1
    [ports] = [each["id"] for each in vmqctl("filter show dev vmq0")
               if each["owner"] == "port vm1"]
    with ksft_raises(OSError, "F-05") as caught:
        rule_del("vmq0", own - 1)
    ksft_eq(caught.exception.errno, errno.EPERM)
    refused(errno.EPERM, client.filter_del, ports, text="port vm1")
    refused(errno.EPERM, client.filter_move, ports, kept, text="port vm1")
    client.filter_move(tool, 0)
    client.filter_move(drop, kept)
    owners = {each["id"]: each["owner"].split()[0]
              for each in vmqctl("filter show dev vmq0")}
    ksft_eq(owners, {own: "socket", admin: "adapter", tool: "ethtool",
                     drop: "ethtool", ports: "port"})
    ethtool("-K vmq0 ntuple off")
    ksft_eq(set(client.filters()), {own, admin, ports}, "ethtool's alone")
    another = client.filter_new(kept, mac(5), keep=True)
    ethtool("-K vmq0 ntuple on")
    rule_del("vmq0", another - 1)
    client.filter_del(admin)
    ksft_eq(set(client.filters()), {own, ports})


# -- move

def test_move():
    """The filter keeps its id and what it matches (F-30); the queues' states
    and counts follow; it is announced."""
    client = world()
    events = Events()
    number = client.filter_new(1, mac(1), vlan=7)
    [before] = vmqctl("filter show dev vmq0")
    ksft_eq(went(ether(1, vlan=7)), {1: 1})
    client.filter_move(number, 2, 1)
    [after] = vmqctl("filter show dev vmq0")
    ksft_eq(after, {**before, "queue": 2}, "F-30")
    ksft_eq(went(ether(1, vlan=7)), {2: 1})
    ksft_eq([client.state(each) for each in (1, 2)], ["paused", "running"])
    client.filter_move(number, 0)
    ksft_eq(went(ether(1, vlan=7)), {0: 1})
    ksft_eq(client.state(2), "paused")
    client.filter_move(number, 0)
    client.filter_move(number, 1)
    ksft_eq([each["filters"] for each in vmqctl("queue show dev vmq0")],
            [0, 1, 0], "Q-23")
    kind = UAPI["VMQ_A_FILTER_EVENT"]
    ksft_eq([dict(attrs)[kind].rstrip(b"\0").decode() for command, attrs in
             events.read() if command == UAPI["VMQ_CMD_FILTER_NTF"]],
            ["new", "move", "move", "move"])
    events.close()


def test_move_traffic():
    """Under traffic a filter moves to and fro: every frame is on one of the two
    queues, none is lost and none is there twice (F-30)."""
    client = world()
    number = client.filter_new(1, mac(1))
    before = counts()
    frames = 20000 if machine() == "uml-debug" else 100000
    ready, go = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.read(ready, 1)
            wire = Raw("wire0")
            burst = [ether(1)] * 50
            for _ in range(frames // 50):
                wire.send(*burst)
            status = 0
        finally:
            os._exit(status)
    os.write(go, b"x")
    moves = 0
    status = None
    while status is None or moves < 20:
        client.filter_move(number, 2 - moves % 2)
        client.filter_move(number, 1 + moves % 2)
        moves += 1
        if status is None:
            done, found = os.waitpid(child, os.WNOHANG)
            status = found if done else None
        time.sleep(0.001)
    ksft_eq(status, 0)

    def all_there():
        now = counts()
        return sum(now.values()) - sum(before.values()) >= frames

    wait_until(all_there)
    now = counts()
    delta = {key: now[key] - before[key] for key in now}
    ksft_pr(f"{moves * 2} moves, {delta[1]} and {delta[2]} frames")
    ksft_eq(delta[1] + delta[2], frames)
    ksft_eq((delta[0], delta["drops"]), (0, 0))
    ksft_ge(delta[1], 1)
    ksft_ge(delta[2], 1)
    for fd in (ready, go):
        os.close(fd)


# -- many at once

def test_batch():
    """Many in one request, each with a status: one bad entry does not spoil
    the others."""
    client = world()
    found = client.filters_new(
        [(1, mac(1), {}), (2, mac(2), {"vlan": 7}), (9, mac(3), {}),
         (1, mac(1), {}), (1, mac(4), {"vlan": 0}), (None, mac(5), {}),
         (1, mac(6), {"untagged": True})])
    ksft_eq([each[:2] for each in found],
            [(1, 0), (2, 0), (0, errno.ENOENT), (0, errno.EEXIST),
             (0, errno.EINVAL), (0, errno.EINVAL), (3, 0)])
    for _, error, message in found:
        ksft_eq(bool(error), bool(message), message)
    ksft_eq(client.filters(), {1: 1, 2: 2, 3: 1})
    found = client.filters_new([(None, mac(7), {}), (2, mac(8), {})], queue=1)
    ksft_eq(found, [(4, 0, ""), (5, 0, "")])
    ksft_eq(client.filters(), {1: 1, 2: 2, 3: 1, 4: 1, 5: 2})
    found = client.filters_del([1, 9, 0, 3, 3, 5])
    ksft_eq([each[:2] for each in found],
            [(1, 0), (9, errno.ENOENT), (0, errno.ENOENT), (3, 0),
             (3, errno.ENOENT), (5, 0)])
    ksft_eq(client.filters(), {2: 2, 4: 1})
    many = [(1, mac(each), {}) for each in range(100, 1125)]
    refused(errno.E2BIG, client.filters_new, many, text="1024")
    ksft_eq(len(client.filters()), 2)
    refused(errno.EINVAL, client.ask, "FILTER_NEW",
            attr(UAPI["VMQ_A_FILTER_ENTRY"] | 0x8000),
            attr(UAPI["VMQ_A_FILTER_MAC"], mac(1)), text="either")


def test_thousands():
    """10,000 filters in ten requests; the time of a request does not grow with
    the table, and all go at once with their socket."""
    client = world()
    times = []
    for block in range(10):
        entries = [(1 + each % 2, mac(each), {}) for each in
                   range(1000 * block, 1000 * block + 1000)]
        begin = time.monotonic()
        found = client.filters_new(entries)
        times.append(time.monotonic() - begin)
        ksft_eq({error for _, error, _ in found}, {0})
    ksft_pr("ms for each thousand:",
            *(f"{each * 1000:.1f}" for each in times))
    ksft_eq(vmqctl("adapter show")[0]["filters"], 10000)
    ksft_eq(went(ether(3), ether(9998)), {1: 1, 2: 1})
    ksft_lt(min(times[7:]), 20 * min(times[:3]) + 0.02)
    found = client.filters_del(range(1, 1025))
    ksft_eq({error for _, error, _ in found}, {0})
    client.close()
    wait_until(lambda: vmqctl("adapter show")[0]["filters"] == 0, 20)
    ksft_eq(vmqctl("adapter show")[0]["filters"], 0)


def test_full():
    """The table is full: ENOSPC, and nothing else changed."""
    client = world()
    most = vmqctl("adapter show")[0]["max-filters"]
    for first in range(0, most, 1024):
        found = client.filters_new([(None, mac(each), {}) for each in
                                    range(first, first + 1024)], queue=1)
        ksft_eq({error for _, error, _ in found}, {0})
    refused(errno.ENOSPC, client.filter_new, 2, mac(most), text="full")
    client.filter_del(77)
    ksft_eq(client.filter_new(2, mac(most)), 77)


# -- the tool

def test_vmqctl():
    """vmqctl filter add, move, del."""
    world()
    [queue] = vmqctl("queue add dev vmq0")
    cmd(f"vmqctl queue complete dev vmq0 queue {queue['id']}")
    at = f"dev vmq0 queue {queue['id']}"
    [made] = vmqctl(f"filter add {at} mac 52:54:00:00:00:01 vlan 7")
    ksft_eq((made["mac"], made["vlan"], made["owner"]),
            ("52:54:00:00:00:01", 7, "adapter"))
    [other] = vmqctl(f"filter add {at} mac 52:54:00:00:00:02 untagged")
    ksft_in("untagged", other)
    ksft_ne(made["id"], other["id"])
    [moved] = vmqctl(f"filter move dev vmq0 id {made['id']} queue 0")
    ksft_eq((moved["id"], moved["queue"]), (made["id"], 0))
    status, text = fail_cmd(f"vmqctl filter del {at} id {made['id']}")
    ksft_eq(status, 1)
    ksft_in("no filter", text)
    cmd(f"vmqctl filter del dev vmq0 id {made['id']}")
    ksft_eq([each["id"] for each in vmqctl("filter show dev vmq0")],
            [other["id"]])
    for words in (f"add {at}", f"add {at} mac 52:54:00:00:00", "add mac x",
                  f"add {at} mac 52:54:00:00:00:0g",
                  f"add {at} mac 52:54:00:00:00:011",
                  f"add {at} mac 52:54:00:00:00:01:02", "move dev vmq0 id 1",
                  "move dev vmq0 queue 1", "del dev vmq0",
                  "show dev vmq0 id 1 queue 1",
                  f"add {at} mac 52:54:00:00:00:01 vlan x"):
        ksft_eq(fail_cmd(f"vmqctl filter {words}")[0], 2, words)
    status, text = fail_cmd(
        f"vmqctl filter add {at} mac 52:54:00:00:00:03 vlan 7 untagged")
    ksft_eq(status, 1)
    ksft_in("either vlan or untagged", text)


if __name__ == "__main__":
    ksft_main(globals())
