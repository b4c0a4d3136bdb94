"""Socket options that Python's socket module does not name."""

from __future__ import annotations

import socket
import struct

SO_ATTACH_FILTER = 26
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35


def enlarge(listener: socket.socket, size: int) -> None:
    """Give a socket a receive buffer of `size` bytes, or as much as the system allows to an ordinary user."""
    try:
        listener.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, size)
    except PermissionError:  # root of a user namespace is not root enough
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def arrival(control: list[tuple[int, int, bytes]]) -> int:
    """When a message came, in nanoseconds of CLOCK_REALTIME, by the kernel's stamp that SO_TIMESTAMPNS asks for."""
    seconds, nanoseconds = struct.unpack_from("@qq", control[0][2])
    return int(seconds * 1_000_000_000 + nanoseconds)
