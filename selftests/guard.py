#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: uml-debug
"""The bundled extension guard: a guest sends from its own addresses alone.
"""

import errno
import os
import time

from lib import (UAPI, Genl, NlError, Raw, adapter, arp, attr, attr_str,
                 attr_u8, attr_u16, attr_u32, build, cmd, defer, ether,
                 ethtool_stats, ext_set, fail_cmd, ksft_eq, ksft_ge, ksft_in,
                 ksft_lt, ksft_main, ksft_not_in, ksft_raises, ksft_true,
                 link_stats, machine, nest, pair, port, restore, save, vmqctl,
                 wait_until)
from lib.frames import BROADCAST, ip4
from lib.guard import (ACK, ADVERTISE, DECLINE, DISCOVER, LEASE, NAK, OFFER,
                       OVERLOAD, RELEASE, RELEASE6, REPLY, REQUEST, REQUEST6,
                       advertise, dhcp4_in, dhcp4_out, dhcp6_in, dhcp6_out,
                       eui64, guard, icmp6, option, router, solicit)
from lib.inside import load

SLOW = machine() != "uml-plain"
GUEST, SERVER, OTHER = "10.6.0.100", "10.6.0.9", "10.6.0.8"
LOCAL = eui64(1)


def world(checks="all"):
    pair()
    adapter("vmq0", uplink="up0", rxq=8)
    port("vm1", number=1)
    ext_set("vmq0", 1, "guard")
    if checks:
        guard(f"set checks {checks}")
    made = Raw("wire0"), Raw("vm1")
    for each in made:
        defer(each.close)
    return made


def arrives(sender, receiver, frame):
    """Does a frame get through? Its tag comes in the metadata."""
    receiver.drain()
    sender.send(frame)
    if frame[12:14] == b"\x81\0":
        frame = frame[:12] + frame[16:]
    return receiver.expect(lambda got: got[:len(frame)] == frame[:len(got)]
                           and got[:14] == frame[:14],
                           0.1 if SLOW else 0.06) is not None


def outward(src=GUEST, sender=1, dst=SERVER, **options):
    return build(9, src, dst, src=sender, **options)


def summary(dev="vm1"):
    return vmqctl(f"guard show dev {dev} summary")[0]


def bindings(dev="vm1", origin=None):
    """{address: binding}"""
    return {each.get("ip") or each["mac"]: each
            for each in vmqctl(f"guard show dev {dev} bindings")
            if origin in (None, each["origin"])}


def lease(wire, guest, seconds=1000, address=GUEST, xid=7, **fields):
    """DHCP as the guest and the server see it."""
    guest.send(dhcp4_out(REQUEST, xid=xid, requested=address))
    ksft_true(arrives(wire, guest, dhcp4_in(
        ACK, xid=xid, yiaddr=address, lease=seconds, **fields)), "the answer")


def test_default():
    """X-05, X-11: enabled and not configured: no router, no DHCP server,
    everything else passes."""
    wire, guest = world(checks=None)
    [shown] = [each for each in vmqctl("ext show dev vmq0")
               if each["name"] == "guard"]
    ksft_eq((shown["enabled"], shown["class"]), (1, "filter"), "X-01")
    ksft_eq(summary()["checks"], ["ra", "dhcp-server"])
    ksft_true(arrives(guest, wire, outward()))
    ksft_true(arrives(guest, wire, ether(9, 77)), "another MAC address")
    ksft_true(not arrives(guest, wire, router(LOCAL)), "RA")
    ksft_true(not arrives(guest, wire, dhcp4_in(OFFER, dst=9)), "DHCP server")
    ksft_true(not arrives(guest, wire, dhcp6_in(ADVERTISE, "fe80::8")))
    shown = summary()
    ksft_eq((shown["drops-ra"], shown["drops-dhcp-server"]), (1, 2))
    guard("set checks none")
    ksft_true(arrives(guest, wire, router(LOCAL)), "allowed")
    ksft_true(arrives(guest, wire, dhcp4_in(OFFER, dst=9)), "allowed")


