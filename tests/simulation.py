"""Several nodes on one imaginary link, in virtual time: the real core, an obedient kernel, a network with moods.

Nothing here sleeps, and everything is determined by the calls made and the random source given.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, ip_address
from itertools import count

from pyvrrp.core.effects import (
    Action,
    Announce,
    Effect,
    Reconcile,
    Record,
    RenewLease,
    ResetConnections,
    SendAdvert,
)
from pyvrrp.core.events import (
    AddressesChanged,
    AdvertReceived,
    CheckResult,
    ConfigReplaced,
    EffectDone,
    Event,
    LinkChanged,
    Stopping,
    TimerDue,
)
from pyvrrp.core.fsm import State
from pyvrrp.core.node import Node
from pyvrrp.core.settings import CheckSettings, InstanceSettings, NodeSettings, TcpProbe, Track, VirtualAddress
from pyvrrp.core.snapshot import InstanceStatus

INTERFACE = "eth0"
VIP = VirtualAddress(INTERFACE, ip_address("192.168.1.200"), 32)
CHECK = CheckSettings("mysql", TcpProbe("127.0.0.1", 3306), interval=1.0, timeout=1.0, fall=3, rise=1)
KERNEL_SLACK = 0.5  # seconds that the kernel may take to drop an address whose lease is over


def instance(**changes: object) -> InstanceSettings:
    """The instance of the tutorial, with changes."""
    plain = InstanceSettings("VI_1", INTERFACE, 60, (VIP,), priority=100)
    return replace(plain, **changes)  # type: ignore[arg-type]


def settings(*instances: InstanceSettings, checks: tuple[CheckSettings, ...] = ()) -> NodeSettings:
    """A node of these instances."""
    return NodeSettings("node", instances, checks)


@dataclass(slots=True)
class Weather:
    """How the network behaves; `delay` is seconds, the rest probabilities."""

    delay: tuple[float, float] = (0.0001, 0.0005)
    loss: float = 0.0
    duplicate: float = 0.0


@dataclass(slots=True)
class Machine:
    """One node: its core, its kernel's addresses with the end of their lease, and what happened."""

    name: str
    address: IPv4Address
    node: Node
    mac: bytes
    powered: bool = True
    paused: bool = False
    link: bool = True
    reachable: bool = True
    kernel: dict[VirtualAddress, float | None] = field(default_factory=dict)
    waiting: list[Event] = field(default_factory=list)
    log: list[tuple[float, str]] = field(default_factory=list)
    effects: list[tuple[float, Effect]] = field(default_factory=list)
    refuse: str = ""

    @property
    def status(self) -> InstanceStatus:
        """The only instance's status, without its sentences' clock mattering."""
        return self.node.snapshot(0.0).instances[0]

    @property
    def state(self) -> State:
        """The only instance's state."""
        return State(self.status.state)

    @property
    def holds(self) -> bool:
        """Whether its kernel has the VIP."""
        return self.powered and VIP in self.kernel

    @property
    def serving(self) -> bool:
        """Whether it holds the VIP where clients can reach it."""
        return self.holds and self.link and self.reachable

    def sent(self) -> list[tuple[float, SendAdvert]]:
        """Adverts in the order they were sent."""
        return [(at, effect) for at, effect in self.effects if isinstance(effect, SendAdvert)]


