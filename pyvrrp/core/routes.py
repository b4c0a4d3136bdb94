"""Routes and rules that follow the addresses of virtual routers, and those that stay (static).

They are a level as addresses are, but without a lease: what an agent that dies leaves behind is cleared by the next one
that has it in its configuration. A route whose source is a virtual address goes with that, by the kernel's own hand.
One that cannot be set is no fault of its instance: the reason is in the log, and it is tried again.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass

from pyvrrp.core import const
from pyvrrp.core.desired import Hold
from pyvrrp.core.effects import Action, Effect, Level, ReconcileRoutes, Record, RouteOperation
from pyvrrp.core.events import RouteFailed, RoutesChanged, RoutesDone
from pyvrrp.core.settings import InstanceSettings, NodeSettings, RouteKey, VirtualRoute, VirtualRule

Subject = VirtualRoute | VirtualRule

STATIC = ""  # whose routes and rules those are that no instance has


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to become of somebody's routes and rules."""

    hold: Hold
    subjects: tuple[Subject, ...]


class Routes:
    """What the kernel has of the managed routes and rules, and the way to what it ought to have."""

    def __init__(self) -> None:
        self._managed: dict[Subject, str] = {}  # with the instance that it is told under
        self._there: Set[RouteKey | VirtualRule] = frozenset()
        self._set: dict[RouteKey | VirtualRule, Subject] = {}  # what this process made of a key
        self._pending: set[RouteOperation] = set()
        self._retries: dict[Subject, float] = {}
        self._complaints: dict[Subject, str] = {}

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do, now and later."""
        return not self._managed

    def want(self, settings: NodeSettings) -> None:
        """These are managed from now on, and what is there of those before until it has gone."""
        left = {each: name for each, name in self._managed.items() if self._is_there(each)}
        self._managed = left | _names(settings)

    def held(self) -> tuple[RouteOperation, ...]:
        """What takes away all that is there."""
        there = [each for each in self._managed if self._is_there(each)]
        return tuple(RouteOperation(Action.REMOVE, each) for each in _rules_first(there))

    # --- what the kernel says -----------------------------------------------------------------------------------------

    def changed(self, event: RoutesChanged) -> None:
        """The kernel has exactly these of ours."""
        self._there = event.routes | event.rules

    def done(self, event: RoutesDone) -> None:
        """The kernel carried these out."""
        for operation in event.operations:
            self._pending.discard(operation)
            self._retries.pop(operation.subject, None)
            self._complaints.pop(operation.subject, None)
            key = _key(operation.subject)
            if operation.action is Action.ADD:
                self._there = self._there | {key}
                self._set[key] = operation.subject
            else:
                self._there = self._there - {key}
                self._set.pop(key, None)

    def failed(self, event: RouteFailed, now: float) -> list[Effect]:
        """The kernel refused it: it is tried again, and told of once."""
        operation, subject = event.operation, event.operation.subject
        self._pending.discard(operation)
        self._retries[subject] = now + const.KERNEL_RETRY
        what = "rule" if isinstance(subject, VirtualRule) else "route"
        text = f"the kernel would not {operation.action.value} the {what} {subject}: {event.reason}"
        if self._complaints.get(subject) == text:
            return []
        self._complaints[subject] = text
        return [Record(Level.ERROR, event.instance, text)]

    def next_deadline(self) -> float | None:
        """When the earliest refusal has aged enough."""
        return min(self._retries.values(), default=None)

    # --- what it ought to have ----------------------------------------------------------------------------------------

    def follow(self, effects: list[Effect], wishes: Iterable[Wish], now: float) -> list[Effect]:
        """The effects of one turn, with what has to be removed before them and what has to be added after them."""
        for subject in [each for each, at in self._retries.items() if at <= now]:
            del self._retries[subject]
        wishes = tuple(wishes)
        wanted = {each for wish in wishes if wish.hold is Hold.HAVE for each in wish.subjects}
        spared = {each for wish in wishes if wish.hold is Hold.KEEP for each in wish.subjects}
        unwanted = [
            each for each in self._managed if self._is_there(each) and each not in wanted and each not in spared
        ]
        missing = [each for each in self._managed if each in wanted and not self._is_there(each)]
        removals = self._ask(Action.REMOVE, _rules_first(unwanted))
        additions = self._ask(Action.ADD, _rules_first(missing)[::-1])
        self._forget(wishes)
        return [*removals, *effects, *additions]

    def _ask(self, action: Action, subjects: Iterable[Subject]) -> list[Effect]:
        by_name: dict[str, list[RouteOperation]] = {}
        for subject in subjects:
            operation = RouteOperation(action, subject)
            if operation not in self._pending and subject not in self._retries:
                by_name.setdefault(self._managed[subject], []).append(operation)
                self._pending.add(operation)
        return [ReconcileRoutes(name, tuple(operations)) for name, operations in by_name.items()]

    def _forget(self, wishes: Iterable[Wish]) -> None:
        """What nobody has any more, and the kernel neither."""
        known = {each for wish in wishes for each in wish.subjects}
        self._managed = {each: name for each, name in self._managed.items() if each in known or self._is_there(each)}

    def _is_there(self, subject: Subject) -> bool:
        """Whether the kernel has it; one with the same key that was set as another is another."""
        key = _key(subject)
        return key in self._there and self._set.get(key, subject) == subject


def static(settings: NodeSettings) -> Wish:
    """What stays for as long as the daemon runs."""
    return Wish(Hold.HAVE, _static(settings))


def follower(settings: InstanceSettings, hold: Hold) -> Wish:
    """What an instance wishes."""
    return Wish(hold, _virtual(settings))


def _static(settings: NodeSettings) -> tuple[Subject, ...]:
    return (*settings.static_routes, *settings.static_rules)


def _virtual(settings: InstanceSettings) -> tuple[Subject, ...]:
    return (*settings.routes, *settings.rules)


def _names(settings: NodeSettings) -> dict[Subject, str]:
    """All that is configured, in order, with the instance that it is told under."""
    virtual = {each: instance.name for instance in settings.instances for each in _virtual(instance)}
    return dict.fromkeys(_static(settings), STATIC) | virtual


def _key(subject: Subject) -> RouteKey | VirtualRule:
    return subject.key if isinstance(subject, VirtualRoute) else subject


def _rules_first(subjects: Iterable[Subject]) -> list[Subject]:
    """In the order of removal: a rule that leads to a table goes before the table's routes, the last one first."""
    last_first = list(subjects)[::-1]
    rules = [each for each in last_first if isinstance(each, VirtualRule)]
    return [*rules, *(each for each in last_first if isinstance(each, VirtualRoute))]
