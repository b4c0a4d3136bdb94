"""One connection that is kept: what becomes of it when the server does not keep it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pyvrrp.core.settings import Account
from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.session import ENCODING, Session
from tests.mysql.realm import mariadb

pytestmark = pytest.mark.lab


async def failure(session: Session) -> Kind:
    with pytest.raises(DatabaseError) as failed:
        await session.ask("SELECT 4", within=5)
    return failed.value.kind


def test_a_connection_that_ended_while_nothing_was_asked_is_made_anew(tmp_path: Path) -> None:
    async def story() -> None:
        session = Session(Account(socket=machine.socket, user="root"))
        try:
            await session.ask("SELECT 1", within=5)
            ended = [session.ended]
            machine.restart()
            ended.append(session.ended)
            assert await session.ask("SELECT 2 AS two", within=5) == [{"two": 2}]
            assert [*ended, session.ended] == [False, True, False]
            number = session.thread_id
            machine.server.execute(f"kill {number}")
            assert await session.ask("SELECT 3 AS three", within=5) == [{"three": 3}]
            machine.kill()
            kinds = [await failure(session)]
            while kinds[-1] is Kind.CLOSED and len(kinds) < 500:  # the kernel closes its listener a moment later
                await asyncio.sleep(0.01)
                kinds.append(await failure(session))
            assert kinds[-1] is Kind.REFUSED
        finally:
            session.close()

    with mariadb(tmp_path) as (machine, _):
        asyncio.run(story())


def test_rubbish_is_no_reason_to_hear_nothing() -> None:
    """MySQL 5.6 sends some in the status of a replica that is just connecting."""
    assert b"a\xe8b \xc3\xa4".decode(ENCODING) == "a\ufffdb ä"
    assert "ä".encode(ENCODING, "surrogateescape") == b"\xc3\xa4"


def test_no_time_is_said_as_such() -> None:
    """Not as a question that had no answer in less than nothing."""

    async def story() -> None:
        session = Session(Account(socket="/nonexistent/socket", user="root"))
        try:
            with pytest.raises(DatabaseError, match=r"^no time was left$") as failed:
                await session.ask("SELECT 1", within=-0.00129)
            assert failed.value.kind is Kind.TIMED_OUT
        finally:
            session.close()

    asyncio.run(story())
