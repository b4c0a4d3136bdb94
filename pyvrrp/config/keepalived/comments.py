"""Comments of keepalived.conf, by the places of what they belong to, for the text of node.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.tree import Place


def comments(statements: Iterable[Statement]) -> dict[Place, tuple[str, ...]]:
    """The comments above and behind each statement, by its place.

    In the tree that mapping.to_tree makes of the same statements the key of what a statement says is at that place, and
    so is the item of what an entry of a list says. Several keys may be at one place, where a statement means several or
    is the nearest that a default has: the comments belong to the first of them. A statement that is left out has none.
    """
    return dict(_found(statements))


def _found(statements: Iterable[Statement]) -> Iterator[tuple[Place, tuple[str, ...]]]:
    for statement in statements:
        if statement.comment:
            yield statement.place, statement.comment
        yield from _found(statement.block or ())
