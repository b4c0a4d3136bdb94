"""`pyvrrpctl keys`: what it makes is what the channel wants."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyvrrp.cli.main import run
from pyvrrp.io.channel import credentials


def test_it_makes_a_key_for_the_owner_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "channel.pem"
    before = os.umask(0)
    try:
        assert run(["keys", str(file)]) == 0
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o600
    assert credentials(str(file)).certificate
    assert capsys.readouterr() == (
        f"{file}: made; copy it to the other node as it is, mode 0600 (it is a secret)\n",
        "",
    )


def test_it_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "channel.pem"
    file.write_text("precious")
    assert run(["keys", str(file)]) == 6
    assert file.read_text() == "precious"
    assert capsys.readouterr().err == f"pyvrrpctl: {file} is there already\n"


def test_it_says_what_keeps_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["keys", str(tmp_path / "absent" / "channel.pem")]) == 6
    assert "No such file or directory" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(["keys", str(tmp_path / "channel.pem")]) == 6
    assert capsys.readouterr().err == "pyvrrpctl: there is no program openssl on this host\n"
