"""What is said of a real server while this and that is done to it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pymysql
import pytest
from pymysql.connections import Connection
from pymysql.cursors import DictCursor

from pyvrrp.core.settings import Account, ProbeSettings
from pyvrrp.mysql.probe import Watch
from pyvrrp.mysql.verdict import Verdict, Word
from tests.mysql.server import AGENT, Server, available, running

pytestmark = [
    pytest.mark.lab,  # seconds each
    pytest.mark.skipif(not available(), reason="needs MariaDB, and root"),
]

PATIENCE = 30.0
TOO_MANY_CONNECTIONS = 1040
UP, OVERLOADED, READ_ONLY = Word.UP, Word.OVERLOADED, Word.READ_ONLY
STALLED, HUNG, DOWN = Word.STALLED, Word.HUNG, Word.DOWN


class Witness:
    """A watch, and all that it said."""

    def __init__(self, account: Account, settings: ProbeSettings) -> None:
        self.said: list[Verdict] = []
        self._news = asyncio.Event()
        self.watch = Watch(account, settings, self._hear)

    def _hear(self, verdict: Verdict) -> None:
        self.said.append(verdict)
        self._news.set()

    async def until(self, condition: Callable[[Verdict], bool]) -> Verdict:
        """Wait for a verdict that is like this; from now on only what comes later counts."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self._news.clear()
                for verdict in (*self.said[-1:],):
                    if condition(verdict):
                        return verdict
                await self._news.wait()

    async def word(self, word: Word) -> Verdict:
        """Wait for this word."""
        return await self.until(lambda verdict: verdict.word is word)

    async def rounds(self, count: int) -> list[Verdict]:
        """What is said next."""
        have = len(self.said)
        await self.until(lambda _: len(self.said) >= have + count)
        return self.said[have:]


@contextlib.asynccontextmanager
async def watching(account: Account, settings: ProbeSettings | None = None) -> AsyncIterator[Witness]:
    witness = Witness(account, settings or ProbeSettings())
    witness.watch.start()
    try:
        yield witness
    finally:
        witness.watch.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path) as server:
        yield server


def by_socket(server: Server) -> Account:
    return server.agent


def by_port(server: Server) -> Account:
    return server.over_tcp


EITHER_WAY = pytest.mark.parametrize("account", [by_socket, by_port])


@EITHER_WAY
def test_killed_is_down_at_once_and_conclusive(server: Server, account: Callable[[Server], Account]) -> None:
    async def story() -> None:
        async with watching(account(server), ProbeSettings(interval=600.0)) as witness:
            up = await witness.word(UP)
            assert (up.server_id, up.read_only, up.usable) == (7, False, True)
            assert up.pid == (server.process.pid if account is by_socket else None)
            server.signal(signal.SIGKILL)
            down = await witness.word(DOWN)  # no ping was due for ten minutes
            assert down.conclusive

    asyncio.run(story())


def test_each_end_of_a_server_is_heard_though_its_connections_are_numbered_anew(server: Server, tmp_path: Path) -> None:
    """The agent is the first that connects to a server that has just begun: number 3 each time."""

    async def story() -> None:
        async with watching(server.agent, ProbeSettings(interval=1.0)) as witness:
            await witness.word(UP)
            server.end()
            await witness.word(DOWN)
            for _ in range(2):
                with running(tmp_path, fresh=False) as again:
                    up = await witness.until(lambda said, pid=again.process.pid: said.pid == pid)  # type: ignore[misc]
                    assert up.word is UP
                    assert witness.watch.kill()  # its process is known
                    assert (await witness.word(DOWN)).conclusive

    asyncio.run(story())


def test_a_socket_file_that_is_gone_is_no_dead_server(server: Server) -> None:
    """Somebody has cleaned up. Its clients by TCP go on writing, so nothing may be concluded from that."""

    async def story() -> None:
        async with watching(server.agent) as witness:
            await witness.word(UP)
            before = server.connect()
            await asyncio.to_thread(Path(server.socket).unlink)
            with before.cursor() as cursor:
                cursor.execute(f"KILL {witness.watch.ping.thread_id}")
            gone = await witness.word(DOWN)
            assert not gone.conclusive
            assert f"{server.socket} is gone, and a server listens on it still" in gone.evidence
            server.process.terminate()
            assert (await witness.until(lambda said: said.conclusive)).word is DOWN

    asyncio.run(story())


def test_a_server_that_comes_back_is_up_again(server: Server, tmp_path: Path) -> None:
    async def story() -> None:
        async with watching(server.agent) as witness:
            await witness.word(UP)
            server.end()
            await witness.word(DOWN)
            with running(tmp_path, fresh=False) as again:
                assert (await witness.word(UP)).pid == again.process.pid

    asyncio.run(story())


@EITHER_WAY
def test_half_a_second_without_a_word_is_nothing(server: Server, account: Callable[[Server], Account]) -> None:
    async def story() -> None:
        async with watching(account(server)) as witness:
            await witness.word(UP)
            before = server.aborted()
            for _ in range(3):
                server.signal(signal.SIGSTOP)
                await asyncio.sleep(0.5)
                server.signal(signal.SIGCONT)
                await witness.rounds(2)
            assert {verdict.word for verdict in witness.said} == {UP}
            assert server.aborted() == before

    asyncio.run(story())


@EITHER_WAY
def test_stopped_is_hung_until_it_goes_on(server: Server, account: Callable[[Server], Account]) -> None:
    async def story() -> None:
        async with watching(account(server)) as witness:
            await witness.word(UP)
            before = server.aborted()
            server.signal(signal.SIGSTOP)
            await witness.word(HUNG)
            server.signal(signal.SIGCONT)
            await witness.word(UP)
            assert server.aborted() == before  # it was not buried under connections

    asyncio.run(story())


