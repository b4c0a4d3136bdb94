"""Two nodes with imaginary servers behind them: the real core, channel and orders, in real time, within one loop.

A server is a number of transactions; what one has committed the other one has too after its `lag`, while it replicates.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from pyvrrp.app.databases import Databases
from pyvrrp.app.orders import Orders
from pyvrrp.app.posts import Post
from pyvrrp.core.effects import (
    Action,
    CloseWrites,
    Invite,
    OpenWrites,
    Reconcile,
    Record,
    RefuseConnections,
    SendAdvert,
)
from pyvrrp.core.events import (
    AddressesChanged,
    AdvertReceived,
    DatabaseReport,
    DatabaseView,
    EffectDone,
    Event,
    LinkChanged,
    TimerDue,
    WritesClosed,
    WritesOpened,
    WritesRefused,
)
from pyvrrp.core.node import Node
from pyvrrp.core.settings import Account, Address, ChannelSettings, DatabaseSettings, NodeSettings, VirtualAddress
from pyvrrp.errors import ControlError
from pyvrrp.mysql.published import Published
from tests.simulation import VIP, instance

DATABASE = DatabaseSettings(Account(user="pyvrrp"))


@dataclass
class Server:
    """`rows` are transactions that it has; `applies`: what it received comes into effect."""

    rows: int = 0
    writable: bool = False
    applies: bool = True
    source: Server | None = None
    closes: bool = True  # whether read_only can be set
    opened: list[float] = field(default_factory=list)

    def write(self) -> bool:
        """A client's transaction; whether it is acknowledged."""
        self.rows += self.writable
        return self.writable

    def replicate(self) -> None:
        """What the source has comes here."""
        if self.source is not None and self.applies:
            self.rows = max(self.rows, self.source.rows)


@dataclass(frozen=True)
class Down:
    """What step_down yields."""

    position: str
    killed: int = 2
    seconds: float = 0.01


@dataclass(frozen=True)
class Seen:
    """What survey yields."""

    has: str


class Keeper:
    """A keeper of an imaginary server. `before` is called with the name of each procedure, and may end things."""

    def __init__(self, post: Post, machine: Machine, tell: Callable[[Event], None], publish: Any) -> None:
        self.post, self.tell, self.publish = post, tell, publish
        self.machine, self.name, self.server = machine, machine.name, machine.server
        self.against: tuple[str, ...] = ()
        self.faults: tuple[str, ...] = ()
        self.procedures: list[str] = []
        self.heard_at: list[float] = []
        self.wishes: list[OpenWrites | CloseWrites] = []
        self.orders: list[str] = []
        self.closed = False
        self.before: dict[str, Callable[[], None]] = {}
        self._stepped_down = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    @property
    def account(self) -> Account:
        return self.post.settings.account

    async def leave(self) -> None:
        await self.close()

    def called_off(self) -> None:
        self.orders.append("called off")

    async def close(self) -> None:
        self.closed = True
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            self.server.replicate()
            self.report()
            await asyncio.sleep(0.02)

    def report(self) -> None:
        writes = "open" if self.server.writable else "closed"
        view = DatabaseView("imaginary", "UP", writes=writes, position=str(self.server.rows), replication="running")
        self.tell(DatabaseReport(self.post.instance, self.faults, self.against, view))
        self.publish(
            Published(
                self.post.instance, self.name, writes, "UP", str(self.server.rows), "mariadb", False, self.against, 0
            )
        )

    def open_writes(self, effect: OpenWrites) -> None:
        self._do("open")
        self.wishes.append(effect)
        self.server.replicate()
        if self.against and not effect.forced:
            self.tell(WritesRefused(self.post.instance, effect.term, self.against[0]))
            return
        self.server.writable, self.server.source = True, None
        self.server.opened.append(asyncio.get_running_loop().time())
        self.tell(WritesOpened(self.post.instance, effect.term, "in no time"))

    def adopt(self, effect: OpenWrites) -> None:
        self.wishes.append(effect)

    def refuse(self, effect: OpenWrites, reason: str) -> None:
        self.against = (reason,)
        self.report()
        self.tell(WritesRefused(self.post.instance, effect.term, reason))

    def close_writes(self, effect: CloseWrites) -> None:
        self._do("close")
        self.wishes.append(effect)
        self.server.writable = self._stepped_down = False
        self.tell(WritesClosed(self.post.instance, effect.term, "in no time"))

    def told(self, published: Published) -> None:
        pass

    def heard(self) -> None:
        self.heard_at.append(asyncio.get_running_loop().time())

    @property
    def handover(self) -> Keeper:
        return self

    async def survey(self) -> Seen:
        return Seen(str(self.server.rows))

    async def objections(self) -> tuple[str, ...]:
        return ()

    def as_target(self) -> tuple[str, ...]:
        return self.against

    def lacking(self) -> tuple[str, ...]:
        source = self.server.source
        missing = source is not None and source.rows > self.server.rows
        return (f"{self.server.rows + 1}..{source.rows}",) if missing and source is not None else ()

    async def step_down(self, within: float) -> Down:
        await self._live("step_down")
        if not self.server.closes:
            raise ControlError(f"not closed in {within:g} s")
        self.server.writable, self._stepped_down = False, True
        await self._live("stepped_down")
        return Down(str(self.server.rows))

    async def step_back(self) -> None:
        await self._live("step_back")
        if not self._stepped_down:
            raise ControlError("there is no way back")
        self.server.writable, self._stepped_down = True, False

    async def reach(self, position: str, within: float) -> None:
        await self._live("reach")
        end = asyncio.get_running_loop().time() + within
        while self.server.rows < int(position):
            self.server.replicate()
            if asyncio.get_running_loop().time() > end:
                raise ControlError(f"at {self.server.rows}, the SQL thread is stopped")
            await asyncio.sleep(0.005)
        await self._live("reached")

    async def shut(self, _within: float) -> None:
        self._do("shut")

    def pause(self) -> None:
        self.orders.append("pause")
        self.against = ("paused by order",)

    def resume(self) -> bool:
        self.orders.append("resume")
        was, self.against = bool(self.against), ()
        return was

    def drain(self) -> None:
        self.orders.append("drain")
        self.against = ("drained by order",)

    def copied(self) -> bool:
        self.orders.append("copied")
        return self.orders.count("copied") == 1

    def acknowledge(self) -> bool:
        self.orders.append("acknowledge")
        return self.orders.count("acknowledge") == 1

    async def _live(self, procedure: str) -> None:
        """Nothing that is done in a process goes on when it dies."""
        self._do(procedure)
        if not self.machine.alive:
            await asyncio.Event().wait()

    def _do(self, procedure: str) -> None:
        self.procedures.append(procedure)
        self.before.get(procedure, lambda: None)()


