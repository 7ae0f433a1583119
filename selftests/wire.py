#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Real NICs as uplinks: an igb and a virtio-net, each in its turn eth0, with
lib/outside.py at the other end of the cable."""
# machines: qemu

import contextlib
import json
import os
import re
import select
import socket
import struct
import time

from lib import (KsftFailEx, NetNS, Raw, Rtnl, arp, defer, ether, ethtool,
                 ethtool_stats, icmp4, ip, ip4, ksft_eq, ksft_in, ksft_main,
                 ksft_not_in, ksft_true, link_info, link_stats, mac,
                 read_file, rules, run, set_sysctl, udp, vmqctl, wait_until)
from lib.frames import _l4, ETH_P_ARP, ETH_P_IP
from lib.ksft import Patience
from switch import good_checksum

DRIVERS = {"igb": "igb", "virtio": "virtio_net"}
NUMBERS = {"igb": 0, "virtio": 1}          # see MACHINES in selftests/run
ALL = b"\xff" * 6
HOST, GUEST, THEM = "10.9.0.1", "10.9.0.2", "10.9.0.99"
OTHER = 0x99                               # last part of an address outside
SOL_UDP, UDP_SEGMENT = 17, 103
# a line of the contract for each, run as they are written there
SHOWN = """\
ip link add vmq0 type vmq
ip link set eth0 master vmq0
ip link add link vmq0 name vm1 address 52:54:00:00:00:01 type vmqport
ethtool -N vmq0 flow-type ether dst 52:54:00:00:00:02 vlan 10 action 5
ethtool -n vmq0
ethtool -S vmq0
ip -d link show vm1
""".splitlines()


# -- the other end

class Outside:
    """Asks lib/outside.py, by files."""

    place = os.path.join(os.environ.get("VMQ_OUT", "/nowhere"), "outside")
    number = 0

    def __init__(self, wire):
        self.wire = wire
        if not wait_until(lambda: os.path.exists(f"{self.place}/ready"), 60):
            raise KsftFailEx("nobody is outside: start it by selftests/run")

    def ask(self, **request):
        Outside.number += 1
        base = f"{self.place}/{os.getpid()}-{Outside.number:06}"
        with open(base + ".new", "w", encoding="ascii") as stream:
            json.dump({"wire": self.wire, **request}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(base + ".new", base + ".request")
        if not wait_until(lambda: os.path.exists(base + ".answer"), 90, 0.01):
            raise KsftFailEx(f"no answer from outside to {request['op']}")
        with open(base + ".answer", encoding="ascii") as stream:
            answer = json.load(stream)
        if "error" in answer:
            raise KsftFailEx(answer["error"])
        return [bytes.fromhex(frame) for frame in answer["frames"]]

    def send(self, *frames):
        self.ask(op="send", frames=[frame.hex() for frame in frames])

    def take(self):
        """What came since the last time."""
        return self.ask(op="take")

    def expect(self, match, count=1, timeout=15):
        """The frames for which match() is true, at least `count` in time."""
        found = []

        def enough():
            found.extend(frame for frame in self.take() if match(frame))
            return len(found) >= count

        wait_until(enough, timeout, 0.05)
        return found


# -- this end

class Cable:
    """The contract's set-up over eth0, which is the NIC of this driver."""

    def __init__(self, kind, lines=SHOWN[:4], up=True):
        self.outside = Outside(NUMBERS[kind])
        self.rtnl = Rtnl()
        self.become_eth0(DRIVERS[kind])
        self.mac = mac(link_info("eth0")["address"])
        self.raw = {}
        self.texts = [self.do(line) for line in lines]
        if not up:
            return
        self.up("vmq0", "vm1")
        for name in ("vmq0", "vm1"):
            self.raw[name] = Raw(name)
            defer(self.raw[name].close)
        self.outside.take()

    def become_eth0(self, driver):
        """Renames it; the other one is eth9 for the time of the test."""
        for name in sorted(os.listdir("/sys/class/net")):
            path = f"/sys/class/net/{name}/device/driver"
            if os.path.exists(path) and \
                    os.path.basename(os.readlink(path)) == driver:
                break
        else:
            raise KsftFailEx(f"no NIC of {driver}")
        if name != "eth0":
            self.rename("eth0", "eth9")
            self.rename(name, "eth0")
        ksft_eq(re.search(r"driver: (\S+)", ethtool("-i eth0"))[1], driver)
        self.rtnl.set("eth0", up=False)

    def rename(self, old, new):
        self.rtnl.set(old, up=False)
        self.rtnl.set(old, newname=new)
        defer(self.rtnl.set, new, newname=old)

    def do(self, line):
        """Runs one; its output. ethtool -N tells by words that it failed."""
        done = run(line)
        ksft_eq(done.returncode, 0, f"{line}: {done.stderr}")
        ksft_eq(done.stderr, "", line)
        if line.startswith("ip link add"):
            name = "vm1" if "vm1" in line else "vmq0"
            defer(self.delete, name)
            with contextlib.suppress(OSError):
                set_sysctl(f"net/ipv6/conf/{name}/disable_ipv6", 1)
                set_sysctl("net/ipv6/conf/eth0/disable_ipv6", 1)
        return done.stdout

    def delete(self, name):
        with contextlib.suppress(OSError):
            self.rtnl.delete(name)

    def up(self, *names):
        self.rtnl.up(*names)
        for name in names:
            ksft_true(wait_until(lambda: link_info(name)["operstate"] == 6,
                                 60), f"{name} has a carrier")

    def send(self, *frames, quiet=0.2):
        """Sends; -> {queue: how many more came}, once nothing comes any more.

        The NIC may keep them out; a frame after them, for the adapter itself,
        tells that all are through.
        """
        for each in self.raw.values():
            each.drain()
        before = ethtool_stats("vmq0")
        last = b"last %d" % time.monotonic_ns()
        with Raw("vmq0") as raw:
            self.outside.send(*frames, ether(self.mac, OTHER, payload=last))
            ksft_true(raw.expect(lambda got: last in got, 60),
                      "the last one came")
        # a NIC may have its own opinion of their order
        count, patience = -1, Patience(quiet)
        while not patience.over():
            if (now := sum(self.delta(before).values())) != count:
                count, patience = now, Patience(quiet)
            time.sleep(0.03)
        found = self.delta(before)
        found[0] = found.get(0, 0) - 1
        return {queue: number for queue, number in found.items() if number}

    @staticmethod
    def delta(before):
        after = ethtool_stats("vmq0")
        found = {}
        for name in after:
            if match := re.fullmatch(r"rx_queue_(\d+)_packets", name):
                if after[name] != before.get(name, 0):
                    found[int(match[1])] = after[name] - before.get(name, 0)
        return found

    def who(self, text):
        """Who has got frames with this text: {name: how many}"""
        got = {name: len(each.all(0.05, lambda frame: text in frame))
               for name, each in self.raw.items()}
        return {name: number for name, number in got.items() if number}


