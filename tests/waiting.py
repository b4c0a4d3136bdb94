"""Waiting for events in tests: as short as the event lets it be, and never for ever."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Protocol

DEADLINE = 30.0  # seconds that an event may take on a busy machine; most take microseconds


class Readable(Protocol):
    """What select can wait for."""

    def fileno(self) -> int: ...


def readable(source: Readable | int, seconds: float = DEADLINE) -> bool:
    """Whether there was something to read in time."""
    return bool(select.select([source], [], [], seconds)[0])


def until(condition: Callable[[], object], seconds: float = DEADLINE) -> bool:
    """Whether `condition` came true in time; for what gives no descriptor to wait on."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
