# SPDX-License-Identifier: GPL-2.0
"""Save and restore of ports through generic netlink, in one process."""

import contextlib
import os
import struct

from .netlink import UAPI, Genl, attr_str


class Session:
    """One save or restore: its netlink socket, its descriptor."""

    def __init__(self, dev, restoring, genl=None):
        self.genl = genl or Genl()
        self.own = genl is None
        self.dev, self.fd = dev, -1
        [answer] = self.genl.call(
            UAPI["VMQ_CMD_RESTORE_BEGIN" if restoring else
                 "VMQ_CMD_SAVE_BEGIN"], attr_str(UAPI["VMQ_A_PORT_DEV"], dev))
        self.fd = struct.unpack("=i", dict(answer)[UAPI["VMQ_A_PORT_FD"]])[0]

    def read(self, size=65536):
        """The next bytes of a save; all of them with size None."""
        if size is not None:
            return os.read(self.fd, size)
        parts = []
        while part := os.read(self.fd, 65536):
            parts.append(part)
        return b"".join(parts)

    def write(self, data):
        """All of it into a restore."""
        data = memoryview(data)
        while data:
            data = data[os.write(self.fd, data):]

    def commit(self):
        return commit(self.dev, self.genl)

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
        if self.own:
            self.genl.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _port_call(command, dev, genl):
    if genl:
        return genl.call(UAPI[command], attr_str(UAPI["VMQ_A_PORT_DEV"], dev))
    with contextlib.closing(Genl()) as own:
        return own.call(UAPI[command], attr_str(UAPI["VMQ_A_PORT_DEV"], dev))


def commit(dev, genl=None):
    """{attribute: number} of the report"""
    [answer] = _port_call("VMQ_CMD_RESTORE_COMMIT", dev, genl)
    names = {UAPI[f"VMQ_A_PORT_{name}"]: name.lower() for name in
             ("RECORDS", "RECORDS_UNCLAIMED", "STATE_BYTES")}
    return {names[kind]: int.from_bytes(data, "little")
            for kind, data in answer if kind in names}


def abort(dev, genl=None):
    _port_call("VMQ_CMD_ABORT", dev, genl)


def save(dev, genl=None):
    """-> the stream"""
    with Session(dev, False, genl) as session:
        return session.read(None)


def restore(dev, stream, genl=None):
    """Writes the stream and commits; -> the report"""
    with Session(dev, True, genl) as session:
        with contextlib.suppress(OSError):      # the commit says why
            session.write(stream)
        return session.commit()
