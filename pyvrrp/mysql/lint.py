"""Is a pair fit for a failover? Facts of two servers in, findings out, each with its reason and what mends it."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pyvrrp.mysql import grants
from pyvrrp.mysql.dialect import HEARTBEAT_SCHEMA, quoted
from pyvrrp.mysql.facts import Facts, Texts
from pyvrrp.mysql.grants import account

BOTH: Final = "both servers"
CARRIED: Final = "  -- on the active server; replication carries it over"
SHOWN: Final = 5  # of a list of tables or accounts
PATIENCE: Final = 4.0  # seconds without a word after which a replica should know that its source is gone
BEAT: Final = 1.0  # seconds between two heartbeats of a source that has nothing else to say
SEMI_SYNC_WAIT: Final = 5000  # ms; below, a standby that is slow for a moment makes replication asynchronous
NEVER_MIGHTY: Final = frozenset({"mariadb.sys", "mysql.sys", "mysql.session", "mysql.infoschema", "mysql"})
LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
EVERYWHERE: Final = frozenset({"", "*", "0.0.0.0", "::"})  # noqa: S104  # what bind_address may say


class Severity(enum.Enum):
    """A problem costs a failover, or data in one; a note is what could not be looked at."""

    PROBLEM = "problem"
    ADVICE = "advice"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a server, or both.

    `mend`: SQL statements, which have a semicolon, lines of my.cnf, and advice, which begins with "#". A statement that
    changes data or accounts is for the active server alone: replication brings it to the other one.
    """

    severity: Severity
    server: str
    text: str
    mend: tuple[str, ...] = ()

    @property
    def said(self) -> tuple[Severity, str, tuple[str, ...]]:
        """All but of whom."""
        return self.severity, self.text, self.mend


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the node's configuration says: the addresses that move, whose sessions stay, whether semi-sync is wished."""

    addresses: tuple[str, ...] = ()
    peer_hosts: tuple[str, ...] = ()  # how the other server may be called in this one's replication
    own_hosts: tuple[str, ...] = ()
    keep_users: tuple[str, ...] = ()
    semi_sync: bool = True
    agent: str = ""


def findings(here: Facts, there: Facts | None, wanted: Wanted) -> tuple[Finding, ...]:
    """Everything, problems first. `there` is None where nobody may be asked."""
    found = list(_one(here, wanted, wanted.peer_hosts))
    if there is not None:
        found = _merged(found, tuple(_one(there, wanted, wanted.own_hosts)))
        found += _both(here, there)
    order = list(Severity)
    return tuple(sorted(found, key=lambda each: order.index(each.severity)))


def _merged(here: Sequence[Finding], there: Sequence[Finding]) -> list[Finding]:
    """What is true of both is said once."""
    same = {each.said: each for each in there}
    merged = [replace(each, server=BOTH) if each.said in same else each for each in here]
    known = {each.said for each in here}
    return merged + [each for each in there if each.said not in known]


def _one(server: Facts, wanted: Wanted, sources: Sequence[str]) -> Iterator[Finding]:
    yield from _log(server)
    yield from _identifiers(server)
    yield from _durability(server)
    yield from _boot(server)
    yield from _reach(server, wanted)
    yield from _replication(server, wanted, sources)
    yield from _semi_sync(server, wanted)
    yield from _login(server)
    yield from _writers(server, wanted)
    yield from _tables(server)
    yield from _unseen(server)


# --- what a finding is made of ----------------------------------------------------------------------------------------


def _problem(server: Facts, text: str, *mend: str) -> Finding:
    return Finding(Severity.PROBLEM, server.name, text, mend)


def _advice(server: Facts, text: str, *mend: str) -> Finding:
    return Finding(Severity.ADVICE, server.name, text, mend)


def _set(server: Facts, name: str, value: str) -> tuple[str, str]:
    """A variable now and for ever."""
    name = server.native(name)
    return f"SET GLOBAL {name} = {value};", f"{name} = {value}"


