"""Which transactions a server has, as the server says it: positions and binlog states of MariaDB, sets of MySQL.

Each class has `parse` and `str`; `covers(other)`: everything in `other` is in this; and `beyond(other)`: what is in
this and not in `other`, as texts of ranges ("0-1-1926..1930", "3e11fa47-…:5-9"), empty exactly when `other` covers it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

MARIA: Final = re.compile(r"(\d+)-(\d+)-(\d+)", re.ASCII)
UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TAG: Final = re.compile(r"[a-z_][a-z0-9_]{0,31}")
INTERVAL: Final = re.compile(r"(\d+)(?:-(\d+))?", re.ASCII)
GAP: Final = re.compile(r"(\d+):(\d+)\.\.(\d+)", re.ASCII)
MARIA_RANGE: Final = re.compile(r"(\d+)-\d+-(\d+)(?:\.\.(\d+))?", re.ASCII)
RANGE: Final = re.compile(rf"\d+-\d+-(\d+)(?:\.\.(\d+))?|{UUID.pattern}(?::{TAG.pattern})?:(\d+)(?:-(\d+))?", re.ASCII)

SHOWN: Final = 5  # ranges in a sentence; all of them are in the data
LEFT_OUT: Final = 1_000_000  # numbers of transactions in a gap; more than a disk may lose

UINT32: Final = 2**32 - 1
UINT64: Final = 2**64 - 1
LAST: Final = 2**63 - 2  # MySQL's GNO_END is one more


class Gtid(NamedTuple):
    """One transaction of MariaDB's. Sequence numbers rise within a domain, whichever server they are from."""

    domain: int
    server: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.domain}-{self.server}-{self.sequence}"


@dataclass(frozen=True, slots=True)
class MariaPosition:
    """The last transaction of each domain: gtid_slave_pos, gtid_binlog_pos, Gtid_IO_Pos. By domain."""

    gtids: tuple[Gtid, ...] = ()

    @classmethod
    def parse(cls, text: str) -> MariaPosition:
        """A position. Raises ValueError."""
        gtids = tuple(sorted(_gtids(text)))
        twice = _repeated(gtid.domain for gtid in gtids)
        if twice is not None:
            raise ValueError(f"{text!r} names domain {twice} twice: no position does")
        return cls(gtids)

    def __str__(self) -> str:
        return ",".join(map(str, self.gtids))

    def covers(self, other: MariaPosition) -> bool:
        """Per domain this is at least as far as `other`."""
        return not other.beyond(self)

    def beyond(self, other: MariaPosition) -> tuple[str, ...]:
        """Per domain how far this is ahead. The same sequence number from another server is another transaction."""
        theirs = {gtid.domain: gtid for gtid in other.gtids}
        return tuple(_range(gtid, _last(gtid, theirs.get(gtid.domain))) for gtid in self.gtids if _ahead(gtid, theirs))


