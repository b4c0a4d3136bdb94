"""What one server says of itself, read once: a `Picture`, made from the rows of the dialect's statements.

Rows are mappings by column name, as a cursor gives them. A column that is missing or NULL is nothing: "", 0, None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pyvrrp.mysql.dialect import MASTER_SLAVE, Dialect, modern
from pyvrrp.mysql.dialect import SemiSync as Names
from pyvrrp.mysql.gtid import BinlogState, GtidSet, MariaPosition

Row = Mapping[str, object]

OFF: Final = frozenset({"", "0", "off", "no", "false", "none"})
FILTER: Final = "replicate_"  # how all columns begin that name what is not replicated
SERVERS_OWN: Final = frozenset({"system user", "event_scheduler", "unauthenticated user"})
REPLICAS: Final = "binlog dump"  # how the commands of sessions begin that send to replicas


@dataclass(frozen=True, slots=True)
class Coordinates:
    """A place in a binary log, whose files are numbered: a longer number is a later one."""

    file: str
    position: int

    def __str__(self) -> str:
        return f"{self.file}:{self.position}"

    def covers(self, other: Coordinates) -> bool:
        """At least as far in the same server's log."""
        return (len(self.file), self.file, self.position) >= (len(other.file), other.file, other.position)


def between(first: Coordinates | None, last: Coordinates | None) -> tuple[str, ...]:
    """What lies between two places of one server's binary log."""
    if last is None or (first is not None and first.covers(last)):
        return ()
    if first is None:
        return (f"..{last}",)
    return (f"{first}..{last.position}" if first.file == last.file else f"{first}..{last}",)


@dataclass(frozen=True, slots=True)
class Replication:
    """One channel by which a server replicates.

    `io`: Yes, No, Connecting, Preparing. `behind`: seconds, None when the server does not know. `filters`: what is not
    replicated, as "replicate_do_db=shop". `received`, `applied`: GTIDs, None where it does without; `read`, `executed`:
    places in the source's binary log. `by_gtid`: it asks its source by GTID.
    """

    channel: str = ""
    source_host: str = ""
    source_port: int = 0
    source_server_id: int = 0
    io: str = "No"
    sql: bool = False
    io_errno: int = 0
    io_error: str = ""
    sql_errno: int = 0
    sql_error: str = ""
    behind: float | None = None
    delay: int = 0
    filters: tuple[str, ...] = ()
    by_gtid: bool = False
    received: MariaPosition | GtidSet | None = None
    applied: MariaPosition | GtidSet | None = None
    read: Coordinates | None = None
    executed: Coordinates | None = None

    @property
    def source(self) -> str:
        """Where it replicates from."""
        return f"{self.source_host}:{self.source_port}"

    @property
    def error(self) -> str:
        """What stopped it, "" when nothing did."""
        if self.sql_errno:
            return f"error {self.sql_errno} of its SQL thread: {self.sql_error}"
        return f"error {self.io_errno} of its IO thread: {self.io_error}" if self.io_errno else ""


@dataclass(frozen=True, slots=True)
class SemiSync:
    """Semi-synchronous replication. `names` is None where it is not installed.

    `in_force`: commits wait for a replica now. `fallbacks`: how often it gave up waiting, `unacknowledged`: commits
    that no replica acknowledged; both since the server's start. `acknowledging`: its IO thread does, as a replica.
    `timeout`: seconds.
    """

    names: Names | None = None
    source: bool = False
    replica: bool = False
    in_force: bool = False
    acknowledging: bool = False
    clients: int = 0
    fallbacks: int = 0
    unacknowledged: int = 0
    timeout: float = 0.0
    wait_point: str = ""


@dataclass(frozen=True, slots=True)
class Beat:
    """A server's row of the heartbeat table; `at` by its own clock."""

    server_id: int
    number: int
    at: float


@dataclass(frozen=True, slots=True)
class Picture:
    """A server at one moment.

    `gtids`: all that it has, None when it has no GTIDs, or is a replica by file and position: then nobody has seen to
    it that the two servers' GTIDs agree. MariaDB's are those of its binary log and what it replicated. `logged`: those
    of its binary log alone. `position`: all it has, for waiting and showing. `ordered`: MariaDB's gtid_strict_mode,
    `domain`: its gtid_domain_id. `binlog`: the end of its binary log, None without one.
    """

    name: str
    version: str = ""
    hostname: str = ""
    server_id: int = 0
    uuid: str = ""
    read_only: bool = False
    super_read_only: bool = False
    log_updates: bool = False
    ordered: bool = False
    domain: int = 0
    gtids: BinlogState | GtidSet | None = None
    logged: BinlogState | GtidSet | None = None
    binlog: Coordinates | None = None
    replications: tuple[Replication, ...] = ()
    semi_sync: SemiSync = SemiSync()
    uptime: int = 0
    beats: tuple[Beat, ...] = ()

    @property
    def flavour(self) -> str:
        """The language of its position, as it is published: "mariadb", "mysql", "file"."""
        return "file" if self.gtids is None else "mariadb" if isinstance(self.gtids, BinlogState) else "mysql"

    @property
    def has(self) -> str:
        """All that it has, in that language; "" without GTIDs and binary log."""
        return str(self.gtids if self.gtids is not None else self.binlog or "")

    @property
    def writer(self) -> str:
        """What its own transactions are numbered under: MariaDB's server_id, MySQL's server_uuid."""
        return self.uuid.lower() if self.flavour == "mysql" else str(self.server_id)

    @property
    def position(self) -> MariaPosition | GtidSet | Coordinates | None:
        """Up to where everything is here: GTIDs, else the end of the binary log, else None."""
        gtids = self.gtids.position if isinstance(self.gtids, BinlogState) else self.gtids
        return gtids if gtids is not None else self.binlog

    def replication_from(self, host: str, port: int, server_id: int = 0) -> Replication | None:
        """The channel whose source is this server: by its server id where both are known, else by its address."""
        for one in self.replications:
            if server_id and one.source_server_id:
                if one.source_server_id == server_id:
                    return one
            elif (one.source_host, one.source_port) == (host, port):
                return one
        return None

    def beat_of(self, server_id: int) -> Beat | None:
        """The newest heartbeat of a server that is here."""
        return next((beat for beat in self.beats if beat.server_id == server_id), None)


