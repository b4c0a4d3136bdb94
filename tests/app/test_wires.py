"""Sockets by interface: adverts only where there are routers, announcing wherever there are addresses."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

import pytest

from pyvrrp.app.wires import Wires
from pyvrrp.core import const
from pyvrrp.core.effects import Announce, SendAdvert
from pyvrrp.core.listening import RouterId
from tests.netns import Namespace, available, veth

pytestmark = pytest.mark.lab

FRAME = bytes([255] * 6 + [2, 0, 0, 0, 0, 1, 0x08, 0x06]) + bytes(28)
ADVERT = SendAdvert("VI_1", "eth0", IPv4Address("192.168.1.201"), IPv4Address("224.0.0.18"), bytes(20))
NONE: frozenset[RouterId] = frozenset()
GROUP_6 = const.GROUP_IPV6


def routers(*vrids: int, family: int = 4) -> frozenset[RouterId]:
    return frozenset(RouterId(family, vrid, GROUP_6 if family == 6 else const.GROUP_IPV4) for vrid in vrids)


@pytest.fixture
def host() -> Iterator[Namespace]:
    """A host whose eth0 ends at its own wire0."""
    if not available():
        pytest.skip("network namespaces need root, or `unshare -Urnm`")
    with Namespace() as namespace:
        veth(namespace, "eth0", namespace, "wire0")
        namespace.ip("addr add 192.168.1.201/24 dev eth0")
        yield namespace


def test_an_interface_without_routers_is_announced_on_and_not_listened_on(host: Namespace) -> None:
    watched: list[int] = []
    wires = Wires(lambda _events: None, lambda descriptor, *_: watched.append(descriptor), watched.remove)
    with host.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)) as sniffer:
        sniffer.bind(("wire0", 0x0806))
        sniffer.settimeout(5)
        wires.want({"eth0": NONE})
        assert wires.announce(Announce("eth0", (FRAME,))) is None
        assert sniffer.recv(2048) == FRAME
        assert watched == []
        wires.listen()
        assert wires.send(ADVERT) is not None

        wires.want({"eth0": routers(60)})
        assert len(watched) == 1
        assert wires.send(ADVERT) is None
        wires.want({"eth0": routers(60, 61)})
        assert len(watched) == 1, "the socket stays"

        wires.want({"eth0": NONE})
        assert watched == []
        assert wires.announce(Announce("eth0", (FRAME,))) is None
        assert sniffer.recv(2048) == FRAME
        wires.want({"eth0": NONE, "eth7": NONE})
        wires.close()
        assert wires.announce(Announce("eth0", (FRAME,))) is not None


def test_each_family_has_a_socket_of_its_own(host: Namespace) -> None:
    host.ip("addr add fe80::c9/64 dev eth0 nodad")
    six = SendAdvert("VI_6", "eth0", IPv6Address("fe80::c9"), GROUP_6, bytes(24))
    watched: list[int] = []
    wires = Wires(lambda _events: None, lambda descriptor, *_: watched.append(descriptor), watched.remove)
    with host.inside():
        wires.want({"eth0": routers(60)})
        assert wires.send(ADVERT) is None
        assert wires.send(six) is not None
        (four,) = watched
        wires.want({"eth0": routers(60) | routers(60, family=6)})
        assert len(watched) == 2
        assert watched[0] == four, "the other one stays"
        assert wires.send(six) is None
        wires.want({"eth0": routers(60, family=6)})
        assert four not in watched
        assert wires.send(ADVERT) is not None
        assert wires.send(six) is None
        wires.close()
        assert watched == []
