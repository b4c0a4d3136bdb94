"""The settings that the tests begin with: the instance of the tutorial, its check, and what they are made of."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from pyvrrp.core.settings import (
    Account,
    CheckSettings,
    DatabaseSettings,
    InstanceSettings,
    NodeSettings,
    SyncGroupSettings,
    TcpProbe,
    VirtualAddress,
)

INTERFACE = "eth0"
VIP = VirtualAddress(INTERFACE, ip_address("192.168.1.200"), 32)
SECOND = VirtualAddress(INTERFACE, ip_address("192.168.1.199"), 32)
INSIDE = VirtualAddress("eth1", ip_address("10.0.0.1"), 24)  # on a second interface, where no adverts go
CHECK = CheckSettings("mysql", TcpProbe("127.0.0.1", 3306), interval=1.0, timeout=1.0, fall=3, rise=1)

DATABASE = DatabaseSettings(Account(), hold_down=0.0)


def instance(**changes: object) -> InstanceSettings:
    """The instance of the tutorial, with changes; it asks nobody whether the address is taken, unless told to."""
    plain = InstanceSettings("VI_1", INTERFACE, 60, (VIP,), priority=100, duplicate_wait=0.0)
    return replace(plain, **changes)  # type: ignore[arg-type]


def settings(
    *instances: InstanceSettings, checks: tuple[CheckSettings, ...] = (), groups: tuple[SyncGroupSettings, ...] = ()
) -> NodeSettings:
    """A node of these instances."""
    return NodeSettings("node", instances, checks, groups)


def group_of(first: InstanceSettings, priority: int) -> tuple[InstanceSettings, ...]:
    """The instance, and VI_2 beside it with this priority, which alone tracks what was tracked."""
    second = replace(first, name="VI_2", virtual_router_id=61, addresses=(SECOND,), priority=priority)
    return replace(first, tracks=()), second
