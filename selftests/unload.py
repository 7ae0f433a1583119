#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Everything comes and goes at once under traffic; then the modules go too.

The last topic on a machine: the kernel's complaints, and the memory that
leaked, are counted by the machine when this is over.
"""

import collections
import contextlib
import errno
import glob
import os
import random
import re
import threading
import time

from lib import (UAPI, Client, Genl, KsftFailEx, NetNS, Raw, Rtnl, Rule,
                 Session, abort, adapter, attr, attr_str, attr_u8, build,
                 channels, cmd, defer, ether, ethtool_stats, fail_cmd, ksft_eq,
                 ksft_ge, ksft_in, ksft_main, ksft_not_in, ksft_pr, ksft_true,
                 link_info, link_stats, mac, machine, nest, pair, port,
                 read_file, rule_add, rule_del, rules, run, save, vmqctl,
                 wait_until)
from lib.inside import MODULES, load
from lib.ioctl import ETHER, UDP_V4

CHURN_SECONDS, MOST_SECONDS = 10, 40
PORTS = [f"vm{number}" for number in range(1, 4)]
BURST = 10 if machine() == "uml-debug" else 60
ADAPTERS = ["vmq0", "vmq1"]
UPLINKS = ["up0", "up1"]
SEED = int(os.environ.get("VMQ_SEED", "0")) or random.randrange(1 << 30)

# What an operation may answer when another one was first: the device is not
# there, not up, there already, has no such thing, is somebody else's, or has
# something else to do.
RACES = {errno.EPERM, errno.ENODEV, errno.ENXIO, errno.ENOENT, errno.EEXIST,
         errno.EBUSY, errno.ENOSPC, errno.ENETDOWN, errno.EADDRINUSE,
         errno.ENOBUFS, errno.EINVAL, errno.ECANCELED, errno.ESTALE, errno.EPIPE,
         errno.ENOTCONN, errno.EAGAIN, errno.ENOLINK, errno.EOPNOTSUPP,
         errno.EBADMSG, errno.ERANGE, errno.EMSGSIZE,
         None}                        # if_nametoindex() gives no number


# -- the churn

class Churn:
    """Threads that do things at random, until they are told to stop."""

    def __init__(self):
        self.stop = threading.Event()
        self.done = collections.Counter()
        self.refused = collections.Counter()
        self.wrong = []
        self.threads = []

    def start(self, worker, operations):
        number = len(self.threads)
        thread = threading.Thread(target=self.run, args=(
            worker, operations, random.Random(SEED + number)))
        self.threads.append(thread)
        thread.start()

    def run(self, worker, operations, rng):
        try:
            with contextlib.closing(worker(rng)) as work:
                deck = [name for name, count in operations.items()
                        for _ in range(count)]
                while not self.stop.is_set():
                    rng.shuffle(deck)
                    for name in deck:
                        if self.stop.is_set():
                            break
                        self.one(work, name)
        except Exception as reason:      # pylint: disable=broad-except
            self.wrong.append(f"{worker.__name__}: {reason!r}")

    def one(self, work, name):
        try:
            getattr(work, name)()
            self.done[name] += 1
        except OSError as reason:
            number = errno.errorcode.get(reason.errno)
            self.refused[f"{name} {number}"] += 1
            if reason.errno not in RACES:
                self.wrong.append(f"{name}: {number} {reason}")

    def join(self, seconds, must=(), most=0):
        """Ends it after `seconds`; with operations that must have worked
        before not until they have, or `most` are over."""
        begin = time.monotonic()
        self.stop.wait(seconds)
        wait_until(lambda: all(self.done[name] for name in must),
                   begin + most - time.monotonic(), 0.2)
        self.stop.set()
        limit = time.monotonic() + 150
        for thread in self.threads:
            thread.join(max(0, limit - time.monotonic()))
        if any(thread.is_alive() for thread in self.threads):
            raise KsftFailEx("a thread does not come back")


class Worker:
    def __init__(self, rng):
        self.rng = rng
        self.rtnl = Rtnl()

    def close(self):
        self.rtnl.close()

    def port(self):
        return self.rng.choice(PORTS)

    def adapter(self):
        # most things happen on the first one
        return ADAPTERS[self.rng.random() < 0.2]

    def queue(self):
        return self.rng.randrange(8)


class Links(Worker):
    """Ports, adapters and uplinks, by rtnetlink."""

    def __init__(self, rng):
        super().__init__(rng)
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)

    def close(self):
        os.close(self.home)
        super().close()

    def add_port(self):
        name, rxq = self.port(), self.rng.choice((1, 1, 2, 3))
        self.rtnl.add(name, "vmqport", link=self.adapter(), rxq=rxq, txq=rxq,
                      address=f"52:54:00:00:00:{self.rng.randrange(1, 9):02x}")
        if self.rng.random() < 0.8:
            self.rtnl.set(name, up=True)

    def delete_port(self):
        self.rtnl.delete(self.port())

    def up_port(self):
        self.rtnl.set(self.port(), up=True)

    def down_port(self):
        self.rtnl.set(self.port(), up=False)

    def address(self):
        self.rtnl.set(self.port(), address="52:54:00:00:00:"
                                           f"{self.rng.randrange(1, 9):02x}")

    def mtu_port(self):
        self.rtnl.set(self.port(), mtu=self.rng.choice((576, 1280, 1500)))

    def length(self):
        self.rtnl.set(self.port(), txqlen=self.rng.choice((1, 20, 500)))

    def rename(self):
        name = self.port()
        self.rtnl.set(name, up=False)
        self.rtnl.set(name, newname=self.port())

    def away_and_back(self):
        name = self.port()
        other = os.open("/var/run/netns/churn", os.O_RDONLY)
        try:
            self.rtnl.set(name, netns_fd=other)
            if self.rng.random() < 0.2:
                return                         # it stays there
            with Elsewhere(other):
                with contextlib.closing(Rtnl()) as rtnl:
                    rtnl.set(name, up=True)
                    rtnl.set(name, netns_fd=self.home)
        finally:
            os.close(other)

    def add_adapter(self):
        self.rtnl.add(self.adapter(), "vmq", rxq=8)

    def delete_adapter(self):
        # all its ports go, too, so not too often
        if self.rng.random() < 0.3:
            self.rtnl.delete(self.adapter())

    def up_adapter(self):
        self.rtnl.set(self.adapter(), up=True, promisc=self.rng.random() < 0.5,
                      allmulti=self.rng.random() < 0.5)

    def down_adapter(self):
        self.rtnl.set(self.adapter(), up=False)

    def attach(self):
        self.rtnl.set(self.rng.choice(UPLINKS), master=self.adapter())

    def detach(self):
        self.rtnl.set(self.rng.choice(UPLINKS), master="")

    def flap(self):
        name = self.rng.choice(UPLINKS)
        self.rtnl.set(name, up=False)
        self.rtnl.set(name, up=True)

    def mtu_uplink(self):
        self.rtnl.set(self.rng.choice(UPLINKS),
                      mtu=self.rng.choice((1400, 1500, 2000)))

    def pull_out(self):
        """The second uplink's device goes, and comes again."""
        if self.rng.random() < 0.7:
            return
        self.rtnl.delete("up1")
        self.rtnl.add_veth("up1", "wire1")
        self.rtnl.up("up1", "wire1")


