#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""How frames of a queue reach their port, and what can be set of a queue."""

from lib import (adapter, fail_cmd, ksft_eq, ksft_in, ksft_main, pair, port,
                 port_queue, vmqctl)


def world():
    pair()
    adapter("vmq0", uplink="up0", rxq=8)
    port("vm1", number=1)


def queue(number):
    [shown] = vmqctl(f"queue show dev vmq0 queue {number}")
    return shown


def queue_refused(words, text, comment=""):
    """The request is refused with this text and changes nothing."""
    before = [{key: value for key, value in each.items()
               if not key.startswith(("rx-", "tx-"))}
              for each in vmqctl("queue show")]
    status, message = fail_cmd(f"vmqctl queue set dev vmq0 {words}")
    ksft_eq(status, 1, comment)
    ksft_in(text, message, comment)
    after = [{key: value for key, value in each.items()
              if not key.startswith(("rx-", "tx-"))}
             for each in vmqctl("queue show")]
    ksft_eq(after, before, f"{comment}: something changed")


def test_name():
    """A queue's name changes, nothing else of it does (Q-17, Q-18, Q-20)."""
    world()
    number = port_queue("vm1")
    before = queue(number)
    ksft_eq(before["name"], "vm1")
    vmqctl(f"queue set dev vmq0 queue {number}")
    ksft_eq(queue(number), before, "Q-18: empty change")
    vmqctl("queue", "set", "dev", "vmq0", "queue", str(number), "name",
           "a \"queue\"")
    ksft_eq(queue(number), {**before, "name": "a \"queue\""}, "Q-17")
    vmqctl("queue set dev vmq0 queue 0 name host")
    ksft_eq(queue(0)["name"], "host")
    queue_refused("queue 7 name x", "not allocated", "Q-31")
    queue_refused("queue 4000000000 name x", "not allocated")
    queue_refused(f"queue {number} name {'x' * 64}", "", "too long")


if __name__ == "__main__":
    ksft_main(globals())
