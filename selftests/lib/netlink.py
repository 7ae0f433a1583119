# SPDX-License-Identifier: GPL-2.0
"""Netlink without libraries: requests, answers, the kernel's messages."""

import errno
import os
import re
import socket
import struct
import time

CLONE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))

NETLINK_ROUTE, NETLINK_GENERIC = 0, 16
SOL_NETLINK = 270
NETLINK_ADD_MEMBERSHIP, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 1, 10, 11
NETLINK_GET_STRICT_CHK = 12
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK, NLM_F_DUMP = 1, 2, 4, 0x300
NLM_F_ACK_TLVS, NLM_F_CAPPED = 0x200, 0x100
NLM_F_EXCL, NLM_F_CREATE = 0x200, 0x400
NLA_F_NESTED, NLA_TYPE_MASK = 0x8000, 0x3fff


class NlError(OSError):
    """The kernel said no; .msg is its extended answer, "" if it gave none."""

    def __init__(self, number, msg=""):
        super().__init__(number, os.strerror(number))
        self.msg = msg

    def __str__(self):
        return f"{errno.errorcode.get(self.errno, self.errno)} ({self.msg})"


def align4(length):
    return (length + 3) & ~3


def attr(kind, data=b""):
    data = bytes(data)
    return (struct.pack("=HH", 4 + len(data), kind) + data).ljust(
        align4(4 + len(data)), b"\0")


def attr_u8(kind, value):
    return attr(kind, struct.pack("=B", value))


def attr_u16(kind, value):
    return attr(kind, struct.pack("=H", value))


def attr_u32(kind, value):
    return attr(kind, struct.pack("=I", value))


def attr_str(kind, text):
    return attr(kind, text.encode() + b"\0")


def nest(kind, *attributes):
    return attr(kind | NLA_F_NESTED, b"".join(attributes))


def parse_attrs(data):
    """[(type, bytes)] in their order."""
    found, at = [], 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            break
        found.append((kind & NLA_TYPE_MASK, data[at + 4:at + length]))
        at += align4(length)
    return found


class Netlink:
    """A netlink socket in the network namespace of the caller."""

    def __init__(self, protocol=NETLINK_ROUTE):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sock.bind((0, 0))
        self.sock.settimeout(30)
        self.seq = int(time.time()) & 0xffffff

    def close(self):
        self.sock.close()

    def message(self, kind, flags, payload):
        self.seq += 1
        return struct.pack("=IHHII", 16 + len(payload), kind, flags,
                           self.seq, 0) + payload

    def receive(self):
        """The messages of one datagram: [(type, flags, seq, payload)]"""
        data = self.sock.recv(1 << 20)
        found, at = [], 0
        while at + 16 <= len(data):
            length, kind, flags, seq, _ = struct.unpack_from("=IHHII", data, at)
            if length < 16:
                break
            found.append((kind, flags, seq, data[at + 16:at + length]))
            at += align4(length)
        return found

    @staticmethod
    def error(flags, payload):
        """-> NlError or None"""
        number = -struct.unpack_from("=i", payload)[0]
        msg = ""
        if flags & NLM_F_ACK_TLVS:
            inner = struct.unpack_from("=I", payload, 4)[0]
            skip = 4 + (16 if flags & NLM_F_CAPPED else align4(inner))
            for kind, data in parse_attrs(payload[skip:]):
                if kind == 1:
                    msg = data.rstrip(b"\0").decode(errors="replace")
        return NlError(number, msg) if number else None

    def answer(self, seq, until_done=False):
        """Payloads of the answers to a request that was sent."""
        found = []
        while True:
            for kind, flags, got, payload in self.receive():
                if got != seq:
                    continue
                if kind == NLMSG_ERROR:
                    error = self.error(flags, payload)
                    if error:
                        raise error
                    return found
                if kind == NLMSG_DONE:
                    number = -struct.unpack_from("=i", payload)[0] \
                        if len(payload) >= 4 else 0
                    if number:
                        raise NlError(number)
                    return found
                found.append(payload)
                if not until_done and not flags & NLM_F_MULTI:
                    pass           # the acknowledgement follows

    def request(self, kind, payload, flags=0, dump=False):
        flags |= NLM_F_REQUEST | (NLM_F_DUMP if dump else NLM_F_ACK)
        self.sock.send(self.message(kind, flags, payload))
        return self.answer(self.seq, dump)

    def join(self, group):
        self.sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)


GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 16, 3
CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME, CTRL_ATTR_MCAST_GROUPS = 1, 2, 7


class Genl(Netlink):
    """A generic netlink socket for one family."""

    def __init__(self, family="vmq"):
        super().__init__(NETLINK_GENERIC)
        self.groups = {}
        answer = self.request(
            GENL_ID_CTRL, struct.pack("=BBH", CTRL_CMD_GETFAMILY, 1, 0) +
            attr_str(CTRL_ATTR_FAMILY_NAME, family))[0]
        for kind, data in parse_attrs(answer[4:]):
            if kind == CTRL_ATTR_FAMILY_ID:
                self.family = struct.unpack("=H", data)[0]
            elif kind == CTRL_ATTR_MCAST_GROUPS:
                for _, group in parse_attrs(data):
                    fields = dict(parse_attrs(group))
                    name = fields[1].rstrip(b"\0").decode()
                    self.groups[name] = struct.unpack("=I", fields[2])[0]

    def frame(self, command, *attributes, flags=0, version=1):
        """A whole request, not sent."""
        return self.message(self.family, flags | NLM_F_REQUEST,
                            struct.pack("=BBH", command, version, 0) +
                            b"".join(attributes))

    def call(self, command, *attributes, dump=False):
        """-> attributes of each answer: [[(type, bytes)]]"""
        payload = struct.pack("=BBH", command, 1, 0) + b"".join(attributes)
        return [parse_attrs(each[4:]) for each in
                self.request(self.family, payload, dump=dump)]


def _read_uapi():
    """The constants of include/uapi/linux/vmq.h."""
    with open(f"{CLONE}/include/uapi/linux/vmq.h", encoding="utf-8") as stream:
        text = re.sub(r"/\*.*?\*/", "", stream.read(), flags=re.S)
    found = {}
    for body in re.findall(r"enum[^{;]*\{(.*?)\}", text, re.S):
        value = -1
        for entry in body.split(","):
            match = re.match(r"\s*(\w+)\s*(?:=\s*(.+?))?\s*$", entry, re.S)
            if not match:
                continue
            name, given = match.groups()
            if given:
                try:
                    value = int(given, 0)
                except ValueError:
                    value = eval(given, {}, found)  # pylint: disable=eval-used
            else:
                value += 1
            found[name] = value
    return found


class _Uapi(dict):
    def __missing__(self, key):
        if not self:
            self.update(_read_uapi())
            if key in self:
                return self[key]
        raise KeyError(key)


UAPI = _Uapi()
