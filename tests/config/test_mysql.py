"""The database behind an instance, in node.yaml: what it becomes, what cannot be, what is given up."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from pyvrrp.config.load import load
from pyvrrp.config.show import effective
from pyvrrp.core.diff import changes
from pyvrrp.core.settings import (
    Account,
    ChannelSettings,
    DatabaseSettings,
    DemoteSettings,
    InstanceSettings,
    NodeSettings,
    ProbeSettings,
    PromoteSettings,
)
from tests.config import samples

CONF = Path(__file__).parents[2] / "conf"

HEAD = """\
vrrp_instances:
  VI_1:
    interface: eth0
    virtual_router_id: 60
    priority: 250
    nopreempt: true
    virtual_ipaddress: [192.168.1.200]
mysql:
"""
ENTRY = """\
VI_1:
  socket: /run/mysqld/mysqld.sock
  user: pyvrrp
  peer: {host: 192.168.1.202}
"""
CHANNEL = "channel: {key_file: key.pem, listen: 192.168.1.201, peer: 192.168.1.202}\n"


def node(entry: str = ENTRY, rest: str = CHANNEL) -> str:
    """A node with this below `mysql:`; it begins in line 9, an entry's keys in line 10."""
    return HEAD + textwrap.indent(textwrap.dedent(entry), "  ") + rest


def with_keys(lines: str) -> str:
    """A node with more keys in its entry; they begin in line 13."""
    return node(ENTRY + textwrap.indent(textwrap.dedent(lines).rstrip("\n"), "  ") + "\n")


@pytest.fixture(autouse=True)
def key_file(tmp_path: Path) -> Path:
    """The file that `channel` names."""
    file = tmp_path / "key.pem"
    file.touch(0o600)
    return file


def settings(folder: Path, text: str) -> NodeSettings:
    return samples.loaded(folder, text).settings


def database(folder: Path, text: str) -> DatabaseSettings:
    (instance,) = settings(folder, text).instances
    assert instance.database is not None
    return instance.database


def problem(folder: Path, text: str) -> str:
    (found,) = samples.problems(folder, text)
    return found.removeprefix("node.yaml:")


def advice(folder: Path, text: str) -> list[str]:
    return [each.removeprefix("node.yaml:") for each in samples.advice(folder, text)]


# --- what it becomes --------------------------------------------------------------------------------------------------


def test_an_instance_without_a_section_has_no_database(tmp_path: Path) -> None:
    found = settings(tmp_path, samples.GOOD)
    assert found.instances[0].database is None
    assert (found.channel, found.state_directory) == (None, "/var/lib/pyvrrp")


def test_what_is_not_said_has_the_defaults_of_the_core(tmp_path: Path) -> None:
    found = database(tmp_path, node("VI_1: {user: pyvrrp}\n"))
    assert found == DatabaseSettings(Account(user="pyvrrp"))


def test_all_of_it(tmp_path: Path) -> None:
    text = with_keys("""\
        password_file: /etc/pyvrrp/mysql.password
        probe: {interval: 200ms, timeout: 1s, misses: 4, write: false}
        promote: {require: healthy-replica, apply_timeout: 30s, max_lag: 2s, otherwise: promote, on_silence: hold}
        demote: {read_only: false, kill_sessions: false, timeout: 500ms, on_failure: kill-server}
        semi_sync: off
        hold_down: 5m
        keep_users: [root, monitor]
        """)
    account = Account("/run/mysqld/mysqld.sock", user="pyvrrp", password_file="/etc/pyvrrp/mysql.password")
    assert database(tmp_path, text) == DatabaseSettings(
        account=account,
        peer=replace(account, socket="", host="192.168.1.202"),
        probe=ProbeSettings(0.2, 1.0, 4, write=False),
        promote=PromoteSettings("healthy-replica", 30.0, 2.0, "promote", "hold"),
        demote=DemoteSettings(read_only=False, kill_sessions=False, timeout=0.5, on_failure="kill-server"),
        semi_sync="off",
        hold_down=300.0,
        keep_users=("root", "monitor"),
    )


