"""The writes of one server: closed, by force if that is allowed, and lent to a switchover that may give them back.

Who opens them says so here, and the watch writes heartbeats while they are open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pyvrrp.core.effects import Level
from pyvrrp.core.settings import DatabaseSettings
from pyvrrp.mysql.closing import Closed, close
from pyvrrp.mysql.failure import DatabaseError
from pyvrrp.mysql.probe import Watch
from pyvrrp.mysql.server import Server
from pyvrrp.mysql.verdict import Verdict, Word

AT_ONCE: Final = 0.1  # seconds of the time for closing that are left for killing the server: then the address goes
GONE: Final = frozenset({Word.HUNG, Word.DOWN})


@dataclass(slots=True)
class InVain:
    """Since when it could not be closed, and whether it hung, or was down, then or later."""

    since: float
    gone: bool = False


class Writes:
    """`lent`: closed for a switchover, while the order to have them open stands."""

    def __init__(
        self, server: Server, watch: Watch, settings: DatabaseSettings, say: Callable[[Level, str], None]
    ) -> None:
        self.settings = settings
        self.lent = False
        self._server = server
        self._watch = watch
        self._say = say
        self._in_vain: InVain | None = None

    def judged(self, verdict: Verdict) -> None:
        """The watch says this of the server now."""
        if self._in_vain is not None and verdict.word in GONE:
            self._in_vain.gone = True

    def are_open(self) -> None:
        """They were opened."""
        self.lent = False
        self._in_vain = None
        self._watch.writing = self.settings.probe.write

    def are_to_close(self) -> None:
        """A heartbeat under way stands in the way of read_only."""
        self._watch.writing = False
        self._in_vain = None

    async def are_closed(self, *, was_open: bool) -> bool:
        """They have not been open since they were closed: its clients read, and are left alone."""
        if was_open or self._watch.latest.word in GONE:
            return False
        try:
            return await self._server.read_only(self.settings.demote.timeout / 2)
        except DatabaseError:
            return False

    def why_open(self, *, could_not_be_closed: bool) -> str:
        """How it is that a server that is not active was found open; asked before it is closed. One that hung when it
        was left has woken up."""
        if not could_not_be_closed:
            self._in_vain = None  # of another time
            return "somebody has opened the writes of a server that is not active"
        now, could_not = asyncio.get_running_loop().time(), "its writes could not be closed when that was ordered"
        if self._in_vain is None:
            return could_not
        if self._in_vain.gone:
            seconds = now - self._watch.latest.since
            return f"{could_not}; it answers again, and has been open for {seconds * 1e3:.0f} ms since"
        return f"{could_not}, {(now - self._in_vain.since) * 1e3:.0f} ms ago"

    async def lend(self, within: float) -> Closed:
        """Close them for a switchover. Raises nothing."""
        self.lent = True
        self._watch.writing = False
        return await self.close(within, still=True, by_force=False)

    async def take_back(self, within: float) -> None:
        """Open what was lent. Raises DatabaseError."""
        await self._server.set_writable(within)
        self.are_open()

    async def close(self, within: float, *, still: bool, by_force: bool = True, again: bool = False) -> Closed:
        """Close them, `by_force` too if it does not let itself be asked and that is allowed. Raises nothing.

        `again`: that was tried just now, in vain.
        """
        closed = await self._closed(within, still=still, by_force=by_force, again=again)
        if not closed.complete and self._in_vain is None:
            now = asyncio.get_running_loop().time()
            self._in_vain = InVain(now, gone=self._watch.latest.word in GONE)
        return closed

    async def _closed(self, within: float, *, still: bool, by_force: bool, again: bool) -> Closed:
        demote, verdict = self.settings.demote, self._watch.latest
        forcible = by_force and demote.on_failure == "kill-server"
        if verdict.word is Word.DOWN and verdict.conclusive:
            return Closed(complete=True, trouble=f"nothing can write: it {verdict.evidence}")
        if verdict.word is Word.HUNG:
            closed = Closed(complete=False, trouble=f"it {verdict.evidence}")
        elif not demote.read_only:
            return Closed(complete=False, trouble="demote.read_only is false")
        else:
            closed = await close(
                self._server,
                within=max(within - AT_ONCE, within / 2) if forcible else within,
                kill=demote.kill_sessions,
                keep=self.settings.keep_users,
                own=self._watch.severed,
                still=still,
                again=again,
            )
        if closed.complete or not forcible:
            return closed
        return self._kill_server(closed)

    def _kill_server(self, closed: Closed) -> Closed:
        if not self._watch.kill():
            return Closed(complete=False, killed=closed.killed, trouble=f"{closed.trouble}; its process is not known")
        self._say(Level.WARNING, f"mysqld was killed: {closed.trouble}")
        return Closed(complete=True, killed=closed.killed, trouble=f"mysqld was killed: {closed.trouble}")
