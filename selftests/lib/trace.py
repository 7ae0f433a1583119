# SPDX-License-Identifier: GPL-2.0
"""The module's tracepoints."""

import os
import re
import subprocess

TRACING = "/sys/kernel/tracing"
LINE = re.compile(r"\s*(?P<comm>.*)-\d+\s+\[(?P<cpu>\d+)\]\s+\S+\s+\S+: "
                  r"(?P<event>\w+): (?P<fields>.*)$")


def _write(path, text):
    with open(f"{TRACING}/{path}", "w", encoding="utf-8") as stream:
        stream.write(text)


class Trace:
    """with Trace("vmq_deliver") as trace: ...; trace.events()"""

    def __init__(self, *names):
        self.names = names
        if not os.path.exists(f"{TRACING}/trace"):
            subprocess.run(["mount", "-t", "tracefs", "none", TRACING],
                           check=True)

    def __enter__(self):
        _write("buffer_size_kb", "4096")
        self.clear()
        for name in self.names:
            _write(f"events/vmq/{name}/enable", "1")
        _write("tracing_on", "1")
        return self

    def __exit__(self, *_):
        for name in self.names:
            _write(f"events/vmq/{name}/enable", "0")
        self.clear()

    @staticmethod
    def clear():
        _write("trace", "")

    @staticmethod
    def events(**wanted):
        """[{cpu, comm, event, and its fields}]; numbers are int"""
        found = []
        with open(f"{TRACING}/trace", encoding="utf-8") as stream:
            for line in stream:
                match = LINE.match(line)
                if not match:
                    continue
                event = {"comm": match["comm"].strip(), "event": match["event"],
                         "cpu": int(match["cpu"])}
                for word in match["fields"].split():
                    name, _, value = word.partition("=")
                    event[name] = int(value) if value.isdigit() else value
                if all(event.get(name) == value
                       for name, value in wanted.items()):
                    found.append(event)
        return found
