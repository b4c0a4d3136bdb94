"""vrrp_sync_group, and what being in one means for its members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from pyvrrp.config.keepalived import reading
from pyvrrp.config.keepalived.draft import scalar, sequence
from pyvrrp.config.keepalived.map_global import Globals
from pyvrrp.config.keepalived.map_instance import Instance
from pyvrrp.config.keepalived.map_notify import Notifying
from pyvrrp.config.keepalived.map_tracking import (
    INTERFACE,
    KINDS,
    PROCESS,
    SCRIPT,
    Checks,
    Tracked,
    read_tracking,
    tracks,
)
from pyvrrp.config.keepalived.names import sound_name
from pyvrrp.config.keepalived.reading import Handler
from pyvrrp.config.keepalived.scope import Scope
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.tree import Place, Scalar

_USUAL_SIZE: Final = 2


class Group(Notifying):
    """One vrrp_sync_group."""

    def __init__(self, scope: Scope, statement: Statement, everywhere: Globals, checks: Checks) -> None:
        super().__init__(scope, statement, everywhere)
        self._checks = checks
        self._list: Statement | None = None
        self._weighs = False
        self._begins: Place | None = None  # what it tracks
        self._tracked: list[Tracked] = []

    @property
    def name(self) -> str:
        """What it is called."""
        return sound_name(self.statement.arguments[0].text)

    def _members(self, statement: Statement) -> None:
        if self._list is not None:
            self.scope.error(statement, f"stands in line {self._list.place.line} already; this is left out")
            return
        self._list = statement
        if not statement.block:
            self.scope.error(statement, "is empty")

    def _track(self, statement: Statement) -> None:
        self._begins = self._begins or statement.place
        read_tracking(self.scope, statement, self._checks, self._tracked)

    def _tracking_weight(self, statement: Statement) -> None:
        self._weighs = True
        reading.flag("sync_group_tracking_weight")(self, statement)

    def _global_tracking(self, statement: Statement) -> None:
        self.scope.look_at_value(statement)
        self._tracking_weight(statement)

    HANDLERS: ClassVar[Mapping[str, Handler]] = {
        **Notifying.NOTIFYING,
        **dict.fromkeys(KINDS, _track),
        "group": _members,
        "sync_group_tracking_weight": _tracking_weight,
        "global_tracking": _global_tracking,
    }

    def complete(self, instances: Mapping[str, Instance], taken: dict[str, Group]) -> bool:
        """All of the file is read. `taken` are members of other groups. False, with remarks, when it is left out."""
        members: list[Scalar] = []
        for word in (word for entry in (self._list.block if self._list else None) or () for word in entry.words):
            name = sound_name(word.text)
            if name not in instances:
                self.scope.error_at(word.place, f"there is no vrrp_instance {name}; it is left out")
            elif name in taken:
                self.scope.error_at(word.place, f"{name} is in group {taken[name].name} already; it is left out")
            else:
                taken[name] = self
                members.append(scalar(word.place, name))
        if not members:
            self.scope.error_at(self.statement.place, "has no instances; it is left out")
            return False
        if len(members) < _USUAL_SIZE:
            self.scope.error_at(self.statement.place, "has a single instance, that is of no use")
        self.inherit()
        place = self._list.place if self._list else self.statement.place
        self.draft.put("group", place, sequence(place, members))
        found = [instances[word.text] for word in members]
        self._put_tracks(found)
        for member in found:
            self._tame(member)
        return True

    def _put_tracks(self, members: list[Instance]) -> None:
        owned = any(member.owner for member in members)
        for index, each in enumerate(self._tracked):
            if owned and each.weight:
                self.scope.error(each.entry, "a member has priority 255, so weights have no effect; 0 is used")
                self._tracked[index] = each.weightless()
        if self._tracked:
            place = self._begins or self.draft.place
            self.draft.put("track_checks", place, tracks(place, self._tracked))
            self._checks.used.update(each.check for each in self._tracked)

    def _tame(self, member: Instance) -> None:
        """Take the weights of what a member tracks by itself: members have one priority, or fight."""
        own = {each.name for each in self._tracked if each.kind == INTERFACE}
        found: list[Tracked] = []
        for each in member.tracked:
            if each.kind == INTERFACE and each.name in own:
                member.complain_of(each, f"group {self.name} tracks {each.name}, too; one of the two is enough")
            if not each.weight or self._weighs or each.kind == PROCESS:
                found.append(each)
            elif each.kind == SCRIPT:
                member.complain_of(each, f"members of a group have no weights; {each.name} is not tracked")
            else:
                member.complain_of(each, "members of a group have no weights; 0 is used")
                found.append(each.weightless())
        member.tracked = found
        if member.interface in own:
            member.scope.error_at(member.statement.place, f"group {self.name} tracks {member.interface}, as it does")
