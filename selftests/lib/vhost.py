# SPDX-License-Identifier: GPL-2.0
"""vhost-net on a port's tap, as QEMU sets it up: a receive ring by hand."""

import ctypes
import fcntl
import mmap
import os
import struct
import time

from .ksft import Patience, defer

SET_FEATURES, SET_OWNER = 0x4008AF00, 0xAF01
SET_MEM_TABLE = 0x4008AF03
VRING_NUM, VRING_ADDR, VRING_BASE = 0x4008AF10, 0x4028AF11, 0x4008AF12
GET_BASE = 0xC008AF12
VRING_KICK, VRING_CALL, SET_BACKEND = 0x4008AF20, 0x4008AF21, 0x4008AF30

PATH = "/dev/vhost-net"
SLOTS, ROOM, HEADER = 64, 4096, 10
DESC, AVAIL, USED, BUFFERS = 0, 4096, 8192, 12288
WRITE = 2


class Vhost:
    """Reads a tap into buffers of ours while it runs."""

    def __init__(self, tap):
        self.tap, self.taken = tap, 0
        self.fd = os.open(PATH, os.O_RDWR)
        defer(os.close, self.fd)
        self.memory = mmap.mmap(-1, BUFFERS + SLOTS * ROOM)
        self.base = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        for slot in range(SLOTS):
            struct.pack_into("<QIHH", self.memory, DESC + 16 * slot,
                             self.base + BUFFERS + slot * ROOM, ROOM, WRITE, 0)
            struct.pack_into("<H", self.memory, AVAIL + 4 + 2 * slot, slot)
        struct.pack_into("<HH", self.memory, AVAIL, 0, SLOTS)
        self.events = [os.eventfd(0, os.EFD_NONBLOCK) for _ in range(2)]
        for fd in self.events:
            defer(os.close, fd)
        self.ioctl(SET_OWNER, b"")
        self.ioctl(SET_FEATURES, struct.pack("=Q", 0))
        self.ioctl(SET_MEM_TABLE, struct.pack(
            "=IIQQQQ", 1, 0, self.base, len(self.memory), self.base, 0))
        self.ioctl(VRING_NUM, struct.pack("=II", 0, SLOTS))
        self.ioctl(VRING_BASE, struct.pack("=II", 0, 0))
        self.ioctl(VRING_ADDR, struct.pack(
            "=IIQQQQ", 0, 0, self.base + DESC, self.base + USED,
            self.base + AVAIL, 0))
        for request, fd in zip((VRING_KICK, VRING_CALL), self.events):
            self.ioctl(request, struct.pack("=Ii", 0, fd))
        defer(self.stop)

    def ioctl(self, request, data):
        fcntl.ioctl(self.fd, request, data)

    def start(self):
        self.ioctl(SET_BACKEND, struct.pack("=Ii", 0, self.tap))

    def stop(self):
        """The tap is QEMU's again."""
        self.ioctl(SET_BACKEND, struct.pack("=Ii", 0, -1))

    def frames(self, count, timeout=5):
        """The next frames that it has read."""
        patience = Patience(timeout)
        found = []
        while len(found) < count and not patience.over():
            used, = struct.unpack_from("<H", self.memory, USED + 2)
            if used == self.taken & 0xFFFF:
                time.sleep(0.01)
                continue
            slot, length = struct.unpack_from(
                "<II", self.memory, USED + 4 + 8 * (self.taken % SLOTS))
            at = BUFFERS + slot * ROOM
            found.append(bytes(self.memory[at + HEADER:at + length]))
            self.taken += 1
        return found
