"""The sockets of every interface that the node uses: one for announcing, and one for adverts of each family that it has
routers of there. A virtual MAC (use_vmac) has a socket for adverts of its own kind."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from errno import ENODEV, ENXIO
from typing import TYPE_CHECKING

from pyvrrp.core.effects import Announce, SendAdvert
from pyvrrp.core.events import AdvertReceived
from pyvrrp.core.listening import RouterId, router_id
from pyvrrp.core.settings import Address, InstanceSettings
from pyvrrp.errors import KernelError
from pyvrrp.io.adverts import AdvertSocket
from pyvrrp.io.announce import Announcer

if TYPE_CHECKING:  # loaded only when configured
    from pyvrrp.io.vmac import VmacSocket

_ROUNDS = 32  # of 64 adverts: what a receive buffer holds, and an end where somebody sends faster than we read


@dataclass(frozen=True, slots=True)
class _Wire:
    index: int
    announcer: Announcer
    adverts: dict[int, AdvertSocket | VmacSocket] = field(default_factory=dict)  # by family


class Wires:
    """Opened for the interfaces wanted, reopened when an interface was made anew.

    `watch` and `unwatch` are those of app/turnstile; `hear` takes what was received.
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

    def want(self, routers: Mapping[str, frozenset[RouterId]], instances: Iterable[InstanceSettings] = ()) -> None:
        """Have exactly these interfaces open, for these virtual routers; what does not exist is left out.

        `instances` tell which interfaces are virtual MACs. Raises KernelError when the kernel refuses a socket.
        """
        self._vmacs = {each.vmac.interface: each for each in instances if each.vmac is not None}
        routers = {**routers, **{name: frozenset((router_id(each),)) for name, each in self._vmacs.items()}}
        for name in [each for each in self._wires if each not in routers]:
            self._close(name)
        for name, wanted in routers.items():
            index = _index(name)
            if name in self._wires and self._wires[name].index != index:  # it was made anew
                self._close(name)
            if index is not None:
                self._open_unless_gone(name, index, wanted)

    def listen(self, rounds: int = _ROUNDS) -> int:
        """Take what waits on every wire now, at most 64 adverts of each in a round; how many there were."""
        count = 0
        for adverts in [adverts for wire in self._wires.values() for adverts in wire.adverts.values()]:
            for _ in range(min(rounds, _ROUNDS)):
                heard = adverts.receive()
                if not heard:
                    break
                self._hear(heard)
                count += len(heard)
        return count

    def send(self, effect: SendAdvert) -> OSError | None:
        """Send an advert; the reason when it did not leave."""
        wire = self._wires.get(effect.interface)
        adverts = wire.adverts.get(effect.destination.version) if wire is not None else None
        if adverts is None:
            return OSError("no such interface")
        return None if adverts.send(effect) else adverts.last_error

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

    def _open_unless_gone(self, name: str, index: int, routers: frozenset[RouterId]) -> None:
        """An interface may vanish or be renamed at any moment, and will be told of again when it is back."""
        try:
            self._open(name, index, routers)
        except KernelError as error:
            if error.errno not in (ENODEV, ENXIO):
                raise

    def _open(self, name: str, index: int, routers: frozenset[RouterId]) -> None:
        wire = self._wires.get(name)
        if wire is None:
            wire = self._wires[name] = _Wire(index, Announcer(name))
        families = {router.family for router in routers}
        for family in wire.adverts.keys() - families:
            self._deafen(wire, family)
        for family in sorted(families):
            vrids = {router.vrid for router in routers if router.family == family}
            groups = {router.group for router in routers if router.family == family}
            if family in wire.adverts:
                wire.adverts[family].watch(vrids, groups)
                continue
            adverts = wire.adverts[family] = self._advert_socket(name, family, vrids, groups)
            self._watch(adverts.fileno(), self._read, adverts)

    def _read(self, adverts: AdvertSocket | VmacSocket) -> int:
        heard = adverts.receive()
        self._hear(heard)
        return len(heard)

    def _deafen(self, wire: _Wire, family: int) -> None:
        adverts = wire.adverts.pop(family)
        self._unwatch(adverts.fileno())
        adverts.close()

    def _advert_socket(
        self, name: str, family: int, vrids: set[int], groups: set[Address]
    ) -> AdvertSocket | VmacSocket:
        instance = self._vmacs.get(name)
        if instance is None:
            return AdvertSocket(name, vrids, family, groups)
        from pyvrrp.io.vmac import VmacSocket  # most nodes have none

        return VmacSocket(name, instance.interface, family, vrids)

    def _close(self, name: str) -> None:
        wire = self._wires.pop(name)
        for family in list(wire.adverts):
            self._deafen(wire, family)
        wire.announcer.close()


def _index(interface: str) -> int | None:
    try:
        return socket.if_nametoindex(interface)
    except OSError:
        return None
