"""How each server is asked: statements and names as data, chosen by its version. Nothing is executed here.

Tried on MariaDB 10.11 and MySQL 5.6; of the others it is what their manuals say. What a server answers is read by
column names that `modern` has made the same everywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

Version = tuple[int, int, int]

VERSION: Final = re.compile(r"(?:5\.5\.5-)?(\d+)\.(\d+)(?:\.(\d+))?", re.ASCII)
OLDEST_MARIA: Final = (10, 5)
OLDEST_MYSQL: Final = (5, 6)

HEARTBEAT_TABLE: Final = "pyvrrp.heartbeat"
HEARTBEAT_SCHEMA: Final = (
    "CREATE DATABASE IF NOT EXISTS pyvrrp",
    (
        "CREATE TABLE IF NOT EXISTS pyvrrp.heartbeat (server_id INT UNSIGNED NOT NULL PRIMARY KEY,"
        " beat BIGINT UNSIGNED NOT NULL, at DOUBLE NOT NULL) ENGINE=InnoDB"
    ),
)
HEARTBEAT_PRIVILEGES: Final = ("SELECT", "INSERT", "UPDATE")  # on pyvrrp.*

LOCK_WAIT: Final = "SET SESSION lock_wait_timeout={:d}"  # whole seconds, at least one


@dataclass(frozen=True, slots=True)
class SemiSync:
    """What the parts of semi-synchronous replication are called. The variables may be set while the server runs."""

    source_enabled: str
    replica_enabled: str
    source_timeout: str  # ms
    wait_point: str
    source_plugin: tuple[str, str] = ("", "")  # its name and its library, "" where it is built in
    replica_plugin: tuple[str, str] = ("", "")

    def roles(self, *, source: bool, replica: bool) -> tuple[str, ...]:
        """Statements that take these roles. A replica's IO thread must be restarted to know of it."""
        return (
            f"SET GLOBAL {self.source_enabled}={source:d}",
            f"SET GLOBAL {self.replica_enabled}={replica:d}",
        )


def _semi_sync(source: str, replica: str, *, plugin: bool) -> SemiSync:
    return SemiSync(
        source_enabled=f"rpl_semi_sync_{source}_enabled",
        replica_enabled=f"rpl_semi_sync_{replica}_enabled",
        source_timeout=f"rpl_semi_sync_{source}_timeout",
        wait_point=f"rpl_semi_sync_{source}_wait_point",
        source_plugin=(f"rpl_semi_sync_{source}", f"semisync_{source}.so") if plugin else ("", ""),
        replica_plugin=(f"rpl_semi_sync_{replica}", f"semisync_{replica}.so") if plugin else ("", ""),
    )


BUILT_IN: Final = _semi_sync("master", "slave", plugin=False)  # MariaDB
MASTER_SLAVE: Final = _semi_sync("master", "slave", plugin=True)
SOURCE_REPLICA: Final = _semi_sync("source", "replica", plugin=True)  # MySQL 8.0.26 and later has both pairs


