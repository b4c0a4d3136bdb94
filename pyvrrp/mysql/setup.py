"""What makes two servers a pair that can fail over: facts in, statements and lines of my.cnf out. Nothing is done here.

The active server is left as writable as it is; the standby is closed. Accounts and the heartbeat's table are made on
the active server, and replication carries them over. `:name:` in a statement stands for a secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from pyvrrp.mysql import grants
from pyvrrp.mysql.dialect import HEARTBEAT_PRIVILEGES, HEARTBEAT_SCHEMA, modern, quoted
from pyvrrp.mysql.facts import Facts, truth
from pyvrrp.mysql.grants import account
from pyvrrp.mysql.gtid import BinlogState, GtidSet
from pyvrrp.mysql.lint import BEAT, PATIENCE, some

AGENT: Final = "agent"  # the secret of the agent's accounts
COORDINATES: Final = (":file:", ":position:")  # where the source's log ends when the step is done


@dataclass(frozen=True, slots=True)
class End:
    """One server as the other one reaches it: `host` and `port`; `local` are the hosts its own agent comes from."""

    facts: Facts
    host: str
    port: int
    local: tuple[str, ...] = ("localhost",)


@dataclass(frozen=True, slots=True)
class Wish:
    """`agent`: the user, whose password is `known`, or is to be replaced (`anew`).

    `same_data`: the operator says that the two have the same data now. `without_gtid`: and that MySQL may go without.
    """

    agent: str
    known: bool = False
    anew: bool = False
    semi_sync: bool = False
    same_data: bool = False
    without_gtid: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one server, to be asked for. `on` is its name.

    `optional`: nothing depends on it. `coordinates`: the server whose log's end is filled in. `catch_up`: then the
    standby is waited for until it has what the active server has.
    """

    on: str
    purpose: str
    statements: tuple[str, ...]
    optional: bool = False
    coordinates: str = ""
    catch_up: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """`refusals`: why nothing can be done yet. `lines`: of each server's my.cnf, as no statement sets them for good."""

    steps: tuple[Step, ...]
    lines: Mapping[str, tuple[str, ...]]
    refusals: tuple[str, ...] = ()


def active_first(here: End, there: End) -> tuple[End, End]:
    """Which of the two is the active one: this one, unless only the other takes writes or has tables."""
    mine, other = here.facts, there.facts
    closed = (bool(mine.on("read_only")), bool(other.on("read_only")))
    if closed[0] != closed[1]:
        return (there, here) if closed[0] else (here, there)
    return (there, here) if not _own_tables(mine) and _own_tables(other) else (here, there)


def plan(active: End, standby: End, wish: Wish) -> Plan:
    """All that is missing, in its order; nothing for a pair that is set up."""
    ends = (active, standby)
    lines = {each.facts.name: tuple(_lines(each, _offset(each, ends), wish)) for each in ends}
    refusals = (*_not_at_run_time(ends, wish), *_differences(active, standby, wish), *_password(ends, wish))
    if refusals:
        return Plan((), lines, refusals)
    steps = [
        *(step for each in ends for step in _variables(each, _offset(each, ends))),
        *(step for each in ends if wish.semi_sync for step in _semi_sync(each)),
        *_collisions(active, standby, wish),
        *_accounts(active, standby, wish),
        *_heartbeat(active),
        *_replication(active, standby, wish),
        *_closed(standby),
        *_way_back(active, standby),
    ]
    return Plan(tuple(_opened(active, steps)), lines)


# --- what stands against it -------------------------------------------------------------------------------------------


def _not_at_run_time(ends: tuple[End, End], wish: Wish) -> Iterator[str]:
    first, second = (each.facts for each in ends)
    if first.maria != second.maria:
        yield f"{first.dialect.name} and {second.dialect.name} do not replicate from each other in both directions"
    elif first.gtid != second.gtid:
        yield "one of the two has GTIDs, the other has not"
    elif not first.gtid and not wish.without_gtid and not _follows(ends[1]):
        yield "neither server has GTIDs (gtid_mode): put the lines into my.cnf, or say --without-gtid"
    if first.server_id == second.server_id:
        yield f"both servers have server_id {first.server_id}"
    for facts in (first, second):
        if facts.server_id == 0:
            yield f"{facts.name} has server_id 0"
        if facts.on("log_bin") is False:
            yield f"{facts.name} has no log_bin"
        elif facts.on("log_slave_updates") is False:
            yield f"{facts.name} has no log_slave_updates"
        for row in facts.replication or ():
            number = row.get("last_sql_errno", "0")
            if number not in ("", "0"):
                yield f"replication on {facts.name} has stopped, error {number}: {row.get('last_sql_error')}"


