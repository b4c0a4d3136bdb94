"""One agent put through every event, with the client writing all the while."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from labkit import adverts, agents, processes
from labkit.errors import DatabaseError, LabError
from labkit.laboratory import Laboratory, Node
from labkit.ledger import Ledger
from labkit.narrator import Narrator
from labkit.vipwatch import VipWatch
from labkit.waiting import until

SETTLED = 20.0  # seconds for the VIP to move; the slowest known case takes six
DWELL = 1.5  # seconds to look on after the VIP has moved, for what goes wrong a little later
AFTER_ADVERT = (
    0.05  # seconds; whoever hears an advert may run before its sender has renewed the lease that goes with it
)
LATE = 1.0  # seconds given to replication to bring rows that are under way


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one event cost. `gap` and `overlap` are seconds; `trouble` says what did not come to be."""

    event: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    gap: float
    acknowledged: int
    unknown: int
    missing: int
    overlap: float
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to the laboratory. `moves` says whether the VIP has to move."""

    name: str
    act: Callable[[Trial], None]
    moves: bool


class Trial:
    """A laboratory under observation."""

    def __init__(self, laboratory: Laboratory, narrator: Narrator, watch: VipWatch, ledger: Ledger) -> None:
        self.laboratory = laboratory
        self.narrator = narrator
        self.watch = watch
        self.ledger = ledger
        self.outcomes: list[Outcome] = []
        self._hurt = laboratory.pair[0]

    # --- the events -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """The agents begin to elect; the client has been knocking already."""
        self.narrator.doing(f"{self._agent} starts on a, then on b; the client already tries to write")
        self.laboratory.start_agents()

    def kill_database(self) -> None:
        """MariaDB dies on the active node."""
        self._hurt = self._active()
        self.narrator.doing(f"SIGKILL to mariadbd on {self._hurt.name}, the active node")
        processes.kill(processes.tree(self.laboratory.database_process(self._hurt)))

    def return_database(self) -> None:
        """MariaDB comes back where it died."""
        self.narrator.doing(f"mariadbd starts again on {self._hurt.name}; with nopreempt the VIP has to stay")
        self.laboratory.start_database(self._hurt)

    def power_off(self) -> None:
        """The active node loses its power."""
        self._hurt = self._active_after_advert()
        self.narrator.doing(f"power off for {self._hurt.name}, the active node: cable dead, processes killed")
        self.watch.remove(self._hurt.host)
        self.laboratory.power_off(self._hurt)

    def power_on(self) -> None:
        """It has power again, and boots."""
        self.narrator.doing(f"power on for {self._hurt.name}: mariadbd and {self._agent} start there")
        self.laboratory.power_on(self._hurt)
        self.watch.add(self._hurt.host)
        self.laboratory.start_database(self._hurt)
        self.laboratory.start_agent(self._hurt)

    def kill_agent(self) -> None:
        """The active node's agent dies; MariaDB does not."""
        self._hurt = self._active_after_advert()
        self.narrator.doing(f"SIGKILL to {self._agent} on {self._hurt.name}, the active node; its MariaDB lives on")
        processes.kill(processes.tree(self.laboratory.agent_process(self._hurt)))

    def return_agent(self) -> None:
        """The agent is started again where it ended."""
        self.laboratory.agent_process(self._hurt).wait_gone(SETTLED)
        self.narrator.doing(f"{self._agent} starts again on {self._hurt.name}")
        self.laboratory.start_agent(self._hurt)

    def stop_agent(self) -> None:
        """The active node's agent is asked to end, as systemctl stop does."""
        self._hurt = self._active()
        self.narrator.doing(f"SIGTERM to {self._agent} on {self._hurt.name}, the active node")
        self.laboratory.agent_process(self._hurt).send(signal.SIGTERM)

    # --- running them -----------------------------------------------------------------------------------------------

    def run(self, event: Event) -> None:
        """Let an event happen, wait until it is over, and keep its outcome."""
        before = self.watch.holders()
        begin = time.monotonic()
        event.act(self)
        trouble = ""
        try:
            if event.moves:
                self._wait_moved(before)
            else:
                self._wait_healthy()
        except LabError as error:
            trouble = str(error)
        time.sleep(DWELL)
        self._conclude(event, before, begin, trouble)
        if trouble and not event.moves:
            raise LabError(trouble)

    def lost(self) -> int:
        """How many acknowledged rows are not on both nodes once these are in step: lost for good, or not to be had."""
        self.laboratory.wait_in_step()
        numbers = self.ledger.acknowledged()
        return max(len(node.server.missing(numbers)) for node in self.laboratory.pair)

    def _wait_moved(self, before: tuple[str, ...]) -> None:
        def moved() -> bool:
            last = self.ledger.last
            since = [self.watch.holding_since(name) for name in self.watch.holders() if name not in before]
            return last is not None and any(at is not None and last > at for at in since)

        until(moved, SETTLED, "the VIP to move and the client to write again")

    def _wait_healthy(self) -> None:
        for node in self.laboratory.pair:
            self.laboratory.wait_agent(node)
        self.laboratory.wait_in_step()
        until(lambda: len(self.watch.holders()) == 1, SETTLED, "one node to hold the VIP")

    def _conclude(self, event: Event, before: tuple[str, ...], begin: float, trouble: str) -> None:
        end = time.monotonic()
        span = self.ledger.span(begin, end)
        after = self.watch.holders()
        outcome = Outcome(
            event=event.name,
            before=before,
            after=after,
            gap=span.gap,
            acknowledged=len(span.acknowledged),
            unknown=span.unknown,
            missing=self._missing(span.acknowledged, before, after),
            overlap=self.watch.overlap(begin, end),
            trouble=trouble,
        )
        self.outcomes.append(outcome)
        self._tell(outcome)

    def _missing(self, numbers: tuple[int, ...], before: tuple[str, ...], after: tuple[str, ...]) -> int:
        """How many of these rows the new master does not have; the old one where the VIP stayed."""
        new = [name for name in after if name not in before] or list(after)
        if not new:
            return len(numbers)
        server = self.laboratory.nodes[new[0]].server
        try:
            with contextlib.suppress(LabError):
                until(lambda: not server.missing(numbers), LATE, "rows under way")
            return len(server.missing(numbers))
        except DatabaseError:
            return len(numbers)

    def _tell(self, outcome: Outcome) -> None:
        where = f"VIP {arrow(outcome)}"
        self.narrator.seen(f"{where}; the client could not write for [bold]{outcome.gap * 1000:.0f} ms[/bold]")
        rows = f"{outcome.acknowledged} rows acknowledged, {outcome.missing} of them missing there"
        self.narrator.seen(f"{rows}; {outcome.unknown} unanswered")
        if outcome.overlap:
            self.narrator.seen(f"two nodes held the VIP at once for {outcome.overlap * 1000:.0f} ms")
        if outcome.trouble:
            self.narrator.trouble(outcome.trouble)

    def _active(self) -> Node:
        holders = self.watch.holders()
        if len(holders) != 1:
            raise LabError(f"the VIP is on {' and '.join(holders) or 'no node'}")
        return self.laboratory.nodes[holders[0]]

    def _active_after_advert(self) -> Node:
        """The active node, just after it sent an advert: from then the others wait longest, and always equally long."""
        node = self._active()
        adverts.wait_advert(self.laboratory.client, node.host)
        time.sleep(AFTER_ADVERT)
        return node

    @property
    def _agent(self) -> str:
        return self.laboratory.state.agent


