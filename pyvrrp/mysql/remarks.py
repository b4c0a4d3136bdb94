"""What the log has to say of a standby: that it could not take over, why, and when it could again. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pyvrrp.core.events import DatabaseReport

LASTING: Final = 1.5  # seconds; every change of roles has reasons that are gone at once
NUMBERS: Final = re.compile(r"\d+(\.\d+)?")  # they change all the time, and are no news


@dataclass(frozen=True, slots=True)
class Remark:
    """One line."""

    text: str
    fit: bool


class Remarks:
    """Reports in, now and then a line for the log out: of each kind of reasons, once they have lasted."""

    def __init__(self) -> None:
        self._said: tuple[str, ...] = ()
        self._seen: tuple[str, ...] = ()
        self._since = 0.0

    def about(self, report: DatabaseReport, now: float) -> Remark | None:
        """What is to be said now. Of faults the core speaks, and an active one has nothing to take over."""
        if report.faults or report.view.writes == "open":
            self._said = self._seen = ()
            return None
        kinds = tuple(NUMBERS.sub("", each) for each in report.against)
        if kinds != self._seen:
            self._seen, self._since = kinds, now
        if kinds == self._said or now - self._since < LASTING:
            return None
        self._said = kinds
        if not kinds:
            return Remark("nothing is against its taking over any more", fit=True)
        return Remark(f"it would not take over: {'; '.join(report.against)}", fit=False)
