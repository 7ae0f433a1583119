#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: uml-debug
"""The gate of a port: silence, frames that wait, and who opens it."""

import errno
import socket
import struct
import threading
import time

from lib import (NetNS, NlError, Raw, Rtnl, adapter, arp, cmd,
                 defer, ether, fail_cmd, ksft_eq, ksft_ge, ksft_in, ksft_lt,
                 ksft_main, ksft_pr, ksft_raises, ksft_true, mac, machine,
                 pair, port, restore, save, set_sysctl,
                 vmqctl, wait_until)
from lib.env import ready
from lib.frames import _pseudo, checksum
from lib.tap import Guest, gate, port_get, port_set

SLOW = machine() == "uml-debug"
ALL = b"\xff" * 6
OURS = b"\x88\xb5"


def ours(frame):
    return frame[12:14] == OURS


def world(ports=(1, 2), tap=True):
    """A wire, and a guest by hand on vm1; -> (wire, guest)"""
    pair()
    adapter("vmq0", uplink="up0")
    for number in ports:
        port(f"vm{number}", number=number)
    wire = Raw("wire0")
    defer(wire.close)
    guest = Guest() if tap else None
    return wire, guest


def numbered(count, dst=1, first=0, src=9):
    return [ether(dst, src, payload=struct.pack("!I", first + n))
            for n in range(count)]


def number_of(frame):
    return struct.unpack_from("!I", frame, 14)[0]


def numbers(frames):
    return [number_of(frame) for frame in frames if ours(frame)]


def waits(dev="vm1"):
    return port_get(dev)["waiting_frames"]


def test_open_first():
    """A port begins with an open gate, and keeps what it is set to."""
    world(tap=False)
    [shown] = vmqctl("port show dev vm1")
    ksft_eq(shown["gate"], "open")
    for mode in ("closed", "auto", "open"):
        cmd(f"vmqctl port set dev vm1 gate {mode}")
        [shown] = vmqctl("port show dev vm1")
        ksft_eq(shown["gate"], mode)
    ksft_eq(vmqctl("port show dev vm2")[0]["gate"], "open", "another port")


def test_silent_tx():
    """Closed: not one frame of the guest leaves, to the wire, the host or
    another port, and each is counted."""
    wire, guest = world()
    port_set(gate="closed")
    others = [Raw(dev) for dev in ("vmq0", "vm2")]
    before = port_get()
    wire.drain()
    frames = [ether(dst, 1, payload=b"secret") for dst in (9, 2, ALL)]
    frames += [ether(9, 1, vlan=7, payload=b"secret")]
    guest.send(*frames)
    for raw in (wire, *others):
        ksft_eq(raw.all(match=lambda got: b"secret" in got), [], raw.dev)
        if raw is not wire:
            raw.close()
    after = port_get()
    ksft_eq(after["frames_muted"] - before["frames_muted"], 4)
    ksft_eq(after["tx_packets"], before["tx_packets"])
    ksft_eq(after["tx_drops"] - before["tx_drops"], 4)
    ksft_eq(gate(), "closed", "the guest can't open it")


def test_silent_wire():
    """Closed, or automatic before its guest speaks: the wire hears nothing at
    all, whatever the host itself has to say on the port."""
    wire, _ = world()
    wire.drain()
    for mode in ("closed", "auto"):
        port_set(gate=mode)
        with Raw("vm1") as host:
            host.send(ether(ALL, 1, payload=b"from the host"))
        ksft_eq(wire.all(match=lambda got: got[6:12] == mac(1)), [], mode)
        ksft_eq(gate(), mode, "only the guest opens it")


def test_no_learning():
    """A bridge on the wire learns nothing from a closed port."""
    wire, guest = world()
    outside = NetNS()
    wire.close()
    Rtnl().set("wire0", netns_fd=outside.fd)
    with outside:
        rtnl = Rtnl()
        rtnl.add("br0", "bridge")
        rtnl.set("wire0", master="br0")
        rtnl.up("wire0", "br0")
        ready(rtnl, "wire0", "br0")

    def learned():
        with outside:
            return mac(1).hex(":") in cmd("bridge fdb show br br0")

    def speak():
        guest.send(ether(ALL, 1))
        return learned()

    port_set(gate="closed")
    for _ in range(3):
        ksft_true(not speak(), "learned from a closed port")
    port_set(gate="open")
    ksft_true(wait_until(speak, 20), "the bridge learns nothing at all")


