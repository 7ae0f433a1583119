# SPDX-License-Identifier: GPL-2.0
"""A guest on a port: QEMU inside the test machine, on the port's /dev/tapN."""

import os
import subprocess

from qemu import Qemu

SAVED = os.environ.get("VMQ_GUEST_SAVED")       # see image.py


class Guest(Qemu):
    """Runs where its port is: in `netns`, or None for the host itself."""

    def __init__(self, name, port, mac, *, netns=None, vhost=False,
                 incoming=None):
        prefix = ["ip", "netns", "exec", netns] if netns else []
        shown = subprocess.run(
            [*prefix, "cat", f"/sys/class/net/{port}/ifindex"],
            check=True, capture_output=True, text=True)
        self.tap = f"/dev/tap{shown.stdout.strip()}"
        backend = "tap,id=port,fd=3" + (",vhost=on" if vhost else "")
        super().__init__(
            name, f"/run/guests/{name}",
            ["-netdev", backend, "-incoming", incoming or f"file:{SAVED}"],
            mac=mac, redirect=f" 3<>{self.tap}", prefix=prefix)

    def boot(self, address):
        """Start it, and give its NIC this address (with prefix length)."""
        self.start()
        self.wait_migration("completed")
        self.qmp("cont")
        self.run("echo virtio0 >/sys/bus/virtio/drivers/virtio_net/bind &&"
                 f"ip addr add {address} dev eth0 && ip link set eth0 up",
                 timeout=60)
