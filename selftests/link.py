#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Link kinds vmq and vmqport: adapters, uplinks, ports, and what ip(8) and
ethtool(8) make of them."""

import json
import os
import re

from lib import (NetNS, NlError, Raw, Rtnl, adapter, build, channels, cmd,
                 defer, drvinfo, ether, ethtool, ethtool_refused,
                 ethtool_stats, fail_cmd, ip, ksft_eq, ksft_ge, ksft_in,
                 ksft_main, ksft_ne, ksft_not_in, ksft_raises, ksft_true,
                 link_info, link_stats, mac, machine, pair, port, port_queue,
                 rules, vmqctl, wait_until)

ADDRESS = "52:54:00:00:00:01"


def test_kinds():
    """The contract's own lines, by ip(8) (section 2)."""
    ip("link add vmq0 type vmq")
    defer(lambda: os.path.exists("/sys/class/net/vmq0") and
          ip("link delete vmq0"))
    ip(f"link add link vmq0 name vm1 address {ADDRESS} type vmqport")
    text = ip("-d link show vm1")
    ksft_true(re.search(r"vm1@vmq0:", text), text)
    ksft_in(ADDRESS, text)
    ksft_in("vmqport", text)
    ksft_true(re.search(r"^\s+vmq\b", ip("-d link show vmq0"), re.M))
    [shown] = vmqctl("adapter show dev vmq0")
    ksft_eq(shown["max-queues"], 64, "default of numrxqueues")
    ksft_not_in("uplink", shown, "X-07")
    [shown] = vmqctl("port show dev vm1")
    ksft_eq(shown["adapter"], "vmq0")
    ksft_eq(shown["queues"], [1], "the lowest free queue")
    ksft_ge(shown["port-id"], 1, "0 is never a port (X-16)")
    ksft_eq(shown["mac"], ADDRESS)
    ip("link delete vm1")
    ksft_eq(vmqctl("port show"), [])
    ip("link delete vmq0")
    ksft_eq(vmqctl("adapter show"), [])


def test_numrxqueues():
    """numrxqueues is the most queues it can have, up to 4096."""
    # each has its directory in sysfs: that takes long on a debug kernel
    many = 512 if machine() == "uml-debug" else 4096
    for wanted, name in ((1, "vq1"), (many, "vqmany")):
        ip(f"link add {name} numrxqueues {wanted} type vmq")
        defer(Rtnl().delete, name)
        ksft_eq(channels(name)[0], wanted)
        ksft_eq(vmqctl(f"adapter show dev {name}")[0]["max-queues"], wanted)
    # the kernel itself knows no more than 4096
    fail_cmd("ip link add vqx numrxqueues 4097 type vmq")


def test_port_queues():
    """A port with numrxqueues K takes K queues; freed ids are used again."""
    adapter("vmq0", rxq=8)
    port("vm1", number=1, rxq=3, txq=3)
    port("vm2", number=2)
    shown = {each["dev"]: each["queues"] for each in vmqctl("port show")}
    ksft_eq(shown, {"vm1": [1, 2, 3], "vm2": [4]}, "Q-05, Q-06")
    states = {each["id"]: each["state"]
              for each in vmqctl("queue show dev vmq0")}
    ksft_eq([states[each] for each in range(5)], ["running"] * 5, "Q-32")
    Rtnl().delete("vm1")
    port("vm3", number=3)
    ksft_eq(port_queue("vm3"), 1, "Q-08")


def test_attach_detach():
    """The uplink: attached, shown, detached by hand."""
    pair()
    adapter("vmq0")
    ip("link set up0 master vmq0")
    ksft_eq(vmqctl("adapter show dev vmq0")[0]["uplink"], "up0")
    ksft_in("master vmq0", ip("link show up0"))
    ip("link set up0 nomaster")
    ksft_not_in("uplink", vmqctl("adapter show dev vmq0")[0])
    ksft_eq(link_info("up0")["master"], 0)
    ksft_true(link_info("vmq0")["flags"] & 0x10000, "X-07: its link is up")


def test_attach_opens():
    """A uplink that is down is brought up, and down again."""
    rtnl = Rtnl()
    pair()
    rtnl.set("up0", up=False)
    adapter("vmq0", uplink="up0")
    ksft_true(link_info("up0")["up"])
    rtnl.set("up0", master="")
    ksft_true(not link_info("up0")["up"])


