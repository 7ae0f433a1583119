# SPDX-License-Identifier: GPL-2.0
"""Where things are kept, locks around them, progress, running a program."""

import contextlib
import fcntl
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
CLONE = HERE.parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or
                     pathlib.Path.home() / ".cache") / "vmq"

STILL_AT_IT = 30         # seconds between two signs of life

quiet = False


class Failure(Exception):
    """Something a user must read; no traceback."""


def say(text):
    if not quiet:
        print(f"testvm: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(text):
    """Say what begins now, and how long it took."""
    begin = time.monotonic()
    done = threading.Event()

    def remind():
        while not done.wait(STILL_AT_IT):
            say(f"{text}: {time.monotonic() - begin:.0f} s so far")

    say(f"{text} ...")
    threading.Thread(target=remind, daemon=True).start()
    try:
        yield
    finally:
        done.set()
    elapsed = time.monotonic() - begin
    if elapsed > 1:
        say(f"{text}: {elapsed:.1f} s")


@contextlib.contextmanager
def lock(name):
    """Let only one process make the thing of this name."""
    directory = CACHE / "locks"
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / name, "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step(f"waiting for another testvm that makes {name}"):
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def new_directory(final):
    """A scratch directory that becomes `final` when all went well."""
    scratch_root = CACHE / "tmp"
    scratch_root.mkdir(parents=True, exist_ok=True)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix=final.name + ".",
                                            dir=scratch_root))
    try:
        scratch.chmod(0o755)
        yield scratch
        final.parent.mkdir(parents=True, exist_ok=True)
        if final.exists():
            shutil.rmtree(final)
        scratch.rename(final)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_file(path, text):
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(text)
    scratch.rename(path)


def program(*arguments, log=None, show=40, **options):
    """Run a program; when it fails show the end of what it printed."""
    arguments = [str(argument) for argument in arguments]
    options.setdefault("stdin", subprocess.DEVNULL)
    if log:
        with open(log, "w") as stream:
            result = subprocess.run(arguments, stdout=stream,
                                    stderr=subprocess.STDOUT, **options)
        output = pathlib.Path(log).read_text(errors="replace")
    else:
        result = subprocess.run(arguments, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True,
                                errors="replace", **options)
        output = result.stdout
    if result.returncode:
        end = "\n".join(output.splitlines()[-show:])
        raise Failure(f"{end}\n`{' '.join(arguments)}' failed "
                      f"(status {result.returncode})"
                      + (f"; all of it: {log}" if log else ""))
    return output
