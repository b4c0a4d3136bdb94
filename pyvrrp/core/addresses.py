"""The managed addresses of a node: whose each is by the configuration, and what makes the kernel agree with that.

What a virtual router wants of its addresses is `hold`; whatever the way that led there, `reconcile` makes it so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyvrrp.core.desired import Hold, desired
from pyvrrp.core.duplicate import places
from pyvrrp.core.effects import Effect
from pyvrrp.core.fsm import VirtualRouter
from pyvrrp.core.guard import Interface
from pyvrrp.core.ledger import Ledger
from pyvrrp.core.settings import Address, NodeSettings, VirtualAddress


class Addresses:
    """Those of the configuration that `want` brings in force. `ledger` is what the kernel holds of them."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self._static: tuple[VirtualAddress, ...]
        self._virtual: dict[str, frozenset[tuple[Address, int]]]  # by interface
        self._claimants: dict[tuple[str, Address], str]  # whose address it is, there

    def want(self, settings: NodeSettings) -> None:
        """Another configuration is in force."""
        virtual: dict[str, set[tuple[Address, int]]] = {}
        for instance in settings.instances:
            for each in instance.held:
                virtual.setdefault(each.interface, set()).add((each.address, each.prefixlen))
        self._virtual = {interface: frozenset(addresses) for interface, addresses in virtual.items()}
        self._claimants = {place: each.name for each in settings.instances for place in places(each)}
        self._static = settings.static_addresses

    # --- whose they are -----------------------------------------------------------------------------------------------

    def virtual(self, interface: str) -> frozenset[tuple[Address, int]]:
        """What is virtual on an interface."""
        return self._virtual.get(interface, frozenset())

    def claimant(self, interface: str, address: Address) -> str | None:
        """The instance whose address it is, where others are heard to claim it."""
        return self._claimants.get((interface, address))

    def unclaimed(self, addresses: Iterable[VirtualAddress]) -> tuple[VirtualAddress, ...]:
        """Those that the configuration gives to nobody."""
        return tuple(each for each in addresses if not self._claimed(each))

    def _claimed(self, address: VirtualAddress) -> bool:
        if address in self._static:
            return True
        return (address.address, address.prefixlen) in self.virtual(address.interface)

    # --- what the kernel is asked to do -------------------------------------------------------------------------------

    def reconcile(self, router: VirtualRouter, managed: tuple[VirtualAddress, ...]) -> list[Effect]:
        """What makes the kernel agree with a router about the addresses that it manages."""
        if router.standing.source is None:
            # What is not from here may be the node's own address, and the way in: never leave it without any.
            own = router.settings.interface
            managed = tuple(each for each in managed if each.interface != own or each in self.ledger.added)
        wanted = desired(router.hold, managed, self.ledger.there(managed))
        return self.ledger.change(router.settings.name, router.settings.vip_lease, managed, wanted)

    def set_static(self, interfaces: Mapping[str, Interface]) -> list[Effect]:
        """Addresses that stay, on the interfaces that are there."""
        seen = {name for name, each in interfaces.items() if each.present and each.addresses is not None}
        managed = tuple(each for each in self._static if each.interface in seen)
        return self.ledger.change("", None, managed, frozenset(managed))

    def clear(self, instance: str, addresses: tuple[VirtualAddress, ...]) -> list[Effect]:
        """Take these away."""
        return self.ledger.change(instance, None, addresses, frozenset())

    def end_lease(self, router: VirtualRouter) -> list[Effect]:
        """From now on nobody renews: what a MASTER holds is added once more, for ever."""
        held = sorted(self.ledger.there(router.settings.held)) if router.hold is Hold.HAVE else []
        return self.ledger.end_lease(router.settings.name, held)
