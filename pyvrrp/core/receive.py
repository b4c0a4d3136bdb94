"""May this virtual router listen to an advert? (RFC 3768 section 7.1, RFC 9568 section 7.1)

The questions come in keepalived's order, as far as the decoder (core/wire.py) has not asked them before.
An advert that is turned away changes nothing but a counter: no timer moves, so a stranger's packets can neither
silence a master nor keep a dead one alive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from pyvrrp.core import const
from pyvrrp.core.events import AdvertOverheard, AdvertReceived
from pyvrrp.core.settings import Address, InstanceSettings
from pyvrrp.core.wire import Advert, expected_length
from pyvrrp.errors import WireError, WireFault

_COUNTED_IN = {4: 20, 6: 0}  # bytes of the IP header, which keepalived has before it in IPv4 only


Packet = AdvertReceived | AdvertOverheard


class Objection(NamedTuple):
    """Why an advert does not count: the counter's name, our sentence, and keepalived's line ("": it has none)."""

    kind: str
    reason: str
    line: str


def auth_of(settings: InstanceSettings) -> tuple[int, bytes]:
    """The authentication type and data that this virtual router sends and expects."""
    if settings.version != 2:
        return const.AUTH_NONE, b""
    if settings.auth_pass is None:
        return const.AUTH_NONE, bytes(const.AUTH_DATA_SIZE)
    return const.AUTH_PASS, settings.auth_pass.ljust(const.AUTH_DATA_SIZE, b"\0")


def malformed(error: WireError, packet: Packet) -> Objection:
    """What is against a packet that is no advert."""
    return Objection(error.fault.name.lower(), str(error), _MALFORMED[error.fault](packet))


def objection(
    advert: Advert, packet: Packet, settings: InstanceSettings, master: Address | None = None
) -> Objection | None:
    """Why a well-formed advert does not count for this virtual router; None when it counts.

    `packet` is what it came in. `master` is whom a BACKUP follows: with skip_check_adv_addr its list of addresses and
    its place among the peers are taken for granted.
    """
    trusted = settings.skip_check_adv_addr and packet.source == master
    return (
        _ttl(packet, settings)
        or _version(advert, settings)
        or _authentication(advert, settings)
        or _interval(advert, settings)
        or _count(advert, settings)
        or _cast(packet, settings)
        or (None if trusted else _addresses(advert, settings) or _peer(packet, settings))
    )


def besides_its_list(packet: Packet, settings: InstanceSettings) -> Objection | None:
    """What would be against an advert whose list of addresses is objected to, were that right."""
    return _cast(packet, settings) or _peer(packet, settings)


def _ttl(packet: Packet, settings: InstanceSettings) -> Objection | None:
    """What a peer's TTL (hop limit) may be; that of multicast was judged by the decoder."""
    ttl = packet.ttl
    for peer in settings.unicast_peers:
        if peer.address == packet.source and not peer.min_ttl <= ttl <= peer.max_ttl:
            bounds = f"{peer.min_ttl}..{peer.max_ttl}"
            line = f"invalid TTL/HL. Received {ttl} and expect {peer.min_ttl}-{peer.max_ttl}"
            return Objection("ttl", f"its TTL is {ttl}, of this peer it must be {bounds}", line)
    return None


def _version(advert: Advert, settings: InstanceSettings) -> Objection | None:
    if advert.version == settings.version:
        return None
    line = f"wrong version. Received {advert.version} and expect {settings.version}"
    return Objection("version", f"it speaks VRRP version {advert.version}, we speak {settings.version}", line)


_AUTH_NAMES = {const.AUTH_NONE: "no authentication", const.AUTH_PASS: "PASS", const.AUTH_AH: "AH"}


def _authentication(advert: Advert, settings: InstanceSettings) -> Objection | None:
    expected_type, expected_data = auth_of(settings)
    if advert.auth_type != expected_type:
        found, ours = _AUTH_NAMES[advert.auth_type], _AUTH_NAMES[expected_type]
        line = f"received a {advert.auth_type} auth, expecting {expected_type}!"
        return Objection("authentication_type", f"it uses {found}, we use {ours}", line)
    # Without authentication the eight bytes are to be ignored (RFC 3768 section 5.3.10).
    if expected_type == const.AUTH_PASS and advert.auth_data != expected_data:
        return Objection("password", "its password is not ours", "received an invalid passwd!")
    return None


