"""Keepers come and go with the configuration, and the one that is there knows what was asked last."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from pyvrrp.app import databases
from pyvrrp.app.databases import Databases
from pyvrrp.app.posts import Post
from pyvrrp.core.effects import CloseWrites, Invite, OpenWrites, Record, RefuseConnections
from pyvrrp.core.events import Event, Invited, Vacant, WritesOpened, WritesRefused
from pyvrrp.core.settings import Account, ChannelSettings, NodeSettings
from pyvrrp.errors import ControlError, KernelError
from pyvrrp.mysql.memory import Memory
from pyvrrp.mysql.published import Published
from tests.app.imaginary import DATABASE, until, with_database
from tests.io.test_channel import make_key
from tests.simulation import instance

PLAIN = NodeSettings("node-a", (instance(database=DATABASE),), state_directory="")
VIP = ip_address("192.168.1.200")
SAID = Published("VI_1", "node-b", "open", "UP", "0-2-7", "mariadb", False, (), 3)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine an answer over the channel takes its time."""
    monkeypatch.setattr(databases, "ANSWER", 5.0)


class Keeper:
    """Notes what it is told."""

    def __init__(self, post: Post, tell: Callable[[Event], None], publish: Callable[[Published], None]) -> None:
        self.post, self.tell, self.publish = post, tell, publish
        self.settings = post.settings
        self.told_of: list[Any] = []
        self.heard_times = 0
        self.started = self.closed = self.left = False

    def start(self) -> None:
        self.started = True

    @property
    def account(self) -> Account:
        return self.settings.account

    async def shut(self, _within: float) -> None:
        """What it was told it has done."""

    async def close(self) -> None:
        self.closed = True

    async def leave(self) -> None:
        self.closed = self.left = True

    def open_writes(self, effect: OpenWrites) -> None:
        assert self.started
        self.told_of.append(effect)

    def adopt(self, effect: OpenWrites) -> None:
        assert self.started
        self.told_of.append(("adopt", effect))

    def close_writes(self, effect: CloseWrites) -> None:
        assert self.started
        self.told_of.append(effect)

    def told(self, published: Published) -> None:
        self.told_of.append(published)

    def refuse(self, effect: OpenWrites, reason: str) -> None:
        self.told_of.append(("refuse", effect.term, reason))

    def heard(self) -> None:
        self.heard_times += 1


