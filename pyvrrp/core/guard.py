"""May this node hold the VIP? The answer is a list of reasons against it, never a bare no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyvrrp.core.settings import Address, InstanceSettings, Vmac
from pyvrrp.core.tracking import Tracked


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface as last observed; `addresses`: (address, prefix length) in the kernel's order, None if unknown."""

    present: bool
    up: bool
    mac: bytes
    addresses: tuple[tuple[Address, int], ...] | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What an instance may do now.

    `broken` are reasons that leave it without a network: there is nobody to hand over to. `faults` are reasons to hand
    over. `waiting` are things not known yet. `source` is the primary address, the sender of its adverts. `macs` are
    those of every interface that it uses, as far as they are known. `unseen` is
    the part of `waiting` that is about interfaces.
    """

    broken: tuple[str, ...]
    faults: tuple[str, ...]
    waiting: tuple[str, ...]
    priority: int
    terms: tuple[tuple[str, int], ...]
    source: Address | None
    macs: Mapping[str, bytes]
    unseen: tuple[str, ...] = ()

    @property
    def against(self) -> tuple[str, ...]:
        """Every reason against holding the VIP."""
        return self.broken + self.faults


def primary_address(interface: Interface, virtual: frozenset[tuple[Address, int]]) -> Address | None:
    """The interface's first IPv4 address that is not virtual: its "primary IP address" (RFC 3768 section 1.3)."""
    for address, prefixlen in interface.addresses or ():
        if address.version == 4 and (address, prefixlen) not in virtual:
            return address
    return None


def standing(
    settings: InstanceSettings,
    interfaces: Mapping[str, Interface],
    virtual: frozenset[tuple[Address, int]],
    tracked: Tracked,
    refused: str | None,
) -> Standing:
    """Put links, addresses, checks and the kernel's refusals together. `virtual` are all VIPs of its own interface.

    Without its own interface, or the virtual MAC that its adverts leave by, it is broken; another one that it puts
    addresses on only makes it hand over.
    """
    own, voice = settings.interface, settings.advert_interface
    names = dict.fromkeys((own, voice, *(each.interface for each in settings.held)))
    known = {name: interfaces[name] for name in names if name in interfaces}
    unseen = [name for name in names if name not in known or known[name].addresses is None]
    not_looked_at = tuple(f"interface {name} has not been looked at yet" for name in unseen)
    absent = tuple(text for name, each in known.items() if name not in (own, voice) and (text := _absent(name, each)))
    faults = absent + tracked.faults + ((refused,) if refused else ())
    macs = {name: each.mac for name, each in known.items()}
    source: Address | None = None
    broken: tuple[str, ...] = ()
    if own not in unseen:
        source = primary_address(known[own], virtual)
        broken = _broken(own, known[own], source)
    if not broken and settings.vmac is not None and voice == settings.vmac.interface and voice in known:
        broken = _mute(settings.vmac, known[voice])
    waiting = not_looked_at + tracked.waiting
    return Standing(broken, faults, waiting, tracked.priority, tracked.terms, source, macs, not_looked_at)


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


def _broken(name: str, interface: Interface, source: Address | None) -> tuple[str, ...]:
    absent = _absent(name, interface)
    if not interface.present or source is not None:
        return (absent,) if absent else ()
    virtual = any(address.version == 4 for address, _ in interface.addresses or ())
    missing = f"interface {name} has no IPv4 address{' besides virtual ones' if virtual else ''}"
    return (absent, missing) if absent else (missing,)
