"""core/overhear: copies from below netfilter are matched with what was delivered; what was not delivered counts."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from pyvrrp.core import const
from pyvrrp.core.effects import Effect
from pyvrrp.core.events import AddressesChanged, AdvertOverheard, AdvertReceived, LinkChanged
from pyvrrp.core.fsm import State
from pyvrrp.core.overhear import Sender
from pyvrrp.core.settings import Address, UnicastPeer
from pyvrrp.core.wire import Advert, encode
from tests.lone import LOWER_PEER, OURS, PEER, Lone, backup, master, sent, texts, vip

NAMED = "This host's firewall (or rp_filter) drops VRRP from 192.168.1.202: it is heard below netfilter only. "


def overhear(
    lone: Lone, priority: int, source: Address = PEER, after: float = 0.0, to: Address = const.GROUP_IPV4
) -> list[Effect]:
    """A right advert, below netfilter."""
    settings = lone.router.settings
    advert = Advert(2, settings.virtual_router_id, priority, 100, tuple(each.address for each in settings.addresses))
    return lone.give(AdvertOverheard("eth0", source, to, 255, encode(advert, source, to)), after)


def test_a_copy_of_what_was_delivered_does_nothing() -> None:
    lone = backup()
    lone.hear(200)
    assert overhear(lone, 200) == []
    assert lone.status.counters["adverts_received"] == 1
    assert "overheard" not in lone.status.counters


def test_copies_of_what_waited_while_the_loop_stood_still_do_nothing() -> None:
    lone = backup()
    for _ in range(3):
        lone.hear(200)
    assert [overhear(lone, 200) for _ in range(3)] == [[], [], []]


@pytest.mark.parametrize(("waited", "blames"), [(150, False), (1024, False), (1026, True)])
def test_nor_are_many_of_them_a_matter_of_the_firewall(waited: int, blames: bool) -> None:
    """A fast master's, all taken from the raw socket before the first copy is looked at; there is an end to it."""
    lone = backup()
    for _ in range(waited):
        lone.hear(200)
    said = [text for _ in range(waited) for text in texts(overhear(lone, 200))]
    assert [text.startswith(NAMED) for text in said] == [True] * blames


@pytest.mark.parametrize(("pause", "answered"), [(0.0, 3), (0.4, 3), (0.5, 1), (0.9, 1)])
def test_every_delivered_one_answers_for_one_copy(pause: float, answered: int) -> None:
    """And none for longer than half an interval."""
    lone = backup()
    for _ in range(3):
        lone.hear(200, after=pause)
    for _ in range(5):
        overhear(lone, 200)
    assert lone.status.counters["adverts_received"] == 3 + 5 - answered
    lone.hear(200)
    for _ in range(2):
        overhear(lone, 200)
    assert lone.status.counters["adverts_received"] == 3 + 5 - answered + 1 + 1


def test_a_copy_is_late_after_half_an_interval() -> None:
    lone = backup()
    lone.hear(200)
    overhear(lone, 200, after=0.4)
    assert lone.status.counters["adverts_received"] == 1


def test_the_first_undelivered_one_counts_already_and_blames_nobody() -> None:
    lone = backup()
    lone.hear(200)
    overhear(lone, 200)
    effects = overhear(lone, 200, after=1.0)
    assert (texts(effects), lone.deadline) == ([], lone.router.master_down_interval)
    assert "firewall" not in " ".join(lone.status.why)


def test_the_second_in_a_row_names_the_firewall() -> None:
    lone = backup()
    overhear(lone, 200)
    assert texts(overhear(lone, 200, after=1.0)) == [f"{NAMED}Let protocol 112 in: iptables -I INPUT -p 112 -j ACCEPT"]
    assert any(each.startswith(NAMED) for each in lone.status.why)
    assert lone.status.counters["overheard"] == 1
    assert lone.status.master is not None
    lone.now += 15.0
    assert not any(each.startswith(NAMED) for each in lone.status.why)


def test_it_is_named_once_a_minute() -> None:
    lone = backup()
    overhear(lone, 200)
    said = [second for second in range(1, 130) if texts(overhear(lone, 200, after=1.0))]
    assert said == [1, 61, 121]


def test_one_that_only_came_before_its_twin_is_counted_twice_and_forgotten() -> None:
    lone = backup()
    for _ in range(5):
        overhear(lone, 200, after=1.0)
        assert texts(lone.hear(200)) in ([], ["master is 192.168.1.202 with priority 200"])
    assert "overheard" not in lone.status.counters


def test_a_credit_is_worth_nothing_after_half_an_interval() -> None:
    lone = backup()
    lone.hear(200)  # and its copy is lost
    overhear(lone, 200, after=0.5)
    assert texts(overhear(lone, 200, after=1.0)) != []


def test_delivered_again() -> None:
    lone = backup()
    overhear(lone, 200)
    overhear(lone, 200)
    assert texts(lone.hear(200)) == ["VRRP from 192.168.1.202 passes this host's firewall again"]
    assert texts(lone.hear(200)) == []
    assert "firewall" not in " ".join(lone.status.why)


def test_a_master_yields_to_what_only_the_lower_socket_hears() -> None:
    lone = master()
    overhear(lone, 200)
    assert lone.state is State.BACKUP


def test_a_flaw_is_a_flaw_at_either_socket() -> None:
    lone = backup(auth_pass=b"4321")
    before = lone.deadline
    effects = overhear(lone, 200)
    assert lone.deadline == before
    assert "discarding advert from 192.168.1.202: it uses no authentication, we use PASS" in texts(effects)


