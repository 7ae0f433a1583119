# SPDX-License-Identifier: GPL-2.0
"""The guest that nested.py runs: a small kernel of ours with busybox.

A guest inside the test machine is emulation in emulation, which boots slowly
(translating code that runs once is all it does). So it is booted once outside
and saved when it is up, as `virsh save` does; in the machine QEMU resumes it.
It has given its NIC back by then, and takes the machine's one when it resumes.
"""

import hashlib
import pathlib
import stat
import subprocess
import sys
import tempfile
import time

CLONE = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(CLONE / "tools/testvm"))
# pylint: disable=wrong-import-position
from cache import CACHE, lock, step
from initramfs import archive
from qemu import Qemu

UP = "guest is up"
# busybox sh finds its applets by itself: no links to make, which takes long
INIT = f"""#!/bin/busybox sh
busybox mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /tmp
mount -t devtmpfs dev /dev
ip link set lo up
echo virtio0 >/sys/bus/virtio/drivers/virtio_net/unbind
cd /tmp
until set /dev/vport* && [ -e $1 ]; do sleep 0.1; done
exec 3<>$1
echo {UP} >&3
# from a pipe, so that the shell prints no prompt
while :; do cat <&3 | busybox sh >&3 2>&1 3>&-; done
"""
BUSYBOX = pathlib.Path("/bin/busybox")


def initramfs():
    directory, program = stat.S_IFDIR | 0o755, stat.S_IFREG | 0o755
    files = {name: (directory, b"")
             for name in ("bin", "dev", "proc", "sys", "tmp")}
    files["bin/busybox"] = (program, BUSYBOX.read_bytes())
    files["init"] = (program, INIT.encode())
    return archive(files)


def guest_kernel():
    shown = subprocess.run([CLONE / "tools/testvm/run", "--print",
                            "guest-kernel"], check=True, text=True,
                           stdout=subprocess.PIPE)
    return pathlib.Path(shown.stdout.strip())


def boot_and_save(kernel, path):
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory) / "initramfs"
        root.write_bytes(initramfs())
        qemu = Qemu("image", pathlib.Path(directory), [
            "-kernel", str(kernel), "-initrd", str(root),
            "-append", "console=ttyS0 quiet panic=-1",
            "-netdev", "user,id=port,restrict=on"])
        try:
            qemu.start()
            deadline = time.monotonic() + 120
            while qemu.shell.line(deadline) != UP:
                pass
            qemu.run("true")
            time.sleep(1)    # let it come to rest
            qemu.migrate(f"file:{path}")
        finally:
            qemu.kill()


def saved_guest():
    """Path of the saved guest, booted first where it is not in the cache."""
    kernel = guest_kernel()
    version = subprocess.run([Qemu.PROGRAM, "--version"], check=True,
                             stdout=subprocess.PIPE).stdout
    parts = [str(kernel).encode(), version, BUSYBOX.read_bytes(),
             pathlib.Path(__file__).read_bytes(),
             pathlib.Path(sys.modules["qemu"].__file__).read_bytes()]
    digest = hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]
    path = CACHE / "guest" / f"{digest}.saved"
    with lock("guest"):
        if not path.exists():
            with step("booting the guest once, and saving it"):
                path.parent.mkdir(parents=True, exist_ok=True)
                for old in path.parent.iterdir():
                    old.unlink()
                scratch = path.with_suffix(".new")
                boot_and_save(kernel, scratch)
                scratch.rename(path)
    return path


if __name__ == "__main__":
    print(saved_guest())
