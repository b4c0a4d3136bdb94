"""What a configuration asks of this host besides addresses: virtual MACs, flags of interfaces, routes and rules, tables
of a firewall.

It is seen to at start, at a reload, and again whenever something has changed; what nobody asks for is not even loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from errno import ENOSYS
from typing import TYPE_CHECKING, Final

from pyvrrp.core.effects import Level, RouteOperation
from pyvrrp.core.events import Event
from pyvrrp.core.settings import Address, InstanceSettings, NodeSettings
from pyvrrp.errors import KernelError
from pyvrrp.io.nftables import table_is_there

if TYPE_CHECKING:
    from pyvrrp.io.firewall import Firewall
    from pyvrrp.io.links import Links
    from pyvrrp.io.refusal import Refusals
    from pyvrrp.io.routes import Routes

_REFUSAL: Final = "_refusal"  # what the name of a second table ends with


class Premises:
    """Keeps all that in order until `close`.

    `write` takes a log line. `watch` and `unwatch` are an event loop's add_reader and remove_reader; `hear` takes what
    became of routes and rules.
    """

    def __init__(
        self,
        write: Callable[[Level, str], None],
        hear: Callable[[Iterable[Event]], None],
        watch: Callable[..., None],
        unwatch: Callable[[int], object],
    ) -> None:
        self._write = write
        self._hear = hear
        self._watch = watch
        self._unwatch = unwatch
        self._routes: Routes | None = None
        self._links: Links | None = None
        self._firewall: tuple[str, Firewall] | None = None  # with the name of its table
        self._refusals: tuple[str, Refusals] | None = None  # the same
        self._said: list[str] = []
        self._closed = False

    def want(self, instances: Iterable[InstanceSettings]) -> None:
        """Have what these instances ask for. Raises KernelError without a socket."""
        instances = tuple(instances)
        asked = any(each.vmac is not None or each.promote_secondaries for each in instances)
        if self._closed or (self._links is None and not asked):
            return
        if self._links is None:
            from pyvrrp.io.links import Links

            self._links = Links()
        complaints = self._links.want(instances)
        for text in complaints:
            if text not in self._said:  # it would be said at every change of any interface
                self._write(Level.ERROR, text)
        self._said = complaints

    # --- routes and rules ---------------------------------------------------------------------------------------------

    def want_routes(self, settings: NodeSettings) -> None:
        """Be ready to change them if the settings have any. Raises KernelError without a socket."""
        instances = settings.instances
        asked = settings.static_routes or settings.static_rules or any(each.routes or each.rules for each in instances)
        if asked and self._routes is None:
            from pyvrrp.io.routes import Routes

            self._routes = Routes()
            self._watch(self._routes.fileno(), self._routes_changed)

    def observe_routes(self) -> list[Event]:
        """Those that there are, where any are asked for. Raises KernelError."""
        return [] if self._routes is None else [self._routes.observe()]

    def change_routes(self, operations: Sequence[RouteOperation]) -> list[KernelError | None]:
        """Carry out the operations in order; one result for each, None when it is done."""
        if self._routes is None:
            return [KernelError(f"change {each.subject}", ENOSYS, "not asked for") for each in operations]
        return self._routes.apply(operations)

    def _routes_changed(self) -> None:
        if self._routes is None:
            return
        self._routes.changed()
        try:
            self._hear(self.observe_routes())
        except KernelError as error:
            self._write(Level.ERROR, str(error))

    # --- tables of a firewall -----------------------------------------------------------------------------------------

    def drop(self, settings: NodeSettings) -> None:
        """Have packets dropped for addresses that accept none. It waits for a program; raises KernelError.

        Be ready, too, to refuse connections to a database that is closed: one that cannot be ready is left at a line.
        """
        self._be_ready_to_refuse(settings)
        instances = settings.instances
        if self._firewall is not None and self._firewall[0] != settings.nftables_table:
            self._put_back(self._firewall[1])
            self._firewall = None
        if self._firewall is None:
            left = table_is_there(settings.nftables_table)
            if not left and all(each.accept for each in instances):
                return
            from pyvrrp.io.firewall import Firewall

            self._firewall = settings.nftables_table, Firewall(settings.nftables_table, there=left)
        self._firewall[1].want(instances)

    def refuse(self, instance: str, addresses: Sequence[Address]) -> None:
        """Answer new connections to these addresses with a reset; none lifts it. Raises KernelError.

        For a thread: it waits for the kernel, some ms when it lifts.
        """
        if self._refusals is not None:
            self._refusals[1].refuse(instance, addresses)

    def _be_ready_to_refuse(self, settings: NodeSettings) -> None:
        table = settings.nftables_table + _REFUSAL
        if self._refusals is not None and self._refusals[0] != table:
            self._put_back(self._refusals[1])
            self._refusals = None
        if self._refusals is None:
            left = table_is_there(table)
            if not left and all(each.database is None for each in settings.instances):
                return
            from pyvrrp.io.refusal import Refusals

            self._refusals = table, Refusals(table, there=left)
        try:
            self._refusals[1].prepare(settings.instances)
        except KernelError as error:
            self._write(Level.ERROR, f"{error}; clients of a database that is being closed will wait")

    def close(self) -> None:
        """Put everything back."""
        self._closed = True
        if self._links is not None:
            self._links.close()
        if self._routes is not None:
            self._unwatch(self._routes.fileno())
            self._routes.close()
        for each in (self._firewall, self._refusals):
            if each is not None:
                self._put_back(each[1])
        self._firewall = self._refusals = None

    def _put_back(self, table: Firewall | Refusals) -> None:
        try:
            table.close()
        except KernelError as error:
            self._write(Level.WARNING, str(error))
