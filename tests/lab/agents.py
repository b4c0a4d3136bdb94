"""The programs under test, pyvrrpd and keepalived: started in a namespace, asked for their state, ended in any way."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pyvrrp.errors import ControlError
from pyvrrp.io.control_client import ask
from tests.lab.routers import VRID, Router, Settings, keepalived_conf, node_yaml
from tests.netns import Namespace
from tests.waiting import until

INIT, BACKUP, MASTER, FAULT = "INIT", "BACKUP", "MASTER", "FAULT"
PATIENCE: Final = 15.0  # seconds; far more than any election here takes, on a machine that does other things too

PYVRRPD: Final = str(Path(sys.executable).with_name("pyvrrpd"))
PYVRRPCTL: Final = str(Path(sys.executable).with_name("pyvrrpctl"))
KEEPALIVED: Final = shutil.which("keepalived", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


class Program:
    """A running program and what it wrote."""

    def __init__(
        self,
        name: str,
        namespace: Namespace,
        command: Sequence[str],
        directory: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._log = directory / f"{name}.log"
        with namespace.inside(), self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"

    def log(self) -> str:
        """What it wrote so far."""
        return self._log.read_text(errors="replace")

    def says(self, text: str, seconds: float = PATIENCE) -> bool:
        """Whether it writes, or wrote, this text in time."""
        return until(lambda: text in self.log(), seconds)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def send_all(self, number: signal.Signals) -> None:
        """Send it and its children a signal."""
        os.killpg(self.process.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send(signal.SIGTERM)

    def kill(self) -> None:
        """End it and its children without asking."""
        self.send_all(signal.SIGKILL)

    def ended(self, seconds: float = PATIENCE) -> int:
        """Wait for its end; its exit status. Raises TimeoutExpired."""
        return self.process.wait(seconds)

    def close(self) -> None:
        """Kill it if it lives."""
        if self.process.poll() is None:
            self.kill()
            self.process.wait(PATIENCE)


class Agent(Program):
    """A VRRP daemon of either make."""

    def state(self, vrid: int = VRID) -> str:
        """The state of a virtual router; empty while the daemon does not say."""
        raise NotImplementedError

    def becomes(self, state: str, vrid: int = VRID, seconds: float = PATIENCE) -> bool:
        """Whether the virtual router comes to this state in time."""
        return until(lambda: self.state(vrid) == state, seconds)


class Pyvrrpd(Agent):
    """Our daemon, with its control socket beside its configuration."""

    def __init__(
        self, name: str, namespace: Namespace, directory: Path, text: str, environment: Mapping[str, str] | None = None
    ) -> None:
        self.config = directory / f"{name}.yaml"
        self.socket = directory / f"{name}.sock"
        self.config.write_text(text)
        command = [PYVRRPD, "-c", str(self.config), "--socket", str(self.socket)]
        super().__init__(name, namespace, command, directory, environment)

    def ask(self, command: str) -> dict[str, Any]:
        """The answer to a command on the control socket. Raises ControlError."""
        return ask(self.socket, {"command": command})

    def snapshot(self) -> dict[str, Any]:
        """The status of the whole node. Raises ControlError."""
        snapshot: dict[str, Any] = self.ask("status")["snapshot"]
        return snapshot

    def instance(self, vrid: int = VRID) -> dict[str, Any]:
        """The status of one virtual router. Raises ControlError."""
        (found,) = (each for each in self.snapshot()["instances"] if each["virtual_router_id"] == vrid)
        return dict(found)

    def state(self, vrid: int = VRID) -> str:
        """See Agent."""
        try:
            return str(self.instance(vrid)["state"])
        except ControlError:
            return ""

    def why(self, vrid: int = VRID) -> str:
        """The sentences that explain a virtual router's state."""
        return " ".join(self.instance(vrid)["why"])

    def history(self, vrid: int = VRID) -> list[tuple[str, str]]:
        """The states that a virtual router went through: (old, new)."""
        name = Router(vrid=vrid).name
        return [(each["old"], each["new"]) for each in self.snapshot()["history"] if each["instance"] == name]

    def reconfigure(self, routers: Sequence[Router], checks: Mapping[str, Settings] | None = None) -> None:
        """Write a new configuration; the daemon is not told."""
        self.config.write_text(node_yaml(routers, checks))


class Keepalived(Agent):
    """Debian's keepalived, which shows its state in its log only."""

    def __init__(self, name: str, namespace: Namespace, directory: Path, routers: Sequence[Router]) -> None:
        if KEEPALIVED is None:
            raise FileNotFoundError("keepalived")
        config = directory / f"{name}.conf"
        config.write_text(keepalived_conf(routers))
        config.chmod(0o600)
        pids = [f"--pid={directory / name}.pid", f"--vrrp_pid={directory / name}_vrrp.pid"]
        options = ["--dont-fork", "--vrrp", "--log-console", "--log-detail", "--no-syslog", "--dont-respawn"]
        super().__init__(name, namespace, [KEEPALIVED, *options, *pids, f"--use-file={config}"], directory)

    def state(self, vrid: int = VRID) -> str:
        """See Agent."""
        name = Router(vrid=vrid).name
        entered = re.findall(rf"\({name}\) [Ee]ntering (\w+) STATE", self.log())
        return entered[-1] if entered else ""
