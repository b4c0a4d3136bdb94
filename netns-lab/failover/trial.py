"""One fault, done to a world while the writers write: what it cost, and whether anything is missing afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Final

from labkit.errors import DatabaseError, LabError
from labkit.waiting import until

from failover import pair
from failover.agents import Way
from failover.book import Book, Run
from failover.faults import Fault
from failover.judge import Row, Verdict, judge
from failover.openness import Openness
from failover.world import READY, Node, World

WRITING: Final = 15.0  # seconds for every writer to get its first row in
DWELL: Final = 0.3  # seconds to look on after the writes have moved


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one trial came to; times in seconds. `trouble` says what did not come to be.

    `until_write`: from the fault until the other server had acknowledged a row, None when it never did. `gap`: the
    longest time without an acknowledgement, of all clients together, and `gaps` that of each client. `order`: which
    server took writes when, from the fault on, and `runs` the same of each client. `overlap`: for how long both hosts
    had the VIP. `both_open`: for how long both servers could be written to, by whomever; None where nobody looked.
    `silent`: attempts to connect that nobody answered. `said`: the agents' own words about their servers, right after
    the fault. `healed`: why the old node could not simply rejoin.
    """

    fault: str
    agent: str
    timing: str
    way: Way
    moves: bool
    until_write: float | None
    gap: float
    taken: int
    overlap: float
    silent: int
    verdict: Verdict
    said: Mapping[str, Mapping[str, object]]
    reported: tuple[str, ...]
    healed: str
    checksums_equal: bool
    gtids: Mapping[str, Mapping[str, str]]
    lasted: float
    writers: int = 0
    gaps: Mapping[str, float] = field(default_factory=dict)
    order: Sequence[Run] = ()
    runs: Mapping[str, Sequence[Run]] = field(default_factory=dict)
    both_open: float | None = None
    agents_live: bool = True
    secured: float = 0.0
    fit: float = 0.0
    answer: str = ""
    trouble: str = ""
    log: Sequence[str] = ()

    @property
    def moved(self) -> bool:
        """Whether the writes went on on the other server."""
        return self.until_write is not None


@dataclass(slots=True)
class Seen:
    """What a trial saw while its fault was there."""

    began: float
    ended: float = 0.0
    until_write: float | None = None
    both_open: float | None = None
    book: Book = field(default_factory=Book)
    said: dict[str, Mapping[str, object]] = field(default_factory=dict)
    trouble: str = ""


def run(world: World, fault: Fault) -> Outcome:
    """Write for a while, do it, look on, undo it, and let everything become one again. Raises LabError."""
    started, logs = time.monotonic(), world.log_ends()
    victim = world.active
    if world.way.semi_sync:
        world.wait_secured(victim)
    secured = time.monotonic() - started
    fit = world.wait_fit(world.other(victim))
    pair.clear(victim.server)
    world.scribe.go(WRITING)
    time.sleep(world.load.before)
    with ExitStack() as looking:
        openness = looking.enter_context(Openness(world.servers)) if world.looks else None
        with ExitStack() as undo:
            seen = _endure(world, fault, victim, undo)
        if not world.settles(victim if seen.until_write is None else world.other(victim)):
            seen.trouble = "; ".join(filter(None, (seen.trouble, "nobody took over until the operator said so")))
        seen.both_open = openness.both(seen.began, time.monotonic()) if openness else None
    outcome = _conclude(world, fault, seen, started)
    return replace(outcome, secured=secured, fit=fit, log=tuple(world.said_since(logs)))


def _endure(world: World, fault: Fault, victim: Node, undo: ExitStack) -> Seen:
    successor = world.other(victim)
    seen = Seen(time.monotonic())
    world.mark()

    def written(book: Book) -> bool:
        return book.first(successor.server.number, world.harmed) is not None

    try:
        fault.act(world, victim, undo)
    except LabError as error:
        seen.trouble = str(error)
    world.scribe.wait(written, fault.patience)
    time.sleep(DWELL)
    seen.ended = time.monotonic()
    seen.said = world.status()
    seen.book = world.scribe.rest()
    first = seen.book.first(successor.server.number, world.harmed)
    seen.until_write = None if first is None else first.at - world.harmed
    return seen


def _conclude(world: World, fault: Fault, seen: Seen, started: float) -> Outcome:
    active, standby = world.active, world.standby
    why = world.wait_rejoined(active, standby)
    after = world.status()
    reported = tuple(sorted({*_named(seen.said), *_named(after)}))
    verdict = judge(seen.book, pair.rows(active.server), _rows(standby), reported)
    if why:
        world.make_copy(active, standby)
    by_client = {name: seen.book.only(writers) for name, writers in world.scribe.writers.items() if writers}
    until(lambda: standby.agent.state() == "BACKUP", READY, f"the agent on {standby.name} to be BACKUP")
    return Outcome(
        fault=fault.name,
        agent=world.kind,
        timing=world.timing.name,
        way=world.way,
        moves=fault.moves,
        until_write=seen.until_write,
        gap=seen.book.gap(seen.began, seen.ended),
        taken=world.watch.taken(seen.began, seen.ended),
        silent=len(seen.book.silent),
        overlap=world.watch.overlap(seen.began, time.monotonic()),
        verdict=verdict,
        said=seen.said,
        reported=reported,
        healed=why,
        checksums_equal=_equal(active, standby),
        gtids={node.name: pair.gtids(node.server) for node in (active, standby)},
        lasted=time.monotonic() - started,
        writers=world.load.writers,
        gaps={name: book.gap(seen.began, seen.ended) for name, book in by_client.items()},
        order=[run.since(seen.began) for run in seen.book.runs()],
        runs={name: [run.since(seen.began) for run in book.runs()] for name, book in by_client.items()},
        both_open=seen.both_open,
        agents_live=fault.agents_live,
        answer=world.answer,
        trouble=seen.trouble,
    )


def _equal(active: Node, standby: Node) -> bool:
    pair.in_step(active.server, standby.server, 5.0)
    return pair.checksums(active.server) == pair.checksums(standby.server)


def _rows(node: Node) -> tuple[Row, ...]:
    try:
        return pair.rows(node.server)
    except DatabaseError:
        return ()


def _named(said: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
    """The ranges of transactions that the agents named as errant or lost."""
    for status in said.values():
        view = status.get("view")
        if isinstance(view, Mapping):
            for key in ("errant", "lost"):
                found = view.get(key)
                if isinstance(found, (list, tuple)):
                    yield from map(str, found)
