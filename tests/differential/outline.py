"""The text that keepalived logs with `-d`, taken apart.

A dump is an outline: sections between rules, in them records whose first line is indented by one blank, their
properties (`Name = value`) by three, and lists below a property by five or more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_STAMP: Final = len("Mon Nov 23 18:50:42 2026: ")
_RULE: Final = re.compile(r"\s*-+< (.*) >-+")


@dataclass
class Property:
    """One line of a record, and the lines below it; `value` is empty where it has none."""

    name: str
    value: str
    below: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, line: str) -> Property:
        """`Name = value`, `Name :`, or a name alone."""
        name, equals, value = line.partition(" = ")
        if equals:
            return cls(name, value.strip())
        return cls(line.removesuffix(" =").removesuffix(" :"), "")


@dataclass
class Record:
    """One thing of a section: its first line, and its properties."""

    head: str
    properties: list[Property] = field(default_factory=list)

    def value(self, name: str) -> str:
        """The value of a property, "" when there is none."""
        return next((each.value for each in self.properties if each.name == name), "")

    def below(self, name: str) -> list[str]:
        """The list below a property."""
        return [line for each in self.properties if each.name == name for line in each.below]

    def says(self, line: str) -> bool:
        """Whether a property without a value is there."""
        return any(each.name == line for each in self.properties)

    def nested(self) -> Record:
        """The lines below all properties, as properties."""
        return Record("", [Property.of(line) for each in self.properties for line in each.below])


@dataclass
class Section:
    """What stands behind one rule."""

    title: str
    records: list[Record] = field(default_factory=list)


def outline(log: str) -> Iterator[Section]:
    """The sections of the dump in a log of one process."""
    section: Section | None = None
    for line in log.splitlines():
        text = line[_STAMP:]
        rule = _RULE.fullmatch(text)
        if rule:
            if section:
                yield section
            section = Section(rule[1])
        elif section and text.startswith(" "):  # others are log lines, of the parent
            _place(section, text)
    if section:
        yield section


def _place(section: Section, text: str) -> None:
    """Put a line where its indentation says that it belongs."""
    body = text.strip()
    depth = len(text) - len(text.lstrip())
    if depth == 1:
        section.records.append(Record(body))
        return
    if not section.records:  # a real server's first line is a property like others
        section.records.append(Record(""))
    properties = section.records[-1].properties
    if depth > 3 and properties:
        properties[-1].below.append(body)
    else:
        properties.append(Property.of(body))