def test_files_lie_beside_the_configuration_wherever_the_daemon_works(tmp_path: Path) -> None:
    found = settings(
        tmp_path, node("VI_1: {socket: a.sock, defaults_file: my.cnf}\n", f"{CHANNEL}state_directory: s\n")
    )
    (instance,) = found.instances
    assert instance.database == DatabaseSettings(Account(f"{tmp_path}/a.sock", defaults_file=f"{tmp_path}/my.cnf"))
    assert found.channel == ChannelSettings(f"{tmp_path}/key.pem", "192.168.1.201", "192.168.1.202", 3112)
    assert found.state_directory == f"{tmp_path}/s"


def test_the_samples_are_a_pair() -> None:
    a, b = (load(str(CONF / f"mysql-{name}.yaml")) for name in "ab")
    (one,), (other,) = a.settings.instances, b.settings.instances
    assert isinstance(one, InstanceSettings)
    assert (one.priority, other.priority, one.preempt, other.preempt) == (250, 240, False, False)
    assert (one.version, one.auth_pass, one.addresses) == (2, other.auth_pass, other.addresses)
    assert one.database is not None
    assert other.database is not None
    assert one.database.account == other.database.account
    assert a.settings.channel is not None
    assert b.settings.channel is not None
    assert (a.settings.channel.listen, a.settings.channel.peer) == (b.settings.channel.peer, b.settings.channel.listen)
    for found, mine in ((one, a), (other, b)):
        assert found.database is not None
        assert found.database.peer is not None
        assert mine.settings.channel is not None
        assert found.database.peer.host == mine.settings.channel.peer


def test_what_is_shown_loads_and_means_the_same(tmp_path: Path) -> None:
    text = with_keys("""\
        password_file: secret
        probe: {misses: 4}
        promote: {require: none}
        demote: {on_failure: kill-server}
        semi_sync: off
        keep_users: [root]
        """)
    before = settings(tmp_path, f"{text}state_directory: state\n")
    again = settings(tmp_path, effective(before))
    assert again.instances[0].database == before.instances[0].database
    assert (again.channel, again.state_directory) == (before.channel, before.state_directory)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "socket: /run/mysqld/mysqld.sock",
            "host: 127.0.0.2",
            (
                "VI_1: mysql: socket /run/mysqld/mysqld.sock -> none",
                "VI_1: mysql: host 127.0.0.1 -> 127.0.0.2",
            ),
        ),
        ("{host: 192.168.1.202}", "{host: 192.168.1.203}", ("VI_1: mysql: peer: host 192.168.1.202 -> 192.168.1.203",)),
        ("user: pyvrrp", "user: other", ("VI_1: mysql: user pyvrrp -> other",)),
        ("user: pyvrrp", "user: pyvrrp\n  probe: {timeout: 1}", ("VI_1: mysql: probe: timeout 0.3 -> 1",)),
        ("user: pyvrrp", "user: pyvrrp\n  demote: {timeout: 1}", ("VI_1: mysql: demote: timeout 0.3 -> 1",)),
        ("user: pyvrrp", "user: pyvrrp\n  keep_users: [a, b]", ("VI_1: mysql: keep_users none -> a, b",)),
    ],
)
def test_what_a_reload_changes(tmp_path: Path, old: str, new: str, expected: tuple[str, ...]) -> None:
    assert changes(settings(tmp_path, node()), settings(tmp_path, node(ENTRY.replace(old, new)))) == expected


def test_a_reload_that_brings_a_database(tmp_path: Path) -> None:
    without = settings(tmp_path, HEAD.removesuffix("mysql:\n"))
    bound = settings(tmp_path, node(rest=f"{CHANNEL}state_directory: /srv/state\n"))
    assert changes(without, bound) == (
        "node: channel off -> 192.168.1.201 with 192.168.1.202, port 3112",
        "node: state_directory /var/lib/pyvrrp -> /srv/state",
        "VI_1: mysql off -> /run/mysqld/mysqld.sock",
    )
    other = settings(tmp_path, node(rest=CHANNEL.replace("}", ", port: 4000}")))
    assert changes(settings(tmp_path, node()), other) == ("node: channel: port 3112 -> 4000",)


