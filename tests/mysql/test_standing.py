"""What speaks for and against a standby, from what is known of it and of the other one; no server is asked."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from pyvrrp.core.settings import Account, DatabaseSettings, PromoteSettings
from pyvrrp.mysql.closing import Closed
from pyvrrp.mysql.dialect import SOURCE_REPLICA
from pyvrrp.mysql.gtid import BinlogState, Gap, MariaPosition
from pyvrrp.mysql.memory import Memory, Remembered
from pyvrrp.mysql.opening import Opened
from pyvrrp.mysql.other import Other
from pyvrrp.mysql.published import Published
from pyvrrp.mysql.standing import Standing
from pyvrrp.mysql.status import Beat, Coordinates, Picture, Replication, SemiSync
from pyvrrp.mysql.verdict import Verdict, Word

SETTINGS = DatabaseSettings(Account(socket="/run/s"), Account(host="192.0.2.1"))
FOLLOWS = Replication(
    source_host="192.0.2.1",
    source_port=3306,
    io="Yes",
    sql=True,
    behind=0.0,
    by_gtid=True,
    received=MariaPosition.parse("0-1-9"),
    applied=MariaPosition.parse("0-1-9"),
)
SEEN = Picture(
    "MariaDB 10.11",
    server_id=2,
    read_only=True,
    gtids=BinlogState.parse("0-1-9"),
    replications=(FOLLOWS,),
    beats=(Beat(1, 9, 0.0),),
    uptime=100,
)
READ_ONLY = Verdict(Word.READ_ONLY, "answers; it is read only", usable=True)
DOWN = Verdict(Word.DOWN, "refuses connections", conclusive=True)
SAID = Published("VI_1", "node-a", "open", "UP", "0-1-9", "mariadb", False, (), 9)


class Pair:
    """A standby whose agent hears of the other one."""

    def __init__(self, settings: DatabaseSettings = SETTINGS) -> None:
        self.now = 1000.0
        self.other = Other(None)
        self.memory = Memory("", "VI_1")
        self.standing = Standing("VI_1", "node-b", settings, self.memory, self.other, self.now)
        self.standing.judged(READ_ONLY)
        self.standing.writes = "closed"

    def see(self, picture: Picture = SEEN, after: float = 0.3) -> None:
        self.now += after
        self.standing.saw(picture, self.now)

    def tell(self, published: Published = SAID) -> None:
        self.other.told(published, self.now)
        if published.writes == "open":
            self.standing.pulse.heard(self.now)
        self.standing.told(published)

    def against(self) -> tuple[str, ...]:
        return self.standing.against(self.now)

    def remembered(self) -> Remembered:
        return self.memory.now


@pytest.fixture
def pair() -> Pair:
    """It follows an active one."""
    made = Pair()
    made.see()
    made.tell()
    return made


def picture(**changes: object) -> Picture:
    """SEEN, its replication like this."""
    return replace(SEEN, replications=(replace(FOLLOWS, **changes),))  # type: ignore[arg-type]


def test_it_follows_and_nothing_is_against_it(pair: Pair) -> None:
    assert pair.against() == ()
    assert pair.standing.report(pair.now).faults == ()


def test_its_source_has_died_and_it_is_fit_all_the_same(pair: Pair) -> None:
    for _ in range(100):
        pair.see(picture(io="Connecting", io_errno=2003, behind=None))
    assert pair.against() == ()


def test_its_source_has_died_and_it_has_not_applied_all_yet(pair: Pair) -> None:
    late = MariaPosition.parse("0-1-7")
    pair.see(picture(behind=20.0, applied=late))
    assert "20.0 s behind" in pair.against()[0]
    pair.see(picture(io="Connecting", behind=None, applied=late))
    assert "20.0 s behind" in pair.against()[0]
    pair.see(picture(io="Connecting", behind=None))
    assert pair.against() == ()


def test_an_active_one_that_speaks_while_no_beat_comes_is_ahead(pair: Pair) -> None:
    pair.see(replace(SEEN, beats=(Beat(1, 10, 0.0),)))
    for _ in range(20):
        pair.see(replace(SEEN, beats=(Beat(1, 10, 0.0),)))
        pair.tell()
    assert "6.0 s behind" in pair.against()[0]
    pair.see(replace(SEEN, beats=(Beat(1, 30, 0.0),)))
    pair.tell()
    assert pair.against() == ()


def test_who_writes_no_beats_is_not_measured_by_them(pair: Pair) -> None:
    for _ in range(40):
        pair.see()
        pair.tell()
    assert pair.against() == ()


def test_who_cannot_receive_is_behind_for_as_long_as_the_active_one_speaks() -> None:
    """Also where no beats tell: it was fit when its source was lost, and hours may have gone by since."""
    pair, lonely = Pair(), picture(io="Connecting", behind=None)
    pair.see(replace(SEEN, beats=()))
    for _ in range(4):
        pair.see(replace(lonely, beats=()), after=1.0)
        pair.tell()
    assert pair.against() == ()
    for _ in range(4):
        pair.see(replace(lonely, beats=()), after=1.0)
        pair.tell()
    assert pair.against() == ("it is 8.0 s behind, 5 s are allowed",)
    pair.see(replace(lonely, beats=()), after=60.0)  # the active one is dead by now: it does not get worse
    assert pair.against() == ("it is 8.0 s behind, 5 s are allowed",)
    pair.see(replace(SEEN, beats=()))
    assert pair.against() == ()


def test_who_would_be_a_second_active_one_waits_until_the_other_one_says_no_more(pair: Pair) -> None:
    pair.standing.gives_way = True
    assert "says over the channel that its writes are open" in pair.against()[0]
    pair.tell(replace(SAID, writes="closed"))
    assert pair.against() == ()
    pair.tell()
    assert pair.against() == ()  # not for what it says alone: that of a dead one is two seconds old
    pair.standing.gives_way = True
    pair.see(after=3.0)
    assert pair.against() == ()


def test_what_has_stopped_is_against_it_at_once(pair: Pair) -> None:
    pair.see(picture(sql=False, sql_errno=1062, sql_error="Duplicate entry"))
    assert "1062" in pair.against()[0]


def test_why_nothing_comes_is_told() -> None:
    pair = Pair()
    pair.see(picture(io="Connecting", io_errno=1045, io_error="Access denied", behind=None))
    assert "IO Connecting (error 1045: Access denied), SQL Yes, " in pair.standing.report(pair.now).view.replication
    assert pair.against()[0] == "its IO thread is turned away (error 1045: Access denied)"


@pytest.mark.parametrize(
    ("verdict", "writes"),
    [
        (DOWN, "open as ordered, but its server is DOWN: nobody can write"),
        (
            Verdict(Word.HUNG, "has given no answer for 0.9 s"),
            "open as ordered, but its server is HUNG: nobody can write",
        ),
        (Verdict(Word.STALLED, "answers, but a write hangs", usable=True), "open"),
    ],
)
def test_an_active_one_that_is_paused_is_not_left_and_says_what_is_wrong(verdict: Verdict, writes: str) -> None:
    pair = Pair()
    pair.see()
    pair.standing.opened(Opened("", ()), pair.now, forced=False)
    pair.standing.judged(verdict)
    assert pair.standing.report(pair.now).faults
    pair.memory.change(paused=True)
    report = pair.standing.report(pair.now)
    assert report.faults == ()
    assert report.against == (
        f"its server {verdict.evidence}, and nothing is done about it: paused (`pyvrrpctl resume` ends that)",
    )
    assert report.view.writes == writes
    pair.standing.judged(Verdict(Word.UP, "answers", usable=True))
    report = pair.standing.report(pair.now)
    assert (report.against, report.view.writes) == ((), "open")


def test_nobody_is_active_and_it_has_all_that_the_other_one_has() -> None:
    pair = Pair()
    pair.see(picture(io="No", sql=False))
    assert pair.against()
    pair.tell(replace(SAID, writes="closed"))
    assert pair.against() == ()
    pair.tell(replace(SAID, writes="closed", position="0-1-10"))
    assert pair.against()
    pair.tell(replace(SAID, writes="open"))
    assert pair.against()


def test_the_last_active_one_may_be_active_again_until_another_is() -> None:
    pair = Pair()
    pair.memory.change(active=True)
    pair.see(picture(io="No", sql=False))
    assert pair.against() == ()
    pair.tell()
    assert not pair.remembered().active
    assert pair.against()


def test_who_believes_to_be_the_last_active_one_is_not_if_the_other_one_was_since() -> None:
    pair = Pair()
    pair.memory.change(active=True)
    pair.see(picture(io="No", sql=False))
    pair.tell(replace(SAID, writes="closed", position="0-1-30", beat=12))  # nobody had told it of beats 10 to 12
    found = ("its heartbeat is 12, and 9 is the last", "it had at least 0-1-10..30", "pyvrrpctl promote --force")
    assert all(each in pair.against()[0] for each in found)
    assert len(pair.against()) == 1, "its threads were stopped on purpose"
    pair.see(picture(io="No", sql=False))
    assert pair.against()
    assert pair.standing.published(pair.now).was_last == ""


def test_a_stray_transaction_of_the_other_one_does_not_make_that_one_the_last_active_one() -> None:
    pair = Pair()
    pair.memory.change(active=True)
    pair.see(picture(io="No", sql=False))
    pair.tell(replace(SAID, writes="closed", position="0-1-10"))
    assert pair.against() == ()


def test_after_a_failover_there_is_no_second_one_until_the_operator_has_seen_it(pair: Pair) -> None:
    pair.tell(replace(SAID, failover=time.time()))
    assert "there was a failover" in pair.against()[0]
    assert pair.standing.report(pair.now).view.mode.split(", ")[0] == "held down"
    pair.tell(replace(SAID, failover=time.time(), acknowledged=time.time() + 1))
    assert pair.against() == ()


def test_who_leaves_in_good_order_may_be_followed_though_there_was_a_failover(pair: Pair) -> None:
    pair.tell(replace(SAID, failover=time.time()))
    assert "there was a failover" in pair.against()[0]
    pair.tell(replace(SAID, writes="closed", verdict="READ_ONLY"))
    assert pair.against() == ()
    pair.see(after=60.0)  # its agent is gone, and has not said anything else
    assert pair.against() == ()
    pair.tell(replace(SAID, writes="closed", verdict="DOWN"))
    assert "there was a failover" in pair.against()[0]


@pytest.mark.parametrize("verdict", ["DOWN", "HUNG", "STALLED"])
def test_who_failed_while_active_has_not_left_in_good_order_though_it_is_well_again(pair: Pair, verdict: str) -> None:
    pair.tell(replace(SAID, failover=time.time()))
    pair.tell(replace(SAID, verdict=verdict))
    for verdict_now in (verdict, "READ_ONLY"):
        pair.tell(replace(SAID, writes="closed", verdict=verdict_now))
        assert "there was a failover" in pair.against()[0]


def test_who_was_active_just_now_is_not_behind_since_it_last_replicated(pair: Pair) -> None:
    pair.standing.opened(Opened(""), pair.now, forced=True)
    for _ in range(20):
        pair.see(replace(picture(io="No", sql=False), read_only=False), after=1.0)
    pair.standing.closed(Closed(complete=True), pair.now)
    pair.see(picture(io="No", sql=False))
    pair.tell()
    assert not any("behind" in each for each in pair.against())
    pair.see(picture(io="Connecting", behind=None), after=9.0)
    pair.standing.follows(pair.now)
    pair.tell()
    assert not any("behind" in each for each in pair.against())


def test_a_takeover_counts_unless_somebody_asked_for_it(pair: Pair) -> None:
    pair.standing.expect(pair.now + 10)
    pair.standing.opened(Opened(""), pair.now, forced=False)
    assert pair.remembered().failover == 0.0
    pair.standing.opened(Opened(""), pair.now, forced=True)
    assert pair.remembered().failover == 0.0
    pair.standing.opened(Opened("", ("0-1-10",)), pair.now + 11, forced=False)
    assert pair.remembered().failover > 0.0
    assert pair.standing.report(pair.now).view.lost == ("0-1-10",)


def test_the_first_opening_of_all_is_no_failover() -> None:
    pair = Pair()
    pair.see()
    pair.tell(replace(SAID, writes="closed"))
    pair.standing.opened(Opened(""), pair.now, forced=False)
    assert pair.remembered().failover == 0.0


def test_a_switchover_is_not_held_up_by_the_last_failover(pair: Pair) -> None:
    pair.tell(replace(SAID, failover=time.time()))
    pair.standing.expect(pair.now + 10)
    assert pair.against() == ()


def test_what_could_not_be_opened_is_left_alone_for_a_while(pair: Pair) -> None:
    pair.standing.refused("its SQL thread is not running", Closed(complete=True), pair.now, pair.now + 10)
    assert pair.against() == ("its writes could not be opened: its SQL thread is not running",)
    pair.now += 10
    assert pair.against() == ()


def test_what_did_not_come_before_a_refusal_may_still_come(pair: Pair) -> None:
    pair.memory.change(lost=("0-1-3",))
    now, closed = pair.now, Closed(complete=True)
    pair.standing.refused("5 transactions received and not applied: 0-1-5..9", closed, now, now + 10)
    assert pair.standing.report(pair.now).view.lost == ("0-1-3",)


def test_what_was_lost_is_named_until_somebody_has_seen_it(pair: Pair) -> None:
    for lost in (("0-1-10..12",), (), ("0-1-12..14", "0-1-17")):
        pair.standing.opened(Opened("", lost), pair.now, forced=False)
    assert pair.standing.report(pair.now).view.lost == ("0-1-10..14", "0-1-17")
    pair.standing.acknowledge()
    assert pair.standing.report(pair.now).view.lost == ()


def test_faults_are_those_of_the_verdict_and_not_while_paused(pair: Pair) -> None:
    pair.standing.judged(DOWN)
    assert pair.standing.report(pair.now).faults == ("its server refuses connections",)
    pair.memory.change(paused=True)
    report = pair.standing.report(pair.now)
    assert report.faults == ()
    assert any("paused" in each for each in report.against)
    assert report.view.mode.split(", ")[0] == "paused"


def test_a_server_that_was_away_is_to_be_compared_before_it_follows(pair: Pair) -> None:
    pair.standing.to_rejoin = False
    found = []
    for uptime in (101, 1):
        pair.see(replace(SEEN, uptime=uptime))
        found.append(pair.standing.to_rejoin)
    pair.standing.to_rejoin = False
    pair.standing.judged(DOWN)
    assert [*found, pair.standing.to_rejoin] == [False, True, True]


def test_what_it_was_before_it_went_away_says_nothing(pair: Pair) -> None:
    """A MariaDB server that begins anew without its source has forgotten what it had received."""
    pair.see(replace(picture(io="Connecting"), uptime=1))
    assert any("not been seen replicating" in each for each in pair.against())


def test_one_that_was_left_because_it_stalled_could_not_go_on(pair: Pair) -> None:
    """Closed it is asked for no write, and looks well."""
    pair.standing.opened(Opened(""), pair.now, forced=True)
    pair.standing.judged(replace(READ_ONLY, word=Word.STALLED))
    pair.standing.closed(Closed(complete=True), pair.now)
    pair.standing.judged(READ_ONLY)
    pair.see()
    said = pair.standing.published(pair.now)
    assert (said.writes, said.verdict) == ("closed", "STALLED")
    pair.other.told(said, pair.now)
    assert not pair.other.could_go_on(pair.now)
    pair.other.told(replace(said, verdict="READ_ONLY"), pair.now)
    assert pair.other.could_go_on(pair.now)


def test_how_old_a_position_is_is_told_with_it(pair: Pair) -> None:
    """That of a server that hangs is not what it has: whoever received more has not diverged."""
    assert pair.standing.published(pair.now + 2).age == 2.0
    pair.other.told(replace(SAID, age=2.0), pair.now)
    assert pair.other.seen is not None
    assert pair.other.seen.since < pair.now - 2.0


def test_nothing_is_against_the_active_one_and_its_position_is_told(pair: Pair) -> None:
    pair.standing.opening()
    pair.standing.opened(Opened(""), pair.now, forced=False)
    pair.see(
        replace(SEEN, read_only=False, beats=(Beat(1, 9, 0.0), Beat(2, 4, 0.0)), gtids=BinlogState.parse("0-2-12"))
    )
    said = pair.standing.published(pair.now)
    assert (said.writes, said.position, said.flavour, said.beat, said.against) == ("open", "0-2-12", "mariadb", 4, ())
    pair.standing.closed(Closed(complete=True, position="0-2-13"), pair.now)
    assert pair.standing.published(pair.now).position == "0-2-13"
    assert pair.standing.to_rejoin


def test_without_conditions_only_its_own_server_counts() -> None:
    pair = Pair(replace(SETTINGS, promote=PromoteSettings(require="none")))
    pair.see(replace(SEEN, replications=()))
    assert pair.against() == ()


@pytest.mark.parametrize(("writes", "kept"), [("open", True), ("closing", True), ("closed", False)])
def test_the_last_position_of_an_active_one_is_kept(writes: str, kept: bool) -> None:
    pair = Pair()
    pair.tell(replace(SAID, writes=writes))
    assert (pair.other.last is not None) is kept


def test_what_an_active_one_had_when_it_was_closed_is_its_last_position(pair: Pair) -> None:
    pair.tell(replace(SAID, writes="closed", position="0-1-12"))
    assert str(pair.other.last) == "0-1-12"
    pair.other.judged()
    assert pair.other.last is None


def test_the_active_one_s_page_says_what_keeps_the_other_one_from_taking_over(pair: Pair) -> None:
    pair.other.told(replace(SAID, writes="closed", verdict="READ_ONLY", against=("it is drained",)), pair.now)
    view = pair.standing.report(pair.now).view
    assert view.peer == "writes closed, READ_ONLY; it would not take over: it is drained"


def test_what_a_dead_server_said_of_semi_sync_is_not_repeated(pair: Pair) -> None:
    assert pair.standing.report(pair.now).view.semi_sync == "not installed"
    pair.standing.judged(DOWN)
    assert pair.standing.report(pair.now).view.semi_sync == ""


def test_a_copy_of_the_active_one_has_what_servers_wrote_that_its_own_log_never_named() -> None:
    pair = Pair()
    copy = replace(SEEN, gtids=BinlogState.parse("0-2-900"), ordered=True)
    pair.see(copy)
    said = replace(SAID, writes="closed", position="0-1-500,0-2-900", flavour="mariadb")
    pair.other.told(said, pair.now)
    assert pair.standing.has_all(pair.now)
    pair.see(replace(copy, ordered=False))
    pair.other.told(said, pair.now)
    assert not pair.standing.has_all(pair.now)


def test_an_agent_that_is_stopped_while_its_server_lives_is_no_failover(pair: Pair) -> None:
    pair.tell(SAID)
    pair.tell(replace(SAID, writes="closed", verdict="READ_ONLY"))
    pair.standing.opened(Opened(""), pair.now, forced=False)
    assert pair.remembered().failover == 0.0


def test_a_server_that_was_reset_waits_until_it_says_what_it_has(pair: Pair) -> None:
    assert not pair.standing.was_reset
    for gtids, waits in (("", True), ("", True), ("0-1-40", False)):
        pair.see(replace(SEEN, gtids=BinlogState.parse(gtids)))
        assert pair.standing.was_reset is waits


@pytest.mark.parametrize(("on_silence", "words"), [("promote", "split brain possible"), ("hold", "no split brain")])
def test_what_two_nodes_without_a_third_cannot_have_is_called_by_its_name(on_silence: str, words: str) -> None:
    pair = Pair(replace(SETTINGS, promote=PromoteSettings(on_silence=on_silence)))
    assert pair.standing.report(pair.now).view.mode.startswith(words)
    assert f"on_silence: {on_silence}" in pair.standing.report(pair.now).view.mode


def test_the_other_one_is_not_called_open_when_it_is_dead(pair: Pair) -> None:
    assert pair.standing.report(pair.now).view.peer == "writes open, UP"
    pair.tell(replace(SAID, verdict="DOWN"))
    assert pair.standing.report(pair.now).view.peer == "DOWN: nobody can write"
    pair.tell(replace(SAID, verdict="DOWN", writes="closed"))
    assert pair.standing.report(pair.now).view.peer == "writes closed, DOWN"


def test_a_pause_of_the_active_one_is_named_on_the_other(pair: Pair) -> None:
    pair.tell(replace(SAID, paused=True))
    assert pair.standing.report(pair.now).view.peer == "writes open, UP, paused"
    pair.memory.change(paused=True)
    assert pair.standing.published(pair.now).paused


@pytest.mark.parametrize(
    ("io", "acknowledges", "said"),
    [
        ("Yes", True, "acknowledging"),
        ("Connecting", True, "would acknowledge, and is not connected"),
        ("Yes", False, "off"),
    ],
)
def test_who_is_not_connected_acknowledges_nothing(pair: Pair, io: str, acknowledges: bool, said: str) -> None:
    roles = SemiSync(names=SOURCE_REPLICA, replica=True, acknowledging=acknowledges)
    pair.see(replace(SEEN, semi_sync=roles, replications=(replace(FOLLOWS, io=io),)))
    assert pair.standing.report(pair.now).view.semi_sync == said


def test_of_many_who_acknowledge_one_is_enough(pair: Pair) -> None:
    """Which need not be the other node."""
    for clients, warned in ((1, False), (2, True)):
        roles = SemiSync(names=SOURCE_REPLICA, source=True, in_force=True, clients=clients)
        pair.see(replace(SEEN, semi_sync=roles))
        said = pair.standing.report(pair.now).view.semi_sync
        assert said.startswith(f"in force, {clients} acknowledging")
        assert ("it need not be the other node" in said) is warned


def test_what_an_operator_has_copied_anew_is_compared_anew(pair: Pair) -> None:
    pair.memory.change(errant=("0-2-7",))
    assert "1 transaction that the other node has not" in pair.against()[0]
    pair.standing.copied()
    assert pair.standing.errant == ()
    assert pair.standing.to_rejoin


def test_a_replica_of_somebody_else_is_none_of_the_other_node() -> None:
    pair = Pair()
    pair.tell(replace(SAID, server_id=1))
    for number, is_none in ((0, False), (1, False), (3, True)):
        pair.see(replace(SEEN, replications=(replace(FOLLOWS, source_host="db1.lan", source_server_id=number),)))
        assert ("it is not a replica of the other node" in pair.against()) is is_none
    pair.see(replace(SEEN, replications=(replace(FOLLOWS, source_server_id=3),)))
    assert "it is not a replica of the other node" in pair.against(), "its address is another's by now"


def test_a_server_that_lost_what_it_wrote_is_not_opened_beside_one_that_has_it() -> None:
    """It was active last; the other one is drained, and has more of this one's transactions than its disk."""
    pair = Pair(replace(SETTINGS, hold_down=0.0))
    pair.memory.change(active=True)
    stopped = replace(FOLLOWS, io="No", sql=False)
    back = replace(SEEN, server_id=1, replications=(stopped,), beats=(), ordered=True)
    has_more = replace(SAID, writes="closed", position="0-1-12", ordered=True, server_id=2)
    pair.see(back)
    pair.tell(replace(has_more, position="0-1-9"))
    assert pair.against() == ()
    pair.tell(has_more)
    (reason,) = pair.against()
    assert reason.startswith("3 transactions that were written here are here no more: 0-1-10..12, and node-a has them")
    assert not pair.standing.has_all(pair.now)
    pair.standing.opened(Opened("", ("0-1-10..12",)), pair.now, forced=True)
    pair.standing.closed(Closed(complete=True), pair.now)
    pair.tell(has_more)
    assert pair.against() == (), "they were given up"


