"""Planned switchovers between two nodes: what is done in which order, and that every death on the way is a safe one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from copy import copy
from pathlib import Path
from typing import Any

import pytest

from pyvrrp.app import switchover as module
from pyvrrp.errors import ChannelError, ControlError
from tests.app.imaginary import Machine, two_nodes, until, with_database
from tests.io.test_channel import make_key

Story = Callable[[Machine, Machine], Awaitable[None]]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("key") / "channel.pem")


@pytest.fixture
def play(key: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Story], None]:
    """Play a story between two nodes, while a client writes and somebody watches that never both are writable."""
    monkeypatch.setattr(module, "REACH", 0.5)
    monkeypatch.setattr(module, "KEEPS_UP_BOUND", 0.6)
    monkeypatch.setattr(module, "TAKEN_OVER", 2.0)

    async def main(story: Story) -> None:
        async with two_nodes(key, free_port()) as (a, b):
            watching = asyncio.create_task(watch(a, b))
            await story(a, b)
            watching.cancel()
            assert not watching.done(), watching.exception()

    return lambda story: asyncio.run(main(story))


def free_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.8.1", 0))
        return int(sock.getsockname()[1])


async def watch(a: Machine, b: Machine) -> None:
    """A client writes wherever it gets through, and nothing that was acknowledged may be missing."""
    acknowledged = 0
    while True:
        assert not (a.server.writable and b.server.writable)
        for each in (a, b):
            if each.serves and each.server.write():
                acknowledged += 1
                assert each.server.rows >= acknowledged
        await asyncio.sleep(0.002)


async def order(machine: Machine, command: str, **words: Any) -> dict[str, Any]:
    return await machine.orders.carry_out({"command": command, **words})


def test_it_moves_and_says_how_long_it_took(play: Callable[[Story], None]) -> None:
    async def story(a: Machine, b: Machine) -> None:
        outcome = await order(a, "switchover")
        assert outcome["ok"], outcome
        assert b.serves
        assert not a.serves
        assert (a.state, b.state) == ("BACKUP", "MASTER")
        figures = outcome["figures"]
        assert figures["active"] == "node-b"
        assert figures["sessions_killed"] == 2
        assert 0 < figures["write_gap_ms"] <= figures["write_gap_here_ms"] < 500
        assert b.server.rows >= int(figures["position"])
        assert a.invitations == 1
        assert "called off" not in b.keeper.orders
        # Nobody new was let in from the moment that writes were closed, until the address was gone.
        assert a.refused[0]
        await until(lambda: a.refused[-1] == ())

    play(story)


def test_the_standby_may_be_asked_too(play: Callable[[Story], None]) -> None:
    async def story(a: Machine, b: Machine) -> None:
        outcome = await order(b, "switchover", to="node-b")
        assert outcome["ok"], outcome
        assert b.serves
        assert not a.serves

    play(story)


def test_and_back_again(play: Callable[[Story], None]) -> None:
    async def story(a: Machine, b: Machine) -> None:
        assert (await order(a, "switchover"))["ok"]
        a.server.source = b.server
        await until(lambda: a.state == "BACKUP" and not a.kernel)
        outcome = await order(a, "switchover")
        assert outcome["ok"], outcome
        assert a.serves

    play(story)


def test_a_dry_run_says_what_it_would_do(play: Callable[[Story], None]) -> None:
    async def story(a: Machine, b: Machine) -> None:
        outcome = await order(b, "switchover", dry_run=True)
        assert outcome["ok"], outcome
        assert outcome["steps"][0] == "active is node-a, target is node-b"
        assert outcome["steps"][-1].startswith("nothing was done; without --dry-run the writes of VI_1 would move")
        assert a.serves
        b.keeper.against = ("lag is 12 s",)
        await asyncio.sleep(0.1)
        outcome = await order(a, "switchover", dry_run=True)
        assert not outcome["ok"]
        assert "NOT READY: node-b: lag is 12 s" in outcome["steps"]

    play(story)


def test_pre_checks(play: Callable[[Story], None]) -> None:
    async def story(a: Machine, b: Machine) -> None:
        b.keeper.against = ("it is paused",)
        await asyncio.sleep(0.1)
        outcome = await order(a, "switchover", to="node-c")
        assert outcome["why"] == "the other node is node-b, not node-c; node-b: it is paused"
        outcome = await order(b, "switchover", to="node-a")
        assert outcome["why"] == "node-a is active already"
        assert a.serves

    play(story)


def test_a_standby_that_lags_is_waited_for_and_then_refused(play: Callable[[Story], None]) -> None:
    async def story(a: Machine, b: Machine) -> None:
        b.server.applies = False
        await asyncio.sleep(0.1)
        outcome = await order(a, "switchover")
        assert not outcome["ok"]
        assert "node-b does not keep up: at " in outcome["why"]
        assert a.serves
        await until(lambda: b.keeper.orders == ["called off"])

    play(story)


def test_rolled_back_when_the_standby_does_not_get_there(play: Callable[[Story], None]) -> None:
    async def story(a: Machine, b: Machine) -> None:
        def stop_applying() -> None:
            a.server.rows += 1  # the last one's way is long
            b.server.applies = False

        a.keeper.before["step_down"] = stop_applying
        outcome = await order(a, "switchover")
        assert not outcome["ok"]
        assert "the SQL thread is stopped" in outcome["why"]
        said = [each for each in a.log if each.startswith("switchover: ")]
        assert said[0].startswith("switchover: writes closed on node-a in 10 ms, 2 sessions killed, at ")
        assert said[1] == f"switchover: {outcome['steps'][-1]}"
        assert said[2] == f"switchover: {outcome['why']}"
        assert 500 <= int(said[1].split()[-2]) < 2000  # ms, of which the other one had REACH
        assert outcome["steps"][-1].startswith("rolled back: writes are open on node-a again after ")
        assert a.serves
        await until(lambda: a.refused[-1] == ())
        await until(lambda: b.keeper.orders == ["called off"])  # its silence is no order any more
        assert b.state == "BACKUP"

    play(story)


def test_a_server_that_cannot_be_closed(play: Callable[[Story], None]) -> None:
    async def story(a: Machine, _b: Machine) -> None:
        a.server.closes = False
        a.keeper._stepped_down = True  # it has done a part of it
        outcome = await order(a, "switchover")
        assert outcome["why"] == "not closed in 1 s"
        assert a.serves

    play(story)


def test_an_invitation_that_was_long_on_the_way_is_none(play: Callable[[Story], None]) -> None:
    """Who sent it is MASTER again: two would be, for as long as an advert takes."""

    async def story(a: Machine, b: Machine) -> None:
        assert a.databases.channel.send("invite", {"instance": "VI_1", "by": "node-a"})
        await asyncio.sleep(0.3)
        assert b.state == "BACKUP"
        assert a.serves
        assert not [each for each in b.log if "handed over" in each]

    play(story)


def test_adverts_that_are_lost_make_no_second_one(play: Callable[[Story], None]) -> None:
    """A switch that does not pass multicast on, a firewall: the other one is silent, and says that it is there."""

    async def story(a: Machine, b: Machine) -> None:
        a.peers = []
        await until(lambda: any("it is MASTER, and its writes are open" in each for each in b.log))
        assert a.serves
        assert not b.server.opened
        a.die()  # nobody says so now
        b.keeper.against = ()
        a.server.writable = False  # somebody has seen to it
        await until(lambda: b.serves)

    play(story)


def test_two_at_a_time_are_one(play: Callable[[Story], None]) -> None:
    async def story(a: Machine, b: Machine) -> None:
        first = asyncio.create_task(order(a, "switchover"))
        await asyncio.sleep(0)
        with pytest.raises((ControlError, ChannelError), match="a switchover of VI_1 is under way"):
            await order(b, "switchover")
        assert (await first)["ok"]

    play(story)


# --- deaths -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["step_down", "stepped_down", "close"])
def test_the_active_agent_dies(play: Callable[[Story], None], moment: str) -> None:
    """Before, within and after: its writes are closed, or still open and its own; the other takes over by silence.

    (That an agent which dies with open writes leaves its server open is so without a switchover, too.)
    """

    async def story(a: Machine, b: Machine) -> None:
        a.keeper.before[moment] = a.die
        ordered = asyncio.create_task(order(a, "switchover"))
        await until(lambda: not a.alive)
        if moment == "step_down":
            assert a.server.writable
            a.server.writable = False  # somebody has seen to it
        assert not a.server.writable
        await until(lambda: b.serves)
        ordered.cancel()

    play(story)


@pytest.mark.parametrize("moment", ["reach", "reached"])
def test_the_standby_dies_before_it_was_handed_anything(play: Callable[[Story], None], moment: str) -> None:
    async def story(a: Machine, b: Machine) -> None:
        def armed() -> None:
            b.keeper.before[moment] = b.die

        a.keeper.before["step_down"] = armed
        outcome = await order(a, "switchover")
        if outcome.get("timed_out"):  # it had said that it has everything
            await until(lambda: a.serves)
        else:
            assert outcome["steps"][-1].startswith("rolled back: writes are open on node-a again after ")
        assert a.serves
        assert not b.server.writable

    play(story)


def test_the_standby_dies_when_it_should_open(play: Callable[[Story], None]) -> None:
    async def story(a: Machine, b: Machine) -> None:
        def die() -> None:
            b.die()
            raise ControlError("dead")

        a.keeper.before["close"] = b.die
        outcome = await order(a, "switchover")
        assert outcome["timed_out"]
        assert "handed over, but node-b did not say that writes are open" in outcome["why"]
        await until(lambda: a.serves)  # nobody spoke

    play(story)


def test_the_channel_breaks_while_writes_are_closed(play: Callable[[Story], None]) -> None:
    async def story(a: Machine, b: Machine) -> None:
        def cut() -> None:
            for link in list(a.databases.channel._links):
                a.databases.channel._drop(link)

        a.keeper.before["stepped_down"] = cut
        outcome = await order(a, "switchover")
        assert outcome["steps"][-1].startswith("rolled back: writes are open on node-a again after ")
        assert a.serves
        assert not b.server.writable

    play(story)


def test_the_channel_is_gone_before_writes_are_closed(play: Callable[[Story], None]) -> None:
    """There is nothing to wait for."""

    async def story(a: Machine, b: Machine) -> None:
        def cut() -> None:
            for link in list(a.databases.channel._links):
                a.databases.channel._drop(link)

        b.keeper.before["reach"] = cut
        began = asyncio.get_running_loop().time()
        outcome = await order(a, "switchover")
        assert outcome["why"].startswith("the channel to node-b is gone: ")
        assert asyncio.get_running_loop().time() - began < 0.5
        assert "step_down" not in a.keeper.procedures
        assert a.serves

    play(story)


@pytest.mark.parametrize("moment", ["step_down", "stepped_down", "reach"])
def test_the_active_server_dies_on_the_way_and_that_is_the_reason(play: Callable[[Story], None], moment: str) -> None:
    async def story(a: Machine, b: Machine) -> None:
        def die() -> None:
            if moment == "reach" and a.server.writable:
                return  # the other one is only asked whether it keeps up
            a.keeper.faults = ("its server refuses connections",)
            a.keeper.report()

        (b if moment == "reach" else a).keeper.before[moment] = die
        outcome = await order(a, "switchover")
        assert outcome["why"] == "VI_1 has left by itself meanwhile: its server refuses connections"
        assert any(each == f"switchover: {outcome['why']}" for each in a.log)
        assert not any("open on node-a again" in each for each in outcome["steps"])
        await until(lambda: b.serves)
        assert not a.server.writable

    play(story)


def test_mastership_is_lost_on_the_way(play: Callable[[Story], None]) -> None:
    """The core has closed the server then, and nothing opens it again."""

    async def story(a: Machine, b: Machine) -> None:
        from pyvrrp.core.events import LinkChanged

        def unplug() -> None:
            a.deliver(LinkChanged("eth0", present=True, up=False, mac=b"\2\0\0\0\0\1"))

        a.keeper.before["stepped_down"] = unplug
        outcome = await order(a, "switchover")
        assert outcome["why"] == "VI_1 has left by itself meanwhile: interface eth0 is down"
        assert outcome["steps"][-1].startswith("not rolled back, writes stay closed on node-a: ")
        assert a.state == "FAULT"
        assert not a.server.writable
        await until(lambda: b.serves)
        await until(lambda: a.refused[-1] == ())  # when it comes back it is to be met

    play(story)


def test_the_configuration_of_the_server_changes_on_the_way(play: Callable[[Story], None]) -> None:
    """Who looks after the server now has opened its writes again, as ordered: the other one may not have what came."""

    async def story(a: Machine, b: Machine) -> None:
        def replace_keeper() -> None:
            a.databases.post("VI_1").keeper = copy(a.keeper)

        a.keeper.before["stepped_down"] = replace_keeper
        outcome = await order(a, "switchover")
        assert outcome["why"] == "the configuration of VI_1 has changed meanwhile"
        assert outcome["steps"][-1].startswith("rolled back: ")
        assert a.serves
        assert b.state == "BACKUP"

    play(story)


def test_a_reload_on_the_way_replaces_the_keeper_afterwards(play: Callable[[Story], None]) -> None:
    """The next one would not know that writes are closed on purpose, and open them."""

    async def story(a: Machine, b: Machine) -> None:
        a.keeper.before["stepped_down"] = lambda: a.databases.want(with_database(a.settings, hold_down=60.0))
        outcome = await order(a, "switchover")
        assert outcome["ok"], outcome
        assert b.serves
        await until(lambda: a.databases.post("VI_1").keeper is a.keepers[1])
        assert a.keepers[0].closed
        assert not a.server.writable
        assert "open" not in a.keepers[1].procedures

    play(story)


def test_a_reload_on_the_way_back_too(play: Callable[[Story], None]) -> None:
    async def story(a: Machine, b: Machine) -> None:
        def reload() -> None:
            a.server.rows += 1
            b.server.applies = False
            a.databases.want(with_database(a.settings, hold_down=60.0))
            a.databases.want(with_database(a.settings, hold_down=90.0))

        first = a.keeper
        first.before["stepped_down"] = reload
        outcome = await order(a, "switchover")
        assert outcome["steps"][-1].startswith("rolled back: ")
        assert first.procedures[-1] == "step_back"
        await until(lambda: a.databases.post("VI_1").keeper is a.keepers[-1] is not first)
        assert len(a.keepers) == 2
        assert a.keeper.post.settings.hold_down == 90.0
        assert a.serves

    play(story)


@pytest.mark.parametrize(("question", "why"), [("stand by", "is of another version"), ("opened", "did not say that")])
def test_an_agent_that_answers_in_other_words_is_no_mistake_of_this_one(
    play: Callable[[Story], None], question: str, why: str
) -> None:
    async def story(a: Machine, b: Machine) -> None:
        async def other_words(_about: dict[str, Any]) -> dict[str, Any]:
            return {"node": "node-b"}

        b.databases.answer({question: other_words})
        outcome = await order(a, "switchover")
        assert not outcome["ok"]
        assert why in outcome["why"]
        await until(lambda: b.serves if question == "opened" else a.serves)

    play(story)


def test_the_target_changes_its_mind(play: Callable[[Story], None]) -> None:
    """It had everything, and will not take over for another reason: the old one is active again."""

    async def story(a: Machine, b: Machine) -> None:
        def refuse() -> None:
            b.keeper.against = ("its disk is full",)
            b.keeper.report()

        a.keeper.before["close"] = refuse
        outcome = await order(a, "switchover")
        assert outcome["timed_out"]
        await until(lambda: a.serves)
        assert not b.server.writable

    play(story)
