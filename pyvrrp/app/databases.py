"""The servers behind instances: a keeper for each, and the channel to the other node's agent.

None of it is loaded before a configuration has a database or a channel. What was asked of an instance last is kept, so
that a keeper which a reload replaces is told again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pyvrrp.app.posts import Keeper, Post
from pyvrrp.app.refusing import Refusing
from pyvrrp.core.effects import CloseWrites, Invite, Level, OpenWrites, Record, RefuseConnections
from pyvrrp.core.events import Event, Invited, Vacant, WritesOpened, WritesRefused
from pyvrrp.core.settings import (
    Address,
    ChannelSettings,
    DatabaseSettings,
    InstanceSettings,
    NodeSettings,
)
from pyvrrp.core.succession import predecessors
from pyvrrp.errors import ChannelError, ControlError

if TYPE_CHECKING:
    from pyvrrp.io.channel import Channel, Object, Reply
    from pyvrrp.mysql.published import Published

DatabaseEffect = OpenWrites | CloseWrites | RefuseConnections | Invite

LISTEN: Final = 0.1  # seconds between two looks at whether the active node was heard
AT_LAST: Final = 10.0  # seconds for writes that could not be closed in time, when the daemon ends
LAST_WORDS: Final = 2.0  # seconds that letting go of servers may take
PUBLISHED, INVITE, CALLED_OFF = "published", "invite", "called off"  # words of the channel
LEFT: Final = "left"  # and a question
ANSWER: Final = 0.1  # seconds within which the other node says whether it has left
MANNED: Final = 5.0  # seconds within which there is a keeper for what is to be opened
SETTLES: Final = 0.5  # seconds for two that became MASTER together to agree who is: adverts do that


Make = Callable[[Post, Callable[[Event], None], Callable[["Published"], None]], Awaitable[Keeper]]


class Databases:
    """See the module. `report` takes the keepers' events, `last_heard` says when an instance's master spoke last,
    `withheld` whether it has none and does not take over.

    `refuse` has new connections to these addresses of an instance answered with a reset, and is called in a thread.
    """

    def __init__(
        self,
        report: Callable[[Event], None],
        last_heard: Callable[[str], float | None],
        withheld: Callable[[str], bool],
        refuse: Callable[[str, Sequence[Address]], None],
        write: Callable[[Record], None],
        make: Make | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._report = report
        self._last_heard = last_heard
        self._withheld = withheld
        self.refusing = Refusing(refuse, write)
        self._write = write
        self._make = make or self._make_keeper
        self._posts: dict[str, Post] = {}
        self._wishes: dict[str, OpenWrites | CloseWrites] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._moved = asyncio.Condition()
        self._name = ""
        self._instances: tuple[InstanceSettings, ...] = ()
        self._channel: Channel | None = None
        self._channel_for: tuple[ChannelSettings, object] | None = None
        self._changing_channel = asyncio.Lock()
        self._answers: dict[str, Reply] = {}
        self._listening: asyncio.TimerHandle | None = None
        self._closed = False

    # --- what is there ------------------------------------------------------------------------------------------------

    def want(self, settings: NodeSettings) -> None:
        """Have a keeper for each database of the settings, and their channel. After the core has the settings."""
        self._name = settings.router_id
        wanted = {each.name: each.database for each in settings.instances if each.database is not None}
        known, self._instances = predecessors(self._instances, settings.instances), settings.instances
        for post in self._posts.values():
            post.leaving |= post.instance not in wanted
        for name, database in wanted.items():
            before = self._posts.get(known[name].name) if name in known else None
            post = self._post(name, database, settings.state_directory, before)
            if post.manned_for != post.wanted:
                self._spawn(self._man(post))
        if settings.channel is not None or self._channel_for is not None:
            self._spawn(self._connect(settings.channel))
        if wanted and self._listening is None:
            self._listen()

    def tidy(self) -> None:
        """Let go of those whose instances have handed over."""
        for post in [each for each in self._posts.values() if each.leaving]:
            del self._posts[post.instance]
            self._wishes.pop(post.instance, None)
            if post.keeper is not None:
                self._spawn(post.keeper.close())

    def answer(self, questions: Mapping[str, Reply]) -> None:
        """What the other node's agent may ask. Before the first `want`."""
        self._answers |= questions

    @property
    def names(self) -> tuple[str, ...]:
        """The instances that have a database."""
        return tuple(name for name, post in self._posts.items() if not post.leaving)

    def post(self, instance: str) -> Post:
        """Raises ControlError when there is none, or nobody is there now."""
        if instance not in self.names:
            raise ControlError(f"{instance} has no database")
        return self._posts[instance]

    def keeper(self, instance: str) -> Keeper:
        """Raises ControlError."""
        keeper = self.post(instance).keeper
        if keeper is None:
            raise ControlError(f"nobody looks after the database of {instance} just now")
        return keeper

    @property
    def channel(self) -> Channel:
        """Raises ControlError when none is configured."""
        if self._channel is None:
            raise ControlError("there is no channel to the other node's agent: none is configured")
        return self._channel

    @property
    def channel_is_up(self) -> bool:
        """Whether the other agent can be asked."""
        return self._channel is not None and self._channel.up

    def channel_status(self) -> dict[str, object] | None:
        """What status shows of it; None when none is configured."""
        if self._channel is None:
            return None
        settings = self._channel.settings
        return {
            "address": settings.peer,
            "port": settings.port,
            "up": self._channel.up,
            "node": self._channel.peer,
            "trouble": "" if self._channel.up else self._channel.trouble,
            "counters": asdict(self._channel.counters),
        }

    # --- what the core asks for ---------------------------------------------------------------------------------------

    def perform(self, effect: DatabaseEffect) -> None:
        """Have it done; nothing is waited for."""
        match effect:
            case OpenWrites() | CloseWrites():
                self._wishes[effect.instance] = effect
                post = self._posts.get(effect.instance)
                if post is not None:
                    post.opened = None
                    if isinstance(effect, OpenWrites) and self.channel_is_up:
                        self._spawn(self._open_alone(post, effect))
                    else:
                        self._pass_on(post)
            case RefuseConnections(instance, addresses):
                self.refusing.want(instance, addresses)
            case Invite(instance):
                if self._channel is not None:
                    self._channel.send(
                        INVITE, {"instance": instance, "by": self._name, "why": self.to_be_closed(instance) or ""}
                    )

    def to_be_closed(self, instance: str) -> str | None:
        """Why the core wants its writes closed; None while it wants them open."""
        wish = self._wishes.get(instance)
        return wish.reason if isinstance(wish, CloseWrites) else None

    def call_off(self, instance: str) -> None:
        """Tell the other node's agent that the switchover it was asked about does not take place."""
        if self._channel is not None:
            self._channel.send(CALLED_OFF, {"instance": instance})

    async def opened(self, instance: str) -> float:
        """Wait until its writes are open; when that was."""
        async with self._moved:
            while (at := self.post(instance).opened) is None:
                await self._moved.wait()
            return at

    # --- the end ------------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Let go of servers as they are, and then of the channel."""
        self._closed = True
        self.refusing.stop()
        if self._listening is not None:
            self._listening.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(post.keeper.shut(AT_LAST) for post in self._posts.values() if post.keeper is not None))
        keepers = [post.keeper.close() for post in self._posts.values() if post.keeper is not None]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                await asyncio.gather(*keepers)
        await self.refusing.finish(LAST_WORDS)
        if self._channel is not None:
            await self._channel.close()

    # --- keepers ------------------------------------------------------------------------------------------------------

    def _post(self, name: str, database: DatabaseSettings, directory: str, before: Post | None) -> Post:
        """`before` is the post of the instance that goes on as this one."""
        post = self._posts.get(name)
        if post is None:
            post = Post(name, database, directory)
            if before is not None and before.leaving:
                post.elder = before
            self._inherit(post)
            self._posts[name] = post
        elif post.leaving:  # its core begins anew, with terms of its own
            post.manned_for = None
        post.settings, post.directory, post.leaving = database, directory, False
        return post

    def _inherit(self, heir: Post) -> None:
        """An instance that goes on under another name is not told again by its core what it was told."""
        for post in self._posts.values():
            wish = self._wishes.get(post.instance)
            if post.leaving and wish is not None and post.settings.account == heir.settings.account:
                self._wishes.setdefault(heir.instance, replace(wish, instance=heir.instance))
                heir.opened, heir.opened_on, heir.opened_for = post.opened, post.opened_on, post.opened_for
                keeper = post.keeper
                opens = isinstance(wish, OpenWrites) and post is not heir.elder
                if opens and keeper is not None:  # else it opens again what the heir's closes
                    post.keeper = None
                    self._spawn(keeper.close())

    async def _man(self, post: Post) -> None:
        """Put a keeper in the place of the one before, or of none. One whose writes are lent stays until they are given
        back: its successor would not know of it, and open them."""
        while post.manned_for != post.wanted:
            if (lent := _lent(post)) is not None:
                async with lent:
                    continue
            wanted, post.manned_for = post.wanted, post.wanted
            before, post.keeper = post.keeper, None
            if post.opened_on != post.settings.account:
                post.opened = None  # another server
            if before is not None:
                await _dismiss(before, post.settings)
            if (elder := post.elder) is not None:
                post.elder, keeper, elder.keeper = None, elder.keeper, None
                if keeper is not None:
                    await _dismiss(keeper, post.settings)
                await self._loop.run_in_executor(None, self._remember_as, elder, post)
            made = await self._make(post, self._tell, self._publish)
            if wanted != post.wanted:
                await made.close()
                continue
            post.keeper = made
            made.start()
            self._pass_on(post)

    def _remember_as(self, elder: Post, heir: Post) -> None:
        """In a thread."""
        from pyvrrp.mysql.memory import hand_on

        try:
            hand_on((elder.directory, elder.instance), (heir.directory, heir.instance))
        except (OSError, ValueError) as error:
            record = Record(Level.ERROR, heir.instance, f"what was remembered of {elder.instance} is lost: {error}")
            self._loop.call_soon_threadsafe(self._write, record)

    async def _make_keeper(
        self, post: Post, tell: Callable[[Event], None], publish: Callable[[Published], None]
    ) -> Keeper:
        await self._loop.run_in_executor(None, _ready, post.directory)
        from pyvrrp.mysql.keeper import Keeper as MysqlKeeper
        from pyvrrp.mysql.memory import Memory

        def failed(text: str) -> None:  # in a thread, too
            record = Record(Level.ERROR, post.instance, f"not remembered: {text}")
            self._loop.call_soon_threadsafe(self._write, record)

        memory = await self._loop.run_in_executor(None, Memory, post.directory, post.instance, failed)
        return MysqlKeeper(post.instance, self._name, post.settings, tell, self._write, publish, memory)

    def _pass_on(self, post: Post) -> None:
        wish = self._wishes.get(post.instance)
        if post.keeper is None or wish is None:
            if isinstance(wish, OpenWrites):
                self._loop.call_later(MANNED, self._unless_manned, post, wish)
            return
        if isinstance(wish, OpenWrites) and post.opened is not None:
            post.keeper.adopt(wish)
            if wish.term != post.opened_for:  # its core has asked anew, as it is called otherwise now
                self._tell(WritesOpened(post.instance, wish.term, "its writes were open already"))
        elif isinstance(wish, OpenWrites):
            post.keeper.open_writes(wish)
        else:
            post.keeper.close_writes(wish)

    def _unless_manned(self, post: Post, effect: OpenWrites) -> None:
        """A MASTER waits for its server without its address: not for ever where a disk hangs that a keeper needs."""
        if post.keeper is None and self._wishes.get(post.instance) is effect:
            reason = f"nobody could look after its server for {MANNED:g} s (does a disk hang?)"
            self._tell(WritesRefused(effect.instance, effect.term, reason))

    async def _open_alone(self, post: Post, effect: OpenWrites) -> None:
        """Have it opened, unless the other agent says that it is MASTER: only its adverts are lost.

        One that is about to open counts too, as nobody knows when it will have; an order is an order.
        """
        deadline, answer = self._loop.time() + SETTLES, await self._ask_left(effect.instance)
        while _about_to_open(answer) and not effect.forced and self._loop.time() < deadline:
            await asyncio.sleep(SETTLES / 20)
            answer = await self._ask_left(effect.instance)
        if self._wishes.get(effect.instance) is not effect:
            return
        if answer.get("open") is True or (_about_to_open(answer) and not effect.forced):
            state = "its writes are open" if answer.get("open") is True else "about to open its writes"
            reason = f"the other node says over the channel that it is MASTER, and {state}"
            if post.keeper is not None:
                post.keeper.refuse(effect, reason)
            else:
                self._tell(WritesRefused(effect.instance, effect.term, reason))
        else:
            self._pass_on(post)

    async def _ask_left(self, instance: str) -> Object:
        """What the other agent says of itself now; nothing when it says nothing."""
        with contextlib.suppress(ControlError, ChannelError):
            return await self.channel.ask(LEFT, {"instance": instance}, ANSWER)
        return {}

    def _tell(self, event: Event) -> None:
        """In a turn of its own: a keeper may answer while it is asked."""
        self._loop.call_soon(self._deliver, event)

    def _deliver(self, event: Event) -> None:
        if self._closed:
            return
        if isinstance(event, WritesRefused):
            wish = self._wishes.get(event.instance)
            if isinstance(wish, OpenWrites) and wish.term == event.term:  # no keeper is to try that again
                self._wishes[event.instance] = CloseWrites(event.instance, event.term, event.reason)
        self._report(event)
        if isinstance(event, WritesOpened):
            wish, post = self._wishes.get(event.instance), self._posts.get(event.instance)
            if post is not None and isinstance(wish, OpenWrites) and wish.term == event.term:
                post.opened, post.opened_on = self._loop.time(), post.settings.account
                post.opened_for = event.term
                self._spawn(self._wake())

    async def _wake(self) -> None:
        async with self._moved:
            self._moved.notify_all()

    def _publish(self, published: Published) -> None:
        post = self._posts.get(published.instance)
        if post is not None:
            post.own = published
        if self._channel is not None:
            self._channel.send(PUBLISHED, asdict(published))

    def _listen(self) -> None:
        """Tell keepers of the adverts of the active node."""
        for post in self._posts.values():
            at = self._last_heard(post.instance)
            if at is not None and at != post.heard and post.keeper is not None:
                post.heard = at
                post.keeper.heard()
        self._listening = self._loop.call_later(LISTEN, self._listen)

    # --- the channel --------------------------------------------------------------------------------------------------

    async def _connect(self, settings: ChannelSettings | None) -> None:
        async with self._changing_channel:
            wanted = None
            if settings is not None:
                wanted = settings, await self._loop.run_in_executor(None, _identity, settings.key_file)
            if wanted == self._channel_for:
                return
            channel, self._channel = self._channel, None
            if channel is not None:
                await channel.close()
            self._channel_for = wanted
            if settings is not None:
                from pyvrrp.io.channel import Channel

                words = {
                    PUBLISHED: self._hear_published,
                    INVITE: self._hear_invitation,
                    CALLED_OFF: self._hear_called_off,
                }
                self._channel = Channel(settings, self._name, words, self._answers, self._say)
                self._channel.start()

    def _hear_published(self, about: Object) -> None:
        from pyvrrp.mysql.published import Published

        published = Published.from_data(about)
        post = self._posts[published.instance]
        post.other, post.heard_of = published, self._loop.time()
        if post.keeper is not None:
            post.keeper.told(published)
        if published.writes == "closed" and self._withheld(published.instance):
            self._spawn(self._fill(published.instance, published.node))

    def _hear_invitation(self, about: Object) -> None:
        instance, by, why = str(about["instance"]), str(about["by"]), str(about.get("why", ""))
        if instance in self._posts:
            self._spawn(self._accept(instance, f"{by} ({why})" if why else by))

    def _hear_called_off(self, about: Object) -> None:
        keeper = self._posts[str(about["instance"])].keeper
        if keeper is not None:
            keeper.handover.called_off()

    async def _accept(self, instance: str, by: str) -> None:
        """Follow an invitation if it still holds: who was not run, or waited for a lost segment, hears it late.

        The other node may be MASTER again by then. Without its answer VRRP's priority 0 says the same a little later.
        """
        if await self._is_not_master(instance):
            self._report(Invited(instance, by))

    async def _fill(self, instance: str, by: str) -> None:
        """Nobody is master, and silence alone is no reason here to be it: the other agent's word is."""
        if await self._is_not_master(instance):
            self._report(Vacant(instance, by))

    async def _is_not_master(self, instance: str) -> bool:
        """Whether the other agent says so, and just now."""
        asked = self._loop.time()
        answer = await self._ask_left(instance)
        return answer.get(LEFT) is True and self._loop.time() - asked <= ANSWER

    def _say(self, level: Level, text: str) -> None:
        self._write(Record(level, "", text))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _about_to_open(answer: Mapping[str, object]) -> bool:
    """Whether the other one is MASTER, and its writes are not open now."""
    return answer.get(LEFT) is False and answer.get("open") is not True


def _lent(post: Post) -> asyncio.Lock | None:
    """What is held while a switchover has writes closed that whoever looks after this post's server opened."""
    return next((each.lent for each in (post, post.elder) if each is not None and each.lent.locked()), None)


async def _dismiss(keeper: Keeper, wanted: DatabaseSettings) -> None:
    """Another one comes in its place, for its server or another."""
    await (keeper.close() if keeper.account == wanted.account else keeper.leave())


def _ready(directory: str) -> None:
    """What may take a moment: the libraries, and a disk."""
    import pyvrrp.mysql.keeper  # noqa: F401

    if directory:
        with contextlib.suppress(OSError):  # what cannot be remembered is told of then
            Path(directory).mkdir(mode=0o700, parents=True, exist_ok=True)


def _identity(name: str) -> object:
    """What changes with the file."""
    try:
        found = os.stat(name)  # noqa: PTH116
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
