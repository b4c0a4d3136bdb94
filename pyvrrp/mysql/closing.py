"""Closing a server's writes: read_only, client sessions killed, until nothing can write and nothing moves.

read_only is not instantaneous: somebody's LOCK TABLES or a running statement holds it up, and while it waits new
writers wait behind it. So it is tried shortly, everybody is killed, and it is tried again, for longer: a killed
transaction that is large rolls back for seconds. Once it has taken effect, everybody who is connected is killed, and
only these must be gone: who connects later begins under read_only, and a client that always comes back is no reason to
wait. Nor is one that may not be killed, where super_read_only stops it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.server import NOT_TO_BE_KILLED, Server
from pyvrrp.mysql.status import Process

FIRST: Final = 0.02  # seconds for the first try: what holds it up longer is a session, and those are killed next
AGAIN: Final = 0.05  # at least, for each later one
PART: Final = 0.5  # of the time that is left, for each later one: between two tries writers get through
PAUSE: Final = 0.002  # seconds; a killed session needs a moment to go
STABLE: Final = 0.01  # seconds between two looks at the position
NAMED: Final = 4  # accounts of killed sessions that are named
MAY_NOT: Final = "left that the agent's account may not kill"
HOPELESS: Final = frozenset({Kind.REFUSED, Kind.DENIED, Kind.UNABLE})


@dataclass(frozen=True, slots=True)
class Closed:
    """How it went. `complete`: nothing can write, and the position stood still; else `trouble` says why not.

    Where something else was done than that, or nothing had to be, `trouble` says it too. `spared` are the sessions that
    live, as the agent's account may not kill them.
    """

    complete: bool
    killed: tuple[str, ...] = ()  # account@host of each
    spared: tuple[str, ...] = ()
    seconds: float = 0.0
    position: str = ""
    trouble: str = ""

    def __str__(self) -> str:
        done = self.trouble or f"closed in {self.seconds * 1000:.0f} ms"
        said = [done if self.complete else f"not closed: {self.trouble}"]
        if self.killed:
            said.append(_listed(self.killed, "killed"))
        if self.spared:
            stopped = ", which super_read_only stops" if self.complete else ""
            said.append(_listed(self.spared, MAY_NOT) + stopped)
        return ", ".join(said)


async def close(
    server: Server,
    *,
    within: float,
    kill: bool = True,
    keep: Sequence[str] = (),
    own: int | None = None,
    still: bool = True,
    again: bool = False,
) -> Closed:
    """Close it, or do as much of it as can be done in `within` seconds. Raises nothing.

    `kill`: sessions, but those of the accounts in `keep`; `own` is one of the agent's that is in the way in any case.
    `still`: its position is to stand still (a replica's moves). `again`: an earlier one has killed everybody, in vain.
    """
    closing = _Closing(server, within, kill=kill, keep=keep, own=own, again=again)
    return await closing.run(still=still)


class _Closing:
    def __init__(
        self, server: Server, within: float, *, kill: bool, keep: Sequence[str], own: int | None, again: bool
    ) -> None:
        self._server = server
        self._own = own
        self._kill = kill
        self._keep = frozenset(keep)
        self._again = again
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._deadline = self._began + within
        self._killed: dict[int, str] = {}
        self._spared: dict[int, str] = {}
        self._doomed: frozenset[int] | None = None  # who was connected when read_only had taken effect

    async def run(self, *, still: bool) -> Closed:
        trouble = ""
        while self._left() > 0:
            try:
                if self._doomed is None:
                    await self._shut()
                staying = await self._staying()
                if not staying and await self._is_shut():
                    position = await self._standing_still() if still else await self._server.position(self._left())
                    return self._result(complete=True, position=position)
                trouble = (
                    f"{staying} of its sessions were killed and have not gone" if staying else "it was opened again"
                )
            except DatabaseError as error:
                if self._left() > 0 or not trouble:  # what held it up says more than that time was over
                    trouble = str(error)
                if error.kind in HOPELESS:
                    break
            await asyncio.sleep(PAUSE)
        return self._result(complete=False, trouble=trouble or "no time was left")

    async def _shut(self) -> None:
        """read_only is set; when a session holds it up, everybody has been killed and it can be tried again."""
        left = self._left()
        limit = min(max(AGAIN, left * PART) if self._killed or self._again else FIRST, left)
        try:
            await self._server.set_read_only(limit, self._left())
        except DatabaseError as error:
            if error.kind not in HOPELESS:
                await self._expel()
            raise

    async def _staying(self) -> int:
        """How many are still there of those who were there when read_only had taken effect."""
        if self._doomed is None:
            self._doomed = frozenset([each.id for each in await self._expel()])
            return len(self._doomed)
        return len(await self._expel(self._doomed)) if self._doomed else 0

    async def _is_shut(self) -> bool:
        """Whether read_only is still set; if not, everybody who has come since may have written."""
        if await self._server.read_only(self._left()):
            return True
        self._doomed = None
        return False

    async def _expel(self, only: frozenset[int] | None = None) -> list[Process]:
        """Kill the clients, or `only` these; who of them is going."""
        if self._own is not None:
            await self._server.kill([self._own], self._left())
        if not self._kill:
            return []
        clients = [each for each in await self._server.clients(self._left()) if each.user not in self._keep]
        clients = [each for each in clients if only is None or each.id in only]
        spared = await self._server.kill([each.id for each in clients], self._left())
        going = [each for each in clients if each.id not in spared]
        self._killed |= {each.id: _account(each) for each in going}
        left = {each.id: _account(each) for each in clients if each.id in spared}
        if left and not (await self._server.dialect(self._left())).super_read_only:
            text = f"{_listed(tuple(left.values()), MAY_NOT)}: read_only may not be enough"
            raise DatabaseError(Kind.SQL, NOT_TO_BE_KILLED, text)
        self._spared = left if only is None else self._spared
        return going

    async def _standing_still(self) -> str:
        """The position, when two looks in a row see the same."""
        before, moving = await self._server.position(self._left()), ""
        while True:
            await asyncio.sleep(STABLE)
            try:
                after = await self._server.position(self._left())
            except DatabaseError as error:
                raise DatabaseError(error.kind, error.number, moving or str(error)) from None
            if after == before:
                return after
            before, moving = after, f"its position does not stand still: {after}"

    def _left(self) -> float:
        return self._deadline - self._loop.time()

    def _result(self, *, complete: bool, position: str = "", trouble: str = "") -> Closed:
        return Closed(
            complete,
            tuple(self._killed.values()),
            tuple(self._spared.values()),
            self._loop.time() - self._began,
            position,
            trouble,
        )


def _listed(accounts: Sequence[str], what: str) -> str:
    """`3 sessions killed (2 of app@192.0.2.1, 1 of job@localhost)`."""
    counted = Counter(accounts).most_common()
    named = [f"{number} of {account}" for account, number in counted[:NAMED]]
    more = [f"{len(counted) - NAMED} accounts more"] if len(counted) > NAMED else []
    return f"{len(accounts)} session{'' if len(accounts) == 1 else 's'} {what} ({', '.join(named + more)})"


def _account(session: Process) -> str:
    return f"{session.user}@{_host(session.host)}"


def _host(text: str) -> str:
    """Without the port: `192.0.2.1:4711`; IPv6 addresses have a port behind their last colon, too."""
    host, colon, port = text.rpartition(":")
    return host if colon and port.isdigit() else text