def _differences(active: End, standby: End, wish: Wish) -> Iterator[str]:
    """Whether the standby may begin to replicate from the active one; asked only where it does not yet."""
    for end, other in ((standby, active), (active, standby)):
        for row in end.facts.replication or ():
            host = row.get("source_host", "")
            if host and host != other.host:
                yield f"{end.facts.name} replicates from {host} and not from {other.host}: point it there, or RESET it"
    if _follows(standby):
        return
    errant = beyond(standby.facts, active.facts)
    if errant:
        yield (
            f"{standby.facts.name} has transactions that {active.facts.name} has not: {some(errant)}. If nothing in"
            f" them is worth keeping, {_forget(standby.facts)} there"
        )
        return
    lacking = sorted(set(_own_tables(active.facts)) - set(_own_tables(standby.facts)))
    if lacking and not _position(standby.facts) and not wish.same_data:
        yield (f"{standby.facts.name} has not got {some(lacking)}: setting up copies no data. {_copy(active.facts)}")
    elif _own_tables(active.facts) and not _position(standby.facts) and not wish.same_data:
        yield (
            f"{standby.facts.name} has tables and does not say up to which transaction. If the two have the same data"
            " now, and nothing writes, say --same-data"
        )


def beyond(facts: Facts, other: Facts) -> tuple[str, ...]:
    """The transactions of one server that the other has not, where they have identifiers."""
    if not (facts.gtid and other.gtid and facts.position):
        return ()
    kind = BinlogState if facts.maria else GtidSet
    return kind.parse(facts.position).beyond(kind.parse(other.position))  # type: ignore[arg-type]


def _position(facts: Facts) -> str:
    if facts.maria:
        return facts.value("gtid_slave_pos") or facts.position
    return facts.position


def _forget(facts: Facts) -> str:
    if facts.maria:
        return "RESET MASTER; SET GLOBAL gtid_slave_pos = '';"
    return "RESET BINARY LOGS AND GTIDS;" if facts.dialect.version >= (8, 4, 0) else "RESET MASTER;"


def _copy(facts: Facts) -> str:
    if facts.maria:
        return (
            "Copy them first: mariadb-dump --all-databases --single-transaction --master-data=1 --gtid (or mariabackup)"
        )
    if facts.gtid:
        return "Copy them first: mysqldump --all-databases --single-transaction --triggers --routines --events"
    return "Copy them first, while nothing writes (mysqldump --all-databases --lock-all-tables), then say --same-data"


def _password(ends: tuple[End, End], wish: Wish) -> Iterator[str]:
    held = [each for end in ends for each in end.facts.accounts or () if each.rpartition("@")[0] == wish.agent]
    if held and not wish.known and not wish.anew:
        yield (
            f"the account {held[0]} is there, and its password is not known here: copy the password's file from the"
            " other node (mode 0600), or say --new-password"
        )


# --- steps ------------------------------------------------------------------------------------------------------------


def _variables(end: End, offset: int) -> Iterator[Step]:
    facts = end.facts
    wanted: dict[str, str] = {"binlog_format": "ROW"}
    if facts.maria:
        wanted["gtid_strict_mode"] = "ON"
    if facts.value("rpl_semi_sync_master_wait_point"):
        wanted[facts.dialect.semi_sync.wait_point] = "AFTER_SYNC"
    if _counts_badly(end, offset):
        wanted |= {"auto_increment_increment": "2", "auto_increment_offset": str(offset)}
    wrong = {name: value for name, value in wanted.items() if not _is(facts, name, value)}
    if float(facts.value("slave_net_timeout") or 0) > PATIENCE:
        wrong[facts.native("slave_net_timeout")] = f"{PATIENCE:g}"
    if wrong:
        yield Step(
            facts.name, "set what may be set at run time", tuple(f"SET GLOBAL {k} = {v}" for k, v in wrong.items())
        )


def _is(facts: Facts, name: str, value: str) -> bool:
    known = facts.value(name)
    if known is None:
        return False
    return truth(known) if value == "ON" else known.upper() == value


