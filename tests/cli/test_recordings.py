"""pyvrrpctl record and replay from their command line to their exit status."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from pyvrrp.cli.main import run
from pyvrrp.recording.reel import ending
from tests.cli.conftest import Serve
from tests.recording.test_replay import altered, everything

TEXT = everything(1, 0.0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A recording of a node's eventful life."""
    path = tmp_path / "it.jsonl"
    path.write_text(TEXT)
    return path


# --- replay ----------------------------------------------------------------------------------------------------------


def test_replay_tells_what_happened(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", str(file)]) == 0
    first, *told, last = capsys.readouterr().out.splitlines()
    assert first == "recorded by pyvrrpd 0.1.0 from its start on, 1970-01-12 13:46:40.000, 1 instance"
    assert any(line.endswith("(VI_1) Entering MASTER STATE") for line in told)
    assert any(line.endswith("(VI_1) discarding advert from 192.168.1.9: its password is not ours") for line in told)
    assert not any("TimerDue" in line for line in told)
    assert last.endswith(": decided as recorded; then the test is over")


def test_replay_verbose_tells_every_event_and_effect(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", "--verbose", str(file)]) == 0
    out = capsys.readouterr().out
    assert "  > TimerDue" in out
    assert "  > AdvertReceived eth0 192.168.1.9: VRRPv2 VRID 60 priority 100 every 1 s" in out
    assert "  < SendAdvert instance=VI_1 interface=eth0" in out


def test_replay_until(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", "--until", "3", str(file)]) == 0
    assert "Entering FAULT" not in capsys.readouterr().out


def test_replay_of_what_is_decided_otherwise_is_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "it.jsonl"
    path.write_text(altered(TEXT, "SendAdvert", lambda effect: effect.update(instance="VI_9")))
    assert run(["replay", str(path)]) == 3
    *_, where, old, new = capsys.readouterr().out.splitlines()
    assert "DECIDES OTHERWISE on TimerDue" in where
    assert old.endswith('SendAdvert.instance, recorded: "VI_9"')
    assert new.endswith('SendAdvert.instance, replayed: "VI_1"')


def test_replay_of_a_damaged_file_is_2(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = file.read_text().splitlines()
    lines[7] = lines[7][:30]
    file.write_text("\n".join(lines) + "\n")
    assert run(["replay", str(file)]) == 2
    assert capsys.readouterr().err.startswith(f"pyvrrpctl: {file}:8: not JSON")


def test_replay_of_a_file_that_is_not_there_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", str(tmp_path / "absent")]) == 1
    assert "No such file" in capsys.readouterr().err


# --- record ----------------------------------------------------------------------------------------------------------


async def portions(*texts: str, forever: bool = False) -> AsyncGenerator[bytes, None]:
    """What the daemon sends."""
    for text in texts:
        yield text.encode()
    while forever:
        await asyncio.sleep(0.05)
        yield b""


@pytest.fixture
def daemon(serve: Serve) -> str:
    """A daemon that sends a recording without an end."""
    return serve(lambda _: portions(TEXT.rpartition('{"end"')[0], forever=True))


def test_record_for_some_seconds(daemon: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "new.jsonl"
    assert run(["--socket", daemon, "record", "--output", str(path), "--seconds", "0.3"]) == 0
    assert path.read_text() == TEXT.rpartition('{"end"')[0]
    assert path.stat().st_mode & 0o777 == 0o600
    assert "passwords are replaced by pseudonyms" in capsys.readouterr().err
    assert run(["replay", str(path)]) == 0


def test_record_until_it_is_interrupted(daemon: str, tmp_path: Path) -> None:
    path = tmp_path / "new.jsonl"
    command = [sys.executable, "-m", "pyvrrp.cli.main", "--socket", daemon, "record", "--output", "-"]
    with path.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE) as recorder:
        while path.stat().st_size < len(TEXT) - 100:
            assert recorder.poll() is None
        recorder.send_signal(signal.SIGINT)
        assert recorder.wait(10) == 0
    assert json.loads(path.read_text().splitlines()[0])["recording"] == 1


def test_record_overwrites_nothing(daemon: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--socket", daemon, "record", "--output", str(file)]) == 6
    assert "File exists" in capsys.readouterr().err
    assert file.read_text() == TEXT


def test_a_recording_that_the_daemon_gives_up_is_said(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    socket = serve(lambda _: portions(TEXT.splitlines(keepends=True)[0], ending("lost: too much")))
    assert run(["--socket", socket, "record", "--output", str(tmp_path / "new.jsonl")]) == 6
    assert "the recording ended by itself: lost: too much" in capsys.readouterr().err


def test_who_may_not_record_is_told(serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(request: dict[str, Any]) -> dict[str, Any]:
        assert request == {"command": "record"}
        return {"error": "uid 7 may look, but only root and this daemon's own user may record", "refused": True}

    assert run(["--socket", serve(refuse), "record", "--output", str(tmp_path / "new.jsonl")]) == 6
    assert "only root" in capsys.readouterr().err
    assert not (tmp_path / "new.jsonl").exists()


def test_without_a_daemon_there_is_nothing_to_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--socket", str(tmp_path / "none"), "record"]) == 2
    assert "pyvrrpd is not running" in capsys.readouterr().err
