"""A UDP server that answers what a test wants it to answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def answering(answer: Callable[[bytes], list[bytes]], port: int, host: str = "127.0.0.1") -> Iterator[None]:
    """Send what `answer` makes of each datagram back to its sender."""

    def serve() -> None:
        while True:
            datagram, sender = sock.recvfrom(65_536)
            if datagram == b"that is all":
                return
            for each in answer(datagram):
                sock.sendto(each, sender)

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((host, port))
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            sock.sendto(b"that is all", (host, port))
            thread.join()
