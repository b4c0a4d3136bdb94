"""A site whose nodes have a real MariaDB each, as dual masters, an agent that keeps it, and a client that writes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pymysql
from labkit.database import make_template
from pymysql.connections import Connection
from pymysql.cursors import DictCursor

from tests.lab.agents import PYVRRPCTL, Program, Pyvrrpd
from tests.lab.routers import VIP
from tests.lab.site import Host, Site
from tests.waiting import until

STARTED: Final = 60.0
CONFIGURATION: Final = """\
[mariadbd]
user = root
datadir = {directory}/data
socket = {directory}/s
pid_file = {directory}/pid
bind_address = 0.0.0.0
port = 3306
skip_name_resolve
read_only = 1
skip_slave_start
server_id = {number}
log_bin = mysql-bin
relay_log = relay-bin
binlog_format = ROW
slave_net_timeout = 4
auto_increment_increment = 2
auto_increment_offset = {number}
innodb_buffer_pool_size = 16M
innodb_log_file_size = 8M
innodb_flush_log_at_trx_commit = 0
key_buffer_size = 1M
aria_pagecache_buffer_size = 2M
performance_schema = OFF
"""
BY_GTID: Final = "log_slave_updates\ngtid_strict_mode = 1\n"
BY_PLACE: Final = "innodb_flush_log_at_trx_commit = 2\n"  # without it a crash loses what the log has
PRIVILEGES: Final = (
    "slave monitor, binlog monitor, process, connection admin, read_only admin, replication slave admin,"
    " replication master admin, binlog replay"
)
PREPARE: Final = (
    "set global read_only=0",
    "create database pyvrrp",
    "create table pyvrrp.heartbeat (server_id int unsigned primary key, beat bigint unsigned, at double) engine=innodb",
    "create database app",
    "create table app.t (id bigint unsigned primary key) engine=innodb",
    f"grant {PRIVILEGES} on *.* to pyvrrp@'%' identified by 'hush'",
    "grant select, insert, update on pyvrrp.* to pyvrrp@'%'",
    "grant select, insert, lock tables on app.* to app@'%' identified by 'app'",
    "grant replication slave on *.* to repl@'%' identified by 'repl'",
    "reset master",
    "set global gtid_slave_pos=''",
    "set global read_only=1",
)
JOIN: Final = (
    "change master to master_host='{source}', master_user='repl', master_password='repl', {place}",
    "change master to master_connect_retry=1, master_heartbeat_period=0.5",
    "start slave",
)


@dataclass
class Node:
    """A host with its server and its agent."""

    host: Host
    number: int
    directory: Path
    mysqld: Program | None = None
    agent: Pyvrrpd | None = None

    @property
    def name(self) -> str:
        return f"node-{self.host.name}"

    def root(self) -> Connection[DictCursor]:
        """Root's, who passes read_only, over the socket file; an agent that closes the server kills it, too."""
        path = str(self.directory / "s")
        return pymysql.connect(unix_socket=path, user="root", autocommit=True, cursorclass=DictCursor)

    def run(self, *statements: str) -> list[dict[str, Any]]:
        """As root; the rows of the last one."""
        with self.root() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    @contextlib.contextmanager
    def watching(self) -> Iterator[Callable[[], bool]]:
        """Whether it is closed, at once: as the agent's own account, whose sessions are not killed."""
        path = str(self.directory / "s")
        with pymysql.connect(unix_socket=path, user="pyvrrp", password="hush", autocommit=True) as connection:
            cursor = connection.cursor()

            def closed() -> bool:
                cursor.execute("select @@global.read_only")
                return bool((cursor.fetchone() or (0,))[0])

            yield closed

    def value(self, expression: str) -> Any:
        return self.run(f"select {expression} as v")[0]["v"]

    def database(self) -> dict[str, Any]:
        """What its agent says of its server."""
        assert self.agent is not None
        (found,) = self.agent.snapshot()["databases"]
        return dict(found)

    def order(self, *words: str) -> subprocess.CompletedProcess[str]:
        """pyvrrpctl on this node."""
        assert self.agent is not None
        command = [PYVRRPCTL, "--socket", str(self.agent.socket), *words]
        with self.host.namespace.inside():
            return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False, input="")

    @property
    def serves(self) -> bool:
        return self.host.holds() and not self.value("@@global.read_only")

    def answers(self) -> bool:
        """Whether its server is there. PyMySQL leaves the socket of an attempt that fails to the collector."""
        with socket.socket(socket.AF_UNIX) as trial:
            if trial.connect_ex(str(self.directory / "s")):
                return False
        return bool(self.run("select 1"))


