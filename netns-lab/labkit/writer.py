"""The client's program: writes a row through the VIP every few milliseconds, for ever, reconnecting when it must.

Run in the client's namespace as `python -m labkit.writer`. It prints one line for each write, with times in monotonic
seconds, which all processes of a machine share:

    ack SEQ TIME        the server said that the row is committed
    unknown SEQ TIME    sent, but the answer never came: it may be there or not
"""

from __future__ import annotations

import contextlib
import os
import sys
import time

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from labkit.agents import VIP
from labkit.database import DATABASE, PASSWORD, PORT, USER

PERIOD = 0.003  # seconds between writes: short against every outage that is to be measured

# Seconds for an answer and for sending. A write takes a millisecond here, so this is never reached in health; an
# application that cares for quick failover sets such limits, or a dead peer holds it for minutes.
PATIENCE = 0.2

# Seconds for connecting, which takes a fifth of a millisecond. The kernel repeats a lost SYN after a whole second, so
# an attempt that falls into the outage is given up soon: this is how finely an outage is measured.
CONNECT_PATIENCE = 0.05

INSERT = f"insert into {DATABASE}.written (seq, sent) values (%s, %s)"


def write_rows() -> None:
    """Write until the reader of our output is gone."""
    connection: Connection[Cursor] | None = None
    number = 0
    due = time.monotonic()
    while True:
        # Late is late: missed periods are not made up for.
        due = max(due + PERIOD, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))
        if connection is None:
            connection = _connected()
            if connection is None:
                continue
        number += 1  # each attempt has a number of its own: no row is ever sent twice
        if _written(connection, number):
            print("ack", number, time.monotonic(), flush=True)
        else:
            print("unknown", number, time.monotonic(), flush=True)
            with contextlib.suppress(pymysql.MySQLError):
                connection.close()
            connection = None


def _connected() -> Connection[Cursor] | None:
    try:
        return pymysql.connect(
            host=VIP,
            port=PORT,
            user=USER,
            password=PASSWORD,
            autocommit=True,
            ssl_disabled=True,  # else each connection begins with 20 ms of reading the machine's certificates
            connect_timeout=CONNECT_PATIENCE,
            read_timeout=PATIENCE,
            write_timeout=PATIENCE,
        )
    except pymysql.MySQLError:
        return None


def _written(connection: Connection[Cursor], number: int) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute(INSERT, (number, time.monotonic()))
    except pymysql.MySQLError:
        return False
    return True


if __name__ == "__main__":
    try:
        write_rows()
    except BrokenPipeError:
        # Python would try to flush to the broken pipe once more at exit, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
