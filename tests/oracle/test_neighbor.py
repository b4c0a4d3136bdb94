"""scapy reads our gratuitous ARP."""

from __future__ import annotations

from ipaddress import IPv4Address

from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.l2 import ARP, Ether

from pyvrrp.core.neighbor import gratuitous_arp


@given(mac=st.binary(min_size=6, max_size=6), address=st.ip_addresses(v=4))
def test_scapy_reads_a_gratuitous_arp(mac: bytes, address: IPv4Address) -> None:
    frame = Ether(gratuitous_arp(mac, address))
    arp = frame[ARP]
    assert (frame.dst, frame.src) == ("ff:ff:ff:ff:ff:ff", mac.hex(":"))
    assert (arp.op, arp.hwsrc, arp.psrc) == (1, mac.hex(":"), str(address))
    assert (arp.hwdst, arp.pdst) == ("ff:ff:ff:ff:ff:ff", str(address))
    assert bytes(frame) == bytes(Ether(dst=frame.dst, src=frame.src) / ARP(**arp.fields))
