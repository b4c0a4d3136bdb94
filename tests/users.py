"""Other users than the one who runs the tests."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def in_groups(*groups: int) -> Iterator[None]:
    """Be in these groups for a while, beside one's own."""
    before = os.getgroups()
    os.setgroups(groups)
    try:
        yield
    finally:
        os.setgroups(before)


def may_switch_users() -> bool:
    """Whether this process may become anybody: root may, root of a user namespace with itself alone in it may not."""
    ids = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return os.geteuid() == 0 and sum(int(count) for _, _, count in ids) > 1
