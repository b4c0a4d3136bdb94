"""A hundred thousand packets that nobody should send. scripts/fuzz sends more."""

from __future__ import annotations

from pyvrrp.core.fsm import State
from tests.fuzz import Result, Target, campaign, packets

PACKETS = 100_000


def test_no_packet_does_harm() -> None:
    total = Result()
    for result in campaign(PACKETS, jobs=1):
        total.add(result)
    assert not total.failures, total.failures[0]
    assert total.packets == PACKETS
    assert PACKETS / 20 < total.decoded < PACKETS / 2, "some must get far, most must not"
    assert total.taken > PACKETS / 1000


def test_the_nodes_are_what_they_should_be() -> None:
    for state in (State.MASTER, State.BACKUP):
        for grouped in (False, True):
            assert {each.state for each in Target(state, grouped).routers} == {state}


def test_a_series_is_the_same_every_time() -> None:
    assert list(packets(3, 500)) == list(packets(3, 500)) != list(packets(4, 500))
