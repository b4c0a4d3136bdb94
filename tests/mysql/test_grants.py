"""SHOW GRANTS is understood, whoever writes it."""

from __future__ import annotations

from pyvrrp.mysql.dialect import dialect
from pyvrrp.mysql.grants import account, held_on, may, missing, purpose
from tests.mysql.stated import AGENT_GRANTS

MARIADB, OLD_MARIADB = dialect("10.11.19-MariaDB"), dialect("10.5.20-MariaDB")
OLDEST_MARIADB = dialect("10.5.8-MariaDB")
MYSQL_56, MYSQL_8 = dialect("5.6.24-log"), dialect("8.0.36")


def test_privileges_of_each_level_are_told_apart() -> None:
    lines = ["GRANT SELECT, INSERT ON `app`.* TO 'a'@'%'", "GRANT USAGE ON *.* TO 'a'@'%' IDENTIFIED BY PASSWORD '*X'"]
    assert held_on(lines, "app.*") == {"SELECT", "INSERT"}
    assert held_on(lines, "*.*") == {"USAGE"}


def test_an_agent_with_all_that_it_needs_lacks_nothing() -> None:
    assert missing(MARIADB, MARIADB.privileges, AGENT_GRANTS) == ()
    assert may(AGENT_GRANTS)


def test_all_privileges_are_all() -> None:
    everything = ["GRANT ALL PRIVILEGES ON *.* TO 'root'@'localhost' WITH GRANT OPTION"]
    assert missing(MYSQL_8, MYSQL_8.privileges, everything) == ()
    assert may(everything)


def test_super_stands_for_much_but_not_on_every_server() -> None:
    lines = ["GRANT SUPER, PROCESS, REPLICATION CLIENT ON *.* TO 'pyvrrp'@'localhost'"]
    assert missing(MYSQL_56, MYSQL_56.privileges, lines) == ()
    assert missing(MYSQL_8, MYSQL_8.privileges, lines) == ()
    assert "READ_ONLY ADMIN" in missing(MARIADB, MARIADB.privileges, lines)
    assert "READ_ONLY ADMIN" not in missing(OLD_MARIADB, OLD_MARIADB.privileges, lines)


def test_super_does_not_show_the_sessions_of_others() -> None:
    assert missing(MYSQL_56, MYSQL_56.privileges, ["GRANT SUPER ON *.* TO 'p'@'h'"]) == (
        "REPLICATION CLIENT",
        "PROCESS",
    )


def test_the_other_node_looks_and_does_not_touch() -> None:
    assert MARIADB.looking == OLD_MARIADB.looking == ("SLAVE MONITOR", "BINLOG MONITOR")
    assert MYSQL_8.looking == MYSQL_56.looking == ("REPLICATION CLIENT",)


def test_before_10_5_9_mariadb_has_no_privilege_for_looking_alone() -> None:
    assert OLDEST_MARIADB.looking == ("REPLICATION SLAVE ADMIN", "BINLOG MONITOR")
    sight = "see the state of replication"
    assert purpose(OLDEST_MARIADB, "REPLICATION SLAVE ADMIN") == f"{sight}, start and stop replication"
    assert purpose(OLD_MARIADB, "REPLICATION SLAVE ADMIN") == "start and stop replication"
    assert purpose(OLD_MARIADB, "SLAVE MONITOR") == purpose(MYSQL_8, "REPLICATION CLIENT") == sight


def test_an_escaped_schema_is_the_same_schema() -> None:
    assert may(["GRANT SELECT, INSERT, UPDATE ON `pyvrrp`.`heartbeat` TO 'p'@'h'"])
    assert held_on([r"GRANT SELECT ON `my\_app`.* TO 'p'@'h'"], "my_app.*") == {"SELECT"}


def test_an_account_is_quoted() -> None:
    assert account("it's@192.168.1.%") == "'it''s'@'192.168.1.%'"
