"""The databases behind a node's virtual routers: what was last reported of each, and who is told of their answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyvrrp.core.effects import Effect
from pyvrrp.core.events import (
    DatabaseReport,
    DatabaseView,
    Invited,
    Relinquish,
    Seize,
    Vacant,
    WritesClosed,
    WritesOpened,
    WritesRefused,
)
from pyvrrp.core.fsm import VirtualRouter
from pyvrrp.core.settings import Account, InstanceSettings
from pyvrrp.core.snapshot import DatabaseStatus
from pyvrrp.core.writes import Terms

Answer = WritesOpened | WritesRefused | WritesClosed | Invited | Vacant | Relinquish | Seize


def tell(router: VirtualRouter, event: Answer, now: float) -> list[Effect]:
    """What a virtual router does about an answer of its database, its peer's agent or its operator."""
    match event:
        case WritesOpened(_, term, detail):
            return router.writes_opened(term, detail, now)
        case WritesRefused(_, term, reason):
            return router.writes_refused(term, reason, now)
        case WritesClosed(_, term, detail, complete):
            return router.writes_closed(term, detail, now, complete=complete)
        case Invited(_, by):
            return router.invited(by, now)
        case Vacant(_, by):
            return router.vacant(by, now)
        case Relinquish(_, reason):
            return router.relinquish(reason, now)
    return router.seize(event.reason, now)


def servers(instances: Iterable[InstanceSettings]) -> dict[str, Account]:
    """The server of each instance that is bound to one."""
    return {each.name: each.database.account for each in instances if each.database is not None}


class Databases:
    """The latest report of each instance, and when it came."""

    def __init__(self) -> None:
        self.terms = Terms()
        self._reports: dict[str, tuple[DatabaseReport, float]] = {}

    def forget(self, before: Iterable[InstanceSettings], instances: Iterable[InstanceSettings]) -> None:
        """A reload took databases away or put others in their place: nothing is known of those yet."""
        known, wanted = servers(before), servers(instances)
        for name in [name for name in self._reports if known.get(name) != wanted.get(name)]:
            del self._reports[name]

    def take(self, report: DatabaseReport, now: float) -> None:
        """Something is known anew."""
        self._reports[report.instance] = report, now

    def report(self, instance: str) -> DatabaseReport | None:
        """The latest one."""
        return self._reports[instance][0] if instance in self._reports else None

    def status(self, routers: Mapping[str, VirtualRouter]) -> tuple[DatabaseStatus, ...]:
        """Of every instance that is bound to a database."""
        return tuple(self._one(name) for name, router in routers.items() if router.settings.database is not None)

    def _one(self, instance: str) -> DatabaseStatus:
        if instance not in self._reports:
            return DatabaseStatus(instance, DatabaseView(), (), (), None)
        report, at = self._reports[instance]
        return DatabaseStatus(instance, report.view, report.faults, report.against, at)
