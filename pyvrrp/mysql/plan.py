"""What may be done with a server, and why not: decisions with their reasons. Pure data in, sentences out.

The sentences go on after the name of a node: "… has nothing against it", "… its SQL thread is not running".
"""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pyvrrp.core.settings import PromoteSettings
from pyvrrp.mysql.gtid import BinlogState, GtidSet, MariaPosition, count, merged
from pyvrrp.mysql.status import Coordinates, Picture, Process, Replication
from pyvrrp.mysql.verdict import Verdict, Word

Gtids = BinlogState | GtidSet
Place = Gtids | Coordinates | None

FIT: Final = frozenset({Word.UP, Word.OVERLOADED, Word.READ_ONLY})
CLIENT_ERRORS: Final = range(2000, 3000)  # of an IO thread whose source is gone
# Of an IO thread that a living source turns away, and will not let in without somebody's help. (That it takes no more
# connections, 1040, is over by itself.)
TURNED_AWAY: Final = frozenset({1044, 1045, 1129, 1130, 1227, 1698, 1862, 3118})
SHOWN: Final = 5  # ranges in a sentence; all of them are in the data
LONG: Final = 2.0  # seconds; what has been going on for longer will not end by itself within a switchover
MESSAGE: Final = re.compile(r"\bmessage: ", re.IGNORECASE)
MIXED: Final = "one of the two servers replicates by GTID, and the other one by file and position"
PAUSED: Final = "paused (`pyvrrpctl resume` ends that)"
HOLDS_UP: Final = re.compile(
    r"\s*(ALTER|CREATE|DROP|RENAME|TRUNCATE|OPTIMIZE|REPAIR|ANALYZE|LOCK\s+TABLE|FLUSH|BACKUP)\b", re.IGNORECASE
)
WAITS: Final = re.compile(r"Waiting for .* lock$")  # somebody holds what read_only will wait for


# --- may it be promoted? ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standby:
    """A node that might take over.

    `replication` is the channel from the other node as it is now, None when there is none. `healthy`: since the agent
    and the server began, both threads ran while the IO thread was last connected (a MariaDB server that begins anew
    without its source has forgotten what it had received). `lag`: see `lag()`, None when it is not known. `errant`:
    transactions that it has and the other node has not. `held`: seconds of hold-down that are left. `left_to_run`: it
    was compared and let follow, and nobody but an operator stops its replication.
    """

    verdict: Verdict
    replication: Replication | None = None
    healthy: bool = False
    lag: float | None = None
    errant: tuple[str, ...] = ()
    held: float = 0.0
    paused: bool = False
    drained: bool = False
    left_to_run: bool = False


def eligibility(standby: Standby, promote: PromoteSettings) -> tuple[str, ...]:
    """Everything against making this node the active one; nothing when there is nothing.

    With `require: none` only what its operator and its own server say counts.
    """
    reasons = [*_withheld(standby), *_unfit(standby.verdict)]
    if promote.require == "none":
        return tuple(reasons)
    if standby.errant:  # that it does not replicate, and how far it is behind, follows
        reasons.append(f"it has {_counted(standby.errant)} that the other node has not: {_listed(standby.errant)}")
        return tuple(reasons)
    if standby.replication is None:
        return (*reasons, "it is not a replica of the other node")
    if standby.left_to_run and _at_rest(standby.replication):
        reasons.append(f"its replication from {standby.replication.source} was stopped by somebody (START SLAVE)")
    reasons += _broken(standby.replication, healthy=standby.healthy)
    reasons += _behind(standby, promote.max_lag)
    return tuple(reasons)


def lag(changed: float, word: float, behind: float | None) -> float:
    """Seconds that a standby is behind.

    `changed`: when the active's heartbeat last changed here, `word`: when its agent last gave a sign of life, both by
    this host's monotonic clock: how long nothing has come. `behind`: how old what came was (Seconds_Behind_Master).
    """
    return max(0.0, word - changed) + max(0.0, behind or 0.0)


def held(failover: float, hold_down: float, now: float) -> float:
    """Seconds for which there is no second automatic failover. By the wall clock, which may have been set back."""
    if failover <= 0.0:
        return 0.0
    return max(0.0, min(hold_down, failover + hold_down - now))


def _withheld(standby: Standby) -> Iterable[str]:
    if standby.paused:
        yield f"failover is {PAUSED}"
    if standby.drained:
        yield "it is drained (`pyvrrpctl resume` ends that)"
    if standby.held > 0:
        left = f"{math.ceil(standby.held)} s"
        yield f"there was a failover, and for {left} there is no second one (`pyvrrpctl acknowledge` ends that)"


def _unfit(verdict: Verdict) -> Iterable[str]:
    if verdict.word not in FIT or not verdict.usable:
        yield f"its server {verdict.evidence}"


