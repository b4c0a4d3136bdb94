"""What moves the VIP: pyvrrpd, or keepalived for comparison. Both check MariaDB alike and speak the same VRRP."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from labkit import privileges
from labkit.errors import LabError
from labkit.topology import INTERFACE, Host
from pyvrrp.errors import ControlError
from pyvrrp.io.control_client import ask

REPOSITORY = Path(__file__).resolve().parents[2]
VIP: Final = "192.168.1.200"
ANSWERED = 1.0  # seconds for the daemon's own status


class Agent(Protocol):
    """One agent of one host, in its own directory."""

    def configure(self) -> None:
        """Write the configuration."""

    def command(self) -> list[str]:
        """The command line that runs it in the foreground."""

    def state(self) -> str:
        """MASTER, BACKUP, FAULT or INIT as the agent itself says, empty when it says nothing."""


@dataclass(frozen=True, slots=True)
class Pyvrrpd:
    """pyvrrpd with the sample configuration of this repository; `priority` None leaves the sample's own."""

    host: Host
    directory: Path
    priority: int | None

    @property
    def control(self) -> Path:
        """The control socket."""
        return self.directory / SOCKET

    def configure(self) -> None:
        """Take conf/node-a.yaml or conf/node-b.yaml as it is, but for a priority that was asked for."""
        text = (REPOSITORY / "conf" / f"node-{self.host.name}.yaml").read_text()
        if self.priority is not None:
            text = re.sub(r"^(\s+priority:)\s*\d+", rf"\1 {self.priority}", text, flags=re.MULTILINE)
        path = self.directory / "node.yaml"
        path.write_text(text)
        path.chmod(0o600)  # it holds the password

    def command(self) -> list[str]:
        """The daemon of the environment that this program runs in."""
        daemon = Path(sys.executable).with_name("pyvrrpd")
        return [str(daemon), "-c", str(self.directory / "node.yaml"), "--socket", str(self.control)]

    def state(self) -> str:
        """Ask over the control socket."""
        try:
            return _first_state(ask(self.control, {"command": "status"}, ANSWERED))
        except ControlError:
            return ""


@dataclass(frozen=True, slots=True)
class Keepalived:
    """keepalived as the tutorial configures it, with a vrrp_script in place of its virtual_server."""

    host: Host
    directory: Path
    priority: int

    def configure(self) -> None:
        """Write keepalived.conf."""
        text = KEEPALIVED_CONF.format(name=self.host.name, interface=INTERFACE, priority=self.priority, vip=VIP)
        path = self.directory / "keepalived.conf"
        path.write_text(text)
        path.chmod(0o600)

    def command(self) -> list[str]:
        """In the foreground, logging to its output, with pid files of its own."""
        pids = {"--pid": "keepalived.pid", "--vrrp_pid": "vrrp.pid", "--checkers_pid": "checkers.pid"}
        options = [f"{option}={self.directory / name}" for option, name in pids.items()]
        file = f"--use-file={self.directory / 'keepalived.conf'}"
        return ["keepalived", "--vrrp", "--dont-fork", "--log-console", "--log-detail", file, *options]

    def state(self) -> str:
        """The last state that it logged."""
        states = re.findall(r"Entering (\w+) STATE", (self.directory / LOG).read_text(errors="replace"))
        return states[-1] if states else ""


LOG, SOCKET = "agent.log", "pyvrrpd.sock"
PRIORITIES: Final = {"a": 250, "b": 240}
NAMES: Final = ("pyvrrpd", "keepalived")

# Interval, timeout and number of failures are those of the check in conf/node-a.yaml.
KEEPALIVED_CONF = """\
global_defs {{
    router_id mysql-ha-{name}
    script_user root
}}

vrrp_script mysql {{
    script "/bin/bash -c '</dev/tcp/127.0.0.1/3306'"
    interval 2
    timeout 3
    fall 3
    rise 1
    weight 0
}}

vrrp_instance VI_1 {{
    state BACKUP
    interface {interface}
    virtual_router_id 60
    priority {priority}
    advert_int 1
    nopreempt
    authentication {{
        auth_type PASS
        auth_pass 4321
    }}
    virtual_ipaddress {{
        {vip}
    }}
    track_script {{
        mysql
    }}
}}
"""


def make(name: str, host: Host, directory: Path, priorities: dict[str, int] | None) -> Agent:
    """The agent of this name for a host. LabError for an unknown name."""
    if name == "pyvrrpd":
        return Pyvrrpd(host, directory, priorities[host.name] if priorities else None)
    if name == "keepalived":
        return Keepalived(host, directory, (priorities or PRIORITIES)[host.name])
    raise LabError(f"no agent {name!r}; there are {' and '.join(NAMES)}")


def hindrance(name: str) -> str:
    """What keeps an agent from doing all that it should here, empty when nothing does."""
    if name != "keepalived":
        return ""
    if shutil.which(name) is None:
        return "it is not installed"
    if privileges.in_user_namespace():
        return "without root it cannot run its check (a user namespace refuses its setgroups)"
    return ""


def _first_state(status: dict[str, object]) -> str:
    match status:
        case {"snapshot": {"instances": [{"state": str(state)}, *_]}}:
            return state
    return ""
