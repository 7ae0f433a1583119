#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# machines: uml-debug
"""Out of memory at every place: the i-th allocation of an operation fails, for
every i. It then works or fails, and what fails has changed nothing."""

import contextlib
import errno
import os
import struct
import time

from lib import (UAPI, Genl, KsftSkipEx, Raw, Rtnl, Rule, Session, abort,
                 adapter, attr, attr_str, attr_u8, attr_u32, build, cmd, ksft_eq,
                 ksft_ge, ksft_main, ksft_pr, ksft_true, link_info, mac, nest,
                 pair, port, read_file, rule_add, rule_del, rules,
                 save)
from lib.env import quiet

FAIL_NTH = "/proc/thread-self/fail-nth"
SECONDS = 5.0          # for each operation
MANY = 1 << 20


class Injection:
    """with injection(n): the n-th allocation below the module's code fails.

    What a request needs outside of it (its socket, its acknowledgement) does
    not: that would only say that a message got lost.
    """

    def __init__(self):
        try:
            self.fd = os.open(FAIL_NTH, os.O_RDWR)
            start = int(read_file("/sys/module/vmq/sections/.text"), 16)
            size = int(read_file("/sys/module/vmq/coresize"))
            for name in ("failslab", "fail_page_alloc"):
                self.set(name, "ignore-gfp-wait", "N")
                self.set(name, "require-start", f"{start:#x}")
                self.set(name, "require-end", f"{start + size:#x}")
                # a trace for every failure would take longer than all else
                self.set(name, "verbose", "0")
            self.set("fail_usercopy", "require-start", "1")
            self.set("fail_usercopy", "require-end", "2")
        except OSError as reason:
            raise KsftSkipEx(f"no fault injection: {reason}") from None
        self.left = 0

    @staticmethod
    def set(name, attribute, value):
        with open(f"/sys/kernel/debug/{name}/{attribute}", "w",
                  encoding="ascii") as stream:
            stream.write(value)

    def __call__(self, number):
        self.number = b"%d" % number
        return self

    def __enter__(self):
        os.write(self.fd, self.number)

    def __exit__(self, *_):
        self.left = int(os.pread(self.fd, 16, 0))
        os.write(self.fd, b"0")


def state():
    """What an operation that failed must leave as it was."""
    found = {"links": sorted(os.listdir("/sys/class/net")),
             "nodes": sorted(each for each in os.listdir("/dev")
                             if each.startswith("tap"))}
    with contextlib.closing(Genl()) as genl:
        for name in ("ADAPTER", "FILTER"):
            found[name] = genl.call(UAPI[f"VMQ_CMD_{name}_GET"], dump=True)
        keep = {UAPI[f"VMQ_A_PORT_{name}"] for name in
                ("DEV", "MAC", "UUID", "QUEUES", "MIGRATION", "PORT_ID")}
        found["PORT"] = [[each for each in answer if each[0] in keep]
                         for answer in genl.call(UAPI["VMQ_CMD_PORT_GET"],
                                                 dump=True)]
        keep = {UAPI[f"VMQ_A_QUEUE_{name}"] for name in
                ("ID", "STATE", "FILTERS", "PORT")}
        found["QUEUE"] = [
            [each for each in answer if each[0] in keep] for answer
            in genl.call(UAPI["VMQ_CMD_QUEUE_GET"], dump=True)]
        # objects of queues that were used once stay, as undefined ones
        found["QUEUE"] = [each for each in found["QUEUE"] if dict(each)[
            UAPI["VMQ_A_QUEUE_STATE"]] != bytes(4)]
    for dev in ("vmq0", "vm1", "up0"):
        if dev in found["links"]:
            found[dev] = {key: value for key, value in link_info(dev).items()
                          if key != "stats"}
    return found


def every(injection, operation, undo, must_work=False):
    """Fails the 1st, 2nd, ... allocation of operation().

    undo() takes back what a good operation did. -> how many were tried
    """
    before = state()
    begin = time.monotonic()
    with injection(MANY):
        operation()
    count = MANY - injection.left
    undo()
    ksft_eq(state(), before, "without a failure")
    once = time.monotonic() - begin
    step = max(1, int(count * once * 1.5 / SECONDS))
    tried, worked, failed = 0, 0, 0
    for number in range(1, count + 1, step):
        tried += 1
        error = None
        try:
            with injection(number):
                operation()
        except OSError as reason:
            error = reason
        if error is None:
            worked += 1
            undo()
        elif error.errno == errno.ENOBUFS or isinstance(error, TimeoutError):
            # it may be the answer that was lost
            if state() != before:
                undo()
        else:
            failed += 1
            ksft_true(not must_work, f"allocation {number}: {error}")
        after = state()
        ksft_eq(after, before, f"allocation {number}: {error or 'worked'}")
        if after != before:
            break
    ksft_pr(f"{tried} of {count} allocations: {worked} times it worked "
            f"nevertheless, {failed} times it failed")
    ksft_ge(count, 0 if must_work else 1)
    operation()
    undo()


