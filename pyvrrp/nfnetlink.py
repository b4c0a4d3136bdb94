"""Talking with nftables in the kernel: what must not wait for a program to start.

As with rtnetlink a request is carried out inside `send`: its answer waits when that returns.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable
from typing import Final

from pyvrrp.errors import KernelError
from pyvrrp.rtnetlink import ERROR, HEADER, NLM_F_ACK, NLMSG_ERROR, attribute, request

# linux/netlink.h, linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h
NETLINK_NETFILTER: Final = 12
NFGENMSG: Final = struct.Struct("=BBH")  # family, version, resource
NFPROTO_INET: Final = 1
NFTA_TABLE_NAME: Final = 1
_NFTABLES: Final = 10  # the subsystem
_BATCH_BEGIN, _BATCH_END = 16, 17
_ANSWERS_MAX: Final = 65_536  # bytes

Request = tuple[int, int, bytes]  # a verb of nftables, flags, attributes


def open_socket() -> socket.socket:
    """A socket to nftables, of this network namespace. Raises OSError."""
    kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    return socket.socket(socket.AF_NETLINK, kind, NETLINK_NETFILTER)


def text(kind: int, value: str) -> bytes:
    """An attribute that is text."""
    return attribute(kind, value.encode() + b"\0")


def message(verb: int, flags: int, attributes: bytes, sequence: int) -> bytes:
    """A request about tables of the family inet."""
    return request(_NFTABLES << 8 | verb, flags, NFGENMSG.pack(NFPROTO_INET, 0, 0) + attributes, sequence)


def change(open_: socket.socket, operation: str, requests: Iterable[Request]) -> None:
    """Carry out requests, all or none. Raises KernelError, which says what `operation` was."""
    edge = NFGENMSG.pack(0, 0, socket.htons(_NFTABLES))
    parts = [message(verb, flags | NLM_F_ACK, body, number) for number, (verb, flags, body) in enumerate(requests, 1)]
    batch = request(_BATCH_BEGIN, 0, edge, 0) + b"".join(parts) + request(_BATCH_END, 0, edge, 0)
    try:
        open_.send(batch)
        number = _first_error(open_)
    except OSError as error:
        raise KernelError(operation, error.errno or 0, error.strerror or str(error)) from error
    if number:
        raise KernelError(operation, number, os.strerror(number))


def _first_error(open_: socket.socket) -> int:
    """The first number that is no success among all answers that wait; 0 where all succeeded. Raises OSError."""
    found = 0
    while True:
        try:
            answers = open_.recv(_ANSWERS_MAX)
        except BlockingIOError:
            return found
        while len(answers) >= HEADER.size + ERROR.size:
            length, kind, *_ = HEADER.unpack_from(answers)
            if kind == NLMSG_ERROR:
                found = found or -ERROR.unpack_from(answers, HEADER.size)[0]
            answers = answers[max(length + 3 & ~3, HEADER.size) :]
