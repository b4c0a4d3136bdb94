"""What is measured and what it must reach, and what trials came to. Pure."""

from __future__ import annotations

import statistics
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from failover import faults
from failover.agents import FAST, HIGH, TUTORIAL, Timing, Way
from failover.faults import Fault
from failover.trial import Outcome
from failover.world import Load

OURS, THEIRS = "pyvrrpd", "keepalived"

CALM: Final = Load(writers=4, period=0.01, before=0.3)  # what a failover costs on a quiet system
ASYNCHRONOUS: Final = Way()
BUSY: Final = Load(writers=8, period=0.01, before=0.3)


@dataclass(frozen=True, slots=True)
class Figure(ABC):
    """One line of the table. `faults` are done in turn; `goal` is what no more than may come of them.

    `many`: whether it takes many trials. `gives_up`: after so many in a row that came to nothing it is let be.
    """

    key: str
    title: str
    faults: tuple[Fault, ...]
    goal: float
    timing: Timing = HIGH
    way: Way = ASYNCHRONOUS
    load: Load = CALM

    many: ClassVar[bool] = False
    gives_up: ClassVar[int] = 1

    def name(self, count: int) -> str:
        """What is measured, in so many trials."""
        return self.title.format(count=count)

    @abstractmethod
    def value(self, outcome: Outcome) -> float | None:
        """What a trial came to, None when it came to nothing."""

    def reached(self, outcomes: Sequence[Outcome]) -> bool | None:
        """Whether the goal is reached, by all trials together; None without trials."""
        return self._within(self.values(outcomes), len(outcomes)) if outcomes else None

    def over(self, outcomes: Sequence[Outcome]) -> int:
        """How many trials missed the goal, those that came to nothing among them."""
        return sum((value := self.value(outcome)) is None or value > self.goal for outcome in outcomes)

    def verdict(self, outcomes: Sequence[Outcome]) -> str:
        """Whether the goal is reached, in words, and by how many trials not."""
        if not outcomes:
            return ""
        over = self.over(outcomes)
        missed = f" ({over} of {len(outcomes)} over)" if over else ""
        return ("reached" if self.reached(outcomes) else "NOT reached") + missed

    def values(self, outcomes: Sequence[Outcome]) -> list[float]:
        """What each trial came to, without those that came to nothing."""
        return [value for outcome in outcomes if (value := self.value(outcome)) is not None]

    @abstractmethod
    def text(self, outcomes: Sequence[Outcome], count: int) -> str:
        """The cell of an agent that was to have so many trials."""

    @property
    @abstractmethod
    def limit(self) -> str:
        """The goal in words."""

    @abstractmethod
    def _within(self, values: Sequence[float], trials: int) -> bool:
        """Whether these values of so many trials reach the goal together."""


@dataclass(frozen=True, slots=True)
class Time(Figure):
    """Milliseconds. The median counts, and a trial in which nothing moved is not forgiven."""

    def text(self, outcomes: Sequence[Outcome], count: int) -> str:
        """Median and range."""
        values = self.values(outcomes)
        moved = f"{statistics.median(values):.0f}{_range(values)}" if values else ""
        fewer = f"{len(outcomes)} trials" if len(values) > 1 and len(outcomes) < count else ""
        return "; ".join(filter(None, (moved, fewer, _stayed(outcomes))))

    @property
    def limit(self) -> str:
        """Milliseconds."""
        return f"≤ {self.goal:g} ms"

    def _within(self, values: Sequence[float], trials: int) -> bool:
        return len(values) == trials and statistics.median(values) <= self.goal


@dataclass(frozen=True, slots=True)
class UntilWrite(Time):
    """Until a row was acknowledged on the other node."""

    def value(self, outcome: Outcome) -> float | None:
        """From the fault on."""
        return None if outcome.until_write is None else outcome.until_write * 1000


@dataclass(frozen=True, slots=True)
class Gap(Time):
    """The longest time between two acknowledgements."""

    def value(self, outcome: Outcome) -> float | None:
        """Nothing when the writes did not move."""
        return outcome.gap * 1000 if outcome.moved else None


