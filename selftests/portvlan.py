#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: uml-plain
"""What the switch itself allows a port: VLANs (X-43), source addresses (X-20),
isolation. Every case with real frames, in both directions."""

import contextlib
import threading
import time

from lib import (UAPI, Genl, NetNS, NlError, Raw, Rtnl, Session, adapter, arp, attr,
                 attr_str, attr_u8, attr_u16, cmd, defer, ether, ethtool_stats,
                 fail_cmd, ksft_eq, ksft_ge, ksft_in, ksft_main, ksft_raises,
                 ksft_true, link_info, link_stats, mac, machine, pair, port,
                 port_queue, restore, save, vmqctl, wait_until)
from lib.tap import Guest
from lib.traffic import transfer

SLOW = machine() != "uml-plain"
GUEST, OUTSIDE = "10.8.0.1", "10.8.0.9"
ALL = b"\xff" * 6
sequence = iter(range(1, 1 << 30))


def world(ports=1, second=False):
    """-> raw sockets: outside, then one for each guest"""
    for number in (0, 1) if second else (0,):
        pair(f"up{number}", f"wire{number}")
        adapter(f"vmq{number}", uplink=f"up{number}", rxq=8)
    names = [f"vm{number}" for number in range(1, ports + 1)]
    for number, name in enumerate(names, 1):
        port(name, number=number)
    if second:
        port("vm1b", link="vmq1", number=0x99)
    made = [Raw(name) for name in ["wire0", *names]]
    for each in made:
        defer(each.close)
    return made


def set_port(text, dev="vm1"):
    cmd(f"vmqctl port set dev {dev} {text}")


def show(dev="vm1"):
    [shown] = vmqctl(f"port show dev {dev}")
    return {name: shown.get(name) for name in
            ("vlan", "trunk", "isolate", "spoofchk")}


def cross(sender, receiver, dst, src, vlan=None, prio=0, wait=0.12 if SLOW else 0.06):
    """How a frame arrives: "lost", "untagged", or its VLAN id and priority."""
    payload = b"vmq" + next(sequence).to_bytes(4, "big")
    receiver.drain()
    sender.send(ether(dst, src, vlan=vlan, prio=prio, payload=payload))
    got = receiver.expect(lambda frame: frame[14:21] == payload, wait)
    if got is None:
        return "lost"
    if got.tci is None:
        return "untagged"
    return (got.tci & 0xfff, got.tci >> 13)


def comes(*arguments, **words):
    """The same of one that has to arrive, however busy the host is."""
    return cross(*arguments, wait=10, **words)


def drops(dev="vm1", *names):
    found = ethtool_stats(dev)
    return [found[name] for name in names]


def test_access():
    """One VLAN, whose tag the guest never sees."""
    wire, guest = world()
    before = vmqctl("filter show dev vmq0")
    set_port("vlan 5")
    ksft_eq(show(), {"vlan": 5, "trunk": None, "isolate": False,
                     "spoofchk": False})
    [old], [new] = before, vmqctl("filter show dev vmq0")
    ksft_eq((new["id"], new["queue"]), (old["id"], old["queue"]),
            "the same filter, moved (F-30)")
    ksft_eq((new.get("vlan"), "untagged" in new), (5, False))
    ksft_eq(comes(guest, wire, 9, 1), (5, 0), "out: tagged")
    ksft_eq(comes(guest, wire, 9, 1, vlan=5, prio=2), (5, 2), "its own tag")
    ksft_eq(comes(guest, wire, 9, 1, vlan=0, prio=3), (5, 3), "a priority tag")
    ksft_eq(comes(guest, wire, ALL, 1), (5, 0), "out: to all")
    for vlan in (6, 4094):
        ksft_eq(cross(guest, wire, 9, 1, vlan=vlan), "lost")
        ksft_eq(cross(guest, wire, ALL, 1, vlan=vlan), "lost")
    ksft_eq(drops("vm1", "tx_drops_vlan"), [4])
    ksft_eq(link_stats("vm1")["tx_dropped"], 4)
    for dst in (1, ALL):
        ksft_eq(comes(wire, guest, dst, 9, vlan=5, prio=1), "untagged", "in")
        ksft_eq(cross(wire, guest, dst, 9), "lost", "in: untagged")
        ksft_eq(cross(wire, guest, dst, 9, vlan=6), "lost", "in: another")
        ksft_eq(cross(wire, guest, dst, 9, vlan=0), "lost", "in: priority tag")
    set_port("vlan none")
    ksft_eq(show()["vlan"], None)
    ksft_eq(vmqctl("filter show dev vmq0"), before)
    ksft_eq(comes(wire, guest, 1, 9), "untagged")
    ksft_eq(comes(guest, wire, 9, 1), "untagged")
    ksft_eq(comes(guest, wire, 9, 1, vlan=6), (6, 0), "no policy")


