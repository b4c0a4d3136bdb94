"""Virtual routers and the groups that they form."""

from __future__ import annotations

from dataclasses import dataclass

from pyvrrp.core import const
from pyvrrp.core.settings.addresses import Address, VirtualAddress
from pyvrrp.core.settings.checks import Track
from pyvrrp.core.settings.database import DatabaseSettings
from pyvrrp.core.settings.notify import NOBODY, Notifications
from pyvrrp.core.settings.routes import VirtualRoute, VirtualRule


@dataclass(frozen=True, slots=True)
class UnicastPeer:
    """Another node that adverts are sent to, and the TTLs (hop limits) at which its own are taken."""

    address: Address
    min_ttl: int = 0
    max_ttl: int = const.TTL

    def __str__(self) -> str:
        bounded = (self.min_ttl, self.max_ttl) != (0, const.TTL)
        return f"{self.address} (TTL {self.min_ttl} to {self.max_ttl})" if bounded else str(self.address)


@dataclass(frozen=True, slots=True)
class Vmac:
    """A macvlan that carries the virtual addresses under the virtual router's own MAC (RFC 5798 section 7.3).

    With `transmit_base` adverts leave by the interface below it (keepalived's vmac_xmit_base).
    """

    interface: str
    mac: bytes
    transmit_base: bool = False

    def __str__(self) -> str:
        base = ", adverts from below it" if self.transmit_base else ""
        return f"{self.interface} ({self.mac.hex(':')}{base})"


@dataclass(frozen=True, slots=True)
class InstanceSettings:
    """One virtual router, in keepalived's words.

    `excluded` addresses are held and announced, but not named in adverts. `group` is the multicast group, None the
    RFC's; with `unicast_peers` adverts go to them and to no group. `source` is the sender of adverts, None the
    interface's primary address. `list_tolerance`: seconds for which a master with another list of addresses is
    still followed. `duplicate_wait`: seconds for which a BACKUP leaves an address alone that another host answers for
    although no master is heard; None for as long as it does, 0 does not ask. `database` is the server whose writes are
    open on the MASTER alone.
    """

    name: str
    interface: str
    virtual_router_id: int
    addresses: tuple[VirtualAddress, ...]
    priority: int = const.PRIORITY_DEFAULT
    version: int = 2
    advert_int: float = 1.0
    preempt: bool = True
    auth_pass: bytes | None = None
    tracks: tuple[Track, ...] = ()
    vip_lease: int | None = 2
    garp_master_delay: float = const.GARP_DELAY
    garp_master_repeat: int = const.GARP_REPEAT
    excluded: tuple[VirtualAddress, ...] = ()
    preempt_delay: float = 0.0
    down_timer_adverts: int = const.DOWN_TIMER_ADVERTS
    garp_master_refresh: float = 0.0
    garp_master_refresh_repeat: int = 1
    garp_lower_prio_delay: float = const.GARP_DELAY
    garp_lower_prio_repeat: int = const.GARP_REPEAT
    lower_prio_no_advert: bool = False
    higher_prio_send_advert: bool = False
    notifications: Notifications = NOBODY
    family: int = 4
    group: Address | None = None
    source: Address | None = None
    track_source: bool = False  # track_src_ip
    track_primary: bool = True  # not dont_track_primary
    unicast_peers: tuple[UnicastPeer, ...] = ()
    unicast_ttl: int = const.TTL
    unicast_fault_no_peer: bool = False
    check_unicast_src: bool = False
    skip_check_adv_addr: bool = False
    v3_checksum_as_v2: bool = False  # without the pseudo header, as RFC 9568 has it
    owner_ignore_adverts: bool = False
    accept: bool = True
    promote_secondaries: bool = False
    routes: tuple[VirtualRoute, ...] = ()  # they follow the addresses
    rules: tuple[VirtualRule, ...] = ()
    vmac: Vmac | None = None
    list_tolerance: float = const.LIST_TOLERANCE
    duplicate_wait: float | None = None
    database: DatabaseSettings | None = None

    @property
    def identity(self) -> tuple[str, int, int]:
        """What makes it a virtual router on the link, whatever it is called: interface, family, VRID."""
        return self.interface, self.family, self.virtual_router_id

    @property
    def multicast_group(self) -> Address:
        """Where its adverts go when they do not go to peers, and where those of others are listened for in any case."""
        return self.group or (const.GROUP_IPV6 if self.family == 6 else const.GROUP_IPV4)

    @property
    def advert_interface(self) -> str:
        """Where adverts leave: by the virtual MAC, but to unicast peers by the interface below it."""
        if self.vmac is None or self.vmac.transmit_base or self.unicast_peers:
            return self.interface
        return self.vmac.interface

    @property
    def interfaces(self) -> frozenset[str]:
        """Every interface that it uses."""
        return frozenset((self.interface, self.advert_interface, *(each.interface for each in self.held)))

    def carrier(self, address: Address) -> str:
        """The interface that an address is put on where no other is named: the VMAC if it is of the family."""
        return self.interface if self.vmac is None or address.version != self.family else self.vmac.interface

    @property
    def owner(self) -> bool:
        """Whether this router owns the addresses (RFC 3768 section 5.3.4)."""
        return self.priority == const.PRIORITY_OWNER

    @property
    def held(self) -> tuple[VirtualAddress, ...]:
        """Every address that follows mastership."""
        return self.addresses + self.excluded

    def __repr__(self) -> str:
        # A dataclass's own repr would print auth_pass.
        return f"InstanceSettings({self.name!r}, {self.interface!r}, vrid={self.virtual_router_id})"


@dataclass(frozen=True, slots=True)
class SyncGroupSettings:
    """Instances that are MASTER together, and in FAULT together."""

    name: str
    members: tuple[str, ...]
    tracks: tuple[Track, ...] = ()
    notifications: Notifications = NOBODY
    tracking_weight: bool = False  # sync_group_tracking_weight: weights of its members count


def automatic_lease(advert_int: float, down_timer_adverts: int = const.DOWN_TIMER_ADVERTS) -> int:
    """Seconds of `vip_lease: auto`: over before the earliest successor, outliving one lost turn where possible.

    The kernel counts whole seconds and takes up to half a second more to act, so the lease ends one second before the
    intervals that a backup waits have passed (none takes over earlier). It is longer than the pause between two
    adverts, which renew it.
    """
    return max(int(advert_int) + 1, int(down_timer_adverts * advert_int) - 1)
