"""Which transactions one server has and another has not, in the notations of both families."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyvrrp.mysql.gtid import BinlogState, Gap, Gtid, GtidSet, Interval, MariaPosition, Source, count, merged

A = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
B = "4e11fa47-71ca-11e1-9e33-c80aa9429563"


def position(text: str) -> MariaPosition:
    return MariaPosition.parse(text)


def state(text: str) -> BinlogState:
    return BinlogState.parse(text)


def gtids(text: str) -> GtidSet:
    return GtidSet.parse(text)


# --- MariaDB: a position ----------------------------------------------------------------------------------------------


def test_a_position_has_one_transaction_for_each_domain() -> None:
    assert position("1-2-5, 0-1-100").gtids == (Gtid(0, 1, 100), Gtid(1, 2, 5))
    assert str(position("1-2-5,0-1-100")) == "0-1-100,1-2-5"
    assert position("") == position(" \n") == MariaPosition()


@pytest.mark.parametrize(
    "text", ["0-1", "0-1-2-3", "0-1-x", "0-1-100,", ",", "4294967296-1-1", "0-4294967296-1", "0-1-18446744073709551616"]
)
def test_what_is_no_position_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ValueError, match="not a GTID of MariaDB's"):
        position(text)
    with pytest.raises(ValueError, match="not a GTID of MariaDB's"):
        state(text)


def test_the_largest_numbers_are_numbers() -> None:
    assert position("4294967295-4294967295-18446744073709551615").gtids[0].sequence == 2**64 - 1


def test_a_position_names_no_domain_twice() -> None:
    with pytest.raises(ValueError, match="names domain 0 twice"):
        position("0-1-100,0-2-101")


def test_a_replica_that_is_behind_lacks_what_came_after() -> None:
    received, applied = position("0-1-1930,1-2-5"), position("0-1-1925,1-2-5")
    assert received.covers(applied)
    assert not applied.covers(received)
    assert received.beyond(applied) == ("0-1-1926..1930",)
    assert position("0-1-1926").beyond(applied) == ("0-1-1926",)


def test_sequence_numbers_rise_over_the_servers_of_a_domain() -> None:
    assert position("0-2-101").covers(position("0-1-100"))
    assert position("0-2-103").beyond(position("0-1-100")) == ("0-2-101..103",)


def test_one_number_from_two_servers_is_two_transactions() -> None:
    assert position("0-1-100").beyond(position("0-2-100")) == ("0-1-100",)
    assert position("0-2-100").beyond(position("0-1-100")) == ("0-2-100",)


def test_a_domain_that_the_other_has_not_is_missing_from_its_start() -> None:
    assert position("0-1-100,7-1-3").beyond(position("0-1-100")) == ("7-1-1..3",)
    assert position("0-1-100").covers(position(""))


# --- MariaDB: a binlog state ------------------------------------------------------------------------------------------


def test_a_binlog_state_has_several_servers_and_the_newest_of_a_domain_is_the_last() -> None:
    seen = state("1-1-7,0-2-100,0-1-42")
    assert str(seen) == "0-2-100,0-1-42,1-1-7"
    assert seen.position == position("0-1-42,1-1-7")
    with pytest.raises(ValueError, match="names server 1 twice in domain 0"):
        state("0-1-100,0-2-101,0-1-102")


def test_a_crashed_master_has_what_it_did_not_send() -> None:
    assert state("0-1-1930").beyond(state("0-1-1925")) == ("0-1-1926..1930",)
    assert state("0-1-1925,0-2-1940").covers(state("0-1-1925"))


def test_each_server_of_a_domain_counts() -> None:
    """The other one has written more, but not that."""
    old, new = state("0-1-105"), state("0-1-99,0-2-110")
    assert old.beyond(new) == ("0-1-100..105",)
    assert new.beyond(old) == ("0-2-100..110",)
    assert position("0-2-110").covers(position("0-1-105"))


def test_a_range_does_not_count_what_the_other_server_wrote_in_between() -> None:
    """1 was master to 100, 2 to 300, and 1 again: of its own the other has no more than 100."""
    assert state("0-2-300,0-1-305").beyond(state("0-1-100,0-2-300")) == ("0-1-301..305",)


def test_a_transaction_out_of_order_is_not_overlooked() -> None:
    """Without gtid_strict_mode a server writes 95 of its own, and then what it replicates from 91 on."""
    odd = state("0-2-95,0-1-105")
    assert odd.beyond(state("0-1-105")) == ("0-2-1..95",)
    assert odd.beyond(state("0-1-105,0-2-90")) == ("0-2-91..95",)


@pytest.mark.parametrize(
    ("ranges", "wanted"),
    [
        ((), ()),
        (("0-1-208..507", "0-1-508", "0-1-300..310"), ("0-1-208..508",)),
        (("0-1-7", "0-2-8", "0-1-7"), ("0-1-7", "0-2-8")),
        (
            ("3e11fa47-71ca-11e1-9e33-c80aa9429562:5-9", "3e11fa47-71ca-11e1-9e33-c80aa9429562:10"),
            ("3e11fa47-71ca-11e1-9e33-c80aa9429562:5-10",),
        ),
        (("3e11fa47-71ca-11e1-9e33-c80aa9429562:t:5",), ("3e11fa47-71ca-11e1-9e33-c80aa9429562:t:5",)),
        (("bin.000001:4..90", "bin.000001:4..90", "bin.000002:4..90"), ("bin.000001:4..90", "bin.000002:4..90")),
    ],
)
def test_ranges_that_are_named_twice_are_one(ranges: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    assert merged(ranges) == wanted


def test_a_clone_that_never_wrote_of_a_server_has_all_before_its_position() -> None:
    """2 died after 40, and was cloned anew from 1."""
    source, clone = state("0-2-40,0-1-50"), state("").joined(position("0-1-50"))
    assert clone == state("0-1-50")
    assert source.beyond(clone) == ("0-2-1..40",)
    assert source.beyond(clone, ordered=True) == ()
    assert clone.covers(source, ordered=True)
    assert not clone.covers(source)
    assert state("0-2-40,0-1-53").beyond(clone, ordered=True) == ("0-1-51..53",)


def test_what_lies_in_a_gap_of_another_server_is_known_to_nobody_else() -> None:
    gap = Gap(0, 6452, 1006452)
    assert Gap.parse(str(gap)) == gap
    assert state("0-1-6507,0-2-100,1-1-7000").within(str(gap)) == ("0-1-6453..6507",)
    assert state("0-1-6453").within(str(gap)) == ("0-1-6453",)
    for beyond in ("0-1-6452", "0-1-1006452", "0-1-2000000"):
        assert state(beyond).within(str(gap)) == ()
    with pytest.raises(ValueError, match="no gap"):
        Gap.parse("0-1-5..9")


def test_a_hole_is_no_order() -> None:
    """Whoever names a server with less than another one does not have it all, however far it is otherwise."""
    whole, holed = state("0-1-198,0-2-313"), state("0-1-63,0-2-313")
    assert whole.beyond(holed, ordered=True) == ("0-1-64..198",)
    assert whole.gone_from(holed, 1) == ("0-1-64..198",)
    assert whole.gone_from(holed, 2) == ()
    assert holed.is_past("0-1-64..198")
    assert not state("0-1-150").is_past("0-1-64..198")
    assert whole.has_any("0-1-64..100")
    assert not whole.has_any("0-3-1")


def test_a_position_is_added_where_it_is_newer() -> None:
    seen = state("0-2-40,0-1-50,1-1-1")
    assert seen.joined(position("0-1-40,1-1-1")) == seen
    assert str(seen.joined(position("0-2-60,3-1-0"))) == "0-1-50,0-2-60,1-1-1,3-1-0"


# --- MySQL ------------------------------------------------------------------------------------------------------------


def test_a_set_is_read_as_mysql_prints_it() -> None:
    assert str(gtids(f"{B}:1-3,\n{A.upper()}:7:1-5")) == f"{A}:1-5:7,{B}:1-3"
    assert gtids(f"{A}:1-5:7").sources == ((Source(A), ((1, 5), (7, 7))),)
    assert gtids(f"{A}:1-5:3-9:10, {A}:12") == gtids(f"{A}:1-10:12")
    assert gtids("") == gtids("\n") == GtidSet()
    assert gtids(f"{A}:1-5:7,{B}:2").count == 7


def test_tags_of_8_4_are_sources_of_their_own() -> None:
    tagged = gtids(f"{A}:1-5:backup:1-2:7:Repair:9,{B}:backup:1")
    assert str(tagged) == f"{A}:1-5:backup:1-2:7:repair:9,{B}:backup:1"
    assert tagged.beyond(gtids(f"{A}:1-5:backup:2,{B}:1")) == (
        f"{A}:backup:1",
        f"{A}:backup:7",
        f"{A}:repair:9",
        f"{B}:backup:1",
    )


@pytest.mark.parametrize("text", ["0-1-100", A, f"{A}:", f"{A}:tag", f"{A}:1:tag", f"{A}:1,", f"+{A}:1", "x:1", ":1"])
def test_what_is_no_set_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a GTID of MySQL's|not an interval"):
        gtids(text)


@pytest.mark.parametrize("interval", ["0", "0-5", "5-4", "1-2-3", "-1", "x y", f"{2**63 - 1}", "1-"])
def test_what_is_no_interval_is_refused(interval: str) -> None:
    with pytest.raises(ValueError, match="not an interval of transactions"):
        gtids(f"{A}:{interval}")


def test_errant_transactions_are_listed_by_interval() -> None:
    old, new = gtids(f"{A}:1-9:20,{B}:1-4"), gtids(f"{A}:1-4:7-8")
    assert old.beyond(new) == (f"{A}:5-6", f"{A}:9", f"{A}:20", f"{B}:1-4")
    assert old.covers(new)
    assert not new.covers(old)
    assert gtids(f"{A}:5-6").beyond(gtids(f"{A}:1-2:8-9")) == (f"{A}:5-6",)


# --- how many ---------------------------------------------------------------------------------------------------------


def test_ranges_are_counted() -> None:
    assert count(("0-1-1926..1930", "1-1-7")) == 6
    assert count((f"{A}:5-9", f"{A}:backup:1", f"{B}:3")) == 7
    assert count(()) == 0
    for text in ("five", f"{A}:x", "", "m.000001:300..674", "0-1", A):
        with pytest.raises(ValueError, match="is no range of transactions"):
            count((text,))


# --- properties -------------------------------------------------------------------------------------------------------

SMALL = st.integers(0, 3)
SEQUENCE = st.integers(1, 12)

points = st.builds(Gtid, SMALL, SMALL, SEQUENCE)
positions = st.lists(points, unique_by=lambda gtid: gtid.domain).map(lambda found: position(",".join(map(str, found))))
states = st.lists(points, unique_by=lambda gtid: gtid[:2]).map(lambda found: state(",".join(map(str, found))))
intervals = st.tuples(SEQUENCE, SEQUENCE).map(lambda pair: (min(pair), max(pair)))
sets = st.lists(st.tuples(st.sampled_from((A, B)), st.sampled_from(("", "tag")), intervals)).map(
    lambda parts: gtids(",".join(f"{uuid}:{tag}{tag and ':'}{first}-{last}" for uuid, tag, (first, last) in parts))
)


def members(found: GtidSet) -> set[tuple[Source, int]]:
    def numbers(interval: Interval) -> range:
        return range(interval[0], interval[1] + 1)

    return {(source, number) for source, spans in found.sources for span in spans for number in numbers(span)}


@given(positions)
def test_a_position_survives_its_text(one: MariaPosition) -> None:
    assert position(str(one)) == one


@given(states)
def test_a_state_survives_its_text(one: BinlogState) -> None:
    assert state(str(one)) == one


@given(sets)
def test_a_set_survives_its_text(one: GtidSet) -> None:
    assert gtids(str(one)) == one


@given(positions, positions)
def test_of_two_positions(one: MariaPosition, other: MariaPosition) -> None:
    assert one.covers(one)
    assert one.covers(other) == (not other.beyond(one))
    assert one.covers(other) or count(other.beyond(one)) > 0
    assert not (one.covers(other) and other.covers(one)) or one == other


@given(states, states, st.booleans())
def test_of_two_states(one: BinlogState, other: BinlogState, ordered: bool) -> None:
    assert one.covers(one, ordered=ordered)
    assert one.covers(other, ordered=ordered) == (not other.beyond(one, ordered=ordered))
    assert one.covers(other, ordered=ordered) or count(other.beyond(one, ordered=ordered)) > 0
    assert one.covers(other, ordered=True) or not one.covers(other), "what is certain without order is so with it"


@given(states, positions)
def test_a_state_joined_with_a_position_has_both(one: BinlogState, other: MariaPosition) -> None:
    both = one.joined(other)
    assert both.covers(one)
    assert both.covers(BinlogState(other.gtids))
    assert state(str(both)) == both


@given(sets, sets)
def test_sets_are_sets(one: GtidSet, other: GtidSet) -> None:
    missing = gtids(",".join(one.beyond(other)))
    assert members(missing) == members(one) - members(other)
    assert one.count == len(members(one))
    assert missing.count == count(one.beyond(other))
    assert one.covers(other) == (members(one) >= members(other))


@given(st.text(st.sampled_from("0123456789abcdef-:,. _x"), max_size=50))
def test_any_text_is_a_value_or_a_value_error(text: str) -> None:
    for parse in (position, state, gtids):
        try:
            again = parse(text)
        except ValueError:
            continue
        assert parse(str(again)) == again
