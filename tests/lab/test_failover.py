"""scripts/failover: how it counts, and a short run of each of its commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from failover import book
from failover.book import Book
from failover.judge import Row, judge

ROOT = Path(__file__).resolve().parents[2]


# --- what the writers' answers mean -----------------------------------------------------------------------------------


def told(*lines: str) -> Book:
    return book.parse([f"{line}\n" for line in lines])


MOVED = told(
    "ack 1 1 0.0 1.0 1 0-1-1",
    "ack 2 1 0.5 1.5 1 0-1-2",
    "unknown 1 2 2.0 2.25",
    "refused 2 2 2.0 2.5 1290",
    "ack 1 3 3.0 3.5 2 0-2-3",
    "ack 2 3 3.5 4.0 - -",
)


def test_a_gap_counts_whole_when_a_part_of_it_lies_in_between() -> None:
    assert MOVED.gap(2.0, 2.5) == 2.0
    assert MOVED.gap(0.0, 4.0) == 2.0
    assert MOVED.gap(3.5, 3.75) == 0.5
    assert told().gap(1.0, 3.0) == 2.0


def test_an_answer_that_never_came_is_unknown_and_a_refusal_is_not() -> None:
    assert [row.key for row in MOVED.unknown] == [(1, 2)]
    assert [row.number for row in MOVED.failed] == [0, 1290]


def test_the_first_row_elsewhere_is_one_that_was_begun_after_the_fault() -> None:
    first = MOVED.first(2, 2.0)
    assert first is not None
    assert first.gtid == "0-2-3"
    assert MOVED.first(2, 3.0) is None  # the last row's server was not told any more
    assert MOVED.first(1, 2.0) is None


def test_two_servers_wrote_at_once_only_where_that_is_certain() -> None:
    assert MOVED.dual() == 0.0
    late = "ack 3 1 3.25 9.0 1 0-1-3"  # sent before the other one had acknowledged anything
    assert told("ack 1 1 0 1 1 0-1-1", "ack 1 2 2 3.5 2 0-2-2", late).dual() == 0.0
    assert told("ack 1 1 0 1 1 0-1-1", "ack 1 2 2 3.5 2 0-2-2", "ack 3 1 4.5 9.0 1 0-1-3").dual() == 1.0


# --- what is lost -----------------------------------------------------------------------------------------------------

WRITTEN = told("ack 1 1 0 1 1 0-1-1", "ack 1 2 1 2 1 0-1-2", "ack 1 3 2 3 1 0-1-3", "unknown 1 4 3 4")
FIRST, SECOND, THIRD, FOURTH = (Row(number, 1, number, 1) for number in (1, 2, 3, 4))


def test_nothing_is_lost_when_all_is_there_and_what_was_unknown_may_be_or_not() -> None:
    for rows in ([FIRST, SECOND, THIRD], [FIRST, SECOND, THIRD, FOURTH]):
        verdict = judge(WRITTEN, rows, rows, [])
        assert (verdict.acknowledged, verdict.unknown) == (3, 1)
        assert (verdict.lost, verdict.phantoms, verdict.invented, verdict.duplicates) == ((), (), (), ())


def test_a_lost_row_lies_in_a_range_that_was_named_or_it_is_unreported() -> None:
    verdict = judge(WRITTEN, [FIRST], [FIRST, SECOND, THIRD, FOURTH], ["0-1-2"])
    assert [ack.seq for ack in verdict.lost] == [2, 3]
    assert [ack.seq for ack in verdict.unreported] == [3]
    assert verdict.phantoms == (SECOND, THIRD, FOURTH)
    assert not judge(WRITTEN, [FIRST], [], ["has 0-1-2..4 of its own"]).unreported
    assert judge(WRITTEN, [FIRST], [], ["0-2-1..9", "1-1-1..9"]).unreported


def test_of_a_row_without_a_known_gtid_nobody_can_say_whether_it_was_named() -> None:
    verdict = judge(told("ack 1 1 0 1 - -"), [], [], [])
    assert (len(verdict.lost), verdict.unreported) == (1, ())


def test_rows_that_nobody_wrote_and_numbers_given_twice() -> None:
    stranger = Row(9, 7, 7, 2)
    assert judge(WRITTEN, [FIRST, SECOND, THIRD, stranger], [], []).invented == (stranger,)
    assert judge(WRITTEN, [FIRST, SECOND, THIRD], [Row(2, 1, 4, 2)], []).duplicates == (2,)


# --- a short run of each command --------------------------------------------------------------------------------------


def run(path: Path, *words: str) -> list[dict[str, Any]]:
    """Run a command; its trials."""
    command = [sys.executable, "-m", "failover", *words, "--json", str(path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "netns-lab")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    said = done.stdout + done.stderr
    assert done.returncode in (0, 1), said
    found = json.loads(path.read_text())
    assert not found["failures"], said
    return list(found["trials"])


@pytest.mark.lab
def test_keepalived_loses_what_was_not_replicated_and_the_harness_sees_it(tmp_path: Path) -> None:
    (trial,) = run(tmp_path / "json", "faults", "--agent", "keepalived", "--only", "replication stalled")
    assert trial["until_write"] is not None
    assert len(trial["verdict"]["lost"]) > 50
    assert trial["healed"]
    assert trial["checksums_equal"]


@pytest.mark.lab
def test_a_switchover_loses_nothing(tmp_path: Path) -> None:
    trials = run(tmp_path / "json", "switchovers", "--count", "3", "--writers", "4")
    assert len(trials) == 3
    for trial in trials:
        assert trial["until_write"] is not None, trial["trouble"]
        assert not trial["verdict"]["lost"]
        assert trial["checksums_equal"]
        assert "writes are open on" in trial["answer"]


@pytest.mark.lab
def test_a_crash_with_semi_sync_loses_nothing(tmp_path: Path) -> None:
    trials = run(tmp_path / "json", "crashes", "--semi-sync", "--count", "2", "--writers", "4")
    assert len(trials) == 2
    for trial in trials:
        assert trial["until_write"] is not None, trial["log"]
        assert not trial["verdict"]["lost"]
        assert trial["checksums_equal"]


@pytest.mark.lab
def test_figures_say_what_is_reached(tmp_path: Path) -> None:
    words = ["--agent", "pyvrrpd", "--trials", "1", "--only", "kill-fast", "--only", "peer"]
    killed, restarted = run(tmp_path / "json", "figures", *words)
    assert killed["until_write"] is not None
    assert restarted["taken"] == 0
