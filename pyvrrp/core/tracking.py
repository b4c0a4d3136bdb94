"""Checks turned into a standing: results → up or down (rise, fall) → faults and a priority, with reasons."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final

from pyvrrp.core import const
from pyvrrp.core.events import CheckResult
from pyvrrp.core.settings import CheckSettings, FileProbe, InstanceSettings, InterfaceProbe, ScriptProbe, Track

TIMED_OUT: Final = "timed_out"  # the detail of a script that was ended because it took too long


class Health(enum.Enum):
    """What a check has come to; UNKNOWN until its first result."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


class Change(enum.Flag):
    """What a result made different: what the check counts as, the number that it yields."""

    NOTHING = 0
    HEALTH = enum.auto()
    VALUE = enum.auto()


@dataclass(slots=True, eq=False)
class CheckTrack:
    """One check's run of results.

    The first result decides alone, as in keepalived: one success is enough at the start, one failure too. What the
    kernel tells of (files, interfaces) is no sample: it always decides alone, and no news is good news.
    """

    settings: CheckSettings
    since: float  # when the node began to wait for the next result, a warm-up being over
    health: Health = field(init=False)
    detail: str = "no result yet"
    took: float | None = None
    at: float | None = None
    successes: int = 0
    failures: int = 0
    value: int = 0  # the number in a file, the last exit status of a script

    def __post_init__(self) -> None:
        self.health = Health(self.settings.initial)
        self.since += self.settings.warmup

    def under(self, settings: CheckSettings, now: float) -> CheckTrack:
        """The check with new settings: it stays what it is until it reports anew."""
        if settings == self.settings:
            return self
        changed = CheckTrack(settings, now)
        if self.at is not None:
            changed.health, changed.detail, changed.value = self.health, self.detail, self.value
            changed.took, changed.at = self.took, self.at
        if settings.probe == self.settings.probe:
            changed.successes, changed.failures = self.successes, self.failures
        return changed

    def take(self, result: CheckResult, now: float) -> Change:
        """Note a result. The first one always changes what is known of the health."""
        before, value = self.health if self.at is not None else None, self.value
        decides = result.conclusive or self.told or not (self.successes or self.failures)
        self.detail, self.took, self.at, self.since = result.detail, result.took, now, now
        if result.ok or result.value:  # what was killed has no exit status
            self.value = result.value
        if result.ok:
            self.successes, self.failures = self.successes + 1, 0
            if decides or self.successes >= self.settings.rise:
                self.health = Health.UP
        else:
            self.successes, self.failures = 0, self.failures + 1
            if decides or self.failures >= self.settings.fall:
                self.health = Health.DOWN
        health = Change.NOTHING if self.health is before else Change.HEALTH
        return health | (Change.NOTHING if self.value == value else Change.VALUE)

    def next_deadline(self) -> float | None:
        """When the next result is overdue: no news in time counts as a failure."""
        if self.told:
            return None
        pause = self.settings.interval
        if self.settings.retry_interval is not None and 0 < self.failures < self.settings.fall:
            pause = self.settings.retry_interval
        return self.since + 2 * pause + self.settings.timeout

    @property
    def sentence(self) -> str:
        """The check's state in words."""
        name = self.settings.name
        if self.at is None:
            return f"check {name} has not reported yet"
        if isinstance(self.settings.probe, FileProbe):
            return f"check {name} yields {self.value}"
        if self.health is Health.DOWN and self.successes:
            return f"check {name} passed {self.successes} of {self.settings.rise} times: {self.detail}"
        if self.health is Health.DOWN:
            times = f" ({self.failures} times in a row)" if self.failures > 1 else ""
            return f"check {name} fails: {self.detail}{times}"
        if self.failures:
            return f"check {name} failed {self.failures} of {self.settings.fall} times: {self.detail}"
        return f"check {name} passes"

    def news(self, change: Change) -> tuple[str, ...]:
        """What a result changed, in sentences; of scripts in keepalived's."""
        if not isinstance(self.settings.probe, ScriptProbe):
            return (self.sentence,) if change else ()
        name = self.settings.name
        returning = (f"Script `{name}` now returning {self.value}",) if Change.VALUE in change else ()
        if Change.HEALTH not in change:
            return returning
        if self.health is Health.UP:
            return (*returning, f"VRRP_Script({name}) succeeded")
        how = self.detail if self.detail == TIMED_OUT else f"failed ({self.detail})"
        return (*returning, f"VRRP_Script({name}) {how}")

    @property
    def told(self) -> bool:
        """Whether the kernel tells of it, so that nothing runs at intervals."""
        return isinstance(self.settings.probe, FileProbe | InterfaceProbe)


@dataclass(frozen=True, slots=True)
class Tracked:
    """What an instance's checks make of it: reasons to be in FAULT, checks not heard of yet, the effective priority.

    `terms` are what moved the priority, as (check name, number).
    """

    faults: tuple[str, ...]
    waiting: tuple[str, ...]
    priority: int
    terms: tuple[tuple[str, int], ...]


def assess(settings: InstanceSettings, checks: dict[str, CheckTrack]) -> Tracked:
    """Apply the checks to an instance. 255 is immune to weights; others stay within 1..254 (RFC 3768 section 5.3.4).

    What a check counts as before its first result moves the priority, but is no fault: the result is waited for.
    """
    faults: list[str] = []
    waiting: list[str] = []
    terms: list[tuple[str, int]] = []
    for track in settings.tracks:
        check = checks[track.check]
        term = _term(track, check)
        if track.weight == 0 and check.health is not (Health.DOWN if track.reverse else Health.UP):
            if check.at is None:
                waiting.append(check.sentence)
            else:
                faults.append(f"{check.sentence}, and that is a fault here" if track.reverse else check.sentence)
        elif term < const.WEIGHT_MIN:
            faults.append(f"{check.sentence}, which counts {term}: below {const.WEIGHT_MIN}")
        elif term:
            terms.append((track.check, term))
    if settings.owner:
        return Tracked(tuple(faults), tuple(waiting), settings.priority, ())
    priority = settings.priority + sum(term for _, term in terms)
    bounded = min(max(priority, const.PRIORITY_MIN), const.PRIORITY_MAX)
    return Tracked(tuple(faults), tuple(waiting), bounded, tuple(terms))


def _term(track: Track, check: CheckTrack) -> int:
    """What a check adds to the priority now."""
    weight = -track.weight if track.reverse else track.weight
    if isinstance(check.settings.probe, FileProbe):
        return weight * check.value
    return weight if check.health is (Health.UP if track.weight > 0 else Health.DOWN) else 0
