"""A mapping of node.yaml that grows, key by key, while keepalived.conf is read.

The place of a key is the place of the statement that it comes from, and the place of a list's item that of its entry:
so messages, and the comments that stand at statements (comments.py), find their way.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.tree import Entry, Mapping, Place, Scalar, Sequence, TreeNode


class Draft:
    """Keys and values; a key that is put again moves to the end, with its new value."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._entries: dict[str, Entry] = {}

    def put(self, name: str, place: Place, value: TreeNode) -> None:
        """Put a value; `place` is that of its statement."""
        self._entries.pop(name, None)
        self._entries[name] = Entry(Scalar(place, name), value)

    def say(self, name: str, statement: Statement, text: str) -> None:
        """Put a single value that `statement` says, or means."""
        place = statement.words[1].place if len(statement.words) > 1 else statement.place
        self.put(name, statement.place, scalar(place, text))

    def extend(self, name: str, place: Place, items: Iterable[TreeNode]) -> None:
        """Add to a list; it keeps the place that it has."""
        entry = self._entries.get(name)
        old = entry.value.items if entry is not None and isinstance(entry.value, Sequence) else ()
        place = entry.key.place if entry is not None else place
        self._entries[name] = Entry(Scalar(place, name), sequence(place, (*old, *items)))

    def default(self, name: str, text: str, place: Place | None = None) -> None:
        """Put a single value unless the key is here already; the place is that of the whole unless another is given."""
        if name not in self._entries:
            place = place or self.place
            self.put(name, place, scalar(place, text))

    def inherit(self, other: Draft, *names: str) -> None:
        """Take keys from another draft, unless they are here already; all of it where no names are given."""
        for name in names or other._entries:  # of the same class
            entry = other.entry(name)
            if entry is not None:
                self._entries.setdefault(name, entry)

    def drop(self, name: str) -> None:
        """Leave a key out."""
        self._entries.pop(name, None)

    def entry(self, name: str) -> Entry | None:
        """A key and its value."""
        return self._entries.get(name)

    def text(self, name: str, otherwise: str = "") -> str:
        """The text of a single value."""
        entry = self._entries.get(name)
        return entry.value.text if entry is not None and isinstance(entry.value, Scalar) else otherwise

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def node(self) -> Mapping:
        """What there is now."""
        return Mapping(self.place, dict(self._entries))


def scalar(place: Place, text: str) -> Scalar:
    """A single value; an empty one is text, not nothing."""
    return Scalar(place, text, quoted=not text)


def sequence(place: Place, items: Iterable[TreeNode]) -> Sequence:
    """A list."""
    return Sequence(place, tuple(items))
