"""The command line: what a failover costs, in figures, and whether it loses what was acknowledged, in many trials."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

import click
from bench import sandbox
from labkit import interruption
from labkit.agents import hindrance
from labkit.errors import DatabaseError, LabError
from rich.console import Console

from failover import agents, faults, report, trial
from failover.agents import KINDS, TIMINGS, Timing, Way
from failover.faults import Fault
from failover.figures import BUSY, CALM, CRASHES, FIGURES, OURS, THEIRS, Figure, by_world, total
from failover.trial import Outcome
from failover.world import Load, World

GIVES_UP: Final = 3  # trials in a row that come to nothing
CONSOLE: Final = Console(width=160 if not sys.stdout.isatty() else None, soft_wrap=False)

Command = TypeVar("Command", bound=Callable[..., None])


def _options(*others: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Options that several commands have."""

    def decorate(command: Command) -> Command:
        for each in reversed(others):
            command = each(command)
        return command

    return decorate


_json = click.option("--json", type=click.Path(path_type=Path, dir_okay=False), help="Write every trial to this file.")
_agent = click.option("--agent", type=click.Choice(KINDS), default=OURS, show_default=True, help="Who moves the VIP.")
_timing = click.option(
    "--timing", type=click.Choice(list(TIMINGS)), default="high", show_default=True, help="How they speak VRRP."
)
_writers = click.option("--writers", type=click.IntRange(1, 32), default=8, show_default=True)
_semi_sync = click.option("--semi-sync", is_flag=True, help="Commits wait for the standby (AFTER_SYNC, 10 s).")

_on_silence = click.option(
    "--on-silence",
    type=click.Choice(("promote", "hold")),
    default="promote",
    show_default=True,
    help="Whether pyvrrpd's standby goes on where a master is only silent.",
)


