"""`pyvrrpctl mysql setup` and `check` with two real servers that know nothing of each other."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pyvrrp.mysql.passwords import hashed
from tests.mysql.realm import Machine, mariadb, mysql_5_6, option_lines
from tests.waiting import until

pytestmark = pytest.mark.lab

SETTINGS = """\
vrrp_instances:
  VI_1:
    interface: eth0
    virtual_router_id: 60
    nopreempt: true
    virtual_ipaddress: [192.168.1.200]
mysql:
  VI_1:
    socket: {machine.socket}
    user: pyvrrp
    password_file: {machine.directory}/password
    keep_users: [admin]
    peer: {{host: {peer.host.ip}, port: 3306}}
state_directory: {machine.directory}
"""
LINES = ("log_slave_updates", "skip_name_resolve")


@dataclass
class Pair:
    """Both nodes, and an administrator who may come from either."""

    a: Machine
    b: Machine

    def ctl(self, machine: Machine, *words: str, answers: str = "") -> subprocess.CompletedProcess[str]:
        """`pyvrrpctl mysql ...` on a node."""
        other = self.b if machine is self.a else self.a
        settings = machine.directory / "node.yaml"
        settings.write_text(SETTINGS.format(machine=machine, peer=other))
        administrator = machine.directory / "admin.cnf"
        administrator.touch(0o600)
        administrator.write_text("[client]\nuser = admin\npassword = administrator's\n")
        command, *rest = words
        argv = [sys.executable, "-m", "pyvrrp.cli.main", "mysql", command, "-c", str(settings)]
        argv += ["--peer-user", "admin", "--peer-defaults-file", str(administrator), *rest]
        return subprocess.run(
            machine.host.inside(argv), input=answers, capture_output=True, text=True, check=False, timeout=120
        )


@contextmanager
def furnished(machines: tuple[Machine, Machine]) -> Iterator[Pair]:
    """An administrator on both, made without a trace in the log."""
    for each in machines:
        each.server.execute(
            "set sql_log_bin=0",
            "create user admin@'192.168.1.%' identified by 'administrator''s'",
            "grant all on *.* to admin@'192.168.1.%' with grant option",
        )
    yield Pair(*machines)


@pytest.fixture(params=["mariadb", "mysql-5.6", "mysql-5.6-without-gtid"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Pair, str]]:
    make: Callable[..., object] = mariadb if request.param == "mariadb" else mysql_5_6
    lines = LINES + (("gtid_mode = ON", "enforce_gtid_consistency") if request.param == "mysql-5.6" else ())
    with make(tmp_path, *lines) as machines, furnished(machines) as built:  # type: ignore[attr-defined]
        yield built, request.param


def in_logs_is_no_password(nodes: Pair, agent: str) -> None:
    """Neither the agent's password nor those of replication are in a binary log or a relay log."""
    for machine in (nodes.a, nodes.b):
        kept = (machine.directory / "data" / "master.info").read_text()
        clear = [line.strip() for line in kept.splitlines() if line.strip().endswith("-aZ9")]
        assert len(clear) == 1, "the replica alone keeps it"
        logs = [each.read_bytes() for each in (machine.directory / "data").glob("*[0-9]")]
        assert any(b"CREATE USER 'repl_" in each for each in logs)
        for each in logs:
            assert not [word for word in (*clear, agent) if word.encode() in each]
            assert b"-aZ9" not in each


