"""The same with the oldest MySQL that is supported: GTIDs are sets, and read_only waits for whole seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from labkit.errors import LabError

from pyvrrp.core.events import WritesClosed
from pyvrrp.core.settings import Account, DatabaseSettings
from pyvrrp.mysql.dialect import HEARTBEAT_SCHEMA
from tests.mysql import mysql56
from tests.mysql.mysql56 import Server
from tests.mysql.test_keeper import Agent, until

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """Each the other one's replica; nobody's writes are open."""
    try:
        with mysql56.running(tmp_path_factory.mktemp("mysql56")) as (first, second):
            first.run(*HEARTBEAT_SCHEMA, "create database app", "create table app.t (v int primary key)")
            first.run("grant all on app.* to app@'127.0.0.1'", "grant all on *.* to agent@'127.0.0.1'")
            mysql56._replicate(second, first)
            gtids = "select @@global.gtid_executed as v"
            assert asyncio.run(_soon(lambda: first.run(gtids) == second.run(gtids)))
            for each in (first, second):
                each.run("stop slave", "set global read_only=1")
            yield first, second
    except LabError as error:
        pytest.skip(str(error))


async def _soon(condition: object) -> bool:
    await until(condition)  # type: ignore[arg-type]
    return True


def agent(server: Server, other: Server) -> Agent:
    here = Account(socket=str(server.directory / "s"), user="root")
    return Agent(DatabaseSettings(here, Account(host="127.0.0.1", port=other.port, user="agent")))


def flag(server: Server) -> int:
    return int(server.run("select @@global.read_only as v")[0]["v"])


def test_open_close_return_and_diverged(servers: tuple[Server, Server]) -> None:
    first, second = servers

    async def story() -> None:
        a, b = agent(first, second), agent(second, first)
        a.peer, b.peer = b, a
        try:
            await a.closed()
            await b.closed()
            await until(lambda: not a.report.against, about=lambda: str(a.report))
            opened = await a.opened()
            print(opened.detail)
            await until(
                lambda: not b.report.against and "IO Yes" in b.view.replication, about=lambda: f"{b.report} {b.log}"
            )
            assert (flag(first), flag(second)) == (0, 1)
            client = first.connect("app")
            client.cursor().execute("insert app.t values (1)")
            client.cursor().execute("lock tables app.t write")
            closed: WritesClosed = await a.closed()
            print(closed.detail)
            assert closed.complete, closed
            assert "1 of app@127.0.0.1" in closed.detail
            opened = await b.opened()
            print(opened.detail)
            assert second.run("select v from app.t") == [{"v": 1}]
            await until(lambda: "IO Yes" in a.view.replication, about=lambda: f"{a.report} {a.log}")
            await a.keeper.close()
            first.run("stop slave", "insert app.t values (2)")
            a = agent(first, second)
            a.peer, b.peer = b, a
            await a.closed()
            await until(lambda: a.view.errant, about=lambda: f"{a.report} {a.log}")
            assert any("--include-gtids=" in line for line in a.log)
        finally:
            await a.keeper.close()
            await b.keeper.close()

    asyncio.run(story())
