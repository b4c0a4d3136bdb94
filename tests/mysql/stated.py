"""Facts of servers for tests: a pair that is right, to be spoiled in one point at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pyvrrp.mysql.dialect import modern
from pyvrrp.mysql.facts import Facts, Login
from pyvrrp.mysql.finding import Wanted

AGENT_GRANTS = (
    (
        "GRANT PROCESS, BINLOG MONITOR, CONNECTION ADMIN, READ_ONLY ADMIN, REPLICATION SLAVE ADMIN, REPLICATION MASTER"
        " ADMIN, SLAVE MONITOR, BINLOG REPLAY ON *.* TO `pyvrrp`@`localhost` IDENTIFIED BY PASSWORD '*B6'"
    ),
    "GRANT SELECT, INSERT, UPDATE ON `pyvrrp`.* TO `pyvrrp`@`localhost`",
)
PEER_GRANTS = (
    "GRANT BINLOG MONITOR, SLAVE MONITOR ON *.* TO `pyvrrp`@`192.168.1.201` IDENTIFIED BY PASSWORD '*B6'",
    "GRANT SELECT ON `pyvrrp`.* TO `pyvrrp`@`192.168.1.201`",
)
WANTED = Wanted(addresses=("192.168.1.200",), peer_hosts=("192.168.1.202",), agent="pyvrrp")

VARIABLES = {
    "log_bin": "ON",
    "log_slave_updates": "ON",
    "binlog_format": "ROW",
    "gtid_strict_mode": "ON",
    "gtid_domain_id": "0",
    "gtid_binlog_state": "",
    "gtid_slave_pos": "",
    "auto_increment_increment": "2",
    "innodb_flush_log_at_trx_commit": "1",
    "sync_binlog": "1",
    "slave_net_timeout": "4",
    "skip_name_resolve": "ON",
    "skip_networking": "OFF",
    "bind_address": "0.0.0.0",
    "event_scheduler": "OFF",
    "time_zone": "SYSTEM",
    "port": "3306",
    "rpl_semi_sync_master_wait_point": "AFTER_SYNC",
    "rpl_semi_sync_master_timeout": "10000",
}
REPLICA = {
    "Master_Host": "192.168.1.201",
    "Slave_IO_Running": "Yes",
    "Slave_SQL_Running": "Yes",
    "Last_IO_Errno": "0",
    "Last_SQL_Errno": "0",
    "SQL_Delay": "0",
    "Using_Gtid": "Slave_Pos",
    "Slave_heartbeat_period": "1.000",
    "Replicate_Do_DB": "",
}


def row(**changes: str) -> dict[str, str]:
    """One source, in the server's own column names."""
    return {modern(name): value for name, value in {**REPLICA, **changes}.items()}


def mariadb(number: int, name: str, *, writable: bool, **variables: str) -> Facts:
    """A MariaDB of the pair, 1 or 2."""
    values = VARIABLES | {
        "server_id": str(number),
        "auto_increment_offset": str(number),
        "read_only": "OFF" if writable else "ON",
        **variables,
    }
    return Facts(
        name=name,
        version="10.11.19-MariaDB-0+deb12u1-log",
        variables={modern(each): value for each, value in values.items()},
        replication=(row(Master_Host=f"192.168.1.20{3 - number}"),),
        booted={modern(each): "ON" for each in ("read_only", "skip_slave_start")},
        accounts=("root@localhost",),
        writers=(),
        tables=(),
        keyless=(),
        not_innodb=(),
        heartbeat=True,
    )


def pair() -> tuple[Facts, Facts]:
    """This server, active, and the other one, its standby."""
    here = mariadb(1, "this server", writable=True)
    there = mariadb(2, "the other server", writable=False)
    return (
        replace(here, login=Login("pyvrrp", "pyvrrp@localhost", AGENT_GRANTS)),
        replace(there, login=Login("pyvrrp", "pyvrrp@192.168.1.201", PEER_GRANTS)),
    )


def spoilt(facts: Facts, **variables: str) -> Facts:
    """The same server with other variables."""
    return replace(facts, variables={**facts.variables, **{modern(k): v for k, v in variables.items()}})


def replicating(facts: Facts, **columns: str) -> Facts:
    """The same server with another state of its replication."""
    (known,) = facts.replication or ()
    return replace(facts, replication=({**known, **{modern(k): v for k, v in columns.items()}},))


def mysql(facts: Facts, version: str, **variables: Any) -> Facts:
    """The same server as a MySQL."""
    values = {name: value for name, value in facts.variables.items() if not name.startswith("gtid_")}
    values |= {"gtid_mode": "ON", "gtid_executed": "", **variables}
    (known,) = facts.replication or ({},)
    columns = {name: value for name, value in known.items() if name != "using_gtid"}
    rows = ({**columns, "auto_position": "1"},) if known else ()
    values |= {"super_read_only": values["read_only"]} if not version.startswith("5.6") else {}
    booted = {**facts.booted, "super_read_only": "ON"}
    return replace(
        facts,
        version=version,
        comment="MySQL Community Server",
        variables=values,
        replication=rows,
        booted=booted,
        login=None,
    )
