"""Ctrl-C, SIGTERM and a closed terminal: each unwinds the program, and none of them disturbs the cleaning up."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def unwind_on_signals() -> None:
    """From now on the first of these signals raises KeyboardInterrupt; those after it are ignored."""
    for number in ENDING:
        signal.signal(number, _unwind)


@contextlib.contextmanager
def put_off() -> Iterator[None]:
    """Let the block run to its end first; a signal that came meanwhile has its effect afterwards."""
    caught: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        caught.append(number)

    before = {number: signal.signal(number, remember) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if caught:
            signal.raise_signal(caught[0])


def _unwind(_number: int, _frame: FrameType | None) -> None:
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
