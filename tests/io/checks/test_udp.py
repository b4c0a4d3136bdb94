"""UDP checks against real sockets."""

from __future__ import annotations

import socket

import pytest

from pyvrrp.core.settings import Source, UdpProbe
from tests.io.checks.answering import answering
from tests.io.checks.running import found
from tests.io.conftest import Pair
from tests.netns import Namespace

pytestmark = pytest.mark.lab

WHO = "udp 127.0.0.1:4000"


def test_silence_is_fine_where_no_reply_is_asked_for(host: Namespace) -> None:
    with host.inside(), answering(lambda _: [], 4000):
        result = found(UdpProbe("127.0.0.1", 4000), timeout=0.2)
    assert (result.ok, result.detail) == (True, f"{WHO} did not refuse in 0.2 s")
    assert result.took >= 0.2


def test_silence_fails_where_a_reply_is_asked_for(host: Namespace) -> None:
    with host.inside(), answering(lambda _: [], 4000):
        result = found(UdpProbe("127.0.0.1", 4000, require_reply=True), timeout=0.2)
    assert (result.ok, result.detail) == (False, f"{WHO} did not answer in 0.2 s")


@pytest.mark.parametrize("require_reply", [False, True])
def test_a_closed_port_refuses(host: Namespace, require_reply: bool) -> None:
    with host.inside():
        result = found(UdpProbe("127.0.0.1", 4000, require_reply=require_reply))
    assert (result.ok, result.detail) == (False, f"{WHO} refused the connection")


def test_a_host_that_nobody_is_fails(pair: Pair) -> None:
    pair.here.run("sysctl", "-w", "net.ipv4.neigh.eth0.retrans_time_ms=50")
    with pair.here.inside():
        result = found(UdpProbe("192.168.1.203", 4000), timeout=10)
    assert (result.ok, result.detail) == (False, "udp 192.168.1.203:4000: No route to host")


def test_the_payload_is_sent(host: Namespace) -> None:
    heard: list[bytes] = []

    def note(datagram: bytes) -> list[bytes]:
        heard.append(datagram)
        return [b"x"]

    with host.inside(), answering(note, 4000):
        assert found(UdpProbe("127.0.0.1", 4000, payload=b"\1\2\3")).ok
        assert found(UdpProbe("127.0.0.1", 4000)).ok
        assert found(UdpProbe("127.0.0.1", 4000)).ok
    assert heard[0] == b"\1\2\3"
    assert heard[1]
    assert heard[1] != heard[2]  # something random


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (b"\xab\x12\xff", "answered"),
        (b"\xab\x10\x00", "answered"),  # only the upper half of the second byte counts
        (b"\xab", "answered"),  # only what both have is compared
        (b"\xab\x12\xff\x00", "answered"),
        (b"\xaa\x12\xff", "did not answer what it should"),
        (b"\xab\x22\xff", "did not answer what it should"),
        (b"", "answered 0 bytes, not 1 to 5"),
        (b"\xab\x12\xff\x00\x00\x00", "answered 6 bytes, not 1 to 5"),
    ],
)
def test_the_reply_must_match(host: Namespace, reply: bytes, fault: str) -> None:
    probe = UdpProbe(
        "127.0.0.1",
        4000,
        require_reply=True,
        reply=b"\xab\x1f\x00",
        mask=b"\xff\xf0\x00",
        min_length=1,
        max_length=5,
    )
    with host.inside(), answering(lambda _: [reply], 4000):
        result = found(probe)
    assert (result.ok, result.detail) == (fault == "answered", f"{WHO} {fault}")


def test_the_source_can_be_chosen(host: Namespace) -> None:
    with host.inside(), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server:
        server.bind(("::1", 4000))
        host.ip("addr add 2001:db8::7/128 dev lo nodad")
        assert found(UdpProbe("::1", 4000, source=Source("2001:db8::7", 4711, "lo")), timeout=0.1).ok
        _, sender = server.recvfrom(100)
    assert sender[:2] == ("2001:db8::7", 4711)
