"""Tests of the pure core that say which clauses they show: `@pytest.mark.clause("3768:6.4.2-zero")`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PLACES: Final = ("tests/rfc", "tests/core", "tests/config")


class _Listener:
    """Keeps the marked tests only, and what became of them."""

    def __init__(self) -> None:
        self.clauses: dict[str, tuple[str, ...]] = {}
        self.failed: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep what is marked."""
        items[:] = [each for each in items if each.get_closest_marker("clause")]
        for item in items:
            names = tuple(str(name) for mark in item.iter_markers("clause") for name in mark.args)
            self.clauses[_plain(item.nodeid)] = names

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what fails."""
        if report.failed:
            self.failed.add(_plain(report.nodeid))


def passed() -> dict[str, list[str]]:
    """Run all marked tests: clause → node ids of those that passed."""
    listener = _run(())
    found: defaultdict[str, list[str]] = defaultdict(list)
    for node, names in listener.clauses.items():
        for name in names:
            if node not in listener.failed:
                found[name].append(node)
    return dict(sorted(found.items()))


def named() -> set[str]:
    """All clauses that a marked test names; nothing is run."""
    return {name for names in _run(("--collect-only",)).clauses.values() for name in names}


def _run(options: Sequence[str]) -> _Listener:
    listener = _Listener()
    places = [str(ROOT / each) for each in PLACES]
    pytest.main(["-p", "no:terminal", "-o", "addopts=", f"--rootdir={ROOT}", *options, *places], plugins=[listener])
    return listener


def _plain(node: str) -> str:
    return node.partition("[")[0]
