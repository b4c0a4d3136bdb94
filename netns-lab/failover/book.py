"""What the writers were told, and what follows from it alone. Pure.

Times are monotonic seconds. A write was somewhere between `sent` and `at`.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from typing import Final

PAUSE: Final = 1.0  # seconds without a row after which nobody can say that a server was open all the time


@dataclass(frozen=True, slots=True)
class Ack:
    """A row that the server with this id said to be committed. `server` 0 and `gtid` "" where that was not told."""

    writer: int
    seq: int
    sent: float
    at: float
    server: int
    gtid: str

    @property
    def key(self) -> tuple[int, int]:
        """What makes the row unique."""
        return self.writer, self.seq


@dataclass(frozen=True, slots=True)
class Failed:
    """A row that was not acknowledged. `number` is the server's error; 0 without an answer: it may be there or not."""

    writer: int
    seq: int
    sent: float
    at: float
    number: int = 0

    @property
    def key(self) -> tuple[int, int]:
        """What makes the row unique."""
        return self.writer, self.seq


@dataclass(frozen=True, slots=True)
class Run:
    """Rows that one server acknowledged without a pause. It was open for certain from `opened` (the first row's answer
    had come) until `closed` (the last row was sent), and at some moment between `sent` and `at` if there is one alone.
    """

    server: int
    sent: float
    opened: float
    closed: float
    at: float

    def since(self, moment: float) -> Run:
        """The same, in seconds since then."""
        return Run(self.server, *(each - moment for each in (self.sent, self.opened, self.closed, self.at)))


@dataclass(frozen=True, slots=True)
class Book:
    """All that the writers were told, in the order in which they were told.

    `silent`: attempts to connect that nobody answered in time. A client that is less impatient waits a whole second
    then, until its kernel tries again.
    """

    acks: tuple[Ack, ...] = ()
    failed: tuple[Failed, ...] = ()
    silent: tuple[Failed, ...] = ()

    @property
    def unknown(self) -> tuple[Failed, ...]:
        """The rows that may be there or not."""
        return tuple(each for each in self.failed if each.number == 0)

    def gap(self, begin: float, end: float) -> float:
        """The longest time without an acknowledgement of which a part lies between two moments."""
        times = sorted(ack.at for ack in self.acks)
        before = max((at for at in times if at <= begin), default=begin)
        after = min((at for at in times if at >= end), default=end)
        points = [before, *(at for at in times if before < at < after), after]
        return max((later - earlier for earlier, later in itertools.pairwise(points)), default=0.0)

    def first(self, server: int, since: float) -> Ack | None:
        """The first row that this server committed and whose writer began later than `since`."""
        return min(
            (ack for ack in self.acks if ack.server == server and ack.sent > since),
            key=lambda ack: ack.at,
            default=None,
        )

    def only(self, writers: Container[int]) -> Book:
        """What these writers were told."""
        return Book(
            tuple(each for each in self.acks if each.writer in writers),
            tuple(each for each in self.failed if each.writer in writers),
            tuple(each for each in self.silent if each.writer in writers),
        )

    def runs(self) -> tuple[Run, ...]:
        """Which server took writes when, in the order in which they began."""
        last: dict[int, Run] = {}
        found: list[Run] = []
        for ack in sorted(self.acks, key=lambda ack: ack.sent):
            run = last.get(ack.server)
            if run is None or ack.sent > run.at + PAUSE:
                if run is not None:
                    found.append(run)
                last[ack.server] = Run(ack.server, ack.sent, ack.at, ack.sent, ack.at)
            else:
                last[ack.server] = replace(run, opened=min(run.opened, ack.at), closed=ack.sent, at=max(run.at, ack.at))
        return tuple(sorted((run for run in (*found, *last.values()) if run.server), key=lambda run: run.sent))

    def dual(self) -> float:
        """For how many seconds two servers took writes beside each other, as far as their acknowledgements tell."""
        return sum(_beside(*both) for both in itertools.combinations(self.runs(), 2))


def _beside(first: Run, second: Run) -> float:
    """The seconds for which both were open. Where one of them lies within the other, all of its own."""
    if first.server == second.server:
        return 0.0
    for inner, outer in ((first, second), (second, first)):
        if outer.opened <= inner.sent and inner.at <= outer.closed:
            return inner.at - inner.sent
    return max(0.0, min(first.closed, second.closed) - max(first.opened, second.opened))


def parse(lines: Sequence[str]) -> Book:
    """The writers' own lines."""
    acks: list[Ack] = []
    failed: list[Failed] = []
    silent: list[Failed] = []
    for line in lines:
        word, writer, seq, sent, at, *rest = line.split()
        place = int(writer), int(seq), float(sent), float(at)
        if word == "ack":
            server, gtid = rest
            acks.append(Ack(*place, int(server) if server != "-" else 0, "" if gtid == "-" else gtid))
        else:
            (silent if word == "silent" else failed).append(Failed(*place, *map(int, rest)))
    return Book(tuple(acks), tuple(failed), tuple(silent))
