"""What this node makes of a packet: the core's own judgement of adverts, and whose address ARP is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from pyvrrp.cli.dissect import Holding
from pyvrrp.core import const
from pyvrrp.core.events import AdvertReceived
from pyvrrp.core.receive import besides_its_list, malformed, objection
from pyvrrp.core.settings import Address, InstanceSettings, NodeSettings
from pyvrrp.core.wire import Advert, decode
from pyvrrp.errors import WireError

OURS: Final = "ours"
_AUTH: Final = {const.AUTH_NONE: "", const.AUTH_PASS: " PASS", const.AUTH_AH: " AH"}

States = Callable[[], Mapping[str, str]]  # instance → state, as the daemon says; none where nobody can be asked


class Viewpoint:
    """A node's. Without `settings` only what is wrong with a packet's form is known."""

    def __init__(self, settings: NodeSettings | None, states: States = dict) -> None:
        self._instances = settings.instances if settings is not None else ()
        self._known = settings is not None
        self._states = states

    def says(self, seen: AdvertReceived | Holding) -> str:
        """What the packet says, in words; no password."""
        if isinstance(seen, Holding):
            return seen.says
        try:
            return f"{seen.source} > {seen.destination} {_told(self._decoded(seen))}"
        except WireError:
            vrid = f" VRID {seen.payload[1]}" if len(seen.payload) > 1 else ""
            return f"{seen.source} > {seen.destination} VRRP{vrid}, {len(seen.payload)} bytes"

    def judges(self, seen: AdvertReceived | Holding, own: bool) -> str:
        """What this node makes of it; "" where that is nothing."""
        if own:
            return OURS
        return self._of_holding(seen) if isinstance(seen, Holding) else self._of_advert(seen)

    def _of_advert(self, packet: AdvertReceived) -> str:
        try:
            advert = self._decoded(packet)
        except WireError as error:
            name = self._named(packet)
            return f"{name}discarded: {malformed(error, packet).reason}"
        if not self._known:
            return ""
        settings = self._addressee(packet)
        if settings is None:
            return f"VRID {advert.vrid}: no instance here"
        against = objection(advert, packet, settings)
        if against is None:
            leaves = ", its sender leaves" if advert.priority == const.PRIORITY_RELEASE else ""
            return f"{settings.name}: accepted{leaves}"
        if against.kind == "addresses" and settings.list_tolerance and besides_its_list(packet, settings) is None:
            bound = f"accepted from the master that it follows, for {settings.list_tolerance:g} s, else discarded"
            return f"{settings.name}: {bound}: {against.reason}"
        return f"{settings.name}: discarded: {against.reason}"

    def _of_holding(self, seen: Holding) -> str:
        holder = self._whose(seen.holder)
        if holder is not None:
            if self._states().get(holder.name) == "MASTER":
                return f"{holder.name}: ANOTHER HOLDER of its address, this node is MASTER"
            return f"{holder.name}: its address is held there"
        wanted = self._whose(seen.wanted)
        return f"{wanted.name}: its address is asked for" if wanted is not None else ""

    def _decoded(self, packet: AdvertReceived) -> Advert:
        return decode(packet.payload, packet.source, packet.destination, packet.ttl)

    def _addressee(self, packet: AdvertReceived) -> InstanceSettings | None:
        """The instance that it is for; of a capture file's packets the interface may not be known."""
        vrid = packet.payload[1] if len(packet.payload) > 1 else 0
        for each in self._instances:
            same = (each.family, each.virtual_router_id) == (packet.source.version, vrid)
            if same and packet.interface in ("", each.interface):
                return each
        return None

    def _named(self, packet: AdvertReceived) -> str:
        settings = self._addressee(packet)
        return f"{settings.name}: " if settings is not None else ""

    def _whose(self, address: Address | None) -> InstanceSettings | None:
        virtual = (each for each in self._instances if any(address == held.address for held in each.held))
        return next(virtual, None)


def _told(advert: Advert) -> str:
    addresses = " ".join(str(each) for each in advert.addresses)
    return (
        f"VRRPv{advert.version} VRID {advert.vrid} priority {advert.priority} "
        f"every {advert.seconds:g} s{_AUTH[advert.auth_type]}: {addresses or 'no address'}"
    )
