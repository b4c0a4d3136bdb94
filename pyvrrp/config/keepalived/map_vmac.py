"""use_vmac of an instance: a MAC address of its own, and the interface that carries it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from itertools import chain, count
from typing import ClassVar, Final

from pyvrrp.config.keepalived import reading
from pyvrrp.config.keepalived.draft import Draft, scalar
from pyvrrp.config.keepalived.numbers import written
from pyvrrp.config.keepalived.reading import Handler
from pyvrrp.config.keepalived.scope import Scope, is_address
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.tree import Place
from pyvrrp.config.values import TRUTH_WORDS, Word, quote
from pyvrrp.config.values_net import InterfaceName
from pyvrrp.core import const

_PREFIX: Final = "vrrp"
_BYTES: Final = 6
_NAME_MAX: Final = 15


class VirtualMac(reading.Reader):
    """The keywords of one instance that are about this."""

    def __init__(self, scope: Scope, place: Place) -> None:
        super().__init__(scope, place)
        self.name = ""
        self._mac: list[int] = []
        self._said: Statement | None = None

    def hear(self, statement: Statement) -> None:
        """One of the keywords that HANDLERS names."""
        self.HANDLERS[statement.keyword](self, statement)

    @property
    def wanted(self) -> bool:
        """Whether there is to be one."""
        return self._said is not None

    def _virtual_mac(self, statement: Statement) -> None:
        self._said = self._said or statement
        for word in statement.arguments[:2]:
            if ":" in word.text:
                self._address(statement, word.text)
            else:
                self._interface(statement, word.text)

    def _interface(self, statement: Statement, name: str) -> None:
        if self.name:
            self.scope.error(statement, f"it is called {self.name} already; {quote(name)} is left out")
            return
        try:
            self.name = InterfaceName().parse(Word(name))
        except ValueError as error:
            self.scope.error(statement, f"{error}; a name is made for it")

    def _address(self, statement: Statement, text: str) -> None:
        """Six bytes, or five and the VRID; what is behind them does not count."""
        if self._mac:
            self.scope.error(statement, f"it has a MAC address already; {quote(text)} is left out")
            return
        parts = text.split(":")[:_BYTES]
        try:
            mac = [int(part, 16) for part in parts]
        except ValueError:
            mac = []
        if len(mac) < _BYTES - 1 or not all(len(part) <= 2 for part in parts):
            self.scope.error(statement, f"{quote(text)} is not a MAC address; it is left out")
        elif bytes(mac[:5]) in const.VMAC_PREFIX.values():
            self.scope.error(statement, f"{text} is a virtual router's MAC address; it is left out")
        elif mac[0] & 1:
            self.scope.error(statement, f"{text} is a multicast address; it is left out")
        elif any(mac):
            self._mac = mac
        else:
            self.scope.advise(statement, f"{text} is no station's address; it is left out")

    def _ipvlan(self, statement: Statement) -> None:
        if not any(is_address(word.text.partition("/")[0]) for word in statement.arguments):
            self.scope.error(statement, "needs an IP address")

    HANDLERS: ClassVar[Mapping[str, Handler]] = {
        "use_vmac": _virtual_mac,
        "vmac_xmit_base": reading.flag("vmac_xmit_base"),
        "use_ipvlan": _ipvlan,
    }

    # --- all of it -------------------------------------------------------------------------------------------------

    def complete(self, strict: bool, unicast: bool) -> None:
        """What is without effect, or not allowed, goes."""
        if self._said is not None and unicast and "vmac_xmit_base" not in self.draft:
            self.scope.error(self._said, "unicast adverts leave by the interface itself; vmac_xmit_base is used")
        entry = self.draft.entry("vmac_xmit_base")
        reason = "has no meaning without use_vmac" if not self.wanted else "strict mode forbids it" if strict else ""
        if entry is not None and reason:
            self.scope.remarks.error(entry.key.place, f"{self.scope.path}.vmac_xmit_base", f"{reason}; it is left out")
            self.draft.drop("vmac_xmit_base")

    def put(self, draft: Draft, vrid: int, family: int) -> None:
        """Say it in the draft of the instance."""
        if self._said is None:
            return
        usual = self.name == f"{_PREFIX if family == 4 else f'{_PREFIX}6'}.{vrid}"
        if self._mac or self.name.lower() in TRUTH_WORDS:
            inner = Draft(self._said.place)
            inner.put("interface", self._said.place, scalar(self._said.place, self.name))
            if self._mac:
                mac = bytes([*self._mac, vrid][:_BYTES]).hex(":")
                inner.put("mac", self._said.place, scalar(self._said.place, mac))
            draft.put("use_vmac", self._said.place, inner.node())
        else:
            draft.put("use_vmac", self._said.place, scalar(self._said.place, written(True) if usual else self.name))
        draft.inherit(self.draft)


def free_name(prefix: str, vrid: int, family: int, taken: Container[str]) -> str:
    """What keepalived calls an interface that has no name: vrrp.51, or vrrp6.51, vrrp1.51, … where that is taken."""
    infixes = chain([""], ["6"] if family == 6 else [], map(str, count(1)))
    return next(name for infix in infixes if (name := _fitted(prefix, infix, vrid)) not in taken)


def _fitted(prefix: str, infix: str, vrid: int) -> str:
    end = f"{infix}.{vrid}"
    return prefix[: _NAME_MAX - len(end)] + end


def sound_prefix(text: str) -> str:
    """A prefix that an interface's name can begin with; the usual one in place of another."""
    try:
        InterfaceName().parse(Word(text[:_NAME_MAX]))
    except ValueError:
        return _PREFIX
    return text