@dataclass(frozen=True, slots=True)
class Failovers(Figure):
    """How often the VIP moved where it ought not to."""

    def value(self, outcome: Outcome) -> float | None:
        """Every time counts."""
        return outcome.taken

    def text(self, outcomes: Sequence[Outcome], count: int) -> str:
        """All of them together."""
        del count  # the trials that there were are said
        return f"{sum(self.values(outcomes)):.0f} in {len(outcomes)} trials" if outcomes else ""

    @property
    def limit(self) -> str:
        """A number of times."""
        return f"{self.goal:g} failovers"

    def _within(self, values: Sequence[float], trials: int) -> bool:
        return max(values, default=self.goal + trials) <= self.goal


@dataclass(frozen=True, slots=True)
class Lost(Figure):
    """Rows that were acknowledged and are gone. Where the writes did not move nothing was shown."""

    many: ClassVar[bool] = True
    gives_up: ClassVar[int] = 3

    def value(self, outcome: Outcome) -> float | None:
        """Nothing when the writes did not move."""
        return len(outcome.verdict.lost) if outcome.moved else None

    def text(self, outcomes: Sequence[Outcome], count: int) -> str:
        """How many of how many, whether the writes moved or not."""
        if not outcomes:
            return ""
        whole = total(outcomes)
        fewer = f" in {len(outcomes)} trials" if len(outcomes) < count else ""
        return "; ".join(filter(None, (f"{whole.lost} of {whole.acknowledged:,}{fewer}", _stayed(outcomes))))

    @property
    def limit(self) -> str:
        """A number of rows."""
        return f"{self.goal:g} lost"

    def _within(self, values: Sequence[float], trials: int) -> bool:
        return len(values) == trials and sum(values) <= self.goal


KILLED: Final = "mysqld SIGKILL → first write through the VIP"
CRASHES: Final = faults.KILL, faults.STALL_SHORT  # in every second one there is something that was not replicated

FIGURES: Final[tuple[Figure, ...]] = (
    UntilWrite("kill-fast", f"{KILLED}; {FAST.name}", (faults.KILL,), 200, FAST),
    UntilWrite("kill-tutorial", f"{KILLED}; {TUTORIAL.name}", (faults.KILL,), 700, TUTORIAL),
    UntilWrite("kill-high", f"{KILLED}; {HIGH.name}", (faults.KILL,), 150),
    UntilWrite("stop", "mysqld SIGSTOP → first write through the VIP", (faults.STOP,), 2500),
    UntilWrite("disk", "disk full → first write through the VIP", (faults.FILL,), 3500),
    Gap("switchover", "switchover: longest time without a write", (faults.SWITCHOVER,), 250),
    Lost(
        "lost-switchover",
        f"acknowledged writes lost in {{count}} planned switchovers under {BUSY.writers} writers",
        (faults.SWITCHOVER,),
        0,
        load=BUSY,
    ),
    Lost(
        "lost-crash",
        f"acknowledged writes lost in {{count}} crashes under {BUSY.writers} writers, semi-sync",
        CRASHES,
        0,
        way=Way(semi_sync=True, otherwise="promote"),
        load=BUSY,
    ),
    Failovers("1040", "failovers on error 1040", (faults.CROWD,), 0),
    Failovers("pause", "failovers on a pause of 500 ms", (faults.PAUSE,), 0),
    Failovers("peer", "failovers on a restart of the peer", (faults.RESTART_PEER,), 0),
)


def by_world(figures: Sequence[Figure]) -> Mapping[tuple[Way, Load], list[Figure]]:
    """Those that are measured in one world beside each other; how the agents speak can be changed in it."""
    found: dict[tuple[Way, Load], list[Figure]] = {}
    for figure in figures:
        found.setdefault((figure.way, figure.load), []).append(figure)
    return found


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


def _stayed(outcomes: Sequence[Outcome]) -> str:
    """That the writes did not move, where they did not."""
    stayed = sum(not outcome.moved for outcome in outcomes)
    some = f" in {stayed} of {len(outcomes)}" if stayed < len(outcomes) else ""
    return f"no failover in {faults.TAKES:g} s{some}" if stayed else ""


def _range(values: Sequence[float]) -> str:
    return f" ({min(values):.0f}-{max(values):.0f})" if len(values) > 1 else ""
