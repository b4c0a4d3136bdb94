"""SMTP checks against a real server, and against some that misbehave."""

from __future__ import annotations

import asyncio

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from pyvrrp.core.events import CheckResult
from pyvrrp.core.settings import SmtpProbe
from tests.io.checks.running import found, look
from tests.io.checks.serving import Talk, serving
from tests.netns import Namespace

pytestmark = pytest.mark.lab

PROBE = SmtpProbe("127.0.0.1", 2525)


def test_a_mail_server(host: Namespace) -> None:
    with host.inside():
        server = Controller(Sink(), "127.0.0.1", 2525)
        server.start()
        try:
            result = found(PROBE)
        finally:
            server.stop()
    assert (result.ok, result.detail) == (True, "smtp 127.0.0.1:2525 answered as it should")


def replying(*replies: bytes, heard: list[bytes] | None = None) -> Talk:
    """Say these, each after the first when a line was heard."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in replies:
            writer.write(reply)
            line = await reader.readline()
            if heard is not None:
                heard.append(line)

    return talk


def asked(host: Namespace, talk: Talk, timeout: float = 5.0) -> CheckResult:
    """What a check finds that meets this."""

    async def main() -> CheckResult:
        async with serving(talk, 2525):
            return await look(SmtpProbe("127.0.0.1", 2525, helo_name="node-a.example"), timeout)

    with host.inside():
        return asyncio.run(main())


def test_the_conversation(host: Namespace) -> None:
    heard: list[bytes] = []
    assert asked(host, replying(b"220-a\r\n220 b\r\n", b"250 hello\r\n", b"221 bye\r\n", heard=heard)).ok
    assert heard == [b"HELO node-a.example\r\n", b"QUIT\r\n"]


@pytest.mark.parametrize(
    ("replies", "fault"),
    [
        ([b"554 no service\r\n"], "greeted with 554, not 220"),
        ([b"220 x\r\n", b"502 what?\r\n"], "answered HELO with 502, not 250"),
        ([b"220 x\r\n", b"250 y\r\n", b"421 away\r\n"], "answered QUIT with 421, not 221"),
        ([b"HTTP/1.1 400 Bad Request\r\n"], "does not speak SMTP"),
        ([b"\r\n"], "does not speak SMTP"),
        ([b"220-a\r\n" * 1000], "does not speak SMTP"),
        ([b"220 " + b"x" * 100_000], "does not speak SMTP"),
        ([b"\xff\xfe\xfd\xfc\r\n"], "does not speak SMTP"),
        ([], "does not speak SMTP"),
        ([b"220 x\r\n", b"250"], "did not answer in 0.2 s"),
    ],
)
def test_a_server_that_does_not_answer_as_it_should(host: Namespace, replies: list[bytes], fault: str) -> None:
    result = asked(host, replying(*replies), timeout=0.2 if "did not" in fault else 5.0)
    assert (result.ok, result.detail) == (False, f"smtp 127.0.0.1:2525 {fault}")


def test_silence_is_given_up_in_time(host: Namespace) -> None:
    result = asked(host, replying(b""), timeout=0.2)
    assert (result.ok, result.detail) == (False, "smtp 127.0.0.1:2525 did not answer in 0.2 s")


def test_nobody_listens(host: Namespace) -> None:
    with host.inside():
        result = found(PROBE)
    assert (result.ok, result.detail) == (False, "smtp 127.0.0.1:2525 refused the connection")
