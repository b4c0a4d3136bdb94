"""Without GTIDs: what of a server's own binary log the other server has not executed. Pure.

A server that was the other one's source is known there by a place in its log. What lies beyond that place is nothing of
its own as long as it is only what a server writes down by itself at a start, a stop or the end of a file, or came
from the other one (log_slave_updates). Tried on MariaDB 10.11 and MySQL 5.6, after a stop, SIGKILL and a switchover.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pyvrrp.mysql.status import Coordinates

BEGIN: Final = 4  # where the first event of every file is
HOUSEKEEPING: Final = frozenset(
    {"format_desc", "start_encryption", "gtid_list", "previous_gtids", "binlog_checkpoint", "rotate", "stop"}
)


@dataclass(frozen=True, slots=True)
class LogFile:
    """A binary log and its size."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class LogEvent:
    """An event from `begin` to `end`, of the server that first wrote it down."""

    file: str
    begin: int
    end: int
    kind: str
    server_id: int


def beyond(logs: Sequence[LogFile], executed: Coordinates) -> tuple[Coordinates, ...]:
    """Where the log goes on behind that place, in each file in which it does. Raises ValueError: it cannot be told."""
    names = [each.name for each in logs]
    if executed.file not in names:
        raise ValueError(f"its binary log has no {executed.file}, in which the active server stopped: purged or reset")
    first, *later = logs[names.index(executed.file) :]
    if executed.position > first.size:
        raise ValueError(
            f"{first.name} ends at {first.size} here and the active server has executed it up to {executed.position}:"
            " it has lost something in a crash, or was reset"
        )
    rest = (executed,) if executed.position < first.size else ()
    return (*rest, *(Coordinates(each.name, BEGIN) for each in later if each.size > BEGIN))


def log_events(file: str, rows: Sequence[Mapping[str, Any]]) -> tuple[LogEvent, ...]:
    """Rows of SHOW BINLOG EVENTS.

    MariaDB 11.8 says 0 for the end of an event that is not the last one of its transaction: there the next one begins.
    """
    begins = [int(row["Pos"]) for row in rows]
    following = [*begins[1:], *begins[-1:]]
    return tuple(
        LogEvent(file, begin, int(row["End_log_pos"]) or then, str(row["Event_type"]), int(row["Server_id"]))
        for row, begin, then in zip(rows, begins, following, strict=True)
    )


def own(events: Iterable[LogEvent], active: int) -> tuple[str, ...]:
    """The parts of a log that did not come from the active server, as `mysql-bin.000007:1234..5678`."""
    found: list[LogEvent] = []
    for event in events:
        if event.kind.lower() in HOUSEKEEPING or event.server_id == active:
            continue
        last = found[-1] if found else None
        if last is not None and (last.file, last.end) == (event.file, event.begin):
            found[-1] = LogEvent(event.file, last.begin, event.end, last.kind, last.server_id)
        else:
            found.append(event)
    return tuple(f"{each.file}:{each.begin}..{each.end}" for each in found)


def taken_apart(part: str) -> tuple[str, int, int]:
    """The file, begin and end of such a part. Raises ValueError."""
    file, _, places = part.rpartition(":")
    begin, _, end = places.partition("..")
    return file, int(begin), int(end)
