"""core/tracking: results to health, health to faults and a priority."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyvrrp.core.events import CheckResult
from pyvrrp.core.settings import Track
from pyvrrp.core.tracking import CheckTrack, Health, Tracked, assess
from tests.simulation import CHECK, instance

FALL3_RISE2 = replace(CHECK, fall=3, rise=2)


def track(results: str, conclusive: bool = False) -> CheckTrack:
    """A check after these results: `+` is a success, `-` a failure."""
    made = CheckTrack(FALL3_RISE2, 100.0)
    for number, result in enumerate(results, 1):
        made.take(CheckResult("mysql", result == "+", "it said so", 0.5, conclusive), 100.0 + number)
    return made


@pytest.mark.parametrize(
    ("results", "health", "successes", "failures"),
    [
        ("", Health.UNKNOWN, 0, 0),
        ("+", Health.UP, 1, 0),
        ("-", Health.DOWN, 0, 1),
        ("+--", Health.UP, 0, 2),
        ("+---", Health.DOWN, 0, 3),
        ("+--+--", Health.UP, 0, 2),
        ("+---+", Health.DOWN, 1, 0),
        ("+---++", Health.UP, 2, 0),
        ("+---+-+", Health.DOWN, 1, 0),
        ("-++", Health.UP, 2, 0),
    ],
)
def test_rise_and_fall(results: str, health: Health, successes: int, failures: int) -> None:
    made = track(results)
    assert (made.health, made.successes, made.failures) == (health, successes, failures)


@pytest.mark.parametrize(("results", "health"), [("+-", Health.DOWN), ("+---+", Health.UP)])
def test_a_conclusive_result_waits_for_no_others(results: str, health: Health) -> None:
    assert track(results, conclusive=True).health is health


def test_take_tells_of_changes_only() -> None:
    made = CheckTrack(FALL3_RISE2, 100.0)
    changed = [made.take(CheckResult("mysql", ok, "", 0.0), 101.0) for ok in (True, True, False, False, False, False)]
    assert changed == [True, False, False, False, True, False]


def test_no_news_is_expected_by() -> None:
    made = track("")
    assert made.next_deadline() == 100.0 + 2 * CHECK.interval + CHECK.timeout
    made.take(CheckResult("mysql", True, "", 0.0), 107.0)
    assert made.next_deadline() == 107.0 + 2 * CHECK.interval + CHECK.timeout


@pytest.mark.parametrize(
    ("results", "sentence"),
    [
        ("", "check mysql has not reported yet"),
        ("+", "check mysql passes"),
        ("-", "check mysql fails: it said so"),
        ("--", "check mysql fails: it said so (2 times in a row)"),
        ("+-", "check mysql failed 1 of 3 times: it said so"),
        ("-+", "check mysql passed 1 of 2 times: it said so"),
    ],
)
def test_sentence(results: str, sentence: str) -> None:
    assert track(results).sentence == sentence


@pytest.mark.parametrize(
    ("priority", "weight", "results", "expected"),
    [
        (100, 20, "+", 120),
        (100, 20, "-", 100),
        (100, 20, "", 100),
        (100, -20, "+", 100),
        (100, -20, "-", 80),
        (100, -20, "", 100),
        (250, 20, "+", 254),
        (254, 253, "+", 254),
        (10, -20, "-", 1),
        (1, -253, "-", 1),
        (255, -20, "-", 255),
        (255, 20, "+", 255),
    ],
)
def test_weights_move_the_priority(priority: int, weight: int, results: str, expected: int) -> None:
    settings = instance(priority=priority, tracks=(Track("mysql", weight),))
    tracked = assess(settings, {"mysql": track(results)})
    assert tracked.priority == expected
    assert (tracked.faults, tracked.waiting) == ((), ())


def test_terms_name_what_moved_the_priority() -> None:
    settings = instance(tracks=(Track("mysql", -20), Track("disk", 5), Track("idle", 7)))
    tracked = assess(settings, {"mysql": track("-"), "disk": track("+"), "idle": track("-")})
    assert tracked == Tracked((), (), 85, (("mysql", -20), ("disk", 5)))


def test_weight_0_is_a_matter_of_faults() -> None:
    settings = instance(tracks=(Track("mysql"), Track("disk"), Track("idle")))
    tracked = assess(settings, {"mysql": track("-"), "disk": track("+"), "idle": track("")})
    assert tracked == Tracked(("check mysql fails: it said so",), ("check mysql has not reported yet",), 100, ())


def test_the_owner_can_fail_but_not_sink() -> None:
    settings = instance(priority=255, tracks=(Track("mysql"), Track("disk", -20)))
    tracked = assess(settings, {"mysql": track("-"), "disk": track("-")})
    assert tracked == Tracked(("check mysql fails: it said so",), (), 255, ())
