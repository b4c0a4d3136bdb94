"""The statements of the dialects, asked of real servers, and what the pictures of their answers show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pymysql
import pytest
from labkit import mysql56 as package
from labkit import state

from pyvrrp.mysql.dialect import HEARTBEAT_SCHEMA, Dialect, beat, dialect
from pyvrrp.mysql.divergence import Return, loss, rejoin
from pyvrrp.mysql.gtid import BinlogState, GtidSet, MariaPosition
from pyvrrp.mysql.plan import Drain, drained
from pyvrrp.mysql.status import Picture, picture, processes, transactions
from tests.mysql import mysql56
from tests.mysql.pair import Pair
from tests.waiting import until

Ask = Callable[..., list[dict[str, Any]]]


def look(ask: Ask) -> Picture:
    said = ask("SELECT VERSION() AS version, @@version_comment AS comment")[0]
    spoken = dialect(said["version"], said["comment"])
    return picture(
        spoken,
        ask(spoken.facts),
        ask(spoken.replica_status),
        ask(spoken.binlog_status),
        ask(spoken.semi_sync_variables),
        ask(spoken.status),
        ask(spoken.heartbeats),
    )


def refused(ask: Ask, *statements: str) -> int:
    """The number of the server's error, 0 when it does what it is told."""
    try:
        ask(*statements)
    except (pymysql.MySQLError, OSError) as error:
        return int(error.args[0])
    return 0


def purged(ask: Ask, to: str) -> bool:
    """A log that a crash or a reader may still need is passed over with a warning: it is asked again."""
    ask(f"PURGE BINARY LOGS TO '{to}'")
    return bool(ask("SHOW BINARY LOGS")[0]["Log_name"] == to)


def closes_and_opens(ask: Ask, spoken: Dialect, locked: Callable[[], Any], error: int) -> None:
    """A bound is kept, and what was closed is open again."""
    client = locked()
    try:
        assert refused(ask, *spoken.close_writes(0.2)) == error
        assert ask("SELECT @@global.read_only AS v") == [{"v": 0}]
        holding = [one for one in processes(ask(spoken.processes[-1])) if one.id == client.thread_id()]
        assert holding[0].client
        ask(spoken.kill(client.thread_id()))
        assert until(lambda: refused(ask, spoken.kill(client.thread_id())) == 1094)
    finally:
        client.close()
    ask(*spoken.close_writes(1.0))
    assert look(ask).read_only
    ask(*spoken.open_writes)
    assert not look(ask).read_only


# --- MariaDB ----------------------------------------------------------------------------------------------------------


def test_mariadb_is_asked(pair: Pair) -> None:
    pair.fresh()
    pair.a.run("SET GLOBAL read_only=0", "INSERT INTO app.t (v) VALUES (1)", beat(1, 1, 0.5), beat(1, 2, 1.5))
    pair.replicate(pair.b)
    pair.in_step(pair.b)
    seen = look(pair.b.run)
    (one,) = seen.replications
    assert seen.name.startswith("MariaDB 1")
    assert (seen.server_id, seen.ordered, seen.log_updates, seen.read_only) == (2, True, True, True)
    assert one is seen.replication_from("somewhere", 1, server_id=1)
    assert (one.io, one.sql, one.by_gtid, one.delay, one.filters, one.error) == ("Yes", True, True, 0, (), "")
    assert one.received == one.applied == seen.position == MariaPosition.parse("0-1-3")
    assert seen.has == "0-1-3"
    assert one.read == one.executed == look(pair.a.run).binlog
    assert seen.semi_sync.names is not None
    assert (found := seen.beat_of(1)) is not None
    assert (found.number, found.at) == (2, 1.5)
    assert transactions(pair.b.run(dialect(seen.version).transactions)) == {}


def test_mariadb_waits_and_says_whether_it_was_reached(pair: Pair) -> None:
    pair.fresh()
    pair.a.run("SET GLOBAL read_only=0", "INSERT INTO app.t (v) VALUES (1)")
    pair.replicate(pair.b)
    spoken = dialect(look(pair.b.run).version)
    assert pair.b.run(spoken.wait_gtid("0-1-1", 5.0)) == [{"reached": 1}]
    assert pair.b.run(spoken.wait_gtid("0-1-2", 0.1)) == [{"reached": 0}]
    pair.b.run(spoken.stop_io(), spoken.stop_sql())
    assert pair.b.run(spoken.wait_position("mysql-bin.000001", 4, 1.0)) == [{"reached": 0}]
    pair.b.run(spoken.start_io(), spoken.start_sql())
    assert refused(pair.b.run, spoken.start_io("nobody")) == 1617


def test_mariadb_closes_within_the_bound(pair: Pair) -> None:
    pair.fresh()
    pair.a.run("SET GLOBAL read_only=0")

    def locked() -> Any:
        client = pair.a.connect()
        client.cursor().execute("LOCK TABLES app.t WRITE")
        return client

    closes_and_opens(pair.a.run, dialect(look(pair.a.run).version), locked, 1969)


def test_a_former_master_begins_where_it_ended(pair: Pair) -> None:
    """It has its old position of replica; the new master has purged what came after it."""
    pair.fresh()
    pair.a.run("SET GLOBAL read_only=0", "INSERT INTO app.t (v) VALUES (1)")
    pair.replicate(pair.b)
    pair.in_step(pair.b)
    pair.b.run("STOP SLAVE", "SET GLOBAL read_only=0", "FLUSH BINARY LOGS", "INSERT INTO app.t (v) VALUES (2)")
    pair.b.run("FLUSH BINARY LOGS")
    assert until(lambda: purged(pair.b.run, "mysql-bin.000002")), pair.b.run("SHOW BINARY LOGS")
    spoken = dialect(look(pair.a.run).version)

    pair.a.run("START SLAVE")
    assert until(lambda: pair.a.status()["Last_IO_Errno"] == 1236), pair.a.status()
    pair.a.run("STOP SLAVE", *spoken.adopt_position, "START SLAVE")
    assert until(lambda: pair.a.value("@@gtid_slave_pos") == "0-2-2"), pair.a.status()
    assert look(pair.a.run).has == look(pair.b.run).has == "0-1-1,0-2-2"


