"""TCP checks against real listeners."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine, Iterator

import pytest

from pyvrrp.core.settings import CheckSettings, Source, TcpProbe
from pyvrrp.io.checks import Check
from tests.io.checks import running
from tests.io.checks.running import Reports
from tests.netns import Namespace

pytestmark = pytest.mark.lab

ANYWHERE = Source()


def run(
    test: Callable[[Check, Reports], Coroutine[None, None, None]],
    host: str = "127.0.0.1",
    interval: float = 0.05,
    timeout: float = 1.0,
    source: Source = ANYWHERE,
) -> None:
    """Run `test` beside a check of port 3306."""
    running.run(test, CheckSettings("mysql", TcpProbe(host, 3306, source), interval=interval, timeout=timeout))


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
    async def test(_check: Check, reports: Reports) -> None:
        _, result = await reports.next()
        assert (result.check, result.ok, result.conclusive) == ("mysql", True, False)
        assert result.detail == f"connected to {address}:3306"
        assert 0 < result.took < 0.5

    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with host.inside(), socket.create_server((address, 3306), family=family):
        run(test, address, interval=60)


def test_a_closed_port_refuses(host: Namespace) -> None:
    async def test(_check: Check, reports: Reports) -> None:
        _, result = await reports.next()
        assert (result.ok, result.conclusive) == (False, False)
        assert result.detail == "127.0.0.1:3306 refused the connection"

    with host.inside():
        run(test)


def test_silence_is_given_up_in_time(silent: Namespace) -> None:
    async def test(_check: Check, reports: Reports) -> None:
        _, result = await reports.next()
        assert result.detail == "127.0.0.1:3306 did not answer in 0.1 s"
        assert 0.1 <= result.took < 1

    with silent.inside():
        run(test, timeout=0.1)


def test_an_unreachable_address_is_a_result(host: Namespace) -> None:
    async def test(_check: Check, reports: Reports) -> None:
        _, result = await reports.next()
        assert (result.ok, result.detail) == (False, "192.0.2.1:3306: Network is unreachable")

    with host.inside():
        run(test, "192.0.2.1")


def test_the_cadence_does_not_drift(silent: Namespace) -> None:
    async def test(_check: Check, reports: Reports) -> None:
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
    async def test(_check: Check, reports: Reports) -> None:
        first, _ = await reports.next()
        second, _ = await reports.next()
        assert second - first >= 0.15

    with silent.inside():
        run(test, interval=0.05, timeout=0.16)


def test_a_confirmed_refusal_is_conclusive(host: Namespace) -> None:
    async def test(check: Check, reports: Reports) -> None:
        server.close()
        await reports.next()
        check.confirm()
        _, result = await reports.next()
        assert (result.ok, result.conclusive) == (False, True)

    with host.inside(), socket.create_server(("127.0.0.1", 3306)) as server:
        run(test, interval=60)


def test_a_confirmation_that_finds_a_listener_is_not_conclusive(host: Namespace) -> None:
    async def test(check: Check, reports: Reports) -> None:
        await reports.next()
        check.confirm()
        _, result = await reports.next()
        assert (result.ok, result.conclusive) == (True, False)

    with host.inside(), socket.create_server(("127.0.0.1", 3306)):
        run(test, interval=60)


def test_a_confirmation_does_not_wait_for_a_run_under_way(host: Namespace) -> None:
    async def test(check: Check, reports: Reports) -> None:
        await asyncio.sleep(0.05)  # the run has begun, and waits
        fills.close()
        stuck.close()
        check.confirm()
        _, result = await reports.next()
        assert (result.ok, result.conclusive) == (False, True)
        await asyncio.sleep(0.3)
        assert reports.queue.empty()

    with host.inside(), socket.socket() as stuck:
        stuck.bind(("127.0.0.1", 3306))
        stuck.listen(0)
        with socket.create_connection(("127.0.0.1", 3306)) as fills:
            run(test, interval=60, timeout=0.3)


def test_after_stop_nothing_is_reported(host: Namespace) -> None:
    async def test(check: Check, reports: Reports) -> None:
        await reports.next()
        check.confirm()
        check.stop()
        check.confirm()
        await asyncio.sleep(0.15)
        assert reports.queue.empty()

    with host.inside(), socket.create_server(("127.0.0.1", 3306)):
        run(test)


def test_a_server_that_greets_sees_an_orderly_end(host: Namespace) -> None:
    async def test(_check: Check, reports: Reports) -> None:
        await reports.next()
        accepted, _ = await asyncio.get_running_loop().sock_accept(server)
        with accepted:
            accepted.setblocking(False)
            accepted.send(b"J\0\0\0\n8.0.36")
            async with asyncio.timeout(5):
                assert await asyncio.get_running_loop().sock_recv(accepted, 100) == b""
            accepted.send(b"!")  # a reset would raise here

    with host.inside(), socket.create_server(("127.0.0.1", 3306)) as server:
        server.setblocking(False)
        run(test, interval=60)


def test_a_port_does_not_answer_itself(host: Namespace) -> None:
    # With one ephemeral port, which is the one that is checked, the kernel connects the socket to itself.
    host.run("sysctl", "-w", "net.ipv4.ip_local_port_range=3306 3306")

    async def test(_check: Check, reports: Reports) -> None:
        _, result = await reports.next()
        assert (result.ok, result.detail) == (False, "127.0.0.1:3306 refused the connection")

    with host.inside():
        run(test)


async def called_from(server: socket.socket) -> tuple[str, int]:
    """Where the next connection to `server` comes from."""
    server.setblocking(False)
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(5):
        accepted, (host, port, *_) = await loop.sock_accept(server)
        with accepted:
            await loop.sock_recv(accepted, 1)  # the client closes first: the port is in TIME_WAIT then
    return host, port


def test_the_source_address_can_be_chosen(host: Namespace) -> None:
    async def test(_check: Check, reports: Reports) -> None:
        address, _ = await called_from(server)
        assert address == "127.0.0.9"
        _, result = await reports.next()
        assert result.ok

    with host.inside(), socket.create_server(("127.0.0.1", 3306)) as server:
        run(test, source=Source(address="127.0.0.9"))


def test_the_source_port_can_be_chosen_and_used_again_and_again(host: Namespace) -> None:
    async def test(_check: Check, reports: Reports) -> None:
        for _ in range(3):
            _, port = await called_from(server)
            assert port == 4711
            _, result = await reports.next()
            assert result.ok, result.detail

    with host.inside(), socket.create_server(("127.0.0.1", 3306)) as server:
        run(test, source=Source(port=4711))


def test_the_interface_can_be_chosen(host: Namespace) -> None:
    async def through(_check: Check, reports: Reports) -> None:
        _, result = await reports.next()
        assert result.ok

    async def elsewhere(_check: Check, reports: Reports) -> None:
        _, result = await reports.next()
        assert not result.ok

    async def nowhere(_check: Check, reports: Reports) -> None:
        _, result = await reports.next()
        assert (result.ok, result.detail) == (False, "127.0.0.1:3306: No such device")

    host.ip("link add eth0 type veth peer name eth1")
    host.ip("link set eth0 up")
    with host.inside(), socket.create_server(("127.0.0.1", 3306)):
        run(through, source=Source(interface="lo"))
        run(elsewhere, source=Source(interface="eth0"), timeout=0.2)
        run(nowhere, source=Source(interface="eth7"))


def test_packets_can_be_marked(host: Namespace) -> None:
    async def test(_check: Check, reports: Reports) -> None:
        _, result = await reports.next()
        assert (result.ok, result.detail) == (False, "127.0.0.1:3306: Permission denied")

    host.ip("rule add fwmark 7 priority 0 prohibit")
    host.ip("rule add lookup local priority 1")
    host.ip("rule del lookup local priority 0")
    with host.inside(), socket.create_server(("127.0.0.1", 3306)):
        run(test, source=Source(mark=7))