def _counts_badly(end: End, offset: int) -> bool:
    step = end.facts.value("auto_increment_increment") or "1"
    return step == "1" or int(end.facts.value("auto_increment_offset") or 1) != offset


def _offset(end: End, ends: tuple[End, End]) -> int:
    """Its auto_increment_offset: as it is, where the two are right; else the one with the lower server_id has 1."""
    steps = {each.facts.value("auto_increment_increment") or "1" for each in ends}
    offsets = [int(each.facts.value("auto_increment_offset") or 1) for each in ends]
    if len(steps) == 1 and offsets[0] != offsets[1] and max(offsets) <= int(next(iter(steps))):
        return int(end.facts.value("auto_increment_offset") or 1)
    return 1 if end.facts.server_id == min(each.facts.server_id for each in ends) else 2


def _semi_sync(end: End) -> Iterator[Step]:
    names = end.facts.dialect.semi_sync
    if any(each.startswith("rpl_semi_sync_") for each in end.facts.variables):
        return
    plugins = [each for each in (names.source_plugin, names.replica_plugin) if each[0]]
    statements = tuple(f"INSTALL PLUGIN {name} SONAME {quoted(library)}" for name, library in plugins)
    yield Step(end.facts.name, "install semi-synchronous replication", statements, optional=True)


def _collisions(active: End, standby: End, wish: Wish) -> Iterator[Step]:
    """Accounts that replication will bring, and which would stop it where they are already."""
    users = {wish.agent, *(f"repl_{end.facts.server_id}" for end in (active, standby))}
    for who in standby.facts.accounts or ():
        if who.rpartition("@")[0] in users and who not in (active.facts.accounts or ()):
            statements = ("SET SESSION sql_log_bin = 0", f"DROP USER {account(who)}", "SET SESSION sql_log_bin = 1")
            yield Step(standby.facts.name, f"the account {who} will come by replication", statements)


def _accounts(active: End, standby: End, wish: Wish) -> Iterator[Step]:
    """The agent's accounts: to do everything from its own host, to look from the other one's."""
    wanted: dict[str, tuple[set[str], set[str]]] = {}
    spoken = active.facts.dialect
    for end in (active, standby):
        for host in end.local:
            everything = (set(spoken.privileges), set(HEARTBEAT_PRIVILEGES))
            wanted[f"{wish.agent}@{host}"] = everything
    for end in (active, standby):
        privileges, table = wanted.setdefault(f"{wish.agent}@{end.host}", (set(), set()))
        privileges |= set(grants.looking(spoken))
        table.add("SELECT")
    for who, (privileges, table) in wanted.items():
        for end in (active, standby):
            carried = end is standby and who not in (active.facts.accounts or ())
            statements = () if carried else tuple(_account(end.facts, who, privileges, table, wish))
            if statements and end is standby:
                # What the active server has already does not come over; nor may it be a transaction of the standby's.
                statements = ("SET SESSION sql_log_bin = 0", *statements, "SET SESSION sql_log_bin = 1")
            if statements:
                yield Step(end.facts.name, f"the agent's account {who}", statements)


def _account(facts: Facts, who: str, privileges: set[str], table: set[str], wish: Wish) -> Iterator[str]:
    name, there = account(who), who in (facts.accounts or ())
    if not there:
        yield f"CREATE USER {name} IDENTIFIED {_by(facts)} :{AGENT}:"
    elif wish.anew:
        old = not facts.maria and facts.dialect.version < (5, 7, 6)
        value = f"PASSWORD(:{AGENT}:)" if facts.maria or old else f":{AGENT}:"
        yield f"SET PASSWORD FOR {name} = {value}"
    lines = facts.granted.get(who, ())
    lacking = grants.missing(facts.dialect, [each for each in facts.dialect.privileges if each in privileges], lines)
    if lacking:
        yield f"GRANT {', '.join(lacking)} ON *.* TO {name}"
    if not grants.may(lines, table):
        yield f"GRANT {', '.join(each for each in HEARTBEAT_PRIVILEGES if each in table)} ON pyvrrp.* TO {name}"


def _by(facts: Facts) -> str:
    # Without TLS its successor demands an exchange of keys that PyMySQL needs another library for.
    native = not facts.maria and (5, 7, 0) <= facts.dialect.version < (8, 4, 0)
    return "WITH mysql_native_password BY" if native else "BY"


