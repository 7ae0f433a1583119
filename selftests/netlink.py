#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: uml-debug
"""Generic netlink: the family vmq, netdev-genl's queue statistics, events,
permissions, and requests that are no good."""

import contextlib
import ctypes
import errno
import os
import random
import struct

from lib import (UAPI, Genl, Netlink, NetNS, NlError, Raw, Rtnl, Rule, adapter,
                 attr, attr_str, attr_u8, attr_u16, attr_u32, cmd, ether,
                 ethtool, fail_cmd, in_userns, ksft_eq, ksft_ge, ksft_in,
                 ksft_main, ksft_ne, ksft_not_in, ksft_pr, ksft_raises,
                 ksft_true, link_info, link_stats, mac, machine, monitor, pair,
                 port, port_queue, refused, rule_add, rule_del, run, save,
                 vmqctl, wait_until)

COMMANDS = {name: value for name, value in sorted(
    (UAPI["VMQ_CMD_ADAPTER_GET"] and UAPI).items())
    if name.startswith("VMQ_CMD_") and "NTF" not in name
    and not name.endswith("MAX")}
GETS = ("ADAPTER", "QUEUE", "FILTER", "PORT", "EXT")
CHANGES = ("QUEUE_NEW", "QUEUE_COMPLETE", "QUEUE_SET", "QUEUE_DEL", "FILTER_NEW",
           "FILTER_MOVE", "FILTER_DEL", "PORT_SET", "EXT_SET", "EXT_PORT_SET", "SAVE_BEGIN",
           "RESTORE_BEGIN", "RESTORE_COMMIT", "ABORT")
IFINDEX, DEV = 1, 2        # the first two attributes of every set
CLONE_NEWNET = 0x40000000


def world():
    pair()
    adapter("vmq0", uplink="up0", rxq=8)
    port("vm1", number=1)


# -- what is shown

def test_show():
    """Every `show` of vmqctl: an array of objects, keys of the YAML."""
    world()
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                           "../Documentation/netlink/specs/vmq.yaml"),
              encoding="utf-8") as stream:
        spec = stream.read()
    for name in ("adapter", "queue", "filter", "port", "ext"):
        shown = vmqctl(f"{name} show")
        ksft_true(isinstance(shown, list) and shown, name)
        for each in shown:
            ksft_in(each.get("dev"), ("vmq0", "vm1"), name)
            for key in each:
                ksft_in(f"name: {key}\n", spec, f"{name}: {key}")
        ksft_true(cmd(f"vmqctl {name} show").strip())
    [shown] = vmqctl("adapter show")
    for key in ("max-queues", "queues", "vm-queues", "ports", "max-filters",
                "filters", "hw-capabilities", "capabilities", "lookahead-max",
                "format-version", "module-version", "uplink"):
        ksft_in(key, shown, "K-22")
    ksft_eq(shown["lookahead-max"], 0, "K-13")
    ksft_eq((shown["vm-queues"], shown["ports"], shown["filters"]), (1, 1, 1))
    ksft_in("vm-queue", shown["hw-capabilities"], "K-04, K-08")
    ksft_true(set(shown["capabilities"]) <= set(shown["hw-capabilities"]),
              "K-04")
    ksft_eq(shown["max-vm-queues"], shown["max-queues"] - 1, "K-09")
    ksft_ge(shown["max-mac-filters"], shown["max-vm-queues"], "K-09, K-10")
    ksft_eq((shown["max-port-queues"], shown["vfs"]), (256, 0), "K-15")
    ksft_ge(shown["max-vfs"], 1, "K-15")
    for name in ("vlan-filter", "moderation", "asymmetric", "vmmq",
                 "without-vfs", "rss", "vf"):
        ksft_in(name, shown["capabilities"], "K-15")
    ksft_eq(set(shown["hw-capabilities"]) - {"adaptive"}, {
        "vm-queue", "mac-filter", "vlan-filter", "vlan-strip", "source-mac",
        "ethertype", "mask-equal", "ntuple", "drop", "rss", "vf",
        "filter-move", "moderation", "asymmetric", "vmmq", "without-vfs"},
            "K-07, K-08, K-11: no not-equal, no packet coalescing")
    done = run("vmqctl queue set dev vmq0 queue 1 cpus 0 adaptive on")
    ksft_eq("adaptive" in shown["capabilities"], not done.returncode,
            "it is said whether there is net_dim")


