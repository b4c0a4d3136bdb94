"""One connection to one server, used by a thread of its own: every call has a deadline, and none blocks the loop."""

from __future__ import annotations

import asyncio
import codecs
import configparser
import contextlib
import os
import select
import socket
import stat
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from errno import ENXIO
from pathlib import Path
from typing import Any, Final

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import DictCursor

from pyvrrp.core.settings import Account
from pyvrrp.mysql.failure import DatabaseError, Kind, classify

Row = Mapping[str, Any]

MARGIN: Final = 0.05  # seconds; how much later than the socket's own deadline a call is given up
ENCODING: Final = "pyvrrp-utf-8"  # of what servers say: a byte that is no UTF-8 is no reason to hear nothing at all
NO_TIME: Final = "no time was left"
FIELDS: Final = 8  # of a line of /proc/net/unix whose socket has a name
ACCEPTS: Final = 0x10000  # __SO_ACCEPTCON (linux/net.h), among its flags
SELF: Final = "pyvrrp"  # program_name among the connection's attributes


class Session:
    """Statements one after the other over one connection, which is made when it is needed and again when it was lost.

    A connection on which a deadline passed is closed: its answer would come as that of the next statement.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"mysql {account}")
        self._connection: Connection[DictCursor] | None = None
        self._socket: socket.socket | None = None  # the connection's, from before it is one
        self._over = False
        self.last_thread_id: int | None = None  # of the last connection, which may have ended
        self.connections = 0  # how many were made: a server that begins anew gives the same thread_id again

    async def ask(self, *statements: str, within: float) -> list[Row]:
        """Execute statements; the rows of the last one. `within` (seconds) bounds them all, connecting included.

        Raises DatabaseError.
        """
        if self._over:
            raise DatabaseError(Kind.CLOSED, 0, "nobody asks this server any more")
        if within <= 0:
            raise DatabaseError(Kind.TIMED_OUT, 0, NO_TIME)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        call = loop.run_in_executor(self._thread, self._ask, statements, deadline, loop)
        call.add_done_callback(_hear_out)
        try:
            # Before Python 3.12 wait_for swallows a cancellation that comes with the answer: an order was not heard.
            async with asyncio.timeout(within + MARGIN):
                return await asyncio.shield(call)
        except TimeoutError:
            raise DatabaseError(Kind.TIMED_OUT, 0, f"no answer in {within:.3g} s") from None

    def fileno(self) -> int | None:
        """The connection's descriptor, to hear of its end; None while there is none."""
        number = self._socket.fileno() if self._socket is not None else -1
        return number if number >= 0 else None

    @property
    def thread_id(self) -> int | None:
        """The server's number of the connection."""
        number = getattr(self._connection, "server_thread_id", (None,))[0]
        return int(number) if number is not None else None

    @property
    def version(self) -> str:
        """What the server's greeting said; "" while there is no connection."""
        return str(getattr(self._connection, "server_version", ""))

    @property
    def ended(self) -> bool:
        """Whether the server has ended the connection (or is just answering on it)."""
        try:
            return self._connection is not None and _is_over(self._socket)
        except ValueError:  # closed at this moment, by the thread
            return True

    async def idle(self, within: float) -> None:
        """Wait until nothing is under way, which goes on when nobody waits for it any more; or so many seconds."""
        if not self._over:
            await asyncio.wait({asyncio.get_running_loop().run_in_executor(self._thread, int)}, timeout=within)

    def sever(self) -> None:
        """End the connection at once, under a statement too: it then fails with CLOSED."""
        with contextlib.suppress(OSError):  # there is none, or it has ended by itself
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)

    def drop(self) -> None:
        """Let go of the connection: the next statement makes a new one. Not while one is under way."""
        if not self._over:
            self._thread.submit(self._close)

    def close(self) -> None:
        """Let go of everything; a statement under way ends by its own deadline, and none comes after it."""
        if self._over:
            return
        self._over = True
        self._thread.submit(self._close)
        self._thread.shutdown(wait=False)

    # --- in the thread ------------------------------------------------------------------------------------------------

    def _ask(self, statements: Sequence[str], deadline: float, loop: asyncio.AbstractEventLoop) -> list[Row]:
        if loop.time() >= deadline:  # others kept the thread busy: nothing is wrong with the connection
            raise DatabaseError(Kind.TIMED_OUT, 0, NO_TIME)
        if self._connection is not None and _is_over(self._socket):
            self._close()  # the server was started anew, or had enough of it: nothing has been asked of it yet
        rows: list[Row] = []
        try:
            for statement in statements:
                rows = self._execute(statement, deadline - loop.time())
        except DatabaseError:
            self._close()
            raise
        # PyMySQL has RuntimeError for a package that it lacks, and whatever its parsing comes to for what is no answer.
        except Exception as error:
            failure = classify(error)
            if failure.number == 0 or failure.kind is Kind.OVERLOADED:
                self._close()
            raise failure from error
        return rows

    def _execute(self, statement: str, left: float) -> list[Row]:
        if left <= 0:
            raise DatabaseError(Kind.TIMED_OUT, 0, NO_TIME)
        connection = self._connection or self._connect(left)
        # PyMySQL has these for a connection; the deadline is a statement's.
        vars(connection).update(_read_timeout=left, _write_timeout=left)
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def _connect(self, left: float) -> Connection[DictCursor]:
        connection = _prepare(self.account, left)
        self._socket = _dial(self.account, left)  # known to `sever` before the server has said anything
        connection.connect(self._socket)
        vars(connection).update(encoding=ENCODING)
        self._connection = connection
        self.connections += 1
        self.last_thread_id = self.thread_id
        return connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection._force_close()  # type: ignore[attr-defined]  # noqa: SLF001  # a polite end may hang
        sock, self._socket = self._socket, None
        if sock is not None:
            sock.close()


