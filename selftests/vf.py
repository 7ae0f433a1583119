#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Virtual functions: sysfs, netdevs, and what each setting does to frames."""

import contextlib
import errno
import os
import socket
import struct
import time

from lib import (UAPI, Genl, NetNS, NlError, Raw, Rtnl, adapter, attr, attr_str,
                 attr_u32, build, cmd, defer, ether, fail_cmd, ksft_eq,
                 ksft_ge, ksft_in, ksft_lt, ksft_main, ksft_pr, ksft_raises,
                 ksft_true, link_info, link_stats, mac, machine, monitor, pair,
                 port, run, settle, vmqctl, wait_until)
from lib.acl import DENY, IN, OUT, acl_rule, acl_set, ext_set
from lib.env import quiet
from lib.vf import (add_vfs, device, driver, get_numvfs, set_numvfs, vf_info,
                    vf_set)

ALL = b"\xff" * 6
SO_SNDBUFFORCE = 32
SLOW = machine() == "uml-debug"


def address(dev):
    return bytes.fromhex(link_info(dev)["address"].replace(":", ""))


class World:
    """An adapter with VFs and ports; raw sockets on everything."""

    def __init__(self, vfs=2, ports=(), uplink=True):
        if uplink:
            pair()
        adapter("vmq0", uplink="up0" if uplink else None, rxq=8)
        for number in ports:
            port(f"vm{number}", number=number)
        self.vfs = add_vfs(vfs)
        for number in range(vfs):
            vf_set(number, f"mac 52:54:00:00:01:{number:02x}")
        names = ["vmq0", *self.vfs, *(f"vm{each}" for each in ports)]
        self.raw = {name: Raw(name)
                    for name in names + (["wire0"] if uplink else [])}
        for each in self.raw.values():
            defer(each.close)
        self.number = 0

    def send(self, dev, dst, **options):
        """Who got the frame that `dev` sent: {dev: frame}"""
        self.number += 1
        text = b"vf %d;" % self.number
        for each in self.raw.values():
            each.drain()
        self.raw[dev].send(build(dst, "10.0.0.1", "10.0.0.2", payload=text,
                                 **options))
        settle(0.05 if SLOW else 0.02)
        found = {}
        for name, each in self.raw.items():
            for frame in each.all(0, lambda got: text in got):
                ksft_true(name not in found, f"{name}: once only")
                found[name] = frame
        return found

    def who(self, dev, dst, **options):
        return sorted(self.send(dev, dst, **options))


def vf_mac(number):
    return 0x100 + number


def mac_text(number):
    return f"52:54:00:00:{number >> 8:02x}:{number & 255:02x}"


def refused(number, text):
    """ip link set vmq0 vf N ... has to fail"""
    status, _ = fail_cmd(f"ip link set vmq0 vf {number} {text}")
    ksft_true(status, text)


# -- sysfs

def test_numvfs():
    """S-02: 0 to N and back, refused N to M, out of range and nonsense."""
    adapter("vmq0", rxq=8)
    total = int(open(f"{device()}/sriov_totalvfs", encoding="ascii").read())
    ksft_ge(total, 8)
    ksft_eq(get_numvfs(), 0)
    add_vfs(3, up=False)
    ksft_eq(get_numvfs(), 3)
    for number in range(3):
        vf = f"{device()}/virtfn{number}"
        ksft_true(os.path.samefile(f"{vf}/physfn", device()), "physfn")
        ksft_eq(os.listdir(f"{vf}/net"), [f"vmq0v{number}"])
        ksft_true(os.path.samefile(f"/sys/class/net/vmq0v{number}/device",
                                   vf), "device of the netdev")
    for wrong, number in ((2, errno.EBUSY), (total + 1, errno.ERANGE),
                          (-1, errno.EINVAL), ("x", errno.EINVAL)):
        with ksft_raises(OSError, wrong) as caught:
            set_numvfs(wrong)
        ksft_eq(caught.exception.errno, number, wrong)
    ksft_eq(get_numvfs(), 3)
    set_numvfs(3)
    set_numvfs(0)
    ksft_eq(get_numvfs(), 0)
    ksft_true(not os.path.exists(f"{device()}/virtfn0"))
    with contextlib.closing(Rtnl()) as rtnl:
        ksft_true(not rtnl.exists("vmq0v0"))
    set_numvfs(total)
    ksft_eq(len(vf_list()), total)
    set_numvfs(0)


