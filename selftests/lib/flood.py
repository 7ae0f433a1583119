# SPDX-License-Identifier: GPL-2.0
"""Traffic that does not end while something changes."""

import threading

from .frames import Raw
from .ksft import wait_until


class Flood:
    """with Flood(frames) as flood: sends them over and over, from `dev`.

    `sent` counts frames; a turn is always sent to its end. After the block nothing is
    sent any more, and an error of the thread is raised.
    """

    def __init__(self, frames, dev="wire0"):
        self.frames, self.dev, self.sent = frames, dev, 0
        self.stop, self.error = threading.Event(), None
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        try:
            with Raw(self.dev) as raw:
                while not self.stop.is_set():
                    raw.send(*self.frames)
                    self.sent += len(self.frames)
        except OSError as error:
            self.error = error

    def __enter__(self):
        self.thread.start()
        wait_until(lambda: self.sent or self.error)
        return self

    def __exit__(self, kind, *_):
        self.stop.set()
        self.thread.join()
        if self.error and not kind:
            raise self.error
