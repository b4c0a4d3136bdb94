"""One timeline of everything seen from outside: frames, addresses, log lines. A thread writes it, rows read it.

Times are CLOCK_REALTIME in nanoseconds, because that is what the kernel stamps packets with. Address changes and log
lines carry no stamp of the kernel; they are stamped when read, some ten microseconds late.
"""

from __future__ import annotations

import os
import selectors
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from socket import socket
from typing import TypeVar

from bench.rtnetlink import address_changes
from bench.wire import Advert, Arp, Tap


class NotSeenError(Exception):
    """Something that a row waited for did not happen in time."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A node's kernel got an address, or lost it."""

    at: int
    node: str
    address: str
    held: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an agent's log."""

    at: int
    node: str
    text: str


Seen = Advert | Arp | Holding | Line
_Kind = TypeVar("_Kind", Advert, Arp, Holding, Line)


class Watch:
    """Reads every source as soon as it speaks, and lets others wait for what it says."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.holders: dict[str, set[str]] = {}
        self._selector = selectors.DefaultSelector()
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended = True
        self._thread.join()
        self._selector.close()

    def tap(self, tap: Tap) -> None:
        """Follow a port of the switch."""
        self._follow(tap.socket.fileno(), lambda: list(tap.read()))

    def addresses(self, node: str, monitor: socket) -> None:
        """Follow the addresses of a node."""

        def read() -> list[Seen]:
            now = time.time_ns()
            return [
                Holding(now, node, address, held)
                for address, held in address_changes(monitor.recv(1 << 20))
                if held != (node in self.holders.get(address, set()))
            ]

        self._follow(monitor.fileno(), read)

    def log(self, node: str, pipe: int) -> None:
        """Follow what an agent says, until it ends."""
        rest = b""

        def read() -> list[Seen]:
            nonlocal rest
            now = time.time_ns()
            *lines, rest = (rest + _read(pipe)).split(b"\n")
            return [Line(now, node, line.decode(errors="replace")) for line in lines]

        self._follow(pipe, read)

    def stream(self, pipe: int, take: Callable[[bytes], None]) -> None:
        """Hand over whatever a pipe says, until it ends."""

        def read() -> list[Seen]:
            take(_read(pipe))
            return []

        self._follow(pipe, read)

    def forget(self) -> None:
        """Begin an empty timeline."""
        with self._changed:
            self.seen.clear()

    def mark(self) -> int:
        """This moment, as a place in the timeline."""
        return len(self.seen)

    def wait(
        self, kind: type[_Kind], matches: Callable[[_Kind], bool], what: str, *, since: int = 0, timeout: float
    ) -> _Kind:
        """The first thing of this kind after the mark `since` that matches. Raises NotSeenError after `timeout`."""
        found: list[_Kind] = []
        position = since

        def look() -> bool:
            nonlocal position
            while position < len(self.seen):
                thing = self.seen[position]
                position += 1
                if isinstance(thing, kind) and matches(thing):
                    found.append(thing)
                    return True
            return False

        self.until(look, what, timeout)
        return found[0]

    def until(self, condition: Callable[[], bool], what: str, timeout: float) -> None:
        """Wait for a condition over what is seen. Raises NotSeenError after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise NotSeenError(f"{what}: not seen in {timeout:g} s")

    def until_ended(self, pipe: int) -> None:
        """Wait until everything that a pipe had to say is read, so that it may be closed."""
        self.until(lambda: pipe not in self._selector.get_map(), "the end of a pipe", 5.0)

    def since(self, kind: type[_Kind], mark: int = 0) -> list[_Kind]:
        """Everything of one kind after a mark."""
        return [thing for thing in self.seen[mark:] if isinstance(thing, kind)]

    def _follow(self, descriptor: int, read: Callable[[], Iterable[Seen]]) -> None:
        os.set_blocking(descriptor, False)
        self._selector.register(descriptor, selectors.EVENT_READ, read)

    def _run(self) -> None:
        while not self._ended:
            for key, _ in self._selector.select(timeout=0.2):
                try:
                    things = list(key.data())
                except EOFError:
                    with self._changed:
                        self._selector.unregister(key.fd)
                        self._changed.notify_all()
                    continue
                with self._changed:
                    for thing in things:
                        self._note(thing)
                    self._changed.notify_all()

    def _note(self, thing: Seen) -> None:
        self.seen.append(thing)
        if isinstance(thing, Holding):
            holders = self.holders.setdefault(thing.address, set())
            (holders.add if thing.held else holders.discard)(thing.node)


def _read(pipe: int) -> bytes:
    data = os.read(pipe, 1 << 16)
    if not data:
        raise EOFError
    return data
