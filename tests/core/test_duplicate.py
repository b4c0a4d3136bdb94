"""core/duplicate: other holders of an address, before it is taken and while it is held."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from itertools import pairwise

import pytest

from pyvrrp.core import const
from pyvrrp.core.duplicate import Duplicates, Holder, lead, places
from pyvrrp.core.effects import Announce, Effect
from pyvrrp.core.events import ConfigReplaced, HolderHeard, TimerDue
from pyvrrp.core.fsm import State
from pyvrrp.core.neighbor import question
from pyvrrp.core.settings import Track, Vmac
from pyvrrp.core.trouble import left_alone
from tests.lone import MAC, Lone, announced, backup, kinds, master, only, texts, vip
from tests.simulation import CHECK, VIP, instance, settings

SEEN = replace(CHECK, interval=60.0)  # so that no news is no news yet
HOLDER = bytes.fromhex("020000000099")
LEFT = (
    "02:00:00:00:00:99 answers for 192.168.1.200 though no master is heard: not taking over while it does. "
    "Is a VRRP daemon dead there? Take the address off that host"
)
DUPLICATE = "DUPLICATE: 02:00:00:00:00:99 also answers for 192.168.1.200: two hosts have it. Take it off the other one"


def careful(**changes: object) -> Lone:
    """A BACKUP that asks."""
    return backup(**({"duplicate_wait": None} | changes))  # type: ignore[arg-type]


def claim(lone: Lone, mac: bytes = HOLDER, after: float = 0.0, interface: str = "eth0") -> list[Effect]:
    return lone.give(HolderHeard(interface, VIP.address, mac), after)


def asked(effects: list[Effect], to: bytes | None = None) -> bool:
    """Whether that is the question, to all or to one."""
    return [each.frames for each in only(Announce, effects)] == [(question(MAC, VIP.address, to),)]


# --- before ----------------------------------------------------------------------------------------------------------


def test_it_asks_a_moment_before_its_wait_is_over() -> None:
    lone = careful()
    waits = lone.deadline or 0.0
    assert asked(lone.timer())
    assert lone.deadline == pytest.approx(0.3)
    began = lone.now - (waits - 0.3)
    lone.timer()
    assert lone.state is State.MASTER
    assert lone.now - began == pytest.approx(waits), "no later than without asking"


def test_it_leaves_an_address_alone_that_another_host_answers_for() -> None:
    lone = careful()
    lone.timer()
    claim(lone, after=0.001)
    assert LEFT in texts(lone.timer())
    assert lone.state is State.BACKUP
    assert lone.status.counters["left_to_another_holder"] == 1
    assert lone.status.why == (
        "VI_1 is BACKUP: no master is heard, but 02:00:00:00:00:99 answers for 192.168.1.200.",
        "It leaves the address alone while that is so. Is a VRRP daemon dead there? Take the address off that host.",
        "If it is the master, its adverts are lost on the way: does a firewall there let protocol 112 out?",
        "If it is a router that answers for everybody (proxy ARP), it must not for these, or set duplicate_wait.",
    )


def test_it_asks_again_and_the_one_that_answered_alone() -> None:
    lone = careful()
    lone.timer()
    claim(lone)
    lone.timer()
    assert asked(lone.timer(), HOLDER)
    claim(lone)
    lone.timer()
    assert asked(lone.timer(), HOLDER), "still BACKUP"
    lone.timer()
    assert lone.state is State.MASTER


def test_it_asks_more_slowly_after_a_while_and_says_it_once_a_minute() -> None:
    lone = careful()
    turns = []
    said = 0
    for _ in range(400):
        effects = lone.timer()
        said += LEFT in texts(effects)
        if only(Announce, effects):
            turns.append(lone.now)
            claim(lone)
    pauses = [later - earlier for earlier, later in pairwise(turns)]
    assert min(pauses) > 0.1
    assert pauses[-1] == pytest.approx(1.0)
    assert said == 1 + int((turns[-1] - turns[0]) // 60)


@pytest.mark.parametrize(
    ("interval", "silence", "asks"), [(1.0, 1.5, False), (1.0, 2.0, True), (2.0, 2.8, False), (2.0, 3.2, True)]
)
def test_a_worse_master_lives_for_an_interval_and_a_half_after_its_last_advert(
    interval: float, silence: float, asks: bool
) -> None:
    lone = careful(advert_int=interval)
    lone.hear(50, after=(lone.deadline or 0.0) - silence)
    assert asked(lone.timer()) is asks
    assert lone.state is (State.BACKUP if asks else State.MASTER)


def test_an_equal_master_is_no_worse_one() -> None:
    lone = careful(down_timer_adverts=1, priority=228)  # so that its wait is shorter than an interval and a half
    lone.hear(228)
    assert asked(lone.timer())


@pytest.mark.parametrize(
    ("late", "until"),
    [(-0.226, 0.226), (-0.224, 0.3), (-0.001, 0.3), (0.0, 0.3), (0.5, 0.3), (1.0, 1.609375), (60.0, 1.609375)],
)
def test_who_asks_late_leaves_time_for_an_answer(late: float, until: float) -> None:
    lone = careful()
    lone.now += (lone.deadline or 0.0) + late
    effects = lone.timer()
    assert asked(effects)
    assert lone.state is State.BACKUP
    assert lone.deadline == pytest.approx(until)
    slept = [f"this process stood still for {late:.2f} s: listening for another 1.61 s"]
    assert texts(effects) == (slept if late >= 1.0 else [])


def test_a_late_loop_ends_a_handover_and_asks_in_one_turn() -> None:
    lone = Lone(version=3, advert_int=0.5, duplicate_wait=None, tracks=(Track("mysql"),), checks=(SEEN,))
    lone.look()
    lone.check(True)
    while lone.state is not State.MASTER:
        lone.obey(lone.timer())
    lone.check(False, conclusive=True)
    lone.check(True, conclusive=True)
    lone.now += (lone.deadline or 0.0) - lone.router.wait.lead(lone.router.settings, lone.router.standing)
    effects = lone.give(TimerDue())
    assert texts(effects)[0].startswith("no successor has spoken")
    assert kinds(effects) == ["Announce", "ResetConnections", "Reconcile"]


def test_an_answer_from_before_the_question_is_none() -> None:
    lone = careful()
    claim(lone)
    lone.timer()
    lone.timer()
    assert lone.state is State.MASTER


def test_a_master_that_speaks_again_ends_it() -> None:
    lone = careful()
    lone.timer()
    claim(lone)
    lone.timer()
    lone.hear(200)
    lone.now += 1.0
    assert lone.status.why[0] == "VI_1 is BACKUP: 192.168.1.202 advertises 200, ours is 100."
    assert asked(lone.timer()), "all of the link again"


def test_it_takes_over_all_the_same_when_duplicate_wait_is_over() -> None:
    lone = careful(duplicate_wait=0.5)
    lone.timer()
    claim(lone)
    lone.timer()
    since = lone.now
    assert "for 0.5 s at most (duplicate_wait)" in lone.status.why[1]
    effects: list[Effect] = []
    while lone.state is State.BACKUP:
        effects = lone.timer()
        claim(lone)
    assert lone.now - since == pytest.approx(0.5)
    assert "duplicate_wait is over, and 02:00:00:00:00:99 still answers for 192.168.1.200: taking over" in texts(
        effects
    )


def test_late_for_the_question_it_still_leaves_time_for_an_answer() -> None:
    lone = careful()
    lone.now += 0.1 + (lone.deadline or 0.0)
    assert asked(lone.timer())
    assert lone.deadline == pytest.approx(0.3)
    claim(lone)
    lone.timer()
    assert lone.state is State.BACKUP


def test_so_it_does_when_a_question_that_is_repeated_comes_at_the_very_end() -> None:
    lone = careful()
    lone.timer()
    claim(lone)
    lone.timer()
    lone.now += lone.deadline or 0.0
    assert asked(lone.give(TimerDue()), HOLDER)
    assert lone.state is State.BACKUP
    assert lone.deadline == pytest.approx(0.3)


@pytest.mark.parametrize("why", ["told not to", "priority 0", "worse master", "owner"])
def test_when_it_does_not_ask(why: str) -> None:
    lone = careful(duplicate_wait=0.0 if why == "told not to" else None)
    if why == "owner":
        lone.give(ConfigReplaced(settings(replace(lone.router.settings, priority=255))))
    if why == "priority 0":
        lone.hear(200)
        lone.hear(const.PRIORITY_RELEASE)
    while lone.state is State.BACKUP:
        if why == "worse master":
            lone.hear(50, after=0.9)
            if (lone.deadline or 0.0) > 0.9:
                continue
        assert not only(Announce, lone.timer())
    assert "left_to_another_holder" not in lone.status.counters


def test_a_worse_master_that_speaks_seldom_speaks_all_the_same() -> None:
    """Version 3: its interval is its own. It answers for the address because it is the master."""
    lone = careful(version=3, advert_int=0.01, priority=200)
    lone.timer()
    claim(lone, after=0.001)
    lone.timer()
    assert lone.status.counters["left_to_another_holder"] == 1, "nobody was heard"
    lone.hear(100, advert_int=1000, after=0.001)
    lone.now += 0.19
    effects = lone.timer()
    assert lone.state is State.MASTER
    assert texts(effects)[-1] == "192.168.1.202 (priority 100) is master with a lower priority than ours, 200"


def test_but_not_when_it_has_missed_its_own_time() -> None:
    lone = careful(version=3, advert_int=10.0, priority=200)
    lone.hear(100, advert_int=10)
    assert asked(lone.timer())


@pytest.mark.parametrize("late", [0.5, 20.0])
def test_who_stood_still_listens_again_by_the_interval_of_its_master(late: float) -> None:
    """Its own may be thousands of times as long."""
    lone = careful(version=3, advert_int=40.95, priority=100)
    lone.hear(200, advert_int=1)
    lone.now += (lone.deadline or 0.0) + late
    slept = f"this process stood still for {late:.2f} s: listening for another 0.02 s"
    assert texts(lone.give(TimerDue())) == [slept]
    assert lone.state is State.BACKUP


def test_a_priority_zero_from_before_the_link_was_away_says_nothing_any_more() -> None:
    """Whoever took over then may be gone too, and have left the address."""
    lone = careful()
    lone.hear(200)
    lone.hear(const.PRIORITY_RELEASE)
    lone.link(up=False)
    lone.link(up=True)
    assert asked(lone.timer())
    claim(lone, after=0.001)
    lone.timer()
    assert lone.state is State.BACKUP


def test_nor_does_one_that_a_process_heard_before_it_stood_still() -> None:
    lone = careful()
    lone.hear(200)
    lone.hear(const.PRIORITY_RELEASE)
    lone.now += 60.0
    assert "this process stood still" in texts(lone.timer())[0]
    assert asked(lone.timer())


def test_a_worse_master_that_fell_silent_may_have_left_the_address() -> None:
    lone = careful()
    lone.hear(50)
    assert asked(lone.timer())


@pytest.mark.parametrize(
    ("changes", "interval", "skew", "expected"),
    [
        ({}, 1.0, 0.0625, 0.03125),
        ({}, 1.0, 0.996, 0.3),
        ({}, 0.1, 0.00625, 0.02),
        ({}, 0.01, 0.000625, 0.0053125),
        ({"down_timer_adverts": 1}, 0.1, 0.006, 0.003),
    ],
)
def test_how_long_before(changes: dict[str, object], interval: float, skew: float, expected: float) -> None:
    assert lead(instance(**changes), interval, skew) == pytest.approx(expected)


def test_where_the_mac_is_not_known_yet_nobody_is_asked() -> None:
    assert Duplicates().ask(instance(), {}, now=0.0) == []


def test_of_version_six_a_solicitation_to_those_that_may_have_it() -> None:
    frame = question(MAC, ip_address("fd00::200"))
    assert frame[:6].hex(":") == "33:33:ff:00:02:00"
    assert frame[38:54] == ip_address("ff02::1:ff00:200").packed
    assert frame[54] == 135


# --- while -----------------------------------------------------------------------------------------------------------


def tenured(**changes: object) -> Lone:
    """A MASTER for two minutes."""
    lone = careful(**changes)
    while lone.state is not State.MASTER:
        lone.obey(lone.timer())
    end = lone.now + 120.0
    while lone.now < end:
        lone.timer()
    return lone


def test_a_duplicate_is_named_and_the_link_told_again() -> None:
    lone = tenured()
    effects = claim(lone)
    assert texts(effects) == [DUPLICATE]
    assert announced(effects) == 5
    assert lone.state is State.MASTER
    assert lone.status.counters["duplicate_claims"] == 1
    lone.now += 3.0
    assert "DUPLICATE: 02:00:00:00:00:99 also answers for 192.168.1.200 (heard 3.0 s ago)." in lone.status.why
    lone.now += 13.0
    assert not any("DUPLICATE" in each for each in lone.status.why)


def test_that_is_no_fight_at_speed() -> None:
    lone = tenured()
    end = lone.now + 59.0
    effects = claim(lone)
    while lone.now < end:
        lone.timer()
        effects += [effect for _ in range(10) for effect in claim(lone)]
    assert texts(effects).count(DUPLICATE) == 1
    assert announced(effects) == 5 * 6


def test_a_predecessor_may_be_heard_for_a_moment() -> None:
    lone = master()
    assert claim(lone, after=0.9) == []
    assert "duplicate_claims" not in lone.status.counters


def test_a_master_asks_now_and_then() -> None:
    lone = tenured()
    turns = [lone.now for _ in range(60) if any(asked([each]) for each in only(Announce, lone.timer()))]
    assert [later - earlier for earlier, later in pairwise(turns)] == pytest.approx([10.0] * 5, abs=1)


def test_and_after_a_rival_with_its_next_advert() -> None:
    lone = tenured()
    while not any(asked([each]) for each in only(Announce, lone.timer())):
        pass
    lone.hear(50, after=1.5)
    assert any(asked([each]) for each in only(Announce, lone.timer()))


def test_one_that_must_not_ask_does_not() -> None:
    lone = tenured(duplicate_wait=0.0)
    assert not any(asked([each]) for _ in range(30) for each in only(Announce, lone.timer()))


@pytest.mark.parametrize("state", [State.INIT, State.FAULT])
def test_claims_are_nothing_to_one_that_takes_no_part(state: State) -> None:
    lone = Lone() if state is State.INIT else backup()
    if state is State.FAULT:
        lone.link(up=False)
    assert lone.state is state
    assert claim(lone) == []


def test_claims_elsewhere_are_nothing() -> None:
    lone = tenured()
    assert claim(lone, interface="eth9") == []


def test_invented_holders_have_an_end() -> None:
    lone = tenured()
    for number in range(40):
        claim(lone, bytes([2, 0, 0, 0, 1, number]))
    assert len([each for each in lone.status.why if "DUPLICATE" in each]) == 16


def test_one_that_falls_in_the_same_moment_names_nobody() -> None:
    lone = tenured()
    claim(lone)
    assert [each.mac for each in lone.status.holders] == ["02:00:00:00:00:99"]
    lone.link(up=False)
    assert lone.state is State.FAULT
    assert lone.status.holders == ()


# --- to the moment ---------------------------------------------------------------------------------------------------

ALONE = instance(duplicate_wait=None)


def answered(duplicates: Duplicates, now: float) -> None:
    """It asks, and somebody answers at once."""
    duplicates.ask(ALONE, {"eth0": MAC}, now)
    duplicates.heard(VIP.address, HOLDER, now)


def contested(duplicates: Duplicates, now: float, since: float = 0.0, advert_int: float = 1.0) -> bool:
    return duplicates.contested(instance(advert_int=advert_int), VIP.address, HOLDER, since, now)


def test_it_waits_up_to_its_next_question_and_asks_who_answered_then() -> None:
    duplicates = Duplicates()
    answered(duplicates, 100.0)
    until, _ = duplicates.hold_back(ALONE, 100.0)
    assert until is not None
    assert [each.mac for each in duplicates.waits_for(until)] == [HOLDER]
    assert duplicates.waits_for(until + 0.001) == ()
    assert asked(duplicates.ask(ALONE, {"eth0": MAC}, until), HOLDER)
    assert asked(duplicates.ask(ALONE, {"eth0": MAC}, until + 0.001))


@pytest.mark.parametrize(("late", "takes_over"), [(0.2, True), (0.3, False)])
def test_a_wait_goes_on_if_its_answer_is_looked_at_in_time(late: float, takes_over: bool) -> None:
    """Else it is another wait, which may last as long."""
    bounded, duplicates = instance(duplicate_wait=0.4), Duplicates()
    answered(duplicates, 100.0)
    until, _ = duplicates.hold_back(bounded, 100.0)
    assert until == 100.2
    answered(duplicates, until)
    again, _ = duplicates.hold_back(bounded, until + late)
    assert (again is None) is takes_over


@pytest.mark.parametrize("since", [1024.1 + each / 7 for each in range(20)])
def test_duplicate_wait_is_over_when_it_says_so(since: float) -> None:
    """Whatever rounding makes of the times, it is not asked to wait until now."""
    bounded, duplicates = instance(duplicate_wait=0.3), Duplicates()
    until: float | None = since
    for _ in range(3):
        assert until is not None
        now = until
        answered(duplicates, now)
        until, _ = duplicates.hold_back(bounded, now)
        assert until is None or until > now
    assert until is None


def test_it_asks_five_times_a_second_for_five_seconds_then_once() -> None:
    duplicates = Duplicates()
    pauses = {}
    for moment in (100.0 + quarter / 4 for quarter in range(22)):
        answered(duplicates, moment)
        until, _ = duplicates.hold_back(ALONE, moment)
        pauses[moment] = (until or 0.0) - moment
    assert pauses[104.75] == pytest.approx(0.2)
    assert pauses[105.0] == pytest.approx(1.0)


def test_it_explains_itself_every_minute() -> None:
    duplicates, said = Duplicates(), []
    for moment in (100.0, 159.9, 160.0, 219.9, 220.0):
        answered(duplicates, moment)
        said += [moment for text in texts(duplicates.hold_back(ALONE, moment)[1]) if text == LEFT]
    assert said == [100.0, 160.0, 220.0]


def test_all_who_still_answer_are_named_at_the_end() -> None:
    hasty, duplicates = instance(duplicate_wait=0.0), Duplicates()
    answered(duplicates, 100.0)
    duplicates.heard(vip(199), MAC, 100.0)
    (text,) = texts(duplicates.hold_back(hasty, 100.0)[1])
    assert text == (
        "duplicate_wait is over, and 02:00:00:00:00:99 still answers for 192.168.1.200, "
        "02:00:00:00:00:01 still answers for 192.168.1.199: taking over"
    )


def test_a_holder_is_known_since_it_was_heard_first() -> None:
    duplicates = Duplicates()
    duplicates.heard(VIP.address, HOLDER, 100.0)
    duplicates.heard(VIP.address, HOLDER, 107.0)
    assert duplicates.heard_since(107.0) == (Holder(VIP.address, HOLDER, 100.0, 107.0),)


def test_a_holder_is_recent_if_it_was_heard_at_that_moment() -> None:
    duplicates = Duplicates()
    duplicates.heard(VIP.address, HOLDER, 100.0)
    assert [each.mac for each in duplicates.heard_since(100.0)] == [HOLDER]
    assert duplicates.heard_since(100.1) == ()


@pytest.mark.parametrize(("after", "asks"), [(1.0, False), (1.1, True)])
def test_a_rival_in_the_second_after_a_question_brings_no_other(after: float, asks: bool) -> None:
    duplicates = Duplicates()
    duplicates.ask(ALONE, {"eth0": MAC}, 100.0)
    duplicates.suspect(100.0 + after)
    assert asked(duplicates.ask_in_passing(ALONE, {"eth0": MAC}, 100.0 + after)) is asks


@pytest.mark.parametrize(("advert_int", "grace"), [(0.5, 1.0), (3.0, 3.0)])
def test_claims_count_once_the_predecessor_has_had_its_time(advert_int: float, grace: float) -> None:
    duplicates = Duplicates()
    assert not contested(duplicates, 100.0 + grace - 0.1, since=100.0, advert_int=advert_int)
    assert duplicates.claims == 0
    assert contested(duplicates, 100.0 + grace, since=100.0, advert_int=advert_int)


def test_it_defends_itself_every_ten_seconds() -> None:
    duplicates = Duplicates()
    assert [moment for moment in (100.0, 109.9, 110.0, 119.9, 120.0) if contested(duplicates, moment)] == [
        100.0,
        110.0,
        120.0,
    ]


def test_it_complains_every_minute() -> None:
    duplicates, said = Duplicates(), []
    for moment in (100.0, 159.9, 160.0, 219.9, 220.0):
        contested(duplicates, moment)
        said += [moment for _ in duplicates.complaint(ALONE, VIP.address, HOLDER, moment)]
    assert said == [100.0, 160.0, 220.0]


def test_all_holders_are_named() -> None:
    first, second = Holder(VIP.address, HOLDER, 0.0), Holder(vip(199), MAC, 0.0)
    assert next(left_alone("VI_1", [first, second], None)) == (
        "VI_1 is BACKUP: no master is heard, but 02:00:00:00:00:99 answers for 192.168.1.200, "
        "02:00:00:00:00:01 answers for 192.168.1.199."
    )


# --- under a virtual MAC ---------------------------------------------------------------------------------------------

VMAC = Vmac("vrrp.60", bytes.fromhex("00005e00013c"))
ABOVE = replace(VIP, interface="vrrp.60")


def test_addresses_under_a_virtual_mac_are_asked_for_below() -> None:
    """From there it would have the MAC of the master, and switches would believe it."""
    assert list(places(instance(vmac=VMAC, addresses=(ABOVE,)))) == [("eth0", VIP.address)]
    assert list(places(instance(addresses=(VIP, replace(VIP, interface="eth1", address=vip(9)))))) == [
        ("eth0", VIP.address),
        ("eth1", vip(9)),
    ]


def test_the_virtual_mac_itself_is_another_holder_before_and_none_while() -> None:
    settings = instance(vmac=VMAC, addresses=(ABOVE,), duplicate_wait=None)
    duplicates = Duplicates()
    assert not duplicates.contested(settings, VIP.address, VMAC.mac, since=0.0, now=100.0)
    assert duplicates.counts() == {}
    duplicates.ask(settings, {"eth0": MAC}, now=200.0)
    duplicates.heard(VIP.address, VMAC.mac, now=200.1)
    assert duplicates.hold_back(settings, now=200.3)[0] == pytest.approx(200.5)
