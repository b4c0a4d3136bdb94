"""A real MariaDB server for one test: on a Unix socket and a port of the loopback interface."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pymysql
from labkit import state
from labkit.database import make_template
from pymysql.cursors import DictCursor

from pyvrrp.core.settings import Account
from pyvrrp.mysql.session import connect
from tests.waiting import DEADLINE

STARTED: Final = 60.0
AGENT: Final = "agent"
PASSWORD: Final = "not in any log"

OPTIONS: Final = (
    "--no-defaults",
    "--skip-name-resolve",
    "--bind-address=127.0.0.1",
    "--log-bin=log",
    "--server-id=7",
    "--innodb-buffer-pool-size=16M",
    "--innodb-log-file-size=8M",
    "--performance-schema=OFF",
    "--user=root",
)
ACCOUNT: Final = (
    "CREATE DATABASE pyvrrp",
    "CREATE TABLE pyvrrp.heartbeat (server_id int unsigned PRIMARY KEY, beat bigint unsigned, at double)",
    f"CREATE USER {AGENT} IDENTIFIED BY '{PASSWORD}'",
    f"GRANT PROCESS ON *.* TO {AGENT}",
    f"GRANT SELECT, INSERT, UPDATE ON pyvrrp.* TO {AGENT}",
)


def available() -> bool:
    """Whether a server can be made here."""
    return shutil.which("mariadbd") is not None and os.geteuid() == 0


@dataclass
class Server:
    """A server that lives in `directory`; `agent` is its account over the socket, `over_tcp` the same by port."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def socket(self) -> str:
        """Where its Unix socket is."""
        return str(self.directory / "s.sock")

    @property
    def agent(self) -> Account:
        """The agent's account, over the Unix socket."""
        return Account(socket=self.socket, user=AGENT, password_file=str(self.directory / "password"))

    @property
    def over_tcp(self) -> Account:
        """The same, by its port."""
        return Account(port=self.port, user=AGENT, password_file=str(self.directory / "password"))

    def connect(self) -> pymysql.connections.Connection[DictCursor]:
        """A connection as root."""
        return connect(Account(socket=self.socket, user="root"), DEADLINE)

    def execute(self, *statements: str) -> list[dict[str, Any]]:
        """Execute statements as root; the rows of the last one."""
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def aborted(self) -> int:
        """How many connections came to nothing."""
        return int(self.execute("SHOW GLOBAL STATUS LIKE 'Aborted_connects'")[0]["Value"])

    def signal(self, number: signal.Signals) -> float:
        """Send it a signal; the time."""
        now = time.monotonic()
        self.process.send_signal(number)
        return now

    def end(self) -> None:
        """End it, however it is."""
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def running(directory: Path, *options: str, fresh: bool = True) -> Iterator[Server]:
    """A server with these options, with the agent's account and table, ended afterwards.

    One that is not `fresh` goes on with what is in `directory`.
    """
    if fresh:
        shutil.copytree(make_template(state.cache()), directory / "data")
    (directory / "password").write_text(PASSWORD)
    (directory / "password").chmod(0o600)
    port = _free_port()
    server = Server(directory, port, _start(directory, port, options))
    try:
        _wait_ready(server)
        if fresh:
            server.execute(*ACCOUNT)
        yield server
    finally:
        server.end()


def _start(directory: Path, port: int, options: Sequence[str]) -> subprocess.Popen[bytes]:
    where = (f"--datadir={directory}/data", f"--socket={directory}/s.sock", f"--port={port}")
    log = f"--log-error={directory}/error.log"
    return subprocess.Popen(["mariadbd", *OPTIONS, *where, log, *options], stderr=subprocess.DEVNULL)


def _wait_ready(server: Server) -> None:
    deadline = time.monotonic() + STARTED
    while True:
        try:
            server.execute("SELECT 1")
        except (pymysql.MySQLError, OSError):
            assert server.process.poll() is None, (server.directory / "error.log").read_text()[-2000:]
            assert time.monotonic() < deadline
            time.sleep(0.01)
        else:
            return


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
