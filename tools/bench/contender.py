# SPDX-License-Identifier: GPL-2.0
"""What is measured side by side: each contender sets itself up for N ports.

A contender has an injector (a netdev of vmq_bench.ko) and N destinations with
the addresses 52:54:00:00:HI:LO, HI:LO = 0 to N - 1.
"""

import ctypes
import fcntl
import os
import pathlib
import select
import socket
import struct
import subprocess
import time

CONTROL = pathlib.Path("/sys/kernel/debug/vmq_bench")
TUNSETIFF = 0x400454ca
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x2, 0x1000, 0x4000
IFF_MULTI_QUEUE = 0x100
CLONE_NEWNET = 0x40000000


def mac(number):
    return f"52:54:00:00:{number >> 8:02x}:{number & 255:02x}"


def batch(tool, lines):
    """Run many commands of ip, bridge or the like in one process."""
    if lines:
        subprocess.run([tool, "-batch", "-"], input="\n".join(lines) + "\n",
                       text=True, check=True, stdout=subprocess.DEVNULL)


def ip(*lines):
    batch("ip", lines)


def run(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


class LostFrames(Exception):
    pass


class Contender:
    """One way to bring a frame to its destination."""

    label = ""
    most = 4096        # destinations it can have
    vid = 0            # VLAN id of its frames; the next port has the next one
    vids = 0           # how many ids there are, where ports differ
    flows = 0          # frames are UDP over IPv4, in so many flows
    ends_per_frame = 1

    def __init__(self, tag, ports):
        self.tag = tag                 # names of its netdevs begin with it
        self.ports = ports
        self.injector = f"{tag}i"
        self.control = None
        self.taps = []
        self.samples = []

    # -- set up
    def setup(self):
        ip(f"link add {self.injector} mtu 9000 type vmqbench",
           f"link set {self.injector} up")
        self.control = os.open(CONTROL, os.O_RDWR)
        self.make()

    def make(self):
        """Everything above the injector."""

    def port(self, number):
        return f"{self.tag}{number}"

    def remove(self):
        for tap in self.taps:
            os.close(tap)
        os.close(self.control)
        self.taps = []
        self.unmake()
        ip(f"link del {self.injector}")

    def unmake(self):
        """What does not go with the injector."""

    def open_taps(self):
        """For kinds whose ports have /dev/tapN."""
        for number in range(self.ports):
            index = pathlib.Path(
                f"/sys/class/net/{self.port(number)}/ifindex").read_text()
            self.taps.append(os.open(f"/dev/tap{int(index)}", os.O_RDWR))
        self.give_rings()

    def give_rings(self):
        for tap in self.taps:
            os.write(self.control, b"ring %d" % tap)

    def settled(self):
        """It has seen all there is to see, and what is measured begins."""

    # -- measure
    def command(self, frames, length, train):
        words = [f"run dev={self.injector}", f"frames={frames}", f"len={length}",
                 f"ports={self.ports}", f"train={train}",
                 f"ends={self.ends_per_frame}"]
        if self.vid:
            words += [f"vid={self.vid}", f"vids={self.vids}"]
        if self.flows:
            words.append(f"flows={self.flows}")
        return " ".join(words)

    def measure(self, frames, length=60, train=1):
        """Nanoseconds a frame, all of them counted at their ends."""
        os.write(self.control, self.command(frames, length, train).encode())
        words = os.pread(self.control, 200, 0).decode().split()
        nanoseconds, ended, wanted = (int(words[i]) for i in (0, 2, 4))
        if ended != wanted:
            raise LostFrames(f"{self.label}: {ended} of {wanted} frames arrived")
        return nanoseconds / frames


class Bare(Contender):
    """Nothing in between: the frame's cost itself."""

    label = "bare delivery"


class Macvlan(Contender):
    label = "macvlan"

    def make(self):
        ip(*(f"link add link {self.injector} name {self.port(n)} address {mac(n)} "
             "up type macvlan mode bridge" for n in range(self.ports)))


class MacvlanVlan(Contender):
    """A VLAN device for each port, and a macvlan on it."""

    label = "macvlan on VLAN devices"
    vid = 1
    most = 64

    def make(self):
        self.vids = self.ports
        ip(*(f"link add link {self.injector} name {self.tag}v{n} up type vlan id {n + 1}"
             for n in range(self.ports)),
           *(f"link add link {self.tag}v{n} name {self.port(n)} address {mac(n)} "
             "up type macvlan mode bridge" for n in range(self.ports)))


class Macvtap(Contender):
    label = "macvtap, ring"
    most = 1024

    def make(self):
        ip(*(f"link add link {self.injector} name {self.port(n)} address {mac(n)} "
             "up type macvtap mode bridge" for n in range(self.ports)))
        self.open_taps()


class Bridge(Contender):
    """Ports are netdevs that count what is sent to them."""

    label = "bridge"
    most = 1023        # a bridge takes 1,024 ports, one is the injector
    filtering = 0

    def make(self):
        bridge = f"{self.tag}b"
        ip(f"link add name {bridge} type bridge vlan_filtering {self.filtering}",
           f"link set {bridge} up",
           f"link set {self.injector} master {bridge}")
        self.make_ports(bridge)
        batch("bridge", [f"fdb replace {mac(n)} dev {self.port(n)} master static"
                         + self.fdb_vlan(n) for n in range(self.ports)])

    def fdb_vlan(self, number):
        return ""

    def make_ports(self, bridge):
        ip(*(f"link add {self.port(n)} type vmqbench" for n in range(self.ports)),
           *(f"link set {self.port(n)} master {bridge} up" for n in range(self.ports)))

    def unmake(self):
        ip(f"link del {self.tag}b",
           *(f"link del {self.port(n)}" for n in range(self.ports)))


class BridgeVlan(Bridge):
    label = "bridge, VLAN filtering"
    filtering = 1
    vid = 1
    most = 64

    def make_ports(self, bridge):
        super().make_ports(bridge)
        self.vids = self.ports
        batch("bridge", [f"vlan add dev {self.port(n)} vid {n + 1}"
                         for n in range(self.ports)]
              + [f"vlan add dev {self.injector} vid {n + 1}" for n in range(self.ports)])

    def fdb_vlan(self, number):
        return f" vlan {number + 1}"


class BridgeTap(Bridge):
    label = "bridge and tap, ring"

    def make_taps(self):
        for number in range(self.ports):
            tap = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(tap, TUNSETIFF, struct.pack(
                "16sH22x", self.port(number).encode(),
                IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
            self.taps.append(tap)

    def make_ports(self, bridge):
        self.make_taps()
        ip(*(f"link set {self.port(n)} master {bridge} up" for n in range(self.ports)))
        self.give_rings()

    def unmake(self):
        ip(f"link del {self.tag}b")


class BridgeFlood(Bridge):
    """Every port has a copy, and the host itself."""

    label = "bridge, flood"
    most = 256

    def __init__(self, tag, ports):
        super().__init__(tag, ports)
        self.ends_per_frame = ports + 1

    def command(self, frames, length, train):
        return (f"run dev={self.injector} frames={frames} len={length} ports=1 "
                f"train={train} ends={self.ends_per_frame} "
                f"window={max(1, 512 // self.ends_per_frame)} dst=ff:ff:ff:ff:ff:ff")

    def measure(self, frames, length=60, train=1):
        return super().measure(frames, length, train) / self.ends_per_frame


class MacvlanFlood(BridgeFlood):
    label = "macvlan, flood"

    def make(self):
        Macvlan.make(self)

    def unmake(self):
        pass


class Vmq(Contender):
    label = "vmq"
    each = ""          # arguments of each port

    def make(self):
        self.adapter = f"{self.tag}a"
        ip(f"link add {self.adapter} numrxqueues {min(self.ports + 1, 4096)} type vmq",
           f"link set {self.injector} master {self.adapter}",
           f"link set {self.adapter} up",
           *(f"link add link {self.adapter} name {self.port(n)} address {mac(n)} "
             f"up {self.each} type vmqport" for n in range(self.ports)))
        self.more()

    def more(self):
        """What there is on top of ports."""

    def unmake(self):
        ip(f"link del {self.adapter}")


class VmqVlan(Vmq):
    """MAC and VLAN id: a filter on each port's queue."""

    label = "vmq, MAC and VLAN"
    vid = 1
    most = 64

    def more(self):
        self.vids = self.ports
        for n in range(self.ports):
            run("ethtool", "-N", self.adapter, "flow-type", "ether", "dst", mac(n),
                "vlan", str(n + 1), "m", "0xf000", "action", str(n + 1))


class VmqTap(Vmq):
    label = "vmq, ring"
    most = 1024

    def more(self):
        self.open_taps()


class VmqRead(VmqTap):
    """One port more than asked for, all of them read."""

    label = "vmq, all read"
    mute = 0

    def __init__(self, tag, ports):
        super().__init__(tag, ports + 1)

    def give_rings(self):
        for tap in self.taps[:self.ports - self.mute]:
            os.write(self.control, b"ring %d" % tap)

    def command(self, frames, length, train):
        # each port has the same share
        frames = -(-frames // self.ports) * self.ports
        return super().command(frames, length, train) + f" mute={self.mute}"


class VmqStalled(VmqRead):
    """The last port's reader has stopped, and its ring is full."""

    label = "vmq, one not read"
    mute = 1


class VmqRules(Vmq):
    """10,000 exact filters more than those of the ports."""

    label = "vmq, 10,000 exact rules"

    def more(self):
        from rules import exact_rules
        exact_rules(self.adapter, 10000)


class VmqMasked(Vmq):
    label = "vmq, 1,000 rules in 8 masks"

    def more(self):
        from rules import masked_rules
        masked_rules(self.adapter, 1000)


class VmqQueued(Vmq):
    """Each queue has its own NAPI on a CPU."""

    label = "vmq, queued"
    most = 64

    def more(self):
        for n in range(self.ports):
            run("vmqctl", "queue", "set", "dev", self.adapter, "queue", str(n + 1),
                "cpus", "0")


class VmqQueuedSoftirq(VmqQueued):
    """Without threads: as NAPIs of NICs run."""

    label = "vmq, queued, no threads"

    def more(self):
        super().more()
        pathlib.Path(f"/sys/class/net/{self.adapter}/threaded").write_text("0")


class BareOne(Contender):
    """A sender with a CPU of its own, without a NAPI."""

    label = "bare, one CPU"
    senders = 1

    def command(self, frames, length, train):
        return Contender.command(self, frames, length, train) + f" cpus={self.senders}"

    def measure(self, frames, length=60, train=1):
        return Contender.measure(self, frames, length, train) / self.senders


class BareTwo(BareOne):
    label = "bare, two CPUs"
    senders = 2


class VmqQueuedOne(VmqQueued):
    """Queues with a CPU each, but only the first has frames."""

    label = "vmq, one flow"
    senders = 1
    command, measure = BareOne.command, BareOne.measure

    def more(self):
        for n in range(self.ports):
            run("vmqctl", "queue", "set", "dev", self.adapter, "queue", str(n + 1),
                "cpus", str(n))


class VmqQueuedTwo(VmqQueuedOne):
    label = "vmq, two flows"
    senders = 2


class VmqFlood(BridgeFlood):
    label = "vmq, flood"
    each = ""
    make = Vmq.make
    unmake = Vmq.unmake

    def more(self):
        """As class Vmq."""


class VmqUdp(VmqTap):
    """What the extensions are compared with: UDP to the rings of taps."""

    label = "vmq, UDP to the ring"
    flows = 100_000
    extensions = []

    def more(self):
        for name in self.extensions:
            run("insmod", os.environ["VMQ_BUILD"] + f"/drivers/net/vmq/ext/vmq_{name}.ko")
            run("vmqctl", "ext", "enable", "dev", self.adapter, "name", name)
            for n in range(self.ports):
                getattr(self, name)(self.port(n))
        super().more()

    def unmake(self):
        super().unmake()
        for name in self.extensions:
            run("rmmod", f"vmq_{name}")

    @staticmethod
    def acl(port):
        """Whoever sends to port 9 is let in, and from then on known."""
        from rules import acl_for_port_9
        acl_for_port_9(port)

    @staticmethod
    def guard(port):
        """What comes to a guest is looked at for DHCP only."""

    @staticmethod
    def meter(port):
        """A rate that is never reached."""
        from rules import meter_rx
        meter_rx(port, 100_000_000_000)


class VmqUnloaded(VmqUdp):
    """Before a slice, extensions are loaded and unloaded again, as for VmqDisabled."""

    label = "vmq, no extension loaded"
    modules = [f"vmq_{name}" for name in ("acl", "guard", "meter")]
    loaded = False

    def measure(self, frames, length=60, train=1):
        for name in self.modules:
            run("insmod", os.environ["VMQ_BUILD"] + f"/drivers/net/vmq/ext/{name}.ko")
        if not self.loaded:
            run("rmmod", *self.modules)
        try:
            super().measure(2000, length, train)      # caches are warm again
            return super().measure(frames, length, train)
        finally:
            if self.loaded:
                run("rmmod", *self.modules)


class VmqDisabled(VmqUnloaded):
    label = "vmq, all loaded, none enabled"
    loaded = True


class VmqUdpMasked(VmqUdp):
    """Rules for other ports of the same protocol, so that all tables are asked."""

    label = "vmq, 1,000 UDP rules in 8 masks"

    def more(self):
        from rules import masked_rules
        masked_rules(self.adapter, 1000, udp=True)
        super().more()


class VmqAcl(VmqUdp):
    """Each frame is of another connection than the 99,999 before it."""

    label = "vmq, acl, 100,000 connections"
    extensions = ["acl"]


class VmqAclSome(VmqAcl):
    """The others are known, but send nothing."""

    label = "vmq, acl, 10,000 of them active"
    active = 10_000

    def settled(self):
        self.flows = self.active


class VmqAclFew(VmqAclSome):
    label = "vmq, acl, 1,000 of them active"
    active = 1000


class VmqGuard(VmqUdp):
    label = "vmq, guard"
    extensions = ["guard"]


class VmqMeter(VmqUdp):
    label = "vmq, meter"
    extensions = ["meter"]


class VmqAll(VmqAclFew):
    """What a guest has that is watched in every way; 1,000 connections are active."""

    label = "vmq, acl, guard and meter"
    extensions = ["acl", "guard", "meter"]


class MacvlanTx(Macvlan):
    """From the first port to the others; frames never see the injector."""

    label = "macvlan, VM to VM"

    def command(self, frames, length, train):
        return (f"run dev={self.port(0)} tx frames={frames} len={length} ports=1 "
                f"train={train} dst={mac(self.ports - 1)} src={mac(0)}")


class VmqTx(Vmq):
    label = "vmq, VM to VM"
    command = MacvlanTx.command


class MacvlanOut(Macvlan):
    """From the first port to the wire."""

    label = "macvlan, transmit"

    def command(self, frames, length, train):
        return (f"run dev={self.port(0)} tx frames={frames} len={length} ports=1 "
                f"train={train} dst=02:00:00:00:00:01 src={mac(0)}")


class VmqOut(Vmq):
    label = "vmq, transmit"
    command = MacvlanOut.command


# -- TCP


def enter_netns(path):
    """Sockets that are made from now on are in there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(path, "rb") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {path}")


class MacvlanTcp(Macvlan):
    """Bulk between two ports, each in a network namespace: nanoseconds a KiB. How many
    segments are on their way, and how many are acknowledged at once, is settled as a
    connection begins, and differs by a twentieth of the time: each slice has its own."""

    label = "macvlan, TCP"
    most = 2
    begins = 8192      # KiB until a connection has settled

    def __init__(self, tag, ports):
        super().__init__(tag, 2)
        self.buffer = bytearray(1 << 20)
        self.server = None

    def setup(self):
        super().setup()
        for n in range(2):
            netns = f"{self.tag}n{n}"
            run("ip", "netns", "add", netns)
            run("ip", "link", "set", self.port(n), "netns", netns)
            run("ip", "-n", netns, "addr", "add", f"10.0.0.{n + 1}/24", "dev",
                self.port(n))
            # the same for all: segments of TCP are as long as it says
            run("ip", "-n", netns, "link", "set", self.port(n), "mtu", "1500", "up")
        enter_netns(f"/run/netns/{self.tag}n1")
        self.server = socket.create_server(("10.0.0.2", 5000))
        enter_netns("/proc/1/ns/net")

    def connect(self):
        enter_netns(f"/run/netns/{self.tag}n0")
        sender = socket.create_connection(("10.0.0.2", 5000), timeout=10)
        enter_netns("/proc/1/ns/net")
        receiver = self.server.accept()[0]
        for end in (sender, receiver):
            end.setblocking(False)
        return sender, receiver

    def remove(self):
        self.server.close()
        for n in range(2):
            netns = f"{self.tag}n{n}"
            run("ip", "-n", netns, "link", "set", self.port(n), "netns", "1")
            run("ip", "netns", "del", netns)
        super().remove()

    def transfer(self, sender, receiver, total):
        view = memoryview(self.buffer)
        sent = got = 0
        while got < total:
            try:
                if sent < total:
                    sent += sender.send(view[:min(len(view), total - sent)])
            except BlockingIOError:
                pass
            try:
                got += receiver.recv_into(self.buffer)
            except BlockingIOError:
                if not select.select([receiver], [], [], 5)[0]:
                    raise LostFrames(f"{self.label}: {got} of {total} bytes arrived"
                                     ) from None

    def measure(self, frames, length=60, train=1):
        sender, receiver = self.connect()
        with sender, receiver:
            self.transfer(sender, receiver, self.begins * 1024)
            begin = time.perf_counter_ns()
            self.transfer(sender, receiver, frames * 1024)
            return (time.perf_counter_ns() - begin) / frames


class VmqTcp(MacvlanTcp):
    label = "vmq, TCP"
    make = Vmq.make
    unmake = Vmq.unmake
    each = ""

    def more(self):
        """As class Vmq."""


class BridgeTcp(MacvlanTcp):
    """Over veth pairs."""

    label = "veth and bridge, TCP"

    def make(self):
        ip(f"link add name {self.tag}b type bridge", f"link set {self.tag}b up",
           f"link set {self.injector} master {self.tag}b",
           *(f"link add {self.port(n)} address {mac(n)} type veth peer name {self.tag}p{n}"
             for n in range(2)),
           *(f"link set {self.tag}p{n} master {self.tag}b up" for n in range(2)))

    def unmake(self):
        ip(f"link del {self.port(0)}", f"link del {self.port(1)}", f"link del {self.tag}b")


class VmqNear(Vmq):
    """Frames wait while what they need comes into the cache, with any number of ports."""

    label = "vmq, many_ports 1"
    many = 1

    def measure(self, frames, length=60, train=1):
        file = pathlib.Path("/sys/module/vmq/parameters/many_ports")
        before = file.read_text(encoding="ascii")
        file.write_text(f"{self.many}\n", encoding="ascii")
        try:
            return super().measure(frames, length, train)
        finally:
            file.write_text(before, encoding="ascii")


class VmqNotNear(VmqNear):
    """With no number of ports."""

    label = "vmq, many_ports 4294967295"
    many = 0xffffffff
