"""What keepalived.conf says, before anybody asks what it means: statements, lines of words that may have blocks."""

from __future__ import annotations

from dataclasses import dataclass

from pyvrrp.config.tree import Place, Scalar


@dataclass(frozen=True, slots=True)
class Statement:
    """One line: `words[0]` is the keyword (in a list block: the first word of an entry). There is at least one word.

    `block` holds what stands between its braces, None where it has none. `context` names the table of keywords that
    the statement was looked up in, "" for an entry of a list. `comment` are the comments above and behind it, without
    their marks.
    """

    words: tuple[Scalar, ...]
    context: str
    block: tuple[Statement, ...] | None = None
    comment: tuple[str, ...] = ()

    @property
    def keyword(self) -> str:
        """The first word."""
        return self.words[0].text

    @property
    def place(self) -> Place:
        """Where it begins."""
        return self.words[0].place

    @property
    def arguments(self) -> tuple[Scalar, ...]:
        """The words behind the keyword."""
        return self.words[1:]
