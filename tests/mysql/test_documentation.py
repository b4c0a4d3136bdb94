"""docs/mysql.md names tests that show what it says, which exist, and privileges, which are those of the dialects."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pyvrrp.mysql.dialect import dialect
from pyvrrp.mysql.grants import PURPOSES

TESTS = Path(__file__).resolve().parents[1]
DOCUMENT = TESTS.parent / "docs" / "mysql.md"
ROW = re.compile(r"^\| (\d+) \|.*\| ([^|]+) \|$", re.MULTILINE)
PRIVILEGES = re.compile(r"^### Privileges\n\n(.*?)\n\n", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"([\w/]+): ((?:`\w+`(?:, )?)+)")


def test_each_complaint_has_a_test_and_each_test_is_there() -> None:
    rows = ROW.findall(DOCUMENT.read_text(encoding="utf-8"))
    assert [int(number) for number, _ in rows] == list(range(1, 29))
    for number, cell in rows:
        places = PLACE.findall(cell)
        assert places, number
        for file, names in places:
            text = (TESTS / f"{file}.py").read_text(encoding="utf-8")
            for name in re.findall(r"`(\w+)`", names):
                assert f"def {name}(" in text, f"{number}: {file}: {name}"


@pytest.mark.parametrize(
    ("column", "version"),
    [(2, "10.5.9-MariaDB"), (2, "12.0.2-MariaDB"), (3, "5.6.24"), (3, "5.7.44"), (4, "8.0.36"), (4, "9.4.0")],
)
def test_the_privileges_of_the_table_are_those_that_are_granted_and_looked_for(column: int, version: str) -> None:
    found = PRIVILEGES.search(DOCUMENT.read_text(encoding="utf-8"))
    assert found is not None
    cells = ", ".join(row.split("|")[column] for row in found[1].splitlines()[2:])
    named = {word.strip() for word in cells.split(",")} & set(PURPOSES)
    assert named == set(dialect(version).needed(by_file=True))
    assert set(dialect(version).needed(by_file=True)) <= set(PURPOSES)
    assert "SYSTEM_USER" not in cells
