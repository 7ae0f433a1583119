#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""VFs of the uplink as the path of ports: QEMU's igb with igbvf."""
# machines: qemu

import contextlib
import os
import re
import socket
import threading

from lib import (NetNS, Rtnl, cmd, defer, fail_cmd, ksft_eq, ksft_in,
                 ksft_main, ksft_true, link_info, monitor, run,
                 vmqctl, wait_until)
from lib.env import adapter, port, quiet
from lib.frames import checksum, mac, pton
from lib.ksft import KsftFailEx, KsftSkipEx
from lib.tap import Guest


def path(dev="vm1"):
    shown = vmqctl(f"port show dev {dev}")[0]
    return shown["path"], shown["path-policy"], shown.get("vf")


def steps(events):
    return [each["msg"]["path-step"] for each in events
            if each["name"] == "port-ntf" and "path-step" in each["msg"]]


class Nic:
    """igb as the uplink, two VFs with igbvf."""

    def __init__(self):
        self.name = self.find()
        if not self.name:
            raise KsftSkipEx("needs a NIC with SR-IOV, such as QEMU's igb")
        self.device = f"/sys/class/net/{self.name}/device"
        self.pci = os.path.basename(os.path.realpath(self.device))
        cmd("modprobe igbvf")
        self.rtnl = Rtnl()
        quiet(self.name)
        self.rtnl.up(self.name)
        ksft_true(wait_until(
            lambda: link_info(self.name)["operstate"] == 6, 20))
        self.vfs(2)
        defer(self.vfs, 0)

    @staticmethod
    def find():
        for name in sorted(os.listdir("/sys/class/net")):
            driver = f"/sys/class/net/{name}/device/driver"
            if os.path.exists(driver) and \
                    os.path.basename(os.readlink(driver)) == "igb":
                return name
        return None

    def vfs(self, count):
        with open(f"{self.device}/sriov_numvfs", "w",
                  encoding="ascii") as stream:
            stream.write(str(count))
        # its driver resets it; one of a VF that starts meanwhile has no address
        ksft_true(wait_until(lambda: link_info(self.name)["carrier"], 20))

    def vf(self, number):
        """Its PCI address."""
        return os.path.basename(os.readlink(f"{self.device}/virtfn{number}"))

    def driver(self, action, number, driver="igbvf"):
        with open(f"/sys/bus/pci/drivers/{driver}/{action}", "w",
                  encoding="ascii") as stream:
            stream.write(self.vf(number))

    def netdev(self, number):
        """The netdev of a VF in this namespace, once it is there."""
        place = f"{self.device}/virtfn{number}/net"

        def there():
            with contextlib.suppress(OSError):
                return os.listdir(place)[0]
            return None

        name = wait_until(there, 20)
        if not name:
            raise KsftFailEx(f"no netdev of VF {number}")
        return name


class World:
    """vmq0 over the NIC; vm1 on VF 1 in a namespace of its own, vm2 on a tap
    (here, a netdev) in another."""

    def __init__(self):
        self.nic = nic = Nic()
        self.rtnl = nic.rtnl
        adapter("vmq0", uplink=nic.name, rxq=8)
        self.tap_guest, self.vf_guest = NetNS(), NetNS()
        port("vm1", number=1)
        port("vm2", number=2, ns=self.tap_guest)
        with self.tap_guest, contextlib.closing(Rtnl()) as rtnl:
            rtnl.addr("vm2", "10.1.0.2", 24)

    def guest_vf(self):
        """VF 1 goes to its guest, as its NIC."""
        name = self.nic.netdev(1)
        quiet(name)
        self.rtnl.set(name, netns_fd=self.vf_guest.fd)
        with self.vf_guest, contextlib.closing(Rtnl()) as rtnl:
            quiet(name)
            rtnl.up(name)
            with contextlib.suppress(OSError):
                rtnl.addr(name, "10.1.0.1", 24)
        return name

    def standby(self):
        """The guest uses the port instead."""
        ksft_eq(path()[0], "synthetic")
        with contextlib.suppress(OSError):
            self.rtnl.addr("vm1", "10.1.0.1", 24)
        found = run("ping -n -q -c 3 -i 0.02 -W 2 -I vm1 10.1.0.2")
        cmd("ip addr flush dev vm1")
        return "0% packet loss" in found.stdout and " 0% " in found.stdout


