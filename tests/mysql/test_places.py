"""What a binary log says beyond the place up to which the other server has executed it.

The logs are those that MariaDB 10.11 and MySQL 5.6 wrote when they were stopped or killed.
"""

from __future__ import annotations

import pytest

from pyvrrp.mysql.places import LogEvent, LogFile, beyond, log_events, own, taken_apart
from pyvrrp.mysql.status import Coordinates

STOPPED = (LogFile("bin.000001", 563), LogFile("bin.000002", 342))


def event(begin: int, end: int, kind: str, server_id: int = 1, file: str = "bin.000002") -> LogEvent:
    return LogEvent(file, begin, end, kind, server_id)


def test_a_log_goes_on_behind_the_place_and_in_each_later_file() -> None:
    assert beyond(STOPPED, Coordinates("bin.000001", 540)) == (
        Coordinates("bin.000001", 540),
        Coordinates("bin.000002", 4),
    )
    assert beyond(STOPPED, Coordinates("bin.000001", 563)) == (Coordinates("bin.000002", 4),)
    assert beyond(STOPPED, Coordinates("bin.000002", 342)) == ()
    assert beyond((LogFile("bin.000001", 4),), Coordinates("bin.000001", 4)) == ()


def test_a_place_that_is_not_there_tells_nothing() -> None:
    with pytest.raises(ValueError, match=r"has no bin\.000000, in which the active server stopped: purged or reset"):
        beyond(STOPPED, Coordinates("bin.000000", 540))
    with pytest.raises(ValueError, match=r"bin\.000001 ends at 563 here and the active server has executed it up"):
        beyond(STOPPED, Coordinates("bin.000001", 564))


def test_what_a_server_writes_down_by_itself_is_no_transaction() -> None:
    mariadb = (
        event(540, 563, "Stop", file="bin.000001"),
        event(4, 256, "Format_desc"),
        event(256, 299, "Gtid_list"),
        event(299, 342, "Binlog_checkpoint"),
        event(342, 390, "Rotate"),
    )
    assert own(mariadb, active=2) == ()
    assert own((event(4, 120, "Format_desc"), event(120, 151, "Previous_gtids")), active=2) == ()


def test_what_came_from_the_active_server_is_not_its_own() -> None:
    replicated = (event(342, 384, "Gtid", 2), event(384, 430, "Write_rows_v1", 2), event(430, 461, "Xid", 2))
    assert own(replicated, active=2) == ()
    assert own(replicated, active=3) == ("bin.000002:342..461",)


def test_events_of_a_transaction_that_have_no_end_end_where_the_next_begins() -> None:
    """As MariaDB 11.8.9 prints a transaction: only its last event says where it ends."""
    printed = (
        (1628, "Gtid", 1670),
        (1670, "Annotate_rows", 0),
        (1755, "Table_map", 0),
        (1799, "Write_rows_v1", 0),
        (1845, "Xid", 1876),
    )
    rows = [{"Pos": pos, "Event_type": kind, "End_log_pos": end, "Server_id": 1} for pos, kind, end in printed]
    events = log_events("bin.000002", rows)
    assert [each.end for each in events] == [1670, 1755, 1799, 1845, 1876]
    assert own(events, active=2) == ("bin.000002:1628..1876",)
    assert log_events("bin.000002", rows[:2])[-1] == event(1670, 1670, "Annotate_rows")  # its end is not known
    assert log_events("bin.000002", ()) == ()


def test_its_own_are_named_part_by_part() -> None:
    events = (
        event(540, 582, "Gtid", file="bin.000001"),
        event(582, 620, "Query", file="bin.000001"),
        event(620, 643, "Stop", file="bin.000001"),
        event(4, 256, "Format_desc"),
        event(256, 300, "Query"),
        event(300, 340, "Query", 2),
        event(340, 400, "Something new"),
    )
    assert own(events, active=2) == ("bin.000001:540..620", "bin.000002:256..300", "bin.000002:340..400")


def test_a_part_is_taken_apart_again() -> None:
    assert taken_apart("bin.000002:256..300") == ("bin.000002", 256, 300)
    with pytest.raises(ValueError, match="invalid literal"):
        taken_apart("0-1-256..300")
