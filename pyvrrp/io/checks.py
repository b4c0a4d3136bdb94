"""Health checks on the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from pyvrrp.core.events import CheckResult
from pyvrrp.core.settings import CheckSettings

DRAIN: Final = 0.2  # seconds for a server to finish its greeting and close, at most half an interval


class TcpCheck:
    """Connects to an address and port at a fixed cadence and reports whether that worked; nothing is sent.

    The cadence never drifts. A run that outlasts the interval makes the runs it overlaps fall out.
    """

    def __init__(self, settings: CheckSettings, report: Callable[[CheckResult], None]) -> None:
        """`settings.probe.host` is an IP address, not a name."""
        self.settings = settings
        self._report = report
        self._family = socket.AF_INET if ip_address(settings.probe.host).version == 4 else socket.AF_INET6
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._run: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Run now, and every `interval` from now on. To be called inside the running loop."""
        self._loop = asyncio.get_running_loop()
        self._tick(self._loop, self._loop.time())

    def confirm(self) -> None:
        """Run once more at once, in place of a run under way; a refused connection is then conclusive."""
        if self._loop is None:
            return
        if self._run is not None:
            self._run.cancel()
        self._run = self._loop.create_task(self._probe(self._loop, confirming=True))

    def stop(self) -> None:
        """No report comes after this."""
        if self._timer is not None:
            self._timer.cancel()
        if self._run is not None:
            self._run.cancel()
        self._loop = self._timer = self._run = None

    def _tick(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        if self._run is None or self._run.done():
            self._run = loop.create_task(self._probe(loop, confirming=False))
        interval = self.settings.interval
        # The loop may have been late by more than one interval: the cadence stays, what was missed is left out.
        due += interval * max(1, math.ceil((loop.time() - due) / interval))
        self._timer = loop.call_at(due, self._tick, loop, due)

    async def _probe(self, loop: asyncio.AbstractEventLoop, *, confirming: bool) -> None:
        target = self.settings.probe
        began = loop.time()
        sock, refused, detail = None, False, f"connected to {target}"
        try:
            sock = await self._connect(loop)
        except TimeoutError:
            detail = f"{target} did not answer in {self.settings.timeout:g} s"
        except ConnectionRefusedError:
            refused, detail = True, f"{target} refused the connection"
        except OSError as error:
            detail = f"{target}: {os.strerror(error.errno) if error.errno else error}"
        took = loop.time() - began
        with sock or contextlib.nullcontext():
            self._report(CheckResult(self.settings.name, sock is not None, detail, took, confirming and refused))
            if sock is not None:
                await self._part(loop, sock)

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> socket.socket:
        """A connected socket. Raises OSError; TimeoutError is one."""
        target = self.settings.probe
        sock = socket.socket(self._family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        with contextlib.ExitStack() as unless_connected:
            unless_connected.enter_context(sock)
            async with asyncio.timeout(self.settings.timeout):
                await loop.sock_connect(sock, (target.host, target.port))
            # Where nothing listens, a connect to an own address can be given that very port and meet itself.
            if sock.getsockname() == sock.getpeername():
                raise ConnectionRefusedError
            unless_connected.pop_all()
        return sock

    async def _part(self, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
        """Close in good order: closing over an unread greeting would send a reset, which servers count as an error."""
        try:
            sock.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(min(DRAIN, self.settings.interval / 2)):
                while await loop.sock_recv(sock, 4096):
                    pass
        except OSError:  # TimeoutError is one: the server keeps the connection open
            return
