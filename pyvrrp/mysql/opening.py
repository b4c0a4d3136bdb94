"""Opening a server's writes: all that was received is applied first, and one write is proved at the end.

In this order, as each step makes the next one true: nothing more is received (else there is no end to what is to be
applied), everything is applied, nothing more is applied (what a returning source has alone must not come in), then
read_only goes.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Final

from pyvrrp.core.settings import PromoteSettings
from pyvrrp.errors import PyvrrpError
from pyvrrp.mysql import divergence, plan
from pyvrrp.mysql.failure import DatabaseError
from pyvrrp.mysql.gtid import LEFT_OUT, BinlogState, Gap, GtidSet
from pyvrrp.mysql.server import Server
from pyvrrp.mysql.status import Coordinates, Picture, Replication, SemiSync

ANSWER: Final = 1.0  # seconds for one statement, and for draining when it is forced to go on
REST: Final = 0.3  # seconds without anything new from a living source that has more
FIRST_LOOK, LAST_LOOK = 0.002, 0.05  # seconds between two looks at how far it is
ACCESS_DENIED: Final = 1227  # for want of a privilege that is named

Position = BinlogState | GtidSet | Coordinates


class RefusedError(PyvrrpError):
    """The server is not fit to be opened."""


@dataclass(frozen=True, slots=True)
class Opened:
    """It takes writes. `missing`: transactions that it is known not to have, and goes on without; `gap`: the numbers
    that it has left out (see Gap), "" for none."""

    detail: str
    missing: tuple[str, ...] = ()
    gap: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """How it is to be opened. `semi_sync`: its own; its roles are touched if `roles`.

    `complete`: it was the last active one itself, or has all that the other one has: nothing had to be received.
    `last`: the last position of the active one that is known. `alive`: that one answers, so that more may come from it;
    `safe`: it was closed in good order and may be opened again, so that nothing need be lost. `used`: the highest known
    number of a transaction; `fallen_back`: what it had itself when it was opened last, and has no more.
    """

    promote: PromoteSettings
    channel: str = ""
    forced: bool = False
    complete: bool = False
    last: Position | None = None
    alive: bool = False
    safe: bool = False
    semi_sync: SemiSync = field(default_factory=SemiSync)
    roles: bool = True
    used: int = 0
    fallen_back: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether it is rather not opened than without something."""
        return not self.forced and self.promote.require == "applied" and self.promote.otherwise == "hold"


async def open_writes(server: Server, wish: Wish) -> Opened:
    """Open it. Raises RefusedError, DatabaseError; then its writes are to be closed again, as they may be open."""
    return await _Opening(server, wish).run()


