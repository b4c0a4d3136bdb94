"""One daemon a virtual router: a name in the abstract socket namespace that only one process can hold.

Abstract names belong to a network namespace, as interfaces do, and vanish with the process that holds them.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from errno import EADDRINUSE
from typing import Final

from pyvrrp.errors import InstanceTakenError

UCRED: Final = struct.Struct("3i")  # pid, uid, gid
BACKLOG: Final = 128
# A daemon that has the name listens on it a moment later.
LISTEN_TRIES: Final = 5
LISTEN_PAUSE: Final = 0.01  # seconds


class Claim:
    """This process's right to run `vrid` on `interface`, held until `close`.

    Any user may bind a name. One who is neither root nor the user of this daemon could not run the virtual router, so
    its claim does not count: `squatter` then names it, and the start goes on without a claim.
    """

    def __init__(self, interface: str, vrid: int, family: str = "ipv4") -> None:
        """Raises InstanceTakenError with the holder's pid."""
        self.squatter = ""
        name = f"\0pyvrrp/{interface}/{vrid}/{family}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            self._socket.bind(name)
            # Listening lets another one ask who we are.
            self._socket.listen(BACKLOG)
        except OSError as error:
            self._socket.close()
            if error.errno != EADDRINUSE:
                raise
            self._blame(name, f"VRID {vrid} on {interface}")

    def _blame(self, name: str, router: str) -> None:
        for _ in range(LISTEN_TRIES):
            with socket.socket(
                socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
            ) as probe:
                try:
                    probe.connect(name)
                except ConnectionRefusedError:
                    time.sleep(LISTEN_PAUSE)
                    continue
                except BlockingIOError:
                    # A pyvrrpd that lives keeps its queue empty. Any user may keep one full, so this proves nothing.
                    break
                pid, uid, _ = UCRED.unpack(probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size))
            if uid in (0, os.geteuid()):
                raise InstanceTakenError(f"another pyvrrpd (pid {pid}) runs {router} already")
            self.squatter = f"process {pid} of user {uid} pretends to run {router}; not believed"
            return
        self.squatter = f"a process that does not say who it is pretends to run {router}; not believed"

    def fileno(self) -> int:
        """The descriptor to watch for reading; then call `answer`. -1 when the claim is a squatter's."""
        return self._socket.fileno()

    def answer(self) -> None:
        """Let those go who asked who holds the name: the kernel has told them, and their queue must not fill up."""
        with contextlib.suppress(BlockingIOError):
            while True:
                asker, _ = self._socket.accept()
                asker.close()

    def close(self) -> None:
        """Let go of the name."""
        self._socket.close()
