"""One server as the procedures ask it: two sessions, kept warm, and each call with a deadline for all its statements.

`gate` alone says read_only, lists sessions and kills them: of two procedures, what the later one says to the server is
what it does last. `work` does what may take long.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pyvrrp.core.settings import Account
from pyvrrp.mysql import grants
from pyvrrp.mysql.dialect import Dialect, dialect, quoted
from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.gtid import Gap
from pyvrrp.mysql.places import LogEvent, LogFile, log_events
from pyvrrp.mysql.plan import WAITS
from pyvrrp.mysql.probe import DOING, WRITE
from pyvrrp.mysql.session import Row, Session
from pyvrrp.mysql.status import Coordinates, Picture, Process, goes_by_file, is_on, picture, processes, transactions

NO_SUCH_THREAD: Final = 1094
NOT_TO_BE_KILLED: Final = 1095  # without SYSTEM_USER nobody ends a session of an account that has it
GRACE: Final = 0.03  # seconds that a statement may take beyond what it waits for
RESERVED: Final = ("mysql.session", "mysql.sys", "mariadb.sys")
FULL: Final = re.compile(r"free space|disk space")  # what a thread waits for
SHOWN: Final = 40  # characters of a statement
CLIENTS: Final = (
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Rpl_semi_sync_master_clients', 'Rpl_semi_sync_source_clients')"
)
NUMBER: Final = "SET SESSION gtid_domain_id = {0}, gtid_seq_no = {1}"
FLAG: Final = "SELECT @@global.read_only AS flag"
WHO: Final = "SELECT SUBSTRING_INDEX(USER(), '@', 1) AS name"
VERSION: Final = "SELECT @@global.version AS version, @@global.version_comment AS comment"


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A statement that had no answer in time, and the server's number of the session that it was asked in."""

    session: int | None
    statement: str
    asked: float

    def is_asked_by(self, row: Row) -> bool:
        """Whether that one of the server's sessions still is about it."""
        return int(row["Id"]) == self.session and str(row["Info"] or "").startswith(self.statement[:SHOWN])


