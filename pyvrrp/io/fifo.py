"""A named pipe that is told of every change, a line each.

It is opened for reading too, as keepalived does it: lines wait in the pipe (64 KiB) for a reader that comes later, and
one that goes away hurts nobody. When the pipe is full the newest lines wait here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from collections import deque
from collections.abc import Callable
from errno import EEXIST
from pathlib import Path
from typing import Final

from pyvrrp.core.effects import Level
from pyvrrp.core.settings import Fifo
from pyvrrp.identity import identity

HELD: Final = 1024  # lines that wait for room in the pipe; then the oldest are lost
MODE: Final = 0o600


class FifoWriter:
    """The writing end of `settings.path`. What is wrong with it goes to `report`; then it takes lines to nowhere.

    To be made inside a running loop.
    """

    def __init__(self, settings: Fifo, report: Callable[[Level, str], None]) -> None:
        self._path = Path(settings.path)
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._held: deque[bytes] = deque(maxlen=HELD)
        self._waits = False  # for room in the pipe
        self._made = False
        self._descriptor: int | None = None
        try:
            self._made = _make(self._path, settings)
            self._descriptor = _open(self._path)
        except (OSError, LookupError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or str(error)
            report(Level.ERROR, f"no notifications in the FIFO {self._path}: {reason}")

    @property
    def intact(self) -> bool:
        """Whether the path still leads to this pipe."""
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(self._path.lstat(), os.fstat(self._descriptor))
        except OSError:
            return False

    def write(self, line: str) -> None:
        """Write a line, which comes without its newline. Never blocks."""
        if self._descriptor is None:
            return
        self._held.append(line.encode(errors="surrogateescape") + b"\n")
        if not self._waits:
            self._flush(self._descriptor)

    def close(self) -> None:
        """The reader sees the end of file; a pipe that was made here is removed."""
        if self._descriptor is None:
            return
        self._loop.remove_writer(self._descriptor)
        if self._made and self.intact:
            with contextlib.suppress(OSError):
                self._path.unlink()
        os.close(self._descriptor)
        self._descriptor = None

    def _flush(self, descriptor: int) -> None:
        try:
            while self._held:
                os.write(descriptor, self._held[0])  # whole or not at all: it is shorter than PIPE_BUF
                self._held.popleft()
        except BlockingIOError:
            if not self._waits:
                self._waits = True
                self._loop.add_writer(descriptor, self._flush, descriptor)
                text = f"nobody reads the FIFO {self._path}: it is full, the newest {HELD} lines wait"
                self._report(Level.WARNING, text)
            return
        if self._waits:
            self._waits = False
            self._loop.remove_writer(descriptor)
            self._report(Level.NOTICE, f"the FIFO {self._path} is read again")


def _make(path: Path, settings: Fifo) -> bool:
    """Whether there was none yet. Raises OSError or LookupError, and leaves none then."""
    who = identity(settings.user, settings.group)
    try:
        os.mkfifo(path, MODE)
    except FileExistsError:
        return False
    try:
        os.chown(path, *who, follow_symlinks=False)
    except OSError:
        path.unlink()
        raise
    return True


def _open(path: Path) -> int:
    """Raises OSError; what is not a FIFO is not touched."""
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(EEXIST, "there is a file that is no FIFO")
