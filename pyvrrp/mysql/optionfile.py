"""What a server on this host will start with: its own program is asked, as which the option files are read.

What a server answers over SQL is what is in force. Once read_only was set at run time, no server tells what its option
file says of it, and skip_slave_start MariaDB never tells.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pyvrrp.mysql.dialect import modern

SECONDS: Final = 5.0
FIRST: Final = ("--no-defaults", "--defaults-file", "--defaults-extra-file", "--defaults-group-suffix")
SWITCHES: Final = ("read_only", "super_read_only", "skip_slave_start", "rpl_semi_sync_master_enabled")


def options(pid_file: str, data: str) -> Mapping[str, str] | None:
    """Its options by modern name, those of SWITCHES in any case; None where it cannot be asked."""
    try:
        pid = int((Path(data) / pid_file).read_text(encoding="ascii"))
        process = Path("/proc", str(pid))
        command = process.joinpath("cmdline").read_text(encoding="utf-8").rstrip("\0").split("\0")
        program = process.joinpath("exe").readlink()
        owner = process.stat()
    except (OSError, ValueError):
        return None
    if program.name not in ("mariadbd", "mysqld", "mysqld-debug"):
        return None
    # The pid file and what runs under that number are the server's own: nothing of it may run as root.
    identity = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    first = [word for word in command[1:] if word.startswith(FIRST)]
    try:
        # Opened by us: a server that has changed its user, or has capabilities, does not show its program even to its
        # own user.
        with process.joinpath("exe").open("rb") as opened:
            done = subprocess.run(
                [f"/proc/self/fd/{opened.fileno()}", *first, "--print-defaults"],
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=True,
                pass_fds=[opened.fileno()],
                **identity,  # type: ignore[call-overload]
            )
    except (OSError, subprocess.SubprocessError):
        return None
    rest = [word for word in command[1:] if word not in first]
    return switches(done.stdout, rest)


def switches(printed: str, command: Sequence[str]) -> Mapping[str, str]:
    """The options that --print-defaults printed, then those of the command line."""
    found = {modern(name): "OFF" for name in SWITCHES}
    for word in (*printed.split(), *command):
        if word.startswith("--") and word != "--print-defaults":
            name, _, value = word[2:].replace("loose-", "", 1).partition("=")
            name = modern(name.replace("-", "_"))
            if name.startswith("skip_") and name[5:] in found:
                name, value = name[5:], "OFF"
            found[name] = value
    return found