def test_attach_refusals():
    """Every refusal says why."""
    pair()
    pair("up1", "wire1")
    adapter("vmq0", uplink="up0")
    adapter("vmq1")
    port("vm1", number=1)
    ip("link add br0 type bridge")
    defer(Rtnl().delete, "br0")
    ip("link set wire1 master br0")

    for command, text in (
            ("ip link set up1 master vmq0", "already"),
            ("ip link set lo master vmq1", "Ethernet"),
            ("ip link set vm1 master vmq1", "can't be an uplink"),
            ("ip link set vmq0 master vmq1", "can't be an uplink"),
            ("ip link add link up1 name vmx type vmqport", "kind vmq"),
            ("ip link add name vmx type vmqport", "needs its adapter"),
            ("ip link add link vm1 name vmx type vmqport", "kind vmq"),
            ("ip link add link up1 name vmqx type vmq", "master"),
            ("ip link add vmqx address 01:00:00:00:00:01 type vmq", "unicast"),
            ("ip link add link vmq0 vmx address 01:00:00:00:00:01 type vmqport",
             "unicast"),
            ("ip link add link vmq0 vmx mtu 9000 type vmqport", "adapter's MTU"),
    ):
        status, message = fail_cmd(command)
        ksft_eq(status, 2, command)
        ksft_in(text, message, command)
    # busy by a bridge: its rx_handler is taken. The kernel itself may answer
    # first when it takes the device out of the bridge, so ask with macvlan.
    ip("link add link wire0 name mv0 type macvlan mode passthru")
    defer(Rtnl().delete, "mv0")
    ksft_in("in use", fail_cmd("ip link set wire0 master vmq1")[1])
    ksft_not_in("uplink", vmqctl("adapter show dev vmq1")[0])
    ksft_not_in("vmx", [each["dev"] for each in vmqctl("port show")])


def test_attach_not_ethernet():
    """A device that is no Ethernet device is no uplink."""
    made = fail = None
    for kind in ("sit", "gre", "ipip"):
        try:
            ip(f"link add tun0 type {kind} local 127.0.0.1 remote 127.0.0.2")
        except Exception as reason:      # pylint: disable=broad-except
            fail = reason
            continue
        made = kind
        break
    adapter("vmq0")
    if made:
        defer(Rtnl().delete, "tun0")
        ksft_in("Ethernet", fail_cmd("ip link set tun0 master vmq0")[1])
    else:
        # loopback is refused by the same check in any kernel
        ksft_in("Ethernet", fail_cmd("ip link set lo master vmq0")[1],
                str(fail))


def test_mac():
    """vmq0 takes the uplink's address, unless it was set by hand."""
    rtnl = Rtnl()
    pair()
    rtnl.set("up0", address="52:54:00:00:aa:01")
    adapter("vmq0")
    ksft_ne(link_info("vmq0")["address"], "52:54:00:00:aa:01")
    rtnl.set("up0", master="vmq0")
    ksft_eq(link_info("vmq0")["address"], "52:54:00:00:aa:01")
    rtnl.set("up0", address="52:54:00:00:aa:02")
    ksft_eq(link_info("vmq0")["address"], "52:54:00:00:aa:02", "follows")
    rtnl.set("vmq0", address="52:54:00:00:aa:03")
    rtnl.set("up0", address="52:54:00:00:aa:04")
    ksft_eq(link_info("vmq0")["address"], "52:54:00:00:aa:03", "by hand")
    adapter("vmq1", address="52:54:00:00:aa:05")
    rtnl.set("up0", master="")
    rtnl.set("up0", master="vmq1")
    ksft_eq(link_info("vmq1")["address"], "52:54:00:00:aa:05", "by hand")


