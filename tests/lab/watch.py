"""What happened, with times of the one clock (seconds since the epoch) that every namespace shares."""

from __future__ import annotations

import os
import selectors
import socket
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from types import TracebackType
from typing import Final, Self

from tests.netns import Namespace

# linux/netlink.h, linux/rtnetlink.h, linux/if_addr.h
RTMGRP_IFADDR: Final = 0x10 | 0x100  # of IPv4 and IPv6
RTM_NEWADDR, RTM_DELADDR = 20, 21
HEADER: Final = struct.Struct("=IHHII")  # length, type, flags, sequence, port id
IFADDRMSG_SIZE: Final = 8
ATTRIBUTE: Final = struct.Struct("=HH")
IFA_ADDRESS, IFA_LOCAL = 1, 2

ETH_P_ALL: Final = 3
SO_TIMESTAMPNS: Final = 35
TIMESPEC: Final = struct.Struct("@qq")
RECEIVE_BUFFER: Final = 4 << 20
ETHERNET_SIZE, IPV4_SIZE, IPV6_SIZE = 14, 20, 40
VRRP: Final = 112
ICMPV6, NEIGHBOUR_ADVERTISEMENT = 58, 136


@dataclass(frozen=True)
class Change:
    """An address came to a host, or left it."""

    at: float
    host: str
    address: str
    present: bool


class AddressWatch:
    """Notes when addresses come and go on several hosts. Begin before anything happens."""

    def __init__(self, namespaces: Mapping[str, Namespace]) -> None:
        self.changes: list[Change] = []
        self._selector = selectors.DefaultSelector()
        for name, namespace in namespaces.items():
            with namespace.inside():
                sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
            sock.bind((0, RTMGRP_IFADDR))
            self._selector.register(sock, selectors.EVENT_READ, name)
        self._wake, self._end = os.pipe()
        self._selector.register(self._wake, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def holds(self, host: str, address: str) -> bool:
        """Whether the host has the address, as far as was seen."""
        seen = [each.present for each in list(self.changes) if (each.host, each.address) == (host, address)]
        return bool(seen) and seen[-1]

    def times(self, host: str, address: str, *, present: bool) -> list[float]:
        """When the address came to the host, or left it."""
        return [each.at for each in list(self.changes) if each == Change(each.at, host, address, present)]

    def overlap(self, address: str) -> float:
        """Seconds for which more than one host had the address."""
        total, holders, since = 0.0, set[str](), 0.0
        for change in [*self.changes, Change(time.time(), "", address, present=False)]:
            if change.address != address:
                continue
            if len(holders) > 1:
                total += change.at - since
            since = change.at
            (holders.add if change.present else holders.discard)(change.host)
        return total

    def close(self) -> None:
        """Stop watching."""
        os.close(self._end)
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()
        os.close(self._wake)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if not isinstance(key.fileobj, socket.socket):
                    return
                self._note(key.data, key.fileobj.recv(65536), time.time())

    def _note(self, host: str, data: bytes, now: float) -> None:
        length, kind, *_ = HEADER.unpack_from(data)
        if kind not in (RTM_NEWADDR, RTM_DELADDR):
            return
        address, present = _local_address(data[:length]), kind == RTM_NEWADDR
        if self.holds(host, address) != present:  # a lease that is renewed is a new address to the kernel's listeners
            self.changes.append(Change(now, host, address, present))


def _local_address(message: bytes) -> str:
    found: dict[int, bytes] = {}
    at = HEADER.size + IFADDRMSG_SIZE
    while at < len(message):
        length, kind = ATTRIBUTE.unpack_from(message, at)
        found[kind] = message[at + ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    return str(ip_address(found[IFA_LOCAL] if IFA_LOCAL in found else found[IFA_ADDRESS]))


@dataclass(frozen=True)
class Frame:
    """An Ethernet frame as it came by."""

    at: float
    data: bytes

    @property
    def is_arp(self) -> bool:
        """Whether it is ARP."""
        return self.data[12:14] == b"\x08\x06"

    @property
    def is_ipv6(self) -> bool:
        """Whether it is IPv6."""
        return self.data[12:14] == b"\x86\xdd"

    @property
    def is_advert(self) -> bool:
        """Whether it is VRRP."""
        return self.data[20] == VRRP if self.is_ipv6 else self.data[12:14] == b"\x08\x00" and self.data[23] == VRRP

    @property
    def is_announcement(self) -> bool:
        """Whether it says where an address is: ARP, or a neighbour advertisement."""
        return self.is_arp or (self.is_ipv6 and self.data[20] == ICMPV6 and self.data[54] == NEIGHBOUR_ADVERTISEMENT)

    @property
    def source(self) -> str:
        """The IP address of the sender."""
        if self.is_ipv6:
            return str(ip_address(self.data[22:38]))
        return str(ip_address(self.data[28:32] if self.is_arp else self.data[26:30]))

    @property
    def destination(self) -> str:
        """The IP address that it is for."""
        return str(ip_address(self.data[38:54] if self.is_ipv6 else self.data[30:34]))

    @property
    def payload(self) -> bytes:
        """What follows the IP header."""
        if self.is_ipv6:
            return self.data[ETHERNET_SIZE + IPV6_SIZE :]
        length = int.from_bytes(self.data[16:18], "big")
        return self.data[ETHERNET_SIZE + IPV4_SIZE : ETHERNET_SIZE + length]

    @property
    def without_choices(self) -> bytes:
        """The bytes of an advert without what the kernel chose: identification and header's checksum, flow label."""
        if self.is_ipv6:
            return self.data[:15] + bytes([self.data[15] & 0xF0]) + self.data[18:]
        return self.data[:18] + self.data[20:24] + self.data[26:]

    @property
    def vrid(self) -> int:
        """The virtual router that an advert is about."""
        return self.payload[1]

    @property
    def priority(self) -> int:
        """The priority in an advert."""
        return self.payload[2]


class Capture:
    """Keeps every frame that passes eth0 of a namespace, with the kernel's time stamps."""

    def __init__(self, namespace: Namespace) -> None:
        with namespace.inside():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self._socket.bind(("eth0", ETH_P_ALL))
        self._socket.setblocking(False)
        self._frames: list[Frame] = []

    def frames(self) -> list[Frame]:
        """Everything so far."""
        while True:
            try:
                data, ancillary, _, _ = self._socket.recvmsg(2048, 64)
            except BlockingIOError:
                return list(self._frames)
            (stamp,) = (value for _, kind, value in ancillary if kind == SO_TIMESTAMPNS)
            seconds, nanoseconds = TIMESPEC.unpack(stamp)
            self._frames.append(Frame(seconds + nanoseconds * 1e-9, data))

    def adverts(self, source: str, vrid: int | None = None) -> list[Frame]:
        """Adverts of this sender, about this virtual router or any."""
        sent = [each for each in self.frames() if each.is_advert and each.source == source]
        return [each for each in sent if vrid in (None, each.vrid)]

    def announcements(self, address: str) -> list[Frame]:
        """Gratuitous ARP, or neighbour advertisements, for this address."""
        return [each for each in self.frames() if each.is_announcement and each.source == address]

    def close(self) -> None:
        """Stop keeping."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
