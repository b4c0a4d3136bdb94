"""The kinds of values that node.yaml knows: how a text becomes one, what is said when it does not, its JSON Schema.

Each kind is an annotation for a pydantic field. `parse` takes the text as the file has it, and raises ValueError with
what was expected.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from pyvrrp.core import const
from pyvrrp.core.settings import SCOPES

NOT_PRINTABLE: Final = "has a character that is not printable ASCII"

_SHOWN: Final = 60  # characters of a bad value that a message repeats
_DIGITS: Final = 12  # no number of ours is longer; keeps int() and float() out of trouble
_UNITS: Final = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0}
_WHOLE: Final = re.compile(r"[+-]?\d+", re.ASCII)
_DURATION: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))\s*(ms|s|m|)", re.ASCII)
TRUTH_WORDS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NAME_SIZE: Final = 128
_STATUS_RANGE: Final = re.compile(r"(\d{3})(?:-(\d{3}))?", re.ASCII)


class Word(str):
    """A scalar on its way into the model; `quoted` is set when the file says that it is text."""

    __slots__ = ("quoted",)
    quoted: bool

    def __new__(cls, text: str, quoted: bool = False) -> Word:
        """A word that says `text`."""
        word = super().__new__(cls, text)
        word.quoted = quoted
        return word

    def __repr__(self) -> str:
        # Any word may be a password.
        return "Word(…)"


def quote(text: str) -> str:
    """`text` as a message shows it: in quotes, on one line, not too long."""
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return '"' + "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in shown) + '"'


def described(value: object) -> str:
    """What kind of thing stands in the file, for messages that must not show it."""
    if isinstance(value, dict):
        return "keys and values"
    return "a list" if isinstance(value, list) else "a single value"


class Kind:
    """Base of all kinds. A subclass has `parse`, and `schema` for its JSON Schema."""

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of this kind."""
        raise NotImplementedError

    def parse(self, word: Word) -> object:
        """The value that `word` stands for. Raises ValueError."""
        raise NotImplementedError

    def _parse_scalar(self, value: object) -> object:
        if isinstance(value, str) and not isinstance(value, Word):
            value = Word(value, quoted=True)  # a key
        if not isinstance(value, Word):
            raise ValueError(f"a single value is expected here, not {described(value)}")  # noqa: TRY004  # pydantic's rule
        if not value and not value.quoted:
            raise ValueError("has no value")
        return self.parse(value)

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._parse_scalar)

    def __get_pydantic_json_schema__(self, _core: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return self.schema


def _refuse_quotes(word: Word, expected: str) -> None:
    if word.quoted:
        raise ValueError(f"{quote(word)} in quotes is text, not {expected}; leave the quotes away")


def _within(number: float, word: str, low: float, high: float) -> None:
    if not low <= number <= high:
        raise ValueError(f"{word} is outside {low:g}..{high:g}")


@dataclass(frozen=True, slots=True)
class Whole(Kind):
    """A whole number within bounds, in decimal digits."""

    low: int
    high: int

    @property
    def schema(self) -> dict[str, Any]:
        """An integer."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}

    def parse(self, word: Word) -> int:
        """The number. Raises ValueError."""
        _refuse_quotes(word, "a whole number")
        if not _WHOLE.fullmatch(word):
            raise ValueError(f"{quote(word)} is not a whole number")
        digits = word.lstrip("+-")
        if len(digits) > 1 and digits.startswith("0"):
            decimal = digits.lstrip("0") or "0"
            raise ValueError(f"{quote(word)} begins with 0, which some read as octal; write {decimal}")
        if len(digits) > _DIGITS:
            raise ValueError(f"{word[:_DIGITS]}… is outside {self.low}..{self.high}")
        _within(int(word), word, self.low, self.high)
        return int(word)


@dataclass(frozen=True, slots=True)
class Duration(Kind):
    """Seconds as a number, or a number with the unit ms, s or m."""

    low: float
    high: float

    @property
    def schema(self) -> dict[str, Any]:
        """A number, or text with a unit."""
        return {
            "anyOf": [
                {"type": "number", "minimum": self.low, "maximum": self.high},
                {"type": "string", "pattern": r"^([0-9]+\.?[0-9]*|\.[0-9]+)\s*(ms|s|m)$"},
            ]
        }

    def parse(self, word: Word) -> float:
        """The duration in seconds. Raises ValueError."""
        match = _DURATION.fullmatch(word)
        if match is None:
            raise ValueError(f"{quote(word)} is not a duration: a number of seconds, or text like 50ms, 2s, 1m")
        number, unit = match.groups()
        if not unit:
            _refuse_quotes(word, "a number of seconds")
        if len(number) > _DIGITS:
            raise ValueError(f"{quote(word)} has too many digits for a duration")
        # Rounded, so that 50ms and 0.05 are the same number.
        seconds = round(float(number) * _UNITS[unit], 6)
        _within(seconds, word, self.low, self.high)
        return seconds


@dataclass(frozen=True, slots=True)
class DurationOrForever(Kind):
    """Seconds, or a duration without end."""

    low: float
    high: float

    @property
    def schema(self) -> dict[str, Any]:
        """A number, text with a unit, or a word."""
        return {"anyOf": [*Duration(self.low, self.high).schema["anyOf"], {"const": "forever"}]}

    def parse(self, word: Word) -> float | None:
        """The duration in seconds, None for ever. Raises ValueError."""
        return None if word == "forever" else Duration(self.low, self.high).parse(word)


class Flag(Kind):
    """true or false, also yes/no and on/off, as YAML 1.1 has them."""

    @property
    def schema(self) -> dict[str, Any]:
        """A boolean."""
        return {"type": "boolean"}

    def parse(self, word: Word) -> bool:
        """The truth value. Raises ValueError."""
        _refuse_quotes(word, "true or false")
        truth = TRUTH_WORDS.get(word.lower())
        if truth is None:
            raise ValueError(f"{quote(word)} is not true or false")
        return truth


class FlagOrName(Kind):
    """For the JSON Schema: true, false, or a name in their place."""

    @property
    def schema(self) -> dict[str, Any]:
        """A boolean, or text."""
        return {"type": ["boolean", "string"]}

    def parse(self, word: Word) -> str:
        """The word."""
        return str(word)


@dataclass(frozen=True, slots=True)
class Choice(Kind):
    """One of a few words. `known` maps words that others understand, and we do not, to what to do about it."""

    words: tuple[str, ...]
    known: tuple[tuple[str, str], ...] = ()
    shown: bool = True

    @property
    def schema(self) -> dict[str, Any]:
        """An enumeration."""
        return {"enum": list(self.words)}

    def parse(self, word: Word) -> str:
        """The word itself. Raises ValueError."""
        if word in self.words:
            return str(word)
        if explanation := dict(self.known).get(word):
            raise ValueError(explanation)
        choices = " or ".join(self.words)
        fitting = [each for each in self.words if each.lower() == word.lower()]
        if fitting:
            raise ValueError(f"{quote(word)} is written {fitting[0]}")
        raise ValueError(f"{quote(word)} is not {choices}" if self.shown else f"is not {choices}")


class Name(Kind):
    """What something is called: 1 to 128 printable characters, spaces only inside."""

    @property
    def schema(self) -> dict[str, Any]:
        """Text without spaces at its ends."""
        return {"type": "string", "pattern": r"^\S(.*\S)?$", "minLength": 1, "maxLength": _NAME_SIZE}

    def parse(self, word: Word) -> str:
        """The name. Raises ValueError."""
        if not word or word != word.strip() or not word.isprintable():
            raise ValueError(f"{quote(word)} is not a name: printable characters, no space at its ends")
        if len(word) > _NAME_SIZE:
            raise ValueError(f"{quote(word)} is longer than {_NAME_SIZE} characters")
        return str(word)


class Lease(Kind):
    """auto, off, or whole seconds."""

    low, high = 1, 600

    @property
    def schema(self) -> dict[str, Any]:
        """A word or an integer."""
        return {"anyOf": [{"enum": ["auto", "off"]}, {"type": "integer", "minimum": self.low, "maximum": self.high}]}

    def parse(self, word: Word) -> str | int:
        """The word or the number. Raises ValueError."""
        if word in ("auto", "off"):
            return str(word)
        if not _WHOLE.fullmatch(word):
            raise ValueError(f"{quote(word)} is not auto, off or a whole number of seconds (the kernel counts those)")
        return Whole(self.low, self.high).parse(word)


class Password(Kind):
    """The password of VRRPv2's PASS. It is never part of a message."""

    @property
    def schema(self) -> dict[str, Any]:
        """Text, or a number whose digits are the text."""
        text = {"type": "string", "pattern": "^[ -~]+$", "minLength": 1, "maxLength": const.AUTH_DATA_SIZE}
        return {"anyOf": [text, {"type": "integer", "minimum": 0, "maximum": 10**const.AUTH_DATA_SIZE - 1}]}

    def parse(self, word: Word) -> bytes:
        """The bytes of the packet, not padded. Raises ValueError."""
        return password(word)


def password(text: str) -> bytes:
    """The bytes of a password; stray ones are escaped in `text`. Raises ValueError, with a message without it."""
    if not text:
        raise ValueError("is empty")
    try:
        encoded = text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        raise ValueError(NOT_PRINTABLE) from None
    if len(encoded) > const.AUTH_DATA_SIZE:
        raise ValueError(
            f"is {len(encoded)} characters long, VRRPv2 carries {const.AUTH_DATA_SIZE}"
            " (keepalived cuts there: to agree with it, write the first 8)"
        )
    return encoded


def printable(password: bytes) -> bool:
    """Whether a password is printable ASCII; what else it may be, another editor might write in other bytes."""
    return password.isascii() and password.decode().isprintable()


class FileName(Kind):
    """The path of a file, absolute or beside the configuration."""

    @property
    def schema(self) -> dict[str, Any]:
        """Text."""
        return {"type": "string", "minLength": 1}

    def parse(self, word: Word) -> str:
        """The path as written. Raises ValueError."""
        if not word or "\0" in word:
            raise ValueError(f"{quote(word)} is not a file name" if word else "is empty")
        return str(word)


class Text(Kind):
    """Any text of one line."""

    @property
    def schema(self) -> dict[str, Any]:
        """Text."""
        return {"type": "string"}

    def parse(self, word: Word) -> str:
        """The text. Raises ValueError."""
        if any(char in word for char in "\n\r\0"):
            raise ValueError(f"{quote(word)} is not a single line")
        return str(word)


class CommandLine(Kind):
    """A program and its arguments in one text, quoted as in a shell."""

    @property
    def schema(self) -> dict[str, Any]:
        """Text."""
        return {"type": "string", "minLength": 1}

    def parse(self, word: Word) -> tuple[str, ...]:
        """The words. Raises ValueError."""
        try:
            words = tuple(shlex.split(word))
        except ValueError as error:
            raise ValueError(f"{quote(word)}: {str(error)[:1].lower()}{str(error)[1:]}") from None
        if "\0" in word or not words or not words[0]:
            raise ValueError(f"{quote(word)} names no program")
        return words


class HexBytes(Kind):
    """Bytes in hexadecimal digits."""

    @property
    def schema(self) -> dict[str, Any]:
        """Text."""
        return {"type": "string", "pattern": "^([0-9a-fA-F]{2} ?)*$"}

    def parse(self, word: Word) -> bytes:
        """The bytes. Raises ValueError."""
        try:
            return bytes.fromhex(word)
        except ValueError:
            raise ValueError(f"{quote(word)} is not hexadecimal, two digits a byte") from None


class StatusCode(Kind):
    """An HTTP status, or a range of them as 200-299."""

    @property
    def schema(self) -> dict[str, Any]:
        """A number, or text."""
        return {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]{3}(-[0-9]{3})?$"}]}

    def parse(self, word: Word) -> tuple[int, int]:
        """The first and the last code. Raises ValueError."""
        match = _STATUS_RANGE.fullmatch(word)
        if match is None:
            raise ValueError(f"{quote(word)} is not a status code, or a range as 200-299")
        low, high = int(match[1]), int(match[2] or match[1])
        if low > high:
            raise ValueError(f"{quote(word)} ends before it begins")
        return low, high


class Scope(Kind):
    """The scope of an address, by iproute2's name or number."""

    @property
    def schema(self) -> dict[str, Any]:
        """A word or a number."""
        return {"anyOf": [{"enum": list(SCOPES)}, {"type": "integer", "minimum": 0, "maximum": 255}]}

    def parse(self, word: Word) -> int:
        """rtnetlink's number. Raises ValueError."""
        return SCOPES[word] if word in SCOPES else Whole(0, 255).parse(word)