def test_rules():
    """What the administrator's rules lead to a port is checked, too (R-03)."""
    wire, guest = world()
    queue = port_queue("vm1")
    set_port("vlan 5")
    for vlan in (0, 7):
        cmd(f"ethtool -N vmq0 flow-type ether dst 52:54:00:00:00:01 "
            f"vlan {vlan} m 0xf000 action {queue}")
    ksft_eq(cross(wire, guest, 1, 9, vlan=7), "lost")
    ksft_eq(cross(wire, guest, 1, 9), "lost")
    ksft_eq(drops("vm1", "rx_drops_vlan"), [2])
    ksft_eq(cross(wire, guest, ALL, 9, vlan=7), "lost", "nor is it flooded")
    set_port("trunk 7")
    ksft_eq(comes(wire, guest, 1, 9, vlan=7), (7, 0))
    ksft_eq(comes(wire, guest, 1, 9, vlan=5), "untagged")
    ksft_eq(comes(wire, guest, ALL, 9, vlan=7), (7, 0))


def test_trunk():
    """A list of VLANs, whose tags the guest sees and sets."""
    wire, guest = world()
    set_port("trunk 1-10,20")
    ksft_eq(show()["trunk"], "1-10,20")
    [own] = vmqctl("filter show dev vmq0")
    ksft_true("vlan" not in own and "untagged" not in own, "any tag")
    for vlan, passes in ((1, True), (10, True), (20, True), (11, False),
                         (19, False), (4094, False), (None, False), (0, False)):
        wanted = (vlan, 4) if passes else "lost"
        for dst in (9, ALL):
            ksft_eq(cross(guest, wire, dst, 1, vlan=vlan, prio=4), wanted,
                    f"out {vlan}")
        for dst in (1, ALL):
            ksft_eq(cross(wire, guest, dst, 9, vlan=vlan, prio=4), wanted,
                    f"in {vlan}")
    ksft_eq(drops("vm1", "tx_drops_vlan", "rx_drops_vlan"), [10, 5])
    # untagged frames if the list says so
    set_port("trunk 0,20")
    ksft_eq(comes(guest, wire, 9, 1), "untagged")
    ksft_eq(comes(wire, guest, 1, 9), "untagged")
    ksft_eq(comes(wire, guest, ALL, 9), "untagged")
    ksft_eq(cross(wire, guest, 1, 9, vlan=10), "lost", "not any more")
    set_port("trunk none")
    ksft_eq(show()["trunk"], None)
    ksft_eq(comes(guest, wire, 9, 1, vlan=11), (11, 0))


def test_native():
    """A trunk with a VLAN for untagged frames."""
    wire, guest = world()
    set_port("vlan 5 trunk 10-12")
    ksft_eq((show()["vlan"], show()["trunk"]), (5, "10-12"))
    ksft_eq(comes(guest, wire, 9, 1), (5, 0))
    ksft_eq(comes(guest, wire, 9, 1, vlan=11), (11, 0))
    ksft_eq(cross(guest, wire, 9, 1, vlan=6), "lost")
    for dst in (1, ALL):
        ksft_eq(comes(wire, guest, dst, 9, vlan=5), "untagged")
        ksft_eq(comes(wire, guest, dst, 9, vlan=12), (12, 0))
        ksft_eq(cross(wire, guest, dst, 9), "lost")
    # one leaves the other as it is
    set_port("trunk none")
    ksft_eq((show()["vlan"], show()["trunk"]), (5, None))
    ksft_eq(cross(guest, wire, 9, 1, vlan=11), "lost")