@dataclass(frozen=True, slots=True)
class BinlogState:
    """The last transaction of each server in each domain: gtid_binlog_state. Within a domain the newest is the last."""

    gtids: tuple[Gtid, ...] = ()

    @classmethod
    def parse(cls, text: str) -> BinlogState:
        """A binlog state. Raises ValueError."""
        gtids = tuple(sorted(_gtids(text), key=lambda gtid: gtid.domain))
        twice = _repeated(sorted(gtid[:2] for gtid in gtids))
        if twice is not None:
            raise ValueError(f"{text!r} names server {twice[1]} twice in domain {twice[0]}: no binlog state does")
        return cls(gtids)

    def __str__(self) -> str:
        return ",".join(map(str, self.gtids))

    @property
    def position(self) -> MariaPosition:
        """The newest of each domain: gtid_binlog_pos."""
        return MariaPosition(tuple({gtid.domain: gtid for gtid in self.gtids}.values()))

    def newest(self, domain: int) -> int:
        """The highest sequence number of a domain, 0 for none."""
        return max((gtid.sequence for gtid in self.gtids if gtid.domain == domain), default=0)

    def last_of(self, domain: int, server: int) -> int:
        """The sequence number of a server's last transaction in a domain, 0 for none."""
        return self._sequences().get((domain, server), 0)

    def joined(self, position: MariaPosition) -> BinlogState:
        """What also has everything up to `position`: a server cloned from another has its gtid_slave_pos from it, and
        no binlog yet."""
        known = self._sequences()
        more = [gtid for gtid in position.gtids if known.get(gtid[:2], -1) < gtid.sequence]
        replaced = {gtid[:2] for gtid in more}
        kept = [gtid for gtid in self.gtids if gtid[:2] not in replaced]
        reached = {gtid.domain: gtid.sequence for gtid in sorted(kept, key=lambda gtid: gtid.sequence)}
        # What was replicated before this log began is not the newest.
        older = [gtid for gtid in more if gtid.sequence < reached.get(gtid.domain, 0)]
        newer = [gtid for gtid in more if gtid not in older]
        return BinlogState(tuple(sorted((*older, *kept, *newer), key=lambda gtid: gtid.domain)))

    def covers(self, other: BinlogState, *, ordered: bool = False) -> bool:
        """Per domain and server this is at least as far as `other`; see `beyond`."""
        return not other.beyond(self, ordered=ordered)

    def beyond(self, other: BinlogState, *, ordered: bool = False, known: Collection[str] = ()) -> tuple[str, ...]:
        """Per domain and server how far this is ahead.

        A range begins after the newest transaction of its domain that both are known to have: between the last two of
        one server there may be those of others. `ordered`: both have always had gtid_strict_mode, so that whoever has
        a transaction has all before it, also those of a server that its own binlog state does not name; where it does
        name it, with less, there is a hole. `known`: ranges that were found ahead before. They stay ahead until `other`
        has them or this has not: gtid_strict_mode may have been off, and whatever was executed after them hides them.
        """
        begun = dict(map(_begin, known))
        theirs = other._sequences()
        forks = self._forks(theirs)
        ahead = []
        for gtid in sorted(self.gtids):
            fork, theirs_last = forks[gtid.domain], theirs.get(gtid[:2], 0)
            first = begun.get(f"{gtid.domain}-{gtid.server}", UINT64)
            hidden = ordered and gtid[:2] not in theirs and gtid.sequence <= fork
            if gtid.sequence <= theirs_last or (hidden and gtid.sequence < first):
                continue
            after = fork if fork < gtid.sequence else theirs_last
            ahead.append(_range(gtid, max(after, first - 1) if first <= gtid.sequence else after))
        return tuple(ahead)

    def within(self, gap: str) -> tuple[str, ...]:
        """What this has of the numbers that another server has left out, each as a range; see Gap."""
        left_out = Gap.parse(gap)
        mine = (gtid for gtid in self.gtids if gtid.domain == left_out.domain)
        return tuple(_range(gtid, left_out.after) for gtid in mine if left_out.after < gtid.sequence < left_out.before)

    def gone_from(self, other: BinlogState, server_id: int) -> tuple[str, ...]:
        """What this has of that server's transactions and `other`, that server itself, has not: a replica never gets
        its own. Where `other` names none of its own, it has those up to its position."""
        theirs, reached = other._sequences(), {gtid.domain: gtid.sequence for gtid in other.position.gtids}
        mine = (gtid for gtid in self.gtids if gtid.server == server_id)
        last = ((gtid, theirs.get(gtid[:2], reached.get(gtid.domain, 0))) for gtid in mine)
        return tuple(_range(gtid, after) for gtid, after in last if after < gtid.sequence)

    def is_past(self, text: str) -> bool:
        """Whether it is beyond a range of `beyond` in its domain: what it lacks of that does not come any more."""
        match = MARIA_RANGE.fullmatch(text)
        reached = {gtid.domain: gtid.sequence for gtid in self.position.gtids}
        return match is not None and reached.get(int(match[1]), 0) >= int(match[3] or match[2])

    def has_any(self, text: str) -> bool:
        """Whether it names a transaction of a range of `beyond`, or a later one of the same server."""
        head, first = _begin(text)
        return any(f"{gtid.domain}-{gtid.server}" == head and gtid.sequence >= first for gtid in self.gtids)

    def _sequences(self) -> Mapping[tuple[int, ...], int]:
        return {gtid[:2]: gtid.sequence for gtid in self.gtids}

    def _forks(self, theirs: Mapping[tuple[int, ...], int]) -> Mapping[int, int]:
        """Per domain the newest sequence number that both are known to have, 0 when there is none."""
        forks: dict[int, int] = {}
        for gtid in self.gtids:
            both = min(gtid.sequence, theirs.get(gtid[:2], 0))
            forks[gtid.domain] = max(both, forks.get(gtid.domain, 0))
        return forks


