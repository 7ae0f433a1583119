# SPDX-License-Identifier: GPL-2.0
"""As much of a D-Bus client as QEMU's dbus-vmstate is one."""

import os
import socket
import struct

CALL, RETURN, ERROR = 1, 2, 3
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY, DESTINATION, SIGNATURE = \
    1, 2, 3, 4, 5, 6, 8
BUS = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")


class BusError(Exception):
    pass


def _string(text):
    data = text.encode()
    return struct.pack("<I", len(data)) + data + b"\0"


def _pad(data, to):
    return data + bytes(-len(data) % to)


class Bus:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(str(path))
        self.serial = 0
        uid = str(os.getuid()).encode().hex().encode()
        self.sock.sendall(b"\0AUTH EXTERNAL " + uid + b"\r\n")
        if not self.sock.recv(512).startswith(b"OK"):
            raise BusError("the bus does not let us in")
        self.sock.sendall(b"BEGIN\r\n")
        self.call(*BUS, "Hello")

    def close(self):
        self.sock.close()

    def _field(self, head, code, kind, value):
        head = _pad(head, 8) + bytes([code, 1]) + kind + b"\0"
        if kind == b"g":
            return head + bytes([len(value)]) + value.encode() + b"\0"
        return _pad(head, 4) + _string(value)

    def call(self, to, path, interface, member, signature="", body=b""):
        """-> (signature, body) of the answer"""
        self.serial += 1
        # alignment counts from the message's start, where the array is at 16
        fields = b""
        for code, kind, value in ((PATH, b"o", path), (MEMBER, b"s", member),
                                  (INTERFACE, b"s", interface),
                                  (DESTINATION, b"s", to),
                                  (SIGNATURE, b"g", signature)):
            if value:
                fields = self._field(fields, code, kind, value)
        head = struct.pack("<BBBBIII", ord("l"), CALL, 0, 1, len(body),
                           self.serial, len(fields)) + fields
        self.sock.sendall(_pad(head, 8) + body)
        while True:
            kind, found, answer = self._receive()
            if found.get(REPLY) != self.serial:
                continue
            if kind == ERROR:
                size, = struct.unpack_from("<I", answer)
                raise BusError(answer[4:4 + size].decode())
            return found.get(SIGNATURE, ""), answer

    def _exactly(self, size):
        data = bytearray()
        while len(data) < size:
            part = self.sock.recv(size - len(data))
            if not part:
                raise BusError("the bus has gone")
            data += part
        return bytes(data)

    def _receive(self):
        head = self._exactly(16)
        _, kind, _, _, size, _, length = struct.unpack("<BBBBIII", head)
        fields = self._exactly(length + -length % 8)
        found, at = {}, 0
        while at < length:
            at += -at % 8
            code, sort = fields[at], fields[at + 2:at + 3]
            at += 4
            if sort == b"g":
                found[code] = fields[at + 1:at + 1 + fields[at]].decode()
                at += 2 + fields[at]
                continue
            at += -at % 4
            value, = struct.unpack_from("<I", fields, at)
            at += 4
            if sort in b"so":
                found[code] = fields[at:at + value].decode()
                at += value + 1
            else:
                found[code] = value
        return kind, found, self._exactly(size)

    # -- what QEMU does

    def helpers(self):
        """{Id: owner} of all helpers on this bus."""
        _, body = self.call(*BUS, "ListQueuedOwners", "s",
                            _string("org.qemu.VMState1"))
        at, owners = 4, []
        while at < len(body):
            at += -at % 4
            size, = struct.unpack_from("<I", body, at)
            owners.append(body[at + 4:at + 4 + size].decode())
            at += 5 + size
        return {self.get_id(owner): owner for owner in owners}

    def get_id(self, owner):
        body = _pad(_string("org.qemu.VMState1"), 4) + _string("Id")
        _, body = self.call(owner, "/org/qemu/VMState1",
                            "org.freedesktop.DBus.Properties", "Get", "ss",
                            body)
        size, = struct.unpack_from("<I", body, 4)       # after the variant's "s"
        return body[8:8 + size].decode()

    def save(self, owner):
        signature, body = self.call(owner, "/org/qemu/VMState1",
                                    "org.qemu.VMState1", "Save")
        assert signature == "ay", signature
        size, = struct.unpack_from("<I", body)
        return body[4:4 + size]

    def load(self, owner, data):
        self.call(owner, "/org/qemu/VMState1", "org.qemu.VMState1", "Load",
                  "ay", struct.pack("<I", len(data)) + data)
