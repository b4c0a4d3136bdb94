"""A machine of its own for programs that read a keepalived.conf: a thread in private namespaces.

    with Sandbox() as sandbox:
        sandbox.call(verdict, file)  # runs in there, and what it starts too

It is called "lab", has the interfaces below, an empty /run but for the scripts of FURNITURE, and no user
keepalived_script. Everything else is the caller's, /tmp too.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final, ParamSpec, Self, TypeVar

from tests.netns import CLONE_NEWNET

P = ParamSpec("P")
T = TypeVar("T")

NAME: Final = "lab"
INTERFACES: Final = {
    "eth0": "10.9.0.1/24",
    "eth1": "198.51.100.1/24",
    "eth2": "203.0.113.1/24",
    "eth3": "192.0.2.1/24",
    "eth0.1": "10.9.1.1/24",
}
TEXTS: Final = Path("/run/conf")  # in the sandbox

CLONE_NEWNS: Final = 0x00020000
CLONE_NEWUTS: Final = 0x04000000
COMMAND_TIMEOUT: Final = 10  # seconds

FURNITURE: Final = f"""
hostname {NAME}
mount --make-rprivate /
mount -t tmpfs -o mode=755 none /run
grep -v '^keepalived_script:' /etc/passwd > /run/passwd
mount --bind /run/passwd /etc/passwd

mkdir -p {TEXTS} /run/fifo /run/track /run/scripts/open
for script in good writable plain open/good; do
    printf '#!/bin/sh\\nexit 0\\n' > /run/scripts/$script.sh
    chmod 755 /run/scripts/$script.sh
done
chmod 777 /run/scripts/writable.sh /run/scripts/open
chmod 644 /run/scripts/plain.sh
"""

_libc = ctypes.CDLL(None, use_errno=True)


class Sandbox:
    """To be used in a `with` statement. Raises PermissionError where namespaces cannot be made."""

    def __init__(self) -> None:
        # Namespaces are a thread's: this one never comes back from them.
        self._thread = ThreadPoolExecutor(1, "sandbox")
        try:
            self.call(_enter)
        except BaseException:
            self.close()
            raise

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `function` returns, or raises, when it runs in there."""
        return self._thread.submit(function, *args, **kwargs).result()

    def place(self, name: str, text: str | bytes) -> Path:
        """Write a configuration where only those in there find it; its path."""
        return self.call(_place, name, text if isinstance(text, bytes) else text.encode())

    def close(self) -> None:
        """End the thread; with it go its namespaces, once no process is left in them."""
        self._thread.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def fresh_network() -> None:
    """Inside a sandbox: leave everything behind that a program did to the network."""
    _unshare(CLONE_NEWNET)
    links = "".join(
        f"link add {name} type veth peer name port-{name}\nlink set port-{name} up\nlink set {name} up\n"
        f"addr add {address} dev {name}\n"
        for name, address in INTERFACES.items()
    )
    _run(["ip", "-batch", "-"], f"link set lo up\n{links}")


def _enter() -> None:
    _unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET)
    _run(["sh", "-e"], FURNITURE)
    fresh_network()


def _place(name: str, text: bytes) -> Path:
    file = TEXTS / f"{name}.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text)
    return file


def _unshare(namespaces: int) -> None:
    if _libc.unshare(namespaces):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _run(command: list[str], text: str) -> None:
    subprocess.run(command, input=text, text=True, check=True, timeout=COMMAND_TIMEOUT)
