#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The bundled extension acl: rules, connections, and what they do to frames.
"""

import contextlib
import errno
import os
import socket
import threading

from lib import (UAPI, Genl, NetNS, NlError, Raw, Rtnl, acl_flush, acl_rule,
                 acl_set, adapter, attr, attr_str, attr_u8, attr_u32, build,
                 cmd, defer, ether, ethtool_stats, ext_set, fail_cmd, ksft_eq,
                 ksft_ge, ksft_in, ksft_lt, ksft_main, ksft_not_in, ksft_pr,
                 ksft_raises, ksft_true, link_stats, mac, machine, nest, pair,
                 port, vmqctl, wait_until)
from lib.acl import DENY, IN
from lib.frames import arp, checksum, icmp4, ip4
from lib.inside import load
from lib.traffic import transfer

SLOW = machine() != "uml-plain"
GUEST, OUTSIDE, OTHER = "10.6.0.1", "10.6.0.9", "10.6.0.8"


def world(enable=True):
    pair()
    adapter("vmq0", uplink="up0", rxq=8)
    port("vm1", number=1)
    if enable:
        ext_set("vmq0", 1)
    made = Raw("wire0"), Raw("vm1")
    for each in made:
        defer(each.close)
    return made


def add(text, dev="vm1"):
    cmd(f"vmqctl acl add dev {dev} {text}")


def arrives(sender, receiver, frame):
    """Does a frame get through?"""
    receiver.drain()
    sender.send(frame)
    return receiver.expect(lambda got: got[:len(frame)] == frame[:len(got)]
                           and got[:14] == frame[:14],
                           0.1 if SLOW else 0.06) is not None


def inward(kind="udp", sport=1000, dport=80, **options):
    return build(1, OUTSIDE, GUEST, kind, sport, dport, src=9, **options)


def outward(kind="udp", sport=80, dport=1000, **options):
    return build(9, GUEST, OUTSIDE, kind, sport, dport, src=1, **options)


def summary(dev="vm1"):
    return vmqctl(f"acl show dev {dev} summary")[0]


def test_enable():
    """X-05: registered everywhere, off until it is enabled on an adapter."""
    wire, guest = world(enable=False)
    adapter("vmq1")
    [shown] = [each for each in vmqctl("ext show dev vmq0")
               if each["name"] == "acl"]
    ksft_eq((shown["enabled"], shown["class"]), (0, "filter"), "X-01, X-05")
    ksft_in(shown["position"], range(3), "among the three that are loaded")
    ksft_eq(len(shown["uuid"]), 36, "X-51")
    _, message = fail_cmd("vmqctl acl add dev vm1 direction in action deny")
    ksft_true(message)
    cmd("vmqctl ext enable dev vmq0 name acl")
    ksft_eq([each["enabled"] for each in vmqctl("ext show")
             if each["name"] == "acl"], [1, 0], "for this adapter alone")
    add("direction in action deny")
    ksft_true(not arrives(wire, guest, inward()))
    port("vm2", number=2)
    ksft_eq(summary("vm2")["rules"], 0, "new ports have it, too")
    cmd("vmqctl ext disable dev vmq0 name acl")
    ksft_true(arrives(wire, guest, inward()), "off: sees no frames")
    cmd("vmqctl ext enable dev vmq0 name acl")


def test_no_rules():
    """Enabled and without rules it lets everything through."""
    wire, guest = world()
    ksft_true(arrives(wire, guest, inward()))
    ksft_true(arrives(guest, wire, outward()))
    ksft_true(arrives(wire, guest, ether(1, 9)))


def test_fields():
    """Each field decides, by itself."""
    wire, guest = world()
    cases = (
        ("proto udp", inward(), inward("tcp")),
        ("proto tcp", inward("tcp"), inward()),
        ("proto icmp", inward("icmp"), inward()),
        (f"src {OUTSIDE}", inward(),
         build(1, OTHER, GUEST, src=9, sport=1000, dport=80)),
        ("src 10.6.0.8/30", inward(),
         build(1, "10.6.0.12", GUEST, src=9, sport=1000, dport=80)),
        (f"dst {GUEST}", inward(),
         build(1, OUTSIDE, "10.6.0.2", src=9, sport=1000, dport=80)),
        ("proto udp sport 1000", inward(), inward(sport=1001)),
        ("proto udp sport 900-1000", inward(), inward(sport=899)),
        ("proto udp dport 80-90", inward(dport=90), inward(dport=91)),
        ("family ip", inward(), build(1, "fd00::9", "fd00::1", src=9)),
        ("family ipv6", build(1, "fd00::9", "fd00::1", src=9), inward()),
        ("src fd00::/64", build(1, "fd00::9", "fd00::1", src=9),
         build(1, "fd01::9", "fd00::1", src=9)),
        ("src-mac 52:54:00:00:00:09", inward(),
         build(1, OUTSIDE, GUEST, "udp", 1000, 80, src=8)),
        ("src-mac 52:54:00:00:00:08/ff:ff:ff:ff:ff:fe", inward(),
         build(1, OUTSIDE, GUEST, "udp", 1000, 80, src=10)),
        ("dst-mac 52:54:00:00:00:01", inward(),
         build(b"\xff" * 6, OUTSIDE, GUEST, "udp", 1000, 80, src=9)),
        ("ethertype 0x800", inward(), build(1, "fd00::9", "fd00::1", src=9)),
        ("ethertype 0x86dd proto udp", build(1, "fd00::9", "fd00::1", src=9),
         inward()),
        ("vlan 0 proto udp", inward(), inward("tcp")),
        ("proto icmp icmp-type 8", inward("icmp"),
         build(1, OUTSIDE, GUEST, 1, src=9, payload=icmp4(13))),
        ("proto icmp icmp-type 8 icmp-code 0", inward("icmp"),
         build(1, OUTSIDE, GUEST, 1, src=9, payload=icmp4(0))),
        ("proto tcp tcp-flags syn/syn,ack", inward("tcp", flags=0x42),
         inward("tcp", flags=0x12)),
        ("proto tcp tcp-flags none/syn,rst", inward("tcp", flags=0x18),
         inward("tcp", flags=0x1a)),
        ("proto tcp tcp-flags psh,ack", inward("tcp", flags=0x38),
         inward("tcp", flags=0x10)),
    )
    for text, hit, miss in cases:
        add(f"direction in action deny {text}")
        ksft_true(not arrives(wire, guest, hit), f"{text}: denied")
        acl_flush("vm1", connections=False)
        # the other way round, for the default of a rule set is not asked here
        add(f"priority 1 direction in action allow {text}")
        acl_set("vm1", acl_rule(IN, DENY, priority=2))
        acl_flush("vm1", rules=False)
        ksft_true(arrives(wire, guest, hit), f"{text}: allowed")
        acl_flush("vm1", rules=False)
        ksft_true(not arrives(wire, guest, miss), f"{text}: not this one")
        acl_flush("vm1")


def test_link_layer():
    """Rules about Ethernet are about what is not IP, too; others are not."""
    wire, guest = world()
    request = ether(b"\xff" * 6, 9, 0x806, payload=arp(1, 9, OUTSIDE, 0,
                                                       GUEST))
    advert = build(1, "fe80::9", "fe80::1", 58, src=9,
                   payload=b"\x86" + bytes(23))
    solicit = build(1, "fe80::9", "fe80::1", 58, src=9,
                    payload=b"\x87" + bytes(23))
    add("direction in action deny")
    for frame in (request, advert, solicit, ether(1, 9)):
        ksft_true(arrives(wire, guest, frame), "passes without a rule")
    denied = summary()["denied"]
    for text, hit, miss in (
            ("ethertype 0x806", request, advert),
            ("ethertype 0x88b5", ether(1, 9), request),
            ("src-mac 52:54:00:00:00:09", request, ether(1, 8)),
            ("dst-mac 01:00:00:00:00:00/01:00:00:00:00:00", request,
             ether(1, 9)),
            ("vlan 0", ether(1, 9), None),
            ("proto icmpv6 icmp-type 134", advert, solicit),
            ("family ipv6 src-mac 52:54:00:00:00:09", solicit, request)):
        add(f"priority 0 direction in action deny {text}")
        ksft_true(not arrives(wire, guest, hit), f"{text}: denied")
        if miss:
            ksft_true(arrives(wire, guest, miss), f"{text}: not this one")
        acl_flush("vm1")
    ksft_ge(summary()["denied"] - denied, 7)
    # a VLAN: the port's filter takes it, the tag is in the metadata
    cmd("vmqctl filter add dev vmq0 queue 1 mac 52:54:00:00:00:01 vlan 7")
    tagged = build(1, OUTSIDE, GUEST, src=9, vlan=7)
    bare = build(1, OUTSIDE, GUEST, src=9)
    add("direction in action deny vlan 7")
    wire.send(tagged, bare)
    got = guest.expect(lambda each: each[12:14] == b"\x08\0", 2)
    ksft_true(got is not None and got.vid is None, "vlan 7: denied, 0 passes")
    [shown] = vmqctl("acl show dev vm1 rules")
    ksft_eq((shown["vlan"], shown["packets"]), (7, 1))


def test_new_fields_shown():
    """What was set is what is shown, as JSON and in the words of acl add."""
    world()
    text = ("priority 3 direction in action deny src-mac 52:54:00:00:00:08/"
            "ff:ff:ff:ff:ff:f8 dst-mac 52:54:00:00:00:01 vlan 12 "
            "ethertype 0x0800 proto tcp tcp-flags syn/syn,ack")
    add(text)
    add("direction out action allow proto icmpv6 icmp-type 128 icmp-code 0")
    shown = {each["id"]: each for each in vmqctl("acl show dev vm1 rules")}
    for key, value in (("src-mac", "52:54:00:00:00:08"),
                       ("src-mac-mask", "ff:ff:ff:ff:ff:f8"),
                       ("dst-mac", "52:54:00:00:00:01"), ("vlan", 12),
                       ("ethertype", 0x800), ("tcp-flags", 2),
                       ("tcp-flags-mask", 18)):
        ksft_eq(shown[1][key], value, key)
    ksft_not_in("dst-mac-mask", shown[1])
    ksft_eq((shown[2]["icmp-type"], shown[2]["icmp-code"]), (128, 0))
    [line] = [each for each in cmd("vmqctl acl show dev vm1 rules").splitlines()
              if "tcp-flags" in each]
    for words in text.split(" ", 2)[2].split(" src-mac"):
        ksft_in(words.strip(), line)
    status, message = fail_cmd(f"vmqctl acl add dev vm1 {text}")
    ksft_eq(status, 1)
    ksft_in("same", message)


def test_directions():
    """in is towards the guest, out is from it."""
    wire, guest = world()
    add("direction out action deny proto udp dport 53")
    ksft_true(not arrives(guest, wire, outward(dport=53)))
    ksft_true(arrives(guest, wire, outward(dport=54)))
    ksft_true(arrives(wire, guest, inward(dport=53)))
    cmd("vmqctl acl flush dev vm1")
    add("direction in action deny proto udp dport 53")
    ksft_true(arrives(guest, wire, outward(dport=53, sport=77)))
    ksft_true(not arrives(wire, guest, inward(dport=53)))


def test_order():
    """Lower priorities first, equal ones by their ids; del and flush."""
    wire, guest = world()
    add("priority 20 direction in action deny")
    add("priority 10 direction in action allow proto udp dport 80")
    add("priority 10 direction in action deny proto udp dport 80")
    ksft_true(arrives(wire, guest, inward()))
    shown = vmqctl("acl show dev vm1 rules")
    ksft_eq([each["id"] for each in sorted(
        shown, key=lambda each: (each["priority"], each["id"]))], [2, 3, 1])
    cmd("vmqctl acl flush dev vm1 connections")
    cmd("vmqctl acl del dev vm1 id 2")
    ksft_true(not arrives(wire, guest, inward()))
    status, message = fail_cmd("vmqctl acl del dev vm1 id 2")
    ksft_eq(status, 1)
    ksft_true(message)
    cmd("vmqctl acl flush dev vm1 rules")
    ksft_eq(vmqctl("acl show dev vm1 rules"), [])
    ksft_true(arrives(wire, guest, inward()))


def test_stateful():
    """What answers an allowed connection needs no rule."""
    wire, guest = world()
    add("direction out action allow")
    add("direction in action deny")
    ksft_true(not arrives(wire, guest, inward()), "unasked")
    ksft_true(arrives(guest, wire, outward()))
    ksft_true(arrives(wire, guest, inward()), "the answer")
    ksft_true(not arrives(wire, guest, inward(sport=1001)), "other port")
    [shown] = vmqctl("acl show dev vm1 connections")
    ksft_eq((shown["local"], shown["remote"], shown["local-port"],
             shown["remote-port"]), (GUEST, OUTSIDE, 80, 1000))
    ksft_ge(shown["packets-in"], 1)
    ksft_ge(shown["packets-out"], 1)
    ksft_true(shown["timeout"] > 0)
    # an ICMP error about it belongs to it
    quoted = outward()[14:14 + 28]
    text = b"\3\3" + bytes(2) + bytes(4) + quoted
    text = text[:2] + checksum(text).to_bytes(2, "big") + text[4:]
    error = ether(1, 9, 0x800, payload=ip4(OTHER, GUEST, 1, text))
    ksft_true(arrives(wire, guest, error), "ICMP error")
    # echo
    ksft_true(arrives(guest, wire, outward("icmp", ident=7)))
    for ident in (7, 8):
        reply = build(1, OUTSIDE, GUEST, 1, src=9, payload=icmp4(0, ident))
        ksft_eq(arrives(wire, guest, reply), ident == 7, "echo reply")
    cmd("vmqctl acl flush dev vm1 connections")
    ksft_true(not arrives(wire, guest, inward()), "forgotten")
    ksft_eq(vmqctl("acl show dev vm1 connections"), [])


def test_always():
    """ARP and neighbour discovery need no rule; other EtherTypes neither."""
    wire, guest = world()
    add("direction in action deny")
    add("direction out action deny")
    request = ether(b"\xff" * 6, 9, 0x806, payload=arp(1, 9, OUTSIDE, 0,
                                                       GUEST))
    ksft_true(arrives(wire, guest, request), "ARP")
    ksft_true(arrives(guest, wire, ether(9, 1)), "another EtherType")
    solicit = build(1, "fe80::9", "fe80::1", 58, src=9,
                    payload=b"\x87" + bytes(23))
    ksft_true(arrives(wire, guest, solicit), "neighbour solicitation")
    ksft_true(not arrives(wire, guest, inward()))
    ksft_true(not arrives(guest, wire, outward()))


def live():
    """A host outside with an address, for sockets."""
    outside = NetNS()
    pair()
    adapter("vmq0", uplink="up0")
    rtnl = Rtnl()
    rtnl.set("wire0", netns_fd=outside.fd)
    with outside:
        Rtnl().up("wire0")
        Rtnl().addr("wire0", OUTSIDE, 24)
    port("vm1", number=1)
    rtnl.addr("vm1", GUEST, 24)
    ext_set("vmq0", 1)
    defer(outside.close)
    return outside


def test_tcp():
    """An established TCP connection keeps flowing after a deny rule for new
    ones; new ones do not come up."""
    outside = live()
    add("priority 50 direction in action allow")
    add("priority 50 direction out action allow")
    with outside:
        listener = socket.create_server((OUTSIDE, 5000))
    defer(listener.close)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=echo, args=(connection,),
                                 daemon=True).start()

    def echo(connection):
        with contextlib.suppress(OSError), connection:
            while data := connection.recv(65536):
                connection.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    sock = socket.create_connection((OUTSIDE, 5000), 10)
    defer(sock.close)
    sock.sendall(b"before")
    ksft_eq(sock.recv(100), b"before")
    add("priority 1 direction in action deny")
    add("priority 1 direction out action deny")
    sock.sendall(b"after")
    ksft_eq(sock.recv(100), b"after")
    with contextlib.closing(socket.socket()) as other:
        other.settimeout(1)
        with ksft_raises(OSError):
            other.connect((OUTSIDE, 5000))
    [shown] = [each for each in vmqctl("acl show dev vm1 connections")
               if each["ip-proto"] in (6, "tcp")]
    ksft_eq(shown["state"], "established")
    cmd("vmqctl acl flush dev vm1 connections")
    sock.settimeout(1)
    sock.sendall(b"lost")
    with ksft_raises(OSError):
        sock.recv(100)


def test_large_transfer():
    """Large segments (GSO) pass and count as the connection's."""
    outside = live()
    add("direction out action allow")
    add("direction in action deny")
    size = (2 if machine() == "uml-debug" else 20) << 20
    ksft_true(transfer(contextlib.nullcontext(), outside, OUTSIDE, size)[0])
    # there may be an IGMP report
    ksft_lt(summary()["denied"], 5)


