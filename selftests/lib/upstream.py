#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Inside a test machine: runs the kernel's own selftests for drivers on vmq0.

    upstream.py TEST[:CASE]...

They are not copied and not changed: $VMQ_UPSTREAM is tools/testing/selftests of
a kernel source, $VMQ_ETHTOOL an ethtool that is new enough for them. What a
software device can't have is excluded by name, with the reason. The results are
for selftests/run.
"""

import fnmatch
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib import inside        # noqa: E402  pylint: disable=wrong-import-position

TEST_SECONDS = 3000  # rss_ctx.test_rss_context32 alone takes 10 minutes
QUEUES = 128         # rss_ctx asks for 66, and for all that there are
SWITCHED_ON = 8

XDP = "the program that it loads needs clang, which is not installed"
NATIVE = "no native XDP: the frames are the uplink's"
# test -> {pattern of cases: reason}; what is not here has to pass or to skip
TESTS = {
    "queues": {},
    "stats": {},
    "ring_reconfig": {
        "reconfig_tx_stall": "no transmit rings: the uplink has the frame when "
                             "the call returns",
    },
    "napi_threaded": {},
    "ping": {
        **({} if shutil.which("clang") else {"test_xdp_generic_*": XDP}),
        "test_xdp_native_*": NATIVE,
        "test_xdp_offload": "no hardware that a program could run on",
    },
    "hw/ntuple": {},
    "hw/rss_api": {},
    "hw/rss_ctx": {},
}
# Debian 13's ethtool has no JSON for -l; the one that these tests are of does
ETHTOOL = """#!/bin/sh
[ "$1 $2" = "--json -l" ] || exec {real} "$@"
{real} -l "$3" | awk '/^Current/ {{ now = 1 }} now && /^Combined:/ {{ n = $2 }}
	END {{ printf "[ {{ \\"combined\\": %d }} ]\\n", n; exit !n }}'
"""
# what a test expects of a NIC as it comes: NAPIs, which queues with CPUs have
SETUP = {
    "napi_threaded": [f"vmqctl queue set dev vmq0 queue {queue} cpus 0-1"
                      for queue in range(SWITCHED_ON)],
}


def sh(*commands):
    for command in commands:
        subprocess.run(command.split(), check=True)


def compile_programs(directory):
    """What the kernel's own build makes of these tests, as far as they need it."""
    library = directory / "net/lib"
    subprocess.run(["gcc", "-o", library / "xdp_helper",
                    library / "xdp_helper.c"], check=False)
    if not shutil.which("clang"):
        return
    # bpf_helpers.h includes it, and this program needs nothing of it
    (library / "bpf_helper_defs.h").touch()
    tools = directory.parents[1]
    subprocess.run(["clang", "-O2", "-target", "bpf", f"-I{library}",
                    f"-I{tools / 'include/uapi'}", f"-I{tools / 'lib'}", "-c",
                    library / "xdp_dummy.bpf.c",
                    "-o", library / "xdp_dummy.bpf.o"], check=True)


def make_world():
    """vmq0 over a veth to another network namespace, as README.rst has it."""
    sh("ip netns add endpoint",
       "ip link add up0 type veth peer name wire0 netns endpoint",
       f"ip link add vmq0 numrxqueues {QUEUES} numtxqueues {QUEUES} type vmq",
       # a wire that can carry more than vmq0 does at first
       "ip link set up0 mtu 9000",
       "ip link set up0 master vmq0",
       "ip link set vmq0 mtu 1500 up",
       "ip -n endpoint link set lo up",
       "ip -n endpoint link set wire0 up",
       # rss_ctx counts packets, and waits five seconds for 20,000: small ones
       "ip netns exec endpoint ethtool -K wire0 tso off gso off",
       "ip addr add 192.0.2.1/24 dev vmq0",
       "ip addr add 2001:db8::1/64 dev vmq0 nodad",
       "ip -n endpoint addr add 192.0.2.2/24 dev wire0",
       "ip -n endpoint addr add 2001:db8::2/64 dev wire0 nodad",
       # what brings addresses back on a host whose link was down
       "sysctl -q net.ipv6.conf.vmq0.keep_addr_on_down=1",
       f"ethtool -L vmq0 combined {SWITCHED_ON}",
       # drivers of NICs start with this table
       "ethtool -X vmq0 default")


def end_world():
    sh("ip link delete vmq0", "ip netns delete endpoint")


def environment():
    programs = pathlib.Path(tempfile.mkdtemp())
    (programs / "ethtool").write_text(
        ETHTOOL.format(real=os.environ["VMQ_ETHTOOL"]), encoding="ascii")
    (programs / "ethtool").chmod(0o755)
    os.environ.update(
        PATH=f"{programs}:{os.environ['PATH']}", NETIF="vmq0",
        LOCAL_V4="192.0.2.1", REMOTE_V4="192.0.2.2",
        LOCAL_V6="2001:db8::1", REMOTE_V6="2001:db8::2",
        REMOTE_TYPE="netns", REMOTE_ARGS="endpoint")


def cases(script, *arguments):
    done = subprocess.run([sys.executable, script, "-l", *arguments],
                          check=False, stdout=subprocess.PIPE, text=True)
    return [line for line in done.stdout.splitlines()
            if line and not line.startswith("#")]


def excluded(script, table):
    """{case: reason}"""
    found = {}
    for case in cases(script) if table else []:
        for wanted, reason in table.items():
            if fnmatch.fnmatch(case, wanted):
                found[case] = reason
    return found


def run_test(name, pattern, directory, log):
    """One of them; the cases that it does not have to run come as skips."""
    script = directory / f"drivers/net/{name}.py"
    print(f"### begin {name}", flush=True)
    make_world()
    sh(*SETUP.get(name, []))
    skipped = {} if pattern else excluded(script, TESTS[name])
    arguments = [word for case in skipped for word in ("-T", case)]
    if pattern:
        arguments = ["-t", f"*{pattern}*"]
    process = subprocess.Popen([sys.executable, script, *arguments],
                               start_new_session=True, cwd=script.parent,
                               stdout=subprocess.PIPE, text=True)
    timer = threading.Timer(TEST_SECONDS, os.killpg,
                            (process.pid, signal.SIGKILL))
    timer.start()
    ran = relay(process, len(skipped))
    status = process.wait()
    timer.cancel()
    for number, (case, reason) in enumerate(skipped.items(), ran + 1):
        print(f"ok {number} {name.rpartition('/')[2]}.{case} # SKIP {reason}")
    reports = log.reports()
    for report in reports:
        print("# kernel: " + "\n# kernel: ".join(report))
    if reports:
        print(f"inside! {name}: the kernel warned: {reports[0][0]}")
    end_world()
    print(f"### end {name} {status}", flush=True)
    return status != 0 or bool(reports)


def relay(process, more):
    """Its lines, with a plan that counts `more` cases; -> results."""
    ran = 0
    for line in process.stdout:
        if line.startswith("1.."):
            line = f"1..{int(line[3:].split()[0]) + more}\n"
        if line.startswith(("ok ", "not ok ")):
            ran += 1
        print(line, end="", flush=True)
    return ran


def main():
    if inside.load("vmq"):
        sys.exit("inside! the module could not be loaded")
    directory = pathlib.Path(os.environ["VMQ_UPSTREAM"])
    environment()
    compile_programs(directory)
    log = inside.KernelLog()
    bad = False
    for word in sys.argv[1:] or TESTS:
        name, _, pattern = word.partition(":")
        bad |= run_test(name, pattern, directory, log)
    sys.exit(bad)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main()
