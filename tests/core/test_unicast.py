"""Unicast peers, a sender of one's own, another group: what is sent, and what is a fault."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from pyvrrp.core.effects import RenewLease, SendAdvert
from pyvrrp.core.events import AdvertFailed, Stopping
from pyvrrp.core.fsm import State
from pyvrrp.core.settings import UnicastPeer
from tests.lone import OURS, PEER, Lone, backup, kinds, master, only, sent, texts
from tests.simulation import instance

OTHER = IPv4Address("192.168.1.203")
UNICAST = instance(unicast_peers=(UnicastPeer(PEER), UnicastPeer(OTHER)), unicast_ttl=64)


def test_one_advert_to_each_peer_with_the_ttl_and_one_renewal() -> None:
    lone = master(UNICAST)
    effects = lone.timer()
    assert kinds(effects) == ["SendAdvert", "SendAdvert", "RenewLease"]
    first, second = only(SendAdvert, effects)
    assert first == SendAdvert("VI_1", "eth0", OURS, PEER, first.payload, ttl=64)
    assert second == replace(first, destination=OTHER)
    assert len(only(RenewLease, effects)) == 1


def test_version_3_sums_the_address_of_each_peer() -> None:
    first, second = only(SendAdvert, Lone(replace(UNICAST, version=3)).become_master())
    assert first.payload != second.payload
    assert first.payload[8:] == second.payload[8:]


def test_priority_0_goes_to_every_peer() -> None:
    lone = master(UNICAST)
    released = lone.give(Stopping("test"))
    assert [each.priority for each in sent(released)] == [0, 0]


def test_the_last_advert_before_yielding_goes_to_every_peer_and_renews_nothing() -> None:
    lone = master(replace(UNICAST, higher_prio_send_advert=True))
    effects = lone.hear(200, after=0.9)
    assert kinds(effects)[:3] == ["SendAdvert", "SendAdvert", "ResetConnections"]


def test_a_peer_is_followed() -> None:
    lone = backup(UNICAST)
    lone.hear(200)
    assert lone.status.master is not None
    assert lone.status.master.address == PEER


def test_without_peers_it_is_multicast_unless_that_is_a_fault() -> None:
    (advert,) = only(SendAdvert, Lone(instance()).become_master())
    assert str(advert.destination) == "224.0.0.18"
    lone = Lone(instance(unicast_fault_no_peer=True))
    said = texts(lone.look())
    assert lone.state is State.FAULT
    assert "Cannot use unicast without any peers - going to fault state" in said
    assert lone.status.why[0] == "VI_1 is FAULT: it speaks unicast and has no peers."


def test_another_sender_and_another_group() -> None:
    group, source = IPv4Address("224.0.0.99"), IPv4Address("10.9.9.9")
    (advert,) = only(SendAdvert, Lone(instance(group=group, source=source)).become_master())
    assert (advert.destination, advert.source) == (group, source)


def test_a_tracked_sender_that_goes_is_a_fault_and_comes_back() -> None:
    lone = master(instance(source=OURS, track_source=True))
    lone.addresses(primary=OTHER)
    assert "interface eth0 does not have 192.168.1.201, the source of its adverts" in lone.status.why[0]
    assert lone.status.state == "FAULT"
    lone.addresses(primary=OURS)
    assert lone.status.state == "BACKUP"


@pytest.mark.parametrize(("tracked", "state"), [(True, State.FAULT), (False, State.MASTER)])
def test_dont_track_primary_stays_master_without_a_link(tracked: bool, state: State) -> None:
    lone = master(instance(track_primary=tracked))
    lone.link(up=False)
    assert lone.state is state


def test_dont_track_primary_stays_master_when_adverts_cannot_leave() -> None:
    lone = master(instance(track_primary=False))
    for _ in range(5):
        lone.timer()
        lone.give(AdvertFailed("VI_1", "Network is unreachable"))
    assert lone.state is State.MASTER