def test_counters():
    """Rules, summary, ethtool -S and vmqctl agree on what was denied."""
    wire, guest = world()
    add("direction in action deny proto udp dport 81")
    add("direction out action deny proto udp dport 82")
    before = link_stats("vm1")
    for _ in range(3):
        arrives(wire, guest, inward(dport=81))
    for _ in range(2):
        arrives(guest, wire, outward(dport=82))
    ksft_true(arrives(wire, guest, inward()))
    rules = {each["id"]: each for each in vmqctl("acl show dev vm1 rules")}
    ksft_eq((rules[1]["packets"], rules[2]["packets"]), (3, 2))
    ksft_eq(rules[1]["bytes"], 3 * 60)
    shown = summary()
    ksft_eq((shown["rules"], shown["denied"]), (2, 5))
    ksft_ge(shown["allowed"], 1)
    ksft_eq(ethtool_stats("vm1")["rx_drops_extension"], 3, "X-41")
    after = link_stats("vm1")
    ksft_eq(after["rx_dropped"] - before["rx_dropped"], 3)
    ksft_eq(after["tx_dropped"] - before["tx_dropped"], 2)
    ksft_eq(vmqctl("port show dev vm1")[0]["ext-drops"], 5)


def test_flood():
    """Broadcasts are judged for every port by itself."""
    wire, _ = world()
    port("vm2", number=2)
    other = Raw("vm2")
    defer(other.close)
    add("direction in action deny")
    with Raw("vm1") as guest:
        frame = build(b"\xff" * 6, OUTSIDE, "10.6.0.255", src=9)
        other.drain()
        ksft_true(not arrives(wire, guest, frame))
        ksft_true(other.expect(frame), "the other port has no such rule")