def vf_list():
    import json
    return json.loads(cmd("ip -j link show dev vmq0"))[0].get("vfinfo_list",
                                                              [])


def test_in_use():
    """S-09: VFs that rules of the administrator lead to are not taken away."""
    adapter("vmq0", rxq=8)
    add_vfs(2, up=False)
    cmd("ethtool -N vmq0 flow-type ether dst 52:54:00:00:00:77 vf 1 loc 3")
    ksft_in("VF 1", cmd("ethtool -n vmq0").replace("vf 1", "VF 1"))
    with ksft_raises(OSError) as caught:
        set_numvfs(0)
    ksft_eq(caught.exception.errno, errno.EBUSY)
    ksft_eq(get_numvfs(), 2)
    cmd("ethtool -N vmq0 delete 3")
    set_numvfs(0)


def test_show():
    """`ip link show vmq0` has a line for each VF with what was set."""
    World(2)
    ksft_eq([each["vf"] for each in vf_list()], [0, 1])
    vf_set(1, "vlan 7 qos 3")
    vf_set(1, "max_tx_rate 100")
    vf_set(1, "spoofchk off")
    vf_set(1, "trust on")
    vf_set(1, "state enable")
    want = {"vf": 1, "address": "52:54:00:00:01:01", "spoofchk": False,
            "trust": True, "link_state": "enable"}
    got = vf_info(1)
    ksft_eq({key: got[key] for key in want}, want)
    ksft_eq(got["vlan_list"][0]["vlan"], 7)
    ksft_eq(got["vlan_list"][0]["qos"], 3)
    ksft_eq(got["rate"]["max_tx"], 100)
    text = cmd("ip link show dev vmq0")
    ksft_in("vf 0 ", text)
    ksft_in("vf 1 ", text)
    for wrong in ("mac 01:00:00:00:00:01", "vlan 4095", "min_tx_rate 10",
                  "vlan 7 proto 802.1ad"):
        refused(0, wrong)
    refused(2, "spoofchk on")
    ksft_eq(vf_info(1)["vlan_list"][0]["vlan"], 7, "nothing changed")


def test_reload():
    """Settings outlive the VF's netdev; counters of the VF do too."""
    world = World(2)
    vf_set(0, "vlan 7")
    ksft_eq(world.who("wire0", vf_mac(0), vlan=7), ["vmq0v0"])
    before = vf_info(0)
    driver("unbind", 0)
    with contextlib.closing(Rtnl()) as rtnl:
        ksft_true(not rtnl.exists("vmq0v0"))
        del world.raw["vmq0v0"]
        ksft_eq(world.who("wire0", vf_mac(0), vlan=7), ["vmq0"],
                "its filter went with it")
        driver("bind", 0)
        quiet("vmq0v0")
        rtnl.up("vmq0v0")
    with Raw("vmq0v0") as again:
        world.raw["vmq0v0"] = again
        ksft_eq(vf_info(0), before)
        ksft_eq(world.who("wire0", vf_mac(0), vlan=7), ["vmq0v0"])
        ksft_eq(vf_info(0)["stats"]["rx"]["packets"],
                before["stats"]["rx"]["packets"] + 1)


def test_delete_adapter():
    """Deleting the adapter takes VFs along, wherever they are."""
    adapter("vmq0", rxq=8)
    add_vfs(2)
    ns = NetNS()
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.set("vmq0v1", netns_fd=ns.fd)
        rtnl.delete("vmq0")
        ksft_true(not rtnl.exists("vmq0v0"))
    with ns, contextlib.closing(Rtnl()) as rtnl:
        ksft_true(not rtnl.exists("vmq0v1"))


