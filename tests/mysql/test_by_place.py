"""Pairs that replicate by file and position: MariaDB, which writes down what it replicates, and MySQL 5.6, which does
not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from labkit.errors import LabError

from pyvrrp.core.settings import Account, DatabaseSettings
from pyvrrp.mysql.dialect import HEARTBEAT_SCHEMA
from tests.mysql import mysql56
from tests.mysql.pair import Pair, Server
from tests.mysql.test_keeper import Agent, until

pytestmark = pytest.mark.lab
AnyServer = Server | mysql56.Server


@dataclass(frozen=True)
class Two:
    """Two servers and their accounts: the agent's, and the one by which the other agent asks."""

    servers: tuple[AnyServer, AnyServer]
    settings: tuple[DatabaseSettings, DatabaseSettings]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[mysql56.Server, mysql56.Server]]:
    try:
        with mysql56.running(tmp_path_factory.mktemp("by_place"), gtids=False) as servers:
            for each in servers:
                each.run(
                    "set sql_log_bin=0",
                    *HEARTBEAT_SCHEMA,
                    "create database app",
                    "create table app.t (id bigint unsigned auto_increment primary key, v int) engine=innodb",
                    "grant process, super, replication client, replication slave on *.* to agent@localhost",
                    "grant select, insert, update on pyvrrp.* to agent@localhost",
                    "grant replication client on *.* to peer@'127.0.0.1'",
                    "grant select on pyvrrp.* to peer@'127.0.0.1'",
                    "grant replication slave on *.* to repl@'127.0.0.1' identified by 'repl'",
                    "set sql_log_bin=1",
                )
            yield servers
    except LabError as error:
        pytest.skip(str(error))


def settings(pair: Pair, server: Server) -> DatabaseSettings:
    """With semi-sync a commit would wait for a standby that does not receive."""
    return pair.settings(server, keep_users=("root",), semi_sync="off")


@pytest.fixture(params=["MariaDB", "MySQL 5.6"])
def two(request: pytest.FixtureRequest) -> Two:
    """Set up as in the manuals; nobody replicates, both are closed."""
    if request.param == "MariaDB":
        pair: Pair = request.getfixturevalue("pair")
        pair.fresh(using_gtid=False)
        return Two((pair.a, pair.b), (settings(pair, pair.a), settings(pair, pair.b)))
    servers: tuple[mysql56.Server, mysql56.Server] = request.getfixturevalue("old")
    for each in servers:
        if each.process is None or each.process.poll() is not None:
            each.start()
        each.run("stop slave", "reset slave all", "set global read_only=0", "truncate app.t")
        each.run("delete from pyvrrp.heartbeat", "reset master")
    for here, other in (servers, servers[::-1]):
        here.run(
            "grant usage on *.* to nobody@localhost"
        )  # as everybody has, who sets up accounts: on one of them alone
        (at,) = here.run("show master status")
        other.run(
            f"change master to master_host='127.0.0.1', master_port={here.port}, master_user='repl',"
            f" master_password='repl', master_connect_retry=1, master_heartbeat_period=0.5,"
            f" master_log_file='{at['File']}', master_log_pos={at['Position']}",
            "set global read_only=1",
        )
    first, second = (
        DatabaseSettings(
            Account(socket=str(here.directory / "s"), user="agent"),
            Account(host="127.0.0.1", port=other.port, user="peer"),
            keep_users=("root",),
        )
        for here, other in (servers, servers[::-1])
    )
    return Two(servers, (first, second))


@contextlib.asynccontextmanager
async def active_and_standby(two: Two) -> AsyncIterator[tuple[Agent, Agent]]:
    """Server 1 is active, server 2 follows."""
    a, b = (Agent(each) for each in two.settings)
    a.peer, b.peer = b, a
    try:
        await a.closed()
        await b.closed()
        await a.opened(forced=True)
        await fit(b)
        yield a, b
    finally:
        for agent in (a, b):
            await agent.keeper.close()


async def fit(agent: Agent) -> None:
    """It replicates and may take over."""
    await until(
        lambda: "IO Yes, SQL Yes" in agent.view.replication and not agent.report.against,
        about=lambda: f"{agent.report} {agent.log}",
    )


def rows(server: AnyServer) -> list[int]:
    return [int(row["v"]) for row in server.run("select v from app.t order by v")]


