#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What can be set of a port: vmqctl port set."""

import errno
import socket

from lib import (UAPI, Genl, NetNS, Rtnl, Session, adapter, attr, attr_str, cmd, defer,
                 fail_cmd, ksft_eq, ksft_in, ksft_lt, ksft_main, ksft_ne,
                 monitor, parse_attrs, port, refused, restore, save, vmqctl)
from lib.netlink import NLM_F_DUMP, NLMSG_DONE, NLMSG_ERROR

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


def dumped(genl, between=None):
    """Names of the ports of a dump, in its order; after the first message of it, others
    may be made and deleted."""
    names, done = [], False
    genl.sock.send(genl.frame(UAPI["VMQ_CMD_PORT_GET"], flags=NLM_F_DUMP))
    while not done:
        for kind, _, seq, payload in genl.receive():
            ksft_eq(seq, genl.seq)
            ksft_ne(kind, NLMSG_ERROR)
            done = done or kind == NLMSG_DONE
            if kind == genl.family:
                names.append(dict(parse_attrs(payload[4:]))[DEV].rstrip(b"\0").decode())
        if between and not done:
            between(names)
            between = None
    return names


def test_dump():
    """Ports may come and go while a dump goes on: each that stays is in it once, of each
    adapter, and none of another network namespace."""
    many = 140
    for link in ("vmq0", "vmq1"):
        adapter(link)
    for number in range(many):
        port(f"vm{number}", link=f"vmq{number % 2}", number=number)
    away, rtnl, genl = NetNS(), Rtnl(), Genl()
    defer(rtnl.close)
    defer(genl.close)
    rtnl.set("vm7", netns_fd=away.fd)
    # little room, so that it takes several messages
    genl.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stay = [f"vm{n}" for n in range(many) if n != 7]
    ksft_eq(sorted(dumped(genl)), sorted(stay))
    gone = []

    def change(names):
        ksft_lt(len(names), many // 2, "it is not through")
        # the last one that was told, the next one, and one far from it
        at = stay.index(names[-1])
        for name in (names[-1], stay[at + 2], stay[at + 20], names[0]):
            rtnl.delete(name)
            gone.append(name)
        port("new", link="vmq1", number=many)

    names = dumped(genl, change)
    ksft_eq(len(names), len(set(names)), "none of them twice")
    ksft_eq([name for name in stay if name not in gone and name not in names], [])
    ksft_eq(sorted(dumped(genl)),
            sorted([each for each in stay if each not in gone] + ["new"]))


if __name__ == "__main__":
    ksft_main(globals())
