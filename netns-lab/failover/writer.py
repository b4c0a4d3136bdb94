"""The client's program: writers that insert through the VIP while they are told to, and reconnect when they must.

Run in a client's namespace as `python -m failover.writer FIRST COUNT PERIOD`; its writers are numbered from FIRST on.
`go` and `rest` come as lines on standard input. It prints one line for each write, with times in monotonic seconds,
which all processes of a machine share:

    ack WRITER SEQ SENT AT SERVER GTID    committed, and by whom; "-" where that answer did not come any more
    unknown WRITER SEQ SENT AT            sent, but the answer never came: it may be there or not
    refused WRITER SEQ SENT AT NUMBER     the server said no, with this error
    silent WRITER 0 SENT AT               an attempt to connect that nobody answered
    resting                               nobody is writing any more, and all connections are closed
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import Final

import pymysql
from labkit.agents import VIP
from labkit.database import DATABASE, PASSWORD, PORT, USER
from pymysql.connections import Connection
from pymysql.constants import CLIENT
from pymysql.cursors import Cursor

# Seconds for an answer. Longer than a server may pause without harm; who moves the VIP resets what hangs on it.
PATIENCE: Final = 3.0

# Seconds for connecting. A lost SYN is repeated by the kernel after a whole second, so an attempt that falls into the
# outage is given up soon: this, and the number of writers, is how finely an outage is measured.
CONNECT_PATIENCE: Final = 0.1
BETWEEN_ATTEMPTS: Final = 0.003

INSERT: Final = (
    f"insert into {DATABASE}.failover (writer, seq, payload, server) values (%s, %s, %s, @@server_id);"
    "select @@last_gtid, @@server_id"
)


class Writers:
    """All writers of this process."""

    def __init__(self, first: int, count: int, period: float) -> None:
        self._first, self._period = first, period
        self._going = threading.Event()
        self._writing = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._write, args=(n,), daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def go(self) -> None:
        """Let them write."""
        self._going.set()

    def rest(self) -> None:
        """Let each finish what it is at, and wait for it."""
        self._going.clear()
        for _ in self._threads:
            self._writing.acquire()
        self.say("resting")

    def say(self, *words: object) -> None:
        """One line for the harness."""
        with self._lock:
            sys.stdout.write(" ".join(map(str, words)) + "\n")
            sys.stdout.flush()

    def _write(self, place: int) -> None:
        writer, number = self._first + place, 0
        while self._going.wait():
            connection: Connection[Cursor] | None = None
            # Writers that begin together shall not keep step.
            due = time.monotonic() + self._period * (place / len(self._threads))
            while self._going.is_set():
                due = max(due + self._period, time.monotonic())  # missed periods are not made up for
                time.sleep(max(0.0, due - time.monotonic()))
                connection = connection or self._connected(writer)
                if connection is None:
                    time.sleep(BETWEEN_ATTEMPTS)
                    continue
                number += 1  # each attempt has a number of its own: no row is ever sent twice
                if not self._insert(connection, writer, number):
                    _close(connection)
                    connection = None
            _close(connection)
            self._writing.release()

    def _connected(self, writer: int) -> Connection[Cursor] | None:
        began = time.monotonic()
        try:
            return pymysql.connect(
                host=VIP,
                port=PORT,
                user=USER,
                password=PASSWORD,
                autocommit=True,
                client_flag=CLIENT.MULTI_STATEMENTS,
                ssl_disabled=True,  # else each connection begins with 20 ms of reading the machine's certificates
                connect_timeout=CONNECT_PATIENCE,
                read_timeout=PATIENCE,
                write_timeout=PATIENCE,
            )
        except (pymysql.MySQLError, OSError) as error:
            if isinstance(error.__context__, TimeoutError):
                self.say("silent", writer, 0, began, time.monotonic())
            return None

    def _insert(self, connection: Connection[Cursor], writer: int, number: int) -> bool:
        sent = time.monotonic()
        at = 0.0
        server, gtid = "-", "-"
        try:
            with connection.cursor() as cursor:
                cursor.execute(INSERT, (writer, number, f"{writer}/{number}"))
                at = time.monotonic()  # the row's own answer has come; the rest tells of it
                cursor.nextset()
                gtid, server = map(str, cursor.fetchone() or (gtid, server))
        except pymysql.MySQLError as error:
            if not at:
                self._failed(writer, number, sent, error)
                return False
            self.say("ack", writer, number, sent, at, server, gtid)
            return False
        self.say("ack", writer, number, sent, at, server, gtid)
        return True

    def _failed(self, writer: int, number: int, sent: float, error: pymysql.MySQLError) -> None:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        # 1053, 1317, 1927: shut down, interrupted, killed. The commit may have been under way.
        sure = 1000 <= code < 2000 and code not in (1053, 1317, 1927)
        if sure:
            self.say("refused", writer, number, sent, time.monotonic(), code)
        else:
            self.say("unknown", writer, number, sent, time.monotonic())


def _close(connection: Connection[Cursor] | None) -> None:
    if connection is not None:
        with contextlib.suppress(pymysql.MySQLError, OSError):
            connection._force_close()  # type: ignore[attr-defined]  # noqa: SLF001  # a polite end may hang


def main() -> None:
    """Obey until standard input ends."""
    first, count, period = sys.argv[1:]
    writers = Writers(int(first), int(count), float(period))
    orders = {"go": writers.go, "rest": writers.rest}
    with contextlib.suppress(BrokenPipeError):
        for line in sys.stdin:
            orders[line.strip()]()


if __name__ == "__main__":
    main()
