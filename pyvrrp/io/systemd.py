"""What systemd is told (sd_notify(3)). Without systemd every function does nothing."""

from __future__ import annotations

import contextlib
import os
import socket
import time


def ready(status: str = "") -> None:
    """Start-up, or a reload, is complete."""
    _notify("READY=1", f"STATUS={status}")


def reloading() -> None:
    """A reload begins; `ready` ends it. Type=notify-reload wants the time in the same datagram."""
    _notify("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")


def stopping() -> None:
    """The daemon is about to end."""
    _notify("STOPPING=1")


def watchdog() -> None:
    """The daemon is alive."""
    _notify("WATCHDOG=1")


def watchdog_interval() -> float | None:
    """Seconds between calls of `watchdog`: half of what systemd allows. None when it does not watch this process."""
    allowed = os.environ.get("WATCHDOG_USEC", "")
    if not allowed.isdecimal() or int(allowed) == 0:
        return None
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(allowed) / 2_000_000


def _notify(*assignments: str) -> None:
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    text = "\n".join(word.replace("\n", " ") for word in assignments)
    # systemd restarting, or gone, is no reason to stop being a router.
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as sock,
    ):
        sock.sendto(text.encode(), address)
