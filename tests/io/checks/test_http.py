"""HTTP and HTTPS checks against real servers, and against some that misbehave."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import http.server
import random
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from pyvrrp.core.events import CheckResult
from pyvrrp.core.settings import CheckSettings, HttpProbe, HttpUrl
from pyvrrp.io.checks import Check
from tests.io.checks.running import Reports, found, look, run
from tests.io.checks.serving import Talk, reset_at_the_end, serving
from tests.netns import Namespace

pytestmark = pytest.mark.lab

PAGE = b"<html>node is synced</html>\n"
MD5 = hashlib.md5(PAGE, usedforsecurity=False).hexdigest()
URL = "http://127.0.0.1:8080"
MEBIBYTE = 1 << 20
ROOT = HttpUrl("/")


def get(*urls: HttpUrl, **settings: object) -> HttpProbe:
    """A check of pages on port 8080."""
    return HttpProbe("127.0.0.1", 8080, urls or (ROOT,), **settings)  # type: ignore[arg-type]


# --- a real server ----------------------------------------------------------------------------------------------------


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers /STATUS with that status, and the page; remembers who asked how."""

    def do_GET(self) -> None:
        status = int(self.path[1:] or 200)
        assert isinstance(self.server, Server)
        self.server.requests.append((self.requestline, dict(self.headers)))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """A web server in a thread, in the namespace it is made in."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        super().__init__(("127.0.0.1", 8080), Handler)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self._thread.start()

    def handle_error(self, *_: object) -> None:
        """A client that leaves is none of ours."""

    def server_close(self) -> None:
        """Stop, and wait until all is over."""
        self.shutdown()
        self._thread.join()
        super().server_close()


@pytest.fixture
def web(host: Namespace) -> Iterator[Server]:
    """A web server on `host`, where the test is, too."""
    with host.inside(), Server() as server:
        yield server


def test_a_page_is_there(web: Server) -> None:
    result = found(get())
    assert (result.ok, result.detail) == (True, f"{URL} answered")
    assert web.requests == [
        ("GET / HTTP/1.0", {"User-Agent": "KeepAliveClient", "Host": "127.0.0.1:8080"}),
    ]


@pytest.mark.parametrize(
    ("version", "line", "connection"),
    [("1.0", "GET / HTTP/1.0", None), ("1.0C", "GET / HTTP/1.0", "close"), ("1.1", "GET / HTTP/1.1", "close")],
)
def test_the_version_is_kept_to(web: Server, version: str, line: str, connection: str | None) -> None:
    assert found(get(http_version=version)).ok
    requestline, headers = web.requests[0]
    assert (requestline, headers.get("Connection")) == (line, connection)


def test_a_virtual_host_is_asked_for(web: Server) -> None:
    assert found(get(HttpUrl("/200"), HttpUrl("/200", virtualhost="b.example"), virtualhost="a.example")).ok
    assert [headers["Host"] for _, headers in web.requests] == ["a.example", "b.example"]


@pytest.mark.usefixtures("web")
def test_every_page_must_answer() -> None:
    result = found(get(HttpUrl("/200"), HttpUrl("/503"), HttpUrl("/200")))
    assert (result.ok, result.detail) == (False, f"{URL}/503 answered 503, not 200-299")


@pytest.mark.usefixtures("web")
def test_the_status_can_be_chosen() -> None:
    asked = ((301, 302), (404, 404))
    assert found(get(HttpUrl("/404", status_codes=asked))).ok
    assert found(get(HttpUrl("/301", status_codes=asked))).ok
    result = found(get(HttpUrl("/200", status_codes=asked)))
    assert (result.ok, result.detail) == (False, f"{URL}/200 answered 200, not 301-302 404")


@pytest.mark.usefixtures("web")
def test_the_digest_must_be_that_of_the_page() -> None:
    assert found(get(HttpUrl("/", digest=MD5))).ok
    assert found(get(HttpUrl("/", digest=MD5.upper()))).ok
    result = found(get(HttpUrl("/", digest="0" * 32)))
    assert (result.ok, result.detail) == (False, f"{URL}/ has the digest {MD5}, not {'0' * 32}")


@pytest.mark.usefixtures("web")
def test_the_page_must_contain_a_pattern_or_must_not() -> None:
    assert found(get(HttpUrl("/", regex="is +synced"))).ok
    assert found(get(HttpUrl("/", regex="donor", regex_no_match=True))).ok
    result = found(get(HttpUrl("/", regex="donor")))
    assert (result.ok, result.detail) == (False, f"{URL}/ does not contain 'donor'")
    result = found(get(HttpUrl("/", regex="sync", regex_no_match=True)))
    assert (result.ok, result.detail) == (False, f"{URL}/ contains 'sync'")


@pytest.mark.usefixtures("web")
def test_a_pattern_that_is_none_fails_the_check() -> None:
    result = found(get(HttpUrl("/", regex="(")))
    assert not result.ok
    assert result.detail.startswith(f"{URL}/ cannot be searched for '(': ")


def test_keepalived_computes_the_same_digest(web: Server, host: Namespace) -> None:
    out = host.run("genhash", "-s", "127.0.0.1", "-p", "8080", "-u", "/")
    assert MD5 in out, web.requests


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """What a server with a certificate that nobody vouches for needs."""
    key, cert = (tmp_path_factory.mktemp("tls") / name for name in ("key", "cert"))
    words = (
        f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=x -keyout {key} -out {cert}"
    )
    subprocess.run(["openssl", *words.split()], check=True, capture_output=True, timeout=30)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def test_https_with_any_certificate(host: Namespace, certificate: ssl.SSLContext) -> None:
    names: list[str | None] = []
    certificate.sni_callback = lambda _socket, name, _context: names.append(name)
    asked = HttpUrl("/", virtualhost="a.example", digest=MD5)
    with host.inside(), Server(certificate):
        assert found(get(asked, tls=True)).ok
        assert found(get(asked, tls=True, sni=True)).ok
        assert found(get(tls=True, sni=True)).ok  # there is no name to send
    assert names == [None, "a.example", None]


@pytest.mark.usefixtures("web")
def test_a_server_without_tls() -> None:
    result = found(get(tls=True))
    assert not result.ok
    assert result.detail.startswith("https://127.0.0.1:8080/ did not answer in TLS: ")


def test_a_server_that_never_shakes_hands(host: Namespace) -> None:
    with host.inside(), socket.create_server(("127.0.0.1", 8080)):
        result = found(get(tls=True), timeout=0.2)
    assert (result.ok, result.detail) == (False, "https://127.0.0.1:8080 did not answer in 0.2 s")


def test_a_server_that_hangs_up_instead(host: Namespace) -> None:
    async def talk(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)

    async def main() -> CheckResult:
        async with serving(talk, 8080):
            return await look(get(tls=True))

    with host.inside():
        result = asyncio.run(main())
    assert (result.ok, result.detail) == (False, "https://127.0.0.1:8080: the connection was closed")


# --- servers that misbehave -------------------------------------------------------------------------------------------


def saying(*pieces: bytes, pause: float = 0.0) -> Talk:
    """Wait for the request, say these bytes, hang up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        writer.close()
        await writer.wait_closed()

    return talk


