"""core/listening: IPv4 and IPv6 of one VRID are two virtual routers, and each has its group."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from pyvrrp.core import const
from pyvrrp.core.listening import RouterId, listening
from pyvrrp.core.settings import UnicastPeer, VirtualAddress
from tests.simulation import instance

LINK_LOCAL = VirtualAddress("eth0", IPv6Address("fe80::60"), 128)


def test_both_families_of_one_vrid() -> None:
    six = replace(instance(), name="VI_6", family=6, version=3, addresses=(LINK_LOCAL,))
    assert listening((instance(), six)) == {
        "eth0": {RouterId(4, 60, const.GROUP_IPV4), RouterId(6, 60, const.GROUP_IPV6)}
    }


def test_another_group_and_the_group_of_who_speaks_unicast() -> None:
    group = IPv4Address("224.0.0.99")
    unicast = replace(instance(), virtual_router_id=61, unicast_peers=(UnicastPeer(IPv4Address("192.168.1.202")),))
    assert listening((instance(group=group), unicast)) == {
        "eth0": {RouterId(4, 60, group), RouterId(4, 61, const.GROUP_IPV4)}
    }


def test_nobody_is_listened_for_where_only_addresses_are() -> None:
    elsewhere = VirtualAddress("eth1", IPv4Address("10.0.0.1"), 24)
    assert listening((instance(excluded=(elsewhere,)),))["eth1"] == frozenset()
