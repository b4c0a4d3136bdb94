"""What was seen, as tables for people, as Markdown for README, as JSON for later."""

from __future__ import annotations

import itertools
import json
import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from labkit.errors import LabError
from rich import box
from rich.console import Console
from rich.table import Table

from failover import agents
from failover.figures import FIGURES, OURS, THEIRS, Figure, percentiles, total
from failover.trial import Outcome

FIGURE_HEADINGS = ("milliseconds, or as it says", THEIRS, OURS, "goal", "reached")
FAULT_HEADINGS = (
    "fault",
    "writes",
    "gap ms, by client",
    "both wrote ms",
    "both open ms",
    "lost",
    "phantoms",
    "rejoins",
    "what status said",
)

Row = tuple[str, ...]


def figures(by_key: Mapping[str, Mapping[str, Sequence[Outcome]]], count: Callable[[Figure], int]) -> list[Row]:
    """The lines of the table of figures: outcomes by figure and agent, and how many there were to be of each."""
    rows = []
    for figure in FIGURES:
        if found := by_key.get(figure.key):
            wanted = count(figure)
            cells = (figure.text(found.get(name, ()), wanted) for name in (THEIRS, OURS))
            rows.append((figure.name(wanted), *cells, figure.limit, figure.verdict(found.get(OURS, ()))))
    return rows


def faults(outcomes: Iterable[Outcome]) -> list[Row]:
    """A line for each fault."""
    return [
        (
            each.fault,
            _writes(each),
            " / ".join(f"{seconds * 1000:.0f}" for seconds in each.gaps.values()),
            f"{each.verdict.dual * 1000:.0f}",
            "" if each.both_open is None else f"{each.both_open * 1000:.0f}",
            _lost(each),
            str(len(each.verdict.phantoms)),
            "yes" if not each.healed else "no",
            _said(each),
        )
        for each in outcomes
    ]


def two_writers(outcomes: Iterable[Outcome]) -> list[str]:
    """What the acknowledgements say of two servers that took writes through the VIP at once, in sentences."""
    found = [each for each in outcomes if each.verdict.dual]
    return [
        f"both servers took writes through the VIP {when}: {_named(each for each in found if each.agents_live == live)}"
        for live, when in ((True, "though both agents lived"), (False, "while an agent was dead or stopped"))
    ]


def summary(outcomes: Sequence[Outcome]) -> list[str]:
    """Many trials of one kind, in sentences."""
    if not outcomes:
        return ["no trials"]
    all_of_it = total(outcomes)
    until_write = [each.until_write * 1000 for each in outcomes if each.until_write is not None]
    gaps = [each.gap * 1000 for each in outcomes if each.moved]
    first = outcomes[0]
    named = f" ({all_of_it.lost - all_of_it.unreported} of them named by the agents)" if all_of_it.lost else ""
    unanswered = sum(each.silent for each in outcomes)
    losing = sum(bool(each.verdict.lost) for each in outcomes)
    return [
        f"{first.agent}, {first.timing}, semi-sync {'on' if first.way.semi_sync else 'off'}",
        f"trials: {all_of_it.trials}; the writes went on on the other node in {all_of_it.moved}",
        f"acknowledged rows: {all_of_it.acknowledged}; lost: {all_of_it.lost}{named}, in {losing} trials",
        f"unanswered: {all_of_it.unknown}; refused: {all_of_it.refused}; on the old node alone: {all_of_it.phantoms}",
        f"rows that nobody wrote: {all_of_it.invented}; the same number for two rows: {all_of_it.duplicates}",
        f"both servers took writes at once: {all_of_it.dual * 1000:.0f} ms in all",
        f"checksums differ after {all_of_it.unequal} trials; an old node could not rejoin: {all_of_it.healed}",
        f"until a row was acknowledged elsewhere, ms: {percentiles(until_write)}",
        f"longest time between two acknowledgements, ms: {percentiles(gaps)}",
        f"attempts to connect that nobody answered: {unanswered}",
        *_ready(outcomes),
        f"a trial took {sum(each.lasted for each in outcomes) / len(outcomes):.1f} s",
    ]