def asked(host: Namespace, talk: Talk, url: HttpUrl = ROOT, timeout: float = 5.0) -> CheckResult:
    """What a check finds that meets this."""

    async def main() -> CheckResult:
        async with serving(talk, 8080):
            return await look(get(url, http_version="1.1"), timeout)

    with host.inside():
        return asyncio.run(main())


def chunked(*chunks: bytes) -> bytes:
    """A chunked answer."""
    body = b"".join(b"%x;note=1\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + b"0\r\nTrailer: 1\r\n\r\n"


def test_nobody_listens(host: Namespace) -> None:
    with host.inside():
        result = found(get())
    assert (result.ok, result.detail) == (False, f"{URL} refused the connection")


@pytest.mark.parametrize("cut", [None, 1, 7])
def test_a_chunked_page_is_put_together(host: Namespace, cut: int | None) -> None:
    answer = chunked(PAGE[:5], PAGE[5:20], PAGE[20:])
    pieces = [answer] if cut is None else [answer[at : at + cut] for at in range(0, len(answer), cut)]
    assert asked(host, saying(*pieces), HttpUrl("/", digest=MD5)).ok


def test_a_page_ends_where_it_says(host: Namespace) -> None:
    async def staying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(PAGE), PAGE))
        await reader.read()

    assert asked(host, staying, HttpUrl("/", digest=MD5)).ok


def test_an_answer_without_a_page(host: Namespace) -> None:
    async def staying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await reader.read()

    assert asked(host, staying).ok


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n\r\n",
        b"220 mail.example ESMTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * MEBIBYTE + b"\r\n\r\n",
        bytes(range(256)) * 4 + b"\r\n\r\n",
    ],
)
def test_garbage_is_not_an_answer(host: Namespace, answer: bytes) -> None:
    result = asked(host, saying(answer))
    assert (result.ok, result.detail) == (False, f"{URL}/ did not answer in HTTP")


