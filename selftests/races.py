#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: uml-debug
"""What unload.test_churn leaves alone, at once and under traffic: uplinks that get new
names, addresses and masters, a bond among them; extensions with frames that wait;
policies, gates, paths, queues and tables of ports; VFs."""

import glob

from lib import (UAPI, Genl, Rtnl, Rule, adapter, attr, attr_str, attr_u8,
                 attr_u16, attr_u32, channels, cmd, defer, ksft_eq, ksft_ge,
                 ksft_main, ksft_pr, ksft_true, nest, pair, run, vmqctl,
                 wait_until)
from lib.ioctl import UDP_V4
from lib.meter import meter_set
from lib.rss import NEW, rss_delete, rss_set, rule_add_context
from lib.vf import set_numvfs
from unload import (ADAPTERS, PORTS, SEED, Churn, Links, Sessions, Traffic,
                    Worker, clean_uplink, faster, leftovers, works)

SECONDS, MOST_SECONDS = 8, 30
MASTERS = ["vmq0", "vmq0", "vmq1", "br0", "bond0"]


class Uplinks(Worker):
    """The devices below adapters, and who else wants them."""

    def uplink(self):
        return self.rng.choice(("up0", "up1", "bond0"))

    def attach(self):
        name, master = self.uplink(), self.rng.choice(MASTERS)
        if master == "bond0":
            self.rtnl.set("up1", up=False)
            name = "up1"
        self.rtnl.set(name, master=master)

    def detach(self):
        self.rtnl.set(self.uplink(), master="")

    def rename(self):
        name = self.uplink()
        self.rtnl.set(name, newname="other0")
        self.rtnl.set("other0", newname=name)

    def address(self):
        # perhaps that of a port
        self.rtnl.set(self.uplink(), address="52:54:00:00:00:"
                                             f"{self.rng.randrange(1, 20):02x}")

    def mtu(self):
        self.rtnl.set(self.uplink(), mtu=self.rng.choice((600, 1500, 3000)))

    def flap(self):
        name = self.uplink()
        self.rtnl.set(name, up=False)
        self.rtnl.set(name, up=True)

    def remake_bond(self):
        self.rtnl.delete("bond0")
        self.rtnl.add("bond0", "bond")
        self.rtnl.set("bond0", up=True)


class Settings(Worker):
    """What is set of adapters, ports and their extensions."""

    def __init__(self, rng):
        super().__init__(rng)
        self.genl = Genl()

    def close(self):
        self.genl.close()
        super().close()

    def extension(self):
        self.genl.call(UAPI["VMQ_CMD_EXT_SET"],
                       attr_str(UAPI["VMQ_A_EXT_DEV"], self.adapter()),
                       attr_str(UAPI["VMQ_A_EXT_NAME"], self.rng.choice(
                           ("acl", "guard", "meter"))),
                       attr_u8(UAPI["VMQ_A_EXT_ENABLED"],
                               self.rng.random() < 0.8))

    def meter(self):
        meter_set(self.port(), self.genl, tx_rate=8000, tx_burst=2000, shape=1)

    def meter_clear(self):
        meter_set(self.port(), self.genl, clear=True)

    def guard(self):
        binding = nest(UAPI["VMQ_A_GUARD_ADD"], attr(
            UAPI["VMQ_A_GUARD_BINDING_IP"],
            bytes((10, 0, 0, self.rng.randrange(1, 20)))))
        self.configure("guard", binding, attr_u32(
            UAPI["VMQ_A_GUARD_CHECKS"], self.rng.randrange(128)))

    def guard_flush(self):
        self.configure("guard", attr(UAPI["VMQ_A_GUARD_FLUSH_STATIC"]),
                       attr(UAPI["VMQ_A_GUARD_FLUSH_LEARNED"]))

    def configure(self, name, *config):
        self.genl.call(UAPI["VMQ_CMD_EXT_PORT_SET"],
                       attr_str(UAPI["VMQ_A_EXT_PORT_DEV"], self.port()),
                       attr_str(UAPI["VMQ_A_EXT_PORT_NAME"], name),
                       attr(UAPI["VMQ_A_EXT_PORT_CONFIG"], b"".join(config)))

    def port_set(self, *attributes):
        self.genl.call(UAPI["VMQ_CMD_PORT_SET"],
                       attr_str(UAPI["VMQ_A_PORT_DEV"], self.port()),
                       *attributes)

    def policy(self):
        rng = self.rng
        self.port_set(
            attr_u16(UAPI["VMQ_A_PORT_VLAN"], rng.randrange(3)),
            attr_str(UAPI["VMQ_A_PORT_TRUNK"], rng.choice(("", "1-2", "0,2"))),
            attr_u8(UAPI["VMQ_A_PORT_ISOLATE"], rng.randrange(2)),
            attr_u8(UAPI["VMQ_A_PORT_SPOOFCHK"], rng.randrange(2)))

    def no_policy(self):
        self.port_set(attr_u16(UAPI["VMQ_A_PORT_VLAN"], 0),
                      attr_str(UAPI["VMQ_A_PORT_TRUNK"], ""),
                      attr_u8(UAPI["VMQ_A_PORT_SPOOFCHK"], 0))

    def gate(self):
        self.port_set(attr_u32(UAPI["VMQ_A_PORT_GATE"], self.rng.randrange(3)))

    def gate_open(self):
        self.port_set(attr_u32(UAPI["VMQ_A_PORT_GATE"], 0))

    def redirect(self):
        self.port_set(attr_str(UAPI["VMQ_A_PORT_REDIRECT"], self.rng.choice(
            ("", "", "wire1", "bond0", *PORTS))))

    def path(self):
        self.port_set(attr_u32(UAPI["VMQ_A_PORT_PATH_POLICY"],
                               self.rng.randrange(3)))

    def private(self):
        self.genl.call(UAPI["VMQ_CMD_ADAPTER_SET"],
                       attr_str(UAPI["VMQ_A_ADAPTER_DEV"], self.adapter()),
                       attr_u8(UAPI["VMQ_A_ADAPTER_PRIVATE"],
                               self.rng.random() < 0.2))

    def port_queues(self):
        channels(self.port(), self.rng.randrange(1, 4))

    def port_table(self):
        rss_set(self.port(), self.rng.choice(([], [0], [0, 1], [2, 1])))

    def context(self):
        name = self.adapter()
        table = self.rng.sample(range(1, 8), 2)
        context = rss_set(name, table, context=NEW)
        rule_add_context(name, Rule(UDP_V4, self.rng.randrange(2)).dst_port(
            self.rng.randrange(1, 10)), context)

    def no_context(self):
        rss_delete(self.adapter(), self.rng.randrange(1, 4))

    def vfs(self):
        set_numvfs(self.rng.randrange(3), self.adapter())

    def vf_up(self):
        self.rtnl.set(f"{self.adapter()}v{self.rng.randrange(2)}", up=True)


