"""As much of a mysqld as a TCP check and a client of the bench need. Run as a program of its own.

responder.py NAME PORT    answers the first bytes of each connection with NAME and closes it
"""

from __future__ import annotations

import contextlib
import gc
import socket
import sys

QUESTION_WITHIN = 0.2  # seconds; one that never comes must not keep others waiting


def answer(name: bytes, port: int) -> None:
    """Accept, hear a question, say the name, close. Who connects and says nothing, as a health check, gets nothing."""
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("0.0.0.0", port))  # noqa: S104 - virtual addresses come and go
    server.listen(128)
    while True:
        connection, _ = server.accept()
        connection.settimeout(QUESTION_WITHIN)
        with contextlib.suppress(OSError):
            if connection.recv(64):
                connection.send(name)
        connection.close()


if __name__ == "__main__":
    gc.disable()
    answer(sys.argv[1].encode(), int(sys.argv[2]))