def test_between_ports():
    """Ports of one VLAN hear each other, those of two do not."""
    _, one, two, three = world(ports=3)
    set_port("vlan 5")
    set_port("vlan 5", "vm2")
    set_port("trunk 5-6", "vm3")
    ksft_eq(comes(one, two, 2, 1), "untagged")
    ksft_eq(comes(one, two, ALL, 1), "untagged")
    ksft_eq(comes(one, three, 3, 1), (5, 0))
    ksft_eq(comes(one, three, ALL, 1), (5, 0))
    ksft_eq(comes(three, one, 1, 3, vlan=5), "untagged")
    ksft_eq(cross(three, one, 1, 3, vlan=6), "lost")
    set_port("vlan 6", "vm2")
    ksft_eq(cross(one, two, 2, 1), "lost")
    ksft_eq(cross(one, two, ALL, 1), "lost")
    ksft_eq(comes(three, two, 2, 3, vlan=6), "untagged")
    # the host is in the VLAN that its own VLAN device is in
    with Raw("vmq0") as host:
        own = bytes.fromhex(link_info("vmq0")["address"].replace(":", ""))
        ksft_eq(comes(one, host, own, 1), (5, 0))
        ksft_eq(comes(host, one, 1, own, vlan=5), "untagged")
        ksft_eq(cross(host, one, 1, own), "lost")


def test_isolate():
    """Isolated ports talk to the uplink, the host and ports that are not."""
    wire, one, two, three = world(ports=3)
    set_port("isolate on")
    ksft_eq(comes(one, two, 2, 1), "untagged", "one alone is not isolated")
    set_port("isolate on", "vm2")
    ksft_eq(show("vm2")["isolate"], True)
    for here, there, dst, src in ((one, two, 2, 1), (two, one, 1, 2)):
        ksft_eq(cross(here, there, dst, src), "lost")
        ksft_eq(cross(here, there, ALL, src), "lost")
    ksft_eq(drops("vm1", "tx_drops_isolated"), [1])
    for each, number in ((one, 1), (two, 2)):
        ksft_eq(comes(each, wire, 9, number), "untagged")
        ksft_eq(comes(wire, each, number, 9), "untagged")
        ksft_eq(comes(each, wire, ALL, number), "untagged")
        ksft_eq(comes(wire, each, ALL, 9), "untagged")
        ksft_eq(comes(each, three, 3, number), "untagged")
        ksft_eq(comes(three, each, number, 3), "untagged")
        ksft_eq(comes(each, three, ALL, number), "untagged")
        ksft_eq(comes(three, each, ALL, 3), "untagged")
    with Raw("vmq0") as host:
        ksft_eq(comes(one, host, ALL, 1), "untagged")
    # nor does one that listens to all hear what is not for it
    Rtnl().set("vm2", promisc=True)
    ksft_eq(cross(one, two, 0x77, 1), "lost")
    ksft_eq(comes(three, two, 0x77, 3), "untagged")
    set_port("isolate off", "vm2")
    ksft_eq(comes(one, two, 2, 1), "untagged")


def test_spoofchk():
    """X-20: the guest may send from the addresses of the port only."""
    wire, guest = world()
    ksft_eq(comes(guest, wire, 9, 0x66), "untagged", "off")
    set_port("spoofchk on")
    ksft_eq(show()["spoofchk"], True)
    ksft_eq(comes(guest, wire, 9, 1), "untagged")
    for src in (0x66, ALL, bytes(6), 9):
        ksft_eq(cross(guest, wire, 9, src), "lost", src)
        ksft_eq(cross(guest, wire, ALL, src), "lost", src)
    ksft_eq(drops("vm1", "tx_drops_spoofed", "tx_drops_vlan"), [8, 0])
    # a further address of the port, as a macvlan on it has
    cmd("bridge fdb add 52:54:00:00:00:66 dev vm1")
    ksft_eq(comes(guest, wire, 9, 0x66), "untagged")
    cmd("bridge fdb del 52:54:00:00:00:66 dev vm1")
    ksft_eq(cross(guest, wire, 9, 0x66), "lost")
    Rtnl().set("vm1", address="52:54:00:00:00:66")
    ksft_eq(comes(guest, wire, 9, 0x66), "untagged", "follows the address")
    ksft_eq(cross(guest, wire, 9, 1), "lost")
    set_port("vlan 5")
    ksft_eq(cross(guest, wire, 9, 1), "lost", "in a VLAN, too")
    ksft_eq(comes(guest, wire, 9, 0x66), (5, 0))
    set_port("spoofchk off vlan none")
    ksft_eq(comes(guest, wire, 9, 1), "untagged")


