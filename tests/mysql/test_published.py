"""What one agent says of its server is read by the other one as it was meant, or not at all."""

from __future__ import annotations

import json

import pytest

from pyvrrp.mysql.published import LONGEST, Published

SAID = Published("VI_1", "node-a", "open", "UP", "0-1-7", "mariadb", True, ("paused",), 12, 3.5)


def test_it_is_read_as_it_was_written() -> None:
    assert Published.from_json(SAID.as_json()) == SAID
    assert "\n" not in SAID.as_json()


def test_an_older_version_that_does_not_say_all_and_a_newer_one_that_says_more() -> None:
    data = json.loads(SAID.as_json())
    del data["failover"]
    assert Published.from_data({**data, "news": 1}).failover == 0.0


@pytest.mark.parametrize(
    "change",
    [
        {"instance": 1},
        {"semi_sync": "yes"},
        {"against": "paused"},
        {"against": [1]},
        {"beat": True},
        {"beat": "1"},
        {"failover": None},
        {"position": "0" * (LONGEST + 1)},
    ],
)
def test_what_is_no_such_thing_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="published"):
        Published.from_data({**json.loads(SAID.as_json()), **change})


@pytest.mark.parametrize("text", ["", "[]", "1", '{"instance": "VI_1"}'])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Published.from_json(text)
