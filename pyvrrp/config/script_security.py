"""keepalived's rules for scripts: which it runs, which not, and what its `-t` says; each with the reason in words.

As observed with keepalived 2.2.7. The links of a path are resolved, and what they lead to is what is looked at and run.
A program that would run as user root or group root, or with their rights (setuid, setgid), is insecure when it or a
directory above it belongs to somebody else or can be written to by somebody else. Directories with the sticky bit
(/tmp) can be written to.
"""

from __future__ import annotations

import contextlib
import enum
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyvrrp.identity import exists, group_name, user_name

DEFAULT_USER: Final = "keepalived_script"


class Finding(enum.Enum):
    """What is the matter with a program."""

    NOTHING = "nothing"
    NOT_FOUND = "there is none, or its user cannot reach it"
    NOT_A_FILE = "it is something else than a file"
    NOT_EXECUTABLE = "its user may not run it"
    INSECURE = "others than root could change what root runs"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, for whom: `sentence` says it, "" when all is well. `program` is the path to run.

    `enabled` is enable_script_security.
    """

    program: str
    finding: Finding
    enabled: bool
    sentence: str = ""

    @property
    def runs(self) -> bool:
        """Whether keepalived runs it."""
        return self.finding is Finding.NOTHING or (self.finding is Finding.INSECURE and not self.enabled)

    def exit_status(self, *, tracked: bool) -> int:
        """keepalived's own for `-t`: 0, 5 or 6. `tracked` is for a vrrp_script; others are left out in silence.

        Any program that is there has 6 when script security is not enabled, whoever runs it.
        """
        if self.finding is not Finding.NOT_FOUND and not self.enabled:
            return 6
        left_out = self.finding in (Finding.NOT_FOUND, Finding.NOT_A_FILE, Finding.INSECURE)
        return 5 if tracked and left_out else 0


def default_user() -> str:
    """Who runs a script that names nobody: keepalived_script where there is such a user, else "", the daemon's own.

    With enable_script_security keepalived does not run as root what names nobody.
    """
    return DEFAULT_USER if exists(DEFAULT_USER) else ""


def examine(program: str, uid: int, gid: int, enabled: bool) -> Verdict:
    """Look at a program that is to run as `uid` and `gid`."""
    with _acting_as(uid, gid):
        try:
            found = _found(program)
            path = _resolved(found)
            status = path.stat()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            return Verdict(program, Finding.NOT_FOUND, enabled, f"{program}: {reason}")
        executable = os.access(path, os.X_OK, effective_ids=True)
    # Somebody may own a directory on the way and turn its link elsewhere, so what was looked at is what runs. Where
    # nobody asks for that the name stays: some programs behave by it.
    run = str(path) if enabled else found
    if not stat.S_ISREG(status.st_mode):
        return Verdict(run, Finding.NOT_A_FILE, enabled, f"{path} is not a file")
    if not executable:
        whom = f"user {user_name(uid)}, group {group_name(gid)}"
        return Verdict(run, Finding.NOT_EXECUTABLE, enabled, f"{path} is not executable for {whom}")
    if 0 in (uid, gid) or status.st_mode & (stat.S_ISUID | stat.S_ISGID):
        for each in (*reversed(path.parents), path):
            sentence = _weakness(each)
            if sentence:
                return Verdict(run, Finding.INSECURE, enabled, sentence)
    return Verdict(run, Finding.NOTHING, enabled)


def _found(program: str) -> str:
    """Its path. Raises OSError."""
    found = program if "/" in program else shutil.which(program)
    if found is None:
        raise FileNotFoundError(0, "not found in PATH")
    return found


def _resolved(found: str) -> Path:
    """Where a path leads to. Its own name stays if it is another name of the file there. Raises OSError."""
    target = Path(os.path.realpath(found, strict=True))
    namesake = target.parent / Path(found).name
    return namesake if namesake.exists() and namesake.samefile(target) else target


def _weakness(path: Path) -> str:
    """How somebody else than root could change it, "" if nobody can."""
    status = path.stat()
    mode = stat.S_IMODE(status.st_mode)
    facts = f"({user_name(status.st_uid)}:{group_name(status.st_gid)}, mode {mode:04o})"
    if status.st_uid != 0:
        return f"{path} belongs to user {user_name(status.st_uid)} {facts}"
    if stat.S_ISDIR(status.st_mode) and mode & stat.S_ISVTX:
        return ""
    if mode & stat.S_IWOTH:
        return f"{path} is writable by everybody {facts}"
    if mode & stat.S_IWGRP and status.st_gid != 0:
        return f"{path} is writable by group {group_name(status.st_gid)} {facts}"
    return ""


@contextlib.contextmanager
def _acting_as(uid: int, gid: int) -> Iterator[None]:
    """Have the rights of a user and a group for a while, where this process may: the kernel knows all the rules."""
    if os.geteuid() != 0 or uid == 0:
        yield
        return
    groups, own_gid = os.getgroups(), os.getegid()
    os.setgroups([gid])
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(own_gid)
        os.setgroups(groups)
