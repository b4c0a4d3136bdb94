"""MySQL without an account, against what says this and that to whoever connects; with real servers: tests/mysql."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from pyvrrp.core.settings import Account, CheckSettings, MysqlProbe
from pyvrrp.io.checks import make_check
from pyvrrp.io.checks.mysql import unread
from tests.io.checks.running import look

GREETING = b"\x10\x00\x00\x00\x0a5.5.5-MariaDB\x00\x00"
OVERLOADED = b"\x17\x00\x00\x00\xff\x10\x04Too many connections"
BLOCKED = b"\x13\x00\x00\x01\xff\x69\x04Host is blocked\x00"


def said(words: bytes) -> tuple[bool, str]:
    """What is found where a server says this and closes."""

    async def story() -> tuple[bool, str]:
        async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(words)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(speak, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            result = await look(MysqlProbe(Account(port=port)))
            return result.ok, result.detail.partition(f"mysql 127.0.0.1:{port}")[2]

    return asyncio.run(story())


def test_a_greeting_passes() -> None:
    assert said(GREETING) == (True, " greets as 5.5.5-MariaDB")


@pytest.mark.parametrize(
    ("words", "detail"),
    [
        (OVERLOADED, " is alive and takes no more connections (error 1040)"),
        (BLOCKED, " is alive; error 1129: Host is blocked\0"),
    ],
)
def test_so_does_a_server_that_says_why_not(words: bytes, detail: str) -> None:
    assert said(words) == (True, detail)


@pytest.mark.parametrize("words", [b"", b"\x10", GREETING[:-1]])
def test_a_server_that_closes_before_it_has_greeted_fails(words: bytes) -> None:
    assert said(words) == (False, ": the connection was closed")


def test_a_server_that_goes_on_and_on_fails() -> None:
    assert said(b"\xff\xff\xff\x00" + bytes(200_000)) == (False, ": it does not speak as MySQL does")


def test_a_socket_that_is_not_there_fails(tmp_path: Path) -> None:
    result = asyncio.run(look(MysqlProbe(Account(socket=str(tmp_path / "none")))))
    assert (result.ok, result.detail.partition(": ")[2]) == (False, "No such file or directory")


def test_with_an_account_somebody_else_makes_the_check() -> None:
    with pytest.raises(ValueError, match="nothing runs for mysql"):
        make_check(CheckSettings("it", MysqlProbe(Account(user="pyvrrp"))), print)


def test_what_the_other_end_has_not_read_is_seen_over_either_kind_of_socket(tmp_path: Path) -> None:
    tcp = socket.create_server(("127.0.0.1", 0))
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(str(tmp_path / "s"))
    unix.listen()
    for listener in (tcp, unix):
        with listener, socket.socket(listener.family) as near:
            near.connect(listener.getsockname())
            far, _ = listener.accept()
            near.setblocking(False)
            with far:
                assert unread(near) == 0
                near.send(b"x")
                assert unread(near)
                far.recv(1)
                assert unread(near) == 0
            assert unread(near) is None


@pytest.mark.parametrize("host", ["::1", "127.0.0.1"])
def test_a_listener_of_both_families_is_seen_too(host: str) -> None:
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection((host, port)) as near:
            far, _ = listener.accept()
            with far:
                near.send(b"xyz")
                assert unread(near) == 3
