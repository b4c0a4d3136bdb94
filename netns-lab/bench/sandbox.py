"""A world of its own: process ids, mounts and network that end with the run, however the run ends.

Nothing has to be cleaned up by name. When process 1 of the sandbox is gone, the kernel kills whatever it started, and
with the processes go their network namespaces and the private /run with every file of the run.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

CLONE_NEWNS = 0x0002_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000
CLONE_NEWNET = 0x4000_0000
MS_REC_PRIVATE = 0x4000 | (1 << 18)
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def enter() -> None:
    """Continue as process 1 of a sandbox. The calling process stays behind and exits with the sandbox's status.

    Root is not needed where the kernel allows user namespaces. Raises OSError where it does not.
    """
    uid, gid = os.geteuid(), os.getegid()
    _check(_libc.unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | (CLONE_NEWUSER if uid else 0)), "unshare")
    if uid:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    child = os.fork()
    if child:
        _stay_behind(child)
    _check(_libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    _mount(b"none", b"/", None, MS_REC_PRIVATE)
    _mount(b"proc", b"/proc", b"proc", 0)
    _mount(b"tmpfs", b"/run", b"tmpfs", 0)
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)


def is_real_root() -> bool:
    """Whether root in here is root everywhere, and not only in a user namespace."""
    return Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]


@contextmanager
def network(namespace: int) -> Iterator[None]:
    """Let this thread live in the network namespace behind a file descriptor: sockets and processes start there."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check(_libc.setns(namespace, CLONE_NEWNET), "setns")
        try:
            yield
        finally:
            _check(_libc.setns(home, CLONE_NEWNET), "setns")
    finally:
        os.close(home)


def _stay_behind(child: int) -> None:
    """Wait for the sandbox and pass SIGTERM on. Ctrl-C reaches both processes by itself."""

    def forward(number: int, frame: FrameType | None) -> None:
        del number, frame
        os.kill(child, signal.SIGTERM)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # who asks twice means it; the sandbox dies with us

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, forward)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del frame
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt(signal.strsignal(number))


def _mount(source: bytes, target: bytes, kind: bytes | None, flags: int) -> None:
    _check(_libc.mount(source, target, kind, ctypes.c_ulong(flags), None), f"mount {target.decode()}")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
