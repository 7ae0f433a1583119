# SPDX-License-Identifier: GPL-2.0
"""Requests that the kernel is to refuse, and who may not ask."""

import ctypes
import errno
import os

from .ksft import ksft_eq, ksft_in, ksft_raises, ksft_true
from .netlink import NlError

CLONE_NEWUSER = 0x10000000


def refused(number, call, *arguments, text="", comment=""):
    """The request fails with this errno, and with a message."""
    with ksft_raises(NlError, comment) as caught:
        call(*arguments)
    error = caught.exception
    if error:
        ksft_eq(errno.errorcode.get(error.errno), errno.errorcode[number],
                f"{comment}: {error}")
        ksft_true(error.msg, f"{comment}: no message")
        ksft_in(text, error.msg, comment)


def in_userns(function):
    """Runs it as nobody in particular: in a user namespace of its own, in the
    network namespace of the caller; -> its text"""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.close(read)
            if ctypes.CDLL(None).unshare(CLONE_NEWUSER):
                raise OSError("unshare")
            os.write(write, function().encode())
            status = 0
        except BaseException as reason:     # pylint: disable=broad-except
            os.write(write, f"exception: {reason!r}".encode())
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read) as stream:
        text = stream.read()
    os.waitpid(child, 0)
    return text
