"""The agents' channel from both ends, over loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pyvrrp.core.effects import Level
from pyvrrp.core.settings import ChannelSettings
from pyvrrp.errors import ChannelError, ControlError
from pyvrrp.io import channel as module
from pyvrrp.io.channel import GREETINGS_MAX, Channel, Object, credentials

A, B, STRANGER = "127.0.7.1", "127.0.7.2", "127.0.7.9"


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

NEW = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-subj", "/CN=pyvrrp")


def openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def make_key(file: Path, days: int = 10, *, by: Path | None = None) -> Path:
    """A key with its certificate, as `pyvrrpctl keys` makes it; or with one that another key has signed."""
    request, certificate = file.with_suffix(".csr"), file.with_suffix(".crt")
    openssl("req", *NEW, "-keyout", file, "-out", request)
    how = ("-CA", by, "-CAkey", by) if by else ("-signkey", file)
    openssl("x509", "-req", "-in", request, *how, "-days", str(days), "-out", certificate)
    file.write_bytes(file.read_bytes() + certificate.read_bytes())
    file.chmod(0o600)
    return file


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("key") / "channel.pem")


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts at a test's pace."""
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(module, "LAST_PAUSE", 0.1)


@pytest.fixture
def port() -> int:
    with socket.socket() as sock:
        sock.bind((A, 0))
        return int(sock.getsockname()[1])


class End:
    """One node's end, and what it heard."""

    def __init__(self, key: Path, port: int, here: str = A, there: str = B) -> None:
        self.heard: list[Object] = []
        self.log: list[str] = []
        settings = ChannelSettings(str(key), here, there, port)
        words = {"tell": self.heard.append}
        questions = {"double": self._double, "refuse": self._refuse, "dream": self._dream}
        self.channel = Channel(settings, f"node-{here[-1]}", words, questions, self._say)

    async def _double(self, about: Object) -> Object:
        return {"result": about["number"] * 2}

    async def _refuse(self, _about: Object) -> Object:
        raise ControlError("VI_1 is not MASTER")

    async def _dream(self, about: Object) -> Object:
        await asyncio.sleep(about["seconds"])
        return {}

    def _say(self, _level: Level, text: str) -> None:
        self.log.append(text)


@asynccontextmanager
async def living(*ends: End) -> AsyncIterator[None]:
    for each in ends:
        each.channel.start()
    try:
        async with asyncio.timeout(20):
            yield
    finally:
        for each in ends:
            await each.channel.close()


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110  # what is waited for is what a user can see
        await asyncio.sleep(0.005)


def play(story: Awaitable[None]) -> None:
    async def main() -> None:
        await story

    asyncio.run(main())


def test_words_and_questions_both_ways(key: Path, port: int) -> None:
    async def story() -> None:
        a, b = End(key, port), End(key, port, B, A)
        async with living(a, b):
            await until(lambda: a.channel.up and b.channel.up)
            assert (a.channel.peer, b.channel.peer) == ("node-2", "node-1")
            assert a.channel.send("tell", {"position": "0-1-7"})
            assert b.channel.send("tell", {"position": "0-1-6"})
            await until(lambda: a.heard and b.heard)
            assert (a.heard, b.heard) == ([{"position": "0-1-6"}], [{"position": "0-1-7"}])
            assert await a.channel.ask("double", {"number": 21}, 5) == {"result": 42}
            assert await b.channel.ask("double", {"number": 1}, 5) == {"result": 2}
            assert a.log[-1] == f"the channel to node-2 ({B}) is up"

    play(story())


def test_answers_come_when_they_are_ready(key: Path, port: int) -> None:
    async def story() -> None:
        a, b = End(key, port), End(key, port, B, A)
        async with living(a, b):
            await until(lambda: a.channel.up)
            slow = asyncio.create_task(a.channel.ask("dream", {"seconds": 0.2}, 5))
            assert await a.channel.ask("double", {"number": 2}, 5) == {"result": 4}
            assert not slow.done()
            assert await slow == {}

    play(story())


def test_what_is_not_answered(key: Path, port: int) -> None:
    async def story() -> None:
        a, b = End(key, port), End(key, port, B, A)
        with pytest.raises(ChannelError, match="there is no channel to the other agent"):
            await a.channel.ask("double", {"number": 1}, 5)
        assert not a.channel.send("tell", {})
        async with living(a, b):
            await until(lambda: a.channel.up)
            for kind, about, words in (
                ("refuse", {}, "VI_1 is not MASTER"),
                ("double", {"numbr": 1}, "the question was not understood"),
                ("divine", {}, "does not know the question 'divine'"),
                ("dream", {"seconds": 9}, r"(did not answer|not done) in 0.1 s"),
            ):
                with pytest.raises(ChannelError, match=words):
                    await a.channel.ask(kind, about, 0.1)
            assert a.channel.send("whisper", {})
            await until(lambda: b.channel.counters.ignored == 3)
            assert await a.channel.ask("double", {"number": 3}, 5) == {"result": 6}

    play(story())


