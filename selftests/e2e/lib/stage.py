# SPDX-License-Identifier: GPL-2.0
"""What the test machine is made into: two hosts, and a station elsewhere.

    host 1   the machine's own network namespace; its uplink is eth0 (igb)
    host 2   the namespace "host2"; its uplink is eth1 (igb)
    station  the namespace "station", on eth2 (virtio): a peer for the guests

The wires of the three NICs end outside of the machine, in switch.py.
"""

import contextlib
import ctypes
import glob
import hashlib
import os
import re
import socket
import subprocess
import threading
import time

HOST = {1: "192.0.2.1", 2: "192.0.2.2"}
GUEST = {1: "192.0.2.11", 2: "192.0.2.12"}
MAC = {1: "52:54:00:00:00:11", 2: "52:54:00:00:00:12"}
STATION = "192.0.2.99"

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


class CommandError(Exception):
    pass


def sh(command, check=True, timeout=240):
    """Run a shell command; -> what it printed, errors included."""
    result = subprocess.run(command, shell=True, text=True, timeout=timeout,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, check=False)
    if check and result.returncode:
        raise CommandError(f"{command}: status {result.returncode}\n"
                           f"{result.stdout}")
    return result.stdout


def wait_for(what, condition, timeout=90):
    """Until condition() is true; -> its value. Raises with `what`."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not after {timeout} s: {what}")
        time.sleep(0.1)
    return value


@contextlib.contextmanager
def netns(name):
    """This thread in another namespace; sockets made there stay there."""
    def enter(path):
        with open(path, "rb") as handle:
            if libc.setns(handle.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"setns {path}")

    with open("/proc/thread-self/ns/net", "rb") as before:
        enter(f"/run/netns/{name}")
        try:
            yield
        finally:
            libc.setns(before.fileno(), CLONE_NEWNET)


def module_commands():
    """Shell commands that load KVM, where the CPU has it, and the modules as
    they were built, with what they depend on."""
    directory = f"{os.environ['VMQ_BUILD']}/drivers/net/vmq"
    paths = [f"{directory}/vmq.ko",
             *sorted(glob.glob(f"{directory}/ext/vmq_*.ko"))]
    depends = ",".join(sh(f"modinfo -F depends {path}").strip()
                       for path in paths).split(",")
    others = sorted({name for name in depends if name} - {"vmq"})
    return ["modprobe -q kvm_amd || modprobe -q kvm_intel || true",
            f"modprobe -a vhost_net {' '.join(others)}",
            *(f"insmod {path}" for path in paths)]


def station_commands():
    return ["ip netns add station",
            "ip link set eth2 netns station",
            f"ip -n station addr add {STATION}/24 dev eth2",
            "ip -n station link set eth2 up"]


def host2_commands():
    return ["ip netns add host2",
            "ip link set eth1 netns host2"]


def adapter_commands(uplink, address):
    return ["ip link add vmq0 type vmq",
            f"ip link set {uplink} master vmq0",
            f"ip link set {uplink} up",
            f"ip addr add {address}/24 dev vmq0",
            "ip link set vmq0 up"]


def counters(device, namespace=None):
    """ethtool -S, as {name: value}."""
    prefix = f"ip netns exec {namespace} " if namespace else ""
    shown = sh(f"{prefix}ethtool -S {device}")
    return {name: int(value) for name, value in
            re.findall(r"^\s*(\S+): (\d+)$", shown, re.M)}


# -- TCP

def pattern(size):
    """Bytes that differ from one place to the next."""
    block = b"".join(number.to_bytes(4, "big") for number in range(1 << 16))
    return (block * (size // len(block) + 1))[:size]


class Server:
    """In a namespace: takes what clients send and answers with its SHA-256
    (port 9001), or sends them `data` (port 9002)."""

    SINK, SOURCE = 9001, 9002

    def __init__(self, namespace, data=b""):
        self.data = data
        self.sha256 = hashlib.sha256(data).hexdigest()
        with netns(namespace):
            for port, handler in ((self.SINK, self.sink),
                                  (self.SOURCE, self.source)):
                listener = socket.create_server(("", port))
                threading.Thread(target=self.serve, args=(listener, handler),
                                 daemon=True).start()

    @staticmethod
    def serve(listener, handler):
        while True:
            connection, _ = listener.accept()
            connection.settimeout(240)
            with connection, contextlib.suppress(OSError):
                handler(connection)

    @staticmethod
    def sink(connection):
        digest = hashlib.sha256()
        while data := connection.recv(1 << 18):
            digest.update(data)
        connection.sendall(digest.hexdigest().encode() + b"\n")

    def source(self, connection):
        connection.sendall(self.data)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)       # until the client has read all of it


class Echo:
    """A TCP connection from a namespace to an echo service.

    `sent` and `received` count its bytes.
    """

    def __init__(self, namespace, address, port, timeout=40):
        with netns(namespace):
            self.socket = socket.create_connection((address, port), timeout)
        self.sent = self.received = 0

    def exchange(self, lines=10, timeout=90):
        """Send lines and get them all back, or raise TimeoutError."""
        text = b"".join(b"%d: a line that is to come back\n" % (self.sent + n)
                        for n in range(lines))
        self.begin(text)
        self.end(text, timeout)

    def begin(self, text):
        self.socket.sendall(text)
        self.sent += len(text)

    def end(self, text, timeout):
        deadline = time.monotonic() + timeout
        got = b""
        while len(got) < len(text):
            self.socket.settimeout(max(deadline - time.monotonic(), 0.01))
            data = self.socket.recv(len(text) - len(got))
            if not data:
                raise ConnectionError("the other end closed the connection")
            got += data
            self.received += len(data)
        if got != text:
            raise AssertionError("something else came back")

    def pair(self):
        """Both ends' addresses and ports."""
        return self.socket.getsockname(), self.socket.getpeername()

    def close(self):
        self.socket.close()


