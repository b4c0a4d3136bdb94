"""scripts/soak: how it counts, and a short run of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
from soak.judge import Allowance, Episode, judge
from soak.plan import KINDS, faults

ROOT = Path(__file__).resolve().parents[2]
SECOND = 1_000_000_000
LASTS = 0.5  # minutes
GENEROUS = 1.0  # seconds, on a machine that others work on, too


# --- how it counts ----------------------------------------------------------------------------------------------------


def episode(began: float, ended: float, gap: float = 0.0, overlap: float = 0.0, stall: float = 0.0) -> Episode:
    return Episode("kill", "", at(began), at(ended), Allowance(gap, overlap), stall)


def at(seconds: float) -> int:
    return round(seconds * SECOND)


HAND_OVER = [(at(1), "a", True), (at(10), "a", False), (at(10.5), "b", True), (at(20), "a", True), (at(21), "b", False)]


def test_every_episode_has_the_time_that_falls_into_it() -> None:
    found = judge([episode(2, 10.25), episode(10.25, 20.5), episode(20.5, 30)], HAND_OVER, 0.0)
    assert [(each.gap, each.overlap) for each in found] == [(0.25, 0.0), (0.25, 0.5), (0.0, 0.5)]


def test_what_is_allowed_is_taken_off_and_never_makes_up_for_another_episode() -> None:
    found = judge([episode(2, 15, gap=0.375), episode(15, 30, gap=5.0, overlap=0.25)], HAND_OVER, 0.0)
    assert [(each.excess_gap, each.excess_overlap) for each in found] == [(0.125, 0.0), (0.0, 0.75)]


def test_a_machine_that_stood_still_is_no_fault_of_the_program() -> None:
    (found,) = judge([episode(2, 30, stall=0.125)], HAND_OVER, 0.0625)
    assert (found.excess_gap, found.excess_overlap) == (0.1875, 0.6875)


def test_the_last_episode_counts_up_to_its_end() -> None:
    (found,) = judge([episode(2, 30)], HAND_OVER[:2], 0.0)
    assert found.excess_gap == 20.0


def test_why_something_is_allowed_is_said_with_it() -> None:
    allowance = Allowance()
    allowance.add("it is dead", gap=0.5, overlap=1.0)
    allowance.add("it wakes up")
    assert (allowance.gap, allowance.overlap) == (0.5, 1.0)
    assert allowance.why == ["it is dead (0.50 s without and 1.00 s with two)", "it wakes up (nothing)"]


# --- the plan ---------------------------------------------------------------------------------------------------------


def test_a_seed_is_a_plan_and_the_first_faults_are_of_every_kind() -> None:
    plan = list(islice(faults(7), 40))
    assert plan == list(islice(faults(7), 40))
    assert plan != list(islice(faults(8), 40))
    assert {each.kind for each in plan[: len(KINDS)]} == set(KINDS)
    assert {each.kind for each in islice(faults(7, "stop"), 20)} == {"stop"}


# --- a short run ------------------------------------------------------------------------------------------------------


@pytest.mark.lab
def test_a_short_soak_prints_both_sums_and_they_are_small() -> None:
    command = [sys.executable, "-m", "soak", "--minutes", str(LASTS), "--seed", "4"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "netns-lab")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    said = done.stdout + done.stderr
    assert done.returncode in (0, 1), said
    sums = re.findall(r"^seconds (without a holder|with two holders) beyond .*?: ([\d.]+)", done.stdout, re.MULTILINE)
    assert [what for what, _ in sums] == ["without a holder", "with two holders"], said
    assert all(float(number) < GENEROUS for _, number in sums), said
    (count,) = re.findall(r"^(\d+) faults: ", done.stdout, re.MULTILINE)
    assert int(count) > 3, said
