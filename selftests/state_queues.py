#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: uml-debug
"""What a user set of a port's queues moves with the port: CPUs as a hint, buffers,
moderation, delivery, lookahead, names."""

import os
import struct

from gate import crc32c
from lib import (NlError, adapter, cmd, ksft_eq, ksft_in, ksft_main, ksft_ne,
                 ksft_raises, ksft_true, port, restore, save, vmqctl)

LAST = os.cpu_count() - 1
SETTINGS = ("name", "vm", "cpus", "mode", "buffers", "per-queue-delivery",
            "lookahead", "rx-usecs", "rx-frames", "adaptive")


def world(queues=1, there=1):
    """vm1 on vmq0 is to be restored as vm2 on vmq1."""
    for name, link, number, count in (("vm1", "vmq0", 1, queues),
                                      ("vm2", "vmq1", 2, there)):
        adapter(link, rxq=16)
        options = {"rxq": count} if count > 1 else {}
        port(name, link=link, number=number, **options)


def queues(name):
    """What is set of the queues of a port, in their order."""
    [shown] = vmqctl(f"port show dev {name}")
    found = []
    for number in shown["queues"]:
        [each] = vmqctl(f"queue show dev {shown['adapter']} queue {number}")
        found.append({key: each[key] for key in SETTINGS if key in each})
    return found


def queue_set(name, index, words):
    [shown] = vmqctl(f"port show dev {name}")
    vmqctl(f"queue set dev {shown['adapter']} queue "
           f"{shown['queues'][index]} {words}")


def test_one_queue():
    """All that can be set of a queue moves (section 4 of the design)."""
    world()
    queue_set("vm1", 0, f"name q cpus {LAST} buffers 77 per-queue-delivery on "
                        "lookahead 64 rx-usecs 50 rx-frames 8")
    before = queues("vm1")
    ksft_ne(queues("vm2"), before)
    restore("vm2", save("vm1"))
    ksft_eq(queues("vm2"), before)


def test_direct_queue():
    """A direct queue's buffers are the ring of its port."""
    world()
    queue_set("vm1", 0, "buffers 99 lookahead 32")
    restore("vm2", save("vm1"))
    [got] = queues("vm2")
    ksft_eq((got["mode"], got["buffers"], got["lookahead"]), ("direct", 99, 32))


def test_untouched():
    """Where nothing was set, nothing is in the stream, and what was set here
    stays: so an older stream does not unset it either."""
    world()
    queue_set("vm2", 0, "cpus 0 rx-usecs 30 name mine")
    before = queues("vm2")
    stream = save("vm1")
    ksft_true("queue-settings" not in shown(stream))
    restore("vm2", stream)
    ksft_eq(queues("vm2"), before)


def test_several_queues():
    """Each queue has its own; those that are not there are left out."""
    world(4, 2)
    for index in range(4):
        queue_set("vm1", index, f"name q{index} cpus 0 rx-usecs {index + 1}")
    before = queues("vm1")
    restore("vm2", save("vm1"))
    ksft_eq(queues("vm2"), before[:2])


def shown(stream):
    """The core record as vmqctl stream show has it."""
    path = f"/tmp/queues.{os.getpid()}"
    with open(path, "wb") as out:
        out.write(stream)
    try:
        return cmd(f"vmqctl -j stream show {path}")
    finally:
        os.unlink(path)


def test_shown():
    """vmqctl stream show says what is in it."""
    world()
    queue_set("vm1", 0, "name blue cpus 0 rx-usecs 50")
    text = shown(save("vm1"))
    for each in ("queue-settings", '"blue"', '"rx-usecs"'):
        ksft_in(each, text)


def seal(stream):
    """Corrects the checksum at the end of a stream that was changed."""
    return stream[:-4] + struct.pack("<I", crc32c(stream[:-4]))


def test_hint():
    """CPUs that are not here: the queue has all those that are."""
    world()
    queue_set("vm1", 0, "cpus 0 name q")
    stream = save("vm1")
    at = stream.index(b"q0\0")
    restore("vm2", seal(stream[:at + 1] + b"9" + stream[at + 2:]))
    [got] = queues("vm2")
    ksft_eq((got["mode"], got["name"]), ("queued", "q"))
    ksft_eq(got["cpus"], f"0-{LAST}" if LAST else "0")


def test_refused():
    """A setting that can't be had refuses the stream, and nothing changes."""
    world()
    queue_set("vm1", 0, "cpus 0 name q rx-usecs 54321")
    queue_set("vm2", 0, "name mine lookahead 16")
    before = queues("vm2")
    stream = save("vm1")
    at = stream.index(struct.pack("<I", 54321))
    bad = seal(stream[:at] + struct.pack("<I", 10 ** 9) + stream[at + 4:])
    with ksft_raises(NlError):
        restore("vm2", bad)
    ksft_eq(queues("vm2"), before)
    restore("vm2", stream)
    ksft_eq(queues("vm2")[0]["rx-usecs"], 54321)


if __name__ == "__main__":
    ksft_main(globals())
