"""Writing a recording: what the node is told and what it decides, a line of JSON each time.

    {"recording": 1, "begins": "start" | "midway", "now": ..., "wall": ..., "settings": ..., "objects": n, ...}
    n lines                                  the node as it was (photograph.py); none when it begins with the start
    {"now": ..., "event": ..., "effects": [...], "deadline": ...}          one event each; `deadline` ends a turn
    {"end": "why"}                           none when the daemon had no time to say so

Nothing here waits: the turns queue up, a bounded number of them, until somebody asks for lines.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pyvrrp import __version__
from pyvrrp.core.effects import Effect
from pyvrrp.core.events import Event
from pyvrrp.core.node import Node
from pyvrrp.core.settings import NodeSettings, shape
from pyvrrp.recording import plain
from pyvrrp.recording.disguise import Disguise, unsaid
from pyvrrp.recording.photograph import Photograph
from pyvrrp.recording.plain import Plainly

START, MIDWAY = "start", "midway"
_OPEN: Final = "the turn goes on"


class Reel:
    """One recording in the making. `key` is random, for the pseudonyms of its passwords.

    It begins with `node` as it is. `born` is the time that the node was made with, if nothing has happened to it yet.
    """

    def __init__(
        self, node: Node, now: float, wall: float, key: bytes, born: float | None = None, limit: int = 1_000_000
    ) -> None:
        self.lost = False  # whether more happened than could be kept
        self.taken = 0  # events
        self._opened = False  # whether what it begins with is written
        self._plainly = Plainly(Disguise(key).veil)
        self._limit, self._weight = limit, 0
        self._turns: deque[list[Any]] = deque()
        photograph = Photograph(node) if born is None else None
        begin = now if born is None else born
        self._first = self._opening(node.settings, begin, wall - (now - begin), photograph)

    def _opening(
        self, settings: NodeSettings, now: float, wall: float, photograph: Photograph | None
    ) -> Iterator[dict[str, Any]]:
        yield {
            "recording": plain.VERSION,
            "pyvrrp": __version__,
            "shape": fingerprint(),
            "begins": START if photograph is None else MIDWAY,
            "now": now,
            "wall": wall,
            "settings": self._plainly.encode(settings),
            "objects": 0 if photograph is None else len(photograph),
        }
        if photograph is not None:
            yield from photograph.lines(self._plainly)

    # --- what happens -------------------------------------------------------------------------------------------------

    def turn(self, now: float, event: Event, effects: Sequence[Effect], raised: str = "") -> None:
        """The node was handed an event, and asked for these effects, or failed."""
        self._weight += 1 + len(effects)
        if self._weight > self._limit:
            self.lost = True
        if not self.lost:
            self.taken += 1
            self._turns.append([now, event, effects, _OPEN, raised])

    def deadline(self, due: float | None) -> None:
        """The turn is over; the node wants to be called then."""
        if self._turns and not self.lost:
            self._turns[-1][3] = due

    @property
    def empty(self) -> bool:
        """Whether nothing waits to be written."""
        return self._opened and not self._turns

    def ending(self, why: str) -> str:
        """The last line."""
        return ending(why)

    # --- what is written ----------------------------------------------------------------------------------------------

    def lines(self, most: int) -> str:
        """Up to `most` lines that wait, each with its line feed; "" when none does."""
        written: list[str] = []
        while len(written) < most and (line := self._next()) is not None:
            written.append(unsaid(json.dumps(line, ensure_ascii=False, allow_nan=False, separators=(",", ":"))) + "\n")
        return "".join(written)

    def _next(self) -> Any:
        opening = next(self._first, None)
        if opening is not None:
            return opening
        self._opened = True
        if not self._turns:
            return None
        now, event, effects, due, raised = self._turns.popleft()
        self._weight -= 1 + len(effects)
        encode = self._plainly.encode
        line = {"now": now, "event": encode(event), "effects": [encode(each) for each in effects]}
        if due is not _OPEN:
            line["deadline"] = due
        return line | {"raised": raised} if raised else line


def ending(why: str) -> str:
    """The last line of a recording."""
    return json.dumps({"end": why}) + "\n"


def fingerprint() -> str:
    """Tells apart versions whose settings are not made alike."""
    return hashlib.sha256(shape().encode()).hexdigest()[:12]
