"""Running checks: which run at all, and which are hurried when a listener dies."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from pyvrrp.app.checkup import Checkup
from pyvrrp.core.events import CheckResult
from pyvrrp.core.settings import CheckSettings, InterfaceProbe, TcpProbe
from tests.netns import Namespace, available
from tests.waiting import DEADLINE

pytestmark = pytest.mark.lab

PORT = 3306


@pytest.fixture
def host() -> Iterator[Namespace]:
    """A host with two addresses of its own; every other one refuses."""
    if not available():
        pytest.skip("network namespaces need root, or `unshare -Urnm`")
    with Namespace() as namespace:
        namespace.ip("link set lo up")
        namespace.ip("addr add 192.168.1.201/32 dev lo")
        namespace.ip("route add prohibit 192.168.1.202")
        yield namespace


def tcp(name: str, host: str) -> CheckSettings:
    return CheckSettings(name, TcpProbe(host, PORT), interval=600.0, timeout=5.0, fall=9)


class Running(Checkup):
    """A checkup whose results wait to be looked at. To be made inside a running loop."""

    def __init__(self) -> None:
        self.reported: asyncio.Queue[CheckResult] = asyncio.Queue()
        super().__init__(asyncio.get_running_loop(), self.reported.put_nowait, lambda _level, text: pytest.fail(text))

    async def next(self, count: int) -> dict[str, CheckResult]:
        """So many results, by the names of their checks."""
        async with asyncio.timeout(DEADLINE):
            found = [await self.reported.get() for _ in range(count)]
        return {each.check: each for each in found}


def test_a_dead_listener_hurries_the_checks_of_this_host(host: Namespace) -> None:
    async def story() -> None:
        checkup = Running()
        listener = socket.create_server(("0.0.0.0", PORT))
        interface = CheckSettings("lan", InterfaceProbe("eth9"))
        checkup.want((tcp("near", "127.0.0.1"), tcp("own", "192.168.1.201"), tcp("far", "192.168.1.202"), interface))
        first = await checkup.next(3)
        assert {name: each.ok for name, each in first.items()} == {"near": True, "own": True, "far": False}
        listener.close()
        hurried = await checkup.next(2)
        assert {name: (each.ok, each.conclusive) for name, each in hurried.items()} == {
            "near": (False, True),
            "own": (False, True),
        }
        checkup.close()

    with host.inside():
        asyncio.run(story())


def test_a_check_that_a_reload_leaves_as_it_is_goes_on(host: Namespace) -> None:
    async def story() -> None:
        checkup = Running()
        near = tcp("near", "127.0.0.1")
        checkup.want((near, tcp("far", "192.168.1.202")))
        assert set(await checkup.next(2)) == {"near", "far"}
        checkup.want((near, tcp("new", "192.168.1.202")))
        assert set(await checkup.next(1)) == {"new"}
        checkup.want((near,))
        assert checkup.reported.empty()
        checkup.close()

    with host.inside():
        asyncio.run(story())
