"""A file system that hangs, as NFS does when its server is gone: everything about it waits, and nobody answers."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

MNT_DETACH: Final = 2

_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def hung(place: Path) -> Iterator[None]:
    """Mount one at `place`; it belongs to nobody who would serve it. What waits gets an error at the end."""
    try:
        server = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        pytest.skip("there is no FUSE here")
    options = f"fd={server},rootmode=40000,user_id=0,group_id=0"
    try:
        if _libc.mount(b"hung", os.fsencode(place), b"fuse", 0, options.encode()):
            pytest.skip(f"mount: {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            _libc.umount2(os.fsencode(place), MNT_DETACH)
    finally:
        os.close(server)
