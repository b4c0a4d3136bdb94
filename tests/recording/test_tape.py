"""A recording may be damaged, cut off, of another version or made by a stranger: reading it says so, with the line."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyvrrp.errors import RecordingError
from pyvrrp.recording.reel import Reel, ending
from pyvrrp.recording.replay import replay
from pyvrrp.recording.tape import Tape
from tests.recording.test_replay import developed, record, tape
from tests.simulation import pair


def recorded() -> str:
    """Two seconds of a node in the midst of its work."""
    lan, a, _ = pair(tracked=True, auth_pass=b"4321")
    lan.run(5.0)
    reel: Reel = record(lan, a)
    lan.run(2.0)
    return developed(reel)


TEXT = recorded()
LINES = TEXT.splitlines(keepends=True)
OBJECTS = json.loads(LINES[0])["objects"]
TURN = 1 + OBJECTS  # the index of the first turn


def changed(index: int, change: Callable[[dict[str, Any]], object]) -> str:
    """The recording with one line changed."""
    line = json.loads(LINES[index])
    change(line)
    return "".join([*LINES[:index], json.dumps(line) + "\n", *LINES[index + 1 :]])


def complaint(text: str) -> str:
    """What reading the recording to its end fails with."""
    with pytest.raises(RecordingError) as error:
        replay(tape(text))
    return str(error.value)


def test_it_is_fine_as_it_is() -> None:
    assert replay(tape(TEXT)) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it.jsonl:0: this is no recording of pyvrrpd"),
        ("{}\n", "it.jsonl:1: this is no recording of pyvrrpd"),
        ("[1]\n", "it.jsonl:1: not a JSON object"),
        ("\x7fELF\n", "it.jsonl:1: not JSON: Expecting value"),
        ("".join(LINES[:5]), "it ends before the state of its node does"),
        (changed(0, lambda line: line.update(recording=2)), "it.jsonl:1: made by pyvrrp 0.1.0 in a form that"),
        (changed(0, lambda line: line["settings"].update(is_new=1)), "NodeSettings.is_new is not known"),
        (changed(1, lambda line: line.update(object="core.node.Knot")), '"core.node.Knot" is not known'),
        (changed(1, lambda line: line["fields"].update(_soul={"ref": 99_999})), "list index out of range"),
        (changed(TURN, lambda line: line.pop("now")), f"it.jsonl:{TURN + 1}: 'now' is missing"),
        (changed(TURN, lambda line: line["event"].update(size=1)), f"it.jsonl:{TURN + 1}: "),
        ("".join(LINES[:TURN]) + "{broken\n", f"it.jsonl:{TURN + 1}: not JSON"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, words: str) -> None:
    assert words in complaint(text)


def test_a_slot_that_a_class_has_not_any_more_is_named() -> None:
    number = next(i for i, line in enumerate(LINES) if '"core.fsm.VirtualRouter"' in line and '"fields"' in line)
    text = changed(number, lambda line: line["fields"].update(mood=1))
    assert "core.fsm.VirtualRouter has no mood in this version" in complaint(text)


@pytest.mark.parametrize(
    "name", ["os.system", "builtins.eval", "core.node.deque", "core.settings.sys.exit", "subprocess"]
)
def test_a_stranger_s_recording_runs_nothing(name: str) -> None:
    for value in ({"named": name}, {"enum": name}, {"fixed": name, "of": []}, {"is": name}):
        assert "it.jsonl:" in complaint(with_root({"object": "core.node.Node", "fields": {"settings": value}}))
    assert "it.jsonl:" in complaint(with_root({"object": name, "fields": {}}))


def with_root(root: dict[str, object]) -> str:
    """The recording with another root of its node."""
    return "".join([LINES[0], json.dumps(root) + "\n", *LINES[2:]])


def test_the_last_line_may_be_cut_off() -> None:
    whole = "".join(LINES[:-1])
    cut = tape(whole[:-20])
    assert replay(cut) is None
    assert cut.torn
    assert not tape(whole).torn


def test_what_comes_after_the_end_is_not_read() -> None:
    assert replay(tape(TEXT + "anything\n")) is None


def test_a_recording_of_another_shape_says_whose_it_is() -> None:
    assert tape(TEXT).version == ""
    assert tape(changed(0, lambda line: line.update(shape="?", pyvrrp="0.0.7"))).version == "0.0.7"


@given(st.integers(0, len(LINES) - 1), st.integers(0, 2000), st.text(max_size=5))
def test_damage_is_never_worse_than_an_error(index: int, position: int, text: str) -> None:
    line = LINES[index]
    at = position % len(line)
    damaged = "".join([*LINES[:index], line[:at] + text + line[at + len(text) :], *LINES[index + 1 :]])
    with contextlib.suppress(RecordingError):
        replay(Tape("it.jsonl", damaged.encode().splitlines(keepends=True)))


def test_the_end_is_a_line() -> None:
    assert json.loads(ending("why")) == {"end": "why"}
