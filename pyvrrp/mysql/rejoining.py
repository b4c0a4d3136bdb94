"""The return of a server that was active, or away: it follows the active one only if it has nothing of its own.

Nothing is ever skipped. What it alone has is named, with the command that shows it, and the operator decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pyvrrp.mysql.gtid import GtidSet
from pyvrrp.mysql.places import taken_apart
from pyvrrp.mysql.server import Server
from pyvrrp.mysql.status import Picture, Replication

LOGS: Final = 8  # files that a command names at most
PATIENCE: Final = 2.0  # seconds for each statement; starting reads files


async def follow(server: Server, replication: Replication) -> None:
    """Begin to replicate, from where it is. Raises DatabaseError."""
    spoken = await server.dialect(PATIENCE)
    name = replication.channel
    if replication.by_gtid and spoken.adopt_position:
        # Both threads: a position is adopted only while nothing replicates. The relay log is dropped with the start,
        # and fetched again.
        await server.ask(
            server.work, spoken.stop_io(name), spoken.stop_sql(name), *spoken.adopt_position, within=PATIENCE
        )
    await server.ask(server.work, spoken.start_io(name), spoken.start_sql(name), within=PATIENCE)


async def stop(server: Server, replication: Replication, within: float) -> None:
    """Neither receive nor apply any more."""
    spoken = await server.dialect(within)
    await server.ask(
        server.work, spoken.stop_io(replication.channel), spoken.stop_sql(replication.channel), within=within
    )


def showing(picture: Picture, errant: tuple[str, ...], logs: Sequence[str]) -> str:
    """The command that shows them, for the log; to be run where the server keeps its binary logs.

    A crash or a restart has begun a new log, so it is given the last few: MariaDB's wants one that begins before them.
    """
    if picture.gtids is None:
        return "; ".join(_part_shown(each) for each in errant[:LOGS])
    files = " ".join(logs[-LOGS:]) or "THE BINARY LOGS"
    if isinstance(picture.gtids, GtidSet):
        return f"mysqlbinlog --base64-output=decode-rows -v --include-gtids='{','.join(errant)}' {files}"
    if picture.ordered:
        way = f"--start-position='{','.join(_starts(errant))}'"
    else:  # numbers of both servers mix, and the command would end at the first that does not fit
        writers = {each.split("-")[1] for each in errant}
        way = "--skip-gtid-strict-mode" + (f" --server-id={writers.pop()}" if len(writers) == 1 else "")
    return f"mariadb-binlog --base64-output=decode-rows -v {way} {files}"


def _part_shown(part: str) -> str:
    file, begin, end = taken_apart(part)
    return f"mysqlbinlog --base64-output=decode-rows -v --start-position={begin} --stop-position={end} {file}"


def _starts(errant: tuple[str, ...]) -> list[str]:
    """The position before the first of each domain: it may be named once."""
    first: dict[str, str] = {}
    for each in sorted(map(_before, errant), key=_sequence):
        first.setdefault(each.partition("-")[0], each)
    return [first[domain] for domain in sorted(first, key=int)]


def _sequence(gtid: str) -> int:
    return int(gtid.rpartition("-")[2])


def _before(text: str) -> str:
    """The position before a range: `0-1-1926..1930` → `0-1-1925`."""
    head, _, last = text.rpartition("-")
    first = int(last.partition("..")[0])
    return f"{head}-{first - 1}"