class TapGuest(Guest, threading.Thread):
    """A guest on the tap of a port: it answers ARP and ping, and counts those."""

    def __init__(self, dev, number):
        Guest.__init__(self, dev)
        threading.Thread.__init__(self, daemon=True)
        self.mac, self.address = mac(number), pton(f"10.1.0.{number}")
        self.go, self.pings = True, 0
        self.answers = set()
        self.start()
        defer(self.end)

    def end(self):
        self.go = False
        self.join()

    def run(self):
        while self.go:
            frame = self.recv(0.1)
            if frame is None:
                continue
            if frame[12:14] == b"\x08\x06" and frame[38:42] == self.address:
                self.arp(frame)
            elif frame[12:14] == b"\x08\0" and frame[23] == socket.IPPROTO_ICMP \
                    and frame[30:34] == self.address:
                self.icmp(frame)

    def arp(self, frame):
        if frame[21] == 2:
            self.answers.add((frame[28:32], frame[22:28]))
            return
        self.send(frame[6:12] + self.mac + frame[12:20] + b"\0\2" + self.mac +
                  self.address + frame[22:32])

    def icmp(self, frame):
        size = 14 + int.from_bytes(frame[16:18], "big")
        if frame[34] == 0:
            self.answers.add(frame[26:30])
        if frame[34] != 8:
            return
        self.pings += 1
        self.send(frame[6:12] + self.mac + frame[12:26] + frame[30:34] +
                  frame[26:30] + self.echo(0, frame[38:size]))

    @staticmethod
    def echo(kind, rest):
        total = checksum(bytes((kind, 0, 0, 0)) + rest)
        return bytes((kind, 0)) + total.to_bytes(2, "big") + rest

    def ping(self, number):
        """Does a guest answer? First who has the address, and then the guest."""
        to, self.answers = pton(f"10.1.0.{number}"), set()
        self.send(b"\xff" * 6 + self.mac + b"\x08\x06\0\1\x08\0\6\4\0\1" +
                  self.mac + self.address + bytes(6) + to)
        if not wait_until(lambda: self.answers, 5):
            return False
        (_, whose), = self.answers
        packet = b"\x45\0\0\x1c\0\0\0\0\x40\1"
        total = checksum(packet + b"\0\0" + self.address + to)
        self.answers = set()
        self.send(whose + self.mac + b"\x08\0" + packet +
                  total.to_bytes(2, "big") + self.address + to +
                  self.echo(8, bytes(4)))
        return bool(wait_until(lambda: to in self.answers, 5))


def ping(ns, address):
    """Does every one of five come back? The first may wait for a link."""
    def once():
        with ns:
            return " 0% packet loss" in run(
                f"ping -n -q -c 5 -i 0.02 -W 2 {address}").stdout
    return bool(wait_until(once, 30, 0.1))


def rebind(world):
    """The VF's driver reads its address as it starts."""
    world.nic.driver("unbind", 1)
    world.nic.driver("bind", 1)


