#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: qemu
"""The gate over a save and a restore: no frame is lost or overtaken.

vm1 of vmq0 is the source, vm1b of vmq1 the destination; a guest by hand reads
the taps of both.
"""

import os
import struct

from lib import (Genl, NlError, Raw, Rtnl, Session, abort, adapter, cmd, defer,
                 ether, fail_cmd, ksft_eq, ksft_ge, ksft_in, ksft_lt,
                 ksft_main, ksft_pr, ksft_raises, ksft_true, mac, machine,
                 pair, port, restore, save, vmqctl, wait_until)
from lib.tap import Events, Guest, gate, port_get, port_set
from gate import announcements, crc32c, numbered, numbers, ours, says
from tap import LARGE, MSS, SEGMENTS, unfinished
from lib import build
from switch import good_checksum

SLOW = machine() == "uml-debug"
HEADER, RECORD = 16, 48
GATE = bytes.fromhex("7e9b9adbe1ff40fa8e88d5cb9a5a8ddb")


def world():
    """-> the wires of both, the guest at both"""
    for number, dev in ((0, "vm1"), (1, "vm1b")):
        pair(f"up{number}", f"wire{number}")
        adapter(f"vmq{number}", uplink=f"up{number}")
        port(dev, link=f"vmq{number}", number=1 if number == 0 else 0x99)
    wires = [Raw(f"wire{number}") for number in (0, 1)]
    for wire in wires:
        defer(wire.close)
    return *wires, Guest("vm1"), Guest("vm1b")


def settle(dev, count, key="waiting_frames"):
    return wait_until(lambda: port_get(dev)[key] == count, 20)


def read(count, key="rx_packets", dev="vm1"):
    """Waits until as many frames are in the guest's ring."""
    return wait_until(lambda: port_get(dev)[key] >= count, 20)


def test_save_closes():
    """A save leaves an open gate automatic: silent, frames wait; the guest's
    next frame opens it, and nothing was lost (section 6)."""
    wire, _, guest, _ = world()
    guest.send(says("10.0.0.1"))
    stream = save("vm1")
    ksft_true(stream)
    ksft_eq(gate(), "auto")
    ksft_eq(port_get()["migration"], 2, "saved")
    wire.drain()
    wire.send(*numbered(10))
    ksft_true(settle("vm1", 10))
    ksft_eq(guest.all(match=ours), [])
    with Raw("vm1") as host:
        host.send(ether(9, 1, payload=b"not the guest"))
    ksft_eq(wire.all(match=lambda got: got[6:12] == mac(1)), [])
    guest.send(ether(9, 1, payload=b"it goes on here"))
    ksft_eq(gate(), "open")
    ksft_eq(numbers(guest.all(0.5, count=10)), list(range(10)))
    ksft_ge(len(wire.all(0.3, lambda got: b"goes on" in got)), 1)


def test_save_keeps():
    """A gate that was closed, or automatic, stays so after save and abort."""
    world()
    for mode in ("closed", "auto"):
        port_set(gate=mode)
        save("vm1")
        ksft_eq(gate(), mode)
        abort("vm1")
        ksft_eq(gate(), mode)


def test_ring_moves():
    """What the guest had not read when it was saved, and what came while and
    before the restore at the destination, is there in that order; it was
    received once, and counted once (L-03, L-06)."""
    wire0, wire1, guest0, guest1 = world()
    port_set("vm1b", gate="auto")
    wire0.send(*numbered(20))
    ksft_true(read(20), "in the ring")
    session = Session("vm1", False)
    wire0.send(*numbered(10, first=20))
    ksft_true(settle("vm1", 30), "ring and new frames wait")
    stream = session.read(None)
    session.close()
    ksft_eq(port_get()["frames_saved"], 30)
    ksft_eq(guest0.all(0.05, ours), [], "the ring was emptied")

    wire1.send(*numbered(5, dst=0x99, first=30))
    ksft_true(settle("vm1b", 5), "the destination holds already")
    source = port_get()
    restore("vm1b", stream)
    shown = port_get("vm1b")
    ksft_eq(gate("vm1b"), "auto", "until the guest is there")
    ksft_eq((shown["waiting_frames"], shown["frames_restored"]), (35, 30))
    ksft_eq(shown["rx_packets"], source["rx_packets"])
    ksft_eq(guest1.all(0.05, ours), [])
    wire1.drain()
    guest1.send(ether(9, 1, payload=b"here now"))
    ksft_eq(numbers(guest1.all(0.5, count=35)), list(range(35)))
    wire1.send(*numbered(3, first=35))
    ksft_eq(numbers(guest1.all(0.5, count=3)), [35, 36, 37])
    shown = port_get("vm1b")
    ksft_eq(shown["rx_packets"], source["rx_packets"] + 10 + 5 + 3)
    ksft_eq((shown["frames_dropped"], shown["rx_drops"]), (0, 0))


