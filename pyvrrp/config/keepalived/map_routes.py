"""Routes and rules, one a line: `virtual_routes`, `virtual_rules`, `static_routes`, `static_rules`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from pyvrrp.config.iproute import RouteText, RuleText
from pyvrrp.config.keepalived.draft import scalar
from pyvrrp.config.keepalived.scope import Scope
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.tree import TreeNode
from pyvrrp.config.values import Word

RULES: Final = ("virtual_rules", "static_rules")

_ALONE: Final = ("no_track", "add", "append", "prepend", "replace")
_WITH_VALUE: Final = ("track_group", "protocol", "proto")
_NOTES: Final = {
    "no_track": "what somebody removes is put back",
    "track_group": "what somebody removes is put back",
    "protocol": "it is keepalived's number, by which it is known again",
    "proto": "it is keepalived's number, by which it is known again",
}
_PRIORITY: Final = ("preference", "priority", "order", "pref")
_FIRST_PRIORITY: Final = 16384


class RouteLists:
    """All lists of one file. Rules without a priority get one that goes down, as in keepalived."""

    def __init__(self) -> None:
        self._priority = _FIRST_PRIORITY
        self._noted: set[str] = set()

    def read(self, scope: Scope, block: Statement) -> Iterator[TreeNode]:
        """The routes or rules that can be used; what is wrong with the others is remarked."""
        scope.look_at_value(block)
        inner = Scope(scope.remarks, f"{scope.path}.{block.keyword}".removeprefix("."))
        rules = block.keyword in RULES
        kind = RuleText() if rules else RouteText()
        for entry in block.block or ():
            words = _either(list(self._usual(inner, entry)))
            named = not rules or not set(_PRIORITY).isdisjoint(words)
            text = " ".join(words if named else [*words, "priority", str(self._priority)])
            try:
                kind.parse(Word(text))
            except ValueError as error:
                inner.error(entry, f"{error}; it is left out")
                continue
            if not named:
                inner.advise(entry, f"names no preference; {self._priority} is used")
                self._priority -= 1
            yield scalar(entry.place, text)

    def _usual(self, scope: Scope, entry: Statement) -> Iterator[str]:
        """The words without those that have no effect here."""
        words = iter([word.text for word in entry.words])
        for word in words:
            if word in _WITH_VALUE:
                next(words, None)
            elif word not in _ALONE:
                yield word
            if word in _NOTES and word not in self._noted:
                self._noted.add(word)
                scope.advise(entry, f"{word} has no effect here: {_NOTES[word]}")


def _either(words: list[str]) -> list[str]:
    """`via A or B dev IF`, as it was written once: two nexthops."""
    if "or" not in words:
        return words
    values = dict(pairwise(words))
    first, second = values.get("via", values.get("gw", "")), values.get("or", "")
    device = ["dev", values["dev"]] if "dev" in values else []
    hops = [word for via in (first, second) for word in ("nexthop", "via", via, *device)]
    dropped = {"via", "gw", "or", "dev"}
    rest = [word for before, word in zip(["", *words], words, strict=False) if not {before, word} & dropped]
    return rest + hops
