"""The table that is kept is of these cases and these clauses."""

from __future__ import annotations

import pytest

from tests.conformance import document, results
from tests.conformance.cases import CASES
from tests.conformance.catalogue import LEVELS, RFCS, clauses
from tests.conformance.marks import named
from tests.conformance.packets import Advert, checksum

NAMES = [each.name for each in clauses()]


def test_every_clause_has_a_name_of_its_own_and_a_level() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert {each.level for each in clauses()} <= set(LEVELS)
    assert {each.rfc for each in clauses()} == set(RFCS)


def test_every_clause_that_a_case_or_a_test_names_exists() -> None:
    cited = {name for case in CASES.values() for name in case.clauses} | named()
    assert cited - set(NAMES) == set()


def test_what_is_not_ours_is_tested_by_nobody() -> None:
    foreign = {each.name for each in clauses() if each.not_ours}
    assert not [case.name for case in CASES.values() if foreign & set(case.clauses)]


@pytest.mark.parametrize("make", results.MAKES)
def test_every_case_was_run(make: str) -> None:
    kept = results.load().cases
    missing = [case.name for case in CASES.values() if make not in {*case.unfit, *kept.get(case.name, {})}]
    assert not missing, "run scripts/conformance"


def test_pyvrrpd_passed_every_case() -> None:
    kept = results.load().cases
    assert {name: found["pyvrrpd"] for name, found in kept.items() if found.get("pyvrrpd")} == {}


def test_the_document_is_what_the_results_make() -> None:
    assert document.FILE.read_text() == document.render(results.load()), "run scripts/conformance --render"


def test_the_testers_own_packets_are_those_of_the_rfcs() -> None:
    """The bytes that tests/rfc has for both versions, made here by other code."""
    advert = Advert(vrid=60, priority=100, addresses=("192.168.1.200",), source="192.168.1.201")
    assert advert.payload.hex(" ") == "21 3c 64 01 00 01 b8 50 c0 a8 01 c8 00 00 00 00 00 00 00 00"
    newer = Advert(3, 60, 100, 100, ("192.168.1.200",), source="192.168.1.201")
    assert newer.payload.hex(" ") == "31 3c 64 01 00 64 04 ed c0 a8 01 c8"
    assert checksum(newer.frame[14:34]) == 0
