"""Laboratories for tests with real daemons on a real kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.site import Site
from tests.netns import available


@pytest.fixture(scope="session", autouse=True)
def namespaces() -> None:
    """Without namespaces there is no laboratory."""
    if not available():
        pytest.skip("network namespaces need root, or `unshare -Urnm`")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A switch, nodes a and b, a client; nothing runs yet."""
    with Site(tmp_path) as built:
        yield built
