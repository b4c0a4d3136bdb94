"""Was anything lost? What the writers were told, against what the servers have. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from failover.book import Ack, Book


@dataclass(frozen=True, slots=True)
class Row:
    """A row as a server has it. `server` is the id of the one that committed it first."""

    id: int
    writer: int
    seq: int
    server: int

    @property
    def key(self) -> tuple[int, int]:
        """What the writer knows it by."""
        return self.writer, self.seq


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a trial's rows.

    `lost`: acknowledged, and not on the server that is active now. `unreported`: those of them whose GTID is known and
    in no range that an agent named. `phantoms`: on the other server only. `invented`: rows that nobody wrote.
    `duplicates`: numbers given to different rows on both.
    """

    acknowledged: int
    unknown: int
    refused: int
    lost: tuple[Ack, ...]
    unreported: tuple[Ack, ...]
    phantoms: tuple[Row, ...]
    invented: tuple[Row, ...]
    duplicates: tuple[int, ...]
    dual: float


def judge(book: Book, active: Sequence[Row], other: Sequence[Row], reported: Iterable[str]) -> Verdict:
    """Weigh a trial: the rows of the active and of the other server, and the ranges of GTIDs that agents named."""
    here = {row.key for row in active}
    written = {ack.key for ack in book.acks} | {row.key for row in book.failed}
    lost = tuple(ack for ack in book.acks if ack.key not in here)
    ranges = [found for text in reported for found in _ranges(text)]
    by_number = {row.id: row.key for row in active}
    return Verdict(
        acknowledged=len(book.acks),
        unknown=len(book.unknown),
        refused=len(book.failed) - len(book.unknown),
        lost=lost,
        unreported=tuple(ack for ack in lost if ack.gtid and not _within(ack.gtid, ranges)),
        phantoms=tuple(row for row in other if row.key not in here),
        invented=tuple(row for row in active if row.key not in written),
        duplicates=tuple(row.id for row in other if by_number.get(row.id, row.key) != row.key),
        dual=book.dual(),
    )


Range = tuple[str, int, int]  # domain and server, first and last number

_RANGE = re.compile(r"\b(\d+-\d+)-(\d+)(?:\.\.(\d+))?\b")


def _ranges(text: str) -> Iterable[Range]:
    """The ranges in a sentence: "0-1-17..20", or a GTID alone."""
    for source, first, last in _RANGE.findall(text):
        yield source, int(first), int(last or first)


def _within(gtid: str, ranges: Iterable[Range]) -> bool:
    return any(
        source == where and first <= number <= last
        for where, number, _ in _ranges(gtid)
        for source, first, last in ranges
    )
