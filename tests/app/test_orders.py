"""What operators order, from either node, and when it is refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from pyvrrp.app import orders as module
from pyvrrp.errors import ControlError
from tests.app.imaginary import Machine, two_nodes, until
from tests.app.test_switchover import Story, free_port, order
from tests.io.test_channel import make_key


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("key") / "channel.pem")


def play(key: Path, story: Story) -> None:
    async def main() -> None:
        async with two_nodes(key, free_port()) as (a, b):
            await story(a, b)

    asyncio.run(main())


def test_the_short_ones_go_to_the_keeper(key: Path) -> None:
    async def story(_a: Machine, b: Machine) -> None:
        for command in ("pause", "resume", "acknowledge", "drain"):
            assert (await order(b, command))["ok"]
        assert b.keeper.orders == ["pause", "resume", "acknowledge", "drain"]
        assert b.log[-1] == "drained by order"
        b.keeper.resume()
        resumed, acknowledged = await order(b, "resume"), await order(b, "acknowledge")
        assert resumed["steps"] == ["VI_1 is neither paused nor drained on this node: nothing was done"]
        assert acknowledged["steps"] == ["VI_1: there is no failover to acknowledge"]
        copied = [(await order(b, "acknowledge", copied=True))["steps"][0] for _ in range(2)]
        assert copied[0] == "VI_1: what was here alone is forgotten; the two servers are compared anew"
        assert copied[1] == "VI_1: nothing is known that this node alone has: nothing was done"
        assert b.log[-1] == "its server was made a copy of the active one, says the operator"
        with pytest.raises(ControlError, match="VI_9 has no database: say which one, VI_1"):
            await order(b, "pause", instance="VI_9")

    play(key, story)


def test_draining_the_active_node_moves_its_writes_first(key: Path) -> None:
    async def story(a: Machine, b: Machine) -> None:
        outcome = await order(a, "drain")
        assert outcome["ok"], outcome
        assert outcome["steps"][-1] == "VI_1 is drained: this node does not take over until `pyvrrpctl resume`"
        assert b.serves
        assert a.keeper.orders == ["drain"]

    play(key, story)


def test_what_cannot_be_moved_is_not_drained(key: Path) -> None:
    async def story(a: Machine, b: Machine) -> None:
        b.keeper.against = ("lag is 12 s",)
        await asyncio.sleep(0.1)
        outcome = await order(a, "drain")
        assert outcome["why"] == "node-b: lag is 12 s"
        assert a.serves
        assert a.keeper.orders == []

    play(key, story)


def test_a_wrong_name_drains_nobody(key: Path) -> None:
    async def story(a: Machine, b: Machine) -> None:
        for node, other in ((a, "node-b"), (b, "node-a")):
            with pytest.raises(ControlError, match=f"the other node is {other}, not node-c: nothing was done"):
                await order(node, "drain", to="node-c")
            assert node.keeper.orders == []

    play(key, story)


def test_nobody_hands_over_to_one_that_may_not_be_there(key: Path) -> None:
    async def story(a: Machine, b: Machine) -> None:
        await b.databases.channel.close()
        await until(lambda: not a.databases.channel_is_up)
        with pytest.raises(ControlError, match="the channel to the other agent is down, so that nobody is known"):
            await order(a, "drain")
        assert a.serves
        assert a.keeper.orders == []

    play(key, story)


def test_without_a_channel_draining_hands_over_at_vrrps_pace(key: Path) -> None:
    async def story(a: Machine, b: Machine) -> None:
        a.databases.want(replace(a.node.settings, channel=None))
        await until(lambda: a.databases.channel_status() is None)
        outcome = await order(a, "drain")
        assert outcome["ok"]
        assert "there is no channel" in outcome["steps"][0]
        await until(lambda: b.serves and not a.kernel)
        with pytest.raises(ControlError, match="there is no channel to the other node's agent: none is configured"):
            await order(a, "switchover")

    play(key, story)


def test_nobody_is_promoted_beside_a_living_master(key: Path) -> None:
    async def story(a: Machine, b: Machine) -> None:
        with pytest.raises(ControlError, match=r"192\.168\.1\.1 is master and speaks"):
            await order(b, "promote", sure=True)
        with pytest.raises(ControlError, match="MASTER here already"):
            await order(a, "promote", sure=True)

    play(key, story)


def test_promotion_has_a_price_and_then_happens(key: Path) -> None:
    async def story(a: Machine, b: Machine) -> None:
        b.keeper.against = ("drained by order",)
        b.server.applies = False
        a.server.rows += 5
        await asyncio.sleep(0.1)
        had = b.server.rows
        a.die()
        a.server.writable = False
        await until(lambda: b.node.snapshot(asyncio.get_running_loop().time()).instances[0].why[0].find("nobody") > 0)
        await asyncio.sleep(0.5)
        assert b.state == "BACKUP"
        price = await order(b, "promote")
        assert f"WILL BE LOST, as far as is known: {had + 1}..{a.server.rows}" in price["steps"]
        assert "VI_1: drained by order" in price["steps"]
        post = b.databases.post("VI_1")
        assert post.other is not None
        post.other = replace(post.other, writes="open")
        assert any(each.startswith("ITS WRITES WERE OPEN") for each in (await order(b, "promote"))["steps"])
        assert b.state == "BACKUP"
        outcome = await order(b, "promote", sure=True)
        assert outcome == {"ok": True, "steps": ["VI_1 is MASTER here, its writes are open"]}
        assert b.serves
        assert b.keeper.wishes[-1].forced  # type: ignore[union-attr]

    play(key, story)


def test_a_promotion_that_fails_says_why(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MARGIN", -9.5)

    async def story(a: Machine, b: Machine) -> None:
        b.keeper.against = ("drained by order",)
        await asyncio.sleep(0.1)
        a.die()
        a.server.writable = False
        await asyncio.sleep(1.5)
        monkeypatch.setattr(b.keeper, "open_writes", lambda _effect: None)  # it never answers
        outcome = await order(b, "promote", sure=True)
        assert outcome.get("timed_out"), outcome
        assert outcome["why"] == "writes were not open within 0.5 s"

    play(key, story)
