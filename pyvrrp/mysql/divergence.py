"""Two servers compared: what one has alone, what it has lost, and whether it may replicate from the other. Pure.

The sentences go on after the name of a node, as those of `plan`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from pyvrrp.mysql.gtid import BinlogState, GtidSet, counted, listed, merged
from pyvrrp.mysql.status import Coordinates, Picture, Replication, between

Place = BinlogState | GtidSet | Coordinates | None

MIXED: Final = "one of the two servers replicates by GTID, and the other one by file and position"


class Return(enum.Enum):
    """What a standby does about its replication."""

    START = "start"
    ALREADY = "already"
    DIVERGED = "diverged"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Rejoin:
    """`errant`: what it has and the active has not. `reason` is a sentence."""

    decision: Return
    reason: str
    errant: tuple[str, ...] = ()


def rejoin(
    own: Picture,
    replication: Replication | None,
    active: Place,
    *,
    ordered: bool = False,
    known: tuple[str, ...] = (),
    writer: str = "",
    gaps: Iterable[str] = (),
    acknowledges: bool = False,
) -> Rejoin:
    """Whether a server that is not active may replicate from the one that is.

    `active` is what that one has, and must have been asked for after `own`: meanwhile it writes. `ordered`: it has
    gtid_strict_mode too; `writer`: what its own transactions are numbered under, `gaps`: the numbers that it has left
    out. `known`: what was found errant before.
    Errant transactions are never skipped: whoever replicates beyond them hides them. `acknowledges`: it does so as a
    semi-synchronous replica.
    """
    errant = _errant(own, active, ordered=ordered, known=known)
    if isinstance(errant, str):
        return Rejoin(Return.UNKNOWN, errant)
    reused = (each for each in known if _is_of(each, writer) and _has_logged(own, each))
    alone = (each for gap in gaps if isinstance(own.gtids, BinlogState) for each in own.gtids.within(gap))
    errant = merged((*errant, *reused, *alone))
    lost = gone(own, active)
    if lost and not errant and not (acknowledges and comes_back(own, lost)):
        return Rejoin(Return.UNKNOWN, not_sent_back(lost))
    found = _returning(replication, errant)
    return replace(found, reason=sent_back(lost)) if lost and found.decision is Return.START else found


def gone(own: Picture, other: Place) -> tuple[str, ...]:
    """What was written on this server, is on the other one and is here no more, as ranges: its host lost power, or it
    was brought back from an older state. With GTIDs alone."""
    match own.gtids, other:
        case BinlogState() as mine, BinlogState() as theirs:
            return theirs.gone_from(mine, own.server_id)
        case GtidSet() as mine, GtidSet() as theirs:
            return theirs.gone_from(mine, own.uuid)
        case _:
            return ()


def comes_back(own: Picture, lost: tuple[str, ...]) -> bool:
    """A MariaDB that acknowledges, semi-synchronously, takes back what is its own; tried on 10.11."""
    mine = own.gtids
    return isinstance(mine, BinlogState) and not any(mine.is_past(each) for each in lost)


def not_sent_back(lost: tuple[str, ...]) -> str:
    """Why a server does not follow the active one, which has what is gone from here."""
    return f"{_gone(lost)}: no replica gets its own back, it has to be made a copy of the other node again"


def sent_back(lost: tuple[str, ...]) -> str:
    """The same of one that follows, and acknowledges."""
    return f"{_gone(lost)}: the active server sends them back"


def written_here(lost: tuple[str, ...], other: str) -> str:
    """Why a server that was active last is not opened: `lost` is what is gone from it, and `other` has."""
    return (
        f"{_gone(lost)}, and {other} has them: that one is to be active, or `pyvrrpctl promote --force` gives them up"
    )


def fallen_back(lost: tuple[str, ...], other: str) -> str:
    """Why a server that was active last, and is older than it was then, is not opened: `lost` is what it had."""
    return (
        f"its server is older than when it was active last: what it had is gone, {listed(lost)}; it waits for {other},"
        " which may have that, or for `pyvrrpctl promote --force`"
    )


def _gone(lost: tuple[str, ...]) -> str:
    return f"{counted(lost)} that were written here are here no more: {listed(lost)}"


def _is_of(errant: str, writer: str) -> bool:
    """Whether a range bears the active server's own name. That one reaches the number again with other transactions,
    and gives nothing back with that."""
    if not writer:
        return False
    return errant.startswith(f"{writer}:") or errant.split("-")[1:2] == [writer]


def _has_logged(own: Picture, errant: str) -> bool:
    """Whether it still is in this server's own log. A copy of another server has begun a new one."""
    match own.logged:
        case BinlogState() as state:
            return state.has_any(errant)
        case GtidSet() as executed:
            return not GtidSet.parse(errant).beyond(executed)
        case _:
            return False


def rejoin_by_place(replication: Replication | None, active: Picture, errant: tuple[str, ...]) -> Rejoin:
    """The same without GTIDs. `errant`: the parts of its binary log that the active server has not executed.

    Places are right only as long as the active one's log still is what was replicated from it: one that has lost its
    end in a crash writes other things there.
    """
    got = None if replication is None else replication.read or replication.executed
    if not errant and got is not None and (active.binlog is None or not active.binlog.covers(got)):
        return Rejoin(
            Return.UNKNOWN, f"it has received up to {got}, and the active server's log ends at {active.binlog}"
        )
    return _returning(replication, errant)


def _returning(replication: Replication | None, errant: tuple[str, ...]) -> Rejoin:
    if errant:
        reason = f"it has {counted(errant)} that the active server has not: {listed(errant)}"
        return Rejoin(Return.DIVERGED, reason, errant)
    if replication is None:
        return Rejoin(Return.UNKNOWN, "it has never been made a replica of the active server")
    if replication.sql and replication.io != "No":
        return Rejoin(Return.ALREADY, f"it replicates from {replication.source}")
    return Rejoin(Return.START, "it has nothing that the active server has not")


def _errant(own: Picture, active: Place, *, ordered: bool, known: tuple[str, ...]) -> tuple[str, ...] | str:
    """The ranges, or why they are not known."""
    match own.gtids, active:
        case BinlogState() as mine, BinlogState() as theirs:
            return mine.beyond(theirs, ordered=ordered and own.ordered, known=known)
        case GtidSet() as mine, GtidSet() as theirs:
            return mine.beyond(theirs)
        case _, None:
            return "what the active server has is not known"
        case None, Coordinates():
            return "its server has no GTIDs: it can only be compared by file and position"
        case _ if own.gtids is None or isinstance(active, Coordinates):
            return f"{MIXED}: they cannot be compared"
        case _:
            return f"the transactions of {own.name} and those of the active server are of different kinds"


def loss(applied: Place, published: Place, *, ordered: bool = False) -> tuple[str, ...]:
    """What is known to be missing: `published` was on the old active server, `applied` is here. A lower bound.

    Of places in a binary log, both in that of the old active server.
    """
    match published, applied:
        case BinlogState() as theirs, BinlogState() as mine:
            return theirs.beyond(mine, ordered=ordered)
        case GtidSet() as theirs, GtidSet() as mine:
            return theirs.beyond(mine)
        case Coordinates() as last, Coordinates() as first:
            return between(first, last)
        case _:
            return ()
