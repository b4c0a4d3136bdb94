"""What one server has alone, or has lost, and whether it may replicate."""

from __future__ import annotations

from dataclasses import replace

from pyvrrp.mysql.divergence import Rejoin, Return, loss, rejoin, rejoin_by_place
from pyvrrp.mysql.gtid import BinlogState, GtidSet
from pyvrrp.mysql.status import Coordinates, Picture, Replication
from tests.mysql.test_plan import ORPHANED, RUNNING, STOPPED, A, B

# --- rejoin -----------------------------------------------------------------------------------------------------------

OWN = Picture(name="MariaDB 10.11", ordered=True, gtids=BinlogState.parse("0-1-105,0-2-90"))


def test_a_server_with_nothing_of_its_own_replicates() -> None:
    active = BinlogState.parse("0-1-105,0-2-120")
    assert rejoin(OWN, STOPPED, active) == Rejoin(Return.START, "it has nothing that the active server has not")
    assert rejoin(OWN, replace(RUNNING, io="No"), active).decision is Return.START
    assert rejoin(OWN, replace(RUNNING, sql=False), active).decision is Return.START
    assert rejoin(OWN, RUNNING, active) == Rejoin(Return.ALREADY, "it replicates from 192.168.1.201:3306")
    assert rejoin(OWN, ORPHANED, active).decision is Return.ALREADY
    assert rejoin(OWN, None, active) == Rejoin(Return.UNKNOWN, "it has never been made a replica of the active server")


def test_a_server_with_transactions_of_its_own_has_diverged() -> None:
    for channel in (STOPPED, RUNNING, None):
        assert rejoin(OWN, channel, BinlogState.parse("0-1-99,0-2-120")) == Rejoin(
            Return.DIVERGED,
            "it has 6 transactions that the active server has not: 0-1-100..105",
            ("0-1-100..105",),
        )
    mysql = Picture(name="MySQL 8.4", gtids=GtidSet.parse(f"{A}:1-9"))
    assert rejoin(mysql, STOPPED, GtidSet.parse(f"{A}:1-8")).errant == (f"{A}:9",)
    assert rejoin(mysql, STOPPED, GtidSet.parse(f"{A}:1-10")).decision is Return.START


def test_order_is_believed_only_when_both_have_kept_it() -> None:
    cloned = BinlogState.parse("0-1-105")
    assert rejoin(OWN, STOPPED, cloned, ordered=True).decision is Return.START
    assert rejoin(OWN, STOPPED, cloned).errant == ("0-2-1..90",)
    assert rejoin(replace(OWN, ordered=False), STOPPED, cloned, ordered=True).errant == ("0-2-1..90",)


def test_what_was_found_errant_is_not_hidden_by_what_was_executed_after_it() -> None:
    """gtid_strict_mode was off for a while: it replicated on, past its own transaction, and now both have it on."""
    own = replace(OWN, gtids=BinlogState.parse("0-2-90,0-1-105"))
    active = BinlogState.parse("0-1-110")

    def found(known: tuple[str, ...], theirs: BinlogState = active, mine: Picture = own) -> tuple[str, ...]:
        return rejoin(mine, RUNNING, theirs, ordered=True, known=known).errant

    assert found(()) == ()
    assert found(("0-2-88..90",)) == ("0-2-88..90",)
    assert found(("0-2-89",)) == ("0-2-89..90",), "there is one more by now"
    assert found(("0-2-88..90",), BinlogState.parse("0-2-90,0-1-110")) == (), "it has been given to the active one"
    assert found(("0-2-91..95",)) == (), "the log was begun anew, and these are gone"
    assert found(("0-2-88..90",), mine=replace(OWN, gtids=BinlogState.parse("0-1-105"))) == ()
    assert found(("0-3-7", "mysql-bin.000001:5..9")) == ()
    loose = replace(own, ordered=False)
    assert found((), mine=loose) == ("0-2-1..90",)
    assert found(("0-2-88..90",), mine=loose) == ("0-2-88..90",)