EVENTS = (
    Event("start of both agents", Trial.start, moves=True),
    Event("(a) mysqld SIGKILL", Trial.kill_database, moves=True),
    Event("(b) mysqld comes back", Trial.return_database, moves=False),
    Event("(c) power-off", Trial.power_off, moves=True),
    Event("    power-on", Trial.power_on, moves=False),
    Event("(d) agent SIGKILL", Trial.kill_agent, moves=True),
    Event("    agent comes back", Trial.return_agent, moves=False),
    Event("(e) agent SIGTERM", Trial.stop_agent, moves=True),
    Event("    agent comes back", Trial.return_agent, moves=False),
)


@contextlib.contextmanager
def observed(laboratory: Laboratory, narrator: Narrator) -> Iterator[Trial]:
    """Watch a laboratory's VIP and start its client."""
    with contextlib.ExitStack() as stack:
        watch = VipWatch(agents.VIP)
        stack.callback(watch.close)
        for node in laboratory.pair:
            watch.add(node.host)
        ledger = Ledger(laboratory.client)
        stack.callback(ledger.close)
        laboratory.state.record("client.writer", ledger.process)
        narrator.present = lambda: present(watch, ledger)
        stack.callback(setattr, narrator, "present", str)
        yield Trial(laboratory, narrator, watch, ledger)


def present(watch: VipWatch, ledger: Ledger) -> str:
    """One line about this moment."""
    where = " and ".join(watch.holders()) or "nowhere"
    if ledger.last is None:
        return f"    VIP {where} · no row written yet"
    ago = (time.monotonic() - ledger.last) * 1000
    return f"    VIP on {where} · {ledger.count} rows acknowledged · last one {ago:.0f} ms ago"


def arrow(outcome: Outcome) -> str:
    """Where the VIP was and is."""
    before, after = ("+".join(holders) or "-" for holders in (outcome.before, outcome.after))
    return f"{before} → {after}" if before != after else f"on {after}"
