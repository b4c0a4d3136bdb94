"""Runs the writers in the client's namespace, and keeps what they say."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from labkit.errors import LabError
from labkit.topology import Host
from labkit.waiting import until

from failover import book
from failover.book import Book

RESTED: Final = 10.0  # seconds; a write that hangs is given up after three


class Scribe:
    """The writers of one world. Between `go` and `rest` they write; `book` is what they were told since `go`."""

    def __init__(self, client: Host, count: int, period: float) -> None:
        self.count = count
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self._resting = threading.Event()
        self._resting.set()
        self._program = subprocess.Popen(
            client.inside([sys.executable, "-P", "-m", "failover.writer", str(count), str(period)]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])},
        )
        self._thread = threading.Thread(target=self._read, args=(self._program.stdout or (),), daemon=True)
        self._thread.start()

    def go(self, seconds: float) -> None:
        """Begin, and return once every writer has had a row acknowledged. LabError when that takes longer."""
        with self._lock:
            self._lines = []
        self._resting.clear()
        self._order("go")
        until(lambda: self._begun() == self.count, seconds, "every writer to write through the VIP")

    def rest(self) -> Book:
        """Stop; all that they were told since `go`."""
        if not self._resting.is_set():
            self._order("rest")
            if not self._resting.wait(RESTED):
                raise LabError("the writers do not come to rest")
        return self.book()

    def book(self) -> Book:
        """What they were told until now."""
        with self._lock:
            lines = list(self._lines)
        return book.parse(lines)

    def wait(self, condition: Callable[[Book], bool], seconds: float) -> bool:
        """Wait until what they were told fulfils a condition; False when it does not in time."""
        try:
            until(lambda: condition(self.book()), seconds, "the writers")
        except LabError:
            return False
        return True

    def _begun(self) -> int:
        return len({ack.writer for ack in self.book().acks})

    def _order(self, word: str) -> None:
        if self._program.stdin is None or self._program.poll() is not None:
            raise LabError("the writers have ended")
        self._program.stdin.write(word + "\n")
        self._program.stdin.flush()

    def _read(self, lines: Iterable[str]) -> None:
        for line in lines:
            if line == "resting\n":
                self._resting.set()
                continue
            with self._lock:
                self._lines.append(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._program.kill()
        self._program.wait()
        self._thread.join()
        for end in (self._program.stdin, self._program.stdout):
            if end is not None:
                end.close()
