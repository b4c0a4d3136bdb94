"""What is wrong with one server of a pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from pyvrrp.mysql import grants
from pyvrrp.mysql.dialect import HEARTBEAT_SCHEMA, modern, quoted
from pyvrrp.mysql.facts import Facts, Texts, does_as_well, same
from pyvrrp.mysql.finding import SHOWN, Finding, Severity, Wanted, advice, problem, setting, some, unwritten
from pyvrrp.mysql.grants import account

CARRIED: Final = "  -- on the active server; replication carries it over"
PATIENCE: Final = 4.0  # seconds without a word after which a replica should know that its source is gone
BEAT: Final = 1.0  # seconds between two heartbeats of a source that has nothing else to say
SEMI_SYNC_WAIT: Final = 5000  # ms; below, a standby that is slow for a moment makes replication asynchronous
NEVER_MIGHTY: Final = frozenset({"mariadb.sys", "mysql.sys", "mysql.session", "mysql.infoschema", "mysql"})
LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
LASTING: Final = {  # what setting up sets, and to what; "" to what fits the pair
    "gtid_strict_mode": "ON",
    "binlog_format": "ROW",
    "auto_increment_increment": "",
    "auto_increment_offset": "",
    "slave_net_timeout": f"{PATIENCE:g}",
}
ADVISED: Final = frozenset({"binlog_format", "slave_net_timeout"})  # of those: no failover is lost with their defaults
EVERYWHERE: Final = frozenset({"", "*", "0.0.0.0", "::"})  # noqa: S104  # what bind_address may say


def judged(server: Facts, wanted: Wanted, sources: Sequence[str]) -> Iterator[Finding]:
    """All that is wrong with one server; `sources` are the names that it may replicate from."""
    for each in _judged(server, wanted, sources):
        yield replace(each, mend=unwritten(server, *each.mend))


def _judged(server: Facts, wanted: Wanted, sources: Sequence[str]) -> Iterator[Finding]:
    yield from _log(server)
    yield from _identifiers(server)
    yield from _durability(server)
    yield from _boot(server)
    yield from _lasting(server, wanted)
    yield from _reach(server, wanted)
    yield from _replication(server, wanted, sources)
    yield from _semi_sync(server, wanted)
    yield from _login(server)
    yield from _writers(server, wanted)
    yield from _tables(server)
    yield from _unseen(server)


def _log(server: Facts) -> Iterator[Finding]:
    if server.server_id == 0:
        yield problem(server, "server_id is 0: it neither replicates nor is replicated", "server_id = 1")
    if server.on("log_bin") is False:
        yield problem(server, "log_bin is off: nobody can replicate from it", "log_bin = mysql-bin")
    elif server.on("log_slave_updates") is False:
        yield problem(
            server,
            "log_slave_updates is off: what it replicated is not in its own log, so that after a failover the other"
            " server cannot get from it what it missed, nor can the two be compared",
            server.native("log_slave_updates") + " = ON",
        )
    form = server.value("binlog_format")
    if form == "STATEMENT":
        text = "binlog_format is STATEMENT: a statement may do something else on the standby than it did here"
        yield problem(server, text, *setting(server, "binlog_format", "ROW"))
    elif form == "MIXED":
        text = "binlog_format is MIXED: row by row the standby has what the active server has, or says that it differs"
        yield advice(server, text, *setting(server, "binlog_format", "ROW"))
    for column in ("binlog_do_db", "binlog_ignore_db"):
        if server.coordinates.get(column):
            text = f"{column} is {server.coordinates[column]}: what its log leaves out the standby never has"
            yield problem(server, text, f"# remove {column}")


def _identifiers(server: Facts) -> Iterator[Finding]:
    if server.maria:
        if server.on("gtid_strict_mode") is False:
            text = (
                "gtid_strict_mode is off: after two servers were written to at once both go on replicating without an"
                " error, with different rows"
            )
            yield problem(server, text, *setting(server, "gtid_strict_mode", "ON"))
    elif not server.gtid:
        yield advice(
            server,
            f"gtid_mode is {server.value('gtid_mode')}: what a returning server has of its own is only told by a place"
            " in its binary log, while that log is kept; and a replica that crashes may repeat transactions",
            "gtid_mode = ON",
            "enforce_gtid_consistency = ON",
        )
    step, offset = int(server.value("auto_increment_increment") or 1), int(server.value("auto_increment_offset") or 1)
    if offset > step:
        text = f"auto_increment_offset {offset} is more than the increment {step}, and is ignored"
        yield problem(server, text, *setting(server, "auto_increment_increment", "2"))
    elif step < 2:
        yield advice(
            server,
            "auto_increment_increment is 1: rows that only a failed server has may have the numbers of other rows on"
            " its successor, and cannot be brought over as they are",
            *setting(server, "auto_increment_increment", "2"),
        )


def _durability(server: Facts) -> Iterator[Finding]:
    for name, loss in (
        ("innodb_flush_log_at_trx_commit", "acknowledged transactions"),
        ("sync_binlog", "transactions in the log that the standby may have already"),
    ):
        value = server.value(name)
        if value not in (None, "1"):
            text = f"{name} is {value}: a host that loses power loses {loss}"
            yield advice(server, text, *setting(server, name, "1"))
    if not server.maria and server.dialect.version < (8, 0, 0):
        for name, good in (("relay_log_info_repository", "TABLE"), ("master_info_repository", "TABLE")):
            if server.value(name) == "FILE":
                text = f"{name} is FILE: after a crash it may not know how far it had replicated"
                yield advice(server, text, f"{name} = {good}")
        if server.on("relay_log_recovery") is False:
            text = "relay_log_recovery is off: a relay log that a crash damaged stops replication"
            yield advice(server, text, "relay_log_recovery = ON")


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
            yield problem(server, f"{name} is not in its option file: {danger}", f"{server.native(name)} = ON")
        elif known is None:
            text = f"whether its option file has {name} cannot be seen from here: {danger}"
            yield Finding(Severity.NOTE, server.name, text, (f"{server.native(name)} = ON",))
    if server.booted.get("rpl_semi_sync_source_enabled") and server.boots_with("rpl_semi_sync_master_enabled"):
        yield advice(
            server,
            "semi-synchronous replication's master is enabled in its option file: as a standby it would wait for"
            " acknowledgements from a server that is gone while it applies. pyvrrpd sets it by role",
            f"# remove {server.dialect.semi_sync.source_enabled}",
        )


def _lasting(server: Facts, wanted: Wanted) -> Iterator[Finding]:
    """What setting up has set, and a restart would forget. MySQL before 5.7 does not tell what is its default.

    What is wrong now need not last: that it is wrong is a finding of its own.
    """
    told = server.files_read and (server.maria or server.dialect.version >= (5, 7, 0))
    for name, right in LASTING.items() if told else ():
        value, known = server.value(name), server.booted.get(modern(name))
        if value is None or not (same(value, right) if right else _counts_well(server, wanted.taken)):
            continue
        if known is not None and does_as_well(name, known, value):
            continue
        there = "is not in its option file" if known is None else f"is {known} in its option file"
        text = f"{name} is {value} and {there}: it does not outlive a restart"
        judge = advice if name in ADVISED else problem
        yield judge(server, text, f"{server.native(name)} = {value}")


def _counts_well(server: Facts, taken: str) -> bool:
    """Whether the numbers that it gives are no other server's; `taken` is the other one's offset, if that is known."""
    step, offset = (server.value(f"auto_increment_{each}") or "1" for each in ("increment", "offset"))
    return 1 < int(step) >= int(offset) and offset != taken


def _reach(server: Facts, wanted: Wanted) -> Iterator[Finding]:
    if server.on("skip_networking"):
        yield problem(server, "skip_networking is on: no client reaches it", "# remove skip_networking")
    bound = {each.strip() for each in (server.value("bind_address") or "").split(",")}
    for address in wanted.addresses:
        fits = address in bound or bound & (EVERYWHERE - {"0.0.0.0"} if ":" in address else EVERYWHERE)  # noqa: S104
        if not fits:
            text = f"bind_address is {', '.join(sorted(bound))}: clients of {address} are refused"
            yield problem(server, text, f"bind_address = {'::' if ':' in address else '0.0.0.0'}")  # noqa: S104
    if server.on("skip_name_resolve") is False:
        text = "skip_name_resolve is off: logging in waits for the name service, and accounts match by names"
        yield advice(server, text, "skip_name_resolve = ON")
    if server.on("event_scheduler"):
        yield advice(
            server,
            "event_scheduler is on: events that came by replication are disabled on the standby and stay so after a"
            " failover; see that each one does no harm when it runs on neither, or on both",
        )


def _replication(server: Facts, wanted: Wanted, sources: Sequence[str]) -> Iterator[Finding]:
    if server.replication is None:
        return
    if not server.replication:
        text = "is no replica of the other one: after a failover it cannot come back"
        yield problem(server, text, "# pyvrrpctl mysql setup")
    if len(server.replication) > 1:
        text = f"replicates from {len(server.replication)} sources: only one that has none but the other can be judged"
        yield problem(server, text)
    for row in server.replication:
        yield from _source(server, row, wanted, sources)
        yield from _channel(server, row)
        yield from _errors(server, row)
    patience = float(server.value("slave_net_timeout") or 0)
    if patience > PATIENCE:
        text = f"slave_net_timeout is {patience:g} s: for so long it takes a source that is gone for one that is silent"
        yield advice(server, text, *setting(server, "slave_net_timeout", f"{PATIENCE:g}"))


def _source(server: Facts, row: Texts, wanted: Wanted, sources: Sequence[str]) -> Iterator[Finding]:
    host = row.get("source_host", "")
    if host in wanted.addresses:
        text = f"replicates from {host}, the address that moves: one day from itself"
        yield problem(server, text, "# point it at the other server's own address")
    elif sources and host not in sources:
        text = f"replicates from {host}, not from the other server ({', '.join(sources)})"
        yield problem(server, text, "# point it at the other server's own address")


def _channel(server: Facts, row: Texts) -> Iterator[Finding]:
    for name in sorted(row):
        if name.startswith("replicate_") and row[name] and name != "replicate_ignore_server_ids":
            yield problem(server, f"{name} is {row[name]}: it is not a copy of the other server", f"# remove {name}")
    delay = int(row.get("sql_delay") or 0)
    if delay:
        text = f"applies what it receives {delay} s late, by configuration: no standby"
        yield problem(server, text, _change(server, row, f"{_word(server)}_DELAY = 0"))
    if server.maria and row.get("using_gtid", "").lower() in ("no", ""):
        yield problem(
            server,
            "replicates by file and position: after a crash it does not know reliably where it was",
            _change(server, row, "MASTER_USE_GTID = slave_pos"),
        )
    elif not server.maria and server.gtid and row.get("auto_position") == "0":
        text = "replicates by file and position although it has GTIDs: after a failover it asks for the wrong place"
        yield problem(server, text, _change(server, row, f"{_word(server)}_AUTO_POSITION = 1"))
    period = row.get("heartbeat_period", "")
    if period and float(period) > BEAT:
        text = f"asks its source for a heartbeat every {float(period):g} s only"
        yield advice(server, text, _change(server, row, f"{_word(server)}_HEARTBEAT_PERIOD = {BEAT:g}"))


def _errors(server: Facts, row: Texts) -> Iterator[Finding]:
    if server.on("read_only") is False and row.get("replica_io_running") == row.get("replica_sql_running") == "No":
        return  # the active one, which does not replicate; what is said there is of an earlier time
    for thread in ("sql", "io"):
        number = row.get(f"last_{thread}_errno", "0")
        if number not in ("", "0"):
            yield problem(server, f"replication has stopped, error {number}: {row.get(f'last_{thread}_error', '')}")


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
        yield advice(
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
        yield advice(server, text, *setting(server, names.wait_point, "AFTER_SYNC"))
    wait = int(server.value("rpl_semi_sync_master_timeout") or SEMI_SYNC_WAIT)
    if wait < SEMI_SYNC_WAIT:
        text = f"semi-synchronous replication gives up after {wait} ms, silently: what follows may be lost"
        yield advice(server, text, *setting(server, names.source_timeout, "10000"))


def _login(server: Facts) -> Iterator[Finding]:
    if server.refused:
        text = f"the agent does not get in: {server.refused}"
        yield problem(
            server,
            text,
            "# the password's file is the same on both nodes; `pyvrrpctl mysql setup` makes account and file,"
            " --new-password new ones",
        )
    if server.heartbeat is False:
        text = "has no table pyvrrp.heartbeat: neither can a write be tried, nor the lag be known"
        yield problem(server, text, *(f"{each};{CARRIED}" for each in HEARTBEAT_SCHEMA))
    if server.login is None:
        return
    user, matched = server.login.user, server.login.matched
    if matched.partition("@")[0] != user:
        text = f"the agent logs in as {user} and is taken for {matched}: another account fits its host better"
        yield problem(server, text, f"# DROP USER {account(matched)};")
    abroad = server.name != "this server"
    needed = server.dialect.looking if abroad else server.dialect.needed(by_file=not server.gtid)
    for each in grants.missing(server.dialect, needed, server.login.grants):
        text = f"the agent, taken for {matched}, cannot {grants.purpose(server.dialect, each)}: it has not got {each}"
        yield problem(server, text, f"GRANT {each} ON *.* TO {account(matched)};{CARRIED}")
    wishes = ("SELECT",) if abroad else ("SELECT", "INSERT", "UPDATE")
    if server.heartbeat and not grants.may(server.login.grants, wishes):
        text = f"the agent, taken for {matched}, may not use its heartbeat"
        yield problem(server, text, f"GRANT {', '.join(wishes)} ON pyvrrp.* TO {account(matched)};{CARRIED}")


def _writers(server: Facts, wanted: Wanted) -> Iterator[Finding]:
    if not server.writers:
        return
    spared = {*NEVER_MIGHTY, wanted.agent, *wanted.keep_users}
    rest = [each for each in server.writers if each.rpartition("@")[0] not in spared]
    afar = [each for each in rest if each.rpartition("@")[2] not in LOCAL]
    near = [each for each in rest if each not in afar and each.rpartition("@")[0] != "root"]
    privileges = " or ".join(server.dialect.passes_read_only)
    for accounts, made, where in ((afar, problem, "from other hosts"), (near, advice, "on this host")):
        if accounts:
            yield made(
                server,
                f"{some(accounts)} may write {where} although it is read_only ({privileges}, also as part of ALL"
                " PRIVILEGES): no failover stops them",
                *(
                    _revoked(each, who, alone=wanted.elsewhere is not None and who not in wanted.elsewhere)
                    for who in accounts[:SHOWN]
                    for each in server.dialect.passes_read_only
                ),
            )


def _revoked(privilege: str, who: str, *, alone: bool) -> str:
    """Where the other server has no such account (`alone`), the statement would stop its replication."""
    statement = f"REVOKE {privilege} ON *.* FROM {account(who)};"
    return (
        f"SET sql_log_bin = 0; {statement}  -- here; the other server has no such account"
        if alone
        else statement + CARRIED
    )


def _tables(server: Facts) -> Iterator[Finding]:
    if server.keyless:
        text = f"without primary key: {some(server.keyless)}. A standby searches the whole table for each changed row"
        yield advice(server, text)
    if server.not_innodb:
        text = f"not in InnoDB: {some(server.not_innodb)}. After a crash nobody knows what is in them"
        yield advice(
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
