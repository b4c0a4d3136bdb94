"""Packets as a tester makes and reads them: its own reading of the RFCs, which shares no line with pyvrrp's codec."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

VRID: Final = 51
VIP: Final = "192.168.1.100"
SUBJECT: Final = "192.168.1.20"  # the router under test
HIGHER: Final = "192.168.1.30"  # testers: one whose address is above the subject's, one whose address is below it
LOWER: Final = "192.168.1.10"
VIP6, SUBJECT6, HIGHER6, LOWER6 = "fe80::100", "fe80::20", "fe80::30", "fe80::10"
GLOBAL_VIP6, GLOBAL_SUBJECT6 = "2001:db8::100", "2001:db8::20"
SUBJECT_MAC: Final = "02:00:00:00:00:20"
TESTER_MAC: Final = "02:00:00:00:00:30"

GROUP4: Final = "224.0.0.18"
GROUP6: Final = "ff02::12"
VRRP: Final = 112
ICMPV6: Final = 58
IPV4, ARP, IPV6 = 0x0800, 0x0806, 0x86DD
BROADCAST: Final = "ff:ff:ff:ff:ff:ff"
NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT = 135, 136


@dataclass(frozen=True)
class Advert:
    """An advertisement in which everything may be wrong; None is what the RFC demands.

    `interval` is the value of the field.
    """

    version: int = 2
    vrid: int = VRID
    priority: int = 200
    interval: int = 1
    addresses: tuple[str, ...] = (VIP,)
    kind: int = 1
    count: int | None = None
    auth_type: int = 0
    auth_data: bytes = bytes(8)
    reserved: int = 0
    pseudo_header: bool = True  # in the checksum of version 3
    checksum: int | None = None
    surplus: bytes = b""  # behind everything
    cut: int = 0  # bytes missing at the end
    source: str = HIGHER
    destination: str = ""
    ttl: int = 255
    mac: str = TESTER_MAC
    options: bytes = b""  # of the IPv4 header
    padding: int = 0  # zeros behind the IP packet, as Ethernet has them up to 60 bytes

    @property
    def payload(self) -> bytes:
        """What follows the IP header."""
        body = b"".join(ip_address(each).packed for each in self.addresses)
        second = self.auth_type << 8 | self.interval
        if self.version == 2:
            body += self.auth_data
        else:
            second = self.reserved << 12 | self.interval
        count = len(self.addresses) if self.count is None else self.count
        head = struct.pack("!BBBBH", self.version << 4 | self.kind, self.vrid, self.priority, count, second)
        message = (head + b"\0\0" + body)[: len(head) + 2 + len(body) - self.cut] + self.surplus
        total = self.checksum
        if total is None:
            summed = message
            if self.version == 3 and self.pseudo_header:
                summed = pseudo_header(self.source, self._destination, len(message)) + message
            total = checksum(summed)
        return message[:6] + struct.pack("!H", total) + message[8:]

    @property
    def frame(self) -> bytes:
        """The whole Ethernet frame."""
        data = packet(self.source, self._destination, self.ttl, self.payload, options=self.options)
        return ethernet(self._destination, self.mac, data + bytes(self.padding))

    @property
    def _destination(self) -> str:
        return self.destination or (GROUP6 if ":" in self.source else GROUP4)


def checksum(data: bytes) -> int:
    """The one's complement of the one's complement sum of 16-bit words."""
    total: int = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def pseudo_header(source: str, destination: str, length: int, protocol: int = VRRP) -> bytes:
    """What IPv6 puts in front of every message for its checksum, and RFC 5798 in front of IPv4's too."""
    ends = ip_address(source).packed + ip_address(destination).packed
    return ends + (struct.pack("!LL", length, protocol) if ":" in source else struct.pack("!HH", protocol, length))


