"""What somebody waits for, done as one of the keeper's steps: one errand at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pyvrrp.mysql.failure import DatabaseError, Kind

Work = Callable[[], Awaitable[None]]


class Errands:
    """The one that waits, or is being run. `interrupt` has the keeper look for its next step."""

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt
        self._one: tuple[Work, asyncio.Future[None]] | None = None
        self._closed = False

    async def have_done(self, work: Work) -> None:
        """Wait until it is. Raises DatabaseError."""
        if self._closed:
            raise _over()
        if self._one is not None:
            raise DatabaseError(Kind.SQL, 0, "a switchover is under way")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._one = work, done
        self._interrupt()
        try:
            await done
        finally:
            self._one = None

    @property
    def waiting(self) -> bool:
        """Whether there is one to be run."""
        return self._one is not None and not self._one[1].done()

    async def run(self) -> None:
        """Run the one that is waiting."""
        if self._one is None:
            return
        work, done = self._one
        try:
            await work()
        except DatabaseError as error:
            if not done.done():
                done.set_exception(error)
        except Exception as error:  # the keeper says that it is ours; who waits is answered
            self._fail(DatabaseError(Kind.SQL, 0, f"a mistake of pyvrrp's: {error!r}"))
            raise
        else:
            if not done.done():
                done.set_result(None)

    def give_up(self, order: str) -> None:
        """An order, in words, comes first."""
        self._fail(DatabaseError(Kind.SQL, 0, f"it came to something else: {order}"))

    def close(self) -> None:
        """Nobody runs them any more."""
        self._closed = True
        self._fail(_over())

    def _fail(self, error: DatabaseError) -> None:
        if self._one is not None and not self._one[1].done():
            self._one[1].set_exception(error)


def _over() -> DatabaseError:
    return DatabaseError(Kind.SQL, 0, "nobody looks after this server any more: the configuration has changed")