def test_a_server_without_what_it_once_wrote_is_no_copy_again_by_replicating() -> None:
    """Its host lost power, and the other one had received more of it than its disk: MariaDB's replica skips its own."""
    back, active = replace(OWN, server_id=1, gtids=BinlogState.parse("0-1-63")), BinlogState.parse("0-1-198,0-2-313")
    found = rejoin(back, STOPPED, active, ordered=True)
    assert found.decision is Return.UNKNOWN
    assert found.reason.startswith("135 transactions that were written here are here no more: 0-1-64..198: no replica")
    past = replace(back, gtids=BinlogState.parse("0-1-63,0-2-313"))
    assert rejoin(past, RUNNING, active, ordered=True).decision is Return.UNKNOWN, "somebody has started it"
    assert loss(past.gtids, active, ordered=True) == ("0-1-64..198",)
    copy = replace(back, gtids=BinlogState.parse("0-2-313"))
    assert rejoin(copy, STOPPED, active, ordered=True).decision is Return.START
    old_copy = replace(back, gtids=BinlogState.parse("0-1-150"))
    assert "0-1-151..198" in rejoin(old_copy, STOPPED, active, ordered=True).reason
    mysql = Picture("MySQL 8.4", uuid=A, gtids=GtidSet.parse(f"{A}:1-5"))
    assert f"{A}:6-9" in rejoin(mysql, STOPPED, GtidSet.parse(f"{A}:1-9,{B}:1")).reason
    assert rejoin(replace(mysql, uuid=B), STOPPED, GtidSet.parse(f"{A}:1-9")).decision is Return.START


def test_one_that_acknowledges_takes_back_its_own() -> None:
    back = replace(OWN, server_id=1, gtids=BinlogState.parse("0-1-63"))
    active = BinlogState.parse("0-1-198,0-2-313")

    def decided(gtids: str, channel: Replication) -> Return:
        mine = replace(back, gtids=BinlogState.parse(gtids))
        return rejoin(mine, channel, active, ordered=True, acknowledges=True).decision

    assert decided("0-1-63", STOPPED) is Return.START
    assert decided("0-1-150", RUNNING) is Return.ALREADY
    assert decided("0-1-63,0-2-313", RUNNING) is Return.UNKNOWN, "it has not"
    mysql = Picture("MySQL 8.4", uuid=A, gtids=GtidSet.parse(f"{A}:1-5"))
    assert rejoin(mysql, STOPPED, GtidSet.parse(f"{A}:1-9"), acknowledges=True).decision is Return.UNKNOWN


def test_a_number_that_the_active_one_uses_again_gives_nothing_back() -> None:
    """It was opened without its last transactions, which a standby has, and counts on from there."""
    logged = BinlogState.parse("0-1-213")
    own = replace(OWN, gtids=logged, logged=logged)
    known = rejoin(own, STOPPED, BinlogState.parse("0-1-100"), ordered=True, writer="1").errant
    assert known == ("0-1-101..213",)
    active = BinlogState.parse("0-1-500")
    assert rejoin(own, STOPPED, active, ordered=True, known=known, writer="1").errant == known
    assert rejoin(own, STOPPED, active, ordered=True, known=known, writer="2").errant == ()
    copied = replace(own, gtids=active, logged=BinlogState())
    assert rejoin(copied, STOPPED, active, ordered=True, known=known, writer="1").decision is Return.START
    executed = GtidSet.parse(f"{A}:1-9,{B}:1-2")
    mysql = Picture("MySQL 8.4", uuid=B, gtids=executed, logged=executed)
    reused = rejoin(mysql, STOPPED, GtidSet.parse(f"{A}:1-20,{B}:1-2"), known=(f"{A}:8-9",), writer=A)
    assert reused.errant == (f"{A}:8-9",)
    assert rejoin(mysql, STOPPED, GtidSet.parse(f"{A}:1-20,{B}:1-2"), known=(f"{B}:2",), writer=A).errant == ()


def test_what_the_active_one_has_left_out_this_one_has_alone() -> None:
    active, gaps = BinlogState.parse("0-1-1006500"), ("0:50..6000", "0:6452..1006452")
    own = replace(OWN, gtids=BinlogState.parse("0-1-6507"))
    found = rejoin(own, STOPPED, active, ordered=True, gaps=gaps)
    assert found == Rejoin(
        Return.DIVERGED,
        "it has 55 transactions that the active server has not: 0-1-6453..6507",
        ("0-1-6453..6507",),
    )
    assert rejoin(replace(own, gtids=active), STOPPED, active, ordered=True, gaps=gaps).decision is Return.START


