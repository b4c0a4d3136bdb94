"""The active server's heartbeat, as it arrives at a standby: what the age of its replication is measured by.

Seconds_Behind_Master says 0 of a source that has stopped sending, and nothing of one that is dead. The row that the
active one writes with each probe moves here when it has been applied. How long it has stood still counts up to the last
word of the active's agent, so that a standby whose source has died does not fall behind from then on. All by this
host's monotonic clock.
"""

from __future__ import annotations

from collections.abc import Mapping


class Pulse:
    """`moved`: when a beat last came; `moves`: whether any do; `word`: when the active's agent last spoke."""

    def __init__(self, now: float) -> None:
        self.moved = now
        self.word = 0.0
        self.moves = False
        self._beats: Mapping[int, int] | None = None

    @property
    def heard_any(self) -> bool:
        """Whether another active node was ever there."""
        return self.word > 0.0

    def saw(self, beats: Mapping[int, int], now: float) -> None:
        """The newest beat of each other server that is here."""
        if beats == self._beats:
            return
        self.moves = self.moves or self._beats is not None
        self._beats, self.moved = dict(beats), now

    def heard(self, now: float) -> None:
        """The active node's agent spoke."""
        self.word = max(self.word, now)

    def restart(self, now: float) -> None:
        """Replication begins anew: what was not to come yet is not late."""
        self.moved, self.moves = now, False