def _broken(one: Replication, *, healthy: bool) -> Iterable[str]:
    if not one.sql:
        yield _stopped("SQL", one.sql_errno, one.sql_error)
    elif one.sql_errno:
        yield f"its SQL thread reports error {one.sql_errno}: {one.sql_error}"
    if one.io == "No" and one.io_errno not in CLIENT_ERRORS:
        yield _stopped("IO", one.io_errno, one.io_error)
    elif one.io != "Yes" and one.io_errno in TURNED_AWAY:
        yield f"its IO thread is turned away{_error(one.io_errno, one.io_error)}"
    elif not healthy and one.sql and one.io != "Yes":
        yield f"it has not been seen replicating from {one.source} yet{_error(one.io_errno, one.io_error)}"
    if one.delay:
        yield f"it replicates {one.delay} s late on purpose"
    if one.filters:
        yield f"it does not replicate everything ({', '.join(one.filters)})"


def _at_rest(one: Replication) -> bool:
    return one.io == "No" and not one.sql and not one.io_errno and not one.sql_errno


def _stopped(thread: str, number: int, text: str) -> str:
    return f"its {thread} thread is not running{_error(number, text)}"


def _error(number: int, text: str) -> str:
    return f" (error {number}: {_message(text)})" if number else ""


def _message(text: str) -> str:
    """An IO thread's error without how it goes on trying: `error connecting to … - retry-time: 60 … message: …`."""
    return MESSAGE.split(text)[-1]


def _behind(standby: Standby, most: float) -> Iterable[str]:
    """Why nothing comes is told with it, unless that is a reason of its own."""
    seconds, one = standby.lag, standby.replication
    if seconds is None:
        yield "how far it is behind is not known"
    elif seconds > most:
        lost = one is not None and one.io not in {"Yes", "No"} and one.io_errno and one.io_errno not in TURNED_AWAY
        why = f"; error {one.io_errno} of its IO thread: {_message(one.io_error)}" if lost and one is not None else ""
        yield f"it is {seconds:.1f} s behind, {most:g} s are allowed{why}"


def threads(one: Replication) -> str:
    """How a channel stands: `from 192.0.2.1:3306: IO Connecting (error 1045: …), SQL Yes`.

    Of one that was stopped, that its source was gone by then is old news.
    """
    sql = _error(one.sql_errno, one.sql_error)
    if one.io == "No" and not one.sql:
        io = _error(one.io_errno, one.io_error) if one.io_errno not in CLIENT_ERRORS else ""
        return f"stopped (from {one.source})" + (f", IO{io}" if io else "") + (f", SQL{sql}" if sql else "")
    io = _error(one.io_errno, one.io_error) if one.io != "Yes" else ""
    return f"from {one.source}: IO {one.io}{io}, SQL {'Yes' if one.sql else 'No'}{sql}"


# --- is all applied that was received? --------------------------------------------------------------------------------


class Drain(enum.Enum):
    """How far a replica is with what it received."""

    DONE = "done"
    WAIT = "wait"
    STUCK = "stuck"  # waiting does not help


@dataclass(frozen=True, slots=True)
class Drained:
    """`missing`: ranges that were received and not applied. `detail` is a sentence."""

    state: Drain
    detail: str
    missing: tuple[str, ...] = ()


def drained(replication: Replication | None) -> Drained:
    """Whether everything is applied that was received; its IO thread should have ended, else more may come.

    By GTID where the channel has them: a transaction of which only the beginning arrived has none yet, while by
    position it is missing for ever. A MariaDB server that was started anew has forgotten what it had received (its
    Gtid_IO_Pos is empty) and throws its relay log away when its SQL thread starts; then it says that all is applied.
    Whoever knows what was received, or written, before must compare with that: `loss`. Tried on 10.11.
    """
    if replication is None:
        return Drained(Drain.DONE, "it is no replica: nothing was received")
    one = replication
    if not one.sql and _forgotten(one):
        return Drained(Drain.STUCK, "its server was started anew and does not know what it had received")
    missing = _unapplied(one)
    if not missing:
        return Drained(Drain.DONE, f"all that was received is applied ({one.applied or one.executed or 'nothing'})")
    what = f"{_counted(missing)} received and not applied: {_listed(missing)}"
    if not one.sql or one.sql_errno:
        return Drained(Drain.STUCK, f"{_stopped('SQL', one.sql_errno, one.sql_error)}, with {what}", missing)
    return Drained(Drain.WAIT, what, missing)


def _forgotten(one: Replication) -> bool:
    return isinstance(one.received, MariaPosition) and not one.received.gtids and one.executed is not None


def _unapplied(one: Replication) -> tuple[str, ...]:
    match one.received, one.applied:
        case MariaPosition() as received, MariaPosition() as applied:
            return received.beyond(applied)
        case GtidSet() as received, GtidSet() as applied:
            return received.beyond(applied)
        case _:
            return _between(one.executed, one.read)