def namespace(cable):
    """vm1 in a network namespace, as the guest GUEST."""
    guest = NetNS()
    cable.raw.pop("vm1").close()
    cable.rtnl.set("vm1", netns_fd=guest.fd)
    with guest:
        set_sysctl("net/ipv6/conf/vm1/disable_ipv6", 1)
        Rtnl().up("vm1")
        Rtnl().addr("vm1", GUEST, 24)
    return guest


# -- the tests, once for each NIC

def shows(kind):
    """The contract's own lines behave as it says (section 2)."""
    cable = Cable(kind, SHOWN, up=False)
    *_, added, listed, stats, shown = cable.texts
    location = re.search(r"Added rule with ID (\d+)", added)
    ksft_true(location, added)
    location = location and location[1]

    eth0, vmq0, vm1 = map(link_info, ("eth0", "vmq0", "vm1"))
    ksft_eq(eth0["master"], vmq0["ifindex"])
    ksft_true(eth0["up"], "attaching brings it up")
    ksft_eq(vmq0["address"], eth0["address"])
    ksft_eq(vmq0["mtu"], eth0["mtu"])
    ksft_eq(vm1["mtu"], eth0["mtu"])
    [adapter] = vmqctl("adapter show dev vmq0")
    ksft_eq(adapter["uplink"], "eth0")
    [port] = vmqctl("port show dev vm1")
    ksft_eq(port["queues"], [1], "the lowest free queue")

    # -n: exactly what was set
    ksft_in(f"Filter: {location}", listed)
    rule = listed.partition(f"Filter: {location}\n")[2].partition("Filter:")[0]
    for line in ("Flow Type: Raw Ethernet", "Dest MAC addr: 52:54:00:00:00:02",
                 "VLAN: 0xa mask: 0x0", "Action: Direct to queue 5"):
        ksft_in(line, rule)
    ksft_in(int(location), rules("vmq0"))
    # -S: a line for each queue, and drops by cause
    for queue in (0, 1, 5):
        for what in ("packets", "bytes", "drops"):
            ksft_true(re.search(rf"^\s+rx_queue_{queue}_{what}: \d+$", stats,
                                re.M), f"queue {queue}, {what}")
    ksft_in("rx_drops_no_reader:", stats)
    # -d link show: the port, its adapter, its kind
    ksft_true(re.search(r"^\d+: vm1@vmq0: <", shown), shown)
    ksft_in("link/ether 52:54:00:00:00:01 ", shown)
    ksft_true(re.search(r"^\s+vmqport\b", shown, re.M), shown)

    # and away again
    ip("link set eth0 nomaster")
    ksft_eq(link_info("eth0")["master"], 0)
    ksft_true(not link_info("eth0")["up"], "as it was before")
    ip("link del vmq0")
    ksft_true(not cable.rtnl.exists("vm1"), "its ports go with it")


