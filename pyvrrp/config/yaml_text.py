"""Located tree → YAML text that yaml_file.py reads back to the same tree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from pyvrrp.config.tree import Mapping as Map
from pyvrrp.config.tree import Place, Scalar, Sequence, TreeNode

# Words that are the same text to every reader of YAML, without quotes.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_/.+-][\w/.@+:\[\]-]*(?<!:)(?: [\w/.@+\[\]][\w/.@+:\[\]-]*(?<!:))*", re.ASCII)
_GUESSED: Final = re.compile(r"(~|null|true|false|yes|no|on|off|y|n|-+|\.+)", re.IGNORECASE)
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}

Comments = Mapping[Place, tuple[str, ...]]


def render(root: Map, comments: Comments) -> str:
    """The text. `comments` are written above what stands first at their places."""
    return "\n".join(_Writer(comments).mapping(root, "")) + "\n"


class _Writer:
    """Writes each comment once, however many keys come from its place."""

    def __init__(self, comments: Comments) -> None:
        self._comments = dict(comments)

    def mapping(self, node: Map, indent: str) -> Iterable[str]:
        """The lines of keys and values."""
        for key, value in node.entries.values():
            yield from self._above(key.place, indent)
            yield from self._value(f"{indent}{_text(key)}:", value, indent + "  ")

    def _value(self, head: str, value: TreeNode, indent: str) -> Iterable[str]:
        if isinstance(value, Scalar):
            yield f"{head} {_text(value)}"
        elif isinstance(value, Map):
            yield head if value.entries else f"{head} {{}}"
            yield from self.mapping(value, indent)
        else:
            yield head if value.items else f"{head} []"
            yield from self._sequence(value, indent)

    def _sequence(self, node: Sequence, indent: str) -> Iterable[str]:
        for item in node.items:
            yield from self._above(item.place, indent)
            if isinstance(item, Map) and item.entries:
                key = next(iter(item.entries.values())).key
                yield from self._above(key.place, indent)
                first, *rest = self.mapping(item, indent + "  ")
                yield f"{indent}- {first.strip()}"
                yield from rest
            else:
                yield from self._value(f"{indent}-", item, indent + "  ")

    def _above(self, place: Place, indent: str) -> Iterable[str]:
        for line in self._comments.pop(place, ()):
            # A line end of any kind in it would end the comment, and what is no text cannot be written.
            text = "".join(char if char.isprintable() else "?" for char in line)
            yield f"{indent}# {text}".rstrip()


def _text(scalar: Scalar) -> str:
    """The scalar in plain style where that is the same text, else in double quotes."""
    text = scalar.text
    if not scalar.quoted and _PLAIN.fullmatch(text) and not _GUESSED.fullmatch(text):
        return text
    if not scalar.quoted and _GUESSED.fullmatch(text) and text.lower() in ("true", "false"):
        return text
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    return f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"
