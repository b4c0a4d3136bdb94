"""core/neighbor: the frames bit for bit; the announcements of IPv6 are keepalived 2.2.7's, from its wire."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from pyvrrp.core.neighbor import announcement, question, unsolicited_advertisement

MAC = bytes.fromhex("0200000000c9")
HOST = (
    "333300000001 0200000000c9 86dd 60000000 0020 3a ff fe800000000000000000000000000051"
    "ff020000000000000000000000000001 88 00 5633 20000000 fe800000000000000000000000000051 02 01 0200000000c9"
)
ROUTER = HOST.replace("5633 20000000", "d632 a0000000")
ARP = "ffffffffffff 0200000000c9 0806 0001 0800 06 04 0001 0200000000c9 c0a801c8 ffffffffffff c0a801c8"
OTHER = "020000000099"
PROBE = "0200000000c9 0806 0001 0800 06 04 0001 0200000000c9 00000000 000000000000 c0a801c8"
SOLICITATION = (
    "0200000000c9 86dd 60000000 0018 3a ff 00000000000000000000000000000000"
    "ff0200000000000000000001ffcd0051 87 00 9fb1 00000000 20010db80000000000000001abcd0051"
)


@pytest.mark.parametrize(
    ("address", "router", "frame"),
    [
        (IPv6Address("fe80::51"), False, HOST),
        (IPv6Address("fe80::51"), True, ROUTER),
        (IPv4Address("192.168.1.200"), False, ARP),
        (IPv4Address("192.168.1.200"), True, ARP),
    ],
)
def test_announcement(address: IPv4Address | IPv6Address, router: bool, frame: str) -> None:
    assert announcement(MAC, address, router=router) == bytes.fromhex(frame)


def test_a_host_is_no_router_unless_that_is_said() -> None:
    address = IPv6Address("fe80::51")
    assert announcement(MAC, address) == unsolicited_advertisement(MAC, address) == bytes.fromhex(HOST)


@pytest.mark.parametrize(
    ("address", "everybody", "rest"),
    [
        (IPv4Address("192.168.1.200"), "ffffffffffff", PROBE),
        (IPv6Address("2001:db8::1:abcd:51"), "3333ffcd0051", SOLICITATION),
    ],
)
def test_question(address: IPv4Address | IPv6Address, everybody: str, rest: str) -> None:
    assert question(MAC, address) == bytes.fromhex(everybody + rest)
    assert question(MAC, address, bytes.fromhex(OTHER)) == bytes.fromhex(OTHER + rest)
