"""The raw protocol-112 socket of one interface: adverts in, adverts out (RFC 3768 section 5.2).

Linux leaves the membership of 224.0.0.18 alone when the link goes down or the interface loses its addresses, so it is
joined once. A socket whose interface was deleted is dead: close it and open a new one when the interface is back.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Collection, Iterator
from errno import ENODEV
from functools import lru_cache
from ipaddress import IPv4Address
from typing import Final

from pyvrrp import bpf
from pyvrrp.core import const
from pyvrrp.core.effects import SendAdvert
from pyvrrp.core.events import AdvertReceived
from pyvrrp.core.settings import Address
from pyvrrp.errors import KernelError

SO_RCVBUFFORCE: Final = 33  # like SO_RCVBUF, but above net.core.rmem_max; needs CAP_NET_ADMIN
IP_MTU_DISCOVER, IP_PMTUDISC_DONT = 10, 0  # linux/in.h
RECEIVE_BUFFER: Final = 1 << 20  # bytes: about a second of adverts of 1000 virtual routers, were the loop that late
PACKET_MAX: Final = 2048  # bytes; the longest advert is 60 (IP) + 8 + 4 * 255 + 8
PRIORITY_CONTROL: Final = 7  # TC_PRIO_CONTROL: in front of the queue of a busy interface
IP_HEADER: Final = struct.Struct("!BBHHHBBH4s4s")


class AdvertSocket:
    """Adverts on `interface` for the virtual routers `vrids`. Never blocks."""

    def __init__(self, interface: str, vrids: Collection[int]) -> None:
        """Raises KernelError: EPERM without CAP_NET_RAW, ENODEV without the interface."""
        self.interface = interface
        self.last_error: OSError | None = None
        self._source: Address | None = None
        with _refusals(f"open a VRRP socket on {interface}"):
            self._index = socket.if_nametoindex(interface)
            kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
            self._socket = socket.socket(socket.AF_INET, kind, const.PROTOCOL)
        try:
            with _refusals(f"open a VRRP socket on {interface}"):
                self._prepare(vrids)
        except KernelError:
            self._socket.close()
            raise

    def _prepare(self, vrids: Collection[int]) -> None:
        self.watch(vrids)
        sock = self._socket
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.interface.encode() + b"\0")
        # Without a filter and a device the socket took in everything: forget what came until here.
        while self._next_packet() is not None:
            pass
        try:
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, const.TTL)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, const.TTL)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, const.TOS)
        # As other implementations send it: without Don't Fragment, with an identification of its own.
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
        # After IP_TOS, which sets the priority too.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, PRIORITY_CONTROL)
        membership = _mreqn(const.GROUP_IPV4.packed, bytes(4), self._index)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)

    def fileno(self) -> int:
        """The descriptor to watch for reading."""
        return self._socket.fileno()

    def watch(self, vrids: Collection[int]) -> None:
        """From now on hear only these virtual routers. Raises OSError."""
        # The VRID is the second byte after the IP header (RFC 3768 section 5.1).
        vrid = [(bpf.LOAD_IP_HEADER_LENGTH, 0, 0, 0), (bpf.LOAD_BYTE_INDEXED, 0, 0, 1)]
        bpf.attach(self._socket, vrid + bpf.pass_when_in(vrids))

    def receive(self, limit: int = 64) -> list[AdvertReceived]:
        """Up to `limit` packets that wait, as they are: nothing after the IP header is looked at."""
        heard: list[AdvertReceived] = []
        for _ in range(limit):
            packet = self._next_packet()
            if packet is None:
                break
            if len(packet) >= IP_HEADER.size:
                heard.append(self._parse(packet))
        return heard

    def _next_packet(self) -> bytes | None:
        try:
            return self._socket.recv(PACKET_MAX)
        except BlockingIOError:
            return None
        except OSError as error:  # ENETDOWN is told once when the interface goes down
            self.last_error = error
            return None

    def _parse(self, packet: bytes) -> AdvertReceived:
        first, _, length, _, _, ttl, _, _, source, destination = IP_HEADER.unpack_from(packet)
        # Ethernet pads short frames; the IP header knows where the packet ends.
        payload = packet[4 * (first & 15) : length]
        return AdvertReceived(self.interface, _address(source), _address(destination), ttl, payload)

    def send(self, effect: SendAdvert) -> bool:
        """Send an advert; False when the kernel refused, with the reason in `last_error`."""
        try:
            if effect.source != self._source:
                choice = _mreqn(bytes(4), effect.source.packed, self._index)
                self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, choice)
                self._source = effect.source
            self._socket.sendto(effect.payload, (str(effect.destination), 0))
        except OSError as error:
            self.last_error = error
            return False
        return True

    def close(self) -> None:
        """Leave the group and close."""
        self._socket.close()


@lru_cache(maxsize=4096)
def _address(packed: bytes) -> IPv4Address:
    return IPv4Address(packed)


def _mreqn(group: bytes, address: bytes, index: int) -> bytes:
    """A struct ip_mreqn."""
    return struct.pack("@4s4si", group, address, index)


@contextlib.contextmanager
def _refusals(operation: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        number = error.errno or ENODEV  # if_nametoindex gives no number
        raise KernelError(operation, number, os.strerror(number)) from error
