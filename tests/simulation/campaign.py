"""From one number to a scenario: nodes, a network, and a schedule of faults, told in the language of tests/scenarios.

Everything is drawn from the seed and from nothing else, so a number is all that is needed to see a failure again; and
as the scenario is text, whatever fails can be made shorter line by line and kept as a regression test.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

NAMES = "abcde"
COMMON = (2, 1.0), (2, 1.0), (2, 2.0), (3, 1.0), (3, 0.1), (3, 0.5), (3, 2.0)  # version and seconds between adverts
HASTY = (3, 0.01), (3, 0.05)  # rarer, and three of four slower: a virtual second of these takes longest to compute
MIXED = 0.5  # of those of version 3 have nodes with intervals of their own
BOUND = 0.3  # of the clusters without groups have databases
FAIR, FOUL = 0.5, 6.0  # seconds, times advert_int: pauses between faults

Lines = list[str]


@dataclass(slots=True)
class Draft:
    """A scenario as far as it has been thought out."""

    chance: random.Random
    interval: float
    slowest: float  # the longest of all
    version: int
    names: str
    grouped: bool
    checked: bool
    bound: bool = False  # whether databases stand behind the nodes
    lines: Lines = field(default_factory=list)
    undo: Lines = field(default_factory=list)  # what sets the configuration right again

    def say(self, line: str) -> None:
        """One more line."""
        self.lines.append(line)

    def wait(self, intervals: float) -> None:
        """Let that many intervals pass."""
        self.say(f"run {max(intervals * self.interval, 0.0001):.4f}s")

    def one(self) -> str:
        """A node."""
        return self.chance.choice(self.names)

    def other(self, name: str) -> str:
        """A node that is not this one."""
        return self.chance.choice([each for each in self.names if each != name])

    def priority(self) -> int:
        """Where a database is, no node owns the address."""
        return min(_priority(self.chance), 254 if self.bound else 255)

    def a_while(self) -> None:
        """A pause between two lines: mostly short against what a backup waits, sometimes longer."""
        self.wait(self.chance.choice((0.01, 0.3, 1.0, 1.5, 3.0, 3.5, self.chance.uniform(0.05, FOUL))))


def scenario(seed: int) -> Lines:
    """The scenario of this number."""
    chance = random.Random(seed)
    version, interval = chance.choice((*COMMON, *COMMON, *HASTY))
    if (version, interval) in HASTY and seed % 4:
        interval *= 10
    grouped, checked = chance.random() < 0.35, chance.random() < 0.5
    names = NAMES[: chance.choice((2, 2, 2, 3, 3, 4, 5))]
    bound = not grouped and random.Random(~seed).random() < BOUND
    intervals = _intervals(chance, interval, len(names)) if version == 3 and chance.random() < MIXED else ()
    draft = Draft(chance, interval, max((interval, *intervals)), version, names, grouped, checked, bound)
    draft.say(f"seed {seed}")
    draft.say(_cluster(draft))
    draft.say(_fair(draft))
    # The check moves the priority of VI_2 alone.
    unequal = grouped and (chance.random() < 0.15 or any(f" weight {each}" in draft.lines[1] for each in (20, -20)))
    for number, name in enumerate(names):
        mixed = f" advert_int {intervals[number]:g}" if intervals else ""
        draft.say(_node(draft, name, number, unequal) + mixed)
    draft.say("witness unequal" if unequal else "witness")
    draft.wait(chance.choice((0.0, 2.0, 5.0, 5.0)))
    for _ in range(chance.choice((1, 2, 2, 3, 4, 6))):
        (draft.chance.choice(OF_DATABASES) if bound and chance.random() < 0.5 else chance.choice(FAULTS))(draft)
        draft.a_while()
    draft.lines += draft.undo
    draft.say("mend")
    draft.say("expect settled")
    return draft.lines


# --- nodes ------------------------------------------------------------------------------------------------------------


def _cluster(draft: Draft) -> str:
    chance = draft.chance
    words = [f"cluster version {draft.version} advert_int {draft.interval:g}"]
    if chance.random() < 0.2:
        words.append(f"down_timer_adverts {chance.choice((2, 4))}")
    if chance.random() < 0.3:
        words.append(f"lease {chance.choice(('off', *_leases(draft)))}")
    if chance.random() < 0.2:
        words.append(f"preempt_delay {chance.choice((1, 4)) * draft.interval:g}")
    if chance.random() < 0.1:
        words.append(f"startup_delay {chance.choice((1, 5)) * draft.interval:g}")
    if chance.random() < 0.2:
        words.append(f"addresses {chance.choice((2, 4))}")
    if chance.random() < 0.2:
        words.append(f"duplicate_wait {chance.choice((0, 1, 5))}")
    if draft.checked:
        words.append(f"weight {chance.choice((0, 0, -20, 20, -254))}")
        if chance.random() < 0.5:
            words.append(f"check {chance.choice((0.5, 2.0)) * max(draft.interval, 0.1):g}")
    if draft.grouped:
        words.append("group")
    if draft.bound:
        words.append(f"database demote {chance.choice((0.02, 0.3, 0.3, 2.0))}")
    return " ".join(words)


def _leases(draft: Draft) -> tuple[int, int]:
    """What node.yaml would take: more than an interval."""
    return int(draft.slowest) + 1, int(draft.slowest) + 4


def _intervals(chance: random.Random, interval: float, count: int) -> tuple[float, ...]:
    """A node's own each: up to five times as long, or as short, in whole hundredths of a second."""
    return tuple(max(round(interval * chance.choice((0.2, 0.5, 1, 2, 5)), 2), 0.01) for _ in range(count))


