"""app/reading: what the configuration's own process answers, and what is made of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pyvrrp.app.reading import Reading
from pyvrrp.core.settings import shape
from pyvrrp.errors import ConfigError

GOOD = "vrrp_instances: {VI_1: {interface: eth0, virtual_router_id: 60, virtual_ipaddress: [192.168.1.200]}}\n"


def problem(path: Path) -> str:
    """The only problem of a file."""
    with pytest.raises(ConfigError) as caught:
        Reading(str(path)).result()
    (found,) = caught.value.problems
    return str(found)


def test_a_good_file(tmp_path: Path) -> None:
    file = tmp_path / "node.yaml"
    file.write_text(GOOD)
    loaded = Reading(str(file)).result()
    assert [each.name for each in loaded.settings.instances] == ["VI_1"]
    assert loaded.places["VI_1"] == (str(file), 1, 36)


def test_a_bad_file(tmp_path: Path) -> None:
    file = tmp_path / "node.yaml"
    file.write_text(GOOD.replace("60", "0"))
    assert problem(file).startswith(f"{file}:1:")


def test_a_missing_include_refuses_the_file_only_when_all_are_demanded(tmp_path: Path) -> None:
    file = tmp_path / "keepalived.conf"
    file.write_text("include nowhere.conf\nglobal_defs {\n}\n")
    assert not Reading(str(file)).result().refused
    loaded = Reading(str(file), all_config=True).result()
    assert (loaded.refused, loaded.status) == (True, 6)


def test_the_config_id_chooses_lines(tmp_path: Path) -> None:
    file = tmp_path / "keepalived.conf"
    file.write_text("global_defs {\n@-odd router_id odd\n@^-odd router_id other\n}\n")
    assert Reading(str(file), "-odd").result().settings.router_id == "odd"
    assert Reading(str(file), "x").result().settings.router_id == "other"


def test_a_reader_of_another_version_is_not_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an upgrade on disk: the reader is new, the daemon is not."""
    other = tmp_path / "pyvrrp" / "config"
    other.mkdir(parents=True)
    (tmp_path / "pyvrrp" / "__init__.py").touch()
    (other / "__init__.py").touch()
    (other / "__main__.py").write_text(f"print({shape() + ' Later(field)'!r})\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert problem(tmp_path / "node.yaml").endswith("pyvrrp was upgraded, restart it")


def test_a_reader_that_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert problem(tmp_path / "node.yaml").endswith("its reader ended with status 1")


def test_a_reading_that_is_abandoned(tmp_path: Path) -> None:
    file = tmp_path / "node.yaml"
    file.write_text(GOOD)
    reading = Reading(str(file))
    reading.abandon()
    with pytest.raises(ConfigError):
        reading.result()


def test_a_reader_that_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", os.fspath(tmp_path / "nothing"))
    with pytest.raises(OSError, match="No such file"):
        Reading(str(tmp_path / "node.yaml"))
