"""Patterns are searched for in bounded time."""

from __future__ import annotations

import re
import time

import pytest

from pyvrrp.io.checks.regex import found


def test_a_pattern_is_somewhere_or_not() -> None:
    assert found("wsrep_.*synced", b"state: wsrep_local synced")
    assert not found("^synced", b"not synced")
    assert found("gr\u00fcn", "gr\u00fcn".encode())


def test_a_pattern_that_is_none_is_an_error() -> None:
    with pytest.raises(re.error):
        found("(", b"")


def test_a_pattern_that_would_take_for_ever_is_given_up() -> None:
    began = time.thread_time()
    with pytest.raises(TimeoutError):
        found("(a+)+$", b"a" * 50 + b"b")
    assert time.thread_time() - began < 0.1
    assert found("a", b"a" * 1_000_000)  # and nothing is left of it