def test_netns_returns():
    """A VF goes back to the host when its guest's namespace ends, as NICs do."""
    adapter("vmq0", rxq=8)
    add_vfs(1)
    ns = NetNS()
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.set("vmq0v0", netns_fd=ns.fd)
        ksft_true(not rtnl.exists("vmq0v0"))
        ns.close()
        ksft_true(wait_until(lambda: rtnl.exists("vmq0v0"), 10),
                  "it came back")


# -- frames

def test_paths():
    """V-01, V-29, S-25: wire, host, VFs and ports reach each other."""
    world = World(2, ports=[1])
    names = {"vmq0": None, "vmq0v0": vf_mac(0), "vmq0v1": vf_mac(1), "vm1": 1}
    host = address("vmq0")
    for sender in ("wire0", *names):
        src = {"wire0": 0xfe, "vmq0": host}.get(sender, names.get(sender))
        for receiver, dst in names.items():
            if receiver == sender:
                continue
            ksft_eq(world.who(sender, dst or host, src=src), [receiver],
                    f"{sender} to {receiver}")
        if sender != "wire0":
            ksft_eq(world.who(sender, 0x999, src=src), ["wire0"],
                    f"{sender} to the wire")
        others = sorted(set(world.raw) - {sender})
        ksft_eq(world.who(sender, ALL, src=src), others,
                f"{sender} to all")


def test_counters():
    """`ip -s link` counts a VF's frames, on the VF and on the adapter's line."""
    world = World(2)
    before, link = vf_info(0)["stats"], link_stats("vmq0v0")
    for _ in range(5):
        world.send("wire0", vf_mac(0))
    for _ in range(3):
        world.send("vmq0v0", 0x999, src=vf_mac(0))
    world.send("wire0", ALL)
    after, link2 = vf_info(0)["stats"], link_stats("vmq0v0")
    ksft_eq(after["rx"]["packets"] - before["rx"]["packets"], 6)
    ksft_eq(after["rx"]["multicast"] - before["rx"]["multicast"], 1)
    ksft_eq(after["rx"]["bytes"] - before["rx"]["bytes"], 360)
    ksft_eq(after["tx"]["tx_packets"] - before["tx"]["tx_packets"], 3)
    ksft_eq(link2["rx_packets"] - link["rx_packets"], 6)
    ksft_eq(link2["tx_packets"] - link["tx_packets"], 3)


def test_mac():
    """ip link set vmq0 vf N mac: the VF receives for it, and not for the old."""
    world = World(2)
    vf_set(0, "mac 52:54:00:00:01:70")
    ksft_eq(address("vmq0v0"), mac(0x170))
    ksft_eq(world.who("wire0", 0x170), ["vmq0v0"])
    ksft_eq(world.who("wire0", vf_mac(0)), ["vmq0"])
    refused(1, "mac 52:54:00:00:01:70")
    refused(1, f"mac {link_info('vmq0')['address']}")
    ksft_eq(address("vmq0v1"), mac(vf_mac(1)), "nothing changed")
    ksft_eq(world.who("wire0", vf_mac(1)), ["vmq0v1"])
    # set again, although the VF itself has taken another one since
    vf_set(1, "trust on")
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.set("vmq0v1", address="52:54:00:00:01:72")
    ksft_eq(world.who("wire0", 0x172), ["vmq0v1"])
    vf_set(1, "spoofchk off")
    ksft_eq(address("vmq0v1"), mac(0x172), "it is not about the address")
    vf_set(1, "mac 52:54:00:00:01:01")
    ksft_eq(address("vmq0v1"), mac(vf_mac(1)), "what was set")
    ksft_eq(world.who("wire0", vf_mac(1)), ["vmq0v1"])
    ksft_eq(world.who("wire0", 0x172), ["vmq0"])


