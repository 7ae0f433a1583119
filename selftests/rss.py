#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Receive side scaling: tables, keys, fields and contexts, and what they do."""

import collections
import contextlib
import errno
import itertools

from lib import (Raw, Rtnl, Rule, adapter, build, channels, defer, ether,
                 ethtool, ethtool_refused, ethtool_stats, ksft_eq, ksft_ge,
                 ksft_in, ksft_main, ksft_ne, ksft_not_in, ksft_pr,
                 ksft_raises, ksft_true, link_stats, mac, pair, port, restore,
                 rule_add, rule_del, rule_get, rules, save, vmqctl, wait_until)
from lib.flood import Flood
from lib.ioctl import ETHER, FLOW_RSS, TCP_V4, TCP_V6, UDP_V4, UDP_V6
from lib.rss import (DPORT, IP_DST, IP_SRC, NEW, SPORT, SUITE_KEY, fields_get,
                     fields_set, flow_hash, rss_delete, rss_get, rss_set,
                     rule_add_context)
from tap import Tap, node

QUEUES = 8
HOST = 0x77                     # last part of an address that nobody has
SRC, DST = "10.1.0.1", "10.1.0.2"
SRC6, DST6 = "fd00::1", "fd00::2"
ALL = IP_SRC | IP_DST | SPORT | DPORT


class World:
    """vmq0 on a wire, and where frames are counted."""

    def __init__(self, queues=QUEUES):
        pair()
        adapter("vmq0", uplink="up0", rxq=queues)
        self.queues = queues
        self.wire = Raw("wire0")
        defer(self.wire.close)

    def read(self, dev="vmq0", queues=None):
        stats = ethtool_stats(dev)
        return [stats[f"rx_queue_{number}_packets"]
                for number in range(queues or self.queues)]

    def send(self, frames, dev="vmq0", queues=None):
        """Frames that each queue got more."""
        before = self.read(dev, queues)
        self.wire.send(*frames)

        def delta():
            return [now - old for now, old
                    in zip(self.read(dev, queues), before)]

        wait_until(lambda: sum(delta()) >= len(frames), 2, 0.005)
        return delta()


def flows(count=64, src=SRC, dst=DST, to=HOST, kind="tcp"):
    """[(frame, its hash with a key and fields)]"""
    return [(build(to, src, dst, kind, sport=sport(number), dport=80),
             lambda key, fields=ALL, number=number:
             flow_hash(key, src, dst, sport(number), 80, fields))
            for number in range(count)]


def sport(number):
    """Source port of a flow: those in a row are spread too well."""
    return 1 + number * 7919 % 60000


def expected(many, table, key, queues, fields=ALL):
    """What each queue has to get of these flows."""
    count = collections.Counter(table[each(key, fields) % len(table)]
                                for _, each in many)
    return [count[number] for number in range(queues)]


def delete(name):
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.delete(name)


def refuses(number, call, *arguments, comment="", **options):
    with ksft_raises(OSError, comment) as caught:
        call(*arguments, **options)
    if caught.exception:
        ksft_eq(errno.errorcode[caught.exception.errno],
                errno.errorcode[number], comment)


def queue_states(dev="vmq0"):
    return {each["id"]: each["state"]
            for each in vmqctl(f"queue show dev {dev}")}


# -- the adapter's own table

def test_untouched():
    """Q-04: until a table is set, everything is the default queue's."""
    world = World()
    table, key = rss_get("vmq0")
    ksft_eq(table, [0] * 128)
    ksft_eq(len(key), 40)
    ksft_true(any(key), "the key is random")
    ksft_eq(world.send([frame for frame, _ in flows()]),
            [64] + [0] * (QUEUES - 1))
    ksft_eq([each for each in queue_states() if each], [])


def test_spread():
    """V-37, V-38: hash and table choose the queue, frame by frame."""
    world = World()
    many, many6 = flows(), flows(src=SRC6, dst=DST6, kind="udp")
    for arguments in ("equal 4", "start 2 equal 5", "weight 1 0 6 1",
                      "weight 0 1"):
        ethtool(f"-X vmq0 {arguments}")
        table, key = rss_get("vmq0")
        for each in (many, many6):
            ksft_eq(world.send([frame for frame, _ in each]),
                    expected(each, table, key, QUEUES), arguments)
    ethtool("-X vmq0 equal 1")
    ksft_eq(rss_get("vmq0")[0], [0] * 128)
    ksft_eq(world.send([frame for frame, _ in many]),
            [64] + [0] * (QUEUES - 1))


