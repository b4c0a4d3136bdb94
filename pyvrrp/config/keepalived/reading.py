"""How a block is read: a handler for each keyword puts what it says into a draft of node.yaml."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from pyvrrp.config.keepalived.draft import Draft
from pyvrrp.config.keepalived.numbers import Number, written
from pyvrrp.config.keepalived.scope import Scope
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.tree import Place
from pyvrrp.config.values import Kind, Word

Handler = Callable[[Any, Statement], None]  # the reader, of the class that has the handler in its table


class Reader:
    """A block while it is read. What no handler takes has no key in node.yaml."""

    HANDLERS: ClassVar[Mapping[str, Handler]] = {}

    def __init__(self, scope: Scope, place: Place) -> None:
        self.scope = scope
        self.draft = Draft(place)

    def read(self, statements: Iterable[Statement] | None) -> None:
        """Read the statements of the block."""
        for statement in statements or ():
            handler = self.HANDLERS.get(statement.keyword)
            if handler is None:
                self.scope.look_at_value(statement)
            else:
                handler(self, statement)
            self.scope.say_support(statement)


def number(key: str, form: Number, otherwise: str) -> Handler:
    """A number that goes under `key`; `otherwise` is what a wrong one leaves in force."""

    def handle(reader: Reader, statement: Statement) -> None:
        value = reader.scope.number(statement, form, reader.draft.text(key, otherwise))
        if value is not None:
            reader.draft.say(key, statement, written(value))

    return handle


def truth(key: str) -> Handler:
    """A <BOOL>; the keyword alone is true."""

    def handle(reader: Reader, statement: Statement) -> None:
        value = reader.scope.truth(statement)
        if value is not None:
            reader.draft.say(key, statement, written(value))

    return handle


def flag(key: str) -> Handler:
    """A keyword that says something by being there, whatever stands behind it."""

    def handle(reader: Reader, statement: Statement) -> None:
        reader.draft.say(key, Statement(statement.words[:1], statement.context), written(True))

    return handle


def text(key: str, kind: Kind) -> Handler:
    """A word as it is written."""

    def handle(reader: Reader, statement: Statement) -> None:
        word = reader.scope.word(statement)
        if word is not None and fits(reader.scope, statement, kind, word.text):
            reader.draft.say(key, statement, word.text)

    return handle


def fits(scope: Scope, statement: Statement, kind: Kind, value: str) -> bool:
    """Whether node.yaml can say `value`, as keepalived can; a remark says why not."""
    try:
        kind.parse(Word(value, quoted=True))
    except ValueError as error:
        scope.advise(statement, f"{error}; it is left out")
        return False
    return True
