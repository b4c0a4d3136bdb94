"""Sockets of a probe, bound as its `Source` says."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from ipaddress import ip_address
from typing import Final

from pyvrrp.core.settings import Source

# linux/in.h, linux/in6.h
IP_RECVERR: Final = 11
IPV6_RECVERR: Final = 25


def bound(host: str, kind: int, source: Source, protocol: int = 0) -> socket.socket:
    """A socket that does not block, for a probe of the IP address `host`. Raises OSError."""
    family = socket.AF_INET if ip_address(host).version == 4 else socket.AF_INET6
    sock = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol)
    with contextlib.ExitStack() as unless_bound:
        unless_bound.enter_context(sock)
        if source.mark:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, source.mark)
        if source.interface:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, source.interface.encode())
        if source.address or source.port:
            # The run before may have left this port in TIME_WAIT.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((source.address, source.port))
        unless_bound.pop_all()
    return sock


async def connect(host: str, port: int, source: Source) -> socket.socket:
    """A connected TCP socket. Raises OSError."""
    sock = bound(host, socket.SOCK_STREAM, source)
    with contextlib.ExitStack() as unless_connected:
        unless_connected.enter_context(sock)
        await asyncio.get_running_loop().sock_connect(sock, (host, port))
        # Where nothing listens, a connect to an own address can be given that very port and meet itself.
        if sock.getsockname() == sock.getpeername():
            raise ConnectionRefusedError
        unless_connected.pop_all()
    return sock


def datagrams(host: str, port: int, source: Source, kind: int = socket.SOCK_DGRAM, protocol: int = 0) -> socket.socket:
    """A socket for datagrams to and from `host` only, which says what ICMP reports of them. Raises OSError."""
    sock = bound(host, kind, source, protocol)
    with contextlib.ExitStack() as unless_connected:
        unless_connected.enter_context(sock)
        # Without this an unreachable host or network would be silence.
        if sock.family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        sock.connect((host, port))
        unless_connected.pop_all()
    return sock