def test_mac():
    """X-20: the port's MAC address, and those of static bindings."""
    wire, guest = world("mac")
    ksft_true(arrives(guest, wire, ether(9, 1)))
    ksft_true(not arrives(guest, wire, ether(9, 2)))
    guard("add mac 52:54:00:00:00:02")
    ksft_true(arrives(guest, wire, ether(9, 2)))
    ksft_true(not arrives(guest, wire, ether(9, 2, vlan=5)), "of another VLAN")
    guard("add mac 52:54:00:00:00:02 vlan 5")
    ksft_true(arrives(guest, wire, ether(9, 2, vlan=5)))
    guard("del mac 52:54:00:00:00:02")
    ksft_true(not arrives(guest, wire, ether(9, 2)))
    cmd("ip link set vm1 address 52:54:00:00:00:07")
    ksft_true(arrives(guest, wire, ether(9, 7)), "follows the port's")
    ksft_true(not arrives(guest, wire, ether(9, 1)))
    ksft_eq(summary()["drops-mac"], 4)


def test_static():
    """Static bindings: an address, a prefix, of a MAC address, of a VLAN."""
    wire, guest = world("ipv4,ipv6")
    ksft_true(not arrives(guest, wire, outward()))
    guard(f"add ip {GUEST}")
    ksft_true(arrives(guest, wire, outward()))
    ksft_true(not arrives(guest, wire, outward(OTHER)))
    ksft_true(not arrives(guest, wire, outward(sender=2)), "of another MAC")
    ksft_true(not arrives(guest, wire, outward(vlan=5)), "of another VLAN")
    guard(f"add ip {GUEST} vlan 5 mac 52:54:00:00:00:02")
    ksft_true(arrives(guest, wire, outward(vlan=5, sender=2)))
    guard("add ip 10.7.0.0/16")
    ksft_true(arrives(guest, wire, outward("10.7.255.1")))
    ksft_true(not arrives(guest, wire, outward("10.8.0.0")))
    guard("add ip fd00:6::/64")
    ksft_true(arrives(guest, wire, outward("fd00:6::1", dst="fd00::9")))
    ksft_true(not arrives(guest, wire, outward("fd00:7::1", dst="fd00::9")))
    guard("add ip fd00:7::1")
    ksft_true(arrives(guest, wire, outward("fd00:7::1", dst="fd00::9")))
    guard("del ip fd00:6::/64")
    ksft_true(not arrives(guest, wire, outward("fd00:6::1", dst="fd00::9")))
    shown = bindings()
    ksft_eq(sorted(shown), sorted([GUEST, "10.7.0.0", "fd00:7::1"]))
    ksft_true(all(each["origin"] == "static" and "lease" not in each
                  for each in shown.values()))
    cmd("vmqctl guard flush dev vm1 static")
    ksft_eq(bindings(), {})
    ksft_true(not arrives(guest, wire, outward()))


def test_lease():
    """A lease is learned from the server's answer, renewed, given back."""
    wire, guest = world()
    ksft_true(arrives(guest, wire, dhcp4_out(DISCOVER, xid=7)), "DISCOVER")
    ksft_true(arrives(wire, guest, dhcp4_in(OFFER, xid=7, yiaddr=GUEST,
                                            lease=500)))
    ksft_eq(bindings(), {}, "an offer is no lease")
    lease(wire, guest, 500)
    [shown] = bindings().values()
    ksft_eq((shown["ip"], shown["mac"], shown["vlan"], shown["origin"]),
            (GUEST, "52:54:00:00:00:01", 0, "dhcp4"))
    ksft_in(shown["lease"], range(400, 501))
    ksft_true(arrives(guest, wire, outward()))
    ksft_true(not arrives(guest, wire, outward(OTHER)), "spoofed")
    # renewed from its address, with another number
    ksft_true(arrives(guest, wire, dhcp4_out(REQUEST, GUEST, SERVER, xid=8,
                                             ciaddr=GUEST)))
    wire.send(dhcp4_in(ACK, xid=8, yiaddr=GUEST, ciaddr=GUEST, lease=9000))
    ksft_true(wait_until(lambda: bindings()[GUEST]["lease"] > 8000))
    ksft_eq(len(bindings()), 1)
    ksft_true(arrives(guest, wire, dhcp4_out(RELEASE, GUEST, SERVER, xid=9,
                                             ciaddr=GUEST)))
    ksft_eq(bindings(), {})
    ksft_true(not arrives(guest, wire, outward()), "given back")
    lease(wire, guest)
    guest.send(dhcp4_out(DECLINE, xid=9, requested=GUEST))
    ksft_true(wait_until(lambda: not bindings()))
    lease(wire, guest, 0xffffffff)
    ksft_not_in("lease", bindings()[GUEST], "for ever")
    guest.send(dhcp4_out(REQUEST, xid=10, requested=GUEST))
    wire.send(dhcp4_in(NAK, xid=10))
    ksft_true(wait_until(lambda: not bindings()))
    ksft_eq(summary()["learned"], 4)


