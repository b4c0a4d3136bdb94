"""The roles of semi-synchronous replication: the active waits for acknowledgements, the standby gives them.

With both roles on both, the standby's own applier waits for acknowledgements of a dead source: draining takes the
whole time-out. And a source without a replica makes its first commits wait out that time-out, so the active takes its
role only while somebody is there: the number of semi-synchronous replicas is counted also while the role is off
(tried on MariaDB 10.11).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pyvrrp.core.effects import Level
from pyvrrp.mysql.server import Server
from pyvrrp.mysql.status import Picture, Replication

LOOK: Final = 1.0  # seconds for each statement
ALONE: Final = 1.0  # seconds without a replica; one that only connects anew is waited for
ROLES: Final = 10.0  # seconds between two restarts of an IO thread that does not acknowledge


async def lead(server: Server, picture: Picture, within: float, *, alone: bool = False) -> str:
    """The role of an active server; what was changed, "" when nothing had to be. `alone`: whoever is connected, nobody
    acknowledges."""
    now = picture.semi_sync
    wanted = now.clients > 0 and not alone
    if now.names is None or (now.source, now.replica) == (wanted, False):
        return ""
    await server.ask(server.work, *now.names.roles(source=wanted, replica=False), within=within)
    if now.source == wanted:
        return ""
    return "commits wait for the other node from now on" if wanted else "commits no longer wait: no replica is there"


async def follow(server: Server, picture: Picture, within: float) -> None:
    """The role of a standby. A source learns of it when the IO thread begins."""
    now = picture.semi_sync
    if now.names is not None and (now.source, now.replica) != (False, True):
        await server.ask(server.work, *now.names.roles(source=False, replica=True), within=within)


def is_silent(picture: Picture, replication: Replication | None) -> bool:
    """Whether it receives without acknowledging: its IO thread began before it had the role."""
    now = picture.semi_sync
    receives = replication is not None and replication.io == "Yes"
    return receives and now.names is not None and now.replica and not now.acknowledging


async def restart(server: Server, replication: Replication | None, within: float) -> None:
    """Begin to receive anew. What was received is kept, as it is applied meanwhile."""
    if replication is None or not replication.sql:
        return
    spoken = await server.dialect(within)
    statements = spoken.stop_io(replication.channel), spoken.start_io(replication.channel)
    await server.ask(server.work, *statements, within=within)


class Roles:
    """Keeps a server in the role that its side of the pair has, unless they are somebody else's; `say` is told."""

    def __init__(self, server: Server, say: Callable[[Level, str], None], *, ours: bool) -> None:
        self._server = server
        self._say = say
        self._ours = ours
        self._tried = -ROLES
        self._fallbacks: int | None = None
        self._alone_since: float | None = None

    async def lead(self, picture: Picture, *, alone: bool) -> None:
        """It is active. `alone`: the other one's agent says that its server is dead, or hangs."""
        self._notice_fallbacks(picture)
        if self._ours:
            self._note(await lead(self._server, picture, LOOK, alone=alone))

    async def release(self, picture: Picture | None, now: float, *, alone: bool) -> None:
        """It is active: commits that wait although nobody is there any more are let go.

        What else the server is asked waits behind them. `picture` is how it was seen last.
        """
        if not self._ours or picture is None or picture.semi_sync.names is None or not picture.semi_sync.source:
            return
        if not alone and await self._server.acknowledging(LOOK):
            self._alone_since = None
            return
        if self._alone_since is None:
            self._alone_since = now - ALONE if alone else now
        if now - self._alone_since < ALONE:
            return
        roles = picture.semi_sync.names.roles(source=False, replica=False)
        await self._server.ask(self._server.gate, *roles, within=LOOK)
        self._note("commits no longer wait: no replica is there")
        self._alone_since = now  # so often at most, should its picture not come

    async def follow(self, picture: Picture) -> None:
        """It is a standby, and about to replicate: its source counts it from then on."""
        if self._ours:
            await follow(self._server, picture, LOOK)

    async def have_it_acknowledge(self, picture: Picture, replication: Replication | None, now: float) -> None:
        """It is a standby that replicates: now and then its IO thread is begun anew if it must be."""
        if not self._ours or now - self._tried < ROLES or not is_silent(picture, replication):
            return
        self._tried = now
        await restart(self._server, replication, LOOK)
        self._note("acknowledges what it receives from now on")

    def _notice_fallbacks(self, picture: Picture) -> None:
        """Commits that no longer wait for the standby are acknowledged without being there."""
        before, self._fallbacks = self._fallbacks, picture.semi_sync.fallbacks
        if before is not None and picture.semi_sync.fallbacks > before and picture.semi_sync.source:  # else it was us
            self._say(Level.WARNING, "semi-sync: fallen back to asynchronous, the standby did not acknowledge in time")

    def _note(self, change: str) -> None:
        if change:
            self._say(Level.INFO, f"semi-sync: {change}")
