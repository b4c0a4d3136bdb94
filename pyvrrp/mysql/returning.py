"""A server that is not active is compared with the active one; what follows from that is done, or said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pyvrrp.core.effects import Level
from pyvrrp.mysql import divergence, rejoining
from pyvrrp.mysql.comparing import ByPlace
from pyvrrp.mysql.other import Other
from pyvrrp.mysql.server import Server
from pyvrrp.mysql.standing import Standing
from pyvrrp.mysql.status import Picture

STOP: Final = 1.0  # seconds to stop receiving
LOGS: Final = 1.0  # seconds for the names of its binary logs


class Returning:
    """What it found is in its standing. `say` takes lines for the log; `acknowledges`: it gets that role before it
    follows, where its server has it."""

    def __init__(
        self,
        server: Server,
        other: Other,
        standing: Standing,
        say: Callable[[Level, str], None],
        *,
        acknowledges: bool,
    ) -> None:
        self._acknowledges = acknowledges
        self._server = server
        self._other = other
        self._by_place = ByPlace(server, other)
        self._standing = standing
        self._say = say

    async def compare(self, picture: Picture, now: float) -> None:
        """Compare with the active one; after each occasion, once, follow it when nothing is here that it has not."""
        standing, seen = self._standing, self._other.seen
        if standing.was_reset:  # it would begin with the active one's first transaction
            standing.compared = None
            return
        if picture.gtids is None:
            await self._compare_by_place(picture, now)
            return
        before, at = standing.compared or (picture, now)
        if seen is None or not seen.open or seen.since <= at or seen.position is None:
            standing.compared = before, at
            return
        standing.compared = picture, now
        found = divergence.rejoin(
            before,
            standing.replication,
            seen.position,
            ordered=seen.ordered,
            known=standing.errant,
            writer=seen.writer,
            gaps=seen.gaps,
            acknowledges=self._acknowledges and picture.semi_sync.names is not None,
        )
        await self._judge(picture, found, now, unmoved=before.gtids == picture.gtids)

    async def _compare_by_place(self, picture: Picture, now: float) -> None:
        standing, seen = self._standing, self._other.seen
        if seen is not None and seen.open:
            found = await self._by_place.compare(picture, standing.replication, now, urgent=standing.to_rejoin)
            if found is not None:
                await self._judge(picture, found, now, unmoved=True)

    async def _judge(self, picture: Picture, found: divergence.Rejoin, now: float, *, unmoved: bool) -> None:
        """Do what follows from the comparison."""
        standing = self._standing
        if standing.errant and not found.errant:
            standing.to_rejoin = True  # it was made a copy again
        news = found.errant != standing.errant
        standing.memory.change(errant=found.errant)
        if found.errant and news:
            await self._tell_of_errant(picture, found)
        if found.errant:
            await self._end_receiving()
        if found.decision is divergence.Return.ALREADY:
            standing.to_rejoin = False
        elif found.decision is divergence.Return.UNKNOWN and found.reason != standing.unknown:
            self._say(Level.WARNING, f"does not replicate: {found.reason}")
        standing.unknown = found.reason if found.decision is divergence.Return.UNKNOWN else ""
        if found.decision is divergence.Return.START and unmoved and standing.to_rejoin:
            await self._follow_active(found.reason, now)

    async def _follow_active(self, why: str, now: float) -> None:
        standing = self._standing
        replication = standing.replication
        if replication is None:
            return
        await rejoining.follow(self._server, replication)
        standing.follows(now)
        self._say(Level.NOTICE, f"replicates from {replication.source}: {why}")

    async def _end_receiving(self) -> None:
        """What it acknowledged, semi-synchronously, would be where nobody goes on with it."""
        replication = self._standing.replication
        if replication is not None and replication.io != "No":
            spoken = await self._server.dialect(STOP)
            await self._server.ask(self._server.work, spoken.stop_io(replication.channel), within=STOP)

    async def _tell_of_errant(self, picture: Picture, found: divergence.Rejoin) -> None:
        self._say(Level.ERROR, f"DIVERGED: {found.reason}; nothing is done about them, the operator decides")
        logs = await self._server.logs(LOGS)
        self._say(Level.ERROR, f"this shows them: {rejoining.showing(picture, found.errant, logs)}")
