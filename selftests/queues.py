#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Queues over netlink: allocated, completed, freed, and who owns them."""

import contextlib
import errno
import os
import random
import signal
import struct

from lib import (UAPI, Client, Events, Raw, Rtnl, Rule, adapter, attr,
                 attr_str, attr_u8, attr_u32, channels, cmd, ether,
                 ethtool_stats, fail_cmd, in_userns, ksft_eq, ksft_ge, ksft_in,
                 ksft_main, ksft_not_in, ksft_pr, ksft_raises, ksft_true, mac,
                 machine, nest, pair, port, refused, rule_add, rule_del, rules,
                 vmqctl, wait_until)
from lib.ioctl import ETHER

QUEUES = 8


def world(queues=QUEUES):
    pair()
    adapter("vmq0", uplink="up0", rxq=queues)
    return Client()


def rule(queue, number, loc=None):
    """The administrator's rule for a MAC address; -> location"""
    made = Rule(ETHER, queue).dst(mac(number))
    if loc is not None:
        made.loc = loc
    return rule_add("vmq0", made)


def shown(queue):
    """What everybody sees of a queue, None if it is not allocated."""
    found = [each for each in vmqctl("queue show dev vmq0")
             if each["id"] == queue]
    return found[0] if found else None


# -- allocation

def test_ids():
    """The kernel chooses the id (Q-05): the lowest free one, from 1 up (Q-06),
    the same in all that follows (Q-07), given again when it is free (Q-08)."""
    client = world()
    ksft_eq([client.queue_new() for _ in range(4)], [1, 2, 3, 4])
    client.queue_del(2)
    ksft_eq(shown(2), None, "Q-03")
    ksft_eq(client.queue_new(), 2, "Q-08")
    rule(5, 50)                         # a rule's queue is not free either
    ksft_eq([client.queue_new() for _ in range(2)], [6, 7])
    refused(errno.ENOSPC, client.queue_new, text="in use")
    ksft_eq(len(client.queues()), QUEUES, "Q-09: nothing is left of it")
    ksft_eq(vmqctl("adapter show")[0]["vm-queues"], 7)
    refused(errno.EINVAL, client.queue_new,
            attr_u32(UAPI["VMQ_A_QUEUE_ID"], 3), comment="Q-05")


def test_switched_on():
    """Only queues that are switched on are allocated, and -L drops none that
    is, whatever state it is in."""
    client = world()
    channels("vmq0", 3)
    ksft_eq([client.queue_new(), client.queue_new()], [1, 2])
    refused(errno.ENOSPC, client.queue_new)
    with ksft_raises(OSError, "-L") as caught:
        channels("vmq0", 2)
    ksft_eq(caught.exception.errno, errno.EBUSY)
    client.queue_del(2)
    channels("vmq0", 2)
    channels("vmq0", QUEUES)
    ksft_eq(client.queue_new(), 2)


def test_states():
    """Q-32, Q-33 as seen from outside, and Q-38: four operational states."""
    client = world()
    queue = client.queue_new()

    def now():
        found = shown(queue)
        return (found["state"], found["oper-state"]) if found else None

    ksft_eq(now(), ("allocated", "paused"), "Q-31, O-01")
    number = client.filter_new(queue, mac(1))
    ksft_eq(now(), ("set", "paused"))
    client.filter_del(number)
    ksft_eq(now(), ("allocated", "paused"))
    number = client.filter_new(queue, mac(1))
    ksft_eq(client.complete(queue), [(queue, 0, "")])
    ksft_eq(now(), ("running", "running"))
    client.filter_del(number)
    ksft_eq(now(), ("paused", "paused"), "Q-33")
    number = client.filter_new(queue, mac(1))
    ksft_eq(now(), ("running", "running"), "Q-37")
    refused(errno.EBUSY, client.queue_del, queue, text="filters")
    ksft_eq(now(), ("running", "running"), "Q-39: no side effect")
    client.filter_del(number)
    client.queue_del(queue)
    ksft_eq(now(), None)
    other = client.queue_new()
    client.complete(other)
    ksft_eq(now(), ("paused", "paused"), "Q-33, from the other side")