def test_one_way_is_enough(key: Path, port: int) -> None:
    """As when a firewall lets only one of them connect."""

    async def story() -> None:
        a, b = End(key, port), End(key, port, B, "127.0.7.3")  # nobody is there
        async with living(a, b):
            await until(lambda: a.channel.up and b.channel.up)
            assert await b.channel.ask("double", {"number": 4}, 5) == {"result": 8}
            assert await a.channel.ask("double", {"number": 5}, 5) == {"result": 10}

    play(story())


def test_the_other_comes_back(key: Path, port: int) -> None:
    async def story() -> None:
        a, b = End(key, port), End(key, port, B, A)
        async with living(a):
            async with living(b):
                await until(lambda: a.channel.up and b.channel.up)
                waiting = asyncio.create_task(a.channel.ask("dream", {"seconds": 9}, 9))
                await until(lambda: b.channel._questions)
            with pytest.raises(ChannelError, match="the channel broke"):
                await waiting
            await until(lambda: not a.channel.up)
            assert f"the channel to node-2 ({B}) is down" in a.log
            async with living(again := End(key, port, B, A)):
                await until(lambda: a.channel.up and again.channel.up)
                assert await a.channel.ask("double", {"number": 1}, 5) == {"result": 2}

    play(story())


async def _as_soon_as_it_listens(port: int, client: ssl.SSLContext) -> Connection:
    end = time.monotonic() + 10
    while True:
        try:
            return await asyncio.open_connection(A, port, ssl=client, local_addr=(B, 0))
        except ConnectionRefusedError:
            assert time.monotonic() < end
            await asyncio.sleep(0.01)


def test_closing_lets_go_of_one_that_is_being_greeted(key: Path, port: int) -> None:
    async def story() -> None:
        a = End(key, port)
        async with living(a):
            client = credentials(str(key)).client
            reader, writer = await _as_soon_as_it_listens(port, client)
            assert b"hello" in await reader.readline()
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.transport.abort()

    play(story())


