"""Files that tell init scripts whom to signal."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from pyvrrp.app.options import Options
from pyvrrp.errors import InstanceTakenError

_RIVALS: Final = ("keepalived", "keepalived_vrrp", "pyvrrpd")


class PidFile:
    """Holds this process' number from the moment it is made until `close`.

    Raises InstanceTakenError when it names a living keepalived or pyvrrpd, OSError when it cannot be written.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        rival = _living(self._path)
        if rival is not None:
            raise InstanceTakenError(f"{path}: {rival} is running already")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._text = f"{os.getpid()}\n"
        self._path.write_text(self._text)

    def close(self) -> None:
        """Remove the file, if it is still ours."""
        with contextlib.suppress(OSError):
            if self._path.read_text() == self._text:
                self._path.unlink()


def _living(path: Path) -> str | None:
    """Who the file names, when that process lives and is a daemon of this kind."""
    try:
        number = int(path.read_text())
        name = Path(f"/proc/{number}/comm").read_text().strip()
    except (OSError, ValueError):
        return None
    return f"{name} (pid {number})" if name in _RIVALS and number != os.getpid() else None


def wanted(options: Options, *, keepalived: bool, namespace: str) -> list[str]:
    """The paths of the pid files that there must be: keepalived's own places in its stead."""
    given = [options.pid, options.vrrp_pid, options.checkers_pid]
    if not keepalived:
        return [each for each in given if each]
    folder = f"/run/keepalived/keepalived_{namespace}" if namespace else "/run"
    usual = [f"{folder}/keepalived.pid", f"{folder}/keepalived_vrrp.pid", None]
    return [path for path in (one or other for one, other in zip(given, usual, strict=True)) if path]
