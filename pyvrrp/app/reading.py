"""The configuration is read by a process of its own.

So the daemon never carries the memory of YAML and validation, and never stands still while a thousand instances are
checked: at fast advert intervals a reload inside the loop would cost it its mastership.
"""

from __future__ import annotations

import pickle  # the bytes come from our own child through a pipe
import subprocess
import sys
from dataclasses import replace

from pyvrrp.app.options import Options
from pyvrrp.core.settings import LoadedNode, shape
from pyvrrp.errors import ConfigError, Problem

_READ_SECONDS = 30.0  # a file that takes longer than this to read is not going to be read


class Reading:
    """A configuration file being read; starts at once, so that the caller can do something else meanwhile.

    Raises OSError when no process can be started.
    """

    def __init__(self, path: str, config_id: str | None = None, *, all_config: bool = False) -> None:
        self._path = path
        # -P: the daemon may be root, and whoever owns the current directory must not choose what it imports.
        command = [sys.executable, "-P", "-m", "pyvrrp.config"]
        command += [] if config_id is None else [f"--config-id={config_id}"]
        command += ["--all-config"] if all_config else []
        command += ["--", path]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def abandon(self) -> None:
        """Do not wait any longer: `result` comes back at once, with a problem."""
        self._process.kill()

    def result(self) -> LoadedNode:
        """Wait for it. Raises ConfigError."""
        try:
            output, _ = self._process.communicate(timeout=_READ_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise self._problem(f"not read within {_READ_SECONDS:.0f} s") from None
        if self._process.returncode not in (0, 2):
            raise self._problem(f"its reader ended with status {self._process.returncode}")
        their_shape, _, answer = output.partition(b"\n")
        if their_shape.decode() != shape():
            raise self._problem("read by another version than this daemon's: pyvrrp was upgraded, restart it")
        found = pickle.loads(answer)  # noqa: S301  # see the import
        if isinstance(found, LoadedNode):
            return found
        raise ConfigError(found)

    def _problem(self, message: str) -> ConfigError:
        return ConfigError((Problem(self._path, 0, 0, "", message),))


def only_wanted(loaded: LoadedNode, options: Options) -> LoadedNode:
    """Without what the command line leaves out: -P has no virtual servers, -C no virtual routers."""
    settings = loaded.settings
    if options.vrrp_only:
        settings = replace(settings, services=())
    if options.checks_only:
        settings = replace(settings, instances=(), groups=())
    return replace(loaded, settings=settings)
