"""SMTP: greeting, HELO and QUIT. (RFC 5321 section 4.3.2)"""

from __future__ import annotations

import asyncio
from typing import Final

from pyvrrp.core.settings import CheckSettings, SmtpProbe
from pyvrrp.io.checks.check import Outcome, Prober
from pyvrrp.io.checks.connection import connect

LINE_MAX: Final = 4096  # bytes; RFC 5321 section 4.5.3.1.5 has 512
LINES_MAX: Final = 100  # of one reply


class SmtpProber(Prober):
    """Has the shortest conversation that there is."""

    def __init__(self, probe: SmtpProbe, settings: CheckSettings) -> None:
        super().__init__(settings)
        self._probe = probe

    async def look(self) -> Outcome:
        """See Prober."""
        sock = await connect(self._probe.host, self._probe.port, self._probe.source)
        reader, writer = await asyncio.open_connection(sock=sock, limit=LINE_MAX)
        try:
            fault = await self._converse(reader, writer)
        finally:
            writer.transport.abort()
        return Outcome(not fault, f"{self._target} {fault or 'answered as it should'}")

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        """What was wrong, "" when nothing was."""
        for command, wanted, did in (
            ("", "220", "greeted"),
            (f"HELO {self._probe.helo_name}", "250", "answered HELO"),
            ("QUIT", "221", "answered QUIT"),
        ):
            if command:
                writer.write(f"{command}\r\n".encode())
            code = await _reply(reader)
            if code != wanted:
                return f"{did} with {code}, not {wanted}" if code else "does not speak SMTP"
        return ""


async def _reply(reader: asyncio.StreamReader) -> str:
    """The code of a reply, "" for what is none."""
    for _ in range(LINES_MAX):
        try:
            line = await reader.readuntil(b"\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return ""
        code = line[:3]
        if not code.isdigit():
            return ""
        if line[3:4] != b"-":
            return code.decode()
    return ""
