"""Where a story goes otherwise with pyvrrpd than with keepalived 2.2.7, on purpose, with the reason for users.

A difference that is not here fails a test, and so does an entry for what does not differ any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from unittest.mock import ANY

from tests.differential.comparison import Pair
from tests.differential.differences import Difference
from tests.lab.sightings import NOT_SAID, SAID

DIFFERENCES: Final[tuple[Difference, ...]] = ()


def unexplained(story: str, found: Mapping[str, Pair]) -> dict[str, Pair]:
    """What differs in a story and stands in no entry."""
    entries = [each for each in DIFFERENCES if each.concerns(story)]
    return {what: pair for what, pair in found.items() if not any(each.explains(what, pair) for each in entries)}


def needless(found: Mapping[str, Mapping[str, Pair]]) -> list[Difference]:
    """Entries that none of these stories needs."""
    return [
        entry
        for entry in DIFFERENCES
        if not any(
            entry.concerns(story) and any(entry.explains(what, pair) for what, pair in pairs.items())
            for story, pairs in found.items()
        )
    ]
