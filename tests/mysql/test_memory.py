"""What outlives the daemon is there again, whole, or not at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pyvrrp.mysql.memory import Memory, Remembered
from tests.waiting import until


def test_it_is_there_again(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path), "VI_1")
    memory.change(paused=True, failover=12.5, lost=("0-1-7",), errant=("0-2-8..9",))
    memory.close()
    wanted = Remembered(paused=True, failover=12.5, lost=("0-1-7",), errant=("0-2-8..9",))
    assert until(lambda: Memory(str(tmp_path), "VI_1").now == wanted)
    assert Memory(str(tmp_path), "VI_2").now == Remembered()
    assert [file.name for file in tmp_path.iterdir()] == ["VI_1.database.json"]


def test_what_is_heard_while_the_process_ends_is_remembered_too(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path), "VI_1")
    memory.close()
    memory.change(active=True)
    assert Memory(str(tmp_path), "VI_1").now.active


def test_without_a_directory_it_lasts_as_long_as_the_process() -> None:
    memory = Memory("", "VI_1")
    memory.change(drained=True)
    assert memory.now.drained


def test_a_file_that_is_damaged_is_named_and_forgotten(tmp_path: Path) -> None:
    (tmp_path / "VI_1.database.json").write_text('{"paused": tr')
    said: list[str] = []
    assert Memory(str(tmp_path), "VI_1", said.append).now == Remembered()
    assert "VI_1.database.json" in said[0]


def test_a_disk_that_refuses_is_named(tmp_path: Path) -> None:
    async def story() -> str:
        told: asyncio.Queue[str] = asyncio.Queue()
        memory = Memory(str(tmp_path / "missing"), "VI_1", told.put_nowait)
        memory.change(paused=True)
        assert memory.now.paused
        return await asyncio.wait_for(told.get(), 5)

    assert "missing" in asyncio.run(story())


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"failover": "yesterday"}', "failover"),
        ('{"lost": [1926]}', "lost"),
        ('{"lost": ["0-1-7"], "errant": [7]}', "errant"),
        ('{"errant": "0-1-7"}', "errant"),
    ],
)
def test_what_is_not_what_it_should_be_is_told_and_not_believed(tmp_path: Path, text: str, field: str) -> None:
    (tmp_path / "VI_1.database.json").write_text(text)
    told: list[str] = []
    assert Memory(str(tmp_path), "VI_1", told.append).now == Remembered()
    assert f"{field} is not what it should be" in told[0]


def test_a_gap_that_is_none_is_told_and_not_published(tmp_path: Path) -> None:
    (tmp_path / "VI_1.database.json").write_text('{"paused": true, "gaps": ["0-1-7"]}')
    told: list[str] = []
    assert Memory(str(tmp_path), "VI_1", told.append).now == Remembered()
    assert "'0-1-7' is no gap between transactions" in told[0]


@pytest.mark.parametrize(
    "text", ["[]", '""', "null", '{"failover": NaN}', '{"lost_at": -Infinity}', '{"gaps": ["0:5..3"]}']
)
def test_what_nobody_has_written_there_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "VI_1.database.json").write_text(text)
    told: list[str] = []
    assert Memory(str(tmp_path), "VI_1", told.append).now == Remembered()
    assert len(told) == 1


def test_what_is_of_another_server_is_told_and_forgotten_but_for_the_operator_s_word(tmp_path: Path) -> None:
    """Somebody has copied the directory from the other host: that one was active last, and not this one."""
    told: list[str] = []
    memory = Memory(str(tmp_path), "VI_1", told.append)
    memory.change(active=True, drained=True, gaps=("0:7..1000007",))
    memory.is_of(1)
    memory.is_of(1)
    assert memory.now.active
    assert told == []
    memory.is_of(2)
    assert memory.now == Remembered(drained=True, server=2)
    assert told[0].endswith("is of the server with server_id 1, and this one has 2")
    memory.close()


def test_two_names_are_two_files(tmp_path: Path) -> None:
    for number, name in enumerate(("a/b", "a_b", "a%2Fb")):
        memory = Memory(str(tmp_path), name)
        memory.change(beat=number)
        memory.close()
    assert until(lambda: [Memory(str(tmp_path), name).now.beat for name in ("a/b", "a_b", "a%2Fb")] == [0, 1, 2])