def test_what_an_active_server_goes_on_without_does_not_keep_it_from_being_opened_again() -> None:
    """RESET MASTER was given there, or it was opened while the other node was away."""
    pair = Pair(replace(SETTINGS, hold_down=0.0))
    mine = replace(SEEN, server_id=1, replications=(replace(FOLLOWS, io="No", sql=False),), beats=(), ordered=True)
    pair.see(mine)
    pair.standing.opened(Opened(""), pair.now, forced=False)
    behind = replace(mine, gtids=BinlogState.parse("0-1-12"))
    pair.tell(replace(SAID, writes="closed", position="0-1-12", ordered=True, server_id=2))
    pair.see(behind)
    pair.tell(replace(SAID, writes="closed", position="0-1-15", ordered=True, server_id=2))
    pair.see(behind)
    assert pair.remembered().conceded == (), "the other one's word may be newer than the look"
    pair.see(behind)
    assert pair.remembered().conceded == ("0-1-13..15",)
    pair.standing.closed(Closed(complete=True), pair.now)
    assert pair.against() == ()
    pair.standing.adopted()
    pair.see(replace(mine, gtids=BinlogState.parse("0-1-16")))
    assert pair.remembered().conceded == ()


def test_a_standby_that_lost_what_it_wrote_is_not_fit_whatever_its_threads_say() -> None:
    pair = Pair()
    pair.tell(replace(SAID, position="0-1-12,0-2-40", ordered=True))
    pair.see(replace(SEEN, server_id=1, gtids=BinlogState.parse("0-1-9,0-2-40"), ordered=True))
    (reason,) = pair.against()
    assert reason.startswith("3 transactions that were written here are here no more: 0-1-10..12: no replica gets its")


