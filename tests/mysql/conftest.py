"""The pair of servers that tests of this room share; each test begins with `pair.fresh()`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mysql.pair import Pair, running_pair


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with running_pair(tmp_path_factory.mktemp("pair")) as made:
        yield made