class Server:
    """The server of one account."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.gate = Session(account)
        self.work = Session(account)
        self._dialect: Dialect | None = None
        self._greeting = ""  # of the connection that the dialect was asked over
        self._own_user = ""
        self._unanswered: Unanswered | None = None

    async def dialect(self, within: float) -> Dialect:
        """How it is spoken to; asked again when it may be another server that answers there, of another version."""
        if self._dialect is None or self._is_another():
            (row,) = await self.ask(self.gate, VERSION, within=within)
            try:
                self._dialect = dialect(str(row["version"]), str(row["comment"]))
            except ValueError as error:
                raise DatabaseError(Kind.SQL, 0, str(error)) from None
            self._greeting = self.gate.version
        return self._dialect

    def _is_another(self) -> bool:
        """A connection has ended or, as that is not always heard, was made anew and greeted by another version."""
        sessions = (self.gate, self.work)
        return any(each.ended or each.version not in {"", self._greeting} for each in sessions)

    def forget(self) -> None:
        """It may have been started anew, as another version."""
        self._dialect = self._unanswered = None

    def renew(self) -> None:
        """Make its connections anew, each with its next statement."""
        self.gate.drop()
        self.work.drop()

    async def ask(self, session: Session, *statements: str, within: float) -> list[Row]:
        """Over one of its sessions. A connection that was lost since its last use is made anew: all that is asked here
        may be asked twice."""
        left = _countdown(within)
        try:
            return await session.ask(*statements, within=within)
        except DatabaseError as error:
            if error.kind is not Kind.CLOSED:
                raise
        return await session.ask(*statements, within=left())

    async def lacking(self, within: float) -> tuple[str, ...]:
        """Privileges that the agent's account needs and has not. Roles are not looked into."""
        left = _countdown(within)
        spoken = await self.dialect(left())
        lines = [str(next(iter(row.values()))) for row in await self.ask(self.work, "SHOW GRANTS", within=left())]
        roles = any(" ON " not in line for line in lines)
        facts = await self.ask(self.work, spoken.facts, within=left())
        wanted = spoken.needed(by_file=goes_by_file(spoken, facts[0], ()))
        return () if roles else grants.missing(spoken, wanted, lines)

    async def read_only(self, within: float) -> bool:
        """Whether it is closed for ordinary clients."""
        (row,) = await self.ask(self.gate, FLAG, within=within)
        return is_on(row["flag"])

    async def set_read_only(self, seconds: float, within: float) -> None:
        """Close it for ordinary clients, or fail within about `seconds` when a session holds it up.

        MySQL itself waits for whole seconds: then the connection is given up, and what it still does there is welcome.
        """
        left = _countdown(within)
        spoken = await self.dialect(left())
        limit = left() if spoken.maria else min(left(), seconds + GRACE)
        await self.gate.ask(*spoken.close_writes(seconds), within=limit)

    async def set_writable(self, within: float) -> None:
        """Open it."""
        left = _countdown(within)
        spoken = await self.dialect(left())
        await self.ask(self.gate, *spoken.open_writes, within=left())

    async def clients(self, within: float) -> list[Process]:
        """Everybody who is connected, but replication, the server's own threads and the account of this agent."""
        left = _countdown(within)
        if not self._own_user:
            (row,) = await self.ask(self.gate, WHO, within=left())
            self._own_user = str(row["name"])
        found = await self._processes(self.gate, left())
        return [each for each in found if each.client and each.user not in {self._own_user, *RESERVED}]

    async def _processes(self, session: Session, within: float) -> tuple[Process, ...]:
        left = _countdown(within)
        spoken = await self.dialect(left())
        rows: Sequence[Row] = ()
        for statement in spoken.processes:
            rows = await self.ask(session, statement, within=left())
            if rows:
                break
        return processes(rows)

    async def transactions(self, within: float) -> Mapping[int, int]:
        """Seconds that open transactions are old, by session."""
        left = _countdown(within)
        spoken = await self.dialect(left())
        return transactions(await self.work.ask(spoken.transactions, within=left()))

    async def kill(self, numbers: Sequence[int], within: float) -> frozenset[int]:
        """End these sessions; those of them that this account may not end. One that has gone by itself is no matter."""
        left = _countdown(within)
        spoken = await self.dialect(left())
        spared: set[int] = set()
        for number in numbers:
            try:
                await self.ask(self.gate, spoken.kill(number), within=left())
            except DatabaseError as error:
                if error.number == NOT_TO_BE_KILLED:
                    spared.add(number)
                elif error.number != NO_SUCH_THREAD:
                    raise
        return frozenset(spared)

    async def position(self, within: float) -> str:
        """All that it has, as Picture.has says it."""
        return (await self.glance(within, self.gate)).has

    async def glance(self, within: float, session: Session | None = None) -> Picture:
        """What matters while it is opened or closed: itself, and its replication."""
        left = _countdown(within)
        spoken = await self.dialect(left())
        asked = session or self.work
        facts = await self.ask(asked, spoken.facts, within=left())
        replicas = await self.ask(asked, spoken.replica_status, within=left())
        by_file = goes_by_file(spoken, facts[0], replicas)
        binlog = await self.ask(asked, spoken.binlog_status, within=left()) if by_file else ()
        return _picture(spoken, facts, replicas, binlog)

    async def logs(self, within: float) -> tuple[str, ...]:
        """The names of its binary logs, the newest last."""
        return tuple(each.name for each in await self.log_files(within))

    async def log_files(self, within: float) -> tuple[LogFile, ...]:
        """Its binary logs, the newest last."""
        rows = await self.ask(self.work, "SHOW BINARY LOGS", within=within)
        return tuple(LogFile(str(row["Log_name"]), int(row["File_size"])) for row in rows)

    async def log_events(self, place: Coordinates, most: int, within: float) -> tuple[LogEvent, ...]:
        """What one of its binary logs says from there on, `most` events."""
        statement = f"SHOW BINLOG EVENTS IN {quoted(place.file)} FROM {place.position:d} LIMIT {most + 1:d}"
        rows = await self.ask(self.work, statement, within=within)
        return log_events(place.file, rows)[:most]

    async def look(self, within: float) -> Picture:
        """All of it. A heartbeat table that is not there, or not for this account, has no beats.

        While the last look hangs in the server there is no other one: each would be one connection more. To say what
        has had no answer may take as long again.
        """
        left = _countdown(within)
        await self._hear_out(left())
        spoken = await self.dialect(left())
        statements = (
            spoken.facts,
            spoken.replica_status,
            spoken.binlog_status,
            spoken.semi_sync_variables,
            spoken.status,
        )
        answers = [await self._told(each, left(), within) for each in statements]
        return _picture(spoken, *answers, await self._beats(spoken, left(), within))

    async def _told(self, statement: str, left: float, within: float) -> Sequence[Row]:
        """Its rows. What has no answer in what is `left` is named, `within` a time of its own, and so is a full disk if
        the server says that it waits for one."""
        asked = asyncio.get_running_loop().time()
        try:
            return await self.ask(self.work, statement, within=left)
        except DatabaseError as error:
            if error.kind is not Kind.TIMED_OUT or left <= 0:  # then it was not even asked
                raise
        self._unanswered = one = Unanswered(self.work.last_thread_id, statement, asked)
        await self._hear_out(within)
        raise self._unheard(one, ())

    async def _hear_out(self, within: float) -> None:
        """Raises DatabaseError while the server still works on a question whose answer nobody waits for any more."""
        if self._unanswered is None:
            return
        rows = await self.ask(self.gate, DOING, within=within)
        if any(self._unanswered.is_asked_by(row) for row in rows):
            raise self._unheard(self._unanswered, rows)
        self._unanswered = None

    def _unheard(self, one: Unanswered, rows: Sequence[Row]) -> DatabaseError:
        seconds = asyncio.get_running_loop().time() - one.asked
        states = {str(row["State"]): str(row["Command"]) for row in rows if FULL.search(str(row["State"] or ""))}
        full = "".join(f"; its disk is full ({who}: {state})" for state, who in states.items())
        return DatabaseError(Kind.TIMED_OUT, 0, f"{one.statement[:SHOWN]} has had no answer for {seconds:.1f} s{full}")

    async def _beats(self, spoken: Dialect, left: float, within: float) -> Sequence[Row]:
        try:
            return await self._told(spoken.heartbeats, left, within)
        except DatabaseError as error:
            if error.number:
                return ()
            raise

    async def end_io(self, within: float) -> bool:
        """End the one thread that receives, at once; False when it is not that of MariaDB, or not one.

        A MariaDB replica that acknowledges asks its source to end their session before STOP SLAVE returns: that takes
        two seconds where the source does not answer (10.11).
        """
        left = _countdown(within)
        spoken = await self.dialect(left())
        if not spoken.maria:
            return False
        rows = await self.ask(self.work, *spoken.processes, within=left())
        numbers = [each.id for each in processes(rows) if each.command == "Slave_IO"]
        if len(numbers) == 1:
            await self.ask(self.work, spoken.kill(numbers[0]), within=left())
        return len(numbers) == 1

    async def acknowledging(self, within: float) -> int:
        """How many replicas acknowledge what this source commits. Answered while commits wait for that, too."""
        rows = await self.ask(self.gate, CLIENTS, within=within)
        return sum(int(row["Value"]) for row in rows)

    async def applier_waits(self, within: float) -> tuple[str, ...]:
        """The locks that its replication threads wait for, in the server's own words."""
        found = await self._processes(self.work, within)
        states = (each.state for each in found if each.user == "system user")
        return tuple(dict.fromkeys(each for each in states if WAITS.search(each)))

    async def prove(self, server_id: int, within: float, gap: Gap | None = None) -> None:
        """Write one heartbeat; on MariaDB as the transaction at the end of that gap, if one is given."""
        if gap is None:
            await self.ask(self.work, WRITE.format(server_id), within=within)
        else:  # not asked twice: no number may be used again
            await self.work.ask(NUMBER.format(gap.domain, gap.before), WRITE.format(server_id), within=within)

    async def idle(self, within: float) -> None:
        """Wait until it has done what was asked of it, or so many seconds."""
        await asyncio.gather(*(session.idle(within) for session in (self.gate, self.work)))

    def close(self) -> None:
        """Let go of it."""
        for session in (self.gate, self.work):
            session.close()


def _countdown(within: float) -> Callable[[], float]:
    """What is left of so many seconds, from now on."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    return lambda: deadline - loop.time()


def _picture(spoken: Dialect, *answers: Sequence[Row]) -> Picture:
    try:
        return picture(spoken, *answers)
    except ValueError as error:
        raise DatabaseError(Kind.SQL, 0, str(error)) from None
