#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The outside end of a machine's uplink: raw Ethernet frames, no root needed.

For programs started by `run --outside`, in whose environment VMQ_WIRE0 (and
VMQ_WIRE1) name the two sockets of a wire:

    import sys; sys.path.insert(0, "tools/testvm")
    from wire import Wire
    with Wire() as wire:
        wire.send(frame)
        frame = wire.recv(timeout=5)     # None when nothing came

Run as a program it echoes: each frame goes back with its addresses exchanged.
"""

import os
import socket
import sys
import time

LONGEST_FRAME = 65536 + 64
SHORTEST_FRAME = 60      # without the checksum


class Wire:
    """One wire. The machine hears it as soon as its NIC exists."""

    def __init__(self, number=0):
        variable = f"VMQ_WIRE{number}"
        try:
            self.local, self.remote = os.environ[variable].split()
        except KeyError:
            raise RuntimeError(f"no {variable}: not started by "
                               "`run --uplink ... --outside ...'") from None
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        if os.path.exists(self.local):
            os.unlink(self.local)
        self.socket.bind(self.local)

    def send(self, frame, timeout=30):
        """Send one frame (bytes from the destination address on).

        Waits for the machine's socket to exist, and while its queue is full.
        """
        frame = bytes(frame).ljust(SHORTEST_FRAME, b"\0")
        limit = time.monotonic() + timeout
        self.socket.settimeout(timeout)
        while True:
            try:
                self.socket.sendto(frame, self.remote)
                return
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > limit:
                    raise TimeoutError("no machine on the wire") from None
                time.sleep(0.05)

    def recv(self, timeout=5.0):
        """The next frame, or None when none came in time."""
        self.socket.settimeout(timeout or 1e-6)
        try:
            return self.socket.recv(LONGEST_FRAME)
        except (TimeoutError, BlockingIOError):
            return None

    def flush(self):
        """Throw away what has come so far; -> number of frames."""
        count = 0
        while self.recv(0) is not None:
            count += 1
        return count

    def close(self):
        self.socket.close()
        if os.path.exists(self.local):
            os.unlink(self.local)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def echo():
    with Wire(int(sys.argv[1]) if len(sys.argv) > 1 else 0) as wire:
        while True:
            if frame := wire.recv(3600):
                wire.send(frame[6:12] + frame[:6] + frame[12:])


if __name__ == "__main__":
    echo()
