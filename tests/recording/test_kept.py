"""Every file of tests/recordings is played again: a recording that came with a report of a bug becomes a test there.

It is to be one of pyvrrpd --record, from the start on: one that begins midway holds the inside of that version's core.
Where another decision is the better one, `python -m tests.recording.rewrite FILE` writes it into the file.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pyvrrp.core.events import AdvertReceived
from pyvrrp.recording.replay import replay
from pyvrrp.recording.tape import Tape
from tests.recording.rewrite import rewritten

FILES = sorted(Path(__file__).parent.with_name("recordings").glob("*.jsonl"))


def read(file: Path) -> Tape:
    """A recording."""
    return Tape(file.name, file.read_bytes().splitlines(keepends=True))


def test_there_are_some() -> None:
    assert len(FILES) >= 3


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_is_decided_as_recorded(file: Path) -> None:
    recording = read(file)
    assert recording.header["begins"] == "start"
    assert replay(recording) is None


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_rewriting_what_is_right_changes_no_decision(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / file.name
    copy.write_text(rewritten(read(file)))
    events = [(turn.now, turn.event) for turn in read(file).turns()]
    assert [(turn.now, turn.event) for turn in read(copy).turns()] == events
    assert replay(read(copy)) is None


def test_the_wrong_password_is_one_still() -> None:
    (file,) = (each for each in FILES if each.stem == "wrong_password")
    payloads = [turn.event.payload for turn in read(file).turns() if isinstance(turn.event, AdvertReceived)]
    own = read(file).settings.instances[0].auth_pass
    assert own is not None
    assert payloads
    assert all(each[-8:] != own for each in payloads)
