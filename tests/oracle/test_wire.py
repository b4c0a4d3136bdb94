"""scapy's VRRP layers as a second opinion on the codec: what we write it reads, what it writes we read, bit for bit.

Scapy computes checksums for itself when a packet has none; that of version 3 needs the IP layer below it. It takes a
version 3 advert without addresses, 8 bytes, for a version 2 one, so that is not asked of it. Over IPv6 it sums the
right pseudo header, and knows 4-byte addresses only: the rest of the message is handed to it as bytes.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6, in6_chksum
from scapy.layers.vrrp import VRRP, VRRPv3
from scapy.utils import checksum

from pyvrrp.core import const
from pyvrrp.core.settings import Address
from pyvrrp.core.wire import Advert, ChecksumForm, decode, encode
from tests.property.test_decoder import plain_version3, version2, version6

GROUP = const.GROUP_IPV4
sources = st.ip_addresses(v=4).filter(lambda address: not address.is_multicast)


def by_scapy(advert: Advert, source: Address) -> bytes:
    """The advert as scapy builds it, checksum included."""
    fields = {
        "vrid": advert.vrid,
        "priority": advert.priority,
        "addrlist": [str(address) for address in advert.addresses],
    }
    below = IP(src=str(source), dst=str(GROUP), proto=const.PROTOCOL, ttl=const.TTL)
    if advert.version == 2:
        first, second = struct.unpack("!II", advert.auth_data)
        seconds = advert.advert_int // const.CENTISECONDS
        packet = below / VRRP(authtype=advert.auth_type, adv=seconds, auth1=first, auth2=second, **fields)
    else:
        packet = below / VRRPv3(res=advert.reserved, adv=advert.advert_int, **fields)
    return bytes(packet)[20:]


def read_by_scapy(payload: bytes, source: Address) -> VRRP | VRRPv3:
    """What scapy makes of our bytes behind an IP header."""
    below = IP(src=str(source), dst=str(GROUP), proto=const.PROTOCOL, ttl=const.TTL)
    return IP(bytes(below / payload)).payload


@given(advert=version2 | plain_version3, source=sources)
def test_we_write_what_scapy_writes(advert: Advert, source: IPv4Address) -> None:
    assert encode(advert, source, GROUP) == by_scapy(advert, source)


@given(advert=version2 | plain_version3, source=sources)
def test_we_read_what_scapy_writes(advert: Advert, source: IPv4Address) -> None:
    assert decode(by_scapy(advert, source), source, GROUP, const.TTL) == advert


@given(advert=version2, source=sources)
def test_scapy_reads_what_we_write_in_version_2(advert: Advert, source: IPv4Address) -> None:
    packet = read_by_scapy(encode(advert, source, GROUP), source)
    assert type(packet) is VRRP
    assert (packet.version, packet.type, packet.vrid, packet.priority) == (2, 1, advert.vrid, advert.priority)
    assert (packet.authtype, packet.adv * const.CENTISECONDS) == (advert.auth_type, advert.advert_int)
    assert packet.ipcount == len(advert.addresses)
    assert packet.addrlist == [str(address) for address in advert.addresses]
    assert struct.pack("!II", packet.auth1, packet.auth2) == advert.auth_data


@given(advert=plain_version3.filter(lambda advert: advert.addresses), source=sources)
def test_scapy_reads_what_we_write_in_version_3(advert: Advert, source: IPv4Address) -> None:
    packet = read_by_scapy(encode(advert, source, GROUP), source)
    assert type(packet) is VRRPv3
    assert (packet.version, packet.type, packet.vrid, packet.priority) == (3, 1, advert.vrid, advert.priority)
    assert (packet.res, packet.adv) == (advert.reserved, advert.advert_int)
    assert packet.ipcount == len(advert.addresses)
    assert packet.addrlist == [str(address) for address in advert.addresses]


@given(advert=version6, source=st.ip_addresses(v=6).filter(lambda address: not address.is_multicast))
def test_scapy_sums_over_ipv6_as_we_do(advert: Advert, source: IPv6Address) -> None:
    payload = encode(advert, source, const.GROUP_IPV6)
    head = VRRPv3(payload[:8])
    assert (head.vrid, head.priority, head.ipcount) == (advert.vrid, advert.priority, len(advert.addresses))
    assert (head.res, head.adv) == (advert.reserved, advert.advert_int)
    below = IPv6(src=str(source), dst=str(const.GROUP_IPV6), nh=const.PROTOCOL, hlim=const.TTL)
    assert in6_chksum(const.PROTOCOL, below, payload) == 0  # the sum over a right checksum


@given(advert=plain_version3, source=sources)
def test_without_the_pseudo_header_it_sums_as_version_2_does(advert: Advert, source: IPv4Address) -> None:
    payload = encode(replace(advert, form=ChecksumForm.MESSAGE_ALONE), source, GROUP)
    assert checksum(payload) == 0