def test_counters():
    """The queues' sums are the link's, and the host gets each frame once."""
    world = World()
    ethtool("-X vmq0 equal 6")
    with Raw("vmq0") as host:
        host.drain()
        frames = [frame for frame, _ in flows(32)]
        ksft_eq(sum(world.send(frames)), 32)
        got = host.all(match=lambda each: each[:6] == mac(HOST))
        ksft_eq(sorted(got), sorted(frames))
    ksft_eq(sum(world.read()), link_stats("vmq0")["rx_packets"])


def test_metadata():
    """R-05: the queue that the table chose is in the frame's metadata."""
    world = World()
    rss_set("vmq0", [5])
    with Raw("vmq0", queue=5) as host:
        host.drain()
        frame = flows(1)[0][0]
        world.wire.send(frame)
        ksft_eq(host.expect(frame), frame)


def test_key():
    """V-41, V-42: the published vector, and the key changes what is chosen."""
    world = World()
    rss_set("vmq0", list(range(QUEUES)), SUITE_KEY)
    table, key = rss_get("vmq0")
    ksft_eq(key, SUITE_KEY)
    frame = build(HOST, "66.9.149.187", "161.142.100.80", "tcp", 2794, 1766)
    got = world.send([frame])
    ksft_eq(got.index(1), table[0x51ccc178 % 128])
    many = flows()
    one = world.send([frame for frame, _ in many])
    ksft_eq(one, expected(many, table, key, QUEUES))
    rss_set("vmq0", key=bytes(reversed(SUITE_KEY)))
    ksft_eq(rss_get("vmq0"), (table, bytes(reversed(SUITE_KEY))))
    two = world.send([frame for frame, _ in many])
    ksft_eq(two, expected(many, table, bytes(reversed(SUITE_KEY)), QUEUES))
    ksft_ne(one, two)


def test_fields():
    """V-42: every subset of the fields, for TCP and UDP over IPv4 and IPv6."""
    world = World()
    rss_set("vmq0", list(range(QUEUES)), SUITE_KEY)
    table = rss_get("vmq0")[0]
    for flow, kind, src, dst in ((TCP_V4, "tcp", SRC, DST),
                                 (UDP_V4, "udp", SRC, DST),
                                 (TCP_V6, "tcp", SRC6, DST6),
                                 (UDP_V6, "udp", SRC6, DST6)):
        ksft_eq(fields_get("vmq0", flow), ALL)
        many = flows(16, src, dst, kind=kind)
        for number in range(1, 5):
            for bits in itertools.combinations((IP_SRC, IP_DST, SPORT, DPORT),
                                               number):
                fields_set("vmq0", flow, sum(bits))
                ksft_eq(fields_get("vmq0", flow), sum(bits))
                ksft_eq(world.send([frame for frame, _ in many]),
                        expected(many, table, SUITE_KEY, QUEUES, sum(bits)),
                        f"{kind} {src} {sum(bits):#x}")
        fields_set("vmq0", flow, ALL)


def test_fields_ethtool():
    """ethtool -n and -N rx-flow-hash show and set them."""
    World()
    ethtool("-N vmq0 rx-flow-hash udp4 sd")
    ksft_eq(fields_get("vmq0", UDP_V4), IP_SRC | IP_DST)
    text = ethtool("-n vmq0 rx-flow-hash udp4")
    ksft_in("IP DA", text)
    ksft_not_in("src port", text)
    # VLAN and MAC address can't be hashed, ports of plain IP neither
    refuses(errno.EOPNOTSUPP, fields_set, "vmq0", UDP_V4, 1 << 2)
    refuses(errno.EOPNOTSUPP, fields_set, "vmq0", 0x10, SPORT)
    refuses(errno.EINVAL, fields_set, "vmq0", ETHER, IP_SRC)
    ksft_eq(fields_get("vmq0", UDP_V4), IP_SRC | IP_DST)


def test_no_hash():
    """V-39: without a hash it is the default queue, in the table or not."""
    world = World()
    rss_set("vmq0", [3])
    frames = [ether(HOST, payload=bytes([turn])) for turn in range(8)]
    ksft_eq(world.send(frames)[0], 8)
    fields_set("vmq0", TCP_V4, 0)
    ksft_eq(world.send([frame for frame, _ in flows(8)])[0], 8)