def _heartbeat(active: End) -> Iterator[Step]:
    if active.facts.heartbeat is not True:
        yield Step(active.facts.name, "the table of the agents' heartbeat", HEARTBEAT_SCHEMA)


def _replication(active: End, standby: End, wish: Wish) -> Iterator[Step]:
    name, source = standby.facts.name, active.facts.name
    for row in _rows(standby):
        wrong = _mended(standby.facts, row)
        if wrong:
            yield Step(name, f"replicate from {source} by GTID", (*_stop(standby.facts), wrong))
        running = row.get("replica_io_running") != "No" and row.get("replica_sql_running") == "Yes"
        if wrong or not running:
            yield Step(name, f"replicate from {source}", _start(standby.facts), catch_up=True)
        return
    yield _replica_account(active, standby)
    statements = (*_begin(active, standby, wish), _change(standby, active, coordinates=_known(active)))
    yield Step(name, f"replicate from {source}", (*statements, *_start(standby.facts)), catch_up=True)


def _begin(active: End, standby: End, wish: Wish) -> Iterator[str]:
    """Where a standby begins that has the same data already."""
    if not (wish.same_data and active.facts.gtid):
        return
    if active.facts.maria:
        yield f"SET GLOBAL gtid_slave_pos = {quoted(active.facts.value('gtid_binlog_pos') or '')}"
    elif beyond(active.facts, standby.facts):
        if standby.facts.position:
            yield _forget(standby.facts).rstrip(";")
        yield f"SET GLOBAL gtid_purged = {quoted(active.facts.position.replace(chr(10), ''))}"


def _replica_account(source: End, replica: End) -> Step:
    """One account for each direction: a password that is replaced breaks nothing else. It is kept by the replica."""
    user = f"repl_{replica.facts.server_id}"
    who, facts = f"{user}@{replica.host}", source.facts
    if who in (facts.accounts or ()):
        old = not facts.maria and facts.dialect.version < (5, 7, 6)
        value = f"PASSWORD(:{user}:)" if facts.maria or old else f":{user}:"
        first = f"SET PASSWORD FOR {account(who)} = {value}"
    else:
        first = f"CREATE USER {account(who)} IDENTIFIED {_by(facts)} :{user}:"
    privileges = ", ".join(facts.dialect.replication_privileges)
    purpose = f"the account that {replica.facts.name} replicates with"
    return Step(facts.name, purpose, (first, f"GRANT {privileges} ON *.* TO {account(who)}"))


def _closed(standby: End) -> Iterator[Step]:
    facts = standby.facts
    switch = "super_read_only" if facts.dialect.super_read_only else "read_only"
    if not facts.on(switch):
        yield Step(facts.name, "close it for writes: it is the standby", (f"SET GLOBAL {switch} = ON",))


def _way_back(active: End, standby: End) -> Iterator[Step]:
    """The active server is told its source as well, and does not begin: pyvrrpd starts it when it is the standby."""
    for row in _rows(active):
        wrong = _mended(active.facts, row)
        if wrong:
            running = row.get("replica_sql_running") == "Yes"
            statements = (*_stop(active.facts), wrong, *(_start(active.facts) if running else ()))
            yield Step(active.facts.name, f"replicate from {standby.facts.name} by GTID", statements)
        return
    # It is made here, where writes are open, and logged in with there.
    yield replace(_replica_account(active, active), catch_up=True)
    coordinates = "" if active.facts.gtid else standby.facts.name
    yield Step(
        active.facts.name,
        f"know {standby.facts.name} as the source to replicate from one day",
        (*active.facts.dialect.adopt_position, _change(active, standby, coordinates=COORDINATES)),
        coordinates=coordinates,
    )


def _opened(active: End, steps: list[Step]) -> Iterator[Step]:
    """super_read_only holds for the administrator too: it is off while the steps are done."""
    if not steps or not active.facts.on("super_read_only"):
        yield from steps
        return
    yield Step(active.facts.name, "let the administrator write", ("SET GLOBAL super_read_only = OFF",))
    yield from steps
    yield Step(active.facts.name, "close it again", ("SET GLOBAL super_read_only = ON",))


# --- statements of replication ----------------------------------------------------------------------------------------


