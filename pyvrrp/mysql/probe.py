"""Looks at one server all the time: a held connection whose end is heard, pings over it, and writes while asked to.

One question is under way at a time, and it is not asked anew while there is no answer: its connection stays open, so
that an answer that comes late counts when it comes, a server that hangs is not buried under connections, and one that
dies is heard. The kernel's news (the connection's end, the process's end) only hurry the next question: what a verdict
rests on is what comes of it, and a dead server refuses it in a tenth of a millisecond.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

from pyvrrp.core.settings import Account, ProbeSettings
from pyvrrp.mysql import lasting
from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.session import Row, Session
from pyvrrp.mysql.status import is_on
from pyvrrp.mysql.verdict import (
    Answered,
    Failed,
    Judge,
    ProcessEnded,
    Sample,
    Silent,
    Verdict,
    Word,
    WriteEnded,
    WriteWaits,
)

PING: Final = "SELECT @@global.read_only AS read_only, @@global.server_id AS server_id, VERSION() AS version"
WRITE: Final = (
    "INSERT INTO pyvrrp.heartbeat (server_id, beat, at) VALUES ({0}, 1, UNIX_TIMESTAMP(NOW(6)))"
    " ON DUPLICATE KEY UPDATE beat = beat + 1, at = UNIX_TIMESTAMP(NOW(6))"
)
# Whoever locks the row itself is no stall: the server's own word for it comes sooner than STALL.
WRITE_FIRST: Final = "SET SESSION innodb_lock_wait_timeout = 1"
# Not a SELECT, which makes a temporary file, on a disk that may be full.
DOING: Final = "SHOW PROCESSLIST"
FOR_REPLICA: Final = "Waiting for semi-sync ACK"

LOOK: Final = 0.3  # seconds after which the server is asked what it does with a write
SLICE: Final = 0.05  # seconds; how often a silence is measured, and so how exactly the agent's own lateness
QUESTION_PATIENCE: Final = 5.0  # seconds; then another connection is tried: this one's way may be what is lost
WRITE_PATIENCE: Final = 60.0
UNUSABLE_PAUSE: Final = 2.0  # seconds; each login that is denied grows Aborted_connects
# Seconds. A connection that ended says little of the server: another is made at once; one that dies closes its listener
# last.
PAUSES: Final = (0.0, 0.002, 0.01)
CREDENTIALS: Final = struct.Struct("3i")  # SO_PEERCRED: pid, uid, gid


class Watch:
    """The server of one account. `report` is called on the loop with each change of the verdict, and after each ping.

    `ping` may be shared for questions that are answered at once. Writes go over a session of their own while `writing`.
    """

    def __init__(self, account: Account, settings: ProbeSettings, report: Callable[[Verdict], None]) -> None:
        self.account = account
        self.ping = Session(account)
        self._writer = Session(account)
        self._settings = settings
        self._report = report
        self._judge = Judge(settings)
        self._ears = Ears(self._heard)
        self._news = asyncio.Event()
        self._writing = False
        self._wanted = asyncio.Event()  # writes are
        self._under_way = False  # a write is
        self.severed: int | None = None  # the server's number of the session whose write was under way in the end
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    @property
    def latest(self) -> Verdict:
        """The last verdict."""
        return self._judge.verdict

    @property
    def writing(self) -> bool:
        """Whether the server is asked to write, too."""
        return self._writing

    @writing.setter
    def writing(self, wanted: bool) -> None:
        if wanted == self._writing:
            return
        self._writing = wanted
        if wanted:
            self._wanted.set()
            self.severed = None
        else:
            self._wanted.clear()
            # A write under way would stand in the way of SET GLOBAL read_only. One that waits does not hear of this.
            self.severed = self._writer.thread_id if self._under_way else None
            self._writer.sever()

    def start(self) -> None:
        """Ask now, and every interval from then on. Inside the running loop."""
        loop = asyncio.get_running_loop()
        self._ears.open(loop)
        self._tasks = (lasting.begin(loop, self._pings(loop)), lasting.begin(loop, self._writes(loop)))

    def hurry(self) -> None:
        """Ask now: there is news."""
        self._news.set()

    def kill(self) -> bool:
        """End the server's process at once; False where it is not known, or not this agent's to end."""
        return self._ears.kill()

    def close(self) -> None:
        """No report comes after this."""
        for task in self._tasks:
            task.cancel()
        self._tasks = ()
        self._ears.close()
        for session in (self.ping, self._writer):
            session.sever()
            session.close()

    # --- pings --------------------------------------------------------------------------------------------------------

    async def _pings(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            began = loop.time()
            self._news.clear()
            await self._round(loop)
            pause = self._settings.interval if self._asks_on() else UNUSABLE_PAUSE
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, began + pause - loop.time())):
                    await self._news.wait()

    def _asks_on(self) -> bool:
        """Whether the next ping costs the server nothing but an answer."""
        return self.latest.usable or self.latest.word is not Word.UP

    async def _round(self, loop: asyncio.AbstractEventLoop) -> None:
        sample = await self._ask(loop)
        for pause in PAUSES:
            if not (isinstance(sample, Failed) and sample.error.kind is Kind.CLOSED):
                break
            await asyncio.sleep(pause)
            sample = await self._ask(loop)
        self._hear(sample, always=True)

    async def _ask(self, loop: asyncio.AbstractEventLoop) -> Sample:
        asking = _begin(loop, self.ping.ask(PING, within=QUESTION_PATIENCE))
        try:
            async for waited in _waiting(loop, asking):
                self._hear(Silent(loop.time(), waited))
            row = asking.result()[0]
        except DatabaseError as error:
            return Failed(loop.time(), error)
        finally:
            asking.cancel()
        pid = self._ears.listen(self.ping.fileno(), self.ping.connections)
        return Answered(loop.time(), is_on(row["read_only"]), str(row["version"]), int(row["server_id"]), pid)

    def _heard(self, *, process: bool) -> None:
        """The connection or the process ended."""
        if process:
            self._hear(ProcessEnded(asyncio.get_running_loop().time()))
        self.ping.drop()  # after a question that is under way, and has just failed
        self.hurry()

    def _hear(self, sample: Sample, *, always: bool = False) -> None:
        before = self._judge.verdict
        verdict = self._judge.hear(sample)
        if always or verdict.word is not before.word:
            self._report(verdict)

    # --- writes -------------------------------------------------------------------------------------------------------

    async def _writes(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            await self._wanted.wait()
            began = loop.time()
            if self.latest.usable and not self.latest.read_only:
                await self._write(loop)
            await asyncio.sleep(max(0.0, began + self._settings.interval - loop.time()))

    async def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        statement = WRITE.format(self.latest.server_id)
        writing = _begin(loop, self._ask_to_write(statement))
        self._under_way = True
        silence = 0.0
        asked = 0.0
        try:
            async for waited in _waiting(loop, writing):
                silence += waited
                if silence - asked >= (LOOK if asked == 0.0 else self._settings.interval):
                    asked = silence
                    await self._look_at_write(loop, silence)
            writing.result()
            self._hear(WriteEnded(loop.time()))
        except DatabaseError as error:
            self._hear(WriteEnded(loop.time(), error if self._writing else None))
        finally:
            self._under_way = False
            writing.cancel()

    async def _ask_to_write(self, statement: str) -> list[Row]:
        await self._writer.ask(WRITE_FIRST, within=QUESTION_PATIENCE)  # connects, too
        return await self._writer.ask(statement, within=WRITE_PATIENCE)

    async def _look_at_write(self, loop: asyncio.AbstractEventLoop, silence: float) -> None:
        """What the server says it does with the write that has had no answer."""
        number = self._writer.thread_id
        if number is None or not self.latest.usable:  # it is not even connected: what that means the pings find out
            return
        try:
            rows = await self.ping.ask(DOING, within=self._settings.timeout)
        except DatabaseError:
            return
        row = _thread(rows, number)
        if row is not None:
            # Whole seconds: up to one more. Where this agent was late to ask, it knows better.
            seconds = min(silence, int(row["Time"] or 0) + 1.0)
            self._hear(WriteWaits(loop.time(), seconds, str(row["State"] or "")))


class Ears:
    """What the kernel says of the held connection and of the server's process, without a wake-up for anything else."""

    def __init__(self, heard: Callable[..., None]) -> None:
        self._heard = heard
        self._loop: asyncio.AbstractEventLoop | None = None
        self._epoll: select.epoll | None = None
        self._connection: int | None = None
        self._pid: int | None = None
        self._process: int | None = None  # pidfd

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin."""
        # The session's own thread reads from the connection; an epoll of our own can be deaf to what arrives there.
        self._loop, self._epoll = loop, select.epoll()
        loop.add_reader(self._epoll.fileno(), self._connection_ended)

    def listen(self, descriptor: int | None, number: int) -> int | None:
        """Hear of the end of this connection, its session's `number`th, and of its server; its pid when it is here."""
        if self._epoll is None or descriptor is None or number == self._connection:
            return self._pid
        with contextlib.suppress(FileExistsError, OSError):  # closed meanwhile: the next ping tells
            # The descriptor itself and no duplicate, which would keep a connection open that the session has closed.
            self._epoll.register(descriptor, select.EPOLLRDHUP | select.EPOLLET)
            self._connection = number
            self._listen_to_process(_peer(descriptor))
        return self._pid

    def close(self) -> None:
        """Hear no more."""
        if self._loop is not None and self._epoll is not None:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
        self._forget_process()
        self._loop = self._epoll = None

    def kill(self) -> bool:
        """SIGKILL to the server's process, and to no other that has its number by now."""
        if self._process is None:
            return False
        try:
            signal.pidfd_send_signal(self._process, signal.SIGKILL)
        except OSError:  # not permitted, or ended just now
            return False
        return True

    def _listen_to_process(self, pid: int | None) -> None:
        if pid == self._pid or self._loop is None:
            return
        self._forget_process()
        if pid is None:
            return
        try:
            self._process = os.pidfd_open(pid)
        except OSError:  # it has just ended, or an old kernel: the connection tells, too
            return
        self._pid = pid
        self._loop.add_reader(self._process, self._process_ended)

    def _forget_process(self) -> None:
        if self._process is not None:
            if self._loop is not None:
                self._loop.remove_reader(self._process)
            os.close(self._process)
        self._process = self._pid = None

    def _connection_ended(self) -> None:
        if self._epoll is not None and self._epoll.poll(0):
            self._heard(process=False)

    def _process_ended(self) -> None:
        self._forget_process()
        self._heard(process=True)


