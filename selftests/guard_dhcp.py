#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: uml-plain
"""The extension guard with a real DHCP server and real clients: a guest has a
lease, moves, goes on, and can't claim to be somebody else at any moment.
"""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import threading

from lib import (KsftFailEx, KsftSkipEx, NetNS, Raw, Rtnl, adapter, arp, build,
                 cmd, defer, ether, ext_set, ksft_eq, ksft_ge, ksft_in,
                 ksft_lt, ksft_main, ksft_not_in, ksft_pr, ksft_true, machine,
                 pair, port, restore, run, save, set_sysctl, vmqctl, wait_until)
from lib.frames import BROADCAST
from lib.guard import Guest, dnsmasq, eui64, guard, router

SLOW = 4 if machine() == "uml-debug" else 1
CARD = "52:54:00:00:00:01"
SERVER, SERVER6, OTHER = "10.6.0.1", "fd00:6::1", "10.6.0.77"

UDHCPC = """#!/bin/sh
case $1 in
bound|renew) ip addr replace $ip/24 dev $interface ;;
esac
echo "$1 $ip" >>{place}/client
"""
DHCLIENT = """#!/bin/sh
case $reason in
BOUND6|RENEW6|REBIND6)
	ip -6 addr replace $new_ip6_address/64 dev $interface
	echo "$reason $new_ip6_address" >>{place}/client ;;
esac
exit 0
"""