def test_expiry():
    """A lease that is over is not there any more."""
    wire, guest = world()
    lease(wire, guest, 2)
    ksft_true(arrives(guest, wire, outward()))
    ksft_true(wait_until(lambda: not bindings(), 20))
    ksft_true(not arrives(guest, wire, outward()))
    ksft_true(wait_until(lambda: not summary()["bindings"], 20))


def test_unasked():
    """Nobody but a server, to nobody but who asked, gives an address."""
    wire, guest = world()
    wire.send(dhcp4_in(ACK, xid=1, yiaddr=GUEST, lease=100))
    guest.send(dhcp4_out(REQUEST, xid=7, requested=GUEST))
    for frame, why in (
            (dhcp4_in(ACK, xid=8, yiaddr=GUEST, lease=100), "other number"),
            (dhcp4_in(ACK, xid=7, yiaddr=GUEST, lease=100, client=2),
             "another client"),
            (dhcp4_in(ACK, xid=7, yiaddr=GUEST), "without a lease"),
            (dhcp4_in(ACK, xid=7, lease=100), "without an address"),
            (dhcp4_in(ACK, xid=7, yiaddr="224.0.0.1", lease=100), "multicast"),
            (dhcp4_in(ACK, xid=7, yiaddr="127.0.0.1", lease=100), "loopback"),
            (dhcp4_in(ACK, xid=7, yiaddr=GUEST, lease=100, op=1), "a request"),
            (dhcp4_in(OFFER, xid=7, yiaddr=GUEST, lease=100), "an offer"),
            (dhcp4_in(ACK, xid=7, yiaddr=GUEST, lease=100,
                      more=option(LEASE, bytes(4))), "two leases"),
            (dhcp4_in(ACK, xid=7, yiaddr=GUEST, lease=100, more=b"\x0c\xff",
                      end=b""), "an option that is cut"),
            (dhcp4_in(ACK, xid=7, yiaddr=GUEST, vlan=5, lease=100),
             "another VLAN")):
        arrives(wire, guest, frame)
        ksft_eq(bindings(), {}, why)
    # the guest can't answer itself
    ksft_true(not arrives(guest, wire, dhcp4_in(ACK, dst=1, xid=7,
                                                yiaddr=GUEST, lease=100)))
    ksft_eq(bindings(), {})
    # by a relay, in an overloaded field
    arrives(wire, guest, dhcp4_in(
        ACK, xid=7, yiaddr=GUEST, giaddr="10.6.0.1",
        more=option(OVERLOAD, b"\1"), file=option(LEASE, b"\0\0\1\0")))
    ksft_in(bindings()[GUEST]["lease"], range(200, 257))


def test_other_guest():
    """A port's guest is no server for another port, and no relay."""
    wire, guest = world()
    port("vm2", number=2)
    other = Raw("vm2")
    defer(other.close)
    guest.send(dhcp4_out(REQUEST, xid=7, requested=GUEST))
    ksft_true(not arrives(other, guest, build(
        1, SERVER, "255.255.255.255", "udp", 67, 68, src=2,
        payload=dhcp4_in(ACK, xid=7, yiaddr=GUEST, lease=100)[42:])))
    ksft_eq(bindings(), {})
    ksft_eq(summary("vm2")["drops-dhcp-server"], 1)
    ksft_true(not arrives(guest, wire, dhcp4_out(DISCOVER, xid=8,
                                                 giaddr=GUEST)), "relay")
    ksft_true(not arrives(guest, wire, dhcp4_out(DISCOVER, xid=8, client=3)),
              "starvation")
    ksft_eq(summary()["drops-mac"], 1)


