"""May this virtual router listen to an advert? (RFC 3768 section 7.1, RFC 5798 section 7.1)

An advert that is turned away changes nothing but a counter: no timer moves, so a stranger's packets can neither
silence a master nor keep a dead one alive.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pyvrrp.core import const
from pyvrrp.core.settings import Address, InstanceSettings
from pyvrrp.core.wire import Advert, expected_length
from pyvrrp.errors import WireError, WireFault

_IP_HEADER = 20  # bytes; keepalived counts them in


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


def malformed(error: WireError, payload: bytes, ttl: int) -> Objection:
    """What is against bytes that are no advert; `payload` begins after the IP header."""
    return Objection(error.fault.name.lower(), str(error), _MALFORMED[error.fault](payload, ttl))


def objection(advert: Advert, settings: InstanceSettings) -> Objection | None:
    """Why a well-formed advert does not count for this virtual router; None when it counts."""
    if advert.version != settings.version:
        line = f"wrong version. Received {advert.version} and expect {settings.version}"
        reason = f"it speaks VRRP version {advert.version}, we speak {settings.version}"
        return Objection("version", reason, line)
    return _authentication(advert, settings) or _interval(advert, settings) or _addresses(advert, settings)


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


def _addresses(advert: Advert, settings: InstanceSettings) -> Objection | None:
    theirs = frozenset(advert.addresses)
    ours = frozenset(virtual.address for virtual in settings.addresses)
    if theirs == ours:
        return None
    count = len(settings.addresses)
    missing = [each.address for each in settings.addresses if each.address not in theirs]
    if len(advert.addresses) != count or not missing:
        line = f"received an unexpected ip number count {len(advert.addresses)}, expected {count}!"
    else:
        line = f"ip address associated with VRID {advert.vrid} not present in MASTER advert: {missing[0]}"
    return Objection("addresses", f"it advertises {_listed(theirs)}, we have {_listed(ours)}", line)


def _listed(addresses: frozenset[Address]) -> str:
    return ", ".join(sorted(str(address) for address in addresses)) or "no address"


def _length(payload: bytes, _ttl: int) -> str:
    length, expected = len(payload) + _IP_HEADER, expected_length(payload) + _IP_HEADER
    return f"vrrp packet too {'short' if length < expected else 'long'}, length {length} and expect {expected}"


_MALFORMED: dict[WireFault, Callable[[bytes, int], str]] = {
    WireFault.LENGTH: _length,
    WireFault.VERSION: lambda payload, _: f"wrong version. Received {payload[0] >> 4} and expect 2 or 3",
    WireFault.TYPE: lambda payload, _: f"Invalid packet type. {payload[0] & 15} and expect {const.TYPE_ADVERTISEMENT}",
    WireFault.TTL: lambda _, ttl: f"invalid TTL/HL. Received {ttl} and expect {const.TTL}",
    WireFault.CHECKSUM: lambda payload, _: f"Invalid VRRPv{payload[0] >> 4} checksum",
    WireFault.VRID: lambda *_: "",
    WireFault.INTERVAL: lambda *_: "",
    WireFault.AUTH_TYPE: lambda payload, _: f"Invalid auth type: {payload[4]}",
}
