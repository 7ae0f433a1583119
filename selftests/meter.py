#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: qemu
"""The bundled extension meter: limits of real traffic, and what moves."""

import contextlib
import errno
import functools
import os
import tempfile
import threading
import time

from lib import (UAPI, Genl, NetNS, NlError, Raw, Rtnl, Session, adapter, attr,
                 attr_str, attr_u32, build, cmd, defer, ether, ethtool_stats,
                 ext_set, fail_cmd, ksft_eq, ksft_ge, ksft_in, ksft_lt,
                 ksft_main, ksft_pr, ksft_raises, ksft_true, link_stats, mac,
                 machine, pair, port, restore, save, vmqctl, wait_until)
from lib.meter import meter_get, meter_set
from lib.traffic import transfer

SLOW = machine() != "uml-plain"
GUEST, OUTSIDE = "10.7.0.1", "10.7.0.9"
SECONDS = 2.0
# how far from the limit a measurement may be: of a clock read by a program on
# a machine that does other things, too. KUnit has the exact numbers.
BELOW, ABOVE = 0.90, 1.05


def world(second=False):
    """-> raw sockets outside and in the guest"""
    for number in (0, 1) if second else (0,):
        pair(f"up{number}", f"wire{number}")
        adapter(f"vmq{number}", uplink=f"up{number}", rxq=8)
        ext_set(f"vmq{number}", 1, "meter")
    port("vm1", number=1)
    if second:
        port("vm1b", link="vmq1", number=0x99)
    made = Raw("wire0"), Raw("vm1")
    for each in made:
        defer(each.close)
    return made


def frame_out(size=1000, number=0):
    """From the guest to somebody outside"""
    return ether(9, 1, payload=number.to_bytes(4, "big")).ljust(size, b"\0")


def frame_in(size=1000, dst=1):
    return ether(dst, 9).ljust(size, b"\0")


