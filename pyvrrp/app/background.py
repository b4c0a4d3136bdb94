"""--daemonize: go on in the background, and let the caller know how that began."""

from __future__ import annotations

import os
from collections.abc import Callable


def detach(*, keep_stderr: bool) -> Callable[[], None]:
    """Go on in a child without terminal; the parent exits when the function returned here is called, with 0.

    A child that ends before that makes the parent exit with its status.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        answer = os.read(reading, 1)
        os._exit(0 if answer else os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF)
    os.close(reading)
    os.setsid()
    os.chdir("/")

    def begun() -> None:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1) if keep_stderr else (0, 1, 2):
            os.dup2(nowhere, number)
        os.close(nowhere)
        os.write(writing, b"\n")
        os.close(writing)

    return begun