def packet(
    source: str, destination: str, ttl: int, payload: bytes, protocol: int = VRRP, options: bytes = b""
) -> bytes:
    """An IP packet of either family."""
    ends = ip_address(source).packed + ip_address(destination).packed
    if ":" in source:
        return struct.pack("!LHBB", 0x6C000000, len(payload), protocol, ttl) + ends + payload
    size = 20 + len(options)
    head = struct.pack("!BBHHHBBH", 0x40 | size // 4, 0xC0, size + len(payload), 0, 0, ttl, protocol, 0)
    head += ends + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ethernet(destination: str, mac: str, data: bytes) -> bytes:
    """The frame of an IP packet to this address."""
    kind = IPV6 if ":" in destination else IPV4
    return octets(mac_for(destination)) + octets(mac) + struct.pack("!H", kind) + data


def mac_for(destination: str) -> str:
    """Where a packet to this address goes: a group's own MAC, or the subject."""
    address = ip_address(destination)
    if not address.is_multicast:
        return SUBJECT_MAC
    low = address.packed[-4:]
    return text(b"\x33\x33" + low) if address.version == 6 else text(b"\x01\x00\x5e" + bytes([low[1] & 0x7F]) + low[2:])


def arp_request(target: str, source: str = HIGHER, mac: str = TESTER_MAC) -> bytes:
    """Who has this address?"""
    body = struct.pack("!HHBBH", 1, IPV4, 6, 4, 1) + octets(mac) + ip_address(source).packed
    body += bytes(6) + ip_address(target).packed
    return octets(BROADCAST) + octets(mac) + struct.pack("!H", ARP) + body


def neighbor_solicitation(target: str, source: str = HIGHER6, mac: str = TESTER_MAC) -> bytes:
    """Who has this IPv6 address?"""
    group = solicited_node(target)
    body = struct.pack("!BBHI", NEIGHBOR_SOLICITATION, 0, 0, 0) + ip_address(target).packed + b"\1\1" + octets(mac)
    total = checksum(pseudo_header(source, group, len(body), ICMPV6) + body)
    body = body[:2] + struct.pack("!H", total) + body[4:]
    return ethernet(group, mac, packet(source, group, 255, body, ICMPV6))


def solicited_node(target: str) -> str:
    """The group that whoever has this address listens to."""
    return str(IPv6Address(IPv6Address("ff02::1:ff00:0").packed[:13] + ip_address(target).packed[13:]))


def echo_request(target: str, number: int, source: str = HIGHER, mac: str = SUBJECT_MAC) -> bytes:
    """A ping, to the subject's MAC or another."""
    body = struct.pack("!BBHHH", 8, 0, 0, number, 1)
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    data = packet(source, target, 64, body, protocol=1)
    return octets(mac) + octets(TESTER_MAC) + struct.pack("!H", IPV4) + data


def octets(mac: str) -> bytes:
    """The six bytes of a MAC address."""
    return bytes.fromhex(mac.replace(":", ""))


def text(mac: bytes) -> str:
    """A MAC address as it is written."""
    return mac.hex(":")


@dataclass(frozen=True)
class Frame:
    """A frame as it came by, with the kernel's time in seconds; `ours` when the tester sent it."""

    at: float
    data: bytes
    ours: bool = False

    @cached_property
    def kind(self) -> int:
        """The Ethernet type."""
        return int.from_bytes(self.data[12:14], "big")

    @property
    def destination_mac(self) -> str:
        """Where it goes."""
        return text(self.data[:6])

    @property
    def source_mac(self) -> str:
        """Where it comes from."""
        return text(self.data[6:12])

    @property
    def source(self) -> str:
        """The IP source, or ARP's sender."""
        if self.kind == IPV6:
            return str(IPv6Address(self.data[22:38]))
        return str(IPv4Address(self.data[28:32] if self.kind == ARP else self.data[26:30]))

    @property
    def destination(self) -> str:
        """The IP destination, or ARP's target."""
        if self.kind == IPV6:
            return str(IPv6Address(self.data[38:54]))
        return str(IPv4Address(self.data[38:42] if self.kind == ARP else self.data[30:34]))

    @property
    def protocol(self) -> int:
        """What is in the IP packet; -1 for ARP and others."""
        if self.kind == IPV4:
            return self.data[23]
        return self.data[20] if self.kind == IPV6 else -1

    @property
    def ttl(self) -> int:
        """Time to live, or hop limit."""
        return self.data[21] if self.kind == IPV6 else self.data[22]

    @property
    def traffic_class(self) -> int:
        """The type of service."""
        return int.from_bytes(self.data[14:16], "big") >> 4 & 0xFF if self.kind == IPV6 else self.data[15]

    @property
    def payload(self) -> bytes:
        """What follows the IP header."""
        if self.kind == IPV6:
            return self.data[54 : 54 + int.from_bytes(self.data[18:20], "big")]
        start = 14 + (self.data[14] & 0x0F) * 4
        return self.data[start : 14 + int.from_bytes(self.data[16:18], "big")]

    @property
    def is_advert(self) -> bool:
        """Whether it is VRRP."""
        return self.protocol == VRRP

    @property
    def is_announcement(self) -> bool:
        """Whether it is ARP of a sender about itself."""
        return self.kind == ARP and self.source == self.destination

    @property
    def is_arp_reply(self) -> bool:
        """Whether it answers a question."""
        return self.kind == ARP and self.data[20:22] == b"\0\2"

    @property
    def is_neighbor_advertisement(self) -> bool:
        """Whether it is IPv6's answer to that question, asked or unasked."""
        return self.kind == IPV6 and self.protocol == ICMPV6 and self.payload[0] == NEIGHBOR_ADVERTISEMENT

    @property
    def target(self) -> str:
        """The address that a neighbour advertisement is about."""
        return str(IPv6Address(self.payload[8:24]))

    @property
    def version(self) -> int:
        """An advert's version."""
        return self.payload[0] >> 4

    @property
    def type(self) -> int:
        """An advert's type."""
        return self.payload[0] & 0x0F

    @property
    def vrid(self) -> int:
        """An advert's virtual router."""
        return self.payload[1]

    @property
    def priority(self) -> int:
        """An advert's priority."""
        return self.payload[2]

    @property
    def count(self) -> int:
        """How many addresses an advert says it has."""
        return self.payload[3]

    @property
    def interval(self) -> int:
        """An advert's interval: seconds in version 2, centiseconds in version 3."""
        return self.payload[5] if self.version == 2 else int.from_bytes(self.payload[4:6], "big") & 0x0FFF

    @property
    def addresses(self) -> tuple[str, ...]:
        """An advert's addresses."""
        size = 16 if self.kind == IPV6 else 4
        body = self.payload[8 : 8 + self.count * size]
        return tuple(str(ip_address(body[at : at + size])) for at in range(0, len(body), size))

    def sums_up(self, *, pseudo: bool) -> bool:
        """Whether an advert's checksum is right, with the pseudo header or without."""
        front = pseudo_header(self.source, self.destination, len(self.payload)) if pseudo else b""
        return checksum(front + self.payload) == 0