def test_capabilities():
    """What is switched off is not among the current ones (K-04), and a change
    is announced (K-06)."""
    world()
    ksft_in("ntuple", vmqctl("adapter show")[0]["capabilities"])
    ksft_in("rss", vmqctl("adapter show")[0]["capabilities"])
    with monitor() as end:
        ethtool("-K vmq0 ntuple off")
        ethtool("-K vmq0 sg off")
        ethtool("-K vmq0 ntuple on")
        ethtool("-K vmq0 ntuple off")
        told = [each["msg"] for each in end() if each["name"] == "adapter-ntf"]
    ksft_eq(["ntuple" in each["capabilities"] for each in told],
            [False, True, False], "K-06: the full set, when it changes")
    [shown] = vmqctl("adapter show")
    ksft_eq(told[-1], shown, "K-06")
    ksft_not_in("ntuple", shown["capabilities"], "K-04")
    ksft_in("ntuple", shown["hw-capabilities"], "K-04")


def test_do_and_dump():
    """A get of one object gives what the dump has; dev and ifindex agree."""
    world()
    genl = Genl()
    for name, dev in (("ADAPTER", "vmq0"), ("PORT", "vm1")):
        command = UAPI[f"VMQ_CMD_{name}_GET"]
        dump = genl.call(command, dump=True)
        index = link_info(dev)["ifindex"]
        ksft_eq(genl.call(command, attr_str(DEV, dev)), dump)
        ksft_eq(genl.call(command, attr_u32(IFINDEX, index)), dump)
        ksft_eq(genl.call(command, attr_u32(IFINDEX, index),
                          attr_str(DEV, dev)), dump)
    command = UAPI["VMQ_CMD_QUEUE_GET"]
    dump = genl.call(command, attr_str(DEV, "vmq0"), dump=True)
    for each in dump:
        queue = dict(each)[UAPI["VMQ_A_QUEUE_ID"]]
        ksft_eq(genl.call(command, attr_str(DEV, "vmq0"),
                          attr(UAPI["VMQ_A_QUEUE_ID"], queue)), [each])
    command = UAPI["VMQ_CMD_FILTER_GET"]
    [only] = genl.call(command, dump=True)
    ksft_eq(genl.call(command, attr_str(DEV, "vmq0"), attr(
        UAPI["VMQ_A_FILTER_ID"], dict(only)[UAPI["VMQ_A_FILTER_ID"]])), [only])


def test_large_dumps():
    """Dumps that need many messages are whole, each entry once."""
    pair()
    adapter("vmq0", rxq=512)
    for number in range(400):
        rule_add("vmq0", Rule(0x12, 1 + number, number).dst(
            b"\2\0\0\0" + struct.pack("!H", number)))
    genl = Genl()
    filters = genl.call(UAPI["VMQ_CMD_FILTER_GET"], dump=True)
    ids = [dict(each)[UAPI["VMQ_A_FILTER_ID"]] for each in filters]
    ksft_eq((len(ids), len(set(ids))), (400, 400), "F-01, F-12")
    queues = genl.call(UAPI["VMQ_CMD_QUEUE_GET"], dump=True)
    ids = [dict(each)[UAPI["VMQ_A_QUEUE_ID"]] for each in queues]
    ksft_eq(len(ids), len(set(ids)))
    ksft_ge(len(ids), 401, "queue 0 and one for each rule")
    ethtool("-K vmq0 ntuple off")


def solicitation(source):
    """A guest on vm1 looks for a neighbour, and so says which address it has."""
    return (bytes.fromhex("3333ff000001") + mac(1) + b"\x81\0\x0f\xfe\x86\xdd" +
            struct.pack("!IHBB", 6 << 28, 24, 58, 255) + source + bytes(16) +
            b"\x87" + bytes(23))


