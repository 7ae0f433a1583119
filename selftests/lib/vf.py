# SPDX-License-Identifier: GPL-2.0
"""Virtual functions of an adapter."""

import contextlib
import json

from .env import cmd, quiet, read_file
from .ksft import defer
from .rtnl import Rtnl


def device(dev="vmq0"):
    return f"/sys/class/net/{dev}/device"


def set_numvfs(count, dev="vmq0"):
    with open(f"{device(dev)}/sriov_numvfs", "w", encoding="ascii") as stream:
        stream.write(str(count))


def get_numvfs(dev="vmq0"):
    return int(read_file(f"{device(dev)}/sriov_numvfs"))


def add_vfs(count, dev="vmq0", up=True):
    """VFs of an adapter, their netdevs quiet and up; -> names"""
    set_numvfs(count, dev)
    defer(_no_vfs, dev)
    names = [f"{dev}v{number}" for number in range(count)]
    with contextlib.closing(Rtnl()) as rtnl:
        for name in names:
            quiet(name)
            if up:
                rtnl.up(name)
    return names


def _no_vfs(dev):
    with contextlib.suppress(OSError):
        set_numvfs(0, dev)


def vf_set(number, text, dev="vmq0"):
    """ip link set DEV vf N ..."""
    cmd(f"ip link set {dev} vf {number} {text}")


def vf_info(number, dev="vmq0"):
    """What `ip -s link show DEV` says of a VF."""
    link = json.loads(cmd(f"ip -s -j link show dev {dev}"))[0]
    return [each for each in link["vfinfo_list"]
            if each["vf"] == number][0]


def driver(action, number, dev="vmq0"):
    """Binds ("bind") or unbinds the driver of a VF."""
    name = read_file(f"{device(dev)}/uevent") and _name(number, dev)
    with open(f"/sys/bus/vmq/drivers/vmqvf/{action}", "w",
              encoding="ascii") as stream:
        stream.write(name)


def _name(number, dev):
    import os
    return os.path.basename(os.readlink(f"{device(dev)}/virtfn{number}"))
