"""Two nodes, a client and a switch between them, each in a network namespace of its own.

Link `n` of node `a` is eth<n> there and a<n> at the switch, where it is a port of bridge br<n>. The client has link 0.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import rtnetlink, sandbox
from bench.rtnetlink import Links
from bench.watch import Watch
from bench.wire import Tap

LINKS = 4  # a virtual router id has 8 bits: 1000 instances need four interfaces
NODES = ("a", "b")
CLIENT = "client"
SWITCH = "switch"
_HOST = {"a": 1, "b": 2, CLIENT: 9}


def vip(link: int, number: int) -> str:
    """The virtual address of the instance with this number (from 1) on a link."""
    return f"10.{77 + link}.200.{number}"


class Place:
    """A network namespace and the processes that the bench started in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._namespace = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
        self._processes: list[subprocess.Popen[bytes]] = []

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Run the body in this namespace; sockets made there stay there."""
        with sandbox.network(self._namespace):
            yield

    def spawn(
        self, command: Sequence[str | Path], *, stdout: int, stderr: int | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program here, out of reach of the terminal's Ctrl-C."""
        with self.inside():
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True
            )
        self._processes = [known for known in self._processes if known.poll() is None]
        self._processes.append(process)
        return process

    def kill_all(self) -> None:
        """SIGKILL every process started here and all their children, at one instant, and see them gone."""
        living = [process for process in self._processes if process.returncode is None]
        pids = [pid for process in living for pid in family(process.pid)]
        signal_all(pids, signal.SIGKILL)
        for process in living:
            process.wait()
        reap(pids)
        self._processes.clear()


class Topology:
    """The switch with everything plugged in, watched by a `Watch`."""

    def __init__(self, watch: Watch) -> None:
        _ip("netns add " + SWITCH)
        _ip_in(SWITCH, [f"link add br{link} type bridge mcast_snooping 0" for link in range(LINKS)])
        _ip_in(SWITCH, [f"link set br{link} up" for link in range(LINKS)])
        for name in (*NODES, CLIENT):
            _plug_in(name, LINKS if name in NODES else 1)
        self.nodes = {name: Place(name) for name in NODES}
        self.client = Place(CLIENT)
        self.switch = Place(SWITCH)
        self._taps = []
        with self.switch.inside():
            self._links = Links()
            for name in NODES:
                for link in range(LINKS):
                    tap = Tap(name, link, f"{name}{link}")
                    watch.tap(tap)
                    self._taps.append(tap)
        self._monitors = []
        for name, node in self.nodes.items():
            with node.inside():
                monitor = rtnetlink.address_monitor()
            watch.addresses(name, monitor)
            self._monitors.append(monitor)

    def cut(self, node: str) -> None:
        """Pull the cable of link 0 at the switch: the node loses its carrier."""
        self._links.down(f"{node}0")

    def part(self, node: str) -> None:
        """Make the switch deaf and dumb for link 0: the node keeps its carrier and believes that all is well."""
        self._links.join(f"{node}0", None)

    def mend(self, node: str) -> None:
        """Undo `cut` and `part`."""
        self._links.join(f"{node}0", "br0")
        self._links.up(f"{node}0")

    def drop_vips(self) -> None:
        """Remove what killed agents left behind."""
        for name in self.nodes:
            _ip_in(name, [f"addr flush to 10.{77 + link}.200.0/24" for link in range(LINKS)])

    def close(self) -> None:
        for place in (*self.nodes.values(), self.client):
            place.kill_all()


def family(pid: int) -> list[int]:
    """A process and all its descendants, parents first."""
    found = [pid]
    for parent in found:
        try:
            children = [path.read_text().split() for path in Path(f"/proc/{parent}/task").glob("*/children")]
        except FileNotFoundError:
            continue
        found.extend(int(child) for group in children for child in group)
    return found


def signal_all(pids: Sequence[int], number: signal.Signals) -> None:
    """Send a signal to processes, of which some may have gone."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def reap(pids: Sequence[int]) -> None:
    """Wait for orphans, which are children of process 1 and so of the bench."""
    for pid in pids:
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            continue


def _plug_in(name: str, links: int) -> None:
    _ip("netns add " + name)
    _ip_in(name, ["link set lo up"])
    for link in range(links):
        port, own = f"{name[:6]}{link}", f"eth{link}"
        _ip_in(SWITCH, [f"link add {port} type veth peer name {own} netns {name}", f"link set {port} master br{link}"])
        _ip_in(SWITCH, [f"link set {port} addrgenmode none up"])
        _ip_in(name, [f"link set {own} addrgenmode none", f"addr add 10.{77 + link}.0.{_HOST[name]}/16 dev {own}"])
        _ip_in(name, [f"link set {own} up"])


def _ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True)


def _ip_in(namespace: str, lines: Sequence[str]) -> None:
    # Without -force ip stops at the first refusal, and says which line it was.
    subprocess.run(["ip", "-n", namespace, "-batch", "-"], input="\n".join(lines), text=True, check=True)
