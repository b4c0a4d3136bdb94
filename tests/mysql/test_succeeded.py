"""Whether the other server was active after this one: what is seen, heard and told while the own writes are closed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pyvrrp.mysql.closing import Closed
from pyvrrp.mysql.gtid import BinlogState
from pyvrrp.mysql.memory import Memory
from pyvrrp.mysql.opening import Opened
from pyvrrp.mysql.other import Other, Sight
from pyvrrp.mysql.standing import Standing
from pyvrrp.mysql.status import Beat
from pyvrrp.mysql.verdict import Word
from tests.mysql.test_standing import DOWN, FOLLOWS, READ_ONLY, SAID, SEEN, SETTINGS, Pair

STOPPED = replace(SEEN, replications=(replace(FOLLOWS, io="No", sql=False),))  # as of one that was active
GONE = replace(SAID, writes="closed", verdict="DOWN", position="0-1-12", beat=12)
FORCE = "`pyvrrpctl promote --force`"


class Former(Pair):
    """It was active last, and its server has just died."""

    def __init__(self) -> None:
        super().__init__(replace(SETTINGS, hold_down=0.0))
        self.see()
        self.tell()
        self.tell(GONE)
        self.standing.opened(Opened("", ("0-1-10..12",)), self.now, forced=False)
        self.standing.judged(replace(READ_ONLY, word=Word.UP))
        self.see(replace(STOPPED, read_only=False))
        self.standing.judged(DOWN)
        self.standing.closed(Closed(complete=True), self.now)
        self.now += 5.0

    def sight(self, *, open_: bool, position: str = "0-1-9", beat: int = 0) -> None:
        """Its server was asked."""
        self.other.beat = beat or self.other.beat
        self.other._take(Sight(self.now, self.now, open_, BinlogState.parse(position), False), "open" * open_)
        self.standing.weigh()

    def back(self) -> tuple[str, ...]:
        """Its server is here again; what speaks against it."""
        self.standing.judged(READ_ONLY)
        self.see(replace(STOPPED, uptime=1))
        return self.against()


@pytest.fixture
def former() -> Former:
    return Former()


def test_it_may_be_active_again_where_nobody_was(former: Former) -> None:
    assert former.back() == ()


def test_who_was_seen_open_while_the_own_server_was_away_was_active_last(former: Former) -> None:
    former.sight(open_=True)
    assert (former.remembered().active, former.remembered().successor) == (False, "node-a")
    former.now += 10.0
    (reason,) = former.back()
    assert "node-a was active last; what it had is not known: this node waits for it" in reason
    assert FORCE in reason


def test_of_a_server_that_is_away_nothing_else_is_said(former: Former) -> None:
    assert former.against() == ("its server refuses connections",)
    former.sight(open_=True)
    assert former.against() == ("its server refuses connections",)
    former.now += 10.0
    assert [each.partition(";")[0] for each in former.against()] == [
        "its server refuses connections",
        "node-a was active last",
    ]


@pytest.mark.parametrize(("number", "one"), [(0, True), (2003, True), (1236, False)])
def test_what_stopped_by_an_error_is_said_and_what_lost_its_source_was_stopped_all_the_same(
    former: Former, number: int, one: bool
) -> None:
    former.sight(open_=True)
    former.standing.judged(READ_ONLY)
    stopped = replace(FOLLOWS, io="No", sql=False, io_errno=number)
    former.see(replace(SEEN, replications=(stopped,)), after=10.0)
    assert (len(former.against()) == 1) is one


def test_who_has_diverged_does_not_replicate_and_that_is_one_reason() -> None:
    pair = Pair()
    pair.see(STOPPED)
    pair.tell()
    pair.memory.change(errant=("0-1-5..9",))
    assert pair.against() == ("it has 5 transactions that the other node has not: 0-1-5..9",)


def test_what_was_seen_before_it_was_active_itself_says_nothing(former: Former) -> None:
    former.other._take(Sight(former.now - 5.2, 0.0, True, None, False), "open")
    former.standing.weigh()
    assert former.remembered().active


@pytest.mark.parametrize("known_closed", [False, True])
def test_a_master_that_is_heard_may_have_been_active_unless_it_is_known_to_be_closed(
    former: Former, known_closed: bool
) -> None:
    if known_closed:
        former.sight(open_=False)
    former.standing.heard(former.now + 1.9)
    assert bool(former.remembered().doubt) is not known_closed
    assert former.remembered().active
    if known_closed:
        assert former.back() == ()
        return
    former.now += 10.0
    (reason,) = former.back()
    assert "node-a was master after this node; it had at least 0-1-10..12, and this node has not: this node" in reason
    assert FORCE in reason


def test_a_master_that_is_heard_beside_open_writes_is_no_successor() -> None:
    pair = Pair()
    pair.memory.change(active=True)
    for writes in ("open", "opening"):
        pair.standing.writes = writes
        pair.standing.heard(pair.now)
    assert not pair.remembered().doubt


def test_who_only_tried_is_found_out_when_its_server_is_asked(former: Former) -> None:
    former.standing.heard(former.now)
    assert former.remembered().doubt
    former.sight(open_=False, position="0-1-900", beat=13)
    assert former.remembered().doubt, "its heartbeat went on"
    former.sight(open_=False, position="0-1-900", beat=12)
    assert not former.remembered().doubt
    assert former.back() == ()


def test_where_the_other_one_can_be_compared_positions_decide(former: Former) -> None:
    former.standing.heard(former.now)
    former.sight(open_=False, beat=13)
    assert former.back() == ()
    former.sight(open_=False, position="0-1-9,0-2-7", beat=13)
    assert "it had at least 0-2-" in former.against()[0]


def test_a_beat_that_was_known_when_it_took_over_is_not_from_after_that(former: Former) -> None:
    """It was among what was lost, and never came here."""
    assert former.remembered().beat == 12
    former.tell(GONE)
    assert former.back() == ()
    former.tell(replace(GONE, was_last="yes"))
    assert former.against() == ()


@pytest.mark.parametrize(("said", "may"), [("no", True), ("yes", False), ("", False)])
def test_a_later_beat_is_a_question_that_the_other_agent_may_answer(former: Former, said: str, may: bool) -> None:
    former.tell(replace(GONE, beat=14, was_last=said))
    against = former.back()
    assert (against == ()) is may
    if not may:
        assert "its heartbeat is 14, and 12 is the last that this node knew of" in against[0]
        former.tell(replace(GONE, beat=14, was_last="no"))
        assert former.against() == ()


def test_what_the_other_agent_said_once_is_no_answer_to_what_is_seen_later(former: Former) -> None:
    former.tell(replace(GONE, was_last="no"))
    former.sight(open_=False, position="0-1-900", beat=14)
    assert former.back()


def test_beats_that_are_seen_while_it_is_active_are_from_before() -> None:
    pair = Pair()
    pair.standing.opened(Opened(""), pair.now, forced=True)
    pair.tell(replace(GONE, verdict="READ_ONLY", beat=15))
    assert pair.remembered().beat == 15
    pair.tell(replace(SAID, beat=16))
    assert pair.remembered().beat == 15, "both are open"


def test_both_agents_agree_on_who_was_last() -> None:
    """The one that took over, and the old one, whose last beats nobody has."""
    survivor, old = Former(), Pair(replace(SETTINGS, hold_down=0.0))
    old.memory.change(active=True)
    survivor.standing.writes = "open"
    old.tell(replace(survivor.standing.published(survivor.now), beat=2))
    old.see(STOPPED)
    said = old.standing.published(old.now)
    assert said.was_last == "no"
    survivor.standing.writes = "closed"
    survivor.tell(replace(said, beat=14))
    assert survivor.standing.published(survivor.now).was_last == "yes"
    assert survivor.back() == ()
    old.tell(replace(survivor.standing.published(survivor.now), position="0-1-9,0-3-40"))
    assert "node-b was active last; it had at least 0-3-" in old.against()[0]
    assert len(old.against()) == 1


def test_who_knows_of_nobody_says_so(tmp_path: Path) -> None:
    other = Other(None)
    standing = Standing("VI_1", "node-b", SETTINGS, Memory(str(tmp_path), "VI_1"), other, 0.0)
    standing.judged(READ_ONLY)
    standing.writes = "closed"
    standing.saw(STOPPED, 1.0)
    assert "which node was active last is not known" in standing.against(1.0)[0]


def test_the_own_heartbeat_is_no_evidence() -> None:
    pair = Pair()
    pair.memory.change(active=True)
    pair.see(replace(STOPPED, beats=(Beat(1, 9, 0.0), Beat(2, 40, 0.0))))
    pair.tell(replace(SAID, writes="closed", position="0-1-30", beat=10))
    assert pair.remembered().doubt


def test_what_a_takeover_would_lose_is_known_after_this_one_was_active_too(former: Former) -> None:
    former.back()
    assert former.standing.missing() == ("0-1-10..12",)
