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
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from pyvrrp.core.effects import CloseWrites, Level, OpenWrites, Record
from pyvrrp.core.events import DatabaseReport, Event, WritesClosed, WritesOpened, WritesRefused
from pyvrrp.core.settings import DatabaseSettings
from pyvrrp.mysql import lasting, plan, rejoining, semisync
from pyvrrp.mysql.closing import Closed, close
from pyvrrp.mysql.comparing import ByPlace
from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.memory import Memory
from pyvrrp.mysql.opening import RefusedError, Wish, beyond, open_writes
from pyvrrp.mysql.other import Other
from pyvrrp.mysql.probe import Watch
from pyvrrp.mysql.published import Published
from pyvrrp.mysql.remarks import Remarks
from pyvrrp.mysql.server import Server
from pyvrrp.mysql.standing import Standing
from pyvrrp.mysql.status import Picture, Replication, SemiSync, understood
from pyvrrp.mysql.verdict import Verdict, Word

Order = OpenWrites | CloseWrites

LAST_QUESTION: Final = 0.1  # seconds for the source's last position
LOOK: Final = 1.0  # seconds for each statement of a round
PLANNED: Final = 15.0  # seconds for which a takeover is expected after a switchover's question
NOT_AGAIN: Final = 10.0  # seconds after a refusal without another try
REACH_PAUSE: Final = 0.005
LAST_WORD: Final = 0.5  # seconds that a statement may take which nobody waits for any more
STOP: Final = 0.3  # seconds for replica threads to stop: one that connects to nobody may take as long as that takes
GRANTS: Final = 60.0  # seconds between two looks at the account's privileges
GRANTS_LACKING: Final = 3.0  # the same while some are missing
ROLES: Final = 10.0  # seconds between two restarts of an IO thread that does not acknowledge


