"""Two recordings of one story, keepalived's and ours, side by side."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from tests.differential.comparison import Pair
from tests.lab.stage import Recording
from tests.lab.watch import Frame

SAID, NOT_SAID = "said", "not said"

# What keepalived says of a virtual router, a group, a script, a link, and of itself.
_LINE: Final = re.compile(
    r"\(\w+\).*|VRRP_(?:Group|Script)\(.*|Script `.*|Netlink reports .*|Startup complete|Reloading|Reload complete"
    r"|Stopping|Sending (?:gratuitous ARP|unsolicited Neighbour Advert) .*"
)
_SUBJECT: Final = re.compile(r"\(\w+\)|VRRP_Group\(\w+\)|Netlink reports \w+|.*")
_ENTERING: Final = re.compile(r"\((\w+)\) Entering (\w+) STATE")


def differing(theirs: Recording, ours: Recording) -> dict[str, Pair]:
    """What (`states.VI_1`, `log.(VI_1) setting VIPs.`) → (theirs, ours), where they differ.

    Of lines only those are looked for that keepalived writes, in their order for each subject.
    """
    one, other = dict(_sightings(theirs)), dict(_sightings(ours))
    found: dict[str, Pair] = {
        what: (one.get(what), other.get(what)) for what in one | other if one.get(what) != other.get(what)
    }
    lines, our_lines = _by_subject(theirs.log), _by_subject(ours.log)
    for subject, said in lines.items():
        found |= {f"log.{line}": (SAID, NOT_SAID) for line in _left_out(said, our_lines[subject])}
    return found


def _sightings(recording: Recording) -> Iterator[tuple[str, object]]:
    """Everything but the lines of the log."""
    yield "status", recording.status
    states = defaultdict(list)
    for name, state in _ENTERING.findall("\n".join(recording.log)):
        states[name].append(state)
    yield from ((f"states.{name}", entered) for name, entered in states.items())
    for vrid, data in recording.adverts.items():
        yield from _adverts(vrid, [Frame(0.0, each) for each in data])
    for moment, interfaces in recording.addresses.items():
        for name, addresses in interfaces.items():
            yield f"addresses.{moment}.{name}", sorted(addresses, key=lambda each: str(each["local"]))
    for moment, data in recording.announcements.items():
        for vip, count in Counter(Frame(0.0, each).source for each in data).items():
            yield f"announcements.{moment}.{vip}", count
    frames = {each for data in recording.announcements.values() for each in data}
    yield "announcements", sorted(each.hex() for each in frames)
    yield from ((f"told.{name}", lines) for name, lines in recording.told.items())


def _adverts(vrid: int, frames: Sequence[Frame]) -> Iterator[tuple[str, object]]:
    """The priorities as they followed each other, with every 0 by itself, and the bytes that went with each."""
    sequence: list[int] = []
    for priority, run in groupby(each.priority for each in frames):
        sequence += run if priority == 0 else [priority]
    yield f"priorities.{vrid}", sequence
    for priority in dict.fromkeys(sequence):
        alike = (each.without_choices.hex() for each in frames if each.priority == priority)
        yield f"adverts.{vrid}.{priority}", list(dict.fromkeys(alike))


def _by_subject(log: Iterable[str]) -> defaultdict[str, list[str]]:
    """The lines that count, repeated ones once."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for line in log:
        if _LINE.fullmatch(line):
            about = _SUBJECT.match(line)
            said = found[about[0] if about else ""]
            if said[-1:] != [line]:
                said.append(line)
    return found


def _left_out(wanted: Sequence[str], said: Sequence[str]) -> list[str]:
    """The fewest lines without which `wanted` is in `said` in this order."""
    best: list[list[str]] = [[] for _ in range(len(said) + 1)]  # for `wanted` so far, by how much of `said` may be used
    for line in wanted:
        row = [[*best[0], line]]
        for used, candidate in enumerate(said, 1):
            choices = [row[used - 1], [*best[used], line]]
            if candidate == line:
                choices.append(best[used - 1])
            row.append(min(choices, key=len))
        best = row
    return best[-1]
