"""`pyvrrpctl mysql` where there is nothing to be judged or set up."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from pyvrrp.cli.asking import agreed
from pyvrrp.cli.main import run
from pyvrrp.cli.mysql import _shown, _summary
from pyvrrp.cli.mysql_setup import _no_way_in, _show_lines
from pyvrrp.cli.servers import HERE, THERE
from pyvrrp.core.settings import Account
from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.finding import Finding, Severity
from pyvrrp.mysql.pairing import Plan

NODE = """\
vrrp_instances:
  VI_1: {interface: eth0, virtual_router_id: 60, nopreempt: true, virtual_ipaddress: [192.168.1.200]}
  VI_2: {interface: eth0, virtual_router_id: 61, nopreempt: true, virtual_ipaddress: [192.168.1.201]}
"""
ALONE = "mysql:\n  VI_1: {socket: /nonexistent/mysqld.sock, user: pyvrrp}\n"
TWO = ALONE + "  VI_2: {socket: /nonexistent/other.sock, user: pyvrrp}\n"


@pytest.fixture
def node(tmp_path: Path) -> Path:
    return tmp_path / "node.yaml"


def test_a_node_without_a_database(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    node.write_text(NODE)
    assert run(["mysql", "check", "-c", str(node)]) == 2
    assert "no instance has a database" in capsys.readouterr().err


def test_one_of_several_databases_is_named(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    node.write_text(NODE + TWO)
    assert run(["mysql", "check", "-c", str(node)]) == 2
    assert "--instance: VI_1, VI_2" in capsys.readouterr().err
    assert run(["mysql", "check", "-c", str(node), "--instance", "VI_3"]) == 2
    assert "no instance VI_3" in capsys.readouterr().err


def test_a_file_with_mistakes_is_not_used(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    node.write_text("vrrp_instances: 1\n")
    assert run(["mysql", "check", "-c", str(node)]) == 2
    assert "node.yaml:1:" in capsys.readouterr().err


def test_a_server_that_does_not_answer_is_a_problem(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    node.write_text(NODE + ALONE)
    assert run(["mysql", "check", "-c", str(node)]) == 3
    out = capsys.readouterr().out
    assert "this server: cannot be looked at" in out
    assert "1 problem" in out


def test_nobody_is_paired_without_a_peer(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    node.write_text(NODE + ALONE)
    assert run(["mysql", "setup", "-c", str(node)]) == 2
    assert "names no peer" in capsys.readouterr().err


def test_a_finding_says_what_mends_it() -> None:
    mend = ("SET GLOBAL sync_binlog = 1;", "sync_binlog = 1", "# or live with it", "REVOKE X;  -- on the active server")
    shown = _shown(Finding(Severity.ADVICE, "this server", "sync_binlog is 0", mend)).split("\n")
    assert shown[0] == "advice    this server: sync_binlog is 0"
    assert [line.strip() for line in shown[1:]] == [
        "→ SET GLOBAL sync_binlog = 1;",
        "→ my.cnf: sync_binlog = 1",
        "→ or live with it",
        "→ REVOKE X;  -- on the active server",
    ]


def test_lines_of_an_option_file_that_was_not_read_are_not_said_to_be_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _show_lines(Plan((), {HERE: ("sync_binlog = 1",), THERE: ("read_only = ON",)}), {HERE})
    assert capsys.readouterr().out.splitlines() == [
        "-- my.cnf of this server (they count from its next start):",
        "--     sync_binlog = 1",
        (
            "-- my.cnf of the other server cannot be read from here; these lines, where they are not there yet"
            " (they count from its next start):"
        ),
        "--     read_only = ON",
    ]


def test_an_answer_ends_its_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert not agreed("Do this?", default=True)
    assert capsys.readouterr().out == "Do this? [Y/n]: \n"


def test_what_is_behind_a_refusal_is_guessed_only_where_a_server_spoke() -> None:
    admin = Account(host="192.168.1.202", user="admin")
    foreign = DatabaseError(Kind.SQL, 1130, "error 1130: Host is not allowed")
    assert "an administrator who may come from this host" in _no_way_in(THERE, admin, foreign)
    mode = DatabaseError(Kind.DENIED, 0, "peer.cnf has mode 0644: others may read it, 0600 is demanded")
    assert _no_way_in(THERE, admin, mode).endswith("0600 is demanded")


def test_the_last_line_counts() -> None:
    assert _summary({"problem": 0, "advice": 0, "note": 0}) == "no problem"
    assert _summary({"problem": 2, "advice": 1, "note": 3}) == "2 problems, 1 piece of advice, 3 not seen"
