"""The Ethernet frames that tell a link where an address lives now: gratuitous ARP (RFC 5227 section 3, RFC 826)."""

from __future__ import annotations

import struct
from typing import Final

from pyvrrp.core.settings import Address

_BROADCAST = b"\xff" * 6
ETHERTYPE_ARP: Final = 0x0806
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_HARDWARE_ETHERNET = 1
_PROTOCOL_IPV4 = 0x0800
_REQUEST = 1


def gratuitous_arp(mac: bytes, address: Address) -> bytes:
    """A broadcast ARP request for one's own address, as keepalived sends it: 42 bytes, target hardware all ones."""
    arp = _ARP.pack(_HARDWARE_ETHERNET, _PROTOCOL_IPV4, 6, 4, _REQUEST, mac, address.packed, _BROADCAST, address.packed)
    return _BROADCAST + mac + struct.pack("!H", ETHERTYPE_ARP) + arp


def ethertype(frame: bytes) -> int:
    """What an Ethernet frame carries."""
    return int.from_bytes(frame[12:14])
