#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# once: qemu
"""Extensions that are processes: what they save and restore, and what becomes of a
port when they are dead, slow or lie."""

import contextlib
import errno
import os
import signal
import socket
import subprocess
import threading
import time

from lib import (UAPI, Agent, Genl, Keeper, KsftFailEx, NlError, Session, abort,
                 acl_rule, acl_set, adapter, attr_str, attr_u32, cmd, commit, defer,
                 ext_set, fail_cmd, in_userns, ksft_eq, ksft_ge, ksft_in, ksft_main,
                 ksft_not_in, ksft_raises, ksft_true, parse_attrs, port, read_file, refused,
                 restore, save, vmqctl, wait_until)
from lib.acl import ALLOW, IN
from lib.netlink import NLM_F_ACK

UUID = "0f3c8f1e-5a41-4b51-9d0e-3f3f6f1d2a01"
OTHER = "0f3c8f1e-5a41-4b51-9d0e-3f3f6f1d2a02"
FEATURE = "0f3c8f1e-5a41-4b51-9d0e-3f3f6f1d2aff"
DATA = bytes(range(256)) * 10


def world(adapters=1, ports=1):
    """vm1 on vmq0, vm2 on vmq1 or on vmq0 too"""
    for number in range(adapters):
        adapter(f"vmq{number}")
    for number in range(max(adapters, ports)):
        port(f"vm{number + 1}", number=number + 1,
             link=f"vmq{number if adapters > 1 else 0}")


def agent(*devs, uuid=UUID, name="keeper", **options):
    made = Agent()
    defer(made.close)
    for dev in devs or ("vmq0",):
        made.register(dev, name, uuid, **options)
    return made


def exts(dev="vmq0"):
    return {each["name"]: each for each in vmqctl(f"ext show dev {dev}")}


def told(keeper, ops, dev=None):
    """What a process heard, once it heard of the end."""
    wait_until(lambda: len(keeper.ops(dev)) >= len(ops))
    ksft_eq(keeper.ops(dev), ops)


def background(call, *arguments):
    """Runs it in a thread; -> (thread, result), a result or an exception"""
    result = []

    def body():
        try:
            result.append(call(*arguments))
        except OSError as error:
            result.append(error)
    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    return thread, result


def until(call, comment=""):
    if not wait_until(call, 20):
        raise KsftFailEx(f"not in 20 s: {comment}")


class Process:
    """A process of its own that keeps data, as a Keeper does, and can be killed.
    hold: the op that it does not answer; then it says so, and sleeps."""

    def __init__(self, *devs, hold=None, timeout=60000, state=None):
        self.told, write = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            try:
                os.close(self.told)
                self.serve(write, devs, hold, timeout, state)
            except BaseException as reason:     # pylint: disable=broad-except
                os.write(write, f"{reason!r} {reason}\n".encode())
            os._exit(1)
        os.close(write)
        defer(self.kill)
        self.wait("ready")

    @staticmethod
    def serve(write, devs, hold, timeout, state):
        one = Agent()
        for dev in devs:
            one.register(dev, "keeper", UUID, timeout=timeout)
        keeper = Keeper(one, state)

        def before(request):
            if request.op != hold:
                return True
            os.write(write, b"hold\n")
            time.sleep(1000)
            return False
        keeper.before = before
        os.write(write, b"ready\n")
        time.sleep(1000)

    def wait(self, word):
        text = b""
        while not text.endswith(b"\n"):
            text += os.read(self.told, 1) or b"dead\n"
        ksft_eq(text.decode().strip(), word)

    def kill(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self.told)
        self.pid = 0


# -- it works

def test_register():
    """A process is shown as an extension of its adapter alone, disabled until it
    is enabled (X-05), and gone with its socket; its uuid is its own (X-51)."""
    world(adapters=2)
    one = agent(enabled=False, version=7, cls=1)
    shown = exts()["keeper"]
    ksft_eq([shown[key] for key in ("uuid", "class", "enabled", "data-version")],
            [UUID, "filter", False, 7])
    ksft_ge(shown["owner"], 1)
    ksft_not_in("keeper", exts("vmq1"))
    cmd("vmqctl ext enable dev vmq0 name keeper")
    ksft_eq(exts()["keeper"]["enabled"], True)
    two = Agent()
    defer(two.close)
    refused(errno.EEXIST, two.register, "vmq0", "other", UUID)
    refused(errno.EEXIST, two.register, "vmq0", "keeper", OTHER)
    two.register("vmq1", "keeper", UUID)
    refused(errno.ENOENT, two.unregister, "vmq0", "keeper")
    two.unregister("vmq1", "keeper")
    ksft_not_in("keeper", exts("vmq1"))
    one.close()
    ksft_not_in("keeper", exts())
    two.register("vmq0", "keeper", UUID)


