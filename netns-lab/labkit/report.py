"""The demo's results: a table for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich import box
from rich.table import Table

from labkit.errors import LabError
from labkit.trial import DWELL, EVENTS, Outcome, arrow
from labkit.writer import CONNECT_PATIENCE, PATIENCE, PERIOD

VISIBLE_OVERLAP = 0.0005  # seconds; less than a millisecond is printed as none
ALARMING_OVERLAP = 0.1  # seconds; a hand-over on purpose has both nodes answer for some milliseconds

NOTES = f"""\
no write for: the longest time between two acknowledged writes around the event. The client writes a row every
{PERIOD * 1000:g} ms; it waits at most {PATIENCE * 1000:g} ms for an answer and {CONNECT_PATIENCE * 1000:g} ms for a
connection. rows missing: acknowledged to the client, not on the node that held the VIP afterwards; replication is
asynchronous, so a node that dies can take its last rows with it. (c) and (d) happen just after an advert, which is
when the other node waits longest."""

COMPARISON = f"""\
VIP on 2 nodes: for pyvrrpd a few milliseconds when it leaves on purpose, (a) and (e): the old holder goes on answering
until it hears the new one, then resets its connections. Any longer and both take writes, which a VIP is there to
prevent. Where the agent does not end this by itself it lasts until somebody does; here the agent is started again
{DWELL:g} s after the takeover. Both agents have the same priorities, intervals and password. keepalived checks MariaDB
with a vrrp_script that connects (interval 2, timeout 3, fall 3, weight 0), for the tutorial's virtual_server needs
IPVS in the kernel, which a laboratory cannot count on."""


@dataclass(frozen=True, slots=True)
class Trials:
    """All that one agent went through.

    `lost` is how many acknowledged rows were not on both nodes at the end, None when the end was not reached.
    """

    agent: str
    outcomes: Sequence[Outcome]
    lost: int | None
    trouble: str = ""

    @property
    def passed(self) -> bool:
        """Whether every event ended as it should."""
        return not self.trouble and not any(outcome.trouble for outcome in self.outcomes)


def table(ours: Trials, theirs: Trials | None) -> Table:
    """What the client saw at each event: a row for each agent, 80 columns wide at most."""
    result = Table(
        title="What each event cost the client",
        title_justify="left",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    result.add_column("event\n", no_wrap=True)
    result.add_column("agent\n", no_wrap=True)
    result.add_column("VIP\n", no_wrap=True)
    for heading in ("no write\nfor ms", "rows\nacked", "rows\nmissing", "VIP on 2\nnodes, s"):
        result.add_column(heading, justify="right")
    for index, event in enumerate(EVENTS):
        result.add_row(event.name, ours.agent, *_cells(ours.outcomes, index))
        if theirs is not None:
            result.add_row("", theirs.agent, *_cells(theirs.outcomes, index), style="dim")
    return result


def notes(*, compared: bool) -> list[str]:
    """What has to be known to read the table, one paragraph each."""
    return [NOTES, COMPARISON] if compared else [NOTES]


def conclusion(trials: Trials) -> str:
    """How it ended, in one line."""
    troubles = [trials.trouble, *(outcome.trouble for outcome in trials.outcomes)]
    if not trials.passed:
        return f"{trials.agent}: {'; '.join(filter(None, troubles))}"
    return f"{trials.agent}: {trials.lost} acknowledged rows were not on both nodes in the end."


def demand_writable(path: Path) -> None:
    """Not to be told after a minute that the results cannot be written. Raises LabError."""
    try:
        path.touch()
    except OSError as error:
        raise LabError(f"{path}: {error.strerror}") from None


def write_json(path: Path, ours: Trials, theirs: Trials | None) -> None:
    """Everything that was measured; times in seconds."""
    results = {trials.agent: asdict(trials) for trials in (ours, theirs) if trials is not None}
    path.write_text(json.dumps(results, indent=2) + "\n")


def _cells(outcomes: Sequence[Outcome], index: int) -> tuple[str, ...]:
    if index >= len(outcomes):
        return ("", "not run", "", "", "")
    outcome = outcomes[index]
    gap = f"{outcome.gap * 1000:,.0f}"
    overlap = f"{outcome.overlap:.3f}" if outcome.overlap >= VISIBLE_OVERLAP else "-"
    return (
        f"[red]{arrow(outcome)}[/red]" if outcome.trouble or len(outcome.after) > 1 else arrow(outcome),
        f"[red]{gap}[/red]" if outcome.trouble else f"[bold]{gap}[/bold]",
        str(outcome.acknowledged),
        f"[red]{outcome.missing}[/red]" if outcome.missing else "0",
        f"[red]{overlap}[/red]" if outcome.overlap >= ALARMING_OVERLAP else overlap,
    )