@EITHER_WAY
def test_hung_and_then_killed_is_down(server: Server, account: Callable[[Server], Account]) -> None:
    async def story() -> None:
        async with watching(account(server)) as witness:
            await witness.word(UP)
            server.signal(signal.SIGSTOP)
            await witness.word(HUNG)
            server.signal(signal.SIGKILL)
            assert (await witness.word(DOWN)).conclusive

    asyncio.run(story())


def test_what_this_agent_is_late_is_not_laid_at_the_servers_door(server: Server) -> None:
    async def story() -> None:
        async with watching(server.agent) as witness:
            await witness.word(UP)
            for _ in range(3):
                time.sleep(1.5)  # noqa: ASYNC251  # the loop stands still
                await witness.rounds(1)
            assert {verdict.word for verdict in witness.said} == {UP}

    asyncio.run(story())


def test_a_connection_that_the_server_ends_is_made_anew(server: Server) -> None:
    async def story() -> None:
        async with watching(server.agent, ProbeSettings(interval=600.0)) as witness:
            await witness.word(UP)
            number = witness.watch.ping.thread_id
            server.execute(f"KILL {number}")
            assert [verdict.word for verdict in await witness.rounds(1)] == [UP]
            assert witness.watch.ping.thread_id != number

    asyncio.run(story())


def test_no_room_for_connections_is_overloaded_and_never_down(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        async with watching(server.agent) as witness:
            await witness.word(UP)
            others = [server.connect() for _ in range(10)]  # max_connections, and one for root
            assert {verdict.word for verdict in await witness.rounds(3)} == {UP}  # the held connection is there
            others.append(await the_agents_place(server, others[0]))
            found = await witness.word(OVERLOADED)
            assert "1040" in found.evidence
            for other in others:
                other.close()
            await witness.word(UP)
            assert not {DOWN, HUNG} & {verdict.word for verdict in witness.said}

    with running(tmp_path, "--max-connections=10") as server:
        asyncio.run(story(server))


async def the_agents_place(server: Server, root: Connection[DictCursor]) -> Connection[DictCursor]:
    """A connection in the place of the agent's, which may be back before anybody else has come."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with root.cursor() as cursor:
                cursor.execute("SELECT id FROM information_schema.processlist WHERE user = %s", (AGENT,))
                for row in cursor.fetchall():
                    with contextlib.suppress(pymysql.MySQLError):  # gone by itself
                        cursor.execute(f"KILL {row['id']}")
            try:
                return server.connect()
            except pymysql.OperationalError as error:
                if error.args[0] != TOO_MANY_CONNECTIONS:
                    raise
            await asyncio.sleep(0)


def test_a_denied_login_is_up_and_of_no_use(server: Server, tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "password").write_text("another")
        async with watching(server.agent) as witness:
            found = await witness.word(UP)
            assert not found.usable
            assert "1045" in found.evidence

    asyncio.run(story())


def test_read_only_is_said_and_nothing_is_written_to_it(server: Server) -> None:
    async def story() -> None:
        server.execute("SET GLOBAL read_only = 1")
        async with watching(server.agent) as witness:
            witness.watch.writing = True
            await witness.rounds(3)
            assert {verdict.word for verdict in witness.said} == {READ_ONLY}
            server.execute("SET GLOBAL read_only = 0")
            await witness.word(UP)

    asyncio.run(story())


def beat(server: Server) -> int:
    rows = server.execute("SELECT beat FROM pyvrrp.heartbeat WHERE server_id = 7")
    return int(rows[0]["beat"]) if rows else 0


def test_it_writes_only_while_asked_to(server: Server) -> None:
    async def story() -> None:
        async with watching(server.agent, ProbeSettings(interval=0.1)) as witness:
            await witness.rounds(3)
            assert beat(server) == 0
            witness.watch.writing = True
            await witness.until(lambda _: beat(server) > 3)
            witness.watch.writing = False
            await witness.rounds(2)
            last = beat(server)
            await witness.rounds(3)
            assert beat(server) == last

    asyncio.run(story())


def test_a_global_read_lock_is_no_stall(server: Server) -> None:
    async def story() -> None:
        async with watching(server.agent) as witness:
            witness.watch.writing = True
            await witness.until(lambda _: beat(server) > 0)
            with server.connect() as backup, backup.cursor() as cursor:
                cursor.execute("FLUSH TABLES WITH READ LOCK")
                waiting = await witness.until(lambda verdict: "waits its turn" in verdict.evidence)
                assert waiting.word is UP
                await witness.rounds(3)
            await witness.until(lambda verdict: verdict.evidence == "answers")
            assert {verdict.word for verdict in witness.said} == {UP}

    asyncio.run(story())


def test_a_full_disk_stalls_writes_while_pings_are_answered(small_disk: Path) -> None:
    async def story(server: Server) -> None:
        async with watching(server.agent, replace(ProbeSettings(), interval=0.1)) as witness:
            witness.watch.writing = True
            await witness.until(lambda _: beat(server) > 0)
            with contextlib.suppress(OSError), (small_disk / "fill").open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(1 << 16))
            stalled = await witness.word(STALLED)
            assert stalled.usable
            await witness.rounds(3)
            assert witness.watch.latest.word is STALLED
            assert not {DOWN, HUNG} & {verdict.word for verdict in witness.said}
            (small_disk / "fill").unlink()

    with running(small_disk, "--tmpdir", str(small_disk)) as server:
        asyncio.run(story(server))
