"""What the agent's accounts must be allowed, why, and whether SHOW GRANTS says so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from pyvrrp.mysql.dialect import HEARTBEAT_PRIVILEGES, Dialect, quoted

SCHEMA: Final = "pyvrrp"
PURPOSES: Final = {
    "SLAVE MONITOR": "see the state of replication",
    "REPLICATION CLIENT": "see the state of replication",
    "REPLICATION SLAVE": "read its own binary log, as it has no GTIDs",
    "BINLOG MONITOR": "know the position of the binary log",
    "PROCESS": "see the sessions of others",
    "CONNECTION ADMIN": "end the sessions of others, and come in when all connections are taken",
    "CONNECTION_ADMIN": "end the sessions of others, and come in when all connections are taken",
    "READ_ONLY ADMIN": "open and close writes",
    "REPLICATION SLAVE ADMIN": "start and stop replication",
    "REPLICATION_SLAVE_ADMIN": "start and stop replication",
    "BINLOG REPLAY": "leave out numbers of transactions that another server may have used",
    "REPLICATION MASTER ADMIN": "set semi-synchronous replication by role",
    "SYSTEM_VARIABLES_ADMIN": "open and close writes, set semi-synchronous replication by role",
    "SUPER": "open and close writes, end sessions, start and stop replication",
}
_ALL: Final = frozenset({"ALL", "ALL PRIVILEGES"})
_NOT_IN_SUPER: Final = frozenset({"PROCESS", "REPLICATION CLIENT", "REPLICATION SLAVE"})
_GRANT: Final = re.compile(r"^GRANT (?P<what>.+?) ON (?:TABLE )?(?P<where>\S+) TO ", re.IGNORECASE)


def purpose(spoken: Dialect, privilege: str) -> str:
    """What it is needed for on this server: MariaDB before 10.5.9 has no privilege for looking at replication alone."""
    if privilege == spoken.looking[0]:
        seen = PURPOSES["SLAVE MONITOR"]
        return PURPOSES[privilege] if PURPOSES[privilege] == seen else f"{seen}, {PURPOSES[privilege]}"
    return PURPOSES[privilege]


def missing(spoken: Dialect, wanted: Iterable[str], lines: Iterable[str]) -> tuple[str, ...]:
    """The global privileges that SHOW GRANTS does not list."""
    held = held_on(lines, "*.*")
    if held & _ALL:
        return ()
    mighty = "SUPER" in held and not (spoken.maria and spoken.version >= (10, 11, 0))
    return tuple(each for each in wanted if each not in held and not (mighty and each not in _NOT_IN_SUPER))


def may(lines: Iterable[str], wanted: Iterable[str] = HEARTBEAT_PRIVILEGES) -> bool:
    """Whether the account may do this to the heartbeat's table."""
    lines = tuple(lines)
    held = held_on(lines, "*.*") | held_on(lines, f"{SCHEMA}.*") | held_on(lines, f"{SCHEMA}.heartbeat")
    return bool(held & _ALL) or held >= set(wanted)


def held_on(lines: Iterable[str], where: str) -> frozenset[str]:
    """The privileges on exactly this level, in capitals."""
    held: set[str] = set()
    for line in lines:
        found = _GRANT.match(line)
        if found and found["where"].replace("`", "").replace("\\_", "_") == where:
            held.update(word.strip().upper() for word in found["what"].split(","))
    return frozenset(held)


def account(matched: str) -> str:
    """user@host as it is written in SQL."""
    user, _, host = matched.rpartition("@")
    return f"{quoted(user)}@{quoted(host)}"
