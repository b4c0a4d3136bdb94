"""Runs mutmut over pyvrrp/core and judges what survived: `python -m tests.mutation [--no-run] [MUTANT ...]`.

Exit status 1 when a change of the core makes no test fail and survivors.txt does not say why that is right, or when
survivors.txt explains a change that is no more.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.mutation.survivors import Explained, Mutant, read

_ROOT = Path(__file__).parents[2]
_EXPLAINED = Path(__file__).with_name("survivors.txt")
_META = ".py.meta"
_SURVIVED = {0: "survived", 33: "no test runs it"}  # mutmut's exit codes


def main() -> int:
    """Run, judge, print; the exit status."""
    arguments = _arguments()
    if not arguments.no_run:
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(arguments.jobs), *arguments.mutants]
        subprocess.run(command, cwd=_ROOT, check=False)
    results = dict(_results())
    survivors = [_mutant(name) for name, code in results.items() if code in _SURVIVED]
    explained = read(_EXPLAINED)
    unexplained = [each for each in survivors if each.key not in explained]
    stale = [] if arguments.mutants else [each for each in explained.values() if each.key not in _keys(survivors)]
    _report(results, survivors, unexplained, stale)
    return 1 if unexplained or stale else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/mutate", description=__doc__)
    parser.add_argument("--no-run", action="store_true", help="judge the results of the last run")
    parser.add_argument("--jobs", type=int, default=2, help="mutants tested at the same time (2)")
    parser.add_argument("mutants", nargs="*", help='patterns as mutmut has them: "pyvrrp.core.wire*"; all by default')
    return parser.parse_args()


def _results() -> Iterator[tuple[str, int | None]]:
    """(mutant, mutmut's exit code, None when it was not tested)."""
    for meta in sorted((_ROOT / "mutants/pyvrrp/core").rglob(f"*{_META}")):
        yield from json.loads(meta.read_text())["exit_code_by_key"].items()


def _mutant(name: str) -> Mutant:
    from mutmut.mutation.diff_apply import get_diff_for_mutant  # reads pyproject.toml of the current directory

    return Mutant.of(name, get_diff_for_mutant(name))


def _keys(mutants: list[Mutant]) -> set[tuple[str, str]]:
    return {each.key for each in mutants}


def _report(
    results: dict[str, int | None], survivors: list[Mutant], unexplained: list[Mutant], stale: list[Explained]
) -> None:
    for mutant in unexplained:
        print(f"{mutant.function}\n{mutant.change}\n: {_SURVIVED[results[mutant.name] or 0]} ({mutant.name})\n")
    for entry in stale:
        print(f"{entry.function}\n{entry.change}\n: explained in {_EXPLAINED.name}, but it does not survive\n")
    by_room = Counter(each.function.split(".")[2] for each in unexplained)
    for room, count in by_room.most_common():
        print(f"{count:5} unexplained in {room}")
    untested = sum(code is None for code in results.values())
    known = len(survivors) - len(unexplained)
    killed = len(results) - len(survivors) - untested
    print(f"{len(results)} changes of the core: {killed} make a test fail, {known} are explained, ", end="")
    print(f"{len(unexplained)} survive without an explanation, {len(stale)} explanations are stale", end="")
    print(f", {untested} were not tried" if untested else "")


if __name__ == "__main__":
    sys.exit(main())