def test_largest_port():
    """What can be said of a port fits the answer and the event, all at once."""
    adapter("vmq0", rxq=300)
    port("vm1", number=1, rxq=256)
    trunk = ",".join(f"{first}-{first + 1}" for first in range(3000, 3297, 3))
    cmd(f"vmqctl port set dev vm1 trunk {trunk},4094")
    with contextlib.closing(Raw("vm1")) as raw:
        raw.send(*(solicitation(bytes.fromhex("20010db8ffffeeeeddddccccbbbb") +
                                struct.pack("!H", 0xaa00 + number))
                   for number in range(16)))
    ksft_true(wait_until(lambda: len(vmqctl("port show dev vm1")[0].get(
        "address", [])) == 16, 5, 0.05), "all addresses")
    with monitor() as end:
        cmd("vmqctl port set dev vm1 announce-count 1")
        told = [each["msg"] for each in end() if each["name"] == "port-ntf"]
    ksft_eq([(len(each["queues"]), len(each["address"])) for each in told],
            [(256, 16)])
    shown = vmqctl("port show dev vm1")[0]
    ksft_eq(shown["trunk"], f"{trunk},4094")
    ksft_eq(len(vmqctl("port show")), 1)


# -- netdev-genl

def netdev_family():
    """Constants of the family netdev, which are stable: see linux/netdev.h"""
    return {"qstats": 12, "queue": 10,
            # qstats
            "ifindex": 1, "type": 2, "id": 3, "scope": 4, "rx-packets": 8,
            "rx-bytes": 9, "tx-packets": 10, "tx-bytes": 11}


def qstats(dev, scope=None):
    """netdev-genl qstats-get: [{attribute: number}]"""
    numbers = netdev_family()
    genl = Genl("netdev")
    request = [attr_u32(numbers["ifindex"], link_info(dev)["ifindex"])]
    if scope:
        request.append(attr(numbers["scope"], struct.pack("=Q", scope)))
    names = {value: key for key, value in numbers.items()
             if key not in ("qstats", "queue")}
    return [{names[kind]: int.from_bytes(data, "little")
             for kind, data in each if kind in names}
            for each in genl.call(numbers["qstats"], *request, dump=True)]


def test_qstats():
    """qstats-get, whole and per queue, agrees with `ip -s link`."""
    world()
    with Raw("wire0") as wire, Raw("vm1") as guest:
        guest.drain()
        wire.send(*[ether(1)] * 4, ether(0x44))
        guest.send(ether(9, src=1))
        wait_until(lambda: link_stats("vm1")["rx_packets"] >= 4)
    for dev in ("vmq0", "vm1"):
        link = link_stats(dev)
        [whole] = qstats(dev)
        for name in ("rx-packets", "rx-bytes", "tx-packets", "tx-bytes"):
            ksft_eq(whole[name], link[name.replace("-", "_")],
                    f"{dev}: {name}")
        queues = qstats(dev, 1)
        for kind, number in (("rx", 0), ("tx", 1)):
            ksft_eq(sum(each.get(f"{kind}-packets", 0) for each in queues
                        if each["type"] == number),
                    link[f"{kind}_packets"], f"{dev}: {kind} by queue")
    by_queue = {each["id"]: each for each in qstats("vmq0", 1)
                if each["type"] == 0}
    ksft_eq(by_queue[port_queue("vm1")]["rx-packets"], 4)
    ethtool("-L vmq0 combined 2")
    ksft_eq(qstats("vmq0")[0]["rx-packets"], link_stats("vmq0")["rx_packets"],
            "nothing goes backwards")


def test_queue_get():
    """netdev-genl queue-get lists the queues that are on."""
    world()
    genl = Genl("netdev")
    index = link_info("vmq0")["ifindex"]
    found = [dict(each) for each in genl.call(
        netdev_family()["queue"], attr_u32(2, index), dump=True)]
    receive = [struct.unpack("=I", each[1])[0] for each in found
               if each[3] == bytes(4)]
    ksft_eq(sorted(receive), list(range(8)))


# -- events

