"""Adverts under a virtual MAC: packets into and out of a macvlan. Loaded only when a configuration has one.

Frames that come from a virtual router's own MAC are given to the macvlan that has it, and to no other interface. A
socket that joined the group there would have the kernel report that under the virtual MAC, while another node is the
MASTER, and switches would send its packets here. A packet socket hears without joining, and may send from an address
that the macvlan has not. Adverts under other MACs are heard by the socket of the interface below.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Collection
from ipaddress import ip_address
from typing import Final

from pyvrrp import bpf
from pyvrrp.core import const
from pyvrrp.core.effects import SendAdvert
from pyvrrp.core.events import AdvertReceived
from pyvrrp.core.settings import Address
from pyvrrp.packetsocket import listen

ETH_P_IP, ETH_P_IPV6 = 0x0800, 0x86DD
PRIORITY_CONTROL: Final = 7  # TC_PRIO_CONTROL: in front of the queue of a busy interface
RECEIVE_BUFFER: Final = 1 << 18  # bytes
PACKET_MAX: Final = 4096  # bytes; the longest advert is 40 (IPv6) + 8 + 16 * 255
IPV4: Final = struct.Struct("!BBHHHBBH4s4s")
IPV6: Final = struct.Struct("!IHBB16s16s")
IPV4_PLAIN: Final = 0x45  # version 4, five words of header
IPV6_CONTROL: Final = 6 << 28 | const.TOS << 20
FRAGMENTED: Final = 0x3FFF  # more fragments, or an offset
PROTOCOL_OFFSET: Final = {4: 9, 6: 6}


class VmacSocket:
    """Adverts of one virtual router on the macvlan `interface`, named as heard on `base`. Never blocks."""

    def __init__(self, interface: str, base: str, family: int, vrids: Collection[int]) -> None:
        """Raises KernelError: EPERM without CAP_NET_RAW, ENODEV without the interface."""
        self.interface = interface
        self.last_error: OSError | None = None
        self._base = base
        self._family = family
        self._identification = 0
        self._protocol = ETH_P_IP if family == 4 else ETH_P_IPV6
        program = _program(family, vrids)
        self._socket = listen(interface, self._protocol, program, RECEIVE_BUFFER, "open a packet socket")
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, PRIORITY_CONTROL)
        self._mac = self._socket.getsockname()[4]

    def fileno(self) -> int:
        """The descriptor to watch for reading."""
        return self._socket.fileno()

    def watch(self, vrids: Collection[int], _groups: Collection[Address] = ()) -> None:
        """From now on hear only these virtual routers, whatever their group. Raises OSError."""
        bpf.attach(self._socket, _program(self._family, vrids))

    def receive(self, limit: int = 64) -> list[AdvertReceived]:
        """Up to `limit` packets that wait, as they are."""
        heard: list[AdvertReceived] = []
        for _ in range(limit):
            try:
                packet, sender = self._socket.recvfrom(PACKET_MAX)
            except BlockingIOError:
                break
            except OSError as error:  # ENETDOWN is told once when the interface goes down
                self.last_error = error
                break
            advert = self._parse(packet) if sender[4] == self._mac else None
            if advert is not None:
                heard.append(advert)
        return heard

    def _parse(self, packet: bytes) -> AdvertReceived | None:
        """The packet taken apart; None for what is no whole packet."""
        if self._family == 6:
            if len(packet) < IPV6.size:
                return None
            _, length, _, limit, source, destination = IPV6.unpack_from(packet)
            payload = packet[IPV6.size : IPV6.size + length]
            return AdvertReceived(self._base, ip_address(source), ip_address(destination), limit, payload)
        if len(packet) < IPV4.size:
            return None
        first, _, length, _, fragment, ttl, _, _, source, destination = IPV4.unpack_from(packet)
        size = 4 * (first & 15)
        if fragment & FRAGMENTED or _checksum(packet[:size]):
            return None
        # Ethernet pads short frames; the IP header knows where the packet ends.
        return AdvertReceived(self._base, ip_address(source), ip_address(destination), ttl, packet[size:length])

    def send(self, effect: SendAdvert) -> bool:
        """Send an advert to the group; False when the kernel refused, with the reason in `last_error`."""
        try:
            to = self.interface, self._protocol, 0, 0, _multicast_mac(effect.destination)
            self._socket.sendto(self._packet(effect.source, effect.destination, effect.payload), to)
        except OSError as error:
            self.last_error = error
            return False
        return True

    def _packet(self, source: Address, destination: Address, payload: bytes) -> bytes:
        """The whole packet."""
        if self._family == 6:
            addresses = source.packed, destination.packed
            return IPV6.pack(IPV6_CONTROL, len(payload), const.PROTOCOL, const.TTL, *addresses) + payload
        self._identification = self._identification % 0xFFFF + 1
        fields = IPV4_PLAIN, const.TOS, IPV4.size + len(payload), self._identification, 0, const.TTL, const.PROTOCOL
        header = IPV4.pack(*fields, 0, source.packed, destination.packed)
        return IPV4.pack(*fields, _checksum(header), source.packed, destination.packed) + payload

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def _multicast_mac(group: Address) -> bytes:
    """RFC 1112 section 6.4, RFC 2464 section 7."""
    if group.version == 6:
        return b"\x33\x33" + group.packed[-4:]
    return b"\x01\x00\x5e" + bytes([group.packed[1] & 0x7F]) + group.packed[2:]


def _checksum(data: bytes) -> int:
    """RFC 1071; 0 over a header with a right checksum in it."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def _program(family: int, vrids: Collection[int]) -> list[bpf.Instruction]:
    protocol = [(bpf.LOAD_BYTE, 0, 0, PROTOCOL_OFFSET[family]), (bpf.JUMP_EQUAL, 1, 0, const.PROTOCOL), bpf.DROP]
    vrid = [(bpf.LOAD_BYTE, 0, 0, IPV6.size + 1)]
    if family == 4:
        vrid = [(bpf.LOAD_IP_HEADER_LENGTH, 0, 0, 0), (bpf.LOAD_BYTE_INDEXED, 0, 0, 1)]
    return protocol + vrid + bpf.pass_when_in(vrids)
