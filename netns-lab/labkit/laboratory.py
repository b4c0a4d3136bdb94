"""Two nodes, each with MariaDB and an agent, a client, and the switch between them."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from labkit import agents, database, processes, state, topology
from labkit.agents import Agent
from labkit.database import Server
from labkit.errors import LabError
from labkit.processes import Process
from labkit.state import State
from labkit.topology import Host, Network
from labkit.waiting import until

ADDRESSES: Final = {"a": "192.168.1.201/24", "b": "192.168.1.202/24"}
CLIENT: Final = "client"
CLIENT_ADDRESS: Final = "192.168.1.100/24"
IN_STEP = 20.0  # seconds for replication to find its master again and catch up
AGENT_READY = 20.0  # seconds for an agent to see its check pass and say BACKUP or MASTER


@dataclass(slots=True)
class Node:
    """One node of the pair."""

    name: str
    host: Host
    server: Server
    agent: Agent
    directory: Path


class Laboratory:
    """A whole laboratory: made by `temporary` or `create`, found by `open_existing`, ended by `state.demolish`."""

    def __init__(self, known: State) -> None:
        self.state = known
        self.network = Network(f"pyvrrp-{known.name}")
        self.client = self.network.adopt(CLIENT, CLIENT_ADDRESS)
        self.nodes: dict[str, Node] = {}
        for number, (name, address) in enumerate(ADDRESSES.items(), start=1):
            host = self.network.adopt(name, address)
            directory = known.directory / name
            agent = agents.make(known.agent, host, directory, known.priorities)
            self.nodes[name] = Node(name, host, Server(host, number, directory), agent, directory)

    @property
    def pair(self) -> tuple[Node, Node]:
        """Both nodes."""
        return self.nodes["a"], self.nodes["b"]

    # --- building ---------------------------------------------------------------------------------------------------

    def wire(self) -> None:
        """Make the switch, the nodes and the client, and lay down everybody's files."""
        self.network.create()
        self.network.add_host(CLIENT, CLIENT_ADDRESS)
        template = database.make_template(state.cache())
        for node in self.pair:
            self.network.add_host(node.name, node.host.address)
            node.directory.mkdir()
            node.server.install(template)
            node.agent.configure()

    def start_databases(self) -> None:
        """Start both servers and join them in dual-master replication."""
        started = [(node, self._launch_database(node)) for node in self.pair]
        for node, process in started:
            node.server.wait_ready(process)
        database.pair(*(node.server for node in self.pair))
        database.prepare_table(self.pair[0].server)
        self.wait_in_step()

    def start_agents(self) -> None:
        """Start both agents, one after the other, so that it is always the first that becomes MASTER."""
        for node in self.pair:
            self.start_agent(node)
            self.wait_agent(node)

    # --- what can be done to a node -----------------------------------------------------------------------------------

    def start_database(self, node: Node) -> None:
        """Start MariaDB on a node and wait until it answers."""
        node.server.wait_ready(self._launch_database(node))

    def _launch_database(self, node: Node) -> Process:
        return self.state.record(f"{node.name}.database", node.server.start())

    def start_agent(self, node: Node) -> None:
        """Start the agent on a node; it elects by itself."""
        log = node.directory / agents.LOG
        log.unlink(missing_ok=True)  # what an earlier one said must not be taken for this one's state
        self.state.record(f"{node.name}.agent", node.host.start(node.agent.command(), log))

    def database_process(self, node: Node) -> Process:
        """The node's MariaDB."""
        return self.state.processes[f"{node.name}.database"]

    def agent_process(self, node: Node) -> Process:
        """The node's agent; its children are not counted."""
        return self.state.processes[f"{node.name}.agent"]

    def power_off(self, node: Node) -> None:
        """No power: cable dead, every process killed, kernel gone. Its disk stays."""
        self.network.remove_host(node.host)

    def power_on(self, node: Node) -> None:
        """A fresh kernel on the old disk; nothing runs there yet."""
        self.network.add_host(node.name, node.host.address)

    # --- looking ------------------------------------------------------------------------------------------------------

    def wait_in_step(self) -> None:
        """Wait until each server has what the other had when this was called."""
        first, second = self.pair
        for master, replica in ((first, second), (second, first)):
            until(
                partial(database.in_step, master.server, replica.server, 1.0),
                IN_STEP,
                f"replication {master.name} to {replica.name}",
            )

    def wait_agent(self, node: Node) -> None:
        """Wait until the node's agent can serve: it is MASTER, or BACKUP."""

        def ready() -> bool:
            if not self.agent_process(node).alive:
                raise LabError(f"{self.state.agent} on {node.name} ended: {self.agent_log(node)[-1]}")
            return node.agent.state() in ("MASTER", "BACKUP")

        until(ready, AGENT_READY, f"{self.state.agent} on {node.name}")

    def agent_log(self, node: Node) -> list[str]:
        """What the node's agent has said so far; never empty."""
        return (node.directory / agents.LOG).read_text(errors="replace").splitlines() or ["no output"]

    def holders(self) -> list[str]:
        """The nodes that hold the VIP now."""
        return topology.holders_of(agents.VIP, [node.host for node in self.pair])


@contextlib.contextmanager
def temporary(name: str, agent: str, priorities: dict[str, int] | None) -> Iterator[Laboratory]:
    """A laboratory, wired but with nothing running, that is gone at the end whatever happens."""
    known = _begin(f"{name}-{os.getpid()}", agent, priorities)
    try:
        laboratory = Laboratory(known)
        laboratory.wire()
        yield laboratory
    finally:
        known.demolish()


def create(name: str, agent: str, priorities: dict[str, int] | None, *, hold: bool) -> Laboratory:
    """A complete laboratory that outlives this program.

    `hold` leaves a process for later commands to follow into this user namespace.
    """
    known = _begin(name, agent, priorities)
    try:
        if hold:
            known.holder = processes.start(["sleep", "infinity"], Path(os.devnull))
            known.save()
        laboratory = Laboratory(known)
        laboratory.wire()
        laboratory.start_databases()
        laboratory.start_agents()
        until(lambda: bool(laboratory.holders()), AGENT_READY, "somebody to take the VIP")
        known.owner = None
        known.save()
    except BaseException:
        known.demolish()
        raise
    return laboratory


def open_existing(name: str) -> Laboratory:
    """The laboratory of this name. LabError when there is none."""
    known = State.load(name)
    if known is None:
        raise LabError("no laboratory is up; start one with: netns-lab/lab up")
    return Laboratory(known)


def _begin(name: str, agent: str, priorities: dict[str, int] | None) -> State:
    state.sweep()
    if State.load(name) is not None:
        raise LabError("a laboratory is up already; end it with: netns-lab/lab down")
    hosts = (CLIENT, *ADDRESSES, "switch")
    namespaces = [f"pyvrrp-{name}-{host}" for host in hosts]
    known = State(name, agent, priorities, namespaces, processes.this_process())
    # A run that crashed before it had written anything down left a directory at most.
    shutil.rmtree(known.directory, ignore_errors=True)
    known.directory.mkdir(mode=0o700)
    known.save()
    return known
