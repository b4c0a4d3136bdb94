"""TCP sockets of a real kernel: reset on purpose, and missed when they go."""

from __future__ import annotations

import errno
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from ipaddress import IPv4Address, IPv6Address

import pytest

from pyvrrp.errors import KernelError
from pyvrrp.io.sockdiag import ListenerWatch, reset_connections
from tests.io.conftest import Pair
from tests.netns import Namespace
from tests.unprivileged import status_of
from tests.waiting import readable

pytestmark = pytest.mark.lab

VIP, OWN = IPv4Address("192.168.1.200"), IPv4Address("192.168.1.201")


def listen(address: str, port: int) -> socket.socket:
    """A listener; `::` takes IPv4 too, as mysqld's `bind-address = *` does."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, dualstack_ipv6=address == "::")


@pytest.fixture
def vip(pair: Pair) -> Pair:
    pair.here.ip(f"addr add {VIP}/32 dev eth0")
    return pair


def connect(pair: Pair, address: IPv4Address, listener: socket.socket) -> tuple[socket.socket, socket.socket]:
    """(client's end, server's end) of a new connection from the neighbour."""
    with pair.there.inside():
        client = socket.create_connection((str(address), listener.getsockname()[1]), timeout=5)
    server, _ = listener.accept()
    return client, server


def was_reset(sock: socket.socket) -> bool:
    sock.settimeout(0.2)
    try:
        sock.recv(1)
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return False


@pytest.mark.parametrize("listening", ["0.0.0.0", "::"])
def test_connections_to_the_address_are_reset_and_no_other(vip: Pair, listening: str) -> None:
    with ExitStack() as stack, vip.here.inside():
        listener = stack.enter_context(listen(listening, 3306))
        doomed = [connect(vip, VIP, listener) for _ in range(3)]
        spared = [connect(vip, OWN, listener) for _ in range(3)]
        for sock in [sock for ends in doomed + spared for sock in ends]:
            stack.enter_context(sock)
        assert reset_connections([VIP]) == 3
        assert all(was_reset(client) for client, _ in doomed)
        assert not any(was_reset(client) for client, _ in spared)
        # The listener lives on.
        for sock in connect(vip, VIP, listener):
            stack.enter_context(sock)
        assert reset_connections([OWN, VIP]) == 4
        assert reset_connections([OWN, VIP]) == 0


def test_hundreds_of_connections_that_end_each_other(host: Namespace) -> None:
    # On one host both ends are local: resetting one takes the other along, before its turn comes.
    with host.inside(), ExitStack() as stack:
        listener = stack.enter_context(listen("127.0.0.1", 3306))
        for _ in range(400):
            stack.enter_context(socket.create_connection(listener.getsockname()))
            stack.enter_context(listener.accept()[0])
        assert reset_connections([IPv4Address("127.0.0.1")]) == 400


def test_ipv6_connections_are_reset(host: Namespace) -> None:
    with host.inside(), listen("::1", 3306) as listener, socket.create_connection(("::1", 3306)) as client:
        server, _ = listener.accept()
        with server:
            assert reset_connections([IPv4Address("127.0.0.1")]) == 0
            assert reset_connections([IPv6Address("::1")]) == 1
            assert was_reset(client)


def test_without_the_capability_it_says_so(host: Namespace) -> None:
    def refused() -> int:
        try:
            reset_connections([IPv4Address("127.0.0.1")])
        except KernelError as error:
            return error.errno
        return 0

    with host.inside(), listen("127.0.0.1", 3306), socket.create_connection(("127.0.0.1", 3306)):
        assert status_of(refused) == errno.EPERM


@pytest.fixture
def watch(host: Namespace) -> Iterator[ListenerWatch]:
    with host.inside(), closing(ListenerWatch({3306, 3307})) as opened:
        yield opened


@pytest.mark.parametrize(("address", "port"), [("127.0.0.1", 3306), ("0.0.0.0", 3307), ("::", 3306), ("::1", 3307)])
def test_a_killed_listener_is_named(watch: ListenerWatch, address: str, port: int) -> None:
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        with listen(address, port):
            os.write(tell, b"x")
            signal.pause()
    assert readable(ready)
    os.close(ready)
    os.close(tell)
    os.kill(child, signal.SIGKILL)
    assert readable(watch)
    assert [(str(heard), heard_port) for heard, heard_port in watch.destroyed()] == [(address, port)]
    os.waitpid(child, 0)


def test_ordinary_closes_wake_nobody(watch: ListenerWatch) -> None:
    with listen("127.0.0.1", 3306) as listener, listen("127.0.0.1", 3308):
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", 3306)):
                listener.accept()[0].close()
        assert not readable(watch, 0.2)
    assert readable(watch)
    assert watch.destroyed() == [(IPv4Address("127.0.0.1"), 3306)]
    assert not readable(watch, 0.1)


def test_the_ports_can_be_replaced(watch: ListenerWatch) -> None:
    watch.watch({3310})
    listen("127.0.0.1", 3306).close()
    listen("127.0.0.1", 3310).close()
    assert readable(watch)
    assert watch.destroyed() == [(IPv4Address("127.0.0.1"), 3310)]
