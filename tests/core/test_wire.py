"""core/wire: each fault with its sentence, and what the checks in front of it let through."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest

from pyvrrp.core import const
from pyvrrp.core.wire import Advert, checksum, decode, encode
from pyvrrp.errors import PyvrrpError, WireError, WireFault

SOURCE = IPv4Address("192.168.1.201")
GROUP = const.GROUP_IPV4
VIPS = (IPv4Address("192.168.1.200"), IPv4Address("192.168.1.199"))
V2 = Advert(2, 60, 250, 100, VIPS, const.AUTH_PASS, b"4321\0\0\0\0")
V3 = Advert(3, 60, 250, 5, VIPS, auth_data=b"")


def bytes_of(advert: Advert) -> bytes:
    return encode(advert, SOURCE, GROUP)


def patched(advert: Advert, at: int, value: int) -> bytes:
    """The advert's bytes with one changed and the checksum left as it was."""
    payload = bytes_of(advert)
    return payload[:at] + bytes([value]) + payload[at + 1 :]


@pytest.mark.parametrize(
    "advert", [V2, V3, replace(V3, reserved=9), replace(V2, addresses=()), replace(V2, priority=0)]
)
def test_what_is_encoded_is_decoded(advert: Advert) -> None:
    assert decode(bytes_of(advert), SOURCE, GROUP, 255) == advert


FAULTS = [
    (b"", 255, WireFault.LENGTH, "0 bytes, a header alone has 8"),
    (bytes_of(V2)[:7], 255, WireFault.LENGTH, "7 bytes, a header alone has 8"),
    (bytes_of(V2)[:-1], 255, WireFault.LENGTH, "23 bytes, 2 addresses in version 2 make 24"),
    (bytes_of(V3) + b"\0", 255, WireFault.LENGTH, "17 bytes, 2 addresses in version 3 make 16"),
    (patched(V2, 0, 0x41), 255, WireFault.VERSION, "4"),
    (patched(V2, 0, 0x22), 255, WireFault.TYPE, "type 2"),
    (bytes_of(V2), 254, WireFault.TTL, "254"),
    (patched(V2, 2, 249), 255, WireFault.CHECKSUM, "0xf87a, the message sums to 0xf97a"),
    (bytes_of(replace(V2, vrid=0)), 255, WireFault.VRID, "virtual router identifiers begin at 1"),
    (bytes_of(replace(V2, advert_int=0)), 255, WireFault.INTERVAL, "a master that sends without pause is none"),
    (bytes_of(replace(V3, advert_int=0)), 255, WireFault.INTERVAL, "a master that sends without pause is none"),
    (bytes_of(replace(V2, auth_type=3)), 255, WireFault.AUTH_TYPE, "3"),
]


@pytest.mark.parametrize(("payload", "ttl", "fault", "detail"), FAULTS)
def test_faults(payload: bytes, ttl: int, fault: WireFault, detail: str) -> None:
    with pytest.raises(WireError) as caught:
        decode(payload, SOURCE, GROUP, ttl)
    assert caught.value.fault is fault
    assert caught.value.detail == detail
    assert str(caught.value) == f"{fault.value}: {detail}"
    assert isinstance(caught.value, PyvrrpError)


def test_every_fault_is_tested() -> None:
    assert {fault for _, _, fault, _ in FAULTS} == set(WireFault)


def test_version_3_over_other_addresses_has_another_checksum() -> None:
    payload = bytes_of(V3)
    for source, destination in ((IPv4Address("192.168.1.202"), GROUP), (SOURCE, SOURCE), (IPv6Address("::1"), GROUP)):
        with pytest.raises(WireError, match="wrong checksum"):
            decode(payload, source, destination, 255)


def test_version_2_does_not_depend_on_the_ip_header() -> None:
    assert decode(bytes_of(V2), IPv4Address("10.0.0.1"), SOURCE, 255) == V2


@pytest.mark.parametrize(
    ("data", "total"),
    [
        (b"", 0xFFFF),
        (bytes(8), 0xFFFF),
        (b"\xff\xff", 0x0000),
        (b"\xff\xff\x00\x00", 0x0000),
        (b"\x00\x01\xf2\x03\xf4\xf5\xf6\xf7", 0x220D),  # the example of RFC 1071 section 3
        (b"\x01", 0xFEFF),
    ],
)
def test_checksum(data: bytes, total: int) -> None:
    assert checksum(data) == total


def test_the_other_zero_is_not_accepted() -> None:
    """0x0000 and 0xffff are the same number in one's complement, but only one of them is what encode writes."""
    address = IPv4Address(0xFFFF - 0x2101 - 0x0101 - 0x0001)
    payload = encode(Advert(2, 1, 1, 100, (address,)), SOURCE, GROUP)
    assert payload[6:8] == b"\0\0"
    with pytest.raises(WireError, match="wrong checksum"):
        decode(payload[:6] + b"\xff\xff" + payload[8:], SOURCE, GROUP, 255)


def test_seconds() -> None:
    assert (V2.seconds, V3.seconds) == (1.0, 0.05)
