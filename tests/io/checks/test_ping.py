"""Ping checks against real hosts."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from pyvrrp.core.settings import PingProbe, Source
from tests.io.checks.running import found
from tests.io.conftest import Pair
from tests.netns import Namespace
from tests.unprivileged import status_of

pytestmark = pytest.mark.lab


@pytest.fixture(params=[False, True], ids=["raw socket", "datagram socket"])
def pings(pair: Pair, request: pytest.FixtureRequest) -> Pair:
    """Two hosts; with each kind of socket that one can ping from."""
    if request.param:
        pair.here.run("sysctl", "-w", "net.ipv4.ping_group_range=0 0")
    pair.here.run("sysctl", "-w", "net.ipv4.neigh.eth0.retrans_time_ms=50")
    pair.here.ip("addr add 2001:db8::1/64 dev eth0 nodad")
    pair.there.ip("addr add 2001:db8::2/64 dev eth0 nodad")
    return pair


@pytest.mark.parametrize("address", ["192.168.1.202", "2001:db8::2", "127.0.0.1", "::1"])
def test_an_echo_comes_back(pings: Pair, address: str) -> None:
    with pings.here.inside():
        result = found(PingProbe(address))
    assert (result.ok, result.detail) == (True, f"{address} sent the echo back")
    assert 0 < result.took < 2


@pytest.mark.parametrize("address", ["192.168.1.202", "2001:db8::2"])
def test_silence_is_given_up_in_time(pings: Pair, address: str) -> None:
    for family in ("ipv4", "ipv6/icmp"):
        pings.there.run("sysctl", "-w", f"net/{family}/{'icmp_' if family == 'ipv4' else ''}echo_ignore_all=1")
    with pings.here.inside():
        result = found(PingProbe(address), timeout=0.3)
    assert (result.ok, result.detail) == (False, f"ping {address} did not answer in 0.3 s")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("192.168.1.203", "No route to host"),  # nobody answers ARP
        ("203.0.113.1", "Network is unreachable"),
        ("2001:db8:1::1", "Network is unreachable"),
    ],
)
def test_an_unreachable_host(pings: Pair, address: str, reason: str) -> None:
    with pings.here.inside():
        result = found(PingProbe(address), timeout=10)
    assert (result.ok, result.detail) == (False, f"ping {address}: {reason}")


def test_the_source_can_be_chosen(pings: Pair) -> None:
    pings.here.ip("addr add 10.0.0.1/32 dev lo")
    with pings.here.inside():
        assert not found(PingProbe("192.168.1.202", Source("10.0.0.1")), timeout=0.2).ok  # there is no way back
        pings.there.ip("route add 10.0.0.1/32 via 192.168.1.201")
        assert found(PingProbe("192.168.1.202", Source("10.0.0.1", interface="eth0"))).ok


def test_an_echo_that_is_not_ours_does_not_count(pair: Pair) -> None:
    """A raw socket hears every echo reply of that host."""
    pair.there.run("sysctl", "-w", "net.ipv4.icmp_echo_ignore_all=1")
    with pair.there.inside(), socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as stranger:
        thread = threading.Thread(target=_send_replies, args=(stranger,))
        thread.start()
        with pair.here.inside():
            result = found(PingProbe("192.168.1.202"), timeout=0.3)
        thread.join()
    assert (result.ok, result.detail) == (False, "ping 192.168.1.202 did not answer in 0.3 s")


def _send_replies(sock: socket.socket) -> None:
    for _ in range(20):
        sock.sendto(bytes.fromhex("0000 ffff 0000 0000") + bytes(16), ("192.168.1.201", 0))
        time.sleep(0.01)


def test_without_the_right_to(host: Namespace) -> None:
    def ping() -> int:
        return found(PingProbe("127.0.0.1")).detail != "ping 127.0.0.1: Operation not permitted"

    with host.inside():
        assert status_of(ping) == 0
