"""Adverts that one virtual router turned away: counted, and logged at a bounded rate. No timer moves."""

from __future__ import annotations

from typing import Final

from pyvrrp.core.effects import Effect, Level, Record
from pyvrrp.core.receive import Objection
from pyvrrp.core.settings import Address
from pyvrrp.core.snapshot import RejectedStatus

_PAUSE: Final = 1.0  # seconds between two log lines about adverts turned away, whoever sends them
_REPEAT: Final = 60.0  # seconds until the same complaint is logged again


class Complaints:
    """`latest` is the last advert turned away, `counts` are all of them by kind."""

    __slots__ = ("_logged", "_logged_at", "counts", "latest")

    def __init__(self) -> None:
        self.latest: RejectedStatus | None = None
        self.counts: dict[str, int] = {}
        self._logged: tuple[str, Address] | None = None
        self._logged_at = float("-inf")

    def take(self, instance: str, source: Address, against: Objection, now: float) -> list[Effect]:
        """Count an advert, and say what is against it unless that was said a moment ago."""
        kind, why, line = against
        self.latest = RejectedStatus(source, why, now, self.latest.count + 1 if self.latest else 1)
        self.counts[kind] = self.counts.get(kind, 0) + 1
        quiet = now - self._logged_at
        if quiet < (_REPEAT if self._logged == (kind, source) else _PAUSE):
            return []
        self._logged, self._logged_at = (kind, source), now
        texts = (line, f"discarding advert from {source}: {why}")
        return [Record(Level.WARNING, instance, text) for text in texts if text]
