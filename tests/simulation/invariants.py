"""What must be true of nodes on a link whatever happens to them, checked after everything that happens.

The promises, with `latency` the slowest packet's way and all times exact (the simulator's clock has no jitter):

* ALONE: two nodes that both run, hear each other and lose no packet hold the VIP together for no longer than
  max(advert_int + latency, handover_bound).
* LEASED: two nodes that can hear each other, whether their daemons live or not, hold it together for no longer than
  lease + what the kernel takes to act on it + the bound of ALONE, counted anew when a stalled daemon runs again.
* SERVED: when the world has been left alone for the longest master-down interval (and what a check or a refusal adds),
  and a healthy connected node is there, somebody that it can hear, or it itself, holds the VIP. (Not beside a node
  whose kernel refuses addresses or adverts: that one takes over, fails and hands over, as often as REFUSED_HOLD lets.)
* RELEASED: after priority 0 a node sends, renews and adds nothing until it has become master anew, and the VIP is gone
  from it when the handover bound has passed.
* FENCED: connections are reset directly before their address is removed.
* MEANT: a VIP in a kernel means MASTER, or handing over, or a lease that is running out.
* ARMED: a MASTER or BACKUP that runs has exactly its one deadline, in INIT and FAULT it has none.
* CADENCE: a running MASTER's adverts are never further apart than advert_int.
* TOGETHER: members of a sync group are never MASTER beside one that is in FAULT or gives way to another master.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

from pyvrrp.core import const
from pyvrrp.core.effects import Action, Effect, Reconcile, RenewLease, ResetConnections, SendAdvert
from pyvrrp.core.fsm import State, VirtualRouter
from pyvrrp.core.settings import VirtualAddress
from tests.simulation import KERNEL_SLACK, VIP, Lan, Machine

NEVER = float("-inf")
ROUNDING = 1e-6  # seconds: sums of floats


@dataclass(slots=True)
class Record:
    """What was noted of one machine."""

    read: int = 0  # effects looked at so far
    daemon: object = None
    alive_since: float = NEVER
    stood_since: float = NEVER
    changed: float = NEVER  # when it last did anything
    was_alive: bool = True
    sent: float = NEVER
    released: float | None = None
    tenures: int = 0
    previous: Effect | None = None


@dataclass(slots=True)
class Together:
    """Since when two machines have been in a relation; None while they are not."""

    since: dict[tuple[str, str], float] = field(default_factory=dict)

    def note(self, pair: tuple[str, str], holds: bool, now: float) -> float:
        """How long it has lasted now."""
        if not holds:
            self.since.pop(pair, None)
            return 0.0
        return now - self.since.setdefault(pair, now)


class Witness:
    """Looks at a Lan after every step and raises AssertionError when a promise is broken.

    It looks at one virtual router of every node, the one of this name, and at its address. Without `serving` nobody
    need hold it.
    """

    def __init__(
        self, lan: Lan, latency: float, name: str = "VI_1", address: VirtualAddress = VIP, serving: bool = True
    ) -> None:
        self.lan = lan
        self.latency = latency
        self.name = name
        self.address = address
        self.serving = serving
        self.quiet_from = lan.now
        self._records: dict[str, Record] = {}
        self._alone, self._leased = Together(), Together()

    def disturbed(self, consequences: float = 0.0) -> None:
        """Something was done to the world; it may take so many seconds until the nodes notice."""
        self.quiet_from = max(self.quiet_from, self.lan.now + consequences)

    def look(self) -> None:
        """Check every promise."""
        machines = self.lan.machines.values()
        for machine in machines:
            record = self._records.setdefault(machine.name, Record())
            self._note_life(machine, record)
            self._read(machine, record)
            self._meant(machine, record)
            if machine.alive:
                self._armed(machine, record)
                self._cadence(machine, record)
                self._released(machine, record)
        for one, other in combinations(machines, 2):
            self._overlap(one, other)
        if self.serving:
            self._served()

    def router(self, machine: Machine) -> VirtualRouter:
        """The virtual router that is looked at."""
        return machine.node._routers[self.name]

    def holds(self, machine: Machine) -> bool:
        """Whether the machine's kernel has its address."""
        return machine.powered and self.address in machine.kernel

    # --- one machine --------------------------------------------------------------------------------------------------

    def _note_life(self, machine: Machine, record: Record) -> None:
        if machine.node is not record.daemon:
            record.daemon, record.released, record.sent, record.tenures = machine.node, None, NEVER, 0
            record.alive_since = self.lan.now
        if machine.alive and not record.was_alive:
            record.alive_since = record.changed = self.lan.now
        if not machine.alive and record.was_alive:
            record.stood_since = self.lan.now
        record.was_alive = machine.alive

    def _read(self, machine: Machine, record: Record) -> None:
        for at, effect in machine.effects[record.read :]:
            if getattr(effect, "instance", self.name) != self.name:
                continue
            self._read_one(machine, record, at, effect)
            record.changed = at
            record.previous = effect
        record.read = len(machine.effects)

    def _read_one(self, machine: Machine, record: Record, at: float, effect: Effect) -> None:
        tenures = self.router(machine).counters.became_master
        in_force = record.released is None or tenures > record.tenures
        if isinstance(effect, SendAdvert):
            record.sent = at
            if effect.payload[2] == const.PRIORITY_RELEASE:
                record.released, record.tenures = at, tenures
            else:
                assert in_force, f"RELEASED: {machine.name} advertised after priority 0"
        elif isinstance(effect, RenewLease):
            beside = isinstance(record.previous, SendAdvert)
            assert beside, f"{machine.name} renewed its lease without an advert beside it"
            assert in_force or record.released == at, f"RELEASED: {machine.name} renewed its lease after priority 0"
        elif isinstance(effect, Reconcile):
            adds = any(each.action is Action.ADD for each in effect.operations)
            assert in_force or not adds, f"RELEASED: {machine.name} added the VIP after priority 0"
            gone = tuple(each.address.address for each in effect.operations if each.action is Action.REMOVE)
            fenced = isinstance(record.previous, ResetConnections) and record.previous.addresses == gone
            assert fenced or not gone, f"FENCED: {machine.name} removed the VIP under its connections"

    def _meant(self, machine: Machine, record: Record) -> None:
        if not self.holds(machine):
            return
        if machine.alive:
            router = self.router(machine)
            meant = router.state is State.MASTER or router.handover_until is not None
            assert meant, f"MEANT: {machine.name} is {router.state.value} and holds the VIP"
            return
        lease = self.router(machine).settings.vip_lease
        if lease is not None and machine.kernel[self.address] is not None:
            left = record.stood_since + lease + KERNEL_SLACK - self.lan.now
            assert left > -ROUNDING, f"MEANT: {machine.name} stands still and holds the VIP past its lease"

    def _armed(self, machine: Machine, record: Record) -> None:
        router = self.router(machine)
        runs = router.state in (State.MASTER, State.BACKUP) and router.ready is None
        assert (router.deadline is not None) is runs, f"ARMED: {machine.name} is {router.state.value}"
        due, wanted = machine.node.next_deadline(), router.next_deadline()
        if wanted is not None:
            assert due is not None, f"ARMED: {machine.name} sleeps"
            assert due <= wanted, f"ARMED: {machine.name} oversleeps"
            # A deadline may be moved into the past (by a stall, a higher priority): then it is met at this very moment.
            due_since = min(max(wanted, record.changed), self.lan.now)
            assert due_since >= self.lan.now - ROUNDING, f"ARMED: {machine.name} is late"

    def _cadence(self, machine: Machine, record: Record) -> None:
        if self.router(machine).state is State.MASTER:
            pause = self.lan.now - max(record.sent, record.alive_since)
            longest = self.router(machine).settings.advert_int + ROUNDING
            assert pause <= longest, f"CADENCE: {machine.name} has not advertised for {pause} s"

    def _released(self, machine: Machine, record: Record) -> None:
        router = self.router(machine)
        if record.released is None or router.counters.became_master > record.tenures or not self.holds(machine):
            return
        held = self.lan.now - max(record.released, record.alive_since)
        assert held <= router.handover_bound + ROUNDING, f"RELEASED: {machine.name} keeps the VIP for {held} s"

    # --- several ------------------------------------------------------------------------------------------------------

    def _overlap(self, one: Machine, other: Machine) -> None:
        pair, now = (one.name, other.name), self.lan.now
        clear = one.hears(other) and not self.lan.weather.loss
        both = clear and self.holds(one) and self.holds(other)
        routers = (self.router(one), self.router(other))
        bound = max(max(each.settings.advert_int + self.latency, each.handover_bound) for each in routers) + ROUNDING
        lasted = self._alone.note(pair, both and one.alive and other.alive, now)
        assert lasted <= bound, f"ALONE: {one.name} and {other.name} both hold the VIP for {lasted} s"
        leases = [each.settings.vip_lease for each in routers]
        woken = any(self._records[each.name].alive_since == now for each in (one, other))
        lasted = self._leased.note(pair, both and not woken and None not in leases, now)
        longest = max(each or 0 for each in leases) + KERNEL_SLACK + bound
        assert lasted <= longest, f"LEASED: {one.name} and {other.name} both hold the VIP for {lasted} s"

    def _served(self) -> None:
        machines = self.lan.machines.values()
        if self.lan.now <= self.quiet_from or self.lan.weather.loss:
            return
        for machine in machines:
            router = self.router(machine)
            if not (machine.alive and machine.link and machine.healthy and not machine.hindered) or router.stopping:
                continue
            slowest = max(_longest_wait(self.router(each)) for each in machines)
            left = self.quiet_from + slowest + self.latency + ROUNDING - self.lan.now
            near = [each for each in machines if each is machine or each.hears(machine)]
            if any(each.hindered for each in near):
                continue  # it takes the VIP from its holder again and again before its kernel refuses it
            held = any(self.holds(each) for each in near)
            assert left > 0 or held, f"SERVED: nobody holds the VIP beside {machine.name}"


def together(machine: Machine) -> None:
    """TOGETHER, for one machine."""
    routers = machine.node._routers.values()
    if machine.alive and any(each.state is State.MASTER for each in routers):
        dissent = [each.settings.name for each in routers if each.state is State.FAULT or each.following]
        assert not dissent, f"TOGETHER: {machine.name} is MASTER without {dissent}"


def _longest_wait(router: VirtualRouter) -> float:
    """Seconds that a BACKUP with these settings waits at most."""
    return router.settings.down_timer_adverts * router.settings.advert_int + 1.0
