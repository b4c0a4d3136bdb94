"""Two nodes that cannot hear each other: silence may be no reason to open a database, and who goes when one is deaf."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

from pyvrrp.core.effects import CloseWrites, OpenWrites
from pyvrrp.core.events import ConfigReplaced, DatabaseReport, Invited, Seize, Vacant, WritesOpened, WritesRefused
from pyvrrp.core.fsm import State
from pyvrrp.core.settings import Account, DatabaseSettings, PromoteSettings
from tests.lone import PEER, Lone, only, texts
from tests.simulation import settings

FIT = DatabaseReport("VI_1", (), ())
NO_WORD = "nobody said that the master has left, and on_silence is hold (`pyvrrpctl promote --force` overrides that)"


def database(on_silence: str) -> DatabaseSettings:
    return DatabaseSettings(Account("/run/mysqld.sock"), promote=PromoteSettings(on_silence=on_silence))


def backup_with_database(on_silence: str = "hold") -> Lone:
    lone = Lone(database=database(on_silence), preempt=False, priority=250, duplicate_wait=0.0)
    lone.look()
    lone.give(FIT)
    assert lone.state is State.BACKUP
    return lone


def withheld() -> Lone:
    lone = backup_with_database()
    lone.hear(100, after=1.0)
    lone.timer()
    return lone


def test_silence_alone_does_not_open_it() -> None:
    lone = backup_with_database()
    lone.hear(100, after=1.0)
    effects = lone.timer()
    assert lone.state is State.BACKUP
    assert texts(effects)[-1].endswith(f"but it does not take over: {NO_WORD}")
    assert lone.deadline is None
    assert lone.status.why[1] == f"It does not take over: {NO_WORD}."
    lone.give(FIT, after=5.0)
    assert lone.state is State.BACKUP


def test_with_promote_it_does() -> None:
    lone = backup_with_database("promote")
    lone.hear(100, after=1.0)
    (opening,) = only(OpenWrites, lone.timer())
    assert not opening.forced


def test_a_word_of_the_other_agent_ends_it() -> None:
    lone = withheld()
    lone.give(Invited("VI_1", "mysql-ha-a"), after=9.0)
    assert lone.deadline == 0.0
    effects = lone.timer()
    assert texts(effects)[-1] == "mysql-ha-a has handed over"
    assert lone.state is State.MASTER


def test_priority_zero_ends_it_after_skew_time() -> None:
    lone = withheld()
    lone.hear(0, after=9.0)
    assert lone.router.withheld_since is None
    assert lone.deadline is not None
    assert 0 < lone.deadline < 0.1
    lone.timer()
    assert lone.state is State.MASTER


def test_priority_zero_is_no_reason_where_something_else_speaks_against_it() -> None:
    lone = withheld()
    lone.give(DatabaseReport("VI_1", (), ("it is paused",)))
    lone.hear(0, after=9.0)
    assert lone.deadline is None
    lone.give(Invited("VI_1", "mysql-ha-a"))
    assert lone.deadline is None
    lone.give(FIT)
    lone.timer()
    assert lone.state is State.MASTER


def test_where_nobody_is_master_the_other_agents_word_is_enough() -> None:
    lone = withheld()
    assert lone.node.withheld("VI_1")
    lone.give(Vacant("VI_1", "mysql-ha-b"), after=9.0)
    assert lone.deadline == 0.0
    effects = lone.timer()
    assert texts(effects)[-1] == "mysql-ha-b says that it is not master"
    assert lone.state is State.MASTER
    assert not lone.node.withheld("VI_1")
    assert not lone.node.withheld("VI_2")


def test_that_word_comes_to_a_master_that_stood_still_and_is_one_no_more() -> None:
    lone = open_master()
    assert only(CloseWrites, lone.give(Vacant("VI_1", "mysql-ha-b"), after=10.0))
    assert lone.state is State.BACKUP


def test_that_word_hurries_nobody_who_still_waits() -> None:
    lone = backup_with_database()
    before = lone.router.next_deadline()
    assert lone.give(Vacant("VI_1", "mysql-ha-b")) == []
    assert lone.router.next_deadline() == before
    lone.timer()
    assert lone.router.withheld_since is not None  # nor was it kept for later


def test_that_word_is_not_kept_until_something_else_is_gone() -> None:
    lone = withheld()
    lone.give(DatabaseReport("VI_1", (), ("it is paused",)))
    lone.give(Vacant("VI_1", "mysql-ha-b"))
    lone.give(FIT)
    assert lone.deadline is None
    assert lone.status.why[1] == f"It does not take over: {NO_WORD}."


def test_the_operator_may() -> None:
    lone = withheld()
    (opening,) = only(OpenWrites, lone.give(Seize("VI_1", "by order")))
    assert opening.forced


# --- one that is deaf -------------------------------------------------------------------------------------------------


def open_master() -> Lone:
    lone = backup_with_database("promote")
    (opening,) = only(OpenWrites, lone.timer())
    lone.give(WritesOpened("VI_1", opening.term, "at once"))
    assert lone.state is State.MASTER
    return lone


def test_a_master_goes_when_a_worse_one_does_not_hear_its_answer() -> None:
    lone = open_master()
    lone.hear(100, after=0.3)
    effects = lone.hear(100, after=1.0)
    assert lone.state is State.BACKUP
    assert lone.router.master is not None
    assert lone.router.master.address == PEER
    assert only(CloseWrites, effects)
    assert texts(effects)[0] == (
        "192.168.1.202 is master too, with priority 100, and does not hear this node: only one database may be open"
    )


def test_one_that_may_not_have_had_the_answer_yet_is_not_deaf() -> None:
    lone = open_master()
    lone.hear(100, after=0.3)
    lone.hear(100, after=0.4)
    assert lone.state is State.MASTER


def test_two_rivals_are_not_one() -> None:
    lone = open_master()
    lone.hear(100, after=0.3)
    lone.hear(100, source=IPv4Address("192.168.1.203"), after=1.0)
    assert lone.state is State.MASTER


def test_one_that_was_not_answered_is_not_deaf() -> None:
    lone = open_master()
    lone.timer()
    lone.hear(100, after=0.01)  # so soon after our advert that there is no other one
    lone.hear(100, after=0.98)
    assert lone.state is State.MASTER


def test_without_a_database_the_better_one_stays() -> None:
    lone = Lone(preempt=False, priority=250, duplicate_wait=0.0)
    lone.look()
    lone.timer()
    for _ in range(3):
        lone.hear(100, source=PEER, after=0.9)
    assert lone.state is State.MASTER


def test_a_rival_of_another_time_is_answered_like_the_first() -> None:
    lone = open_master()
    lone.hear(100, after=0.3)
    for _ in range(5):
        lone.timer()
    effects = lone.hear(100, after=0.1)
    assert lone.state is State.MASTER
    assert only(CloseWrites, effects) == []


def test_priority_zero_soon_after_a_refusal_is_waited_for_longer() -> None:
    lone = backup_with_database("promote")
    (opening,) = only(OpenWrites, lone.timer())
    lone.give(WritesRefused("VI_1", opening.term, "transactions are missing"))
    lone.give(ConfigReplaced(settings(replace(lone.router.settings, database=database("hold")))))
    lone.timer()
    while lone.router.withheld_since is None:
        lone.timer()
    lone.hear(0)
    assert lone.deadline == lone.router.master_down_interval
    lone.timer()
    assert lone.router.state is State.MASTER


def test_deaf_is_who_goes_on_half_an_interval_later_but_not_who_comes_back_after_a_whole_wait() -> None:
    lone = open_master()
    lone.hear(100, after=0.25)
    lone.hear(100, after=0.5)
    assert lone.router.state is State.BACKUP
    lone = open_master()
    taken = lone.now
    lone.hear(100, after=0.25)
    while lone.now < taken + 3:
        lone.timer()
    lone.hear(100, after=lone.router.master_down_interval - 2.75)
    assert lone.router.state is not State.BACKUP
