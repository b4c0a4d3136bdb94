"""core/guard: every reason against holding the VIP."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

import pytest

from pyvrrp.core.guard import Interface, Standing, primary_address, standing
from pyvrrp.core.settings import Address
from pyvrrp.core.tracking import Tracked
from tests.simulation import instance

MAC = bytes(6)
VIP, PRIMARY = IPv4Address("192.168.1.200"), IPv4Address("192.168.1.201")
VIRTUAL: frozenset[tuple[Address, int]] = frozenset({(VIP, 32)})
FINE = Tracked((), (), 90, (("mysql", -10),))
UP = Interface(present=True, up=True, mac=MAC, addresses=((VIP, 32), (PRIMARY, 24)))


def test_nothing_against_it() -> None:
    found = standing(instance(), UP, VIRTUAL, FINE, None)
    assert found == Standing((), (), (), 90, (("mysql", -10),), PRIMARY, MAC)
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
    found = standing(instance(), interface, VIRTUAL, FINE, None)
    assert found.broken == found.against == (broken,)


@pytest.mark.parametrize("interface", [None, Interface(True, True, MAC, None)])
def test_not_looked_at_yet(interface: Interface | None) -> None:
    tracked = Tracked(("mysql fails",), ("disk is unknown",), 90, ())
    found = standing(instance(), interface, VIRTUAL, tracked, None)
    assert found.waiting == ("interface eth0 has not been looked at yet", "disk is unknown")
    assert (found.faults, found.source, found.mac) == (("mysql fails",), None, b"")


def test_checks_and_refusals_are_faults() -> None:
    tracked = Tracked(("mysql fails",), ("disk is unknown",), 90, ())
    found = standing(instance(), UP, VIRTUAL, tracked, "the kernel refused")
    assert found.faults == found.against == ("mysql fails", "the kernel refused")
    assert found.waiting == ("disk is unknown",)


def test_against_names_everything() -> None:
    down = Interface(True, False, MAC, ((PRIMARY, 24),))
    found = standing(instance(), down, VIRTUAL, Tracked(("mysql fails",), (), 90, ()), None)
    assert found.against == ("interface eth0 is down", "mysql fails")


def test_a_vip_with_another_prefix_is_a_real_address() -> None:
    interface = Interface(True, True, MAC, ((VIP, 24), (PRIMARY, 24)))
    assert primary_address(interface, VIRTUAL) == VIP
    assert primary_address(Interface(True, True, MAC, None), VIRTUAL) is None
