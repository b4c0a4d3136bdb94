"""The sockets that only listen: opened where they are needed, and done without where the kernel refuses them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from pyvrrp.app.lookout import Lookout
from pyvrrp.core.effects import Level
from pyvrrp.core.events import AdvertOverheard, Event, HolderHeard
from pyvrrp.core.neighbor import announcement
from tests.io.test_holders import STRANGER, send
from tests.io.test_overhear import TO_GROUP, ipv4
from tests.netns import Namespace, available, veth
from tests.simulation import VIP, instance
from tests.unprivileged import status_of

pytestmark = pytest.mark.lab


class Loop:
    """Readers, called by hand."""

    def __init__(self) -> None:
        self.readers: dict[int, tuple[object, ...]] = {}
        self.order: list[str] = []
        self.heard: list[Event] = []
        self.said: list[tuple[Level, str]] = []

    def watch(self, descriptor: int, *call: object) -> None:
        self.readers[descriptor] = call

    def unwatch(self, descriptor: int) -> None:
        del self.readers[descriptor]

    def first(self) -> int:
        self.order.append("the usual sockets")
        return 0

    def hear(self, events: Iterable[Event]) -> None:
        events = list(events)
        self.order += [type(each).__name__ for each in events]
        self.heard += events

    def say(self, level: Level, text: str) -> None:
        self.said.append((level, text))

    def run(self) -> None:
        for call, *arguments in list(self.readers.values()):
            call(*arguments)  # type: ignore[operator]


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def lookout(loop: Loop) -> Iterator[Lookout]:
    made = Lookout(loop.hear, loop.first, loop.watch, loop.unwatch, loop.say)
    yield made
    made.close()
    assert loop.readers == {}


@pytest.fixture
def link() -> Iterator[tuple[Namespace, Namespace]]:
    if not available():
        pytest.skip("network namespaces need root, or `unshare -Urnm`")
    with Namespace() as here, Namespace() as there:
        veth(here, "eth0", there, "eth0")
        yield here, there


def test_what_is_heard_comes_after_the_usual_sockets(
    link: tuple[Namespace, Namespace], lookout: Lookout, loop: Loop
) -> None:
    here, there = link
    with here.inside():
        lookout.want([instance()])
    send(there, bytes(TO_GROUP / ipv4()), announcement(STRANGER, VIP.address))
    loop.run()
    assert sorted(type(each).__name__ for each in loop.heard) == ["AdvertOverheard", "HolderHeard"]
    assert loop.order[::2] == ["the usual sockets", "the usual sockets"]
    assert {type(each) for each in loop.heard} == {AdvertOverheard, HolderHeard}


def test_a_loop_that_stood_still_hears_what_waits_before_it_decides(
    link: tuple[Namespace, Namespace], lookout: Lookout, loop: Loop
) -> None:
    """An answer that nobody has read yet is the difference between one holder and two."""
    here, there = link
    with here.inside():
        lookout.want([instance()])
    send(there, bytes(TO_GROUP / ipv4()), announcement(STRANGER, VIP.address))
    lookout.listen()
    assert {type(each) for each in loop.heard} == {AdvertOverheard, HolderHeard}
    lookout.listen()
    assert len(loop.heard) == 2


def test_sockets_follow_the_instances(link: tuple[Namespace, Namespace], lookout: Lookout, loop: Loop) -> None:
    here, _ = link
    with here.inside():
        lookout.want([instance()])
        assert len(loop.readers) == 2
        before = set(loop.readers)
        lookout.want([instance(), replace(instance(), name="VI_2", virtual_router_id=61)])
        assert set(loop.readers) == before
        lookout.want([instance(interface="eth7", addresses=())])
        assert loop.readers == {}
        lookout.want([instance()])
        here.ip("link del eth0")
        here.ip("link add eth0 type veth peer name end")
        lookout.want([instance()])
        assert len(loop.readers) == 2
    assert loop.said == []


def test_a_refusal_is_said_once_and_gone_on_without(loop: Loop) -> None:
    def refused() -> int:
        lookout = Lookout(loop.hear, loop.first, loop.watch, loop.unwatch, loop.say)
        for _ in range(2):
            lookout.want([instance(interface="lo", addresses=())])
        expected = (Level.WARNING, "listen below the firewall on lo: Operation not permitted: going on without")
        return 42 if loop.said == [expected] and not loop.readers else 1

    assert status_of(refused) == 42
