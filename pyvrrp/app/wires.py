"""The sockets of every interface that the node uses: one for adverts, one for announcing."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from errno import ENODEV, ENXIO

from pyvrrp.core.effects import Announce, SendAdvert
from pyvrrp.core.events import AdvertReceived
from pyvrrp.errors import KernelError
from pyvrrp.io.adverts import AdvertSocket
from pyvrrp.io.announce import Announcer

_ROUNDS = 32  # of 64 adverts: what a receive buffer holds, and an end where somebody sends faster than we read


@dataclass(frozen=True, slots=True)
class _Wire:
    index: int
    adverts: AdvertSocket
    announcer: Announcer


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

    def want(self, vrids: dict[str, frozenset[int]]) -> None:
        """Have exactly these interfaces open, for these virtual routers; what does not exist is left out.

        Raises KernelError when the kernel refuses a socket.
        """
        for name in [each for each in self._wires if each not in vrids]:
            self._close(name)
        for name, wanted in vrids.items():
            index = _index(name)
            wire = self._wires.get(name)
            if wire is not None and wire.index != index:
                self._close(name)
                wire = None
            if wire is not None:
                wire.adverts.watch(wanted)
            elif index is not None:
                self._open_unless_gone(name, index, wanted)

    def listen(self) -> None:
        """Take what waits on every wire now."""
        for wire in list(self._wires.values()):
            for _ in range(_ROUNDS):
                heard = wire.adverts.receive()
                if not heard:
                    break
                self._hear(heard)

    def send(self, effect: SendAdvert) -> OSError | None:
        """Send an advert; the reason when it did not leave."""
        wire = self._wires.get(effect.interface)
        if wire is None:
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
        adverts = AdvertSocket(name, vrids)
        try:
            announcer = Announcer(name)
        except KernelError:
            adverts.close()
            raise
        self._wires[name] = _Wire(index, adverts, announcer)
        self._watch(adverts.fileno(), lambda: self._hear(adverts.receive()))

    def _close(self, name: str) -> None:
        wire = self._wires.pop(name)
        self._unwatch(wire.adverts.fileno())
        wire.adverts.close()
        wire.announcer.close()


def _index(interface: str) -> int | None:
    try:
        return socket.if_nametoindex(interface)
    except OSError:
        return None
