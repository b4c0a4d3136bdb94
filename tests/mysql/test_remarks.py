"""When the log has a line of a standby that could not take over."""

from __future__ import annotations

from pyvrrp.core.events import DatabaseReport, DatabaseView
from pyvrrp.mysql.remarks import Remark, Remarks

STOPPED = "its SQL thread is not running"


def report(*against: str, faults: tuple[str, ...] = (), writes: str = "closed") -> DatabaseReport:
    return DatabaseReport("VI_1", faults, against, DatabaseView(writes=writes))


def test_a_reason_that_lasts_is_said_once_and_its_end_too() -> None:
    remarks = Remarks()
    assert remarks.about(report(STOPPED), 10.0) is None
    assert remarks.about(report(STOPPED), 12.0) == Remark(f"it would not take over: {STOPPED}", fit=False)
    assert remarks.about(report(STOPPED), 20.0) is None
    assert remarks.about(report(), 21.0) is None
    assert remarks.about(report(), 23.0) == Remark("nothing is against its taking over any more", fit=True)
    assert remarks.about(report(), 40.0) is None


def test_what_is_gone_at_once_is_not_said() -> None:
    remarks = Remarks()
    remarks.about(report(STOPPED), 10.0)
    assert remarks.about(report(), 11.0) is None
    assert remarks.about(report(), 20.0) is None


def test_what_is_wrong_with_an_active_one_is_said_and_is_no_reason_to_leave() -> None:
    remarks, lacks = Remarks(), "its account lacks PROCESS"
    assert remarks.about(report(lacks, writes="open"), 10.0) is None
    said = Remark(f"its writes stay open, but {lacks}", fit=False)
    assert remarks.about(report(lacks, writes="open"), 12.0) == said
    assert remarks.about(report(lacks, writes="open"), 14.0) is None
    assert remarks.about(report(writes="open"), 15.0) is None
    assert remarks.about(report(writes="open"), 17.0) == Remark("nothing is wrong with it any more", fit=True)
    # As a standby it is told of anew.
    assert remarks.about(report(lacks, writes="open"), 20.0) is None
    assert remarks.about(report(lacks), 20.1) is None
    assert remarks.about(report(lacks), 22.0) == Remark(f"it would not take over: {lacks}", fit=False)


def test_a_number_that_changes_is_no_news() -> None:
    remarks = Remarks()
    assert remarks.about(report("it is 7.0 s behind"), 10.0) is None
    assert remarks.about(report("it is 8.1 s behind"), 12.0) is not None
    assert remarks.about(report("it is 9.3 s behind"), 14.0) is None


def test_nothing_of_an_active_one_nor_of_one_with_a_fault() -> None:
    remarks = Remarks()
    for at in (10.0, 20.0):
        assert remarks.about(report(STOPPED, faults=("its server is gone",)), at) is None
        assert remarks.about(report(writes="open"), at) is None


def test_a_dead_one_that_is_paused_has_no_open_writes() -> None:
    remarks, dead = Remarks(), "its server refuses connections, and nothing is done about it"
    writes = "open as ordered, but its server is DOWN: nobody can write"
    remarks.about(report(dead, writes=writes), 10.0)
    assert remarks.about(report(dead, writes=writes), 12.0) == Remark(f"it is not left: {dead}", fit=False)
