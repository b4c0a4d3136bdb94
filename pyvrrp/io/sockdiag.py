"""The kernel's TCP sockets through sock_diag: reset connections, and hear of listeners that die.

Messages are taken apart with struct, not by a library: there may be ten thousand connections, and the loop waits.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Collection, Iterator
from errno import ENOENT
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from pyvrrp import bpf
from pyvrrp.core.settings import Address
from pyvrrp.errors import KernelError

# linux/netlink.h, linux/sock_diag.h
NETLINK_SOCK_DIAG: Final = 4
HEADER: Final = struct.Struct("=IHHII")  # length, type, flags, sequence, port id
ERROR: Final = struct.Struct("=i")
NLMSG_ERROR: Final = 2
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NETLINK_CAP_ACK = 270, 1, 10
SOCK_DIAG_BY_FAMILY, SOCK_DESTROY = 20, 21
SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY = 1, 3

# linux/inet_diag.h
REQUEST: Final = struct.Struct("=BBBxI")  # inet_diag_req_v2 before the socket id: family, protocol, extensions, states
# inet_diag_req: family, socket id, states. Unlike its successor it can ask for every family at once.
LEGACY_REQUEST: Final = struct.Struct("=B3x48xI4x")
TCPDIAG_GETSOCK: Final = 18
SOURCE: Final = slice(24, 40)  # the local address in it
SOCKET_ID: Final = slice(20, 68)  # of a struct inet_diag_msg, the netlink header included
LOCAL: Final = struct.Struct("!H2x16s")  # the socket id begins: local port, remote port, local address
FAMILY_OFFSET, LOCAL_PORT_OFFSET, REMOTE_PORT_OFFSET = 16, 20, 22
ATTRIBUTE: Final = struct.Struct("=HH")
INET_DIAG_REQ_BYTECODE: Final = 1
CONDITION: Final = struct.Struct("=BBH")  # inet_diag_bc_op: code, bytes to go on by when true, and when false
INET_DIAG_BC_S_COND: Final = 7
HOST: Final = struct.Struct("=BBxxi")  # inet_diag_hostcond: family, prefix length, port
ANY_PORT: Final = -1
REJECT: Final = 4  # bytes past the end of the byte code: "no match"

# Every state but TIME_WAIT and LISTEN; the rest has no connection to reset.
ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT, LAST_ACK, CLOSING = 1, 2, 3, 4, 5, 8, 9, 11
CONNECTED: Final = sum(
    1 << state for state in (ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT, LAST_ACK, CLOSING)
)

RECEIVE_BUFFER: Final = 1 << 20  # bytes
BATCH: Final = 200  # connections a send: each may bring an error of about 800 bytes into the receive buffer
MESSAGE_MAX: Final = 65_536


def reset_connections(addresses: Collection[Address]) -> int:
    """Reset every TCP connection whose local address is one of `addresses`; how many there were.

    An IPv4 address also stands for connections of dual-stack sockets. The kernel does the work inside this call: about
    10 µs a connection, and a walk through its table of all connections, a millisecond on a large machine, however many
    addresses there are. Raises KernelError: EPERM without CAP_NET_ADMIN, EOPNOTSUPP from a kernel without SOCK_DESTROY.
    """
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG) as sock:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
            count = _destroy(sock, _connections(sock, addresses))
    except OSError as error:
        number = error.errno or 0
        raise KernelError("reset connections", number, os.strerror(number)) from error
    return count


def _connections(sock: socket.socket, addresses: Collection[Address]) -> list[tuple[int, bytes]]:
    """(family, socket id) of every connection whose local address is one of these, of both families in one walk."""
    attribute = _only_from(next(iter(addresses))) if len(addresses) == 1 else b""
    request = LEGACY_REQUEST.pack(socket.AF_UNSPEC, CONNECTED) + attribute
    sock.send(_message(TCPDIAG_GETSOCK, NLM_F_DUMP, request))
    wanted = set().union(*(_as_stored(address) for address in addresses))
    found: list[tuple[int, bytes]] = []
    for kind, message in _messages(sock):
        if kind == NLMSG_ERROR:
            _raise_for(message)
        elif kind == TCPDIAG_GETSOCK and (message[FAMILY_OFFSET], message[SOURCE]) in wanted:
            found.append((message[FAMILY_OFFSET], message[SOCKET_ID]))
    return found


def _only_from(address: Address) -> bytes:
    """The attribute that makes the kernel show only connections with this local address."""
    host = HOST.pack(socket.AF_INET if address.version == 4 else socket.AF_INET6, address.max_prefixlen, ANY_PORT)
    size = CONDITION.size + len(host) + len(address.packed)
    condition = CONDITION.pack(INET_DIAG_BC_S_COND, size, size + REJECT) + host + address.packed
    return ATTRIBUTE.pack(ATTRIBUTE.size + size, INET_DIAG_REQ_BYTECODE) + condition


def _as_stored(address: Address) -> set[tuple[int, bytes]]:
    """(family, 16 bytes) of the sockets that an address can belong to; IPv4 may be mapped (RFC 4291 2.5.5.2)."""
    if address.version == 6:
        return {(socket.AF_INET6, address.packed)}
    return {(socket.AF_INET, address.packed + bytes(12)), (socket.AF_INET6, b"\0" * 10 + b"\xff\xff" + address.packed)}


def _destroy(sock: socket.socket, connections: list[tuple[int, bytes]]) -> int:
    count = len(connections)
    messages = [
        _message(SOCK_DESTROY, 0, REQUEST.pack(family, socket.IPPROTO_TCP, 0, CONNECTED) + socket_id)
        for family, socket_id in connections
    ]
    for start in range(0, len(messages), BATCH):
        sock.send(b"".join(messages[start : start + BATCH]))
        for kind, message in _messages(sock):
            if kind == NLMSG_ERROR:
                count -= 1
                _raise_for(message, but=ENOENT)  # the connection ended by itself meanwhile
    return count


class ListenerWatch:
    """Hears of TCP listeners on `ports` that were closed, by their owner or with it. Never blocks.

    The kernel reports every TCP socket that ends, all of them in state CLOSE. A filter lets through the ones without a
    peer, so that the connections of a busy server do not wake Python. A socket that was bound and never listened looks
    the same: what is heard here is worth a check, not a verdict.
    """

    def __init__(self, ports: Collection[int]) -> None:
        """Raises KernelError: EPERM without CAP_NET_ADMIN."""
        try:
            kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
            self._socket = socket.socket(socket.AF_NETLINK, kind, NETLINK_SOCK_DIAG)
            try:
                self.watch(ports)
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
                self._socket.bind((0, 0))
                for group in (SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY):
                    self._socket.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
            except OSError:
                self._socket.close()
                raise
        except OSError as error:
            number = error.errno or 0
            raise KernelError("watch for closed listeners", number, os.strerror(number)) from error

    def fileno(self) -> int:
        """The descriptor to watch for reading."""
        return self._socket.fileno()

    def watch(self, ports: Collection[int]) -> None:
        """From now on hear only of these ports. Raises OSError."""
        no_peer = [(bpf.LOAD_HALF, 0, 0, REMOTE_PORT_OFFSET), (bpf.JUMP_EQUAL, 1, 0, 0), bpf.DROP]
        bpf.attach(self._socket, [*no_peer, (bpf.LOAD_HALF, 0, 0, LOCAL_PORT_OFFSET), *bpf.pass_when_in(ports)])

    def destroyed(self) -> list[tuple[Address, int]]:
        """(address, port) of each listener closed since the last call. `0.0.0.0` and `::` are listeners on all."""
        closed: list[tuple[Address, int]] = []
        try:
            for kind, message in _messages(self._socket):
                if kind == SOCK_DIAG_BY_FAMILY:
                    port, address = LOCAL.unpack_from(message, LOCAL_PORT_OFFSET)
                    closed.append((_address(message[FAMILY_OFFSET], address), port))
        except OSError:
            # Too many at once to keep: the checks that run anyway will tell.
            return closed
        return closed

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def _address(family: int, packed: bytes) -> Address:
    if family == socket.AF_INET:
        return IPv4Address(packed[:4])
    address = IPv6Address(packed)
    return address.ipv4_mapped or address


def _message(kind: int, flags: int, body: bytes) -> bytes:
    return HEADER.pack(HEADER.size + len(body), kind, NLM_F_REQUEST | flags, 0, 0) + body


def _messages(sock: socket.socket) -> Iterator[tuple[int, bytes]]:
    """(type, message with its header) of everything that waits: the kernel answered inside `send`. Raises OSError."""
    while True:
        try:
            data = sock.recv(MESSAGE_MAX)
        except BlockingIOError:
            return
        offset = 0
        while offset + HEADER.size <= len(data):
            length, kind, _, _, _ = HEADER.unpack_from(data, offset)
            if length < HEADER.size:
                break
            yield kind, data[offset : offset + length]
            offset += (length + 3) & ~3


def _raise_for(message: bytes, but: int = 0) -> None:
    (number,) = ERROR.unpack_from(message, HEADER.size)
    if number and -number != but:
        raise OSError(-number, os.strerror(-number))
