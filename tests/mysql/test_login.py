"""Logins that PyMySQL is not able to: the server speaks, so it is alive, and what is wanting is said."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pyvrrp.app.mysql_check import MysqlProber
from pyvrrp.core.settings import Account, CheckSettings, MysqlProbe, ProbeSettings
from pyvrrp.io.checks.check import Outcome
from pyvrrp.mysql.facts import Facts
from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.other import Other
from pyvrrp.mysql.probe import Watch
from pyvrrp.mysql.session import Session
from pyvrrp.mysql.survey import _log_in
from pyvrrp.mysql.verdict import Verdict, Word

PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH = 1 << 9, 1 << 15, 1 << 19
SALT = b"12345678", b"901234567890"
TO_INSTALL = (
    "'cryptography' package is required for sha256_password or caching_sha2_password auth methods:"
    " pip install cryptography (or PyMySQL[rsa]), where pyvrrp is installed"
)


def greeting(plugin: str) -> bytes:
    """What MySQL 8.4 begins with."""
    capabilities = PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH
    low, high = capabilities & 0xFFFF, capabilities >> 16
    return (
        b"\x0a8.4.3\0"
        + struct.pack("<I8sxHBHHB10x", 7, SALT[0], low, 255, 2, high, 21)
        + SALT[1]
        + b"\0"
        + plugin.encode()
        + b"\0"
    )


# It has not got the password in its cache and wants it encrypted; its key is not looked at without the package.
SHA2 = (greeting("caching_sha2_password"), b"\x01\x04", b"\x01-----BEGIN PUBLIC KEY-----")
ANOTHER_WAY = (greeting("caching_sha2_password"), b"\xfeauthentication_ldap_sasl_client\0" + b"".join(SALT))
RUBBISH = (b"\x0a8.4",)


@contextlib.contextmanager
def speaking(packets: Sequence[bytes], directory: Path) -> Iterator[Account]:
    """A server that says these, one for each thing that it is told; how it is reached."""
    password = directory / "password"
    password.write_text("secret")
    password.chmod(0o600)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                for number, packet in enumerate(packets):
                    client.sendall(struct.pack("<I", len(packet))[:3] + bytes([2 * number]) + packet)
                    client.recv(4096)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield Account(host="127.0.0.1", port=listener.getsockname()[1], user="pyvrrp", password_file=str(password))
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.fixture(autouse=True)
def no_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pymysql._auth._have_cryptography", False)


def failure(account: Account) -> DatabaseError:
    async def story() -> DatabaseError:
        session = Session(account)
        try:
            with pytest.raises(DatabaseError) as failed:
                await session.ask("SELECT 1", within=5)
            assert session.fileno() is None, "nothing of it is kept"
            return failed.value
        finally:
            session.close()

    return asyncio.run(story())


def test_a_package_that_is_wanting_is_named_with_how_it_is_installed(tmp_path: Path) -> None:
    with speaking(SHA2, tmp_path) as account:
        error = failure(account)
    assert (error.kind, error.number, str(error)) == (Kind.UNABLE, 0, TO_INSTALL)


def test_a_way_to_log_in_that_nobody_here_knows_says_nothing_against_the_server(tmp_path: Path) -> None:
    with speaking(ANOTHER_WAY, tmp_path) as account:
        error = failure(account)
    assert error.kind is Kind.UNABLE
    assert "authentication_ldap_sasl_client" in str(error)


def test_what_is_no_mysql_at_all_is_no_exception_either(tmp_path: Path) -> None:
    with speaking(RUBBISH, tmp_path) as account:
        error = failure(account)
    assert error.kind is Kind.CLOSED
    assert str(error).startswith("not understood (")


def test_it_is_up_and_cannot_be_used(tmp_path: Path) -> None:
    async def story(account: Account) -> Verdict:
        judged: asyncio.Queue[Verdict] = asyncio.Queue()
        watch = Watch(account, ProbeSettings(), judged.put_nowait)
        watch.start()
        try:
            async with asyncio.timeout(10):
                return await judged.get()
        finally:
            watch.close()

    with speaking(SHA2, tmp_path) as account:
        found = asyncio.run(story(account))
    assert (found.word, found.usable, found.evidence) == (Word.UP, False, f"cannot be used: {TO_INSTALL}")


def test_a_check_passes(tmp_path: Path) -> None:
    async def story(account: Account) -> Outcome:
        prober = MysqlProber(account, CheckSettings("mysql", MysqlProbe(account), 1.0, 1.0))
        try:
            return await prober.look()
        finally:
            prober.close()

    with speaking(SHA2, tmp_path) as account:
        found = asyncio.run(story(account))
    assert found.ok
    assert found.detail.endswith(f"is alive, but cannot be asked: {TO_INSTALL}")


def test_the_other_server_is_not_seen_and_that_is_why(tmp_path: Path) -> None:
    async def story(account: Account) -> Other:
        other = Other(account)
        try:
            await other.ask_at_once(0.0, 5.0)
        finally:
            other.close()
        return other

    with speaking(SHA2, tmp_path) as account:
        found = asyncio.run(story(account))
    assert (found.seen, found.trouble) == (None, TO_INSTALL)


def test_mysql_check_says_that_the_agent_does_not_get_in_and_why(tmp_path: Path) -> None:
    with speaking(SHA2, tmp_path) as account:
        found = asyncio.run(_log_in(Facts("the other server", "8.4.3"), account))
    assert found.refused == TO_INSTALL