def test_abort():
    """A save that is aborted, closed early, or that ended well and is aborted
    then, opens the gate again: what waited comes in its order."""
    wire, _, guest, _ = world()
    first = 0
    for how in ("abort", "close", "saved"):
        before = port_get()["rx_packets"]
        wire.send(*numbered(8, first=first))
        ksft_true(read(before + 8))
        session = Session("vm1", False)
        ksft_eq(gate(), "auto")
        wire.send(*numbered(4, first=first + 8))
        ksft_true(settle("vm1", 12))
        if how == "saved":
            session.read(None)
        if how != "close":
            abort("vm1")
        session.close()
        ksft_eq(gate(), "open", how)
        ksft_eq(numbers(guest.all(0.5, count=12)),
                list(range(first, first + 12)), how)
        ksft_eq(port_get()["rx_packets"], before + 12, f"{how}: counted once")
        first += 12


def test_resumed_while_saving():
    """A guest that goes on while its port is being saved opens the gate."""
    wire, _, guest, _ = world()
    wire.send(*numbered(3))
    ksft_true(read(3))
    session = Session("vm1", False)
    guest.send(ether(9, 1))
    ksft_eq(gate(), "open")
    ksft_eq(numbers(guest.all(0.5, count=3)), [0, 1, 2])
    stream = session.read(None)
    session.close()
    ksft_eq(gate(), "open")
    restore("vm1b", stream)
    ksft_eq(port_get("vm1b")["frames_restored"], 0)


def test_addresses():
    """Addresses that the source heard of are announced by the destination,
    where nothing was heard of them (section 6)."""
    _, wire1, guest0, guest1 = world()
    guest0.send(says("10.0.0.1"), says("10.0.0.7", 7))
    port_set("vm1b", gate="auto", announce_count=2, announce_interval=20)
    restore("vm1b", save("vm1"))
    ksft_eq(port_get("vm1b")["address"], ["10.0.0.1", "10.0.0.7@7"])
    wire1.drain()
    guest1.send(ether(9, 1))
    ksft_true(wait_until(lambda: port_get("vm1b")["announced"] == 6, 20))
    ksft_eq(announcements(wire1.all(0.2)),
            {(0, "RARP"): 2, (0, "10.0.0.1"): 2, (7, "10.0.0.7"): 2})


def test_failed_restore():
    """A restore that fails leaves the gate, what waits there, and the known
    addresses as they were (SR-36)."""
    wire0, wire1, guest0, guest1 = world()
    guest0.send(says("10.0.0.1"))
    wire0.send(*numbered(5))
    ksft_true(read(5))
    stream = save("vm1")
    port_set("vm1b", gate="auto")
    wire1.send(*numbered(2, dst=0x99, first=50))
    ksft_true(settle("vm1b", 2))
    Rtnl().set("vmq1", address="52:54:00:00:00:01")   # its address is taken
    with ksft_raises(NlError):
        restore("vm1b", stream)
    shown = port_get("vm1b")
    ksft_eq((gate("vm1b"), shown["waiting_frames"], shown["frames_restored"]),
            ("auto", 2, 0))
    ksft_true("address" not in shown)
    guest1.send(ether(9, 0x99))
    ksft_eq(numbers(guest1.all(0.5, count=2)), [50, 51])


