"""One virtual router: the state machine of RFC 3768 section 6.4 and RFC 5798 section 6.4, with keepalived's FAULT.

                 nothing against it                     no advert for master_down_interval
       INIT ───────────────────────────▶ BACKUP ─────────────────────────────────────▶ MASTER
        │                                ▲   ▲  ◀─────────────────────────────────────    │
        │ link, address or check fails   │   │       a better master spoke, or             │
        ▼                                │   │       this process stood still              │
      FAULT ─────────────────────────────┘   └─────────────────────────────────────────────
        ▲     what was against it is gone                                                 │
        └─────────────────────────────────────────────────────────────────────────────────┘
                                  link, address or check fails

Rules of this file:
* the state changes in `_become` and nowhere else;
* the machine says what it wants of addresses (`hold`); node.py reconciles, whatever the way that led there;
* leaving MASTER on purpose (`_hand_over`) sends priority 0 at once and keeps the addresses until the successor's first
  advert, at most until the slowest successor's skew time has passed; leaving for a better master or without a network
  clears them at once;
* a MASTER that was not run for as long as a backup waits has lost its mastership, and behaves so first of all.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from pyvrrp.core import const, neighbor
from pyvrrp.core.desired import Hold
from pyvrrp.core.effects import Announce, Effect, Level, Record, RenewLease, SendAdvert
from pyvrrp.core.guard import Standing
from pyvrrp.core.receive import auth_of
from pyvrrp.core.settings import Address, InstanceSettings
from pyvrrp.core.snapshot import MasterStatus, Transition
from pyvrrp.core.wire import Advert, encode


class State(enum.Enum):
    """Where a virtual router stands; FAULT is keepalived's name for "may not take part now"."""

    INIT = "INIT"
    BACKUP = "BACKUP"
    MASTER = "MASTER"
    FAULT = "FAULT"


@dataclass(frozen=True, slots=True)
class Muted:
    """Adverts do not leave: since when, why, and whether one of this tenure ever did."""

    since: float
    reason: str
    was_heard: bool


@dataclass(slots=True)
class Counters:
    """What status shows as numbers; they only grow."""

    adverts_sent: int = 0
    adverts_received: int = 0
    priority_zero_sent: int = 0
    priority_zero_received: int = 0
    became_master: int = 0
    released_master: int = 0


# A rival with a lower priority is answered at once, but not more often than this part of the interval.
_REASSERT_PAUSE = 0.1
# ... and its clients are told anew where the address lives, but not more often than this many seconds.
_REANNOUNCE_PAUSE = 1.0


