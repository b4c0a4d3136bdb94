"""A MASTER whose adverts do not leave: there is nobody to hand over to, and nobody is told where the addresses are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyvrrp.core.effects import Action, Operation
from pyvrrp.core.events import AdvertFailed, AdvertPassed, HolderHeard, Stopping, TimerDue
from pyvrrp.core.settings import Track
from tests.core.test_group import BOTH_BACKUP, masters
from tests.lone import Lone, announced, details, kinds, operations, sent, texts
from tests.simulation import CHECK, INTERFACE, VIP

SEEN = replace(CHECK, interval=60.0)  # so that no news is no news yet
GONE = [Operation(Action.REMOVE, VIP)]
STRANGER = bytes.fromhex("020000000099")


def muted(name: str = "VI_1", **changes: object) -> Lone:
    """It has advertised twice, and now it cannot."""
    lone = Lone(tracks=(Track("mysql"),), checks=(SEEN,), **changes)  # type: ignore[arg-type]  # fields of an instance
    lone.look()
    lone.check(True)
    lone.become_master()
    lone.timer()
    lone.give(AdvertFailed(name, "Operation not permitted"), after=0.125)
    return lone


def test_it_stops_without_priority_0_and_clears_its_addresses_at_once() -> None:
    lone = muted()
    effects = lone.give(Stopping("SIGTERM"))
    assert kinds(effects) == ["ResetConnections", "Reconcile"]
    assert operations(effects) == GONE
    assert (texts(effects), details(effects)) == (["leaving MASTER STATE: SIGTERM"], ["removing VIPs."])
    assert not lone.status.handing_over
    lone.obey(effects)
    assert lone.node.done


def test_it_fails_without_priority_0_and_clears_its_addresses_at_once() -> None:
    lone = muted()
    effects = lone.check(False, conclusive=True)
    assert kinds(effects) == ["ResetConnections", "Reconcile"]
    assert operations(effects) == GONE
    assert texts(effects)[1:] == ["Entering FAULT STATE", "check mysql fails: refused the connection"]
    assert not lone.status.handing_over


def test_in_a_group_it_goes_back_without_priority_0() -> None:
    lone = masters()
    lone.give(AdvertFailed("V1", "Operation not permitted"), after=1.5)
    effects = lone.hear_inside(200)
    assert lone.states() == BOTH_BACKUP
    assert sent(effects) == []
    assert "V2, of the same sync group, follows another master" in texts(effects)
    assert lone.deadline == pytest.approx(3 + 106 / 256)


def test_it_names_a_host_that_has_the_address_too_but_does_not_announce_against_it() -> None:
    lone = muted()
    effects = lone.give(HolderHeard(INTERFACE, VIP.address, STRANGER), after=1.5)
    assert kinds(effects) == []
    assert [each.split(":")[0] for each in texts(effects)] == ["DUPLICATE"]


def test_it_answers_a_rival_but_announces_nothing() -> None:
    effects = muted().hear(50, after=0.5)
    assert kinds(effects) == ["SendAdvert", "RenewLease"]
    assert texts(effects) == [
        "Received advert from 192.168.1.202 with lower priority 50, ours 100, forcing new election"
    ]


def test_what_it_would_have_announced_later_is_not() -> None:
    lone = muted(garp_master_delay=1.5)
    assert lone.give(TimerDue(), after=0.375) == []
    assert lone.router.garp_due is None
    lone.give(AdvertPassed("VI_1"))
    assert announced(lone.hear(50, after=1.0)) == 5, "it can be heard again"