def test_by_gtid_here_and_by_place_there_nobody_could_tell_what_is_lost(pair: Pair) -> None:
    pair.see(replace(SEEN, gtids=None, binlog=Coordinates("b.000001", 4)))
    pair.tell()
    pair.now += 60
    pair.other.told(replace(SAID, writes="closed", verdict="DOWN"), pair.now)
    assert "what it lacks could not be told (CHANGE MASTER TO MASTER_USE_GTID = slave_pos)" in pair.against()[-1]
    pair.tell(replace(SAID, flavour="file", position="a.000001:4"))
    assert pair.against() == ()


def test_two_open_servers_are_no_quiet_matter(pair: Pair) -> None:
    pair.tell()
    pair.standing.opened(Opened(""), pair.now, forced=False)
    assert "the server of node-a takes writes too" in pair.standing.report(pair.now).against[0]
    for harmless in (replace(SAID, lent=True), replace(SAID, writes="closed"), replace(SAID, verdict="DOWN")):
        pair.tell(harmless)
        assert pair.standing.report(pair.now).against == ()


def test_while_it_is_lent_its_writes_are_not_called_open(pair: Pair) -> None:
    pair.standing.opened(Opened(""), pair.now, forced=False)
    pair.standing.lent = True
    assert pair.standing.report(pair.now).view.writes == "closed for a switchover"
    assert pair.standing.published(pair.now).lent
    pair.tell(replace(SAID, lent=True))
    assert pair.standing.report(pair.now).view.peer == "writes closed for a switchover, UP"
    pair.standing.closed(Closed(complete=True), pair.now)
    assert not pair.standing.lent


