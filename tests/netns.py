"""Network namespaces for tests: made by the kernel, held by a descriptor, gone with the process that made them.

    with Namespace() as left, Namespace() as right:
        veth(left, "eth0", right, "eth0")
        with left.inside():
            ...  # sockets opened and programs started here belong to `left`

Works as root and inside `unshare -Urnm`.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

CLONE_NEWNET: Final = 0x40000000
COMMAND_TIMEOUT: Final = 10  # seconds

_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """A network namespace of its own, with its loopback up."""

    def __init__(self) -> None:
        """Raises PermissionError where namespaces cannot be made."""
        self._descriptor = _create()
        self.ip("link set lo up")
        # No IPv6 link-local addresses: they come and change by themselves while a test looks on.
        with self.inside():
            Path("/proc/sys/net/ipv6/conf/default/addr_gen_mode").write_text("1")

    @property
    def path(self) -> str:
        """A path of this namespace, for `ip link ... netns PATH`, good while this object is open."""
        return f"/proc/{os.getpid()}/fd/{self._descriptor}"

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Move the calling thread in here for a while. Its sockets stay here for good."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(self._descriptor)
            try:
                yield
            finally:
                _enter(home)
        finally:
            os.close(home)

    def run(self, *command: str) -> str:
        """Run a program in here to its end; its standard output. Raises CalledProcessError."""
        with self.inside():
            done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=COMMAND_TIMEOUT)
        return done.stdout

    def ip(self, words: str) -> str:
        """Run `ip` with these words in here."""
        return self.run("ip", *words.split())

    def close(self) -> None:
        """Let the kernel remove the namespace and its interfaces, once no socket and no process is left in it."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def veth(one: Namespace, name: str, other: Namespace, other_name: str) -> None:
    """Connect two namespaces with a cable that is up at both ends."""
    one.ip(f"link add {name} type veth peer name {other_name} netns {other.path}")
    one.ip(f"link set {name} up")
    other.ip(f"link set {other_name} up")


def available() -> bool:
    """Whether this process may make network namespaces."""
    try:
        os.close(_create())
    except PermissionError:
        return False
    return True


def _create() -> int:
    """A descriptor of a new namespace. A thread makes it, so that the caller stays where it is."""
    made: list[int | OSError] = []

    def make() -> None:
        if _libc.unshare(CLONE_NEWNET):
            number = ctypes.get_errno()
            made.append(OSError(number, os.strerror(number)))
            return
        # A file of this thread: it says "task", for the process is still at home.
        place = Path("/proc/self/task", str(threading.get_native_id()), "ns/net")
        made.append(os.open(place, os.O_RDONLY | os.O_CLOEXEC))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    (result,) = made
    if isinstance(result, OSError):
        raise result
    return result


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
