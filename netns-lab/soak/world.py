"""Two nodes that are to survive, and the hands that harm and mend them."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Final

from bench import services
from bench.services import Service
from bench.stage import Agent, Stage
from bench.subjects import Check, Router, Subject
from bench.topology import NODES
from bench.watch import Holding, Line

from pyvrrp.core.settings import automatic_lease
from soak import rival

ADVERT_INT: Final = 0.1
CHECK: Final = Check(interval=1, timeout=1, fall=2)
PRIORITIES: Final = {"a": 150, "b": 100}
CALM: Final = 0.6  # seconds without a change: longer than any takeover by the protocol
PATIENCE: Final = 12.0  # seconds for things to become calm, whoever is to blame when they do not


class World:
    """The nodes, their agents and services, and what is seen of them."""

    def __init__(self, stage: Stage, subject: Subject, stack: ExitStack) -> None:
        self.stage = stage
        self.subject = subject
        self.watch = stage.watch
        self.routers = {
            name: Router(priority=priority, advert_int=ADVERT_INT, version=3, preempt=True)
            for name, priority in PRIORITIES.items()
        }
        self.agents: dict[str, Agent] = {}
        self._services: dict[str, Service] = {}
        stack.callback(self._close)

    def begin(self) -> None:
        """Start everything, and wait until one node has the address and the other is its backup."""
        for name in NODES:
            self.serve(name)
        for name in NODES:
            self.start(name)
        self.settle(0.0)

    @property
    def vip(self) -> str:
        """The address that all is about."""
        return self.routers["a"].vip

    @property
    def lease(self) -> float:
        """Seconds for which the address of a dead agent stays."""
        return automatic_lease(ADVERT_INT) if self.subject.name == "pyvrrpd" else 0.0

    @property
    def master(self) -> str:
        """The node that has the address; the first of them when there are two or none."""
        return min(self.watch.holders.get(self.vip) or NODES)

    @property
    def backup(self) -> str:
        """The other node."""
        return other(self.master)

    def down(self, node: str) -> float:
        """Seconds of silence after which this node takes over."""
        return self.routers[node].master_down

    # --- agents -------------------------------------------------------------------------------------------------------

    def start(self, node: str) -> float:
        """Start the node's agent and wait until it says that it is BACKUP; the seconds that this took."""
        agent = Agent(self.stage, self.subject, node, [self.routers[node]], CHECK)
        self.agents[node] = agent
        return (agent.wait_backup() - agent.started) / 1e9

    def kill(self, node: str) -> None:
        """SIGKILL, and nothing is left of it but what it told the kernel."""
        self.agents.pop(node).close()

    def signal(self, node: str, number: signal.Signals) -> None:
        """Hit every process of it."""
        self.agents[node].hit(number)

    def reload(self, node: str, priority: int) -> None:
        """Another priority, by SIGHUP."""
        agent = self.agents[node]
        self.routers[node] = replace(self.routers[node], priority=priority)
        agent.routers = (self.routers[node],)
        (agent.work / "config").write_text(self.subject.configuration(agent.routers, CHECK))
        mark = self.watch.mark()
        agent.ask(signal.SIGHUP)
        self.wait_line(node, "Reload complete", mark)

    def wait_line(self, node: str, text: str, mark: int) -> None:
        """Wait until the node's agent has said this."""
        self.watch.wait(
            Line,
            lambda line: line.node == node and text in line.text,
            f"{text!r} of {node}",
            since=mark,
            timeout=PATIENCE,
        )

    # --- what is around them ------------------------------------------------------------------------------------------

    def serve(self, node: str) -> None:
        """Start the service that its agent checks."""
        service = services.greeter(self.stage.topology.nodes[node])
        service.wait_ready()
        self._services[node] = service

    def fail(self, node: str) -> None:
        """Kill that service."""
        self._services.pop(node).close()

    def cut(self, node: str) -> None:
        """Pull its cable: no carrier."""
        self.stage.topology.cut(node)

    def part(self, node: str) -> None:
        """The switch forwards nothing of it and nothing to it, and it does not see that."""
        self.stage.topology.part(node)

    def mend(self, node: str) -> None:
        """Undo both."""
        self.stage.topology.mend(node)

    def delete(self, node: str) -> None:
        """Somebody deletes the address."""
        subprocess.run(["ip", "-n", node, "address", "delete", f"{self.vip}/32", "dev", "eth0"], check=False)

    @contextmanager
    def foreign_master(self, kind: str) -> Iterator[None]:
        """Somebody else says that he is master, as `kind` has it."""
        ours = max(each.priority for each in self.routers.values())
        priority = {"lower": 1, "equal": ours}.get(kind, 254)
        with rival.speaking(self.stage.topology.client, self.routers["a"], kind, priority):
            yield

    # --- time ---------------------------------------------------------------------------------------------------------

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

    def settle(self, pause: float) -> bool:
        """Wait until one node has had the address for a while, and then some; False when that did not come to be."""
        deadline = time.monotonic() + PATIENCE
        while not (calm := self._calm()) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(pause)
        return calm

    def changes(self) -> Iterator[tuple[int, str, bool]]:
        """What became of the address: when, on which node, whether it came or went."""
        for change in self.watch.since(Holding):
            if change.address == self.vip:
                yield change.at, change.node, change.held

    def _calm(self) -> bool:
        last = next((each.at for each in reversed(self.watch.seen) if _of(each, self.vip)), 0)
        best = max(NODES, key=lambda name: self.routers[name].priority)
        return self.watch.holders.get(self.vip) == {best} and (time.time_ns() - last) / 1e9 > CALM

    def _close(self) -> None:
        for agent in self.agents.values():
            agent.close()
        for service in self._services.values():
            service.close()


def other(node: str) -> str:
    """The node beside this one."""
    return "b" if node == "a" else "a"


def _of(seen: object, vip: str) -> bool:
    return isinstance(seen, Holding) and seen.address == vip
