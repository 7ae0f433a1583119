# SPDX-License-Identifier: GPL-2.0
"""Extensions in user space: what a process registers, is asked for and answers."""

import contextlib
import struct
import threading

from .netlink import UAPI, Genl, attr, attr_str, attr_u8, attr_u16, attr_u32, \
    parse_attrs

OPS = ("save", "validate", "apply", "complete", "removed")
CHUNK = 16384


def _a(name):
    return UAPI[f"VMQ_A_EXT_USER_{name}"]


def _text(data):
    return data.rstrip(b"\0").decode()


class Request:
    """What the kernel asks for, or tells."""

    def __init__(self, payload):
        found = dict(parse_attrs(payload[4:]))

        def number(name):
            data = found.get(_a(name))
            return None if data is None else int.from_bytes(data, "little")

        self.op = OPS[number("OP")]
        self.id, self.session = number("REQUEST"), number("SESSION")
        self.length, self.ok = number("LENGTH"), number("OK")
        self.version = number("DATA_VERSION")
        self.optional = _a("OPTIONAL") in found
        self.dev = _text(found.get(_a("DEV"), b""))
        self.adapter = _text(found[_a("ADAPTER")])
        self.port_uuid = _text(found.get(_a("PORT_UUID"), b""))

    def __repr__(self):
        return f"{self.op} {self.dev}"


class Agent(Genl):
    """A process that is an extension of one adapter or of several. What it hears
    while it waits for an answer of the kernel is kept."""

    def __init__(self):
        self.heard, self.family = [], None
        super().__init__()

    def register(self, dev, name, uuid, enabled=True, timeout=None, version=None,
                 feature=None, cls=None):
        more = []
        if timeout is not None:
            more.append(attr_u32(_a("TIMEOUT"), timeout))
        if version is not None:
            more.append(attr_u16(_a("DATA_VERSION"), version))
        if feature is not None:
            more.append(attr_str(_a("FEATURE"), feature))
        if cls is not None:
            more.append(attr_u32(_a("CLASS"), cls))
        if enabled:
            more.append(attr_u8(_a("ENABLED"), 1))
        self.call(UAPI["VMQ_CMD_EXT_REGISTER"], attr_str(_a("DEV"), dev),
                  attr_str(_a("NAME"), name), attr_str(_a("UUID"), uuid), *more)

    def unregister(self, dev, name):
        self.call(UAPI["VMQ_CMD_EXT_UNREGISTER"], attr_str(_a("DEV"), dev),
                  attr_str(_a("NAME"), name))

    def receive(self):
        messages = super().receive()
        self.heard += [Request(payload) for kind, _, _, payload in messages
                       if kind == self.family and
                       payload[0] == UAPI["VMQ_CMD_EXT_REQUEST"]]
        return messages

    def next(self, timeout=30):
        """The next request; TimeoutError where there is none."""
        self.sock.settimeout(timeout)
        try:
            while not self.heard:
                self.receive()
        finally:
            self.sock.settimeout(30)
        return self.heard.pop(0)

    def data(self, request):
        """The record that a request is about."""
        parts = b""
        while True:
            [answer] = self.call(UAPI["VMQ_CMD_EXT_READ"],
                                 attr_u32(_a("REQUEST"), request.id),
                                 attr_u32(_a("OFFSET"), len(parts)))
            part = dict(answer)[_a("DATA")]
            parts += part
            if len(part) < CHUNK:
                return parts

    def reply(self, request, data=None, error=0, message=None, optional=False):
        number = request if isinstance(request, int) else request.id
        more = [attr_u32(_a("REQUEST"), number)]
        if data is not None:
            more.append(attr(_a("DATA"), data))
        if error:
            more.append(attr_u32(_a("ERROR"), error))
        if message is not None:
            more.append(attr_str(_a("MESSAGE"), message))
        if optional:
            more.append(attr(_a("OPTIONAL")))
        self.call(UAPI["VMQ_CMD_EXT_ANSWER"], *more)


class Keeper:
    """Serves an agent in a thread: saves what is in .state of a port, by name, and
    puts there what is restored. .log has what happened: (op, port)."""

    def __init__(self, agent, state=None, record=1000):
        self.agent, self.record = agent, record
        self.state = state or {}
        self.left, self.staged, self.log = {}, {}, []
        self.later = []                         # to be served, after all
        self.before = lambda request: True      # False: no answer now
        self.ended = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        with contextlib.suppress(OSError, ValueError, struct.error):
            while not self.ended:
                while self.later:
                    self.serve(self.later.pop())
                try:
                    request = self.agent.next(0.05)
                except TimeoutError:
                    continue
                self.log.append((request.op, request.dev))
                if self.before(request):
                    self.serve(request)

    def serve(self, request):
        key = request.session
        if request.op == "save":
            data = self.left.setdefault(key, self.state.get(request.dev, b""))
            self.left[key] = data[self.record:]
            self.agent.reply(request, data[:self.record] or None)
        elif request.op == "validate":
            self.staged[key] = self.staged.get(key, b"") + \
                self.agent.data(request)
            self.agent.reply(request)
        elif request.op == "apply":
            self.state[request.dev] = self.staged[key]
            self.agent.reply(request)
        elif request.op == "complete":
            self.staged.pop(key, None)
            self.left.pop(key, None)

    def ops(self, dev=None):
        return [op for op, port in self.log if dev in (None, port)]

    def close(self):
        self.ended = True
        if threading.current_thread() is not self.thread:
            self.thread.join()
        self.agent.close()
