"""Tells every scenario file, and checks that the language says what is wrong with one.

All that the cores ask for in a story is in transcripts/, word for word. When a change is meant,
`PYVRRP_REWRITE=1 scripts/test tests/scenarios` writes them anew; read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.scenarios.language import Scenario, ScenarioError, seconds
from tests.transcript import status, transcript

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_scenario(path: Path) -> None:
    scenario = Scenario()
    scenario.tell(path)
    lan, known = scenario.lan, HERE / "transcripts" / path.name
    running = [each for each in lan.machines.values() if each.alive]
    told = transcript(lan.told()) + "".join(status(each.name, each.node.snapshot(lan.now)) for each in running)
    if "PYVRRP_REWRITE" in os.environ:
        known.write_text(told)
    assert told.splitlines() == known.read_text().splitlines()


PAIR = """
node a 192.168.1.201 priority 250
node b 192.168.1.202 priority 240
run 4s
measure
"""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("explode a", "unknown line"),
        ("kill", "unknown line"),
        ("expect a HAPPY", "unknown line"),
        ("kill z", "'z'"),
        ("run soon", "'soon' is not a time like 4s or 62.5ms"),
        ("node c 192.168.1.203 speed 9", "unknown option 'speed'"),
        ("node c 192.168.1.203 priority", "pop from empty list"),
        ("expect a BACKUP", "a is MASTER"),
        ("expect a BACKUP within 2s", "not within 2.0 s"),
        ("expect a priority 240", "it is 250"),
        ("expect holders b", "it is ['a']"),
        ("expect holders none", "it is ['a']"),
        ("expect holders within 1s: b", "not within 1.0 s"),
        ("expect a transitions 3", "there were none"),
        ("expect a sent priority 0 once", "sent 0 times"),
        ('expect a log contains "no such thing"', "the log is:"),
        ('expect a told "no such thing"', "it was told:"),
        ("expect second holders b", "it is none"),
        ("expect writers b", "it is none"),
        ("expect a refuses", "it admits them"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "story.txt"
    path.write_text(f"{PAIR}{line}   # the wrong one\n")
    with pytest.raises(ScenarioError) as caught:
        Scenario().tell(path)
    assert str(caught.value).startswith(f"story.txt:6: {line}")
    assert message in str(caught.value)


def test_outage_and_overlap_are_measured(tmp_path: Path) -> None:
    path = tmp_path / "story.txt"
    path.write_text(f"{PAIR}power off a\nrun 4s\nexpect outage at most 1s\n")
    with pytest.raises(ScenarioError, match=r"story.txt:8: expect outage at most 1s: it was \d+\.\d+ ms"):
        Scenario().tell(path)
    path.write_text(f"{PAIR}isolate b\nrun 4s\nrejoin b\nrun 1s\nexpect overlap at most 0s\n")
    with pytest.raises(ScenarioError, match=r"story.txt:10: expect overlap at most 0s: it was \d+\.\d+ ms"):
        Scenario().tell(path)


def test_times() -> None:
    assert seconds("4s") == 4.0
    assert seconds("62.5ms") == 0.0625
