"""The raw protocol-112 socket of one interface and family: adverts in, adverts out (RFC 3768 section 5.2, RFC 9568
section 5.1).

Linux leaves the membership of a group alone when the link goes down or the interface loses its addresses, so it is
joined once. A socket whose interface was deleted is dead: close it and open a new one when the interface is back.

Of IPv4 the kernel hands over packets with their header; of IPv6 without, and tells destination and hop limit beside it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Collection, Iterator
from errno import ENODEV
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

from pyvrrp import bpf
from pyvrrp.core import const
from pyvrrp.core.effects import SendAdvert
from pyvrrp.core.events import AdvertReceived
from pyvrrp.core.settings import Address
from pyvrrp.errors import KernelError

SO_RCVBUFFORCE: Final = 33  # like SO_RCVBUF, but above net.core.rmem_max; needs CAP_NET_ADMIN
IP_MTU_DISCOVER, IP_PKTINFO, IP_TRANSPARENT = 10, 8, 19  # linux/in.h
IPV6_MTU_DISCOVER, IPV6_MULTICAST_ALL, IPV6_TRANSPARENT = 23, 29, 75  # linux/in6.h
PMTUDISC_DONT: Final = 0
RECEIVE_BUFFER: Final = 1 << 20  # bytes: about a second of adverts of 1000 virtual routers, were the loop that late
PACKET_MAX: Final = (
    4608  # bytes; the longest advert is 8 + 16 * 255 of IPv6, and one of IPv4 is shorter with its header
)
ANCILLARY_MAX: Final = 256  # bytes; a hop limit and a struct in6_pktinfo take some 60
PRIORITY_CONTROL: Final = 7  # TC_PRIO_CONTROL: in front of the queue of a busy interface
IP_HEADER: Final = struct.Struct("!BBHHHBBH4s4s")
IN_PKTINFO: Final = struct.Struct("@i4s4s")
IN6_PKTINFO: Final = struct.Struct("@16si")
INT: Final = struct.Struct("@i")

Ancillary = list[tuple[int, int, bytes]]


class _IPv4:
    """What is particular to IPv4."""

    domain = socket.AF_INET
    # The VRID is the second byte after the IP header (RFC 3768 section 5.1).
    load_vrid = ((bpf.LOAD_IP_HEADER_LENGTH, 0, 0, 0), (bpf.LOAD_BYTE_INDEXED, 0, 0, 1))
    options = (
        (socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0),
        (socket.IPPROTO_IP, socket.IP_TOS, const.TOS),
        # As other implementations send it: without Don't Fragment, with an identification of its own.
        (socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DONT),
        # mcast_src_ip and unicast_src_ip may be an address that is not here.
        (socket.IPPROTO_IP, IP_TRANSPARENT, 1),
    )
    level, join, leave = socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.IP_DROP_MEMBERSHIP

    @staticmethod
    def membership(group: Address, index: int) -> bytes:
        """A struct ip_mreqn."""
        return struct.pack("@4s4si", group.packed, bytes(4), index)

    @staticmethod
    def read(interface: str, sock: socket.socket) -> AdvertReceived | None:
        """The packet that waits, None when it is none. Raises OSError."""
        packet = sock.recv(PACKET_MAX)
        if len(packet) < IP_HEADER.size:
            return None
        first, _, length, _, _, ttl, _, _, source, destination = IP_HEADER.unpack_from(packet)
        # Ethernet pads short frames; the IP header knows where the packet ends.
        payload = packet[4 * (first & 15) : length]
        return AdvertReceived(interface, _address(source), _address(destination), ttl, payload)

    @staticmethod
    @lru_cache(maxsize=1024)
    def from_(source: Address, ttl: int, index: int) -> Ancillary:
        """What makes a packet leave with this source and TTL."""
        information = IN_PKTINFO.pack(index, source.packed, bytes(4))
        return [(socket.IPPROTO_IP, IP_PKTINFO, information), (socket.IPPROTO_IP, socket.IP_TTL, INT.pack(ttl or 1))]

    @staticmethod
    def to(destination: Address, _index: int) -> tuple[Any, ...]:
        """The socket address."""
        return str(destination), 0


class _IPv6:
    """What is particular to IPv6."""

    domain = socket.AF_INET6
    load_vrid = ((bpf.LOAD_BYTE, 0, 0, 1),)
    options = (
        (socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0),
        (socket.IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0),  # not what others on this host have joined
        (socket.IPPROTO_IPV6, socket.IPV6_TCLASS, const.TOS),
        (socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_DONT),
        (socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1),
        (socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1),
        (socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1),
    )
    level, join, leave = socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.IPV6_LEAVE_GROUP

    @staticmethod
    def membership(group: Address, index: int) -> bytes:
        """A struct ipv6_mreq."""
        return struct.pack("@16si", group.packed, index)

    @staticmethod
    def read(interface: str, sock: socket.socket) -> AdvertReceived | None:
        """The packet that waits. Raises OSError."""
        payload, ancillary, _, sender = sock.recvmsg(PACKET_MAX, ANCILLARY_MAX)
        told = {kind: data for level, kind, data in ancillary if level == socket.IPPROTO_IPV6}
        if socket.IPV6_PKTINFO not in told or socket.IPV6_HOPLIMIT not in told:
            return None  # it came before the socket asked to be told
        destination, _ = IN6_PKTINFO.unpack(told[socket.IPV6_PKTINFO])
        (hop_limit,) = INT.unpack(told[socket.IPV6_HOPLIMIT])
        return AdvertReceived(interface, _sender(sender[0]), _address(destination), hop_limit, payload)

    @staticmethod
    @lru_cache(maxsize=1024)
    def from_(source: Address, ttl: int, index: int) -> Ancillary:
        """What makes a packet leave with this source and hop limit."""
        information = IN6_PKTINFO.pack(source.packed, index)
        return [
            (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, information),
            (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT, INT.pack(ttl or 1)),
        ]

    @staticmethod
    def to(destination: Address, index: int) -> tuple[Any, ...]:
        """The socket address."""
        return str(destination), 0, 0, index if destination.is_link_local or destination.is_multicast else 0


class AdvertSocket:
    """Adverts on `interface` for the virtual routers `vrids` of one family, to one of `groups` or to this host.

    No groups: the RFC's. Never blocks.
    """

    def __init__(
        self, interface: str, vrids: Collection[int], family: int = 4, groups: Collection[Address] = ()
    ) -> None:
        """Raises KernelError: EPERM without CAP_NET_RAW, ENODEV without the interface."""
        self.interface = interface
        self.last_error: OSError | None = None
        self._family: type[_IPv4 | _IPv6] = _IPv6 if family == 6 else _IPv4
        self._usual: Address = const.GROUP_IPV6 if family == 6 else const.GROUP_IPV4
        self._groups: set[Address] = set()
        with _refusals(f"open a VRRP socket on {interface}"):
            self._index = socket.if_nametoindex(interface)
            kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
            self._socket = socket.socket(self._family.domain, kind, const.PROTOCOL)
        try:
            with _refusals(f"open a VRRP socket on {interface}"):
                self._prepare(vrids, groups)
        except KernelError:
            self._socket.close()
            raise

    def _prepare(self, vrids: Collection[int], groups: Collection[Address]) -> None:
        sock = self._socket
        self._filter(vrids)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.interface.encode() + b"\0")
        # Without a filter and a device the socket took in everything: forget what came until here.
        with contextlib.suppress(OSError):
            while True:
                sock.recv(1)
        try:
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        for level, option, value in self._family.options:
            sock.setsockopt(level, option, value)
        # After IP_TOS, which sets the priority too.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, PRIORITY_CONTROL)
        self._join(groups)

    def fileno(self) -> int:
        """The descriptor to watch for reading."""
        return self._socket.fileno()

    def watch(self, vrids: Collection[int], groups: Collection[Address] = ()) -> None:
        """From now on hear only these virtual routers, in these groups. Raises OSError."""
        self._filter(vrids)
        self._join(groups)

    def _filter(self, vrids: Collection[int]) -> None:
        bpf.attach(self._socket, [*self._family.load_vrid, *bpf.pass_when_in(vrids)])

    def _join(self, groups: Collection[Address]) -> None:
        family, wanted = self._family, set(groups) or {self._usual}
        for group in wanted - self._groups:
            self._socket.setsockopt(family.level, family.join, family.membership(group, self._index))
        for group in self._groups - wanted:
            self._socket.setsockopt(family.level, family.leave, family.membership(group, self._index))
        self._groups = wanted

    def receive(self, limit: int = 64) -> list[AdvertReceived]:
        """Up to `limit` packets that wait, as they are: nothing after the IP header is looked at."""
        heard: list[AdvertReceived] = []
        for _ in range(limit):
            try:
                packet = self._family.read(self.interface, self._socket)
            except BlockingIOError:
                break
            except OSError as error:  # ENETDOWN is told once when the interface goes down
                self.last_error = error
                break
            if packet is not None:
                heard.append(packet)
        return heard

    def send(self, effect: SendAdvert) -> bool:
        """Send an advert; False when the kernel refused, with the reason in `last_error`."""
        try:
            ancillary = self._family.from_(effect.source, effect.ttl, self._index)
            to = self._family.to(effect.destination, self._index)
            self._socket.sendmsg((effect.payload,), ancillary, 0, to)
        except OSError as error:
            self.last_error = error
            return False
        return True

    def close(self) -> None:
        """Leave the groups and close."""
        self._socket.close()


@lru_cache(maxsize=4096)
def _address(packed: bytes) -> IPv4Address | IPv6Address:
    return IPv6Address(packed) if len(packed) == 16 else IPv4Address(packed)


@lru_cache(maxsize=4096)
def _sender(text: str) -> IPv6Address:
    """The address of a sender, whom the kernel names with the interface behind a percent sign."""
    return IPv6Address(text.partition("%")[0])


@contextlib.contextmanager
def _refusals(operation: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        number = error.errno or ENODEV  # if_nametoindex gives no number
        raise KernelError(operation, number, os.strerror(number)) from error
