# SPDX-License-Identifier: GPL-2.0
"""ethtool's ioctls, for what is asked often; ethtool(8) is for the rest."""

import ctypes
import fcntl
import socket
import struct

SIOCETHTOOL = 0x8946
GDRVINFO, GSTRINGS, GSTATS, GSSET_INFO = 0x3, 0x1b, 0x1d, 0x37
GCHANNELS, SCHANNELS = 0x3c, 0x3d
GRXCLSRLCNT, GRXCLSRULE, GRXCLSRLALL = 0x2e, 0x2f, 0x30
SRXCLSRLDEL, SRXCLSRLINS = 0x31, 0x32
ETH_SS_STATS = 1

TCP_V4, UDP_V4, SCTP_V4, TCP_V6, UDP_V6, SCTP_V6 = 1, 2, 3, 5, 6, 7
IP4_USER, IP6_USER, ETHER = 0xd, 0xe, 0x12
FLOW_EXT, FLOW_MAC_EXT, FLOW_RSS = 0x80000000, 0x40000000, 0x20000000
LOC_ANY, LOC_FIRST, LOC_LAST = 0xffffffff, 0xfffffffe, 0xfffffffd
DISC = 0xffffffffffffffff

RXNFC_SIZE, RULE_LOCS = 192, 188


def _ioctl(dev, data):
    """Runs one; -> the buffer afterwards"""
    buffer = ctypes.create_string_buffer(bytes(data), len(data))
    request = struct.pack("16sP8x", dev.encode(), ctypes.addressof(buffer))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, SIOCETHTOOL, request)
    return buffer.raw


def ethtool_stats(dev):
    """ethtool -S: {name: value}"""
    answer = _ioctl(dev, struct.pack("=IIQI", GSSET_INFO, 0,
                                     1 << ETH_SS_STATS, 0))
    if not struct.unpack_from("=Q", answer, 8)[0]:
        return {}
    count = struct.unpack_from("=I", answer, 16)[0]
    names = _ioctl(dev, struct.pack("=III", GSTRINGS, ETH_SS_STATS, count) +
                   bytes(32 * count))
    values = _ioctl(dev, struct.pack("=II", GSTATS, count) + bytes(8 * count))
    numbers = struct.unpack_from(f"={count}Q", values, 8)
    return {names[12 + 32 * i:44 + 32 * i].split(b"\0")[0].decode(): numbers[i]
            for i in range(count)}


def drvinfo(dev):
    """ethtool -i: driver, version, bus"""
    raw = _ioctl(dev, struct.pack("=I", GDRVINFO) + bytes(192))
    return [raw[at:at + 32].split(b"\0")[0].decode() for at in (4, 36, 100)]


def channels(dev, combined=None):
    """ethtool -l and -L: (maximum, combined)"""
    raw = _ioctl(dev, struct.pack("=9I", GCHANNELS, *[0] * 8))
    fields = list(struct.unpack("=9I", raw))
    if combined is not None:
        fields[0], fields[8] = SCHANNELS, combined
        _ioctl(dev, struct.pack("=9I", *fields))
    return fields[4], fields[8]


class Rule:
    """struct ethtool_rx_flow_spec, field by field with masks of all ones."""

    def __init__(self, flow, queue=0, loc=LOC_ANY):
        self.flow, self.queue, self.loc = flow, queue, loc
        self.key, self.mask = bytearray(52), bytearray(52)
        self.ext, self.ext_mask = bytearray(20), bytearray(20)

    def _set(self, at, data, mask=None):
        data = bytes(data)
        mask = b"\xff" * len(data) if mask is None else bytes(mask)
        self.key[at:at + len(data)] = data
        self.mask[at:at + len(data)] = mask
        return self

    # ether
    def dst(self, mac, mask=None):
        return self._set(0, mac, mask)

    def src(self, mac, mask=None):
        return self._set(6, mac, mask)

    def proto(self, number, mask=None):
        return self._set(12, struct.pack("!H", number),
                         mask and struct.pack("!H", mask))

    def vlan(self, tag, mask=0xffff):
        """The value as ethtool(8) gives it; mask 0xfff is the id."""
        self.flow |= FLOW_EXT
        self.ext[10:12] = struct.pack("!H", tag)
        self.ext_mask[10:12] = struct.pack("!H", mask)
        return self

    def dst_mac(self, mac):
        self.flow |= FLOW_MAC_EXT
        self.ext[2:8] = mac
        self.ext_mask[2:8] = b"\xff" * 6
        return self

    # ip: the sizes differ
    @property
    def _v6(self):
        return (self.flow & 0xff) in (TCP_V6, UDP_V6, SCTP_V6, IP6_USER)

    def src_ip(self, address, mask=None):
        return self._set(0, address, mask)

    def dst_ip(self, address, mask=None):
        return self._set(16 if self._v6 else 4, address, mask)

    def src_port(self, number, mask=0xffff):
        return self._set(32 if self._v6 else 8, struct.pack("!H", number),
                         struct.pack("!H", mask))

    def dst_port(self, number, mask=0xffff):
        return self._set(34 if self._v6 else 10, struct.pack("!H", number),
                         struct.pack("!H", mask))

    def l4data(self, value, mask=0xffffffff):
        return self._set(32 if self._v6 else 8, struct.pack("!I", value),
                         struct.pack("!I", mask))

    def tos(self, value, mask=0xff):
        return self._set(36 if self._v6 else 12, bytes([value]), bytes([mask]))

    def l4proto(self, value):
        return self._set(37 if self._v6 else 14, bytes([value]))

    def pack(self):
        if self.flow & 0xff == IP4_USER:
            self.key[13] = 1                      # ETH_RX_NFC_IP4
        return struct.pack("=I52s20s52s20sxxxxQI4x", self.flow,
                           bytes(self.key), bytes(self.ext), bytes(self.mask),
                           bytes(self.ext_mask), self.queue, self.loc)


def _rxnfc(command, spec=b"", count=0, room=0):
    return (struct.pack("=IIQ", command, 0, 0) + spec.ljust(168, b"\0") +
            struct.pack("=I", count)).ljust(RULE_LOCS, b"\0").ljust(
                max(RXNFC_SIZE, RULE_LOCS + room), b"\0")


def rule_add(dev, rule):
    """ethtool -N; -> the location"""
    raw = _ioctl(dev, _rxnfc(SRXCLSRLINS, rule.pack()))
    return struct.unpack_from("=I", raw, 16 + 160)[0]


def rule_del(dev, location):
    """ethtool -N DEV delete LOCATION"""
    spec = bytes(160) + struct.pack("=I4x", location)
    _ioctl(dev, _rxnfc(SRXCLSRLDEL, spec))


def rules(dev):
    """Locations of all rules."""
    raw = _ioctl(dev, _rxnfc(GRXCLSRLCNT))
    count = struct.unpack_from("=I", raw, 184)[0]
    raw = _ioctl(dev, _rxnfc(GRXCLSRLALL, count=count, room=4 * count))
    count = struct.unpack_from("=I", raw, 184)[0]
    return list(struct.unpack_from(f"={count}I", raw, RULE_LOCS))


def rule_get(dev, location):
    """(flow, key, ext, mask, ext mask, queue, location) as bytes and numbers"""
    spec = bytes(160) + struct.pack("=I4x", location)
    raw = _ioctl(dev, _rxnfc(GRXCLSRULE, spec))
    return struct.unpack_from("=I52s20s52s20sxxxxQI", raw, 16)
