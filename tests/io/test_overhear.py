"""The packet socket below netfilter, on a real cable."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from pyvrrp.errors import KernelError
from pyvrrp.io.overhear import OverhearSocket
from tests.io.conftest import Pair
from tests.netns import Namespace
from tests.waiting import readable

pytestmark = pytest.mark.lab

PEER, PEER_6 = "192.168.1.201", "fe80::201"
TO_GROUP, TO_GROUP_6 = Ether(dst="01:00:5e:00:00:12"), Ether(dst="33:33:00:00:00:12")
ADVERT = bytes([0x21, 60, 100, 1, 0, 1, 0, 0])
ADVERT_3 = bytes([0x31, 60, 100, 1, 0, 1, 0, 0])


def ipv4(payload: bytes = ADVERT, **fields: object) -> IP:
    plain: dict[str, object] = {"src": PEER, "dst": "224.0.0.18", "ttl": 255, "proto": 112}
    return IP(**(plain | fields)) / payload


def ipv6(payload: bytes = ADVERT_3, **fields: object) -> IPv6:
    plain: dict[str, object] = {"src": PEER_6, "dst": "ff02::12", "hlim": 255, "nh": 112}
    return IPv6(**(plain | fields)) / payload


def send(pair: Pair, *frames: Ether) -> None:
    with pair.here.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind(("eth0", 0))
        for each in frames:
            wire.send(bytes(each))


@pytest.fixture
def below(pair: Pair) -> Iterator[OverhearSocket]:
    with pair.there.inside():
        opened = OverhearSocket("eth0", 4, {60, 61})
    yield opened
    opened.close()


@pytest.fixture
def below_6(pair: Pair) -> Iterator[OverhearSocket]:
    with pair.there.inside():
        opened = OverhearSocket("eth0", 6, {60})
    yield opened
    opened.close()


def test_an_advert_that_the_firewall_drops_is_heard(pair: Pair, below: OverhearSocket) -> None:
    pair.there.run("nft", "add table ip t")
    pair.there.run("nft", "add chain ip t input { type filter hook input priority 0; }")
    pair.there.run("nft", "add rule ip t input ip protocol 112 drop")
    send(pair, TO_GROUP / ipv4() / bytes(30))  # Ethernet's padding is not part of it
    assert readable(below)
    (heard,) = below.receive()
    assert (heard.interface, heard.source, heard.destination) == ("eth0", ip_address(PEER), ip_address("224.0.0.18"))
    assert (heard.ttl, heard.payload[:8]) == (255, ADVERT)


def test_of_version_six_too(pair: Pair, below_6: OverhearSocket) -> None:
    send(pair, TO_GROUP_6 / ipv6())
    assert readable(below_6)
    (heard,) = below_6.receive()
    assert (heard.source, heard.destination) == (ip_address(PEER_6), ip_address("ff02::12"))
    assert (heard.ttl, heard.payload) == (255, ADVERT_3)


@pytest.mark.parametrize(
    "packet",
    [
        ipv4(ttl=254),
        ipv4(proto=17),
        ipv4(frag=1),
        ipv4(flags="MF"),
        ipv4(chksum=1),
        ipv4(len=10),
        ipv4(b"\x21\x07" + ADVERT[2:]),
        ipv4(b"\x22" + ADVERT[1:]),
        ipv4(b"\x41" + ADVERT[1:]),
        ipv4(b"\x21"),
        ipv4(b""),
    ],
    ids=["ttl", "protocol", "fragment", "first fragment", "checksum", "length", "vrid", "type", "version", "1", "0"],
)
def test_what_the_raw_socket_would_not_have_either_is_not_heard(pair: Pair, below: OverhearSocket, packet: IP) -> None:
    send(pair, TO_GROUP / packet, TO_GROUP / ipv4(bytes([0x31, 61]) + bytes(6)))
    assert readable(below)
    heard = below.receive()
    while not heard:
        assert readable(below)
        heard = below.receive()
    assert [each.payload[:2] for each in heard] == [b"\x31\x3d"]


@pytest.mark.parametrize(
    "packet",
    [ipv6(hlim=254), ipv6(nh=17), ipv6(plen=200), ipv6(b"\x21" + ADVERT[1:]), ipv6(b"\x31\x07" + ADVERT[2:])],
    ids=["hop limit", "protocol", "length", "version", "vrid"],
)
def test_nor_of_version_six(pair: Pair, below_6: OverhearSocket, packet: IPv6) -> None:
    send(pair, TO_GROUP_6 / packet, TO_GROUP_6 / ipv6(ADVERT_3 + b"last"))
    assert readable(below_6)
    heard = below_6.receive()
    while not heard:
        assert readable(below_6)
        heard = below_6.receive()
    assert [each.payload for each in heard] == [ADVERT_3 + b"last"]


def test_unicast_may_have_any_ttl(pair: Pair, below: OverhearSocket) -> None:
    everybody = "ff:ff:ff:ff:ff:ff"  # the frame that one sends who does not know the MAC
    send(pair, Ether(dst=everybody) / ipv4(dst="192.168.1.202", ttl=64))
    assert readable(below)
    assert [each.ttl for each in below.receive()] == [64]


def test_own_packets_and_those_for_others_are_not_heard(pair: Pair, below: OverhearSocket) -> None:
    with pair.there.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind(("eth0", 0))
        wire.send(bytes(TO_GROUP / ipv4()))
    send(pair, Ether(dst="02:99:99:99:99:99") / ipv4(dst="192.168.1.202"))
    assert not readable(below, 0.2)


def test_the_filter_can_be_replaced(pair: Pair, below: OverhearSocket) -> None:
    below.watch({7})
    send(pair, TO_GROUP / ipv4(), TO_GROUP / ipv4(b"\x21\x07" + ADVERT[2:]))
    assert readable(below)
    assert [each.payload[1] for each in below.receive()] == [7]


def test_a_missing_interface_is_named(host: Namespace) -> None:
    with host.inside(), pytest.raises(KernelError, match="below the firewall on eth7: No such device") as caught:
        OverhearSocket("eth7", 4, {60})
    assert caught.value.errno == errno.ENODEV
