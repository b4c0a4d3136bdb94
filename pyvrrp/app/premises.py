"""What a configuration asks of this host besides addresses: virtual MACs and flags of interfaces.

It is seen to at start, at a reload, and again whenever something has changed; what nobody asks for is not even loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from pyvrrp.core.effects import Level
from pyvrrp.core.settings import InstanceSettings

if TYPE_CHECKING:
    from pyvrrp.io.links import Links


class Premises:
    """Keeps all that in order until `close`. `write` takes a log line."""

    def __init__(self, write: Callable[[Level, str], None]) -> None:
        self._write = write
        self._links: Links | None = None
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

    def close(self) -> None:
        """Put everything back."""
        self._closed = True
        if self._links is not None:
            self._links.close()