class Lan:
    """The link and its clock."""

    def __init__(self, seed: int = 0, weather: Weather | None = None) -> None:
        self.now = 1000.0
        self.random = random.Random(seed)
        self.weather = weather or Weather()
        self.machines: dict[str, Machine] = {}
        self.watch: Callable[[], None] = lambda: None
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    # --- building -----------------------------------------------------------------------------------------------------

    def add(self, name: str, address: str, node: NodeSettings) -> Machine:
        """A node that is switched on now and sees its link at once."""
        number = len(self.machines) + 1
        machine = Machine(name, IPv4Address(address), Node(node, self.now), bytes([2, 0, 0, 0, 0, number]))
        self.machines[name] = machine
        self._look(machine)
        return machine

    def power_on(self, name: str, node: NodeSettings) -> None:
        """The node's daemon starts afresh, on a kernel without leftovers."""
        machine = self.machines[name]
        machine.node = Node(node, self.now)
        machine.powered, machine.paused, machine.link = True, False, True
        machine.kernel.clear()
        machine.waiting.clear()
        self._look(machine)

    def restart(self, name: str, node: NodeSettings) -> None:
        """The node's daemon starts afresh where an earlier one may have left addresses behind."""
        machine = self.machines[name]
        machine.node = Node(node, self.now)
        machine.powered, machine.paused = True, False
        machine.waiting.clear()
        self._look(machine)

    # --- what happens -------------------------------------------------------------------------------------------------

    def power_off(self, name: str) -> None:
        """Gone, with everything."""
        self.machines[name].powered = False

    def kill(self, name: str) -> None:
        """The daemon is gone; the kernel goes on and keeps what it has until its lease ends."""
        self.machines[name].paused = True
        self.machines[name].waiting.clear()

    def pause(self, name: str) -> None:
        """The daemon stands still, its sockets fill."""
        self.machines[name].paused = True

    def resume(self, name: str) -> None:
        """It runs again: first what waited, then its timers, as an event loop does."""
        machine = self.machines[name]
        machine.paused = False
        waiting, machine.waiting = machine.waiting, []
        for event in waiting:
            self.give(machine, event)
        self._arm(machine)

    def cut(self, name: str) -> None:
        """The link goes down, and the node notices."""
        machine = self.machines[name]
        machine.link = False
        self.give(machine, LinkChanged(INTERFACE, True, False, machine.mac))

    def plug(self, name: str) -> None:
        """The link comes back."""
        machine = self.machines[name]
        machine.link = True
        self.give(machine, LinkChanged(INTERFACE, True, True, machine.mac))

    def partition(self, name: str, reachable: bool) -> None:
        """Packets from and to the node are lost, and nobody notices."""
        self.machines[name].reachable = reachable

    def check(self, name: str, ok: bool, conclusive: bool = True) -> None:
        """The node's check reports."""
        detail = "connected to 127.0.0.1:3306" if ok else "127.0.0.1:3306 refused the connection"
        self.give(self.machines[name], CheckResult("mysql", ok, detail, 0.001, conclusive))

    def stop(self, name: str) -> None:
        """SIGTERM."""
        self.give(self.machines[name], Stopping("this node is being stopped (SIGTERM)"))

    def reload(self, name: str, node: NodeSettings) -> None:
        """SIGHUP with a new file."""
        self.give(self.machines[name], ConfigReplaced(node))
        self._look(self.machines[name])

    def delete_vip(self, name: str) -> None:
        """Somebody types `ip address del`."""
        machine = self.machines[name]
        if machine.kernel.pop(VIP, None) is not None or True:
            self._tell_addresses(machine)

    def packet(self, name: str, source: str, payload: bytes, ttl: int = 255) -> None:
        """A packet from nowhere reaches the node."""
        event = AdvertReceived(INTERFACE, ip_address(source), ip_address("224.0.0.18"), ttl, payload)
        self.give(self.machines[name], event)

    # --- time ---------------------------------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self._queue and self._queue[0][0] <= end:
            at, _, action = heapq.heappop(self._queue)
            self.now = max(self.now, at)
            action()
            self.watch()
        self.now = end

    def run_until(self, condition: Callable[[], bool], limit: float = 60.0) -> float:
        """Let time pass until the condition holds; how long it took. AssertionError past the limit."""
        start = self.now
        while not condition():
            assert self._queue, "nothing is going to happen any more"
            assert self._queue[0][0] - start <= limit, f"not within {limit} s"
            at, _, action = heapq.heappop(self._queue)
            self.now = max(self.now, at)
            action()
            self.watch()
        return self.now - start

    def holders(self) -> list[str]:
        """Who has the VIP."""
        return [machine.name for machine in self.machines.values() if machine.holds]

    # --- the obedient world -------------------------------------------------------------------------------------------

    def give(self, machine: Machine, event: Event) -> None:
        """Hand an event to a node, do what it asks, and set its timer."""
        if not machine.powered:
            return
        if machine.paused:
            machine.waiting.append(event)
            return
        pending = [event]
        while pending:
            effects = machine.node.handle(pending.pop(0), self.now)
            for effect in effects:
                machine.effects.append((self.now, effect))
                pending += self._perform(machine, effect)
        self._arm(machine)

    def _perform(self, machine: Machine, effect: Effect) -> Iterator[Event]:
        if isinstance(effect, SendAdvert):
            self._broadcast(machine, effect)
        elif isinstance(effect, RenewLease):
            for address in effect.addresses:
                self._lease(machine, address, effect.lease)
        elif isinstance(effect, Reconcile):
            for operation in effect.operations:
                if operation.action is Action.ADD:
                    self._lease(machine, operation.address, operation.lease)
                else:
                    machine.kernel.pop(operation.address, None)
            yield EffectDone(effect.instance, effect.operations)
        elif isinstance(effect, Record):
            machine.log.append((self.now, effect.text))
        else:
            assert isinstance(effect, Announce | ResetConnections)

    def _broadcast(self, sender: Machine, effect: SendAdvert) -> None:
        for machine in self.machines.values():
            if machine is sender:
                continue
            copies = 1 + (self.random.random() < self.weather.duplicate)
            for _ in range(copies):
                if self.random.random() >= self.weather.loss:
                    delay = self.random.uniform(*self.weather.delay)
                    event = AdvertReceived(INTERFACE, effect.source, effect.destination, 255, effect.payload)
                    self._later(delay, self._carry(sender, machine, event))

    def _carry(self, sender: Machine, machine: Machine, event: AdvertReceived) -> Callable[[], None]:
        sent = sender.powered and sender.link and sender.reachable

        def arrive() -> None:
            if sent and machine.powered and machine.link and machine.reachable:
                self.give(machine, event)

        return arrive

    def _lease(self, machine: Machine, address: VirtualAddress, lease: int | None) -> None:
        end = None if lease is None else self.now + lease
        machine.kernel[address] = end
        if end is not None:
            self._later(end + self.random.uniform(0, KERNEL_SLACK) - self.now, self._expire(machine, address, end))

    def _expire(self, machine: Machine, address: VirtualAddress, end: float) -> Callable[[], None]:
        def expire() -> None:
            if machine.kernel.get(address) == end:
                del machine.kernel[address]
                self._tell_addresses(machine)

        return expire

    def _look(self, machine: Machine) -> None:
        self.give(machine, LinkChanged(INTERFACE, True, machine.link, machine.mac))
        self._tell_addresses(machine)

    def _tell_addresses(self, machine: Machine) -> None:
        addresses = ((machine.address, 24), *((each.address, each.prefixlen) for each in machine.kernel))
        self.give(machine, AddressesChanged(INTERFACE, addresses))

    def _arm(self, machine: Machine) -> None:
        due = machine.node.next_deadline()
        if due is None:
            return
        node = machine.node

        def fire() -> None:
            current = machine.node.next_deadline()
            alive = machine.powered and not machine.paused and machine.node is node
            if alive and current is not None and current <= self.now:
                self.give(machine, TimerDue())

        self._later(max(due - self.now, 0.0), fire)

    def _later(self, delay: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + delay, next(self._order), action))


def pair(
    seed: int = 0, weather: Weather | None = None, tracked: bool = False, **changes: object
) -> tuple[Lan, Machine, Machine]:
    """Two nodes as the samples in conf/ have them: a with 250, b with 240; both just switched on."""
    lan = Lan(seed, weather)
    tracks = (Track("mysql"),) if tracked else ()
    checks = (CHECK,) if tracked else ()
    a = lan.add("a", "192.168.1.201", settings(instance(priority=250, tracks=tracks, **changes), checks=checks))
    b = lan.add("b", "192.168.1.202", settings(instance(priority=240, tracks=tracks, **changes), checks=checks))
    return lan, a, b
