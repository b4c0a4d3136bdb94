"""Interfaces that a keepalived.conf names, and this host does not have at the moment."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from pyvrrp.config.keepalived.remarks import Remarks
from pyvrrp.config.keepalived.scope import Scope
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.tree import Scalar
from pyvrrp.config.values import quote

_BLOCKS: Final = ("vrrp_instance", "vrrp_sync_group")
_ADDRESSES: Final = ("virtual_ipaddress", "virtual_ipaddress_excluded")
_NOT_ASKED: Final = ("dynamic_interfaces", "net_namespace")  # they come later, or are of another network


def remark_missing(statements: tuple[Statement, ...], remarks: Remarks) -> None:
    """Object to them, as keepalived does; what needs one waits for it."""
    settings = (each for block in statements if block.keyword == "global_defs" for each in block.block or ())
    if any(each.keyword in _NOT_ASKED for each in (*statements, *settings)):
        return
    present = {name for _, name in socket.if_nameindex()}
    for block in (each for each in statements if each.keyword in _BLOCKS):
        path = Scope(remarks).within(block).path
        for statement in block.block or ():
            for word in _interfaces(statement):
                if word.text not in present:
                    message = f"there is no interface {quote(word.text)} at the moment"
                    remarks.error(word.place, f"{path}.{statement.keyword}", message)


def _interfaces(statement: Statement) -> Iterator[Scalar]:
    """The names of interfaces in a statement."""
    if statement.keyword == "interface":
        yield statement.arguments[0]
    for entry in statement.block or ():
        if statement.keyword == "track_interface":
            yield entry.words[0]
        elif statement.keyword in _ADDRESSES:
            yield from (name for option, name in pairwise(entry.words) if option.text == "dev")
