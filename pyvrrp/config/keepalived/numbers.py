"""keepalived's numbers and truth values: how they are written, and their bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pyvrrp.config.values import quote

INT_MAX: Final = 2**31 - 1
UINT_MAX: Final = 2**32 - 1
TIMER_MAX: Final = 4294.967295
FINEST: Final = 0.000001

_WHOLE: Final = re.compile(r"\s*([+-]?)(\d+)|\s*", re.ASCII)
_DECIMAL: Final = re.compile(r"\s*([+-]?)(\d*)(?:\.(\d*))?", re.ASCII)
_DIGITS: Final = 20  # 64 bits have no more
_PLACES: Final = 6  # of a decimal number: microseconds
_TRUTH: Final = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Number:
    """What a keyword takes: a whole number, or a `decimal` one (keepalived's <TIMER>, seconds with microseconds).

    `least` and `most` are what pyvrrp can do, where keepalived takes more. `lifts` makes 1 of 0, with a remark.
    """

    low: float
    high: float
    decimal: bool = False
    least: float | None = None
    most: float | None = None
    lifts: bool = False

    def parse(self, text: str) -> float:
        """The number. Raises ValueError with what is wrong."""
        match = (_DECIMAL if self.decimal else _WHOLE).fullmatch(text)
        if match is None:
            raise ValueError(f"{quote(text)} is not a {'' if self.decimal else 'whole '}number")
        sign, *parts = match.groups(default="")
        digits = ".".join(parts)
        if len(parts[0].lstrip("0")) > _DIGITS or (sign == "-" and self.low >= 0):
            raise ValueError(self._outside(text))
        value = float(f"{sign}0{digits}") if self.decimal else int(f"{sign}0{digits}")
        if not self.low <= value <= self.high:
            raise ValueError(self._outside(text))
        return round(value, _PLACES)

    def _outside(self, text: str) -> str:
        shown = text.strip() if len(text) <= _DIGITS and text.strip() else quote(text)
        return f"{shown} is outside {written(self.low)}..{written(self.high)}"


def too_fine(text: str) -> bool:
    """Whether a decimal number has more places than keepalived takes without a word."""
    return len(text.partition(".")[2]) > _PLACES


def written(value: float) -> str:
    """A number, or a truth value, as node.yaml has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else f"{value:.{_PLACES}f}".rstrip("0").rstrip(".")


def truth(text: str) -> bool:
    """What a <BOOL> says. Raises ValueError."""
    if text not in _TRUTH:
        raise ValueError(f"{quote(text)} is not on, off, true, false, yes or no")
    return _TRUTH[text]