def test_mac_of_port():
    """vmq0 does not take an address from the uplink that a port has: the port's
    filter would have the host's frames."""
    rtnl = Rtnl()
    pair()
    adapter("vmq0")
    own = link_info("vmq0")["address"]
    port("vm1", number=1)
    rtnl.set("up0", address=ADDRESS)
    rtnl.set("up0", master="vmq0")
    ksft_eq(link_info("vmq0")["address"], own, "attached")
    rtnl.set("up0", address="52:54:00:00:00:77")
    ksft_eq(link_info("vmq0")["address"], "52:54:00:00:00:77", "as ever")
    rtnl.set("up0", address=ADDRESS)
    ksft_eq(link_info("vmq0")["address"], "52:54:00:00:00:77", "changed")
    with Raw("wire0") as wire, Raw("vmq0") as host, Raw("vm1") as guest:
        for number, receiver in ((0x77, host), (1, guest)):
            frame = ether(number, payload=b"to %d" % number)
            wire.send(frame)
            ksft_true(receiver.expect(frame), f"frames for {number:#x}")


def test_mtu():
    """MTU: the uplink's unless set by hand; ports are clamped to it."""
    rtnl = Rtnl()
    pair(mtu=1400)
    adapter("vmq0")
    ksft_eq(link_info("vmq0")["mtu"], 1500)
    rtnl.set("up0", master="vmq0")
    ksft_eq(link_info("vmq0")["mtu"], 1400, "taken from the uplink")
    port("vm1", number=1)
    ksft_eq(link_info("vm1")["mtu"], 1400)
    rtnl.set("up0", mtu=1450)
    ksft_eq(link_info("vmq0")["mtu"], 1450, "follows")
    ksft_eq(link_info("vm1")["mtu"], 1400, "a port is not raised")
    rtnl.set("up0", mtu=1300)
    ksft_eq(link_info("vmq0")["mtu"], 1300)
    ksft_eq(link_info("vm1")["mtu"], 1300, "a port is clamped")
    for dev in ("vm1", "vmq0"):
        with ksft_raises(NlError) as caught:
            rtnl.set(dev, mtu=1301)
        ksft_true(caught.exception.msg, f"{dev}: refused with a message")
    ksft_eq(link_info("vmq0")["mtu"], 1300)
    rtnl.set("vmq0", mtu=1200)
    ksft_eq(link_info("vm1")["mtu"], 1200)
    rtnl.set("up0", mtu=1400)
    ksft_eq(link_info("vmq0")["mtu"], 1200, "set by hand")
    rtnl.set("vm1", mtu=1000)
    ksft_eq(link_info("vm1")["mtu"], 1000)
    # larger than Ethernet's from the start
    adapter("vmq2", mtu=9000)
    port("vm9", link="vmq2", number=9, mtu=9000)
    ksft_eq(link_info("vm9")["mtu"], 9000)
    # an MTU set by hand that is too large for the uplink is refused
    adapter("vmq1", mtu=9000)
    rtnl.set("up0", master="")
    ksft_in("MTU", fail_cmd("ip link set up0 master vmq1")[1])
    ksft_eq(link_info("up0")["master"], 0)
    ksft_eq(link_info("vmq1")["mtu"], 9000)


def test_carrier():
    """Carrier and operational state follow the uplink."""
    rtnl = Rtnl()
    pair()
    adapter("vmq0", uplink="up0")
    port("vm1", number=1)
    for dev in ("vmq0", "vm1"):
        ksft_eq(link_info(dev)["carrier"], 1)
        ksft_eq(link_info(dev)["operstate"], 6, "up")
    rtnl.set("wire0", up=False)
    ksft_true(wait_until(lambda: not link_info("vmq0")["carrier"]))
    ksft_true(wait_until(lambda: not link_info("vm1")["carrier"]))
    port("vm2", number=2)
    ksft_eq(link_info("vm2")["carrier"], 0, "made while it is down")
    rtnl.set("wire0", up=True)
    for dev in ("vmq0", "vm1", "vm2"):
        ksft_true(wait_until(lambda name=dev: link_info(name)["carrier"]), dev)
    rtnl.set("up0", up=False)
    ksft_true(wait_until(lambda: not link_info("vm1")["carrier"]))
    rtnl.set("up0", master="")
    ksft_true(wait_until(lambda: link_info("vm1")["carrier"]), "X-07")