def test_unspecified():
    """The unspecified address is for who has none, and for nothing else."""
    wire, guest = world()
    ksft_true(not arrives(guest, wire, outward("0.0.0.0")))
    ksft_true(arrives(guest, wire, dhcp4_out(DISCOVER)))
    ksft_true(not arrives(guest, wire, dhcp4_out(DISCOVER, dst=SERVER)))
    report = ether(b"\1\0\x5e\0\0\x16", 1, 0x800, payload=ip4(
        "0.0.0.0", "224.0.0.22", 2, b"\x22" + bytes(15)))
    ksft_true(arrives(guest, wire, report), "IGMP")
    ksft_eq(summary()["drops-ipv4"], 2)


def test_fragments():
    """Every fragment has a source address; DHCP in fragments does not pass."""
    wire, guest = world()
    guard(f"add ip {GUEST}")

    def piece(src, offset, more, payload=bytes(64)):
        return ether(9, 1, 0x800, payload=ip4(
            src, SERVER, 17, payload, frag=offset | 0x2000 * more))

    ksft_true(arrives(guest, wire, piece(GUEST, 0, 1)))
    ksft_true(arrives(guest, wire, piece(GUEST, 8, 0)))
    ksft_true(not arrives(guest, wire, piece(OTHER, 8, 0)))
    ports = b"\0\x43\0\x44" + bytes(60)
    ksft_true(not arrives(guest, wire, piece(GUEST, 0, 1, ports)), "server")
    ports = b"\0\x44\0\x43" + bytes(60)
    ksft_true(not arrives(guest, wire, piece(GUEST, 0, 1, ports)), "client")
    ksft_true(not arrives(guest, wire, outward()[:16] + b"\x01\0" +
                          outward()[18:]), "cut short")
    shown = summary()
    ksft_eq((shown["drops-ipv4"], shown["drops-dhcp-server"],
             shown["drops-malformed"]), (1, 1, 2))


def test_arp():
    """ARP: the sender's addresses are those of a binding, or it probes."""
    wire, guest = world()
    guard(f"add ip {GUEST}")

    def frame(op, sha, spa, sender=1):
        return ether(BROADCAST, sender, 0x806, payload=arp(op, sha, spa, 0,
                                                           SERVER))

    ksft_true(arrives(guest, wire, frame(1, 1, GUEST)))
    ksft_true(arrives(guest, wire, frame(2, 1, GUEST)))
    ksft_true(not arrives(guest, wire, frame(1, 1, OTHER)), "spoofed")
    ksft_true(not arrives(guest, wire, frame(2, 1, OTHER)), "spoofed")
    ksft_true(not arrives(guest, wire, frame(2, 2, GUEST)), "another's MAC")
    ksft_true(arrives(guest, wire, frame(1, 1, "0.0.0.0")), "probe")
    ksft_true(not arrives(guest, wire, frame(2, 1, "0.0.0.0")))
    ksft_true(not arrives(guest, wire, ether(BROADCAST, 1, 0x806)[:30] +
                          bytes(30)), "no ARP")
    ksft_eq(summary()["drops-arp"], 4)
    # QEMU announces a guest that was moved
    rarp = ether(BROADCAST, 1, 0x8035, payload=arp(3, 1, "0.0.0.0", 1,
                                                   "0.0.0.0"))
    ksft_true(arrives(guest, wire, rarp))


def test_link_local():
    """A guest does DAD and talks DHCPv6 before it has an address; a link-local
    address is its own if it is made of its MAC address or nobody has it."""
    wire, guest = world()
    ksft_true(arrives(guest, wire, dhcp6_out(1, LOCAL)), "of its MAC address")
    for number in range(5):     # where it may take longer to look than it lasts
        talk = f"fe80::1234:{number}"
        ksft_true(not arrives(guest, wire, dhcp6_out(1, talk)), "nobody knows it")
        ksft_true(arrives(guest, wire, solicit(talk)), "DAD")
        if tentative := "tentative" in bindings()[talk]:
            break
    ksft_true(tentative)
    ksft_true(not arrives(guest, wire, dhcp6_out(1, talk))
              or "tentative" not in bindings()[talk], "too early")
    ksft_true(wait_until(lambda: "tentative" not in bindings()[talk]))
    ksft_true(arrives(guest, wire, dhcp6_out(1, talk)))
    # somebody has it already
    taken = "fe80::9"
    guest.send(solicit(taken))
    arrives(wire, guest, advertise(taken, sender=9))
    time.sleep(0.6)
    ksft_not_in(taken, bindings())
    ksft_true(not arrives(guest, wire, dhcp6_out(1, taken)))
    # what the guest has, nobody takes
    arrives(wire, guest, advertise(talk, sender=9))
    ksft_in(talk, bindings())
    for number in range(20):
        guest.send(solicit(f"fe80::{number + 1}:1"))
    ksft_true(wait_until(lambda: len(bindings(origin="dad")) == 8))
    guard("set link-local eui64")
    ksft_true(not arrives(guest, wire, solicit("fe80::77")))
    guard("set link-local any")
    ksft_true(arrives(guest, wire, dhcp6_out(1, "fe80::78")))


