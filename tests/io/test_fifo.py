"""Named pipes that are told of every change."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from pyvrrp.core.effects import Level
from pyvrrp.core.settings import Fifo
from pyvrrp.io.fifo import HELD, FifoWriter
from tests.users import may_switch_users

BACKUP = 'INSTANCE "VI_1" BACKUP 150'
MASTER = 'INSTANCE "VI_1" MASTER 150'


class Reports(list[tuple[Level, str]]):
    """What a writer reported."""

    def __call__(self, level: Level, text: str) -> None:
        self.append((level, text))


class Reader:
    """Somebody who reads the pipe, without waiting."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def read(self) -> str | None:
        """What there is, "" at the end of the file, None when there is nothing yet."""
        try:
            return os.read(self.descriptor, 1 << 20).decode()
        except BlockingIOError:
            return None

    def leave(self) -> None:
        os.close(self.descriptor)


def run(path: Path, test: Callable[[FifoWriter, Reports], object], user: str = "", group: str = "") -> Reports:
    """Run `test` with a writer, which is closed after it; what it reported."""

    async def main() -> Reports:
        reports = Reports()
        writer = FifoWriter(Fifo(str(path), user, group), reports)
        try:
            test(writer, reports)
        finally:
            writer.close()
        return reports

    return asyncio.run(main())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fifo"


def test_it_is_made_for_its_owner_alone_and_removed(path: Path) -> None:
    def test(writer: FifoWriter, _reports: Reports) -> None:
        status = path.lstat()
        assert stat.S_ISFIFO(status.st_mode)
        assert stat.S_IMODE(status.st_mode) == 0o600
        assert (status.st_uid, status.st_gid) == (os.geteuid(), os.getegid())
        assert writer.intact

    assert run(path, test) == []
    assert not path.exists()


@pytest.mark.skipif(not may_switch_users(), reason="only root can give files away")
@pytest.mark.parametrize(("user", "group", "owner"), [("nobody", "", (65534, 65534)), ("nobody", "daemon", (65534, 1))])
def test_it_belongs_to_whom_it_is_for(path: Path, user: str, group: str, owner: tuple[int, int]) -> None:
    def test(_writer: FifoWriter, _reports: Reports) -> None:
        assert (path.stat().st_uid, path.stat().st_gid) == owner

    run(path, test, user, group)


def test_a_reader_gets_lines(path: Path) -> None:
    def test(writer: FifoWriter, _reports: Reports) -> None:
        reader = Reader(path)
        assert reader.read() is None
        writer.write(BACKUP)
        writer.write(MASTER)
        assert reader.read() == f"{BACKUP}\n{MASTER}\n"
        writer.close()
        assert reader.read() == ""
        reader.leave()

    run(path, test)


def test_a_name_that_is_no_text_comes_out_as_it_went_in(path: Path) -> None:
    def test(writer: FifoWriter, _reports: Reports) -> None:
        reader = Reader(path)
        writer.write(os.fsdecode(b'INSTANCE "\xe9" MASTER 150'))
        assert os.read(reader.descriptor, 100) == b'INSTANCE "\xe9" MASTER 150\n'
        reader.leave()

    run(path, test)


def test_readers_come_and_go(path: Path) -> None:
    def test(writer: FifoWriter, _reports: Reports) -> None:
        writer.write(BACKUP)
        first = Reader(path)
        assert first.read() == f"{BACKUP}\n"
        first.leave()
        writer.write(MASTER)
        second = Reader(path)
        assert second.read() == f"{MASTER}\n"
        second.leave()

    assert run(path, test) == []


def test_a_pipe_that_nobody_reads_holds_nobody_up_and_ends_with_the_newest(path: Path) -> None:
    lines = [f'INSTANCE "VI_1" MASTER {number}' for number in range(5000)]
    reports = Reports()

    async def main() -> None:
        writer = FifoWriter(Fifo(str(path)), reports)
        for line in lines:
            writer.write(line)
        reader = Reader(path)
        got: list[str] = []
        async with asyncio.timeout(5):
            while not got or got[-1] != lines[-1]:
                got += (reader.read() or "").splitlines()
                await asyncio.sleep(0)
        assert got == sorted(set(got), key=lines.index)
        assert got[-HELD:] == lines[-HELD:]
        assert got[0] == lines[0]
        assert HELD < len(got) < len(lines)
        writer.write(MASTER)
        assert reader.read() == f"{MASTER}\n"
        assert not asyncio.get_running_loop().remove_writer(writer._descriptor or 0)  # nobody waits for room
        reader.leave()
        writer.close()

    asyncio.run(main())
    assert reports == [
        (Level.WARNING, f"nobody reads the FIFO {path}: it is full, the newest 1024 lines wait"),
        (Level.NOTICE, f"the FIFO {path} is read again"),
    ]


def test_one_that_was_there_is_used_and_stays(path: Path) -> None:
    os.mkfifo(path, 0o622)
    before = path.stat()

    def test(writer: FifoWriter, _reports: Reports) -> None:
        reader = Reader(path)
        writer.write(MASTER)
        assert reader.read() == f"{MASTER}\n"
        reader.leave()

    assert run(path, test, "root", "root") == []
    assert (path.stat().st_ino, path.stat().st_mode) == (before.st_ino, before.st_mode)


def says(path: Path, reason: str, user: str = "") -> None:
    """Such a writer says so, takes lines, and says nothing else."""

    def test(writer: FifoWriter, _reports: Reports) -> None:
        writer.write(MASTER)
        assert not writer.intact

    assert run(path, test, user) == [(Level.ERROR, f"no notifications in the FIFO {path}: {reason}")]


def test_a_file_in_its_place_is_not_touched(path: Path) -> None:
    path.write_text("precious\n")
    says(path, "there is a file that is no FIFO")
    assert path.read_text() == "precious\n"


def test_a_link_in_its_place_is_not_followed(path: Path) -> None:
    os.mkfifo(path.with_name("target"))
    path.symlink_to("target")
    says(path, "Too many levels of symbolic links")
    assert path.is_symlink()


def test_a_place_that_does_not_exist(tmp_path: Path) -> None:
    says(tmp_path / "none" / "fifo", "No such file or directory")


def test_an_owner_that_does_not_exist(path: Path) -> None:
    says(path, 'there is no user "no-such-user"', "no-such-user")
    assert not path.exists()


def test_one_that_was_removed_or_replaced_is_noticed_and_left_alone(path: Path) -> None:
    def test(writer: FifoWriter, _reports: Reports) -> None:
        path.unlink()
        assert not writer.intact
        writer.write(MASTER)
        os.mkfifo(path)
        assert not writer.intact

    run(path, test)
    assert path.exists()
