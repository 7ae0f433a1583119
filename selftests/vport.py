#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""VPorts of the NIC switch: how many there are and may be, and which."""

import contextlib
import os

from lib import (UAPI, Genl, NetNS, NlError, Rtnl, adapter, attr_str, cmd, defer,
                 fail_cmd, ksft_eq, ksft_in, ksft_main, ksft_raises, ksft_true,
                 port, vmqctl)
from lib.vf import add_vfs, device, set_numvfs


def in_use():
    """VPorts and queue pairs, of how many"""
    [shown] = vmqctl("adapter show dev vmq0")
    return tuple(shown[key] for key in ("vports", "queue-pairs", "max-vports",
                                        "max-queue-pairs"))


def test_pool():
    """V-10, V-32, V-34 to V-36: a VPort with its queue pairs is counted while it is
    there, what is refused is not, and whoever comes first, all VFs and all queues
    find room."""
    adapter("vmq0", rxq=5)
    total = int(open(f"{device()}/sriov_totalvfs", encoding="ascii").read())
    most = (total + 5, total + 5)
    ksft_eq(in_use(), (1, 1, *most), "the default VPort's")
    port("vm1", number=1, rxq=2)
    ksft_eq(in_use(), (2, 3, *most))
    cmd("ethtool -L vm1 combined 1")
    ksft_eq(in_use(), (2, 2, *most), "V-19")
    cmd("ethtool -L vm1 combined 2")
    ksft_eq(in_use(), (2, 3, *most))
    set_numvfs(2)
    defer(lambda: os.path.exists(device()) and set_numvfs(0))
    ksft_eq(in_use(), (4, 5, *most))
    for text in ("address 52:54:00:00:00:01", "numrxqueues 300"):
        ksft_true(fail_cmd(f"ip link add link vmq0 name vm9 {text} "
                           "type vmqport")[0], text)
    with ksft_raises(OSError):
        set_numvfs(3)
    ksft_eq(in_use(), (4, 5, *most), "refused")
    set_numvfs(0)
    ksft_eq(in_use(), (2, 3, *most))
    rtnl = Rtnl()
    defer(rtnl.close)
    rtnl.delete("vm1")
    ksft_eq(in_use(), (1, 1, *most))
    for number in range(1, 6):
        port(f"vm{number}", number=number)
    ksft_eq(vmqctl("port show dev vm5")[0]["queues"], [0], "S-22")
    ksft_eq(in_use(), (5, 5, *most), "no VPort of its own")
    set_numvfs(total)
    ksft_eq(in_use(), most * 2, "V-36: the VFs' share is theirs")
    for number in range(1, 6):
        rtnl.delete(f"vm{number}")
    set_numvfs(0)
    ksft_eq(in_use(), (1, 1, *most))


def ports(text):
    return [each["dev"] for each in vmqctl(f"port show {text}")]


def test_enumerate():
    """V-27, O-22: all ports, those of one adapter, or one; VFs in the same way. It is
    the adapter that is named, and what is no adapter has none."""
    for number in (0, 1):
        adapter(f"vmq{number}", rxq=8)
    for number in (1, 2, 3):
        port(f"vm{number}", number=number, link=f"vmq{number // 3}")
    for number in (0, 1):
        add_vfs(1, f"vmq{number}")
    ksft_eq(ports(""), ["vm1", "vm2", "vm3"])
    ksft_eq(ports("adapter vmq0"), ["vm1", "vm2"])
    ksft_eq(ports("adapter vmq1"), ["vm3"])
    ksft_eq(ports("dev vm2"), ["vm2"])
    ksft_eq([each["dev"] for each in vmqctl("vf show")], ["vmq0", "vmq1"])
    ksft_eq([each["dev"] for each in vmqctl("vf show dev vmq1")], ["vmq1"])
    genl = Genl()
    defer(genl.close)
    for dev in ("vm1", "lo", "nobody"):
        with ksft_raises(NlError) as caught:
            genl.call(UAPI["VMQ_CMD_PORT_GET"],
                      attr_str(UAPI["VMQ_A_PORT_DEV"], dev), dump=True)
        ksft_true(caught.exception.errno, dev)
    status, text = fail_cmd("vmqctl port show dev vm1 adapter vmq0")
    ksft_eq(status, 2)
    ksft_in("exclude", text)
    # a port is shown where it is
    ns = NetNS()
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.set("vm1", netns_fd=ns.fd)
    ksft_eq(ports("adapter vmq0"), ["vm2"])
    with ns:
        ksft_eq(ports(""), ["vm1"])


def test_identity():
    """V-12, V-13, V-25: a port's id is its own for good; the default VPort is the
    adapter's, has no id among them, and its queue is not given away."""
    adapter("vmq0", rxq=8)
    for number in (1, 2):
        port(f"vm{number}", number=number)

    def ids():
        return {each["dev"]: each["port-id"] for each in vmqctl("port show")}

    first = ids()
    ksft_true(0 < first["vm1"] < first["vm2"], first)
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.delete("vm2")
    port("vm3", number=3)
    ksft_eq(ids()["vm1"], first["vm1"])
    ksft_true(ids()["vm3"] > first["vm2"], "not given again")
    status, _ = fail_cmd("vmqctl queue del dev vmq0 queue 0")
    ksft_eq(status, 1)
    ksft_eq(vmqctl("queue show dev vmq0 queue 0")[0]["state"], "running")


if __name__ == "__main__":
    ksft_main(globals())
