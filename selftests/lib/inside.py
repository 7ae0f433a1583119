#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Inside a test machine: loads the modules and runs test files, one by one.

    inside.py TOPIC[:TEST]...
    inside.py --kunit

What it prints is for selftests/run.
"""

import glob
import os
import select
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(os.path.dirname(TESTS), "tools/testvm"))

import check_log          # noqa: E402  pylint: disable=wrong-import-position

SILENT_SECONDS = 200     # of a topic; a test ends sooner, and then says so
MODULES = ["vmq", "vmq_acl", "vmq_guard", "vmq_meter"]


def module(name):
    found = glob.glob(f"{os.environ['VMQ_BUILD']}/**/{name}.ko",
                      recursive=True)
    if not found:
        print(f"inside! no {name}.ko was built")
        sys.exit(1)
    return found[0]


def load(name):
    path = module(name)
    depends = subprocess.run(["modinfo", "-F", "depends", path], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    for other in depends.strip().split(","):
        if other and not other.startswith("vmq"):
            # built in, where there is no such module
            subprocess.run(["modprobe", "-q", other], check=False)
    return subprocess.run(["insmod", path], check=False).returncode


def kunit():
    bad = 0
    # suites that make allocations fail mean those that may sleep, too
    for name, value in (("ignore-gfp-wait", "N"), ("verbose", "0")):
        try:
            with open(f"/sys/kernel/debug/failslab/{name}", "w",
                      encoding="ascii") as stream:
                stream.write(value)
        except OSError:
            pass
    for name in MODULES:
        begin = time.monotonic()
        if load(name):
            print(f"inside! insmod {name} failed")
            bad = 1
        print(f"inside: {name}: {time.monotonic() - begin:.1f} s", flush=True)
    for name in reversed(MODULES):
        if os.path.exists(f"/sys/module/{name}") and \
                subprocess.run(["rmmod", name], check=False).returncode:
            print(f"inside! rmmod {name} failed")
            bad = 1
    return bad


class KernelLog:
    """What the kernel logs between two looks at it."""

    def __init__(self):
        self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self.fd, 0, os.SEEK_END)

    def reports(self):
        lines = []
        while True:
            try:
                record = os.read(self.fd, 8192).decode(errors="replace")
            except BlockingIOError:
                break
            except OSError:             # overwritten meanwhile
                continue
            lines += record.partition(";")[2].splitlines()[:1]
        return check_log.unexpected(lines)


def links(*kinds):
    """Names of all links of these kinds."""
    found = []
    for kind in kinds:
        output = subprocess.run(["ip", "-o", "link", "show", "type", kind],
                                check=False, stdout=subprocess.PIPE,
                                text=True).stdout
        found += [line.split(":")[1].split("@")[0].strip()
                  for line in output.splitlines()]
    return found


def clean():
    """Takes away what a test left that did not end as it should."""
    left = [name for name in os.listdir("/sys/class/net")
            if os.path.islink(f"/sys/class/net/{name}")
            and name != "lo" and not name.startswith(("eth", "en", "tunl", "sit",
                                                     "ip6tnl", "gre", "erspan"))]
    if not left:
        return
    print(f"# left behind: {' '.join(left)}")
    for name in links("vmq", "veth", "dummy", "bridge", "vlan"):
        subprocess.run(["ip", "link", "delete", name], check=False,
                       stderr=subprocess.DEVNULL)


def carry(process):
    """What it says, to our output; -> False when it says no more."""
    last = time.monotonic()
    while time.monotonic() < last + SILENT_SECONDS:
        ended = process.poll() is not None
        if select.select([process.stdout], [], [], 0 if ended else 0.1)[0]:
            if not (data := os.read(process.stdout.fileno(), 65536)):
                return True
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            last = time.monotonic()
        elif ended:             # something it started has its output, too
            return True
    return False


def run_topic(name, pattern, log):
    print(f"### begin {name}", flush=True)
    command = [sys.executable, f"{TESTS}/{name}.py"]
    if pattern:
        command += ["-k", pattern]
    process = subprocess.Popen(command, start_new_session=True,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    if carry(process):
        status = process.wait()
    else:
        print(f"# silent for {SILENT_SECONDS} s; the stacks of its threads:")
        for path in glob.glob(f"/proc/{process.pid}/task/*/stack"):
            try:
                with open(path, encoding="utf-8") as stream:
                    print("# " + stream.read().replace("\n", "\n# "))
            except OSError:
                pass
        os.killpg(process.pid, signal.SIGKILL)
        status = TIMED_OUT
    reports = log.reports()
    for report in reports:
        print("# kernel: " + "\n# kernel: ".join(report))
    if reports:
        print(f"inside! {name}: the kernel warned: {reports[0][0]}")
    clean()
    print(f"### end {name} {status}", flush=True)
    return status != 0 or bool(reports)


TIMED_OUT = 124


def main():
    if sys.argv[1:] == ["--kunit"]:
        return kunit()
    begin = time.monotonic()
    for name in MODULES:
        if load(name):
            print(f"inside! insmod {name} failed")
            return 1
    with open("/proc/uptime", encoding="utf-8") as stream:
        uptime = stream.read().split()[0]
    print(f"inside: up {uptime} s, modules loaded in "
          f"{time.monotonic() - begin:.1f} s", flush=True)
    log = KernelLog()
    bad = False
    for word in sys.argv[1:]:
        name, _, pattern = word.partition(":")
        bad |= run_topic(name, pattern, log)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