def test_delivery():
    """A queue delivers only while it runs (Q-34, O-02): before it is complete
    its frames are dropped and counted, after that they arrive at once (Q-37),
    and without a filter they are the default queue's (Q-04, Q-35)."""
    client = world()
    queue = client.queue_new()
    with contextlib.closing(Raw("wire0")) as wire:
        def send():
            """(frames of the queue, drops, frames of the default queue)"""
            names = (f"rx_queue_{queue}_packets", "rx_drops_not_running",
                     "rx_queue_0_packets")
            before = ethtool_stats("vmq0")
            wire.send(ether(1))

            def changed():
                after = ethtool_stats("vmq0")
                found = tuple(after[each] - before[each] for each in names)
                return found if any(found) else None

            return wait_until(changed, 2, 0.005)

        ksft_eq(send(), (0, 0, 1), "Q-04")
        number = client.filter_new(queue, mac(1))
        ksft_eq(send(), (0, 1, 0), "Q-34")
        client.complete(queue)
        ksft_eq(send(), (1, 0, 0))
        client.filter_del(number)
        ksft_eq(send(), (0, 0, 1), "Q-36")
        client.filter_new(queue, mac(1))
        ksft_eq(send(), (1, 0, 0), "Q-37")


def test_complete():
    """An array with a status for each (Q-27), an empty one too (Q-28), once for
    each queue (Q-30); one bad entry does not spoil the others."""
    client = world()
    ksft_eq(client.complete(), [], "Q-28")
    first, second, third = (client.queue_new() for _ in range(3))
    client.filter_new(second, mac(2))
    found = client.complete(first, 0, 99, 7, second, first, third)
    ksft_eq([each[:2] for each in found],
            [(first, 0), (0, errno.EINVAL), (99, errno.ENOENT),
             (7, errno.ENOENT), (second, 0), (first, errno.EBUSY),
             (third, 0)])
    for queue, error, message in found:
        ksft_eq(bool(message), bool(error), f"{queue}: {message}")
    ksft_eq([client.state(each) for each in (first, second, third)],
            ["paused", "running", "paused"])
    ksft_eq([each[1] for each in client.complete(first, second)],
            [errno.EBUSY] * 2, "Q-30")
    ksft_eq([client.state(each) for each in (first, second)],
            ["paused", "running"])
    refused(errno.E2BIG, client.complete, *range(1, 1026), text="1024")
    ksft_eq(len(client.complete(*range(1001, 2025))), 1024)


# -- free

def test_free():
    """DMA stopped is said once for each free, with the id (Q-41, Q-42), and for
    nothing else (Q-43); the default queue and unknown ones can't be freed
    (Q-40)."""
    client = world()
    events = Events()
    first, second = client.queue_new(), client.queue_new()
    client.complete(first)
    number = client.filter_new(first, mac(1))
    client.filter_del(number)
    refused(errno.EINVAL, client.queue_del, 0, text="default")
    for unknown in (second + 1, QUEUES, 65536, 0xffffffff):
        refused(errno.ENOENT, client.queue_del, unknown, comment="Q-40")
    client.filter_new(second, mac(2))
    refused(errno.EBUSY, client.queue_del, second, text="1 filter")
    ksft_eq(events.stopped(), [], "Q-43")
    client.queue_del(first)
    ksft_eq(events.stopped(), [(first, "stop-dma")], "Q-42")
    refused(errno.ENOENT, client.queue_del, first)
    ksft_eq(client.queues(), [0, second])
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.delete("vmq0")
    ksft_eq(events.stopped(), [(second, "stop-dma")], "Q-47: with the adapter")
    events.close()


# -- ownership

def test_close():
    """What a socket leaves behind is freed when it is closed (Q-47): filters,
    queues, rules of others for them; each with its notice, exactly once."""
    other = world()
    events = Events()
    client = Client()
    first, second = client.queue_new(), client.queue_new()
    theirs = other.queue_new()
    client.filters_new([(first, mac(1), {}), (first, mac(2), {"vlan": 7}),
                        (0, mac(3), {})])
    client.complete(first)
    rule(first, 50)
    kept = client.queue_new(keep=True)
    stays = client.filter_new(kept, mac(4), keep=True)
    goes = client.filter_new(kept, mac(5))
    others = other.filter_new(theirs, mac(6))
    ksft_eq(vmqctl("adapter show")[0]["filters"], 7)
    ksft_in(goes, other.filters())
    events.read()
    client.close()
    wait_until(lambda: len(other.filters()) == 2, 5)
    ksft_eq(other.filters(), {stays: kept, others: theirs})
    ksft_eq(other.queues(), [0, theirs, kept])
    ksft_eq(sorted(events.stopped()), [(first, "stop-dma"),
                                       (second, "stop-dma")])
    ksft_eq(len(rules("vmq0")), 2, "F-11: the same table")
    ksft_eq(shown(kept)["owner"], "adapter")
    events.close()
    other.close()


