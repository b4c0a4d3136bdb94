"""core/receive: does an advert count, and if not, in which words, ours and keepalived's."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest

from pyvrrp.core import const
from pyvrrp.core.events import AdvertReceived
from pyvrrp.core.receive import auth_of, besides_its_list, malformed, objection
from pyvrrp.core.settings import Address, InstanceSettings, UnicastPeer, VirtualAddress
from pyvrrp.core.wire import Advert, decode, encode
from pyvrrp.errors import WireError
from tests.lone import backup
from tests.simulation import INTERFACE, VIP, instance

SECOND = VirtualAddress(INTERFACE, IPv4Address("192.168.1.199"), 32)
OURS = instance(addresses=(VIP, SECOND))
PASS = instance(addresses=(VIP, SECOND), auth_pass=b"4321")
ADVERT = Advert(2, 60, 200, 100, (VIP.address, SECOND.address))
NEWER = replace(ADVERT, version=3, auth_data=b"")
PEER = IPv4Address("192.168.1.202")


def packet(
    payload: bytes = b"", ttl: int = 255, source: Address = PEER, destination: Address = const.GROUP_IPV4
) -> AdvertReceived:
    """What an advert came in."""
    return AdvertReceived(INTERFACE, source, destination, ttl, payload)


@pytest.mark.parametrize(
    ("advert", "settings", "found"),
    [
        (ADVERT, OURS, None),
        (replace(ADVERT, addresses=(SECOND.address, VIP.address)), OURS, None),
        (replace(ADVERT, auth_data=b"whatever"), OURS, None),
        (replace(ADVERT, auth_type=1, auth_data=b"4321\0\0\0\0"), PASS, None),
        (NEWER, replace(OURS, version=3), None),
        (replace(NEWER, advert_int=7), replace(OURS, version=3), None),
        (NEWER, replace(PASS, version=3), None),
        (
            NEWER,
            OURS,
            ("version", "it speaks VRRP version 3, we speak 2", "wrong version. Received 3 and expect 2"),
        ),
        (
            ADVERT,
            replace(OURS, version=3),
            ("version", "it speaks VRRP version 2, we speak 3", "wrong version. Received 2 and expect 3"),
        ),
        (
            ADVERT,
            PASS,
            ("authentication_type", "it uses no authentication, we use PASS", "received a 0 auth, expecting 1!"),
        ),
        (
            replace(ADVERT, auth_type=1),
            OURS,
            ("authentication_type", "it uses PASS, we use no authentication", "received a 1 auth, expecting 0!"),
        ),
        (
            replace(ADVERT, auth_type=2),
            PASS,
            ("authentication_type", "it uses AH, we use PASS", "received a 2 auth, expecting 1!"),
        ),
        (
            replace(ADVERT, auth_type=1, auth_data=b"43210\0\0\0"),
            PASS,
            ("password", "its password is not ours", "received an invalid passwd!"),
        ),
        (
            replace(ADVERT, advert_int=300),
            OURS,
            (
                "interval",
                "its advert_int is 3 s, ours 1 s",
                "advertisement interval mismatch mine=1 sec rcv'd=3 sec",
            ),
        ),
        (
            replace(ADVERT, addresses=(VIP.address,)),
            OURS,
            (
                "addresses",
                "it advertises 192.168.1.200, we have 192.168.1.199, 192.168.1.200",
                "received an unexpected ip number count 1, expected 2!",
            ),
        ),
        (
            replace(ADVERT, addresses=()),
            OURS,
            (
                "addresses",
                "it advertises no address, we have 192.168.1.199, 192.168.1.200",
                "received an unexpected ip number count 0, expected 2!",
            ),
        ),
        (
            replace(ADVERT, addresses=(VIP.address, IPv4Address("192.168.1.7"))),
            OURS,
            (
                "addresses",
                "it advertises 192.168.1.200, 192.168.1.7, we have 192.168.1.199, 192.168.1.200",
                "ip address associated with VRID 60 not present in MASTER advert: 192.168.1.199",
            ),
        ),
    ],
)
def test_objection(advert: Advert, settings: InstanceSettings, found: tuple[str, str, str] | None) -> None:
    assert objection(advert, packet(), settings) == found


BYTES = encode(ADVERT, IPv4Address("192.168.1.202"), const.GROUP_IPV4)


@pytest.mark.parametrize(
    ("payload", "ttl", "line"),
    [
        (BYTES, 64, "invalid TTL/HL. Received 64 and expect 255"),
        (BYTES[:-1], 255, "vrrp packet too short, length 43 and expect 44"),
        (BYTES + b"\0", 255, "vrrp packet too long, length 45 and expect 44"),
        (BYTES[:5], 255, "vrrp packet too short, length 25 and expect 28"),
        (b"\x22" + BYTES[1:], 255, "Invalid packet type. 2 and expect 1"),
        (b"\x41" + BYTES[1:], 255, "wrong version. Received 4 and expect 2 or 3"),
        (BYTES[:6] + b"\0\0" + BYTES[8:], 255, "Invalid VRRPv2 checksum"),
        (encode(replace(ADVERT, auth_type=7), IPv4Address(1), const.GROUP_IPV4), 255, "Invalid auth type: 7"),
        (encode(replace(ADVERT, vrid=0), IPv4Address(1), const.GROUP_IPV4), 255, ""),
        (encode(replace(ADVERT, advert_int=0), IPv4Address(1), const.GROUP_IPV4), 255, ""),
    ],
)
def test_malformed(payload: bytes, ttl: int, line: str) -> None:
    with pytest.raises(WireError) as caught:
        decode(payload, PEER, const.GROUP_IPV4, ttl)
    found = malformed(caught.value, packet(payload, ttl))
    assert (found.kind, found.reason) == (caught.value.fault.name.lower(), str(caught.value))
    assert found.line == line


def test_malformed_over_ipv6() -> None:
    """keepalived counts no IP header there, and has no version 2."""
    source = IPv6Address("fe80::2")
    short, old = (
        packet(b"\x31\1\1\1\0\1\0\0", 255, source, const.GROUP_IPV6),
        packet(BYTES, 255, source, const.GROUP_IPV6),
    )
    for each, line in (
        (short, "vrrp packet too short, length 8 and expect 24"),
        (old, "wrong version. Received 2 and expect 3"),
    ):
        with pytest.raises(WireError) as caught:
            decode(each.payload, each.source, each.destination, each.ttl)
        assert malformed(caught.value, each).line == line


# --- unicast ----------------------------------------------------------------------------------------------------------

OWN = IPv4Address("192.168.1.201")
STRANGER = IPv4Address("192.168.1.203")
UNICAST = replace(OURS, unicast_peers=(UnicastPeer(PEER, min_ttl=250, max_ttl=254),))
CHECKED = replace(UNICAST, check_unicast_src=True)


@pytest.mark.parametrize(
    ("heard", "settings", "kind", "reason", "line"),
    [
        (
            packet(),
            UNICAST,
            "ttl",
            "its TTL is 255, of this peer it must be 250..254",
            "invalid TTL/HL. Received 255 and expect 250-254",
        ),
        (
            packet(ttl=249, destination=OWN),
            UNICAST,
            "ttl",
            "its TTL is 249, of this peer it must be 250..254",
            "invalid TTL/HL. Received 249 and expect 250-254",
        ),
        (packet(ttl=254), UNICAST, "multicast", "it came to all of 224.0.0.18, we speak to peers", ""),
        (packet(destination=OWN), OURS, "unicast", "it came to 192.168.1.201 alone, we speak to all of 224.0.0.18", ""),
        (
            packet(destination=IPv4Address("224.0.0.99")),
            OURS,
            "multicast",
            "it came to all of 224.0.0.99, we speak to 224.0.0.18",
            "",
        ),
        (
            packet(source=STRANGER, destination=OWN),
            CHECKED,
            "peer",
            "it is none of our unicast peers",
            "unicast source address 192.168.1.203 not a unicast peer",
        ),
    ],
)
def test_where_it_came_from_and_to(
    heard: AdvertReceived, settings: InstanceSettings, kind: str, reason: str, line: str
) -> None:
    assert objection(ADVERT, heard, settings) == (kind, reason, line)


@pytest.mark.parametrize(
    ("heard", "settings"),
    [
        (packet(ttl=250, destination=OWN), UNICAST),
        (packet(ttl=254, destination=OWN), CHECKED),
        (packet(ttl=3, source=STRANGER, destination=OWN), UNICAST),
        (packet(destination=IPv4Address("224.0.0.99")), replace(OURS, group=IPv4Address("224.0.0.99"))),
        (packet(source=STRANGER), replace(OURS, check_unicast_src=True)),
    ],
)
def test_unicast_that_counts(heard: AdvertReceived, settings: InstanceSettings) -> None:
    assert objection(ADVERT, heard, settings) is None


@pytest.mark.parametrize(
    ("heard", "settings", "kind"),
    [
        (packet(), UNICAST, "multicast"),
        (packet(destination=OWN), OURS, "unicast"),
        (packet(source=STRANGER, destination=OWN), CHECKED, "peer"),
        (packet(ttl=254, destination=OWN), CHECKED, None),
        (packet(), OURS, None),
    ],
)
def test_what_is_against_it_besides_its_list(
    heard: AdvertReceived, settings: InstanceSettings, kind: str | None
) -> None:
    found = besides_its_list(heard, settings)
    assert (found and found.kind) == kind


def test_skip_check_adv_addr_takes_the_list_of_the_master_for_granted() -> None:
    other = replace(ADVERT, addresses=(VIP.address, IPv4Address("192.168.1.7")))
    skips = replace(CHECKED, skip_check_adv_addr=True)
    heard = packet(source=STRANGER, destination=OWN)
    assert objection(other, heard, skips, master=STRANGER) is None
    for master in (None, PEER):
        found = objection(other, heard, skips, master)
        assert found is not None
        assert found.kind == "addresses"
    assert objection(other, heard, CHECKED, master=STRANGER) is not None
    fewer = objection(replace(ADVERT, addresses=()), heard, skips, STRANGER)
    assert fewer is not None  # keepalived counts even then
    assert fewer.kind == "addresses"


def test_a_backup_that_skips_the_check_follows_whatever_its_master_lists() -> None:
    lone = backup(skip_check_adv_addr=True)
    lone.hear(200)
    lone.hear(200, after=1.0, addresses=(IPv4Address("192.168.1.7"),))
    assert lone.deadline == lone.router.master_down_interval
    assert lone.status.counters == {"adverts_received": 2} | lone.status.counters
    assert not {"tolerated", "rejected_addresses"} & lone.status.counters.keys()


def test_addresses_that_are_twice_in_the_list() -> None:
    twice = replace(OURS, addresses=(VIP, VIP))
    found = objection(ADVERT, packet(), twice)
    assert found is not None
    assert found.line == "ip address associated with VRID 60 not present in MASTER advert: 192.168.1.199"


def test_the_password_is_in_no_objection() -> None:
    found = objection(replace(ADVERT, auth_type=1, auth_data=b"secret!!"), packet(), PASS)
    assert found is not None
    assert "secret" not in found[1]
    assert "4321" not in found[1]


def test_auth_of() -> None:
    assert auth_of(OURS) == (const.AUTH_NONE, bytes(8))
    assert auth_of(PASS) == (const.AUTH_PASS, b"4321\0\0\0\0")
    assert auth_of(replace(PASS, version=3)) == (const.AUTH_NONE, b"")
