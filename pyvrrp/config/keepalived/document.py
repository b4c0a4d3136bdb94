"""`python -m pyvrrp.config.keepalived.document`: prints the table of keywords as docs/keepalived.md has it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Final

from pyvrrp.config.keepalived.keyword import Keyword, Support
from pyvrrp.config.keepalived.keywords import ROWS

_ROOT: Final = "root"


def document() -> str:
    """The table in Markdown, a section for each block."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    counts = Counter(row.support for rows in ROWS.values() for row in rows)
    yield "## Keywords"
    yield ""
    yield " · ".join(f"{counts[support]} {support.value}" for support in Support)
    for context, rows in ROWS.items():
        yield ""
        yield f"### {_title(context)}"
        yield ""
        yield "| keyword | | |"
        yield "|---|---|---|"
        yield from map(_row, rows)


def _title(context: str) -> str:
    if context == _ROOT:
        return "The file itself"
    homes = [home for home, rows in ROWS.items() if home != _ROOT and any(row.opens == context for row in rows)]
    return f"{context}, in {' and '.join(homes)}" if homes else context


def _row(row: Keyword) -> str:
    since = f" ({row.since})" if row.since else ""
    return f"| `{row.name}`{since} | {row.support.value} | {row.note} |"


if __name__ == "__main__":
    sys.stdout.write(document())
