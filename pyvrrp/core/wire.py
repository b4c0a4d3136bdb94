"""VRRP advertisements as bytes and back: version 2 (RFC 3768 section 5.1), version 3 over IPv4 and IPv6 (RFC 9568
section 5.1, which took the place of RFC 5798).

    0                   1                   2                   3
    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
   +-------+-------+---------------+---------------+---------------+
   |Version| Type  | Virtual Rtr ID|   Priority    | Count IP Addrs|
   +-------+-------+---------------+---------------+---------------+
   |   Auth Type   |  Adver Int    |           Checksum            |   version 2: seconds
   +- - - - - - - - - - - - - - - -+                               +
   | rsvd  |     Max Adver Int     |                               |   version 3: centiseconds
   +-------+-----------------------+-------------------------------+
   |            IP Address (1) ... (n), 4 or 16 bytes each         |
   +---------------------------------------------------------------+
   |               Authentication Data (1) and (2)                 |   version 2 only
   +---------------------------------------------------------------+

What the checksum covers is a history of its own: `ChecksumForm`.

`decode` is the only place that judges bytes from the network: it returns an Advert or raises WireError, never anything
else, and whatever it accepts `encode` turns into the same bytes again. What a packet must match beyond its own form
(password, interval, addresses) is the virtual router's business: core/receive.py.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

from pyvrrp.core import const
from pyvrrp.core.settings import Address
from pyvrrp.errors import WireError, WireFault

_HEADER = struct.Struct("!BBBBHH")
_LENGTH_AND_PROTOCOL = struct.Struct("!II")
_ADDRESS_SIZE = {4: 4, 6: 16}
_KNOWN_AUTH_TYPES = (const.AUTH_NONE, const.AUTH_PASS, const.AUTH_AH)

# A master repeats the same bytes with every advert, so the last few thousand answers are worth keeping. The bound is
# far above the 255 virtual routers of a link and keeps an attacker's variety from growing the memory.
_REMEMBERED = 2048


class ChecksumForm(enum.Enum):
    """What the checksum of an advert covers beside the message.

    USUAL is nothing in version 2, and in version 3 the pseudo header of RFC 5798 section 5.2.8; over IPv6 there is no
    other. Over IPv4 RFC 9568 section 5.2.8 left it out: MESSAGE_ALONE (keepalived's v3_checksum_as_v2). Keepalived up
    to 1.3.6 named the multicast group in the pseudo header of adverts that it sent to unicast peers: GROUP_NAMED.
    """

    USUAL = "usual"
    MESSAGE_ALONE = "message alone"
    GROUP_NAMED = "group named"


@dataclass(frozen=True, slots=True)
class Advert:
    """One advertisement. `advert_int` is in centiseconds in both versions (version 2 holds whole seconds of it).

    `reserved` are the four bits that version 3 ignores on receipt; `auth_data` is 8 bytes in version 2, empty in 3.
    Where two forms of the checksum give one number, `form` is the first of them.
    """

    version: int
    vrid: int
    priority: int
    advert_int: int
    addresses: tuple[Address, ...]
    auth_type: int = const.AUTH_NONE
    auth_data: bytes = field(default=bytes(const.AUTH_DATA_SIZE), repr=False)
    reserved: int = 0
    form: ChecksumForm = ChecksumForm.USUAL

    @property
    def seconds(self) -> float:
        """The advertisement interval in seconds."""
        return self.advert_int / const.CENTISECONDS


def checksum(data: bytes) -> int:
    """The internet checksum: 16-bit one's complement of the one's complement sum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    # The sum of 16-bit words modulo 2^16-1 is the number that the bytes spell, modulo 2^16-1.
    total = int.from_bytes(data)
    folded = total % 0xFFFF
    if folded == 0 and total:
        folded = 0xFFFF
    return folded ^ 0xFFFF


def _pseudo_header(source: Address, destination: Address, length: int) -> bytes:
    """What version 3 adds in front for the checksum (RFC 5798 section 5.2.8, RFC 8200 section 8.1).

    In IPv4 the two numbers have 16 bits each, in the other order: the sum is the same.
    """
    return source.packed + destination.packed + _LENGTH_AND_PROTOCOL.pack(length, const.PROTOCOL)


def _covered(form: ChecksumForm, message: bytes, source: Address, destination: Address) -> bytes:
    """The bytes that the checksum covers in this form."""
    if message[0] >> 4 == 2 or form is ChecksumForm.MESSAGE_ALONE:
        return message
    named = destination if form is ChecksumForm.USUAL else const.GROUP_IPV4
    return _pseudo_header(source, named, len(message)) + message


def _forms(source: Address, destination: Address) -> tuple[ChecksumForm, ...]:
    """Those that may come between these addresses, the usual one first."""
    if source.version == 6:
        return (ChecksumForm.USUAL,)
    if destination.is_multicast:
        return ChecksumForm.USUAL, ChecksumForm.MESSAGE_ALONE
    return ChecksumForm.USUAL, ChecksumForm.MESSAGE_ALONE, ChecksumForm.GROUP_NAMED


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
    total = checksum(_covered(advert.form, blank, source, destination))
    return _HEADER.pack(*head, interval, total) + body


@lru_cache(maxsize=_REMEMBERED)
def decode(payload: bytes, source: Address, destination: Address, ttl: int) -> Advert:
    """The advert in `payload`, which begins after the IP header. Raises WireError and nothing else for other bytes.

    Of a multicast advert the TTL is judged, too; what a unicast peer's may be is a matter of configuration.
    """
    if len(payload) < _HEADER.size:
        raise WireError(WireFault.LENGTH, f"{len(payload)} bytes, a header alone has {_HEADER.size}")
    first, vrid, priority, count, interval, _ = _HEADER.unpack_from(payload)
    version, kind = first >> 4, first & 0x0F
    if version not in const.VERSIONS:
        raise WireError(WireFault.VERSION, f"{version}")
    if version == 2 and source.version == 6:
        raise WireError(WireFault.VERSION, "2 over IPv6, where there is only 3")
    if kind != const.TYPE_ADVERTISEMENT:
        raise WireError(WireFault.TYPE, f"type {kind}")
    _check_length(payload, source.version, version, count)
    if ttl != const.TTL and destination.is_multicast:
        raise WireError(WireFault.TTL, f"{ttl}")
    # Summing the stored checksum with the rest gives zero when it is right. Both 0x0000 and 0xffff would pass for the
    # same packet; only the one that encode writes is taken, so that decoding loses nothing.
    form = _form(payload, source, destination)
    if vrid < const.VRID_MIN:
        raise WireError(WireFault.VRID, "virtual router identifiers begin at 1")
    addresses = _addresses(payload, source.version, count)
    if version == 2:
        return _version2(vrid, priority, interval, addresses, payload[-const.AUTH_DATA_SIZE :])
    if not interval & 0x0FFF:
        raise WireError(WireFault.INTERVAL, "a master that sends without pause is none")
    return Advert(3, vrid, priority, interval & 0x0FFF, addresses, auth_data=b"", reserved=interval >> 12, form=form)


def _addresses(payload: bytes, family: int, count: int) -> tuple[Address, ...]:
    size = _ADDRESS_SIZE[family]
    kind = IPv6Address if family == 6 else IPv4Address
    return tuple(kind(payload[at : at + size]) for at in range(_HEADER.size, _HEADER.size + count * size, size))


def _version2(vrid: int, priority: int, interval: int, addresses: tuple[Address, ...], auth_data: bytes) -> Advert:
    auth_type, seconds = interval >> 8, interval & 0xFF
    if auth_type not in _KNOWN_AUTH_TYPES:
        raise WireError(WireFault.AUTH_TYPE, f"{auth_type}")
    if not seconds:
        raise WireError(WireFault.INTERVAL, "a master that sends without pause is none")
    return Advert(2, vrid, priority, seconds * const.CENTISECONDS, addresses, auth_type, auth_data)


def expected_length(payload: bytes, family: int) -> int:
    """How many bytes an advert of the version and the number of addresses that these begin with has."""
    if len(payload) < _HEADER.size:
        return _HEADER.size
    tail = const.AUTH_DATA_SIZE if payload[0] >> 4 == 2 else 0
    return _HEADER.size + payload[3] * _ADDRESS_SIZE[family] + tail


def _check_length(payload: bytes, family: int, version: int, count: int) -> None:
    length, expected = len(payload), expected_length(payload, family)
    if length != expected:
        raise WireError(WireFault.LENGTH, f"{length} bytes, {count} addresses in version {version} make {expected}")


def _form(payload: bytes, source: Address, destination: Address) -> ChecksumForm:
    """The form in which the checksum is right."""
    blank = payload[:6] + b"\0\0" + payload[8:]
    found = int.from_bytes(payload[6:8])
    for form in _forms(source, destination):
        if found == checksum(_covered(form, blank, source, destination)):
            return form
    usual = checksum(_covered(ChecksumForm.USUAL, blank, source, destination))
    raise WireError(WireFault.CHECKSUM, f"{found:#06x}, the message sums to {usual:#06x}")