class Elsewhere:
    """This thread in another network namespace, whose descriptor it is."""

    def __init__(self, fd):
        self.fd = fd

    def __enter__(self):
        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        NetNS._set(self.fd)          # pylint: disable=protected-access

    def __exit__(self, *_):
        NetNS._set(self.home)        # pylint: disable=protected-access
        os.close(self.home)


class Rules(Worker):
    """Rules, queues, and everything that is only read."""

    def __init__(self, rng):
        super().__init__(rng)
        self.genl = Genl()

    def close(self):
        self.genl.close()
        super().close()

    def add_rule(self):
        rng = self.rng
        if rng.random() < 0.6:
            rule = Rule(ETHER, self.queue()).dst(mac(rng.randrange(1, 30)))
            if rng.random() < 0.5:
                rule.vlan(rng.randrange(1, 5), rng.choice((0xffff, 0xfff)))
        else:
            rule = Rule(UDP_V4, self.queue()).dst_port(
                rng.randrange(1, 10), rng.choice((0xffff, 0xff00, 0xfffe)))
        if rng.random() < 0.7:
            rule.loc = rng.randrange(16)          # perhaps in another's place
        rule_add(self.adapter(), rule)

    def delete_rule(self):
        rule_del(self.adapter(), self.rng.randrange(16))

    def queues(self):
        channels(self.adapter(), self.rng.randrange(1, 9))

    def dump(self):
        for command in ("ADAPTER", "QUEUE", "FILTER", "PORT", "EXT"):
            self.genl.call(UAPI[f"VMQ_CMD_{command}_GET"], dump=True)

    def counters(self):
        name = self.rng.choice(PORTS + ADAPTERS)
        ethtool_stats(name)
        link_stats(name)

    def list_rules(self):
        rules(self.adapter())

    def extension(self):
        self.genl.call(UAPI["VMQ_CMD_EXT_SET"],
                       attr_str(UAPI["VMQ_A_EXT_DEV"], self.adapter()),
                       attr_str(UAPI["VMQ_A_EXT_NAME"], "acl"),
                       attr_u8(UAPI["VMQ_A_EXT_ENABLED"],
                               self.rng.random() < 0.8))

    def acl_rule(self):
        self.configure(nest(UAPI["VMQ_A_ACL_ADD"], attr_u8(
            UAPI["VMQ_A_ACL_RULE_DIRECTION"], self.rng.randrange(2)), attr_u8(
                UAPI["VMQ_A_ACL_RULE_ACTION"], self.rng.randrange(2))))

    def acl_flush(self):
        self.configure(attr(UAPI["VMQ_A_ACL_FLUSH_RULES"]))

    def configure(self, config):
        self.genl.call(UAPI["VMQ_CMD_EXT_PORT_SET"],
                       attr_str(UAPI["VMQ_A_EXT_PORT_DEV"], self.port()),
                       attr_str(UAPI["VMQ_A_EXT_PORT_NAME"], "acl"),
                       attr(UAPI["VMQ_A_EXT_PORT_CONFIG"], config))


