"""What moves the VIP: pyvrrpd that knows the database, pyvrrpd with a TCP check, keepalived with the tutorial's check.

Each speaks VRRP alike; `Timing` says how.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from labkit.agents import LOG, SOCKET, VIP
from labkit.errors import LabError
from labkit.topology import INTERFACE, Host

from pyvrrp.errors import ControlError
from pyvrrp.io.control_client import ask

INSTANCE: Final = "VI_1"
ANSWERED: Final = 2.0  # seconds for the daemon's own status
COMMAND: Final = 65.0  # seconds for pyvrrpctl to come to an end
AGENT, AGENT_PASSWORD = "pyvrrp", "lab-agent"
KEYS: Final = "channel.pem"


@dataclass(frozen=True, slots=True)
class Timing:
    """How the agents speak VRRP. `priorities` are those of a and b."""

    name: str
    version: int
    advert_int: float
    priorities: tuple[int, int]

    @property
    def master_down(self) -> float:
        """Seconds of silence after which the worse of both takes over; RFC 3768 6.1, RFC 5798 6.1."""
        unit = self.advert_int if self.version == 3 else 1.0
        return 3 * self.advert_int + (256 - min(self.priorities)) / 256 * unit


FAST: Final = Timing("VRRPv3, 100 ms", 3, 0.1, (250, 240))
TUTORIAL: Final = Timing("VRRPv2, 1 s, 100/90", 2, 1.0, (100, 90))
HIGH: Final = Timing("VRRPv2, 1 s, 250/240", 2, 1.0, (250, 240))
TIMINGS: Final = {"fast": FAST, "tutorial": TUTORIAL, "high": HIGH}


@dataclass(frozen=True, slots=True)
class Way:
    """What a pair is to do: commits wait for the other server (`semi_sync`); where a master is only silent
    (`on_silence`), or something that it acknowledged is known to be missing (`otherwise`), its backup goes on or waits
    for the operator: "promote" or "hold".
    """

    semi_sync: bool = False
    on_silence: str = "promote"
    otherwise: str = "hold"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an agent runs, and how it is to work."""

    host: Host
    peer: Host
    directory: Path
    timing: Timing
    priority: int
    way: Way

    def write(self, name: str, text: str) -> Path:
        """A file that nobody else may read."""
        path = self.directory / name
        path.touch(0o600)
        path.write_text(text)
        return path


class Agent(Protocol):
    """One agent of one host."""

    @property
    def place(self) -> Place:
        """Where it runs."""

    def configure(self) -> None:
        """Write the configuration."""

    def command(self) -> list[str]:
        """The command line that runs it in the foreground."""

    def state(self) -> str:
        """MASTER, BACKUP, FAULT or INIT as the agent itself says, empty when it says nothing."""

    def database(self) -> Mapping[str, object]:
        """What it says of its server (DatabaseStatus); nothing when it does not know any."""

    def switchover(self) -> str:
        """Hand over as one does with this agent, "" when it cannot be asked to; what it answered, or LabError."""

    def control(self, *words: str) -> str:
        """What its command answers, or LabError."""


