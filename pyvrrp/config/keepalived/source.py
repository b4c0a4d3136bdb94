"""Files of keepalived.conf → lines of statements: includes, lines for one host only, variables, sequences.

A line is read in this order: its comment goes; `@id` decides whether it stands; `$NAME=` defines; `~SEQ` and `~LST`
repeat what is behind them; variables are replaced, and what comes out is read like a line again, and so is what stands
behind a brace; `include` is followed. What a line becomes stands where the line stands.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from pyvrrp.config.content import read_content
from pyvrrp.config.keepalived.definitions import DEFINITION, Definitions
from pyvrrp.config.keepalived.includes import EnoughError, Includes
from pyvrrp.config.keepalived.remarks import Remarks
from pyvrrp.config.keepalived.words import BLANK, OPEN_QUOTE, Line, comment_at, unescape_marks
from pyvrrp.config.tree import Place

LINES_MAX: Final = 200_000  # that are read, each again when it expands; a thousand instances are 15 000
DEPTH_MAX: Final = 10  # of what variables and sequences make of each other
LENGTH_MAX: Final = 64 << 10  # characters of a line
LENGTH_KEPT: Final = 1023  # characters that keepalived reads of a line; the rest is a line of its own there

_SPECIAL: Final = re.compile(r'["#!$~@\\\0]|include')
_CONDITION: Final = re.compile(r"\s*@(\^?)(\S*)", re.ASCII)
_INCLUDE: Final = re.compile(r"\s*include([rmwba]?)\s+(\S.*)", re.ASCII | re.DOTALL)
_INCLUDE_CHECK: Final = re.compile(r"\s*include_check(?:\s+(.*))?", re.ASCII | re.DOTALL)
# Behind a brace a line begins anew.
_BEGINS_ANEW: Final = re.compile(
    r'"[^"]*"|\$\{[^{}"]*\}|(?P<brace>[{}])(?=\s*(?:@|~(?:SEQ|LST)|\$[A-Za-z_]\w*+=|include[rmwba]?\s))', re.ASCII
)
_END: Final = re.compile(r"\s+\\\Z", re.ASCII)


def lines(path: str, config_id: str | None, instance: str, remarks: Remarks, *, all_config: bool) -> Iterator[Line]:
    """The lines of the file `path` and what it includes, comments as lines of their own.

    `config_id` is what `@` asks for and `instance` what ${_INSTANCE} stands for; by default both are the host's name up
    to its first dot. With `all_config` every include must find its files. Raises ConfigError when `path` is unreadable.
    """
    identity = os.uname().nodename.partition(".")[0] if config_id is None else config_id
    reader = _Reader(identity, Definitions(instance or identity), Includes(remarks, all_config), remarks)
    try:
        yield from reader.read(path, read_content(path))
    except EnoughError as enough:
        remarks.error(enough.place, "", f"too much: {enough}; all that follows is left out")


class _At(NamedTuple):
    """Where a line stands that is being read. `column` is 0 while the columns of its text are those of the file."""

    file: str
    number: int
    first: int
    column: int

    @property
    def place(self) -> Place:
        """Where it begins."""
        return Place(self.file, self.number, self.first)


class _Row(NamedTuple):
    """A line as it stands in a file, its comment taken off. `continued` is set when a backslash ends it."""

    number: int
    text: str
    comment: str
    continued: bool


class _Reader:
    def __init__(self, config_id: str, definitions: Definitions, includes: Includes, remarks: Remarks) -> None:
        self._config_id = config_id
        self._definitions = definitions
        self._includes = includes
        self._remarks = remarks
        self._lines = 0

    def read(self, file: str, content: bytes) -> Iterator[Line]:
        """The lines of a file."""
        with self._includes.within(file):
            yield from self._read(file, content)

    def _read(self, file: str, content: bytes) -> Iterator[Line]:
        rows = enumerate(self._decode(file, content).split("\n"), 1)
        for number, text in rows:
            if len(text) > LENGTH_KEPT and self._is_too_long(text, Place(file, number, LENGTH_KEPT + 1)):
                continue
            if _SPECIAL.search(text):
                yield from self._special(file, self._row(file, number, text), rows)
            elif text and not text.isspace():
                self._count(Place(file, number, 1))
                yield Line(file, number, text)

    def _is_too_long(self, text: str, place: Place) -> bool:
        if len(text) > LENGTH_MAX:
            self._remarks.error(place, "", f"this line has more than {LENGTH_MAX} characters, and is left out")
            return True
        message = f"keepalived reads {LENGTH_KEPT} characters of a line; the rest is a line of its own there"
        self._remarks.advise(place, "", message)
        return False

    def _decode(self, file: str, content: bytes) -> str:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self._remarks.error(Place(file, 1, 1), "", "is UTF-16, which keepalived does not read; save it as UTF-8")
            return content.decode("utf-16", "replace")
        if content.startswith(codecs.BOM_UTF8):
            message = "a byte order mark, which keepalived takes as part of the first word; save the file without"
            self._remarks.error(Place(file, 1, 1), "", message)
            content = content.removeprefix(codecs.BOM_UTF8)
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            before = content[: error.start].decode()
            place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
            self._remarks.advise(place, "", f"byte 0x{content[error.start]:02x} is not UTF-8 text; it is kept as it is")
            return content.decode(errors="surrogateescape")

    def _count(self, place: Place) -> None:
        self._lines += 1
        if self._lines > LINES_MAX:
            raise EnoughError(place, f"more than {LINES_MAX} lines")

    def _row(self, file: str, number: int, text: str) -> _Row:
        if "\0" in text:
            text = text.partition("\0")[0]
            place = Place(file, number, len(text) + 1)
            self._remarks.advise(place, "", "a NUL character ends the line, as in keepalived")
        mark, opened = comment_at(text)
        if opened >= 0:
            self._remarks.error(Place(file, number, opened + 1), "", OPEN_QUOTE)
        if mark < 0:
            return _Row(number, text, "", text.rstrip(BLANK).endswith("\\"))
        if mark > 0 and text[mark - 1] not in BLANK + "{}":
            message = f"a comment begins inside this word; if {text[mark]} belongs to it, put the word in double quotes"
            self._remarks.advise(Place(file, number, mark + 1), "", message)
        continued = text.rstrip(BLANK).endswith("\\") or text[:mark].rstrip(BLANK).endswith("\\")
        return _Row(number, text[:mark], text[mark:], continued)

    def _special(self, file: str, row: _Row, rows: Iterable[tuple[int, str]]) -> Iterator[Line]:
        """The lines of one that is more than words and braces; `rows` are those after it."""
        text, stands = self._condition(row.text)
        at = _At(file, row.number, len(text) - len(text.lstrip(BLANK)) + 1, 0)
        if definition := DEFINITION.match(text):
            values = self._defined(file, row._replace(text=text), definition.end(), rows)
            if stands:
                self._definitions.define(definition[1], *values)
            elif row.continued:
                message = "keepalived reads the further lines of a definition that is for another host as they stand"
                self._remarks.advise(at.place, "", message)
        if not stands:
            return
        if comment := row.comment.lstrip("#!").strip().removesuffix("\\"):
            self._count(at.place)
            yield Line(file, row.number, "", comment=comment)
        if definition:
            return
        if row.continued:
            text = self._without_end(text, at)
        if "\\#" in text or "\\!" in text:
            text, at = unescape_marks(text), at._replace(column=at.first)
        if text.strip(BLANK):
            yield from self._line(text, at, 0)

    def _condition(self, text: str) -> tuple[str, bool]:
        """A line without its `@id`, and whether it stands on this host."""
        match = _CONDITION.match(text)
        if match is None:
            return text, True
        return " " * match.end() + text[match.end() :], (match[2] == self._config_id) != bool(match[1])

    def _defined(self, file: str, row: _Row, begin: int, rows: Iterable[tuple[int, str]]) -> list[str]:
        """The lines of a definition whose value begins at `begin` of its first one."""
        values = [unescape_marks(row.text[begin:])]
        for number, text in rows if row.continued else ():
            row = self._row(file, number, text)
            self._count(Place(file, number, 1))
            values.append(unescape_marks(row.text))
            if not row.continued:
                break
        values = [value.strip(BLANK).removesuffix("\\").rstrip(BLANK) for value in values]
        return values[1:] if len(values) > 1 and not values[0] else values

    def _without_end(self, text: str, at: _At) -> str:
        """A line without the backslash that ends it or its comment, and continues nothing."""
        if text.rstrip(BLANK).endswith("\\"):
            self._remarks.advise(at.place, "", "a backslash at the end of a line continues nothing but a definition")
            return _END.sub(r"\\", text.rstrip(BLANK))
        self._remarks.error(at.place, "", "keepalived takes the backslash that ends this comment as part of the line")
        return text

    def _line(self, text: str, at: _At, depth: int) -> Iterator[Line]:
        """What a line without comment and condition becomes."""
        self._count(at.place)
        if depth > DEPTH_MAX:
            self._remarks.error(at.place, "", f"variables and sequences make each other more than {DEPTH_MAX} deep")
            return
        if definition := DEFINITION.match(text):
            self._definitions.define(definition[1], text[definition.end() :].strip(BLANK))
            return
        try:
            sequence = self._definitions.sequence(text, at.file)
            expanded = self._definitions.expand(text, at.file) if "$" in text and not sequence else [text]
        except ValueError as error:
            self._remarks.error(at.place, "", f"{error}; this line is left out")
            return
        if sequence:
            yield from self._repeated(*sequence, at, depth)
        elif expanded != [text]:
            yield from self._again(expanded, at, depth)
        elif include := _INCLUDE.match(text):
            for path, content in self._includes.files(include[1], include[2].rstrip(BLANK), at.place):
                yield from self.read(path, content)
        elif end := next((match.end() for match in _BEGINS_ANEW.finditer(text) if match["brace"]), 0):
            yield Line(at.file, at.number, text[:end], at.column)
            yield from self._again([text[end:]], at, depth)
        else:
            if options := _INCLUDE_CHECK.fullmatch(text):
                self._includes.check((options[1] or "").split(), at.place)
            yield Line(at.file, at.number, text, at.column)

    def _again(self, texts: Iterable[str], at: _At, depth: int) -> Iterator[Line]:
        at = at._replace(column=at.first)
        for each in texts:
            text, stands = self._condition(each)
            if stands and text.strip(BLANK):
                yield from self._line(text, at, depth + 1)

    def _repeated(self, values: Iterator[dict[str, str]], text: str, at: _At, depth: int) -> Iterator[Line]:
        for each in values:
            self._count(at.place)
            for name, value in each.items():
                self._definitions.define(name, value)
            yield from self._again([text], at, depth)
