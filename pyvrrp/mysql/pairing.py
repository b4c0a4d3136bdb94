"""Two servers that are to become a pair: how they reach each other, what is wished, what has to be done. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pyvrrp.mysql.facts import Facts, Texts
from pyvrrp.mysql.grants import SCHEMA
from pyvrrp.mysql.gtid import BinlogState, GtidSet

AGENT: Final = "agent"  # the secret of the agent's accounts
COORDINATES: Final = (":file:", ":position:")  # where the source's log ends when the step is done


@dataclass(frozen=True, slots=True)
class End:
    """One server as the other one reaches it: `host` and `port`; `local` are the hosts its own agent comes from."""

    facts: Facts
    host: str
    port: int
    local: tuple[str, ...] = ("localhost",)

    @property
    def sources(self) -> tuple[Texts, ...]:
        """What it replicates from."""
        return tuple(row for row in self.facts.replication or () if row.get("source_host"))

    @property
    def tables(self) -> tuple[str, ...]:
        """Its tables, but the agents' own."""
        return tuple(each for each in self.facts.tables or () if not each.startswith(f"{SCHEMA}."))

    @property
    def position(self) -> str:
        """Up to which transaction it has everything, where it says so."""
        return (self.facts.value("gtid_slave_pos") if self.facts.maria else "") or self.facts.position

    @property
    def forgets(self) -> str:
        """The statements by which it forgets its own transactions; up to where it has another's stays known."""
        if self.facts.maria:
            return "RESET MASTER"
        return "RESET BINARY LOGS AND GTIDS" if self.facts.dialect.version >= (8, 4, 0) else "RESET MASTER"


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


def server_ids(active: End, standby: End) -> tuple[int, int]:
    """Theirs; where one has none, or both have the same, what they should have."""
    first = active.facts.server_id or 1
    second = standby.facts.server_id
    return first, second if second not in (0, first) else first + 1


def offset(end: End, ends: tuple[End, End]) -> int:
    """Its auto_increment_offset: as it is, where the two are right; else the one with the lower server_id has 1."""
    steps = {each.facts.value("auto_increment_increment") or "1" for each in ends}
    offsets = [int(each.facts.value("auto_increment_offset") or 1) for each in ends]
    if len(steps) == 1 and offsets[0] != offsets[1] and max(offsets) <= int(next(iter(steps))):
        return int(end.facts.value("auto_increment_offset") or 1)
    first, second = server_ids(*ends)
    return 1 if (first < second) == (end is ends[0]) else 2


def beyond(facts: Facts, other: Facts) -> tuple[str, ...]:
    """The transactions of one server that the other has not, where they have identifiers."""
    if not (facts.gtid and other.gtid and facts.position):
        return ()
    kind = BinlogState if facts.maria else GtidSet
    return kind.parse(facts.position).beyond(kind.parse(other.position))  # type: ignore[arg-type]
