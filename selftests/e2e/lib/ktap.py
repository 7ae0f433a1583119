# SPDX-License-Identifier: GPL-2.0
"""Run test functions and print KTAP."""

import time
import traceback


class Skip(Exception):
    pass


def check(truth, *what):
    """An assertion that says what it saw."""
    if not truth:
        raise AssertionError(" ".join(map(str, what)))


def run(tests):
    """Each gets one line, named by its docstring; -> exit status.

    They build on one another, but a failure does not keep the rest from being
    tried: what it breaks is told by their own lines.
    """
    print(f"TAP version 13\n1..{len(tests)}")
    failures = 0
    for number, test in enumerate(tests, 1):
        name = test.__doc__.strip().splitlines()[0].rstrip(".")
        begin = time.monotonic()
        result, remark = "ok", ""
        try:
            test()
        except Skip as reason:
            remark = f" # SKIP {reason}"
        except Exception:       # pylint: disable=broad-except
            result = "not ok"
            failures += 1
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
        print(f"# {time.monotonic() - begin:.1f} s")
        print(f"{result} {number} {name}{remark}", flush=True)
    return 1 if failures else 0