class World:
    """Two adapters on one link with a DHCP server, and a guest's namespace."""

    def __init__(self):
        self.place = tempfile.mkdtemp()
        self.outside, self.inside = NetNS(), NetNS()
        rtnl = Rtnl()
        for number in (0, 1):
            pair(f"up{number}", f"wire{number}")
            adapter(f"vmq{number}", uplink=f"up{number}")
            rtnl.set(f"wire{number}", netns_fd=self.outside.fd)
            ext_set(f"vmq{number}", 1, "guard")
        port("vm1", number=1)
        port("vm1b", link="vmq1", number=1)
        with self.outside:
            # the wires at both hosts are one link
            cmd("ip link add br0 type bridge")
            for number in (0, 1):
                cmd(f"ip link set wire{number} up master br0")
            cmd(f"ip addr add {SERVER}/24 dev br0")
            cmd(f"ip -6 addr add {SERVER6}/64 dev br0 nodad")
            cmd("ip link set br0 up")
            # what is carried to the guest has no checksums left to fill in
            cmd("ethtool -K br0 tx off gso off tso off")
        pair("card", "carrier")
        rtnl.set("card", netns_fd=self.inside.fd)
        with self.inside:
            cmd(f"ip link set card address {CARD}")
            cmd("ethtool -K card tx off gso off tso off")
        self.guest = self.card = None

    def start(self):
        """The guest's card gets its cable."""
        with self.inside:
            set_sysctl("net/ipv6/conf/card/disable_ipv6", 0)
            cmd("ip link set card up")
            self.card = Raw("card")
            defer(self.card.close)
        self.guest = Guest("carrier", "vm1")
        defer(self.guest.close)

    def program(self, ns, command, log):
        with ns, open(f"{self.place}/{log}", "ab") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output,
                                       stdin=subprocess.DEVNULL)

        def end():
            if process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
            if process.poll() is None:
                process.kill()
                process.wait()

        defer(end)
        return process

    def serve(self, *ranges):
        self.program(self.outside, dnsmasq(self.place, "br0", *ranges),
                     "server")
        ksft_true(wait_until(lambda: "DHCP" in self.said("server"), 20 * SLOW))

    def script(self, text):
        path = f"{self.place}/script"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("{place}", self.place))
        os.chmod(path, 0o755)
        return path

    def said(self, log):
        with contextlib.suppress(OSError):
            with open(f"{self.place}/{log}", encoding="utf-8") as file:
                return file.read()
        return ""

    def must(self, condition, seconds):
        """Waits for it; if it never comes, what the programs said is shown."""
        wait_until(condition, seconds * SLOW)
        if condition():
            return
        for log in ("server", "udhcpc", "dhclient", "client"):
            ksft_pr(f"{log}: {self.said(log)[-1500:]}")
        ksft_pr(vmqctl("guard show dev vm1 summary"))
        raise KsftFailEx("it never came")

    def client(self, word):
        """Addresses after this word of the client's script."""
        return [line.split()[1] for line in self.said("client").splitlines()
                if line.startswith(word + " ")]

    def settled(self):
        """The guest's link-local address went through its detection."""
        def done():
            with self.inside, open("/proc/thread-self/net/if_inet6",
                                   encoding="utf-8") as file:
                cards = [line.split() for line in file if "card" in line]
            return cards and not any(int(each[4], 16) & 0x40 for each in cards)
        wait_until(done, 20 * SLOW)

    def echo(self, address):
        """A server outside that gives back what it gets."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with self.outside:
            sock = socket.socket(family, socket.SOCK_DGRAM)
            sock.bind((address, 7))
        defer(sock.close)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    data, peer = sock.recvfrom(2000)
                    sock.sendto(data, peer)

        threading.Thread(target=serve, daemon=True).start()

    def talks(self, address, source=None, seconds=10):
        """Does the guest get an answer, from this source address?"""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with self.inside:
            sock = socket.socket(family, socket.SOCK_DGRAM)
        with sock:
            if source:
                sock.bind((source, 0))
            sock.settimeout(0.3)
            for number in range(int(seconds * SLOW / 0.3)):
                with contextlib.suppress(OSError):
                    sock.sendto(b"%d" % number, (address, 7))
                    sock.recv(100)
                    return True
        return False


class Spoofer:
    """Sends what the guest may not send, all the time, and looks for it."""

    def __init__(self, world):
        self.card, self.sent = world.card, 0
        with world.outside:
            self.wires = [Raw("wire0"), Raw("wire1")]
        self.frames = [
            build(BROADCAST, OTHER, SERVER, src=1, payload=b"spoofed"),
            build(BROADCAST, "fd00:6::77", SERVER6, src=1, payload=b"spoofed"),
            ether(BROADCAST, 1, 0x806, payload=arp(2, 1, OTHER, 9, SERVER)),
            ether(BROADCAST, 1, 0x806, payload=arp(1, 1, SERVER, 0, OTHER)),
            ether(BROADCAST, 7, payload=b"spoofed"),
            router(eui64(1))]
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stop.is_set():
            with contextlib.suppress(OSError):
                self.card.send(*self.frames)
                self.sent += 1
            self.stop.wait(0.002)

    def end(self):
        """-> frames that got out, on either host's wire"""
        self.stop.set()
        self.thread.join(10)
        found = []
        for wire in self.wires:
            while (got := wire.recv(0.2)) is not None:
                found += [each for each in self.frames
                          if got[:len(each)] == each]
            wire.close()
        return found


def need(program):
    if run("sh", "-c", f"command -v {program}").returncode:
        raise KsftSkipEx(f"{program} is not installed")


def bindings(dev, origin=None):
    return {each["ip"]: each for each in
            vmqctl(f"guard show dev {dev} bindings")
            if origin in (None, each["origin"])}


