"""Waiting for something to become true, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable

from labkit.errors import LabError

POLL = 0.02  # seconds; short against everything that is waited for, long against the cost of one look


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Return once `condition` holds; LabError when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            raise LabError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(POLL)
