"""One case: a configuration, what the tester does, what it expects, and the clauses of the RFCs that this proves.

A clause is named by RFC, section and, where a section has several, a word: "3768:6.4.2-zero". `v2` and `v3` name the
same clause of RFC 3768, or of both RFC 5798 and RFC 9568.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.conformance.bench import Bench
from tests.conformance.packets import SUBJECT, VIP, VRID, Advert

Play = Callable[[Bench], None]
PLAIN: Final = Advert()


@dataclass(frozen=True)
class Case:
    """`name` says what is shown. `peer` agrees with the configuration in everything. `unfit`: who cannot, and why."""

    name: str
    clauses: tuple[str, ...]
    text: str
    play: Play
    peer: Advert = PLAIN
    unfit: Mapping[str, str] = field(default_factory=dict)

    def run(self, bench: Bench) -> None:
        """Raises UnmetError where the subject does not do what is asked."""
        self.play(bench)


CASES: Final[dict[str, Case]] = {}


def add(new: Case) -> None:
    """Put a case into the table."""
    if new.name in CASES:
        raise ValueError(f"two cases are called {new.name}")
    CASES[new.name] = new


def case(
    name: str,
    *clauses: tuple[str, ...],
    text: str = "",
    peer: Advert = PLAIN,
    unfit: Mapping[str, str] | None = None,
) -> Callable[[Play], Play]:
    """The decorated function is a case. Without a text the configuration is the plain one of the peer's version."""

    def put(play: Play) -> Play:
        named = tuple(each for group in clauses for each in group)
        add(Case(name, named, text or instance(version=peer.version), play, peer, unfit or {}))
        return play

    return put


def v2(*sections: str) -> tuple[str, ...]:
    """Clauses of RFC 3768."""
    return tuple(f"3768:{each}" for each in sections)


def v3(*sections: str) -> tuple[str, ...]:
    """Clauses that RFC 5798 and RFC 9568 have in common."""
    return tuple(f"{rfc}:{each}" for rfc in (5798, 9568) for each in sections)


def instance(
    *lines: str,
    name: str = "VI_1",
    version: int = 2,
    priority: int = 100,
    advert_int: float = 1,
    vips: tuple[str, ...] = (VIP,),
    vrid: int = VRID,
) -> str:
    """The text of an instance with these lines."""
    settings = (
        f"vrrp_instance {name} {{",
        "state MASTER" if priority == 255 else "state BACKUP",
        "interface eth0",
        f"virtual_router_id {vrid}",
        f"version {version}",
        f"priority {priority}",
        f"advert_int {advert_int:g}",
        *lines,
        *("virtual_ipaddress {", *vips, "}"),
        "}",
    )
    return "\n".join(settings) + "\n"


def global_defs(*lines: str) -> str:
    """The text of global_defs with these lines."""
    return "\n".join(["global_defs {", "router_id bench", "script_user root", *lines, "}", ""])


def skew(priority: int, interval: float = 1.0) -> float:
    """Skew_Time, which version 3 counts in the master's interval."""
    return (256 - priority) / 256 * interval


__all__ = ["CASES", "SUBJECT", "Case", "add", "case", "global_defs", "instance", "skew", "v2", "v3"]
