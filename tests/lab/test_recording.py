"""What a real daemon went through, recorded and played again: the same decisions, and no password in the file."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from pyvrrp.cli.main import run
from tests.lab.agents import BACKUP, MASTER, PYVRRPCTL, PYVRRPD, Program
from tests.lab.routers import node_yaml, version2
from tests.lab.site import Site
from tests.waiting import until

PASSWORD = "secr3t77"


def replayed(file: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What `replay` says of a recording that it agrees with, and that holds no password."""
    data = file.read_bytes()
    assert PASSWORD.encode() not in data
    assert PASSWORD.encode().hex().encode() not in data
    assert file.stat().st_mode & 0o777 == 0o600
    assert run(["replay", str(file)]) == 0
    return capsys.readouterr().out


def test_a_failover_recorded_by_command_replays(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    master = site.keepalived(site.b, version2(254, password=PASSWORD))
    assert master.becomes(MASTER)
    backup = site.pyvrrpd(site.a, version2(250, password=PASSWORD))
    assert backup.becomes(BACKUP)
    file = tmp_path / "it.jsonl"
    command = [PYVRRPCTL, "--socket", str(backup.socket), "record", "--output", str(file)]
    recorder = site.program(site.a, "recorder", command)
    assert until(lambda: file.exists() and file.stat().st_size > 0)
    master.kill()
    site.b.port("down")  # with its host: the address that it leaves behind must not answer
    assert backup.becomes(MASTER)
    assert site.a.takes()
    size = file.stat().st_size
    assert until(lambda: file.stat().st_size > size)  # what came after the takeover, too
    recorder.send(signal.SIGINT)
    assert recorder.ended() == 0
    assert backup.says("The recording through the control socket has ended")
    said = replayed(file, capsys)
    assert "from the midst of its work on" in said
    assert "(VI_60) Entering MASTER STATE" in said
    assert said.endswith(": decided as recorded\n")


def test_a_daemon_that_records_itself_replays_from_start_to_end(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, socket, file = (tmp_path / f"own.{kind}" for kind in ("yaml", "sock", "jsonl"))
    config.write_text(node_yaml([version2(255, password=PASSWORD)]))
    file.write_text("an earlier one")
    # Not keepalived: a MASTER of its kind falls silent while it turns adverts away.
    stranger = site.pyvrrpd(site.b, version2(100, password="wrong"))
    assert stranger.becomes(MASTER)
    command = [PYVRRPD, "-c", str(config), "--socket", str(socket), "--record", str(file)]
    daemon = site.program(site.a, "own", command)
    assert daemon.says("(VI_60) Entering MASTER STATE")
    assert daemon.says("its password is not ours")
    assert site.a.takes()
    daemon.terminate()
    assert daemon.ended() == 0
    assert site.a.loses()
    said = replayed(file, capsys)
    assert "from its start on" in said
    assert f"discarding advert from {site.b.address}: its password is not ours" in said
    assert said.endswith(": decided as recorded; then the daemon ended\n")
    assert b"wrong".hex().encode() not in file.read_bytes()
    assert file.with_name("own.jsonl.1").read_text() == "an earlier one"


def test_a_daemon_that_is_killed_leaves_what_can_be_replayed(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, socket, file = (tmp_path / f"own.{kind}" for kind in ("yaml", "sock", "jsonl"))
    config.write_text(node_yaml([version2(255, password=PASSWORD)]))
    command = [PYVRRPD, "-c", str(config), "--socket", str(socket), "--record", str(file)]
    daemon: Program = site.program(site.a, "own", command)
    assert until(lambda: file.exists() and b"Entering MASTER STATE" in file.read_bytes())
    daemon.kill()
    daemon.ended()
    assert "(VI_60) Entering MASTER STATE" in replayed(file, capsys)