def test_nd():
    """Neighbour discovery claims the guest's addresses, no others."""
    wire, guest = world()
    mine, other = "fd00:6::1", "fd00:6::2"
    guard(f"add ip {mine}")
    ksft_true(arrives(guest, wire, solicit("fd00:6::9", LOCAL, lladdr=1)))
    ksft_true(arrives(guest, wire, solicit("fd00:6::9", mine, lladdr=1)))
    ksft_true(arrives(guest, wire, advertise(mine, lladdr=1)))
    ksft_true(arrives(guest, wire, advertise(mine, LOCAL, lladdr=1)))
    ksft_true(not arrives(guest, wire, advertise(other, mine, lladdr=1)))
    ksft_true(not arrives(guest, wire, advertise(mine, lladdr=9)))
    ksft_true(not arrives(guest, wire, solicit("fd00:6::9", mine, lladdr=9)))
    ksft_true(not arrives(guest, wire, solicit(other)), "DAD for another's")
    ksft_true(arrives(guest, wire, solicit(mine)), "DAD for its own")
    ksft_true(not arrives(guest, wire, solicit(other, other)), "source")
    ksft_true(not arrives(guest, wire, icmp6(136, mine, "ff02::1",
                                             bytes(4), hops=255)), "cut")
    ksft_true(not arrives(guest, wire, icmp6(
        136, mine, "ff02::1", bytes(20), hops=64)), "from another link")
    shown = summary()
    ksft_eq((shown["drops-nd"], shown["drops-ipv6"],
             shown["drops-malformed"]), (4, 1, 2))


def test_ra():
    """No router advertisements, no redirects, in whatever headers."""
    wire, guest = world("ra")
    advert = router(LOCAL)
    ksft_true(not arrives(guest, wire, advert))
    ksft_true(not arrives(guest, wire, icmp6(137, LOCAL, "ff02::1",
                                             bytes(36))))
    for header in (0, 60, 43, 44):
        hidden = bytearray(advert[:54]) + bytes([58, 0] + [0] * 6) + advert[54:]
        hidden[20] = header
        hidden[18:20] = (len(hidden) - 54).to_bytes(2, "big")
        ksft_true(not arrives(guest, wire, bytes(hidden)), f"behind {header}")
    # the chain of headers ends outside of the first fragment
    cut = bytearray(advert[:54]) + bytes([60, 0, 0, 1] + [0] * 4) + \
        bytes([58, 5] + [0] * 6)
    cut[20], cut[18:20] = 44, (16).to_bytes(2, "big")
    ksft_true(not arrives(guest, wire, bytes(cut)), "RFC 7113")
    tagged = advert[:12] + b"\x81\0\0\0\x81\0\0\0" + advert[12:]
    ksft_true(not arrives(guest, wire, tagged), "tags within tags")
    ksft_eq(summary()["drops-ra"], 6)
    ksft_true(arrives(wire, guest, router("fe80::9", 9)), "to the guest")


