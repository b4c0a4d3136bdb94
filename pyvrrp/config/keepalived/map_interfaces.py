"""What stands beside the instances: the pace of gratuitous ARP, delays of links, addresses that stay."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from pyvrrp.config.keepalived.draft import Draft, scalar, sequence
from pyvrrp.config.keepalived.map_addresses import AddressList
from pyvrrp.config.keepalived.map_global import Globals
from pyvrrp.config.keepalived.map_instance import Instance
from pyvrrp.config.keepalived.numbers import Number, written
from pyvrrp.config.keepalived.scope import Scope
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.tree import Mapping, Scalar, TreeNode
from pyvrrp.config.values import Word, quote
from pyvrrp.config.values_net import InterfaceName

_PAUSE: Final = Number(0, 2147.483647, decimal=True, most=1000)
_DELAY: Final = Number(0, 255, decimal=True)
_SKEW: Final = 0.01  # seconds that a delay stays below what it must not reach
_STATIC_MAX: Final = 1000


class Interfaces:
    """The blocks of one file that are about these."""

    def __init__(self, scope: Scope, everywhere: Globals) -> None:
        self._scope = scope
        self._everywhere = everywhere
        self._grouped: set[str] = set()
        self._groups: list[TreeNode] = []
        self._first_group: Statement | None = None
        self._delays: dict[str, tuple[Statement, list[float]]] = {}
        self._static: list[TreeNode] = []
        self._first_static: Statement | None = None
        self._list = AddressList(static=True)
        self._tracked: list[tuple[Statement, str]] = []  # who names which track_group
        self._track_groups: set[str] = set()

    # --- garp_group ------------------------------------------------------------------------------------------------

    def read_garp_group(self, block: Statement) -> None:
        """One garp_group."""
        scope = Scope(self._scope.remarks, block.keyword)
        draft = Draft(block.place)
        said = False
        names: list[TreeNode] = []
        for statement in block.block or ():
            if statement.keyword in ("garp_interval", "gna_interval"):
                value = scope.number(statement, _PAUSE, "0")
                said = said or value is not None
                if value:
                    draft.say(statement.keyword, statement, written(value))
            elif statement.keyword == "interface":
                names += self._names(scope, statement, statement.arguments[:1])
            elif statement.keyword == "interfaces":
                words = (word for entry in statement.block or () for word in entry.words)
                names += self._names(scope, statement, words)
        if not said:
            scope.error_at(block.place, "has neither garp_interval nor gna_interval; it is left out")
        elif not len(draft) or not names:
            scope.advise_at(block.place, "has no interface, or no time; it is left out")
        else:
            place = block.place
            draft.put("interfaces", place, sequence(place, names))
            self._first_group = self._first_group or block
            self._groups.append(draft.node())

    def _names(self, scope: Scope, statement: Statement, words: Iterable[Scalar]) -> Iterable[Scalar]:
        for word in words:
            if not _is_interface(word.text):
                scope.error(statement, f"{quote(word.text)} is not an interface; it is left out")
            elif word.text in self._grouped:
                scope.error(statement, f"{word.text} is in a group already; it is left out")
            else:
                self._grouped.add(word.text)
                yield word

    # --- interface_up_down_delays ----------------------------------------------------------------------------------

    def read_delays(self, block: Statement) -> None:
        """A list of delays: `IF down [up]`; without an up it is the down, as the manual has it."""
        scope = Scope(self._scope.remarks, block.keyword)
        for entry in block.block or ():
            name, words = entry.keyword, entry.arguments[:2]
            if not _is_interface(name):
                scope.error(entry, f"{quote(name)} is not an interface; it is left out")
                continue
            values = [scope.number_of(entry, word, _DELAY, "0") or 0.0 for word in words]
            if values:
                self._delays[name] = entry, [values[0], values[-1]]
            else:
                scope.advise(entry, f"{name} has no delay there")

    def _delay_nodes(self, instances: Iterable[Instance]) -> Draft:
        first = next(iter(self._delays.values()))[0]
        draft = Draft(first.place)
        for name, (entry, values) in self._delays.items():
            for runner in (each for each in instances if each.interface == name):
                values[:] = self._bounded(entry, values, runner)
            one = Draft(entry.place)
            for key, value in zip(("down", "up"), values, strict=True):
                one.put(key, entry.place, scalar(entry.place, written(value)))
            same = values[0] == values[1]
            draft.put(name, entry.place, scalar(entry.place, written(values[0])) if same else one.node())
        return draft

    def _bounded(self, entry: Statement, values: list[float], runner: Instance) -> list[float]:
        most = runner.patience()
        if max(values) < most:
            return values
        most = max(round(most - _SKEW, 6), 0.0)
        message = f"{runner.name} would take over before its link's state counts; {written(most)} is used"
        self._scope.remarks.advise(entry.place, "interface_up_down_delays", message)
        return [min(value, most) for value in values]

    # --- static_ipaddress ------------------------------------------------------------------------------------------

    def read_static(self, block: Statement) -> None:
        """A list of addresses, as virtual ones are written."""
        self._first_static = self._first_static or block
        for held in self._list.read(self._scope, block):
            self._static.append(_on(held.node, self._everywhere.default_interface))
            words = held.statement.words
            self._tracked += [
                (held.statement, name.text) for word, name in pairwise(words) if word.text == "track_group"
            ]

    def read_track_group(self, block: Statement) -> None:
        """A track_group: it changes nothing here, but must be there for whom names it."""
        self._track_groups |= {word.text for word in block.arguments[:1]}

    # --- all of it -------------------------------------------------------------------------------------------------

    def put(self, draft: Draft, instances: Iterable[Instance]) -> None:
        """Put it into the draft of the file."""
        for entry, name in self._tracked:
            if name not in self._track_groups:
                scope = Scope(self._scope.remarks, "static_ipaddress")
                scope.error(entry, f"there is no track_group {quote(name)}")
        if self._first_group is not None:
            place = self._first_group.place
            draft.put("garp_groups", place, sequence(place, self._groups))
        if self._delays:
            nodes = self._delay_nodes(list(instances))
            draft.put("interface_up_down_delays", nodes.place, nodes.node())
        if self._static and self._first_static is not None:
            place = self._first_static.place
            draft.put("static_ipaddress", place, sequence(place, self._static[:_STATIC_MAX]))


def _on(node: TreeNode, interface: str) -> TreeNode:
    """An address of node.yaml, with the interface that it is put on."""
    draft = Draft(node.place)
    if isinstance(node, Mapping):
        for name, entry in node.entries.items():
            draft.put(name, entry.key.place, entry.value)
    else:
        draft.put("address", node.place, node)
    draft.default("dev", interface)
    return draft.node()


def _is_interface(name: str) -> bool:
    try:
        InterfaceName().parse(Word(name))
    except ValueError:
        return False
    return True
