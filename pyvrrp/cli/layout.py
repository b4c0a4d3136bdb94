"""How text is laid out: tables, sentences below a label, times and numbers."""

from __future__ import annotations

import re
import textwrap
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

Json = dict[str, Any]
Rows = Sequence[Sequence[str]]

GAP: Final = "  "
_LABEL: Final = re.compile(r" *(?:\S+(?: \S+)* {2,})?")
_NARROW: Final = 30  # a column less wide than that is no help
_NAMES_SHOWN: Final = 3
_NAMES_WIDTH: Final = 40  # one is shown however long it is


def page(blocks: Iterable[Sequence[str]]) -> str:
    """Blocks of lines with an empty line between two; empty blocks are left out. Ends with a line feed."""
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def table(rows: Rows, first: int = 0) -> list[str]:
    """Columns as wide as their widest cell; the first one at least `first`."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths[0] = max(widths[0], first)
    return [GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def under(label: str, sentences: Iterable[str]) -> list[str]:
    """Sentences below each other, the label before the first."""
    return [f"{label if index == 0 else '':<4}{GAP}{text}" for index, text in enumerate(sentences)]


def folded(text: str, width: int) -> str:
    """Sentences that are longer than `width` go on below where they begin; rows of tables stay as they are."""
    return "".join(_folded(line, width) for line in text.splitlines(keepends=True))


def _folded(line: str, width: int) -> str:
    begin = _LABEL.match(line)
    sentence = line[begin.end() :] if begin else line
    if len(line.rstrip()) <= width or begin is None or GAP in sentence or width - begin.end() < _NARROW:
        return line
    parts = textwrap.wrap(sentence, width - begin.end(), break_long_words=False, break_on_hyphens=False)
    return begin.group() + f"\n{' ' * begin.end()}".join(parts) + "\n"


def some(names: Sequence[str]) -> str:
    """`a, b, c and 4 more`, or `-`."""
    shown = list(names[:_NAMES_SHOWN])
    while len(shown) > 1 and len(", ".join(shown)) > _NAMES_WIDTH:
        shown.pop()
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return f"{', '.join(shown)}{more}" or "-"


def epoch(at: float, answer: Json) -> float:
    """Seconds since 1970 of a moment on the daemon's own clock."""
    return float(answer["wall"]) - (float(answer["snapshot"]["now"]) - at)


def wall(at: float, answer: Json) -> str:
    """The date and time of a moment on the daemon's own clock."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(epoch(at, answer)))


def milliseconds(seconds: float) -> str:
    """`0.8 ms`."""
    return f"{seconds * 1000:.1f} ms"


def ago(seconds: float) -> str:
    """`0.4 s ago`, `1m30s ago`."""
    return f"{max(seconds, 0.0):.1f} s ago" if seconds < 60 else f"{age(seconds)} ago"


def age(seconds: float) -> str:
    """`12s`, `2m11s`, `4h07m` or `3d04h`."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02}h"