def test_dhcp6():
    """DHCPv6: addresses and prefixes of the server's replies, and their end."""
    wire, guest = world()
    mine = "fd00:6::100"
    guest.send(dhcp6_out(REQUEST6, LOCAL, xid=5))
    arrives(wire, guest, dhcp6_in(REPLY, LOCAL, xid=6, address=mine))
    arrives(wire, guest, dhcp6_in(REPLY, LOCAL, xid=5, address=mine, status=2))
    arrives(wire, guest, dhcp6_in(ADVERTISE, LOCAL, xid=5, address=mine))
    arrives(wire, guest, dhcp6_in(REPLY, LOCAL, xid=5, address="fe80::55"))
    ksft_eq(bindings(), {})
    arrives(wire, guest, dhcp6_in(REPLY, LOCAL, xid=5, address=mine,
                                  prefix="fd00:77::/56"))
    ksft_eq([(each["ip"], each["ip-len"], each["origin"])
             for each in bindings().values()],
            [(mine, 128, "dhcp6"), ("fd00:77::", 56, "dhcp6")])
    ksft_true(arrives(guest, wire, solicit(mine)), "DAD")
    ksft_true(arrives(guest, wire, outward(mine, dst="fd00::9")))
    ksft_true(arrives(guest, wire, outward("fd00:77:0:7::5", dst="fd00::9")))
    ksft_true(not arrives(guest, wire, outward("fd00:78::5", dst="fd00::9")))
    guest.send(dhcp6_out(RELEASE6, LOCAL, xid=8, address=mine))
    ksft_true(wait_until(lambda: len(bindings()) == 1))
    ksft_true(not arrives(guest, wire, outward(mine, dst="fd00::9")))
    guest.send(dhcp6_out(REQUEST6, LOCAL, xid=9))
    arrives(wire, guest, dhcp6_in(REPLY, LOCAL, xid=9, prefix="fd00:77::/56",
                                  valid=0))
    ksft_eq(bindings(), {}, "valid for 0 s")
    for kind in (2, 7, 10, 12, 13):
        ksft_true(not arrives(guest, wire, dhcp6_out(kind, LOCAL)),
                  f"message {kind} of a guest")


def test_limits():
    """max-bindings and rates bound what a guest can take up."""
    wire, guest = world()
    guard("set max-bindings 2")
    guard("add ip 10.6.0.1")
    lease(wire, guest)
    lease(wire, guest, address="10.6.0.101", xid=8)
    ksft_eq(sorted(bindings()), ["10.6.0.1", GUEST])
    ksft_eq(summary()["not-learned"], 1)
    lease(wire, guest, 5000, xid=9)
    ksft_ge(bindings()[GUEST]["lease"], 2000, "renewed all the same")
    _, message = fail_cmd("vmqctl guard add dev vm1 ip 10.6.0.2")
    ksft_in("max-bindings", message)
    guard("set dhcp-rate 3 arp-rate 3 nd-rate 3 max-bindings 64")
    probe = ether(BROADCAST, 1, 0x806, payload=arp(1, 1, "0.0.0.0", 0, SERVER))
    for frame in (dhcp4_out(DISCOVER, xid=3), probe, solicit(LOCAL)):
        wire.drain()
        guest.send(*[frame] * 40)
        came = wire.all(match=lambda got, want=frame: got[:14] == want[:14])
        # a burst of one second, and what a slow machine takes for the rest
        ksft_in(len(came), range(3, 30))
    ksft_ge(summary()["drops-rate"], 30)
    guard("set dhcp-rate 0 arp-rate 0 nd-rate 0")
    wire.drain()
    guest.send(*[probe] * 40)
    ksft_eq(len(wire.all(match=lambda got: got[:14] == probe[:14])), 40)


def test_snoop_off():
    """snoop off: nothing is learned, what is known stays."""
    wire, guest = world()
    lease(wire, guest)
    guard("set snoop off")
    lease(wire, guest, address="10.6.0.101", xid=8)
    guest.send(solicit("fe80::1234"))
    ksft_eq(list(bindings()), [GUEST])
    cmd("vmqctl guard flush dev vm1 learned")
    ksft_eq(bindings(), {})


def test_refusals():
    """What is no binding or setting is refused with a message, and nothing
    changes."""
    world()
    guard(f"add ip {GUEST}")
    before = vmqctl("guard show dev vm1")
    for text in (f"add dev vm1 ip {GUEST}", "del dev vm1 ip 10.6.0.7",
                 "add dev vm1 ip 224.0.0.1", "add dev vm1 ip ff02::1",
                 "add dev vm1 ip 10.6.0.1/24", "add dev vm1 ip ::",
                 "add dev vm1 mac 01:00:00:00:00:01",
                 "set dev vm1 max-bindings 0", "set dev vm1 arp-rate 5000000"):
        status, message = fail_cmd(f"vmqctl guard {text}")
        ksft_eq(status, 1, text)
        ksft_true(message, text)
    for text in ("add dev vm1", "add ip 10.0.0.1", "add dev vm1 ip 10.0.0",
                 "add dev vm1 ip 10.0.0.0/33", "add dev vm1 mac 1",
                 "add dev vm1 ip 10.0.0.1 vlan 4095", "set dev vm1",
                 "set dev vm1 checks mac,foo", "set dev vm1 snoop maybe",
                 "set dev vm1 link-local x", "flush dev vm1 all"):
        status, message = fail_cmd(f"vmqctl guard {text}")
        ksft_eq(status, 2, text)
        ksft_true(message, text)
    ksft_eq(vmqctl("guard show dev vm1"), before)


