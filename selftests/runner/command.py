# SPDX-License-Identifier: GPL-2.0
"""Running a program, and ending it and all that it started: when it hangs, when
we are told to end, and when we die."""

import contextlib
import os
import pathlib
import signal
import subprocess
import threading
import time

CLONE = pathlib.Path(__file__).resolve().parents[2]
TIMED_OUT = 124          # what tools/testvm/run says then
GRACE = 10               # seconds, from SIGTERM to SIGKILL

_running = set()
_ending = threading.Event()
_lock = threading.Lock()


class Interrupted(BaseException):
    """Somebody wants us to end. (No Exception: nobody else catches it.)"""


def end_all():
    """Ends what runs, of all threads; nothing starts any more."""
    with _lock:
        _ending.set()
        left = list(_running)
    for command in left:
        command.signal(signal.SIGTERM)
    limit = time.monotonic() + GRACE
    for command in left:
        command.wait_for_group(limit)
        command.signal(signal.SIGKILL)
    while _running and time.monotonic() < limit:
        time.sleep(0.02)                 # until their threads know


class Command:
    """A program whose output is read line by line; it ends when we do.

    It is ended after `seconds`, or after `silent` seconds without a line. It has
    a process group of its own, all of which ends.
    """

    def __init__(self, command, log, seconds, silent=None, **options):
        self.command, self.log = command, log
        self.seconds, self.silent = seconds, silent
        self.options = options
        self.timed_out = False
        self.ended = threading.Event()

    def __enter__(self):
        with _lock:
            if _ending.is_set():
                raise Interrupted
            self.process = subprocess.Popen(
                list(map(str, self.command)),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, errors="replace",
                start_new_session=True, cwd=CLONE, **self.options)
            # reads until the pipe is closed, at the latest by our own death
            group = self.process.pid
            self.watchdog = subprocess.Popen(
                ["/bin/sh", "-c", f"read _; kill -s TERM -- -{group}; "
                 f"for _ in $(seq {2 * GRACE}); do "
                 f"kill -s 0 -- -{group} || exit; sleep 0.5; done; "
                 f"kill -s KILL -- -{group}"],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, start_new_session=True)
            _running.add(self)
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

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def wait_for_group(self, limit):
        """Until all of it has ended, at most until then."""
        while time.monotonic() < limit:
            self.process.poll()          # no zombie that counts
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.05)

    def kill(self):
        self.signal(signal.SIGTERM)
        self.wait_for_group(time.monotonic() + GRACE)
        self.signal(signal.SIGKILL)

    def lines(self):
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "w", encoding="utf-8") as stream:
            for line in self.process.stdout:
                self.last = time.monotonic()
                stream.write(line)
                stream.flush()
                yield line.rstrip("\n").replace("\r", "")
        self.status = self.process.wait()
        if _ending.is_set():             # what it said last means nothing
            raise Interrupted

    def hung(self):
        """It was ended because nothing came any more, or too late."""
        return self.timed_out or self.status == TIMED_OUT

    def __exit__(self, *_):
        self.ended.set()
        self.kill()
        self.process.wait()
        self.watchdog.kill()
        self.watchdog.wait()
        self.watchdog.stdin.close()
        self.process.stdout.close()
        with _lock:
            _running.discard(self)
