"""Packet sockets that hear one interface's IP or ARP packets below the kernel's own protocols."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from errno import ENODEV

from pyvrrp import bpf
from pyvrrp.errors import KernelError


def listen(
    interface: str, ethertype: int, program: Sequence[bpf.Instruction], buffer: int, purpose: str
) -> socket.socket:
    """A socket that never blocks and has heard nothing which `program` does not pass; `buffer` is in bytes.

    Raises KernelError, which says the purpose: EPERM without CAP_NET_RAW, ENODEV without the interface.
    """
    kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    try:
        sock = socket.socket(socket.AF_PACKET, kind, 0)  # protocol 0: nothing comes before it is bound
        try:
            bpf.attach(sock, program)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            sock.bind((interface, ethertype))
        except OSError:
            sock.close()
            raise
    except OSError as error:
        number = error.errno or ENODEV
        raise KernelError(f"{purpose} on {interface}", number, os.strerror(number)) from error
    return sock
