"""A node that is recorded, from its start or from any moment on, and played again decides the same."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from pyvrrp.core import const
from pyvrrp.core.effects import Effect
from pyvrrp.core.events import Event
from pyvrrp.core.wire import Advert, encode
from pyvrrp.recording.reel import Reel, ending
from pyvrrp.recording.replay import replay
from pyvrrp.recording.tape import Tape
from tests.scenarios.language import Scenario
from tests.simulation import VIP, Lan, Machine, group_of, instance, settings
from tests.simulation import pair as build
from tests.simulation.campaign import scenario

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


@pytest.mark.parametrize("seed", range(1, 13))
def test_whatever_befalls_a_cluster_replays_from_its_midst(seed: int) -> None:
    """Scenarios of the simulation, with groups, tracking and all that it throws at nodes."""
    lines = scenario(seed)
    story, reels = Scenario(), list[Reel]()
    for number, text in enumerate(lines):
        if number == len(lines) // 2:
            reels = [record(story.lan, each) for each in story.lan.machines.values()]
        story.say(shlex.split(text))
    assert reels
    assert sum(each.taken for each in reels) > 10
    for each in reels:
        assert replay(tape(developed(each))) is None


def altered(text: str, kind: str, change: Callable[[dict[str, Any]], object]) -> str:
    """The recording with its first effect of a kind changed."""
    lines = [json.loads(line) for line in text.splitlines()]
    effects = (effect for line in lines for effect in line.get("effects", ()))
    change(next(effect for effect in effects if effect["is"] == kind))
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_the_first_difference_is_told_with_both_sides() -> None:
    text = altered(everything(0, 0.0), "SendAdvert", lambda effect: effect.update(interface="eth1"))
    difference = replay(tape(text))
    assert difference is not None
    old, new = difference.what
    assert old.endswith('SendAdvert.interface, recorded: "eth1"')
    assert new.endswith('SendAdvert.interface, replayed: "eth0"')
    assert json.loads(text.splitlines()[difference.turn.line - 1])["now"] == difference.turn.now


def test_another_kind_of_effect_and_one_too_many_are_told_whole() -> None:
    text = altered(everything(0, 0.0), "Reconcile", lambda effect: effect.update({"is": "Teleport"}))
    difference = replay(tape(text))
    assert difference is not None
    assert any("recorded: Teleport instance=VI_1" in each for each in difference.what)
    assert any("replayed: Reconcile instance=VI_1" in each for each in difference.what)


def test_a_field_that_was_not_there_yet_is_no_difference() -> None:
    text = altered(everything(0, 0.0), "Record", lambda effect: effect.pop("state"))
    assert replay(tape(text)) is None


def test_a_deadline_is_a_decision_too() -> None:
    lines = [json.loads(line) for line in everything(0, 0.0).splitlines()]
    later = next(line for line in lines if line.get("deadline"))
    later["deadline"] += 0.001
    difference = replay(tape("".join(json.dumps(line) + "\n" for line in lines)))
    assert difference is not None
    assert difference.what[0] == f"recorded: it wants to be called at {later['deadline']}"


def test_a_failure_of_the_core_is_found_again() -> None:
    lines = [json.loads(line) for line in everything(0, 0.0).splitlines()]
    lines[2]["raised"] = "ZeroDivisionError: a bug"
    difference = replay(tape("".join(json.dumps(line) + "\n" for line in lines)))
    assert difference is not None
    assert difference.what == ("recorded: ZeroDivisionError: a bug", "replayed: no failure")


def test_until_ends_it() -> None:
    seen: list[float] = []
    assert replay(tape(everything(0, 0.0)), 1005.0, lambda turn, _: seen.append(turn.now)) is None
    assert 1000.0 < max(seen) <= 1005.0


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_order_of_sets_decides_nothing(seed: str, tmp_path: Path) -> None:
    """Texts have another hash in every process, and so sets another order."""
    for at in (0.0, 8.0):
        file = tmp_path / f"{at}.jsonl"
        file.write_text(everything(3, at))
        command = [sys.executable, "-m", "pyvrrp.cli.main", "replay", str(file)]
        done = subprocess.run(
            command, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
