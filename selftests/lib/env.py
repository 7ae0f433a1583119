# SPDX-License-Identifier: GPL-2.0
"""Devices, network namespaces and programs for tests."""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import tempfile
import time

from .ksft import KsftFailEx, defer, wait_until
from .rtnl import Rtnl

CLONE_NEWNET, CLONE_NEWUSER = 0x40000000, 0x10000000
_libc = ctypes.CDLL(None, use_errno=True)


def machine():
    return os.environ.get("VMQ_MACHINE", "")


def read_file(path):
    with open(path, encoding="utf-8") as stream:
        return stream.read().strip()


def set_sysctl(name, value):
    with open(f"/proc/sys/{name}", "w", encoding="utf-8") as stream:
        stream.write(str(value))


# -- programs

programs = {"count": 0, "seconds": 0.0}     # they are what takes long in UML


def run(*command, **options):
    """-> subprocess.CompletedProcess, output as text"""
    if len(command) == 1 and isinstance(command[0], str):
        command = command[0].split()
    options.setdefault("text", True)
    begin = time.monotonic()
    try:
        return subprocess.run([str(each) for each in command], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=120, **options)
    finally:
        programs["count"] += 1
        programs["seconds"] += time.monotonic() - begin


def cmd(*command, **options):
    """Output of a program that has to work."""
    done = run(*command, **options)
    if done.returncode:
        raise KsftFailEx(f"{done.args}: status {done.returncode}: "
                         f"{done.stdout}{done.stderr}")
    return done.stdout


def fail_cmd(*command, **options):
    """(exit status, message) of a program that has to fail."""
    done = run(*command, **options)
    if not done.returncode:
        raise KsftFailEx(f"{done.args}: should have failed: {done.stdout}")
    return done.returncode, done.stderr.strip() or done.stdout.strip()


def ip(arguments):
    return cmd("ip " + arguments)


def ethtool(arguments):
    return cmd("ethtool " + arguments)


def ethtool_refused(arguments):
    """ethtool's message; -N says 0 even where the kernel says no."""
    done = run("ethtool " + arguments)
    if not done.returncode and "Cannot" not in done.stderr:
        raise KsftFailEx(f"ethtool {arguments}: should have failed: "
                         f"{done.stdout}{done.stderr}")
    return done.stderr.strip()


def vmqctl(*arguments, **options):
    """vmqctl -j: the parsed answer"""
    if len(arguments) == 1:
        arguments = arguments[0].split()
    text = cmd("vmqctl", "-j", *arguments, **options)
    return json.loads(text) if text.strip() else None


@contextlib.contextmanager
def monitor():
    """`vmqctl -j monitor`; yields a function that ends it and gives the events.
    """
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(["vmqctl", "-j", "monitor"], stdout=output,
                                   stderr=subprocess.STDOUT)

        def listening():
            inodes = set()
            for number in range(3, 12):
                # files come and go while it starts
                with contextlib.suppress(FileNotFoundError):
                    link = os.readlink(f"/proc/{process.pid}/fd/{number}")
                    if link.startswith("socket:"):
                        inodes.add(link[8:-1])
            for line in read_file("/proc/net/netlink").splitlines()[1:]:
                fields = line.split()
                if fields[-1] in inodes and int(fields[3], 16):
                    return True
            return process.poll() is not None

        wait_until(listening, 10)

        def end():
            if process.poll() is None:
                time.sleep(0.2)
                process.send_signal(signal.SIGINT)
                process.wait(10)
            output.seek(0)
            return [json.loads(line) for line in output if line.strip()]

        try:
            yield end
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


# -- network namespaces

class NetNS:
    """A new network namespace: `with ns:` makes it that of this thread.

    Sockets made in there stay in there; programs started in there too.
    """

    _depth = None

    def __init__(self, lo=True):
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        if _libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        if lo:
            with contextlib.closing(Rtnl()) as rtnl:
                rtnl.up("lo")
        self._set(home)
        os.close(home)
        self.stack = []
        defer(self.close)

    @staticmethod
    def _set(fd):
        if _libc.setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")

    def __enter__(self):
        self.stack.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))
        self._set(self.fd)
        return self

    def __exit__(self, *_):
        fd = self.stack.pop()
        self._set(fd)
        os.close(fd)

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


# -- devices

def _delete(name):
    with contextlib.closing(Rtnl()) as rtnl:
        with contextlib.suppress(OSError):
            rtnl.delete(name)


def quiet(dev):
    """No frames of the host's own: no IPv6 on this device."""
    with contextlib.suppress(OSError):
        set_sysctl(f"net/ipv6/conf/{dev}/disable_ipv6", 1)


def ready(rtnl, *names):
    """Waits until they send: before that, what they are given is lost."""
    for name in names:
        def works(dev=name):
            link = rtnl.get(dev)
            return link["operstate"] == 6 or not link["carrier"]
        wait_until(works, 3, 0.005)


def pair(name="up0", peer="wire0", mtu=None):
    """A wire: frames sent on `peer` arrive on `name`, and the other way."""
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.add_veth(name, peer, mtu)
        defer(_delete, name)
        for each in (name, peer):
            quiet(each)
        rtnl.up(name, peer)
        ready(rtnl, name, peer)


def adapter(name="vmq0", uplink=None, up=True, **options):
    """An adapter that goes with the test, with `uplink` attached."""
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.add(name, "vmq", **options)
        defer(_delete, name)
        quiet(name)
        if uplink:
            rtnl.set(uplink, master=name)
        if up:
            rtnl.up(name)
            ready(rtnl, name)


def port(name="vm1", link="vmq0", number=None, up=True, ns=None, **options):
    """A port; `number` is the last part of its address 52:54:00:00:00:NN.

    `ns` moves it there before it is up.
    """
    if number is not None:
        options["address"] = f"52:54:00:00:{number >> 8:02x}:{number & 255:02x}"
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.add(name, "vmqport", link=link, **options)
        defer(_delete, name)
        if ns is None:
            quiet(name)
            if up:
                rtnl.up(name)
                ready(rtnl, name)
            return
        rtnl.set(name, netns_fd=ns.fd)
    with ns, contextlib.closing(Rtnl()) as rtnl:
        quiet(name)
        if up:
            rtnl.up(name)
            ready(rtnl, name)


def link_info(name):
    with contextlib.closing(Rtnl()) as rtnl:
        return rtnl.get(name)


def link_stats(name):
    """The statistics of `ip -s link`."""
    return link_info(name)["stats"]


def port_queue(name):
    """The first queue of a port."""
    return vmqctl(f"port show dev {name}")[0]["queues"][0]
