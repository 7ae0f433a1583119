# SPDX-License-Identifier: GPL-2.0
"""IGMP and MLD by hand."""

import struct

from .frames import ETH_P_IP, ETH_P_IPV6, _l4, build, checksum, ether, ip6, pton

ROUTER_ALERT = bytes.fromhex("94040000")
QUERIER, QUERIER6 = "192.0.2.1", "fe80::1"
GUEST, GUEST6 = "192.0.2.9", "fe80::9"
QUERY, V1_REPORT, V2_REPORT, LEAVE, V3_REPORT = 0x11, 0x12, 0x16, 0x17, 0x22
MLD_QUERY, MLD_REPORT, MLD_DONE, MLD2_REPORT = 130, 131, 132, 143
IS_IN, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK = range(1, 7)


def group_mac(group):
    address = pton(group)
    if len(address) == 16:
        return b"\x33\x33" + address[12:]
    return b"\x01\0\x5e" + bytes([address[1] & 0x7f]) + address[2:]


def data(group, number=0, src=0xfe, vlan=None):
    """A datagram for a group; its last byte tells it from others."""
    source = "fe80::fe" if ":" in group else "192.0.2.254"
    return build(group_mac(group), source, group, src=src, vlan=vlan,
                 payload=b"multicast to the group" + bytes([number]))


# -- IGMP

def igmp(dst, payload, source=GUEST, src=1, vlan=None, ttl=1,
         options=ROUTER_ALERT, to=None, broken=False):
    """An IGMP message without its checksum -> a frame."""
    value = checksum(payload) ^ broken
    payload = payload[:2] + struct.pack("!H", value) + payload[4:]
    head = struct.pack("!BBHHHBBH4s4s", 0x40 | 5 + len(options) // 4, 0xc0,
                       20 + len(options) + len(payload), 1, 0, ttl, 2, 0,
                       pton(source), pton(dst)) + options
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return ether(to or group_mac(dst), src, ETH_P_IP, vlan,
                 payload=head + payload)


def query(group=None, delay=0.1, version=3, interval=None, sources=(),
          suppress=False, **options):
    """General, or for a group. `interval`: seconds in between, of version 3."""
    options = {"source": QUERIER, "src": 0xfe, **options}
    code = 0 if version == 1 else max(1, round(delay * 10))
    payload = struct.pack("!BBH4s", QUERY, code, 0, pton(group or "0.0.0.0"))
    if version == 3:
        payload += struct.pack("!BBH", suppress << 3 | 2,
                               125 if interval is None else interval,
                               len(sources)) + \
            b"".join(map(pton, sources))
    return igmp(group or "224.0.0.1", payload, **options)


def report(group, version=2, **options):
    return igmp(group, struct.pack("!BBH4s", V1_REPORT if version == 1 else
                                   V2_REPORT, 0, 0, pton(group)), **options)


def leave(group, **options):
    return igmp("224.0.0.2", struct.pack("!BBH4s", LEAVE, 0, 0, pton(group)),
                **options)


def record(kind, group, sources=(), aux=b""):
    return struct.pack("!BBH", kind, len(aux) // 4, len(sources)) + \
        pton(group) + b"".join(map(pton, sources)) + aux


def report3(*records, count=None, **options):
    return igmp("224.0.0.22", struct.pack(
        "!BBHHH", V3_REPORT, 0, 0, 0,
        len(records) if count is None else count) + b"".join(records),
        **options)


# -- MLD

HOP_BY_HOP = bytes.fromhex("3a00050200000100")


def mld(dst, payload, source=GUEST6, src=1, vlan=None, limit=1,
        header=HOP_BY_HOP, to=None):
    payload = _l4(source, dst, 58, payload, 2)
    packet = bytearray(ip6(source, dst, 0, header + payload))
    packet[7] = limit
    return ether(to or group_mac(dst), src, ETH_P_IPV6, vlan,
                 payload=bytes(packet))


def query6(group=None, delay=0.1, version=2, interval=None, **options):
    options = {"source": QUERIER6, "src": 0xfe, **options}
    payload = struct.pack("!BBHHH16s", MLD_QUERY, 0, 0, round(delay * 1000), 0,
                          pton(group or "::"))
    if version == 2:
        payload += struct.pack("!BBH", 2, 125 if interval is None else interval,
                               0)
    return mld(group or "ff02::1", payload, **options)


def report6(group, **options):
    return mld(group, struct.pack("!BBHHH16s", MLD_REPORT, 0, 0, 0, 0,
                                  pton(group)), **options)


def done6(group, **options):
    return mld("ff02::2", struct.pack("!BBHHH16s", MLD_DONE, 0, 0, 0, 0,
                                      pton(group)), **options)


def report6v2(*records, **options):
    return mld("ff02::16", struct.pack("!BBHHH", MLD2_REPORT, 0, 0, 0,
                                       len(records)) + b"".join(records),
               **options)
