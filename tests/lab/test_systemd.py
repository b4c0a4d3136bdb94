"""The daemon and what started it: what systemd hears (Type=notify-reload, WatchdogSec), what it is given."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.agents import PATIENCE, PYVRRPD
from tests.lab.routers import Router, node_yaml
from tests.lab.site import Site
from tests.lab.supervisor import Supervisor
from tests.waiting import until

pytestmark = pytest.mark.lab

WATCHDOG = 0.2  # seconds


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    listening = Supervisor(tmp_path / "notify")
    yield listening
    listening.close()


def test_ready_reload_watchdog_and_stop_are_told(site: Site, supervisor: Supervisor) -> None:
    environment = {"NOTIFY_SOCKET": str(supervisor.path), "WATCHDOG_USEC": str(round(WATCHDOG * 1e6))}
    daemon = site.pyvrrpd(site.a, Router(), environment=environment)
    assert supervisor.hears("READY=1")["STATUS"] == f"1 virtual router, {daemon.config}"
    fed = []
    for _ in range(6):
        assert supervisor.hears("WATCHDOG=1") == {"WATCHDOG": "1"}
        fed.append(time.monotonic())
    assert fed[-1] - fed[0] > 4 * WATCHDOG / 2  # at its pace, not in a burst
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    daemon.send(signal.SIGHUP)
    reloading = supervisor.hears("RELOADING=1")
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert before <= int(reloading["MONOTONIC_USEC"]) <= after
    supervisor.hears("READY=1")
    daemon.config.write_text("nonsense: true\n")
    daemon.send(signal.SIGHUP)
    supervisor.hears("RELOADING=1")
    supervisor.hears("READY=1")  # a refused reload has ended too
    daemon.terminate()
    supervisor.hears("STOPPING=1")
    assert daemon.ended() == 0


def test_a_daemon_that_cannot_start_is_never_ready(site: Site, supervisor: Supervisor) -> None:
    daemon = site.pyvrrpd(site.a, Router(vrid=300), environment={"NOTIFY_SOCKET": str(supervisor.path)})
    assert daemon.ended() == 2
    assert supervisor.heard_nothing()


def test_with_standard_files_closed_no_socket_takes_their_place(site: Site, tmp_path: Path) -> None:
    config = tmp_path / "closed.yaml"
    config.write_text(node_yaml([Router()]))
    words = f"exec {PYVRRPD} -c {config} --socket {tmp_path}/closed.sock <&- >&- 2>&-"
    daemon = site.program(site.a, "closed", ["sh", "-c", words])
    assert site.a.takes()
    files = [Path(f"/proc/{daemon.process.pid}/fd/{number}").readlink() for number in range(3)]
    assert files == [Path("/dev/null")] * 3
    daemon.terminate()
    assert daemon.ended() == 0


def test_without_systemd_nothing_is_missing(site: Site) -> None:
    daemon = site.pyvrrpd(site.a, Router(), environment={"NOTIFY_SOCKET": "/nonexistent/socket"})
    assert until(lambda: daemon.state() == "MASTER", PATIENCE)
    daemon.terminate()
    assert daemon.ended() == 0
