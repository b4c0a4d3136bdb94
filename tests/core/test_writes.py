"""core/writes: the stages of a database's writes by themselves: what is asked for, under which number, how often."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyvrrp.core.effects import CloseWrites, OpenWrites, RefuseConnections, ResetConnections
from pyvrrp.core.settings import Account, DatabaseSettings, DemoteSettings
from pyvrrp.core.writes import Stage, Terms, Writes
from tests.simulation import VIP, instance

DATABASE = DatabaseSettings(Account(), demote=DemoteSettings(timeout=0.4))
BOUND = instance(database=DATABASE)
FREE = instance()
REFUSED, ADMITTED = RefuseConnections("VI_1", (VIP.address,)), RefuseConnections("VI_1", ())


def opened() -> Writes:
    """Of a MASTER whose clients are in; the next number is 2."""
    writes = Writes(BOUND, Terms())
    writes.begin_open(BOUND)
    writes.opened()
    return writes


def test_without_a_database_it_is_open_for_good_and_nothing_is_asked_for() -> None:
    writes = Writes(FREE, Terms())
    assert (writes.open, writes.opening, writes.until, writes.bound(FREE)) == (True, False, None, 0.0)
    assert writes.begin_open(FREE) == writes.leave(FREE) == writes.close(FREE, "it is BACKUP") == writes.over() == []
    assert (writes.stage, writes.until) == (Stage.OPEN, None)


def test_it_is_closed_once_at_the_beginning() -> None:
    writes = Writes(BOUND, Terms())
    assert (writes.stage, writes.open, writes.opening) == (Stage.UNASKED, False, False)
    assert not writes.current(1)
    assert writes.close(BOUND, "it is BACKUP") == [CloseWrites("VI_1", 1, "it is BACKUP")]
    assert writes.close(BOUND, "it is FAULT") == []
    assert (writes.stage, writes.current(1), writes.current(0)) == (Stage.CLOSED, True, False)


def test_opening_waits_for_the_answer_to_this_very_question() -> None:
    writes = Writes(BOUND, Terms())
    writes.close(BOUND, "it is BACKUP")
    assert not writes.awaits_opening(1), "that was no opening"
    assert writes.begin_open(BOUND) == [OpenWrites("VI_1", 2)]
    assert (writes.opening, writes.open) == (True, False)
    assert [writes.awaits_opening(term) for term in (1, 2, 3)] == [False, True, False]
    assert writes.opened() == []
    assert (writes.opening, writes.open, writes.awaits_opening(2)) == (False, True, False)


def test_forced() -> None:
    assert Writes(BOUND, Terms()).begin_open(BOUND, forced=True) == [OpenWrites("VI_1", 1, forced=True)]


def test_a_master_that_leaves_on_purpose_closes_within_a_bound_and_refuses() -> None:
    writes = opened()
    assert writes.begin_close(BOUND, "drained", 7.0) == [CloseWrites("VI_1", 2, "drained"), REFUSED]
    assert writes.stage is Stage.CLOSING
    assert writes.until == pytest.approx(7.45)
    assert writes.bound(BOUND) == pytest.approx(0.45)
    assert writes.leave(BOUND) == [ResetConnections((VIP.address,))]
    assert [writes.stage, writes.until] == [Stage.CLOSED, None]
    assert writes.close(BOUND, "it is BACKUP") == [], "it was asked for"
    assert writes.over() == [ADMITTED]
    assert writes.over() == [], "once"


@pytest.mark.parametrize("stage", [Stage.OPENING, Stage.OPEN])
def test_leaving_at_once_closes_without_waiting(stage: Stage) -> None:
    writes = opened()
    writes.stage = stage
    assert writes.close(BOUND, "a better master") == [CloseWrites("VI_1", 2, "a better master")]
    assert (writes.stage, writes.until) == (Stage.CLOSED, None)


def test_leaving_at_once_while_closing_asks_no_second_time() -> None:
    writes = opened()
    writes.begin_close(BOUND, "drained", 7.0)
    assert writes.close(BOUND, "a better master") == []
    assert (writes.stage, writes.until, writes.current(2)) == (Stage.CLOSED, None, True)


def test_opening_ends_what_was_waited_for_and_lets_the_refused_in() -> None:
    writes = opened()
    writes.begin_close(BOUND, "drained", 7.0)
    writes.begin_open(BOUND)
    assert writes.until is None
    assert writes.opened() == [ADMITTED]
    assert writes.opened() == []


def test_every_address_is_refused_and_reset() -> None:
    second = replace(VIP, address=VIP.address + 1)
    both, writes = replace(BOUND, excluded=(second,)), opened()
    assert writes.begin_close(both, "drained", 7.0)[1] == RefuseConnections("VI_1", (VIP.address, second.address))
    assert writes.leave(both) == [ResetConnections((VIP.address, second.address))]


# --- reload -----------------------------------------------------------------------------------------------------------


def test_a_reload_that_leaves_the_server_alone_asks_for_nothing() -> None:
    patient = replace(BOUND, database=replace(DATABASE, demote=DemoteSettings(timeout=3.0)))
    writes = opened()
    assert writes.follow(BOUND, patient, master=True) == []
    assert writes.follow(FREE, FREE, master=True) == []
    assert writes.open


def test_a_reload_that_brings_a_database_opens_or_closes_it() -> None:
    writes = Writes(FREE, Terms())
    assert writes.follow(FREE, BOUND, master=True) == [OpenWrites("VI_1", 1)]
    assert writes.opening
    writes = Writes(FREE, Terms())
    closed = CloseWrites("VI_1", 1, "it has come with the configuration")
    assert writes.follow(FREE, BOUND, master=False) == [closed]
    assert writes.stage is Stage.CLOSED


def test_a_reload_that_takes_it_away_waits_for_nothing() -> None:
    writes = opened()
    writes.begin_close(BOUND, "drained", 7.0)
    assert writes.follow(BOUND, FREE, master=True) == [ADMITTED]
    assert (writes.open, writes.until) == (True, None)


@pytest.mark.parametrize(
    "other",
    [replace(BOUND, database=replace(DATABASE, account=Account(port=3307))), replace(BOUND, name="VI_X")],
    ids=["another account", "another name"],
)
def test_another_server_is_told_from_the_beginning(other: object) -> None:
    writes = opened()
    assert writes.follow(BOUND, other, master=True) == [OpenWrites(other.name, 2)]  # type: ignore[attr-defined, arg-type]
    (closed,) = writes.follow(other, BOUND, master=False)  # type: ignore[arg-type]
    assert closed == CloseWrites("VI_1", 3, "it has come with the configuration")


# --- several lives ----------------------------------------------------------------------------------------------------


def test_the_numbers_of_a_second_life_are_higher() -> None:
    terms = Terms()
    first, second = Writes(BOUND, terms), Writes(BOUND, terms)
    assert first.begin_open(BOUND) == [OpenWrites("VI_1", 1)]
    assert second.close(BOUND, "it is BACKUP") == [CloseWrites("VI_1", 2, "it is BACKUP")]
    assert first.awaits_opening(1)
    assert not second.current(1)


def test_refusals_are_lifted_under_the_name_that_they_were_made_under() -> None:
    writes, later = opened(), Writes(replace(BOUND, name="VI_X"), Terms())
    writes.begin_close(BOUND, "removed", 7.0)
    later.inherit(writes)
    assert writes.over() == []
    assert later.over() == [ADMITTED]
