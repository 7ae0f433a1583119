#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What vmqctl can do without a kernel: streams, good and damaged, and usage.

offline.py VMQCTL: KTAP on standard output, exit status 1 if a test failed.
"""

import json
import os
import random
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

VMQCTL = os.path.abspath(sys.argv[1])
ACL = bytes.fromhex("ca6f4cdb9a2e4bf08d1b52a4e7c1f36e")
GUARD = bytes.fromhex("5d0b6f0a3a574f0e9c0f8e1d7a2b64c3")
METER = bytes.fromhex("6e0a7b521c944f6d9a38e75d20b18cc7")
OTHER = bytes(range(16))
ZERO = bytes(16)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def pad(data, to):
    return data + bytes(-len(data) % to)


def record(kind, data, ext=ZERO, cls=ZERO, version=1, flags=0):
    head = struct.pack("<IHH16s16sH6x", len(data), kind, flags, ext, cls, version)
    return head + pad(data, 8)


def stream(*records, count=None, head=b"VMQSTATE" + struct.pack("<HHI", 1, 0, 0x000100)):
    data = head + b"".join(records)
    data += struct.pack("<IHH40x", 8, 0, 0)
    data += struct.pack("<I", len(records) if count is None else count)
    return data + struct.pack("<I", crc32c(data))


def item(kind, data):
    return pad(struct.pack("<HH", kind, len(data)) + data, 4)


def acl(*conns, entry=64, count=None):
    data = struct.pack("<HHI", entry, 0, len(conns) if count is None else count)
    return data + b"".join(conns)


def conn(family, local, remote, state=4):
    return struct.pack("<BBBBHHHHI16s16sQQ", family, 6, state, 1, 5, 1, 40000, 443, 3600000,
                       local, remote, 10, 12)


def meter(*dirs, entry=64, count=None):
    data = struct.pack("<HHI", entry, 0, len(dirs) if count is None else count)
    return data + b"".join(dirs)


def direction(number, flags=3, left=1000, packets=-5):
    return struct.pack("<BB6xqq5Q", number, flags, left, packets, 1, 2, 3, 4, 5)


def guard(kind, *entries, entry=None, count=None):
    size = entry if entry is not None else len(entries[0]) if entries else 40
    return struct.pack("<HHI", size, kind, len(entries) if count is None else count) + b"".join(entries)


def binding(family, address, length, origin, left):
    return struct.pack("<BBBBH6s4xQ16s", family, length, origin, 0, 5, bytes.fromhex("525400123456"), left,
                       address)


CORE = record(1, item(1, OTHER) + item(2, bytes.fromhex("525400123456")) +
              item(3, struct.pack("<I", 1500)) + item(6, struct.pack("<I", 2)) +
              item(5, bytes.fromhex("01005e00000133330000000a")) +
              item(7, struct.pack("<I", 1)) + item(8, b"vm 1\xff\x01") + item(0x8000 + 77, b"abc") +
              item(4, b"".join(bytes.fromhex("525400123457") + struct.pack("<HHH", v, i, 0)
                               for i, v in enumerate([0, 5, 0xFFFF]))) +
              item(9, struct.pack("<19Q", *range(19))) +
              item(10, bytes(range(40)) + bytes([3, 15, 0, 1, 3, 4, 8, 2]) +
                   struct.pack("<HH4H", 3, 4, 0, 2, 1, 2)) +
              item(11, struct.pack("<6H", 7, 7, 1, 10, 20, 20)))
CONNS = acl(conn(4, bytes([10, 0, 0, 1]), bytes([192, 0, 2, 1])),
            conn(6, bytes(15) + b"\x01", bytes.fromhex("20010db8") + bytes(12), state=99))
GOOD = stream(CORE, record(2, CONNS, ACL, flags=1), record(2, b"12345", OTHER, cls=ACL, version=7),
              record(9, b"", OTHER, flags=1))
LEASES = record(2, guard(1, binding(4, bytes([10, 0, 0, 1]), 32, 1, 60000),
                         binding(6, bytes.fromhex("20010db8"), 56, 2, 2**64 - 1)), GUARD)
ASKED = record(2, guard(2, struct.pack("<BBHII6s2x4s", 4, 0, 5, 0x1234, 900, bytes.fromhex("525400123456"),
                                       bytes([10, 0, 0, 1]))), GUARD, version=2, flags=1)
LEVELS = record(2, meter(direction(1), direction(0, 0, 0, 0)), METER, flags=1)


def run(*args, data=None):
    return subprocess.run([VMQCTL, *args], input=data, capture_output=True, timeout=20,
                          env={**os.environ, "ASAN_OPTIONS": "exitcode=99"})


def show(data):
    return run("-j", "stream", "show", "-", data=data)


def refused(data):
    """None if the stream is refused as it should be, else what is wrong."""
    r = show(data)
    if r.returncode != 1 or not r.stderr.startswith(b"vmqctl: ") or b" at offset " not in r.stderr:
        return f"status {r.returncode}, {r.stderr[:200]}"
    try:
        if "error" not in json.loads(r.stdout)[0]:
            return "no error in JSON"
    except ValueError as e:
        return f"JSON: {e}: {r.stdout[-200:]}"
    return None


def all_refused(streams):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong = [w for w in pool.map(refused, streams) if w]
    assert not wrong, f"{len(wrong)} of {len(streams)}, such as {wrong[0]}"


def test_good():
    r = show(GOOD)
    assert r.returncode == 0 and not r.stderr, r.stderr
    (s,) = json.loads(r.stdout)
    assert s["records"] == 4 and s["bytes"] == len(GOOD) and s["producer"] == "0.1.0"
    core, acl_rec, other, optional, end = s["record"]
    assert core["mac"] == "52:54:00:12:34:56" and core["mtu"] == 1500
    assert core["uuid"] == "00010203-0405-0607-0809-0a0b0c0d0e0f"
    assert core["rx-mode"] == ["allmulti"] and len(core["multicast"]) == 2
    assert core["item"] == [{"type": 0x8000 + 77, "length": 3, "data": "616263"}]
    mac = "52:54:00:12:34:57"
    assert core["filter"] == [{"mac": mac, "untagged": True, "queue-index": 0},
                              {"mac": mac, "vlan": 5, "queue-index": 1},
                              {"mac": mac, "queue-index": 2}]
    assert core["counters"]["rx-bytes"] == 1 and core["counters"]["counter-18"] == 18 and \
        core["counters"]["tx-drops-isolated"] == 17
    assert core["policy"] == {"vlan": 7, "trunk": ["1-10", "20"], "isolate": True,
                              "spoofchk": True}
    rss = core["rss"]
    assert rss["key"] == bytes(range(40)).hex() and rss["queues"] == 3
    assert rss["table"] == [0, 2, 1, 2]
    assert list(rss["fields"].values()) == ["sd", "sdfn", "", "s", "sd", "f", "n", "d"]
    assert acl_rec["name"] == "acl" and acl_rec["flags"] == ["optional"]
    a, b = acl_rec["connection"]
    assert (a["local"], a["remote-port"], a["state"], a["direction"]) == ("10.0.0.1", 443,
                                                                         "established", "out")
    assert (b["local"], b["remote"], b["state"]) == ("::1", "2001:db8::", 99)
    assert other["version"] == 7 and "name" not in other
    assert optional["type"] == 9 and end["type"] == "end"


def test_meter():
    r = show(stream(LEVELS))
    assert r.returncode == 0 and not r.stderr, r.stderr
    rec = json.loads(r.stdout)[0]["record"][0]
    counters = {"passed-packets": 1, "passed-bytes": 2, "dropped-packets": 3, "dropped-bytes": 4,
                "delayed-packets": 5}
    assert rec["name"] == "meter"
    assert rec["meter"] == [{"direction": "tx", "bytes-left": 1000, "packets-owed": 5} | counters,
                            {"direction": "rx"} | counters]
    longer = [d + b"12345678" for d in (direction(0), direction(1))]
    assert show(stream(record(2, meter(*longer, entry=72), METER))).returncode == 0
    all_refused([stream(record(2, data, METER)) for data in (
        b"", meter(), meter(direction(0), direction(0)), meter(direction(2)),
        meter(direction(0), count=2), meter(direction(0, 4)), meter(direction(0, 0)),
        meter(direction(0, left=1 << 32)), meter(direction(0, packets=-1 << 32)),
        meter(direction(0)[:-8], entry=56), meter(direction(0, 0, 0, 0)[:2] + b"x" * 6 + bytes(56)),
        meter(*[direction(n % 2) for n in range(3)]))])
    assert show(stream(record(2, b"x", METER, version=2))).returncode == 0


def test_text_and_files():
    with tempfile.NamedTemporaryFile() as f:
        f.write(GOOD)
        f.flush()
        text = run("stream", "show", f.name)
        pretty = run("-p", "str", "sh", f.name)
    assert text.returncode == 0 and b"connection family ip ip-proto tcp" in text.stdout
    assert json.loads(pretty.stdout) == json.loads(show(GOOD).stdout)
    assert run("stream", "show", "/nonexistent").returncode == 1
    assert run("stream", "show", "/").returncode == 1


def test_guard():
    r = show(stream(CORE, LEASES, ASKED))
    assert r.returncode == 0 and not r.stderr, r.stderr
    _, leases, asked, _ = json.loads(r.stdout)[0]["record"]
    assert leases["name"] == asked["name"] == "guard"
    assert leases["binding"] == [
        {"family": "ip", "ip": "10.0.0.1", "ip-len": 32, "mac": "52:54:00:12:34:56", "vlan": 5,
         "origin": "dhcp4", "lease-ms": 60000},
        {"family": "ipv6", "ip": "2001:db8::", "ip-len": 56, "mac": "52:54:00:12:34:56", "vlan": 5,
         "origin": "dhcp6"}]
    assert asked["transaction"] == [{"family": "ip", "xid": 0x1234, "mac": "52:54:00:12:34:56", "vlan": 5,
                                     "wait-ms": 900, "requested": "10.0.0.1"}]


def test_empty():
    assert show(stream()).returncode == 0


def test_truncated():
    all_refused([GOOD[:n] for n in range(len(GOOD))])


def test_flipped():
    flipped = []
    for i in range(len(GOOD) * 8):
        data = bytearray(GOOD)
        data[i // 8] ^= 1 << i % 8
        flipped.append(bytes(data))
    all_refused(flipped)


def test_wrong():
    all_refused([
        GOOD + b"\0",
        stream(CORE, count=2),
        stream(record(2, CONNS, ACL), CORE),
        stream(CORE, CORE),
        stream(record(1, b"", ext=ACL)),
        stream(record(2, b"x")),
        stream(record(9, b"x", OTHER)),
        stream(record(2, b"x", OTHER, flags=2)),
        stream(record(2, bytes(65536 - 47), OTHER)),
        stream(record(1, b"\1\0")),
        stream(record(1, item(2, b"12345"))),
        stream(record(1, item(2, b"123456") * 2)),
        stream(record(1, struct.pack("<HH", 8, 65535) + b"abcd")),
        stream(record(1, item(10, b""))),
        stream(record(1, item(8, b"abc")[:-1] + b"x")),
        stream(record(1, item(8, b"abc")[:-1])),
        stream(record(2, b"", ACL)),
        stream(record(2, acl(entry=64), ACL)),
        stream(record(2, acl(b"x" * 64, entry=8), ACL)),
        stream(record(2, acl(b"x" * 64, entry=0), ACL)),
        stream(record(2, acl(b"x" * 64, count=2**32 - 1), ACL)),
        stream(record(2, b"1234567", GUARD)),
        stream(record(2, guard(1), GUARD)),
        stream(record(2, guard(3, bytes(40)), GUARD)),
        stream(record(2, guard(1, bytes(32)), GUARD)),
        stream(record(2, guard(1, bytes(40), entry=0), GUARD)),
        stream(record(2, guard(1, bytes(40), count=2**32 - 1), GUARD)),
        stream(record(2, guard(2, bytes(24), count=2), GUARD, version=2)),
        stream(CORE, head=b"VMQSTATE" + struct.pack("<HHI", 2, 0, 0)),
        stream(CORE, head=b"VMQSTATE" + struct.pack("<HHI", 1, 1, 0)),
    ])
    assert show(stream(record(2, bytes(65536 - 48), OTHER))).returncode == 0


def test_garbage():
    rnd = random.Random(1)
    all_refused([rnd.randbytes(rnd.randrange(300)) for _ in range(300)])
    all_refused([GOOD[:16] + rnd.randbytes(rnd.randrange(300)) for _ in range(300)])


def test_resealed():
    """Damage under a checksum that is right: refused or shown, never a crash."""
    rnd = random.Random(2)
    for _ in range(1500):
        data = bytearray(GOOD)
        for _ in range(rnd.randrange(1, 6)):
            data[rnd.randrange(16, len(data) - 64)] = rnd.choice([0, 1, 127, 128, 255, rnd.randrange(256)])
        data[-4:] = struct.pack("<I", crc32c(data[:-4]))
        r = show(bytes(data))
        assert r.returncode in (0, 1), (r.returncode, r.stderr)
        json.loads(r.stdout)
        assert run("stream", "show", "-", data=bytes(data)).returncode == r.returncode


USAGE = """
|x|a show|adapter shw|adapter show dev|adapter show dev a dev b|adapter show vmq0|adapter set dev a|adapter set dev a private x|adapter set private on|-x
queue show queue 1|queue show dev a queue x|queue show dev a queue -1|queue show dev a queue 4294967296
queue show dev a queue 0x|filter show id 1|filter show dev a id 1x
port set dev a vlan 4095|port set dev a vlan 0|port set dev a vlan|port set dev a isolate yes|port set vlan 1
port set dev a spoofchk 1|port save|port restore|port abort|port save dev|port s dev a|port show dev a file b
stream|stream show|stream show a b|stream x
ext enable|ext enable dev a|ext disable name acl|ext move dev a name acl|ext move dev a name acl position -
ext move name acl position 1|ext e|acl|acl show|acl show dev a b|acl add dev a|acl add dev a direction in
acl add dev a direction up action allow|acl add dev a direction in action pass
acl add direction in action allow|acl add dev a direction in action allow family ip src ::1
acl add dev a direction in action allow src 10.0.0.0/33|acl add dev a direction in action allow src ::/129
acl add dev a direction in action allow src 10.0.0|acl add dev a direction in action allow src 1.2.3.4 dst ::1
acl add dev a direction in action allow proto 256|acl add dev a direction in action allow proto foo
acl add dev a direction in action allow sport 5-4|acl add dev a direction in action allow dport 65536
acl add dev a direction in action allow dport 5-|acl add dev a direction in action allow dport -5
acl add dev a direction in action allow dport 111111111111-5|acl add dev a direction in action allow priority
acl del dev a|acl del id 1|acl flush|acl flush dev a b|acl set dev a|acl set dev a max-connections x
meter|meter show|meter show dev a b|meter clear|meter set dev a|meter set tx-rate 1mbit
meter set dev a tx-rate|meter set dev a tx-rate 5xbit|meter set dev a tx-rate -1|meter set dev a tx-rate 1e6
meter set dev a tx-rate inf|meter set dev a tx-rate 1.2.3mbit|meter set dev a rx-burst 4g
meter set dev a rx-burst none|meter set dev a rx-pps 5g|meter set dev a shape yes|meter set dev a rx-rate 9999999tbit
guard|guard show|guard show dev a x|guard add dev a|guard add ip 1.2.3.4|guard add dev a ip 1.2.3
guard add dev a ip 1.2.3.4/33|guard add dev a ip ::/129|guard add dev a ip 1.2.3.4 vlan 4095
guard add dev a mac 52:54:00|guard add dev a mac 52:54:00:00:00:01:02|guard del dev a|guard set dev a
guard set dev a checks mac,|guard set dev a checks all,mac|guard set dev a snoop 1|guard set dev a link-local x
guard set dev a max-bindings x|guard set dev a arp-rate -1|guard set checks all|guard flush|guard flush dev a b
monitor x
"""


def test_usage():
    lines = USAGE.strip("\n").replace("\n", "|").split("|")
    for line in lines + ["port show dev " + "x" * 20000]:
        r = run(*line.split())
        assert r.returncode == 2, (line, r)
        assert r.stderr.startswith(b"vmqctl: ") and b"Usage: vmqctl" in r.stderr, (line, r)
        assert not r.stdout, (line, r)


def test_help():
    for line in ["help", "-h", "--help", "-V", "adapter help", "queue help", "filter help",
                 "port help", "stream help", "ext help", "acl help", "guard help", "meter help", "monitor help"]:
        r = run(*line.split())
        assert r.returncode == 0 and r.stdout and not r.stderr, (line, r)


def test_full_disk():
    with open("/dev/full", "wb") as full, tempfile.NamedTemporaryFile() as f:
        f.write(GOOD)
        f.flush()
        r = subprocess.run([VMQCTL, "stream", "show", f.name], stdout=full,
                           stderr=subprocess.PIPE, check=False)
    assert r.returncode == 1 and b"No space" in r.stderr, r


def main():
    tests = [(k[5:], v) for k, v in globals().items() if k.startswith("test_")]
    failed = 0
    print(f"KTAP version 1\n1..{len(tests)}")
    for i, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f"ok {i} {name}", flush=True)
        except AssertionError as e:
            failed += 1
            print(f"not ok {i} {name}\n# {e}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
