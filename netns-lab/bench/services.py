"""What the nodes serve and what the client asks: the processes around the program under test."""

from __future__ import annotations

import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.subjects import SERVICE_PORT
from bench.topology import Place, family, reap, signal_all
from bench.watch import NotSeenError, Watch

_HERE = Path(__file__).parent
_PYTHON: tuple[str | Path, ...] = (sys.executable, "-I", "-S")


class Service:
    """A process of a node that listens on TCP port 3306."""

    def __init__(self, place: Place, command: Sequence[str | Path]) -> None:
        self._process = place.spawn(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._place = place

    def wait_ready(self, timeout: float = 20.0) -> None:
        """Return when a connection is accepted. Raises NotSeenError."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            with self._place.inside(), socket.socket() as client:
                if client.connect_ex(("127.0.0.1", SERVICE_PORT)) == 0:
                    return
            time.sleep(0.01)
        raise NotSeenError(f"a listener on port {SERVICE_PORT} of {self._place.name}: not seen in {timeout:g} s")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and its children."""
        signal_all(family(self._process.pid), number)

    def close(self) -> None:
        pids = family(self._process.pid)
        signal_all(pids, signal.SIGKILL)
        self._process.wait()
        reap(pids)


def greeter(place: Place) -> Service:
    """The smallest thing that a TCP check takes for a mysqld."""
    return Service(place, [*_PYTHON, _HERE / "responder.py", place.name, str(SERVICE_PORT)])


def mariadb_available() -> bool:
    return bool(shutil.which("mariadbd") and shutil.which("mariadb-install-db"))


def mariadb(place: Place, work: Path) -> Service:
    """A real MariaDB; its data directory is made once and kept in `work`."""
    data = work / f"mariadb-{place.name}"
    if not data.exists():
        subprocess.run(
            [
                "mariadb-install-db",
                "--no-defaults",
                "--user=root",
                f"--datadir={data}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--innodb-log-file-size=8M",
            ],
            check=True,
            capture_output=True,
        )
    return Service(
        place,
        [
            "mariadbd",
            "--no-defaults",
            "--user=root",
            f"--datadir={data}",
            f"--socket={data}/mysqld.sock",
            f"--pid-file={data}/mysqld.pid",
            "--bind-address=0.0.0.0",
            f"--port={SERVICE_PORT}",
            "--skip-name-resolve",
            "--max-connect-errors=4294967295",  # a client that only reads the greeting counts as an error
            "--innodb-buffer-pool-size=16M",
            "--innodb-log-file-size=8M",
            "--performance-schema=OFF",
        ],
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to question `number`; times are realtime nanoseconds."""

    number: int
    asked: int
    answered: int


_ANSWER = struct.Struct("=qqq")


class Probe:
    """The client's prober while it runs."""

    def __init__(self, place: Place, watch: Watch, words: list[str]) -> None:
        self.answers: list[Answer] = []
        self._watch = watch
        self._partial = b""
        command = [*_PYTHON, _HERE / "prober.py", *words]
        self._process = place.spawn(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None  # noqa: S101 - said to the type checker: we asked for a pipe
        self._pipe = self._process.stdout
        watch.stream(self._pipe.fileno(), self._take)

    def wait_answered(self, since: int, timeout: float) -> None:
        """Wait for the answer to a question asked after `since`. Raises NotSeenError."""
        self._watch.until(
            lambda: bool(self.answers) and self.answers[-1].asked > since, "an answer to the client", timeout
        )

    def outage(self, since: int) -> float:
        """Milliseconds of the longest outage that ended after `since`.

        From the last answer before a question that got none to the next answer. Where every question got its answer
        it is the longest time that one took: a client that overslept has not seen an outage.
        """
        longest, before = 0, self.answers[0]
        for answer in self.answers:
            if answer.answered > since:
                missing = answer.number > before.number + 1
                longest = max(longest, answer.answered - (before.answered if missing else answer.asked))
            before = answer
        return longest / 1e6

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._watch.until_ended(self._pipe.fileno())
        self._pipe.close()

    def _take(self, data: bytes) -> None:
        whole = self._partial + data
        size = len(whole) - len(whole) % _ANSWER.size
        self.answers.extend(Answer(*fields) for fields in _ANSWER.iter_unpack(whole[:size]))
        self._partial = whole[size:]


@contextmanager
def echoes(place: Place, watch: Watch, address: str, period: float = 0.001) -> Iterator[Probe]:
    """A client that sends an echo request to `address` each millisecond, or more seldom."""
    yield from _probing(Probe(place, watch, ["icmp", address, f"{period:g}"]))


@contextmanager
def connections(place: Place, watch: Watch, address: str, patience: float | None = None) -> Iterator[Probe]:
    """A client that connects to `address` again and again; `patience` is seconds, None the kernel's own time-outs."""
    words = ["tcp", address, str(SERVICE_PORT)]
    yield from _probing(Probe(place, watch, words if patience is None else [*words, f"{patience:g}"]))


def _probing(probe: Probe) -> Iterator[Probe]:
    try:
        probe.wait_answered(0, timeout=5.0)
        yield probe
    finally:
        probe.close()
