"""Runs the writers in the clients' namespaces, and keeps what they say."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
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
    """The writers of one world. Between `go` and `rest` they write; `book` is what they were told since `go`.

    `writers` has the numbers of each client's; a client has a host, and with it an ARP cache, of its own.
    """

    def __init__(self, clients: Sequence[Host], count: int, period: float) -> None:
        self.count = count
        self.writers = share(count, [client.name for client in clients])
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self._programs = [
            _Program(client, self.writers[client.name], period, self._heard)
            for client in clients
            if self.writers[client.name]
        ]

    def go(self, seconds: float) -> None:
        """Begin, and return once every writer has had a row acknowledged. LabError when that takes longer."""
        with self._lock:
            self._lines = []
        for program in self._programs:
            program.go()
        until(lambda: self._begun() == self.count, seconds, "every writer to write through the VIP")

    def rest(self) -> Book:
        """Stop; all that they were told since `go`."""
        for program in self._programs:
            program.rest()
        if not all(program.resting.wait(RESTED) for program in self._programs):
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

    def _heard(self, line: str) -> None:
        with self._lock:
            self._lines.append(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ExitStack() as stack:
            for program in self._programs:
                stack.callback(program.close)


def share(count: int, clients: Sequence[str]) -> Mapping[str, range]:
    """The numbers of each client's writers: from 1 on, and as many to each as can be."""
    ends = [1 + count * number // len(clients) for number in range(len(clients) + 1)]
    return {client: range(*ends[number : number + 2]) for number, client in enumerate(clients)}


class _Program:
    """The writers of one client. `resting` is set while they do nothing; `heard` is given each of their lines."""

    def __init__(self, client: Host, writers: range, period: float, heard: Callable[[str], None]) -> None:
        self.resting = threading.Event()
        self.resting.set()
        self._heard = heard
        words = [str(writers.start), str(len(writers)), str(period)]
        self._process = subprocess.Popen(
            client.inside([sys.executable, "-P", "-m", "failover.writer", *words]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])},
        )
        self._thread = threading.Thread(target=self._read, args=(self._process.stdout or (),), daemon=True)
        self._thread.start()

    def go(self) -> None:
        self.resting.clear()
        self._order("go")

    def rest(self) -> None:
        if not self.resting.is_set():
            self._order("rest")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()
        for end in (self._process.stdin, self._process.stdout):
            if end is not None:
                end.close()

    def _order(self, word: str) -> None:
        if self._process.stdin is None or self._process.poll() is not None:
            raise LabError("the writers have ended")
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def _read(self, lines: Iterable[str]) -> None:
        for line in lines:
            if line == "resting\n":
                self.resting.set()
            else:
                self._heard(line)