def test_fragments():
    """All fragments of a datagram go one way, as those of NICs do."""
    world = World()
    rss_set("vmq0", list(range(QUEUES)), SUITE_KEY)
    table = rss_get("vmq0")[0]
    frames = []
    for number in range(16):
        whole = build(HOST, SRC, DST, "udp", sport=number, dport=9)
        first = bytearray(whole)
        first[20:22] = b"\x20\0"                    # more fragments
        first[24:26] = b"\0\0"
        total = sum(int.from_bytes(first[at:at + 2], "big")
                    for at in range(14, 34, 2))
        total = (total & 0xffff) + (total >> 16)
        first[24:26] = (~total & 0xffff).to_bytes(2, "big")
        frames.append(bytes(first))
    where = table[flow_hash(SUITE_KEY, SRC, DST, 0, 0,
                            IP_SRC | IP_DST) % 128]
    ksft_eq(world.send(frames)[where], 16)


def test_rules_first():
    """A rule names one queue, the table has the rest (F-13)."""
    world = World()
    ethtool("-X vmq0 equal 4")
    rule = rule_add("vmq0", Rule(TCP_V4, 2).src_port(sport(3)))
    got = world.send([flows()[3][0]] * 5)
    ksft_eq(got, [0, 0, 5] + [0] * (QUEUES - 3))
    zero = rule_add("vmq0", Rule(TCP_V4, 0).src_port(sport(5)))
    ksft_eq(world.send([flows()[5][0]] * 5)[0], 5)
    rule_del("vmq0", rule)
    rule_del("vmq0", zero)
    # the table still has the queue
    ksft_eq(queue_states()[2], "running")
    table, key = rss_get("vmq0")
    ksft_eq(world.send([frame for frame, _ in flows()]),
            expected(flows(), table, key, QUEUES))


def test_local():
    """What a guest sends to the host is spread as well."""
    world = World()
    port("vm1", number=1)
    rss_set("vmq0", [2, 3, 4, 5])
    table, key = rss_get("vmq0")
    with contextlib.closing(Rtnl()) as rtnl:
        address = rtnl.get("vmq0")["address"]
    many = flows(to=mac(address))
    before = world.read()
    with Raw("vm1") as guest:
        guest.send(*[frame for frame, _ in many])
    want = expected(many, table, key, QUEUES)
    got = wait_until(lambda: [now - old for now, old in zip(
        world.read(), before)] == want)
    ksft_true(got, f"{world.read()} {before} {want}")


# -- who has which queue

def test_refusals():
    """Claimed queues and such as do not exist are refused; nothing changed."""
    world = World()
    port("vm1", number=1)                           # has queue 1
    rss_set("vmq0", [0, 2, 3])
    before = rss_get("vmq0")
    refuses(errno.EBUSY, rss_set, "vmq0", [0, 1])
    refuses(errno.EINVAL, rss_set, "vmq0", [0, QUEUES])
    refuses(errno.EOPNOTSUPP, rss_set, "vmq0", hfunc=2)
    refuses(errno.EINVAL, rss_set, "vmq0", key=b"\1" * 39)
    ksft_eq(rss_get("vmq0"), before)
    many = flows()
    ksft_eq(world.send([frame for frame, _ in many]),
            expected(many, *before, QUEUES))
    # -L keeps what the table names
    refuses(errno.EINVAL, channels, "vmq0", 3)
    channels("vmq0", 4)
    ksft_eq(channels("vmq0")[1], 4)
    ksft_eq(rss_get("vmq0"), before)
    text = ethtool_refused("-X vmq0 hfunc xor")
    ksft_ne(text, "")


def test_set_table_keeps():
    """A queue in a table that somebody set goes to no port."""
    World(4)
    rss_set("vmq0", [1, 2])
    port("vm1", number=1)
    ksft_eq(vmqctl("port show dev vm1")[0]["queues"], [3])
    port("vm2", number=2)
    # works from the default queue, as where there is none left (S-22)
    ksft_eq(vmqctl("port show dev vm2")[0]["queues"], [0])
    ksft_eq(set(rss_get("vmq0")[0]), {1, 2})
    # equal 1 gives them back
    rss_set("vmq0", [0])
    ksft_eq(sorted(each for each in queue_states() if each), [3])
    port("vm3", number=3)
    ksft_eq(vmqctl("port show dev vm3")[0]["queues"], [1])


