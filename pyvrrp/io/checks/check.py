"""A check's cadence: when its probe is sent, how long it may take, what is reported."""

from __future__ import annotations

import asyncio
import math
import os
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pyvrrp.core.events import CheckResult
from pyvrrp.core.settings import CheckSettings

SHORTEST_RETRY: Final = 0.01  # seconds; keepalived allows 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run found. `refused`: nothing listens there. `conclusive`: the prober has confirmed it itself."""

    ok: bool
    detail: str
    value: int = 0
    refused: bool = False
    conclusive: bool = False


class Prober(ABC):
    """Looks after one thing, once for each call of `look`."""

    def __init__(self, settings: CheckSettings) -> None:
        self._target = str(settings.probe)
        self._timeout = settings.timeout

    @abstractmethod
    async def look(self) -> Outcome:
        """What there is now. Raises OSError.

        It is cancelled when its time is over. It may then take its time to clear up; until it has, no other run begins.
        """

    def overdue(self) -> Outcome:
        """What it means that `look` did not come back in time."""
        return Outcome(False, f"{self._target} did not answer in {self._timeout:g} s")

    def watch(self, hurry: Callable[[], None]) -> None:  # noqa: B027  # most have nothing to watch
        """Call `hurry` whenever there is news that should not wait for the next run, until `close`."""

    def close(self) -> None:  # noqa: B027
        """Let go of what `watch` and `look` keep open."""


class Check:
    """Runs a prober every `interval` and reports.

    The cadence never drifts; a run that outlasts the interval makes the runs it overlaps fall out. With a
    `retry_interval` a failure that is not yet the `fall`th in a row starts the cadence anew, that much later.
    """

    def __init__(self, settings: CheckSettings, prober: Prober, report: Callable[[CheckResult], None]) -> None:
        self.settings = settings
        self._prober = prober
        self._report = report
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._run: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[Outcome] | None = None
        self._again = False  # something happened while a run was under way
        self._failures = 0

    def start(self) -> None:
        """Run now, or after a random part of `warmup`, and every `interval` from then on. Inside the running loop."""
        self._loop = asyncio.get_running_loop()
        self._prober.watch(self._hurry)
        delay = random.uniform(0, self.settings.warmup)  # noqa: S311  # only to spread the load
        self._arm(self._loop, self._loop.time() + delay, self.settings.interval)

    def confirm(self) -> None:
        """Run once more at once, in place of a run under way; a refused connection is then conclusive."""
        if self._loop is None:
            return
        if self._run is not None:
            self._run.cancel()
        self._run = self._loop.create_task(self._perform(self._loop, confirming=True))

    def stop(self) -> None:
        """No report comes after this."""
        if self._timer is not None:
            self._timer.cancel()
        if self._run is not None:
            self._run.cancel()
        if self._looking is not None:
            self._looking.cancel()
        self._loop = self._timer = self._run = self._looking = None
        self._prober.close()

    def _hurry(self) -> None:
        self._again = True
        if self._loop is not None and self._idle():
            self._run = self._loop.create_task(self._perform(self._loop))

    def _idle(self) -> bool:
        return self._run is None or self._run.done()

    def _arm(self, loop: asyncio.AbstractEventLoop, due: float, pause: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(due, self._tick, loop, due, pause)

    def _tick(self, loop: asyncio.AbstractEventLoop, due: float, pause: float) -> None:
        """`pause` is when to come again if a run is still under way."""
        if self._idle():
            self._run = loop.create_task(self._perform(loop))
            pause = self.settings.interval
        # The loop may have been late by more than one pause: the cadence stays, what was missed is left out.
        self._arm(loop, due + pause * max(1, math.ceil((loop.time() - due) / pause)), pause)

    async def _perform(self, loop: asyncio.AbstractEventLoop, *, confirming: bool = False) -> None:
        again = True
        while again:
            self._again = False
            await self._once(loop, confirming=confirming)
            again = self._again

    async def _once(self, loop: asyncio.AbstractEventLoop, *, confirming: bool) -> None:
        began = loop.time()
        self._looking = looking = loop.create_task(self._prober.look())
        looking.add_done_callback(_hear_out)
        try:
            await asyncio.wait({looking}, timeout=self.settings.timeout)
            outcome = self._outcome(looking) if looking.done() else self._prober.overdue()
            self._tell(loop, outcome, loop.time() - began, confirming=confirming)
        finally:
            looking.cancel()
        if not looking.done():
            await asyncio.wait({looking})

    def _outcome(self, looking: asyncio.Task[Outcome]) -> Outcome:
        try:
            return looking.result()
        except ConnectionRefusedError:
            return Outcome(False, f"{self.settings.probe} refused the connection", refused=True)
        except OSError as error:
            # asyncio has no words for a connection that ends in the middle of a TLS handshake.
            reason = os.strerror(error.errno) if error.errno else str(error) or "the connection was closed"
            return Outcome(False, f"{self.settings.probe}: {reason}")

    def _tell(self, loop: asyncio.AbstractEventLoop, outcome: Outcome, took: float, *, confirming: bool) -> None:
        self._failures = 0 if outcome.ok else self._failures + 1
        retry = self.settings.retry_interval
        if retry is not None and 0 < self._failures < self.settings.fall:
            pause = max(retry, SHORTEST_RETRY)
            self._arm(loop, loop.time() + pause, pause)
        conclusive = outcome.conclusive or (confirming and outcome.refused)
        self._report(CheckResult(self.settings.name, outcome.ok, outcome.detail, took, conclusive, outcome.value))


def _hear_out(looking: asyncio.Task[Outcome]) -> None:
    """What goes wrong after the time was over is of no interest; asyncio would complain that nobody asked."""
    if not looking.cancelled():
        looking.exception()
