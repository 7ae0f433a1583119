# SPDX-License-Identifier: GPL-2.0
"""A guest on a port: QEMU inside the test machine, on the port's /dev/tapN.

The guest is a small kernel of ours with busybox. The emulated CPU of the
machine has SVM, so that QEMU has KVM there; without it would be emulation in
emulation, which takes minutes to boot.
"""

import os
import pathlib
import stat
import subprocess
import sys
import time

CLONE = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(CLONE / "tools/testvm"))
# pylint: disable=wrong-import-position
from initramfs import archive
from qemu import GuestError, Qemu

UP = "guest is up"
# busybox sh finds its applets by itself: no links to make
INIT = f"""#!/bin/busybox sh
busybox mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /tmp
mount -t devtmpfs dev /dev
ip link set lo up
ip link set eth0 up
ip addr add $address dev eth0
until set /dev/vport* && [ -e $1 ]; do sleep 0.1; done
exec 3<>$1
cd /tmp
echo {UP} >&3
# from a pipe, so that the shell prints no prompt
while :; do cat <&3 | busybox sh >&3 2>&1 3>&-; done
"""
GUESTS = pathlib.Path("/run/guests")
ECHO = GUESTS / "echo-udp"


def make_echo():
    """Compile the guest's UDP echo, before the first guest is started."""
    GUESTS.mkdir(exist_ok=True)
    source = pathlib.Path(__file__).resolve().parent / "echo.c"
    subprocess.run(["gcc", "-static", "-Os", "-o", ECHO, source], check=True)


def make_initramfs():
    path = GUESTS / "initramfs"
    if not path.exists():
        directory, program = stat.S_IFDIR | 0o755, stat.S_IFREG | 0o755
        files = {name: (directory, b"")
                 for name in ("bin", "dev", "proc", "sys", "tmp")}
        files["bin/busybox"] = (program,
                                pathlib.Path("/bin/busybox").read_bytes())
        files["init"] = (program, INIT.encode())
        if ECHO.exists():
            files["bin/echo-udp"] = (program, ECHO.read_bytes())
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(archive(files))
    return path


class Guest(Qemu):
    """Runs where its port is: in `netns`, or None for the host itself."""

    def __init__(self, name, port, mac, address, *, netns=None, vhost=False,
                 incoming=False, paused=False, vmstate=None):
        prefix = ["ip", "netns", "exec", netns] if netns else []
        shown = subprocess.run(
            [*prefix, "cat", f"/sys/class/net/{port}/ifindex"],
            check=True, capture_output=True, text=True)
        super().__init__(
            name, GUESTS / name, [
                "-kernel", os.environ["VMQ_GUEST_KERNEL"],
                "-initrd", str(make_initramfs()),
                "-append", f"console=ttyS0 quiet address={address}",
                "-netdev", "tap,id=port,fd=3" + (",vhost=on" if vhost else ""),
                "-device", f"virtio-net-pci,netdev=port,mac={mac},romfile=",
                *(["-incoming", "defer"] if incoming else []),
                *(["-S"] if paused else []),
                *(["-object", "dbus-vmstate,id=vmq,addr=unix:path="
                   f"{vmstate.path}"] if vmstate else [])],
            redirect=f"3<>/dev/tap{shown.stdout.strip()}", prefix=prefix)

    def boot(self, timeout=480):
        """Start it, and wait until its shell answers."""
        self.start()
        deadline = time.monotonic() + timeout
        try:
            while self.shell.line(deadline) != UP:
                pass
        except GuestError as error:
            raise GuestError(f"guest {self.name}: {error}\n"
                             f"{self.logs()}") from None


def begin_migration(source, destination, pause=False, bandwidth=None):
    """From one QEMU process to another, `incoming`, one; with `pause` it stops
    at "pre-switchover": the guest has stopped, and nothing of its devices was
    saved."""
    uri = f"unix:{GUESTS}/migration"
    destination.qmp("migrate-incoming", uri=uri)
    if bandwidth:
        source.qmp("migrate-set-parameters", **{"max-bandwidth": bandwidth})
    source.qmp("migrate-set-capabilities", capabilities=[
        {"capability": "pause-before-switchover", "state": pause}])
    source.qmp("migrate", uri=uri)


def live_migrate(source, destination, while_paused=None, bandwidth=None):
    """Move the guest between two QEMU processes, the second one `incoming`.

    while_paused() is called when the guest has stopped at the source and
    before it goes on at the destination. -> what the source's QEMU says
    """
    begin_migration(source, destination, bool(while_paused), bandwidth)
    if while_paused:
        source.wait_migration("pre-switchover")
        while_paused()
        source.qmp("migrate-continue", state="pre-switchover")
    shown = source.wait_migration("completed")
    destination.wait_migration("completed")
    source.kill()
    return shown
