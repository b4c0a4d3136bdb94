"""Which nodes hold the VIP, from the kernel's own notifications in each node's namespace."""

from __future__ import annotations

import contextlib
import itertools
import selectors
import socket
import struct
import threading
import time
from collections.abc import Iterator

from labkit import topology
from labkit.topology import Host

# linux/netlink.h, linux/rtnetlink.h, linux/if_addr.h
NETLINK_ROUTE = 0
RTMGRP_IPV4_IFADDR = 0x10
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
IFA_LOCAL = 2
HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
ADDRESS = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, interface
ATTRIBUTE = struct.Struct("=HH")  # length, type

RECEIVE_SIZE = 65536  # a kernel's dump message is at most 32 KiB
WAKE = 0.1  # seconds until a change of what is watched is noticed


class VipWatch:
    """Follows one address on several hosts. `holders()` is now, `overlap()` is how long two hosts held it at once."""

    def __init__(self, address: str) -> None:
        self._wanted = socket.inet_aton(address)
        self._lock = threading.Lock()
        self._history: list[tuple[float, frozenset[str]]] = [(time.monotonic(), frozenset())]
        self._sockets: dict[str, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._running = True
        self._thread = threading.Thread(target=self._follow, name="vip watch", daemon=True)
        self._thread.start()

    def add(self, host: Host) -> None:
        """Begin to watch a host."""
        watching = topology.open_socket(host.namespace, socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
        watching.bind((0, RTMGRP_IPV4_IFADDR))
        watching.setblocking(False)
        watching.send(
            HEADER.pack(HEADER.size + ADDRESS.size, RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 1, 0)
            + ADDRESS.pack(socket.AF_INET, 0, 0, 0, 0)
        )
        with self._lock:
            self._sockets[host.name] = watching
            self._selector.register(watching, selectors.EVENT_READ, host.name)

    def remove(self, host: Host) -> None:
        """The host has no power any more: it holds nothing, and its namespace is let go."""
        with self._lock:
            watching = self._sockets.pop(host.name)
            self._selector.unregister(watching)
            watching.close()
            self._change(host.name, held=False)

    def holders(self) -> tuple[str, ...]:
        """Who holds the address now, in alphabetical order."""
        with self._lock:
            return tuple(sorted(self._history[-1][1]))

    def holding_since(self, host: str) -> float | None:
        """When the host last began to hold the address; None when it does not hold it."""
        with self._lock:
            since = None
            for at, holders in reversed(self._history):
                if host not in holders:
                    break
                since = at
            return since

    def overlap(self, begin: float, end: float) -> float:
        """Seconds between two moments during which more than one host held the address."""
        with self._lock:
            history = [*self._history, (end, frozenset[str]())]
        return sum(
            max(0.0, min(after, end) - max(at, begin))
            for (at, holders), (after, _) in itertools.pairwise(history)
            if len(holders) > 1
        )

    def taken(self, begin: float, end: float) -> int:
        """How often a host began to hold the address between two moments."""
        with self._lock:
            history = list(self._history)
        return sum(len(after - before) for (_, before), (at, after) in itertools.pairwise(history) if begin < at <= end)

    def close(self) -> None:
        """Stop watching everything."""
        self._running = False
        self._thread.join()
        for watching in self._sockets.values():
            watching.close()
        self._sockets.clear()
        self._selector.close()

    def _follow(self) -> None:
        while self._running:
            ready = self._selector.select(WAKE)
            with self._lock:
                for key, _ in ready:
                    self._receive(str(key.data))

    def _receive(self, host: str) -> None:
        # A host may have been removed between the select and the lock.
        watching = self._sockets.get(host)
        if watching is None:
            return
        with contextlib.suppress(BlockingIOError):
            for held in _changes(watching.recv(RECEIVE_SIZE), self._wanted):
                self._change(host, held=held)

    def _change(self, host: str, *, held: bool) -> None:
        before = self._history[-1][1]
        after = before | {host} if held else before - {host}
        if after != before:
            self._history.append((time.monotonic(), after))


def _changes(data: bytes, wanted: bytes) -> Iterator[bool]:
    """What the kernel's messages say about one address: True where it was added, False where it was removed."""
    while len(data) >= HEADER.size:
        length, kind, *_ = HEADER.unpack_from(data)
        if kind in (RTM_NEWADDR, RTM_DELADDR) and _local(data[HEADER.size + ADDRESS.size : length]) == wanted:
            yield kind == RTM_NEWADDR
        data = data[_aligned(length) :]


def _local(attributes: bytes) -> bytes:
    while len(attributes) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(attributes)
        if kind == IFA_LOCAL:
            return attributes[ATTRIBUTE.size : length]
        attributes = attributes[_aligned(length) :]
    return b""


def _aligned(length: int) -> int:
    return (length + 3) & ~3
