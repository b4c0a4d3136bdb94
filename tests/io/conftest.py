"""Hosts to meet a real kernel in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.netns import Namespace, available, veth


@dataclass(frozen=True)
class Pair:
    """Two hosts on one cable: 192.168.1.201 and 192.168.1.202, each on its own eth0."""

    here: Namespace
    there: Namespace


@pytest.fixture
def host() -> Iterator[Namespace]:
    """One host with nothing but its loopback."""
    if not available():
        pytest.skip("network namespaces need root, or `unshare -Urnm`")
    with Namespace() as namespace:
        yield namespace


@pytest.fixture
def pair(host: Namespace) -> Iterator[Pair]:
    """`host` and a neighbour."""
    with Namespace() as there:
        veth(host, "eth0", there, "eth0")
        host.ip("addr add 192.168.1.201/24 dev eth0")
        there.ip("addr add 192.168.1.202/24 dev eth0")
        yield Pair(host, there)


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that everybody may write to; pytest's own are closed to other users."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        path.chmod(0o777)
        yield path
