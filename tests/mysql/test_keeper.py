"""Keepers and a real pair of servers: what is asked of the core's side, and what becomes of the servers."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pymysql
import pytest

from pyvrrp.core.effects import CloseWrites, OpenWrites, Record
from pyvrrp.core.events import DatabaseReport, DatabaseView, Event, WritesClosed, WritesOpened, WritesRefused
from pyvrrp.core.settings import DatabaseSettings, DemoteSettings, ProbeSettings, PromoteSettings
from pyvrrp.mysql.failure import DatabaseError
from pyvrrp.mysql.keeper import Keeper
from pyvrrp.mysql.memory import Memory
from pyvrrp.mysql.probe import Watch
from pyvrrp.mysql.published import Published
from tests.mysql.pair import Pair, Server

E = TypeVar("E", WritesOpened, WritesRefused, WritesClosed)
SOON = 20.0  # seconds; it takes one or two on a machine that has nothing else to do


class Agent:
    """A keeper, what it says, and the core's part of the talk."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self.events: list[Event] = []
        self.log: list[str] = []
        self.published: Published | None = None
        self.peer: Agent | None = None
        self.term = 0
        self.memory = Memory("", "VI_1")
        self.keeper = Keeper(
            "VI_1",
            "node",
            settings,
            self.events.append,
            self._write,
            self._publish,
            self.memory,
        )
        self.keeper.start()

    def _write(self, record: Record) -> None:
        self.log.append(record.text)

    def _publish(self, published: Published) -> None:
        self.published = published
        if self.peer is not None:
            self.peer.keeper.told(Published.from_json(published.as_json()))

    @property
    def report(self) -> DatabaseReport:
        reports = [each for each in self.events if isinstance(each, DatabaseReport)]
        return reports[-1] if reports else DatabaseReport("VI_1", (), ("nothing yet",))

    @property
    def view(self) -> DatabaseView:
        return self.report.view

    def open(self, *, forced: bool = False) -> int:
        self.term += 1
        self.keeper.open_writes(OpenWrites("VI_1", self.term, forced))
        return self.term

    def close(self) -> int:
        self.term += 1
        self.keeper.close_writes(CloseWrites("VI_1", self.term, "test"))
        return self.term

    async def answer(self, kind: type[E], seconds: float = SOON) -> E:
        """The answer to what was asked last."""
        found: list[E] = []

        def answered() -> bool:
            found[:] = [each for each in self.events if isinstance(each, kind) and each.term == self.term]
            return bool(found)

        await until(answered, seconds, lambda: str(self.events[-3:]))
        return found[0]

    async def opened(self, *, forced: bool = False) -> WritesOpened:
        self.open(forced=forced)
        return await self.answer(WritesOpened)

    async def closed(self) -> WritesClosed:
        self.close()
        return await self.answer(WritesClosed)


