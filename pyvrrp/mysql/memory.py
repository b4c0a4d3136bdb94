"""What outlives the daemon: that it is paused or drained, the last failover, what it is known to have lost."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from pyvrrp.mysql.gtid import Gap

GAPS: Final = 128
SUFFIX: Final = ".database.json"


@dataclass(frozen=True, slots=True)
class Remembered:
    """Of one instance. Times are seconds of the wall clock, as they must outlive a reboot; 0 is never.

    `active`: nobody's writes are known to have been open since its were; `doubt`: why that may be otherwise.
    `successor`: whose writes have been open since. `beat`: the last heartbeat of the other server that was known while
    its own were. `failover`: when this pair last failed over without being asked to, `acknowledged`: when the operator
    last said that it was seen. `lost`: transactions that takeovers left behind since then, the last of which was
    `lost_at`. `errant`: those that its server alone has. `conceded`: those of its own that the other server alone had
    while this one was active. `gaps`: the numbers that it has left out when it was opened, the last GAPS times.
    `server`: the server_id of whose all that is.
    """

    paused: bool = False
    drained: bool = False
    active: bool = False
    successor: str = ""
    doubt: str = ""
    beat: int = 0
    failover: float = 0.0
    acknowledged: float = 0.0
    lost: tuple[str, ...] = ()
    lost_at: float = 0.0
    errant: tuple[str, ...] = ()
    conceded: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    server: int = 0


_KINDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("paused", "drained", "active"), bool),
    **dict.fromkeys(("successor", "doubt"), str),
    **dict.fromkeys(("beat", "server"), int),
    **dict.fromkeys(("failover", "acknowledged", "lost_at"), (int, float)),
    **dict.fromkeys(("lost", "errant", "conceded", "gaps"), tuple),
}


class Memory:
    """`now` is what is remembered. Changes are written by a thread, in order, as a disk may hang."""

    def __init__(self, directory: str, instance: str, failed: Callable[[str], None] = lambda _: None) -> None:
        """`directory` "" remembers nothing beyond the process; `failed` is told why something could not be written."""
        self._file = _place(directory, instance)
        self._failed = failed
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="memory")
        self._closed = False
        self.now = _read(self._file, failed)

    def change(self, **changes: Any) -> None:
        """Remember these fields of Remembered."""
        changed = replace(self.now, **changes)
        if changed == self.now:
            return
        self.now = changed
        if self._file is None:
            return
        if self._closed:  # what is heard at the end is remembered, too: who took over
            with contextlib.suppress(OSError):
                _write(self._file, changed)
            return
        done = self._thread.submit(_write, self._file, changed)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        done.add_done_callback(lambda call: self._hear(loop, call.exception()))

    def is_of(self, server_id: int) -> None:
        """It is about this server. What was remembered of another one, its file having come from another host, is
        forgotten aloud, but for the operator's own word."""
        if self.now.server not in (0, server_id):
            self._failed(
                f"{self._file} is of the server with server_id {self.now.server}, and this one has {server_id}"
            )
            self.change(**asdict(Remembered(paused=self.now.paused, drained=self.now.drained)))
        self.change(server=server_id)

    async def written(self, within: float) -> None:
        """Wait until all is written, or so many seconds: another one may read it then."""
        if not self._closed:
            await asyncio.wait({asyncio.get_running_loop().run_in_executor(self._thread, int)}, timeout=within)

    def close(self) -> None:
        """The process ends; what is being written is written."""
        self._closed = True
        self._thread.shutdown(wait=False)

    def _hear(self, loop: asyncio.AbstractEventLoop, error: BaseException | None) -> None:
        if error is not None:
            with contextlib.suppress(RuntimeError):  # the loop is over
                loop.call_soon_threadsafe(self._failed, f"{self._file}: {error}")


def hand_on(before: tuple[str, str], after: tuple[str, str]) -> None:
    """What is remembered in this directory of this instance is another's from now on. Raises OSError, ValueError."""
    old, new = _place(*before), _place(*after)
    if old is None or new is None or old == new:
        return
    with contextlib.suppress(FileNotFoundError):
        text = old.read_text(encoding="utf-8")
        _put(new, text)
        old.unlink()


def _place(directory: str, instance: str) -> Path | None:
    return Path(directory) / f"{instance.replace('%', '%25').replace('/', '%2F')}{SUFFIX}" if directory else None


def _read(file: Path | None, failed: Callable[[str], None]) -> Remembered:
    if file is None:
        return Remembered()
    try:
        return _understood(json.loads(file.read_text(encoding="utf-8"), parse_constant=_no_number))
    except FileNotFoundError:
        return Remembered()
    except (OSError, ValueError, TypeError) as error:
        failed(f"{file}: {error}")
        return Remembered()


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no time")


def _understood(data: Any) -> Remembered:
    if not isinstance(data, dict):
        raise ValueError("it is not what was written there")  # noqa: TRY004  # it is the text that is wrong
    known = {each.name: data[each.name] for each in fields(Remembered) if each.name in data}
    known |= {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
    wrong = [name for name, value in known.items() if not isinstance(value, _KINDS[name])]
    wrong += [
        name
        for name, value in known.items()
        if _KINDS[name] is tuple and not all(isinstance(each, str) for each in value)
    ]
    if wrong:
        raise ValueError(f"{wrong[0]} is not what it should be")
    for gap in known.get("gaps", ()):
        Gap.parse(gap)  # the other agent would not take a word with another one
    return Remembered(**known)


def _write(file: Path, remembered: Remembered) -> None:
    _put(file, json.dumps(asdict(remembered), indent=2))


def _settle(directory: Path) -> None:
    """A new name outlives a loss of power once its directory is written."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put(file: Path, content: str) -> None:
    """In place of the old file at once, or not at all."""
    descriptor, name = tempfile.mkstemp(prefix=file.name, dir=file.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as text:
            text.write(content)
            text.flush()
            os.fsync(text.fileno())
        Path(name).replace(file)
        _settle(file.parent)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
