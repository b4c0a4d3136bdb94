"""Debian's keepalived.service taken literally, with pyvrrpd where it says keepalived; the tutorial's configuration."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.differential.files import CORPUS
from tests.lab.agents import KEEPALIVED, PATIENCE, PYVRRPD
from tests.lab.machine import CONFIG, UNIT, Machine, default_arguments
from tests.lab.routers import VIP
from tests.lab.site import Site
from tests.netns import Namespace, veth
from tests.waiting import until

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(
        KEEPALIVED is None or not UNIT.exists(), reason="keepalived is not installed (apt-get install keepalived)"
    ),
]

FINE, FATAL, UNUSABLE = 0, 1, 2
OTHER_VIP: Final = "192.168.1.210"
PASSWORD: Final = "s3cr3t42"
PID_FILES: Final = ("keepalived.pid", "vrrp.pid")
DETAILED: Final = "-D -d -S 0"
LOCAL0_INFO: Final = "<134>"

either_make = pytest.mark.parametrize("program", [KEEPALIVED, PYVRRPD], ids=["keepalived", "pyvrrpd"])


def text(*vips: str, version: int = 3, more: str = "") -> str:
    """A keepalived.conf."""
    timing = "version 3\nadvert_int 0.1" if version == 3 else "advert_int 1"
    return (
        f"global_defs {{\nrouter_id lab\n}}\nvrrp_instance VI_1 {{\ninterface eth0\nvirtual_router_id 51\n"
        f"priority 150\n{timing}\n{more}\nvirtual_ipaddress {{\n{chr(10).join(vips)}\n}}\n}}\n"
    )


# What keepalived does not go on with, among the many mistakes that it only mentions.
BAD: Final = text(VIP).replace("interface eth0", "interface")


@pytest.fixture
def machine(site: Site, tmp_path: Path) -> Iterator[Machine]:
    built = Machine(site, tmp_path)
    built.config.write_text(text(VIP))
    yield built
    built.close()


@either_make
@pytest.mark.parametrize("arguments", [default_arguments(), DETAILED])
def test_systemd_starts_reloads_and_stops_it(machine: Machine, program: str, arguments: str) -> None:
    watch, site = machine.site.watch(), machine.site
    daemon = machine.start(program, arguments)
    if program == PYVRRPD:  # keepalived tells systemd only as a child of process 1
        machine.supervisor.hears("READY=1")
    assert machine.syslog.says("Startup complete")
    assert machine.pid("keepalived.pid") == daemon.process.pid
    assert machine.pid("vrrp.pid") is not None
    assert site.a.takes()
    machine.config.write_text(text(VIP, OTHER_VIP))
    machine.reload(daemon)
    assert site.a.takes(OTHER_VIP)
    assert machine.syslog.says("Reload complete")
    machine.config.write_text(text(VIP))
    machine.reload(daemon)
    assert site.a.loses(OTHER_VIP)
    assert watch.times("a", VIP, present=False) == []
    daemon.terminate()
    assert daemon.ended() == FINE
    assert not site.a.holds()
    assert [machine.pid(name) for name in PID_FILES] == [None, None]
    assert machine.syslog.lines("(VI_1) Entering MASTER STATE")
    assert bool(machine.syslog.lines(LOCAL0_INFO)) == (arguments == DETAILED)
    assert bool(machine.syslog.lines("VRRP Instance = VI_1")) == (arguments == DETAILED)


@either_make
def test_the_pid_file_of_what_is_not_there_is_not_there(machine: Machine, program: str) -> None:
    machine.start(program)
    assert machine.syslog.says("Startup complete")
    assert machine.pid("checkers.pid") is None


# --- signals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["STOP", "RELOAD", "DATA", "STATS", "STATS_CLEAR", "JSON"])
def test_signals_have_the_same_numbers(what: str) -> None:
    theirs, ours = (
        subprocess.run([each, f"--signum={what}"], capture_output=True, check=True, timeout=PATIENCE).stdout
        for each in (str(KEEPALIVED), PYVRRPD)
    )
    assert theirs == ours


DATA, STATS, JSON, STATS_CLEAR = signal.SIGUSR1, signal.SIGUSR2, signal.SIGRTMIN + 2, signal.SIGRTMAX - 1


def test_dumps_are_written_without_the_password(machine: Machine) -> None:
    machine.config.write_text(text(VIP, version=2, more=f"authentication {{\nauth_type PASS\nauth_pass {PASSWORD}\n}}"))
    daemon = machine.start(PYVRRPD)
    assert until(machine.site.a.holds, PATIENCE)
    dumps = {DATA: "data", STATS: "stats", JSON: "json"}
    for number in dumps:
        daemon.process.send_signal(number)
    files = {name: machine.directory / "tmp" / f"keepalived.{name}" for name in dumps.values()}
    assert until(lambda: all(each.exists() and each.read_text() for each in files.values()))
    assert {each.stat().st_mode & 0o777 for each in files.values()} == {0o600}
    assert "   State = MASTER\n" in files["data"].read_text()
    assert "  Became master: 1\n" in files["stats"].read_text()
    (instance,) = json.loads(files["json"].read_text())
    assert instance["data"]["iname"] == "VI_1"
    daemon.process.send_signal(STATS_CLEAR)
    assert machine.syslog.says("Printing and clearing VRRP stats for process")
    daemon.process.send_signal(STATS)
    assert until(lambda: "  Became master: 0\n" in files["stats"].read_text())
    written = [each.read_text() for each in files.values()]
    assert not [each for each in written if PASSWORD in each]
    assert not machine.syslog.lines(PASSWORD)


# --- other ways to start it ------------------------------------------------------------------------------------------


def test_in_the_background_it_says_how_it_began(machine: Machine) -> None:
    started = machine.run([PYVRRPD, "--daemonize"])
    assert started.ended() == FINE
    pid = machine.pid("keepalived.pid")
    assert pid is not None
    machine.adopt(pid)
    assert pid != started.process.pid
    assert machine.site.a.takes()
    os.kill(pid, signal.SIGTERM)
    assert machine.site.a.loses()
    assert until(lambda: machine.pid("keepalived.pid") is None)


def test_in_the_background_it_says_that_it_could_not_begin(machine: Machine) -> None:
    machine.config.unlink()
    started = machine.run([PYVRRPD, "--daemonize", "-f", CONFIG])
    assert started.ended() == UNUSABLE
    assert CONFIG in started.log()


def test_its_log_goes_to_a_file(machine: Machine) -> None:
    """Debian's keepalived is built without this option."""
    daemon = machine.start(PYVRRPD, "-g /run/log -G")
    assert machine.site.a.takes()
    daemon.terminate()
    assert daemon.ended() == FINE
    assert "(VI_1) Entering MASTER STATE\n" in (machine.directory / "run/log").read_text()
    assert not machine.syslog.lines("VI_1")


