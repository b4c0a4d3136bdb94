"""The command that shows what a server alone has."""

from __future__ import annotations

import pytest

from pyvrrp.mysql.gtid import BinlogState, GtidSet
from pyvrrp.mysql.rejoining import showing
from pyvrrp.mysql.status import Picture

MARIA = Picture("MariaDB 10.11", gtids=BinlogState.parse("0-1-1930"), ordered=True)
LOGS = tuple(f"mysql-bin.{number:06}" for number in range(1, 12))
DECODE = "--base64-output=decode-rows -v"


def test_mariadb_begins_before_the_first_of_each_domain() -> None:
    shown = showing(MARIA, ("0-1-1926..1930", "7-1-4"), LOGS)
    assert shown == f"mariadb-binlog {DECODE} --start-position='0-1-1925,7-1-3' {' '.join(LOGS[-8:])}"
    shown = showing(MARIA, ("0-1-1926..1930", "0-2-17..18"), LOGS)  # a domain may be named once
    assert "--start-position='0-2-16' " in shown


@pytest.mark.parametrize(
    ("errant", "way"),
    [
        (("0-2-7..9",), "--skip-gtid-strict-mode --server-id=2"),
        (("0-2-7", "0-3-8"), "--skip-gtid-strict-mode"),
    ],
)
def test_without_strict_mode_no_position_says_where_to_begin(errant: tuple[str, ...], way: str) -> None:
    mixed = Picture("MariaDB 10.11", gtids=BinlogState.parse("0-1-6,0-2-9"))
    assert showing(mixed, errant, LOGS[:1]) == f"mariadb-binlog {DECODE} {way} {LOGS[0]}"


def test_mysql_is_asked_by_name() -> None:
    one = "3e11fa47-71ca-11e1-9e33-c80aa9429562:5-9"
    shown = showing(Picture("MySQL 5.6", gtids=GtidSet.parse(one)), (one,), ())
    assert shown == f"mysqlbinlog {DECODE} --include-gtids='{one}' THE BINARY LOGS"