# --- what cannot be ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("sockett: /x", '13:5: mysql.VI_1: unknown key "sockett" (did you mean "socket"?)'),
        ("probe: {intervall: 1}", '13:13: mysql.VI_1.probe: unknown key "intervall" (did you mean "interval"?)'),
        ("probe: {interval: 1ms}", "13:23: mysql.VI_1.probe.interval: 1ms is outside 0.05..60"),
        ("probe: {misses: 0}", "13:21: mysql.VI_1.probe.misses: 0 is outside 1..1000"),
        ("probe: often", "13:12: mysql.VI_1.probe: keys and values are expected here, not a single value"),
        (
            "promote: {require: all}",
            '13:24: mysql.VI_1.promote.require: "all" is not applied or healthy-replica or none',
        ),
        ("promote: {otherwise: wait}", '13:26: mysql.VI_1.promote.otherwise: "wait" is not hold or promote'),
        (
            "promote: {max_lag: 200ms}",
            "13:24: mysql.VI_1.promote.max_lag: 0.2 s is not above probe.interval, 0.3 s: the lag is read off what the",
        ),
        ("demote: {timeout: 11s}", "13:23: mysql.VI_1.demote.timeout: 11s is outside 0.05..10"),
        ("demote: {timeout: 10ms}", "13:23: mysql.VI_1.demote.timeout: 10ms is outside 0.05..10"),
        ("demote: {on_failure: stop}", '13:26: mysql.VI_1.demote.on_failure: "stop" is not remove-vip or kill-server'),
        ("semi_sync: on", '13:16: mysql.VI_1.semi_sync: "on" is not auto or off'),
        ("hold_down: 2d", '13:16: mysql.VI_1.hold_down: "2d" is not a duration'),
        ("keep_users: root", "13:17: mysql.VI_1.keep_users: a list is expected here"),
        ("port: 3306", "10:5: mysql.VI_1.socket: host or port is given too; a server is reached in one way"),
        (
            "password_file: a\ndefaults_file: b",
            "14:5: mysql.VI_1.defaults_file: password_file is given too; one of them is enough",
        ),
        (
            "password: x",
            "13:5: mysql.VI_1.password: a password does not stand here: write it into a file of its own (mode 0600)",
        ),
    ],
)
def test_a_key_that_cannot_be(tmp_path: Path, lines: str, expected: str) -> None:
    assert problem(tmp_path, with_keys(lines)).startswith(expected)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("[]", "8:10: mysql: keys and values are expected here, not a list"),
        ("VI_1: ", "9:3: mysql.VI_1: has no value"),
        ("VI_1: {socket: /s}", "9:3: mysql.VI_1: user is needed, or a defaults_file that names one"),
        ("VI_2: {user: u}", '9:3: mysql.VI_2: there is no instance "VI_2" (did you mean "VI_1"?)'),
        (
            "VI_1: {user: u, host: db1}",
            '9:25: mysql.VI_1.host: "db1" is not an IP address (names are not looked up',
        ),
        (
            "VI_1: {user: u, host: 192.168.1.200}",
            "9:25: mysql.VI_1.host: 192.168.1.200 is a virtual address of VI_1: it leads to whoever is master",
        ),
        ("VI_1: {user: u, host: 0.0.0.0}", "9:25: mysql.VI_1.host: 0.0.0.0 is no address at all"),
        ("VI_1: {user: u, peer: {port: 3307}}", "9:19: mysql.VI_1.peer: host or socket is needed"),
        (
            "VI_1: {user: u, peer: {host: 192.168.1.200}}",
            "9:32: mysql.VI_1.peer.host: 192.168.1.200 is a virtual address of VI_1",
        ),
        (
            "VI_1: {user: u, peer: {host: 192.168.1.2, socket: /s}}",
            "9:45: mysql.VI_1.peer.socket: host or port is given too",
        ),
        (
            "VI_1: {user: u, host: 192.168.1.2, peer: {host: 192.168.1.2}}",
            "9:38: mysql.VI_1.peer: 192.168.1.2:3306 is this node's own server, not the peer's",
        ),
        (
            "VI_1: {user: u, peer: {host: 192.168.1.2, prt: 1}}",
            '9:45: mysql.VI_1.peer: unknown key "prt" (did you mean "port"?)',
        ),
    ],
)
def test_an_entry_that_cannot_be(tmp_path: Path, entry: str, expected: str) -> None:
    text = node(entry + "\n", "") if entry.startswith("VI") else HEAD.replace("mysql:\n", f"mysql:   {entry}\n")
    assert problem(tmp_path, text).startswith(expected)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "    nopreempt: true\n",
            "",
            "2:3: vrrp_instances.VI_1.nopreempt: an instance with a mysql section needs nopreempt: true: preempting",
        ),
        ("nopreempt: true", "nopreempt: false", "6:5: vrrp_instances.VI_1.nopreempt: an instance with a mysql section"),
        (
            "priority: 250\n    nopreempt: true",
            "priority: 255",
            "5:15: vrrp_instances.VI_1.priority: 255 is for the owner of an address, who takes it without asking",
        ),
        (
            "nopreempt: true",
            "nopreempt: true\n    accept: false",
            "7:5: vrrp_instances.VI_1.accept: nobody would reach the database",
        ),
    ],
)
def test_an_instance_that_must_have_no_database(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert problem(tmp_path, node().replace(old, new)).startswith(expected)


def test_a_member_of_a_sync_group_has_no_database(tmp_path: Path) -> None:
    found = problem(tmp_path, node(rest=f"{CHANNEL}vrrp_sync_groups: {{G: {{group: [VI_1]}}}}\n"))
    assert found.startswith('14:32: vrrp_sync_groups.G.group: "VI_1" has a mysql section: when a database may move')


def test_a_server_belongs_to_one_instance(tmp_path: Path) -> None:
    other = "virtual_router_id: 61, nopreempt: true, virtual_ipaddress: [192.168.1.199]"
    text = node(f"{ENTRY}VI_2: {{socket: /run/mysqld/mysqld.sock, user: a}}\n")
    text = text.replace("mysql:\n", f"  VI_2: {{interface: eth0, {other}}}\nmysql:\n")
    assert problem(tmp_path, text) == (
        "14:3: mysql.VI_2: /run/mysqld/mysqld.sock belongs to VI_1 already (line 10):"
        " one would open it while the other closes it"
    )


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("channel: {listen: 10.0.0.1, peer: 10.0.0.2}", '13:1: channel: required key "key_file" is missing'),
        ("channel: {key_file: k, listen: 10.0.0.1}", '13:1: channel: required key "peer" is missing'),
        ("channel: {key_file: k, listen: 127.0.0.1, peer: 10.0.0.2}", "13:32: channel.listen: 127.0.0.1 is a loopback"),
        (
            "channel: {key_file: k, listen: 10.0.0.1, peer: 10.0.0.1}",
            "13:48: channel.peer: 10.0.0.1 is listen, too: it is the other node's address",
        ),
        (
            "channel: {key_file: k, listen: 10.0.0.1, peer: '2001:db8::1'}",
            "13:48: channel.peer: 2001:db8::1 is not of the family of 10.0.0.1",
        ),
        (
            "channel: {key_file: k, listen: 192.168.1.200, peer: 10.0.0.2}",
            "13:32: channel.listen: 192.168.1.200 is a virtual address of VI_1",
        ),
        (
            "channel: {key_file: k, listen: 10.0.0.1, peer: 10.0.0.2, prot: 1}",
            '13:58: channel: unknown key "prot" (did you mean "port"?)',
        ),
        ("state_directory:", "13:1: state_directory: has no value"),
    ],
)
def test_a_channel_that_cannot_be(tmp_path: Path, rest: str, expected: str) -> None:
    assert problem(tmp_path, node(rest=f"{rest}\n")).startswith(expected)