def test_a_connection_that_is_reset(host: Namespace) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        reset_at_the_end(writer)

    result = asked(host, talk)
    assert (result.ok, result.detail) == (False, f"{URL}: Connection reset by peer")


def test_silence_is_given_up_in_time(host: Namespace) -> None:
    async def talk(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    result = asked(host, talk, timeout=0.2)
    assert (result.ok, result.detail) == (False, f"{URL} did not answer in 0.2 s")
    assert result.took < 1


def test_who_dribbles_gains_no_time(host: Namespace) -> None:
    result = asked(host, saying(*[b"H"] * 1000, pause=0.02), timeout=0.3)
    assert (result.ok, result.detail) == (False, f"{URL} did not answer in 0.3 s")
    assert result.took < 1


def test_a_page_without_an_end_is_not_read_for_ever(host: Namespace) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(65_536))
            await writer.drain()

    assert asked(host, talk).ok  # nothing is asked of the page
    result = asked(host, talk, HttpUrl("/", digest=MD5))
    assert (result.ok, result.detail) == (False, f"{URL}/ sent more than {MEBIBYTE} bytes")


@pytest.mark.parametrize(
    "body", [chunked(bytes(MEBIBYTE + 1)), b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n"]
)
def test_a_huge_page_is_not_read(host: Namespace, body: bytes) -> None:
    result = asked(host, saying(body), HttpUrl("/", regex="x"))
    assert (result.ok, result.detail) == (False, f"{URL}/ sent more than {MEBIBYTE} bytes")


def test_a_page_as_long_as_it_may_be(host: Namespace) -> None:
    body = bytes(MEBIBYTE)
    digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
    assert asked(host, saying(b"HTTP/1.0 200 OK\r\n\r\n" + body), HttpUrl("/", digest=digest)).ok


def test_a_pattern_that_takes_too_long(host: Namespace) -> None:
    page = b"HTTP/1.0 200 OK\r\n\r\n" + b"a" * 60 + b"!"
    result = asked(host, saying(page), HttpUrl("/", regex="(a|a)+$"))
    assert (result.ok, result.detail) == (False, f"{URL}/ takes too long to search for '(a|a)+$'")


def slowest_turn(work: Callable[[], Awaitable[object]]) -> float:
    """How long the loop stood still at most while `work` was done, in processor time."""
    worst = 0.0

    async def measure() -> None:
        nonlocal worst
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            worst = max(worst, time.thread_time() - before)

    async def main() -> None:
        measuring = asyncio.create_task(measure())
        await work()
        measuring.cancel()

    asyncio.run(main())
    return worst


def test_a_flood_of_tiny_chunks_does_not_stop_the_loop(host: Namespace) -> None:
    flood = chunked(*[b"x"] * 20_000)

    async def work() -> None:
        async with serving(saying(flood), 8080):
            assert (await look(get(HttpUrl("/", regex="x"), http_version="1.1"))).ok

    with host.inside():
        assert slowest_turn(work) < 0.01  # 17 ms in one go


def test_no_server_can_break_the_daemon(host: Namespace, certificate: ssl.SSLContext) -> None:
    """Whatever it says, in TLS or beneath: a result comes, and asyncio has nothing to complain about."""
    choice = random.Random(4711)
    answer = chunked(PAGE) + gzip.compress(PAGE)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if choice.random() < 0.7:
            await reader.readuntil(b"\r\n\r\n")
        said = bytearray(answer[: choice.randrange(len(answer))])
        for _ in range(choice.randrange(4)):
            said[choice.randrange(len(said) + 1) :] = choice.randbytes(choice.randrange(20))
        writer.write(said)
        if choice.random() < 0.5:
            await asyncio.sleep(choice.random() / 50)
        if choice.random() < 0.3:
            reset_at_the_end(writer)

    async def test(_check: Check, reports: Reports) -> None:
        for tls in (certificate, None):
            async with serving(talk, 8080, tls=tls):
                for _ in range(40):
                    await reports.next()

    with host.inside():
        run(test, CheckSettings("web", get(tls=True, http_version="1.1"), interval=0.005, timeout=0.05))
        run(test, CheckSettings("web", get(http_version="1.1"), interval=0.005, timeout=0.05))
