"""A BACKUP's wait for the next advert of its master (RFC 3768 section 6.4.2): when it is over, what makes it shorter or
longer, and what keeps its end from being a takeover.

      an advert of a master that it follows ───▶ the whole wait anew
      priority 0, or the other agent's word ───▶ no more than skew, or nothing
      another host has the addresses        ───▶ a little longer, and a little longer
      something speaks against taking over  ───▶ it is over, and withheld until that is gone
      it is in a sync group                 ───▶ it is over, and ready until all members are

Nothing here changes a state: core/fsm.py asks, and takes over.
"""

from __future__ import annotations

from pyvrrp.core import const, lines
from pyvrrp.core.duplicate import Duplicates, lead
from pyvrrp.core.effects import Effect, Level, Record
from pyvrrp.core.guard import Standing
from pyvrrp.core.heard import Heard
from pyvrrp.core.patience import Patience
from pyvrrp.core.settings import Address, InstanceSettings
from pyvrrp.core.wire import Advert

_NEVER = float("-inf")
# What is left for an answer is too little below this part of the time that it should have.
_SHORT = 0.75


class Wait:
    """Of one virtual router. `until` is Master_Down_Timer's end; None when it is not BACKUP, withheld or ready."""

    __slots__ = ("_duplicates", "_patience", "_refused_at", "heard", "ready", "until", "withheld_since")

    def __init__(self, opens: float, duplicates: Duplicates) -> None:
        self.until: float | None = None
        self.ready: float | None = None  # in a sync group: when its wait was over
        self.withheld_since: float | None = None  # its wait was over then, and something spoke against it
        self.heard = Heard()
        self._duplicates, self._patience = duplicates, Patience(opens)
        self._refused_at = _NEVER  # when the database would not be opened

    # --- how long it is -----------------------------------------------------------------------------------------------

    @property
    def preempts_at(self) -> float | None:
        """Until when a worse master is left alone (preempt_delay)."""
        return self._patience.preempts_at

    def interval(self, settings: InstanceSettings) -> float:
        """Master_Adver_Interval in seconds."""
        return self._patience.interval(settings)

    def skew(self, settings: InstanceSettings, standing: Standing) -> float:
        """Skew_Time in seconds."""
        return self._patience.skew(settings, standing.priority)

    def down(self, settings: InstanceSettings, standing: Standing) -> float:
        """Master_Down_Interval: seconds of silence after which it takes over."""
        return self._patience.down(settings, standing.priority)

    def lead(self, settings: InstanceSettings, standing: Standing) -> float:
        """Seconds before the end at which it asks whether somebody else has the addresses."""
        return lead(settings, self.interval(settings), self.skew(settings, standing))

    def opens(self, now: float) -> float:
        """When a wait that begins now is counted from."""
        return self._patience.begin(now)

    # --- its end ------------------------------------------------------------------------------------------------------

    def next_deadline(self, settings: InstanceSettings, standing: Standing) -> float | None:
        """When it is over, or asks a moment before."""
        times = (self.until, self._asks_at(settings, standing))
        return min((each for each in times if each is not None), default=None)

    def ask(self, settings: InstanceSettings, standing: Standing, now: float) -> list[Effect]:
        """Ask whether somebody else has the addresses, when it is time for that."""
        asks_at = self._asks_at(settings, standing)
        if asks_at is None or now < asks_at:
            return []
        if self.until is not None and now < self.until + self.interval(settings):  # who is later listens again
            left, lead = self.until - now, self.lead(settings, standing)
            if left < _SHORT * lead and (left <= 0 or not self._duplicates.waits_for(now)):
                # Late for the question: leave time for an answer all the same. A question that is asked again may be
                # asked shortly before duplicate_wait is over.
                self.until = now + lead
        return self._duplicates.ask(settings, standing.macs, now)

    def goes_on(
        self, settings: InstanceSettings, standing: Standing, due: float, now: float
    ) -> tuple[bool, list[Effect]]:
        """It was over at `due`. Whether it goes on a little, as somebody answers for the addresses; what is said."""
        if not self._doubts(settings, standing, due):
            return False, []
        until, said = self._duplicates.hold_back(settings, now)
        if until is not None:
            self.until = until
        return until is not None, said

    def withholds(self, settings: InstanceSettings, standing: Standing, due: float) -> bool:
        """Whether something speaks against taking over, though it was over at `due`."""
        if not self.withheld(settings, standing):
            return False
        self.withheld_since, self.until, self.heard.following = due, None, False
        return True

    def get_ready(self, due: float) -> None:
        """It was over at `due`; the other members of its sync group are waited for."""
        self.ready, self.until, self.heard.following = due, None, False

    def withheld(self, settings: InstanceSettings, standing: Standing) -> tuple[str, ...]:
        """What keeps it from taking over although nobody is heard."""
        database = settings.database
        if database is None or self.heard.left or database.promote.on_silence == "promote":
            return standing.withheld
        return (
            *standing.withheld,
            "nobody said that the master has left, and on_silence is hold (`pyvrrpctl promote --force` overrides that)",
        )

    def silence(self, settings: InstanceSettings, standing: Standing, since: float, now: float) -> str:
        """Why it takes over, in numbers; BACKUP since `since`."""
        master, ours = self.heard.master, standing.priority
        if self.heard.left:
            return self.heard.left
        if master is None:
            return f"no advert from anybody for {now - since:.2f} s"
        ago = now - master.heard
        sender = f"{master.address} (priority {master.priority})"
        worse = settings.preempt and master.priority < ours
        if self._preempts(settings, standing, now) or (worse and ago < self.down(settings, standing)):
            return f"{sender} is master with a lower priority than ours, {ours}"
        return f"no advert from {sender} for {ago:.2f} s"

    # --- what changes it ----------------------------------------------------------------------------------------------

    def reset(self, *, follows: bool) -> None:
        """A new state; only a BACKUP goes on with its master's interval."""
        self.until = self.ready = self.withheld_since = None
        self.heard.forget()
        self._patience.reset(follows=follows)

    def begin(self, settings: InstanceSettings, standing: Standing, now: float) -> None:
        """The whole of it, from now on."""
        self.until = self._patience.begin(now) + self.down(settings, standing)

    def hear(
        self, advert: Advert, source: Address, settings: InstanceSettings, standing: Standing, now: float
    ) -> list[Effect]:
        """An advert of somebody who is master, and stays it."""
        better = advert.priority >= standing.priority or not settings.preempt
        effects = self._defer(settings, better, now)
        if not better and not self._patience.defers(now):
            return effects + self.heard.discard(settings.name, advert, source, now)
        effects += self.follow(advert, source, settings, now)
        self.begin(settings, standing, now)
        self.ready = self.withheld_since = None
        self.heard.following = True
        return effects

    def follow(self, advert: Advert, source: Address, settings: InstanceSettings, now: float) -> list[Effect]:
        """Accept the sender as master; version 3 takes over its interval (RFC 5798 sections 6.4.2 and 6.4.3)."""
        before = self.interval(settings)
        self._patience.adopt(advert.seconds)
        after = self.interval(settings)
        effects: list[Effect] = [] if before == after else [lines.updated_interval(settings, before, after)]
        return effects + self.heard.note(settings.name, advert, source, now)

    def release(self, source: Address, settings: InstanceSettings, standing: Standing, now: float) -> None:
        """The master has sent priority 0: nothing but skew is left of the wait."""
        self.heard.leaves(f"{source} sent priority 0")
        if self.withheld_since is not None and not self.withheld(settings, standing):
            self.withheld_since = None
            self.begin(settings, standing, now)
        if self.until is not None and self.hurries(now):
            self.until = self._patience.begin(now) + self.skew(settings, standing)

    def invite(self, by: str, settings: InstanceSettings, standing: Standing, now: float) -> None:
        """The node `by` says that it has handed over: what priority 0 says, and nobody need wait for skew."""
        self.heard.leaves(f"{by} has handed over")
        if self.until is not None and self.hurries(now):
            self.until = self._patience.begin(now)
        else:
            self.reconsider(settings, standing, now)

    def vacate(self, by: str, settings: InstanceSettings, standing: Standing, now: float) -> None:
        """The node `by` says that it is not master. That is true now, and may not be later: it counts now or never."""
        if self.withheld_since is not None and not standing.withheld:
            self.heard.leaves(f"{by} says that it is not master")
            self.reconsider(settings, standing, now)

    def reconsider(self, settings: InstanceSettings, standing: Standing, now: float) -> None:
        """If nothing speaks against taking over any more, the silence still lasts."""
        if self.withheld_since is not None and not self.withheld(settings, standing):
            self.withheld_since = None
            self.until = now + self.lead(settings, standing) if self._doubts(settings, standing, now) else now

    def listen_again(self, settings: InstanceSettings, standing: Standing, due: float, now: float) -> list[Effect]:
        """One that was not run when it was over has slept, maybe through a living master's adverts: one more wait."""
        self.heard.left = ""
        self.until = now + self.interval(settings) + self.skew(settings, standing)
        text = f"this process stood still for {now - due:.2f} s: listening for another {self.until - now:.2f} s"
        return [Record(Level.WARNING, settings.name, text)]

    def weigh(self, settings: InstanceSettings, before: int, standing: Standing) -> None:
        """The priority was `before`: the wait follows the new skew."""
        if self.until is not None:
            self.until += self.skew(settings, standing) - self._patience.skew(settings, before)

    def leave_group(self, now: float) -> None:
        """The others are not waited for any more."""
        if self.ready is not None:
            self.ready, self.until = None, now

    def refused(self, now: float) -> None:
        """This node's database was not opened."""
        self._refused_at = now

    def hurries(self, now: float) -> bool:
        """Whether it takes over sooner when the master says that it leaves.

        Not soon after its own database was not opened: two such nodes would hand over to each other without a pause.
        """
        return now - self._refused_at >= const.REFUSED_HOLD

    # --- what it rests on ---------------------------------------------------------------------------------------------

    def _asks_at(self, settings: InstanceSettings, standing: Standing) -> float | None:
        if self.until is None or not self._doubts(settings, standing, self.until):
            return None
        return self._duplicates.asks_at(self.until, self.lead(settings, standing))

    def _doubts(self, settings: InstanceSettings, standing: Standing, end: float) -> bool:
        """Whether it would take over through silence, of which a host that still has the addresses is no part."""
        if settings.duplicate_wait == 0 or settings.owner or self.heard.left:
            return False
        return not self._preempts(settings, standing, end)

    def _preempts(self, settings: InstanceSettings, standing: Standing, at: float) -> bool:
        """Whether a worse master speaks then. Its interval is its own: in version 3 only a better one's is adopted."""
        master = self.heard.master
        worse = master is not None and settings.preempt and master.priority < standing.priority
        return worse and master is not None and at - master.heard <= 1.5 * master.advert_int

    def _defer(self, settings: InstanceSettings, better: bool, now: float) -> list[Effect]:
        """preempt_delay counts from the first advert of a worse master; a better one ends it."""
        if better and self.preempts_at is not None:
            self._patience.preempts_at = None
            return [lines.not_delaying(settings)]
        if not better and self._patience.defer(settings, now):
            return [lines.delaying(settings)]
        return []
