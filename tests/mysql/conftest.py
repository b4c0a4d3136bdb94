"""The pair of servers that tests of this room share; each test begins with `pair.fresh()`."""

from __future__ import annotations

import subprocess
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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that is soon full."""
    directory = tmp_path / "disk"
    directory.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=220m", "tmpfs", str(directory)], check=False)
    if mounted.returncode:
        pytest.skip("may not mount")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)
