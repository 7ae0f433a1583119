# SPDX-License-Identifier: GPL-2.0
"""Frames: made by hand, sent and received raw."""

import ctypes
import errno
import socket
import struct
import time

from .ksft import Patience, readable

ETH_P_ALL, ETH_P_IP, ETH_P_ARP, ETH_P_8021Q, ETH_P_IPV6 = \
    3, 0x800, 0x806, 0x8100, 0x86dd
SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING = 263, 8, 23
TP_STATUS_VLAN_VALID = 1 << 4
TP_STATUS_CSUMNOTREADY, TP_STATUS_CSUM_VALID = 1 << 3, 1 << 7
SO_ATTACH_FILTER = 26
SKF_AD_QUEUE = -0x1000 + 24
BROADCAST = b"\xff" * 6


def mac(text):
    """"52:54:00:00:00:01" or 1, its last part; -> 6 bytes"""
    if isinstance(text, bytes):
        return text
    if isinstance(text, int):
        return b"\x52\x54\0\0" + struct.pack("!H", text)
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ether(dst, src=0xfe, proto=0x88b5, vlan=None, prio=0, payload=b"vmq"):
    """A frame; `vlan` puts an 802.1Q tag into its data, 0 too."""
    tag = b"" if vlan is None else struct.pack("!HH", ETH_P_8021Q,
                                               prio << 13 | vlan)
    return (mac(dst) + mac(src) + tag + struct.pack("!H", proto) +
            payload).ljust(60, b"\0")


def pton(address):
    if isinstance(address, bytes):
        return address
    return socket.inet_pton(socket.AF_INET6 if ":" in address
                            else socket.AF_INET, address)


def ip4(src, dst, proto, payload, tos=0, frag=0, ident=1):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, tos, 20 + len(payload), ident,
                       frag, 64, proto, 0, pton(src), pton(dst))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ip6(src, dst, proto, payload, tclass=0):
    return struct.pack("!IHBB", 6 << 28 | tclass << 20, len(payload), proto,
                       64) + pton(src) + pton(dst) + payload


def _pseudo(src, dst, proto, length):
    src, dst = pton(src), pton(dst)
    if len(src) == 4:
        return src + dst + struct.pack("!BBH", 0, proto, length)
    return src + dst + struct.pack("!IHBB", length, 0, 0, proto)


def _l4(src, dst, proto, data, at):
    value = checksum(_pseudo(src, dst, proto, len(data)) + data)
    return data[:at] + struct.pack("!H", value) + data[at + 2:]


def udp(src, dst, sport, dport, payload=b"vmq"):
    data = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    return _l4(src, dst, 17, data, 6)


def tcp(src, dst, sport, dport, flags=0x02, seq=1, ack=0, payload=b""):
    data = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 0x50, flags,
                       8192, 0, 0) + payload
    return _l4(src, dst, 6, data, 16)


def sctp(sport, dport):
    return struct.pack("!HHII", sport, dport, 1, 0)


def icmp4(kind=8, ident=1, seq=1, payload=b"vmq-ping"):
    data = struct.pack("!BBHHH", kind, 0, 0, ident, seq) + payload
    return data[:2] + struct.pack("!H", checksum(data)) + data[4:]


def arp(op, sha, spa, tha, tpa):
    return struct.pack("!HHBBH", 1, ETH_P_IP, 6, 4, op) + mac(sha) + \
        pton(spa) + mac(tha) + pton(tpa)


def build(dst, src_ip, dst_ip, kind="udp", sport=1, dport=2, src=0xfe,
          vlan=None, prio=0, tos=0, payload=b"vmq", **options):
    """A whole frame of IPv4 or IPv6 with tcp, udp, sctp, icmp or a number."""
    src_ip, dst_ip = pton(src_ip), pton(dst_ip)
    v6 = len(src_ip) == 16
    if kind == "udp":
        proto, data = 17, udp(src_ip, dst_ip, sport, dport, payload)
    elif kind == "tcp":
        proto, data = 6, tcp(src_ip, dst_ip, sport, dport, payload=payload,
                             **options)
    elif kind == "sctp":
        proto, data = 132, sctp(sport, dport)
    elif kind == "icmp":
        proto, data = 1, icmp4(payload=payload, **options)
    else:
        proto, data = kind, payload
    packet = ip6(src_ip, dst_ip, proto, data, tos) if v6 else \
        ip4(src_ip, dst_ip, proto, data, tos)
    return ether(dst, src, ETH_P_IPV6 if v6 else ETH_P_IP, vlan, prio, packet)


class Got(bytes):
    """A received frame; the metadata of its tag: tci, None where untagged."""

    tci = None
    status = 0

    @property
    def vid(self):
        return None if self.tci is None else self.tci & 0xfff


class Raw:
    """A raw socket on a device: what comes in there, and sending."""

    def __init__(self, dev, proto=ETH_P_ALL, queue=None):
        self.dev = dev
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # RCVBUFFORCE
        if queue is not None:
            self.only_queue(queue)
        self.sock.bind((dev, proto))

    def only_queue(self, queue):
        """Only frames whose metadata names this receive queue (R-05)."""
        code = [(0x20, 0, 0, SKF_AD_QUEUE & 0xffffffff),      # ld queue
                (0x15, 0, 1, queue + 1),                      # jeq
                (0x06, 0, 0, 0x40000), (0x06, 0, 0, 0)]
        program = b"".join(struct.pack("=HBBI", *each) for each in code)
        buffer = ctypes.create_string_buffer(program)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack(
            "H6xP", len(code), ctypes.addressof(buffer)))

    def send(self, *frames):
        for frame in frames:
            for _ in range(100):
                try:
                    self.sock.send(frame)
                    break
                except OSError as error:
                    if error.errno != errno.ENOBUFS:
                        raise
                    time.sleep(0.01)

    def recv(self, timeout=1.0):
        """The next frame or None."""
        if not readable(self.sock, timeout):
            return None
        try:
            data, control, _, _ = self.sock.recvmsg(70000, 256)
        except OSError as error:
            if error.errno != errno.ENETDOWN:      # said once, then it goes on
                raise
            return self.recv(timeout)
        frame = Got(data)
        for level, kind, content in control:
            if level == SOL_PACKET and kind == PACKET_AUXDATA:
                frame.status, _, _, _, _, tci, _ = struct.unpack_from(
                    "=IIIHHHH", content)
                if frame.status & TP_STATUS_VLAN_VALID:
                    frame.tci = tci
        return frame

    def expect(self, match, timeout=10.0):
        """The first frame for which match() is true, or that starts with
        these bytes; None if there is none in time."""
        if isinstance(match, (bytes, bytearray)):
            wanted = bytes(match)
            match = lambda got: got[:len(wanted)] == wanted
        patience = Patience(timeout)
        while not patience.over():
            frame = self.recv(patience.step)
            if frame is not None and match(frame):
                return frame
        return None

    def all(self, timeout=0.15, match=None):
        """What comes until nothing came for a while."""
        found = []
        while (frame := self.recv(timeout)) is not None:
            if match is None or match(frame):
                found.append(frame)
        return found

    def drain(self):
        return len(self.all(0))

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
