"""TCP checks against real listeners."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine, Iterator

import pytest

from pyvrrp.core.events import CheckResult
from pyvrrp.core.settings import CheckSettings, TcpProbe
from pyvrrp.io.checks import TcpCheck
from tests.netns import Namespace

pytestmark = pytest.mark.lab


class Reports:
    """What a check reported, each with its time."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[tuple[float, CheckResult]] = asyncio.Queue()

    def __call__(self, result: CheckResult) -> None:
        self.queue.put_nowait((time.monotonic(), result))

    async def next(self) -> tuple[float, CheckResult]:
        async with asyncio.timeout(5):
            return await self.queue.get()


def run(
    test: Callable[[TcpCheck, Reports], Coroutine[None, None, None]],
    host: str = "127.0.0.1",
    interval: float = 0.05,
    timeout: float = 1.0,
) -> None:
    """Run `test` beside a check that was started."""

    async def main() -> None:
        reports = Reports()
        settings = CheckSettings("mysql", TcpProbe(host, 3306), interval=interval, timeout=timeout)
        check = TcpCheck(settings, reports)
        check.start()
        try:
            await test(check, reports)
        finally:
            check.stop()

    asyncio.run(main())


@pytest.fixture
def silent(host: Namespace) -> Iterator[Namespace]:
    """A server that is stopped: the kernel accepts for it until its backlog is full, and then says nothing."""
    with host.inside(), socket.socket() as stuck:
        stuck.bind(("127.0.0.1", 3306))
        stuck.listen(0)
        with socket.create_connection(("127.0.0.1", 3306)):
            yield host


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_listener_is_found_at_once(host: Namespace, address: str) -> None:
    async def test(_check: TcpCheck, reports: Reports) -> None:
        _, result = await reports.next()
        assert (result.check, result.ok, result.conclusive) == ("mysql", True, False)
        assert result.detail == f"connected to {address}:3306"
        assert 0 < result.took < 0.5

    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with host.inside(), socket.create_server((address, 3306), family=family):
        run(test, address, interval=60)


def test_a_closed_port_refuses(host: Namespace) -> None:
    async def test(_check: TcpCheck, reports: Reports) -> None:
        _, result = await reports.next()
        assert (result.ok, result.conclusive) == (False, False)
        assert result.detail == "127.0.0.1:3306 refused the connection"

    with host.inside():
        run(test)


def test_silence_is_given_up_in_time(silent: Namespace) -> None:
    async def test(_check: TcpCheck, reports: Reports) -> None:
        _, result = await reports.next()
        assert result.detail == "127.0.0.1:3306 did not answer in 0.1 s"
        assert 0.1 <= result.took < 1

    with silent.inside():
        run(test, timeout=0.1)


def test_an_unreachable_address_is_a_result(host: Namespace) -> None:
    async def test(_check: TcpCheck, reports: Reports) -> None:
        _, result = await reports.next()
        assert (result.ok, result.detail) == (False, "192.0.2.1:3306: Network is unreachable")

    with host.inside():
        run(test, "192.0.2.1")


def test_the_cadence_does_not_drift(silent: Namespace) -> None:
    async def test(_check: TcpCheck, reports: Reports) -> None:
        first, _ = await reports.next()
        time.sleep(0.25)  # noqa: ASYNC251 - the loop itself is late: two runs are missed
        at = first
        for _ in range(10):
            at, _ = await reports.next()
        # 12 intervals. Were each run to wait for the one before, there would be 0.06 s more in each.
        assert 1.15 < at - first < 1.5

    with silent.inside():
        run(test, interval=0.1, timeout=0.06)


def test_runs_do_not_overlap(silent: Namespace) -> None:
    async def test(_check: TcpCheck, reports: Reports) -> None:
        first, _ = await reports.next()
        second, _ = await reports.next()
        assert second - first >= 0.15

    with silent.inside():
        run(test, interval=0.05, timeout=0.16)


def test_a_confirmed_refusal_is_conclusive(host: Namespace) -> None:
    async def test(check: TcpCheck, reports: Reports) -> None:
        server.close()
        await reports.next()
        check.confirm()
        _, result = await reports.next()
        assert (result.ok, result.conclusive) == (False, True)

    with host.inside(), socket.create_server(("127.0.0.1", 3306)) as server:
        run(test, interval=60)


def test_a_confirmation_that_finds_a_listener_is_not_conclusive(host: Namespace) -> None:
    async def test(check: TcpCheck, reports: Reports) -> None:
        await reports.next()
        check.confirm()
        _, result = await reports.next()
        assert (result.ok, result.conclusive) == (True, False)

    with host.inside(), socket.create_server(("127.0.0.1", 3306)):
        run(test, interval=60)


def test_after_stop_nothing_is_reported(host: Namespace) -> None:
    async def test(check: TcpCheck, reports: Reports) -> None:
        await reports.next()
        check.confirm()
        check.stop()
        check.confirm()
        await asyncio.sleep(0.15)
        assert reports.queue.empty()

    with host.inside(), socket.create_server(("127.0.0.1", 3306)):
        run(test)


def test_a_server_that_greets_sees_an_orderly_end(host: Namespace) -> None:
    async def test(_check: TcpCheck, reports: Reports) -> None:
        await reports.next()
        accepted, _ = await asyncio.get_running_loop().sock_accept(server)
        with accepted:
            accepted.setblocking(False)
            accepted.send(b"J\0\0\0\n8.0.36")
            async with asyncio.timeout(5):
                # A reset would raise here.
                assert await asyncio.get_running_loop().sock_recv(accepted, 100) == b""

    with host.inside(), socket.create_server(("127.0.0.1", 3306)) as server:
        server.setblocking(False)
        run(test, interval=60)


def test_a_port_does_not_answer_itself(host: Namespace) -> None:
    # With one ephemeral port, which is the one that is checked, the kernel connects the socket to itself.
    host.run("sysctl", "-w", "net.ipv4.ip_local_port_range=3306 3306")

    async def test(_check: TcpCheck, reports: Reports) -> None:
        _, result = await reports.next()
        assert (result.ok, result.detail) == (False, "127.0.0.1:3306 refused the connection")

    with host.inside():
        run(test)
