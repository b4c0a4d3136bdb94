"""The kernel's routes and rules through rtnetlink: those of keepalived's protocol number, which are ours. Loaded only
when a configuration has any.

Routes of others are left alone, also those to the same destination: ours stands before them, and goes by itself.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator, Sequence
from errno import EEXIST, ENODEV, ENOENT, ESRCH
from ipaddress import ip_address, ip_network
from types import MappingProxyType
from typing import Final

from pyvrrp import bpf
from pyvrrp.core.effects import Action, RouteOperation
from pyvrrp.core.events import RoutesChanged
from pyvrrp.core.settings import (
    IPV6_METRIC,
    ROUTE_TYPES,
    Address,
    Network,
    NextHop,
    RouteKey,
    VirtualRoute,
    VirtualRule,
)
from pyvrrp.errors import KernelError
from pyvrrp.rtnetlink import (
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_EXCL,
    Channel,
    attribute,
    attributes,
    messages,
    open_socket,
)

# linux/rtnetlink.h
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE = 32, 33, 34
# RTNLGRP_IPV4_ROUTE, IPV6_ROUTE, IPV4_RULE, IPV6_RULE
GROUPS: Final = 1 << 6 | 1 << 10 | 1 << 7 | 1 << 18
HEADER_SIZE: Final = 16
RTMSG: Final = struct.Struct("=BBBBBBBBI")  # family, dst_len, src_len, tos, table, protocol, scope, type, flags
RTNEXTHOP: Final = struct.Struct("=HBBi")  # length, flags, weight - 1, interface index
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC, RTA_METRICS, RTA_MULTIPATH, RTA_TABLE = (
    1,
    4,
    5,
    6,
    7,
    8,
    9,
    15,
)
RTA_VIA: Final = 18
RTNH_F_ONLINK: Final = 4
RTPROT_KEEPALIVED: Final = 18
RT_TABLE_COMPAT: Final = 252  # the byte for a table that does not fit in it
OPTIONS: Final = MappingProxyType(
    {
        "mtu": 2,
        "window": 3,
        "rtt": 4,
        "rttvar": 5,
        "ssthresh": 6,
        "cwnd": 7,
        "advmss": 8,
        "reordering": 9,
        "hoplimit": 10,
        "initcwnd": 11,
        "rto_min": 13,
        "initrwnd": 14,
        "quickack": 15,
    }
)

# linux/fib_rules.h; struct fib_rule_hdr has the layout of struct rtmsg: its type is an action
FRA_DST, FRA_SRC, FRA_IIFNAME, FRA_PRIORITY, FRA_FWMARK, FRA_SUPPRESS_PREFIXLEN = 1, 2, 3, 6, 10, 14
FRA_TABLE, FRA_FWMASK, FRA_OIFNAME, FRA_PROTOCOL = 15, 16, 17, 21
FIB_RULE_INVERT: Final = 2
ACTIONS: Final = MappingProxyType({"lookup": 1, "blackhole": 6, "unreachable": 7, "prohibit": 8})
NAMES: Final = MappingProxyType({number: name for name, number in ACTIONS.items()})

NUMBER: Final = struct.Struct("=I")
NOTHING: Final = 0xFFFFFFFF
FAMILIES: Final = MappingProxyType({4: socket.AF_INET, 6: socket.AF_INET6})
PROTOCOL_OFFSET, TYPE_OFFSET, PORT_ID_OFFSET = HEADER_SIZE + 5, 4, 12


class Routes:
    """Reads and changes them, and hears when somebody else changes them."""

    def __init__(self) -> None:
        """Raises KernelError when the sockets cannot be opened."""
        try:
            self._channel = Channel()
            self._monitor = open_socket(GROUPS)
            bpf.attach(self._monitor, _concerning_us(self._channel.port_id))
        except OSError as error:
            number = error.errno or 0
            raise KernelError("open a netlink socket", number, os.strerror(number)) from error

    def fileno(self) -> int:
        """The descriptor to watch for reading; then call `changed`."""
        return self._monitor.fileno()

    def close(self) -> None:
        """Close both sockets."""
        self._channel.close()
        self._monitor.close()

    def changed(self) -> None:
        """Take what waits: that something has changed is all there is to know; `observe` says the rest."""
        try:
            for _ in messages(self._monitor):
                pass
        except OSError:  # more than could be kept
            return

    def observe(self) -> RoutesChanged:
        """What there is of ours. Raises KernelError."""
        routes: set[RouteKey] = set()
        rules: set[VirtualRule] = set()
        for family in FAMILIES.values():
            asked = RTMSG.pack(family, 0, 0, 0, 0, RTPROT_KEEPALIVED, 0, 0, 0)
            for message in self._channel.ask("list the routes", RTM_GETROUTE, NLM_F_DUMP, asked):
                key = _parse_route(message[HEADER_SIZE:])
                if key is not None:
                    routes.add(key)
            asked = RTMSG.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)
            for message in self._channel.ask("list the rules", RTM_GETRULE, NLM_F_DUMP, asked):
                rule = _parse_rule(message[HEADER_SIZE:])
                if rule is not None:
                    rules.add(rule)
        return RoutesChanged(frozenset(routes), frozenset(rules))

    def apply(self, operations: Sequence[RouteOperation]) -> list[KernelError | None]:
        """Carry out the operations in order; one result for each, None when it is done."""
        return [self._apply(each) for each in operations]

    def _apply(self, operation: RouteOperation) -> KernelError | None:
        subject, adding = operation.subject, operation.action is Action.ADD
        try:
            if isinstance(subject, VirtualRoute):
                verb, flags = (RTM_NEWROUTE, NLM_F_CREATE) if adding else (RTM_DELROUTE, 0)
                body = _encode_route(subject, operation.action)
            else:
                verb, flags = (RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL) if adding else (RTM_DELRULE, 0)
                body = _encode_rule(subject)
            self._channel.do(f"{operation.action.value} {subject}", verb, flags, body)
        except KernelError as error:
            done = (EEXIST,) if adding else (ESRCH, ENOENT, ENODEV)
            return None if error.errno in done else error
        return None


def _concerning_us(port_id: int) -> list[bpf.Instruction]:
    """A filter for what other sockets than `port_id` caused, of routes only those with our protocol number."""
    # The header is in the byte order of the machine, and BPF loads big-endian.
    swapped = int.from_bytes(struct.pack("=I", port_id), "big")
    kinds = [int.from_bytes(struct.pack("=H", kind), "big") for kind in (RTM_NEWROUTE, RTM_DELROUTE)]
    return [
        (bpf.LOAD_WORD, 0, 0, PORT_ID_OFFSET),
        (bpf.JUMP_EQUAL, 5, 0, swapped),
        (bpf.LOAD_HALF, 0, 0, TYPE_OFFSET),
        (bpf.JUMP_EQUAL, 1, 0, kinds[0]),
        (bpf.JUMP_EQUAL, 0, 3, kinds[1]),
        (bpf.LOAD_BYTE, 0, 0, PROTOCOL_OFFSET),
        (bpf.JUMP_EQUAL, 1, 0, RTPROT_KEEPALIVED),
        bpf.DROP,
        bpf.PASS,
    ]


# --- routes -----------------------------------------------------------------------------------------------------------


def _encode_route(route: VirtualRoute, action: Action) -> bytes:
    network = route.destination
    fixed = RTMSG.pack(
        FAMILIES[network.version],
        network.prefixlen,
        0,
        route.tos,
        _table_byte(route.table),
        RTPROT_KEEPALIVED,
        route.scope if action is Action.ADD else _ANY_SCOPE,
        ROUTE_TYPES[route.kind],
        RTNH_F_ONLINK if route.onlink else 0,
    )
    parts = [attribute(RTA_TABLE, NUMBER.pack(route.table))]
    if network.prefixlen:
        parts.append(attribute(RTA_DST, network.network_address.packed))
    if route.metric:
        parts.append(attribute(RTA_PRIORITY, NUMBER.pack(route.metric)))
    if action is Action.ADD or not route.hops:
        parts += _way(route.via, network.version)
    if action is Action.ADD:
        parts += _only_when_added(route)
    return fixed + b"".join(parts)


_ANY_SCOPE: Final = 255  # RT_SCOPE_NOWHERE: a request to delete does not ask


def _only_when_added(route: VirtualRoute) -> Iterator[bytes]:
    if route.interface:
        yield attribute(RTA_OIF, NUMBER.pack(_index(route.interface, str(route))))
    if route.source is not None:
        yield attribute(RTA_PREFSRC, route.source.packed)
    if route.options:
        values = (attribute(OPTIONS[name], NUMBER.pack(value)) for name, value in route.options)
        yield attribute(RTA_METRICS, b"".join(values))
    if route.hops:
        hops = (_encode_hop(hop, str(route), route.destination.version) for hop in route.hops)
        yield attribute(RTA_MULTIPATH, b"".join(hops))


def _encode_hop(hop: NextHop, route: str, version: int) -> bytes:
    way = b"".join(_way(hop.via, version))
    index = _index(hop.interface, route) if hop.interface else 0
    flags = RTNH_F_ONLINK if hop.onlink else 0
    return RTNEXTHOP.pack(RTNEXTHOP.size + len(way), flags, hop.weight - 1, index) + way


def _way(via: Address | None, version: int) -> list[bytes]:
    """A gateway, perhaps of the other family."""
    if via is None:
        return []
    if via.version == version:
        return [attribute(RTA_GATEWAY, via.packed)]
    return [attribute(RTA_VIA, struct.pack("=H", FAMILIES[via.version]) + via.packed)]


def _index(interface: str, route: str) -> int:
    try:
        return socket.if_nametoindex(interface)
    except OSError:
        raise KernelError(f"set {route}", ENODEV, f"there is no interface {interface}") from None


def _parse_route(body: bytes) -> RouteKey | None:
    family, length, _, tos, table, protocol, _, _, _ = RTMSG.unpack_from(body)
    if protocol != RTPROT_KEEPALIVED:
        return None
    found = attributes(body[RTMSG.size :])
    network = _network(family, found.get(RTA_DST), length)
    metric = _number(found.get(RTA_PRIORITY)) or (IPV6_METRIC if network.version == 6 else 0)
    return RouteKey(network, _number(found.get(RTA_TABLE)) or table, metric, tos)


# --- rules ------------------------------------------------------------------------------------------------------------


def _encode_rule(rule: VirtualRule) -> bytes:
    fixed = RTMSG.pack(
        FAMILIES[rule.family],
        rule.destination.prefixlen if rule.destination is not None else 0,
        rule.source.prefixlen if rule.source is not None else 0,
        rule.tos,
        _table_byte(rule.table),
        0,
        0,
        ACTIONS[rule.action],
        FIB_RULE_INVERT if rule.negate else 0,
    )
    parts = [attribute(FRA_PRIORITY, NUMBER.pack(rule.priority)), attribute(FRA_PROTOCOL, bytes([RTPROT_KEEPALIVED]))]
    if rule.action == "lookup":
        parts.append(attribute(FRA_TABLE, NUMBER.pack(rule.table)))
    for kind, network in ((FRA_SRC, rule.source), (FRA_DST, rule.destination)):
        if network is not None:
            parts.append(attribute(kind, network.network_address.packed))
    for kind, name in ((FRA_IIFNAME, rule.iif), (FRA_OIFNAME, rule.oif)):
        if name:
            parts.append(attribute(kind, name.encode() + b"\0"))
    if rule.mask:
        parts += [attribute(FRA_FWMARK, NUMBER.pack(rule.mark)), attribute(FRA_FWMASK, NUMBER.pack(rule.mask))]
    if rule.suppress_prefixlength is not None:
        parts.append(attribute(FRA_SUPPRESS_PREFIXLEN, NUMBER.pack(rule.suppress_prefixlength)))
    return fixed + b"".join(parts)


def _parse_rule(body: bytes) -> VirtualRule | None:
    family, to_length, from_length, tos, table, _, _, action, flags = RTMSG.unpack_from(body)
    found = attributes(body[RTMSG.size :])
    if found.get(FRA_PROTOCOL) != bytes([RTPROT_KEEPALIVED]) or action not in NAMES:
        return None
    source, destination = found.get(FRA_SRC), found.get(FRA_DST)
    suppressed = _number(found.get(FRA_SUPPRESS_PREFIXLEN), NOTHING)
    return VirtualRule(
        family=4 if family == socket.AF_INET else 6,
        priority=_number(found.get(FRA_PRIORITY)),
        action=NAMES[action],
        table=_number(found.get(FRA_TABLE), table) if NAMES[action] == "lookup" else 0,
        negate=bool(flags & FIB_RULE_INVERT),
        source=_network(family, source, from_length) if source is not None else None,
        destination=_network(family, destination, to_length) if destination is not None else None,
        iif=_text(found.get(FRA_IIFNAME)),
        oif=_text(found.get(FRA_OIFNAME)),
        tos=tos,
        mark=_number(found.get(FRA_FWMARK)),
        mask=_number(found.get(FRA_FWMASK)),
        suppress_prefixlength=None if suppressed == NOTHING else suppressed,
    )


def _network(family: int, packed: bytes | None, length: int) -> Network:
    size = 4 if family == socket.AF_INET else 16
    return ip_network((ip_address(packed or bytes(size)), length), strict=False)


def _number(value: bytes | None, otherwise: int = 0) -> int:
    return int(NUMBER.unpack(value)[0]) if value is not None else otherwise


def _text(value: bytes | None) -> str:
    return (value or b"").rstrip(b"\0").decode(errors="replace")


def _table_byte(table: int) -> int:
    return table if table < 256 else RT_TABLE_COMPAT
