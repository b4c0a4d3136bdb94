"""How fast frames leave that tell a link of addresses: garp_interval, gna_interval, and interfaces that share a pace.

A switch that learns slowly, or polices ARP, loses what comes at once. Without an interval everything leaves at once.
With one, frames wait in line: every address is told of once before any is told of again, and a frame that waits is
not put in line a second time, so a line is never longer than its addresses, however many bursts fall into it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from pyvrrp.core.effects import Announce, Effect
from pyvrrp.core.neighbor import ETHERTYPE_ARP, ethertype
from pyvrrp.core.settings import NodeSettings

# Whose address it tells of, where it leaves, and its bytes.
Frame = tuple[str, str, bytes]

_NEVER = float("-inf")


class _Line:
    """Frames that share a pace of `interval` seconds, each with the number of times that it is still to be sent."""

    __slots__ = ("free_at", "interval", "waiting")

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self.free_at = _NEVER
        self.waiting: dict[Frame, int] = {}

    def put(self, frame: Frame, times: int) -> None:
        self.waiting[frame] = max(times, self.waiting.get(frame, times))

    def due(self) -> float | None:
        return self.free_at if self.waiting else None

    def take(self, now: float) -> Announce:
        """The first frame leaves; when it is to be sent again it stands in line anew."""
        frame = next(iter(self.waiting))
        times = self.waiting.pop(frame) - 1
        if times:
            self.waiting[frame] = times
        # Lost time is not made up for: the pause is what was asked for.
        self.free_at = now + self.interval
        _, interface, data = frame
        return Announce(interface, (data,))


class Pacer:
    """Holds back what may not leave yet; the node asks it last of all, and calls again at `next_deadline`."""

    def __init__(self, settings: NodeSettings) -> None:
        self._lines: dict[tuple[str, bool], _Line] = {}  # by interface, and whether it is ARP
        self.want(settings)

    @property
    def idle(self) -> bool:
        """Whether no interval is asked for, and nothing waits."""
        return not self._lines and not any(self._usual.values())

    def want(self, settings: NodeSettings) -> None:
        """Go on at the pace of these settings."""
        before = self._distinct()
        self._usual = {True: settings.garp_interval, False: settings.gna_interval}
        self._lines = {}
        for group in settings.garp_groups:
            for arp, interval in ((True, group.garp_interval), (False, group.gna_interval)):
                line = _Line(interval)
                self._lines.update({(interface, arp): line for interface in group.interfaces})
        for old in before:
            sent_at = old.free_at - old.interval
            for frame, times in old.waiting.items():
                line = self._line(frame)
                line.put(frame, times)
                line.free_at = max(line.free_at, sent_at + line.interval)

    def drop(self, instance: str) -> bool:
        """Its tenure is over: nothing more of it leaves. Whether anything waited."""
        waited = [(line, frame) for line in self._distinct() for frame in line.waiting if frame[0] == instance]
        for line, frame in waited:
            del line.waiting[frame]
        return bool(waited)

    def next_deadline(self) -> float | None:
        """When the next frame may leave."""
        return min((due for line in self._distinct() if (due := line.due()) is not None), default=None)

    def pace(self, effects: list[Effect], now: float) -> list[Effect]:
        """The effects with those announcements that may leave now, and no others; what waited comes first."""
        waited = self._due(now)
        kept: list[Effect] = []
        for effect in effects:
            if isinstance(effect, Announce) and effect.instance:
                kept += self._admit(effect, now)
            else:
                kept.append(effect)
        return waited + kept

    def _admit(self, effect: Announce, now: float) -> list[Effect]:
        paced = [
            frame for data in effect.frames if self._line(frame := (effect.instance, effect.interface, data)).interval
        ]
        for frame, times in Counter(paced).items():
            self._line(frame).put(frame, times)
        held_back = {data for _, _, data in paced}
        at_once = tuple(data for data in effect.frames if data not in held_back)
        first: list[Effect] = [replace(effect, frames=at_once)] if at_once else []
        return first + self._due(now)

    def _due(self, now: float) -> list[Effect]:
        found: list[Effect] = []
        for line in self._distinct():
            while line.waiting and line.free_at <= now:
                found.append(line.take(now))
        return found

    def _line(self, frame: Frame) -> _Line:
        _, interface, data = frame
        arp = ethertype(data) == ETHERTYPE_ARP
        return self._lines.setdefault((interface, arp), _Line(self._usual[arp]))

    def _distinct(self) -> list[_Line]:
        return list(dict.fromkeys(self._lines.values()))
