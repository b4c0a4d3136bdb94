"""core/node: what lies between the routers and the world: agenda, addresses, refusals, reloads, complaints, history."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from pyvrrp.core import const
from pyvrrp.core.effects import Action, Level, Operation, Reconcile, Record, ResetConnections
from pyvrrp.core.events import (
    AddressesChanged,
    AdvertFailed,
    AdvertOverheard,
    AdvertPassed,
    CheckResult,
    ConfigReplaced,
    EffectDone,
    EffectFailed,
    Event,
    LinkChanged,
    Stopping,
    TimerDue,
)
from pyvrrp.core.fsm import State
from pyvrrp.core.listening import listening
from pyvrrp.core.settings import CheckSettings, InstanceSettings, InterfaceProbe, TcpProbe, Track, VirtualAddress
from pyvrrp.core.snapshot import CheckStatus
from pyvrrp.core.wire import Advert, encode
from tests.lone import MAC, OURS, PEER, Lone, announced, backup, kinds, master, only, operations, sent, texts, vip
from tests.simulation import CHECK, INTERFACE, VIP, instance, settings

RARE = replace(CHECK, interval=60.0)
SECOND = VirtualAddress(INTERFACE, IPv4Address("192.168.1.199"), 32)
REFUSED = "the kernel would not add 192.168.1.200/32 on eth0: Permission denied"


def other(**changes: object) -> InstanceSettings:
    """A second virtual router on the same link."""
    return replace(instance(name="VI_2", virtual_router_id=61, addresses=(SECOND,)), **changes)  # type: ignore[arg-type]


def reload(lone: Lone, *instances: InstanceSettings, checks: tuple = ()) -> list:  # type: ignore[type-arg]
    """SIGHUP with these instances."""
    return lone.give(ConfigReplaced(settings(*instances, checks=checks)))


def states(lone: Lone) -> dict[str, str]:
    return {each.name: each.state for each in lone.node.snapshot(lone.now).instances}


# --- addresses as a level ---------------------------------------------------------------------------------------------


def test_taking_over_in_order() -> None:
    lone = backup()
    effects = lone.timer()
    assert kinds(effects) == ["SendAdvert", "Reconcile"]
    assert kinds(lone.obey(effects)) == ["Announce"]
    assert lone.node.held() == (VIP,)


def test_nothing_is_announced_that_the_kernel_did_not_add() -> None:
    lone = backup()
    effects = lone.timer()
    assert announced(effects) == 0
    assert announced(lone.refuse(effects)) == 0


def test_an_address_deleted_by_hand_comes_back_without_a_transition() -> None:
    lone = master()
    before = lone.node.snapshot(lone.now).history
    effects = lone.addresses()
    assert kinds(effects) == ["Reconcile"]
    assert operations(effects) == [Operation(Action.ADD, VIP, 2)]
    assert announced(lone.obey(effects)) == 5
    assert lone.node.snapshot(lone.now).history == before


def test_a_request_is_not_repeated_while_it_is_under_way() -> None:
    lone = backup()
    effects = lone.timer()
    assert operations(lone.addresses()) == []
    lone.obey(effects)
    assert operations(lone.addresses()) == [Operation(Action.ADD, VIP, 2)]


def test_connections_are_reset_before_their_address_goes() -> None:
    lone = master()
    effects = lone.hear(200)
    assert effects[-2:] == [
        ResetConnections((VIP.address,)),
        Reconcile("VI_1", (Operation(Action.REMOVE, VIP),)),
    ]


def test_leftovers_of_an_earlier_life_are_cleared_at_once() -> None:
    lone = Lone()
    assert operations(lone.look(VIP.address)) == [Operation(Action.REMOVE, VIP)]
    assert lone.state is State.BACKUP


def test_the_addresses_of_others_are_left_alone() -> None:
    lone = Lone()
    assert operations(lone.look(vip(77), SECOND.address)) == []
    assert lone.node.held() == ()


def test_an_address_that_was_lost_to_a_change_of_mind_is_settled_afterwards() -> None:
    """The kernel's answer comes when the router wants the opposite already."""
    lone = backup()
    adding = lone.timer()
    assert operations(lone.hear(200)) == [], "there is nothing to remove yet"
    removing = lone.give(EffectDone("VI_1", only(Reconcile, adding)[0].operations))
    assert operations(removing) == [Operation(Action.REMOVE, VIP)]
    assert announced(removing) == 0


