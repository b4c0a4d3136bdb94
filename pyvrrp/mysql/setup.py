"""What makes two servers a pair that can fail over: facts in, statements and lines of my.cnf out. Nothing is done here.

The active server is left as writable as it is; the standby is closed. Accounts and the heartbeat's table are made on
the active server, and replication carries them over. `:name:` in a statement stands for a secret.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyvrrp.mysql.accounts import accounts, collisions
from pyvrrp.mysql.dialect import HEARTBEAT_SCHEMA, quoted
from pyvrrp.mysql.directions import back, forth
from pyvrrp.mysql.facts import Facts, truth
from pyvrrp.mysql.lint_server import PATIENCE
from pyvrrp.mysql.mycnf import lines
from pyvrrp.mysql.obstacles import obstacles
from pyvrrp.mysql.pairing import End, Plan, Step, Wish, offset, server_ids


def active_first(here: End, there: End) -> tuple[End, End]:
    """Which of the two is the active one: this one, unless only the other takes writes or has tables."""
    mine, other = here.facts, there.facts
    closed = (bool(mine.on("read_only")), bool(other.on("read_only")))
    if closed[0] != closed[1]:
        return (there, here) if closed[0] else (here, there)
    return (there, here) if not here.tables and there.tables else (here, there)


def plan(active: End, standby: End, wish: Wish) -> Plan:
    """All that is missing, in its order; nothing for a pair that is set up."""
    ends = (active, standby)
    wanted = {
        each.facts.name: tuple(lines(each, server_id, offset(each, ends), wish))
        for each, server_id in zip(ends, server_ids(active, standby), strict=True)
    }
    refusals = obstacles(active, standby, wish)
    if refusals:
        return Plan((), wanted, refusals)
    steps = [
        *(step for each in ends for step in _variables(each, offset(each, ends))),
        *(step for each in ends if wish.semi_sync for step in _semi_sync(each)),
        *collisions(active, standby, wish),
        *accounts(active, standby, wish),
        *_heartbeat(active),
        *forth(active, standby, wish),
        *_closed(standby),
        *back(active, standby),
    ]
    return Plan(tuple(_opened(active, steps)), wanted)


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


def _semi_sync(end: End) -> Iterator[Step]:
    names = end.facts.dialect.semi_sync
    if any(each.startswith("rpl_semi_sync_") for each in end.facts.variables):
        return
    plugins = [each for each in (names.source_plugin, names.replica_plugin) if each[0]]
    statements = tuple(f"INSTALL PLUGIN {name} SONAME {quoted(library)}" for name, library in plugins)
    yield Step(end.facts.name, "install semi-synchronous replication", statements, optional=True)


def _heartbeat(active: End) -> Iterator[Step]:
    if active.facts.heartbeat is not True:
        yield Step(active.facts.name, "the table of the agents' heartbeat", HEARTBEAT_SCHEMA)


def _closed(standby: End) -> Iterator[Step]:
    facts = standby.facts
    switch = "super_read_only" if facts.dialect.super_read_only else "read_only"
    if not facts.on(switch):
        yield Step(facts.name, "close it for writes: it is the standby", (f"SET GLOBAL {switch} = ON",))


def _opened(active: End, steps: list[Step]) -> Iterator[Step]:
    """super_read_only holds for the administrator too: it is off while the steps are done."""
    if not steps or not active.facts.on("super_read_only"):
        yield from steps
        return
    yield Step(active.facts.name, "let the administrator write", ("SET GLOBAL super_read_only = OFF",))
    yield from steps
    yield Step(active.facts.name, "close it again", ("SET GLOBAL super_read_only = ON",))
