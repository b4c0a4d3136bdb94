"""Everything that the core asks of the world, as frozen data: the only output of `Node.handle`.

The ordering contract. The shell performs effects strictly in the order of the list, and:

* `SendAdvert` before the `RenewLease` of the same instance: a lease is renewed only when the advert beside it was sent.
  A shell may gather the renewals of one list and perform them together after the last `SendAdvert`.
* `SendAdvert` before `Reconcile` when taking over: rivals fall silent before the address appears.
* `Reconcile` before the `ReconcileRoutes` that adds what may need its addresses, and after the one that removes it.
* `ResetConnections` before the `Reconcile` that removes the address: a reset needs its source address. A shell may
  perform all of one list with the first.
* An advert that the kernel refuses to send (to every peer, when there are several `SendAdvert`) is answered by
  `AdvertFailed`, the next one that leaves by `AdvertPassed`.
* `Reconcile` is answered by one `EffectDone` for what was done and an `EffectFailed` for each operation refused. The
  core answers an `EffectDone` that added addresses with `Announce`: nothing is announced that the kernel does not hold.
* `OpenWrites` is answered by `WritesOpened` or `WritesRefused`, `CloseWrites` by `WritesClosed` within the bound of its
  settings. Each carries a `term`, which grows over all lives of an instance; the one with the highest term is in force,
  one that it overtook needs no answer, and a server whose instance got none yet is left alone. Neither is waited for by
  the shell: other effects go on.
* `Invite` after the `SendAdvert` of priority 0 that it repeats for the other node's agent.
* `Record` may be performed late; one that cannot be written is counted.
* `Notify` is performed after everything else of its list, never awaited. The commands of one `subject` run one after
  the other, in the order of the effects.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from pyvrrp.core import const
from pyvrrp.core.settings import Address, Command, VirtualAddress, VirtualRoute, VirtualRule


class Action(enum.Enum):
    """What to do with an address."""

    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Operation:
    """One change of the kernel's addresses. `lease` is the lifetime in seconds of an address added, None for ever.

    Adding an address that is there gives it the lease; that, and removing one that is not there, count as done.
    """

    action: Action
    address: VirtualAddress
    lease: int | None = None


@dataclass(frozen=True, slots=True)
class SendAdvert:
    """Send `payload` as protocol 112 from `source` to `destination` out of `interface`, with this TTL or hop limit.

    To several unicast peers there is one for each, and an advert counts as sent when one of them left.
    """

    instance: str
    interface: str
    source: Address
    destination: Address
    payload: bytes = field(repr=False)  # version 2 carries the password in it
    ttl: int = const.TTL


@dataclass(frozen=True, slots=True)
class RenewLease:
    """Give each address `lease` more seconds from now."""

    instance: str
    addresses: tuple[VirtualAddress, ...]
    lease: int


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Change the kernel's addresses; answered by EffectDone or EffectFailed."""

    instance: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class RouteOperation:
    """One change of the kernel's routes or rules. Adding what is there, and removing what is not, count as done."""

    action: Action
    subject: VirtualRoute | VirtualRule


@dataclass(frozen=True, slots=True)
class ReconcileRoutes:
    """Change the kernel's routes and rules; answered by RoutesDone or RouteFailed. "" is nobody's: static ones."""

    instance: str
    operations: tuple[RouteOperation, ...]


@dataclass(frozen=True, slots=True)
class Announce:
    """Send these Ethernet frames (gratuitous ARP, neighbour advertisements) out of `interface`, in this order.

    `instance` is whose addresses they tell of, while they may still have to wait for their turn (core/pacing.py).
    """

    interface: str
    frames: tuple[bytes, ...]
    instance: str = ""


@dataclass(frozen=True, slots=True)
class ResetConnections:
    """Reset every TCP connection whose local address is one of these."""

    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class OpenWrites:
    """Let the instance's server apply what it received, then take writes. `forced`: whatever is missing."""

    instance: str
    term: int
    forced: bool = False


@dataclass(frozen=True, slots=True)
class CloseWrites:
    """Let the instance's server take no more writes: read_only, sessions killed. From then on it stays so."""

    instance: str
    term: int
    reason: str


@dataclass(frozen=True, slots=True)
class RefuseConnections:
    """Answer new connections to these addresses with a reset until told otherwise; none lifts it."""

    instance: str
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Invite:
    """Tell the other node's agent that this one has left the instance's addresses to it."""

    instance: str


class Level(enum.IntEnum):
    """How much a record matters; the values are syslog's."""

    ERROR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6
    DEBUG = 7


@dataclass(frozen=True, slots=True)
class Record:
    """One line for the log. `state` is set when it reports a transition of `instance`."""

    level: Level
    instance: str
    text: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """An SMTP alert; the shell knows where it goes."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell the world of a change.

    `subject` names the queue: `INSTANCE VI_1`, `GROUP G`, `SERVICE [192.0.2.1]:tcp:80`. `line` goes to the FIFOs for
    `family` ("vrrp" or "lvs"), without its newline, "" to none. The commands are complete, and get `environment` on
    top of the daemon's own.
    """

    subject: str
    family: str
    line: str
    commands: tuple[Command, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    mail: Mail | None = None


Effect = (
    SendAdvert
    | RenewLease
    | Reconcile
    | ReconcileRoutes
    | Announce
    | ResetConnections
    | OpenWrites
    | CloseWrites
    | RefuseConnections
    | Invite
    | Record
    | Notify
)