def test_addresses_may_be_known_before_the_link() -> None:
    lone = Lone()
    assert kinds(lone.addresses()) == []
    assert lone.status.why[0] == "VI_1 is FAULT: interface eth0 is down."
    assert lone.router.standing.macs == {INTERFACE: b""}
    assert lone.link(up=False) == [], "as it was taken to be"
    lone.give(LinkChanged(INTERFACE, True, True, MAC))
    assert lone.status.state == "BACKUP"


def test_an_interface_that_vanishes() -> None:
    lone = master()
    effects = lone.give(LinkChanged(INTERFACE, False, False, b""))
    assert operations(effects) == [Operation(Action.REMOVE, VIP)]
    assert lone.status.why[0] == "VI_1 is FAULT: interface eth0 does not exist."


def test_a_leftover_vip_in_front_is_not_taken_for_the_primary_address() -> None:
    lone = Lone()
    lone.link(up=True)
    lone.give(AddressesChanged(INTERFACE, ((VIP.address, 32), (OURS, 24))))
    assert lone.router.standing.source == OURS


def test_another_interface_is_none_of_its_business() -> None:
    lone = master()
    assert lone.give(LinkChanged("eth9", True, False, MAC)) == []
    assert lone.state is State.MASTER


# --- the kernel refuses -----------------------------------------------------------------------------------------------


def test_a_refused_add_is_a_fault_for_a_while() -> None:
    lone = backup()
    effects = lone.refuse(lone.timer())
    assert lone.status.state == "FAULT"
    assert [advert.priority for advert in sent(effects)] == [0]
    assert only(Record, effects)[0] == Record(Level.ERROR, "VI_1", REFUSED)
    assert lone.status.why[0] == f"VI_1 is FAULT: {REFUSED}."
    refused_at = lone.now
    while lone.status.state == "FAULT":
        lone.timer()
    assert lone.now == refused_at + const.REFUSED_HOLD
    assert lone.status.state == "BACKUP"


def test_a_refused_removal_is_tried_again() -> None:
    lone = master()
    effects = lone.refuse(lone.hear(200))
    assert texts(effects) == ["the kernel would not remove 192.168.1.200/32 on eth0: Permission denied"]
    assert lone.state is State.BACKUP
    assert operations(lone.addresses(VIP.address)) == [], "not at once"
    refused_at = lone.now
    assert lone.node.next_deadline() == refused_at + const.KERNEL_RETRY
    again = lone.timer()
    assert kinds(again) == ["ResetConnections", "Reconcile"]
    assert operations(again) == [Operation(Action.REMOVE, VIP)]
    lone.obey(again)
    assert lone.node.held() == ()
    assert lone.node.next_deadline() == lone.router.deadline


def test_a_success_forgets_the_retry() -> None:
    lone = master()
    lone.refuse(lone.hear(200))
    lone.give(EffectDone("VI_1", (Operation(Action.REMOVE, VIP),)))
    assert lone.node.next_deadline() == lone.router.deadline


def test_retries_of_two_routers_come_each_in_its_time() -> None:
    lone = master(instance(), other())
    for router in lone.node._routers.values():
        assert router.state is State.MASTER
    first = lone.hear(200)
    lone.refuse(first)
    lone.now += 0.5
    lone.refuse(lone.hear(200, vrid=61, addresses=(SECOND.address,)))
    start = lone.now
    assert operations(lone.timer()) == [Operation(Action.REMOVE, VIP)]
    assert lone.now == start + 0.5
    assert operations(lone.timer()) == [Operation(Action.REMOVE, SECOND)]


def test_a_refusal_for_an_instance_that_is_gone() -> None:
    lone = backup()
    effects = lone.give(EffectFailed("VI_9", Operation(Action.ADD, SECOND, 2), "No such device"))
    assert texts(effects) == ["the kernel would not add 192.168.1.199/32 on eth0: No such device"]
    assert lone.state is State.BACKUP
    assert lone.give(EffectDone("VI_9", (Operation(Action.ADD, SECOND, 2),))) == []


@pytest.mark.parametrize("event", [AdvertFailed("VI_9", "Operation not permitted"), AdvertPassed("VI_9")])
def test_adverts_of_an_instance_that_is_gone(event: Event) -> None:
    lone = master()
    assert lone.give(event) == []
    assert lone.router.muted is None


# --- checks -----------------------------------------------------------------------------------------------------------


