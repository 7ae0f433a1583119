# SPDX-License-Identifier: GPL-2.0
"""The kernel's own generator of frames, pktgen, on one device at a time."""

import pathlib
import struct

from .env import run
from .ksft import KsftSkipEx, defer

PROC = pathlib.Path("/proc/net/pktgen")
MAGIC = b"\xbe\x9b\xe9\x55"


class Pktgen:
    """Set up for a device, until the test ends. It starts where a thread calls start(),
    which returns when all frames are sent, or after stop()."""

    def __init__(self, dev, *settings):
        if not self.there():
            raise KsftSkipEx("no pktgen")
        self.dev = dev
        self.write("kpktgend_0", "rem_device_all", f"add_device {dev}")
        defer(self.write, "kpktgend_0", "rem_device_all")
        self.write(dev, "delay 0", *settings)

    @staticmethod
    def there():
        return not run("modprobe", "-q", "pktgen").returncode or PROC.exists()

    @staticmethod
    def write(name, *lines):
        for line in lines:
            (PROC / name).write_text(line + "\n", encoding="ascii")

    def start(self):
        self.write("pgctrl", "start")

    def stop(self):
        self.write("pgctrl", "stop")

    def sent(self):
        """What it says of the frames that it gave the stack."""
        text = (PROC / self.dev).read_text(encoding="ascii")
        return int(text.split("pkts-sofar: ")[1].split()[0])


def sequence(frame):
    """The number of a frame of its own, or None for any other."""
    if frame[42:46] != MAGIC:
        return None
    return struct.unpack_from("!I", frame, 46)[0]