def test_two_servers_become_a_pair_and_a_second_run_has_nothing_to_do(pair: tuple[Pair, str]) -> None:
    nodes, kind = pair
    a, b = nodes.a, nodes.b
    words = ("--without-gtid",) if kind == "mysql-5.6-without-gtid" else ()

    printed = nodes.ctl(a, "setup", "--print", *words)
    assert printed.returncode == 0, printed.stderr
    assert "IDENTIFIED BY PASSWORD '...'" in printed.stdout
    kept = f"the agent's password, in {a.directory / 'password'} (mode 0600), to be copied to the other node"
    assert kept in printed.stdout
    bare = nodes.ctl(a, "setup", "--print", "--show-passwords", *words).stdout
    shown = re.search(r"the agent's password: (\S+), in ", bare)
    assert shown is not None
    assert f"IDENTIFIED BY PASSWORD '{hashed(shown[1])}'" in bare, "what is sent"
    assert shown[1] not in bare.replace(shown[0], "")
    assert not a.server.execute("select 1 from mysql.user where user='pyvrrp'"), "--print does nothing"

    done = nodes.ctl(a, "setup", "--yes", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    password = a.directory / "password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert password.read_text().strip() not in done.stdout
    in_logs_is_no_password(nodes, password.read_text().strip())
    again = nodes.ctl(a, "setup", "--yes", *words)
    assert "-- nothing to do" in again.stdout, again.stdout + again.stderr

    assert (a.value("@@global.read_only"), b.value("@@global.read_only")) == (0, 1)
    a.server.execute("create database app", "create table app.t (id int auto_increment primary key) engine=innodb")
    a.server.execute("insert into app.t values ()")
    assert until(lambda: b.value("(select count(*) from information_schema.tables where table_schema='app')"))
    assert until(lambda: b.value("(select count(*) from app.t)") == 1)

    if kind == "mariadb":
        forgotten = " ".join(nodes.ctl(a, "check").stdout.split())
        assert "gtid_strict_mode is ON and is not in its option file: it does not outlive a restart" in forgotten

    # The lines of my.cnf in force, the password on both, the standby as pyvrrpd would have it: nothing is wrong.
    shutil.copy(password, b.directory / "password")
    for each, server in ((a, "this server"), (b, "the other server")):
        each.configure(*option_lines(done.stdout, server))
        each.restart()
    a.server.execute("set global read_only=0")
    b.server.execute("start slave")
    assert until(lambda: b.server.execute("show slave status")[0]["Slave_IO_Running"] == "Yes")
    for each in (a, b):
        judged = nodes.ctl(each, "check")
        assert judged.returncode == 0, judged.stdout + judged.stderr
        assert "no problem" in judged.stdout
    at_b = nodes.ctl(b, "setup", "--yes", *words)
    assert "-- nothing to do" in at_b.stdout, at_b.stdout + at_b.stderr
    assert "-- active: the other server" in at_b.stdout
    assert "my.cnf of this server" not in at_b.stdout, "it was read"


def test_a_replication_account_that_is_gone_is_found_and_made_again(pair: tuple[Pair, str]) -> None:
    nodes, kind = pair
    a, b = nodes.a, nodes.b
    words = ("--without-gtid",) if kind == "mysql-5.6-without-gtid" else ()
    assert nodes.ctl(a, "setup", "--yes", *words).returncode == 0
    a.server.execute("drop user 'repl_1'@'192.168.1.201'", "drop user 'repl_2'@'192.168.1.202'")
    assert until(lambda: not b.server.execute("select 1 from mysql.user where user like 'repl%'"))
    judged = " ".join(nodes.ctl(a, "check").stdout.split())
    assert "this server: has no account repl_2@192.168.1.202, which the other server replicates with" in judged
    assert "the other server: has no account repl_1@192.168.1.201, which this server replicates with" in judged

    mended = nodes.ctl(a, "setup", "--yes", *words)
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert "has no account" not in " ".join(nodes.ctl(a, "check").stdout.split())
    again = nodes.ctl(a, "setup", "--yes", *words)
    assert "-- nothing to do" in again.stdout, again.stdout + again.stderr
    a.server.execute("create database forth")
    b.server.execute("stop slave", "start slave")
    assert until(lambda: b.server.execute("show databases like 'forth'"), 10), b.server.execute("show slave status")
    a.server.execute("set global read_only=1")
    b.server.execute("stop slave", "set global read_only=0", "create database back")
    a.server.execute("start slave")
    assert until(lambda: a.server.execute("show databases like 'back'"), 10), a.server.execute("show slave status")

    # And when it is too late: the former active server is refused.
    b.server.execute("drop user 'repl_1'@'192.168.1.201'")
    assert until(lambda: not a.server.execute("select 1 from mysql.user where user = 'repl_1'"))
    a.server.execute("stop slave", "start slave")
    assert until(lambda: a.server.execute("show slave status")[0]["Last_IO_Errno"] == 1045, 10)
    late = nodes.ctl(a, "setup", "--yes", *words)
    assert late.returncode == 0, late.stdout + late.stderr
    b.server.execute("create database late")
    assert until(lambda: a.server.execute("show databases like 'late'"), 10), a.server.execute("show slave status")


def test_the_way_back_works_when_it_is_needed(tmp_path: Path) -> None:
    with mariadb(tmp_path, *LINES) as machines, furnished(machines) as nodes:
        a, b = machines
        assert nodes.ctl(a, "setup", "--yes").returncode == 0
        a.server.execute("set global read_only=1")
        b.server.execute("stop slave", "set global read_only=0", "create database after_the_failover")
        a.server.execute("start slave")
        assert until(lambda: a.server.execute("show databases like 'after%'"), 10), a.server.execute(
            "show slave status"
        )


def test_nothing_is_done_that_was_not_agreed_to(tmp_path: Path) -> None:
    with mariadb(tmp_path, *LINES) as machines, furnished(machines) as nodes:
        a, b = machines
        refused = nodes.ctl(a, "setup", answers="n\n")
        assert refused.returncode == 6
        assert not (a.directory / "password").exists()
        # The password and the first step: the variables of this server; the second one is refused.
        half = nodes.ctl(a, "setup", answers="y\ny\nn\n")
        assert half.returncode == 6
        assert "Do this? [Y/n]: \nleft as it is" in half.stdout
        assert (a.value("@@gtid_strict_mode"), b.value("@@gtid_strict_mode")) == (1, 0)
        whole = nodes.ctl(a, "setup", "--yes")
        assert whole.returncode == 0, whole.stderr


def test_a_pair_that_is_not_fit_is_told_why(tmp_path: Path) -> None:
    with mariadb(tmp_path, "skip_name_resolve") as machines, furnished(machines) as nodes:
        a, b = machines
        cannot = nodes.ctl(a, "setup", "--yes")
        assert cannot.returncode == 6
        assert "this server has no log_slave_updates" in cannot.stderr
        assert "log_slave_updates = ON" in cannot.stdout
        for each in (a, b):
            each.configure("log_slave_updates")
            each.restart()
        b.server.execute("create database strange")
        errant = nodes.ctl(a, "setup", "--yes")
        assert "the other server has transactions that this server has not: 0-2-1" in errant.stderr
        b.server.execute("reset master", "set sql_log_bin=0", "drop database strange")
        assert nodes.ctl(a, "setup", "--yes").returncode == 0

        a.server.execute(
            "create user app@'%' identified by 'app'",
            "grant all on *.* to app@'%'",
            "create database app",
            "create table app.loose (v int) engine=myisam",
            "revoke process on *.* from pyvrrp@localhost",
        )
        judged = nodes.ctl(a, "check")
        assert judged.returncode == 3
        for sentence in (
            "read_only is not in its option file",
            "app@% may write from other hosts",
            "it has not got PROCESS",
            "without primary key: app.loose",
            "not in InnoDB: app.loose",
        ):
            assert sentence in " ".join(judged.stdout.split()), judged.stdout


def test_a_copy_by_hand_is_believed_and_a_lost_password_is_replaced(tmp_path: Path) -> None:
    rows = (
        "create database app",
        "create table app.t (id int primary key) engine=innodb",
        "insert into app.t values (1)",
    )
    with mariadb(tmp_path, *LINES) as machines, furnished(machines) as nodes:
        a, b = machines
        a.server.execute(*rows)
        cannot = nodes.ctl(a, "setup", "--yes")
        assert "the other server has not got app.t" in cannot.stderr
        b.server.execute("set sql_log_bin=0", *rows)
        assert "--same-data" in nodes.ctl(a, "setup", "--yes").stderr
        assert nodes.ctl(a, "setup", "--yes", "--same-data").returncode == 0
        a.server.execute("insert into app.t values (2)")
        assert until(lambda: b.value("(select count(*) from app.t)") == 2)

        password = a.directory / "password"
        old = password.read_text()
        password.unlink()
        assert "its password is not known here" in nodes.ctl(a, "setup", "--yes").stderr
        assert nodes.ctl(a, "setup", "--yes", "--new-password").returncode == 0
        assert password.read_text() != old
        shutil.copy(password, b.directory / "password")
        for each in (a, b):
            assert "does not get in" not in nodes.ctl(each, "check").stdout
        in_logs_is_no_password(nodes, password.read_text().strip())


def test_servers_that_judge_passwords_are_set_up_without_one_in_a_log(tmp_path: Path) -> None:
    with mariadb(tmp_path, *LINES) as machines, furnished(machines) as nodes:
        for each in machines:
            each.server.execute("install soname 'simple_password_check'")
        done = nodes.ctl(nodes.a, "setup", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        in_logs_is_no_password(nodes, (nodes.a.directory / "password").read_text().strip())
        assert {each.value("@@strict_password_validation") for each in machines} == {1}
        assert nodes.b.server.execute("select 1 from mysql.user where user = 'pyvrrp' and host = 'localhost'")
