#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Is what conformance.rst says there? One row for each requirement, counts that
are those of the rows, files and tests that exist under the names it gives.

    conformance.py          says what is wrong; exit status 1 if anything is
    conformance.py --fix    corrects the counts
"""

import collections
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
PAGE = TOP / "Documentation/networking/vmq/conformance.rst"
# how many requirements each group has
GROUPS = {"Q": 47, "F": 34, "R": 26, "T": 9, "M": 21, "I": 17, "V": 48, "S": 36,
          "X": 51, "SR": 42, "L": 17, "K": 22, "O": 54}
STATES = ("done", "partly", "not yet", "does not apply")
ROW = re.compile(r'^   ([A-Z]+)-(\d+), "(.*)"$')
COUNT = re.compile(r"^   ([A-Z]+|Q to K), ([\d, ]+)$")
# where a file is looked for when only its name is given
PLACES = ("drivers/net/vmq", "drivers/net/vmq/tests", "drivers/net/vmq/ext",
          "selftests", "selftests/e2e", "selftests/lib", "tools/vmqctl",
          "tools/vmq-vmstate", "include/net", "tools/libvirt", "tools/bench")


def find(name):
    """The file that a row names, or None."""
    for place in PLACES:
        path = TOP / place / name
        if path.is_file():
            return path
    path = TOP / name
    return path if path.is_file() else None


def rows():
    """(group, number, text, line) of each"""
    for number, line in enumerate(PAGE.read_text().splitlines(), 1):
        if match := ROW.match(line):
            yield match[1], int(match[2]), match[3], number


def tests_in(text):
    """(file, test) for the tests that a row names: a file, and names after it."""
    path = None
    for word in re.findall(r"[A-Za-z0-9_./-]*[A-Za-z0-9_]|[,;:()]", text):
        if re.search(r"\.(py|c|h)$", word):
            path = word
            yield path, None
        elif word in ";():":
            path = None
        elif path and path.endswith(".py") and word.startswith("test_"):
            yield path, word
        elif path and re.search(r"_test\.c$", path) and \
                re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", word):
            yield path, word


def main():
    wrong, seen = [], collections.Counter()
    counts = {group: collections.Counter() for group in GROUPS}
    sources = {}
    for group, number, text, line in rows():
        name = f"{group}-{number:02}"
        seen[name] += 1
        state = next((each for each in STATES if text.startswith(each)), None)
        if group not in GROUPS or not 1 <= number <= GROUPS[group]:
            wrong.append(f"{line}: there is no {name}")
            continue
        if not state:
            wrong.append(f"{line}: {name} has no state")
            continue
        counts[group][state] += 1
        for path, test in tests_in(text):
            found = find(path)
            if not found:
                wrong.append(f"{line}: {name}: there is no {path}")
                continue
            if not test:
                continue
            if found not in sources:
                sources[found] = found.read_text()
            if not re.search(rf"\b{test}\b", sources[found]):
                wrong.append(f"{line}: {name}: {path} has no {test}")
    for group, most in GROUPS.items():
        for number in range(1, most + 1):
            name = f"{group}-{number:02}"
            if seen[name] != 1:
                wrong.append(f"{name} has {seen[name]} rows")
    total = [sum(counts[group][state] for group in GROUPS if group != "O")
             for state in STATES]
    want = {group: [counts[group][state] for state in STATES]
            for group in GROUPS}
    want["Q to K"] = total
    if "--fix" in sys.argv:
        PAGE.write_text("".join(
            f"   {match[1]}, {', '.join(map(str, want[match[1]]))}\n"
            if (match := COUNT.match(line)) and match[1] in want else line
            for line in PAGE.read_text().splitlines(keepends=True)))
    for line in PAGE.read_text().splitlines():
        match = COUNT.match(line)
        if match and match[1] in GROUPS | {"Q to K": 0} and \
                list(map(int, match[2].split(","))) != \
                want.pop(match[1], None):
            wrong.append(f"the counts of {match[1]} are not those of its rows")
    wrong += [f"no counts of {group}, or they are there twice"
              for group in want]
    for each in wrong:
        print(f"conformance.rst:{each}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
