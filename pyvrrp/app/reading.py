"""The configuration is read by a process of its own.

So the daemon never carries the memory of YAML and validation, and never stands still while a thousand instances are
checked: at fast advert intervals a reload inside the loop would cost it its mastership.
"""

from __future__ import annotations

import pickle  # the bytes come from our own child through a pipe
import subprocess
import sys

from pyvrrp.core.settings import LoadedNode
from pyvrrp.errors import ConfigError, Problem

_READ_SECONDS = 30.0  # a file that takes longer than this to read is not going to be read


class Reading:
    """A configuration file being read; starts at once, so that the caller can do something else meanwhile.

    Raises OSError when no process can be started.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        # -P: the daemon may be root, and whoever owns the current directory must not choose what it imports.
        command = [sys.executable, "-P", "-m", "pyvrrp.config", path]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def result(self) -> LoadedNode:
        """Wait for it. Raises ConfigError."""
        try:
            output, _ = self._process.communicate(timeout=_READ_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise ConfigError((Problem(self._path, 0, 0, "", f"not read within {_READ_SECONDS:.0f} s"),)) from None
        try:
            answer = pickle.loads(output)  # noqa: S301  # see the import
        except (pickle.UnpicklingError, EOFError):
            status = self._process.returncode
            raise ConfigError((Problem(self._path, 0, 0, "", f"its reader ended with status {status}"),)) from None
        if isinstance(answer, LoadedNode):
            return answer
        raise ConfigError(answer)
