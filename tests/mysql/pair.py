"""Two real MariaDB servers on loopback, each the replica-to-be of the other, and the least that the agent may do."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymysql
from labkit.database import make_template
from pymysql.connections import Connection
from pymysql.cursors import DictCursor

from pyvrrp.core.settings import Account, DatabaseSettings
from pyvrrp.mysql.session import connect
from tests.waiting import until

CONFIGURATION = """\
[mariadbd]
user = root
datadir = {directory}/data
socket = {directory}/s
pid_file = {directory}/pid
bind_address = 127.0.0.1
port = {port}
skip_name_resolve
read_only = 1
server_id = {number}
log_bin = mysql-bin
relay_log = relay-bin
log_slave_updates
gtid_strict_mode = 1
binlog_format = ROW
slave_net_timeout = 4
skip_slave_start
innodb_buffer_pool_size = 16M
innodb_log_file_size = 8M
key_buffer_size = 1M
aria_pagecache_buffer_size = 2M
performance_schema = OFF
"""

PREPARE = (
    "set sql_log_bin=0",
    "create user pyvrrp@localhost",
    "create user pyvrrp@'127.0.0.1'",
    *(
        f"grant slave monitor, binlog monitor, process, connection admin, read_only admin, replication slave admin,"
        f" replication master admin, binlog replay on *.* to {user}"
        for user in ("pyvrrp@localhost", "pyvrrp@'127.0.0.1'")
    ),
    *(f"grant select, insert, update on pyvrrp.* to {user}" for user in ("pyvrrp@localhost", "pyvrrp@'127.0.0.1'")),
    "grant replication slave on *.* to repl@'127.0.0.1' identified by 'repl'",
    "grant select, insert, update, delete, create, drop, lock tables on app.* to app@'127.0.0.1' identified by 'app'",
    "grant all on *.* to mighty@'127.0.0.1' identified by 'mighty'",
    "create database pyvrrp",
    "create table pyvrrp.heartbeat (server_id int unsigned primary key, beat bigint unsigned, at double) engine=innodb",
    "create database app",
    "create table app.t (id bigint unsigned auto_increment primary key, v int) engine=innodb",
    "set sql_log_bin=1",
)


@dataclass
class Server:
    """One MariaDB: `number` is its server id."""

    number: int
    directory: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    _root: Connection[DictCursor] | None = field(default=None, repr=False)
    _clients: list[Connection[DictCursor]] = field(default_factory=list, repr=False)

    def start(self) -> None:
        """Start it and wait until it answers."""
        (self.directory / "s").unlink(missing_ok=True)  # a killed server's
        with (self.directory / "log").open("ab") as log:
            argv = ["mariadbd", f"--defaults-file={self.directory / 'my.cnf'}"]
            self.process = subprocess.Popen(argv, stdout=log, stderr=log)
        assert until(self._answers, 60), (self.directory / "log").read_text()

    def run(self, *statements: str) -> list[dict[str, Any]]:
        """As root, who passes read_only; the rows of the last one."""
        with contextlib.suppress(pymysql.MySQLError, OSError):  # an agent has killed it
            if self._root is not None:
                self._root.ping()
        if self._root is None or not self._root.open:
            self._root = self.connect("root", "")
        with self._root.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def value(self, expression: str) -> Any:
        return self.run(f"select {expression} as v")[0]["v"]

    def status(self) -> dict[str, Any]:
        """Its replication."""
        return self.run("show all slaves status")[0]

    def connect(self, user: str = "app", password: str | None = None, seconds: float = 20.0) -> Connection[DictCursor]:
        """A client; all but root over TCP."""
        if user == "root":
            client = connect(Account(socket=str(self.directory / "s"), user=user), seconds)
            self._clients.append(client)
            return client
        client = pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=user if password is None else password,
            database="app",
            autocommit=True,
            cursorclass=DictCursor,
            ssl_disabled=True,
            connect_timeout=5,
            read_timeout=seconds,
        )
        self._clients.append(client)
        return client

    def part(self) -> None:
        """Let go of everybody who was connected."""
        for client in self._clients:
            if client.open:
                client._force_close()  # type: ignore[attr-defined]
        self._clients.clear()
        self._root = None

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a crash does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
        self.part()
        self.process = None

    @property
    def account(self) -> Account:
        return Account(socket=str(self.directory / "s"), user="pyvrrp")

    @property
    def afar(self) -> Account:
        return Account(host="127.0.0.1", port=self.port, user="pyvrrp")

    def _answers(self) -> bool:
        return (self.directory / "s").exists() and bool(self.run("select 1"))


@dataclass(frozen=True)
class Pair:
    """Server 1 and server 2."""

    a: Server
    b: Server

    def settings(self, server: Server, **changes: Any) -> DatabaseSettings:
        other = self.b if server is self.a else self.a
        return DatabaseSettings(**{"account": server.account, "peer": other.afar, **changes})

    def fresh(self, using_gtid: bool = True) -> None:
        """Nothing written yet, both closed, nobody replicates, nobody is connected."""
        for server in (self.a, self.b):
            if server.process is None or server.process.poll() is not None:
                server.start()
            server.signal(signal.SIGCONT)
            server.part()
            self._clear(server)
        for server, other in ((self.a, self.b), (self.b, self.a)):
            place = "master_use_gtid=slave_pos"
            if not using_gtid:
                at = other.run("show binlog status")[0]
                place = f"master_log_file='{at['File']}', master_log_pos={at['Position']}, master_use_gtid=no"
            server.run(
                f"change master to master_host='127.0.0.1', master_port={other.port}, master_user='repl',"
                f" master_password='repl', master_connect_retry=1, master_heartbeat_period=0.5, {place}"
            )

    def replicate(self, replica: Server) -> None:
        """`replica` follows the other one."""
        replica.run("start slave")
        running = until(lambda: {replica.status()[f"Slave_{each}_Running"] for each in ("IO", "SQL")} == {"Yes"}, 20)
        assert running, replica.status()

    def in_step(self, replica: Server) -> None:
        """Wait until `replica` has all that the other one has."""
        source = self.a if replica is self.b else self.b
        wanted = source.value("@@gtid_binlog_pos")
        assert until(lambda: replica.value("@@gtid_binlog_pos") == wanted, 20)

    def _clear(self, server: Server) -> None:
        server.run(
            "stop all slaves",
            "set global read_only=0",
            "set global rpl_semi_sync_master_enabled=0",
            "set global rpl_semi_sync_slave_enabled=0",
            "set sql_log_bin=0",
        )
        for row in server.run("select id from information_schema.processlist where user not in ('root','system user')"):
            with contextlib.suppress(pymysql.MySQLError, OSError):
                server.run(f"kill {row['id']}")
        server.run(
            "truncate app.t",
            "delete from pyvrrp.heartbeat",
            "set sql_log_bin=1",
            "reset slave all",
            "reset master",
            "set global gtid_slave_pos=''",
            "set global read_only=1",
        )


@contextlib.contextmanager
def running_pair(directory: Path) -> Iterator[Pair]:
    """The two servers, for as long as it lasts."""
    cache = Path(tempfile.gettempdir()) / f"pyvrrp-lab-cache-{os.getuid()}"
    cache.mkdir(mode=0o700, exist_ok=True)
    template = make_template(cache)
    servers = [
        _install(template, directory / str(number), number, port)
        for number, port in zip((1, 2), _ports(2), strict=True)
    ]
    try:
        for server in servers:
            server.start()
            server.run("set global read_only=0", *PREPARE)
        yield Pair(*servers)
    finally:
        for server in servers:
            server.kill()


def _install(template: Path, directory: Path, number: int, port: int) -> Server:
    directory.mkdir(parents=True)
    shutil.copytree(template, directory / "data")
    (directory / "my.cnf").write_text(CONFIGURATION.format(directory=directory, port=port, number=number))
    return Server(number, directory, port)


def _ports(count: int) -> Sequence[int]:
    """So many ports that are free now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def milliseconds(begin: float) -> str:
    return f"{(time.monotonic() - begin) * 1000:.1f} ms"
