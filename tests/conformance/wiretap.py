"""The tester's end of the cable: everything that passes, with the kernel's time stamps, and a way to say anything."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from tests.conformance.packets import Frame
from tests.netns import Namespace

T = TypeVar("T")
EVERYTHING: Final = 3  # ETH_P_ALL
SO_TIMESTAMPNS: Final = 35
TIMESPEC: Final = struct.Struct("@qq")
RECEIVE_BUFFER: Final = 4 << 20


class Wiretap:
    """A packet socket on eth0 of a namespace. Any thread may send; one thread listens."""

    def __init__(self, namespace: Namespace) -> None:
        with namespace.inside():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
            self._voice = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.bind(("eth0", EVERYTHING))
        self._socket.setblocking(False)
        self._voice.bind(("eth0", 0))
        self._frames: list[Frame] = []
        self._lock = threading.Lock()

    def send(self, data: bytes) -> None:
        """Say this."""
        self._voice.send(data)

    def frames(self) -> list[Frame]:
        """Everything so far."""
        with self._lock:
            self._drain()
            return list(self._frames)

    def wait(self, find: Callable[[list[Frame]], T | None], seconds: float) -> T | None:
        """What `find` finds among all frames, as soon as it does; None when the time is over."""
        end = time.monotonic() + seconds
        while (found := find(self.frames())) is None:
            left = end - time.monotonic()
            if left <= 0:
                return None
            select.select([self._socket], [], [], min(left, 0.5))
        return found

    def close(self) -> None:
        """Unplug."""
        self._socket.close()
        self._voice.close()

    def _drain(self) -> None:
        while True:
            try:
                data, ancillary, _, address = self._socket.recvmsg(2048, 64)
            except BlockingIOError:
                return
            except OSError:  # the link went down; what comes after it is up again is still to be read
                continue
            (stamp,) = (value for _, kind, value in ancillary if kind == SO_TIMESTAMPNS)
            seconds, nanoseconds = TIMESPEC.unpack(stamp)
            self._frames.append(Frame(seconds + nanoseconds * 1e-9, data, ours=address[2] == socket.PACKET_OUTGOING))