@dataclass(frozen=True, slots=True)
class SteppedDown:
    """Its writes are closed for a switchover: all that it has, sessions killed, seconds that it took."""

    position: str
    killed: int
    seconds: float


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
        self._by_place = ByPlace(self._server, self._other)
        self._watch = Watch(settings.account, settings.probe, self._judged)
        self._standing = Standing(instance, node, settings, memory, self._other, self._loop.time())
        self._order: Order | None = None
        self._done: Order | None = None
        self._errand: tuple[Callable[[], Awaitable[None]], asyncio.Future[None]] | None = None
        self._wake = asyncio.Event()
        self._step: asyncio.Task[None] | None = None
        self._life: asyncio.Task[None] | None = None
        self._closed = False
        self._failure = ""
        self._both_open = False
        self._grants_unread, self._grants_read = True, 0.0
        self._roles_tried = -ROLES
        self._fallbacks: int | None = None
        self._stepped_down = False
        self._reported: DatabaseReport | None = None
        self._remarks = Remarks()

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
        tasks = [task for task in (self._life, self._step) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._errand is not None and not self._errand[1].done():
            self._errand[1].set_exception(_over())
        await asyncio.gather(self._server.idle(LAST_WORD), self._standing.memory.written(LAST_WORD))
        self._watch.close()
        self._server.close()
        self._other.close()
        self._standing.memory.close()

    def open_writes(self, effect: OpenWrites) -> None:
        """Open the server's writes."""
        self._follow(effect)

    def adopt(self, effect: OpenWrites) -> None:
        """The keeper before this one has opened the server's writes: go on from there."""
        self._order = self._done = effect
        self._standing.adopted()
        self._watch.writing = self._settings.probe.write

    def refuse(self, effect: OpenWrites, reason: str) -> None:
        """Do not open the server's writes, nor for as long as the other one's agent says that its are."""
        self._order = self._done = effect
        self._standing.gives_way = True
        self._report()
        self._tell(WritesRefused(self.instance, effect.term, reason))

    def close_writes(self, effect: CloseWrites) -> None:
        """Close the server's writes."""
        self._watch.writing = False  # a heartbeat under way stands in the way of read_only
        self._follow(effect)

    def told(self, published: Published) -> None:
        """The other node's agent says this of its server."""
        now = self._loop.time()
        with contextlib.suppress(ValueError):
            self._other.told(published, now)
        if published.writes == "open":
            self._standing.pulse.heard(now)
        self._standing.told(published)
        both = published.writes == "open" and self._standing.writes == "open"
        if both and not self._both_open:
            self._say(
                Level.ERROR, f"the writes of {published.node} are open too: whatever comes now may have to be mended"
            )
        self._both_open = both
        if self._standing.gives_way:
            self._report()

    def heard(self) -> None:
        """The active node's agent gave a sign of life."""
        self._standing.pulse.heard(self._loop.time())

    def pause(self) -> None:
        """No takeover and no fault by verdict until `resume`."""
        self._remember(paused=True)

    def resume(self) -> None:
        """Neither paused nor drained."""
        self._remember(paused=False, drained=False)

    def drain(self) -> None:
        """Not to be active until `resume`."""
        self._remember(drained=True)

    def acknowledge(self) -> None:
        """The last failover was seen: no hold-down, and what was lost is known."""
        self._standing.acknowledge()
        self._report()

    def _remember(self, **changes: bool) -> None:
        self._standing.memory.change(**changes)
        self._report()

    # --- a planned switchover -----------------------------------------------------------------------------------------

    async def objections(self) -> tuple[str, ...]:
        """What of this server, as the active one, speaks against a switchover. Raises DatabaseError."""
        clients, ages = await self._server.clients(LOOK), await self._server.transactions(LOOK)
        active = plan.Active(self._watch.latest, tuple(clients), ages, self._settings.keep_users)
        found = plan.objections(active, ())
        if (await self._server.look(LOOK)).has:
            return found
        return (*found, "the active node: it has no position that the other one could reach (log_bin is off)")

    def as_target(self) -> tuple[str, ...]:
        """What keeps this server from being a switchover's target: what was ordered is no failover by itself."""
        return self._standing.against(self._loop.time(), ordered=True)

    def lacking(self) -> tuple[str, ...]:
        """What the active server is last known to have had, and this one has not, as ranges: a takeover loses it."""
        last, picture = self._other.last, self._standing.picture
        return () if last is None or picture is None else beyond(last, picture, self._standing.replication)

    async def step_down(self, within: float) -> SteppedDown:
        """Close writes while the order to have them open stands. Raises DatabaseError; then they are open again."""
        down: list[SteppedDown] = []

        async def errand() -> None:
            self._stepped_down = True
            self._watch.writing = False
            closed = await self._close_server(within, still=True, by_force=False)
            if not closed.complete or not closed.position:  # without it nobody can say what the other one must have
                await self._reopen()
                raise DatabaseError(Kind.SQL, 0, str(closed))
            down.append(SteppedDown(closed.position, len(closed.killed), closed.seconds))

        if not isinstance(self._order, OpenWrites) or self._done is not self._order:
            raise DatabaseError(Kind.SQL, 0, "its writes are not open")
        await self._run(errand)
        return down[0]

    async def step_back(self) -> None:
        """Open again what step_down closed. Raises DatabaseError."""

        async def errand() -> None:
            if isinstance(self._order, OpenWrites) and self._stepped_down:
                await self._reopen()

        await self._run(errand)

    async def reach(self, position: str, within: float) -> None:
        """Wait until all of that is applied here. Raises DatabaseError."""
        now = self._loop.time()
        deadline = now + within
        self._standing.expect(now + PLANNED)
        while True:
            picture = await self._server.glance(max(deadline - self._loop.time(), REACH_PAUSE))
            missing = _missing(picture, position)
            if not missing:
                return
            if self._loop.time() >= deadline:
                raise DatabaseError(Kind.TIMED_OUT, 0, f"{', '.join(missing)} not applied in {within:g} s")
            await asyncio.sleep(REACH_PAUSE)

    async def survey(self) -> Picture:
        """The server as it is now. Raises DatabaseError."""
        return await self._server.look(LOOK)

    async def _reopen(self) -> None:
        await self._server.set_writable(LOOK)
        self._stepped_down = False
        self._standing.writes = "open"
        self._watch.writing = self._settings.probe.write

    async def _run(self, errand: Callable[[], Awaitable[None]]) -> None:
        """As a step of its own."""
        if self._closed:
            raise _over()
        if self._errand is not None:
            raise DatabaseError(Kind.SQL, 0, "a switchover is under way")
        done: asyncio.Future[None] = self._loop.create_future()
        self._errand = errand, done
        self._interrupt()
        try:
            await done
        finally:
            self._errand = None

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
        order, errand = self._order, self._errand
        if order is not self._done and order is not None:
            if errand is not None and not errand[1].done():
                errand[1].set_exception(DatabaseError(Kind.SQL, 0, "something else was ordered meanwhile"))
            await (self._open(order) if isinstance(order, OpenWrites) else self._close(order))
        elif errand is not None and not errand[1].done():
            await self._run_errand(*errand)
        else:
            await self._look()
        self._report()
        self._speak()

    async def _run_errand(self, errand: Callable[[], Awaitable[None]], done: asyncio.Future[None]) -> None:
        try:
            await errand()
        except DatabaseError as error:
            if not done.done():
                done.set_exception(error)
        else:
            if not done.done():
                done.set_result(None)

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
        self._stepped_down = False
        self._watch.writing = self._settings.probe.write
        if opened.missing:
            self._say(Level.WARNING, f"taken over without {', '.join(opened.missing)}: they are lost to clients")
        standing.opened(opened, self._loop.time(), forced=order.forced)
        self._other.forget()
        self._speak()
        whole = (self._loop.time() - began) * 1000
        self._done = order
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
            last=self._other.last,
            alive=self._other.answers(now),
            safe=self._other.could_go_on(now),
            semi_sync=picture.semi_sync if picture is not None else SemiSync(),
            roles=self._settings.semi_sync == "auto",
        )

    async def _refuse(self, order: OpenWrites, error: RefusedError | DatabaseError) -> None:
        """It may be open already: the write that proves it is the last step. If not, its clients read, and go on."""
        closed = Closed(complete=True)
        if not await self._is_closed():
            closed = await self._close_server(self._settings.demote.timeout, still=False)
        missing = error.missing if isinstance(error, RefusedError) else ()
        self._standing.refused(str(error), missing, closed, self._loop.time() + NOT_AGAIN)
        reason = str(error) if closed.complete else f"{error}; {closed}"
        self._report()
        self._done = order
        self._tell(WritesRefused(self.instance, order.term, reason))
        await self._receive_again()

    async def _close(self, order: CloseWrites) -> None:
        standing = self._standing
        interrupted, down = standing.writes == "opening", self._stepped_down
        if await self._is_closed():
            closed = Closed(complete=True, trouble="was closed already")
        else:
            standing.writes = "closing"
            still = standing.was_open and not down
            closed = await self._close_server(self._settings.demote.timeout, still=still)
        standing.closed(closed, self._loop.time(), interrupted=interrupted)
        self._stepped_down = False
        # First what speaks against it as a standby, as the core looks for one, and what the other one must have.
        self._report()
        self._speak()
        self._done = order
        self._tell(WritesClosed(self.instance, order.term, str(closed), closed.complete))
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

    async def _is_closed(self) -> bool:
        """It has not been open since it was closed: its clients read, and are left alone."""
        if self._standing.was_open or self._watch.latest.word in {Word.DOWN, Word.HUNG}:
            return False
        try:
            return await self._server.read_only(self._settings.demote.timeout / 2)
        except DatabaseError:
            return False

    async def _close_server(self, within: float, *, still: bool, by_force: bool = True) -> Closed:
        """Close it, `by_force` too if it does not let itself be asked and that is allowed."""
        demote, verdict = self._settings.demote, self._watch.latest
        if verdict.word is Word.DOWN and verdict.conclusive:
            return Closed(complete=True, trouble=f"nothing can write: it {verdict.evidence}")
        if verdict.word is Word.HUNG:
            closed = Closed(complete=False, trouble=f"it {verdict.evidence}")
        elif not demote.read_only:
            return Closed(complete=False, trouble="demote.read_only is false")
        else:
            closed = await close(
                self._server, within=within, kill=demote.kill_sessions, keep=self._settings.keep_users, still=still
            )
        if closed.complete or not by_force or demote.on_failure != "kill-server":
            return closed
        return self._kill_server(closed)

    def _kill_server(self, closed: Closed) -> Closed:
        if not self._watch.kill():
            return Closed(complete=False, killed=closed.killed, trouble=f"{closed.trouble}; its process is not known")
        self._say(Level.WARNING, f"mysqld was killed: {closed.trouble}")
        return Closed(complete=True, killed=closed.killed, trouble=f"mysqld was killed: {closed.trouble}")

    # --- a round of looking -------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        now = self._loop.time()
        if not self._watch.latest.usable:
            return
        try:
            if self._grants_unread or now - self._grants_read >= (GRANTS_LACKING if self._standing.lacking else GRANTS):
                await self._read_grants(now)
            await self._server.read_only(LOOK)  # keeps the gate's connection warm
            picture = await self._server.look(LOOK)
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
        if self._stepped_down:
            return
        if picture.read_only:
            self._say(Level.WARNING, "somebody has set read_only on the active server: it is opened again")
            await self._server.set_writable(LOOK)
        self._notice_fallbacks(picture)
        if self._settings.semi_sync == "auto":
            self._note(await semisync.lead(self._server, picture, LOOK))
        replication = self._standing.replication
        if replication is not None and (replication.sql or replication.io != "No"):
            with contextlib.suppress(DatabaseError):  # tried again
                await rejoining.stop(self._server, replication, STOP)

    async def _read_grants(self, now: float) -> None:
        before, self._standing.lacking = self._standing.lacking, await self._server.lacking(LOOK)
        self._grants_unread, self._grants_read = False, now
        if before and before != self._standing.lacking:
            self._server.renew()  # a connection keeps the privileges that it began with

    def _notice_fallbacks(self, picture: Picture) -> None:
        """Commits that no longer wait for the standby are acknowledged without being there."""
        before, self._fallbacks = self._fallbacks, picture.semi_sync.fallbacks
        if before is not None and picture.semi_sync.fallbacks > before and picture.semi_sync.source:  # else it was us
            self._say(Level.WARNING, "semi-sync: fallen back to asynchronous, the standby did not acknowledge in time")

    async def _keep_closed(self, picture: Picture, now: float) -> None:
        if not picture.read_only and self._settings.demote.read_only:
            closed = await self._close_server(self._settings.demote.timeout, still=False)
            self._say(Level.WARNING, f"somebody has opened the writes of a server that is not active: {closed}")
            self._standing.writes = "closed" if closed.complete else "closing"
        elif self._standing.writes == "closing":
            self._standing.writes = "closed"
        await self._other.ask(self._loop.time())
        replication = self._standing.replication
        if self._settings.semi_sync == "auto":
            await semisync.follow(
                self._server, picture, LOOK
            )  # before it begins to replicate: its source counts it then
        await self._rejoin(picture, now)
        if self._settings.semi_sync == "auto" and not self._standing.planned(now):
            await self._have_it_acknowledge(picture, replication, now)

    async def _have_it_acknowledge(self, picture: Picture, replication: Replication | None, now: float) -> None:
        if now - self._roles_tried < ROLES or not semisync.is_silent(picture, replication):
            return
        self._roles_tried = now
        await semisync.restart(self._server, replication, LOOK)
        self._note("acknowledges what it receives from now on")

    async def _rejoin(self, picture: Picture, now: float) -> None:
        """Compare with the active one; after each occasion, once, follow it when nothing is here that it has not."""
        standing, seen = self._standing, self._other.seen
        if standing.was_reset:  # it would begin with the active one's first transaction
            standing.compared = None
            return
        if picture.gtids is None:
            await self._rejoin_by_place(picture, now)
            return
        before, at = standing.compared or (picture, now)
        if seen is None or not seen.open or seen.since <= at or seen.position is None:
            standing.compared = before, at
            return
        standing.compared = picture, now
        found = plan.rejoin(before, standing.replication, seen.position, ordered=seen.ordered)
        await self._judge(picture, found, now, unmoved=before.gtids == picture.gtids)

    async def _rejoin_by_place(self, picture: Picture, now: float) -> None:
        standing, seen = self._standing, self._other.seen
        if seen is not None and seen.open:
            found = await self._by_place.compare(picture, standing.replication, now, urgent=standing.to_rejoin)
            if found is not None:
                await self._judge(picture, found, now, unmoved=True)

    async def _judge(self, picture: Picture, found: plan.Rejoin, now: float, *, unmoved: bool) -> None:
        """Do what follows from the comparison."""
        standing = self._standing
        if standing.errant and not found.errant:
            standing.to_rejoin = True  # it was made a copy again
        news, standing.errant = found.errant != standing.errant, found.errant
        if found.errant and news:
            await self._tell_of_errant(picture, found)
        if found.decision is plan.Return.ALREADY:
            standing.to_rejoin = False
        elif found.decision is plan.Return.UNKNOWN and found.reason != standing.unknown:
            self._say(Level.WARNING, f"does not replicate: {found.reason}")
        standing.unknown = found.reason if found.decision is plan.Return.UNKNOWN else ""
        if found.decision is plan.Return.START and unmoved and standing.to_rejoin and not standing.memory.now.paused:
            await self._follow_active(now)

    async def _follow_active(self, now: float) -> None:
        standing = self._standing
        replication = standing.replication
        if replication is None:
            return
        await rejoining.follow(self._server, replication)
        standing.to_rejoin = False
        standing.pulse.restart(now)
        self._say(Level.NOTICE, f"replicates from {replication.source}: it has nothing that the active server has not")

    async def _tell_of_errant(self, picture: Picture, found: plan.Rejoin) -> None:
        self._say(Level.ERROR, f"DIVERGED: {found.reason}; nothing is done about them, the operator decides")
        logs = await self._server.logs(LOOK)
        self._say(Level.ERROR, f"this shows them: {rejoining.showing(picture, found.errant, logs)}")

    def _note(self, change: str) -> None:
        if change:
            self._say(Level.INFO, f"semi-sync: {change}")

    # --- what it says -------------------------------------------------------------------------------------------------

    def _judged(self, verdict: Verdict) -> None:
        if verdict.word is Word.DOWN:
            self._server.forget()
            self._grants_unread = True
        self._standing.judged(verdict)
        if verdict.usable and (self._standing.writes == "closing" or self._standing.picture is None):
            self._wake.set()  # it could not be closed, and is back, its clients too; or nobody has looked at it yet
        self._report()

    def _report(self) -> None:
        report = self._standing.report(self._loop.time())
        if report != self._reported:
            self._reported = report
            self._tell(report)
        if (said := self._remarks.about(report, self._loop.time())) is not None:
            self._say(Level.NOTICE if said.fit else Level.WARNING, said.text)

    def _speak(self) -> None:
        self._publish(self._standing.published(self._loop.time()))

    def _say(self, level: Level, text: str) -> None:
        self._write(Record(level, self.instance, text))


def _over() -> DatabaseError:
    return DatabaseError(Kind.SQL, 0, "nobody looks after this server any more: the configuration has changed")


def _missing(picture: Picture, position: str) -> tuple[str, ...]:
    """What of the active one's position is not here, as ranges."""
    flavour = picture.flavour
    try:
        wanted = understood(flavour, position)
    except ValueError as error:
        raise DatabaseError(Kind.SQL, 0, str(error)) from None
    return beyond(wanted, picture, picture.replications[0] if picture.replications else None)