def connect(account: Account, timeout: float) -> Connection[DictCursor]:
    """A connection with autocommit. Raises pymysql.MySQLError, OSError, DatabaseError (no usable password file)."""
    connection = _prepare(account, timeout)
    connection.connect(_dial(account, timeout))
    vars(connection).update(encoding=ENCODING)
    return connection


def _codec(name: str) -> codecs.CodecInfo | None:
    """MySQL 5.6 was seen to put rubbish into the status of a replica that was just connecting."""
    if name != ENCODING.replace("-", "_"):
        return None
    return codecs.CodecInfo(
        codecs.utf_8_encode, lambda data, _="": codecs.utf_8_decode(data, "replace", True), name=name
    )


codecs.register(_codec)


def _dial(account: Account, timeout: float) -> socket.socket:
    """A connected socket. PyMySQL's own way leaves one that could not connect open. Raises OSError."""
    if not account.socket:
        sock = socket.create_connection((account.host, account.port), timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with contextlib.ExitStack() as unless_connected:
        unless_connected.enter_context(sock)
        sock.settimeout(timeout)
        try:
            sock.connect(account.socket)
        except FileNotFoundError:
            if _is_listened_on(account.socket):
                raise OSError(ENXIO, f"{account.socket} is gone, and a server listens on it still") from None
            raise
        unless_connected.pop_all()
    return sock


def _is_listened_on(name: str) -> bool:
    """Whether somebody listens on this Unix socket, also if its file was removed: the kernel knows the name still."""
    wanted = os.path.realpath(name)
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as table:  # noqa: PTH123
        next(table)  # the columns' names
        for line in table:
            fields = line.rstrip("\n").split(maxsplit=7)
            if len(fields) == FIELDS and int(fields[3], 16) & ACCEPTS and os.path.realpath(fields[7]) == wanted:
                return True
    return False


def _prepare(account: Account, timeout: float) -> Connection[DictCursor]:
    """A connection that is not connected. Raises DatabaseError (no usable password file)."""
    user, password = credentials(account)
    connection = pymysql.connect(
        host=account.host,
        port=account.port,
        user=user,
        password=password,
        autocommit=True,
        charset="utf8mb4",
        cursorclass=DictCursor,
        ssl_disabled=True,  # else each connection begins with 20 ms of reading the machine's certificates
        program_name=SELF,
        read_timeout=timeout,
        write_timeout=timeout,
        defer_connect=True,
    )
    if account.socket:
        vars(connection).update(_secure=True)  # nobody listens there: a password may be sent as it is
    return connection


def credentials(account: Account) -> tuple[str, str]:
    """User and password of an account, from its files. Raises DatabaseError (DENIED), without what stands in them."""
    user, password = account.user, ""
    if account.defaults_file:
        section = _client_section(_private(account.defaults_file), account.defaults_file)
        user, password = user or section.get("user", ""), section.get("password", "").strip("'\"")
    if account.password_file:
        password = _private(account.password_file).rstrip("\n")
    return user, password


def _client_section(text: str, name: str) -> Mapping[str, str]:
    parser = configparser.ConfigParser(allow_no_value=True, strict=False, interpolation=None, delimiters=("=",))
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("!include")]
    try:
        parser.read_string("\n".join(lines))
    except configparser.Error:
        raise DatabaseError(Kind.DENIED, 0, f"{name} is not a my.cnf") from None
    return {key: value or "" for key, value in parser.items("client")} if parser.has_section("client") else {}


def _private(name: str) -> str:
    """The text of a file that nobody but its owner may read."""
    try:
        with Path(name).open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise DatabaseError(Kind.DENIED, 0, f"{name} has mode {mode:04o}: others may read it, 0600 is demanded")
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise DatabaseError(Kind.DENIED, 0, f"{name}: {reason}") from None


def _is_over(connected: socket.socket | None) -> bool:
    """Whether a connection on which nothing was asked has ended, or the server says its last word on it."""
    if connected is None or connected.fileno() < 0:
        return True
    news = select.poll()
    news.register(connected, select.POLLIN)
    return bool(news.poll(0))


def _hear_out(call: asyncio.Future[list[Row]]) -> None:
    """What comes after the deadline, or when nobody waits any more, is no answer."""
    if not call.cancelled():
        call.exception()