class Sessions(Worker):
    """Saves and restores, some of them given up."""

    def __init__(self, rng):
        super().__init__(rng)
        self.genl = Genl()
        self.open, self.restores = [], set()
        self.streams = []

    def close(self):
        while self.open:
            self.open.pop().close()
        self.genl.close()
        super().close()

    def save(self):
        self.streams.append(save(self.port(), self.genl))
        del self.streams[:-4]

    def save_part(self):
        self.open.append(Session(self.port(), False, self.genl))
        self.open[-1].read(self.rng.randrange(1, 400))

    def restore(self):
        if not self.streams:
            return
        with Session(self.port(), True, self.genl) as session:
            session.write(self.rng.choice(self.streams))
            if self.rng.random() < 0.8:
                session.commit()

    def restore_part(self):
        if not self.streams:
            return
        self.open.append(Session(self.port(), True, self.genl))
        self.restores.add(self.open[-1])
        stream = self.rng.choice(self.streams)
        self.open[-1].write(stream[:self.rng.randrange(1, len(stream))])

    def go_on(self):
        if self.open:
            session = self.rng.choice(self.open)
            if session in self.restores:
                session.write(bytes(8))
            else:
                session.read(100)

    def give_up(self):
        if self.open:
            self.open.pop(self.rng.randrange(len(self.open))).close()

    def abort(self):
        abort(self.port(), self.genl)