def test_killed():
    """A process that is killed frees what it had."""
    world()
    read, write = os.pipe()
    child = os.fork()
    if not child:
        client = Client()
        for _ in range(3):
            client.filter_new(client.queue_new(), mac(client.queue_new()))
        os.write(write, b"x")
        signal.pause()
    ksft_eq(os.read(read, 1), b"x")
    ksft_eq(len(vmqctl("queue show dev vmq0")), 7)
    os.kill(child, 9)
    os.waitpid(child, 0)
    wait_until(lambda: len(vmqctl("queue show dev vmq0")) == 1, 10)
    ksft_eq(len(vmqctl("queue show dev vmq0")), 1)
    ksft_eq(vmqctl("filter show dev vmq0"), [])
    for fd in (read, write):
        os.close(fd)


def test_inherited():
    """A socket that another process still has is not closed."""
    world()
    client = Client()
    queue = client.queue_new()
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(write)
        os.read(read, 1)
        os._exit(0)
    client.close()
    ksft_true(shown(queue), "the child has it")
    os.close(write)
    os.waitpid(child, 0)
    os.close(read)
    wait_until(lambda: not shown(queue), 10)
    ksft_eq(shown(queue), None)


def test_two_owners():
    """Nobody but its owner completes, changes or frees a socket's queue (Q-16),
    nor sets a filter on it (F-03); what is kept is in the administrator's
    hands."""
    mine = world()
    theirs = Client()
    queue = mine.queue_new()
    ksft_eq(theirs.complete(queue)[0][1], errno.EPERM)
    refused(errno.EPERM, theirs.queue_del, queue, text="another socket")
    refused(errno.EPERM, theirs.ask, "QUEUE_SET",
            attr_u32(UAPI["VMQ_A_QUEUE_ID"], queue),
            attr_str(UAPI["VMQ_A_QUEUE_NAME"], "stolen"), comment="Q-16")
    refused(errno.EPERM, theirs.filter_new, queue, mac(1), comment="F-03")
    number = mine.filter_new(queue, mac(1))
    refused(errno.EPERM, theirs.filter_del, number, comment="F-05")
    refused(errno.EPERM, theirs.filter_move, number, 0, comment="F-05")
    target = theirs.queue_new()
    refused(errno.EPERM, mine.filter_move, number, target, comment="F-03")
    ksft_eq(mine.filters(), {number: queue})
    ksft_eq(fail_cmd(f"vmqctl queue del dev vmq0 queue {queue}")[0], 1)
    ksft_eq(mine.state(queue), "set")
    kept = mine.queue_new(keep=True)
    ksft_eq(theirs.complete(kept), [(kept, 0, "")])
    number = theirs.filter_new(kept, mac(2), keep=True)
    mine.filter_del(number)
    theirs.queue_del(kept)
    mine.close()
    theirs.close()


def test_mine():
    """A client sees the queues that it allocated, without the default one
    (O-17); without the flag everybody sees all (Q-21)."""
    mine = world()
    port("vm1", number=1)
    theirs = Client()
    first, second, kept = (mine.queue_new(), theirs.queue_new(),
                           mine.queue_new(keep=True))
    rule(7, 50)
    ksft_eq(mine.queues(True), [first])
    ksft_eq(theirs.queues(True), [second])
    ksft_eq(mine.queues(), [0, 1, first, second, kept, 7])
    ksft_eq({each["id"]: each.get("owner", "").split()[:1]
             for each in vmqctl("queue show dev vmq0")},
            {0: [], 1: ["port"], first: ["socket"], second: ["socket"],
             kept: ["adapter"], 7: ["ethtool"]})
    theirs.close()
    ksft_eq(mine.queues(True), [first])