def test_limit():
    """More connections than max-connections: new ones are refused, counted."""
    wire, guest = world()
    add("direction out action allow")
    add("direction in action deny")
    cmd("vmqctl acl set dev vm1 max-connections 16")
    ksft_eq(summary()["max-connections"], 16)
    wire.drain()
    guest.send(*[outward(sport=2000 + number) for number in range(20)])
    ksft_eq(len(wire.all(match=lambda got: got[:6] == mac(9))), 16)
    shown = summary()
    ksft_eq((shown["connections"], shown["untracked"]), (16, 4))
    # those that are there go on
    ksft_true(arrives(wire, guest, inward(dport=2000)))
    cmd("vmqctl acl flush dev vm1 connections")
    ksft_true(arrives(guest, wire, outward(sport=2019)))


def test_refusals():
    """What is no rule is refused with a message, and nothing changes."""
    world()
    add("direction in action allow")
    before = vmqctl("acl show dev vm1")
    for text in ("direction in action deny proto icmp dport 80",
                 "direction in action deny dport 80",
                 "direction in action deny family ipv6 src 10.0.0.1",
                 "direction in action deny src 10.0.0.1 dst fd00::1",
                 "direction in action deny proto udp icmp-type 8",
                 "direction in action deny proto icmp icmp-code 8",
                 "direction in action deny proto udp tcp-flags syn",
                 "direction in action deny ethertype 100",
                 "direction in action deny src-mac 2:0:0:0:0:1/0:0:0:0:0:0",
                 "direction in action deny proto tcp tcp-flags syn/ack",
                 "direction in action deny proto tcp tcp-flags sin",
                 "direction in action deny vlan 4095"):
        status, message = fail_cmd(f"vmqctl acl add dev vm1 {text}")
        ksft_in(status, (1, 2), text)
        ksft_true(message, text)
    for text in ("acl add dev vm1 direction sideways action deny",
                 "acl add dev vm1 action deny", "acl add dev vm1",
                 "acl add dev vm1 direction in action deny src 10.0.0.1/33",
                 "acl add dev vm1 direction in action deny proto udp "
                 "dport 70000", "acl set dev vm1", "acl del dev vm1"):
        status, message = fail_cmd(f"vmqctl {text}")
        ksft_eq(status, 2, text)
        ksft_true(message, text)
    status, message = fail_cmd("vmqctl acl set dev vm1 max-connections 0")
    ksft_true(message)
    status, message = fail_cmd("vmqctl acl show dev vmq0")
    ksft_eq(status, 1)
    ksft_eq(vmqctl("acl show dev vm1"), before)


