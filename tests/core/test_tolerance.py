"""core/tolerance: for how long a neighbour with another list of addresses counts, and what is said meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyvrrp.core.events import ConfigReplaced
from pyvrrp.core.fsm import State
from pyvrrp.core.tolerance import span
from tests.lone import LOWER_PEER, PEER, backup, master, texts, vip
from tests.simulation import SECOND, VIP, instance, settings

BOTH = (VIP.address, SECOND.address)
OTHER = (vip(77),)
DIFFERENCE = "it advertises 192.168.1.199, 192.168.1.200, we have 192.168.1.200"


def test_a_neighbour_that_has_an_address_more_counts_for_a_while() -> None:
    lone = backup(list_tolerance=90.0)
    said = f"192.168.1.202 is followed although {DIFFERENCE}: reload the node that is behind within 1 min 30 s"
    assert said in texts(lone.hear(200, addresses=BOTH))
    assert lone.deadline == lone.router.master_down_interval
    assert lone.status.counters["tolerated"] == 1
    assert lone.status.why[-1].endswith("within 1 min 30 s; after that its adverts are discarded.")


def test_the_time_runs_from_its_first_such_advert() -> None:
    lone = backup(list_tolerance=10.0)
    for _ in range(10):
        lone.hear(200, addresses=BOTH, after=1.0)
    assert lone.status.counters["tolerated"] == 10
    before = lone.deadline
    assert f"discarding advert from 192.168.1.202: {DIFFERENCE}" in texts(lone.hear(200, addresses=BOTH, after=1.0))
    assert before is not None
    assert lone.deadline == before - 1.0
    assert "followed" not in " ".join(lone.status.why)


def test_it_is_said_once_a_minute() -> None:
    lone = backup(list_tolerance=200.0)
    heard = [" ".join(texts(lone.hear(200, addresses=BOTH, after=1.0))) for _ in range(150)]
    assert [second for second, said in enumerate(heard) if "followed" in said] == [0, 60, 120]


def test_a_neighbour_that_is_gone_is_spoken_of_no_more() -> None:
    lone = backup(list_tolerance=90.0)
    lone.hear(200, addresses=BOTH)
    lone.now += 20.0
    assert "followed" not in " ".join(lone.status.why)


def test_it_begins_anew_once_the_lists_agreed() -> None:
    lone = backup(list_tolerance=10.0)
    lone.hear(200, addresses=BOTH)
    assert "192.168.1.202 has the same virtual addresses again" in texts(lone.hear(200, after=9.0))
    lone.hear(200, addresses=BOTH, after=1.0)
    assert lone.status.counters["tolerated"] == 2


def test_it_begins_anew_with_another_list_of_our_own() -> None:
    lone = backup(list_tolerance=10.0)
    lone.hear(200, addresses=BOTH)
    ours = replace(lone.router.settings, addresses=(VIP, replace(VIP, address=vip(50))))
    lone.give(ConfigReplaced(settings(ours)), after=9.0)
    lone.hear(200, addresses=BOTH, after=5.0)
    assert lone.status.counters["tolerated"] == 2


def test_it_begins_anew_for_one_that_was_away() -> None:
    lone = backup(list_tolerance=10.0)
    lone.hear(200, addresses=BOTH)
    lone.hear(200, addresses=BOTH, after=11.0)
    assert lone.status.counters["tolerated"] == 2


@pytest.mark.parametrize("changes", [{"list_tolerance": 0.0}, {}], ids=["not allowed", "nothing in common"])
def test_a_list_that_does_not_count(changes: dict[str, object]) -> None:
    lone = backup(**changes)  # type: ignore[arg-type]  # fields of an instance
    before = lone.deadline
    lone.hear(200, addresses=OTHER if not changes else BOTH)
    assert lone.deadline == before
    assert lone.status.counters["rejected_addresses"] == 1


def test_the_master_that_was_followed_may_change_to_anything() -> None:
    lone = backup()
    lone.hear(200)
    lone.hear(200, addresses=OTHER, after=1.0)
    assert lone.status.counters["tolerated"] == 1
    lone.hear(210, LOWER_PEER, addresses=OTHER)
    assert lone.status.counters["rejected_addresses"] == 1


@pytest.mark.clause("9568:5.2.5-zero")
def test_the_master_that_was_followed_may_not_change_to_nothing() -> None:
    lone = backup()
    lone.hear(200)
    lone.hear(200, after=1.0, addresses=())
    assert lone.deadline == 2.609375
    assert lone.status.counters["rejected_addresses"] == 1


def test_a_better_one_is_given_way_to() -> None:
    lone = master()
    lone.hear(200, addresses=BOTH)
    assert lone.state is State.BACKUP


def test_a_wrong_password_is_not_tolerated_beside() -> None:
    lone = backup(auth_pass=b"4321")
    lone.hear(200, addresses=BOTH)
    assert "tolerated" not in lone.status.counters


def test_silence_as_long_as_the_tolerance_does_not_begin_it_anew() -> None:
    lone = backup(list_tolerance=10.0)
    lone.hear(200, addresses=BOTH)
    lone.hear(200, addresses=BOTH, after=10.0)
    assert lone.status.counters["tolerated"] == 1


def test_the_sentence_is_about_its_latest_list() -> None:
    lone = backup(list_tolerance=10.0)
    lone.hear(200, addresses=BOTH)
    lone.hear(200, addresses=(*BOTH, *OTHER), after=1.0)
    assert lone.status.why[-1] == (
        "192.168.1.202 is followed although it advertises 192.168.1.199, 192.168.1.200, 192.168.1.77, we have "
        "192.168.1.200: reload the node that is behind within 9 s; after that its adverts are discarded."
    )


@pytest.mark.parametrize(("advert_int", "shown"), [(1.0, 15.0), (10.0, 30.390625)], ids=["as all", "slow adverts"])
def test_the_sentence_goes_with_its_neighbour(advert_int: float, shown: float) -> None:
    """It stays for as long as the neighbour may be followed."""
    lone = backup(list_tolerance=300.0, advert_int=advert_int, priority=156)
    lone.hear(200, addresses=BOTH)
    heard = lone.now
    lone.now = heard + shown - 0.1
    assert "followed although" in lone.status.why[-1]
    lone.now = heard + shown
    assert "followed although" not in lone.status.why[-1]


@pytest.mark.parametrize(("silence", "accepted"), [(10.0, 16), (10.5, 17)])
def test_neighbours_are_remembered_for_as_long_as_they_are_tolerated(silence: float, accepted: int) -> None:
    lone = backup(list_tolerance=10.0)
    for last in range(1, 17):
        lone.hear(50, vip(last), addresses=BOTH)
    lone.hear(50, vip(17), addresses=BOTH, after=silence)
    assert lone.status.counters["tolerated"] == accepted


def test_invented_neighbours_have_an_end() -> None:
    lone = backup(instance(list_tolerance=10.0))
    for last in range(1, 20):
        lone.hear(50, vip(last), addresses=BOTH)
    assert lone.status.counters["tolerated"] == 16
    assert lone.status.counters["rejected_addresses"] == 3
    lone.hear(50, PEER, after=11.0, addresses=BOTH)
    assert lone.status.counters["tolerated"] == 17


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (252.0, "4 min 12 s"), (300.0, "5 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert span(seconds) == text
