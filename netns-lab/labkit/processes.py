"""Processes by pid and start time: a pid alone may belong to somebody else by the time it is used."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """One process, for as long as it lives. `started` is in clock ticks since boot, as /proc counts."""

    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """Whether it still runs; a zombie does not."""
        return _start_time(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Signal it, and nobody else; nothing happens when it is gone."""
        # The pidfd pins the process: what is checked after opening it is what gets the signal.
        with contextlib.suppress(ProcessLookupError), _pidfd(self.pid) as descriptor:
            if self.alive:
                signal.pidfd_send_signal(descriptor, number)

    def wait_gone(self, seconds: float) -> bool:
        """Wait until it has ended; False when it has not within `seconds`."""
        try:
            with _pidfd(self.pid) as descriptor:
                if not self.alive:
                    return True
                readable, _, _ = select.select([descriptor], [], [], seconds)
        except ProcessLookupError:
            return True
        return bool(readable)


def this_process() -> Process:
    """The process that asks."""
    return identify(os.getpid())


def identify(pid: int) -> Process:
    """The process that has this pid now. Raises ProcessLookupError."""
    started = _start_time(pid)
    if started is None:
        raise ProcessLookupError(pid)
    return Process(pid, started)


def start(argv: Sequence[str], log: Path) -> Process:
    """Start a process in a session of its own, so that Ctrl-C is not for it; its output goes to the end of `log`."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    started = _start_time(child.pid)
    # A child that has ended already is identified by a time that no living process has.
    process = Process(child.pid, -1 if started is None else started)
    _own_children[child.pid] = child
    return process


def tree(root: Process) -> list[Process]:
    """The process and all its descendants, parents first; empty when it is gone."""
    if not root.alive:
        return []
    parents = {pid: parent for pid in _all_pids() if (parent := _parent(pid)) is not None}
    found = [root]
    for process in found:  # grows while it is walked
        for pid, parent in parents.items():
            if parent == process.pid:
                with contextlib.suppress(ProcessLookupError):
                    found.append(identify(pid))
    return found


def kill(processes: Iterable[Process], seconds: float = 10.0) -> None:
    """SIGKILL them all as if at one moment, and wait until they are gone.

    They are stopped first, so that none of them acts on the death of another: keepalived's parent restarts a child,
    and its child removes the VIP when the parent dies.
    """
    victims = list(processes)
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for victim in victims:
            victim.send(number)
    deadline = time.monotonic() + seconds
    for victim in victims:
        victim.wait_gone(max(0.0, deadline - time.monotonic()))
    _reap()


_own_children: dict[int, subprocess.Popen[bytes]] = {}


def _reap() -> None:
    for pid, child in list(_own_children.items()):
        if child.poll() is not None:
            del _own_children[pid]


@contextlib.contextmanager
def _pidfd(pid: int) -> Iterator[int]:
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _all_pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the third on (the second may contain anything); None when there is none."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _start_time(pid: int) -> int | None:
    fields = _stat(pid)
    return None if fields is None or fields[0] in "ZX" else int(fields[19])


def _parent(pid: int) -> int | None:
    fields = _stat(pid)
    return None if fields is None else int(fields[1])
