# SPDX-License-Identifier: GPL-2.0
"""Many rules at once, without starting a program for each."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "selftests"))

from lib import ioctl as et
from lib.acl import ALLOW, DENY, IN, acl_rule, acl_set
from lib.meter import meter_set
from lib.netlink import UAPI, attr_u8, attr_u16, attr_u32


def exact_rules(dev, count):
    """MAC and VLAN id, each its own."""
    for n in range(count):
        et.rule_add(dev, et.Rule(et.ETHER, 0).dst(
            bytes([0x52, 0x54, 1, 0, n >> 8 & 255, n & 255])).vlan(n % 4094 + 1, 0xfff))


def acl_for_port_9(port):
    """UDP to port 9 may come in, nothing else."""
    acl_set(port, attr_u32(UAPI["VMQ_A_ACL_MAX_CONNECTIONS"], 110000),
            acl_rule(IN, ALLOW, attr_u8(UAPI["VMQ_A_ACL_RULE_IP_PROTO"], 17),
                     attr_u16(UAPI["VMQ_A_ACL_RULE_DST_PORT_MIN"], 9),
                     attr_u16(UAPI["VMQ_A_ACL_RULE_DST_PORT_MAX"], 9), priority=1),
            acl_rule(IN, DENY, priority=2))


def meter_rx(port, rate):
    """Bits a second that the guest may receive."""
    meter_set(port, rx_rate=rate)


def masked_rules(dev, count, udp=False):
    """TCP or UDP over IPv4 to prefixes of 8 lengths."""
    for n in range(count):
        bits = 17 + n % 8
        mask = (0xffffffff << (32 - bits)) & 0xffffffff
        address = (10 << 24 | n << 10) & mask
        et.rule_add(dev, et.Rule(et.UDP_V4 if udp else et.TCP_V4, 0).dst_ip(
            address.to_bytes(4, "big"), mask.to_bytes(4, "big")).dst_port(1000 + n))
