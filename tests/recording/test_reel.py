"""Recording holds nobody up: it changes nothing, is bounded, and is given up rather than waited for."""

from __future__ import annotations

import json

import pytest

from pyvrrp.core.effects import Effect
from pyvrrp.core.events import Event, LinkChanged, Stopping, TimerDue
from pyvrrp.core.node import Node
from pyvrrp.recording.photograph import Photograph
from pyvrrp.recording.reel import Reel
from pyvrrp.recording.tap import Tap
from tests.simulation import instance, pair, settings

UP = LinkChanged("eth0", present=True, up=True, mac=b"\2\0\0\0\0\1")


def tapped(limit: int = 100) -> tuple[Tap, Reel]:
    """A node that is recorded from its start."""
    node = Node(settings(instance()), 5.0)
    tap, reel = Tap(node), Reel(node, 5.0, 0.0, b"key", born=5.0, limit=limit)
    tap.reels = (reel,)
    return tap, reel


def written(reel: Reel) -> list[dict[str, object]]:
    """The lines of a recording."""
    return [json.loads(line) for line in reel.lines(1000).splitlines()]


def test_a_tap_passes_everything_on_and_keeps_a_copy() -> None:
    tap, reel = tapped()
    alone = Node(settings(instance()), 5.0)
    assert tap.handle(UP, 5.0) == alone.handle(UP, 5.0)
    assert tap.handle(Stopping("enough"), 6.0) == alone.handle(Stopping("enough"), 6.0)
    assert tap.next_deadline() == alone.next_deadline()
    assert (tap.stopping, tap.done) == (alone.stopping, alone.done) == (True, True)
    header, first, second = written(reel)
    assert (header["begins"], header["now"], header["objects"]) == ("start", 5.0, 0)
    assert "deadline" not in first  # the turn went on
    assert second["deadline"] is None
    assert second["event"] == {"is": "Stopping", "reason": "enough"}


def test_a_portion_is_as_small_as_it_is_asked_for() -> None:
    tap, reel = tapped()
    for at in range(5):
        tap.handle(TimerDue(), float(at))
    assert not reel.empty
    assert [reel.lines(4).count("\n") for _ in range(3)] == [4, 2, 0]
    assert reel.empty


def test_a_recording_that_nobody_takes_is_given_up() -> None:
    tap, reel = tapped(limit=10)
    for at in range(20):
        tap.handle(TimerDue(), float(at))
    assert reel.lost
    assert reel.taken == 10
    assert len(written(reel)) == 11
    tap.handle(TimerDue(), 30.0)
    assert reel.empty  # nothing is taken up again: there would be a hole


def test_an_event_that_the_core_fails_at_is_in_it() -> None:
    class Broken(Node):
        def handle(self, event: Event, now: float) -> list[Effect]:
            raise ZeroDivisionError(f"a bug at {now} with {type(event).__name__}")

    node = Broken(settings(instance()), 5.0)
    tap, reel = Tap(node), Reel(node, 5.0, 0.0, b"key", born=5.0)
    tap.reels = (reel,)
    with pytest.raises(ZeroDivisionError):
        tap.handle(TimerDue(), 6.0)
    assert written(reel)[1]["raised"] == "ZeroDivisionError: a bug at 6.0 with TimerDue"


def test_a_photograph_shows_the_moment_it_was_taken_at() -> None:
    lan, a, _ = pair()
    lan.run(1.0)
    reel = Reel(a.node, lan.now, 0.0, b"key")
    same = Reel(a.node, lan.now, 0.0, b"key").lines(100_000)
    lan.run(60.0)
    lan.cut("a")
    assert reel.lines(100_000) == same


def test_what_is_no_plain_data_cannot_be_in_a_photograph() -> None:
    with pytest.raises(TypeError, match="has no form in a recording"):
        Photograph([open])
    with pytest.raises(TypeError, match="has no form in a recording"):
        Photograph({"loop": (object(),)})