def test_netns():
    """The adapter stays, a port moves and works there."""
    rtnl = Rtnl()
    pair()
    adapter("vmq0", uplink="up0")
    guest = NetNS()
    with ksft_raises(OSError):
        rtnl.set("vmq0", netns_fd=guest.fd)
    ksft_true(rtnl.exists("vmq0"))
    port("vm1", number=1, ns=guest)
    ksft_true(not rtnl.exists("vm1"))
    frame = ether(1)
    with guest, Raw("vm1") as inside:
        info = link_info("vm1")
        ksft_true(info["up"])
        ksft_eq(info["address"], ADDRESS, "keeps its address")
    with Raw("wire0") as wire:
        wire.send(frame)
    ksft_true(inside.sock.fileno() < 0)
    with guest:
        inside = Raw("vm1")
    with Raw("wire0") as wire:
        wire.send(frame)
        ksft_eq(inside.expect(frame), frame)
        with guest:
            outside = ether(0xfe, src=1)
            inside.send(outside)
        ksft_eq(wire.expect(outside), outside)
    inside.close()
    ksft_in("vm1", str(vmqctl("queue show dev vmq0")[1].get("port", "vm1")))
    # a port in a netns that goes away is deleted
    guest.close()
    ksft_true(wait_until(lambda: vmqctl("adapter show dev vmq0")[0]["ports"]
                         == 0, 10), "gone with its netns")
    ksft_eq(rules("vmq0"), [])


def test_netns_uplink():
    """An uplink that moves away is detached."""
    rtnl = Rtnl()
    pair()
    adapter("vmq0", uplink="up0")
    port("vm1", number=1)
    other = NetNS()
    rtnl.set("up0", netns_fd=other.fd)
    ksft_not_in("uplink", vmqctl("adapter show dev vmq0")[0])
    with other:
        ksft_eq(link_info("up0")["master"], 0)
    ksft_true(rtnl.exists("vm1"))
    other.close()
    wait_until(lambda: not rtnl.exists("wire0"), 10)


def test_delete_uplink():
    """Deleting the uplink detaches it; the ports stay."""
    rtnl = Rtnl()
    pair()
    adapter("vmq0", uplink="up0")
    port("vm1", number=1)
    rtnl.delete("up0")
    [shown] = vmqctl("adapter show dev vmq0")
    ksft_not_in("uplink", shown)
    ksft_eq(shown["ports"], 1)
    ksft_eq(link_info("vm1")["carrier"], 1)


def test_delete_adapter():
    """Deleting an adapter takes its ports with it, wherever they are."""
    rtnl = Rtnl()
    pair()
    guest = NetNS()
    adapter("vmq0", uplink="up0")
    port("vm1", number=1)
    port("vm2", number=2, ns=guest)
    ethtool("-N vmq0 flow-type ether dst 52:54:00:00:00:09 action 9")
    rtnl.delete("vmq0")
    for name in ("vmq0", "vm1"):
        ksft_true(not rtnl.exists(name))
    with guest:
        ksft_true(not Rtnl().exists("vm2"))
    ksft_eq(link_info("up0")["master"], 0)
    ksft_eq(vmqctl("adapter show"), [])
    ksft_eq(vmqctl("port show"), [])


def test_sysfs():
    """/sys/class/net/vmq0/device is a device on bus vmq."""
    adapter("vmq0")
    device = os.path.realpath("/sys/class/net/vmq0/device")
    ksft_eq(os.path.realpath(f"{device}/subsystem"), "/sys/bus/vmq")
    driver, version, bus = drvinfo("vmq0")
    ksft_eq(driver, "vmq")
    ksft_true(version)
    ksft_eq(bus, os.path.basename(device))
    ksft_true(os.path.exists(f"/sys/bus/vmq/devices/{bus}"))
    Rtnl().delete("vmq0")
    ksft_true(not os.path.exists(f"/sys/bus/vmq/devices/{bus}"))


def test_address_moves_filter():
    """`ip link set vm1 address` moves the port's filter (F-24)."""
    rtnl = Rtnl()
    pair()
    adapter("vmq0", uplink="up0")
    port("vm1", number=1)
    [before] = vmqctl("filter show dev vmq0")
    ksft_eq(before["mac"], ADDRESS)
    ksft_true(before["untagged"], "F-24")
    ksft_eq(before["owner"], "port vm1")
    rtnl.set("vm1", address="52:54:00:00:00:77")
    [after] = vmqctl("filter show dev vmq0")
    ksft_eq(after["mac"], "52:54:00:00:00:77")
    for key in ("id", "location", "queue", "owner"):
        ksft_eq(after[key], before[key], f"F-30: {key}")
    with Raw("wire0") as wire, Raw("vm1") as guest:
        wire.send(ether(1), ether(0x77))
        got = guest.all(match=lambda frame: frame[12:14] == b"\x88\xb5")
        ksft_eq([frame[:6] for frame in got], [mac(0x77)])
    with ksft_raises(OSError):
        rtnl.set("vm1", address="01:00:00:00:00:01")
    ksft_eq(link_info("vm1")["address"], "52:54:00:00:00:77")


