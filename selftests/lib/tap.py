# SPDX-License-Identifier: GPL-2.0
"""A guest by hand: the character device of a port, and what the port shows."""

import os
import struct

from .ksft import Patience, defer, readable
from .netlink import UAPI, Genl, attr_str, attr_u32, parse_attrs

NO_HEADER = bytes(10)


def port_get(dev="vm1", genl=None):
    """What port-get says, by the names of the specification; numbers as
    such."""
    genl = genl or Genl()
    [answer] = genl.call(UAPI["VMQ_CMD_PORT_GET"],
                         attr_str(UAPI["VMQ_A_PORT_DEV"], dev))
    return port_attrs(answer)


def port_attrs(answer):
    prefix = "VMQ_A_PORT_"
    names = {value: name.removeprefix(prefix).lower() for name, value
             in UAPI.items() if name.startswith(prefix)
             and name != prefix + "MAX"}
    strings = {"dev", "adapter", "uuid", "tap", "error", "redirect",
               "address", "trunk"}
    found = {}
    for kind, data in answer:
        name = names[kind]
        if name in strings:
            data = data.rstrip(b"\0").decode()
            if name == "address":
                data = found.get(name, []) + [data]
        elif len(data) in (4, 8):
            data, = struct.unpack("=I" if len(data) == 4 else "=Q", data)
        found[name] = data
    return found


class Events:
    """port-ntf from here on."""

    def __init__(self):
        self.genl = Genl()
        self.genl.join(self.genl.groups["events"])
        defer(self.genl.sock.close)

    def port(self, match, timeout=10):
        """The first event of a port for which match() is true, or None."""
        patience = Patience(timeout)
        while not patience.over():
            if not readable(self.genl.sock, patience.step):
                continue
            for _, _, _, payload in self.genl.receive():
                if payload[0] != UAPI["VMQ_CMD_PORT_NTF"]:
                    continue
                event = port_attrs(parse_attrs(payload[4:]))
                if match(event):
                    return event
        return None


def gate(dev="vm1", genl=None):
    return ("open", "closed", "auto")[port_get(dev, genl)["gate"]]


def port_set(dev="vm1", **values):
    """port-set; names have _ for -, strings and numbers as they are."""
    attributes = []
    for name, value in values.items():
        kind = UAPI[f"VMQ_A_PORT_{name.upper()}"]
        if name == "gate":
            value = ("open", "closed", "auto").index(value)
        attributes.append(attr_str(kind, value) if isinstance(value, str)
                          else attr_u32(kind, value))
    Genl().call(UAPI["VMQ_CMD_PORT_SET"],
                attr_str(UAPI["VMQ_A_PORT_DEV"], dev), *attributes)


class Guest:
    """An open tap of a port: frames with struct virtio_net_hdr in front."""

    def __init__(self, dev="vm1"):
        self.fd = os.open(f"/dev/{port_get(dev)['tap']}",
                          os.O_RDWR | os.O_NONBLOCK)
        defer(self.close)

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def send(self, *frames):
        for frame in frames:
            os.write(self.fd, NO_HEADER + frame)

    def recv(self, timeout=1.0):
        """The next frame or None."""
        if not readable(self.fd, timeout):
            return None
        return os.read(self.fd, 70000)[len(NO_HEADER):]

    def all(self, timeout=0.15, match=None, count=None):
        """What comes until nothing came for a while, or `count` frames."""
        found = []
        if count is not None:
            timeout = max(timeout, 5)
        while (count is None or len(found) < count) and \
                (frame := self.recv(timeout)) is not None:
            if match is None or match(frame):
                found.append(frame)
        return found
