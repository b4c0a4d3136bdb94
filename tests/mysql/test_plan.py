"""What may be done with a server, and the sentences that say why not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyvrrp.core.settings import PromoteSettings
from pyvrrp.mysql.gtid import GtidSet, MariaPosition
from pyvrrp.mysql.plan import (
    Active,
    Drain,
    Drained,
    Standby,
    drained,
    eligibility,
    held,
    lag,
    objections,
    threads,
)
from pyvrrp.mysql.status import Coordinates, Process, Replication
from pyvrrp.mysql.verdict import Verdict, Word

A = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
B = "4e11fa47-71ca-11e1-9e33-c80aa9429563"

MAY = "; it may have diverged, or what it needs is purged: docs/mysql.md"

UP = Verdict(Word.READ_ONLY, "answers, and is read only", usable=True)
DEFAULT = PromoteSettings()

RUNNING = Replication(
    source_host="192.168.1.201",
    source_port=3306,
    source_server_id=1,
    io="Yes",
    sql=True,
    behind=0.0,
    by_gtid=True,
    received=MariaPosition.parse("0-1-9"),
    applied=MariaPosition.parse("0-1-9"),
    read=Coordinates("a.000001", 1000),
    executed=Coordinates("a.000001", 1000),
)
STOPPED = replace(RUNNING, io="No", sql=False)
ORPHANED = replace(RUNNING, io="Connecting", io_errno=2003, io_error="error connecting to master", behind=None)
READY = Standby(UP, RUNNING, healthy=True, lag=0.3)


# --- eligibility ------------------------------------------------------------------------------------------------------


def test_a_healthy_replica_has_nothing_against_it() -> None:
    assert eligibility(READY, DEFAULT) == ()
    assert eligibility(replace(READY, healthy=False), DEFAULT) == (), "it replicates now"


def test_nor_has_one_whose_source_is_gone() -> None:
    assert eligibility(replace(READY, replication=ORPHANED), DEFAULT) == ()
    given_up = replace(ORPHANED, io="No")  # after so many attempts
    assert eligibility(replace(READY, replication=given_up), DEFAULT) == ()


@pytest.mark.parametrize("word", [Word.UP, Word.OVERLOADED, Word.READ_ONLY])
def test_an_overloaded_server_lives(word: Word) -> None:
    assert eligibility(replace(READY, verdict=replace(UP, word=word)), DEFAULT) == ()


@pytest.mark.parametrize("word", [Word.UNKNOWN, Word.STALLED, Word.HUNG, Word.DOWN])
def test_a_server_that_is_not_fit_takes_no_writes(word: Word) -> None:
    verdict = Verdict(word, "refuses connections", usable=True)
    for require in ("applied", "healthy-replica", "none"):
        reasons = eligibility(replace(READY, verdict=verdict), PromoteSettings(require=require))
        assert reasons == ("its server refuses connections",)


def test_nor_does_one_that_refuses_the_agent() -> None:
    verdict = Verdict(Word.UP, "lives, but denies access to pyvrrp", usable=False)
    assert eligibility(replace(READY, verdict=verdict), DEFAULT) == ("its server lives, but denies access to pyvrrp",)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sql": False}, "its SQL thread is not running"),
        (
            {"sql": False, "sql_errno": 1062, "sql_error": "Duplicate entry"},
            "its SQL thread is not running (error 1062: Duplicate entry)",
        ),
        ({"sql_errno": 1205, "sql_error": "Lock wait timeout"}, "its SQL thread reports error 1205: Lock wait timeout"),
        ({"io": "No"}, "its IO thread is not running"),
        (
            {"io": "No", "io_errno": 1236, "io_error": "purged"},
            f"its IO thread is not running (error 1236: purged{MAY})",
        ),
        ({"delay": 3600}, "it replicates 3600 s late on purpose"),
        (
            {"filters": ("replicate_do_db=shop", "replicate_ignore_table=a.b")},
            "it does not replicate everything (replicate_do_db=shop, replicate_ignore_table=a.b)",
        ),
    ],
)
def test_a_broken_replica_is_not_promoted(changes: dict[str, Any], reason: str) -> None:
    broken = replace(READY, replication=replace(RUNNING, **changes))
    assert eligibility(broken, DEFAULT) == (reason,)
    assert eligibility(broken, PromoteSettings(require="healthy-replica")) == (reason,)
    assert eligibility(broken, PromoteSettings(require="none")) == ()


def test_one_that_nobody_saw_replicating_is_not_promoted() -> None:
    unseen = Standby(UP, ORPHANED, healthy=False, lag=0.0)
    reason = "it has not been seen replicating from 192.168.1.201:3306 yet"
    assert eligibility(unseen, DEFAULT) == (f"{reason} (error 2003: error connecting to master)",)
    assert eligibility(replace(unseen, replication=replace(ORPHANED, io_errno=0)), DEFAULT) == (reason,)


def test_one_that_is_turned_away_is_not_promoted_and_says_why() -> None:
    """Its source lives, and will not let it in by itself; that it takes no more connections is over by itself."""
    denied = replace(RUNNING, io="Connecting", io_errno=1045, io_error="Access denied for user 'repl'", behind=None)
    reason = "its IO thread is turned away (error 1045: Access denied for user 'repl')"
    assert eligibility(replace(READY, replication=denied), DEFAULT) == (reason,)
    assert eligibility(replace(READY, replication=denied, lag=9.0), DEFAULT) == (
        reason,
        "it is 9.0 s behind, 5 s are allowed",
    )
    crowded = replace(denied, io_errno=1040, io_error="Too many connections")
    assert eligibility(replace(READY, replication=crowded), DEFAULT) == ()
    assert eligibility(replace(READY, replication=crowded, lag=9.0), DEFAULT) == (
        "it is 9.0 s behind, 5 s are allowed; error 1040 of its IO thread: Too many connections",
    )
    over = replace(denied, io="Yes")  # the error of a connection that was made after all
    assert eligibility(replace(READY, replication=over, lag=9.0), DEFAULT) == ("it is 9.0 s behind, 5 s are allowed",)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "from 192.168.1.201:3306: IO Yes, SQL Yes"),
        ({"io_errno": 2003, "io_error": "an old one"}, "from 192.168.1.201:3306: IO Yes, SQL Yes"),
        (
            {
                "io": "Connecting",
                "io_errno": 2003,
                "io_error": "error connecting to master 'repl@a:3306' - retry-time: 60 retries: 9 message: Can't",
            },
            "from 192.168.1.201:3306: IO Connecting (error 2003: Can't), SQL Yes",
        ),
        (
            {"io": "Connecting", "io_errno": 1045, "io_error": "Access denied"},
            "from 192.168.1.201:3306: IO Connecting (error 1045: Access denied), SQL Yes",
        ),
        (
            {"sql": False, "sql_errno": 1062, "sql_error": "Duplicate entry"},
            "from 192.168.1.201:3306: IO Yes, SQL No (error 1062: Duplicate entry)",
        ),
        ({"io": "No", "sql": False}, "stopped (from 192.168.1.201:3306)"),
        (
            {"io": "No", "sql": False, "io_errno": 2003, "io_error": "its source had died"},
            "stopped (from 192.168.1.201:3306)",
        ),
        (
            {
                "io": "No",
                "sql": False,
                "io_errno": 1236,
                "io_error": "purged",
                "sql_errno": 1032,
                "sql_error": "no row",
            },
            f"stopped (from 192.168.1.201:3306), IO (error 1236: purged{MAY}), SQL (error 1032: no row)",
        ),
    ],
)
def test_how_a_channel_stands_is_told_with_its_errors(changes: dict[str, Any], line: str) -> None:
    assert threads(replace(RUNNING, **changes)) == line


def test_what_never_was_a_replica_is_not_promoted() -> None:
    assert eligibility(Standby(UP), DEFAULT) == ("it is not a replica of the other node",)
    assert eligibility(Standby(UP), PromoteSettings(require="none")) == ()


def test_one_that_is_too_far_behind_is_not_promoted() -> None:
    assert eligibility(replace(READY, lag=5.0), DEFAULT) == ()
    assert eligibility(replace(READY, lag=7.26), DEFAULT) == ("it is 7.3 s behind, 5 s are allowed",)
    assert eligibility(replace(READY, lag=None), DEFAULT) == ("how far it is behind is not known",)


def test_what_an_operator_has_stopped_is_told_apart_from_what_broke() -> None:
    stopped = replace(READY, replication=STOPPED, left_to_run=True)
    by_hand = "its replication from 192.168.1.201:3306 was stopped by somebody (START SLAVE)"
    assert by_hand in eligibility(stopped, DEFAULT)
    assert by_hand not in eligibility(replace(stopped, left_to_run=False), DEFAULT)
    for broken in ({"sql_errno": 1062}, {"io_errno": 1236}, {"sql": True}, {"io": "Connecting"}):
        assert by_hand not in eligibility(replace(stopped, replication=replace(STOPPED, **broken)), DEFAULT)


def test_errant_transactions_are_against_it() -> None:
    errant = replace(READY, errant=("0-1-1926..1930", "1-1-7"))
    reason = "it has 6 transactions that the other node has not: 0-1-1926..1930, 1-1-7"
    assert eligibility(errant, DEFAULT) == (reason,)
    assert eligibility(errant, PromoteSettings(require="none")) == ()
    stopped = replace(RUNNING, io="No", sql=False)  # which follows
    assert eligibility(replace(errant, replication=stopped, lag=None), DEFAULT) == (reason,)
    assert eligibility(replace(errant, paused=True), DEFAULT)[1:] == (reason,)
    many = replace(READY, errant=tuple(f"{number}-1-1" for number in range(7)))
    assert eligibility(many, DEFAULT)[0].endswith(": 0-1-1, 1-1-1, 2-1-1, 3-1-1, 4-1-1 and 2 more")
    assert eligibility(replace(many, errant=many.errant[:6]), DEFAULT)[0].endswith(", 4-1-1 and 1 more")
    assert eligibility(replace(many, errant=many.errant[:5]), DEFAULT)[0].endswith(", 4-1-1")


def test_what_the_operator_said_comes_first_and_counts_always() -> None:
    withheld = Standby(UP, held=479.6, paused=True, drained=True)
    said = (
        "failover is paused (`pyvrrpctl resume` ends that)",
        "it is drained (`pyvrrpctl resume` ends that)",
        "there was a failover, and for 480 s there is no second one (`pyvrrpctl acknowledge` ends that)",
    )
    assert eligibility(withheld, PromoteSettings(require="none")) == said
    assert eligibility(withheld, DEFAULT) == (*said, "it is not a replica of the other node")


def test_the_last_moment_of_the_hold_down_counts() -> None:
    (reason,) = eligibility(replace(READY, held=0.2), DEFAULT)
    assert "for 1 s there is no second one" in reason


def test_lag_is_how_long_nothing_came_and_how_old_it_was() -> None:
    assert lag(changed=100.0, word=100.3, behind=0.0) == pytest.approx(0.3)
    assert lag(changed=100.0, word=103.0, behind=2.0) == 5.0
    assert lag(changed=100.0, word=99.0, behind=None) == 0.0, "the active's word may be older than its heartbeat"


def test_hold_down() -> None:
    assert held(failover=0.0, hold_down=600.0, now=50.0) == 0.0, "there was none"
    assert held(failover=1000.0, hold_down=600.0, now=1000.0) == 600.0
    assert held(failover=1000.0, hold_down=600.0, now=1599.0) == 1.0
    assert held(failover=1000.0, hold_down=600.0, now=1600.0) == 0.0
    assert held(failover=9000.0, hold_down=600.0, now=1000.0) == 600.0, "a clock that was set back holds no longer"
    assert held(failover=1000.0, hold_down=0.0, now=1000.0) == 0.0


# --- drained ----------------------------------------------------------------------------------------------------------


def test_nothing_received_nothing_to_apply() -> None:
    assert drained(None) == Drained(Drain.DONE, "it is no replica: nothing was received")
    assert drained(Replication(io="No")) == Drained(Drain.DONE, "all that was received is applied (nothing)")


def test_mariadb_is_drained_per_domain() -> None:
    assert drained(RUNNING) == Drained(Drain.DONE, "all that was received is applied (0-1-9)")
    late = replace(RUNNING, received=MariaPosition.parse("0-1-12,1-1-5"), applied=MariaPosition.parse("1-1-5,0-1-9"))
    assert drained(late) == Drained(Drain.WAIT, "3 transactions received and not applied: 0-1-10..12", ("0-1-10..12",))


def test_mysql_is_drained_when_it_executed_what_it_retrieved() -> None:
    received, applied = GtidSet.parse(f"{A}:3-9"), GtidSet.parse(f"{A}:1-8,{B}:1-4")
    late = replace(RUNNING, received=received, applied=applied)
    assert drained(late) == Drained(Drain.WAIT, f"1 transaction received and not applied: {A}:9", (f"{A}:9",))
    assert drained(replace(late, applied=GtidSet.parse(f"{A}:1-9"))).state is Drain.DONE


def test_half_a_transaction_at_the_end_is_not_missing_by_gtid() -> None:
    """The source died while it sent it: by position it will be missing for ever."""
    half = replace(ORPHANED, read=Coordinates("a.000001", 1300))
    assert drained(half).state is Drain.DONE
    by_position = replace(half, received=None, applied=None)
    assert drained(by_position) == Drained(
        Drain.WAIT, "a part of the log received and not applied: a.000001:1000..1300", ("a.000001:1000..1300",)
    )


def test_without_gtid_the_places_are_compared() -> None:
    plain = replace(RUNNING, received=None, applied=None)
    assert drained(plain).detail == "all that was received is applied (a.000001:1000)"
    rotated = replace(plain, read=Coordinates("a.000002", 400))
    assert drained(rotated).missing == ("a.000001:1000..a.000002:400",)
    begun = replace(plain, executed=None)
    assert drained(begun).missing == ("..a.000001:1000",)


def test_a_stopped_sql_thread_is_not_waited_for() -> None:
    late = replace(RUNNING, received=MariaPosition.parse("0-1-12"))
    assert drained(replace(late, sql=False)) == Drained(
        Drain.STUCK,
        "its SQL thread is not running, with 3 transactions received and not applied: 0-1-10..12",
        ("0-1-10..12",),
    )
    failed = drained(replace(late, sql_errno=1062, sql_error="Duplicate entry"))
    assert failed.state is Drain.STUCK
    assert failed.detail.startswith("its SQL thread is not running (error 1062: Duplicate entry), with 3 ")
    assert drained(replace(RUNNING, sql=False)).state is Drain.DONE, "it need not run, it has applied everything"


def test_a_mariadb_that_was_started_anew_has_forgotten_what_it_received() -> None:
    anew = replace(RUNNING, io="No", sql=False, received=MariaPosition(), read=Coordinates("", 4))
    assert drained(anew) == Drained(Drain.STUCK, "its server was started anew and does not know what it had received")
    assert drained(replace(anew, executed=None)).state is Drain.DONE, "it never received anything"


# --- switchover -------------------------------------------------------------------------------------------------------

SERVING = Verdict(Word.UP, "answers", usable=True)
CLIENT = Process(17, "app", "web:5012", "shop", "Query", 12, "Sending data", "SELECT 1")


def test_a_quiet_pair_may_be_switched_over() -> None:
    replica = Process(3, "repl", "db2:1", command="Binlog Dump", seconds=9000, state="Waiting for table metadata lock")
    assert objections(Active(SERVING), ()) == ()
    assert objections(Active(SERVING, (CLIENT, replica), {17: 2}), ()) == (), "a long read holds nobody up"


def test_both_nodes_must_be_well() -> None:
    active = Active(Verdict(Word.HUNG, "has not answered for 0.9 s"))
    assert objections(active, ("it is 7.3 s behind, 5 s are allowed",)) == (
        "the target: it is 7.3 s behind, 5 s are allowed",
        "the active node: its server has not answered for 0.9 s",
    )


@pytest.mark.parametrize(
    ("process", "ages", "reason"),
    [
        (CLIENT, {17: 3}, "has had a transaction open for 3 s"),
        (replace(CLIENT, command="Sleep"), {17: 3}, "has had a transaction open for 3 s"),
        (
            replace(CLIENT, statement="  alter table t add c int"),
            {17: 12},
            "has been busy for 12 s with alter table t add c int",
        ),
        (
            replace(CLIENT, state="Waiting for table metadata lock", statement="INSERT INTO t VALUES (1)"),
            {},
            "has been waiting for 12 s (Waiting for table metadata lock)",
        ),
    ],
)
def test_what_goes_on_for_long_is_not_cut_off(process: Process, ages: dict[int, int], reason: str) -> None:
    active = Active(SERVING, (process,), ages)
    assert objections(active, ()) == (f"the active node: session 17 of app@web:5012 {reason}",)
    assert objections(replace(active, keep_users=("app",)), ()) == (), "it is not killed"
    assert objections(active, (), longest=60.0) == ()
    assert objections(active, (), longest=float(max(12, *ages.values(), 0))) == (), "that long, and no longer"


def test_a_session_without_a_transaction_has_none_open() -> None:
    assert objections(Active(SERVING, (CLIENT,), {18: 9}), (), longest=0.5) == ()


def test_what_was_long_ago_holds_nobody_up() -> None:
    idle = replace(CLIENT, command="Sleep", seconds=9000, statement="ALTER TABLE t ADD c INT")
    assert objections(Active(SERVING, (idle,)), ()) == ()