def test_who_was_promoted_by_force_does_not_speak_of_no_split_brain() -> None:
    pair = Pair(replace(SETTINGS, promote=PromoteSettings(on_silence="hold")))
    pair.tell()
    pair.now += 10
    pair.standing.opened(Opened(""), pair.now, forced=True)
    assert pair.standing.report(pair.now).view.mode.startswith("opened by force, and the other node has not been heard")
    pair.tell(replace(SAID, writes="closed"))
    assert pair.standing.report(pair.now).view.mode.startswith("no split brain")
    pair.now += 10
    assert pair.standing.report(pair.now).view.mode.startswith("no split brain"), "it was seen closed"


def test_what_was_lost_is_not_forgotten_for_an_older_word(pair: Pair) -> None:
    long_ago = time.time() - 60
    pair.standing.opened(Opened("", ("0-1-10..12",)), pair.now, forced=True)
    pair.tell(replace(SAID, acknowledged=long_ago))
    assert pair.remembered().lost == ("0-1-10..12",)
    pair.tell(replace(SAID, acknowledged=time.time() + 1))
    assert pair.remembered().lost == ()


def test_a_failover_by_a_clock_that_is_ahead_can_be_acknowledged(pair: Pair) -> None:
    ahead = time.time() + 3600
    pair.tell(replace(SAID, failover=ahead))
    assert pair.remembered().failover == ahead
    pair.standing.acknowledge()
    pair.tell(replace(SAID, failover=ahead))
    assert pair.remembered().failover == 0.0
    said = pair.standing.published(pair.now)
    other = Pair()
    other.memory.change(failover=ahead)
    other.tell(said)
    assert other.remembered().failover == 0.0