def test_no_news_from_a_check_is_a_failure() -> None:
    lone = Lone(tracks=(Track("mysql"),), checks=(CHECK,))
    lone.look()
    lone.check(True)
    said: list[str] = []
    while lone.status.state != "FAULT":
        lone.now = max(lone.now, lone.node.next_deadline() or 0.0)
        said += texts(lone.give(TimerDue()))
    assert lone.now == 1009.0
    assert "check mysql fails: no result for 3.0 s (3 times in a row)" in said


def test_a_check_that_never_reports_is_a_failure() -> None:
    lone = Lone(tracks=(Track("mysql"),), checks=(CHECK,))
    lone.look()
    assert lone.state is State.INIT
    assert lone.node.next_deadline() == 1003.0
    lone.timer()
    assert lone.status.why[0] == "VI_1 is FAULT: check mysql fails: no result for 3.0 s."


def test_a_check_that_a_reload_brings_must_report_too() -> None:
    lone = backup()
    reload(lone, instance(), checks=(CHECK,))
    lone.timer()
    assert lone.now == 1003.0
    assert lone.node.snapshot(lone.now).checks == (
        CheckStatus("mysql", "127.0.0.1:3306", "down", "no result for 3.0 s", 0.0, 1003.0, 0, 1),
    )


def test_a_check_of_an_interface_that_is_known_has_its_result_with_the_reload() -> None:
    lone = backup()
    lone.now += 1.0
    reload(lone, instance(), checks=(replace(CHECK, name="lan", probe=InterfaceProbe(INTERFACE)),))
    assert lone.node.snapshot(lone.now).checks == (
        CheckStatus("lan", "interface eth0", "up", "interface eth0 is up", None, lone.now, 1, 0),
    )


def test_checks_that_are_overdue_at_one_moment_are_all_told_of() -> None:
    lone = backup(checks=(CHECK, replace(CHECK, name="disk")))
    assert texts(lone.timer()) == [f"check {name} fails: no result for 3.0 s" for name in ("mysql", "disk")]


def test_a_check_that_a_reload_took_away_is_not_waited_for() -> None:
    lone = backup(checks=(CHECK,))
    lone.check(True)
    reload(lone, instance(priority=1))
    assert lone.give(TimerDue(), after=3.0) == []
    assert lone.give(CheckResult("mysql", False, "late", 0.0)) == []


def test_a_check_concerns_only_those_that_track_it() -> None:
    lone = backup(instance(tracks=(Track("mysql", -20),)), other(), checks=(RARE,))
    lone.check(False)
    assert {each.name: each.priority for each in lone.node.snapshot(lone.now).instances} == {"VI_1": 80, "VI_2": 100}


def test_results_that_change_nothing_do_nothing() -> None:
    lone = Lone(tracks=(Track("mysql"),), checks=(RARE,))
    lone.look()
    lone.check(True)
    assert lone.check(True) == []
    assert lone.check(False) == []
    assert texts(lone.check(True)) == []


def test_records_of_checks() -> None:
    lone = Lone(checks=(RARE,))
    assert lone.check(True) == [Record(Level.NOTICE, "", "check mysql passes")]
    assert lone.check(False, conclusive=True) == [
        Record(Level.WARNING, "", "check mysql fails: refused the connection")
    ]


# --- adverts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [b"", b"\x21", b"\x21\x3d\x64\x01", bytes(20)])
@pytest.mark.parametrize("vrid", [60, 1])
def test_packets_for_nobody_here_are_ignored(payload: bytes, vrid: int) -> None:
    lone = backup(virtual_router_id=vrid)
    assert lone.packet(payload) == []
    assert lone.status.rejected is None


def test_what_is_overheard_before_anything_is_known_is_noted() -> None:
    lone = Lone()
    advert = Advert(2, 60, 200, 100, (VIP.address,))
    payload = encode(advert, PEER, const.GROUP_IPV4)
    lone.give(AdvertOverheard(INTERFACE, PEER, const.GROUP_IPV4, const.TTL, payload))
    assert lone.status.counters["adverts_received"] == 1


def test_our_own_adverts_are_not_heard() -> None:
    lone = backup()
    effects = lone.hear(200, source=OURS)
    assert texts(effects) == ["discarding advert from 192.168.1.201: it carries our own address"]
    assert lone.status.counters["rejected_own_address"] == 1
    assert lone.status.counters["adverts_received"] == 0


