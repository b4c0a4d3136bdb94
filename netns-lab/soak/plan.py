"""What is done to the nodes, drawn from a seed: the same seed is the same plan."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MASTER, BACKUP = "master", "backup"  # whom a fault hits: whoever is that when it comes
PART = "part"  # the nodes cannot hear each other

# Kinds of faults, and how often each is drawn.
KINDS: Final = {
    "kill": 4,
    "kill both": 1,
    "stop": 4,
    "cut": 3,
    PART: 2,
    "delete": 2,
    "reload": 3,
    "check": 2,
    "rival": 3,
}
RIVALS: Final = ("higher", "equal", "lower", "password", "version")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what, to whom, for how many seconds; `rival` says what a foreign master is like.

    `priority` is what a reload sets. `pause` comes after everything has calmed down.
    """

    kind: str
    victim: str
    seconds: float
    pause: float
    rival: str = ""
    priority: int = 0

    def __str__(self) -> str:
        if self.kind == "rival":
            return f"rival: {self.rival}, for {self.seconds:.2f} s"
        if self.kind == "reload":
            return f"reload: priority {self.priority} for the {self.victim}"
        if self.kind == "kill both":
            return f"kill both, for {self.seconds:.2f} s"
        lasts = "" if self.kind == "delete" else f", for {self.seconds:.2f} s"
        return f"{self.kind} the {self.victim}{lasts}"


def faults(seed: int, only: str = "") -> Iterator[Fault]:
    """Faults without end, of all kinds or of one."""
    chance = random.Random(seed)
    # Every kind comes once before chance has its way: a short run must not leave one out.
    kinds = [only] if only else list(KINDS)
    chance.shuffle(kinds)
    while True:
        kind = kinds.pop() if kinds else only or chance.choices(list(KINDS), list(KINDS.values()))[0]
        yield Fault(
            kind,
            # The backup is hit, too, but that does nothing to the address, or should not.
            chance.choice((MASTER, MASTER, BACKUP)) if kind != "delete" else MASTER,
            # Shorter than two adverts, about a takeover, and longer than a lease.
            chance.choice((chance.uniform(0.02, 0.2), chance.uniform(0.2, 0.5), chance.uniform(0.5, 3.5))),
            chance.uniform(0.0, 2.0),
            chance.choice(RIVALS),
            chance.randint(50, 220),
        )
