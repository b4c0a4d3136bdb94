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

Lists = tuple[frozenset[Address], frozenset[Address]]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What a neighbour's adverts say against our own list: `reason`, since when, and until when they count."""

    source: Address
    reason: str
    lists: Lists
    since: float
    until: float
    heard: float
    logged: float = float("-inf")

    def sentence(self, now: float) -> str:
        """What is going on, and how long there is to end it."""
        left = span(max(self.until - now, 0.0))
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
        lists = frozenset(advert.addresses), frozenset(each.address for each in settings.addresses)
        # Nobody's list is empty on purpose: RFC 9568 section 5.2.5 has it ignored (erratum 8299).
        if not lists[0] or not (followed or lists[0] & lists[1]):
            return None
        known = self._known.get(source)
        # A reload of ours begins it anew, and so does a neighbour that was away.
        if known is None or known.lists[1] != lists[1] or now - known.heard > settings.list_tolerance:
            known = self._begin(source, reason, lists, settings, now)
        if known is None:
            return None
        known = replace(known, reason=reason, lists=lists, heard=now)
        records: list[Effect] = []
        if now < known.until and now - known.logged >= _REPEAT:
            known = replace(known, logged=now)
            records.append(Record(Level.WARNING, settings.name, known.sentence(now)))
        self._known[source] = known
        self.count += now < known.until
        return records if now < known.until else None

    def _begin(
        self, source: Address, reason: str, lists: Lists, settings: InstanceSettings, now: float
    ) -> Disagreement | None:
        bound = settings.list_tolerance
        self._known = {each.source: each for each in self._known.values() if now - each.heard <= bound}
        if len(self._known) >= _NEIGHBOURS and source not in self._known:
            return None
        return Disagreement(source, reason, lists, now, now + bound, now)


def span(seconds: float) -> str:
    """A duration as people say it: `4 min 12 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return (
        " ".join(text for text in (f"{minutes} min" if minutes else "", f"{rest} s" if rest else "") if text) or "0 s"
    )