class VirtualRouter:
    """One virtual router. Every method takes `now` and returns the effects to perform, in order."""

    __slots__ = (
        "_adopted",
        "_announced_at",
        "_packet",
        "_released_by",
        "_renewal",
        "_renewed_at",
        "_sent_at",
        "_timer_at",
        "counters",
        "deadline",
        "garp_due",
        "handover_until",
        "last",
        "master",
        "moved",
        "muted",
        "rival",
        "settings",
        "since",
        "standing",
        "state",
        "stopping",
        "transitions",
    )

    def __init__(self, settings: InstanceSettings, standing: Standing, now: float) -> None:
        self.settings = settings
        self.standing = standing
        self.state = State.INIT
        self.since = now
        self.stopping = False
        self.deadline: float | None = None  # BACKUP: master down; MASTER: next advert
        self.garp_due: float | None = None
        self.handover_until: float | None = None
        self.master: MasterStatus | None = None
        self.rival: MasterStatus | None = None  # MASTER: who else is, with less right to it
        self.muted: Muted | None = None
        self.last: Transition | None = None
        self.transitions: list[Transition] = []  # for the node to take
        self.moved = False  # whether `hold` may have changed since the node last reconciled
        self.counters = Counters()
        self._timer_at = now  # when the cause of the latest tenure came up
        self._sent_at = self._renewed_at = self._announced_at = float("-inf")
        self._adopted: float | None = None  # the interval of the master that it follows
        self._released_by: Address | None = None  # who sent priority 0 since the last advert of a master
        self._packet: SendAdvert | None = None
        self._renewal: RenewLease | None = None

    # --- what it is ---------------------------------------------------------------------------------------------------

    @property
    def priority(self) -> int:
        """The effective priority: base and weights."""
        return self.standing.priority

    @property
    def skew_time(self) -> float:
        """Skew_Time in seconds (RFC 3768 section 6.1; version 3 scales it by the interval, RFC 5798 section 6.1)."""
        share = (const.SKEW_DIVISOR - self.priority) / const.SKEW_DIVISOR
        return share if self.settings.version == 2 else share * self._master_interval

    @property
    def master_down_interval(self) -> float:
        """Seconds of silence after which a BACKUP takes over (RFC 3768 section 6.1)."""
        return const.DOWN_TIMER_ADVERTS * self._master_interval + self.skew_time

    @property
    def handover_bound(self) -> float:
        """Seconds that the slowest successor may take after priority 0: the skew of priority 1, and its way here."""
        slowest = (const.SKEW_DIVISOR - const.PRIORITY_MIN) / const.SKEW_DIVISOR
        return slowest * (1.0 if self.settings.version == 2 else self.settings.advert_int) + const.HANDOVER_MARGIN

    @property
    def hold(self) -> Hold:
        """What it wants of its addresses now."""
        if self.state is State.MASTER:
            # A master that nobody hears must not renew or restore its addresses: another node is about to take them.
            return Hold.HAVE if self.muted is None else Hold.KEEP if self.muted.was_heard else Hold.CLEAR
        return Hold.KEEP if self.handover_until is not None else Hold.CLEAR

    @property
    def done(self) -> bool:
        """Whether it was stopped and has handed over."""
        return self.stopping and self.handover_until is None

    def next_deadline(self) -> float | None:
        """The earliest time at which `timer` has something to do."""
        due = [each for each in (self.deadline, self.garp_due, self.handover_until) if each is not None]
        return min(due, default=None)

    @property
    def _master_interval(self) -> float:
        """Master_Adver_Interval: version 3 adopts the master's (RFC 5798 section 6.1), version 2 has only its own."""
        if self.settings.version == 3 and self._adopted is not None:
            return self._adopted
        return self.settings.advert_int

    # --- what happens to it -------------------------------------------------------------------------------------------

    def assess(self, standing: Standing, now: float) -> list[Effect]:
        """Take a new view of link, addresses and checks."""
        effects = self.lapse(now)
        before, self.standing = self.standing, standing
        self._packet = self._renewal = None
        if self.stopping:
            return effects
        if standing.broken:
            return effects + self._break(now)
        if standing.faults:
            return effects + self._fail(now)
        if self.state in (State.INIT, State.FAULT):
            return effects if standing.waiting else effects + self._start(now)
        if standing.priority != before.priority:
            effects += self._change_priority(before.priority, now)
        return effects

    def hear(self, advert: Advert, source: Address, now: float) -> list[Effect]:
        """Take an advert that `receive.objection` had nothing against."""
        effects = self.lapse(now)
        self.counters.adverts_received += 1
        if advert.priority == const.PRIORITY_RELEASE:
            self.counters.priority_zero_received += 1
        elif self.handover_until is not None:
            effects += self._end_handover(f"{source} has taken over", now)
        if self.state is State.MASTER:
            return effects + self._hear_as_master(advert, source, now)
        if self.state is State.BACKUP:
            return effects + self._hear_as_backup(advert, source, now)
        return effects + self._note_master(advert, source, now)

    def timer(self, now: float) -> list[Effect]:
        """Do what is due by `now`."""
        effects = self.lapse(now)
        if self.handover_until is not None and now >= self.handover_until:
            effects += self._end_handover("no successor has spoken", now)
        if self.deadline is not None and now >= self.deadline:
            if self.state is State.MASTER:
                effects += self._advertise_on_time(now)
            elif now - self.deadline >= self._master_interval:
                effects += self._listen_again(now)
            else:
                effects += self._take_over(self._silence(now), self.deadline, now)
        if self.garp_due is not None and now >= self.garp_due:
            self.garp_due = None
            effects += self.announce(now)
        return effects

    def continue_handover(self, before: VirtualRouter) -> None:
        """Begin with the addresses that an earlier life of the same virtual router is handing over."""
        self.handover_until, self._sent_at = before.handover_until, before._sent_at

    def advert_failed(self, reason: str, now: float) -> None:
        """An advert did not leave."""
        if self.muted is None:
            self.muted = Muted(now, reason, was_heard=self._sent_at > self.since)
            self.moved = True

    def silenced(self, now: float) -> bool:
        """Whether as many adverts in a row have not left as a backup waits for: it is about to take over."""
        if self.muted is None:
            return False
        return now - self.muted.since > (const.DOWN_TIMER_ADVERTS - 1.5) * self.settings.advert_int

    def advert_passed(self) -> None:
        """Adverts leave again."""
        self.muted = None
        self.moved = True

    def stop(self, reason: str, now: float) -> list[Effect]:
        """Leave for good; `done` tells when what was held has been handed over."""
        effects = self.lapse(now)
        self.stopping = True
        if self.state is State.MASTER and self.muted is None:  # else nobody would hear the priority 0
            return effects + self._hand_over(State.INIT, reason, now)
        if self.state is not State.INIT:
            effects += self._become(State.INIT, reason, now)
        return effects

    def reconfigure(self, settings: InstanceSettings, standing: Standing, now: float) -> list[Effect]:
        """Go on under new settings of the same interface, VRID and version; a state that is still right stays."""
        effects = self.lapse(now)
        before, self.settings = self.settings, settings
        if settings != before:
            self._renewed_at = float("-inf")  # the kernel still counts the old lease
        effects += self.assess(standing, now)
        if settings.advert_int != before.advert_int and self.state is State.BACKUP:
            self.deadline = now + self.master_down_interval
        if settings != before and self.state is State.MASTER:
            effects += self._advertise(now)
            self.deadline = now + settings.advert_int
        return effects

    def lapse(self, now: float) -> list[Effect]:
        """A MASTER that was not run for a master-down interval has been replaced, if there was anybody to do it."""
        if self.state is not State.MASTER or self.deadline is None:
            return []
        silent = now - (self.deadline - self.settings.advert_int)
        if silent <= self.master_down_interval:
            return []
        reason = f"this process stood still for {silent:.2f} s: another node may be master by now"
        return self._become_backup(reason, now)

    def addresses_live(self, now: float) -> list[Effect]:
        """The kernel holds addresses that were missing: tell the link, now and once more later."""
        if self.state is not State.MASTER or self.muted is not None:
            return []
        if self.last is not None and self.last.vip_live is None:
            self.last = replace(self.last, vip_live=now - self._timer_at)
        self.garp_due = now + self.settings.garp_master_delay if self.settings.garp_master_delay else None
        return self.announce(now)

    def announce(self, now: float) -> list[Effect]:
        """Gratuitous ARP for every address of this router, repeated as configured."""
        if self.muted is not None:  # nobody hears our adverts, so clients belong to another
            return []
        self._announced_at = now
        frames = [neighbor.gratuitous_arp(self.standing.mac, each.address) for each in self.settings.addresses]
        return [Announce(self.settings.interface, tuple(frames) * self.settings.garp_master_repeat)]

    # --- becoming -----------------------------------------------------------------------------------------------------

    def _become(self, state: State, reason: str, now: float) -> list[Effect]:
        """The one place where the state changes."""
        old, self.state, self.since = self.state, state, now
        if old is State.MASTER:
            self.counters.released_master += 1
        self.deadline = self.garp_due = None
        if state is not State.BACKUP:
            self._adopted = None
        self.moved = True
        self.muted = self.rival = None
        self.last = Transition(now, self.settings.name, old.value, state.value, reason)
        self.transitions.append(self.last)
        init = " (init)" if old is State.INIT and state is State.BACKUP else ""
        if self.stopping:
            return [self._record(f"leaving {old.value} STATE: {reason}", Level.NOTICE, state)]
        return [
            self._record(f"Entering {state.value} STATE{init}", Level.NOTICE, state),
            self._record(reason, Level.WARNING if state is State.FAULT else Level.NOTICE),
        ]

    def _start(self, now: float) -> list[Effect]:
        """INIT or FAULT with nothing against it any more (RFC 3768 section 6.4.1)."""
        if self.settings.owner:
            return self._take_over("priority 255: this node owns the address", now, now)
        back = "nothing is against it any more" if self.state is State.FAULT else "link, address and checks are fine"
        return self._become_backup(back, now)

    def _become_backup(self, reason: str, now: float) -> list[Effect]:
        effects = self._become(State.BACKUP, reason, now)
        self.deadline = now + self.master_down_interval
        return effects

    def _take_over(self, reason: str, due: float, now: float) -> list[Effect]:
        """BACKUP or an owner's INIT to MASTER (RFC 3768 section 6.4.2): the advert first, addresses after it."""
        records = self._become(State.MASTER, reason, now)
        self._timer_at = due
        # Addresses that are about to be added have a fresh lease; those kept since a handover an old one.
        self._renewed_at = now if self.handover_until is None else float("-inf")
        self._announced_at = now  # not before the kernel holds the addresses: addresses_live does that
        self.master = self.handover_until = self._released_by = None
        self.counters.became_master += 1
        self.deadline = now + self.settings.advert_int
        return [*self._advertise(now), *records]

    def _listen_again(self, now: float) -> list[Effect]:
        """A BACKUP that was not run at its time has slept, maybe through a living master's adverts: one more wait."""
        late = now - (self.deadline or now)
        self.deadline = now + self._master_interval + self.skew_time
        text = f"this process stood still for {late:.2f} s: listening for another {self.deadline - now:.2f} s"
        return [self._record(text, Level.WARNING)]

    def _yield(self, reason: str, now: float) -> list[Effect]:
        """A better master spoke: BACKUP, and the addresses go at once (RFC 3768 section 6.4.3)."""
        return self._become_backup(reason, now)

    def _break(self, now: float) -> list[Effect]:
        """No network left: FAULT, with nobody to hand over to."""
        effects: list[Effect] = []
        self.handover_until = None
        self.moved = True
        if self.state is not State.FAULT:
            effects = self._become(State.FAULT, "; ".join(self.standing.broken), now)
        return effects

    def _fail(self, now: float) -> list[Effect]:
        """Not fit to serve: FAULT, handing over first when it is MASTER."""
        reason = "; ".join(self.standing.faults)
        if self.state is State.MASTER and self.muted is None:
            return self._hand_over(State.FAULT, reason, now)
        return [] if self.state is State.FAULT else self._become(State.FAULT, reason, now)

    def _hand_over(self, state: State, reason: str, now: float) -> list[Effect]:
        """Leave MASTER on purpose: priority 0 at once, the addresses stay until the successor speaks."""
        self._packet = self._advert_effect(const.PRIORITY_RELEASE)
        released = self._advertise(now)
        self._packet = None
        self.counters.priority_zero_sent += 1
        records = self._become(state, reason, now)
        self.handover_until = now + self.handover_bound
        return [*released, self._record("sent 0 priority"), *records]

    def _end_handover(self, reason: str, now: float) -> list[Effect]:
        took = now - self._sent_at  # priority 0 was the last advert
        self.handover_until = None
        self.moved = True
        return [self._record(f"removing VIPs: {reason} {took * 1e3:.0f} ms after priority 0", Level.NOTICE)]

    # --- adverts ------------------------------------------------------------------------------------------------------

    def _hear_as_master(self, advert: Advert, source: Address, now: float) -> list[Effect]:
        """RFC 3768 section 6.4.3."""
        if advert.priority == const.PRIORITY_RELEASE:
            self.deadline = now + self.settings.advert_int
            return self._advertise(now)
        if advert.priority > self.priority:
            self._follow(advert, source, now)
            reason = (
                f"Master received advert from {source} with higher priority {advert.priority}, ours {self.priority}"
            )
            return self._yield(reason, now)
        ours = self.standing.source
        if advert.priority == self.priority and ours is not None and source.packed > ours.packed:
            self._follow(advert, source, now)
            reason = (
                f"Master received advert from {source} with same priority {advert.priority} "
                f"but higher IP address than ours"
            )
            return self._yield(reason, now)
        self.rival = MasterStatus(source, advert.priority, advert.seconds, now)
        rival = f"Received advert from {source} with lower priority {advert.priority}, ours {self.priority}"
        return self._reassert(self._record(f"{rival}, forcing new election", Level.WARNING), now)

    def _reassert(self, record: Record, now: float) -> list[Effect]:
        """Answer a rival that should yield: an advert at once, and the link is told again who holds, now and later.

        Both at a bounded rate. The later announcement follows the rival's last advert: clients may believe the rival.
        """
        effects: list[Effect] = []
        if now - self._sent_at >= self.settings.advert_int * _REASSERT_PAUSE:
            effects += self._advertise(now)
        if now - self._announced_at >= _REANNOUNCE_PAUSE:
            effects += [*self.announce(now), record]
        if self.settings.garp_master_delay:
            self.garp_due = now + self.settings.garp_master_delay
        return effects

    def _hear_as_backup(self, advert: Advert, source: Address, now: float) -> list[Effect]:
        """RFC 3768 section 6.4.2."""
        if advert.priority == const.PRIORITY_RELEASE:
            self._released_by = source
            self.deadline = now + self.skew_time
            return [self._record(f"Backup received priority 0 advertisement from {source}", Level.INFO)]
        if advert.priority >= self.priority or not self.settings.preempt:
            effects = self._follow(advert, source, now)
            self.deadline = now + self.master_down_interval
            return effects
        known = self.master is not None and self.master.address == source
        self._note_master(advert, source, now)
        if known:
            return []
        return [self._record(f"received lower priority ({advert.priority}) advert from {source} - discarding")]

    def _follow(self, advert: Advert, source: Address, now: float) -> list[Effect]:
        """Accept the sender as master; version 3 takes over its interval (RFC 5798 sections 6.4.2 and 6.4.3)."""
        self._adopted = advert.seconds
        return self._note_master(advert, source, now)

    def _note_master(self, advert: Advert, source: Address, now: float) -> list[Effect]:
        """Remember who was heard; a record when it is somebody new."""
        if advert.priority == const.PRIORITY_RELEASE:
            return []
        self._released_by = None
        before = self.master
        self.master = MasterStatus(source, advert.priority, advert.seconds, now)
        if before is not None and before.address == source:
            return []
        return [self._record(f"master is {source} with priority {advert.priority}")]

    def _silence(self, now: float) -> str:
        """Why it takes over, in numbers."""
        if self._released_by is not None:
            return f"{self._released_by} sent priority 0"
        if self.master is None:
            return f"no advert from anybody for {now - self.since:.2f} s"
        ago = now - self.master.heard
        sender = f"{self.master.address} (priority {self.master.priority})"
        if self.settings.preempt and self.master.priority < self.priority and ago < self.master_down_interval:
            return f"{sender} is master with a lower priority than ours, {self.priority}"
        return f"no advert from {sender} for {ago:.2f} s"

    def _advertise_on_time(self, now: float) -> list[Effect]:
        """The periodic advert. Its cadence does not drift, and never makes up for lost time in a burst."""
        due = now if self.deadline is None else self.deadline
        following = due + self.settings.advert_int
        self.deadline = following if following > now else now + self.settings.advert_int
        return self._advertise(now)

    def _advertise(self, now: float) -> list[Effect]:
        """An advert, and beside it the renewal of the lease."""
        if self._packet is None:
            self._packet = self._advert_effect(self.priority)
        if self._packet is None:
            return []
        self.counters.adverts_sent += 1
        self._sent_at = now
        if not self._renewal_due(now):
            return [self._packet]
        if self._renewal is None:
            self._renewal = RenewLease(self.settings.name, self.settings.addresses, self.settings.vip_lease or 0)
        self._renewed_at = now
        return [self._packet, self._renewal]

    def _renewal_due(self, now: float) -> bool:
        """Fast adverts need not renew each time: a quarter of the lease leaves three more turns."""
        lease = self.settings.vip_lease
        return lease is not None and now - self._renewed_at >= lease / 4

    def _advert_effect(self, priority: int) -> SendAdvert | None:
        source = self.standing.source
        if source is None:
            return None
        settings = self.settings
        auth_type, auth_data = auth_of(settings)
        advert = Advert(
            settings.version,
            settings.virtual_router_id,
            priority,
            round(settings.advert_int * const.CENTISECONDS),
            tuple(virtual.address for virtual in settings.addresses),
            auth_type,
            auth_data,
        )
        payload = encode(advert, source, const.GROUP_IPV4)
        return SendAdvert(settings.name, settings.interface, source, const.GROUP_IPV4, payload)

    def _change_priority(self, before: int, now: float) -> list[Effect]:
        """A weight came or went: a MASTER says so at once, a BACKUP's wait follows the new skew."""
        text = f"Changing effective priority from {before} to {self.priority}"
        effects: list[Effect] = [self._record(text, Level.NOTICE)]
        if self.state is State.MASTER:
            effects = [*self._advertise(now), *effects]
        elif self.deadline is not None:
            self.deadline += (
                (before - self.priority)
                / const.SKEW_DIVISOR
                * (1.0 if self.settings.version == 2 else self._master_interval)
            )
        return effects

    def _record(self, text: str, level: Level = Level.INFO, state: State | None = None) -> Record:
        name = self.settings.name
        return Record(level, name, text, state.value if state else "")
