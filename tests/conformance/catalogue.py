"""The clauses of the RFCs: clauses.yaml, read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import yaml

FILE: Final = Path(__file__).with_name("clauses.yaml")
RFCS: Final = {"3768": "VRRP version 2", "5798": "VRRP version 3", "9568": "VRRP version 3, today"}
LEVELS: Final = ("MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "IS")


@dataclass(frozen=True)
class Clause:
    """One demand; `section` has a word behind it where the section demands several things."""

    rfc: str
    section: str
    level: str
    demand: str
    not_ours: str = ""
    otherwise: str = ""
    on_request: str = ""

    @property
    def name(self) -> str:
        """What a test calls it: "3768:6.4.2-zero"."""
        return f"{self.rfc}:{self.section}"


@cache
def clauses() -> tuple[Clause, ...]:
    """All clauses, by RFC, then by section, then as they are written."""
    found = []
    for heading, rows in yaml.safe_load(FILE.read_text()).items():
        for row in rows:
            section = row.pop("clause")
            found += [Clause(rfc, section, **row) for rfc in heading.split()]
    return tuple(sorted(found, key=lambda each: (each.rfc, _numbers(each.section))))


def _numbers(section: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", section.partition("-")[0])]
