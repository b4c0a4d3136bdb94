"""Fixtures of the tests that meet a real kernel."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import pytest

from tests.netns import Namespace, available, veth

DEADLINE = 5.0  # seconds that an event may take to come; it takes microseconds


class Readable(Protocol):
    """What select can wait for."""

    def fileno(self) -> int: ...


@dataclass(frozen=True)
class Pair:
    """Two hosts on one cable: 192.168.1.201 and .202, both on an interface named eth0."""

    here: Namespace
    there: Namespace


@pytest.fixture
def pair() -> Iterator[Pair]:
    if not available():
        pytest.skip("network namespaces need root, or `unshare -Urnm`")
    with Namespace() as here, Namespace() as there:
        veth(here, "eth0", there, "eth0")
        here.ip("addr add 192.168.1.201/24 dev eth0")
        there.ip("addr add 192.168.1.202/24 dev eth0")
        yield Pair(here, there)


@pytest.fixture
def host() -> Iterator[Namespace]:
    if not available():
        pytest.skip("network namespaces need root, or `unshare -Urnm`")
    with Namespace() as namespace:
        yield namespace


def wait(source: Readable | int, seconds: float = DEADLINE) -> bool:
    """Whether something came to read in time."""
    return bool(select.select([source], [], [], seconds)[0])

    """Waits until there is something to read, or fails."""

    def check(source: Readable | int) -> None:
        assert wait(source), "nothing came"

    return check