async def until(condition: Callable[[], object], seconds: float = SOON, about: Callable[[], str] = str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, about()
        await asyncio.sleep(0.002)  # the keeper runs meanwhile


def wanted(pair: Pair, server: Server, **changes: Any) -> DatabaseSettings:
    """Root is the test itself, and not killed."""
    return pair.settings(server, **{"keep_users": ("root",), **changes})


@contextlib.asynccontextmanager
async def agents(pair: Pair, *, channel: bool = True, **settings: Any) -> AsyncIterator[tuple[Agent, Agent]]:
    """One for each server."""
    a, b = (Agent(wanted(pair, server, **settings)) for server in (pair.a, pair.b))
    if channel:
        a.peer, b.peer = b, a
    try:
        yield a, b
    finally:
        for agent in (a, b):
            await agent.keeper.close()


@contextlib.asynccontextmanager
async def active_and_standby(
    pair: Pair, *, channel: bool = True, **settings: Any
) -> AsyncIterator[tuple[Agent, Agent]]:
    """Server 1 is active, server 2 follows it and is fit to take over."""
    async with agents(pair, channel=channel, **settings) as (a, b):
        await a.closed()
        await b.closed()
        await until(lambda: not a.report.against, about=lambda: str(a.report))
        await a.opened()
        await until(lambda: b.view.replication.startswith("from") and not b.report.against, about=lambda: str(b.report))
        yield a, b


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


@pytest.fixture(autouse=True)
def _fresh(pair: Pair) -> None:
    pair.fresh()


@pytest.mark.lab
def test_before_the_first_order_nothing_is_touched(pair: Pair) -> None:
    pair.a.run("set global read_only=0")

    async def story() -> None:
        async with agents(pair) as (a, _):
            await until(lambda: a.published)
            await asyncio.sleep(0.7)
            assert not pair.a.value("@@global.read_only")

    play(story)


def test_two_that_begin_equal_may_both_be_active_and_the_other_one_follows(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair) as (a, b):
            assert not pair.a.value("@@global.read_only")
            assert pair.b.value("@@global.read_only")
            assert a.view.writes == "open"
            assert b.view.writes == "closed"
            assert any("replicates from" in line for line in b.log), b.log

    play(story)


def test_the_standby_takes_over_and_the_old_one_comes_back_by_itself(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair) as (a, b):
            pair.a.run("insert app.t(v) values (1)")
            closed = await a.closed()
            assert closed.complete, closed
            opened = await b.opened()
            print(closed.detail, "|", opened.detail)
            assert pair.b.value("(select count(*) from app.t)") == 1
            await until(lambda: a.view.replication.startswith("from"), about=lambda: f"{a.report} {a.log}")
            pair.b.run("insert app.t(v) values (2)")
            await until(lambda: pair.a.value("(select count(*) from app.t)") == 2)
            assert pair.a.value("@@global.read_only")
            assert b.memory.now.failover == 0, "its agent has closed a server that lives: it was left on purpose"
            b.memory.change(failover=time.time())  # as after a crash
            await until(
                lambda: any("there was a failover" in each for each in a.report.against), about=lambda: str(a.report)
            )
            a.keeper.acknowledge()
            await until(lambda: not a.report.against, about=lambda: str(a.report))
            await until(lambda: b.memory.now.failover == 0)

    play(story)


@pytest.mark.lab
def test_what_only_the_returning_one_has_is_named_and_nothing_is_replicated(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair, semi_sync="off") as (a, b):
            await a.keeper.close()
            await until(lambda: b.view.position == pair.a.value("@@gtid_binlog_state"))
            await b.opened()
            pair.a.run("insert app.t(v) values (1)", "insert app.t(v) values (2)")
            last = int(pair.a.value("@@gtid_binlog_pos").rpartition("-")[2])
            again = Agent(wanted(pair, pair.a, semi_sync="off"))
            again.peer, b.peer = b, again
            await again.closed()
            await until(lambda: again.view.errant, about=lambda: f"{again.report} {again.log}")
            assert again.view.errant == (f"0-1-{last - 1}..{last}",)
            assert again.view.mode.startswith("diverged")
            assert any(f"0-1-{last - 1}..{last}" in each for each in again.report.against)
            assert any("mariadb-binlog" in line and f"'0-1-{last - 2}'" in line for line in again.log)
            assert pair.a.status()["Slave_IO_Running"] == "No"
            await again.keeper.close()

    play(story)


@pytest.mark.lab
def test_it_stays_diverged_when_gtid_strict_mode_is_turned_on(pair: Pair) -> None:
    """Without it replication went on past the errant transaction, and a position alone does not show it any more."""

    async def story() -> None:
        async with active_and_standby(pair, semi_sync="off") as (a, b):
            for server in (pair.a, pair.b):
                server.run("set global gtid_strict_mode=0")
            pair.b.run("insert app.t(v) values (666)")
            await until(lambda: b.view.errant, about=lambda: f"{b.report} {b.log}")
            pair.a.run("insert app.t(v) values (1)")
            await until(lambda: pair.b.value("@@gtid_binlog_pos").startswith("0-1-"), about=lambda: str(b.log))
            for server in (pair.a, pair.b):
                server.run("set global gtid_strict_mode=1")
            standing, other = b.keeper._standing, b.keeper._other
            await until(lambda: standing.picture and standing.picture.ordered and other.seen and other.seen.ordered)
            for _ in range(3):
                before = standing.compared
                await until(lambda before=before: standing.compared is not before)  # type: ignore[misc]
            assert b.view.mode.startswith("diverged")
            assert any("that the other node has not: 0-2-" in each for each in b.report.against), b.report
            assert b.memory.now.errant == b.view.errant
            await a.keeper.close()

    try:
        play(story)
    finally:
        for server in (pair.a, pair.b):
            server.run("set global gtid_strict_mode=1")


@pytest.mark.lab
def test_a_crashed_one_that_has_more_does_not_even_begin_to_replicate(pair: Pair) -> None:
    """What it had before the crash was seen is not what it has."""

    async def story() -> None:
        async with active_and_standby(pair, semi_sync="off") as (a, b):
            pair.b.run("stop slave io_thread")
            pair.a.run("insert app.t(v) values (1)")
            pair.a.kill()
            a.close()
            await b.opened(forced=True)
            await asyncio.get_running_loop().run_in_executor(None, pair.a.start)
            await until(lambda: a.view.errant, about=lambda: f"{a.report} {a.log}")
            assert not any("replicates from" in line for line in a.log), a.log
            assert pair.a.status()["Slave_SQL_Running"] == "No"

    play(story)


@pytest.mark.lab
def test_a_source_that_stands_still_does_not_hold_up_its_successor(pair: Pair) -> None:
    """Nobody can be told that it is no longer waited for, and nobody has to be."""

    async def story() -> None:
        async with active_and_standby(pair) as (a, b):
            await until(lambda: b.view.semi_sync == "acknowledging" and "in force" in a.view.semi_sync)
            pair.a.signal(signal.SIGSTOP)
            try:
                a.close()
                began = time.monotonic()
                await b.opened()
                assert time.monotonic() - began < 0.5
            finally:
                pair.a.signal(signal.SIGCONT)

    play(story)


@pytest.mark.lab
def test_the_last_active_one_may_be_opened_again_after_its_server_began_anew(pair: Pair) -> None:
    """It replicated before, and has forgotten what: that was all applied when it became active."""

    async def story() -> None:
        async with active_and_standby(pair, semi_sync="off") as (a, b):
            await a.closed()
            await b.opened()
            await a.keeper.close()
            pair.b.kill()
            await until(lambda: b.report.faults)
            await b.closed()
            await asyncio.get_running_loop().run_in_executor(None, pair.b.start)
            await until(lambda: not b.report.against, about=lambda: str(b.report))
            await b.opened()

    play(story)


@pytest.mark.lab
def test_a_level_is_kept(pair: Pair) -> None:
    """Whoever opens a standby, or closes the active one, is corrected and named."""

    async def story() -> None:
        async with active_and_standby(pair) as (a, b):
            pair.b.run("set global read_only=0")
            pair.a.run("set global read_only=1")
            await until(lambda: pair.b.value("@@global.read_only"))
            await until(lambda: not pair.a.value("@@global.read_only"))
            await until(lambda: any("opened the writes" in line for line in b.log), about=lambda: str(b.log))
            await until(
                lambda: any("the active server was read_only" in line for line in a.log), about=lambda: str(a.log)
            )

    play(story)


def test_a_close_beats_an_opening_that_is_under_way(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair) as (a, b):
            lock = pair.b.connect("mighty")
            lock.cursor().execute("lock tables t write")
            pair.a.run("insert app.t(v) values (1)")
            await a.closed()
            b.open()
            await asyncio.sleep(0.2)
            began = time.monotonic()
            closed = await b.closed()
            assert time.monotonic() - began < 0.4
            assert closed.complete, closed
            assert pair.b.value("@@global.read_only")
            assert not [each for each in b.events if isinstance(each, WritesOpened | WritesRefused)]
            lock.close()

    play(story)


def test_a_server_that_stands_still_is_answered_for_in_time(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair) as (a, _):
            pair.a.signal(signal.SIGSTOP)
            try:
                began = time.monotonic()
                closed = await a.closed()
                assert time.monotonic() - began < 0.36
                assert not closed.complete
            finally:
                pair.a.signal(signal.SIGCONT)
            await until(lambda: pair.a.value("@@global.read_only"))

    play(story)


@pytest.mark.lab
def test_one_that_wakes_up_after_it_was_left_is_closed_and_nobody_else_is_blamed(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair) as (a, b):
            pair.a.signal(signal.SIGSTOP)
            try:
                await until(lambda: a.report.faults)
                assert not (await a.closed()).complete
                await b.opened()
            finally:
                pair.a.signal(signal.SIGCONT)
            await until(lambda: any("has been open for" in line for line in a.log), about=lambda: str(a.log))
            print([line for line in a.log if "has been open for" in line])
            assert pair.a.value("@@global.read_only")
            assert not any("somebody" in line for line in a.log), a.log
            pair.a.run("set global read_only=0")  # this is somebody
            await until(lambda: any("somebody has opened" in line for line in a.log), about=lambda: str(a.log))

    play(story)


@pytest.mark.lab
def test_a_server_that_stands_still_may_be_killed(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair, demote=DemoteSettings(on_failure="kill-server")) as (a, _):
            pair.a.signal(signal.SIGSTOP)
            closed = await a.closed()
            assert closed.complete
            assert "mysqld was killed" in closed.detail
            await until(lambda: pair.a.process is not None and pair.a.process.poll() == -signal.SIGKILL)

    play(story)


@pytest.mark.lab
def test_a_server_that_died_is_closed(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair) as (a, b):
            began = time.monotonic()
            pair.a.kill()
            await until(lambda: a.report.faults)
            assert time.monotonic() - began < 0.1
            closed = await a.closed()
            assert closed.complete
            assert "nothing can write" in closed.detail
            assert not b.report.against, "its source has died, and it is fit to take over"
            await asyncio.sleep(0.7)
            assert not b.report.against, b.report
            opened = await b.opened()
            print(opened.detail)

    play(story)


@pytest.mark.lab
def test_a_planned_switchover_and_its_way_back(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair) as (a, b):
            client = pair.a.connect()
            down = await a.keeper.handover.step_down(1.0)
            print(down)
            assert down.killed == 1
            with pytest.raises(pymysql.MySQLError):
                client.cursor().execute("insert t(v) values (1)")
            await b.keeper.handover.reach(down.position, 1.0)
            await asyncio.sleep(0.4)
            assert pair.a.value("@@global.read_only"), "it stays closed while the order to have it open stands"
            await a.keeper.handover.step_back()
            assert not pair.a.value("@@global.read_only")
            pair.a.connect().cursor().execute("insert t(v) values (1)")
            await a.keeper.handover.step_down(1.0)
            assert (await a.closed()).complete
            await b.opened()
            assert b.memory.now.failover == 0, "what was planned is no failover"
            await until(lambda: not a.report.against, about=lambda: str(a.report))
            with pytest.raises(DatabaseError, match="not applied in"):
                await a.keeper.handover.reach("0-2-999999999", 0.1)

    play(story)


@pytest.mark.lab
def test_commits_wait_for_the_standby_and_nobody_waits_out_a_timeout(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair, promote=PromoteSettings(max_lag=30)) as (a, b):
            await until(lambda: "in force, 1" in a.view.semi_sync, about=lambda: f"{a.view} {b.view}")
            assert b.view.semi_sync == "acknowledging"
            await a.closed()
            began = time.monotonic()
            await b.opened()
            assert time.monotonic() - began < 1.0
            await until(lambda: "in force, 1" in b.view.semi_sync, about=lambda: f"{a.view} {b.view}")
            pair.a.kill()
            began = time.monotonic()
            await asyncio.get_running_loop().run_in_executor(None, pair.b.run, "insert app.t(v) values (1)")
            assert time.monotonic() - began < 2.0

    play(story)


@pytest.mark.lab
def test_who_could_not_be_closed_in_time_is_closed_before_the_agent_ends(pair: Pair) -> None:
    """Somebody who is not to be killed holds read_only up, as a long statement that is rolled back does."""

    async def story() -> None:
        async with active_and_standby(pair, semi_sync="off") as (a, _):
            held = "create table if not exists app.held (id int)"
            pair.a.run("set sql_log_bin=0", held, "set sql_log_bin=1", "lock tables app.held write")
            assert not (await a.closed()).complete
            assert not pair.a.value("@@global.read_only")
            ending = asyncio.get_running_loop().create_task(a.keeper.shut(10.0))
            clients = Clients(pair.a)
            await asyncio.sleep(3.0)
            clients.over = True
            assert not ending.done()
            assert len(clients.acknowledged) < 800, "they wait behind read_only"
            pair.a.run("unlock tables")
            await ending
            assert pair.a.value("@@global.read_only")
            assert "once more, before the agent ends" in a.log[-1]

    play(story)


@pytest.mark.lab
def test_what_could_not_be_closed_is_closed_as_soon_as_nobody_holds_it_up(pair: Pair) -> None:
    """Writers get through between two tries, and a round of looking may be far away."""

    async def story() -> None:
        async with agents(pair, semi_sync="off", probe=ProbeSettings(interval=5.0)) as (a, _):
            await a.opened(forced=True)
            pair.a.run("lock tables app.t write")
            assert not (await a.closed()).complete
            await asyncio.sleep(1.0)
            pair.a.run("unlock tables")
            await until(lambda: pair.a.value("@@global.read_only"), 1.0, about=lambda: str(a.log))
            await until(lambda: any("closed in" in line for line in a.log), 1.0, about=lambda: str(a.log))
            assert len([line for line in a.log if "not closed" in line]) <= 1, a.log
            since = [float(line.split(" ms ago")[0].rsplit(maxsplit=1)[1]) for line in a.log if " ms ago: " in line]
            assert 500 < since[-1] < 3000, a.log
            assert not any("answers again" in line for line in a.log), "it never hung"

    play(story)


@pytest.mark.lab
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_commits_that_wait_when_the_standby_dies_are_let_go(pair: Pair, how: signal.Signals) -> None:
    """Waiting before the commit they keep the server from saying how far its log is."""

    async def story() -> None:
        async with active_and_standby(pair, promote=PromoteSettings(max_lag=30)) as (a, b):
            pair.a.run("set global rpl_semi_sync_master_wait_point = AFTER_SYNC")
            await until(lambda: "in force, 1" in a.view.semi_sync, about=lambda: f"{a.view} {b.view}")
            loop, ended, written = asyncio.get_running_loop(), asyncio.Event(), 0

            async def write() -> None:
                nonlocal written
                while not ended.is_set():
                    await loop.run_in_executor(None, pair.a.run, "insert app.t(v) values (1)")
                    written += 1

            writing = loop.create_task(write())
            try:
                await asyncio.sleep(0.2)
                if how is signal.SIGKILL:
                    pair.b.kill()
                else:
                    pair.b.signal(how)
                await until(lambda: any("no longer wait" in line for line in a.log), 5, about=lambda: str(a.log))
                before = written
                await until(lambda: written > before + 1, 2)
            finally:
                if how is signal.SIGSTOP:
                    pair.b.signal(signal.SIGCONT)
                ended.set()
                await writing

    try:
        play(story)
    finally:
        pair.a.run("set global rpl_semi_sync_master_wait_point = AFTER_COMMIT")


@pytest.mark.lab
@pytest.mark.parametrize("semi_sync", ["off", "auto"])
def test_a_server_that_has_lost_what_it_wrote_never_passes_for_a_copy(pair: Pair, semi_sync: str) -> None:
    """Its host lost power, and the other one had received more. A replica skips what is its own, and says nothing;
    one that acknowledges, semi-synchronously, takes it back."""

    async def story() -> None:
        async with active_and_standby(pair, semi_sync=semi_sync) as (former, b):
            pair.a.run("insert app.t(v) values (1)")
            kept = pair.a.value("@@gtid_binlog_pos")
            pair.a.run(*["insert app.t(v) values (2)"] * 20)
            await until(lambda: pair.b.value("(select count(*) from app.t where v = 2)") == 20)
            former.close()
            await b.opened()
            await former.keeper.close()
            pair.b.run("insert app.t(v) values (3)")
            pair.a.run("stop all slaves", "reset master", f"set global gtid_slave_pos = '{kept}'")
            pair.a.run("set sql_log_bin = 0", "delete from app.t where v > 1", "set sql_log_bin = 1")
            a = Agent(wanted(pair, pair.a, semi_sync=semi_sync))
            a.peer, b.peer = b, a
            a.close()
            try:
                if semi_sync == "off":
                    gone = "that were written here are here no more"
                    await until(lambda: any(gone in each for each in a.report.against), about=lambda: f"{a.report}")
                    assert pair.a.status()["Slave_SQL_Running"] == "No"
                else:
                    rows = "(select count(*) from app.t where v > 1)"
                    await until(lambda: pair.a.value(rows) == 21, about=lambda: f"{a.report} {a.log}")
                    lost = "here no more"
                    await until(lambda: lost not in str(a.report.against), about=lambda: f"{a.report} {a.log}")
                    assert "does not replicate" not in str(a.log), a.log
            finally:
                await a.keeper.close()

    play(story)


@pytest.mark.lab
@pytest.mark.parametrize("channel", [True, False])
def test_a_number_is_never_used_for_two_transactions(pair: Pair, channel: bool) -> None:
    """The disk of the active one lost its end, and it was opened while nobody could say so. It writes on beyond the
    numbers that the other one has; that one is found out when it returns, by the server itself without a channel."""

    async def story() -> None:
        async with active_and_standby(pair, semi_sync="off") as (former, latter):
            pair.a.run("insert app.t(v) values (1)")
            kept = pair.a.value("@@gtid_binlog_pos")
            pair.a.run(*["insert app.t(v) values (2)"] * 20)
            await until(lambda: pair.b.value("(select count(*) from app.t where v = 2)") == 20)
            await latter.keeper.close()
            await former.keeper.close()
            pair.b.run("stop all slaves")
            pair.a.run("set global read_only = 1", "reset master", f"set global gtid_slave_pos = '{kept}'")
            pair.a.run("set sql_log_bin = 0", "delete from app.t where v > 1", "set sql_log_bin = 1")
            a, b = (Agent(wanted(pair, each, semi_sync="off")) for each in (pair.a, pair.b))
            try:
                a.memory.change(active=True)
                await until(lambda: a.keeper._standing.picture)
                await a.opened(forced=True)
                pair.a.run(*["insert app.t(v) values (3)"] * 30)
                if channel:
                    a.peer, b.peer = b, a
                b.close()
                if channel:
                    first = int(kept.rpartition("-")[2]) + 1
                    await until(lambda: b.view.errant, about=lambda: f"{b.report} {b.log}")
                    assert b.view.errant[0].startswith(f"0-1-{first}.."), b.view.errant
                    assert pair.b.status()["Slave_SQL_Running"] == "No"
                else:
                    await until(
                        lambda: any("error 1236" in each and "may have diverged" in each for each in b.report.against),
                        about=lambda: f"{b.report} {b.log}",
                    )
                assert pair.b.value("(select count(*) from app.t where v = 3)") == 0
            finally:
                await a.keeper.close()
                await b.keeper.close()

    play(story)


@pytest.mark.lab
def test_what_the_active_one_had_and_nobody_has_is_named(pair: Pair) -> None:
    """Asynchronous replication had not brought it here when the active one died."""

    async def story() -> None:
        async with active_and_standby(pair, semi_sync="off") as (_, b):
            pair.b.run("stop slave io_thread")
            pair.a.run("insert app.t(v) values (1)")
            await until(
                lambda: (
                    b.keeper._other.last is not None
                    and str(b.keeper._other.last) == pair.a.value("@@gtid_binlog_state")
                )
            )
            last = int(pair.a.value("@@gtid_binlog_pos").rpartition("-")[2])
            pair.a.kill()
            opened = await b.opened()
            assert f"..{last}" in opened.detail or f"0-1-{last} of" in opened.detail
            assert b.view.lost
            assert any("taken over without" in line for line in b.log)
            b.keeper.acknowledge()
            assert not b.view.lost

    play(story)


@pytest.mark.lab
def test_nobody_takes_over_without_what_a_living_server_has(pair: Pair) -> None:
    """It was closed in good order, and could be opened again: nothing need be lost."""

    async def story() -> None:
        async with active_and_standby(pair, semi_sync="off") as (a, b):
            pair.b.run("stop slave io_thread")
            pair.a.run("insert app.t(v) values (1)")
            await a.closed()
            b.open()
            refused = await b.answer(WritesRefused)
            assert "never came here, and it could go on" in refused.reason
            assert pair.b.value("@@global.read_only")
            assert any("could not be opened" in each for each in b.report.against)
            await until(lambda: not a.report.against, about=lambda: str(a.report))
            await a.opened()

    play(story)


@pytest.mark.lab
def test_a_standby_that_does_not_apply_is_not_fit(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair, promote=PromoteSettings(max_lag=1)) as (_, b):
            pair.b.run("stop slave sql_thread")
            await until(lambda: any("SQL thread is not running" in each for each in b.report.against))
            pair.b.run("start slave sql_thread")
            await until(lambda: not b.report.against)
            lock = pair.b.connect("mighty")
            lock.cursor().execute("lock tables pyvrrp.heartbeat write")
            await until(lambda: any("s behind, 1 s are allowed" in each for each in b.report.against))
            lock.cursor().execute("unlock tables")
            await until(lambda: not b.report.against)

    play(story)


@pytest.mark.lab
def test_a_server_that_was_started_anew_is_closed_and_follows_again(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair, semi_sync="off") as (_, b):
            pair.b.kill()
            await until(lambda: b.report.faults)
            (pair.b.directory / "my.cnf").write_text(
                (pair.b.directory / "my.cnf").read_text().replace("read_only = 1", "read_only = 0")
            )
            try:
                await asyncio.get_running_loop().run_in_executor(None, pair.b.start)
                await until(lambda: pair.b.value("@@global.read_only"), about=lambda: str(b.log))
                await until(lambda: not b.report.against, about=lambda: f"{b.report} {b.log}")
                assert not b.report.faults
            finally:
                (pair.b.directory / "my.cnf").write_text(
                    (pair.b.directory / "my.cnf").read_text().replace("read_only = 0", "read_only = 1")
                )

    play(story)


@pytest.mark.lab
def test_an_account_that_lacks_a_privilege_is_not_fit(pair: Pair) -> None:
    pair.b.run("set sql_log_bin=0", "revoke read_only admin on *.* from pyvrrp@localhost", "set sql_log_bin=1")

    async def story() -> None:
        async with agents(pair) as (_, b):
            await until(
                lambda: any("lacks READ_ONLY ADMIN" in each for each in b.report.against), about=lambda: str(b.report)
            )

    try:
        play(story)
    finally:
        pair.b.run("set sql_log_bin=0", "grant read_only admin on *.* to pyvrrp@localhost", "set sql_log_bin=1")


@pytest.mark.lab
def test_a_privilege_that_the_active_one_loses_is_said_and_moves_nothing(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyvrrp.mysql.privileges.PAUSE", 0.2)

    async def story() -> None:
        async with active_and_standby(pair) as (a, b):
            pair.a.run("set sql_log_bin=0", "revoke read_only admin on *.* from pyvrrp@localhost", "set sql_log_bin=1")
            try:
                await until(lambda: any("lacks READ_ONLY ADMIN" in each for each in a.report.against))
                await until(lambda: any("stay open, but its account lacks READ_ONLY" in each for each in a.log))
                assert not a.report.faults
                assert a.published is not None
                assert not a.published.against  # the other one would say that it could not take over
                assert not b.report.against
            finally:
                pair.a.run("set sql_log_bin=0", "grant read_only admin on *.* to pyvrrp@localhost", "set sql_log_bin=1")
            await until(lambda: not a.report.against, about=lambda: str(a.report))
            await until(lambda: "nothing is wrong with it any more" in a.log, about=lambda: str(a.log))

    play(story)


@pytest.mark.lab
def test_a_switchover_that_is_called_off_is_expected_no_more(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair) as (a, b):
            b.keeper.pause()
            paused = b.report.against
            assert paused
            await b.keeper.handover.reach((await a.keeper.handover.survey()).has, 5.0)
            await until(lambda: not b.report.against, about=lambda: str(b.report))  # it is ordered to
            b.keeper.handover.called_off()
            await until(lambda: b.report.against == paused, 5.0, about=lambda: str(b.report))

    play(story)


@pytest.mark.lab
def test_a_server_that_is_left_for_another_one_is_closed(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair) as (a, _):
            await a.keeper.leave()
            assert pair.a.value("@@global.read_only")
            assert any("another server has come" in each and "closed in" in each for each in a.log), a.log

    play(story)


@pytest.mark.lab
def test_a_server_that_is_left_and_cannot_be_closed_is_told_of_in_time(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair, demote=DemoteSettings(timeout=0.5)) as (a, _):
            pair.a.signal(signal.SIGSTOP)
            try:
                await asyncio.wait_for(a.keeper.leave(), SOON)
            finally:
                pair.a.signal(signal.SIGCONT)
            assert any("another server has come" in each and "not closed" in each for each in a.log), a.log

    play(story)


@pytest.mark.lab
def test_without_a_channel_the_other_server_itself_is_asked(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair, channel=False, semi_sync="off") as (a, b):
            b.keeper.heard()
            await a.closed()
            await b.opened()
            assert b.memory.now.failover > 0
            await until(lambda: a.view.replication.startswith("from"), about=lambda: f"{a.report} {a.log}")
            await until(lambda: not a.report.against, about=lambda: f"{a.report} {a.log}")

    play(story)


@pytest.mark.lab
@pytest.mark.parametrize("seen", ["while its own server is away", "by its adverts alone"])
def test_who_comes_back_alone_knows_that_the_other_one_was_active_last(pair: Pair, seen: str) -> None:
    """There is no channel, and nobody to ask any more."""
    peer = {} if seen.startswith("while") else {"peer": None}

    async def story() -> None:
        loop = asyncio.get_running_loop()
        async with active_and_standby(pair, channel=False, semi_sync="off") as (former, b):
            a = Agent(wanted(pair, pair.a, semi_sync="off", **peer))
            a.memory.change(active=True)
            await former.keeper.close()
            await a.opened()
            pair.a.kill()
            await a.closed()
            await b.opened()
            if peer:
                a.keeper.heard()
            else:
                await until(lambda: a.memory.now.successor, about=lambda: str(a.memory.now))
            pair.b.kill()
            await loop.run_in_executor(None, pair.a.start)
            word = "was master after this node" if peer else "was active last"
            await until(
                lambda: len(a.report.against) == 1 and word in a.report.against[0] and not a.report.faults,
                about=lambda: str(a.report),
            )
            await a.keeper.close()

    play(story)


@pytest.mark.lab
@pytest.mark.parametrize("agent_too", [False, True])
def test_who_took_over_without_the_last_heartbeats_is_active_again_after_a_restart(pair: Pair, agent_too: bool) -> None:
    """Those were written before it took over, and do not say that the other one was active after it."""

    async def story() -> None:
        async with active_and_standby(pair, semi_sync="off") as (a, b):
            pair.b.run("stop slave io_thread")
            here = pair.b.value("(select max(beat) from pyvrrp.heartbeat where server_id = 1)")
            await until(lambda: a.published is not None and a.published.beat > here + 1)
            pair.a.kill()
            await a.closed()
            await b.opened()
            assert b.view.lost
            lost = b.view.lost
            if agent_too:
                await b.closed()
                await b.keeper.close()
                again = Agent(wanted(pair, pair.b, semi_sync="off"))
                again.memory.now = b.memory.now
                again.peer, a.peer, b = a, again, again
                await b.closed()
            else:
                pair.b.kill()
                await until(lambda: b.report.faults)
                await b.closed()
                await asyncio.get_running_loop().run_in_executor(None, pair.b.start)
            await until(lambda: b.view.position and not b.report.against, about=lambda: f"{b.report} {b.memory.now}")
            await b.opened()
            assert b.view.lost == lost, "until somebody has seen it"
            await until(lambda: b.keeper.lacking() == lost, about=lambda: str(b.keeper.lacking()))
            if agent_too:
                await b.keeper.close()

    play(story)


@pytest.mark.lab
def test_pause_is_about_failovers_and_not_about_replication(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair, semi_sync="off") as (a, b):
            a.keeper.pause()
            await a.closed()
            await b.opened()
            await until(lambda: a.view.replication.startswith("from"), about=lambda: f"{a.report} {a.log}")
            await until(lambda: len(a.report.against) == 1, about=lambda: str(a.report))
            assert "paused" in a.report.against[0]

    play(story)


@pytest.mark.lab
def test_an_older_order_is_none(pair: Pair) -> None:
    async def story() -> None:
        async with agents(pair) as (a, _):
            a.keeper.open_writes(OpenWrites("VI_1", 2, forced=True))
            a.keeper.close_writes(CloseWrites("VI_1", 1, "late"))
            a.term = 2
            await a.answer(WritesOpened)
            await asyncio.sleep(0.4)
            assert not pair.a.value("@@global.read_only")
            assert not [each for each in a.events if isinstance(each, WritesClosed)]

    play(story)


def test_a_password_is_nowhere(pair: Pair, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("not to be seen")
    password.chmod(0o600)

    async def story() -> None:
        account = replace(pair.a.account, password_file=str(password))
        async with agents(pair, account=account) as (a, b):
            a.close()
            await until(lambda: any("cannot be used" in each for each in a.report.against), about=lambda: str(a.report))
            assert not a.report.faults
            assert "not to be seen" not in f"{a.events} {a.log} {b.events} {b.log} {a.published}"

    play(story)


class Clients(threading.Thread):
    """Writes one number after the other to whoever is said to be active; `acknowledged` are those that were."""

    def __init__(self, active: Server) -> None:
        super().__init__(daemon=True)
        self.active = active
        self.acknowledged: list[int] = []
        self.over = False
        self.start()

    def run(self) -> None:
        number = 0
        while not self.over:
            with contextlib.suppress(pymysql.MySQLError, OSError), contextlib.closing(self.active.connect()) as client:
                while not self.over:
                    number += 1
                    client.cursor().execute("insert t(v) values (%s)", (number,))
                    self.acknowledged.append(number)


@pytest.mark.lab
def test_nothing_that_was_acknowledged_is_lost_when_it_is_handed_over(pair: Pair) -> None:
    """The source is closed in good order and is still sending when the other one is asked to take over."""

    async def story() -> None:
        async with active_and_standby(pair, semi_sync="off") as (a, b):
            clients = Clients(pair.a)
            await until(lambda: len(clients.acknowledged) > 500)
            lock = pair.b.connect("mighty")
            lock.cursor().execute("lock tables t write")
            await asyncio.sleep(0.1)
            await a.closed()
            b.open()
            await asyncio.sleep(0.1)
            lock.cursor().execute("unlock tables")
            await b.answer(WritesOpened)
            before = len(clients.acknowledged)
            clients.active = pair.b
            await until(lambda: len(clients.acknowledged) > before)
            clients.over = True
            await asyncio.get_running_loop().run_in_executor(None, clients.join)
            have = {row["v"] for row in pair.b.run("select v from app.t")}
            assert not set(clients.acknowledged) - have
            await until(lambda: a.view.replication.startswith("from"), about=lambda: f"{a.report} {a.log}")
            assert a.view.errant == ()

    play(story)


@pytest.mark.lab
def test_an_opening_that_came_to_nothing_leaves_a_standby_that_may_try_again(pair: Pair) -> None:
    async def story() -> None:
        promote = PromoteSettings(apply_timeout=0.2)
        async with active_and_standby(pair, semi_sync="off", promote=promote) as (a, b):
            lock = pair.b.connect("mighty")
            lock.cursor().execute("lock tables t write")
            pair.a.run("insert app.t(v) values (1)")
            await until(lambda: pair.b.status()["Gtid_IO_Pos"] == pair.a.value("@@gtid_binlog_pos"))
            pair.a.kill()
            a.close()
            b.open()
            refused = await b.answer(WritesRefused)
            assert "without progress" in refused.reason
            assert '("Waiting for table metadata lock")' in refused.reason
            assert b.view.lost == (), "it was received, and is still to be applied"
            lock.cursor().execute("unlock tables")
            await until(lambda: len(b.report.against) == 1, about=lambda: str(b.report))
            assert "could not be opened" in b.report.against[0]
            assert pair.b.status()["Slave_IO_Running"] == "Connecting"
            await b.opened()
            assert pair.b.value("(select count(*) from app.t)") == 1

    play(story)


# --- reloads, and mistakes --------------------------------------------------------------------------------------------


def test_a_keeper_that_is_let_go_leaves_nobody_waiting(pair: Pair) -> None:
    async def story() -> None:
        async with active_and_standby(pair) as (a, _):
            lock = pair.a.connect("mighty")
            lock.cursor().execute("lock tables t write")
            going = asyncio.create_task(a.keeper.handover.step_down(5.0))
            await asyncio.sleep(0)
            await a.keeper.close()
            with pytest.raises(DatabaseError):
                await asyncio.wait_for(going, 1.0)
            with pytest.raises(DatabaseError):
                await asyncio.wait_for(a.keeper.handover.step_back(), 1.0)
            lock.close()

    play(story)


def test_a_server_is_not_killed_for_a_switchover(pair: Pair) -> None:
    """Nor is one that is dead a step of it: nobody could say what the other one must have."""

    async def story() -> None:
        async with active_and_standby(pair, demote=DemoteSettings(on_failure="kill-server")) as (a, _):
            pair.a.signal(signal.SIGSTOP)
            try:
                await until(lambda: a.report.faults)
                with pytest.raises(DatabaseError):
                    await a.keeper.handover.step_down(0.2)
            finally:
                pair.a.signal(signal.SIGCONT)
            await until(lambda: not a.report.faults)
            assert not any("was killed" in line for line in a.log), a.log
            pair.a.kill()
            await until(lambda: a.report.faults)
            with pytest.raises(DatabaseError):
                await a.keeper.handover.step_down(0.2)
            pair.a.start()

    play(story)


def test_a_mistake_is_answered_and_what_was_seen_before_is_not_believed(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with active_and_standby(pair) as (a, b):
            with monkeypatch.context() as patched:
                patched.setattr("pyvrrp.mysql.standing.Standing.saw", lambda *_: 1 // 0)
                await until(lambda: any("a mistake" in each for each in b.report.against), about=lambda: str(b.report))
                assert not a.report.against  # whoever is active has no better one
            await until(lambda: not b.report.against)
            await a.closed()
            with monkeypatch.context() as patched:
                patched.setattr("pyvrrp.mysql.keeper.Keeper._speak", lambda _: 1 // 0)  # the server is open by then
                b.open()
                assert "ZeroDivisionError" in (await b.answer(WritesRefused)).reason
            await until(lambda: pair.b.value("@@global.read_only"))

    play(story)


def test_a_watch_that_ends_by_a_mistake_is_told_of(pair: Pair) -> None:
    """Its last verdict would be believed for ever."""

    async def story() -> None:
        told: list[Any] = []

        def mistaken(_: object) -> None:
            raise ZeroDivisionError

        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        watch = Watch(pair.settings(pair.a).account, pair.settings(pair.a).probe, mistaken)
        watch.start()
        await until(lambda: told)
        assert isinstance(told[0], ZeroDivisionError)
        watch.close()

    play(story)