def test_loop():
    """What is above a VF can't be below its adapter."""
    adapter("vmq0", rxq=8)
    add_vfs(1)
    cmd("ip link add link vmq0v0 name vf10 type vlan id 10")
    defer(run, "ip", "link", "del", "vf10")
    status, _ = fail_cmd("ip link set vf10 master vmq0")
    ksft_true(status, "refused")
    cmd("ip link add br10 type bridge")
    defer(run, "ip", "link", "del", "br10")
    cmd("ip link set br10 master vmq0")
    status, _ = fail_cmd("ip link set vmq0v0 master br10")
    ksft_true(status, "refused")
    cmd("ip link set br10 nomaster")
    cmd("ip link set vmq0v0 master br10")
    # nor does a port's gate send there what waits
    port("vm1", number=1)
    _, text = fail_cmd("vmqctl port set dev vm1 redirect vmq0v0")
    ksft_in("come back", text)


def test_vlan():
    """ip link set vmq0 vf N vlan qos: inserted, stripped, nothing else passes."""
    world = World(2)
    vf_set(0, "vlan 10 qos 5")
    got = world.send("wire0", vf_mac(0), vlan=10, prio=1)
    ksft_eq(sorted(got), ["vmq0v0"])
    ksft_eq(got["vmq0v0"].tci, None, "stripped")
    ksft_eq(got["vmq0v0"][12:14], b"\x08\0")
    ksft_eq(world.who("wire0", vf_mac(0)), ["vmq0"], "untagged")
    ksft_eq(world.who("wire0", vf_mac(0), vlan=11), ["vmq0"], "other VLAN")
    ksft_in("vmq0v0", world.who("wire0", ALL, vlan=10))
    ksft_true("vmq0v0" not in world.who("wire0", ALL))
    got = world.send("vmq0v0", 0x999, src=vf_mac(0))
    ksft_eq(got["wire0"].tci, 5 << 13 | 10, "inserted")
    drops = vf_info(0)["stats"]["tx"]
    ksft_eq(world.who("vmq0v0", 0x999, src=vf_mac(0), vlan=11), [],
            "the guest can't choose")
    ksft_eq(link_stats("vmq0v0")["tx_dropped"], 1, drops)
    ksft_eq(world.who("vmq0v0", vf_mac(1), src=vf_mac(0)), ["vmq0v1"],
            "a VF without a VLAN has all tags")
    vf_set(1, "vlan 11")
    ksft_eq(world.who("vmq0v0", vf_mac(1), src=vf_mac(0)), ["wire0"],
            "another VLAN")
    vf_set(1, "vlan 10")
    ksft_eq(world.who("vmq0v0", vf_mac(1), src=vf_mac(0)), ["vmq0v1"])
    vf_set(0, "vlan 0")
    got = world.send("wire0", vf_mac(0), vlan=33)
    ksft_eq(got["vmq0v0"].tci, 33, "the guest has its own tags again")
    got = world.send("vmq0v0", 0x999, src=vf_mac(0), vlan=44)
    ksft_eq(got["wire0"].tci, 44)


def test_spoofchk():
    """ip link set vmq0 vf N spoofchk: a false source address is dropped."""
    world = World(1)
    ksft_eq(world.who("vmq0v0", 0x999, src=0x666), [])
    ksft_eq(link_stats("vmq0v0")["tx_dropped"], 1)
    ksft_eq(world.who("vmq0v0", ALL, src=0x666), [])
    vf_set(0, "spoofchk off")
    ksft_eq(world.who("vmq0v0", 0x999, src=0x666), ["wire0"])
    vf_set(0, "spoofchk on")
    ksft_eq(world.who("vmq0v0", 0x999, src=0x666), [])
    ksft_eq(world.who("vmq0v0", 0x999, src=vf_mac(0)), ["wire0"])


