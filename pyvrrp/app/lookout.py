"""The sockets that only listen, beside those of app/wires: for adverts below netfilter, and for other holders.

A node does its work without them; where the kernel refuses one, that is said and left at that.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from errno import ENODEV, ENXIO

from pyvrrp.core.duplicate import places
from pyvrrp.core.effects import Level
from pyvrrp.core.events import Event
from pyvrrp.core.settings import InstanceSettings
from pyvrrp.errors import KernelError
from pyvrrp.io.holders import HolderSocket
from pyvrrp.io.overhear import OverhearSocket

Place = tuple[type[OverhearSocket] | type[HolderSocket], str, int]  # what kind, on which interface, of which family


@dataclass(slots=True)
class _Post:
    index: int
    socket: OverhearSocket | HolderSocket


class Lookout:
    """Opened for the interfaces of the instances wanted, reopened when an interface was made anew.

    `first` takes what waits at the usual sockets: that comes before what is heard here. `watch` and `unwatch` are
    those of app/turnstile.
    """

    def __init__(
        self,
        hear: Callable[[Iterable[Event]], None],
        first: Callable[[], int],
        watch: Callable[..., None],
        unwatch: Callable[[int], object],
        say: Callable[[Level, str], None],
    ) -> None:
        self._hear = hear
        self._first = first
        self._watch = watch
        self._unwatch = unwatch
        self._say = say
        self._posts: dict[Place, _Post] = {}
        self._refused: set[Place] = set()

    def want(self, instances: Iterable[InstanceSettings]) -> None:
        """Listen for exactly these; an interface that does not exist is left out."""
        wanted = _places(instances)
        for place in [each for each in self._posts if each not in wanted]:
            self._close(place)
        for place, what in wanted.items():
            index = _index(place[1])
            if place in self._posts and self._posts[place].index != index:
                self._close(place)
            if index is not None:
                self._man(place, index, what)

    def listen(self) -> None:
        """Take what waits, once from each socket: a loop that stood still is told of its timers before that."""
        for post in list(self._posts.values()):
            if heard := post.socket.receive():
                self._hear(heard)

    def close(self) -> None:
        """Close everything."""
        for place in list(self._posts):
            self._close(place)

    def _man(self, place: Place, index: int, what: frozenset[object]) -> None:
        kind, interface, family = place
        try:
            if place in self._posts:
                self._posts[place].socket.watch(what)  # type: ignore[arg-type]  # of the kind that goes with it
                return
            opened = kind(interface, family, what)  # type: ignore[arg-type]
        except (KernelError, OSError) as error:
            if error.errno not in (ENODEV, ENXIO) and place not in self._refused:
                self._refused.add(place)
                self._say(Level.WARNING, f"{error}: going on without")
            return
        self._refused.discard(place)
        self._posts[place] = _Post(index, opened)
        self._watch(opened.fileno(), self._read, opened)

    def _read(self, readable: OverhearSocket | HolderSocket) -> int:
        count = self._first()
        heard = readable.receive()
        self._hear(heard)
        return count + len(heard)

    def _close(self, place: Place) -> None:
        post = self._posts.pop(place)
        self._unwatch(post.socket.fileno())
        post.socket.close()


def _places(instances: Iterable[InstanceSettings]) -> Mapping[Place, frozenset[object]]:
    """What to listen for where: VRIDs for adverts, addresses for their holders."""
    found: dict[Place, set[object]] = {}
    for each in instances:
        found.setdefault((OverhearSocket, each.interface, each.family), set()).add(each.virtual_router_id)
        for interface, address in places(each):
            found.setdefault((HolderSocket, interface, address.version), set()).add(address)
    return {place: frozenset(what) for place, what in found.items()}


def _index(interface: str) -> int | None:
    try:
        return socket.if_nametoindex(interface)
    except OSError:
        return None
