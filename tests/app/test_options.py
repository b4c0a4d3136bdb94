"""The command line: pyvrrpd's own few options, and every one that keepalived(8) has."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pyvrrp.app import options
from pyvrrp.app.options import parse


def test_c_alone_is_the_configuration() -> None:
    assert parse(["-c", "node.yaml"]).config == "node.yaml"
    assert parse(["--config", "node.yaml"]).config == "node.yaml"


def test_c_beside_f_is_the_pid_file_of_the_checkers() -> None:
    parsed = parse(["-f", "keepalived.conf", "-c", "checkers.pid"])
    assert (parsed.config, parsed.checkers_pid) == ("keepalived.conf", "checkers.pid")


def test_without_a_file_keepalived_s_is_read_where_only_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = tmp_path / "node.yaml", tmp_path / "keepalived.conf"
    monkeypatch.setattr(options, "NODE_YAML", str(ours))
    monkeypatch.setattr(options, "KEEPALIVED_CONF", str(theirs))
    assert parse([]).config == str(ours)
    theirs.touch()
    assert parse([]).config == str(theirs)
    ours.touch()
    assert parse([]).config == str(ours)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], None),
        (["-t"], ""),
        (["-t/nowhere/out"], "/nowhere/out"),
        (["--config-test"], ""),
        (["--config-test=/nowhere/out"], "/nowhere/out"),
        (["-t", "-f", "x"], ""),
    ],
)
def test_the_file_of_a_configuration_test_is_glued_to_its_option(arguments: list[str], expected: str | None) -> None:
    assert parse(arguments).test == expected


def test_options_run_together_as_in_debian_s_examples() -> None:
    parsed = parse(["--dont-fork", "-PlDG", "-S", "0", "-u", "0177", "-i", "one", "-p", "p", "-r", "r"])
    assert (parsed.vrrp_only, parsed.log_console, parsed.log_detail, parsed.log_facility) == (True, True, True, None)
    assert (parsed.umask, parsed.config_id, parsed.pid, parsed.vrrp_pid) == (0o177, "one", "p", "r")
    assert parse(["-S", "local3"]).log_facility == 19


def test_what_means_nothing_here_is_accepted_with_a_reason() -> None:
    parsed = parse(
        ["-n", "-R", "-x", "-A", "socket", "--perf", "--debug=DvEcvNR", "-M", "-I", "-V", "-a", "-B", "--all"]
    )
    assert len(parsed.ignored) == 12
    assert "option --snmp has no effect: there is no SNMP" in parsed.ignored
    assert parsed.core_dump


def test_in_the_background_paths_do_not_depend_on_the_current_directory() -> None:
    parsed = parse(["--daemonize", "-c", "node.yaml", "-p", "pid"])
    assert parsed.config == str(Path("node.yaml").absolute())
    assert parsed.pid == str(Path("pid").absolute())


@pytest.mark.parametrize("arguments", [["-S", "9"], ["-u", "9"], ["--signum=FOO"], ["stray"], ["--nonsense"], ["-T"]])
def test_a_wrong_command_line_ends_with_1(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 1
    assert capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("STOP", signal.SIGTERM),
        ("RELOAD", signal.SIGHUP),
        ("DATA", signal.SIGUSR1),
        ("STATS", signal.SIGUSR2),
        ("STATS_CLEAR", 63),
        ("JSON", 36),
    ],
)
def test_signum_prints_keepalived_s_numbers(name: str, number: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse([f"--signum={name}"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"{number}\n")


@pytest.mark.skipif(shutil.which("keepalived") is None, reason="scripts/bootstrap --lab installs keepalived")
def test_every_option_that_keepalived_s_help_names_is_understood() -> None:
    text = subprocess.run(["keepalived", "--help"], capture_output=True, text=True, check=False)
    named = set(re.findall(r"--([a-z_-]+)", text.stdout + text.stderr))
    assert len(named) > 25
    ended = {"help", "version", "signum", "genhash"}
    valued = {"use-file", "log-facility", "log-file", "pid", "vrrp_pid", "checkers_pid", "bfd_pid", "namespace"}
    valued |= {"config-id", "snmp-agent-socket", "umask"}
    for name in sorted(named - ended):
        arguments = [f"--{name}=0"] if name in valued else [f"--{name}"]
        assert parse(arguments).config, name


def test_the_process_of_a_background_daemon_is_reported_ready_by_its_parent(tmp_path: Path) -> None:
    program = (
        "import os, sys, pathlib\n"
        "from pyvrrp.app.background import detach\n"
        "begun = detach(keep_stderr=False)\n"
        "if sys.argv[1] == 'fail': sys.exit(7)\n"
        "pathlib.Path(sys.argv[1]).write_text(f'{os.getsid(0) == os.getpid()} {os.getcwd()}')\n"
        "begun()\n"
        "os._exit(5)\n"
    )
    python = [sys.executable, "-c", program]
    marker = tmp_path / "marker"
    assert subprocess.run([*python, str(marker)], check=False, timeout=20).returncode == 0
    assert marker.read_text() == "True /"
    assert subprocess.run([*python, "fail"], check=False, timeout=20).returncode == 7


def test_a_recording_is_named_for_wherever_the_daemon_goes() -> None:
    assert parse(["--record", "it.jsonl"]).record == "it.jsonl"
    assert parse(["--record", "it.jsonl", "--daemonize"]).record == str(Path("it.jsonl").absolute())
    assert parse([]).record is None
