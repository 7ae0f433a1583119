#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Find what the kernel complained about in its log.

    check_log.py LOG...      print the reports, exit 1 when there are any
"""

import re
import sys

# The init scripts print these lines into the kernel log.
START = "vmq-testvm: start"

# A line with one of these begins a report ...
REPORT = re.compile(r"""
      BUG:|WARNING:|KASAN|UBSAN|KFENCE
    | possible\ circular\ locking|possible\ recursive\ locking
    | lockdep|suspicious\ RCU\ usage|inconsistent\ lock\ state
    | unreferenced\ object|refcount_t|hung\ task|blocked\ for\ more\ than
    | unregister_netdevice:\ waiting\ for|scheduling\ while\ atomic
    | sleeping\ function\ called|stack-trace|ODEBUG:|DEBUG_NET
    | Kernel\ panic|general\ protection\ fault|Oops|Unable\ to\ handle
    | soft\ lockup|rcu:?.*detected\ stalls?|bad\ page|kernel\ BUG\ at
    | list_(?:add|del)\ corruption|page\ allocation\ failure
    """, re.X)
# ... and these belong to it; alone they are a report too.
TRACE = re.compile(r"Call Trace|Modules linked in|end trace|\bRIP:")
# The usual header of a report that fault injection causes on purpose.
INJECTED = re.compile(r"FAULT_INJECTION: forcing a failure")
# Lines that look like a report and are none.
HARMLESS = re.compile(r"KTAP|# Subtest|^\s*(?:not )?ok \d+|"
                      r"lockdep is turned on|kmemleak: .*suspected")

LONGEST_REPORT = 100     # lines
STAMP = re.compile(r"^(?:<\d+>)?\[\s*\d+\.\d+\]\s?(?:\[\s*[TC]\d+\]\s?)?")


def body(line):
    """The line without the time and the CPU or thread."""
    return STAMP.sub("", line.rstrip("\r\n"))


def after_start(lines):
    """What came after the machine had booted; all when it never did."""
    for number, line in enumerate(lines):
        if START in line:
            return lines[number + 1:]
    return lines


def reports(lines):
    """Split into reports: lists of lines, each with one cause."""
    lines = [body(line) for line in after_start(lines)]
    begin = None      # where the current report began
    found = []
    for number, line in enumerate(lines):
        if HARMLESS.search(line):
            continue
        starts = bool(REPORT.search(line) or INJECTED.search(line))
        if not starts and not TRACE.search(line):
            continue
        inside = begin is not None and number - begin < LONGEST_REPORT
        if inside and "end trace" in line:
            found[-1][1] = number + 1
            begin = None
        elif inside and (not starts or number - found[-1][1] < 2):
            found[-1][1] = number + 1
        else:
            begin = number
            found.append([number, number + 1])
    # show some lines around it: the trace itself has no key words
    result = []
    for position, (first, last) in enumerate(found):
        limit = found[position + 1][0] if position + 1 < len(found) else len(lines)
        result.append(lines[first:min(last + 30, limit)])
    return result


def unexpected(lines, expected=()):
    """The reports that neither fault injection nor `expected` explains."""
    patterns = [INJECTED] + [re.compile(each) for each in expected]
    return [report for report in reports(lines)
            if not any(pattern.search(line)
                       for pattern in patterns for line in report)]


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    bad = False
    for name in sys.argv[1:]:
        with open(name, errors="replace") as stream:
            for report in unexpected(stream.readlines()):
                bad = True
                print("\n".join(report) + "\n")
    sys.exit(bad)


if __name__ == "__main__":
    main()
