"""What every reader of a block needs: remarks about the block, and the values of its statements."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from pyvrrp.config.keepalived.keyword import Support
from pyvrrp.config.keepalived.keywords import CONTEXTS
from pyvrrp.config.keepalived.numbers import Number, too_fine, truth, written
from pyvrrp.config.keepalived.remarks import Remarks
from pyvrrp.config.keepalived.statement import Statement
from pyvrrp.config.keepalived.without_effect import ENTRIES, VALUES
from pyvrrp.config.tree import Place, Scalar
from pyvrrp.config.values import quote
from pyvrrp.config.values_net import parse_address

_SAID: Final = {
    Support.DIFFERENT: "different here",
    Support.ACCEPTED: "without effect here",
    Support.NOT_YET: "not supported yet",
}


class Scope:
    """A block while it is read. What is remarked about it has `path` in front."""

    def __init__(self, remarks: Remarks, path: str = "", block: Statement | None = None) -> None:
        self.remarks = remarks
        self.path = path
        self._block = block

    def within(self, statement: Statement) -> Scope:
        """The scope of a block in this one: its keyword, and the name of what it is about."""
        steps = [self.path, *(quote(word.text)[1:-1] for word in statement.words[:2])]
        return Scope(self.remarks, ".".join(step for step in steps if step), statement)

    def error(self, statement: Statement, message: str) -> None:
        """A statement is wrong."""
        self.remarks.error(statement.place, self._about(statement), message)

    def advise(self, statement: Statement, message: str) -> None:
        """A statement may mean something else."""
        self.remarks.advise(statement.place, self._about(statement), message)

    def error_at(self, place: Place, message: str) -> None:
        """Something about the whole block is wrong."""
        self.remarks.error(place, self.path, message)

    def advise_at(self, place: Place, message: str) -> None:
        """Something about the whole block may be meant otherwise."""
        self.remarks.advise(place, self.path, message)

    def _about(self, statement: Statement) -> str:
        name = statement.keyword if statement.context and statement is not self._block else ""
        return ".".join(each for each in (self.path, name) if each)

    # --- values ----------------------------------------------------------------------------------------------------

    def word(self, statement: Statement) -> Scalar | None:
        """The first word behind the keyword; without one there is an error."""
        if statement.arguments:
            return statement.arguments[0]
        self.error(statement, "needs a value; it is left out")
        return None

    def number(self, statement: Statement, number: Number, otherwise: str) -> float | None:
        """The number behind the keyword. None, with an error, where `otherwise` is used in its place; "" is nothing."""
        word = self.word(statement)
        return None if word is None else self.number_of(statement, word, number, otherwise)

    def number_of(self, statement: Statement, word: Scalar, number: Number, otherwise: str) -> float | None:
        """The number that `word` is."""
        try:
            value = number.parse(word.text)
        except ValueError as error:
            self.error(statement, f"{error}; {otherwise} is used" if otherwise else f"{error}; it is left out")
            return None
        if number.decimal and too_fine(word.text):
            self.error(statement, f"{quote(word.text)} has more than six decimal places; {written(value)} is used")
        if number.lifts and value == 0:
            self.error(statement, "0 is too little; 1 is used")
            return 1
        for bound, beyond in ((number.most, "more"), (number.least, "less")):
            if bound is not None and (value > bound if beyond == "more" else value < bound):
                self.advise(statement, f"{written(value)} is {beyond} than pyvrrp does; {written(bound)} is used")
                return bound
        return value

    def truth(self, statement: Statement) -> bool | None:
        """The <BOOL> behind the keyword; true where there is none. None, with an error, for another word."""
        if not statement.arguments:
            return True
        try:
            return truth(statement.arguments[0].text)
        except ValueError as error:
            self.error(statement, f"{error}; it is left out")
            return None

    def address(self, statement: Statement, word: Scalar) -> str | None:
        """An IP address; backquotes around it, as tutorials have them, are taken off. None, with an error."""
        bare = self.bare(statement, word)
        if is_address(bare):
            return str(ip_address(bare))
        self.error(statement, f"{quote(bare)} is not an IP address; it is left out")
        return None

    def bare(self, statement: Statement, word: Scalar) -> str:
        """A word without the backquotes that a tutorial put around it."""
        text = word.text
        if len(text) > 2 and text[0] == text[-1] == "`":
            self.error(statement, f"the backquotes around {text[1:-1]} are taken off; keepalived leaves it out")
            return text[1:-1]
        return text

    # --- keywords that have no key in node.yaml --------------------------------------------------------------------

    def look_at_value(self, statement: Statement) -> None:
        """Object to a value that keepalived would object to, though it has no effect here."""
        objection = VALUES.get(statement.context, {}).get(statement.keyword)
        if objection is not None and (message := objection([word.text for word in statement.arguments])):
            self.error(statement, message)
        of_entry = ENTRIES.get(statement.keyword)
        inner = self.within(statement) if statement.block else self
        for each in statement.block or ():
            if each.context:
                inner.look_at_value(each)
            elif of_entry is not None and (message := of_entry([word.text for word in each.words])):
                inner.error(each, message)

    def say_support(self, statement: Statement) -> None:
        """What the table of keywords says of one that does not do all that it does in keepalived."""
        keyword = CONTEXTS[statement.context][statement.keyword]
        if keyword.since and not keyword.since[0].isdigit():
            self.error(statement, f"keepalived does not know this here; {keyword.note}")
        if keyword.support in _SAID:
            sentence = f"{_SAID[keyword.support]}: {keyword.note}"
            self.remarks.advise_of_keyword(statement.place, self.path, keyword.name, sentence)


def is_address(text: str) -> bool:
    """Whether this is an IP address of either family, without a zone."""
    try:
        parse_address(text)
    except ValueError:
        return False
    return True