def test_trust():
    """ip link set vmq0 vf N trust: its own address, and promiscuous mode."""
    world = World(1)
    with contextlib.closing(Rtnl()) as rtnl:
        with ksft_raises(OSError) as caught:
            rtnl.set("vmq0v0", address="52:54:00:00:01:71")
        ksft_eq(caught.exception.errno, errno.EPERM)
        rtnl.set("vmq0v0", promisc=True)
        ksft_true("vmq0v0" not in world.who("wire0", 0x888), "not trusted")
        vf_set(0, "trust on")
        ksft_in("vmq0v0", world.who("wire0", 0x888))
        rtnl.set("vmq0v0", address="52:54:00:00:01:71")
        ksft_eq(world.who("wire0", 0x171), ["vmq0v0"])
        ksft_eq(vf_info(0)["address"], "52:54:00:00:01:71")
        vf_set(0, "trust off")
        ksft_true("vmq0v0" not in world.who("wire0", 0x888), "no more")
        rtnl.set("vmq0v0", promisc=False)


def test_link_state():
    """ip link set vmq0 vf N state: auto follows the uplink; enable and disable
    do not."""
    world = World(2)
    ksft_true(wait_until(lambda: link_info("vmq0v0")["operstate"] == 6))
    vf_set(0, "state disable")
    ksft_eq(link_info("vmq0v0")["carrier"], 0)
    drops = vf_info(0)["stats"]["rx"]["dropped"]
    ksft_eq(world.who("wire0", vf_mac(0)), [], "no frame passes")
    ksft_eq(vf_info(0)["stats"]["rx"]["dropped"], drops + 1)
    ksft_true("vmq0v0" not in world.who("wire0", ALL))
    vf_set(0, "state auto")
    ksft_eq(link_info("vmq0v0")["carrier"], 1)
    ksft_eq(world.who("wire0", vf_mac(0)), ["vmq0v0"])
    vf_set(1, "state enable")
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.set("wire0", up=False)
        ksft_true(wait_until(
            lambda: link_info("vmq0v0")["operstate"] != 6, 5), "auto follows")
        ksft_eq(link_info("vmq0v1")["carrier"], 1, "enable does not")
        rtnl.up("wire0")
        ksft_true(wait_until(
            lambda: link_info("vmq0v0")["operstate"] == 6, 5))


def rate_of(raw, vf, seconds):
    """Mbit/s of a VF that sends as fast as it can, by the kernel's counters."""
    frame = ether(0x999, src=vf_mac(0), payload=b"r" * 1400)
    # what waits lasts for longer than this program may be kept off the CPU
    raw.sock.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 18)
    stream = open(f"/sys/class/net/vmq0v{vf}/statistics/tx_bytes",
                  encoding="ascii", buffering=1)

    def sample():
        while True:
            before = time.monotonic()
            stream.seek(0)
            count = int(stream.read())
            after = time.monotonic()
            if after - before < 0.005:
                return count * 8, (before + after) / 2

    begin = None
    # what may be sent at once after a pause is over by then
    settled = time.monotonic() + 0.3
    with stream:
        while begin is None or time.monotonic() < begin[1] + seconds:
            raw.sock.send(frame)
            if begin is None and time.monotonic() > settled:
                begin = sample()
        bits, now = sample()
    return (bits - begin[0]) / (now - begin[1]) / 1e6


def test_rate():
    """ip link set vmq0 vf N max_tx_rate: within 5 %, without loss."""
    world = World(1)
    raw = world.raw["vmq0v0"]
    for rate in (6, 2):
        vf_set(0, f"max_tx_rate {rate}")
        drops = link_stats("vmq0v0")["tx_dropped"]
        rates, exact = [], 0
        # less where the host takes the CPU away meanwhile, more where it just had
        while exact < 3 and len(rates) < 40:
            rates.append(rate_of(raw, 0, 0.8))
            exact += abs(rates[-1] - rate) / rate < 0.05
        ksft_pr(f"{rate} Mbit/s:", *(f"{each:.2f}" for each in rates))
        ksft_ge(exact, 3, f"{rate} Mbit/s: {rates}")
        ksft_lt(sum(each >= rate * 1.05 for each in rates), exact, "above")
        ksft_eq(link_stats("vmq0v0")["tx_dropped"], drops)
    vf_set(0, "max_tx_rate 0")
    ksft_true(wait_until(lambda: rate_of(raw, 0, 0.5) > 9, 20), "no limit")


