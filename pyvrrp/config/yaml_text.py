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
    """The text. `comments` are written above what stands at their places."""
    return "\n".join(_mapping(root, comments, "")) + "\n"


def _mapping(node: Map, comments: Comments, indent: str) -> Iterable[str]:
    for key, value in node.entries.values():
        yield from _comments(key.place, comments, indent)
        yield from _value(f"{indent}{_text(key)}:", value, comments, indent + "  ")


def _value(head: str, value: TreeNode, comments: Comments, indent: str) -> Iterable[str]:
    if isinstance(value, Scalar):
        yield f"{head} {_text(value)}"
    elif isinstance(value, Map):
        yield head if value.entries else f"{head} {{}}"
        yield from _mapping(value, comments, indent)
    else:
        yield head if value.items else f"{head} []"
        yield from _sequence(value, comments, indent)


def _sequence(node: Sequence, comments: Comments, indent: str) -> Iterable[str]:
    for item in node.items:
        yield from _comments(item.place, comments, indent)
        if isinstance(item, Map) and item.entries:
            first, *rest = _mapping(item, {}, indent + "  ")
            yield f"{indent}- {first.strip()}"
            yield from rest
        else:
            yield from _value(f"{indent}-", item, comments, indent + "  ")


def _comments(place: Place, comments: Comments, indent: str) -> Iterable[str]:
    for line in comments.get(place, ()):
        yield f"{indent}# {line}".rstrip()


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
