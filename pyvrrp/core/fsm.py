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
* the machine says what it wants of addresses (`hold`); addresses.py reconciles, whatever the way that led there;
* leaving MASTER on purpose (`_hand_over`) sends priority 0 at once and keeps the addresses until the successor's first
  advert, at most until the slowest successor's skew time has passed; leaving for a better master or without a network
  clears them at once;
* a MASTER that was not run for as long as a backup waits has lost its mastership, and behaves so first of all;
* with a database (core/writes.py) a MASTER has its addresses only while writes are open, and one that leaves on purpose
  first lets them be closed; a BACKUP whose database speaks against it does not take over, however long the silence;
* how long a BACKUP waits, and whether the end of that is a takeover, is core/wait.py's; a sync group (core/group.py)
  decides for its members, when all are `ready`;
* what keepalived says in a log is said in its words, at DEBUG where keepalived wants -D; our own cause follows.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from pyvrrp.core import const, lines, notify
from pyvrrp.core.advertise import Advertiser, Muted
from pyvrrp.core.announce import Announcer
from pyvrrp.core.desired import Hold
from pyvrrp.core.duplicate import Duplicates
from pyvrrp.core.effects import Effect, Invite, Level, Record, SendAdvert
from pyvrrp.core.guard import Standing
from pyvrrp.core.notify import News, Notifier
from pyvrrp.core.settings import Address, InstanceSettings
from pyvrrp.core.snapshot import MasterStatus, Transition
from pyvrrp.core.wait import Wait
from pyvrrp.core.wire import Advert
from pyvrrp.core.writes import Terms, Writes


class State(enum.Enum):
    """Where a virtual router stands; FAULT is keepalived's name for "may not take part now"."""

    INIT = "INIT"
    BACKUP = "BACKUP"
    MASTER = "MASTER"
    FAULT = "FAULT"


@dataclass(slots=True)
class Counters:
    """What status shows as numbers; they only grow."""

    adverts_sent: int = 0
    adverts_received: int = 0
    priority_zero_sent: int = 0
    priority_zero_received: int = 0
    became_master: int = 0
    released_master: int = 0


_NEVER = float("-inf")

# A rival with a lower priority is answered at once, but not more often than this part of the interval.
_REASSERT_PAUSE = 0.1
# ... and told of to log and scripts, but not more often than this many seconds.
_COMPLAINT_PAUSE = 1.0


