"""MySQL 5.6 as the laboratory has it: the oldest dialect."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mysql.realm import mysql_5_6

pytestmark = pytest.mark.lab


def test_mysql_5_6_runs_with_gtids_and_without(tmp_path: Path) -> None:
    (tmp_path / "on").mkdir()
    (tmp_path / "off").mkdir()
    with mysql_5_6(tmp_path / "on", "gtid_mode = ON", "enforce_gtid_consistency") as (one, other):
        assert str(one.value("version()")).startswith("5.6.")
        assert one.value("@@gtid_mode") == "ON"
        assert one.value("@@server_uuid") != other.value("@@server_uuid")
    with mysql_5_6(tmp_path / "off") as (one, _):
        assert one.value("@@gtid_mode") == "OFF"