def test_address():
    """The filter of the port is its address in its VLAN, whichever changes."""
    wire, guest = world()
    set_port("vlan 5")
    Rtnl().set("vm1", address="52:54:00:00:00:66")
    [own] = vmqctl("filter show dev vmq0")
    ksft_eq((own["mac"], own["vlan"]), ("52:54:00:00:00:66", 5))
    ksft_eq(comes(wire, guest, 0x66, 9, vlan=5), "untagged")
    ksft_eq(cross(wire, guest, 1, 9, vlan=5), "lost")
    # the same address in two VLANs
    port("vm2", number=2)
    set_port("vlan 6", "vm2")
    Rtnl().set("vm2", address="52:54:00:00:00:66")
    with Raw("vm2") as other:
        ksft_eq(comes(wire, other, 0x66, 9, vlan=6), "untagged")
        ksft_eq(comes(wire, guest, 0x66, 9, vlan=5), "untagged")
    status, message = fail_cmd("vmqctl port set dev vm2 vlan 5")
    ksft_eq(status, 1)
    ksft_in("already matches", message)
    ksft_eq(show("vm2")["vlan"], 6)
    with Raw("vm2") as other:
        ksft_eq(comes(wire, other, 0x66, 9, vlan=6), "untagged")


def test_uplink():
    """An uplink that comes later; one that goes."""
    pair()
    adapter("vmq0", rxq=8)
    port("vm1", number=1)
    set_port("vlan 5 trunk 10-12,100")
    rtnl = Rtnl()
    for _ in range(2):
        rtnl.set("up0", master="vmq0")
        with Raw("wire0") as wire, Raw("vm1") as guest:
            wait_until(lambda: cross(guest, wire, 9, 1) == (5, 0))
            ksft_eq(comes(wire, guest, 1, 9, vlan=100), (100, 0))
        set_port("trunk 10-12")
        rtnl.set("up0", master="")
        set_port("trunk 10-12,100")
    rtnl.set("up0", master="vmq0")
    rtnl.delete("vm1")


def test_tcp():
    """TCP with large segments, both ways, from an access port to a host that is
    in the VLAN."""
    outside = NetNS()
    pair()
    adapter("vmq0", uplink="up0")
    rtnl = Rtnl()
    rtnl.set("wire0", netns_fd=outside.fd)
    with outside:
        Rtnl().up("wire0")
        cmd("ip link add link wire0 name wire0.5 type vlan id 5")
        Rtnl().up("wire0.5")
        Rtnl().addr("wire0.5", OUTSIDE, 24)
    port("vm1", number=1)
    rtnl.addr("vm1", GUEST, 24)
    defer(outside.close)
    set_port("vlan 5 spoofchk on isolate on")
    size = (1 if machine() == "uml-debug" else 8) << 20
    here = contextlib.nullcontext()
    ksft_true(transfer(here, outside, OUTSIDE, size, source=GUEST)[0])
    ksft_true(transfer(outside, here, GUEST, size, port=5002)[0])


def test_gate():
    """A frame that waited at the gate arrives as it would have."""
    wire, guest = world()
    set_port("vlan 5 gate closed")
    frame = ether(1, 9, vlan=5, payload=b"held")
    wire.send(frame, ether(1, 9, vlan=6, payload=b"held"))
    ksft_true(guest.expect(mac(1), 0.1) is None)
    set_port("gate open")
    got = guest.expect(lambda each: each[14:18] == b"held")
    ksft_true(got is not None and got.tci is None, "untagged")
    ksft_true(guest.expect(lambda each: each[14:18] == b"held", 0.1) is None)


