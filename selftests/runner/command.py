# SPDX-License-Identifier: GPL-2.0
"""Running a program, and ending it when it hangs."""

import os
import pathlib
import signal
import subprocess
import threading
import time

CLONE = pathlib.Path(__file__).resolve().parents[2]
TIMED_OUT = 124          # what tools/testvm/run says then


class Command:
    """A program whose output is read line by line; it ends when we do.

    It is ended after `seconds`, or after `silent` seconds without a line.
    """

    def __init__(self, command, log, seconds, silent=None, **options):
        self.command, self.log = command, log
        self.seconds, self.silent = seconds, silent
        self.options = options
        self.timed_out = False
        self.ended = threading.Event()

    def __enter__(self):
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--"] + list(map(str,
                                                                self.command)),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
            start_new_session=True, cwd=CLONE, **self.options)
        self.last = self.start = time.monotonic()
        threading.Thread(target=self.watch, daemon=True).start()
        return self

    def watch(self):
        while not self.ended.wait(1):
            now = time.monotonic()
            if now - self.start > self.seconds or \
                    (self.silent and now - self.last > self.silent):
                self.timed_out = True
                self.kill()
                return

    def kill(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                return
            for _ in range(30):
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)

    def lines(self):
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "w", encoding="utf-8") as stream:
            for line in self.process.stdout:
                self.last = time.monotonic()
                stream.write(line)
                stream.flush()
                yield line.rstrip("\n").replace("\r", "")
        self.status = self.process.wait()

    def hung(self):
        """It was ended because nothing came any more, or too late."""
        return self.timed_out or self.status == TIMED_OUT

    def __exit__(self, *_):
        self.ended.set()
        if self.process.poll() is None:
            self.kill()
        self.process.stdout.close()
