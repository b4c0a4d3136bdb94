"""The writes of the database behind a virtual router: open on the MASTER alone, and never before what was received is
applied, never after the address has gone to another node.

      CLOSED ──OpenWrites──▶ OPENING ──WritesOpened──▶ OPEN ──CloseWrites──▶ CLOSING ──WritesClosed──▶ CLOSED
         ▲                      │                                             ▲  │
         └────WritesRefused─────┘        a MASTER that leaves on purpose ─────┘  └── its time is over: CLOSED

UNASKED becomes CLOSED with the first thing that is known, in INIT already: an earlier daemon may have left it open.
A MASTER that leaves at once goes from OPENING or OPEN to CLOSED: the address does not wait for the server. Without a
database nothing is asked for, and the stage is OPEN for good.
"""

from __future__ import annotations

import enum

from pyvrrp.core import const
from pyvrrp.core.effects import CloseWrites, Effect, OpenWrites, RefuseConnections, ResetConnections
from pyvrrp.core.settings import Account, InstanceSettings


class Stage(enum.Enum):
    """What was asked of the server last, and whether it has answered; UNASKED until the first time."""

    UNASKED = "unasked"
    CLOSED = "closed"
    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"


class Terms:
    """The numbers of what is asked: of all instances together, so that one that comes back has higher ones."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        """The next one."""
        self._last += 1
        return self._last


class Writes:
    """Of one virtual router. `until` is when a server that is being closed is not waited for any more."""

    __slots__ = ("_refused_as", "_term", "_terms", "stage", "until")

    def __init__(self, settings: InstanceSettings, terms: Terms) -> None:
        self.stage = Stage.OPEN if settings.database is None else Stage.UNASKED
        self.until: float | None = None
        self._term, self._terms = 0, terms
        self._refused_as = ""  # the name under which new connections to the addresses are answered with a reset

    @property
    def open(self) -> bool:
        """Whether clients may be let in."""
        return self.stage is Stage.OPEN

    @property
    def opening(self) -> bool:
        """Whether a MASTER's addresses are still to come."""
        return self.stage is Stage.OPENING

    def bound(self, settings: InstanceSettings) -> float:
        """Seconds that closing may take."""
        return settings.database.demote.timeout + const.CLOSE_MARGIN if settings.database is not None else 0.0

    def current(self, term: int) -> bool:
        """Whether an answer is about what was asked last."""
        return term == self._term

    def awaits_opening(self, term: int) -> bool:
        """Whether an answer is the one that the addresses wait for."""
        return term == self._term and self.stage is Stage.OPENING

    def may_be_refused(self, term: int) -> bool:
        """Whether a refusal is about clients that are let in, or are about to be: one may come after a reload, too."""
        return term == self._term and self.stage in (Stage.OPENING, Stage.OPEN)

    def begin_open(self, settings: InstanceSettings, *, forced: bool = False) -> list[Effect]:
        """A MASTER has begun."""
        if settings.database is None:
            return []
        self._term, self.stage, self.until = self._terms.next(), Stage.OPENING, None
        return [OpenWrites(settings.name, self._term, forced)]

    def opened(self) -> list[Effect]:
        """The server takes writes, and so clients."""
        self.stage = Stage.OPEN
        return self._admit()

    def begin_close(self, settings: InstanceSettings, reason: str, now: float) -> list[Effect]:
        """A MASTER is about to leave: nobody may write, and nobody new may come in."""
        self._term, self.stage, self.until = self._terms.next(), Stage.CLOSING, now + self.bound(settings)
        self._refused_as = settings.name
        refused = RefuseConnections(settings.name, tuple(each.address for each in settings.held))
        return [CloseWrites(settings.name, self._term, reason), refused]

    def leave(self, settings: InstanceSettings) -> list[Effect]:
        """The closed server's addresses are left to the successor, but still here: whoever is connected comes anew."""
        if settings.database is None:
            return []
        self.stage, self.until = Stage.CLOSED, None
        return [ResetConnections(tuple(each.address for each in settings.held))]

    def close(self, settings: InstanceSettings, reason: str) -> list[Effect]:
        """It is not MASTER, however that came; the server is told unless it has been."""
        if settings.database is None:
            return []
        before, self.stage, self.until = self.stage, Stage.CLOSED, None
        if before in (Stage.CLOSED, Stage.CLOSING):
            return []
        self._term = self._terms.next()
        return [CloseWrites(settings.name, self._term, reason)]

    def over(self) -> list[Effect]:
        """The addresses are not here any more: nobody need be refused."""
        return self._admit()

    def follow(self, before: InstanceSettings, settings: InstanceSettings, *, master: bool) -> list[Effect]:
        """A reload brought a database, took it away, or put another in its place. `master`: and it is to be open."""
        if _server(before) == _server(settings):
            return []
        if settings.database is None:
            self.stage, self.until = Stage.OPEN, None
            return self._admit()
        self.stage = Stage.UNASKED
        return self.begin_open(settings) if master else self.close(settings, "it has come with the configuration")

    def inherit(self, before: Writes) -> None:
        """An earlier life's refusals are lifted by this one."""
        self._refused_as, before._refused_as = before._refused_as, ""

    def _admit(self) -> list[Effect]:
        name, self._refused_as = self._refused_as, ""
        return [RefuseConnections(name, ())] if name else []


def _server(settings: InstanceSettings) -> tuple[str, Account] | None:
    """Who is asked: the shell knows a server by its instance's name."""
    return (settings.name, settings.database.account) if settings.database is not None else None
