"""The command line of the soak: faults at random for minutes, and two sums that must be nothing."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
import time
from contextlib import ExitStack
from itertools import takewhile
from pathlib import Path
from typing import Final

import click
from bench import sandbox, services
from bench.services import Probe
from bench.stage import Effort, Stage
from bench.subjects import SUBJECTS
from bench.topology import Topology
from bench.watch import NotSeenError, Watch

from soak import faults, plan, report
from soak.judge import Episode, Judgement, judge
from soak.plan import Fault
from soak.world import World

# Seconds that every episode may lose between processes that act on each other's word, on a machine of two processors.
MARGIN: Final = 0.05
ASKED_EVERY: Final = 0.005
_PULSE = struct.Struct("=qq")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--minutes", type=click.FloatRange(0.1, 24 * 60), default=10.0, show_default=True, help="How long.")
@click.option("--seed", type=int, help="Which faults; the same seed is the same plan.  [default: any]")
@click.option("--subject", type=click.Choice(list(SUBJECTS)), default="pyvrrpd", show_default=True, help="Who suffers.")
@click.option("--only", type=click.Choice(list(plan.KINDS)), default=None, help="Only faults of this kind.")
@click.option("--verbose", is_flag=True, help="What was seen, of every fault; else of those that cost too much.")
def main(*, minutes: float, seed: int | None, subject: str, only: str | None, verbose: bool) -> None:
    """Two nodes at advert_int 0.1, a fault every few seconds, and who held the address all the while.

    Exit status 1 when the address was held by nobody, or by two, for longer than the protocol and the lease allow.
    """
    seed = random.randrange(1_000_000) if seed is None else seed
    try:
        sandbox.enter()
    except OSError as error:
        raise click.ClickException(f"{error}; run it as root, or allow user namespaces") from None
    click.echo(f"{subject} {SUBJECTS[subject].version()}, advert_int 0.1, {minutes:g} minutes, seed {seed}")
    watch, work = Watch(), Path("/run/bench")
    work.mkdir()
    topology = Topology(watch)
    try:
        soak = Soak(Stage(topology, watch, work, Effort()), subject, verbose=verbose)
        judgements = soak.run(seed, minutes * 60, only or "")
    finally:
        topology.close()
        watch.close()
    for text in report.summary(judgements, MARGIN):
        click.echo(text)
    click.echo(soak.client)
    sys.exit(0 if report.passed(judgements) else 1)


class Soak:
    """One run."""

    def __init__(self, stage: Stage, subject: str, *, verbose: bool) -> None:
        self.client = ""
        self._verbose = verbose
        self._stage = stage
        self._subject = SUBJECTS[subject]
        self._stalls: list[tuple[int, float]] = []  # when they ended, seconds
        self._episodes: list[Episode] = []
        self._began = 0.0

    def run(self, seed: int, seconds: float, only: str) -> list[Judgement]:
        """Faults for so many seconds; what each of them came to."""
        with ExitStack() as stack:
            for processor in os.sched_getaffinity(0):
                self._feel_pulse(processor)
            world = World(self._stage, self._subject, stack)
            world.begin()
            probe = stack.enter_context(
                services.echoes(self._stage.topology.client, self._stage.watch, world.vip, ASKED_EVERY)
            )
            self._began = time.monotonic()
            for fault in takewhile(lambda _: time.monotonic() < self._began + seconds, plan.faults(seed, only)):
                self._endure(world, fault)
            self.client = _answered(probe)
            return judge(self._episodes, world.changes(), MARGIN)

    def _endure(self, world: World, fault: Fault) -> None:
        episode = Episode(fault.kind, str(fault), time.time_ns())
        self._episodes.append(episode)
        try:
            faults.perform(world, fault, episode.allowance)
        except NotSeenError as error:
            episode.text += f" ({error})"
            episode.calm = False
        episode.calm = world.settle(fault.pause) and episode.calm
        episode.ended = time.time_ns()
        episode.stall = max((late for at, late in self._stalls if episode.began <= at <= episode.ended), default=0.0)
        (judgement,) = judge([episode], list(world.changes()), MARGIN)
        clock = time.monotonic() - self._began
        click.echo(f"{clock:6.1f}  {report.line(judgement)}", err=True)
        if self._verbose or judgement.excess_gap or judgement.excess_overlap:
            for text in report.timeline(episode, self._stage.watch.seen):
                click.echo(text, err=True)

    def _feel_pulse(self, processor: int) -> None:
        program = Path(__file__).with_name("pulse.py")
        process = self._stage.topology.client.spawn(
            [sys.executable, "-I", "-S", program, str(processor)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None  # noqa: S101 - said to the type checker: we asked for a pipe

        def take(data: bytes) -> None:
            usable = len(data) - len(data) % _PULSE.size  # a pipe keeps writes of that size in one piece
            self._stalls += [(at, late / 1e9) for at, late in _PULSE.iter_unpack(data[:usable])]

        self._stage.watch.stream(process.stdout.fileno(), take)


def _answered(probe: Probe) -> str:
    """What the client got, for information: it counts hand-overs, cut cables and a busy machine alike."""
    asked, answered = probe.answers[-1].number - probe.answers[0].number + 1, len(probe.answers)
    missing = asked - answered
    return (
        f"the client asked {asked} times, every {ASKED_EVERY * 1e3:g} ms, and got no answer {missing} times: "
        f"{missing * ASKED_EVERY:.2f} s"
    )


if __name__ == "__main__":
    main(prog_name="scripts/soak")