def queues(kind):
    """Frames from outside land on the named queues, and on no other (R-01)."""
    cable = Cable(kind)
    for text, count, frame, queue, where in (
            (b"port", 7, {"dst": 1}, 1, "vm1"),
            (b"prio tag", 3, {"dst": 1, "vlan": 0, "prio": 5}, 1, "vm1"),
            (b"vlan 10", 9, {"dst": 2, "vlan": 10}, 5, "vmq0"),
            (b"own", 5, {"dst": cable.mac}, 0, "vmq0")):
        got = cable.send(*[ether(src=OTHER, payload=text, **frame)] * count)
        ksft_eq(got, {queue: count}, f"R-01: {text}")
        ksft_eq(cable.who(text), {where: count}, f"R-01: {text}")
    # all at once
    got = cable.send(*[ether(1, OTHER), ether(2, OTHER, vlan=10),
                       ether(cable.mac, OTHER)] * 20)
    ksft_eq(got, {0: 20, 1: 20, 5: 20})


def unmatched(kind):
    """What no filter matches lands on queue 0 (Q-04)."""
    cable = Cable(kind)
    got = cable.send(*[ether(ALL, OTHER, payload=b"to all")] * 4)
    ksft_eq(got.get(0), 4, "Q-04: broadcast")
    ksft_not_in(5, got)
    ksft_eq(cable.who(b"to all"), {"vmq0": 4, "vm1": 4}, "O-46")

    cable.rtnl.set("vmq0", promisc=True)
    for name, frame in (("unknown", {"dst": 0x77}),
                        ("unknown in a VLAN", {"dst": 0x77, "vlan": 10}),
                        ("other VLAN", {"dst": 2, "vlan": 11}),
                        ("no VLAN", {"dst": 2}),
                        ("VLAN 0", {"dst": 2, "vlan": 0}),
                        ("priority: the whole tag", {"dst": 2, "vlan": 10,
                                                     "prio": 3}),
                        ("the port's, in a VLAN", {"dst": 1, "vlan": 10})):
        text = name.encode()
        got = cable.send(*[ether(src=OTHER, payload=text, **frame)] * 3)
        ksft_eq(got, {0: 3}, f"Q-04: {name}")
        ksft_eq(cable.who(text), {"vmq0": 3}, f"Q-04: {name}")
    # and what has a filter still goes to its queue
    ksft_eq(cable.send(ether(1, OTHER), ether(2, OTHER, vlan=10)),
            {1: 1, 5: 1})


