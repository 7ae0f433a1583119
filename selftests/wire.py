#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# machines: qemu
"""Real NIC drivers as uplinks, and frames from outside of the machine.

The process on the other end of the wires is lib/outside.py.
"""

import os
import re
import struct
import time

from lib import (KsftSkipEx, Raw, Rtnl, adapter, build, cmd, defer, drvinfo,
                 ether, ethtool, ethtool_stats, ip, ksft_eq, ksft_ge, ksft_in,
                 ksft_main, ksft_not_in, ksft_pr, ksft_true, link_info,
                 link_stats, mac, port, set_sysctl, vmqctl, wait_until)
from lib.env import quiet
from lib.frames import ETH_P_ALL

CONTROL = b"\x88\xb6"
ME = b"\x52\x54\0\0\xee\x01"
ALL = b"\xff" * 6


class Outside:
    """What the process outside does for us, asked on the NIC itself."""

    def __init__(self, nic):
        self.raw = Raw(nic, ETH_P_ALL)
        defer(self.raw.close)

    def ask(self, data, wanted, timeout=5):
        """-> the answer, and the F frames before it"""
        frames = []
        self.raw.send((ALL + ME + CONTROL + data).ljust(60, b"\0"))
        limit = time.monotonic() + timeout
        while time.monotonic() < limit:
            got = self.raw.recv(limit - time.monotonic())
            if got is None or got[12:14] != CONTROL:
                continue
            kind = got[14:15]
            if kind == b"F":
                length = struct.unpack_from("!H", got, 15)[0]
                frames.append(bytes(got[17:17 + length]))
            elif kind == wanted:
                return got, frames
        return None, frames

    def send(self, *frames):
        """Sends these frames from outside; they have arrived afterwards."""
        data = b"S"
        for frame in frames:
            data += struct.pack("!H", len(frame)) + frame
        assert len(data) < 1400
        answer, _ = self.ask(data, b"D")
        ksft_true(answer, "the process outside answers")
        time.sleep(0.05)

    def got(self, match=lambda frame: True):
        """What came out of the machine since the last time."""
        _, frames = self.ask(b"G", b"E")
        return [each for each in frames if match(each)]


def nic(driver):
    for name in sorted(os.listdir("/sys/class/net")):
        path = f"/sys/class/net/{name}/device/driver"
        if os.path.exists(path) and \
                os.path.basename(os.path.realpath(path)) == driver:
            return name
    raise KsftSkipEx(f"the machine was started without --uplink "
                     f"{driver.partition('_')[0]}")


def attach(driver):
    """The contract's first lines, for this NIC; -> (name, Outside)"""
    name = nic(driver)
    quiet(name)
    ip("link add vmq0 type vmq")
    defer(lambda: Rtnl().exists("vmq0") and Rtnl().delete("vmq0"))
    defer(lambda: Rtnl().set(name, master=""))
    quiet("vmq0")
    ip(f"link set {name} master vmq0")
    ip("link add link vmq0 name vm1 address 52:54:00:00:00:01 type vmqport")
    quiet("vm1")
    ip("link set vmq0 up")
    ip("link set vm1 up")
    ksft_true(wait_until(lambda: link_info(name)["carrier"], 15), "carrier")
    outside = Outside(name)
    ksft_true(wait_until(lambda: outside.ask(b"G", b"E", 0.5)[0], 15),
              "the process outside answers")
    return name, outside


def queues():
    stats = ethtool_stats("vmq0")
    return {int(match[1]): value for key, value in stats.items()
            if (match := re.fullmatch(r"rx_queue_(\d+)_packets", key))}


def grew(outside, *frames):
    """{queue: frames} that these frames from outside were counted on."""
    before = queues()
    outside.send(*frames)
    now = queues()
    # the answers of the process outside are broadcasts, on queue 0
    found = {queue: now[queue] - before[queue] for queue in now
             if now[queue] != before[queue]}
    found[0] = found.get(0, 0) - 1
    return {queue: count for queue, count in found.items() if count}