def test_a_former_master_that_has_more_is_refused_only_from_its_own_position(pair: Pair) -> None:
    pair.fresh()
    pair.a.run("SET GLOBAL read_only=0", "INSERT INTO app.t (v) VALUES (1)")
    pair.replicate(pair.b)
    pair.in_step(pair.b)
    pair.b.run(
        "STOP SLAVE", "SET GLOBAL read_only=0", "INSERT INTO app.t (v) VALUES (2)", "INSERT INTO app.t (v) VALUES (3)"
    )
    pair.a.run("INSERT INTO app.t (v) VALUES (666)")
    own, active = look(pair.a.run), look(pair.b.run)
    found = rejoin(own, own.replication_from("", 0, server_id=2), active.gtids, ordered=active.ordered)
    assert (found.decision, found.errant) == (Return.DIVERGED, ("0-1-2",))

    pair.a.run(*dialect(own.version).adopt_position, "START SLAVE")
    assert until(lambda: pair.a.status()["Last_IO_Errno"] == 1236), pair.a.status()
    assert "diverged" in pair.a.status()["Last_IO_Error"]


def test_a_mariadb_replica_that_is_started_anew_forgets_what_it_received(pair: Pair) -> None:
    pair.fresh()
    pair.a.run("SET GLOBAL read_only=0", "INSERT INTO app.t (v) VALUES (1)")
    pair.replicate(pair.b)
    pair.in_step(pair.b)
    pair.b.run("STOP SLAVE SQL_THREAD")
    pair.a.run("INSERT INTO app.t (v) VALUES (2)")
    assert until(lambda: pair.b.status()["Gtid_IO_Pos"] == "0-1-2")
    (before,) = look(pair.b.run).replications
    assert (drained(before).state, drained(before).missing) == (Drain.STUCK, ("0-1-2",))

    pair.a.kill()
    pair.b.kill()
    pair.b.start()
    (anew,) = look(pair.b.run).replications
    assert drained(anew).detail == "its server was started anew and does not know what it had received"
    pair.b.run("START SLAVE SQL_THREAD")
    (after,) = look(pair.b.run).replications
    assert drained(after).state is Drain.DONE, "so it says, and has lost it"
    assert loss(look(pair.b.run).gtids, BinlogState.parse("0-1-2")) == ("0-1-2",)


# --- MySQL 5.6 --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[mysql56.Server, mysql56.Server]]:
    if not package.available(state.cache()):
        pytest.skip("MySQL 5.6 comes by npm, which is not installed")
    with mysql56.running(tmp_path_factory.mktemp("mysql56")) as servers:
        yield servers


def test_mysql_5_6_is_asked(old: tuple[mysql56.Server, mysql56.Server]) -> None:
    source, replica = old
    source.run(*HEARTBEAT_SCHEMA, beat(3, 1, 0.5), beat(3, 2, 1.5))
    assert until(
        lambda: replica.run("SELECT @@global.gtid_executed AS v") == source.run("SELECT @@global.gtid_executed AS v"),
        20,
    )
    first, seen = look(source.run), look(replica.run)
    (one,) = seen.replications
    assert seen.name == "MySQL 5.6"
    assert (first.replications, first.server_id, seen.server_id, seen.log_updates) == ((), 3, 4, True)
    assert (one.source, one.source_server_id, one.channel) == (f"127.0.0.1:{source.port}", 3, "")
    assert (one.io, one.sql, one.by_gtid, one.filters, one.error) == ("Yes", True, True, (), "")
    assert one.received == one.applied == seen.gtids == GtidSet.parse(f"{first.uuid}:1-4")
    assert one.read == one.executed == first.binlog
    assert seen.semi_sync.names is None
    assert (found := seen.beat_of(3)) is not None
    assert (found.number, found.at) == (2, 1.5)


def test_mysql_5_6_waits_and_says_whether_it_was_reached(old: tuple[mysql56.Server, mysql56.Server]) -> None:
    source, replica = old
    first, spoken = look(source.run), dialect("5.6.24")
    assert replica.run(spoken.wait_gtid(first.has, 5.0)) == [{"reached": 1}]
    assert replica.run(spoken.wait_gtid(f"{first.uuid}:1000", 1.0)) == [{"reached": 0}]
    assert first.binlog is not None
    assert replica.run(spoken.wait_position(first.binlog.file, first.binlog.position, 5.0)) == [{"reached": 1}]
    replica.run(spoken.stop_io(), spoken.stop_sql())
    assert replica.run(spoken.wait_position("bin.000009", 4, 1.0)) == [{"reached": 0}]
    stopped = look(replica.run).replications[0]
    assert (stopped.io, stopped.sql) == ("No", False)
    replica.run(spoken.start_io(), spoken.start_sql())


def test_mysql_5_6_closes_within_the_bound(old: tuple[mysql56.Server, mysql56.Server]) -> None:
    source, _ = old

    def locked() -> Any:
        client = source.connect()
        client.cursor().execute("LOCK TABLES pyvrrp.heartbeat WRITE")
        return client

    closes_and_opens(source.run, dialect("5.6.24"), locked, 1205)
