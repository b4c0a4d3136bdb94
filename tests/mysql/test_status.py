"""A picture of a server from its rows. What MySQL 5.7 and later print is from their manuals, not from a server; rows of
other versions are in printed.py."""

from __future__ import annotations

import asyncio
import re

import pytest

from pyvrrp.mysql.dialect import BUILT_IN, MASTER_SLAVE, SOURCE_REPLICA, dialect
from pyvrrp.mysql.gtid import BinlogState, GtidSet, MariaPosition
from pyvrrp.mysql.status import (
    Beat,
    Coordinates,
    Picture,
    Process,
    Replication,
    Row,
    SemiSync,
    is_on,
    picture,
    processes,
    transactions,
    understood,
)
from tests.mysql import printed
from tests.mysql.scripted import scripted

MARIA = dialect("10.11.19-MariaDB")
A = "3e11fa47-71ca-11e1-9e33-c80aa9429562"

MARIA_FACTS: Row = {
    "version": "10.11.19-MariaDB-log",
    "version_comment": "Debian 12",
    "hostname": "db1",
    "server_id": 2,
    "read_only": 1,
    "log_bin": 1,
    "log_slave_updates": 1,
    "gtid_domain_id": 0,
    "gtid_strict_mode": 1,
    "gtid_slave_pos": "0-1-6",
    "gtid_binlog_pos": "0-1-6",
    "gtid_current_pos": "0-1-6",
    "gtid_binlog_state": "0-2-4,0-1-6",
}
MARIA_REPLICA: Row = {
    "Connection_name": "",
    "Slave_SQL_State": None,
    "Slave_IO_State": "Waiting for master to send event",
    "Master_Host": "192.168.1.201",
    "Master_Port": 3306,
    "Master_Log_File": "a-bin.000001",
    "Read_Master_Log_Pos": 1000,
    "Relay_Master_Log_File": "a-bin.000001",
    "Exec_Master_Log_Pos": 598,
    "Slave_IO_Running": "Yes",
    "Slave_SQL_Running": "Yes",
    "Replicate_Do_DB": "shop",
    "Replicate_Ignore_Server_Ids": "",
    "Replicate_Rewrite_DB": None,
    "Last_Errno": 0,
    "Seconds_Behind_Master": 3,
    "Last_IO_Errno": 0,
    "Last_IO_Error": "",
    "Last_SQL_Errno": 0,
    "Last_SQL_Error": "",
    "Master_Server_Id": 1,
    "Using_Gtid": "Slave_Pos",
    "Gtid_IO_Pos": "0-1-9",
    "SQL_Delay": 0,
    "SQL_Remaining_Delay": None,
    "Gtid_Slave_Pos": "0-1-6",
}
MYSQL_FACTS: Row = {
    "version": "8.0.36",
    "server_id": 2,
    "server_uuid": A,
    "read_only": 1,
    "super_read_only": 1,
    "log_replica_updates": 1,
    "gtid_mode": "ON",
    "gtid_executed": f"{A}:1-5,\n{A}:7",
}
OLD_REPLICA: Row = {  # up to 8.0.21
    "Slave_IO_State": "",
    "Master_Host": "db1",
    "Master_Port": 3306,
    "Master_Log_File": "m.000002",
    "Read_Master_Log_Pos": 674,
    "Relay_Master_Log_File": "m.000001",
    "Exec_Master_Log_Pos": 300,
    "Slave_IO_Running": "Connecting",
    "Slave_SQL_Running": "No",
    "Replicate_Wild_Ignore_Table": "tmp.%",
    "Seconds_Behind_Master": None,
    "Last_IO_Errno": 2003,
    "Last_IO_Error": "error connecting to master",
    "Last_SQL_Errno": 1062,
    "Last_SQL_Error": "Duplicate entry",
    "Master_Server_Id": 1,
    "SQL_Delay": 3600,
    "Retrieved_Gtid_Set": "",
    "Executed_Gtid_Set": "",
    "Auto_Position": 0,
    "Channel_Name": "peer",
}
NEW_REPLICA: Row = {  # from 8.0.22
    "Replica_IO_State": "Waiting for source to send event",
    "Source_Host": "db1",
    "Source_Port": 3306,
    "Source_Log_File": "m.000002",
    "Read_Source_Log_Pos": 927,
    "Relay_Source_Log_File": "m.000002",
    "Exec_Source_Log_Pos": 927,
    "Replica_IO_Running": "Yes",
    "Replica_SQL_Running": "Yes",
    "Seconds_Behind_Source": 0,
    "Last_IO_Errno": 0,
    "Last_SQL_Errno": 0,
    "Source_Server_Id": 1,
    "SQL_Delay": 0,
    "Retrieved_Gtid_Set": f"{A}:1-7",
    "Executed_Gtid_Set": f"{A}:1-5,\n{A}:7",
    "Auto_Position": 1,
    "Channel_Name": "",
}


