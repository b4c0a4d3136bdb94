"""File checks: numbers as keepalived reads them, and changes as they happen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from pyvrrp.core.settings import CheckSettings, FileProbe
from pyvrrp.io.checks import Check
from tests.io.checks.hung import hung
from tests.io.checks.running import Reports, found, run


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"0\n", 0),
        (b"5\n", 5),
        (b"5", 5),
        (b"-9\n", -9),
        (b"+8\n", 8),
        (b"  7\n", 7),
        (b"\n5\n", 5),
        (b"\t\v\f6", 6),
        (b"6\n7\n", 6),
        (b"3 4\n", 3),
        (b"3.7\n", 3),
        (b"1e1\n", 1),
        (b"12abc\n", 12),
        (b"0x10\n", 16),
        (b"0XfF", 255),
        (b"0x", 0),
        (b"0xZ", 0),
        (b"010\n", 8),
        (b"09\n", 0),
        (b"-010\n", -8),
        (b"abc\n", 0),
        (b"- 9\n", 0),
        (b"-\n", 0),
        (b"\n", 0),
        (b"", 0),
        (b"2\x003", 2),
        (b" " * 100 + b"9\n", 9),
        (b" " * 5000 + b"9\n", 0),
        (b"2147483647", 2147483647),
        (b"-2147483648", -2147483648),
    ],
)
def test_a_number_is_read_as_keepalived_reads_it(tmp_path: Path, text: bytes, value: int) -> None:
    file = tmp_path / "track"
    file.write_bytes(text)
    result = found(FileProbe(str(file)))
    assert (result.ok, result.value, result.detail) == (value == 0, value, f"file {file} says {value}")


def test_no_file_is_zero(tmp_path: Path) -> None:
    assert found(FileProbe(str(tmp_path / "track"))).value == 0
    assert found(FileProbe(str(tmp_path / "track"))).ok
    assert found(FileProbe(str(tmp_path / "nowhere" / "track"))).ok


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    result = found(FileProbe(str(tmp_path)))
    assert (result.ok, result.detail) == (False, f"file {tmp_path}: Is a directory")


def watch(file: Path, test: Callable[[Reports], Coroutine[None, None, None]], interval: float = 60) -> None:
    """Run `test` beside a check of `file`, after its first result."""

    async def beside(_check: Check, reports: Reports) -> None:
        await reports.next()
        await test(reports)

    run(beside, CheckSettings("file", FileProbe(str(file)), interval=interval, timeout=1))


async def value(reports: Reports, wanted: int) -> None:
    """Wait until this is the value."""
    await reports.until(lambda result: result.value == wanted)


def test_changes_are_heard_of(tmp_path: Path) -> None:
    file, other = tmp_path / "track", tmp_path / "other"

    async def test(reports: Reports) -> None:
        file.write_text("5")
        await value(reports, 5)
        file.write_text("6")
        await value(reports, 6)
        file.unlink()
        await value(reports, 0)
        other.write_text("7")
        other.rename(file)
        await value(reports, 7)
        file.rename(other)
        await value(reports, 0)
        other.write_text("8")
        file.hardlink_to(other)
        await value(reports, 8)
        file.unlink()
        await value(reports, 0)
        with file.open("w") as writing:
            writing.write("9")
        await value(reports, 9)

    watch(file, test)


def test_others_in_the_directory_are_none_of_its_business(tmp_path: Path) -> None:
    async def test(reports: Reports) -> None:
        (tmp_path / "other").write_text("5")
        (tmp_path / "track2").write_text("5")
        await asyncio.sleep(0.1)
        assert reports.queue.empty()

    watch(tmp_path / "track", test)


def test_links_are_followed(tmp_path: Path) -> None:
    file, elsewhere = tmp_path / "track", tmp_path / "elsewhere"
    elsewhere.mkdir()
    target = elsewhere / "target"
    target.write_text("1")

    async def test(reports: Reports) -> None:
        file.symlink_to(target)
        await value(reports, 1)
        target.write_text("2")
        await value(reports, 2)
        file.unlink()
        await value(reports, 0)

    watch(file, test)


def test_a_directory_may_come_later(tmp_path: Path) -> None:
    file = tmp_path / "run" / "track"

    async def test(reports: Reports) -> None:
        file.parent.mkdir()
        file.write_text("1")
        await value(reports, 1)
        file.write_text("2")
        await value(reports, 2)
        file.unlink()
        file.parent.rmdir()
        await value(reports, 0)
        file.parent.mkdir()
        file.write_text("3")
        await value(reports, 3)

    watch(file, test, interval=0.1)


def test_a_number_that_is_too_large_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "track"

    async def test(reports: Reports) -> None:
        file.write_text("5")
        await value(reports, 5)
        file.write_text("99999999999")
        _, result = await reports.next()
        assert (result.ok, result.value) == (False, 5)
        assert result.detail == f"file {file} says 99999999999, 5 stays"

    watch(file, test)


def test_after_stop_nothing_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "track"

    async def test(check: Check, reports: Reports) -> None:
        await reports.next()
        file.write_text("5")
        check.stop()
        await asyncio.sleep(0.1)
        assert reports.queue.empty()

    run(test, CheckSettings("file", FileProbe(str(file)), interval=0.05))


@pytest.mark.lab
def test_a_file_system_that_hangs(tmp_path: Path) -> None:
    place = tmp_path / "mnt"
    place.mkdir()
    file = place / "track"

    async def test(_check: Check, reports: Reports) -> None:
        _, result = await reports.next()
        assert (result.ok, result.detail) == (False, f"file {file} was not read in 0.1 s")
        _, result = await reports.next()
        assert (result.ok, result.detail) == (False, f"file {file}: the run before still hangs")

    with hung(place):
        run(test, CheckSettings("file", FileProbe(str(file)), interval=0.2, timeout=0.1))
