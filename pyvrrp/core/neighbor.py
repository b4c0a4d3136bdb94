"""The Ethernet frames that tell a link where an address lives now: gratuitous ARP (RFC 5227 section 3, RFC 826) for
IPv4, an unsolicited neighbour advertisement (RFC 4861 section 7.2.6) for IPv6."""

from __future__ import annotations

import struct
from ipaddress import IPv6Address
from typing import Final

from pyvrrp.core.settings import Address
from pyvrrp.core.wire import checksum

_ETHERNET = struct.Struct("!6s6sH")
_BROADCAST = b"\xff" * 6
ETHERTYPE_ARP: Final = 0x0806
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_HARDWARE_ETHERNET = 1
_PROTOCOL_IPV4 = 0x0800
_REQUEST = 1
_NO_MAC, _NO_ADDRESS = bytes(6), bytes(4)

_ETHERTYPE_IPV6 = 0x86DD
_ALL_NODES = IPv6Address("ff02::1")
_ALL_NODES_MAC = bytes.fromhex("333300000001")  # RFC 2464 section 7
_UNSPECIFIED = bytes(16)
_IPV6 = struct.Struct("!IHBB16s16s")
_PSEUDO_HEADER = struct.Struct("!16s16sII")  # RFC 8200 section 8.1
_VERSION_6 = 6 << 28
_ICMPV6 = 58
_HOP_LIMIT = 255  # RFC 4861 section 7.1.2: else nobody believes it
_ADVERTISEMENT = struct.Struct("!BBHI16sBB6s")
_TYPE = 136
_SOLICITATION = struct.Struct("!BBHI16s")
_SOLICITATION_TYPE = 135
_SOLICITED_NODE = bytes.fromhex("ff0200000000000000000001ff")  # and the last three bytes; RFC 4291 section 2.7.1
_ROUTER, _OVERRIDE = 0x80000000, 0x20000000
_TARGET_LINK_LAYER_ADDRESS, _OPTION_LENGTH = 2, 1  # in units of 8 bytes


def announcement(mac: bytes, address: Address, *, router: bool = False) -> bytes:
    """The frame that says that `address` is at `mac`. `router`: the host forwards IPv6, and must go on saying so."""
    if address.version == 4:
        return gratuitous_arp(mac, address)
    return unsolicited_advertisement(mac, address, router=router)


def gratuitous_arp(mac: bytes, address: Address) -> bytes:
    """A broadcast ARP request for one's own address, as keepalived sends it: 42 bytes, target hardware all ones."""
    arp = _ARP.pack(_HARDWARE_ETHERNET, _PROTOCOL_IPV4, 6, 4, _REQUEST, mac, address.packed, _BROADCAST, address.packed)
    return _ETHERNET.pack(_BROADCAST, mac, ETHERTYPE_ARP) + arp


def unsolicited_advertisement(mac: bytes, address: Address, *, router: bool = False) -> bytes:
    """A neighbour advertisement to all nodes that overrides what they know, from the address itself: 86 bytes."""
    flags = _OVERRIDE | (_ROUTER if router else 0)
    target = (address.packed, _TARGET_LINK_LAYER_ADDRESS, _OPTION_LENGTH, mac)
    message = _ADVERTISEMENT.pack(_TYPE, 0, 0, flags, *target)
    return _ETHERNET.pack(_ALL_NODES_MAC, mac, _ETHERTYPE_IPV6) + _icmpv6(address.packed, _ALL_NODES.packed, message)


def question(mac: bytes, address: Address, to: bytes | None = None) -> bytes:
    """Does anybody have `address`? From nobody, so that nobody learns from it; in a frame to all, or to one MAC.

    An ARP probe (RFC 5227 section 2.1.1), or a solicitation as in duplicate address detection (RFC 4862 section 5.4.2).
    """
    if address.version == 4:
        arp = _ARP.pack(_HARDWARE_ETHERNET, _PROTOCOL_IPV4, 6, 4, _REQUEST, mac, _NO_ADDRESS, _NO_MAC, address.packed)
        return _ETHERNET.pack(to or _BROADCAST, mac, ETHERTYPE_ARP) + arp
    group = _SOLICITED_NODE + address.packed[-3:]
    message = _SOLICITATION.pack(_SOLICITATION_TYPE, 0, 0, 0, address.packed)
    frame = _ETHERNET.pack(to or b"\x33\x33" + group[-4:], mac, _ETHERTYPE_IPV6)
    return frame + _icmpv6(_UNSPECIFIED, group, message)


def _icmpv6(source: bytes, destination: bytes, message: bytes) -> bytes:
    """The IPv6 packet of a message, in which the checksum is still to be filled in."""
    header = _IPV6.pack(_VERSION_6, len(message), _ICMPV6, _HOP_LIMIT, source, destination)
    total = checksum(_PSEUDO_HEADER.pack(source, destination, len(message), _ICMPV6) + message)
    return header + message[:2] + total.to_bytes(2) + message[4:]


def ethertype(frame: bytes) -> int:
    """What an Ethernet frame carries."""
    return int.from_bytes(frame[12:14])