@dataclass(frozen=True, slots=True)
class Dialect:
    """The SQL of one server. Fields are statements, names or privileges; methods fill statements in."""

    name: str  # "MariaDB 10.11", "MySQL 8.0"
    version: Version
    maria: bool

    facts: str
    """One row: variables by their names, and `version`. They exist on every server of this version."""

    replica_status: str
    """One row for each channel or connection; none on a server that was never made a replica."""

    binlog_status: str
    """One row, File and Position of the binary log; none while log_bin is off."""

    processes: tuple[str, ...]
    """Rows of id, user, host, db, command, time, state, info. The first of which the answer has a row is to be
    believed: performance_schema, where the second is needed when it is off, has not even the asking session."""

    transactions: str
    """Rows of id (of the session) and age in seconds: the transactions of InnoDB that are open."""

    semi_sync: SemiSync
    """What may be installed. What is there is told by `semi_sync_variables`: a server may have older names."""

    super_read_only: bool
    """read_only alone lets accounts with SUPER write. MariaDB has no such variable; see `passes_read_only`.

    From 12.0.1 on (MDEV-36425) its read_only is a word. ON is what 1 always was, and still is: whoever has READ ONLY
    ADMIN writes. NO_LOCK also refuses LOCK TABLES and SELECT … LOCK IN SHARE MODE; NO_LOCK_NO_ADMIN refuses all that to
    READ ONLY ADMIN, too: super_read_only, and no locks. Closing sets 1 there as everywhere: a standby without locks has
    no backups and no readers that want them. One that an operator has closed by a stronger word counts as closed, and
    is left so.
    """

    passes_read_only: tuple[str, ...]
    """Privileges whose owners write in spite of a server that `close_writes` has closed."""

    privileges: tuple[str, ...]
    """What the agent's account needs, ON *.*; with it HEARTBEAT_PRIVILEGES on pyvrrp.*."""

    looking: tuple[str, ...]
    """Those of them that the other node's agent needs, which looks and does not touch."""

    reads_log: tuple[str, ...]
    """What it needs besides to read its own binary log: by that alone servers without GTIDs are compared."""

    replication_privileges: tuple[str, ...]
    """What the account needs that the other server replicates with, ON *.*."""

    adopt_position: tuple[str, ...]
    """What a former master does, its replica threads stopped, before it replicates: what it has is not asked for again.

    MariaDB keeps apart what a server replicated (gtid_slave_pos) and what it wrote. From the old gtid_slave_pos it
    would begin too early: its own transactions come back and are skipped by their server id, but a source that has
    purged so old logs refuses, and nobody asks whether the source has what this server wrote. With
    gtid_slave_pos := gtid_current_pos it begins at its own last transaction, the relay log and everything else stays,
    and a source that has not got that transaction refuses with 1236 ("the slave has diverged"), while gtid_strict_mode
    is on. Tried on 10.11; MASTER_DEMOTE_TO_SLAVE does the same by CHANGE MASTER, from 10.10. With MASTER_USE_GTID=
    current_pos (deprecated) it changes nothing. MySQL's replicas ask by all of gtid_executed: nothing to be done.
    """

    semi_sync_variables: str = "SHOW GLOBAL VARIABLES LIKE 'rpl\\_semi\\_sync%'"
    status: str = "SHOW GLOBAL STATUS WHERE Variable_name = 'Uptime' OR Variable_name LIKE 'Rpl\\_semi\\_sync%'"
    heartbeats: str = "SELECT server_id, beat, at FROM pyvrrp.heartbeat"

    def close_writes(self, seconds: float) -> tuple[str, ...]:
        """Statements that make the server read only, or fail within about `seconds`, leaving it as it was.

        While they wait for a running write, or for LOCK TABLES, new writes wait behind them. MySQL's bound is in whole
        seconds.
        """
        if self.maria:
            return (f"SET STATEMENT max_statement_time={max(seconds, 0.001):.3f} FOR SET GLOBAL read_only=1",)
        variable = "super_read_only" if self.super_read_only else "read_only"
        return LOCK_WAIT.format(max(1, round(seconds))), f"SET GLOBAL {variable}=1"

    @property
    def open_writes(self) -> tuple[str, ...]:
        """Statements after which the server takes writes."""
        return (*(("SET GLOBAL super_read_only=0",) if self.super_read_only else ()), "SET GLOBAL read_only=0")

    def needed(self, *, by_file: bool) -> tuple[str, ...]:
        """What the agent's account needs on a server that has GTIDs, or that goes `by_file`, ON *.*."""
        return (*self.privileges, *(self.reads_log if by_file else ()))

    def start_io(self, channel: str = "") -> str:
        """Begin to receive. `channel` is MariaDB's connection name or MySQL's channel, "" the unnamed one."""
        return self._thread("START", "IO_THREAD", channel)

    def start_sql(self, channel: str = "") -> str:
        """Begin to apply."""
        return self._thread("START", "SQL_THREAD", channel)

    def stop_io(self, channel: str = "") -> str:
        """Receive no more; what was received is kept."""
        return self._thread("STOP", "IO_THREAD", channel)

    def stop_sql(self, channel: str = "") -> str:
        """Apply no more, after the transaction under way."""
        return self._thread("STOP", "SQL_THREAD", channel)

    def kill(self, session: int) -> str:
        """End a session, and what it does. Error 1094 says that it is gone already."""
        return f"KILL {'HARD ' if self.maria else ''}CONNECTION {session:d}"

    def wait_gtid(self, gtids: str, seconds: float) -> str:
        """One row, `reached`: 1 when everything in `gtids` is applied, 0 when not within `seconds`.

        A position of MariaDB's or a set of MySQL's. No server ends the wait early when its SQL thread stands still or
        stops; MySQL before 8.0 counts whole seconds.
        """
        text = quoted(gtids)
        if self.maria:
            return f"SELECT MASTER_GTID_WAIT({text}, {seconds:.3f}) = 0 AS reached"
        if self.version < (5, 7, 5):
            wait = f"WAIT_UNTIL_SQL_THREAD_AFTER_GTIDS({text}, {max(1, round(seconds))})"
            return f"SELECT COALESCE({wait}, -1) >= 0 AS reached"
        bound = f"{seconds:.3f}" if self.version >= (8, 0, 0) else f"{max(1, round(seconds))}"
        return f"SELECT WAIT_FOR_EXECUTED_GTID_SET({text}, {bound}) = 0 AS reached"

    def wait_position(self, file: str, position: int, seconds: float) -> str:
        """The same for a position in the source's binary log. 0 at once when the SQL thread is not running."""
        function = "MASTER_POS_WAIT" if self.maria or self.version < (8, 0, 26) else "SOURCE_POS_WAIT"
        wait = f"{function}({quoted(file)}, {position:d}, {max(1, round(seconds))})"
        return f"SELECT COALESCE({wait}, -1) >= 0 AS reached"

    def _thread(self, verb: str, thread: str, channel: str) -> str:
        if self.maria:
            return " ".join(word for word in (verb, "SLAVE", channel and quoted(channel), thread) if word)
        replica = "REPLICA" if self.version >= (8, 0, 22) else "SLAVE"
        if channel and self.version < (5, 7, 6):
            raise ValueError(f"{self.name} has no replication channels: {channel!r}")
        return f"{verb} {replica} {thread}" + (f" FOR CHANNEL {quoted(channel)}" if channel else "")