def test_monitor():
    """`vmqctl monitor`: filters, queues and ports as they come and go."""
    world()
    with monitor() as events:
        rule_add("vmq0", Rule(0x12, 5, 3).dst(b"\2\0\0\0\0\1"))
        rule_add("vmq0", Rule(0x12, 6, 3).dst(b"\2\0\0\0\0\1"))
        rule_del("vmq0", 3)
        port("vm2", number=2)
        queue = port_queue("vm2")
        Rtnl().set("vm2", address="52:54:00:00:00:72")
        save("vm2")
        Rtnl().delete("vm2")
        seen = events()
    ours = [each["msg"]["event"] for each in seen
            if each["name"] == "filter-ntf" and each["msg"]["location"] == 3]
    ksft_eq(ours, ["new", "move", "del"], "filter-ntf")
    moves = [(each["msg"]["event"], each["msg"]["mac"]) for each in seen
             if each["name"] == "filter-ntf"
             and each["msg"]["owner"] == "port vm2"]
    ksft_eq(moves, [("new", "52:54:00:00:00:02"),
                    ("move", "52:54:00:00:00:72"),
                    ("del", "52:54:00:00:00:72")])
    stopped = [(each["msg"]["id"], each["msg"]["state"]) for each in seen
               if each["name"] == "queue-ntf"]
    # at every free, and for no other reason
    ksft_eq(stopped, [(5, "stop-dma"), (6, "stop-dma"), (queue, "stop-dma")])
    states = [each["msg"]["migration"] for each in seen
              if each["name"] == "port-ntf" and each["msg"]["dev"] == "vm2"]
    ksft_in("saving", states)
    ksft_in("saved", states)


def test_events_netns():
    """Events of an adapter are for its own network namespace."""
    world()
    other = NetNS()
    with other:
        genl = Genl()
        genl.join(genl.groups["events"])
    genl.sock.settimeout(0.3)
    mine = Genl()
    mine.join(mine.groups["events"])
    rule_add("vmq0", Rule(0x12, 5, 3).dst(b"\2\0\0\0\0\1"))
    ksft_true(mine.receive())
    with ksft_raises(TimeoutError):
        genl.receive()
    with other:
        ksft_eq(vmqctl("adapter show"), [])
        status, message = fail_cmd("vmqctl adapter show dev vmq0")
        ksft_eq(status, 1)
        ksft_true(message)


# -- permission

def test_permission():
    """What changes something needs CAP_NET_ADMIN; showing does not."""
    world()

    def attempt():
        genl = Genl()
        found = []
        for name in CHANGES:
            dev = "vmq0" if name == "EXT_SET" else "vm1"
            more = [attr_str(3, "acl"), attr_u8(6, 1)] \
                if name == "EXT_SET" else []
            try:
                genl.call(UAPI[f"VMQ_CMD_{name}"], attr_str(DEV, dev), *more)
                found.append(f"{name} worked")
            except NlError as error:
                if error.errno != errno.EPERM:
                    found.append(f"{name}: {error}")
        for name in GETS:
            try:
                genl.call(UAPI[f"VMQ_CMD_{name}_GET"], dump=True)
            except NlError as error:
                found.append(f"{name}_GET: {error}")
        return "\n".join(found)

    ksft_eq(in_userns(attempt), "")
    ksft_eq(vmqctl("port show dev vm1")[0]["migration"], "idle")


def test_own_userns():
    """Root of a user namespace with its own network namespace may do it all
    there: with its own adapter, not with somebody else's port in it."""
    def attempt():
        if ctypes.CDLL(None).unshare(CLONE_NEWNET):
            return "unshare"
        rtnl = Rtnl()
        rtnl.add("vmq0", "vmq")
        rtnl.add("vm1", "vmqport", link="vmq0")
        stream = save("vm1")
        Genl().call(UAPI["VMQ_CMD_EXT_SET"], attr_str(DEV, "vmq0"),
                    attr_str(3, "acl"), attr_u8(6, 1))
        rtnl.delete("vmq0")
        return "ok" if stream.startswith(b"VMQSTATE") else "bad stream"

    text = in_userns(attempt)
    ksft_eq(text, "ok")