def test_back():
    """There and back: what a port kept for an earlier stream is not delivered
    a second time."""
    wire0, wire1, guest0, guest1 = world()
    wire0.send(*numbered(4))
    ksft_true(read(4))
    stream = save("vm1")
    ksft_eq(port_get()["waiting_frames"], 4, "in case the guest goes on here")
    restore("vm1b", stream)
    ksft_eq(numbers(guest1.all(0.5, count=4)), [0, 1, 2, 3])
    Rtnl().set("vm1", address="52:54:00:00:00:77")
    wire1.send(*numbered(2, first=4))
    ksft_true(read(6, dev="vm1b"))
    stream = save("vm1b")
    Rtnl().delete("vm1b")
    restore("vm1", stream)
    ksft_eq(gate(), "auto")
    guest0.send(ether(9, 1))
    ksft_eq(numbers(guest0.all(0.5)), [4, 5])


def test_large():
    """A large segment with an unfinished checksum, in the ring or at a closed
    gate, arrives as the segments that the wire would have carried, checksums
    good."""
    _, _, _, guest1 = world()
    Rtnl().add("vm2", "vmqport", link="vmq0", address="52:54:00:00:00:02")
    # or the host's own IPv6 has something to say to the guest
    cmd("ip link set vm2 addrgenmode none")
    Rtnl().up("vm2")
    other = os.open(f"/dev/{port_get('vm2')['tap']}", os.O_RDWR)
    frame, header = unfinished(build(
        1, "10.7.0.2", "10.7.0.1", "tcp", src=2, flags=0x10, payload=LARGE),
        1, MSS)
    for mode in ("open", "closed"):
        port_set(gate=mode)
        before = port_get()["rx_packets"]
        os.write(other, header + frame)
        if mode == "open":
            ksft_true(read(before + 1))
        else:
            ksft_true(settle("vm1", 1), "one frame, whole")
        stream = save("vm1")
        ksft_eq(port_get()["frames_saved"], len(SEGMENTS), mode)
        port_set("vm1b", gate="auto")
        restore("vm1b", stream)
        guest1.send(ether(9, 1))
        got = guest1.all(0.5, lambda each: each[:6] == mac(1), len(SEGMENTS))
        ksft_eq([len(each) for each in got], SEGMENTS, mode)
        ksft_true(all(good_checksum(each) for each in got), "checksums")
        ksft_eq(b"".join(each[54:] for each in got), LARGE)
        abort("vm1")
        if mode == "open":
            # the guest has back what it had not read, before the gate closes
            ksft_true(settle("vm1", 0), "open again")
    os.close(other)


def test_many():
    """As many frames as may wait move, in several records."""
    wire0, _, _, guest1 = world()
    count = 600 if SLOW else 2000
    port_set(gate="closed")
    frames = [ether(1, 9, payload=struct.pack("!I", n) + bytes(n % 1400))
              for n in range(count)]
    wire0.send(*frames)
    ksft_true(settle("vm1", count), "they wait")
    stream = save("vm1")
    cmd("vmqctl port set dev vm1b gate auto")
    restore("vm1b", stream)
    ksft_eq(port_get("vm1b")["waiting_frames"], count)
    guest1.send(ether(9, 1))
    ksft_eq(guest1.all(1, ours, count) == frames, True)
    [shown] = vmqctl("port show dev vm1b")
    ksft_eq((shown["frames-restored"], shown["frames-dropped"]), (count, 0))
    ksft_ge(shown["records"], 3)


def test_bounded_restore():
    """A destination that has less room takes the oldest, counts the rest, and
    works."""
    wire0, _, _, guest1 = world()
    port_set(gate="closed")
    wire0.send(*numbered(50))
    ksft_true(settle("vm1", 50))
    port_set("vm1b", gate="auto", hold_frames=20)
    restore("vm1b", save("vm1"))
    shown = port_get("vm1b")
    ksft_eq((shown["waiting_frames"], shown["frames_restored"],
             shown["frames_dropped"]), (20, 50, 30))
    guest1.send(ether(9, 1))
    ksft_eq(numbers(guest1.all(0.5, count=20)), list(range(20)))


