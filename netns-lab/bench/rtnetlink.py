"""The few rtnetlink messages that have to be fast or exact: links up and down, bridge ports, addresses that change."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator

from bench.sockets import enlarge

NETLINK_ROUTE = 0
RTMGRP_IPV4_IFADDR = 0x10
RTM_NEWLINK, RTM_NEWADDR, RTM_DELADDR = 16, 20, 21
NLMSG_ERROR = 2
NLM_F_REQUEST, NLM_F_ACK = 1, 4
IFF_UP = 1
IFLA_MASTER = 10
IFA_LOCAL = 2

_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ADDRESS_SIZE = 8
_ATTRIBUTE = struct.Struct("=HH")


class Links:
    """Interfaces of the network namespace in which it was made. Each call returns when the kernel has done it."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_ROUTE)
        self._socket.bind((0, 0))
        self._indexes = {name: index for index, name in socket.if_nameindex()}

    def up(self, name: str) -> None:
        """Plug the cable in."""
        self._change(self._indexes[name], IFF_UP)

    def down(self, name: str) -> None:
        """Pull the cable: the other end loses its carrier."""
        self._change(self._indexes[name], 0)

    def join(self, name: str, bridge: str | None) -> None:
        """Make an interface a port of a bridge, or of none: its carrier stays, its frames go nowhere."""
        master = self._indexes[bridge] if bridge else 0
        self._ask(_LINK.pack(0, 0, self._indexes[name], 0, 0) + struct.pack("=HHI", 8, IFLA_MASTER, master))

    def close(self) -> None:
        self._socket.close()

    def _change(self, index: int, flags: int) -> None:
        self._ask(_LINK.pack(0, 0, index, flags, IFF_UP))

    def _ask(self, body: bytes) -> None:
        size = _HEADER.size + len(body)
        self._socket.send(_HEADER.pack(size, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0) + body)
        answer = self._socket.recv(4096)
        _, kind, _, _, _ = _HEADER.unpack_from(answer)
        (error,) = struct.unpack_from("=i", answer, _HEADER.size)
        if kind == NLMSG_ERROR and error:
            raise OSError(-error, os.strerror(-error))


def address_monitor() -> socket.socket:
    """A socket that hears every IPv4 address added or removed in this network namespace."""
    monitor = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_ROUTE)
    enlarge(monitor, 8 << 20)
    monitor.bind((0, RTMGRP_IPV4_IFADDR))
    monitor.setblocking(False)
    return monitor


def address_changes(data: bytes) -> Iterator[tuple[str, bool]]:
    """(address, held) for every message of a datagram; a lease that is renewed reads as held once more."""
    offset = 0
    while offset + _HEADER.size <= len(data):
        size, kind, _, _, _ = _HEADER.unpack_from(data, offset)
        if kind in (RTM_NEWADDR, RTM_DELADDR):
            local = _attribute(data[offset + _HEADER.size + _ADDRESS_SIZE : offset + size], IFA_LOCAL)
            yield socket.inet_ntoa(local), kind == RTM_NEWADDR
        offset += (size + 3) & ~3


def _attribute(data: bytes, wanted: int) -> bytes:
    offset = 0
    while offset + _ATTRIBUTE.size <= len(data):
        size, kind = _ATTRIBUTE.unpack_from(data, offset)
        if kind == wanted:
            return data[offset + _ATTRIBUTE.size : offset + size]
        offset += (size + 3) & ~3
    raise ValueError(f"no attribute {wanted} in an address message")
