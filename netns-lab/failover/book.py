"""What the writers were told, and what follows from it alone. Pure.

Times are monotonic seconds. A write was somewhere between `sent` and `at`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass


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

    def dual(self) -> float:
        """For how long two servers took writes beside each other, where the writes moved once at most.

        From the moment the second server had acknowledged a row until the last one was sent that the first
        acknowledged: only what is certain.
        """
        by_server: dict[int, list[Ack]] = {}
        for ack in self.acks:
            if ack.server:
                by_server.setdefault(ack.server, []).append(ack)
        if len(by_server) < 2:
            return 0.0
        old, new = sorted(by_server.values(), key=lambda acks: min(ack.at for ack in acks))[:2]
        return max(0.0, max(ack.sent for ack in old) - min(ack.at for ack in new))


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
