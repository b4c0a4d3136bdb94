"""node.yaml or keepalived.conf: what a file says decides, its name only where it says nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyvrrp.config.face import is_keepalived
from pyvrrp.config.load import load


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("node.yaml", "router_id: a\nvrrp_instances: {}\n", False),
        ("node.conf", "# a comment\n\nvrrp_instances:\n  VI_1:\n", False),
        ("config", "! Configuration File for keepalived\nglobal_defs {\n}\n", True),
        ("config", "vrrp_instance V{\n}\n", True),
        ("config", "\ufeffvrrp_instance V {\n}\n", True),
        ("config", '"vrrp_instance" V {\n}\n', True),
        ("node.yaml", "vrrp_instance V {\n}\n", True),
        ("node.yaml", "vrrp_instance;s:\n", False),
        ("config", "$IF=eth0\nvrrp_instance V {\n}\n", True),
        ("config", "@one vrrp_instance V {\n", True),
        ("node.yaml", "@", False),
        ("node.yaml", "hello", False),
        ("keepalived.conf", "hello", True),
        ("keepalived.conf", "", True),
        ("node.yaml", "", False),
        ("config", '"vrrp_instances": {VI_1: {}}\n', False),
        ("config", "include /etc/keepalived/conf.d/*.conf\n", False),
        ("keepalived.conf", "include /etc/keepalived/conf.d/*.conf\n", True),
    ],
)
def test_the_language_of_a_file(tmp_path: Path, name: str, text: str, expected: bool) -> None:
    (tmp_path / name).write_text(text)
    assert is_keepalived(str(tmp_path / name)) is expected


def test_what_cannot_be_looked_at_is_told_by_its_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.conf")
    assert is_keepalived(str(tmp_path / "pipe.conf"))
    assert not is_keepalived(str(tmp_path / "absent.yaml"))
    assert not is_keepalived("nul\0byte")


def test_a_keepalived_conf_with_nothing_in_it_says_that_it_does_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keepalived.conf"
    path.write_text("global_defs {\n}\n")
    assert "there is nothing to do" in str(load(str(path)).advice[0])
