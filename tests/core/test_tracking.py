"""core/tracking: results to health, health to faults and a priority."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyvrrp.core.events import CheckResult
from pyvrrp.core.settings import (
    CheckSettings,
    Command,
    FileProbe,
    InterfaceProbe,
    Probe,
    ProcessProbe,
    ScriptProbe,
    TcpProbe,
    Track,
)
from pyvrrp.core.tracking import Change, CheckTrack, Health, Tracked, assess
from tests.simulation import CHECK, instance

FALL3_RISE2 = replace(CHECK, fall=3, rise=2)


def track(results: str, conclusive: bool = False, settings: CheckSettings = FALL3_RISE2) -> CheckTrack:
    """A check after these results: `+` is a success, `-` a failure."""
    made = CheckTrack(settings, 100.0)
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
    results = (CheckResult("mysql", ok, "", 0.0) for ok in (True, True, False, False, False, False))
    changed = [bool(made.take(result, 101.0)) for result in results]
    assert changed == [True, False, False, False, True, False]


# --- before the first result ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("initial", "first", "health"),
    [
        ("up", "", Health.UP),
        ("up", "-", Health.DOWN),
        ("down", "", Health.DOWN),
        ("down", "+", Health.UP),
        ("unknown", "-", Health.DOWN),
    ],
)
def test_what_it_counts_as_at_first_and_that_the_first_result_decides(initial: str, first: str, health: Health) -> None:
    made = track(first, settings=replace(FALL3_RISE2, initial=initial))
    assert made.health is health


@pytest.mark.parametrize("initial", ["up", "down"])
def test_the_first_result_is_news_even_when_it_is_as_assumed(initial: str) -> None:
    made = CheckTrack(replace(CHECK, initial=initial), 100.0)
    assert made.sentence == "check mysql has not reported yet"
    assert made.take(CheckResult("mysql", initial == "up", "it said so", 0.5), 101.0) is Change.HEALTH


# --- no news ----------------------------------------------------------------------------------------------------------

SLOW = replace(CHECK, interval=60.0, timeout=5.0, fall=3)


@pytest.mark.parametrize(
    ("settings", "results", "patience"),
    [
        (SLOW, "", 2 * 60.0 + 5.0),
        (SLOW, "+", 2 * 60.0 + 5.0),
        (replace(SLOW, warmup=30.0), "", 30.0 + 2 * 60.0 + 5.0),
        (replace(SLOW, warmup=30.0), "+", 2 * 60.0 + 5.0),
        (replace(SLOW, retry_interval=1.0), "+", 2 * 60.0 + 5.0),
        (replace(SLOW, retry_interval=1.0), "+-", 2 * 1.0 + 5.0),
        (replace(SLOW, retry_interval=1.0), "+--", 2 * 1.0 + 5.0),
        (replace(SLOW, retry_interval=1.0), "+---", 2 * 60.0 + 5.0),
        (replace(SLOW, retry_interval=90.0), "-", 2 * 90.0 + 5.0),
    ],
)
def test_no_news_is_expected_by(settings: CheckSettings, results: str, patience: float) -> None:
    made = track(results, settings=settings)
    assert made.next_deadline() == (made.at or 100.0) + patience


@pytest.mark.parametrize("probe", [FileProbe("/run/drain"), InterfaceProbe("eth1")])
def test_no_news_is_good_news_of_what_the_kernel_tells(probe: FileProbe | InterfaceProbe) -> None:
    assert track("", settings=CheckSettings("drain", probe)).next_deadline() is None
    assert track("+-", settings=CheckSettings("drain", probe, fall=3)).health is Health.DOWN


# --- a reload ---------------------------------------------------------------------------------------------------------


def test_an_unchanged_check_goes_on() -> None:
    made = track("+-")
    assert made.under(FALL3_RISE2, 110.0) is made


@pytest.mark.parametrize(
    ("change", "after_one_failure"),
    [
        ({"interval": 9.0}, Health.UP),
        ({"timeout": 9.0}, Health.UP),
        ({"fall": 2}, Health.DOWN),
        ({"probe": TcpProbe("127.0.0.1", 3307)}, Health.DOWN),
    ],
)
def test_a_changed_check_is_what_it_was_until_it_reports(change: dict[str, object], after_one_failure: Health) -> None:
    """Another target has to show itself: the first result from there decides alone."""
    made = track("++-").under(replace(FALL3_RISE2, **change), 110.0)  # type: ignore[arg-type]
    assert made.health is Health.UP
    assert made.next_deadline() == 110.0 + 2 * made.settings.interval + made.settings.timeout
    made.take(CheckResult("mysql", False, "it said so", 0.5), 111.0)
    assert made.health is after_one_failure


def test_a_changed_check_that_never_reported_begins_anew() -> None:
    made = track("").under(replace(FALL3_RISE2, initial="down"), 110.0)
    assert (made.health, made.at) == (Health.DOWN, None)


# --- words ------------------------------------------------------------------------------------------------------------


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


SCRIPT = CheckSettings("chk", ScriptProbe(Command(("/bin/chk",))), fall=2, rise=2)


def ended(status: int) -> CheckResult:
    return CheckResult("chk", status == 0, f"exited with status {status}", 0.1, value=status)


def test_scripts_are_told_of_as_keepalived_does() -> None:
    made = CheckTrack(SCRIPT, 100.0)
    killed = CheckResult("chk", False, "due to signal 9", 0.1)
    late = CheckResult("chk", False, "timed_out", 1.0)
    said = [
        made.news(made.take(result, 101.0))
        for result in (ended(0), ended(0), ended(1), ended(1), ended(3), ended(0), ended(0), killed, late, ended(3))
    ]
    assert said == [
        ("VRRP_Script(chk) succeeded",),
        (),
        ("Script `chk` now returning 1",),
        ("VRRP_Script(chk) failed (exited with status 1)",),
        ("Script `chk` now returning 3",),
        ("Script `chk` now returning 0",),
        ("VRRP_Script(chk) succeeded",),
        (),
        ("VRRP_Script(chk) timed_out",),
        ("Script `chk` now returning 3",),
    ]


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (ended(1), ("Script `chk` now returning 1", "VRRP_Script(chk) failed (exited with status 1)")),
        (CheckResult("chk", False, "due to signal 9", 0.1), ("VRRP_Script(chk) failed (due to signal 9)",)),
        (CheckResult("chk", False, "timed_out", 0.1), ("VRRP_Script(chk) timed_out",)),
    ],
)
def test_a_script_that_fails_from_the_start(first: CheckResult, said: tuple[str, ...]) -> None:
    made = CheckTrack(replace(SCRIPT, initial="down"), 100.0)
    assert made.news(made.take(first, 101.0)) == said


def test_what_was_killed_has_no_exit_status() -> None:
    made = CheckTrack(SCRIPT, 100.0)
    results = (ended(3), CheckResult("chk", False, "due to signal 9", 0.1), ended(3))
    assert [Change.VALUE in made.take(result, 101.0) for result in results] == [True, False, False]


def test_a_file_is_told_of_when_its_number_changes() -> None:
    made = CheckTrack(FILE, 100.0)
    said = [made.news(made.take(holding(number), 101.0)) for number in (0, 5, 5, -7, 0)]
    assert said == [
        ("check drain yields 0",),
        ("check drain yields 5",),
        (),
        ("check drain yields -7",),
        ("check drain yields 0",),
    ]


# --- what checks make of an instance ----------------------------------------------------------------------------------


@pytest.mark.clause("3768:5.3.4-backup", "5798:5.2.4-backup", "9568:5.2.4-backup")
@pytest.mark.parametrize(
    ("priority", "weight", "results", "expected"),
    [
        (100, 20, "+", 120),
        (100, 20, "-", 100),
        (100, 1, "+", 101),
        (100, 1, "-", 100),
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


@pytest.mark.parametrize(
    ("weight", "reverse", "while_it_passes", "while_it_fails"),
    [(30, False, 130, 100), (-30, False, 100, 70), (30, True, 70, 100), (-30, True, 100, 130)],
)
def test_reverse_turns_the_sign(weight: int, reverse: bool, while_it_passes: int, while_it_fails: int) -> None:
    settings = instance(tracks=(Track("mysql", weight, reverse),))
    found = [assess(settings, {"mysql": track(results)}).priority for results in ("+", "-", "")]
    assert found == [while_it_passes, while_it_fails, 100]


KINDS: dict[str, Probe] = {
    "script": ScriptProbe(Command(("/bin/check",))),
    "process": ProcessProbe("mysqld"),
    "interface": InterfaceProbe("eth1"),
    "connection": TcpProbe("127.0.0.1", 3306),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("weight", "reverse", "while_it_passes", "while_it_fails"),
    [
        (0, False, (100, 0), (100, 1)),
        (0, True, (100, 1), (100, 0)),
        (30, False, (130, 0), (100, 0)),
        (30, True, (70, 0), (100, 0)),
        (-30, False, (100, 0), (70, 0)),
        (-30, True, (100, 0), (130, 0)),
    ],
)
def test_every_kind_of_check_weighs_alike(
    kind: str, weight: int, reverse: bool, while_it_passes: tuple[int, int], while_it_fails: tuple[int, int]
) -> None:
    """track_script, track_process, track_interface: the priority, and the number of faults."""
    settings = instance(tracks=(Track("mysql", weight, reverse),))
    found = []
    for results in ("+", "-"):
        tracked = assess(settings, {"mysql": track(results, settings=CheckSettings("mysql", KINDS[kind]))})
        found.append((tracked.priority, len(tracked.faults)))
    assert found == [while_it_passes, while_it_fails]


def test_weight_0_reverse_is_a_fault_while_it_passes() -> None:
    settings = instance(tracks=(Track("drain", reverse=True),))
    assert assess(settings, {"drain": track("-")}).faults == ()
    assert assess(settings, {"drain": track("")}).waiting == ("check mysql has not reported yet",)
    assert assess(settings, {"drain": track("+")}).faults == ("check mysql passes, and that is a fault here",)


@pytest.mark.parametrize(
    ("initial", "weight", "expected"),
    [
        ("up", 20, ((), 120)),
        ("up", -20, ((), 100)),
        ("up", 0, ((), 100)),
        ("down", 20, ((), 100)),
        ("down", -20, ((), 80)),
        ("down", 0, (("check mysql has not reported yet",), 100)),
        ("unknown", 0, (("check mysql has not reported yet",), 100)),
    ],
)
def test_before_the_first_result(initial: str, weight: int, expected: tuple[tuple[str, ...], int]) -> None:
    """No script of notify_fault runs because a check is assumed to fail: keepalived stays in INIT, too."""
    checks = {"mysql": track("", settings=replace(CHECK, initial=initial))}
    tracked = assess(instance(tracks=(Track("mysql", weight),)), checks)
    assert tracked.faults == ()
    assert (tracked.waiting, tracked.priority) == expected


FILE = CheckSettings("drain", FileProbe("/run/drain"), fall=1)


def holding(number: int) -> CheckResult:
    return CheckResult("drain", number == 0, f"{number}", 0.0, value=number)


@pytest.mark.parametrize(
    ("number", "weight", "reverse", "expected"),
    [
        (5, 2, False, 110),
        (5, 2, True, 90),
        (-5, 2, False, 90),
        (-5, -2, False, 110),
        (0, 2, False, 100),
        (200, 2, False, 254),
        (-100, 2, False, 1),
        (-253, 1, False, 1),
    ],
)
def test_a_files_number_is_multiplied_with_the_weight(number: int, weight: int, reverse: bool, expected: int) -> None:
    made = CheckTrack(FILE, 100.0)
    made.take(holding(number), 101.0)
    tracked = assess(instance(tracks=(Track("drain", weight, reverse),)), {"drain": made})
    assert (tracked.faults, tracked.priority) == ((), expected)


@pytest.mark.parametrize(
    ("number", "track", "fault"),
    [
        (1, Track("drain"), "check drain yields 1"),
        (-1, Track("drain"), "check drain yields -1"),
        (0, Track("drain", reverse=True), "check drain yields 0, and that is a fault here"),
        (-140, Track("drain", 2), "check drain yields -140, which counts -280: below -253"),
        (254, Track("drain", 1, reverse=True), "check drain yields 254, which counts -254: below -253"),
    ],
)
def test_when_a_files_number_is_a_fault(number: int, track: Track, fault: str) -> None:
    made = CheckTrack(FILE, 100.0)
    made.take(holding(number), 101.0)
    assert assess(instance(tracks=(track,)), {"drain": made}).faults == (fault,)


def test_only_one_number_by_itself_is_a_fault_not_a_sum() -> None:
    made = CheckTrack(FILE, 100.0)
    made.take(holding(-200), 101.0)
    tracked = assess(instance(priority=250, tracks=(Track("drain", 1), Track("drain", 1))), {"drain": made})
    assert (tracked.faults, tracked.priority) == ((), 1)