def test_move():
    """What a process keeps of a port moves to another adapter, in several records
    (SR-11), and each session has one end (SR-19, SR-40)."""
    world(adapters=2)
    keeper = Keeper(agent("vmq0", "vmq1", feature=FEATURE), {"vm1": DATA})
    stream = save("vm1")
    told(keeper, ["save"] * 4 + ["complete"], "vm1")
    report = restore("vm2", stream)
    ksft_eq(report["records_unclaimed"], 0)
    ksft_eq(keeper.state["vm2"], DATA)
    told(keeper, ["validate"] * 3 + ["apply"] * 3 + ["complete"], "vm2")
    with open("/run/s", "wb") as out:
        out.write(stream)
    shown = [each for each in vmqctl("stream show /run/s")
             if each.get("ext-uuid") == UUID or UUID in str(each)]
    ksft_true(shown, "stream show")


def test_large():
    """A megabyte, in records as large as they can be, which a process reads piece
    by piece."""
    world(adapters=2)
    data = os.urandom(1 << 20)
    keeper = Keeper(agent("vmq0", "vmq1"), {"vm1": data}, record=65488)
    restore("vm2", save("vm1"))
    ksft_true(keeper.state["vm2"] == data, "all of it")


def test_nothing():
    """A process without data is asked once, and there is no record of it (SR-10);
    without a record of its own it is not asked on restore, nor told of its end."""
    world()
    keeper = Keeper(agent())
    stream = save("vm1")
    ksft_not_in(bytes.fromhex(UUID.replace("-", "")), stream)
    told(keeper, ["save", "complete"])
    restore("vm1", stream)
    time.sleep(0.1)
    told(keeper, ["save", "complete"])


def test_two_ports():
    """Saves of two ports overlap, and one that waits keeps nobody else waiting, not
    even who changes the adapter (SR-22 to SR-24)."""
    world(ports=2)
    keeper = Keeper(agent(timeout=60000), {"vm1": DATA, "vm2": DATA[::-1]})
    asked, go = threading.Event(), threading.Event()
    held = []

    def before(request):
        if request.dev == "vm1" and request.op == "save" and not go.is_set():
            held.append(request)
            asked.set()
            return False
        return True
    keeper.before = before
    with Session("vm1", False) as one:
        thread, result = background(one.read, None)
        ksft_true(asked.wait(20), "asked")
        ksft_eq(len(save("vm2")) > len(DATA), True, "the other port")
        with ksft_raises(NlError, "the same port again") as caught:
            save("vm1")
        ksft_eq(caught.exception.errno, errno.EBUSY)
        cmd("ip link set vm2 mtu 1400")
        ksft_true(thread.is_alive(), "vm1 waits")
        go.set()
        keeper.later.append(held[0])
        thread.join(20)
    ksft_in(DATA[:1000], result[0])
    told(keeper, ["save"] * 4 + ["complete"], "vm1")
    told(keeper, ["save"] * 4 + ["complete"], "vm2")


# -- vmqctl ext run

RUN = ("--uuid", UUID, "--name", "keeper", "--timeout", "20000", "--save",
       "cat /run/kept.$VMQ_PORT 2>&-; true", "--restore",
       "cat > /run/new.$VMQ_PORT; echo $VMQ_ADAPTER $VMQ_UUID > /run/env",
       "--undo", "echo $VMQ_PORT > /run/undone")


@contextlib.contextmanager
def ext_run(*words):
    """vmqctl ext run in the background, until it is an extension"""
    with subprocess.Popen(["vmqctl", "ext", "run", *words],
                          stderr=subprocess.PIPE, text=True) as child:
        try:
            until(lambda: exts().get("keeper", {}).get("enabled") or
                  child.poll() is not None, "enabled")
            yield child
        finally:
            child.kill()


