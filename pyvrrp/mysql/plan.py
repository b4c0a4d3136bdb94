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
from pyvrrp.mysql.gtid import GtidSet, MariaPosition, counted, listed
from pyvrrp.mysql.status import Process, Replication, between
from pyvrrp.mysql.verdict import Verdict, Word

FIT: Final = frozenset({Word.UP, Word.OVERLOADED, Word.READ_ONLY})
CLIENT_ERRORS: Final = range(2000, 3000)  # of an IO thread whose source is gone
# Of an IO thread that a living source turns away, and will not let in without somebody's help. (That it takes no more
# connections, 1040, is over by itself.)
TURNED_AWAY: Final = frozenset({1044, 1045, 1129, 1130, 1227, 1698, 1862, 3118})
NOT_IN_LOG: Final = 1236  # the source has not got what the replica asks it for
LONG: Final = 2.0  # seconds; what has been going on for longer will not end by itself within a switchover
MESSAGE: Final = re.compile(r"\bmessage: ", re.IGNORECASE)
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
        reasons.append(f"it has {counted(standby.errant)} that the other node has not: {listed(standby.errant)}")
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
    may = "; it may have diverged, or what it needs is purged: docs/mysql.md" if number == NOT_IN_LOG else ""
    return f" (error {number}: {_message(text)}{may})" if number else ""


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
    what = f"{counted(missing)} received and not applied: {listed(missing)}"
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
            return between(one.executed, one.read)


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
