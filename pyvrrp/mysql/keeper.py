"""The keeper of the server behind one instance: opens and closes its writes when the core says so, keeps it that way
meanwhile, and reports what it is fit for.

One task takes one step after the other: what was ordered last, else a round of looking. A new order ends the step that
is under way, whatever it is, so that closing never waits for an opening; and of what an older one still says to the
server the newer one has the last word (see Server.gate). Before the first order the server is looked at and not
touched.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from pyvrrp.core.effects import CloseWrites, Level, OpenWrites, Record
from pyvrrp.core.events import DatabaseReport, Event, WritesClosed, WritesOpened, WritesRefused
from pyvrrp.core.settings import Account, DatabaseSettings
from pyvrrp.mysql import lasting, rejoining
from pyvrrp.mysql.closing import Closed
from pyvrrp.mysql.errands import Errands
from pyvrrp.mysql.failure import DatabaseError
from pyvrrp.mysql.handover import Handover
from pyvrrp.mysql.memory import Memory
from pyvrrp.mysql.opening import RefusedError, Wish, beyond, leave_out, open_writes
from pyvrrp.mysql.other import DEAD, Other
from pyvrrp.mysql.privileges import Privileges
from pyvrrp.mysql.probe import Watch
from pyvrrp.mysql.published import Published
from pyvrrp.mysql.remarks import Remarks
from pyvrrp.mysql.returning import Returning
from pyvrrp.mysql.semisync import Roles
from pyvrrp.mysql.server import Server
from pyvrrp.mysql.standing import Standing
from pyvrrp.mysql.status import Picture, SemiSync
from pyvrrp.mysql.verdict import Verdict, Word
from pyvrrp.mysql.writes import Writes

Order = OpenWrites | CloseWrites

LAST_QUESTION: Final = 0.1  # seconds for the source's last position
LOOK: Final = 1.0  # seconds for each thing that a round asks of the server
NOT_AGAIN: Final = 10.0  # seconds after a refusal without another try
AGAIN: Final = 0.1  # seconds between two tries to close it
LAST_WORD: Final = 0.5  # seconds that a statement may take which nobody waits for any more
SAME: Final = 2.0  # seconds after which it is reported that nothing has changed
STOP: Final = 0.3  # seconds for replica threads to stop: one that connects to nobody may take as long as that takes


class Keeper:
    """See the module. Everything is called on the loop; answers come through `tell`."""

    def __init__(
        self,
        instance: str,
        node: str,
        settings: DatabaseSettings,
        tell: Callable[[Event], None],
        write: Callable[[Record], None],
        publish: Callable[[Published], None],
        memory: Memory,
    ) -> None:
        self.instance = instance
        self._settings = settings
        self._tell = tell
        self._write = write
        self._publish = publish
        self._loop = asyncio.get_running_loop()
        self._server = Server(settings.account)
        self._other = Other(settings.peer)
        self._watch = Watch(settings.account, settings.probe, self._judged)
        self._standing = Standing(instance, node, settings, memory, self._other, self._loop.time())
        self._writes = Writes(self._server, self._watch, settings, self._say)
        ours = settings.semi_sync == "auto"
        self._roles = Roles(self._server, self._say, ours=ours)
        self._returning = Returning(self._server, self._other, self._standing, self._say, acknowledges=ours)
        self._privileges = Privileges(self._server, self._standing)
        self._errands = Errands(self._interrupt)
        self.handover = Handover(
            self._server, self._writes, self._standing, self._errands, lambda: self._watch.latest, self._is_open
        )
        self._order: Order | None = None
        self._done: Order | None = None
        self._wake = asyncio.Event()
        self._step: asyncio.Task[None] | None = None
        self._life: asyncio.Task[None] | None = None
        self._closed = False
        self._failure = ""
        self._both_open = False
        self._shut_in_vain = False
        self._looked = -LOOK
        self._reported: DatabaseReport | None = None
        self._reported_at = 0.0
        self._remarks = Remarks()

    @property
    def account(self) -> Account:
        """Of its server."""
        return self._settings.account

    # --- what it is told ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to look after the server."""
        self._watch.start()
        self._life = lasting.begin(self._loop, self._live())

    async def close(self) -> None:
        """Let go of the server as it is. What it is just told it does before another keeper tells it something."""
        if self._closed:
            return
        self._closed = True
        await self._end()
        await asyncio.gather(self._server.idle(LAST_WORD), self._standing.memory.written(LAST_WORD))
        self._watch.close()
        self._server.close()
        self._other.close()
        self._standing.memory.close()

    async def shut(self, within: float) -> None:
        """The daemon ends. Writes that could not be closed in time are closed now that no address waits for it."""
        if not isinstance(self._order, CloseWrites) or self._standing.writes != "closing":
            return
        await self._end()
        deadline = self._loop.time() + within
        closed = Closed(complete=False)
        while self._settings.demote.read_only and self._watch.latest.usable and not closed.complete:
            if (left := deadline - self._loop.time()) <= 0:
                break
            closed = await self._writes.close(min(LOOK, left), still=False, again=True)
            if not closed.complete and closed.seconds < LOOK / 2:  # not held up: haste does not mend it
                await asyncio.sleep(AGAIN)
        level = Level.NOTICE if closed.complete else Level.ERROR
        self._say(level, f"once more, before the agent ends: {closed}")

    async def leave(self) -> None:
        """Let go of a server that is this instance's no more: its writes are closed, as far as that can be done."""
        await self._end()
        standing, demote = self._standing, self._settings.demote
        if standing.was_open or standing.writes in {"opening", "closing"}:
            self._writes.are_to_close()
            closed = await self._writes.close(demote.timeout, still=False, by_force=False)
            level = Level.NOTICE if closed.complete else Level.ERROR
            self._say(level, f"another server has come in the place of {self.account}: {closed}")
        await self.close()

    async def _end(self) -> None:
        """No step is taken any more."""
        tasks = [task for task in (self._life, self._step) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._errands.close()

    def open_writes(self, effect: OpenWrites) -> None:
        """Open the server's writes."""
        self._follow(effect)

    def adopt(self, effect: OpenWrites) -> None:
        """The keeper before this one has opened the server's writes: go on from there."""
        self._order = self._done = effect
        self._standing.adopted()
        self._writes.are_open()

    def refuse(self, effect: OpenWrites, reason: str) -> None:
        """Do not open the server's writes, nor for as long as the other one's agent says that its are."""
        self._order = self._done = effect
        self._standing.gives_way = True
        self._report()
        self._tell(WritesRefused(self.instance, effect.term, reason))

    def close_writes(self, effect: CloseWrites) -> None:
        """Close the server's writes."""
        self._writes.are_to_close()
        self._follow(effect)

    def told(self, published: Published) -> None:
        """The other node's agent says this of its server."""
        now = self._loop.time()
        with contextlib.suppress(ValueError):
            self._other.told(published, now)
        if published.writes == "open" and published.verdict not in DEAD:
            self._standing.pulse.heard(now)
        self._standing.told(published)
        self._report()
        lent = published.lent or self._writes.lent
        both = published.writes == "open" and self._standing.writes == "open" and not lent
        if both and not self._both_open:
            self._say(
                Level.ERROR, f"the writes of {published.node} are open too: whatever comes now may have to be mended"
            )
        self._both_open = both

    def heard(self) -> None:
        """The active node's agent gave a sign of life."""
        self._standing.heard(self._loop.time())

    def pause(self) -> None:
        """No takeover and no fault by verdict until `resume`."""
        self._remember(paused=True)

    def resume(self) -> bool:
        """Neither paused nor drained; whether it was."""
        was = self._standing.memory.now.paused or self._standing.memory.now.drained
        self._remember(paused=False, drained=False)
        return was

    def drain(self) -> None:
        """Not to be active until `resume`."""
        self._remember(drained=True)

    def acknowledge(self) -> bool:
        """The last failover was seen: no hold-down, and what was lost is known. Whether there was anything to see."""
        if not (self._standing.memory.now.failover or self._standing.memory.now.lost):
            return False
        self._standing.acknowledge()
        self._report()
        return True

    def copied(self) -> bool:
        """Its server was made a copy of the active one: what it had of its own is no more. Whether it had any."""
        was = bool(self._standing.errant)
        self._standing.copied()
        self._report()
        return was

    def lacking(self) -> tuple[str, ...]:
        """What the active server is last known to have had, and this one has not, as ranges: a takeover loses it."""
        last, picture = self._other.last, self._standing.picture
        if last is None or picture is None:
            return self._standing.missing()
        return beyond(last, picture, self._standing.replication)

    def _remember(self, **changes: bool) -> None:
        self._standing.memory.change(**changes)
        self._report()

    # --- steps --------------------------------------------------------------------------------------------------------

    def _follow(self, order: Order) -> None:
        if self._order is not None and order.term <= self._order.term:
            return
        self._order = order
        self._interrupt()

    def _interrupt(self) -> None:
        if self._step is not None:
            self._step.cancel()
        self._wake.set()

    async def _live(self) -> None:
        while True:
            self._wake.clear()
            self._step = self._loop.create_task(self._next())
            await asyncio.wait({self._step})
            if not self._step.cancelled() and (error := self._step.exception()) is not None:
                self._fail(error)
            if self._order is self._done:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.probe.interval):
                        await self._wake.wait()

    def _fail(self, error: BaseException) -> None:
        """A mistake of ours: said once, what was ordered is answered, and what was seen before is not believed."""
        order, self._standing.trouble = self._order, f"a mistake of pyvrrp's: {error!r}"
        if repr(error) != self._failure:
            self._failure = repr(error)
            self._say(Level.ERROR, f"this is a mistake of pyvrrp's: {error!r}")
        if order is None or order is self._done:
            self._report()
            return
        self._done = order
        self._standing.writes = "closing"  # the next round sees whether anybody can write
        self._report()
        if isinstance(order, OpenWrites):
            self._tell(WritesRefused(self.instance, order.term, self._failure))
        else:
            self._tell(WritesClosed(self.instance, order.term, self._failure, complete=False))

    async def _next(self) -> None:
        order = self._order
        if order is not self._done and order is not None:
            why = f"its writes are closed: {order.reason}" if isinstance(order, CloseWrites) else "they are opened"
            self._errands.give_up(why)
            await (self._open(order) if isinstance(order, OpenWrites) else self._close(order))
        elif self._errands.waiting:
            await self._errands.run()
        else:
            await self._look()
        self._report()
        self._speak()

    def _has_followed(self, order: Order) -> None:
        """Unless another one has come, and was answered, meanwhile (see refuse)."""
        if self._order is order:
            self._done = order

    def _is_open(self) -> bool:
        return isinstance(self._order, OpenWrites) and self._done is self._order

    # --- opening and closing ------------------------------------------------------------------------------------------

    async def _open(self, order: OpenWrites) -> None:
        standing = self._standing
        standing.opening()
        began = self._loop.time()
        try:
            opened = await open_writes(self._server, await self._wish(order))
        except (RefusedError, DatabaseError) as error:
            await self._refuse(order, error)
            return
        self._writes.are_open()
        if opened.missing:
            self._say(Level.WARNING, f"taken over without {', '.join(opened.missing)}: they are lost to clients")
        standing.opened(opened, self._loop.time(), forced=order.forced)
        self._other.judged()
        self._speak()
        whole = (self._loop.time() - began) * 1000
        self._has_followed(order)
        self._tell(WritesOpened(self.instance, order.term, f"{whole:.0f} ms: {opened.detail}"))

    async def _wish(self, order: OpenWrites) -> Wish:
        """A source that is alive, and did not say that it is closed, is asked how far it is: that is to come here."""
        picture, replication, now = self._standing.picture, self._standing.replication, self._loop.time()
        if replication is not None and replication.io == "Yes" and not self._other.told_closed(now):
            await self._other.ask_at_once(now, LAST_QUESTION)
        return Wish(
            self._settings.promote,
            channel=replication.channel if replication is not None else "",
            forced=order.forced,
            complete=self._standing.has_all(now),
            last=self._other.last or (self._other.known_gtids if order.forced or self._standing.gone() else None),
            alive=self._other.answers(now),
            safe=self._other.could_go_on(now),
            semi_sync=picture.semi_sync if picture is not None else SemiSync(),
            roles=self._settings.semi_sync == "auto",
            used=self._standing.used(),
            fallen_back=self._standing.fallen_back(),
        )

    async def _refuse(self, order: OpenWrites, error: RefusedError | DatabaseError) -> None:
        """It may be open already: the write that proves it is the last step. If not, its clients read, and go on."""
        closed = Closed(complete=True)
        if not await self._writes.are_closed(was_open=self._standing.was_open):
            closed = await self._writes.close(self._settings.demote.timeout, still=False)
        now = self._loop.time()
        self._standing.refused(str(error), closed, now, now + NOT_AGAIN)
        reason = str(error) if closed.complete else f"{error}; {closed}"
        self._report()
        self._has_followed(order)
        self._tell(WritesRefused(self.instance, order.term, reason))
        await self._receive_again()

    async def _close(self, order: CloseWrites) -> None:
        standing = self._standing
        interrupted, lent = standing.writes == "opening", self._writes.lent
        if await self._writes.are_closed(was_open=standing.was_open):
            closed = Closed(complete=True, trouble="was closed already")
        else:
            standing.writes = "closing"
            still = standing.was_open and not lent
            closed = await self._writes.close(self._settings.demote.timeout, still=still)
        standing.closed(closed, self._loop.time(), interrupted=interrupted)
        self._writes.lent = False
        # First what speaks against it as a standby, as the core looks for one, and what the other one must have.
        self._report()
        self._speak()
        self._has_followed(order)
        self._tell(WritesClosed(self.instance, order.term, str(closed), closed.complete))
        self._shut_in_vain = False
        self._hurry_after(closed)
        if interrupted:
            await self._receive_again()

    async def _receive_again(self) -> None:
        """What an opening that came to nothing had stopped. Not where nothing is applied: with the start of both
        threads a server may throw away what it has received."""
        replication = self._standing.replication
        try:
            picture = await self._server.glance(LOOK)
            now = next(
                (each for each in picture.replications if replication and each.channel == replication.channel), None
            )
            if now is not None and now.sql and now.io == "No":
                spoken = await self._server.dialect(LOOK)
                await self._server.ask(self._server.work, spoken.start_io(now.channel), within=LOOK)
        except DatabaseError as error:
            self._say(Level.WARNING, f"receiving could not be begun again: {error}")

    # --- a round of looking -------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        now = self._loop.time()
        if not self._watch.latest.usable:
            await self._other.ask(now)  # whether it has become active meanwhile
            self._standing.weigh()
            return
        try:
            is_open = not await self._server.read_only(LOOK)  # keeps the gate's connection warm, too
            could_not = isinstance(self._order, CloseWrites) and self._standing.writes == "closing"
            if is_open and could_not and self._settings.demote.read_only:
                await self._shut()  # first of all: each moment counts
                if self._shut_in_vain and now - self._looked < LOOK:
                    return  # nor is a round's length left to writers each time
            if self._is_open() and not self._writes.lent:
                await self._roles.release(self._standing.picture, now, alone=self._other.told_dead(now))
            await self._privileges.look(now)
            picture = await self._server.look(LOOK)
            self._looked = now
            self._standing.saw(picture, now)
            if self._order is None:
                await self._other.ask(now)
            elif isinstance(self._order, OpenWrites) and self._standing.writes == "open":
                await self._keep_open(picture)
            else:
                await self._keep_closed(picture, now)
        except DatabaseError as error:
            self._standing.trouble = str(error)
        else:
            self._standing.trouble = ""

    async def _keep_open(self, picture: Picture) -> None:
        if self._writes.lent:
            return
        if picture.read_only:
            self._say(
                Level.WARNING, "the active server was read_only, by somebody's order or a restart: it is opened again"
            )
            self._standing.left_out(await leave_out(self._server, picture, self._standing.used()))
            await self._server.set_writable(LOOK)
        elif self._standing.has_begun_anew(picture):
            self._say(
                Level.ERROR,
                "its binary log has begun anew (RESET MASTER): the other node has to be made a copy of it again",
            )
            self._standing.left_out(await leave_out(self._server, picture, self._standing.used()))
        await self._roles.lead(picture, alone=self._other.told_dead(self._loop.time()))
        replication = self._standing.replication
        if replication is not None and (replication.sql or replication.io != "No"):
            with contextlib.suppress(DatabaseError):  # tried again
                await rejoining.stop(self._server, replication, STOP)
        await self._other.ask(self._loop.time())
        self._standing.weigh()

    async def _shut(self) -> None:
        """Close what is open although it is not active. Said when it is first tried in vain, and when it is closed."""
        again = self._standing.writes == "closing"
        why = self._writes.why_open(could_not_be_closed=again)
        closed = await self._writes.close(self._settings.demote.timeout, still=False, again=again)
        if closed.complete or not self._shut_in_vain:
            self._say(Level.WARNING, f"{why}: {closed}")
        self._shut_in_vain = not closed.complete
        self._standing.writes = "closed" if closed.complete else "closing"
        self._hurry_after(closed)

    def _hurry_after(self, closed: Closed) -> None:
        """What a session held up is tried again at once: writers get through meanwhile. What failed by itself is not
        mended by haste."""
        if not closed.complete and closed.seconds >= self._settings.demote.timeout / 2:
            self._wake.set()

    async def _keep_closed(self, picture: Picture, now: float) -> None:
        if not picture.read_only and self._settings.demote.read_only:
            await self._shut()
        elif self._standing.writes == "closing":
            self._standing.writes = "closed"
        await self._other.ask(self._loop.time())
        self._standing.weigh()
        replication = self._standing.replication
        await self._roles.follow(picture)
        await self._returning.compare(picture, now)
        if not self._standing.planned(now):
            await self._roles.have_it_acknowledge(picture, replication, now)

    # --- what it says -------------------------------------------------------------------------------------------------

    def _judged(self, verdict: Verdict) -> None:
        if verdict.word is Word.DOWN:
            self._server.forget()
            self._privileges.forget()
        self._writes.judged(verdict)
        self._standing.judged(verdict)
        if verdict.usable and (self._standing.writes == "closing" or self._standing.picture is None):
            self._wake.set()  # it could not be closed, and is back, its clients too; or nobody has looked at it yet
        self._report()

    def _report(self) -> None:
        report = self._standing.report(self._loop.time())
        if report != self._reported or self._loop.time() - self._reported_at > SAME:
            self._reported, self._reported_at = report, self._loop.time()
            self._tell(report)
        if (said := self._remarks.about(report, self._loop.time())) is not None:
            self._say(Level.NOTICE if said.fit else Level.WARNING, said.text)

    def _speak(self) -> None:
        self._publish(self._standing.published(self._loop.time()))

    def _say(self, level: Level, text: str) -> None:
        self._write(Record(level, self.instance, text))
