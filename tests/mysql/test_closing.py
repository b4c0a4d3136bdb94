"""A server is closed for writes, whoever holds it up, and in time when it cannot be."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Iterator

import pymysql
import pytest
from pymysql.cursors import DictCursor

from pyvrrp.core.settings import ProbeSettings
from pyvrrp.mysql.closing import Closed, close
from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.probe import Watch
from pyvrrp.mysql.server import Server as Asked
from pyvrrp.mysql.session import Row
from tests.mysql.pair import Pair
from tests.mysql.scripted import scripted
from tests.waiting import until

DEAD = 2013, 2006


@pytest.fixture
def open_pair(pair: Pair) -> Iterator[Pair]:
    """Server 1 takes writes."""
    pair.fresh()
    pair.a.run("set global read_only=0")
    yield pair
    pair.a.signal(signal.SIGCONT)


def closed(pair: Pair, *keep: str, within: float = 0.5, **how: object) -> Closed:
    async def story() -> Closed:
        asked = Asked(pair.a.account)
        try:
            await asked.read_only(1)
            await asked.position(1)
            return await close(asked, within=within, keep=("root", *keep), **how)  # type: ignore[arg-type]
        finally:
            asked.close()

    return asyncio.run(story())


def is_closed(pair: Pair) -> bool:
    return bool(pair.a.value("@@global.read_only"))


def test_who_has_not_committed_is_killed_and_its_row_is_not_there(open_pair: Pair) -> None:
    client = open_pair.a.connect()
    with client.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("insert t(v) values (1)")
        result = closed(open_pair)
        with pytest.raises(pymysql.err.OperationalError) as raised:
            cursor.execute("commit")
    assert raised.value.args[0] in DEAD
    assert (result.complete, result.killed, is_closed(open_pair)) == (True, ("app@127.0.0.1",), True)
    assert open_pair.a.value("(select count(*) from app.t)") == 0
    assert str(result).endswith("1 session killed (1 of app@127.0.0.1)")
    assert result.seconds < 0.1


def test_nobody_is_there(open_pair: Pair) -> None:
    open_pair.a.run("insert app.t(v) values (1)")
    result = closed(open_pair)
    assert result.complete
    assert (result.killed, result.position) == ((), "0-1-1")


def test_somebody_holds_a_lock_on_a_table(open_pair: Pair) -> None:
    client = open_pair.a.connect()
    client.cursor().execute("lock tables t write")
    result = closed(open_pair)
    assert result.complete
    assert is_closed(open_pair)
    assert result.killed == ("app@127.0.0.1",)


def test_somebody_updates_for_long(open_pair: Pair) -> None:
    open_pair.a.run("insert app.t(v) values (1), (2), (3)")
    client = open_pair.a.connect()

    def update() -> None:
        with contextlib.suppress(pymysql.MySQLError, OSError):
            client.cursor().execute("update t set v = v + 1 + sleep(1)")

    thread = threading.Thread(target=update)
    thread.start()
    running = "(select count(*) from information_schema.processlist where info like 'update%')"
    assert until(lambda: open_pair.a.value(running))
    result = closed(open_pair)
    thread.join()
    assert result.complete
    assert open_pair.a.value("(select sum(v) from app.t)") == 6


def test_an_account_that_writes_under_read_only_is_killed_too(open_pair: Pair) -> None:
    client = open_pair.a.connect("mighty")
    result = closed(open_pair)
    assert result.complete
    assert result.killed == ("mighty@127.0.0.1",)
    with pytest.raises(pymysql.err.OperationalError):
        client.cursor().execute("insert t(v) values (1)")


def test_who_is_to_be_kept_is_kept(open_pair: Pair) -> None:
    kept = open_pair.a.connect()
    assert closed(open_pair, "app").killed == ()
    kept.cursor().execute("select 1")


def test_a_lock_of_one_who_is_kept_is_waited_for_no_longer_than_allowed(open_pair: Pair) -> None:
    client = open_pair.a.connect()
    client.cursor().execute("lock tables t write")
    result = closed(open_pair, "app", within=0.3)
    assert not result.complete
    assert result.seconds < 0.4
    assert not is_closed(open_pair)
    assert "not closed: " in str(result)


@pytest.mark.parametrize("again", [False, True])
def test_writers_hardly_get_through_while_it_is_held_up(open_pair: Pair, again: bool) -> None:
    """They wait behind read_only while it is tried; a killed transaction that is large rolls back for seconds."""
    holder = open_pair.a.connect("mighty")
    holder.cursor().execute("create table if not exists held (id int)")
    holder.cursor().execute("lock tables held write")
    over, began = threading.Event(), threading.Event()

    def write() -> None:
        while not over.is_set():
            with contextlib.suppress(pymysql.MySQLError, OSError), contextlib.closing(open_pair.a.connect()) as client:
                while not over.is_set():
                    client.cursor().execute("insert t(v) values (1)")
                    began.set()
                    time.sleep(0.01)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert began.wait(20)
        before = open_pair.a.value("(select max(id) from app.t)")
        result = closed(open_pair, "mighty", within=1.5, again=again)
        after = open_pair.a.value("(select max(id) from app.t)")
    finally:
        over.set()
        thread.join()
        holder.cursor().execute("unlock tables")
        holder.cursor().execute("drop table held")
    assert not result.complete
    assert result.seconds < 1.6
    assert len(result.killed) <= 9, "each try is half of the time that is left: between two one client gets in"
    assert after - before <= 18  # one or two in each gap


def test_a_server_that_stands_still_is_given_up_in_time(open_pair: Pair) -> None:
    async def story() -> Closed:
        asked = Asked(open_pair.a.account)
        await asked.position(1)
        open_pair.a.signal(signal.SIGSTOP)
        try:
            return await close(asked, within=0.3)
        finally:
            asked.close()

    result = asyncio.run(story())
    open_pair.a.signal(signal.SIGCONT)
    assert not result.complete
    assert result.seconds < 0.4


def test_the_agent_s_own_heartbeat_is_not_in_the_way(open_pair: Pair) -> None:
    """It waits, here for a lock of one who is kept, and hears nothing of its connection's end."""
    open_pair.a.run("insert pyvrrp.heartbeat values (1, 1, 0)")
    keeper = open_pair.a.connect("mighty")
    keeper.begin()
    keeper.cursor().execute("select * from pyvrrp.heartbeat for update")

    async def story() -> Closed:
        asked, watch = Asked(open_pair.a.account), Watch(open_pair.a.account, ProbeSettings(), lambda _: None)
        watch.start()
        watch.writing = True
        try:
            waits = "(select count(*) from information_schema.processlist where info like 'insert into pyvrrp%')"
            assert await asyncio.to_thread(until, lambda: open_pair.a.value(waits))
            watch.writing = False
            return await close(asked, within=0.4, keep=("root", "mighty"), own=watch.severed)
        finally:
            watch.close()
            asked.close()

    assert asyncio.run(story()).complete


