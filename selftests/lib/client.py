# SPDX-License-Identifier: GPL-2.0
"""Queues and filters over netlink: a client is a socket, and owns what it
allocates."""


from .netlink import UAPI, Genl, attr, attr_str, attr_u16, attr_u32, nest, \
    parse_attrs

STATES = ("undefined", "allocated", "set", "running", "paused", "stop-dma",
          "freeing")


def _number(data):
    return int.from_bytes(data, "little")


def match(prefix, mac_address, vlan=None, untagged=False):
    """Attributes of what a filter matches, in the set with this prefix."""
    found = [attr(UAPI[f"{prefix}_MAC"], mac_address)]
    if vlan is not None:
        found.append(attr_u16(UAPI[f"{prefix}_VLAN"], vlan))
    if untagged:
        found.append(attr(UAPI[f"{prefix}_UNTAGGED"]))
    return found


class Client(Genl):
    """A netlink socket that asks for queues and filters of one adapter."""

    def __init__(self, dev="vmq0"):
        super().__init__()
        self.dev = dev

    def ask(self, command, *attributes, dump=False):
        return self.call(UAPI[f"VMQ_CMD_{command}"], attr_str(2, self.dev),
                         *attributes, dump=dump)

    @staticmethod
    def _statuses(kind, answers):
        """[(id, errno, message)] of the entries"""
        found = []
        for answer in answers:
            for number, data in answer:
                if number != UAPI[f"VMQ_A_{kind}_STATUS"]:
                    continue
                fields = dict(parse_attrs(data))
                found.append((_number(fields[1]), _number(fields[2]),
                              fields.get(3, b"").rstrip(b"\0").decode()))
        return found

    # -- queues

    def queue_new(self, *attributes, keep=False):
        """-> id"""
        if keep:
            attributes += (attr(UAPI["VMQ_A_QUEUE_KEEP"]),)
        [answer] = self.ask("QUEUE_NEW", *attributes)
        return _number(dict(answer)[UAPI["VMQ_A_QUEUE_ID"]])

    def complete(self, *ids):
        """[(id, errno, message)]"""
        return self._statuses("QUEUE", self.ask("QUEUE_COMPLETE", *[
            attr_u32(UAPI["VMQ_A_QUEUE_IDS"], each) for each in ids]))

    def queue_del(self, queue):
        self.ask("QUEUE_DEL", attr_u32(UAPI["VMQ_A_QUEUE_ID"], queue))

    def state(self, queue):
        [answer] = self.ask("QUEUE_GET", attr_u32(UAPI["VMQ_A_QUEUE_ID"],
                                                  queue))
        return STATES[_number(dict(answer)[UAPI["VMQ_A_QUEUE_STATE"]])]

    def queues(self, mine=False):
        """ids"""
        flag = [attr(UAPI["VMQ_A_QUEUE_MINE"])] if mine else []
        return [_number(dict(each)[UAPI["VMQ_A_QUEUE_ID"]])
                for each in self.ask("QUEUE_GET", *flag, dump=True)]

    # -- filters

    def filter_new(self, queue, mac_address, keep=False, **what):
        """-> id"""
        more = [attr(UAPI["VMQ_A_FILTER_KEEP"])] if keep else []
        [answer] = self.ask("FILTER_NEW",
                            attr_u32(UAPI["VMQ_A_FILTER_QUEUE"], queue),
                            *match("VMQ_A_FILTER", mac_address, **what), *more)
        return _number(dict(answer)[UAPI["VMQ_A_FILTER_ID"]])

    def filters_new(self, entries, queue=None, keep=False):
        """Each entry is (queue or None, MAC, dict); [(id, errno, message)]"""
        more = [attr(UAPI["VMQ_A_FILTER_KEEP"])] if keep else []
        if queue is not None:
            more.append(attr_u32(UAPI["VMQ_A_FILTER_QUEUE"], queue))
        for own, mac_address, what in entries:
            fields = match("VMQ_A_FILTER_ENTRY", mac_address, **what)
            if own is not None:
                fields.append(attr_u32(UAPI["VMQ_A_FILTER_ENTRY_QUEUE"], own))
            more.append(nest(UAPI["VMQ_A_FILTER_ENTRY"], *fields))
        return self._statuses("FILTER", self.ask("FILTER_NEW", *more))

    def filter_move(self, number, queue, source=None):
        more = [] if source is None else \
            [attr_u32(UAPI["VMQ_A_FILTER_FROM"], source)]
        self.ask("FILTER_MOVE", attr_u32(UAPI["VMQ_A_FILTER_ID"], number),
                 attr_u32(UAPI["VMQ_A_FILTER_QUEUE"], queue), *more)

    def filter_del(self, number, queue=None):
        more = [] if queue is None else \
            [attr_u32(UAPI["VMQ_A_FILTER_QUEUE"], queue)]
        self.ask("FILTER_DEL", attr_u32(UAPI["VMQ_A_FILTER_ID"], number),
                 *more)

    def filters_del(self, numbers):
        """[(id, errno, message)]"""
        return self._statuses("FILTER", self.ask("FILTER_DEL", *[
            attr_u32(UAPI["VMQ_A_FILTER_IDS"], each) for each in numbers]))

    def filters(self, queue=None):
        """{id: queue}, None for one that drops"""
        more = [] if queue is None else \
            [attr_u32(UAPI["VMQ_A_FILTER_QUEUE"], queue)]
        found = {}
        for each in self.ask("FILTER_GET", *more, dump=True):
            fields = dict(each)
            at = fields.get(UAPI["VMQ_A_FILTER_QUEUE"])
            found[_number(fields[UAPI["VMQ_A_FILTER_ID"]])] = \
                None if at is None else _number(at)
        return found


class Events(Genl):
    """A socket that listens to the group events."""

    def __init__(self):
        super().__init__()
        self.join(self.groups["events"])

    def read(self):
        """[(command, attributes)] of what came so far"""
        found = []
        self.sock.settimeout(0.2)
        while True:
            try:
                messages = self.receive()
            except (TimeoutError, BlockingIOError):
                return found
            for _, _, _, payload in messages:
                found.append((payload[0], parse_attrs(payload[4:])))

    def stopped(self):
        """Queues whose DMA stopped: [(id, state)]"""
        return [(_number(dict(attrs)[UAPI["VMQ_A_QUEUE_ID"]]),
                 STATES[_number(dict(attrs)[UAPI["VMQ_A_QUEUE_STATE"]])])
                for command, attrs in self.read()
                if command == UAPI["VMQ_CMD_QUEUE_NTF"]]
