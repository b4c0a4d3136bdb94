"""use_vmac in the core: what leaves by the virtual MAC, and what is said when it is not there."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from pyvrrp.core.effects import Action, Announce, Operation, SendAdvert
from pyvrrp.core.events import AddressesChanged, LinkChanged
from pyvrrp.core.fsm import State
from pyvrrp.core.settings import UnicastPeer, VirtualAddress, Vmac
from tests.lone import MAC, OURS, PEER, Lone, only, operations, texts
from tests.simulation import INTERFACE, VIP

VMAC = Vmac("vrrp.60", bytes.fromhex("00005e00013c"))
HELD = VirtualAddress("vrrp.60", VIP.address, 32)


def lone(**changes: object) -> Lone:
    return Lone(**({"vmac": VMAC, "addresses": (HELD,)} | changes))  # type: ignore[arg-type]


def see(node: Lone, *addresses: IPv4Address, up: bool = True, mac: bytes = VMAC.mac) -> list:  # type: ignore[type-arg]
    """The virtual MAC is there, with these addresses."""
    effects = node.give(LinkChanged("vrrp.60", True, up, mac))
    return effects + node.give(AddressesChanged("vrrp.60", tuple((each, 32) for each in addresses)))


def master(**changes: object) -> Lone:
    node = lone(**changes)
    see(node)
    node.become_master()
    return node


def test_adverts_and_announcements_leave_under_the_virtual_mac() -> None:
    node = lone()
    see(node)
    node.look()
    effects = node.timer()
    (advert,) = only(SendAdvert, effects)
    assert (advert.interface, advert.source) == ("vrrp.60", OURS), "the sender is the address below"
    assert [(each.action, each.address) for each in operations(effects)] == [(Action.ADD, HELD)]
    (announced,) = only(Announce, node.obey(effects))
    assert announced.interface == "vrrp.60"
    assert all(frame[6:12] == VMAC.mac for frame in announced.frames)


@pytest.mark.parametrize(
    "changes",
    [{"vmac": replace(VMAC, transmit_base=True)}, {"unicast_peers": (UnicastPeer(PEER),)}],
    ids=["vmac_xmit_base", "unicast"],
)
def test_adverts_that_leave_by_the_interface_below(changes: dict[str, object]) -> None:
    node = lone(**changes)
    see(node)
    node.look()
    effects = node.timer()
    assert [each.interface for each in only(SendAdvert, effects)] == [INTERFACE]
    assert [each.interface for each in only(Announce, node.obey(effects))] == ["vrrp.60"]


def test_it_is_waited_for() -> None:
    node = lone()
    node.look()
    assert node.state is State.INIT
    assert "interface vrrp.60 has not been looked at yet" in node.status.why[0]
    see(node)
    assert node.status.state == "BACKUP"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (LinkChanged("vrrp.60", False, False, b""), "interface vrrp.60 does not exist"),
        (LinkChanged("vrrp.60", True, False, VMAC.mac), "interface vrrp.60 is down"),
        (LinkChanged("vrrp.60", True, True, MAC), "interface vrrp.60 has not the virtual MAC 00:00:5e:00:01:3c"),
    ],
)
def test_without_it_there_is_no_way_to_speak(event: LinkChanged, reason: str) -> None:
    node = master()
    effects = node.give(event)
    assert node.state is State.FAULT
    assert node.status.why[0] == f"VI_1 is FAULT: {reason}."
    assert operations(effects) == [Operation(Action.REMOVE, HELD)], "nobody can be told, so nothing is handed over"
    assert only(SendAdvert, effects) == []
    see(node)
    assert node.status.state == "BACKUP"


def test_with_vmac_xmit_base_it_hands_over() -> None:
    node = master(vmac=replace(VMAC, transmit_base=True))
    effects = node.give(LinkChanged("vrrp.60", True, False, VMAC.mac))
    assert node.state is State.FAULT
    assert [each.interface for each in only(SendAdvert, effects)] == [INTERFACE]


def test_the_interface_below_is_blamed_alone() -> None:
    node = master()
    node.link(up=False)
    node.give(LinkChanged("vrrp.60", True, False, VMAC.mac))
    assert node.status.why[0] == "VI_1 is FAULT: interface eth0 is down."


def test_one_that_was_made_anew_gets_its_address_back_without_a_transition() -> None:
    node = master()
    effects = see(node)
    assert [each.address for each in operations(effects)] == [HELD]
    assert node.state is State.MASTER
    assert texts(effects) == []
    (announced,) = only(Announce, node.obey(effects))
    assert announced.frames[0][6:12] == VMAC.mac
