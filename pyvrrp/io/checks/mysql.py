"""MySQL without an account: does a server greet, and does it go on reading?

A server counts each connection that ends without a login (Aborted_connects), MariaDB logs it, and a host that makes too
many is blocked. So one connection is kept, with a login that never gets finished: a packet of 16 million bytes, of
which each run sends one. A server that lives reads it, and waits for the next as long as its connect_timeout, ten
seconds. Whether it was read the kernel says, where the server is on this host. Nothing grows then; the server shows one
"unauthenticated user" in its process list and has one connection fewer for others.

A server on another host, or in another network namespace, or with an interval above connect_timeout, is greeted anew by
each run, and Aborted_connects grows by one each time. An account spares that.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import socket
import struct
import termios
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from pyvrrp.core.settings import CheckSettings, MysqlProbe, Source
from pyvrrp.io.checks.check import Outcome, Prober
from pyvrrp.io.checks.connection import connect

HEADER: Final = 4  # bytes before each packet: its length in three, its number
ERROR: Final = 0xFF
LONGEST: Final = 1 << 16  # bytes of a greeting; they have about a hundred
TOO_MANY: Final = 1040
UNFINISHED: Final = (0xFFFFF0).to_bytes(3, "little") + b"\x01"  # the header of a login that is never sent whole
MORE: Final = b"\0"
PAUSES: Final = (0.002, 0.01, 0.05)  # seconds between two attempts to connect to what may be dying
SOON, SELDOM = 0.001, 0.05  # seconds between two looks at what was read

# linux/sock_diag.h, linux/inet_diag.h
NETLINK_SOCK_DIAG: Final = 4
MESSAGE: Final = struct.Struct("=IHHII")
REQUEST: Final = struct.Struct("=BBBxI")  # family, protocol, extensions, states
CONNECTION: Final = struct.Struct("!HH16s16s4x8s")  # ports and addresses of both ends, cookie
ANY_COOKIE: Final = b"\xff" * 8
SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST = 20, 1
ANSWER: Final = struct.Struct("=4xH10xxB54xI")  # type of message, idiag_state, idiag_rqueue
ESTABLISHED: Final = 1


class GreetingProber(Prober):
    """Reads the greeting, and keeps the connection where it can be seen whether the server reads from it."""

    def __init__(self, probe: MysqlProbe, settings: CheckSettings) -> None:
        super().__init__(settings)
        self._account = probe.account
        self._kept: socket.socket | None = None
        self._hurry: Callable[[], None] = lambda: None

    async def look(self) -> Outcome:
        """See Prober."""
        if self._kept is None:
            return await self._greeting()
        with contextlib.suppress(OSError):
            if await _is_read(self._kept):
                return Outcome(True, f"{self._target} reads what it is sent")
        self._let_go()
        return await self._look_again()

    def watch(self, hurry: Callable[[], None]) -> None:
        """See Prober."""
        self._hurry = hurry

    def close(self) -> None:
        """See Prober."""
        self._let_go()

    async def _look_again(self) -> Outcome:
        """After the kept connection has ended. A server that dies may close its listener last."""
        for pause in PAUSES:
            try:
                return await self._greeting()
            except (ConnectionRefusedError, FileNotFoundError):
                gone = f"{self._target} closed the connection and refuses another"
                return Outcome(False, gone, refused=True, conclusive=True)
            except OSError:
                await asyncio.sleep(pause)
        return await self._greeting()

    async def _greeting(self) -> Outcome:
        sock = await self._connected()
        with contextlib.ExitStack() as unless_kept:
            unless_kept.enter_context(sock)
            packet = await _packet(sock)
            if packet[0] == ERROR:
                return self._objection(packet)
            version = packet[1:].partition(b"\0")[0].decode("ascii", "replace")
            if unread(sock) is not None:
                sock.send(UNFINISHED)
                unless_kept.pop_all()
                self._kept = sock
                asyncio.get_running_loop().add_reader(sock, self._ended)
        return Outcome(True, f"{self._target} greets as {version}")

    def _objection(self, packet: bytes) -> Outcome:
        """A server that says why it will not have us lives."""
        number = int.from_bytes(packet[1:3], "little")
        text = packet[3:].decode("utf-8", "replace")
        if number == TOO_MANY:
            return Outcome(True, f"{self._target} is alive and takes no more connections (error {number})")
        return Outcome(True, f"{self._target} is alive; error {number}: {text}")

    async def _connected(self) -> socket.socket:
        account = self._account
        if not account.socket:
            return await connect(account.host, account.port, Source())
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        with contextlib.ExitStack() as unless_connected:
            unless_connected.enter_context(sock)
            sock.connect(account.socket)  # at once, or never: EAGAIN is a full queue
            unless_connected.pop_all()
        return sock

    def _ended(self) -> None:
        """It has nothing to say before the login is whole, but that this is the end."""
        if self._kept is not None:
            asyncio.get_running_loop().remove_reader(self._kept)
            self._hurry()

    def _let_go(self) -> None:
        if self._kept is not None:
            asyncio.get_running_loop().remove_reader(self._kept)
            self._kept.close()
            self._kept = None


async def _packet(sock: socket.socket) -> bytes:
    """A packet of the server's, without its header. Raises OSError."""
    loop = asyncio.get_running_loop()
    data = b""
    while len(data) <= HEADER or len(data) < HEADER + int.from_bytes(data[:3], "little"):
        more = await loop.sock_recv(sock, LONGEST)
        if not more or len(data) > LONGEST:
            raise OSError("the connection was closed" if not more else "it does not speak as MySQL does")
        data += more
    return data[HEADER:]


async def _is_read(sock: socket.socket) -> bool:
    """Send some more, and wait until the server has read it; False when the connection is no more. Raises OSError."""
    if unread(sock) == 0:
        sock.send(MORE)
    pause = SOON
    while left := unread(sock):
        await asyncio.sleep(pause)
        pause = min(2 * pause, SELDOM)
    return left is not None


def unread(sock: socket.socket) -> int | None:
    """How many bytes that were sent over `sock` its other end has not read; None where that end is not on this host."""
    if sock.family != socket.AF_UNIX:
        return _unread_by_peer(sock)
    waiting = fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4))
    # The kernel counts memory: more than was sent, and nothing once it is read.
    return int.from_bytes(waiting, "little") if _is_connected(sock) else None


def _is_connected(sock: socket.socket) -> bool:
    try:
        return bool(sock.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return True
    except OSError:
        return False


def _unread_by_peer(sock: socket.socket) -> int | None:
    """The same of TCP: what is in the receive queue of the socket at the other end."""
    local, peer = sock.getsockname(), sock.getpeername()
    ends = (peer[1], local[1], *(ip_address(each[0]).packed.ljust(16, b"\0") for each in (peer, local)))
    body = REQUEST.pack(sock.family, socket.IPPROTO_TCP, 0, 0xFFFFFFFF) + CONNECTION.pack(*ends, ANY_COOKIE)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG) as kernel:
            kernel.setblocking(False)
            kernel.send(MESSAGE.pack(MESSAGE.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 0, 0) + body)
            answer = kernel.recv(LONGEST)
    except OSError:
        return None
    if len(answer) < ANSWER.size:
        return None
    kind, state, waiting = ANSWER.unpack_from(answer)
    return int(waiting) if (kind, state) == (SOCK_DIAG_BY_FAMILY, ESTABLISHED) else None