def test_all_problems_in_one_run(tmp_path: Path) -> None:
    text = node("""\
        VI_1:
          socket: [/s]
          user: ' '
          probe: {interval: no, misses: 0}
          peer: {host: db2}
        VI_9: {user: u, port: 0}
        """)
    places = [tuple(map(int, each.split(":")[1:3])) for each in samples.problems(tmp_path, text)]
    assert places == [(10, 13), (11, 11), (12, 23), (12, 35), (13, 18), (14, 3), (14, 25)]


SECRET = "S3cret!x"


@pytest.mark.parametrize(
    "lines",
    [
        f"password: {SECRET}",
        f"password: {{{SECRET}: 1}}",
        f"password: {{{SECRET}: {{a: 1, a: 2}}}}",
        f"password: [{SECRET}]",
        f"probe: {{password: {SECRET}, password {SECRET}}}",
        f"peer: {{host: 192.168.1.202, password {SECRET}}}",
        f"peer: {{host: 192.168.1.202, password:{SECRET}}}",
        f"peer: {{host: 192.168.1.202, password={SECRET}}}",
        f"password_file: {{{SECRET}: 1}}",
    ],
)
def test_no_problem_shows_a_password(tmp_path: Path, lines: str) -> None:
    text = with_keys(lines).replace("  peer: {host: 192.168.1.202}\n", "", 1 if lines.startswith("peer") else 0)
    found = samples.problems(tmp_path, text)
    assert found
    assert not any(SECRET in each for each in found)


