"""The demonstration: a client writes through the VIP while one thing after another fails."""

from __future__ import annotations

import textwrap
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from labkit import agents, laboratory, report, trial
from labkit.errors import LabError
from labkit.narrator import Narrator
from labkit.report import Trials


def run(agent: str, rival: str | None, priorities: dict[str, int] | None, json: Path | None) -> int:
    """Put the agent, then its rival, through every event and print the table. 0 when the agent passed."""
    if json is not None:
        report.demand_writable(json)
    with Narrator() as narrator:
        if rival is not None and (reason := agents.hindrance(rival)):
            narrator.console.print(f"No comparison with {rival}: {reason}.")
            rival = None
        ours = _try(agent, priorities, narrator)
        theirs = _try(rival, priorities, narrator) if rival else None
    _print(ours, theirs, narrator.console)
    if json is not None:
        report.write_json(json, ours, theirs)
    return 0 if ours.passed else 1


def _print(ours: Trials, theirs: Trials | None, console: Console) -> None:
    console.print()
    if ours.outcomes:
        console.print(report.table(ours, theirs))
        for note in report.notes(compared=theirs is not None):
            console.print(textwrap.fill(note, min(console.width, 100)))
            console.print()
    for trials in filter(None, (ours, theirs)):
        console.print(escape(report.conclusion(trials)), style="green" if trials.passed and not trials.lost else "red")


def _try(agent: str, priorities: dict[str, int] | None, narrator: Narrator) -> Trials:
    narrator.chapter(f"{agent}: two nodes, a switch and a client, in network namespaces of their own")
    with laboratory.temporary("demo", agent, priorities) as made:
        narrator.doing("two MariaDB servers start, each the other's master and replica")
        made.start_databases()
        narrator.seen("replication runs in both directions")
        with trial.observed(made, narrator) as run:
            try:
                for event in trial.EVENTS:
                    run.run(event)
                lost = run.lost()
            except LabError as error:
                narrator.trouble(str(error))
                return Trials(agent, run.outcomes, None, str(error))
        narrator.seen(f"in the end {lost} of {run.ledger.count} acknowledged rows are not on both nodes")
    return Trials(agent, run.outcomes, lost)