def test_others_queues():
    """Queues of ports and of rules are not a client's to complete or free."""
    client = world()
    port("vm1", number=1)
    at = rule(4, 50)
    refused(errno.EPERM, client.queue_del, 1, text="port vm1")
    refused(errno.EBUSY, client.queue_del, 4, text="filter")
    ksft_eq([each[1] for each in client.complete(1, 4)], [errno.EBUSY] * 2)
    number = client.filter_new(1, mac(9), vlan=5)       # but it may feed them
    ksft_eq(shown(1)["filters"], 2)
    client.filter_del(number)
    rule_del("vmq0", at)
    ksft_eq(shown(4), None, "with its last rule")


def test_rules():
    """The administrator's rules name a queue that netlink allocated; it stays
    when they go, and a rule's own queue does not."""
    client = world()
    queue = client.queue_new(keep=True)
    client.complete(queue)
    at = rule(queue, 50)
    ksft_eq(client.state(queue), "running")
    refused(errno.EBUSY, client.queue_del, queue)
    rule_del("vmq0", at)
    ksft_eq(client.state(queue), "paused")
    client.queue_del(queue)
    ksft_eq(client.queues(), [0])


def test_churn():
    """Clients that come and go while rules and queues change: nothing is left,
    no number is wrong."""
    world(64)
    source = random.Random(3)
    turns = 60 if machine() == "uml-debug" else 400
    clients = [Client() for _ in range(4)]
    for turn in range(turns):
        at = source.randrange(len(clients))
        client = clients[at]
        what = source.random()
        with contextlib.suppress(OSError):
            if what < 0.4:
                client.queue_new(keep=source.random() < 0.1)
            elif what < 0.5:
                client.complete(*source.sample(range(64), 8))
            elif what < 0.7:
                client.filter_new(source.randrange(64),
                                  mac(source.randrange(200)))
            elif what < 0.8:
                client.filter_move(source.randrange(1, 40),
                                   source.randrange(64))
            elif what < 0.85:
                client.filter_del(source.randrange(1, 40))
            elif what < 0.95:
                client.queue_del(source.randrange(64))
            else:
                client.close()
                clients[at] = Client()
        if turn % 20 == 0:
            found = vmqctl("queue show dev vmq0")
            filters = vmqctl("filter show dev vmq0")
            for each in found:
                own = [f for f in filters if f.get("queue") == each["id"]]
                ksft_eq(each["filters"], len(own), f"Q-23: {each}")
    for client in clients:
        client.close()
    wait_until(lambda: all(each.get("owner") in (None, "adapter") for each in
                           vmqctl("queue show dev vmq0")), 10)
    ksft_eq([each for each in vmqctl("filter show dev vmq0")
             if each["owner"] != "adapter"], [])


# -- permission, and requests that are no good

def test_permission():
    """Without CAP_NET_ADMIN nothing is allocated, completed, set or freed, and
    everything is seen."""
    client = world()
    queue = client.queue_new(keep=True)

    def attempt():
        poor = Client()
        found = []
        for what, call in (
                ("new", poor.queue_new), ("complete", poor.complete),
                ("del", lambda: poor.queue_del(queue)),
                ("filter-new", lambda: poor.filter_new(queue, mac(1))),
                ("filter-move", lambda: poor.filter_move(1, 0)),
                ("filter-del", lambda: poor.filter_del(1))):
            try:
                call()
                found.append(f"{what} worked")
            except OSError as error:
                if error.errno != errno.EPERM:
                    found.append(f"{what}: {error}")
        if poor.queues() != [0, queue]:
            found.append("not seen")
        return "\n".join(found)

    ksft_eq(in_userns(attempt), "")
    ksft_eq(client.queues(), [0, queue])


def test_no_adapter():
    """Requests about a device that is no adapter, or none at all."""
    world()
    port("vm1", number=1)
    for dev, number in (("vm1", errno.EINVAL), ("up0", errno.EINVAL),
                        ("nosuch", errno.ENODEV)):
        client = Client(dev)
        refused(number, client.queue_new, comment=dev)
        refused(number, client.complete, 1, comment=dev)
        refused(number, client.queue_del, 1, comment=dev)
        refused(number, client.filter_new, 1, mac(1), comment=dev)
        refused(number, client.filters_new, [(1, mac(1), {})], comment=dev)
        refused(number, client.filters_del, [1], comment=dev)
        client.close()


