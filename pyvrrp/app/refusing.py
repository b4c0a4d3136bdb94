"""New connections to addresses whose database is being closed: answered with a reset, by a thread, in order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from pyvrrp.core.effects import Level, Record
from pyvrrp.core.settings import Address
from pyvrrp.errors import KernelError


class Refusing:
    """What the core wants refused, and what a switchover does besides. `refuse` is called in the thread."""

    def __init__(self, refuse: Callable[[str, Sequence[Address]], None], write: Callable[[Record], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._refuse = refuse
        self._write = write
        self._wanted: dict[str, tuple[Address, ...]] = {}
        self._thread: ThreadPoolExecutor | None = None
        self._closed = False

    def want(self, instance: str, addresses: tuple[Address, ...]) -> None:
        """The core wants these refused."""
        self._wanted[instance] = addresses
        self.refuse(instance, addresses)

    def refuse(self, instance: str, addresses: Sequence[Address]) -> None:
        """Answer new connections to these addresses with a reset, to others of the instance not."""
        if self._closed:
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="refuse")
        self._thread.submit(self._refuse_in_thread, instance, addresses)

    def readmit(self, instance: str) -> None:
        """Refuse no more than what the core wants refused."""
        self.refuse(instance, self._wanted.get(instance, ()))

    def stop(self) -> None:
        """Nothing more is taken up."""
        self._closed = True

    async def finish(self, within: float) -> None:
        """Wait until all of it is done, or so many seconds."""
        if self._thread is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self._loop.run_in_executor(self._thread, int)  # all before it is done
            self._thread.shutdown(wait=False)

    def _refuse_in_thread(self, instance: str, addresses: Sequence[Address]) -> None:
        try:
            self._refuse(instance, addresses)
        except KernelError as error:
            record = Record(Level.ERROR, instance, str(error))
            with contextlib.suppress(RuntimeError):  # the loop is over
                self._loop.call_soon_threadsafe(self._write, record)
