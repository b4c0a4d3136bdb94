"""Two servers as dual masters with GTIDs: how they are set up, compared, and made one again. SQL, and nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Final

from labkit.database import DATABASE, PASSWORD, USER, Server
from labkit.errors import DatabaseError

from failover.agents import AGENT, AGENT_PASSWORD
from failover.judge import Row

ROWS: Final = f"{DATABASE}.failover"
BULK: Final = f"{DATABASE}.bulk"  # for statements that take long
HEARTBEAT: Final = "pyvrrp.heartbeat"
OPERATOR: Final = "operator"  # somebody whose sessions an agent may kill, and who may do more than the application
NO_ANSWER, STOPPED, CONNECTING = "no answer", "stopped", "connecting"
PASSING: Final = frozenset({"", NO_ANSWER, STOPPED, CONNECTING})  # what may be over in a moment
AT_ONCE: Final = 500  # rows in one insert

# In memory every fsync is free, so durability is left at its strictest.
OPTIONS: Final = (
    "gtid_strict_mode = 1",
    "log_slave_updates",
    "binlog_format = ROW",
    "sync_binlog = 1",
    "innodb_flush_log_at_trx_commit = 1",
    "slave_net_timeout = 3",
    "max_connections = 60",
    "rpl_semi_sync_master_wait_point = AFTER_SYNC",
    "rpl_semi_sync_master_timeout = 10000",
    "innodb_buffer_pool_dump_at_shutdown = OFF",
    "innodb_buffer_pool_load_at_startup = OFF",
)
CLOSED: Final = ("read_only = 1", "skip_slave_start")  # only the agent opens it
SEMI_SYNC: Final = ("rpl_semi_sync_master_enabled = 1", "rpl_semi_sync_slave_enabled = 1")

PRIVILEGES: Final = (
    "slave monitor, binlog monitor, process, connection admin, read_only admin, replication slave admin, "
    "replication master admin, binlog replay"
)

TABLES: Final = {
    ROWS: "id bigint unsigned not null auto_increment primary key, writer int unsigned not null,"
    " seq bigint unsigned not null, payload varchar(64) not null, server int unsigned not null, unique (writer, seq)",
    BULK: "id int unsigned not null primary key, n int unsigned not null",
    HEARTBEAT: "server_id int unsigned not null primary key, beat bigint unsigned not null, at double not null",
}

SETUP: Final = (
    "set session sql_log_bin = 0",
    f"create database {DATABASE}",
    "create database pyvrrp",
    *(f"create table {name} ({columns}) engine = innodb" for name, columns in TABLES.items()),
    f"insert into {BULK} select seq, 0 from {DATABASE}.seq_1_to_2000",
    f"grant select, insert on {DATABASE}.* to '{USER}'@'%' identified by '{PASSWORD}'",
    f"grant select, insert, update, delete, lock tables on {DATABASE}.* to '{OPERATOR}'@'%' identified by '{PASSWORD}'",
    "grant replication slave on *.* to 'replication'@'%' identified by 'replication'",
    f"grant {PRIVILEGES} on *.* to '{AGENT}'@'%' identified by '{AGENT_PASSWORD}'",
    f"grant select, insert, update, delete on pyvrrp.* to '{AGENT}'@'%'",
    "reset master",
    "set global gtid_slave_pos = ''",
)


def set_up(first: Server, second: Server) -> None:
    """The same content on both, without a GTID to its name, and each the other's replica."""
    for server in (first, second):
        server.execute(*SETUP)
    for replica, source in ((first, second), (second, first)):
        replica.execute(
            f"change master to master_host='{source.host.ip}', master_user='replication',"
            "master_password='replication', master_use_gtid=slave_pos, master_connect_retry=1,"
            "master_heartbeat_period=0.5",
            "start slave",
        )


def clear(active: Server) -> None:
    """Forget the rows of the last trial, on both: replication carries it."""
    active.execute(f"truncate table {ROWS}")


def rows(server: Server) -> tuple[Row, ...]:
    """All rows of the trial that a server has. Raises DatabaseError."""
    found = server.execute(f"select id, writer, seq, server from {ROWS}")
    return tuple(Row(*(_number(row[name]) for name in ("id", "writer", "seq", "server"))) for row in found)


def checksums(server: Server) -> Mapping[str, object]:
    """The checksum of every table that both must have alike. Raises DatabaseError."""
    return {str(row["Table"]): row["Checksum"] for row in server.execute(f"checksum table {ROWS}, {BULK}")}


def gtids(server: Server) -> Mapping[str, str]:
    """Where it is: what it has written and what it has applied. Raises DatabaseError."""
    (row,) = server.execute("select @@gtid_binlog_state as binlog_state, @@gtid_slave_pos as slave_pos")
    return {name: str(value) for name, value in row.items()}


def secured(active: Server) -> bool:
    """Whether a commit there waits until the other server has it. Raises DatabaseError."""
    found = active.execute("show global status like 'Rpl_semi_sync_master_%'")
    status = {str(row["Variable_name"]).lower(): str(row["Value"]) for row in found}
    return status["rpl_semi_sync_master_status"] == "ON" and status["rpl_semi_sync_master_clients"] != "0"


def in_step(active: Server, standby: Server, seconds: float) -> bool:
    """Wait until the standby has all that the active has committed by now; False when it has not in time."""
    try:
        (at,) = active.execute("select @@gtid_binlog_pos as at")
        (answer,) = standby.execute(f"select master_gtid_wait('{at['at']}', {seconds}) as late")
    except DatabaseError:
        return False
    return answer["late"] == 0


def trouble(replica: Server) -> str:
    """Why it does not replicate: the server's own error, or one of `PASSING`; "" when it does."""
    try:
        (row,) = replica.execute("show slave status")
    except DatabaseError:
        return NO_ANSWER
    receiving, applying = row["Slave_IO_Running"], row["Slave_SQL_Running"]
    if applying != "Yes":
        return str(row["Last_SQL_Error"] or STOPPED)
    if receiving == "No":
        return str(row["Last_IO_Error"] or STOPPED)
    return "" if receiving == "Yes" else CONNECTING


def make_copy(active: Server, other: Server) -> None:
    """Make the other server a copy of the active one, though it has transactions of its own: what an operator does by
    cloning it anew. Nobody may write meanwhile. Raises DatabaseError."""
    (position,) = active.execute("select @@gtid_binlog_state as state, @@gtid_binlog_pos as pos")
    statements = ["set session sql_log_bin = 0"]
    for table in TABLES:
        statements.append(f"truncate table {table}")
        statements += _inserts(table, active.execute(f"select * from {table}"))
    other.execute(
        "stop slave",
        *statements,
        "reset master",
        f"set global gtid_binlog_state = '{position['state']}'",
        f"set global gtid_slave_pos = '{position['pos']}'",
    )


def _inserts(table: str, found: Iterable[Mapping[str, object]]) -> Iterable[str]:
    values = iter(found)
    while batch := list(itertools.islice(values, AT_ONCE)):
        yield f"insert into {table} values " + ", ".join(f"({', '.join(map(repr, row.values()))})" for row in batch)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
