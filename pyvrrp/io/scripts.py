"""Scripts that are told of changes: of one subject one after the other, of different subjects side by side.

No script holds the daemon up: none is waited for, one that runs too long is ended, and what waits behind it is bounded.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from pyvrrp.core.effects import Level
from pyvrrp.core.settings import Command
from pyvrrp.errors import ScriptError
from pyvrrp.program import PATIENCE, Environment, Program, how_it_ended

AT_ONCE: Final = 32  # scripts that run side by side
WAITING: Final = 16  # scripts of one subject that wait behind the one that runs
LAST_PATIENCE: Final = 0.2  # seconds from SIGTERM to SIGKILL while the daemon ends
LAST_SCRIPTS: Final = 3  # one that hangs, notify_stop, notify: so many of a subject have their time while it ends


class ScriptQueue:
    """Runs scripts in order. `limit` is how many seconds one may run, `report` takes log lines."""

    def __init__(self, limit: float, report: Callable[[Level, str], None]) -> None:
        self.limit = limit
        self._report = report
        self._waiting: dict[str, deque[tuple[Command, Environment]]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._clocks: set[asyncio.Timeout] = set()
        self._failing: set[str] = set()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._starting = asyncio.Lock()
        self._patience = PATIENCE

    def put(self, subject: str, command: Command, environment: Environment = ()) -> None:
        """Run `command` when those before it of the same subject have ended. Where too many wait the oldest goes."""
        waiting = self._waiting.get(subject)
        if waiting is None:
            waiting = self._waiting[subject] = deque()
            worker = asyncio.get_running_loop().create_task(self._work(subject, waiting))
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        if len(waiting) == WAITING:
            oldest, _ = waiting.popleft()
            self._report(Level.WARNING, f"{oldest} was left out: {WAITING} scripts of {subject} wait for one that runs")
        waiting.append((command, environment))

    async def drain(self, seconds: float) -> None:
        """Let run what waits, but no script longer than `seconds` from now on; after thrice that nothing runs."""
        self.limit, self._patience = seconds, LAST_PATIENCE
        loop = asyncio.get_running_loop()
        self._end_by(loop.time() + seconds)
        if not self._workers:
            return
        _, late = await asyncio.wait(self._workers, timeout=LAST_SCRIPTS * seconds)
        for waiting in self._waiting.values():
            waiting.clear()
        self._end_by(loop.time())
        if late:
            await asyncio.wait(late, timeout=2 * LAST_PATIENCE)

    def _end_by(self, latest: float) -> None:
        for clock in self._clocks:
            if not clock.expired():
                clock.reschedule(min(latest, clock.when() or latest))

    async def _work(self, subject: str, waiting: deque[tuple[Command, Environment]]) -> None:
        while waiting:
            async with self._places:
                if waiting:  # drained meanwhile
                    await self._run(subject, *waiting.popleft())
        del self._waiting[subject]

    async def _run(self, subject: str, command: Command, environment: Environment) -> None:
        loop = asyncio.get_running_loop()
        try:
            program = await self._start(subject, command, environment)
        except ScriptError as error:
            self._report(Level.ERROR, f"{error} (for {subject})")
            return
        clock = asyncio.timeout(self.limit)
        began = loop.time()
        try:
            async with clock:
                self._clocks.add(clock)
                self._judge(subject, command, await program.ended())
        except TimeoutError:
            took = loop.time() - began
            self._report(Level.WARNING, f"{command} for {subject} still runs after {took:.1f} s and is ended")
            await program.end(self._patience)
        finally:
            self._clocks.discard(clock)

    async def _start(self, subject: str, command: Command, environment: Environment) -> Program:
        """Start it when no other is being started: a fork of the daemon takes milliseconds, and adverts do not wait.

        Nor is it given up, or it might come after its successor.
        """
        late = f"{command} for {subject} is not started yet: is its disk well?"
        async with self._starting:
            warning = asyncio.get_running_loop().call_later(self.limit, self._report, Level.WARNING, late)
            try:
                return await Program.start(command, environment)
            finally:
                warning.cancel()

    def _judge(self, subject: str, command: Command, status: int) -> None:
        """Failure is said once, until the script succeeds again."""
        script = command.words[0]
        if status == 0:
            self._failing.discard(script)
            self._report(Level.DEBUG, f"{command} for {subject} succeeded")
            return
        level = Level.DEBUG if script in self._failing else Level.NOTICE
        self._failing.add(script)
        self._report(level, f"{command} for {subject} {how_it_ended(status)}")
