"""node.yaml with enable_script_security: what others than root can change does not start."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.config.samples import GOOD, problems

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="scripts of root need root")


def with_script(program: Path | str, security: bool = True) -> str:
    return f"enable_script_security: {str(security).lower()}\nnotify_fifo: {{path: /run/f, script: {program}}}\n" + GOOD


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "notify.sh"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_one_that_anybody_may_write_to(tmp_path: Path, script: Path) -> None:
    script.chmod(0o777)
    (problem,) = problems(tmp_path, with_script(script))
    assert problem.startswith("node.yaml:2:")
    assert "notify_fifo.script" in problem


def test_nobody_asks_without_the_key(tmp_path: Path, script: Path) -> None:
    script.chmod(0o777)
    assert problems(tmp_path, with_script(script, security=False)) == []


def test_a_link_is_named_as_one(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/usr/bin/env")
    (problem,) = problems(tmp_path, with_script(link))
    assert "leads to /usr/bin/env: with enable_script_security name that" in problem


def test_a_user_that_is_not_there(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, with_script("/usr/bin/env") + "script_user: nobody-like-this\n")
    assert "nobody-like-this" in problem
