"""Ethernet frames out of one interface: gratuitous ARP."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable

from pyvrrp.errors import KernelError


class Announcer:
    """A packet socket of `interface` that only sends. Never blocks."""

    def __init__(self, interface: str) -> None:
        """Raises KernelError: EPERM without CAP_NET_RAW, ENODEV without the interface."""
        self.interface = interface
        self.last_error: OSError | None = None
        try:
            # Protocol 0: the kernel queues nothing for this socket.
            kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
            self._socket = socket.socket(socket.AF_PACKET, kind, 0)
            try:
                self._socket.bind((interface, 0))
            except OSError:
                self._socket.close()
                raise
        except OSError as error:
            number = error.errno or 0
            raise KernelError(f"open a packet socket on {interface}", number, os.strerror(number)) from error

    def send(self, frames: Iterable[bytes]) -> bool:
        """Send the frames in order; False when the kernel refused one, with the reason in `last_error`."""
        complete = True
        for frame in frames:
            try:
                self._socket.send(frame)
            except OSError as error:
                self.last_error = error
                complete = False
        return complete

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