def test_no_flood():
    """Nothing is flooded to a closed port; it is counted, and does not
    wait."""
    wire, guest = world()
    port_set(gate="closed")
    guest.all(0.02)
    before = port_get()
    wire.send(*[ether(ALL, 9, payload=b"to all")] * 3)
    with Raw("vm2") as other:
        other.send(ether(ALL, 2, payload=b"to all"))
    ksft_eq(guest.all(match=lambda got: b"to all" in got), [])
    after = port_get()
    ksft_ge(after["frames_not_flooded"] - before["frames_not_flooded"], 4)
    ksft_eq(after["waiting_frames"], 0)
    port_set(gate="open")
    ksft_eq(guest.all(match=lambda got: b"to all" in got), [])
    wire.send(ether(ALL, 9, payload=b"to all"))
    ksft_eq(len(guest.all(match=lambda got: b"to all" in got)), 1)


def test_held():
    """Frames for a closed port wait, from the wire and from another port, and
    are delivered in their order when it opens; counters agree."""
    wire, guest = world()
    port_set(gate="closed")
    before = port_get()
    wire.send(*numbered(20))
    ksft_true(wait_until(lambda: waits() == 20), "they wait")
    with Raw("vm2") as other:
        other.send(*numbered(5, first=20, src=2))
    ksft_true(wait_until(lambda: waits() == 25), "from a port, too")
    ksft_eq(guest.all(match=ours), [])
    ksft_eq(port_get()["rx_packets"], before["rx_packets"], "not received")
    ksft_lt(0, port_get()["waiting_bytes"])
    port_set(gate="open")
    ksft_eq(numbers(guest.all(0.5, count=25)), list(range(25)))
    after = port_get()
    ksft_eq(after["frames_held"] - before["frames_held"], 25)
    ksft_eq(after["frames_replayed"] - before["frames_replayed"], 25)
    ksft_eq(after["frames_dropped"], before["frames_dropped"])
    ksft_eq(after["rx_packets"] - before["rx_packets"], 25)
    ksft_eq((after["waiting_frames"], after["waiting_bytes"]), (0, 0))


def test_expected():
    """A port that is ready for a guest which is elsewhere still: who sends to
    it on this host reaches it there, until its state has come (L-07)."""
    wire, guest = world()
    wire.drain()
    with Raw("vm2") as other:
        port_set(gate="auto")
        other.send(*numbered(3, src=2))
        ksft_eq(numbers(wire.all(0.3, ours)), [0, 1, 2])
        ksft_eq(waits(), 0)
        stream = save("vm2")
        cmd("ip link set vm2 address 52:54:00:00:00:12")
        restore("vm1", gate_only(stream))
        other.send(*numbered(3, src=2, first=3))
        ksft_true(wait_until(lambda: waits() == 3), "now it is here")
        ksft_eq(wire.all(match=ours), [])
        guest.send(ether(9, 1))
        ksft_eq(numbers(guest.all(0.5, count=3)), [3, 4, 5])


def gate_only(stream):
    """A stream without any record."""
    end = stream[-56:-8] + bytes(4)
    body = stream[:16] + end
    return body + struct.pack("<I", crc32c(body))


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def test_held_vlan():
    """A frame keeps its VLAN tag while it waits."""
    wire, guest = world()
    queue = vmqctl("port show dev vm1")[0]["queues"][0]
    cmd("ethtool -N vmq0 flow-type ether dst 52:54:00:00:00:01 vlan 7 m "
        f"0xf000 action {queue}")
    port_set(gate="closed")
    wire.send(ether(1, 9, vlan=7, prio=3, payload=b"tagged"))
    ksft_true(wait_until(lambda: waits() == 1))
    port_set(gate="open")
    [got] = guest.all(0.5, lambda frame: b"tagged" in frame, 1)
    ksft_eq(got[12:16], b"\x81\0" + struct.pack("!H", 3 << 13 | 7))