def held(number, vlan):
    return ether(1, 9, vlan=vlan, payload=b"held%d" % number)


def is_held(frame):
    return frame[14:18] == b"held"


def test_gate_ring():
    """What the guest had not read when the gate was shut waits as it came by the
    wire: it goes to another host with its tag, and to the guest without."""
    wire, _ = world()
    set_port("vlan 5")
    guest = Guest()
    wire.send(held(1, 5), held(2, 6))
    ksft_true(wait_until(lambda: link_stats("vm1")["rx_packets"] == 1))
    save("vm1")
    ksft_eq(vmqctl("port show dev vm1")[0]["waiting-frames"], 1)
    wire.send(held(3, 5), held(4, 6))
    ksft_true(wait_until(lambda: vmqctl("port show dev vm1")[0]
                         ["waiting-frames"] >= 2))
    pair("to", "there")
    with Raw("there") as there:
        set_port("redirect to")
        got = there.all(1)
        ksft_eq([(each[14:19], each.tci) for each in got], [(b"held3", 5)],
                "the first is in the stream")
    set_port("redirect none")
    before = drops("vm1", "rx_drops_vlan")
    for number, vlan in ((5, 5), (6, 6)):
        wire.send(held(number, vlan))
    save("vm1")
    set_port("gate open")
    ksft_eq([each[14:19] for each in guest.all(0.3, is_held)],
            [b"held1", b"held5"], "the guest goes on here")
    ksft_true(before == drops("vm1", "rx_drops_vlan"), "the filter knows 6")


def test_gate_move():
    """What waited moves with the port and meets its VLANs there once: an untagged
    frame that a rule brought is not the guest's for having waited."""
    wire, _ = world(second=True)
    set_port("vlan 5")
    queue = port_queue("vm1")
    cmd(f"ethtool -N vmq0 flow-type ether dst 52:54:00:00:00:01 "
        f"vlan 0 m 0xf000 action {queue}")
    guest = Guest()
    wire.send(held(1, 5))
    ksft_true(wait_until(lambda: link_stats("vm1")["rx_packets"] == 1))
    set_port("gate closed")
    wire.send(held(2, None), held(3, 5))
    ksft_true(wait_until(lambda: vmqctl("port show dev vm1")[0]
                         ["waiting-frames"] == 2))
    stream = save("vm1")
    guest.close()
    other = Guest("vm1b")
    restore("vm1b", stream)
    set_port("gate open", "vm1b")
    got = other.all(0.3, is_held)
    ksft_eq([each[14:19] for each in got], [b"held3"])
    ksft_eq(drops("vm1b", "rx_drops_vlan"), [1])


def test_announce():
    """A port is announced in its VLANs, and nowhere else."""
    wire, guest = world()
    guest.send(ether(ALL, 1, 0x806, payload=arp(1, 1, GUEST, 0, GUEST)))
    for text, wanted in (("vlan 5", {5}), ("vlan none trunk 7-8", {7, 8}),
                         ("trunk 100-300", set())):
        set_port(text)
        set_port("gate auto announce-count 1")
        wire.drain()
        set_port("gate open")
        found = set()
        while found != wanted or not wanted:
            got = wire.expect(lambda each: each[6:12] == mac(1),
                              10 if wanted else 0.5)
            if got is None:
                break
            found.add(got.tci)
        ksft_eq(found, wanted, text)


