"""scripts/failover: how it counts, and a short run of each of its commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from failover import book, report
from failover.agents import Way
from failover.book import Ack, Book
from failover.figures import FIGURES, Figure, by_world
from failover.judge import Row, judge
from failover.openness import Look, shared, spans
from failover.scribe import share
from failover.trial import Outcome

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
    old, new = "ack 1 1 0.0 0.1 1 0-1-1", "ack 1 2 0.2 0.3 2 0-2-2"
    # Sent before the other one had acknowledged anything.
    assert told(old, new, "ack 1 3 0.6 0.7 2 0-2-3", "ack 3 1 0.25 0.9 1 0-1-3").dual() == 0.0
    # Sent 0.2 s after that, while the other one went on.
    assert told(old, new, "ack 1 3 0.6 0.7 2 0-2-3", "ack 3 1 0.5 0.9 1 0-1-3").dual() == pytest.approx(0.2)


def test_a_single_row_in_the_midst_of_the_others_counts_whole() -> None:
    others = [f"ack 1 {n} {n / 2} {n / 2 + 0.1} 2 0-2-{n}" for n in range(10)]
    assert told(*others, "ack 2 1 2.2 2.25 1 0-1-1").dual() == pytest.approx(0.05)
    assert told(*others, "ack 2 1 4.45 4.65 1 0-1-1").dual() == 0.0  # nobody knows what the other one did at its end


def test_writes_that_went_away_and_came_back_were_never_on_two_servers() -> None:
    away = [f"ack 1 {n} {n / 2} {n / 2 + 0.1} 2 0-2-{n}" for n in range(4, 8)]  # 2.0 to 3.6
    book = told("ack 1 1 0.0 0.1 1 0-1-1", "ack 2 1 1.0 1.1 1 0-1-2", *away, "ack 1 9 4.0 4.1 1 0-1-3")
    assert [(run.server, run.sent, run.at) for run in book.runs()] == [(1, 0.0, 1.1), (2, 2.0, 3.6), (1, 4.0, 4.1)]
    assert book.dual() == 0.0


def test_two_clients_on_different_nodes_are_seen() -> None:
    ways = {1: "1", 2: "2"}  # each client stays where it is
    lines = [f"ack {w} {n} {n / 10} {n / 10 + 0.05} {ways[w]} 0-{w}-{n}" for w in ways for n in range(20)]
    book = told(*lines)
    assert book.dual() == pytest.approx(1.85)
    assert {ack.server for ack in book.only(range(2, 3)).acks} == {2}
    assert book.only(range(1, 2)).dual() == 0.0


def test_the_writers_are_shared_out_among_the_clients() -> None:
    assert share(4, ["one", "two"]) == {"one": range(1, 3), "two": range(3, 5)}
    assert [len(part) for part in share(5, ["one", "two"]).values()] == [2, 3]
    assert [*share(1, ["one", "two"]).values()] == [range(1, 1), range(1, 2)]


# --- who was open -----------------------------------------------------------------------------------------------------


def looks(*answers: tuple[float, float, bool]) -> list[tuple[float, float]]:
    return spans(Look(*each) for each in answers)


def test_a_server_is_open_from_one_look_to_the_next() -> None:
    assert looks((1.0, 1.01, True), (1.02, 1.03, True), (1.04, 1.05, False), (1.06, 1.07, True)) == [
        (1.0, 1.03),
        (1.06, 1.07),
    ]


def test_what_nobody_saw_or_was_answered_late_is_no_time_open() -> None:
    assert looks((1.0, 1.01, True), (1.5, 1.51, True)) == [(1.0, 1.01), (1.5, 1.51)]
    assert looks((1.0, 1.01, True), (1.02, 3.0, True), (3.01, 3.02, True)) == [(1.0, 1.01), (3.01, 3.02)]


def test_both_were_open_where_their_times_meet_between_two_moments() -> None:
    assert shared([(0.0, 2.0), (3.0, 5.0)], [(1.0, 4.0)], 0.0, 9.0) == 2.0
    assert shared([(0.0, 2.0), (3.0, 5.0)], [(1.0, 4.0)], 1.5, 3.25) == 0.75
    assert shared([(0.0, 2.0)], [(2.5, 4.0)], 0.0, 9.0) == 0.0


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


# --- figures ----------------------------------------------------------------------------------------------------------


def outcome(
    until_write: float | None = 0.1, *, lost: int = 0, acknowledged: int = 1000, taken: int = 1, **more: Any
) -> Outcome:
    acks = tuple(Ack(1, number, 0.0, 1.0, 1, f"0-1-{number}") for number in range(lost))
    verdict = replace(judge(told(), [], [], []), acknowledged=acknowledged, lost=acks)
    facts: dict[str, Any] = {"fault": "some", "agent": "pyvrrpd", "timing": "high", "way": Way(), "moves": True}
    facts |= {"overlap": 0.0, "silent": 0, "said": {}, "reported": (), "healed": "", "checksums_equal": True}
    facts |= {"gap": until_write or 15.0, "gtids": {}, "lasted": 1.0, "verdict": verdict, "taken": taken} | more
    return Outcome(until_write=until_write, **facts)


def figure(key: str) -> Figure:
    (found,) = (each for each in FIGURES if each.key == key)
    return found


def test_every_goal_of_the_design_is_a_figure() -> None:
    assert {each.key: each.limit for each in FIGURES} == {
        "kill-fast": "≤ 200 ms",
        "kill-tutorial": "≤ 700 ms",
        "kill-high": "≤ 150 ms",
        "stop": "≤ 2500 ms",
        "disk": "≤ 3500 ms",
        "switchover": "≤ 250 ms",
        "lost-switchover": "0 lost",
        "lost-crash": "0 lost",
        "1040": "0 failovers",
        "pause": "0 failovers",
        "peer": "0 failovers",
    }
    assert figure("lost-crash").way.semi_sync
    assert not figure("lost-switchover").way.semi_sync


def test_a_time_is_reached_by_the_median_and_says_who_missed_it() -> None:
    trials = [outcome(seconds) for seconds in (0.1, 0.12, 0.2)]
    assert figure("kill-high").text(trials, 3) == "120 (100-200)"
    assert figure("kill-high").verdict(trials) == "reached (1 of 3 over)"
    assert figure("kill-high").verdict(trials[:2]) == "reached"
    assert figure("kill-high").verdict(trials[2:]) == "NOT reached (1 of 1 over)"
    assert figure("kill-high").text(trials, 5) == "120 (100-200); 3 trials"


def test_a_time_is_not_reached_when_the_writes_once_did_not_move() -> None:
    trials = [outcome(0.1), outcome(0.1), outcome(None)]
    assert figure("kill-high").text(trials, 3) == "100 (100-100); no failover in 15 s in 1 of 3"
    assert figure("kill-high").verdict(trials) == "NOT reached (1 of 3 over)"
    assert figure("switchover").text([outcome(None)], 1) == "no failover in 15 s"


def test_what_is_lost_is_counted_over_all_trials() -> None:
    lost = figure("lost-switchover")
    assert lost.name(20) == "acknowledged writes lost in 20 planned switchovers under 8 writers"
    assert lost.text([outcome(acknowledged=12000), outcome(acknowledged=345)], 2) == "0 of 12,345"
    assert lost.verdict([outcome(), outcome()]) == "reached"
    assert lost.text([outcome(lost=3), outcome()], 20) == "3 of 2,000 in 2 trials"
    assert lost.verdict([outcome(lost=3), outcome()]) == "NOT reached (1 of 2 over)"


def test_nothing_lost_where_nothing_moved_reaches_nothing() -> None:
    lost = figure("lost-crash")
    assert lost.text([outcome(), outcome(None)], 2) == "0 of 2,000; no failover in 15 s in 1 of 2"
    assert lost.verdict([outcome(), outcome(None)]) == "NOT reached (1 of 2 over)"


def test_one_failover_too_many_is_not_reached() -> None:
    assert figure("pause").verdict([outcome(taken=0), outcome(taken=0)]) == "reached"
    assert figure("pause").text([outcome(taken=0), outcome(taken=1)], 2) == "1 in 2 trials"
    assert figure("pause").verdict([outcome(taken=0), outcome(taken=1)]) == "NOT reached (1 of 2 over)"


def test_a_figure_without_trials_says_nothing() -> None:
    assert [(each.text([], 5), each.verdict([]), each.reached([])) for each in FIGURES] == [("", "", None)] * 11


def test_figures_of_one_world_are_measured_together() -> None:
    assert [[each.key for each in group] for group in by_world(FIGURES).values()] == [
        ["kill-fast", "kill-tutorial", "kill-high", "stop", "disk", "switchover", "1040", "pause", "peer"],
        ["lost-switchover"],
        ["lost-crash"],
    ]


def test_the_table_has_both_agents_and_the_verdict_on_ours() -> None:
    found = {"lost-crash": {"keepalived": [outcome(lost=7)], "pyvrrpd": [outcome(), outcome()]}}
    assert report.figures(found, lambda _: 2) == [
        (
            "acknowledged writes lost in 2 crashes under 8 writers, semi-sync",
            "7 of 1,000 in 1 trials",
            "0 of 2,000",
            "0 lost",
            "reached",
        )
    ]


def test_two_writers_are_told_of_by_whether_both_agents_lived() -> None:
    verdict = replace(judge(told(), [], [], []), dual=0.25)
    assert report.two_writers([outcome(), outcome(verdict=verdict, fault="a cut"), outcome(agents_live=False)]) == [
        "both servers took writes through the VIP though both agents lived: a cut (250 ms)",
        "both servers took writes through the VIP while an agent was dead or stopped: never",
    ]


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
    only = [word for key in ("kill-fast", "peer", "lost-switchover") for word in ("--only", key)]
    words = ["--agent", "pyvrrpd", "--trials", "1", "--many", "2", *only]
    killed, restarted, *moved = run(tmp_path / "json", "figures", *words)
    assert killed["until_write"] is not None
    assert restarted["taken"] == 0
    assert [trial["writers"] for trial in moved] == [8, 8]
    assert not any(trial["verdict"]["lost"] for trial in moved)


@pytest.mark.lab
def test_each_client_has_an_arp_cache_of_its_own(tmp_path: Path) -> None:
    """The harness would see two writers: with a client in each half of the network both nodes are written to."""
    (trial,) = run(tmp_path / "json", "faults", "--only", "in two halves")
    assert [len({run["server"] for run in runs}) for runs in trial["runs"].values()] == [1, 2]
    assert trial["verdict"]["dual"] > 0.5
    assert trial["both_open"] >= trial["verdict"]["dual"]


@pytest.mark.lab
def test_a_client_that_is_cut_off_alone_moves_nothing(tmp_path: Path) -> None:
    (trial,) = run(tmp_path / "json", "faults", "--only", "from one of two")
    assert trial["gaps"]["client"] > 4.0 > trial["gaps"]["client2"]
    assert trial["taken"] == 0
    assert not trial["verdict"]["lost"]


@pytest.mark.lab
def test_after_a_loss_of_power_the_other_node_takes_over_without_a_word_of_it(tmp_path: Path) -> None:
    (trial,) = run(tmp_path / "json", "faults", "--only", "power-off")
    assert trial["until_write"] is not None, trial["log"]
    assert trial["verdict"]["dual"] == 0
    assert trial["checksums_equal"]
