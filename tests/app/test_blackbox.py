"""The daemon's black box: files, listeners, and what becomes of a recording that cannot be written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from pyvrrp.app.blackbox import LOST, BlackBox
from pyvrrp.core.effects import Level
from pyvrrp.core.events import TimerDue
from pyvrrp.core.node import Node
from pyvrrp.errors import ControlError
from pyvrrp.recording.tap import Core
from tests.simulation import instance, settings


class Heart:
    """What the black box needs of one: a place for the node."""

    def __init__(self) -> None:
        self.node: Core = Node(settings(instance()), 0.0)
        self.first = self.node
        self.said: list[str] = []
        assert isinstance(self.node, Node)
        self.box = BlackBox(self.node, self._insert, self._say, limit=50)

    def beat(self, times: int = 1) -> None:
        """Something happens to the node."""
        for _ in range(times):
            self.node.handle(TimerDue(), 1.0)
            self.node.next_deadline()

    def _insert(self, core: Core) -> None:
        self.node = core

    def _say(self, _level: Level, text: str) -> None:
        self.said.append(text)


def run(test: Callable[[Heart], Awaitable[None]]) -> None:
    """Run a test in a loop, as the daemon does."""

    async def main() -> None:
        async with asyncio.timeout(20):
            await test(Heart())

    asyncio.run(main())


def test_a_file_from_the_start_to_the_end(tmp_path: Path) -> None:
    file = tmp_path / "it.jsonl"
    file.write_text("an earlier one")

    async def test(heart: Heart) -> None:
        heart.box.record_to(file, 0.0)
        assert heart.node is not heart.first
        heart.beat(3)
        await heart.box.close()
        assert heart.node is heart.first  # nothing is between heart and node any more

    run(test)
    header, *turns, last = map(json.loads, file.read_text().splitlines())
    assert (header["begins"], len(turns), last) == ("start", 3, {"end": "the daemon ended"})
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.with_name("it.jsonl.1").read_text() == "an earlier one"


def test_a_file_that_cannot_be_written_keeps_nothing_from_running(tmp_path: Path) -> None:
    async def test(heart: Heart) -> None:
        heart.box.record_to(tmp_path / "absent" / "it.jsonl", 0.0)
        assert heart.node is heart.first
        assert heart.said == [f"no recording to {tmp_path}/absent/it.jsonl: No such file or directory"]
        await heart.box.close()

    run(test)


def test_a_full_disk_ends_the_recording_only() -> None:
    async def test(heart: Heart) -> None:
        with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123, ASYNC230
            await heart.box._write(heart.box._begin(0.0), full, Path("it.jsonl"))
        assert heart.said == ["the recording to it.jsonl ends: No space left on device"]
        assert heart.node is heart.first

    run(test)


def test_a_listener_hears_from_now_on_and_leaves_when_it_likes() -> None:
    async def test(heart: Heart) -> None:
        heart.beat()
        listening = heart.box.listen()
        heard = await anext(listening)
        heart.beat(2)
        while heard.count(b'"event"') < 2:
            heard += await anext(listening)
        assert json.loads(heard.splitlines()[0])["begins"] == "midway"
        await listening.aclose()
        assert heart.node is heart.first
        assert heart.said[-1] == "The recording through the control socket has ended, 2 events"

    run(test)


def test_a_node_that_cannot_be_written_down_goes_on_all_the_same() -> None:
    async def test(heart: Heart) -> None:
        vars(heart.first)["_fault"] = iter(())  # no plain data
        with pytest.raises(ControlError, match=r"no recording: .*has no form in a recording"):
            await anext(heart.box.listen())
        assert heart.node is heart.first
        del vars(heart.first)["_fault"]
        listening = heart.box.listen()
        assert b"midway" in await anext(listening)
        await listening.aclose()

    run(test)


def test_a_listener_that_is_too_slow_is_told_and_let_go() -> None:
    async def test(heart: Heart) -> None:
        listening = heart.box.listen()
        await anext(listening)
        heart.beat(100)
        heard = b"".join([part async for part in listening])
        assert json.loads(heard.splitlines()[-1]) == {"end": LOST}
        assert heart.node is heart.first
        assert any("more happens than can be written" in each for each in heart.said)

    run(test)


def test_there_is_a_bound_on_listeners() -> None:
    async def test(heart: Heart) -> None:
        several = [heart.box.listen() for _ in range(4)]
        for each in several:
            await anext(each)
        with pytest.raises(ControlError, match="4 recordings are being made already"):
            await anext(heart.box.listen())
        for each in several:
            await each.aclose()

    run(test)