class Traffic(Worker):
    """Frames on the wires, from the host and through the taps."""

    def __init__(self, rng):
        super().__init__(rng)
        self.taps = []
        self.raw = {}
        frames = []
        for number in (*range(1, 9), b"\xff" * 6, "01:00:5e:00:00:09"):
            for options in ({}, {"vlan": 1}, {"vlan": 2, "prio": 3}):
                frames.append(build(number, "10.0.0.1", "10.0.0.2",
                                    dport=rng.randrange(1, 10), **options))
                frames.append(ether(number, 0x50, payload=bytes(1000),
                                    **options))
        self.frames = frames

    def close(self):
        while self.taps:
            os.close(self.taps.pop())
        for raw in self.raw.values():
            raw.close()
        super().close()

    def send_on(self, name):
        # closing one takes long, so they are kept while their device is there
        try:
            raw = self.raw.get(name) or self.raw.setdefault(name, Raw(name))
            raw.send(*self.rng.choices(self.frames, k=BURST))
        except OSError as reason:
            if reason.errno != errno.ENETDOWN and name in self.raw:
                self.raw.pop(name).close()
            raise

    def wire(self):
        self.send_on(self.rng.choice(("wire0", "wire0", "wire1")))

    def host(self):
        self.send_on(self.adapter())

    def guest(self):
        self.send_on(self.port())

    def open_tap(self):
        paths = glob.glob("/dev/tap*")
        if paths and len(self.taps) < 4:
            self.taps.append(os.open(self.rng.choice(paths),
                                     os.O_RDWR | os.O_NONBLOCK))

    def close_tap(self):
        if self.taps:
            os.close(self.taps.pop(self.rng.randrange(len(self.taps))))

    def write_tap(self):
        if self.taps:
            tap = self.rng.choice(self.taps)
            for frame in self.rng.choices(self.frames, k=BURST):
                os.write(tap, bytes(10) + frame)

    def read_tap(self):
        if self.taps:
            tap = self.rng.choice(self.taps)
            for _ in range(20):
                os.read(tap, 3000)


class Clients(Worker):
    """Sockets that own queues and filters, and come and go."""

    def __init__(self, rng):
        super().__init__(rng)
        self.clients = [Client(self.adapter()) for _ in range(3)]

    def close(self):
        for client in self.clients:
            client.close()
        super().close()

    def ask(self, name, *arguments, **options):
        getattr(self.rng.choice(self.clients), name)(*arguments, **options)

    def new_queue(self):
        self.ask("queue_new", keep=self.rng.random() < 0.1)

    def complete_queues(self):
        self.ask("complete", *range(1, 8))

    def free_queue(self):
        self.ask("queue_del", self.queue())

    def new_filter(self):
        self.ask("filter_new", self.queue(), mac(self.rng.randrange(60)))

    def new_filters(self):
        self.ask("filters_new", [(self.queue(), mac(self.rng.randrange(60)),
                                  {"vlan": 7}) for _ in range(20)])

    def move_filter(self):
        self.ask("filter_move", self.rng.randrange(1, 30), self.queue())

    def clear_filter(self):
        self.ask("filter_del", self.rng.randrange(1, 30))

    def close_client(self):
        at = self.rng.randrange(len(self.clients))
        self.clients[at].close()
        self.clients[at] = Client(self.adapter())


# How often each comes before any comes again.
LINKS = {"add_port": 8, "delete_port": 2, "up_port": 4, "down_port": 1,
         "address": 3, "mtu_port": 1, "length": 1, "rename": 1,
         "away_and_back": 1, "add_adapter": 3, "delete_adapter": 1,
         "up_adapter": 2, "down_adapter": 1, "attach": 3, "detach": 1,
         "flap": 1, "mtu_uplink": 1, "pull_out": 1}