# --- what may be meant otherwise --------------------------------------------------------------------------------------


def test_a_good_pair_draws_no_advice(tmp_path: Path) -> None:
    (tmp_path / "secret").touch(0o600)
    assert advice(tmp_path, with_keys("password_file: secret")) == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("promote: {require: none}", "13:24: mysql.VI_1.promote.require: none: plain keepalived behaviour"),
        ("probe: {write: false}", "13:20: mysql.VI_1.probe.write: false: a full disk is not seen"),
        ("probe: {interval: 100ms, timeout: 100ms}", "13:12: mysql.VI_1.probe: a server that pauses for 0.3 s hangs"),
        ("demote: {read_only: false}", "13:25: mysql.VI_1.demote.read_only: false: clients that reach a server by"),
        ("demote: {kill_sessions: false}", "13:29: mysql.VI_1.demote.kill_sessions: false: a transaction that is open"),
        (
            "demote: {timeout: 1.5s}",
            "13:23: mysql.VI_1.demote.timeout: 1.5 s: the lease of the address, 2 s, may be over before the writes",
        ),
        ("hold_down: 0", "13:16: mysql.VI_1.hold_down: 0: two servers that fail in turn pass the database to and fro"),
        ("password_file: gone", "13:20: mysql.VI_1.password_file: "),
    ],
)
def test_advice(tmp_path: Path, lines: str, expected: str) -> None:
    (found,) = advice(tmp_path, with_keys(lines))
    assert found.startswith(expected)


def test_a_file_that_others_can_read_will_be_refused(tmp_path: Path, key_file: Path) -> None:
    key_file.chmod(0o640)
    assert advice(tmp_path, node()) == [
        "13:21: channel.key_file: key.pem can be read by others (mode 0640): chmod 600 key.pem"
    ]
    key_file.unlink()
    assert advice(tmp_path, node()) == ["13:21: channel.key_file: key.pem: there is no such file"]
    key_file.mkdir()
    assert advice(tmp_path, node()) == ["13:21: channel.key_file: key.pem is not a regular file"]


def test_what_is_lost_without_a_channel_and_without_a_peer(tmp_path: Path) -> None:
    (without_channel,) = advice(tmp_path, node(rest=""))
    assert without_channel.startswith("9:3: mysql: no channel: a switchover cannot be agreed on")
    (without_peer,) = advice(tmp_path, node("VI_1: {user: u}\n"))
    assert without_peer.startswith("9:9: mysql.VI_1.peer: no peer: nobody can be asked there whether a server")


def test_a_channel_that_nothing_uses(tmp_path: Path) -> None:
    (found,) = advice(tmp_path, f"{samples.GOOD}{CHANNEL}")
    assert found.startswith("11:10: channel: nothing uses it: there is no mysql section")
