"""What a MASTER sends at every turn: its advert, and beside that the renewal of its addresses' lease."""

from __future__ import annotations

from dataclasses import dataclass

from pyvrrp.core import const
from pyvrrp.core.effects import Effect, RenewLease, SendAdvert
from pyvrrp.core.receive import auth_of
from pyvrrp.core.settings import Address, InstanceSettings
from pyvrrp.core.wire import Advert, encode

_NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Muted:
    """Adverts do not leave: since when, why, and whether one of this tenure ever did."""

    since: float
    reason: str
    was_heard: bool


class Advertiser:
    """Adverts of one virtual router: made once, sent again and again until `forget`."""

    __slots__ = ("_packet", "_priority", "_renewal", "_renewed_at", "muted", "sent_at")

    def __init__(self) -> None:
        self.muted: Muted | None = None
        self.sent_at = self._renewed_at = _NEVER
        self._priority = 0
        self._packet: SendAdvert | None = None
        self._renewal: RenewLease | None = None

    def forget(self) -> None:
        """The configuration or the source address may have changed."""
        self._packet = self._renewal = None

    def leased(self, at: float = _NEVER) -> None:
        """The kernel's lease was given at that time; without one it is given anew with the next advert."""
        self._renewed_at = at

    def advertise(self, settings: InstanceSettings, source: Address | None, priority: int, now: float) -> list[Effect]:
        """An advert, and beside it the renewal when that is due; nothing without a source address."""
        if source is None:
            return []
        if self._packet is None or self._priority != priority:
            self._packet, self._priority = _packet(settings, source, priority), priority
        self.sent_at = now
        if not self._renewal_due(settings, now):
            return [self._packet]
        if self._renewal is None:
            self._renewal = RenewLease(settings.name, settings.held, settings.vip_lease or 0)
        self._renewed_at = now
        return [self._packet, self._renewal]

    def failed(self, reason: str, tenure: float, now: float) -> bool:
        """An advert of the tenure that began at `tenure` did not leave. True for the first one."""
        if self.muted is not None:
            return False
        self.muted = Muted(now, reason, was_heard=self.sent_at > tenure)
        return True

    def silenced(self, settings: InstanceSettings, now: float) -> bool:
        """Whether as many adverts in a row have not left as a backup waits for."""
        if self.muted is None:
            return False
        return now - self.muted.since > (settings.down_timer_adverts - 1.5) * settings.advert_int

    def _renewal_due(self, settings: InstanceSettings, now: float) -> bool:
        """Fast adverts need not renew each time: a quarter of the lease leaves three more turns."""
        lease = settings.vip_lease
        return lease is not None and now - self._renewed_at >= lease / 4


def _packet(settings: InstanceSettings, source: Address, priority: int) -> SendAdvert:
    auth_type, auth_data = auth_of(settings)
    advert = Advert(
        settings.version,
        settings.virtual_router_id,
        priority,
        round(settings.advert_int * const.CENTISECONDS),
        tuple(virtual.address for virtual in settings.addresses),
        auth_type,
        auth_data,
    )
    payload = encode(advert, source, const.GROUP_IPV4)
    return SendAdvert(settings.name, settings.interface, source, const.GROUP_IPV4, payload)
