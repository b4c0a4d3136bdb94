"""core/node and several interfaces: addresses elsewhere than the adverts, and checks of interfaces."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from pyvrrp.core.effects import Action, Announce, Effect, Operation, RenewLease
from pyvrrp.core.events import AddressesChanged, ConfigReplaced, LinkChanged
from pyvrrp.core.fsm import State
from pyvrrp.core.interfaces import interfaces
from pyvrrp.core.settings import CheckSettings, InterfaceProbe, Track, VirtualAddress
from tests.lone import MAC, Lone, backup, master, only, operations, sent, texts
from tests.simulation import VIP, instance, settings

THERE = VirtualAddress("eth1", IPv4Address("10.0.0.1"), 24, label="eth1:vip", scope=253)
THERE_MAC = bytes.fromhex("020000000101")
BOTH = instance(excluded=(THERE,))


def look_there(lone: Lone, *virtual: VirtualAddress, up: bool = True, present: bool = True) -> list[Effect]:
    """The first sight of eth1."""
    effects = lone.give(LinkChanged("eth1", present, up, THERE_MAC))
    return effects + addresses_there(lone, *virtual)


def addresses_there(lone: Lone, *virtual: VirtualAddress) -> list[Effect]:
    return lone.give(AddressesChanged("eth1", tuple((each.address, each.prefixlen) for each in virtual)))


def master_of_both() -> Lone:
    lone = Lone(BOTH)
    look_there(lone)
    lone.become_master()
    return lone


# --- addresses elsewhere ----------------------------------------------------------------------------------------------


def test_which_interfaces_are_observed_and_which_are_listened_on() -> None:
    lone = Lone(BOTH, checks=(CheckSettings("lan", InterfaceProbe("eth2")),))
    assert lone.node.interfaces() == interfaces(lone.node.settings) == {"eth0", "eth1", "eth2"}
    assert lone.vrids == {"eth0": {60}, "eth1": set()}


def test_it_waits_until_it_has_seen_every_interface() -> None:
    lone = Lone(BOTH)
    lone.look()
    assert lone.status.why == ("VI_1 is INIT: interface eth1 has not been looked at yet.",)
    assert texts(look_there(lone))[0] == "Entering BACKUP STATE (init)", "no check has kept it waiting"
    assert lone.state is State.BACKUP


def test_taking_over_adds_renews_and_announces_on_both() -> None:
    lone = Lone(BOTH)
    look_there(lone)
    effects = lone.become_master()
    assert operations(effects) == [Operation(Action.ADD, VIP, 2), Operation(Action.ADD, THERE, 2)]
    assert [each.address.label for each in operations(effects)] == ["", "eth1:vip"]
    assert [(each.interface, each.frames[0][6:12]) for each in only(Announce, effects)] == [
        ("eth0", MAC),
        ("eth1", THERE_MAC),
    ]
    assert lone.node.held() == (VIP, THERE)
    assert [each.addresses for each in only(RenewLease, lone.timer())] == [(VIP, THERE)]
    assert [(each.address, each.held) for each in lone.status.addresses] == [
        ("192.168.1.200/32", True),
        ("10.0.0.1/24 dev eth1", True),
    ]


def test_adverts_do_not_name_what_is_excluded() -> None:
    lone = Lone(BOTH)
    look_there(lone)
    assert [advert.addresses for advert in sent(lone.become_master())] == [(VIP.address,)]


def test_an_address_deleted_there_comes_back() -> None:
    lone = master_of_both()
    effects = addresses_there(lone)
    assert operations(effects) == [Operation(Action.ADD, THERE, 2)]
    assert "MISSING: 10.0.0.1/24 on eth1." in lone.status.why
    lone.obey(effects)
    assert lone.node.held() == (VIP, THERE)


def test_yielding_takes_both_away() -> None:
    lone = master_of_both()
    assert operations(lone.hear(200)) == [Operation(Action.REMOVE, VIP), Operation(Action.REMOVE, THERE)]


def test_a_leftover_there_is_cleared_though_the_interface_has_no_other_address() -> None:
    """Nothing but the node's own way in is spared: the interface of the adverts."""
    lone = Lone(BOTH)
    assert operations(look_there(lone, THERE)) == [Operation(Action.REMOVE, THERE)]


