"""Real MariaDB servers in the laboratory, and two of them in dual-master replication."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import DictCursor

from labkit.errors import DatabaseError, LabError
from labkit.processes import Process
from labkit.topology import Host
from labkit.waiting import until
from pyvrrp.core.settings import Account
from pyvrrp.mysql.session import connect

PORT = 3306
DATABASE, USER, PASSWORD = "lab", "app", "app"
STARTED = 30.0  # seconds; a server on a busy machine takes two
ANSWERED = 5.0  # seconds for one statement over the local socket

# Everything that is not said by the scheme under test keeps the server small.
# slave_net_timeout: a master without power is noticed after seconds, not after a minute.
# auto_increment: two masters that number rows never give the same number.
CONFIGURATION = """\
[mariadbd]
user = root
datadir = {directory}/data
socket = {directory}/mysqld.sock
pid_file = {directory}/mysqld.pid
bind_address = 0.0.0.0
port = {port}
skip_name_resolve

server_id = {number}
log_bin = mysql-bin
relay_log = relay-bin
auto_increment_increment = 2
auto_increment_offset = {number}
slave_net_timeout = 4

innodb_buffer_pool_size = 16M
innodb_log_file_size = 8M
key_buffer_size = 1M
aria_pagecache_buffer_size = 2M
performance_schema = OFF
"""

TABLE = f"""\
create table if not exists {DATABASE}.written (
    id bigint unsigned not null auto_increment primary key,
    seq bigint unsigned not null unique,
    sent double not null
) engine = innodb"""


@dataclass(frozen=True, slots=True)
class Server:
    """One MariaDB server of a host. `number` is its server id; it lives in `directory`.

    `options` are further lines of its my.cnf; they come after the laboratory's own, and win.
    """

    host: Host
    number: int
    directory: Path
    options: tuple[str, ...] = ()

    def install(self, template: Path) -> None:
        """Lay down a fresh data directory and the configuration."""
        shutil.copytree(template, self.directory / "data")
        text = CONFIGURATION.format(directory=self.directory, port=PORT, number=self.number)
        (self.directory / "my.cnf").write_text("\n".join((text, *self.options, "")))

    def start(self) -> Process:
        """Start the server; it does not answer yet."""
        argv = ["mariadbd", f"--defaults-file={self.directory / 'my.cnf'}"]
        return self.host.start(argv, self.directory / "mariadbd.log")

    def wait_ready(self, process: Process) -> None:
        """Wait until the server answers; LabError with its last words when it ended instead."""

        def ready() -> bool:
            if not process.alive:
                raise LabError(f"mariadbd on {self.host.name} ended: {self._last_words()}")
            return self.answers()

        until(ready, STARTED, f"mariadbd on {self.host.name}")

    def answers(self) -> bool:
        """Whether a statement is answered now."""
        try:
            self.execute("select 1")
        except DatabaseError:
            return False
        return True

    def execute(self, *statements: str) -> list[Mapping[str, object]]:
        """Execute statements as root over the local socket; the rows of the last one. Raises DatabaseError."""
        try:
            with self.session(ANSWERED) as connection, connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall())
        except (pymysql.MySQLError, OSError) as error:
            raise DatabaseError(f"mariadbd on {self.host.name}: {error.args[-1] if error.args else error}") from error

    def missing(self, numbers: Sequence[int]) -> list[int]:
        """Which of these sequence numbers are not in the table."""
        if not numbers:
            return []
        span = f"seq between {min(numbers)} and {max(numbers)}"
        present = {row["seq"] for row in self.execute(f"select seq from {DATABASE}.written where {span}")}
        return [number for number in numbers if number not in present]

    def session(self, timeout: float) -> Connection[DictCursor]:
        """A session of root's over the local socket. Raises pymysql.MySQLError, OSError."""
        return connect(Account(socket=str(self.directory / "mysqld.sock"), user="root"), timeout)

    def _last_words(self) -> str:
        lines = (self.directory / "mariadbd.log").read_text(errors="replace").splitlines()
        return next((line for line in reversed(lines) if "ERROR" in line), lines[-1] if lines else "no output")


@dataclass(frozen=True, slots=True)
class Replication:
    """One direction of replication as `show slave status` tells it. `trouble` is the server's own error text."""

    receiving: bool
    applying: bool
    behind: int | None
    trouble: str

    @property
    def running(self) -> bool:
        """Whether both threads of the replica run."""
        return self.receiving and self.applying

    def __str__(self) -> str:
        if self.running:
            return f"{self.behind or 0} s behind"
        return f"stopped: {self.trouble or 'not connected'}"


def replication(replica: Server) -> Replication | None:
    """How the replica follows its master; None when it is no replica or does not answer."""
    try:
        rows = replica.execute("show slave status")
    except DatabaseError:
        return None
    if not rows:
        return None
    row = rows[0]
    behind = row["Seconds_Behind_Master"]
    return Replication(
        receiving=row["Slave_IO_Running"] == "Yes",
        applying=row["Slave_SQL_Running"] == "Yes",
        behind=behind if isinstance(behind, int) else None,
        trouble=str(row["Last_SQL_Error"] or row["Last_IO_Error"] or ""),
    )


def pair(first: Server, second: Server) -> None:
    """Make each server the master of the other, with the tutorial's own statements in the tutorial's order."""
    for master, replica in ((first, second), (second, first)):
        master.execute("grant replication slave on *.* to 'replication'@'%' identified by 'replication'")
        status = master.execute("show master status")[0]
        replica.execute(
            f"change master to master_host='{master.host.ip}',master_user='replication',"
            f"master_password='replication',master_log_file='{status['File']}',"
            f"master_log_pos={status['Position']}",
            # Beyond the tutorial: a master that is back is found after a second, not after a minute.
            "change master to master_connect_retry=1",
            "start slave",
        )
    until(lambda: _runs(first) and _runs(second), ANSWERED, "replication in both directions")


def prepare_table(server: Server) -> None:
    """Make the table and the account that the client writes with; replication carries them to the other server."""
    server.execute(
        f"create database if not exists {DATABASE}",
        TABLE,
        f"grant select, insert on {DATABASE}.* to '{USER}'@'%' identified by '{PASSWORD}'",
    )


def in_step(master: Server, replica: Server, seconds: float) -> bool:
    """Wait until the replica has applied all that its master has written by now; False when it does not in time."""
    try:
        status = master.execute("show master status")[0]
        waited = replica.execute(f"select master_pos_wait('{status['File']}', {status['Position']}, {seconds}) as w")
    except DatabaseError:
        return False
    answer = waited[0]["w"]
    return isinstance(answer, int) and answer >= 0


def make_template(cache: Path) -> Path:
    """A data directory as mariadb-install-db makes it, made once for each version of the server."""
    version = _output(["mariadbd", "--no-defaults", "--version"]).split()[2]
    template = cache / f"mariadb-{version}"
    if template.exists():
        return template
    growing = cache / f"mariadb-{version}.{os.getpid()}"
    try:
        _output(
            [
                "mariadb-install-db",
                "--no-defaults",
                "--user=root",
                f"--datadir={growing}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--innodb-log-file-size=8M",
            ]
        )
        growing.rename(template)
    except OSError:
        # Another laboratory was quicker.
        if not template.exists():
            raise
    finally:
        shutil.rmtree(growing, ignore_errors=True)
    return template


def _runs(server: Server) -> bool:
    status = replication(server)
    return status is not None and status.running


def _output(argv: Sequence[str]) -> str:
    result = subprocess.run(argv, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise LabError(f"{argv[0]}: {(result.stderr or result.stdout).strip()}")
    return result.stdout