RULES = {"add_rule": 12, "delete_rule": 5, "queues": 1, "dump": 3,
         "counters": 4, "list_rules": 2, "extension": 1, "acl_rule": 4,
         "acl_flush": 1}
SESSIONS = {"save": 4, "save_part": 2, "restore": 4, "restore_part": 2,
            "go_on": 2, "give_up": 4, "abort": 2}
TRAFFIC = {"wire": 8, "host": 2, "guest": 4, "open_tap": 2, "close_tap": 1,
           "write_tap": 4, "read_tap": 4}
CLIENTS = {"new_queue": 8, "complete_queues": 3, "free_queue": 2,
           "new_filter": 8, "new_filters": 1, "move_filter": 4,
           "clear_filter": 2, "close_client": 2}
# They work at least once in a run; else it tests little.
MUST = ("add_port delete_port up_port address attach detach add_rule "
        "delete_rule dump counters acl_rule save save_part restore give_up "
        "wire guest open_tap write_tap new_queue new_filter close_client"
        ).split()


def faster():
    """RCU grace periods are what links wait for most of the time."""
    path = "/sys/kernel/rcu_expedited"
    if not os.path.exists(path):      # with one CPU there are none
        return
    before = read_file(path)
    with open(path, "w", encoding="ascii") as stream:
        stream.write("1")

    def undo():
        with open(path, "w", encoding="ascii") as stream:
            stream.write(before)
    defer(undo)


def test_churn():
    """Everything at once, at random (VMQ_SEED makes it the same again)."""
    ksft_pr(f"VMQ_SEED={SEED}")
    pair("up0", "wire0")
    pair("up1", "wire1")
    cmd("ip netns add churn")
    defer(run, "ip netns delete churn")
    for name in ADAPTERS:
        adapter(name, rxq=8)
        cmd(f"vmqctl ext enable dev {name} name acl")
    faster()
    churn = Churn()
    for worker, operations in ((Links, LINKS), (Links, LINKS), (Links, LINKS),
                               (Rules, RULES), (Clients, CLIENTS),
                               (Sessions, SESSIONS), (Traffic, TRAFFIC),
                               (Traffic, TRAFFIC)):
        churn.start(worker, operations)
    churn.join(CHURN_SECONDS, MUST, MOST_SECONDS)
    ksft_eq(churn.wrong[:5], [])
    ksft_pr(" ".join(f"{name}:{count}" for name, count
                     in sorted(churn.done.items())))
    ksft_pr("refused: " + " ".join(f"{name}:{count}" for name, count
                                   in sorted(churn.refused.items())))
    for name in MUST:
        ksft_ge(churn.done[name], 1, name)

    # what is left can be read, works, and goes
    rtnl = Rtnl()
    for what in ("adapter", "queue", "filter", "port", "ext"):
        vmqctl(f"{what} show")
    for name in ADAPTERS:
        if rtnl.exists(name):
            rtnl.delete(name)
    ksft_eq(vmqctl("port show"), [])
    cmd("ip netns delete churn")
    wait_until(lambda: not glob.glob("/dev/tap*"))
    ksft_eq(leftovers(), [])
    for name in UPLINKS:
        ksft_true(clean_uplink(name), name)
    works()


def works():
    """A new adapter with a new port carries frames."""
    rtnl = Rtnl()
    rtnl.set("up0", mtu=1500, up=True)
    adapter("vmq0", uplink="up0")
    port("vm1", number=1)
    with Raw("wire0") as wire, Raw("vm1") as guest:
        wait_until(lambda: link_info("up0")["operstate"] == 6)
        for source, target, frame in (
                (wire, guest, ether(1, payload=b"still works")),
                (guest, wire, ether(9, 1, payload=b"still works"))):
            # a link that just came up may not send yet
            for _ in range(5):
                source.send(frame)
                if target.expect(frame):
                    break
            else:
                ksft_true(False, f"nothing from {source.dev} to {target.dev}")
    rtnl.delete("vmq0")


