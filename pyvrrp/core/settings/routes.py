"""Routes and rules that follow mastership, or stay (static), in iproute2's words."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from types import MappingProxyType
from typing import Final

from pyvrrp.core.settings.addresses import Address

Network = IPv4Network | IPv6Network

MAIN_TABLE: Final = 254
_ALL_IPV4: Final = IPv4Network("0.0.0.0/0")
IPV6_METRIC: Final = 1024  # what the kernel takes where none is named

# rtnetlink's numbers of the types of a route, under iproute2's names.
ROUTE_TYPES: Final = MappingProxyType({"unicast": 1, "blackhole": 6, "unreachable": 7, "prohibit": 8, "throw": 9})


@dataclass(frozen=True, slots=True)
class NextHop:
    """One of several ways of a route."""

    via: Address | None = None
    interface: str = ""
    weight: int = 1
    onlink: bool = False

    def __str__(self) -> str:
        way = " ".join(f"{word} {value}" for word, value in (("via", self.via), ("dev", self.interface)) if value)
        return f"nexthop {way} weight {self.weight}{' onlink' if self.onlink else ''}"


@dataclass(frozen=True, slots=True)
class RouteKey:
    """What the kernel tells routes apart by."""

    destination: Network
    table: int
    metric: int
    tos: int


@dataclass(frozen=True, slots=True)
class VirtualRoute:
    """A route. `metric` 0 and `scope` 0 leave the choice to the kernel; `options` are its metrics, as mtu, by name."""

    destination: Network
    kind: str = "unicast"
    via: Address | None = None
    interface: str = ""
    source: Address | None = None
    table: int = MAIN_TABLE
    metric: int = 0
    scope: int = 0
    tos: int = 0
    onlink: bool = False
    options: tuple[tuple[str, int], ...] = ()
    hops: tuple[NextHop, ...] = ()

    @property
    def key(self) -> RouteKey:
        """What the kernel tells it from others by."""
        metric = self.metric or (IPV6_METRIC if self.destination.version == 6 else 0)
        return RouteKey(self.destination, self.table, metric, self.tos)

    def __str__(self) -> str:
        values = {
            "via": self.via,
            "dev": self.interface,
            "src": self.source,
            "table": self.table if self.table != MAIN_TABLE else None,
            "metric": self.metric,
            "scope": self.scope,
            "tos": f"{self.tos:#x}" if self.tos else None,
            **dict(self.options),
        }
        return " ".join(
            [
                *([] if self.kind == "unicast" else [self.kind]),
                "default" if self.destination == _ALL_IPV4 else str(self.destination),
                *(f"{word} {value}" for word, value in values.items() if value),
                *(["onlink"] if self.onlink else []),
                *map(str, self.hops),
            ]
        )


@dataclass(frozen=True, slots=True)
class VirtualRule:
    """A rule of policy routing, as the kernel has it; `action` is lookup (of `table`), blackhole, unreachable or
    prohibit. Two rules are one when all of it is the same."""

    family: int
    priority: int
    action: str = "lookup"
    table: int = 0
    negate: bool = False
    source: Network | None = None
    destination: Network | None = None
    iif: str = ""
    oif: str = ""
    tos: int = 0
    mark: int = 0
    mask: int = 0
    suppress_prefixlength: int | None = None

    def __str__(self) -> str:
        values = {
            "to": self.destination,
            "iif": self.iif,
            "oif": self.oif,
            "tos": f"{self.tos:#x}" if self.tos else None,
            "fwmark": f"{self.mark:#x}/{self.mask:#x}" if self.mask else None,
        }
        suppressed = self.suppress_prefixlength
        return " ".join(
            [
                *(["inet6"] if self.family == 6 and self.source is None and self.destination is None else []),
                *(["not"] if self.negate else []),
                f"from {self.source or 'all'}",
                *(f"{word} {value}" for word, value in values.items() if value),
                f"lookup {self.table}" if self.action == "lookup" else self.action,
                *([] if suppressed is None else [f"suppress_prefixlength {suppressed}"]),
                f"priority {self.priority}",
            ]
        )