def test_replication_and_the_agent_itself_are_left_alone(open_pair: Pair) -> None:
    open_pair.replicate(open_pair.b)
    dumps = "(select count(*) from information_schema.processlist where command like 'Binlog Dump%')"
    result = closed(open_pair)
    assert result.complete
    assert open_pair.a.value(dumps) == 1
    assert all("repl" not in account and "pyvrrp" not in account for account in result.killed)


def test_a_client_that_always_comes_back_is_no_reason_to_wait(open_pair: Pair) -> None:
    """Who comes after read_only has taken effect begins under it."""
    over, made = threading.Event(), []

    def poll() -> None:
        while not over.is_set():
            with contextlib.suppress(pymysql.MySQLError, OSError):
                client = open_pair.a.connect()
                made.append(client)
                while not over.is_set():
                    client.cursor().execute("select 1")

    threads = [threading.Thread(target=poll) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        assert until(lambda: len(made) >= 6)
        result = closed(open_pair, within=2.0)
        assert result.complete, result
        assert result.seconds < 1.0
        assert 6 <= len(result.killed) < 30
        assert open_pair.a.value("(select count(*) from information_schema.processlist where user = 'app')")
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_what_still_writes_is_said(open_pair: Pair) -> None:
    """An account that passes read_only, and is kept: it writes inside the server, which hardly pauses."""
    endless = "begin not atomic while true do insert t(v) values (1); do sleep(0.001); end while; end"
    sessions = [open_pair.a.connect("mighty") for _ in range(3)]

    def write(client: pymysql.connections.Connection[DictCursor]) -> None:
        with contextlib.suppress(pymysql.MySQLError):  # killed in the end
            client.cursor().execute(endless)

    threads = [threading.Thread(target=write, args=(each,)) for each in sessions]
    for thread in threads:
        thread.start()
    try:
        assert until(lambda: open_pair.a.value("(select count(*) from app.t)"))
        result = closed(open_pair, "mighty", within=1.0)
        for _ in range(20):  # on a busy machine the server may well stand still for a moment
            result = result if not result.complete else closed(open_pair, "mighty", within=1.0)
    finally:
        for each in sessions:
            open_pair.a.run(f"kill {each.thread_id()}")  # type: ignore[no-untyped-call]
        for thread in threads:
            thread.join()
    assert not result.complete
    assert "its position does not stand still: 0-1-" in str(result)
    assert is_closed(open_pair)


class Guarded:
    """A server on which root's session, the first of the list, may not be killed."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.sessions = {5: "root", 6: "app", 7: "app"}
        self.read_only = 0

    def answer(self, statement: str) -> list[Row]:
        match statement.split():
            case ["KILL", *_, number]:
                self._kill(int(number))
            case ["SET", "GLOBAL", *_] | ["SET", "STATEMENT", *_]:
                self.read_only = 1
            case ["SET", *_] | ["SHOW", *_]:
                return []
            case [_, "@@global.read_only", *_]:
                return [{"flag": self.read_only}]
            case [_, "SUBSTRING_INDEX(USER(),", *_]:
                return [{"name": "pyvrrp"}]
            case [*_, "performance_schema.processlist" | "information_schema.processlist"]:
                return [
                    {"id": id_, "user": user, "host": "web:1", "command": "Sleep"}
                    for id_, user in self.sessions.items()
                ]
        return [{"version": self.version, "comment": "", "gtid_mode": "ON", "gtid_executed": "", "read_only": 1}]

    def _kill(self, number: int) -> None:
        if self.sessions[number] == "root":
            raise DatabaseError(Kind.SQL, 1095, f"error 1095: You are not owner of thread {number}")
        del self.sessions[number]


def closed_by_script(guarded: Guarded) -> Closed:
    server, _ = scripted(guarded.answer)
    return asyncio.run(close(server, within=0.1))


def test_a_session_that_may_not_be_killed_keeps_no_other_from_it_and_is_told_of() -> None:
    """MySQL 8: root has SYSTEM_USER, and the agent has not. super_read_only stops root, too."""
    guarded = Guarded("8.0.36")
    result = closed_by_script(guarded)
    assert guarded.sessions == {5: "root"}
    assert (result.complete, result.killed, result.spared) == (True, ("app@web", "app@web"), ("root@web",))
    assert str(result).endswith(
        "2 sessions killed (2 of app@web),"
        " 1 session left that the agent's account may not kill (1 of root@web), which super_read_only stops"
    )


def test_where_nothing_but_read_only_stops_it_the_server_is_not_closed() -> None:
    guarded = Guarded("10.11.6-MariaDB")
    result = closed_by_script(guarded)
    assert guarded.sessions == {5: "root"}, "the others are killed all the same"
    assert not result.complete
    assert str(result).startswith(
        "not closed: 1 session left that the agent's account may not kill (1 of root@web): read_only may not be enough"
    )
