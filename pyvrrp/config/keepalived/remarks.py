"""What is said about a keepalived.conf, and the exit status that keepalived's own `-t` has for it."""

from __future__ import annotations

import enum
from typing import NamedTuple

from pyvrrp.config.tree import Place
from pyvrrp.errors import Problem


class Weight(enum.Enum):
    """How much a remark matters; the values are exit statuses of `-t`."""

    ADVICE = 0  # keepalived says nothing, or nothing that counts
    MISSING = 2  # a keyword without its parameter: keepalived ends at once, pyvrrp leaves the line out
    CANNOT_RUN = 4
    ERROR = 5  # it runs, without what is wrong
    SECURITY = 6  # script security is not enabled though scripts run as root


# Which status a file has when several apply: the first of these that occurs.
_RANK = (Weight.MISSING, Weight.CANNOT_RUN, Weight.SECURITY, Weight.ERROR)


class Remarks:
    """Collects them, each once. `path` is what the remark is about, dotted, as in `vrrp_instance.VI_1.priority`."""

    def __init__(self) -> None:
        self._found: dict[Problem, Weight] = {}
        self._of_keywords: dict[str, _OfKeywords] = {}
        self.refused = False  # whether keepalived would not start at all

    def add(self, weight: Weight, place: Place, path: str, message: str) -> None:
        """Note a remark."""
        # What a file says may be part of it, and must not make lines of its own.
        text = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in message)
        self._found.setdefault(Problem(*place, path, text), weight)

    def error(self, place: Place, path: str, message: str) -> None:
        """Something is wrong, and what is wrong is left out."""
        self.add(Weight.ERROR, place, path, message)

    def refuse(self, place: Place, message: str) -> None:
        """A file is missing that the configuration must not go without; keepalived's status for it is this one."""
        self.add(Weight.SECURITY, place, "", message)
        self.refused = True

    def advise(self, place: Place, path: str, message: str) -> None:
        """Something else may be meant."""
        self.add(Weight.ADVICE, place, path, message)

    def advise_of_keyword(self, place: Place, path: str, keyword: str, sentence: str) -> None:
        """Something about a keyword in the block `path`; of several it is said once, at the first."""
        said = self._of_keywords.setdefault(sentence, _OfKeywords(place, path, {}))
        said.keywords[keyword] = None

    @property
    def status(self) -> int:
        """Exit status of `-t`."""
        weights = set(self._found.values())
        return next((weight.value for weight in _RANK if weight in weights), 0)

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong, in file order."""
        return tuple(sorted(each for each, weight in self._found.items() if weight is not Weight.ADVICE))

    def advice(self) -> tuple[Problem, ...]:
        """What may be meant otherwise, in file order."""
        found = [each for each, weight in self._found.items() if weight is Weight.ADVICE]
        return tuple(sorted([*found, *map(_line, self._of_keywords.items())]))


class _OfKeywords(NamedTuple):
    """Where the first keyword stands, its block, and all keywords of which the same is said."""

    place: Place
    path: str
    keywords: dict[str, None]


def _line(said: tuple[str, _OfKeywords]) -> Problem:
    sentence, (place, path, keywords) = said
    if len(keywords) > 1:
        return Problem(*place, path, f"{', '.join(keywords)}: {sentence}")
    return Problem(*place, ".".join(filter(None, (path, *keywords))), sentence)
