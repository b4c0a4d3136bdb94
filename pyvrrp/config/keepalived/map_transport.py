"""How the adverts of an instance travel. What pyvrrp cannot do yet keeps the instance from running.

One that its peers do not hear, or do not believe, would be a second master.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import ClassVar, Final

from pyvrrp.config.keepalived.map_global import MULTICAST, Globals, is_multicast
from pyvrrp.config.keepalived.numbers import Number
from pyvrrp.config.keepalived.reading import Handler
from pyvrrp.config.keepalived.scope import Scope, is_address
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.values import quote

Obstacle = tuple[Statement, str]  # which statement keeps an instance from running, and why

_TTL: Final = Number(0, 255)
_VRRP_MAC: Final = "00:00:5e:00:01:"
_UNBELIEVED: Final = "not supported yet, and its peers would not believe it"


class Transport:
    """The keywords of one instance that are about this."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._found: list[Obstacle] = []
        self._unicast: Statement | None = None  # the first that says so
        self._without_peers: Statement | None = None  # unicast_fault_no_peer
        self._peers: Statement | None = None
        self._checksum: Statement | None = None
        self._mac = False

    def read(self, statement: Statement) -> None:
        """One of the keywords that HANDLERS names."""
        self.HANDLERS[statement.keyword](self, statement)

    def obstacles(self, version: str, everywhere: Globals) -> Iterator[Obstacle]:
        """What keeps the instance from running, when all of it is read."""
        yield from self._found
        if self._peers is not None:
            yield self._peers, "unicast is not supported yet"
        elif self._without_peers is not None and self._unicast is not None:
            yield self._without_peers, "there are no peers, keepalived has it in FAULT"
        elif self._unicast is not None:
            self._scope.error(self._unicast, "there are no unicast peers; multicast is used")
        if everywhere.foreign_multicast is not None:
            yield everywhere.foreign_multicast, "adverts to that group are not supported yet"
        checksum = self._checksum or everywhere.checksum_as_v2
        if checksum is not None and version == "3":
            yield checksum, f"this checksum is {_UNBELIEVED}"

    # --- unicast ---------------------------------------------------------------------------------------------------

    def _is_unicast(self, statement: Statement) -> None:
        self._unicast = self._unicast or statement
        self._scope.look_at_value(statement)

    def _unicast_source(self, statement: Statement) -> None:
        self._unicast = self._unicast or statement
        self._scope.address(statement, statement.arguments[0])

    def _ttl(self, statement: Statement) -> None:
        if self._scope.number(statement, _TTL, "255") is not None:
            self._unicast = self._unicast or statement

    def _fault(self, statement: Statement) -> None:
        self._without_peers = statement

    def _peer_list(self, statement: Statement) -> None:
        self._unicast = self._unicast or statement
        inner = Scope(self._scope.remarks, f"{self._scope.path}.{statement.keyword}")
        for entry in statement.block or ():
            if _is_peer(inner, entry):
                self._peers = statement

    # --- multicast, IPv6, signatures -------------------------------------------------------------------------------

    def _group(self, statement: Statement) -> None:
        group = statement.arguments[0].text
        if is_multicast(self._scope, statement) and group != MULTICAST:
            self._found.append((statement, f"adverts to {group} are not supported yet"))

    def _source(self, statement: Statement) -> None:
        address = self._scope.address(statement, statement.arguments[0])
        if address is not None and ip_address(address).version != 4:
            self._scope.error(statement, f"{address} is not IPv4; it is left out")

    def _signed(self, statement: Statement) -> None:
        self._found.append((statement, f"signed adverts are {_UNBELIEVED}"))

    def _checksum_as_v2(self, statement: Statement) -> None:
        self._checksum = statement

    # --- virtual interfaces ----------------------------------------------------------------------------------------

    def _virtual_mac(self, statement: Statement) -> None:
        self._mac = True
        for word in statement.arguments:
            if word.text.lower().startswith(_VRRP_MAC):
                self._scope.error(statement, f"{word.text} is the virtual router's own MAC address; it is left out")

    def _on_base(self, statement: Statement) -> None:
        if not self._mac:
            self._scope.error(statement, "has no meaning without use_vmac")

    def _ipvlan(self, statement: Statement) -> None:
        if not any(is_address(word.text.partition("/")[0]) for word in statement.arguments):
            self._scope.error(statement, "needs an IP address")

    HANDLERS: ClassVar[Mapping[str, Handler]] = {
        "unicast_peer": _peer_list,
        "unicast_src_ip": _unicast_source,
        "unicast_fault_no_peer": _fault,
        "unicast_ttl": _ttl,
        "check_unicast_src": _is_unicast,
        "old_unicast_checksum": _is_unicast,
        "mcast_src_ip": _source,
        "mcast_dst_ip": _group,
        "auth_hmac": _signed,
        "v3_checksum_as_v2": _checksum_as_v2,
        "use_vmac": _virtual_mac,
        "vmac_xmit_base": _on_base,
        "use_ipvlan": _ipvlan,
    }


def _is_peer(scope: Scope, entry: Statement) -> bool:
    """Whether an entry is a peer, `IP [min_ttl N] [max_ttl N]`; what is wrong with it is remarked."""
    try:
        family = ip_address(entry.keyword).version
    except ValueError:
        scope.error(entry, f"{quote(entry.keyword)} is not an IP address; it is left out")
        return False
    if family != 4:
        scope.error(entry, f"{entry.keyword} is not IPv4; it is left out")
        return False
    options = entry.arguments
    for option, value in zip(options[::2], options[1::2], strict=False):
        if option.text in ("min_ttl", "max_ttl"):
            scope.number_of(entry, value, _TTL, "255")
        else:
            scope.error(entry, f"{quote(option.text)} is not an option of a peer")
    if len(options) % 2:
        scope.error(entry, f"{quote(options[-1].text)} needs a value")
    return True