def _node(draft: Draft, name: str, number: int, unequal: bool) -> str:
    chance = draft.chance
    words = [f"node {name} 192.168.1.{201 + number} priority {draft.priority()}"]
    if unequal:
        words.append(f"second {_priority(chance)}")
    if chance.random() < 0.3 or draft.bound:
        words.append("nopreempt")
    if chance.random() < 0.5:
        words.append(f"clock {chance.choice((0.99, 1.01, round(chance.uniform(0.99, 1.01), 4)))}")
    return " ".join(words)


def _priority(chance: random.Random) -> int:
    return chance.choice((1, 50, 90, 100, 100, 101, 150, 200, 240, 250, 254, 255))


def _fair(draft: Draft) -> str:
    """Packets take a while, at most a third of the interval."""
    chance = draft.chance
    slowest = chance.choice((0.5, 0.5, 5.0, 50.0, 300.0)) * 1e-3
    slowest = min(slowest, 0.3 * draft.interval)
    words = [f"weather delay 0.1ms {max(slowest * 1e3, 0.2):g}ms"]
    if chance.random() < 0.3:
        words.append(f"duplicate {chance.choice((0.1, 0.5))}")
    if chance.random() < 0.3:
        words.append("overtaking")
    return " ".join(words)


# --- faults -----------------------------------------------------------------------------------------------------------


def _loss(draft: Draft) -> None:
    fair = _fair(draft)
    draft.say(f"{fair} loss {draft.chance.choice((0.05, 0.2, 0.5, 0.9, 1.0))}")
    draft.a_while()
    draft.say(fair)


def _isolation(draft: Draft) -> None:
    alone = draft.chance.sample(draft.names, draft.chance.randint(1, len(draft.names) - 1))
    for name in alone:
        draft.say(f"isolate {name}")
    draft.a_while()
    for name in alone:
        draft.say(f"rejoin {name}")


def _one_way(draft: Draft) -> None:
    name = draft.one()
    other = draft.other(name)
    draft.say(f"block {name} to {other}")
    draft.a_while()
    draft.say(f"unblock {name} to {other}")


def _muffled(draft: Draft) -> None:
    """Adverts are lost, and questions about addresses are answered."""
    name = draft.one()
    other = draft.other(name)
    draft.say(f"adverts of {name} to {other} are lost")
    draft.a_while()
    if draft.chance.random() < 0.5:  # its agent is gone meanwhile, or it wants to be master again
        draft.say(f"{draft.chance.choice(('kill', 'freeze', 'stop', 'cut'))} {name}")
        draft.a_while()
    draft.say(f"adverts of {name} to {other} pass")


def _squatted(draft: Draft) -> None:
    draft.say("squatter takes vip")
    draft.a_while()
    draft.say("squatter leaves vip")


def _between(first: str, last: str) -> Callable[[Draft], None]:
    """A fault that begins with one sentence and ends with another, mostly."""

    def fault(draft: Draft) -> None:
        name = draft.one()
        draft.say(first.format(name))
        if draft.chance.random() < 0.8:
            draft.a_while()
            draft.say(last.format(name))

    return fault


def _flaps(first: str, last: str) -> Callable[[Draft], None]:
    """The same several times over, quickly."""

    def fault(draft: Draft) -> None:
        name = draft.one()
        for _ in range(draft.chance.randint(2, 4)):
            draft.say(first.format(name))
            draft.wait(draft.chance.uniform(0.01, 1.2))
            draft.say(last.format(name))
            draft.wait(draft.chance.uniform(0.01, 1.2))

    return fault


