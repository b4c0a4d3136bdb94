"""Two real MySQL 5.6 servers on loopback, by GTID or without: the oldest that is supported."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pymysql
from labkit import mysql56, state
from pymysql.connections import Connection
from pymysql.cursors import DictCursor

from pyvrrp.core.settings import Account
from pyvrrp.mysql.session import connect
from tests.mysql.pair import _ports
from tests.waiting import until

OPTIONS: Final = (
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--log-bin=bin",
    "--binlog-format=ROW",
    "--slave-net-timeout=4",
    "--innodb-buffer-pool-size=16M",
    "--innodb-use-native-aio=OFF",
    "--innodb-flush-log-at-trx-commit=0",
    "--performance-schema=OFF",
    *(("--user=root",) if os.geteuid() == 0 else ()),
)
GTIDS: Final = ("--log-slave-updates", "--gtid-mode=ON", "--enforce-gtid-consistency")
BY_PLACE: Final = (
    "--read-only",
    "--skip-slave-start",
    "--innodb-flush-log-at-trx-commit=2",  # else a crash loses what is committed
    "--relay-log-info-repository=TABLE",
)


@dataclass
class Server:
    directory: Path
    port: int
    argv: tuple[str, ...]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    _root: Connection[DictCursor] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it, as often as it was ended, and wait until it is there."""
        (self.directory / "s").unlink(missing_ok=True)  # a killed server's
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(self.argv, stdout=log, stderr=log, env=self.environment)
        assert until(self._answers, 60), (self.directory / "log").read_text()

    def _answers(self) -> bool:
        try:
            return (self.directory / "s").exists() and bool(self.run("select 1"))
        except (pymysql.MySQLError, OSError):
            return False

    def run(self, *statements: str) -> list[dict[str, Any]]:
        """As root; the rows of the last one."""
        if self._root is None or not self._root.open:
            self._root = self.connect()
        with self._root.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def connect(self, user: str = "root") -> Connection[DictCursor]:
        """Root comes over the Unix socket."""
        socket = str(self.directory / "s") if user == "root" else ""
        return connect(Account(socket=socket, port=self.port, user=user), 20.0)

    def kill(self) -> None:
        """End it as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._root is not None and self._root.open:
            self._root.close()
        self._root = None
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()


@contextlib.contextmanager
def running(directory: Path, *, gtids: bool = True) -> Iterator[tuple[Server, Server]]:
    """Two servers, 3 and 4; by GTID 4 replicates from 3."""
    package = mysql56.fetch(state.cache())
    servers: list[Server] = []
    try:
        for number, port in zip((3, 4), _ports(2), strict=True):
            servers.append(_made(package, directory / str(number), number, port, GTIDS if gtids else BY_PLACE))
            servers[-1].start()
        source, replica = servers
        if gtids:
            _replicate(source, replica)
        yield source, replica
    finally:
        for server in servers:
            server.kill()


def _made(package: Path, directory: Path, number: int, port: int, options: tuple[str, ...]) -> Server:
    shutil.copytree(package / "data" / "mysql", directory / "data")
    (directory / "data" / "auto.cnf").unlink()  # the package's own server_uuid
    files = {"datadir": "data", "tmpdir": "", "socket": "s", "pid-file": "pid"}
    own = (f"--{option}={directory / name}" for option, name in files.items())
    argv = (str(package / "mysqld"), "--no-defaults", *OPTIONS, *options, f"--lc-messages-dir={package / 'share'}")
    return Server(
        directory,
        port,
        (*argv, *own, f"--port={port}", f"--server-id={number}"),
        {**os.environ, "LD_LIBRARY_PATH": str(package)},
    )


def _replicate(source: Server, replica: Server) -> None:
    source.run(
        "SET sql_log_bin=0",
        "GRANT REPLICATION SLAVE ON *.* TO repl@'127.0.0.1' IDENTIFIED BY 'repl'",
        "SET sql_log_bin=1",
    )
    replica.run(
        f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={source.port}, MASTER_USER='repl',"
        " MASTER_PASSWORD='repl', MASTER_CONNECT_RETRY=1, MASTER_AUTO_POSITION=1",
        "START SLAVE",
    )
