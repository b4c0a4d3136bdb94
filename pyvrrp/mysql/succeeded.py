"""Which of the two servers was active last, as far as this node can know it.

While its own writes are closed it looks at the other one. That one open is certain: it was active after this one. Two
things are only a doubt: its node was heard as MASTER (its server may have refused to be opened), and its heartbeat is
further than was known while this one was active (the last beats of a server that died may not have come here). A doubt
goes when that one's agent says that it was not last, or its heartbeat has not moved; until then nobody is opened for
having been the last one. All of it is remembered: who comes back from a crash may find nobody to ask.
"""

from __future__ import annotations

from typing import Final

from pyvrrp.mysql.memory import Memory
from pyvrrp.mysql.other import FRESH, Other

CLOSED: Final = frozenset({"closed", "closing"})
SHOWN: Final = 5  # ranges in a sentence
# Whether an agent believes that its server was active last; "" when it does not know.
YES: Final = "yes"
NO: Final = "no"


class Succession:
    """`here` is, in all calls, the newest heartbeat of the other one that has come here."""

    def __init__(self, memory: Memory, other: Other, now: float) -> None:
        self._memory = memory
        self._other = other
        self._since = now  # what was seen before its writes were opened or closed says nothing

    @property
    def was_last(self) -> bool:
        """Nobody's writes have been open since its were, as far as is known."""
        return self._memory.now.active and not self._memory.now.doubt

    @property
    def said(self) -> str:
        """The same for the other agent: YES, NO or ""."""
        return YES if self.was_last else NO if self._memory.now.successor else ""

    def opened(self, here: int, now: float) -> None:
        """Its writes are open."""
        self._since = now
        self._memory.change(active=True, successor="", doubt="", beat=max(here, self._other.beat))

    def closed(self, now: float) -> None:
        """They are not, from now on."""
        self._since = now

    def weigh(self, here: int, writes: str) -> None:
        """The other one was looked at, or its agent spoke."""
        seen, other = self._other.seen, self._other
        if seen is None or seen.at < self._since:
            return
        if writes in CLOSED and seen.open:
            self._memory.change(active=False, successor=other.name, doubt="")
        elif writes in CLOSED and self._memory.now.active:
            self._weigh_beat(here, seen.was_last)
        elif writes == "open" and not seen.open and other.beat:
            self._memory.change(beat=max(here, other.beat))  # all its beats are from before

    def heard(self, writes: str, now: float) -> None:
        """Another MASTER was heard, which may have its writes open."""
        seen, mine = self._other.seen, self._memory.now
        known = seen is not None and not seen.open and now - seen.at < FRESH
        if writes in CLOSED and mine.active and not mine.doubt and not known:
            self._memory.change(doubt=f"{self._other.name} was master after this node")

    def reason(self, missing: tuple[str, ...]) -> str:
        """Why it is not opened for having been the last one; `missing`: what the other one is known to have, and it
        has not."""
        mine = self._memory.now
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        what = "what it had is not known"
        if missing:
            what = f"it had at least {', '.join(missing[:SHOWN])}{more}, and this node has not"
        waits = f"{what}: this node waits for it, or for `pyvrrpctl promote --force`"
        if mine.successor:
            return f"{mine.successor} was active last; {waits}"
        if mine.doubt:
            return f"{mine.doubt}; {waits}"
        return (
            "which node was active last is not known: `pyvrrpctl promote --force` on the one that has everything"
            " makes it active"
        )

    def _weigh_beat(self, here: int, said: str) -> None:
        """Its heartbeat is known to be there; whether it is from after this one's time is the question."""
        mine, beat = self._memory.now, self._other.beat
        known = max(mine.beat, here)
        if said == NO or (0 < beat <= known and said != YES):  # the beat that an agent tells may be a moment old
            self._memory.change(doubt="")
        elif beat > known and not mine.doubt:
            self._memory.change(
                doubt=f"{self._other.name} may have been active after this node: its heartbeat is {beat}, and {known}"
                " is the last that this node knew of while it was active"
            )
