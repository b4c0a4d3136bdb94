"""The database server of a simulated machine: it lives and dies apart from the agent that asks it to open and close."""

from __future__ import annotations

from dataclasses import dataclass

from pyvrrp.core.effects import CloseWrites, OpenWrites
from pyvrrp.core.events import DatabaseReport, Event, WritesClosed, WritesOpened, WritesRefused

DEAD = "the server does not answer"
BEHIND = "the server lags behind"


@dataclass(slots=True)
class Server:
    """`open`: it takes writes. `opens` and `closes` are how many seconds it takes to do so.

    `asked` is what an agent asked last, None while there was nobody to ask; `refused` whether it would not.
    """

    alive: bool = True
    open: bool = False
    opens: float = 0.02
    closes: float = 0.02
    refuses: bool = False  # to be opened
    clings: bool = False  # never closes, and never answers that
    lags: bool = False  # speaks against being opened
    refused: bool = False
    takes: float = 0.0  # what was asked last
    asked: OpenWrites | CloseWrites | None = None

    def ask(self, asked: OpenWrites | CloseWrites) -> float:
        """It is told what to do; how many seconds that takes."""
        self.asked, self.refused = asked, False
        self.takes = self.opens if isinstance(asked, OpenWrites) else self.closes
        return self.takes

    @property
    def slowness(self) -> float:
        """Seconds that closing it takes at most, now or as it was asked."""
        return max(self.closes, self.takes)

    @property
    def fit(self) -> bool:
        """Whether it can be opened now."""
        return self.alive and not self.refuses and not self.lags

    def report(self, instance: str) -> DatabaseReport:
        """What an agent would find out about it."""
        return DatabaseReport(instance, () if self.alive else (DEAD,), (BEHIND,) if self.lags else ())

    def die(self) -> None:
        """Nothing can be written any more."""
        self.alive = self.open = False

    def recover(self) -> None:
        """It is as it should be; it starts closed, and what it did not do it does."""
        self.open &= self.alive and not isinstance(self.asked, CloseWrites)
        self.alive, self.refuses, self.clings, self.lags = True, False, False, False

    def answer(self, asked: OpenWrites | CloseWrites) -> Event | None:
        """Its time is over: what was asked is done, unless something else was asked since."""
        if asked is not self.asked:
            return None
        if isinstance(asked, OpenWrites):
            if not self.alive or self.refuses:
                self.refused = True
                return WritesRefused(asked.instance, asked.term, DEAD if not self.alive else "it would not")
            self.open = True
            return WritesOpened(asked.instance, asked.term, "nothing was missing")
        if self.clings and self.alive:
            return None
        self.open = False
        return WritesClosed(asked.instance, asked.term, "nobody writes" if self.alive else DEAD)
