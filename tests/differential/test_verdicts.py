"""`-t` of keepalived and of pyvrrpd: the same exit status for the same file."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings

from tests.differential import files, ours
from tests.differential.differences import CRASHED, HUNG, STATUS, TERMINATED, outdated, unexplained
from tests.differential.generate import configurations, damaged
from tests.differential.keepalived import verdict
from tests.differential.sandbox import Sandbox

pytestmark = pytest.mark.lab


def test_the_exit_status_is_keepalived_s_or_the_difference_has_a_reason(sandbox: Sandbox, name: str) -> None:
    file = files.path(name, sandbox)
    pair = sandbox.call(verdict, file).status, sandbox.call(ours.status, file)
    found = {STATUS: pair} if pair[0] != pair[1] else {}
    assert not unexplained(name, found)
    assert not outdated(name, found, status=True)


@given(text=configurations() | configurations(sound=True))
def test_the_exit_status_of_files_made_by_chance_is_keepalived_s(sandbox: Sandbox, text: str) -> None:
    file = sandbox.place("generated", text)
    theirs = sandbox.call(verdict, file)
    assume(theirs.status not in {CRASHED, HUNG, TERMINATED})
    assert sandbox.call(ours.status, file) == theirs.status, theirs.lines


@given(text=damaged())
@settings(max_examples=max(settings().max_examples // 2, 1))
def test_a_damaged_file_has_errors_for_both(sandbox: Sandbox, text: str) -> None:
    file = sandbox.place("generated", text)
    theirs = sandbox.call(verdict, file)
    assume(theirs.status not in {CRASHED, HUNG, TERMINATED})
    # Which ones: keepalived loses its way behind a wrong brace, pyvrrpd finds it again.
    assert bool(sandbox.call(ours.status, file)) == bool(theirs.status), theirs.lines