class Pulse(threading.Thread):
    """Lines back and forth on a connection, over and over."""

    def __init__(self, connection, timeout=120):
        super().__init__(daemon=True)
        self.connection, self.timeout = connection, timeout
        self.longest, self.rounds, self.error = 0.0, 0, None
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.wait(0.05):
            begin = time.monotonic()
            try:
                self.connection.exchange(lines=1, timeout=self.timeout)
            except (OSError, AssertionError) as error:
                self.error = error
                return
            self.rounds += 1
            self.longest = max(self.longest, time.monotonic() - begin)

    def stop(self):
        """Raises if the connection broke."""
        self.stopped.set()
        self.join()
        if self.error:
            raise AssertionError(f"the connection broke: {self.error!r}")


class Counter(threading.Thread):
    """Numbered datagrams to an echo, and what came back of them."""

    def __init__(self, namespace, address, port, interval=0.02):
        super().__init__(daemon=True)
        with netns(namespace):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((address, port))
        self.socket.setblocking(False)
        self.interval = interval
        self.sent, self.last, self.twice, self.late = 0, 0, 0, 0
        self.got, self.missed = set(), set()
        self.lock = threading.Lock()
        self.stopped = threading.Event()

    def receive(self):
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while True:
                number = int.from_bytes(self.socket.recv(2048)[:8], "big")
                with self.lock:
                    self.twice += number in self.got
                    self.late += number < self.last
                    self.got.add(number)
                self.last = max(self.last, number)

    def run(self):
        while not self.stopped.wait(self.interval):
            with contextlib.suppress(OSError):
                self.socket.send(self.sent.to_bytes(8, "big") + bytes(64))
                self.sent += 1
            self.receive()

    def lost(self):
        """What did not come back and was not told before, of what was sent
        until now."""
        until, behind = self.sent, 0
        deadline = time.monotonic() + 60
        # what is so much older than others that came will not come
        while time.monotonic() < deadline and behind < 100:
            with self.lock:
                missing = set(range(until)) - self.got
                behind = sum(number >= until for number in self.got)
            if not missing:
                break
            time.sleep(0.1)
        new, self.missed = missing - self.missed, missing
        return sorted(new)

    def stop(self):
        self.stopped.set()
        self.join()


def connects(namespace, address, port, timeout=3):
    """Can a new connection be made? A silent drop is a no, too."""
    try:
        Echo(namespace, address, port, timeout).close()
    except OSError:
        return False
    return True
