"""Passwords never stand in a recording, and what is decided because of them stays as it was."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyvrrp.core import const
from pyvrrp.core.events import AdvertReceived
from pyvrrp.core.receive import objection
from pyvrrp.core.settings import InstanceSettings
from pyvrrp.core.wire import Advert, decode, encode
from pyvrrp.errors import WireError
from pyvrrp.recording.disguise import Disguise, unsaid
from pyvrrp.recording.plain import Plainly
from tests.simulation import VIP, instance

SOURCE, GROUP = ip_address("192.168.1.9"), const.GROUP_IPV4
passwords = st.binary(min_size=1, max_size=8).filter(any)
DISGUISE = Disguise(b"key")


def sent(password: bytes, **changes: object) -> bytes:
    """An advert of virtual router 60 with that password."""
    advert = Advert(2, 60, 240, 100, (VIP.address,), const.AUTH_PASS, password.ljust(8, b"\0"))
    return encode(replace(advert, **changes), SOURCE, GROUP)  # type: ignore[arg-type]


def heard(payload: bytes, settings: InstanceSettings) -> str:
    """What the core has against a packet, without the numbers of a checksum."""
    try:
        advert = decode(payload, SOURCE, GROUP, const.TTL)
    except WireError as error:
        return unsaid(str(error))
    against = objection(advert, AdvertReceived("eth0", SOURCE, GROUP, const.TTL, payload), settings)
    return against.reason if against else "nothing"


@given(ours=passwords, theirs=passwords, position=st.integers(0, 19), error=st.integers(0, 255))
def test_the_same_is_decided(ours: bytes, theirs: bytes, position: int, error: int) -> None:
    packet = bytearray(sent(theirs))
    packet[position] ^= error
    settings = instance(auth_pass=ours)
    form = Plainly(DISGUISE.veil).encode(settings)
    hidden = Plainly().decode(form)
    assert heard(DISGUISE.packet(bytes(packet)), hidden) == heard(bytes(packet), settings)


@pytest.mark.parametrize(
    "changes", [{}, {"auth_type": const.AUTH_NONE}, {"auth_type": const.AUTH_AH}, {"addresses": ()}]
)
def test_no_password_is_left(changes: dict[str, object]) -> None:
    packet = sent(b"s3cretpw", **changes)
    for damaged in (packet, packet[:-1], packet + b"!", b"\x51" + packet[1:], packet[:3] + b"\7" + packet[4:]):
        hidden = DISGUISE.packet(damaged)
        assert b"s3cr" not in hidden
        assert len(hidden) == len(damaged)
        assert hidden[:4] == damaged[:4]


def test_what_is_no_secret_stays() -> None:
    free = sent(b"", auth_type=const.AUTH_NONE)
    assert DISGUISE.packet(free) == free
    third = encode(Advert(3, 60, 240, 10, (VIP.address,), auth_data=b""), SOURCE, GROUP)
    sixth = encode(
        Advert(3, 60, 240, 10, (ip_address("fe80::1"),), auth_data=b""), ip_address("fe80::9"), ip_address("ff02::12")
    )
    assert (DISGUISE.packet(third), DISGUISE.packet(sixth)) == (third, sixth)
    assert DISGUISE.veil("Vmac.mac", b"\2") == b"\2"
    assert DISGUISE.veil("UdpProbe.payload", b"ping" * 9) == b"ping" * 9


def test_two_recordings_cannot_be_compared() -> None:
    one, other = Disguise(b"one"), Disguise(b"other")
    assert one.packet(sent(b"4321")) == one.packet(sent(b"4321"))
    assert one.packet(sent(b"4321")) != other.packet(sent(b"4321"))


def test_the_checksum_does_not_tell_of_the_password() -> None:
    """Another password of the same sum, so of the same packet's checksum, is another pseudonym with another one."""
    one, same = sent(b"abcd"), sent(b"cdab")
    assert one[6:8] == same[6:8]
    assert DISGUISE.packet(one)[6:8] != DISGUISE.packet(same)[6:8]
    assert unsaid("wrong checksum: 0x12ab, the message sums to 0x34cd") == (
        "wrong checksum: 0x????, the message sums to 0x????"
    )
