"""core/rivals, complaints and trouble: who is turned away, what is likely wrong, whether two may hold an address."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyvrrp.core import const, rivals
from pyvrrp.core.complaints import Complaints
from pyvrrp.core.events import AdvertReceived, HolderHeard
from pyvrrp.core.fsm import State
from pyvrrp.core.receive import Objection
from pyvrrp.core.settings import Address, UnicastPeer
from pyvrrp.core.snapshot import RejectedStatus, RivalStatus
from pyvrrp.core.wire import Advert, encode
from pyvrrp.errors import WireFault
from tests.lone import PEER, Lone, announced, backup, kinds, master, texts, vip
from tests.simulation import VIP, instance

OWN = {"auth_pass": b"4321"}
WRONG = {"auth_type": 1, "auth_data": b"1234\0\0\0\0"}


def guarded(**changes: object) -> Lone:
    return master(**(OWN | changes))  # type: ignore[arg-type]


def contested(lone: Lone) -> bool:
    return lone.status.contested


def known(lone: Lone) -> list[RivalStatus]:
    return list(lone.status.rivals)


def intrude(lone: Lone, after: float = 1.0, priority: int = 200, **fields: object) -> list[str]:
    return texts(lone.hear(priority, after=after, **(WRONG | fields)))  # type: ignore[arg-type]  # fields of an advert


def test_a_master_of_another_password_is_named_with_what_to_do() -> None:
    lone = guarded()
    intrude(lone, 0.1)
    assert not contested(lone), "one packet is none"
    cause = "the passwords differ (auth_pass): give both nodes the same one"
    assert f"adverts from 192.168.1.202 are discarded: likely {cause}" in intrude(lone, 0.1)
    assert contested(lone)
    assert (
        "192.168.1.202 is master too by its own account; its adverts are discarded because its password is not ours: "
        f"two nodes may hold the address. Likely {cause}."
    ) in lone.status.why
    (rival,) = lone.status.rivals
    assert (rival.source, rival.priority, rival.kind, rival.count) == (PEER, 200, "password", 2)
    assert rival.last == lone.now
    assert rival.last - rival.since == pytest.approx(0.1)


def test_a_backup_that_hears_nobody_else_is_told_too() -> None:
    lone = backup(**OWN)  # type: ignore[arg-type]
    for _ in range(2):
        intrude(lone, 0.1)
    assert lone.status.contested
    assert any("192.168.1.202 is master by its own account" in each for each in lone.status.why)


def test_one_that_follows_a_master_is_not_concerned() -> None:
    lone = backup(**OWN)  # type: ignore[arg-type]
    lone.hear(200, vip(7), auth_type=1, auth_data=b"4321\0\0\0\0")
    for _ in range(2):
        intrude(lone, 0.1)
    assert not lone.status.contested
    assert lone.status.why[-1].startswith("It discards adverts from 192.168.1.202: its password is not ours")


@pytest.mark.parametrize(
    ("fields", "kind", "contested"),
    [
        ({}, "password", True),
        ({"addresses": (vip(77),)}, "vrid_clash", False),
        ({"priority": 0}, "password", False),
    ],
    ids=["mismatch", "another virtual router", "leaving"],
)
def test_who_contends(fields: dict[str, object], kind: str, contested: bool) -> None:
    lone = guarded()
    for _ in range(3):
        intrude(lone, 0.1, **fields)  # type: ignore[arg-type]
    assert (lone.status.rivals[0].kind, lone.status.contested) == (kind, contested)


def test_it_is_forgotten_when_it_is_silent() -> None:
    lone = guarded()
    for _ in range(2):
        intrude(lone, 0.1)
    lone.now += 15.0
    assert (lone.status.contested, len(lone.status.rivals)) == (False, 1)
    lone.now += 285.0
    assert known(lone) == []
    intrude(lone, 1.0)
    assert [each.count for each in known(lone)] == [1]


def test_the_link_is_told_again_once_it_fell_silent() -> None:
    lone = guarded()
    for _ in range(12):
        lone.timer()  # the announcements of the takeover are over
    for _ in range(3):
        intrude(lone, 0.01)
    told = []
    for _ in range(20):
        effects = lone.timer()
        told += [kinds(effects)[:1]] if announced(effects) else []
    assert told == 2 * [["SendAdvert"]], "once its silence is noticed, and once more, each beside an advert"


def test_a_backup_tells_nobody() -> None:
    lone = backup(**OWN)  # type: ignore[arg-type]
    for _ in range(3):
        intrude(lone, 0.01)
    assert lone.state is State.BACKUP
    assert lone.router.rival_fell_silent(lone.now) == []


def test_nonsense_does_not_contend() -> None:
    lone = guarded()
    for _ in range(3):
        lone.packet(b"\x21\x3c", after=0.1)
    (rival,) = lone.status.rivals
    assert (rival.source, rival.priority, rival.kind) == (PEER, None, "length")
    assert not lone.status.contested
    assert "no VRRP daemon sends this" in rival.cause


def test_a_damaged_advert_may_be_a_master() -> None:
    lone = guarded()
    for _ in range(3):
        lone.packet(b"\x21\x3c\xc8\x01\x01\x01\xff\xff" + VIP.address.packed + bytes(8), after=0.1)
    assert (lone.status.rivals[0].kind, lone.status.contested) == ("checksum", True)


def test_every_kind_of_mismatch_has_a_cause_of_its_own() -> None:
    causes = [rivals.cause(kind) for kind in (*rivals.MISMATCHES, rivals.CLASH, "own_address", "owner")]
    assert len(set(causes)) == len(causes)
    assert rivals.cause("no such kind") == rivals.cause(WireFault.TYPE.name.lower())


def test_invented_senders_have_an_end() -> None:
    complaints, against = Complaints(), Objection("password", "its password is not ours", "")
    for number in range(50):
        complaints.take(instance(), vip(number + 1), against, float(number))
    assert [each.source for each in complaints.recent(50.0)] == [vip(number) for number in range(50, 34, -1)]


# --- the memory of complaints, to the moment --------------------------------------------------------------------------

MISMATCH = Objection("password", "its password is not ours", "")
ADVERT = Advert(2, 60, 200, 100, (VIP.address,), 1, b"1234\0\0\0\0")
CAUSE = f"adverts from {PEER} are discarded: likely {rivals.cause('password')}"


def complain(complaints: Complaints, *moments: float, source: Address = PEER, advert: Advert | None = ADVERT) -> None:
    for moment in moments:
        complaints.take(instance(), source, MISMATCH, moment, advert)


def crowd(complaints: Complaints, now: float) -> None:
    """As many other senders as are remembered."""
    for last in range(1, 17):
        complain(complaints, now, source=vip(last), advert=None)


def test_the_latest_advert_that_was_turned_away() -> None:
    complaints = Complaints()
    complain(complaints, 100.0)
    complain(complaints, 101.5, source=vip(7))
    assert complaints.latest == RejectedStatus(vip(7), "its password is not ours", 101.5, 2)


def test_a_contender_falls_silent_once() -> None:
    complaints = Complaints()
    complain(complaints, 100.0, 101.0)
    assert [complaints.fell_silent(3.0, moment) for moment in (104.0, 104.1, 104.2)] == [False, True, False]


@pytest.mark.parametrize(
    "advert",
    [None, replace(ADVERT, priority=0), replace(ADVERT, addresses=(vip(77),))],
    ids=["none", "leaving", "clash"],
)
def test_nobody_believed_what_was_no_contender(advert: Advert | None) -> None:
    complaints = Complaints()
    complain(complaints, 100.0, 101.0, advert=advert)
    assert not complaints.fell_silent(3.0, 200.0)


def test_one_that_is_crowded_out_is_forgotten_altogether() -> None:
    complaints = Complaints()
    complain(complaints, 100.0, 101.0)
    crowd(complaints, 102.0)
    assert not complaints.fell_silent(3.0, 200.0)
    complain(complaints, 103.0)
    assert CAUSE in texts(complaints.take(instance(), PEER, MISMATCH, 104.0, ADVERT)), "as of a new one"


@pytest.mark.parametrize(("silence", "count"), [(300.0, 2), (300.1, 1)])
def test_a_sender_is_a_new_one_after_five_minutes(silence: float, count: int) -> None:
    complaints = Complaints()
    complain(complaints, 100.0, 100.0 + silence)
    assert complaints.rivals[PEER].count == count


def test_the_likely_cause_is_told_every_minute() -> None:
    complaints = Complaints()
    complain(complaints, 100.0)
    moments = (101.0, 160.9, 161.0, 220.9, 221.0)
    told = [each for each in moments if CAUSE in texts(complaints.take(instance(), PEER, MISMATCH, each, ADVERT))]
    assert told == [101.0, 161.0, 221.0]


def test_unicast_that_should_be_multicast() -> None:
    lone = master(unicast_peers=(UnicastPeer(PEER),))
    payload = encode(Advert(2, 60, 200, 100, (VIP.address,)), PEER, const.GROUP_IPV4)
    for _ in range(2):
        lone.give(AdvertReceived("eth0", PEER, const.GROUP_IPV4, 255, payload), after=0.1)
    (rival,) = lone.status.rivals
    assert rival.kind == "multicast"
    assert lone.status.contested


def test_another_holder_contests_too() -> None:
    lone = backup(duplicate_wait=None)
    lone.timer()
    lone.give(HolderHeard("eth0", VIP.address, bytes.fromhex("020000000099")))
    lone.timer()
    assert lone.status.contested
    assert [(each.address, each.mac) for each in lone.status.holders] == [(VIP.address, "02:00:00:00:00:99")]