def _begin(loop: asyncio.AbstractEventLoop, asking: Coroutine[Any, Any, list[Row]]) -> asyncio.Task[list[Row]]:
    """A task that may fail after nobody waits for it any more."""
    task = loop.create_task(asking)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


async def _waiting(loop: asyncio.AbstractEventLoop, task: asyncio.Task[list[Row]]) -> AsyncIterator[float]:
    """Until the task is done: the time that went by, piece by piece, without what this agent was late itself."""
    while True:
        began = loop.time()
        await asyncio.wait({task}, timeout=SLICE)
        if task.done():
            return
        yield min(loop.time() - began, SLICE)


def _thread(rows: list[Row], number: int) -> Row | None:
    """What the write's thread does; None when it is done.

    Whoever commits beside others waits for the replica under another name than the first of them.
    """
    own = next((row for row in rows if int(row["Id"]) == number and row["Command"] != "Sleep"), None)
    if own is None:
        return None
    return next((row for row in rows if str(row["State"] or "").startswith(FOR_REPLICA)), own)


def _peer(descriptor: int) -> int | None:
    """The pid of the process that listens at the other end of a Unix socket; None for others, and in a container."""
    with socket.socket(fileno=os.dup(descriptor)) as sock:
        if sock.family != socket.AF_UNIX:
            return None
        pid, _, _ = CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))
    return int(pid) if pid > 1 else None  # 1: systemd listened for it
