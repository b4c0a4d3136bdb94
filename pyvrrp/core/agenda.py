"""Who wants to be called when: a heap with one entry for each party, corrected when it comes up.

A BACKUP's deadline moves with every advert it hears. Its entry stays where it is and is put right when its old time
comes, so hearing costs nothing here.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Final, Generic, Protocol, TypeVar

_NEVER: Final = float("inf")


class Party(Protocol):
    """Anything that knows when it wants to be called next; None is never."""

    def next_deadline(self) -> float | None:
        """Monotonic seconds."""


P = TypeVar("P", bound=Party)


class Agenda(Generic[P]):
    """The earliest deadline of many parties."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, P]] = []
        self._entered: dict[P, float] = {}
        self._order = 0  # of entries for the same time; plain data, as a recording begins with all of it

    def note(self, party: P) -> None:
        """The party's deadline may have changed."""
        due = party.next_deadline()
        if due is not None and due < self._entered.get(party, _NEVER):
            self._entered[party] = due
            heapq.heappush(self._heap, (due, self._order, party))
            self._order += 1

    def next(self) -> float | None:
        """The earliest deadline of all."""
        heap = self._heap
        while heap:
            entered, _, party = heap[0]
            due = party.next_deadline()
            if self._entered.get(party) == entered and due is not None and due <= entered:
                return entered
            self._take_first()
            self.note(party)
        return None

    def due(self, now: float) -> Iterator[P]:
        """The parties whose deadline has come, earliest first, each once; the caller notes them again."""
        parties: list[P] = []
        while (first := self.next()) is not None and first <= now:
            parties.append(self._take_first())
        return iter(dict.fromkeys(parties))  # one whose deadline moved forward has two entries

    def _take_first(self) -> P:
        entered, _, party = heapq.heappop(self._heap)
        if self._entered.get(party) == entered:
            del self._entered[party]
        return party
