"""Talking with rtnetlink: requests out in batches, their answers in.

rtnetlink carries a request out inside `send`, so its answer waits when `send` returns: nothing here blocks or is
awaited. pyroute2 knows what messages are made of; plain sockets carry them.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable, Iterator
from errno import EAGAIN, ENOBUFS
from typing import Final, Protocol

from pyvrrp.errors import KernelError

# linux/netlink.h
HEADER: Final = struct.Struct("=IHHII")  # length, type, flags, sequence, port id
ERROR: Final = struct.Struct("=i")
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP_INTR, NLM_F_DUMP = 0x1, 0x4, 0x10, 0x300
NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE, NLM_F_APPEND = 0x100, 0x200, 0x400, 0x800
SOL_NETLINK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK = 270, 10, 12

ATTRIBUTE: Final = struct.Struct("=HH")  # length, type
NLA_TYPE_MASK: Final = 0x3FFF

SO_RCVBUFFORCE: Final = 33  # like SO_RCVBUF, but above net.core.rmem_max; needs CAP_NET_ADMIN
RECEIVE_BUFFER: Final = 4 << 20  # bytes; an acknowledgement takes about 800, and a batch brings about 1000 of them
BATCH_MAX: Final = 60_000  # bytes a send: the kernel copies a batch into one buffer
MESSAGE_MAX: Final = 65_536
DUMP_TRIES: Final = 5  # a dump that another change ran into is asked for again


class Message(Protocol):
    """What pyroute2 makes of a message."""

    data: bytearray

    def encode(self) -> None:
        """Fill `data`, the header included."""


def body_of(message: Message) -> bytes:
    """The message without its header."""
    message.encode()
    return bytes(message.data[HEADER.size :])


def request(verb: int, flags: int, body: bytes, sequence: int) -> bytes:
    """A message as it goes to the kernel."""
    return HEADER.pack(HEADER.size + len(body), verb, NLM_F_REQUEST | flags, sequence, 0) + body


def attribute(kind: int, payload: bytes) -> bytes:
    """One attribute of a message; attributes in a row are the payload of one that nests them."""
    padding = bytes(-len(payload) % 4)
    return ATTRIBUTE.pack(ATTRIBUTE.size + len(payload), kind) + payload + padding


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes in a row, by type; of several of one type the last."""
    found: dict[int, bytes] = {}
    offset = 0
    while offset + ATTRIBUTE.size <= len(data):
        length, kind = ATTRIBUTE.unpack_from(data, offset)
        if length < ATTRIBUTE.size:
            break
        found[kind & NLA_TYPE_MASK] = data[offset + ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3
    return found


def open_socket(groups: int = 0) -> socket.socket:
    """A socket that never blocks and hears these groups. Raises OSError."""
    kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    sock = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    # Short answers to refused requests, and dumps of one interface instead of all.
    sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
    sock.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
    sock.bind((0, groups))
    return sock


def messages(sock: socket.socket) -> Iterator[tuple[int, int, int, bytes]]:
    """(type, flags, sequence, message with its header) of everything that waits. Raises OSError."""
    while True:
        try:
            data = sock.recv(MESSAGE_MAX)
        except BlockingIOError:
            return
        offset = 0
        while offset + HEADER.size <= len(data):
            length, kind, flags, sequence, _ = HEADER.unpack_from(data, offset)
            if length < HEADER.size:
                break
            yield kind, flags, sequence, data[offset : offset + length]
            offset += (length + 3) & ~3


class Channel:
    """One socket for requests."""

    def __init__(self) -> None:
        """Raises OSError."""
        self._socket = open_socket()
        self._sequence = 0

    @property
    def port_id(self) -> int:
        """The number that the kernel knows it by."""
        own, _ = self._socket.getsockname()
        return int(own)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def next_sequence(self) -> int:
        """A number for the next request."""
        self._sequence = self._sequence % 0x7FFFFFFF + 1
        return self._sequence

    def do(self, operation: str, verb: int, flags: int, body: bytes) -> None:
        """One request that is carried out or refused. Raises KernelError."""
        sequence = self.next_sequence()
        try:
            for answered, number in self.exchange([request(verb, flags | NLM_F_ACK, body, sequence)]):
                if answered == sequence:
                    if number:
                        raise KernelError(operation, number, os.strerror(number))
                    return
        except OSError as error:
            number = error.errno or 0
            raise KernelError(operation, number, os.strerror(number)) from error
        raise KernelError(operation, ENOBUFS, "the kernel gave no answer")

    def exchange(self, requests: Iterable[bytes]) -> Iterator[tuple[int, int]]:
        """Send the requests in batches; (sequence, errno) of each answer. Raises OSError."""
        batch = bytearray()
        for each in requests:
            if batch and len(batch) + len(each) > BATCH_MAX:
                yield from self._exchange_batch(batch)
                batch = bytearray()
            batch += each
        if batch:
            yield from self._exchange_batch(batch)

    def _exchange_batch(self, batch: bytearray) -> Iterator[tuple[int, int]]:
        self._socket.send(batch)
        for kind, _, sequence, message in messages(self._socket):
            if kind == NLMSG_ERROR:
                (number,) = ERROR.unpack_from(message, HEADER.size)
                yield sequence, -number

    def ask(self, operation: str, verb: int, flags: int, body: bytes) -> list[bytes]:
        """The answers to a question. Raises KernelError."""
        try:
            for _ in range(DUMP_TRIES):
                answers, whole = self._ask_once(request(verb, flags, body, self.next_sequence()))
                if whole:
                    return answers
        except OSError as error:
            number = error.errno or 0
            raise KernelError(operation, number, os.strerror(number)) from error
        raise KernelError(operation, EAGAIN, "it changes faster than it can be read")

    def _ask_once(self, question: bytes) -> tuple[list[bytes], bool]:
        """The answers, and whether nothing changed while they were made."""
        _, _, _, asked, _ = HEADER.unpack_from(question)
        self._socket.send(question)
        answers: list[bytes] = []
        whole = True
        for kind, flags, sequence, message in messages(self._socket):
            if sequence != asked:
                continue
            whole = whole and not flags & NLM_F_DUMP_INTR
            if kind not in (NLMSG_ERROR, NLMSG_DONE):
                answers.append(message)
                continue
            (number,) = ERROR.unpack_from(message, HEADER.size)
            if number:
                raise OSError(-number, os.strerror(-number))
        return answers, whole
