"""What the table of keywords is made of."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Shape(enum.Enum):
    """What may follow a keyword."""

    LINE = "line"  # words on its line
    LIST = "list"  # a block of entries, whose first words are not keywords
    BLOCK = "block"  # a block of statements


class Support(enum.Enum):
    """What becomes of a keyword here; the values are what docs/keepalived.md says."""

    SAME = "same"
    BETTER = "better"
    DIFFERENT = "different"
    ACCEPTED = "accepted, without effect"
    NOT_YET = "not yet"


@dataclass(frozen=True, slots=True)
class Keyword:
    """One keyword in one context.

    `note` is a sentence for the documentation, and the reason that the log gives where it is not SAME or BETTER.
    `needs` is how many words keepalived demands behind it, else it ends with status 2. `opens` names the context of a
    BLOCK's statements. `since` is the version of keepalived that brought it, "" when 2.2.7 knows it.
    """

    name: str
    shape: Shape
    support: Support
    note: str = ""
    needs: int = 0
    opens: str = ""
    since: str = ""