def some(names: Sequence[str]) -> str:
    """`a, b, c and 4 more`."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


# --- one server -------------------------------------------------------------------------------------------------------


def _log(server: Facts) -> Iterator[Finding]:
    if server.server_id == 0:
        yield _problem(server, "server_id is 0: it neither replicates nor is replicated", "server_id = 1")
    if server.on("log_bin") is False:
        yield _problem(server, "log_bin is off: nobody can replicate from it", "log_bin = mysql-bin")
    elif server.on("log_slave_updates") is False:
        yield _problem(
            server,
            "log_slave_updates is off: what it replicated is not in its own log, so that after a failover the other"
            " server cannot get from it what it missed, nor can the two be compared",
            server.native("log_slave_updates") + " = ON",
        )
    form = server.value("binlog_format")
    if form == "STATEMENT":
        text = "binlog_format is STATEMENT: a statement may do something else on the standby than it did here"
        yield _problem(server, text, *_set(server, "binlog_format", "ROW"))
    elif form == "MIXED":
        text = "binlog_format is MIXED: row by row the standby has what the active server has, or says that it differs"
        yield _advice(server, text, *_set(server, "binlog_format", "ROW"))
    for column in ("binlog_do_db", "binlog_ignore_db"):
        if server.coordinates.get(column):
            text = f"{column} is {server.coordinates[column]}: what its log leaves out the standby never has"
            yield _problem(server, text, f"# remove {column}")


def _identifiers(server: Facts) -> Iterator[Finding]:
    if server.maria:
        if server.on("gtid_strict_mode") is False:
            text = (
                "gtid_strict_mode is off: after two servers were written to at once both go on replicating without an"
                " error, with different rows"
            )
            yield _problem(server, text, *_set(server, "gtid_strict_mode", "ON"))
    elif not server.gtid:
        yield _advice(
            server,
            f"gtid_mode is {server.value('gtid_mode')}: nobody can tell whether a returning server has transactions"
            " that the other one has not",
            "gtid_mode = ON",
            "enforce_gtid_consistency = ON",
        )
    step, offset = int(server.value("auto_increment_increment") or 1), int(server.value("auto_increment_offset") or 1)
    if offset > step:
        text = f"auto_increment_offset {offset} is more than the increment {step}, and is ignored"
        yield _problem(server, text, *_set(server, "auto_increment_increment", "2"))
    elif step < 2:
        yield _advice(
            server,
            "auto_increment_increment is 1: rows that only a failed server has may have the numbers of other rows on"
            " its successor, and cannot be brought over as they are",
            *_set(server, "auto_increment_increment", "2"),
        )


def _durability(server: Facts) -> Iterator[Finding]:
    for name, loss in (
        ("innodb_flush_log_at_trx_commit", "acknowledged transactions"),
        ("sync_binlog", "transactions in the log that the standby may have already"),
    ):
        value = server.value(name)
        if value not in (None, "1"):
            text = f"{name} is {value}: a host that loses power loses {loss}"
            yield _advice(server, text, *_set(server, name, "1"))
    if not server.maria and server.dialect.version < (8, 0, 0):
        for name, good in (("relay_log_info_repository", "TABLE"), ("master_info_repository", "TABLE")):
            if server.value(name) == "FILE":
                text = f"{name} is FILE: after a crash it may not know how far it had replicated"
                yield _advice(server, text, f"{name} = {good}")
        if server.on("relay_log_recovery") is False:
            text = "relay_log_recovery is off: a relay log that a crash damaged stops replication"
            yield _advice(server, text, "relay_log_recovery = ON")


def _boot(server: Facts) -> Iterator[Finding]:
    switches = [
        ("read_only", "a server that comes back takes writes before anybody knows whether it may"),
        ("skip_slave_start", "a server that comes back replicates before its transactions were compared"),
    ]
    if server.dialect.super_read_only:
        switches.insert(1, ("super_read_only", "a server that comes back takes the writes of mighty accounts"))
    for name, danger in switches:
        known = server.boots_with(name)
        if known is False:
            yield _problem(server, f"{name} is not in its option file: {danger}", f"{server.native(name)} = ON")
        elif known is None:
            text = f"whether its option file has {name} cannot be seen from here: {danger}"
            yield Finding(Severity.NOTE, server.name, text, (f"{server.native(name)} = ON",))
    if server.booted.get("rpl_semi_sync_source_enabled") and server.boots_with("rpl_semi_sync_master_enabled"):
        yield _advice(
            server,
            "semi-synchronous replication's master is enabled in its option file: as a standby it would wait for"
            " acknowledgements from a server that is gone while it applies. pyvrrpd sets it by role",
            f"# remove {server.dialect.semi_sync.source_enabled}",
        )


def _reach(server: Facts, wanted: Wanted) -> Iterator[Finding]:
    if server.on("skip_networking"):
        yield _problem(server, "skip_networking is on: no client reaches it", "# remove skip_networking")
    bound = {each.strip() for each in (server.value("bind_address") or "").split(",")}
    for address in wanted.addresses:
        fits = address in bound or bound & (EVERYWHERE - {"0.0.0.0"} if ":" in address else EVERYWHERE)  # noqa: S104
        if not fits:
            text = f"bind_address is {', '.join(sorted(bound))}: clients of {address} are refused"
            yield _problem(server, text, f"bind_address = {'::' if ':' in address else '0.0.0.0'}")  # noqa: S104
    if server.on("skip_name_resolve") is False:
        text = "skip_name_resolve is off: logging in waits for the name service, and accounts match by names"
        yield _advice(server, text, "skip_name_resolve = ON")
    if server.on("event_scheduler"):
        yield _advice(
            server,
            "event_scheduler is on: events that came by replication are disabled on the standby and stay so after a"
            " failover; see that each one does no harm when it runs on neither, or on both",
        )


def _replication(server: Facts, wanted: Wanted, sources: Sequence[str]) -> Iterator[Finding]:
    if server.replication is None:
        return
    if not server.replication:
        text = "is no replica of the other one: after a failover it cannot come back"
        yield _problem(server, text, "# pyvrrpctl mysql setup")
    if len(server.replication) > 1:
        text = f"replicates from {len(server.replication)} sources: only one that has none but the other can be judged"
        yield _problem(server, text)
    for row in server.replication:
        yield from _source(server, row, wanted, sources)
        yield from _channel(server, row)
        yield from _errors(server, row)
    patience = float(server.value("slave_net_timeout") or 0)
    if patience > PATIENCE:
        text = f"slave_net_timeout is {patience:g} s: for so long it takes a source that is gone for one that is silent"
        yield _advice(server, text, *_set(server, "slave_net_timeout", f"{PATIENCE:g}"))


def _source(server: Facts, row: Texts, wanted: Wanted, sources: Sequence[str]) -> Iterator[Finding]:
    host = row.get("source_host", "")
    if host in wanted.addresses:
        text = f"replicates from {host}, the address that moves: one day from itself"
        yield _problem(server, text, "# point it at the other server's own address")
    elif sources and host not in sources:
        text = f"replicates from {host}, not from the other server ({', '.join(sources)})"
        yield _problem(server, text, "# point it at the other server's own address")


def _channel(server: Facts, row: Texts) -> Iterator[Finding]:
    for name in sorted(row):
        if name.startswith("replicate_") and row[name] and name != "replicate_ignore_server_ids":
            yield _problem(server, f"{name} is {row[name]}: it is not a copy of the other server", f"# remove {name}")
    delay = int(row.get("sql_delay") or 0)
    if delay:
        text = f"applies what it receives {delay} s late, by configuration: no standby"
        yield _problem(server, text, _change(server, row, f"{_word(server)}_DELAY = 0"))
    if server.maria and row.get("using_gtid", "").lower() in ("no", ""):
        yield _problem(
            server,
            "replicates by file and position: after a crash it does not know reliably where it was",
            _change(server, row, "MASTER_USE_GTID = slave_pos"),
        )
    elif not server.maria and server.gtid and row.get("auto_position") == "0":
        text = "replicates by file and position although it has GTIDs: after a failover it asks for the wrong place"
        yield _problem(server, text, _change(server, row, f"{_word(server)}_AUTO_POSITION = 1"))
    period = row.get("heartbeat_period", "")
    if period and float(period) > BEAT:
        text = f"asks its source for a heartbeat every {float(period):g} s only"
        yield _advice(server, text, _change(server, row, f"{_word(server)}_HEARTBEAT_PERIOD = {BEAT:g}"))


def _errors(server: Facts, row: Texts) -> Iterator[Finding]:
    if server.on("read_only") is False and row.get("replica_io_running") == row.get("replica_sql_running") == "No":
        return  # the active one, which does not replicate; what is said there is of an earlier time
    for thread in ("sql", "io"):
        number = row.get(f"last_{thread}_errno", "0")
        if number not in ("", "0"):
            yield _problem(server, f"replication has stopped, error {number}: {row.get(f'last_{thread}_error', '')}")


def _word(server: Facts) -> str:
    return "SOURCE" if not server.maria and server.dialect.version >= (8, 0, 23) else "MASTER"


def _change(server: Facts, row: Texts, option: str) -> str:
    """A statement that changes replication; the threads are stopped for it, if they run."""
    noun, verb = ("REPLICA", "REPLICATION SOURCE") if _word(server) == "SOURCE" else ("SLAVE", "MASTER")
    change = f"CHANGE {verb} TO {option};"
    running = row.get("replica_sql_running") == "Yes"
    return f"STOP {noun}; {change} START {noun};" if running else change


def _semi_sync(server: Facts, wanted: Wanted) -> Iterator[Finding]:
    if not wanted.semi_sync:
        return
    names = server.dialect.semi_sync
    if not any(name.startswith("rpl_semi_sync_") for name in server.variables):
        plugins = [each for each in (names.source_plugin, names.replica_plugin) if each[0]]
        yield _advice(
            server,
            "has no semi-synchronous replication: a host that dies takes with it what the standby had not received",
            *(f"INSTALL PLUGIN {name} SONAME {quoted(library)};" for name, library in plugins),
        )
        return
    if server.value("rpl_semi_sync_master_wait_point") == "AFTER_COMMIT":
        text = (
            "semi-synchronous replication waits after the commit: clients see rows that are gone again when the host"
            " dies before the standby has them"
        )
        yield _advice(server, text, *_set(server, names.wait_point, "AFTER_SYNC"))
    wait = int(server.value("rpl_semi_sync_master_timeout") or SEMI_SYNC_WAIT)
    if wait < SEMI_SYNC_WAIT:
        text = f"semi-synchronous replication gives up after {wait} ms, silently: what follows may be lost"
        yield _advice(server, text, *_set(server, names.source_timeout, "10000"))


def _login(server: Facts) -> Iterator[Finding]:
    if server.refused:
        text = f"the agent does not get in: {server.refused}"
        yield _problem(server, text, "# pyvrrpctl mysql setup")
    if server.heartbeat is False:
        text = "has no table pyvrrp.heartbeat: neither can a write be tried, nor the lag be known"
        yield _problem(server, text, *(f"{each};{CARRIED}" for each in HEARTBEAT_SCHEMA))
    if server.login is None:
        return
    user, matched = server.login.user, server.login.matched
    if matched.partition("@")[0] != user:
        text = f"the agent logs in as {user} and is taken for {matched}: another account fits its host better"
        yield _problem(server, text, f"# DROP USER {account(matched)};")
    abroad = server.name != "this server"
    needed = grants.looking(server.dialect) if abroad else server.dialect.privileges
    for each in grants.missing(server.dialect, needed, server.login.grants):
        text = f"the agent, taken for {matched}, cannot {grants.PURPOSES[each]}: it has not got {each}"
        yield _problem(server, text, f"GRANT {each} ON *.* TO {account(matched)};{CARRIED}")
    wishes = ("SELECT",) if abroad else ("SELECT", "INSERT", "UPDATE")
    if server.heartbeat and not grants.may(server.login.grants, wishes):
        text = f"the agent, taken for {matched}, may not use its heartbeat"
        yield _problem(server, text, f"GRANT {', '.join(wishes)} ON pyvrrp.* TO {account(matched)};{CARRIED}")


def _writers(server: Facts, wanted: Wanted) -> Iterator[Finding]:
    if not server.writers:
        return
    spared = {*NEVER_MIGHTY, wanted.agent, *wanted.keep_users}
    rest = [each for each in server.writers if each.rpartition("@")[0] not in spared]
    afar = [each for each in rest if each.rpartition("@")[2] not in LOCAL]
    near = [each for each in rest if each not in afar and each.rpartition("@")[0] != "root"]
    privileges = " or ".join(server.dialect.passes_read_only)
    for accounts, made, where in ((afar, _problem, "from other hosts"), (near, _advice, "on this host")):
        if accounts:
            yield made(
                server,
                f"{some(accounts)} may write {where} although it is read_only ({privileges}, also as part of ALL"
                " PRIVILEGES): no failover stops them",
                *(
                    f"REVOKE {each} ON *.* FROM {account(who)};{CARRIED}"
                    for who in accounts[:SHOWN]
                    for each in server.dialect.passes_read_only
                ),
            )


def _tables(server: Facts) -> Iterator[Finding]:
    if server.keyless:
        text = f"without primary key: {some(server.keyless)}. A standby searches the whole table for each changed row"
        yield _advice(server, text)
    if server.not_innodb:
        text = f"not in InnoDB: {some(server.not_innodb)}. After a crash nobody knows what is in them"
        yield _advice(
            server, text, *(f"ALTER TABLE {each} ENGINE = InnoDB;{CARRIED}" for each in server.not_innodb[:SHOWN])
        )


def _unseen(server: Facts) -> Iterator[Finding]:
    hidden = {
        "replication": server.replication is None,
        "accounts that pass read_only": server.writers is None and bool(server.dialect.passes_read_only),
        "tables": server.tables is None,
    }
    names = [name for name, unseen in hidden.items() if unseen]
    if names:
        text = f"not looked at, for want of an administrator's account: {', '.join(names)}"
        yield Finding(Severity.NOTE, server.name, text)


# --- the pair ---------------------------------------------------------------------------------------------------------


def _both(here: Facts, there: Facts) -> Iterator[Finding]:
    yield from _kinds(here, there)
    if here.server_id == there.server_id:
        text = f"both have server_id {here.server_id}: neither takes the other's transactions"
        yield _pair(Severity.PROBLEM, text, "server_id = 2")
    yield from _numbers(here, there)
    if not here.maria and here.gtid != there.gtid:
        text = "one has GTIDs and the other has not: they cannot replicate from each other"
        yield _pair(Severity.PROBLEM, text, "gtid_mode = ON", "enforce_gtid_consistency = ON")
    if here.maria and here.value("gtid_domain_id") != there.value("gtid_domain_id"):
        text = (
            "their gtid_domain_id differ: that two were written to at once makes no error then, as each counts in a"
            " domain of its own. With one writer at a time one domain is right"
        )
        yield _pair(Severity.ADVICE, text, "gtid_domain_id = 0")
    if here.on("read_only") is False and there.on("read_only") is False:
        text = "take writes: until pyvrrpd runs on both nothing but discipline keeps clients on one of them"
        yield _pair(Severity.PROBLEM, text, "SET GLOBAL read_only = ON;  -- on the standby")
    for name in (
        "time_zone",
        "system_time_zone",
        "lower_case_table_names",
        "sql_mode",
        "character_set_server",
        "max_connections",
    ):
        mine, other = here.value(name), there.value(name)
        if None not in (mine, other) and mine != other:
            text = f"{name} is {mine!r} here and {other!r} there: after a failover the same statement means another"
            yield _pair(Severity.ADVICE, text)
    for standby, active in ((here, there), (there, here)):
        yield from _standby(standby, active)


def _standby(standby: Facts, active: Facts) -> Iterator[Finding]:
    if not (standby.on("read_only") and active.on("read_only") is False):
        return
    for row in standby.replication or ():
        threads = {"IO": row.get("replica_io_running"), "SQL": row.get("replica_sql_running")}
        if set(threads.values()) != {"Yes"}:
            states = ", ".join(f"{thread} {state}" for thread, state in threads.items())
            text = f"is the standby and does not replicate ({states}): it cannot take over"
            yield _problem(standby, text, "# pyvrrpctl status says why")


def _kinds(here: Facts, there: Facts) -> Iterator[Finding]:
    mine, other = here.dialect, there.dialect
    if mine.maria != other.maria:
        yield _pair(
            Severity.PROBLEM, f"{mine.name} and {other.name} do not replicate from each other in both directions"
        )
    elif mine.version[:2] != other.version[:2]:
        text = f"{mine.name} here and {other.name} there: replication to the older one is not supported by its makers"
        yield _pair(Severity.ADVICE, text)


def _numbers(here: Facts, there: Facts) -> Iterator[Finding]:
    steps = [each.value("auto_increment_increment") or "1" for each in (here, there)]
    offsets = [each.value("auto_increment_offset") or "1" for each in (here, there)]
    if steps[0] != steps[1]:
        text = f"auto_increment_increment is {steps[0]} here and {steps[1]} there: their numbers collide"
        yield _pair(Severity.PROBLEM, text, "auto_increment_increment = 2")
    elif steps[0] != "1" and offsets[0] == offsets[1]:
        text = f"both have auto_increment_offset {offsets[0]}: their numbers collide"
        yield _pair(Severity.PROBLEM, text, "auto_increment_offset = 2")


def _pair(severity: Severity, text: str, *mend: str) -> Finding:
    return Finding(severity, BOTH, text, mend)
