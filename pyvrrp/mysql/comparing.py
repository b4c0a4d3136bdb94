"""Comparing a server with the active one by file and position; see `places`.

Its own log is listed first and the active one asked after that, as with GTIDs. What was read of a long log is not read
again: from the active one more may have come since, and of its own nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pyvrrp.mysql import divergence, places
from pyvrrp.mysql.failure import DatabaseError
from pyvrrp.mysql.other import Other
from pyvrrp.mysql.places import LogFile
from pyvrrp.mysql.server import Server
from pyvrrp.mysql.status import Coordinates, Picture, Replication

OWN: Final = 2.0  # seconds for each question to the own server
THERE: Final = 0.5
EVENTS: Final = 2000  # in one answer
ANSWERS: Final = 10  # in one round; the rest of a long log is read in the next one
WAITING, CONTENT = 0.5, 10.0  # seconds between two comparisons: while replication waits for it, or not


class ByPlace:
    """Compares now and then, as that asks both servers."""

    def __init__(self, server: Server, other: Other) -> None:
        self._server = server
        self._other = other
        self._asked = -CONTENT
        self._read: Coordinates | None = None  # up to here nothing is its own

    async def compare(
        self, own: Picture, replication: Replication | None, now: float, *, urgent: bool
    ) -> divergence.Rejoin | None:
        """None when it is not the time, or cannot be told yet. Raises DatabaseError: its own server does not answer."""
        if now - self._asked < (WAITING if urgent else CONTENT):
            return None
        self._asked = now
        try:
            return await self._compare(own, replication)
        except ValueError as error:
            return divergence.Rejoin(divergence.Return.UNKNOWN, str(error))

    async def _compare(self, own: Picture, replication: Replication | None) -> divergence.Rejoin | None:
        logs = await self._server.log_files(OWN)
        try:
            active = await self._other.picture(THERE)
        except DatabaseError as error:
            raise ValueError(f"the active server does not tell how far it is: {error}") from None
        if active.read_only:
            return None
        # Which server a replica's source is, it forgets with a start of its own.
        only = active.replications[0] if len(active.replications) == 1 else None
        of_this = active.replication_from("", 0, own.server_id) or only
        if of_this is None or of_this.executed is None:
            raise ValueError("the active server was never a replica of it: nobody can tell what that one has of it")
        if of_this.sql or of_this.io != "No":
            return None  # its agent is about to stop it
        errant = await self._errant(logs, of_this.executed, active.server_id)
        return None if errant is None else divergence.rejoin_by_place(replication, active, errant)

    async def _errant(self, logs: Sequence[LogFile], executed: Coordinates, active: int) -> tuple[str, ...] | None:
        """The parts of its log that it alone has; None when it has not all been read."""
        start = executed
        if self._read is not None and self._read.covers(executed) and self._is_there(logs, self._read):
            start = self._read
        places.beyond(logs, executed)  # the place itself must be there, whatever was read
        answers, errant = ANSWERS, list[str]()
        for place in places.beyond(logs, start):
            at: Coordinates | None = place
            while at is not None:
                if answers == 0:
                    return tuple(errant) or None
                answers -= 1
                events = await self._server.log_events(at, EVENTS, OWN)
                errant += places.own(events, active)
                reached = Coordinates(at.file, events[-1].end) if events else at
                if not errant:
                    self._read = reached
                at = reached if len(events) == EVENTS else None
        return tuple(errant)

    @staticmethod
    def _is_there(logs: Sequence[LogFile], place: Coordinates) -> bool:
        return any(each.name == place.file and each.size >= place.position for each in logs)