def test_address_no_gap():
    """While the address changes, frames for both never leave the port's queue.
    """
    rtnl = Rtnl()
    pair()
    adapter("vmq0", uplink="up0")
    port("vm1", number=1)
    for number in (2, 3, 4, 5):
        rtnl.set("vm1", address=f"52:54:00:00:00:{number:02x}")
        with Raw("wire0") as wire, Raw("vm1") as guest:
            wire.send(ether(number))
            ksft_true(guest.expect(mac(number)))
    ksft_eq(len(rules("vmq0")), 1)


def test_duplicate_mac():
    """Two ports can't have one address on one adapter (O-11)."""
    adapter("vmq0")
    adapter("vmq1")
    port("vm1", number=1)
    status, message = fail_cmd(
        f"ip link add link vmq0 name vm2 address {ADDRESS} type vmqport")
    ksft_eq(status, 2)
    ksft_in("already", message)
    ksft_true(not Rtnl().exists("vm2"), "nothing is left")
    port("vm2", number=2)
    for taken in (ADDRESS, link_info("vmq0")["address"]):
        with ksft_raises(NlError, taken) as caught:
            Rtnl().set("vm2", address=taken)
        ksft_true(caught.exception, taken)
        ksft_eq(link_info("vm2")["address"], "52:54:00:00:00:02")
    port("vm3", link="vmq1", number=1)       # another adapter
    ksft_eq(len(vmqctl("port show")), 3)
    ksft_eq(len(vmqctl("queue show dev vmq0")[0:3]), 3)


def test_out_of_queues():
    """Without a free queue a port works from the default one (S-22)."""
    pair()
    adapter("vmq0", uplink="up0", rxq=2)
    port("vm1", number=1)
    port("vm2", number=2)
    ksft_eq(port_queue("vm1"), 1)
    ksft_eq(vmqctl("port show dev vm2")[0]["queues"], [0])
    with Raw("wire0") as wire, Raw("vm2") as guest, Raw("vm1") as other, \
            Raw("vmq0") as host:
        for raw in (guest, other, host):
            raw.drain()
        frame = ether(2)
        wire.send(frame)
        ksft_eq(guest.expect(frame), frame)
        ksft_eq(other.all(match=lambda got: got == frame), [])
        ksft_eq(host.all(match=lambda got: got == frame), [])
        reply = ether(0xfe, src=2)
        guest.send(reply)
        ksft_eq(wire.expect(reply), reply)
        reply = ether(1, src=2)
        guest.send(reply)
        ksft_eq(other.expect(reply), reply)
    stats = ethtool_stats("vmq0")
    ksft_ge(stats["rx_queue_0_packets"], 1)
    ksft_eq(link_stats("vm2")["rx_packets"], ethtool_stats("vm2")[
        "rx_queue_0_packets"])
    # when a queue is free again a new port gets it
    Rtnl().delete("vm1")
    port("vm3", number=3)
    ksft_eq(port_queue("vm3"), 1)