@dataclass(frozen=True, slots=True)
class Pyvrrpd:
    """pyvrrpd; `informed` gives it a `mysql:` section, else it has a TCP check."""

    place: Place
    informed: bool

    def configure(self) -> None:
        """Write node.yaml and, where it is informed, the password and the state's directory."""
        if self.informed:
            self.place.write("mysql.password", AGENT_PASSWORD + "\n")
            (self.place.directory / "state").mkdir(exist_ok=True)
        self.place.write("node.yaml", json.dumps(self._node(), indent=2))  # JSON is YAML

    def command(self) -> list[str]:
        """The daemon of the environment that this program runs in."""
        directory = self.place.directory
        return [str(_program("pyvrrpd")), "-c", str(directory / "node.yaml"), "--socket", str(directory / SOCKET)]

    def state(self) -> str:
        """Ask over the control socket."""
        match self._status():
            case {"snapshot": {"instances": [{"state": str(state)}, *_]}}:
                return state
        return ""

    def database(self) -> Mapping[str, object]:
        """The first of the snapshot's databases."""
        match self._status():
            case {"snapshot": {"databases": [{**status}, *_]}}:
                return {str(key): value for key, value in status.items()}
        return {}

    def switchover(self) -> str:
        """`pyvrrpctl switchover`, on the node that is MASTER."""
        return self.control("switchover") if self.informed else ""

    def control(self, *words: str) -> str:
        """What pyvrrpctl says; LabError when it fails."""
        argv = [str(_program("pyvrrpctl")), "--socket", str(self.place.directory / SOCKET), *words]
        try:
            done = subprocess.run(
                self.place.host.inside(argv),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=COMMAND,
            )
        except subprocess.TimeoutExpired as error:
            raise LabError(f"pyvrrpctl {' '.join(words)}: no end within {COMMAND:g} s") from error
        if done.returncode != 0:
            raise LabError(f"pyvrrpctl {' '.join(words)}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def _status(self) -> Mapping[str, object]:
        try:
            return ask(self.place.directory / SOCKET, {"command": "status"}, ANSWERED)
        except ControlError:
            return {}

    def _node(self) -> dict[str, object]:
        place, timing = self.place, self.place.timing
        instance: dict[str, object] = {
            "interface": INTERFACE,
            "virtual_router_id": 60,
            "version": timing.version,
            "priority": place.priority,
            "advert_int": timing.advert_int,
            "nopreempt": True,
            "virtual_ipaddress": [VIP],
        }
        if timing.version == 2:  # version 3 has no authentication
            instance["authentication"] = {"auth_type": "PASS", "auth_pass": "4321"}
        node: dict[str, object] = {
            "router_id": f"failover-{place.host.name}",
            "vrrp_instances": {INSTANCE: instance},
        }
        if self.informed:
            return node | self._mysql()
        instance["track_checks"] = ["mysql"]
        check = {"type": "tcp", "port": 3306, "interval": 2, "timeout": 3, "fall": 3}
        return node | {"checks": {"mysql": check}}

    def _mysql(self) -> dict[str, object]:
        place = self.place
        return {
            "state_directory": str(place.directory / "state"),
            "channel": {
                "key_file": str(place.directory.parent / KEYS),
                "listen": place.host.ip,
                "peer": place.peer.ip,
            },
            "mysql": {
                INSTANCE: {
                    "socket": str(place.directory / "mysqld.sock"),
                    "user": AGENT,
                    "password_file": str(place.directory / "mysql.password"),
                    "peer": {"host": place.peer.ip, "port": 3306},
                    "promote": {"on_silence": place.way.on_silence, "otherwise": place.way.otherwise},
                    "semi_sync": "auto" if place.way.semi_sync else "off",
                    "hold_down": 0,  # one failover after the other is what is wanted here
                }
            },
        }


@dataclass(frozen=True, slots=True)
class Keepalived:
    """keepalived as the tutorial configures it, with a vrrp_script in place of its virtual_server.

    With notify_down and pkill the tutorial's keepalived is gone after one failover; a script that fails has the same
    effect on the VIP, and the node comes back by itself.
    """

    place: Place

    def configure(self) -> None:
        """Write keepalived.conf, and forget the pids of one that was killed."""
        for name in PIDS.values():
            (self.place.directory / name).unlink(missing_ok=True)
        timing = self.place.timing
        fields = {"name": self.place.host.name, "interface": INTERFACE, "vip": VIP, "priority": self.place.priority}
        text = KEEPALIVED_CONF % (fields | {"version": timing.version, "advert_int": f"{timing.advert_int:g}"})
        self.place.write("keepalived.conf", text.replace("AUTHENTICATION\n", AUTHENTICATION * (timing.version == 2)))

    def command(self) -> list[str]:
        """In the foreground, logging to its output, with pid files of its own."""
        directory = self.place.directory
        options = [f"{option}={directory / name}" for option, name in PIDS.items()]
        file = f"--use-file={directory / 'keepalived.conf'}"
        return ["keepalived", "--vrrp", "--dont-fork", "--log-console", "--log-detail", file, *options]

    def state(self) -> str:
        """The last state that it logged."""
        states = re.findall(r"Entering (\w+) STATE", (self.place.directory / LOG).read_text(errors="replace"))
        return states[-1] if states else ""

    def database(self) -> Mapping[str, object]:
        """It knows nothing of databases."""
        return {}

    def switchover(self) -> str:
        """It cannot be asked to."""
        return ""

    def control(self, *words: str) -> str:
        """It cannot be asked anything."""
        raise LabError(f"keepalived knows no {' '.join(words)}")


PIDS: Final = {"--pid": "keepalived.pid", "--vrrp_pid": "vrrp.pid", "--checkers_pid": "checkers.pid"}

# Interval, timeout and number of failures are those of the tutorial.
KEEPALIVED_CONF: Final = """\
global_defs {
    router_id failover-%(name)s
    script_user root
    vrrp_version %(version)s
}

vrrp_script mysql {
    script "/bin/bash -c '</dev/tcp/127.0.0.1/3306'"
    interval 2
    timeout 3
    fall 3
    rise 1
    weight 0
}

vrrp_instance VI_1 {
    state BACKUP
    interface %(interface)s
    virtual_router_id 60
    priority %(priority)s
    advert_int %(advert_int)s
    nopreempt
AUTHENTICATION
    virtual_ipaddress {
        %(vip)s
    }
    track_script {
        mysql
    }
}
"""
AUTHENTICATION: Final = """\
    authentication {
        auth_type PASS
        auth_pass 4321
    }
"""


def make(kind: str, place: Place) -> Agent:
    """The agent of this kind. LabError for an unknown one."""
    match kind:
        case "pyvrrpd":
            return Pyvrrpd(place, informed=True)
        case "pyvrrpd-tcp":
            return Pyvrrpd(place, informed=False)
        case "keepalived":
            return Keepalived(place)
    raise LabError(f"no agent {kind!r}; there are {', '.join(KINDS)}")


def make_keys(path: Path) -> None:
    """The file that both ends of the agents' channel have. LabError when it cannot be made."""
    done = subprocess.run([str(_program("pyvrrpctl")), "keys", str(path)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"pyvrrpctl keys: {done.stderr.strip()}")


KINDS: Final = ("pyvrrpd", "pyvrrpd-tcp", "keepalived")


def version(kind: str) -> str:
    """What the program calls itself."""
    argv = ["keepalived", "--version"] if kind == "keepalived" else [str(_program("pyvrrpd")), "--version"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    found = re.search(r"v?(\d+\.[\d.]+)", done.stdout + done.stderr)
    return found.group(1) if found else "unknown"


def _program(name: str) -> Path:
    return Path(sys.executable).with_name(name)