def test_default_follows():
    """-X default is over all queues that nobody has, whichever these are."""
    world = World()
    ethtool("-X vmq0 default")
    ksft_eq(set(rss_get("vmq0")[0]), set(range(QUEUES)))
    port("vm1", number=1)
    ksft_eq(vmqctl("port show dev vm1")[0]["queues"], [1])
    ksft_eq(set(rss_get("vmq0")[0]), set(range(QUEUES)) - {1})
    many = flows()
    table, key = rss_get("vmq0")
    ksft_eq(world.send([frame for frame, _ in many]),
            expected(many, table, key, QUEUES))
    port("vm2", number=2, rxq=3)
    ksft_eq(set(rss_get("vmq0")[0]), {0, 5, 6, 7})
    channels("vmq0", 6)
    ksft_eq(set(rss_get("vmq0")[0]), {0, 5})
    channels("vmq0", QUEUES)
    ksft_eq(set(rss_get("vmq0")[0]), {0, 5, 6, 7})
    delete("vm2")
    ksft_eq(set(rss_get("vmq0")[0]), set(range(QUEUES)) - {1})
    ethtool("-X vmq0 default")
    ksft_eq(set(rss_get("vmq0")[0]), set(range(QUEUES)) - {1})
    ksft_eq(sum(world.send([frame for frame, _ in many])), len(many))


def test_down_up():
    """A table stays while the adapter is down and the uplink changes."""
    world = World()
    ethtool("-X vmq0 equal 3")
    before = rss_get("vmq0")
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.set("vmq0", up=False)
        rtnl.up("vmq0")
    ksft_eq(rss_get("vmq0"), before)
    many = flows()
    ksft_eq(world.send([frame for frame, _ in many]),
            expected(many, *before, QUEUES))


# -- contexts

def context(table=None, key=b""):
    """A new one; it goes with its adapter."""
    return rss_set("vmq0", table, key, NEW)


def test_context():
    """V-37, V-38: a rule with a context is spread by the context's table."""
    world = World()
    one = context([2, 3], SUITE_KEY)
    two = context([4, 5, 6])
    ksft_ne(one, two)
    ksft_eq(rss_get("vmq0", one), ([2, 3] * 64, SUITE_KEY))
    rule = Rule(ETHER).dst(mac(1))
    first = rule_add_context("vmq0", rule, one)
    many = flows(to=1)
    frames = [frame for frame, _ in many]
    ksft_eq(world.send(frames), expected(many, [2, 3], SUITE_KEY, QUEUES))
    # it shows, and moves to the other one in place (F-30)
    ksft_eq(rule_get("vmq0", first)[0] & FLOW_RSS, FLOW_RSS)
    ksft_in(f"RSS Context ID: {one}", ethtool(f"-n vmq0 rule {first}"))
    ksft_eq(vmqctl("filter show dev vmq0")[0]["context"], one)
    rule.loc = first
    rule_add_context("vmq0", rule, two)
    table, key = rss_get("vmq0", two)
    ksft_eq(world.send(frames), expected(many, table, key, QUEUES))
    # fields and key of its own
    fields_set("vmq0", TCP_V4, IP_SRC, two)
    ksft_eq(fields_get("vmq0", TCP_V4), ALL)
    ksft_eq(fields_get("vmq0", TCP_V4, two), IP_SRC)
    ksft_eq(max(world.send(frames)), len(frames))
    ksft_eq(world.send([frame for frame, _ in flows()])[0], 64)


def test_context_life():
    """What is in use can't be deleted, what does not exist not be named."""
    World()
    one = context([2, 3])
    location = rule_add_context("vmq0", Rule(TCP_V4).dst_port(80), one)
    refuses(errno.EBUSY, rss_delete, "vmq0", one)
    refuses(errno.EINVAL, rule_add_context, "vmq0",
            Rule(TCP_V4).dst_port(81), one + 7)
    ksft_eq(rules("vmq0"), [location])
    refuses(errno.EBUSY, lambda: port_claims([2]))
    rule_del("vmq0", location)
    rss_delete("vmq0", one)
    refuses(errno.ENOENT, rss_get, "vmq0", one)
    ksft_eq([each for each in queue_states() if each], [])


def port_claims(queues):
    """Does a port get one of these queues? EBUSY where it gets another."""
    port("vm9", number=9)
    got = vmqctl("port show dev vm9")[0]["queues"]
    delete("vm9")
    if not set(got) & set(queues):
        raise OSError(errno.EBUSY, f"it got {got}")


