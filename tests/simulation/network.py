"""Several nodes on one imaginary link, in virtual time: the real core, an obedient kernel, a network with moods.

Nothing here sleeps, and everything is determined by the calls made and the seed given.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, ip_address
from itertools import count

from pyvrrp.core.effects import (
    Action,
    Announce,
    CloseWrites,
    Effect,
    Invite,
    Notify,
    OpenWrites,
    Reconcile,
    Record,
    RefuseConnections,
    RenewLease,
    ResetConnections,
    SendAdvert,
)
from pyvrrp.core.events import (
    AddressesChanged,
    AdvertFailed,
    AdvertOverheard,
    AdvertPassed,
    AdvertReceived,
    CheckResult,
    ConfigReplaced,
    EffectDone,
    EffectFailed,
    Event,
    HolderHeard,
    Invited,
    LinkChanged,
    Relinquish,
    Seize,
    Stopping,
    TimerDue,
)
from pyvrrp.core.node import Node
from pyvrrp.core.settings import Address, NodeSettings, Track, VirtualAddress
from tests.simulation.machine import Machine
from tests.simulation.samples import CHECK, INSIDE, INTERFACE, VIP, instance, settings

BROADCAST, SQUATTER = b"\xff" * 6, bytes.fromhex("020000000099")
KERNEL_SLACK = 0.5  # seconds that the kernel may take to drop an address whose lease is over


@dataclass(slots=True)
class Weather:
    """How the network behaves; `delay` is seconds, `loss` and `duplicate` are probabilities."""

    delay: tuple[float, float] = (0.0001, 0.0005)
    loss: float = 0.0
    duplicate: float = 0.0
    overtaking: bool = False  # whether a packet may arrive before one that was sent earlier


class Lan:
    """The link and its clock."""

    def __init__(self, seed: int = 0, weather: Weather | None = None) -> None:
        self.now = 1000.0
        self.random = random.Random(seed)
        self.weather = weather or Weather()
        self.machines: dict[str, Machine] = {}
        self.squatted: set[Address] = set()  # addresses that a host without a daemon has, too
        self.foreign: dict[str, bytes] = {}  # what routers that are none of ours advertise, by their address
        self.foreign_intervals: list[float] = []
        self.touched: Machine | None = None  # what `watch` is about; None: any of them
        self.event: Event | None = None
        self.watch: Callable[[], None] = lambda: None  # called after everything that happens to a machine
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._last_arrival: dict[tuple[str, str], float] = {}

    # --- building -----------------------------------------------------------------------------------------------------

    def add(self, name: str, address: str, node: NodeSettings, rate: float = 1.0) -> Machine:
        """A node that is switched on now and sees its link at once."""
        number = len(self.machines) + 1
        mac = bytes([2, 0, 0, 0, 0, number])
        machine = Machine(name, IPv4Address(address), Node(node, self.now), mac, rate=rate, born=self.now)
        machine.opens = self.now + node.startup_delay / rate
        self.machines[name] = machine
        self._begin(machine)
        return machine

    def power_on(self, name: str, node: NodeSettings) -> None:
        """The machine boots: a kernel without leftovers, the link up, the daemon started afresh."""
        machine = self.machines[name]
        machine.powered, machine.link, machine.running = True, True, False
        machine.kernel.clear()
        machine.server.recover()
        self.start(name, node)

    def start(self, name: str, node: NodeSettings) -> None:
        """The daemon starts afresh where an earlier one may have left addresses behind."""
        self._changed()
        machine = self.machines[name]
        machine.node = Node(node, machine.tick(self.now))
        machine.opens = self.now + node.startup_delay / machine.rate
        machine.running, machine.paused, machine.armed = True, False, float("inf")
        machine.unsent.clear()
        machine.waiting.clear()
        machine.refusing.clear()
        machine.server.asked, machine.server.refused = None, False  # by this one
        self._begin(machine)

    # --- what happens -------------------------------------------------------------------------------------------------

    def power_off(self, name: str) -> None:
        """Gone, with everything."""
        self.machines[name].powered = self.machines[name].running = False
        self.machines[name].server.die()
        self._changed()

    def kill(self, name: str) -> None:
        """The daemon is gone; the kernel goes on and keeps what it has until its lease ends."""
        self.machines[name].running = False
        self._changed()

    def pause(self, name: str) -> None:
        """The daemon stands still, its sockets fill."""
        self.machines[name].paused = True
        self._changed()

    def resume(self, name: str) -> None:
        """It runs again: first what waited, then its timers, as an event loop does."""
        machine = self.machines[name]
        machine.paused = False
        while machine.waiting:
            self.give(machine, machine.waiting.pop(0))
        self._arm(machine)
        self._changed()

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

    def set_inner_link(self, name: str, up: bool) -> None:
        """The link of the second interface goes down or comes back."""
        machine = self.machines[name]
        machine.inner_link = up
        self.give(machine, LinkChanged(INSIDE.interface, True, up, machine.mac))

    def partition(self, name: str, group: int) -> None:
        """The network splits, and nobody notices: only members of one group hear each other. 0 is the main one."""
        self.machines[name].group = group
        self._changed()

    def check(self, name: str, ok: bool, conclusive: bool = True) -> None:
        """The service changes: the check says so now (the kernel's news of a dead listener is conclusive) and later."""
        machine = self.machines[name]
        machine.healthy = ok
        self.give(machine, self._result(machine, conclusive))

    def stop(self, name: str) -> None:
        """SIGTERM."""
        self.give(self.machines[name], Stopping("this node is being stopped (SIGTERM)"))

    def reload(self, name: str, node: NodeSettings) -> None:
        """SIGHUP with a new file."""
        machine = self.machines[name]
        self.give(machine, ConfigReplaced(node))
        if machine.bound:
            self.give(machine, machine.server.report("VI_1"))

    def relinquish(self, name: str) -> None:
        """Its operator asks for a switchover."""
        self.give(self.machines[name], Relinquish("VI_1", "switchover"))

    def seize(self, name: str) -> None:
        """Its operator says promote --force."""
        self.give(self.machines[name], Seize("VI_1", "promote --force"))

    def database(self, name: str, **changes: object) -> None:
        """Something becomes of a machine's database server, and its agent finds out at once."""
        machine = self.machines[name]
        for key, value in changes.items():
            setattr(machine.server, key, value)
        machine.server.open &= machine.server.alive
        self._report(machine)
        self._changed()

    def mend_database(self, name: str) -> None:
        """The server is as it should be again."""
        self.machines[name].server.recover()
        self._report(self.machines[name])
        self._changed()

    def delete_vip(self, name: str) -> None:
        """Somebody types `ip address del`."""
        machine = self.machines[name]
        if machine.kernel.pop(VIP, "absent") != "absent":
            self.give(machine, self._addresses(machine))

    def add_vip(self, name: str) -> None:
        """Somebody types `ip address add`."""
        machine = self.machines[name]
        machine.kernel[VIP] = None
        self.give(machine, self._addresses(machine))

    def packet(self, name: str, source: str, payload: bytes, ttl: int = 255) -> None:
        """A packet from nowhere reaches the node."""
        event = AdvertReceived(INTERFACE, ip_address(source), ip_address("224.0.0.18"), ttl, payload)
        self.hear(self.machines[name], event)

    def hear(self, machine: Machine, event: AdvertReceived) -> None:
        """An advert reaches the machine: its raw socket, unless its firewall is in the way, and the one below that."""
        overheard = AdvertOverheard(event.interface, event.source, event.destination, event.ttl, event.payload)
        self.touched, self.event = machine, event
        heard = [] if machine.unhearing else [event]
        self._deliver(machine, *heard, *([] if machine.dull else [overheard]))
        self.watch()

    def block(self, name: str, other: str) -> None:
        """From now on nothing gets from one to the other, the other way nothing changes."""
        self.machines[other].deaf.add(name)
        self._changed()

    def unblock(self, name: str, other: str) -> None:
        """Packets get through again."""
        self.machines[other].deaf.discard(name)
        self._changed()

    def muffle(self, name: str, other: str) -> None:
        """From now on adverts from one to the other are lost, and nothing else is: a switch misjudges the multicast."""
        self.machines[other].unheard.add(name)
        self._changed()

    def unmuffle(self, name: str, other: str) -> None:
        """The adverts get through again."""
        self.machines[other].unheard.discard(name)
        self._changed()

    def intrude(self, source: str, interval: float, payload: bytes) -> None:
        """Somebody who is none of ours advertises in the main part of the network, and listens to nobody."""
        self.foreign[source] = payload
        self.foreign_intervals.append(interval)
        event = AdvertReceived(INTERFACE, ip_address(source), ip_address("224.0.0.18"), 255, payload)

        def speak() -> None:
            if self.foreign.get(source) is payload:
                for machine in self.machines.values():
                    self._arrival(machine, 0, event)()
                self.at(interval, speak)

        speak()

    def retreat(self, source: str) -> None:
        """The stranger is gone."""
        self.foreign.pop(source, None)
        self._changed()

    # --- time ---------------------------------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self._queue and self._queue[0][0] <= end:
            self._step()
        self.now = end

    def run_until(self, condition: Callable[[], bool], limit: float = 60.0) -> float:
        """Let time pass until the condition holds; how long it took. AssertionError past the limit."""
        start = self.now
        while not condition():
            assert self._queue, "nothing is going to happen any more"
            assert self._queue[0][0] - start <= limit, f"not within {limit} s"
            self._step()
        return self.now - start

    def at(self, delay: float, action: Callable[[], None]) -> None:
        """Do something when `delay` seconds have passed."""
        heapq.heappush(self._queue, (self.now + delay, next(self._order), action))

    def holders(self) -> list[str]:
        """Who has the VIP."""
        return [machine.name for machine in self.machines.values() if machine.holds]

    def _changed(self) -> None:
        """Something was done that is not only about what one node was told."""
        self.touched = None
        self.watch()

    def told(self) -> list[tuple[float, str, Effect]]:
        """All that every node asked for, in order: when, by whom, what."""
        effects = [(at, each.name, effect) for each in self.machines.values() for at, effect in each.effects]
        return sorted(effects, key=lambda each: each[0])

    def _step(self) -> None:
        at, _, action = heapq.heappop(self._queue)
        self.now = max(self.now, at)
        action()

    # --- the obedient world -------------------------------------------------------------------------------------------

    def give(self, machine: Machine, event: Event) -> None:
        """Hand an event to a node, do what it asks, and set its timer."""
        self.touched, self.event = machine, event
        self._deliver(machine, event)
        self.watch()

    def _deliver(self, machine: Machine, *events: Event) -> None:
        for event in events:
            if machine.paused and machine.running:
                machine.waiting.append(event)
            elif machine.alive:
                self._take(machine, event)
        if machine.alive and events:
            self._arm(machine)

    def _take(self, machine: Machine, event: Event) -> None:
        pending = [event]
        while pending:
            for effect in machine.node.handle(pending.pop(0), machine.tick(self.now)):
                machine.effects.append((self.now, effect))
                pending += self._perform(machine, effect)
        machine.running = not machine.node.done

    def _begin(self, machine: Machine) -> None:
        self._deliver(machine, LinkChanged(INTERFACE, True, machine.link, machine.mac))
        self._deliver(machine, self._addresses(machine))
        if INSIDE.interface in machine.node.interfaces():
            self._deliver(machine, LinkChanged(INSIDE.interface, True, machine.inner_link, machine.mac))
            self._deliver(machine, self._addresses(machine, INSIDE.interface))
        self._report(machine)
        self._run_checks(machine, machine.node)
        self.watch()

    def _report(self, machine: Machine) -> None:
        if machine.bound:
            self._deliver(machine, machine.server.report("VI_1"))

    def _addresses(self, machine: Machine, interface: str = INTERFACE) -> AddressesChanged:
        own = ((machine.address, 24),) if interface == INTERFACE else ()
        virtual = ((each.address, each.prefixlen) for each in machine.kernel if each.interface == interface)
        return AddressesChanged(interface, (*own, *virtual))

    def _run_checks(self, machine: Machine, node: Node) -> None:
        """The check runs now and every interval for as long as this daemon lives, and stands still with it."""
        if machine.node is not node or not machine.running:
            return
        checks = machine.node.settings.checks
        if checks and not machine.paused and not machine.mute:
            self.give(machine, self._result(machine, conclusive=False))
        pause = checks[0].interval if checks else CHECK.interval
        self.at(pause / machine.rate, lambda: self._run_checks(machine, node))

    def _result(self, machine: Machine, conclusive: bool) -> CheckResult:
        detail = "connected to 127.0.0.1:3306" if machine.healthy else "127.0.0.1:3306 refused the connection"
        return CheckResult(CHECK.name, machine.healthy, detail, 0.001, conclusive)

    def _perform(self, machine: Machine, effect: Effect) -> Iterator[Event]:
        """Carry out an effect; the kernel's answers to it, its news of changed addresses last."""
        if isinstance(effect, SendAdvert):
            yield from self._send(machine, effect)
        elif isinstance(effect, RenewLease):
            if Action.ADD not in machine.refuse and effect.instance not in machine.unsent:
                before = set(machine.kernel)
                for address in effect.addresses:
                    self._lease(machine, address, effect.lease)
                for address in set(machine.kernel) - before:  # Linux adds an address that is not there any more
                    yield self._addresses(machine, address.interface)
        elif isinstance(effect, Reconcile):
            yield from self._reconcile(machine, effect)
            for interface in sorted({each.address.interface for each in effect.operations}):
                yield self._addresses(machine, interface)
        elif isinstance(effect, Announce):
            for frame in effect.frames if effect.interface == INTERFACE else ():
                self._carry(machine, frame)
        elif isinstance(effect, Record):
            machine.log.append((self.now, effect.text))
        elif isinstance(effect, OpenWrites | CloseWrites | RefuseConnections | Invite):
            self._of_database(machine, effect)
        else:
            assert isinstance(effect, ResetConnections | Notify)

    def _of_database(self, machine: Machine, effect: OpenWrites | CloseWrites | RefuseConnections | Invite) -> None:
        if isinstance(effect, RefuseConnections):
            machine.refusing[effect.instance] = effect.addresses
        elif isinstance(effect, Invite):
            self._invite(machine, effect)
        else:
            self.at(machine.server.ask(effect), self._answer(machine, machine.node, effect))

    def _answer(self, machine: Machine, node: Node, asked: OpenWrites | CloseWrites) -> Callable[[], None]:
        """The server has had its time; what it does is done also when the daemon that asked does not live any more."""

        def answer() -> None:
            event = machine.server.answer(asked) if machine.powered else None
            if event is not None and machine.node is node:
                self.give(machine, event)

        return answer

    def _invite(self, sender: Machine, effect: Invite) -> None:
        """Agents that hear each other tell each other; what is lost comes a little later."""
        for machine in self.machines.values():
            if machine is not sender and sender.hears(machine):
                again = 0.2 if self.random.random() < self.weather.loss else 0.0
                delay = self.random.uniform(*self.weather.delay) + again
                self.at(delay, self._arrival(machine, sender.group, Invited(effect.instance, sender.name)))

    def _send(self, machine: Machine, effect: SendAdvert) -> Iterator[Event]:
        if machine.muzzled:
            machine.unsent.add(effect.instance)
            yield AdvertFailed(effect.instance, "Operation not permitted")
            return
        self._broadcast(machine, effect)
        if effect.instance in machine.unsent:
            machine.unsent.discard(effect.instance)
            yield AdvertPassed(effect.instance)

    def _reconcile(self, machine: Machine, effect: Reconcile) -> Iterator[Event]:
        refused = tuple(each for each in effect.operations if each.action in machine.refuse)
        done = tuple(each for each in effect.operations if each not in refused)
        for operation in done:
            if operation.action is Action.ADD:
                self._lease(machine, operation.address, operation.lease)
            else:
                machine.kernel.pop(operation.address, None)
        for operation in refused:
            yield EffectFailed(effect.instance, operation, "Permission denied")
        if done:
            yield EffectDone(effect.instance, done)

    def _broadcast(self, sender: Machine, effect: SendAdvert) -> None:
        event = AdvertReceived(INTERFACE, effect.source, effect.destination, 255, effect.payload)
        for machine in self.machines.values():
            if machine is sender or not sender.reaches(machine) or sender.name in machine.unheard:
                continue
            copies = 1 + (self.random.random() < self.weather.duplicate)
            for _ in range(copies):
                if self.random.random() >= self.weather.loss:
                    arrival = self.now + self.random.uniform(*self.weather.delay)
                    if not self.weather.overtaking:
                        arrival = max(arrival, self._last_arrival.get((sender.name, machine.name), 0.0))
                    self._last_arrival[sender.name, machine.name] = arrival
                    self.at(arrival - self.now, self._arrival(machine, sender.group, event))

    def _carry(self, sender: Machine, frame: bytes) -> None:
        """ARP: a question is answered by every kernel that has the address, whatever became of its daemon."""
        speaker, asked = frame[28:32], frame[38:42]
        if speaker != bytes(4):
            for machine in self.machines.values():
                if machine is not sender and sender.hears(machine):
                    self._claim(machine, frame[22:28], speaker, sender.group)
            return
        for machine in self.machines.values():
            has = any(each.interface == INTERFACE and each.address.packed == asked for each in machine.kernel)
            asks = frame[:6] in (BROADCAST, machine.mac)
            if has and asks and machine is not sender and sender.hears(machine):
                self._claim(sender, machine.mac, asked, sender.group, ways=2)
        if ip_address(asked) in self.squatted and frame[:6] in (BROADCAST, SQUATTER) and sender.link:
            self._claim(sender, SQUATTER, asked, sender.group, ways=2)

    def _claim(self, to: Machine, mac: bytes, address: bytes, group: int, ways: int = 1) -> None:
        """A claim is on its way, or the answer to a question is."""
        event = HolderHeard(INTERFACE, ip_address(address), mac)
        if all(self.random.random() >= self.weather.loss for _ in range(ways)):
            delay = sum(self.random.uniform(*self.weather.delay) for _ in range(ways))
            self.at(delay, self._arrival(to, group, event))

    def _arrival(
        self, machine: Machine, group: int, event: AdvertReceived | HolderHeard | Invited
    ) -> Callable[[], None]:
        def arrive() -> None:
            if machine.powered and machine.link and machine.group == group:
                if isinstance(event, AdvertReceived):
                    self.hear(machine, event)
                else:
                    self.give(machine, event)

        return arrive

    def _lease(self, machine: Machine, address: VirtualAddress, lease: int | None) -> None:
        """Add the address, or give it a new end: the kernel has one request for both."""
        end = None if lease is None else self.now + lease
        machine.kernel[address] = end
        if lease is not None:
            slack = self.random.uniform(0, KERNEL_SLACK)
            self.at(lease / machine.rate + slack, self._expiry(machine, address, end))

    def _expiry(self, machine: Machine, address: VirtualAddress, end: float | None) -> Callable[[], None]:
        def expire() -> None:
            if address in machine.kernel and machine.kernel[address] == end:
                del machine.kernel[address]
                machine.lapsed.append((self.now, address))
                self.give(machine, self._addresses(machine, address.interface))

        return expire

    def _arm(self, machine: Machine) -> None:
        """One timer a machine; a deadline that moved away is found out when the old one comes."""
        due = machine.node.next_deadline() if machine.alive else None
        if due is None or due >= machine.armed:
            return  # `due` and `armed` are by the machine's clock
        machine.armed, node = due, machine.node

        def fire() -> None:
            if machine.node is not node or machine.armed != due:
                return
            machine.armed = float("inf")
            current = node.next_deadline()
            # What was converted twice may be a hair early; a node must never take that for "not due yet".
            if machine.alive and current is not None and current <= machine.tick(self.now, at_least=due):
                self.give(machine, TimerDue())
            else:
                self._arm(machine)

        self.at(max(machine.world(due) - self.now, 0.0), fire)


def pair(
    seed: int = 0, weather: Weather | None = None, tracked: bool = False, **changes: object
) -> tuple[Lan, Machine, Machine]:
    """Two nodes as the samples in conf/ have them: a with 250, b with 240; both just switched on."""
    lan = Lan(seed, weather)
    tracks = (Track("mysql"),) if tracked else ()
    checks = (CHECK,) if tracked else ()
    common = instance(tracks=tracks, **({"duplicate_wait": None} | changes))
    a = lan.add("a", "192.168.1.201", settings(replace(common, priority=250), checks=checks))
    b = lan.add("b", "192.168.1.202", settings(replace(common, priority=240), checks=checks))
    return lan, a, b
