"""What a MASTER sends at every turn: its advert, and beside that the renewal of its addresses' lease."""

from __future__ import annotations

from dataclasses import dataclass

from pyvrrp.core import const
from pyvrrp.core.effects import Effect, RenewLease, SendAdvert
from pyvrrp.core.receive import auth_of
from pyvrrp.core.settings import Address, InstanceSettings
from pyvrrp.core.wire import Advert, ChecksumForm, encode

_NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Muted:
    """Adverts do not leave: since when, why, and whether one of this tenure ever did."""

    since: float
    reason: str
    was_heard: bool


class Advertiser:
    """Adverts of one virtual router: made once, sent again and again until `forget`."""

    __slots__ = ("_packets", "_renewal", "_renewed_at", "muted", "sent_at")

    def __init__(self) -> None:
        self.muted: Muted | None = None
        self.sent_at = self._renewed_at = _NEVER
        self._packets: dict[int, tuple[SendAdvert, ...]] = {}  # those of the last priority
        self._renewal: RenewLease | None = None

    def forget(self) -> None:
        """The configuration or the source address may have changed."""
        self._packets, self._renewal = {}, None

    def leased(self, at: float = _NEVER) -> None:
        """The kernel's lease was given at that time; without one it is given anew with the next advert."""
        self._renewed_at = at

    def advertise(
        self, settings: InstanceSettings, source: Address | None, priority: int, now: float, *, renew: bool = True
    ) -> list[Effect]:
        """An advert, to each peer or to the group, and beside it the renewal when due; nothing without a source."""
        if source is None:
            return []
        if priority not in self._packets:
            self._packets = {priority: _packets(settings, source, priority)}
        packets, self.sent_at = self._packets[priority], now
        lease = settings.vip_lease
        if lease is None or not renew or not self._renewal_due(lease, now):
            return [*packets]
        if self._renewal is None:
            self._renewal = RenewLease(settings.name, settings.held, lease)
        self._renewed_at = now
        return [*packets, self._renewal]

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

    def _renewal_due(self, lease: int, now: float) -> bool:
        """Fast adverts need not renew each time: a quarter of the lease leaves three more turns."""
        return now - self._renewed_at >= lease / 4


def _packets(settings: InstanceSettings, source: Address, priority: int) -> tuple[SendAdvert, ...]:
    auth_type, auth_data = auth_of(settings)
    alone = settings.version == 3 and settings.family == 4 and settings.v3_checksum_as_v2
    advert = Advert(
        settings.version,
        settings.virtual_router_id,
        priority,
        round(settings.advert_int * const.CENTISECONDS),
        tuple(virtual.address for virtual in settings.addresses),
        auth_type,
        auth_data,
        form=ChecksumForm.MESSAGE_ALONE if alone else ChecksumForm.USUAL,
    )
    name, interface = settings.name, settings.advert_interface
    if not settings.unicast_peers:
        group = settings.multicast_group
        return (SendAdvert(name, interface, source, group, encode(advert, source, group)),)
    peers = [peer.address for peer in settings.unicast_peers]
    return tuple(
        SendAdvert(name, interface, source, peer, encode(advert, source, peer), settings.unicast_ttl) for peer in peers
    )
