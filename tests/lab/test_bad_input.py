"""What cannot run says so in one clear line, and ends with the exit status that interface documents promise.

0 ended on request · 1 fatal · 2 configuration not usable · 4 permission
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.agents import MASTER, PATIENCE, PYVRRPD
from tests.lab.routers import Router, node_yaml
from tests.lab.site import Site
from tests.netns import Namespace
from tests.waiting import until

pytestmark = pytest.mark.lab

FINE, FATAL, UNUSABLE, PERMISSION = 0, 1, 2, 4
CANNOT_RUN = 4  # with -t
POWERLESS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")

GOOD = """\
router_id: mysql-ha-a

vrrp_instances:
  VI_1:
    state: BACKUP
    interface: eth0
    virtual_router_id: 60
    priority: 250
    advert_int: 1
    nopreempt: true
    authentication: {auth_type: PASS, auth_pass: "4321"}
    virtual_ipaddress:
      - 192.168.1.200
    track_checks: [mysql]

checks:
  mysql: {type: tcp, port: 3306}
"""

SECOND = """\
  VI_2:
    interface: eth0
    virtual_router_id: 60
    virtual_ipaddress: [192.168.1.210]

checks:
"""


@dataclass(frozen=True)
class Ended:
    """How a pyvrrpd ended. Advice about a configuration that can be used is left out."""

    status: int
    lines: list[str]


@dataclass(frozen=True)
class Desk:
    """A host with an eth0, and a directory for configurations."""

    namespace: Namespace
    directory: Path

    @property
    def config(self) -> Path:
        """Where the configuration is."""
        return self.directory / "node.yaml"

    def run(self, prefix: Sequence[str] = (), config: Path | None = None, options: Sequence[str] = ()) -> Ended:
        """Run pyvrrpd to its end."""
        where = ["-c", str(config or self.config), "--socket", str(self.directory / "sock")]
        command = [*prefix, PYVRRPD, *where, *options]
        with self.namespace.inside():
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.stdout == ""
        return Ended(done.returncode, [each for each in done.stderr.splitlines() if not each.startswith("advice: ")])


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    with Site(tmp_path_factory.mktemp("bad_input")) as built:
        yield built.a.namespace


@pytest.fixture
def desk(host: Namespace, tmp_path: Path) -> Desk:
    desk = Desk(host, tmp_path)
    desk.config.write_text(GOOD)
    desk.config.chmod(0o600)
    return desk


INSTANCE = "vrrp_instances.VI_1"
CASES = {  # what is replaced in GOOD, by what; the place that is named, and words that are said
    "no interface": ("    interface: eth0\n", "", f"4:3: {INSTANCE}: ", '"interface" is missing'),
    "empty interface": ("interface: eth0", "interface:", f"6:5: {INSTANCE}.interface: ", "has no value"),
    "unknown key": ("priority: 250", "prioritty: 250", f"8:5: {INSTANCE}: ", 'did you mean "priority"?'),
    "bad IP": ("1.200", "1.300", f"13:9: {INSTANCE}.virtual_ipaddress: ", '"192.168.1.300" is not an IP address'),
    "VRID 0": ("_id: 60", "_id: 0", f"7:24: {INSTANCE}.virtual_router_id: ", "0 is outside 1..255"),
    "VRID 256": ("_id: 60", "_id: 256", f"7:24: {INSTANCE}.virtual_router_id: ", "256 is outside 1..255"),
    "priority 0": ("priority: 250", "priority: 0", f"8:15: {INSTANCE}.priority: ", "0 is outside 1..255"),
    "priority 256": ("priority: 250", "priority: 256", f"8:15: {INSTANCE}.priority: ", "256 is outside 1..255"),
    "advert_int 0": ("advert_int: 1", "advert_int: 0", f"9:17: {INSTANCE}.advert_int: ", "0 s is outside 1..255 s"),
    "advert_int 256": (
        "advert_int: 1",
        "advert_int: 256",
        f"9:17: {INSTANCE}.advert_int: ",
        "256 s is outside 1..255 s",
    ),
    "advert_int 0.5": ("advert_int: 1", "advert_int: 0.5", f"9:17: {INSTANCE}.advert_int: ", "whole seconds"),
    "one VRID twice": ("checks:\n", SECOND, "18:24: vrrp_instances.VI_2.virtual_router_id: ", "taken by VI_1 (line 7)"),
    "unknown check": ("[mysql]", "[mysqll]", f"14:20: {INSTANCE}.track_checks: ", 'did you mean "mysql"?'),
    "YAML syntax": ("{auth_type: PASS", "{auth_type: PASS]", "11:", "YAML syntax: "),
}


@pytest.mark.parametrize(("old", "new", "place", "words"), CASES.values(), ids=CASES.keys())
def test_a_configuration_with_a_problem_is_not_usable(desk: Desk, old: str, new: str, place: str, words: str) -> None:
    assert old in GOOD
    head, _, tail = GOOD.rpartition(old)
    desk.config.write_text(head + new + tail)
    ended = desk.run()
    assert ended.status == UNUSABLE
    (line,) = ended.lines
    assert line.startswith(f"{desk.config}:{place}")
    assert words in line


def test_an_interface_that_does_not_exist(desk: Desk) -> None:
    desk.config.write_text(GOOD.replace("eth0", "eth7"))
    assert desk.run() == Ended(
        UNUSABLE, [f'{desk.config}:6:16: {INSTANCE}.interface: there is no interface "eth7" (there are eth0, lo)']
    )


def test_a_configuration_test_looks_for_the_interface_too(desk: Desk) -> None:
    desk.config.write_text(GOOD.replace("eth0", "eth7"))
    ended = desk.run(options=["-t"])
    assert ended.status == CANNOT_RUN
    assert len(ended.lines) == 1


def test_the_current_directory_is_no_place_to_import_from(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.directory.joinpath("yaml.py").write_text("raise SystemExit('imported from the current directory')\n")
    monkeypatch.chdir(desk.directory)
    assert desk.run(options=["-t"]) == Ended(FINE, [])


def test_a_pipe_is_not_waited_for(desk: Desk) -> None:
    pipe = desk.directory / "pipe"
    os.mkfifo(pipe)
    assert desk.run(config=pipe) == Ended(UNUSABLE, [f"{pipe}: is a pipe, not a file"])


def test_advice_that_nobody_takes_keeps_nothing_from_running(desk: Desk) -> None:
    desk.config.chmod(0o644)
    with desk.namespace.inside(), Path("/dev/full").open("w") as full:
        command = [PYVRRPD, "-t", "-c", str(desk.config)]
        assert subprocess.run(command, stderr=full, timeout=PATIENCE, check=False).returncode == FINE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_starts(desk: Desk, number: signal.Signals) -> None:
    command = [PYVRRPD, "-c", str(desk.config), "--socket", str(desk.directory / "sock")]
    with desk.namespace.inside():
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    # Once these are blocked they wait for the daemon; before that Python has not begun.
    assert until(lambda: blocked(process.pid, number))
    process.send_signal(signal.SIGHUP)
    process.send_signal(number)
    _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, "Traceback" in said) == (FINE, False)


def blocked(pid: int, number: signal.Signals) -> bool:
    """Whether a process holds this signal back."""
    status = Path(f"/proc/{pid}/status").read_text()
    (mask,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigBlk:"))
    return bool(int(mask, 16) >> (number - 1) & 1)


def test_a_file_that_is_not_there(desk: Desk) -> None:
    missing = desk.directory / "missing.yaml"
    assert desk.run(config=missing) == Ended(UNUSABLE, [f"{missing}: there is no such file"])


def test_a_directory(desk: Desk) -> None:
    assert desk.run(config=desk.directory) == Ended(UNUSABLE, [f"{desk.directory}: is a directory, not a file"])


def test_a_file_that_may_not_be_read(desk: Desk) -> None:
    desk.config.chmod(0)
    # Root reads everything, but for the capability to do so.
    assert desk.run(POWERLESS) == Ended(UNUSABLE, [f"{desk.config}: permission to read it is denied"])


def test_a_password_file_that_everybody_may_read(desk: Desk) -> None:
    secret = desk.directory / "password"
    secret.write_text("4321\n")
    secret.chmod(0o644)
    desk.config.write_text(GOOD.replace('auth_pass: "4321"', f"auth_pass_file: {secret}"))
    place = f"{desk.config}:11:55: {INSTANCE}.authentication.auth_pass_file"
    problem = f"{secret} is readable by others (mode 0644): chmod 600 {secret}"
    assert desk.run() == Ended(UNUSABLE, [f"{place}: {problem}"])


def test_every_problem_is_told_in_one_run(desk: Desk) -> None:
    desk.config.write_text(GOOD.replace("1.200", "1.300").replace("_id: 60", "_id: 300"))
    ended = desk.run()
    assert ended.status == UNUSABLE
    assert ended.lines == [
        f"{desk.config}:7:24: {INSTANCE}.virtual_router_id: 300 is outside 1..255",
        f'{desk.config}:13:9: {INSTANCE}.virtual_ipaddress: "192.168.1.300" is not an IP address',
    ]


def test_a_configuration_test_has_a_status_of_its_own(desk: Desk) -> None:
    assert desk.run(options=("-t",)) == Ended(FINE, [])
    desk.config.write_text(GOOD.replace("_id: 60", "_id: 300"))
    ended = desk.run(options=("-t",))
    assert ended.status == CANNOT_RUN
    (line,) = ended.lines
    assert line == f"{desk.config}:7:24: {INSTANCE}.virtual_router_id: 300 is outside 1..255"


def test_a_control_socket_that_cannot_be_opened(desk: Desk) -> None:
    ended = desk.run(options=("--socket", "/proc/nowhere/sock"))
    assert ended == Ended(FATAL, ["pyvrrpd: open the control socket /proc/nowhere/sock: No such file or directory"])


def test_without_capabilities(desk: Desk) -> None:
    ended = desk.run(POWERLESS)
    assert ended.status == PERMISSION
    (line,) = ended.lines
    assert line.startswith("pyvrrpd: ")
    assert "CAP_NET_ADMIN and CAP_NET_RAW" in line


@pytest.mark.parametrize("missing", ["net_admin", "net_raw"])
def test_without_one_of_the_capabilities(desk: Desk, missing: str) -> None:
    ended = desk.run(("setpriv", f"--bounding-set=-{missing}", f"--inh-caps=-{missing}"))
    assert ended.status == PERMISSION
    (line,) = ended.lines
    assert "CAP_NET_ADMIN and CAP_NET_RAW" in line


def test_a_second_daemon_on_the_same_instance(site: Site, tmp_path: Path) -> None:
    first = site.pyvrrpd(site.a, Router())
    assert first.becomes(MASTER)
    desk = Desk(site.a.namespace, tmp_path)
    desk.config.write_text(node_yaml([Router(), Router(vrid=61, vips=("192.168.1.210",))]))
    assert desk.run() == Ended(FATAL, [f"another pyvrrpd (pid {first.process.pid}) runs VRID 60 on eth0 already"])
    assert first.state() == MASTER
    assert site.a.holds()
    # Another instance is another matter.
    assert site.pyvrrpd(site.a, Router(vrid=62, vips=("192.168.1.211",))).becomes(MASTER, 62)


def test_a_control_socket_that_another_daemon_answers_on(site: Site) -> None:
    first = site.pyvrrpd(site.a, Router())
    assert first.becomes(MASTER)
    other = site.pyvrrpd(site.b, Router())
    assert other.becomes("BACKUP")
    assert first.socket != other.socket
    command = [PYVRRPD, "-c", str(other.config), "--socket", str(first.socket)]
    with site.client.namespace.inside():
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == FATAL
    assert done.stderr.splitlines()[-1] == f"another pyvrrpd (pid {first.process.pid}) answers on {first.socket}"
    assert first.state() == MASTER