class _Opening:
    def __init__(self, server: Server, wish: Wish) -> None:
        self._server = server
        self._wish = wish
        self._loop = asyncio.get_running_loop()
        self._marked = self._loop.time()
        self._steps: list[str] = []
        self._missing: list[str] = []

    async def run(self) -> Opened:
        picture = await self._server.glance(ANSWER)
        replication = _channel(picture, self._wish.channel)
        idle = replication is None or (self._wish.complete and replication.io == "No" and not replication.sql)
        if replication is not None and not idle and self._wish.promote.require != "none":
            replication = await self._receive_the_rest(replication)
            await self._lay_down_roles()
            await self._stop_receiving(replication)
            picture, replication = await self._drain()
        self._compare(picture, replication)
        if replication is not None and replication.sql:
            await self._command("stop_sql", replication)
        gap = await leave_out(self._server, picture, self._wish.used)
        if gap is None and isinstance(picture.gtids, BinlogState):
            self._steps.append("its numbers go on from where they were: its account lacks BINLOG REPLAY")
        await self._server.set_writable(ANSWER)
        self._mark("opened")
        await self._server.prove(picture.server_id, ANSWER)
        self._mark("a write proved")
        return Opened(", ".join(self._steps), tuple(self._missing), str(gap or ""))

    async def _receive_the_rest(self, replication: Replication) -> Replication:
        """A source that was closed in good order still sends: what it had in the end is waited for while more comes."""
        patience = REST if self._wish.alive else LAST_LOOK  # of a dead one only what has already arrived here
        deadline, before = self._loop.time() + patience, ""
        while self._wish.last is not None and replication.io == "Yes" and replication.sql:
            picture = await self._server.glance(ANSWER)
            replication = _channel(picture, self._wish.channel) or replication
            if not beyond(self._wish.last, picture, replication):
                break
            now = _progress(replication)
            if now != before:
                before, deadline = now, self._loop.time() + patience
            if self._loop.time() >= deadline:
                break
            await asyncio.sleep(FIRST_LOOK)
        return replication

    async def _lay_down_roles(self) -> None:
        """As a source its own applier would wait for acknowledgements."""
        now = self._wish.semi_sync
        if self._wish.roles and now.names is not None and (now.source or now.replica):
            statements = now.names.roles(source=False, replica=False)
            await self._server.ask(self._server.work, *statements, within=ANSWER)

    async def _stop_receiving(self, replication: Replication) -> None:
        if replication.io != "Yes":  # it connects: nothing comes, and it may not hear that it should stop
            return
        try:
            if self._wish.alive or not self._wish.semi_sync.replica or not await self._server.end_io(ANSWER):
                await self._command("stop_io", replication)
        except DatabaseError as error:
            self._steps.append(f"receiving could not be stopped: {error}")

    async def _drain(self) -> tuple[Picture, Replication | None]:
        """Until all that was received is applied, as long as it goes forward."""
        patience = ANSWER if self._wish.forced else self._wish.promote.apply_timeout
        deadline = self._loop.time() + patience
        pause, before = FIRST_LOOK, ""
        ended = self._loop.time() + LAST_LOOK  # a thread that was told to end still writes down what it has in hand
        while True:
            picture = await self._server.glance(ANSWER)
            replication = _channel(picture, self._wish.channel)
            found = plan.drained(replication)
            ending = replication is not None and replication.io == "Yes" and self._loop.time() < ended
            if found.state is plan.Drain.DONE and not ending:
                self._mark("what was received is applied")
                return picture, replication
            now = _progress(replication) if replication is not None else ""
            if now != before and not self._wish.forced:
                before, deadline = now, self._loop.time() + patience
            if found.state is plan.Drain.STUCK or self._loop.time() >= deadline:
                waited = "" if found.state is plan.Drain.STUCK else f", without progress for {patience:g} s"
                self._objection(found.detail + waited + await hindrance(self._server, ANSWER), found.missing)
                return picture, replication
            await asyncio.sleep(pause)
            pause = min(pause * 2, LAST_LOOK)

    def _compare(self, picture: Picture, replication: Replication | None) -> None:
        """Everything that the active one is known to have had is here. What died with it is named, and gone."""
        if self._wish.fallen_back:
            self._note(f"older than when it was opened last: {_listed(self._wish.fallen_back)}", self._wish.fallen_back)
        lost = beyond(self._wish.last, picture, replication)
        reason = f"{_listed(lost)} of the last active server never came here"
        if lost and self._wish.safe:
            self._objection(f"{reason}, and it could go on", lost)
        elif lost:
            self._note(reason, lost)

    def _objection(self, reason: str, missing: tuple[str, ...] = ()) -> None:
        """What keeps it from being opened, unless it is to be opened all the same."""
        self._note(reason, missing)
        if self._wish.holds:
            raise RefusedError(reason)

    def _note(self, reason: str, missing: tuple[str, ...]) -> None:
        self._missing += [each for each in missing if each not in self._missing]
        self._steps.append(reason)

    async def _command(self, name: str, replication: Replication) -> None:
        spoken = await self._server.dialect(ANSWER)
        statement: str = getattr(spoken, name)(replication.channel)
        await self._server.ask(self._server.work, statement, within=ANSWER)

    def _mark(self, step: str) -> None:
        now = self._loop.time()
        self._steps.append(f"{step} in {(now - self._marked) * 1000:.0f} ms")
        self._marked = now


async def hindrance(server: Server, within: float) -> str:
    """What the applier waits for, where the server says so: ` ("Waiting for backup lock")`. Raises nothing."""
    with contextlib.suppress(DatabaseError):
        return "".join(f' ("{each}")' for each in await server.applier_waits(within))
    return ""


async def leave_out(server: Server, picture: Picture, used: int) -> Gap | None:
    """Write one heartbeat with a number far beyond `used`, before any client writes. Raises DatabaseError.

    Its disk may have lost its last transactions, which another server has: what it writes now must not pass for them.
    None where numbers cannot be left out: MySQL has no way but to name each transaction, and an account may lack the
    privilege.
    """
    gap = _gap(picture, used)
    if gap is None:
        return None
    try:
        await server.prove(picture.server_id, ANSWER, gap)
    except DatabaseError as error:
        if error.number != ACCESS_DENIED:
            raise
        return None
    return gap


def _gap(picture: Picture, used: int) -> Gap | None:
    if not isinstance(picture.gtids, BinlogState):
        return None
    last = picture.gtids.newest(picture.domain)
    return Gap(picture.domain, last, max(last, used) + LEFT_OUT)


def beyond(last: Position | None, picture: Picture, replication: Replication | None) -> tuple[str, ...]:
    """What a server with this position had, and this one has not, as ranges; nothing when it cannot be said."""
    if picture.gtids is None:  # then both are places in the other one's binary log
        return divergence.loss(replication.executed if replication is not None else None, last)
    return divergence.loss(picture.gtids, last, ordered=picture.ordered)


def _progress(replication: Replication) -> str:
    one = replication
    return f"{one.received} {one.read} {one.applied} {one.executed}"


def _channel(picture: Picture, name: str) -> Replication | None:
    return next((each for each in picture.replications if each.channel == name), None)


def _listed(ranges: tuple[str, ...]) -> str:
    return ", ".join(ranges[:5]) + (f" and {len(ranges) - 5} more" if len(ranges) > 5 else "")
