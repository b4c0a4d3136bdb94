"""The black box: recordings of what the node is told and decides, to a file from the start on, or to who asks for one.

While nobody records there is nothing between heart and node. A recording is written when the loop has time for it, a
few lines at once; one that cannot be written as fast as things happen is given up, and the mastership is not.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from pyvrrp.core.effects import Level
from pyvrrp.core.node import Node
from pyvrrp.errors import ControlError
from pyvrrp.recording.tap import Core, Tap

if TYPE_CHECKING:
    from pyvrrp.recording.reel import Reel

_PORTION: Final = 20  # lines made at once: about a millisecond
_PAUSE: Final = 0.1  # seconds until it is looked again for what has happened
_LAST_WORDS: Final = 1.0  # seconds that writing the end may take
_LISTENERS_MAX: Final = 4
_WAITING_MAX: Final = 50_000  # events and effects; some ten megabytes, more than a minute of a thousand instances
LOST: Final = "lost: more happened than could be written"
_ENDED: Final = "the daemon ended"


class BlackBox:
    """`insert` puts something in the node's place in the heart; `limit` is what may wait to be written (reel.py)."""

    def __init__(
        self,
        node: Node,
        insert: Callable[[Core], None],
        say: Callable[[Level, str], None],
        limit: int = _WAITING_MAX,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._node = node
        self._insert = insert
        self._say = say
        self._limit = limit
        self._tap = Tap(node)
        self._closing = False
        self._quiet = asyncio.Event()  # nobody records
        self._quiet.set()
        self._writing: asyncio.Task[None] | None = None

    def record_to(self, path: Path, born: float) -> None:
        """Record to this file from now on; the node was made at `born`, and nothing has happened to it yet.

        An earlier file stays as FILE.1. A recording that cannot be begun is told of, and keeps nothing from running.
        """
        try:
            with contextlib.suppress(FileNotFoundError):
                path.replace(f"{path}.1")
            file = open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb", buffering=0)  # noqa: SIM115, PTH123
        except OSError as error:
            self._say(Level.ERROR, f"no recording to {path}: {error.strerror}")
            return
        self._writing = self._loop.create_task(self._write(self._begin(born), file, path))
        self._say(Level.NOTICE, f"Recording to {path}")

    async def listen(self) -> AsyncGenerator[bytes, None]:
        """A recording that begins now, in portions, with empty ones while nothing happens."""
        if len(self._tap.reels) >= _LISTENERS_MAX:
            raise ControlError(f"{_LISTENERS_MAX} recordings are being made already")
        try:
            reel = self._begin()
        except TypeError as error:  # a fault of ours, which is no reason to give up the addresses
            raise ControlError(f"no recording: {error}") from error
        self._say(Level.NOTICE, "A recording begins, through the control socket")
        try:
            while not self._over(reel):
                portion = reel.lines(_PORTION)
                yield portion.encode()
                await asyncio.sleep(0 if portion else _PAUSE)
            yield reel.ending(self._why(reel)).encode()
        finally:
            self._end(reel)
            self._say(Level.NOTICE, f"The recording through the control socket has ended, {reel.taken} events")

    async def close(self) -> None:
        """Let every recording be written to its end, as long as that takes no time."""
        self._closing = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS):
                await self._quiet.wait()
        if self._writing is not None:
            self._writing.cancel()

    async def _write(self, reel: Reel, file: IO[bytes], path: Path) -> None:
        """In a thread, as a disk may hang."""
        try:
            with file:
                while not self._over(reel):
                    portion = reel.lines(_PORTION).encode()
                    if portion:
                        await self._loop.run_in_executor(None, _write_all, file, portion)
                    else:
                        await asyncio.sleep(_PAUSE)
                await self._loop.run_in_executor(None, _write_all, file, reel.ending(self._why(reel)).encode())
        except OSError as error:
            self._say(Level.ERROR, f"the recording to {path} ends: {error.strerror}")
        finally:
            self._end(reel)

    def _over(self, reel: Reel) -> bool:
        return reel.empty and (reel.lost or self._closing)

    def _why(self, reel: Reel) -> str:
        if reel.lost:
            self._say(Level.WARNING, "a recording is given up: more happens than can be written")
        return LOST if reel.lost else _ENDED

    def _begin(self, born: float | None = None) -> Reel:
        import secrets  # this and the reel bring OpenSSL with them: 1.5 MiB that are not spent while nobody records

        from pyvrrp.recording.reel import Reel

        reel = Reel(self._node, self._loop.time(), time.time(), secrets.token_bytes(32), born, self._limit)
        self._tap.reels = (*self._tap.reels, reel)
        self._insert(self._tap)
        self._quiet.clear()
        return reel

    def _end(self, reel: Reel) -> None:
        self._tap.reels = tuple(each for each in self._tap.reels if each is not reel)
        if not self._tap.reels:
            self._insert(self._node)
            self._quiet.set()


def _write_all(file: IO[bytes], data: bytes) -> None:
    while data:
        data = data[file.write(data) :]
