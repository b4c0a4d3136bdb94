"""What things are called in node.yaml, where keepalived takes any word for a name."""

from __future__ import annotations

from typing import Final

_SIZE: Final = 128


def sound_name(text: str) -> str:
    """The name itself where node.yaml can have it, else one that is as near as can be."""
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes that are not UTF-8
        text = text.encode(errors="surrogateescape").decode("latin-1")
    shown = "".join(char if char.isprintable() else "?" for char in text)
    return shown[:_SIZE].strip() or "_"