def test_a_paused_node_with_a_dead_server_does_not_make_its_standby_late(pair: Pair) -> None:
    pair.see()
    pair.tell()
    pair.other.told(replace(SAID, verdict="DOWN", paused=True), pair.now)
    peer = pair.standing.report(pair.now).view.peer
    assert peer == "DOWN: nobody can write, and it is paused (`pyvrrpctl resume` there ends that)"
    word = pair.standing.pulse.word
    pair.standing.heard(pair.now + 1)
    assert pair.standing.pulse.word == word
    pair.standing.heard(pair.now + 10)
    assert pair.standing.pulse.word > word, "that was long ago"


def test_what_answered_a_moment_ago_and_is_dead_sends_nothing_more(pair: Pair) -> None:
    """STOP SLAVE of a replica that acknowledges waits two seconds for such a source."""
    pair.other._answered, pair.other._asked = True, pair.now
    assert pair.other.answers(pair.now)
    pair.tell(replace(SAID, writes="closed", verdict="DOWN"))
    assert not pair.other.answers(pair.now)
    pair.tell(replace(SAID, writes="closed", verdict="READ_ONLY"))
    assert pair.other.answers(pair.now)


def test_before_anybody_has_looked_its_writes_are_not_called_closed() -> None:
    pair = Pair()
    pair.standing.writes = ""
    assert pair.standing.published(pair.now).writes == ""
    pair.see()
    assert pair.standing.published(pair.now).writes == "closed"
    pair.see(replace(SEEN, read_only=False))
    assert pair.standing.published(pair.now).writes == "open"