class Request:
    """A request that is packed before and sent with an allocation failing."""

    def __init__(self, sock, kind, payload, flags=0):
        self.sock, self.kind, self.payload = sock, kind, payload
        self.flags = flags | 5
        sock.sock.settimeout(1)

    def __call__(self):
        message = self.sock.message(self.kind, self.flags, self.payload)
        self.sock.sock.send(message)
        return self.sock.answer(self.sock.seq)


def genl_request(genl, command, *attributes):
    return Request(genl, genl.family, struct.pack(
        "=BBH", UAPI[command], 1, 0) + b"".join(attributes))


def world():
    injection = Injection()
    pair()
    adapter("vmq0", uplink="up0", rxq=4, txq=4)
    port("vm1", number=1)
    return injection


def test_adapter():
    """ip link add type vmq"""
    injection = Injection()
    rtnl = Rtnl()
    add = Request(rtnl, 16, rtnl.add_payload("vmqx", "vmq", rxq=2, txq=2),
                  0x600)
    every(injection, add, lambda: Rtnl().delete("vmqx"))


def test_port():
    """ip link add type vmqport"""
    injection = world()
    rtnl = Rtnl()
    add = Request(rtnl, 16, rtnl.add_payload(
        "vmx", "vmqport", link="vmq0", address="52:54:00:00:00:09", rxq=2),
        0x600)
    every(injection, add, lambda: Rtnl().delete("vmx"))


