"""All checks of a node by name: what interfaces tell of those that look at them, and what no news in time counts as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyvrrp.core.events import CheckResult
from pyvrrp.core.guard import Interface
from pyvrrp.core.settings import CheckSettings, InterfaceProbe
from pyvrrp.core.tracking import CheckTrack


class Checks:
    """The checks of the configuration in force: `tracks`."""

    def __init__(self) -> None:
        self.tracks: dict[str, CheckTrack] = {}

    def want(self, checks: Iterable[CheckSettings], interfaces: Mapping[str, Interface], now: float) -> None:
        """Have exactly these. Those known stay what they are until they report anew."""
        before = self.tracks
        self.tracks = {
            check.name: before[check.name].under(check, now) if check.name in before else CheckTrack(check, now)
            for check in checks
        }
        for track in self.tracks.values():
            probe = track.settings.probe
            if isinstance(probe, InterfaceProbe) and probe.interface in interfaces:
                track.take(_seen(track, interfaces[probe.interface]), now)

    def seen(self, name: str, interface: Interface) -> list[CheckResult]:
        """What the checks that look at an interface find."""
        looking = (track for track in self.tracks.values() if track.settings.probe == InterfaceProbe(name))
        return [_seen(track, interface) for track in looking]

    def overdue(self, track: CheckTrack, now: float) -> CheckResult | None:
        """No news in time is a failure; None when a reload took the check away, or put another in its place."""
        if self.tracks.get(track.settings.name) is not track:
            return None
        return CheckResult(track.settings.name, False, f"no result for {now - track.since:.1f} s", 0.0)


def _seen(track: CheckTrack, interface: Interface) -> CheckResult:
    """What an interface's check finds."""
    up = interface.present and interface.up
    return CheckResult(track.settings.name, up, f"{track.settings.probe} is {'up' if up else 'down'}", 0.0)
