"""The protocol-112 socket on a real cable."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

import pytest
from scapy.layers.inet import IP, IPOption_Router_Alert
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from pyvrrp.core import const
from pyvrrp.core.effects import SendAdvert
from pyvrrp.errors import KernelError
from pyvrrp.io.adverts import AdvertSocket
from tests.io.conftest import Pair
from tests.netns import Namespace
from tests.unprivileged import status_of
from tests.waiting import DEADLINE, readable

pytestmark = pytest.mark.lab

HERE, THERE = IPv4Address("192.168.1.201"), IPv4Address("192.168.1.202")


def advert(vrid: int, source: IPv4Address = HERE, tail: bytes = b"") -> SendAdvert:
    """A well-formed first line of a packet is all that these sockets look at."""
    return SendAdvert("VI_1", "eth0", source, const.GROUP_IPV4, bytes([0x21, vrid, 100, 1, 0, 1, 0, 0]) + tail)


@pytest.fixture
def sender(pair: Pair) -> Iterator[AdvertSocket]:
    with pair.here.inside():
        opened = AdvertSocket("eth0", {1})
    yield opened
    opened.close()


@pytest.fixture
def receiver(pair: Pair) -> Iterator[AdvertSocket]:
    with pair.there.inside():
        opened = AdvertSocket("eth0", {60, 61})
    yield opened
    opened.close()


@pytest.fixture
def sniffer(pair: Pair) -> Iterator[socket.socket]:
    with (
        pair.there.inside(),
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)) as sock,
    ):
        sock.bind(("eth0", 0x0800))
        sock.settimeout(DEADLINE)
        yield sock


def test_an_advert_arrives_as_it_was_sent(sender: AdvertSocket, receiver: AdvertSocket) -> None:
    assert sender.send(advert(60, tail=b"tail"))
    assert readable(receiver)
    (heard,) = receiver.receive()
    assert (heard.interface, heard.source, heard.destination, heard.ttl) == ("eth0", HERE, const.GROUP_IPV4, 255)
    assert heard.payload == advert(60, tail=b"tail").payload


def test_only_watched_virtual_routers_reach_python(sender: AdvertSocket, receiver: AdvertSocket) -> None:
    for vrid in [*range(1, 256), 60]:
        assert sender.send(advert(vrid))
    assert readable(receiver)
    assert [heard.payload[1] for heard in receiver.receive()] == [60, 61, 60]


@pytest.mark.parametrize("watched", [set(), {255}, set(range(1, 256))], ids=["none", "one", "all"])
def test_the_filter_can_be_replaced(sender: AdvertSocket, receiver: AdvertSocket, watched: set[int]) -> None:
    receiver.watch({*watched, 60})
    receiver.watch(watched | {7})
    for vrid in range(1, 256):
        sender.send(advert(vrid))
    sender.send(advert(7, tail=b"last"))
    heard: list[int] = []
    while readable(receiver):
        packets = receiver.receive()
        heard += [packet.payload[1] for packet in packets]
        if packets[-1].payload.endswith(b"last"):
            break
    assert heard == [*sorted(watched | {7}), 7]


def test_the_header_on_the_wire(sender: AdvertSocket, sniffer: socket.socket) -> None:
    assert sender.send(advert(60))
    packets = (Ether(sniffer.recv(2048)) for _ in range(20))  # the kernel's own IGMP reports are among them
    packet = next(packet for packet in packets if packet[IP].proto == 112)
    header = packet[IP]
    assert packet.dst == "01:00:5e:00:00:12"
    assert (header.src, header.dst, header.proto) == (str(HERE), "224.0.0.18", 112)
    assert (header.ttl, header.tos) == (255, 0xC0)


def test_the_source_is_the_one_asked_for(pair: Pair, sender: AdvertSocket, receiver: AdvertSocket) -> None:
    pair.here.ip("addr add 192.168.1.99/24 dev eth0")
    second = IPv4Address("192.168.1.99")
    sources = [HERE, second, HERE]
    for source in sources:
        assert sender.send(advert(60, source))
    assert readable(receiver)
    assert [heard.source for heard in receiver.receive()] == sources


def test_the_source_may_be_an_address_that_is_not_here(sender: AdvertSocket, receiver: AdvertSocket) -> None:
    """mcast_src_ip may name one, and keepalived sends from it."""
    elsewhere = IPv4Address("192.168.1.77")
    assert sender.send(advert(60, source=elsewhere))
    assert readable(receiver)
    assert [heard.source for heard in receiver.receive()] == [elsewhere]


def test_a_refused_advert_is_told(pair: Pair, sender: AdvertSocket, receiver: AdvertSocket) -> None:
    assert sender.send(advert(60))
    pair.here.ip("link set eth0 down")
    assert not sender.send(advert(60))
    assert sender.last_error is not None
    pair.here.ip("link set eth0 up")
    assert receiver.receive()


def test_own_adverts_are_not_heard(pair: Pair) -> None:
    with pair.here.inside():
        own = AdvertSocket("eth0", {60})
    assert own.send(advert(60))
    assert not readable(own, 0.1)
    own.close()


def test_membership_outlives_the_link_and_the_address(pair: Pair, sender: AdvertSocket, receiver: AdvertSocket) -> None:
    pair.there.ip("link set eth0 down")
    pair.there.ip("addr flush dev eth0")
    pair.there.ip("link set eth0 up")
    receiver.receive()
    assert sender.send(advert(60))
    assert readable(receiver)
    assert [heard.payload[1] for heard in receiver.receive()] == [60]


def test_padding_and_options_are_not_payload(pair: Pair, receiver: AdvertSocket) -> None:
    header = IP(src=str(HERE), dst="224.0.0.18", ttl=254, proto=112, options=[IPOption_Router_Alert()])
    frame = bytes(Ether(dst="01:00:5e:00:00:12") / header / advert(60).payload) + bytes(30)
    with pair.here.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind(("eth0", 0))
        wire.send(frame)
    assert readable(receiver)
    (heard,) = receiver.receive()
    assert (heard.payload, heard.ttl) == (advert(60).payload, 254)


def test_no_bytes_raise(pair: Pair, receiver: AdvertSocket) -> None:
    with pair.here.inside(), socket.socket(socket.AF_INET, socket.SOCK_RAW, const.PROTOCOL) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        for length in range(40):
            raw.sendto(bytes([0x21, 60])[:length] + bytes(max(0, length - 2)), ("224.0.0.18", 0))
    assert readable(receiver)
    # Without a VRID there is nothing for the filter to pass.
    assert [len(heard.payload) for heard in receiver.receive()] == list(range(2, 40))


# --- unicast, other groups, IPv6 --------------------------------------------------------------------------------------

OTHER_GROUP = IPv4Address("224.0.0.99")
HERE_6, THERE_6 = IPv6Address("fe80::c9"), IPv6Address("fe80::ca")
GLOBAL_HERE, GLOBAL_THERE = IPv6Address("2001:db8::c9"), IPv6Address("2001:db8::ca")


@dataclass(frozen=True)
class Pair6:
    """Sockets of both ends for IPv6, and whatever comes to the second."""

    sender: AdvertSocket
    receiver: AdvertSocket
    sniffer: socket.socket


@pytest.fixture
def six(pair: Pair) -> Iterator[Pair6]:
    for namespace, addresses in ((pair.here, (HERE_6, GLOBAL_HERE)), (pair.there, (THERE_6, GLOBAL_THERE))):
        for address in addresses:
            namespace.ip(f"addr add {address}/64 dev eth0 nodad")
    with pair.here.inside():
        sender = AdvertSocket("eth0", {1}, 6)
    with pair.there.inside():
        receiver = AdvertSocket("eth0", {60, 61}, 6)
        sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x86DD))
    sniffer.bind(("eth0", 0x86DD))
    sniffer.settimeout(DEADLINE)
    yield Pair6(sender, receiver, sniffer)
    for each in (sender, receiver, sniffer):
        each.close()


def advert_6(vrid: int, source: IPv6Address = HERE_6, destination: IPv6Address = const.GROUP_IPV6) -> SendAdvert:
    return SendAdvert("VI_6", "eth0", source, destination, bytes([0x31, vrid, 100, 1, 0, 1, 0, 0]) + HERE_6.packed)


def test_ipv6_arrives_as_it_was_sent(six: Pair6) -> None:
    for vrid in (59, 60, 61, 62):
        assert six.sender.send(advert_6(vrid))
    assert readable(six.receiver)
    first, second = six.receiver.receive()
    assert (first.interface, first.source, first.destination, first.ttl) == ("eth0", HERE_6, const.GROUP_IPV6, 255)
    assert first.payload == advert_6(60).payload
    assert second.payload[1] == 61


def test_the_header_of_ipv6_on_the_wire(six: Pair6) -> None:
    assert six.sender.send(advert_6(60))
    packets = (Ether(six.sniffer.recv(2048)) for _ in range(20))  # multicast listener reports are among them
    packet = next(packet for packet in packets if packet[IPv6].nh == 112)
    header = packet[IPv6]
    assert packet.dst == "33:33:00:00:00:12"
    assert (header.src, header.dst, header.hlim, header.tc) == (str(HERE_6), "ff02::12", 255, 0xC0)
    assert bytes(header.payload) == advert_6(60).payload, "the kernel has left the checksum alone"


@pytest.mark.parametrize(("source", "destination"), [(HERE_6, THERE_6), (GLOBAL_HERE, GLOBAL_THERE)])
def test_ipv6_to_a_peer(six: Pair6, source: IPv6Address, destination: IPv6Address) -> None:
    assert six.sender.send(replace(advert_6(60, source, destination), ttl=7))
    assert readable(six.receiver)
    (heard,) = six.receiver.receive()
    assert (heard.source, heard.destination, heard.ttl) == (source, destination, 7)


def test_ipv4_to_a_peer(sender: AdvertSocket, receiver: AdvertSocket) -> None:
    assert sender.send(replace(advert(60), destination=THERE, ttl=7))
    assert sender.send(replace(advert(60), destination=THERE))
    assert readable(receiver)
    assert [(heard.destination, heard.ttl) for heard in receiver.receive()] == [(THERE, 7), (THERE, 255)]


def test_another_group_is_joined_and_left(sender: AdvertSocket, receiver: AdvertSocket) -> None:
    elsewhere = replace(advert(60), destination=OTHER_GROUP)
    for groups in ([OTHER_GROUP, const.GROUP_IPV4], [const.GROUP_IPV4], [OTHER_GROUP]):
        receiver.watch({60}, groups)
        assert sender.send(elsewhere)
        assert sender.send(advert(60))
        assert readable(receiver)
        assert {heard.destination for heard in receiver.receive()} == set(groups)


def test_a_missing_interface_is_named(host: Namespace) -> None:
    with host.inside(), pytest.raises(KernelError, match="eth7: No such device") as caught:
        AdvertSocket("eth7", {60})
    assert caught.value.errno == errno.ENODEV


def test_missing_rights_are_named(host: Namespace) -> None:
    def refused() -> int:
        try:
            AdvertSocket("lo", {60})
        except KernelError as error:
            return error.errno if "open a VRRP socket on lo: Operation not permitted" in str(error) else 0
        return 0

    with host.inside():
        assert status_of(refused) == errno.EPERM