def rows(**variables: object) -> list[Row]:
    return [{"Variable_name": name, "Value": value} for name, value in variables.items()]


def test_a_mariadb_replica() -> None:
    seen = picture(MARIA, [MARIA_FACTS], [MARIA_REPLICA], [{"File": "b-bin.000001", "Position": 817}])
    assert seen == Picture(
        name="MariaDB 10.11",
        version="10.11.19-MariaDB-log",
        hostname="db1",
        server_id=2,
        read_only=True,
        log_updates=True,
        ordered=True,
        gtids=BinlogState.parse("0-2-4,0-1-6"),
        logged=BinlogState.parse("0-2-4,0-1-6"),
        binlog=Coordinates("b-bin.000001", 817),
        replications=(
            Replication(
                source_host="192.168.1.201",
                source_port=3306,
                source_server_id=1,
                io="Yes",
                sql=True,
                behind=3.0,
                filters=("replicate_do_db=shop",),
                by_gtid=True,
                received=MariaPosition.parse("0-1-9"),
                applied=MariaPosition.parse("0-1-6"),
                read=Coordinates("a-bin.000001", 1000),
                executed=Coordinates("a-bin.000001", 598),
            ),
        ),
    )
    assert seen.position == MariaPosition.parse("0-1-6")
    assert seen.replications[0].source == "192.168.1.201:3306"
    assert seen.replications[0].error == ""


@pytest.mark.parametrize(
    ("value", "closed"),
    [(0, False), (1, True), ("OFF", False), ("ON", True), ("NO_LOCK", True), ("NO_LOCK_NO_ADMIN", True), (None, False)],
)
def test_read_only_is_a_number_or_from_mariadb_12_on_a_word(value: object, closed: bool) -> None:
    async def asked() -> bool:
        server, _ = scripted(lambda _: [{"flag": value}])
        return await server.read_only(1.0)

    assert asyncio.run(asked()) is is_on(value) is closed
    assert picture(dialect("12.0.2-MariaDB"), [{**MARIA_FACTS, "read_only": value}]).read_only is closed


def test_a_mariadb_replica_by_file_and_position_has_no_gtids_to_compare() -> None:
    (one,) = picture(MARIA, [MARIA_FACTS], [{**MARIA_REPLICA, "Using_Gtid": "No", "Gtid_IO_Pos": ""}]).replications
    assert (one.by_gtid, one.received, one.applied) == (False, None, None)
    assert str(one.read) == "a-bin.000001:1000"


def test_a_clone_of_mariadb_has_what_its_slave_position_says() -> None:
    seen = picture(MARIA, [{**MARIA_FACTS, "gtid_binlog_state": ""}])
    assert seen.gtids == BinlogState.parse("0-1-6")
    assert (seen.flavour, seen.has) == ("mariadb", "0-1-6")


def test_nothing_is_known_of_a_server_that_says_nothing() -> None:
    with pytest.raises(ValueError, match=r"MariaDB 10\.11 says nothing of itself"):
        picture(MARIA, [])
    with pytest.raises(ValueError, match="not a GTID of MariaDB's"):
        picture(MARIA, [{**MARIA_FACTS, "gtid_slave_pos": "nonsense"}])
    nobody = picture(MARIA, [dict.fromkeys(MARIA_FACTS)], [dict.fromkeys(MARIA_REPLICA)])
    assert nobody == Picture(
        name="MariaDB 10.11", gtids=BinlogState(), logged=BinlogState(), replications=(Replication(),)
    )


