"""The sockets of every interface that the node uses: one for announcing, and one for adverts where it has routers.

A virtual MAC (use_vmac) has a socket for adverts of its own kind.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from errno import ENODEV, ENXIO
from typing import TYPE_CHECKING

from pyvrrp.core.effects import Announce, SendAdvert
from pyvrrp.core.events import AdvertReceived
from pyvrrp.core.settings import InstanceSettings
from pyvrrp.errors import KernelError
from pyvrrp.io.adverts import AdvertSocket
from pyvrrp.io.announce import Announcer

if TYPE_CHECKING:  # loaded only when configured
    from pyvrrp.io.vmac import VmacSocket

_ROUNDS = 32  # of 64 adverts: what a receive buffer holds, and an end where somebody sends faster than we read


@dataclass(frozen=True, slots=True)
class _Wire:
    index: int
    adverts: AdvertSocket | VmacSocket | None
    announcer: Announcer

    def fits(self, index: int | None, vrids: frozenset[int]) -> bool:
        """Whether it is the same interface still, and has a socket for adverts where one is needed, only there."""
        return self.index == index and (self.adverts is not None) is bool(vrids)


class Wires:
    """Opened for the interfaces wanted, reopened when an interface was made anew.

    `watch` and `unwatch` are an event loop's add_reader and remove_reader; `hear` takes what was received.
    """

    def __init__(
        self,
        hear: Callable[[Iterable[AdvertReceived]], None],
        watch: Callable[..., None],
        unwatch: Callable[[int], object],
    ) -> None:
        self._hear = hear
        self._watch = watch
        self._unwatch = unwatch
        self._wires: dict[str, _Wire] = {}
        self._vmacs: dict[str, InstanceSettings] = {}

    def want(self, vrids: Mapping[str, frozenset[int]], instances: Iterable[InstanceSettings] = ()) -> None:
        """Have exactly these interfaces open, for these virtual routers; what does not exist is left out.

        `instances` tell which interfaces are virtual MACs. Raises KernelError when the kernel refuses a socket.
        """
        self._vmacs = {each.vmac.interface: each for each in instances if each.vmac is not None}
        vrids = {**vrids, **{name: frozenset((each.virtual_router_id,)) for name, each in self._vmacs.items()}}
        for name in [each for each in self._wires if each not in vrids]:
            self._close(name)
        for name, wanted in vrids.items():
            index = _index(name)
            wire = self._wires.get(name)
            if wire is not None and not wire.fits(index, wanted):
                self._close(name)
                wire = None
            if wire is None and index is not None:
                self._open_unless_gone(name, index, wanted)
            elif wire is not None and wire.adverts is not None:
                wire.adverts.watch(wanted)

    def listen(self) -> None:
        """Take what waits on every wire now."""
        for adverts in [wire.adverts for wire in self._wires.values() if wire.adverts is not None]:
            for _ in range(_ROUNDS):
                heard = adverts.receive()
                if not heard:
                    break
                self._hear(heard)

    def send(self, effect: SendAdvert) -> OSError | None:
        """Send an advert; the reason when it did not leave."""
        wire = self._wires.get(effect.interface)
        if wire is None or wire.adverts is None:
            return OSError("no such interface")
        return None if wire.adverts.send(effect) else wire.adverts.last_error

    def announce(self, effect: Announce) -> OSError | None:
        """Send the frames; the reason when one did not leave."""
        wire = self._wires.get(effect.interface)
        if wire is None:
            return OSError("no such interface")
        return None if wire.announcer.send(effect.frames) else wire.announcer.last_error

    def close(self) -> None:
        """Close everything."""
        for name in list(self._wires):
            self._close(name)

    def _open_unless_gone(self, name: str, index: int, vrids: frozenset[int]) -> None:
        """An interface may vanish or be renamed at any moment, and will be told of again when it is back."""
        try:
            self._open(name, index, vrids)
        except KernelError as error:
            if error.errno not in (ENODEV, ENXIO):
                raise

    def _open(self, name: str, index: int, vrids: frozenset[int]) -> None:
        announcer = Announcer(name)
        try:
            adverts = self._advert_socket(name, vrids) if vrids else None
        except KernelError:
            announcer.close()
            raise
        self._wires[name] = _Wire(index, adverts, announcer)
        if adverts is not None:
            self._watch(adverts.fileno(), lambda: self._hear(adverts.receive()))

    def _advert_socket(self, name: str, vrids: frozenset[int]) -> AdvertSocket | VmacSocket:
        instance = self._vmacs.get(name)
        if instance is None:
            return AdvertSocket(name, vrids)
        from pyvrrp.io.vmac import VmacSocket  # most nodes have none

        return VmacSocket(name, instance.interface, instance.family, vrids)

    def _close(self, name: str) -> None:
        wire = self._wires.pop(name)
        if wire.adverts is not None:
            self._unwatch(wire.adverts.fileno())
            wire.adverts.close()
        wire.announcer.close()


def _index(interface: str) -> int | None:
    try:
        return socket.if_nametoindex(interface)
    except OSError:
        return None
