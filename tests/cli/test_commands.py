"""pyvrrpctl from its command line to its exit status, with the daemon's own control server behind the socket."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyvrrp import __version__
from pyvrrp.cli.main import run
from pyvrrp.config.schema import schema_text
from tests.cli.answers import BACKUP, GROUP, LOST, MASTER, SERVICE, answer
from tests.cli.conftest import Serve

GOOD = """\
vrrp_instances:
  VI_1: {interface: eth0, virtual_router_id: 60, priority: 250, virtual_ipaddress: [10.0.0.1], track_checks: [mysql]}
checks:
  mysql: {type: tcp}
"""


def test_check_of_a_good_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "node.yaml"
    file.write_text(GOOD)
    assert run(["check", str(file)]) == 0
    assert capsys.readouterr() == (f"{file}: fine, 1 instance, 1 check\n", "")


def test_check_gives_advice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "node.yaml"
    file.write_text(GOOD.replace("250", "90"))
    assert run(["check", str(file)]) == 0
    assert capsys.readouterr().err.startswith(f"advice: {file}:2:60: vrrp_instances.VI_1.priority: at priority 90")


def test_check_says_all_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "node.yaml"
    file.write_text(GOOD.replace("60", "300").replace("10.0.0.1", "10.0.0.300"))
    assert run(["check", str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"{file}:2:46: vrrp_instances.VI_1.virtual_router_id: 300 is outside 1..255",
        f'{file}:2:86: vrrp_instances.VI_1.virtual_ipaddress: "10.0.0.300" is not an IP address',
    ]


def test_config_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "schema"]) == 0
    assert capsys.readouterr().out == schema_text()


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"pyvrrpctl {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["status", "--nonsense"], ["check"], ["explain"], ["config", "nonsense"], ["status", "a", "b"]],
)
def test_usage_errors_are_1(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 1
    assert "Usage: pyvrrpctl" in capsys.readouterr().err


def test_watch_goes_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--watch", "--json"]) == 1
    assert "--watch goes with neither" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["status"], ["explain", "VI_1"], ["history"], ["reload"]])
def test_no_daemon_is_2(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--socket", str(tmp_path / "none"), *command]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"pyvrrpctl: pyvrrpd is not running (no socket {tmp_path}/none)\n"


def test_status(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[dict[str, Any]] = []

    def reply(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return answer(BACKUP, MASTER)

    assert run(["--socket", serve(reply), "status"]) == 0
    assert "orders is MASTER" in capsys.readouterr().out
    assert asked == [{"command": "status"}]


def test_the_socket_may_come_from_the_environment(
    serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYVRRP_SOCKET", serve(lambda _: answer(BACKUP)))
    assert run(["status"]) == 0
    assert "VI_1 is BACKUP" in capsys.readouterr().out


def test_status_as_json(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    whole = answer(BACKUP, MASTER, groups=(GROUP, replace(GROUP, members=("VI_1",))), services=(SERVICE,))
    path = serve(lambda _: whole)
    assert run(["--socket", path, "status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == whole
    assert run(["--socket", path, "status", "--json", "orders"]) == 0
    assert json.loads(capsys.readouterr().out)["snapshot"] == answer(MASTER, groups=(GROUP,))["snapshot"]


def test_exit_code_of_health(serve: Serve) -> None:
    path = serve(lambda _: answer(replace(BACKUP, state="FAULT"), MASTER))
    assert run(["--socket", path, "status"]) == 0
    assert run(["--socket", path, "status", "--exit-code"]) == 3
    assert run(["--socket", path, "status", "--exit-code", "orders"]) == 0


@pytest.mark.parametrize("command", ["status", "history"])
def test_an_instance_that_is_not_there(command: str, serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--socket", serve(lambda _: answer(BACKUP, MASTER)), command, "order"]) == 1
    assert capsys.readouterr().err == 'pyvrrpctl: there is no instance "order" (did you mean "orders"?)\n'


def test_explain_knows_more_than_instances(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    path = serve(lambda _: answer(BACKUP, groups=(GROUP,), services=(SERVICE,)))
    assert run(["--socket", path, "explain", SERVICE.name]) == 0
    assert capsys.readouterr().out.startswith(f"{SERVICE.name}: a virtual server")
    assert run(["--socket", path, "explain", "mysqll"]) == 1
    assert capsys.readouterr().err == 'pyvrrpctl: there is nothing called "mysqll" (did you mean "mysql"?)\n'


def test_a_virtual_server_without_quorum_is_not_healthy(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    path = serve(lambda _: answer(BACKUP, services=(SERVICE, LOST)))
    assert run(["--socket", path, "status", "--exit-code"]) == 3
    assert run(["--socket", path, "status", "--exit-code", "VI_1"]) == 0
    assert run(["status", "--help"]) == 0
    assert "no quorum" in " ".join(capsys.readouterr().out.split())


def test_history_as_json(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--socket", serve(lambda _: answer(BACKUP, MASTER)), "history", "--json", "VI_1"]) == 0
    (change,) = json.loads(capsys.readouterr().out)
    assert (change["time"], change["old"], change["new"]) == (1_763_707_692.0, "MASTER", "BACKUP")


def test_reload_tells_what_changed(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    path = serve(lambda _: {"ok": True, "changes": ["VI_1: priority 100 -> 150"], "advice": ["node.yaml:1:1: x"]})
    assert run(["--socket", path, "reload"]) == 0
    assert capsys.readouterr() == ("VI_1: priority 100 -> 150\n", "advice: node.yaml:1:1: x\n")


def test_reload_without_changes(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--socket", serve(lambda _: {"ok": True, "changes": []}), "reload"]) == 0
    assert capsys.readouterr().out == "nothing has changed\n"


def test_a_dry_run_is_only_asked_about(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[dict[str, Any]] = []

    def reply(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return {
            "ok": len(asked) < 3,
            "changes": ["VI_1: priority 100 -> 150"][: 2 - len(asked)],
            "problems": ["x:1:1: y"],
        }

    path = serve(reply)
    assert run(["--socket", path, "reload", "--dry-run"]) == 0
    assert capsys.readouterr().out == "VI_1: priority 100 -> 150\n"
    assert run(["--socket", path, "reload", "--dry-run"]) == 0
    assert capsys.readouterr().out == "nothing would change\n"
    assert run(["--socket", path, "reload", "--dry-run"]) == 6
    assert capsys.readouterr().err == "x:1:1: y\npyvrrpctl: would be refused\n"
    assert asked == [{"command": "reload", "dry_run": True}] * 3


def test_a_reload_says_what_was_left_out(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    path = serve(lambda _: {"ok": True, "changes": [], "left_out": ["keepalived.conf:3: x"], "advice": []})
    assert run(["--socket", path, "reload"]) == 0
    assert capsys.readouterr() == ("nothing has changed\n", "keepalived.conf:3: x\n")


def test_a_refused_reload_is_6(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--socket", serve(lambda _: {"ok": False, "problems": ["node.yaml:1:1: x"]}), "reload"]) == 6
    assert capsys.readouterr().err.splitlines()[0] == "node.yaml:1:1: x"


def test_a_refused_command_is_6(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    path = serve(lambda _: {"error": "uid 1000 may look, but only root may reload", "refused": True})
    assert run(["--socket", path, "reload"]) == 6
    assert capsys.readouterr().err == "pyvrrpctl: uid 1000 may look, but only root may reload\n"


def watching(path: str) -> list[str]:
    return [sys.executable, "-m", "pyvrrp.cli.main", "--socket", path, "status", "--watch"]


def test_watch_into_a_pipe_goes_on_without_a_daemon_until_interrupted(serve: Serve, tmp_path: Path) -> None:
    path = str(tmp_path / "pyvrrpd.sock")
    with subprocess.Popen(watching(path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watcher:
        assert watcher.stdout is not None
        assert "pyvrrpd is not running" in watcher.stdout.readline()
        serve(lambda _: answer(BACKUP))
        line = next(line for line in watcher.stdout if line.startswith("db1"))
        assert "\x1b" not in line
        watcher.send_signal(signal.SIGINT)
        _, errors = watcher.communicate(timeout=20)
    assert (watcher.returncode, errors) == (0, "")


def test_watch_on_a_terminal(serve: Serve) -> None:
    path = serve(lambda _: answer(BACKUP))
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    with subprocess.Popen(watching(path), stdout=theirs, stderr=theirs, env=environment) as watcher:
        os.close(theirs)
        seen = b""
        while seen.count(b"VI_1 is BACKUP") < 2:
            seen += os.read(ours, 4096)
        watcher.send_signal(signal.SIGINT)
        assert watcher.wait(timeout=20) == 0
    os.close(ours)


def test_a_reader_that_has_seen_enough(serve: Serve) -> None:
    path = serve(lambda _: answer(BACKUP))
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "pyvrrp.cli.main", "--socket", path, "status"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(write)
    assert done.stderr == b""


def test_it_starts_without_what_it_does_not_need() -> None:
    program = (
        "import sys; from pyvrrp.cli.main import run; run(['--help']);"
        "print(sorted({'rich', 'yaml', 'pydantic', 'asyncio'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
