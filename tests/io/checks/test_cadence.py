"""When a check runs."""

from __future__ import annotations

import asyncio
import itertools
import socket
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from pyvrrp.core.settings import CheckSettings, Command, InterfaceProbe, ScriptProbe, TcpProbe
from pyvrrp.io.checks import Check, make_check
from pyvrrp.io.checks.check import Outcome, Prober
from tests.io.checks.running import Reports, run
from tests.netns import Namespace

pytestmark = pytest.mark.lab

MYSQL = TcpProbe("127.0.0.1", 3306)


def test_a_failure_is_looked_into_again_soon_until_it_is_one(host: Namespace) -> None:
    async def test(_check: Check, reports: Reports) -> None:
        times = [(await reports.next())[0] for _ in range(3)]
        assert 0.09 < times[1] - times[0] < 1
        assert 0.09 < times[2] - times[1] < 1
        with pytest.raises(TimeoutError):  # down: from now on at leisure
            await asyncio.wait_for(reports.next(), 0.5)

    with host.inside():
        run(test, CheckSettings("mysql", MYSQL, interval=60, fall=3, retry_interval=0.1))


def test_a_success_ends_the_haste(host: Namespace) -> None:
    async def test(_check: Check, reports: Reports) -> None:
        _, result = await reports.next()
        assert not result.ok
        with socket.create_server(("127.0.0.1", 3306)):
            _, result = await reports.next()
            assert result.ok
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reports.next(), 0.5)

    with host.inside():
        run(test, CheckSettings("mysql", MYSQL, interval=60, fall=3, retry_interval=0.1))


def test_after_the_haste_comes_the_usual_cadence(host: Namespace) -> None:
    async def test(_check: Check, reports: Reports) -> None:
        times = [(await reports.next())[0] for _ in range(4)]
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert gaps[0] < 0.25 < gaps[1]
        assert gaps[2] > 0.25

    with host.inside():
        run(test, CheckSettings("mysql", MYSQL, interval=0.3, fall=2, retry_interval=0.05))


def test_haste_may_be_without_a_pause() -> None:
    async def test(_check: Check, reports: Reports) -> None:
        times = [(await reports.next())[0] for _ in range(3)]
        assert times[2] - times[0] < 2

    endless = ScriptProbe(Command(("/bin/sleep", "60")))  # after the time-out it is still to be ended
    run(test, CheckSettings("script", endless, interval=60, timeout=0.05, fall=3, retry_interval=0.0))


class Waiting(Prober):
    """Says how often it was asked, each time when it is let."""

    def __init__(self, settings: CheckSettings) -> None:
        super().__init__(settings)
        self.times = self.ended = 0
        self.asked = asyncio.Event()
        self.let = asyncio.Semaphore(0)
        self.hurry: Callable[[], None]

    async def look(self) -> Outcome:
        """See Prober."""
        self.times += 1
        self.asked.set()
        times = self.times
        await self.let.acquire()
        self.ended += 1
        return Outcome(True, str(times))

    def watch(self, hurry: Callable[[], None]) -> None:
        """See Prober."""
        self.hurry = hurry


def test_what_happens_during_a_run_makes_for_another_one() -> None:
    async def main() -> None:
        reports = Reports()
        settings = CheckSettings("it", MYSQL, interval=60)
        prober = Waiting(settings)
        check = Check(settings, prober, reports)
        check.start()
        await prober.asked.wait()
        for _ in range(5):
            prober.hurry()
        for _ in range(3):
            prober.let.release()
        assert [(await reports.next())[1].detail for _ in range(2)] == ["1", "2"]
        await asyncio.sleep(0.05)
        assert reports.queue.empty()  # two, not six
        prober.hurry()
        assert (await reports.next())[1].detail == "3"
        check.stop()

    asyncio.run(main())


def test_a_run_that_is_stopped_goes_no_further() -> None:
    async def main() -> None:
        reports = Reports()
        settings = CheckSettings("it", MYSQL, interval=60)
        prober = Waiting(settings)
        check = Check(settings, prober, reports)
        check.start()
        await prober.asked.wait()
        prober.let.release()  # it would go on in the next turn
        check.stop()
        await asyncio.sleep(0.01)
        assert prober.ended == 0
        assert reports.queue.empty()

    asyncio.run(main())


def test_checks_that_warm_up_do_not_begin_together(host: Namespace) -> None:
    async def main() -> None:
        reports = Reports()
        checks = [make_check(CheckSettings(str(n), MYSQL, interval=60, warmup=0.5), reports) for n in range(20)]
        began = time.monotonic()
        for check in checks:
            check.start()
        times = [(await reports.next())[0] - began for _ in checks]
        for check in checks:
            check.stop()
        assert times[0] < 0.4  # all of them later: once in 10^14 runs
        assert times[-1] - times[0] > 0.1

    with host.inside():
        asyncio.run(main())


def test_nothing_runs_for_an_interface() -> None:
    with pytest.raises(ValueError, match="interface eth0"):
        make_check(CheckSettings("link", InterfaceProbe("eth0")), lambda _: None)


def test_the_daemon_carries_only_what_its_checks_need() -> None:
    program = """
import sys
from pyvrrp.core.settings import CheckSettings, HttpProbe, HttpUrl, TcpProbe
from pyvrrp.io.checks import make_check

for probe in TcpProbe("127.0.0.1", 3306), HttpProbe("127.0.0.1", 80, (HttpUrl("/"),)):
    make_check(CheckSettings("it", probe), print)
    print("http.client" in sys.modules)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True)
    assert ended.stdout.split() == ["False", "True"]
