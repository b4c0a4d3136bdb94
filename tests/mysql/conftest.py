"""The pair of servers that tests of this room share; each test begins with `pair.fresh()`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mysql.pair import Pair, running_pair

MEMORY = Path("/dev/shm")  # noqa: S108  # a server that is reset before each test waits for the disk a second each time


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    beside = MEMORY if MEMORY.is_dir() else tmp_path_factory.getbasetemp()
    with (
        tempfile.TemporaryDirectory(prefix="pyvrrp-pair-", dir=beside) as directory,
        running_pair(Path(directory)) as made,
    ):
        yield made
