# SPDX-License-Identifier: GPL-2.0
"""Build the clone's module and tools for one machine, outside the clone.

What compiler and sparse complain about is an error: what a machine runs is
what the static checks have seen, and is built once for both.
"""

import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import kernels
from cache import CACHE, CLONE, Failure, lock, program, step, write_file

# The kernel's own headers shift negative numbers and have arrays of structures
# that end in an array (linux/igmp.h, net/mld.h), and 7.3 would silently not
# run a sparse that does not know the word. What is constant only by
# __builtin_strlen(), as in MODULE_LICENSE() of 7.3, is the compiler's to judge.
SPARSE = ("sparse -Wno-shift-count-negative -Wno-flexible-array-array "
          "-D__typeof_unqual__=__typeof__")
OWNER = ".testvm-clone"  # whose build directory it is
UNUSED = 3600            # seconds after which another may have it
NO_COMPLAINT = "error: bad constant expression"


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
    log = directory / ".testvm-modules.log"
    command = ["make", "-s", kernels.JOBS, "-C", kernel, f"M={directory}", "W=1",
               "VMQ_BENCH=1", "VMQ_TESTS=1"]
    if machine != "uml-plain":   # the quick one
        command += ["C=1", f"CHECK={SPARSE}"]
    if machine != "qemu":
        command.append("ARCH=um")
    if test:
        command.append("VMQ_KUNIT=1")
    output = program(*command, "modules", log=log, show=200)
    found = complaints(output, directory)
    if "not available or not up to date" in output:
        found.append("sparse did not run")
    if found:
        raise Failure("\n".join(found) + f"\nall of it: {log}")


def complaints(output, directory):
    """Lines of warnings about our files, which are built again next time."""
    found = []
    for line in output.splitlines():
        match = re.match(r"(?:\.\./)*(\S+?):(?:\d+:)* (?:warning|error|info)\b", line)
        if not match:
            if re.search("undefined|^WARNING: modpost|^ERROR", line):
                found.append(line)
            continue
        path = pathlib.Path(match[1].removeprefix(f"{directory}/"))
        if (directory / path).is_file() and NO_COMPLAINT not in line:
            found.append(line.replace(f"{directory}/", ""))
            objects = [directory / path.with_suffix(".o")] \
                if path.suffix == ".c" else directory.rglob("*.o")
            for each in objects:
                each.unlink(missing_ok=True)
    return found


def make_tools(directory):
    makefile = directory / "Makefile"
    if makefile.exists() and re.search(r"^tools\s*:", makefile.read_text(),
                                       re.M):
        return program("make", "-s", "-C", directory, "tools",
                       log=directory / ".testvm-tools.log")
    return ""


def has_suites(machine, test):
    """uml-debug has the KUnit suites always, so that it is built only once;
    they run where the kernel is told to (machines.py)."""
    return test or machine == "uml-debug"


def owner_of(directory):
    """-> the clone whose it is, or None, and when it was used last"""
    owner = directory / OWNER
    if owner.exists():
        return owner.read_text(), owner.stat().st_mtime
    return None, (directory / ".testvm-files").stat().st_mtime


def directory_for(name):
    """The clone's build directory. A clone that has none takes over that of one
    that is gone, or was not built for an hour: most of it is built already.
    (The objects stay good only at the same path.)
    """
    with lock("build-choice"):
        left = {}                       # directory -> (clone is gone, last used)
        for directory in (CACHE / "build").glob(f"{name}-{'?' * 6}"):
            with contextlib.suppress(OSError):
                clone, used = owner_of(directory)
                if clone == str(CLONE):
                    os.utime(directory / OWNER)
                    return directory
                gone = bool(clone) and not os.path.exists(clone)
                if gone or used < time.time() - UNUSED:
                    left[directory] = (gone, used)
        if left:                        # the newest: it differs least
            directory = max(left, key=left.get)
        for number in range(0 if left else 1000):
            words = f"{CLONE}{number or ''}"
            short = hashlib.sha256(os.fsencode(words)).hexdigest()[:6]
            directory = CACHE / "build" / f"{name}-{short}"
            if not (directory / OWNER).exists():
                break
        directory.mkdir(parents=True, exist_ok=True)
        write_file(directory / OWNER, str(CLONE))
    return directory


def build(machine, test=False):
    """The directory with the built modules, the same one as long as the clone
    is used."""
    test = has_suites(machine, test)
    kernels.kernel_directory(machine)  # outside the lock: it may take minutes
    suites = "-kunit" if test and machine != "uml-debug" else ""
    directory = directory_for(machine + suites)
    with lock(f"build-{directory.name}"):
        return build_in(directory, machine, test)


def build_in(directory, machine, test):
    with step(f"building the module for {machine}"):
        copy_clone(directory)
        if not (directory / "Kbuild").exists():
            raise Failure("the clone has no Kbuild file: nothing to build "
                          "(--no-module runs without)")
        make_modules(machine, test, directory)
        printed = make_tools(directory)
    if printed:
        print(printed, end="", file=sys.stderr)
    return directory


def snapshot(machine, test, directory):
    """Build, then a copy (of hard links) that no later build changes."""
    kernels.kernel_directory(machine)
    built = build(machine, test)
    with lock(f"build-{built.name}"):
        shutil.copytree(built, directory, symlinks=True, copy_function=os.link)
    return pathlib.Path(directory)