def test_rejected_adverts_are_counted_by_kind() -> None:
    lone = backup()
    lone.hear(200, advert_int=300)
    lone.hear(200, advert_int=300)
    lone.packet(b"\x21\x3c", ttl=3)
    counters = lone.status.counters
    assert (counters["rejected_interval"], counters["rejected_length"]) == (2, 1)
    assert list(counters)[-2:] == ["rejected_interval", "rejected_length"]
    assert lone.status.rejected is not None
    assert lone.status.rejected.count == 3
    assert lone.status.rejected.reason == "wrong length: 2 bytes, a header alone has 8"


def test_the_same_complaint_is_logged_once_a_minute() -> None:
    lone = backup(preempt=False)
    lines = []
    for _ in range(961):
        lines += texts(lone.hear(200, advert_int=300, after=0.125))
    causes = [each for each in lines if each.startswith("adverts from 192.168.1.202 are discarded: likely advert_int")]
    assert len(causes) == 2
    assert [each for each in lines if each not in causes] == 3 * [
        "advertisement interval mismatch mine=1 sec rcv'd=3 sec",
        "discarding advert from 192.168.1.202: its advert_int is 3 s, ours 1 s",
    ]


def test_another_complaint_is_logged_after_a_second() -> None:
    lone = backup()
    assert texts(lone.hear(200, advert_int=300)) != []
    assert texts(lone.hear(200, source=vip(66), advert_int=300, after=0.9)) == []
    assert texts(lone.hear(200, source=vip(66), advert_int=300, after=0.1)) != []
    assert texts(lone.hear(200, source=vip(66), addresses=(), after=0.9)) == []
    assert texts(lone.hear(200, source=vip(66), addresses=(), after=0.1)) != []


def test_which_virtual_routers_to_listen_for() -> None:
    far = replace(other(), interface="eth1", addresses=(replace(SECOND, interface="eth1"),))
    lone = Lone(instance(), other(), replace(far, name="VI_3", virtual_router_id=9))
    assert lone.vrids == {"eth0": {60, 61}, "eth1": {9}}
    assert listening(lone.node.settings.instances) == lone.node.vrids()


# --- history ----------------------------------------------------------------------------------------------------------


def test_history_and_what_became_known_later() -> None:
    lone = backup()
    effects = lone.timer()
    lone.now += 0.25
    lone.obey(effects)
    lone.hear(200)
    history = lone.node.snapshot(lone.now).history
    assert [(each.old, each.new, each.vip_live) for each in history] == [
        ("INIT", "BACKUP", None),
        ("BACKUP", "MASTER", 0.25),
        ("MASTER", "BACKUP", None),
    ]
    assert lone.status.last == history[-1]


def test_two_transitions_at_one_moment_are_both_told() -> None:
    lone = Lone(tracks=(Track("mysql"),), checks=(RARE,))
    lone.look()
    lone.check(True)
    lone.become_master()
    lone.now += 10.0
    lone.check(False, conclusive=True)
    history = lone.node.snapshot(lone.now).history[-2:]
    assert [(each.old, each.new) for each in history] == [("MASTER", "BACKUP"), ("BACKUP", "FAULT")]


def test_more_routers_than_the_history_holds() -> None:
    lone = master(
        *(
            instance(name=f"VI_{number}", virtual_router_id=number, addresses=(replace(VIP, address=vip(number)),))
            for number in range(1, 200 + 50)
            if number != 201
        )
    )
    snapshot = lone.node.snapshot(lone.now)
    assert len(snapshot.history) == 200
    assert {each.last.vip_live for each in snapshot.instances if each.last} == {0.0}
    again = lone.obey(lone.addresses())
    assert announced(again) == 5 * len(snapshot.instances)
    assert lone.node.snapshot(lone.now).history == snapshot.history


def test_history_is_bounded() -> None:
    lone = Lone()
    lone.look()
    for number in range(300):
        lone.link(up=bool(number % 2))
    assert len(lone.node.snapshot(lone.now).history) == 200


# --- stopping ---------------------------------------------------------------------------------------------------------


def test_a_node_without_instances_is_not_done_before_it_is_stopped() -> None:
    lone = backup()
    reload(lone)
    assert not lone.node.done
    lone.give(Stopping("SIGTERM"))
    assert lone.node.done


