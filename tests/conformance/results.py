"""What the last run found, kept in results.json: every case for both makes, and the pure tests by clause."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("results.json")
MAKES: Final = ("pyvrrpd", "keepalived")


@dataclass
class Results:
    """`cases`: name → make → what was unmet, "" when nothing. `tests`: clause → node ids of tests that passed."""

    versions: dict[str, str] = field(default_factory=dict)
    cases: dict[str, dict[str, str]] = field(default_factory=dict)
    tests: dict[str, list[str]] = field(default_factory=dict)

    def keep(self, names: Sequence[str]) -> None:
        """Forget cases that there are no longer, and put the others in this order."""
        self.cases = {name: self.cases[name] for name in names if name in self.cases}


def load() -> Results:
    """What the last run found; nothing before the first."""
    return Results(**json.loads(FILE.read_text())) if FILE.exists() else Results()


def save(results: Results) -> None:
    """Keep it."""
    text = json.dumps(vars(results), indent=1, ensure_ascii=False)
    FILE.write_text(text + "\n")


def failed(outcome: Mapping[str, str], make: str) -> bool:
    """Whether a case was run for this make and did not find what it asks."""
    return bool(outcome.get(make))
