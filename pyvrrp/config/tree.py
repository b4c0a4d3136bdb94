"""The located tree: what a configuration file says before anybody asks what it means.

Every file format becomes this one tree. Scalars keep the text as it was written (`0123` stays `0123`); what a text
means is decided by the model. Lines and columns count from 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

Part = str | int
Path = tuple[Part, ...]


class Place(NamedTuple):
    """Where something begins."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. `quoted` is set when the file says that it is text; an unquoted empty one says nothing at all."""

    place: Place
    # Any scalar may be a password, so no repr shows it.
    text: str = field(repr=False)
    quoted: bool = False

    @property
    def absent(self) -> bool:
        """Whether a value was left out, as in `interface:` with nothing behind it."""
        return not self.text and not self.quoted


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of values."""

    place: Place
    items: tuple[TreeNode, ...]


class Entry(NamedTuple):
    """A key and its value."""

    key: Scalar
    value: TreeNode


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in file order, each key once. `repeated` holds the entries whose key was there already."""

    place: Place
    entries: dict[str, Entry]
    repeated: tuple[Entry, ...] = ()


TreeNode = Scalar | Sequence | Mapping


def walk(node: TreeNode, path: Path) -> Iterator[tuple[Place, TreeNode]]:
    """The way down `path`: for each step the place of its key (of the item, in a list) and its value.

    Ends early where the file has no such step. A number does not move within a mapping, so that a mapping can stand
    where a list of mappings is expected.
    """
    for part in path:
        if isinstance(node, Mapping) and isinstance(part, int):
            continue
        found = _step(node, part)
        if found is None:
            return
        yield found
        node = found[1]


def _step(node: TreeNode, part: Part) -> tuple[Place, TreeNode] | None:
    if isinstance(node, Mapping) and isinstance(part, str) and part in node.entries:
        entry = node.entries[part]
        return entry.key.place, entry.value
    if isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
        return node.items[part].place, node.items[part]
    return None


def key_place(root: TreeNode, path: Path) -> Place:
    """Where the key named by `path` stands, or the nearest one above it."""
    return [root.place, *(place for place, _ in walk(root, path))][-1]


def value_place(root: TreeNode, path: Path) -> Place:
    """Where the value named by `path` begins, or the nearest one above it; its key where there is no value."""
    return [root.place, *(key if _absent(value) else value.place for key, value in walk(root, path))][-1]


def _absent(node: TreeNode) -> bool:
    return isinstance(node, Scalar) and node.absent


def split_path(root: TreeNode, dotted: str) -> Path:
    """The parts of `vrrp_instances.VI_1.interface`; a key of the file that has dots in it is one part."""
    parts: list[Part] = []
    node: TreeNode | None = root
    while dotted:
        key = _key_that_begins(node, dotted) or dotted.partition(".")[0]
        parts.append(key)
        node = node.entries[key].value if isinstance(node, Mapping) and key in node.entries else None
        dotted = dotted[len(key) + 1 :]
    return tuple(parts)


def _key_that_begins(node: TreeNode | None, dotted: str) -> str | None:
    if not isinstance(node, Mapping):
        return None
    fitting = [key for key in node.entries if dotted == key or dotted.startswith(f"{key}.")]
    return max(fitting, key=len, default=None)