# -- what must not be left

def loaded():
    return sorted(name for name in MODULES
                  if os.path.exists(f"/sys/module/{name}"))


def leftovers():
    """Netdevs and device nodes of ours."""
    found = [line for line in cmd("ip -o -d link show").splitlines()
             if re.search(r"\bvmq(port)?\b", line)]
    found += glob.glob("/dev/tap*") + glob.glob("/sys/class/vmqtap/*")
    return found + glob.glob("/sys/bus/vmq/devices/*")


def all_gone():
    """Nothing is there of modules that are not loaded."""
    ksft_eq(leftovers(), [])
    for path in ("/sys/bus/vmq", "/sys/class/vmqtap"):
        ksft_true(not os.path.exists(path), path)
    ksft_not_in("vmqtap", read_file("/proc/devices"))
    ksft_not_in("vmq", [line.split()[0] for line in
                        read_file("/proc/modules").splitlines()])
    try:
        Genl().close()
        ksft_true(False, "the netlink family is still there")
    except OSError as reason:
        ksft_eq(reason.errno, errno.ENOENT)
    fail_cmd("ip link add vmq9 type vmq")


def clean_uplink(name):
    """Is it as it was before it was an uplink? Says if not."""
    shown = cmd(f"ip -d link show {name}")
    extra = [line for line in cmd(f"bridge fdb show dev {name}").splitlines()
             if re.match(r"(52:54:|01:00:5e:00:00:(?!01))", line)]
    wrong = [word for word in ("promiscuity 0", "allmulti 0")
             if word not in shown] + extra
    if " master " in shown:
        wrong.append("has a master")
    if wrong:
        ksft_pr(f"{name}: {wrong}")
    return not wrong


def unload(*names):
    for name in names or reversed(MODULES):
        cmd(f"rmmod {name}")


def reload_all():
    for name in MODULES:
        if name not in loaded():
            ksft_eq(load(name), 0, f"insmod {name}")


def configured(other):
    """An adapter with all there is: uplink, rules, ports, also elsewhere."""
    pair("up0", "wire0")
    adapter("vmq0", uplink="up0", rxq=16)
    adapter("vmq1", rxq=8)
    for number in (1, 2, 3):
        port(f"vm{number}", number=number, rxq=number, txq=number)
    port("vm4", number=4, ns=other)
    port("vm5", link="vmq1", number=5)
    rule_add("vmq0", Rule(ETHER, 9).dst(mac(0x40)).vlan(10, 0xfff))
    rule_add("vmq0", Rule(UDP_V4, 10).dst_port(53))
    client = Client()
    defer(client.close)
    for keep in (True, False):
        client.filter_new(client.queue_new(keep=keep), mac(0x50 + keep),
                          keep=keep)
    rtnl = Rtnl()
    rtnl.set("vmq0", promisc=True)
    cmd("ip link add link vm1 name vm1.10 type vlan id 10")
    cmd("ip link add link vmq0 name vmq0.20 type vlan id 20")
    rtnl.up("vm1.10", "vmq0.20")


# -- unloading

