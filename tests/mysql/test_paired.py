"""From two servers that know nothing of each other to a pair that fails over: setup, check, the daemons, and faults."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
from labkit import processes
from labkit.processes import Process

from tests.lab.agents import PYVRRPCTL, PYVRRPD
from tests.mysql.realm import Machine, mariadb, mysql_5_6, option_lines
from tests.waiting import until

pytestmark = pytest.mark.lab

VIP = "192.168.1.200"
PATIENCE = 20.0  # seconds; what is waited for takes one to four
SETTINGS = """\
router_id: node-{machine.host.name}
vrrp_instances:
  VI_1:
    interface: eth0
    virtual_router_id: 60
    priority: {priority}
    nopreempt: true
    virtual_ipaddress: [192.168.1.200]
mysql:
  VI_1:
    socket: {machine.socket}
    user: pyvrrp
    password_file: {machine.directory}/password
    keep_users: [admin]
    peer: {{host: {peer.host.ip}, port: 3306}}
    hold_down: 0
channel: {{key_file: {key}, listen: {machine.host.ip}, peer: {peer.host.ip}}}
state_directory: {machine.directory}
"""
Make = Callable[..., AbstractContextManager[tuple[Machine, Machine]]]


@dataclass
class Node:
    """A machine with its agent."""

    machine: Machine
    settings: Path
    agent: Process | None = None

    def start(self) -> None:
        argv = [PYVRRPD, "-c", str(self.settings), "--socket", self.socket]
        self.agent = self.machine.host.start(argv, self.machine.directory / "agent.log")

    def stop(self) -> None:
        if self.agent is not None:
            self.agent.send(signal.SIGTERM)
            if not self.agent.wait_gone(10):
                processes.kill([self.agent])

    @property
    def socket(self) -> str:
        return str(self.machine.directory / "control.sock")

    def ctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        argv = [PYVRRPCTL, "--socket", self.socket, *words]
        return subprocess.run(self.machine.host.inside(argv), capture_output=True, text=True, check=False, timeout=120)

    def is_active(self) -> bool:
        closed = self.machine.value("@@global.read_only")
        return closed == 0 and VIP in self.machine.host.run(["ip", "-o", "address", "show", "dev", "eth0"])

    def follows(self) -> bool:
        row = self.machine.server.execute("show slave status")[0]
        threads = {row["Slave_IO_Running"], row["Slave_SQL_Running"]}
        return self.machine.value("@@global.read_only") == 1 and threads == {"Yes"}

    def said(self) -> str:
        return (self.machine.directory / "agent.log").read_text()


@pytest.fixture(params=["mariadb", "mysql-5.6"])
def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Node, Node]]:
    """Set up, their option files as setup printed them, the agents running, a is active and b follows."""
    lines: tuple[str, ...] = ("log_slave_updates", "skip_name_resolve")
    make: Make = mariadb
    if request.param != "mariadb":
        make, lines = mysql_5_6, (*lines, "gtid_mode = ON", "enforce_gtid_consistency")
    with make(tmp_path, *lines) as machines:
        pair = _paired(machines, tmp_path)
        try:
            for node in pair:
                node.start()
                assert until(pair[0].is_active, PATIENCE), pair[0].said()
            assert until(pair[1].follows, PATIENCE), pair[1].said()
            yield pair
        finally:
            for node in pair:
                node.stop()


def _paired(machines: tuple[Machine, Machine], directory: Path) -> tuple[Node, Node]:
    a, b = machines
    key = directory / "channel.pem"
    pair = []
    for machine, peer, priority in ((a, b, 250), (b, a, 240)):
        machine.server.execute(
            "set sql_log_bin=0",
            "create user admin@'192.168.1.%' identified by 'administrator'",
            "grant all on *.* to admin@'192.168.1.%' with grant option",
        )
        settings = machine.directory / "node.yaml"
        settings.write_text(SETTINGS.format(machine=machine, peer=peer, priority=priority, key=key))
        pair.append(Node(machine, settings))
    first, second = pair
    assert first.ctl("keys", str(key)).returncode == 0
    administrator = directory / "admin.cnf"
    administrator.touch(0o600)
    administrator.write_text("[client]\nuser = admin\npassword = administrator\n")
    peer_words = ["--peer-user", "admin", "--peer-defaults-file", str(administrator)]
    done = first.ctl("mysql", "setup", "-c", str(first.settings), *peer_words, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.copy(a.directory / "password", b.directory / "password")
    for machine, server in ((a, "this server"), (b, "the other server")):
        machine.configure(*option_lines(done.stdout, server))
        machine.restart()
    return first, second


def test_a_pair_that_was_set_up_fails_over_and_comes_back(nodes: tuple[Node, Node]) -> None:
    a, b = nodes
    for node in nodes:
        judged = node.ctl("mysql", "check", "-c", str(node.settings))
        assert judged.returncode == 0, judged.stdout

    # Planned, there: what is written afterwards comes back to the one that left.
    moved = a.ctl("switchover")
    assert moved.returncode == 0, moved.stdout + moved.stderr
    assert until(b.is_active, PATIENCE), b.said()
    assert until(a.follows, PATIENCE), a.said()
    b.machine.server.execute("create database app", "create table app.t (id int primary key) engine=innodb")
    b.machine.server.execute("insert into app.t values (1)")
    written = "(select count(*) from information_schema.tables where table_schema = 'app')"
    assert until(lambda: a.machine.value(written) == 1, PATIENCE)

    # The server dies: the other one takes over, with everything.
    b.machine.kill()
    assert until(a.is_active, PATIENCE), a.said()
    assert a.machine.value("(select count(*) from app.t)") == 1
    a.machine.server.execute("insert into app.t values (2)")

    # It comes back, has nothing of its own, and follows; the privileges of setup are enough for all of that.
    b.machine.start()
    assert until(b.follows, PATIENCE), b.said()
    assert until(lambda: b.machine.value("(select count(*) from app.t)") == 2, PATIENCE)
    for node in nodes:
        assert "denied" not in node.said().lower()
        judged = node.ctl("mysql", "check", "-c", str(node.settings))
        assert judged.returncode == 0, judged.stdout