class House:
    """Databases, and everything around them written down."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.log: list[str] = []
        self.refused: list[tuple[str, tuple[Any, ...]]] = []
        self.keepers: list[Keeper] = []
        self.heard: float | None = None
        self.nft_is_broken = False
        self.left = False
        self.is_open = False
        self.is_withheld = False
        self.asked: list[str] = []
        self.databases = Databases(
            self.events.append,
            lambda _name: self.heard,
            lambda _name: self.is_withheld,
            self._refuse,
            self._write,
            self._make,
        )
        self.databases.answer({"left": self._left})

    @property
    def living(self) -> list[Keeper]:
        return [each for each in self.keepers if not each.closed]

    async def want(self, settings: NodeSettings) -> Keeper:
        """Have it, and wait until somebody is there."""
        self.databases.want(settings)
        await until(lambda: all(self.databases.post(name).keeper is not None for name in self.databases.names))
        await until(lambda: not self.databases._tasks)
        return self.keepers[-1]

    async def _make(self, post: Post, tell: Any, publish: Any) -> Any:
        self.keepers.append(Keeper(post, tell, publish))
        return self.keepers[-1]

    async def _left(self, about: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(about["instance"])
        return {"left": self.left, "open": self.is_open}

    def _refuse(self, name: str, addresses: Any) -> None:
        if self.nft_is_broken:
            raise KernelError("refuse", 1, "no nft")
        self.refused.append((name, tuple(addresses)))

    def _write(self, record: Record) -> None:
        self.log.append(record.text)


def play(story: Callable[[House], Awaitable[None]]) -> None:
    async def main() -> None:
        house = House()
        async with asyncio.timeout(20):
            await story(house)
            await house.databases.close()

    asyncio.run(main())


def test_what_was_asked_before_anybody_was_there_is_told() -> None:
    async def story(house: House) -> None:
        house.databases.perform(CloseWrites("VI_1", 1, "it begins"))
        keeper = await house.want(PLAIN)
        house.databases.perform(OpenWrites("VI_1", 2))
        assert keeper.told_of == [CloseWrites("VI_1", 1, "it begins"), OpenWrites("VI_1", 2)]

    play(story)


def test_a_reload_that_changes_nothing_leaves_the_keeper_alone() -> None:
    async def story(house: House) -> None:
        keeper = await house.want(PLAIN)
        assert await house.want(replace(PLAIN, startup_delay=5.0)) is keeper

    play(story)


def test_other_settings_are_another_keeper_that_is_told_the_same_again() -> None:
    async def story(house: House) -> None:
        first = await house.want(PLAIN)
        house.databases.perform(OpenWrites("VI_1", 4))
        second = await house.want(with_database(PLAIN, hold_down=60.0))
        assert first.closed
        assert second.settings.hold_down == 60.0
        assert second.told_of == [OpenWrites("VI_1", 4)]

    play(story)


def test_what_one_keeper_has_opened_the_next_one_does_not_open_again() -> None:
    async def story(house: House) -> None:
        await house.want(PLAIN)
        house.databases.perform(OpenWrites("VI_1", 4))
        house.databases._deliver(WritesOpened("VI_1", 4, "in no time"))
        opened = await house.databases.opened("VI_1")
        second = await house.want(with_database(PLAIN, hold_down=60.0))
        assert second.told_of == [("adopt", OpenWrites("VI_1", 4))]
        assert await house.databases.opened("VI_1") == opened
        third = await house.want(with_database(PLAIN, account=Account(port=3307)))  # another server
        assert third.told_of == [OpenWrites("VI_1", 4)]
        assert [each.left for each in house.keepers] == [False, True, False]  # whose server nobody needs is closed

    play(story)


def test_what_was_refused_is_not_tried_again_by_another_keeper() -> None:
    """Its instance is BACKUP since, and another server may be open."""

    async def story(house: House) -> None:
        first = await house.want(PLAIN)
        house.databases.perform(OpenWrites("VI_1", 4))
        first.tell(WritesRefused("VI_1", 4, "its disk is full"))
        await until(lambda: house.events)
        second = await house.want(with_database(PLAIN, hold_down=60.0))
        assert second.told_of == [CloseWrites("VI_1", 4, "its disk is full")]

    play(story)


def test_two_reloads_in_a_row_leave_one_keeper() -> None:
    async def story(house: House) -> None:
        await house.want(PLAIN)
        house.databases.want(with_database(PLAIN, hold_down=60.0))
        last = await house.want(with_database(PLAIN, hold_down=90.0))
        await until(lambda: house.living == [last])
        assert last.settings.hold_down == 90.0

    play(story)


def test_an_instance_that_goes_is_let_go_once_it_has_handed_over() -> None:
    async def story(house: House) -> None:
        keeper = await house.want(PLAIN)
        house.databases.want(replace(PLAIN, instances=()))
        house.databases.perform(CloseWrites("VI_1", 5, "it is no longer in the configuration"))
        assert keeper.told_of
        assert house.databases.names == ()
        with pytest.raises(ControlError, match="VI_1 has no database"):
            house.databases.keeper("VI_1")
        house.databases.tidy()
        await until(lambda: keeper.closed)
        # When it comes again its core counts anew, and nothing of its earlier life is told.
        assert (await house.want(PLAIN)).told_of == []

    play(story)


def test_one_that_comes_back_before_it_has_gone_begins_anew() -> None:
    async def story(house: House) -> None:
        first = await house.want(PLAIN)
        house.databases.want(replace(PLAIN, instances=()))
        second = await house.want(PLAIN)
        assert first.closed
        assert second is not first
        house.databases.tidy()
        assert not second.closed

    play(story)


def test_another_name_for_the_same_server() -> None:
    async def story(house: House) -> None:
        first = await house.want(PLAIN)
        house.databases.perform(OpenWrites("VI_1", 4))
        (router,) = PLAIN.instances
        renamed = await house.want(replace(PLAIN, instances=(replace(router, name="orders"),)))
        assert renamed.told_of == [OpenWrites("orders", 4)]
        await until(lambda: first.closed)  # or it would open again what the new one closes
        other = replace(router, name="third", database=replace(DATABASE, account=Account(port=3307)))
        assert (await house.want(replace(PLAIN, instances=(other,)))).told_of == []

    play(story)


def test_what_is_open_is_open_under_another_name() -> None:
    """Its core asks for it under that name, before anybody is there, and waits for an answer."""

    async def story(house: House) -> None:
        await house.want(PLAIN)
        house.databases.perform(OpenWrites("VI_1", 4))
        house.databases._deliver(WritesOpened("VI_1", 4, "in no time"))
        house.databases.perform(OpenWrites("orders", 5))
        (router,) = PLAIN.instances
        plain = replace(PLAIN, instances=(replace(router, name="orders"),))
        renamed = await house.want(plain)
        assert renamed.told_of == [("adopt", OpenWrites("orders", 5))]
        await until(lambda: WritesOpened("orders", 5, "its writes were open already") in house.events)
        again = await house.want(with_database(plain, hold_down=60.0))
        assert again.told_of == [("adopt", OpenWrites("orders", 5))]
        assert len([each for each in house.events if isinstance(each, WritesOpened)]) == 2

    play(story)


def test_what_is_remembered_goes_on_under_another_name(tmp_path: Path) -> None:
    plain = replace(PLAIN, state_directory=str(tmp_path))

    async def story(house: House) -> None:
        first = await house.want(plain)
        memory = Memory(str(tmp_path), "VI_1")
        memory.change(drained=True, failover=7.0)
        await memory.written(10.0)
        memory.close()
        house.databases.perform(CloseWrites("VI_1", 4, "BACKUP"))
        (router,) = plain.instances
        await house.want(replace(plain, instances=(replace(router, name="orders"),)))
        assert first.closed  # or it would write down what it hears, under the old name
        found = Memory(str(tmp_path), "orders").now
        assert (found.drained, found.failover) == (True, 7.0)
        assert not Memory(str(tmp_path), "VI_1").now.drained  # another one may be called that one day
        another = replace(router, name="third", virtual_router_id=router.virtual_router_id + 1)
        await house.want(replace(plain, instances=(another,)))
        assert not Memory(str(tmp_path), "third").now.drained  # another router, though it has the same server

    play(story)


def test_the_active_node_is_heard() -> None:
    async def story(house: House) -> None:
        keeper = await house.want(PLAIN)
        house.heard = 5.0
        await until(lambda: keeper.heard_times == 1)
        await asyncio.sleep(0.25)
        assert keeper.heard_times == 1  # nothing new
        house.heard = 5.1
        await until(lambda: keeper.heard_times == 2)

    play(story)


def test_connections_are_refused_in_order_and_trouble_is_told() -> None:
    async def story(house: House) -> None:
        await house.want(PLAIN)
        house.databases.perform(RefuseConnections("VI_1", (VIP,)))
        house.databases.perform(RefuseConnections("VI_1", ()))
        await until(lambda: len(house.refused) == 2)
        assert house.refused == [("VI_1", (VIP,)), ("VI_1", ())]
        house.nft_is_broken = True
        house.databases.perform(RefuseConnections("VI_1", (VIP,)))
        await until(lambda: house.log == ["refuse: no nft"])

    play(story)


def two_nodes(tmp_path: Path, story: Callable[[House, House], Awaitable[None]]) -> None:
    """Play it on node-a and node-b, which speak with each other."""
    key, there, here = make_key(tmp_path / "key.pem"), "127.0.9.2", "127.0.9.1"
    port = 30000 + os.getpid() % 20000
    a = replace(PLAIN, channel=ChannelSettings(str(key), here, there, port))
    b = replace(PLAIN, router_id="node-b", channel=ChannelSettings(str(key), there, here, port))

    async def both(house: House) -> None:
        other = House()
        await other.want(b)
        await house.want(a)
        await until(lambda: house.databases.channel_is_up and other.databases.channel_is_up)
        try:
            await story(house, other)
        finally:
            await other.databases.close()

    play(both)


def test_who_waits_for_a_word_is_told_that_the_other_one_is_not_master(tmp_path: Path) -> None:
    async def story(house: House, other: House) -> None:
        closed = replace(SAID, writes="closed")
        house.left = True
        house.keepers[-1].publish(closed)
        await until(lambda: closed in other.keepers[-1].told_of)
        assert house.asked == []  # it waits for nothing
        other.is_withheld, house.left = True, False
        house.keepers[-1].publish(closed)
        await until(lambda: house.asked == ["VI_1"])
        house.keepers[-1].publish(SAID)  # open
        house.left = True
        house.keepers[-1].publish(closed)
        await until(lambda: other.events == [Vacant("VI_1", "node-b")])
        assert house.asked == ["VI_1"] * 2

    two_nodes(tmp_path, story)


def test_it_is_not_opened_while_the_other_one_says_that_it_is_master(tmp_path: Path) -> None:
    async def story(house: House, other: House) -> None:
        keeper = house.keepers[-1]
        for number, other.is_open in enumerate([True, False]):
            house.databases.perform(OpenWrites("VI_1", number))
            await until(lambda: len(keeper.told_of) > number)  # noqa: B023 - at once
        word = "the other node says over the channel that it is MASTER, and"
        assert keeper.told_of == [
            ("refuse", 0, f"{word} its writes are open"),
            ("refuse", 1, f"{word} about to open its writes"),
        ]

    two_nodes(tmp_path, story)


def test_two_that_became_master_together_are_given_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "SETTLES", 5.0)

    async def story(house: House, other: House) -> None:
        order = OpenWrites("VI_1", 1)
        house.databases.perform(order)
        await until(lambda: len(other.asked) > 1)
        assert house.keepers[-1].told_of == []
        other.left = True  # it has heard an advert
        await until(lambda: house.keepers[-1].told_of == [order])

    two_nodes(tmp_path, story)


def test_an_order_does_not_wait_for_one_that_is_about_to_open(tmp_path: Path) -> None:
    async def story(house: House, other: House) -> None:
        order = OpenWrites("VI_1", 1, forced=True)
        house.databases.perform(order)
        await until(lambda: house.keepers[-1].told_of == [order])
        assert other.asked == ["VI_1"]

    two_nodes(tmp_path, story)


def test_words_go_to_the_other_node_and_come_from_it(tmp_path: Path) -> None:
    key, there, here = make_key(tmp_path / "key.pem"), "127.0.9.2", "127.0.9.1"
    port = 30000 + os.getpid() % 20000
    a = replace(PLAIN, channel=ChannelSettings(str(key), here, there, port))
    b = replace(PLAIN, router_id="node-b", channel=ChannelSettings(str(key), there, here, port))

    async def story(house: House) -> None:
        other = House()
        theirs, mine = await other.want(b), await house.want(a)
        await until(lambda: house.databases.channel_is_up and other.databases.channel_is_up)
        theirs.publish(SAID)
        await until(lambda: mine.told_of == [SAID])
        assert house.databases.post("VI_1").other == SAID
        house.left = False  # MASTER again since
        house.databases.perform(Invite("VI_1"))
        await until(lambda: house.asked == ["VI_1"])
        house.left = True
        house.databases.perform(Invite("VI_1"))
        await until(lambda: other.events == [Invited("VI_1", "node-a")])
        house.databases.perform(CloseWrites("VI_1", 1, "its server has ended"))
        house.databases.perform(Invite("VI_1"))
        await until(lambda: other.events[1:] == [Invited("VI_1", "node-a (its server has ended)")])
        other.databases.channel.send("published", {"instance": "VI_9"})
        other.databases.channel.send("invite", {"instance": "VI_1"})
        await until(lambda: house.databases.channel.counters.ignored == 2)
        assert house.databases.channel_status() == {
            "address": there,
            "port": port,
            "up": True,
            "node": "node-b",
            "trouble": "",
            "counters": {
                "connected": house.databases.channel.counters.connected,
                "turned_away": house.databases.channel.counters.turned_away,
                "ignored": 2,
            },
        }
        # A key of another day is taken up by a reload, and the channel goes with the configuration.
        before = house.databases.channel
        await house.want(a)
        assert house.databases.channel is before
        make_key(key)
        await house.want(a)
        assert house.databases.channel is not before
        await house.want(PLAIN)
        with pytest.raises(ControlError, match="none is configured"):
            _ = house.databases.channel
        await other.databases.close()

    play(story)


def test_a_keeper_that_does_not_come_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it remembers is on a disk that hangs: the node would be MASTER without an address."""
    monkeypatch.setattr(databases, "MANNED", 0.05)

    async def story(house: House) -> None:
        hangs = asyncio.Event()

        async def make(post: Post, tell: Any, publish: Any) -> Any:
            await hangs.wait()
            return await house._make(post, tell, publish)

        house.databases._make = make
        house.databases.want(PLAIN)
        house.databases.perform(OpenWrites("VI_1", 1, False))
        await until(lambda: house.events)
        (said,) = house.events
        assert isinstance(said, WritesRefused)
        assert "nobody could look after its server" in said.reason
        hangs.set()
        await until(lambda: house.keepers and house.keepers[0].told_of)
        (ordered,) = house.keepers[0].told_of
        assert isinstance(ordered, CloseWrites)

    play(story)
