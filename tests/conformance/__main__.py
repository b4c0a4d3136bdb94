"""Runs the cases, keeps what they found in results.json, writes docs/conformance.md.

scripts/conformance [--make MAKE] [WORD ...]   cases with all these words in their name; the others keep their results
scripts/conformance --render                   no case is run
"""

from __future__ import annotations

import argparse
import re
import subprocess
import time
from importlib.metadata import version

from tests.conformance import document, marks, results
from tests.conformance.cases import CASES
from tests.conformance.pool import Outcome, run_all
from tests.lab.agents import KEEPALIVED


def main() -> int:
    """The exit status: 1 when pyvrrpd does not do what a case asks."""
    parser = argparse.ArgumentParser(prog="scripts/conformance", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD", help="only cases with all these words in their name")
    parser.add_argument("--make", action="append", choices=results.MAKES, help="only this daemon")
    parser.add_argument("--render", action="store_true", help="run no case, write the document anew")
    parser.add_argument("--logs", action="store_true", help="show what the daemon wrote where a case fails")
    options = parser.parse_args()
    kept = results.load()
    if not options.render:
        chosen = [case for case in CASES.values() if all(word in case.name for word in options.words)]
        makes = options.make or results.MAKES
        pairs = [(case, make) for case in chosen for make in makes if make not in case.unfit]
        before = {(name, make): unmet for name, found in kept.cases.items() for make, unmet in found.items()}
        outcomes = run_all(pairs, _Teller(), lambda each: before.get((each.case, each.make)) == each.unmet)
        for outcome in outcomes:
            kept.cases.setdefault(outcome.case, {})[outcome.make] = outcome.unmet
            if outcome.unmet and options.logs:
                print(f"--- {outcome.make}: {outcome.case}\n{outcome.log}")
        kept.versions = {"pyvrrpd": version("pyvrrp"), "keepalived": _keepalived()}
    kept.keep(list(CASES))
    kept.tests = marks.passed()
    results.save(kept)
    document.FILE.write_text(document.render(kept))
    return int(any(results.failed(outcome, "pyvrrpd") for outcome in kept.cases.values()))


class _Teller:
    """Says how each case went, and when."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, outcome: Outcome) -> None:
        passed = time.monotonic() - self._began
        print(f"{passed:6.1f} s  {outcome.make:10}  {outcome.unmet or 'ok'}  ({outcome.case})", flush=True)


def _keepalived() -> str:
    done = subprocess.run([str(KEEPALIVED), "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"v([\d.]+)", done.stdout + done.stderr)
    return found.group(1) if found else ""


if __name__ == "__main__":
    raise SystemExit(main())
