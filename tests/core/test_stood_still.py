"""A MASTER that was not run for as long as a backup waits: whatever comes first, it has lost its place before that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyvrrp.core.effects import Action, Effect, Operation
from pyvrrp.core.events import (
    AddressesChanged,
    CheckResult,
    ConfigReplaced,
    EffectDone,
    Event,
    HolderHeard,
    LinkChanged,
    Stopping,
    TimerDue,
)
from pyvrrp.core.settings import Track
from tests.lone import MAC, OURS, PEER, Lone, details, kinds, operations, sent, texts, told
from tests.simulation import CHECK, INTERFACE, VIP, instance, settings

SEEN = replace(CHECK, interval=60.0)  # so that no news is no news yet
TRACKS = (Track("mysql"),)
BECAUSE = "this process stood still for 10.00 s: another node may be master by now"
LOST = ["Entering BACKUP STATE", BECAUSE]
BACKUP, FAULT, STOP = (f'INSTANCE "VI_1" {word} 100' for word in ("BACKUP", "FAULT", "STOP"))
HIGHER = "Changing effective priority from 100 to 200"


def asleep(*tracks: Track) -> Lone:
    """A MASTER, ten seconds later."""
    lone = Lone(tracks=tracks or TRACKS, checks=(SEEN,))
    lone.look()
    lone.check(True)
    lone.become_master()
    lone.now += 10.0
    return lone


def reload(**changes: object) -> ConfigReplaced:
    return ConfigReplaced(settings(instance(tracks=TRACKS, **changes), checks=(SEEN,)))


@pytest.mark.parametrize(
    ("event", "before", "after", "lines"),
    [
        (TimerDue(), [], [], [BACKUP]),
        (EffectDone("VI_1", (Operation(Action.ADD, VIP, 2),)), [], [], [BACKUP]),
        (AddressesChanged(INTERFACE, ((OURS, 24), (VIP.address, 32))), [], [], [BACKUP]),
        (HolderHeard(INTERFACE, VIP.address, bytes.fromhex("020000000002")), [], [], [BACKUP]),
        (
            LinkChanged(INTERFACE, True, False, MAC),
            ["Netlink reports eth0 down"],
            ["Entering FAULT STATE", "interface eth0 is down"],
            [BACKUP, FAULT],
        ),
        (
            CheckResult("mysql", False, "gone", 0.0, True),
            ["check mysql fails: gone"],
            ["Entering FAULT STATE", "check mysql fails: gone"],
            [BACKUP, FAULT],
        ),
        (Stopping("SIGTERM"), [], ["leaving BACKUP STATE: SIGTERM"], [BACKUP, STOP]),
        (reload(priority=200), [], [HIGHER], [BACKUP]),
        (reload(vip_lease=None), [], [], [BACKUP]),
    ],
)
def test_it_says_so_first_and_sends_nothing(
    event: Event, before: list[str], after: list[str], lines: list[str]
) -> None:
    lone = asleep()
    effects = lone.give(event)
    assert texts(effects) == [*before, *LOST, *after]
    assert details(effects) == ["removing VIPs."]
    assert told(effects) == lines
    taken_away(effects)


def test_what_its_priority_became_meanwhile_comes_after() -> None:
    lone = asleep(Track("mysql", -20))
    effects = lone.give(CheckResult("mysql", False, "gone", 0.0, True))
    assert texts(effects) == ["check mysql fails: gone", *LOST, "Changing effective priority from 100 to 80"]
    taken_away(effects)


@pytest.mark.parametrize(
    ("priority", "text"),
    [
        (200, "master is 192.168.1.202 with priority 200"),
        (50, "received lower priority (50) advert from 192.168.1.202 - discarding"),
        (0, "192.168.1.202 sent priority 0"),
    ],
)
def test_it_hears_as_a_backup(priority: int, text: str) -> None:
    effects = asleep().hear(priority, PEER)
    assert texts(effects) == [*LOST, text]
    taken_away(effects)


def taken_away(effects: list[Effect]) -> None:
    """The addresses go, without a word to the link."""
    assert sent(effects) == []
    assert kinds(effects) == ["ResetConnections", "Reconcile"]
    assert operations(effects) == [Operation(Action.REMOVE, VIP)]
