"""As much of a mysqld as a TCP check and a client of the bench need. Run as a program of its own.

responder.py NAME PORT    greets each connection with NAME and closes it
"""

from __future__ import annotations

import contextlib
import gc
import socket
import sys


def greet(name: bytes, port: int) -> None:
    """Accept, say the name, close."""
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("0.0.0.0", port))  # noqa: S104 - virtual addresses come and go
    server.listen(128)
    while True:
        connection, _ = server.accept()
        with contextlib.suppress(OSError):  # the client is gone: a health check connects and closes
            connection.send(name)
        connection.close()


if __name__ == "__main__":
    gc.disable()
    greet(sys.argv[1].encode(), int(sys.argv[2]))