class Machine:
    """A node: what the daemon puts together, with an imaginary kernel."""

    def __init__(self, name: str, address: str, priority: int, channel: ChannelSettings | None, **changes: Any) -> None:
        self.name, self.address = name, ip_address(address)
        router = instance(
            priority=priority, preempt=False, version=3, advert_int=0.3, database=DATABASE, auth_pass=None, **changes
        )
        self.settings = NodeSettings(name, (router,), channel=channel, state_directory="")
        self.server = Server()
        self.peers: list[Machine] = []
        self.kernel: set[VirtualAddress] = set()
        self.refused: list[tuple[Address, ...]] = []
        self.invitations = 0
        self.log: list[str] = []
        self.alive = True
        self.keepers: list[Keeper] = []
        self._loop = asyncio.get_running_loop()
        self.node = Node(self.settings, self._loop.time())
        self._timer: asyncio.TimerHandle | None = None
        self._dying: asyncio.Task[None] | None = None
        self.databases = Databases(
            self.deliver, self.node.last_heard, self.node.withheld, self._refuse, self._write, self._make
        )
        self.orders = Orders(self.node, self.databases, self.deliver, lambda _name, text: self.log.append(text))

    @property
    def keeper(self) -> Keeper:
        return self.keepers[-1]

    @property
    def state(self) -> str:
        return self.node.snapshot(self._loop.time()).instances[0].state

    @property
    def serves(self) -> bool:
        """Whether a client's write gets through."""
        return self.alive and VIP in self.kernel and self.server.writable

    def begin(self) -> None:
        self.databases.want(self.settings)
        self.deliver(LinkChanged("eth0", present=True, up=True, mac=b"\2\0\0\0\0\1"))
        self.deliver(AddressesChanged("eth0", ((self.address, 24),)))

    def deliver(self, event: Event) -> None:
        if not self.alive:
            return
        effects = self.node.handle(event, self._loop.time())
        for effect in effects:
            match effect:
                case SendAdvert():
                    heard = AdvertReceived("eth0", effect.source, effect.destination, effect.ttl, effect.payload)
                    for peer in self.peers:
                        self._loop.call_soon(peer.deliver, heard)
                case Reconcile(name, operations):
                    for each in operations:
                        change = self.kernel.add if each.action is Action.ADD else self.kernel.discard
                        change(each.address)
                    self._loop.call_soon(self.deliver, EffectDone(name, operations))
                case OpenWrites() | CloseWrites() | RefuseConnections() | Invite():
                    self.invitations += isinstance(effect, Invite)
                    self.databases.perform(effect)
                case Record():
                    self._write(effect)
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self.node.next_deadline()
        self._timer = None if due is None else self._loop.call_at(due, self.deliver, TimerDue())

    def die(self) -> None:
        """SIGKILL: the server stays as it is, and the lease takes the address."""
        self.alive = False
        self._dying = self._loop.create_task(self.databases.close())  # its connections end
        self.kernel.clear()

    async def close(self) -> None:
        self.alive = False
        if self._timer is not None:
            self._timer.cancel()
        await (self._dying or self.databases.close())

    async def _make(self, post: Post, tell: Callable[[Event], None], publish: Any) -> Keeper:
        self.keepers.append(Keeper(post, self, tell, publish))
        return self.keeper

    def _refuse(self, _instance: str, addresses: Sequence[Address]) -> None:
        self.refused.append(tuple(addresses))

    def _write(self, record: Record) -> None:
        self.log.append(record.text)


async def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for is what a user can see
            await asyncio.sleep(0.005)


@asynccontextmanager
async def two_nodes(key: Path, port: int) -> AsyncIterator[tuple[Machine, Machine]]:
    """node-a, which is active, and node-b, which replicates from it; the channel is up."""
    here, there = "127.0.8.1", "127.0.8.2"
    a = Machine("node-a", "192.168.1.1", 250, ChannelSettings(str(key), here, there, port))
    b = Machine("node-b", "192.168.1.2", 240, ChannelSettings(str(key), there, here, port))
    a.peers, b.peers = [b], [a]
    b.server.source = a.server
    try:
        a.begin()
        await until(lambda: a.serves)
        b.begin()
        await until(lambda: b.state == "BACKUP" and a.databases.channel_is_up and b.databases.channel_is_up)
        await until(lambda: b.databases.post("VI_1").other is not None and a.databases.post("VI_1").own is not None)
        yield a, b
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await a.close()
                await b.close()


def with_database(settings: NodeSettings, **changes: Any) -> NodeSettings:
    """The same node with other settings of its database."""
    (router,) = settings.instances
    return replace(settings, instances=(replace(router, database=replace(DATABASE, **changes)),))
