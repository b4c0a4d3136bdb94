"""What systemd hears."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyvrrp.io import systemd


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The service manager's end."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@pyvrrp-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0" + name[1:] if name.startswith("@") else name)
        sock.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield sock


def test_each_message(manager: socket.socket) -> None:
    systemd.ready("VI_1 is\nMASTER")
    assert manager.recv(4096) == b"READY=1\nSTATUS=VI_1 is MASTER"
    systemd.stopping()
    assert manager.recv(4096) == b"STOPPING=1"
    systemd.watchdog()
    assert manager.recv(4096) == b"WATCHDOG=1"


def test_a_reload_carries_its_time(manager: socket.socket) -> None:
    systemd.reloading()
    first, second = manager.recv(4096).decode().split("\n")
    assert first == "RELOADING=1"
    name, _, microseconds = second.partition("=")
    assert name == "MONOTONIC_USEC"
    assert int(microseconds) > 0


def test_without_systemd_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    systemd.watchdog()
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
    systemd.watchdog()


@pytest.mark.parametrize(
    ("allowed", "process", "expected"),
    [
        ("10000000", None, 5.0),
        ("10000000", str(os.getpid()), 5.0),
        ("10000000", "1", None),
        ("0", None, None),
        ("soon", None, None),
        (None, None, None),
    ],
)
def test_the_watchdog_is_fed_twice_in_its_time(
    monkeypatch: pytest.MonkeyPatch, allowed: str | None, process: str | None, expected: float | None
) -> None:
    for name, value in (("WATCHDOG_USEC", allowed), ("WATCHDOG_PID", process)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert systemd.watchdog_interval() == expected