def test_context_of_port():
    """V-37: a context over the queues of a port spreads a filter over them."""
    world = World()
    port("vm1", number=1, rxq=3)                    # has 1, 2, 3
    refuses(errno.EBUSY, rss_set, "vmq0", [2, 5], b"", NEW)
    one = context([2, 3], SUITE_KEY)
    rule_add_context("vmq0", Rule(ETHER).dst(mac(HOST)), one)
    many = flows()
    ksft_eq(world.send([frame for frame, _ in many]),
            expected(many, [2, 3], SUITE_KEY, QUEUES))
    ksft_eq(link_stats("vm1")["rx_packets"], len(many))
    # the port takes the rule and the context with it
    delete("vm1")
    ksft_eq(rules("vmq0"), [])
    refuses(errno.ENOENT, rss_get, "vmq0", one)
    ksft_eq(world.send([frame for frame, _ in many])[0], len(many))


def test_context_main():
    """A rule with context 0 is spread as what no rule has."""
    world = World()
    rss_set("vmq0", [1, 2])
    one = context([5])
    rule_add_context("vmq0", Rule(TCP_V4, loc=1), one)
    rule = Rule(TCP_V4, loc=0).dst_port(80)
    rule_add_context("vmq0", rule, 0)
    many = flows()
    ksft_eq(world.send([frame for frame, _ in many]),
            expected(many, *rss_get("vmq0"), QUEUES))
    rule_del("vmq0", 0)
    ksft_eq(world.send([frame for frame, _ in many])[5], len(many))


def test_context_default():
    """A context that nobody gave a table follows, as the adapter's does."""
    World()
    one = context()
    ksft_eq(set(rss_get("vmq0", one)[0]), set(range(QUEUES)))
    ksft_true(any(rss_get("vmq0", one)[1]))
    port("vm1", number=1)
    ksft_eq(vmqctl("port show dev vm1")[0]["queues"], [1])
    ksft_eq(set(rss_get("vmq0", one)[0]), set(range(QUEUES)) - {1})


# -- ports

def test_port():
    """V-37, V-41: a port's table is over its own queues, counted from 0."""
    world = World()
    port("vm1", number=1, rxq=4)
    table, key = rss_get("vm1")
    ksft_eq(table, [0, 1, 2, 3] * 32)
    many = flows(to=1)
    frames = [frame for frame, _ in many]
    for wanted in (table, [0, 2], [3], [1, 1, 1, 2]):
        rss_set("vm1", wanted)
        ksft_eq(world.send(frames, "vm1", 4),
                expected(many, wanted, key, 4), wanted)
    rss_set("vm1", [0, 1, 2, 3], SUITE_KEY)
    ksft_eq(world.send(frames, "vm1", 4),
            expected(many, [0, 1, 2, 3], SUITE_KEY, 4))
    fields_set("vm1", TCP_V4, DPORT)
    ksft_eq(max(world.send(frames, "vm1", 4)), len(frames))
    # V-39: what has no hash is its first queue's
    rss_set("vm1", [3])
    ksft_eq(world.send([ether(1, payload=b"x")] * 4, "vm1", 4)[0], 4)
    # not its business
    refuses(errno.EINVAL, rss_set, "vm1", [4])
    refuses(errno.EOPNOTSUPP, rss_set, "vm1", [1], b"", NEW)
    ksft_eq(rss_get("vm1")[0], [3] * 128)
    # another port's is another
    port("vm2", number=2, rxq=2)
    ksft_eq(rss_get("vm2")[0], [0, 1] * 64)


def test_port_readers():
    """V-37: a guest with several queues gets each frame at the right one."""
    world = World()
    port("vm1", number=1, rxq=3, txq=3)
    readers = [Tap(node()) for _ in range(3)]
    rss_set("vm1", [2, 0, 1, 1], SUITE_KEY)
    many = flows(48, to=1)
    world.send([frame for frame, _ in many], "vm1", 3)
    other = ether(1, payload=b"no hash")
    world.send([other], "vm1", 3)
    for number, reader in enumerate(readers):
        got = []
        while frame := reader.recv(0.2):
            got.append(frame[1])
        want = [frame for frame, each in many
                if [2, 0, 1, 1][each(SUITE_KEY) % 4] == number]
        ksft_eq([each for each in got if each[12:14] == b"\x08\0"], want)
        ksft_eq(other in got, number == 0)


