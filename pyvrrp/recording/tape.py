"""Reading a recording, line by line (reel.py has the form). What is wrong with it is said with file and line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from pyvrrp.core.events import Event
from pyvrrp.core.node import Node
from pyvrrp.core.settings import NodeSettings
from pyvrrp.errors import RecordingError
from pyvrrp.recording import plain
from pyvrrp.recording.photograph import Development
from pyvrrp.recording.plain import Plainly
from pyvrrp.recording.reel import MIDWAY, START, fingerprint

OPEN: Final = object()  # the deadline of an event that others of its turn follow
_WRONG: Final = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """One event that a node was handed, and what it decided; effects in their JSON form."""

    line: int
    now: float
    event: Event
    effects: list[Json]
    deadline: float | object | None
    raised: str = ""


class Tape:
    """A recording. `name` is what its errors call it; `lines` are read as they are needed.

    Raises RecordingError, here and from `turns`.
    """

    def __init__(self, name: str, lines: Iterable[bytes]) -> None:
        self._name = name
        self._lines = enumerate(lines, 1)
        self._line = 0
        self._plainly = Plainly()
        self.ended = ""  # why, once all turns were read; "" when the daemon did not say
        self.torn = False  # whether its last line is only a part of one
        try:
            self.header = self._read_header()
            self.settings: NodeSettings = self._plainly.decode(self.header["settings"])
            self.node = self._first_node()
            self._offset = float(self.header["wall"]) - float(self.header["now"])
        except _WRONG as error:
            raise self._error(error) from None

    @property
    def version(self) -> str:
        """The version that recorded it, where it is not like this one; else "" ."""
        return "" if self.header.get("shape") == fingerprint() else str(self.header.get("pyvrrp"))

    def wall(self, now: float) -> float:
        """The time of day, in seconds since 1970, at that moment of the node's clock."""
        return self._offset + now

    def turns(self) -> Iterator[Turn]:
        """The turns, in order."""
        while (line := self._next()) is not None:
            try:
                if "end" in line:
                    self.ended = str(line["end"])
                    return
                event: Event = self._plainly.decode(line["event"])
                yield Turn(
                    self._line,
                    float(line["now"]),
                    event,
                    [_effect(each) for each in line["effects"]],
                    line.get("deadline", OPEN),
                    str(line.get("raised", "")),
                )
            except _WRONG as error:
                raise self._error(error) from None

    def _read_header(self) -> Json:
        header = self._next()
        if header is None or "recording" not in header:
            raise ValueError("this is no recording of pyvrrpd")
        if header["recording"] != plain.VERSION or header["begins"] not in (START, MIDWAY):
            raise ValueError(f"made by pyvrrp {header.get('pyvrrp')} in a form that this version does not read")
        return header

    def _first_node(self) -> Node:
        if self.header["begins"] == START:
            return Node(self.settings, float(self.header["now"]))
        objects = []
        for _ in range(int(self.header["objects"])):
            line = self._next()
            if line is None:
                raise ValueError("it ends before the state of its node does")
            objects.append(line)
        node = Development(objects).root
        if not isinstance(node, Node):
            raise ValueError("it does not begin with a node")  # noqa: TRY004  # the recording's value is wrong
        return node

    def _next(self) -> Json | None:
        """The next line; None at the end, and where a daemon that was killed left off."""
        self._line, text = next(self._lines, (self._line, b""))
        if text and not text.endswith(b"\n"):
            self.torn, text = True, b""
        if not text:
            return None
        try:
            line = json.loads(text)
        except ValueError as error:
            raise self._error(f"not JSON: {error}") from None
        if not isinstance(line, dict):
            raise self._error("not a JSON object")
        return line

    def _error(self, what: object) -> RecordingError:
        missing = f"{what} is missing" if isinstance(what, KeyError) else str(what)
        return RecordingError(f"{self._name}:{self._line}: {missing}")


def _effect(form: Json) -> Json:
    """An effect is kept as it was written; that it is one must be sure."""
    if not isinstance(form[plain.TAG], str):
        raise TypeError(f"an effect is named by a word, not by {form[plain.TAG]!r}")
    return form