def dialect(version: str, comment: str = "") -> Dialect:
    """The dialect of a server that says this in its greeting or @@version, and this in @@version_comment.

    Raises ValueError: not a version, or one older than MariaDB 10.5 and MySQL 5.6.
    """
    match = VERSION.match(version)
    if match is None:
        raise ValueError(f"{version!r} is not the version of a MariaDB or MySQL server")
    maria = "mariadb" in f"{version} {comment}".lower()
    numbers = (int(match[1]), int(match[2]), int(match[3] or 0))
    name = f"{'MariaDB' if maria else 'MySQL'} {numbers[0]}.{numbers[1]}"
    oldest = OLDEST_MARIA if maria else OLDEST_MYSQL
    if numbers[:2] < oldest:
        raise ValueError(f"{name} is older than {oldest[0]}.{oldest[1]}, the oldest that is supported ({version!r})")
    return _maria(name, numbers) if maria else _mysql(name, numbers)


def modern(column: str) -> str:
    """One name for a column or variable that some servers call after Master and Slave, others after Source and Replica.

    "Read_Master_Log_Pos" → "read_source_log_pos": case differs too.
    """
    return column.lower().replace("master", "source").replace("slave", "replica")


def quoted(text: str) -> str:
    """A string literal, whatever the server's SQL mode says of backslashes. Raises ValueError when it has one."""
    if "\\" in text or "\0" in text:
        raise ValueError(f"{text!r} has a character that no name or position has")
    return "'" + text.replace("'", "''") + "'"


def beat(server_id: int, number: int, at: float) -> str:
    """The statement that writes one beat of a server's heart."""
    values = f"beat={number:d}, at={at!r}"
    return f"INSERT INTO {HEARTBEAT_TABLE} SET server_id={server_id:d}, {values} ON DUPLICATE KEY UPDATE {values}"


# --- the two families -------------------------------------------------------------------------------------------------

COMMON: Final = ("server_id", "read_only", "log_bin")
TRANSACTIONS: Final = (
    "SELECT trx_mysql_thread_id AS id, TIMESTAMPDIFF(SECOND, trx_started, NOW()) AS age"
    " FROM information_schema.innodb_trx"
)


