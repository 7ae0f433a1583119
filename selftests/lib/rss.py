# SPDX-License-Identifier: GPL-2.0
"""Receive side scaling: ethtool's ioctls, and what the hash has to be."""

import socket
import struct

from .ioctl import FLOW_RSS, RXNFC_SIZE, SRXCLSRLINS, _ioctl, _rxnfc

GRSSH, SRSSH, GRXFH, SRXFH = 0x46, 0x47, 0x29, 0x2a
NEW, NO_CHANGE = 0xffffffff, 0xffffffff
IP_SRC, IP_DST, SPORT, DPORT = 1 << 4, 1 << 5, 1 << 6, 1 << 7
SUITE_KEY = bytes.fromhex(
    "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c"
    "6a42b73bbeac01fa")


def _rxfh(command, context, indir_size, key_size, hfunc=0, data=b""):
    return struct.pack("=IIIIBBxxI", command, context, indir_size, key_size,
                       hfunc, 0xff if command == SRSSH else 0, 0) + data


def rss_get(dev, context=0):
    """ethtool -x: (table, key)"""
    raw = _ioctl(dev, _rxfh(GRSSH, context, 0, 0))
    size, key = struct.unpack_from("=II", raw, 8)
    raw = _ioctl(dev, _rxfh(GRSSH, context, size, key,
                            data=bytes(4 * size + key)))
    return (list(struct.unpack_from(f"={size}I", raw, 24)),
            raw[24 + 4 * size:24 + 4 * size + key])


def rss_set(dev, table=None, key=b"", context=0, hfunc=0):
    """ethtool -X; a short table is repeated, [] is the default one.

    -> the context, where `context` is NEW
    """
    size, data = NO_CHANGE, b""
    if table is not None:
        size = rss_size(dev) if table else 0
        data = b"".join(struct.pack("=I", table[i % len(table)])
                        for i in range(size))
    raw = _ioctl(dev, _rxfh(SRSSH, context, size, len(key), hfunc, data + key))
    return struct.unpack_from("=I", raw, 4)[0]


def rss_size(dev):
    return struct.unpack_from("=I", _ioctl(dev, _rxfh(GRSSH, 0, 0, 0)), 8)[0]


def rss_delete(dev, context):
    """ethtool -X DEV context N delete"""
    _ioctl(dev, _rxfh(SRSSH, context, 0, 0))


def _with_context(raw, context):
    return raw[:184] + struct.pack("=I", context) + raw[188:]


def fields_get(dev, flow, context=0):
    """ethtool -n DEV rx-flow-hash"""
    raw = struct.pack("=IIQ", GRXFH, flow | (FLOW_RSS if context else 0),
                      0).ljust(RXNFC_SIZE, b"\0")
    return struct.unpack_from("=Q", _ioctl(dev, _with_context(raw, context)),
                              8)[0]


def fields_set(dev, flow, fields, context=0):
    """ethtool -N DEV rx-flow-hash"""
    raw = struct.pack("=IIQ", SRXFH, flow | (FLOW_RSS if context else 0),
                      fields).ljust(RXNFC_SIZE, b"\0")
    _ioctl(dev, _with_context(raw, context))


def rule_add_context(dev, rule, context):
    """ethtool -N ... context N; -> the location"""
    rule.flow |= FLOW_RSS
    raw = _ioctl(dev, _with_context(_rxnfc(SRXCLSRLINS, rule.pack()), context))
    return struct.unpack_from("=I", raw, 16 + 160)[0]


def toeplitz(key, data):
    """The hash, as its definition has it."""
    whole = int.from_bytes(key, "big")
    total = 0
    for i in range(8 * len(data)):
        if data[i // 8] & 0x80 >> i % 8:
            total ^= whole >> (8 * len(key) - 32 - i) & 0xffffffff
    return total


def flow_hash(key, src, dst, sport, dport,
              fields=IP_SRC | IP_DST | SPORT | DPORT):
    """The hash of a frame with these fields."""
    family = socket.AF_INET6 if ":" in src else socket.AF_INET
    data = b""
    for bit, value in ((IP_SRC, socket.inet_pton(family, src)),
                       (IP_DST, socket.inet_pton(family, dst)),
                       (SPORT, struct.pack("!H", sport)),
                       (DPORT, struct.pack("!H", dport))):
        if fields & bit:
            data += value
    return toeplitz(key, data)
