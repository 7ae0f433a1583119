# SPDX-License-Identifier: GPL-2.0
"""Many ethtool -N rules at once, without the program."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "selftests"))

from lib import ioctl as et


def exact_rules(dev, count):
    """MAC and VLAN id, each its own."""
    for n in range(count):
        et.rule_add(dev, et.Rule(et.ETHER, 0).dst(
            bytes([0x52, 0x54, 1, 0, n >> 8 & 255, n & 255])).vlan(n % 4094 + 1, 0xfff))


def masked_rules(dev, count):
    """TCP over IPv4 to prefixes of 8 lengths."""
    for n in range(count):
        bits = 17 + n % 8
        mask = (0xffffffff << (32 - bits)) & 0xffffffff
        address = (10 << 24 | n << 10) & mask
        et.rule_add(dev, et.Rule(et.TCP_V4, 0).dst_ip(
            address.to_bytes(4, "big"), mask.to_bytes(4, "big")).dst_port(1000 + n))
