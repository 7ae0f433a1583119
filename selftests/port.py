#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What can be set of a port: vmqctl port set."""

import errno

from lib import (UAPI, Genl, Session, adapter, attr, attr_str, cmd, fail_cmd,
                 ksft_eq, ksft_in, ksft_main, ksft_ne, monitor, port, refused,
                 restore, save, vmqctl)

DEV, UUID = 2, "12345678-9abc-def0-1234-56789abcdef0"


def uuid(dev="vm1"):
    return vmqctl(f"port show dev {dev}")[0]["uuid"]


def port_set(dev, *attributes, genl=None):
    return (genl or Genl()).call(UAPI["VMQ_CMD_PORT_SET"], attr_str(DEV, dev),
                                 *attributes)


def uuid_attr(text):
    return attr_str(UAPI["VMQ_A_PORT_UUID"], text)


def test_uuid():
    """The uuid of a port can be set, in either case of letters; it is shown,
    announced, and moves with the state (X-16)."""
    adapter("vmq0")
    port("vm1", number=1)
    port("vm2", number=2)
    ksft_ne(uuid("vm1"), uuid("vm2"), "random ones differ")
    other = uuid("vm2")
    with monitor() as end:
        cmd(f"vmqctl port set dev vm1 uuid {UUID.upper()}")
        events = end()
    ksft_eq(uuid("vm1"), UUID)
    ksft_eq(uuid("vm2"), other)
    ksft_in(UUID, [each["msg"].get("uuid") for each in events
                   if each["name"] == "port-ntf"])
    stream = save("vm1")
    cmd("ip link del vm1")
    restore("vm2", stream)
    ksft_eq(uuid("vm2"), UUID, "it moves with the state")


def test_refused():
    """What is no uuid, nothing at all, and values of a wrong type: an error
    that says why, and the port is as it was."""
    adapter("vmq0")
    port("vm1", number=1)
    before = vmqctl("port show dev vm1")
    for bad in ("", "1", UUID[:-1], UUID + "0", UUID.replace("-", ""),
                UUID.replace("9", "g"), UUID.replace("-", "x"), "x" * 300,
                "00000000-0000-0000-0000-000000000000"):
        refused(errno.EINVAL, port_set, "vm1", uuid_attr(bad), comment=bad)
    refused(errno.EINVAL, port_set, "vm1", text="nothing")
    refused(errno.EINVAL, port_set, "vm1",
            attr(UAPI["VMQ_A_PORT_UUID"], UUID.encode()),
            comment="a string without its end")
    refused(errno.EINVAL, port_set, "vmq0", uuid_attr(UUID), text="port")
    refused(errno.ENODEV, port_set, "nosuch", uuid_attr(UUID))
    refused(errno.EINVAL, port_set, "vm1", uuid_attr(UUID),
            attr(UAPI["VMQ_A_PORT_QUEUES"], b"\1\0\0\0"),
            comment="an attribute that is not for port-set")
    ksft_eq(vmqctl("port show dev vm1"), before)
    for words in ("dev vm1", f"uuid {UUID}", f"dev vm1 uuid {UUID} colour red"):
        ksft_eq(fail_cmd(f"vmqctl port set {words}")[0], 2, words)
    status, text = fail_cmd("vmqctl port set dev vm1 uuid x")
    ksft_eq(status, 1)
    ksft_in("not a uuid", text)


def test_session():
    """While a save or restore of the port runs, nothing of it is set."""
    adapter("vmq0")
    port("vm1", number=1)
    before = uuid()
    for restoring in (False, True):
        with Session("vm1", restoring):
            refused(errno.EBUSY, port_set, "vm1", uuid_attr(UUID),
                    text="save or restore")
        ksft_eq(uuid(), before)
    port_set("vm1", uuid_attr(UUID))
    ksft_eq(uuid(), UUID)


if __name__ == "__main__":
    ksft_main(globals())
