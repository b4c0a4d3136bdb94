"""Every case against the running pyvrrpd. `scripts/conformance` runs them against keepalived too."""

from __future__ import annotations

import pytest

from tests.conformance.case import Case
from tests.conformance.cases import CASES
from tests.conformance.pool import Outcome

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
def test_pyvrrpd(case: Case, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[case.name]
    if outcome.unmet:
        pytest.fail(f"{outcome.unmet}\n{outcome.log}", pytrace=False)