def shows(driver):
    """The issue's first bullet."""
    name, outside = attach(driver)
    ethtool("-N vmq0 flow-type ether dst 52:54:00:00:00:02 vlan 10 action 5")
    text = ethtool("-n vmq0")
    ksft_in("Dest MAC addr: 52:54:00:00:00:02", text)
    ksft_in("Action: Direct to queue 5", text)
    text = ip("-d link show vm1")
    ksft_in("52:54:00:00:00:01", text)
    ksft_in("vmqport", text)
    ksft_in("rx_queue_5_packets: 0", ethtool("-S vmq0"))
    ksft_eq(vmqctl("adapter show dev vmq0")[0]["uplink"], name)
    ksft_eq(link_info("vmq0")["address"], link_info(name)["address"])

    with Raw("vm1") as guest, Raw("vmq0") as host:
        guest.drain()
        host.drain()
        ksft_eq(grew(outside, ether(1, payload=b"one")), {1: 1},
                "dst :01 untagged: queue 1")
        ksft_true(guest.expect(lambda got: b"one" in got))
        ksft_eq(grew(outside, ether(2, vlan=10, payload=b"two")), {5: 1},
                "dst :02 vlan 10: queue 5")
        got = host.expect(lambda got: b"two" in got)
        ksft_true(got)
        ksft_eq(got and got.tci, 10, "F-25: the tag is in the metadata")
        ksft_not_in(5, grew(outside, ether(2, vlan=11)),
                    "dst :02 vlan 11: not queue 5")
        ksft_not_in(5, grew(outside, ether(2)), "untagged: not queue 5")
        # broadcast: default queue, and a copy for the port
        ksft_eq(grew(outside, ether(ALL, payload=b"all")), {0: 1}, "O-46")
        ksft_true(guest.expect(lambda got: b"all" in got))
        # a NIC drops what nobody asked for, unless it is told not to
        ip("link set vmq0 promisc on")
        ksft_eq(grew(outside, ether(0x5555)), {0: 1}, "unmatched: queue 0")
        ksft_eq(grew(outside, ether(2, vlan=11)), {0: 1},
                "unmatched VLAN: queue 0")
        ip("link set vmq0 promisc off")
        ksft_eq(grew(outside, *[ether(1)] * 10, *[ether(2, vlan=10)] * 7),
                {1: 10, 5: 7})
    stats, link = ethtool_stats("vmq0"), link_stats("vmq0")
    ksft_eq(sum(queues().values()), link["rx_packets"])
    ksft_ge(stats["rx_queue_5_packets"], 8)


def test_igb():
    """Frames from outside land on the named queues: igb"""
    shows("igb")


def test_virtio():
    """Frames from outside land on the named queues: virtio-net"""
    shows("virtio_net")


def transmits(driver):
    """Ports and the host send through the NIC, tagged and not."""
    _, outside = attach(driver)
    outside.got()
    with Raw("vm1") as guest, Raw("vmq0") as host:
        guest.send(ether(9, src=1, payload=b"untagged"),
                   ether(9, src=1, vlan=10, prio=3, payload=b"tagged"),
                   ether(ALL, src=1, payload=b"broadcast"))
        host.send(ether(9, src=link_info("vmq0")["address"],
                        payload=b"host"))
        time.sleep(0.2)
        got = outside.got(lambda frame: frame[6:12] in (
            mac(1), mac(link_info("vmq0")["address"])))
        for text in (b"untagged", b"broadcast", b"host"):
            ksft_eq(len([each for each in got if text in each]), 1, text)
        tagged = ether(9, src=1, vlan=10, prio=3, payload=b"tagged")
        ksft_eq(len([each for each in got if each.startswith(
            tagged[:24])]), 1, "T-09: the tag is inserted")
        # checksum and segmentation offloads of the NIC
        ip("addr add 10.5.0.1/24 dev vm1")
        Rtnl().neigh("vm1", "10.5.0.9", "52:54:00:00:00:09")
        import socket
        from switch import good_checksum
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for size in (1, 100, 1400):
                sock.sendto(bytes(size), ("10.5.0.9", 9))
        time.sleep(0.2)
        got = outside.got(lambda frame: frame[12:14] == b"\x08\0"
                          and frame[23] == 17)
        short = [each for each in got if len(each) < 1000]
        ksft_eq(len(got), 3)
        ksft_true(all(good_checksum(each) for each in short))