def test_run():
    """vmqctl ext run: two commands are an extension of all adapters; what one
    writes the other reads, also if it is large, or nothing."""
    world(adapters=2)
    data = os.urandom(300000)
    with open("/run/kept.vm1", "wb") as out:
        out.write(data)
    with ext_run(*RUN):
        ksft_in("keeper", exts("vmq1"))
        uuid = vmqctl("port show dev vm1")[0]["uuid"]
        restore("vm2", save("vm1"))
        with open("/run/new.vm2", "rb") as got:
            ksft_true(got.read() == data, "all of it")
        ksft_eq(read_file("/run/env"), f"vmq1 {uuid}")
        restore("vm1", save("vm2"))
        ksft_true(not os.path.exists("/run/new.vm1"), "there is no record")
        ksft_true(not os.path.exists("/run/undone"), "nothing to undo")
    until(lambda: "keeper" not in exts(), "gone")


def test_run_unnamed():
    """A name is for people: without one it is made of the uuid."""
    world()
    with subprocess.Popen(["vmqctl", "ext", "run", "--uuid", UUID, "--save",
                           "true", "--restore", "true"]) as child:
        defer(child.kill)
        until(lambda: f"user-{UUID[:8]}" in exts(), "enlisted")
        child.kill()


def test_run_fails():
    """A save command that fails ends the save, one that is slow has nothing; a
    restore command that fails or is slow refuses the restore, and undo is run."""
    world()
    with open("/run/kept.vm1", "wb") as out:
        out.write(DATA)
    with ext_run(*RUN):
        stream = save("vm1")
    with ext_run("uuid", UUID, "name", "keeper", "save", "echo x; exit 3",
                 "restore", "echo $VMQ_PORT > /run/restored; exit 4", "undo",
                 "echo $VMQ_PORT > /run/undone"):
        with ksft_raises(OSError) as caught:
            save("vm1")
        ksft_eq(caught.exception.errno, errno.EIO)
        refused(errno.EIO, restore, "vm1", stream,
                text="the restore command ended with status 4")
        until(lambda: os.path.exists("/run/undone"), "undone")
        ksft_eq(read_file("/run/restored"), "vm1")
    slow = "sleep 1000 & echo $! > /run/pid; wait"
    with ext_run("uuid", UUID, "name", "keeper", "save", slow, "restore", slow,
                 "timeout", "300"):
        ksft_not_in(bytes.fromhex(UUID.replace("-", "")), save("vm1"))
        until(lambda: not os.path.exists(f"/proc/{read_file('/run/pid')}"),
              "killed, with what it started")
        refused(errno.ETIMEDOUT, restore, "vm1", stream)
        until(lambda: not os.path.exists(f"/proc/{read_file('/run/pid')}"),
              "killed, with what it started")
    with ext_run(*RUN) as child:
        cmd("ip link del vmq0")
        ksft_eq(child.wait(20), 1, "no adapter is left")
    for words in ("", "uuid x", f"uuid {UUID} name n save true",
                  f"uuid {UUID} name n save true restore true timeout 0",
                  f"uuid {UUID} name n save true restore true colour red"):
        ksft_eq(fail_cmd(f"vmqctl ext run {words}")[0], 2, words)
    ksft_eq(fail_cmd(f"vmqctl ext run uuid {UUID} name n save true restore true")[0],
            1, "no adapter")


# -- dead, slow

def test_killed_on_save():
    """A process that is killed while it is asked has nothing: the save is good, and
    without its record."""
    world()
    process = Process("vmq0", hold="save")
    thread, result = background(save, "vm1")
    process.wait("hold")
    ksft_in("keeper", exts())
    process.kill()
    thread.join(20)
    ksft_true(result and isinstance(result[0], bytes), str(result))
    ksft_not_in(bytes.fromhex(UUID.replace("-", "")), result[0])
    ksft_not_in("keeper", exts())
    ksft_eq(restore("vm1", result[0])["records_unclaimed"], 0)


def test_half_answer():
    """One that stops after a part of its records: half an answer is none, the save
    fails (O-34)."""
    world()
    keeper = Keeper(agent(timeout=60000), {"vm1": DATA})
    first = threading.Event()

    def before(request):
        if request.op == "save" and first.is_set():
            keeper.close()
            return False
        first.set()
        return True
    keeper.before = before
    with ksft_raises(OSError) as caught:
        save("vm1")
    ksft_eq(caught.exception.errno, errno.EPIPE)
    ksft_in("middle of its records", vmqctl("port show dev vm1")[0]["error"])
    ksft_eq(vmqctl("port show dev vm1")[0]["migration"], "idle")
    save("vm1")


