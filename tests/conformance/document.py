"""docs/conformance.md: every clause, whether pyvrrpd and keepalived meet it, and the tests that show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.conformance.case import CASES, Case
from tests.conformance.catalogue import RFCS, Clause, clauses
from tests.conformance.results import MAKES, Results

FILE: Final = Path(__file__).parents[2] / "docs" / "conformance.md"
MET, PARTLY, UNMET, NOT_ASKED, NOT_OURS, GAP = "✔", "(✔)", "✘", "not asked", "n/a", "**no test**"
OTHERWISE: Final = "otherwise"

COLUMNS: Final = (
    "clauses",
    "not an agent's",
    "asked of the daemons",
    "of the core only",
    "otherwise",
    "no test",
    "pyvrrpd ✔",
    "(✔)",
    "✘",
    "keepalived ✔",
    "(✔)",
    "✘",
)

HEAD: Final = """\
# Conformance

What RFC 3768, RFC 5798 and RFC 9568 demand of a router, clause by clause, and the tests that show whether it is done.
Made by `scripts/conformance`, which runs every case below against pyvrrpd and against keepalived: the daemon runs in a
network namespace with the same keepalived.conf, and a tester at the other end of the cable speaks raw frames and
measures by the kernel's time stamps. What only a test of the pure core shows has the name of that test.

* ✔ every test of the clause finds what it asks · ✘ at least one does not, and what it found instead
* (✔) the tests find what they ask, but there is a word to say, with the demand: *on request*, the test asks for it with
  a keyword, as neither daemon does it by default; *pyvrrp*, it does something else beside, or in place of it
* *otherwise*: pyvrrp does something else, and no test is of it
* *not asked*: no case puts this question to keepalived; a test of the core does to pyvrrp
* n/a: nothing that an agent on a host does; the reason is with the demand
* **no test**: a gap

The clauses are in our words, in [clauses.yaml](../tests/conformance/clauses.yaml); MUST, SHOULD and MAY are the RFC's,
IS marks a definition. Sections have a word behind them where one demands several things.
"""


@dataclass(frozen=True)
class Verdict:
    """A clause and all that is known of it. `proof`: (number, case); `pure`: node ids."""

    clause: Clause
    proof: Sequence[tuple[int, Case]]
    pure: Sequence[str]
    results: Results

    @property
    def is_gap(self) -> bool:
        """Whether nothing shows that this is done, though it should be."""
        clause = self.clause
        return not (clause.not_ours or clause.otherwise or clause.on_request or self.proof or self.pure)

    def unmet(self, make: str) -> list[tuple[int, str]]:
        """Cases that did not find what they ask, and what they found."""
        rows = ((number, self.results.cases.get(case.name, {}).get(make, "")) for number, case in self.proof)
        return [(number, found) for number, found in rows if found]

    def asked(self, make: str) -> int:
        """How many cases were run."""
        return sum(make in self.results.cases.get(case.name, {}) for _, case in self.proof)

    def mark(self, make: str) -> str:
        """One cell of the table."""
        if self.clause.not_ours:
            return NOT_OURS
        asked, unmet = self.asked(make), self.unmet(make)
        if unmet:
            return f"{UNMET} {len(unmet)} of {asked}: " + "; ".join(
                f"{_link(number)} {found}" for number, found in unmet
            )
        if asked or (self.pure and make == "pyvrrpd"):
            return PARTLY if self.clause.on_request or (self.clause.otherwise and make == "pyvrrpd") else MET
        if make != "pyvrrpd":
            return NOT_ASKED
        return GAP if self.is_gap else OTHERWISE


def render(results: Results) -> str:
    """The text of docs/conformance.md."""
    verdicts = _verdicts(results)
    versions = ", ".join(f"{make} {results.versions.get(make, '')}".rstrip() for make in MAKES)
    parts = [HEAD, f"Last run: {versions}.", "", *_summary(verdicts), ""]
    for rfc, title in RFCS.items():
        parts += [f"## RFC {rfc}: {title}", "", *_table([each for each in verdicts if each.clause.rfc == rfc]), ""]
    parts += ["## Cases", "", *_cases(results)]
    return "\n".join(parts) + "\n"


def _verdicts(results: Results) -> list[Verdict]:
    numbered = list(enumerate(CASES.values(), 1))
    return [
        Verdict(
            clause,
            [(number, case) for number, case in numbered if clause.name in case.clauses],
            results.tests.get(clause.name, ()),
            results,
        )
        for clause in clauses()
    ]


def _summary(verdicts: Sequence[Verdict]) -> Iterator[str]:
    yield "| | " + " | ".join(COLUMNS) + " |"
    yield "|---|" + "---:|" * len(COLUMNS)
    for rfc in RFCS:
        some = [each for each in verdicts if each.clause.rfc == rfc]
        ours = [each for each in some if not each.clause.not_ours]
        counts = [
            len(some),
            len(some) - len(ours),
            sum(bool(each.proof) for each in ours),
            sum(bool(each.pure and not each.proof) for each in ours),
            sum(each.mark("pyvrrpd") == OTHERWISE for each in ours),
            sum(each.is_gap for each in ours),
        ]
        for make in MAKES:
            marks = [each.mark(make) for each in ours]
            counts += [marks.count(MET), marks.count(PARTLY), sum(mark.startswith(UNMET) for mark in marks)]
        yield f"| RFC {rfc} | " + " | ".join(map(str, counts)) + " |"


def _table(verdicts: Sequence[Verdict]) -> Iterator[str]:
    yield "| section | | demand | pyvrrpd | keepalived | shown by |"
    yield "|---|---|---|---|---|---|"
    for each in verdicts:
        clause = each.clause
        demand = clause.demand
        if clause.not_ours:
            demand += f" *Not an agent's: {clause.not_ours}.*"
        if clause.otherwise:
            demand += f" *pyvrrp: {clause.otherwise}.*"
        if clause.on_request:
            demand += f" *On request: {clause.on_request}.*"
        proof = [_link(number) for number, _ in each.proof] + [f"`{_short(node)}`" for node in each.pure]
        cells = (clause.section, clause.level, demand, *map(each.mark, MAKES), ", ".join(proof))
        yield "| " + " | ".join(cells) + " |"


def _cases(results: Results) -> Iterator[str]:
    yield "| no. | what is shown | pyvrrpd | keepalived |"
    yield "|---:|---|---|---|"
    for number, case in enumerate(CASES.values(), 1):
        outcome = results.cases.get(case.name, {})
        cells = (_cell(case, make, outcome.get(make)) for make in MAKES)
        yield f'| <a id="c{number}"></a>{number} | {case.name} | ' + " | ".join(cells) + " |"


def _cell(case: Case, make: str, found: str | None) -> str:
    if make in case.unfit:
        return f"not applicable: {case.unfit[make]}"
    if found is None:
        return "not run"
    return f"{UNMET} {found}" if found else MET


def _link(number: int) -> str:
    return f"[{number}](#c{number})"


def _short(node: str) -> str:
    file, _, name = node.partition("::")
    return f"{Path(file).stem}::{name}"