def test_a_silent_link_is_given_up(key: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without power closes nothing."""
    monkeypatch.setattr(module, "BEAT", 0.05)
    monkeypatch.setattr(module, "SILENCE", 0.3)

    async def story() -> None:
        a, b = End(key, port), End(key, port, B, A)
        async with living(a, b):
            await until(lambda: a.channel.up and b.channel.up)
            await asyncio.sleep(0.5)
            assert a.channel.counters.connected <= 2  # beats keep it
            monkeypatch.setattr(b.channel, "_beat", lambda _link: None)
            await until(lambda: any("is down" in each for each in a.log))

    play(story())


def test_a_listen_address_that_comes_later(key: Path, port: int) -> None:
    """The port is another's at first, as an address may come after the daemon."""

    async def story() -> None:
        a, b = End(key, port), End(key, port, B, "127.0.7.3")
        with socket.socket() as other:
            other.bind((A, port))
            other.listen()
            async with living(a, b):
                await until(lambda: any(f"the channel cannot listen on {A}" in each for each in a.log))
                other.close()
                await until(lambda: a.channel.up)

    play(story())


# --- keys -------------------------------------------------------------------------------------------------------------


def test_another_key_is_turned_away_both_ways(key: Path, port: int, tmp_path: Path) -> None:
    async def story() -> None:
        a, b = End(key, port), End(make_key(tmp_path / "other.pem"), port, B, A)
        async with living(a, b):
            await until(lambda: a.channel.counters.turned_away and b.channel.counters.turned_away)
            await asyncio.sleep(0.3)
            assert not a.channel.up
            assert not b.channel.up
            assert any("self-signed certificate" in each for each in a.log)
            assert len(a.log) <= 4  # told once, not at every attempt

    play(story())


def test_a_certificate_that_ours_has_signed_is_not_ours(key: Path, port: int, tmp_path: Path) -> None:
    signed = make_key(tmp_path / "signed.pem", by=key)

    async def story() -> None:
        a = End(key, port)
        async with living(a):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(key)
            context.load_cert_chain(signed)
            context.check_hostname = False
            await asyncio.sleep(0.1)
            _, writer = await asyncio.open_connection(A, port, ssl=context)
            await until(lambda: any("not ours" in each or "127.0.0.1 away" in each for each in a.log))
            assert not a.channel.up
            writer.transport.abort()

    play(story())


def test_a_key_file_that_others_may_read_is_no_use(key: Path, tmp_path: Path) -> None:
    open_to_all = tmp_path / "key.pem"
    open_to_all.write_bytes(key.read_bytes())
    open_to_all.chmod(0o640)
    with pytest.raises(ChannelError, match="has mode 0640: others may read it, 0600 is demanded"):
        credentials(str(open_to_all))
    open_to_all.chmod(0o600)
    assert credentials(str(open_to_all)).certificate == credentials(str(key)).certificate
    with pytest.raises(ChannelError, match="No such file"):
        credentials(str(tmp_path / "absent"))
    open_to_all.write_text("-----BEGIN NONSENSE-----")
    with pytest.raises(ChannelError, match="no key with its certificate"):
        credentials(str(open_to_all))


def test_an_expired_certificate_is_still_the_one(tmp_path: Path, port: int) -> None:
    """One certificate is believed, and a clock that was set back, or ten years, change nothing."""
    key = make_key(tmp_path / "old.pem", days=-1)

    async def story() -> None:
        a, b = End(key, port), End(key, port, B, A)
        async with living(a, b):
            await until(lambda: a.channel.up and b.channel.up)

    play(story())


# --- strangers --------------------------------------------------------------------------------------------------------


def test_strangers_that_say_nothing_keep_nobody_out(key: Path, port: int) -> None:
    async def story() -> None:
        a, b = End(key, port), End(key, port, B, A)
        async with living(a):
            await until(lambda: a.channel._tasks and len(a.channel._tasks) >= 3)
            await asyncio.sleep(0.1)
            strangers = []
            for _ in range(60):
                sock = socket.socket()
                sock.bind((STRANGER, 0))
                sock.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    sock.connect((A, port))
                strangers.append(sock)
            await until(lambda: a.channel.counters.turned_away >= 20)
            assert a.channel._greetings[False] <= GREETINGS_MAX
            async with living(b):
                await until(lambda: a.channel.up and b.channel.up)
            for sock in strangers:
                sock.close()

    play(story())


def test_garbage_ends_at_the_handshake(key: Path, port: int) -> None:
    async def story() -> None:
        a = End(key, port)
        async with living(a):
            await asyncio.sleep(0.1)
            for garbage in (b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 9000, bytes(100)):
                reader, writer = await asyncio.open_connection(A, port, local_addr=(STRANGER, 0))
                writer.write(garbage)
                with contextlib.suppress(ConnectionError):
                    await asyncio.wait_for(reader.read(), 5)
                writer.transport.abort()
            await until(lambda: a.channel.counters.turned_away >= 3)
            assert sum(f"a stranger, {STRANGER} away" in each for each in a.log) == 1

    play(story())


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"7",
        b'{"word": []}',
        b'{"word": "tell"}',
        b'{"word": "tell", "about": 3}',
        b'{"word": "tell", "about": {"at": 1e999}}',
        b'{"word": "tell", "about": {"at": NaN}}',
        b'{"question": "double", "id": 1e999, "about": {}, "within": 1}',
        b"[" * 9000,
        b"\xff",
    ],
)
def test_what_the_other_says_amiss_is_counted(key: Path, port: int, line: bytes) -> None:
    async def story() -> None:
        a = End(key, port)
        async with living(a):
            await asyncio.sleep(0.1)
            known = credentials(str(key))
            reader, writer = await asyncio.open_connection(A, port, ssl=known.client)
            assert json.loads(await reader.readline())["hello"] == "node-1"
            writer.write(b'{"hello": "x", "self": "y"}\n' + line + b'\n{"question":"double","id":1,')
            writer.write(b'"about":{"number":2},"within":3}\n')
            while "answer" not in (answer := json.loads(await reader.readline())):
                pass
            assert answer == {"answer": 1, "about": {"result": 4}}
            assert a.channel.counters.ignored == 1
            assert a.heard == []
            writer.write(b"x" * 900_000)  # no line at all
            with contextlib.suppress(ConnectionError):
                while await reader.read(4096):
                    pass
            writer.transport.abort()

    play(story())


def test_a_node_that_reaches_itself_says_so(key: Path, port: int) -> None:
    async def story() -> None:
        a = End(key, port, A, A)
        async with living(a):
            await until(lambda: any("that is this node itself" in each for each in a.log))
            assert not a.channel.up

    play(story())