def _between(first: Coordinates | None, last: Coordinates | None) -> tuple[str, ...]:
    """What lies between two places of one server's binary log."""
    if last is None or (first is not None and first.covers(last)):
        return ()
    if first is None:
        return (f"..{last}",)
    return (f"{first}..{last.position}" if first.file == last.file else f"{first}..{last}",)


# --- may a returning server replicate? --------------------------------------------------------------------------------


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
    acknowledges: bool = False,
) -> Rejoin:
    """Whether a server that is not active may replicate from the one that is.

    `active` is what that one has, and must have been asked for after `own`: meanwhile it writes. `ordered`: it has
    gtid_strict_mode too; `writer`: what its own transactions are numbered under. `known`: what was found errant before.
    Errant transactions are never skipped: whoever replicates beyond them hides them. `acknowledges`: it does so as a
    semi-synchronous replica.
    """
    errant = _errant(own, active, ordered=ordered, known=known)
    if isinstance(errant, str):
        return Rejoin(Return.UNKNOWN, errant)
    reused = (each for each in known if _is_of(each, writer) and _has_logged(own, each))
    errant = merged((*errant, *reused))
    lost = gone(own, active)
    if lost and not errant and not (acknowledges and _comes_back(own, lost)):
        return Rejoin(Return.UNKNOWN, not_sent_back(lost))
    return _returning(replication, errant)


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


def _comes_back(own: Picture, lost: tuple[str, ...]) -> bool:
    """A MariaDB that acknowledges, semi-synchronously, takes back what is its own; tried on 10.11."""
    mine = own.gtids
    return isinstance(mine, BinlogState) and not any(mine.is_past(each) for each in lost)


def not_sent_back(lost: tuple[str, ...]) -> str:
    """Why a server does not follow the active one, which has what is gone from here."""
    return f"{_gone(lost)}: no replica gets its own back, it has to be made a copy of the other node again"


def written_here(lost: tuple[str, ...], other: str) -> str:
    """Why a server that was active last is not opened: `lost` is what is gone from it, and `other` has."""
    return (
        f"{_gone(lost)}, and {other} has them: that one is to be active, or `pyvrrpctl promote --force` gives them up"
    )


def _gone(lost: tuple[str, ...]) -> str:
    return f"{_counted(lost)} that were written here are here no more: {_listed(lost)}"


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
        reason = f"it has {_counted(errant)} that the active server has not: {_listed(errant)}"
        return Rejoin(Return.DIVERGED, reason, errant)
    if replication is None:
        return Rejoin(Return.UNKNOWN, "it has never been made a replica of the active server")
    if replication.sql and replication.io != "No":
        return Rejoin(Return.ALREADY, f"it replicates from {replication.source}")
    return Rejoin(Return.START, f"it has nothing that {replication.source} has not")


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
            return _between(first, last)
        case _:
            return ()


# --- may they be switched over? ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Active:
    """The node that is to hand over. `transactions`: seconds that they have been open, by session."""

    verdict: Verdict
    processes: tuple[Process, ...] = ()
    transactions: Mapping[int, int] | None = None
    keep_users: tuple[str, ...] = ()


def objections(active: Active, against: Iterable[str], longest: float = LONG) -> tuple[str, ...]:
    """Everything against a planned switchover. `against` is the target's own `eligibility`.

    Sessions count that would be killed in the midst of something long, or that others wait for. A LOCK TABLES that is
    done is not among the processes; only those who wait for it are.
    """
    reasons = [f"the target: {reason}" for reason in against]
    reasons += [f"the active node: {reason}" for reason in _unfit(active.verdict)]
    open_for = active.transactions or {}
    for one in active.processes:
        if one.client and one.user not in active.keep_users:
            reasons += _holding_up(one, open_for.get(one.id, 0), longest)
    return tuple(reasons)


def _holding_up(one: Process, age: int, longest: float) -> Iterable[str]:
    who = f"the active node: session {one.id} of {one.user}@{one.host}"
    busy = one.command.lower() != "sleep" and one.seconds > longest
    if busy and WAITS.search(one.state):
        yield f"{who} has been waiting for {one.seconds} s ({one.state})"
    elif busy and HOLDS_UP.match(one.statement):
        yield f"{who} has been busy for {one.seconds} s with {one.statement[:60].strip()}"
    elif age > longest:
        yield f"{who} has had a transaction open for {age} s"


# --- sentences --------------------------------------------------------------------------------------------------------


def _counted(ranges: tuple[str, ...]) -> str:
    """ "5 transactions"; what is between two places of a log cannot be counted."""
    try:
        number = count(ranges)
    except ValueError:
        return "a part of the log"
    return f"{number} transaction{'' if number == 1 else 's'}"


def _listed(ranges: tuple[str, ...]) -> str:
    more = len(ranges) - SHOWN
    return ", ".join(ranges[:SHOWN]) + (f" and {more} more" if more > 0 else "")
