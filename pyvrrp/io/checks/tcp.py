"""TCP: does a connection come about?"""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from pyvrrp.core.settings import CheckSettings, TcpProbe
from pyvrrp.io.checks.check import Outcome, Prober
from pyvrrp.io.checks.connection import connect

DRAIN: Final = 0.2  # seconds for a server to finish its greeting and close, at most half an interval


class TcpProber(Prober):
    """Connects and closes; nothing is sent."""

    def __init__(self, probe: TcpProbe, settings: CheckSettings) -> None:
        super().__init__(settings)
        self._probe = probe
        self._drain = min(DRAIN, settings.interval / 2)
        self._parting: asyncio.Task[None] | None = None

    async def look(self) -> Outcome:
        """See Prober."""
        sock = await connect(self._probe.host, self._probe.port, self._probe.source)
        self._parting = asyncio.create_task(self._part(sock))
        return Outcome(True, f"connected to {self._target}")

    async def _part(self, sock: socket.socket) -> None:
        """Close in good order: closing over an unread greeting would send a reset, which servers count as an error."""
        with sock:
            try:
                sock.shutdown(socket.SHUT_WR)
                async with asyncio.timeout(self._drain):
                    while await asyncio.get_running_loop().sock_recv(sock, 4096):
                        pass
            except OSError:  # TimeoutError is one: the server keeps the connection open
                return