def test_path():
    """S-25, S-27, S-30: a real VF is the path of a port; it has the port's
    address, its guest and a tap's ping each other with no manual step, and the
    port's own path serves when the driver is unbound, and again when it is not."""
    world = World()
    cmd("vmqctl port set dev vm1 path auto uplink:1")
    ksft_eq(path(), ("synthetic", "auto", 1), "its netdev is down")
    rebind(world)
    name = world.guest_vf()
    with world.vf_guest:
        ksft_eq(link_info(name)["address"], "52:54:00:00:00:01", "S-24")
    ksft_eq(path(), ("vf", "auto", 1))
    ksft_in("vf 1     link/ether 52:54:00:00:00:01",
            cmd(f"ip link show dev {world.nic.name}"))
    ksft_true(ping(world.vf_guest, "10.1.0.2"), "VF guest to tap guest")
    ksft_true(ping(world.tap_guest, "10.1.0.1"), "tap guest to VF guest")
    with monitor() as end:
        world.nic.driver("unbind", 1)
        events = end()
    ksft_eq(steps(events), ["filters-to-port", "vport-delete", "vf-reset"])
    ksft_true(world.standby(), "the standby, when the driver is unbound")
    with monitor() as end:
        world.nic.driver("bind", 1)
        world.guest_vf()
        events = end()
    ksft_eq(steps(events), ["vport-create", "filters-to-vf", "vf-expose",
                            "vf-switch"])
    ksft_true(ping(world.vf_guest, "10.1.0.2"), "back on the VF")
    cmd("vmqctl port set dev vm1 path synthetic")
    ksft_true(world.standby(), "by path")
    ksft_in("vf 1     link/ether 00:00:00:00:00:00",
            cmd(f"ip link show dev {world.nic.name}"))
    cmd("vmqctl port set dev vm1 path vf uplink:1")
    ksft_eq(path(), ("vf", "vf", 1))
    ksft_true(ping(world.vf_guest, "10.1.0.2"), "by path")


def test_tap():
    """S-25, S-32: the VF is the guest's NIC in its namespace, the port's tap the
    standby. Whoever of them serves answers, after each way to leave the VF and back;
    a guest on another tap and the VF's reach each other."""
    world = World()
    standby = TapGuest("vm1", 1)
    port("vm3", number=3)
    other = TapGuest("vm3", 3)

    def served():
        """Who answers vm2"""
        before = standby.pings
        ksft_true(ping(world.tap_guest, "10.1.0.1"))
        return "vf" if standby.pings == before else "tap"

    def back():
        world.nic.driver("bind", 1)
        world.guest_vf()

    ksft_eq(served(), "tap")
    cmd("vmqctl port set dev vm1 path auto uplink:1")
    rebind(world)
    world.guest_vf()
    ksft_eq(served(), "vf")
    ksft_true(ping(world.vf_guest, "10.1.0.3"), "VF to tap")
    ksft_true(other.pings >= 5, other.pings)
    ksft_true(wait_until(lambda: other.ping(1), 90), "tap to VF")
    for leave, come in (
            (lambda: cmd("vmqctl port set dev vm1 path synthetic"),
             lambda: cmd("vmqctl port set dev vm1 path auto uplink:1")),
            (lambda: world.nic.driver("unbind", 1), back)):
        leave()
        ksft_eq(served(), "tap")
        come()
        ksft_true(wait_until(lambda: path()[0] == "vf", 20))
        ksft_eq(served(), "vf")
    reset_of_pf(world)
    ksft_eq(served(), "vf", "reset by its driver")


def test_pf_reset():
    """S-32: the NIC goes down and comes back: the port falls back, the VF has its
    address again, and the port returns."""
    world = World()
    cmd("vmqctl port set dev vm1 path auto uplink:1")
    rebind(world)
    world.guest_vf()
    ksft_true(ping(world.vf_guest, "10.1.0.2"))
    world.rtnl.set(world.nic.name, up=False)
    ksft_eq(path()[0], "synthetic")
    world.rtnl.up(world.nic.name)
    ksft_true(wait_until(lambda: path()[0] == "vf", 20), "returned")
    ksft_in("vf 1     link/ether 52:54:00:00:00:01",
            cmd(f"ip link show dev {world.nic.name}"))
    ksft_true(ping(world.vf_guest, "10.1.0.2"), "after the reset")
    # the VFs go, and the uplink too
    world.nic.vfs(0)
    ksft_eq(path()[0::2], ("synthetic", None))
    ksft_true(world.standby(), "without VFs")


