# SPDX-License-Identifier: GPL-2.0
"""Build the clone's module and tools for one machine, outside the clone."""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

import kernels
from cache import CACHE, CLONE, Failure, lock, program, step


def clone_files():
    """What git knows or would add; everything where there is no git."""
    result = subprocess.run(
        ["git", "-c", f"safe.directory={CLONE}", "-C", CLONE, "ls-files", "-z",
         "--cached", "--others", "--exclude-standard"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if result.returncode == 0:
        names = set(os.fsdecode(result.stdout).split("\0")) - {""}
    else:
        names = {str(path.relative_to(CLONE)) for path in CLONE.rglob("*")
                 if not path.is_dir()}
    return sorted(name for name in names if os.path.lexists(CLONE / name))


def copy_clone(directory):
    """Bring the copy up to date.

    A file whose content changed gets the present time, not that of the
    original: it may have been edited before, but copied after, the last
    build, and make would take the old object for good.
    """
    directory.mkdir(parents=True, exist_ok=True)
    listing = directory / ".testvm-files"
    names = clone_files()
    before = listing.read_text().split("\n") if listing.exists() else []
    for name in set(before) - set(names) - {""}:
        (directory / name).unlink(missing_ok=True)
    listing.write_text("\n".join(names) + "\n")
    program("rsync", "--recursive", "--links", "--perms", "--checksum",
            "--files-from", listing, f"{CLONE}/", directory)


def make_modules(machine, test, directory):
    kernel = kernels.kernel_directory(machine)
    command = ["make", "-s", kernels.JOBS, "-C", kernel, f"M={directory}", "W=1",
               "VMQ_BENCH=1", "VMQ_TESTS=1"]
    if machine != "qemu":
        command.append("ARCH=um")
    if test:
        command.append("VMQ_KUNIT=1")
    return program(*command, "modules", log=directory / ".testvm-modules.log", show=200)


def make_tools(directory):
    makefile = directory / "Makefile"
    if makefile.exists() and re.search(r"^tools\s*:", makefile.read_text(),
                                       re.M):
        return program("make", "-s", "-C", directory, "tools",
                       log=directory / ".testvm-tools.log")
    return ""


def build(machine, test=False):
    """The directory with the built modules, the same one every time."""
    kernels.kernel_directory(machine)  # outside the lock: it may take minutes
    clone = hashlib.sha256(os.fsencode(CLONE)).hexdigest()[:6]
    name = machine + ("-kunit" if test else "") + f"-{clone}"
    directory = CACHE / "build" / name
    with lock(f"build-{name}"):
        return build_in(directory, machine, test)


def build_in(directory, machine, test):
    with step(f"building the module for {machine}"):
        copy_clone(directory)
        if not (directory / "Kbuild").exists():
            raise Failure("the clone has no Kbuild file: nothing to build "
                          "(--no-module runs without)")
        printed = make_modules(machine, test, directory) + make_tools(directory)
    for line in printed.splitlines():
        if "Skipping BTF generation" not in line:
            print(line, file=sys.stderr)
    return directory


def snapshot(machine, test, directory):
    """Build, then a copy (of hard links) that no later build changes."""
    kernels.kernel_directory(machine)
    built = build(machine, test)
    with lock(f"build-{built.name}"):
        shutil.copytree(built, directory, symlinks=True, copy_function=os.link)
    return pathlib.Path(directory)
