"""What a configuration asks of this host besides addresses: virtual MACs, flags of interfaces, a firewall's table.

It is seen to at start, at a reload, and again whenever something has changed; what nobody asks for is not even loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from pyvrrp.core.effects import Level
from pyvrrp.core.settings import InstanceSettings, NodeSettings
from pyvrrp.errors import KernelError

if TYPE_CHECKING:
    from pyvrrp.io.firewall import Firewall
    from pyvrrp.io.links import Links


class Premises:
    """Keeps all that in order until `close`. `write` takes a log line."""

    def __init__(self, write: Callable[[Level, str], None]) -> None:
        self._write = write
        self._links: Links | None = None
        self._firewall: tuple[str, Firewall] | None = None  # with the name of its table
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

    def drop(self, settings: NodeSettings) -> None:
        """Have packets dropped for addresses that accept none. It waits for a program; raises KernelError."""
        instances = settings.instances
        if self._firewall is not None and self._firewall[0] != settings.nftables_table:
            self._take_down()
        if self._firewall is None:
            if all(each.accept for each in instances):
                return
            from pyvrrp.io.firewall import Firewall

            self._firewall = settings.nftables_table, Firewall(settings.nftables_table)
        self._firewall[1].want(instances)

    def close(self) -> None:
        """Put everything back."""
        self._closed = True
        if self._links is not None:
            self._links.close()
        self._take_down()

    def _take_down(self) -> None:
        if self._firewall is None:
            return
        try:
            self._firewall[1].close()
        except KernelError as error:
            self._write(Level.WARNING, str(error))
        self._firewall = None