def test_bounds():
    """Not more frames wait than they may, nor bytes; the oldest are kept and
    the others counted."""
    wire, guest = world()
    cmd("vmqctl port set dev vm1 gate closed hold-frames 10")
    before = port_get()
    wire.send(*numbered(30))
    ksft_true(wait_until(lambda: port_get()["frames_dropped"] -
                         before["frames_dropped"] == 20), "dropped")
    ksft_eq(waits(), 10)
    ksft_eq(port_get()["rx_drops"] - before["rx_drops"], 20)
    port_set(gate="open")
    ksft_eq(numbers(guest.all(0.5, count=10)), list(range(10)))

    port_set(gate="closed", hold_frames=1000, hold_bytes=65536)
    wire.send(*[ether(1, 9, payload=struct.pack("!I", n) + bytes(1400))
                for n in range(100)])
    ksft_true(wait_until(lambda: (now := port_get())["frames_held"] +
                         now["frames_dropped"] - before["frames_held"] -
                         before["frames_dropped"] == 130))
    shown = port_get()
    ksft_lt(shown["waiting_bytes"], 65537)
    ksft_lt(shown["waiting_frames"], 65536 // 1400)
    ksft_lt(5, shown["waiting_frames"])
    port_set(gate="open")
    got = numbers(guest.all(0.5, count=shown["waiting_frames"]))
    ksft_eq(got, list(range(shown["waiting_frames"])))


def test_auto():
    """Automatic: silent until the guest sends; its first frame leaves, and what
    waited comes before what is new."""
    wire, guest = world()
    port_set(gate="auto")
    wire.send(*numbered(10))
    ksft_true(wait_until(lambda: waits() == 10))
    ksft_eq(gate(), "auto")
    ksft_eq(guest.all(match=ours), [])
    wire.drain()
    guest.send(ether(9, 1, payload=b"I am here"))
    ksft_eq(len(wire.all(0.3, lambda got: b"I am here" in got)), 1)
    ksft_eq(gate(), "open")
    wire.send(*numbered(5, first=10))
    ksft_eq(numbers(guest.all(0.5, count=15)), list(range(15)))
    ksft_lt(0, port_get()["gap_usecs"])


def test_auto_netdev():
    """A port without a tap opens by what is sent on its netdev."""
    wire, _ = world(tap=False)
    port_set(gate="auto")
    wire.drain()
    with Raw("vm1") as guest:
        guest.send(ether(9, 1, payload=b"first"))
        ksft_eq(len(wire.all(0.3, lambda got: b"first" in got)), 1)
        ksft_eq(gate(), "open")


def test_auto_host():
    """What the host's own IPv6 says on a port that comes up opens nothing, nor
    does it leave: nobody learns from it where the guest is."""
    wire, _ = world(ports=(), tap=False)
    Rtnl().add("vm1", "vmqport", link="vmq0", address="52:54:00:00:00:01")
    defer(lambda: Rtnl().delete("vm1"))
    wire.drain()
    port_set(gate="auto")
    set_sysctl("net/ipv6/conf/vm1/dad_transmits", 1)
    Rtnl().up("vm1")
    ksft_true(wait_until(lambda: port_get()["frames_muted"] > 2, 10),
              "it has nothing to say")
    ksft_eq(wire.all(match=lambda got: got[6:12] == mac(1)), [])
    ksft_eq(gate(), "auto")


def test_order():
    """While a gate opens frames keep coming, faster than they drain at times:
    none overtakes another, none is lost, over and over."""
    wire, guest = world()
    port_set(hold_frames=60000, hold_bytes=200 << 20)
    rounds, count, first = (4, 400, 200) if SLOW else (10, 1500, 300)
    for turn in range(rounds):
        port_set(gate="auto")
        got = []

        def read():
            while len(got) < count and (frame := guest.recv(5)):
                if ours(frame):
                    got.append(number_of(frame))

        reader = threading.Thread(target=read)
        frames = numbered(count)
        sent = threading.Event()

        def send():
            wire.send(*frames[:first])
            sent.set()
            for at in range(first, count, 50):
                # the ring of the tap, 500, is the limit, not the gate
                wait_until(lambda now=at: now - len(got) < 400, 5, 0.001)
                wire.send(*frames[at:at + 50])

        sender = threading.Thread(target=send)
        sender.start()
        sent.wait()
        reader.start()
        guest.send(ether(9, 1))
        sender.join()
        reader.join()
        ksft_eq(got == list(range(count)), True,
                f"round {turn}: {len(got)} frames, "
                f"first wrong {[n for n, g in enumerate(got) if n != g][:1]}")
    shown = port_get()
    ksft_eq(shown["frames_dropped"], 0)
    ksft_pr(f"{shown['frames_replayed']} of {rounds * count} had waited")
    ksft_ge(shown["frames_replayed"], rounds * first)


def test_full_ring():
    """More waits than the guest's ring has room for: the drain waits for the
    guest."""
    wire, guest = world()
    port_set(gate="closed")
    count = 1200
    wire.send(*numbered(count))
    ksft_true(wait_until(lambda: waits() == count, 10))
    drops = port_get()["rx_drops"]
    port_set(gate="open")
    time.sleep(0.2)
    ksft_lt(0, waits(), "the ring took them all")
    ksft_eq(numbers(guest.all(1, count=count)), list(range(count)))
    ksft_eq(port_get()["rx_drops"], drops)


def announcements(frames):
    """{(VLAN, kind): count} of the frames that say where vm1 is"""
    found = {}
    for frame in frames:
        if frame[6:12] != mac(1):
            continue
        kind = None
        if frame[12:14] == b"\x80\x35":
            ksft_eq(frame[14:42], struct.pack(
                "!HHBBH6s4x6s4x", 1, 0x800, 6, 4, 3, mac(1), mac(1)), "RARP")
            kind = "RARP"
        elif frame[12:14] == b"\x08\x06" and frame[28:32] == frame[38:42]:
            ksft_eq((frame[:6], frame[22:28]), (ALL, mac(1)), "GARP")
            kind = socket.inet_ntop(socket.AF_INET, frame[28:32])
        elif frame[12:14] == b"\x86\xdd" and frame[20] == 58 and \
                frame[54] == 136:
            icmp = frame[54:86]
            ksft_eq(frame[:6], mac("33:33:00:00:00:01"), "NA")
            ksft_eq((icmp[4], icmp[8:24], icmp[24:]),
                    (0x20, frame[22:38], b"\2\1" + mac(1)), "NA")
            ksft_eq(checksum(_pseudo(frame[22:38], frame[38:54], 58, 32) +
                             icmp), 0, "its checksum")
            kind = socket.inet_ntop(socket.AF_INET6, frame[22:38])
        if kind:
            key = (frame.vid or 0, kind)
            found[key] = found.get(key, 0) + 1
    return found


def neighbour(address, vlan=None, kind=136, src=1):
    """An advertisement, as a guest sends it to all."""
    address = socket.inet_pton(socket.AF_INET6, address)
    target = socket.inet_pton(socket.AF_INET6, "ff02::1")
    icmp = struct.pack("!BBHI", kind, 0, 0, 0x20 << 24) + address + \
        b"\2\1" + mac(src)
    icmp = icmp[:2] + struct.pack("!H", checksum(
        _pseudo(address, target, 58, len(icmp)) + icmp)) + icmp[4:]
    packet = struct.pack("!IHBB", 6 << 28, len(icmp), 58, 255) + address + \
        target + icmp
    return ether("33:33:00:00:00:01", src, 0x86dd, vlan, payload=packet)


def says(address, vlan=None, src=1):
    return ether(ALL, src, 0x806, vlan,
                 payload=arp(1, src, address, bytes(6), "10.0.0.254"))


def test_announce():
    """An opening gate is announced: RARP in each VLAN, GARP and NA for each
    address that the guest was heard to have, as often as set."""
    wire, guest = world()
    queue = vmqctl("port show dev vm1")[0]["queues"][0]
    cmd("ethtool -N vmq0 flow-type ether dst 52:54:00:00:00:01 vlan 7 m "
        f"0xf000 action {queue}")
    guest.send(says("10.0.0.1"), says("10.0.0.7", 7), neighbour("fd00::1"),
               neighbour("fd00::7", 7), says("10.0.0.1"),
               says("10.9.9.9", src=5), says("0.0.0.0"))
    ksft_eq(sorted(port_get().get("address", [])),
            ["10.0.0.1", "10.0.0.7@7", "fd00::1", "fd00::7@7"])
    want = {(0, "RARP"), (7, "RARP"), (0, "10.0.0.1"), (7, "10.0.0.7"),
            (0, "fd00::1"), (7, "fd00::7")}
    for count in (3, 2, 0):
        cmd(f"vmqctl port set dev vm1 announce-count {count} "
            "announce-interval 20 gate closed")
        wire.drain()
        before = port_get()
        port_set(gate="open")
        if count:
            wait_until(lambda now=count * len(want): port_get()["announced"] -
                       before["announced"] >= now, 5)
        ksft_eq(announcements(wire.all(0.2)), {key: count for key in want
                                               if count}, f"{count} rounds")
        ksft_eq(port_get()["announced"] - before["announced"],
                count * len(want))
        ksft_eq(port_get()["tx_packets"], before["tx_packets"], "the guest's")


def test_announce_bounded():
    """Of many addresses the last 16 are known; a gate that closes again is
    announced no more."""
    wire, guest = world()
    guest.send(*[says(f"10.0.1.{n}") for n in range(40)])
    ksft_eq(port_get()["address"], [f"10.0.1.{n}" for n in range(24, 40)])
    port_set(gate="closed", announce_count=50, announce_interval=50)
    port_set(gate="open")
    ksft_true(wait_until(lambda: port_get()["announced"] > 17))
    port_set(gate="closed")
    wire.all(0.1)
    ksft_eq(announcements(wire.all(0.3)), {})


def test_redirect():
    """Frames for a closed port go to the device of redirect, those that wait
    first; nothing else does, and they wait again without it."""
    wire, guest = world()
    pair("to", "there")
    there = Raw("there")
    defer(there.close)
    port_set(gate="closed")
    wire.send(*numbered(5))
    ksft_true(wait_until(lambda: waits() == 5))
    cmd("vmqctl port set dev vm1 redirect to")
    ksft_eq(vmqctl("port show dev vm1")[0]["redirect"], "to")
    wire.send(*numbered(5, first=5))
    got = [there.recv(2) for _ in range(10)]
    ksft_eq(numbers(got), list(range(10)))
    ksft_true(all(each.startswith(mac(1) + mac(9)) for each in got))
    wire.send(ether(2, 9, payload=b"other"))
    ksft_eq(there.all(), [], "another port's frame")
    ksft_eq(port_get()["frames_redirected"], 10)
    cmd("vmqctl port set dev vm1 redirect none")
    ksft_true("redirect" not in port_get())
    wire.send(*numbered(3, first=10))
    ksft_true(wait_until(lambda: waits() == 3))
    port_set(redirect="to", gate="open")
    ksft_eq(numbers(guest.all(0.5, count=3)), [10, 11, 12])
    ksft_eq(there.all(), [], "an open gate redirects nothing")


def test_redirect_gone():
    """A device of redirect can be deleted; frames wait again."""
    wire, _ = world()
    Rtnl().add_veth("to", "there")
    Rtnl().up("to", "there")
    port_set(gate="closed", redirect="to")
    Rtnl().delete("to")
    ksft_true("redirect" not in port_get())
    wire.send(*numbered(2))
    ksft_true(wait_until(lambda: waits() == 2))


def test_refused():
    """What makes no sense is refused with a reason, and changes nothing."""
    world()
    before = port_get()
    for dev, words in (("vmq0", "come back"), ("vm2", "come back"),
                       ("up0", "uplink"), ("lo", "Ethernet"),
                       ("nothing", "no such device")):
        status, said = fail_cmd(f"vmqctl port set dev vm1 redirect {dev}")
        ksft_eq(status, 1)
        ksft_in(words, said)
    for what in ("hold-frames 0", "hold-frames 70000", "hold-bytes 1",
                 "hold-bytes 4000000000"):
        status, said = fail_cmd(f"vmqctl port set dev vm1 {what}")
        ksft_eq(status, 1, what)
    status, said = fail_cmd("vmqctl port set dev vm1 gate ajar")
    ksft_eq(status, 2)
    with ksft_raises(NlError) as caught:
        port_set(gate="closed", redirect="nothing")
    ksft_eq(caught.exception.errno, errno.ENODEV)
    after = port_get()
    for each in ("gate", "hold_frames", "hold_bytes"):
        ksft_eq(after[each], before[each], each)


def test_delete_waiting():
    """A port is deleted while frames wait, while they drain, while they keep
    coming: nothing is left (kmemleak looks on uml-debug)."""
    wire, _ = world(ports=(2,), tap=False)
    stop = threading.Event()

    def flood():
        while not stop.is_set():
            wire.send(*numbered(20, dst=3))

    sender = threading.Thread(target=flood)
    sender.start()
    for turn in range(4 if SLOW else 20):
        Rtnl().add("vm3", "vmqport", link="vmq0",
                   address="52:54:00:00:00:03")
        Rtnl().up("vm3")
        port_set("vm3", gate="closed")
        wait_until(lambda: waits("vm3") > 5)
        if turn % 2:
            port_set("vm3", gate="open")
        Rtnl().delete("vm3")
    stop.set()
    sender.join()


if __name__ == "__main__":
    ksft_main(globals())
