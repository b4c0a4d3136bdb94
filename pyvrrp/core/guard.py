"""May this node hold the VIP? The answer is a list of reasons against it, never a bare no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pyvrrp.core.events import DatabaseReport
from pyvrrp.core.settings import Address, InstanceSettings, Vmac
from pyvrrp.core.tracking import Tracked

NOT_REPORTED: Final = "the database has not been looked at yet"
_FIT: Final = DatabaseReport("", (), ())
_UNKNOWN: Final = DatabaseReport("", (), (NOT_REPORTED,))
NO_PEERS: Final = "it speaks unicast and has no peers"


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface as last observed; `addresses`: (address, prefix length) in the kernel's order, None if unknown.

    `router`: it forwards IPv6.
    """

    present: bool
    up: bool
    mac: bytes
    addresses: tuple[tuple[Address, int], ...] | None
    router: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What an instance may do now.

    `broken` are reasons that leave it without a network: there is nobody to hand over to. `faults` are reasons to hand
    over. `waiting` are things not known yet. `source` is the primary address, the sender of its adverts. `macs` are
    those of every interface that it uses, as far as they are known. `unseen` is
    the part of `waiting` that is about interfaces. `routers` are the interfaces that forward IPv6. `withheld` are
    reasons against taking over that do not keep it from being BACKUP.
    """

    broken: tuple[str, ...]
    faults: tuple[str, ...]
    waiting: tuple[str, ...]
    priority: int
    terms: tuple[tuple[str, int], ...]
    source: Address | None
    macs: Mapping[str, bytes]
    unseen: tuple[str, ...] = ()
    routers: frozenset[str] = frozenset()
    withheld: tuple[str, ...] = ()

    @property
    def against(self) -> tuple[str, ...]:
        """Every reason against holding the VIP."""
        return self.broken + self.faults


def primary_address(
    interface: Interface, virtual: frozenset[tuple[Address, int]], family: int, *, routed: bool
) -> Address | None:
    """The interface's first address that is not virtual: its "primary IP address" (RFC 3768 1.3, RFC 9568 1.7).

    Of IPv6 it is link-local, unless adverts are `routed` to unicast peers elsewhere.
    """
    for address, prefixlen in interface.addresses or ():
        fits = address.version == family and (family == 4 or address.is_link_local is not routed)
        if fits and (address, prefixlen) not in virtual:
            return address
    return None


def _source(
    settings: InstanceSettings, interface: Interface, virtual: frozenset[tuple[Address, int]]
) -> Address | None:
    """The sender of its adverts."""
    if settings.source is not None:
        return settings.source
    routed = any(not peer.address.is_link_local for peer in settings.unicast_peers)
    return primary_address(interface, virtual, settings.family, routed=routed)


def standing(
    settings: InstanceSettings,
    interfaces: Mapping[str, Interface],
    virtual: frozenset[tuple[Address, int]],
    tracked: Tracked,
    refused: str | None,
    report: DatabaseReport | None = None,
) -> Standing:
    """Put links, addresses, checks and the kernel's refusals together. `virtual` are all VIPs of its own interface.

    Without its own interface, or the virtual MAC that its adverts leave by, it is broken; another one that it puts
    addresses on only makes it hand over. `report` is the latest of its database.
    """
    own, voice = settings.interface, settings.advert_interface
    names = dict.fromkeys((own, voice, *(each.interface for each in settings.held)))
    known = {name: interfaces[name] for name in names if name in interfaces}
    unseen = [name for name in names if name not in known or known[name].addresses is None]
    not_looked_at = tuple(f"interface {name} has not been looked at yet" for name in unseen)
    absent = tuple(text for name, each in known.items() if name not in (own, voice) and (text := _absent(name, each)))
    fitness = _fitness(settings, report)
    faults = absent + tracked.faults + fitness.faults + ((refused,) if refused else ())
    macs = {name: each.mac for name, each in known.items()}
    source: Address | None = None
    broken: tuple[str, ...] = ()
    if own not in unseen:
        source = _source(settings, known[own], virtual)
        broken = _broken(settings, known[own], source)
    if not broken and settings.vmac is not None and voice == settings.vmac.interface and voice in known:
        broken = _mute(settings.vmac, known[voice])
    waiting = not_looked_at + tracked.waiting + ((NOT_REPORTED,) if fitness is _UNKNOWN else ())
    routers = frozenset(name for name, each in known.items() if each.router)
    return Standing(
        broken,
        faults,
        waiting,
        tracked.priority,
        tracked.terms,
        source,
        macs,
        not_looked_at,
        routers,
        fitness.against,
    )


def _fitness(settings: InstanceSettings, report: DatabaseReport | None) -> DatabaseReport:
    """What the database has to say; one that no instance is bound to has nothing against it."""
    if settings.database is None:
        return _FIT
    return _UNKNOWN if report is None else report


def _absent(name: str, interface: Interface) -> str:
    if not interface.present:
        return f"interface {name} does not exist"
    return "" if interface.up else f"interface {name} is down"


def _mute(vmac: Vmac, interface: Interface) -> tuple[str, ...]:
    """What keeps adverts from leaving under the virtual MAC."""
    absent = _absent(vmac.interface, interface)
    if absent or interface.mac == vmac.mac:
        return (absent,) if absent else ()
    return (f"interface {vmac.interface} has not the virtual MAC {vmac.mac.hex(':')}",)


def _broken(settings: InstanceSettings, interface: Interface, source: Address | None) -> tuple[str, ...]:
    name, absent = settings.interface, _absent(settings.interface, interface)
    if not interface.present:
        return (absent,)
    reasons = [absent] if settings.track_primary else []
    if source is None:
        reasons.append(_without_source(settings, interface))
    elif settings.track_source and all(address != source for address, _ in interface.addresses or ()):
        reasons.append(f"interface {name} does not have {source}, the source of its adverts")
    if settings.unicast_fault_no_peer and not settings.unicast_peers:
        reasons.append(NO_PEERS)
    return tuple(reason for reason in reasons if reason)


def _without_source(settings: InstanceSettings, interface: Interface) -> str:
    family, routed = settings.family, any(not peer.address.is_link_local for peer in settings.unicast_peers)
    kind = "" if family == 4 else " global" if routed else " link-local"
    virtual = primary_address(interface, frozenset(), family, routed=routed) is not None
    besides = " besides virtual ones" if virtual else ""
    return f"interface {settings.interface} has no IPv{family}{kind} address{besides}"
