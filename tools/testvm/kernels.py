# SPDX-License-Identifier: GPL-2.0
"""Kernels, headers and sources from the Debian archive: fetch, unpack, build.

Nothing here is installed on the machine. Every function returns a path in the
cache and makes what it needs first. The version of a package is looked up
once and then kept (CACHE/packages/versions.json), so that a second run works
without the network; remove that file to move to newer packages.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import tempfile

from cache import CACHE, HERE, Failure, lock, new_directory, program, step, \
    write_file

PACKAGES = CACHE / "packages"
SOURCES = CACHE / "source"
KERNELS = CACHE / "kernels"
JOBS = f"-j{(os.cpu_count() or 1) + 1}"

# name -> which source, which architecture, fragments, what is built
BUILDS = {
    "uml-plain": ("6.12", "um", ["uml-plain.config", "uml-fast.config"]),
    "uml-debug": ("7.3", "um", ["uml-plain.config", "uml-debug.config"]),
    "guest": ("6.12", "x86_64", ["guest.config"]),
}
SOURCE_FROM = {"6.12": "bookworm", "7.3": "trixie"}


def digest(paths):
    """Eight digits that stand for the content of these files."""
    content = b"".join(path.read_bytes() for path in paths)
    return hashlib.sha256(content).hexdigest()[:8]


# -- packages

def apt(suite, *arguments, **options):
    return program(HERE / "backports-apt", suite, *arguments, **options)


def remembered(key, find):
    """find() once, afterwards what it said then."""
    path = PACKAGES / "versions.json"
    with lock("versions"):
        known = json.loads(path.read_text()) if path.exists() else {}
        if key not in known:
            known[key] = find()
            write_file(path, json.dumps(known, indent=1, sort_keys=True))
        return known[key]


def version_of(suite, package):
    """The version of a package in the backports of that suite."""
    def find():
        for line in apt(suite, "show", package).splitlines():
            if line.startswith("Version: "):
                return line.split()[1]
        raise Failure(f"{package}: not in the {suite} archive")
    return remembered(package, find)


def stock_release():
    """Name of the newest stock 6.12 kernel, such as 6.12.95+deb12-amd64."""
    def find():
        text = apt("bookworm", "show", "linux-image-amd64")
        found = re.search(r"^Depends: linux-image-(6\.12\.\S+)", text, re.M)
        if not found:
            raise Failure("no linux-image for 6.12 in bookworm-backports")
        return found.group(1)
    return remembered("stock-release", find)


def unpack_packages(suite, wanted, directory):
    """Download packages {name: version}, unpack into directory."""
    download = directory / "download"
    download.mkdir()
    names = [f"{name}={version}" for name, version in wanted.items()]
    with step("downloading " + " ".join(names)):
        apt(suite, "download", *names, cwd=download)
    with step("unpacking"):
        for package in download.glob("*.deb"):
            program("dpkg", "-x", package, directory)
    shutil.rmtree(download)


# -- sources and the stock kernel

def source(series):
    """The unpacked kernel source of a series ("6.12", "7.3")."""
    if series not in SOURCE_FROM:
        raise Failure(f"no source of Linux {series}; "
                      f"there are: {' '.join(SOURCE_FROM)}")
    suite, package = SOURCE_FROM[series], f"linux-source-{series}"
    # The 6.12 source is that of the stock kernel, even where the archive has
    # a newer one.
    version = version_of(suite, f"linux-image-{stock_release()}"
                         if suite == "bookworm" else package)
    patch = HERE / "config" / f"linux-{series}.patch"
    final = SOURCES / (version + (f"-{digest([patch])}" if patch.exists()
                                  else ""))
    if final.exists():
        return final
    with lock(package):
        if not final.exists():
            with new_directory(final) as scratch, \
                    tempfile.TemporaryDirectory(dir=CACHE / "tmp") as package_tree:
                package_tree = pathlib.Path(package_tree)
                unpack_packages(suite, {package: version}, package_tree)
                with step(f"unpacking {package}.tar.xz"):
                    program("tar", "-C", scratch, "--strip-components=1", "-xf",
                            package_tree / f"usr/src/{package}.tar.xz")
                if patch.exists():
                    program("patch", "-p1", "-d", scratch, "-i", patch)
    return final


def ethtool():
    """A newer ethtool than that of Debian 12: it knows RSS over netlink."""
    version = version_of("trixie-main", "ethtool")
    final = CACHE / f"programs/ethtool-{version.partition(':')[2]}"
    if not final.exists():
        with lock("ethtool"):
            if not final.exists():
                with new_directory(final) as scratch:
                    unpack_packages("trixie-main", {"ethtool": version},
                                    scratch)
    return final / "usr/sbin/ethtool"


def headers():
    """Where to build modules for the stock kernel (a KERNELDIR)."""
    release = stock_release()
    flavour = release.rsplit("-", 1)[0]
    package = f"linux-headers-{release}"
    version = version_of("bookworm", package)
    final = KERNELS / f"headers-{version}"
    usr_src = final / "usr/src"
    if not final.exists():
        with lock(package):
            if not final.exists():
                with new_directory(final) as scratch:
                    unpack_packages("bookworm", {
                        package: version,
                        f"linux-headers-{flavour}-common": version,
                        f"linux-kbuild-{flavour}": version}, scratch)
                    top = scratch / "usr/src" / package
                    makefile = (top / "Makefile").read_text()
                    (top / "Makefile").write_text(
                        makefile.replace("/usr/src/", f"{usr_src}/"))
                    # It is only there to make BTF, and that needs pahole.
                    (top / "vmlinux").unlink(missing_ok=True)
    return usr_src / package


def stock():
    """The stock kernel: directory with vmlinuz and lib/modules/RELEASE."""
    release = stock_release()
    package = f"linux-image-{release}"
    version = version_of("bookworm", package)
    final = KERNELS / f"stock-{version}"
    if final.exists():
        return final
    with lock(package):
        if not final.exists():
            with new_directory(final) as scratch:
                unpack_packages("bookworm", {package: version}, scratch)
                usr_lib = scratch / "usr/lib/modules"
                if usr_lib.exists():
                    (scratch / "lib").mkdir(exist_ok=True)
                    usr_lib.rename(scratch / "lib/modules")
                (scratch / f"boot/vmlinuz-{release}").rename(
                    scratch / "vmlinuz")
                with step("depmod"):
                    program("/sbin/depmod", "-b", scratch, release)
    return final


# -- kernels of our own

def configure(name, series, arch, fragments, output):
    """The .config: the architecture's default, changed by our fragments."""
    tree = source(series)
    base = "tinyconfig" if arch == "x86_64" else "defconfig"
    make = ["make", "-s", f"ARCH={arch}", f"O={output}"]
    program(*make, base, cwd=tree)
    merged = "".join((HERE / "config" / each).read_text()
                     for each in fragments)
    (output / "vmq.config").write_text(merged)
    program(tree / "scripts/kconfig/merge_config.sh", "-Q", "-m", "-O", output,
            output / ".config", output / "vmq.config", cwd=output)
    program(*make, "olddefconfig", cwd=tree)

    got = set((output / ".config").read_text().splitlines())
    wanted = dict(re.findall(r"^(CONFIG_\w+)=(.*)$", merged, re.M))
    lost = [f"{key}={value}" for key, value in wanted.items()
            if value != "n" and f"{key}={value}" not in got]
    if lost:
        # not fatal: an option may have gone between kernel versions
        write_file(output / "lost-options", "\n".join(lost) + "\n")


