"""A file that can be used → settings and advice; the process that reads it for the daemon."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from pyvrrp.config.load import load
from pyvrrp.config.schema import schema_text
from pyvrrp.core.settings import CheckSettings, LoadedNode, TcpProbe, Track, VirtualAddress, automatic_lease, shape
from pyvrrp.errors import Problem
from tests.config.samples import GOOD, advice, loaded, problems, replaced, with_instance_lines

CONF = Path(__file__).parents[2] / "conf"
SCHEMA = Path(__file__).parents[2] / "pyvrrp" / "config" / "node.schema.json"


def test_what_is_given_and_what_is_default(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD).settings
    assert settings.router_id == "node-a"
    assert settings.checks == (CheckSettings("mysql", TcpProbe("127.0.0.1", 3306), 2.0, 3.0, 3, 1),)
    (instance,) = settings.instances
    assert instance.addresses == (VirtualAddress("eth0", IPv4Address("192.168.1.200"), 32),)
    assert (instance.name, instance.interface, instance.virtual_router_id) == ("VI_1", "eth0", 60)
    assert (instance.priority, instance.version, instance.advert_int, instance.preempt) == (250, 2, 1.0, True)
    assert (instance.auth_pass, instance.tracks, instance.vip_lease) == (None, (Track("mysql", 0),), 2)
    assert (instance.garp_master_delay, instance.garp_master_repeat) == (5.0, 5)


def test_router_id_is_the_host_up_to_its_first_dot(tmp_path: Path) -> None:
    settings = loaded(tmp_path, replaced("router_id: node-a\n", "")).settings
    assert settings.router_id == os.uname().nodename.partition(".")[0]


@pytest.mark.parametrize(
    ("lines", "priority"),
    [("", 100), ("state: BACKUP", 100), ("state: MASTER", 255), ("state: MASTER\npriority: 150", 150)],
)
def test_the_default_priority_is_keepalived_s(tmp_path: Path, lines: str, priority: int) -> None:
    text = with_instance_lines(f"{lines}\n").replace("    priority: 250\n", "")
    assert loaded(tmp_path, text).settings.instances[0].priority == priority


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1", 1.0), ("2s", 2.0), ("1m", 60.0), ("50ms", 0.05), ("0.05", 0.05), ("1.5 s", 1.5), (".5", 0.5), ("'2s'", 2.0)],
)
def test_durations(tmp_path: Path, text: str, seconds: float) -> None:
    settings = loaded(tmp_path, replaced("{type: tcp}", f"{{type: tcp, interval: {text}}}")).settings
    assert settings.checks[0].interval == seconds


@pytest.mark.parametrize("text", ["0.01", "10ms", "0.29", "40.95", "0.57"])
def test_every_centisecond_is_an_interval_of_version_3(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, with_instance_lines(f"version: 3\nadvert_int: {text}\n")) == []


@pytest.mark.parametrize("text", ["true", "yes", "on", "True", "ON"])
def test_truth_has_many_spellings(tmp_path: Path, text: str) -> None:
    assert not loaded(tmp_path, with_instance_lines(f"nopreempt: {text}\n")).settings.instances[0].preempt


@pytest.mark.parametrize(("text", "lease"), [("auto", automatic_lease(4)), ("off", None), ("7", 7), ("'off'", None)])
def test_leases(tmp_path: Path, text: str, lease: int | None) -> None:
    settings = loaded(tmp_path, with_instance_lines(f"advert_int: 4\nvip_lease: {text}\n")).settings
    assert settings.instances[0].vip_lease == lease


@pytest.mark.parametrize(
    ("text", "tracks"),
    [
        ("[mysql]", (Track("mysql"),)),
        ("[mysql: {weight: -20}]", (Track("mysql", -20),)),
        ("{mysql: {weight: 20}}", (Track("mysql", 20),)),
        ("[mysql: {}]", (Track("mysql"),)),
        ("[]", ()),
    ],
)
def test_the_ways_to_track_a_check(tmp_path: Path, text: str, tracks: tuple[Track, ...]) -> None:
    assert loaded(tmp_path, replaced("[mysql]", text)).settings.instances[0].tracks == tracks


@pytest.mark.parametrize(("text", "password"), [("4321", b"4321"), ("0123", b"0123"), ("'a b#'", b"a b#")])
def test_a_password_is_its_text(tmp_path: Path, text: str, password: bytes) -> None:
    lines = f"authentication: {{auth_type: PASS, auth_pass: {text}}}\n"
    assert loaded(tmp_path, with_instance_lines(lines)).settings.instances[0].auth_pass == password


def from_file(folder: Path, content: bytes, mode: int = 0o600) -> list[str]:
    """The problems when the password comes from a file like this."""
    file = folder / "vrrp.pass"
    file.write_bytes(content)
    file.chmod(mode)
    return problems(folder, with_instance_lines("authentication: {auth_type: PASS, auth_pass_file: vrrp.pass}\n"))


def test_a_password_file_lies_beside_the_configuration(tmp_path: Path) -> None:
    assert from_file(tmp_path, b"4321\n") == []
    assert load(str(tmp_path / "node.yaml")).settings.instances[0].auth_pass == b"4321"


@pytest.mark.parametrize(
    ("content", "mode", "expected"),
    [
        (b"4321", 0o644, "is readable by others (mode 0644): chmod 600"),
        (b"4321", 0o640, "is readable by others (mode 0640): chmod 600"),
        (b"", 0o600, "the password in vrrp.pass is empty"),
        (b"\n", 0o600, "the password in vrrp.pass is empty"),
        (b"4321\n\n", 0o600, "the password in vrrp.pass has a character that is not printable ASCII"),
        (b"123456789\n", 0o600, "the password in vrrp.pass is 9 characters long, VRRPv2 carries 8"),
        (b"\xff", 0o600, "the password in vrrp.pass has a character that is not printable ASCII"),
    ],
)
def test_a_password_file_that_is_no_use(tmp_path: Path, content: bytes, mode: int, expected: str) -> None:
    (found,) = from_file(tmp_path, content, mode)
    assert found.startswith("node.yaml:9:55: vrrp_instances.VI_1.authentication.auth_pass_file: ")
    assert expected in found.replace(f"{tmp_path}/", "")


def test_a_password_file_must_be_a_file(tmp_path: Path) -> None:
    lines = "authentication: {auth_type: PASS, auth_pass_file: secret}\n"
    assert "secret: No such file or directory" in problems(tmp_path, with_instance_lines(lines))[0]
    os.mkfifo(tmp_path / "secret", 0o600)
    assert "secret is not a regular file" in problems(tmp_path, with_instance_lines(lines))[0]


SECRET = "S3cret!x"


@pytest.mark.parametrize(
    "lines",
    [
        f"authentication: {{auth_type: PASS, auth_pass: {SECRET}tail}}",
        f"authentication: {{auth_type: {SECRET}, auth_pass: {SECRET}}}",
        f"authentication: {SECRET}",
        f"authentication: [{SECRET}]",
        f"authentication: {{auth_type: PASS, {SECRET}: 1}}",
        f"authentication: {{auth_type: PASS, {SECRET}: 1, {SECRET}: 2}}",
        f"authentication: {{auth_type: PASS, {SECRET}: {{a: 1, a: 2}}}}",
        f"authentication: {{auth_type: PASS, auth_pass:{SECRET}}}",
        f"authentication: {{auth_type: PASS, auth_pass: [{SECRET}]}}",
        f"authentication: {{auth_type: PASS, auth_pass: {{{SECRET}: 1}}}}",
        f"authentication: {{auth_type: PASS, auth_pass: {SECRET}, auth_pass: {SECRET}}}",
        f"authentication:\n  auth_type: PASS\n  auth_pass {SECRET}\n",
        f"authentication: {{auth_type: PASS, auth_pass: '{SECRET}é'}}",
        f"auth_pass: {SECRET}",
    ],
)
def test_no_problem_shows_a_password(tmp_path: Path, lines: str) -> None:
    found = problems(tmp_path, with_instance_lines(f"{lines}\n"))
    assert found
    assert not any(SECRET in each for each in found)


def test_nothing_that_was_loaded_shows_a_password(tmp_path: Path) -> None:
    lines = f"authentication: {{auth_type: PASS, auth_pass: {SECRET}}}\n"
    node = loaded(tmp_path, with_instance_lines(lines))
    assert node.settings.instances[0].auth_pass == SECRET.encode()
    assert SECRET not in repr(node)
    assert SECRET not in repr(node.without_tree())


def test_good_settings_draw_no_advice(tmp_path: Path) -> None:
    assert advice(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("vip_lease: off", "9:16: vrrp_instances.VI_1.vip_lease: off: the addresses of an agent that is killed stay"),
        ("vip_lease: 3", "9:16: vrrp_instances.VI_1.vip_lease: 3 s outlives the takeover after 3 s"),
        ("state: MASTER", "9:12: vrrp_instances.VI_1.state: MASTER gives no speed-up"),
    ],
)
def test_advice_about_a_line(tmp_path: Path, lines: str, expected: str) -> None:
    (found,) = advice(tmp_path, with_instance_lines(f"{lines}\n"))
    assert found.startswith(f"node.yaml:{expected}")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("priority: 250", "priority: 90", "6:15: vrrp_instances.VI_1.priority: at priority 90 this node waits 648 ms"),
        ("    priority: 250\n", "", "4:5: vrrp_instances.VI_1.priority: at priority 100 this node waits 609 ms"),
        ("priority: 250", "priority: 255\n    state: BACKUP", "7:12: vrrp_instances.VI_1.state: BACKUP has no effect"),
        ("{type: tcp}", "{type: tcp}\n  idle: {type: tcp}", "11:9: checks.idle: nothing tracks this check"),
    ],
)
def test_advice_about_a_value(tmp_path: Path, old: str, new: str, expected: str) -> None:
    (found,) = advice(tmp_path, replaced(old, new))
    assert found.startswith(f"node.yaml:{expected}")


def test_weights_of_a_groups_members(tmp_path: Path) -> None:
    text = replaced("track_checks: [mysql]", "track_checks: [{mysql: {weight: -20}}]")
    (found,) = advice(tmp_path, f"{text}vrrp_sync_groups:\n  G: {{group: [VI_1]}}\n")
    assert "without sync_group_tracking_weight the weights of a group's members count as 0" in found
    assert (
        advice(tmp_path, f"{text}vrrp_sync_groups:\n  G: {{group: [VI_1], sync_group_tracking_weight: true}}\n") == []
    )


def test_a_file_that_everybody_reads_should_hold_no_password(tmp_path: Path) -> None:
    file = tmp_path / "node.yaml"
    file.write_text(with_instance_lines("authentication: {auth_type: PASS, auth_pass: x}\n"))
    file.chmod(0o644)
    (found,) = load(str(file)).advice
    assert found.message.startswith("everybody can read this file (mode 0644): chmod 640")


def test_locating_a_value(tmp_path: Path) -> None:
    node = loaded(tmp_path, GOOD)
    assert node.locate("vrrp_instances.VI_1.interface")[1:] == (4, 16)
    assert node.locate("vrrp_instances.VI_1.advert_int")[1:] == (4, 5)


def read_by_another_process(file: Path) -> tuple[int, object]:
    command = [sys.executable, "-m", "pyvrrp.config", str(file)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.stderr == b""
    agreed, _, answer = done.stdout.partition(b"\n")
    assert agreed.decode() == shape()
    return done.returncode, pickle.loads(answer)  # noqa: S301


def test_the_reading_process_answers_with_settings(tmp_path: Path) -> None:
    node = loaded(tmp_path, GOOD)
    status, answer = read_by_another_process(tmp_path / "node.yaml")
    assert (status, answer) == (0, node.without_tree())
    assert isinstance(answer, LoadedNode)
    assert answer.places == {"VI_1": (str(tmp_path / "node.yaml"), 4, 16)}


def test_the_reading_process_answers_with_problems(tmp_path: Path) -> None:
    status, answer = read_by_another_process(tmp_path / "nothing.yaml")
    assert status == 2
    assert answer == (Problem(str(tmp_path / "nothing.yaml"), 0, 0, "", "there is no such file"),)


def test_its_answer_is_read_without_the_parsers(tmp_path: Path) -> None:
    loaded(tmp_path, GOOD)
    program = (
        "import pickle, sys; sys.stdin.buffer.readline(); pickle.load(sys.stdin.buffer);"
        "print([name for name in sys.modules if name.startswith(('pyvrrp.config', 'yaml', 'pydantic'))])"
    )
    reader = [sys.executable, "-m", "pyvrrp.config", str(tmp_path / "node.yaml")]
    answer = subprocess.run(reader, capture_output=True, timeout=60, check=True).stdout
    done = subprocess.run([sys.executable, "-c", program], input=answer, capture_output=True, timeout=60, check=True)
    assert done.stdout == b"[]\n"


def test_the_schema_in_the_package_is_that_of_the_models() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text()


def test_the_sample_without_multicast_loads() -> None:
    ipv4, ipv6 = load(str(CONF / "unicast-a.yaml")).settings.instances
    assert [str(each.unicast_peers[0]) for each in (ipv4, ipv6)] == ["192.168.1.202", "2001:db8::202"]
    assert (ipv4.version, ipv6.version) == (2, 3)


@pytest.mark.parametrize("name", ["node-a", "node-b", "tutorial-a", "tutorial-b"])
def test_the_shipped_samples_load(name: str) -> None:
    (instance,) = load(str(CONF / f"{name}.yaml")).settings.instances
    assert str(instance.addresses[0]) == "192.168.1.200/32"
    assert (instance.virtual_router_id, instance.auth_pass) == (60, b"4321")
    expected = {"node-a": 250, "node-b": 240, "tutorial-a": 100, "tutorial-b": 90}
    assert instance.priority == expected[name]


def test_a_thousand_instances(tmp_path: Path) -> None:
    lines = ["vrrp_instances:"]
    for n in range(1000):
        router = f"interface: eth{n // 250}, virtual_router_id: {n % 250 + 1}, priority: 100"
        lines.append(f"  VI_{n}: {{{router}, virtual_ipaddress: [10.{n // 250}.{n % 250}.1], track_checks: [mysql]}}")
    node = loaded(tmp_path, "\n".join([*lines, "checks: {mysql: {type: tcp}}"]))
    assert len(node.settings.instances) == 1000
    skew, vrid = node.advice
    assert skew.message.endswith(" (and 999 more like it)")
    assert vrid.message == "VI_0 on eth0 has VRID 1, too: their networks must stay apart"
