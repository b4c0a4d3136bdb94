"""A daemon's control socket for commands to talk to, and a clock in UTC."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyvrrp.io.control import Answer, ControlServer, Peer

Serve = Callable[[Callable[[dict[str, Any]], Any]], str]  # what is answered: an object, or a stream


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wall-clock times in texts are the same everywhere."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class _Serving:
    """The daemon's own control server, with answers from `reply`, in a thread of its own."""

    def __init__(self, path: Path, reply: Callable[[dict[str, Any]], Any]) -> None:
        self._reply = reply
        self._server = ControlServer(path, self._answer)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._server.start(), self._loop).result(10)

    async def _answer(self, request: dict[str, object], _peer: Peer) -> Answer:
        answer: Answer = self._reply(request)
        return answer

    async def _end(self) -> None:
        """As a daemon ends, which leaves no task behind."""
        await self._server.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for each in left:
            each.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Answers requests on a control socket; the result is its path."""
    running: list[_Serving] = []

    def start(reply: Callable[[dict[str, Any]], Any]) -> str:
        path = tmp_path / "pyvrrpd.sock"
        running.append(_Serving(path, reply))
        return str(path)

    yield start
    for each in running:
        each.close()
