# SPDX-License-Identifier: GPL-2.0
"""Which job runs when: some lanes, and the longest job first for one that is free.

How long a job takes is what it took last time; the cache remembers.
"""

import json
import threading
import time

from .command import Interrupted
from .results import Results, say


class Job:
    """`needs`: names of jobs that have to be done, and well, before. `seconds`:
    how long it takes where nobody knows better."""

    def __init__(self, name, function, seconds, needs=()):
        self.name, self.function = name, function
        self.seconds, self.needs = seconds, tuple(needs)


class Times:
    """Seconds by name, in a file."""

    def __init__(self, path):
        self.path, self.known = path, {}
        try:
            for name, seconds in json.loads(path.read_text()).items():
                self.known[str(name)] = float(seconds)
        except (OSError, ValueError, TypeError, AttributeError):
            pass                         # none yet, or not ours

    def put(self, name, seconds):
        self.known[name] = round(seconds, 1)
        scratch = self.path.with_suffix(".new")
        scratch.write_text(json.dumps(self.known, indent=1, sort_keys=True))
        scratch.rename(self.path)


class Schedule:
    """Runs all jobs; merge(Results of a job) takes over what each counted."""

    def __init__(self, jobs, times, arguments, results):
        for job in jobs:
            job.seconds = times.known.get(job.name, job.seconds)
        self.waiting = sorted(jobs, key=lambda job: -self.rank(job, jobs))
        self.times, self.arguments, self.results = times, arguments, results
        self.running, self.good, self.bad = set(), set(), set()
        self.changed = threading.Condition()

    @classmethod
    def rank(cls, job, jobs):
        """Seconds until it, and what waits for it, can be done."""
        return job.seconds + max((cls.rank(other, jobs) for other in jobs
                                  if job.name in other.needs), default=0)

    def estimate(self, lanes):
        """Seconds for all of it."""
        ends = [0.0] * lanes
        for job in self.waiting:
            ends[ends.index(min(ends))] += job.seconds
        return max(ends)

    def run(self, lanes):
        threads = [threading.Thread(target=self.lane, daemon=True)
                   for _ in range(lanes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def next(self):
        """The longest job that can run; waits for one. -> None: no more"""
        with self.changed:
            while self.waiting:
                if self.arguments.exitfirst and self.results.failed:
                    return None
                for job in self.waiting:
                    if self.bad.intersection(job.needs):
                        self.skip(job)
                        break
                    if self.good.issuperset(job.needs):
                        self.waiting.remove(job)
                        self.running.add(job)
                        return job
                else:
                    if not self.running:
                        raise RuntimeError("jobs that wait for each other: " +
                                           " ".join(job.name for job in
                                                    self.waiting))
                    self.changed.wait()
            return None

    def skip(self, job):
        self.waiting.remove(job)
        self.bad.add(job.name)
        self.results.add(job.name, "not ok", "not run, as what it needs "
                         f"failed: {', '.join(job.needs)}")

    def lane(self):
        try:
            while job := self.next():
                self.one(job)
        except Interrupted:
            pass

    def one(self, job):
        # one that counts for each job: results of others are not in between
        ours, begin = Results(self.arguments), time.monotonic()
        try:
            job.function(ours)
        except Exception as error:       # a job that dies is no success
            ours.add(job.name, "not ok", f"{type(error).__name__}: {error}")
        with self.changed:
            self.results.merge(ours)
            self.running.discard(job)
            (self.bad if ours.failed else self.good).add(job.name)
            took = time.monotonic() - begin
            if not ours.failed:
                self.times.put(job.name, took)
            left = [each.name for each in (*self.running, *self.waiting)]
            say(f"{job.name}: done in {took:.0f} s" +
                (f"; left: {', '.join(left)}" if left else ""))
            self.changed.notify_all()
