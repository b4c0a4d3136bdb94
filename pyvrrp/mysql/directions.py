"""The two directions of a pair's replication: the standby follows, and the active server knows whom it would follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pyvrrp.mysql.dialect import quoted
from pyvrrp.mysql.facts import Facts
from pyvrrp.mysql.grants import account
from pyvrrp.mysql.lint_server import BEAT
from pyvrrp.mysql.pairing import COORDINATES, End, Step, Wish, beyond
from pyvrrp.mysql.passwords import created, replaced


def forth(active: End, standby: End, wish: Wish) -> Iterator[Step]:
    """The standby replicates from the active server."""
    name, source = standby.facts.name, active.facts.name
    for row in standby.sources:
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
            yield standby.forgets
        yield f"SET GLOBAL gtid_purged = {quoted(active.facts.position.replace(chr(10), ''))}"


def _replica_account(source: End, replica: End) -> Step:
    """One account for each direction: a password that is replaced breaks nothing else. It is kept by the replica."""
    user = f"repl_{replica.facts.server_id}"
    who, facts = f"{user}@{replica.host}", source.facts
    first = (replaced if who in (facts.accounts or ()) else created)(facts, who, user)
    privileges = ", ".join(facts.dialect.replication_privileges)
    purpose = f"the account that {replica.facts.name} replicates with"
    return Step(facts.name, purpose, (*first, f"GRANT {privileges} ON *.* TO {account(who)}"))


def back(active: End, standby: End) -> Iterator[Step]:
    """The active server is told its source as well, and does not begin: pyvrrpd starts it when it is the standby."""
    for row in active.sources:
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
