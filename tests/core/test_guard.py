"""core/guard: every reason against holding the VIP."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from pyvrrp.core.events import DatabaseReport
from pyvrrp.core.guard import NO_PEERS, NOT_REPORTED, Interface, Standing, primary_address, standing
from pyvrrp.core.settings import Account, Address, DatabaseSettings, InstanceSettings, UnicastPeer, VirtualAddress
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
    assert primary_address(interface, VIRTUAL, 4, routed=False) == VIP
    assert primary_address(Interface(True, True, MAC, None), VIRTUAL, 4, routed=False) is None


# --- IPv6, a source of its own, unicast -------------------------------------------------------------------------------

LINK_LOCAL, GLOBAL, LINK_LOCAL_VIP = (IPv6Address(each) for each in ("fe80::c9", "2001:db8::c9", "fe80::60"))
SIX = instance(family=6, version=3, addresses=(VirtualAddress("eth0", LINK_LOCAL_VIP, 128),))
VIRTUAL_6: frozenset[tuple[Address, int]] = frozenset({(LINK_LOCAL_VIP, 128)})
WHOLE = Interface(True, True, MAC, ((PRIMARY, 24), (GLOBAL, 64), (LINK_LOCAL_VIP, 128), (LINK_LOCAL, 64)))
ABROAD, NEAR = UnicastPeer(IPv6Address("2001:db8::ca")), UnicastPeer(IPv6Address("fe80::ca"))


@pytest.mark.parametrize(
    ("settings", "source"),
    [
        (SIX, LINK_LOCAL),
        (instance(), PRIMARY),
        (replace(SIX, unicast_peers=(NEAR,)), LINK_LOCAL),
        (replace(SIX, unicast_peers=(NEAR, ABROAD)), GLOBAL),
        (instance(source=IPv4Address("10.9.9.9")), IPv4Address("10.9.9.9")),
        (replace(SIX, source=GLOBAL), GLOBAL),
    ],
)
def test_whom_adverts_come_from(settings: InstanceSettings, source: Address) -> None:
    found = standing(settings, {"eth0": WHOLE}, VIRTUAL_6, FINE, None)
    assert (found.source, found.against) == (source, ())


@pytest.mark.parametrize(
    ("settings", "interface", "broken"),
    [
        (
            SIX,
            Interface(True, True, MAC, ((PRIMARY, 24), (GLOBAL, 64))),
            "interface eth0 has no IPv6 link-local address",
        ),
        (
            SIX,
            Interface(True, True, MAC, ((LINK_LOCAL_VIP, 128),)),
            "interface eth0 has no IPv6 link-local address besides virtual ones",
        ),
        (
            replace(SIX, unicast_peers=(ABROAD,)),
            Interface(True, True, MAC, ((LINK_LOCAL, 64),)),
            "interface eth0 has no IPv6 global address",
        ),
        (
            instance(source=IPv4Address("10.9.9.9"), track_source=True),
            WHOLE,
            "interface eth0 does not have 10.9.9.9, the source of its adverts",
        ),
        (instance(unicast_fault_no_peer=True), WHOLE, NO_PEERS),
    ],
)
def test_without_a_sender_or_anybody_to_send_to(settings: InstanceSettings, interface: Interface, broken: str) -> None:
    found = standing(settings, {"eth0": interface}, VIRTUAL_6, FINE, None)
    assert found.broken == (broken,)


def test_a_source_that_is_tracked_and_there() -> None:
    settings = instance(source=PRIMARY, track_source=True, unicast_fault_no_peer=True, unicast_peers=(NEAR,))
    assert standing(settings, {"eth0": WHOLE}, VIRTUAL, FINE, None).against == ()


def test_dont_track_primary_forgives_a_link_that_is_down_and_nothing_else() -> None:
    settings = instance(track_primary=False)
    down = Interface(True, False, MAC, ((PRIMARY, 24),))
    assert standing(settings, {"eth0": down}, VIRTUAL, FINE, None).against == ()
    bare = Interface(True, False, MAC, ())
    assert standing(settings, {"eth0": bare}, VIRTUAL, FINE, None).broken == ("interface eth0 has no IPv4 address",)
    gone = Interface(False, False, MAC, ())
    assert standing(settings, {"eth0": gone}, VIRTUAL, FINE, None).broken == ("interface eth0 does not exist",)


# --- a database -------------------------------------------------------------------------------------------------------

BOUND = instance(database=DatabaseSettings(Account()))


def test_a_database_that_was_not_looked_at_is_waited_for_and_withholds() -> None:
    found = standing(BOUND, {"eth0": UP}, VIRTUAL, FINE, None)
    assert (found.against, found.waiting, found.withheld, found.unseen) == ((), (NOT_REPORTED,), (NOT_REPORTED,), ())


def test_what_a_database_has_to_say() -> None:
    report = DatabaseReport("VI_1", ("mysqld is down",), ("it lags",))
    tracked = Tracked(("disk fails",), ("net is unknown",), 90, ())
    found = standing(BOUND, {"eth0": UP}, VIRTUAL, tracked, "the kernel refused", report)
    assert found.faults == found.against == ("disk fails", "mysqld is down", "the kernel refused")
    assert (found.waiting, found.withheld) == (("net is unknown",), ("it lags",))


def test_a_report_about_no_database_counts_for_nothing() -> None:
    report = DatabaseReport("VI_1", ("mysqld is down",), ("it lags",))
    assert standing(instance(), {"eth0": UP}, VIRTUAL, FINE, None, report) == standing(
        instance(), {"eth0": UP}, VIRTUAL, FINE, None
    )
