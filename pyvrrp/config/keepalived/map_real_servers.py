"""real_server, and what it has in common with virtual_server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from pyvrrp.config.keepalived import reading
from pyvrrp.config.keepalived.draft import Draft, scalar, sequence
from pyvrrp.config.keepalived.map_checker_kinds import CHECKERS
from pyvrrp.config.keepalived.map_checkers import Server, Timed
from pyvrrp.config.keepalived.map_global import Globals
from pyvrrp.config.keepalived.map_tracking import Checks
from pyvrrp.config.keepalived.numbers import INT_MAX, Number, written
from pyvrrp.config.keepalived.reading import Handler
from pyvrrp.config.keepalived.scope import Scope
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.tree import TreeNode
from pyvrrp.config.values import quote

PORT: Final = Number(0, 65535)
WEIGHT_MOST: Final = 65535  # that node.yaml says

_METHODS: Final = ("NAT", "DR", "TUN")
_TUNNELS: Final = ("ipip", "gue", "gre")


class ServerBlock(Timed):
    """What virtual and real servers have in common."""

    def __init__(self, scope: Scope, statement: Statement, everywhere: Globals, checks: Checks) -> None:
        super().__init__(scope, statement)
        self.everywhere = everywhere
        self.checks = checks

    def socket(self, words: int) -> tuple[str, int] | None:
        """`IP [PORT]` from that word on, with port 0 for none. None, with an error."""
        address, *port = self.statement.words[words : words + 2]
        found = self.scope.address(self.statement, address)
        if found is None or not port:
            return None if found is None else (found, 0)
        number = self.scope.number_of(self.statement, port[0], PORT, "")
        return None if number is None else (found, int(number))

    def take_script(self, statement: Statement) -> None:
        """`KEYWORD script [user [group]]`."""
        command = self.everywhere.commands.of_notify(self.scope, statement)
        if command is not None:
            self.draft.put(statement.keyword, statement.place, command)

    def method_of(self, statement: Statement) -> str | None:
        """How packets reach a server. None, with an error."""
        method, *tunnel = (word.text for word in statement.arguments)
        if method not in _METHODS:
            self.scope.error(statement, f"{quote(method)} is not NAT, DR or TUN; it is left out")
            return None
        if method == "TUN" and tunnel[:1] == ["type"] and tunnel[1:2] and tunnel[1] not in _TUNNELS:
            self.scope.error(statement, f"{quote(tunnel[1])} is not {', '.join(_TUNNELS)}; it is left out")
            return None
        return method

    def put_alert(self, *, usual: bool) -> None:
        """Mail at each change, where nothing is said, as global_defs say."""
        said = self.everywhere.checker_alert
        if usual if said is None else said:
            self.draft.default("smtp_alert", written(True))


class RealServer(ServerBlock):
    def __init__(self, scope: Scope, statement: Statement, everywhere: Globals, checks: Checks) -> None:
        super().__init__(scope, statement, everywhere, checks)
        self.address, self.port = "", 0
        self.method: str | None = None
        self._blocks: list[Statement] = []

    def _checker(self, statement: Statement) -> None:
        self._blocks.append(statement)

    def _method(self, statement: Statement) -> None:
        self.method = self.method_of(statement) or self.method

    HANDLERS: ClassVar[Mapping[str, Handler]] = {
        **Timed.TIMED,
        **dict.fromkeys(CHECKERS, _checker),
        "weight": reading.number("weight", Number(0, INT_MAX, most=WEIGHT_MOST), "1"),
        "notify_up": ServerBlock.take_script,
        "notify_down": ServerBlock.take_script,
        "inhibit_on_failure": reading.truth("inhibit_on_failure"),
        "smtp_alert": reading.truth("smtp_alert"),
        "lvs_method": _method,
    }

    def read_checkers(self, above: Draft, port_above: int) -> None:
        """The lines of the servers are read: make checks. `above` is what the virtual server hands down."""
        self.handed.inherit(above)
        port = self.port or port_above
        server = Server(self.address, port, self.handed)
        names: list[TreeNode] = []
        for block in self._blocks:
            checker = CHECKERS[block.keyword](
                self.scope.within(block), block, server, self.checks, self.everywhere.commands
            )
            checker.read(block.block)
            for draft in checker.drafts():
                name = self.checks.fresh(f"[{self.address}]:{port}/{block.keyword}")
                self.checks.drafts[name] = draft
                self.checks.used.add(name)
                names.append(scalar(draft.place, name))
        if names:
            self.draft.put("checks", self.draft.place, sequence(self.draft.place, names))
