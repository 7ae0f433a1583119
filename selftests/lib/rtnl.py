# SPDX-License-Identifier: GPL-2.0
"""Links by rtnetlink, without starting ip(8): that is slow in a test machine."""

import socket
import struct

from .netlink import Netlink, NLM_F_CREATE, NLM_F_EXCL, align4, attr, \
    attr_str, attr_u32, nest, parse_attrs

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_NEWADDR = 16, 17, 18, 20
RTM_NEWNEIGH = 28
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK = 1, 3, 4, 5
IFLA_MASTER, IFLA_LINKINFO, IFLA_STATS64 = 10, 18, 23
IFLA_NET_NS_FD, IFLA_NUM_TX_QUEUES, IFLA_NUM_RX_QUEUES = 28, 31, 32
IFLA_CARRIER, IFLA_OPERSTATE, IFLA_LINK_NETNSID = 33, 16, 37
IFLA_TXQLEN = 13
IFF_UP, IFF_PROMISC, IFF_ALLMULTI, IFF_LOWER_UP = 1, 0x100, 0x200, 0x10000
IFF_RUNNING = 0x40
VETH_INFO_PEER = 1

STATS = ("rx_packets tx_packets rx_bytes tx_bytes rx_errors tx_errors "
         "rx_dropped tx_dropped multicast").split()


def _mac(text):
    return bytes.fromhex(text.replace(":", ""))


class Rtnl(Netlink):
    """A rtnetlink socket in the network namespace of the caller."""

    @staticmethod
    def index(name):
        return socket.if_nametoindex(name)

    @staticmethod
    def _header(index=0, flags=0, change=0):
        return struct.pack("=BxHiII", 0, 0, index, flags, change)

    def link_attrs(self, link=None, address=None, mtu=None, rxq=None, txq=None,
                   netns_fd=None, txqlen=None):
        out = b""
        if address:
            out += attr(IFLA_ADDRESS, _mac(address))
        if mtu:
            out += attr_u32(IFLA_MTU, mtu)
        if link:
            out += attr_u32(IFLA_LINK, self.index(link))
        if rxq:
            out += attr_u32(IFLA_NUM_RX_QUEUES, rxq)
        if txq:
            out += attr_u32(IFLA_NUM_TX_QUEUES, txq)
        if netns_fd is not None:
            out += attr_u32(IFLA_NET_NS_FD, netns_fd)
        if txqlen:
            out += attr_u32(IFLA_TXQLEN, txqlen)
        return out

    def add_payload(self, name, kind, data=b"", **options):
        info = attr_str(1, kind) + (nest(2, data) if data else b"")
        return self._header() + attr_str(IFLA_IFNAME, name) + \
            self.link_attrs(**options) + nest(IFLA_LINKINFO, info)

    def add(self, name, kind, data=b"", **options):
        """ip link add NAME type KIND"""
        self.request(RTM_NEWLINK, self.add_payload(name, kind, data, **options),
                     NLM_F_CREATE | NLM_F_EXCL)

    def add_veth(self, name, peer, mtu=None):
        inner = self._header() + attr_str(IFLA_IFNAME, peer) + \
            (attr_u32(IFLA_MTU, mtu) if mtu else b"")
        self.add(name, "veth", attr(VETH_INFO_PEER, inner), mtu=mtu)

    def delete(self, name):
        self.request(RTM_DELLINK, self._header(self.index(name)))

    def set(self, name, up=None, master=None, newname=None, promisc=None,
            allmulti=None, carrier=None, **options):
        """ip link set NAME ...; master "" is nomaster"""
        flags = change = 0
        for value, bit in ((up, IFF_UP), (promisc, IFF_PROMISC),
                           (allmulti, IFF_ALLMULTI)):
            if value is not None:
                change |= bit
                flags |= bit if value else 0
        payload = self._header(self.index(name), flags, change) + \
            self.link_attrs(**options)
        if master is not None:
            payload += attr_u32(IFLA_MASTER, self.index(master) if master
                                else 0)
        if newname:
            payload += attr_str(IFLA_IFNAME, newname)
        if carrier is not None:
            payload += attr(IFLA_CARRIER, bytes([carrier]))
        self.request(RTM_NEWLINK, payload)

    def up(self, *names):
        for name in names:
            self.set(name, up=True)

    def get(self, name):
        """What is known of a link, as a dictionary."""
        payload = self.request(RTM_GETLINK, self._header() +
                               attr_str(IFLA_IFNAME, name))[0]
        _, index, flags, _ = struct.unpack_from("=BxHiII", payload)[1:5]
        attributes = dict(parse_attrs(payload[16:]))
        found = {"ifindex": index, "flags": flags,
                 "address": attributes[IFLA_ADDRESS].hex(":"),
                 "mtu": struct.unpack("=I", attributes[IFLA_MTU])[0],
                 "master": struct.unpack("=I", attributes.get(
                     IFLA_MASTER, b"\0\0\0\0"))[0],
                 "carrier": attributes.get(IFLA_CARRIER, b"\1")[0],
                 "operstate": attributes[IFLA_OPERSTATE][0],
                 "up": bool(flags & IFF_UP)}
        found["stats"] = dict(zip(STATS, struct.unpack_from(
            f"={len(STATS)}Q", attributes[IFLA_STATS64])))
        return found

    def exists(self, name):
        try:
            self.index(name)
        except OSError:
            return False
        return True

    def addr(self, name, address, prefix):
        """ip addr add ADDRESS/PREFIX dev NAME (nodad)"""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        data = socket.inet_pton(family, address)
        flags = 0x02 if family == socket.AF_INET6 else 0      # IFA_F_NODAD
        self.request(RTM_NEWADDR, struct.pack(
            "=BBBBi", family, prefix, flags, 0, self.index(name)) +
            attr(2, data) + attr(1, data), NLM_F_CREATE | NLM_F_EXCL)

    def neigh(self, name, address, lladdr):
        """ip neigh add ADDRESS lladdr LLADDR dev NAME nud permanent"""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.request(RTM_NEWNEIGH, struct.pack(
            "=BxxxiHBB", family, self.index(name), 0x80, 0, 0) +
            attr(1, socket.inet_pton(family, address)) + attr(2, _mac(lladdr)),
            NLM_F_CREATE)


assert align4(5) == 8
