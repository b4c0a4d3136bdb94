"""Claims of others to an address, on a real cable with real kernels that answer."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether

from pyvrrp.core.neighbor import announcement, question
from pyvrrp.errors import KernelError
from pyvrrp.io.holders import HolderSocket
from tests.io.conftest import Pair
from tests.netns import Namespace
from tests.waiting import readable, until

pytestmark = pytest.mark.lab

VIP, VIP_6 = ip_address("192.168.1.200"), ip_address("fd00::200")
STRANGER = bytes.fromhex("020000000099")


def mac_of(namespace: Namespace) -> bytes:
    return bytes.fromhex(namespace.ip("-br link show dev eth0").split()[2].replace(":", ""))


def send(namespace: Namespace, *frames: bytes) -> None:
    with namespace.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind(("eth0", 0))
        for each in frames:
            wire.send(each)


def ask(pair: Pair, listening: HolderSocket, frame: bytes) -> None:
    """Until somebody answers: a link that has just come up may lose the first question."""

    def answered() -> bool:
        send(pair.here, frame)
        return readable(listening, 0.5)

    assert until(answered)


@pytest.fixture
def listening(pair: Pair) -> Iterator[HolderSocket]:
    with pair.here.inside():
        opened = HolderSocket("eth0", 4, {VIP})
    yield opened
    opened.close()


@pytest.fixture
def listening_6(pair: Pair) -> Iterator[HolderSocket]:
    with pair.here.inside():
        opened = HolderSocket("eth0", 6, {VIP_6})
    yield opened
    opened.close()


@pytest.mark.parametrize("alone", [False, True], ids=["asked all", "asked alone"])
def test_a_kernel_that_has_the_address_answers(pair: Pair, listening: HolderSocket, alone: bool) -> None:
    pair.there.ip(f"addr add {VIP}/32 dev eth0")
    holder = mac_of(pair.there)
    ask(pair, listening, question(mac_of(pair.here), VIP, holder if alone else None))
    heard, *_ = listening.receive()
    assert (heard.interface, heard.address, heard.mac) == ("eth0", VIP, holder)


@pytest.mark.parametrize("alone", [False, True], ids=["asked all", "asked alone"])
def test_of_version_six_too(pair: Pair, listening_6: HolderSocket, alone: bool) -> None:
    pair.there.ip(f"addr add {VIP_6}/128 dev eth0 nodad")
    holder = mac_of(pair.there)
    ask(pair, listening_6, question(mac_of(pair.here), VIP_6, holder if alone else None))
    heard, *_ = listening_6.receive()
    assert (heard.address, heard.mac) == (VIP_6, holder)


def test_nobody_answers_for_an_address_that_nobody_has(pair: Pair, listening: HolderSocket) -> None:
    send(pair.here, question(mac_of(pair.here), VIP))
    assert not readable(listening, 0.2)


def test_a_question_teaches_nobody_anything(pair: Pair) -> None:
    send(pair.here, question(mac_of(pair.here), VIP))
    assert str(VIP) not in pair.there.ip("neigh show")


def test_an_announcement_is_a_claim(pair: Pair, listening: HolderSocket, listening_6: HolderSocket) -> None:
    send(pair.there, announcement(STRANGER, VIP), announcement(STRANGER, VIP_6))
    assert readable(listening)
    assert [(each.address, each.mac) for each in listening.receive()] == [(VIP, STRANGER)]
    assert readable(listening_6)
    assert [(each.address, each.mac) for each in listening_6.receive()] == [(VIP_6, STRANGER)]


def test_an_advertisement_without_the_option_tells_the_sender(pair: Pair, listening_6: HolderSocket) -> None:
    to_all = Ether(src="02:00:00:00:00:99", dst="33:33:00:00:00:01") / IPv6(src=str(VIP_6), dst="ff02::1", hlim=255)
    send(pair.there, bytes(to_all / ICMPv6ND_NA(tgt=str(VIP_6))))
    assert readable(listening_6)
    assert [each.mac for each in listening_6.receive()] == [STRANGER]


@pytest.mark.parametrize(
    "frame",
    [
        Ether(dst="ff:ff:ff:ff:ff:ff") / ARP(psrc="192.168.1.7", pdst=str(VIP)),
        Ether(dst="ff:ff:ff:ff:ff:ff") / ARP(hwtype=6, psrc=str(VIP), pdst=str(VIP)),
        Ether(dst="02:99:99:99:99:99") / ARP(op=2, psrc=str(VIP), pdst="192.168.1.9"),
    ],
    ids=["who asks for it", "not Ethernet", "told to others"],
)
def test_what_is_no_claim(pair: Pair, listening: HolderSocket, frame: Ether) -> None:
    send(pair.there, bytes(frame), announcement(STRANGER, VIP))
    assert readable(listening)
    heard = listening.receive()
    while not heard:
        assert readable(listening)
        heard = listening.receive()
    assert [each.mac for each in heard] == [STRANGER]


@pytest.mark.parametrize("limit", [64, 255], ids=["hops", "none"])
def test_a_far_advertisement_is_none(pair: Pair, listening_6: HolderSocket, limit: int) -> None:
    to_all = Ether(dst="33:33:00:00:00:01") / IPv6(src=str(VIP_6), dst="ff02::1", hlim=limit)
    claim = ICMPv6ND_NA(tgt=str(VIP_6)) / ICMPv6NDOptDstLLAddr(lladdr="02:00:00:00:00:99")
    send(pair.there, bytes(to_all / claim))
    assert readable(listening_6, 5.0 if limit == 255 else 0.2) is (limit == 255)


def test_our_own_macs_are_no_others(pair: Pair, listening: HolderSocket) -> None:
    own = mac_of(pair.here)
    send(pair.there, announcement(own, VIP), announcement(bytes.fromhex("00005e00013c"), VIP))
    assert readable(listening)
    heard = listening.receive()
    while not heard:
        assert readable(listening)
        heard = listening.receive()
    assert [each.mac.hex() for each in heard] == ["00005e00013c"], "those of virtual routers are shared"


def test_what_is_listened_for_can_be_replaced(pair: Pair, listening: HolderSocket) -> None:
    other = ip_address("192.168.1.199")
    listening.watch({other})
    send(pair.there, announcement(STRANGER, VIP), announcement(STRANGER, other))
    assert readable(listening)
    assert [each.address for each in listening.receive()] == [other]


def test_more_addresses_than_a_filter_holds(pair: Pair, listening: HolderSocket) -> None:
    many = {ip_address(0x0A000000 + number) for number in range(3000)}
    listening.watch(many | {VIP})
    send(pair.there, announcement(STRANGER, ip_address("172.16.0.1")), announcement(STRANGER, VIP))
    assert readable(listening)
    heard = listening.receive()
    while not heard:
        assert readable(listening)
        heard = listening.receive()
    assert [each.address for each in heard] == [VIP]


def test_a_missing_interface_is_named(host: Namespace) -> None:
    with host.inside(), pytest.raises(KernelError, match="listen for other holders on eth7: No such device"):
        HolderSocket("eth7", 4, {VIP})