def test_hold_and_forward():
    """Between the save and the switch of the fabric the source forwards to the
    destination, where the frames wait: none is lost, none out of order."""
    wire0, _, _, guest1 = world()
    pair("tunnel0", "tunnel1")
    cmd("tc qdisc add dev tunnel1 clsact")
    cmd("tc filter add dev tunnel1 ingress matchall action mirred ingress "
        "redirect dev up1")
    cmd("vmqctl port set dev vm1 redirect tunnel0")
    port_set("vm1b", gate="auto")
    wire0.send(*numbered(10))
    ksft_true(read(10))
    session = Session("vm1", False)
    wire0.send(*numbered(10, first=10))
    ksft_true(settle("vm1", 20), "no redirection while it is being saved")
    ksft_eq(port_get("vm1b")["waiting_frames"], 0)
    stream = session.read(None)
    session.close()
    Rtnl().set("vm1b", address="52:54:00:00:00:01")   # where frames find it
    wire0.send(*numbered(10, first=20))
    ksft_true(settle("vm1b", 10), "forwarded")
    restore("vm1b", stream)
    wire0.send(*numbered(10, first=30))
    ksft_true(settle("vm1b", 40))
    guest1.send(ether(9, 1))
    wire0.send(*numbered(10, first=40))
    ksft_eq(numbers(guest1.all(0.5, count=50)), list(range(50)))
    source, shown = port_get(), port_get("vm1b")
    ksft_eq(source["frames_redirected"], 30)
    ksft_eq((source["frames_dropped"], shown["frames_dropped"]), (0, 0))


def test_no_queue_there():
    """A destination that has no queue left for the port takes its state, and
    the guest works from the default queue (L-13)."""
    wire0, wire1, _, _ = world()
    Rtnl().delete("vm1b")
    Rtnl().delete("vmq1")
    adapter("vmq1", uplink="up1", rxq=2)
    port("vm2", link="vmq1", number=2)
    port("vm1b", link="vmq1", number=0x99)
    ksft_eq(vmqctl("port show dev vm1b")[0]["queues"], [0])
    there = Guest("vm1b")
    port_set("vm1b", gate="auto")
    wire0.send(*numbered(6))
    ksft_true(read(6))
    restore("vm1b", save("vm1"))
    there.send(ether(9, 1, payload=b"here now"))
    ksft_eq(numbers(there.all(0.5, count=6)), list(range(6)))
    wire1.drain()
    wire1.send(*numbered(3, first=6))
    ksft_eq(numbers(there.all(0.5, count=3)), [6, 7, 8])
    there.send(ether(9, 1, payload=b"and back"))
    ksft_ge(len(wire1.all(0.3, lambda got: b"and back" in got)), 1)
    shown = port_get("vm1b")
    ksft_eq((shown["frames_dropped"], shown["rx_drops"]), (0, 0))


def test_without_qemu():
    """The same by `vmqctl port save | vmqctl port restore`, as over ssh; the
    report tells what it took (section 6)."""
    wire0, _, _, guest1 = world()
    wire0.send(*numbered(7))
    ksft_true(read(7))
    cmd("vmqctl port set dev vm1b gate auto")
    events = Events()
    cmd("sh", "-c", "vmqctl port save dev vm1 | vmqctl port restore dev vm1b")
    guest1.send(ether(9, 1))
    ksft_eq(numbers(guest1.all(0.5, count=7)), list(range(7)))
    told = events.port(lambda event: event["dev"] == "vm1b" and
                       event["gate"] == 0)
    [source], [shown] = vmqctl("port show dev vm1"), \
        vmqctl("port show dev vm1b")
    ksft_lt(0, source["save-usecs"])
    ksft_lt(0, shown["restore-usecs"])
    ksft_lt(0, shown["gap-usecs"])
    ksft_lt(shown["gap-usecs"], 60_000_000)
    ksft_eq((source["frames-saved"], shown["frames-restored"],
             shown["frames-replayed"], shown["frames-dropped"]), (7, 7, 7, 0))
    ksft_true(told, "an event")
    if told:
        ksft_eq((told["frames_replayed"], told["gap_usecs"]),
                (7, shown["gap-usecs"]), "the event is the report")
    ksft_pr(f"save {source['save-usecs']} us, restore "
            f"{shown['restore-usecs']} us, gap {shown['gap-usecs']} us")