def test_hostile():
    """Attributes of wrong types, sizes and sets, at random: an error or an
    answer, and the adapter is what it was."""
    client = world()
    port("vm1", number=1)
    kept = client.queue_new(keep=True)
    before = vmqctl("adapter show"), vmqctl("filter show")
    hostile = Client()
    source = random.Random(11)
    turns = 1000 if machine() == "uml-debug" else 6000
    answers = {}
    names = ("QUEUE_NEW", "QUEUE_COMPLETE", "QUEUE_DEL", "QUEUE_GET",
             "FILTER_NEW", "FILTER_MOVE", "FILTER_DEL", "FILTER_GET")
    for _ in range(turns):
        name = source.choice(names)
        most = UAPI[f"VMQ_A_{name.split('_')[0]}_MAX"] + 2
        parts = []
        for _ in range(source.randrange(6)):
            data = source.choice((
                b"", b"\0", struct.pack("=I", source.choice(
                    (0, 1, 2, 7, 8, 0xffffffff, 16384))),
                mac(source.randrange(4)), struct.pack("=H", 5),
                source.randbytes(source.randrange(60)),
                nest(source.randrange(8), attr_u32(1, 1), attr(2, mac(3)),
                     attr_u8(3, 1))[4:]))
            parts.append(attr(source.randrange(most) |
                              source.choice((0, 0, 0x8000)), data))
        dump = "GET" in name and source.random() < 0.5
        try:
            hostile.ask(name, *parts, dump=dump)
            answers["ok"] = answers.get("ok", 0) + 1
        except OSError as error:
            key = errno.errorcode.get(error.errno, error.errno)
            answers[key] = answers.get(key, 0) + 1
        if source.random() < 0.02:
            hostile.close()
            hostile = Client()
    ksft_pr(dict(sorted(answers.items())))
    ksft_ge(answers.get("ok", 0), 1)
    hostile.close()
    # what it kept, it may have; the rest is gone
    for each in vmqctl("filter show dev vmq0"):
        if each["owner"] == "adapter":
            client.filter_del(each["id"])
    for each in vmqctl("queue show dev vmq0"):
        if each.get("owner") == "adapter" and each["id"] != kept:
            client.queue_del(each["id"])
    with contextlib.suppress(OSError):
        client.queue_del(kept)
    kept = client.queue_new(keep=True)
    ksft_eq((vmqctl("adapter show"), vmqctl("filter show")), before)


# -- the tool

def test_vmqctl():
    """vmqctl queue add, complete, del: what add makes stays, as the process
    ends."""
    world()
    [made] = vmqctl("queue add dev vmq0")
    ksft_eq((made["id"], made["state"], made["owner"]),
            (1, "allocated", "adapter"))
    [named] = vmqctl("queue add dev vmq0 name web vm shop")
    ksft_eq((named["id"], named["name"], named["vm"]), (2, "web", "shop"))
    ksft_eq(vmqctl("queue complete dev vmq0 queue 1-2"),
            [{"id": 1, "error": 0}, {"id": 2, "error": 0}])
    status, text = fail_cmd("vmqctl queue complete dev vmq0 queue 2,5,1")
    ksft_eq(status, 1)
    ksft_in("queue 5: queue 5 is not allocated", text)
    cmd("vmqctl queue del dev vmq0 queue 1")
    status, text = fail_cmd("vmqctl queue del dev vmq0 queue 1")
    ksft_eq(status, 1)
    ksft_in("not allocated", text)
    for words in ("complete dev vmq0 queue 2-1", "complete dev vmq0 queue 1,",
                  "complete dev vmq0 queue x", "complete dev vmq0 queue 1-9999",
                  "complete dev vmq0", "del dev vmq0", "add", "del queue 1",
                  "add dev vmq0 colour red"):
        ksft_eq(fail_cmd(f"vmqctl queue {words}")[0], 2, words)
    ksft_not_in(1, [each["id"] for each in vmqctl("queue show dev vmq0")])


if __name__ == "__main__":
    ksft_main(globals())
