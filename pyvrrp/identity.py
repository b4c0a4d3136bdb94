"""Users and groups of programs and pipes: names → numbers."""

from __future__ import annotations

import grp
import os
import pwd
from typing import NamedTuple


class Identity(NamedTuple):
    """A user and the one group that goes with it."""

    uid: int
    gid: int


def own() -> Identity:
    """Who this process is."""
    return Identity(os.geteuid(), os.getegid())


def identity(user: str, group: str = "") -> Identity:
    """The numbers of two names, which may be numbers already.

    Without a group it is the user's own, without both it is this process's. Raises LookupError with a sentence.
    """
    uid = _uid(user) if user else os.geteuid()
    if group:
        return Identity(uid, _gid(group))
    if not user:
        return own()
    try:
        return Identity(uid, pwd.getpwuid(uid).pw_gid)
    except KeyError:
        raise LookupError(f"user {user} has no group of its own, name one") from None


def exists(user: str) -> bool:
    """Whether there is a user of that name."""
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def user_name(uid: int) -> str:
    """The name of a number, or the number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """The name of a number, or the number."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _uid(user: str) -> int:
    if user.isdecimal():
        return int(user)
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        raise LookupError(f'there is no user "{user}"') from None


def _gid(group: str) -> int:
    if group.isdecimal():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise LookupError(f'there is no group "{group}"') from None
