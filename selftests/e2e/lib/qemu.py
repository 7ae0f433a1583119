# SPDX-License-Identifier: GPL-2.0
"""A QEMU process that runs a guest: its monitor, and a shell in the guest."""

import json
import pathlib
import shlex
import signal
import socket
import subprocess
import time

END = "end-of-command"


class GuestError(Exception):
    pass


class Channel:
    """Lines over a unix socket on which QEMU listens."""

    def __init__(self, path, timeout=120):
        self.socket = socket.socket(socket.AF_UNIX)
        self.rest = b""
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.socket.connect(str(path))
                return
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > deadline:
                    raise GuestError(f"no {path}") from None
                time.sleep(0.05)

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
            except ConnectionError:
                data = b""
            if not data:
                raise GuestError("QEMU has ended")
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode(errors="replace").rstrip("\r")


class Qemu:
    """The guest's console goes to a file; a virtio port is run()'s shell."""

    def __init__(self, name, directory, options, redirect="", prefix=()):
        self.name, self.directory = name, pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.prefix = list(prefix)       # such as ip netns exec ...
        self.command = shlex.join([
            "qemu-system-x86_64", "-M", "pc", "-accel", "kvm", "-accel", "tcg",
            "-cpu", "qemu64", "-m", "128", "-nodefaults", "-display", "none",
            "-no-reboot", *options,
            "-serial", f"file:{directory}/console",
            "-qmp", f"unix:{directory}/qmp,server,nowait",
            "-chardev", f"socket,id=shell,path={directory}/shell,"
                        "server=on,wait=off",
            "-device", "virtio-serial-pci",
            "-device", "virtserialport,chardev=shell"]) + f" {redirect}"
        self.process = self.shell = self.monitor = None

    def start(self):
        with open(self.directory / "stderr", "wb") as stderr:
            self.process = subprocess.Popen(
                self.prefix + ["sh", "-c", f"exec {self.command}"],
                stdin=subprocess.DEVNULL, stderr=stderr)
        self.monitor = Channel(self.directory / "qmp")
        self.monitor.line(time.monotonic() + 120)
        self.qmp("qmp_capabilities")
        self.shell = Channel(self.directory / "shell")

    def logs(self):
        """What QEMU and the guest's console said last."""
        return "".join(
            (self.directory / name).read_text(errors="replace")[-2000:]
            for name in ("stderr", "console")
            if (self.directory / name).exists())

    def kill(self):
        """Without warning, as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    # -- the guest's shell

    def run(self, command, timeout=120, check=True):
        """Run it in the guest; -> what it printed."""
        self.begin(command)
        return self.end(timeout, check)

    def begin(self, command):
        """Run it in the guest, and do not wait: end() does."""
        self.shell.send(f"{{ {command}\n}} </dev/null; echo {END} $?\n")

    def end(self, timeout=120, check=True):
        deadline = time.monotonic() + timeout
        lines = []
        while True:
            line = self.shell.line(deadline)
            before, found, status = line.partition(END)
            if found:
                break
            lines.append(line)
        output = "\n".join(lines + ([before] if before else []))
        if check and status.strip() != "0":
            raise GuestError(f"in guest {self.name}: status{status}\n{output}")
        return output

    # -- the monitor

    def qmp(self, command, timeout=120, **arguments):
        deadline = time.monotonic() + timeout
        request = {"execute": command, "arguments": arguments}
        self.monitor.send(json.dumps(request) + "\n")
        while True:
            answer = json.loads(self.monitor.line(deadline))
            if "error" in answer:
                raise GuestError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def wait_migration(self, wanted, timeout=240):
        """Until the migration, from here or to here, has that status."""
        deadline = time.monotonic() + timeout
        while True:
            shown = self.qmp("query-migrate")
            status = shown.get("status")
            if status == wanted:
                return shown
            if status == "failed" or time.monotonic() > deadline:
                raise GuestError(f"migration of {self.name}: {shown}\n"
                                 f"{self.logs()}")
            time.sleep(0.05)
