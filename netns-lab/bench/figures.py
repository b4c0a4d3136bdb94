"""What a row measures, what it should reach, and how samples become the one number that is compared."""

from __future__ import annotations

import enum
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


class Statistic(enum.Enum):
    """Which number of a set of samples is compared."""

    MEDIAN = "median"
    P50 = "p50"
    P99 = "p99"
    MAX = "max"

    def of(self, samples: Sequence[float]) -> float:
        """The number; `samples` is not empty."""
        if self is Statistic.MAX:
            return max(samples)
        if self is Statistic.P99:
            return quantile(samples, 0.99)
        return statistics.median(samples)


def quantile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least this share of all samples do not exceed."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class AtMost:
    """The goal is a number of its own."""

    limit: float

    def __str__(self) -> str:
        return f"≤ {self.limit:g}"

    def reached(self, ours: float, theirs: float | None) -> bool | None:
        del theirs
        return ours <= self.limit


@dataclass(frozen=True, slots=True)
class RatioAtMost:
    """The goal is a share of what keepalived takes in the same run."""

    limit: float

    def __str__(self) -> str:
        return f"ratio ≤ {self.limit:g}"

    def reached(self, ours: float, theirs: float | None) -> bool | None:
        return None if not theirs else ours / theirs <= self.limit


Goal = AtMost | RatioAtMost


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `key` is what a row's sample calls it."""

    key: str
    title: str
    unit: str
    goal: Goal | None = None
    statistic: Statistic = Statistic.MEDIAN


@dataclass(frozen=True, slots=True)
class Noted:
    """A number that needs a word beside it."""

    value: float
    remark: str


Value = float | Sequence[float] | str | Noted
Sample = Mapping[str, Value]  # by Figure.key


@dataclass(slots=True)
class Measured:
    """All that was measured for one figure, by subject. A remark stands beside the numbers, or in their place."""

    row: str
    figure: Figure
    samples: dict[str, list[float]] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)

    def add(self, subject: str, value: Value) -> None:
        if isinstance(value, Noted):
            self.add(subject, value.value)
            self.add(subject, value.remark)
        elif isinstance(value, str):
            self.remarks[subject] = value
        elif isinstance(value, (int, float)):
            self.samples.setdefault(subject, []).append(value)
        else:
            self.samples.setdefault(subject, []).extend(value)

    def value(self, subject: str) -> float | None:
        """The number that counts, None without samples."""
        samples = self.samples.get(subject)
        return self.figure.statistic.of(samples) if samples else None

    def ratio(self, ours: str, theirs: str) -> float | None:
        mine, other = self.value(ours), self.value(theirs)
        return mine / other if mine is not None and other else None

    def reached(self, ours: str, theirs: str) -> bool | None:
        """Whether the goal is reached; None where there is none, or nothing to judge by."""
        mine = self.value(ours)
        if self.figure.goal is None or mine is None:
            return None
        return self.figure.goal.reached(mine, self.value(theirs))
