"""A machine as Debian's keepalived package finds it: its unit is taken at its word, only the program is another one."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from configparser import ConfigParser
from pathlib import Path
from typing import Final

from tests.lab.agents import PATIENCE, Program
from tests.lab.site import Site
from tests.lab.supervisor import Supervisor
from tests.netns import Namespace
from tests.waiting import until

UNIT: Final = Path("/lib/systemd/system/keepalived.service")
DEFAULTS: Final = Path("/etc/default/keepalived")
CONFIG: Final = "/etc/keepalived/keepalived.conf"
ARGUMENTS: Final = "DAEMON_ARGS"
_CHECKOUT: Final = Path(__file__).resolve().parents[2]

# $0 is the machine's directory, whose folders take the place of the real ones. It and the checkout may be below /tmp.
_FURNITURE: Final = """
for node in null zero random urandom; do
    touch "$0/dev/$node"
    mount --bind "/dev/$node" "$0/dev/$node"
done
mount --rbind "$0/dev" /dev
mount --bind "$0/run" /run
mount --bind "$0/keepalived" /etc/keepalived
mount -t overlay none -o "lowerdir=$0/local:/usr/local" /usr/local
for namespace in $NAMESPACES; do
    mount --bind "${namespace#*=}" "/run/netns/${namespace%%=*}"
done
case "$CHECKOUT" in /tmp/*)
    mkdir -p "$0$CHECKOUT"
    mount --bind "$CHECKOUT" "$0$CHECKOUT"
esac
mount --rbind "$0/tmp" /tmp
exec "$@"
"""


class Machine:
    """Host a of a site with its own /run, /tmp, /etc/keepalived, /usr/local and syslog."""

    def __init__(self, site: Site, directory: Path) -> None:
        self.site = site
        self.directory = directory
        for name in ("run/netns", "tmp", "keepalived", "local", "dev"):
            (directory / name).mkdir(parents=True)
        (directory / "dev/log").symlink_to("/run/syslog")
        self.syslog = Syslog(directory / "run/syslog")
        self.supervisor = Supervisor(directory / "run/notify")
        self._namespaces: dict[str, Namespace] = {}
        self._background: list[int] = []

    @property
    def config(self) -> Path:
        """Where its configuration is from outside."""
        return self.directory / "keepalived" / Path(CONFIG).name

    def namespace(self, name: str, namespace: Namespace) -> None:
        """Give a network namespace a name on it, as `ip netns` does."""
        (self.directory / "run/netns" / name).touch()
        self._namespaces[name] = namespace

    def start(self, program: str, arguments: str = "") -> Program:
        """Start the service with this program and these DAEMON_ARGS."""
        return self.run([program, *exec_start(arguments)[1:]], {"NOTIFY_SOCKET": "/run/notify"})

    def run(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Program:
        """Start any program on it."""
        named = " ".join(f"{name}={each.path}" for name, each in self._namespaces.items())
        furnished = [
            "env",
            f"NAMESPACES={named}",
            f"CHECKOUT={_CHECKOUT}",
            "unshare",
            "--mount",
            "sh",
            "-e",
            "-c",
            _FURNITURE,
        ]
        words = ["env", *(f"{name}={value}" for name, value in (environment or {}).items()), *command]
        return self.site.program(self.site.a, Path(command[0]).name, [*furnished, str(self.directory), *words])

    def reload(self, program: Program) -> None:
        """What `systemctl reload` does."""
        subprocess.run(exec_reload(program.process.pid), check=True, timeout=PATIENCE)

    def pid(self, name: str) -> int | None:
        """The number in a file below /run."""
        with contextlib.suppress(OSError, ValueError):
            return int((self.directory / "run" / name).read_text())
        return None

    def adopt(self, pid: int) -> None:
        """A process went into the background: see to it that it ends with the machine."""
        self._background.append(pid)

    def close(self) -> None:
        """Stop listening, and kill who is left in the background."""
        for number in self._background:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        self.supervisor.close()
        self.syslog.close()


class Syslog:
    """The other end of /dev/log."""

    def __init__(self, path: Path) -> None:
        self._lines: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.bind(str(path))
        # Who writes here waits, or loses lines, while nobody reads.
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def says(self, text: str) -> bool:
        """Whether a line with this text came, or comes in time."""
        return until(lambda: self.lines(text), PATIENCE)

    def lines(self, text: str) -> list[str]:
        """The lines so far with this text."""
        return [each for each in list(self._lines) if text in each]

    def close(self) -> None:
        """Stop listening."""
        self._socket.shutdown(socket.SHUT_RD)
        self._thread.join()
        self._socket.close()

    def _read(self) -> None:
        while data := self._socket.recv(65536):
            self._lines.append(data.decode(errors="replace"))


def exec_start(arguments: str) -> list[str]:
    """The words of the unit's ExecStart. A variable that is a word of its own is split into words (systemd.service)."""
    words = shlex.split(_service("ExecStart"))
    at = words.index(f"${ARGUMENTS}")
    return [*words[:at], *arguments.split(), *words[at + 1 :]]


def exec_reload(pid: int) -> list[str]:
    """The words of the unit's ExecReload."""
    return [word.replace("$MAINPID", str(pid)) for word in shlex.split(_service("ExecReload"))]


def default_arguments() -> str:
    """DAEMON_ARGS as the package has it."""
    (line,) = (each for each in DEFAULTS.read_text().splitlines() if each.startswith(f"{ARGUMENTS}="))
    return shlex.split(line.partition("=")[2])[0]


def _service(key: str) -> str:
    unit = ConfigParser(strict=False, interpolation=None)
    unit.read(UNIT)
    return unit["Service"][key]