def test_rules():
    """F: ethtool -N ... vf V leads to the VF's VPort; unknown VFs are refused."""
    world = World(2)
    cmd("ethtool -N vmq0 flow-type ether dst 52:54:00:00:00:77 vf 1 loc 3")
    ksft_eq(world.who("wire0", 0x77), ["vmq0v1"])
    ksft_eq(world.who("vmq0v0", 0x77, src=vf_mac(0)), ["vmq0v1"])
    done = run("ethtool -N vmq0 flow-type ether dst 52:54:00:00:00:78 vf 2")
    ksft_true(done.returncode or "Cannot" in done.stderr, "unknown VF")
    done = run("ethtool -N vmq0 flow-type ether dst 52:54:00:00:00:78 vf 1 "
               "queue 1")
    ksft_true(done.returncode or "Cannot" in done.stderr, "unknown queue")
    cmd("ethtool -N vmq0 delete 3")
    ksft_eq(world.who("wire0", 0x77), ["vmq0"])


def test_extensions():
    """S-26: frames of a VF do not meet the extensions."""
    world = World(1, ports=[1])
    ext_set("vmq0", True)
    defer(ext_set, "vmq0", False)
    acl_set("vm1", acl_rule(IN, DENY))
    acl_set("vm1", acl_rule(OUT, DENY))
    ksft_eq(world.who("wire0", 1), [], "the port's do")
    ksft_eq(world.who("wire0", vf_mac(0)), ["vmq0v0"])
    ksft_eq(world.who("vmq0v0", 0x999, src=vf_mac(0)), ["wire0"])


def test_vf_get():
    """S-04, S-14, V-10: vf-get shows each VF, with a serial number of its own."""
    World(2, ports=[1])
    shown = vmqctl("vf show dev vmq0")
    ksft_eq([(each["id"], each["vport"], each["bound"], each["filters"])
             for each in shown], [(0, "activated", True, 1),
                                  (1, "activated", True, 1)])
    driver("unbind", 1)
    cmd("vmqctl port set dev vm1 path vf 0")
    [one] = vmqctl("vf show dev vmq0 vf 1")
    ksft_eq((one["vport"], one["bound"], one.get("port")), ("none", False, None))
    [one] = vmqctl("vf show dev vmq0 vf 0")
    ksft_eq((one["vport"], one["port"]), ("activated", "vm1"))
    [adapter_shown] = vmqctl("adapter show dev vmq0")
    ksft_eq((adapter_shown["vfs"], adapter_shown["vfs-in-use"]), (2, 1))
    ksft_ge(adapter_shown["max-vports"], adapter_shown["max-vfs"] + 1, "V-35")
    ksft_ge(adapter_shown["max-queue-pairs"], adapter_shown["max-vports"])
    cmd("vmqctl port set dev vm1 path synthetic")
    serials = [each["serial"] for each in shown]
    set_numvfs(0)
    add_vfs(2)
    serials += [each["serial"] for each in vmqctl("vf show dev vmq0")]
    ksft_eq(len(set(serials)), 4, serials)


