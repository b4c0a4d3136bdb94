"""A server's part in a planned switchover. The active one's writes are closed before anything is handed over, and may
be opened again; the target's has to have everything by then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pyvrrp.mysql import plan
from pyvrrp.mysql.errands import Errands
from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.opening import beyond, hindrance
from pyvrrp.mysql.server import Server
from pyvrrp.mysql.standing import Standing
from pyvrrp.mysql.status import Picture, Replication, understood
from pyvrrp.mysql.verdict import Verdict
from pyvrrp.mysql.writes import Writes

LOOK: Final = 1.0  # seconds for a look
PLANNED: Final = 15.0  # seconds for which a takeover is expected after a switchover's question
HINDRANCE: Final = 0.2  # seconds for what the applier waits for
LAST_LOOK: Final = 0.2  # seconds for what is missing in the end
PAUSE: Final = 0.005  # seconds between two looks at how far it is


@dataclass(frozen=True, slots=True)
class SteppedDown:
    """Its writes are closed for a switchover: all that it has, sessions killed, seconds that it took."""

    position: str
    killed: int
    seconds: float


class Handover:
    """Both ends of it. `is_open` says whether the last order is to have writes open, and was carried out."""

    def __init__(
        self,
        server: Server,
        writes: Writes,
        standing: Standing,
        errands: Errands,
        latest: Callable[[], Verdict],
        is_open: Callable[[], bool],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = server
        self._writes = writes
        self._standing = standing
        self._errands = errands
        self._latest = latest
        self._is_open = is_open

    async def survey(self) -> Picture:
        """The server as it is now. Raises DatabaseError."""
        return await self._server.look(LOOK)

    # --- the active one -----------------------------------------------------------------------------------------------

    async def objections(self) -> tuple[str, ...]:
        """What of this server, as the active one, speaks against a switchover. Raises DatabaseError."""
        clients, ages = await self._server.clients(LOOK), await self._server.transactions(LOOK)
        active = plan.Active(self._latest(), tuple(clients), ages, self._writes.settings.keep_users)
        found = plan.objections(active, ())
        if (await self._server.look(LOOK)).has:
            return found
        return (*found, "the active node: it has no position that the other one could reach (log_bin is off)")

    async def step_down(self, within: float) -> SteppedDown:
        """Close writes while the order to have them open stands. Raises DatabaseError; then they are open again."""
        down: list[SteppedDown] = []

        async def errand() -> None:
            self._standing.lent = True
            closed = await self._writes.lend(within)
            if not closed.complete or not closed.position:  # without it nobody can say what the other one must have
                await self._reopen()
                raise DatabaseError(Kind.SQL, 0, str(closed))
            down.append(SteppedDown(closed.position, len(closed.killed), closed.seconds))

        if not self._is_open():
            raise DatabaseError(Kind.SQL, 0, "its writes are not open")
        await self._errands.have_done(errand)
        return down[0]

    async def step_back(self) -> None:
        """Open again what step_down closed. Raises DatabaseError."""

        async def errand() -> None:
            if self._is_open() and self._writes.lent:
                await self._reopen()

        await self._errands.have_done(errand)

    async def _reopen(self) -> None:
        await self._writes.take_back(LOOK)
        self._standing.writes, self._standing.lent = "open", False

    # --- the target ---------------------------------------------------------------------------------------------------

    def as_target(self) -> tuple[str, ...]:
        """What keeps this server from being a switchover's target: what was ordered is no failover by itself."""
        return self._standing.against(self._loop.time(), ordered=True)

    def called_off(self) -> None:
        """The switchover that has asked this one is over, and this one was not told to take over."""
        self._standing.called_off()

    async def reach(self, position: str, within: float) -> None:
        """Wait until all of that is applied here. Raises DatabaseError."""
        now = self._loop.time()
        deadline = now + within
        self._standing.expect(now + PLANNED)
        while True:
            picture = await self._server.glance(max(deadline - self._loop.time(), LAST_LOOK))
            missing = _missing(picture, position, self._standing.replication)
            if not missing:
                return
            if self._loop.time() >= deadline:
                why = await hindrance(self._server, HINDRANCE)
                raise DatabaseError(Kind.TIMED_OUT, 0, f"{', '.join(missing)} not applied in {within:g} s{why}")
            await asyncio.sleep(PAUSE)


def _missing(picture: Picture, position: str, known: Replication | None) -> tuple[str, ...]:
    """What of the active one's position is not here, as ranges; `known` is the channel from it, as it was."""
    flavour = picture.flavour
    try:
        wanted = understood(flavour, position)
    except ValueError as error:
        raise DatabaseError(Kind.SQL, 0, str(error)) from None
    channel = known.channel if known is not None else ""
    return beyond(wanted, picture, next((each for each in picture.replications if each.channel == channel), None))
