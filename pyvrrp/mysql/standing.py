"""What is known of the server here and how it stands in the pair: what makes a report, a view and a word to the other
agent. Nothing here asks or waits."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from pyvrrp.core.events import DatabaseReport, DatabaseView
from pyvrrp.core.settings import DatabaseSettings
from pyvrrp.mysql import divergence, page, plan
from pyvrrp.mysql.closing import Closed
from pyvrrp.mysql.gtid import BinlogState, Gap, merged
from pyvrrp.mysql.memory import GAPS, Memory
from pyvrrp.mysql.opening import Opened, Position
from pyvrrp.mysql.other import ALIVE, DEAD, SEEN, Other
from pyvrrp.mysql.published import Published
from pyvrrp.mysql.pulse import Pulse
from pyvrrp.mysql.status import Coordinates, Picture, Replication
from pyvrrp.mysql.succeeded import Succession
from pyvrrp.mysql.verdict import Verdict, Word

FAULTS: Final = frozenset({Word.DOWN, Word.HUNG, Word.STALLED})
FOR_NUMBERS: Final = "BINLOG REPLAY"  # without it numbers cannot be left out; that is no reason not to take over


class Standing:
    """`writes` is what its writes are: "", open, closed, opening, closing. Times are monotonic seconds of this host."""

    def __init__(
        self, instance: str, node: str, settings: DatabaseSettings, memory: Memory, other: Other, now: float
    ) -> None:
        self.memory = memory
        self.pulse = Pulse(now)
        self.succession = Succession(memory, other, now)
        self.writes = ""
        self.gives_way = False  # it would have been opened beside the other one, whose adverts do not come here
        self.was_open = False  # in this life, so that there may be clients who write
        self.to_rejoin = True
        self.compared: tuple[Picture, float] | None = None  # own, older than what it is compared with, and when
        self.lacking: tuple[str, ...] = ()  # privileges
        self.trouble = ""  # why the last round saw nothing
        self._looked_since_closed = False
        self._known_before: Position | None = None  # of the other one, at the last look
        self.lent = False  # closed for a switchover, while they count as open
        self.was_reset = False  # it had transactions, and has none: somebody is about to make it a copy again
        self.unknown = ""  # why it cannot be compared with the other one
        self.picture: Picture | None = None
        self.replication: Replication | None = None
        self._instance = instance
        self._node = node
        self._settings = settings
        self._other = other
        self._verdict = Verdict()
        self._healthy = False
        self._looked_at = False  # since its server was away
        self._behind: float | None = None
        self._received_at: float | None = None  # when it was last connected to its source, since it began to follow
        self._stalled = False  # since it was opened: who is not asked to write does not show it
        self._has = ""
        self._has_at = now
        self._refusal = ""
        self._forced_at: float | None = None  # when it was opened by force
        self._refused_until = 0.0
        self._planned_until = 0.0

    # --- what happened ------------------------------------------------------------------------------------------------

    def judged(self, verdict: Verdict) -> None:
        """Another verdict. A server that was away is compared with the other one before it follows it."""
        if verdict.word is Word.DOWN and self._verdict.word is not Word.DOWN:
            self._begin_anew()
            self.replication = None
            self._looked_at = self._looked_since_closed = False  # whether it goes on with its server is to be seen
        self._verdict = verdict
        self._stalled = self._stalled or verdict.word is Word.STALLED

    def saw(self, picture: Picture, now: float) -> None:
        """A round's picture."""
        if self.picture is not None and picture.uptime < self.picture.uptime:
            self._begin_anew()
        self.memory.is_of(picture.server_id)
        self.was_reset = not picture.has and (self.was_reset or bool(self._has))
        self.picture, self._has, self._has_at, self._looked_at = picture, picture.has, now, True
        self._looked_since_closed = self.writes not in {"open", "opening"}
        peer = self._settings.peer
        number = self._other.server_id
        found = picture.replication_from(peer.host, peer.port, number) if peer is not None else None
        self.replication = found or self._only_one(picture)
        if self.replication is not None:
            one = self.replication
            if one.io == "Yes" or self._received_at is None:
                self._received_at = now
            if one.io == "Yes":
                self._healthy = one.sql and not one.sql_errno
            self._behind = _behind(one, self._behind)
        self._concede(picture)
        self.weigh()
        self.pulse.saw(
            {beat.server_id: beat.number for beat in picture.beats if beat.server_id != picture.server_id}, now
        )

    def _only_one(self, picture: Picture) -> Replication | None:
        """Its only channel, whatever it calls the other one; none that is known to be from somebody else."""
        (one, *others) = picture.replications or (None,)
        number = self._other.server_id
        known = one is not None and number and one.source_server_id
        foreign = known and one is not None and one.source_server_id != number
        return None if others or foreign else one

    def weigh(self) -> None:
        """The other one was looked at, too."""
        self.succession.weigh(self._beat_here(), self.writes)

    def heard(self, now: float) -> None:
        """The other node's agent gave a sign of life as MASTER. Of a dead server, which is paused, nothing can come."""
        seen = self._other.seen
        if seen is None or seen.verdict not in DEAD or now - seen.at > SEEN:
            self.pulse.heard(now)
        self.succession.heard(self.writes, now)

    @property
    def errant(self) -> tuple[str, ...]:
        """Transactions that are here and not on the active server; an agent that begins anew knows of them still."""
        return self.memory.now.errant

    def follows(self, now: float) -> None:
        """It begins to replicate."""
        self.to_rejoin, self._received_at = False, now
        if self.replication is not None:  # until it is looked at again: not as somebody has stopped it
            self.replication = replace(self.replication, io="Connecting", sql=True)
        self.pulse.restart(now)

    def expect(self, until: float) -> None:
        """A planned switchover is under way: this node is its target."""
        self._planned_until = until

    def called_off(self) -> None:
        """It is over, or was never more than a question."""
        self._planned_until = 0.0

    def opening(self) -> None:
        """Its writes are about to be opened."""
        self.writes = "opening"

    def adopted(self) -> None:
        """They were opened by an earlier keeper."""
        self.writes, self.was_open, self.to_rejoin = "open", True, False

    def opened(self, opened: Opened, now: float, *, forced: bool) -> None:
        """They are open."""
        self.writes, self.was_open, self._stalled = "open", True, False
        self.to_rejoin, self._refusal, self._looked_since_closed = False, "", False
        # A server that lives, and that its own agent has closed, was left on purpose: that agent is being stopped.
        ordered = forced or now < self._planned_until or self._other.left or self._other.could_go_on(now)
        by_itself = not ordered and (self._other.last is not None or self.pulse.heard_any)
        failover = time.time() if by_itself else self.memory.now.failover
        self.succession.opened(self._beat_here(), now)
        lost = merged((*self.memory.now.lost, *opened.missing))
        lost_at = time.time() if opened.missing else self.memory.now.lost_at
        conceded = divergence.gone(self.picture, self._other.known_gtids) if forced and self.picture is not None else ()
        self.memory.change(lost=lost, lost_at=lost_at, failover=failover, errant=(), conceded=conceded)
        self.left_out(Gap.parse(opened.gap) if opened.gap else None)
        self._forced_at = now if forced else None
        self.called_off()

    def left_out(self, gap: Gap | None) -> None:
        """Its numbers go on behind this gap. Those before it that it has not passed itself are of a history that is no
        more: its disk is older, or it was made a copy of the other one, whose transactions lie in them rightly."""
        known = self._passed_gaps() if self.picture is not None else self.memory.now.gaps
        new = () if gap is None else (str(gap),)  # None where none can be left out
        self.memory.change(gaps=(*known, *new)[-GAPS:])

    def used(self) -> int:
        """The highest number of a transaction in its domain that is known, here or on the other one. Its disk may have
        lost an opening, with the numbers that were left out then."""
        domain, other = self.picture.domain if self.picture is not None else 0, self._other.known_gtids
        theirs = other.newest(domain) if isinstance(other, BinlogState) else 0
        return max([theirs, *(each.before for each in self._known_gaps() if each.domain == domain)])

    def fallen_back(self) -> tuple[str, ...]:
        """What its server itself had when it was opened last, and has no more: its disk is older than that."""
        own = self.picture.gtids if self.picture is not None and self._looked_since_closed else None
        if not isinstance(own, BinlogState) or self.picture is None:
            return ()
        last = {each.domain: each.before for each in self._known_gaps()}
        return tuple(
            f"all from number {own.newest(domain) + 1} of domain {domain} on"
            for domain, before in last.items()
            if before > own.newest(domain)
        )

    def has_begun_anew(self, picture: Picture) -> bool:
        """Whether the log of an active server is without what it was opened with."""
        logged = picture.logged
        return isinstance(logged, BinlogState) and any(
            each.domain == picture.domain and each.before > logged.newest(each.domain) for each in self._known_gaps()
        )

    def _known_gaps(self) -> tuple[Gap, ...]:
        return tuple(map(Gap.parse, self.memory.now.gaps))

    def refused(self, reason: str, closed: Closed, now: float, until: float) -> None:
        """They could not be opened; not again before `until`. What it lacked may still come."""
        self.closed(closed, now, interrupted=True)
        self._refusal, self._refused_until = reason, until
        self.called_off()

    def closed(self, closed: Closed, now: float, *, interrupted: bool = False) -> None:
        """They are closed, or could not be. `interrupted`: they were only about to be opened."""
        self.writes, self.lent = "closed" if closed.complete else "closing", False
        if closed.position:
            self._has, self._has_at = closed.position, now
        if interrupted:
            self.to_rejoin, self.compared = True, None
        elif self.was_open:
            self.succession.closed(now)
            self._begin_anew()
            self.pulse.restart(now)
        self.was_open = not closed.complete and self.was_open

    def told(self, published: Published) -> None:
        """The other agent's word, as far as it concerns what is remembered."""
        mine = self.memory.now
        if published.acknowledged > max(mine.acknowledged, mine.lost_at) and published.acknowledged >= mine.failover:
            self.memory.change(acknowledged=published.acknowledged, failover=0.0, lost=())
        elif published.failover > max(mine.failover, mine.acknowledged):
            self.memory.change(failover=published.failover)
        self.weigh()

    def acknowledge(self) -> None:
        """The operator has seen the last failover."""
        mine = self.memory.now  # by a clock that may be ahead of this one
        self.memory.change(acknowledged=max(time.time(), mine.failover, mine.lost_at), failover=0.0, lost=())

    def copied(self) -> None:
        """The operator has made its server a copy of the active one."""
        self.memory.change(errant=())
        self._begin_anew()

    def _begin_anew(self) -> None:
        """What it had and how it replicated before says nothing any more."""
        self.to_rejoin, self.compared, self._healthy, self._behind = True, None, False, None
        self._received_at = None

    def planned(self, now: float) -> bool:
        """Whether this node is the target of a switchover."""
        return now < self._planned_until

    # --- what follows -------------------------------------------------------------------------------------------------

    def report(self, now: float) -> DatabaseReport:
        """What the server is fit for."""
        open_ = self.writes == "open"
        against = (*self._lacks(self.lacking), *self._left_alone(), *self._beside(now)) if open_ else self.against(now)
        return DatabaseReport(self._instance, self._faults(), against, self._view(now))

    def published(self, now: float) -> Published:
        """What the other agent is told."""
        picture, mine = self.picture, self.memory.now
        own = picture.beat_of(picture.server_id) if picture is not None else None
        return Published(
            instance=self._instance,
            node=self._node,
            writes=self.writes or ("" if picture is None else "closed" if picture.read_only else "open"),
            verdict=(Word.STALLED if self._stalled and self._verdict.usable else self._verdict.word).value,
            position=self._has,
            flavour=picture.flavour if picture is not None else "",
            semi_sync=picture is not None and picture.semi_sync.in_force,
            against=self.against(now),
            beat=own.number if own is not None else 0,
            failover=mine.failover,
            acknowledged=mine.acknowledged,
            age=now - self._has_at,
            ordered=picture is not None and picture.ordered,
            was_last=self.succession.said,
            paused=mine.paused,
            lent=self.lent,
            server_id=picture.server_id if picture is not None else 0,
            writer=picture.writer if picture is not None else "",
            gaps=self._passed_gaps(),
        )

    def _passed_gaps(self) -> tuple[str, ...]:
        """Those that its own log has passed: one that began anew, or is a copy of another server's, has not."""
        picture = self.picture
        if picture is None or not isinstance(picture.logged, BinlogState):
            return ()
        own = picture.logged
        passed = (each for each in self._known_gaps() if each.before <= own.last_of(each.domain, picture.server_id))
        return tuple(map(str, passed))

    def _faults(self) -> tuple[str, ...]:
        if self.memory.now.paused or self._verdict.word not in FAULTS:
            return ()
        return (f"its server {self._verdict.evidence}",)

    def _left_alone(self) -> tuple[str, ...]:
        """What would be a fault of an active one were it not paused."""
        if not self.memory.now.paused or self._verdict.word not in FAULTS:
            return ()
        return (f"its server {self._verdict.evidence}, and nothing is done about it: {plan.PAUSED}",)

    def _beside(self, now: float) -> tuple[str, ...]:
        """What is wrong with two that are open, whoever says it of the other one."""
        seen = self._other.seen
        if seen is None or not seen.open or seen.lent or self.lent or seen.verdict in DEAD or now - seen.at > SEEN:
            return ()
        return (f"the server of {self._other.name} takes writes too: what is written there may have to be mended",)

    def against(self, now: float, *, ordered: bool = False) -> tuple[str, ...]:
        """What keeps it from taking over, or `ordered` from being a switchover's target; nothing of an active one."""
        if self.writes in {"open", "opening"}:
            return ()
        mine, planned = self.memory.now, ordered or self.planned(now)
        free = planned or mine.active or self._other.left
        standby = plan.Standby(
            verdict=self._verdict,
            replication=self.replication,
            healthy=self._healthy,
            lag=self._lag(),
            errant=self.errant,
            held=0.0 if free else plan.held(mine.failover, self._settings.hold_down, time.time()),
            paused=mine.paused and not planned,
            drained=mine.drained,
            left_to_run=not self.to_rejoin,
        )
        promote, waits = self._settings.promote, ""
        if promote.require != "none" and not self.errant and self.has_all(now):
            promote = replace(promote, require="none")
        elif promote.require != "none" and ((waits := self._waits(now)) or self._is_away()):
            standby = _without_threads(standby)
        elif promote.require != "none" and not self._looked_at and self._verdict.usable:
            standby, waits = _without_threads(standby), "its server has not been looked at yet"
        amiss = tuple(self._amiss(now)) if promote.require == "applied" and not self.errant else ()
        if amiss:  # that it does not replicate follows
            standby = _without_threads(standby)
        reasons = [*plan.eligibility(standby, promote), *([waits] if waits else []), *amiss]
        if self._refusal and now < self._refused_until:
            reasons.append(f"its writes could not be opened: {self._refusal}")
        self.gives_way = self.gives_way and self._other.told_open(now)
        if self.gives_way:
            reasons.append("no advert comes from the other node, which says over the channel that its writes are open")
        reasons += self._lacks(tuple(each for each in self.lacking if each != FOR_NUMBERS))
        if self.trouble:
            reasons.append(f"its server could not be looked at: {self.trouble}")
        return tuple(reasons)

    def _amiss(self, now: float) -> Iterable[str]:
        """What a comparison with the active one shows: that it lacks something for good, or that nobody could tell."""
        seen, picture, known = self._other.seen, self.picture, self._other.known
        if picture is None or seen is None:
            return
        fresh = self._looked_since_closed and now - seen.at <= SEEN
        if seen.open and fresh and (lost := divergence.gone(picture, seen.position)):
            back = picture.semi_sync.replica and divergence.comes_back(picture, lost)
            yield divergence.sent_back(lost) if back else divergence.not_sent_back(lost)
        if known is not None and isinstance(known, Coordinates) is not (picture.gtids is None):
            yield f"{divergence.MIXED}: what it lacks could not be told (CHANGE MASTER TO MASTER_USE_GTID = slave_pos)"

    def gone(self) -> tuple[str, ...]:
        """What was written here, is on the other one and is here no more, but for what it went on without already."""
        known, conceded = self._other.known_gtids, self.memory.now.conceded
        # A server that is away has its last transactions, but nobody has seen them yet.
        lost = divergence.gone(self.picture, known) if self.picture is not None and self._looked_at else ()
        return () if merged((*conceded, *lost)) == merged(conceded) else lost

    def _concede(self, picture: Picture) -> None:
        """An active one is what counts, whatever the other one has of it. What that one had at the last look it cannot
        have got since from a server that has it not."""
        if self.writes == "open":
            self.memory.change(conceded=divergence.gone(picture, self._known_before))
        self._known_before = self._other.known_gtids

    def _lacks(self, lacking: tuple[str, ...]) -> tuple[str, ...]:
        """Of an active one, too: it goes on, and what it can not do is not seen before it has to."""
        return (f"its account lacks {', '.join(lacking)} (`pyvrrpctl mysql setup` grants that)",) if lacking else ()

    def has_all(self, now: float) -> bool:
        """While nobody is active, replication need not have run: it was the last one, or has all that the other has."""
        seen = self._other.seen
        if (seen is not None and seen.open) or self.gone():
            return False
        if self.succession.was_last and self._other.tried and not self.fallen_back():
            return self._looked_at or not self._verdict.usable  # what is back may be older than what went
        if seen is None or now - seen.at > SEEN or self.picture is None or seen.position is None:
            return False
        mine = self.picture
        if mine.gtids is not None:
            return not divergence.loss(mine.gtids, seen.position, ordered=mine.ordered)
        done = self.replication.executed if self.replication is not None else None
        alive = not seen.by_agent or seen.verdict in ALIVE  # else it was further in the end than it could say
        return alive and isinstance(seen.position, Coordinates) and done is not None and done.covers(seen.position)

    def _waits(self, now: float) -> str:
        """Nobody is active, and its replication was stopped because it was, or began anew: for whom it waits."""
        one, seen = self.replication, self._other.seen
        if (seen is not None and seen.open and now - seen.at <= SEEN) or not self._other.tried:
            return ""
        if lost := self.gone():
            return divergence.written_here(lost, self._other.name)
        if self.succession.was_last and (lost := self.fallen_back()):
            return divergence.fallen_back(lost, self._other.name)
        if one is None:  # of a server that is away nothing else is known
            return "" if self._looked_at or self.succession.was_last else self.succession.reason(())
        return self.succession.reason(self.missing()) if self._rests() and not self.succession.was_last else ""

    def _is_away(self) -> bool:
        """Its server, and how it replicates is not known."""
        return not (self._looked_at or self._verdict.usable)

    def _rests(self) -> bool:
        """Its replication was stopped by somebody, and not by an error."""
        one = self.replication
        if one is None or one.sql or one.io != "No":
            return False
        return not one.sql_errno and (not one.io_errno or one.io_errno in plan.CLIENT_ERRORS)

    def missing(self) -> tuple[str, ...]:
        """What the other one is last known to have had, and this one has not, as ranges; with GTIDs alone."""
        seen, picture = self._other.seen, self.picture
        if seen is None or picture is None or picture.gtids is None:
            return ()
        return divergence.loss(picture.gtids, self._other.known_gtids, ordered=seen.ordered and picture.ordered)

    def _beat_here(self) -> int:
        """The newest heartbeat of the other one that has come here."""
        if self.picture is None:
            return 0
        return max((beat.number for beat in self.picture.beats if beat.server_id != self.picture.server_id), default=0)

    def _lag(self) -> float | None:
        """Where no beats come, what it cannot have received since its source was lost."""
        behind = self._behind if self._behind is not None else 0.0
        lost = self.replication is not None and self.replication.io != "Yes"
        if self.pulse.moves or lost:
            since = self.pulse.moved if self.pulse.moves else self._received_at or self.pulse.word
            return plan.lag(since, self.pulse.word, behind)
        return behind

    def _view(self, now: float) -> DatabaseView:
        picture = self.picture
        return DatabaseView(
            server=f"{picture.name} at {self._settings.account}"
            if picture is not None
            else str(self._settings.account),
            verdict=self._verdict.word.value,
            evidence=self._verdict.evidence,
            writes=self._shown_writes(),
            replication=self._replication(),
            position=self._has,
            semi_sync=page.semi_sync(picture) if picture is not None and self._verdict.usable else "",
            peer=page.peer(self._other.seen, self._other.trouble, now),
            mode=self._mode(),
            errant=self.errant,
            lost=self.memory.now.lost,
        )

    def _shown_writes(self) -> str:
        """A server that is dead has no open writes, whatever was ordered of it."""
        dead = self.writes == "open" and self._verdict.word.value in DEAD
        if self.lent:
            return "closed for a switchover"
        return (
            f"open as ordered, but its server is {self._verdict.word.value}: nobody can write" if dead else self.writes
        )

    def _mode(self) -> str:
        mine, seen = self.memory.now, self._other.seen
        unheard = self._forced_at is not None and (seen is None or seen.at < self._forced_at)
        held_down = plan.held(mine.failover, self._settings.hold_down, time.time()) > 0
        return page.mode(
            mine,
            self._settings.promote.on_silence,
            held_down=held_down,
            forced=unheard and self.writes == "open",
            lacks=FOR_NUMBERS if FOR_NUMBERS in self.lacking else "",
        )

    def _replication(self) -> str:
        one = self.replication
        if one is None:
            return "none"
        lag = None if one.io == "No" and not one.sql else self._lag()
        return plan.threads(one) + ("" if lag is None else f", {lag:.0f} s behind")


def _without_threads(standby: plan.Standby) -> plan.Standby:
    """As if they ran: they were stopped on purpose, and what that means is said otherwise."""
    one = standby.replication or Replication()
    return replace(standby, replication=replace(one, sql=True, io="Connecting"), healthy=True, lag=0.0)


def _behind(one: Replication, before: float | None) -> float | None:
    """Seconds by its own account; of one whose source is gone what it said last, until it has applied all it has."""
    if one.behind is not None:
        return one.behind
    return 0.0 if one.sql and plan.drained(one).state is plan.Drain.DONE else before
