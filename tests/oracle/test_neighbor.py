"""scapy reads our gratuitous ARP and our neighbour advertisements."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether

from pyvrrp.core.neighbor import announcement, gratuitous_arp, question, unsolicited_advertisement


@given(mac=st.binary(min_size=6, max_size=6), address=st.ip_addresses(v=4))
def test_scapy_reads_a_gratuitous_arp(mac: bytes, address: IPv4Address) -> None:
    frame = Ether(gratuitous_arp(mac, address))
    arp = frame[ARP]
    assert (frame.dst, frame.src) == ("ff:ff:ff:ff:ff:ff", mac.hex(":"))
    assert (arp.op, arp.hwsrc, arp.psrc) == (1, mac.hex(":"), str(address))
    assert (arp.hwdst, arp.pdst) == ("ff:ff:ff:ff:ff:ff", str(address))
    assert bytes(frame) == bytes(Ether(dst=frame.dst, src=frame.src) / ARP(**arp.fields))


@given(mac=st.binary(min_size=6, max_size=6), address=st.ip_addresses(v=6), router=st.booleans())
def test_scapy_reads_a_neighbour_advertisement(mac: bytes, address: IPv6Address, router: bool) -> None:
    ours = unsolicited_advertisement(mac, address, router=router)
    frame = Ether(ours)
    assert (frame.dst, frame.src) == ("33:33:00:00:00:01", mac.hex(":"))
    assert (IPv6Address(frame[IPv6].src), frame[IPv6].dst, frame[IPv6].hlim) == (address, "ff02::1", 255)
    told = frame[ICMPv6ND_NA]
    assert (told.R, told.S, told.O, IPv6Address(told.tgt)) == (router, 0, 1, address)
    assert told[ICMPv6NDOptDstLLAddr].lladdr == mac.hex(":")
    del frame[ICMPv6ND_NA].cksum  # for scapy to sum anew
    assert bytes(frame) == ours


@given(mac=st.binary(min_size=6, max_size=6), address=st.ip_addresses())
def test_an_address_is_announced_in_the_way_of_its_family(mac: bytes, address: IPv4Address | IPv6Address) -> None:
    frame = Ether(announcement(mac, address))
    assert frame.haslayer(ARP if address.version == 4 else ICMPv6ND_NA)


@given(mac=st.binary(min_size=6, max_size=6), address=st.ip_addresses(v=4), to=st.none() | st.just(b"\2\0\0\0\0\7"))
def test_scapy_reads_an_arp_probe(mac: bytes, address: IPv4Address, to: bytes | None) -> None:
    frame = Ether(question(mac, address, to))
    arp = frame[ARP]
    assert (frame.dst, frame.src) == ("02:00:00:00:00:07" if to else "ff:ff:ff:ff:ff:ff", mac.hex(":"))
    assert (arp.op, arp.hwsrc, arp.psrc) == (1, mac.hex(":"), "0.0.0.0")  # nobody's address
    assert (arp.hwdst, arp.pdst) == ("00:00:00:00:00:00", str(address))


@given(mac=st.binary(min_size=6, max_size=6), address=st.ip_addresses(v=6), to=st.none() | st.just(b"\2\0\0\0\0\7"))
def test_scapy_reads_a_solicitation(mac: bytes, address: IPv6Address, to: bytes | None) -> None:
    ours = question(mac, address, to)
    frame = Ether(ours)
    group = IPv6Address(int(IPv6Address("ff02::1:ff00:0")) | int(address) & 0xFFFFFF)
    assert frame.dst == ("02:00:00:00:00:07" if to else (b"\x33\x33" + group.packed[-4:]).hex(":"))
    assert (frame[IPv6].src, IPv6Address(frame[IPv6].dst), frame[IPv6].hlim) == ("::", group, 255)
    assert IPv6Address(frame[ICMPv6ND_NS].tgt) == address
    del frame[ICMPv6ND_NS].cksum  # for scapy to sum anew
    assert bytes(frame) == ours
