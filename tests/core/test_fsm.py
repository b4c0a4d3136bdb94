"""core/fsm: what goes beyond the RFCs' sections (those are in tests/rfc): handing over, leases, stalls, records."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from pyvrrp.core.desired import Hold
from pyvrrp.core.effects import Action, Level, Operation, Reconcile, Record, RenewLease
from pyvrrp.core.events import AdvertFailed, AdvertPassed, CheckResult, ConfigReplaced, EffectDone, Stopping, TimerDue
from pyvrrp.core.fsm import Counters, State, VirtualRouter
from pyvrrp.core.guard import Standing
from pyvrrp.core.notify import Notifier
from pyvrrp.core.settings import InterfaceProbe, Probe, Track
from pyvrrp.core.snapshot import MasterStatus, Transition
from pyvrrp.core.wire import Advert
from tests.lone import (
    LOWER_PEER,
    OURS,
    PEER,
    START,
    Lone,
    announced,
    backup,
    details,
    kinds,
    master,
    only,
    operations,
    sent,
    texts,
)
from tests.simulation import CHECK, VIP, instance, settings

RARE = replace(CHECK, interval=60.0)  # so that no news is no news yet

STOP = Stopping("SIGTERM")


def fit(**changes: object) -> Standing:
    """A standing with nothing against it."""
    return replace(Standing((), (), (), 100, (), OURS, {"eth0": bytes(6)}), **changes)  # type: ignore[arg-type]


# --- beginning --------------------------------------------------------------------------------------------------------


def test_it_begins_with_nothing_known_and_nothing_due() -> None:
    router = VirtualRouter(instance(), fit(), 5.0, Notifier("db1"))
    assert (router.state, router.since, router.group) == (State.INIT, 5.0, "")
    assert (router.stopping, router.following, router.moved) == (False, False, False)
    assert (router.master, router.rival, router.last, router.transitions) == (None, None, None, [])
    assert (router.deadline, router.ready, router.handover_until, router.next_deadline()) == (None, None, None, None)
    assert router.counters == Counters(0, 0, 0, 0, 0, 0)
    assert (Lone().status.since, Lone().node.stopping) == (START, False)
    fast = VirtualRouter(instance(version=3, advert_int=0.1), fit(), 5.0, Notifier("db1"))
    assert fast.handover_bound == fast.slowest_successor < 0.2


# --- handing over -----------------------------------------------------------------------------------------------------


def test_a_stop_hands_over_and_the_successor_ends_it() -> None:
    lone = master()
    effects = lone.give(STOP, after=0.1)
    assert kinds(effects) == ["SendAdvert"]
    assert texts(effects) == ["leaving MASTER STATE: SIGTERM"]
    assert details(effects) == ["sent 0 priority"]
    assert lone.status.handing_over
    assert not lone.node.done
    effects = lone.hear(50, after=0.25)
    assert kinds(effects) == ["ResetConnections", "Reconcile"]
    assert texts(effects) == [
        "192.168.1.202 has taken over 250 ms after priority 0",
        "master is 192.168.1.202 with priority 50",
    ]
    assert details(effects) == ["removing VIPs."]
    assert not lone.node.done, "the address is still there"
    lone.obey(effects)
    assert lone.node.done


def test_a_handover_is_bounded_by_the_slowest_successor() -> None:
    lone = master()
    lone.give(STOP)
    started = lone.now
    effects = lone.timer()
    assert lone.now == pytest.approx(started + 255 / 256 + 0.1)
    assert operations(effects) == [Operation(Action.REMOVE, VIP)]
    assert texts(effects) == ["no successor has spoken 1096 ms after priority 0"]


@pytest.mark.parametrize(("version", "interval", "bound"), [(2, 10.0, 1.09609375), (3, 0.1, 0.199609375)])
def test_the_bound_in_both_versions(version: int, interval: float, bound: float) -> None:
    assert backup(version=version, advert_int=interval).router.handover_bound == pytest.approx(bound)


def test_priority_zero_of_another_does_not_end_a_handover() -> None:
    lone = master()
    lone.give(STOP)
    assert lone.hear(0) == []
    assert lone.status.handing_over


def test_an_address_lost_while_handing_over_is_not_put_back() -> None:
    lone = master()
    lone.give(STOP)
    assert lone.addresses() == []
    assert lone.node.done is False
    assert kinds(lone.timer()) == []
    assert lone.node.done


def test_without_a_network_there_is_nobody_to_hand_over_to() -> None:
    lone = master()
    effects = lone.link(up=False)
    assert lone.state is State.FAULT
    assert kinds(effects) == ["ResetConnections", "Reconcile"]
    assert lone.node.next_deadline() is None


def test_a_handover_ends_when_the_network_goes() -> None:
    lone = tracked_master()
    lone.check(False, conclusive=True)
    assert lone.status.handing_over
    effects = lone.link(up=False)
    assert kinds(effects) == ["ResetConnections", "Reconcile"]
    assert texts(effects) == ["Netlink reports eth0 down"]
    assert details(effects) == ["removing VIPs."]
    assert not lone.status.handing_over


def test_a_router_that_ends_a_handover_without_a_network_has_moved() -> None:
    router = VirtualRouter(instance(), fit(), 0.0, Notifier("db1"))
    router.assess(fit(), 0.0)
    router.take_over(4.0, 4.0)
    router.assess(fit(faults=("check mysql fails",)), 5.0)
    assert router.hold is Hold.KEEP
    router.moved = False
    assert details(router.assess(fit(broken=("interface eth0 is down",)), 5.1)) == ["removing VIPs."]
    assert (router.hold, router.moved) == (Hold.CLEAR, True)


def test_a_backup_that_still_hands_over_fails_with_its_network() -> None:
    router = VirtualRouter(instance(), fit(), 0.0, Notifier("db1"))
    router.assess(fit(), 0.0)
    router.take_over(4.0, 4.0)
    router.relinquish("VI_2, of the same sync group, follows another master", 5.0)
    effects = router.assess(fit(broken=("interface eth0 is down",)), 5.1)
    assert details(effects) == ["removing VIPs."]
    assert texts(effects) == ["Entering FAULT STATE", "interface eth0 is down"]


def test_each_handover_counts() -> None:
    lone = tracked_master()
    lone.check(False, conclusive=True)
    lone.check(True, conclusive=True)
    lone.hear(0)
    while lone.state is not State.MASTER:
        lone.timer()
    lone.check(False, conclusive=True)
    assert lone.status.counters["priority_zero_sent"] == 2


def test_a_late_loop_ends_the_handover_and_takes_over_in_one_turn() -> None:
    lone = tracked_master()
    lone.check(False, conclusive=True)
    lone.check(True, conclusive=True, after=0.25)
    lone.hear(0)
    lone.now += 1.5
    effects = lone.give(TimerDue())
    assert texts(effects)[:3] == [
        "no successor has spoken 1750 ms after priority 0",
        "Entering MASTER STATE",
        "192.168.1.202 sent priority 0",
    ]
    assert [advert.priority for advert in sent(effects)] == [100]


def test_a_check_that_fails_hands_over_once() -> None:
    lone = tracked_master()
    effects = lone.check(False, conclusive=True)
    assert [advert.priority for advert in sent(effects)] == [0]
    assert lone.state is State.FAULT
    assert lone.status.handing_over
    assert lone.status.counters["priority_zero_sent"] == 1
    assert kinds(lone.check(False)) == []


def tracked_master() -> Lone:
    """A MASTER with a check of weight 0 that passes."""
    lone = Lone(tracks=(Track("mysql"),), checks=(RARE,))
    lone.look()
    lone.check(True)
    lone.become_master()
    return lone


def test_every_reason_is_named() -> None:
    lone = Lone()
    lone.link(up=False)
    broken = "interface eth0 is down; interface eth0 has no IPv4 address"
    assert texts(lone.addresses(primary=None))[-1] == broken
    checks = (RARE, replace(RARE, name="disk"))
    lone = master(checks=checks)
    lone.check(False)
    lone.check(False, name="disk")
    effects = lone.give(ConfigReplaced(settings(instance(tracks=(Track("mysql"), Track("disk"))), checks=checks)))
    faults = "check mysql fails: refused the connection; check disk fails: refused the connection"
    assert texts(effects)[-1] == faults


def test_a_master_that_fails_does_not_advertise_the_priority_that_it_fell_to() -> None:
    lone = Lone(tracks=(Track("mysql"), Track("mysql", -20)), checks=(RARE,))
    lone.look()
    lone.check(True)
    lone.become_master()
    assert [advert.priority for advert in sent(lone.check(False, conclusive=True))] == [0]


def test_a_backup_that_fails_says_nothing() -> None:
    lone = Lone(tracks=(Track("mysql"),), checks=(RARE,))
    lone.look()
    lone.check(True)
    effects = lone.check(False, conclusive=True)
    assert lone.state is State.FAULT
    assert kinds(effects) == []
    assert texts(effects)[-2:] == ["Entering FAULT STATE", "check mysql fails: refused the connection"]
    assert [each.level for each in only(Record, effects)] == [Level.WARNING, Level.NOTICE, Level.WARNING]


def test_the_records_of_a_transition() -> None:
    lone = Lone()
    records = only(Record, lone.look())
    assert [(each.text, each.state) for each in records] == [
        ("removing VIPs.", ""),
        ("Entering BACKUP STATE (init)", "BACKUP"),
        ("link, address and checks are fine", ""),
    ]
    lone.link(up=False)
    records = only(Record, lone.link(up=True))
    assert [(each.text, each.state) for each in records] == [
        ("Netlink reports eth0 up", ""),
        ("Entering BACKUP STATE", "BACKUP"),
        ("nothing is against it any more", ""),
    ]


def test_a_tenure_may_begin_within_the_handover_of_the_last() -> None:
    lone = Lone(version=3, advert_int=0.01, priority=254, tracks=(Track("mysql"),), checks=(RARE,))
    lone.look()
    lone.check(True)
    lone.become_master()
    lone.check(False, conclusive=True)
    lone.check(True)
    effects = lone.timer()
    assert kinds(effects) == ["SendAdvert", "RenewLease"]
    assert not [text for text in texts(effects) if "removing" in text]
    assert not lone.status.handing_over


def test_a_backup_that_had_to_wait_for_a_check_is_not_called_initial() -> None:
    lone = Lone(tracks=(Track("mysql"),), checks=(RARE,))
    lone.look()
    assert texts(lone.check(True))[1] == "Entering BACKUP STATE"
    early = Lone(tracks=(Track("mysql"),), checks=(RARE,))
    early.check(True)
    assert texts(early.look())[0] == "Entering BACKUP STATE (init)"


@pytest.mark.parametrize(
    ("probe", "detail", "lines"),
    [
        (InterfaceProbe("eth1"), "interface eth1 is down", ["(VI_1): entering FAULT state (interface eth1 down)"]),
        (CHECK.probe, "refused the connection", []),
    ],
)
def test_a_fault_from_the_start_is_told_in_keepaliveds_words(probe: Probe, detail: str, lines: list[str]) -> None:
    lone = Lone(tracks=(Track("lan"),), checks=(replace(RARE, name="lan", probe=probe),))
    lone.look()
    effects = lone.give(CheckResult("lan", False, detail, 0.0))
    assert texts(effects)[1:-1] == [*lines, "entering FAULT state"]


def test_only_a_first_backup_is_called_initial() -> None:
    assert texts(Lone(priority=255).look())[0] == "Entering MASTER STATE"
    assert texts(Lone().look(up=False))[:2] == [
        "(VI_1): entering FAULT state (interface eth0 down)",
        "entering FAULT state",
    ]


def test_a_stalled_backup_takes_over_when_nobody_has_spoken() -> None:
    """But it listens once more: the adverts of a living master may have been lost while it slept."""
    late = backup()
    late.now += 3.609375 + 0.99
    late.timer()
    assert late.state is State.MASTER
    late = backup()
    late.now += 3.609375 + 1.0
    assert late.timer() != []
    assert late.state is State.BACKUP, "a whole interval"
    asleep = backup()
    asleep.now += 60.0
    effects = asleep.timer()
    assert kinds(effects) == []
    assert only(Record, effects) == [
        Record(Level.WARNING, "VI_1", "this process stood still for 56.39 s: listening for another 1.61 s")
    ]
    assert asleep.deadline == 1.609375
    assert kinds(asleep.timer()) == ["SendAdvert", "Reconcile"]


def test_a_stopped_router_takes_no_part_any_more() -> None:
    router = VirtualRouter(instance(), fit(waiting=("not yet",)), 0.0, Notifier("db1"))
    router.stop("stop", 1.0)
    assert router.done
    assert router.transitions == []
    assert router.assess(fit(), 2.0) == []
    assert router.assess(fit(broken=("no link",)), 3.0) == []
    assert router.state is State.INIT


def test_without_a_source_address_nothing_is_sent() -> None:
    router = VirtualRouter(instance(priority=255), fit(source=None, priority=255), 0.0, Notifier("db1"))
    assert kinds(router.assess(fit(source=None, priority=255), 0.0)) == []
    assert kinds(router.timer(1.0)) == []
    assert router.counters.adverts_sent == 0


def test_stop_in_fault() -> None:
    lone = Lone()
    lone.link(up=True)
    assert texts(lone.addresses(primary=None)) == [
        "entering FAULT state (no IPv4 address for interface)",
        "entering FAULT state",
        "interface eth0 has no IPv4 address",
    ]
    effects = lone.give(STOP)
    assert texts(effects) == ["leaving FAULT STATE: SIGTERM"]
    assert lone.node.done
    assert lone.node.snapshot(lone.now).history[-1] == Transition(lone.now, "VI_1", "FAULT", "INIT", "SIGTERM")
    assert lone.status.since == lone.now


def test_a_second_stop_changes_nothing() -> None:
    lone = master()
    lone.give(STOP)
    bound = lone.router.handover_until
    assert lone.give(STOP, after=0.5) == []
    assert lone.router.handover_until == bound


# --- the lease --------------------------------------------------------------------------------------------------------


def test_each_advert_renews_beside_itself() -> None:
    lone = master()
    for _ in range(3):
        effects = lone.timer()
        assert kinds(effects) == ["SendAdvert", "RenewLease"]
        assert only(RenewLease, effects) == [RenewLease("VI_1", (VIP,), 2)]


def test_fast_adverts_renew_every_quarter_of_the_lease() -> None:
    lone = master(version=3, advert_int=0.125, vip_lease=1)
    renewed = [kinds(lone.timer()) == ["SendAdvert", "RenewLease"] for _ in range(8)]
    assert renewed == [False, True] * 4


def test_without_a_lease_nothing_is_renewed() -> None:
    lone = Lone(vip_lease=None)
    assert Operation(Action.ADD, VIP, None) in operations(lone.become_master())
    assert kinds(lone.timer()) == ["SendAdvert"]


def test_addresses_kept_since_a_handover_are_renewed_when_it_takes_over_again() -> None:
    lone = Lone(priority=255, tracks=(Track("mysql"),), checks=(RARE,))
    lone.look()
    lone.obey(lone.check(True))
    lone.check(False, conclusive=True, after=0.45)
    effects = lone.check(True, after=1.0)
    assert lone.state is State.MASTER
    assert kinds(effects) == ["SendAdvert", "RenewLease"]


# --- stalls -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stall", "state"), [(3.609375, State.MASTER), (3.61, State.BACKUP)])
def test_a_stalled_master_knows_when_it_has_lost_its_place(stall: float, state: State) -> None:
    lone = master(priority=100)
    lone.now += stall
    lone.addresses(VIP.address)
    assert lone.state is state


@pytest.mark.clause("9568:2.5")
def test_a_master_that_lapsed_sends_nothing_and_clears_its_addresses() -> None:
    lone = master(priority=100)
    lone.now += 10.0
    effects = lone.timer()
    assert kinds(effects) == ["ResetConnections", "Reconcile"]
    assert operations(effects) == [Operation(Action.REMOVE, VIP)]
    assert texts(effects)[-1] == "this process stood still for 10.00 s: another node may be master by now"
    assert lone.deadline == 3.609375


def test_a_lapsed_master_that_is_stopped_sends_no_priority_zero() -> None:
    lone = master()
    lone.now += 10.0
    assert sent(lone.give(STOP)) == []
    assert lone.router.done


def test_a_lapsed_master_hears_as_backup() -> None:
    lone = master(priority=100)
    lone.now += 10.0
    effects = lone.hear(50)
    assert sent(effects) == []
    assert lone.state is State.BACKUP
    assert [each.new for each in lone.node.snapshot(lone.now).history] == ["BACKUP", "MASTER", "BACKUP"]


def test_cadence_does_not_drift_and_makes_up_nothing() -> None:
    lone = master(priority=100)
    lone.now += 1.3  # the advert is due at +1.0
    lone.timer()
    assert lone.deadline == pytest.approx(0.7)
    lone.now += 2.9
    assert len(sent(lone.timer())) == 1
    assert lone.deadline == 1.0
    lone.now += 2.0  # exactly one interval late
    assert len(sent(lone.timer())) == 1
    assert lone.deadline == 1.0


# --- rivals -----------------------------------------------------------------------------------------------------------


def test_a_rival_is_answered_at_a_bounded_rate() -> None:
    lone = master(priority=100)
    first = lone.hear(50, after=0.3)
    assert kinds(first) == ["SendAdvert"], "the link was told just now"
    assert kinds(lone.hear(50, after=0.05)) == []
    assert kinds(lone.hear(50, after=0.06)) == ["SendAdvert"]
    again = lone.hear(50, after=1.0)
    assert kinds(again) == ["SendAdvert", "RenewLease", "Announce"]
    assert texts(again) == ["Received advert from 192.168.1.202 with lower priority 50, ours 100, forcing new election"]


def test_the_pause_between_answers_ends_to_the_moment() -> None:
    lone = master(advert_int=10.0, vip_lease=None)
    assert kinds(lone.hear(50, after=0.9375)) == []
    assert kinds(lone.hear(50, after=0.0625))[0] == "SendAdvert", "a tenth of the interval after the last one"


def test_what_was_heard_is_remembered() -> None:
    lone = backup()
    lone.hear(200, after=0.5)
    assert lone.router.master == MasterStatus(PEER, 200, 1.0, lone.now)
    lone = master()
    lone.hear(50, after=0.5)
    assert lone.router.rival == MasterStatus(PEER, 50, 1.0, lone.now)


def test_an_equal_with_its_own_address_is_not_given_way_to() -> None:
    router = VirtualRouter(instance(), fit(), 0.0, Notifier("db1"))
    router.assess(fit(), 0.0)
    router.take_over(4.0, 4.0)
    router.hear(Advert(2, 60, 100, 100, (VIP.address,)), OURS, 4.5)
    assert router.state is State.MASTER


def test_the_winner_of_equals_is_said() -> None:
    lone = master(priority=100)
    assert lone.router.master is None
    effects = lone.hear(100)
    assert lone.status.master is not None
    assert (lone.status.master.address, lone.status.master.priority) == (PEER, 100)
    assert "Master received advert from 192.168.1.202 with same priority 100 but higher IP address than ours" in texts(
        effects
    )


def test_a_lower_priority_is_complained_about_once_for_each_sender() -> None:
    lone = backup(priority=100)
    assert len(texts(lone.hear(50))) == 1
    assert texts(lone.hear(50, after=1.0)) == []
    assert len(texts(lone.hear(50, source=LOWER_PEER))) == 1


def test_whether_it_follows_a_master() -> None:
    lone = backup(priority=100)
    followed = []
    for priority in (200, 0, 200, 50):
        lone.hear(priority)
        followed.append(lone.router.following)
    assert followed == [True, False, True, False]
    lone.hear(200)
    lone.hear(0)
    lone.timer()
    assert (lone.state, lone.router.following) == (State.MASTER, False)


def test_only_in_a_group_does_it_matter_to_others_whom_it_follows() -> None:
    router = VirtualRouter(instance(), fit(), 0.0, Notifier("db1"))
    router.assess(fit(), 0.0)
    moved = []
    for group in ("", "", "G", "G"):
        router.join(group, 1.0)
        router.moved = False
        router.hear(Advert(2, 60, 200, 100, (VIP.address,)), PEER, 1.0)
        moved.append(router.moved)
        router.wait.heard.following = group == "G"
    assert moved == [False, False, True, False]


def test_an_advert_that_fails_again_leaves_what_was_to_be_looked_at() -> None:
    router = VirtualRouter(instance(), fit(), 0.0, Notifier("db1"))
    router.assess(fit(), 0.0)
    router.take_over(4.0, 4.0)
    router.advert_failed("no", 5.0)
    router.advert_failed("no", 6.0)
    assert router.moved


def test_a_new_master_is_named_once() -> None:
    lone = backup(priority=100)
    assert texts(lone.hear(200)) == ["master is 192.168.1.202 with priority 200"]
    assert texts(lone.hear(200, after=1.0)) == []
    assert texts(lone.hear(210, source=LOWER_PEER)) == ["master is 192.168.1.101 with priority 210"]


def test_a_node_in_fault_notes_who_is_master() -> None:
    lone = Lone()
    lone.look(up=False)
    lone.hear(200)
    lone.hear(0, source=LOWER_PEER)
    assert lone.status.master is not None
    assert lone.status.master.address == PEER


# --- why it takes over ------------------------------------------------------------------------------------------------


def test_reasons_for_taking_over() -> None:
    def reason(lone: Lone) -> str:
        lone.timer()
        assert lone.status.last is not None
        return lone.status.last.reason

    alone = backup(priority=100)
    assert reason(alone) == "no advert from anybody for 3.61 s"

    silent = backup(priority=100)
    silent.hear(200)
    assert reason(silent) == "no advert from 192.168.1.202 (priority 200) for 3.61 s"

    preempting = backup(priority=100)
    preempting.hear(50, after=1.0)
    assert reason(preempting) == "192.168.1.202 (priority 50) is master with a lower priority than ours, 100"

    released = backup(priority=100)
    released.hear(200)
    released.hear(0, source=LOWER_PEER)
    assert reason(released) == "192.168.1.101 sent priority 0"

    overruled = backup(priority=100)
    overruled.hear(0)
    overruled.hear(200)
    assert reason(overruled) == "no advert from 192.168.1.202 (priority 200) for 3.61 s"

    patient = backup(priority=100, preempt=False)
    patient.hear(50)
    assert reason(patient) == "no advert from 192.168.1.202 (priority 50) for 3.61 s"


def test_what_was_said_before_a_tenure_is_forgotten_after_it() -> None:
    lone = backup(priority=100)
    lone.hear(0)
    lone.obey(lone.timer())
    lone.hear(200)
    lone.timer()
    assert lone.status.last is not None
    assert lone.status.last.reason == "no advert from 192.168.1.202 (priority 200) for 3.61 s"


# --- priority and announcements ---------------------------------------------------------------------------------------


def weighted(priority: int = 100, weight: int = -20, **changes: object) -> Lone:
    lone = Lone(instance(priority=priority, tracks=(Track("mysql", weight),), **changes), checks=(RARE,))
    lone.look()
    lone.check(True)
    return lone


def test_a_master_advertises_a_new_priority_at_once() -> None:
    lone = weighted()
    lone.become_master()
    due = lone.router.deadline
    effects = lone.check(False, conclusive=True, after=0.3)
    assert [advert.priority for advert in sent(effects)] == [80]
    assert "Changing effective priority from 100 to 80" in texts(effects)
    assert lone.router.deadline == due
    assert [advert.priority for advert in sent(lone.timer())] == [80]


@pytest.mark.parametrize(("version", "interval"), [(2, 1.0), (2, 4.0), (3, 1.0), (3, 0.5)])
def test_a_backups_wait_follows_its_priority(version: int, interval: float) -> None:
    lone = weighted(version=version, advert_int=interval)
    lone.check(False, conclusive=True, after=1.0)
    assert lone.router.priority == 80
    assert lone.deadline == pytest.approx(lone.router.master_down_interval - 1.0)
    lone.check(True, conclusive=True)
    assert lone.deadline == pytest.approx(lone.router.master_down_interval - 1.0)


def test_five_announcements_now_and_five_later() -> None:
    lone = Lone()
    effects = lone.become_master()
    assert announced(effects) == 5
    start, more = lone.now, 0
    while lone.now < start + 20.0:
        more += announced(lone.timer())
    assert more == 5
    assert lone.router.garp_due is None


def test_the_second_announcement_comes_after_its_delay() -> None:
    lone = master(garp_master_delay=0.5, garp_master_repeat=2)
    assert lone.node.next_deadline() == lone.router.garp_due == lone.now + 0.5
    assert announced(lone.timer()) == 2


def test_no_second_announcement() -> None:
    lone = master(garp_master_delay=0.0)
    assert lone.router.garp_due is None


def test_announcements_end_with_the_tenure() -> None:
    lone = master()
    lone.hear(200)
    assert lone.router.garp_due is None


def test_all_addresses_are_announced_in_turn() -> None:
    second = replace(VIP, address=IPv4Address("192.168.1.199"))
    lone = Lone(addresses=(VIP, second), garp_master_repeat=3)
    assert announced(lone.become_master()) == 6


def test_vip_live_is_counted_from_the_timer() -> None:
    lone = backup()
    due = lone.node.next_deadline()
    assert due is not None
    lone.now = due + 0.25  # the loop was late
    effects = lone.timer()
    lone.now += 0.5
    lone.obey(effects)
    assert lone.status.last is not None
    assert lone.status.last.vip_live == 0.75
    lone.now += 0.25
    lone.obey(lone.addresses())
    assert lone.status.last.vip_live == 0.75


def test_counters() -> None:
    lone = backup()
    lone.hear(200)
    lone.hear(0)
    lone.obey(lone.timer())
    lone.hear(0)
    lone.give(STOP)
    assert lone.status.counters == {
        "adverts_sent": 3,
        "adverts_received": 3,
        "priority_zero_sent": 1,
        "priority_zero_received": 2,
        "became_master": 1,
        "released_master": 1,
    }


def test_another_primary_address_is_used_from_the_next_advert_on() -> None:
    lone = master()
    lone.addresses(VIP.address, primary=PEER)
    effects = lone.timer()
    assert kinds(effects)[0] == "SendAdvert"
    assert str(effects[0]).count("192.168.1.202") == 1


def test_a_master_that_nobody_hears_neither_restores_nor_keeps_its_addresses() -> None:
    lone = master()
    lone.give(AdvertFailed("VI_1", "Operation not permitted"), after=1.0)
    assert operations(lone.addresses()) == []  # the lease took them
    assert "adverts cannot leave eth0" in " ".join(lone.status.why)
    lone.give(AdvertFailed("VI_1", "Operation not permitted"), after=1.0)
    assert lone.status.state == "MASTER"
    effects = lone.give(AdvertFailed("VI_1", "Operation not permitted"), after=1.0)
    assert lone.status.state == "FAULT", "three intervals after the last advert that left: no backup is earlier"
    assert sent(effects) == []


def test_a_master_that_nobody_hears_clears_what_has_no_lease_without_handing_over() -> None:
    lone = master(vip_lease=None)
    lone.timer()
    assert operations(lone.give(AdvertFailed("VI_1", "no"))) == []
    lone.give(AdvertFailed("VI_1", "no"), after=1.0)
    effects = lone.give(AdvertFailed("VI_1", "no"), after=1.0)
    assert [each.action for each in operations(effects)] == [Action.REMOVE]
    assert not lone.status.handing_over


def test_a_master_whose_first_advert_fails_gives_its_addresses_back_at_once() -> None:
    lone = backup()
    lone.obey(lone.timer())
    assert [each.action for each in operations(lone.give(AdvertFailed("VI_1", "no")))] == [Action.REMOVE]


def test_adverts_that_leave_again_restore_the_addresses() -> None:
    lone = master()
    lone.give(AdvertFailed("VI_1", "no"), after=1.0)
    lone.addresses()
    assert [each.action for each in operations(lone.give(AdvertPassed("VI_1"), after=1.0))] == [Action.ADD]


def test_a_rival_that_always_speaks_right_after_us_is_told_of_and_announced_against() -> None:
    lone = master()
    announcements, records = 0, 0
    for _ in range(5):
        lone.timer()
        effects = lone.hear(50, after=0.06)
        announcements += announced(effects)
        records += len([text for text in texts(effects) if "forcing new election" in text])
    assert announcements > 0
    assert records >= 4
    assert "is master too, with the lower priority 50" in " ".join(lone.status.why)


def test_a_new_lease_is_given_with_the_reload() -> None:
    lone = master()
    effects = lone.give(ConfigReplaced(settings(instance(vip_lease=600))), after=0.1)
    assert [each.lease for each in only(RenewLease, effects)] == [600]


def test_a_master_that_nobody_hears_announces_nothing() -> None:
    lone = backup()
    effects = lone.timer()
    lone.give(AdvertFailed("VI_1", "no"))
    (adding,) = only(Reconcile, effects)
    effects = lone.give(EffectDone(adding.instance, adding.operations))
    assert announced(effects) == 0
    assert [each.action for each in operations(effects)] == [Action.REMOVE]
    assert announced(lone.hear(50, after=1.5)) == 0
