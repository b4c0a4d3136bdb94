"""VRRP advertisements as bytes and back: version 2 (RFC 3768 section 5.1), version 3 over IPv4 (RFC 5798 section 5.1).

    0                   1                   2                   3
    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
   +-------+-------+---------------+---------------+---------------+
   |Version| Type  | Virtual Rtr ID|   Priority    | Count IP Addrs|
   +-------+-------+---------------+---------------+---------------+
   |   Auth Type   |  Adver Int    |           Checksum            |   version 2: seconds
   +- - - - - - - - - - - - - - - -+                               +
   | rsvd  |     Max Adver Int     |                               |   version 3: centiseconds
   +-------+-----------------------+-------------------------------+
   |                    IP Address (1) ... (n)                     |
   +---------------------------------------------------------------+
   |               Authentication Data (1) and (2)                 |   version 2 only
   +---------------------------------------------------------------+

`decode` is the only place that judges bytes from the network: it returns an Advert or raises WireError, never anything
else, and whatever it accepts `encode` turns into the same bytes again. What a packet must match beyond its own form
(password, interval, addresses) is the virtual router's business: core/receive.py.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address

from pyvrrp.core import const
from pyvrrp.core.settings import Address
from pyvrrp.errors import WireError, WireFault

_HEADER = struct.Struct("!BBBBHH")
_ADDRESS_SIZE = 4
_KNOWN_AUTH_TYPES = (const.AUTH_NONE, const.AUTH_PASS, const.AUTH_AH)

# A master repeats the same bytes with every advert, so the last few thousand answers are worth keeping. The bound is
# far above the 255 virtual routers of a link and keeps an attacker's variety from growing the memory.
_REMEMBERED = 2048


@dataclass(frozen=True, slots=True)
class Advert:
    """One advertisement. `advert_int` is in centiseconds in both versions (version 2 holds whole seconds of it).

    `reserved` are the four bits that version 3 ignores on receipt; `auth_data` is 8 bytes in version 2, empty in 3.
    """

    version: int
    vrid: int
    priority: int
    advert_int: int
    addresses: tuple[Address, ...]
    auth_type: int = const.AUTH_NONE
    auth_data: bytes = field(default=bytes(const.AUTH_DATA_SIZE), repr=False)
    reserved: int = 0

    @property
    def seconds(self) -> float:
        """The advertisement interval in seconds."""
        return self.advert_int / const.CENTISECONDS


def checksum(data: bytes) -> int:
    """The internet checksum: 16-bit one's complement of the one's complement sum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    # The sum of 16-bit words modulo 2^16-1 is the number that the bytes spell, modulo 2^16-1.
    total = int.from_bytes(data, "big")
    folded = total % 0xFFFF
    if folded == 0 and total:
        folded = 0xFFFF
    return folded ^ 0xFFFF


def _pseudo_header(source: Address, destination: Address, length: int) -> bytes:
    """What version 3 over IPv4 adds in front for the checksum (RFC 5798 section 5.2.8)."""
    return source.packed + destination.packed + struct.pack("!BBH", 0, const.PROTOCOL, length)


def _checked(version: int, message: bytes, source: Address, destination: Address) -> bytes:
    """The bytes that the checksum of this version covers."""
    return message if version == 2 else _pseudo_header(source, destination, len(message)) + message


def encode(advert: Advert, source: Address, destination: Address) -> bytes:
    """The bytes of an advert, checksum included; the addresses are those of the IP header (version 3 sums them)."""
    if advert.version == 2:
        interval = advert.auth_type << 8 | advert.advert_int // const.CENTISECONDS
        tail = advert.auth_data
    else:
        interval = advert.reserved << 12 | advert.advert_int
        tail = b""
    head = (advert.version << 4 | const.TYPE_ADVERTISEMENT, advert.vrid, advert.priority, len(advert.addresses))
    body = b"".join(address.packed for address in advert.addresses) + tail
    blank = _HEADER.pack(*head, interval, 0) + body
    total = checksum(_checked(advert.version, blank, source, destination))
    return _HEADER.pack(*head, interval, total) + body


@lru_cache(maxsize=_REMEMBERED)
def decode(payload: bytes, source: Address, destination: Address, ttl: int) -> Advert:
    """The advert in `payload`, which begins after the IP header. Raises WireError and nothing else for other bytes."""
    if len(payload) < _HEADER.size:
        raise WireError(WireFault.LENGTH, f"{len(payload)} bytes, a header alone has {_HEADER.size}")
    first, vrid, priority, count, interval, _ = _HEADER.unpack_from(payload)
    version, kind = first >> 4, first & 0x0F
    if version not in const.VERSIONS:
        raise WireError(WireFault.VERSION, f"{version}")
    if kind != const.TYPE_ADVERTISEMENT:
        raise WireError(WireFault.TYPE, f"type {kind}")
    _check_length(payload, version, count)
    if ttl != const.TTL:
        raise WireError(WireFault.TTL, f"{ttl}")
    # Summing the stored checksum with the rest gives zero when it is right. Both 0x0000 and 0xffff would pass for the
    # same packet; only the one that encode writes is taken, so that decoding loses nothing.
    _check_sum(version, payload, source, destination)
    if vrid < const.VRID_MIN:
        raise WireError(WireFault.VRID, "virtual router identifiers begin at 1")
    end = _HEADER.size + count * _ADDRESS_SIZE
    addresses = tuple(IPv4Address(payload[at : at + 4]) for at in range(_HEADER.size, end, _ADDRESS_SIZE))
    if version == 2:
        return _version2(vrid, priority, interval, addresses, payload[end:])
    if not interval & 0x0FFF:
        raise WireError(WireFault.INTERVAL, "a master that sends without pause is none")
    return Advert(3, vrid, priority, interval & 0x0FFF, addresses, auth_data=b"", reserved=interval >> 12)


def _version2(vrid: int, priority: int, interval: int, addresses: tuple[Address, ...], auth_data: bytes) -> Advert:
    auth_type, seconds = interval >> 8, interval & 0xFF
    if auth_type not in _KNOWN_AUTH_TYPES:
        raise WireError(WireFault.AUTH_TYPE, f"{auth_type}")
    if not seconds:
        raise WireError(WireFault.INTERVAL, "a master that sends without pause is none")
    return Advert(2, vrid, priority, seconds * const.CENTISECONDS, addresses, auth_type, auth_data)


def expected_length(payload: bytes) -> int:
    """How many bytes an advert of the version and the number of addresses that these begin with has."""
    if len(payload) < _HEADER.size:
        return _HEADER.size
    tail = const.AUTH_DATA_SIZE if payload[0] >> 4 == 2 else 0
    return _HEADER.size + payload[3] * _ADDRESS_SIZE + tail


def _check_length(payload: bytes, version: int, count: int) -> None:
    length, expected = len(payload), expected_length(payload)
    if length != expected:
        raise WireError(WireFault.LENGTH, f"{length} bytes, {count} addresses in version {version} make {expected}")


def _check_sum(version: int, payload: bytes, source: Address, destination: Address) -> None:
    blank = payload[:6] + b"\0\0" + payload[8:]
    expected = checksum(_checked(version, blank, source, destination))
    found = int.from_bytes(payload[6:8], "big")
    if found != expected:
        raise WireError(WireFault.CHECKSUM, f"{found:#06x}, the message sums to {expected:#06x}")