def flood(sender, frame, seconds):
    """Sends as fast as it can for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(20):
            with contextlib.suppress(OSError):
                sender.sock.send(frame)


def reading():
    """-> the meter of vm1, and when it was read, to a few ms"""
    best = None
    for _ in range(50):
        begin = time.monotonic()
        shown = meter_get("vm1")
        took = time.monotonic() - begin
        if best is None or took < best[0]:
            best = took, shown, begin + took / 2
        if took < 0.005:
            break
    return best[1:]


def measure(sender, frame, direction):
    """-> packets and bytes a second that pass once the burst is used up; none where
    no more was sent than may pass

    What is saved up while somebody else has the CPU has not passed yet: it counts
    when it is saved, and not when it is used.
    """
    flood(sender, frame, 0.1)
    while meter_get("vm1").get(f"{direction}-dropped-packets") == 0:
        flood(sender, frame, 0.1)
    before, begin = reading()
    flood(sender, frame, SECONDS)
    after, end = reading()

    def grown(name):
        return after.get(f"{direction}-{name}", 0) - \
            before.get(f"{direction}-{name}", 0)

    if not grown("dropped-packets"):
        return 0, 0
    return [(grown(f"passed-{what}") + grown(tokens)) / (end - begin)
            for what, tokens in (("packets", "pps-tokens"), ("bytes", "tokens"))]


def packets(*what):
    return measure(*what)[0]


def close_to(measure_it, limit, what):
    """Asks again where it is not: who is kept off the CPU for longer than it takes to
    save up the burst may send less."""
    for _ in range(12):
        measured = measure_it()
        if limit * BELOW <= measured < limit * ABOVE:
            break
    ksft_pr(f"{what}: {measured:.0f} of {limit}, {measured / limit:.4f}")
    ksft_ge(measured, limit * BELOW, what)
    ksft_lt(measured, limit * ABOVE, what)


def rate():
    """Bits a second that a test program surely sends more than."""
    return 4_000_000 if SLOW else 16_000_000


def test_enable():
    """X-01, X-05: a filter, off until it is enabled; shows what there is."""
    wire, guest = world()
    [shown] = [each for each in vmqctl("ext show dev vmq0")
               if each["name"] == "meter"]
    ksft_eq((shown["enabled"], shown["class"]), (1, "filter"))
    [shown] = vmqctl("meter show dev vm1")
    ksft_eq((shown["dev"], shown["shape"]), ("vm1", False))
    ksft_true("tx-rate" not in shown)
    guest.send(frame_out(500))
    ksft_true(wire.expect(frame_out(500)), "no limit")
    ksft_eq([meter_get("vm1")[f"tx-{name}"] for name in
             ("passed-packets", "passed-bytes", "dropped-packets")],
            [1, 500, 0])
    cmd("vmqctl meter set dev vm1 rx-rate 100mbit rx-burst 64k tx-rate 1gbps "
        "tx-pps 50k shape on shape-limit 1m")
    [shown] = vmqctl("meter show dev vm1")
    wanted = {"rx-rate": 100_000_000, "rx-burst": 65536,
              "tx-rate": 8_000_000_000, "tx-burst": 10_000_000,
              "tx-pps": 50000, "tx-pps-burst": 500, "shape": True,
              "shape-limit": 1 << 20, "rx-tokens": 65536}
    ksft_eq({name: shown.get(name) for name in wanted}, wanted)
    text = cmd("vmqctl meter show dev vm1")
    for word in ("rx-rate 100Mbit", "rx-burst 64Kb", "tx-rate 8Gbit",
                 "shape on", "shape-limit 1Mb"):
        ksft_in(word, text)
    cmd("vmqctl meter set dev vm1 rx-rate none")
    [shown] = vmqctl("meter show dev vm1")
    ksft_true("rx-rate" not in shown and "tx-rate" in shown)
    cmd("vmqctl meter clear dev vm1")
    [shown] = vmqctl("meter show dev vm1")
    ksft_true("tx-rate" not in shown and not shown["shape"])
    ksft_eq(shown["tx-passed-packets"], 1, "counters stay")


def test_tx_rate():
    """What the guest sends is limited in bits a second, nothing else is."""
    wire, guest = world()
    meter_set("vm1", tx_rate=rate(), tx_burst=rate() // 16)
    before = link_stats("vm1")["tx_bytes"]
    counted = meter_get("vm1")["tx-passed-bytes"]
    close_to(lambda: measure(guest, frame_out(), "tx")[1] * 8, rate(),
             "bits a second")
    ksft_eq(link_stats("vm1")["tx_bytes"] - before,
            meter_get("vm1")["tx-passed-bytes"] - counted,
            "the port counts the same")
    wire.drain()
    guest.drain()
    wire.send(frame_in())
    ksft_true(guest.expect(frame_in()), "the other way")


def test_rx_rate():
    """What the guest receives is limited in bits a second; broadcasts, too."""
    wire, guest = world()
    meter_set("vm1", rx_rate=rate(), rx_burst=rate() // 16)
    close_to(lambda: measure(wire, frame_in(), "rx")[1] * 8, rate(),
             "bits a second")
    wire.drain()
    guest.send(frame_out())
    ksft_true(wire.expect(frame_out()), "the other way")
    # a bucket that is empty: none of them passes
    meter_set("vm1", rx_rate=8000, rx_burst=2000)
    before = meter_get("vm1")
    wire.send(*[frame_in(1500, b"\xff" * 6)] * 4)
    wait_until(lambda: meter_get("vm1")["rx-dropped-packets"] >=
               before["rx-dropped-packets"] + 3)


def test_pps():
    """Packets a second, in both directions, whatever their size."""
    wire, guest = world()
    limit = 500 if SLOW else 2000
    meter_set("vm1", tx_pps=limit, tx_pps_burst=limit // 2, rx_pps=limit,
              rx_pps_burst=limit // 2)
    for sender, frame, direction in ((guest, frame_out(60), "tx"),
                                     (wire, frame_in(1400), "rx")):
        close_to(functools.partial(packets, sender, frame, direction), limit,
                 f"{direction} packets a second")


def test_burst():
    """After a pause a burst passes at once, and no more."""
    wire, guest = world()
    begin = time.monotonic()

    def earned():
        """Bytes at most: a slow machine earns a frame or two meanwhile"""
        return 1000 * (time.monotonic() - begin)

    meter_set("vm1", tx_rate=8000, tx_burst=10000)
    wire.drain()
    guest.send(*[frame_out(number=each) for each in range(30)])
    got = wire.all(match=lambda frame: frame[:6] == mac(9))
    ksft_ge(len(got), 10)
    ksft_lt(len(got), 11 + earned() / 1000)
    ksft_eq([frame[14:18] for frame in got[:10]],
            [each.to_bytes(4, "big") for each in range(10)])
    shown = meter_get("vm1")
    ksft_lt(shown["tx-tokens"], 1000 + earned())
    ksft_eq(shown["tx-passed-packets"] + shown["tx-dropped-packets"], 30)
    ksft_eq(vmqctl("port show dev vm1")[0]["ext-drops"],
            shown["tx-dropped-packets"], "X-41")
    ksft_eq(link_stats("vm1")["tx_dropped"], shown["tx-dropped-packets"])
    # setting it again is no second burst
    meter_set("vm1", tx_rate=8000)
    ksft_lt(meter_get("vm1")["tx-tokens"], 1000 + earned())
    # received frames have a bucket of their own
    begin = time.monotonic()
    meter_set("vm1", rx_rate=8000, rx_burst=5000)
    wire.send(*[frame_in()] * 20)
    more = earned() / 1000
    got = len(guest.all(match=lambda frame: frame[:6] == mac(1)))
    ksft_ge(got, 5)
    ksft_lt(got, 6 + more)
    ksft_eq(ethtool_stats("vm1")["rx_drops_extension"], 20 - got)


def test_ports_apart():
    """Each port has limits of its own."""
    wire, guest = world()
    port("vm2", number=2)
    meter_set("vm1", tx_rate=8000, tx_burst=1000)
    guest.send(*[frame_out()] * 5)
    ksft_ge(meter_get("vm1")["tx-dropped-packets"], 3)
    with Raw("vm2") as other:
        wire.drain()
        other.send(*[ether(9, 2).ljust(1000, b"\0")] * 5)
        ksft_eq(len(wire.all(match=lambda got: got[6:12] == mac(2))), 5)
    ksft_eq(meter_get("vm2")["tx-passed-packets"], 5)


def test_shape():
    """Frames wait instead of being dropped: all arrive, in their order, and
    not sooner than the limit allows."""
    wire, guest = world()
    for count in range(100, 600, 100):
        meter_set("vm1", tx_rate=800_000, tx_burst=5000, shape=1,
                  shape_limit=200_000)
        wire.drain()
        before = meter_get("vm1")["tx-delayed-packets"]
        begin = time.monotonic()
        guest.send(*[frame_out(number=each) for each in range(100)])
        waiting = meter_get("vm1")
        sent = time.monotonic() - begin
        got = []
        while len(got) < 100:
            frame = wire.recv(20)
            if frame is None:
                break
            if frame[:6] == mac(9):
                got.append(frame)
        end = time.monotonic()
        ksft_eq([frame[14:18] for frame in got],
                [each.to_bytes(4, "big") for each in range(100)])
        ksft_ge(end - begin, 0.95)  # 95 frames behind the burst, 10 ms each
        ksft_pr(f"{end - begin:.3f} s for 0.95 s of frames")
        # the counters of the port follow when they go
        wait_until(lambda: meter_get("vm1")["tx-waiting-packets"] == 0)
        shown = meter_get("vm1")
        ksft_eq((shown["tx-passed-packets"], shown["tx-dropped-packets"]),
                (count, 0))
        ksft_eq(link_stats("vm1")["tx_packets"], count)
        ksft_ge(shown["tx-delayed-packets"] - before, 94 - 100 * sent)
        if sent < 0.5:          # it had the CPU
            break
    ksft_ge(waiting["tx-waiting-bytes"], 1000)
    # no more wait than there is room for; more than this is not even taken
    # from a sender, whose socket has a limit of its own
    meter_set("vm1", shape_limit=20_000)
    guest.send(*[frame_out()] * 400)
    ksft_ge(meter_get("vm1")["tx-dropped-packets"], 1)
    # without limits they go at once
    meter_set("vm1", clear=True)
    wait_until(lambda: meter_get("vm1")["tx-waiting-packets"] == 0)
    shown = meter_get("vm1")
    ksft_eq(shown["tx-passed-packets"] + shown["tx-dropped-packets"],
            count + 400)
    ksft_eq(link_stats("vm1")["tx_packets"], shown["tx-passed-packets"])


def test_shape_ends():
    """Frames that wait when the extension or the port goes: dropped."""
    world()
    for how in ("disable", "down", "delete"):
        meter_set("vm1", tx_rate=80_000, tx_burst=1000, shape=1)
        with Raw("vm1") as guest:
            guest.send(*[frame_out()] * 50)
        ksft_ge(meter_get("vm1")["tx-waiting-packets"], 10, how)
        before = link_stats("vm1")
        if how == "disable":
            ext_set("vmq0", 0, "meter")
            after = link_stats("vm1")
            ksft_ge(after["tx_dropped"] - before["tx_dropped"], 10, how)
            ext_set("vmq0", 1, "meter")
        elif how == "down":
            begin = time.monotonic()
            Rtnl().set("vm1", up=False)
            down = link_stats("vm1")["tx_packets"]
            # ten a second go, of some forty, until it is down
            ksft_lt(down - before["tx_packets"],
                    5 + 10 * (time.monotonic() - begin), how)
            meter_set("vm1", clear=True)
            wait_until(lambda: meter_get("vm1")["tx-waiting-packets"] == 0)
            ksft_eq(link_stats("vm1")["tx_packets"], down)
            Rtnl().up("vm1")
        else:
            Rtnl().delete("vm1")


def test_tcp():
    """TCP with large segments: they count with the headers of each; a flow that
    is shaped loses nothing."""
    outside = NetNS()
    pair()
    adapter("vmq0", uplink="up0")
    ext_set("vmq0", 1, "meter")
    rtnl = Rtnl()
    rtnl.set("wire0", netns_fd=outside.fd)
    with outside:
        Rtnl().up("wire0")
        Rtnl().addr("wire0", OUTSIDE, 24)
    port("vm1", number=1)
    rtnl.addr("vm1", GUEST, 24)
    defer(outside.close)
    limit = 16_000_000 if machine() == "uml-debug" else 40_000_000
    meter_set("vm1", tx_rate=limit, tx_burst=150_000, shape=1)
    size = limit // 8 * 2
    for _ in range(6):
        before, frames = meter_get("vm1"), link_stats("vm1")["tx_packets"]
        equal, took = transfer(contextlib.nullcontext(), outside, OUTSIDE, size,
                               source=GUEST)
        ksft_true(equal)
        after = meter_get("vm1")
        packets = after["tx-passed-packets"] - before["tx-passed-packets"]
        sent = after["tx-passed-bytes"] - before["tx-passed-bytes"]
        ksft_pr(f"{size * 8 / took / limit:.3f} of the limit, {packets} packets, "
                f"{link_stats('vm1')['tx_packets'] - frames} frames")
        # 1460 bytes of data a packet at most, and headers with each
        ksft_ge(packets, size // 1460)
        ksft_ge(sent, size + size // 1460 * 54)
        ksft_lt(size * 8 / took, limit * ABOVE + 150_000 * 8 / took)
        if size * 8 / took >= limit * 0.6:
            break
    ksft_ge(size * 8 / took, limit * 0.6)


def levels():
    """vm1 has used up its burst, in both directions; -> the sockets"""
    wire, guest = world(second=True)
    limits = {"tx_rate": 8000, "tx_burst": 1_000_000, "rx_pps": 1,
              "rx_pps_burst": 1000}
    meter_set("vm1", **limits)
    guest.send(*[frame_out(1500)] * 640)
    wire.send(*[frame_in(100)] * 950)
    wait_until(lambda: meter_get("vm1")["rx-passed-packets"] >= 900)
    return wire, guest, limits


def test_no_second_burst():
    """SR: after a move what is left of the burst is what was left, not a new
    one; counters go on."""
    wire, guest, limits = levels()
    meter_set("vm1b", **limits)
    left = meter_get("vm1")
    ksft_lt(left["tx-tokens"], 100_000)
    ksft_eq(meter_get("vm1b")["tx-tokens"], 1_000_000)
    stream = save("vm1")
    restore("vm1b", stream)
    shown = meter_get("vm1b")
    # 1000 bytes and a packet a second are earned meanwhile
    ksft_lt(shown["tx-tokens"], 150_000)
    ksft_lt(shown["rx-pps-tokens"], 200)
    for name in ("tx-passed-packets", "tx-passed-bytes", "rx-passed-packets"):
        ksft_ge(shown[name], left[name], name)
    with Raw("vm1b") as moved:
        moved.send(*[frame_out(1500)] * 400)
    after = meter_get("vm1b")
    ksft_lt(after["tx-passed-bytes"] - shown["tx-passed-bytes"], 150_000)
    ksft_ge(after["tx-dropped-packets"] - shown["tx-dropped-packets"], 200)
    ksft_true("tx-rate" in after and "rx-pps" in after,
              "limits are configuration")


def test_limit_after_restore():
    """The limit is set on the other host after the restore only: no second
    burst either."""
    _, _, limits = levels()
    restore("vm1b", save("vm1"))
    ksft_true("tx-rate" not in meter_get("vm1b"))
    meter_set("vm1b", **limits)
    ksft_lt(meter_get("vm1b")["tx-tokens"], 150_000)
    ksft_lt(meter_get("vm1b")["rx-pps-tokens"], 200)


def test_restore_aborted():
    """SR-36: a restore that does not end well leaves levels and counters."""
    _, _, limits = levels()
    meter_set("vm1b", **limits)
    before = meter_get("vm1b")
    stream = save("vm1")
    with Session("vm1b", True) as session:
        session.write(stream)
    ksft_eq(meter_get("vm1b"), before, "not committed")
    at = stream.index(bytes.fromhex("6e0a7b521c944f6d9a38e75d20b18cc7")) + 40
    damaged = bytearray(stream)
    damaged[at + 8] = 7         # an unknown direction
    with ksft_raises(OSError):
        restore("vm1b", resealed(damaged))
    ksft_eq(meter_get("vm1b"), before, "refused")


def resealed(stream):
    """The stream with a checksum that is right."""
    crc = 0xffffffff
    for byte in stream[:-4]:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return bytes(stream[:-4]) + (crc ^ 0xffffffff).to_bytes(4, "little")


def test_stream_show():
    """vmqctl stream show has the levels in words."""
    levels()
    with tempfile.NamedTemporaryFile() as file:
        file.write(save("vm1"))
        file.flush()
        [shown] = vmqctl("stream", "show", file.name)
    [record] = [each for each in shown["record"] if each.get("name") == "meter"]
    receive, send = record["meter"]
    ksft_eq((receive["direction"], send["direction"]), ("rx", "tx"))
    ksft_lt(send["bytes-left"], 150_000)
    ksft_lt(receive["packets-left"], 200)
    ksft_eq(record["flags"], ["optional"])
    ksft_ge(send["passed-packets"], 600)


def test_refusals():
    """What is no limit is refused with a message, and nothing changes."""
    world()
    cmd("vmqctl meter set dev vm1 tx-rate 10mbit")
    before = meter_get("vm1")
    for text in ("tx-rate 1kbit", "tx-rate 2tbit", "rx-burst 5k",
                 "rx-pps-burst 5", "tx-pps 2000m", "tx-burst 0",
                 "shape-limit 1k", "shape on shape-limit 65m",
                 "tx-rate none shape on", "tx-rate 8000 tx-burst 4m",
                 "rx-rate 10mbit tx-rate 1"):
        status, message = fail_cmd(f"vmqctl meter set dev vm1 {text}")
        ksft_eq(status, 1, text)
        ksft_in("meter:" if "tx-burst 0" not in text and "65m" not in text
                else "integer", message, text)
    ksft_eq(meter_get("vm1"), before)
    for text in ("meter set dev vm1", "meter set dev vm1 tx-rate 5foo",
                 "meter show", "meter set tx-rate 5mbit"):
        ksft_eq(fail_cmd(f"vmqctl {text}")[0], 2, text)
    ksft_eq(fail_cmd("vmqctl meter show dev vmq0")[0], 1)


def test_raw_requests():
    """Nested attributes that are no good: refused with a message."""
    world()
    genl = Genl()
    for comment, data in (
            ("nothing", b""), ("unknown", attr_u32(77, 1)),
            ("rate of 4 bytes", attr_u32(UAPI["VMQ_A_METER_TX_RATE"], 8000)),
            ("an answer", attr_u32(UAPI["VMQ_A_METER_TX_TOKENS"], 1)),
            ("shape 7", attr(UAPI["VMQ_A_METER_SHAPE"], b"\7")),
            ("garbage", os.urandom(40))):
        with ksft_raises(NlError, comment) as caught:
            genl.call(UAPI["VMQ_CMD_EXT_PORT_SET"], attr_str(2, "vm1"),
                      attr_str(UAPI["VMQ_A_EXT_PORT_NAME"], "meter"),
                      attr(UAPI["VMQ_A_EXT_PORT_CONFIG"], data))
        if caught.exception:
            ksft_true(caught.exception.msg, f"{comment}: {caught.exception}")
            ksft_true(caught.exception.errno != errno.EOPNOTSUPP, comment)
    ksft_true("tx-rate" not in meter_get("vm1"))


def test_under_traffic():
    """Limits, shaping and the extension go on and off while frames flow."""
    wire, guest = world()
    stop = threading.Event()

    def send():
        while not stop.is_set():
            guest.send(*[frame_out()] * 50)
            wire.send(*[frame_in()] * 50)

    thread = threading.Thread(target=send)
    thread.start()
    defer(stop.set)
    genl = Genl()
    for count in range(6 if SLOW else 30):
        meter_set("vm1", genl, tx_rate=1_000_000 * (1 + count % 3),
                  tx_burst=3000, shape=1, rx_pps=1000)
        meter_set("vm1", genl, tx_rate=20_000_000)
        meter_set("vm1", genl, shape=0)
        meter_set("vm1", genl, tx_pps=50, shape=1)
        if count % 3 == 0:
            ext_set("vmq0", 0, "meter")
            ext_set("vmq0", 1, "meter")
        if count % 5 == 0:
            save("vm1")
        meter_set("vm1", genl, clear=True)
    stop.set()
    thread.join()
    wait_until(lambda: meter_get("vm1")["tx-waiting-packets"] == 0)
    wire.drain()
    frame = build(9, GUEST, OUTSIDE, src=1)
    guest.send(frame)
    ksft_true(wire.expect(frame))


def test_module():
    """Its module is pinned while it is enabled; after that it may go."""
    world()
    ksft_in("in use", fail_cmd("rmmod vmq_meter")[1])


if __name__ == "__main__":
    ksft_main(globals())
