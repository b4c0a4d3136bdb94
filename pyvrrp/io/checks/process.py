"""Processes: are there enough of a name, and not too many?"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pyvrrp.core.settings import CheckSettings, ProcessProbe
from pyvrrp.io.checks.check import Outcome, Prober
from pyvrrp.io.checks.worker import Worker

PROC: Final = Path("/proc")
NAME_MAX: Final = 15  # bytes that the kernel keeps of a process's name
FOLLOWED_MAX: Final = 64  # processes whose death is heard of at once, for a descriptor each


class ProcessProber(Prober):
    """Looks through /proc. The death of a process that was found is heard of at once, a birth at the next run."""

    def __init__(self, probe: ProcessProbe, settings: CheckSettings) -> None:
        super().__init__(settings)
        self._probe = probe
        self._name = os.fsencode(probe.process)
        self._arguments = None if probe.arguments is None else [os.fsencode(each) for each in probe.arguments]
        self._worker = Worker()
        self._pidfds: dict[int, int] = {}  # of the processes that are followed
        self._hurry: Callable[[], None] = lambda: None

    async def look(self) -> Outcome:
        """See Prober."""
        followed = tuple(self._pidfds)
        pids = await self._worker.do(lambda: self._find(followed))
        self._follow(pids)
        return self._verdict(len(pids))

    def overdue(self) -> Outcome:
        """See Prober."""
        return Outcome(False, f"/proc was not searched for {self._probe.process} in {self._timeout:g} s")

    def watch(self, hurry: Callable[[], None]) -> None:
        """See Prober."""
        self._hurry = hurry

    def close(self) -> None:
        """See Prober."""
        for pid in tuple(self._pidfds):
            self._forget(pid)

    def _verdict(self, count: int) -> Outcome:
        name, quorum, most = self._probe.process, self._probe.quorum, self._probe.quorum_max
        if count < quorum:
            return Outcome(False, f"{name} runs {count} times, not {quorum}" if count else f"{name} does not run")
        if most and count > most:
            return Outcome(False, f"{name} runs {count} times, more than {most}")
        return Outcome(True, f"{name} runs")

    # --- following ----------------------------------------------------------------------------------------------------

    def _follow(self, pids: list[int]) -> None:
        for pid in self._pidfds.keys() - set(pids):
            self._forget(pid)
        for pid in pids[:FOLLOWED_MAX]:
            if pid not in self._pidfds:
                with contextlib.suppress(OSError):  # gone already, which the next run will see
                    self._pidfds[pid] = os.pidfd_open(pid)
                    asyncio.get_running_loop().add_reader(self._pidfds[pid], self._died, pid)

    def _died(self, pid: int) -> None:
        self._forget(pid)
        self._hurry()

    def _forget(self, pid: int) -> None:
        pidfd = self._pidfds.pop(pid)
        asyncio.get_running_loop().remove_reader(pidfd)
        os.close(pidfd)

    # --- in a thread --------------------------------------------------------------------------------------------------

    def _find(self, followed: tuple[int, ...]) -> list[int]:
        """The processes that match; only those that were known already, where they are enough."""
        known = [pid for pid in followed if self._matches(PROC / str(pid))]
        if len(known) >= self._probe.quorum and not self._probe.quorum_max:
            return known
        return [int(place.name) for place in PROC.iterdir() if place.name.isdigit() and self._matches(place)]

    def _matches(self, place: Path) -> bool:
        """Whether it is such a process, and alive."""
        whole = self._probe.full_command
        with contextlib.suppress(OSError):  # it is gone
            if not whole and (place / "comm").read_bytes().removesuffix(b"\n") != self._name[:NAME_MAX]:
                return False
            if whole or self._arguments is not None:
                first, *rest = (place / "cmdline").read_bytes().removesuffix(b"\0").split(b"\0")
                if (whole and first != self._name) or self._arguments not in (None, rest):
                    return False
            # The state stands behind the name, in which there may be parentheses, too.
            return (place / "stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
        return False