def test_an_agent_that_begins_anew_knows_what_its_server_alone_has(pair: Pair) -> None:
    pair.memory.change(errant=("0-2-8..9",))
    again = Standing("VI_1", "node-b", SETTINGS, pair.memory, pair.other, pair.now)
    again.judged(READ_ONLY)
    again.writes = "closed"
    again.saw(SEEN, pair.now)
    assert again.against(pair.now) == ("it has 2 transactions that the other node has not: 0-2-8..9",)
    assert again.report(pair.now).view.errant == ("0-2-8..9",)


def test_replication_that_somebody_stops_after_it_was_let_follow_is_told_apart(pair: Pair) -> None:
    by_hand = "its replication from 192.0.2.1:3306 was stopped by somebody (START SLAVE)"
    stopped = replace(SEEN, replications=(replace(FOLLOWS, io="No", sql=False),))
    pair.tell()
    pair.see()
    pair.see(stopped)
    assert by_hand not in pair.against(), "its agent has not compared yet, and will start it"
    pair.standing.follows(pair.now)
    pair.see(stopped)
    assert by_hand in pair.against()


# --- numbers that were left out ---------------------------------------------------------------------------------------


def with_gtids(text: str, logged: str | None = None) -> Picture:
    return replace(SEEN, gtids=BinlogState.parse(text), logged=BinlogState.parse(text if logged is None else logged))


