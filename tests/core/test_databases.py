"""A virtual router with a database behind it, event by event: what ARCHITECTURE.md promises of it, and effects.py.

core/writes, core/databases and what core/fsm and core/node make of them.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyvrrp.core import const
from pyvrrp.core.desired import Hold
from pyvrrp.core.effects import (
    Action,
    CloseWrites,
    Effect,
    Invite,
    Level,
    OpenWrites,
    Operation,
    Reconcile,
    Record,
    RefuseConnections,
    RenewLease,
    ResetConnections,
)
from pyvrrp.core.events import (
    AdvertFailed,
    ConfigReplaced,
    DatabaseReport,
    DatabaseView,
    Event,
    HolderHeard,
    Invited,
    Relinquish,
    Seize,
    Stopping,
    TimerDue,
    WritesClosed,
    WritesOpened,
    WritesRefused,
)
from pyvrrp.core.fsm import State
from pyvrrp.core.guard import NOT_REPORTED
from pyvrrp.core.settings import Account, DatabaseSettings, DemoteSettings, InstanceSettings, Track, VirtualAddress
from pyvrrp.core.snapshot import DatabaseStatus
from tests.lone import LOWER_PEER, Lone, announced, kinds, only, operations, sent, texts
from tests.lone import master as alone_master
from tests.simulation import CHECK, INTERFACE, VIP, instance, settings

DATABASE = DatabaseSettings(Account(), demote=DemoteSettings(timeout=0.3))
BOUND = 0.3 + const.CLOSE_MARGIN
LATE = f"THE DATABASE IS NOT CLOSED: no answer within {BOUND:.2f} s"
LAG = "it lags 40 s behind"
BEHIND = DatabaseReport("VI_1", (), (LAG,))
FIT = DatabaseReport("VI_1", (), ())
DEAD = DatabaseReport("VI_1", ("mysqld does not answer",), ())
DRAIN = Relinquish("VI_1", "switchover")
SEIZE = Seize("VI_1", "promote --force")
STOP = Stopping("SIGTERM")
MAC_OF_ANOTHER = bytes.fromhex("020000000099")


def bound(**changes: object) -> InstanceSettings:
    """The instance of the tutorial in front of a database."""
    return instance(**({"database": DATABASE, "preempt": False} | changes))


def told(effects: list[Effect]) -> list[Effect]:
    """What is asked about databases."""
    return [each for each in effects if isinstance(each, OpenWrites | CloseWrites | RefuseConnections | Invite)]


def standby(report: DatabaseReport = FIT, **changes: object) -> Lone:
    """A BACKUP whose database has reported."""
    lone = Lone(bound(**changes))
    lone.look()
    lone.give(report)
    assert is_in(lone, State.BACKUP)
    return lone


def opening(**changes: object) -> Lone:
    """A MASTER whose database has not answered; what is asked of it has term 2."""
    lone = standby(FIT, **changes)
    lone.timer()
    assert is_in(lone, State.MASTER)
    return lone


def active(**changes: object) -> Lone:
    """A MASTER whose database is open and whose addresses are there."""
    lone = opening(**changes)
    lone.obey(lone.give(WritesOpened("VI_1", 2, "nothing was missing"), after=0.1))
    assert lone.node.held() == (VIP,)
    return lone


def closing(event: Event = DRAIN, **changes: object) -> Lone:
    """A MASTER that leaves on purpose and whose database is being closed under term 3."""
    lone = active(**changes)
    lone.give(event)
    assert (lone.state, lone.router.leaving is not None) == (State.MASTER, True)
    return lone


def left(event: Event = DRAIN, **changes: object) -> Lone:
    """One that hands its addresses over, its database closed."""
    lone = closing(event, **changes)
    lone.give(WritesClosed("VI_1", 3, "12 sessions killed"), after=0.1)
    assert lone.status.handing_over
    return lone


def is_in(lone: Lone, state: State) -> bool:
    """Asked anew each time, whatever a type checker remembers."""
    return lone.state is state


def reload(lone: Lone, *instances: InstanceSettings) -> list[Effect]:
    return lone.give(ConfigReplaced(settings(*instances)))


# --- beginning --------------------------------------------------------------------------------------------------------


def test_the_database_is_closed_before_anything_is_known_of_it() -> None:
    lone = Lone(bound())
    effects = lone.look()
    assert is_in(lone, State.INIT)
    assert told(effects) == [CloseWrites("VI_1", 1, "it is INIT")]
    assert lone.status.why == (f"VI_1 is INIT: {NOT_REPORTED}.",)
    effects = lone.give(FIT)
    assert is_in(lone, State.BACKUP)
    assert told(effects) == [], "it has been asked for"


def test_one_that_waits_for_a_check_has_closed_it_all_the_same() -> None:
    lone = Lone(bound(tracks=(Track("mysql"),)), checks=(replace(CHECK, interval=60.0),))
    effects = lone.give(FIT) + lone.look()
    assert is_in(lone, State.INIT)
    assert told(effects) == [CloseWrites("VI_1", 1, "it is INIT")]


def test_it_is_closed_once_whatever_comes_first() -> None:
    lone = Lone(bound())
    effects = lone.give(FIT) + lone.look()
    assert told(effects) == [CloseWrites("VI_1", 1, "it is INIT")]
    assert is_in(lone, State.BACKUP)


def test_one_that_begins_unfit_is_in_fault_and_has_closed_it() -> None:
    lone = Lone(bound())
    lone.look()
    effects = lone.give(DEAD)
    assert (lone.state, told(effects)) == (State.FAULT, [])
    effects = lone.give(FIT)
    assert (lone.state, told(effects)) == (State.BACKUP, [])


def test_the_answer_at_the_beginning_is_said_and_changes_nothing() -> None:
    lone = standby()
    before = lone.deadline
    effects = lone.give(WritesClosed("VI_1", 1, "it was closed"))
    (record,) = effects
    assert record == Record(Level.NOTICE, "VI_1", "the database is closed: it was closed")
    assert (lone.state, lone.deadline) == (State.BACKUP, before)
    (record,) = lone.give(WritesClosed("VI_1", 1, "Access denied", complete=False))
    assert record == Record(Level.ERROR, "VI_1", "THE DATABASE IS NOT CLOSED: Access denied")
    assert lone.give(WritesClosed("VI_1", 2, "never asked")) == []


def test_without_a_database_there_is_nothing_to_ask() -> None:
    lone = Lone(instance())
    effects = lone.look() + lone.timer()
    assert told(effects) == []
    assert kinds(lone.give(DRAIN)) == ["SendAdvert"]
    assert lone.give(FIT) == []
    assert lone.give(WritesOpened("VI_9", 1, "of nobody")) == []
    assert lone.give(DatabaseReport("VI_9", (), ())) == []
    assert lone.node.snapshot(lone.now).databases == ()


# --- taking -----------------------------------------------------------------------------------------------------------


def test_taking_over_is_advert_then_database_then_addresses_then_arp() -> None:
    lone = standby()
    effects = lone.timer()
    assert kinds(effects) == ["SendAdvert", "OpenWrites"]
    assert told(effects) == [OpenWrites("VI_1", 2)]
    holds = [lone.router.hold]
    effects = lone.give(WritesOpened("VI_1", 2, "nothing was missing"), after=0.5)
    assert kinds(effects) == ["Reconcile"]
    assert texts(effects) == ["the database is open: nothing was missing"]
    assert kinds(lone.obey(effects)) == ["Announce"]
    assert [*holds, lone.router.hold] == [Hold.KEEP, Hold.HAVE]
    last = lone.status.last
    assert last is not None
    assert last.vip_live == pytest.approx(0.5)


def test_adverts_go_on_while_it_opens_and_nothing_is_renewed() -> None:
    lone = opening()
    for _ in range(5):
        assert kinds(lone.timer()) in (["SendAdvert"], ["SendAdvert", "Announce"])
    assert (lone.state, lone.node.held()) == (State.MASTER, ())


def test_the_lease_is_renewed_once_it_is_open() -> None:
    lone = active()
    assert kinds(lone.timer()) == ["SendAdvert", "RenewLease"]


@pytest.mark.parametrize("term", [1, 3])
def test_an_answer_about_another_term_opens_nothing(term: int) -> None:
    lone = opening()
    assert lone.give(WritesOpened("VI_1", term, "late")) == []
    assert lone.give(WritesRefused("VI_1", term, "late")) == []
    assert lone.give(WritesClosed("VI_1", term, "late")) == []
    assert (lone.state, lone.router.writes.open) == (State.MASTER, False)


def test_opened_twice_is_opened_once() -> None:
    lone = active()
    assert lone.give(WritesOpened("VI_1", 2, "again")) == []
    assert is_in(lone, State.MASTER)


def test_a_refusal_that_comes_after_it_was_open_ends_the_tenure() -> None:
    """A reload brought another keeper, or another server, and that one has closed its writes: nobody is left there."""
    lone = active()
    effects = lone.give(WritesRefused("VI_1", 2, "its disk is full"))
    assert "SendAdvert" in kinds(effects)
    assert lone.state is not State.MASTER


def test_an_answer_to_one_that_is_master_no_more_opens_nothing() -> None:
    lone = opening()
    lone.hear(200)
    assert is_in(lone, State.BACKUP)
    assert lone.give(WritesOpened("VI_1", 2, "too late")) == []
    assert lone.give(WritesRefused("VI_1", 2, "too late")) == []
    assert not lone.router.writes.open


def test_one_that_is_refused_gives_the_claim_up() -> None:
    lone = opening()
    effects = lone.give(WritesRefused("VI_1", 2, "transactions are missing"), after=0.2)
    assert kinds(effects) == ["ResetConnections", "SendAdvert", "Invite"]
    assert [each.priority for each in sent(effects)] == [0]
    assert is_in(lone, State.BACKUP)
    assert told(effects) == [Invite("VI_1")], "who refuses is closed"
    assert only(Record, effects)[0] == Record(
        Level.ERROR, "VI_1", "the database was not opened: transactions are missing"
    )
    assert lone.deadline == pytest.approx(lone.router.master_down_interval)


def test_two_that_are_refused_do_not_hand_over_to_each_other_without_a_pause() -> None:
    lone = opening()
    lone.give(WritesRefused("VI_1", 2, "transactions are missing"))
    before = lone.deadline
    lone.hear(0)
    lone.give(Invited("VI_1", "db2"))
    assert lone.deadline == before
    lone.now += const.REFUSED_HOLD
    lone.hear(200)
    lone.hear(0)
    assert lone.deadline == pytest.approx(lone.router.skew_time)


def test_refused_and_unheard_it_goes_at_once() -> None:
    lone = opening()
    lone.give(AdvertFailed("VI_1", "Operation not permitted"))
    effects = lone.give(WritesRefused("VI_1", 2, "no"))
    assert (lone.state, sent(effects), lone.status.handing_over) == (State.BACKUP, [], False)
    assert told(effects) == [CloseWrites("VI_1", 3, "the database was not opened: no")]


def test_nothing_is_announced_before_the_addresses_are_there() -> None:
    lone = opening(priority=200)
    effects = lone.hear(100, after=0.5)
    assert kinds(effects) == ["SendAdvert"], "a rival is answered"
    assert announced(effects) == 0
    lone.now += 1.0
    assert lone.give(HolderHeard(INTERFACE, VIP.address, MAC_OF_ANOTHER)) == [], "only one host has it"
    assert lone.router.duplicates.claims == 0
    lone.now -= 1.0
    for _ in range(8):
        effects = lone.timer()
        assert "gratuitous" not in " ".join(each.text for each in only(Record, effects))
    assert lone.router.rival_fell_silent(lone.now) == []


def test_open_it_announces_again() -> None:
    lone = active(priority=200)
    lone.now += 1.5
    lone.timer()
    assert announced(lone.hear(100, after=0.5)) > 0
    assert texts(lone.give(HolderHeard(INTERFACE, VIP.address, MAC_OF_ANOTHER)))


# --- leaving on purpose -----------------------------------------------------------------------------------------------


def test_leaving_on_purpose_closes_first() -> None:
    lone = active()
    effects = lone.give(DRAIN)
    assert told(effects) == [CloseWrites("VI_1", 3, "switchover"), RefuseConnections("VI_1", (VIP.address,))]
    assert kinds(effects) == ["CloseWrites", "RefuseConnections"]
    assert texts(effects) == ["closing the database before handing over: switchover"]
    assert (lone.state, lone.router.hold, lone.node.held()) == (State.MASTER, Hold.KEEP, (VIP,))
    assert not lone.status.handing_over


def test_while_it_closes_adverts_go_on_and_the_lease_is_not_renewed() -> None:
    lone = closing(database=replace(DATABASE, demote=DemoteSettings(timeout=3.0)))
    for _ in range(3):
        effects = lone.timer()
        assert only(RenewLease, effects) == []
        assert [each.priority for each in sent(effects)] == [100]


def test_an_address_that_goes_while_it_closes_is_not_put_back() -> None:
    lone = closing()
    assert operations(lone.addresses()) == []
    assert lone.node.held() == ()


def test_closed_it_hands_over() -> None:
    lone = closing()
    effects = lone.give(WritesClosed("VI_1", 3, "12 sessions killed"), after=0.1)
    assert kinds(effects) == ["ResetConnections", "SendAdvert", "Invite"]
    assert only(ResetConnections, effects) == [ResetConnections((VIP.address,))]
    assert [each.priority for each in sent(effects)] == [0]
    assert texts(effects)[0] == "the database is closed: 12 sessions killed"
    assert (lone.state, lone.status.handing_over, lone.router.hold) == (State.BACKUP, True, Hold.KEEP)
    last = lone.status.last
    assert last is not None
    assert last.reason == "switchover"
    assert kinds(lone.hear(90, after=0.2)) == [], "its successor's database need not be open yet"
    assert lone.router.hold is Hold.KEEP
    effects = lone.give(HolderHeard("eth0", VIP.address, MAC_OF_ANOTHER), after=0.1)
    assert kinds(effects) == ["RefuseConnections", "ResetConnections", "Reconcile"]
    assert texts(effects) == ["02:00:00:00:00:99 has 192.168.1.200 300 ms after priority 0"]
    assert told(effects) == [RefuseConnections("VI_1", ())]
    assert told(lone.obey(effects)) == []


def test_without_a_database_the_successors_advert_ends_it() -> None:
    lone = alone_master()
    lone.give(STOP)
    assert kinds(lone.give(HolderHeard("eth0", VIP.address, MAC_OF_ANOTHER))) == [], "many may answer for it"
    assert kinds(lone.hear(90, after=0.2)) == ["ResetConnections", "Reconcile"]


def test_without_a_successor_the_refusals_end_with_the_addresses() -> None:
    lone = left()
    effects = lone.timer()
    assert kinds(effects) == ["RefuseConnections", "ResetConnections", "Reconcile"]
    assert told(effects) == [RefuseConnections("VI_1", ())]


def test_one_that_never_answers_is_not_waited_for() -> None:
    lone = closing()
    began = lone.now
    effects = lone.timer()
    assert lone.now == pytest.approx(began + BOUND)
    assert kinds(effects) == ["ResetConnections", "SendAdvert", "Invite"]
    assert only(Record, effects)[0] == Record(Level.ERROR, "VI_1", LATE)
    assert is_in(lone, State.BACKUP)
    assert texts(lone.give(WritesClosed("VI_1", 3, "at last"))) == ["the database is closed: at last"]
    assert lone.status.handing_over


def test_the_bound_is_part_of_what_the_shell_waits_for() -> None:
    lone = standby()
    assert lone.node.handover_bound == pytest.approx(lone.router.slowest_successor + BOUND)


def test_what_cannot_be_closed_is_left_all_the_same_and_said_aloud() -> None:
    lone = closing()
    effects = lone.give(WritesClosed("VI_1", 3, "SUPER is missing", complete=False))
    assert only(Record, effects)[0] == Record(Level.ERROR, "VI_1", "THE DATABASE IS NOT CLOSED: SUPER is missing")
    assert lone.status.handing_over


def test_an_old_answer_ends_no_closing() -> None:
    lone = closing()
    assert lone.give(WritesClosed("VI_1", 1, "long ago")) == []
    assert lone.give(WritesOpened("VI_1", 2, "again")) == []
    assert (lone.state, lone.router.leaving) == (State.MASTER, "switchover")


@pytest.mark.parametrize(
    ("event", "state"), [(DRAIN, State.BACKUP), (DEAD, State.FAULT), (STOP, State.INIT)], ids=["drain", "fault", "stop"]
)
def test_what_it_becomes_follows_from_why_it_left(event: Event, state: State) -> None:
    lone = left(event)
    assert lone.state is state
    assert (lone.deadline is not None) is (state is State.BACKUP)


def test_a_router_that_begins_to_close_has_moved() -> None:
    lone = active()
    assert kinds(lone.router.relinquish("switchover", lone.now)) == ["CloseWrites", "RefuseConnections"]
    assert lone.router.moved


def test_leaving_in_the_midst_of_opening_closes_what_may_have_opened() -> None:
    lone = opening()
    effects = lone.give(DRAIN)
    assert told(effects)[0] == CloseWrites("VI_1", 3, "switchover")
    assert lone.give(WritesOpened("VI_1", 2, "too late")) == []
    assert lone.node.held() == ()


def test_stopped_it_is_done_when_all_is_over() -> None:
    lone = closing(STOP)
    assert not lone.node.done
    lone.give(WritesClosed("VI_1", 3, "closed"))
    assert not lone.node.done
    lone.hear(90)
    lone.obey(lone.give(HolderHeard("eth0", VIP.address, MAC_OF_ANOTHER)))
    assert lone.node.done


# --- a second reason while it closes ----------------------------------------------------------------------------------


def after(*events: Event, first: Event = DRAIN) -> Lone:
    """What became of a MASTER that closes for the first reason, and to which this happens then."""
    lone = closing(first)
    for event in events:
        assert told(lone.give(event)) == [], "it has been asked for"
    lone.give(WritesClosed("VI_1", 3, "closed"))
    return lone


def test_the_first_reason_is_the_one_that_is_told() -> None:
    last = after(DEAD).status.last
    assert last is not None
    assert (last.new, last.reason) == ("FAULT", "switchover")


@pytest.mark.parametrize(
    ("first", "then", "state"),
    [
        (DEAD, (FIT,), State.BACKUP),
        (DRAIN, (DEAD,), State.FAULT),
        (DEAD, (DRAIN,), State.FAULT),
        (DRAIN, (DEAD, FIT), State.BACKUP),
        (DRAIN, (STOP,), State.INIT),
        (DEAD, (STOP,), State.INIT),
        (STOP, (DRAIN,), State.INIT),
        (STOP, (DEAD,), State.INIT),
        (STOP, (DEAD, FIT, DRAIN), State.INIT),
    ],
)
def test_what_it_becomes_is_decided_at_the_end(first: Event, then: tuple[Event, ...], state: State) -> None:
    lone = after(*then, first=first)
    assert (lone.state, lone.status.handing_over) == (state, True)


@pytest.mark.parametrize(("first", "state"), [(DRAIN, State.BACKUP), (DEAD, State.FAULT), (STOP, State.INIT)])
def test_a_better_master_while_it_closes_ends_that(first: Event, state: State) -> None:
    lone = closing(first)
    effects = lone.hear(200)
    assert told(effects) == [RefuseConnections("VI_1", ())], "closing has been asked for"
    assert operations(effects) == [Operation(Action.REMOVE, VIP)]
    assert (lone.state, lone.router.leaving, lone.router.writes.until) == (state, None, None)
    assert (lone.deadline is not None) is (state is State.BACKUP)
    assert lone.router.following is (state is State.BACKUP)


@pytest.mark.parametrize(("first", "state"), [(DRAIN, State.BACKUP), (DEAD, State.FAULT), (STOP, State.INIT)])
def test_standing_still_while_it_closes_ends_that(first: Event, state: State) -> None:
    lone = closing(first)
    effects = lone.give(TimerDue(), after=10.0)
    assert (lone.state, sent(effects)) == (state, [])
    assert told(effects) == [RefuseConnections("VI_1", ())]
    assert (lone.deadline is not None) is (state is State.BACKUP)


def test_one_that_was_stopped_never_takes_over_again() -> None:
    lone = closing(STOP)
    lone.obey(lone.hear(200))
    assert lone.node.done
    assert lone.node.next_deadline() is None
    assert texts(lone.give(SEIZE))[-1] == "not taking over by order: it is INIT"
    assert lone.give(Invited("VI_1", "db2")) == []


def test_why_it_gave_way_while_it_closed_is_said_once() -> None:
    effects = closing(DEAD).hear(200)
    assert [each for each in texts(effects) if "higher priority" in each] == texts(effects)[:1]


def test_no_network_while_it_closes() -> None:
    lone = closing()
    effects = lone.link(up=False)
    assert is_in(lone, State.FAULT)
    assert kinds(effects) == ["RefuseConnections", "ResetConnections", "Reconcile"]
    assert (lone.router.leaving, lone.router.writes.until) == (None, None)
    assert lone.node.next_deadline() is None


def test_adverts_that_cannot_leave_while_it_closes() -> None:
    lone = closing()
    lone.give(AdvertFailed("VI_1", "Operation not permitted"))
    effects = lone.give(WritesClosed("VI_1", 3, "closed"))
    assert (lone.state, sent(effects), lone.status.handing_over) == (State.BACKUP, [], False)
    assert told(effects) == [RefuseConnections("VI_1", ())]
    assert operations(effects) == [Operation(Action.REMOVE, VIP)]
    lone = closing(DEAD)
    lone.give(AdvertFailed("VI_1", "Operation not permitted"))
    lone.timer()
    assert is_in(lone, State.FAULT)


# --- leaving at once --------------------------------------------------------------------------------------------------


def test_a_better_master() -> None:
    lone = active()
    effects = lone.hear(200)
    assert is_in(lone, State.BACKUP)
    assert kinds(effects) == ["SendAdvert", "CloseWrites", "ResetConnections", "Reconcile"]
    assert [each.priority for each in sent(effects)] == [lone.router.priority], (
        "so that it hears of a rival, and announces again"
    )
    assert "higher priority 200" in only(CloseWrites, effects)[0].reason


def test_no_network() -> None:
    lone = active()
    effects = lone.link(up=False)
    assert is_in(lone, State.FAULT)
    assert kinds(effects) == ["CloseWrites", "ResetConnections", "Reconcile"]


def test_standing_still() -> None:
    lone = active()
    effects = lone.give(TimerDue(), after=10.0)
    assert is_in(lone, State.BACKUP)
    assert kinds(effects) == ["CloseWrites", "ResetConnections", "Reconcile"]


@pytest.mark.parametrize("event", [DRAIN, DEAD, STOP])
def test_one_that_nobody_hears_waits_for_nothing(event: Event) -> None:
    lone = active()
    lone.timer()
    lone.give(AdvertFailed("VI_1", "Operation not permitted"))
    effects = lone.give(event)
    assert not is_in(lone, State.MASTER)
    assert kinds(effects) == ["CloseWrites", "ResetConnections", "Reconcile"]


@pytest.mark.parametrize("answer", [WritesOpened("VI_1", 2, "late"), WritesRefused("VI_1", 2, "late")])
def test_an_answer_to_a_master_that_stood_still_comes_too_late(answer: Event) -> None:
    lone = opening()
    effects = lone.give(answer, after=10.0)
    assert is_in(lone, State.BACKUP)
    assert (operations(effects), sent(effects), lone.status.handing_over) == ([], [], False)
    assert [type(each) for each in told(effects)] == [CloseWrites]


def test_an_answer_to_one_that_closed_and_stood_still_is_only_said() -> None:
    lone = closing()
    effects = lone.give(WritesClosed("VI_1", 3, "closed"), after=10.0)
    assert (lone.state, sent(effects), lone.status.handing_over) == (State.BACKUP, [], False)
    assert texts(effects)[-1] == "the database is closed: closed"


# --- again and again --------------------------------------------------------------------------------------------------


def test_taken_again_while_it_hands_over_the_refused_are_let_in_once_it_is_open() -> None:
    lone = left()
    lone.give(SEIZE)
    assert (lone.state, lone.router.hold) == (State.MASTER, Hold.KEEP)
    assert lone.node.held() == (VIP,), "still here, still refusing"
    effects = lone.give(WritesOpened("VI_1", 4, "nothing was missing"))
    assert told(effects) == [RefuseConnections("VI_1", ())]
    assert kinds(lone.timer())[:2] == ["SendAdvert", "RenewLease"]
    assert told(lone.hear(200)) == [CloseWrites("VI_1", 5, lone.status.last.reason)]  # type: ignore[union-attr]


def test_refused_when_taken_again_while_it_hands_over() -> None:
    lone = left()
    lone.give(SEIZE)
    lone.give(WritesRefused("VI_1", 4, "no"))
    effects = lone.timer()
    assert told(effects) == [RefuseConnections("VI_1", ())]
    assert is_in(lone, State.BACKUP)


def test_every_tenure_has_terms_of_its_own() -> None:
    lone = left()
    lone.obey(lone.hear(90))
    lone.give(WritesOpened("VI_1", 2, "of the last tenure"))
    effects = lone.timer() + lone.timer()
    assert only(OpenWrites, effects) == [OpenWrites("VI_1", 4)]


# --- withheld ---------------------------------------------------------------------------------------------------------


def withheld(**changes: object) -> Lone:
    """A BACKUP whose wait is over, and whose database speaks against it."""
    lone = standby(BEHIND, **changes)
    effects = lone.timer()
    while lone.router.withheld_since is None:
        effects = lone.timer()
    assert (told(effects), sent(effects)) == ([], [])
    assert (lone.state, lone.deadline) == (State.BACKUP, None)
    return lone


def test_who_is_not_fit_does_not_take_over_and_says_so() -> None:
    lone = standby(BEHIND)
    (record,) = [each for each in only(Record, lone.timer()) if each.level is not Level.DEBUG]
    text = f"no advert from anybody for 3.61 s, but it does not take over: {LAG}"
    assert record == Record(Level.WARNING, "VI_1", text)
    assert lone.router.next_deadline() is None
    assert lone.router.withheld_since == lone.now


def test_every_reason_is_named() -> None:
    lone = standby(replace(BEHIND, against=(LAG, "it is paused")))
    lone.hear(200)
    assert texts(lone.timer())[-1].endswith(f"it does not take over: {LAG}; it is paused")
    assert lone.status.why[1] == f"It does not take over: {LAG}; it is paused."
    assert not lone.router.following


def test_before_a_worse_master_that_lives_it_asks_nobody() -> None:
    lone = withheld(preempt=True, duplicate_wait=None)
    lone.hear(50)
    lone.give(FIT, after=0.5)
    assert lone.deadline == 0.0


def test_it_takes_over_as_soon_as_nothing_speaks_against_it() -> None:
    lone = withheld()
    lone.now += 60.0
    lone.give(replace(BEHIND, against=("it lags 2 s behind",)))
    assert lone.router.withheld_since is not None
    effects = lone.give(FIT)
    assert (lone.deadline, lone.router.withheld_since is None) == (0.0, True)
    effects += lone.timer()
    assert (lone.state, told(effects)) == (State.MASTER, [OpenWrites("VI_1", 2)])


def test_it_asks_once_more_who_has_the_address() -> None:
    lone = withheld(duplicate_wait=None)
    lone.now += 60.0
    lone.give(FIT)
    assert lone.deadline == pytest.approx(lone.router.wait.lead(lone.router.settings, lone.router.standing))
    assert kinds(lone.timer()) == ["Announce"]
    lone.give(HolderHeard(INTERFACE, VIP.address, MAC_OF_ANOTHER))
    lone.timer()
    assert is_in(lone, State.BACKUP), "somebody has it"


def test_after_priority_zero_it_need_not_ask() -> None:
    lone = withheld(duplicate_wait=None)
    lone.hear(0)
    assert (lone.deadline, lone.router.withheld_since is None) == (None, False)
    lone.give(FIT)
    assert lone.deadline == 0.0
    assert kinds(lone.timer()) == ["SendAdvert", "OpenWrites"]


def test_an_invitation_does_not_make_it_fit() -> None:
    lone = withheld(duplicate_wait=None)
    assert lone.give(Invited("VI_1", "db2")) == []
    assert lone.deadline is None
    lone.give(FIT)
    effects = lone.timer()
    assert is_in(lone, State.MASTER)
    assert "db2 has handed over" in texts(effects)


def test_priority_zero_lets_the_unfit_wait_their_skew_and_no_more() -> None:
    lone = standby(BEHIND)
    lone.hear(200)
    lone.hear(0)
    assert lone.deadline == pytest.approx(lone.router.skew_time)
    lone.timer()
    assert lone.router.withheld_since == lone.now


def test_a_master_that_is_heard_ends_it() -> None:
    lone = withheld()
    lone.hear(90)
    assert (lone.router.withheld_since, lone.deadline) == (None, lone.router.master_down_interval)
    lone.give(FIT)
    assert lone.deadline == lone.router.master_down_interval


def test_a_fault_ends_it_and_the_wait_begins_anew() -> None:
    lone = withheld()
    lone.give(DEAD)
    assert (lone.state, lone.router.withheld_since) == (State.FAULT, None)
    lone.give(BEHIND)
    assert lone.deadline == lone.router.master_down_interval


def test_a_reload_that_changes_the_wait_does_not_end_it() -> None:
    lone = withheld()
    reload(lone, bound(advert_int=2.0))
    assert (lone.deadline, lone.router.withheld_since is None) == (None, False)


def test_what_spoke_against_it_does_not_stop_a_master() -> None:
    lone = active()
    assert told(lone.give(BEHIND)) == []
    assert (lone.state, lone.router.leaving) == (State.MASTER, None)


# --- invitations, orders ----------------------------------------------------------------------------------------------


def test_an_invitation_before_the_wait_is_over_ends_it() -> None:
    lone = standby(duplicate_wait=None)
    lone.hear(200)
    assert lone.give(Invited("VI_1", "db2"), after=0.5) == []
    assert (lone.deadline, lone.router.following) == (0.0, False)
    effects = lone.timer()
    assert (lone.state, kinds(effects)) == (State.MASTER, ["SendAdvert", "OpenWrites"])
    last = lone.status.last
    assert last is not None
    assert last.reason == "db2 has handed over"


def test_an_invitation_to_a_master_or_to_one_in_fault_is_nothing() -> None:
    lone = active()
    before = lone.deadline
    assert lone.give(Invited("VI_1", "db2")) == []
    assert (lone.state, lone.deadline) == (State.MASTER, before)
    lone = Lone(bound())
    lone.look()
    lone.give(DEAD)
    assert lone.give(Invited("VI_1", "db2")) == []
    assert (lone.state, lone.router.next_deadline()) == (State.FAULT, None)


def test_an_invitation_does_not_shorten_the_startup_delay() -> None:
    lone = Lone(bound(), startup_delay=30.0)
    lone.look()
    lone.give(FIT)
    lone.give(Invited("VI_1", "db2"), after=2.0)
    assert lone.deadline == 28.0


def test_a_late_invitation_lets_a_stalled_master_lapse_first() -> None:
    lone = active()
    lone.give(Invited("VI_1", "db2"), after=10.0)
    assert (lone.state, lone.deadline) == (State.BACKUP, 0.0)


def test_only_a_master_relinquishes() -> None:
    lone = standby()
    assert lone.give(DRAIN) == []
    lone = active()
    lone.give(DRAIN, after=10.0)
    assert (lone.state, lone.router.leaving) == (State.BACKUP, None), "it had lost it"


def test_by_order_it_takes_over_whatever_speaks_against_its_database() -> None:
    lone = withheld()
    effects = lone.give(SEIZE)
    assert (lone.state, told(effects)) == (State.MASTER, [OpenWrites("VI_1", 2, forced=True)])
    last = lone.status.last
    assert last is not None
    assert last.reason == "promote --force"


def test_by_order_but_not_beside_a_living_master() -> None:
    lone = standby()
    lone.hear(200)
    (record,) = lone.give(SEIZE, after=lone.router.master_down_interval - 0.01)
    text = "not taking over by order: 192.168.1.202 is master"
    assert (lone.state, record) == (State.BACKUP, Record(Level.WARNING, "VI_1", text))
    lone.give(SEIZE, after=0.01)
    assert is_in(lone, State.MASTER)


def test_by_order_while_a_silent_host_still_has_the_address() -> None:
    lone = standby(duplicate_wait=None)
    lone.hear(200)
    lone.timer()
    lone.give(HolderHeard(INTERFACE, VIP.address, MAC_OF_ANOTHER))
    lone.timer()
    assert is_in(lone, State.BACKUP)
    lone.give(SEIZE)
    assert is_in(lone, State.MASTER)


@pytest.mark.parametrize(("lone", "state"), [(active, "MASTER"), (lambda: left(DEAD), "FAULT")])
def test_by_order_only_a_backup(lone: object, state: str) -> None:
    one: Lone = lone()  # type: ignore[operator]
    assert texts(one.give(SEIZE)) == [f"not taking over by order: it is {state}"]
    assert one.state.value == state


def test_an_order_to_a_master_that_stood_still_comes_after_that() -> None:
    lone = active()
    effects = lone.give(SEIZE, after=10.0)
    assert told(effects)[-1] == OpenWrites("VI_1", 4, forced=True)
    assert isinstance(told(effects)[0], CloseWrites)


# --- reload -----------------------------------------------------------------------------------------------------------


FREE = instance(preempt=False)


def test_a_database_that_comes_to_a_master_is_opened_and_its_addresses_stay() -> None:
    lone = Lone(FREE)
    lone.become_master()
    effects = reload(lone, bound())
    assert told(effects) == [OpenWrites("VI_1", 1)]
    assert operations(effects) == []
    assert only(RenewLease, lone.timer()) == []
    lone.give(WritesOpened("VI_1", 1, "it was open"))
    assert only(RenewLease, lone.timer())


def test_a_database_that_comes_to_a_backup_is_closed_and_looked_at_first() -> None:
    lone = Lone(FREE)
    lone.look()
    effects = reload(lone, bound())
    assert told(effects) == [CloseWrites("VI_1", 1, "it has come with the configuration")]
    assert is_in(lone, State.BACKUP)
    lone.timer()
    assert lone.router.withheld_since is not None
    lone.give(FIT)
    lone.timer()
    assert is_in(lone, State.MASTER)


def test_taken_away_while_open_nothing_changes() -> None:
    lone = active()
    assert told(reload(lone, FREE)) == []
    assert only(RenewLease, lone.timer())


def test_taken_away_while_it_opens_the_addresses_come() -> None:
    lone = opening()
    assert operations(reload(lone, FREE)) == [Operation(Action.ADD, VIP, 2)]


def test_taken_away_while_it_closes_it_hands_over() -> None:
    lone = closing()
    effects = reload(lone, FREE)
    assert told(effects) == [RefuseConnections("VI_1", ())]
    assert [each.priority for each in sent(effects)] == [0]
    assert (lone.state, lone.status.handing_over) == (State.BACKUP, True)


def test_taken_away_while_withheld_it_takes_over() -> None:
    lone = withheld()
    reload(lone, FREE)
    lone.timer()
    assert is_in(lone, State.MASTER)


def test_taken_away_while_it_hands_over_clients_are_refused_no_more() -> None:
    lone = left()
    assert told(reload(lone, FREE)) == [RefuseConnections("VI_1", ())]
    assert told(lone.timer()) == []


OTHER = instance(name="VI_2", virtual_router_id=61, addresses=(replace(VIP, address=VIP.address - 1),))
ELSEWHERE = replace(DATABASE, account=Account(port=3307))


def test_another_server_is_nothing_that_is_known_of() -> None:
    lone = active()
    assert told(reload(lone, bound(database=ELSEWHERE))) == [OpenWrites("VI_1", 3)]
    assert lone.node.snapshot(lone.now).databases[0].reported is None
    assert is_in(lone, State.MASTER)


def test_another_server_in_place_of_one_that_is_being_closed() -> None:
    lone = closing()
    effects = reload(lone, bound(database=ELSEWHERE))
    assert told(effects) == [CloseWrites("VI_1", 4, "it has come with the configuration"), Invite("VI_1")]
    assert (lone.state, lone.status.handing_over) == (State.BACKUP, True)
    assert told(lone.timer()) == [RefuseConnections("VI_1", ())]


def test_what_others_do_at_a_reload_is_done_beside_an_instance_that_comes() -> None:
    lone = active()
    assert told(reload(lone, bound(database=ELSEWHERE), OTHER)) == [OpenWrites("VI_1", 3)]


def test_other_manners_with_the_same_server_change_nothing() -> None:
    lone = active()
    effects = reload(lone, bound(database=replace(DATABASE, hold_down=1.0)))
    assert told(effects) == []
    assert lone.node.snapshot(lone.now).databases[0].reported is not None


def test_a_server_under_another_name_is_told_anew() -> None:
    lone = active()
    assert told(reload(lone, bound(name="VI_X"))) == [OpenWrites("VI_X", 3)]


def test_refusals_made_under_an_old_name_are_lifted_under_it() -> None:
    lone = left()
    reload(lone, bound(name="VI_X"))
    assert told(lone.timer()) == [RefuseConnections("VI_1", ())]


# --- removed, and back ------------------------------------------------------------------------------------------------


def removed() -> Lone:
    """A MASTER that the configuration has no more, while its database is being closed."""
    lone = active()
    effects = reload(lone, OTHER)
    assert told(effects) == [
        CloseWrites("VI_1", 3, "it is no longer in the configuration"),
        RefuseConnections("VI_1", (VIP.address,)),
    ]
    assert "VI_1" in [each.name for each in lone.node.instances()]
    return lone


def test_removed_while_master_it_closes_and_hands_over() -> None:
    lone = removed()
    effects = lone.give(WritesClosed("VI_1", 3, "closed"))
    assert [each.priority for each in sent(effects)] == [0]
    lone.now += 1.2
    effects = lone.give(TimerDue())
    assert told(effects) == [RefuseConnections("VI_1", ())]
    lone.obey(effects)
    assert [each.name for each in lone.node.instances()] == ["VI_2"]


def test_removed_and_never_closed_it_is_not_kept_for_ever() -> None:
    lone = removed()
    lone.now += BOUND
    assert LATE in texts(lone.give(TimerDue()))
    lone.now += 1.2
    lone.obey(lone.give(TimerDue()))
    assert [each.name for each in lone.node.instances()] == ["VI_2"]


def test_back_while_it_closes_it_goes_on_closing() -> None:
    lone = removed()
    effects = reload(lone, OTHER, bound())
    assert (told(effects), operations(effects)) == ([], [])
    assert lone.node._routers["VI_1"].stopping is False
    effects = lone.give(WritesClosed("VI_1", 3, "closed"))
    assert [each.priority for each in sent(effects)] == [0]
    status = lone.node.snapshot(lone.now).instances[1]
    assert (status.state, status.handing_over) == ("BACKUP", True)
    assert not lone.node.done


def test_back_while_it_hands_over_it_lifts_what_the_earlier_one_refused() -> None:
    lone = removed()
    lone.give(WritesClosed("VI_1", 3, "closed"))
    effects = reload(lone, OTHER, bound())
    assert told(effects) == [CloseWrites("VI_1", 4, "it is INIT")], "under a term that the earlier one did not have"
    lone.now += 1.2
    assert told(lone.give(TimerDue())) == [RefuseConnections("VI_1", ())]


def test_an_unfit_one_under_another_vrid_still_hears_the_answer() -> None:
    lone = closing(DEAD)
    effects = reload(lone, bound(virtual_router_id=70))
    assert only(CloseWrites, effects) == [CloseWrites("VI_1", 4, "mysqld does not answer")]
    states = ["not taking over by order: it is FAULT", "not taking over by order: it is MASTER"]
    assert sorted(texts(lone.give(SEIZE))) == states
    effects = lone.give(WritesClosed("VI_1", 3, "closed"))
    assert [each.vrid for each in sent(effects)] == [60]


# --- what is known of it ----------------------------------------------------------------------------------------------


def test_status_has_the_latest_report() -> None:
    lone = Lone(bound(), OTHER)
    lone.look()
    assert lone.node.snapshot(lone.now).databases == (DatabaseStatus("VI_1", DatabaseView(), (), (), None),)
    view = DatabaseView(server="MariaDB 10.11", verdict="UP")
    lone.give(DatabaseReport("VI_1", (), (LAG,), view))
    lone.give(DatabaseReport("VI_2", (), ("nobody asked",)))
    assert lone.node.snapshot(lone.now).databases == (DatabaseStatus("VI_1", view, (), (LAG,), lone.now),)


def test_a_database_that_was_away_is_looked_at_anew() -> None:
    lone = standby()
    reload(lone, OTHER)
    reload(lone, bound())
    assert is_in(lone, State.INIT)
    lone.give(FIT)
    assert is_in(lone, State.BACKUP)


def test_the_report_of_another_instance_stays() -> None:
    second = replace(OTHER, database=ELSEWHERE, preempt=False)
    lone = Lone(bound(), second)
    lone.look()
    lone.give(FIT)
    lone.give(DatabaseReport("VI_2", (), ()))
    reload(lone, second)
    assert [each.reported for each in lone.node.snapshot(lone.now).databases] == [lone.now]


def test_databases_of_two_instances_are_two() -> None:
    second = replace(OTHER, database=ELSEWHERE, preempt=False)
    lone = Lone(bound(), second)
    effects = lone.look()
    assert told(effects) == [CloseWrites("VI_1", 1, "it is INIT"), CloseWrites("VI_2", 2, "it is INIT")]
    lone.give(FIT)
    lone.give(DatabaseReport("VI_2", (), ()))
    lone.timer()
    assert [each.term for each in only(OpenWrites, lone.timer())] in ([3], [4], [])
    held = VirtualAddress(INTERFACE, VIP.address - 1, 32)
    effects = lone.give(WritesOpened("VI_2", lone.node._routers["VI_2"].writes._term, "done"))
    assert operations(effects) == [Operation(Action.ADD, held, 2)]
    assert [each.instance for each in only(Reconcile, effects)] == ["VI_2"]


def test_a_second_addressless_priority_of_the_peer_is_a_rival() -> None:
    lone = opening(priority=200)
    assert [each.priority for each in sent(lone.hear(100, LOWER_PEER, after=0.5))] == [200]
