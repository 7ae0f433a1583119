#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""X-07: external, internal and private switches."""

from lib import (Raw, Rtnl, adapter, cmd, defer, ether, fail_cmd, ksft_eq,
                 ksft_in, ksft_main, ksft_true, link_info, link_stats, machine,
                 pair, port, vmqctl)

SLOW = machine() != "uml-plain"
ALL = b"\xff" * 6


def world():
    adapter("vmq0", rxq=8)
    for number in (1, 2):
        port(f"vm{number}", number=number)
    made = Raw("vmq0"), Raw("vm1"), Raw("vm2")
    for each in made:
        defer(each.close)
    return made


def arrives(sender, receiver, dst, src):
    receiver.drain()
    frame = ether(dst, src)
    sender.send(frame)
    return receiver.expect(frame, 0.15 if SLOW else 0.08) is not None


def host():
    return bytes.fromhex(link_info("vmq0")["address"].replace(":", ""))


def test_private():
    """The ports hear each other, the host hears none of them nor they the host.
    """
    inside, one, two = world()
    for private in (False, True, False):
        cmd(f"vmqctl adapter set dev vmq0 private {'on' if private else 'off'}")
        ksft_eq(vmqctl("adapter show dev vmq0")[0]["private"], private)
        for dst in (2, ALL):
            ksft_true(arrives(one, two, dst, 1), "between ports")
        for dst in (host(), ALL):
            ksft_eq(arrives(one, inside, dst, 1), not private, "to the host")
        for dst in (1, ALL):
            ksft_eq(arrives(inside, one, dst, host()), not private,
                    "from the host")
    # not even a host that listens to all, or a rule for its default queue
    cmd("vmqctl adapter set dev vmq0 private on")
    Rtnl().set("vmq0", promisc=True)
    cmd("ethtool -N vmq0 flow-type ether dst 52:54:00:00:00:77 action 0")
    ksft_true(not arrives(one, inside, 0x66, 1), "promiscuous")
    ksft_true(not arrives(one, inside, 0x77, 1), "a rule")
    before = link_stats("vm1")["tx_dropped"]
    one.send(ether(host(), 1))
    ksft_eq(link_stats("vm1")["tx_dropped"] - before, 1, "counted")


def test_uplink():
    """A private switch has no uplink, and one with an uplink is not private."""
    world()
    pair()
    cmd("vmqctl adapter set dev vmq0 private on")
    _, message = fail_cmd("ip link set up0 master vmq0")
    ksft_in("a private switch has no uplink", message)
    ksft_true("uplink" not in vmqctl("adapter show dev vmq0")[0])
    cmd("vmqctl adapter set dev vmq0 private off")
    cmd("ip link set up0 master vmq0")
    status, message = fail_cmd("vmqctl adapter set dev vmq0 private on")
    ksft_eq(status, 1)
    ksft_in("up0", message)
    ksft_eq(vmqctl("adapter show dev vmq0")[0]["private"], False)
    for words in ("", "private 1", "private"):
        ksft_eq(fail_cmd(f"vmqctl adapter set dev vmq0 {words}")[0], 2)
    ksft_eq(fail_cmd("vmqctl adapter set dev vm1 private on")[0], 1)


if __name__ == "__main__":
    ksft_main(globals())
