"""The command line of the bench, and the loop that takes samples of both subjects in turn."""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from bench import report, sandbox
from bench.figures import Measured, Noted, Value
from bench.rows import rows
from bench.rows.row import Row
from bench.stage import QUICK, Effort, Stage
from bench.subjects import ROOT, SUBJECTS, Subject
from bench.topology import Topology
from bench.watch import NotSeenError, Watch


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--repeat", type=click.IntRange(1, 1000), help="Samples of each row and subject.  [default: 5]")
@click.option("--quick", is_flag=True, help="One sample each, shorter times: five minutes instead of twenty-five.")
@click.option("--only", metavar="ROW[,ROW]", help="Only these rows; a word before a dash selects its whole family.")
@click.option("--subject", "names", type=click.Choice(list(SUBJECTS)), multiple=True, help="Only this program.")
@click.option("--markdown", is_flag=True, help="Print the table as Markdown.")
@click.option("--list", "list_rows", is_flag=True, help="Print the names of the rows and end.")
@click.option("--output", type=click.Path(path_type=Path), help="Where the samples go.  [default: bench-results/]")
def main(
    *,
    repeat: int | None,
    quick: bool,
    only: str | None,
    names: Sequence[str],
    markdown: bool,
    list_rows: bool,
    output: Path | None,
) -> None:
    """Measure pyvrrpd beside keepalived: what clients see, and what it costs."""
    effort = QUICK if quick else Effort()
    effort = replace(effort, repeat=repeat) if repeat else effort
    chosen = _select(rows(effort), only)
    if list_rows:
        click.echo("\n".join(row.key for row in chosen))
        return
    subjects = [SUBJECTS[name] for name in SUBJECTS if not names or name in names]
    output = output or ROOT / "bench-results" / time.strftime("%Y%m%d-%H%M%S.json")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.touch()  # not to be told after twenty minutes that it cannot be written
    except OSError as error:
        raise click.ClickException(str(error)) from None
    try:
        sandbox.enter()
    except OSError as error:
        raise click.ClickException(f"{error}; run it as root, or allow user namespaces") from None
    _measure(chosen, subjects, effort, output, markdown=markdown)


def _measure(
    chosen: Sequence[Row], subjects: Sequence[Subject], effort: Effort, output: Path, *, markdown: bool
) -> None:
    machine = report.facts(subjects)
    measured = [Measured(row.key, figure) for row in chosen for figure in row.figures]
    console = Console(stderr=True)
    console.print(" · ".join(f"{key} {value}" for key, value in machine.items()), highlight=False, soft_wrap=True)
    work = Path("/run/bench")
    work.mkdir()
    watch = Watch()
    topology = Topology(watch)
    interrupted = False
    try:
        stage = Stage(topology, watch, work, effort)
        for row in chosen:
            _sample_row(row, stage, subjects, [one for one in measured if one.row == row.key], console)
    except KeyboardInterrupt:
        interrupted = True
        console.print("interrupted; this is what there is:")
    finally:
        topology.close()
        watch.close()
        report.save(output, machine, measured)
    if markdown:
        click.echo(report.markdown(measured))
    else:
        report.show(measured, Console(width=None if sys.stdout.isatty() else 160))
    console.print(f"samples: {output}", highlight=False, soft_wrap=True)
    if interrupted:
        sys.exit(128 + signal.SIGINT)


def _sample_row(
    row: Row, stage: Stage, subjects: Sequence[Subject], measured: Sequence[Measured], console: Console
) -> None:
    repeat = min(row.most, stage.effort.repeat)
    for turn in range(1, repeat + 1):
        for subject in subjects:
            began = time.monotonic()
            try:
                sample = row.sample(stage, subject)
            except (NotSeenError, OSError, subprocess.CalledProcessError) as error:
                # One failed sample is worth telling, not worth the whole run.
                sample = {one.figure.key: f"failed: {error}" for one in measured}
            for one in measured:
                if one.figure.key in sample:
                    one.add(subject.name, sample[one.figure.key])
            seen = ", ".join(f"{key} {_brief(value)}" for key, value in sample.items())
            took = f"{time.monotonic() - began:.0f} s"
            console.print(
                f"{row.key} {turn}/{repeat} {subject.name}: {seen} ({took})",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )


def _brief(value: Value) -> str:
    """What the progress line says of a sample."""
    if isinstance(value, str):
        return value
    if isinstance(value, Noted):
        return f"{report.number(value.value)}, {value.remark}"
    if isinstance(value, (int, float)):
        return report.number(value)
    return f"{report.number(statistics.median(value))} ({len(value)} values)"


def _select(known: list[Row], only: str | None) -> list[Row]:
    """The rows that were asked for. Raises click.BadParameter for a word that means none."""
    if only is None:
        return known
    words = [word.strip() for word in only.split(",")]
    for word in words:
        if not any(_means(word, row) for row in known):
            raise click.BadParameter(f"{word}: no such row; there are {', '.join(row.key for row in known)}")
    return [row for row in known if any(_means(word, row) for word in words)]


def _means(word: str, row: Row) -> bool:
    return row.key == word or row.key.startswith(f"{word}-")


if __name__ == "__main__":
    main(prog_name="scripts/bench")