@dataclass(frozen=True, slots=True)
class Process:
    """A session of a server. `seconds`: for how long its command has been going on."""

    id: int
    user: str = ""
    host: str = ""
    database: str = ""
    command: str = ""
    seconds: int = 0
    state: str = ""
    statement: str = ""

    @property
    def client(self) -> bool:
        """It belongs neither to the server itself nor to its replicas."""
        command = self.command.lower()
        return self.user not in SERVERS_OWN and command != "daemon" and not command.startswith(REPLICAS)


def is_on(value: object) -> bool:
    """Whether a variable is on: 1, ON, or one of MariaDB 12's words for read_only, which are all stronger than ON."""
    return str(value).lower() not in OFF


def picture(
    dialect: Dialect,
    facts: Sequence[Row],
    replica_status: Iterable[Row] = (),
    binlog_status: Sequence[Row] = (),
    semi_sync_variables: Sequence[Row] = (),
    status: Iterable[Row] = (),
    heartbeats: Iterable[Row] = (),
) -> Picture:
    """The picture of a server from what it answered, by the names of the dialect's fields.

    Raises ValueError: no facts, GTIDs that are none.
    """
    if not facts:
        raise ValueError(f"{dialect.name} says nothing of itself")
    fact = _Columns(facts[0])
    replica_status = list(replica_status)
    counters = _pairs(status)
    logged = None if goes_by_file(dialect, facts[0], replica_status) else _logged(dialect, fact)
    return Picture(
        name=dialect.name,
        version=fact.text("version"),
        hostname=fact.text("hostname"),
        server_id=fact.number("server_id"),
        uuid=fact.text("server_uuid"),
        read_only=fact.flag("read_only"),
        super_read_only=fact.flag("super_read_only"),
        log_updates=fact.flag("log_replica_updates"),
        ordered=fact.flag("gtid_strict_mode"),
        domain=fact.number("gtid_domain_id"),
        gtids=_joined(logged, fact),
        logged=logged,
        binlog=_Columns(binlog_status[0]).coordinates("file", "position") if binlog_status else None,
        replications=tuple(_replication(dialect, _Columns(row)) for row in replica_status),
        semi_sync=_semi_sync(dialect, semi_sync_variables, counters),
        uptime=counters.number("uptime"),
        beats=tuple(_beat(_Columns(row)) for row in heartbeats),
    )


def goes_by_file(dialect: Dialect, facts: Row, replica_status: Iterable[Row]) -> bool:
    """Whether places in binary logs are all that it can be compared by."""
    if not dialect.maria:
        return not _Columns(facts).text("gtid_mode").upper().startswith("ON")
    ways = [_Columns(row).text("using_gtid").lower() for row in replica_status]
    return bool(ways) and all(each == "no" for each in ways)


def understood(flavour: str, text: str) -> BinlogState | GtidSet | Coordinates | None:
    """What another node published of a server; None when it says nothing. Raises ValueError."""
    match flavour, text.rpartition(":"):
        case "mariadb", _:
            return BinlogState.parse(text)
        case "mysql", _:
            return GtidSet.parse(text)
        case "file", ("", "", ""):
            return None
        case "file", (file, ":", position) if file and position.isdecimal():
            return Coordinates(file, int(position))
        case _:
            raise ValueError(f"{text!r} is no position of a server ({flavour!r})")


def processes(rows: Iterable[Row]) -> tuple[Process, ...]:
    """The sessions of a server, from the answer to one of the dialect's `processes`."""
    return tuple(_process(_Columns(row)) for row in rows)


def transactions(rows: Iterable[Row]) -> Mapping[int, int]:
    """Seconds that the open transactions are old, by session, from the answer to the dialect's `transactions`."""
    found = [_Columns(row) for row in rows]
    return {row.number("id"): row.number("age") for row in found}


# --- rows -------------------------------------------------------------------------------------------------------------


