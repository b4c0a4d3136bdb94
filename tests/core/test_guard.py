"""core/guard: every reason against holding the VIP."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

import pytest

from pyvrrp.core.guard import Interface, Standing, primary_address, standing
from pyvrrp.core.settings import Address, VirtualAddress
from pyvrrp.core.tracking import Tracked
from tests.simulation import instance

MAC = bytes(6)
VIP, PRIMARY = IPv4Address("192.168.1.200"), IPv4Address("192.168.1.201")
VIRTUAL: frozenset[tuple[Address, int]] = frozenset({(VIP, 32)})
FINE = Tracked((), (), 90, (("mysql", -10),))
UP = Interface(present=True, up=True, mac=MAC, addresses=((VIP, 32), (PRIMARY, 24)))


def test_nothing_against_it() -> None:
    found = standing(instance(), {"eth0": UP}, VIRTUAL, FINE, None)
    assert found == Standing((), (), (), 90, (("mysql", -10),), PRIMARY, {"eth0": MAC})
    assert found.against == ()


@pytest.mark.parametrize(
    ("interface", "broken"),
    [
        (Interface(False, False, MAC, ()), "interface eth0 does not exist"),
        (Interface(True, False, MAC, ((PRIMARY, 24),)), "interface eth0 is down"),
        (Interface(True, True, MAC, ()), "interface eth0 has no IPv4 address"),
        (Interface(True, True, MAC, ((VIP, 32),)), "interface eth0 has no IPv4 address besides virtual ones"),
        (Interface(True, True, MAC, ((ip_address("fe80::1"), 64),)), "interface eth0 has no IPv4 address"),
    ],
)
def test_no_network(interface: Interface, broken: str) -> None:
    found = standing(instance(), {"eth0": interface}, VIRTUAL, FINE, None)
    assert found.broken == found.against == (broken,)


def test_no_link_and_no_address_either() -> None:
    found = standing(instance(), {"eth0": Interface(True, False, MAC, ())}, VIRTUAL, FINE, None)
    assert found.broken == ("interface eth0 is down", "interface eth0 has no IPv4 address")


@pytest.mark.parametrize("interfaces", [{}, {"eth0": Interface(True, True, MAC, None)}, {"eth1": UP}])
def test_not_looked_at_yet(interfaces: dict[str, Interface]) -> None:
    tracked = Tracked(("mysql fails",), ("disk is unknown",), 90, ())
    found = standing(instance(), interfaces, VIRTUAL, tracked, None)
    assert found.waiting == ("interface eth0 has not been looked at yet", "disk is unknown")
    assert found.unseen == found.waiting[:1]
    assert (found.faults, found.source) == (("mysql fails",), None)


ELSEWHERE = instance(excluded=(VirtualAddress("eth1", IPv4Address("10.0.0.1"), 24),))


def test_an_interface_that_only_has_addresses_is_not_asked_for_one_of_its_own() -> None:
    there = Interface(True, True, bytes.fromhex("020000000009"), ())
    found = standing(ELSEWHERE, {"eth0": UP, "eth1": there, "eth9": UP}, VIRTUAL, FINE, None)
    assert (found.against, found.waiting) == ((), ())
    assert found.macs == {"eth0": MAC, "eth1": there.mac}


@pytest.mark.parametrize(
    ("there", "fault"),
    [
        (Interface(True, False, MAC, ()), "interface eth1 is down"),
        (Interface(False, False, b"", ()), "interface eth1 does not exist"),
    ],
)
def test_without_it_the_instance_hands_over(there: Interface, fault: str) -> None:
    found = standing(ELSEWHERE, {"eth0": UP, "eth1": there}, VIRTUAL, FINE, None)
    assert (found.broken, found.faults) == ((), (fault,))


def test_an_interface_with_addresses_is_waited_for() -> None:
    found = standing(ELSEWHERE, {"eth0": UP}, VIRTUAL, FINE, None)
    assert found.waiting == ("interface eth1 has not been looked at yet",)
    assert found.source == PRIMARY


def test_checks_and_refusals_are_faults() -> None:
    tracked = Tracked(("mysql fails",), ("disk is unknown",), 90, ())
    found = standing(instance(), {"eth0": UP}, VIRTUAL, tracked, "the kernel refused")
    assert found.faults == found.against == ("mysql fails", "the kernel refused")
    assert found.waiting == ("disk is unknown",)


def test_against_names_everything() -> None:
    down = Interface(True, False, MAC, ((PRIMARY, 24),))
    found = standing(instance(), {"eth0": down}, VIRTUAL, Tracked(("mysql fails",), (), 90, ()), None)
    assert found.against == ("interface eth0 is down", "mysql fails")


def test_a_vip_with_another_prefix_is_a_real_address() -> None:
    interface = Interface(True, True, MAC, ((VIP, 24), (PRIMARY, 24)))
    assert primary_address(interface, VIRTUAL) == VIP
    assert primary_address(Interface(True, True, MAC, None), VIRTUAL) is None
