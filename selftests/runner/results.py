# SPDX-License-Identifier: GPL-2.0
"""Counting results: what tests print as KTAP, and what KUnit logs."""

import fnmatch
import re
import threading
import time

STAMP = re.compile(r"^(?:<\d+>)?\[\s*\d+\.\d+\]\s?(?:\[\s*[TC]\d+\]\s?)?")
RESULT = re.compile(r"^(\s*)(ok|not ok)\s+(\d+)?\s*(.*)$")
PLAN = re.compile(r"^(\s*)1\.\.(\d+)\s*(?:#.*)?$")
SKIP = re.compile(r"\s*#\s*SKIP\b\s*(.*)$", re.I)

SLOWEST = 12             # of what takes long, at the end

begin = time.monotonic()
output_lock = threading.Lock()


def say(text, end="\n"):
    with output_lock:
        print(f"[{time.monotonic() - begin:5.0f} s] {text}", end=end, flush=True)


class Results:
    def __init__(self, arguments):
        self.verbose = arguments.verbose
        self.passed, self.failed, self.skipped = 0, [], []
        self.slow = []       # (seconds, what)

    def add(self, name, result, detail="", log=""):
        """One result: "ok", "not ok" or "skip"."""
        if result == "ok":
            self.passed += 1
        elif result == "skip":
            self.skipped.append((name, detail or "no reason given"))
        else:
            self.failed.append((name, detail, log))
            say(f"FAILED {name}" + (f": {detail}" if detail else ""))
        if self.verbose and result != "not ok":
            say(f"{result:6} {name}" + (f" ({detail})" if detail else ""))

    def merge(self, other):
        """Takes over what a lane counted."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.slow += other.slow

    def took(self, name, seconds):
        self.slow.append((seconds, name))

    def count(self):
        return self.passed, len(self.failed), len(self.skipped)

    def since(self, before):
        text = []
        for number, old, word in zip(self.count(), before,
                                     ("passed", "failed", "skipped")):
            if number - old or word == "passed":
                text.append(f"{number - old} {word}")
        return ", ".join(text)

    def summary(self):
        print()
        slowest = sorted(self.slow, reverse=True)[:SLOWEST]
        if len(slowest) > 1:
            print("Slowest:")
            for seconds, name in slowest:
                print(f"  {seconds:4.0f} s  {name}")
        if self.skipped:
            print("Skipped:")
            for name, reason in self.skipped:
                print(f"  {name}: {reason}")
        if self.failed:
            print("Failed:")
            for name, detail, log in self.failed:
                print(f"  {name}" + (f": {detail}" if detail else ""))
                if log:
                    print(f"      see {log}")
        passed, failed, skipped = self.count()
        if not passed + failed:
            print("No test ran.")
        print(f"{passed} passed, {failed} failed, {skipped} skipped")
        return 1 if failed or not passed else 0


class Ktap:
    """Counts the results of one program that prints KTAP, line by line."""

    def __init__(self, results, prefix, log):
        self.results, self.prefix, self.log = results, prefix, log
        self.plan, self.seen, self.comments = None, 0, []

    def line(self, text):
        if match := PLAN.match(text):
            if not match[1] and self.plan is None:
                self.plan = int(match[2])
            return
        match = RESULT.match(text)
        if not match or match[1]:
            if text.startswith("# Check failed") or "Exception|" in text:
                self.comments.append(text[2:].strip())
            return
        self.seen += 1
        name, result, detail = match[4].strip().removeprefix("- "), match[2], ""
        if skip := SKIP.search(name):
            name, detail, result = name[:skip.start()], skip[1], "skip"
        elif result == "not ok" and self.comments:
            detail = self.comments[0][:300]
        self.comments = []
        self.results.add(f"{self.prefix}{name.strip()}", result, detail,
                         self.log)

    def end(self, status, name):
        """The program ended with this status; None when it never did."""
        failed_before = len(self.results.failed)
        full = f"{self.prefix}{name}"
        if status is None:
            self.results.add(full, "not ok", "it was never finished "
                             f"({self.seen} of {self.plan or '?'} tests)",
                             self.log)
        elif self.plan is None:
            self.results.add(full, "not ok", "it printed no plan "
                             f"(status {status})", self.log)
        elif self.plan != self.seen:
            self.results.add(full, "not ok", f"{self.seen} of {self.plan} "
                             f"tests ran (status {status})", self.log)
        elif status not in (0, 1, 4):
            self.results.add(full, "not ok", f"status {status}", self.log)
        return len(self.results.failed) == failed_before


def kunit_lines(text):
    for line in text.splitlines():
        yield STAMP.sub("", line, count=1)


def kunit_parse(results, text, pattern, log):
    """Counts the test cases: results with nothing nested below them."""
    plans = []           # [depth, planned, seen, name of what is open]
    comments, subtests, ran = [], {}, 0

    def close(depth):
        while plans and plans[-1][0] > depth:
            _, planned, seen = plans.pop()
            if planned != seen:
                results.add("kunit", "not ok",
                            f"{seen} of {planned} tests ran", log)

    for line in kunit_lines(text):
        if match := PLAN.match(line):
            depth = len(match[1])
            close(depth)
            if plans and plans[-1][0] == depth:      # the next module
                close(depth - 1)
            plans.append([depth, int(match[2]), 0])
            continue
        match = RESULT.match(line)
        if not match:
            subtest = re.match(r"^(\s*)# Subtest: (\S+)", line)
            if subtest:
                depth = len(subtest[1])
                subtests = {at: name for at, name in subtests.items()
                            if at < depth}
                subtests[depth] = subtest[2]
            elif re.match(r"^\s*# .*(EXPECTATION|ASSERTION) FAILED", line):
                comments.append(line.strip("# \t"))
            continue
        depth = len(match[1])
        nested = bool(plans) and plans[-1][0] > depth
        close(depth)
        if plans and plans[-1][0] == depth:
            plans[-1][2] += 1
        parents = [name for at, name in sorted(subtests.items())
                   if at <= depth]
        if nested:
            subtests = {at: name for at, name in subtests.items()
                        if at <= depth}
            continue
        name, result, detail = match[4].strip(), match[2], ""
        if skip := SKIP.search(name):
            name, detail, result = name[:skip.start()], skip[1], "skip"
        elif result == "not ok" and comments:
            detail = comments[0]
        comments = []
        full = ".".join(parents + [name.strip()])
        if not pattern or fnmatch.fnmatch(full, f"*{pattern}*"):
            results.add(f"kunit: {full}", result, detail, log)
            ran += 1
    close(-1)
    return ran
