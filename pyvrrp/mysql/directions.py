"""The two directions of a pair's replication: the standby follows, and the active server knows whom it would follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pyvrrp.mysql.accounts import unlogged
from pyvrrp.mysql.dialect import quoted
from pyvrrp.mysql.facts import Facts, Texts
from pyvrrp.mysql.grants import account
from pyvrrp.mysql.lint_server import BEAT
from pyvrrp.mysql.pairing import COORDINATES, End, Step, Wish, beyond
from pyvrrp.mysql.passwords import created, replaced


def forth(active: End, standby: End, wish: Wish) -> Iterator[Step]:
    """The standby replicates from the active server."""
    name, source = standby.facts.name, active.facts.name
    for row in standby.sources:
        lost = _lost(active, active, standby, row)
        if lost:
            yield from _known_to_both(active, standby, standby)
        wrong = _mended(standby.facts, row, lost=lost)
        if wrong:
            purpose = f"replicate from {source} {'with that account' if lost else 'by GTID'}"
            yield Step(name, purpose, (*_stop(standby.facts), wrong))
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


def _lost(active: End, source: End, replica: End, row: Texts) -> bool:
    """Whether the account is gone that a replica has; or would go, as the standby alone has it: see `collisions`."""
    user = row.get("source_user", "")
    _, who = _names(replica)
    alone = source is not active and who in (source.facts.accounts or ()) and who not in (active.facts.accounts or ())
    return bool(user) and (not source.facts.admits(user, replica.host) or (alone and who.startswith(f"{user}@")))


def _names(replica: End) -> tuple[str, str]:
    """The user whom a server replicates as, and its account."""
    user = f"repl_{replica.facts.server_id}"
    return user, f"{user}@{replica.host}"


def _known_to_both(active: End, standby: End, replica: End) -> Iterator[Step]:
    """A replica's account, made on the active server, where writes are open. Where the standby has not got it already
    that the active server has, a new password for it would stop replication.
    """
    user, who = _names(replica)
    if standby.sources and who in (active.facts.accounts or ()) and who not in (standby.facts.accounts or (who,)):
        made = unlogged(standby.facts, *created(standby.facts, who, user))
        yield Step(standby.facts.name, f"the account {who}, which {active.facts.name} has", made)
    # What replicates from the standby logs in there: it has to have come.
    yield replace(_replica_account(active, replica), catch_up=replica is active)


def _replica_account(source: End, replica: End) -> Step:
    """One account for each direction: a password that is replaced breaks nothing else. It is kept by the replica."""
    user, who = _names(replica)
    facts = source.facts
    first = (replaced if who in (facts.accounts or ()) else created)(facts, who, user)
    privileges = ", ".join(facts.dialect.replication_privileges)
    purpose = f"the account that {replica.facts.name} replicates with"
    return Step(facts.name, purpose, (*first, f"GRANT {privileges} ON *.* TO {account(who)}"))


def back(active: End, standby: End) -> Iterator[Step]:
    """The active server is told its source as well, and does not begin: pyvrrpd starts it when it is the standby."""
    for row in active.sources:
        lost = _lost(active, standby, active, row)
        if lost:
            yield from _known_to_both(active, standby, active)
        wrong = _mended(active.facts, row, lost=lost)
        if wrong:
            running = row.get("replica_sql_running") == "Yes"
            statements = (*_stop(active.facts), wrong, *(_start(active.facts) if running else ()))
            purpose = f"replicate from {standby.facts.name} {'with that account' if lost else 'by GTID'}"
            yield Step(active.facts.name, purpose if running or not lost else f"{purpose} one day", statements)
        return
    yield from _known_to_both(active, standby, active)
    coordinates = "" if active.facts.gtid else standby.facts.name
    yield Step(
        active.facts.name,
        f"know {standby.facts.name} as the source to replicate from one day",
        (*active.facts.dialect.adopt_position, _change(active, standby, coordinates=COORDINATES)),
        coordinates=coordinates,
    )


def _change(replica: End, source: End, coordinates: tuple[str, str]) -> str:
    facts = replica.facts
    verb, word = _words(facts)
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
    return _said(verb, options)


def _known(source: End) -> tuple[str, str]:
    """Where the source's log ended before anything of this was done: from there on all is replicated."""
    at = source.facts.coordinates
    return quoted(at.get("file", "")), at.get("position", "4")


def _mended(facts: Facts, row: Texts, *, lost: bool) -> str:
    """What makes replication right that is there; "" when it is. `lost`: its account is made anew."""
    verb, word = _words(facts)
    options = {}
    if lost:
        user = f"repl_{facts.server_id}"
        options = {f"{word}_USER": quoted(user), f"{word}_PASSWORD": f":{user}:"}
    if facts.maria and row.get("using_gtid", "").lower() in ("no", ""):
        options["MASTER_USE_GTID"] = "slave_pos"
    if not facts.maria and facts.gtid and row.get("auto_position") == "0":
        options[f"{word}_AUTO_POSITION"] = "1"
    return _said(verb, options) if options else ""


def _words(facts: Facts) -> tuple[str, str]:
    new = not facts.maria and facts.dialect.version >= (8, 0, 23)
    return ("CHANGE REPLICATION SOURCE TO", "SOURCE") if new else ("CHANGE MASTER TO", "MASTER")


def _said(verb: str, options: Mapping[str, str]) -> str:
    return f"{verb} " + ", ".join(f"{name} = {value}" for name, value in options.items())


def _start(facts: Facts) -> tuple[str, ...]:
    return (facts.dialect.start_io(), facts.dialect.start_sql())


def _stop(facts: Facts) -> tuple[str, ...]:
    return (facts.dialect.stop_io(), facts.dialect.stop_sql())