def test_mysql_with_gtids() -> None:
    seen = picture(dialect("8.0.36"), [MYSQL_FACTS], [NEW_REPLICA])
    assert (seen.uuid, seen.super_read_only, seen.log_updates) == (A, True, True)
    assert seen.gtids == seen.position == GtidSet.parse(f"{A}:1-5:7")
    assert (seen.flavour, seen.has) == ("mysql", f"{A}:1-5:7")
    (one,) = seen.replications
    assert (one.received, one.applied) == (GtidSet.parse(f"{A}:1-7"), GtidSet.parse(f"{A}:1-5:7"))
    assert (one.io, one.sql, one.by_gtid, one.behind) == ("Yes", True, True, 0.0)


def test_mysql_without_gtids_has_coordinates() -> None:
    facts = {**MYSQL_FACTS, "gtid_mode": "OFF", "gtid_executed": ""}
    seen = picture(dialect("5.7.44"), [facts], [OLD_REPLICA], [{"File": "n.000007", "Position": "154"}])
    assert seen.gtids is None
    assert seen.position == Coordinates("n.000007", 154)
    assert (seen.flavour, seen.has) == ("file", "n.000007:154")
    (one,) = seen.replications
    assert one.received is one.applied is None
    assert (one.read, one.executed) == (Coordinates("m.000002", 674), Coordinates("m.000001", 300))
    assert (one.channel, one.delay, one.behind) == ("peer", 3600, None)
    assert one.filters == ("replicate_wild_ignore_table=tmp.%",)
    assert one.error == "error 1062 of its SQL thread: Duplicate entry"
    assert picture(dialect("5.7.44"), [facts]).has == ""


def test_gtids_that_arrived_by_file_and_position_count() -> None:
    row = {**NEW_REPLICA, "Auto_Position": 0}
    (one,) = picture(dialect("8.4.3"), [MYSQL_FACTS], [row]).replications
    assert not one.by_gtid
    assert one.received == GtidSet.parse(f"{A}:1-7")


def test_an_io_thread_says_why_it_stands_still() -> None:
    (one,) = picture(dialect("5.7.44"), [MYSQL_FACTS], [{**OLD_REPLICA, "Last_SQL_Errno": 0}]).replications
    assert one.error == "error 2003 of its IO thread: error connecting to master"


def test_mariadb_10_5_as_its_manual_prints_it() -> None:
    seen = picture(
        dialect("10.5.29-MariaDB-log"),
        [printed.MARIA_10_5_FACTS],
        [printed.MARIA_10_5_REPLICA],
        [printed.MARIA_10_5_BINLOG],
    )
    (one,) = seen.replications
    assert (seen.name, seen.server_id, seen.read_only, seen.ordered, seen.log_updates) == (
        "MariaDB 10.5",
        2,
        True,
        True,
        True,
    )
    assert (seen.has, seen.binlog) == ("0-2-7,0-1-20", Coordinates("mariadb-bin.000016", 475))
    assert (one.source, one.source_server_id, one.channel) == ("db01.example.com:3306", 1, "")
    assert (one.io, one.sql, one.by_gtid, one.behind, one.delay) == ("Yes", True, True, 0.0, 0)
    assert (one.filters, one.error) == ((), "")
    assert one.received == one.applied == MariaPosition.parse("0-1-20")
    assert one.read == one.executed == Coordinates("mariadb-bin.000010", 548)