def _deed(sentence: str) -> Callable[[Draft], None]:
    """A fault that is over at once."""
    return lambda draft: draft.say(sentence.format(draft.one()))


def _reload(draft: Draft) -> None:
    """A node is given another place, for good."""
    preempt = "nopreempt" if draft.bound else draft.chance.choice(("preempt", "nopreempt"))
    draft.say(f"reload {draft.one()} priority {draft.priority()} {preempt}")


def _reconfigure(draft: Draft) -> None:
    """All nodes are given something that they must agree on, one after the other; some are late."""
    choices = [f"addresses {draft.chance.randint(1, 4)}", f"virtual_router_id {draft.chance.choice((59, 70))}"]
    choices.append(f"down_timer_adverts {draft.chance.choice((2, 3, 4))}")
    choices.append(f"lease {draft.chance.choice(('off', *_leases(draft)))}")
    if draft.version == 3 or draft.interval >= 1:
        choices.append(f"advert_int {draft.interval * draft.chance.choice((1, 2)):g}")
    if draft.grouped:
        choices += ["apart", "group", "alone"]
    choice = draft.chance.choice(choices)
    names = draft.chance.sample(draft.names, len(draft.names))
    late = draft.chance.randint(0, len(names) - 1) if draft.chance.random() < 0.3 else 0
    for name in names[late:]:
        draft.say(f"reload {name} {choice}")
        draft.wait(draft.chance.uniform(0.0, 1.5))
    draft.undo += [f"reload {name} {choice}" for name in names[:late]]


def _foreign(draft: Draft) -> None:
    draft.say(f"foreign 192.168.1.{draft.chance.choice((66, 250))} priority {_priority(draft.chance)}")
    draft.a_while()
    draft.say(draft.lines[-2].split(" priority")[0] + " leaves")


def _checks(draft: Draft) -> None:
    chance = draft.chance
    if not draft.checked:
        _reload(draft)
        return
    name = draft.one()
    first, last = chance.choice((("fails", "recovers"), ("hangs", "answers"), ("fails", "recovers")))
    for _ in range(chance.choice((1, 1, 3))):
        draft.say(f"mysql on {name} {first}")
        draft.a_while()
        draft.say(f"mysql on {name} {last}")
        draft.wait(chance.uniform(0.01, 2.0))


def _pace(draft: Draft) -> None:
    """A server takes its time from now on."""
    chance = draft.chance
    draft.say(
        f"database of {draft.one()} {chance.choice(('opens', 'closes'))} after {chance.choice((0, 50, 400, 3000))}ms"
    )


def _rebind(draft: Draft) -> None:
    """A reload takes a database away, mostly to bring it back."""
    name = draft.one()
    draft.say(f"reload {name} bare")
    draft.a_while()
    draft.say(f"reload {name} database")


FAULTS: tuple[Callable[[Draft], None], ...] = (
    _loss,
    _isolation,
    _one_way,
    _muffled,
    _muffled,
    _squatted,
    _between("copies for {} are lost", "copies for {} arrive"),
    _between("freeze {}", "thaw {}"),
    _between("freeze {}", "thaw {}"),
    _between("kill {}", "start {}"),
    _between("kill {}", "start {}"),
    _between("stop {}", "start {}"),
    _between("power off {}", "power on {}"),
    _between("cut {}", "plug {}"),
    _flaps("cut {}", "plug {}"),
    _between("firewall of {} drops", "firewall of {} passes"),
    _between("firewall of {} drops input", "firewall of {} passes input"),
    _between("kernel of {} refuses", "kernel of {} obeys"),
    _between("checks of {} stall", "checks of {} report"),
    _deed("delete vip on {}"),
    _deed("add vip on {}"),
    _reload,
    _reload,
    _reconfigure,
    _reconfigure,
    _foreign,
    _checks,
    _checks,
)

OF_DATABASES: tuple[Callable[[Draft], None], ...] = (
    _between("database of {} dies", "database of {} recovers"),
    _between("database of {} lags", "database of {} recovers"),
    _between("database of {} refuses", "database of {} recovers"),
    _between("database of {} never closes", "database of {} recovers"),
    _flaps("database of {} dies", "database of {} recovers"),
    _deed("relinquish {}"),
    _deed("relinquish {}"),
    _deed("seize {}"),
    _pace,
    _rebind,
)