class Ports(Links):
    """Ports with several queues, so that there is something to change."""

    def add_port(self):
        self.rtnl.add(self.port(), "vmqport", link=self.adapter(), rxq=3, txq=3,
                      address=f"52:54:00:00:00:{self.rng.randrange(1, 9):02x}")
        self.rtnl.set(self.port(), up=True)


PORT_WORK = {"add_port": 8, "delete_port": 2, "up_port": 4, "address": 2,
             "away_and_back": 1, "add_adapter": 3, "delete_adapter": 1,
             "up_adapter": 2}
UPLINK_WORK = {"attach": 6, "detach": 2, "rename": 2, "address": 2, "mtu": 2,
               "flap": 1, "remake_bond": 1}
SETTINGS = {"extension": 4, "meter": 4, "meter_clear": 1, "guard": 3,
            "guard_flush": 1, "policy": 2, "no_policy": 2, "gate": 2,
            "gate_open": 2, "redirect": 1, "path": 2, "private": 1,
            "port_queues": 3, "port_table": 2, "context": 2, "no_context": 1,
            "vfs": 1, "vf_up": 2}
SESSION_WORK = {"save": 4, "save_part": 1, "restore": 4, "give_up": 2,
                "abort": 1}
# None is sent by a tap: where its frames wait in the shaper as it closes, the last one
# ends its socket in softirq, which lockdep takes for a deadlock: tap.ko takes the lock
# of a ring that nobody has any more. A qdisc below a macvtap does the same.
TRAFFIC = {"wire": 8, "host": 2, "guest": 10, "open_tap": 2, "close_tap": 1,
           "read_tap": 2}
MUST = ("add_port delete_port attach rename extension meter guard policy gate "
        "port_queues save restore vfs open_tap remake_bond").split()


def test_settings():
    """Everything at once, at random (VMQ_SEED makes it the same again)."""
    ksft_pr(f"VMQ_SEED={SEED}")
    rtnl = Rtnl()
    pair("up0", "wire0")
    pair("up1", "wire1")
    for name, kind in (("br0", "bridge"), ("bond0", "bond")):
        rtnl.add(name, kind)
        defer(run, f"ip link del {name}")
        rtnl.set(name, up=True)
    cmd("ip netns add churn")
    defer(run, "ip netns delete churn")
    for name in ADAPTERS:
        adapter(name, rxq=12)
        channels(name, 12)
    faster()
    churn = Churn()
    for worker, operations in ((Ports, PORT_WORK), (Uplinks, UPLINK_WORK),
                               (Settings, SETTINGS), (Settings, SETTINGS),
                               (Sessions, SESSION_WORK), (Traffic, TRAFFIC),
                               (Traffic, TRAFFIC)):
        churn.start(worker, operations)
    churn.join(SECONDS, MUST, MOST_SECONDS)
    ksft_eq(churn.wrong[:5], [])
    for title, counted in (("", churn.done), ("refused: ", churn.refused)):
        ksft_pr(title + " ".join(f"{name}:{count}" for name, count
                                 in sorted(counted.items())))
    for name in MUST:
        ksft_ge(churn.done[name], 1, name)

    for what in ("adapter", "queue", "filter", "port", "ext", "vf"):
        vmqctl(f"{what} show")
    for name in ADAPTERS:
        if rtnl.exists(name):
            rtnl.delete(name)
    cmd("ip netns delete churn")
    wait_until(lambda: not glob.glob("/dev/tap*"))
    ksft_eq(leftovers(), [])
    for name in ("up0", "up1"):
        rtnl.set(name, master="")
        ksft_true(clean_uplink(name), name)
    works()


if __name__ == "__main__":
    ksft_main(globals())
