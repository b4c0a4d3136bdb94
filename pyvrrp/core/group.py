"""Sync groups: virtual routers that are MASTER together, and in FAULT together.

* What is against one member is a fault of all, so that the others hand over (`blame`).
* A BACKUP whose wait is over is only ready: the group takes over when every member is ready or MASTER already. No
  member is taken to MASTER beside a living better master of its own.
* When one member follows a better master, those that are MASTER hand over.
* Whatever happened to a member, its group is `restless` until it was asked to agree anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from pyvrrp.core.effects import Effect, Level, Notify, Record
from pyvrrp.core.fsm import State, VirtualRouter
from pyvrrp.core.guard import Standing
from pyvrrp.core.notify import GROUP, STOP, News, Notifier
from pyvrrp.core.settings import InstanceSettings, NodeSettings, SyncGroupSettings
from pyvrrp.core.snapshot import Transition

Members = Sequence[VirtualRouter]


class Group:
    """One sync group. `against` is what speaks against each member by itself, the group left aside."""

    def __init__(self, settings: SyncGroupSettings, state: State | None = None) -> None:
        self.settings = settings
        self.against: dict[str, tuple[str, ...]] = {}
        self._waiting: dict[str, tuple[str, ...]] = {}  # the checks of each that have not reported
        self._state = state  # the last one that all were in

    def blame(self, name: str, own: Standing) -> Standing:
        """A member's standing with what is against the others, or not known of them yet; `own` is by itself."""
        self.against[name] = own.against
        self._waiting[name] = own.waiting[len(own.unseen) :]
        if own.against:
            return own
        for other, against in self.against.items():
            if against and other != name:
                return replace(own, faults=(f"{other}, of the same sync group, cannot serve: {'; '.join(against)}",))
        others = tuple(
            f"{other}, of the same sync group, waits: {'; '.join(waiting)}"
            for other, waiting in self._waiting.items()
            if waiting and other != name
        )
        return replace(own, waiting=own.waiting + others)

    def agree(self, members: Members, now: float) -> Iterator[tuple[VirtualRouter, list[Effect]]]:
        """What members do to be MASTER together or not at all: each with its effects, one after the other."""
        masters = [each for each in members if each.state is State.MASTER]
        leader = next((each for each in members if each.following), None)
        ready = sorted((each for each in members if each.ready is not None), key=_readiness, reverse=True)
        if masters and leader is not None:
            reason = f"{leader.settings.name}, of the same sync group, follows another master"
            yield from self._together(State.BACKUP, ((each, each.relinquish(reason, now)) for each in masters))
        elif ready and len(masters) + len(ready) == len(members):
            due = _readiness(ready[0])
            first, *others = ready
            yield first, first.take_over(due, now)
            yield from self._together(State.MASTER, ((each, each.take_over(due, now)) for each in others))

    def syncing(self, state: State) -> Record:
        """keepalived's line for what the others do."""
        return Record(Level.NOTICE, "", f"VRRP_Group({self.settings.name}) Syncing instances to {state.value} state")

    def news(self, members: Members, notifier: Notifier) -> list[Notify]:
        """What is told once all members have come to another state."""
        state, stopped = common_state(members), all(each.stopping for each in members)
        if state is None or state is self._state or (state is State.INIT and not stopped):
            return []
        before, self._state = self._state, state
        reason = max((each.last for each in members if each.last is not None), key=_when).reason
        word = STOP if stopped else state.value
        previous = (before or State.INIT).value
        news = News(GROUP, self.settings.name, word, previous, priority=0, master="", reason=reason)
        return [notifier.tell(news, self.settings.notifications)]

    def among(self, routers: Mapping[str, VirtualRouter]) -> list[VirtualRouter]:
        """Its members, of the routers by name."""
        return [routers[name] for name in self.settings.members if name in routers]

    def successor(self, settings: SyncGroupSettings) -> Group:
        """The group as a reload has it."""
        return Group(settings, self._state)

    def _together(
        self, state: State, steps: Iterator[tuple[VirtualRouter, list[Effect]]]
    ) -> Iterator[tuple[VirtualRouter, list[Effect]]]:
        for number, (router, effects) in enumerate(steps):
            yield router, effects if number else [self.syncing(state), *effects]


class Groups:
    """All sync groups of a node."""

    def __init__(self) -> None:
        self._of: dict[str, Group] = {}  # by member
        self._restless: dict[Group, None] = {}  # whose members may not be in one state

    def __iter__(self) -> Iterator[Group]:
        return iter(dict.fromkeys(self._of.values()))

    def form(self, settings: Iterable[SyncGroupSettings]) -> None:
        """Have exactly these; one that there was goes on."""
        known = {group.settings.name: group for group in self}
        self._of = {}
        for each in settings:
            before = known.get(each.name)
            group = before.successor(each) if before is not None else Group(each)
            self._of |= dict.fromkeys(each.members, group)

    def blame(self, name: str, own: Standing) -> Standing:
        """What its group makes of an instance's standing; `own` is by itself."""
        group = self._of.get(name)
        return group.blame(name, own) if group is not None else own

    def join(self, routers: Mapping[str, VirtualRouter], now: float) -> list[VirtualRouter]:
        """Every router learns of its group, or that it stands for itself; those that do."""
        alone = [router for name, router in routers.items() if name not in self._of]
        for router in alone:
            router.leave_group(now)
        for group in self:
            members = group.among(routers)
            for each in members:
                each.join(group.settings.name, max(member.slowest_successor for member in members))
            self._restless.setdefault(group)
        return alone

    def disturb(self, name: str) -> None:
        """Something happened to an instance."""
        group = self._of.get(name)
        if group is not None:
            self._restless.setdefault(group)

    def restless(self) -> Group | None:
        """One that has to agree anew, which is then asked to; None when all are at rest."""
        return self._restless.popitem()[0] if self._restless else None


def common_state(members: Members) -> State | None:
    """The state that all members are in; None while they are in several."""
    states = {each.state for each in members}
    return states.pop() if len(states) == 1 else None


def grouped(settings: NodeSettings) -> tuple[InstanceSettings, ...]:
    """The instances with what their sync groups track, and what a group makes of the weights of its members."""
    groups: Mapping[str, SyncGroupSettings] = {name: each for each in settings.groups for name in each.members}
    return tuple(_member(each, groups[each.name]) if each.name in groups else each for each in settings.instances)


def _member(instance: InstanceSettings, group: SyncGroupSettings) -> InstanceSettings:
    """Members with priorities of their own would be beaten one by one: what they track is a fault, or moves nothing.

    What the group tracks moves all of them alike.
    """
    own = instance.tracks if group.tracking_weight else tuple(replace(each, weight=0) for each in instance.tracks)
    return replace(instance, tracks=tuple(dict.fromkeys(own + group.tracks)))


def _when(transition: Transition) -> float:
    return transition.at


def _readiness(router: VirtualRouter) -> float:
    return router.ready or 0.0