class Gap(NamedTuple):
    """Numbers of a domain that no transaction of a server has: those between these two."""

    domain: int
    after: int
    before: int

    @classmethod
    def parse(cls, text: str) -> Gap:
        """What str gives. Raises ValueError."""
        match = GAP.fullmatch(text)
        gap = cls(*map(int, match.groups())) if match is not None else None
        if gap is None or gap.after >= gap.before:
            raise ValueError(f"{text!r} is no gap between transactions")
        return gap

    def __str__(self) -> str:
        return f"{self.domain}:{self.after}..{self.before}"


class Source(NamedTuple):
    """Whose transactions: a server's UUID, and the tag under which it numbered them (MySQL 8.3 and later), else ""."""

    uuid: str
    tag: str = ""

    def __str__(self) -> str:
        return f"{self.uuid}:{self.tag}" if self.tag else self.uuid


Interval = tuple[int, int]  # both ends belong to it


@dataclass(frozen=True, slots=True)
class GtidSet:
    """Transactions of MySQL's: gtid_executed, Retrieved_Gtid_Set. By source; intervals neither touch nor overlap."""

    sources: tuple[tuple[Source, tuple[Interval, ...]], ...] = ()

    @classmethod
    def parse(cls, text: str) -> GtidSet:
        """A set, with the line breaks that MySQL prints in it. Raises ValueError."""
        found: dict[Source, list[Interval]] = {}
        if text.strip():
            for part in text.split(","):
                for source, interval in _tagged(part.strip().lower(), text):
                    found.setdefault(source, []).append(interval)
        return cls(tuple((source, _merged(found[source])) for source in sorted(found)))

    def __str__(self) -> str:
        by_uuid = itertools.groupby(self.sources, key=lambda item: item[0].uuid)
        return ",".join(uuid + "".join(map(_part, items)) for uuid, items in by_uuid)

    @property
    def count(self) -> int:
        """How many transactions."""
        return sum(last - first + 1 for _, intervals in self.sources for first, last in intervals)

    def covers(self, other: GtidSet) -> bool:
        """Every transaction of `other` is in this."""
        return not other.beyond(self)

    def beyond(self, other: GtidSet) -> tuple[str, ...]:
        """The intervals that are in this and not in `other`."""
        theirs = dict(other.sources)
        return tuple(
            f"{source}:{_interval(interval)}"
            for source, intervals in self.sources
            for interval in _without(intervals, theirs.get(source, ()))
        )

    def gone_from(self, other: GtidSet, uuid: str) -> tuple[str, ...]:
        """What this has of the transactions of the server with that UUID, and `other`, that server itself, has not."""
        mine = GtidSet(tuple((source, intervals) for source, intervals in self.sources if source.uuid == uuid.lower()))
        return mine.beyond(other)


def count(ranges: Iterable[str]) -> int:
    """How many transactions the texts of `beyond` stand for; of MariaDB's at most, as other servers' lie between."""
    total = 0
    for text in ranges:
        match = RANGE.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no range of transactions")
        first, last = match[1] or match[3], match[2] or match[4]
        total += int(last or first) - int(first) + 1
    return total


def counted(ranges: tuple[str, ...]) -> str:
    """ "5 transactions"; what is between two places of a log cannot be counted, nor what numbers left out are among."""
    try:
        number = count(ranges)
    except ValueError:
        return "a part of the log"
    if number >= LEFT_OUT:
        return "transactions"
    return f"{number} transaction{'' if number == 1 else 's'}"