def checksum(server: AnyServer) -> list[dict[str, Any]]:
    return server.run("checksum table app.t, pyvrrp.heartbeat")


def write(server: AnyServer, *values: int) -> None:
    for value in values:
        server.run(f"insert app.t set v={value}")


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


async def switched_over(source: Agent, target: Agent) -> None:
    """As `pyvrrpctl switchover` does it."""
    assert target.keeper.handover.as_target() == ()
    down = await source.keeper.handover.step_down(1.0)
    await target.keeper.handover.reach(down.position, 5.0)
    source.close()
    opened = await target.opened()
    assert "never came" not in opened.detail


def test_a_crash_the_return_and_a_switchover_back_and_forth(two: Two) -> None:
    first, second = two.servers

    async def story() -> None:
        async with active_and_standby(two) as (a, b):
            write(first, 1, 2)
            await until(lambda: rows(second) == [1, 2])
            first.kill()
            a.close()
            opened = await b.opened()
            assert "never came" not in opened.detail
            write(second, 3)
            await until(lambda: a.report.faults)
            first.start()
            a.keeper.acknowledge()
            await fit(a)
            assert any("has nothing that the active server has not" in line for line in a.log)
            await switched_over(b, a)
            write(first, 4)
            await fit(b)
            await switched_over(a, b)
            write(second, 5)
            await fit(a)
            await until(lambda: rows(first) == [1, 2, 3, 4, 5])
            await b.closed()
            await until(lambda: checksum(first) == checksum(second))

    play(story)


def test_what_only_the_returning_one_has_is_named_and_nothing_is_replicated(two: Two) -> None:
    first, second = two.servers

    async def story() -> None:
        async with active_and_standby(two) as (a, b):
            write(first, 1)
            await until(lambda: rows(second) == [1])
            second.run("stop slave io_thread")
            write(first, 2)
            first.kill()
            a.close()
            await b.opened(forced=True)
            write(second, 3)
            first.start()
            await until(lambda: a.view.errant, about=lambda: f"{a.report} {a.log}")
            (part,) = a.view.errant
            file, begin, end = part.partition(":")[0], *part.partition(":")[2].split("..")
            assert any(f"--start-position={begin} --stop-position={end} {file}" in line for line in a.log), a.log
            assert any("it has a part of the log that the other node has not" in each for each in a.report.against)
            await asyncio.sleep(1)
            assert rows(first) == [1, 2]

    play(story)


def test_a_standby_that_is_started_anew_goes_on(two: Two) -> None:
    """Its log has what it wrote down as a replica, where it does that: nothing of its own."""
    first, second = two.servers

    async def story() -> None:
        async with active_and_standby(two) as (a, b):
            write(first, 1, 2)
            await until(lambda: rows(second) == [1, 2])
            second.kill()
            await until(lambda: b.report.faults)
            write(first, 3)
            second.start()
            await fit(b)
            await until(lambda: rows(second) == [1, 2, 3], about=lambda: f"{b.report} {b.log}")
            await switched_over(a, b)

    play(story)


def test_both_started_anew_and_who_was_active_goes_on(two: Two) -> None:
    first, second = two.servers

    async def story() -> None:
        async with active_and_standby(two) as (a, b):
            write(first, 1)
            first.kill()
            second.kill()
            a.close()
            await until(lambda: a.report.faults and b.report.faults)
            first.start()
            second.start()
            await until(lambda: not b.report.faults and not b.view.peer.endswith("DOWN"))
            await until(lambda: not a.report.faults and not a.report.against, about=lambda: f"{a.report} {a.log}")
            assert b.report.against
            await a.opened()
            write(first, 2)
            await fit(b)
            await until(lambda: rows(second) == [1, 2])

    play(story)


def test_a_log_that_was_reset_tells_nothing_and_nothing_is_replicated(two: Two) -> None:
    first, second = two.servers

    async def story() -> None:
        async with active_and_standby(two) as (a, b):
            write(first, 1)
            first.run("flush logs")
            write(first, 2)
            await until(lambda: rows(second) == [1, 2])
            first.kill()
            a.close()
            await b.opened()
            a.keeper.pause()
            first.start()
            first.run("reset master")
            a.keeper.resume()
            write(second, 3)
            await until(lambda: any("purged or reset" in line for line in a.log), about=lambda: f"{a.report} {a.log}")
            assert a.report.against
            await asyncio.sleep(1)
            assert rows(first) == [1, 2]

    play(story)
