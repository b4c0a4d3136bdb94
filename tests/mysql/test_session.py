"""One connection that is kept: what becomes of it when the server does not keep it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pyvrrp.core.settings import Account
from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.session import Session
from tests.mysql.realm import mariadb

pytestmark = pytest.mark.lab


def test_a_connection_that_ended_while_nothing_was_asked_is_made_anew(tmp_path: Path) -> None:
    async def story() -> None:
        session = Session(Account(socket=machine.socket, user="root"))
        try:
            await session.ask("SELECT 1", within=5)
            machine.restart()
            assert await session.ask("SELECT 2 AS two", within=5) == [{"two": 2}]
            number = session.thread_id
            machine.server.execute(f"kill {number}")
            assert await session.ask("SELECT 3 AS three", within=5) == [{"three": 3}]
            machine.kill()
            with pytest.raises(DatabaseError) as refused:
                await session.ask("SELECT 4", within=5)
            assert refused.value.kind is Kind.REFUSED
        finally:
            session.close()

    with mariadb(tmp_path) as (machine, _):
        asyncio.run(story())