@either_make
def test_it_works_in_another_network_namespace(machine: Machine, program: str) -> None:
    with Namespace() as blue:
        veth(blue, "eth0", blue, "end-of-eth0")
        blue.ip("addr add 192.168.1.209/24 dev eth0")
        machine.namespace("blue", blue)
        daemon = machine.start(program, "-s blue")
        assert until(lambda: VIP in blue.ip("addr show"), PATIENCE)
        assert not machine.site.a.holds()
        assert machine.pid("keepalived/blue/keepalived.pid") == daemon.process.pid
        assert machine.pid("keepalived/blue/vrrp.pid") is not None
        daemon.terminate()
        assert daemon.ended() == FINE


# --- where pyvrrpd does better ---------------------------------------------------------------------------------------


def test_a_bad_file_on_reload_ends_keepalived_and_leaves_the_address_behind(machine: Machine) -> None:
    daemon = machine.start(str(KEEPALIVED))
    assert machine.site.a.takes()
    machine.config.write_text(BAD)
    machine.reload(daemon)
    assert daemon.ended() == UNUSABLE
    assert machine.site.a.holds()


def test_a_bad_file_on_reload_is_refused_by_pyvrrpd(machine: Machine) -> None:
    watch = machine.site.watch()
    daemon = machine.start(PYVRRPD)
    machine.supervisor.hears("READY=1")
    assert machine.site.a.takes()
    machine.config.write_text(BAD)
    machine.reload(daemon)
    assert machine.syslog.says("reload refused, the configuration in force stays")
    machine.supervisor.hears("READY=1")
    assert machine.syslog.lines(f"{CONFIG}:5:")
    machine.config.write_text(text(VIP, OTHER_VIP))
    machine.reload(daemon)
    assert machine.site.a.takes(OTHER_VIP)
    assert watch.times("a", VIP, present=False) == []


@pytest.mark.parametrize(
    ("program", "status", "words"),
    [(KEEPALIVED, FINE, "daemon is already running"), (PYVRRPD, FATAL, "is running already")],
    ids=["keepalived", "pyvrrpd"],
)
def test_a_second_one_does_not_start(machine: Machine, program: str, status: int, words: str) -> None:
    first = machine.start(program)
    assert machine.site.a.takes()
    second = machine.start(program)
    assert second.ended() == status
    assert machine.syslog.lines(words) or words in second.log()
    assert first.process.poll() is None
    assert machine.site.a.holds()
    assert machine.pid("keepalived.pid") == first.process.pid


# --- the tutorial ----------------------------------------------------------------------------------------------------

WRONG: Final = {  # line of seed.conf → what is said of it
    25: '"192.168.1.300" is not an IP address',
    36: "backquotes",
    41: "nb_get_retry",
}


def test_the_tutorial_s_configuration_does_its_job(machine: Machine) -> None:
    site, directory = machine.site, machine.directory
    machine.config.write_bytes((CORPUS / "seed.conf").read_bytes())
    script = directory / "local/mysql/bin/mysql.sh"
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\necho down >> /run/told\n")
    script.chmod(0o755)
    database = site.listener(site.a)
    daemon = machine.start(PYVRRPD, "-l -G")
    assert until(site.a.holds, PATIENCE)
    for line, words in WRONG.items():
        assert [each for each in daemon.log().splitlines() if f"{CONFIG}:{line}:" in each and words in each]
    database.kill()
    assert daemon.says("(VI_1) Entering FAULT STATE")
    assert site.a.loses()
    assert until(lambda: (directory / "run/told").exists(), PATIENCE)
    site.listener(site.a)
    assert until(site.a.holds, PATIENCE)
    daemon.terminate()
    assert daemon.ended() == FINE
    assert not site.a.holds()
    assert (directory / "run/told").read_text() == "down\n"
