"""Two nodes with a database and an agent each, two clients with writers, and the hands that harm and mend them."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labkit import database, processes, state
from labkit.agents import LOG, VIP
from labkit.database import Server
from labkit.errors import LabError
from labkit.laboratory import ADDRESSES, CLIENT, CLIENT_ADDRESS
from labkit.processes import Process
from labkit.topology import Host, Network
from labkit.vipwatch import VipWatch
from labkit.waiting import until

from failover import agents, pair
from failover.agents import Agent, Place, Timing, Way
from failover.scribe import Scribe

# Each client has an ARP cache of its own: they can believe the VIP to be on different nodes.
CLIENTS: Final = {CLIENT: CLIENT_ADDRESS, "client2": "192.168.1.101/24"}

DISK: Final = "1g"  # of each node, in memory
READY: Final = 20.0  # seconds for an agent to be MASTER or BACKUP, for the VIP to be somewhere
REJOINED: Final = 15.0  # seconds for a server that is back to replicate, or for its agent to say why it does not
SECURED: Final = 15.0  # seconds for semi-sync to be in force again after the last trial
EARLIER: Final = ".earlier"  # the log of an agent before its last start
WORDS: Final = 8  # lines of each log
FILLED: Final = 5.0  # seconds to take its room from a disk that is being written to
FIT: Final = 20.0  # seconds for a standby to be fit to take over
LET_GO: Final = 10.0  # seconds for an agent to end


@dataclass(frozen=True, slots=True)
class Load:
    """How many writers there are on all clients, the seconds between two rows of each, and those before a fault."""

    writers: int
    period: float
    before: float


@dataclass(slots=True)
class Node:
    """One node. `mysqld` and `daemon` are the processes that run there, None before the first start."""

    name: str
    host: Host
    directory: Path
    server: Server
    agent: Agent
    mysqld: Process | None = None
    daemon: Process | None = None


class World:
    """Everything of one agent's trials. Enter it to build it; whatever was built ends with it.

    `looks`: whether both servers are asked all the time if they are open, which costs them something.
    """

    def __init__(self, kind: str, timing: Timing, way: Way, load: Load, *, looks: bool = False) -> None:
        self.kind = kind
        self.timing = timing
        self.way = way
        self.load = load
        self.looks = looks
        self.network = Network("failover")
        self.nodes: dict[str, Node] = {}
        self.harmed = 0.0  # when the last fault really began; some are prepared first
        self.answer = ""  # what an agent said when it was asked to do something
        self._stack = ExitStack()

    # --- building -----------------------------------------------------------------------------------------------------

    def __enter__(self) -> World:
        with ExitStack() as stack:
            stack.enter_context(self.network)
            directory = Path("/run/failover")  # the sandbox's own, in memory
            directory.mkdir(exist_ok=True)
            self._furnish(directory, stack)
            self._start_servers()
            self.watch = VipWatch(VIP)
            stack.callback(self.watch.close)
            for node in self.nodes.values():
                self.watch.add(node.host)
            self.scribe = stack.enter_context(Scribe(self.clients, self.load.writers, self.load.period))
            self.start_agents(next(iter(self.nodes.values())))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _furnish(self, directory: Path, stack: ExitStack) -> None:
        self.clients = tuple(self.network.add_host(name, address) for name, address in CLIENTS.items())
        hosts = {name: self.network.add_host(name, address) for name, address in ADDRESSES.items()}
        template = database.make_template(state.cache())
        for number, (name, host) in enumerate(hosts.items(), start=1):
            place = directory / name
            place.mkdir(exist_ok=True)
            _command("mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(place))
            stack.callback(_command, "umount", "--lazy", str(place))
            server = Server(host, number, place, self._options())
            server.install(template)
            self.nodes[name] = Node(name, host, place, server, self._agent(host, hosts[other_name(name)], place))
        if self.kind == "pyvrrpd":
            self._agree_on_keys(directory)

    def _options(self) -> tuple[str, ...]:
        if self.kind == "pyvrrpd":
            return pair.OPTIONS + pair.CLOSED  # semi-sync is the agents' own affair
        return pair.OPTIONS + (pair.SEMI_SYNC if self.way.semi_sync else ())

    def _agent(self, host: Host, peer: Host, place: Path) -> Agent:
        priority = self.timing.priorities[list(ADDRESSES).index(host.name)]
        return agents.make(self.kind, Place(host, peer, place, self.timing, priority, self.way))

    def _agree_on_keys(self, directory: Path) -> None:
        key = directory / agents.KEYS
        key.unlink(missing_ok=True)
        agents.make_keys(key)

    def _start_servers(self) -> None:
        for node in self.nodes.values():
            self.launch_server(node)
        for node in self.nodes.values():
            self.wait_server(node)
        pair.set_up(*(node.server for node in self.nodes.values()))

    def retime(self, timing: Timing) -> None:
        """Let the agents speak otherwise from now on."""
        if timing == self.timing:
            return
        self.timing = timing
        _, last = self.stop_agents()
        for node in self.nodes.values():
            node.agent = self._agent(node.host, self.other(node).host, node.directory)
        self.start_agents(last)

    # --- who is who ---------------------------------------------------------------------------------------------------

    @property
    def active(self) -> Node:
        """The node that holds the VIP. LabError unless it is exactly one."""
        holders = self.watch.holders()
        if len(holders) != 1:
            raise LabError(f"the VIP is on {' and '.join(holders) or 'no node'}")
        return self.nodes[holders[0]]

    @property
    def standby(self) -> Node:
        """The other one."""
        return self.other(self.active)

    def other(self, node: Node) -> Node:
        """The node beside this one."""
        return self.nodes[other_name(node.name)]

    @property
    def servers(self) -> tuple[Server, ...]:
        """Both servers."""
        return tuple(node.server for node in self.nodes.values())

    def mark(self) -> None:
        """The harm is done now."""
        self.harmed, self.answer = time.monotonic(), ""

    # --- servers ------------------------------------------------------------------------------------------------------

    def launch_server(self, node: Node) -> None:
        """Start the server of a node; it does not answer yet."""
        node.mysqld = node.server.start()

    def wait_server(self, node: Node) -> None:
        """Wait until it answers."""
        assert node.mysqld is not None  # noqa: S101 - launched before
        node.server.wait_ready(node.mysqld)

    def signal_server(self, node: Node, number: signal.Signals) -> None:
        """Hit the server of a node; nothing happens when it is gone."""
        if node.mysqld is not None:
            node.mysqld.send(number)

    def kill_server(self, node: Node) -> None:
        """SIGKILL, and it is gone."""
        if node.mysqld is not None:
            processes.kill([node.mysqld])

    def restart_server(self, node: Node) -> None:
        """Kill what there is of it and start it again."""
        self.kill_server(node)
        self.launch_server(node)
        self.wait_server(node)

    def fill_disk(self, node: Node) -> None:
        """Not one page more: what grows from now on gets ENOSPC."""

        def filled() -> bool:
            with contextlib.suppress(LabError):  # it has grown meanwhile
                _command("mount", "-o", f"remount,size={_used(node.directory)}", str(node.directory))
                return True
            return False

        until(filled, FILLED, f"the disk of {node.name} to be full")

    def empty_disk(self, node: Node) -> None:
        """As large as before."""
        _command("mount", "-o", f"remount,size={DISK}", str(node.directory))

    # --- agents -------------------------------------------------------------------------------------------------------

    def start_agents(self, first: Node) -> None:
        """Start both, one after the other, and wait until one of them holds the VIP."""
        for node in (first, self.other(first)):
            self.start_agent(node)
        if self.kind == "pyvrrpd" and self.way.on_silence == "hold":
            first.agent.control("promote", "--force", "--yes")  # it knows of no master that has left
        until(lambda: len(self.watch.holders()) == 1, READY, "somebody to take the VIP")

    def start_agent(self, node: Node) -> None:
        """Start the agent of a node and wait until it can serve."""
        log = node.directory / LOG
        if log.exists():  # what an earlier one said must not be taken for this one's state
            log.replace(log.with_suffix(EARLIER))
        node.agent.configure()
        node.daemon = node.host.start(node.agent.command(), log)
        until(lambda: self._serves(node), READY, f"the agent on {node.name}")

    def stop_agents(self) -> list[Node]:
        """End both as `systemctl stop` does, the active one last, so that nothing moves; in this order."""
        nodes = [self.standby, self.active]
        for node in nodes:
            self.stop_agent(node)
        return nodes

    def stop_agent(self, node: Node) -> None:
        """End the agent of a node as `systemctl stop` does."""
        if node.daemon is not None:
            node.daemon.send(signal.SIGTERM)
            if not node.daemon.wait_gone(LET_GO):
                self.kill_agent(node)

    def kill_agent(self, node: Node) -> None:
        """SIGKILL for it and its children, and nothing is left of it but what it told the kernel."""
        if node.daemon is not None:
            processes.kill(processes.tree(node.daemon))

    def signal_agent(self, node: Node, number: signal.Signals) -> None:
        """Hit every process of it."""
        if node.daemon is not None:
            for process in processes.tree(node.daemon):
                process.send(number)

    def _serves(self, node: Node) -> bool:
        if node.daemon is None or not node.daemon.alive:
            log = (node.directory / LOG).read_text(errors="replace").splitlines()
            raise LabError(f"{self.kind} on {node.name} ended: {log[-1] if log else 'no output'}")
        return node.agent.state() in ("MASTER", "BACKUP")

    # --- a whole node -------------------------------------------------------------------------------------------------

    def power_off(self, node: Node) -> None:
        """No power: cable dead, every process killed, kernel gone. Its disk stays."""
        self.watch.remove(node.host)
        self.network.remove_host(node.host)

    def power_on(self, node: Node) -> None:
        """A fresh kernel on the old disk, and everything starts."""
        self.network.add_host(node.name, node.host.address)
        self.watch.add(node.host)
        self.launch_server(node)
        self.wait_server(node)
        self.start_agent(node)

    def status(self) -> dict[str, Mapping[str, object]]:
        """What the agents say of their servers, by node."""
        return {name: node.agent.database() for name, node in self.nodes.items()}

    def log_ends(self) -> dict[Path, tuple[int, int]]:
        """How much the agents have said so far: each log, by its inode, and its size."""
        return {log: (log.stat().st_ino, log.stat().st_size) for log in self._logs() if log.exists()}

    def said_since(self, ends: Mapping[Path, tuple[int, int]]) -> list[str]:
        """What the agents have said since then, in the order of time, also those that were ended meanwhile."""
        lines: list[str] = []
        for log in self._logs():
            text, earlier = _text(log), _text(log.with_suffix(EARLIER))
            inode, known = ends.get(log, (0, 0))
            same = log.exists() and log.stat().st_ino == inode
            fresh = text[known:] if same else earlier[known:] + text
            lines += [f"{line[:24]}{log.parent.name}: {line[24:]}" for line in fresh.splitlines()]
        return sorted(lines)

    def _logs(self) -> list[Path]:
        return [node.directory / LOG for node in self.nodes.values()]

    def last_words(self) -> list[str]:
        """The end of what the agents and the servers wrote, for a trial that came to nothing."""
        files = [node.directory / name for node in self.nodes.values() for name in (LOG, "mariadbd.log")]
        return [
            f"{path.parent.name}/{path.name}: {line}"
            for path in files
            if path.exists()
            for line in path.read_text(errors="replace").splitlines()[-WORDS:]
        ]

    # --- being one again ----------------------------------------------------------------------------------------------

    def wait_rejoined(self, active: Node, standby: Node) -> str:
        """Wait until the standby replicates and is in step, "" then; else why it does not."""
        deadline = time.monotonic() + REJOINED
        why = "no time"
        while time.monotonic() < deadline:
            why = pair.trouble(standby.server)
            if not why and pair.in_step(active.server, standby.server, 2.0):
                return ""
            if self._diverged(standby, why):
                break
            time.sleep(0.05)
        return why or "late"

    def _diverged(self, standby: Node, why: str) -> bool:
        """Whether waiting is in vain, since its agent, or the server itself, found what it ought not to have."""
        return _has_errant(standby) or (self.kind != "pyvrrpd" and why not in pair.PASSING)

    def settles(self, last: Node) -> bool:
        """Wait until one node holds the VIP. Where nobody may go on by himself the operator promotes the one that took
        writes `last`, and it is False then. LabError when that does not help either."""

        def settled() -> bool:
            return len(self.watch.holders()) == 1

        what = "one node to hold the VIP"
        try:
            until(settled, READY, what)
        except LabError:
            if self.kind != "pyvrrpd" or self.way.on_silence != "hold":
                raise
            last.agent.control("promote", "--force", "--yes")
            until(settled, READY, what)
            return False
        return True

    def wait_secured(self, active: Node) -> None:
        """Wait until commits wait for the other server. LabError when they do not in time.

        Without an agent that sees to it, two servers that were made one again may never come to it: MariaDB's replica
        connects again and again, until somebody starts it anew.
        """
        what = f"commits on {active.name} to wait for the other server"
        try:
            until(lambda: pair.secured(active.server), SECURED, what)
        except LabError:
            if self.kind == "pyvrrpd":
                raise
            self.other(active).server.execute("stop slave", "start slave")
            until(lambda: pair.secured(active.server), SECURED, what)

    def wait_fit(self, standby: Node) -> float:
        """Wait until nothing speaks against the standby, or long enough; the seconds that it took."""
        began = time.monotonic()
        while time.monotonic() < began + FIT:
            said = standby.agent.database()
            if not (said.get("faults") or said.get("against")):
                break
            time.sleep(0.05)
        return time.monotonic() - began

    def make_copy(self, active: Node, standby: Node) -> None:
        """Make a node that diverged the other's copy, and let its agent find that out."""
        pair.make_copy(active.server, standby.server)
        if self.kind == "pyvrrpd":
            self.stop_agent(standby)
            self.start_agent(standby)
            until(lambda: not _has_errant(standby), REJOINED, f"the agent on {standby.name} to see that it is a copy")
        else:
            (at,) = active.server.execute("select @@gtid_binlog_pos as at")
            active.server.execute("stop slave", f"set global gtid_slave_pos = '{at['at']}'", "start slave")
            standby.server.execute("start slave")
        if why := self.wait_rejoined(active, standby):
            raise LabError(f"{standby.name} was made a copy, and does not replicate: {why}")


def other_name(name: str) -> str:
    """The node beside this one."""
    first, second = ADDRESSES
    return second if name == first else first


def _has_errant(node: Node) -> bool:
    """Whether its agent says that its server has transactions of its own; one that begins anew remembers, and looks."""
    view = node.agent.database().get("view", {})
    return isinstance(view, Mapping) and bool(view.get("errant"))


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def _used(directory: Path) -> int:
    statistics = subprocess.run(
        ["df", "--block-size=1", "--output=used", str(directory)], capture_output=True, text=True, check=True
    )
    return int(statistics.stdout.split()[-1])


def _command(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"{' '.join(argv)}: {done.stderr.strip()}")
