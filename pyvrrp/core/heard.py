"""Which other master a virtual router hears, and whether it has said that it leaves."""

from __future__ import annotations

from pyvrrp.core import const
from pyvrrp.core.budget import Budget
from pyvrrp.core.effects import Effect, Level, Record
from pyvrrp.core.settings import Address
from pyvrrp.core.snapshot import MasterStatus
from pyvrrp.core.wire import Advert


class Heard:
    """The latest `master`; whether a BACKUP gives way to it (`following`), and how it is known that it has `left`."""

    __slots__ = ("_budget", "following", "left", "master")

    def __init__(self) -> None:
        self.master: MasterStatus | None = None
        self.following = False
        self.left = ""  # since its last advert
        self._budget = Budget()

    def note(self, instance: str, advert: Advert, source: Address, now: float) -> list[Effect]:
        """Remember who was heard; a record when it is somebody new."""
        if advert.priority == const.PRIORITY_RELEASE:
            return []
        known = self._is(source)
        self._remember(advert, source, now)
        if known or not self._budget.allows(now):
            return []
        return [Record(Level.INFO, instance, f"master is {source} with priority {advert.priority}")]

    def discard(self, instance: str, advert: Advert, source: Address, now: float) -> list[Effect]:
        """The same of a master that is not given way to."""
        known = self._is(source) and not self.following
        self.following = False
        self._remember(advert, source, now)
        if known or not self._budget.allows(now):
            return []
        text = f"received lower priority ({advert.priority}) advert from {source} - discarding"
        return [Record(Level.INFO, instance, text)]

    def leaves(self, how: str) -> None:
        """The master has said that it leaves."""
        self.left, self.following = how, False

    def forget(self) -> None:
        """A new state begins: who was about to leave then has left, to whomever."""
        self.left = ""
        self.following = False

    def _is(self, source: Address) -> bool:
        return self.master is not None and self.master.address == source

    def _remember(self, advert: Advert, source: Address, now: float) -> None:
        self.left = ""
        self.master = MasterStatus(source, advert.priority, advert.seconds, now)
