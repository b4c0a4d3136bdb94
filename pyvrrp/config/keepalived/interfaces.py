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
_LISTS: Final = ("static_ipaddress", "interface_up_down_delays", "garp_group")
_ADDRESSES: Final = ("virtual_ipaddress", "virtual_ipaddress_excluded")
_NOT_ASKED: Final = ("dynamic_interfaces", "net_namespace")  # they come later, or are of another network


def remark_missing(statements: tuple[Statement, ...], remarks: Remarks) -> None:
    """Object to them, as keepalived does; what needs one waits for it."""
    settings = (each for block in statements if block.keyword == "global_defs" for each in block.block or ())
    if any(each.keyword in _NOT_ASKED for each in (*statements, *settings)):
        return
    present = {name for _, name in socket.if_nameindex()}
    for block in (each for each in statements if each.keyword in _LISTS):
        for word in _listed(block):
            if word.text not in present:
                remarks.error(word.place, block.keyword, f"there is no interface {quote(word.text)} at the moment")
    for block in (each for each in statements if each.keyword in _BLOCKS):
        path = Scope(remarks).within(block).path
        for statement in block.block or ():
            for word in _interfaces(statement):
                if word.text not in present:
                    message = f"there is no interface {quote(word.text)} at the moment"
                    remarks.error(word.place, f"{path}.{statement.keyword}", message)


def _listed(block: Statement) -> Iterator[Scalar]:
    """The names of interfaces in a block that stands beside the instances."""
    for entry in block.block or ():
        if block.keyword == "static_ipaddress":
            yield from _devices(entry)
        elif block.keyword == "interface_up_down_delays":
            yield entry.words[0]
        elif entry.keyword == "interface":
            yield from entry.arguments[:1]
        elif entry.keyword == "interfaces":
            yield from (word for each in entry.block or () for word in each.words)


def _devices(address: Statement) -> Iterator[Scalar]:
    return (name for option, name in pairwise(address.words) if option.text == "dev")


def _interfaces(statement: Statement) -> Iterator[Scalar]:
    """The names of interfaces in a statement."""
    if statement.keyword == "interface":
        yield statement.arguments[0]
    for entry in statement.block or ():
        if statement.keyword == "track_interface":
            yield entry.words[0]
        elif statement.keyword in _ADDRESSES:
            yield from _devices(entry)
