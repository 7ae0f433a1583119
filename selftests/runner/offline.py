#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of selftests/run itself, with machines and checks that are made up.

They need no kernel: run by hand, and by tools/build/check.sh.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent

# One that says what it runs, and whose children would run for ever; a child with
# a process group of its own is ended by itself, as the real one does.
TESTVM = """#!/usr/bin/python3
import os, pathlib, signal, subprocess, sys, time
words = sys.argv[1:]
made = pathlib.Path(os.environ["MADE_UP"])
def told(name):
    return (made / name).exists()
def span(name, seconds):
    with open(made / "spans", "a") as stream:
        stream.write(f"begin {name} {time.monotonic()}\\n")
    time.sleep(seconds)
    with open(made / "spans", "a") as stream:
        stream.write(f"end {name} {time.monotonic()}\\n")
if words[0] in ("--prepare", "--print"):
    sys.exit()
if words[0] == "--build":
    span("build", 0.2)
    sys.exit(told("no-build-" + words[1]))
machine = next(each for each in words if each in ("uml-debug", "qemu", "uml-plain"))
out = pathlib.Path(words[words.index("--out") + 1])
if told("for-ever"):
    child = subprocess.Popen(["sleep", "4711"], start_new_session=True)
    same = subprocess.Popen(["sleep", "4711"])
    def ended(*_):
        child.kill()
        sys.exit(143)
    signal.signal(signal.SIGTERM, ended)
    (made / f"started-{machine}").touch()
    child.wait()
if "--kunit" in words:
    span("kunit", 0.4)
    (out / "console.log").write_text("KTAP version 1\\n1..1\\n    1..1\\n    ok 1 case\\nok 1 suite\\n")
    sys.exit()
if told("emulator-dies") and "late" in words:
    (made / "emulator-dies").unlink()
    print("### begin link\\n1..2\\nok 1 link.test_it\\nqemu-system-x86_64: physmem.c:1: "
          "f: Assertion `x' failed.", flush=True)
    sys.exit(125)
span(machine, 1.5)
for word in words[words.index("--") + 2:]:
    print(f"### begin {word}\\n1..1\\nok 1 {word}.test_it\\n### end {word} 0", flush=True)
"""
CHECK = """#!/bin/bash
sleep 4711 &
[ ! -e "$MADE_UP/for-ever" ] || { touch "$MADE_UP/started-check"; (sleep 4711; true) | cat; }
kill %1
echo 1..1
echo ok 1 check
"""
E2E = """#!/bin/sh
echo begin e2e >>"$MADE_UP/spans"
printf '1..1\\nok 1 end to end\\n'
"""


