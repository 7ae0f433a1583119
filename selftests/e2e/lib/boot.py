#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Start a program again, inside of a test machine with NICs and a network."""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TESTVM = HERE.parents[2] / "tools/testvm/run"
# The uplinks of host 1 and host 2, and a station elsewhere on the network.
NICS = ["igb", "igb", "virtio"]
# Seconds for all of a program, and for each round more than are usual: four times
# what they take, as others may use the host.
TIMEOUT, EACH_ROUND = 1500, 80


def inside():
    return "VMQ_MACHINE" in os.environ


def guest_kernel():
    """Path of the kernel of the guests; compiles it where there is none."""
    return subprocess.run([TESTVM, "--print", "guest-kernel"], check=True,
                          text=True, stdout=subprocess.PIPE).stdout.strip()


def command(program, *options):
    """What runs `program` inside, where it finds all VMQ_... variables."""
    nics = [word for nic in NICS for word in ("--uplink", nic)]
    switch = f"exec {HERE / 'switch.py'} {len(NICS)}"
    rounds = int(os.environ.get("VMQ_E2E_ROUNDS", "0"))
    return [str(TESTVM), *nics, "--outside", switch,
            "--timeout", str(TIMEOUT + EACH_ROUND * rounds), *options, "qemu", "--", str(program)]


def boot(program):
    """Become that. The logs go to $VMQ_OUT, if there is one."""
    os.environ["VMQ_GUEST_KERNEL"] = guest_kernel()
    out = os.environ.get("VMQ_OUT")
    sys.stdout.flush()
    os.execv(TESTVM, command(program, *(["--out", out] if out else [])))


if __name__ == "__main__":
    boot(pathlib.Path(sys.argv[1]).resolve())
