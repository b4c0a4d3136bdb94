"""What is known about a laboratory on disk, so that any later command can look at it or clear it away.

Each laboratory has a directory of its own below `base()`; its state.json is written before anything is made.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from labkit import interruption, processes, topology
from labkit.errors import LabError
from labkit.processes import Process

FILE = "state.json"
ROOM = 1 << 30  # bytes that a pair of databases may come to need
MEMORY = Path("/dev/shm")  # noqa: S108 - only as the parent of a directory that is checked to be ours


@dataclass(slots=True)
class State:
    """One laboratory. `owner` is the process that builds or runs it, None once it stands by itself.

    `holder` keeps the user namespace of a laboratory that was made without root.
    """

    name: str
    agent: str
    priorities: dict[str, int] | None
    namespaces: list[str]
    owner: Process | None
    holder: Process | None = None
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def directory(self) -> Path:
        """Where everything of this laboratory is written."""
        return base() / self.name

    @property
    def abandoned(self) -> bool:
        """Whether it was left behind by a process that is gone."""
        return self.owner is not None and not self.owner.alive

    def save(self) -> None:
        """Write state.json; a reader sees the old one or the new one."""
        temporary = self.directory / f"{FILE}.new"
        temporary.write_text(json.dumps(asdict(self), indent=2) + "\n")
        temporary.replace(self.directory / FILE)

    def record(self, role: str, process: Process) -> Process:
        """Remember a process that was started, and hand it back."""
        self.processes[role] = process
        self.save()
        return process

    def demolish(self) -> None:
        """End every process and namespace of it and remove its directory; fine when little of it is left."""
        with interruption.put_off():
            for namespace in self.namespaces:
                topology.delete_namespace(namespace)
            # What was made in a user namespace is not to be seen from here by name, but by pid.
            processes.kill(member for process in self.processes.values() for member in processes.tree(process))
            if self.directory.exists():
                shutil.rmtree(self.directory)
            if self.holder is not None:
                processes.kill([self.holder])

    @classmethod
    def load(cls, name: str) -> Self | None:
        """The laboratory of this name; None when there is none."""
        try:
            fields = json.loads((base() / name / FILE).read_text())
        except FileNotFoundError:
            return None
        for key in ("owner", "holder"):
            fields[key] = Process(**fields[key]) if fields[key] else None
        fields["processes"] = {role: Process(**process) for role, process in fields["processes"].items()}
        return cls(**fields)


def names() -> list[str]:
    """All laboratories of this user."""
    return sorted(path.parent.name for path in base().glob(f"*/{FILE}"))


def sweep() -> list[str]:
    """Clear away what crashed runs left behind; the names of what was cleared."""
    swept = []
    for name in names():
        state = State.load(name)
        if state is not None and state.abandoned:
            state.demolish()
            swept.append(name)
    return swept


def base() -> Path:
    """The private directory below which laboratories live: in memory where there is room."""
    in_memory = MEMORY / f"pyvrrp-lab-{real_uid()}"
    roomy = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM
    return _private(in_memory if in_memory.exists() or roomy else _temporary())


def cache() -> Path:
    """The private directory of what is worth keeping from run to run."""
    return _private(_temporary().with_name(f"pyvrrp-lab-cache-{real_uid()}"))


def real_uid() -> int:
    """This user as the machine knows it: inside a user namespace everybody is 0."""
    euid = os.geteuid()
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        inside, outside, count = map(int, line.split())
        if inside <= euid < inside + count:
            return outside + euid - inside
    return euid


def _temporary() -> Path:
    return Path(tempfile.gettempdir()) / f"pyvrrp-lab-{real_uid()}"


def _private(path: Path) -> Path:
    path.mkdir(mode=0o700, exist_ok=True)
    # Somebody else may have made it first, in a directory that everybody may write to.
    if path.is_symlink() or path.stat().st_uid != os.geteuid():
        raise LabError(f"{path} belongs to somebody else")
    return path
