"""SMTP alerts, to a real SMTP server."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from email.utils import parsedate_to_datetime

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from pyvrrp.core.effects import Level, Mail
from pyvrrp.core.settings import MailSettings
from pyvrrp.io import mail
from pyvrrp.io.mail import Mailer
from tests.netns import Namespace

pytestmark = pytest.mark.lab

ALERT = Mail("[LVS_A] VRRP Instance VI_1 - Entering MASTER state", "=> VRRP Instance is now owning VRRP VIPs <=\n")


@pytest.fixture(autouse=True)
def _network(host: Namespace) -> Iterator[None]:
    """A host of its own, for the sake of its loopback."""
    with host.inside():
        yield


class Server:
    """Takes mails on a port of its own, and refuses some recipients."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.envelopes: asyncio.Queue[tuple[Session, Envelope]] = asyncio.Queue()
        self.port = 0

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.envelopes.put_nowait((session, envelope))
        return "250 OK"

    async def next(self) -> tuple[Session, Envelope]:
        async with asyncio.timeout(5):
            return await self.envelopes.get()


class Reports:
    """What a mailer reported."""

    def __init__(self) -> None:
        self.lines: list[tuple[Level, str]] = []

    def __call__(self, level: Level, text: str) -> None:
        self.lines.append((level, text))

    @property
    def errors(self) -> list[str]:
        return [text for level, text in self.lines if level <= Level.WARNING]


def settings(port: int, **more: object) -> MailSettings:
    values = {
        "server": "127.0.0.1",
        "port": port,
        "sender": "Keep Alived <keepalived@example.com>",
        "recipients": ("a@example.org", "b@example.org"),
        "helo_name": "lb.example.com",
        "timeout": 5.0,
    }
    return MailSettings(**{**values, **more})  # type: ignore[arg-type]


