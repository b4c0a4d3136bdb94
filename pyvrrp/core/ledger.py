"""What the kernel holds of the managed addresses, what it was asked to change, and what it refused."""

from __future__ import annotations

from collections.abc import Iterable

from pyvrrp.core import const
from pyvrrp.core.effects import Action, Effect, Operation, Reconcile, ResetConnections
from pyvrrp.core.reconcile import plan
from pyvrrp.core.settings import VirtualAddress


class Ledger:
    """Times are when something refused is tried again. `added` is what this process has put there, at any time."""

    def __init__(self) -> None:
        self.added: set[VirtualAddress] = set()
        self._observed: dict[str, frozenset[VirtualAddress]] = {}
        self._pending: set[Operation] = set()
        self._refused: dict[str, tuple[str, float]] = {}  # by instance
        self._retries: dict[VirtualAddress, float] = {}

    # --- what is known ------------------------------------------------------------------------------------------------

    def observe(self, interface: str, addresses: frozenset[VirtualAddress]) -> None:
        """The kernel has exactly these on that interface."""
        self._observed[interface] = addresses

    def there(self, addresses: Iterable[VirtualAddress]) -> frozenset[VirtualAddress]:
        """Those that the kernel has."""
        return frozenset(each for each in addresses if each in self._observed.get(each.interface, ()))

    def refusal(self, instance: str) -> str | None:
        """Why an instance cannot have its addresses now."""
        return self._refused[instance][0] if instance in self._refused else None

    # --- what is asked for --------------------------------------------------------------------------------------------

    def change(
        self,
        instance: str,
        lease: int | None,
        managed: tuple[VirtualAddress, ...],
        wanted: frozenset[VirtualAddress],
    ) -> list[Effect]:
        """What makes the kernel agree on the managed addresses, with connections reset before their address goes."""
        planned = plan(managed, wanted, self.there(managed), lease)
        operations = tuple(each for each in planned if each not in self._pending and each.address not in self._retries)
        if not operations:
            return []
        self._pending.update(operations)
        effects: list[Effect] = [Reconcile(instance, operations)]
        removed = tuple(each.address.address for each in operations if each.action is Action.REMOVE)
        return [ResetConnections(removed), *effects] if removed else effects

    def end_lease(self, instance: str, addresses: Iterable[VirtualAddress]) -> list[Effect]:
        """From now on nobody renews: what is held is added once more, for ever."""
        operations = tuple(Operation(Action.ADD, each) for each in addresses)
        self._pending.update(operations)
        return [Reconcile(instance, operations)] if operations else []

    # --- what became of it --------------------------------------------------------------------------------------------

    def done(self, operations: Iterable[Operation]) -> None:
        """The kernel carried these out."""
        for operation in operations:
            self._pending.discard(operation)
            self._retries.pop(operation.address, None)
            interface = operation.address.interface
            known = self._observed.get(interface, frozenset())
            if operation.action is Action.ADD:
                self.added.add(operation.address)
                self._observed[interface] = known | {operation.address}
            else:
                self._observed[interface] = known - {operation.address}

    def failed(self, operation: Operation) -> None:
        """The kernel refused it; it is not waited for any more."""
        self._pending.discard(operation)

    def retry(self, address: VirtualAddress, now: float) -> None:
        """Leave the address alone for a moment: the kernel would not let it go."""
        self._retries[address] = now + const.KERNEL_RETRY

    def refuse(self, instance: str, reason: str, now: float) -> None:
        """The instance cannot have its addresses, for that long."""
        self._refused[instance] = (reason, now + const.REFUSED_HOLD)

    def next_deadline(self) -> float | None:
        """When the earliest refusal has aged enough."""
        return min((*(until for _, until in self._refused.values()), *self._retries.values()), default=None)

    def forgive(self, now: float) -> bool:
        """Forget the refusals that have aged enough; True when there were any."""
        over = [name for name, (_, until) in self._refused.items() if until <= now]
        for name in over:
            del self._refused[name]
        retried = [address for address, at in self._retries.items() if at <= now]
        for address in retried:
            del self._retries[address]
        return bool(over or retried)
