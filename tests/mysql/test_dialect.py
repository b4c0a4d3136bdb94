"""What each server is asked, by its version. Those that run here are asked for real in test_servers.py."""

from __future__ import annotations

import pytest

from pyvrrp.mysql.dialect import BUILT_IN, MASTER_SLAVE, SOURCE_REPLICA, Dialect, beat, dialect, modern, quoted

MARIA = (
    "10.5.8-MariaDB",
    "10.5.9-MariaDB",
    "10.6.16-MariaDB",
    "10.11.19-MariaDB-log",
    "11.8.2-MariaDB",
    "12.0.2-MariaDB",
)
MYSQL = ("5.6.24-log", "5.7.7", "5.7.44", "8.0.21", "8.0.22", "8.0.26", "8.0.36-28", "8.4.3", "9.4.0", "26.10.0")


@pytest.mark.parametrize(
    ("version", "comment", "name"),
    [
        ("5.5.5-10.11.19-MariaDB-0+deb12u1-log", "Debian 12", "MariaDB 10.11"),
        ("10.11.19", "mariadb.org binary distribution", "MariaDB 10.11"),
        ("12.0.2-MariaDB", "", "MariaDB 12.0"),
        ("5.6.24-log", "MySQL Community Server (GPL)", "MySQL 5.6"),
        ("8.0.36-28", "Percona Server (GPL), Release 28", "MySQL 8.0"),
        ("8.4", "", "MySQL 8.4"),
        ("26.10.0", "MySQL Community Server - GPL", "MySQL 26.10"),
    ],
)
def test_a_server_is_known_by_its_version_or_its_comment(version: str, comment: str, name: str) -> None:
    assert dialect(version, comment).name == name


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("", "'' is not the version of a MariaDB or MySQL server"),
        ("unknown", "'unknown' is not the version"),
        ("5.5.62", r"MySQL 5\.5 is older than 5\.6, the oldest that is supported"),
        ("5.5.5-log", r"MySQL 5\.5 is older"),
        ("10.4.34-MariaDB", r"MariaDB 10\.4 is older than 10\.5"),
        ("5.5.5-10.3.1-MariaDB", r"MariaDB 10\.3 is older than 10\.5"),
    ],
)
def test_a_server_that_is_not_known_is_refused(version: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dialect(version)


def each(*versions: str) -> list[Dialect]:
    return [dialect(version) for version in versions]


def test_how_a_replica_is_asked() -> None:
    assert {one.replica_status for one in each(*MARIA)} == {"SHOW ALL SLAVES STATUS"}
    assert [one.replica_status for one in each("5.6.24", "8.0.21", "8.0.22", "9.4.0")] == [
        "SHOW SLAVE STATUS",
        "SHOW SLAVE STATUS",
        "SHOW REPLICA STATUS",
        "SHOW REPLICA STATUS",
    ]
    assert [one.binlog_status for one in each("12.0.2-MariaDB", "8.0.36", "8.2.0", "8.4.3")] == [
        "SHOW MASTER STATUS",
        "SHOW MASTER STATUS",
        "SHOW BINARY LOG STATUS",
        "SHOW BINARY LOG STATUS",
    ]


def test_variables_are_asked_for_only_where_they_exist() -> None:
    assert all("gtid_binlog_state" in one.facts and "super_read_only" not in one.facts for one in each(*MARIA))
    assert all("gtid_executed" in one.facts and "gtid_slave_pos" not in one.facts for one in each(*MYSQL))
    assert ["super_read_only" in one.facts for one in each("5.6.24", "5.7.7", "5.7.8", "8.4.3")] == [
        False,
        False,
        True,
        True,
    ]
    assert ["log_replica_updates" in one.facts for one in each("5.7.44", "8.0.25", "8.0.26", "9.4.0")] == [
        False,
        False,
        True,
        True,
    ]
    assert dialect("5.6.24").facts.startswith("SELECT @@global.version AS version, ")


def test_writes_are_closed_within_a_bound() -> None:
    assert dialect(MARIA[0]).close_writes(0.25) == (
        "SET STATEMENT max_statement_time=0.250 FOR SET GLOBAL read_only=1",
    )
    assert "max_statement_time=0.001 " in dialect(MARIA[0]).close_writes(0.0)[0], "0 would be no bound at all"
    assert dialect("5.6.24").close_writes(0.25) == ("SET SESSION lock_wait_timeout=1", "SET GLOBAL read_only=1")
    assert dialect("5.7.44").close_writes(2.6) == ("SET SESSION lock_wait_timeout=3", "SET GLOBAL super_read_only=1")


def test_writes_are_opened() -> None:
    assert {one.open_writes for one in each(*MARIA, "5.6.24", "5.7.7")} == {("SET GLOBAL read_only=0",)}
    assert {one.open_writes for one in each("5.7.8", "8.4.3", "26.10.0")} == {
        ("SET GLOBAL super_read_only=0", "SET GLOBAL read_only=0")
    }


def test_who_writes_in_spite_of_a_closed_server() -> None:
    assert [one.passes_read_only for one in each("10.6.1-MariaDB", "10.11.0-MariaDB", "5.6.24", "8.4.3")] == [
        ("READ_ONLY ADMIN", "SUPER"),
        ("READ_ONLY ADMIN",),
        ("SUPER",),
        (),
    ]


def test_threads_are_started_and_stopped_one_by_one() -> None:
    maria, old, new = each("10.11.19-MariaDB", "5.7.44", "8.0.22")
    assert [maria.start_io(), maria.start_sql(), maria.stop_io(), maria.stop_sql("it's")] == [
        "START SLAVE IO_THREAD",
        "START SLAVE SQL_THREAD",
        "STOP SLAVE IO_THREAD",
        "STOP SLAVE 'it''s' SQL_THREAD",
    ]
    assert old.start_io("peer") == "START SLAVE IO_THREAD FOR CHANNEL 'peer'"
    assert new.stop_sql("peer") == "STOP REPLICA SQL_THREAD FOR CHANNEL 'peer'"
    assert new.stop_io() == "STOP REPLICA IO_THREAD"
    assert dialect("5.6.24").start_sql() == "START SLAVE SQL_THREAD"
    with pytest.raises(ValueError, match=r"MySQL 5\.6 has no replication channels: 'peer'"):
        dialect("5.6.24").start_sql("peer")


def test_a_session_is_killed() -> None:
    assert dialect(MARIA[0]).kill(17) == "KILL HARD CONNECTION 17"
    assert dialect("8.4.3").kill(17) == "KILL CONNECTION 17"


def test_what_was_received_is_waited_for() -> None:
    assert dialect(MARIA[0]).wait_gtid("0-1-3", 0.5) == "SELECT MASTER_GTID_WAIT('0-1-3', 0.500) = 0 AS reached"
    assert [one.wait_gtid("u:1", 0.5) for one in each("5.6.24", "5.7.44", "8.4.3")] == [
        "SELECT COALESCE(WAIT_UNTIL_SQL_THREAD_AFTER_GTIDS('u:1', 1), -1) >= 0 AS reached",
        "SELECT WAIT_FOR_EXECUTED_GTID_SET('u:1', 1) = 0 AS reached",
        "SELECT WAIT_FOR_EXECUTED_GTID_SET('u:1', 0.500) = 0 AS reached",
    ]
    assert [one.wait_position("m.000001", 4, 2.0) for one in each(MARIA[0], "8.0.25", "8.0.26")] == [
        "SELECT COALESCE(MASTER_POS_WAIT('m.000001', 4, 2), -1) >= 0 AS reached",
        "SELECT COALESCE(MASTER_POS_WAIT('m.000001', 4, 2), -1) >= 0 AS reached",
        "SELECT COALESCE(SOURCE_POS_WAIT('m.000001', 4, 2), -1) >= 0 AS reached",
    ]


def test_semi_sync_is_named_after_the_servers_words() -> None:
    assert [one.semi_sync for one in each(MARIA[0], "8.0.25", "8.0.26", "8.4.3")] == [
        BUILT_IN,
        MASTER_SLAVE,
        SOURCE_REPLICA,
        SOURCE_REPLICA,
    ]
    assert BUILT_IN.source_plugin == ("", "")
    assert MASTER_SLAVE.source_plugin == ("rpl_semi_sync_master", "semisync_master.so")
    assert SOURCE_REPLICA.replica_plugin == ("rpl_semi_sync_replica", "semisync_replica.so")
    assert SOURCE_REPLICA.roles(source=True, replica=False) == (
        "SET GLOBAL rpl_semi_sync_source_enabled=1",
        "SET GLOBAL rpl_semi_sync_replica_enabled=0",
    )


def test_what_the_agents_account_needs() -> None:
    assert dialect("10.5.8-MariaDB").privileges[0] == "REPLICATION SLAVE ADMIN"
    assert "SLAVE MONITOR" in dialect("10.5.9-MariaDB").privileges
    assert dialect("5.7.44").privileges == ("REPLICATION CLIENT", "PROCESS", "SUPER")
    assert "SYSTEM_VARIABLES_ADMIN" in dialect("8.0.21").privileges
    assert all(len(set(one.privileges)) == len(one.privileges) for one in each(*MARIA, *MYSQL))


def test_sessions_are_listed_by_performance_schema_where_it_can() -> None:
    first, second = dialect("8.0.22").processes
    assert "FROM performance_schema.processlist" in first
    assert dialect("5.7.44").processes == dialect(MARIA[0]).processes == (second,)


def test_only_mariadb_has_a_position_to_adopt() -> None:
    assert {one.adopt_position for one in each(*MYSQL)} == {()}
    assert dialect(MARIA[0]).adopt_position == ("SET GLOBAL gtid_slave_pos = @@global.gtid_current_pos",)


def test_one_name_for_a_column_of_every_version() -> None:
    assert modern("Read_Master_Log_Pos") == modern("Read_Source_Log_Pos") == "read_source_log_pos"
    assert modern("Gtid_Slave_Pos") == "gtid_replica_pos"


def test_a_literal_is_the_same_in_every_sql_mode() -> None:
    assert quoted("it's") == "'it''s'"
    for text in ("a\\", "a\0"):
        with pytest.raises(ValueError, match="has a character that no name or position has"):
            quoted(text)


def test_a_beat_is_written_over_the_one_before() -> None:
    assert beat(1, 7, 12.5) == (
        "INSERT INTO pyvrrp.heartbeat SET server_id=1, beat=7, at=12.5 ON DUPLICATE KEY UPDATE beat=7, at=12.5"
    )


def test_the_first_version_that_can_is_asked_so() -> None:
    assert "WAIT_FOR_EXECUTED_GTID_SET('u:1', 1)" in dialect("5.7.5").wait_gtid("u:1", 0.5)
    assert "0.500" in dialect("8.0.0").wait_gtid("u:1", 0.5)
    assert dialect("5.7.6").stop_io("peer").endswith("FOR CHANNEL 'peer'")
    assert "SUPER" not in dialect("8.0.0").privileges