def test_igb_transmit():
    """Sending through igb"""
    transmits("igb")


def test_virtio_transmit():
    """Sending through virtio-net"""
    transmits("virtio_net")


def filters(driver):
    """n-tuple rules and replaced addresses, with frames from outside."""
    _, outside = attach(driver)
    ethtool("-N vmq0 flow-type udp4 dst-port 53 action 7")
    ethtool("-N vmq0 flow-type tcp6 dst-port 80 action -1")
    ksft_eq(grew(outside, build(1, "10.0.0.9", "10.0.0.1", dport=53)), {7: 1})
    ksft_eq(grew(outside, build(1, "10.0.0.9", "10.0.0.1", dport=54)), {1: 1})
    ksft_eq(grew(outside, build(1, "fd00::9", "fd00::1", "tcp", dport=80)), {})
    ksft_eq(ethtool_stats("vmq0")["rx_drops_filter"], 1)
    # a new address reaches the NIC
    ip("link set vm1 address 52:54:00:00:00:77")
    ksft_eq(grew(outside, ether(0x77)), {1: 1})
    ksft_not_in(1, grew(outside, ether(1)), "the old address")
    port("vm2", number=2)
    ksft_eq(grew(outside, ether(2)), {2: 1})
    Rtnl().delete("vm2")
    ksft_not_in(2, grew(outside, ether(2)))
    # and is taken back from it
    name = vmqctl("adapter show dev vmq0")[0]["uplink"]
    ip(f"link set {name} nomaster")
    for number in ("01", "02", "77"):
        ksft_not_in(f"52:54:00:00:00:{number}",
                    cmd(f"bridge fdb show dev {name}"))


def test_igb_filters():
    """Rules over igb"""
    filters("igb")


def test_virtio_filters():
    """Rules over virtio-net"""
    filters("virtio_net")


def test_drivers():
    """ethtool -i of the NICs, and vmq0's speed is the uplink's."""
    for driver in ("igb", "virtio_net"):
        name = nic(driver)
        ksft_eq(drvinfo(name)[0], driver)
        adapter("vmq0", uplink=name)
        ksft_true(wait_until(lambda: link_info("vmq0")["carrier"], 15))
        speed = re.search(r"Speed: (.*)", ethtool(f"{name}"))
        ksft_eq(re.search(r"Speed: (.*)", ethtool("vmq0"))[1], speed[1])
        ksft_pr(f"{name}: {driver}, {speed[1]}")
        Rtnl().delete("vmq0")


def test_unplug():
    """The NIC's driver is unbound while it is the uplink."""
    name = nic("virtio_net")
    adapter("vmq0", uplink=name)
    port("vm1", number=1)
    device = os.path.basename(os.path.realpath(f"/sys/class/net/{name}/device"))
    base = "/sys/bus/virtio/drivers/virtio_net"
    with open(f"{base}/unbind", "w", encoding="ascii") as stream:
        stream.write(device)
    ksft_not_in("uplink", vmqctl("adapter show dev vmq0")[0])
    with open(f"{base}/bind", "w", encoding="ascii") as stream:
        stream.write(device)
    ksft_true(wait_until(lambda: Rtnl().exists(name), 10))
    Rtnl().set(name, master="vmq0")
    ksft_eq(vmqctl("adapter show dev vmq0")[0]["uplink"], name)
    Rtnl().set(name, master="")


if __name__ == "__main__":
    set_sysctl("net/ipv6/conf/default/disable_ipv6", 1)
    ksft_main(globals())
