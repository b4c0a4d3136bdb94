"""This host's interfaces as they were last observed, and which ones a configuration is about."""

from __future__ import annotations

from dataclasses import replace

from pyvrrp.core.effects import Effect, Level, Record
from pyvrrp.core.events import AddressesChanged, LinkChanged
from pyvrrp.core.guard import Interface
from pyvrrp.core.listening import listening
from pyvrrp.core.settings import Address, InterfaceProbe, NodeSettings


class Interfaces:
    """Those observed so far: `known`, by name. `here` are the addresses of all of them."""

    def __init__(self) -> None:
        self.known: dict[str, Interface] = {}
        self.here: frozenset[Address] = frozenset()

    def link(self, event: LinkChanged) -> list[Effect]:
        """A link is so from now on; what is said of it."""
        before = self.known.get(event.interface)
        addresses = before.addresses if before else None
        self.known[event.interface] = Interface(event.present, event.up, event.mac, addresses, event.router)
        if before is None or before.up == event.up:
            return []
        return [Record(Level.INFO, "", f"Netlink reports {event.interface} {'up' if event.up else 'down'}")]

    def addresses(self, event: AddressesChanged) -> None:
        """An interface has exactly these addresses."""
        before = self.known.get(event.interface, Interface(present=True, up=False, mac=b"", addresses=None))
        self.known[event.interface] = replace(before, addresses=event.addresses)
        self.here = frozenset(address for each in self.known.values() for address, _ in each.addresses or ())


def interfaces(settings: NodeSettings) -> frozenset[str]:
    """The interfaces of a configuration: those that it listens on, puts addresses on, or checks."""
    probes = (each.probe for each in settings.checks)
    return frozenset(listening(settings.instances)).union(
        (each.interface for each in probes if isinstance(each, InterfaceProbe)),
        (each.interface for each in settings.static_addresses),
    )
