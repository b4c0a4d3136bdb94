"""A regular expression over what a server sent, in bounded time."""

from __future__ import annotations

import re
import signal
from types import FrameType
from typing import Final

PROCESSOR_TIME: Final = 0.01  # seconds; the kernel may round it up by a tick of its clock


def found(pattern: str, text: bytes) -> bool:
    """Whether `pattern` is somewhere in `text`. Raises re.error, and TimeoutError when it takes too long to tell.

    Backtracking can take for ever, and a thread would not help: re keeps the interpreter to itself. But it heeds
    signals. Only for the main thread, where Python takes them.
    """
    signal.signal(signal.SIGVTALRM, _give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, PROCESSOR_TIME)
    try:
        return re.search(pattern.encode(), text) is not None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _give_up(_number: int, _frame: FrameType | None) -> None:
    raise TimeoutError