def test_port_one_queue():
    """A port with one queue has nothing to spread over."""
    World()
    port("vm1", number=1)
    ksft_eq(rss_get("vm1"), ([], b""))
    refuses(errno.EOPNOTSUPP, rss_set, "vm1", [0])


# -- save and restore

def test_restore():
    """SR-34: key, fields and table of a port move with it, as far as they fit."""
    world = World(16)
    port("vm1", number=1, rxq=3)
    rss_set("vm1", [2, 0, 2, 1], SUITE_KEY)
    fields_set("vm1", UDP_V4, DPORT)
    stream = save("vm1")
    many = flows(to=1)
    delete("vm1")
    # as many queues: all of it
    port("vm1", number=1, rxq=3)
    ksft_ne(rss_get("vm1"), ([2, 0, 2, 1] * 32, SUITE_KEY))
    restore("vm1", stream)
    ksft_eq(rss_get("vm1"), ([2, 0, 2, 1] * 32, SUITE_KEY))
    ksft_eq(fields_get("vm1", UDP_V4), DPORT)
    ksft_eq(fields_get("vm1", TCP_V4), ALL)
    ksft_eq(world.send([frame for frame, _ in many], "vm1", 3),
            expected(many, [2, 0, 2, 1], SUITE_KEY, 3))
    delete("vm1")
    # another number: its own table
    port("vm1", number=1, rxq=4)
    restore("vm1", stream)
    ksft_eq(rss_get("vm1"), ([0, 1, 2, 3] * 32, SUITE_KEY))
    ksft_eq(fields_get("vm1", UDP_V4), DPORT)
    delete("vm1")
    # nothing to spread over
    port("vm1", number=1)
    restore("vm1", stream)
    ksft_eq(rss_get("vm1"), ([], b""))


def test_restore_undone():
    """SR-36: a restore that fails leaves the port's spread as it was."""
    World(16)
    port("vm1", number=1, rxq=2)
    rss_set("vm1", [1], SUITE_KEY)
    stream = save("vm1")
    delete("vm1")
    port("vm2", number=1)                    # has the address
    port("vm1", number=3, rxq=2)
    before = rss_get("vm1")
    with ksft_raises(OSError):
        restore("vm1", stream)
    ksft_eq(rss_get("vm1"), before)


# -- under load

def test_change_under_load():
    """V-41: tables and keys change under traffic; nothing is lost."""
    world = World()
    port("vm1", number=1, rxq=3)
    one = context([4, 5])
    rule_add_context("vmq0", Rule(ETHER).dst(mac(2)), one)
    frames = [frame for to in (1, 2, HOST) for frame, _ in flows(32, to=to)]
    before, before_port = sum(world.read()), sum(world.read("vm1", 3))
    changes = 0
    with Flood(frames) as flood:
        limit = flood.sent + 150 * len(frames)
        while flood.sent < limit and changes < 400:
            rss_set("vmq0", [[0], [6, 7], [0, 6]][changes % 3])
            rss_set("vmq0", [[4, 5], [5]][changes % 2], context=one)
            rss_set("vm1", [[0, 1, 2], [2, 1]][changes % 2],
                    SUITE_KEY if changes % 4 else bytes(range(1, 41)))
            changes += 1
    sent = flood.sent
    ksft_pr(f"{changes} changes of three tables, {sent} frames")
    ksft_ge(changes, 10)
    wait_until(lambda: sum(world.read()) - before >= sent)
    ksft_eq(sum(world.read()) - before, sent)
    ksft_eq(sum(world.read("vm1", 3)) - before_port, sent // 3)
    ksft_eq(link_stats("vmq0")["rx_dropped"], 0)
    ksft_eq(link_stats("vm1")["rx_dropped"], 0)


def test_change_queued():
    """V-41: what waits in a queued queue arrives when its table lets it go."""
    world = World()
    frames = [frame for frame, _ in flows(64)]
    before, sent = sum(world.read()), 0
    with Raw("wire0") as wire:
        for turn in range(40):
            rss_set("vmq0", [6])
            vmqctl("queue set dev vmq0 queue 6 cpus 0")
            wire.send(*frames)
            sent += len(frames)
            rss_set("vmq0", [7] if turn % 2 else [0])
    wait_until(lambda: sum(world.read()) - before >= sent)
    ksft_eq(sum(world.read()) - before, sent)
    ksft_eq(link_stats("vmq0")["rx_dropped"], 0)


if __name__ == "__main__":
    ksft_main(globals())
