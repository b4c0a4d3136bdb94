"""Doing things in a child process, without the capabilities that this one has."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import traceback
from collections.abc import Callable

CAPABILITY_VERSION_3 = 0x20080522


def status_of(action: Callable[[], int], *, uid: int | None = None) -> int:
    """What `action` returns (0 to 254) in a child without capabilities, as `uid` where given; 255 when it raised."""
    child = os.fork()
    if child == 0:
        status = 255
        try:
            if uid is not None:
                os.setresuid(uid, uid, uid)
            _drop_capabilities()
            status = action()
        except BaseException:  # noqa: BLE001 - the child must not run on into the caller's test
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(status)
    _, waited = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(waited)


def _drop_capabilities() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    if libc.capset(header, bytes(24)):
        raise OSError(ctypes.get_errno(), "capset")
