"""The agent's accounts: everything that it needs on its own server, and a look at the other one."""

from __future__ import annotations

from collections.abc import Iterator

from pyvrrp.mysql import grants
from pyvrrp.mysql.dialect import HEARTBEAT_PRIVILEGES
from pyvrrp.mysql.facts import Facts
from pyvrrp.mysql.grants import account
from pyvrrp.mysql.pairing import AGENT, End, Step, Wish
from pyvrrp.mysql.passwords import created, replaced


def collisions(active: End, standby: End, wish: Wish) -> Iterator[Step]:
    """Accounts that replication will bring, and which would stop it where they are already."""
    users = {wish.agent, *(f"repl_{end.facts.server_id}" for end in (active, standby))}
    for who in standby.facts.accounts or ():
        if who.rpartition("@")[0] in users and who not in (active.facts.accounts or ()):
            statements = unlogged(standby.facts, f"DROP USER {account(who)}")
            yield Step(standby.facts.name, f"the account {who} will come by replication", statements)


def accounts(active: End, standby: End, wish: Wish) -> Iterator[Step]:
    """The agent's accounts: to do everything from its own host, to look from the other one's."""
    wanted: dict[str, tuple[set[str], set[str]]] = {}
    # Each server grants of these what it knows; two versions side by side may want different ones.
    spoken = (active.facts.dialect, standby.facts.dialect)
    needed = {each for one in spoken for each in one.needed(by_file=not active.facts.gtid)}
    for end in (active, standby):
        for host in end.local:
            wanted[f"{wish.agent}@{host}"] = (set(needed), set(HEARTBEAT_PRIVILEGES))
    for end in (active, standby):
        privileges, table = wanted.setdefault(f"{wish.agent}@{end.host}", (set(), set()))
        privileges.update(*(one.looking for one in spoken))
        table.add("SELECT")
    for who, (privileges, table) in wanted.items():
        for end in (active, standby):
            carried = end is standby and who not in (active.facts.accounts or ())
            statements = () if carried else tuple(_account(end.facts, who, privileges, table, wish))
            if statements and end is standby:  # what the active server has already does not come over
                statements = unlogged(end.facts, *statements)
            if statements:
                yield Step(end.facts.name, f"the agent's account {who}", statements)


def unlogged(facts: Facts, *statements: str) -> tuple[str, ...]:
    """Statements on a standby that are no transactions of its own."""
    quietly = ("SET SESSION sql_log_bin = 0", *statements, "SET SESSION sql_log_bin = 1")
    if not facts.on("super_read_only"):
        return quietly
    return ("SET GLOBAL super_read_only = OFF", *quietly, "SET GLOBAL super_read_only = ON")


def _account(facts: Facts, who: str, privileges: set[str], table: set[str], wish: Wish) -> Iterator[str]:
    name, there = account(who), who in (facts.accounts or ())
    if not there:
        yield from created(facts, who, AGENT)
    elif wish.anew:
        yield from replaced(facts, who, AGENT)
    lines = facts.granted.get(who, ())
    wanted = facts.dialect.needed(by_file=not facts.gtid)
    lacking = grants.missing(facts.dialect, [each for each in wanted if each in privileges], lines)
    if lacking:
        yield f"GRANT {', '.join(lacking)} ON *.* TO {name}"
    if not grants.may(lines, table):
        yield f"GRANT {', '.join(each for each in HEARTBEAT_PRIVILEGES if each in table)} ON pyvrrp.* TO {name}"