def test_only_a_gap_that_its_server_has_passed_is_told(pair: Pair) -> None:
    """Others are of a history that is no more: who follows it has the numbers in between rightly."""
    pair.memory.change(gaps=("0:7..1000007", "0:1000020..2000020", "3:0..1000000"))
    pair.see(with_gtids("0-2-1000012"))
    assert pair.standing.published(pair.now).gaps == ("0:7..1000007",)


def test_who_was_made_a_copy_has_left_out_nothing(pair: Pair) -> None:
    """In what it left out before, under its own name, lie transactions that it has from the other one now."""
    pair.memory.change(gaps=("0:7002542..9002732",))
    pair.see(with_gtids("0-1-10003000,0-2-8003137", logged=""))
    assert pair.standing.published(pair.now).gaps == ()
    pair.standing.left_out(Gap(0, 10003000, 11003000))
    pair.see(with_gtids("0-1-10003000,0-2-11003000", logged="0-2-11003000"))
    assert pair.standing.published(pair.now).gaps == ("0:10003000..11003000",)


def test_the_next_gap_begins_behind_what_is_known_of_either_server(pair: Pair) -> None:
    pair.memory.change(gaps=("0:7..1000007", "3:0..5000000"))
    pair.see(with_gtids("0-2-9"))
    pair.tell(replace(SAID, position="0-1-8"))
    assert pair.standing.used() == 1000007
    pair.tell(replace(SAID, position="0-1-3000000"))
    assert pair.standing.used() == 3000000