class Duo:
    """Node a is active at first. To be used in a `with` statement around nothing but the site's own.

    `by_place`: they replicate by file and position, and write down only what is written to them. With `on_silence`
    "hold" either may be active: they agree over the channel.
    """

    def __init__(self, site: Site, directory: Path, *, by_place: bool = False, on_silence: str = "promote") -> None:
        self.site = site
        self.by_place = by_place
        self.on_silence = on_silence
        self.key = directory / "channel.pem"
        subprocess.run([PYVRRPCTL, "keys", str(self.key)], check=True, capture_output=True)
        cache = Path(tempfile.gettempdir()) / f"pyvrrp-lab-cache-{os.getuid()}"
        cache.mkdir(mode=0o700, exist_ok=True)
        template = make_template(cache)
        self.a, self.b = [
            self._node(template, host, number, directory) for number, host in enumerate((site.a, site.b), start=1)
        ]
        for node in (self.a, self.b):
            assert until(node.answers, STARTED), node.mysqld and node.mysqld.log()
            node.run(*PREPARE)
        for node, source in ((self.a, self.b), (self.b, self.a)):
            place = self._place(source)
            node.run(*(each.format(source=source.host.address, place=place) for each in JOIN))
        self.start(self.a)
        assert on_silence == "hold" or until(lambda: self.a.serves, 20)
        self.start(self.b)
        assert until(lambda: self.a.serves or self.b.serves, 20), self.b.database()
        assert until(lambda: self.ready(self.other(self.active)), 20), self.b.database()

    def _node(self, template: Path, host: Host, number: int, directory: Path) -> Node:
        node = Node(host, number, directory / f"server-{host.name}")
        node.directory.mkdir()
        shutil.copytree(template, node.directory / "data")
        ways = BY_PLACE if self.by_place else BY_GTID
        (node.directory / "my.cnf").write_text(CONFIGURATION.format(directory=node.directory, number=number) + ways)
        (node.directory / "password").touch(0o600)
        (node.directory / "password").write_text("hush")
        self.start_server(node)
        return node

    def _place(self, source: Node) -> str:
        if not self.by_place:
            return "master_use_gtid=slave_pos"
        source.run("set global read_only=0", "flush table app.t", "set global read_only=1")  # not on the other one
        (at,) = source.run("show master status")
        return f"master_log_file='{at['File']}', master_log_pos={at['Position']}, master_use_gtid=no"

    def start_server(self, node: Node) -> None:
        """Start its server, again after its end."""
        configuration = node.directory / "my.cnf"
        (node.directory / "s").unlink(missing_ok=True)
        node.mysqld = self.site.program(node.host, "mariadbd", ["mariadbd", f"--defaults-file={configuration}"])

    def start(self, node: Node) -> None:
        """Start its agent."""
        node.agent = self.site.pyvrrpd_with(node.host, json.dumps(self._configuration(node)))

    def other(self, node: Node) -> Node:
        return self.b if node is self.a else self.a

    @property
    def active(self) -> Node:
        """The one that serves."""
        return next(node for node in (self.a, self.b) if node.serves)

    def ready(self, node: Node) -> bool:
        """Whether it could take over: a replica, and the channel is up."""
        assert node.agent is not None
        return (
            node.agent.state(60) == "BACKUP"
            and not node.database()["against"]
            and node.database()["reported"] is not None
            and "IO Yes, SQL Yes" in node.database()["view"]["replication"]  # it has handed over, and does follow
            and node.agent.ask("status")["channel"]["up"]
        )

    def _configuration(self, node: Node) -> dict[str, Any]:
        peer = self.other(node).host.address
        return {
            "router_id": node.name,
            "state_directory": str(node.directory / "state"),
            "vrrp_instances": {
                "VI_1": {
                    "interface": "eth0",
                    "virtual_router_id": 60,
                    "version": 3,
                    "advert_int": 0.1,
                    "priority": 260 - 10 * node.number,
                    "nopreempt": True,
                    "virtual_ipaddress": [VIP],
                }
            },
            "channel": {"key_file": str(self.key), "listen": node.host.address, "peer": peer},
            "mysql": {
                "VI_1": {
                    "socket": str(node.directory / "s"),
                    "user": "pyvrrp",
                    "password_file": str(node.directory / "password"),
                    "peer": {"host": peer, "port": 3306},
                    "hold_down": 600,
                    "promote": {"on_silence": self.on_silence},
                }
            },
        }

    @contextlib.contextmanager
    def client(self) -> Iterator[Client]:
        """Somebody writes through the virtual address, one row after the other, until the block ends."""
        client = Client(self.site.client)
        try:
            yield client
        finally:
            client.end()


class Client(threading.Thread):
    """`acknowledged` are the rows that it was told are written; `gap` is the longest time between two of them."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.acknowledged: list[int] = []
        self.gap = 0.0
        self.failures = 0
        self._host = host
        self._over = threading.Event()
        self.start()
        assert until(lambda: self.acknowledged, 10)

    def run(self) -> None:
        connection: Connection[DictCursor] | None = None
        number, last = 0, time.monotonic()
        with self._host.namespace.inside():
            while not self._over.is_set():
                number += 1
                try:
                    connection = connection or _connect()
                    with connection.cursor() as cursor:
                        cursor.execute(f"insert into t values ({number})")  # noqa: S608
                except (pymysql.MySQLError, OSError):
                    connection = None
                    self.failures += 1
                    time.sleep(0.005)
                    continue
                self.acknowledged.append(number)
                last, self.gap = time.monotonic(), max(self.gap, time.monotonic() - last)
                time.sleep(0.001)

    def end(self) -> None:
        self._over.set()
        self.join()

    def lost(self, node: Node) -> set[int]:
        """What it was told is written, and is not there."""
        return set(self.acknowledged) - {row["id"] for row in node.run("select id from app.t")}


def _connect() -> Connection[DictCursor]:
    return pymysql.connect(
        host=VIP,
        user="app",
        password="app",
        database="app",
        autocommit=True,
        cursorclass=DictCursor,
        ssl_disabled=True,
        connect_timeout=1,
        read_timeout=2,
        write_timeout=2,
    )
