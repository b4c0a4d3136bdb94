"""The cases that were chosen are run beside each other before the first of them is asked about."""

from __future__ import annotations

import pytest

from tests.conformance.case import Case
from tests.conformance.pool import Outcome, run_all
from tests.netns import available

MAKE = "pyvrrpd"


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest) -> dict[str, Outcome]:
    """How the chosen cases went with pyvrrpd, by name."""
    if not available():
        pytest.skip("network namespaces need root, or `unshare -Urnm`")
    callspecs = (getattr(item, "callspec", None) for item in request.session.items)
    values = (callspec.params.get("case") for callspec in callspecs if callspec)
    chosen = [each for each in values if isinstance(each, Case) and MAKE not in each.unfit]
    return {each.case: each for each in run_all([(case, MAKE) for case in chosen])}
