"""Who else on a link says that it has an address: ARP (RFC 826) and neighbour advertisements (RFC 4861) of others."""

from __future__ import annotations

import fcntl
import socket
import struct
import time
from collections.abc import Collection
from ipaddress import ip_address
from typing import Final

from pyvrrp import bpf
from pyvrrp.core.events import HolderHeard
from pyvrrp.core.settings import Address
from pyvrrp.packetsocket import listen

ETHERTYPES: Final = {4: 0x0806, 6: 0x86DD}
RECEIVE_BUFFER: Final = 1 << 16  # bytes
PACKET_MAX: Final = 256  # bytes; what is read is at the beginning
ARP_SENDER: Final = struct.Struct("!8x6s4s")  # hardware and protocol address of the sender, in ARP over Ethernet
ARP_SENDER_IP: Final = 14
NEXT_HEADER, HOP_LIMIT, ICMP_TYPE, TARGET = 6, 7, 40, 48  # offsets
ICMPV6, NEIGHBOUR_ADVERTISEMENT, HOPS = 58, 136, 255
OPTION_LINK_LAYER: Final = bytes((2, 1))  # target link-layer address, eight bytes
SIOCGIFHWADDR: Final = 0x8927
IFREQ: Final = struct.Struct("@16s24x")
HARDWARE_ADDRESS: Final = slice(18, 24)
VIRTUAL: Final = (bytes.fromhex("00005e0001"), bytes.fromhex("00005e0002"))  # of virtual routers; RFC 9568 section 7.3
FILTERED_MAX: Final = 1000  # addresses that the filter can hold; of more everything is shown to Python
OWN_FOR: Final = 1.0  # seconds for which this host's own MACs are remembered


class HolderSocket:
    """Claims of others on `interface` to these addresses of one family. Never blocks."""

    def __init__(self, interface: str, family: int, addresses: Collection[Address]) -> None:
        """Raises KernelError: EPERM without CAP_NET_RAW, ENODEV without the interface."""
        self.interface = interface
        self._family = family
        self._addresses = frozenset(addresses)
        self._own: tuple[float, frozenset[bytes]] = (float("-inf"), frozenset())
        self._socket = listen(
            interface,
            ETHERTYPES[family],
            _program(family, self._addresses),
            RECEIVE_BUFFER,
            "listen for other holders",
        )

    def fileno(self) -> int:
        """The descriptor to watch for reading."""
        return self._socket.fileno()

    def watch(self, addresses: Collection[Address]) -> None:
        """From now on hear only claims to these. Raises OSError."""
        self._addresses = frozenset(addresses)
        bpf.attach(self._socket, _program(self._family, self._addresses))

    def receive(self, limit: int = 64) -> list[HolderHeard]:
        """Up to `limit` claims that wait; this host's own are left out."""
        heard: list[HolderHeard] = []
        for _ in range(limit):
            try:
                packet, sender = self._socket.recvfrom(PACKET_MAX)
            except BlockingIOError:
                break
            except OSError:  # ENETDOWN is told once when the interface goes down
                break
            claim = _of_advertisement(packet, sender[4]) if self._family == 6 else _of_arp(packet)
            if claim is not None and claim[0] in self._addresses and not self._is_own(claim[1]):
                heard.append(HolderHeard(self.interface, *claim))
        return heard

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _is_own(self, mac: bytes) -> bool:
        """Whether an interface of this host has it. Virtual routers' MACs are left to the core: nodes share them."""
        if mac.startswith(VIRTUAL):
            return False
        now = time.monotonic()
        if now - self._own[0] > OWN_FOR:
            self._own = now, frozenset(self._macs())
        return mac in self._own[1]

    def _macs(self) -> list[bytes]:
        macs = []
        for _, name in socket.if_nameindex():
            try:
                macs.append(fcntl.ioctl(self._socket, SIOCGIFHWADDR, IFREQ.pack(name.encode()))[HARDWARE_ADDRESS])
            except OSError:  # it is gone
                continue
        return macs


def _program(family: int, addresses: Collection[Address]) -> list[bpf.Instruction]:
    """Packets from the link whose sender (or target, in IPv6 its last four bytes) may be one of the addresses."""
    claimed = [bpf.PASS]
    if len(addresses) <= FILTERED_MAX:
        claimed = bpf.pass_when_in({int.from_bytes(each.packed[-4:]) for each in addresses})
    if family == 4:
        return [*bpf.incoming(), (bpf.LOAD_WORD, 0, 0, ARP_SENDER_IP), *claimed]
    return [
        *bpf.incoming(),
        *((bpf.LOAD_BYTE, 0, 0, NEXT_HEADER), *bpf.demand(ICMPV6)),
        *((bpf.LOAD_BYTE, 0, 0, HOP_LIMIT), *bpf.demand(HOPS)),
        *((bpf.LOAD_BYTE, 0, 0, ICMP_TYPE), *bpf.demand(NEIGHBOUR_ADVERTISEMENT)),
        *((bpf.LOAD_WORD, 0, 0, TARGET + 12), *claimed),
    ]


def _of_arp(packet: bytes) -> tuple[Address, bytes] | None:
    if len(packet) < ARP_SENDER.size or packet[:6] != b"\x00\x01\x08\x00\x06\x04":  # Ethernet, IPv4
        return None
    mac, address = ARP_SENDER.unpack_from(packet)
    return ip_address(address), mac


def _of_advertisement(packet: bytes, sender: bytes) -> tuple[Address, bytes] | None:
    """The target, and the MAC that it is said to be at: the option's, or the frame's where there is none."""
    option = packet[TARGET + 16 :]
    if len(packet) < TARGET + 16:
        return None
    mac = option[2:8] if option[:2] == OPTION_LINK_LAYER and len(option) >= 8 else sender
    return ip_address(packet[TARGET : TARGET + 16]), mac
