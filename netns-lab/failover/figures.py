"""What is measured and what it must reach, and what trials came to. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from failover import faults
from failover.agents import FAST, HIGH, TUTORIAL, Timing
from failover.faults import Fault
from failover.trial import Outcome

OURS, THEIRS = "pyvrrpd", "keepalived"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `goal` is in milliseconds, or how often the VIP may move where it ought not to."""

    key: str
    title: str
    timing: Timing
    fault: Fault
    goal: float
    measure: Callable[[Outcome], float | None]

    def reached(self, outcomes: Sequence[Outcome]) -> bool | None:
        """Whether the goal is reached: by the median, and by no trial that came to nothing; None without trials."""
        if not outcomes:
            return None
        values = self.values(outcomes)
        if not self.fault.moves:
            return max(values, default=1) <= self.goal
        return len(values) == len(outcomes) and statistics.median(values) <= self.goal

    def values(self, outcomes: Sequence[Outcome]) -> list[float]:
        """What each trial came to, without those that came to nothing."""
        return [value for outcome in outcomes if (value := self.measure(outcome)) is not None]

    def text(self, outcomes: Sequence[Outcome]) -> str:
        """The cell of an agent."""
        values = self.values(outcomes)
        if not outcomes:
            return ""
        if not self.fault.moves:
            return f"{sum(values):.0f} in {len(outcomes)} trials"
        failed = len(outcomes) - len(values)
        moved = f"{statistics.median(values):.0f}{_range(values)}" if values else ""
        return "; ".join(filter(None, (moved, f"no failover in {faults.TAKES:g} s" if failed else "")))

    @property
    def limit(self) -> str:
        """The goal in words."""
        return f"≤ {self.goal:g} ms" if self.fault.moves else f"{self.goal:g} failovers"


def until_write(outcome: Outcome) -> float | None:
    """Milliseconds until a row was acknowledged on the other node."""
    return None if outcome.until_write is None else outcome.until_write * 1000


def gap(outcome: Outcome) -> float | None:
    """Milliseconds between two acknowledgements; nothing when the writes did not move."""
    return outcome.gap * 1000 if outcome.moved else None


def failovers(outcome: Outcome) -> float:
    """How often the VIP moved."""
    return outcome.taken


KILLED: Final = "mysqld SIGKILL → first write through the VIP"

FIGURES: Final = (
    Figure("kill-fast", f"{KILLED}; {FAST.name}", FAST, faults.KILL, 200, until_write),
    Figure("kill-tutorial", f"{KILLED}; {TUTORIAL.name}", TUTORIAL, faults.KILL, 700, until_write),
    Figure("kill-high", f"{KILLED}; {HIGH.name}", HIGH, faults.KILL, 150, until_write),
    Figure("stop", "mysqld SIGSTOP → first write through the VIP", HIGH, faults.STOP, 2500, until_write),
    Figure("disk", "disk full → first write through the VIP", HIGH, faults.FILL, 3500, until_write),
    Figure("switchover", "switchover: longest time without a write", HIGH, faults.SWITCHOVER, 250, gap),
    Figure("1040", "failovers on error 1040", HIGH, faults.CROWD, 0, failovers),
    Figure("pause", "failovers on a pause of 500 ms", HIGH, faults.PAUSE, 0, failovers),
    Figure("peer", "failovers on a restart of the peer", HIGH, faults.RESTART_PEER, 0, failovers),
)


@dataclass(frozen=True, slots=True)
class Sum:
    """Many trials of one kind together."""

    trials: int
    moved: int
    acknowledged: int
    unknown: int
    refused: int
    lost: int
    unreported: int
    phantoms: int
    invented: int
    duplicates: int
    healed: int
    unequal: int
    dual: float


def total(outcomes: Sequence[Outcome]) -> Sum:
    """Add them up."""
    verdicts = [outcome.verdict for outcome in outcomes]
    return Sum(
        trials=len(outcomes),
        moved=sum(outcome.moved for outcome in outcomes),
        acknowledged=sum(each.acknowledged for each in verdicts),
        unknown=sum(each.unknown for each in verdicts),
        refused=sum(each.refused for each in verdicts),
        lost=sum(len(each.lost) for each in verdicts),
        unreported=sum(len(each.unreported) for each in verdicts),
        phantoms=sum(len(each.phantoms) for each in verdicts),
        invented=sum(len(each.invented) for each in verdicts),
        duplicates=sum(len(each.duplicates) for each in verdicts),
        healed=sum(bool(outcome.healed) for outcome in outcomes),
        unequal=sum(not outcome.checksums_equal for outcome in outcomes),
        dual=sum(each.dual for each in verdicts),
    )


def percentiles(values: Sequence[float]) -> str:
    """The distribution in a few words."""
    if not values:
        return "none"
    ordered = sorted(values)
    points = [("median", 0.5), ("90 %", 0.9), ("99 %", 0.99)]
    words = [f"{name} {ordered[min(len(ordered) - 1, int(share * len(ordered)))]:.0f}" for name, share in points]
    return f"{', '.join(words)}, at most {ordered[-1]:.0f}"


def _range(values: Sequence[float]) -> str:
    return f" ({min(values):.0f}-{max(values):.0f})" if len(values) > 1 else ""