def address_filter(kind):
    """The NIC's own filters follow the rules: nothing is promiscuous."""
    cable = Cable(kind)

    def arrives(number, **options):
        """How many of three frames pass the NIC, to whatever queue."""
        return sum(cable.send(*[ether(number, OTHER, **options)] * 3).values())

    ksft_true(not int(read_file("/sys/class/net/eth0/flags"), 16) & 0x100,
              "not promiscuous")
    ksft_eq(arrives(1), 3, "the port's")
    ksft_eq(arrives(2, vlan=10), 3, "the rule's")
    ksft_eq(arrives(0x77), 0, "nobody's")
    if kind == "igb":
        ksft_eq(arrives(2, vlan=11), 0, "nobody's VLAN")
    # the port's address moves (not from :01, which is in one group of igb's
    # multicast hash with 224.0.0.1)
    for number in (0x0b, 0x0a):
        ip(f"link set vm1 address 52:54:00:00:00:{number:02x}")
        ksft_eq(arrives(number), 3, "the new one")
    ksft_eq(arrives(0x0b), 0, "the old one")
    # a rule goes
    [location] = [each for each in rules("vmq0") if "52:54:00:00:00:02" in
                  ethtool(f"-n vmq0 rule {each}")]
    ethtool(f"-N vmq0 delete {location}")
    ksft_eq(arrives(2), 0, "a rule that is gone")
    ksft_eq(arrives(2, vlan=10), 0, "a rule that is gone")
    # a rule comes, for VLANs that were not there
    ethtool("-N vmq0 flow-type ether dst 52:54:00:00:00:03 vlan 12 m 0xf000 "
            "action 6")
    ksft_eq(cable.send(ether(3, OTHER, vlan=12, prio=2)), {6: 1})
    # promiscuous for as long as vmq0 is
    cable.rtnl.set("vmq0", promisc=True)
    ksft_eq(arrives(0x77), 3, "promiscuous")
    cable.rtnl.set("vmq0", promisc=False)
    ksft_eq(arrives(0x77), 0, "not any more")
    # detached and attached again: told everything anew
    ip("link set eth0 nomaster")
    ip("link set eth0 master vmq0")
    cable.up("vmq0")
    ksft_eq(arrives(10), 3)
    ksft_eq(arrives(3, vlan=12), 3)
    ksft_eq(arrives(0x77), 0)


def sending(kind):
    """Frames of the port and of the host arrive outside as they were sent."""
    cable = Cable(kind)
    for name, source in (("vm1", 1), ("vmq0", cable.mac)):
        for options in ({}, {"vlan": 10}, {"vlan": 20, "prio": 6}):
            frames = [ether(OTHER, source, payload=b"%s %d" % (
                name.encode(), number), **options) for number in range(5)]
            cable.raw[name].send(*frames)
            got = cable.outside.expect(
                lambda frame: frame[:6] == mac(OTHER), 5)
            ksft_eq(got, frames, f"T-09: {name} {options}")
    # broadcast: outside and to the other one
    text = b"from the port to all"
    cable.raw["vmq0"].drain()
    cable.raw["vm1"].send(ether(ALL, 1, payload=text))
    ksft_eq(len(cable.outside.expect(lambda frame: text in frame)), 1)
    ksft_eq(cable.who(text), {"vmq0": 1})
    # between the two: not outside
    text = b"stays inside"
    cable.raw["vm1"].send(ether(cable.mac, 1, payload=text))
    cable.raw["vmq0"].send(ether(OTHER, cable.mac, payload=b"after"))
    seen = cable.outside.expect(lambda frame: True)
    ksft_true(any(b"after" in frame for frame in seen))
    ksft_true(not any(text in frame for frame in seen), "not outside")
    ksft_eq(cable.who(text), {"vmq0": 1})


