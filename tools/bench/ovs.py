# SPDX-License-Identifier: GPL-2.0
"""Open vSwitch's kernel path as a contender: its datapath and flows are made over
netlink, by the kernel's own YNL library, without the daemons of Open vSwitch."""

import importlib.util
import os
import pathlib
import socket
import subprocess
import sys

from contender import Bridge, BridgeTap, ip, mac

ETH_P_802_EX1, EXACT = 0x88b5, 0xffff
FLOWS_AT_ONCE = 64


def ynl(directory):
    """The package in a directory, which is called lib there as ours is."""
    if "ynl" not in sys.modules:
        spec = importlib.util.spec_from_file_location("ynl", directory / "__init__.py")
        sys.modules["ynl"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["ynl"])
    return sys.modules["ynl"]


class Datapath:
    """A switch whose ports are netdevs."""

    def __init__(self, name):
        kernel = pathlib.Path(os.environ["VMQ_KERNEL_SOURCE"])
        family = ynl(kernel / "tools/net/ynl/lib").YnlFamily
        self.datapath, self.vport, self.flow = (
            family(str(kernel / f"Documentation/netlink/specs/ovs_{part}.yaml"))
            for part in ("datapath", "vport", "flow"))
        self.name = name
        self.datapath.do("new", {"dp-ifindex": 0, "name": name, "upcall-pid": 0})
        self.index = socket.if_nametoindex(name)

    def port(self, number, netdev):
        """Add a netdev as port of this number."""
        self.vport.do("new", {"dp-ifindex": self.index, "name": netdev,
                              "type": "netdev", "port-no": number,
                              "upcall-pid": bytes(4)})

    def forward(self, source, targets):
        """From one port to that of each address, other fields of the frame unread."""
        zeros = {"eth-src": bytes(6).hex()}
        requests = [("new", {
            "dp-ifindex": self.index,
            "key": {"in-port": source, "ethertype": ETH_P_802_EX1,
                    "ethernet": {"eth-dst": address.replace(":", ""), **zeros}},
            "mask": {"in-port": 0xffffffff, "ethertype": EXACT,
                     "ethernet": {"eth-dst": "ff" * 6, **zeros}},
            "actions": {"output": target}}, []) for address, target in targets.items()]
        for first in range(0, len(requests), FLOWS_AT_ONCE):
            self.flow.do_multi(requests[first:first + FLOWS_AT_ONCE])

    def remove(self):
        self.datapath.do("del", {"dp-ifindex": self.index, "name": self.name})


class Ovs(Bridge):
    """As the bridge, but with a flow for each address."""

    label = "Open vSwitch"

    def make(self):
        subprocess.run(["modprobe", "openvswitch"], check=True)
        self.datapath = Datapath(f"{self.tag}b")
        ip(f"link set {self.tag}b up")
        self.make_ports()
        wire = self.ports
        for number, netdev in enumerate([*map(self.port, range(wire)), self.injector]):
            self.datapath.port(number + 1, netdev)
        self.datapath.forward(wire + 1, {mac(n): n + 1 for n in range(wire)})

    def make_ports(self):
        ip(*(f"link add {self.port(n)} up type vmqbench" for n in range(self.ports)))

    def unmake(self):
        self.datapath.remove()
        ip(*(f"link del {self.port(n)}" for n in range(self.ports)))


class OvsTap(Ovs):
    label = "Open vSwitch and tap, ring"

    def make_ports(self):
        BridgeTap.make_taps(self)
        ip(*(f"link set {self.port(n)} up" for n in range(self.ports)))
        self.give_rings()

    def unmake(self):
        self.datapath.remove()
