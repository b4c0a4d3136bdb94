"""A sandbox with keepalived in it, and the hypothesis profile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.differential import files
from tests.differential.differences import about_other_users
from tests.differential.keepalived import KEEPALIVED
from tests.differential.sandbox import Sandbox
from tests.netns import available
from tests.property import profiles
from tests.users import may_switch_users

profiles.load()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A machine of its own, the same for all tests of a run."""
    if KEEPALIVED is None:
        pytest.skip("keepalived is not installed (apt-get install keepalived)")
    if not available():
        pytest.skip("namespaces need root, or `unshare -Urnm`")
    with Sandbox() as made:
        yield made


@pytest.fixture(params=files.names())
def name(request: pytest.FixtureRequest) -> str:
    """Every file in turn."""
    chosen = str(request.param)
    if about_other_users(chosen) and not may_switch_users():
        pytest.skip("it is about other users' scripts, and here are no others")
    return chosen
