"""Keywords about unicast: with peers the instance is left out, without them keepalived falls back on multicast."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from pyvrrp.config.keepalived.numbers import Number
from pyvrrp.config.keepalived.scope import Scope
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.values import quote

_TTL: Final = Number(0, 255)


class Unicast:
    """What an instance says about unicast."""

    KEYWORDS: Final = (
        "unicast_peer",
        "unicast_src_ip",
        "unicast_fault_no_peer",
        "unicast_ttl",
        "check_unicast_src",
        "old_unicast_checksum",
    )

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._first: Statement | None = None  # which says that unicast is meant
        self._fault: Statement | None = None
        self._peers: Statement | None = None

    def read(self, statement: Statement) -> None:
        """One of its keywords."""
        keyword = statement.keyword
        if keyword == "unicast_fault_no_peer":
            self._fault = statement
            return
        if keyword == "unicast_ttl" and self._scope.number(statement, _TTL, "255") is None:
            return
        self._first = self._first or statement
        if keyword == "unicast_src_ip":
            self._scope.address(statement, statement.arguments[0])
        elif keyword == "old_unicast_checksum":
            self._scope.look_at_value(statement)
        elif keyword == "unicast_peer":
            for entry in statement.block or ():
                if self._peer(entry):
                    self._peers = statement

    def _peer(self, entry: Statement) -> bool:
        """Whether the entry is a peer; its options are looked at."""
        address = entry.keyword
        try:
            family = ip_address(address).version
        except ValueError:
            self._scope.error(entry, f"unicast_peer: {quote(address)} is not an IP address; it is left out")
            return False
        if family != 4:
            self._scope.error(entry, f"unicast_peer: {address} is not IPv4; it is left out")
            return False
        options = entry.arguments
        for option, value in zip(options[::2], options[1::2], strict=False):
            if option.text in ("min_ttl", "max_ttl"):
                self._scope.number_of(entry, value, _TTL, "255")
            else:
                self._scope.error(entry, f"unicast_peer: {quote(option.text)} is not an option of a peer")
        if len(options) % 2:
            self._scope.error(entry, f"unicast_peer: {quote(options[-1].text)} needs a value")
        return True

    def complete(self, obstacles: list[tuple[Statement, str]]) -> None:
        """Add what keeps the instance from running."""
        if self._peers is not None:
            obstacles.append((self._peers, "unicast is not supported yet"))
        elif self._fault is not None and self._first is not None:
            obstacles.append((self._fault, "there are no peers: keepalived has it in FAULT"))
        elif self._first is not None:
            self._scope.error(self._first, "there are no unicast peers; multicast is used")
