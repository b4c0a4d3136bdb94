"""The one model of a node's status. Text, JSON and every later renderer are made from it and from nothing else.

Times are monotonic seconds of the node's own clock; `Snapshot.now` is when it was taken. The sentences in `why` are
made in core/explain.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyvrrp.core.events import DatabaseView
from pyvrrp.core.settings import Address


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state and its cause. `vip_live` is seconds from the cause to the address being in the kernel."""

    at: float
    instance: str
    old: str
    new: str
    reason: str
    vip_live: float | None = None


@dataclass(frozen=True, slots=True)
class AddressStatus:
    """A virtual address and whether this node's kernel holds it."""

    address: str
    held: bool


@dataclass(frozen=True, slots=True)
class MasterStatus:
    """The master as last heard: its interval in seconds, and when that was."""

    address: Address
    priority: int
    advert_int: float
    heard: float


@dataclass(frozen=True, slots=True)
class RejectedStatus:
    """The last advert for this virtual router that was not accepted, and how many there were in all."""

    source: Address
    reason: str
    at: float
    count: int


@dataclass(frozen=True, slots=True)
class RivalStatus:
    """A sender whose adverts are turned away: since when, when last, how many, why, and what is likely wrong.

    `priority` is None when what it sends is no advert; the reason and its kind are those of the last one.
    """

    source: Address
    priority: int | None
    kind: str
    reason: str
    cause: str
    count: int
    since: float
    last: float


@dataclass(frozen=True, slots=True)
class HolderStatus:
    """Another host that said it has a virtual address: since when, and when last."""

    address: Address
    mac: str
    since: float
    heard: float


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """The database behind an instance, as last reported."""

    instance: str
    view: DatabaseView
    faults: tuple[str, ...]
    against: tuple[str, ...]
    reported: float | None  # when the last report came


@dataclass(frozen=True, slots=True)
class InstanceStatus:
    """Everything about one virtual router that an operator asks for."""

    name: str
    interface: str
    virtual_router_id: int
    version: int
    state: str
    since: float
    base_priority: int
    priority: int
    advert_int: float
    preempt: bool
    vip_lease: int | None
    addresses: tuple[AddressStatus, ...]
    handing_over: bool
    master: MasterStatus | None
    rejected: RejectedStatus | None
    skew_time: float
    master_down_interval: float
    why: tuple[str, ...]
    last: Transition | None
    counters: dict[str, int]
    rivals: tuple[RivalStatus, ...] = ()  # of the last minutes
    holders: tuple[HolderStatus, ...] = ()  # beside a MASTER, or instead of one
    contested: bool = False  # whether two nodes may hold an address, or another host keeps it from this one


@dataclass(frozen=True, slots=True)
class CheckStatus:
    """One check. `result` is up, down or unknown; `at` is when it last reported, None before the first time.

    `took` is how long that took, in seconds; None where the kernel tells (files, interfaces).
    """

    name: str
    target: str
    result: str
    detail: str
    took: float | None
    at: float | None
    successes: int
    failures: int


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """A sync group. `state` is the one that all its members are in, "" while they are in several."""

    name: str
    state: str
    members: tuple[str, ...]
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RealServerStatus:
    """A server of a service; `up` is what keepalived would have in IPVS's table."""

    name: str
    up: bool
    weight: int
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """A virtual server: whether its living servers are enough, and their weight."""

    name: str
    quorum: bool
    weight: int
    servers: tuple[RealServerStatus, ...]
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A whole node at one moment."""

    now: float
    router_id: str
    stopping: bool
    instances: tuple[InstanceStatus, ...]
    checks: tuple[CheckStatus, ...]
    history: tuple[Transition, ...]
    services: tuple[ServiceStatus, ...] = ()
    groups: tuple[GroupStatus, ...] = ()
    databases: tuple[DatabaseStatus, ...] = ()
