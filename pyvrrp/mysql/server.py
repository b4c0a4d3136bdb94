"""One server as the procedures ask it: two sessions, kept warm, and each statement with a deadline.

`gate` alone says read_only, lists sessions and kills them: of two procedures, what the later one says to the server is
what it does last. `work` does what may take long.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pyvrrp.core.settings import Account
from pyvrrp.mysql.dialect import Dialect, beat, dialect
from pyvrrp.mysql.failure import DatabaseError, Kind
from pyvrrp.mysql.session import Row, Session

NO_SUCH_THREAD: Final = 1094
SYSTEM_USERS: Final = frozenset(
    {"system user", "event_scheduler", "unauthenticated user", "mysql.session", "mysql.sys"}
)
FLAG: Final = "SELECT @@global.read_only AS flag"
WHO: Final = "SELECT SUBSTRING_INDEX(USER(), '@', 1) AS name"
EXECUTED: Final = "SELECT @@global.gtid_mode AS mode, @@global.gtid_executed AS position"
VERSION: Final = "SELECT @@global.version AS version, @@global.version_comment AS comment"


class Server:
    """The server of one account."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.gate = Session(account)
        self.work = Session(account)
        self._dialect: Dialect | None = None
        self._own_user = ""

    async def dialect(self, within: float) -> Dialect:
        """How it is spoken to; asked once. A server that is replaced by another version is another server."""
        if self._dialect is None:
            (row,) = await self.gate.ask(VERSION, within=within)
            try:
                self._dialect = dialect(str(row["version"]), str(row["comment"]))
            except ValueError as error:
                raise DatabaseError(Kind.SQL, 0, str(error)) from None
        return self._dialect

    def forget(self) -> None:
        """It may have been started anew, as another version."""
        self._dialect = None

    async def read_only(self, within: float) -> bool:
        """Whether it is closed for ordinary clients."""
        (row,) = await self.gate.ask(FLAG, within=within)
        return bool(int(row["flag"]))

    async def set_read_only(self, seconds: float, within: float) -> None:
        """Close it for ordinary clients, or fail within about `seconds` when a session holds it up."""
        spoken = await self.dialect(within)
        await self.gate.ask(*spoken.close_writes(seconds), within=within)

    async def set_writable(self, within: float) -> None:
        """Open it."""
        spoken = await self.dialect(within)
        await self.gate.ask(*spoken.open_writes, within=within)

    async def clients(self, within: float) -> list[Row]:
        """Everybody who is connected, but replication, the server's own threads and the account of this agent."""
        spoken = await self.dialect(within)
        if not self._own_user:
            (row,) = await self.gate.ask(WHO, within=within)
            self._own_user = str(row["name"])
        rows: Sequence[Row] = ()
        for statement in spoken.processes:
            rows = await self.gate.ask(statement, within=within)
            if rows:
                break
        return [row for row in rows if _is_client(row) and str(row["user"]) != self._own_user]

    async def kill(self, numbers: Sequence[int], within: float) -> None:
        """End these sessions; one that has gone by itself is no matter."""
        spoken = await self.dialect(within)
        for number in numbers:
            try:
                await self.gate.ask(spoken.kill(number), within=within)
            except DatabaseError as error:
                if error.number != NO_SUCH_THREAD:
                    raise

    async def position(self, within: float) -> str:
        """All that it has, as text: what is in its binary log, in the words of its flavour; "" when it keeps none."""
        spoken = await self.dialect(within)
        if spoken.maria:
            (row,) = await self.gate.ask("SELECT @@global.gtid_binlog_state AS position", within=within)
            return str(row["position"])
        (row,) = await self.gate.ask(EXECUTED, within=within)
        if str(row["mode"]).upper() == "ON":
            return str(row["position"]).replace("\n", "")
        rows = await self.gate.ask(spoken.binlog_status, within=within)
        return f"{rows[0]['File']}:{rows[0]['Position']}" if rows else ""

    async def prove(self, server_id: int, number: int, at: float, within: float) -> None:
        """Write one heartbeat."""
        await self.work.ask(beat(server_id, number, at), within=within)

    def close(self) -> None:
        """Let go of it."""
        for session in (self.gate, self.work):
            session.close()


def _is_client(row: Row) -> bool:
    command = str(row["command"])
    return str(row["user"]) not in SYSTEM_USERS and command != "Daemon" and not command.startswith("Binlog Dump")
