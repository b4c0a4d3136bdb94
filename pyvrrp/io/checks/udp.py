"""UDP: is a datagram taken, and answered as it should be?"""

from __future__ import annotations

import asyncio
import os
from typing import Final

from pyvrrp.core.settings import CheckSettings, UdpProbe
from pyvrrp.io.checks.check import Outcome, Prober
from pyvrrp.io.checks.connection import datagrams

RANDOM_SIZE: Final = 32  # bytes sent where no payload is given
DATAGRAM_MAX: Final = 65_536


class UdpProber(Prober):
    """Sends one datagram. Where no reply is asked for, all that can fail it is an ICMP error within the timeout."""

    def __init__(self, probe: UdpProbe, settings: CheckSettings) -> None:
        super().__init__(settings)
        self._probe = probe

    async def look(self) -> Outcome:
        """See Prober."""
        with datagrams(self._probe.host, self._probe.port, self._probe.source) as sock:
            sock.send(self._probe.payload or os.urandom(RANDOM_SIZE))
            reply = await asyncio.get_running_loop().sock_recv(sock, DATAGRAM_MAX)
        fault = self._fault(reply) if self._probe.require_reply else ""
        return Outcome(not fault, f"{self._target} {fault or 'answered'}")

    def overdue(self) -> Outcome:
        """See Prober."""
        if self._probe.require_reply:
            return super().overdue()
        return Outcome(True, f"{self._target} did not refuse in {self._timeout:g} s")

    def _fault(self, reply: bytes) -> str:
        probe = self._probe
        if not probe.min_length <= len(reply) <= probe.max_length:
            return f"answered {len(reply)} bytes, not {probe.min_length} to {probe.max_length}"
        # Only what both have is compared, as in keepalived.
        mask = probe.mask or b"\xff" * len(probe.reply)
        if any((got ^ asked) & bits for got, asked, bits in zip(reply, probe.reply, mask, strict=False)):
            return "did not answer what it should"
        return ""
