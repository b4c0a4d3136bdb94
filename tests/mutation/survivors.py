"""The list of changes that may survive: blocks of a function, its lines before (-) and after (+), and why (:)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"(?P<module>[\w.]+)\.x(?:_|ǁ(?P<owner>\w+)ǁ)(?P<function>\w+)__mutmut_\d+")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change of one function. `change` are its lines as `- before` and `+ after`, without indentation."""

    name: str
    function: str
    change: str

    @classmethod
    def of(cls, name: str, diff: str) -> Mutant:
        """From mutmut's name and unified diff."""
        found = _NAME.fullmatch(name)
        if found is None:
            raise ValueError(f"not a mutant's name: {name}")
        function = ".".join(each for each in (found["module"], found["owner"], found["function"]) if each)
        lines = [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
        return cls(name, function, "\n".join(f"{line[0]} {line[1:].strip()}" for line in lines))

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same change after the rest of the file has moved."""
        return self.function, self.change


@dataclass(frozen=True, slots=True)
class Explained:
    """A change that may survive."""

    function: str
    change: str
    reason: str

    @property
    def key(self) -> tuple[str, str]:
        """As a mutant's."""
        return self.function, self.change


def read(path: Path) -> dict[tuple[str, str], Explained]:
    """The list. Raises ValueError for a block without a reason."""
    found: dict[tuple[str, str], Explained] = {}
    for block in re.split(r"\n\s*\n", path.read_text().strip()):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if not lines:
            continue
        function, *rest = lines
        change = "\n".join(line for line in rest if line[:1] in "+-")
        reason = " ".join(line[1:].strip() for line in rest if line.startswith(":"))
        if not (change and reason):
            raise ValueError(f"{path.name}: {function}: a change (- and +) and a reason (:) are needed")
        entry = Explained(function, change, reason)
        found[entry.key] = entry
    return found
