"""A check that runs while a test looks on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from pyvrrp.core.events import CheckResult
from pyvrrp.core.settings import CheckSettings, Probe
from pyvrrp.io.checks import Check, make_check
from tests.waiting import DEADLINE


class Reports:
    """What a check reported, each with its time."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[tuple[float, CheckResult]] = asyncio.Queue()

    def __call__(self, result: CheckResult) -> None:
        self.queue.put_nowait((time.monotonic(), result))

    async def next(self) -> tuple[float, CheckResult]:
        async with asyncio.timeout(DEADLINE):
            return await self.queue.get()

    async def until(self, wanted: Callable[[CheckResult], bool]) -> CheckResult:
        """The first report from now on that is wanted."""
        async with asyncio.timeout(DEADLINE):
            while True:
                _, result = await self.queue.get()
                if wanted(result):
                    return result


def run(test: Callable[[Check, Reports], Coroutine[None, None, None]], settings: CheckSettings) -> None:
    """Run `test` beside a check that was started. What the daemon would take for a bug of its own fails the test."""

    async def main() -> None:
        bugs: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: bugs.append(context))
        reports = Reports()
        check = make_check(settings, reports)
        check.start()
        try:
            await test(check, reports)
        finally:
            check.stop()
            await _settle()
        assert not bugs, bugs

    asyncio.run(main())


async def look(probe: Probe, timeout: float = DEADLINE) -> CheckResult:  # noqa: ASYNC109  # the check's
    """What the first run of a check finds, in a loop that goes on."""
    reports = Reports()
    check = make_check(CheckSettings("it", probe, interval=60, timeout=timeout), reports)
    check.start()
    try:
        _, result = await reports.next()
    finally:
        check.stop()
    return result


def found(probe: Probe, timeout: float = DEADLINE) -> CheckResult:
    """What the first run of a check finds."""
    results = []

    async def test(_check: Check, reports: Reports) -> None:
        results.append((await reports.next())[1])

    run(test, CheckSettings("it", probe, interval=60, timeout=timeout))
    return results[0]


async def _settle() -> None:
    """A check that was stopped clears up behind itself."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    if rest:
        _, late = await asyncio.wait(rest, timeout=DEADLINE)
        assert not late
