"""Telling a scenario line by line under the eyes of a witness, and making one that fails shorter."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.scenarios.language import Scenario
from tests.simulation.campaign import scenario
from tests.simulation.invariants import Findings

_SETTING = {"seed", "cluster", "node", "witness", "run", "expect", "mend"}  # lines that do no harm
_SMALL = {"on", "of", "to", "for", "are", "a", "b", "c", "d", "e"}
_TRIES = 1500  # scenarios told while one is made shorter


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong: the promise that was broken or the exception's name, the sentence, and the line it came at."""

    promise: str
    sentence: str
    line: str


@dataclass(slots=True)
class Outcome:
    """What came of one scenario, or of many."""

    seeds: int = 0
    seconds: float = 0.0  # of virtual time
    transitions: int = 0
    overlap: float = 0.0
    gap: float = 0.0
    written: float = 0.0
    asked: int = 0  # takeovers before which one had to ask
    mixed: int = 0  # clusters whose nodes have intervals of their own
    faults: Counter[str] = field(default_factory=Counter)
    failures: dict[int, Failure] = field(default_factory=dict)

    def add(self, other: Outcome) -> None:
        """Take another one in."""
        self.seeds += other.seeds
        self.seconds += other.seconds
        self.transitions += other.transitions
        self.asked, self.mixed = self.asked + other.asked, self.mixed + other.mixed
        self.written = max(self.written, other.written)
        self.overlap, self.gap = max(self.overlap, other.overlap), max(self.gap, other.gap)
        self.faults += other.faults
        self.failures |= other.failures


def tell(lines: Sequence[str]) -> tuple[Failure | None, Scenario]:
    """Perform the lines up to the first that fails."""
    story = Scenario()
    for line in lines:
        try:
            story.say(shlex.split(line))
        except Exception as error:  # noqa: BLE001 - whatever the core raises is a finding
            promise = str(error).split(":")[0]
            named = isinstance(error, AssertionError) and promise.isupper()
            return Failure(promise if named else type(error).__name__, str(error), line), story
    return None, story


def try_out(seeds: Sequence[int]) -> Outcome:
    """Tell the scenarios of these numbers."""
    outcome = Outcome()
    for seed in seeds:
        lines = scenario(seed)
        failure, story = tell(lines)
        found = story.witness.findings if story.witness is not None else Findings()
        harm = Counter(kind for line in lines if (kind := _kind(line)))
        outcome.add(
            Outcome(
                1,
                story.lan.now - 1000.0,
                found.transitions,
                found.overlap,
                found.gap,
                found.written,
                found.asked,
                _is_mixed(lines),
                harm,
            )
        )
        if failure is not None:
            outcome.failures[seed] = failure
    return outcome


def shrunk(lines: Sequence[str], promise: str) -> list[str]:
    """As few lines and words as break the same promise still."""
    best, left = list(lines), _TRIES

    def fails(candidate: list[str]) -> bool:
        nonlocal left
        left -= 1
        failure = tell(candidate)[0] if left > 0 else None
        return failure is not None and failure.promise == promise

    smaller = True
    while smaller and left > 0:
        smaller = False
        for candidate in _shorter(best):
            if sum(map(len, candidate)) < sum(map(len, best)) and fails(candidate):
                best, smaller = candidate, True
                break
    return best


def _shorter(lines: list[str]) -> Iterator[list[str]]:
    """The same story without some lines, most first; then without a node, then without some words."""
    size = len(lines) // 2
    while size:
        for at in range(0, len(lines), size):
            yield lines[:at] + lines[at + size :]
        size //= 2
    for name in "abcde":
        yield [line for line in lines if name not in line.split()]
    for at, line in enumerate(lines):
        words = line.split()
        for number in range(1, len(words)):
            for width in (1, 2, 3):
                rest = words[:number] + words[number + width :]
                yield [*lines[:at], " ".join(rest), *lines[at + 1 :]]


def _is_mixed(lines: Sequence[str]) -> bool:
    """Whether its nodes begin with several intervals."""
    words = [line.split() for line in lines if line.startswith("node ")]
    return len({each[each.index("advert_int") + 1] for each in words if "advert_int" in each}) > 1


def _kind(line: str) -> str:
    """What kind of harm a line does; "" when it does none."""
    words = [word for word in line.split() if word.isalpha() and word not in _SMALL]
    if words[0] in _SETTING:
        return ""
    if words[0] == "weather":
        return "weather loss" if "loss" in words else ""
    return " ".join(words[:2])
