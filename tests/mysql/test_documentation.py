"""docs/mysql.md names tests that show what it says; they exist."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
DOCUMENT = TESTS.parent / "docs" / "mysql.md"
ROW = re.compile(r"^\| (\d+) \|.*\| ([^|]+) \|$", re.MULTILINE)
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