def _change(replica: End, source: End, coordinates: tuple[str, str]) -> str:
    facts, new = replica.facts, not replica.facts.maria and replica.facts.dialect.version >= (8, 0, 23)
    word = "SOURCE" if new else "MASTER"
    options = {
        f"{word}_HOST": quoted(source.host),
        f"{word}_PORT": str(source.port),
        f"{word}_USER": quoted(f"repl_{facts.server_id}"),
        f"{word}_PASSWORD": f":repl_{facts.server_id}:",
        f"{word}_CONNECT_RETRY": "1",
        f"{word}_HEARTBEAT_PERIOD": f"{BEAT:g}",
    }
    if not facts.maria:
        options[f"{word}_RETRY_COUNT"] = "0"  # for ever
        if facts.dialect.version >= (8, 0, 0):
            options[f"GET_{word}_PUBLIC_KEY"] = "1"
    if facts.maria:
        options["MASTER_USE_GTID"] = "slave_pos"
    elif facts.gtid:
        options[f"{word}_AUTO_POSITION"] = "1"
    else:
        options |= {f"{word}_LOG_FILE": coordinates[0], f"{word}_LOG_POS": coordinates[1]}
    verb = "CHANGE REPLICATION SOURCE TO" if new else "CHANGE MASTER TO"
    return f"{verb} " + ", ".join(f"{name} = {value}" for name, value in options.items())


def _known(source: End) -> tuple[str, str]:
    """Where the source's log ended before anything of this was done: from there on all is replicated."""
    at = source.facts.coordinates
    return quoted(at.get("file", "")), at.get("position", "4")


def _mended(facts: Facts, row: Mapping[str, str]) -> str:
    if facts.maria and row.get("using_gtid", "").lower() in ("no", ""):
        return "CHANGE MASTER TO MASTER_USE_GTID = slave_pos"
    if not facts.maria and facts.gtid and row.get("auto_position") == "0":
        new = facts.dialect.version >= (8, 0, 23)
        return (
            "CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = 1"
            if new
            else "CHANGE MASTER TO MASTER_AUTO_POSITION = 1"
        )
    return ""


def _start(facts: Facts) -> tuple[str, ...]:
    return (facts.dialect.start_io(), facts.dialect.start_sql())


def _stop(facts: Facts) -> tuple[str, ...]:
    return (facts.dialect.stop_io(), facts.dialect.stop_sql())


def _rows(end: End) -> tuple[Mapping[str, str], ...]:
    return tuple(row for row in end.facts.replication or () if row.get("source_host"))


def _follows(end: End) -> bool:
    return bool(_rows(end))


def _own_tables(facts: Facts) -> tuple[str, ...]:
    return tuple(each for each in facts.tables or () if not each.startswith(f"{grants.SCHEMA}."))


# --- my.cnf -----------------------------------------------------------------------------------------------------------


def _lines(end: End, offset: int, wish: Wish) -> Iterator[str]:
    """What its option file has to say and, as far as that is known, does not."""
    facts = end.facts
    wanted = {"server_id": str(facts.server_id or offset), "log_bin": "mysql-bin", "log_slave_updates": "ON"}
    if facts.maria:
        wanted["gtid_strict_mode"] = "ON"
    else:
        wanted |= {"gtid_mode": "ON", "enforce_gtid_consistency": "ON"} if facts.gtid or not wish.without_gtid else {}
    wanted |= {
        "binlog_format": "ROW",
        "auto_increment_increment": facts.value("auto_increment_increment") or "2",
        "auto_increment_offset": str(offset),
        "slave_net_timeout": f"{PATIENCE:g}",
        "read_only": "ON",
        **({"super_read_only": "ON"} if facts.dialect.super_read_only else {}),
        "skip_slave_start": "ON",
    }
    if wanted["auto_increment_increment"] == "1":
        wanted["auto_increment_increment"] = "2"
    if facts.value("rpl_semi_sync_master_wait_point"):
        wanted[facts.dialect.semi_sync.wait_point] = "AFTER_SYNC"
    for name, value in wanted.items():
        known = facts.booted.get(modern(name))
        if known is None or not _same(name, known, value):
            yield f"{facts.native(name)} = {value}"


def _same(name: str, known: str, value: str) -> bool:
    if name == "log_bin":
        return known not in ("OFF", "0")
    return truth(known) if value == "ON" else known.upper() == value.upper()