def told(world, text):
    """How often the NIC's driver logged it for VF 1."""
    return sum(text in line and line.endswith("on VF 1") and
               world.nic.pci in line for line in cmd("dmesg").splitlines())


def reset_of_pf(world):
    """The driver resets the NIC, as it does when a transmit hangs. Its link is all
    that is seen of it. -> how often the VF's MAC and VLAN were set behind"""
    changes = vmqctl("port show dev vm1")[0]["path-changes"]
    logged = ("setting MAC 52:54:00:00:00:01", "Setting VLAN 5")
    before = [told(world, each) for each in logged]
    with monitor() as end:
        cmd(f"ethtool -r {world.nic.name}")
        ksft_true(wait_until(
            lambda: vmqctl("port show dev vm1")[0]["path-changes"]
            == changes + 2, 20), "left, and returned")
        events = end()
    ksft_eq(steps(events), ["filters-to-port", "vport-delete", "vf-reset",
                            "vport-create", "filters-to-vf", "vf-expose",
                            "vf-switch"])
    return [told(world, each) - count for each, count in zip(logged, before)]


def test_pf_reset_driver():
    """S-32: a reset of the NIC by its driver: the port falls back, what was set for
    the VF is set again, and the port returns, also to a VF that was named."""
    world = World()
    cmd("vmqctl port set dev vm1 vlan 5 path auto uplink:1")
    other_vlan(world, 5)
    rebind(world)
    world.guest_vf()
    ksft_true(ping(world.vf_guest, "10.1.0.2"))
    for policy in ("auto", "vf"):
        cmd(f"vmqctl port set dev vm1 path {policy} uplink:1")
        ksft_eq(reset_of_pf(world), [1, 1], "set again")
        ksft_eq(path(), ("vf", policy, 1))
        ksft_in("52:54:00:00:00:01 brd ff:ff:ff:ff:ff:ff, vlan 5",
                cmd(f"ip link show dev {world.nic.name}"))
        ksft_true(ping(world.vf_guest, "10.1.0.2"), "in VLAN 5")


def test_pf_reset_file():
    """S-32: a reset of the PCI function by sysfs. Nothing tells of it, and igb knows
    as little: it serves nobody until it resets the NIC too, and a VF until its driver
    starts again."""
    world = World()
    cmd("vmqctl port set dev vm1 path auto uplink:1")
    rebind(world)
    world.guest_vf()
    ksft_true(ping(world.vf_guest, "10.1.0.2"))
    with open(f"{world.nic.device}/reset", "w", encoding="ascii") as stream:
        stream.write("1")
    reset_of_pf(world)
    world.nic.driver("unbind", 1)
    ksft_true(world.standby(), "without the VF")
    world.nic.driver("bind", 1)
    world.guest_vf()
    ksft_eq(path()[0], "vf")
    ksft_true(ping(world.vf_guest, "10.1.0.2"), "by the VF")


def other_vlan(world, vlan):
    """The tap's guest is in this VLAN."""
    with world.tap_guest:
        cmd(f"vmqctl port set dev vm2 vlan {vlan}")


