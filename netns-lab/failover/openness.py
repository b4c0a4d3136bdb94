"""For how long two servers could be written to at once, whoever wrote: both are asked for read_only all the time."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import pymysql
from labkit.database import Server
from pymysql.connections import Connection
from pymysql.cursors import DictCursor

EACH: Final = 0.01  # seconds between two questions
PATIENCE: Final = 1.0  # seconds for an answer
PROMPT: Final = 0.25  # seconds; between two answers that are further apart anything may have been

QUESTION: Final = "select cast(@@global.read_only as char) not in ('0', 'OFF') as closed"  # MariaDB 12 has words

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Look:
    """One answer, in monotonic seconds. `open`: read_only was off at some moment between `asked` and `answered`."""

    asked: float
    answered: float
    open: bool


def spans(looks: Iterable[Look]) -> list[Span]:
    """When a server was open: from one look to the next that found it open. A late answer tells of no time. Pure."""
    found: list[Span] = []
    going_on = False
    for look in looks:
        if not look.open or look.answered - look.asked > PROMPT:
            going_on = False
            continue
        if going_on and look.asked - found[-1][1] <= PROMPT:
            found[-1] = found[-1][0], look.answered
        else:
            found.append((look.asked, look.answered))
        going_on = True
    return found


def shared(first: Sequence[Span], second: Sequence[Span], begin: float, end: float) -> float:
    """The seconds between two moments that both have in common; each one's own are apart from each other. Pure."""
    return sum(
        max(0.0, min(one[1], other[1], end) - max(one[0], other[0], begin))
        for one, other in itertools.product(first, second)
    )


class Openness:
    """Looks at two servers while it is entered, over their local sockets: no fault of a network hides anything."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self._looks: Mapping[int, list[Look]] = {server.number: [] for server in servers}
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._follow, args=(server,), name=f"openness {server.number}", daemon=True)
            for server in servers
        ]

    def both(self, begin: float, end: float) -> float:
        """For how many seconds between two moments both were open."""
        first, second = (spans(tuple(looks)) for looks in self._looks.values())
        return shared(first, second, begin, end)

    def _follow(self, server: Server) -> None:
        session: Connection[DictCursor] | None = None
        while not self._ended.wait(EACH):
            asked = time.monotonic()
            try:
                session = session or server.session(PATIENCE)
                with session.cursor() as cursor:
                    cursor.execute(QUESTION)
                    row = cursor.fetchone() or {}
                self._looks[server.number].append(Look(asked, time.monotonic(), row.get("closed") == 0))
            except (pymysql.MySQLError, OSError):
                _let_go(session)
                session = None
        _let_go(session)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()


def _let_go(session: Connection[DictCursor] | None) -> None:
    if session is not None:
        with contextlib.suppress(pymysql.MySQLError, OSError):
            session._force_close()  # type: ignore[attr-defined]  # noqa: SLF001  # a polite end may hang
