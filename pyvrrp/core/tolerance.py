"""A neighbour that advertises another list of addresses still counts for a while: one of the two is being reconfigured.

keepalived turns it away at once, so changing the addresses on one node makes two masters. Here it counts for
`list_tolerance` seconds from its first such advert, if the lists have an address in common or it is the master that
was followed already. Neither is so for a stranger that uses the same VRID for addresses of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from pyvrrp.core.effects import Effect, Level, Record
from pyvrrp.core.settings import Address, InstanceSettings
from pyvrrp.core.wire import Advert

_NEIGHBOURS: Final = 16  # that are remembered: more nodes than a virtual router has, and an end for invented ones
_REPEAT: Final = 60.0  # seconds between two log lines about the same neighbour
_NEVER: Final = float("-inf")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What a neighbour's adverts say against `ours`, our own list: `reason`, and until when they count."""

    source: Address
    ours: frozenset[Address]
    until: float
    reason: str = ""
    heard: float = _NEVER
    logged: float = _NEVER

    def sentence(self, now: float) -> str:
        """What is going on, and how long there is to end it."""
        left = span(self.until - now)
        return f"{self.source} is followed although {self.reason}: reload the node that is behind within {left}"


class Tolerance:
    """The neighbours of one virtual router that disagree about its addresses."""

    __slots__ = ("_known", "count")

    def __init__(self) -> None:
        self._known: dict[Address, Disagreement] = {}
        self.count = 0  # adverts that counted all the same

    def current(self, now: float) -> Iterator[Disagreement]:
        """Those that are being followed now."""
        return (each for each in self._known.values() if now < each.until)

    def agrees(self, source: Address, name: str) -> list[Effect]:
        """The neighbour has the same list again."""
        if self._known.pop(source, None) is None:
            return []
        return [Record(Level.NOTICE, name, f"{source} has the same virtual addresses again")]

    def bears(
        self, advert: Advert, source: Address, reason: str, settings: InstanceSettings, followed: bool, now: float
    ) -> list[Effect] | None:
        """What is to be said of an advert whose only flaw is its list; None when it does not count."""
        ours = frozenset(each.address for each in settings.addresses)
        # Nobody's list is empty on purpose: RFC 9568 section 5.2.5 has it ignored (erratum 8299).
        if not advert.addresses or not (followed or ours.intersection(advert.addresses)):
            return None
        known = self._known.get(source)
        # A reload of ours begins it anew, and so does a neighbour that was away.
        if known is None or known.ours != ours or now - known.heard > settings.list_tolerance:
            known = self._begin(source, ours, settings.list_tolerance, now)
        if known is None:
            return None
        self._known[source] = known = replace(known, reason=reason, heard=now)
        if now >= known.until:
            return None
        self.count += 1
        if now - known.logged < _REPEAT:
            return []
        self._known[source] = replace(known, logged=now)
        return [Record(Level.WARNING, settings.name, known.sentence(now))]

    def _begin(self, source: Address, ours: frozenset[Address], bound: float, now: float) -> Disagreement | None:
        self._known = {each.source: each for each in self._known.values() if now - each.heard <= bound}
        if len(self._known) >= _NEIGHBOURS and source not in self._known:
            return None
        return Disagreement(source, ours, now + bound)


def span(seconds: float) -> str:
    """A duration as people say it: `4 min 12 s`."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
