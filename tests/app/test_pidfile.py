"""Pid files: keepalived's own places, and nobody else's daemon pushed aside."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pyvrrp.app.options import Options
from pyvrrp.app.pidfile import PidFile, wanted
from pyvrrp.core.settings import InstanceSettings, LoadedNode, NodeSettings, ServiceSettings
from pyvrrp.errors import InstanceTakenError


@pytest.fixture
def keepalived(tmp_path: Path) -> Iterator[int]:
    """A living process that is called keepalived."""
    program = tmp_path / "keepalived"
    program.write_text("#!/bin/sh\necho alive\nread forever\n")
    program.chmod(0o755)
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.kill()


def test_it_holds_our_number_and_goes_with_us(tmp_path: Path) -> None:
    path = tmp_path / "run" / "keepalived.pid"
    file = PidFile(str(path))
    assert path.read_text() == f"{os.getpid()}\n"
    file.close()
    assert not path.exists()


def test_one_that_somebody_else_has_taken_over_stays(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    file = PidFile(str(path))
    path.write_text("1\n")
    file.close()
    assert path.read_text() == "1\n"


def test_a_living_keepalived_is_not_joined(tmp_path: Path, keepalived: int) -> None:
    path = tmp_path / "pid"
    path.write_text(f"{keepalived}\n")
    with pytest.raises(InstanceTakenError, match=rf"keepalived \(pid {keepalived}\) is running already"):
        PidFile(str(path))


@pytest.mark.parametrize("left", ["", "garbage", "999999999", f"{os.getppid()}"])
def test_what_a_dead_daemon_left_is_taken_over(tmp_path: Path, left: str) -> None:
    path = tmp_path / "pid"
    path.write_text(left)
    PidFile(str(path)).close()
    assert not path.exists()


VI_1, SERVICE = InstanceSettings("VI_1", "eth0", 51, ()), ServiceSettings("[192.0.2.1]:tcp:80", ())
EVERYTHING = NodeSettings("lb", (VI_1,), services=(SERVICE,))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (EVERYTHING, ["/run/keepalived.pid", "/run/vrrp.pid", "/run/checkers.pid"]),
        (replace(EVERYTHING, services=()), ["/run/keepalived.pid", "/run/vrrp.pid"]),
        (replace(EVERYTHING, instances=()), ["/run/keepalived.pid", "/run/checkers.pid"]),
        (
            replace(EVERYTHING, services=(), network_namespace="blue"),
            ["/run/keepalived/blue/keepalived.pid", "/run/keepalived/blue/vrrp.pid"],
        ),
    ],
)
def test_where_keepalived_has_them(settings: NodeSettings, expected: list[str]) -> None:
    assert wanted(Options("x"), LoadedNode(settings, (), {}, keepalived=True)) == expected


def test_where_the_command_line_wants_them() -> None:
    options = Options("x", pid="/p", checkers_pid="/c", namespace="blue")
    theirs, ours = LoadedNode(EVERYTHING, (), {}, keepalived=True), LoadedNode(EVERYTHING, (), {})
    assert wanted(options, theirs) == ["/p", "/run/keepalived/blue/vrrp.pid", "/c"]
    assert wanted(options, ours) == ["/p", "/c"]
    assert wanted(Options("x"), ours) == []
