"""What stands for other text: $VARIABLES, the predefined ones, and the values that ~SEQ and ~LST run through."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pyvrrp.config.keepalived.words import BLANK

LENGTH_MAX: Final = 64 << 10  # characters that one line may grow by; scripts' lines are below 1000
TEXT_MAX: Final = (
    32 << 20
)  # characters that all replacing may read and write: about 2 s; a thousand instances need 1 MiB
PASSES_MAX: Final = 64  # how deep variables may stand in variables

_NAME: Final = r"[A-Za-z_]\w*+"
DEFINITION: Final = re.compile(rf"\s*\$({_NAME})=", re.ASCII)
_REFERENCE: Final = re.compile(
    rf'\$(?:\{{(?P<braced>{_NAME})(?P<arguments>\s[^{{}}"]*)?\}}|(?P<bare>{_NAME})(?=\s|\Z))', re.ASCII
)
_SEQUENCE: Final = re.compile(r"\s*~(SEQx?|LST)\s*+\(([^)]*)\)", re.ASCII)
_BARE_IN_SEQUENCE: Final = re.compile(rf"\$({_NAME})(?=\s*[,}}])", re.ASCII)
_SEQUENCE_BEGIN: Final = re.compile(r"\s*~(?:SEQ|LST)")
_INTEGER: Final = re.compile(r"[+-]?(?:0[xX][0-9A-Fa-f]{1,15}|\d{0,18})", re.ASCII)
_LIST_ITEM: Final = re.compile(r"\s*+(?:\{(?P<several>[^{}]*)\}|(?P<one>[^\s,{}]*+))\s*+(?:,|(?P<last>\Z))", re.ASCII)
_RANDOM: Final = re.compile(r"\s*(\d{1,9})?(?:\s+(\d{1,9}))?\s*", re.ASCII)


class Definitions:
    """The variables of a file and what is included in it. A value is the lines of its text, at least one."""

    def __init__(self, instance: str) -> None:
        self._instance = instance
        self._values: dict[str, tuple[str, ...]] = {}
        self._room = TEXT_MAX

    def define(self, name: str, *lines: str) -> None:
        """From now on `$name` stands for `lines`."""
        self._values[name] = lines

    def expand(self, text: str, file: str) -> list[str]:
        """`text`, in the file `file`, with its variables replaced, and theirs; the lines that it becomes.

        Raises ValueError when that takes no end.
        """
        after: list[str] = []
        longest = len(text) + LENGTH_MAX
        for _ in range(PASSES_MAX):
            replaced = self._replace(text, file, after)
            if replaced == text:
                return [text, *after]
            text = replaced
            self._spend(len(text))
            if len(text) > longest:
                raise ValueError(f"variables make this line longer than {LENGTH_MAX} characters")
        raise ValueError(f"variables refer to each other more than {PASSES_MAX} deep, or in a circle")

    def _replace(self, text: str, file: str, after: list[str]) -> str:
        """`text` with its variables replaced once; what follows in lines of their own goes to the front of `after`."""
        end = len(text.rstrip(BLANK))
        pieces: list[str] = []
        done = 0
        for match in _REFERENCE.finditer(text):
            value = self._value(match, file)
            if not value or (len(value) > 1 and match.end() < end):  # more lines than one need the line's end
                continue
            pieces += (text[done : match.start()], value[0])
            done = match.end()
            after[:0] = value[1:]
            self._spend(len(value[0]) + len(value))
        return "".join((*pieces, text[done:]))

    def _spend(self, characters: int) -> None:
        self._room -= characters
        if self._room < 0:
            raise ValueError(f"variables make more than {TEXT_MAX >> 20} MiB of text")

    def _value(self, match: re.Match[str], file: str) -> tuple[str, ...]:
        """What a reference stands for; nothing when it is not defined."""
        name = match["braced"] or match["bare"]
        if match["arguments"] is None and name in self._values:
            return self._values[name]
        arguments = match["arguments"] or ""
        found: str | None = None
        if name == "_RANDOM":
            found = _random(arguments)
        elif name == "_ENV":
            found = os.environ.get(arguments.strip())
        elif not arguments:
            found = self._predefined(name, file)
        return () if found is None else (found,)

    def _predefined(self, name: str, file: str) -> str | None:
        if name == "_PWD":
            return str(Path(file).parent.absolute())
        return {"_INSTANCE": self._instance, "_HASH": "#", "_BANG": "!"}.get(name)

    def sequence(self, text: str, file: str) -> tuple[Iterator[dict[str, str]], str] | None:
        """Of a line that begins with ~SEQ or ~LST: the values to define, one after the other, and what they are for.

        None for any other line. Raises ValueError when it is not understood.
        """
        if not _SEQUENCE_BEGIN.match(text):
            return None
        match = _SEQUENCE.match(text)
        if match is None:
            raise ValueError("~SEQ and ~LST are followed by what they run through in round brackets")
        inside = self.expand(_BARE_IN_SEQUENCE.sub(r"${\1}", match[2]), file)[0]
        values = _listed(inside) if match[1] == "LST" else _counted(inside, hexadecimal=match[1] == "SEQx")
        return values, text[match.end() :]


def _random(arguments: str) -> str | None:
    match = _RANDOM.fullmatch(arguments)
    if match is None:
        return None
    low, high = sorted((int(match[1] or 0), int(match[2] or 32767)))
    return str(low + secrets.randbelow(high - low + 1))


def _counted(inside: str, *, hexadecimal: bool) -> Iterator[dict[str, str]]:
    """What `(name, start, step, end)` runs through; start and step may be left out."""
    name, *texts = (part.strip() for part in inside.split(","))
    _refuse_names([name])
    if not 1 <= len(texts) <= 3:
        raise ValueError("~SEQ takes a name, a start, a step and an end; start and step may be left out")
    numbers = [_integer(text) for text in texts]
    end = numbers[-1]
    start = numbers[0] if len(numbers) > 1 else (-1 if end < 0 else 1)
    step = numbers[1] if len(numbers) > 2 else (1 if end >= start else -1)
    if step == 0 or (end - start) * step < 0:
        raise ValueError("this ~SEQ never comes to its end")
    if hexadecimal and min(start, end) < 0:
        raise ValueError("~SEQx is for positive numbers")
    values = range(start, end + (1 if step > 0 else -1), step)
    return ({name: f"{value:x}" if hexadecimal else str(value)} for value in values)


def _integer(text: str) -> int:
    """A number as C reads it: 0x begins a hexadecimal one, 0 an octal one; nothing at all is 0."""
    if not _INTEGER.fullmatch(text):
        raise ValueError("~SEQ counts with whole numbers of at most 18 digits")
    digits = text.lstrip("+-")
    value = 0
    try:
        if digits:
            value = int(digits, 0 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10)
    except ValueError:
        raise ValueError("a number that begins with 0 is octal, and has no 8 and 9") from None
    return -value if text.startswith("-") else value


def _listed(inside: str) -> Iterator[dict[str, str]]:
    """What `(name, value, ...)` or `({names}, {values}, ...)` runs through; values that are missing are empty."""
    items: list[list[str]] = []
    at, last = 0, False
    while not last:
        match = _LIST_ITEM.match(inside, at)
        if match is None:
            raise ValueError("~LST takes a name and values, with commas between them, or several in {}")
        several = match["several"]
        items.append([match["one"]] if several is None else [part.strip() for part in several.split(",")])
        at, last = match.end(), match["last"] is not None
    names, *values = items
    _refuse_names(names)
    if not values:
        raise ValueError("~LST takes at least one value")
    if max(map(len, values)) > len(names):
        raise ValueError("~LST has more values than names")
    missing = [""] * len(names)
    return (dict(zip(names, value + missing, strict=False)) for value in values)


def _refuse_names(names: Iterable[str]) -> None:
    if not all(re.fullmatch(_NAME, name, re.ASCII) for name in names):
        raise ValueError("a variable's name is made of letters, digits and _, and begins with no digit")