def test_raw_requests():
    """Nested attributes that are no good: refused with a message."""
    world()
    genl = Genl()
    name = UAPI["VMQ_A_EXT_PORT_NAME"]
    config = UAPI["VMQ_A_EXT_PORT_CONFIG"]
    rule = UAPI["VMQ_A_ACL_ADD"]
    direction = attr_u8(UAPI["VMQ_A_ACL_RULE_DIRECTION"], 0)
    action = attr_u8(UAPI["VMQ_A_ACL_RULE_ACTION"], 0)

    def send(data):
        genl.call(UAPI["VMQ_CMD_EXT_PORT_SET"], attr_str(2, "vm1"),
                  attr_str(name, "acl"), attr(config, data))

    for comment, data in (
            ("nothing", b""),
            ("an empty rule", nest(rule)),
            ("no action", nest(rule, direction)),
            ("direction 2", nest(rule, attr_u8(
                UAPI["VMQ_A_ACL_RULE_DIRECTION"], 2), action)),
            ("action 9", nest(rule, direction, attr_u8(
                UAPI["VMQ_A_ACL_RULE_ACTION"], 9))),
            ("source of 3 bytes", nest(rule, direction, action, attr(
                UAPI["VMQ_A_ACL_RULE_SRC"], b"abc"))),
            ("prefix too long", nest(rule, direction, action, attr(
                UAPI["VMQ_A_ACL_RULE_SRC"], bytes(4)), attr_u8(
                    UAPI["VMQ_A_ACL_RULE_SRC_LEN"], 33))),
            ("unknown attribute", nest(rule, direction, action,
                                       attr_u32(60, 1))),
            ("unknown at the top", attr_u32(77, 1)),
            ("garbage", os.urandom(40)),
            ("del of nothing", attr_u32(UAPI["VMQ_A_ACL_DEL"], 12345)),
            ("too many connections", attr_u32(
                UAPI["VMQ_A_ACL_MAX_CONNECTIONS"], 0xffffffff))):
        with ksft_raises(NlError, comment) as caught:
            send(data)
        if caught.exception:
            ksft_true(caught.exception.msg, f"{comment}: {caught.exception}")
            ksft_not_in(caught.exception.errno, (errno.EOPNOTSUPP,), comment)
    ksft_eq(summary()["rules"], 0)
    send(nest(rule, direction, action))
    ksft_eq(summary()["rules"], 1)


