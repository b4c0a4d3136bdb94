"""May this node hold the VIP? The answer is a list of reasons against it, never a bare no."""

from __future__ import annotations

from dataclasses import dataclass

from pyvrrp.core.settings import Address, InstanceSettings
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
    over. `waiting` are things not known yet. `source` is the primary address, the sender of its adverts.
    """

    broken: tuple[str, ...]
    faults: tuple[str, ...]
    waiting: tuple[str, ...]
    priority: int
    terms: tuple[tuple[str, int], ...]
    source: Address | None
    mac: bytes

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
    interface: Interface | None,
    virtual: frozenset[tuple[Address, int]],
    tracked: Tracked,
    refused: str | None,
) -> Standing:
    """Put link, addresses, checks and the kernel's refusals together. `virtual` are all VIPs of the interface."""
    faults = tracked.faults + ((refused,) if refused else ())
    if interface is None or interface.addresses is None:
        waiting = (f"interface {settings.interface} has not been looked at yet", *tracked.waiting)
        return Standing((), faults, waiting, tracked.priority, tracked.terms, None, b"")
    source = primary_address(interface, virtual)
    broken = _broken(settings.interface, interface, source)
    return Standing(broken, faults, tracked.waiting, tracked.priority, tracked.terms, source, interface.mac)


def _broken(name: str, interface: Interface, source: Address | None) -> tuple[str, ...]:
    if not interface.present:
        return (f"interface {name} does not exist",)
    if not interface.up:
        return (f"interface {name} is down",)
    if source is None:
        virtual = any(address.version == 4 for address, _ in interface.addresses or ())
        return (f"interface {name} has no IPv4 address{' besides virtual ones' if virtual else ''}",)
    return ()
