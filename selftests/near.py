#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Where there are many ports, frames wait for those behind them (rx_near.h): none is
lost by that, none overtakes another (R-24), and none is there when an uplink is not."""

import contextlib
import os
import pathlib
import threading
import time

from lib import (KsftSkipEx, Raw, Rtnl, adapter, cmd, defer, ether, ksft_eq,
                 ksft_ge, ksft_main, ksft_pr, ksft_raises, ksft_true, link_stats,
                 machine, pair, port, run, wait_until)
from lib.flow import Flow, while_it_runs
from lib.pktgen import Pktgen, sequence

MANY = pathlib.Path("/sys/module/vmq/parameters/many_ports")
NEVER = 0xffffffff
FRAMES = 30000 if machine() == "uml-debug" else 200000
FOR_EVER = 0
ENOUGH = 1_000_000_000
TRAIN = 16


def many(number):
    MANY.write_text(f"{number}\n", encoding="ascii")


def world(number=1, ports=3):
    """Ports with frames that wait, if `number` ports are many."""
    pair()
    defer(many, MANY.read_text(encoding="ascii").strip())
    many(number)
    adapter("vmq0", uplink="up0", rxq=8)
    for each in range(1, ports + 1):
        port(f"vm{each}", number=each)
    wait_until(lambda: link_stats("vm1") is not None)


class Trains:
    """Frames for three ports in turn, as a driver's poll has them: many at once."""

    def __init__(self, count=FRAMES):
        self.count = count
        self.pktgen = Pktgen("up0", f"count {count}", "pkt_size 60",
                             "xmit_mode netif_receive", f"burst {TRAIN}", "dst 10.0.0.1",
                             "dst_mac 52:54:00:00:00:01", "dst_mac_count 3")
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        self.pktgen.start()
        # it may end on its own when the process forks
        while self.count == FOR_EVER and not self.stop.is_set():
            self.pktgen.start()

    def __enter__(self):
        self.before = arrived()
        self.thread.start()
        ksft_true(wait_until(lambda: arrived() != self.before, 10))
        return self

    def __exit__(self, *_):
        self.stop.set()
        while self.thread.is_alive():
            with contextlib.suppress(OSError):
                self.pktgen.stop()
            self.thread.join(0.1)

    def runs(self):
        return self.thread.is_alive()

    def sent(self):
        return self.pktgen.sent()


def arrived():
    return [link_stats(f"vm{number}")["rx_packets"] for number in (1, 2, 3)]


def in_order(raw, last):
    """Reads some of what is there; the highest number so far."""
    for _ in range(200):
        frame = raw.recv(0)
        if frame is None:
            break
        number = sequence(frame)
        if number is not None:
            ksft_ge(number, last, "R-24")
            last = number
    return last