def test_done_when_everything_is_handed_over_and_gone() -> None:
    lone = master(instance(), other())
    assert not lone.node.done
    assert len(sent(lone.give(Stopping("SIGTERM")))) == 2
    assert lone.node.snapshot(lone.now).stopping
    lone.obey(lone.hear(200))
    assert not lone.node.done
    assert lone.node.held() == (SECOND,)
    effects = lone.hear(200, vrid=61, addresses=(SECOND.address,))
    assert not lone.node.done
    lone.obey(effects)
    assert lone.node.done


def test_a_link_that_fails_while_stopping_changes_nothing() -> None:
    lone = master()
    lone.give(Stopping("SIGTERM"))
    assert kinds(lone.link(up=False)) == []
    assert lone.status.handing_over


# --- reload -----------------------------------------------------------------------------------------------------------


def test_a_reload_says_which_address_is_no_longer_there() -> None:
    effects = reload(master(addresses=(VIP, SECOND)), instance())
    assert "ip address 192.168.1.199/32 dev eth0, no longer exist" in texts(effects)


def test_a_reload_of_the_same_touches_nothing() -> None:
    lone = master()
    due = lone.node.next_deadline()
    assert reload(lone, instance()) == []
    assert lone.node.next_deadline() == due


@pytest.mark.parametrize("change", [{"priority": 90}, {"preempt": False}, {"garp_master_repeat": 1}, {"vip_lease": 5}])
def test_an_unchanged_address_is_not_touched(change: dict[str, object]) -> None:
    lone = master()
    effects = reload(lone, instance(**change))
    assert operations(effects) == []
    assert lone.state is State.MASTER
    assert sent(effects)[-1].priority == change.get("priority", 100)
    assert lone.deadline == 1.0


def test_an_address_more_and_an_address_less() -> None:
    lone = master()
    effects = reload(lone, instance(addresses=(SECOND,)))
    assert sorted(operations(effects), key=str) == sorted(
        [Operation(Action.REMOVE, VIP), Operation(Action.ADD, SECOND, 2)], key=str
    )
    assert sent(effects)[0].addresses == (SECOND.address,)
    assert only(ResetConnections, effects) == [ResetConnections((VIP.address,))]
    lone.obey(effects)
    assert lone.node.held() == (SECOND,)


def test_an_address_less_is_not_announced() -> None:
    lone = master(addresses=(VIP, SECOND))
    assert lone.obey(reload(lone, instance())) == []
    assert lone.node.held() == (VIP,)


def test_another_prefix_length_is_another_address() -> None:
    lone = master()
    wide = replace(VIP, prefixlen=24)
    lone.obey(reload(lone, instance(addresses=(wide,))))
    assert lone.node.held() == (wide,)


def test_an_address_that_moves_to_another_master_stays_in_the_kernel() -> None:
    lone = master(instance(addresses=(VIP, SECOND)), other(addresses=(replace(VIP, address=vip(198)),)))
    effects = reload(lone, instance(), other(addresses=(replace(VIP, address=vip(198)), SECOND)))
    assert operations(effects) == []
    assert len(lone.node.held()) == 3


def test_an_address_that_moves_to_a_backup_goes() -> None:
    lone = master(instance(addresses=(VIP, SECOND)), other(addresses=(replace(VIP, address=vip(198)),)))
    lone.obey(lone.hear(200, vrid=61, addresses=(vip(198),)))
    effects = reload(lone, instance(), other(addresses=(SECOND,)))
    assert operations(effects) == [Operation(Action.REMOVE, SECOND)]


def test_an_instance_that_is_removed_hands_over() -> None:
    lone = master(instance(), other())
    effects = reload(lone, other())
    assert [(advert.vrid, advert.priority) for advert in sent(effects)] == [(60, 0)]
    assert operations(effects) == []
    assert states(lone) == {"VI_2": "MASTER"}
    assert lone.vrids == {"eth0": {60, 61}}, "it still wants to hear its successor"
    assert set(lone.node.held()) == {VIP, SECOND}
    effects = lone.hear(200, vrid=60, addresses=(VIP.address,))
    assert operations(effects) == [Operation(Action.REMOVE, VIP)]
    assert lone.vrids == {"eth0": {60, 61}}
    lone.obey(effects)
    assert lone.vrids == {"eth0": {61}}
    assert lone.node.held() == (SECOND,)


