"""Files: which number is in it?"""

from __future__ import annotations

import asyncio
import ctypes
import os
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pyvrrp.core.settings import CheckSettings, FileProbe
from pyvrrp.io.checks.check import Outcome, Prober
from pyvrrp.io.checks.worker import Worker

READ_MAX: Final = 128  # bytes in which the number must be
# As C's strtol reads it, and so keepalived: blanks, sign, hexadecimal, octal or decimal, then anything.
NUMBER: Final = re.compile(rb"\s*([+-]?)(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))")
INT_MIN, INT_MAX = -(1 << 31), (1 << 31) - 1

# linux/inotify.h
EVENT: Final = struct.Struct("iIII")  # watch, mask, cookie, length of the name that follows
IN_CLOSE_WRITE, IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
IN_DIRECTORY: Final = IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE
NONE: Final = -1

_libc = ctypes.CDLL(None)


class FileProber(Prober):
    """Reads the number at the beginning of a file; none, or no file, is 0, and one that is no C int changes nothing.

    inotify tells of changes: of the name in its directory, and of the file behind it, wherever links lead.
    """

    def __init__(self, probe: FileProbe, settings: CheckSettings) -> None:
        super().__init__(settings)
        self._path = Path(probe.path)
        self._value = 0
        self._worker = Worker()
        self._inotify = NONE

    async def look(self) -> Outcome:
        """See Prober."""
        text = await self._worker.do(self._read)
        value = _number(text)
        if not INT_MIN <= value <= INT_MAX:
            return Outcome(self._value == 0, f"{self._target} says {value}, {self._value} stays", self._value)
        self._value = value
        return Outcome(value == 0, f"{self._target} says {value}", value)

    def overdue(self) -> Outcome:
        """See Prober."""
        return Outcome(False, f"{self._target} was not read in {self._timeout:g} s", self._value)

    def watch(self, hurry: Callable[[], None]) -> None:
        """See Prober. Where the user has no inotify instance left, the file is only looked at every interval."""
        self._inotify = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._inotify != NONE:
            asyncio.get_running_loop().add_reader(self._inotify, self._changed, hurry)

    def close(self) -> None:
        """See Prober."""
        if self._inotify != NONE:
            asyncio.get_running_loop().remove_reader(self._inotify)
            os.close(self._inotify)
            self._inotify = NONE

    def _changed(self, hurry: Callable[[], None]) -> None:
        events = os.read(self._inotify, 65_536)
        name = os.fsencode(self._path.name)
        offset, ours = 0, False
        while offset < len(events):
            *_, length = EVENT.unpack_from(events, offset)
            offset += EVENT.size + length
            # The file's own events have no name, nor has the one that says that some were lost.
            ours |= events[offset - length : offset].rstrip(b"\0") in (b"", name)
        if ours:
            hurry()

    def _read(self) -> bytes:
        """Runs in a thread: the file system may hang. Raises OSError."""
        # Each time anew, before reading: a directory or a link may be another one by now. The kernel knows the old.
        if self._inotify != NONE:
            _libc.inotify_add_watch(self._inotify, os.fsencode(self._path.parent), IN_DIRECTORY)
            _libc.inotify_add_watch(self._inotify, os.fsencode(self._path), IN_CLOSE_WRITE)
        try:
            with self._path.open("rb", buffering=0) as file:
                return file.read(READ_MAX) or b""
        except FileNotFoundError:
            return b""


def _number(text: bytes) -> int:
    match = NUMBER.match(text)
    if match is None:
        return 0
    sign, hexadecimal, octal, decimal = match.groups()
    number = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(decimal)
    return -number if sign == b"-" else number
