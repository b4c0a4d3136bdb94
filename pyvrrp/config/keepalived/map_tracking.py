"""What instances and groups track: the lines of track_script, track_file, track_process and track_interface."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from pyvrrp.config.keepalived.draft import Draft, scalar, sequence
from pyvrrp.config.keepalived.numbers import Number, written
from pyvrrp.config.keepalived.scope import Scope
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.tree import Place, Scalar, Sequence, TreeNode
from pyvrrp.config.values import Word, quote
from pyvrrp.config.values_net import InterfaceName

SCRIPT, FILE, PROCESS, INTERFACE = "track_script", "track_file", "track_process", "track_interface"
BFD: Final = "track_bfd"  # nothing comes of it yet
KINDS: Final = (SCRIPT, FILE, PROCESS, INTERFACE, BFD)

WEIGHT: Final = Number(-253, 253)
WIDER_WEIGHT: Final = Number(-254, 254)


@dataclass(frozen=True, slots=True)
class Tracked:
    """What is tracked, by a line of a block; or may be, by a definition. `check`: in node.yaml, as "interface/eth1"."""

    entry: Statement
    kind: str
    name: str
    check: str
    weight: int = 0
    reverse: bool = False
    inverted: bool = False  # the check passes where keepalived's fails

    def weightless(self) -> Tracked:
        """The same with weight 0."""
        return replace(self, weight=0)


@dataclass
class Checks:
    """All checks of the file: what may be tracked by name, and what is there in node.yaml because it is tracked."""

    known: dict[tuple[str, str], Tracked] = field(default_factory=dict)  # by kind and name; with its usual weight
    drafts: dict[str, Draft] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def define(self, tracked: Tracked, draft: Draft | None) -> None:
        """A definition; the first of a name counts. Without a draft it is there, but nothing comes of it."""
        if (tracked.kind, tracked.name) not in self.known:
            self.known[tracked.kind, tracked.name] = tracked
            if draft is not None:
                self.drafts[tracked.check] = draft

    def fresh(self, name: str) -> str:
        """A name that no check has yet: `name`, else with "#2" appended, …"""
        count, found = 1, name
        while found in self.drafts:
            count += 1
            found = f"{name}#{count}"
        return found

    def interface(self, entry: Statement, name: str) -> Tracked:
        """The check of an interface, which comes to be by being tracked."""
        tracked = Tracked(entry, INTERFACE, name, f"interface/{name}")
        if tracked.check not in self.drafts:
            draft = Draft(entry.place)
            draft.default("type", "interface")
            draft.default("interface", name)
            self.define(tracked, draft)
        return tracked


def read_tracking(scope: Scope, block: Statement, checks: Checks, found: list[Tracked]) -> None:
    """Add what a block tracks to `found`."""
    inner = Scope(scope.remarks, f"{scope.path}.{block.keyword}")
    for entry in block.block or ():
        name = entry.keyword
        usual = _usual(inner, block.keyword, entry, checks)
        if usual is None:
            continue
        if any((each.kind, each.name) == (usual.kind, name) for each in found):
            inner.error(entry, f"{name} stands there already; this is left out")
            continue
        tracked = _with_options(inner, entry, replace(usual, entry=entry))
        if tracked is not None:
            found.append(tracked)


def _usual(scope: Scope, kind: str, entry: Statement, checks: Checks) -> Tracked | None:
    """What the entry names, with its own weight; None, with a remark, when there is nothing of that name so far."""
    name = entry.keyword
    if kind != INTERFACE:
        known = checks.known.get((kind, name))
        if known is None:
            scope.error(entry, f"there is no {quote(name)} above this line; it is not tracked")
        elif known.check not in checks.drafts:
            scope.advise(entry, f"{quote(name)} is left out, so it is not tracked")
            return None
        return known
    if name == "lo":
        scope.advise(entry, "the loopback interface is always up; it is not tracked")
        return None
    try:
        InterfaceName().parse(Word(name))
    except ValueError as error:
        scope.error(entry, f"{error}; it is not tracked")
        return None
    return checks.interface(entry, name)


def _with_options(scope: Scope, entry: Statement, tracked: Tracked) -> Tracked | None:
    """`[weight N [reverse|noreverse]]`. None, with an error, where keepalived would not track it."""
    if not entry.arguments:
        return tracked
    option, *rest = entry.arguments
    if option.text != "weight":
        scope.error(entry, f"{quote(option.text)} is not an option; {tracked.name} is not tracked")
        return None
    if not rest:
        scope.error(entry, f"weight needs a value; {tracked.name} is not tracked")
        return None
    weight = _weight(scope, entry, rest[0], tracked)
    if len(rest) > 1:
        turn = rest[1].text
        if turn not in ("reverse", "noreverse") or (turn == "noreverse" and tracked.kind == INTERFACE):
            scope.error(entry, f"{quote(turn)} is not an option; it is left out")
            return None if tracked.kind == FILE else replace(tracked, weight=weight)
        tracked = replace(tracked, reverse=turn == "reverse")
    return replace(tracked, weight=weight)


def _weight(scope: Scope, entry: Statement, word: Scalar, tracked: Tracked) -> int:
    value = scope.number_of(entry, word, WIDER_WEIGHT, written(tracked.weight))
    if value is None:
        return tracked.weight
    if tracked.kind in (SCRIPT, INTERFACE) and not WEIGHT.low <= value <= WEIGHT.high:
        value = max(WEIGHT.low, min(WEIGHT.high, value))
        scope.error(entry, f"{word.text} is outside -253..253; {written(value)} is used")
    return int(value)


def tracks(place: Place, found: Iterable[Tracked]) -> Sequence:
    """track_checks of node.yaml."""
    return sequence(place, (_item(each) for each in found))


def _item(tracked: Tracked) -> TreeNode:
    place = tracked.entry.place
    weight, reverse = tracked.weight, tracked.reverse
    if tracked.inverted:
        weight, reverse = -weight, not reverse
    if not weight and not reverse:
        return scalar(place, tracked.check)
    options = Draft(place)
    if weight:
        options.default("weight", written(weight))
    if reverse:
        options.default("reverse", written(True))
    draft = Draft(place)
    draft.put(tracked.check, place, options.node())
    return draft.node()