def test_slow():
    """One that does not answer in its time has nothing on save; on restore the
    stream is refused, unless its record is optional. Its end is told (SR-19)."""
    world()
    keeper = Keeper(agent(timeout=60000), {"vm1": DATA})
    stream = save("vm1")
    keeper.close()
    ksft_not_in("keeper", exts())
    slow = agent(timeout=100)
    begin = time.monotonic()
    ksft_not_in(bytes.fromhex(UUID.replace("-", "")), save("vm1"))
    ksft_ge(time.monotonic() - begin, 0.1)
    ksft_eq([slow.next().op, slow.next().op], ["save", "complete"])
    with ksft_raises(OSError) as caught:
        restore("vm1", stream)
    ksft_eq(caught.exception.errno, errno.ETIMEDOUT)
    ksft_in("does not answer", caught.exception.msg)
    late, end = slow.next(), slow.next()
    ksft_eq([late.op, end.op, end.ok], ["validate", "complete", 0])
    refused(errno.ENOENT, slow.reply, late)
    refused(errno.ENOENT, slow.data, late)
    ksft_eq(vmqctl("port show dev vm1")[0]["migration"], "idle")


def test_slow_to_apply():
    """One that validates and then does not apply: all is undone, what others
    applied before too (SR-36), and it is told."""
    world()
    ext_set("vmq0", 1)
    keeper = Keeper(agent(timeout=3000), {"vm1": DATA})
    acl_set("vm1", acl_rule(IN, ALLOW))
    cmd("ip link set vm1 address 52:54:00:00:00:77")
    stream = save("vm1")
    cmd("ip link set vm1 address 52:54:00:00:00:01")
    keeper.before = lambda request: request.op != "apply"
    before = vmqctl("acl show dev vm1"), vmqctl("filter show dev vmq0")
    with ksft_raises(OSError) as caught:
        restore("vm1", stream)
    ksft_eq(caught.exception.errno, errno.ETIMEDOUT)
    ksft_eq((vmqctl("acl show dev vm1"), vmqctl("filter show dev vmq0")), before)
    ksft_in("52:54:00:00:00:01", cmd("ip link show vm1"), "undone")
    until(lambda: keeper.ops()[-2:] == ["apply", "complete"], keeper.ops())
    keeper.before = lambda request: True
    restore("vm1", stream)
    ksft_in("52:54:00:00:00:77", cmd("ip link show vm1"), "and then it works")


def test_killed_on_restore():
    """A process that is killed when it is asked to validate or to apply: the restore
    is refused, the port is as it was, and the next process restores."""
    world()
    keeper = Keeper(agent(), {"vm1": DATA})
    stream = save("vm1")
    keeper.close()
    for hold in ("validate", "apply"):
        process = Process("vmq0", hold=hold)
        thread, result = background(restore, "vm1", stream)
        process.wait("hold")
        process.kill()
        thread.join(20)
        ksft_true(result and isinstance(result[0], NlError), str(result))
        ksft_eq(result[0].errno, errno.EPIPE, hold)
        ksft_in("went away", result[0].msg, hold)
        ksft_eq(vmqctl("port show dev vm1")[0]["migration"], "idle")
        ksft_not_in("keeper", exts())
    ksft_eq(restore("vm1", stream)["records_unclaimed"], 3, "nobody owns them")
    keeper = Keeper(agent())
    ksft_eq(restore("vm1", stream)["records_unclaimed"], 0)
    ksft_eq(keeper.state["vm1"], DATA)