@pytest.mark.parametrize(("present", "why"), [(True, "is down"), (False, "does not exist")])
def test_without_its_second_interface_it_hands_over(present: bool, why: str) -> None:
    lone = master_of_both()
    effects = lone.give(LinkChanged("eth1", present, False, THERE_MAC))
    assert lone.status.state == "FAULT"
    assert [advert.priority for advert in sent(effects)] == [0]
    assert lone.status.handing_over
    assert lone.status.why[0] == f"VI_1 is FAULT: interface eth1 {why}."
    look_there(lone)
    assert lone.status.state == "BACKUP"


def test_a_reload_moves_an_address_to_another_interface() -> None:
    lone = master()
    look_there(lone)
    moved = replace(VIP, interface="eth1")
    effects = lone.give(ConfigReplaced(settings(instance(addresses=(moved,)))))
    assert lone.state is State.MASTER
    lone.obey(effects)
    assert lone.node.held() == (moved,)


def test_a_reload_takes_an_address_away_there() -> None:
    lone = master_of_both()
    effects = lone.give(ConfigReplaced(settings(instance())))
    assert operations(effects) == [Operation(Action.REMOVE, THERE)]
    assert lone.state is State.MASTER


def test_a_new_label_is_the_same_address() -> None:
    lone = master_of_both()
    effects = lone.give(ConfigReplaced(settings(instance(excluded=(replace(THERE, label="eth1:x"),)))))
    assert operations(effects) == []
    assert lone.node.held() == (VIP, THERE)


def test_what_becomes_for_ever_keeps_its_label() -> None:
    lone = master_of_both()
    effects = lone.give(ConfigReplaced(settings(replace(BOTH, vip_lease=None))))
    assert operations(effects) == [Operation(Action.ADD, VIP), Operation(Action.ADD, THERE)]
    assert [each.address.label for each in operations(effects)] == ["", "eth1:vip"]


def test_an_interface_is_observed_until_what_was_there_is_gone() -> None:
    lone = master_of_both()
    lone.give(ConfigReplaced(settings()))
    assert lone.node.interfaces() == {"eth0", "eth1"}
    lone.obey(lone.timer())
    assert lone.node.interfaces() == set()


# --- checks of interfaces ---------------------------------------------------------------------------------------------

LAN = CheckSettings("lan", InterfaceProbe("eth1"), fall=3)


def test_an_interface_that_is_tracked_is_waited_for_and_a_fault_while_it_is_down() -> None:
    lone = Lone(tracks=(Track("lan"),), checks=(LAN,))
    lone.look()
    assert lone.status.state == "INIT"
    assert lone.node.next_deadline() is None, "the kernel will tell, be it late"
    look_there(lone)
    assert lone.status.state == "BACKUP"
    effects = lone.give(LinkChanged("eth1", True, False, THERE_MAC))
    assert "check lan fails: interface eth1 is down" in texts(effects)
    assert lone.status.state == "FAULT"
    assert texts(lone.give(LinkChanged("eth1", True, True, THERE_MAC)))[1] == "check lan passes"
    assert lone.status.state == "BACKUP"


@pytest.mark.parametrize(
    ("track", "up", "down"),
    [
        (Track("lan", 10), 110, 100),
        (Track("lan", -10), 100, 90),
        (Track("lan", 10, reverse=True), 90, 100),
        (Track("lan", -10, reverse=True), 100, 110),
    ],
)
def test_an_interface_moves_the_priority(track: Track, up: int, down: int) -> None:
    lone = backup(tracks=(track,), checks=(LAN,))
    look_there(lone)
    assert lone.status.priority == up
    lone.give(LinkChanged("eth1", False, False, b""))
    assert lone.status.priority == down


def test_a_reload_that_brings_a_check_of_a_known_interface_asks_nobody() -> None:
    lone = master()
    look_there(lone, up=False)
    lone.give(ConfigReplaced(settings(instance(tracks=(Track("lan", -10),)), checks=(LAN,))))
    assert (lone.state, lone.status.priority) == (State.MASTER, 90)
    (check,) = lone.node.snapshot(lone.now).checks
    assert (check.result, check.detail) == ("down", "interface eth1 is down")