def test_mariadb_11_8_as_it_answered() -> None:
    """With times of the last events, which only 11.6 and later have, and TLS between the servers by default."""
    version = str(printed.MARIA_11_8_FACTS["version"])
    seen = picture(
        dialect(version),
        [printed.MARIA_11_8_FACTS],
        [printed.MARIA_11_8_REPLICA],
        [printed.MARIA_11_8_BINLOG],
        printed.MARIA_11_8_SEMI_SYNC,
        printed.MARIA_11_8_STATUS,
    )
    assert seen == Picture(
        name="MariaDB 11.8",
        version="11.8.9-MariaDB-0+deb13u1 from Debian-log",
        hostname="db2",
        server_id=2,
        read_only=True,
        log_updates=True,
        ordered=True,
        gtids=BinlogState.parse("0-1-2"),
        logged=BinlogState.parse("0-1-2"),
        binlog=Coordinates("mysql-bin.000001", 752),
        replications=(
            Replication(
                source_host="127.0.0.1",
                source_port=3306,
                source_server_id=1,
                io="Yes",
                sql=True,
                behind=0.0,
                by_gtid=True,
                received=MariaPosition.parse("0-1-2"),
                applied=MariaPosition.parse("0-1-2"),
                read=Coordinates("mysql-bin.000001", 752),
                executed=Coordinates("mysql-bin.000001", 752),
            ),
        ),
        semi_sync=SemiSync(names=BUILT_IN, timeout=10.0, wait_point="AFTER_COMMIT"),
        uptime=1,
    )


def test_mysql_9_as_its_manual_prints_it() -> None:
    """GTIDs with tags, and no word of masters and slaves but in the names of files and tables."""
    source = "73f86016-978b-11ee-ade5-8d2a2a562feb"
    seen = picture(
        dialect("9.4.0"),
        [printed.MYSQL_9_FACTS],
        [printed.MYSQL_9_REPLICA],
        [printed.MYSQL_9_BINLOG],
        printed.MYSQL_9_SEMI_SYNC,
        printed.MYSQL_9_STATUS,
    )
    (one,) = seen.replications
    assert (seen.name, seen.read_only, seen.super_read_only, seen.log_updates) == ("MySQL 9.4", True, True, True)
    assert seen.writer == "3e11fa47-71ca-11e1-9e33-c80aa9429562"
    assert seen.gtids == one.received == one.applied == GtidSet.parse(f"{source}:1-3:billing:1-2")
    assert seen.binlog == Coordinates("source-bin.000002", 1307)
    assert (one.source, one.source_server_id, one.channel) == ("127.0.0.1:13000", 1, "")
    assert (one.io, one.sql, one.by_gtid, one.behind, one.delay) == ("Yes", True, True, 0.0, 0)
    assert (one.filters, one.error) == ((), "")
    assert one.read == one.executed == Coordinates("master-bin.000001", 927)
    assert seen.semi_sync == SemiSync(
        names=SOURCE_REPLICA, replica=True, acknowledging=True, timeout=10.0, wait_point="AFTER_SYNC"
    )
    assert seen.uptime == 4711


@pytest.mark.parametrize(
    ("version", "facts"),
    [
        ("10.5.29-MariaDB", printed.MARIA_10_5_FACTS),
        ("11.8.9-MariaDB", printed.MARIA_11_8_FACTS),
        ("9.4.0", printed.MYSQL_9_FACTS),
    ],
)
def test_each_version_is_asked_for_what_it_prints(version: str, facts: Row) -> None:
    assert set(re.findall(r"@@global\.(\w+)", dialect(version).facts)) == set(facts)


def test_several_channels_are_kept_and_the_peers_is_found() -> None:
    other = {**MARIA_REPLICA, "Connection_name": "reports", "Master_Host": "10.0.0.9", "Master_Server_Id": 9}
    never = {**MARIA_REPLICA, "Connection_name": "new", "Master_Host": "10.0.0.7", "Master_Server_Id": 0}
    seen = picture(MARIA, [MARIA_FACTS], [other, never, MARIA_REPLICA])
    assert [one.channel for one in seen.replications] == ["reports", "new", ""]
    peer = seen.replications[2]
    assert seen.replication_from("db1.example", 3306, server_id=1) is peer, "known by its server id, whatever its name"
    assert seen.replication_from("192.168.1.201", 3306) is peer
    assert seen.replication_from("10.0.0.7", 3306, server_id=1) is seen.replications[1], "it was never connected"
    assert seen.replication_from("10.0.0.8", 3306) is None
    assert seen.replication_from("10.0.0.9", 3307, server_id=8) is None


