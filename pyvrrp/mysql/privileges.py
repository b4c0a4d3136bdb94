"""Whether the agent's account may do what it has to: looked at now and then."""

from __future__ import annotations

from typing import Final

from pyvrrp.mysql.server import Server
from pyvrrp.mysql.standing import Standing

PAUSE: Final = 60.0  # seconds between two looks
LACKING: Final = 3.0  # the same while some are missing
WITHIN: Final = 1.0  # seconds for each statement


class Privileges:
    """When they were read last."""

    def __init__(self, server: Server, standing: Standing) -> None:
        self._server = server
        self._standing = standing
        self._read: float | None = None

    def forget(self) -> None:
        """It may be another server that comes back."""
        self._read = None

    async def look(self, now: float) -> None:
        """Look, if it is time. Raises DatabaseError."""
        before = self._standing.lacking
        if self._read is not None and now - self._read < (LACKING if before else PAUSE):
            return
        self._standing.lacking = await self._server.lacking(WITHIN)
        self._read = now
        if before and before != self._standing.lacking:
            self._server.renew()  # a connection keeps the privileges that it began with
