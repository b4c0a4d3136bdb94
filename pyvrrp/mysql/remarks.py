"""What the log has to say of a standby: that it could not take over, why, and when it could again; of an active one,
what is wrong with it that is no reason to leave. Pure."""

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
        self._active = False

    def about(self, report: DatabaseReport, now: float) -> Remark | None:
        """What is to be said now. Of faults the core speaks."""
        active = report.view.writes.startswith("open")
        if report.faults or active is not self._active:
            self._said = self._seen = ()
        self._active = active
        if report.faults:
            return None
        kinds = tuple(NUMBERS.sub("", each) for each in report.against)
        if kinds != self._seen:
            self._seen, self._since = kinds, now
        if kinds == self._said or now - self._since < LASTING:
            return None
        self._said = kinds
        if not kinds:
            mended = "nothing is wrong with it any more" if active else "nothing is against its taking over any more"
            return Remark(mended, fit=True)
        serves = "it is not left:" if report.view.writes != "open" else "its writes stay open, but"
        return Remark(f"{serves if active else 'it would not take over:'} {'; '.join(report.against)}", fit=False)
