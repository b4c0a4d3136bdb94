"""Adverts that one virtual router turned away: counted, and logged at a bounded rate. No timer moves."""

from __future__ import annotations

from typing import Final

from pyvrrp.core import rivals
from pyvrrp.core.budget import Budget
from pyvrrp.core.effects import Effect, Level, Record
from pyvrrp.core.receive import Objection
from pyvrrp.core.settings import Address, InstanceSettings
from pyvrrp.core.snapshot import RejectedStatus, RivalStatus
from pyvrrp.core.wire import Advert

_PAUSE: Final = 1.0  # seconds between two log lines about adverts turned away, whoever sends them
_REPEAT: Final = 60.0  # seconds until the same complaint is logged again
_SENDERS: Final = 16  # that are remembered: more nodes than a virtual router has, and an end for invented ones
_FORGOTTEN: Final = 300.0  # seconds after which a sender that comes back is a new one
_NEVER: Final = float("-inf")


class Complaints:
    """`latest` is the last advert turned away, `counts` are all of them by kind, `rivals` are their senders."""

    __slots__ = ("_budget", "_contending", "_explained", "_logged", "_logged_at", "counts", "latest", "rivals")

    def __init__(self) -> None:
        self.latest: RejectedStatus | None = None
        self.counts: dict[str, int] = {}
        self.rivals: dict[Address, RivalStatus] = {}
        self._contending: dict[Address, float] = {}  # when each was heard that the link may believe
        self._logged: tuple[str, Address] | None = None
        self._logged_at = _NEVER
        self._explained: dict[Address, float] = {}
        self._budget = Budget()

    def take(
        self, settings: InstanceSettings, source: Address, against: Objection, now: float, advert: Advert | None = None
    ) -> list[Effect]:
        """Count an advert, and say what is against it unless that was said a moment ago."""
        instance, (kind, why, line) = settings.name, against
        self.latest = RejectedStatus(source, why, now, self.latest.count + 1 if self.latest else 1)
        self.counts[kind] = self.counts.get(kind, 0) + 1
        rival = self._note(source, rivals.kind_of(kind, advert, settings), why, advert, now)
        explained = self._explain(instance, rival, now)
        quiet = now - self._logged_at
        if quiet < (_REPEAT if self._logged == (kind, source) else _PAUSE):
            return explained
        self._logged, self._logged_at = (kind, source), now
        texts = (line, f"discarding advert from {source}: {why}")
        return [*(Record(Level.WARNING, instance, text) for text in texts if text), *explained]

    def recent(self, now: float, fresh: float = _FORGOTTEN) -> tuple[RivalStatus, ...]:
        """The senders that were heard within the last `fresh` seconds, the latest first."""
        found = [each for each in self.rivals.values() if now - each.last < fresh]
        return tuple(sorted(found, key=lambda each: -each.last))

    def fell_silent(self, wait: float, now: float) -> bool:
        """Whether a sender that the link may have believed has not been heard for `wait` seconds; told once of each."""
        silent = [source for source, last in self._contending.items() if now - last > wait]
        for source in silent:
            del self._contending[source]
        return bool(silent)

    def _note(self, source: Address, kind: str, why: str, advert: Advert | None, now: float) -> RivalStatus:
        known = self.rivals.get(source)
        if known is None and len(self.rivals) >= _SENDERS:
            oldest = min(self.rivals.values(), key=lambda each: each.last).source
            del self.rivals[oldest]
            self._contending.pop(oldest, None)
            self._explained.pop(oldest, None)
        count, since = 1, now
        if known is not None and now - known.last <= _FORGOTTEN:
            count, since = known.count + 1, known.since
        priority = advert.priority if advert is not None else None
        rival = RivalStatus(source, priority, kind, why, rivals.cause(kind), count, since, now)
        self.rivals[source] = rival
        if advert is not None and rivals.contends(rival):
            self._contending[source] = now
        return rival

    def _explain(self, instance: str, rival: RivalStatus, now: float) -> list[Effect]:
        """The likely cause, once a sender has shown that it goes on."""
        if rival.count < 2 or now - self._explained.get(rival.source, _NEVER) < _REPEAT:
            return []
        if not self._budget.allows(now):
            return []
        self._explained[rival.source] = now
        return [Record(Level.WARNING, instance, f"adverts from {rival.source} are discarded: likely {rival.cause}")]
