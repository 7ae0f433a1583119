# SPDX-License-Identifier: GPL-2.0
"""Start a machine, carry its output, wait for its end.

A job is the directory OUT/.testvm: `settings` and `command` (shell) tell
the machine's init what to do; it answers with `status`, `dmesg`, `kmemleak`.
"""

import contextlib
import os
import pathlib
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import check_log
import initramfs
import kernels
from cache import CLONE, HERE, Failure, say

DEFAULTS = {             # memory, CPUs
    "uml-plain": ("1G", 1),
    "uml-debug": ("2G", 2),
    "qemu": ("2G", 2),
}
DRIVERS = {"virtio": "virtio_net", "e1000e": "e1000e", "igb": "igb"}
DEVICES = {"virtio": "virtio-net-pci", "e1000e": "e1000e", "igb": "igb"}
OUTSIDE_GRACE = 2        # seconds for the outside command, after the machine
BOOT_SECONDS = 120       # most take 5; QEMU's 9p was seen to hang at the first mount


class Timeout(Exception):
    pass


class NotUp(Exception):
    pass


class Process:
    """A child with a process group of its own, all of which ends when we do.

    (A parent-death signal is not enough: UML has helper processes.)
    """

    def __init__(self, command, **options):
        self.popen = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                      start_new_session=True, **options)
        # reads until the pipe is closed, at the latest by our own death
        self.watchdog = subprocess.Popen(
            ["/bin/sh", "-c", f"read _; kill -s KILL -- -{self.popen.pid}"],
            stdin=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True)

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, number)

    def kill(self):
        """End it and all it has started; harmless when repeated."""
        self.signal(signal.SIGKILL)
        self.popen.wait()
        self.watchdog.kill()
        self.watchdog.wait()


class Pump(threading.Thread):
    """Carries what comes out of a pipe to a log and perhaps to our stdout."""

    def __init__(self, log, live):
        super().__init__(daemon=True)
        self.source, self.sink = os.pipe()
        self.log, self.live = log, live

    def start(self):
        os.close(self.sink)      # the child has it now
        super().start()

    def run(self):
        with open(self.log, "wb", buffering=0) as log:
            while data := os.read(self.source, 65536):
                data = data.replace(b"\r", b"")
                log.write(data)
                if self.live:
                    sys.stdout.buffer.write(data)
                    sys.stdout.buffer.flush()