def test_move():
    """SR: all of it moves with the port, and goes back where a restore fails."""
    world(second=True)
    set_port("vlan 5 trunk 10-12,20 isolate on spoofchk on")
    wanted = show()
    stream = save("vm1")
    set_port("vlan 77", "vm1b")
    before = show("vm1b")
    filters = vmqctl("filter show dev vmq1")
    with Session("vm1b", True) as session:
        session.write(stream)
    ksft_eq(show("vm1b"), before, "not committed")
    # the address is taken on the other host
    port("vm9", link="vmq1", number=1)
    with ksft_raises(OSError):
        restore("vm1b", stream)
    ksft_eq(show("vm1b"), before, "refused")
    Rtnl().delete("vm9")
    ksft_eq(vmqctl("filter show dev vmq1"), filters)
    restore("vm1b", stream)
    ksft_eq(show("vm1b"), wanted)
    with Raw("wire1") as wire, Raw("vm1b") as guest:
        ksft_eq(comes(wire, guest, 1, 9, vlan=5), "untagged")
        ksft_eq(comes(wire, guest, 1, 9, vlan=20), (20, 0))
        ksft_eq(cross(wire, guest, 1, 9, vlan=77), "lost")
        ksft_eq(comes(guest, wire, 9, 1), (5, 0))
        ksft_eq(cross(guest, wire, 9, 0x99), "lost")
    # a port without any of it leaves what is configured there
    set_port("vlan none trunk none isolate off spoofchk off")
    restore("vm1b", save("vm1"))
    ksft_eq(show("vm1b"), wanted)


def test_refusals():
    """What is no good is refused with a message; then nothing has changed, of
    what else was asked for neither."""
    world()
    set_port("vlan 5 isolate on")
    before, filters = show(), vmqctl("filter show dev vmq0")
    uuid = vmqctl("port show dev vm1")[0]["uuid"]
    cmd("ethtool -N vmq0 flow-type ether dst 52:54:00:00:00:01 vlan 7 "
        "m 0xf000 action 0")
    for text in ("trunk x", "trunk 1-", "trunk 5-4", "trunk 4095", "trunk all",
                 "trunk 0-4095", "trunk 1:2/3", "trunk 0,7", "vlan 7",
                 "trunk " + ",".join(map(str, range(2, 400, 2))),
                 "trunk 99999999999999999999"):
        status, message = fail_cmd(
            f"vmqctl port set dev vm1 {text} spoofchk on "
            f"uuid 12345678-1234-1234-1234-123456789abc")
        ksft_in(status, (1, 2), text[:30])
        ksft_true(message and "Invalid argument" != message, text[:30])
        ksft_eq(show(), before, text)
    ksft_eq(vmqctl("port show dev vm1")[0]["uuid"], uuid)
    ksft_eq([each for each in vmqctl("filter show dev vmq0")
             if each["owner"] != "ethtool"], filters)
    genl = Genl()
    for data in (attr_u16(UAPI["VMQ_A_PORT_VLAN"], 4095),
                 attr_u16(UAPI["VMQ_A_PORT_VLAN"], 65535),
                 attr_u8(UAPI["VMQ_A_PORT_ISOLATE"], 2),
                 attr_u8(UAPI["VMQ_A_PORT_SPOOFCHK"], 255),
                 attr(UAPI["VMQ_A_PORT_TRUNK"], b"1,2,3"),
                 attr(UAPI["VMQ_A_PORT_TRUNK"], b"1" * 600 + b"\0")):
        with ksft_raises(NlError):
            genl.call(UAPI["VMQ_CMD_PORT_SET"], attr_str(2, "vm1"), data)
    ksft_eq(show(), before)


def test_under_traffic():
    """Frames that are allowed before and after a change are never lost."""
    wire, guest = world()
    set_port("vlan 5")
    stop = threading.Event()
    sent = [0]

    def send():
        frame = ether(1, 9, vlan=5)
        while not stop.is_set():
            wire.send(*[frame] * 10)
            sent[0] += 10
            time.sleep(0.002)

    before = link_stats("vm1")["rx_packets"]
    thread = threading.Thread(target=send)
    thread.start()
    defer(stop.set)
    for _ in range(4 if SLOW else 15):
        set_port("trunk 5-9")
        set_port("vlan none trunk 5")
        set_port("isolate on trunk 1-4094")
        set_port("vlan 5 trunk none isolate off")
    stop.set()
    thread.join()
    ksft_ge(sent[0], 50)
    wait_until(lambda: link_stats("vm1")["rx_packets"] - before >= sent[0])
    guest.drain()
    ksft_eq(drops("vm1", "rx_drops_vlan"), [0])


if __name__ == "__main__":
    ksft_main(globals())
