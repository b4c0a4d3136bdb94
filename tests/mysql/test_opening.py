"""A standby takes writes when it has applied what it received, and not before."""

from __future__ import annotations

import asyncio
import re
import threading
from dataclasses import replace

import pytest

from pyvrrp.core.settings import PromoteSettings
from pyvrrp.mysql.failure import DatabaseError
from pyvrrp.mysql.gtid import BinlogState
from pyvrrp.mysql.opening import Opened, Position, RefusedError, Wish, open_writes
from pyvrrp.mysql.server import Server as Asked
from pyvrrp.mysql.status import Coordinates
from tests.mysql.pair import Pair
from tests.waiting import until

WISH = Wish(PromoteSettings(apply_timeout=0.3))


@pytest.fixture(params=["by GTID", "by file and position"])
def replica(pair: Pair, request: pytest.FixtureRequest) -> Pair:
    """Server 2 follows server 1, which takes writes."""
    pair.fresh(using_gtid=request.param == "by GTID")
    pair.a.run("set global read_only=0")
    pair.replicate(pair.b)
    pair.a.run("insert app.t(v) values (1)")
    pair.in_step(pair.b)
    return pair


def opened(pair: Pair, wish: Wish = WISH) -> Opened:
    async def story() -> Opened:
        asked = Asked(pair.b.account)
        try:
            await asked.glance(1)
            await asked.read_only(1)
            return await open_writes(asked, wish)
        finally:
            asked.close()

    return asyncio.run(story())


def hold_up(pair: Pair) -> threading.Event:
    """Nothing is applied on server 2 until the event is set."""
    released = threading.Event()
    client = pair.b.connect("mighty")
    client.cursor().execute("lock tables t write")

    def release() -> None:
        released.wait(20)
        client.cursor().execute("unlock tables")

    threading.Thread(target=release, daemon=True).start()
    return released


def rows(pair: Pair) -> int:
    return int(pair.b.value("(select count(*) from app.t)"))


def test_one_that_has_everything_is_open_in_a_moment(replica: Pair) -> None:
    result = opened(replica)
    assert not replica.b.value("@@global.read_only")
    assert replica.b.status()["Slave_IO_Running"] == replica.b.status()["Slave_SQL_Running"] == "No"
    # One write has left numbers out before anybody could write, the other one shows that clients can.
    expected = 2 if result.gap else 1
    assert replica.b.value("(select beat from pyvrrp.heartbeat where server_id = 2)") == expected
    assert not result.missing


def test_what_was_received_is_applied_first(replica: Pair) -> None:
    released = hold_up(replica)
    replica.a.run("insert app.t(v) values (2)", "insert app.t(v) values (3)")
    assert until(
        lambda: replica.b.status()["Read_Master_Log_Pos"] == replica.a.run("show master status")[0]["Position"]
    )
    replica.a.kill()
    threading.Timer(0.15, released.set).start()
    opened(replica)
    assert rows(replica) == 3


def test_it_is_refused_without_progress(replica: Pair) -> None:
    released = hold_up(replica)
    replica.a.run("insert app.t(v) values (2)")
    assert until(
        lambda: replica.b.status()["Read_Master_Log_Pos"] == replica.a.run("show master status")[0]["Position"]
    )
    with pytest.raises(RefusedError, match=r"received and not applied: .*, without progress for 0\.3 s"):
        opened(replica)
    assert replica.b.value("@@global.read_only")
    released.set()


def test_it_is_refused_at_once_while_nothing_is_applied(replica: Pair) -> None:
    replica.b.run("stop slave sql_thread")
    replica.a.run("insert app.t(v) values (2)")
    assert until(
        lambda: replica.b.status()["Read_Master_Log_Pos"] == replica.a.run("show master status")[0]["Position"]
    )
    with pytest.raises(RefusedError, match="its SQL thread is not running, with "):
        opened(replica, replace(WISH, promote=PromoteSettings(apply_timeout=5)))


def test_what_the_applier_waits_for_is_said_in_the_servers_words(replica: Pair) -> None:
    client = replica.b.connect("mighty")
    client.cursor().execute("begin")
    client.cursor().execute("select * from t")
    replica.a.run("alter table app.t add column if not exists w int")
    try:
        waits = until(lambda: "metadata lock" in (replica.b.status()["Slave_SQL_State"] or ""), 20)
        assert waits, replica.b.status()
        with pytest.raises(RefusedError, match=r'without progress for 0.3 s \("Waiting for table metadata lock"\)'):
            opened(replica)
    finally:
        client.close()
        assert until(lambda: replica.b.run("show columns from app.t like 'w'"), 20)
        for server in (replica.a, replica.b):
            server.run("set sql_log_bin=0", "alter table app.t drop column w", "set sql_log_bin=1")


def test_who_is_forced_goes_on_and_says_what_is_missing(replica: Pair) -> None:
    replica.b.run("stop slave sql_thread")
    replica.a.run("insert app.t(v) values (2)")
    assert until(
        lambda: replica.b.status()["Read_Master_Log_Pos"] == replica.a.run("show master status")[0]["Position"]
    )
    result = opened(replica, replace(WISH, forced=True))
    assert len(result.missing) == 1
    assert not replica.b.value("@@global.read_only")


def test_what_never_came_is_named(replica: Pair) -> None:
    """The active one had said that it has 0-1-4, or what is 100 bytes further in its log."""
    one = replica.b.status()
    file, position = one["Relay_Master_Log_File"], int(one["Exec_Master_Log_Pos"])
    last: Position = BinlogState.parse("0-1-4")
    lost = "0-1-2..4"
    if one["Using_Gtid"] == "No":
        last, lost = Coordinates(file, position + 100), f"{file}:{position}..{position + 100}"
    lacks = replace(WISH, last=last, safe=True)
    with pytest.raises(RefusedError, match=re.escape(f"{lost} of the last active server never came here")):
        opened(replica, lacks)
    for goes_on in (replace(lacks, safe=False), replace(lacks, promote=PromoteSettings(otherwise="promote"))):
        result = opened(replica, goes_on)
        assert result.missing == (lost,)
        assert "never came here" in result.detail


def test_a_write_that_is_not_possible_is_an_error(replica: Pair) -> None:
    replica.b.run("set sql_log_bin=0", "rename table pyvrrp.heartbeat to pyvrrp.gone", "set sql_log_bin=1")
    try:
        with pytest.raises(DatabaseError, match="heartbeat"):
            opened(replica)
    finally:
        replica.b.run("set sql_log_bin=0", "rename table pyvrrp.gone to pyvrrp.heartbeat", "set sql_log_bin=1")
