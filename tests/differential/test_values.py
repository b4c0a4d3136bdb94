"""What keepalived and pyvrrpd do with a file: the same effective values."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.differential import files, ours
from tests.differential.comparison import differing
from tests.differential.differences import outdated, unexplained
from tests.differential.generate import configurations
from tests.differential.keepalived import COMPILER, data
from tests.differential.sandbox import Sandbox

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(
        COMPILER is None, reason="no C compiler for the stand-in of IPVS (scripts/bootstrap --lab installs tcc)"
    ),
]

FEWER = max(settings().max_examples // 4, 1)  # a dump takes four times as long as a verdict


def test_the_values_are_keepalived_s_or_the_difference_has_a_reason(sandbox: Sandbox, name: str) -> None:
    file = files.path(name, sandbox)
    found = differing(sandbox.call(data, file), sandbox.call(ours.values, file))
    assert not unexplained(name, found)
    assert not outdated(name, found, status=False)


@given(text=configurations(sound=True))
@settings(max_examples=FEWER)
def test_the_values_of_files_made_by_chance_are_keepalived_s(sandbox: Sandbox, text: str) -> None:
    file = sandbox.place("generated", text)
    assert not unexplained(file.stem, differing(sandbox.call(data, file), sandbox.call(ours.values, file)))
