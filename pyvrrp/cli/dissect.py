"""Frames → what they say: VRRP, ARP or neighbour discovery. Nothing else is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

from pyvrrp.cli.capture import Frame
from pyvrrp.core import const
from pyvrrp.core.events import AdvertReceived
from pyvrrp.core.settings import Address

_REQUEST: Final = 1
_IPV6_HEADER: Final = 40


@dataclass(frozen=True, slots=True)
class Holding:
    """ARP or neighbour discovery. `says` is in words; `holder` is the address that the sender says it has, if any.

    `wanted` is the address asked for.
    """

    mac: str
    says: str
    holder: Address | None = None
    wanted: Address | None = None


def dissect(frame: Frame) -> AdvertReceived | Holding | None:
    """What a frame says; None for others, and for what cannot be read at all."""
    from scapy.layers.inet import IP
    from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, IPv6
    from scapy.layers.l2 import ARP

    packet = frame.packet
    try:
        if ARP in packet:
            return _arp(packet[ARP])
        if IP in packet and packet[IP].proto == const.PROTOCOL:
            return _advert(frame.interface, packet[IP], packet[IP].ttl, *_of_ipv4(packet[IP]))
        if IPv6 in packet and packet[IPv6].nh == const.PROTOCOL:
            return _advert(frame.interface, packet[IPv6], packet[IPv6].hlim, *_of_ipv6(packet[IPv6]))
        if ICMPv6ND_NA in packet:
            return _advertisement(packet, packet[ICMPv6ND_NA])
        if ICMPv6ND_NS in packet:
            return _solicitation(packet, packet[ICMPv6ND_NS])
    except (ValueError, AttributeError, TypeError):  # cut off, or of another kind of network
        return None
    return None


def _of_ipv4(header: Any) -> tuple[int, int]:
    return 4 * header.ihl, header.len


def _of_ipv6(header: Any) -> tuple[int, int]:
    return _IPV6_HEADER, _IPV6_HEADER + header.plen


def _advert(interface: str, header: Any, ttl: int, begin: int, end: int) -> AdvertReceived:
    return AdvertReceived(interface, ip_address(header.src), ip_address(header.dst), ttl, bytes(header)[begin:end])


def _arp(arp: Any) -> Holding:
    sender, target, mac = ip_address(arp.psrc), ip_address(arp.pdst), str(arp.hwsrc)
    if int(sender) == 0:
        return Holding(mac, f"ARP probe: has anybody {target}?", wanted=target)
    if sender == target:
        return Holding(mac, f"ARP announcement: {sender} is at {mac}", holder=sender)
    if arp.op == _REQUEST:
        return Holding(mac, f"ARP request: who has {target}? tell {sender}", holder=sender, wanted=target)
    return Holding(mac, f"ARP reply: {sender} is at {mac}", holder=sender)


def _advertisement(packet: Any, told: Any) -> Holding:
    from scapy.layers.inet6 import ICMPv6NDOptDstLLAddr

    target = ip_address(told.tgt)
    mac = str(packet[ICMPv6NDOptDstLLAddr].lladdr if ICMPv6NDOptDstLLAddr in packet else packet.src)
    kind = "neighbour advertisement" if told.S else "unsolicited neighbour advertisement"
    override = ", overrides" if told.O else ""
    return Holding(mac, f"{kind}: {target} is at {mac}{override}", holder=target)


def _solicitation(packet: Any, asked: Any) -> Holding:
    from scapy.layers.inet6 import IPv6

    target, sender = ip_address(asked.tgt), ip_address(packet[IPv6].src)
    if sender.is_unspecified:
        return Holding(str(packet.src), f"duplicate address detection: has anybody {target}?", wanted=target)
    says = f"neighbour solicitation: who has {target}? tell {sender}"
    return Holding(str(packet.src), says, holder=sender, wanted=target)
