"""What must be true of nodes on a link whatever happens to them, checked after everything that happens.

The promises. `latency` is the slowest packet's way, all times are exact but for the rates of the nodes' clocks, and a
fit node is one that runs, is connected, passes its checks and whose kernel does as it is told.

* ALONE: two nodes that both run, hear each other and lose no packet hold the VIP together for no longer than
  max(advert_int + latency, handover_bound): the better one's next advert ends it, or the end of handing over. One whose
  adverts cannot leave may take the longest wait more to find out that nobody hears it.
* LEASED: two nodes that can hear each other, whether their daemons live or not, hold it together for no longer than
  lease + what the kernel takes to act on it + the bound of ALONE, counted anew when a stalled daemon runs again.
* SERVED: when the world has been left alone for the longest master-down interval (and what a check or a refusal adds),
  and a fit node is there, somebody that it can hear, or it itself, holds the VIP. It is counted anew when a lease ends:
  an address that another host answers for is left alone. (Not beside a node whose kernel refuses addresses or adverts:
  that one takes over, fails and hands over, as often as REFUSED_HOLD lets. Nor by a member of a sync group when the
  address of another member is on a host that does not hold the two together: one whose daemon is dead, or that a reload
  has not reached which makes a group, or has reached first which ends one.)
* RELEASED: after priority 0 a node sends, renews and adds nothing until it has become master anew, and the VIP is gone
  from it when the handover bound has passed.
* FENCED: connections are reset directly before their address is removed.
* MEANT: a VIP in a kernel means MASTER, or handing over, or a lease that is running out.
* PRESENT: a MASTER whose kernel and firewall do as they are told has all its addresses, at the very moment.
* RENEWED: a lease is renewed only beside an advert that was sent.
* ARMED: a MASTER or BACKUP that runs has exactly its one deadline, in INIT and FAULT it has none.
* CADENCE: a running MASTER's adverts are never further apart than advert_int.
* LEFT: a lease ends only under a node that does not run, is not MASTER, or whose adverts do not leave.
* LEAVING: who hands over has sent priority 0 and nothing after it; a BACKUP that hears it waits for its skew time only.
* STALE: a MASTER that stood still for longer than a backup waits sends nothing before it has become master anew.
* PATIENT: a BACKUP takes over no sooner than down_timer_adverts intervals after the last advert that it had to follow,
  unless priority 0 came since, and nobody does before startup_delay is over. In version 3 the interval is the one that
  the advert named.
* ASKED: a BACKUP that takes over through silence has asked the link for every address, within ASKED_WITHIN before the
  end of its wait and soon enough for an answer, and nobody who could be heard has answered until then; whoever does is
  left alone, for duplicate_wait at most. It need not ask after priority 0, nor before it takes over from a worse master
  that speaks, nor by order, nor where it owns the address. (A member of a sync group whose own wait is over does not
  ask again while it waits for the others; nor is there always time when a reload adds addresses, or a higher priority
  shortens the wait, in the last moment of it.)
* CAUSED: a state changes along an edge of the drawing in core/fsm.py, and always with a reason in words; a MASTER gives
  way to a higher priority, to the same and a higher address, to its group, or because it stood still.
* TRACKED: what is against a node keeps it from being MASTER, and its priority is what its checks make of it; a dead
  service is noticed within fall + 1 intervals and the time-out.
* TOGETHER: members of a sync group are never MASTER beside one that is in FAULT or gives way to another master; left
  alone, they are all MASTER or none is.
* TOLD: who is told of states is told of each in order, and the sequence numbers grow.
* EXPLAINED: every status says why.
* WRITERS: two databases of nodes that both run, hear each other and lose no packet take writes together for no longer
  than advert_int + latency + the time to close: what ends that is the better one's next advert. And none begins to
  beside another one when the world has been left alone for the longest wait, but where closing was not done in time.
* CLOSED-FIRST: who says priority 0 has a database that takes no writes, or that was not closed within its bound.
* VIP-LAST: a VIP is added only by a MASTER whose database takes writes.
* CLOSED: a node that is not MASTER has asked for its database to be closed, or was refused, and never opens it.
* REFUSED: connections are refused between the closing of a database and the end of its address or its opening, only.
* SETTLED: when everything is mended and the world left alone, exactly one node holds each VIP, all of one group, and no
  fit node with preempt has a higher priority.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations

from pyvrrp.core import const
from pyvrrp.core.effects import (
    Action,
    Announce,
    CloseWrites,
    Effect,
    Notify,
    Reconcile,
    RenewLease,
    ResetConnections,
    SendAdvert,
)
from pyvrrp.core.events import (
    AdvertOverheard,
    AdvertReceived,
    CheckResult,
    ConfigReplaced,
    HolderHeard,
    Invited,
    Relinquish,
    Seize,
    TimerDue,
    WritesRefused,
)
from pyvrrp.core.fsm import State, VirtualRouter
from pyvrrp.core.settings import Address, InstanceSettings, VirtualAddress
from pyvrrp.core.tracking import Health
from tests.simulation.machine import Machine
from tests.simulation.network import KERNEL_SLACK, Lan
from tests.simulation.samples import INTERFACE, SECOND, VIP

NEVER = float("-inf")
ROUNDING = 1e-6  # seconds: sums of floats
DRIFT = 1.02  # how much faster than another a node's clock may run, at most
ASKED_WITHIN = 0.3  # seconds
SOON_ENOUGH = 0.015  # seconds for an answer, but three eighths of an interval will do
SPEAKS = 1.5  # intervals after an advert in which its sender still does
NOBODY = bytes(4)  # who asks for an address in a frame
WATCHED = {"VI_1": VIP, "VI_2": SECOND}
ALL_EVERY = 16  # steps between two looks at the machines that nothing happened to
QUIET = (AdvertReceived, TimerDue, CheckResult)  # events that change no kernel but by what they bring about
DELETED = "it is no longer in the configuration"  # said of the one that leaves, under the name of one that stays
STOOD_STILL = "this process stood still"
STATES = {each.value for each in State}
EDGES = {
    ("INIT", "BACKUP"), ("INIT", "FAULT"), ("INIT", "MASTER"), ("BACKUP", "MASTER"), ("MASTER", "BACKUP"),
    ("BACKUP", "FAULT"), ("MASTER", "FAULT"), ("FAULT", "BACKUP"), ("FAULT", "MASTER"),
}  # fmt: skip


@dataclass(slots=True)
class Tenure:
    """What was noted of one virtual router of one daemon."""

    sent: float = NEVER  # by the clock of all
    released: float | None = None
    tenures: int = 0
    told: str = "INIT"
    router: VirtualRouter | None = None  # that began when it was told so
    heard: int = 0  # adverts that counted
    followed: float = NEVER  # by its own clock: when it last heard a master that it had to follow
    interval: float = 0.0  # that master's
    settings: InstanceSettings | None = None
    whose: VirtualRouter | None = None
    opened: float = NEVER  # when that was known to take writes, by the clock of all
    bidden: bool = False  # BACKUP: whether it was told that the master leaves, and of nobody since
    last: tuple[float, int, float] = (NEVER, 0, 0.0)  # the last advert: when, its priority and interval
    ready: float | None = None  # in a group: since when, by its own clock
    priority: int = 0
    moved: float = NEVER  # when that changed last, by its own clock
    answered_since: float = NEVER  # the first answer after it had to follow somebody, by the clock of all

    def belongs_to(self, router: VirtualRouter) -> None:
        """What was noted of another router of the same name, which a reload has replaced, does not count."""
        if self.whose is not None and self.whose is not router:
            self.sent, self.released, self.tenures, self.heard, self.followed = NEVER, None, 0, 0, NEVER
            self.opened = NEVER
            self.bidden, self.last, self.ready, self.answered_since = False, (NEVER, 0, 0.0), None, NEVER
        self.whose = router


@dataclass(slots=True)
class Life:
    """What was noted of one machine."""

    read: int = 0  # effects looked at so far
    daemon: object = None
    alive_since: float = NEVER
    stood_since: float = NEVER
    changed: float = NEVER  # when anything last happened to it
    was_alive: bool = True
    sequence: int = 0
    previous: Effect | None = None
    slept: float = 0.0  # for how long it stood still before `alive_since`, the same daemon
    unwell_since: float | None = None  # since when its checks would find its service dead
    mixed_since: float | None = None
    holds: set[str] = field(default_factory=set)  # whose VIPs its kernel has
    tenures: dict[str, Tenure] = field(default_factory=dict)
    reloaded: float = NEVER
    asked: dict[bytes, float] = field(default_factory=dict)  # when it asked for an address last
    answered: set[bytes] = field(default_factory=set)  # which somebody has said to have since

    def tenure(self, name: str) -> Tenure:
        """What was noted of the virtual router of this name."""
        found = self.tenures.get(name)
        if found is None:
            found = self.tenures[name] = Tenure()
        return found


@dataclass(slots=True)
class Findings:
    """The worst of what was still right, in seconds."""

    overlap: float = 0.0  # two that hear each other hold one address
    written: float = 0.0  # ... both have databases that take writes
    gap: float = 0.0  # nobody does beside a fit node, since the last thing that was done to the world
    transitions: int = 0
    asked: int = 0  # how often somebody took over and had to ask before


class Witness:
    """Looks at a Lan after every step and raises AssertionError when a promise is broken.

    Without `serving` nobody need hold an address: members of a group with different priorities may wait for each other.
    """

    def __init__(self, lan: Lan, serving: bool = True) -> None:
        self.lan = lan
        self.serving = serving
        self.findings = Findings()
        self._quiet_from = lan.now
        self._served_from: float | None = None  # when somebody must hold; None while not worked out
        self._latency = 0.0
        self._lives: defaultdict[str, Life] = defaultdict(Life)
        self._since: dict[tuple[str, ...], float] = {}  # since when two machines have been in a relation
        self._steps = 0
        self._calm = False  # whether nothing that lasts is to be watched: no overlap, no gap

    def disturbed(self, consequences: float = 0.0) -> None:
        """Something is done to the world; it may take so many seconds until the nodes notice."""
        self._quiet_from = max(self._quiet_from, self.lan.now + consequences)
        self._served_from = None

    def look(self) -> None:
        """Check every promise: at once for the machine that something happened to, for the others soon."""
        self._steps += 1
        touched, self.lan.touched = self.lan.touched, None
        everybody = self.lan.machines.values()
        if touched is not None:
            self._lives[touched.name].changed = self.lan.now
            self._note_answer(touched)
            if isinstance(self.lan.event, ConfigReplaced):
                self._lives[touched.name].reloaded = self.lan.now
        if touched is not None and self._steps % ALL_EVERY:
            if not self._look_at(touched, self._lives[touched.name], quick=True) and self._calm:
                return
        else:
            for machine in everybody:
                self._look_at(machine, self._lives[machine.name])
        self._calm = True
        for name in WATCHED:
            holders = [each for each in everybody if name in self._lives[each.name].holds]
            self._overlaps(name, holders)
            if self.serving:
                self._served(name, holders)
        self._writers()

    # --- one machine --------------------------------------------------------------------------------------------------

    def _look_at(self, machine: Machine, life: Life, quick: bool = False) -> bool:
        """Whether more may have changed than a timer. `quick` looks no further when it did not."""
        self._note_life(machine, life)
        now, node = machine.local(self.lan.now), machine.node
        if life.read < len(machine.effects):
            self._read(machine, life)
        elif quick and isinstance(self.lan.event, QUIET):  # a timer was set anew, and no more
            if machine.alive:
                for each in node._routers.values():
                    self._armed(machine, life, each, now)
                _on_time(machine, life, now)
            return False
        for at, address in machine.lapsed:
            self._left(machine, life, at, address)
            self.disturbed()  # who waited for this holder to fall silent may take the address now
        machine.lapsed.clear()
        life.holds.clear()
        for name, address in WATCHED.items():
            router = node._routers.get(name)
            holds = machine.powered and address in machine.kernel
            if holds:
                life.holds.add(name)
            if router is None:
                left = [each for each in node._leaving if each.handover_until is not None]
                fine = not holds or not machine.alive or any(address in each.settings.held for each in left)
                fine = fine or name not in life.tenures  # left by an earlier daemon, whose file had it
                assert fine, f"MEANT: {machine.name} has no {name} and holds its VIP"
                continue
            life.tenure(name).belongs_to(router)
            if holds:
                self._meant(machine, life, router, name)
            if machine.alive:
                self._fit(machine, life, router)
                self._armed(machine, life, router, now)
                self._released(machine, life, router, holds)
        if machine.alive:
            self._together(machine, life)
            self._guarded(machine, life)
            _on_time(machine, life, now)
        return True

    def _note_life(self, machine: Machine, life: Life) -> None:
        if machine.node is not life.daemon:
            life.daemon, life.sequence, life.mixed_since = machine.node, 0, None
            life.tenures.clear()
            life.slept, life.unwell_since = 0.0, None
            life.alive_since = self.lan.now
        alive = machine.alive
        if alive and not life.was_alive:
            life.slept = (self.lan.now - life.stood_since) * machine.rate
            life.alive_since = life.changed = self.lan.now
        if machine.healthy or not alive or machine.mute:
            life.unwell_since = None
        elif life.unwell_since is None:
            life.unwell_since = self.lan.now
        if not alive and life.was_alive:
            life.stood_since = self.lan.now
            self._since.pop(("writes", machine.name), None)
        life.was_alive = alive

    def _note_answer(self, machine: Machine) -> None:
        event = self.lan.event
        if not isinstance(event, HolderHeard) or not machine.alive:
            return
        life = self._lives[machine.name]
        for name, router in machine.node._routers.items():
            if router.state is State.BACKUP and router.ready is None and _has(router, event.address):
                tenure = life.tenure(name)
                life.answered.add(event.address.packed)
                if tenure.answered_since == NEVER:
                    tenure.answered_since = self.lan.now

    def _read(self, machine: Machine, life: Life) -> None:
        told = False
        for at, effect in machine.effects[life.read :]:
            life.changed = at
            if isinstance(effect, Announce) and effect.interface == INTERFACE:
                for frame in effect.frames:
                    if frame[28:32] == NOBODY:
                        life.asked[frame[38:42]] = at
                        life.answered.discard(frame[38:42])
            if isinstance(effect, Notify):
                told = True
                self._told(machine, life, effect)
            elif not isinstance(effect, ResetConnections):
                name = getattr(effect, "instance", "")
                router = machine.node._routers.get(name)
                if router is not None:
                    self._read_one(machine, life, router, at, effect)
            life.previous = effect
        life.read = len(machine.effects)
        if told:
            status = machine.node.snapshot(machine.local(self.lan.now))
            for each in status.instances:
                assert each.why, f"EXPLAINED: {machine.name} does not say why {each.name} is {each.state}"
            assert all(each.why for each in status.groups), f"EXPLAINED: {machine.name} says nothing of a group"

    def _read_one(self, machine: Machine, life: Life, router: VirtualRouter, at: float, effect: Effect) -> None:
        tenure, previous = life.tenure(router.settings.name), life.previous
        replaced = tenure.whose is not None and tenure.whose is not router
        renewed = replaced or router.counters.became_master > tenure.tenures
        in_force = tenure.released is None or renewed
        if isinstance(effect, SendAdvert):
            if router.state is State.MASTER and tenure.settings is router.settings:
                pause = (at - max(tenure.sent, life.alive_since)) * machine.rate
                longest = router.settings.advert_int + ROUNDING
                steady = pause <= longest or router.since > machine.local(tenure.sent)
                assert steady, f"CADENCE: {machine.name} did not advertise for {pause} s"
            began = router.since < machine.local(life.alive_since) and router.state is State.MASTER
            stale = began and life.slept > router.master_down_interval + router.settings.advert_int
            assert not stale, f"STALE: {machine.name} stood still for {life.slept} s and is MASTER still"
            tenure.sent, tenure.settings = at, router.settings
            if effect.payload[2] == const.PRIORITY_RELEASE:
                tenure.released, tenure.tenures = at, router.counters.became_master
                closed = router.settings.database is None or not machine.server.open or _is_slow(machine)
                assert closed, f"CLOSED-FIRST: {machine.name} says priority 0 and its database takes writes"
            else:
                assert in_force, f"RELEASED: {machine.name} advertised after priority 0"
        elif isinstance(effect, RenewLease):
            beside = isinstance(previous, SendAdvert) and previous.instance == effect.instance
            assert beside, f"RENEWED: {machine.name} renewed its lease without an advert beside it"
            assert in_force or tenure.released == at, f"RELEASED: {machine.name} renewed its lease after priority 0"
        elif isinstance(effect, Reconcile):
            adds = any(each.action is Action.ADD for each in effect.operations)
            fine = router.settings.database is None or _takes_writes(machine, router)
            assert fine or not adds, f"VIP-LAST: {machine.name} added the VIP before its database was open"
            assert in_force or not adds, f"RELEASED: {machine.name} added the VIP after priority 0"
            gone = tuple(each.address.address for each in effect.operations if each.action is Action.REMOVE)
            fenced = isinstance(previous, ResetConnections) and previous.addresses == gone
            assert fenced or not gone, f"FENCED: {machine.name} removed the VIP under its connections"

    def _guarded(self, machine: Machine, life: Life) -> None:
        """What is promised of a node with a database."""
        router = machine.node._routers.get("VI_1")
        if router is None or router.settings.database is None:
            return
        name, writes, server, tenure = machine.name, router.writes, machine.server, life.tenure("VI_1")
        closing, opened = router.leaving is not None, tenure.opened > NEVER
        if writes.open is not opened:
            tenure.opened = NEVER if opened else self.lan.now
        assert closing is (writes.until is not None), f"ARMED: {name} closes its database for ever"
        master = router.state is State.MASTER
        assert master or not writes.open, f"CLOSED: {name} is {router.state.value} and has its database open"
        if not master:
            asked = isinstance(server.asked, CloseWrites) or server.refused
            assert asked, f"CLOSED: {name} is {router.state.value} and has not asked for its database to be closed"
            patient = server.slowness * DRIFT + ROUNDING
            lasted = self._lasted(("writes", name), server.open and not server.clings)
            assert lasted <= patient, f"CLOSED: {name} is {router.state.value}, its database open for {lasted} s"
        else:
            self._since.pop(("writes", name), None)
        may = closing or router.handover_until is not None or (master and writes.opening) or bool(machine.waiting)
        may = may or bool(machine.node._leaving)  # one of the same name that a reload has replaced
        assert may or not machine.refusing.get("VI_1"), f"REFUSED: {name} is {router.state.value} and refuses clients"

    def _told(self, machine: Machine, life: Life, effect: Notify) -> None:
        said = dict(effect.environment)
        number, word, kind = int(said["SEQUENCE"]), said["STATE"], said["KIND"]
        assert number > life.sequence, f"TOLD: {machine.name} said {effect.line} as number {number}"
        life.sequence = number
        router = machine.node._routers.get(said.get("INSTANCE", ""))
        if kind != "INSTANCE" or router is None or word not in STATES or said["REASON"] == DELETED:
            return
        tenure, before = life.tenure(router.settings.name), said["PREVIOUS"]
        self.findings.transitions += 1
        replaced = before == "INIT" and tenure.router is not router  # by a reload, under another VRID
        last, tenure.told = tenure.told, word
        assert last == before or replaced, f"TOLD: {machine.name} was {last}, and said {word} after {before}"
        if before == "INIT":
            tenure.router = router
        assert said["REASON"], f"CAUSED: {machine.name} became {word} without a reason"
        assert (before, word) in EDGES, f"CAUSED: {machine.name} went from {before} to {word}"
        if word == "BACKUP" and before == "MASTER":
            self._gave_way(machine, router, said["REASON"])
        if word == "MASTER":
            early = self.lan.now < machine.opens - ROUNDING and not isinstance(self.lan.event, Seize)
            assert not early, f"PATIENT: {machine.name} took over in its startup_delay"
        if word == "MASTER" and before == "BACKUP" and not router.settings.owner:
            waited = machine.local(self.lan.now) - (NEVER if isinstance(self.lan.event, Seize) else tenure.followed)
            interval = tenure.interval if router.settings.version == 3 else router.settings.advert_int
            least = router.settings.down_timer_adverts * interval - ROUNDING
            assert waited >= least, f"PATIENT: {machine.name} took over {waited} s after a master that it follows"
            self._asked(machine, life, router)
        tenure.bidden, tenure.answered_since = False, NEVER
        tenure.interval = min(tenure.interval, router.settings.advert_int)  # only a BACKUP goes on with its master's

    def _asked(self, machine: Machine, life: Life, router: VirtualRouter) -> None:
        """ASKED, of one that was BACKUP and takes over now."""
        name, settings, tenure = machine.name, router.settings, life.tenure(router.settings.name)
        over = tenure.ready if tenure.ready is not None else machine.local(self.lan.now)  # its wait
        heard, priority, interval = tenure.last
        slept_until = machine.local(life.alive_since)
        ago = over - heard - (life.slept if slept_until > heard else 0.0)
        preempts = settings.preempt and priority < router.priority and ago <= SPEAKS * interval + ROUNDING
        if settings.duplicate_wait == 0 or tenure.bidden or preempts or isinstance(self.lan.event, Seize):
            return
        self.findings.asked += 1
        bound, patient = settings.duplicate_wait, (self.lan.now - tenure.answered_since) * machine.rate
        waited_out = bound is not None and tenure.answered_since > NEVER and patient >= bound - ROUNDING
        hurried = over - max(tenure.moved, machine.local(life.reloaded)) <= ASKED_WITHIN
        for each in settings.held:
            asked = life.asked.get(each.address.packed, NEVER)
            ago = over - machine.local(asked)
            fresh = asked > NEVER and over - max(machine.local(asked), slept_until) <= ASKED_WITHIN + ROUNDING
            if each.interface != INTERFACE or (hurried and not fresh):
                continue
            assert fresh, f"ASKED: {name} took over, and asked for {each.address} {ago} s ago"
            in_time = ago >= min(SOON_ENOUGH, self._interval(router, min) * 3 / 8) - ROUNDING
            assert in_time or hurried or waited_out, (
                f"ASKED: {name} took over {ago} s after it asked for {each.address}"
            )
            fine = waited_out or each.address.packed not in life.answered
            assert fine, f"ASKED: {name} took {each.address} from a host that answered for it"

    def _gave_way(self, machine: Machine, router: VirtualRouter, reason: str) -> None:
        event = self.lan.event
        meant = isinstance(event, Relinquish | WritesRefused) or _tenure_ended(machine, reason)
        if router.settings.database is not None and not (
            isinstance(event, AdvertReceived) and "received advert" in reason
        ):
            assert meant, f"CAUSED: {machine.name} gave way to nobody: {reason}"
            return
        if router.group or STOOD_STILL in reason or not isinstance(event, AdvertReceived):
            # A reload may have taken the database away from one that was asked to hand over, and is closing it.
            fine = router.group or STOOD_STILL in reason or meant
            assert fine, f"CAUSED: {machine.name} gave way to nobody: {reason}"
            return
        theirs, ours = event.payload[2], router.priority
        better = theirs > ours or (theirs == ours and event.source.packed > machine.address.packed)
        assert better, f"CAUSED: {machine.name} with priority {ours} gave way to {event.source} with {theirs}"

    def _interval(self, router: VirtualRouter, of: object) -> float:
        """The shortest (`min`) or longest (`max`) advert_int that the router may go by: version 3 adopts others'."""
        if router.settings.version == 2:
            return router.settings.advert_int
        known = [router.settings.advert_int, *self.lan.foreign_intervals]
        known += [each.settings.advert_int for one in self.lan.machines.values() for each in one.node._routers.values()]
        return min(known) if of is min else max(known)

    def _meant(self, machine: Machine, life: Life, router: VirtualRouter, name: str) -> None:
        if machine.alive:
            meant = router.state is State.MASTER or router.handover_until is not None or bool(machine.waiting)
            assert meant, f"MEANT: {machine.name} is {router.state.value} and holds the VIP"
            return
        lease = router.settings.vip_lease
        if lease is not None and machine.kernel[WATCHED[name]] is not None:
            left = life.stood_since + lease / machine.rate + KERNEL_SLACK - self.lan.now
            assert left > -ROUNDING, f"MEANT: {machine.name} stands still and holds the VIP past its lease"

    def _fit(self, machine: Machine, life: Life, router: VirtualRouter) -> None:
        settings, standing = router.settings, router.standing
        if router.state is State.MASTER:
            leaves = router.leaving is not None
            assert leaves or not standing.against, f"TRACKED: {machine.name} is MASTER although {standing.against[0]}"
            # What waits has happened, but the daemon that stood still is only being told of it.
            excused = machine.hindered or router.muted is not None or bool(machine.waiting) or not router.writes.open
            present = all(each in machine.kernel for each in settings.held)
            assert excused or present, f"PRESENT: {machine.name} is MASTER without all its addresses"
        if router.handover_until is not None and router.counters.priority_zero_sent:
            tenure = life.tenure(settings.name)
            assert tenure.sent == tenure.released, f"LEAVING: {machine.name} hands over without having said so"
        if router.stopping or router.leaving is not None or not settings.tracks:
            return
        self._noticed(machine, life)
        total = settings.priority
        for track in settings.tracks:
            health, weight = (
                machine.node._checks.tracks[track.check].health,
                -track.weight if track.reverse else track.weight,
            )
            passes = health is Health.UP
            counts = weight != 0 and (passes if track.weight > 0 else health is Health.DOWN)
            fatal = counts and weight < const.WEIGHT_MIN
            total += weight if counts and not fatal else 0
            known = machine.node._checks.tracks[track.check].at is not None
            bad = fatal or (track.weight == 0 and passes is track.reverse and known)
            assert not bad or router.state is not State.MASTER, f"TRACKED: {machine.name} is MASTER, {track} fails"
        wanted = settings.priority if settings.owner else min(max(total, const.PRIORITY_MIN), const.PRIORITY_MAX)
        assert router.priority == wanted, f"TRACKED: {machine.name} has priority {router.priority}, not {wanted}"

    def _noticed(self, machine: Machine, life: Life) -> None:
        check = machine.node.settings.checks[0]
        patience = ((check.fall + 1) * check.interval + check.timeout) * DRIFT
        if life.unwell_since is not None and self.lan.now - max(life.unwell_since, life.alive_since) > patience:
            health = machine.node._checks.tracks[check.name].health
            assert health is Health.DOWN, f"TRACKED: {machine.name} has a dead service, which is {health.value} to it"

    def _armed(self, machine: Machine, life: Life, router: VirtualRouter, now: float) -> None:
        name, event = router.settings.name, self.lan.event
        waits = router.ready is not None or router.withheld_since is not None
        runs = router.state in (State.MASTER, State.BACKUP) and not waits
        assert (router.deadline is not None) is runs, f"ARMED: {machine.name} is {router.state.value}"
        tenure = life.tenure(name)
        if isinstance(event, Invited):
            tenure.followed = NEVER
            tenure.bidden |= event.instance == name and router.state is State.BACKUP
        if router.priority != tenure.priority:
            tenure.moved = now if tenure.priority else NEVER
            tenure.priority = router.priority
        if router.ready is None:
            tenure.ready = None
        elif tenure.ready is None:
            tenure.ready = now
        if router.counters.adverts_received != tenure.heard:
            tenure.heard = router.counters.adverts_received
            if isinstance(event, AdvertReceived | AdvertOverheard) and len(event.payload) > 2:
                spoken = event.payload[2]
                tenure.bidden = not spoken and router.state is State.BACKUP
                if spoken:
                    tenure.last = now, spoken, _told_interval(event.payload)
                better = spoken >= router.priority or not router.settings.preempt
                deferred = router.preempts_at is not None and now < router.preempts_at
                follows = router.state is State.BACKUP and (better or deferred)
                if follows or not spoken:
                    tenure.followed, tenure.interval = now if spoken else NEVER, _told_interval(event.payload)
                    tenure.answered_since = NEVER
                hurries = router.state is State.BACKUP and not router.group and router.wait.hurries(now)
                if not spoken and router.deadline is not None and hurries:
                    soon = max(now, machine.local(machine.opens)) + router.skew_time + ROUNDING
                    assert router.deadline <= soon, (
                        f"LEAVING: {machine.name} waits longer after priority 0 than its skew"
                    )

    def _left(self, machine: Machine, life: Life, at: float, address: VirtualAddress) -> None:
        for router in machine.node._routers.values():
            lease = router.settings.vip_lease
            if lease is None or address not in router.settings.held or router.state is not State.MASTER:
                continue
            long = (lease + KERNEL_SLACK) * DRIFT
            opened = life.tenure(router.settings.name).opened
            since = max(life.alive_since, machine.world(router.since), self._quiet_from, opened)
            fine = at - since < long or machine.hindered or router.muted is not None or not machine.alive
            fine = fine or not router.writes.open
            assert fine, f"LEFT: the lease of {machine.name} ended under a MASTER that runs"

    def _released(self, machine: Machine, life: Life, router: VirtualRouter, holds: bool) -> None:
        tenure = life.tenures.get(router.settings.name)
        if not holds or tenure is None or tenure.released is None:
            return
        if router.counters.became_master > tenure.tenures:
            return
        held = (self.lan.now - max(tenure.released, life.alive_since)) * machine.rate
        assert held <= router.handover_bound + ROUNDING, f"RELEASED: {machine.name} keeps the VIP for {held} s"

    def _together(self, machine: Machine, life: Life) -> None:
        for group in machine.node.settings.groups:
            members = [machine.node._routers[name] for name in group.members if name in machine.node._routers]
            masters = [each for each in members if each.state is State.MASTER]
            if not masters or len(masters) == len(members):
                life.mixed_since = None
                continue
            dissent = [each.settings.name for each in members if each.state is State.FAULT or each.following]
            assert not dissent, f"TOGETHER: {machine.name} is MASTER without {dissent}"
            if life.mixed_since is None:
                life.mixed_since = self.lan.now
            since = max(life.mixed_since, self._quiet_from, life.alive_since)
            longest = max(self._wait(each) for each in members) + max(each.settings.preempt_delay for each in members)
            mixed = self.lan.now - since
            fine = mixed <= longest * DRIFT or not self.serving
            assert fine, f"TOGETHER: {machine.name} is MASTER of a part for {mixed} s"

    # --- several ------------------------------------------------------------------------------------------------------

    def _lasted(self, relation: tuple[str, ...], holds: bool) -> float:
        """How long the relation has lasted now."""
        if not holds:
            self._since.pop(relation, None)
            return 0.0
        return self.lan.now - self._since.setdefault(relation, self.lan.now)

    def _overlaps(self, name: str, holders: list[Machine]) -> None:
        if len(holders) > 1:
            self._calm = False
        else:
            if self._since:
                self._since = {key: since for key, since in self._since.items() if key[0] != name}
            return
        for one, other in combinations(self.lan.machines.values(), 2):
            self._overlap(name, one, other, one in holders and other in holders)

    def _overlap(self, name: str, one: Machine, other: Machine, both: bool) -> None:
        routers = [router for each in (one, other) if (router := each.node._routers.get(name)) is not None]
        clear = one.speaks_to(other) and other.speaks_to(one) and not self.lan.weather.loss
        both = both and clear and len(routers) == 2 and kin(routers[0].settings, routers[1].settings)
        if not both:
            self._since.pop((name, one.name, other.name), None)
            self._since.pop((name, one.name, other.name, "leased"), None)
            return
        latency = self._slowest_way()
        bound = max(max(each.settings.advert_int + latency, each.handover_bound) for each in routers) * DRIFT + ROUNDING
        if one.muzzled or other.muzzled:  # it is not heard, and lets go when a successor may be there
            bound += max(each.master_down_interval for each in routers) * DRIFT
        lasted = self._lasted((name, one.name, other.name), one.alive and other.alive)
        self.findings.overlap = max(self.findings.overlap, lasted)
        assert lasted <= bound, f"ALONE: {one.name} and {other.name} both hold the VIP for {lasted} s"
        forever = any(each.kernel[WATCHED[name]] is None for each in (one, other))  # added by hand, or without a lease
        leases = [each.settings.vip_lease for each in routers]
        woken = any(self._lives[each.name].alive_since == self.lan.now for each in (one, other))
        lasted = self._lasted((name, one.name, other.name, "leased"), not woken and not forever and None not in leases)
        longest = max(each or 0 for each in leases) * DRIFT + KERNEL_SLACK + bound
        assert lasted <= longest, f"LEASED: {one.name} and {other.name} both hold the VIP for {lasted} s"

    def _served(self, name: str, holders: list[Machine]) -> None:
        if self.lan.weather.loss or self.lan.foreign or WATCHED[name].address in self.lan.squatted:
            return
        if self.lan.now <= self._quiet_from:
            self._calm = False
            return
        machines = self.lan.machines.values()
        for machine in machines:
            router = machine.node._routers.get(name)
            if router is None or router.stopping or not machine.fit:
                continue
            held = any(each is machine or each.reaches(machine) for each in holders)
            held = held or self._torn(machine, name)
            gap = self._lasted(("gap", name, machine.name), not held)
            if held or any((each.hindered or each.thwarted) and each.reaches(machine) for each in machines):
                continue  # one that is hindered takes the VIP from its holder again and again before its kernel refuses
            self._calm = False
            left = self._patience() - self.lan.now
            assert left > 0, f"SERVED: nobody holds the VIP of {name} beside {machine.name} for {gap} s"
            self.findings.gap = max(self.findings.gap, gap)

    def _torn(self, machine: Machine, name: str) -> bool:
        """Whether another member of its group is elsewhere, with somebody who does not hold the two together."""
        own = next((set(each.members) for each in machine.node.settings.groups if name in each.members), set())
        for other in own - {name}:
            if WATCHED[other].address in self.lan.squatted:
                return True
            for rival in self.lan.machines.values():
                agrees = rival.alive and any({name, other} <= set(each.members) for each in rival.node.settings.groups)
                beats = rival is not machine and other in self._lives[rival.name].holds and rival.reaches(machine)
                if beats and not agrees:
                    return True
        return False

    def _patience(self) -> float:
        """When somebody must hold."""
        if self._served_from is None:
            routers = [each for one in self.lan.machines.values() for each in one.node._routers.values()]
            slowest = max((self._wait(each) for each in routers), default=0.0)
            starting = max((machine.opens for machine in self.lan.machines.values()), default=NEVER)
            self._served_from = max(self._quiet_from, starting) + slowest * DRIFT + self._slowest_way() + ROUNDING
            self._served_from += self._databases()
        return self._served_from

    def _wait(self, router: VirtualRouter) -> float:
        """Seconds that a BACKUP with these settings waits at most."""
        interval = self._interval(router, max)
        skew = 1.0 if router.settings.version == 2 else max(interval, 1.0)
        return router.settings.down_timer_adverts * interval + skew

    def _databases(self) -> float:
        """Seconds that opening and closing add at most: one may open, be beaten, and close while the other opens."""
        bound = [machine for machine in self.lan.machines.values() if machine.bound]
        closing = max((each.router.writes.bound(each.router.settings) for each in bound), default=0.0)
        return 2 * max((each.server.opens for each in bound), default=0.0) + closing * DRIFT

    def _writers(self) -> None:
        """WRITERS."""
        if not any(each.bound for each in self.lan.machines.values()):
            return
        writers = [each for each in self.lan.machines.values() if each.writes]
        for one, other in combinations(self.lan.machines.values(), 2):
            relation = ("writers", one.name, other.name)
            both = one in writers and other in writers and one.alive and other.alive
            clear = one.speaks_to(other) and other.speaks_to(one) and not self.lan.weather.loss
            clear = clear and not one.hindered and not other.hindered
            bound = one.bound and other.bound and kin(one.router.settings, other.router.settings)
            if not both or not clear or not bound or one.server.clings or other.server.clings:
                self._since.pop(relation, None)
                continue
            self._calm = False
            begins = relation not in self._since
            lasted = self._lasted(relation, True)
            late = _is_slow(one) or _is_slow(other)
            steady = self.lan.now > self._patience() and not self.lan.foreign
            assert not (begins and steady) or late, f"WRITERS: {one.name} and {other.name} write beside each other"
            interval = max(each.router.settings.advert_int for each in (one, other)) + self._slowest_way()
            longest = interval * DRIFT + max(each.server.slowness for each in (one, other)) + ROUNDING
            assert lasted <= longest, f"WRITERS: {one.name} and {other.name} both write for {lasted} s"
            self.findings.written = max(self.findings.written, lasted)

    def _slowest_way(self) -> float:
        self._latency = max(self._latency, self.lan.weather.delay[1])
        return self._latency

    # --- the end ------------------------------------------------------------------------------------------------------

    def settling(self) -> float:
        """Seconds until all have agreed when everything was mended just now: twice the longest wait, and the delays."""
        handover = max(each.handover_bound for each in self._routers())
        waits = (2 if self.serving else 10) * self.longest()
        databases = 2 * self._databases() + const.REFUSED_HOLD * any(each.bound for each in self.lan.machines.values())
        return self.unrest() + waits + handover * DRIFT + databases

    def longest(self) -> float:
        """Seconds that the most patient node lets pass before it does something."""
        wait, deferral = (max(map(each, self._routers())) for each in (self._wait, _deferral))
        return (wait + deferral) * DRIFT

    def unrest(self) -> float:
        """Seconds until the last that was done has been noticed, and every node has begun to wait."""
        opening = max(machine.opens for machine in self.lan.machines.values())
        return max(self._quiet_from - self.lan.now, opening - self.lan.now, 0.0)

    def _routers(self) -> list[VirtualRouter]:
        return [each for one in self.lan.machines.values() for each in one.node._routers.values()]

    def unsettled(self) -> str:
        """SETTLED: what is not as it should be; "" when all have agreed."""
        machines = list(self.lan.machines.values())
        owners = []
        grouped = [bool(each.node.settings.groups) for each in machines]
        unlike = any(grouped) and not all(grouped)
        for name, address in WATCHED.items():
            routers = {each.name: each.node._routers[name] for each in machines if name in each.node._routers}
            first = next(iter(routers.values()), None)
            if first is None or not all(kin(first.settings, each.settings) for each in routers.values()):
                continue
            holders = [each.name for each in machines if each.powered and address in each.kernel]
            if unlike and name != "VI_1" and not holders:
                continue  # who has it in a group may not take it while another node has the group's first
            if len(holders) != 1:
                return f"SETTLED: {holders} hold the VIP of {name} when everything is mended"
            owners.append(holders[0])
            writers = [each.name for each in machines if each.writes]
            if name == "VI_1" and all(each.bound for each in machines) and writers != holders:
                return f"SETTLED: {holders} holds the VIP, and {writers} write"
            for other, router in routers.items():
                worse = router.settings.preempt and router.priority > routers[holders[0]].priority
                if self.serving and worse and other not in holders:
                    return f"SETTLED: {holders[0]} holds the VIP of {name}, {other} has more right to it"
        return f"SETTLED: the members of a group are on {owners}" if all(grouped) and len(set(owners)) > 1 else ""


