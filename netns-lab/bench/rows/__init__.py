"""Every row of the table, in the order in which it is printed."""

from __future__ import annotations

from bench.rows import cost, crash, flood, handback, jitter, mysql, overlap, start, stop, takeover
from bench.rows.row import Row
from bench.stage import Effort


def rows(effort: Effort) -> list[Row]:
    """The rows of a run with this effort."""
    return [
        *start.rows(),
        *crash.rows(),
        *stop.rows(),
        *handback.rows(),
        *takeover.rows(),
        *mysql.rows(),
        *overlap.rows(),
        *jitter.rows(),
        *flood.rows(),
        *cost.rows(effort),
    ]