def question(target, target_mac, vlan=None):
    """ARP request and ping from THEM."""
    data = icmp4(ident=7, seq=1)
    return (ether(ALL, OTHER, ETH_P_ARP, vlan=vlan, payload=arp(
                1, OTHER, THEM, bytes(6), target)),
            ether(target_mac, OTHER, ETH_P_IP, vlan=vlan,
                  payload=ip4(THEM, target, 1, data)))


def answered(cable, target, target_mac, vlan=None):
    """Does somebody outside get both answers, in the VLAN of the questions?"""
    cable.outside.take()
    cable.outside.send(*question(target, target_mac, vlan))
    at = 18 if vlan is not None else 14
    want_arp = ether(OTHER, target_mac, ETH_P_ARP, vlan=vlan, payload=arp(
        2, target_mac, target, OTHER, THEM))[:at + 28]
    found = cable.outside.expect(
        lambda frame: frame[:12] == mac(OTHER) + mac(target_mac), 2)
    ksft_true(any(frame[:len(want_arp)] == want_arp for frame in found),
              f"ARP, {[frame.hex() for frame in found]}")
    ksft_true(any(frame[at - 2:at] == b"\x08\0" and frame[at + 9] == 1
                  and frame[at + 20] == 0 and frame[12:at - 2] == want_arp[
                      12:at - 2] for frame in found),
              f"ping, {[frame.hex() for frame in found]}")


