"""Work that may block, off the event loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable
from errno import EAGAIN
from typing import Any, TypeVar

T = TypeVar("T")


class Worker:
    """One check's blocking work, one piece at a time, each in a thread: what hangs hangs alone, and at most once.

    A pool would not do: a few hung pieces fill it, and Python waits for its threads before it ends.
    """

    def __init__(self) -> None:
        self._last: concurrent.futures.Future[Any] | None = None

    def do(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Begin `work`; its result. Raises OSError while an earlier piece, given up by its caller, still hangs."""
        if self._last is not None and not self._last.done():
            raise OSError("the run before still hangs")
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        future.set_running_or_notify_cancel()  # from now on nobody can cancel it
        try:
            threading.Thread(target=_work, args=(work, future), daemon=True).start()
        except RuntimeError as error:
            raise OSError(EAGAIN, str(error)) from error
        self._last = future
        return asyncio.wrap_future(future)


def _work(work: Callable[[], T], future: concurrent.futures.Future[T]) -> None:
    try:
        future.set_result(work())
    except Exception as error:  # noqa: BLE001  # the one who waits gets it
        future.set_exception(error)
