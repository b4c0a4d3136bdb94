"""A server that answers, but not what it is asked: it is not asked anew all the time, and what it waits for is told."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.server import Server as Asked
from tests.mysql.server import AGENT, Server, available, running
from tests.waiting import until

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not available(), reason="needs MariaDB, and root"),
]


def follow(replica: Server, source: Server) -> None:
    at = source.execute(
        "GRANT REPLICATION SLAVE ON *.* TO repl IDENTIFIED BY 'repl'",
        "CREATE DATABASE app",
        "CREATE TABLE app.t (v LONGBLOB)",
        "SHOW MASTER STATUS",
    )[0]
    replica.execute(
        "CREATE DATABASE app",
        "CREATE TABLE app.t (v LONGBLOB)",
        f"GRANT SLAVE MONITOR, BINLOG MONITOR ON *.* TO {AGENT}",
        f"CHANGE MASTER TO master_host='127.0.0.1', master_port={source.port}, master_user='repl',"
        f" master_password='repl', master_log_file='{at['File']}', master_log_pos={at['Position']}",
        "START SLAVE",
    )
    assert until(lambda: replica.execute("SHOW ALL SLAVES STATUS")[0]["Slave_IO_Running"] == "Yes")


def test_a_replica_with_a_full_disk_says_so_and_is_not_buried_under_questions(tmp_path: Path, small_disk: Path) -> None:
    """MariaDB's SHOW ALL SLAVES STATUS waits for the thread that waits for the disk."""

    def asking() -> int:
        rows = replica.execute("SHOW PROCESSLIST")
        return sum(row["User"] == AGENT for row in rows)

    async def story() -> None:
        asked = Asked(replica.agent)
        try:
            assert (await asked.look(5.0)).replications[0].io == "Yes"
            with contextlib.suppress(OSError), (small_disk / "fill").open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(1 << 12))
            source.execute("SET SESSION binlog_format=ROW", "INSERT INTO app.t VALUES (REPEAT('x', 4000000))")
            full = "Waiting for someone to free space"
            assert until(lambda: any(row["State"] == full for row in replica.execute("SHOW PROCESSLIST")))
            for _ in range(6):
                with pytest.raises(DatabaseError, match=r"^SHOW ALL SLAVES STATUS has had no answer for ") as failed:
                    await asked.look(0.3)
                assert failed.value.kind is Kind.TIMED_OUT
                assert f"; its disk is full (Slave_IO: {full})" in str(failed.value)
            assert asking() <= 3
        finally:
            asked.close()

    source_place = tmp_path / "source"
    source_place.mkdir()
    with (
        running(source_place, "--server-id=8") as source,
        running(small_disk, "--tmpdir", str(small_disk)) as replica,
    ):
        follow(replica, source)
        asyncio.run(story())


async def answers(asked: Asked) -> int:
    """Its server_id, once it has done with the question that nobody waits for any more."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(DatabaseError):
                return (await asked.look(5.0)).server_id
            await asyncio.sleep(0.05)


def test_what_waits_for_a_lock_is_asked_again_when_it_is_over(tmp_path: Path) -> None:
    async def story() -> None:
        asked = Asked(server.agent)
        try:
            await asked.look(5.0)
            with server.connect() as lock, lock.cursor() as cursor:
                cursor.execute("LOCK TABLES pyvrrp.heartbeat WRITE")
                for _ in range(4):
                    with pytest.raises(DatabaseError, match=r"^SELECT server_id, beat, at FROM pyvrrp\.h has had "):
                        await asked.look(0.3)
                cursor.execute("SHOW PROCESSLIST")
                assert sum(row["User"] == AGENT for row in cursor.fetchall()) == 2
            assert await answers(asked) == 7
        finally:
            asked.close()

    with running(tmp_path) as server:
        server.execute(f"GRANT SLAVE MONITOR, BINLOG MONITOR ON *.* TO {AGENT}")
        asyncio.run(story())