MARIA_SEMI_SYNC = rows(
    rpl_semi_sync_master_enabled="ON",
    rpl_semi_sync_master_timeout="10000",
    rpl_semi_sync_master_wait_point="AFTER_COMMIT",
    rpl_semi_sync_slave_enabled="OFF",
)
MARIA_STATUS = rows(
    Rpl_semi_sync_master_clients="1",
    Rpl_semi_sync_master_no_times="2",
    Rpl_semi_sync_master_no_tx="7",
    Rpl_semi_sync_master_status="ON",
    Rpl_semi_sync_slave_status="OFF",
    Uptime="86400",
)


def test_semi_sync_of_mariadb() -> None:
    seen = picture(MARIA, [MARIA_FACTS], semi_sync_variables=MARIA_SEMI_SYNC, status=MARIA_STATUS)
    assert seen.uptime == 86400
    assert seen.semi_sync == SemiSync(
        names=BUILT_IN,
        source=True,
        in_force=True,
        clients=1,
        fallbacks=2,
        unacknowledged=7,
        timeout=10.0,
        wait_point="AFTER_COMMIT",
    )


def test_semi_sync_under_its_newer_names_its_older_ones_and_not_at_all() -> None:
    new = dialect("8.4.3")
    there = rows(rpl_semi_sync_replica_enabled="ON")
    seen = picture(new, [MYSQL_FACTS], semi_sync_variables=there, status=rows(Rpl_semi_sync_replica_status="ON"))
    assert seen.semi_sync == SemiSync(names=SOURCE_REPLICA, replica=True, acknowledging=True)
    old = picture(new, [MYSQL_FACTS], semi_sync_variables=rows(rpl_semi_sync_master_enabled="OFF"))
    assert old.semi_sync == SemiSync(names=MASTER_SLAVE)
    assert picture(new, [MYSQL_FACTS]).semi_sync == SemiSync()


def test_heartbeats_are_the_servers() -> None:
    seen = picture(MARIA, [MARIA_FACTS], heartbeats=[{"server_id": 1, "beat": 7, "at": 12.5}, {"server_id": 2}])
    assert seen.beat_of(1) == Beat(1, 7, 12.5)
    assert seen.beat_of(2) == Beat(2, 0, 0.0)
    assert seen.beat_of(3) is None


def test_sessions() -> None:
    listed = processes(
        [
            {
                "id": 5,
                "user": "app",
                "host": "web:1",
                "db": "shop",
                "command": "Query",
                "time": 12,
                "info": b"SELECT \xff",
            },
            {"ID": 6, "USER": "system user", "COMMAND": "Slave_SQL", "TIME": None, "STATE": None, "INFO": None},
            {"id": 7, "user": "repl", "command": "Binlog Dump GTID", "time": -1},
            {"id": 8, "user": "root", "command": "Daemon"},
            {"id": 9, "user": "event_scheduler", "command": "Sleep"},
        ]
    )
    assert listed[0] == Process(5, "app", "web:1", "shop", "Query", 12, "", "SELECT \ufffd")
    assert [one.id for one in listed if one.client] == [5]
    assert listed[2].seconds == -1
    assert transactions([{"id": 5, "age": 3}, {"id": 6, "age": None}]) == {5: 3, 6: 0}


def test_a_log_goes_on_in_the_next_file() -> None:
    place = Coordinates("m.000009", 100)
    assert place.covers(place)
    assert not place.covers(Coordinates("m.000009", 101))
    assert Coordinates("m.000010", 4).covers(place)
    assert Coordinates("m.1000000", 4).covers(Coordinates("m.999999", 100))


def test_what_the_other_node_published_is_understood() -> None:
    assert understood("mariadb", "0-1-6") == BinlogState.parse("0-1-6")
    assert understood("mysql", f"{A}:1-5") == GtidSet.parse(f"{A}:1-5")
    assert understood("file", "m.000001:154") == Coordinates("m.000001", 154)
    assert understood("file", "") is None
    for flavour, text in (("file", "m.000001"), ("file", ":154"), ("file", "m:x"), ("oracle", "1")):
        with pytest.raises(ValueError, match="is no position of a server"):
            understood(flavour, text)