def test_an_opening_makes_gaps_of_a_later_history_void(pair: Pair) -> None:
    pair.memory.change(gaps=("0:7..1000007", "0:1000020..2000020", "3:0..5000000"))
    pair.see(with_gtids("0-2-1000012,3-2-5000001"))
    pair.standing.left_out(Gap(0, 1000012, 3000020))
    assert pair.memory.now.gaps == ("0:7..1000007", "3:0..5000000", "0:1000012..3000020")


def test_what_an_active_one_had_counts_also_when_it_comes_back_with_less(pair: Pair) -> None:
    """Somebody has loaded it with an older copy: taking over from it is not to go without a word."""
    pair.tell(replace(SAID, position="0-1-20"))
    pair.tell(replace(SAID, position="0-1-20", writes="closed"))
    assert pair.other.could_go_on(pair.now)
    pair.tell(replace(SAID, position="0-1-9", writes="closed"))
    assert str(pair.other.last) == "0-1-20"
    assert not pair.other.could_go_on(pair.now)  # none of it comes any more
    pair.tell(replace(SAID, position="0-1-21", writes="open"))
    assert str(pair.other.last) == "0-1-21"
    assert not pair.other.could_go_on(pair.now)


def test_a_server_that_is_away_has_lost_nothing_as_far_as_is_known() -> None:
    """Its last transactions have reached the other one, and nobody has seen them here."""
    pair = Pair()
    pair.see(with_gtids("0-2-9"))
    pair.tell(replace(SAID, position="0-1-8,0-2-11"))
    assert pair.standing.gone() == ("0-2-10..11",)
    pair.standing.judged(DOWN)
    assert pair.standing.gone() == ()


def test_what_was_just_started_is_not_called_stopped_by_somebody() -> None:
    pair = Pair()
    pair.see(picture(io="No", sql=False))
    pair.tell()
    pair.standing.follows(pair.now)
    assert pair.against() == ("it has not been seen replicating from 192.0.2.1:3306 yet",)


def test_where_none_can_be_left_out_the_earlier_gaps_stay() -> None:
    """Its account has lost the privilege; who has a number in them has it alone all the same."""
    pair = Pair()
    pair.memory.change(gaps=("0:7..1000007", "0:1000020..2000020"))
    pair.standing.left_out(None)
    assert pair.standing.used() == 2000020  # nothing has been seen of its server
    pair.see(with_gtids("0-2-1000012"))
    pair.standing.left_out(None)
    assert pair.memory.now.gaps == ("0:7..1000007",)