def test_our_own_firewall_answers_for_every_sender_by_itself() -> None:
    lone = backup()
    overhear(lone, 200)
    lone.hear(150, LOWER_PEER)
    overhear(lone, 150, LOWER_PEER)
    overhear(lone, 200)
    assert [each for each in lone.status.why if "firewall" in each] == [
        f"{NAMED}Let protocol 112 in: iptables -I INPUT -p 112 -j ACCEPT."
    ]


@pytest.mark.parametrize(
    ("changes", "destination", "counts"),
    [
        ({}, const.GROUP_IPV4, True),
        ({}, OURS, False),
        ({"group": vip(1)}, const.GROUP_IPV4, False),
        ({"unicast_peers": (UnicastPeer(PEER),)}, OURS, True),
        ({"unicast_peers": (UnicastPeer(PEER),)}, vip(9), False),
        ({"unicast_peers": (UnicastPeer(PEER),)}, const.GROUP_IPV4, False),
    ],
    ids=str,
)
def test_only_what_could_have_been_delivered_counts(
    changes: dict[str, object], destination: Address, counts: bool
) -> None:
    """A router or a bridge sees packets that are for others, and no firewall is to blame that it does not get them."""
    lone = backup(**changes)  # type: ignore[arg-type]  # fields of an instance
    overhear(lone, 200, to=destination)
    overhear(lone, 200, to=destination)
    assert ("overheard" in lone.status.counters) is counts


def test_what_comes_in_this_host_s_name_is_no_matter_of_the_firewall() -> None:
    """The kernel refuses it: a loop in the network, another host that has our address, two interfaces in one LAN."""
    elsewhere = vip(77)
    lone = backup()
    lone.give(LinkChanged("eth1", present=True, up=True, mac=bytes(6)))
    lone.give(AddressesChanged("eth1", ((elsewhere, 24),)))
    for source in (OURS, elsewhere):
        said = [text for _ in range(3) for text in texts(overhear(lone, 200, source, after=1.0))]
        assert not any("firewall" in each for each in said)
    assert not any("firewall" in each for each in lone.status.why)
    assert lone.status.counters["rejected_own_address"] == 3
    assert "overheard" not in lone.status.counters


def test_invented_senders_are_not_remembered_for_ever() -> None:
    lone = backup()
    overhear(lone, 200)
    for last in range(1, 17):
        overhear(lone, 200, vip(last), after=0.001)
    assert texts(overhear(lone, 200)) == ["master is 192.168.1.202 with priority 200"]  # its first again


def test_packets_for_nobody_here_are_ignored() -> None:
    lone = backup()
    assert lone.give(AdvertOverheard("eth0", PEER, const.GROUP_IPV4, 255, b"\x21\x07" + bytes(18))) == []


def test_version_six_has_its_own_tool() -> None:
    assert "ip6tables -I INPUT" in Sender(ip_address("fe80::1")).sentence


def test_nothing_is_sent_for_a_copy() -> None:
    lone = master()
    lone.hear(50)
    assert sent(overhear(lone, 50)) == []


# --- a copy that comes first ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pause", [0.0, 0.01, 0.49])
def test_what_was_looked_at_when_its_copy_came_is_not_looked_at_again(pause: float) -> None:
    lone = backup()
    overhear(lone, 200)
    lone.hear(200, after=pause)
    assert lone.status.counters["adverts_received"] == 1
    lone.hear(200, after=0.01)
    assert lone.status.counters["adverts_received"] == 2
    assert overhear(lone, 200) == [], "the second one's copy"
    assert lone.status.counters["adverts_received"] == 2
    overhear(lone, 200)
    assert lone.status.counters["adverts_received"] == 3, "the first one's copy was no credit"


def test_a_bad_one_is_counted_once() -> None:
    lone = backup()
    ours = lone.router.settings
    bad = encode(Advert(2, ours.virtual_router_id, 200, 200, (ours.addresses[0].address,)), PEER, const.GROUP_IPV4)
    lone.give(AdvertOverheard("eth0", PEER, const.GROUP_IPV4, 255, bad))
    lone.packet(bad)
    assert [count for name, count in lone.status.counters.items() if name.startswith("rejected")] == [1]


@pytest.mark.parametrize(("priority", "ttl", "pause"), [(201, 255, 0.0), (200, 254, 0.0), (200, 255, 0.5)])
def test_nothing_less_than_the_same_packet_at_once_is_its_twin(priority: int, ttl: int, pause: float) -> None:
    lone = backup()
    overhear(lone, 200)
    before = sum(lone.status.counters[name] for name in lone.status.counters if name.startswith(("adverts_r", "rej")))
    settings = lone.router.settings
    advert = Advert(2, settings.virtual_router_id, priority, 100, tuple(each.address for each in settings.addresses))
    lone.packet(encode(advert, PEER, const.GROUP_IPV4), after=pause, ttl=ttl)
    after = sum(lone.status.counters[name] for name in lone.status.counters if name.startswith(("adverts_r", "rej")))
    assert after == before + 1


def test_one_that_was_sent_to_somebody_else_is_no_twin() -> None:
    lone = backup()
    overhear(lone, 200)
    settings = lone.router.settings
    advert = Advert(2, settings.virtual_router_id, 200, 100, tuple(each.address for each in settings.addresses))
    payload = encode(advert, PEER, const.GROUP_IPV4)
    lone.give(AdvertReceived("eth0", PEER, OURS, 255, payload))
    assert sum(count for name, count in lone.status.counters.items() if name.startswith("rejected")) == 1
