#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The physical network between a machine's NICs: a learning switch.

    tools/testvm/run --uplink igb --uplink igb --outside "switch.py 2" qemu ...

It runs outside of the machine and sees nothing but frames. It forwards by the
source addresses that it saw, so a port that moved to another NIC is found
there only once something was sent from there.
"""

import pathlib
import select
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] /
                       "tools/testvm"))
# pylint: disable=wrong-import-position
from wire import LONGEST_FRAME, SHORTEST_FRAME, Wire

PATIENCE = 3             # seconds a full receiver may hold up everybody
PENALTY = 3.0            # seconds a receiver that stayed full is left out
BATCH = 32               # frames from one NIC before the others' turn


class Port:
    """One socket of the switch."""

    def __init__(self, number):
        self.wire = Wire(number)
        self.socket = self.wire.socket
        self.socket.setblocking(False)
        self.connected = False
        self.closed_until = 0.0

    def frames(self):
        try:
            for _ in range(BATCH):
                yield self.socket.recv(LONGEST_FRAME)
        except (BlockingIOError, ConnectionError):
            return

    def try_send(self, frame):
        """-> was it sent (or is there nobody)?"""
        try:
            if not self.connected:
                self.socket.connect(self.wire.remote)
                self.connected = True
            self.socket.send(frame)
        except BlockingIOError:
            return False
        except (FileNotFoundError, ConnectionError):
            pass
        return True

    def send(self, frame):
        """Lossless, unless the NIC takes nothing, as one that is down."""
        if time.monotonic() < self.closed_until:
            return
        frame = frame.ljust(SHORTEST_FRAME, b"\0")
        if self.try_send(frame):
            return
        # connected: writable means that the other end has room
        select.select([], [self.socket], [], PATIENCE)
        if not self.try_send(frame):
            self.closed_until = time.monotonic() + PENALTY


def main():
    ports = [Port(number) for number in range(int(sys.argv[1]))]
    by_socket = {port.socket: port for port in ports}
    table = {}               # MAC address -> Port
    while True:
        for ready in select.select(by_socket, [], [])[0]:
            source = by_socket[ready]
            for frame in source.frames():
                table[frame[6:12]] = source
                known = table.get(frame[:6])
                for port in [known] if known else ports:
                    if port is not source:
                        port.send(frame)


if __name__ == "__main__":
    main()
