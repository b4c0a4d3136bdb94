"""core/patience: how long a BACKUP waits, with keepalived's delays, as a running keepalived was seen to do it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyvrrp.core.effects import Effect
from pyvrrp.core.events import AdvertFailed, ConfigReplaced
from pyvrrp.core.fsm import State
from pyvrrp.core.patience import Patience
from tests.lone import PEER, Lone, backup, details, kinds, master, sent, texts, told
from tests.simulation import instance, settings

DOWN = 3 + 106 / 256  # seconds; priority 150 at an advert a second

# --- preempt_delay ----------------------------------------------------------------------------------------------------


def deferring(preempt: bool = True, delay: float = 3.0) -> Lone:
    """A BACKUP with priority 150 that leaves a worse master alone for a while."""
    return backup(priority=150, preempt=preempt, preempt_delay=delay)


def test_a_worse_master_is_left_alone_for_the_delay_and_then_for_a_whole_wait() -> None:
    lone = deferring()
    lines: list[str] = []
    for _ in range(4):
        effects = lone.hear(100, after=1.0)
        lines += details(effects) + texts(effects)
        assert lone.deadline == pytest.approx(DOWN if lone.now < 1004 else DOWN - 1.0)
    assert lines == [
        "start preempt delay (3.000000)",
        "master is 192.168.1.202 with priority 100",
        "received lower priority (100) advert from 192.168.1.202 - discarding",
    ]
    lone.hear(100, after=1.0)
    lone.hear(100, after=1.0)
    lone.timer()
    assert lone.state is State.MASTER
    assert lone.now == pytest.approx(1003 + DOWN)


def test_one_that_has_just_begun_defers_to_nobody_yet() -> None:
    patience = Patience(0.0)
    assert not patience.defers(1.0)
    assert patience.defer(instance(preempt_delay=3.0), 1.0), "that begins the delay"


def test_while_it_defers_it_follows_who_speaks_and_says_why() -> None:
    lone = deferring()
    lone.hear(100, after=1.0)
    lone.now += 0.5
    assert lone.status.why[1:] == (
        "Ours is higher, but preempt_delay leaves it alone for another 2.50 s.",
        f"It takes over if no advert arrives for {DOWN - 0.5:.2f} s (last one 0.50 s ago).",
    )


def test_a_silent_master_is_replaced_in_the_middle_of_the_delay() -> None:
    lone = deferring(delay=1000.0)
    lone.hear(100, after=1.0)
    lone.timer()
    assert lone.now == pytest.approx(1001 + DOWN)
    assert lone.state is State.MASTER


def test_priority_zero_is_not_deferred() -> None:
    lone = deferring()
    lone.hear(100, after=1.0)
    lone.hear(0, after=1.0)
    lone.timer()
    assert lone.now == 1002 + 106 / 256
    assert lone.state is State.MASTER


def test_a_better_master_ends_the_delay_and_a_worse_one_begins_it_anew() -> None:
    lone = deferring()
    lone.hear(100, after=1.0)
    assert details(lone.hear(200, after=1.0)) == ["stop preempt delay"]
    assert details(lone.hear(200, after=1.0)) == []
    assert details(lone.hear(100, after=1.0)) == ["start preempt delay (3.000000)"]


def test_every_tenure_as_backup_begins_its_own_delay() -> None:
    lone = deferring()
    lone.hear(100, after=1.0)
    lone.obey(lone.timer())
    lone.obey(lone.hear(200))
    assert details(lone.hear(100, after=5.0)) == ["start preempt delay (3.000000)"]


def test_without_the_keyword_or_without_preempt_nothing_is_deferred() -> None:
    assert details(backup(priority=150).hear(100)) == []
    assert details(deferring(preempt=False).hear(100)) == []


# --- down_timer_adverts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("adverts", "wait"), [(1, 1.609375), (2, 2.609375), (10, 10.609375)])
def test_a_backup_waits_for_as_many_adverts_as_it_is_told(adverts: int, wait: float) -> None:
    lone = backup(down_timer_adverts=adverts)
    assert lone.deadline == wait
    lone.hear(200, after=0.5)
    assert lone.deadline == wait
    lone.timer()
    assert lone.state is State.MASTER


@pytest.mark.parametrize(("adverts", "failures"), [(1, 1), (2, 2), (5, 5)])
def test_a_master_whose_adverts_fail_gives_up_when_its_successor_takes_over(adverts: int, failures: int) -> None:
    lone = master(down_timer_adverts=adverts)
    lone.timer()
    for number in range(failures):
        assert lone.state is State.MASTER
        lone.give(AdvertFailed("VI_1", "no"), after=1.0 if number else 0.0)
    assert lone.state is State.FAULT


def test_a_reload_that_changes_the_number_begins_the_wait_anew() -> None:
    lone = backup()
    lone.now += 1.0
    lone.give(ConfigReplaced(settings(instance(down_timer_adverts=5))))
    assert lone.deadline == 5.609375


# --- vrrp_startup_delay -----------------------------------------------------------------------------------------------


def starting(**changes: object) -> Lone:
    """A node with priority 150 that begins to wait three seconds after its start."""
    lone = Lone(replace(instance(priority=150), **changes), startup_delay=3.0)  # type: ignore[arg-type]
    lone.obey(lone.look())
    return lone


def test_the_first_wait_begins_after_the_delay() -> None:
    lone = starting()
    lone.timer()
    assert lone.state is State.MASTER
    assert lone.now == pytest.approx(1003 + DOWN)


def test_adverts_of_the_delay_are_heard_and_move_the_wait_when_it_is_over() -> None:
    lone = starting()
    lone.hear(200, after=1.0)
    assert lone.deadline == pytest.approx(2.0 + DOWN)
    lone.hear(0, after=0.5)
    assert lone.deadline == pytest.approx(1.5 + 106 / 256)
    lone.hear(200, after=3.0)
    assert lone.deadline == pytest.approx(DOWN)


def test_an_owner_takes_over_when_the_delay_is_over() -> None:
    lone = starting(priority=255)
    assert texts(lone.timer())[0] == "Entering MASTER STATE"
    assert (lone.now, lone.state) == (1003.0, State.MASTER)


def test_what_begins_later_does_not_wait_longer() -> None:
    lone = starting()
    lone.now += 10.0
    lone.link(up=False)
    lone.link(up=True)
    assert lone.deadline == pytest.approx(DOWN)


# --- higher_prio_send_advert, lower_prio_no_advert, the master's interval ---------------------------------------------


def test_a_last_advert_for_a_better_master() -> None:
    lone = master(priority=150, higher_prio_send_advert=True)
    effects = lone.hear(200, after=0.5)
    assert [advert.priority for advert in sent(effects)] == [150]
    assert kinds(effects) == ["SendAdvert", "ResetConnections", "Reconcile"], "and no more lease"
    assert lone.state is State.BACKUP
    assert sent(master(priority=150).hear(200, after=0.5)) == []


def test_no_advert_for_a_worse_master() -> None:
    lone = master(priority=150, lower_prio_no_advert=True)
    effects = lone.hear(100, after=1.5)
    assert kinds(effects) == ["Announce"]
    assert texts(effects) == ["Received advert from 192.168.1.202 with lower priority 100, ours 150"]
    assert told(effects) == ['INSTANCE "VI_1" MASTER_RX_LOWER_PRI 150']


def test_the_interval_of_a_version_3_master_is_told_when_it_changes() -> None:
    lone = backup(version=3, advert_int=0.5)

    def hear(advert_int: int) -> list[str]:
        found: list[Effect] = lone.hear(200, source=PEER, after=0.1, advert_int=advert_int)
        return details(found)

    assert hear(200) == ["advertisement interval updated from 500ms to 2000ms by master"]
    assert hear(200) == []
    assert hear(50) == ["advertisement interval updated from 2000ms to 500ms by master"]


def test_a_priority_change_moves_the_wait_by_the_masters_interval() -> None:
    lone = backup(version=3, advert_int=0.5)
    lone.hear(200, advert_int=200)
    lone.give(ConfigReplaced(settings(replace(lone.router.settings, priority=228))))
    assert lone.deadline == pytest.approx(6.0 + 2.0 * 28 / 256)