class Machine:
    """What both kinds have in common. `arguments` come from the parser."""

    def __init__(self, arguments, out, build):
        self.name = arguments.machine
        memory, cpus = DEFAULTS[self.name]
        self.memory = arguments.mem or memory
        self.cpus = arguments.cpus or cpus
        self.arguments = arguments
        self.out = out
        self.job = out / ".testvm"
        self.build = build
        self.wires = []          # [(path here, path of the machine)]

    def write_job(self):
        shutil.rmtree(self.job, ignore_errors=True)
        self.job.mkdir(parents=True)
        modules = kernels.modules_root(self.name)
        settings = {
            "OUT": self.out, "CLONE": CLONE, "MACHINE": self.name,
            "MODULES": modules,
            "DRIVERS": " ".join(DRIVERS[kind] for kind in
                                self.arguments.uplink),
        }
        write_assignments(self.job / "settings", "", settings)

        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        environment = {key: value for key, value in os.environ.items()
                       if key.startswith("VMQ_")}
        environment.update(VMQ_OUT=self.out, VMQ_MACHINE=self.name)
        if self.build:
            environment["VMQ_BUILD"] = self.build
            path = (f"{self.build}/tools/vmqctl:"
                    f"{self.build}/tools/vmq-vmstate:{path}")
        environment.update(PATH=path, PYTHONUNBUFFERED="1",
                           PYTHONDONTWRITEBYTECODE="1")
        write_assignments(self.job / "command", "export ", environment)
        with open(self.job / "command", "a") as stream:
            stream.write(f"cd {shlex.quote(str(CLONE))} || exit 125\n"
                         f"exec {shlex.join(self.arguments.command)}\n")

    def boot_options(self):
        """For the kernel's command line; init-root finds them as variables."""
        for path in (HERE, self.job):
            if any(character.isspace() for character in str(path)):
                raise Failure(f"no blanks in paths, please: {path}")
        return [f"vmq_init={HERE}/init", f"vmq_job={self.job}", "panic=-1",
                # no devices but those that a test makes
                "dummy.numdummies=0", "bonding.max_bonds=0", "ifb.numifbs=0",
                # suites that are linked into the modules run at insmod
                f"kunit.enable={int(self.arguments.test_module)}"]

    def start(self, console, output, stop):
        """Start it; -> Process. To be overridden."""
        raise NotImplementedError

    def run(self):
        """Boot, run the job, wait; -> (inside status or None, outside).

        A machine that does not come up gets a second chance, as nothing has run in it.
        """
        try:
            return self.attempt(BOOT_SECONDS)
        except NotUp:
            say(f"{self.name} did not come up in {BOOT_SECONDS} s; once more")
            return self.attempt(self.arguments.timeout)

    def console(self):
        path = self.out / "console.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait(self, machine, boot):
        """Until it ends; `boot` seconds for it to come up."""
        end = time.monotonic() + self.arguments.timeout
        up = time.monotonic() + boot
        while time.monotonic() < up < end and machine.popen.poll() is None:
            if check_log.START in self.console():
                up = end
            time.sleep(0.2)
        if up < end and machine.popen.poll() is None:
            raise NotUp
        try:
            machine.popen.wait(max(0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Timeout from None

    def attempt(self, boot):
        begin = time.monotonic()
        self.wires = []
        self.write_job()
        scratch = pathlib.Path(tempfile.mkdtemp(prefix="vmq-testvm-"))
        live = not self.arguments.quiet
        console = Pump(self.out / "console.log", False)
        output = Pump(self.out / "output.log", live)
        machine = outside = None
        try:
            machine = self.start(console.sink, output.sink, scratch)
            console.start()
            output.start()
            if self.arguments.outside:
                outside = self.start_outside(live)
            self.wait(machine, boot)
            machine.kill()       # whatever may be left of it
            console.join(5)
            output.join(5)
            outside_status = self.end_outside(outside)
        finally:
            for process in filter(None, (machine, outside)):
                process.kill()
            shutil.rmtree(scratch, ignore_errors=True)
        say(f"{self.name} ended after {time.monotonic() - begin:.1f} s")
        status = self.job / "status"
        return int(status.read_text()) if status.exists() else None, \
            outside_status

    def start_outside(self, live):
        environment = dict(os.environ, VMQ_OUT=str(self.out))
        for number, (here, there) in enumerate(self.wires):
            environment[f"VMQ_WIRE{number}"] = f"{here} {there}"
        options = {}
        if not live:
            log = open(self.out / "outside.log", "wb")
            options = {"stdout": log, "stderr": subprocess.STDOUT}
        return Process(["/bin/sh", "-c", self.arguments.outside],
                       env=environment, cwd=CLONE, **options)

    @staticmethod
    def end_outside(outside):
        """Its status; one that would serve for ever is asked to stop."""
        if not outside:
            return 0
        try:
            return outside.popen.wait(OUTSIDE_GRACE)
        except subprocess.TimeoutExpired:
            outside.signal(signal.SIGTERM)
        try:
            outside.popen.wait(OUTSIDE_GRACE)
        except subprocess.TimeoutExpired:
            pass
        return 0


class Uml(Machine):
    def start(self, console, output, scratch):
        # hostfs has a file open here for each one that is known inside
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        command = [
            str(kernels.build(self.name) / "linux"),
            f"mem={self.memory}", "root=/dev/root", "rootfstype=hostfs",
            "rootflags=/", "ro", f"init={HERE}/init-root",
            "con=null", f"con0=null,fd:{console}", f"con1=null,fd:{output}",
            f"uml_dir={scratch}", "umid=vmq"] + self.boot_options()
        if self.name == "uml-debug":
            # UML has SMP only with seccomp. slab_debug: the allocator's
            # caches of free objects otherwise keep old pointers to objects
            # in use, and kmemleak then misses most leaks.
            command += ["seccomp=on", f"ncpus={self.cpus}", "slab_debug=F"]
        return Process(command, stdout=console, stderr=console,
                       pass_fds=(console, output))


class Qemu(Machine):
    def start(self, console, output, scratch):
        if os.environ.get("ACCEL") == "kvm":
            accelerator = ["-accel", "kvm", "-cpu", "host"]
        else:
            accelerator = ["-accel", "tcg,thread=multi", "-cpu", "max"]
        command = [
            "qemu-system-x86_64", "-M", "q35", *accelerator,
            "-smp", str(self.cpus), "-m", self.memory,
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-kernel", str(kernels.stock() / "vmlinuz"),
            "-initrd", str(initramfs.initramfs()),
            "-append", " ".join(["console=ttyS0"] + self.boot_options()),
            "-device", "virtio-rng-pci",
            # the kernel's console, and the output of the command
            "-chardev", f"file,id=console,path=/proc/self/fd/{console}",
            "-serial", "chardev:console",
            "-chardev", f"file,id=output,path=/proc/self/fd/{output}",
            "-device", "virtio-serial-pci",
            "-device", "virtserialport,chardev=output,name=vmq.output",
            # file systems
            "-fsdev", "local,id=root,path=/,security_model=none,readonly=on,"
                      "multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=root,mount_tag=root",
            "-fsdev", f"local,id=out,path={self.out},security_model=none,"
                      "multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=out,mount_tag=out"]
        for number, kind in enumerate(self.arguments.uplink):
            command += self.uplink(number, kind, scratch)
        return Process(command, stdout=console, stderr=console,
                       pass_fds=(console, output))

    def uplink(self, number, kind, scratch):
        here, there = scratch / f"here{number}", scratch / f"qemu{number}"
        self.wires.append((here, there))
        return [
            "-netdev", f"dgram,id=net{number},"
                       f"local.type=unix,local.path={there},"
                       f"remote.type=unix,remote.path={here}",
            "-device", f"pcie-root-port,id=rp{number},slot={number + 1},"
                       f"chassis={number + 1}",
            "-device", f"{DEVICES[kind]},bus=rp{number},netdev=net{number},"
                       f"mac=52:54:00:76:6d:{16 + number:02x}"
                       + (",romfile=" if kind == "virtio" else "")]


def write_assignments(path, prefix, variables):
    path.write_text("".join(f"{prefix}{name}={shlex.quote(str(value))}\n"
                            for name, value in variables.items()))


def machine(arguments, out, build):
    kind = Qemu if arguments.machine == "qemu" else Uml
    return kind(arguments, out, build)
