"""YAML text → located tree.

Built from the parser's events, not from its node graph: that way the depth is bounded before anything recurses, an
alias costs nothing until its expansion is counted, and a scalar stays the text that was written. YAML's own guesses
(`0123` an octal number, `1:30` ninety, `no` a truth value) never happen.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

import yaml

from pyvrrp.config.content import read_content, unusable
from pyvrrp.config.tree import Entry, Mapping, Place, Scalar, Sequence, TreeNode
from pyvrrp.errors import ConfigError, Problem

DEPTH_MAX: Final = 20  # node.yaml needs 6
NODES_MAX: Final = 200_000  # values after aliases are expanded; a thousand instances are 25 000

_LOADER: Final = getattr(yaml, "CLoader", yaml.Loader)
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_MERGE: Final = "<<"
_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read(path: str) -> TreeNode:
    """The tree of the file `path`. Raises ConfigError."""
    return parse(_decode(read_content(path), path), path)


def _decode(content: bytes, file: str) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ConfigError((Problem(file, 1, 1, "", "is UTF-16; save it as UTF-8"),))
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        place = _place_at(content[: error.start].decode(), file)
        raise ConfigError((Problem(*place, "", f"byte 0x{content[error.start]:02x} is not UTF-8 text"),)) from None
    return text


def _place_at(before: str, file: str) -> Place:
    """The place just behind `before`."""
    return Place(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def parse(text: str, file: str) -> TreeNode:
    """The tree of a text. Raises ConfigError with the one thing that makes it unreadable."""
    if strange := _UNPRINTABLE.search(text):
        place = _place_at(text[: strange.start()], file)
        message = f"control character U+{ord(strange[0]):04X} is not allowed"
        raise ConfigError((Problem(*place, "", message),))
    try:
        root = _Builder(file).build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        raise ConfigError((_syntax_problem(error, text, file),)) from None
    except yaml.YAMLError as error:
        raise unusable(file, f"is not YAML: {str(error).splitlines()[0]}") from None
    if root is None or (isinstance(root, Scalar) and root.absent):
        raise unusable(file, "is empty")
    return root


def _place_of(mark: _Mark | None, file: str) -> Place:
    return Place(file, 0, 0) if mark is None else Place(file, mark.line + 1, mark.column + 1)


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    place = _place_of(error.problem_mark or error.context_mark, file)
    line = text.split("\n")[place.line - 1] if 0 < place.line <= text.count("\n") + 1 else ""
    if line[place.column - 1 :].startswith("\t"):
        return Problem(*place, "", "YAML syntax: a tab cannot indent; use spaces")
    message = f"YAML syntax: {error.problem or error.context or 'not understood'}"
    begin = _place_of(error.context_mark, file)
    if error.context and error.problem and 0 < begin.line < place.line:
        message += f", {error.context} that begins in line {begin.line}"
    return Problem(*place, "", message)


class _Mark(Protocol):
    """A position that counts from 0, of either parser."""

    line: int
    column: int


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet. `size` counts values and `height` levels, aliases expanded."""

    place: Place
    mapping: bool
    anchor: str | None
    children: list[TreeNode] = field(default_factory=list)
    size: int = 1
    height: int = 1


class _Built(NamedTuple):
    """A finished node with its size and height."""

    node: TreeNode
    size: int = 1
    height: int = 0


class _Builder:
    """Puts nodes together from events, with a stack of its own."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Built | None] = {}  # None while the anchored node is still open
        self._root: TreeNode | None = None
        self._documents = 0

    def build(self, events: Iterator[yaml.Event]) -> TreeNode | None:
        """The one document's node, None when there is none. Raises ConfigError and yaml.YAMLError."""
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._begin(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.DocumentStartEvent):
                self._document(event)
        return self._root

    def _place(self, event: yaml.Event) -> Place:
        return _place_of(event.start_mark, self._file)

    def _document(self, event: yaml.Event) -> None:
        self._documents += 1
        if self._documents > 1:
            raise _refused(self._place(event), "a second document begins here; a file holds one")

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        place = self._place(event)
        _refuse_tag(place, event.tag, harmless=("!", "tag:yaml.org,2002:str"))
        quoted = not event.implicit[0]
        text = "" if not quoted and event.value in _NULLS else event.value
        self._finish(_Built(Scalar(place, text, quoted)), event.anchor, place)

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        place = self._place(event)
        _refuse_tag(place, event.tag)
        if len(self._stack) >= DEPTH_MAX:
            raise _refused(place, f"nested deeper than {DEPTH_MAX} levels")
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Open(place, isinstance(event, yaml.MappingStartEvent), event.anchor))

    def _end(self) -> None:
        done = self._stack.pop()
        node = _mapping(done) if done.mapping else Sequence(done.place, tuple(done.children))
        self._finish(_Built(node, done.size, done.height), done.anchor, done.place)

    def _alias(self, event: yaml.AliasEvent) -> None:
        place = self._place(event)
        if event.anchor not in self._anchors:
            # The name is not told: it may be a password that begins with a star.
            raise _refused(place, "an alias (*) of no anchor above; text that begins with * belongs in quotes")
        built = self._anchors[event.anchor]
        if built is None:
            raise _refused(place, f"*{event.anchor} refers to the value that it is part of")
        self._finish(built, None, place)

    def _finish(self, built: _Built, anchor: str | None, place: Place) -> None:
        """Hand a node to the list or mapping that it is in. `place` is where it is used."""
        if anchor:
            self._anchors[anchor] = built
        if not self._stack:
            self._root = built.node
            return
        parent = self._stack[-1]
        parent.children.append(built.node)
        parent.size += built.size
        parent.height = max(parent.height, built.height + 1)
        if parent.size > NODES_MAX:
            raise _refused(place, f"more than {NODES_MAX} values, aliases expanded")
        if len(self._stack) + built.height > DEPTH_MAX:
            raise _refused(place, f"nested deeper than {DEPTH_MAX} levels, aliases expanded")


def _refused(place: Place, message: str) -> ConfigError:
    return ConfigError((Problem(*place, "", message),))


def _refuse_tag(place: Place, tag: str | None, harmless: tuple[str, ...] = ()) -> None:
    if tag is not None and tag not in harmless:
        raise _refused(place, "YAML tags (!name) have no meaning here")


def _mapping(done: _Open) -> Mapping:
    entries: dict[str, Entry] = {}
    repeated: list[Entry] = []
    merged: list[Mapping] = []
    for key, value in zip(done.children[::2], done.children[1::2], strict=True):
        if not isinstance(key, Scalar) or key.absent:
            raise _refused(key.place, "a key must be a word")
        if key.text == _MERGE and not key.quoted:
            merged += _to_merge(value)
        elif key.text in entries:
            repeated.append(Entry(key, value))
        else:
            entries[key.text] = Entry(key, value)
    for source in merged:
        for name, entry in source.entries.items():
            entries.setdefault(name, entry)
    return Mapping(done.place, entries, tuple(repeated))


def _to_merge(value: TreeNode) -> list[Mapping]:
    """The mappings that `<<: *a` or `<<: [*a, *b]` brings in, the strongest first."""
    sources = value.items if isinstance(value, Sequence) else (value,)
    mappings = [each for each in sources if isinstance(each, Mapping)]
    if len(mappings) != len(sources):
        raise _refused(value.place, "<< takes a mapping, or a list of mappings")
    return mappings
