"""Interfaces that a keepalived.conf names, and this host does not have at the moment."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from typing import Final

from pyvrrp.config.keepalived.remarks import Remarks
from pyvrrp.config.keepalived.scope import Scope
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.values import quote

_BLOCKS: Final = ("vrrp_instance", "vrrp_sync_group")
_ADDRESSES: Final = ("virtual_ipaddress", "virtual_ipaddress_excluded")
# Where these are in the file, interfaces may come later, or are not this network's.
_NOT_NOW: Final = ("dynamic_interfaces", "net_namespace")


def remark_missing(statements: tuple[Statement, ...], remarks: Remarks) -> None:
    """Object, as keepalived does, to what is not there; here it is waited for."""
    inside = (each for block in statements if block.keyword == "global_defs" for each in block.block or ())
    if any(each.keyword in _NOT_NOW for each in (*statements, *inside)):
        return
    present = {name for _, name in socket.if_nameindex()}
    for block in statements:
        scope = Scope(remarks).within(block)
        for statement, name in _named(block.block or ()) if block.keyword in _BLOCKS else ():
            if name not in present:
                scope.error(statement, f"there is no interface {quote(name)} at the moment; it is waited for")


def _named(statements: Iterable[Statement]) -> Iterator[tuple[Statement, str]]:
    """What names an interface, and its name."""
    for statement in statements:
        entries = statement.block or ()
        if statement.keyword == "interface":
            yield statement, statement.arguments[0].text
        elif statement.keyword == "track_interface":
            yield from ((entry, entry.keyword) for entry in entries)
        elif statement.keyword in _ADDRESSES:
            words = ((entry, word.text, after.text) for entry in entries for word, after in _pairs(entry))
            yield from ((entry, name) for entry, option, name in words if option == "dev")
