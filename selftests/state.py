#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: uml-debug
"""Save and restore of ports: the state moves, and a bad stream does nothing.

An outside host sits on a bridge that two adapters are connected to. The guest
is this network namespace, at first behind vm1 of vmq0, later vm1b of vmq1.
"""

import contextlib
import errno
import os
import random
import select
import socket
import struct
import threading

from lib import (UAPI, Genl, NetNS, NlError, Raw, Rtnl, Rule, Session, abort,
                 acl_rule, acl_set, adapter, attr_str, cmd, commit, defer,
                 ether, ext_set, fail_cmd, ip, ksft_eq, ksft_ge, ksft_in,
                 ksft_lt, ksft_main, ksft_pr, ksft_raises, ksft_true,
                 link_info, link_stats, mac, machine, monitor, pair, port,
                 restore, rule_add, run, save, vmqctl)
from lib.acl import ALLOW, DENY, IN, OUT

HEADER, RECORD, END = 16, 48, 56
SLOW = machine() == "uml-debug"
GUEST, OUTSIDE = "10.9.0.2", "10.9.0.1"


def world(second=True, acl=True):
    """vm1 on vmq0, and vm1b on vmq1 where nothing is known of it yet."""
    outside = NetNS()
    rtnl = Rtnl()
    numbers = (0, 1) if second else (0,)
    for number in numbers:
        pair(f"up{number}", f"wire{number}")
        adapter(f"vmq{number}", uplink=f"up{number}")
        rtnl.set(f"wire{number}", netns_fd=outside.fd)
        if acl:
            ext_set(f"vmq{number}", 1)
    with outside:
        inner = Rtnl()
        inner.add("br0", "bridge")
        for number in numbers:
            inner.set(f"wire{number}", master="br0")
            inner.up(f"wire{number}")
        inner.addr("br0", OUTSIDE, 24)
        inner.up("br0")
    port("vm1", number=1)
    rtnl.addr("vm1", GUEST, 24)
    if second:
        port("vm1b", link="vmq1", number=0x99)
    if acl:
        deny("vm1")
        if second:
            deny("vm1b")
    defer(outside.close)
    return outside


def deny(dev):
    """Out: everything, in: nothing but what belongs to a connection."""
    acl_set(dev, acl_rule(OUT, ALLOW))
    acl_set(dev, acl_rule(IN, DENY))


