"""One deadline for each call, however many statements it takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from pyvrrp.mysql.closing import Closed, close
from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.server import Server
from pyvrrp.mysql.session import Row
from tests.mysql.scripted import scripted

EACH = 0.05  # seconds that each statement takes
SESSIONS = range(5, 45)


def answer(statement: str) -> list[Row]:
    if statement.startswith("KILL"):
        return []
    if "processlist" in statement:
        return [{"id": number, "user": "app", "host": "web:1", "command": "Sleep"} for number in SESSIONS]
    if statement.startswith("SHOW"):
        return []
    return [{"version": "10.11.6-MariaDB", "comment": "", "name": "pyvrrp", "flag": 1, "read_only": 1, "server_id": 1}]


@pytest.mark.parametrize(
    "call",
    [
        lambda server: server.kill(SESSIONS, 0.18),
        lambda server: server.clients(0.12),
        lambda server: server.glance(0.12),
        lambda server: server.position(0.12),
        lambda server: server.lacking(0.12),
        lambda server: server.look(0.18),
    ],
    ids=["kill", "clients", "glance", "position", "lacking", "look"],
)
def test_a_call_is_over_in_time_though_each_of_its_statements_is_answered(
    call: Callable[[Server], Awaitable[object]],
) -> None:
    async def story() -> float:
        server, _ = scripted(answer, EACH)
        began = time.monotonic()
        with pytest.raises(DatabaseError) as failed:
            await call(server)
        assert failed.value.kind is Kind.TIMED_OUT
        return time.monotonic() - began

    assert asyncio.run(story()) < 0.4


def test_enough_time_is_enough() -> None:
    async def story() -> None:
        server, session = scripted(answer, 0.001)
        assert await server.kill(SESSIONS, 5.0) == frozenset()
        assert (await server.look(5.0)).server_id == 1
        assert len([each for each in session.asked if each.startswith("KILL")]) == len(SESSIONS)

    asyncio.run(story())


def test_closing_keeps_its_bound_with_many_sessions_and_a_slow_server() -> None:
    async def story() -> Closed:
        server, _ = scripted(answer, EACH)
        return await close(server, within=0.4)

    result = asyncio.run(story())
    assert not result.complete
    assert result.seconds < 0.6