def all_of(trains):
    """Every frame went to its port, and so did the last ones."""
    got = [now - then for now, then in zip(arrived(), trains.before)]
    ksft_pr(f"{trains.sent()} sent, {got} arrived")
    # the generator counts a train that the stack took as what it asked for
    ksft_eq(sum(got) - trains.sent(), 0)
    ksft_ge(min(got), trains.sent() // 4)


def test_parameter():
    """What is no number is refused, and changes nothing."""
    before = MANY.read_text(encoding="ascii")
    ksft_eq(int(before), 512)
    for text in ("x", "-1", "4294967296", "", "1 2"):
        with ksft_raises(OSError):
            many(text)
        ksft_eq(MANY.read_text(encoding="ascii"), before, text)
    many(7)
    ksft_eq(MANY.read_text(encoding="ascii"), "7\n")
    MANY.write_text(before, encoding="ascii")


def test_trains():
    """Frames of a poll arrive, in order, with the last of them."""
    world()
    into = Raw("vm2")
    defer(into.close)
    last = 0
    with Trains() as trains:
        while trains.runs():
            last = in_order(into, last)
    in_order(into, last)
    wait_until(lambda: sum(arrived()) - sum(trains.before) == trains.sent(), 5)
    all_of(trains)


def test_one_by_one():
    """A frame without one behind it does not wait for one (R-24)."""
    world()
    Flow().run(1)
    flow = Flow()
    for _ in range(40):
        flow.send()
        flow.finish()


def test_switched():
    """On and off under traffic; none is lost, none overtakes (R-24)."""
    world()
    into = Raw("vm3")
    defer(into.close)
    last = count = 0
    with Trains(ENOUGH) as trains:
        while trains.runs() and count < 20:
            many((NEVER, 1)[count % 2])
            count += 1
            last = in_order(into, last)
            time.sleep(0.02)
    many(1)
    in_order(into, last)
    ksft_pr(f"{count} changes")
    ksft_ge(count, 4)
    all_of(trains)
    count = while_it_runs(Flow(), 1, lambda turn: many((NEVER, 1)[turn % 2]))
    ksft_ge(count, 2)


def test_ports_come_and_go():
    """The number of ports switches it, under traffic."""
    world(number=5)
    rtnl = Rtnl()
    defer(rtnl.close)
    count = 0
    with Trains(ENOUGH) as trains:
        while trains.runs() and count < 3:
            for number in (4, 5):
                port(f"vm{number}", number=number)
            for number in (4, 5):
                rtnl.delete(f"vm{number}")
            # half of five are two
            rtnl.delete("vm3")
            port("vm3", number=3)
            count += 1
            # counters of the new one begin anew
            trains.before[2] = 0
    ksft_ge(count, 1)
    got = [now - then for now, then in zip(arrived(), trains.before)]
    ksft_ge(got[0] + got[1], trains.sent() * 2 // 3 - 2 * TRAIN,
            f"{got} of {trains.sent()}: the two ports that stay lost some")


def test_detached():
    """None of it is on its way when the uplink is taken off, and it can go."""
    world()
    with Trains(FOR_EVER) as trains:
        for turn in range(10):
            cmd("ip link set up0 nomaster")
            stopped = arrived()
            time.sleep(0.02)
            ksft_eq(arrived(), stopped, turn)
            cmd("ip link set up0 master vmq0")
            ksft_true(wait_until(lambda: arrived() != stopped, 10), turn)
        # with its adapter at once
        cmd("ip link del vmq0")
        ksft_true(trains.runs())


def test_two_uplinks():
    """Frames of two adapters' uplinks on one CPU do not meet."""
    world()
    pair("up1", "wire1")
    adapter("vmq1", uplink="up1", rxq=4)
    port("vm9", link="vmq1", number=9)
    with Trains() as trains:
        flow = Flow(source="wire1", target="vm9", dst=9)
        while trains.runs():
            flow.send(8)
            while flow.receive():
                pass
        flow.finish()
    wait_until(lambda: sum(arrived()) - sum(trains.before) == trains.sent(), 5)
    all_of(trains)



def test_list():
    """Frames of two adapters in one list of the stack keep their order (R-24)."""
    pair()
    defer(many, MANY.read_text(encoding="ascii").strip())
    many(1)
    # so the wire's frames come by a NAPI, in lists
    cmd("ethtool -K wire0 tso off")
    cmd("ethtool -K up0 gro on")
    pathlib.Path("/sys/class/net/up0/threaded").write_text("1", encoding="ascii")
    flows = {}
    for vid in (5, 6):
        cmd(f"ip link add link up0 name up0.{vid} type vlan id {vid}")
        cmd(f"ip link set up0.{vid} up")
        adapter(f"vmq{vid}", uplink=f"up0.{vid}", rxq=4)
        port(f"vm{vid}", link=f"vmq{vid}", number=vid)
        flows[vid] = Flow(target=f"vm{vid}", dst=vid, vlan=vid)
    # the NAPI's thread has its turn when many of them wait
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    defer(os.sched_setscheduler, 0, os.SCHED_OTHER, os.sched_param(0))
    for _ in range(20):
        for turn in range(40):
            flows[6 if turn % 4 == 3 else 5].send()
        time.sleep(0.02)
        for flow in flows.values():
            flow.finish()


def heard(on, vlan=None):
    """Of 200 frames of LLDP, how many somebody on a device gets, with no frame waiting,
    and with those that may wait."""
    counts = []
    for wait in (NEVER, 1):
        many(wait)
        wire, uplink = Raw("wire0"), Raw(on, 0x88cc)
        with wire, uplink:
            for _ in range(200):
                wire.send(ether(b"\x01\x80\xc2\x00\x00\x0e", proto=0x88cc, vlan=vlan))
            counts.append(len(uplink.all()))
    return counts


def test_listener():
    """Who listens on the uplink for one protocol gets all of it, as LLDP does."""
    world()
    ksft_eq(heard("up0"), [200, 200])


def test_listener_below():
    """And so does who listens on the NIC, where the uplink is one of its VLANs."""
    pair()
    defer(many, MANY.read_text(encoding="ascii").strip())
    cmd("ip link add link up0 name up0.5 type vlan id 5")
    cmd("ip link set up0.5 up")
    adapter("vmq5", uplink="up0.5", rxq=4)
    port("vm1", link="vmq5", number=1)
    ksft_eq(heard("up0", vlan=5), [200, 200])


def test_bond():
    """Frames of a bond's members are not exchanged: they have come from one of them."""
    if run("modprobe", "-q", "bonding").returncode:
        raise KsftSkipEx("no bonding")
    defer(many, MANY.read_text(encoding="ascii").strip())
    many(1)
    pair("m1", "w1")
    pair("m2", "w2")
    cmd("ip link add bond7 type bond mode active-backup")
    defer(cmd, "ip link del bond7")
    for member in ("m1", "m2"):
        cmd(f"ip link set {member} down")
        cmd(f"ip link set {member} master bond7")
    cmd("ip link set bond7 up")
    adapter("vmq0", uplink="bond7", rxq=4)
    port("vm1", number=1)
    with Raw("vm1") as guest, Raw("w1") as wire:
        for turn in range(100):
            text = b"bond%d." % turn
            wire.send(ether(1, payload=text))
            if not guest.expect(lambda frame, text=text: text in frame, 5):
                break
        ksft_eq(turn, 99)


if __name__ == "__main__":
    ksft_main(globals())
