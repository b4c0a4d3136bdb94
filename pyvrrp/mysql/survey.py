"""Gathers the facts of one server, over an administrator's account or, with gaps, over the agent's own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from pyvrrp.core.settings import Account
from pyvrrp.mysql import optionfile
from pyvrrp.mysql.dialect import HEARTBEAT_TABLE, dialect, modern
from pyvrrp.mysql.facts import Facts, Login, Texts
from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.grants import account
from pyvrrp.mysql.session import Row, Session

SECONDS: Final = 10.0  # for one question; information_schema may have many tables
ABSENT: Final = frozenset({1146, 1049})  # no such table, no such database
OWN: Final = "('mysql', 'information_schema', 'performance_schema', 'sys')"
NAMES: Final = "CONCAT(t.table_schema, '.', t.table_name)"
TABLES: Final = f"information_schema.tables t WHERE t.table_type = 'BASE TABLE' AND t.table_schema NOT IN {OWN}"
UNKNOWN: Final = frozenset({"SQL", "DYNAMIC", "AUTO", "INIT"})  # a value that did not come from where options come from


async def survey(
    name: str, look: Account, agent: Account | None = None, *, user: str = "", files: bool = False
) -> Facts:
    """What is known of the server that `look` leads to. Raises DatabaseError when it does not answer.

    `agent` is the account whose rights are judged, `user` one whose accounts' rights are listed. `files`: it runs on
    this host, with option files to be read.
    """
    session = Session(look)
    try:
        facts = await _look(name, session, user)
    finally:
        session.close()
    if files:
        pid_file, data = facts.value("pid_file"), facts.value("datadir")
        options = await asyncio.to_thread(optionfile.options, pid_file or "", data or "")
        facts = replace(facts, booted={**facts.booted, **(options or {})}, files_read=options is not None)
    return facts if agent is None else await _log_in(facts, agent)


async def _look(name: str, session: Session, user: str) -> Facts:
    (row,) = await session.ask("SELECT @@version AS version, @@version_comment AS comment", within=SECONDS)
    version, comment = str(row["version"]), str(row["comment"])
    try:
        spoken = dialect(version, comment)
    except ValueError as error:
        raise DatabaseError(Kind.SQL, 0, str(error)) from None
    variables = _pairs(await session.ask("SHOW GLOBAL VARIABLES", within=SECONDS), "Variable_name", "Value")
    accounts = await _names(session, "SELECT CONCAT(user, '@', host) AS name FROM mysql.user")
    everything = accounts is not None
    replication = await _rows(session, spoken.replica_status)
    coordinates = await _rows(session, spoken.binlog_status)
    facts = Facts(
        name=name,
        version=version,
        comment=comment,
        variables=variables,
        replication=replication,
        coordinates=coordinates[0] if coordinates else {},
        booted=await _origins(session, spoken.maria, spoken.version),
        accounts=accounts,
        heartbeat=await _heartbeat(session),
    )
    if not everything:
        return facts
    return replace(
        facts,
        writers=await _writers(session, spoken.passes_read_only, spoken.maria),
        tables=await _names(session, f"SELECT {NAMES} AS name FROM {TABLES}"),  # noqa: S608
        keyless=await _names(
            session,
            f"SELECT {NAMES} AS name FROM {TABLES} AND NOT EXISTS (SELECT 1 FROM information_schema.table_constraints c"  # noqa: S608
            " WHERE c.table_schema = t.table_schema AND c.table_name = t.table_name"
            " AND c.constraint_type IN ('PRIMARY KEY', 'UNIQUE')) ORDER BY name",
        ),
        not_innodb=await _names(
            session,
            f"SELECT {NAMES} AS name FROM {TABLES} AND t.engine <> 'InnoDB' ORDER BY name",  # noqa: S608
        ),
        granted=await _granted(session, accounts or (), user),
    )


async def _log_in(facts: Facts, agent: Account) -> Facts:
    session = Session(agent)
    try:
        (row,) = await session.ask("SELECT USER() AS asked, CURRENT_USER() AS matched", within=SECONDS)
        lines = await session.ask("SHOW GRANTS", within=SECONDS)
    except DatabaseError as error:
        return replace(facts, refused=str(error))
    finally:
        session.close()
    grants = tuple(str(next(iter(line.values()))) for line in lines)
    user = str(row["asked"]).rpartition("@")[0]
    return replace(facts, login=Login(user, str(row["matched"]), grants))


async def _origins(session: Session, maria: bool, version: tuple[int, int, int]) -> Texts:
    """What the option files say of variables that nobody has set since, by modern name."""
    if maria:
        question = (
            "SELECT VARIABLE_NAME AS name, GLOBAL_VALUE AS value, GLOBAL_VALUE_ORIGIN AS origin"
            " FROM information_schema.SYSTEM_VARIABLES WHERE GLOBAL_VALUE IS NOT NULL"
        )
    elif version >= (5, 7, 0):
        question = (
            "SELECT i.VARIABLE_NAME AS name, v.VARIABLE_VALUE AS value, i.VARIABLE_SOURCE AS origin"
            " FROM performance_schema.variables_info i JOIN performance_schema.global_variables v"
            " ON v.VARIABLE_NAME = i.VARIABLE_NAME"
        )
    else:
        return {}
    rows = await _rows(session, question) or ()
    return {modern(row["name"]): row["value"] for row in rows if row["origin"] not in UNKNOWN}


async def _writers(session: Session, privileges: Iterable[str], maria: bool) -> tuple[str, ...]:
    """Accounts that pass read_only, by a privilege of their own or, on MariaDB, of a role."""
    listed = ", ".join(f"'{each}'" for each in privileges)
    if not listed:
        return ()
    question = (
        f"SELECT DISTINCT GRANTEE AS name FROM information_schema.user_privileges WHERE PRIVILEGE_TYPE IN ({listed})"  # noqa: S608
    )
    holders = {each.replace("'", "") for each in await _names(session, question) or ()}
    if maria:
        roles = {each.removesuffix("@") for each in holders if each.endswith("@")}
        holders -= {f"{role}@" for role in roles}
        for row in await _rows(session, "SELECT User, Host, Role FROM mysql.roles_mapping") or ():
            if row["role"] in roles and row["host"]:
                holders.add(f"{row['user']}@{row['host']}")
    return tuple(sorted(holders))


async def _granted(session: Session, accounts: Iterable[str], user: str) -> Mapping[str, tuple[str, ...]]:
    mine = [each for each in accounts if user and each.rpartition("@")[0] == user]
    found = {}
    for each in mine:
        rows = await _rows(session, f"SHOW GRANTS FOR {account(each)}") or ()
        found[each] = tuple(next(iter(row.values())) for row in rows)
    return found


async def _heartbeat(session: Session) -> bool | None:
    try:
        await session.ask(f"SELECT server_id, beat, at FROM {HEARTBEAT_TABLE} LIMIT 1", within=SECONDS)  # noqa: S608
    except DatabaseError as error:
        return False if error.number in ABSENT else None
    return True


async def _names(session: Session, question: str) -> tuple[str, ...] | None:
    rows = await _rows(session, question)
    return None if rows is None else tuple(row["name"] for row in rows)


async def _rows(session: Session, question: str) -> tuple[Texts, ...] | None:
    """Rows as texts under modern names; None when the server does not answer that."""
    try:
        return tuple(_texts(row) for row in await session.ask(question, within=SECONDS))
    except DatabaseError:
        return None


def _texts(row: Row) -> Mapping[str, str]:
    return {modern(str(name)): _text(value) for name, value in row.items()}


def _pairs(rows: Iterable[Row], name: str, value: str) -> Mapping[str, str]:
    return {modern(_text(row[name])): _text(row[value]) for row in rows}


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
