#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Find what the kernel complained about in its log.

    check_log.py LOG...      print the reports, exit 1 when there are any
"""

import bisect
import re
import sys

# The init scripts print these lines into the kernel log.
START = "vmq-testvm: start"

MARK = "vmq-testvm:"

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
# ... and these belong to one; alone they are a report too.
TRACE = re.compile(r"Call Trace|Modules linked in|end trace|\bRIP:")
# The header of a trace that fault injection prints on purpose.
INJECTED = re.compile(r"FAULT_INJECTION: forcing a failure")
# Lines that look like a report and are none. (An indented one is part of a
# stack trace, or of the output of a KUnit suite.)
HARMLESS = re.compile(r"^\s|^KTAP|^(?:not )?ok \d|lockdep is turned on")

AFTERMATH = 25           # plain lines that still belong to a report
STAMP = re.compile(r"^(?:<\d+>)?\[\s*\d+\.\d+\]\s?(?:\[\s*[TC]\d+\]\s?)?")


def body(line):
    """The line without the time and the CPU or thread."""
    return STAMP.sub("", line.rstrip("\r\n"), count=1)


def after_start(lines):
    """What came after the machine had booted; all when it never did."""
    for number, line in enumerate(lines):
        if START in line:
            return lines[number + 1:]
    return lines


def reports(lines):
    """What the kernel reported: lists of lines, each about one event."""
    found = []
    current = None       # the report being read
    for line in map(body, after_start(lines)):
        key = not HARMLESS.search(line) and (REPORT.search(line) or
                                             INJECTED.search(line))
        trace = TRACE.search(line)
        # a second headline, unless the first one's trace has come already
        if (key and (current is None or traced)) or \
                (trace and current is None):
            current, traced, plain = [], False, 0
            found.append(current)
        if current is None:
            continue
        if MARK in line:
            current = None
            continue
        current.append(line)
        traced = traced or bool(trace)
        plain = 0 if key or trace or line.startswith(" ") else plain + 1
        if "end trace" in line or plain > AFTERMATH:
            current = None
    return found


def unexpected(lines, expected=()):
    """The reports that neither fault injection nor `expected` explains."""
    patterns = [INJECTED] + [re.compile(each) for each in expected]
    return [report for report in reports(lines)
            if not any(pattern.search(line)
                       for pattern in patterns for line in report)]


def leaks(text, symbols="", most=5):
    """The first of kmemleak's objects; addresses in modules get their names.

    `symbols` is what /proc/kallsyms said of the modules before they went.
    """
    table = sorted((int(address, 16), name) for address, kind, name, *_ in
                   map(str.split, symbols.splitlines()) if kind in "tT")

    def name_of(match):
        address = int(match.group(), 16)
        index = bisect.bisect(table, (address, "~")) - 1
        if index < 0 or address - table[index][0] > 0x10000:
            return match.group()
        return f"{table[index][1]}+{address - table[index][0]:#x}"

    objects = re.split(r"^(?=unreferenced object)", text, flags=re.M)[1:]
    if not objects:
        return ""
    shown = "".join(re.sub(r"(?<=^    )0x[0-9a-f]+$", name_of, each, flags=re.M)
                    for each in objects[:most])
    return f"{len(objects)} objects; the first {most} at most:\n{shown}"


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
