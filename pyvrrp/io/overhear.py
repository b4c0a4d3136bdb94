"""Adverts as they come from the link, before netfilter and rp_filter: what the host's own firewall would hide."""

from __future__ import annotations

import struct
from collections.abc import Collection
from ipaddress import ip_address
from typing import Final

from pyvrrp import bpf
from pyvrrp.core import const
from pyvrrp.core.events import AdvertOverheard
from pyvrrp.packetsocket import listen

ETHERTYPES: Final = {4: 0x0800, 6: 0x86DD}
RECEIVE_BUFFER: Final = 1 << 18  # bytes; what does not fit was delivered by the raw socket, if that is let through
PACKET_MAX: Final = 4608  # bytes; the longest advert is 40 (IPv6) + 8 + 16 * 255
IPV4: Final = struct.Struct("!BBHHHBBH4s4s")
IPV6: Final = struct.Struct("!IHBB16s16s")
FRAGMENTED: Final = 0x3FFF  # more fragments, or an offset
FIRST_BYTES: Final = {4: (0x21, 0x31), 6: (0x31,)}  # version and type


class OverhearSocket:
    """Adverts of one family on `interface` for the virtual routers `vrids`, below netfilter. Never blocks."""

    def __init__(self, interface: str, family: int, vrids: Collection[int]) -> None:
        """Raises KernelError: EPERM without CAP_NET_RAW, ENODEV without the interface."""
        self.interface = interface
        self._family = family
        program = _program(family, vrids)
        self._socket = listen(interface, ETHERTYPES[family], program, RECEIVE_BUFFER, "listen below the firewall")

    def fileno(self) -> int:
        """The descriptor to watch for reading."""
        return self._socket.fileno()

    def watch(self, vrids: Collection[int]) -> None:
        """From now on hear only these virtual routers. Raises OSError."""
        bpf.attach(self._socket, _program(self._family, vrids))

    def receive(self, limit: int = 64) -> list[AdvertOverheard]:
        """Up to `limit` packets that wait, as they are."""
        heard: list[AdvertOverheard] = []
        for _ in range(limit):
            try:
                packet = self._socket.recv(PACKET_MAX)
            except BlockingIOError:
                break
            except OSError:  # ENETDOWN is told once when the interface goes down
                break
            advert = _ipv6(self.interface, packet) if self._family == 6 else _ipv4(self.interface, packet)
            if advert is not None:
                heard.append(advert)
        return heard

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def _program(family: int, vrids: Collection[int]) -> list[bpf.Instruction]:
    """Whole adverts from the link, those to a group with TTL 255: what the raw socket is sure to deliver."""
    if family == 6:
        return [
            *bpf.incoming(),
            *((bpf.LOAD_BYTE, 0, 0, 6), *bpf.demand(const.PROTOCOL)),
            *((bpf.LOAD_BYTE, 0, 0, 24), (bpf.JUMP_EQUAL, 0, 3, 0xFF)),  # ff00::/8
            *((bpf.LOAD_BYTE, 0, 0, 7), *bpf.demand(const.TTL)),
            *((bpf.LOAD_BYTE, 0, 0, IPV6.size), *_first_byte(6)),
            *((bpf.LOAD_BYTE, 0, 0, IPV6.size + 1), *bpf.pass_when_in(vrids)),
        ]
    return [
        *bpf.incoming(),
        *((bpf.LOAD_BYTE, 0, 0, 9), *bpf.demand(const.PROTOCOL)),
        *((bpf.LOAD_HALF, 0, 0, 6), (bpf.JUMP_ANY_BIT, 0, 1, FRAGMENTED), bpf.DROP),
        *((bpf.LOAD_BYTE, 0, 0, 16), (bpf.AND, 0, 0, 0xF0), (bpf.JUMP_EQUAL, 0, 3, 0xE0)),  # 224.0.0.0/4
        *((bpf.LOAD_BYTE, 0, 0, 8), *bpf.demand(const.TTL)),
        (bpf.LOAD_IP_HEADER_LENGTH, 0, 0, 0),
        *((bpf.LOAD_BYTE_INDEXED, 0, 0, 0), *_first_byte(4)),
        *((bpf.LOAD_BYTE_INDEXED, 0, 0, 1), *bpf.pass_when_in(vrids)),
    ]


def _first_byte(family: int) -> list[bpf.Instruction]:
    values = FIRST_BYTES[family]
    left = range(len(values), 0, -1)
    return [*((bpf.JUMP_EQUAL, skip, 0, value) for skip, value in zip(left, values, strict=True)), bpf.DROP]


def _ipv4(interface: str, packet: bytes) -> AdvertOverheard | None:
    """The packet taken apart; None for one that the kernel's IP would not have taken either."""
    if len(packet) < IPV4.size:
        return None
    first, _, length, _, _, ttl, _, _, source, destination = IPV4.unpack_from(packet)
    size = 4 * (first & 15)
    if first >> 4 != 4 or not IPV4.size <= size <= length <= len(packet) or not _sums_up(packet[:size]):
        return None
    # Ethernet pads short frames; the IP header knows where the packet ends.
    return AdvertOverheard(interface, ip_address(source), ip_address(destination), ttl, packet[size:length])


def _ipv6(interface: str, packet: bytes) -> AdvertOverheard | None:
    if len(packet) < IPV6.size:
        return None
    first, length, _, limit, source, destination = IPV6.unpack_from(packet)
    if first >> 28 != 6 or len(packet) < IPV6.size + length:
        return None
    payload = packet[IPV6.size : IPV6.size + length]
    return AdvertOverheard(interface, ip_address(source), ip_address(destination), limit, payload)


def _sums_up(header: bytes) -> bool:
    """Whether the header's checksum is right (RFC 791 section 3.1): its words sum to -0 in one's complement."""
    return int.from_bytes(header) % 0xFFFF == 0