def stacks(kind):
    """The host's stack and the guest's talk with the outside, tagged too."""
    cable = Cable(kind)
    guest = namespace(cable)
    cable.rtnl.addr("vmq0", HOST, 24)
    ip("link add link vmq0 name vmq0.20 type vlan id 20")
    defer(cable.delete, "vmq0.20")
    cable.rtnl.addr("vmq0.20", "10.9.20.1", 24)
    cable.up("vmq0.20")
    answered(cable, HOST, cable.mac)
    answered(cable, GUEST, mac(1))
    # the VLAN device sends with its tag, and hears its own
    them = "10.9.20.99"
    cable.rtnl.neigh("vmq0.20", them, "52:54:00:00:00:99")
    with contextlib.closing(socket.socket(
            socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        sock.bind(("10.9.20.1", 7000))
        cable.outside.take()
        sock.sendto(b"in VLAN 20", (them, 7001))
        [frame] = cable.outside.expect(lambda each: b"in VLAN 20" in each) \
            or [b""]
        ksft_eq(frame[:18], mac(OTHER) + cable.mac + b"\x81\0\0\x14\x08\0",
                "T-09")
        ksft_true(good_checksum(frame[:12] + frame[16:]))
        cable.outside.send(ether(cable.mac, OTHER, ETH_P_IP, 20, payload=ip4(
            them, "10.9.20.1", 17, udp(them, "10.9.20.1", 7001, 7000,
                                       b"back in VLAN 20"))))
        ksft_true(select.select([sock], [], [], 5)[0])
        sock.setblocking(False)
        ksft_eq(sock.recv(100), b"back in VLAN 20")
    # large segments of the guest leave in frames that fit, sums right; the igb
    # of QEMU takes UDP segmentation for fragmentation, so the core does it
    run("ethtool -K eth0 tx-udp-segmentation off")
    defer(run, "ethtool -K eth0 tx-udp-segmentation on")
    with guest:
        Rtnl().neigh("vm1", THEM, "52:54:00:00:00:99")
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with contextlib.closing(sock):
        sock.setsockopt(SOL_UDP, UDP_SEGMENT, 1200)
        data = bytes(range(250)) * 20
        cable.outside.take()
        sock.sendto(data, (THEM, 7002))
    found = cable.outside.expect(
        lambda frame: frame[36:38] == struct.pack("!H", 7002), 5)
    ksft_eq([len(frame) for frame in found], [1242] * 4 + [242])
    ksft_eq(b"".join(frame[42:] for frame in found), data)
    ksft_true(all(good_checksum(frame) for frame in found))


def tcp_segments(kind):
    """A TCP connection of the guest with the outside; what it sends in large
    segments arrives in frames that fit, sums right."""
    cable = Cable(kind)
    guest = namespace(cable)
    with guest:
        Rtnl().neigh("vm1", THEM, "52:54:00:00:00:99")
        sock = socket.socket()
    defer(sock.close)
    sock.setblocking(False)
    cable.outside.take()
    sock.connect_ex((THEM, 80))

    def segments(count):
        return [frame[:14 + struct.unpack("!H", frame[16:18])[0]]
                for frame in cable.outside.expect(
                    lambda frame: frame[:12] == mac(OTHER) + mac(1) and
                    frame[12:14] == b"\x08\0" and frame[23] == 6, count)]

    def reply(flags, seq, ack):
        header = struct.pack("!HHIIBBHHHBBH", 80, sport, seq, ack, 0x60, flags,
                             65535, 0, 0, 2, 4, 1460)        # with an MSS
        cable.outside.send(ether(1, OTHER, ETH_P_IP, payload=ip4(
            THEM, GUEST, 6, _l4(THEM, GUEST, 6, header, 16))))

    syn = segments(1)
    if not syn:
        raise KsftFailEx("no SYN came outside")
    ksft_true(good_checksum(syn[0]))
    sport, = struct.unpack("!H", syn[0][34:36])
    start, = struct.unpack("!I", syn[0][38:42])
    reply(0x12, 1000, (start + 1) & 0xffffffff)
    ksft_true(select.select([], [sock], [], 20)[1])
    ksft_eq(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0)
    data = bytes(range(256)) * 45                     # 8 of the initial window
    ksft_eq(sock.send(data), len(data))
    found = {}
    patience = Patience(20, 1)
    while sum(map(len, found.values())) < len(data) and not patience.over():
        for frame in segments(1):
            ksft_true(good_checksum(frame), "checksum")
            ksft_true(len(frame) <= 1514, f"{len(frame)} bytes")
            head = 34 + (frame[46] >> 4) * 4
            seq, = struct.unpack("!I", frame[38:42])
            if frame[head:]:
                found[(seq - start - 1) & 0xffffffff] = frame[head:]
    ksft_eq(b"".join(found[at] for at in sorted(found)), data)


def link_down(kind):
    """eth0 down: no carrier above; up again: everything works again."""
    cable = Cable(kind)
    cable.rtnl.set("eth0", up=False)
    ksft_true(wait_until(lambda: link_info("vm1")["operstate"] != 6, 20))
    cable.up("eth0", "vmq0", "vm1")
    ksft_eq(cable.send(*[ether(1, OTHER)] * 3, *[ether(
        2, OTHER, vlan=10)] * 2), {1: 3, 5: 2})
    stats = link_stats("vm1")
    ksft_eq(stats["rx_packets"], 3)


def test_igb_shows():
    shows("igb")


def test_igb_queues():
    queues("igb")


def test_igb_unmatched():
    unmatched("igb")


def test_igb_address_filter():
    address_filter("igb")


def test_igb_sending():
    sending("igb")


def test_igb_stacks():
    stacks("igb")


def test_igb_tcp_segments():
    tcp_segments("igb")


def test_igb_link_down():
    link_down("igb")


def test_virtio_shows():
    shows("virtio")


def test_virtio_queues():
    queues("virtio")


def test_virtio_unmatched():
    unmatched("virtio")


def test_virtio_address_filter():
    address_filter("virtio")


def test_virtio_sending():
    sending("virtio")


def test_virtio_stacks():
    stacks("virtio")


def test_virtio_tcp_segments():
    tcp_segments("virtio")


def test_virtio_link_down():
    link_down("virtio")


if __name__ == "__main__":
    ksft_main(globals())
