"""systemd's end of sd_notify."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from tests.lab.agents import PATIENCE
from tests.waiting import readable


class Supervisor:
    """Listens on a socket, whose path a daemon gets as NOTIFY_SOCKET."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.bind(str(path))

    def hears(self, assignment: str) -> dict[str, str]:
        """Wait for a message with this assignment, passing over others; all of its assignments. Raises TimeoutError."""
        name, _, value = assignment.partition("=")
        end = time.monotonic() + PATIENCE
        while readable(self._socket, max(0.0, end - time.monotonic())):
            message = dict(line.partition("=")[::2] for line in self._socket.recv(4096).decode().splitlines())
            if message.get(name) == value:
                return message
        raise TimeoutError(assignment)

    def heard_nothing(self) -> bool:
        """Whether no message waits."""
        return not readable(self._socket, 0)

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
