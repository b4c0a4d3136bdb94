"""Two real MySQL 5.6 servers on loopback, by GTID: the oldest that is supported."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pymysql
from labkit import mysql56, state
from pymysql.connections import Connection
from pymysql.cursors import DictCursor

from tests.mysql.pair import _ports
from tests.waiting import until

OPTIONS: Final = (
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--log-bin=bin",
    "--log-slave-updates",
    "--gtid-mode=ON",
    "--enforce-gtid-consistency",
    "--binlog-format=ROW",
    "--slave-net-timeout=4",
    "--innodb-buffer-pool-size=16M",
    "--innodb-use-native-aio=OFF",
    "--innodb-flush-log-at-trx-commit=0",
    "--performance-schema=OFF",
    *(("--user=root",) if os.geteuid() == 0 else ()),
)


@dataclass
class Server:
    directory: Path
    port: int
    process: subprocess.Popen[bytes]
    _root: Connection[DictCursor] | None = field(default=None, repr=False)

    def run(self, *statements: str) -> list[dict[str, Any]]:
        """As root; the rows of the last one."""
        if self._root is None:
            self._root = self.connect()
        with self._root.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def connect(self, user: str = "root") -> Connection[DictCursor]:
        """Root comes over the Unix socket."""
        return pymysql.connect(
            unix_socket=str(self.directory / "s") if user == "root" else None,
            host="127.0.0.1",
            port=self.port,
            user=user,
            autocommit=True,
            cursorclass=DictCursor,
            ssl_disabled=True,
            read_timeout=20,
        )

    def kill(self) -> None:
        if self._root is not None:
            self._root.close()
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def running(directory: Path) -> Iterator[tuple[Server, Server]]:
    """Two servers, 3 and 4; 4 replicates from 3."""
    package = mysql56.fetch(state.cache())
    servers: list[Server] = []
    try:
        for number, port in zip((3, 4), _ports(2), strict=True):
            servers.append(_start(package, directory / str(number), number, port))
            assert until((directory / str(number) / "s").exists, 60), (directory / str(number) / "log").read_text()
        source, replica = servers
        _replicate(source, replica)
        yield source, replica
    finally:
        for server in servers:
            server.kill()


def _start(package: Path, directory: Path, number: int, port: int) -> Server:
    shutil.copytree(package / "data" / "mysql", directory / "data")
    (directory / "data" / "auto.cnf").unlink()  # the package's own server_uuid
    argv = (str(package / "mysqld"), "--no-defaults", *OPTIONS, f"--lc-messages-dir={package / 'share'}")
    files = {"datadir": "data", "tmpdir": "", "socket": "s", "pid-file": "pid"}
    own = (f"--{option}={directory / name}" for option, name in files.items())
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            (*argv, *own, f"--port={port}", f"--server-id={number}"),
            stdout=log,
            stderr=log,
            env={**os.environ, "LD_LIBRARY_PATH": str(package)},
        )
    return Server(directory, port, process)


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
