"""Sockets that anybody on the link can fill, and a loop that must stay on time whatever comes.

A node of a thousand virtual routers hears a thousand adverts a second. Far more than that is no protocol but somebody's
garbage, and a process that takes all of it in is always busy: the scheduler makes it wait when its own timers are due.
So there is a limit for a node that holds addresses; what comes beyond it waits in the kernel, which drops what its
buffer cannot hold. A node that holds none has no adverts to be late with, but those of its master to find in all that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

RATE: Final = 1000.0  # packets a second, of all sockets together, above what the protocol brings
SHARE: Final = 8.0  # times the adverts of all virtual routers: each is heard twice, and may be answered
BURST: Final = 4000.0  # packets at once: several adverts of each of a thousand virtual routers


class Turnstile:
    """An event loop's add_reader and remove_reader. A callback returns how many packets it took."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limited: Callable[[], bool]) -> None:
        self._loop = loop
        self._limited = limited
        self._rate = RATE
        self._left, self._at = BURST, loop.time()
        self._closed: dict[int, asyncio.TimerHandle] = {}

    def expect(self, adverts: float) -> None:
        """So many adverts a second are what the configuration makes."""
        self._rate = RATE + SHARE * adverts

    def watch(self, descriptor: int, read: Callable[..., int], *words: Any) -> None:
        """Call `read` whenever there is something, unless there was too much."""
        self._loop.add_reader(descriptor, self._pass, descriptor, read, words)

    def unwatch(self, descriptor: int) -> None:
        """Leave it alone for good."""
        closed = self._closed.pop(descriptor, None)
        if closed is not None:
            closed.cancel()
        self._loop.remove_reader(descriptor)

    def _pass(self, descriptor: int, read: Callable[..., int], words: tuple[Any, ...]) -> None:
        count, now = read(*words), self._loop.time()
        self._left = min(self._left + (now - self._at) * self._rate, BURST) - count
        self._at = now
        if self._left < 0 and not self._limited():
            self._left = 0.0
        elif self._left < 0:
            self._loop.remove_reader(descriptor)
            pause = -self._left / self._rate
            self._closed[descriptor] = self._loop.call_later(pause, self._open, descriptor, read, words)

    def _open(self, descriptor: int, read: Callable[..., int], words: tuple[Any, ...]) -> None:
        del self._closed[descriptor]
        self.watch(descriptor, read, *words)