def _interval(advert: Advert, settings: InstanceSettings) -> Objection | None:
    # Version 3 adopts the master's interval instead (RFC 5798 section 6.4.2).
    if settings.version == 2 and advert.seconds != settings.advert_int:
        theirs, ours = f"{advert.seconds:g}", f"{settings.advert_int:g}"
        line = f"advertisement interval mismatch mine={ours} sec rcv'd={theirs} sec"
        return Objection("interval", f"its advert_int is {theirs} s, ours {ours} s", line)
    return None


def _count(advert: Advert, settings: InstanceSettings) -> Objection | None:
    theirs, ours = len(advert.addresses), len(settings.addresses)
    if theirs == ours:
        return None
    return _other_list(advert, settings, f"received an unexpected ip number count {theirs}, expected {ours}!")


def _cast(packet: Packet, settings: InstanceSettings) -> Objection | None:
    """Unicast against multicast, which keepalived turns away without a word."""
    to = packet.destination
    if settings.unicast_peers:
        return Objection("multicast", f"it came to all of {to}, we speak to peers", "") if to.is_multicast else None
    group = settings.multicast_group
    if not to.is_multicast:
        return Objection("unicast", f"it came to {to} alone, we speak to all of {group}", "")
    return None if to == group else Objection("multicast", f"it came to all of {to}, we speak to {group}", "")


def _addresses(advert: Advert, settings: InstanceSettings) -> Objection | None:
    theirs, ours = advert.addresses, [each.address for each in settings.addresses]
    strange = [each for each in ours if each not in theirs] + [each for each in theirs if each not in ours]
    if not strange:
        return None
    line = f"ip address associated with VRID {advert.vrid} not present in MASTER advert: {strange[0]}"
    return _other_list(advert, settings, line)


def _other_list(advert: Advert, settings: InstanceSettings, line: str) -> Objection:
    theirs, ours = _listed(advert.addresses), _listed(each.address for each in settings.addresses)
    return Objection("addresses", f"it advertises {theirs}, we have {ours}", line)


def _listed(addresses: Iterable[Address]) -> str:
    return ", ".join(sorted(str(address) for address in set(addresses))) or "no address"


def _peer(packet: Packet, settings: InstanceSettings) -> Objection | None:
    if not settings.check_unicast_src or not settings.unicast_peers:
        return None
    if any(packet.source == peer.address for peer in settings.unicast_peers):
        return None
    line = f"unicast source address {packet.source} not a unicast peer"
    return Objection("peer", "it is none of our unicast peers", line)


def _length(packet: Packet) -> str:
    counted = _COUNTED_IN[packet.source.version]
    length = len(packet.payload) + counted
    expected = expected_length(packet.payload, packet.source.version) + counted
    return f"vrrp packet too {'short' if length < expected else 'long'}, length {length} and expect {expected}"


def _wrong_version(packet: Packet) -> str:
    expected = "3" if packet.source.version == 6 else "2 or 3"
    return f"wrong version. Received {packet.payload[0] >> 4} and expect {expected}"


_MALFORMED: dict[WireFault, Callable[[Packet], str]] = {
    WireFault.LENGTH: _length,
    WireFault.VERSION: _wrong_version,
    WireFault.TYPE: lambda packet: (
        f"Invalid packet type. {packet.payload[0] & 15} and expect {const.TYPE_ADVERTISEMENT}"
    ),
    WireFault.TTL: lambda packet: f"invalid TTL/HL. Received {packet.ttl} and expect {const.TTL}",
    WireFault.CHECKSUM: lambda packet: f"Invalid VRRPv{packet.payload[0] >> 4} checksum",
    WireFault.VRID: lambda _: "",
    WireFault.INTERVAL: lambda _: "",
    WireFault.AUTH_TYPE: lambda packet: f"Invalid auth type: {packet.payload[4]}",
}