def listed(ranges: tuple[str, ...]) -> str:
    more = len(ranges) - SHOWN
    return ", ".join(ranges[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def merged(ranges: Iterable[str]) -> tuple[str, ...]:
    """The same transactions, each once; what is no range of transactions stays as it is."""
    found: dict[str, list[Interval]] = {}
    places: dict[str, None] = {}
    for text in ranges:
        match = RANGE.fullmatch(text)
        if match is None:
            places[text] = None
            continue
        group = 1 if match[1] else 3
        first, last = int(match[group]), int(match[group + 1] or match[group])
        found.setdefault(text[: match.start(group)], []).append((first, last))
    joined = (
        f"{head}{first}" if first == last else f"{head}{first}{'..' if head.endswith('-') else '-'}{last}"
        for head, intervals in found.items()
        for first, last in _merged(intervals)
    )
    return (*joined, *places)


# --- MariaDB ----------------------------------------------------------------------------------------------------------


def _gtids(text: str) -> Iterator[Gtid]:
    for part in text.split(",") if text.strip() else ():
        match = MARIA.fullmatch(part.strip())
        gtid = Gtid(*map(int, match.groups())) if match else None
        if gtid is None or max(gtid.domain, gtid.server) > UINT32 or gtid.sequence > UINT64:
            raise ValueError(f"{part.strip()!r} in {text!r} is not a GTID of MariaDB's (domain-server-sequence)")
        yield gtid


def _repeated(ordered: Iterable[Any]) -> Any:
    return next((one for one, other in itertools.pairwise(ordered) if one == other), None)


def _ahead(gtid: Gtid, theirs: Mapping[int, Gtid]) -> bool:
    other = theirs.get(gtid.domain)
    if other is None or gtid.sequence != other.sequence:
        return other is None or gtid.sequence > other.sequence
    return gtid.server != other.server


def _last(gtid: Gtid, other: Gtid | None) -> int:
    return 0 if other is None else min(other.sequence, gtid.sequence - 1)


def _begin(text: str) -> tuple[str, int]:
    """Whose a range is, and its first sequence number: `0-1-1926..1930` → `0-1`, 1926."""
    match = RANGE.fullmatch(text)
    return (text[: match.start(1) - 1], int(match[1])) if match and match[1] else ("", 0)


def _range(gtid: Gtid, after: int) -> str:
    first = after + 1
    return str(gtid) if first >= gtid.sequence else f"{gtid.domain}-{gtid.server}-{first}..{gtid.sequence}"


# --- MySQL ------------------------------------------------------------------------------------------------------------


def _tagged(part: str, text: str) -> Iterator[tuple[Source, Interval]]:
    """The intervals of `uuid:1-5:7:tag:1-3`: those after a tag are the tag's."""
    uuid, *rest = (word.strip() for word in part.split(":"))
    if not UUID.fullmatch(uuid) or not rest or TAG.fullmatch(rest[-1]):
        raise ValueError(f"{part!r} in {text!r} is not a GTID of MySQL's (uuid:first-last)")
    tag = ""
    for word in rest:
        if TAG.fullmatch(word):
            tag = word
        else:
            yield Source(uuid, tag), _parsed(word, text)


def _parsed(word: str, text: str) -> Interval:
    match = INTERVAL.fullmatch(word)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= LAST:
        raise ValueError(f"{word!r} in {text!r} is not an interval of transactions")
    return first, last


def _merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    merged: list[Interval] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def _without(intervals: Iterable[Interval], taken: Iterable[Interval]) -> Iterator[Interval]:
    """What is left of `intervals`; both in order."""
    for first, last in intervals:
        begin = first
        for other_first, other_last in taken:
            if other_last < begin or other_first > last:
                continue
            if begin < other_first:
                yield begin, other_first - 1
            begin = other_last + 1
        if begin <= last:
            yield begin, last


def _part(item: tuple[Source, tuple[Interval, ...]]) -> str:
    source, intervals = item
    return "".join(f":{word}" for word in (source.tag, *map(_interval, intervals)) if word)


def _interval(interval: Interval) -> str:
    first, last = interval
    return str(first) if first == last else f"{first}-{last}"
