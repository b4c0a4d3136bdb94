"""Sockets by interface: adverts only where there are routers, announcing wherever there are addresses."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest

from pyvrrp.app.wires import Wires
from pyvrrp.core.effects import Announce, SendAdvert
from tests.netns import Namespace, available, veth

pytestmark = pytest.mark.lab

FRAME = bytes([255] * 6 + [2, 0, 0, 0, 0, 1, 0x08, 0x06]) + bytes(28)
ADVERT = SendAdvert("VI_1", "eth0", IPv4Address("192.168.1.201"), IPv4Address("224.0.0.18"), bytes(20))
NONE: frozenset[int] = frozenset()


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
    wires = Wires(lambda _events: None, lambda descriptor, _callback: watched.append(descriptor), watched.remove)
    with host.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)) as sniffer:
        sniffer.bind(("wire0", 0x0806))
        sniffer.settimeout(5)
        wires.want({"eth0": NONE})
        assert wires.announce(Announce("eth0", (FRAME,))) is None
        assert sniffer.recv(2048) == FRAME
        assert watched == []
        wires.listen()
        assert wires.send(ADVERT) is not None

        wires.want({"eth0": frozenset({60})})
        assert len(watched) == 1
        assert wires.send(ADVERT) is None
        wires.want({"eth0": frozenset({60, 61})})
        assert len(watched) == 1, "the socket stays"

        wires.want({"eth0": NONE})
        assert watched == []
        assert wires.announce(Announce("eth0", (FRAME,))) is None
        assert sniffer.recv(2048) == FRAME
        wires.want({"eth0": NONE, "eth7": NONE})
        wires.close()
        assert wires.announce(Announce("eth0", (FRAME,))) is not None
