"""A check of type mysql beside a real server, with an account and without."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from pyvrrp.app.checkup import Checkup
from pyvrrp.core.events import CheckResult
from pyvrrp.core.settings import Account, CheckSettings, MysqlProbe
from tests.mysql.server import Server, available, running

pytestmark = [
    pytest.mark.lab,  # seconds each
    pytest.mark.skipif(not available(), reason="needs MariaDB, and root"),
]

PATIENCE = 30.0


class Running(Checkup):
    """A checkup whose results wait to be looked at. To be made inside a running loop."""

    def __init__(self) -> None:
        self.reported: asyncio.Queue[CheckResult] = asyncio.Queue()
        super().__init__(asyncio.get_running_loop(), self.reported.put_nowait, lambda _level, text: pytest.fail(text))

    async def until(self, wanted: Callable[[CheckResult], bool]) -> CheckResult:
        """The first result from now on that is wanted."""
        async with asyncio.timeout(PATIENCE):
            while not wanted(result := await self.reported.get()):
                pass
        return result

    async def rounds(self, count: int) -> list[CheckResult]:
        """The next results."""
        async with asyncio.timeout(PATIENCE):
            return [await self.reported.get() for _ in range(count)]


@contextlib.asynccontextmanager
async def checking(account: Account, interval: float = 0.2, timeout: float = 0.5) -> AsyncIterator[Running]:  # noqa: ASYNC109
    checkup = Running()
    checkup.want((CheckSettings("mysql", MysqlProbe(account), interval, timeout),))
    try:
        yield checkup
    finally:
        checkup.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path) as server:
        yield server


WAYS: dict[str, Callable[[Server], Account]] = {
    "account, socket": lambda server: server.agent,
    "account, port": lambda server: server.over_tcp,
    "greeting, socket": lambda server: Account(socket=server.socket),
    "greeting, port": lambda server: Account(port=server.port),
}
ANY_WAY = pytest.mark.parametrize("account", WAYS.values(), ids=WAYS.keys())


@ANY_WAY
def test_many_runs_cost_no_connection(server: Server, account: Callable[[Server], Account]) -> None:
    async def story() -> None:
        before = server.aborted()
        async with checking(account(server), interval=0.05) as checkup:
            assert {result.ok for result in await checkup.rounds(30)} == {True}
            assert server.aborted() == before

    asyncio.run(story())


@ANY_WAY
def test_killed_is_told_at_once_and_conclusive(server: Server, account: Callable[[Server], Account]) -> None:
    async def story() -> None:
        async with checking(account(server), interval=600.0) as checkup:
            await checkup.until(lambda result: result.ok)
            server.signal(signal.SIGKILL)
            await checkup.until(lambda result: not result.ok and result.conclusive)

    asyncio.run(story())


@ANY_WAY
def test_stopped_fails_until_it_goes_on(server: Server, account: Callable[[Server], Account]) -> None:
    async def story() -> None:
        async with checking(account(server)) as checkup:
            await checkup.until(lambda result: result.ok)
            before = server.aborted()
            server.signal(signal.SIGSTOP)
            for _ in range(3):
                failed = await checkup.until(lambda result: not result.ok)
                assert (failed.conclusive, failed.detail.partition("did ")[2]) == (False, "not answer in 0.5 s")
            server.signal(signal.SIGCONT)
            await checkup.until(lambda result: result.ok)
            assert server.aborted() == before

    asyncio.run(story())


@ANY_WAY
def test_too_many_connections_passes(tmp_path: Path, account: Callable[[Server], Account]) -> None:
    async def story(server: Server) -> None:
        others = [server.connect() for _ in range(11)]
        async with checking(account(server)) as checkup:
            results = await checkup.rounds(3)
            assert all(result.ok and "takes no more connections" in result.detail for result in results)
        for other in others:
            other.close()

    with running(tmp_path, "--max-connections=10") as server:
        asyncio.run(story(server))


def test_a_login_that_is_denied_passes_and_says_so(server: Server, tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "password").write_text("another")
        async with checking(server.agent) as checkup:
            (result,) = await checkup.rounds(1)
            assert result.ok
            assert "1045" in result.detail

    asyncio.run(story())


def test_an_unfinished_login_outlives_connect_timeout(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        before = server.aborted()
        async with checking(Account(port=server.port), interval=0.5) as checkup:
            await checkup.rounds(8)
            assert server.aborted() == before
            shown = server.execute("SHOW PROCESSLIST")
            assert [row["User"] for row in shown if row["User"] != "root"] == ["unauthenticated user"]

    with running(tmp_path, "--connect-timeout=2") as server:
        asyncio.run(story(server))


def test_the_daemon_carries_no_client_library_without_such_a_check() -> None:
    program = "import sys, pyvrrp.app.daemon; print('pymysql' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout == b"False\n"