def _facts(*variables: str) -> str:
    names = ("version", "version_comment", "hostname", *COMMON, *variables)
    return "SELECT " + ", ".join(f"@@global.{name} AS {name}" for name in names)


def _processes(schema: str) -> str:
    columns = ("id", "user", "host", "db", "command", "time", "state")
    listed = ", ".join(f"{column.upper()} AS `{column}`" for column in columns)
    return f"SELECT {listed}, LEFT(INFO, 200) AS `info` FROM {schema}.processlist"  # noqa: S608


def _maria(name: str, version: Version) -> Dialect:
    # MDEV-25030, 10.5.9: what SHOW SLAVE STATUS demands
    monitor = "SLAVE MONITOR" if version >= (10, 5, 9) else "REPLICATION SLAVE ADMIN"
    return Dialect(
        name=name,
        version=version,
        maria=True,
        facts=_facts(
            "log_slave_updates",
            "gtid_domain_id",
            "gtid_strict_mode",
            "gtid_slave_pos",
            "gtid_binlog_pos",
            "gtid_current_pos",
            "gtid_binlog_state",
        ),
        replica_status="SHOW ALL SLAVES STATUS",
        binlog_status="SHOW MASTER STATUS",
        processes=(_processes("information_schema"),),
        transactions=TRANSACTIONS,
        semi_sync=BUILT_IN,
        super_read_only=False,
        # MDEV-29596: from 10.11 on SUPER does not include READ ONLY ADMIN
        passes_read_only=("READ_ONLY ADMIN",) if version >= (10, 11, 0) else ("READ_ONLY ADMIN", "SUPER"),
        privileges=tuple(
            dict.fromkeys(
                (
                    monitor,
                    "BINLOG MONITOR",
                    "PROCESS",
                    "CONNECTION ADMIN",
                    "READ_ONLY ADMIN",
                    "REPLICATION SLAVE ADMIN",
                    "REPLICATION MASTER ADMIN",
                    "BINLOG REPLAY",
                )
            )
        ),
        looking=(monitor, "BINLOG MONITOR"),
        reads_log=(),
        replication_privileges=("REPLICATION SLAVE",),
        adopt_position=("SET GLOBAL gtid_slave_pos = @@global.gtid_current_pos",),
    )


def _mysql(name: str, version: Version) -> Dialect:
    closable = version >= (5, 7, 8)
    return Dialect(
        name=name,
        version=version,
        maria=False,
        facts=_facts(
            "server_uuid",
            "log_replica_updates" if version >= (8, 0, 26) else "log_slave_updates",
            *(("super_read_only",) if closable else ()),
            "gtid_mode",
            "gtid_executed",
            "gtid_purged",
        ),
        replica_status="SHOW REPLICA STATUS" if version >= (8, 0, 22) else "SHOW SLAVE STATUS",
        binlog_status="SHOW BINARY LOG STATUS" if version >= (8, 2, 0) else "SHOW MASTER STATUS",
        processes=(
            (_processes("performance_schema"), _processes("information_schema"))
            if version >= (8, 0, 22)
            else (_processes("information_schema"),)
        ),
        transactions=TRANSACTIONS,
        semi_sync=SOURCE_REPLICA if version >= (8, 0, 26) else MASTER_SLAVE,
        super_read_only=closable,
        passes_read_only=() if closable else ("SUPER",),
        privileges=_mysql_privileges(version),
        looking=("REPLICATION CLIENT",),
        reads_log=("REPLICATION SLAVE",),
        replication_privileges=("REPLICATION SLAVE",),
        adopt_position=(),
    )


def _mysql_privileges(version: Version) -> tuple[str, ...]:
    """SUPER before 8.0.

    From 8.0.16 on sessions of accounts with SYSTEM_USER (root, and whoever was granted ALL) may be killed only by one
    that has it too. The agent's has not: such sessions cannot write under super_read_only either, and with it the agent
    would be a system account itself, which only those may make or change that are one, too.
    """
    common = ("REPLICATION CLIENT", "PROCESS")
    if version < (8, 0, 0):
        return (*common, "SUPER")
    return (*common, "CONNECTION_ADMIN", "SYSTEM_VARIABLES_ADMIN", "REPLICATION_SLAVE_ADMIN")
