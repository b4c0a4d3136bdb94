"""Adverts under a virtual MAC in a real kernel."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from pyvrrp.core import const
from pyvrrp.core.effects import SendAdvert
from pyvrrp.core.events import AdvertReceived
from pyvrrp.core.settings import Address
from pyvrrp.errors import KernelError
from pyvrrp.io.adverts import AdvertSocket
from pyvrrp.io.vmac import VmacSocket
from tests.io.conftest import Pair
from tests.netns import Namespace
from tests.waiting import readable

pytestmark = pytest.mark.lab

OURS, THEIRS = IPv4Address("192.168.1.201"), IPv4Address("192.168.1.202")
PAYLOAD = bytes.fromhex("21 3c 64 01 00 01") + bytes(34)
GROUP6 = IPv6Address("ff02::12")


def make(host: Namespace, mac: str, name: str = "vrrp.60") -> None:
    host.ip(f"link add {name} link eth0 address {mac} type macvlan mode private")
    host.ip(f"link set {name} up")


def opened(host: Namespace, family: int = 4, name: str = "vrrp.60") -> VmacSocket:
    with host.inside():
        return VmacSocket(name, "eth0", family, {60})


@pytest.fixture
def both(pair: Pair) -> Iterator[tuple[VmacSocket, VmacSocket]]:
    """The same virtual MAC on both hosts."""
    for host in (pair.here, pair.there):
        make(host, "00:00:5e:00:01:3c")
    here, there = opened(pair.here), opened(pair.there)
    yield here, there
    here.close()
    there.close()


def advert(source: Address = OURS, destination: Address = const.GROUP_IPV4, payload: bytes = PAYLOAD) -> SendAdvert:
    return SendAdvert("VI_1", "vrrp.60", source, destination, payload)


def test_an_advert_goes_from_one_virtual_mac_to_the_other(both: tuple[VmacSocket, VmacSocket]) -> None:
    here, there = both
    assert here.send(advert())
    assert readable(there)
    assert there.receive() == [AdvertReceived("eth0", OURS, const.GROUP_IPV4, const.TTL, PAYLOAD)]
    assert here.receive() == [], "not one's own"


def test_what_a_plain_peer_sends_is_heard_once_below(pair: Pair, both: tuple[VmacSocket, VmacSocket]) -> None:
    here, _ = both
    with pair.here.inside():
        below = AdvertSocket("eth0", {60})
    with pair.there.inside():
        plain = AdvertSocket("eth0", {60})
    plain.send(SendAdvert("VI_1", "eth0", THEIRS, const.GROUP_IPV4, PAYLOAD))
    assert readable(below)
    assert len(below.receive()) == 1
    assert here.receive() == []
    below.close()
    plain.close()


def test_a_plain_peer_hears_an_advert_as_any_other(pair: Pair, both: tuple[VmacSocket, VmacSocket]) -> None:
    here, _ = both
    pair.there.ip("link del vrrp.60")
    with pair.there.inside():
        plain = AdvertSocket("eth0", {60})
    here.send(advert())
    assert readable(plain)
    assert plain.receive() == [AdvertReceived("eth0", OURS, const.GROUP_IPV4, const.TTL, PAYLOAD)]
    plain.close()


def test_the_frame(pair: Pair, both: tuple[VmacSocket, VmacSocket]) -> None:
    pair.there.ip("link del vrrp.60")
    with pair.there.inside():
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    wire.bind(("eth0", 0x0800))
    wire.settimeout(5)
    both[0].send(advert())
    frame = wire.recv(2000)
    assert frame[:14] == bytes.fromhex("01005e000012 00005e00013c 0800")
    assert frame[14:34].hex(" ") == "45 c0 00 3c 00 01 00 00 ff 70 18 0d c0 a8 01 c9 e0 00 00 12"
    wire.close()


def test_other_virtual_routers_and_other_protocols_are_not_heard(both: tuple[VmacSocket, VmacSocket]) -> None:
    here, there = both
    here.send(advert(payload=b"\x21\x3d" + PAYLOAD[2:]))
    here.send(advert())
    assert readable(there)
    assert len(there.receive()) == 1
    there.watch({61})
    here.send(advert())
    here.send(advert(payload=b"\x21\x3d" + PAYLOAD[2:]))
    assert readable(there)
    assert [each.payload[1] for each in there.receive()] == [61]


@pytest.mark.parametrize(
    "packet",
    [
        b"\x45",
        bytes.fromhex("45c0 003c 0001 0000 ff70 180e c0a801c9 e0000012") + PAYLOAD,
        bytes.fromhex("45c0 003c 0001 2000 ff70 f80c c0a801c9 e0000012") + PAYLOAD,
    ],
    ids=["short", "wrong checksum", "fragment"],
)
def test_what_is_no_whole_packet_is_nothing(both: tuple[VmacSocket, VmacSocket], packet: bytes) -> None:
    here, there = both
    there_to = ("vrrp.60", 0x0800, 0, 0, bytes.fromhex("01005e000012"))
    here._socket.sendto(packet, there_to)
    here.send(advert())
    assert readable(there)
    assert len(there.receive()) == 1


def test_ipv6(pair: Pair) -> None:
    for host in (pair.here, pair.there):
        make(host, "00:00:5e:00:02:3c")
    here, there = opened(pair.here, 6), opened(pair.there, 6)
    source = ip_address("fe80::201")
    assert here.send(advert(source, GROUP6))
    assert readable(there)
    assert there.receive() == [AdvertReceived("eth0", source, GROUP6, const.TTL, PAYLOAD)]
    here.close()
    there.close()


def test_one_that_is_not_there(pair: Pair) -> None:
    with pytest.raises(KernelError, match=r"open a packet socket on vrrp\.60: No such device"):
        opened(pair.here)


def test_one_that_is_taken_away(pair: Pair, both: tuple[VmacSocket, VmacSocket]) -> None:
    pair.here.ip("link del vrrp.60")
    assert not both[0].send(advert())
    assert both[0].last_error is not None
