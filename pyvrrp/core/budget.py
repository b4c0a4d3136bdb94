"""Log lines about what strangers send: a few at once, then one a second, whoever they say they are.

Each sender's complaints are spaced out where they are made. That alone is no bound: a sender can invent others.
"""

from __future__ import annotations

from typing import Final

_AT_ONCE: Final = 20.0  # lines; more than a virtual router has nodes
_NEVER: Final = float("-inf")


class Budget:
    """What is left to say about others."""

    __slots__ = ("_at", "_left")

    def __init__(self) -> None:
        self._left, self._at = _AT_ONCE, _NEVER

    def allows(self, now: float) -> bool:
        """Whether there is a line left; it is spent then."""
        self._left, self._at = min(self._left + (now - self._at), _AT_ONCE), now  # one a second comes back
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