def _deferral(router: VirtualRouter) -> float:
    return router.settings.preempt_delay


def kin(one: InstanceSettings, other: InstanceSettings) -> bool:
    """Whether two virtual routers take each other's adverts."""
    interval = one.version == 3 or one.advert_int == other.advert_int
    same = one.identity == other.identity and one.version == other.version and one.auth_pass == other.auth_pass
    return same and interval and set(one.addresses) == set(other.addresses)


def _has(router: VirtualRouter, address: Address) -> bool:
    return any(each.address == address for each in router.settings.held)


def _takes_writes(machine: Machine, router: VirtualRouter) -> bool:
    """Whether its database was open just now: a kernel that refuses the address has it closed again at once."""
    known = router.writes.open or machine.hindered
    return known and (machine.server.open or not machine.server.alive)


def _is_slow(machine: Machine) -> bool:
    """Whether its server may not be closed within its bound."""
    bound = machine.router.writes.bound(machine.router.settings) / machine.rate
    return machine.server.clings or machine.server.slowness > bound - ROUNDING


def _tenure_ended(machine: Machine, reason: str) -> bool:
    """Whether a master went because it was asked to before, stood still, or has a rival that does not hear it."""
    asked = machine.server.asked
    closed = isinstance(asked, CloseWrites) and asked.reason == reason
    return closed or STOOD_STILL in reason or "does not hear this node" in reason


def _told_interval(payload: bytes) -> float:
    """The interval that an advert names, in seconds."""
    told = int.from_bytes(payload[4:6], "big")
    return float(told & 0xFF) if payload[0] >> 4 == 2 else (told & 0xFFF) / const.CENTISECONDS


def _on_time(machine: Machine, life: Life, now: float) -> None:
    for router in machine.node._routers.values():
        wanted = router.next_deadline()
        if wanted is not None:
            assert machine.armed <= wanted, f"ARMED: {machine.name} oversleeps"
            # A deadline may be moved into the past (by a stall, a higher priority): then it is met at this very moment.
            due_since = min(max(wanted, machine.local(life.changed)), now)
            assert due_since >= now - ROUNDING, f"ARMED: {machine.name} is late"
