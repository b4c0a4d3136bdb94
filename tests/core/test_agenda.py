"""core/agenda: the earliest deadline of many, however they move."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from pyvrrp.core.agenda import Agenda


@dataclass(eq=False)
class Sleeper:
    """A party whose deadline is set by the test."""

    due: float | None

    def next_deadline(self) -> float | None:
        return self.due


def agenda(*sleepers: Sleeper) -> Agenda[Sleeper]:
    made: Agenda[Sleeper] = Agenda()
    for each in sleepers:
        made.note(each)
    return made


def test_nobody() -> None:
    assert agenda().next() is None
    assert agenda(Sleeper(None)).next() is None
    assert list(agenda().due(1e9)) == []


def test_the_earliest_first() -> None:
    late, early, later = Sleeper(3.0), Sleeper(1.0), Sleeper(5.0)
    made = agenda(late, early, later)
    assert made.next() == 1.0
    assert list(made.due(0.9)) == []
    assert list(made.due(3.0)) == [early, late]
    assert made.next() == 5.0


def test_equal_deadlines_in_the_order_they_came() -> None:
    first, second = Sleeper(1.0), Sleeper(1.0)
    assert list(agenda(first, second).due(1.0)) == [first, second]


def test_a_deadline_moved_back_is_found_out_without_a_note() -> None:
    sleeper, other = Sleeper(1.0), Sleeper(2.0)
    made = agenda(sleeper, other)
    sleeper.due = 4.0
    assert made.next() == 2.0
    assert list(made.due(3.0)) == [other]
    assert made.next() == 4.0


def test_a_deadline_that_went_away() -> None:
    sleeper = Sleeper(1.0)
    made = agenda(sleeper)
    sleeper.due = None
    assert made.next() is None
    sleeper.due = 2.0
    made.note(sleeper)
    assert made.next() == 2.0


def test_a_deadline_moved_forward_calls_once() -> None:
    sleeper = Sleeper(10.0)
    made = agenda(sleeper)
    sleeper.due = 5.0
    made.note(sleeper)
    assert made.next() == 5.0
    assert list(made.due(20.0)) == [sleeper]


def test_one_entry_is_enough() -> None:
    sleeper = Sleeper(1.0)
    made = agenda(sleeper)
    for _ in range(1000):
        made.note(sleeper)
        sleeper.due = (sleeper.due or 0.0) + 1.0
        made.note(sleeper)
    assert len(made._heap) == 1


@given(
    moves=st.lists(
        st.tuples(st.integers(0, 3), st.none() | st.integers(0, 20).map(float), st.booleans()), min_size=1, max_size=40
    )
)
def test_as_a_plain_minimum(moves: list[tuple[int, float | None, bool]]) -> None:
    """Whatever the deadlines do, the agenda says what the minimum over all says; moving back needs no note."""
    sleepers = [Sleeper(None) for _ in range(4)]
    made = agenda(*sleepers)
    for number, due, ask in moves:
        before, sleepers[number].due = sleepers[number].due, due
        if before is None or due is None or due < before:
            made.note(sleepers[number])
        if ask:
            assert made.next() == min((each.due for each in sleepers if each.due is not None), default=None)
    called = list(made.due(10.0))
    wanted = [each for each in sleepers if each.due is not None and each.due <= 10.0]
    assert sorted(map(id, called)) == sorted(map(id, wanted))
    assert [each.due for each in called] == sorted(each.due or 0.0 for each in wanted)


def test_it_can_be_copied_with_everything_in_it() -> None:
    """As a recording that begins in the midst of things does: plain data, which goes on as the original does."""
    assert all(type(each) in (list, dict, int) for each in vars(agenda(Sleeper(1.0))).values())
