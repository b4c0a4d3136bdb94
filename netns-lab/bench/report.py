"""The measurements as a table for people, as Markdown for README, as JSON for later."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from bench.figures import Measured
from bench.subjects import Subject

OURS, THEIRS = "pyvrrpd", "keepalived"
HEADINGS = ("what", THEIRS, OURS, "ratio", "goal", "reached")


def facts(subjects: Sequence[Subject]) -> dict[str, object]:
    """The machine and the versions, without which no number means anything."""
    return {
        "date": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cpus": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{subject.name: subject.version() for subject in subjects},
    }


def show(measured: Sequence[Measured], console: Console) -> None:
    """Print the table for people."""
    table = Table(*HEADINGS, box=box.SIMPLE_HEAD, caption=_legend(measured), caption_justify="left")
    row = ""
    for one in measured:
        if row and one.row != row:
            table.add_section()
        row = one.row
        *cells, verdict = _cells(one)
        table.add_row(*cells, f"[red]{verdict}" if verdict.startswith("NOT") else f"[green]{verdict}")
    console.print(table)


def markdown(measured: Sequence[Measured]) -> str:
    """The same table for README."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|---|---:|---:|---:|---|---|"]
    lines += ["| " + " | ".join(_cells(one)) + " |" for one in measured]
    return "\n".join([*lines, "", _legend(measured)])


def save(path: Path, machine: dict[str, object], measured: Sequence[Measured]) -> None:
    """Write every sample and what the machine was."""
    figures = [
        {
            "row": one.row,
            "figure": one.figure.key,
            "title": one.figure.title,
            "unit": one.figure.unit,
            "statistic": one.figure.statistic.value,
            "goal": str(one.figure.goal) if one.figure.goal else None,
            "reached": one.reached(OURS, THEIRS),
            "ratio": one.ratio(OURS, THEIRS),
            "values": {subject: one.value(subject) for subject in one.samples},
            "samples": one.samples,
            "remarks": one.remarks,
        }
        for one in measured
    ]
    path.write_text(json.dumps({"machine": machine, "figures": figures}, indent=1) + "\n")


def number(value: float) -> str:
    """Three digits that count."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def _cells(one: Measured) -> tuple[str, ...]:
    ratio = one.ratio(OURS, THEIRS)
    reached = one.reached(OURS, THEIRS)
    verdict = "" if reached is None else "reached" if reached else "NOT reached"
    unit = f", {one.figure.unit}" if one.figure.unit else ""
    return (
        one.figure.title + unit,
        _side(one, THEIRS),
        _side(one, OURS),
        "" if ratio is None else f"{ratio:.3f}",
        str(one.figure.goal or ""),
        verdict,
    )


def _side(one: Measured, subject: str) -> str:
    samples, remark = one.samples.get(subject, []), one.remarks.get(subject, "")
    if not samples:
        return remark
    value = one.figure.statistic.of(samples)
    text = number(value)
    if len(samples) > 1:
        text += f" ({number(min(samples))}-{number(max(samples))})"
    return f"{text}, {remark}" if remark else text


def _legend(measured: Sequence[Measured]) -> str:
    counts = sorted({len(samples) for one in measured for samples in one.samples.values() if len(samples) <= 10})
    runs = f"{counts[0]}-{counts[-1]}" if len(counts) > 1 else "".join(map(str, counts))
    return (
        f"Medians of {runs} samples where nothing else is said, with the range. Outage: from the last answer before "
        "an unanswered question to the next answer, for a client that asks each millisecond; with no question "
        "unanswered, the longest time that an answer took."
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"
