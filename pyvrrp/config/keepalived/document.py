"""`python -m pyvrrp.config.keepalived.document`: prints the table of keywords as docs/keepalived.md has it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Final

from pyvrrp.config.keepalived.keyword import Keyword, Support
from pyvrrp.config.keepalived.keywords import ROWS

_ROOT: Final = "root"
_LEGEND: Final = """\
* **same**: it does what it does in keepalived.
* **better**: it does that, and more.
* **different**: it has an effect, but not quite the same one.
* **accepted, without effect**: pyvrrp has no use for it, and says so once when it starts.
* **not yet**: pyvrrp lacks what it asks for, and says so when it starts. Where it would be dangerous to go on without,
  since two nodes would hold the address, the instance is left out.

Behind a keyword stands in brackets which version of keepalived brought it, where 2.2.7 does not know it (`never`: no
version knows it there). `include` and its variants are no keywords: they may stand in every block.
"""


def document() -> str:
    """The table in Markdown, with what its words mean and a section for each block."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    counts = Counter(row.support for rows in ROWS.values() for row in rows)
    yield "## Keywords"
    yield ""
    yield _LEGEND
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
