"""scripts/simulate: many scenarios, each from one number, under the eyes of the witness.

A number that fails is told again and again with less and less in it; what remains is printed as a scenario file.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.simulation.campaign import scenario
from tests.simulation.story import Outcome, shrunk, tell, try_out

CHUNK = 50  # scenarios that a process is given at a time
EVERY = 5.0  # seconds between two lines of progress
SHOWN = 5  # failures that are made shorter and printed


def campaign(first: int, count: int, jobs: int) -> Iterator[Outcome]:
    """The outcomes of `count` scenarios, by parts."""
    parts = [range(at, min(at + CHUNK, first + count)) for at in range(first, first + count, CHUNK)]
    if jobs == 1:
        yield from map(try_out, parts)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        yield from pool.map(try_out, parts)


def told(seed: int) -> str:
    """The shortest scenario that breaks what this number's breaks, as text for tests/scenarios."""
    lines = scenario(seed)
    failure = tell(lines)[0]
    if failure is None:
        return f"# {seed} breaks nothing\n"
    lines = shrunk(lines, failure.promise)
    again = tell(lines)[0] or failure
    return "\n".join([f"# Number {seed} of the campaign. {again.sentence}", *lines, ""])


def summary(total: Outcome, seconds: float) -> str:
    """What was found, in lines."""
    rate, hours = total.seeds / max(seconds, 1e-9), total.seconds / 3600
    faults = ", ".join(f"{kind} {count}" for kind, count in sorted(total.faults.items()))
    return (
        f"{total.seeds} scenarios in {seconds:.0f} s ({rate:.0f}/s): {hours:.1f} virtual hours, "
        f"{total.transitions} changes of state\n"
        f"longest overlap of two that hear each other: {total.overlap:.3f} s\n"
        f"longest time that both of two such have an open database: {total.written:.3f} s\n"
        f"longest time without a holder beside a fit node: {total.gap:.3f} s\n"
        f"takeovers through silence, for which one has to ask: {total.asked}\n"
        f"clusters of nodes with several advert intervals: {total.mixed}\n"
        f"faults: {faults}\n"
        f"broken promises: {len(total.failures)}"
    )


def main() -> int:
    """Run the campaign; the exit status is 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="scripts/simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, metavar="N", help="how many scenarios (10000)")
    parser.add_argument("--from", type=int, default=0, dest="first", metavar="K", help="the first number (0)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="J", help="processes (one a core)")
    parser.add_argument("--tell", action="store_true", help="print the scenario of the first number, and end")
    options = parser.parse_args()
    if options.tell:
        print("\n".join(scenario(options.first)))
        return 0
    total, began = Outcome(), time.monotonic()
    spoken = began
    for outcome in campaign(options.first, options.seeds, options.jobs):
        total.add(outcome)
        now = time.monotonic()
        if now - spoken >= EVERY:
            spoken, rate = now, total.seeds / (now - began)
            left = (options.seeds - total.seeds) / rate
            print(f"{total.seeds} of {options.seeds}, {rate:.0f}/s, {left:.0f} s left, "
                  f"{len(total.failures)} failed", file=sys.stderr)  # fmt: skip
    for seed in sorted(total.failures)[:SHOWN]:
        print(f"\n--- tests/scenarios/number_{seed}.txt\n{told(seed)}")
    print(summary(total, time.monotonic() - began))
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
