"""Which adverts a node listens for: the virtual routers of each interface, by family, and their multicast groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pyvrrp.core.settings import Address, InstanceSettings


class RouterId(NamedTuple):
    """What tells one virtual router of an interface from others; IPv4 and IPv6 of one VRID are two (RFC 9568 1.2).

    The group is joined for unicast too: who speaks to it by mistake is to be named.
    """

    family: int
    vrid: int
    group: Address


def router_id(instance: InstanceSettings) -> RouterId:
    """What tells this one from others of its interface."""
    return RouterId(instance.family, instance.virtual_router_id, instance.multicast_group)


def listening(instances: Iterable[InstanceSettings]) -> dict[str, frozenset[RouterId]]:
    """The virtual routers by interface; none on one that only has addresses."""
    found: dict[str, set[RouterId]] = {}
    for instance in instances:
        found.setdefault(instance.interface, set()).add(router_id(instance))
        for interface in instance.interfaces:
            found.setdefault(interface, set())
    return {interface: frozenset(routers) for interface, routers in found.items()}