def test_all_that_are_removed_hand_over() -> None:
    lone = master(instance(), other())
    assert [(each.vrid, each.priority) for each in sent(reload(lone))] == [(60, 0), (61, 0)]


def test_all_that_change_say_so() -> None:
    lone = master(instance(), other())
    effects = reload(lone, instance(priority=90), other(priority=80))
    assert [(each.vrid, each.priority) for each in sent(effects)][:3] == [(60, 90), (60, 90), (61, 80)]


def test_nobody_is_heard_for_an_instance_that_has_gone() -> None:
    lone = master(instance(), other())
    reload(lone, other())
    lone.obey(lone.hear(200, vrid=60, addresses=(VIP.address,)))
    assert lone.vrids == {"eth0": {61}}
    assert lone.hear(210, source=vip(66), vrid=60, addresses=(VIP.address,)) == []


def test_whoever_has_the_vrid_of_one_that_leaves_is_heard_when_it_has_gone() -> None:
    lone = master(instance(), other())
    reload(lone, other())
    reload(lone, other(virtual_router_id=60))
    while lone.node._leaving:
        lone.obey(lone.timer())
    assert states(lone) == {"VI_2": "MASTER"}
    lone.hear(200, vrid=60, addresses=(SECOND.address,))
    assert states(lone) == {"VI_2": "BACKUP"}


def test_an_instance_that_comes_does_not_hand_over_what_another_leaves() -> None:
    lone = master()
    reload(lone, other(interface="eth9", addresses=(replace(SECOND, interface="eth9"),)))
    assert (lone.status.name, lone.status.since, lone.status.handing_over) == ("VI_2", lone.now, False)


def test_an_address_that_comes_too_late_for_one_that_leaves_goes_again() -> None:
    lone = backup(addresses=(VIP, SECOND))
    first, late = operations(lone.timer())
    lone.give(EffectDone("VI_1", (first,)))
    reload(lone)
    effects = lone.give(TimerDue(), after=2.0)
    assert operations(effects) == [Operation(Action.REMOVE, first.address)], "it has no successor"
    assert operations(lone.give(EffectDone("VI_1", (late,)))) == [Operation(Action.REMOVE, late.address)]


def test_an_instance_that_is_removed_goes_without_a_successor_too() -> None:
    lone = master()
    reload(lone)
    assert lone.vrids == {"eth0": {60}}
    effects = []
    while lone.node.next_deadline() is not None:
        effects += lone.timer()
    lone.obey(effects)
    assert lone.vrids == {}
    assert lone.node.held() == ()


def test_a_leaving_instance_does_not_miss_its_removed_check() -> None:
    lone = Lone(tracks=(Track("mysql"),), checks=(RARE,))
    lone.look()
    lone.check(True)
    lone.become_master()
    reload(lone)
    assert lone.addresses(VIP.address) == []
    effects = lone.link(up=False)
    assert operations(effects) == []


def test_an_address_lost_by_a_leaving_instance_is_the_end_of_it() -> None:
    lone = master()
    reload(lone)
    lone.timer()
    lone.addresses()
    assert lone.vrids == {}


def test_an_instance_that_had_not_begun_is_forgotten_at_once() -> None:
    lone = Lone()
    reload(lone)
    assert lone.vrids == {}


def test_the_settings_in_force_are_the_new_ones() -> None:
    lone = backup()
    lone.give(ConfigReplaced(replace(settings(instance()), router_id="db2")))
    assert lone.node.snapshot(lone.now).router_id == "db2"
    assert lone.node.settings.router_id == "db2"


def test_an_instance_that_comes_begins_as_any_other() -> None:
    lone = master()
    reload(lone, instance(), other())
    assert states(lone) == {"VI_1": "MASTER", "VI_2": "BACKUP"}


def test_a_master_goes_on_under_another_vrid() -> None:
    lone = master()
    effects = reload(lone, instance(virtual_router_id=61))
    assert [(advert.vrid, advert.priority) for advert in sent(effects)] == [(61, 100)]
    assert operations(effects) == []
    assert states(lone) == {"VI_1": "MASTER"}
    assert lone.vrids == {"eth0": {61}}
    assert lone.hear(200, vrid=60) == []
    assert operations(lone.hear(200)) == [Operation(Action.REMOVE, VIP)], "there may have been a better one"


