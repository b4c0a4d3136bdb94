"""A MASTER that receives bad packets four times a second keeps its cadence (keepalived stops sending)."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from typing import Any, Final

import pytest

from pyvrrp.core import const
from pyvrrp.core.wire import Advert, encode
from tests.lab.agents import MASTER
from tests.lab.routers import version2
from tests.lab.site import Host, Site
from tests.lab.watch import Frame

pytestmark = pytest.mark.lab

ATTACK: Final = 10.0  # seconds
PACE: Final = 0.25  # seconds between two bad packets of a kind
SOURCE: Final = IPv4Address("192.168.1.10")
OTHERS: Final = (IPv4Address("192.0.2.1"),)


@dataclass(frozen=True)
class Attack:
    """A kind of bad packet, and the name of the counter that it ends up in. Each has a virtual router of its own."""

    counter: str
    packet: Callable[[Advert], bytes]
    ttl: int = const.TTL


def plain(advert: Advert) -> bytes:
    """The bytes of an advert from SOURCE."""
    return encode(advert, SOURCE, const.GROUP_IPV4)


ATTACKS: Final = {
    1: Attack("password", lambda advert: plain(replace(advert, auth_data=b"guessed!"))),
    2: Attack("checksum", lambda advert: plain(advert)[:6] + b"\xde\xad" + plain(advert)[8:]),
    3: Attack("ttl", plain, ttl=254),
    4: Attack("interval", lambda advert: plain(replace(advert, advert_int=200))),
    5: Attack("addresses", lambda advert: plain(replace(advert, addresses=OTHERS))),
    6: Attack("length", lambda advert: plain(advert)[:-5]),
    7: Attack("version", lambda advert: plain(replace(advert, version=3, auth_data=b"", auth_type=0))),
    8: Attack("authentication_type", lambda advert: plain(replace(advert, auth_type=0))),
    9: Attack("type", lambda advert: b"\x22" + plain(advert)[1:]),
}


def bait(vrid: int) -> Advert:
    """What would silence the MASTER of this virtual router, were there nothing wrong with it."""
    return Advert(2, vrid, 254, 100, (IPv4Address(f"10.0.0.{vrid}"),), const.AUTH_PASS, b"4321\0\0\0\0")


@dataclass(frozen=True)
class Aftermath:
    """What was seen while the attack went on."""

    adverts: dict[int, list[Frame]]
    instances: dict[int, dict[str, Any]]
    lasted: float  # seconds


def attack(client: Host) -> None:
    """Send every kind of bad packet at its pace."""
    with client.namespace.inside():
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, const.PROTOCOL)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, SOURCE.packed)
    with sock:
        for _ in range(round(ATTACK / PACE)):
            for vrid, kind in ATTACKS.items():
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, kind.ttl)
                sock.sendto(kind.packet(bait(vrid)), (str(const.GROUP_IPV4), 0))
            time.sleep(PACE)


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    with Site(tmp_path_factory.mktemp("hostile")) as site:
        capture = site.capture()
        victim = site.pyvrrpd(site.a, *(version2(250, vrid=vrid, vips=(f"10.0.0.{vrid}",)) for vrid in ATTACKS))
        assert all(victim.becomes(MASTER, vrid) for vrid in ATTACKS)
        began = time.time()
        attack(site.client)
        ended = time.time()
        sent = [each for each in capture.adverts(site.a.address) if began <= each.at < ended]
        yield Aftermath(
            {vrid: [each for each in sent if each.vrid == vrid] for vrid in ATTACKS},
            {vrid: victim.instance(vrid) for vrid in ATTACKS},
            ended - began,
        )


@pytest.mark.parametrize("vrid", ATTACKS, ids=lambda vrid: ATTACKS[vrid].counter)
def test_a_master_under_attack_keeps_its_cadence_and_stays_master(aftermath: Aftermath, vrid: int) -> None:
    instance = aftermath.instances[vrid]
    assert instance["counters"][f"rejected_{ATTACKS[vrid].counter}"] == round(ATTACK / PACE)
    assert instance["rejected"]["source"] == str(SOURCE)
    assert abs(len(aftermath.adverts[vrid]) - aftermath.lasted) <= 2  # one a second, on a machine that may be busy
    assert {each.priority for each in aftermath.adverts[vrid]} == {250}
    assert instance["state"] == MASTER
    assert instance["counters"]["became_master"] == 1
    assert instance["counters"]["adverts_received"] == 0


def test_one_good_packet_would_have_done(site: Site) -> None:
    """The bait is bait: without its flaw it silences the MASTER."""
    victim = site.pyvrrpd(site.a, version2(250, vrid=1, vips=("10.0.0.1",)))
    assert victim.becomes(MASTER, 1)
    with site.client.namespace.inside():
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, const.PROTOCOL)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, SOURCE.packed)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, const.TTL)
    with sock:
        sock.sendto(plain(bait(1)), (str(const.GROUP_IPV4), 0))
        assert victim.becomes("BACKUP", 1)
