"""How a row of the table of keywords is written: what becomes of it, its name, the words it demands, a note."""

from __future__ import annotations

from functools import partial
from typing import Final

from pyvrrp.config.keepalived.keyword import Keyword, Shape, Support


def _row(
    support: Support,
    name: str,
    needs: int = 0,
    note: str = "",
    *,
    entries: bool = False,
    opens: str = "",
    since: str = "",
) -> Keyword:
    """A row. `entries`: a block of entries follows; `opens`: a block of statements."""
    shape = Shape.BLOCK if opens else Shape.LIST if entries else Shape.LINE
    return Keyword(name, shape, support, note, needs, opens, since)


same: Final = partial(_row, Support.SAME)
better: Final = partial(_row, Support.BETTER)
different: Final = partial(_row, Support.DIFFERENT)
accepted: Final = partial(_row, Support.ACCEPTED)
not_yet: Final = partial(_row, Support.NOT_YET)