def test_delete():
    """Deleting works, whatever memory there is."""
    injection = world()

    def make():
        Rtnl().add("vmx", "vmqport", link="vmq0", address="52:54:00:00:00:09")
        quiet("vmx")

    make()
    rtnl = Rtnl()

    def remove():
        Request(rtnl, 17, struct.pack("=BxHiII", 0, 0,
                                      Rtnl.index("vmx"), 0, 0))()

    # what comes back has another index and identity
    before = rules("vmq0")
    with injection(MANY):
        remove()
    count = MANY - injection.left
    make()
    limit = time.monotonic() + SECONDS
    tried = 0
    for number in range(1, count + 1, max(1, count // 40)):
        if time.monotonic() > limit:
            break
        tried += 1
        try:
            with injection(number):
                remove()
        except OSError as reason:
            ksft_true(False, f"allocation {number}: {reason}")
        if rtnl.exists("vmx"):
            ksft_true(False, f"allocation {number}: it is still there")
            Rtnl().delete("vmx")
        make()
    ksft_pr(f"{tried} of {count} allocations")
    Rtnl().delete("vmx")
    ksft_eq(rules("vmq0"), [each for each in before
                            if each == max(before)])


def test_attach():
    """ip link set UPLINK master vmq0"""
    injection = world()
    pair("up1", "wire1")
    adapter("vmq1", rxq=2, txq=2, address="52:54:00:00:00:aa")
    port("vmy", link="vmq1", number=8)
    rtnl = Rtnl()
    index = rtnl.index("vmq1")
    header = struct.pack("=BxHiII", 0, 0, rtnl.index("up1"), 0, 0)
    attach = Request(rtnl, 16, header + attr(10, struct.pack("=I", index)))
    every(injection, attach, lambda: Rtnl().set("up1", master=""))


def test_rule():
    """ethtool -N: a MAC filter, an n-tuple rule, another one at its place"""
    injection = world()
    for rule in (Rule(0x12, 2, 7).dst(mac(9)).vlan(10, 0xfff),
                 Rule(1, 3, 7).dst_port(80)):
        every(injection, lambda each=rule: rule_add("vmq0", each),
              lambda: rule_del("vmq0", 7))
    first, second = Rule(0x12, 2, 7).dst(mac(9)), Rule(1, 3, 7).dst_port(80)
    rule_add("vmq0", first)
    every(injection, lambda: rule_add("vmq0", second),
          lambda: rule_add("vmq0", first))


def test_rule_delete():
    """ethtool -N delete works, whatever memory there is."""
    injection = world()
    for rule in (Rule(0x12, 2, 7).dst(mac(9)), Rule(1, 3, 7).dst_port(80)):
        rule_add("vmq0", rule)
        every(injection, lambda: rule_del("vmq0", 7),
              lambda each=rule: rule_add("vmq0", each), must_work=True)
        rule_del("vmq0", 7)


def test_address():
    """ip link set vm1 address"""
    injection = world()
    rtnl = Rtnl()
    header = struct.pack("=BxHiII", 0, 0, rtnl.index("vm1"), 0, 0)
    change = Request(rtnl, 16, header + attr(1, mac(0x77)))
    every(injection, change,
          lambda: Rtnl().set("vm1", address="52:54:00:00:00:01"))


def acl_rule(genl, *more):
    return genl_request(
        genl, "VMQ_CMD_EXT_PORT_SET", attr_str(2, "vm1"), attr_str(3, "acl"),
        attr(UAPI["VMQ_A_EXT_PORT_CONFIG"], nest(
            UAPI["VMQ_A_ACL_ADD"],
            attr_u8(UAPI["VMQ_A_ACL_RULE_DIRECTION"], 0),
            attr_u8(UAPI["VMQ_A_ACL_RULE_ACTION"], 1), *more)))


def test_ext():
    """Enabling the extension, and a rule for it"""
    injection = world()
    genl, other = Genl(), Genl()
    enable = genl_request(genl, "VMQ_CMD_EXT_SET", attr_str(2, "vmq0"),
                          attr_str(3, "acl"), attr_u8(
                              UAPI["VMQ_A_EXT_ENABLED"], 1))
    disable = genl_request(other, "VMQ_CMD_EXT_SET", attr_str(2, "vmq0"),
                           attr_str(3, "acl"), attr_u8(
                               UAPI["VMQ_A_EXT_ENABLED"], 0))
    every(injection, enable, disable)
    enable()
    flush = genl_request(
        other, "VMQ_CMD_EXT_PORT_SET", attr_str(2, "vm1"), attr_str(3, "acl"),
        attr(UAPI["VMQ_A_EXT_PORT_CONFIG"],
             attr(UAPI["VMQ_A_ACL_FLUSH_RULES"])))
    every(injection, acl_rule(genl), flush)


def test_guard():
    """Enabling the extension guard, and bindings for it"""
    injection = world()
    genl, other = Genl(), Genl()
    name = attr_str(UAPI["VMQ_A_EXT_PORT_NAME"], "guard")
    enable, disable = [genl_request(
        each, "VMQ_CMD_EXT_SET", attr_str(2, "vmq0"), attr_str(3, "guard"),
        attr_u8(UAPI["VMQ_A_EXT_ENABLED"], on))
        for each, on in ((genl, 1), (other, 0))]
    every(injection, enable, disable)
    enable()
    add = genl_request(
        genl, "VMQ_CMD_EXT_PORT_SET", attr_str(2, "vm1"), name,
        attr(UAPI["VMQ_A_EXT_PORT_CONFIG"], b"".join(
            nest(UAPI["VMQ_A_GUARD_ADD"], attr(
                UAPI["VMQ_A_GUARD_BINDING_IP"], bytes([10, 0, 0, number])))
            for number in range(1, 4))))
    flush = genl_request(
        other, "VMQ_CMD_EXT_PORT_SET", attr_str(2, "vm1"), name,
        attr(UAPI["VMQ_A_EXT_PORT_CONFIG"],
             attr(UAPI["VMQ_A_GUARD_FLUSH_STATIC"])))
    every(injection, add, flush)


def stack():
    """vm1 with an extension, two filters more and multicast addresses."""
    injection = world()
    cmd("vmqctl ext enable dev vmq0 name acl")
    cmd("vmqctl acl add dev vm1 direction in action allow")
    rule_add("vmq0", Rule(0x12, 1).dst(mac(0x51)).vlan(10, 0xfff))
    rule_add("vmq0", Rule(0x12, 1).dst(mac(0x52)))
    with Raw("wire0") as wire:
        wire.send(*[build(1, "10.0.0.9", "10.0.0.1", sport=each)
                    for each in range(1, 40)])
    time.sleep(0.1)
    return injection


def test_save():
    """A save, from its begin to its last byte"""
    injection = stack()
    genl = Genl()
    genl.sock.settimeout(1)
    size = len(save("vm1"))
    whole = [0, 0]

    def operation():
        try:
            stream = save("vm1", genl)
        except TimeoutError:
            raise OSError(errno.ENOMEM, "no answer") from None
        whole[len(stream) == size] += 1

    def undo():
        with contextlib.suppress(OSError), contextlib.closing(Genl()) as own:
            own.call(UAPI["VMQ_CMD_ABORT"], attr_str(2, "vm1"))

    undo()
    every(injection, operation, undo)
    ksft_eq(whole[0], 0, "streams that are not whole")


def test_restore():
    """A restore, from its begin to its commit"""
    injection = stack()
    adapter("vmq1", rxq=4, txq=4)
    port("vm1b", link="vmq1", number=0x99)
    cmd("vmqctl ext enable dev vmq1 name acl")
    stream = save("vm1")
    genl = Genl()
    genl.sock.settimeout(1)
    abort("vm1")

    def operation():
        try:
            with Session("vm1b", True, genl) as session:
                session.write(stream)
                session.commit()
        except TimeoutError:
            raise OSError(errno.ENOBUFS, "no answer") from None

    # what it sets only goes with the port, so each time it is a new one
    with injection(MANY):
        operation()
    count = MANY - injection.left
    Rtnl().delete("vm1b")
    tried = failed = 0
    limit = time.monotonic() + 2 * SECONDS
    for number in range(1, count + 1, max(1, count // 120)):
        if time.monotonic() > limit:
            break
        tried += 1
        port("vm1b", link="vmq1", number=0x99)
        before = state()
        error = None
        try:
            with injection(number):
                operation()
        except OSError as reason:
            error = reason
        if error is not None and error.errno != errno.ENOBUFS:
            failed += 1
            ksft_eq(state(), before, f"allocation {number}: {error}")
        with contextlib.suppress(OSError):
            Rtnl().delete("vm1b")
    ksft_pr(f"{tried} of {count} allocations, {failed} failed")
    ksft_ge(failed, 3)


def client_requests(sock, *requests):
    """One after the other; the first that fails ends it."""
    made = [genl_request(sock, command, attr_str(2, "vmq0"), *attributes)
            for command, *attributes in requests]

    def run():
        for each in made:
            each()

    return run


def test_client():
    """A client allocates a queue, sets filters on it one by one and many at
    once, moves one; its socket is closed where memory lacks (Q-09, Q-47)."""
    injection = world()
    queue = attr_u32(UAPI["VMQ_A_FILTER_QUEUE"], 2)
    entries = [nest(UAPI["VMQ_A_FILTER_ENTRY"],
                    attr(UAPI["VMQ_A_FILTER_ENTRY_MAC"], mac(number)))
               for number in (7, 8)]
    genls = []

    def operation():
        genls.append(Genl())
        client_requests(
            genls[-1], ("VMQ_CMD_QUEUE_NEW",),
            ("VMQ_CMD_FILTER_NEW", queue,
             attr(UAPI["VMQ_A_FILTER_MAC"], mac(6))),
            ("VMQ_CMD_FILTER_NEW", queue, *entries),
            ("VMQ_CMD_QUEUE_COMPLETE",
             attr_u32(UAPI["VMQ_A_QUEUE_IDS"], 2)),
            ("VMQ_CMD_FILTER_MOVE", attr_u32(UAPI["VMQ_A_FILTER_ID"], 1),
             attr_u32(UAPI["VMQ_A_FILTER_QUEUE"], 0)))()

    def undo():
        while genls:
            genls.pop().close()

    def guarded():
        try:
            operation()
        except OSError:
            undo()
            raise

    every(injection, guarded, undo)


def test_kept():
    """The same for a queue that is kept, and freed by its id."""
    injection = world()
    genl = Genl()
    new = client_requests(genl, ("VMQ_CMD_QUEUE_NEW",
                                 attr(UAPI["VMQ_A_QUEUE_KEEP"])))
    gone = client_requests(genl, ("VMQ_CMD_QUEUE_DEL",
                                  attr_u32(UAPI["VMQ_A_QUEUE_ID"], 2)))

    def undo():
        with contextlib.suppress(OSError):
            gone()

    every(injection, new, undo)


def test_show():
    """Dumps and single answers"""
    injection = stack()
    genl = Genl()
    for name in ("ADAPTER", "QUEUE", "FILTER", "PORT", "EXT"):
        def operation(command=UAPI[f"VMQ_CMD_{name}_GET"]):
            with contextlib.closing(Genl()) as own:
                own.sock.settimeout(0.3)
                own.call(command, dump=True)
        for number in range(1, 40, 2):
            with contextlib.suppress(OSError, IndexError):
                with injection(number):
                    operation()
        operation()
    get = genl_request(genl, "VMQ_CMD_PORT_GET", attr_str(2, "vm1"))
    every(injection, get, lambda: None)


if __name__ == "__main__":
    ksft_main(globals())
