"""Virtual addresses: `IP[/len] [brd IP|+|-] [dev IF] [scope S] [label L] …`, one a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Interface, ip_address
from typing import Final

from pyvrrp.config.keepalived.draft import Draft, scalar
from pyvrrp.config.keepalived.numbers import Number, written
from pyvrrp.config.keepalived.scope import Scope, is_address
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.tree import Scalar, TreeNode
from pyvrrp.config.values import Kind, Word, quote
from pyvrrp.config.values_net import InterfaceName, Label, VirtualIp
from pyvrrp.core.settings import SCOPES, Address

_WITH_VALUE: Final = ("dev", "brd", "broadcast", "scope", "label", "peer", "preferred_lft")
_ALONE: Final = ("home", "-nodad", "mngtmpaddr", "noprefixroute", "autojoin", "no_track", "use_vmac")
_NO_EFFECT: Final = {
    "peer": "the address is set without its peer",
    "preferred_lft": "the address has the lifetime of its lease",
    "track_group": "an address that stays changes no priority",
    "no_track": "an address that somebody removes is put back",
    "use_vmac": "an address alone has no virtual MAC, its instance may have one",
}
_SCOPE: Final = Number(0, 255)
_NOT_IPV6: Final = ("scope", "label")


@dataclass(frozen=True, slots=True)
class Held:
    """An address as it was read, and as node.yaml has it."""

    statement: Statement
    address: Address
    node: TreeNode


class AddressList:
    """The lines of one or more lists of virtual addresses."""

    def __init__(self, *, static: bool = False) -> None:
        self._noted: set[str] = set()
        self._options = (*_WITH_VALUE, "track_group") if static else _WITH_VALUE

    def read(self, scope: Scope, block: Statement) -> Iterator[Held]:
        """The addresses that can be used; what is wrong with the others is remarked."""
        inner = Scope(scope.remarks, f"{scope.path}.{block.keyword}")
        for entry in block.block or ():
            held = _Line(inner, entry, self._noted, self._options).read()
            if held is not None:
                yield held


class _Line:
    """One line; `noted` are the options that were said to have no effect, `options` those that take a value."""

    def __init__(self, scope: Scope, entry: Statement, noted: set[str], options: tuple[str, ...]) -> None:
        self._scope = scope
        self._entry = entry
        self._noted = noted
        self._options = options
        self._words = iter(entry.arguments)
        self._draft = Draft(entry.place)

    def read(self) -> Held | None:
        text, slash, length = self._scope.bare(self._entry, self._entry.words[0]).partition("/")
        if not is_address(text):
            self._error(f"{quote(text)} is not an IP address; it is left out")
            return None
        address = ip_address(text)
        prefix = self._prefix(address, length) if slash else address.max_prefixlen
        if not all(self._option(word, address, prefix) for word in self._words):
            return None
        node = self._node(address, prefix)
        return None if node is None else Held(self._entry, address, node)

    def _error(self, message: str) -> None:
        self._scope.error(self._entry, message)

    def _prefix(self, address: Address, length: str) -> int:
        longest = address.max_prefixlen
        try:
            return int(Number(0, longest).parse(length))
        except ValueError as error:
            self._error(f"prefix length {error}; /{longest} is used")
            return longest

    # --- options: each says whether the address can be used at all -------------------------------------------------

    def _option(self, word: Scalar, address: Address, prefix: int) -> bool:
        option = word.text
        if option in _ALONE:
            self._note(option)
            return True
        if option not in self._options:
            self._error(f"{quote(option)} is not an option of an address; it is left out")
            return True
        value = next(self._words, None)
        if value is None:
            self._error(f"{option} needs a value; the address is left out")
            return False
        if address.version == 6 and option in _NOT_IPV6:
            self._error(f"an IPv6 address has no {option}; it is left out")
            return True
        if option in ("brd", "broadcast"):
            return self._broadcast(value, address, prefix)
        if option == "dev":
            return self._device(value)
        if option == "scope":
            return self._scope_of(value)
        if option == "label":
            return self._fits("label", Label(), value)
        return self._peer_or_lifetime(option, value)

    def _note(self, option: str) -> None:
        if option not in self._noted:
            self._noted.add(option)
            note = _NO_EFFECT.get(option)
            self._scope.advise(self._entry, f"{option} has no effect here" + (f": {note}" if note else ""))

    def _device(self, value: Scalar) -> bool:
        if "dev" in self._draft:
            self._error("dev stands there twice; the address is left out")
            return False
        return self._fits("dev", InterfaceName(loopback=True), value)

    def _fits(self, key: str, kind: Kind, value: Scalar) -> bool:
        try:
            kind.parse(Word(value.text, quoted=True))
        except ValueError as error:
            self._error(f"{error}; the address is left out")
            return False
        self._draft.put(key, value.place, value)
        return True

    def _scope_of(self, value: Scalar) -> bool:
        text = value.text
        if text not in SCOPES:
            try:
                text = written(_SCOPE.parse(str(int(text, 0)) if text[:2] in ("0x", "0X") else text))
            except ValueError:
                self._error(f"{quote(text)} is not a scope; global is used")
                return True
        self._draft.put("scope", value.place, scalar(value.place, text))
        return True

    def _broadcast(self, value: Scalar, address: Address, prefix: int) -> bool:
        text = value.text
        if text in ("+", "-") and address.version == 4:
            if prefix > 30:
                self._error(f"a prefix length of {prefix} leaves no room for a broadcast address; none is set")
                return True
            network = IPv4Interface((int(address), prefix)).network
            text = str(network.broadcast_address if text == "+" else network.network_address)
        try:
            fits = ip_address(text).version == address.version == 4
        except ValueError:
            fits = False
        if not fits:
            self._error(f"{quote(text)} is not a broadcast address; the address is left out")
            return False
        self._draft.put("broadcast", value.place, scalar(value.place, text))
        return True

    def _peer_or_lifetime(self, option: str, value: Scalar) -> bool:
        if option == "preferred_lft" and value.text != "forever" and not value.text.isdecimal():
            self._error(f"{quote(value.text)} is not a lifetime; it is left out")
        elif option == "peer" and not is_address(value.text):
            self._error(f"{quote(value.text)} is not the address of a peer; it is left out")
        else:
            self._note(option)
        return True

    # --- the whole -------------------------------------------------------------------------------------------------

    def _node(self, address: Address, prefix: int) -> TreeNode | None:
        place, longest = self._entry.place, address.max_prefixlen
        text = f"{address}/{prefix}" if prefix < longest else str(address)
        objection = _objection(text)
        if objection and prefix < longest:
            self._scope.advise(
                self._entry, f"{text} names a network, not an address in it; {address}/{longest} is used"
            )
            text = str(address)
            objection = _objection(text)
        if objection:
            self._scope.advise(self._entry, f"{objection}; it is left out")
            return None
        if not len(self._draft):
            return scalar(place, text)
        draft = Draft(place)
        draft.put("address", place, scalar(place, text))
        draft.inherit(self._draft, "dev", "label", "scope", "broadcast")
        return draft.node()


def _objection(text: str) -> str:
    """Why node.yaml does not take an address that keepalived takes."""
    try:
        VirtualIp().parse(Word(text))
    except ValueError as error:
        return str(error)
    return ""
