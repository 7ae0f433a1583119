#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: qemu
"""What QEMU reads from the tap of a guest that it has stopped, and forgets.

vm1 of vmq0 is the source; vhost-net reads its tap, then "QEMU", by a read of
the same descriptor. vm1b of vmq1 is the destination.
"""

import os
import subprocess

from lib import (KsftSkipEx, Raw, Rtnl, abort, adapter, cmd, defer, ether,
                 ksft_eq, ksft_main, ksft_true, pair, port, restore, save,
                 wait_until)
from lib.tap import Guest, port_get, port_set
from lib.vhost import PATH, Vhost
from gate import numbered, numbers


def world(redirect=True):
    """-> the wire, the guest at the source, its vhost-net, the destination's
    guest"""
    subprocess.run(["modprobe", "-q", "vhost_net"], check=False)
    if not os.path.exists(PATH):
        raise KsftSkipEx(f"no {PATH} in this kernel")
    for number, dev in ((0, "vm1"), (1, "vm1b")):
        pair(f"up{number}", f"wire{number}")
        adapter(f"vmq{number}", uplink=f"up{number}")
        port(dev, link=f"vmq{number}", number=1 if number == 0 else 0x99)
    pair("tunnel0", "tunnel1")
    wire = Raw("wire0")
    defer(wire.close)
    guest, other = Guest("vm1"), Guest("vm1b")
    if redirect:
        cmd("vmqctl port set dev vm1 redirect tunnel0")
    port_set("vm1b", gate="auto")
    vhost = Vhost(guest.fd)
    vhost.start()
    return wire, guest, vhost, other


def came(count):
    """That many frames are with the tap."""
    return wait_until(lambda: port_get()["rx_packets"] >= count, 20)


def moves(other, expected):
    """The port's state goes to the destination, and its guest goes on."""
    stream = save("vm1")
    ksft_eq(port_get()["frames_saved"], len(expected))
    restore("vm1b", stream)
    other.send(ether(9, 1))
    ksft_eq(numbers(other.all(0.5, count=len(expected))), expected)


def test_stopped():
    """The frame that QEMU read when it had stopped the guest moves with it,
    before those that it had not read; what vhost-net read does not (L-10)."""
    wire, guest, vhost, other = world()
    wire.send(*numbered(5))
    ksft_eq(numbers(vhost.frames(5)), list(range(5)))
    vhost.stop()
    wire.send(*numbered(4, first=5))
    ksft_true(came(9))
    ksft_eq(numbers([guest.recv()]), [5])
    moves(other, [5, 6, 7, 8])
    ksft_eq(port_get("vm1b")["frames_dropped"], 0)


def test_goes_on():
    """A guest that goes on where it is gets that frame, too, after a save that
    is aborted."""
    wire, guest, vhost, _ = world()
    wire.send(*numbered(3))
    ksft_eq(len(vhost.frames(3)), 3)
    vhost.stop()
    wire.send(*numbered(2, first=3))
    ksft_true(came(5))
    ksft_eq(numbers([guest.recv()]), [3])
    save("vm1")
    vhost.start()
    abort("vm1")
    ksft_eq(numbers(vhost.frames(2)), [3, 4])


def test_resumed():
    """Without a save it is history as soon as vhost-net reads again."""
    wire, guest, vhost, other = world()
    wire.send(*numbered(2))
    ksft_eq(len(vhost.frames(2)), 2)
    vhost.stop()
    wire.send(*numbered(1, first=2))
    ksft_eq(numbers([guest.recv()]), [2])
    vhost.start()
    wire.send(*numbered(1, first=3))
    ksft_eq(numbers(vhost.frames(1)), [3])
    moves(other, [])


def test_own_reader():
    """A guest that reads without vhost-net has what it read; so has one that
    left vhost-net and reads on."""
    wire, guest, vhost, other = world()
    vhost.stop()
    wire.send(*numbered(2))
    ksft_eq(numbers(guest.all(count=2)), [0, 1])
    vhost.start()
    wire.send(*numbered(1, first=2))
    ksft_eq(numbers(vhost.frames(1)), [2])
    vhost.stop()
    wire.send(*numbered(5, first=3))
    ksft_eq(numbers(guest.all(count=5)), [3, 4, 5, 6, 7])
    moves(other, [])


def test_without_redirect():
    """Without a redirection nobody watches the readers: that costs nothing, and
    the frame is lost."""
    wire, guest, vhost, other = world(redirect=False)
    wire.send(*numbered(2))
    ksft_eq(len(vhost.frames(2)), 2)
    vhost.stop()
    wire.send(*numbered(3, first=2))
    ksft_true(came(5))
    ksft_eq(numbers([guest.recv()]), [2])
    moves(other, [3, 4])


def test_deleted():
    """The port can go while frames that tell who reads them are in the ring;
    they are freed after it."""
    wire, guest, vhost, _ = world()
    wire.send(*numbered(2))
    ksft_eq(len(vhost.frames(2)), 2)
    vhost.stop()
    wire.send(*numbered(6, first=2))
    ksft_true(came(8))
    ksft_eq(numbers([guest.recv()]), [2])
    Rtnl().delete("vm1")
    guest.recv()
    guest.close()
    port("vm1", link="vmq0", number=1)
    ksft_eq(port_get()["frames_held"], 0)


if __name__ == "__main__":
    ksft_main(globals())
