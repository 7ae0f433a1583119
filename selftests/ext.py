#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The stack of extensions, with all that are bundled in it (group X)."""

import threading

from lib import (UAPI, Genl, Raw, acl_rule, acl_set, adapter, attr_str,
                 attr_u8, attr_u16, attr_u32, build, cmd, defer, ether, ext_set,
                 fail_cmd, ksft_eq, ksft_ge, ksft_in, ksft_main, ksft_pr,
                 ksft_true, machine, pair, port, vmqctl, wait_until)
from lib.acl import DENY, OUT
from lib.meter import meter_get, meter_set

SLOW = machine() != "uml-plain"
GUEST, OUTSIDE = "10.5.0.1", "10.5.0.9"
NAMES = ("acl", "guard", "meter")


def world(enable=NAMES):
    pair()
    adapter("vmq0", uplink="up0", rxq=8)
    port("vm1", number=1)
    for name in enable:
        ext_set("vmq0", 1, name)
    made = Raw("wire0"), Raw("vm1")
    for each in made:
        defer(each.close)
    return made


def stack():
    """Names in ingress order."""
    return [each["name"] for each in vmqctl("ext show dev vmq0")]


def loaded():
    """Names, what was loaded last first: so does the kernel list its modules."""
    with open("/proc/modules", encoding="ascii") as stream:
        names = [line.split()[0].removeprefix("vmq_") for line in stream]
    return [name for name in names if name in NAMES]


def move(genl, name, position):
    genl.call(UAPI["VMQ_CMD_EXT_SET"], attr_str(UAPI["VMQ_A_EXT_DEV"], "vmq0"),
              attr_str(UAPI["VMQ_A_EXT_NAME"], name),
              attr_u32(UAPI["VMQ_A_EXT_POSITION"], position))


def outward(dport):
    return build(9, GUEST, OUTSIDE, sport=1, dport=dport, src=1)


def test_order():
    """X-04: the last that was loaded is first; an administrator may say
    otherwise. X-05: each is off until it is enabled."""
    wire, guest = world(enable=())
    before = vmqctl("ext show dev vmq0")
    ksft_eq([each["name"] for each in before], loaded())
    ksft_eq([each["enabled"] for each in before], [0, 0, 0])
    ksft_eq([each["class"] for each in before], ["filter"] * 3)
    last = loaded()[-1]
    wanted = [last, *loaded()[:-1]]
    cmd(f"vmqctl ext move dev vmq0 name {last} position 0")
    ksft_eq(stack(), wanted)
    ksft_eq([each["position"] for each in vmqctl("ext show dev vmq0")],
            [0, 1, 2])
    _, message = fail_cmd("vmqctl ext move dev vmq0 name acl position 3")
    ksft_in("places 0 to 2", message)
    ksft_eq(stack(), wanted)
    # another adapter has an order of its own
    adapter("vmq1")
    ksft_eq([each["name"] for each in vmqctl("ext show dev vmq1")], loaded())
    frame = outward(80)
    guest.send(frame)
    ksft_true(wire.expect(frame))


def test_order_of_frames():
    """X-03: a frame meets the first extension first: what that drops the next
    one does not see."""
    _, guest = world(enable=("acl", "meter"))
    acl_set("vm1", acl_rule(OUT, DENY))
    genl = Genl()
    for first, seen in (("acl", 0), ("meter", 4)):
        move(genl, first, 0)
        before = meter_get("vm1")["tx-passed-packets"]
        guest.send(*[outward(80)] * 4)
        ksft_eq(meter_get("vm1")["tx-passed-packets"] - before, seen, first)
    # a frame that waits in meter still meets acl, which is behind it
    meter_set("vm1", tx_pps=200, tx_pps_burst=1, shape=1)
    drops = vmqctl("port show dev vm1")[0]["ext-drops"]
    guest.send(*[outward(80)] * 10)
    wait_until(lambda: vmqctl("port show dev vm1")[0]["ext-drops"] ==
               drops + 10)
    ksft_ge(meter_get("vm1")["tx-delayed-packets"], 5)


def test_reorder_under_traffic():
    """X-04: while the order changes frames meet all extensions, never fewer:
    what is denied does not get through, what is allowed is not lost."""
    wire, guest = world()
    acl_set("vm1", acl_rule(OUT, DENY, attr_port(81)))
    stop = threading.Event()
    sent = [0]

    def send():
        allowed, denied = outward(80), outward(81)
        while not stop.is_set():
            guest.send(*[denied, allowed] * 20)
            sent[0] += 20

    before = meter_get("vm1")["tx-passed-packets"]
    drops = vmqctl("port show dev vm1")[0]["ext-drops"]
    thread = threading.Thread(target=send)
    thread.start()
    defer(stop.set)
    genl = Genl()
    least, count = 50 if SLOW else 600, 0
    while count < least or (sent[0] < 200 and thread.is_alive()):
        move(genl, NAMES[count % 3], count % 2 * 2)
        count += 1
    stop.set()
    thread.join()
    ksft_ge(sent[0], 200)
    ksft_eq(vmqctl("port show dev vm1")[0]["ext-drops"] - drops, sent[0],
            "each that is denied")
    # meter passes the allowed ones, and denied ones where it is before acl
    passed = meter_get("vm1")["tx-passed-packets"] - before
    ksft_true(sent[0] <= passed <= 2 * sent[0], f"{passed} of {sent[0]}")
    ksft_pr(f"{sent[0]} frames of each kind")
    wire.drain()
    guest.send(outward(81), outward(80))
    ksft_eq(wire.recv(1), outward(80))


def attr_port(number):
    """Attributes of an acl rule: UDP to this port"""
    return b"".join((
        attr_u8(UAPI["VMQ_A_ACL_RULE_IP_PROTO"], 17),
        attr_u16(UAPI["VMQ_A_ACL_RULE_DST_PORT_MIN"], number),
        attr_u16(UAPI["VMQ_A_ACL_RULE_DST_PORT_MAX"], number)))


def test_toggle_under_traffic():
    """X-05: one goes on and off while frames flow; the others hold."""
    wire, guest = world()
    acl_set("vm1", acl_rule(OUT, DENY, attr_port(81)))
    stop = threading.Event()

    def send():
        while not stop.is_set():
            guest.send(*[outward(81)] * 20)

    thread = threading.Thread(target=send)
    thread.start()
    defer(stop.set)
    for _ in range(3 if SLOW else 15):
        for name in ("meter", "guard"):
            ext_set("vmq0", 0, name)
            ext_set("vmq0", 1, name)
    stop.set()
    thread.join()
    ksft_true(wire.expect(lambda got: got[:42] == outward(81)[:42], 0.1)
              is None)
    guest.send(ether(9, 1))
    ksft_true(wire.expect(ether(9, 1)))


if __name__ == "__main__":
    ksft_main(globals())
