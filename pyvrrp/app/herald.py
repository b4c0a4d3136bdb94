"""The herald: whoever wants to know hears what changed, from a script, a pipe or a mail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace

from pyvrrp.core.effects import Level, Notify
from pyvrrp.core.settings import Command, Fifo, NodeSettings
from pyvrrp.errors import ScriptError
from pyvrrp.io.fifo import FifoWriter
from pyvrrp.io.mail import Mailer
from pyvrrp.io.scripts import LAST_PATIENCE, ScriptQueue
from pyvrrp.program import PATIENCE, Program, how_it_ended

_LAST_WORDS = 1.0  # seconds for a script, the reader of a pipe and the mails when the daemon ends, as keepalived has it
_LAST_SECONDS = 5.0  # for all of them


class Herald:
    """Tells what it is told to those who are wanted. `report` takes log lines. To be made inside a running loop."""

    def __init__(self, script_timeout: float, report: Callable[[Level, str], None]) -> None:
        self._report = report
        self._scripts = ScriptQueue(script_timeout, report)
        self._pipes: dict[Fifo, _Pipe] = {}
        self._mailer: Mailer | None = None
        self._retiring: set[asyncio.Task[None]] = set()

    def want(self, settings: NodeSettings) -> None:
        """Tell exactly those of `settings` from now on. A pipe that has not changed stays open."""
        self._scripts.limit = settings.script_timeout
        for fifo, pipe in list(self._pipes.items()):
            if fifo not in settings.fifos or not pipe.writer.intact:
                del self._pipes[fifo]
                pipe.writer.close()
                self._retire(pipe.dismiss_reader(_LAST_WORDS, PATIENCE))
        for fifo in settings.fifos:
            if fifo not in self._pipes:
                self._pipes[fifo] = _Pipe(fifo, self._report)
            self._pipes[fifo].engage_reader()
        if self._mailer is not None and self._mailer.settings != settings.mail:
            self._retire(self._mailer.drain(self._mailer.settings.timeout))
            self._mailer = None
        if self._mailer is None and settings.mail is not None:
            self._mailer = Mailer(settings.mail, self._report)

    def tell(self, notify: Notify) -> None:
        """Tell of one change. Never blocks."""
        if notify.line:
            for fifo, pipe in self._pipes.items():
                if (notify.family == "vrrp" and fifo.vrrp) or (notify.family == "lvs" and fifo.lvs):
                    pipe.writer.write(notify.line)
        for command in notify.commands:
            self._scripts.put(notify.subject, command, notify.environment)
        if notify.mail is not None and self._mailer is not None:
            self._mailer.send(notify.mail)

    async def close(self) -> None:
        """Let what was told last arrive, and let go of everything; that takes a few seconds at most."""
        self._retire(self._scripts.drain(_LAST_WORDS))
        for pipe in self._pipes.values():
            pipe.writer.close()
            self._retire(pipe.dismiss_reader(_LAST_WORDS, LAST_PATIENCE))
        if self._mailer is not None:
            self._retire(self._mailer.drain(_LAST_WORDS))
        await asyncio.wait(self._retiring, timeout=_LAST_SECONDS)

    def _retire(self, ending: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(ending)
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)


class _Pipe:
    """A FIFO, and the script that is started to read it."""

    def __init__(self, fifo: Fifo, report: Callable[[Level, str], None]) -> None:
        self.writer = FifoWriter(fifo, report)
        self._report = report
        self._script = fifo.script and replace(fifo.script, words=(*fifo.script.words, fifo.path))
        self._reading: asyncio.Task[None] | None = None
        self._reader: Program | None = None
        self._dismissed = False

    def engage_reader(self) -> None:
        """Start the script if there is one that does not run. keepalived starts it again at a reload only, too."""
        if self._script is not None and self.writer.intact and (self._reading is None or self._reading.done()):
            self._reading = asyncio.get_running_loop().create_task(self._read(self._script))

    async def dismiss_reader(self, seconds: float, patience: float) -> None:
        """Let it read to the end of the pipe, which is closed; one that does not end by itself then is ended."""
        if self._reading is None:
            return
        self._dismissed = True
        await asyncio.wait({self._reading}, timeout=seconds)
        if self._reader is not None and self._reader.runs:
            await self._reader.end(patience)

    async def _read(self, script: Command) -> None:
        try:
            self._reader = await Program.start(script)
        except ScriptError as error:
            self._report(Level.ERROR, str(error))
            return
        if self._dismissed:  # meanwhile
            await self._reader.end()
        how = how_it_ended(await self._reader.ended())
        if not self._dismissed:
            self._report(Level.WARNING, f"{script} {how}; the next reload starts it again")