def _otherwise(default: str) -> Callable[[Command], Command]:
    return click.option(
        "--otherwise",
        type=click.Choice(("promote", "hold")),
        default=default,
        show_default=True,
        help="Whether pyvrrpd's standby goes on where it is known to miss something.",
    )


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Two MariaDB servers as dual masters, two clients that write through the virtual IP, and faults.

    Everything happens in network namespaces of its own, and nothing is left of it.
    """


@main.command("figures")
@_options(_json)
@click.option("--trials", type=click.IntRange(1, 50), default=5, show_default=True, help="Of each figure and agent.")
@click.option(
    "--many",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="Trials of the figures that count what is lost.",
)
@click.option(
    "--seconds",
    type=click.IntRange(1),
    default=120,
    show_default=True,
    help="For the trials of one figure and agent; when they are over no other is begun.",
)
@click.option("--agent", "kinds", multiple=True, type=click.Choice((OURS, THEIRS)), help="Only this one.")
@click.option("--only", multiple=True, type=click.Choice([each.key for each in FIGURES]), help="Only these figures.")
@click.option("--markdown", is_flag=True, help="The table as Markdown.")
def figures(
    *,
    json: Path | None,
    trials: int,
    many: int,
    seconds: int,
    kinds: tuple[str, ...],
    only: tuple[str, ...],
    markdown: bool,
) -> None:
    """How long each kind of failover takes and what it loses, pyvrrpd and keepalived beside each other, and the goal.

    keepalived switches over by a stop of its agent. It knows of no roles: where commits wait for the other server, they
    do so on both, by configuration.
    """
    run = Run(json)
    found: dict[str, dict[str, list[Outcome]]] = {}
    chosen = [each for each in FIGURES if not only or each.key in only]

    def count(figure: Figure) -> int:
        return many if figure.many else trials

    for kind in kinds or (THEIRS, OURS):
        for (way, load), group in by_world(chosen).items():
            with run.world(kind, group[0].timing, way, load):
                for figure in group:
                    found.setdefault(figure.key, {})[kind] = run.measure(figure, count(figure), seconds)
    rows = report.figures(found, count)
    if markdown:
        print(report.markdown(report.FIGURE_HEADINGS, rows))
    else:
        report.show(report.FIGURE_HEADINGS, rows, CONSOLE)
    reached = all(each.reached(found[each.key].get(OURS, ())) in (True, None) for each in chosen)
    run.end(passed=reached)


@main.command("switchovers")
@_options(_json, _agent, _timing, _writers, _semi_sync)
@click.option("--count", type=click.IntRange(1, 10_000), default=100, show_default=True)
def switchovers(*, json: Path | None, agent: str, timing: str, writers: int, semi_sync: bool, count: int) -> None:
    """Planned switchovers under load: nothing may be lost, and both servers must be alike afterwards."""
    run = Run(json)
    with run.world(agent, TIMINGS[timing], Way(semi_sync), replace(BUSY, writers=writers)):
        outcomes = run.repeat([faults.SWITCHOVER], count)
    run.conclude(outcomes, count)
    whole = total(outcomes)
    run.end(passed=whole.moved == count and not (whole.lost or whole.unequal or whole.invented or whole.duplicates))


@main.command("crashes")
@_options(_json, _agent, _timing, _writers, _semi_sync, _otherwise("promote"))
@click.option("--count", type=click.IntRange(1, 10_000), default=200, show_default=True)
def crashes(
    *, json: Path | None, agent: str, timing: str, writers: int, semi_sync: bool, otherwise: str, count: int
) -> None:
    """The active server dies under load, in every second trial after 0.3 s without replication.

    With semi-sync nothing that was acknowledged may be lost; without it, all that was lost must be named.
    """
    run = Run(json)
    with run.world(
        agent, TIMINGS[timing], Way(semi_sync, otherwise=otherwise), replace(BUSY, writers=writers, before=0.5)
    ):
        outcomes = run.repeat(CRASHES, count)
    run.conclude(outcomes, count)
    whole = total(outcomes)
    missed = whole.lost if semi_sync else whole.unreported
    run.end(passed=whole.moved == count and not (missed or whole.unequal or whole.invented))


@main.command("faults")
@_options(_json, _agent, _timing, _semi_sync, _on_silence, _otherwise("hold"))
@click.option("--only", multiple=True, help="Only faults with this in their name.")
@click.option("--markdown", is_flag=True, help="The table as Markdown.")
def every_fault(
    *,
    json: Path | None,
    agent: str,
    timing: str,
    semi_sync: bool,
    on_silence: str,
    otherwise: str,
    only: tuple[str, ...],
    markdown: bool,
) -> None:
    """Each fault once: who wrote, what was lost, and what the agents said.

    Both wrote: two servers acknowledged rows through the VIP, to whichever client. Both open: read_only was off on
    both, as their own sockets tell: who goes to a node's own address could have written to either.
    """
    run = Run(json)
    chosen = [each for each in faults.ALL if not only or any(word in each.name for word in only)]
    way, load = Way(semi_sync, on_silence, otherwise), replace(CALM, before=0.5)
    with run.world(agent, TIMINGS[timing], way, load, looks=True):
        outcomes = run.repeat(chosen, len(chosen))
    rows = report.faults(outcomes)
    if markdown:
        print(report.markdown(report.FAULT_HEADINGS, rows))
    else:
        report.show(report.FAULT_HEADINGS, rows, CONSOLE)
    for text in report.two_writers(outcomes):
        click.echo(text)
    run.end(passed=len(outcomes) == len(chosen))


class Run:
    """One command: its world, its trials, its exit status."""

    def __init__(self, json: Path | None) -> None:
        self._json = json
        self._outcomes: list[Outcome] = []
        self._failures: list[str] = []
        self._world: World | None = None
        try:
            if json is not None:
                report.demand_writable(json)
            sandbox.enter()
        except LabError as error:
            raise click.ClickException(str(error)) from None
        except OSError as error:
            raise click.ClickException(f"{error}; run it as root, or allow user namespaces") from None
        interruption.unwind_on_signals()
        self._build: Callable[[], World] | None = None

    def world(self, kind: str, timing: Timing, way: Way, load: Load, *, looks: bool = False) -> Run:
        """What the next trials happen in."""
        if reason := hindrance(kind):
            raise click.ClickException(f"{kind}: {reason}")
        click.echo(f"{kind} {agents.version(kind)}, semi-sync {'on' if way.semi_sync else 'off'}", err=True)
        self._build = lambda: World(kind, timing, way, load, looks=looks)
        return self

    def __enter__(self) -> Run:
        return self  # its first trial builds it: what fails there is a trial that failed

    def __exit__(self, *_: object) -> None:
        self._close()

    def measure(self, figure: Figure, trials: int, seconds: float) -> list[Outcome]:
        """The trials of one figure, no more than begin in this time. What comes to nothing is not tried for ever."""
        outcomes: list[Outcome] = []
        vain, end = 0, time.monotonic() + seconds
        for number in range(trials):
            outcome = self._try(number, figure.faults, figure.timing)
            if outcome is not None:
                outcomes.append(outcome)
            vain = vain + 1 if outcome is None or figure.value(outcome) is None else 0
            if vain == figure.gives_up or time.monotonic() > end:
                break
        return outcomes

    def repeat(self, kinds: Sequence[Fault], count: int) -> list[Outcome]:
        """So many trials of these faults in turn."""
        outcomes: list[Outcome] = []
        failed = 0
        for number in range(count):
            outcome = self._try(number, kinds)
            if outcome is not None:
                outcomes.append(outcome)
            failed = failed + 1 if outcome is None else 0
            if failed == GIVES_UP:
                break
        return outcomes

    def conclude(self, outcomes: Sequence[Outcome], count: int) -> None:
        """Say what many trials came to."""
        for text in report.summary(outcomes):
            click.echo(text)
        if len(outcomes) < count:
            click.echo(f"{count - len(outcomes)} trials came to nothing")

    def end(self, *, passed: bool) -> None:
        """Write down what was asked for, and exit."""
        if self._json is not None:
            report.save(self._json, self._outcomes, self._failures)
        for text in self._failures:
            click.echo(f"failed: {text}", err=True)
        sys.exit(0 if passed and not self._failures else 1)

    def _try(self, number: int, kinds: Sequence[Fault], timing: Timing | None = None) -> Outcome | None:
        """One trial, of the fault whose turn it is. After one that failed, None, the world is made anew."""
        fault = kinds[number % len(kinds)]
        try:
            world = self._open()
            if timing is not None:
                world.retime(timing)
            outcome = trial.run(world, fault)
        except (LabError, DatabaseError) as error:
            self._fail(f"{fault.name}: {error}")
            return None
        self._outcomes.append(outcome)
        click.echo(f"{number + 1:4} {report.progress(outcome)}", err=True)
        return outcome

    def _open(self) -> World:
        if self._world is None:
            assert self._build is not None  # noqa: S101 - `world` came first
            self._world = self._build()
            self._world.__enter__()
        return self._world

    def _close(self) -> None:
        world, self._world = self._world, None
        if world is not None:
            world.__exit__()

    def _fail(self, text: str) -> None:
        self._failures.append(text)
        click.echo(f"     FAILED: {text}", err=True)
        if self._world is not None:
            for line in self._world.last_words():
                click.echo(f"       {line}", err=True)
        self._close()


if __name__ == "__main__":
    try:
        main(prog_name="scripts/failover")
    except (LabError, DatabaseError) as error:
        sys.exit(f"scripts/failover: {error}")
