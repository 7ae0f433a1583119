# SPDX-License-Identifier: GPL-2.0
"""A flow of numbered frames, to see that none is lost and none overtakes."""

import struct
import threading
import time

from .frames import Raw, ether
from .ksft import defer, ksft_eq, ksft_true

WINDOW = 200            # frames on their way: fewer than any ring holds


class Flow:
    """Numbered frames from one device to another; their order is checked."""

    def __init__(self, source="wire0", target="vm1", dst=1, src=0xfe, vlan=None):
        self.out, self.into = Raw(source), Raw(target)
        defer(self.out.close)
        defer(self.into.close)
        self.dst, self.src, self.vlan = dst, src, vlan
        self.sent = self.seen = self.lost = 0

    def send(self, count=1, dst=None):
        frames = []
        for _ in range(count):
            self.sent += 1
            frames.append(ether(self.dst if dst is None else dst, self.src,
                                vlan=self.vlan, payload=b"flow" +
                                struct.pack("!I", self.sent)))
        self.out.send(*frames)

    def receive(self, timeout=0.0):
        """Takes what is there; False if nothing came in time."""
        frame = self.into.recv(timeout)
        if frame is None:
            return False
        if frame[14:18] == b"flow":
            number = struct.unpack_from("!I", frame, 18)[0]
            if number <= self.seen:
                ksft_true(False, f"R-24: {number} after {self.seen}")
            self.lost += number - self.seen - 1
            self.seen = number
        return True

    def run(self, seconds, burst=16):
        """Sends and receives, with no more on its way than a ring holds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.send(burst)
            while self.receive():
                pass
            while self.sent - self.seen > WINDOW and self.receive(5):
                pass
        self.finish()

    def finish(self, comment=""):
        """All of them arrived, in their order."""
        while self.seen < self.sent and self.receive(5):
            pass
        ksft_eq((self.seen, self.lost), (self.sent, 0), comment)


def while_it_runs(flow, seconds, change):
    """Runs a flow while change() is called again and again; -> how often"""
    stop, count, failed = threading.Event(), 0, []

    def changes():
        nonlocal count
        try:
            while not stop.is_set():
                change(count)
                count += 1
        except Exception as error:      # pylint: disable=broad-except
            failed.append(error)

    thread = threading.Thread(target=changes)
    thread.start()
    try:
        flow.run(seconds)
    finally:
        stop.set()
        thread.join()
    if failed:
        raise failed[0]
    return count