def test_stream_show():
    """`vmqctl stream show` decodes what the gate wrote."""
    wire0, _, guest0, _ = world()
    guest0.send(says("10.0.0.7", 7))
    wire0.send(*numbered(2))
    ksft_true(read(2))
    with open("/run/stream", "wb") as stream:
        stream.write(save("vm1"))
    shown = vmqctl("stream show /run/stream")
    records = shown[0]["record"] if "record" in shown[0] else shown
    [record] = [each for each in records if each.get("name") == "gate"]
    ksft_eq(record["address"], [{"ip": "10.0.0.7", "vlan": 7}])
    ksft_eq([(each["length"], each["dst"], each.get("counted"))
             for each in record["frame"]],
            [(60, "52:54:00:00:00:01", True)] * 2)


def gate_stream(stream, data):
    """The stream, with other data in the gate's record."""
    at = HEADER
    out = stream[:at]
    while at < len(stream) - RECORD - 8:
        length, = struct.unpack_from("<I", stream, at)
        size = RECORD + (length + 7 & ~7)
        record = stream[at:at + size]
        if record[8:24] == GATE:
            record = struct.pack("<I", len(data)) + record[4:RECORD] + \
                data.ljust(len(data) + 7 & ~7, b"\0")
        out += record
        at += size
    body = bytearray(out + stream[at:])
    body[-4:] = struct.pack("<I", crc32c(bytes(body[:-4])))
    return bytes(body)


def item(kind, data):
    return struct.pack("<HH", kind, len(data)) + \
        data.ljust(len(data) + 3 & ~3, b"\0")


def test_hostile():
    """Records of the gate that no gate wrote are refused, by the kernel and by
    `stream show`, and change nothing; unknown items that may be skipped are.
    """
    world()
    stream = save("vm1")
    good = item(3, struct.pack("<HHHH", 0, 0, 0, 0) + ether(1))
    before = port_get("vm1b")
    for data, words in (
            (good[:-1], "cut short"), (good[:3], "cut short"),
            (item(3, bytes(8) + bytes(13)), "too short"),
            (item(3, struct.pack("<HHHH", 0, 4, 0, 0) + ether(1)), "not one"),
            (item(3, struct.pack("<HHHH", 0, 1, 0x800, 0) + ether(1)),
             "not one"),
            (item(3, struct.pack("<HHHH", 0, 0, 0, 7) + ether(1)), "not one"),
            (item(1, bytes(7)), "time"), (item(1, b"\xff" * 8), "time"),
            (item(2, bytes(19)), "wrong length"),
            (item(2, bytes(20)), "not one"),
            (item(2, struct.pack("<BBH", 4, 0, 4095) + b"\1" * 16), "not one"),
            (item(2, b"\6\0\0\0" + b"\x20" * 16) * 1 +
             item(2, (b"\6\0\0\0" + b"\x20" * 16) * 17), "wrong length"),
            (item(77, b""), "unknown item")):
        with ksft_raises(NlError, words) as caught:
            restore("vm1b", gate_stream(stream, data))
        if caught.exception:
            ksft_in(words, caught.exception.msg)
        after = port_get("vm1b")
        ksft_eq((after["mac"], after["waiting_frames"], after["migration"]),
                (before["mac"], 0, 0))
    with open("/run/bad", "wb") as bad:
        bad.write(gate_stream(stream, item(77, b"")))
    fail_cmd("vmqctl stream show /run/bad")
    restore("vm1b", gate_stream(stream, item(0x8077, b"news") + good))
    ksft_eq(port_get("vm1b")["frames_restored"], 1)


def test_soak():
    """Save, restore, open, back again under traffic: every frame arrives, in
    order."""
    wire0, wire1, guest0, guest1 = world()
    genl = Genl()
    rounds = 20 if SLOW else 200
    sides = [("vm1", wire0, guest0), ("vm1b", wire1, guest1)]
    sent = 0
    got = []
    for turn in range(rounds):
        (source, wire, _), (target, _, there) = sides
        wire.send(*numbered(5, first=sent))
        ksft_true(wait_until(lambda: port_get(source, genl)["rx_packets"] >=
                             sent + 5, 5), "arrived")
        port_set(target, gate="auto")
        restore(target, save(source, genl), genl)
        there.send(ether(9, 1))
        got += numbers(there.all(1, ours, 5))
        sent += 5
        if got != list(range(sent)):
            ksft_eq(got[-10:], list(range(sent))[-10:], f"round {turn}")
            return
        sides.reverse()
    ksft_eq(len(got), rounds * 5)


if __name__ == "__main__":
    ksft_main(globals())
