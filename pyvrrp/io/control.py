"""The control socket: one JSON object a line in, one out, in order. What a request means is not known here.

An answer that is a stream goes on until it ends, or the client closes, and is the last one of its connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import stat
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from errno import EEXIST
from pathlib import Path
from typing import Final

from pyvrrp.errors import InstanceTakenError, KernelError, PyvrrpError

MODE: Final = 0o660  # root changes, the group reads
DIRECTORY_MODE: Final = 0o755
LINE_MAX: Final = 64 * 1024  # bytes of one request
CLIENTS_MAX: Final = 32
BACKLOG: Final = 8
WRITE_TIMEOUT: Final = 10.0  # seconds that a client may take to read an answer
UCRED: Final = struct.Struct("3i")

Object = dict[str, object]
Stream = AsyncGenerator[bytes, None]  # whole lines; an empty portion while there is nothing to say
Answer = Object | Stream


@dataclass(frozen=True, slots=True)
class Peer:
    """Who asks, as the kernel knows it."""

    pid: int
    uid: int
    gid: int

    @property
    def may_change(self) -> bool:
        """Whether this peer may do more than look: root, or the user that the daemon runs as."""
        return self.uid in (0, os.geteuid())


class ControlServer:
    """Answers clients on the Unix socket `path`, each request through `answer`.

    A PyvrrpError that `answer` raises becomes `{"error": "..."}`.
    """

    def __init__(self, path: Path, answer: Callable[[dict[str, object], Peer], Awaitable[Answer]]) -> None:
        self.path = path
        self._answer = answer
        self._server: asyncio.Server | None = None
        self._inode = 0
        self._clients: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen. Raises InstanceTakenError when a live daemon has the socket, KernelError when the path is no use."""
        try:
            sock = self._bind()
        except OSError as error:
            # A path that is too long has no number, only words.
            number = error.errno or 0
            raise KernelError(f"open the control socket {self.path}", number, error.strerror or str(error)) from error
        self._inode = self.path.stat().st_ino
        self._server = await asyncio.start_unix_server(self._serve, sock=sock, limit=LINE_MAX, backlog=BACKLOG)

    def _bind(self) -> socket.socket:
        directory = self.path.parent
        if not directory.is_dir():
            directory.mkdir(parents=True)
            directory.chmod(DIRECTORY_MODE)  # whatever the umask is
        self._clear_stale()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            sock.bind(str(self.path))
            # Nobody connects before it listens, so there is no moment with the umask's mode.
            self.path.chmod(MODE)
        except OSError:
            sock.close()
            raise
        return sock

    def _clear_stale(self) -> None:
        """Remove the socket that a dead daemon left behind."""
        try:
            if not stat.S_ISSOCK(self.path.lstat().st_mode):
                raise FileExistsError(EEXIST, "something else than a socket is there")
        except FileNotFoundError:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as probe:
            try:
                probe.connect(str(self.path))
            except ConnectionRefusedError:
                self.path.unlink()
                return
            except BlockingIOError:  # alive, with a full backlog
                raise InstanceTakenError(f"another pyvrrpd answers on {self.path}") from None
            raise InstanceTakenError(f"another pyvrrpd (pid {_peer(probe).pid}) answers on {self.path}")

    async def close(self) -> None:
        """Stop listening, drop the clients, remove the socket file if it is still ours."""
        if self._server is None:
            return
        self._server.close()
        for client in self._clients:
            client.transport.abort()
        await self._server.wait_closed()
        with contextlib.suppress(OSError):
            if self.path.stat().st_ino == self._inode:
                self.path.unlink()
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if len(self._clients) >= CLIENTS_MAX:
                await _write(writer, {"error": f"{CLIENTS_MAX} clients are connected already"})
                return
            self._clients.add(writer)
            peer = _peer(writer.get_extra_info("socket"))
            while await self._serve_line(reader, writer, peer):
                pass
        except (ConnectionError, TimeoutError, asyncio.CancelledError):
            # Cancelled at the daemon's end, by nobody who waits for it; until Python 3.12 asyncio would log that.
            writer.transport.abort()
        finally:
            self._clients.discard(writer)
            writer.close()

    async def _serve_line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Peer) -> bool:
        """Answer one request; False when the client is done, or cannot be followed any further."""
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as end:
            line = end.partial
            if not line.strip():
                return False
        except asyncio.LimitOverrunError:
            await _write(writer, {"error": f"a request is longer than {LINE_MAX} bytes"})
            return False
        answer = await self._answer_line(line, peer)
        if isinstance(answer, AsyncGenerator):
            await self._serve_stream(answer, reader, writer)
            return False
        await _write(writer, answer)
        return True

    async def _serve_stream(self, stream: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Write until it ends, or the client closes its end."""
        leaves = asyncio.ensure_future(reader.read(1))
        try:
            async for portion in stream:
                if leaves.done():
                    break
                if portion:
                    await _write_out(writer, portion)
        except PyvrrpError as error:
            await _write(writer, {"error": str(error)})
        finally:
            leaves.cancel()
            await stream.aclose()

    async def _answer_line(self, line: bytes, peer: Peer) -> Answer:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError) as error:
            return {"error": f"a request is not JSON: {error}"}
        if not isinstance(request, dict):
            return {"error": "a request is not a JSON object"}
        try:
            return await self._answer(request, peer)
        except PyvrrpError as error:
            return {"error": str(error)}


async def _write(writer: asyncio.StreamWriter, answer: Object) -> None:
    await _write_out(writer, json.dumps(answer, separators=(",", ":"), default=str).encode() + b"\n")


async def _write_out(writer: asyncio.StreamWriter, lines: bytes) -> None:
    """Write, and wait until the client has taken it, so that at most one answer is held for each."""
    writer.transport.set_write_buffer_limits(high=0)
    writer.write(lines)
    async with asyncio.timeout(WRITE_TIMEOUT):
        await writer.drain()


def _peer(sock: socket.socket) -> Peer:
    return Peer(*UCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size)))