def test_policy():
    """X-43: the VF has the VLAN of the port, programmed into the NIC; what the NIC
    does not know is refused, whichever comes first."""
    world = World()
    cmd("vmqctl port set dev vm1 vlan 5 spoofchk on")
    other_vlan(world, 5)
    cmd("vmqctl port set dev vm1 path auto uplink:1")
    rebind(world)
    world.guest_vf()
    ksft_eq(path(), ("vf", "auto", 1))
    shown = cmd(f"ip link show dev {world.nic.name}")
    ksft_in("52:54:00:00:00:01 brd ff:ff:ff:ff:ff:ff, vlan 5", shown)
    ksft_true(ping(world.vf_guest, "10.1.0.2"), "in one VLAN")
    for words in ("trunk 7", "isolate on"):
        status, message = fail_cmd(f"vmqctl port set dev vm1 {words}")
        ksft_eq(status, 1, words)
        ksft_in("no trunk, no isolate", message)
    cmd("vmqctl port set dev vm1 vlan 6")
    ksft_in("vlan 6", cmd(f"ip link show dev {world.nic.name}"))
    with world.vf_guest:
        ksft_true(" 0% packet loss" not in run(
            "ping -n -q -c 3 -i 0.2 -W 1 10.1.0.2").stdout, "in two")
    other_vlan(world, 6)
    ksft_true(ping(world.vf_guest, "10.1.0.2"), "in the other one")
    cmd("vmqctl port set dev vm1 path synthetic")
    ksft_true("vlan" not in cmd(f"ip link show dev {world.nic.name}"))
    ksft_true(world.standby(), "by the port")
    cmd("vmqctl port set dev vm1 vlan none isolate on")
    for words in ("path auto uplink:1", "vlan 7 path auto uplink:1"):
        status, message = fail_cmd(f"vmqctl port set dev vm1 {words}")
        ksft_eq(status, 1, words)
        ksft_in("no trunk, no isolate", message)
    ksft_eq(path(), ("synthetic", "synthetic", None))
    ksft_true("vlan" not in vmqctl("port show dev vm1")[0])


def settings(world):
    """What the NIC says of VF 1, but for its address"""
    return re.search(r"vf 1 .*(spoof.*)",
                     cmd(f"ip link show dev {world.nic.name}"))[1]


def test_come_and_go():
    """S-29, S-33: a VF that is torn away, and an uplink that is detached, leave the
    port working and the NIC as it was; ports that wait get what comes later."""
    world = World()
    cmd(f"ip link set {world.nic.name} vf 1 spoofchk off")
    before = settings(world)
    cmd("vmqctl port set dev vm1 spoofchk on path auto uplink:1")
    rebind(world)
    world.guest_vf()
    ksft_eq(path(), ("vf", "auto", 1))
    ksft_in("spoof checking on", settings(world))
    world.rtnl.set(world.nic.name, master="")
    ksft_eq(path(), ("synthetic", "auto", None))
    ksft_eq(settings(world), before, "without the port")
    world.rtnl.set(world.nic.name, master="vmq0")
    ksft_true(wait_until(lambda: path() == ("vf", "auto", 1), 20), "attached")
    ksft_true(ping(world.vf_guest, "10.1.0.2"))
    world.nic.vfs(0)
    ksft_true(wait_until(lambda: path() == ("synthetic", "auto", None), 5),
              "without VFs")
    ksft_true(world.standby(), "without the VF")
    world.nic.vfs(2)
    ksft_true(wait_until(lambda: path()[2] == 1, 20), "waited for it")
    rebind(world)
    world.guest_vf()
    ksft_true(wait_until(lambda: path() == ("vf", "auto", 1), 20), "new VFs")
    ksft_true(ping(world.vf_guest, "10.1.0.2"))


def test_refused():
    """What can't be is refused, and says what is supported."""
    world = World()
    for words, text in (("vf uplink:0", "not ready"), ("vf uplink:9", "no such"),
                        ("vf 0", "no such VF")):
        status, message = fail_cmd(f"vmqctl port set dev vm1 path {words}")
        ksft_eq(status, 1, words)
        ksft_in(text, message)
    cmd(f"ip link set {world.nic.name} vf 0 vlan 7")
    ksft_in("VLAN", fail_cmd("vmqctl port set dev vm1 path auto uplink:0")[1])
    ksft_eq(path(), ("synthetic", "synthetic", None))


if __name__ == "__main__":
    ksft_main(globals())
