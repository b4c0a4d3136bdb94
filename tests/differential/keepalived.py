"""What the real keepalived makes of a keepalived.conf. The functions here run inside a Sandbox.

Two things keepalived can be asked without waiting for it: `-t` checks a file, and `-d` makes each of its processes log
its data, all effective values, as soon as it has read the file (the same text that SIGUSR1 writes to a file later).

What cannot be compared:

* The checkers' process ends where the kernel has no IPVS. So keepalived runs with ipvs.c preloaded, in whose IPVS
  everything succeeds and nothing is kept. Without a C compiler there are no values of virtual servers.
* A file with which keepalived does not run, or on which it crashes, has no values.
* keepalived shows no addresses of mail without a server and a sender, and scripts in the real path of their directory.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.differential.differences import CRASHED, HUNG
from tests.differential.dump import values
from tests.differential.readers import Values
from tests.differential.sandbox import fresh_network

KEEPALIVED: Final = shutil.which("keepalived", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
COMPILER: Final = shutil.which("tcc") or shutil.which("cc")

PATIENCE: Final = 5.0  # seconds; a verdict takes 10 ms, a dump 50 ms

VRRP, CHECKERS = "--vrrp", "--check"
_DUMPED: Final = {VRRP: "------< Interfaces >------", CHECKERS: "Activating BFD healthchecker"}
_NOTHING_TO_DO: Final = "keepalived has no configuration to run"
_IPVS: Final = Path("/run/ipvs.so")
_CRASHES: Final = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE}
_PIDS: Final = ("pid", "vrrp_pid", "checkers_pid")


@dataclass(frozen=True)
class Verdict:
    """What `keepalived -t` says: its exit status as a shell shows it (HUNG as timeout(1) does), and its lines."""

    status: int
    lines: tuple[str, ...]


def verdict(file: Path) -> Verdict:
    """The outcome of `keepalived -t -f FILE`."""
    try:
        done = subprocess.run(
            [_program(), "-t", "-f", file.name],
            cwd=file.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Verdict(HUNG, ())
    return Verdict(_status(done.returncode), tuple(done.stdout.decode(errors="replace").splitlines()))


def data(file: Path) -> Values | None:
    """The effective values of a file, see dump.values; None when keepalived does not run with it."""
    found: Values = {}
    for process in (VRRP, CHECKERS) if COMPILER else (VRRP,):
        log = _dump(file, process)
        if log is None:
            return None
        found = values(log) | found
    return found


def _status(returncode: int) -> int:
    if returncode >= 0:
        return returncode
    # The same damage to its memory ends it one way or another.
    return CRASHED if -returncode in _CRASHES else 128 - returncode


def _program() -> str:
    if KEEPALIVED is None:
        raise FileNotFoundError("keepalived is not installed (apt-get install keepalived)")
    return KEEPALIVED


def _dump(file: Path, process: str) -> str | None:
    """What one process logs until it has dumped its data; None when it ends before."""
    pids = [Path(f"/run/{name}") for name in _PIDS]
    options = ["--dont-fork", "--log-console", "--no-syslog", "--dont-respawn", "--dump-conf", "--no_bfd", process]
    running = subprocess.Popen(
        [_program(), *options, *(f"--{pid.name}={pid}" for pid in pids), f"--use-file={file.name}"],
        cwd=file.parent,
        env={**os.environ, "LD_PRELOAD": str(_ipvs())} if COMPILER else None,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    end = threading.Timer(PATIENCE, os.killpg, (running.pid, signal.SIGKILL))
    end.start()
    try:
        return _read(running, _DUMPED[process])
    finally:
        end.cancel()
        for pid in pids:
            pid.unlink(missing_ok=True)
        if process == VRRP:
            fresh_network()  # the other changes nothing there


def _read(running: subprocess.Popen[bytes], end: str) -> str | None:
    """The log until the dump ends, where the program is killed: on request it would take a second to stop."""
    assert running.stdout is not None
    log, dumped = [], False
    with running, running.stdout as output:
        for raw in output:
            line = raw.decode(errors="replace")
            log.append(line)
            if not dumped and (end in line or _NOTHING_TO_DO in line):
                dumped = True
                os.killpg(running.pid, signal.SIGKILL)
    if not dumped and running.returncode == -signal.SIGKILL:
        raise TimeoutError(f"keepalived does not tell its data in {PATIENCE} s")
    return "".join(log) if dumped else None


def _ipvs() -> Path:
    """The stand-in for IPVS, built when it is asked for first."""
    if not _IPVS.exists():
        source = Path(__file__).with_name("ipvs.c")
        subprocess.run([str(COMPILER), "-shared", "-fPIC", "-o", str(_IPVS), str(source)], check=True, timeout=60)
    return _IPVS