def test_what_cannot_be_compared_is_not_started() -> None:
    active = BinlogState.parse("0-1-1")
    mixed = rejoin(replace(OWN, gtids=None), STOPPED, active)
    assert mixed.decision is Return.UNKNOWN
    assert "one of the two servers replicates by GTID, and the other one by file and position" in mixed.reason
    both = rejoin(replace(OWN, gtids=None), STOPPED, Coordinates("a.000001", 4))
    assert both == Rejoin(Return.UNKNOWN, "its server has no GTIDs: it can only be compared by file and position")
    assert rejoin(OWN, STOPPED, None) == Rejoin(Return.UNKNOWN, "what the active server has is not known")
    other = rejoin(OWN, STOPPED, GtidSet.parse(f"{A}:1"))
    assert other.decision is Return.UNKNOWN
    assert other.reason == "the transactions of MariaDB 10.11 and those of the active server are of different kinds"


PLACED = replace(STOPPED, by_gtid=False, received=None, applied=None)
ACTIVE_LOG = Picture("MySQL 5.6", binlog=Coordinates("a.000001", 1000))


def test_without_gtids_it_follows_when_its_log_has_nothing_of_its_own() -> None:
    assert rejoin_by_place(PLACED, ACTIVE_LOG, ()).decision is Return.START
    assert rejoin_by_place(replace(PLACED, io="Yes", sql=True), ACTIVE_LOG, ()).decision is Return.ALREADY
    assert rejoin_by_place(None, ACTIVE_LOG, ()).decision is Return.UNKNOWN


def test_without_gtids_what_it_has_of_its_own_is_a_part_of_its_log() -> None:
    part = "b.000007:1234..5678"
    assert rejoin_by_place(PLACED, ACTIVE_LOG, (part,)) == Rejoin(
        Return.DIVERGED, f"it has a part of the log that the active server has not: {part}", (part,)
    )


def test_an_active_server_whose_log_is_shorter_than_what_came_from_it_is_not_followed() -> None:
    for binlog in (Coordinates("a.000001", 999), None):
        found = rejoin_by_place(PLACED, replace(ACTIVE_LOG, binlog=binlog), ())
        assert found.decision is Return.UNKNOWN
        assert found.reason == f"it has received up to a.000001:1000, and the active server's log ends at {binlog}"


# --- loss -------------------------------------------------------------------------------------------------------------


def test_what_was_published_and_is_not_here_is_lost() -> None:
    assert loss(BinlogState.parse("0-1-1925"), BinlogState.parse("0-1-1930")) == ("0-1-1926..1930",)
    assert loss(BinlogState.parse("0-1-50"), BinlogState.parse("0-2-40,0-1-50")) == ("0-2-1..40",)
    assert loss(BinlogState.parse("0-1-50"), BinlogState.parse("0-2-40,0-1-50"), ordered=True) == ()
    assert loss(GtidSet.parse(f"{A}:1-5"), GtidSet.parse(f"{A}:1-9")) == (f"{A}:6-9",)
    assert loss(GtidSet.parse(f"{A}:1-9"), GtidSet.parse(f"{A}:1-5")) == ()


def test_by_position_what_is_lost_lies_between_two_places() -> None:
    assert loss(Coordinates("m.000009", 100), Coordinates("m.000009", 150)) == ("m.000009:100..150",)
    assert loss(Coordinates("m.000009", 100), Coordinates("m.000010", 4)) == ("m.000009:100..m.000010:4",)
    assert loss(Coordinates("m.000010", 4), Coordinates("m.000009", 100)) == ()


def test_nothing_is_claimed_that_is_not_known() -> None:
    assert loss(BinlogState(), None) == loss(None, BinlogState.parse("0-1-1")) == ()
    assert loss(GtidSet.parse(f"{A}:1"), BinlogState.parse("0-1-1")) == ()