class Clone:
    """The runner, in a clone that has nothing else real."""

    def __init__(self, *told):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="vmq-runner-"))
        self.made = self.top / "made"
        self.made.mkdir()
        for name in told:
            (self.made / name).touch()
        shutil.copytree(HERE, self.top / "selftests/runner")
        shutil.copy(HERE.parent / "run", self.top / "selftests/run")
        for path, text in (("tools/testvm/run", TESTVM), ("tools/build/check.sh", CHECK),
                           ("selftests/e2e/one", E2E), ("selftests/e2e/two", E2E)):
            path = self.top / path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
        for name, text in (("link", ""), ("text", "# once: uml-plain\n"),
                           ("late", "# once: qemu\n"), ("unload", "")):
            (self.top / f"selftests/{name}.py").write_text(text)
        self.environment = dict(os.environ, MADE_UP=str(self.made),
                                VMQ_CACHE=str(self.top / "cache"))

    def start(self, *words):
        return subprocess.Popen(
            [str(self.top / "selftests/run"), *words], text=True,
            env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, *words):
        """-> status, lines"""
        process = self.start(*words)
        lines = process.communicate(timeout=60)[0].splitlines()
        return process.returncode, lines

    def left(self):
        """Processes that belong to it."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.fsencode(f"MADE_UP={self.made}") in \
                        (path / "environ").read_bytes().split(b"\0") and \
                        (path / "cmdline").read_bytes():
                    found.append((path / "cmdline").read_bytes()
                                 .replace(b"\0", b" ").decode())
        return found

    def close(self):
        shutil.rmtree(self.top, ignore_errors=True)


def wait_for(condition, seconds=30):
    limit = time.monotonic() + seconds
    while not condition() and time.monotonic() < limit:
        time.sleep(0.05)
    return condition()


@contextlib.contextmanager
def clone(*told):
    made = Clone(*told)
    try:
        yield made
    finally:
        made.close()


def ended_by(number, part, *started):
    with clone("for-ever") as made:
        process = made.start(part)
        assert wait_for(lambda: all((made.made / f"started-{each}").exists()
                                    for each in started)), "never started"
        assert len(made.left()) > 3, made.left()
        process.send_signal(number)
        lines = process.communicate(timeout=60)[0].splitlines()
        left = made.left() if number != signal.SIGKILL else \
            wait_for(lambda: not made.left()) or made.left()
        assert left in ([], True), left
        if number == signal.SIGKILL:
            return
        assert process.returncode == 1, process.returncode
        failed = [line for line in lines if "FAILED" in line]
        assert len(failed) == 1 and signal.Signals(number).name in failed[0], lines
        assert lines[-1] == "0 passed, 1 failed, 0 skipped", lines


def test_terminated():
    """all, ended by SIGTERM, leaves no process"""
    ended_by(signal.SIGTERM, "all", "uml-debug", "qemu")


def test_interrupted():
    """check, ended by SIGINT, leaves no process"""
    ended_by(signal.SIGINT, "check", "check")


def test_killed():
    """check, killed, leaves no process"""
    ended_by(signal.SIGKILL, "check", "check")


def test_all():
    """all runs each job once, the builds first, and counts all"""
    with clone() as made:
        status, lines = made.run("all")
        assert status == 0, lines
        # two topics on two machines, one on each of qemu and uml-plain, a KUnit
        # case, a check, two end to end
        assert lines[-1] == "10 passed, 0 failed, 0 skipped", lines
        ran = [line.split("] ")[1] for line in lines
               if line[:1] == "[" and
               line.endswith((" link unload", " late unload", " text"))]
        assert sorted(ran) == ["qemu: link late unload", "uml-debug: link unload",
                               "uml-plain: text"], ran
        spans = (made.made / "spans").read_text().splitlines()
        names = [line.split()[1] for line in spans if line.startswith("begin")]
        assert sorted(names) == ["build"] * 3 + ["e2e"] * 2 + [
            "kunit", "qemu", "uml-debug", "uml-plain"], names
        assert set(names[:2]) == {"build"}, names
        # who looks after a job that was ended asks twice a second
        assert wait_for(lambda: not made.left()), made.left()


def test_longest_first():
    """What took long last time begins first"""
    with clone() as made:
        place = made.top / "cache"
        place.mkdir()
        times = place / "times.json"
        times.write_text(json.dumps({"kunit": 9000, "e2e two": 8000,
                                     "build qemu": 0.1}))
        made.environment["VMQ_LANES"] = "1"
        _, lines = made.run("all")
        assert lines[-1] == "10 passed, 0 failed, 0 skipped", lines
        done = [line.split("] ")[1].split(":")[0] for line in lines
                if ": done in " in line]
        # what others wait for is as long as they are
        assert done[:4] == ["build uml-debug", "kunit", "build qemu", "e2e two"], done
        known = json.loads(times.read_text())
        assert known["kunit"] < 100 and "selftests qemu" in known, known


def test_build_failed():
    """What needs a build that failed is not run, and says so; the rest is"""
    with clone("no-build-qemu") as made:
        status, lines = made.run("all")
        assert status == 1, lines
        # not: selftests qemu, check, two of e2e
        assert lines[-1] == "4 passed, 5 failed, 0 skipped", lines
        assert sum("what it needs failed" in line and "FAILED" in line
                   for line in lines) == 4, lines


def test_emulator_died():
    """A machine whose emulator dies runs once more, and all is counted once"""
    with clone("emulator-dies") as made:
        status, lines = made.run("selftests", "--machine", "qemu")
        assert status == 0, lines
        assert lines[-1] == "4 passed, 0 failed, 0 skipped", lines
        assert sum("its emulator died" in line for line in lines) == 1, lines


def test_bad_times():
    """A file of times that is damaged is as good as none"""
    for text in ("", "[1]", "{\"kunit\": \"long\"}", "\0\xff"):
        with clone() as made:
            (made.top / "cache").mkdir()
            (made.top / "cache/times.json").write_text(text, encoding="latin-1")
            _, lines = made.run("kunit")
            assert lines[-1] == "1 passed, 0 failed, 0 skipped", lines


def test_build_directory():
    """A clone keeps its build directory; a new one takes over what nobody uses"""
    sys.path.insert(0, str(HERE.parents[1] / "tools/testvm"))
    import cache                         # pylint: disable=import-outside-toplevel
    import module                        # pylint: disable=import-outside-toplevel
    with tempfile.TemporaryDirectory(prefix="vmq-runner-") as top:
        top = pathlib.Path(top)
        cache.CACHE = module.CACHE = top / "cache"

        def chosen(name):
            (top / name).mkdir(exist_ok=True)
            module.CLONE = top / name
            return module.directory_for("qemu")

        def unused(directory, file):
            long_ago = time.time() - module.UNUSED - 10
            os.utime(directory / file, (long_ago, long_ago))

        first, second = chosen("a"), chosen("b")
        assert first != second
        assert (chosen("a"), chosen("b")) == (first, second)
        (top / "a").rmdir()
        assert chosen("c") == first, "of a clone that is gone"
        third = chosen("a")
        assert third not in (first, second), "it has another owner"
        unused(second, module.OWNER)
        assert chosen("d") == second, "not used for an hour"
        fifth = chosen("b")
        assert fifth not in (first, second, third)
        # made before directories had owners
        old, young = (first.with_name(f"qemu-{name * 6}") for name in "xy")
        for each in (old, young):
            each.mkdir()
            (each / ".testvm-files").touch()
        unused(old, ".testvm-files")
        assert chosen("e") == old
        assert chosen("f") not in (old, young, first, second, third, fifth)


TESTS = [test_terminated, test_interrupted, test_killed, test_all,
         test_longest_first, test_build_failed, test_emulator_died,
         test_bad_times,
         test_build_directory]


def main():
    print(f"TAP version 13\n1..{len(TESTS)}")
    failed = 0
    for number, test in enumerate(TESTS, 1):
        result, begin = "ok", time.monotonic()
        try:
            test()
        except Exception as error:       # pylint: disable=broad-except
            result, failed = "not ok", failed + 1
            print(f"# {type(error).__name__}: {error}")
        print(f"# {time.monotonic() - begin:.1f} s", flush=True)
        print(f"{result} {number} {test.__name__}", flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