def test_reset():
    """S-11: one VF is reset, with what its guest changed; the others and the
    administrator's settings are not. A port is back on it behind."""
    world = World(2, ports=[1])
    vf_set(0, "trust on")
    vf_set(0, "vlan 7")
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.set("vmq0v0", address="52:54:00:00:01:71")
    ksft_eq(world.who("wire0", 0x171, vlan=7), ["vmq0v0"])
    cmd("vmqctl vf reset dev vmq0 vf 0")
    ksft_eq(world.who("wire0", 0x171, vlan=7), ["vmq0"])
    ksft_eq(world.who("wire0", vf_mac(0), vlan=7), ["vmq0v0"])
    ksft_eq(world.who("wire0", vf_mac(1)), ["vmq0v1"])
    ksft_eq(vf_info(0)["trust"], True)
    cmd("vmqctl port set dev vm1 path vf 1")
    cmd("vmqctl vf reset dev vmq0 vf 1")
    ksft_eq(vmqctl("port show dev vm1")[0]["path"], "vf")
    ksft_eq(vmqctl("port show dev vm1")[0]["path-changes"], 3)
    ksft_eq(world.who("wire0", 1), ["vmq0v1"])
    cmd("vmqctl port set dev vm1 path synthetic")
    for number, text in ((1, "no resources"), (7, "no such VF")):
        status, message = fail_cmd(f"vmqctl vf reset dev vmq0 vf {number}")
        ksft_eq(status, 1)
        ksft_in(text, message)


def test_given_up():
    """A VF that a port gave up waits for its administrator: what is refused then does
    not bring it back."""
    world = World(2, ports=[1])
    cmd("vmqctl port set dev vm1 path vf 0")
    cmd("vmqctl port set dev vm1 path synthetic")
    before = vf_info(0)
    refused(0, f"mac {mac_text(vf_mac(1))}")
    ksft_eq((vf_info(0), link_info("vmq0v0")["carrier"]), (before, 0))
    ksft_eq(world.who("wire0", vf_mac(0)), ["vmq0"])
    vf_set(0, f"mac {mac_text(0x133)}")
    ksft_eq(link_info("vmq0v0")["carrier"], 1)
    ksft_eq(world.who("wire0", 0x133), ["vmq0v0"])


class Channel:
    """One side of a VF's back channel."""

    def __init__(self, dev, number=None):
        self.genl, self.dev, self.number = Genl(), dev, number
        defer(self.genl.close)

    def call(self, command, *attributes):
        own = [attr_str(UAPI["VMQ_A_VF_DEV"], self.dev)]
        if self.number is not None:
            own.append(attr_u32(UAPI["VMQ_A_VF_ID"], self.number))
        return [dict(each) for each in self.genl.call(
            UAPI[f"VMQ_CMD_VF_BLOCK_{command}"], *own, *attributes)]

    def write(self, block, data=None, changed=None):
        attributes = [attr_u32(UAPI["VMQ_A_VF_BLOCK"], block)]
        if data is not None:
            attributes.append(attr(UAPI["VMQ_A_VF_DATA"], data))
        if changed is not None:
            attributes.append(attr(UAPI["VMQ_A_VF_CHANGED"],
                                   struct.pack("=Q", changed)))
        self.call("SET", *attributes)

    def read(self, block):
        return self.call("GET", attr_u32(UAPI["VMQ_A_VF_BLOCK"], block))[0][
            UAPI["VMQ_A_VF_DATA"]]

    def changed(self):
        return struct.unpack("=Q", self.call("CHANGED")[0][
            UAPI["VMQ_A_VF_CHANGED"]])[0]