class VirtualRouter:
    """One virtual router. Every method takes `now` and returns the effects to perform, in order.

    `opens` is when a BACKUP begins to wait (vrrp_startup_delay, vrrp_delay_after_boot). `terms` counts what is asked of
    databases, over all the lives of an instance.
    """

    __slots__ = (
        "_advertiser",
        "_announcer",
        "_complained_at",
        "_group_bound",
        "_next_advert",
        "_notifier",
        "_timer_at",
        "_was_kept_waiting",
        "counters",
        "duplicates",
        "group",
        "handover_until",
        "last",
        "leaving",
        "moved",
        "rival",
        "settings",
        "since",
        "standing",
        "state",
        "stopping",
        "transitions",
        "wait",
        "writes",
    )

    def __init__(
        self,
        settings: InstanceSettings,
        standing: Standing,
        now: float,
        notifier: Notifier,
        opens: float = _NEVER,
        terms: Terms | None = None,
    ) -> None:
        self.settings = settings
        self.standing = standing
        self.state = State.INIT
        self.since = now
        self.stopping = False
        self.group = ""  # the sync group that it is in
        self.handover_until: float | None = None
        self.leaving: str | None = None  # MASTER: why, while its database is being closed
        self.writes = Writes(settings, terms or Terms())
        self.rival: MasterStatus | None = None  # MASTER: who else is, with less right to it
        self.last: Transition | None = None
        self.transitions: list[Transition] = []  # for the node to take
        self.moved = False  # whether `hold` may have changed since the node last reconciled
        self.counters = Counters()
        self.duplicates = Duplicates()
        self.wait = Wait(opens, self.duplicates)
        self._advertiser, self._announcer = Advertiser(), Announcer()
        self._notifier = notifier
        self._group_bound = 0.0
        self._next_advert: float | None = None  # MASTER: when it is due
        self._timer_at: float  # when the cause of the tenure came up; there is none before the first
        self._complained_at = _NEVER
        self._was_kept_waiting = False  # by a check that had not reported

    # --- what it is ---------------------------------------------------------------------------------------------------

    @property
    def priority(self) -> int:
        """The effective priority: base and weights."""
        return self.standing.priority

    @property
    def skew_time(self) -> float:
        """Skew_Time in seconds."""
        return self.wait.skew(self.settings, self.standing)

    @property
    def master_down_interval(self) -> float:
        """Seconds of silence after which a BACKUP takes over."""
        return self.wait.down(self.settings, self.standing)

    @property
    def slowest_successor(self) -> float:
        """Seconds that a successor may take after priority 0: the skew of priority 1, and its way here."""
        slowest = (const.SKEW_DIVISOR - const.PRIORITY_MIN) / const.SKEW_DIVISOR
        return slowest * (1.0 if self.settings.version == 2 else self.settings.advert_int) + const.HANDOVER_MARGIN

    @property
    def handover_bound(self) -> float:
        """Seconds that handing over may take: in a sync group the successor waits for all members."""
        return max(self.slowest_successor, self._group_bound) + self.writes.bound(self.settings)

    @property
    def hold(self) -> Hold:
        """What it wants of its addresses now."""
        if self.state is State.MASTER:
            if not self.writes.open:
                return Hold.KEEP
            # A master that nobody hears must not renew or restore its addresses: another node is about to take them.
            return Hold.HAVE if self.muted is None else Hold.KEEP if self.muted.was_heard else Hold.CLEAR
        return Hold.KEEP if self.handover_until is not None else Hold.CLEAR

    @property
    def done(self) -> bool:
        """Whether it was stopped and has handed over."""
        return self.stopping and self.handover_until is None and self.leaving is None

    @property
    def deaf(self) -> bool:
        """Whether it gives way to nobody (owner_ignore_adverts); the end of a handover it does want to hear."""
        ignores = self.settings.owner and self.settings.owner_ignore_adverts
        return ignores and self.state in (State.BACKUP, State.MASTER) and self.handover_until is None

    @property
    def garp_due(self) -> float | None:
        """When it announces its addresses next."""
        return self._announcer.due

    @property
    def deadline(self) -> float | None:
        """MASTER: when the next advert is due; BACKUP: when its master counts as down."""
        return self._next_advert if self.state is State.MASTER else self.wait.until

    @property
    def master(self) -> MasterStatus | None:
        """The other one that was heard last."""
        return self.wait.heard.master

    @property
    def following(self) -> bool:
        """BACKUP: whether it heard a master that it gives way to."""
        return self.wait.heard.following

    @property
    def ready(self) -> float | None:
        """BACKUP in a sync group: when its wait was over."""
        return self.wait.ready

    @property
    def withheld_since(self) -> float | None:
        """BACKUP: its wait was over then, and something spoke against it."""
        return self.wait.withheld_since

    @property
    def withheld(self) -> tuple[str, ...]:
        """BACKUP: what keeps it from taking over although nobody is heard."""
        return self.wait.withheld(self.settings, self.standing)

    @property
    def preempts_at(self) -> float | None:
        """BACKUP: until when a worse master is left alone (preempt_delay)."""
        return self.wait.preempts_at

    @property
    def muted(self) -> Muted | None:
        """That adverts do not leave."""
        return self._advertiser.muted

    @property
    def rest(self) -> State:
        """What it is when it is not MASTER, however long closing a database lets it wait for that."""
        if self.stopping:
            return State.INIT
        return State.FAULT if self.standing.against else State.BACKUP

    @property
    def _announces(self) -> bool:
        """MASTER: whether its addresses may be here, and others are to know it."""
        return self.muted is None and not self.writes.opening

    def next_deadline(self) -> float | None:
        """The earliest time at which `timer` has something to do."""
        waited = self.wait.next_deadline(self.settings, self.standing)
        times = (self._next_advert, waited, self._announcer.due, self.handover_until, self.writes.until)
        due = [each for each in times if each is not None]
        return min(due, default=None)

    # --- what happens to it -------------------------------------------------------------------------------------------

    def assess(self, standing: Standing, now: float) -> list[Effect]:
        """Take a new view of link, addresses and checks."""
        effects = self.lapse(now)
        before, self.standing = self.standing, standing
        self._advertiser.forget()
        if self.stopping:
            return effects
        if standing.priority != before.priority and self.state is not State.INIT:
            effects += self._change_priority(before.priority, now)
        if standing.broken:
            return effects + self._break(now)
        if standing.faults:
            return effects + self._fail(now)
        if self.state in (State.INIT, State.FAULT) and not standing.waiting:
            return effects + self._start(now)
        self.wait.reconsider(self.settings, self.standing, now)
        self._was_kept_waiting = not standing.unseen
        if self.state is State.INIT:  # whatever it waits for: an earlier daemon may have left the database open
            return self._close_writes("it is INIT")
        return effects

    def hear(self, advert: Advert, source: Address, now: float) -> list[Effect]:
        """Take an advert that `receive.objection` had nothing against."""
        effects = self.lapse(now)
        self.counters.adverts_received += 1
        if advert.priority == const.PRIORITY_RELEASE:
            self.counters.priority_zero_received += 1
        elif self.handover_until is not None and self.settings.database is None:
            effects += self._end_handover(f"{source} has taken over", now)
        if self.state is State.MASTER:
            return effects + self._hear_as_master(advert, source, now)
        if self.state is State.BACKUP:
            return effects + self._hear_as_backup(advert, source, now)
        return effects + self.wait.heard.note(self.settings.name, advert, source, now)

    def timer(self, now: float) -> list[Effect]:
        """Do what is due by `now`."""
        effects = self.lapse(now)
        if self.writes.until is not None and now >= self.writes.until:
            late = f"THE DATABASE IS NOT CLOSED: no answer within {self.writes.bound(self.settings):.2f} s"
            effects += [self._record(late, Level.ERROR), *self._end_closing(now)]
        if self.handover_until is not None and now >= self.handover_until:
            effects += self._end_handover("no successor has spoken", now)
        if self.state is State.BACKUP:
            effects += self._wait_on(now)
        elif self._next_advert is not None and now >= self._next_advert:
            effects += self._advertise_on_time(self._next_advert, now)
            effects += self.duplicates.ask_in_passing(self.settings, self.standing.macs, now)
        if self.garp_due is not None and now >= self.garp_due:
            bursts = self._announcer.timer(self.settings, self.standing, now)
            effects += bursts if self._announces else []
        return effects

    def claimed(self, address: Address, mac: bytes, now: float) -> list[Effect]:
        """Another host says that it has one of the addresses."""
        effects = self.lapse(now)
        if self.handover_until is not None and self.settings.database is not None:
            # The successor's advert came before its database was open; until it has the address this one refuses.
            effects += self._end_handover(f"{mac.hex(':')} has {address}", now)
        if self.state is State.BACKUP:
            self.duplicates.heard(address, mac, now)
        elif self.state is State.MASTER and not self.writes.opening:  # else nothing is here to be had twice
            again = self.duplicates.contested(self.settings, address, mac, self.since, now)
            effects += self.duplicates.complaint(self.settings, address, mac, now)
            if again and self.muted is None:
                effects += self._announcer.contested(self.settings, self.standing, now)
        return effects

    def rival_fell_silent(self, now: float) -> list[Effect]:
        """Somebody whose adverts were turned away speaks no more: whoever believed it is told who has the addresses."""
        if self.state is not State.MASTER or not self._announces:
            return []
        return self._announcer.contested(self.settings, self.standing, now)

    def take_over(self, due: float, now: float) -> list[Effect]:
        """The whole sync group is ready since `due`."""
        return self._take_over(self._silence(now), due, now)

    def writes_opened(self, term: int, detail: str, now: float) -> list[Effect]:
        """The database has all that was received, and takes writes: the addresses may come."""
        effects = self.lapse(now)
        if self.state is not State.MASTER or not self.writes.awaits_opening(term):
            return effects
        self.moved = True
        return [self._record(f"the database is open: {detail}", Level.NOTICE), *self.writes.opened()]

    def writes_refused(self, term: int, reason: str, now: float) -> list[Effect]:
        """The database is not fit to be opened: the claim is given up."""
        effects = self.lapse(now)
        if self.state is not State.MASTER or not self.writes.may_be_refused(term):
            return effects
        text = f"the database was not opened: {reason}"
        self.wait.refused(now)
        return [self._record(text, Level.ERROR), *self._end_tenure(text, now)]

    def writes_closed(self, term: int, detail: str, now: float, *, complete: bool) -> list[Effect]:
        """The database takes no more writes, or `complete` is False and what can be done was done."""
        effects = self.lapse(now)
        if not self.writes.current(term):
            return effects
        text = f"the database is closed: {detail}" if complete else f"THE DATABASE IS NOT CLOSED: {detail}"
        record = self._record(text, Level.NOTICE if complete else Level.ERROR)
        return [*effects, record, *(self._end_closing(now) if self.writes.until is not None else ())]

    def invited(self, by: str, now: float) -> list[Effect]:
        """The node `by` says that it has handed over: what priority 0 says, and nobody need wait for skew."""
        effects = self.lapse(now)
        if self.state is State.BACKUP:
            self.wait.invite(by, self.settings, self.standing, now)
        return effects

    def vacant(self, by: str, now: float) -> list[Effect]:
        """The node `by` says that it is not master, and nobody is: then silence is no riddle (on_silence)."""
        effects = self.lapse(now)
        self.wait.vacate(by, self.settings, self.standing, now)
        return effects

    def relinquish(self, reason: str, now: float) -> list[Effect]:
        """A MASTER is asked to hand over, or its sync group goes back to BACKUP."""
        effects = self.lapse(now)
        if self.state is not State.MASTER:
            return effects
        return self._leave(reason, now) if self.muted is None else self._give_up(reason, now)

    def seize(self, reason: str, now: float) -> list[Effect]:
        """A BACKUP is ordered to take over, whatever speaks against its database; not beside a living master."""
        effects, master = self.lapse(now), self.master
        lives = self.following and master is not None and now - master.heard < self.master_down_interval
        if self.state is State.BACKUP and not lives:
            return effects + self._take_over(reason, now, now, forced=True)
        why = f"{master.address} is master" if lives and master is not None else f"it is {self.state.value}"
        return [*effects, self._record(f"not taking over by order: {why}", Level.WARNING)]

    def join(self, group: str, bound: float) -> None:
        """It is in a sync group from now on, whose slowest member may take `bound` seconds to hand over."""
        self.group, self._group_bound = group, bound

    def leave_group(self, now: float) -> None:
        """It stands for itself again."""
        self.group, self._group_bound = "", 0.0
        self.wait.leave_group(now)

    def continue_handover(self, before: VirtualRouter) -> None:
        """Begin with the addresses that an earlier life of the same virtual router is handing over."""
        self.handover_until, self._advertiser.sent_at = before.handover_until, before._advertiser.sent_at

    def replace(self, before: VirtualRouter) -> None:
        """The same, in the place of that earlier life: what it does not come to is for this one."""
        self.continue_handover(before)
        self.writes.inherit(before.writes)

    def stay(self) -> None:
        """It was to leave for good, and is wanted again."""
        self.stopping = False

    def advert_failed(self, reason: str, now: float) -> None:
        """An advert did not leave."""
        self.moved |= self._advertiser.failed(reason, self.since, now)

    def silenced(self, now: float) -> bool:
        """Whether as many adverts in a row have not left as a backup waits for: it is about to take over."""
        return self._advertiser.silenced(self.settings, now)

    def advert_passed(self) -> None:
        """Adverts leave again."""
        self._advertiser.muted = None
        self.moved = True

    def stop(self, reason: str, now: float, word: str = notify.STOP) -> list[Effect]:
        """Leave for good; `done` tells when what was held has been handed over. `word` is what is told."""
        effects = self.lapse(now)
        if self.stopping:
            return effects
        self.stopping, before = True, self.state
        if self.state is State.MASTER and self.muted is None:  # else nobody would hear the priority 0
            effects += self._leave(reason, now)
        elif self.state is not State.INIT:
            effects += self._become(State.INIT, reason, now)
        return [*effects, self._tell(word, before, reason)]

    def reconfigure(self, settings: InstanceSettings, standing: Standing, now: float) -> list[Effect]:
        """Go on under new settings; a state that is still right stays. A MASTER's may even have another VRID."""
        effects = self.lapse(now)
        before, self.settings = self.settings, settings
        if settings != before:
            self._advertiser.leased()  # the kernel still counts the old lease
        takes = self.state is State.MASTER and self.leaving is None
        effects += self.writes.follow(before, settings, master=takes)
        if self.leaving is not None and self.writes.until is None:  # another database, or none, is not waited for
            effects += self._end_closing(now)
        effects += self.assess(standing, now)
        timers = [(each.advert_int, each.down_timer_adverts, each.version) for each in (before, settings)]
        if timers[0] != timers[1] and self.wait.until is not None:
            self.wait.begin(settings, standing, now)
        if settings != before and self.state is State.MASTER:
            effects += self._advertise(now)
            self._next_advert = now + settings.advert_int
            self._announcer.refresh(settings, now)
        return effects

    def lapse(self, now: float) -> list[Effect]:
        """A MASTER that was not run for a master-down interval has been replaced, if there was anybody to do it."""
        if self._next_advert is None:
            return []
        silent = now - (self._next_advert - self.settings.advert_int)
        if silent <= self.master_down_interval:
            return []
        reason = f"this process stood still for {silent:.2f} s: another node may be master by now"
        return self._give_up(reason, now)

    def addresses_live(self, now: float) -> list[Effect]:
        """The kernel holds addresses that were missing: tell the link, now and once more later."""
        if self.state is not State.MASTER or self.muted is not None:
            return []
        if self.last is not None and self.last.vip_live is None:
            self.last = replace(self.last, vip_live=now - self._timer_at)
        return self._announcer.live(self.settings, self.standing, now)

    # --- becoming -----------------------------------------------------------------------------------------------------

    def _become(self, state: State, reason: str, now: float, *, said: bool = False) -> list[Effect]:
        """The one place where the state changes. `said`: the reason was in the log already, as keepalived does it."""
        old, self.state, self.since = self.state, state, now
        if old is State.MASTER:
            self.counters.released_master += 1
        self._next_advert = self.leaving = self.rival = self._advertiser.muted = None
        self.wait.reset(follows=state is State.BACKUP)
        self.moved = True
        asked = self._close_writes(reason) if state is not State.MASTER else []
        self._announcer.end()
        self.last = Transition(now, self.settings.name, old.value, state.value, reason)
        self.transitions.append(self.last)
        clears = old in (State.INIT, State.MASTER) and state is not State.MASTER and self.handover_until is None
        cleared = lines.removing(self.settings) if clears else []
        if self.stopping:
            return [self._record(f"leaving {old.value} STATE: {reason}", Level.NOTICE, state), *cleared, *asked]
        cause = [] if said else [self._record(reason, Level.WARNING if state is State.FAULT else Level.NOTICE)]
        entering = [*self._entering(old), *cause]
        begins = old is State.INIT and state is State.BACKUP  # keepalived clears before it says so
        said_first = [*cleared, *entering] if begins else [*entering, *cleared]
        return [*said_first, *asked, self._tell(state.value, old, reason)]

    def _close_writes(self, reason: str) -> list[Effect]:
        """Whatever is not MASTER has no writes; refusals end with the addresses."""
        asked = self.writes.close(self.settings, reason)
        return asked if self.handover_until is not None else [*asked, *self.writes.over()]

    def _entering(self, old: State) -> list[Effect]:
        if old is State.INIT and self.state is State.FAULT:
            return lines.beginning_in_fault(self.settings, self.standing.against)
        init = old is State.INIT and self.state is State.BACKUP and not self._was_kept_waiting
        return [lines.entering(self.settings, self.state.value, init)]

    def _start(self, now: float) -> list[Effect]:
        """INIT or FAULT with nothing against it any more (RFC 3768 section 6.4.1)."""
        if self.settings.owner and not self.group and self.wait.opens(now) == now:
            timeout = self._debug(lines.TIMEOUT)
            return [timeout, *self._take_over("priority 255: this node owns the address", now, now)]
        back = "nothing is against it any more" if self.state is State.FAULT else "link, address and checks are fine"
        effects = self._become_backup(back, now)
        if self.settings.owner:
            self.wait.until = self.wait.opens(now)
        return effects

    def _give_up(self, reason: str, now: float, *, said: bool = False) -> list[Effect]:
        """A MASTER is none any more: BACKUP, unless it was about to become something else."""
        if self.rest is State.BACKUP:
            return self._become_backup(reason, now, said=said)
        return self._become(self.rest, reason, now, said=said)

    def _become_backup(self, reason: str, now: float, *, said: bool = False) -> list[Effect]:
        effects = self._become(State.BACKUP, reason, now, said=said)
        self.wait.begin(self.settings, self.standing, now)
        return effects

    def _wait_on(self, now: float) -> list[Effect]:
        """BACKUP: what is due of its wait. One that was not run at its time has slept, and listens again."""
        effects = self.wait.ask(self.settings, self.standing, now)
        due = self.wait.until
        if due is None or now < due:
            return effects
        if now - due >= self.wait.interval(self.settings):
            return effects + self.wait.listen_again(self.settings, self.standing, due, now)
        goes_on, said = self.wait.goes_on(self.settings, self.standing, due, now)
        return effects + said if goes_on else [*effects, *said, *self._wait_is_over(due, now)]

    def _wait_is_over(self, due: float, now: float) -> list[Effect]:
        """Master_Down_Timer fired (RFC 3768 section 6.4.2); in a sync group the others are waited for."""
        timeout = self._debug(lines.TIMEOUT)
        if self.wait.withholds(self.settings, self.standing, due):
            text = f"{self._silence(now)}, but it does not take over: {'; '.join(self.withheld)}"
            return [timeout, self._record(text, Level.WARNING)]
        if self.group:
            self.wait.get_ready(due)
            self.moved = True
            return [timeout]
        return [timeout, *self._take_over(self._silence(now), due, now)]

    def _silence(self, now: float) -> str:
        """Why it takes over, in numbers."""
        return self.wait.silence(self.settings, self.standing, self.since, now)

    def _take_over(self, reason: str, due: float, now: float, *, forced: bool = False) -> list[Effect]:
        """BACKUP or an owner's INIT to MASTER (RFC 3768 section 6.4.2): the advert first, addresses after it.

        With a database they come once its writes are open.
        """
        # Addresses that are about to be added have a fresh lease; those kept since a handover an old one.
        self._advertiser.leased(now if self.handover_until is None else _NEVER)
        self.wait.heard.master = self.handover_until = None
        records = self._become(State.MASTER, reason, now)
        self._timer_at = due
        self._announcer.wait(now)  # the kernel holds nothing yet: addresses_live announces
        self.counters.became_master += 1
        self._next_advert = now + self.settings.advert_int
        opening = self.writes.begin_open(self.settings, forced=forced)
        return [*self._advertise(now), *opening, *records, *lines.setting(self.settings)]

    def _yield(self, reason: str, advert: Advert, source: Address, now: float) -> list[Effect]:
        """A better master spoke: BACKUP, and the addresses go at once (RFC 3768 section 6.4.3)."""
        self.wait.follow(advert, source, self.settings, now)
        effects = [self._record(reason, Level.NOTICE), *self._give_up(reason, now, said=True)]
        self.wait.heard.following = self.state is State.BACKUP
        return effects

    def _break(self, now: float) -> list[Effect]:
        """No network left: FAULT, with nobody to hand over to."""
        effects = [] if self.handover_until is None else lines.removing(self.settings)
        self.handover_until = None
        self.moved = True
        effects += self.writes.over()
        if self.state is not State.FAULT:
            effects += self._become(State.FAULT, "; ".join(self.standing.broken), now)
        return effects

    def _fail(self, now: float) -> list[Effect]:
        """Not fit to serve: FAULT, handing over first when it is MASTER."""
        reason = "; ".join(self.standing.faults)
        if self.state is State.MASTER and self.muted is None:
            return self._leave(reason, now)
        return [] if self.state is State.FAULT else self._become(State.FAULT, reason, now)

    def _leave(self, reason: str, now: float) -> list[Effect]:
        """Leave MASTER on purpose; with a database once it is closed, or does not answer in time."""
        if self.settings.database is None:
            return self._hand_over(reason, now)
        if self.leaving is not None:
            return []
        self.leaving, self.moved = reason, True
        record = self._record(f"closing the database before handing over: {reason}", Level.NOTICE)
        return [*self.writes.begin_close(self.settings, reason, now), record]

    def _end_closing(self, now: float) -> list[Effect]:
        """Nothing more is waited for."""
        return self._end_tenure(self.leaving or "", now)

    def _end_tenure(self, reason: str, now: float) -> list[Effect]:
        """Leave MASTER with a database that takes no writes; who is not heard has nobody to hand over to."""
        return self._hand_over(reason, now) if self.muted is None else self._give_up(reason, now)

    def _hand_over(self, reason: str, now: float) -> list[Effect]:
        """Leave MASTER on purpose: priority 0 at once, the addresses stay until the successor speaks."""
        effects = self.writes.leave(self.settings)
        effects += self._advertise(now, const.PRIORITY_RELEASE)
        self.counters.priority_zero_sent += 1
        if self.settings.database is not None:
            effects.append(Invite(self.settings.name))
        self.handover_until = now + max(self.slowest_successor, self._group_bound)
        return [*effects, *self._give_up(reason, now), self._debug(lines.RELEASED)]

    def _end_handover(self, reason: str, now: float) -> list[Effect]:
        took = now - self._advertiser.sent_at  # priority 0 was the last advert
        self.handover_until = None
        self.moved = True
        over = self._record(f"{reason} {took * 1e3:.0f} ms after priority 0", Level.NOTICE)
        return [*lines.removing(self.settings), *self.writes.over(), over]

    # --- adverts ------------------------------------------------------------------------------------------------------

    def _hear_as_master(self, advert: Advert, source: Address, now: float) -> list[Effect]:
        """RFC 3768 section 6.4.3."""
        if advert.priority == const.PRIORITY_RELEASE:
            self._next_advert = now + self.settings.advert_int
            return [*self._advertise(now), *self._priority_zero(lines.MASTER_HEARD_RELEASE, source)]
        if reason := self._outranked(advert, source):
            return [*self._last_word(now), *self._yield(reason, advert, source, now)]
        if self._is_deaf(source, now):
            reason = f"{source} is master too, with priority {advert.priority}, and does not hear this node"
            return self._yield(f"{reason}: only one database may be open", advert, source, now)
        self.rival = MasterStatus(source, advert.priority, advert.seconds, now)
        self.duplicates.suspect(now)
        return self._reassert(self.rival, now)

    def _outranked(self, advert: Advert, source: Address) -> str:
        """Why the sender is the better master; "" when it is not."""
        heard, ours = f"Master received advert from {source} with", self.standing.source
        if advert.priority > self.priority:
            return f"{heard} higher priority {advert.priority}, ours {self.priority}"
        if advert.priority == self.priority and ours is not None and source.packed > ours.packed:
            return f"{heard} same priority {advert.priority} but higher IP address than ours"
        return ""

    def _last_word(self, now: float) -> list[Effect]:
        """One more advert before it yields, so that the better master knows of a rival and announces again.

        keepalived does so if it is asked to (higher_prio_send_advert). With a database clients must not stay behind.
        """
        if not self.settings.higher_prio_send_advert and self.settings.database is None:
            return []
        return [each for each in self._advertise(now) if isinstance(each, SendAdvert)]

    def _is_deaf(self, source: Address, now: float) -> bool:
        """Whether a rival that should yield goes on although this node has answered it: with a database one must go."""
        rival = self.rival
        if self.settings.database is None or rival is None or rival.address != source:
            return False
        ago, interval = now - rival.heard, self.settings.advert_int
        return rival.heard <= self._advertiser.sent_at and interval / 2 <= ago < self.master_down_interval

    def _reassert(self, rival: MasterStatus, now: float) -> list[Effect]:
        """Answer a rival that should yield: an advert at once, and the link is told again who holds, now and later.

        Everything at a bounded rate. The later announcement follows the rival's last advert: clients may believe it.
        """
        answers = not self.settings.lower_prio_no_advert
        soon = now - self._advertiser.sent_at < self.settings.advert_int * _REASSERT_PAUSE
        effects = self._advertise(now) if answers and not soon else []
        announced = self._announcer.contested(self.settings, self.standing, now)
        if now - self._complained_at >= _COMPLAINT_PAUSE:
            self._complained_at = now
            text = f"Received advert from {rival.address} with lower priority {rival.priority}, ours {self.priority}"
            effects.append(self._record(f"{text}, forcing new election" if answers else text, Level.WARNING))
            effects.append(self._tell(notify.RECEIVED_LOWER, self.state, text))
        return effects + announced if self._announces else effects

    def _hear_as_backup(self, advert: Advert, source: Address, now: float) -> list[Effect]:
        """RFC 3768 section 6.4.2."""
        if advert.priority == const.PRIORITY_RELEASE:
            self.wait.release(source, self.settings, self.standing, now)
            return self._priority_zero(lines.BACKUP_HEARD_RELEASE, source)
        followed = self.following
        effects = self.wait.hear(advert, source, self.settings, self.standing, now)
        self.moved |= bool(self.group) and self.following and not followed
        return effects

    def _priority_zero(self, text: str, source: Address) -> list[Effect]:
        return [self._debug(text), self._record(f"{source} sent priority 0")]

    def _advertise_on_time(self, due: float, now: float) -> list[Effect]:
        """The periodic advert. Its cadence does not drift, and never makes up for lost time in a burst."""
        following = due + self.settings.advert_int
        self._next_advert = following if following > now else now + self.settings.advert_int
        return self._advertise(now)

    def _advertise(self, now: float, priority: int | None = None) -> list[Effect]:
        """An advert with this priority, else its own, and beside it the renewal of the lease."""
        spoken = self.priority if priority is None else priority
        effects = self._advertiser.advertise(self.settings, self.standing.source, spoken, now, renew=self.writes.open)
        self.counters.adverts_sent += bool(effects)
        return effects

    def _change_priority(self, before: int, now: float) -> list[Effect]:
        """A weight came or went: a MASTER says so at once, a BACKUP's wait follows the new skew."""
        text = f"Changing effective priority from {before} to {self.priority}"
        effects: list[Effect] = [self._record(text, Level.NOTICE)]
        if self.state is State.MASTER and not self.standing.against:
            effects = [*self._advertise(now), *effects]
        else:
            self.wait.weigh(self.settings, before, self.standing)
        if self.settings.notifications.priority_changes:
            word = notify.MASTER_PRIORITY if self.state is State.MASTER else notify.BACKUP_PRIORITY
            effects.append(self._tell(word, self.state, text))
        return effects

    # --- what is said -------------------------------------------------------------------------------------------------

    def _record(self, text: str, level: Level = Level.INFO, state: State | None = None) -> Record:
        name = self.settings.name
        return Record(level, name, text, state.value if state else "")

    def _debug(self, text: str) -> Record:
        return Record(Level.DEBUG, self.settings.name, text)

    def _tell(self, word: str, before: State, reason: str) -> Effect:
        """Tell scripts, pipes and people."""
        known = self.master.address if self.master else ""
        master = self.standing.source if self.state is State.MASTER else known
        news = News(notify.INSTANCE, self.settings.name, word, before.value, self.priority, str(master or ""), reason)
        return self._notifier.tell(news, self.settings.notifications)
