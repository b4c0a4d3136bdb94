"""What --print-defaults and a command line say a server starts with."""

from __future__ import annotations

from pathlib import Path

from pyvrrp.mysql.optionfile import options, switches

PRINTED = """\
/usr/sbin/mariadbd would have been started with the following arguments:
--user=root --server_id=1 --log-bin=mysql-bin --skip-slave-start --read_only=1 --loose-rpl_semi_sync_master_enabled=1
"""


def test_options_by_their_new_names() -> None:
    found = switches(PRINTED, ())
    assert (found["server_id"], found["log_bin"], found["read_only"]) == ("1", "mysql-bin", "1")
    assert found["skip_replica_start"] == ""
    assert found["rpl_semi_sync_source_enabled"] == "1"


def test_what_is_not_said_is_off() -> None:
    found = switches("", ())
    assert (found["read_only"], found["skip_replica_start"]) == ("OFF", "OFF")


def test_the_command_line_has_the_last_word() -> None:
    assert switches(PRINTED, ("--read-only=0",))["read_only"] == "0"
    assert switches(PRINTED, ("--skip-read-only",))["read_only"] == "OFF"


def test_a_pid_file_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    assert options("absent.pid", str(tmp_path)) is None
    (tmp_path / "pid").write_text("1\n")
    assert options("pid", str(tmp_path)) is None
