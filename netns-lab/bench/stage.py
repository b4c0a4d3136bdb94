"""Where a sample is taken: the topology with two agents of one subject on it, and hands to do things to them."""

from __future__ import annotations

import itertools
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench import services
from bench.services import Service
from bench.subjects import Check, Router, Subject
from bench.topology import Topology, family, reap, signal_all
from bench.watch import Holding, Line, Watch
from bench.wire import Advert

STARTED = 10.0  # seconds for a daemon to become BACKUP on a busy machine
MARGIN = 10.0  # seconds beyond the protocol's own time before something counts as not happening
SETTLED = 0.3  # seconds for the gratuitous ARPs of a new master to be through


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how often things are measured; times are seconds."""

    repeat: int = 5
    takeovers: int = 150
    load: float = 30.0
    cost: float = 20.0
    instances: tuple[int, ...] = (1, 50, 250, 1000)
    patience: float = 8.0
    baseline: float = 3.0


QUICK = Effort(repeat=1, takeovers=12, load=5.0, cost=4.0, instances=(250,), patience=3.0, baseline=1.0)


class Agent:
    """A running daemon under test."""

    def __init__(
        self, stage: Stage, subject: Subject, node: str, routers: Sequence[Router], check: Check | None
    ) -> None:
        self.subject = subject
        self.node = node
        self.routers = tuple(routers)
        self._watch = stage.watch
        self.work = stage.work / f"{subject.name}-{node}-{next(stage.serial)}"
        self.work.mkdir()
        config = self.work / "config"
        config.write_text(subject.configuration(self.routers, check))
        config.chmod(0o600)
        command = subject.command(config, self.work)
        self.mark = self._watch.mark()
        self.started = time.time_ns()
        self._process = stage.topology.nodes[node].spawn(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert self._process.stdout is not None  # noqa: S101 - said to the type checker: we asked for a pipe
        self._pipe = self._process.stdout
        self._watch.log(node, self._pipe.fileno())

    def wait_backup(self) -> int:
        """When the last of its instances said that it is BACKUP, in nanoseconds of realtime."""
        name = self.routers[-1].name
        line = self._watch.wait(
            Line,
            lambda line: line.node == self.node and f"({name}) Entering BACKUP STATE" in line.text,
            f"{self.subject.name} on {self.node} becomes BACKUP",
            since=self.mark,
            timeout=STARTED,
        )
        return line.at

    def wait_held(self, since: int, timeout: float = MARGIN) -> int:
        """When the first VIP came to this node, in nanoseconds of realtime."""
        vip = self.routers[0].vip
        return self._watch.wait(
            Holding,
            lambda change: change.held and change.node == self.node and change.address == vip,
            f"{self.subject.name} on {self.node} takes {vip}",
            since=since,
            timeout=self.routers[0].master_down + timeout,
        ).at

    def pids(self) -> list[int]:
        return family(self._process.pid)

    def ask(self, number: signal.Signals) -> None:
        """Ask the main process; it passes on what concerns its children."""
        self._process.send_signal(number)

    def hit(self, number: signal.Signals) -> None:
        """Hit every process at one instant, children first, so that no parent starts a new one."""
        signal_all(self.pids()[::-1], number)

    def close(self) -> None:
        pids = self.pids()
        signal_all(pids, signal.SIGKILL)
        self._process.wait()
        reap(pids)
        self._watch.until_ended(self._pipe.fileno())
        self._pipe.close()


@dataclass(slots=True)
class Pair:
    """A MASTER on node a and a BACKUP on node b, and the tiny service on each."""

    active: Agent
    standby: Agent
    service: dict[str, Service]

    @property
    def vip(self) -> str:
        return self.active.routers[0].vip


class Stage:
    """Everything that rows work with."""

    def __init__(self, topology: Topology, watch: Watch, work: Path, effort: Effort) -> None:
        self.topology = topology
        self.watch = watch
        self.work = work
        self.effort = effort
        self.serial = itertools.count(1)

    @contextmanager
    def clean(self) -> Iterator[ExitStack]:
        """An empty stage; whatever the sample started is gone afterwards."""
        self.watch.forget()
        try:
            with ExitStack() as stack:
                yield stack
        finally:
            for node in self.topology.nodes.values():
                node.kill_all()
            self.topology.client.kill_all()
            self.topology.mend("a")
            self.topology.drop_vips()

    def agent(
        self, stack: ExitStack, subject: Subject, node: str, routers: Sequence[Router], check: Check | None = None
    ) -> Agent:
        """Start a daemon; it is killed when the stack unwinds."""
        agent = Agent(self, subject, node, routers, check)
        stack.callback(agent.close)
        return agent

    @contextmanager
    def pair(
        self, subject: Subject, router: Router, check: Check | None = None, *, database: bool = False
    ) -> Iterator[Pair]:
        """Node a is MASTER with the router's priority, node b BACKUP with ten less; both serve."""
        with self.clean() as stack:
            running = {}
            for name, node in self.topology.nodes.items():
                running[name] = services.mariadb(node, self.work) if database else services.greeter(node)
                stack.callback(running[name].close)
            for service in running.values():
                service.wait_ready()
            active, standby = self.elect(stack, subject, [router], check)
            yield Pair(active, standby, running)

    def elect(
        self, stack: ExitStack, subject: Subject, routers: Sequence[Router], check: Check | None = None
    ) -> tuple[Agent, Agent]:
        """Start a MASTER of everything on a, then a BACKUP on b, ten below it."""
        active = self.agent(stack, subject, "a", routers, check)
        # One after the other: with many routers a race would be won by each of them here and there.
        self.watch.until(
            lambda: all(self.watch.holders.get(router.vip) == {"a"} for router in routers),
            f"{subject.name} on a, and nobody else, holds {len(routers)} addresses",
            STARTED + routers[0].master_down + MARGIN,
        )
        lower = [replace(router, priority=router.priority - 10) for router in routers]
        standby = self.agent(stack, subject, "b", lower, check)
        standby.wait_backup()
        time.sleep(SETTLED)
        return active, standby

    def half_past_advert(self, agent: Agent) -> None:
        """Return half an interval after an advert of this agent, so that every sample begins at the same phase."""
        mark = self.watch.mark()
        interval = agent.routers[0].advert_int
        advert = self.watch.wait(
            Advert,
            lambda advert: advert.node == agent.node,
            f"an advert of {agent.subject.name} on {agent.node}",
            since=mark,
            timeout=3 * interval + 1,
        )
        time.sleep(max(0.0, interval / 2 - (time.time_ns() - advert.at) / 1e9))

    def power_off(self, node: str) -> None:
        """Cut the link and SIGKILL every process of a node, at one instant."""
        self.topology.cut(node)
        self.topology.nodes[node].kill_all()