def test_ethtool_channels():
    """-l and -L: the queues in use; one that is used can't be dropped."""
    adapter("vmq0", rxq=8)
    ksft_eq(channels("vmq0"), (8, 8))
    text = ethtool("-l vmq0")
    ksft_eq(re.findall(r"Combined:\s+(\d+)", text), ["8", "8"])
    port("vm1", number=1)
    ethtool("-L vmq0 combined 2")
    ksft_eq(channels("vmq0"), (8, 2))
    ksft_eq(vmqctl("adapter show dev vmq0")[0]["queues"], 2)
    status, _ = fail_cmd("ethtool -L vmq0 combined 1")
    ksft_ne(status, 0)
    ksft_eq(channels("vmq0"), (8, 2), "a port uses queue 1")
    fail_cmd("ethtool -L vmq0 combined 9")
    fail_cmd("ethtool -L vmq0 combined 0")
    ethtool("-L vmq0 combined 6")
    ethtool("-N vmq0 flow-type ether dst 52:54:00:00:00:09 action 5")
    fail_cmd("ethtool -L vmq0 combined 5")
    ksft_eq(channels("vmq0"), (8, 6), "a rule uses queue 5")
    Rtnl().delete("vm1")
    fail_cmd("ethtool -L vmq0 combined 5")
    ethtool("-K vmq0 ntuple off")
    ethtool("-L vmq0 combined 1")
    ksft_eq(channels("vmq0"), (8, 1))


def test_ethtool_ntuple():
    """-K ntuple off removes the administrator's rules, never a port's own."""
    adapter("vmq0", rxq=8)
    port("vm1", number=1)
    ethtool("-N vmq0 flow-type ether dst 52:54:00:00:00:09 action 5")
    ksft_eq(len(rules("vmq0")), 2)
    ethtool("-K vmq0 ntuple off")
    [left] = vmqctl("filter show dev vmq0")
    ksft_eq(left["owner"], "port vm1")
    ethtool_refused("-N vmq0 flow-type ether dst 52:54:00:00:00:09 action 5")
    ksft_eq(len(rules("vmq0")), 1)
    port("vm2", number=2)
    ksft_eq(len(rules("vmq0")), 2, "ports still set theirs")
    ethtool("-K vmq0 ntuple on")
    ethtool("-N vmq0 flow-type ether dst 52:54:00:00:00:09 action 5")
    ksft_eq(len(rules("vmq0")), 3)


def test_ethtool_info():
    """-i on adapters and ports; -k and -l on ports."""
    adapter("vmq0")
    port("vm1", number=1, rxq=2, txq=2)
    for dev in ("vmq0", "vm1"):
        text = ethtool(f"-i {dev}")
        ksft_true(re.search(r"^driver: vmq$", text, re.M), text)
        ksft_true(re.search(r"^version: \d+\.\d+", text, re.M), text)
        ksft_true(re.search(r"^bus-info: \S+", text, re.M), text)
    ksft_eq(channels("vm1"), (2, 2))
    ksft_in("tx-checksumming: on", ethtool("-k vm1"))


def total(stats, field, kind="rx"):
    return sum(value for name, value in stats.items()
               if re.fullmatch(rf"{kind}_queue_\d+_{field}", name))


def check_sums(comment):
    """-S adds up to `ip -s link`, for every device."""
    for dev in ("vmq0", "vm1", "vm2"):
        if not os.path.exists(f"/sys/class/net/{dev}"):
            continue
        stats, link = ethtool_stats(dev), link_stats(dev)
        for field in ("packets", "bytes"):
            for kind in ("rx", "tx"):
                ksft_eq(total(stats, field, kind), link[f"{kind}_{field}"],
                        f"{comment}: {dev} {kind} {field}")
        drops = sum(value for name, value in stats.items()
                    if name.startswith("rx_drops_"))
        ksft_eq(drops, link["rx_dropped"], f"{comment}: {dev} drops by cause")


