# SPDX-License-Identifier: GPL-2.0
"""DHCP, ARP and neighbour discovery by hand, and a guest to move about."""

import contextlib
import select
import socket
import struct
import threading

from .env import cmd
from .frames import BROADCAST, Raw, build, checksum, ether, ip6, mac, pton
from .ksft import wait_until

DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)
SOLICIT, ADVERTISE, REQUEST6, REPLY, RELEASE6 = 1, 2, 3, 7, 8
RS, RA, NS, NA, REDIRECT = range(133, 138)
LEASE, REQUESTED, OVERLOAD, TYPE = 51, 50, 52, 53
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_ALLMULTI = 263, 1, 2


# -- DHCP

def option(code, data):
    return bytes([code, len(data)]) + data


def dhcp4(kind, client=1, xid=0x1234, ciaddr="0.0.0.0", yiaddr="0.0.0.0",
          giaddr="0.0.0.0", lease=None, requested=None, more=b"", op=None,
          end=b"\xff", file=b"", sname=b""):
    """A DHCP message; answers are those of a server."""
    if op is None:
        op = 2 if kind in (OFFER, ACK, NAK) else 1
    options = option(TYPE, bytes([kind])) if kind else b""
    if lease is not None:
        options += option(LEASE, struct.pack("!I", lease))
    if requested:
        options += option(REQUESTED, pton(requested))
    return struct.pack("!BBBBIHH", op, 1, 6, 0, xid, 0, 0) + pton(ciaddr) + \
        pton(yiaddr) + bytes(4) + pton(giaddr) + \
        mac(client).ljust(16, b"\0") + sname.ljust(64, b"\0") + \
        file.ljust(128, b"\0") + b"\x63\x82\x53\x63" + options + more + end


def dhcp4_out(kind, src="0.0.0.0", dst="255.255.255.255", sender=1, vlan=None,
              **fields):
    """From a guest to a server."""
    return build(BROADCAST if dst == "255.255.255.255" else 9, src, dst,
                 "udp", 68, 67, src=sender, vlan=vlan,
                 payload=dhcp4(kind, **fields))


def dhcp4_in(kind, dst=1, server="10.6.0.9", vlan=None, **fields):
    """From a server to a guest."""
    return build(dst, server, "255.255.255.255", "udp", 67, 68, src=9,
                 vlan=vlan, payload=dhcp4(kind, **fields))


def option6(code, data):
    return struct.pack("!HH", code, len(data)) + data


def dhcp6(kind, xid=0x123456, address=None, valid=1000, prefix=None,
          status=None):
    text = bytes([kind]) + struct.pack("!I", xid)[1:]
    if address:
        text += option6(3, struct.pack("!III", 1, 0, 0) + option6(
            5, pton(address) + struct.pack("!II", valid, valid)))
    if prefix:
        where, length = prefix.split("/")
        text += option6(25, struct.pack("!III", 1, 0, 0) + option6(
            26, struct.pack("!IIB", valid, valid, int(length)) + pton(where)))
    if status is not None:
        text += option6(13, struct.pack("!H", status))
    return text


def dhcp6_out(kind, src, sender=1, **fields):
    return build(b"\x33\x33\0\1\0\2", src, "ff02::1:2", "udp", 546, 547,
                 src=sender, payload=dhcp6(kind, **fields))


def dhcp6_in(kind, dst, **fields):
    return build(1, "fe80::9", dst, "udp", 547, 546, src=9,
                 payload=dhcp6(kind, **fields))


# -- neighbour discovery

def eui64(number):
    """The link-local address that is made from a MAC address."""
    where = mac(number)
    return socket.inet_ntop(socket.AF_INET6, b"\xfe\x80" + bytes(6) + bytes(
        [where[0] ^ 2]) + where[1:3] + b"\xff\xfe" + where[3:])


def icmp6(kind, src, dst, body, sender=1, hops=255, to=b"\x33\x33\0\0\0\1"):
    data = struct.pack("!BBH", kind, 0, 0) + body
    pseudo = pton(src) + pton(dst) + struct.pack("!II", len(data), 58)
    data = data[:2] + struct.pack("!H", checksum(pseudo + data)) + data[4:]
    packet = bytearray(ip6(src, dst, 58, data))
    packet[7] = hops
    return ether(to, sender, 0x86dd, payload=bytes(packet))


def solicit(target, src="::", sender=1, lladdr=None):
    body = bytes(4) + pton(target)
    if lladdr:
        body += b"\1\1" + mac(lladdr)
    return icmp6(NS, src, "ff02::1", body, sender)


def advertise(target, src=None, sender=1, lladdr=None):
    body = b"\x20\0\0\0" + pton(target)
    if lladdr:
        body += b"\2\1" + mac(lladdr)
    return icmp6(NA, src or target, "ff02::1", body, sender)


def router(src, sender=1):
    return icmp6(RA, src, "ff02::1", struct.pack("!BBHII", 64, 0, 1800, 0, 0),
                 sender)


# -- a guest that can be moved

def plug(port):
    """A raw socket on a port that gets what a guest's ring would: a netdev has
    the multicast frames of its own groups alone, and the guest's are others."""
    raw = Raw(port)
    raw.sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, struct.pack(
        "=iHH8x", socket.if_nametoindex(port), PACKET_MR_ALLMULTI, 0))
    return raw


class Guest:
    """A network card of a guest in a namespace of its own, whose frames are
    carried to a port of the host, and to another one after move(). It counts
    the DHCP messages that the guest sends.
    """

    def __init__(self, card, port):
        self.card, self.port = Raw(card), plug(port)
        self.asked = self.rounds = 0
        self.ended = False
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    @staticmethod
    def is_dhcp(frame):
        return frame[12:14] == b"\x08\0" and frame[23] == 17 and \
            frame[36:38] == b"\0\x43" or \
            frame[12:14] == b"\x86\xdd" and frame[20] == 17 and \
            frame[56:58] == b"\x02\x23"

    def run(self):
        while not self.ended:
            self.rounds += 1
            with self.lock:
                card, port = self.card, self.port
            ready = select.select([card.sock, port.sock], [], [], 0.05)[0]
            for source, target in ((card, port), (port, card)):
                if source.sock not in ready:
                    continue
                frame = source.recv(0)
                if frame is None:
                    continue
                if source is card and self.is_dhcp(frame):
                    self.asked += 1
                with contextlib.suppress(OSError):
                    target.send(frame)

    def move(self, port):
        """The guest stops here and goes on there."""
        with self.lock:
            old, self.port = self.port, plug(port)
            rounds = self.rounds
        # the round that goes on now may still have the old one
        wait_until(lambda: self.rounds > rounds + 1)
        old.close()

    def close(self):
        self.ended = True
        self.thread.join(5)
        self.card.close()
        self.port.close()


def dnsmasq(place, bridge, *ranges):
    """The command line of a DHCP server that says what it does on stderr."""
    return ["dnsmasq", "--conf-file=/dev/null", "--no-daemon", "--port=0",
            "--user=root", "--group=root", f"--interface={bridge}",
            "--except-interface=lo", "--bind-interfaces", "--no-ping",
            "--log-dhcp", "--log-facility=-", "--no-hosts", "--no-resolv",
            f"--dhcp-leasefile={place}/leases", f"--pid-file={place}/pid",
            *[f"--dhcp-range={each}" for each in ranges]]


def guard(text, dev="vm1"):
    verb, _, rest = text.partition(" ")
    return cmd(f"vmqctl guard {verb} dev {dev} {rest}")
