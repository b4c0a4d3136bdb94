"""When one virtual router tells the link where its addresses live: bursts of gratuitous ARP and neighbour
advertisements, now, later and anew."""

from __future__ import annotations

from typing import NamedTuple

from pyvrrp.core import neighbor
from pyvrrp.core.effects import Announce, Effect, Level, Record
from pyvrrp.core.guard import Standing
from pyvrrp.core.settings import InstanceSettings

# Clients are told anew at every sign of a rival, but not more often than this many seconds.
_PAUSE = 1.0
_NEVER = float("-inf")

_SPOKEN_OF = {  # in keepalived's words
    4: ("gratuitous ARPs", "gratuitous ARP"),
    6: ("Unsolicited Neighbour Adverts", "unsolicited Neighbour Advert"),
}


class _Burst(NamedTuple):
    """One more burst: when, and how many times it tells of every address."""

    at: float
    repeat: int


class Announcer:
    """Keeps the times. Bursts go out of each address's own interface, with that interface's MAC."""

    __slots__ = ("_again", "_last_at", "_refresh_at", "due")

    def __init__(self) -> None:
        self.due: float | None = None  # when the next burst is
        self._last_at = _NEVER
        self._again: _Burst | None = None
        self._refresh_at: float | None = None

    def wait(self, now: float) -> None:
        """A tenure begins; the burst comes when the kernel holds the addresses."""
        self._last_at = now

    def live(self, settings: InstanceSettings, standing: Standing, now: float) -> list[Effect]:
        """The kernel holds the addresses: tell of them now, once more later, and then regularly when configured."""
        self._later(settings.garp_master_delay, settings.garp_master_repeat, now)
        self.refresh(settings, now)
        return self._burst(settings, standing, settings.garp_master_repeat, now)

    def refresh(self, settings: InstanceSettings, now: float) -> None:
        """Count garp_master_refresh from now on."""
        self._refresh_at = now + settings.garp_master_refresh if settings.garp_master_refresh else None
        self._arm()

    def contested(self, settings: InstanceSettings, standing: Standing, now: float) -> list[Effect]:
        """A rival spoke, and clients may believe it: tell them now (at a bounded rate) and after its last word."""
        if settings.garp_lower_prio_delay:
            self._later(settings.garp_lower_prio_delay, settings.garp_lower_prio_repeat, now)
        if now - self._last_at < _PAUSE:
            return []
        return self._burst(settings, standing, settings.garp_lower_prio_repeat, now)

    def timer(self, settings: InstanceSettings, standing: Standing, now: float) -> list[Effect]:
        """The bursts that are due by `now`."""
        effects: list[Effect] = []
        if self._again is not None and now >= self._again.at:
            effects = self._burst(settings, standing, self._again.repeat, now)
            self._again = None
        if self._refresh_at is not None and now >= self._refresh_at:
            self.refresh(settings, now)
            effects += self._burst(settings, standing, settings.garp_master_refresh_repeat, now)
        self._arm()
        return effects

    def end(self) -> None:
        """A tenure is over: nothing more is due."""
        self._again = self._refresh_at = self.due = None

    def _later(self, delay: float, repeat: int, now: float) -> None:
        self._again = _Burst(now + delay, repeat) if delay else None
        self._arm()

    def _arm(self) -> None:
        again = None if self._again is None else self._again.at
        self.due = min((each for each in (again, self._refresh_at) if each is not None), default=None)

    def _burst(self, settings: InstanceSettings, standing: Standing, repeat: int, now: float) -> list[Effect]:
        """All addresses in turn, `repeat` times; those on interfaces whose MAC is not known yet are left out."""
        self._last_at = now
        frames: dict[str, list[bytes]] = {}
        records: list[Effect] = []
        for interface, address in ((each.interface, each.address) for each in settings.held):
            mac = standing.macs.get(interface)
            if mac and repeat:
                frames.setdefault(interface, []).append(
                    neighbor.announcement(mac, address, router=interface in standing.routers)
                )
                many, one = _SPOKEN_OF[address.version]
                text = f"Sending/queueing {many} on {interface} for {address}"
                records.append(Record(Level.DEBUG, settings.name, text))
                records.append(Record(Level.DEBUG, "", f"Sending {one} on {interface} for {address}"))
        return [*(Announce(name, tuple(each) * repeat, settings.name) for name, each in frames.items()), *records]
