"""The other server of the pair, as far as it is known: from its agent's word, and from asking it over `peer`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from pyvrrp.core.settings import Account
from pyvrrp.mysql import divergence
from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.opening import Position
from pyvrrp.mysql.published import Published
from pyvrrp.mysql.server import Server
from pyvrrp.mysql.status import Coordinates, Picture, understood

DEAD: Final = frozenset({"DOWN", "HUNG"})  # verdicts of a server that nobody can write to
SEEN: Final = 3.0  # seconds for which the other one is as it was seen last
ALIVE: Final = frozenset({"UP", "READ_ONLY", "OVERLOADED"})
FRESH: Final = 2.0  # seconds for which the agent's word is believed without asking the server itself
ON_THE_WAY: Final = 0.1  # seconds that the agent's word may have been
ASK: Final = 1.0  # seconds between two questions to it
PATIENCE: Final = 0.5  # seconds for all of a look at it


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen at the time `at`. `open`: its writes are, `closed`: its agent keeps them closed; `verdict` is that
    one's, too, and `against` what it says keeps it from taking over.

    `position`: all that it had at a time that is no earlier than `since`, None when that is not known.
    """

    at: float
    since: float
    open: bool
    position: Position | None
    by_agent: bool
    verdict: str = ""
    closed: bool = False
    against: tuple[str, ...] = ()
    ordered: bool = False  # gtid_strict_mode
    was_last: str = ""  # whether its agent believes that it was active last
    paused: bool = False
    lent: bool = False  # closed for a switchover, while it counts as open
    server_id: int = 0
    gaps: tuple[str, ...] = ()  # numbers of transactions that it has left out
    writer: str = ""  # what its own transactions are numbered under


class Other:
    """`seen` is what was seen last. `last`: its last known position since its writes were open, for as long as no other
    server's have been; `known`: the last one of all. `beat`: how far its own heartbeat was: it goes on while its writes
    are open, and with each opening. `left`: its agent has closed a server that is well, and it has stayed so."""

    def __init__(self, account: Account | None) -> None:
        self._server = Server(account) if account is not None else None
        self._asked = 0.0
        self._answered = False
        self._node = ""
        self._serves = False
        self._fell_back = False
        self.left = False
        self.seen: Sight | None = None
        self.last: Position | None = None
        self.known: Position | None = None
        self.beat = 0
        self.trouble = ""

    def told(self, published: Published, now: float) -> None:
        """Its agent's word. Raises ValueError: a position that is none."""
        position = understood(published.flavour, published.position) if published.flavour else None
        since = now - published.age - ON_THE_WAY
        self.beat = published.beat or self.beat
        self._node = published.node
        self._note_leaving(published)
        seen = Sight(
            now,
            since,
            published.writes == "open",
            position,
            True,
            published.verdict,
            published.writes == "closed",
            published.against,
            published.ordered,
            published.was_last,
            published.paused,
            published.lent,
            published.server_id,
            published.gaps,
            published.writer,
        )
        self._take(seen, published.writes)

    async def ask(self, now: float) -> None:
        """Ask the server itself, unless its agent has spoken or it was asked just now."""
        if self._server is not None and not self.told_within(FRESH, now) and now - self._asked >= ASK:
            await self._ask(self._server.look, now, PATIENCE)

    async def ask_at_once(self, now: float, within: float) -> None:
        """Ask the server itself what matters for an opening; that it does not answer is no error."""
        if self._server is not None:
            await self._ask(self._server.glance, now, within)

    async def picture(self, within: float) -> Picture:
        """How the server itself is now. Raises DatabaseError."""
        if self._server is None:
            raise DatabaseError(Kind.SQL, 0, "`peer` is not configured")
        return await self._server.look(within)

    async def _ask(self, look: Callable[[float], Awaitable[Picture]], now: float, within: float) -> None:
        self._asked = now
        try:
            picture = await look(within)
        except DatabaseError as error:
            self.trouble, self._answered = str(error), False
            return
        self.trouble, self._answered = "", True
        position = picture.gtids if picture.gtids is not None else picture.binlog
        own = picture.beat_of(picture.server_id)
        self.beat = own.number if own is not None else self.beat
        seen = Sight(
            now,
            now,
            not picture.read_only,
            position,
            False,
            ordered=picture.ordered,
            server_id=picture.server_id,
            writer=picture.writer,
            gaps=self.seen.gaps if self.seen is not None else (),  # its agent's word: the server itself does not know
        )
        self._take(seen, "closed" if picture.read_only else "open")

    @property
    def name(self) -> str:
        """What its agent calls itself, or where it is."""
        return self._node or (self._server.account.host if self._server is not None else "") or "the other node"

    @property
    def known_gtids(self) -> Position | None:
        """Its last known position, where that says the same on both servers."""
        return None if isinstance(self.known, Coordinates) else self.known

    @property
    def server_id(self) -> int:
        """Of its server; 0 while that is not known."""
        return self.seen.server_id if self.seen is not None else 0

    @property
    def tried(self) -> bool:
        """Whether it was seen, or nobody can see it."""
        return self._server is None or self.seen is not None or bool(self.trouble)

    def told_within(self, seconds: float, now: float) -> bool:
        """Whether its agent spoke so lately."""
        return self.seen is not None and self.seen.by_agent and now - self.seen.at < seconds

    def told_closed(self, now: float) -> bool:
        """Whether its agent has just said that its writes are closed: then its last position is known."""
        return self.seen is not None and self.told_within(FRESH, now) and self.seen.closed

    def told_dead(self, now: float) -> bool:
        """Whether its agent has just said that its server is dead, or hangs."""
        return self.seen is not None and self.told_within(FRESH, now) and self.seen.verdict in DEAD

    def told_open(self, now: float) -> bool:
        """Whether its agent has just said that its writes are open."""
        return self.seen is not None and self.told_within(FRESH, now) and self.seen.open

    def could_go_on(self, now: float) -> bool:
        """Whether it has just been closed in good order: a server that lives, and an agent that may open it again."""
        return self.told_closed(now) and self.seen is not None and self.seen.verdict in ALIVE and not self._fell_back

    def answers(self, now: float) -> bool:
        """Whether what it has may still come from it: not once its agent says that it is dead."""
        lately = self._answered and now - self._asked < FRESH
        return self.could_go_on(now) or (lately and not self.told_dead(now))

    def judged(self) -> None:
        """This server's writes are open: what the other one once had has been judged."""
        self.last, self._fell_back = None, False

    def close(self) -> None:
        """Let go of it."""
        if self._server is not None:
            self._server.close()

    def _note_leaving(self, published: Published) -> None:
        """One that was closed because it failed has not left in good order, though it be well again."""
        alive = published.verdict in ALIVE
        if published.writes == "open" or not alive:
            self._serves, self.left = alive and published.writes == "open", False
        elif published.writes == "closed" and self._serves:
            self._serves, self.left = False, True

    def _take(self, sight: Sight, writes: str) -> None:
        # A closed one's is its last as active if it was open before: what it gets later it gets from here. One that has
        # less by now was reset, or its disk was: what it had counts, and does not come from it any more.
        if sight.position is not None and (writes in {"open", "closing"} or self.last is not None):
            before = None if isinstance(self.last, Coordinates) else self.last
            self._fell_back = writes != "open" and bool(divergence.loss(sight.position, before))
            self.last = self.last if self._fell_back else sight.position
        self.known = sight.position or self.known
        self.seen = sight
