"""Checks turned into a standing: results → up or down (rise, fall) → faults and a priority, with reasons."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pyvrrp.core import const
from pyvrrp.core.events import CheckResult
from pyvrrp.core.settings import CheckSettings, InstanceSettings


class Health(enum.Enum):
    """What a check has come to; UNKNOWN until its first result."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


@dataclass(slots=True, eq=False)
class CheckTrack:
    """One check's run of results.

    The first result decides alone, as in keepalived: one success is enough at the start, one failure too.
    """

    settings: CheckSettings
    since: float  # when the node began to wait for results
    health: Health = Health.UNKNOWN
    detail: str = "no result yet"
    took: float | None = None
    at: float | None = None
    successes: int = 0
    failures: int = 0

    def take(self, result: CheckResult, now: float) -> bool:
        """Note a result. True when the health changed."""
        self.detail, self.took, self.at = result.detail, result.took, now
        before = self.health
        if result.ok:
            self.successes, self.failures = self.successes + 1, 0
            if self._enough(result, self.successes, self.settings.rise):
                self.health = Health.UP
        else:
            self.successes, self.failures = 0, self.failures + 1
            if self._enough(result, self.failures, self.settings.fall):
                self.health = Health.DOWN
        return self.health is not before

    def _enough(self, result: CheckResult, in_a_row: int, needed: int) -> bool:
        return result.conclusive or self.health is Health.UNKNOWN or in_a_row >= needed

    def next_deadline(self) -> float:
        """When the next result is overdue: no news in time counts as a failure."""
        last = self.since if self.at is None else self.at
        return last + 2 * self.settings.interval + self.settings.timeout

    @property
    def sentence(self) -> str:
        """The check's state in words."""
        if self.health is Health.DOWN and self.successes:
            return f"check {self.settings.name} passed {self.successes} of {self.settings.rise} times: {self.detail}"
        if self.health is Health.DOWN:
            times = f" ({self.failures} times in a row)" if self.failures > 1 else ""
            return f"check {self.settings.name} fails: {self.detail}{times}"
        if self.health is Health.UNKNOWN:
            return f"check {self.settings.name} has not reported yet"
        if self.failures:
            return f"check {self.settings.name} failed {self.failures} of {self.settings.fall} times: {self.detail}"
        return f"check {self.settings.name} passes"


@dataclass(frozen=True, slots=True)
class Tracked:
    """What an instance's checks make of it: reasons to be in FAULT, checks not heard of yet, the effective priority.

    `terms` are the weights that moved the priority, as (check name, weight).
    """

    faults: tuple[str, ...]
    waiting: tuple[str, ...]
    priority: int
    terms: tuple[tuple[str, int], ...]


def assess(settings: InstanceSettings, checks: dict[str, CheckTrack]) -> Tracked:
    """Apply the checks to an instance. 255 is immune to weights; others stay within 1..254 (RFC 3768 section 5.3.4)."""
    faults, waiting = [], []
    terms: list[tuple[str, int]] = []
    for track in settings.tracks:
        check = checks[track.check]
        if track.weight == 0 and check.health is Health.DOWN:
            faults.append(check.sentence)
        elif track.weight == 0 and check.health is Health.UNKNOWN:
            waiting.append(check.sentence)
        elif (track.weight > 0 and check.health is Health.UP) or (track.weight < 0 and check.health is Health.DOWN):
            terms.append((track.check, track.weight))
    if settings.owner:
        return Tracked(tuple(faults), tuple(waiting), settings.priority, ())
    priority = settings.priority + sum(weight for _, weight in terms)
    bounded = min(max(priority, const.PRIORITY_MIN), const.PRIORITY_MAX)
    return Tracked(tuple(faults), tuple(waiting), bounded, tuple(terms))