def run(server: Server, test: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run `test` beside a server."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(lambda: SMTP(server, hostname="test"), "127.0.0.1", 0)
        server.port = listening.sockets[0].getsockname()[1]
        async with listening:
            await test()

    asyncio.run(main())


def test_an_alert_arrives_as_keepalived_sends_it() -> None:
    server, reports = Server(), Reports()

    async def test() -> None:
        mailer = Mailer(settings(server.port), reports)
        mailer.send(ALERT)
        session, envelope = await server.next()
        assert (session.host_name, session.extended_smtp) == ("lb.example.com", False)
        assert envelope.mail_from == "keepalived@example.com"
        assert envelope.rcpt_tos == ["a@example.org", "b@example.org"]
        assert isinstance(envelope.content, bytes)
        head, _, body = envelope.content.decode().partition("\r\n\r\n")
        date, *fields = head.split("\r\n")
        assert abs(parsedate_to_datetime(date.removeprefix("Date: ")).timestamp() - time.time()) < 60
        assert fields[:4] == [
            "From: Keep Alived <keepalived@example.com>",
            "Subject: [LVS_A] VRRP Instance VI_1 - Entering MASTER state",
            "X-Mailer: Keepalived",
            "To: a@example.org, b@example.org",
        ]
        assert body == "=> VRRP Instance is now owning VRRP VIPs <=\r\n"
        await mailer.drain(5)

    run(server, test)
    assert reports.lines == [(Level.DEBUG, f'mail "{ALERT.subject}" was sent')]


def test_without_a_name_it_greets_with_the_host_s() -> None:
    server = Server()

    async def test() -> None:
        mailer = Mailer(settings(server.port, helo_name=""), Reports())
        mailer.send(ALERT)
        session, _ = await server.next()
        assert session.host_name == socket.gethostname()
        await mailer.drain(5)

    run(server, test)


def test_mails_are_sent_in_order_and_drained() -> None:
    server = Server()

    async def test() -> None:
        mailer = Mailer(settings(server.port), Reports())
        for number in range(5):
            mailer.send(Mail(f"number {number}", "body"))
        await mailer.drain(5)

    run(server, test)
    contents = [str(server.envelopes.get_nowait()[1].content) for _ in range(5)]
    assert [re.findall(r"number \d", content) for content in contents] == [[f"number {n}"] for n in range(5)]


def test_a_recipient_that_is_refused_is_named_and_the_others_get_it() -> None:
    server, reports = Server("b@example.org"), Reports()

    async def test() -> None:
        mailer = Mailer(settings(server.port), reports)
        mailer.send(ALERT)
        _, envelope = await server.next()
        assert envelope.rcpt_tos == ["a@example.org"]
        await mailer.drain(5)

    run(server, test)
    place = f'mail "{ALERT.subject}" to 127.0.0.1:{server.port}'
    assert reports.errors == [f"{place}: b@example.org is refused: 550 no such user here"]


def test_when_everybody_is_refused_everybody_is_named() -> None:
    server, reports = Server("a@example.org", "b@example.org"), Reports()

    async def test() -> None:
        mailer = Mailer(settings(server.port), reports)
        mailer.send(ALERT)
        await mailer.drain(5)

    run(server, test)
    assert [text.rpartition(": 550")[0][-24:] for text in reports.errors] == [
        "a@example.org is refused",
        "b@example.org is refused",
    ]


def test_what_fails_is_said_and_the_next_is_tried() -> None:
    server, reports = Server(), Reports()

    async def test() -> None:
        mailer = Mailer(settings(server.port), reports)
        mailer.send(Mail("two\nlines", "body"))
        mailer.send(ALERT)
        await server.next()
        await mailer.drain(5)

    run(server, test)
    (line,) = reports.errors
    assert "Header values may not contain linefeed or carriage return characters" in line


def test_nobody_listens() -> None:
    reports = Reports()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    async def test() -> None:
        mailer = Mailer(settings(port), reports)
        mailer.send(ALERT)
        await mailer.drain(5)

    asyncio.run(test())
    assert reports.errors == [f'mail "{ALERT.subject}" to 127.0.0.1:{port}: Connection refused']


def test_a_silent_server_is_given_up_and_holds_nobody_up() -> None:
    reports = Reports()

    async def test() -> None:
        mailer = Mailer(settings(silent.getsockname()[1], timeout=0.3), reports)
        began = time.monotonic()
        mailer.send(ALERT)
        mailer.send(ALERT)
        await asyncio.sleep(0)
        assert time.monotonic() - began < 0.25
        await mailer.drain(5)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        asyncio.run(test())
    assert [text.rpartition(": ")[2] for text in reports.errors] == ["timed out", "timed out"]


def test_what_waits_is_bounded_and_the_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "WAITING", 2)
    reports = Reports()

    async def test() -> None:
        mailer = Mailer(settings(silent.getsockname()[1], timeout=2.0), reports)
        mailer.send(Mail("number 0", "body"))
        connection, _ = await asyncio.get_running_loop().run_in_executor(None, silent.accept)
        with connection:
            for number in range(1, 5):
                mailer.send(Mail(f"number {number}", "body"))
            began = time.monotonic()
            await mailer.drain(0.1)
            assert time.monotonic() - began < 1

    with socket.create_server(("127.0.0.1", 0)) as silent:
        asyncio.run(test())
    left_out = [text for text in reports.errors if "left out" in text]
    assert left_out == [f'mail "number {number}" was left out: 2 wait to be sent' for number in (1, 2)]


def test_a_mail_under_way_does_not_keep_the_daemon() -> None:
    program = """
import asyncio, sys
from pyvrrp.core.effects import Mail
from pyvrrp.core.settings import MailSettings
from pyvrrp.io.mail import Mailer

async def main():
    mailer = Mailer(MailSettings("127.0.0.1", int(sys.argv[1]), "a@example.com", ("b@example.org",)), print)
    mailer.send(Mail("subject", "body"))
    await mailer.drain(0.1)

asyncio.run(main())
"""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        command = [sys.executable, "-c", program, str(silent.getsockname()[1])]
        subprocess.run(command, check=True, timeout=20)
