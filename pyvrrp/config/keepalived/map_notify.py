"""Whom instances and groups tell: notify scripts and mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from pyvrrp.config.keepalived import reading
from pyvrrp.config.keepalived.map_global import Globals
from pyvrrp.config.keepalived.numbers import written
from pyvrrp.config.keepalived.reading import Handler, Reader
from pyvrrp.config.keepalived.scope import Scope
from pyvrrp.config.keepalived.statement import Statement

_SCRIPTS: Final = (
    "notify",
    "notify_master",
    "notify_backup",
    "notify_fault",
    "notify_stop",
    "notify_deleted",
    "notify_master_rx_lower_pri",
)


class Notifying(Reader):
    """A block that has notify scripts. `inherit` fills in what global_defs say."""

    def __init__(self, scope: Scope, statement: Statement, everywhere: Globals) -> None:
        super().__init__(scope, statement.place)
        self.statement = statement
        self.everywhere = everywhere
        self._scripts: dict[str, Statement] = {}

    def inherit(self) -> None:
        """Take the mail of global_defs where nothing is said here."""
        if self.everywhere.vrrp_alert:
            self.draft.default("smtp_alert", written(True))

    def _script(self, statement: Statement) -> None:
        first = self._scripts.setdefault(statement.keyword, statement)
        if first is not statement:
            self.scope.error(statement, f"stands in line {first.place.line} already; this is left out")
            return
        if not statement.arguments and statement.keyword == "notify_deleted":
            self.scope.advise(statement, "without a script it has no effect: whoever is told hears FAULT, not DELETED")
            return
        command = self.everywhere.commands.of_notify(self.scope, statement)
        if command is not None:
            self.draft.put(statement.keyword, statement.place, command)

    NOTIFYING: ClassVar[Mapping[str, Handler]] = {
        **dict.fromkeys(_SCRIPTS, _script),
        "notify_priority_changes": reading.truth("notify_priority_changes"),
        "smtp_alert": reading.truth("smtp_alert"),
    }