def clean(output):
    """Keep what modules are built with, drop the kernel's own objects."""
    for directory, subdirectories, files in os.walk(output):
        if directory == str(output):
            for keep in ("scripts", "tools"):
                with contextlib.suppress(ValueError):
                    subdirectories.remove(keep)
        for file in files:
            if file.endswith((".o", ".a", ".o.cmd", ".a.cmd")):
                os.unlink(os.path.join(directory, file))


def build(name):
    """Build one of BUILDS. It is a KERNELDIR: modules can be built with it."""
    series, arch, fragments = BUILDS[name]
    tree = source(series)
    key = digest(HERE / "config" / each for each in fragments)
    output = KERNELS / f"{name}-{tree.name}-{key}"
    ready = output / "vmq-ready"
    if ready.exists():
        return output

    with lock(output.name), lock("compiling a kernel"):
        if ready.exists():
            return output
        # A build tree knows its own path, so it is made in place;
        # the file vmq-ready is what makes it valid.
        output.mkdir(parents=True, exist_ok=True)
        log = output / "build.log"
        with step(f"compiling {name} {tree.name} (minutes; see {log})"):
            configure(name, series, arch, fragments, output)
            program("make", f"ARCH={arch}", JOBS, cwd=output, log=log)
            if arch == "um":
                program("make", "-s", "ARCH=um", "modules_install",
                        f"INSTALL_MOD_PATH={output}/install", cwd=output)
            else:
                program("strip", "-o", output / "vmlinux.stripped",
                        output / "vmlinux")
            clean(output)
        write_file(ready, "")
    return output


def guest_kernel():
    """An uncompressed kernel (PVH boot) for a guest inside the machine."""
    return build("guest") / "vmlinux.stripped"


def kernel_directory(machine):
    """Where the modules for a machine are built."""
    return headers() if machine == "qemu" else build(machine)


def modules_root(machine):
    """What to see as /lib/modules inside a machine."""
    if machine == "qemu":
        return stock() / "lib/modules"
    return build(machine) / "install/lib/modules"
