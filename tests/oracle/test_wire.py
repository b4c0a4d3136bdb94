"""scapy's VRRP layers as a second opinion on the codec: what we write it reads, what it writes we read, bit for bit.

Scapy computes checksums for itself when a packet has none; that of version 3 needs the IP layer below it. It takes a
version 3 advert without addresses, 8 bytes, for a version 2 one, so that is not asked of it.
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address

from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP
from scapy.layers.vrrp import VRRP, VRRPv3

from pyvrrp.core import const
from pyvrrp.core.settings import Address
from pyvrrp.core.wire import Advert, decode, encode
from tests.property.test_decoder import version2, version3

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


@given(advert=version2 | version3, source=sources)
def test_we_write_what_scapy_writes(advert: Advert, source: IPv4Address) -> None:
    assert encode(advert, source, GROUP) == by_scapy(advert, source)


@given(advert=version2 | version3, source=sources)
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


@given(advert=version3.filter(lambda advert: advert.addresses), source=sources)
def test_scapy_reads_what_we_write_in_version_3(advert: Advert, source: IPv4Address) -> None:
    packet = read_by_scapy(encode(advert, source, GROUP), source)
    assert type(packet) is VRRPv3
    assert (packet.version, packet.type, packet.vrid, packet.priority) == (3, 1, advert.vrid, advert.priority)
    assert (packet.res, packet.adv) == (advert.reserved, advert.advert_int)
    assert packet.ipcount == len(advert.addresses)
    assert packet.addrlist == [str(address) for address in advert.addresses]
