"""Everything that can happen to a node, as frozen data: the only input of `Node.handle(event, now)`.

Times are never part of an event; `now` (monotonic seconds) comes beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyvrrp.core.effects import Operation, RouteOperation
from pyvrrp.core.settings import Address, NodeSettings, RouteKey, VirtualRule


@dataclass(frozen=True, slots=True)
class AdvertReceived:
    """A protocol-112 packet as it was heard, not yet decoded: `payload` begins after the IP header."""

    interface: str
    source: Address
    destination: Address
    ttl: int
    payload: bytes = field(repr=False)  # version 2 carries the password in it


@dataclass(frozen=True, slots=True)
class AdvertOverheard:
    """The same, heard below netfilter: the copy that shows whether this host's firewall lets adverts through."""

    interface: str
    source: Address
    destination: Address
    ttl: int
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class HolderHeard:
    """A host said that it has `address`, in ARP or in a neighbour advertisement. `mac` is never one of this node's."""

    interface: str
    address: Address
    mac: bytes


@dataclass(frozen=True, slots=True)
class TimerDue:
    """The deadline that the node named has come."""


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The state of an interface, at start and at every change. `present` is False when there is no such interface.

    `router`: it forwards IPv6.
    """

    interface: str
    present: bool
    up: bool
    mac: bytes
    router: bool = False


@dataclass(frozen=True, slots=True)
class AddressesChanged:
    """All addresses of an interface as (address, prefix length), in the kernel's order; after its first LinkChanged."""

    interface: str
    addresses: tuple[tuple[Address, int], ...]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One run of a check. `took` is seconds. `conclusive` asks that `fall` and `rise` are not waited for.

    `value` is the number of a check that yields one: what is in a file, the exit status of a script (0 when it has
    none). A script's `detail` is keepalived's: `exited with status 1`, `due to signal 9`, `timed_out`.
    """

    check: str
    ok: bool
    detail: str
    took: float
    conclusive: bool = False
    value: int = 0


@dataclass(frozen=True, slots=True)
class EffectDone:
    """The kernel carried out these operations of a `Reconcile`."""

    instance: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class EffectFailed:
    """The kernel refused one operation of a `Reconcile`; `reason` is its own message."""

    instance: str
    operation: Operation
    reason: str


@dataclass(frozen=True, slots=True)
class RoutesChanged:
    """All routes and rules of the kernel that carry keepalived's protocol number, as ours do."""

    routes: frozenset[RouteKey]
    rules: frozenset[VirtualRule]


@dataclass(frozen=True, slots=True)
class RoutesDone:
    """The kernel carried out these operations of a `ReconcileRoutes`."""

    instance: str
    operations: tuple[RouteOperation, ...]


@dataclass(frozen=True, slots=True)
class RouteFailed:
    """The kernel refused one operation of a `ReconcileRoutes`; `reason` is its own message."""

    instance: str
    operation: RouteOperation
    reason: str


@dataclass(frozen=True, slots=True)
class AdvertFailed:
    """The kernel would not send an instance's advert; `reason` is its own message."""

    instance: str
    reason: str


@dataclass(frozen=True, slots=True)
class AdvertPassed:
    """The first advert that left after AdvertFailed."""

    instance: str


@dataclass(frozen=True, slots=True)
class DatabaseView:
    """What status shows of the server behind an instance; "" is not known.

    `verdict`: UP, OVERLOADED, READ_ONLY, STALLED, HUNG, DOWN, "" before the first; `evidence` is the sentence for it.
    `writes`: open, closed, opening, closing. `position`: GTIDs or coordinates up to which everything is here. `errant`:
    transactions that the other node has not, `lost`: those that the last takeover is known to have left behind. `mode`:
    paused, drained, diverged, held down, and what becomes of two nodes that cannot hear each other.
    """

    server: str = ""
    verdict: str = ""
    evidence: str = ""
    writes: str = ""
    replication: str = ""
    position: str = ""
    semi_sync: str = ""
    peer: str = ""
    mode: str = ""
    errant: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatabaseReport:
    """What the server behind an instance is fit for now.

    `faults` keep it from serving (a MASTER hands over, others are in FAULT), `against` only keep a BACKUP from taking
    over; a MASTER goes on with them. Both are sentences.
    """

    instance: str
    faults: tuple[str, ...]
    against: tuple[str, ...]
    view: DatabaseView = DatabaseView()


@dataclass(frozen=True, slots=True)
class WritesOpened:
    """The answer to OpenWrites: what was received is applied, a write was proved. `detail` says how it went."""

    instance: str
    term: int
    detail: str


@dataclass(frozen=True, slots=True)
class WritesRefused:
    """The answer to OpenWrites when the server is not fit: its writes are closed."""

    instance: str
    term: int
    reason: str


@dataclass(frozen=True, slots=True)
class WritesClosed:
    """The answer to CloseWrites, also when it was not possible: then `complete` is False and `detail` says why."""

    instance: str
    term: int
    detail: str
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Invited:
    """The other node's agent says over the channel that it has left: nobody need wait for silence.

    `by` is its name, with the reason in brackets where it gave one.
    """

    instance: str
    by: str


@dataclass(frozen=True, slots=True)
class Vacant:
    """The other node's agent says over the channel that it is not MASTER, though nobody is. `by` is its name."""

    instance: str
    by: str


@dataclass(frozen=True, slots=True)
class Relinquish:
    """Somebody asks a MASTER to hand over (switchover, drain)."""

    instance: str
    reason: str


@dataclass(frozen=True, slots=True)
class Seize:
    """The operator makes a BACKUP take over, whatever speaks against its database (promote --force)."""

    instance: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConfigReplaced:
    """A new configuration, already checked, takes the place of the old one."""

    settings: NodeSettings


@dataclass(frozen=True, slots=True)
class Stopping:
    """The daemon was asked to end: hand over what is held, then be done."""

    reason: str


Event = (
    AdvertReceived
    | AdvertOverheard
    | HolderHeard
    | TimerDue
    | LinkChanged
    | AddressesChanged
    | CheckResult
    | EffectDone
    | EffectFailed
    | RoutesChanged
    | RoutesDone
    | RouteFailed
    | AdvertFailed
    | AdvertPassed
    | DatabaseReport
    | WritesOpened
    | WritesRefused
    | WritesClosed
    | Invited
    | Vacant
    | Relinquish
    | Seize
    | ConfigReplaced
    | Stopping
)
