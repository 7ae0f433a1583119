#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: uml-debug
"""vmqctl explain: why a port has the queue, the CPU and the path it has."""

from lib import (NetNS, Rule, adapter, cmd, fail_cmd, ksft_eq, ksft_in,
                 ksft_main, ksft_not_in, mac, pair, port, rule_add, vmqctl)
from lib.ioctl import ETHER


def explain(dev="vm1"):
    [found] = vmqctl(f"explain dev {dev}")
    return found


def test_own_queue():
    """A port with a queue of its own: queue, CPU, filters with their owners,
    path and gate, each with the reason (K-22)."""
    pair()
    adapter("vmq0", uplink="up0", rxq=8)
    port("vm1", number=1)
    rule_add("vmq0", Rule(ETHER, 1).dst(mac(50)))
    found = explain()
    ksft_eq((found["dev"], found["adapter"]), ("vm1", "vmq0"))
    [queue] = found["queue"]
    ksft_eq((queue["id"], queue["state"], queue["mode"], queue["shared"],
             queue["filters"]), (1, "running", "direct", False, 2))
    ksft_in("own", queue["why"])
    ksft_in("CPU", queue["cpu-why"])
    ksft_eq({each["mac"]: each["owner"] for each in found["filter"]},
            {"52:54:00:00:00:01": "port vm1", "52:54:00:00:00:32": "ethtool"})
    for each in found["filter"]:
        ksft_eq(each["queue"], 1)
        ksft_eq("own" in each["why"], each["owner"] == "port vm1")
    ksft_eq((found["path"], found["gate"]), ("synthetic", "open"))
    ksft_in("switch", found["path-why"])
    ksft_in("traffic", found["gate-why"])
    text = cmd("vmqctl explain dev vm1")
    for word in ("queue id 1", "filter id", "path synthetic", "gate open",
                 "untagged"):
        ksft_in(word, text)


def test_several_queues():
    """A port with several queues: all of them, and the filter once."""
    adapter("vmq0", rxq=8)
    port("vm1", number=1, rxq=3)
    found = explain()
    ksft_eq([each["id"] for each in found["queue"]], [1, 2, 3])
    for each in found["queue"]:
        ksft_in("spread", each["why"])
    ksft_eq(len(found["filter"]), 1)


def test_default_queue():
    """No queue was free: it shares the default one, and only its own filter is
    its business."""
    adapter("vmq0", rxq=2)
    port("vm1", number=1)
    port("vm2", number=2)
    port("vm3", number=3)
    found = explain("vm2")
    [queue] = found["queue"]
    ksft_eq((queue["id"], queue["shared"]), (0, True))
    ksft_in("no queue was free", queue["why"])
    ksft_eq([each["mac"] for each in found["filter"]], ["52:54:00:00:00:02"])
    ksft_eq(explain("vm1")["queue"][0]["shared"], False)


def test_gate():
    """The state of the gate, and why."""
    adapter("vmq0")
    port("vm1", number=1)
    cmd("vmqctl port set dev vm1 gate closed")
    found = explain()
    ksft_eq(found["gate"], "closed")
    ksft_in("administrator", found["gate-why"])


def test_other_netns():
    """A port in another network namespace than its adapter."""
    adapter("vmq0", rxq=8)
    ns = NetNS()
    port("vm1", number=1, ns=ns)
    with ns:
        found = explain()
    ksft_eq(found["queues"], [1])
    ksft_in("another network namespace", found["queues-why"])
    ksft_eq(found["filter"], [])
    ksft_not_in("queue", found)


def test_usage():
    """What is no port, and bad usage."""
    adapter("vmq0")
    status, text = fail_cmd("vmqctl explain dev vmq0")
    ksft_eq(status, 1)
    ksft_in("not a port", text)
    ksft_eq(fail_cmd("vmqctl explain dev nosuch")[0], 1)
    for words in ("", "dev", "dev vm1 queue 1", "port vm1"):
        ksft_eq(fail_cmd(f"vmqctl explain {words}")[0], 2, words)


if __name__ == "__main__":
    ksft_main(globals())