def test_raw_requests():
    """Nested attributes that are no good: all of a request is refused."""
    world()
    genl = Genl()
    ip = UAPI["VMQ_A_GUARD_BINDING_IP"]
    add, delete = UAPI["VMQ_A_GUARD_ADD"], UAPI["VMQ_A_GUARD_DEL"]
    one = nest(add, attr(ip, b"\x0a\x06\0\1"))
    two = nest(add, attr(ip, b"\x0a\x06\0\2"))

    def send(*data):
        genl.call(UAPI["VMQ_CMD_EXT_PORT_SET"], attr_str(2, "vm1"),
                  attr_str(UAPI["VMQ_A_EXT_PORT_NAME"], "guard"),
                  attr(UAPI["VMQ_A_EXT_PORT_CONFIG"], b"".join(data)))

    for comment, data in (
            ("nothing", b""), ("an empty binding", nest(add)),
            ("a short address", nest(add, attr(ip, b"\x0a"))),
            ("a long address", nest(add, attr(ip, bytes(17)))),
            ("a prefix of 33", nest(add, attr(ip, b"\x0a\0\0\0"), attr_u8(
                UAPI["VMQ_A_GUARD_BINDING_IP_LEN"], 33))),
            ("a lease", nest(add, attr(ip, b"\x0a\0\0\1"), attr_u32(
                UAPI["VMQ_A_GUARD_BINDING_LEASE"], 5))),
            ("VLAN 4095", nest(add, attr(ip, b"\x0a\0\0\1"), attr_u16(
                UAPI["VMQ_A_GUARD_BINDING_VLAN"], 4095))),
            ("unknown", attr_u32(77, 1)), ("garbage", os.urandom(40)),
            ("unknown check", attr_u32(UAPI["VMQ_A_GUARD_CHECKS"], 1 << 30)),
            ("link-local 3", attr_u8(UAPI["VMQ_A_GUARD_LINK_LOCAL"], 3)),
            ("twice", one + two + one),
            ("del of nothing", one + two + nest(
                delete, attr(ip, b"\x0a\x06\0\3"))),
            ("too many", attr_u32(UAPI["VMQ_A_GUARD_MAX_BINDINGS"], 1) +
             one + two)):
        with ksft_raises(NlError, comment) as caught:
            send(data)
        if caught.exception:
            ksft_true(caught.exception.msg, f"{comment}: {caught.exception}")
            ksft_not_in(caught.exception.errno, (errno.EOPNOTSUPP,), comment)
    ksft_eq(bindings(), {})
    ksft_eq(summary()["max-bindings"], 64)
    send(one, two, nest(delete, attr(ip, b"\x0a\x06\0\1")), one)
    ksft_eq(sorted(bindings()), ["10.6.0.1", "10.6.0.2"])
    send(attr(UAPI["VMQ_A_GUARD_FLUSH_STATIC"]), one)
    ksft_eq(sorted(bindings()), ["10.6.0.1"])


def test_many():
    """As many bindings as may be are set, shown, used and go."""
    wire, guest = world()
    genl = Genl()
    guard("set max-bindings 4096")
    for start in range(0, 4096, 512):
        data = b"".join(nest(UAPI["VMQ_A_GUARD_ADD"], attr(
            UAPI["VMQ_A_GUARD_BINDING_IP"], bytes([10, 9]) +
            (start + each).to_bytes(2, "big"))) for each in range(512))
        genl.call(UAPI["VMQ_CMD_EXT_PORT_SET"], attr_str(2, "vm1"),
                  attr_str(UAPI["VMQ_A_EXT_PORT_NAME"], "guard"),
                  attr(UAPI["VMQ_A_EXT_PORT_CONFIG"], data))
    ksft_eq(len(bindings()), 4096)
    ksft_true(arrives(guest, wire, outward("10.9.15.255")))
    ksft_true(not arrives(guest, wire, outward("10.9.16.0")))
    cmd("vmqctl guard flush dev vm1")
    ksft_eq(bindings(), {})


