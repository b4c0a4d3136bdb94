"""A node that is recorded, from its start or from any moment on, and played again decides the same."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

import pytest

from pyvrrp.core import const
from pyvrrp.core.effects import Effect
from pyvrrp.core.events import Event
from pyvrrp.core.wire import Advert, encode
from pyvrrp.recording.reel import Reel, ending
from pyvrrp.recording.replay import replay
from pyvrrp.recording.tape import Tape
from tests.simulation import VIP, Lan, Machine, group_of, instance, settings
from tests.simulation import pair as build

KEY = b"a key of a test"
PASSWORD = b"4321"


def record(lan: Lan, machine: Machine, *, start: bool = False) -> Reel:
    """Record a machine of the simulated network from now on."""
    node = machine.node
    reel = Reel(node, lan.now, 1_000_000.0, KEY, born=lan.now if start else None)
    handle, next_deadline = node.handle, node.next_deadline

    def handling(event: Event, now: float) -> list[Effect]:
        effects = handle(event, now)
        reel.turn(now, event, effects)
        return effects

    def deadline() -> float | None:
        due = next_deadline()
        reel.deadline(due)
        return due

    node.handle = handling  # type: ignore[method-assign]
    node.next_deadline = deadline  # type: ignore[method-assign]
    return reel


def developed(reel: Reel) -> str:
    """The whole recording."""
    return reel.lines(1_000_000) + ending("the test is over")


def tape(text: str) -> Tape:
    """The recording as it is read from a file."""
    return Tape("it.jsonl", text.encode().splitlines(keepends=True))


def everything(seed: int, at: float) -> str:
    """What node a recorded, from `at` on, of a life in which most things happen that can."""
    lan, a, _ = build(seed, tracked=True, auth_pass=PASSWORD)
    reel: Reel | None = None
    if not at:
        begin, first = lan._begin, a.node.settings

        def begin_recorded(machine: Machine) -> None:
            nonlocal reel
            lan._begin = begin  # type: ignore[method-assign]
            reel = record(lan, machine, start=True)
            begin(machine)

        lan._begin = begin_recorded  # type: ignore[method-assign]
        lan.start("a", first)
    happenings: list[Callable[[], None]] = [
        lambda: lan.power_off("b"),
        lambda: lan.check("a", ok=False),
        lambda: lan.check("a", ok=True),
        lambda: lan.cut("a"),
        lambda: lan.plug("a"),
        lambda: lan.power_on("b", settings(instance(priority=254, auth_pass=PASSWORD))),
        lambda: lan.packet("a", "192.168.1.9", advert(auth_data=b"wrong\0\0\0")),
        lambda: lan.packet("a", "192.168.1.9", advert()[:-2] + b"xx"),
        lambda: lan.delete_vip("a"),
        lambda: lan.reload("a", settings(*group_of(instance(priority=200, auth_pass=PASSWORD), 210))),
        lambda: lan.stop("a"),
    ]
    for happening in happenings:
        lan.run(lan.random.uniform(0.5, 6.0))
        if reel is None and lan.now - 1000.0 >= at:
            reel = record(lan, a)
        happening()
    lan.run(5.0)
    assert reel is not None
    return developed(reel)


def advert(priority: int = 100, auth_data: bytes = b"4321\0\0\0\0") -> bytes:
    """One of virtual router 60."""
    said = Advert(2, 60, priority, 100, (VIP.address,), const.AUTH_PASS, auth_data)
    return encode(said, ip_address("192.168.1.9"), const.GROUP_IPV4)


@pytest.mark.parametrize("at", [0.0, 3.0, 8.0, 15.0, 22.0])
@pytest.mark.parametrize("seed", range(5))
def test_a_recording_replays_from_where_it_begins(seed: int, at: float) -> None:
    recorded = tape(everything(seed, at))
    assert replay(recorded) is None
    assert recorded.ended == "the test is over"
