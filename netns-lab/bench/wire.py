"""What a node puts on the wire: adverts and gratuitous ARP, each with the kernel's time of arrival at the switch."""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from bench.sockets import SO_ATTACH_FILTER, SO_TIMESTAMPNS, arrival, enlarge

ETH_P_ALL = 0x0003
ETH_P_ARP = 0x0806
ETH_P_IP = 0x0800
VRRP = 112
_CONTROL_SIZE = 64
_BATCH = 256

# Classic BPF (code, jump if true, jump if false, operand): frames that come in, ARP or IPv4 of protocol 112.
_FILTER = (
    (0x30, 0, 0, 0xFFFFF004),  # load the packet type …
    (0x15, 6, 0, 4),  # … PACKET_OUTGOING: drop
    (0x28, 0, 0, 12),  # load the Ethernet type
    (0x15, 3, 0, ETH_P_ARP),
    (0x15, 0, 3, ETH_P_IP),
    (0x30, 0, 0, 23),  # load the IPv4 protocol
    (0x15, 0, 1, VRRP),
    (0x06, 0, 0, 0xFFFF),
    (0x06, 0, 0, 0),
)


@dataclass(frozen=True, slots=True)
class Advert:
    """An advertisement that a node sent; `at` is realtime in nanoseconds, `link` counts the node's interfaces."""

    at: int
    node: str
    link: int
    vrid: int
    priority: int


@dataclass(frozen=True, slots=True)
class Arp:
    """A gratuitous ARP that a node sent."""

    at: int
    node: str
    address: str


class Tap:
    """Listens to one port of the switch, in the network namespace in which it was made."""

    def __init__(self, node: str, link: int, port: str) -> None:
        self._node = node
        self._link = link
        # A protocol other than ETH_P_ALL would hear nothing: the bridge takes a port's frames before it.
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        program = b"".join(struct.pack("=HBBI", *instruction) for instruction in _FILTER)
        memory = ctypes.create_string_buffer(program)
        self.socket.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(_FILTER), ctypes.addressof(memory))
        )
        enlarge(self.socket, 16 << 20)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind((port, ETH_P_ALL))
        self.socket.setblocking(False)

    def read(self) -> Iterator[Advert | Arp]:
        """What has arrived."""
        for _ in range(_BATCH):
            try:
                frame, control, _, _ = self.socket.recvmsg(256, _CONTROL_SIZE)
            except BlockingIOError:
                return
            except OSError:  # the port went down: the kernel says so once
                continue
            seen = self._decode(frame, arrival(control))
            if seen is not None:
                yield seen

    def _decode(self, frame: bytes, at: int) -> Advert | Arp | None:
        if frame[12:14] == b"\x08\x06":
            sender, target = frame[28:32], frame[38:42]
            return Arp(at, self._node, socket.inet_ntoa(sender)) if sender == target else None
        vrrp = frame[14 + 4 * (frame[14] & 15) :]
        return Advert(at, self._node, self._link, vrrp[1], vrrp[2])
