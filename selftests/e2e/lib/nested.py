# SPDX-License-Identifier: GPL-2.0
"""A guest: QEMU inside the test machine, on /dev/tapN of a port.

The guest is a small kernel of ours and busybox. Its second serial port is a
shell that run() talks to; its first is the console, in a file.
"""

import json
import os
import pathlib
import shlex
import signal
import socket
import stat
import subprocess
import sys
import time

CLONE = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(CLONE / "tools/testvm"))
# pylint: disable=wrong-import-position
from initramfs import archive

# busybox sh finds its applets by itself: no links to make, which takes long
INIT = b"""#!/bin/busybox sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmpfs /tmp
ip link set lo up
ip addr add $address dev eth0
ip link set eth0 up
cd /tmp
stty -F /dev/ttyS1 raw -echo
echo guest is up >/dev/ttyS1
while :; do busybox sh </dev/ttyS1 >/dev/ttyS1 2>&1; done
"""
UP = "guest is up"
END = "end-of-command"


def make_initramfs(path):
    """The guest's root: busybox and INIT."""
    directory, program = stat.S_IFDIR | 0o755, stat.S_IFREG | 0o755
    files = {name: (directory, b"")
             for name in ("bin", "dev", "proc", "sys", "tmp")}
    files["bin/busybox"] = (program, pathlib.Path("/bin/busybox").read_bytes())
    files["init"] = (program, INIT)
    pathlib.Path(path).write_bytes(archive(files))


class GuestError(Exception):
    pass


class Channel:
    """Lines over a unix socket on which QEMU listens."""

    def __init__(self, path, deadline):
        self.socket = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self.socket.connect(str(path))
                break
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > deadline:
                    raise GuestError(f"no {path}") from None
                time.sleep(0.05)
        self.rest = b""

    def send(self, text):
        self.socket.sendall(text.encode())

    def line(self, deadline):
        """The next line, without its end."""
        while b"\n" not in self.rest:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.01))
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                raise GuestError("no answer in time; so far: "
                                 f"{self.rest[-200:]!r}") from None
            if not data:
                raise GuestError("QEMU has ended")
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode(errors="replace").rstrip("\r")


class Guest:
    """One QEMU process; where it runs is `netns`, None for the host itself."""

    def __init__(self, name, port, address, mac, *, netns=None, vhost=False,
                 incoming=False, memory=64):
        self.name, self.port, self.netns = name, port, netns
        self.directory = pathlib.Path("/run/guests") / name
        self.directory.mkdir(parents=True, exist_ok=True)
        initramfs = self.directory.parent / "initramfs"
        if not initramfs.exists():
            make_initramfs(initramfs)
        tap = self.tap()
        self.command = [
            "qemu-system-x86_64", "-M", "pc", "-accel", "tcg", "-cpu",
            "qemu64", "-m", str(memory), "-nodefaults", "-display", "none",
            "-kernel", os.environ["VMQ_GUEST_KERNEL"],
            "-initrd", str(initramfs),
            "-append", f"console=ttyS0 quiet panic=-1 address={address}",
            "-no-reboot",
            "-serial", f"file:{self.directory}/console",
            "-serial", f"unix:{self.directory}/shell,server,nowait",
            "-qmp", f"unix:{self.directory}/qmp,server,nowait",
            "-netdev", "tap,id=port,fd=3" + (",vhost=on" if vhost else ""),
            "-device", f"virtio-net-pci,netdev=port,mac={mac},romfile=",
        ]
        if incoming:
            self.command += ["-incoming", "defer"]
        self.shell_command = shlex.join(self.command) + f" 3<>{tap}"
        self.process = self.shell = self.qmp_channel = None

    def inside(self, *command):
        """A command line, where the guest's QEMU runs."""
        prefix = ["ip", "netns", "exec", self.netns] if self.netns else []
        return prefix + list(command)

    def tap(self):
        """/dev/tapN of the port."""
        shown = subprocess.run(
            self.inside("cat", f"/sys/class/net/{self.port}/ifindex"),
            check=True, capture_output=True, text=True)
        return f"/dev/tap{shown.stdout.strip()}"

    # -- the process

    def start(self):
        self.process = subprocess.Popen(
            self.inside("sh", "-c", f"exec {self.shell_command}"),
            stdin=subprocess.DEVNULL,
            stderr=open(self.directory / "stderr", "wb"))
        return self

    def wait_ready(self, timeout=60):
        """Until the guest's shell answers; -> seconds it took."""
        begin = time.monotonic()
        try:
            self.connect_shell(begin + timeout)
            while self.shell.line(begin + timeout) != UP:
                pass
        except GuestError as error:
            raise GuestError(f"guest {self.name}: {error}\n"
                             f"{self.logs()}") from None
        return time.monotonic() - begin

    def logs(self):
        return "".join(
            (self.directory / name).read_text(errors="replace")[-2000:]
            for name in ("stderr", "console")
            if (self.directory / name).exists())

    def kill(self):
        """Without warning, as a crash would."""
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    # -- the guest's shell

    def connect_shell(self, deadline):
        self.shell = Channel(self.directory / "shell", deadline)

    def run(self, command, timeout=30, check=True):
        """Run it in the guest's shell; -> what it printed."""
        deadline = time.monotonic() + timeout
        self.shell.send(f"{{ {command}\n}} </dev/null; echo {END} $?\n")
        lines = []
        while True:
            line = self.shell.line(deadline)
            before, found, status = line.partition(END)
            if found:
                break
            lines.append(line)
        output = "\n".join(lines + ([before] if before else []))
        if check and status.strip() != "0":
            raise GuestError(f"in {self.name}: {command}: "
                             f"status{status}\n{output}")
        return output

    # -- QEMU's own socket

    def qmp(self, command, timeout=30, **arguments):
        deadline = time.monotonic() + timeout
        if not self.qmp_channel:
            self.qmp_channel = Channel(self.directory / "qmp", deadline)
            self.qmp_channel.line(deadline)
            self.qmp("qmp_capabilities")
        request = {"execute": command, "arguments": arguments}
        self.qmp_channel.send(json.dumps(request) + "\n")
        while True:
            answer = json.loads(self.qmp_channel.line(deadline))
            if "error" in answer:
                raise GuestError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