def test_lease_moves():
    """SR-27, L-03: a guest with a lease goes on after the move and does not ask
    again; what it may not send is refused at every moment."""
    need("dnsmasq")
    world = World()
    for dev in ("vm1", "vm1b"):
        guard("set checks all", dev)
    world.start()
    spoofer = Spoofer(world)
    world.serve("10.6.0.100,10.6.0.150,10m")
    world.echo(SERVER)
    client = world.program(world.inside, [
        "busybox", "udhcpc", "-f", "-i", "card", "-s", world.script(UDHCPC),
        "-T", str(SLOW), "-t", "30", "-A", "1"], "udhcpc")
    world.must(lambda: world.client("bound"), 15)
    [address] = world.client("bound")
    shown = bindings("vm1", "dhcp4")
    ksft_eq(list(shown), [address])
    ksft_eq(shown[address]["mac"], CARD)
    ksft_in(shown[address]["lease"], range(300, 601))
    ksft_true(world.talks(SERVER), "before")
    asked = world.guest.asked
    ksft_ge(asked, 2, "DISCOVER and REQUEST")

    stream = save("vm1")
    restore("vm1b", stream)
    world.guest.move("vm1b")
    ksft_true(world.talks(SERVER), "after")
    ksft_eq(world.guest.asked, asked, "it did not ask again")
    moved = bindings("vm1b", "dhcp4")
    ksft_eq(list(moved), [address])
    ksft_true("restored" in moved[address])
    ksft_lt(moved[address]["lease"], shown[address]["lease"] + 1)

    # the lease is renewed there
    client.send_signal(signal.SIGUSR1)
    ksft_true(wait_until(
        lambda: "restored" not in bindings("vm1b")[address], 20 * SLOW))
    ksft_ge(world.guest.asked, asked + 1)
    ksft_true(world.talks(SERVER), "renewed")
    # and given back
    client.send_signal(signal.SIGUSR2)
    ksft_true(wait_until(lambda: not bindings("vm1b", "dhcp4"), 20 * SLOW))
    ksft_true(not world.talks(SERVER, seconds=1), "released")

    ksft_eq(spoofer.end(), [])
    ksft_ge(spoofer.sent, 50)
    ksft_pr(f"{spoofer.sent} times everything that is forbidden")
    for dev in ("vm1", "vm1b"):
        [counters] = vmqctl(f"guard show dev {dev} summary")
        for cause in ("mac", "ipv4", "ipv6", "arp", "ra"):
            ksft_ge(counters[f"drops-{cause}"], 1, f"{dev}: {cause}")


def test_asked_before():
    """A guest that is moved between its question and the answer."""
    need("dnsmasq")
    world = World()
    for dev in ("vm1", "vm1b"):
        guard("set checks all", dev)
    world.start()
    world.echo(SERVER)
    world.program(world.inside, [
        "busybox", "udhcpc", "-f", "-i", "card", "-s", world.script(UDHCPC),
        "-T", str(SLOW), "-t", "60", "-A", "1"], "udhcpc")
    ksft_true(wait_until(lambda: world.guest.asked >= 2, 40 * SLOW))
    restore("vm1b", save("vm1"))
    world.guest.move("vm1b")
    world.serve("10.6.0.100,10.6.0.150,10m")
    world.must(lambda: world.client("bound"), 60)
    ksft_eq(list(bindings("vm1b", "dhcp4")), world.client("bound"))
    ksft_true(world.talks(SERVER))


def test_dhcp6():
    """DHCPv6: from the link-local address to the leased one, and no other."""
    need("dnsmasq")
    need("dhclient")
    world = World()
    guard("set checks all")
    world.start()
    world.serve("fd00:6::100,fd00:6::1ff,64,10m")
    world.echo(SERVER6)
    world.settled()
    world.program(world.inside, [
        "dhclient", "-6", "-d", "-v", "-lf", f"{world.place}/leases6",
        "-pf", f"{world.place}/pid6", "-sf", world.script(DHCLIENT),
        "-cf", "/dev/null", "card"], "dhclient")
    world.must(lambda: world.client("BOUND6"), 60)
    [address] = world.client("BOUND6")
    ksft_eq(list(bindings("vm1", "dhcp6")), [address])
    world.settled()
    ksft_true(world.talks(SERVER6, address))
    # an address that it makes up: not even duplicate address detection
    before = vmqctl("guard show dev vm1 summary")[0]
    with world.inside:
        cmd("ip -6 addr add fd00:6::55/64 dev card nodad")
    ksft_true(not world.talks(SERVER6, "fd00:6::55", seconds=1))
    ksft_not_in("fd00:6::55", bindings("vm1"))
    after = vmqctl("guard show dev vm1 summary")[0]
    ksft_ge(after["drops-nd"] + after["drops-ipv6"],
            before["drops-nd"] + before["drops-ipv6"] + 1)
    ksft_true(world.talks(SERVER6, address), "the leased one as before")


if __name__ == "__main__":
    ksft_main(globals())
