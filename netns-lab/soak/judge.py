"""Who held the address, measured against what was allowed: the sums of a soak. Pure: no clock, no process.

The whole time is divided into episodes, each of one fault and of the calm after it. In each, the time without a holder
and the time with two are measured, and what the fault allows is taken off; what is left is the program's own doing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

NANO = 1e9


@dataclass(slots=True)
class Allowance:
    """What a fault may cost, in seconds, and why."""

    gap: float = 0.0
    overlap: float = 0.0
    why: list[str] = field(default_factory=list)

    def add(self, why: str, *, gap: float = 0.0, overlap: float = 0.0) -> None:
        """One more thing that may happen."""
        self.gap += gap
        self.overlap += overlap
        self.why.append(f"{why} ({' and '.join(_parts(gap, overlap))})")


@dataclass(slots=True)
class Episode:
    """A fault with all that follows from it. Times are nanoseconds; `stall` is the machine's longest, in seconds."""

    kind: str
    text: str
    began: int
    ended: int = 0
    allowance: Allowance = field(default_factory=Allowance)
    stall: float = 0.0
    calm: bool = True


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an episode came to, in seconds: measured, and beyond what was allowed."""

    episode: Episode
    gap: float
    overlap: float
    excess_gap: float
    excess_overlap: float


def judge(episodes: Sequence[Episode], changes: Iterable[tuple[int, str, bool]], margin: float) -> list[Judgement]:
    """Every episode, in order. `changes` are (when, node, holds); the margin is granted to every sum that is not 0."""
    pieces = _pieces(changes, episodes[-1].ended if episodes else 0)
    return [_judged(each, pieces, margin) for each in episodes]


def _judged(episode: Episode, pieces: Sequence[tuple[int, int, int]], margin: float) -> Judgement:
    spent = {0: 0, 2: 0}
    for begin, end, holders in pieces:
        inside = min(end, episode.ended) - max(begin, episode.began)
        if inside > 0 and holders in spent:
            spent[holders] += inside
    gap, overlap = spent[0] / NANO, spent[2] / NANO
    # A process that is to act within so much of another's act must be run, and the machine stood still meanwhile.
    granted = margin + 2 * episode.stall
    return Judgement(
        episode,
        gap,
        overlap,
        max(0.0, gap - episode.allowance.gap - granted),
        max(0.0, overlap - episode.allowance.overlap - granted),
    )


def _pieces(changes: Iterable[tuple[int, str, bool]], end: int) -> list[tuple[int, int, int]]:
    """(from, to, number of holders, 2 for more) of the whole time."""
    found: list[tuple[int, int, int]] = []
    holders: set[str] = set()
    since = 0
    for at, node, holds in changes:
        found.append((since, at, min(len(holders), 2)))
        (holders.add if holds else holders.discard)(node)
        since = at
    found.append((since, end, min(len(holders), 2)))
    return found


def _parts(gap: float, overlap: float) -> list[str]:
    parts = [f"{gap:.2f} s without"] if gap else []
    return parts + ([f"{overlap:.2f} s with two"] if overlap else []) or ["nothing"]
