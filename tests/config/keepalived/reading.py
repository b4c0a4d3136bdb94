"""Texts of keepalived.conf, read, and shown in a form that tests can say in a line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pyvrrp.config.keepalived.parser import parse
from pyvrrp.config.keepalived.remarks import Remarks
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.errors import Problem


class Read(NamedTuple):
    """What came of a file."""

    statements: tuple[Statement, ...]
    remarks: Remarks

    @property
    def outline(self) -> str:
        """`vrrp_instance V {interface eth0; ...}`, words with blanks in quotes."""
        return outline(self.statements)

    @property
    def status(self) -> int:
        """Exit status of `-t`, as far as reading decides it."""
        return self.remarks.status

    @property
    def problems(self) -> list[str]:
        """What is wrong, each as `line:column path: message`."""
        return [_short(each) for each in self.remarks.problems()]

    @property
    def advice(self) -> list[str]:
        """What may be meant otherwise, in the same form."""
        return [_short(each) for each in self.remarks.advice()]


def outline(statements: Iterable[Statement]) -> str:
    """Statements on one line."""
    return "; ".join(_shown(each) for each in statements)


def _shown(statement: Statement) -> str:
    words = " ".join(
        f'"{word.text}"' if {*" {}"} & {*word.text} or not word.text else word.text for word in statement.words
    )
    return words if statement.block is None else f"{words} {{{outline(statement.block)}}}"


def _short(problem: Problem) -> str:
    path = f" {problem.path}" if problem.path else ""
    return f"{problem.line}:{problem.column}{path}: {problem.message}"


def read(
    directory: Path, text: str | bytes, config_id: str | None = "lab", instance: str = "", *, all_config: bool = False
) -> Read:
    """`text` as keepalived.conf in `directory`, where the files stand that it includes."""
    file = directory / "keepalived.conf"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    remarks = Remarks()
    return Read(parse(str(file), config_id, remarks, instance, all_config=all_config), remarks)
