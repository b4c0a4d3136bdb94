"""How the adverts of an instance travel, and which family it is of.

The first address that is named settles the family, wherever it stands: source, group, peer or virtual address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import ClassVar, Final

from pyvrrp.config.keepalived import reading
from pyvrrp.config.keepalived.draft import Draft, scalar, sequence
from pyvrrp.config.keepalived.map_global import Globals, multicast_group
from pyvrrp.config.keepalived.numbers import Number, written
from pyvrrp.config.keepalived.reading import Handler
from pyvrrp.config.keepalived.scope import Scope, is_address
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.tree import Place, Scalar, TreeNode
from pyvrrp.config.values import quote
from pyvrrp.config.values_net import HostIp
from pyvrrp.core import const

Obstacle = tuple[Statement, str]  # which statement keeps an instance from running, and why
# Keys that global_defs may say for all instances.
GLOBAL: Final = ("check_unicast_src", "skip_check_adv_addr", "owner_ignore_adverts", "v3_checksum_as_v2")

_TTL: Final = Number(0, 255)
_LINK_LOCAL: Final = "ff02:"
_PEERS_MAX: Final = 255


class Transport(reading.Reader):
    """The keywords of one instance that are about this; what they say is in `draft` when all of them are read."""

    def __init__(self, scope: Scope, place: Place) -> None:
        super().__init__(scope, place)
        self.family: int | None = None
        self.native = False
        self._found: list[Obstacle] = []
        self._unicast: Statement | None = None  # the first that says so
        self._source: Statement | None = None
        self._group: Statement | None = None
        self._peer_block: Statement | None = None
        self._peers: dict[str, TreeNode] = {}

    def hear(self, statement: Statement) -> None:
        """One of the keywords that HANDLERS names."""
        self.HANDLERS[statement.keyword](self, statement)

    @property
    def unicast(self) -> bool:
        """Whether adverts go to peers."""
        return bool(self._peers)

    def settles(self, address: str) -> bool:
        """Whether the instance is of the family of this address: it is, unless another was named before."""
        version = ip_address(address).version
        self.family = self.family or version
        return self.family == version

    def obstacles(self) -> Iterator[Obstacle]:
        """What keeps the instance from running, when all of it is read."""
        yield from self._found

    # --- unicast ---------------------------------------------------------------------------------------------------

    def _is_unicast(self, statement: Statement) -> None:
        self._unicast = self._unicast or statement
        self.scope.look_at_value(statement)

    def _check(self, statement: Statement) -> None:
        self._is_unicast(statement)
        reading.flag("check_unicast_src")(self, statement)

    def _source_of_unicast(self, statement: Statement) -> None:
        self._unicast = self._unicast or statement
        self._source_of_adverts(statement)

    def _source_of_adverts(self, statement: Statement) -> None:
        address = self.scope.address(statement, statement.arguments[0])
        if address is None:
            return
        if not self.settles(address):
            self.scope.error(statement, f"{address} is not IPv{self.family}; it is left out")
        elif reading.fits(self.scope, statement, HostIp(), address):
            self._source = statement

    def _ttl(self, statement: Statement) -> None:
        value = self.scope.number(statement, _TTL, "255")
        if value is not None:
            self._unicast = self._unicast or statement
            self.draft.say("unicast_ttl", statement, written(value))

    def _peer_list(self, statement: Statement) -> None:
        self._unicast = self._unicast or statement
        inner = Scope(self.scope.remarks, f"{self.scope.path}.{statement.keyword}")
        for entry in statement.block or ():
            address = self._peer_address(inner, entry)
            if address is None:
                continue
            self._peer_block = self._peer_block or statement
            node = _peer(inner, entry, address)
            if address in self._peers:
                inner.advise(entry, f"{address} stands there already; this is left out")
            elif len(self._peers) == _PEERS_MAX:
                inner.advise(entry, f"pyvrrp takes {_PEERS_MAX} peers; {address} is left out")
            else:
                self._peers[address] = node

    def _peer_address(self, scope: Scope, entry: Statement) -> str | None:
        text = entry.keyword
        if not is_address(text):
            scope.error(entry, f"{quote(text)} is not an IP address; it is left out")
            return None
        if not self.settles(text):
            scope.error(entry, f"{text} is not IPv{self.family}; it is left out")
            return None
        return str(ip_address(text)) if reading.fits(scope, entry, HostIp(), text) else None

    # --- multicast, IPv6, signatures -------------------------------------------------------------------------------

    def _group_of_adverts(self, statement: Statement) -> None:
        word = statement.arguments[0].text
        group = multicast_group(self.scope, statement, const.GROUP_IPV6 if ":" in word else const.GROUP_IPV4)
        if group is None:
            return
        if not self.settles(group):
            self.scope.error(statement, f"{group} is not IPv{self.family}; it is left out")
        elif ":" in group and not group.startswith(_LINK_LOCAL):
            self.scope.error(statement, f"{group} is not of this link ({_LINK_LOCAL}…); {const.GROUP_IPV6} is used")
        else:
            self._group = statement

    def _native(self, statement: Statement) -> None:
        if self.family == 4:
            self.scope.error(statement, "its addresses are IPv4; this is left out")
        else:
            self.family = 6
            self.native = True

    def _signed(self, statement: Statement) -> None:
        self._found.append((statement, "signed adverts are not supported yet, and its peers would not believe it"))

    HANDLERS: ClassVar[Mapping[str, Handler]] = {
        "unicast_peer": _peer_list,
        "unicast_src_ip": _source_of_unicast,
        "unicast_fault_no_peer": reading.flag("unicast_fault_no_peer"),
        "unicast_ttl": _ttl,
        "check_unicast_src": _check,
        "old_unicast_checksum": _is_unicast,
        "mcast_src_ip": _source_of_adverts,
        "mcast_dst_ip": _group_of_adverts,
        "track_src_ip": reading.flag("track_src_ip"),
        "native_ipv6": _native,
        "auth_hmac": _signed,
        "v3_checksum_as_v2": reading.truth("v3_checksum_as_v2"),
        "skip_check_adv_addr": reading.truth("skip_check_adv_addr"),
        "owner_ignore_adverts": reading.truth("owner_ignore_adverts"),
        "dont_track_primary": reading.flag("dont_track_primary"),
    }

    # --- all of it -------------------------------------------------------------------------------------------------

    def complete(self, everywhere: Globals, version: str, has_addresses: bool) -> Draft:
        """What all of it comes to, as node.yaml says it."""
        draft, family = self.draft, self.family or 4
        if self._peers:
            self._complete_unicast()
        else:
            self._complete_multicast(everywhere.groups.get(family))
        if self._source is None:
            self._without("track_src_ip", "there is no mcast_src_ip or unicast_src_ip to track")
        if (version, family) != ("3", 4):
            draft.drop("v3_checksum_as_v2")
        if family == 6 and not has_addresses:
            draft.default("native_ipv6", written(True))
        return draft

    def _without(self, key: str, message: str) -> None:
        entry = self.draft.entry(key)
        if entry is not None:
            self.scope.remarks.advise(entry.key.place, f"{self.scope.path}.{key}", f"{message}; it is left out")
            self.draft.drop(key)

    def _complete_unicast(self) -> None:
        if self._group is not None:
            self.scope.error(self._group, "has no effect with unicast peers; it is left out")
        own = self._say_source("unicast_src_ip")
        if own in self._peers and len(self._peers) > 1:
            self.scope.advise_at(self._peers[own].place, f"{own} is this node's own; as a peer it is left out")
            del self._peers[own]
        place = self._peer_block.place if self._peer_block is not None else self.draft.place
        self.draft.put("unicast_peer", place, sequence(place, self._peers.values()))

    def _complete_multicast(self, everywhere: Statement | None) -> None:
        fault = "unicast_fault_no_peer" in self.draft
        if self._unicast is not None and not fault:
            self.scope.error(self._unicast, "there are no unicast peers; multicast is used")
        self._say_source("unicast_src_ip" if fault else "mcast_src_ip")
        for key in ("unicast_ttl", "check_unicast_src"):
            self.draft.drop(key)
        group = self._group or everywhere
        if group is not None and group.arguments[0].text not in map(str, (const.GROUP_IPV4, const.GROUP_IPV6)):
            self.draft.say("mcast_dst_ip", group, str(ip_address(group.arguments[0].text)))

    def _say_source(self, key: str) -> str:
        if self._source is None:
            return ""
        address = str(ip_address(self.scope.bare(self._source, self._source.arguments[0])))
        self.draft.say(key, self._source, address)
        return address


def _peer(scope: Scope, entry: Statement, address: str) -> TreeNode:
    """A peer, `IP [min_ttl N] [max_ttl N]`, as node.yaml has it; what is wrong with its options is remarked."""
    draft = Draft(entry.place)
    draft.put("address", entry.place, scalar(entry.place, address))
    options = entry.arguments
    for option, value in zip(options[::2], options[1::2], strict=False):
        _bound(scope, entry, draft, option, value)
    if len(options) % 2:
        scope.error(entry, f"{quote(options[-1].text)} needs a value")
    least, most = draft.text("min_ttl"), draft.text("max_ttl")
    if least and most and int(least) > int(most):
        scope.error(entry, f"min_ttl {least} is more than max_ttl {most}: no advert would be believed")
    return draft.node() if len(draft) > 1 else scalar(entry.place, address)


def _bound(scope: Scope, entry: Statement, draft: Draft, option: Scalar, value: Scalar) -> None:
    if option.text not in ("min_ttl", "max_ttl"):
        scope.error(entry, f"{quote(option.text)} is not an option of a peer")
        return
    number = scope.number_of(entry, value, _TTL, "")
    if number is not None:
        draft.put(option.text, option.place, scalar(value.place, written(number)))
