#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The queue that a sender names in the metadata of a frame."""

from lib import (Raw, adapter, channels, cmd, ether, ethtool_stats, ksft_eq,
                 ksft_main, mac, pair, port, run, vmqctl, wait_until)

QUEUES = 8


def world():
    run("modprobe", "-q", "act_skbedit")
    pair()
    adapter("vmq0", uplink="up0", rxq=QUEUES, txq=QUEUES)


def sends_on(dev, number):
    """From now on the host's frames name this queue."""
    run(f"tc qdisc del dev {dev} clsact")
    cmd(f"tc qdisc add dev {dev} clsact")
    cmd(f"tc filter add dev {dev} egress matchall action skbedit "
        f"queue_mapping {number}")


def counts(dev, frames):
    """{transmit queue: frames that it counts} of some that are sent."""
    def read():
        stats = ethtool_stats(dev)
        return [stats[f"tx_queue_{number}_packets"]
                for number in range(channels(dev)[1])]

    before = read()
    with Raw(dev) as host:
        host.send(*frames)

    def delta():
        return [now - old for now, old in zip(read(), before)]

    wait_until(lambda: sum(delta()) >= len(frames))
    return {number: count for number, count in enumerate(delta()) if count}


def test_adapter():
    """T-01: a frame is the queue's that its metadata names; T-04, R-22: where that
    is not allocated, not any more, or never was, it is the default one's, and the
    frame is sent all the same."""
    world()
    frames = [ether(0x66, src=0xaa, payload=b"tx%d" % number)
              for number in range(5)]
    sends_on("vmq0", 3)
    with Raw("wire0") as wire:
        wire.drain()
        ksft_eq(counts("vmq0", frames), {0: 5}, "T-04: never allocated")
        for _ in range(3):
            vmqctl("queue add dev vmq0")
        ksft_eq(counts("vmq0", frames), {3: 5}, "T-01")
        vmqctl("queue complete dev vmq0 queue 3")
        ksft_eq(counts("vmq0", frames), {3: 5}, "T-01")
        vmqctl("queue del dev vmq0 queue 3")
        ksft_eq(counts("vmq0", frames), {0: 5}, "R-22: its VMQ was deleted")
        # the uplink's frames never name a dead queue either (O-48)
        got = wire.all(match=lambda frame: frame[:6] == mac(0x66))
        ksft_eq(sorted(got), sorted(frames * 4), "all of them were sent")


def test_port():
    """T-01, T-04: the same for the queues of a port, that it has or has no more."""
    world()
    port("vm1", number=1, rxq=4, txq=4)
    frames = [ether(0x66, src=1, payload=b"tx%d" % number)
              for number in range(5)]
    sends_on("vm1", 2)
    ksft_eq(counts("vm1", frames), {2: 5}, "T-01")
    channels("vm1", 2)
    got = counts("vm1", frames)
    ksft_eq((sum(got.values()), set(got) <= {0, 1}), (5, True), f"T-04: {got}")


if __name__ == "__main__":
    ksft_main(globals())
