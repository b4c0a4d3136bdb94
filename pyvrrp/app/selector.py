"""What the event loop sleeps on."""

from __future__ import annotations

import select
import selectors


class PreciseSelector(selectors.EpollSelector):
    """epoll, waking up on time.

    epoll_wait counts whole milliseconds, and Python rounds up: every timer is up to one late. select counts
    microseconds, and an epoll descriptor is one that select can wait for.
    """

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Ready descriptors, after `timeout` seconds at the latest; None waits for ever."""
        if timeout is not None and timeout > 0:
            select.select([self], [], [], timeout)
            timeout = 0
        return super().select(timeout)