def test_back_channel():
    """S-15, S-16, O-45: blocks of either side, and one mask of all that changed
    since the VF last asked."""
    adapter("vmq0", rxq=8)
    add_vfs(2)
    pf, vf = Channel("vmq0", 0), Channel("vmq0v0")
    ns = NetNS()
    with contextlib.closing(Rtnl()) as rtnl:
        rtnl.set("vmq0v0", netns_fd=ns.fd)
    with ns:
        vf = Channel("vmq0v0")
    with ns, monitor() as end:
        pf.write(3, b"three", changed=1 << 3)
        pf.write(63, b"last", changed=1 << 63)
        pf.write(5, b"quiet")
        events = end()
    ksft_eq([(each["msg"]["dev"], each["msg"]["block"]) for each in events
             if each["name"] == "vf-block-ntf"],
            [("vmq0v0", 3), ("vmq0v0", 63), ("vmq0v0", 5)])
    ksft_eq(vf.changed(), 1 << 3 | 1 << 63)
    ksft_eq(vf.changed(), 0)
    ksft_eq((vf.read(3), vf.read(63), vf.read(5)),
            (b"three", b"last", b"quiet"))
    with monitor() as end:
        vf.write(3, b"from the guest")
        events = end()
    ksft_eq([(each["msg"]["dev"], each["msg"]["id"], each["msg"]["block"])
             for each in events if each["name"] == "vf-block-ntf"],
            [("vmq0", 0, 3)])
    ksft_eq(pf.read(3), b"from the guest")
    ksft_eq(vf.changed(), 0)
    for side, call, number in (
            (pf, lambda side: side.read(9), errno.ENOENT),
            (pf, lambda side: side.read(64), errno.ERANGE),
            (pf, lambda side: side.write(64, b"x"), errno.ERANGE),
            (pf, lambda side: side.write(1, bytes(2049)), errno.EMSGSIZE),
            (pf, lambda side: side.write(1), errno.EINVAL),
            (pf, lambda side: side.changed(), errno.EINVAL),
            (vf, lambda side: side.write(1, b"x", 1), errno.EINVAL),
            (Channel("vmq0", 2), lambda side: side.read(3), errno.ENOENT),
            (Channel("vmq0"), lambda side: side.read(3), errno.EINVAL)):
        with ksft_raises(NlError) as caught:
            call(side)
        ksft_eq(caught.exception.errno, number)
        ksft_true(caught.exception.msg, "says why")
    with ksft_raises(NlError) as caught:
        Channel("vmq0", 1).read(3)
    ksft_eq(caught.exception.errno, errno.ENOENT, "the other VF has its own")


def test_back_channel_tool():
    """S-15, S-16: the same by vmqctl."""
    adapter("vmq0", rxq=8)
    add_vfs(1)
    cmd("vmqctl vf write dev vmq0 vf 0 block 3 data 00ffA5 changed 3,40")
    [got] = vmqctl("vf read dev vmq0v0 block 3")
    ksft_eq((got["block"], got["data"]), (3, "00ffa5"))
    ksft_eq(vmqctl("vf changed dev vmq0v0")[0]["changed"],
            1 << 3 | 1 << 40)
    cmd("vmqctl vf write dev vmq0v0 block 63 data " + "5a" * 2048)
    ksft_eq(vmqctl("vf read dev vmq0 vf 0 block 63")[0]["data"], "5a" * 2048)
    cmd("vmqctl vf write dev vmq0 vf 0 block 1 changed 0")
    ksft_eq(vmqctl("vf changed dev vmq0v0")[0]["changed"], 1)
    for words, status, text in (
            ("read dev vmq0 vf 0 block 9", 1, "never written"),
            ("read dev vmq0 vf 7 block 3", 1, "no such VF"),
            ("write dev vmq0v0 block 3 data 00 changed 3", 1, "only the adapter"),
            ("changed dev vmq0", 1, ""),
            ("write dev vmq0 vf 0 block 64 data 00", 2, "block"),
            ("write dev vmq0 vf 0 block 1 data 0", 2, "data"),
            ("write dev vmq0 vf 0 block 1 data 0x", 2, "data"),
            ("write dev vmq0 vf 0 block 1 changed 64", 2, "changed"),
            ("write dev vmq0 vf 0 block 1", 2, "neither")):
        found, message = fail_cmd("vmqctl vf " + words)
        ksft_eq(found, status, words)
        ksft_in(text, message)


def test_macvtap():
    """A VF serves as the lower device of a macvtap."""
    world = World(1)
    if run("ip link add mt0 link vmq0v0 type macvtap mode passthru").returncode:
        cmd("modprobe macvtap")
        cmd("ip link add mt0 link vmq0v0 type macvtap mode passthru")
    defer(run, "ip link del mt0")
    cmd("ip link set mt0 up")
    with Raw("mt0") as guest:
        world.raw["mt0"] = guest
        ksft_in("mt0", world.who("wire0", vf_mac(0)))
        del world.raw["mt0"]


if __name__ == "__main__":
    ksft_main(globals())