def progress(outcome: Outcome) -> str:
    """One line about a trial."""
    verdict = outcome.verdict
    words = [f"{outcome.agent}: {outcome.fault}:"]
    words.append("stayed" if outcome.until_write is None else f"{outcome.until_write * 1000:.0f} ms")
    words.append(f"gap {outcome.gap * 1000:.0f} ms, {verdict.acknowledged} acknowledged, lost {_lost(outcome)}")
    if outcome.taken != outcome.moved:
        words.append(f"VIP moved {outcome.taken} times")
    if outcome.silent:
        words.append(f"{outcome.silent} attempts to connect unanswered")
    if outcome.overlap:
        words.append(f"VIP twice for {outcome.overlap * 1000:.0f} ms")
    if verdict.dual:
        words.append(f"both wrote for {verdict.dual * 1000:.0f} ms")
    if outcome.both_open:
        words.append(f"both open for {outcome.both_open * 1000:.0f} ms")
    if not outcome.checksums_equal:
        words.append("CHECKSUMS DIFFER")
    words += [f"({text})" for text in (outcome.healed, outcome.trouble) if text]
    return " ".join(words)


def show(headings: Row, rows: Iterable[Row], console: Console) -> None:
    """Print a table for people."""
    table = Table(*headings, box=box.SIMPLE_HEAD)
    for *cells, last in rows:
        table.add_row(*cells, f"[red]{last}" if last.startswith("NOT") else last)
    console.print(table)


def markdown(headings: Row, rows: Iterable[Row]) -> str:
    """The same table for README."""
    lines = ["| " + " | ".join(headings) + " |", "|---|" + "---:|" * (len(headings) - 2) + "---|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def demand_writable(path: Path) -> None:
    """Fail now rather than after many minutes. LabError."""
    try:
        path.touch()
    except OSError as error:
        raise LabError(f"{path}: {error.strerror}") from error


def save(path: Path, outcomes: Sequence[Outcome], failures: Sequence[str]) -> None:
    """Write down every trial, and what the machine was."""
    facts = {"machine": machine(), "failures": list(failures), "trials": [asdict(each) for each in outcomes]}
    path.write_text(json.dumps(facts, indent=1, default=str) + "\n")


def machine() -> dict[str, object]:
    """The machine and the versions, without which no number means anything."""
    return {
        "date": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "kernel": platform.release(),
        "cpus": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: agents.version(name) for name in (OURS, THEIRS)},
    }


def _ready(outcomes: Sequence[Outcome]) -> list[str]:
    fit = percentiles([each.fit * 1000 for each in outcomes])
    lines = [f"until the standby was fit to take over again, ms: {fit}"] if outcomes[0].said else []
    if outcomes[0].way.semi_sync:
        secured = percentiles([each.secured * 1000 for each in outcomes])
        lines.append(f"until commits waited for the other server again, ms: {secured}")
    return lines


def _writes(outcome: Outcome) -> str:
    """Where the writes went: how soon to the other node, and whether they came back."""
    trouble = f"; {outcome.trouble}" if outcome.trouble else ""
    if outcome.until_write is None:
        return f"stayed{trouble}"
    servers = [server for server, _ in itertools.groupby(run.server for run in outcome.order)]
    back = f", {len(servers) - 2} more moves" if len(servers) > 2 else ""
    return f"went on after {outcome.until_write * 1000:.0f} ms{back}{trouble}"


def _named(outcomes: Iterable[Outcome]) -> str:
    return ", ".join(f"{each.fault} ({each.verdict.dual * 1000:.0f} ms)" for each in outcomes) or "never"


def _lost(outcome: Outcome) -> str:
    lost, unreported = len(outcome.verdict.lost), len(outcome.verdict.unreported)
    if not lost:
        return "0"
    if not unreported:
        return f"{lost}, all named"
    return f"{lost}, {unreported} not named"


def _said(outcome: Outcome) -> str:
    """The first thing that either agent held against its server, or named."""
    words = []
    for name, status in outcome.said.items():
        view = status.get("view")
        evidence = view.get("evidence", "") if isinstance(view, Mapping) else ""
        lists = [status.get(key) for key in ("faults", "against")]
        sentences = [str(text) for found in lists if isinstance(found, (list, tuple)) for text in found]
        if sentences or evidence:
            words.append(f"{name}: {sentences[0] if sentences else evidence}")
    return "; ".join(words)
