"""core/wire: each fault with its sentence, and what the checks in front of it let through."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest

from pyvrrp.core import const
from pyvrrp.core.settings import Address
from pyvrrp.core.wire import Advert, ChecksumForm, checksum, decode, encode
from pyvrrp.errors import PyvrrpError, WireError, WireFault

SOURCE = IPv4Address("192.168.1.201")
GROUP = const.GROUP_IPV4
VIPS = (IPv4Address("192.168.1.200"), IPv4Address("192.168.1.199"))
V2 = Advert(2, 60, 250, 100, VIPS, const.AUTH_PASS, b"4321\0\0\0\0")
V3 = Advert(3, 60, 250, 5, VIPS, auth_data=b"")
SOURCE_6, GROUP_6 = IPv6Address("fe80::c9"), const.GROUP_IPV6
V6 = Advert(3, 60, 250, 5, (IPv6Address("fe80::51"), IPv6Address("2001:db8::51")), auth_data=b"")


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


def test_the_right_sum_is_the_usual_one() -> None:
    payload = encode(V3, SOURCE, VIPS[0])
    with pytest.raises(WireError, match=f"sums to 0x{payload[6:8].hex()}"):
        decode(payload[:6] + b"\0\0" + payload[8:], SOURCE, VIPS[0], 255)


def test_version_3_over_other_addresses_has_another_checksum() -> None:
    payload = bytes_of(V3)
    for source, destination in ((IPv4Address("192.168.1.202"), GROUP), (IPv4Address("192.168.1.9"), SOURCE)):
        with pytest.raises(WireError, match="wrong checksum"):
            decode(payload, source, destination, 255)


# --- IPv6 -------------------------------------------------------------------------------------------------------------


def test_ipv6_is_encoded_and_decoded() -> None:
    payload = encode(V6, SOURCE_6, GROUP_6)
    assert len(payload) == 8 + 2 * 16
    assert decode(payload, SOURCE_6, GROUP_6, 255) == V6


def test_an_advert_that_keepalived_sent_over_ipv6() -> None:
    """Keepalived 2.2.7, from its wire."""
    payload = bytes.fromhex(
        "3133ff030064e6ce"
        "fe800000000000000000000000000051"
        "20010db8000000000000000000000051"
        "20010db8000000000000000000000052"
    )
    source = IPv6Address("fe80::9855:37ff:fe31:c0e9")
    addresses = tuple(map(IPv6Address, ("fe80::51", "2001:db8::51", "2001:db8::52")))
    advert = Advert(3, 51, 255, 100, addresses, auth_data=b"")
    assert decode(payload, source, GROUP_6, 255) == advert
    assert encode(advert, source, GROUP_6) == payload


@pytest.mark.parametrize(
    ("payload", "fault", "detail"),
    [
        (bytes_of(V2), WireFault.VERSION, "2 over IPv6, where there is only 3"),
        (bytes_of(V3), WireFault.LENGTH, "16 bytes, 2 addresses in version 3 make 40"),
        (encode(V6, SOURCE_6, GROUP_6)[:-1] + b"\0", WireFault.CHECKSUM, "0xa8e8, the message sums to 0xa939"),
        (encode(replace(V6, form=ChecksumForm.MESSAGE_ALONE), SOURCE_6, GROUP_6), WireFault.CHECKSUM, ""),
        (encode(replace(V6, vrid=0), SOURCE_6, GROUP_6), WireFault.VRID, "virtual router identifiers begin at 1"),
    ],
)
def test_faults_over_ipv6(payload: bytes, fault: WireFault, detail: str) -> None:
    with pytest.raises(WireError) as caught:
        decode(payload, SOURCE_6, GROUP_6, 255)
    assert caught.value.fault is fault
    assert not detail or caught.value.detail == detail


# --- TTL, and what the checksum covers --------------------------------------------------------------------------------


@pytest.mark.parametrize(("advert", "source", "to"), [(V3, SOURCE, VIPS[0]), (V6, SOURCE_6, IPv6Address("fe80::2"))])
def test_the_ttl_of_unicast_is_not_the_decoders_business(advert: Advert, source: Address, to: Address) -> None:
    assert decode(encode(advert, source, to), source, to, 3) == advert


PEER = IPv4Address("192.168.1.202")


@pytest.mark.parametrize(
    ("form", "destination"),
    [
        (ChecksumForm.USUAL, GROUP),
        (ChecksumForm.MESSAGE_ALONE, GROUP),
        (ChecksumForm.USUAL, PEER),
        (ChecksumForm.MESSAGE_ALONE, PEER),
        (ChecksumForm.GROUP_NAMED, PEER),
    ],
)
def test_every_form_of_the_checksum_is_taken_and_remembered(form: ChecksumForm, destination: Address) -> None:
    advert = replace(V3, form=form)
    payload = encode(advert, SOURCE, destination)
    assert decode(payload, SOURCE, destination, 255) == advert


def test_the_forms_differ() -> None:
    assert len({encode(replace(V3, form=form), SOURCE, PEER) for form in ChecksumForm}) == 3


def test_version_2_has_one_form_only() -> None:
    """The message alone, which needs no name of its own."""
    assert {encode(replace(V2, form=form), SOURCE, PEER) for form in ChecksumForm} == {bytes_of(V2)}


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