def test_refused():
    """rmmod is refused while something could still call the module."""
    reload_all()
    pair("up0", "wire0")
    adapter("vmq0", uplink="up0")
    port("vm1", number=1)
    cmd("vmqctl ext enable dev vmq0 name acl")
    ksft_in("in use", fail_cmd("rmmod vmq_acl")[1], "an enabled extension")
    ksft_in("in use", fail_cmd("rmmod vmq")[1], "an extension")
    cmd("vmqctl ext disable dev vmq0 name acl")
    unload(*MODULES[1:])
    ksft_eq(loaded(), ["vmq"])
    # an open device node, also of a port that is gone
    port("vm2", number=2)
    nodes = [os.open(f"/dev/tap{link_info(name)['ifindex']}",
                     os.O_RDWR | os.O_NONBLOCK) for name in ("vm1", "vm2")]
    Rtnl().delete("vm2")
    for node in nodes:
        ksft_in("in use", fail_cmd("rmmod vmq")[1], "an open node")
        os.close(node)
    # a save and a restore that are open
    stream = save("vm1")
    for restoring in (False, True):
        with Session("vm1", restoring) as session:
            if restoring:
                session.write(stream[:30])
            else:
                session.read(10)
            ksft_in("in use", fail_cmd("rmmod vmq")[1], "an open session")
        with Session("vm1", restoring) as session:
            Rtnl().delete("vm1")
            ksft_in("in use", fail_cmd("rmmod vmq")[1],
                    "an open session of a port that is gone")
        port("vm1", number=1)
    # everything is as it was
    with Raw("wire0") as wire, Raw("vm1") as guest:
        wire.send(ether(1))
        ksft_true(guest.expect(mac(1)))
    unload("vmq")
    all_gone()
    reload_all()


def test_configured():
    """Without such users rmmod takes all links of its kinds with it."""
    reload_all()
    other = NetNS()
    configured(other)
    cmd("vmqctl ext enable dev vmq0 name acl")
    cmd("vmqctl acl add dev vm1 direction in action allow")
    with Raw("wire0") as wire:
        wire.send(*[build(1, "10.0.0.1", "10.0.0.2", sport=number)
                    for number in range(1, 20)])
    cmd("vmqctl ext disable dev vmq0 name acl")
    unload()
    all_gone()
    for name in ("vm1.10", "vmq0.20"):
        ksft_true(not Rtnl().exists(name), name)
    with other:
        ksft_true(not Rtnl().exists("vm4"), "in the other namespace")
    ksft_true(clean_uplink("up0"))
    # the uplink is an ordinary netdev again
    with Raw("up0") as uplink, Raw("wire0") as wire:
        wire.send(ether(link_info("up0")["address"]))
        ksft_true(uplink.expect(mac(link_info("up0")["address"])))
    reload_all()


def test_under_traffic():
    """rmmod while frames come in, from the guests and from the host."""
    reload_all()
    other = NetNS()
    configured(other)
    churn = Churn()
    frames = [ether(number, 0x50) for number in (1, 2, 4, 9)] + \
        [ether(b"\xff" * 6, 0x50)]

    class Sender(Worker):
        names = ("wire0", "vmq0", "vm1", "vm2")

        def send(self):
            with Raw(self.rng.choice(self.names)) as raw:
                raw.send(*frames * 30)

    for _ in range(3):
        churn.start(Sender, {"send": 1})
    wait_until(lambda: link_stats("vm1")["rx_packets"] > 300, 10)
    ksft_ge(link_stats("vm1")["rx_packets"], 300)
    try:
        unload()
    finally:
        churn.join(0.2)
    ksft_eq(churn.wrong[:5], [])
    all_gone()
    ksft_true(clean_uplink("up0"))
    reload_all()


def test_reload():
    """insmod, work, rmmod: three times."""
    pair("up0", "wire0")
    for turn in range(3):
        reload_all()
        ksft_eq(loaded(), sorted(MODULES), turn)
        ksft_eq(vmqctl("adapter show"), [])
        works()
        port_stream()
        unload()
        ksft_eq(loaded(), [], turn)
        all_gone()
    reload_all()
    ksft_eq(loaded(), sorted(MODULES))


def port_stream():
    """A save with an extension, in each life of the modules."""
    adapter("vmq0")
    port("vm1", number=1)
    for name in ("acl", "meter"):
        cmd(f"vmqctl ext enable dev vmq0 name {name}")
    stream = save("vm1")
    ksft_eq(stream[:8], b"VMQSTATE")
    Rtnl().delete("vmq0")


if __name__ == "__main__":
    ksft_main(globals())
