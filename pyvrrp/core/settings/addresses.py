"""Addresses that follow mastership."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import Final

Address = IPv4Address | IPv6Address


# rtnetlink's numbers for the scope of an address, under iproute2's names.
SCOPES: Final = MappingProxyType({"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255})


@dataclass(frozen=True, slots=True, order=True)
class VirtualAddress:
    """An address that follows mastership, and the interface that it is put on.

    Label, scope (rtnetlink's number) and broadcast do not make it another address: the kernel tells them apart neither.
    """

    interface: str
    address: Address
    prefixlen: int
    label: str = field(default="", compare=False)
    scope: int = field(default=0, compare=False)
    broadcast: Address | None = field(default=None, compare=False)

    @property
    def scope_name(self) -> str:
        """iproute2's name of its scope, or the number."""
        return next((name for name, number in SCOPES.items() if number == self.scope), str(self.scope))

    def __str__(self) -> str:
        return f"{self.address}/{self.prefixlen}"
