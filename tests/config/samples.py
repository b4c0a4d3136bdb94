"""Configuration texts for tests."""

from __future__ import annotations

import textwrap
from pathlib import Path

from pyvrrp.config.load import Loaded, load
from pyvrrp.errors import ConfigError

GOOD = """\
router_id: node-a
vrrp_instances:
  VI_1:
    interface: eth0
    virtual_router_id: 60
    priority: 250
    virtual_ipaddress: [192.168.1.200]
    track_checks: [mysql]
checks:
  mysql: {type: tcp}
"""


def with_instance_lines(lines: str) -> str:
    """GOOD with more lines in its instance; they begin in line 9."""
    head, tail = GOOD.split("checks:\n", 1)
    return f"{head}{textwrap.indent(textwrap.dedent(lines), '    ')}checks:\n{tail}"


def replaced(old: str, new: str) -> str:
    """GOOD with another text in the place of `old`."""
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def loaded(folder: Path, text: str) -> Loaded:
    """What a file with this text loads as; its mode makes it private."""
    file = folder / "node.yaml"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    return load(str(file))


def problems(folder: Path, text: str | bytes) -> list[str]:
    """The problems of a file with this text, without its folder."""
    file = folder / "node.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    file.chmod(0o600)
    try:
        load(str(file))
    except ConfigError as error:
        return [str(problem).replace(f"{folder}/", "") for problem in error.problems]
    return []


def advice(folder: Path, text: str) -> list[str]:
    """The advice for a file with this text, without its folder."""
    return [str(each).replace(f"{folder}/", "") for each in loaded(folder, text).advice]
