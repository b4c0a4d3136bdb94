"""Programs that others wrote: started without a shell, watched by a descriptor, ended with all that they started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import subprocess
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Final, Self

from pyvrrp.core.settings import Command
from pyvrrp.errors import ScriptError
from pyvrrp.identity import identity, own

Environment = Iterable[tuple[str, str]]
_Started = tuple[subprocess.Popen[bytes], int]  # a process, and a descriptor of it

PATIENCE: Final = 2.0  # seconds from SIGTERM to SIGKILL, as in keepalived
OPEN_FILES: Final = 1024  # the soft limit that programs expect; the daemon raised its own


class Program:
    """A running program, at the head of a session of its own."""

    def __init__(self, process: subprocess.Popen[bytes], pidfd: int) -> None:
        """For `start`."""
        self._process = process
        self._gone = asyncio.Event()
        self._pidfd = pidfd
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(pidfd, self._notice)

    @classmethod
    async def start(cls, command: Command, environment: Environment = ()) -> Self:
        """Start it, with `environment` on top of our own. Raises ScriptError with a sentence.

        Not in the loop: it takes as long as the program's disk.
        """
        future: Future[_Started] = Future()
        future.set_running_or_notify_cancel()  # from now on nobody can cancel it
        try:
            # A thread of a pool would be waited for when the daemon ends.
            threading.Thread(target=_start_for, args=(future, command, environment), daemon=True).start()
        except RuntimeError as error:
            raise ScriptError(f"cannot run {command}: {error}") from error
        return cls(*await asyncio.wrap_future(future))

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return not self._gone.is_set()

    async def ended(self) -> int:
        """Its exit status once it has ended; a negative one is the signal that ended it."""
        await self._gone.wait()
        return self._process.wait()

    async def end(self, patience: float = PATIENCE) -> None:
        """Ask it and its children to end (SIGTERM); what is still there when it has, or after `patience`, is killed."""
        self._signal(signal.SIGTERM)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gone.wait(), patience)
        finally:  # the daemon may have no time for patience
            self._signal(signal.SIGKILL)
        await self.ended()

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:  # else its number and its group's may be others' by now
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, number)

    def _notice(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._gone.set()


def how_it_ended(status: int) -> str:
    """A status of `Program.ended` in words."""
    return f"ended with status {status}" if status >= 0 else f"was ended by {signal.Signals(-status).name}"


def _start_for(future: Future[_Started], command: Command, environment: Environment) -> None:
    """The thread's work."""
    try:
        future.set_result(_start(command, environment))
    except Exception as error:  # noqa: BLE001  # the one who waits gets it
        future.set_exception(error)


def _start(command: Command, environment: Environment) -> _Started:
    """Raises ScriptError."""
    # What this thread blocks the program would block, and not hear of SIGTERM.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        who = identity(command.user, command.group)
        other = who != own()
        process = subprocess.Popen(
            command.words,
            env=os.environ | dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            # Where they are our own Python uses vfork, which is cheaper: only this thread waits for the disk.
            user=who.uid if other else None,
            group=who.gid if other else None,
            extra_groups=[who.gid] if other else None,
        )
    except (OSError, LookupError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        as_whom = f" as user {command.user}" if command.user else ""
        raise ScriptError(f"cannot run {command}{as_whom}: {reason}") from error
    with contextlib.suppress(OSError):  # it has become another user's, or has ended
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (min(OPEN_FILES, most), most))
    try:
        return process, os.pidfd_open(process.pid)
    except OSError as error:
        process.kill()
        process.wait()
        raise ScriptError(f"cannot run {command}: {error.strerror}") from error
