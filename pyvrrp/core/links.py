"""When a link's new state counts: interface_up_down_delays, so that a cable with a bad contact is not a failover."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pyvrrp.core.events import LinkChanged
from pyvrrp.core.settings import InterfaceDelay


class LinkDelays:
    """Links as they count, which may not be what they are: a state that ends within its delay never was.

    An interface that comes or goes as a whole counts at once, and so does the first sight of one.
    """

    __slots__ = ("_coming", "_delays", "_states")

    def __init__(self, delays: Iterable[InterfaceDelay]) -> None:
        self._delays = {each.interface: each for each in delays}
        self._states: dict[str, LinkChanged] = {}  # as they count
        self._coming: dict[str, tuple[float, LinkChanged]] = {}  # a state that waits, and when it counts

    def want(self, delays: Iterable[InterfaceDelay]) -> None:
        """From now on these delays; what waits already goes on waiting."""
        self._delays = {each.interface: each for each in delays}

    def take(self, event: LinkChanged, now: float) -> LinkChanged:
        """What a change of a link means now."""
        name, known = event.interface, self._states.get(event.interface)
        delay = self._delay(event)
        if known is None or known.present != event.present or known.up == event.up or not delay:
            self._coming.pop(name, None)
            self._states[name] = event
            return event
        at, _ = self._coming.get(name, (now + delay, event))
        self._coming[name] = at, event
        self._states[name] = replace(event, up=known.up)
        return self._states[name]

    def due(self, now: float) -> list[LinkChanged]:
        """The states that have lasted long enough by `now`."""
        over = [name for name, (at, _) in self._coming.items() if at <= now]
        events = [self._coming.pop(name)[1] for name in over]
        self._states |= {each.interface: each for each in events}
        return events

    def next(self) -> float | None:
        """When `due` has something next."""
        return min((at for at, _ in self._coming.values()), default=None)

    def _delay(self, event: LinkChanged) -> float:
        delay = self._delays.get(event.interface)
        if delay is None:
            return 0.0
        return delay.up if event.up else delay.down