def test_ends_of_a_commit():
    """While a commit waits for a process: the port goes, an abort, the descriptor is
    closed, another commit. All but the last two end it, and undo it."""
    world()
    keeper = Keeper(agent(timeout=60000), {"vm1": DATA})
    stream = save("vm1")
    for end, number in (("abort", errno.ECANCELED), ("port", errno.ENODEV)):
        held = []
        keeper.before = lambda request, held=held: \
            request.op != "apply" or held.append(request)
        thread, result = background(restore, "vm1", stream)
        until(lambda held=held: held, "asked to apply")
        with ksft_raises(NlError) as caught:
            commit("vm1")
        ksft_eq(caught.exception.errno, errno.EBUSY)
        if end == "abort":
            abort("vm1")
        else:
            cmd("ip link del vm1")
        thread.join(20)
        ksft_true(result and isinstance(result[0], NlError), str(result))
        ksft_eq(result[0].errno, number, end)
        until(lambda: keeper.ops()[-1] == "complete", keeper.ops())

    port("vm1", number=1)
    held = []
    keeper.before = lambda request: request.op != "apply" or held.append(request)
    with Session("vm1", True) as session:
        session.write(stream)
        thread, result = background(commit, "vm1")
        until(lambda: held, "asked to apply")
    keeper.before = lambda request: True
    keeper.later += held
    thread.join(20)
    ksft_true(result and isinstance(result[0], dict), f"closed: {result}")
    ksft_eq(keeper.state["vm1"], DATA)


def held_commit(keeper):
    """A process that answers, but not to apply; -> what it was asked"""
    held = []
    keeper.before = lambda request: request.op != "apply" or held.append(request)
    return held


def test_commit_waits():
    """While a commit waits for a process its request is over, so that nothing of
    generic netlink is held: the answer comes when there is one, and others are
    answered meanwhile."""
    world()
    keeper = Keeper(agent(timeout=60000), {"vm1": DATA})
    stream = save("vm1")
    held = held_commit(keeper)
    with Session("vm1", True) as session:
        session.write(stream)
        genl = session.genl
        name = attr_str(UAPI["VMQ_A_PORT_DEV"], "vm1")
        request = genl.frame(UAPI["VMQ_CMD_RESTORE_COMMIT"], name,
                             flags=NLM_F_ACK)
        # it would come back from this only with the answer, else
        sender, result = background(genl.sock.send, request)
        until(lambda: held, "asked to apply")
        until(lambda: result, "the request is over")
        sender.join(20)
        genl.sock.setblocking(False)
        with ksft_raises(BlockingIOError, "there is no answer yet"):
            genl.sock.recv(65536)
        genl.sock.setblocking(True)
        ksft_eq(vmqctl("port show dev vm1")[0]["dev"], "vm1")
        keeper.before = lambda request: True
        keeper.later += held
        [answer] = genl.answer(genl.seq)
        ksft_in(UAPI["VMQ_A_PORT_RECORDS"], dict(parse_attrs(answer[4:])))
    ksft_eq(keeper.state["vm1"], DATA)


def test_interrupted():
    """Who waits for a commit is killed: all is undone."""
    world()
    keeper = Keeper(agent(timeout=60000), {"vm1": DATA})
    stream = save("vm1")
    held = held_commit(keeper)
    with Session("vm1", True) as session:
        session.write(stream)
        child = os.fork()
        if not child:
            try:
                commit("vm1")
            finally:
                os._exit(1)
        until(lambda: held, "asked to apply")
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        until(lambda: keeper.ops()[-1] == "complete", keeper.ops())
        with ksft_raises(OSError) as caught:
            session.write(b"more")
        ksft_eq(caught.exception.errno, errno.ECANCELED)
    ksft_eq(vmqctl("port show dev vm1")[0]["migration"], "idle")
    # nothing is left of it
    keeper.before = lambda request: True
    restore("vm1", save("vm1"))


def test_does_not_read():
    """A process that does not read what it is told is thrown out, in bounded
    time, and the ports go on."""
    world()
    deaf = Agent()
    defer(deaf.close)
    deaf.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    deaf.register("vmq0", "keeper", UUID, timeout=1)
    for _ in range(200):
        save("vm1")
        if "keeper" not in exts():
            break
    until(lambda: "keeper" not in exts(), "out")
    save("vm1")


# -- hostile