def test_foreign_netns():
    """A port that lives in another netns does not give its owner any power
    over the adapter."""
    world()
    cmd("vmqctl ext enable dev vmq0 name acl")

    def attempt():
        # a netns that this user owns
        if ctypes.CDLL(None).unshare(CLONE_NEWNET):
            return "unshare"
        os.write(go_write, b"%d" % os.getpid())
        moved = os.read(done_read, 200)
        if moved != b"moved":
            return moved.decode()
        found = []
        genl = Genl()
        flush = attr(UAPI["VMQ_A_EXT_PORT_CONFIG"],
                     attr(UAPI["VMQ_A_ACL_FLUSH_RULES"]))
        for name in ("SAVE_BEGIN", "RESTORE_BEGIN", "ABORT", "EXT_PORT_SET",
                     "PORT_SET"):
            more = [attr_str(UAPI["VMQ_A_EXT_PORT_NAME"], "acl"), flush] \
                if name == "EXT_PORT_SET" else []
            try:
                genl.call(UAPI[f"VMQ_CMD_{name}"], attr_str(DEV, "vm1"), *more)
                found.append(f"{name} worked")
            except NlError as error:
                if error.errno != errno.EPERM:
                    found.append(f"{name}: {error}")
        return "\n".join(found)

    go_read, go_write = os.pipe()
    done_read, done_write = os.pipe()
    mover = os.fork()
    if not mover:
        try:
            child = int(os.read(go_read, 20))
            fd = os.open(f"/proc/{child}/ns/net", os.O_RDONLY)
            Rtnl().set("vm1", netns_fd=fd)
            os.write(done_write, b"moved")
        except OSError as reason:
            os.write(done_write, f"not moved: {reason}".encode())
        finally:
            os._exit(0)
    text = in_userns(attempt)
    os.waitpid(mover, 0)
    ksft_eq(text, "")
    for fd in (go_read, go_write, done_read, done_write):
        os.close(fd)


# -- requests that are no good

def test_no_device():
    """A request that names no device, an unknown one, or a wrong one."""
    world()
    genl = Genl()
    index = link_info("vmq0")["ifindex"]
    for name in GETS[:4]:
        command = UAPI[f"VMQ_CMD_{name}_GET"]
        other = "vmq0" if name == "PORT" else "vm1"
        key = attr_u32(3, 1) if name in ("QUEUE", "FILTER") else b""
        for number, comment, request in (
                (errno.EINVAL, "nothing", b""),
                (errno.ENODEV, "unknown name", attr_str(DEV, "nosuch")),
                (errno.ENODEV, "unknown index", attr_u32(IFINDEX, 999999)),
                (errno.ENODEV, "index and name differ",
                 attr_u32(IFINDEX, index) + attr_str(DEV, "lo")),
                (errno.EINVAL, "another kind", attr_str(DEV, "lo")),
                (errno.EINVAL, "the other kind", attr_str(DEV, other))):
            refused(number, genl.call, command, request, key,
                    comment=f"{name}: {comment}")
    refused(errno.ENOENT, genl.call, UAPI["VMQ_CMD_QUEUE_GET"],
            attr_str(DEV, "vmq0"), attr_u32(UAPI["VMQ_A_QUEUE_ID"], 4444))
    for number in (0, 4444, 0xffffffff):
        # F-08: querying id 0 or one that there is not
        with ksft_raises(NlError) as caught:
            genl.call(UAPI["VMQ_CMD_FILTER_GET"], attr_str(DEV, "vmq0"),
                      attr_u32(UAPI["VMQ_A_FILTER_ID"], number))
        ksft_in(caught.exception.errno, (errno.EINVAL, errno.ENOENT))
        ksft_true(caught.exception.msg, caught.exception)