class _Columns:
    """A row under names that are the same everywhere."""

    def __init__(self, row: Row) -> None:
        self.row = {modern(name): value for name, value in row.items()}

    def text(self, name: str) -> str:
        value = self.row.get(name)
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else "" if value is None else str(value)

    def number(self, name: str) -> int:
        text = self.text(name)
        return int(text) if text.lstrip("-").isdecimal() else 0

    def real(self, name: str) -> float | None:
        text = self.text(name)
        return float(text) if text else None

    def flag(self, name: str) -> bool:
        return is_on(self.text(name))

    def coordinates(self, file: str, position: str) -> Coordinates | None:
        return Coordinates(self.text(file), self.number(position)) if self.text(file) else None


def _pairs(rows: Iterable[Row]) -> _Columns:
    """What SHOW VARIABLES and SHOW STATUS answer."""
    found = [_Columns(row) for row in rows]
    return _Columns({row.text("variable_name"): row.text("value") for row in found})


def _logged(dialect: Dialect, fact: _Columns) -> BinlogState | GtidSet:
    if dialect.maria:
        return BinlogState.parse(fact.text("gtid_binlog_state"))
    return GtidSet.parse(fact.text("gtid_executed"))


def _joined(logged: BinlogState | GtidSet | None, fact: _Columns) -> BinlogState | GtidSet | None:
    """With what a MariaDB replicated, which need not be in its log."""
    if not isinstance(logged, BinlogState):
        return logged
    return logged.joined(MariaPosition.parse(fact.text("gtid_replica_pos")))


def _replication(dialect: Dialect, row: _Columns) -> Replication:
    received, applied, by_gtid = _maria_progress(row) if dialect.maria else _mysql_progress(row)
    return Replication(
        channel=row.text("connection_name") or row.text("channel_name"),
        source_host=row.text("source_host"),
        source_port=row.number("source_port"),
        source_server_id=row.number("source_server_id"),
        io=row.text("replica_io_running") or "No",
        sql=row.flag("replica_sql_running"),
        io_errno=row.number("last_io_errno"),
        io_error=row.text("last_io_error"),
        sql_errno=row.number("last_sql_errno"),
        sql_error=row.text("last_sql_error"),
        behind=row.real("seconds_behind_source"),
        delay=row.number("sql_delay"),
        filters=tuple(
            f"{name}={row.text(name)}" for name in sorted(row.row) if name.startswith(FILTER) and row.text(name)
        ),
        by_gtid=by_gtid,
        received=received,
        applied=applied,
        read=row.coordinates("source_log_file", "read_source_log_pos"),
        executed=row.coordinates("relay_source_log_file", "exec_source_log_pos"),
    )


Progress = tuple[MariaPosition | GtidSet | None, MariaPosition | GtidSet | None, bool]


def _maria_progress(row: _Columns) -> Progress:
    """Without GTID the IO thread keeps no Gtid_IO_Pos."""
    by_gtid = row.text("using_gtid").lower() not in OFF
    applied = MariaPosition.parse(row.text("gtid_replica_pos"))
    return (MariaPosition.parse(row.text("gtid_io_pos")), applied, True) if by_gtid else (None, None, False)


def _mysql_progress(row: _Columns) -> Progress:
    """What arrived by file and position has GTIDs too, when the source gives them."""
    received = GtidSet.parse(row.text("retrieved_gtid_set"))
    by_gtid = row.flag("auto_position")
    if not by_gtid and not received.sources:
        return None, None, False
    return received, GtidSet.parse(row.text("executed_gtid_set")), by_gtid


def _semi_sync(dialect: Dialect, rows: Sequence[Row], counters: _Columns) -> SemiSync:
    variables = _pairs(rows)
    spelled = {str(value).lower() for row in rows for value in row.values()}
    known = (dialect.semi_sync, MASTER_SLAVE)  # MySQL from 8.0.26 on may still have the older plugins
    names = next((one for one in known if {one.source_enabled, one.replica_enabled} & spelled), None)
    return SemiSync(
        names=names,
        source=variables.flag("rpl_semi_sync_source_enabled"),
        replica=variables.flag("rpl_semi_sync_replica_enabled"),
        in_force=counters.flag("rpl_semi_sync_source_status"),
        acknowledging=counters.flag("rpl_semi_sync_replica_status"),
        clients=counters.number("rpl_semi_sync_source_clients"),
        fallbacks=counters.number("rpl_semi_sync_source_no_times"),
        unacknowledged=counters.number("rpl_semi_sync_source_no_tx"),
        timeout=variables.number("rpl_semi_sync_source_timeout") / 1000,
        wait_point=variables.text("rpl_semi_sync_source_wait_point"),
    )


def _beat(row: _Columns) -> Beat:
    return Beat(row.number("server_id"), row.number("beat"), row.real("at") or 0.0)


def _process(row: _Columns) -> Process:
    return Process(
        id=row.number("id"),
        user=row.text("user"),
        host=row.text("host"),
        database=row.text("db"),
        command=row.text("command"),
        seconds=row.number("time"),
        state=row.text("state"),
        statement=row.text("info"),
    )
