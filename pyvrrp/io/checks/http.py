"""HTTP and HTTPS: does every page answer as it should?"""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
import ssl
from email.message import Message
from http.client import HTTPException, parse_headers
from typing import Final

from pyvrrp.core.settings import CheckSettings, HttpProbe, HttpUrl
from pyvrrp.io.checks.check import Outcome, Prober
from pyvrrp.io.checks.connection import connect
from pyvrrp.io.checks.regex import found

BODY_MAX: Final = 1 << 20  # bytes that are looked at
STATUS_LINE: Final = re.compile(rb"HTTP/\d+\.\d+ +(\d{3})")
WITHOUT_BODY: Final = (204, 304)  # RFC 9110 section 6.4.1
DEFAULT_STATUS: Final = ((200, 299),)
DEFAULT_PORT: Final = {False: 80, True: 443}
NOT_HTTP: Final = (asyncio.IncompleteReadError, asyncio.LimitOverrunError, HTTPException, ValueError)


class HttpProber(Prober):
    """GETs one page after the other, each over a connection of its own."""

    def __init__(self, probe: HttpProbe, settings: CheckSettings) -> None:
        super().__init__(settings)
        self._probe = probe
        self._tls = _any_certificate() if probe.tls else None

    async def look(self) -> Outcome:
        """See Prober."""
        for url in self._probe.urls:
            fault = await self._fault(url)
            if fault:
                return Outcome(False, f"{self._target}{url.path} {fault}")
        return Outcome(True, f"{self._target} answered")

    async def _fault(self, url: HttpUrl) -> str:
        """What is wrong with a page, "" when nothing is."""
        try:
            status, body = await self._get(url)
        except NOT_HTTP:
            return "did not answer in HTTP"
        except ssl.SSLError as error:
            return f"did not answer in TLS: {error.reason}"
        wanted = url.status_codes or DEFAULT_STATUS
        if not any(low <= status <= high for low, high in wanted):
            return f"answered {status}, not {' '.join(_span(*each) for each in wanted)}"
        if not (url.digest or url.regex):
            return ""
        return f"sent more than {BODY_MAX} bytes" if body is None else _objection(url, body)

    async def _get(self, url: HttpUrl) -> tuple[int, bytes | None]:
        """Status and body, None for a body that is too long. Raises OSError and NOT_HTTP."""
        virtualhost = url.virtualhost or self._probe.virtualhost
        sock = await connect(self._probe.host, self._probe.port, self._probe.source)
        name = None if self._tls is None else virtualhost if self._probe.sni else ""
        reader, writer = await asyncio.open_connection(sock=sock, ssl=self._tls, server_hostname=name)
        try:
            writer.write(self._request(url.path, virtualhost))
            head = await reader.readuntil(b"\r\n\r\n")
            line, _, fields = head.partition(b"\r\n")
            match = STATUS_LINE.match(line)
            if match is None:
                raise ValueError(line)
            status = int(match[1])
            return status, b"" if status in WITHOUT_BODY else await _body(reader, parse_headers(io.BytesIO(fields)))
        finally:
            writer.transport.abort()

    def _request(self, path: str, virtualhost: str) -> bytes:
        host = f"[{self._probe.host}]" if ":" in self._probe.host else self._probe.host
        if self._probe.port != DEFAULT_PORT[self._probe.tls]:
            host += f":{self._probe.port}"
        version = self._probe.http_version
        lines = [
            f"GET {path} HTTP/{version.removesuffix('C')}",
            "User-Agent: KeepAliveClient",  # what operators filter from their logs
            f"Host: {virtualhost or host}",
        ]
        if version != "1.0":
            lines.append("Connection: close")  # keepalived's 1.0C is 1.0 with this
        return "\r\n".join([*lines, "", ""]).encode()


def _any_certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _body(reader: asyncio.StreamReader, headers: Message) -> bytes | None:
    """The body, None when it is too long. Raises NOT_HTTP where it breaks off."""
    if "chunked" in headers.get("Transfer-Encoding", "").lower():
        return await _chunks(reader)
    length = headers.get("Content-Length")
    if length is not None:
        return None if int(length) > BODY_MAX else await reader.readexactly(int(length))
    try:
        await reader.readexactly(BODY_MAX + 1)
    except asyncio.IncompleteReadError as whole:
        return whole.partial
    return None


async def _chunks(reader: asyncio.StreamReader) -> bytes | None:
    """A chunked body (RFC 9112 section 7.1); trailers are left unread."""
    body = bytearray()
    while size := int((await reader.readuntil(b"\n")).partition(b";")[0], 16):
        if len(body) + size > BODY_MAX:
            return None
        body += await reader.readexactly(size)
        await reader.readuntil(b"\n")
        await asyncio.sleep(0)  # a thousand tiny chunks may lie ready
    return bytes(body)


def _objection(url: HttpUrl, body: bytes) -> str:
    """What is wrong with a body, "" when nothing is."""
    if url.digest:
        digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
        if digest != url.digest.lower():
            return f"has the digest {digest}, not {url.digest}"
    if not url.regex:
        return ""
    try:
        there = found(url.regex, body)
    except re.error as error:
        return f"cannot be searched for {url.regex!r}: {error}"
    except TimeoutError:
        return f"takes too long to search for {url.regex!r}"
    if there == url.regex_no_match:
        return f"{'contains' if there else 'does not contain'} {url.regex!r}"
    return ""


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"
