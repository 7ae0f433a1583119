#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: uml-plain
"""Counters and order where a frame takes the shortest way: counted once, by its
queue, and straight into the ring of a tap."""

import struct
import threading

from lib import (Raw, adapter, cmd, defer, ether, ethtool_stats, ksft_eq, ksft_ge,
                 ksft_in, ksft_main, ksft_true, link_info, link_stats, mac, pair, port,
                 vmqctl, wait_until)
from tap import Tap, node

BROADCAST = b"\xff" * 6


def wire(**options):
    pair()
    adapter("vmq0", uplink="up0", rxq=2)
    port("vm1", number=1, **options)
    out = Raw("wire0")
    defer(out.close)
    return out


def frames(out, count, dst=1):
    out.send(*(ether(dst, payload=b"x" * 50) for _ in range(count)))


def received(dev):
    stats = link_stats(dev)
    return stats["rx_packets"], stats["rx_bytes"]


def of_queue(number):
    stats = ethtool_stats("vmq0")
    return stats[f"rx_queue_{number}_packets"], stats[f"rx_queue_{number}_bytes"]


def test_queue_changes_port():
    """A queue that serves another port goes on counting, each port has what came
    for it alone, and floods are the port's only (Q-41)."""
    out = wire()
    length = len(ether(1, payload=b"x" * 50))
    frames(out, 10)
    frames(out, 3, BROADCAST)
    wait_until(lambda: received("vm1")[0] >= 13)
    ksft_eq(received("vm1"), (13, 13 * length))
    ksft_eq(link_stats("vm1")["multicast"], 3)
    ksft_eq(of_queue(1), (10, 10 * length))
    cmd("ip link del vm1")
    port("vm2", number=1)
    ksft_eq(received("vm2"), (0, 0))
    ksft_eq(of_queue(1), (10, 10 * length))
    frames(out, 5)
    wait_until(lambda: received("vm2")[0] >= 5)
    ksft_eq(received("vm2"), (5, 5 * length))
    ksft_eq(of_queue(1), (15, 15 * length))
    [queue] = [int(value) for name, value in ethtool_stats("vm2").items()
               if name == "rx_queue_0_packets"]
    ksft_eq(queue, 5)


def test_never_backwards():
    """What a port shows never becomes less, not while it is deleted either."""
    out = wire()
    stop = threading.Event()

    def load_wire():
        while not stop.is_set():
            frames(out, 20)
    sender = threading.Thread(target=load_wire)
    sender.start()
    try:
        for _ in range(5):
            wait_until(lambda: received("vm1")[0] > 100)
            deleter = threading.Thread(target=cmd, args=("ip link del vm1",))
            last, seen = 0, 0
            deleter.start()
            while True:
                try:
                    now = received("vm1")[0]
                except OSError:
                    break
                ksft_ge(now, last)
                last, seen = now, seen + 1
            deleter.join()
            ksft_ge(seen, 1)
            port("vm1", number=1)
    finally:
        stop.set()
        sender.join()


def test_order_with_floods():
    """A copy of a flooded frame does not overtake the port's own, nor the other way
    round (R-24)."""
    out = wire()
    vm = Raw("vm1")
    defer(vm.close)
    vm.drain()
    out.send(*(ether(BROADCAST if number % 3 else 1, payload=struct.pack(">I", number))
               for number in range(600)))
    got = []
    while len(got) < 600 and (frame := vm.recv(2)):
        if frame[12:14] == b"\x88\xb5":
            got.append(struct.unpack(">I", frame[14:18])[0])
    ksft_eq(got, list(range(600)))


def test_stack_before_ring():
    """A frame goes straight into the tap's ring, but not past what the host has at
    the port: a packet socket, a VLAN device, tc."""
    out = wire()
    tap = Tap(node())
    tap.drain()
    frame = ether(1, payload=b"one")
    out.send(frame)
    ksft_true(tap.expect(frame[:17]))
    watch = Raw("vm1")
    out.send(ether(1, payload=b"two"))
    ksft_true(tap.expect(ether(1, payload=b"two")[:17]))
    ksft_true(watch.expect(lambda got: got[14:17] == b"two"))
    watch.close()

    cmd("ip link add link vm1 name vm1.7 type vlan id 7")
    cmd("ip link set vm1.7 up")
    cmd("ethtool -N vmq0 flow-type ether dst 52:54:00:00:00:01 vlan 7 m 0xf000 action 1")
    vlan = Raw("vm1.7")
    out.send(ether(1, vlan=7, payload=b"tag"))
    ksft_true(vlan.expect(lambda got: got[14:17] == b"tag"))
    vlan.close()
    cmd("ip link del vm1.7")
    ksft_eq(tap.expect(mac(1), 0.2), None)

    cmd("tc qdisc add dev vm1 clsact")
    cmd("tc filter add dev vm1 ingress protocol all matchall action drop")
    out.send(ether(1, payload=b"drop"))
    wait_until(lambda: received("vm1")[0] >= 4)
    ksft_eq(tap.expect(frame[:14], 0.2), None)
    cmd("tc qdisc del dev vm1 clsact")
    out.send(ether(1, payload=b"last"))
    ksft_true(tap.expect(ether(1, payload=b"last")[:18]))
    ksft_true(link_info("vm1"))


def test_waiting():
    """queue-get says how many frames wait in a queue (K-22)."""
    out = wire()
    [queue] = vmqctl("port show dev vm1")[0]["queues"]
    vmqctl(f"queue set dev vmq0 queue {queue} cpus 0 rx-usecs 1000000")

    def waiting():
        return vmqctl(f"queue show dev vmq0 queue {queue}")[0]["waiting"]

    ksft_eq(waiting(), 0)
    seen = set()
    for _ in range(20):
        frames(out, 7)
        seen.add(waiting())
        if 7 in seen:
            break
        wait_until(lambda: waiting() == 0)
    ksft_in(7, seen)
    ksft_true(wait_until(lambda: waiting() == 0))


if __name__ == "__main__":
    ksft_main(globals())
