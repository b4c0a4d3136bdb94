"""Scripts: does a program end with status 0?"""

from __future__ import annotations

import asyncio

from pyvrrp.core.settings import CheckSettings, ScriptProbe
from pyvrrp.errors import ScriptError
from pyvrrp.io.checks.check import Outcome, Prober
from pyvrrp.program import PATIENCE, Program


class ScriptProber(Prober):
    """Runs a program; one that takes too long is ended with all that it started. Its exit status is the value."""

    def __init__(self, probe: ScriptProbe, settings: CheckSettings) -> None:
        super().__init__(settings)
        self._probe = probe
        self._starting: asyncio.Task[Program] | None = None
        self._late: asyncio.Task[None] | None = None

    async def look(self) -> Outcome:
        """See Prober."""
        if self._starting is not None and not self._starting.done():
            return Outcome(False, f"cannot run {self._target}: the run before still hangs")
        # A task of its own: what has begun to start must be known, or it could not be ended.
        self._starting = starting = asyncio.create_task(Program.start(self._probe.command))
        try:
            await asyncio.wait({starting})
            program = starting.result()
            return self._verdict(await program.ended())
        except ScriptError as error:
            return Outcome(False, str(error))
        except asyncio.CancelledError:
            await asyncio.wait({starting}, timeout=PATIENCE)
            if starting.done():
                await _end(starting)
            else:
                starting.add_done_callback(self._came_late)
            raise

    def overdue(self) -> Outcome:
        """See Prober."""
        return Outcome(False, "timed_out")

    def _came_late(self, starting: asyncio.Task[Program]) -> None:
        self._late = asyncio.get_running_loop().create_task(_end(starting))

    def _verdict(self, status: int) -> Outcome:
        if status < 0:
            return Outcome(False, f"due to signal {-status}")
        return Outcome(status == 0 or (self._probe.dynamic and status > 1), f"exited with status {status}", status)


async def _end(starting: asyncio.Task[Program]) -> None:
    if not starting.cancelled() and starting.exception() is None:
        await starting.result().end(PATIENCE)
