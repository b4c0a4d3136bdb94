"""Whatever a configuration asks for, a node of it can be photographed, and what is rebuilt is the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pyvrrp.config.load import load
from pyvrrp.core.node import Node
from pyvrrp.errors import ConfigError
from pyvrrp.recording.photograph import Development, Photograph
from pyvrrp.recording.plain import Plain, Plainly

ROOT = Path(__file__).parents[2]
CORPUS = sorted(ROOT.glob("tests/differential/corpus/**/*.conf"))
FILES = [*sorted(ROOT.glob("conf/*.yaml")), *CORPUS[::6]]  # some of hundreds


def lines(node: object) -> list[Plain]:
    """A photograph as it is read from a file."""
    return [json.loads(json.dumps(line, allow_nan=False)) for line in Photograph(node).lines(Plainly())]


def test_nodes_of_all_sample_configurations() -> None:
    taken = 0
    for file in FILES:
        try:
            settings = load(str(file)).settings
        except ConfigError:
            continue
        node = Node(settings, 5.0)
        picture = lines(node)
        again = Development(picture).root
        assert isinstance(again, Node)
        assert again.settings == settings, file
        assert lines(again) == picture, file
        taken += 1
    assert taken > 10


@pytest.mark.parametrize(
    "value",
    [
        {"x": [1, 2.5, float("inf"), None, True, "text", b"\0\xff"]},
        [(1, (2, [3])), frozenset({"a", "b"}), {("eth0", 4): {1, 2}}],
    ],
)
def test_plain_containers(value: object) -> None:
    assert Development(lines(value)).root == value


def test_what_is_shared_stays_shared() -> None:
    inner: list[object] = []
    again: list[object] = Development(lines([inner, inner])).root  # type: ignore[assignment]
    assert again[0] is again[1]


def test_what_holds_itself_can_be_rebuilt() -> None:
    ring: list[object] = []
    ring.append(ring)
    again: list[object] = Development(lines(ring)).root  # type: ignore[assignment]
    assert again[0] is again
