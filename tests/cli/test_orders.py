"""Orders about a database, from the command line to the exit status."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from pyvrrp.cli.main import run
from tests.cli.conftest import Serve

DONE = {"ok": True, "steps": ["node-b has exactly that", "writes are open on node-b"], "figures": {"write_gap_ms": 84}}


class Daemon:
    """Answers with one answer after the other, the last one again and again."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.asked: list[dict[str, Any]] = []
        self._answers = list(answers)

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def test_switchover(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    daemon = Daemon(DONE)
    path = serve(daemon)
    assert run(["--socket", path, "switchover", "VI_1", "--to", "node-b"]) == 0
    assert capsys.readouterr() == ("node-b has exactly that\nwrites are open on node-b\n", "")
    assert run(["--socket", path, "switchover", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == DONE
    assert daemon.asked == [
        {"command": "switchover", "instance": "VI_1", "to": "node-b", "dry_run": False},
        {"command": "switchover", "instance": None, "to": "", "dry_run": True},
    ]


def test_a_refusal_is_6_and_an_open_end_7(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    refused = {"ok": False, "steps": ["NOT READY: lag is 12 s"], "why": "node-b: lag is 12 s", "figures": {}}
    path = serve(Daemon(refused, refused | {"timed_out": True}, {"error": "VI_2 has no database"}))
    assert run(["--socket", path, "switchover"]) == 6
    assert capsys.readouterr() == ("NOT READY: lag is 12 s\n", "pyvrrpctl: node-b: lag is 12 s\n")
    assert run(["--socket", path, "switchover"]) == 7
    assert run(["--socket", path, "switchover", "VI_2"]) == 6
    assert capsys.readouterr().err.endswith("pyvrrpctl: VI_2 has no database\n")


@pytest.mark.parametrize("command", ["pause", "resume", "acknowledge", "drain"])
def test_the_short_ones(serve: Serve, capsys: pytest.CaptureFixture[str], command: str) -> None:
    daemon = Daemon({"ok": True, "steps": ["done"]})
    path = serve(daemon)
    assert run(["--socket", path, command]) == 0
    assert run(["--socket", path, command, "VI_1"]) == 0
    assert capsys.readouterr().out == "done\n" * 2
    assert [(each["command"], each["instance"]) for each in daemon.asked] == [(command, None), (command, "VI_1")]


def test_that_a_server_was_copied_is_told(serve: Serve) -> None:
    daemon = Daemon({"ok": True, "steps": ["done"]})
    assert run(["--socket", serve(daemon), "acknowledge", "--copied"]) == 0
    assert daemon.asked[0]["copied"] is True


def test_promote_tells_the_price_and_asks(
    serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    price = {"ok": True, "steps": ["VI_1: lag is 12 s"]}
    daemon = Daemon(price, {"ok": True, "steps": ["VI_1 is MASTER here, its writes are open"]}, price)
    path = serve(daemon)
    assert run(["--socket", path, "promote"]) == 1
    assert daemon.asked == []
    assert "--force" in capsys.readouterr().err
    assert run(["--socket", path, "promote", "--force", "--yes"]) == 0
    assert capsys.readouterr().out == "VI_1: lag is 12 s\nVI_1 is MASTER here, its writes are open\n"
    assert daemon.asked[1]["sure"]
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run(["--socket", path, "promote", "--force"]) == 1  # nobody is there to say yes
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run(["--socket", path, "promote", "--force"]) == 6
    assert capsys.readouterr().err.endswith("pyvrrpctl: nothing was done\n")
    assert len(daemon.asked) == 4