def test_a_backup_listens_anew_under_another_vrid() -> None:
    lone = backup()
    lone.hear(200, after=1.0)
    reload(lone, instance(virtual_router_id=61))
    assert states(lone) == {"VI_1": "BACKUP"}
    assert lone.status.master is None
    assert lone.deadline == 3.609375
    assert lone.vrids == {"eth0": {61}}


def test_a_master_that_is_not_fit_under_another_vrid_hands_over_under_its_own() -> None:
    lone = master(checks=(RARE,))
    lone.check(False)
    effects = reload(lone, instance(virtual_router_id=61, tracks=(Track("mysql"),)), checks=(RARE,))
    assert [(advert.vrid, advert.priority) for advert in sent(effects)] == [(60, 0)]
    assert operations(effects) == [], "what it held answers meanwhile"
    assert states(lone) == {"VI_1": "FAULT"}
    assert lone.vrids == {"eth0": {60, 61}}
    effects = lone.hear(200, vrid=61)
    assert operations(effects) == [Operation(Action.REMOVE, VIP)]
    lone.hear(200, vrid=60)
    assert lone.vrids == {"eth0": {61}}


def test_another_name_and_another_vrid_are_another_router() -> None:
    lone = master()
    effects = reload(lone, instance(name="VI_9", virtual_router_id=61))
    assert [(advert.vrid, advert.priority) for advert in sent(effects)] == [(60, 0)]
    assert operations(effects) == [], "what it held answers meanwhile"
    assert states(lone) == {"VI_9": "BACKUP"}


def test_an_own_address_that_is_configured_as_virtual_is_never_taken_from_the_node() -> None:
    """Not the way in of whoever would mend the mistake."""
    lone = Lone(priority=255)
    assert operations(lone.look(VIP.address) + lone.addresses(VIP.address, primary=None)) == []
    lone = Lone()
    lone.give(LinkChanged("eth0", True, True, bytes(6)))
    assert operations(lone.addresses(VIP.address, primary=None)) == []
    assert "no IPv4 address besides virtual ones" in lone.status.why[0]


def test_the_node_knows_how_long_handing_over_takes() -> None:
    assert master().node.handover_bound == pytest.approx(255 / 256 + 0.1)


def test_a_new_name_is_the_same_router() -> None:
    lone = master()
    effects = reload(lone, instance(name="VI_9"))
    assert operations(effects) == []
    assert states(lone) == {"VI_9": "MASTER"}
    assert lone.node.held() == (VIP,)


def test_a_master_goes_on_with_another_version() -> None:
    lone = master()
    effects = reload(lone, instance(version=3))
    assert [(advert.version, advert.priority) for advert in sent(effects)] == [(3, 100)]
    assert operations(effects) == []
    assert states(lone) == {"VI_1": "MASTER"}


def test_a_backup_waits_anew_with_another_version() -> None:
    lone = backup(advert_int=2.0)
    lone.now += 1.0
    reload(lone, instance(advert_int=2.0, version=3))
    assert lone.deadline == pytest.approx(6.0 + 2.0 * 156 / 256), "version 3 scales the skew time"


@pytest.mark.parametrize(("old", "new"), [(1.0, 3.0), (3.0, 1.0)])
def test_another_interval(old: float, new: float) -> None:
    waiting = backup(advert_int=old)
    reload(waiting, instance(advert_int=new))
    assert waiting.deadline == 3 * new + 0.609375
    serving = master(advert_int=old)
    effects = reload(serving, instance(advert_int=new))
    assert sent(effects)[0].seconds == new
    assert serving.deadline == new


def test_another_interval_after_a_master_was_heard() -> None:
    lone = backup()
    lone.hear(200)
    reload(lone, instance(advert_int=3.0))
    assert lone.deadline == 9.609375


def test_another_interval_arms_nothing_in_fault() -> None:
    lone = Lone()
    lone.look(up=False)
    reload(lone, instance(advert_int=3.0))
    assert lone.node.next_deadline() is None
    assert lone.router.deadline is None


def test_the_same_interval_does_not_restart_the_wait() -> None:
    lone = backup()
    lone.now += 1.0
    reload(lone, instance(preempt=False))
    assert lone.deadline == 2.609375


def test_a_new_priority_moves_a_backups_wait() -> None:
    lone = backup(priority=100)
    effects = reload(lone, instance(priority=228))
    assert "Changing effective priority from 100 to 228" in texts(effects)
    assert lone.deadline == 3.109375