def test_many_rules():
    """Many rules are set, shown and go."""
    wire, guest = world()
    genl = Genl()
    number = 300
    for each in range(number):
        acl_set("vm1", acl_rule(
            IN, DENY, attr(UAPI["VMQ_A_ACL_RULE_SRC"],
                           bytes([10, 5, each >> 8, each & 255])),
            attr_u8(UAPI["VMQ_A_ACL_RULE_SRC_LEN"], 32)), genl=genl)
    ksft_eq(len(vmqctl("acl show dev vm1 rules")), number)
    ksft_true(not arrives(wire, guest, build(1, "10.5.1.43", GUEST, src=9)))
    ksft_true(arrives(wire, guest, build(1, "10.5.1.44", GUEST, src=9)))
    cmd("vmqctl acl flush dev vm1")
    ksft_eq(vmqctl("acl show dev vm1 rules"), [])


def test_module():
    """Its module is pinned while it is enabled; after that it may go."""
    wire, guest = world()
    add("direction in action deny")
    ksft_in("in use", fail_cmd("rmmod vmq_acl")[1])
    ksft_true(not arrives(wire, guest, inward()))
    cmd("vmqctl ext disable dev vmq0 name acl")
    cmd("rmmod vmq_acl")
    back = defer(load, "vmq_acl")
    ksft_true(arrives(wire, guest, inward()))
    ksft_eq([each for each in vmqctl("ext show dev vmq0")
             if each["name"] == "acl"], [])
    fail_cmd("vmqctl ext enable dev vmq0 name acl")
    back.exec()
    [shown] = [each for each in vmqctl("ext show dev vmq0")
               if each["name"] == "acl"]
    ksft_eq(shown["enabled"], 0, "X-05")
    cmd("vmqctl ext enable dev vmq0 name acl")
    ksft_eq(summary()["rules"], 0)


def test_under_traffic():
    """Rules change and the extension goes on and off while frames flow."""
    wire, guest = world()
    stop = threading.Event()
    frames = [inward(sport=each) for each in range(1, 200)]

    def send():
        while not stop.is_set():
            wire.send(*frames)

    thread = threading.Thread(target=send)
    thread.start()
    defer(stop.set)
    for _ in range(5):
        add("direction in action deny proto udp dport 80")
        cmd("vmqctl acl flush dev vm1")
        cmd("vmqctl ext disable dev vmq0 name acl")
        cmd("vmqctl ext enable dev vmq0 name acl")
    stop.set()
    thread.join()
    wait_until(lambda: arrives(wire, guest, inward()))
    ksft_pr(f"{link_stats('vm1')['rx_packets']} frames")


if __name__ == "__main__":
    ksft_main(globals())
