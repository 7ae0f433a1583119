# SPDX-License-Identifier: GPL-2.0
"""The initramfs of the QEMU machine: busybox, a few stock modules, init-root."""

import gzip
import hashlib
import lzma
import pathlib
import stat

import kernels
from cache import CACHE, HERE, Failure, lock, step

# What it takes to see the host's root and to talk to the tool.
MODULES = ["virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay"]
BUSYBOX = pathlib.Path("/bin/busybox")


def load_order(directory):
    """Paths of MODULES and what they need, in the order to load them."""
    needs = {}
    for line in (directory / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        needs[path] = others.split()
    builtin = (directory / "modules.builtin").read_text().splitlines()

    def name(path):
        return pathlib.PurePath(path).name.split(".")[0].replace("-", "_")

    by_name = {name(path): path for path in needs}
    order = []
    for module in MODULES:
        if module in by_name:
            path = by_name[module]
            # modules.dep lists the nearest first
            for each in reversed([path] + needs[path]):
                if each not in order:
                    order.append(each)
        elif module not in map(name, builtin):
            raise Failure(f"the stock kernel has no module {module}")
    return order


def archive(files):
    """A cpio archive ("newc") of {name: (mode, content)}."""
    parts = []
    entries = list(files.items()) + [("TRAILER!!!", (0, b""))]
    for inode, (name, (mode, content)) in enumerate(entries, 1):
        raw = name.encode() + b"\0"
        fields = [inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(raw), 0]
        header = b"070701" + b"".join(b"%08x" % field for field in fields) + raw
        parts.append(header + b"\0" * (-len(header) % 4))
        parts.append(content + b"\0" * (-len(content) % 4))
    return b"".join(parts)


def contents():
    directory = next((kernels.stock() / "lib/modules").iterdir())
    directory_mode, program_mode = stat.S_IFDIR | 0o755, stat.S_IFREG | 0o755
    files = {name: (directory_mode, b"")
             for name in ("bin", "dev", "proc", "modules")}
    if not BUSYBOX.exists():
        raise Failure("no /bin/busybox: run tools/testvm/deps")
    files["bin/busybox"] = (program_mode, BUSYBOX.read_bytes())
    files["init"] = (program_mode, (HERE / "init-root").read_bytes())
    order = []
    for path in load_order(directory):
        content = (directory / path).read_bytes()
        name = pathlib.PurePath(path).name
        if name.endswith(".xz"):
            name, content = name[:-3], lzma.decompress(content)
        files[f"modules/{name}"] = (program_mode, content)
        order.append(name)
    files["modules.order"] = (program_mode, "".join(
        f"{name}\n" for name in order).encode())
    return files


def initramfs():
    """Path of the archive; made again when anything in it changed."""
    stock = kernels.stock()
    digest = hashlib.sha256(stock.name.encode())
    for path in (HERE / "init-root", pathlib.Path(__file__)):
        digest.update(path.read_bytes())
    final = CACHE / "initramfs" / f"{stock.name}-{digest.hexdigest()[:8]}.gz"
    if final.exists():
        return final
    with lock("initramfs"), step("making the initramfs"):
        final.parent.mkdir(parents=True, exist_ok=True)
        scratch = final.with_suffix(".new")
        scratch.write_bytes(gzip.compress(archive(contents()), 1))
        scratch.rename(final)
    return final