def test_lies():
    """Answers to what was not asked, twice, too large, with data where none was
    asked for, of somebody else: all are refused and change nothing."""
    world()
    liar = agent(timeout=60000)
    other = agent(uuid=OTHER, name="other", enabled=False)
    refused(errno.ENOENT, liar.reply, 1, b"x")
    refused(errno.EINVAL, liar.call, UAPI["VMQ_CMD_EXT_ANSWER"])
    thread, result = background(save, "vm1")
    asked = liar.next()
    refused(errno.ENOENT, other.reply, asked, b"x", comment="somebody else")
    refused(errno.ENOENT, other.data, asked, comment="somebody else")
    refused(errno.ENOENT, Genl().call, UAPI["VMQ_CMD_EXT_ANSWER"],
            attr_u32(UAPI["VMQ_A_EXT_USER_REQUEST"], asked.id))
    refused(errno.ENOENT, liar.reply, asked.id + 1, b"x")
    refused(errno.EMSGSIZE, liar.reply, asked, bytes(65489))
    with ksft_raises(NlError):
        liar.reply(asked, b"x", error=5)
    with ksft_raises(NlError):
        liar.reply(asked, error=4096)
    with ksft_raises(NlError):
        liar.reply(asked, message="x" * 65, error=1)
    ksft_true(thread.is_alive(), "still asked")
    liar.reply(asked, bytes(65488))
    refused(errno.ENOENT, liar.reply, asked, b"x", comment="twice")
    again = liar.next()
    liar.reply(again)
    thread.join(20)
    ksft_ge(len(result[0]), 65488)
    ksft_eq(liar.next().op, "complete")

    thread, failed = background(restore, "vm1", result[0])
    asked = liar.next()
    ksft_eq((asked.op, asked.length), ("validate", 65488))
    ksft_eq(liar.data(asked), bytes(65488))
    refused(errno.ERANGE, liar.call, UAPI["VMQ_CMD_EXT_READ"],
            attr_u32(UAPI["VMQ_A_EXT_USER_REQUEST"], asked.id),
            attr_u32(UAPI["VMQ_A_EXT_USER_OFFSET"], 65489))
    refused(errno.EINVAL, liar.reply, asked, b"x", comment="data")
    liar.reply(asked, error=errno.EINPROGRESS, message="no\x1b[2Jway")
    thread.join(20)
    ksft_eq(failed[0].errno, errno.EIO)
    ksft_in("keeper, record", failed[0].msg)
    ksft_in("no?[2Jway", failed[0].msg)


def test_bad_registrations():
    """What is no name, no uuid, no class, no adapter; too many; nothing is left of
    it."""
    world()
    one = Agent()
    defer(one.close)
    before = exts()
    for name in ("", "a b", "a/b", "x\x1b", "\u00e9"):
        refused(errno.EINVAL, one.register, "vmq0", name, UUID, comment=name)
    with ksft_raises(NlError):
        one.register("vmq0", "sixteen-letters-", UUID)
    for uuid in ("", "x", UUID[:-1], "00000000-0000-0000-0000-000000000000"):
        refused(errno.EINVAL, one.register, "vmq0", "keeper", uuid)
        refused(errno.EINVAL, one.register, "vmq0", "keeper", UUID, True, None,
                None, uuid)
    refused(errno.EOPNOTSUPP, one.register, "vmq0", "keeper", UUID, True, None,
            None, None, 2)
    for timeout in (0, 60001):
        with ksft_raises(NlError):
            one.register("vmq0", "keeper", UUID, timeout=timeout)
    refused(errno.EINVAL, one.register, "vm1", "keeper", UUID)
    refused(errno.ENODEV, one.register, "nosuch", "keeper", UUID)
    ksft_eq(exts(), before)
    with ksft_raises(NlError) as caught:
        for number in range(99):
            one.register("vmq0", f"k{number}", UUID[:-2] + f"{number:02}")
    ksft_eq((number, caught.exception.errno), (16, errno.ENOSPC))
    one.close()
    ksft_eq(exts(), before)


def test_permission():
    """Who has no CAP_NET_ADMIN in the adapter's network namespace is refused."""
    world()

    def attempt():
        try:
            Agent().register("vmq0", "keeper", UUID)
        except NlError as error:
            return errno.errorcode[error.errno]
        return "allowed"
    ksft_eq(in_userns(attempt), "EPERM")


def test_adapter_goes():
    """The adapter goes, also while a process is asked: it is told, the save fails,
    and nothing is left."""
    world()
    keeper = Keeper(agent(timeout=60000), {"vm1": DATA})
    held = []
    keeper.before = lambda request: request.op != "save" or held.append(request)
    thread, result = background(save, "vm1")
    until(lambda: held, "asked")
    cmd("ip link del vmq0")
    thread.join(20)
    ksft_true(result and isinstance(result[0], OSError), str(result))
    until(lambda: keeper.ops()[-2:] == ["complete", "removed"], keeper.ops())


if __name__ == "__main__":
    ksft_main(globals())
