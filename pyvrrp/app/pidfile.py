"""Files that tell init scripts whom to signal."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from pyvrrp.app.options import Options
from pyvrrp.core.settings import LoadedNode
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


def wanted(options: Options, loaded: LoadedNode) -> list[str]:
    """The paths of the pid files that there must be; in keepalived's stead also its own places, of what there is."""
    settings = loaded.settings
    given = [options.pid, options.vrrp_pid, options.checkers_pid]
    if not loaded.keepalived:
        return [path for path in given if path]
    namespace = options.namespace or settings.network_namespace
    folder = f"/run/keepalived/{namespace}" if namespace else "/run"
    usual = ["keepalived", "vrrp" if settings.instances else "", "checkers" if settings.services else ""]
    return [path or f"{folder}/{name}.pid" for path, name in zip(given, usual, strict=True) if path or name]