def test_ethtool_stats():
    """-S: sums equal `ip -s link`; nothing ever goes backwards."""
    pair()
    adapter("vmq0", uplink="up0", rxq=8)
    port("vm1", number=1)
    port("vm2", number=2)
    ethtool("-N vmq0 flow-type ether dst 52:54:00:00:00:0b action -1")
    last = {}

    def never_back(comment):
        now = link_stats("vmq0")
        for name, value in now.items():
            ksft_ge(value, last.get(name, 0), f"{comment}: {name}")
        last.update(now)
        check_sums(comment)

    with Raw("wire0") as wire, Raw("vm1") as guest:
        guest.drain()
        # IPv4: a protocol that nobody knows is a drop of the stack's own
        def frame(dst, src=0xfe):
            return build(dst, "10.0.0.9", "10.0.0.1", src=src,
                         payload=bytes(100))

        size = len(frame(1))
        wire.send(*[frame(1)] * 5, *[frame(2)] * 3, frame(0x33),
                  *[frame(0xb)] * 4, frame(b"\xff" * 6))
        guest.send(frame(0xfe, 1), frame(2, 1), frame(b"\xff" * 6, 1))
        wait_until(lambda: link_stats("vm2")["rx_packets"] >= 6)
        never_back("traffic")
        stats = ethtool_stats("vmq0")
        ksft_eq(stats["rx_queue_1_packets"], 5)
        ksft_eq(stats["rx_queue_1_bytes"], 5 * size)
        ksft_eq(stats["rx_drops_filter"], 4)
        ksft_ge(link_stats("vm2")["rx_packets"], 6)
        ksft_ge(link_stats("vmq0")["multicast"], 1)
        # a device that is down drops and counts
        Rtnl().set("vm2", up=False)
        wire.send(*[frame(2)] * 2)
        wait_until(lambda: link_stats("vm2")["rx_dropped"] >= 2)
        ksft_eq(ethtool_stats("vm2")["rx_drops_device_down"], 2)
        ksft_eq(ethtool_stats("vmq0")["rx_queue_2_drops"], 2)
        never_back("down")
    # ip(8) says the same
    [shown] = json.loads(cmd("ip -s -j link show vmq0"))
    ksft_eq(shown["stats64"]["rx"]["packets"], last["rx_packets"])
    ethtool("-K vmq0 ntuple off")
    never_back("ntuple off")
    ethtool("-L vmq0 combined 4")
    never_back("-L 4")
    Rtnl().delete("vm2")
    never_back("port deleted")
    ethtool("-L vmq0 combined 2")
    ksft_ge(link_stats("vmq0")["rx_packets"], last["rx_packets"])
    ksft_ge(link_stats("vmq0")["rx_dropped"], last["rx_dropped"])
    port("vm2", number=2)
    ethtool("-L vmq0 combined 8")
    never_back("all again")


def test_promisc():
    """promisc on vmq0 reaches the uplink, and goes with it."""
    rtnl = Rtnl()
    pair()
    adapter("vmq0", uplink="up0")

    def promisc():
        return int(re.search(r"promiscuity (\d+)",
                             ip("-d link show up0"))[1])

    before = promisc()
    rtnl.set("vmq0", promisc=True)
    ksft_eq(promisc(), before + 1)
    rtnl.set("up0", master="")
    ksft_eq(promisc(), before)
    rtnl.set("up0", master="vmq0")
    ksft_eq(promisc(), before + 1)
    rtnl.set("vmq0", promisc=False)
    ksft_eq(promisc(), before)


def test_uplink_kinds():
    """Bond and VLAN devices are uplinks too."""
    pair()
    for command, name in (
            ("link add link up0 name up0.7 type vlan id 7", "up0.7"),):
        ip(command)
        defer(Rtnl().delete, name)
        adapter("vmq0", uplink=name)
        port("vm1", number=1)
        Rtnl().set("vm1", up=True)
        with Raw("wire0") as wire, Raw("vm1") as guest:
            wire.send(ether(1, vlan=7))
            got = guest.expect(mac(1))
            ksft_true(got, name)
            ksft_eq(got and got.tci, None)
        Rtnl().delete("vmq0")


def test_link_info():
    """vmqctl agrees with ip(8) about a port's counters."""
    pair()
    adapter("vmq0", uplink="up0")
    port("vm1", number=1)
    with Raw("wire0") as wire, Raw("vm1") as guest:
        wire.send(*[build(1, "10.0.0.9", "10.0.0.1")] * 7)
        ksft_true(guest.expect(mac(1)))
        wait_until(lambda: link_stats("vm1")["rx_packets"] >= 7)
    shown, link = vmqctl("port show dev vm1")[0], link_stats("vm1")
    for key, field in (("rx-packets", "rx_packets"), ("rx-bytes", "rx_bytes"),
                       ("tx-packets", "tx_packets"),
                       ("rx-drops", "rx_dropped")):
        ksft_eq(shown[key], link[field], key)
    queue = [each for each in vmqctl("queue show dev vmq0")
             if each["id"] == port_queue("vm1")][0]
    ksft_eq(queue["rx-packets"], link["rx_packets"])
    ksft_eq(queue["port"], "vm1")


if __name__ == "__main__":
    ksft_main(globals())
