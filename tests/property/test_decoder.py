"""Whatever bytes come from the network: an Advert that encodes to the same bytes, or a WireError. Nothing else."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from hypothesis import assume, given
from hypothesis import strategies as st

from pyvrrp.core import const
from pyvrrp.core.settings import Address
from pyvrrp.core.wire import Advert, ChecksumForm, decode, encode
from pyvrrp.errors import WireError

SOURCE, GROUP = IPv4Address("192.168.1.201"), const.GROUP_IPV4

addresses = st.lists(st.ip_addresses(v=4), max_size=20).map(tuple)
vrids = st.integers(min_value=1, max_value=255)
bytes8 = st.integers(min_value=0, max_value=255)

version2 = st.builds(
    Advert,
    st.just(2),
    vrids,
    bytes8,
    st.integers(min_value=1, max_value=255).map(lambda seconds: seconds * const.CENTISECONDS),
    addresses,
    st.sampled_from((const.AUTH_NONE, const.AUTH_PASS, const.AUTH_AH)),
    st.binary(min_size=8, max_size=8),
)


def version_3_with(addresses: st.SearchStrategy[tuple[Address, ...]]) -> st.SearchStrategy[Advert]:
    return st.builds(
        Advert,
        st.just(3),
        vrids,
        bytes8,
        st.integers(min_value=1, max_value=4095),
        addresses,
        auth_data=st.just(b""),
        reserved=st.integers(min_value=0, max_value=15),
    )


plain_version3 = version_3_with(addresses)
version3 = st.builds(
    lambda advert, form: replace(advert, form=form),
    plain_version3,
    st.sampled_from((ChecksumForm.USUAL, ChecksumForm.MESSAGE_ALONE)),
)
version6 = version_3_with(st.lists(st.ip_addresses(v=6), max_size=20).map(tuple))
adverts = version2 | version3


def read(payload: bytes, ttl: int = const.TTL, source: Address = SOURCE) -> Advert | None:
    """The advert, or None for a WireError."""
    try:
        return decode(payload, source, GROUP, ttl)
    except WireError:
        return None


def spoil(payload: bytes, at: int, value: int) -> bytes:
    """The packet with one byte changed."""
    at %= len(payload)
    return payload[:at] + bytes([value]) + payload[at + 1 :]


def with_checksum(payload: bytes) -> bytes:
    """The packet with the checksum of version 2 put right, so that what lies behind that test is reached."""
    words = [int.from_bytes(payload[at : at + 2], "big") for at in range(0, len(payload), 2) if at != 6]
    total = sum(words) % 0xFFFF or (0xFFFF if any(words) else 0)
    return payload[:6] + (total ^ 0xFFFF).to_bytes(2, "big") + payload[8:]


@given(advert=adverts)
def test_every_advert_survives_the_wire(advert: Advert) -> None:
    assert decode(encode(advert, SOURCE, GROUP), SOURCE, GROUP, const.TTL) == advert


@given(payload=st.binary(max_size=1100), ttl=st.sampled_from((255, 254, 1)))
def test_any_bytes(payload: bytes, ttl: int) -> None:
    advert = read(payload, ttl)
    assert advert is None or encode(advert, SOURCE, GROUP) == payload


@given(advert=adverts, at=st.integers(min_value=0), value=bytes8, source=st.ip_addresses())
def test_a_byte_changed(advert: Advert, at: int, value: int, source: Address) -> None:
    payload = spoil(encode(advert, SOURCE, GROUP), at, value)
    for sender in (SOURCE, source):
        found = read(payload, source=sender)
        assert found is None or encode(found, sender, GROUP) == payload


@given(advert=version2, at=st.integers(min_value=0), value=bytes8)
def test_a_byte_changed_under_a_right_checksum(advert: Advert, at: int, value: int) -> None:
    payload = with_checksum(spoil(encode(advert, SOURCE, GROUP), at, value))
    found = read(payload)
    assert found is None or encode(found, SOURCE, GROUP) == payload


@given(advert=adverts, size=st.integers(min_value=0), more=st.binary(max_size=30))
def test_cut_or_lengthened(advert: Advert, size: int, more: bytes) -> None:
    payload = encode(advert, SOURCE, GROUP)
    changed = payload[: size % (len(payload) + 1)] + more
    found = read(changed)
    assert found is None or encode(found, SOURCE, GROUP) == changed


@given(advert=adverts, bit=st.integers(min_value=0))
def test_one_bit_is_always_noticed(advert: Advert, bit: int) -> None:
    payload = encode(advert, SOURCE, GROUP)
    at, bit = divmod(bit % (len(payload) * 8), 8)
    changed = spoil(payload, at, payload[at] ^ 1 << bit)
    assume(changed[0] >> 4 == advert.version)  # another version has another checksum
    assert read(changed) is None


# --- IPv6, and unicast ------------------------------------------------------------------------------------------------

SOURCE_6 = IPv6Address("fe80::c9")
PEER = IPv4Address("192.168.1.202")
DESTINATIONS: tuple[Address, ...] = (GROUP, const.GROUP_IPV6, PEER, IPv6Address("fe80::ca"))


@given(advert=version6, source=st.ip_addresses(v=6), at=st.integers(min_value=0), value=bytes8)
def test_ipv6_survives_the_wire_and_a_byte_changed_does_not_pass_for_another(
    advert: Advert, source: IPv6Address, at: int, value: int
) -> None:
    payload = encode(advert, source, const.GROUP_IPV6)
    assert decode(payload, source, const.GROUP_IPV6, const.TTL) == advert
    changed = spoil(payload, at, value)
    try:
        found = decode(changed, source, const.GROUP_IPV6, const.TTL)
    except WireError:
        return
    assert encode(found, source, const.GROUP_IPV6) == changed


@given(advert=plain_version3, form=st.sampled_from(ChecksumForm), ttl=bytes8, source=st.ip_addresses(v=4))
def test_every_form_of_the_checksum_comes_back_as_the_same_bytes(
    advert: Advert, form: ChecksumForm, ttl: int, source: IPv4Address
) -> None:
    payload = encode(replace(advert, form=form), source, PEER)
    found = decode(payload, source, PEER, ttl)
    assert replace(found, form=form) == replace(advert, form=form)
    assert encode(found, source, PEER) == payload


@given(
    payload=st.binary(max_size=1100),
    ttl=bytes8,
    source=st.ip_addresses(),
    destination=st.ip_addresses() | st.sampled_from(DESTINATIONS),
)
def test_any_bytes_between_any_addresses(payload: bytes, ttl: int, source: Address, destination: Address) -> None:
    try:
        advert = decode(payload, source, destination, ttl)
    except WireError:
        return
    assert encode(advert, source, destination) == payload
