"""A check of type mysql: what it becomes, how it is shown, what is advised. What is refused: test_problems."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyvrrp.config.show import effective
from pyvrrp.core.settings import Account, CheckSettings, MysqlProbe
from tests.config.samples import advice, loaded, replaced

WITH_ACCOUNT = replaced(
    "{type: tcp}", "{type: mysql, socket: /run/s.sock, user: pyvrrp, password_file: secret, fall: 2}"
)


def test_without_a_word_it_greets_the_usual_port(tmp_path: Path) -> None:
    settings = loaded(tmp_path, replaced("{type: tcp}", "{type: mysql}")).settings
    assert settings.checks == (CheckSettings("mysql", MysqlProbe(Account(port=3306)), 2.0, 3.0, 3, 1),)


def test_with_an_account(tmp_path: Path) -> None:
    settings = loaded(tmp_path, WITH_ACCOUNT).settings
    account = Account("/run/s.sock", user="pyvrrp", password_file=f"{tmp_path}/secret")
    assert settings.checks == (CheckSettings("mysql", MysqlProbe(account), fall=2),)


@pytest.mark.parametrize("text", [WITH_ACCOUNT, replaced("{type: tcp}", "{type: mysql, port: 3307, defaults_file: d}")])
def test_what_is_shown_loads_and_means_the_same(tmp_path: Path, text: str) -> None:
    before = loaded(tmp_path, text).settings
    assert loaded(tmp_path, effective(before)).settings.checks == before.checks


def test_a_file_that_the_daemon_will_refuse_is_named(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.touch(0o644)
    complaint = (
        "node.yaml:10:74: checks.mysql.password_file: secret can be read by others (mode 0644): chmod 600 secret"
    )
    assert complaint in advice(tmp_path, WITH_ACCOUNT)
    secret.chmod(0o600)
    assert complaint not in advice(tmp_path, WITH_ACCOUNT)
