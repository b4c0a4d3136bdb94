"""Who hears of a change, with real scripts and pipes."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path

import pytest

import pyvrrp.app.herald
from pyvrrp.app.herald import Herald
from pyvrrp.core.effects import Level, Mail, Notify
from pyvrrp.core.settings import Command, Fifo, MailSettings, NodeSettings
from tests.netns import Namespace, available
from tests.waiting import DEADLINE, until

NODE = NodeSettings("lb", ())
MASTER = Notify("INSTANCE VI_1", "vrrp", 'INSTANCE "VI_1" MASTER 150')
STOP = Notify("INSTANCE VI_1", "vrrp", 'INSTANCE "VI_1" STOP 150')
UP = Notify("SERVICE [192.0.2.1]:tcp:80", "lvs", "VS [192.0.2.1]:tcp:80 UP")


class Reports(list[tuple[Level, str]]):
    """What the herald reported."""

    def __call__(self, level: Level, text: str) -> None:
        self.append((level, text))

    @property
    def problems(self) -> list[str]:
        return [text for level, text in self if level <= Level.WARNING]


def run(test: Callable[[Herald], Coroutine[None, None, None]]) -> Reports:
    """Run `test` with a herald, which is closed after it; what it reported."""

    async def main() -> Reports:
        reports = Reports()
        herald = Herald(60.0, reports)
        try:
            await test(herald)
        finally:
            async with asyncio.timeout(2 * DEADLINE):
                await herald.close()
        return reports

    return asyncio.run(main())


async def happened(condition: Callable[[], object]) -> None:
    """Wait in the loop until `condition` is true."""
    assert await asyncio.to_thread(until, condition)


def content(path: Path) -> bytes:
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return b""


def is_pipe(fifo: Fifo) -> bool:
    return Path(fifo.path).is_fifo()


def remove(fifo: Fifo) -> None:
    Path(fifo.path).unlink()


def reading(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK)


def script(path: Path, text: str) -> Command:
    path.write_text(f"#!/bin/sh\ncd {path.parent}\n{text}\n")
    path.chmod(0o755)
    return Command((str(path),))


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def fifo(tmp_path: Path) -> Fifo:
    return Fifo(str(tmp_path / "fifo"))


def test_a_pipe_hears_of_its_family(tmp_path: Path) -> None:
    both, vrrp, lvs = (tmp_path / name for name in ("both", "vrrp", "lvs"))
    fifos = (Fifo(str(both)), Fifo(str(vrrp), lvs=False), Fifo(str(lvs), vrrp=False))

    async def test(herald: Herald) -> None:
        herald.want(replace(NODE, fifos=fifos))
        descriptors = [reading(path) for path in (both, vrrp, lvs)]
        herald.tell(MASTER)
        herald.tell(UP)
        herald.tell(Notify("INSTANCE VI_1", "vrrp", ""))
        assert [os.read(each, 4096).decode() for each in descriptors] == [
            f"{MASTER.line}\n{UP.line}\n",
            f"{MASTER.line}\n",
            f"{UP.line}\n",
        ]
        for each in descriptors:
            os.close(each)

    assert run(test).problems == []
    assert not both.exists()


def test_a_reload_keeps_a_pipe_and_its_reader(fifo: Fifo, tmp_path: Path) -> None:
    command = script(
        tmp_path / "reader", 'echo "start $*" >>heard; while read -r line; do echo $line; done <$2 >>heard'
    )
    fifo = replace(fifo, script=replace(command, words=(*command.words, "argument")))
    heard = tmp_path / "heard"

    async def test(herald: Herald) -> None:
        herald.want(replace(NODE, fifos=(fifo,)))
        herald.tell(MASTER)
        await happened(lambda: len(lines(heard)) == 2)
        herald.want(replace(NODE, router_id="other", fifos=(fifo, Fifo(str(tmp_path / "more")))))
        herald.tell(STOP)

    assert run(test).problems == []
    assert lines(heard) == [f"start argument {fifo.path}", MASTER.line, STOP.line]


def test_a_reload_replaces_a_pipe_that_changed(fifo: Fifo) -> None:
    async def test(herald: Herald) -> None:
        herald.want(replace(NODE, fifos=(fifo,)))
        old = reading(Path(fifo.path))
        herald.want(replace(NODE, fifos=(replace(fifo, lvs=False),)))
        assert os.read(old, 100) == b""
        os.close(old)
        new = reading(Path(fifo.path))
        herald.tell(MASTER)
        assert os.read(new, 100).decode() == f"{MASTER.line}\n"
        os.close(new)

    assert run(test).problems == []


def test_a_reload_mends_a_pipe_that_somebody_removed(fifo: Fifo) -> None:
    async def test(herald: Herald) -> None:
        herald.want(replace(NODE, fifos=(fifo,)))
        remove(fifo)
        herald.want(replace(NODE, fifos=(fifo,)))
        assert is_pipe(fifo)

    run(test)


def test_a_reader_that_ends_is_missed_and_started_by_a_reload(fifo: Fifo, tmp_path: Path) -> None:
    fifo = replace(fifo, script=script(tmp_path / "reader", "read -r line <$1; echo $line >>heard; exit 3"))
    heard = tmp_path / "heard"

    async def test(herald: Herald) -> None:
        herald.want(replace(NODE, fifos=(fifo,)))
        herald.tell(MASTER)
        await happened(lambda: lines(heard))
        herald.tell(STOP)
        (pipe,) = herald._pipes.values()
        await happened(lambda: pipe._reader is not None and not pipe._reader.runs)
        herald.want(replace(NODE, fifos=(fifo,)))
        await happened(lambda: len(lines(heard)) == 2)

    reports = run(test)
    assert lines(heard) == [MASTER.line, STOP.line]
    assert reports.problems[0] == f"{tmp_path}/reader {fifo.path} ended with status 3; the next reload starts it again"


def test_a_reader_that_waits_for_ever_is_asked_to_end(fifo: Fifo, tmp_path: Path) -> None:
    reader = script(
        tmp_path / "reader", "trap 'echo asked >>heard; exit' TERM\nexec 3<>$1; echo open >>heard; read line <&3"
    )
    heard = tmp_path / "heard"

    async def test(herald: Herald) -> None:
        herald.want(replace(NODE, fifos=(replace(fifo, script=reader),)))
        await happened(lambda: lines(heard))

    assert run(test).problems == []
    assert lines(heard) == ["open", "asked"]


def test_a_reader_that_cannot_start_is_said(fifo: Fifo) -> None:
    async def test(herald: Herald) -> None:
        herald.want(replace(NODE, fifos=(replace(fifo, script=Command(("/nowhere/reader",))),)))
        assert is_pipe(fifo)

    assert run(test).problems == [f"cannot run /nowhere/reader {fifo.path}: No such file or directory"]


def test_a_reader_that_starts_too_late_is_ended_at_once(
    fifo: Fifo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyvrrp.app.herald, "_LAST_WORDS", 60.0)
    monkeypatch.setattr(pyvrrp.app.herald, "_LAST_SECONDS", 60.0)
    reader = script(tmp_path / "reader", "exec sleep 61.5")

    async def test(herald: Herald) -> None:
        herald.want(replace(NODE, fifos=(replace(fifo, script=reader),)))
        await asyncio.sleep(0)
        herald.want(NODE)

    assert run(test).problems == []
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"61.5" in content(path)]


def test_scripts_are_run_in_order_and_the_last_arrives(tmp_path: Path) -> None:
    command = script(tmp_path / "notify", "sleep 0.05; echo $STATE $1 >>heard")

    async def test(herald: Herald) -> None:
        for state in ("BACKUP", "MASTER", "STOP"):
            commands = tuple(Command((*command.words, each)) for each in ("first", "second"))
            herald.tell(Notify("INSTANCE VI_1", "vrrp", "", commands, (("STATE", state),)))

    assert run(test).problems == []
    states = ("BACKUP", "MASTER", "STOP")
    assert lines(tmp_path / "heard") == [f"{state} {each}" for state in states for each in ("first", "second")]


def test_the_time_limit_follows_a_reload(tmp_path: Path) -> None:
    command = script(tmp_path / "hanging", "sleep 60")

    async def test(herald: Herald) -> None:
        herald.want(replace(NODE, script_timeout=0.1))
        herald.tell(Notify("INSTANCE VI_1", "vrrp", "", (command,)))
        herald.tell(Notify("INSTANCE VI_1", "vrrp", "", (script(tmp_path / "next", "touch done"),)))
        await happened(lambda: (tmp_path / "done").exists())

    (problem,) = run(test).problems
    assert problem.startswith(f"{tmp_path}/hanging for INSTANCE VI_1 still runs after 0.1")


@pytest.mark.lab
def test_mail_goes_where_the_last_reload_said() -> None:
    if not available():
        pytest.skip("network namespaces need root, or `unshare -Urnm`")
    alert = replace(MASTER, line="", mail=Mail("[lb] VRRP Instance VI_1 - Entering MASTER state", "body"))
    greetings: asyncio.Queue[str] = asyncio.Queue()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        greetings.put_nowait((await reader.readline()).decode().strip())
        writer.close()

    async def test(herald: Herald) -> None:
        herald.tell(alert)  # to nobody
        async with await asyncio.start_server(hear, "127.0.0.1", 0) as server, asyncio.timeout(DEADLINE):
            port = server.sockets[0].getsockname()[1]
            for name in ("one", "two"):
                mail = MailSettings("127.0.0.1", port, "a@example.com", ("b@example.com",), helo_name=name)
                herald.want(replace(NODE, mail=mail))
                herald.tell(alert)
            assert {await greetings.get(), await greetings.get()} == {"helo one", "helo two"}
            herald.want(NODE)
            herald.tell(alert)

    with Namespace() as host, host.inside():
        run(test)
    assert greetings.empty()