def test_counters():
    """X-41: causes add up to what the port says that extensions dropped."""
    wire, guest = world()
    before = link_stats("vm1")
    guard(f"add ip {GUEST}")
    arrives(guest, wire, outward())
    arrives(guest, wire, outward(OTHER))
    arrives(guest, wire, router(LOCAL))
    arrives(wire, guest, build(1, SERVER, GUEST, src=9))
    shown = summary()
    ksft_eq((shown["passed"], shown["drops-ipv4"], shown["drops-ra"]),
            (1, 1, 1))
    ksft_eq(sum(value for key, value in shown.items()
                if key.startswith("drops-")), 2)
    ksft_eq(link_stats("vm1")["tx_dropped"] - before["tx_dropped"], 2)
    ksft_eq(vmqctl("port show dev vm1")[0]["ext-drops"], 2)
    ksft_eq(ethtool_stats("vm1")["rx_drops_extension"], 0)


def test_module():
    """Its module is pinned while it is enabled; after that it may go."""
    wire, guest = world()
    ksft_in("in use", fail_cmd("rmmod vmq_guard")[1])
    lease(wire, guest)
    cmd("vmqctl ext disable dev vmq0 name guard")
    ksft_true(arrives(guest, wire, outward(OTHER)), "off: sees no frames")
    cmd("rmmod vmq_guard")
    back = defer(load, "vmq_guard")
    back.exec()
    cmd("vmqctl ext enable dev vmq0 name guard")
    ksft_eq((bindings(), summary()["checks"]), ({}, ["ra", "dhcp-server"]))


def test_state():
    """SR-27, SR-34: leases and open questions move, static bindings do not."""
    wire, guest = world()
    adapter("vmq1")
    port("vm1b", link="vmq1", number=1)
    ext_set("vmq1", 1, "guard")
    guard("set checks all", "vm1b")
    guard("add ip 10.6.0.1")
    lease(wire, guest, 1000)
    guest.send(dhcp4_out(REQUEST, GUEST, SERVER, xid=70, ciaddr=GUEST))
    stream = save("vm1")
    with Raw("vm1b") as moved:
        moved.send(outward(), outward(OTHER))
        ksft_eq(summary("vm1b")["drops-ipv4"], 2, "guarded before")
        restore("vm1b", stream)
        shown = bindings("vm1b")
        ksft_eq(list(shown), [GUEST])
        ksft_true("restored" in shown[GUEST])
        ksft_lt(shown[GUEST]["lease"], 1001)
        ksft_eq(shown[GUEST]["mac"], "52:54:00:00:00:01")
        ksft_eq(summary("vm1b")["passed"], 0)
        moved.send(outward(), outward(OTHER), outward("10.6.0.1"))
        ksft_eq(summary("vm1b")["passed"], 1)
        ksft_eq(summary("vm1b")["drops-ipv4"], 4)
    # again, into what is there; then the other way with no room
    restore("vm1b", stream)
    ksft_eq(list(bindings("vm1b")), [GUEST])
    cmd("vmqctl guard flush dev vm1b")
    guard("add ip 10.6.0.2", "vm1b")
    guard("set max-bindings 1", "vm1b")
    with ksft_raises(NlError) as caught:
        restore("vm1b", stream)
    ksft_in("max-bindings", caught.exception.msg)
    ksft_eq(list(bindings("vm1b")), ["10.6.0.2"])
    path = os.path.join(os.environ.get("TMPDIR", "/tmp"), "guard.vmq")
    with open(path, "wb") as file:
        file.write(stream)
    [told] = vmqctl(f"stream show {path}")
    records = [each for each in told["record"] if each.get("name") == "guard"]
    ksft_eq([(each["version"], each["flags"]) for each in records],
            [(1, []), (2, ["optional"])])
    [binding] = records[0]["binding"]
    ksft_eq((binding["ip"], binding["origin"]), (GUEST, "dhcp4"))
    ksft_in((70, GUEST), [(each["xid"], each["requested"])
                          for each in records[1]["transaction"]])


if __name__ == "__main__":
    ksft_main(globals())