def echo_server(outside):
    """A TCP server that answers what it is told; ends with the test."""
    with outside:
        listener = socket.create_server((OUTSIDE, 5000))
    connections = []

    def serve(connection):
        with contextlib.suppress(OSError):
            while data := connection.recv(65536):
                connection.sendall(data)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                threading.Thread(target=serve, args=(connection,),
                                 daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()

    def end():
        for each in [listener, *connections]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
    defer(end)


def connect(count):
    made = []
    for _ in range(count):
        sock = socket.create_connection((OUTSIDE, 5000), 10, (GUEST, 0))
        defer(sock.close)
        made.append(sock)
    return made


def talk(sock, text=b"hello", timeout=30):
    """Does the connection still carry data?"""
    sock.settimeout(timeout)
    sock.sendall(text)
    got = b""
    with contextlib.suppress(OSError):
        while len(got) < len(text):
            part = sock.recv(4096)
            if not part:
                break
            got += part
    return got == text


def connections(dev):
    return vmqctl(f"acl show dev {dev} connections")


def snapshot(genl=None, devs=("vm1", "vm1b")):
    """All that a refused restore must not change, cheaply; no counters, as
    there may be traffic."""
    genl = genl or Genl()
    names = {UAPI["VMQ_A_PORT_" + name]: name.lower() for name in
             ("DEV", "UUID", "MAC", "QUEUES", "PATH", "GATE", "TAP")}
    found = {}
    for answer in genl.call(UAPI["VMQ_CMD_PORT_GET"], dump=True):
        values = [(names[kind], data) for kind, data in answer
                  if kind in names]
        dev = dict(values)["dev"].rstrip(b"\0").decode()
        if dev in devs:
            found[f"port {dev}"] = values
    found["filters"] = genl.call(UAPI["VMQ_CMD_FILTER_GET"], dump=True)
    for dev in devs:
        found[f"link {dev}"] = {key: value for key, value
                                in link_info(dev).items() if key != "stats"}
    return found


def migration(dev, genl=None):
    [answer] = (genl or Genl()).call(UAPI["VMQ_CMD_PORT_GET"],
                                     attr_str(UAPI["VMQ_A_PORT_DEV"], dev))
    state = dict(answer)[UAPI["VMQ_A_PORT_MIGRATION"]]
    return "idle saving saved restoring validated".split()[
        struct.unpack("=I", state)[0]]


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def records(stream):
    """[(offset, type, length)]"""
    found, at = [], HEADER
    while at < len(stream):
        length, kind = struct.unpack_from("<IH", stream, at)
        found.append((at, kind, length))
        at += RECORD + (length + 7 & ~7)
    return found


def reseal(stream):
    """A changed stream with the checksum that it would have."""
    body = bytes(stream[:-4])
    return body + struct.pack("<I", crc32c(body))


# -- it works

def test_show_bullet():
    """The contract's own lines (section 3, and the issue's second bullet)."""
    outside = world()
    echo_server(outside)
    socks = connect(5)
    ksft_true(all(talk(sock) for sock in socks))
    before = vmqctl("port show dev vm1")[0]
    table = connections("vm1")
    ksft_eq(len(table), 5)

    cmd("sh", "-c", "vmqctl port save dev vm1 > /run/s")
    shown = vmqctl("stream show /run/s")
    ksft_true(shown, "stream show")
    text = cmd("vmqctl stream show /run/s")
    ksft_in("52:54:00:00:00:01", text)
    ksft_eq(vmqctl("port show dev vm1")[0]["migration"], "saved")
    done = run("sh", "-c", "vmqctl port restore dev vm1b < /run/s")
    ksft_eq(done.returncode, 0, done.stderr)

    after = vmqctl("port show dev vm1b")[0]
    for key in ("uuid", "mac"):
        ksft_eq(after[key], before[key], key)
    ksft_eq(after["migration"], "idle")
    ksft_eq(after["records-unclaimed"], 0)
    ksft_ge(after["records"], 2)
    ksft_eq(after["state-bytes"], os.path.getsize("/run/s"))
    for key in ("rx-packets", "rx-bytes", "tx-packets", "tx-bytes"):
        ksft_ge(after[key], before[key], f"counters continue: {key}")
    moved = connections("vm1b")

    def flows(entries):
        return sorted((each["local-port"], each["remote-port"],
                       each["state"]) for each in entries)

    ksft_eq(flows(moved), flows(table), "the connection table is there")
    ksft_true(all(each.get("restored") for each in moved), moved)
    # the guest moves: same address behind the other port
    rtnl = Rtnl()
    rtnl.set("vm1", up=False)
    ip(f"addr del {GUEST}/24 dev vm1")
    rtnl.addr("vm1b", GUEST, 24)
    for sock in socks:
        ksft_true(talk(sock, b"still here"), "established flows keep flowing")
    with outside, contextlib.closing(socket.socket()) as stranger:
        stranger.settimeout(1)
        with ksft_raises(OSError):
            stranger.connect((GUEST, 22))
    # the source port can be used and saved again
    rtnl.set("vm1", up=True)
    ksft_ge(len(save("vm1")), HEADER + END)


def test_self_restore():
    """Restoring on the port that was saved changes no counter (SR-33)."""
    outside = world(second=False)
    echo_server(outside)
    [sock] = connect(1)
    ksft_true(talk(sock))
    stats = link_stats("vm1")
    stream = save("vm1")
    ksft_true(talk(sock), "saving does not disturb")
    later = link_stats("vm1")
    restore("vm1", stream)
    again = link_stats("vm1")
    for key in ("rx_packets", "tx_packets", "rx_bytes", "tx_bytes"):
        ksft_ge(later[key], stats[key])
        ksft_ge(again[key], later[key], "never backwards")
    ksft_lt(again["rx_packets"], later["rx_packets"] + 10, "counted twice")
    ksft_true(talk(sock))


def test_core_state():
    """MAC, MTU, extra filters, multicast list, mode, uuid: they move."""
    rtnl = Rtnl()
    outside = world(acl=False)
    rtnl.set("vm1", mtu=1400)
    rule_add("vmq0", Rule(0x12, 1).dst(mac(0x51)).vlan(10, 0xfff))
    rule_add("vmq0", Rule(0x12, 1).dst(mac(0x52)))
    cmd("ip maddress add 01:00:5e:01:02:03 dev vm1")
    rtnl.set("vm1", promisc=True)
    stream = save("vm1")
    report = restore("vm1b", stream)
    ksft_eq(report["state_bytes"], len(stream))
    info = link_info("vm1b")
    ksft_eq(info["address"], "52:54:00:00:00:01")
    ksft_eq(info["mtu"], 1400)
    ksft_true(info["flags"] & 0x100, "promiscuous")
    ksft_in("01:00:5e:01:02:03", cmd("ip maddress show dev vm1b"))
    queue = vmqctl("port show dev vm1b")[0]["queues"][0]
    found = {(each["mac"], each.get("vlan"), each.get("untagged", False))
             for each in vmqctl("filter show dev vmq1")
             if each["queue"] == queue}
    ksft_eq(found, {("52:54:00:00:00:01", None, True),
                    ("52:54:00:00:00:51", 10, False),
                    ("52:54:00:00:00:52", None, False)})
    rtnl.set("vm1b", promisc=False)
    # frames find it by its new filters
    with outside:
        wire = Raw("wire1")
    with wire, Raw("vm1b") as guest:
        guest.drain()
        wire.send(ether(1), ether(0x51, vlan=10), ether(0x52, vlan=7),
                  ether(0x51, vlan=11), ether(0x99))
        got = guest.all(match=lambda each: each[12:14] == b"\x88\xb5")
    ksft_eq([(each[5], each.vid) for each in got],
            [(1, None), (0x51, 10), (0x52, 7)])
    owners = {each["owner"] for each in vmqctl("filter show dev vmq1")}
    ksft_eq(owners, {"port vm1b"})
    # deleting the port takes them all
    rtnl.delete("vm1b")
    ksft_eq(vmqctl("filter show dev vmq1"), [])


def test_no_host_identity():
    """No ifindex, port id or queue id of the source decides (SR-33, SR-34)."""
    world()
    for number in range(3, 7):
        port(f"vmx{number}", link="vmq1", number=number)
    port("late", link="vmq1", number=0x55)
    stream = save("vm1")
    queue = vmqctl("port show dev late")[0]["queues"]
    restore("late", stream)
    ksft_eq(vmqctl("port show dev late")[0]["queues"], queue)
    ksft_eq(link_info("late")["address"], "52:54:00:00:00:01")


def test_read_pieces():
    """A save read byte by byte is the same as one read at once."""
    world(second=False)
    with Session("vm1", False) as session:
        first = bytearray()
        while part := session.read(1):
            first += part
    second = save("vm1")
    ksft_eq(len(first), len(second))
    ksft_eq(bytes(first[:HEADER]), second[:HEADER])
    for piece in (7, 64):
        with Session("vm1", True) as session:
            for at in range(0, len(first), piece):
                session.write(first[at:at + piece])
            ksft_eq(migration("vm1"), "validated")
            session.commit()
    ksft_eq(migration("vm1"), "idle")


def test_format():
    """The layout of section 5, field by field; stream show agrees (SR-01)."""
    outside = world()
    echo_server(outside)
    ksft_true(talk(connect(1)[0]))
    stream = save("vm1")
    ksft_eq(stream[:8], b"VMQSTATE")
    version, flags = struct.unpack_from("<HH", stream, 8)
    ksft_eq((version, flags), (1, 0))
    ksft_eq(version, vmqctl("adapter show dev vmq0")[0]["format-version"])
    found = records(stream)
    ksft_eq(found[0][1], 1, "the port's own record comes first")
    ksft_eq(found[-1][1], 0, "end record")
    ksft_eq(found[-1][0] + END, len(stream))
    count, crc = struct.unpack_from("<II", stream, found[-1][0] + RECORD)
    ksft_eq(count, len(found) - 1)
    ksft_eq(crc, crc32c(stream[:-4]), "CRC32C over everything before it")
    ksft_true(any(kind == 2 for _, kind, _ in found), "a record of acl")


# -- bad streams

def refused(genl, dev, stream, comment):
    """A restore that has to fail, with a message; -> NlError or None"""
    try:
        restore(dev, stream, genl)
    except NlError as error:
        if not error.msg:
            ksft_true(False, f"{comment}: {error} without a message")
        return error
    ksft_true(False, f"{comment}: was not refused")
    return None


def small_stream():
    outside = world()
    echo_server(outside)
    ksft_true(talk(connect(1)[0]))
    return save("vm1")


def test_cut():
    """A stream cut at any byte is refused and changes nothing."""
    stream = small_stream()
    genl = Genl()
    before = snapshot(genl)
    acl = connections("vm1b")
    for size in range(len(stream)):
        error = refused(genl, "vm1b", stream[:size], f"cut at {size}")
        if error and error.errno != errno.EINVAL:
            ksft_eq(error.errno, errno.EINVAL, f"cut at {size}")
        if size % 97 == 0:
            ksft_eq(snapshot(genl), before, f"cut at {size}")
    ksft_eq(snapshot(genl), before)
    ksft_eq(connections("vm1b"), acl)
    ksft_eq(migration("vm1b"), "idle")
    ksft_pr(f"{len(stream)} cuts")
    restore("vm1b", stream)


def test_bits():
    """A stream with any bit flipped is refused and changes nothing."""
    stream = small_stream()
    genl = Genl()
    before = snapshot(genl)
    # every bit; on the slow kernel every seventh, another one in each byte
    bits = [at * 8 + bit for at in range(len(stream)) for bit in range(8)
            if not SLOW or (at * 8 + bit) % 7 == at % 7]
    for number, bit in enumerate(bits):
        changed = bytearray(stream)
        changed[bit // 8] ^= 1 << bit % 8
        refused(genl, "vm1b", changed, f"bit {bit}")
        if number % 257 == 0:
            ksft_eq(snapshot(genl), before, f"bit {bit}")
    ksft_eq(snapshot(genl), before)
    ksft_eq(connections("vm1b"), [])
    ksft_pr(f"{len(bits)} bits of {len(stream) * 8}")
    restore("vm1b", stream)


def test_bits_resealed():
    """Flipped bits under a good checksum: refused or harmless, no crash."""
    stream = small_stream()
    genl = Genl()
    accepted = 0
    chosen = random.Random(1).sample(range((len(stream) - 4) * 8),
                                     120 if SLOW else 400)
    before = snapshot(genl)
    for bit in chosen:
        changed = bytearray(stream)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            restore("vm1b", reseal(changed), genl)
            accepted += 1
            # back, by what was there: the port is not compared from here on
            before = None
        except NlError as error:
            ksft_true(error.msg, f"bit {bit}: {error}")
            if before:
                ksft_eq(snapshot(genl), before, f"bit {bit}")
    ksft_pr(f"{accepted} of {len(chosen)} were acceptable")
    ksft_eq(migration("vm1b"), "idle")


def test_hostile():
    """Bad magic, version, counts, sizes, reserved fields, unknown types."""
    stream = small_stream()
    genl = Genl()
    before = snapshot(genl)
    found = records(stream)
    end = found[-1][0]
    core, core_length = found[0][0], found[0][2]

    def changed(at, data, seal=True):
        copy = bytearray(stream)
        copy[at:at + len(data)] = data
        return reseal(copy) if seal else bytes(copy)

    unknown = bytearray(stream[core:core + RECORD])
    struct.pack_into("<IH", unknown, 0, 0, 77)
    count = struct.unpack_from("<I", stream, end + RECORD)[0]
    more = struct.pack("<I", count + 1)
    with_unknown = reseal(stream[:end] + unknown + stream[end:end + RECORD] +
                          more + bytes(4))
    cases = {
        "empty": b"",
        "magic": changed(0, b"VMQSTATF"),
        "version": changed(8, b"\x02\0"),
        "version 0": changed(8, b"\0\0"),
        "header flags": changed(10, b"\1\0"),
        "count": changed(end + RECORD, struct.pack("<I", count + 1)),
        "checksum": changed(len(stream) - 1, bytes([stream[-1] ^ 1]), False),
        "reserved": changed(core + RECORD - 2, b"\1\0"),
        "record flags": changed(core + 6, b"\xfe\xff"),
        "a length of 4 GiB": changed(core, b"\xff\xff\xff\xff"),
        "a length over 64 KiB": changed(core, struct.pack("<I", 0x10000)),
        "a length of 0": changed(core, bytes(4)),
        "an unknown mandatory type": with_unknown,
        "a record less than counted": reseal(
            stream[:core] + stream[core + RECORD + (core_length + 7 & ~7):]),
        "core record twice": reseal(
            stream[:found[1][0]] + stream[core:]),
        "bytes behind the end": stream + b"\0",
        "two streams": stream + stream,
        "text": b"this is no stream of any kind, it is text" * 100,
        "zeros": bytes(100000),
        "ones": b"\xff" * 100000,
    }
    for name, data in cases.items():
        error = refused(genl, "vm1b", data, name)
        if error:
            ksft_pr(f"{name}: {error}")
        ksft_eq(snapshot(genl), before, name)
        ksft_eq(migration("vm1b"), "idle", name)
    # padding has to be zero
    for at, _, length in found:
        if length % 8:
            refused(genl, "vm1b", changed(at + RECORD + length, b"\1"),
                    "padding")
    # without any record it is a good stream that changes nothing (section 6)
    restore("vm1b", reseal(stream[:HEADER] + stream[end:end + RECORD] +
                           bytes(8)), genl)
    ksft_eq(snapshot(genl), before, "no records")
    restore("vm1b", stream)


def test_too_large():
    """No more than max_stream bytes are taken (16 MiB by default)."""
    world(second=False, acl=False)
    path = "/sys/module/vmq/parameters/max_stream"
    with open(path, encoding="utf-8") as stream:
        ksft_eq(int(stream.read()), 16 << 20)
    good = save("vm1")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write("1048576")

    def reset():
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(str(16 << 20))
    defer(reset)
    # optional records that nobody knows: valid, and no end to it
    head = struct.pack("<IHH", 60000, 2, 1) + b"\x77" * 16 + bytes(24)
    with Session("vm1", True) as session:
        session.write(good[:records(good)[-1][0]])
        written = 0
        with ksft_raises(OSError):
            while written < 4 << 20:
                session.write(head + bytes(60000))
                written += 60048
        ksft_true(written < 1 << 20, written)
        with ksft_raises(NlError) as caught:
            session.commit()
        ksft_true(caught.exception.msg, caught.exception)
    ksft_eq(migration("vm1"), "idle")


# -- sessions

def test_busy():
    """One session a port at a time (SR-22, SR-26), and a message says so."""
    world(acl=False)
    genl = Genl()
    with Session("vm1", False) as first:
        ksft_eq(migration("vm1"), "saving")
        for restoring in (False, True):
            with ksft_raises(NlError) as caught:
                Session("vm1", restoring, genl)
            ksft_eq(caught.exception.errno, errno.EBUSY)
            ksft_in("already", caught.exception.msg)
        with ksft_raises(NlError) as caught:
            commit("vm1", genl)
        ksft_eq(caught.exception.errno, errno.EBUSY)
        ksft_true(caught.exception.msg)
        status, message = fail_cmd("vmqctl port save dev vm1 file /run/x")
        ksft_eq(status, 1)
        ksft_in("already", message)
        ksft_true(not os.path.exists("/run/x"), "nothing is left")
        stream = first.read(None)
    ksft_eq(migration("vm1"), "saved")
    with Session("vm1", True) as first:
        ksft_eq(migration("vm1"), "restoring")
        for restoring in (False, True):
            with ksft_raises(NlError) as caught:
                Session("vm1", restoring, genl)
            ksft_eq(caught.exception.errno, errno.EBUSY)
        first.write(stream)
        ksft_eq(migration("vm1"), "validated")
        with ksft_raises(NlError) as caught:
            Session("vm1", False, genl)
        ksft_eq(caught.exception.errno, errno.EBUSY)
        first.commit()
    with Session("vm1", False) as again:
        again.read(None)


def test_parallel():
    """Saves and restores of different ports overlap in any order (SR-23)."""
    world()
    stream = save("vm1")
    with Session("vm1", False) as first, Session("vm1b", True) as second:
        got = bytearray()
        position = 0
        while part := first.read(50):
            got += part
            second.write(stream[position:position + 40])
            position += 40
        second.write(stream[position:])
        second.commit()
    ksft_eq(len(got), len(stream))
    ksft_eq(link_info("vm1b")["address"], "52:54:00:00:00:01")
    with Session("vm1", False) as first, Session("vm1b", False) as second:
        ksft_eq(len(second.read(None)), len(first.read(None)))


def test_abort():
    """abort ends a session midway, the port is as it was."""
    world()
    genl = Genl()
    stream = save("vm1")
    before = snapshot(genl)
    with ksft_raises(NlError) as caught:
        abort("vm1b")
    ksft_eq(caught.exception.errno, errno.ENOENT)
    ksft_true(caught.exception.msg)
    for size in (0, 1, HEADER, HEADER + 10, len(stream) - 1, len(stream)):
        with Session("vm1b", True) as session:
            session.write(stream[:size])
            if size == 10:
                cmd("vmqctl port abort dev vm1b")
            else:
                abort("vm1b", genl)
            ksft_eq(migration("vm1b"), "idle")
            with ksft_raises(OSError) as caught:
                session.write(b"x")
            ksft_eq(caught.exception.errno, errno.ECANCELED)
            with ksft_raises(NlError) as caught:
                session.commit()
            ksft_eq(caught.exception.errno, errno.ENOENT)
        ksft_eq(snapshot(genl), before, size)
    for size in (0, 1, HEADER):
        with Session("vm1", False) as session:
            if size:
                session.read(size)
            abort("vm1", genl)
            with ksft_raises(OSError) as caught:
                session.read(1)
            ksft_eq(caught.exception.errno, errno.ECANCELED)
        ksft_eq(migration("vm1"), "idle")
    ksft_eq(len(save("vm1")), len(stream))


def test_close_early():
    """So does closing the descriptor early."""
    world()
    genl = Genl()
    stream = save("vm1")
    before = snapshot(genl)
    for size in (0, HEADER + 3, len(stream) - 1, len(stream)):
        with Session("vm1b", True, genl) as session:
            session.write(stream[:size])
        ksft_eq(migration("vm1b"), "idle", size)
        ksft_eq(snapshot(genl), before, size)
    with ksft_raises(NlError) as caught:
        commit("vm1b", genl)
    ksft_eq(caught.exception.errno, errno.ENOENT)
    for size in (0, 5):
        with Session("vm1", False, genl) as session:
            if size:
                session.read(size)
        ksft_eq(migration("vm1"), "idle", "not saved")
    ksft_in("early", vmqctl("port show dev vm1")[0].get("error", ""))


def test_commit_early():
    """A commit before the end is refused; the writer may go on."""
    world()
    stream = save("vm1")
    with Session("vm1b", True) as session:
        for size in (0, HEADER, len(stream) - 1):
            session.write(stream[:size] if not size else b"")
        for at in range(0, len(stream) - 1, 100):
            session.write(stream[at:min(at + 100, len(stream) - 1)])
            with ksft_raises(NlError) as caught:
                session.commit()
            ksft_eq(caught.exception.errno, errno.EINVAL)
            ksft_in("complete", caught.exception.msg)
        session.write(stream[-1:])
        session.commit()
    ksft_eq(link_info("vm1b")["address"], "52:54:00:00:00:01")


def test_port_deleted():
    """A port that is deleted with its descriptor open: ENODEV."""
    rtnl = Rtnl()
    world()
    stream = save("vm1")
    for restoring, size in ((True, 0), (True, len(stream)), (False, 0),
                            (False, 20)):
        port("vmx", link="vmq1", number=0x66)
        with Session("vmx", restoring) as session:
            if restoring:
                session.write(stream[:size])
            elif size:
                session.read(size)
            rtnl.delete("vmx")
            with ksft_raises(OSError) as caught:
                if restoring:
                    session.write(b"x")
                else:
                    session.read(1)
            ksft_eq(caught.exception.errno, errno.ENODEV)
            with ksft_raises(NlError) as caught:
                session.commit()
            ksft_eq(caught.exception.errno, errno.ENODEV)
    # with its adapter, too
    port("vmx", link="vmq1", number=0x66)
    with Session("vmx", False) as session:
        rtnl.delete("vmq1")
        with ksft_raises(OSError) as caught:
            session.read(1)
        ksft_eq(caught.exception.errno, errno.ENODEV)


def test_poll():
    """The descriptor can be polled."""
    world(second=False, acl=False)
    with Session("vm1", False) as session:
        poll = select.poll()
        poll.register(session.fd, select.POLLIN)
        ksft_in((session.fd, select.POLLIN), poll.poll(1000))
        abort("vm1")
        [(_, events)] = poll.poll(1000)
        ksft_true(events & select.POLLERR)


def test_renamed():
    """A port that is renamed meanwhile goes on."""
    rtnl = Rtnl()
    world(second=False, acl=False)
    stream = save("vm1")
    with Session("vm1", False) as session:
        session.read(10)
        rtnl.set("vm1", newname="vmnew")
        ksft_eq(len(session.read(None)), len(stream) - 10)
    rtnl.set("vmnew", newname="vm1")


# -- who owns what

def test_unclaimed():
    """A record that nobody owns: an event, a counter, and it goes on (SR-35).
    """
    outside = world()
    echo_server(outside)
    ksft_true(talk(connect(1)[0]))
    stream = save("vm1")
    ext_set("vmq1", 0)
    with monitor() as events:
        report = restore("vm1b", stream)
        seen = [each for each in events()
                if each["name"] == "record-unclaimed-ntf"]
    ksft_ge(report["records_unclaimed"], 1)
    ksft_eq(len(seen), report["records_unclaimed"], "an event for each")
    for each in seen:
        ksft_eq(each["msg"]["dev"], "vm1b")
        ksft_true(each["msg"]["ext-uuid"])
        ksft_ge(each["msg"]["length"], 1)
    [shown] = vmqctl("port show dev vm1b")
    ksft_eq(shown["records-unclaimed"], report["records_unclaimed"])
    ksft_eq(shown["mac"], "52:54:00:00:00:01", "the rest is there")
    uuid = [each["uuid"] for each in vmqctl("ext show dev vmq0")
            if each["name"] == "acl"]
    ksft_eq({each["msg"]["ext-uuid"] for each in seen}, set(uuid), "SR-30")


def test_apply_fails():
    """A good stream that this host has no place for changes nothing (SR-36).
    """
    rtnl = Rtnl()
    world()
    stream = save("vm1")
    genl = Genl()
    # the address is another port's
    port("vm7", link="vmq1", number=1)
    before = snapshot(genl)
    error = refused(genl, "vm1b", stream, "taken address")
    ksft_in("vm7", error.msg)
    ksft_eq(snapshot(genl), before)
    rtnl.delete("vm7")
    # the adapter's own
    rtnl.set("vmq1", address="52:54:00:00:00:01")
    refused(genl, "vm1b", stream, "the adapter's address")
    rtnl.set("vmq1", address="52:54:00:00:00:ee")
    # an MTU that does not fit
    rtnl.set("vmq1", mtu=1000)
    before = snapshot(genl)
    ksft_in("MTU", refused(genl, "vm1b", stream, "MTU").msg)
    ksft_eq(snapshot(genl), before)
    rtnl.set("vmq1", mtu=1500)
    restore("vm1b", stream)


def test_events():
    """port-ntf follows the migration state."""
    world(acl=False)
    with monitor() as events:
        stream = save("vm1")
        restore("vm1b", stream)
        seen = [(each["msg"]["dev"], each["msg"]["migration"])
                for each in events() if each["name"] == "port-ntf"]

    def states(dev):
        found = []
        for name, state in seen:
            if name == dev and found[-1:] != [state]:
                found.append(state)
        return found

    ksft_eq(states("vm1"), ["saving", "saved"])
    ksft_eq(states("vm1b"), ["restoring", "validated", "idle"])


def test_vmqctl_messages():
    """vmqctl prints the kernel's text, exits with 1, leaves nothing behind."""
    world(acl=False)
    stream = save("vm1")
    with open("/run/cut", "wb") as output:
        output.write(stream[:-1])
    status, message = fail_cmd("sh", "-c",
                               "vmqctl port restore dev vm1b < /run/cut")
    ksft_eq(status, 1)
    ksft_true(message)
    status, message = fail_cmd("vmqctl stream show /run/cut")
    ksft_eq(status, 1)
    status, message = fail_cmd("vmqctl port save dev nosuch")
    ksft_eq(status, 1)
    ksft_in("no such device", message.lower())
    status, message = fail_cmd("vmqctl port save dev vmq0 file /run/y")
    ksft_in("not a port", message)
    status, _ = fail_cmd("vmqctl port restore")
    ksft_eq(status, 2, "bad usage")


if __name__ == "__main__":
    ksft_main(globals())
