# SPDX-License-Identifier: GPL-2.0
"""Runs the functions of one test file and prints KTAP."""

import fnmatch
import inspect
import os
import select
import sys
import time
import traceback

MOST_MESSAGES = 6        # of one test

_failed = False
_told = 0
_deferred = []
_totals = {"pass": 0, "fail": 0, "skip": 0}


class KsftSkipEx(Exception):
    """This test can't run here; the text says why."""


class KsftFailEx(Exception):
    """This test can't go on."""


def ksft_pr(*objects):
    """Prints a comment, also from code that knows no KTAP."""
    text = " ".join(str(each) for each in objects)
    print("# " + text.replace("\n", "\n# "), flush=True)


def _short(value):
    text = repr(value)
    return text if len(text) <= 400 else f"{text[:390]}... ({len(text)})"


def _difference(a, b):
    """Two values that differ, or what differs in two dictionaries."""
    if isinstance(a, dict) and isinstance(b, dict):
        keys = [key for key in {**a, **b} if a.get(key) != b.get(key)]
        a = {key: a.get(key) for key in keys}
        b = {key: b.get(key) for key in keys}
        if len(keys) == 1 and isinstance(a[keys[0]], dict):
            return f"{keys[0]}: " + _difference(a[keys[0]], b[keys[0]] or {})
    return f"{_short(a)} != {_short(b)}"


def _fail(*what):
    global _failed, _told
    _failed = True
    _told += 1
    if _told > MOST_MESSAGES:
        if _told == MOST_MESSAGES + 1:
            ksft_pr("... more checks failed")
        return
    for frame in reversed(inspect.stack()[2:]):
        name = os.path.basename(frame.filename)
        if frame.function in ("ksft_run", "_run_one", "<module>", "ksft_main"):
            continue
        line = (frame.code_context or [""])[0].strip()
        ksft_pr(f"Check| {name}:{frame.lineno} {frame.function}: {line}")
    ksft_pr("Check failed:", *what)


def ksft_eq(a, b, comment=""):
    if a != b:
        _fail(_difference(a, b), comment)


def ksft_ne(a, b, comment=""):
    if a == b:
        _fail(_short(a), "==", _short(b), comment)


def ksft_ge(a, b, comment=""):
    if a < b:
        _fail(_short(a), "<", _short(b), comment)


def ksft_lt(a, b, comment=""):
    if a >= b:
        _fail(_short(a), ">=", _short(b), comment)


def ksft_true(a, comment=""):
    if not a:
        _fail(_short(a), "is not true", comment)


def ksft_in(a, b, comment=""):
    if a not in b:
        _fail(_short(a), "not in", _short(b), comment)


def ksft_not_in(a, b, comment=""):
    if a in b:
        _fail(_short(a), "in", _short(b), comment)


class ksft_raises:
    """with ksft_raises(OSError) as caught: ...; caught.exception"""

    def __init__(self, expected, comment=""):
        self.expected, self.comment = expected, comment
        self.exception = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, _):
        if kind is None:
            _fail(f"{self.expected.__name__} was not raised", self.comment)
        elif not issubclass(kind, self.expected):
            return False
        self.exception = value
        return True


class defer:
    """Calls a function at the end of the test, last one first."""

    def __init__(self, function, *arguments, **options):
        self.call = (function, arguments, options)
        _deferred.append(self)

    def cancel(self):
        if self in _deferred:
            _deferred.remove(self)

    def exec(self):
        self.cancel()
        function, arguments, options = self.call
        return function(*arguments, **options)


def _flush():
    while _deferred:
        entry = _deferred[-1]
        try:
            entry.exec()
        except Exception:          # pylint: disable=broad-except
            _fail("cleanup:", traceback.format_exc().strip())


class Patience:
    """Seconds to wait, of those in which this machine ran.

    over() is called at least every `step` seconds. Of a longer time between two
    calls only a step counts: the host's CPUs did something else meanwhile, and what
    we wait for got no further.
    """

    def __init__(self, seconds, step=None):
        self.step = step or max(min(seconds / 5, 0.05), 0)
        self.left, self.last = seconds, time.monotonic()

    def over(self):
        now = time.monotonic()
        self.left -= min(now - self.last, self.step)
        self.last = now
        return self.left < 1e-6


def readable(files, timeout):
    """Those of the files, or of one, that can be read, within these seconds."""
    files = files if isinstance(files, list) else [files]
    patience = Patience(timeout)
    while not (found := select.select(files, [], [], patience.step)[0]):
        if patience.over():
            break
    return found


def settle(seconds):
    """Lets everybody else run for so long."""
    patience = Patience(seconds)
    while not patience.over():
        time.sleep(patience.step)


def wait_until(condition, timeout=10.0, interval=0.02):
    """Waits until condition() is true; -> its last value."""
    patience = Patience(timeout, 0.25 + interval)
    while True:
        value = condition()
        if value or patience.over():
            return value
        time.sleep(interval)


def _run_one(case, arguments):
    """-> ("ok" or "not ok", directive)"""
    global _failed, _told
    _failed, _told = False, 0
    directive = ""
    try:
        case(*arguments)
    except KsftSkipEx as reason:
        directive = f" # SKIP {reason}"
    except KsftFailEx as reason:
        _fail(str(reason))
    except Exception:              # pylint: disable=broad-except
        _failed = True
        ksft_pr("Exception|", traceback.format_exc().strip())
    _flush()
    if _failed:
        return "not ok", ""
    return "ok", directive


def ksft_run(cases=None, globs=None, case_pfx=None, args=()):
    """Runs `cases`, or the functions of `globs` named after `case_pfx`.

    -k PATTERN on the command line chooses among them.
    """
    cases = list(cases or [])
    for name, value in (globs or {}).items():
        if callable(value) and any(name.startswith(each)
                                   for each in case_pfx or ["test_"]):
            cases.append(value)
    if len(sys.argv) > 2 and sys.argv[1] == "-k":
        pattern = sys.argv[2]
        cases = [case for case in cases
                 if fnmatch.fnmatch(case.__name__, f"*{pattern}*")]
    from .env import programs
    started = time.monotonic()
    topic = os.path.basename(sys.argv[0]).removesuffix(".py")
    print(f"TAP version 13\n1..{len(cases)}", flush=True)
    for number, case in enumerate(cases, 1):
        begin = time.monotonic()
        result, directive = _run_one(case, args)
        took = time.monotonic() - begin
        key = "skip" if directive else "pass" if result == "ok" else "fail"
        _totals[key] += 1
        if took > 2:
            ksft_pr(f"{case.__name__} took {took:.1f} s")
        print(f"{result} {number} {topic}.{case.__name__}{directive}",
              flush=True)
    ksft_pr(f"{time.monotonic() - started:.1f} s, of that "
            f"{programs['seconds']:.1f} s for {programs['count']} programs")
    print(f"# Totals: pass:{_totals['pass']} fail:{_totals['fail']} "
          f"xfail:0 xpass:0 skip:{_totals['skip']} error:0", flush=True)


def ksft_exit():
    sys.exit(1 if _totals["fail"] else 0)


def ksft_main(globs, args=()):
    """The end of a test file: runs its test_* functions, in their order."""
    ksft_run(globs=globs, args=args)
    ksft_exit()