def test_malformed():
    """Attributes that are too short, of a wrong type, unknown, unterminated.
    """
    world()
    genl = Genl()
    command = UAPI["VMQ_CMD_PORT_GET"]
    for comment, data in (
            ("u32 of 2 bytes", attr_u16(IFINDEX, 1)),
            ("u32 of 0 bytes", attr(IFINDEX)),
            ("u32 of 8 bytes", attr(IFINDEX, bytes(8))),
            ("string without end", attr(DEV, b"vm1")),
            ("string of nothing", attr(DEV)),
            ("long string", attr_str(DEV, "x" * 300)),
            ("unknown attribute", attr_str(DEV, "vm1") + attr_u32(99, 1)),
            ("attribute of another set", attr_str(DEV, "vm1")
             + attr_u32(UAPI["VMQ_A_PORT_QUEUES"], 1)),
            ("nested flag on a string",
             attr(DEV | 0x8000, b"vm1\0")),
            ("length longer than the message",
             struct.pack("=HH", 400, DEV) + b"vm1\0"),
            ("length 0", struct.pack("=HH", 0, DEV) + b"vm1\0"),
            ("half an attribute", b"\x08\0")):
        with ksft_raises(NlError, comment) as caught:
            genl.call(command, data)
        if caught.exception:
            ksft_in(caught.exception.errno,
                    (errno.EINVAL, errno.ERANGE, errno.ENODEV), comment)
    for comment, data in (
            ("enabled 2", attr_u8(UAPI["VMQ_A_EXT_ENABLED"], 2)),
            ("enabled without a value", attr(UAPI["VMQ_A_EXT_ENABLED"])),
            ("position of 1 byte", attr_u8(UAPI["VMQ_A_EXT_POSITION"], 1))):
        with ksft_raises(NlError, comment):
            genl.call(UAPI["VMQ_CMD_EXT_SET"], attr_str(DEV, "vmq0"),
                      attr_str(UAPI["VMQ_A_EXT_NAME"], "acl"), data)
    refused(errno.ENOENT, genl.call, UAPI["VMQ_CMD_EXT_SET"],
            attr_str(DEV, "vmq0"), attr_str(UAPI["VMQ_A_EXT_NAME"], "nosuch"),
            attr_u8(UAPI["VMQ_A_EXT_ENABLED"], 1), comment="unknown extension")
    ksft_eq([each["enabled"] for each in vmqctl("ext show dev vmq0")
             if each["name"] == "acl"], [0])
    with ksft_raises(NlError) as caught:
        genl.call(250)
    ksft_eq(caught.exception.errno, errno.EOPNOTSUPP)


def test_random():
    """Random requests: nothing breaks, the port is still what it was."""
    world()
    cmd("vmqctl ext enable dev vmq0 name acl")
    genl = Genl()
    source = random.Random(42)
    before = vmqctl("port show dev vm1")[0]
    filters = vmqctl("filter show")
    turns = 1500 if machine() == "uml-debug" else 10000
    answers = {}
    names = sorted(name for name in COMMANDS)
    for _ in range(turns):
        name = source.choice(names)
        parts = []
        for _ in range(source.randrange(5)):
            kind = source.choice((1, 2, 3, 4, 5, 6, 7, 8, 30,
                                  source.randrange(65536)))
            data = source.choice((
                b"vm1\0", b"vmq0\0", b"acl\0", bytes(4), b"\1", b"",
                source.randbytes(source.randrange(40)),
                struct.pack("=I", link_info("vm1")["ifindex"])
                if source.random() < 0.01 else b"\1\0\0\0",
                attr(source.randrange(8), source.randbytes(
                    source.randrange(12)))))
            parts.append(attr(kind, data))
        payload = struct.pack("=BBH", COMMANDS[name], 1, 0) + b"".join(parts)
        if source.random() < 0.2:
            payload = payload[:source.randrange(4, len(payload) + 1)]
        try:
            for each in genl.request(genl.family, payload,
                                     dump=source.random() < 0.3):
                for kind, data in _attrs(each):
                    if "BEGIN" in name and kind == UAPI["VMQ_A_PORT_FD"]:
                        os.close(struct.unpack("=i", data)[0])
            answers["ok"] = answers.get("ok", 0) + 1
        except NlError as error:
            key = errno.errorcode.get(error.errno, error.errno)
            answers[key] = answers.get(key, 0) + 1
    ksft_pr(dict(sorted(answers.items())))
    ksft_ge(answers.get("ok", 0), 1)
    after = vmqctl("port show dev vm1")[0]
    for key in ("mac", "uuid", "queues", "port-id"):
        ksft_eq(after[key], before[key])
    ksft_eq(vmqctl("filter show"), filters)


