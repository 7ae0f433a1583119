# SPDX-License-Identifier: GPL-2.0
"""How the demo talks: steps, commands with their output, and checks."""

import os
import re
import subprocess
import sys
import textwrap
import time

BEGIN = int(os.environ.get("VMQ_DEMO_BEGIN", time.time()))
BOLD, BLUE, PLAIN = ("\033[1m", "\033[34m", "\033[0m") \
    if "VMQ_DEMO_COLOR" in os.environ else ("", "", "")

facts = []               # what check() found, for the summary


class DemoError(Exception):
    """Something was not as it should be."""


def step(title):
    print(f"\n{BOLD}[{time.time() - BEGIN:3.0f} s] {title}{PLAIN}\n",
          flush=True)


def say(text):
    print(textwrap.fill(" ".join(text.split()), 78), flush=True)


def prompt(line, what="# "):
    print(f"{BLUE}{what}{BOLD}{line}{PLAIN}", flush=True)


def output(text):
    if text:
        print(text.rstrip("\n"), flush=True)


def show(command, fails=False):
    """Print a command, run it, print what it says; -> that."""
    prompt(command)
    result = subprocess.run(command, shell=True, text=True, check=False,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=60)
    output(result.stdout)
    if bool(result.returncode) != fails:
        raise DemoError(f"{command}: exit status {result.returncode}")
    return result.stdout


def start(command):
    """Print a command and leave it running in the background."""
    prompt(f"{command} &")
    subprocess.Popen(command, shell=True, stdin=subprocess.DEVNULL)


def fold(command):
    """A long command on several lines, as a shell would take it."""
    lines = [""]
    for part in re.split(r" (?=-)", command):
        if lines[-1] and len(lines[-1]) + len(part) > 74:
            lines.append("   ")
        lines[-1] += f" {part}" if lines[-1] else part
    return " \\\n".join(lines)


def show_all(commands):
    for command in commands:
        show(command)


def show_inside(guest, command):
    """The same, in a guest."""
    prompt(command, f"{guest.name}# ")
    result = guest.run(command)
    output(result)
    return result


def check(truth, fact):
    """What the step was about: a fact for the summary, or the end."""
    if not truth:
        raise DemoError(f"not true: {fact}")
    print(f"{BOLD}=> {fact}{PLAIN}", flush=True)
    facts.append(fact)


def summary():
    step("Summary")
    for fact in facts:
        print(textwrap.fill(fact, 78, initial_indent="  - ",
                            subsequent_indent="    "))
    print(flush=True)


def main(scenario):
    try:
        scenario()
    except Exception as error:      # pylint: disable=broad-except
        print(f"\n{BOLD}FAILED: {error}{PLAIN}", flush=True)
        if not isinstance(error, (DemoError, AssertionError)):
            raise
        sys.exit(1)
    summary()
