"""What is found wrong with a pair: how bad it is, whose it is, the reason, and what mends it."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pyvrrp.mysql.facts import Facts

BOTH: Final = "both servers"
SHOWN: Final = 5  # of a list of tables or accounts


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
    """What the node's configuration says: the addresses that move, whose sessions stay, whether semi-sync is wished.

    `elsewhere`: the accounts of the other server, None where they could not be looked at; `taken`: its
    auto_increment_offset.
    """

    addresses: tuple[str, ...] = ()
    peer_hosts: tuple[str, ...] = ()  # how the other server may be called in this one's replication
    own_hosts: tuple[str, ...] = ()
    keep_users: tuple[str, ...] = ()
    semi_sync: bool = True
    agent: str = ""
    elsewhere: tuple[str, ...] | None = None
    taken: str = ""


def problem(server: Facts, text: str, *mend: str) -> Finding:
    """A problem of one server."""
    return Finding(Severity.PROBLEM, server.name, text, mend)


def advice(server: Facts, text: str, *mend: str) -> Finding:
    """A piece of advice for one server."""
    return Finding(Severity.ADVICE, server.name, text, mend)


def setting(server: Facts, name: str, value: str) -> tuple[str, str]:
    """A variable now and for ever."""
    name = server.native(name)
    return f"SET GLOBAL {name} = {value};", f"{name} = {value}"


def unwritten(server: Facts, *mend: str, call: str = "it") -> tuple[str, ...]:
    """What mends a server, but for lines that its option file has: those count from its next start."""
    said: list[str] = []
    for each in mend:
        name, _, value = each.partition(" = ")
        if ";" in each or each.startswith("#") or not server.boots_well(name, value):
            said.append(each)
        else:
            said.append(f"# {'or ' if said else ''}restart {call}: its option file has {each}")
    return tuple(said)


def on(server: Facts, *mend: str) -> tuple[str, ...]:
    """The same, with the server's name: for what is true of both and mended on one."""
    return tuple(
        each if each.startswith("#") else f"{each}  {'--' if ';' in each else '#'} on {server.name}"
        for each in unwritten(server, *mend, call=server.name)
    )


def some(names: Sequence[str]) -> str:
    """`a, b, c and 4 more`."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
