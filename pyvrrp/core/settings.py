"""What the core needs to know of a configuration: plain frozen data, already checked, no file positions.

`config/` makes these from node.yaml. Durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from ipaddress import IPv4Address, IPv6Address

from pyvrrp.core import const
from pyvrrp.errors import Problem

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True, order=True)
class VirtualAddress:
    """An address that follows mastership, and the interface that it is put on."""

    interface: str
    address: Address
    prefixlen: int

    def __str__(self) -> str:
        return f"{self.address}/{self.prefixlen}"


@dataclass(frozen=True, slots=True)
class Track:
    """An instance's interest in a check: weight 0 means FAULT while it fails, else it moves the priority.

    A positive weight is added while the check passes, a negative one while it fails (keepalived's `weight`).
    """

    check: str
    weight: int = 0

    def __str__(self) -> str:
        return f"{self.check} (weight {self.weight})" if self.weight else self.check


@dataclass(frozen=True, slots=True)
class InstanceSettings:
    """One virtual router, in keepalived's words."""

    name: str
    interface: str
    virtual_router_id: int
    addresses: tuple[VirtualAddress, ...]
    priority: int = const.PRIORITY_DEFAULT
    version: int = 2
    advert_int: float = 1.0
    preempt: bool = True
    auth_pass: bytes | None = None
    tracks: tuple[Track, ...] = ()
    vip_lease: int | None = 2
    garp_master_delay: float = const.GARP_DELAY
    garp_master_repeat: int = const.GARP_REPEAT

    @property
    def owner(self) -> bool:
        """Whether this router owns the addresses (RFC 3768 section 5.3.4)."""
        return self.priority == const.PRIORITY_OWNER

    def __repr__(self) -> str:
        # A dataclass's own repr would print auth_pass.
        return f"InstanceSettings({self.name!r}, {self.interface!r}, vrid={self.virtual_router_id})"


@dataclass(frozen=True, slots=True)
class TcpProbe:
    """Connect to host:port and close; nothing is sent."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """A health check: how often it runs, how long it may take, how many results in a row count."""

    name: str
    probe: TcpProbe
    interval: float = 2.0
    timeout: float = 3.0
    fall: int = 3
    rise: int = 1


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """A whole node: what one pyvrrpd runs."""

    router_id: str
    instances: tuple[InstanceSettings, ...]
    checks: tuple[CheckSettings, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadedNode:
    """What reading a configuration file yields: settings, advice that keeps nothing from starting, and places.

    `places` maps an instance's name to (file, line, column) of its interface, for problems that only a host can find.
    """

    settings: NodeSettings
    advice: tuple[Problem, ...]
    places: dict[str, tuple[str, int, int]]


def shape() -> str:
    """The classes above in one line: two processes that agree on it can hand settings to each other."""
    classes = (VirtualAddress, Track, InstanceSettings, TcpProbe, CheckSettings, NodeSettings, LoadedNode, Problem)
    return " ".join(f"{each.__name__}({','.join(field.name for field in fields(each))})" for each in classes)


def automatic_lease(advert_int: float) -> int:
    """Seconds of `vip_lease: auto`: over before the earliest successor, outliving one lost turn where possible.

    The kernel counts whole seconds and takes up to half a second more to act, so the lease ends one second before
    three intervals have passed (no backup takes over earlier), and is never below one second, the kernel's smallest.
    """
    return max(1, int(const.DOWN_TIMER_ADVERTS * advert_int) - 1)
