"""`pyvrrpctl config`: converting, showing and comparing files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyvrrp.cli.main import run

CONF = """\
vrrp_instance VI_1 {
    interface eth0     # the way to the clients
    virtual_router_id 60
    priority 250
    authentication {
        auth_type PASS
        auth_pass s3cret
    }
    virtual_ipaddress {
        192.0.2.10
        192.0.2.300
    }
}
"""


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    path = tmp_path / "keepalived.conf"
    path.write_text(CONF)
    path.chmod(0o600)
    return path


def test_convert_keeps_comments_and_says_what_is_left_out(conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "convert", str(conf)]) == 0
    said = capsys.readouterr()
    assert "    # the way to the clients\n    interface: eth0\n" in said.out
    assert 'keepalived.conf:11:9: vrrp_instance.VI_1.virtual_ipaddress: "192.0.2.300" is not' in said.err


def test_the_converted_file_means_the_same(conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["config", "convert", str(conf)])
    converted = conf.with_name("node.yaml")
    converted.write_text(capsys.readouterr().out)
    assert run(["config", "diff", str(conf), str(converted)]) == 0
    assert capsys.readouterr().out == "the two mean the same\n"


def test_convert_says_what_node_yaml_would_refuse(conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    conf.write_text(CONF.replace("        192.0.2.10\n", ""))
    assert run(["config", "convert", str(conf)]) == 2
    assert "to be mended before it starts, node.yaml is stricter: node.yaml:" in capsys.readouterr().err


def test_show_has_defaults_and_no_password(conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "show", str(conf)]) == 0
    shown = capsys.readouterr().out
    assert "garp_master_delay: 5" in shown
    assert "s3cret" not in shown


def test_diff_tells_what_a_reload_would_change(conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = conf.with_name("other.conf")
    other.write_text(CONF.replace("priority 250", "priority 240").replace("s3cret", "other"))
    assert run(["config", "diff", str(conf), str(other)]) == 0
    assert capsys.readouterr().out == "VI_1: priority 250 -> 240\nVI_1: auth_pass is changed\n"


def test_check_of_a_file_that_runs_with_mistakes(conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(conf)]) == 2
    said = capsys.readouterr()
    assert said.out == f"{conf}: runs without what is wrong in it, with 1 instance, 0 checks\n"
    assert "192.0.2.300" in said.err