def test_a_track_of_a_check_that_already_fails() -> None:
    lone = master(checks=(RARE,))
    lone.check(False)
    effects = reload(lone, instance(tracks=(Track("mysql"),)), checks=(RARE,))
    assert lone.state is State.FAULT
    assert [advert.priority for advert in sent(effects)] == [0]


@pytest.mark.parametrize(
    ("tracks", "check"),
    [
        ((Track("mysql"),), RARE),
        ((Track("mysql", -20),), RARE),
        ((Track("mysql"),), replace(RARE, interval=30.0)),
        ((Track("mysql"),), replace(RARE, fall=9)),
        ((Track("mysql"),), replace(RARE, probe=TcpProbe("127.0.0.1", 3307))),
    ],
)
@pytest.mark.parametrize(("ok", "health"), [(True, "up"), (False, "down")])
def test_a_check_is_what_it_was_until_it_reports_anew(
    tracks: tuple[Track, ...], check: CheckSettings, ok: bool, health: str
) -> None:
    lone = backup(checks=(RARE,))
    lone.check(ok)
    reload(lone, instance(tracks=tracks), checks=(check,))
    assert lone.node.snapshot(lone.now).checks[0].result == health


@pytest.mark.parametrize("weight", [0, 20, -20])
def test_a_master_does_not_notice_that_its_check_runs_at_another_interval(weight: int) -> None:
    lone = Lone(instance(tracks=(Track("mysql", weight),)), checks=(RARE,))
    lone.look()
    lone.check(True)
    lone.become_master()
    priority = lone.status.priority
    effects = reload(lone, instance(tracks=(Track("mysql", weight),)), checks=(replace(RARE, interval=30.0),))
    assert effects == []
    assert (lone.state, lone.status.priority) == (State.MASTER, priority)
    assert lone.check(False) == [], "one failure of three, as it would have been"
    assert lone.state is State.MASTER


def test_a_lease_that_ends_is_lifted_from_what_is_held() -> None:
    lone = master()
    effects = reload(lone, instance(vip_lease=None))
    assert operations(effects) == [Operation(Action.ADD, VIP, None)]
    assert reload(lone, instance(vip_lease=None)) == []
    assert operations(lone.addresses()) == [], "it is under way"
    lone.obey(effects)
    assert kinds(lone.timer()) == ["SendAdvert"]
    assert operations(reload(backup(), instance(vip_lease=None))) == []


def test_a_lease_that_begins_is_given_with_the_next_advert() -> None:
    lone = master(vip_lease=None)
    reload(lone, instance(vip_lease=2))
    assert kinds(lone.timer()) == ["SendAdvert", "RenewLease"]


def test_a_stalled_master_does_not_come_back_by_a_reload() -> None:
    lone = master()
    lone.now += 10.0
    effects = reload(lone, instance(priority=200))
    assert sent(effects) == []
    assert states(lone) == {"VI_1": "BACKUP"}


def test_a_peer_is_heard_after_a_reload_under_the_new_settings() -> None:
    lone = backup()
    reload(lone, instance(auth_pass=b"4321"))
    lone.hear(200, source=PEER)
    assert lone.status.master is None
    lone.hear(200, auth_type=const.AUTH_PASS, auth_data=b"4321\0\0\0\0")
    assert lone.status.master is not None


def test_an_instance_that_comes_back_while_it_hands_over_goes_on_handing_over() -> None:
    lone = master()
    reload(lone)
    effects = reload(lone, instance())
    assert operations(effects) == []
    assert lone.node.held() == (VIP,)
    effects = lone.hear(50, after=0.1)
    assert [each.action for each in operations(effects)] == [Action.REMOVE]
    assert "192.168.1.202 has taken over 100 ms after priority 0" in texts(effects)


def test_a_leaving_instance_hears_its_successor_after_one_more_reload_too() -> None:
    lone = master(instance(), other())
    reload(lone, other())
    reload(lone, other(priority=90))
    effects = lone.hear(200, vrid=60, addresses=(VIP.address,), after=0.1)
    assert "192.168.1.202 has taken over 100 ms after priority 0" in texts(effects)
    assert operations(effects) == [Operation(Action.REMOVE, VIP)]


def test_when_a_master_was_heard_last() -> None:
    lone = backup()
    assert (lone.node.last_heard("VI_1"), lone.node.last_heard("VI_9")) == (None, None)
    lone.hear(200, after=1.0)
    assert lone.node.last_heard("VI_1") == lone.now
