"""Password files. What is in them never becomes part of a message."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pyvrrp.config.values import NOT_PRINTABLE, password, printable

_OTHERS = 0o077


def read_password(path: Path) -> bytes:
    """The password that the file `path` holds in one line. Raises ValueError."""
    try:
        # Not to wait for the writer of a FIFO: what kind of file it is is only known after opening.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{path} is not a regular file")
        mode = stat.S_IMODE(status.st_mode)
        if mode & _OTHERS:
            raise ValueError(f"{path} is readable by others (mode {mode:04o}): chmod 600 {path}")
        content = file.read(1024)
    try:
        found = password(content.decode("ascii", "surrogateescape").removesuffix("\n"))
    except ValueError as error:
        raise ValueError(f"the password in {path} {error}") from None
    if not printable(found):
        raise ValueError(f"the password in {path} {NOT_PRINTABLE}")
    return found