def test_every_request():
    """Each request, to each kind of device, alone and with one attribute more.

    The kernel's array of attributes ends at the highest that an operation takes;
    KASAN sees who reads past it.
    """
    world()
    cmd("ip link set vmq0 up")
    with open("/sys/class/net/vmq0/device/sriov_numvfs", "w",
              encoding="ascii") as stream:
        stream.write("1")
    before = vmqctl("port show dev vm1")[0]
    genl = Genl()
    source = random.Random(43)
    extras = [b""] + [
        attr(kind, data) for kind in range(3, 40)
        for data in (b"\1", bytes(4), b"acl\0", attr_u32(1, 1))]
    turns = 6 if machine() == "uml-debug" else 40
    count = refusals = 0
    for name, number in COMMANDS.items():
        for dev in ("vmq0", "vm1", "vmq0v0", "up0"):
            index = attr_u32(IFINDEX, link_info(dev)["ifindex"])
            for target in (index, attr_str(DEV, dev)):
                for extra in extras[:1] + source.sample(extras, turns):
                    count += 1
                    try:
                        for each in genl.request(
                                genl.family,
                                struct.pack("=BBH", number, 1, 0) + target
                                + extra):
                            for kind, data in _attrs(each):
                                if "BEGIN" in name and \
                                        kind == UAPI["VMQ_A_PORT_FD"]:
                                    os.close(struct.unpack("=i", data)[0])
                    except NlError:
                        refusals += 1
    ksft_pr(f"{count} requests, {refusals} refused")
    ksft_ge(refusals, count // 2)
    ksft_ge(count - refusals, 1)
    ksft_eq(vmqctl("port show dev vm1")[0]["mac"], before["mac"])


def _attrs(payload):
    from lib import parse_attrs
    return parse_attrs(payload[4:])


def test_dump_races():
    """A dump that is not read to its end, and one while objects go."""
    adapter("vmq0")
    for number in range(700):
        rule_add("vmq0", Rule(0x12, 1 + number % 8, number).dst(
            b"\2\0\0\0" + struct.pack("!H", number)))
    sockets = []
    for _ in range(10):
        genl = Genl()
        genl.sock.setsockopt(1, 8, 4096)
        genl.sock.send(genl.frame(UAPI["VMQ_CMD_FILTER_GET"], flags=0x300))
        ksft_not_in(3, [each[0] for each in genl.receive()], "done already")
        sockets.append(genl)
    Rtnl().delete("vmq0")
    for genl in sockets[:5]:
        genl.close()
    for genl in sockets[5:]:
        genl.sock.settimeout(5)
        done = False
        while not done:
            for kind, _, _, _ in genl.receive():
                done = done or kind in (2, 3)
        genl.close()


def test_rtnl_random():
    """Random link attributes for both kinds: no crash, nothing left."""
    world()
    rtnl = Rtnl()
    source = random.Random(7)
    turns = 100 if machine() == "uml-debug" else 500
    index = link_info("vmq0")["ifindex"]
    made = 0
    for _ in range(turns):
        kind = source.choice(("vmq", "vmqport"))
        info = attr_str(1, kind)
        if source.random() < 0.5:
            info += attr(2 | source.choice((0, 0x8000)), source.randbytes(
                source.randrange(24)))
        payload = rtnl._header() + attr_str(3, "vmqrand") + attr(
            18 | 0x8000, info)
        if source.random() < 0.8:
            payload += attr_u32(5, source.choice((index, 0, 1, 77777)))
        for _ in range(source.randrange(3)):
            payload += attr(source.choice((1, 4, 13, 31, 32, 33, 37)),
                            source.randbytes(source.choice((0, 1, 2, 4, 6))))
        try:
            rtnl.request(16, payload, 0x600)
        except NlError:
            continue
        made += 1
        rtnl.delete("vmqrand")
    ksft_pr(f"{made} of {turns} were links")
    ksft_ne(made, turns)
    ksft_eq(len(vmqctl("adapter show")), 1)
    ksft_eq(len(vmqctl("port show")), 1)


def test_strict():
    """Requests of an older kind (no strict checks) get the same answers."""
    world()
    netlink = Netlink(16)
    genl = Genl()
    answer = netlink.request(genl.family, struct.pack(
        "=BBH", UAPI["VMQ_CMD_PORT_GET"], 1, 0) + attr_str(DEV, "vm1"))
    ksft_eq(len(answer), 1)


if __name__ == "__main__":
    ksft_main(globals())
